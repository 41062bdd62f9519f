#!/usr/bin/env python3
"""Write the first seeds of the fuzz corpora: seeds.py FOLDER"""
import os, struct, sys
top = sys.argv[1]
def put(target, name, data):
    os.makedirs(os.path.join(top, target), exist_ok=True)
    with open(os.path.join(top, target, name), "wb") as f:
        f.write(data)

# --- decode
LINK = {"eth": 0, "null": 1, "loop": 2, "raw": 4, "sll": 5, "sll2": 6, "ip4": 7, "ip6": 8, "other": 9, "ppp": 10, "hdlc": 11,
        "pppoe": 12, "cisco": 13, "wifi": 14, "radiotap": 15}
def ip4(proto, body, opts=b"", frag=0, total=None):
    n = 20 + len(opts)
    return struct.pack(">BBHHHBBH4s4s", 0x40 | n // 4, 0, (n + len(body)) if total is None else total, 1, frag, 64, proto, 0,
                       bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])) + opts + body
def ip6(nxt, body, length=None):
    return struct.pack(">IHBB", 6 << 28, len(body) if length is None else length, nxt, 64) + bytes(15) + b"\1" + bytes(15) + b"\2" + body
def tcp(opts=b"", data=b"GET /"):
    return struct.pack(">HHIIBBHHH", 1000, 80, 1, 2, (20 + len(opts)) // 4 << 4, 0x18, 512, 0, 0) + opts + data
def udp(data=b"hello", n=None):
    return struct.pack(">HHHH", 1000, 53, 8 + len(data) if n is None else n, 0) + data
icmp = bytes([8, 0, 0, 0, 0, 7, 0, 1]) + b"ping"
icmp6 = bytes([128, 0, 0, 0, 0, 7, 0, 1]) + b"ping"
def eth(t, body):
    return bytes(12) + struct.pack(">H", t) + body
def dec(name, link, frame, cut=0, again=255):
    put("decode", name, bytes([LINK[link], cut, again]) + frame)
T4, T6 = ip4(6, tcp()), ip6(6, tcp())
dec("eth_ip4_tcp", "eth", eth(0x800, T4))
dec("eth_ip6_tcp", "eth", eth(0x86dd, T6), 0, 60)
dec("eth_ip4_udp", "eth", eth(0x800, ip4(17, udp())), 0, 40)
dec("eth_ip4_icmp", "eth", eth(0x800, ip4(1, icmp)), 0, 36)
dec("eth_ip6_icmp6", "eth", eth(0x86dd, ip6(58, icmp6)), 3, 56)
dec("eth_vlan", "eth", eth(0x8100, struct.pack(">HH", 5, 0x800) + T4), 0, 16)
dec("eth_qinq", "eth", eth(0x88a8, struct.pack(">HHHH", 5, 0x8100, 0xfffe, 0x86dd) + T6))
dec("eth_18_vlans", "eth", eth(0x8100, struct.pack(">HH", 5, 0x8100) * 18 + T4))
dec("eth_padding", "eth", eth(0x800, ip4(17, udp(b""))) + bytes(18))
dec("snap", "eth", eth(60, b"\xaa\xaa\3\0\0\0\x08\0" + T4), 0, 20)
dec("llc", "eth", eth(40, b"\x42\x42\3" + bytes(40)))
dec("arp", "eth", eth(0x806, bytes(28)))
dec("ip4_options", "raw", ip4(6, tcp(), b"\7\4\4\0" + b"\1\1\1\0"), 0, 22)
dec("ip4_fragment", "raw", ip4(17, udp(), frag=0x2001))
dec("ip4_total_0", "raw", ip4(6, tcp(), total=0))
dec("ip4_total_short", "raw", ip4(6, tcp(), total=19))
dec("ip4_total_long", "raw", ip4(6, tcp(), total=99))
dec("ip4_total_cut", "raw", ip4(6, tcp(), total=99), 54)
dec("tcp_options", "ip4", ip4(6, tcp(b"\2\4\5\xb4\1\3\3\7\4\2\1\1")), 0, 44)
dec("tcp_40_options", "ip4", ip4(6, tcp(b"\1" * 40)), 0, 70)
dec("tcp_header_long", "ip4", ip4(6, tcp(b"", b"")[:12] + b"\xf0" + bytes(7)))
dec("udp_long", "ip4", ip4(17, udp(n=99)))
dec("udp_short", "ip4", ip4(17, udp(n=7)))
dec("ip6_extensions", "ip6", ip6(0, bytes([43, 0] + [0] * 6) + bytes([60, 1] + [0] * 14) + bytes([6, 0] + [0] * 6) + tcp()), 0, 50)
dec("ip6_ah", "ip6", ip6(51, bytes([17, 4]) + bytes(22) + udp()), 0, 60)
dec("ip6_fragment", "ip6", ip6(44, bytes([6, 0, 0, 9, 0, 0, 0, 1]) + tcp()))
dec("ip6_atomic_fragment", "ip6", ip6(44, bytes([6, 0, 0, 0, 0, 0, 0, 1]) + tcp()))
dec("ip6_20_headers", "ip6", ip6(60, bytes([60, 0] + [0] * 6) * 20 + tcp()))
dec("ip6_jumbo", "ip6", ip6(6, tcp(), 0))
dec("null_ip4", "null", b"\2\0\0\0" + T4)
dec("null_ip6_big", "null", b"\0\0\0\x1e" + T6)
dec("loop_ip6", "loop", b"\0\0\0\x1c" + T6, 0, 3)
dec("sll", "sll", bytes(14) + b"\x08\0" + T4, 0, 15)
dec("sll2", "sll2", b"\x86\xdd" + bytes(18) + T6)
dec("other", "other", T4)
dec("empty", "raw", b"")
dec("sctp", "raw", ip4(132, bytes(12)))
def hx(text):
    return bytes.fromhex(text)
def port(n, data):
    return ip4(17, struct.pack(">HHHH", 50000, n, 8 + len(data), 0) + data)
E4, E6, TAGGED = eth(0x800, T4), eth(0x86dd, T6), eth(0x8100, hx("001e0800") + T4)
dec("ppp", "ppp", hx("ff030021") + T4, 0, 3)
dec("ppp_compressed", "ppp", hx("57") + T6)
dec("ppp_mpls", "hdlc", hx("ff03028100000101") + T4)
dec("hdlc", "cisco", hx("0f000800") + T4)
dec("pppoe", "pppoe", hx("11001234") + struct.pack(">H", len(T4) + 2) + hx("0021") + T4, 0, 7)
dec("eth_pppoe", "eth", eth(0x8864, hx("11001234") + struct.pack(">H", len(T6) + 2) + hx("0057") + T6))
dec("mpls", "eth", eth(0x8847, hx("0006404000064140") + T4), 0, 21)
dec("mpls_20", "eth", eth(0x8847, hx("00064040") * 20 + T4))
dec("mpls_frame", "eth", eth(0x8847, hx("00064140") + TAGGED), 0, 33)
dec("mpls_control", "eth", eth(0x8848, hx("0006414000000001") + E6), 0, 30)
dec("ip4_ip4", "raw", ip4(4, T4), 0, 41)
dec("ip4_ip6", "raw", ip4(41, T6))
dec("ip6_ip4_ip6", "ip6", ip6(4, ip4(41, T6)), 0, 90)
dec("ip4_16", "raw", __import__("functools").reduce(lambda inside, _: ip4(4, inside), range(16), T4))
dec("ip4_bad_inside", "raw", ip4(4, T4[:-1]))
dec("ip4_fragment_inside", "raw", ip4(4, ip4(17, udp(), frag=0x2001)))
dec("gre", "raw", ip4(47, hx("00000800") + T4), 0, 22)
dec("gre_all", "ip6", ip6(47, hx("b00086ddabcd0000010203040000000a") + T6), 0, 50)
dec("gre_frame", "raw", ip4(47, hx("2000655800138807") + TAGGED))
dec("gre_routing", "raw", ip4(47, hx("40000800") + T4))
dec("gre_pptp", "raw", ip4(47, hx("3081880b") + struct.pack(">H", len(T4) + 4) + hx("00090000000100000001ff030021") + T4), 0, 44)
dec("gre_mpls", "raw", ip4(47, hx("0000884700064140") + T4))
dec("erspan1", "raw", ip4(47, hx("000088be") + E4))
dec("erspan2", "raw", ip4(47, hx("100088be000000011005000900000007") + E4), 0, 30)
dec("erspan3", "raw", ip4(47, hx("100022eb00000001200500090102030400000001") + bytes(8) + E6))
dec("erspan3_ip", "raw", ip4(47, hx("100022eb00000001200500090102030400000800") + T4))
dec("erspan2_vlan", "raw", ip4(47, hx("100088be000000011017106400000007") + TAGGED), 0, 60)
NSH1, NSH2 = hx("0006010100000102") + bytes(16), hx("0f c4 02 02 000001020001 0004") + b"meta"
dec("nsh1", "eth", eth(0x894f, NSH1 + T4), 0, 37)
dec("nsh2", "eth", eth(0x894f, NSH2 + T6), 0, 29)
dec("nsh_gre_eth", "raw", ip4(47, hx("0000894f") + hx("0002020300000102") + E4))
dec("vxlan_gpe", "raw", port(4790, hx("0c00000400138800") + NSH1 + T4), 0, 40)
dec("eth_4_vlans", "eth", eth(0x88a8, hx("0001810000028100000381000004 0800") + T4))
dec("pppoe_ppp_gtpu", "eth", eth(0x8864, hx("11000001") + struct.pack(">H", len(port(2152, hx("30ff") + struct.pack(">H", len(T4)) + hx("01020304") + T4)) + 2) + hx("0021") + port(2152, hx("30ff") + struct.pack(">H", len(T4)) + hx("01020304") + T4)))
dec("vxlan", "raw", port(4789, hx("0800000000138800") + E4), 0, 33)
dec("vxlan_arp", "raw", port(4789, hx("0800000000138800") + eth(0x806, bytes(28))))
dec("vxlan_bad_inside", "eth", eth(0x8100, hx("00050800") + port(4789, hx("0800000000138800") + eth(0x800, T4[:-1]))))
dec("vxlan_vxlan", "raw", port(4789, hx("0800000000138800") + eth(0x800, port(4789, hx("0800000000000100") + TAGGED))), 0, 95)
dec("geneve", "raw", port(6081, hx("0140655800002a0001020301") + E4), 0, 40)
dec("geneve_ip", "raw", port(6081, hx("000086dd00002a00") + T6))
dec("gtpu", "raw", port(2152, hx("30ff") + struct.pack(">H", len(T4)) + hx("01020304") + T4), 0, 37)
dec("gtpu_extensions", "raw", port(2152, hx("34ff") + struct.pack(">H", len(T6) + 16) + hx("0102030400000085011009c00200000000000000") + T6))
dec("gtpu_echo", "raw", port(2152, hx("32010004000000000001000e")))
TEREDO = T6[:8] + hx("20010000") + T6[12:]
dec("teredo", "raw", port(3544, TEREDO), 0, 66)
dec("teredo_headers", "raw", port(3544, hx("00010201696461010203040506070800") + hx("0000112201020304") + TEREDO), 0, 50)
dec("teredo_not", "raw", port(3544, T6))
SNAP4 = hx("aaaa030000000800") + T4
WIFI = hx("8801 0000") + bytes(18) + hx("1000 0700")
dec("wifi", "wifi", hx("0801 0000") + bytes(18) + hx("1000") + SNAP4, 0, 27)
dec("wifi_qos", "wifi", WIFI + SNAP4)
dec("wifi_four", "wifi", hx("8803 0000") + bytes(26) + hx("0000") + SNAP4)
dec("wifi_beacon", "wifi", hx("8000") + bytes(40))
dec("radiotap", "radiotap", hx("0000 0900 0200 0000 20") + WIFI + bytes(2) + SNAP4, 0, 36)
dec("radiotap_masks", "radiotap", hx("0000 1900 03000080 00000000") + bytes(12) + hx("20") + WIFI + bytes(2) + SNAP4)

# --- anomaly
def odd(name, link, frame, cut=0):
    put("anomaly", name, bytes([link, cut]) + frame)
odd("ip4_options", 1, ip4(17, udp(), b"\7\7\4" + bytes(4) + b"\x44\5\5\0\0\x1e\2\0\0"))
odd("ip4_protocol", 1, ip4(253, b"x"))
odd("icmp_quote", 0, eth(0x800, ip4(1, bytes([3, 3] + [0] * 6) + ip4(17, udp()))))
odd("ip6_extensions", 2, ip6(0, bytes([60, 0, 5, 2, 0, 0, 1, 0, 43, 0, 7, 4, 0, 0, 0, 0, 51, 0] + [0] * 6 + [44, 1] + [0] * 10 + [6, 0, 0, 0, 0, 0, 0, 1]) + tcp(b"\2\4\5\xb4\4\2\4\2")))
odd("ip6_two_fragments", 2, ip6(44, bytes([44, 0, 0, 0, 0, 0, 0, 1, 6, 1, 0, 0, 0, 0, 0, 1]) + tcp()))
odd("ip6_none", 2, ip6(59, b"xx"))
odd("icmp6_mld", 2, ip6(58, bytes([143] + [0] * 7)))
odd("ethernet_cut", 0, bytes(13))
odd("arp", 0, eth(0x806, bytes([0, 2, 8, 0, 6, 4, 0, 9]) + bytes(20)))
odd("tags", 0, eth(0x8100, bytes([0, 1, 0x81, 0]) * 4))
odd("mpls", 0, eth(0x8847, bytes([0, 0, 0x10, 0, 0, 0, 0x31, 0]) + ip4(17, udp())))
odd("gre", 1, ip4(47, bytes([0xcf, 0x79, 8, 0])))
odd("gre_short", 1, ip4(47, bytes(3)))

# --- capfile
def pcap(magic=0xa1b2c3d4, order="<", link=1, version=(2, 4), records=((5, 60), (3, 3)), extra=0):
    out = struct.pack(order + "IHHiIII", magic, *version, 0, 0, 65535, link)
    for i, (cap, wire) in enumerate(records):
        out += struct.pack(order + "IIII", 1000 + i, 250, cap, wire) + bytes(extra) + bytes(range(cap))
    return out
put("capfile", "micro", pcap())
put("capfile", "micro_big", pcap(order=">"))
put("capfile", "nano", pcap(0xa1b23c4d))
put("capfile", "nano_big", pcap(0xa1b23c4d, ">"))
put("capfile", "modified", pcap(0xa1b2cd34, extra=8))
put("capfile", "modified_big", pcap(0xa1b2cd34, ">", extra=8))
put("capfile", "cut_record", pcap()[:-2])
put("capfile", "cut_header", pcap()[:-9])
put("capfile", "cut_file", pcap()[:20])
put("capfile", "version_2_3", pcap(version=(2, 3)))
put("capfile", "no_record", pcap(records=()))
put("capfile", "zero_record", pcap(records=((0, 0),)) + bytes(16))
put("capfile", "wire_below", pcap(records=((5, 0),)))
put("capfile", "corrupt", pcap() + struct.pack("<IIII", 1, 1, 0x7fffffff, 1) + bytes(40))
put("capfile", "ten", pcap(records=tuple((i, i) for i in range(10))))
def block(t, body, order="<", again=None):
    body += bytes(-len(body) % 4)
    n = len(body) + 12
    return struct.pack(order + "II", t, n) + body + struct.pack(order + "I", n if again is None else again)
def shb(order="<", version=1):
    return block(0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, version, 0, -1), order)
