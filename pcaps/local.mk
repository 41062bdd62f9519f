# pcaps: captures from readable scripts of packets
noinst_LTLIBRARIES += libmkpcap.la
libmkpcap_la_SOURCES = \
    %D%/bytes.h \
    %D%/capwrite.c %D%/capwrite.h \
    %D%/conv.c %D%/conv.h \
    %D%/items.c %D%/items.h \
    %D%/packet.c %D%/packet.h \
    %D%/script.c %D%/script.h \
    %D%/words.c %D%/words.h \
    %D%/wrap.c %D%/wrap.h

noinst_PROGRAMS += %D%/weir-mkpcap
pcaps_weir_mkpcap_SOURCES = %D%/mkpcap.c
pcaps_weir_mkpcap_LDADD   = libmkpcap.la libcore.la

SCRIPTS_OF_PACKETS = \
    %D%/ambiguity.pkt \
    %D%/assets.pkt \
    %D%/bad_checksum.pkt \
    %D%/bad_packet.pkt \
    %D%/bad_segments.pkt \
    %D%/close_odd.pkt \
    %D%/doubt.pkt \
    %D%/early.pkt \
    %D%/fake_after_ack.pkt \
    %D%/fake_before_ack.pkt \
    %D%/fast_open.pkt \
    %D%/frag.pkt \
    %D%/frag_bad.pkt \
    %D%/frag_overlap.pkt \
    %D%/frag_tunnel.pkt \
    %D%/gap.pkt \
    %D%/gap_never_acked.pkt \
    %D%/gap_one_sided.pkt \
    %D%/handshake.pkt \
    %D%/handshake_bad.pkt \
    %D%/handshake_odd.pkt \
    %D%/held_up.pkt \
    %D%/hosts.pkt \
    %D%/http_attack.pkt \
    %D%/icmp.pkt \
    %D%/ipv6.pkt \
    %D%/keepalive.pkt \
    %D%/keywords.pkt \
    %D%/lengths.pkt \
    %D%/link_raw.pkt \
    %D%/link_sll.pkt \
    %D%/midstream.pkt \
    %D%/out_of_window.pkt \
    %D%/overload.pkt \
    %D%/portscan.pkt \
    %D%/reorder.pkt \
    %D%/reorder_fake.pkt \
    %D%/resumed.pkt \
    %D%/retransmit.pkt \
    %D%/rst_injection.pkt \
    %D%/snaplen.pkt \
    %D%/syns.pkt \
    %D%/timeouts.pkt \
    %D%/timestamps.pkt \
    %D%/tour.pkt \
    %D%/ttl_jump.pkt \
    %D%/tunnel_broken.pkt \
    %D%/tunnel_vni.pkt \
    %D%/tunnels.pkt \
    %D%/tuple_reuse.pkt \
    %D%/udp_dns.pkt \
    %D%/urgent.pkt \
    %D%/vlan.pkt \
    %D%/windows.pkt

CAPTURES = $(SCRIPTS_OF_PACKETS:.pkt=.pcap)

SUFFIXES = .pkt .pcap
.pkt.pcap:
	$(AM_V_GEN)%D%/weir-mkpcap$(EXEEXT) $< $@
$(CAPTURES): %D%/weir-mkpcap$(EXEEXT)

noinst_DATA = $(CAPTURES)
CLEANFILES += $(CAPTURES)
EXTRA_DIST += %D%/README.md %D%/example.rules %D%/flow-events.rules $(SCRIPTS_OF_PACKETS)

UNIT_TESTS += tests/unit/test_mkpcap
tests_unit_test_mkpcap_SOURCES  = tests/unit/test_mkpcap.c
tests_unit_test_mkpcap_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/%D%
tests_unit_test_mkpcap_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_mkpcap_LDADD    = libmkpcap.la libcore.la $(CMOCKA_LIBS)
