#!/usr/bin/env python3
"""prads_faults.py CAPTURE...: which of the original's decoding faults a capture exercises.

Prints CAPTURE, a tab, and words: the reasons why Debian's prads reads it wrongly. A word is given
only for a frame in which the fault changes what the program looks at.
"""
import struct, subprocess, sys

def frames(path):
    """(link type, bytes captured, bytes on the wire); pcapng comes through tcpdump."""
    data = open(path, "rb").read()
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        data = subprocess.run(["tcpdump", "-r", path, "-w", "-"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL).stdout
    if len(data) < 24:
        return
    for order in "<>":
        magic = struct.unpack(order + "I", data[:4])[0]
        if magic in (0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34):
            break
    else:
        yield None, b"", 0
        return
    link = struct.unpack(order + "I", data[20:24])[0] & 0xffff
    head = 24 if magic == 0xa1b2cd34 else 16
    at = 24
    while at + head <= len(data):
        cap, wire = struct.unpack(order + "II", data[at + 8:at + 16])
        yield link, data[at + head:at + head + cap], wire
        at += head + cap
    if at != len(data):
        yield link, None, 0

def options_overrun(opts):
    """Whether the body of a known option lies beyond the header."""
    size = {2: 4, 3: 3, 8: 10}
    i = 0
    while i < len(opts):
        kind = opts[i]
        if kind in (0, 1):
            i += 1
        elif kind in size:
            if i + size[kind] > len(opts):
                return True
            i += size[kind]
        elif kind == 4:
            i += 2
        else:
            n = opts[i + 1] if i + 1 < len(opts) else 0
            if i + n > len(opts):
                return True
            i += max(n, 1)
    return False

def transport(proto, body, claimed, said):
    """body: what the frame has behind the IP header; claimed: bytes the IP header says."""
    real = body[:claimed]
    padded = len(body) > claimed
    if proto == 6:
        if len(real) < 20:
            said.add("short")
            return
        n = (real[12] >> 4) * 4
        if n < 20 or n > len(real):
            said.add("tcp-header")
            return
        if options_overrun(real[20:n]):
            said.add("tcp-options")
        data, flags = len(real) - n, real[13]
        if padded and (flags & 7 and data == 0 or data < 10 <= len(body) - n or
                       data < 600 and data >= 10):
            said.add("padding")
    elif proto == 17:
        if len(real) < 8:
            said.add("short")
            return
        sport, dport, n = struct.unpack(">HHH", real[:6])
        if n != claimed:
            said.add("udp-length")
        if dport in (4789, 6081, 2152, 3544) or sport == 3544:
            said.add("tunnel")
        if padded:
            said.add("padding")
    elif proto in (1, 58):
        if len(real) < 8:
            said.add("short")
    elif proto in (4, 41, 47, 94, 137):
        said.add("tunnel")

def ipv4(p, said):
    if len(p) < 20:
        said.add("short")
        return
    n, total, frag = (p[0] & 15) * 4, struct.unpack(">H", p[2:4])[0], struct.unpack(">H", p[6:8])[0]
    if p[0] >> 4 != 4 or n < 20 or total < n:
        said.add("ip-header")
        return
    if frag & 0x3fff:
        said.add("fragment")
        return
    if total > len(p):
        said.add("ip-length")
    transport(p[9], p[n:], total - n, said)

def ipv6(p, said):
    if len(p) < 40:
        said.add("short")
        return
    n = struct.unpack(">H", p[4:6])[0]
    if p[0] >> 4 != 6:
        said.add("ip-header")
        return
    if p[6] in (0, 43, 44, 51, 60, 135, 139, 140):
        said.add("extension-header")
        return
    if n > len(p) - 40 or n == 0:
        said.add("ip-length")
    transport(p[6], p[40:], n, said)

def frame(link, p, said):
    if link != 1:
        said.add("link-type")
        return
    if len(p) < 14:
        said.add("short")
        return
    kind, at = struct.unpack(">H", p[12:14])[0], 14
    if kind == 0x8100:
        if len(p) < 18:
            said.add("short")
            return
        kind, at = struct.unpack(">H", p[16:18])[0], 18
        if kind in (0x8100, 0x88a8, 0x9100, 0x9200):
            said.add("qinq")
    if kind in (0x88a8, 0x9100, 0x9200):
        said.add("qinq")
    elif kind in (0x8847, 0x8848):
        said.add("mpls")
    elif kind == 0x8864:
        said.add("pppoe")
    elif kind < 1536 and p[at:at + 3] == b"\xaa\xaa\3":
        said.add("snap")
    elif kind == 0x0800:
        ipv4(p[at:], said)
    elif kind == 0x86dd:
        ipv6(p[at:], said)

def faults(path):
    said = set()
    try:
        for link, p, wire in frames(path):
            if link is None:
                said.add("no-pcap")
            elif p is None:
                said.add("cut-file")
            else:
                if len(p) < wire:
                    said.add("snaplen")
                frame(link, p, said)
    except OSError:
        said.add("unreadable")
    return said

if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(name, " ".join(sorted(faults(name))), sep="\t")
