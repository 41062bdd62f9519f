#!/usr/bin/env python3
"""The programs on DPDK's ports: net_pcap, net_null, net_ring, and net_af_packet on pairs of interfaces.

    dpdk.py BUILD [TEST...]

Makes a network namespace, and runs what is in BUILD there. Prints TAP.
"""
import ctypes, json, os, re, signal, socket, struct, subprocess, sys, tempfile

from live import BUILD, CLONE_NEWNET, NOBODY, PAIRS, Program, frame, make_pair, ok, run, send, until
import live

EAL = "--no-huge --no-shconf --no-telemetry --no-pci -m 64 -l %d" % min(os.sched_getaffinity(0))
CAPTURES = "tour", "overload", "http_attack", "reorder_fake", "ipv6"


def dpdk(vdev, *ports):
    words = ["--dpdk", " ".join([EAL] + ["--vdev='%s'" % v for v in vdev.split()])]
    for port in ports:
        words += ["--port", port]
    return words


def start(program, *words, **how):
    return Program(*([program] if isinstance(program, str) else program), *words, sockets=0, **how)


def counters(p):
    """What SIGUSR1 makes it tell, the last time."""
    return counters_of(p.err())


def counters_of(text):
    return {name: int(n) for name, n in re.findall(r"^([a-z_]+) +([0-9]+)$", text, re.M)}


def listens(p):
    """Does it take SIGUSR1 by now?"""
    try:
        with open("/proc/%d/status" % p.p.pid) as file:
            return int(re.search(r"SigCgt:\t(\w+)", file.read())[1], 16) >> (signal.SIGUSR1 - 1) & 1
    except (OSError, TypeError):
        return False


def packets(p):
    if listens(p):
        p.kill(signal.SIGUSR1)
    return counters(p).get("packets", -1)


def run_to(p, n, number=signal.SIGTERM):
    """Until n packets are in, then stop it; its exit code."""
    until(lambda: packets(p) >= n or p.p.poll() is not None)
    return p.end(number)


def replay(*words):
    p = start(*words)
    p.end(None)
    return p


def comparable(text):
    """Without ids of flows, and the time of what no packet raised: live, the clock goes on at the end."""
    lines = [re.sub(r'"flow_id":[0-9]+,?', "", line) for line in text.splitlines()]
    return [line if '"pcap_cnt"' in line else re.sub(r'"timestamp":"[^"]*"', "", line) for line in lines]


def from_file(path, name="net_pcap0"):
    return dpdk("%s,rx_pcap=%s" % (name, path), name)


def captures():
    for k, name in enumerate(CAPTURES):
        path = "%s/pcaps/%s.pcap" % (BUILD, name)
        words = "weir", "--json", "--events", "all"
        r = replay(*words, "--stats", "-r", path)
        n = json.loads(r.out().splitlines()[-1])["packets"]
        expected = "\n".join(r.out().splitlines()[:-1]) + "\n"
        p = start(*words, "-j", str(1 + k % 3), *from_file(path))
        code = run_to(p, n)
        ok(code == 0 and n > 0 and comparable(p.out()) == comparable(expected),
           "net_pcap: the same events as of the file: %s" % name, code, p.err(), p.out()[:400])


def count(path):
    return json.loads(replay("weir", "--json", "--summary", "-r", path).out())["packets"]


def write_capture(path, frames):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for k, data in enumerate(frames):
            file.write(struct.pack("<IIII", 1700000000 + k, 10, len(data), len(data)) + data)