def opt(code, value, order="<"):
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)
def idb(order="<", link=1, snap=0, options=b""):
    return block(1, struct.pack(order + "HHI", link, 0, snap) + options, order)
def epb(order="<", interface=0, cap=5, wire=60, ts=(0, 1000)):
    return block(6, struct.pack(order + "IIIII", interface, *ts, cap, wire) + bytes(range(cap)), order)
def spb(order="<", wire=5):
    return block(3, struct.pack(order + "I", wire) + bytes(range(wire)), order)
put("capfile", "ng", shb() + idb() + epb() + epb(cap=3))
put("capfile", "ng_big", shb(">") + idb(">") + epb(">") + epb(">", cap=3))
put("capfile", "ng_simple", shb() + idb(snap=64) + spb() + spb(wire=9))
put("capfile", "ng_simple_first", shb() + spb() + idb())
put("capfile", "ng_old", shb() + idb() + block(2, struct.pack("<HHIIII", 0, 0, 0, 7, 4, 4) + b"abcd"))
put("capfile", "ng_two", shb() + idb() + idb(link=101) + epb(interface=1) + shb(">") + idb(">", 228) + epb(">"))
put("capfile", "ng_resolution", shb() + idb(options=opt(9, b"\x09") + opt(14, b"\1" + bytes(7)) + opt(0, b"")) + epb())
put("capfile", "ng_binary", shb() + idb(options=opt(9, b"\x8a") + opt(0, b"")) + epb(ts=(1, 2)))
put("capfile", "ng_fine", shb() + idb(options=opt(9, b"\x0c")) + epb(ts=(9, 9)))
put("capfile", "ng_bad_resolution", shb() + idb(options=opt(9, b"\x7f")) + epb())
put("capfile", "ng_option_long", shb() + idb(options=struct.pack("<HH", 2, 99)) + epb())
put("capfile", "ng_other_blocks", shb() + block(5, bytes(12)) + idb() + block(4, bytes(8)) + epb() + block(10, b"key"))
put("capfile", "ng_cut", (shb() + idb() + epb())[:-5])
put("capfile", "ng_length", shb() + idb() + block(6, bytes(24), again=99))
put("capfile", "ng_no_interface", shb() + epb())
put("capfile", "ng_interface_9", shb() + idb() + epb(interface=9))
put("capfile", "ng_long_packet", shb() + idb() + block(6, struct.pack("<IIIII", 0, 0, 0, 64, 64)))
put("capfile", "ng_version", shb(version=2) + idb() + epb())
put("capfile", "ng_20_interfaces", shb() + idb() * 20 + epb(interface=19))
put("capfile", "gzip", b"\x1f\x8b\x08" + bytes(30))
put("capfile", "empty", b"")

