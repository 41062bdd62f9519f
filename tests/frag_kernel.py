#!/usr/bin/env python3
"""Does weir put fragments together as the Linux kernel of this host does?

    frag_kernel.py WEIR SEED COUNT

Makes two network namespaces joined by a pair of interfaces. From one goes COUNT times a datagram in
random fragments, IPv4 and IPv6 in turn, which overlap and are odd; in the other sockets wait. What
was sent is written to a capture too, and weir must find in it what the sockets got. Exit: 0 the
same, 1 not, 77 that cannot be tried here.
"""
import base64, collections, ctypes, json, os, random, select, socket, struct, subprocess, sys, tempfile, time

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
ADDR4 = socket.inet_aton("10.98.0.1"), socket.inet_aton("10.98.0.2")
ADDR6 = socket.inet_pton(socket.AF_INET6, "fd98::1"), socket.inet_pton(socket.AF_INET6, "fd98::2")
PORT = 2000


def sum16(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def fragment(version, ident, start, more, data):
    if version == 4:
        head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(data), ident, more << 13 | start // 8, 64, 17, 0, *ADDR4)
        return head[:10] + struct.pack(">H", sum16(head)) + head[12:] + data
    head = struct.pack(">IHBB16s16s", 6 << 28, 8 + len(data), 44, 64, *ADDR6)
    return head + struct.pack(">BBHI", 17, 0, start | more, ident) + data


def body(which, n):
    """Bytes that differ from fragment to fragment, but not in the sum of every four."""
    four = struct.pack(">HH", 0x4141 + which, 0x4141 - which)
    return (four * (n // 4 + 1))[:n // 4 * 4] + b"A" * (n % 4)


def udp_header(version, port, size):
    header = struct.pack(">HHHH", port, PORT, size, 0)
    addresses = ADDR4 if version == 4 else ADDR6
    pseudo = addresses[0] + addresses[1] + struct.pack(">II", size, 17)
    return header[:6] + struct.pack(">H", sum16(pseudo + header + body(0, size - 8)) or 0xFFFF)


def datagram(rnd, version, ident):
    """Fragments of one datagram: most fit, others overlap, some are odd."""
    units = rnd.randint(2, 8)
    size = units * 8 + rnd.choice((0, 0, 3))
    pieces, at = [], 0
    while at < units:
        n = rnd.randint(1, units - at)
        pieces.append((at, n))
        at += n
    if rnd.random() < 0.5:
        rnd.shuffle(pieces)
    for _ in range(rnd.choice((0, 1, 1, 2))):
        start = rnd.randrange(units)
        pieces.insert(rnd.randint(0, len(pieces)), (start, rnd.randint(1, units - start)))
    for which, (start, n) in enumerate(pieces):
        end = size if start + n == units else (start + n) * 8
        data = body(rnd.choice((0, 0, which)), end - start * 8)
        if start == 0:
            data = udp_header(version, ident, size) + data[8:]
        more, odd = end < size, rnd.random()
        if odd < 0.03:
            data = b""
        elif odd < 0.06:
            data = data[:max(1, len(data) - 3)]
        elif odd < 0.09:
            more = not more
        yield fragment(version, ident, start * 8, more, data)


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def address_of(name, *inside):
    line = run(*inside, "ip", "-o", "link", "show", name)
    return bytes.fromhex(line.split("link/ether ")[1].split()[0].replace(":", ""))


def join(holder):
    """The pair of interfaces; the Ethernet header between them, without its type."""
    inside = "nsenter", "-t", str(holder.pid), "-n"
    run("ip", "link", "add", "sender", "type", "veth", "peer", "name", "target")
    run("ip", "link", "set", "target", "netns", str(holder.pid))
    run("ip", "link", "set", "sender", "up")
    run(*inside, "ip", "link", "set", "target", "up")
    run(*inside, "ip", "addr", "add", "10.98.0.2/24", "dev", "target")
    run(*inside, "ip", "addr", "add", "fd98::2/64", "dev", "target", "nodad")
    return address_of("target", *inside) + address_of("sender")


def new_namespace():
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError("no right to make a network namespace")


def receivers(holder):
    libc.setns(os.open("/proc/%d/ns/net" % holder.pid, os.O_RDONLY), CLONE_NEWNET)
    sockets = []
    for family in socket.AF_INET, socket.AF_INET6:
        s = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind(("", PORT))
        sockets.append(s)
    return sockets


def drain(sockets, got, seconds):
    while True:
        ready = select.select(sockets, [], [], seconds)[0]
        if not ready:
            return
        for s in ready:
            data, source = s.recvfrom(65535)
            got[source[1]].append(data)


def frame_of(link, version, packet):
    return link + struct.pack(">H", 0x0800 if version == 4 else 0x86DD) + packet


def wait_until_ready(raw, sockets, link):
    """A fresh interface takes its time, IPv6 more than IPv4."""
    end, left = time.monotonic() + 10, set(sockets)
    while left and time.monotonic() < end:
        for version in 4, 6:
            whole = udp_header(version, 1, 16) + body(0, 8)
            raw.send(frame_of(link, version, fragment(version, 0, 0, False, whole)))
        for s in select.select(left, [], [], 0.05)[0]:
            left.remove(s)
    drain(sockets, collections.defaultdict(list), 0.2)
    if left:
        raise OSError("the interfaces do not get ready")


def send_all(rnd, count, raw, sockets, link, capture):
    got = collections.defaultdict(list)
    capture.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for ident in range(1, count + 1):
        version = 4 + ident % 2 * 2
        for packet in datagram(rnd, version, ident):
            frame = frame_of(link, version, packet)
            capture.write(struct.pack("<IIII", 1700000000, ident, len(frame), len(frame)) + frame)
            raw.send(frame)
        drain(sockets, got, 0.002)  # the kernel's queue is bounded, and drops
    capture.close()
    drain(sockets, got, 0.5)
    return got


def seen_by(weir, capture):
    got = collections.defaultdict(list)
    for line in run(weir, "-q", "--json", "--events", "datagram", "--bytes", "65535", "-r", capture).splitlines():
        event = json.loads(line)
        if event.get("dest_port") == PORT:
            got[event["src_port"]].append(base64.b64decode(event["flow_event"]["data"]))
    return got


def main():
    weir, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    holder = None
    try:
        new_namespace()
        holder = subprocess.Popen(["sleep", "600"], preexec_fn=new_namespace)
        link = join(holder)
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        raw.bind(("sender", 0))
        sockets = receivers(holder)
        wait_until_ready(raw, sockets, link)
    except (OSError, subprocess.SubprocessError) as error:
        print(error)
        if holder is not None:
            holder.terminate()
        return 77
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        kernel = send_all(random.Random(seed), count, raw, sockets, link, open(file.name, "wb"))
        ours = seen_by(weir, file.name)
    holder.terminate()
    odd = [ident for ident in sorted(set(kernel) | set(ours)) if kernel[ident] != ours[ident]]
    print("%d datagrams of %d arrived, %d differ" % (sum(map(len, kernel.values())), count, len(odd)))
    for ident in odd[:5]:
        print(ident, "kernel:", kernel[ident], "weir:", ours[ident])
    return 1 if odd or not kernel else 0


sys.exit(main())
