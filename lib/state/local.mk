# shared state: numbers and sets under keys
libcore_la_SOURCES  += %D%/shared.c %D%/shared.h
weirinclude_HEADERS += include/weir/shared.h

UNIT_TESTS += tests/unit/test_shared
tests_unit_test_shared_SOURCES  = tests/unit/test_shared.c tests/support/allocs.c tests/support/allocs.h
tests_unit_test_shared_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_shared_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_shared_LDFLAGS  = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
tests_unit_test_shared_LDADD    = libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/model/test_shared_model
tests_model_test_shared_model_SOURCES = tests/model/test_shared_model.c
tests_model_test_shared_model_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_model_test_shared_model_LDADD   = libcore.la $(CMOCKA_LIBS)
