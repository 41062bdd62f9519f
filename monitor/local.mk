# monitor: packets to flow events
libcore_la_SOURCES += \
    %D%/batch.h \
    %D%/checksum.c %D%/checksum.h \
    %D%/cores.c %D%/cores.h \
    %D%/cut.c %D%/cut.h \
    %D%/decode.c %D%/decode.h \
    %D%/decode_link.c %D%/decode_mend.c %D%/decode_tunnel.c %D%/decode_walk.h \
    %D%/deliver.h %D%/engine.c %D%/engine.h %D%/engine_life.c \
    %D%/event.c \
    %D%/flow.c \
    %D%/for_programs.h \
    %D%/frag.c %D%/frag.h \
    %D%/frag_policy.c %D%/frag_policy.h \
    %D%/frag_verdict.c %D%/frag_verdict.h \
    %D%/hosts.c %D%/hosts.h \
    %D%/inline.c %D%/inline.h \
    %D%/monitor.c \
    %D%/pieces.c %D%/pieces.h \
    %D%/quote.c %D%/quote.h \
    %D%/front.c %D%/front.h %D%/reader.c %D%/reader.h \
    %D%/reject.c %D%/reject.h %D%/rewrite.c %D%/rewrite.h \
    %D%/reasm.c %D%/reasm.h %D%/reasm_early.c %D%/reasm_kept.c %D%/reasm_parts.h %D%/reasm_queue.c \
    %D%/resync.c %D%/resync.h \
    %D%/segs.c %D%/segs.h \
    %D%/shard.c %D%/shard.h \
    %D%/syns.h %D%/take.c \
    %D%/tcp_ack.c %D%/tcp_anomaly.c %D%/tcp_anomaly.h %D%/tcp_handshake.c %D%/tcp_parts.h \
    %D%/tcp_policy.c %D%/tcp_policy.h %D%/tcp_reset.c %D%/tcp_segment.c \
    %D%/tcp_state.c %D%/tcp_state.h \
    %D%/track.h %D%/track_tcp.c %D%/track_udp.c \
    %D%/udevent.c %D%/verdict.c

# What the programs share and the library does not hold.
noinst_LTLIBRARIES += libprog.la
libprog_la_SOURCES  = %D%/cli.c %D%/cli.h %D%/cli_parts.h %D%/cli_check.c %D%/cli_message.c %D%/cli_options.c \
    %D%/cli_output.c %D%/cli_report.c %D%/cli_run.c %D%/cli_signals.c \
    %D%/cli_set.c %D%/cli_set.h %D%/cli_dump.c %D%/cli_dump.h \
    %D%/cli_inline.c %D%/cli_inline.h %D%/cli_live.c %D%/cli_live.h %D%/privileges.c %D%/privileges.h \
    %D%/control.c %D%/control.h %D%/counts.c %D%/counts.h %D%/metrics.c %D%/metrics.h \
    %D%/top_table.c %D%/top_table.h \
    %D%/config_file.c %D%/config_file.h %D%/config_parts.h %D%/eve.c %D%/eve.h \
    %D%/keep.c %D%/keep.h %D%/out_json.c %D%/out_json.h %D%/pcapng_out.c %D%/pcapng_out.h
if HAVE_YAML
libprog_la_SOURCES += %D%/config_yaml.c
else
libprog_la_SOURCES += %D%/config_none.c
endif
libprog_la_CPPFLAGS = $(AM_CPPFLAGS) $(YAML_CFLAGS) $(PCAP_CFLAGS) $(CAP_NG_CFLAGS)
libprog_la_LIBADD   = libcore.la $(YAML_LIBS) $(PCAP_LIBS) $(CAP_NG_LIBS)

