# ports: where packets come from
libcore_la_SOURCES += %D%/arena.h %D%/capfile.c %D%/capfile.h %D%/filter.c %D%/filter.h \
    %D%/live.c %D%/mapped.c %D%/mapped.h %D%/packet_socket.c %D%/packet_socket.h %D%/pcapng.c \
    %D%/pcapport.c %D%/port.c %D%/port.h

UNIT_TESTS += tests/unit/test_capfile

tests_unit_test_capfile_SOURCES = tests/unit/test_capfile.c
tests_unit_test_capfile_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_capfile_LDADD   = libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_live

tests_unit_test_live_SOURCES = tests/unit/test_live.c
tests_unit_test_live_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_live_LDADD   = libcore.la $(CMOCKA_LIBS)
