# ports: where packets come from and go to
libcore_la_SOURCES += %D%/arena.h %D%/capfile.c %D%/capfile.h %D%/filter.c %D%/filter.h \
    %D%/finish.c %D%/finish.h %D%/follow.c %D%/follow.h %D%/raw.c %D%/live.c %D%/mapped.c %D%/mapped.h %D%/packet_socket.c %D%/packet_socket.h %D%/pcapng.c \
    %D%/pcapport.c %D%/port.c %D%/port.h %D%/words.c %D%/words.h

# DPDK's flags, -march=corei7 among them, are for the one file that knows it. The user's come behind.
noinst_LTLIBRARIES += libdpdkport.la
if HAVE_DPDK
libdpdkport_la_SOURCES = %D%/dpdk.c %D%/dpdk.h %D%/dpdk_tx.c %D%/dpdk_tx.h
libdpdkport_la_CFLAGS  = $(AM_CFLAGS) $(DPDK_CFLAGS)
libdpdkport_la_LIBADD  = $(DPDK_LIBS)
else
libdpdkport_la_SOURCES = %D%/dpdk_none.c %D%/dpdk.h
endif
EXTRA_DIST += %D%/dpdk.c %D%/dpdk_none.c %D%/dpdk_tx.c %D%/dpdk_tx.h tests/unit/test_dpdk.c
libcore_la_LIBADD += libdpdkport.la

UNIT_TESTS += tests/unit/test_words
tests_unit_test_words_SOURCES = tests/unit/test_words.c
tests_unit_test_words_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_words_LDADD   = libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_follow
tests_unit_test_follow_SOURCES = tests/unit/test_follow.c
tests_unit_test_follow_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_follow_LDADD   = libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_capfile

tests_unit_test_capfile_SOURCES = tests/unit/test_capfile.c
tests_unit_test_capfile_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_capfile_LDADD   = libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_live

tests_unit_test_live_SOURCES = tests/unit/test_live.c tests/support/veth.c tests/support/veth.h
tests_unit_test_live_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_live_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_live_LDADD   = libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_raw tests/unit/test_finish

tests_unit_test_raw_SOURCES = tests/unit/test_raw.c tests/support/veth.c tests/support/veth.h
tests_unit_test_raw_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_raw_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_raw_LDADD   = libcore.la $(CMOCKA_LIBS)

tests_unit_test_finish_SOURCES = tests/unit/test_finish.c
tests_unit_test_finish_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_finish_LDADD   = libcore.la $(CMOCKA_LIBS)

if HAVE_DPDK
UNIT_TESTS += tests/unit/test_dpdk
tests_unit_test_dpdk_SOURCES = tests/unit/test_dpdk.c
tests_unit_test_dpdk_CFLAGS  = $(AM_CFLAGS) $(DPDK_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_dpdk_LDADD   = libcore.la $(DPDK_LIBS) -lrte_ring $(CMOCKA_LIBS)
endif