def pieces():
    """Frames that no single buffer holds, and such that just fit."""
    with tempfile.TemporaryDirectory() as folder:
        sizes = 100, 2047, 2048, 2049, 3000, 4096, 4097, 9000, 60000, 60
        write_capture(folder + "/large.pcap", [frame(1000 + k, size) for k, size in enumerate(sizes)])
        words = "weir", "--json", "--events", "datagram", "--bytes", "100000", "--stats"
        p = start(*words, *from_file(folder + "/large.pcap"))
        code = run_to(p, len(sizes))
        r = replay(*words, "-r", folder + "/large.pcap")
        seen, expected = ([e for e in x.events() if e["event_type"] == "flow_event"] for x in (p, r))
        for e in seen + expected:
            e.pop("flow_id")
        stats = p.events()[-1]
        ok(code == 0 and len(seen) == len(sizes) and seen == expected, "frames in pieces are whole",
           [len(str(e)) for e in seen], p.err())
        ok(stats["frames_copied"] == sum(size > 2048 for size in sizes), "what was copied is counted", stats)
        p = start(*words, *from_file(folder + "/large.pcap"), "--snaplen", "300")
        code = run_to(p, len(sizes))
        stats = p.events()[-1]
        ok(code == 0 and stats["frames_copied"] == 0 and stats["packets"] == len(sizes),
           "--snaplen leaves out what is behind", stats, p.err())


def filters():
    path = BUILD + "/pcaps/tour.pcap"
    words = "weir", "--json", "--summary"
    r = replay(*words, "-r", path, "udp")
    p = start(*words, "-v", *from_file(path), "udp")
    total = count(path)
    n = json.loads(r.out())["packets"]
    code = run_to(p, n)
    refused = re.search(r"(\d+) frames, (\d+) refused by the filter", p.err())
    ok(code == 0 and json.loads(p.out())["packets"] == n and 0 < n < total and refused is not None and
       int(refused[2]) == total - n, "the filter", p.err(), p.out(), total, n)


