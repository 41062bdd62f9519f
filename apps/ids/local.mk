# apps/ids: rules, detection and the program weir-ids
if HAVE_HS
FLOW_RUN = tests/support/flow_run.c tests/support/flow_run.h
IDS_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/%D% -I$(top_srcdir)/proto $(HS_CFLAGS)
noinst_LTLIBRARIES += libids.la
libids_la_SOURCES = \
    %D%/app/app.c %D%/app/app.h \
    %D%/app/app_dns.c \
    %D%/app/app_http.c \
    %D%/app/app_ssh.c \
    %D%/app/app_tls.c \
    %D%/app/body.c %D%/app/body.h \
    %D%/app/multipart.c %D%/app/multipart.h \
    %D%/app/opts.c \
    %D%/app/parts.h \
    %D%/app/tx.c \
    %D%/detect/anomaly.c %D%/detect/anomaly.h \
    %D%/detect/anomaly_link.c \
    %D%/detect/base64.c %D%/detect/base64.h \
    %D%/detect/ber.c %D%/detect/ber.h \
    %D%/detect/captures.c %D%/detect/captures.h \
    %D%/detect/check.c %D%/detect/check.h \
    %D%/detect/copies.c %D%/detect/copies.h \
    %D%/detect/detect.c %D%/detect/detect.h \
    %D%/detect/entropy.c %D%/detect/entropy.h \
    %D%/detect/event_rules.c \
    %D%/detect/fast.c %D%/detect/fast.h \
    %D%/detect/find.c %D%/detect/find.h \
    %D%/detect/fit.c %D%/detect/fit.h \
    %D%/detect/groups.c %D%/detect/groups.h \
    %D%/detect/headers.c \
    %D%/detect/holes.c %D%/detect/holes.h \
    %D%/detect/inflate.c %D%/detect/inflate.h \
    %D%/detect/inspect.c %D%/detect/inspect.h \
    %D%/detect/keyed.c %D%/detect/keyed.h \
    %D%/detect/life.c \
    %D%/detect/marks.c \
    %D%/detect/match.c %D%/detect/match.h \
    %D%/detect/memory.c %D%/detect/memory.h \
    %D%/detect/number.c %D%/detect/number.h \
    %D%/detect/others.c %D%/detect/others.h \
    %D%/detect/outcome.c %D%/detect/outcome.h \
    %D%/detect/packet.c \
    %D%/detect/parts.h \
    %D%/detect/payload.c \
    %D%/detect/prefilter.c %D%/detect/prefilter.h \
    %D%/detect/raise.c \
    %D%/detect/replace.c \
    %D%/detect/state.c %D%/detect/state.h \
    %D%/detect/stream.c %D%/detect/stream.h \
    %D%/detect/stream_others.c \
    %D%/detect/stream_pending.c \
    %D%/detect/stream_window.c \
    %D%/detect/subject.h \
    %D%/detect/tag.c %D%/detect/tag.h \
    %D%/detect/threshold.c %D%/detect/threshold.h \
    %D%/detect/transform.c %D%/detect/transform.h \
    %D%/detectors/brute_force.c \
    %D%/detectors/detector.h \
    %D%/detectors/detectors.c %D%/detectors/detectors.h \
    %D%/detectors/dns_tunnel.c \
    %D%/detectors/fake_storm.c \
    %D%/detectors/port_scan.c %D%/detectors/posted.c %D%/detectors/posted.h \
    %D%/detectors/rst_injection.c \
    %D%/detectors/syn_flood.c \
    %D%/out/community.c %D%/out/community.h \
    %D%/enforce.c %D%/enforce.h \
    %D%/out/eve_alert.c \
    %D%/out/eve_dns.c \
    %D%/out/eve_drop.c \
    %D%/out/eve_flow.c \
    %D%/out/eve_http.c \
    %D%/out/eve_known.c \
    %D%/out/eve_out.c %D%/out/eve_out.h \
    %D%/out/eve_packet.c \
    %D%/out/eve_stats.c %D%/out/eve_stats.h \
    %D%/out/eve_tls.c \
    %D%/out/eve_tx.c %D%/out/eve_tx.h \
    %D%/out/event_names.c %D%/out/event_names.h \
    %D%/out/fast.c \
    %D%/out/outputs.c %D%/out/outputs.h \
    %D%/out/packet_alerts.c %D%/out/packet_alerts.h \
    %D%/rule/anomaly.h \
    %D%/rule/app_names.c %D%/rule/app_names.h \
    %D%/rule/ber.c %D%/rule/ber.h \
    %D%/rule/buffer.c %D%/rule/buffer.h \
    %D%/rule/bytes.c %D%/rule/bytes.h \
    %D%/rule/classes.c %D%/rule/classes.h \
    %D%/rule/compare.c %D%/rule/compare.h \
    %D%/rule/config_file.c %D%/rule/config_file.h \
    %D%/rule/content.c %D%/rule/content.h \
    %D%/rule/date.c %D%/rule/date.h \
    %D%/rule/event_names.c %D%/rule/event_names.h \
    %D%/rule/header.c %D%/rule/header.h \
    %D%/rule/lexer.c %D%/rule/lexer.h \
    %D%/rule/limits.c %D%/rule/limits.h \
    %D%/rule/lines.c %D%/rule/lines.h \
    %D%/rule/option_buffer.c %D%/rule/option_buffer.h \
    %D%/rule/option_event.c %D%/rule/option_event.h \
    %D%/rule/option_flow.c %D%/rule/option_flow.h \
    %D%/rule/option_meta.c %D%/rule/option_meta.h \
    %D%/rule/option_packet.c %D%/rule/option_packet.h \
    %D%/rule/options.c %D%/rule/options.h \
    %D%/rule/order.c %D%/rule/order.h \
    %D%/rule/pcre.c %D%/rule/pcre.h \
    %D%/rule/ranges.c %D%/rule/ranges.h \
    %D%/rule/references.c %D%/rule/references.h \
    %D%/rule/regex.h \
    %D%/rule/report.c %D%/rule/report.h \
    %D%/rule/requires.c %D%/rule/requires.h \
    %D%/rule/rule.h \
    %D%/rule/rules.c %D%/rule/rules.h \
    %D%/rule/state.c %D%/rule/state.h \
    %D%/rule/tally.c %D%/rule/tally.h \
    %D%/rule/threshold.c %D%/rule/threshold.h \
    %D%/rule/transform.c %D%/rule/transform.h \
    %D%/rule/vars.c %D%/rule/vars.h \
    %D%/settings.c %D%/settings.h
