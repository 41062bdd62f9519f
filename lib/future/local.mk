# futures, taps, the core they run on
libcore_la_SOURCES += lib/core/wheel.c lib/core/wheel.h

nobase_include_HEADERS += include/weir/future.h include/weir/tap.h include/weir/core.h

UNIT_TESTS += tests/unit/test_wheel tests/model/test_wheel_model

tests_unit_test_wheel_SOURCES = tests/unit/test_wheel.c
tests_unit_test_wheel_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_wheel_LDADD   = libcore.la $(CMOCKA_LIBS)

tests_model_test_wheel_model_SOURCES = tests/model/test_wheel_model.c
tests_model_test_wheel_model_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_model_test_wheel_model_LDADD   = libcore.la $(CMOCKA_LIBS)
