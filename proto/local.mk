# proto: parsers of protocols over bytes in memory. They know lib/ and the public headers only.
PROTO_CPPFLAGS = -include config.h -I$(top_builddir) -I$(top_srcdir)/include -I$(top_srcdir)/lib \
                 -I$(top_srcdir)/%D%
PROTO_TEST_CPPFLAGS = $(PROTO_CPPFLAGS) -I$(top_srcdir)/tests

noinst_LTLIBRARIES += libproto.la
libproto_la_SOURCES = \
    %D%/bytes.h \
    %D%/digest.c %D%/digest.h \
    %D%/dns.c %D%/dns.h \
    %D%/gather.c %D%/gather.h \
    %D%/ja.c %D%/ja.h \
    %D%/pool.c %D%/pool.h \
    %D%/share.c %D%/share.h \
    %D%/put.h \
    %D%/tls.c %D%/tls.h \
    %D%/ssh.c %D%/ssh.h \
    %D%/dhcp.c %D%/dhcp.h \
    %D%/detect_proto.c %D%/detect_proto.h \
    %D%/http.h %D%/http_parts.h \
    %D%/http_form.c %D%/http_form.h \
    %D%/http_plain.c \
    %D%/http_notes.c %D%/http_notes.h \
    %D%/x509.c %D%/x509.h
if HAVE_HTP
libproto_la_SOURCES += %D%/http.c
else
libproto_la_SOURCES += %D%/http_none.c
endif
libproto_la_CPPFLAGS = $(PROTO_CPPFLAGS) $(CRYPTO_CFLAGS) $(HTP_CFLAGS)
libproto_la_LIBADD   = $(CRYPTO_LIBS) $(HTP_LIBS)