if HAVE_PCRE2
libids_la_SOURCES += %D%/rule/regex.c
else
libids_la_SOURCES += %D%/rule/regex_none.c
endif
libids_la_CPPFLAGS = $(IDS_CPPFLAGS) $(PCRE2_CFLAGS) $(ZLIB_CFLAGS)
libids_la_LIBADD   = libproto.la libcore.la $(HS_LIBS) $(PCRE2_LIBS) $(ZLIB_LIBS) -lm

bin_PROGRAMS += weir-ids
weir_ids_SOURCES  = %D%/explain.c %D%/explain.h %D%/load.c %D%/main.c %D%/program.h %D%/reload.c %D%/run.c %D%/summary.c
if HAVE_PRADS
weir_ids_prads = libprads.la
else
weir_ids_SOURCES += apps/prads/prads_none.c
endif
weir_ids_CPPFLAGS = $(IDS_CPPFLAGS)
weir_ids_LDFLAGS  = $(WHOLE_LDFLAGS)
weir_ids_LDADD    = libids.la $(weir_ids_prads) libprog.la libcore.la

# For tests/verify/app-*.
check_PROGRAMS += tests/app_dump
tests_app_dump_SOURCES  = tests/app_dump.c
tests_app_dump_CPPFLAGS = $(IDS_CPPFLAGS)
tests_app_dump_LDADD    = libids.la libcore.la

# Rules of tests, and runs of them.
LOADED   = tests/support/loaded.c tests/support/loaded.h
RULE_RUN = $(LOADED) tests/support/rule_run.c tests/support/rule_run.h

