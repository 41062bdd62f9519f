# pcaps: captures from readable scripts of packets
noinst_LTLIBRARIES += libmkpcap.la
libmkpcap_la_SOURCES = \
    %D%/capwrite.c %D%/capwrite.h \
    %D%/conv.c %D%/conv.h \
    %D%/items.c %D%/items.h \
    %D%/packet.c %D%/packet.h \
    %D%/script.c %D%/script.h \
    %D%/words.c %D%/words.h

noinst_PROGRAMS += %D%/weir-mkpcap
pcaps_weir_mkpcap_SOURCES = %D%/mkpcap.c
pcaps_weir_mkpcap_LDADD   = libmkpcap.la libcore.la

SCRIPTS_OF_PACKETS = \
    %D%/handshake.pkt

CAPTURES = $(SCRIPTS_OF_PACKETS:.pkt=.pcap)

SUFFIXES = .pkt .pcap
.pkt.pcap:
	$(AM_V_GEN)%D%/weir-mkpcap$(EXEEXT) $< $@
$(CAPTURES): %D%/weir-mkpcap$(EXEEXT)

noinst_DATA = $(CAPTURES)
CLEANFILES += $(CAPTURES)
EXTRA_DIST += %D%/README.md %D%/example.rules $(SCRIPTS_OF_PACKETS)