UNIT_TESTS += tests/unit/test_dns
tests_unit_test_dns_SOURCES  = tests/unit/test_dns.c tests/support/exact.h
tests_unit_test_dns_CPPFLAGS = $(PROTO_TEST_CPPFLAGS)
tests_unit_test_dns_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_dns_LDADD    = libproto.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_gather
tests_unit_test_gather_SOURCES  = tests/unit/test_gather.c
tests_unit_test_gather_CPPFLAGS = $(PROTO_TEST_CPPFLAGS)
tests_unit_test_gather_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_gather_LDADD    = libproto.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_pool
tests_unit_test_pool_SOURCES  = tests/unit/test_pool.c
tests_unit_test_pool_CPPFLAGS = $(PROTO_TEST_CPPFLAGS)
tests_unit_test_pool_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_pool_LDADD    = libproto.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_digest
tests_unit_test_digest_SOURCES  = tests/unit/test_digest.c
tests_unit_test_digest_CPPFLAGS = $(PROTO_TEST_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_test_digest_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_digest_LDADD    = libproto.la $(CRYPTO_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_ja
tests_unit_test_ja_SOURCES  = tests/unit/test_ja.c tests/unit/tls_bytes.h
tests_unit_test_ja_CPPFLAGS = $(PROTO_TEST_CPPFLAGS)
tests_unit_test_ja_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_ja_LDADD    = libproto.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_tls
tests_unit_test_tls_SOURCES  = tests/unit/test_tls.c tests/unit/tls_bytes.h tests/support/exact.h
tests_unit_test_tls_CPPFLAGS = $(PROTO_TEST_CPPFLAGS)
tests_unit_test_tls_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_tls_LDADD    = libproto.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_x509
tests_unit_test_x509_SOURCES  = tests/unit/test_x509.c tests/unit/tls_bytes.h tests/support/exact.h
tests_unit_test_x509_CPPFLAGS = $(PROTO_TEST_CPPFLAGS)
tests_unit_test_x509_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_x509_LDADD    = libproto.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_ssh
tests_unit_test_ssh_SOURCES  = tests/unit/test_ssh.c tests/support/exact.h
tests_unit_test_ssh_CPPFLAGS = $(PROTO_TEST_CPPFLAGS)
tests_unit_test_ssh_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_ssh_LDADD    = libproto.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_dhcp
tests_unit_test_dhcp_SOURCES  = tests/unit/test_dhcp.c tests/support/exact.h
tests_unit_test_dhcp_CPPFLAGS = $(PROTO_TEST_CPPFLAGS)
tests_unit_test_dhcp_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_dhcp_LDADD    = libproto.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_detect_proto
tests_unit_test_detect_proto_SOURCES  = tests/unit/test_detect_proto.c tests/support/exact.h
tests_unit_test_detect_proto_CPPFLAGS = $(PROTO_TEST_CPPFLAGS)
tests_unit_test_detect_proto_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_detect_proto_LDADD    = libproto.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_http_form
tests_unit_test_http_form_SOURCES  = tests/unit/test_http_form.c tests/support/exact.h
tests_unit_test_http_form_CPPFLAGS = $(PROTO_TEST_CPPFLAGS)
tests_unit_test_http_form_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_http_form_LDADD    = libproto.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_http
tests_unit_test_http_SOURCES  = tests/unit/test_http.c tests/support/exact.h
tests_unit_test_http_CPPFLAGS = $(PROTO_TEST_CPPFLAGS)
tests_unit_test_http_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_http_LDADD    = libproto.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_put
tests_unit_test_put_SOURCES  = tests/unit/test_put.c
tests_unit_test_put_CPPFLAGS = $(PROTO_TEST_CPPFLAGS)
tests_unit_test_put_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_put_LDADD    = libproto.la $(CMOCKA_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_dns
tests_fuzz_fuzz_dns_SOURCES  = tests/fuzz/fuzz_dns.c tests/support/exact.h $(FUZZ_MAIN)
tests_fuzz_fuzz_dns_CPPFLAGS = $(PROTO_TEST_CPPFLAGS)
tests_fuzz_fuzz_dns_LDADD    = libproto.la
tests_fuzz_fuzz_dns_LDFLAGS  = $(FUZZ_LINK)

FUZZ_TARGETS += tests/fuzz/fuzz_tls
tests_fuzz_fuzz_tls_SOURCES  = tests/fuzz/fuzz_tls.c tests/support/exact.h $(FUZZ_MAIN)
tests_fuzz_fuzz_tls_CPPFLAGS = $(PROTO_TEST_CPPFLAGS)
tests_fuzz_fuzz_tls_LDADD    = libproto.la
tests_fuzz_fuzz_tls_LDFLAGS  = $(FUZZ_LINK)

FUZZ_TARGETS += tests/fuzz/fuzz_ssh
tests_fuzz_fuzz_ssh_SOURCES  = tests/fuzz/fuzz_ssh.c tests/support/exact.h $(FUZZ_MAIN)
tests_fuzz_fuzz_ssh_CPPFLAGS = $(PROTO_TEST_CPPFLAGS)
tests_fuzz_fuzz_ssh_LDADD    = libproto.la
tests_fuzz_fuzz_ssh_LDFLAGS  = $(FUZZ_LINK)

FUZZ_TARGETS += tests/fuzz/fuzz_dhcp
tests_fuzz_fuzz_dhcp_SOURCES  = tests/fuzz/fuzz_dhcp.c tests/support/exact.h $(FUZZ_MAIN)
tests_fuzz_fuzz_dhcp_CPPFLAGS = $(PROTO_TEST_CPPFLAGS)
tests_fuzz_fuzz_dhcp_LDADD    = libproto.la
tests_fuzz_fuzz_dhcp_LDFLAGS  = $(FUZZ_LINK)

FUZZ_TARGETS += tests/fuzz/fuzz_detect_proto
tests_fuzz_fuzz_detect_proto_SOURCES  = tests/fuzz/fuzz_detect_proto.c tests/support/exact.h $(FUZZ_MAIN)
tests_fuzz_fuzz_detect_proto_CPPFLAGS = $(PROTO_TEST_CPPFLAGS)
tests_fuzz_fuzz_detect_proto_LDADD    = libproto.la
tests_fuzz_fuzz_detect_proto_LDFLAGS  = $(FUZZ_LINK)

FUZZ_TARGETS += tests/fuzz/fuzz_http
tests_fuzz_fuzz_http_SOURCES  = tests/fuzz/fuzz_http.c tests/support/exact.h $(FUZZ_MAIN)
tests_fuzz_fuzz_http_CPPFLAGS = $(PROTO_TEST_CPPFLAGS)
tests_fuzz_fuzz_http_LDADD    = libproto.la libcore.la
tests_fuzz_fuzz_http_LDFLAGS  = $(FUZZ_LINK)

# For tests/verify/proto-* and .ci/proto.py.
check_PROGRAMS += tests/proto_dump
tests_proto_dump_SOURCES  = tests/proto_dump.c
tests_proto_dump_CPPFLAGS = $(PROTO_CPPFLAGS)
tests_proto_dump_LDADD    = libproto.la libcore.la
