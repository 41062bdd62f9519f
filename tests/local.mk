# tests that belong to no single room
dist_check_SCRIPTS += %D%/fuzz/check_corpora.sh
EXTRA_DIST += %D%/fuzz/corpus
