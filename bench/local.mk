# bench: what things cost. Programs are built by `make bench` only; bench/README.md tells more.
EXTRA_PROGRAMS = %D%/bench_future %D%/bench_flows %D%/bench_log
bench_bench_future_SOURCES = %D%/bench_future.c %D%/stages.c %D%/stages.h
bench_bench_future_LDADD   = libcore.la

bench_bench_flows_SOURCES  = %D%/bench_flows.c
bench_bench_flows_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
bench_bench_flows_LDADD    = libtestsupport.la libcore.la

bench_bench_log_SOURCES = %D%/bench_log.c
bench_bench_log_LDADD   = libcore.la

if HAVE_DPDK
EXTRA_PROGRAMS += %D%/bench_dpdk %D%/bench_bridge
bench_bench_bridge_SOURCES = %D%/bench_bridge.c
bench_bench_bridge_CFLAGS  = $(AM_CFLAGS) $(DPDK_CFLAGS)
bench_bench_bridge_LDADD   = libcore.la $(DPDK_LIBS)
bench_bench_dpdk_SOURCES = %D%/bench_dpdk.c
bench_bench_dpdk_CFLAGS  = $(AM_CFLAGS) $(DPDK_CFLAGS)
bench_bench_dpdk_LDADD   = libcore.la $(DPDK_LIBS)
bench_bench_dpdk_LDFLAGS = $(WHOLE_LDFLAGS)
else
EXTRA_DIST += %D%/bench_dpdk.c %D%/bench_bridge.c
endif

CLEANFILES += $(EXTRA_PROGRAMS)
EXTRA_DIST += %D%/README.md %D%/bridge.py

bench: $(EXTRA_PROGRAMS)
	@for program in $(EXTRA_PROGRAMS); do echo "== $$program"; ./$$program || exit 1; done
.PHONY: bench
