#!/usr/bin/env python3
"""The programs inline: two hosts that reach each other through them, over interfaces and over DPDK.

    inline.py BUILD [[--but] TEST...]        (a word stands for all tests whose names have it)

Makes network namespaces, and runs what is in BUILD in that between the hosts. Prints TAP.
"""
import contextlib, hashlib, json, os, re, signal, socket, statistics, struct, subprocess, sys, tempfile, threading, time

from hosts import ADDRESS, Hosts, no_offloads, run
from live import BUILD, NOBODY, Program, listening, ok, until
import live

RING = "framecnt=2048,blocksz=1048576"
EAL = "--no-huge --no-shconf --no-telemetry --no-pci -m 128 -l %d" % min(os.sched_getaffinity(0))
VDEVS = " ".join("--vdev=net_af_packet%d,iface=w%d,%s" % (k, k, RING) for k in (0, 1))
PAIR = "--inline", "w0:w1"
DPDK = "--dpdk", "%s %s" % (EAL, VDEVS), "--inline", "net_af_packet0:1"
QUEUES = DPDK[0], DPDK[1].replace("iface=", "qpairs=3,iface="), *DPDK[2:]
SOL_PACKET, PACKET_AUXDATA = 263, 8
VLAN_VALID, TPID_VALID = 16, 64
hosts = None



def counters_of(text):
    return {name: int(n) for name, n in re.findall(r"^([a-z0-9_]+) +([0-9]+)$", text, re.M)}


@contextlib.contextmanager
def wire(*words, program="weir", pair=PAIR, quiet=True, **how):
    """A run between the hosts, which hands out the Program; .code and .counters afterwards."""
    if "--dpdk" in pair:
        how["sockets"] = 0
    p = Program(program, *(["-q"] if quiet else []), *(["--summary"] if program == "weir" else []), "--stats", *pair,
                *words, **{"sockets": 2, **how})
    try:
        if "--dpdk" in pair:
            until(lambda: pings(0, 4, wait=1) or p.p.poll() is not None)
        yield p
    finally:
        p.code = p.end()
    p.counters = counters_of(p.out())


def adds_up(p, names=("w0", "w1"), code=0):
    """What was counted of each packet is one thing; and what goes on leaves by a port."""
    c = p.counters
    left = sum(c[n + "_sent"] for n in names), sum(c[n + "_send_drops"] for n in names)
    return p.code == code and c["packets"] + c["unseen"] == sum(left) + c["dropped"] + c["fail_closed"] - c["rejects"] and \
        c["packets"] == c["forwarded"] + c["dropped"] + c["fail_closed"] + c["send_drops"]


def pings(side, version, count=1, size=56, wait=2, interval=0.05, *words):
    with hosts.at(side):
        seen = subprocess.run(["ping", "-q", "-c", str(count), "-i", str(interval), "-W", str(wait), "-s", str(size), *words,
                               ADDRESS[version][1 - side]], capture_output=True, text=True)
    return seen.returncode == 0 and " 0% packet loss" in seen.stdout


# ---- streams ---------------------------------------------------------------------------------------