# --- engine
def step(kind, conn=0, d=0, a=0, b=0, c=0):
    return bytes([kind << 3 | d << 2 | conn, a & 255, b & 255, c & 255])
hello = step(18, a=8)
def eng(name, *steps, options=1):
    put("engine", name, bytes([options]) + b"".join(steps))
data = lambda n=9, d=0, conn=0: step(0, conn, d, n)
at = lambda off, n, other=0, d=0, conn=0: step(4, conn, d, off, n - 1, 3 + 4 * (other - 1) if other else 0)
ack = lambda off=0, win=255, d=1, conn=0: step(8, conn, d, off, win)
fin = lambda d=0, conn=0: step(9, conn, d, 0, 0)
wait = lambda ds=0, tens=0: step(16, 0, 0, ds, tens)
wake = lambda n=1: step(17, 0, 0, n)
eng("handshake", hello, data(), ack(), data(20, 1), ack(0, 255, 0), fin(), fin(1), ack(1), ack(1, 255, 0), wait(0, 7))
eng("checksums", hello, data(), ack(), step(15), data(5, 1), options=0)
eng("stable", hello, data(), at(-5, 9), at(-5, 5, 1), ack(), fin(), options=3)
eng("overlap", hello, at(10, 10), at(5, 10, 1), at(12, 20, 2), at(0, 5), ack(9), at(0, 40), ack(40))
for policy, name in enumerate(("linux", "first", "last", "bsd", "old_linux", "windows", "windows2k3", "vista", "solaris")):
    eng("overlap_" + name, hello, at(10, 20), at(14, 4, 1), at(25, 12, 2), at(4, 9, 3), at(10, 20, 4), at(2, 40, 5),
        at(16, 3), ack(18), at(40, 9, 6), ack(30), at(0, 3), ack(60), options=1 | policy << 4)
