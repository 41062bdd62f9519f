# tests that belong to no single room
dist_check_SCRIPTS += %D%/fuzz/check_corpora.sh
EXTRA_DIST += %D%/fuzz/corpus
dist_check_SCRIPTS += %D%/check_events_doc.sh
check_PROGRAMS += %D%/list_events
tests_list_events_SOURCES = %D%/list_events.c
tests_list_events_LDADD = libweir.la
dist_check_SCRIPTS += %D%/verify/check_verify.sh %D%/check_consumer.sh
EXTRA_DIST += %D%/verify