UNIT_TESTS += tests/unit/test_config_file
tests_unit_test_config_file_SOURCES = tests/unit/test_config_file.c
tests_unit_test_config_file_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_config_file_LDADD   = libprog.la libcore.la $(CMOCKA_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_config
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz_config.c $(FUZZ_MAIN)
tests_fuzz_fuzz_config_LDADD   = libprog.la libcore.la
tests_fuzz_fuzz_config_LDFLAGS = $(FUZZ_LINK)

bin_PROGRAMS += weir
weir_SOURCES  = %D%/main.c %D%/out_text.c %D%/out_text.h \
                %D%/streams.c %D%/streams.h %D%/top.c %D%/top.h
weir_LDFLAGS  = $(WHOLE_LDFLAGS)
weir_LDADD    = libprog.la libcore.la

# Frames and records of events for tests of the engine.
check_LTLIBRARIES += libtestsupport.la
libtestsupport_la_SOURCES = tests/support/draw.c tests/support/draw.h tests/support/frames.c tests/support/frames.h tests/support/record.c \
                            tests/support/record.h
libtestsupport_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
libtestsupport_la_LIBADD  = libcore.la

UNIT_TESTS += tests/model/test_reasm_model
tests_model_test_reasm_model_SOURCES  = tests/model/test_reasm_model.c tests/model/byte_map.h
tests_model_test_reasm_model_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_model_test_reasm_model_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_model_test_reasm_model_LDADD    = libtestsupport.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/model/test_receiver_model
tests_model_test_receiver_model_SOURCES  = tests/model/test_receiver_model.c tests/model/byte_map.h
tests_model_test_receiver_model_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_model_test_receiver_model_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_model_test_receiver_model_LDADD    = libtestsupport.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/model/test_cores_model
tests_model_test_cores_model_SOURCES  = tests/model/test_cores_model.c
tests_model_test_cores_model_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_model_test_cores_model_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_model_test_cores_model_LDADD    = libtestsupport.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/model/test_queues_model
tests_model_test_queues_model_SOURCES  = tests/model/test_queues_model.c
tests_model_test_queues_model_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_model_test_queues_model_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_model_test_queues_model_LDADD    = libtestsupport.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/model/test_verdict_model
tests_model_test_verdict_model_SOURCES  = tests/model/test_verdict_model.c
tests_model_test_verdict_model_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -I$(top_srcdir)/monitor
tests_model_test_verdict_model_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_model_test_verdict_model_LDADD    = libtestsupport.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/model/test_metamorphic
tests_model_test_metamorphic_SOURCES  = tests/model/test_metamorphic.c
tests_model_test_metamorphic_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_model_test_metamorphic_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_model_test_metamorphic_LDADD    = libtestsupport.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_tcp
tests_unit_test_tcp_SOURCES  = tests/unit/test_tcp.c
tests_unit_test_tcp_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_tcp_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_tcp_LDADD    = libtestsupport.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_tcp_policy
tests_unit_test_tcp_policy_SOURCES  = tests/unit/test_tcp_policy.c
tests_unit_test_tcp_policy_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_tcp_policy_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_tcp_policy_LDADD    = libtestsupport.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_hosts
tests_unit_test_hosts_SOURCES = tests/unit/test_hosts.c
tests_unit_test_hosts_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_hosts_LDADD   = libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_overlap
tests_unit_test_overlap_SOURCES  = tests/unit/test_overlap.c tests/unit/overlap_vectors.h
tests_unit_test_overlap_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_overlap_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_overlap_LDADD    = libtestsupport.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_frag
tests_unit_test_frag_SOURCES  = tests/unit/test_frag.c
tests_unit_test_frag_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_frag_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_frag_LDADD    = libtestsupport.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_frag_verdict
tests_unit_test_frag_verdict_SOURCES  = tests/unit/test_frag_verdict.c
tests_unit_test_frag_verdict_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/monitor
tests_unit_test_frag_verdict_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_frag_verdict_LDADD    = libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_pieces
tests_unit_test_pieces_SOURCES  = tests/unit/test_pieces.c
tests_unit_test_pieces_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_pieces_LDADD    = libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_rewrite
tests_unit_test_rewrite_SOURCES  = tests/unit/test_rewrite.c
tests_unit_test_rewrite_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/monitor
tests_unit_test_rewrite_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_rewrite_LDADD    = libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_verdict
tests_unit_test_verdict_SOURCES  = tests/unit/test_verdict.c
tests_unit_test_verdict_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -I$(top_srcdir)/monitor
tests_unit_test_verdict_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_verdict_LDADD    = libtestsupport.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_monitor
tests_unit_test_monitor_SOURCES  = tests/unit/test_monitor.c
tests_unit_test_monitor_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -I$(top_srcdir)/monitor
tests_unit_test_monitor_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_monitor_LDADD    = libtestsupport.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_udevent
tests_unit_test_udevent_SOURCES  = tests/unit/test_udevent.c
tests_unit_test_udevent_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_udevent_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_udevent_LDADD    = libtestsupport.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_allocs
tests_unit_test_allocs_SOURCES  = tests/unit/test_allocs.c tests/support/allocs.c tests/support/allocs.h
tests_unit_test_allocs_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_allocs_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_allocs_LDFLAGS  = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
tests_unit_test_allocs_LDADD    = libtestsupport.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_tcp_state
tests_unit_test_tcp_state_SOURCES  = tests/unit/test_tcp_state.c
tests_unit_test_tcp_state_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_tcp_state_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_tcp_state_LDADD    = libtestsupport.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_quote
tests_unit_test_quote_SOURCES = tests/unit/test_quote.c
tests_unit_test_quote_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_quote_LDADD   = libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_pcapng_out tests/unit/test_keep
tests_unit_test_pcapng_out_SOURCES  = tests/unit/test_pcapng_out.c tests/support/capture_out.h
tests_unit_test_pcapng_out_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_pcapng_out_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_pcapng_out_LDADD    = libprog.la libcore.la $(CMOCKA_LIBS)

tests_unit_test_keep_SOURCES  = tests/unit/test_keep.c
tests_unit_test_keep_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_keep_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_keep_LDADD    = libtestsupport.la libprog.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_control
tests_unit_test_control_SOURCES = tests/unit/test_control.c
tests_unit_test_control_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_control_LDADD   = libprog.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_top
tests_unit_test_top_SOURCES = tests/unit/test_top.c
tests_unit_test_top_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_top_LDADD   = libprog.la libcore.la $(CMOCKA_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_control
tests_fuzz_fuzz_control_SOURCES = tests/fuzz/fuzz_control.c $(FUZZ_MAIN)
tests_fuzz_fuzz_control_LDADD   = libprog.la libcore.la
tests_fuzz_fuzz_control_LDFLAGS = $(FUZZ_LINK)
