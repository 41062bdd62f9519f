# libcore: lib + monitor with all symbols, for the programs and the tests.
# libweir: the same with its public face only (libweir.map).
noinst_LTLIBRARIES += libcore.la
libcore_la_SOURCES  = %D%/error.c %D%/hash.c %D%/hash.h %D%/json.c %D%/json.h %D%/mem.c \
    %D%/mem.h %D%/out.c %D%/out.h %D%/poison.h %D%/rd.h
libcore_la_CPPFLAGS = $(AM_CPPFLAGS) $(PCAP_CFLAGS) $(URING_CFLAGS)
libcore_la_LIBADD   = $(PCAP_LIBS) $(URING_LIBS)

lib_LTLIBRARIES    += libweir.la
libweir_la_SOURCES  =
libweir_la_LIBADD   = libcore.la
libweir_la_LDFLAGS  = $(WHOLE_LDFLAGS) -version-info 0:0:0 \
                      -Wl,--version-script=$(top_srcdir)/%D%/libweir.map
EXTRA_libweir_la_DEPENDENCIES = $(top_srcdir)/%D%/libweir.map
EXTRA_DIST += %D%/libweir.map

weirinclude_HEADERS += include/weir/api.h include/weir/error.h include/weir/packet.h include/weir/verdict.h \
    include/weir/port.h include/weir/event.h include/weir/flow.h include/weir/monitor.h

pkgconfigdir   = $(libdir)/pkgconfig
pkgconfig_DATA = %D%/libweir.pc

UNIT_TESTS += tests/unit/test_error
tests_unit_test_error_SOURCES = tests/unit/test_error.c
tests_unit_test_error_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_error_LDADD   = libcore.la $(CMOCKA_LIBS)