def queues():
    """As many as cores, of what the device has: each capture is one of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for k in range(3):
            write_capture("%s/%d.pcap" % (folder, k), [frame(1000 * (k + 1) + i) for i in range(700)])
        vdev = "net_pcap0" + "".join(",rx_pcap=%s/%d.pcap" % (folder, k) for k in range(3))
        for cores in 3, 5:
            p = start("weir", "-v", "-j", str(cores), "--json", "--events", "datagram", "--stats", *dpdk(vdev, "net_pcap0"))
            until(lambda: packets(p) >= 2100)
            before = p.seconds()
            until(lambda: False, 1.5)
            took = p.seconds() - before
            code = p.end()
            seen, stats = p.events()[:-1], p.events()[-1]
            ports = [e["src_port"] for e in seen]
            ok(code == 0 and [e["pcap_cnt"] for e in seen] == list(range(1, 2101)) and
               all([n for n in ports if n // 1000 == k + 1] == [1000 * (k + 1) + i for i in range(700)] for k in range(3)),
               "each packet of three queues once, those of one in order", code, len(ports), p.err())
            ok("3 queues of 1024 descriptors, 4095 buffers" in p.err() and stats["kernel_packets"] == 2100,
               "what is told of them", p.err(), stats)
            ok(took < 2, "where nothing comes to several queues, the CPUs rest", took)
        # The driver keeps the captures of queues that nobody takes: LeakSanitizer is not asked of them.
        with open(folder + "/leaks", "w") as file:
            file.write("leak:libpcap.so\n")
        p = start("weir", "-j", "1", "--stats", *dpdk(vdev, "net_pcap0"),
                  env={**os.environ, "LSAN_OPTIONS": "suppressions=" + folder + "/leaks"})
        code = run_to(p, 700)
        ok(code == 0 and counters_of(p.out())["packets"] == 700, "one core reads one queue", code, p.out())


def null():
    for number in signal.SIGINT, signal.SIGTERM:
        p = start("weir", "--stats", "--summary", *dpdk("net_null0", "0"))
        code = run_to(p, 5000, number)
        stats = counters_of(p.out())
        ok(code == 0 and stats["packets"] >= 5000 and stats["kernel_packets"] >= stats["packets"] and
           "received by DPDK" in p.err(), "net_null until a signal, %s" % number.name, code, p.err(), p.out())


def idle():
    p = start("weir", "-v", *dpdk("net_ring0", "net_ring0"))
    until(lambda: packets(p) == 0)
    before = p.seconds()
    until(lambda: False, 1.5)
    took = p.seconds() - before
    code = p.end(signal.SIGINT)
    ok(code == 0 and took < 0.9, "where nothing comes, the CPU rests", took, p.err())
    ok(re.search(r"net_ring0: port 0, driver net_ring, 1024 descriptors, 2047 buffers of 2176 bytes", p.err())
       is not None, "-v tells how it was set up", p.err())


def threads():
    """Threads that write logs, and those made later, are not where the packets are."""
    cpus = os.sched_getaffinity(0)
    if len(cpus) < 2:
        return
    first = min(cpus)
    p = start("weir", "--json", *dpdk("net_ring0", "0"))
    until(lambda: packets(p) == 0)
    where = {t["Pid"].strip(): t["Cpus_allowed_list"].strip() for t in p.threads()}
    mine = where.pop(str(p.p.pid))
    code = p.end()
    ok(code == 0 and mine == str(first) and where and all(str(first) not in re.split("[,-]", w) for w in where.values()),
       "the packets' CPU is theirs alone", mine, where)


def packet_sockets():
    vdev = "net_af_packet0,iface=wb net_af_packet1,iface=wd"
    p = start("weir", "--json", "--events", "datagram", "--stats", *dpdk(vdev, "net_af_packet0", "1"), "udp")
    until(lambda: packets(p) == 0)
    send("wa", 1001, 300)
    until(lambda: packets(p) == 300)
    send("wc", 1002, 100)
    code = run_to(p, 400)
    seen, stats = p.events()[:-1], p.events()[-1]
    ok(code == 0 and [e["src_port"] for e in seen] == [1001] * 300 + [1002] * 100,
       "net_af_packet: two ports in one run", len(seen), p.err())
    ok(stats["kernel_packets"] == 400 and stats["kernel_drops"] == 0 and stats["interface_drops"] == 0,
       "what DPDK counted", stats)


def syn(port):
    """A segment of 10.0.0.1:port to 10.0.0.2:9."""
    udp = frame(port, 60)
    tcp = struct.pack(">HHIIBBHHH", port, 9, 1, 0, 0x50, 2, 1000, 0, 0)
    pseudo = udp[26:34] + struct.pack(">BBH", 0, 6, len(tcp)) + tcp
    ip = bytearray(udp[14:34])
    ip[2:4], ip[9], ip[10:12] = struct.pack(">H", 40), 6, b"\0\0"
    total = [sum(struct.unpack(">%dH" % (len(x) // 2), x)) for x in (pseudo, bytes(ip))]
    total = [(t & 0xFFFF) + (t >> 16) for t in total]
    total = [struct.pack(">H", ~((t & 0xFFFF) + (t >> 16)) & 0xFFFF) for t in total]
    ip[10:12] = total[1]
    return udp[:14] + bytes(ip) + tcp[:16] + total[0] + tcp[18:]


def verified():
    """A card's word on checksums: net_tap looks at them as one does."""
    p = start("weir", "--json", "--events", "syn,bad_checksum", "--stats",
              *dpdk("net_tap0,iface=tap0", "net_tap0"), "tcp or vlan")
    until(lambda: packets(p) == 0 or p.p.poll() is not None)
    if p.p.poll() is not None:
        print("# without net_tap: %s" % p.err())
        return
    subprocess.run(["ip", "link", "set", "tap0", "up"], check=True)
    wrong = bytearray(syn(1002))
    wrong[-1] ^= 1
    tagged = syn(1003)
    tagged = tagged[:12] + b"\x81\x00\x00\x05" + tagged[12:]
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind(("tap0", 0))
        for f in syn(1001), wrong, tagged:
            s.send(f)
    code = run_to(p, 3)
    seen, stats = p.events()[:-1], p.events()[-1]
    ok(code == 0 and [(e["flow_event"]["event"], e.get("src_port")) for e in seen] ==
       [("syn", 1001), ("bad_checksum", None), ("syn", 1003)],
       "net_tap: wrong checksums are found, whoever looks", seen, p.err())
    ok(stats["frames_verified"] >= 1 and stats["bad_checksums"] == 1, "right ones are left to the card", stats)