UNIT_TESTS += tests/unit/test_ranges
tests_unit_test_ranges_SOURCES  = tests/unit/test_ranges.c
tests_unit_test_ranges_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_ranges_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_ranges_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_compare
tests_unit_test_compare_SOURCES  = tests/unit/test_compare.c
tests_unit_test_compare_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_compare_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_compare_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_check
tests_unit_test_check_SOURCES  = tests/unit/test_check.c
tests_unit_test_check_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_check_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_check_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_headers
tests_unit_test_headers_SOURCES  = tests/unit/test_headers.c tests/support/exact.h
tests_unit_test_headers_CPPFLAGS = $(IDS_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_headers_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_headers_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_life
tests_unit_test_life_SOURCES  = tests/unit/test_life.c
tests_unit_test_life_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_life_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_life_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_rule_config
tests_unit_test_rule_config_SOURCES  = tests/unit/test_rule_config.c
tests_unit_test_rule_config_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_rule_config_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_rule_config_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_anomaly
tests_unit_test_anomaly_SOURCES  = tests/unit/test_anomaly.c
tests_unit_test_anomaly_CPPFLAGS = $(IDS_CPPFLAGS) -I$(top_srcdir)/monitor
tests_unit_test_anomaly_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_anomaly_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_fit
tests_unit_test_fit_SOURCES  = tests/unit/test_fit.c
tests_unit_test_fit_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_fit_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_fit_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_vars
tests_unit_test_vars_SOURCES  = tests/unit/test_vars.c
tests_unit_test_vars_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_vars_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_vars_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_rules
tests_unit_test_rules_SOURCES  = tests/unit/test_rules.c
tests_unit_test_rules_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_rules_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_rules_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_transform
tests_unit_test_transform_SOURCES  = tests/unit/test_transform.c
tests_unit_test_transform_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_transform_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_transform_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_buffer
tests_unit_test_buffer_SOURCES  = tests/unit/test_buffer.c
tests_unit_test_buffer_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_buffer_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_buffer_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_ber
tests_unit_test_ber_SOURCES  = tests/unit/test_ber.c tests/support/exact.h
tests_unit_test_ber_CPPFLAGS = $(IDS_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_ber_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_ber_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_inspect
tests_unit_test_inspect_SOURCES  = tests/unit/test_inspect.c
tests_unit_test_inspect_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_inspect_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_inspect_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_find
tests_unit_test_find_SOURCES  = tests/unit/test_find.c
tests_unit_test_find_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_find_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_find_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_match
tests_unit_test_match_SOURCES  = tests/unit/test_match.c
tests_unit_test_match_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_match_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_match_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_holes
tests_unit_test_holes_SOURCES  = tests/unit/test_holes.c
tests_unit_test_holes_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_holes_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_holes_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_enforce
tests_unit_test_enforce_SOURCES  = tests/unit/test_enforce.c $(LOADED)
tests_unit_test_enforce_CPPFLAGS = $(IDS_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_enforce_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_enforce_LDADD    = libtestsupport.la libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_others
tests_unit_test_others_SOURCES  = tests/unit/test_others.c
tests_unit_test_others_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_others_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_others_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_rule_state
tests_unit_test_rule_state_SOURCES  = tests/unit/test_rule_state.c
tests_unit_test_rule_state_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_rule_state_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_rule_state_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_limits
tests_unit_test_limits_SOURCES  = tests/unit/test_limits.c
tests_unit_test_limits_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_limits_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_limits_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_captures
tests_unit_test_captures_SOURCES  = tests/unit/test_captures.c
tests_unit_test_captures_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_captures_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_captures_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_keyed
tests_unit_test_keyed_SOURCES  = tests/unit/test_keyed.c
tests_unit_test_keyed_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_keyed_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_keyed_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_memory
tests_unit_test_memory_SOURCES  = tests/unit/test_memory.c
tests_unit_test_memory_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_memory_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_memory_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_state
tests_unit_test_state_SOURCES  = tests/unit/test_state.c
tests_unit_test_state_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_state_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_state_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_threshold
tests_unit_test_threshold_SOURCES  = tests/unit/test_threshold.c
tests_unit_test_threshold_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_threshold_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_threshold_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_outcome
tests_unit_test_outcome_SOURCES  = tests/unit/test_outcome.c $(RULE_RUN)
tests_unit_test_outcome_CPPFLAGS = $(IDS_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_outcome_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_outcome_LDADD    = libtestsupport.la libids.la libcore.la $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_copies
tests_unit_test_copies_SOURCES  = tests/unit/test_copies.c
tests_unit_test_copies_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_copies_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_copies_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_detect
tests_unit_test_detect_SOURCES  = tests/unit/test_detect.c $(RULE_RUN)
tests_unit_test_detect_CPPFLAGS = $(IDS_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_detect_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_detect_LDADD    = libtestsupport.la libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_detect_allocs
tests_unit_test_detect_allocs_SOURCES  = tests/unit/test_detect_allocs.c tests/support/allocs.c tests/support/allocs.h
tests_unit_test_detect_allocs_CPPFLAGS = $(IDS_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_detect_allocs_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_detect_allocs_LDFLAGS  = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
tests_unit_test_detect_allocs_LDADD    = libtestsupport.la libids.la libcore.la $(CMOCKA_LIBS)

# Detectors ask tables that answer later, too.
UNIT_TESTS += tests/unit/test_detectors
tests_unit_test_detectors_SOURCES  = tests/unit/test_detectors.c tests/support/allocs.c tests/support/allocs.h
tests_unit_test_detectors_CPPFLAGS = $(IDS_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_detectors_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_detectors_LDFLAGS  = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc \
    -Wl,--wrap=weir_shared_add,--wrap=weir_shared_count_distinct,--wrap=weir_shared_compare_and_set
tests_unit_test_detectors_LDADD    = libtestsupport.la libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_lexer
tests_unit_test_lexer_SOURCES  = tests/unit/test_lexer.c
tests_unit_test_lexer_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_lexer_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_lexer_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_prefilter
tests_unit_test_prefilter_SOURCES  = tests/unit/test_prefilter.c
tests_unit_test_prefilter_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_prefilter_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_prefilter_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_groups
tests_unit_test_groups_SOURCES  = tests/unit/test_groups.c
tests_unit_test_groups_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_groups_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_groups_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_settings
tests_unit_test_settings_SOURCES  = tests/unit/test_settings.c
tests_unit_test_settings_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_settings_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_settings_LDADD    = libids.la libprog.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_outputs
tests_unit_test_outputs_SOURCES  = tests/unit/test_outputs.c
tests_unit_test_outputs_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_outputs_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_outputs_LDADD    = libids.la libprog.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_packet_alerts
tests_unit_test_packet_alerts_SOURCES  = tests/unit/test_packet_alerts.c
tests_unit_test_packet_alerts_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_packet_alerts_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_packet_alerts_LDADD    = libids.la libprog.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_community
tests_unit_test_community_SOURCES  = tests/unit/test_community.c
tests_unit_test_community_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_community_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_community_LDADD    = libids.la libprog.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_eve_tx
tests_unit_test_eve_tx_SOURCES  = tests/unit/test_eve_tx.c tests/unit/tls_bytes.h
tests_unit_test_eve_tx_CPPFLAGS = $(IDS_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_eve_tx_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_eve_tx_LDADD    = libtestsupport.la libids.la libprog.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_eve_allocs
tests_unit_test_eve_allocs_SOURCES  = tests/unit/test_eve_allocs.c tests/support/allocs.c tests/support/allocs.h
tests_unit_test_eve_allocs_CPPFLAGS = $(IDS_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_eve_allocs_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_eve_allocs_LDFLAGS  = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
tests_unit_test_eve_allocs_LDADD    = libtestsupport.la libids.la libprog.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_eve_alert
tests_unit_test_eve_alert_SOURCES  = tests/unit/test_eve_alert.c $(LOADED)
tests_unit_test_eve_alert_CPPFLAGS = $(IDS_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_eve_alert_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_eve_alert_LDADD    = libtestsupport.la libids.la libprog.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/model/test_detect_model
tests_model_test_detect_model_SOURCES  = tests/model/test_detect_model.c $(FLOW_RUN)
tests_model_test_detect_model_CPPFLAGS = $(IDS_CPPFLAGS) -I$(top_srcdir)/tests
tests_model_test_detect_model_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_model_test_detect_model_LDADD    = libtestsupport.la libids.la libcore.la $(CMOCKA_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_rules
tests_fuzz_fuzz_rules_SOURCES  = tests/fuzz/fuzz_rules.c $(FUZZ_MAIN)
tests_fuzz_fuzz_rules_CPPFLAGS = $(IDS_CPPFLAGS)
tests_fuzz_fuzz_rules_LDADD    = libids.la libcore.la
tests_fuzz_fuzz_rules_LDFLAGS  = $(FUZZ_LINK)

FUZZ_TARGETS += tests/fuzz/fuzz_transform
tests_fuzz_fuzz_transform_SOURCES  = tests/fuzz/fuzz_transform.c $(FUZZ_MAIN)
tests_fuzz_fuzz_transform_CPPFLAGS = $(IDS_CPPFLAGS)
tests_fuzz_fuzz_transform_LDADD    = libids.la libcore.la
tests_fuzz_fuzz_transform_LDFLAGS  = $(FUZZ_LINK)

FUZZ_TARGETS += tests/fuzz/fuzz_limits
tests_fuzz_fuzz_limits_SOURCES  = tests/fuzz/fuzz_limits.c $(FUZZ_MAIN)
tests_fuzz_fuzz_limits_CPPFLAGS = $(IDS_CPPFLAGS)
tests_fuzz_fuzz_limits_LDADD    = libids.la libcore.la
tests_fuzz_fuzz_limits_LDFLAGS  = $(FUZZ_LINK)
FUZZ_TARGETS += tests/fuzz/fuzz_detectors
tests_fuzz_fuzz_detectors_SOURCES  = tests/fuzz/fuzz_detectors.c $(FUZZ_MAIN)
tests_fuzz_fuzz_detectors_CPPFLAGS = $(IDS_CPPFLAGS) -I$(top_srcdir)/tests
tests_fuzz_fuzz_detectors_LDADD    = libtestsupport.la libids.la libcore.la
tests_fuzz_fuzz_detectors_LDFLAGS  = $(FUZZ_LINK)
FUZZ_TARGETS += tests/fuzz/fuzz_anomaly
tests_fuzz_fuzz_anomaly_SOURCES  = tests/fuzz/fuzz_anomaly.c $(FUZZ_MAIN)
tests_fuzz_fuzz_anomaly_CPPFLAGS = $(IDS_CPPFLAGS) -I$(top_srcdir)/monitor
tests_fuzz_fuzz_anomaly_LDADD    = libids.la libcore.la
tests_fuzz_fuzz_anomaly_LDFLAGS  = $(FUZZ_LINK)

FUZZ_TARGETS += tests/fuzz/fuzz_detect
tests_fuzz_fuzz_detect_SOURCES  = tests/fuzz/fuzz_detect.c $(FLOW_RUN) $(FUZZ_MAIN)
tests_fuzz_fuzz_detect_CPPFLAGS = $(IDS_CPPFLAGS) -I$(top_srcdir)/tests
tests_fuzz_fuzz_detect_LDADD    = libtestsupport.la libids.la libcore.la
tests_fuzz_fuzz_detect_LDFLAGS  = $(FUZZ_LINK)

APP_RUN = tests/support/app_run.c tests/support/app_run.h
UNIT_TESTS += tests/unit/test_app_http
tests_unit_test_app_http_SOURCES  = tests/unit/test_app_http.c $(APP_RUN)
tests_unit_test_app_http_CPPFLAGS = $(IDS_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_app_http_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_app_http_LDADD    = libtestsupport.la libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_app
tests_unit_test_app_SOURCES  = tests/unit/test_app.c tests/unit/tls_bytes.h $(APP_RUN)
tests_unit_test_app_CPPFLAGS = $(IDS_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_app_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_app_LDADD    = libtestsupport.la libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_app_dns
tests_unit_test_app_dns_SOURCES  = tests/unit/test_app_dns.c
tests_unit_test_app_dns_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_app_dns_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_app_dns_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_app_allocs
tests_unit_test_app_allocs_SOURCES  = tests/unit/test_app_allocs.c tests/unit/tls_bytes.h tests/support/allocs.c tests/support/allocs.h
tests_unit_test_app_allocs_CPPFLAGS = $(IDS_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_app_allocs_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_app_allocs_LDFLAGS  = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
tests_unit_test_app_allocs_LDADD    = libtestsupport.la libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_app_body
tests_unit_test_app_body_SOURCES  = tests/unit/test_app_body.c
tests_unit_test_app_body_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_app_body_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_app_body_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_app_opts
tests_unit_test_app_opts_SOURCES  = tests/unit/test_app_opts.c
tests_unit_test_app_opts_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_app_opts_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_app_opts_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_multipart
tests_unit_test_multipart_SOURCES  = tests/unit/test_multipart.c tests/support/exact.h
tests_unit_test_multipart_CPPFLAGS = $(IDS_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_multipart_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_multipart_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_app
tests_fuzz_fuzz_app_SOURCES  = tests/fuzz/fuzz_app.c $(APP_RUN) $(FUZZ_MAIN)
tests_fuzz_fuzz_app_CPPFLAGS = $(IDS_CPPFLAGS) -I$(top_srcdir)/tests
tests_fuzz_fuzz_app_LDADD    = libtestsupport.la libids.la libcore.la
tests_fuzz_fuzz_app_LDFLAGS  = $(FUZZ_LINK)
endif