eng("hole_acked", hello, at(20, 10), ack(30), wait(20), data(), wait(20))
eng("hole_never_acked", hello, at(20, 10), ack(0), at(60, 4))
eng("one_sided", data(), at(20, 30), data(), step(7, 0, 0, 9, 40))
eng("midstream", data(9, 1), data(9, 0), ack(), data(9, 1), fin(1))
eng("syn_data", step(11, 0, 0, 0, 9), step(12, 0, 1, 9, 0), ack(0, 255, 0), data())
eng("syn_data_refused", step(11, 0, 0, 0, 9), step(12, 0, 1, 0, 0), ack(0, 255, 0), data())
eng("reset", hello, data(), step(10, 0, 0, 0, 1), data(), at(5, 4), ack(30))
eng("reset_refused", hello, data(), step(10, 0, 0, 1, 1), data(), ack())
eng("reset_server", hello, data(), step(10, 0, 1, 0, 0), data(9, 1), wait(0, 7))
eng("reuse", hello, data(), fin(), fin(1), step(18, 0, 0, 0, 3), data(), ack())
eng("reuse_live", hello, data(), step(18, 0, 0, 0, 9), data(7), ack())
eng("keepalive", hello, data(), ack(), step(13, 0, 0, 0, 1), step(13), ack())
eng("window", hello, ack(0, 0), data(), ack(0, 1), step(7, 0, 0, 3, 9), ack(0, 255), at(-20, 40))
eng("fin_early", hello, step(9, 0, 0, 20, 3), data(20), ack(24), fin(1))
eng("fin_overrun", hello, step(9, 0, 0, 10, 0), at(0, 40), ack(11))
eng("udp", step(0, 3, 0, 9, 65), step(0, 3, 1, 20, 66), wait(0, 40), step(0, 3, 0, 0))
eng("three", hello, step(18, 1), step(18, 2), data(), data(9, 1, 1), at(9, 9, 0, 0, 2), ack(0, 255, 1, 1), data(9, 0, 2), fin(0, 1))
eng("sleepers", hello, data(), data(), data(), wake(2), data(), at(-4, 9, 1), wake(9), fin(), wake(1))
eng("sleep_past_end", hello, data(), data(), fin(), fin(1), wait(0, 7), step(0, 3), wake(200), data())
eng("broken", hello, step(22, 0, 0, 40), step(22, 0, 0, 9), step(26, 0, 0, 47, 255), step(26, 0, 0, 20, 9))
eng("flags", hello, *[step(14, 0, 0, 0, f, 5) for f in (0, 1, 3, 0x29, 0x14, 0x12, 0xff)])
eng("long", hello, step(3, 0, 0, 255), step(3, 0, 0, 200), at(-120, 60), at(-100, 60, 1), ack(), step(3, 0, 1, 90))
eng("timeout", hello, data(), wait(0, 61), data(), wait(0, 255))
frag = lambda at, units, d=0, ident=0, c=0, b=None: step(28, ident, d, at, units - 1 if b is None else b, c)
eng("fragments", frag(0, 3), frag(3, 5), frag(5, 3, 1), frag(0, 3, 1), frag(3, 2, 1), options=0)
eng("fragments_twice", frag(4, 4), frag(4, 4), frag(0, 4), frag(0, 4), wait(0, 4), frag(1, 1, 1), wait(0, 7))
eng("fragments_overlap", frag(0, 2), frag(2, 2), frag(1, 2, c=3), frag(3, 2), frag(4, 4), frag(0, 4, 1), frag(0, 4, 1, c=3), frag(2, 6, 1), frag(4, 4, 1))
eng("fragments_odd", frag(0, 2), frag(2, 0, b=198), frag(2, 0, b=203), frag(8, 1), frag(0, 8, c=7), frag(0, 4, 1, c=15), frag(4, 4, 1, c=7), frag(0, 0, 1, b=200))
eng("fragments_cut", frag(0, 4, c=241), frag(4, 4), frag(4, 4, 1, c=241), frag(0, 4, 1), options=3)
eng("fragments_sleep", frag(0, 4), step(0, 3, 0, 9), frag(2, 4), wake(9), frag(4, 4, c=8), frag(0, 4), frag(4, 4), wait(0, 31), wake(5), frag(0, 1), wake(1))
eng("before_start", data(), at(-30, 20), at(-12, 20), ack(0))