def large_frames():
    with tempfile.TemporaryDirectory() as folder:
        write_capture(folder + "/large.pcap", [frame(1000, 9014), frame(1001, 9023)])
        p = start("weir", "-v", "--stats", "--mtu", "9000", *from_file(folder + "/large.pcap"))
        code = run_to(p, 2)
        stats = counters_of(p.out())
        ok(code == 0 and stats["frames_copied"] == 0 and stats["packets"] == 2 and
           "2047 buffers of 9154 bytes, MTU 9000" in p.err(), "--mtu makes room for large frames", stats, p.err())
    fails(["--mtu", "65535", *dpdk("net_af_packet0,iface=wb", "0")], "its MTU is at most", 2, "an MTU that is too large")
    fails(["--mtu", "67", *dpdk("net_null0", "0")], "--mtu: 68 to 65535", 2, "an MTU that is none")


def users():
    p = start("weir", "--user", "nobody", "--json", "--events", "datagram", *dpdk("net_af_packet0,iface=wb", "0"), "udp")
    until(lambda: packets(p) == 0)
    ids = {tuple(t["Uid"].split()) for t in p.threads()}
    send("wa", 1003, 5)
    code = run_to(p, 5)
    ok(code == 0 and ids == {(str(NOBODY),) * 4} and len(p.events()) == 5,
       "--user once the ports are open", ids, code, p.err())


FAULTS = (
    # arguments of DPDK, port, what is said, exit code
    ("--vdev=net_null0", "net_null7", "DPDK has no such port; it has net_null0", 2),
    ("--vdev=net_null0", "1", "DPDK has no such port; it has net_null0", 2),
    ("", "0", "DPDK has no port: bind a card", 2),
    ("--vdev=net_foo0", "net_foo0", "what --vdev or -a names is no device", 2),
    ("--vdev=net_pcap0,rx_pcap=/none", "0", "DPDK has no port: .*/none: No such file", 2),
    ("--vdev=net_pcap0,bogus=1", "net_pcap0", "its driver does not take these arguments", 2),
    ("--vdev=net_af_packet0,iface=none", "0", "DPDK has no port: .*No such device", 2),
    ("--vdev=net_null0 --bogus", "0", "unrecognized option '--bogus'", 2),
    ("--vdev=net_null0 bogus", "0", "'bogus' is no option of DPDK's", 2),
    ("--in-memory", "0", "--no-huge and --in-memory exclude each other", 2),
    ("-l 4000", "0", "-l names CPUs that there are not", 2),
    ("--lcores=x", "0", "DPDK does not start: invalid parameter for --lcores", 2),
    ("--vdev=net_null0 -m 1", "0", "no memory for 2047 buffers", 1),
    ("--vdev='net_null0", "0", "a quotation mark is not closed", 2),
)


def fails(words, text, code, name):
    p = start("weir", *words)
    seen = p.end(None)
    ok(seen == code and len(p.err().splitlines()) == 1 and re.search(text, p.err()) is not None and p.out() == "",
       name, seen, p.err(), p.out()[:200])


