# tests that belong to no single room
# those that take longest come first, for several run at a time
dist_check_SCRIPTS += %D%/verify/check_verify.sh %D%/check_inline.sh %D%/check_inline_more.sh \
    %D%/check_cores.sh %D%/check_live.sh %D%/check_control.sh %D%/check_stacks.sh %D%/check_dpdk.sh \
    %D%/fuzz/check_corpora.sh %D%/check_consumer.sh %D%/check_reload.sh %D%/check_frag_kernel.sh \
    %D%/check_eve.sh %D%/check_events_doc.sh %D%/abi_future.sh %D%/check_typed.sh \
    %D%/check_futures_doc.sh %D%/check_exports.sh %D%/check_headers.sh
EXTRA_DIST += %D%/control.py %D%/dpdk.py %D%/eve.py %D%/frag_kernel.py %D%/hosts.py %D%/inline.py \
    %D%/live.py %D%/soak.py %D%/stacks.py %D%/verify %D%/prads-sigs
EXTRA_DIST += %D%/fuzz/corpus %D%/fuzz/make_seeds.py
include %D%/fuzz/local.mk
check_PROGRAMS += %D%/list_events
tests_list_events_SOURCES = %D%/list_events.c
tests_list_events_LDADD = libweir.la

# A folder is shipped with what earlier tests left beside it in the build; logs are no part of it.
dist-hook:
	rm -f $(distdir)/%D%/verify/*.log $(distdir)/%D%/verify/*.trs

UNIT_TESTS += \
    tests/unit/test_decode \
    tests/unit/test_decode_link \
    tests/unit/test_decode_mend \
    tests/unit/test_decode_tunnel \
    tests/unit/test_hash \
    tests/unit/test_mem \
    tests/unit/test_policy \
    tests/unit/test_rd

tests_unit_test_decode_SOURCES = tests/unit/test_decode.c tests/unit/decode_help.h
tests_unit_test_decode_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_decode_LDADD   = libcore.la $(CMOCKA_LIBS)

tests_unit_test_decode_link_SOURCES = tests/unit/test_decode_link.c tests/unit/decode_help.h
tests_unit_test_decode_link_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_decode_link_LDADD   = libcore.la $(CMOCKA_LIBS)

tests_unit_test_decode_mend_SOURCES = tests/unit/test_decode_mend.c tests/unit/decode_help.h
tests_unit_test_decode_mend_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_decode_mend_LDADD   = libcore.la $(CMOCKA_LIBS)

tests_unit_test_decode_tunnel_SOURCES = tests/unit/test_decode_tunnel.c tests/unit/decode_help.h
tests_unit_test_decode_tunnel_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_decode_tunnel_LDADD   = libcore.la $(CMOCKA_LIBS)

tests_unit_test_hash_SOURCES = tests/unit/test_hash.c
tests_unit_test_hash_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_hash_LDADD   = libcore.la $(CMOCKA_LIBS)

tests_unit_test_mem_SOURCES = tests/unit/test_mem.c
tests_unit_test_mem_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_mem_LDADD   = libcore.la $(CMOCKA_LIBS)

tests_unit_test_policy_SOURCES = tests/unit/test_policy.c tests/unit/overlap_vectors.h
tests_unit_test_policy_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_policy_LDADD   = libcore.la $(CMOCKA_LIBS)

tests_unit_test_rd_SOURCES = tests/unit/test_rd.c
tests_unit_test_rd_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_rd_LDADD   = libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_checksum tests/unit/test_event tests/unit/test_eve tests/unit/test_json \
    tests/unit/test_out tests/unit/test_segs tests/unit/test_shard

tests_unit_test_checksum_SOURCES  = tests/unit/test_checksum.c
tests_unit_test_checksum_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_checksum_LDADD    = libcore.la $(CMOCKA_LIBS)

tests_unit_test_event_SOURCES  = tests/unit/test_event.c
tests_unit_test_event_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_event_LDADD    = libcore.la $(CMOCKA_LIBS)

tests_unit_test_eve_SOURCES  = tests/unit/test_eve.c tests/support/capture_out.h
tests_unit_test_eve_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_eve_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_eve_LDADD    = libtestsupport.la libprog.la libcore.la $(CMOCKA_LIBS)

tests_unit_test_json_SOURCES  = tests/unit/test_json.c tests/support/capture_out.h
tests_unit_test_json_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_json_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_json_LDADD    = libcore.la $(CMOCKA_LIBS)

tests_unit_test_out_SOURCES  = tests/unit/test_out.c tests/support/capture_out.h
tests_unit_test_out_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_out_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_out_LDADD    = libcore.la $(CMOCKA_LIBS)

tests_unit_test_segs_SOURCES  = tests/unit/test_segs.c
tests_unit_test_segs_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_segs_LDADD    = libcore.la $(CMOCKA_LIBS)

tests_unit_test_shard_SOURCES  = tests/unit/test_shard.c
tests_unit_test_shard_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_shard_LDADD    = libcore.la $(CMOCKA_LIBS)