# --- dns: bytes a piece (0: one message), hole's place and length, the bytes
def dname(s): return b"".join(bytes([len(l)]) + l.encode() for l in s.split(".") if l) + b"\0"
def dmsg(flags, qd=(), an=(), ns=(), ar=()):
    return struct.pack(">HHHHHH", 7, flags, len(qd), len(an), len(ns), len(ar)) + b"".join((*qd, *an, *ns, *ar))
def dq(name, t=1, c=1): return dname(name) + struct.pack(">HH", t, c)
def drr(name, t, data, c=1, ttl=60): return (name if isinstance(name, bytes) else dname(name)) + struct.pack(">HHIH", t, c, ttl, len(data)) + data
back = b"\xc0\x0c"
dnsq = dmsg(0x100, [dq("www.example.org")])
dnsr = dmsg(0x8580, [dq("www.example.org")], [drr(back, 5, b"\1x\xc0\x10"), drr("x.y", 1, bytes(4)), drr(back, 28, bytes(16))],
            [drr(back, 6, dname("ns") + dname("h") + bytes(20)), drr(back, 2, b"\2ns" + back)],
            [drr("", 41, b"", 4096), drr(back, 15, b"\0\1\2mx" + back), drr(back, 16, b"\3abc\2de"), drr(back, 33, bytes(6) + b"\1s\0"), drr(back, 12, back)])
for name, m in (("query", dnsq), ("response", dnsr), ("loop", dmsg(0x100, [b"\1a\xc0\x0c\0\1\0\1"])), ("cut", dnsr[:60]),
                ("counts", struct.pack(">HHHHHH", 1, 0x8000, 65535, 65535, 65535, 65535) + bytes(40)),
                ("long_name", dmsg(0x100, [dq(".".join(["a" * 63] * 4))])), ("mdns", dmsg(0x8400, [], [drr("_http._tcp.local", 33, bytes(6) + b"\1h\xc0\x17", 0x8001)]))):
    put("dns", name, bytes(3) + m)
dtcp = lambda *ms: b"".join(struct.pack(">H", len(m)) + m for m in ms)
put("dns", "tcp", bytes([5, 255, 0]) + dtcp(dnsq, dnsr, dnsq))
put("dns", "tcp_hole", bytes([7, 50, 20]) + dtcp(dnsq, dnsr, dnsq))
put("dns", "tcp_bytes", bytes([1, 0, 0]) + dtcp(dnsq, b"", dnsr))

# --- tls: bytes a piece (0: a certificate), the client's bytes / 8, a hole in the server's and its length, the bytes
def vec(n, b): return len(b).to_bytes(n, "big") + b
def text_of(name):
    """The bytes of an array in tests/unit/tls_bytes.h."""
    source = open(os.path.join(os.path.dirname(__file__), "../unit/tls_bytes.h")).read()
    return bytes(int(x, 16) for x in source.split(" %s[" % name)[1].split("{")[1].split("}")[0].replace(",", " ").split())
