# Fuzz targets. Without --enable-fuzzing each is a loop over its corpus, for check_corpora.sh.
FUZZ_TARGETS += %D%/fuzz_decode %D%/fuzz_capfile %D%/fuzz_engine

tests_fuzz_fuzz_decode_SOURCES = %D%/fuzz_decode.c $(FUZZ_MAIN)
tests_fuzz_fuzz_decode_LDADD   = libcore.la
tests_fuzz_fuzz_decode_LDFLAGS = $(FUZZ_LINK)

tests_fuzz_fuzz_capfile_SOURCES = %D%/fuzz_capfile.c $(FUZZ_MAIN)
tests_fuzz_fuzz_capfile_LDADD   = libcore.la
tests_fuzz_fuzz_capfile_LDFLAGS = $(FUZZ_LINK)

tests_fuzz_fuzz_engine_SOURCES  = %D%/fuzz_engine.c %D%/fuzz_facts.c %D%/fuzz_facts.h $(FUZZ_MAIN)
tests_fuzz_fuzz_engine_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_fuzz_fuzz_engine_LDADD    = libtestsupport.la libcore.la
tests_fuzz_fuzz_engine_LDFLAGS  = $(FUZZ_LINK)
