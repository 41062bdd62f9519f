# bench: what things cost. Programs are built by `make bench` only; bench/README.md tells more.
EXTRA_PROGRAMS = %D%/bench_future
bench_bench_future_SOURCES = %D%/bench_future.c %D%/stages.c %D%/stages.h
bench_bench_future_LDADD   = libcore.la

CLEANFILES += $(EXTRA_PROGRAMS)
EXTRA_DIST += %D%/README.md

bench: $(EXTRA_PROGRAMS)
	@for program in $(EXTRA_PROGRAMS); do echo "== $$program"; ./$$program || exit 1; done
.PHONY: bench
