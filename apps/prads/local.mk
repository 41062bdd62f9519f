# apps/prads: hosts, their systems and services, and the program weir-prads
if HAVE_PRADS
PRADS_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/%D% -I$(top_srcdir)/monitor -I$(top_srcdir)/proto $(HS_CFLAGS) $(PCRE2_CFLAGS)
noinst_LTLIBRARIES += libprads.la
libprads_la_SOURCES = \
    %D%/asset.c %D%/asset.h \
    %D%/asset_log.c %D%/asset_log.h \
    %D%/compat.c %D%/compat.h \
    %D%/compat_dns.c %D%/compat_dns.h \
    %D%/compat_live.c %D%/compat_live.h \
    %D%/compat_options.c %D%/compat_options.h \
    %D%/compat_packet.c \
    %D%/compat_stats.c %D%/compat_stats.h \
    %D%/conn.c %D%/conn.h \
    %D%/conn_log.c %D%/conn_log.h \
    %D%/dhcp_print.c %D%/dhcp_print.h \
    %D%/ether.c %D%/ether.h \
    %D%/fingerprint.c %D%/fingerprint.h \
    %D%/homenet.c %D%/homenet.h \
    %D%/inventory.c %D%/inventory.h \
    %D%/literal.c %D%/literal.h \
    %D%/mac.c %D%/mac.h \
    %D%/p0f.c %D%/p0f.h \
    %D%/prads.c %D%/prads.h \
    %D%/regex.c %D%/regex.h \
    %D%/report.c %D%/report.h \
    %D%/service.c %D%/service.h \
    %D%/sigfile.c %D%/sigfile.h \
    %D%/signature_fp.c %D%/signature_fp.h \
    %D%/table.c %D%/table.h \
    %D%/watch.c %D%/watch.h \
    %D%/watch_datagram.c \
    %D%/watch_packet.c \
    %D%/watch_stream.c \
    %D%/watched.h
libprads_la_CPPFLAGS = $(PRADS_CPPFLAGS) -DWEIR_DATADIR='"$(pkgdatadir)"'
libprads_la_LIBADD   = libproto.la libprog.la libcore.la $(HS_LIBS) $(PCRE2_LIBS)

dist_pkgdata_DATA = %D%/stacks.fp
bin_PROGRAMS += weir-prads
weir_prads_SOURCES  = %D%/main.c
weir_prads_CPPFLAGS = $(PRADS_CPPFLAGS)
weir_prads_LDFLAGS  = $(WHOLE_LDFLAGS)
weir_prads_LDADD    = libprads.la libprog.la libcore.la

UNIT_TESTS += tests/unit/test_inventory
tests_unit_test_inventory_SOURCES  = tests/unit/test_inventory.c
tests_unit_test_inventory_CPPFLAGS = $(PRADS_CPPFLAGS)
tests_unit_test_inventory_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_inventory_LDADD    = libprads.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_prads_table
tests_unit_test_prads_table_SOURCES  = tests/unit/test_prads_table.c
tests_unit_test_prads_table_CPPFLAGS = $(PRADS_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_prads_table_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_prads_table_LDADD    = libprads.la libprog.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_fingerprint
tests_unit_test_fingerprint_SOURCES  = tests/unit/test_fingerprint.c
tests_unit_test_fingerprint_CPPFLAGS = $(PRADS_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_fingerprint_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_fingerprint_LDADD    = libprads.la libprog.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_service
tests_unit_test_service_SOURCES  = tests/unit/test_service.c
tests_unit_test_service_CPPFLAGS = $(PRADS_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_service_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_service_LDADD    = libprads.la libprog.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_prads_lists
tests_unit_test_prads_lists_SOURCES  = tests/unit/test_prads_lists.c
tests_unit_test_prads_lists_CPPFLAGS = $(PRADS_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_prads_lists_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_prads_lists_LDADD    = libprads.la libprog.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_asset
tests_unit_test_asset_SOURCES  = tests/unit/test_asset.c tests/support/capture_out.h
tests_unit_test_asset_CPPFLAGS = $(PRADS_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_asset_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_asset_LDADD    = libprads.la libprog.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_compat
tests_unit_test_compat_SOURCES  = tests/unit/test_compat.c tests/support/capture_out.h
tests_unit_test_compat_CPPFLAGS = $(PRADS_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_compat_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_compat_LDADD    = libprads.la libprog.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_p0f
tests_unit_test_p0f_SOURCES  = tests/unit/test_p0f.c
tests_unit_test_p0f_CPPFLAGS = $(PRADS_CPPFLAGS)
tests_unit_test_p0f_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_p0f_LDADD    = libprads.la libprog.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_watch
tests_unit_test_watch_SOURCES  = tests/unit/test_watch.c tests/support/capture_out.h
tests_unit_test_watch_CPPFLAGS = $(PRADS_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_watch_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_watch_LDADD    = libtestsupport.la libprads.la libprog.la libcore.la $(CMOCKA_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_prads_sigs
tests_fuzz_fuzz_prads_sigs_SOURCES  = tests/fuzz/fuzz_prads_sigs.c $(FUZZ_MAIN)
tests_fuzz_fuzz_prads_sigs_CPPFLAGS = $(PRADS_CPPFLAGS)
tests_fuzz_fuzz_prads_sigs_LDADD    = libprads.la libprog.la libcore.la
tests_fuzz_fuzz_prads_sigs_LDFLAGS  = $(FUZZ_LINK)

FUZZ_TARGETS += tests/fuzz/fuzz_prads_packet
tests_fuzz_fuzz_prads_packet_SOURCES  = tests/fuzz/fuzz_prads_packet.c $(FUZZ_MAIN)
tests_fuzz_fuzz_prads_packet_CPPFLAGS = $(PRADS_CPPFLAGS)
tests_fuzz_fuzz_prads_packet_LDADD    = libprads.la libprog.la libcore.la
tests_fuzz_fuzz_prads_packet_LDFLAGS  = $(FUZZ_LINK)
endif
