# apps/ids: rules, detection and the program weir-ids
if HAVE_HS
FLOW_RUN = tests/support/flow_run.c tests/support/flow_run.h
IDS_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/%D% -I$(top_srcdir)/proto $(HS_CFLAGS)
noinst_LTLIBRARIES += libids.la
libids_la_SOURCES = \
    %D%/app/app.c %D%/app/app.h \
    %D%/app/app_dns.c %D%/app/app_http.c %D%/app/app_ssh.c %D%/app/app_tls.c \
    %D%/app/body.c %D%/app/body.h \
    %D%/app/multipart.c %D%/app/multipart.h \
    %D%/app/opts.c %D%/app/parts.h %D%/app/tx.c \
    %D%/detect/detect.c %D%/detect/detect.h \
    %D%/detect/fit.c %D%/detect/fit.h \
    %D%/detect/groups.c %D%/detect/groups.h \
    %D%/detect/holes.c %D%/detect/holes.h \
    %D%/detect/match.c %D%/detect/match.h \
    %D%/detect/number.c %D%/detect/number.h \
    %D%/detect/others.c %D%/detect/others.h \
    %D%/detect/prefilter.c %D%/detect/prefilter.h \
    %D%/out/alert.h %D%/out/eve_alert.c %D%/out/fast.c \
    %D%/rule/buffer.h \
    %D%/rule/bytes.c %D%/rule/bytes.h \
    %D%/rule/classes.c %D%/rule/classes.h \
    %D%/rule/content.c %D%/rule/content.h \
    %D%/rule/header.c %D%/rule/header.h \
    %D%/rule/lexer.c %D%/rule/lexer.h \
    %D%/rule/options.c %D%/rule/options.h \
    %D%/rule/pcre.c %D%/rule/pcre.h \
    %D%/rule/ranges.c %D%/rule/ranges.h \
    %D%/rule/regex.h \
    %D%/rule/rule.h \
    %D%/rule/rules.c %D%/rule/rules.h \
    %D%/rule/vars.c %D%/rule/vars.h \
    %D%/settings.c %D%/settings.h
if HAVE_PCRE2
libids_la_SOURCES += %D%/rule/regex.c
else
libids_la_SOURCES += %D%/rule/regex_none.c
endif
libids_la_CPPFLAGS = $(IDS_CPPFLAGS) $(PCRE2_CFLAGS)
libids_la_LIBADD   = libproto.la libcore.la $(HS_LIBS) $(PCRE2_LIBS)

bin_PROGRAMS += weir-ids
weir_ids_SOURCES  = %D%/main.c
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

UNIT_TESTS += tests/unit/test_ranges
tests_unit_test_ranges_SOURCES  = tests/unit/test_ranges.c
tests_unit_test_ranges_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_ranges_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_ranges_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

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

UNIT_TESTS += tests/unit/test_others
tests_unit_test_others_SOURCES  = tests/unit/test_others.c
tests_unit_test_others_CPPFLAGS = $(IDS_CPPFLAGS)
tests_unit_test_others_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_others_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_detect
tests_unit_test_detect_SOURCES  = tests/unit/test_detect.c
tests_unit_test_detect_CPPFLAGS = $(IDS_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_detect_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_detect_LDADD    = libtestsupport.la libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_detect_allocs
tests_unit_test_detect_allocs_SOURCES  = tests/unit/test_detect_allocs.c tests/support/allocs.c tests/support/allocs.h
tests_unit_test_detect_allocs_CPPFLAGS = $(IDS_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_detect_allocs_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_detect_allocs_LDFLAGS  = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
tests_unit_test_detect_allocs_LDADD    = libtestsupport.la libids.la libcore.la $(CMOCKA_LIBS)

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
tests_unit_test_settings_LDADD    = libids.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_eve_alert
tests_unit_test_eve_alert_SOURCES  = tests/unit/test_eve_alert.c
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