def faults():
    for args, port, text, code in FAULTS:
        fails(["--dpdk", EAL + " " + args, "--port", port], text, code, "told in a line: %s, %s" % (args, port))
    with open("/proc/sys/vm/nr_hugepages") as file:
        none = int(file.read()) == 0
    if none:
        fails(["--dpdk", "--no-telemetry --no-pci --in-memory", "--port", "0"],
              r"there are no hugepages: echo 512 > /proc/sys/vm/nr_hugepages, or add --no-huge", 1, "no hugepages")
    fails(["--dpdk", EAL + " --vdev=net_null0", "--inline", "net_null0:x"], r"--inline x: DPDK has no such port; it has net_null0",
          2, "a port that --inline named")
    fails(dpdk("net_null0", "0", "net_null0"), "--port net_null0: it is read already", 2, "a port named twice")
    # what the driver of a card says that nobody asked for is not why
    fails(["--dpdk", EAL.replace("--no-pci", ""), "--port", "0"], "--port 0: DPDK has no (such )?port[:;] (bind a card|it has)", 2,
          "no port")
    fails(["--port", "0"], "--dpdk 'ARGS' is expected", 2, "a port without --dpdk")
    fails(["--dpdk", EAL], "a --port or --inline is expected", 2, "--dpdk without a port")
    fails([*dpdk("net_null0", "0"), "-i", "wb"], "-i and --port exclude each other", 2, "-i and --port")
    fails([*dpdk("net_null0", "0"), "-r", BUILD + "/pcaps/tour.pcap"], "--port and -r exclude each other", 2, "-r and --port")
    fails([*dpdk("net_null0", "0"), "tcp prt 80"], "syntax error", 2, "a filter that is wrong")


def ids():
    path = BUILD + "/pcaps/http_attack.pcap"
    rules = os.environ["srcdir"] + "/pcaps/example.rules"
    words = "weir-ids", "-S", rules, "-k", "none", "-l", "DIR"
    r = replay(*words, "-r", path)
    p = start(*words, *from_file(path))
    code = run_to(p, count(path))
    alerts = [[(a["alert"]["signature_id"], a["src_ip"], a["timestamp"]) for a in x.records("alert")] for x in (r, p)]
    names = {e.get("in_iface") for e in p.records()} - {None}
    ok(code == 0 and alerts[0] and alerts[0] == alerts[1] and names == {"net_pcap0"},
       "weir-ids: the same alerts as of the file", alerts, names, p.err())


def prads():
    path = BUILD + "/pcaps/assets.pcap"
    r = replay("weir-prads", "-l", "DIR", "-r", path)
    p = start("weir-prads", "-l", "DIR", *from_file(path))
    code = run_to(p, count(path))
    ok(code == 0 and r.read("prads-asset.log") != "" and p.read("prads-asset.log") == r.read("prads-asset.log"),
       "weir-prads: the same assets as of the file", p.err(), p.read("prads-asset.log")[:300])


def not_built():
    p = start("weir", *dpdk("net_null0", "0"))
    ok(p.end(None) == 2 and "this build has no DPDK: install libdpdk-dev" in p.err() and len(p.err().splitlines()) == 1,
       "a build without DPDK says so", p.err())


def main():
    with open(BUILD + "/config.h") as file:
        if "#define HAVE_DPDK" not in file.read():
            return live.try_all([not_built])
    libc = ctypes.CDLL(None, use_errno=True)
    tests = [captures, pieces, filters, queues, null, idle, threads]
    try:
        if libc.unshare(CLONE_NEWNET) != 0:
            raise OSError("no right to make a network namespace")
        if os.path.exists("/proc/sys/net/ipv6/conf/default/disable_ipv6"):
            with open("/proc/sys/net/ipv6/conf/default/disable_ipv6", "w") as file:
                file.write("1")  # the kernel's own packets are not wanted here
        for pair in PAIRS:
            make_pair(pair)
            for name in pair:
                subprocess.run(["ethtool", "-K", name, "tx", "off", "tso", "off", "gso", "off", "gro", "off"],
                               capture_output=True)
        tests += [packet_sockets, large_frames, verified, users, faults]
    except (OSError, subprocess.SubprocessError) as error:
        print("# without net_af_packet: %s" % error)
    for name, test in (("weir-ids", ids), ("weir-prads", prads)):
        if os.access("%s/%s" % (BUILD, name), os.X_OK):
            tests.append(test)
    return live.try_all(tests)


sys.exit(main())