rec = lambda t, b, v=3: bytes([t, 3, v]) + vec(2, b)
hs = lambda t, b: rec(22, bytes([t]) + vec(3, b))
hello1, hello2, hello3, retry, cert = map(text_of, ("client_hello", "server_hello_12", "server_hello_13", "server_hello_retry", "certificate"))
def tls(name, client, server, piece=40, hole=0, length=0):
    client += rec(21, bytes(-(len(client) + 5) % 8))
    put("tls", name, bytes([piece, len(client) // 8, hole, length]) + client + server)
certs = hs(11, vec(3, vec(3, cert)))
tls("v12", hs(1, hello1) + hs(16, b"key") + rec(20, b"\1") + rec(22, b"finished"), hs(2, hello2) + certs + hs(14, b""))
tls("v12_one_record", hs(1, hello1), rec(22, b"\2" + vec(3, hello2) + b"\x0b" + vec(3, vec(3, vec(3, cert))) + b"\x0e\0\0\0"), 7)
tls("v12_hole", hs(1, hello1), hs(2, hello2) + certs + hs(14, b""), 9, 100, 50)
tls("v13", hs(1, hello1), hs(2, hello3) + rec(20, b"\1") + rec(23, b"data"), 1)
tls("retry", hs(1, hello1), hs(2, retry) + rec(20, b"\1") + hs(2, hello3), 200)
tls("v2", b"\x80\x13\1\3\1\0\6\0\0\0\4\0\0\5\1\0\x80abcd", b"", 3)
tls("no_tls", b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n")
put("tls", "certificate", bytes(4) + cert)

# --- ssh: bytes a piece (0: one KEXINIT), a hole's place / 4 and length, the bytes
kex = b"\x14" + bytes(16) + b"".join(vec(4, l) for l in (b"curve25519-sha256,ext-info-c", b"ssh-ed25519", b"aes128-ctr", b"aes256-ctr",
                                                         b"hmac-sha2-256", b"hmac-sha1", b"none,zlib", b"none", b"", b"")) + bytes(5)
sshp = lambda payload, pad=6: vec(4, bytes([pad]) + payload + bytes(pad))
put("ssh", "kexinit", bytes(3) + kex)
put("ssh", "server", bytes([5, 0, 0]) + b"hi\r\n\nSSH-2.0-OpenSSH_9.2p1 Debian-2\r\n" + sshp(b"\2x") + sshp(kex) + sshp(b"\x1e"))
put("ssh", "hole", bytes([200, 12, 7]) + b"SSH-2.0-a\n" + bytes(2) + sshp(b"\2" + bytes(50)) + sshp(kex))
put("ssh", "hole_in_packet", bytes([3, 7, 9]) + b"SSH-1.99-abcdef c\n" + sshp(b"\2" + bytes(50)) + sshp(kex))
put("ssh", "v1", bytes([1, 0, 0]) + b"SSH-1.5-1.2.27\n\0\0\0\1")
put("ssh", "bad", bytes([9, 0, 0]) + b"SSH-2.0-x\r\n\0\0\0\x02\x09\x14")
put("ssh", "long", bytes([255, 0, 0]) + b"x" * 1100 + b"\n")

# --- dhcp
bootp = bytes([1, 1, 6, 0]) + b"xid!" + bytes(20) + b"\2\0\0\0\0\7" + bytes(202)
opt = lambda c, b: bytes([c]) + vec(1, b)
put("dhcp", "request", bootp + b"\x63\x82\x53\x63" + opt(53, b"\3") + opt(12, b"host") + b"\0" + opt(50, bytes(4)) + opt(55, b"\1\3\6") + opt(60, b"MSFT")
    + opt(81, b"\4\0\0\4host\0") + opt(61, b"\1mac") + opt(54, bytes(4)) + opt(52, b"\1") + b"\xff\0\0")
put("dhcp", "many", bootp + b"\x63\x82\x53\x63" + opt(128, b"") * 70 + opt(53, b"\1"))
put("dhcp", "cut", bootp + b"\x63\x82\x53\x63" + b"\x37\xff\1\3")
put("dhcp", "bootp", bootp)
opt6 = lambda c, b: struct.pack(">H", c) + vec(2, b)
sol = b"\1xid" + opt6(1, b"\0\1\0\1time\2\0\0\0\0\7") + opt6(6, bytes(4)) + opt6(16, b"\0\0\1\x37" + vec(2, b"MSFT 5.0")) + opt6(39, b"\1\4host\1x\0")
put("dhcp", "solicit", sol)
put("dhcp", "relay", b"\x0c" + bytes(33) + opt6(9, b"\x0c" + bytes(33) + opt6(9, sol)))

# --- detect_proto: port, bytes a piece (0: a datagram), the client's bytes, a gap, the bytes
def det(name, port, client, server=b"", piece=200, gap=0):
    put("detect_proto", name, struct.pack(">HBBB", port, piece, len(client), gap) + client + server)
det("http", 80, b"GET / HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n", 3)
det("http_gap", 80, b"", b"HTTP/1.1 200 OK\r\n", 3, 1)
det("http_swapped", 4000, b"HTTP/1.1 200 OK\r\n", b"GET / HTTP/1.1\r\n", 3, 2)
det("smtp", 2500, b"", b"220 mx.example.org\r\n", 4)
det("ftp", 2100, b"USER me\r\n", b"220 hello\r\n", 4)
det("tls", 443, hello1[:0] + rec(22, b"\1\0\0\5hello"), hs(2, hello2))
det("ssh", 22, b"SSH-2.0-x\r\n", b"SSH-2.0-y\r\n")
det("smb", 445, b"\0\0\0\x85\xfeSMB@", b"", 1)
det("dns_tcp", 5300, dtcp(dnsq), b"", 7)
det("sip", 5060, b"INVITE sip:a SIP/2.0\r\n", b"SIP/2.0 200 OK\r\n", 2)
for name, port, m in (("dns", 53, dnsq), ("dns_odd_port", 999, dnsr), ("dhcp", 67, bootp + b"\x63\x82\x53\x63\x35\1\1"), ("dhcpv6", 547, sol),
                      ("ntp", 123, b"\x23" + bytes(47)), ("quic", 443, b"\xc3\0\0\0\1" + bytes(1195))):
    det("udp_" + name, port, b"", m, 0)

# --- http: bytes a piece - 1, the client's bytes / 8, a hole / 4 and its length in both directions, the bytes
def htt(name, client, server, piece=99, hole=0, length=0):
    client += b"\n" * (-len(client) % 8)
    put("http", name, bytes([piece, len(client) // 8, hole, length]) + client + server)
get = b"GET /a?b=c HTTP/1.1\r\nHost: e.org:80\r\nUser-Agent: x\r\n\r\n"
ok = b"HTTP/1.1 200 OK\r\nServer: s\r\nContent-Length: 20\r\n\r\n01234567890123456789"
htt("get", get, ok)
htt("pipelined", get * 3, ok + b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: r\r\n\r\n" + ok, 6)
htt("post", b"POST / HTTP/1.1\r\nHost: e\r\nContent-Length: 5\r\n\r\nhelloPUT /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", ok)
htt("hole_in_body", get, ok, 30, 15, 5)
htt("hole_in_head", get, ok, 30, 5, 5)
htt("connect", b"CONNECT a:443 HTTP/1.1\r\n\r\n\x16\3\1\0\5\1\0\0\1\0", b"HTTP/1.1 200 OK\r\n\r\n\x16\3\3\0\5\2\0\0\1\0", 10)
htt("old", b"GET /\r\n", b"<html>")
htt("expect", b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n", 40)
htt("many_headers", b"GET / HTTP/1.1\r\n" + b"".join(b"H%d: v\r\n" % i for i in range(30)) + b"\r\n", ok)
htt("folded", b"GET / HTTP/1.1\r\nA: b\r\n c\r\nA: d\r\nX\r\n: y\r\n\r\n", ok, 3)
# hole 255: none; length: switches of fuzz_http.c; the client's bytes are whole eights without a filler
def eights(head, tail):
    return head + b"a" * (-len(head + tail) % 8) + tail
form = eights(b"GET /a/b?c=d HTTP/1.1\r\nHost: e.org:81\r\nUser-Agent: a", b"\r\n\r\n")
long = eights(b"POST /ab HTTP/1.0\r\nHost: e", b"\r\nContent-Length: 8\r\n\r\n01234567")
stays = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=x\r\nContent-Length: 30\r\n\r\n" + b"0123456789" * 3
for flags in (1, 5, 13, 15, 61, 77, 95):
    htt("forms_%d" % flags, form + long + form, stays * 2 + b"HTTP/1.1 304 Not Modified\r\n\r\n", 255, 255, flags)
htt("forms_then_not", form * 3, stays + b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + stays, 255, 255, 77)
htt("forms_to_the_end", form * 2, stays + b"HTTP/1.0 200 OK\r\n\r\n0123456789", 99, 255, 45)
htt("forms_hole", form * 2, stays * 2, 89, 22, 5)
# --- app: bytes a piece - 1, the client's bytes / 8, a hole / 4 and its length in both directions, flags, the bytes
import gzip, zlib
def app(name, client, server, piece=99, hole=0, length=0, flags=0):
    client += b"\n" * (-len(client) % 8)
    put("app", name, bytes([piece, len(client) // 8, hole, length, flags]) + client + server)
zipped = gzip.compress(b"hello " * 30, mtime=0)
def body(coding, data):
    return b"HTTP/1.1 200 OK\r\nContent-Encoding: " + coding + b"\r\nContent-Length: %d\r\n\r\n" % len(data) + data
app("http", get, ok)
app("http_gzip", get, body(b"gzip", zipped), 20)
app("http_gzip_twice", get, body(b"gzip, gzip", gzip.compress(zipped, mtime=0)))
app("http_deflate", get, body(b"deflate", zlib.compress(b"world " * 40)[2:-4]), 200, 0, 0, 1)
app("http_hole", get, ok, 30, 15, 5, 2)
app("http_hole_gzip", get, body(b"gzip", zipped), 10, 20, 5)
app("http_connect", b"CONNECT a:22 HTTP/1.1\r\n\r\nSSH-2.0-a\r\n", b"HTTP/1.1 200 OK\r\n\r\nSSH-2.0-b\r\n", 40)
app("http_chunked", get, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: r\r\n\r\n", 7, 0, 0, 3)
app("http_post", b"POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(zipped) + zipped, ok)
app("http_odd", b"GET / HTTP/1.1\r\nA: b\r\n c\r\nA: d\r\nX\r\n: y\r\nHost: a\r\nHost: b\r\n\r\n", b"HTTP/1.1 2 \r\n x\r\n\r\nbody")
form = b"--x\r\nA: name=a\r\n\r\nv\r\n--x\r\nContent-Disposition: a; filename=n\r\n\r\nthe file\r\n--x--\r\n"
app("http_form", b"POST / HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\n\r\n" % len(form) + form, ok, 150)
app("http_rst", get * 2, ok * 2, 40, 0, 0, 8)
app("ssh", b"SSH-2.0-PuTTY\r\n", b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n", 9)
app("dns", bytes.fromhex("000701000001000000000000" "0161026263000001" "0001"), b"", 255, 0, 0, 4)
app("dns_tcp", bytes.fromhex("0016" "000701000001000000000000" "0161026263000001" "0001"), b"", 5)
# --- detectors: packets of kind and direction, flags, seq, ack, time, length, bytes
def pkt(kind, flags=0, seq=0, ack=0, time=1, data=b""):
    return bytes([kind, flags, seq, ack, time, len(data)]) + data
def handshake(port):
    k = port << 3 | 2
    return pkt(k, 2) + pkt(k | 4, 0x12, 0, 0) + pkt(k, 0x10, 1, 1), k
hand, k = handshake(3)
put("detectors", "scan", b"".join(pkt(p << 3 | 2, 2) + pkt(p << 3 | 6, 0x14) for p in range(30)))
put("detectors", "fake", hand + pkt(k, 0x10, 1, 1, 1, b"first") + pkt(k, 0x10, 1, 1, 1, b"other"))
put("detectors", "login", hand + pkt(k | 4, 0x10, 1, 1, 1, b"SSH-2.0-a\r\n") + pkt(k, 0x10, 1, 12, 1, b"SSH-2.0-b\r\n")
    + pkt(k, 0x11, 12, 12) + pkt(k | 4, 0x11, 12, 13))
put("detectors", "reset", hand + pkt(k, 4, 100) + pkt(k, 0x10, 1, 1, 1, b"more") + pkt(k, 0x44, 5) + pkt(k, 4, 5) + pkt(k, 0x10, 5, 1, 1, b"x")
    + pkt(k | 4, 0x10, 1, 6))
put("detectors", "tunnel", pkt(0, data=hx("123401000001000000000000") + b"\x20a7f3k2j5h4g6d8s9q0w1e2r3t4y5u6i7\6tunnel\7example\0\0\1\0\1") * 3)
put("detectors", "raw", pkt(1, data=ip6(58, icmp6)) + pkt(1, data=ip4(1, bytes([3, 3, 0, 0, 0, 0, 0, 0]) + ip4(17, udp()))))
# --- prads_sigs, prads_packet
for name, kind, text in (
        ("fp", 0, "S4:64:1:60:M*,S,T,N,W7:.:Linux:2.6\n%8192:128:0:*:N,W%2,?5,T0:ZAT!:-@X:y\n"),
        ("service", 1, "http,v/nginx/$1/$2/,Server: nginx\\/(\\S+)\nx,v/A//$3,220 ([-.\\w]+)|b\n"),
        ("mac", 2, "00:50:C2\tIeee # x\n00-50-C2-01-00-00/36 Two\n"),
        ("dhcp", 3, "1:16:53,50,55,255:1,28:.:Linux:Redhat\n7:64:53,255:.:MSFT 98:a:b\n"),
        ("config", 4, "arp=1\nhome_nets=10.0.0.0/8,fe80::/64\n"),
        ("nets", 4, "10.0.0.0/8,192.168.0.0/255.255.0.0,fe80::/64"),
        ("regex", 4, "ab?c[]x]\\x41(d|e)f{2,3}\\012+g"),
        ("stacks", 5, "classes = unix\n[tcp:request]\nlabel = s:unix:X:1\n  sys = @unix\n"
                      "sig = *:64:0:*:mss*20,7:mss,sok,ts,nop,ws:df,id+:0\n[mtu]\nsig = 1500\n"),
        ("stacks_more", 5, "[tcp:response]\nlabel = g:!:Y:\nsig = 4:255-:4:1460:%8192,*:?5,sack,eol+2::*\n"
                           "sig=6:1:0:99:mtu*2,0:ws:flow,ecn,0+,seq-,ack-,ts1-,opt+,exws,bad:+")):
    put("prads_sigs", name, bytes([kind]) + text.encode())
DHCP = bytes(236) + b"\x63\x82\x53\x63" + b"\x35\1\1" + b"\x3c\4MSFT" + b"\x37\3\1\x1c\2" + b"\xff"
DNS = (b"\x12\x34\x81\x80\0\1\0\3\0\0\0\0" b"\1a\1b\0\0\1\0\1" b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\1\2\3\4"
       b"\xc0\x0c\0\5\0\1\0\0\0\x3c\0\4\1x\xc0\x0e" b"\xc0\x0c\0\x0f\0\1\0\0\0\x3c\0\5\0\x0a\1m\0")
put("prads_packet", "dhcp", b"\0" + DHCP)
put("prads_packet", "dns", b"\1" + DNS)
put("prads_packet", "syn", b"\2" + ip4(6, tcp(hx("020405b40402080a0000000100000000010303070000"))))
put("prads_packet", "syn_quirks", b"\2" + ip4(6, tcp(hx("020405b4" "0303ff" "01" "08060000" "0000" "00" "ff")), b"\1\1\1\0"))
put("prads_packet", "syn_nops", b"\2" + ip4(6, tcp(b"\1" * 40)))
put("prads_packet", "udp", b"\2" + ip4(17, udp(), b"\1\1\1\1"))
put("prads_packet", "icmp", b"\2" + ip4(1, icmp))
put("prads_packet", "ip6", b"\2" + ip6(6, tcp(hx("1e2200000101ff0108010101"))))
# --- transform: names, then bytes
for name, text, data in (
        ("case", "to_lowercase; to_uppercase; dotprefix;", b"Ab.c"),
        ("spaces", "strip_whitespace; content:\"a\"; compress_whitespace;", b" a \t\r\nb"),
        ("url", "url_decode; xor:\"0d0ac8ff\";", b"a%20b+%4"),
        ("digests", "to_md5; to_sha1; to_sha256;", b"abc"),
        ("headers", "header_lowercase; strip_pseudo_headers;", b":Method: x\r\nHost: Y\n:"),
        ("base64", "from_base64:bytes 9, offset 1, mode rfc2045; from_base64:mode strict;", b"?SGVs bG8=U0dWcw=="),
        ("group", "pcrexform:\"a(.*)c\";", b"xabbc"),
        ("gunzip", "gunzip: max-size 4;", hx("1f8b0800000000000003f348cdc9c907008289d1f705000000")),
        ("zlib", "zlib_deflate;", hx("789cf348cdc9c90700058c01f5"))):
    put("transform", name, text.encode() + b"\n" + data)
# --- config: YAML
for name, text in (
        ("stock", "%YAML 1.1\n---\nvars:\n  address-groups:\n    HOME_NET: \"[10.0.0.0/8,!10.1.1.1]\"\n    A: any\n"
                  "stats: {enabled: yes, interval: 8}\noutputs:\n  - fast:\n      enabled: no\n  - eve-log:\n      types:\n"
                  "        - alert:\n            payload: yes # why\n        - flow\nrule-files: [a.rules, 'b']\n"),
        ("quotes", "a: 'it''s'\nb: \"\\x41\\u00e4\\n\"\nc: |\n  x\n   y\nd: >-\n  x\n  y\n? e\n: ~\n"),
        ("anchors", "a: &x {b: 1}\nc: *x\n<<: *x\n"),
        ("include", "include: other.yaml\na: !include b\n"),
        ("twice", "a: 1\nb:\n  - c: 1\n    c: 2\n"),
        ("deep", "a: " + "[" * 33 + "]" * 33 + "\n"),
        ("utf16", "\ufeffa: [\u00e4, 1]\n"),
        ("tabs", "a:\n\t- b\n--- {}\n...\n")):
    put("config", name, text.encode("utf-16-le" if name == "utf16" else "utf-8"))
# --- control: requests of metrics, commands, answers
for name, text in (
        ("get", "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("lines", "GET /metrics?a HTTP/1.0\n\n"),
        ("post", "POST / HTTP/1.1\r\n\r\n"),
        ("short", "GET \n\n"),
        ("part", "GET /metrics HTTP/1.1\r\nX: "),
        ("stats", "stats\r"),
        ("shutdown", "shutdown"),
        ("error", '{"error":"busy"}'),
        ("answer", '{"uptime_ms":61000,"cpu_ms":5,"cores":2,"packets":3,"bytes":18446744073709551615,'
                   '"drops":{"kernel":1},"limits":{},"events":{"gap":2,"syn":1}}'),
        ("name", '{"a\x1b[2J":{"\xff":1}}'),
        ("deep", '{"a":{"b":{"c":1}}}')):
    put("control", name, text.encode("latin-1"))
