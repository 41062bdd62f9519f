# apps/prads: hosts, their systems and services, and the program weir-prads
if HAVE_PRADS
PRADS_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/%D% $(HS_CFLAGS) $(PCRE2_CFLAGS)
noinst_LTLIBRARIES += libprads.la
libprads_la_SOURCES = \
    %D%/asset.c %D%/asset.h \
    %D%/asset_log.c %D%/asset_log.h \
    %D%/compat.c %D%/compat.h \
    %D%/compat_dns.c %D%/compat_dns.h \
    %D%/compat_live.c %D%/compat_live.h \
    %D%/compat_options.c %D%/compat_options.h \
    %D%/compat_packet.c \
    %D%/compat_stats.c %D%/compat_stats.h \
    %D%/conn.c %D%/conn.h \
    %D%/conn_log.c %D%/conn_log.h \
    %D%/dhcp.c %D%/dhcp.h \
    %D%/fingerprint.c %D%/fingerprint.h \
    %D%/homenet.c %D%/homenet.h \
    %D%/literal.c %D%/literal.h \
    %D%/mac.c %D%/mac.h \
    %D%/regex.c %D%/regex.h \
    %D%/service.c %D%/service.h \
    %D%/sigfile.c %D%/sigfile.h \
    %D%/signature_fp.c %D%/signature_fp.h \
    %D%/table.c %D%/table.h
libprads_la_CPPFLAGS = $(PRADS_CPPFLAGS)
libprads_la_LIBADD   = libprog.la libcore.la $(HS_LIBS) $(PCRE2_LIBS)

bin_PROGRAMS += weir-prads
weir_prads_SOURCES  = %D%/main.c
weir_prads_CPPFLAGS = $(PRADS_CPPFLAGS)
weir_prads_LDFLAGS  = $(WHOLE_LDFLAGS)
weir_prads_LDADD    = libprads.la libprog.la libcore.la
endif