def pattern(n):
    """n bytes that no shift of them resembles."""
    return b"".join(hashlib.sha512(struct.pack(">Q", k)).digest() for k in range((n + 63) // 64))[:n]


BLOCK = pattern(1 << 20)


def serve(side, version, port, answer):
    """One connection, in a thread; answer(connection)."""
    with hosts.at(side):
        server = socket.create_server((ADDRESS[version][side], port),
                                      family=socket.AF_INET6 if version == 6 else socket.AF_INET)

    def run_it():
        server.settimeout(20)
        try:
            with server.accept()[0] as c:
                c.settimeout(20)
                answer(c)
        except OSError:
            pass
        finally:
            server.close()

    thread = threading.Thread(target=run_it)
    thread.start()
    return thread


def connect(side, version, port, timeout=10):
    with hosts.at(side):
        return socket.create_connection((ADDRESS[version][1 - side], port), timeout=timeout)


def transfer(mib, version=4, port=5000, side=0):
    """So many MiB from the host of that side to the other; whether they came as they were sent."""
    got = hashlib.sha256()

    def take(c):
        while data := c.recv(1 << 18):
            got.update(data)
        c.sendall(got.digest())

    thread = serve(1 - side, version, port, take)
    sent = hashlib.sha256()
    try:
        with connect(side, version, port, 30) as c:
            for k in range(mib):
                part = BLOCK[k * 4099 % 9973:]
                sent.update(part)
                c.sendall(part)
            c.shutdown(socket.SHUT_WR)
            answer = c.recv(32)
    except OSError as error:
        print("# transfer: %s" % error)
        answer = b""
    thread.join()
    return answer == sent.digest()


def datagrams(count=500):
    """Of all sizes, back and forth; how many came back as they were."""
    with hosts.at(1):
        far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with hosts.at(0):
        near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    same = 0
    with far, near:
        far.bind((ADDRESS[4][1], 6000))
        far.settimeout(2)
        near.settimeout(2)
        try:
            for k in range(count):
                data = BLOCK[k:k + k * 7 % 1473]
                near.sendto(data, (ADDRESS[4][1], 6000))
                far.sendto(*far.recvfrom(2000))
                same += near.recv(2000) == data
        except socket.timeout:
            pass
    return same


# ---- frames ----------------------------------------------------------------------------------------

MULTICAST = bytes.fromhex("0180c200000e")
SENDER = bytes.fromhex("02cafe000001")
STATION = bytes.fromhex("02cafe000002")


def ip4(payload, protocol=17, fragment=0, length=None, checksum=True, number=0, ends=("10.97.0.99", "10.97.0.100")):
    length = 20 + len(payload) if length is None else length
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, length, number, fragment, 64, protocol, 0, *map(socket.inet_aton, ends))
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    return head[:10] + struct.pack(">H", (~((total & 0xFFFF) + (total >> 16)) & 0xFFFF) ^ (not checksum)) + head[12:] + payload


def udp(size, port=7):
    return struct.pack(">HHHH", port, port, 8 + size, 0) + BLOCK[:size]


def ethernet(kind, payload, tags=(), to=STATION):
    head = to + SENDER + b"".join(struct.pack(">HH", *tag) for tag in tags)
    return head + struct.pack(">H", kind) + payload


def zoo():
    """A frame of each kind, by name."""
    arp = struct.pack(">HHBBH6s4s6s4s", 1, 0x800, 6, 4, 1, SENDER, b"\x0a\x61\0\x63", bytes(6), b"\x0a\x61\0\x64")
    yield "ARP", ethernet(0x0806, arp, to=b"\xff" * 6)
    yield "LLDP", ethernet(0x88CC, b"\x02\x07\x04" + SENDER + b"\x04\x03\x02eth\x06\x02\0\x78\0\0", to=MULTICAST)
    yield "spanning tree (802.3)", MULTICAST + SENDER + struct.pack(">H", 38) + b"\x42\x42\x03" + bytes(35)
    yield "an unknown type", ethernet(0x88B5, BLOCK[:300])
    yield "UDP", ethernet(0x0800, ip4(udp(100)))
    yield "UDP of one MTU", ethernet(0x0800, ip4(udp(1472)))
    yield "UDP with padding", ethernet(0x0800, ip4(udp(1)) + BLOCK[:17])
    yield "a VLAN", ethernet(0x0800, ip4(udp(100)), [(0x8100, 0x6064)])
    yield "a VLAN, one MTU", ethernet(0x0800, ip4(udp(1472)), [(0x8100, 100)])
    yield "priority only", ethernet(0x0800, ip4(udp(100)), [(0x8100, 0xE000)])
    yield "two VLANs", ethernet(0x0800, ip4(udp(100)), [(0x8100, 100), (0x8100, 200)])
    yield "QinQ", ethernet(0x0800, ip4(udp(100)), [(0x88A8, 100), (0x8100, 200)])
    yield "an IP header with a wrong checksum", ethernet(0x0800, ip4(udp(100), checksum=False))
    yield "IP that claims to be longer", ethernet(0x0800, ip4(udp(100), length=900))
    yield "half an IP header", ethernet(0x0800, ip4(udp(100))[:9])
    yield "UDP that lies about its length", ethernet(0x0800, ip4(struct.pack(">HHHH", 7, 7, 1, 0) + bytes(20)))
    yield "TCP out of the blue", ethernet(0x0800, ip4(struct.pack(">HHIIBBHHH", 80, 81, 1, 2, 0x50, 0x10, 9, 0, 0) + b"x", 6))
    yield "ICMP", ethernet(0x0800, ip4(b"\x08\0\xf7\xff\0\0\0\0", 1))
    yield "an unknown protocol", ethernet(0x0800, ip4(BLOCK[:64], 253))
    yield "IPv6", ethernet(0x86DD, struct.pack(">IHBB", 6 << 28, 20, 59, 64) + bytes(32) + BLOCK[:20])
    yield "MPLS", ethernet(0x8847, struct.pack(">I", 16 << 12 | 1 << 8 | 64) + ip4(udp(50)))
    yield "no payload at all", ethernet(0x0800, b"")
    whole = udp(2000)
    yield "the first fragment", ethernet(0x0800, ip4(whole[:1000], fragment=0x2000, number=9))
    yield "the first fragment again", ethernet(0x0800, ip4(whole[:1000], fragment=0x2000, number=9))
    yield "the last fragment", ethernet(0x0800, ip4(whole[1000:], fragment=125, number=9))
    yield "a fragment of nothing", ethernet(0x0800, ip4(whole[:16], fragment=0x2000 | 300, number=10))


def raw_socket(side):
    with hosts.at(side):
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.bind(("h%d" % side, 0))
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    s.settimeout(2)
    return s


def receive(s):
    """A frame as it was on the wire: the tag that the kernel took out is put back."""
    data, extra, _, where = s.recvmsg(65536, 1000)
    for level, kind, aux in extra:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, tpid = struct.unpack("=IIIHHHH", aux[:20])
            if status & VLAN_VALID:
                data = data[:12] + struct.pack(">HH", tpid if status & TPID_VALID else 0x8100, tci) + data[12:]
    return data, where[2]


def cross(side, frames, seconds=2):
    """Send them from a host; those of them that come to the other, in their order."""
    there = []
    with raw_socket(1 - side) as far, raw_socket(side) as near:
        for frame in frames:
            near.send(frame)
        end = time.monotonic() + seconds
        far.settimeout(0.3)
        while len(there) < len(frames) and time.monotonic() < end:
            with contextlib.suppress(socket.timeout):
                data, kind = receive(far)
                if kind != socket.PACKET_OUTGOING and data[6:12] == SENDER:
                    there.append(data)
    return there


def frames_cross(name, skip=(), ordered=True):
    """ordered: else only those of one flow are."""
    for side in (0, 1):
        kinds = [(kind, frame) for kind, frame in zoo() if kind not in skip]
        there = cross(side, [frame for _, frame in kinds])
        lacking = [kind for kind, frame in kinds if frame not in there]
        sent = [frame for _, frame in kinds]
        ok(there == sent or (not ordered and sorted(there) == sorted(sent)),
           "%s: frames of %d kinds leave as they came, from side %d" % (name, len(kinds), side),
           "lacking or changed: %s" % lacking, "%d of %d" % (len(there), len(kinds)))


# ---- tests -----------------------------------------------------------------------------------------


def basics():
    ok(not pings(0, 4, wait=1), "without a program there is no wire")
    with wire("-j", "1") as p:
        ok(pings(0, 4, 10) and pings(1, 4, 3), "ARP and ping, both ways", p.err())
        ok(pings(0, 6, 3) and pings(1, 6, 3), "and over IPv6", p.err())
        ok(pings(0, 4, 3, 1472, 2, 0.05, "-M", "do"), "a whole MTU")
        ok(pings(0, 4, 3, 20000), "fragments")
        ok(transfer(100), "100 MiB come as they were sent")
        ok(transfer(5, 6) and transfer(5, 4, 5001, 1), "so over IPv6, and the other way")
        n = datagrams()
        ok(n == 500, "datagrams of all sizes come as they were sent", n)
        frames_cross("interfaces")
    ok(adds_up(p) and p.counters["w1_sent"] > 0 and p.err() == "", "the counters add up", p.code, p.counters, p.err())


def latency():
    with wire("-j", "1"):
        seen = hosts.run(0, "ping", "-c", "50", "-i", "0.02", ADDRESS[4][1])
    times = [float(t) for t in re.findall(r"time=([0-9.]+)", seen)]
    ok(len(times) == 50 and statistics.median(times) < 3, "packets do not wait: a round trip of milliseconds at most",
       statistics.median(times))


def many_cores():
    with wire("-j", "4") as p:
        good = [transfer(10, 4, 5100 + k, k % 2) for k in range(4)]
        n = datagrams()
        frames_cross("four cores", ordered=False)
    ok(good == [True] * 4 and n == 500 and adds_up(p), "four cores: all of it crosses, and adds up", good, n, p.counters)


def filters():
    with wire("udp", "port", "6000") as p:
        good = pings(0, 4, 3) and transfer(2) and datagrams(100) == 100
        frames_cross("with a filter")
    c = p.counters
    ok(good and adds_up(p) and c["packets"] == 200 and c["unseen"] > 1000,
       "what a filter leaves out passes unseen", good, c, p.err())


def links():
    with wire(quiet=False) as p:
        good = pings(0, 4)
        run("ip", "link", "set", "w1", "down")
        told = until(lambda: "w1: the interface is down; packets go on when it is up again" in p.err())
        cut = not pings(0, 4, wait=1)
        run("ip", "link", "set", "w1", "up")
        back = until(lambda: pings(0, 4, wait=1))
        ok(good and told and cut and back, "a link that goes down and comes up", good, told, cut, back, p.err())
        run("ip", "link", "del", "w0")
        until(lambda: p.err().count("is down") == 2)
        hosts.join(0)
        back = until(lambda: pings(0, 4, wait=1))
        ok(back and transfer(2), "an interface that is deleted and made again", p.err())
    ok(adds_up(p) and "could not" in p.err(), "the counters add up all the same", p.counters, p.err())


def users():
    with wire("--user", "nobody", "-j", "2") as p:
        gone = until(lambda: {tuple(t["Uid"].split()) for t in p.threads()} == {(str(NOBODY),) * 4})
        good = transfer(2)
        run("ip", "link", "del", "w1")
        time.sleep(0.2)
        hosts.join(1)
        back = until(lambda: pings(0, 4, wait=1))
    ok(gone and good and back and p.code == 0, "--user: it sends without privileges, on a new interface, too",
       gone, good, back, p.err())


def prads():
    with wire("-l", "DIR", program="weir-prads") as p:
        good = transfer(2) and pings(1, 4)
    ok(good and adds_up(p), "weir-prads, too, is a wire", good, p.code, p.counters, p.err())


def promiscuity():
    return [re.search(r"promiscuity (\d+)", run("ip", "-d", "link", "show", name))[1] for name in ("w0", "w1")]


def crash():
    with wire() as p:
        good = pings(0, 4) and promiscuity()
        p.kill(signal.SIGKILL)
        p.p.wait()
        down = not pings(0, 4, wait=1)
    ok(good and down and good == ["1", "1"] and promiscuity() == ["0", "0"], "kill -9: the wire is down, and nothing is left behind", good, down, promiscuity())
    with wire():
        ok(until(lambda: pings(0, 4, wait=1)) and transfer(2), "started again, it is a wire again")


def remake(mtu):
    for side in (0, 1):
        run("ip", "link", "del", "w%d" % side)
        hosts.mtu = mtu
        hosts.join(side)


def jumbo():
    remake(9000)
    with wire() as p:
        good = pings(0, 4, 3, 8972, 2, 0.05, "-M", "do") and transfer(20)
        tagged = cross(0, [ethernet(0x0800, ip4(udp(8972)), [(0x8100, 5)])])
        ok(good and len(tagged) == 1, "jumbo frames", good, p.err())
        run("ip", "link", "set", "w1", "mtu", "1500")
        lost = not pings(0, 4, 1, 8972, 1, 0.05, "-M", "do")
        small = pings(0, 4)
        told = until(lambda: "w1: packets are larger than its MTU, and cannot leave" in p.err())
    ok(lost and small and told and p.counters["w1_send_large"] > 0, "what is too large to leave is told and counted",
       lost, small, p.counters, p.err())
    remake(1500)


def offloads():
    hosts.offloads = True
    remake(1500)
    with wire(quiet=False) as p:
        good = pings(0, 4, 3) and datagrams(50) == 50 and transfer(0)
        thread = serve(1, 4, 5200, lambda c: c.sendall(c.recv(10)))
        with connect(0, 4, 5200) as c:
            c.sendall(b"0123456789")
            back = c.recv(10)
        thread.join()
        told = until(lambda: "with checksums that a card was to compute" in p.err(), 3)
        ok(good and back == b"0123456789" and told, "checksums that were left to a card are computed", good, back, p.err())
        with hosts.at(0):
            big = serve(1, 4, 5201, lambda c: c.recv(10))
            with contextlib.suppress(OSError), connect(0, 4, 5201) as c:
                c.settimeout(2)
                c.sendall(BLOCK)
            told = until(lambda: "w0: packets larger than its MTU come" in p.err(), 3)
        ok(told and "ethtool -K w0 gro off lro off" in p.err() and "tso off" in p.err(),
           "what no interface can send is told, with what to do", p.err())
        big.join()
    hosts.offloads = False
    remake(1500)


def faults():
    def fails(words, text, code=2, **how):
        p = Program("weir", *words, sockets=0, **how) # without -q: there is nothing to sum up
        seen = p.end(None)
        ok(seen == code and len(p.err().splitlines()) == 1 and text in p.err(), "told in a line: %s" % " ".join(words),
           seen, p.err())

    fails(["--inline", "w0:w0"], "--inline: w0 is given twice")
    fails(["--inline", "w0"], "two interfaces, or ports of DPDK's, are expected, as in eth1:eth2, not 'w0'")
    fails(["--inline", ":w0"], "two interfaces")
    fails(["--inline", "w0:none"], "none: there is no such interface (--list-interfaces names all)")
    fails(["--inline", "w0:lo"], "MTU", 2)
    fails([*PAIR, "-i", "lo"], "-i and --inline exclude each other")
    fails([*PAIR, "-r", "/dev/null"], "--inline and -r exclude each other")
    fails([*PAIR, "--snaplen", "100"], "--snaplen and --inline exclude each other")
    fails([*PAIR, "--no-promisc"], "--no-promisc and --inline exclude each other")
    fails(["-i", "w0", "--fail-closed"], "an --inline is expected")
    fails([*PAIR, "--set", "inline.fail=never"], "--set inline.fail: open or closed is expected, not 'never'")
    fails([*PAIR, "tcp prt 80"], "syntax error")
    fails([*PAIR, "--fail-open", "--fail-closed"], "--fail-open and --fail-closed exclude each other")
    fails(["--inline", "any:w0"], "--inline: any is all interfaces, and one is expected")
    with wire() as first:
        fails(["--inline", "w1:w0"], "--inline: process %d stands inline at w1 already" % first.p.pid, 1)
        fails(["--inline", "w0:lo"], "MTU")
        with wire(pair=("-i", "w0"), sockets=1):
            pass
    fails(PAIR, "CAP_NET_RAW", 1, user=NOBODY)
    run("ip", "link", "set", "w1", "down")
    fails(PAIR, "w1: the interface is not up (ip link set dev NAME up)", 1)
    run("ip", "link", "set", "w1", "mtu", "1400")
    run("ip", "link", "set", "w1", "up")
    fails(PAIR, "the MTU of w0 is 1500 and that of w1 is 1400: what one takes in the other could not send "
          "(ip link set dev w1 mtu 1500)")
    run("ip", "link", "set", "w1", "mtu", "1500")


def is_through(seen):
    """What came has gone on; the kernel counts what it has not yet handed out, too."""
    ports = seen["ports"]
    return seen["forwarded"] == seen["packets"] >= 10 and ports["w0_received"] == ports["w1_sent"] >= 5


def control():
    with wire("--control", "DIR/socket", "--metrics", "9797") as p:
        pings(0, 4, 5)
        seen = {}
        live.until(lambda: seen.update(live.ask(p.path + "socket", "stats")) or is_through(seen))
        top = subprocess.run([BUILD + "/weir", "top", "--once", "--control", p.path + "socket"], capture_output=True, text=True)
        with socket.create_connection(("127.0.0.1", 9797)) as s:
            s.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
            text = b"".join(iter(lambda: s.recv(65536), b"")).decode()
    ok(is_through(seen), "--control tells what went on, by port", seen)
    ok(re.search(r"^forwarded +\d+ ", top.stdout, re.M) and re.search(r"^  w1_sent +\d+ ", top.stdout, re.M),
       "weir top shows it", top.stdout, top.stderr)
    ok(re.search(r'^weir_port_sent_total{port="w1"} [1-9]', text, re.M) and "weir_forwarded_total" in text,
       "metrics have it", text[-2000:])


def storm():
    """Signals while a transfer runs."""
    rules = 'alert tcp any any -> any any (msg:"x"; content:"never there at all"; sid:1;)\n'
    with ids(rules, quiet=False) as p:
        over = threading.Event()

        def shake():
            while not over.is_set():
                p.kill(signal.SIGHUP)
                p.kill(signal.SIGUSR2)
                p.kill(signal.SIGUSR1)
                time.sleep(0.01)

        shaker = threading.Thread(target=shake)
        shaker.start()
        good = [transfer(20, 4, 5300 + k) for k in range(3)]
        over.set()
        shaker.join()
    ok(good == [True] * 3 and adds_up(p), "storms of SIGHUP, SIGUSR1 and SIGUSR2 change nothing", good, p.code, p.counters,
       p.err()[-500:])


ATTACK = '''drop tcp any any -> any 5500 (msg:"dropped"; content:"evil"; sid:1;)
reject tcp any any -> any 5501 (msg:"told the sender"; content:"evil"; sid:2;)
rejectboth tcp any any -> any 5502 (msg:"told both"; content:"evil"; sid:3;)
drop udp any any -> any 6000 (msg:"a datagram"; content:"evil"; sid:4;)
alert tcp any any -> any 5504 (msg:"looked at"; content:"evil"; sid:5;)
alert udp any any -> any 6000 (msg:"changed"; content:"colour"; replace:"color!"; sid:6;)
'''


@contextlib.contextmanager
def ids(rules, *words, **how):
    with tempfile.NamedTemporaryFile("w", suffix=".rules") as file:
        file.write(rules)
        file.flush()
        os.chmod(file.name, 0o644)
        with wire("-S", file.name, "-l", "DIR/log", *words, program="weir-ids", **how) as p:
            p.rules = file
            yield p


def say(port, *words):
    """A client says words to a server: what that hears, and how it ends for each: "end", "reset", "nothing"."""
    heard, ends = [b""], ["nothing", "nothing"]

    def until_the_end(c, k):
        c.settimeout(2)
        try:
            while data := c.recv(1000):
                heard[0] += data if k == 1 else b""
            ends[k] = "end"
        except socket.timeout:
            pass
        except OSError:
            ends[k] = "reset"

    thread = serve(1, 4, port, lambda c: until_the_end(c, 1))
    with contextlib.suppress(OSError), connect(0, 4, port) as c:
        for word in words:
            c.sendall(word)
            time.sleep(0.1)
        until_the_end(c, 0)
    thread.join()
    return heard[0], ends


def ask_back(data, port=6000):
    """What of a datagram comes to the other host."""
    with hosts.at(1):
        far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with hosts.at(0):
        near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with far, near:
        far.bind((ADDRESS[4][1], port))
        far.settimeout(0.5)
        near.sendto(data, (ADDRESS[4][1], port))
        with contextlib.suppress(socket.timeout):
            return far.recv(2000)
    return None


def attacks(name="interfaces", pair=PAIR, names=("w0", "w1")):
    with ids(ATTACK, pair=pair) as p:
        heard, ends = say(5500, b"good ", b"evil ", b"more ")
        ok(heard == b"good " and "end" not in ends[0], "%s: drop: what follows in the stream does not come" % name, heard, ends)
        heard, ends = say(5501, b"good ", b"evil ")
        ok(heard == b"good " and ends[0] == "reset", "%s: reject: the sender is reset" % name, heard, ends)
        heard, ends = say(5502, b"good ", b"ev", b"il ")
        ok(b"evil" not in heard and ends == ["reset", "reset"], "%s: rejectboth: both ends are" % name, heard, ends)
        heard, ends = say(5504, b"good ", b"evil ")
        ok(heard == b"good evil ", "%s: alert: it goes on" % name, heard, ends)
        seen = ask_back(b"not so"), ask_back(b"evil"), ask_back(b"the colour of it")
        ok(seen == (b"not so", None, b"the color! of it"), "%s: datagrams are dropped, and changed" % name, seen)
        good = transfer(20) and pings(0, 4)
        records = p.records("alert", "log/eve.json")
        alerts = sorted(r["alert"]["signature_id"] for r in records)
        told = [r["verdict"].get("reject") for r in records if r["alert"]["signature_id"] in (2, 3)]
    ok(told and all(t == ["tcp-reset"] for t in told), "%s: that hosts were told by a RST" % name, told)
    ok(good and adds_up(p, names) and set(alerts) == {1, 2, 3, 4, 5, 6} and p.counters["rejects"] >= 3 and
       p.counters["dropped"] >= 4, "%s: what was dropped is told, and the rest goes on" % name, alerts, p.code, p.counters,
       p.err())


@contextlib.contextmanager
def listener(port):
    """A socket of the far host; a function that sends it parts of a datagram; and one that waits for what comes."""
    ends = ADDRESS[4][0], ADDRESS[4][1]
    with hosts.at(1):
        far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with hosts.at(0):
        near = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def send(number, part, data):
        """Part 0 or 1, of 16 bytes each with the header."""
        whole = struct.pack(">HHHH", 7, port, 8 + len(data), 0) + data
        near.sendto(ip4(whole[16:] if part else whole[:16], fragment=2 if part else 0x2000, number=number, ends=ends),
                    (ends[1], 0))

    def heard():
        with contextlib.suppress(socket.timeout):
            return far.recv(2000)
        return None

    with far, near:
        far.bind((ends[1], port))
        far.settimeout(0.5)
        yield send, heard


def fragments():
    """A datagram in parts, which the far host's kernel puts together from what comes."""
    evil = b"this is evil"
    with ids(ATTACK, "-j", "2") as p, listener(6000) as (send, heard):
        for part in 0, 1:
            send(1, part, b"this is good")
        good = heard()
        for part in 0, 1, 1, 1, 0, 1:
            send(2, part, evil)
        bad = heard()
    c = p.counters
    ok(good == b"this is good" and bad is None and adds_up(p) and c["late_fragments"] == 3 and c["dropped"] >= 5,
       "a part of a dropped datagram is dropped when it comes again", good, bad, c, p.err())
    # or else the host gives up one in parts behind 64 others of the same sender
    hosts.run(1, "sysctl", "-qw", "net.ipv4.ipfrag_high_thresh=%d" % (64 << 20), "net.ipv4.ipfrag_max_dist=0")
    for policy in "closed", "open":
        with ids(ATTACK, "--fail-" + policy, "-j", "1") as p, listener(6000) as (send, heard):
            send(20000, 0, evil)
            for k in range(16384):
                send(1 + k, 0, evil) # a number of 0 the kernel would fill in
                if k % 64 == 0: # what a queue has no room for would be counted otherwise
                    time.sleep(0.002)
            send(20000, 1, evil)
            seen = heard()
        c = p.counters
        past = c["fail_" + policy] - (policy == "open") # the last one takes another's place
        ok(seen == (evil if policy == "open" else None) and adds_up(p) and past == 1,
           "past 16,384 datagrams in parts, --fail-%s" % policy, seen, c, p.err())


def urgent():
    """A host that reads urgent bytes in band."""
    for policy, heard_then in ("oob", b"evil"), ("inline", b"evi"), ("drop", b""):
        heard = [b""]

        def read(c):
            c.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
            c.settimeout(1)
            c.sendall(b".") # now the other may send
            with contextlib.suppress(OSError):
                while data := c.recv(100):
                    heard[0] += data

        with ids(ATTACK, "--set", "stream.reassembly.urgent.policy=" + policy) as p:
            thread = serve(1, 4, 5500, read)
            with contextlib.suppress(OSError), connect(0, 4, 5500) as c:
                c.recv(1)
                c.send(b"evi", socket.MSG_OOB)
                c.sendall(b"l")
                thread.join()
            thread.join()
        ok(heard[0] == heard_then and adds_up(p) and bool(p.counters["dropped"]) == (policy != "oob"),
           "urgent bytes: " + policy, heard, p.counters, p.err())
    with ids(ATTACK, "--set", "stream.reassembly.urgent.policy=inline") as p:
        thread = serve(1, 4, 5500, read)
        with connect(0, 4, 5500) as c:
            heard[0] = b""
            c.recv(1)
            c.send(b"goo", socket.MSG_OOB)
            c.sendall(b"d")
            time.sleep(0.2)
        thread.join()
    ok(heard[0] == b"good" and p.counters["rewritten"] >= 1, "urgent pointers are taken off", heard, p.counters)


def attacks_over_dpdk():
    attacks("DPDK", DPDK, ("net_af_packet0", "1"))


def dpdk():
    with wire(pair=DPDK) as p:
        ok(pings(0, 4, 5) and pings(1, 6, 3), "DPDK: ARP and ping", p.err())
        ok(transfer(100), "DPDK: 100 MiB come as they were sent")
        n = datagrams()
        ok(n == 500, "DPDK: datagrams of all sizes", n)
        # net_af_packet puts every VLAN tag back as 802.1Q, and has the kernel put fragments together
        frames_cross("DPDK", [kind for kind, _ in zoo() if "fragment" in kind or kind == "QinQ"])
        run("ip", "link", "set", "w1", "down")
        cut = not pings(0, 4, wait=1)
        run("ip", "link", "set", "w1", "up")
        ok(cut and until(lambda: pings(0, 4, wait=1)) and transfer(2), "DPDK: a link that goes down and comes up", p.err())
    ok(adds_up(p, ("net_af_packet0", "1")), "DPDK: the counters add up", p.code, p.counters, p.err())


def dpdk_cores():
    """More senders than the card has queues."""
    with wire("-j", "3", pair=DPDK) as p:
        good = [transfer(10, 4, 5400 + k, k % 2) for k in range(4)]
        n = datagrams()
    ok(good == [True] * 4 and n == 500 and adds_up(p, ("net_af_packet0", "1")), "DPDK: three cores at one queue", good, n,
       p.counters, p.err())


def dpdk_queues():
    """Three queues of each port, read by a core each."""
    with wire("-v", "-j", "3", pair=QUEUES, quiet=False) as p:
        good = [transfer(10, 4 + 2 * (k & 1), 5400 + k, k % 2) for k in range(4)]
        n = datagrams()
        several = p.err().count("3 queues of")
    ok(good == [True] * 4 and n == 500 and several == 2 and adds_up(p, ("net_af_packet0", "1")), "DPDK: three cores at three queues",
       good, n, several, p.counters, p.err())
    with wire("-j", "3", "tcp port 5001", pair=QUEUES) as p:
        good = [transfer(10, 4, port, side) for port in (5000, 5001) for side in (0, 1)]
    ok(good == [True] * 4 and adds_up(p, ("net_af_packet0", "1")) and p.counters["unseen"] > 1000,
       "DPDK: what the filter leaves out passes by senders of the queues", good, p.counters, p.err())


def chosen(name):
    words = sys.argv[2:]
    but = words[:1] == ["--but"]
    return words == [] or any(word in name for word in words[but:]) != but


def main():
    global hosts
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        hosts = Hosts()
        if subprocess.run(["ping", "-V"], capture_output=True).returncode != 0:
            raise OSError("there is no ping")
    except (OSError, subprocess.SubprocessError) as error:
        print("1..0 # SKIP %s" % error)
        return 0
    tests = [basics, latency, many_cores, filters, links, users, crash, jumbo, offloads, faults, control]
    if os.access(BUILD + "/weir-ids", os.X_OK):
        tests += [storm, attacks, fragments, urgent]
    if os.access(BUILD + "/weir-prads", os.X_OK):
        tests.append(prads)
    with open(BUILD + "/config.h") as file:
        if "#define HAVE_DPDK" in file.read():
            tests += [dpdk, dpdk_cores, dpdk_queues] + [attacks_over_dpdk] * (attacks in tests)
    try:
        return live.try_all(tests, chosen)
    finally:
        hosts.end()


if __name__ == "__main__":
    sys.exit(main())
