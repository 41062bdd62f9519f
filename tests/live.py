#!/usr/bin/env python3
"""The programs on interfaces: several at a time, links that go and come, drops, signals, privileges.

    live.py BUILD

Makes a network namespace with two pairs of interfaces, and runs what is in BUILD there. Prints TAP.
Exit: 77 that cannot be tried here.
"""
import ctypes, json, os, signal, socket, struct, subprocess, sys, tempfile, time, traceback

CLONE_NEWNET = 0x40000000
NOBODY = 65534
BUILD = os.path.abspath(sys.argv[1])
PAIRS = ("wa", "wb"), ("wc", "wd")  # of each, frames go into the first and are read from the second
failed = number = 0
running = []  # processes that tests started


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def make_pair(pair):
    run("ip", "link", "add", pair[0], "type", "veth", "peer", "name", pair[1])
    for name in pair:
        run("ip", "link", "set", name, "up")


def frame(port, size=100):
    """UDP from 10.0.0.1:port to 10.0.0.2:9."""
    udp = struct.pack(">HHHH", port, 9, size - 34, 0) + bytes(size - 42)
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, size - 14, 0, 0, 64, 17, 0, b"\n\0\0\1", b"\n\0\0\2")
    total = sum(struct.unpack(">10H", ip))
    total = (total & 0xFFFF) + (total >> 16)
    ip = ip[:10] + struct.pack(">H", ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF) + ip[12:]
    return b"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0" + ip + udp


def fragments(port, size=100):
    """The same frame as two fragments."""
    whole = frame(port, size)
    for start, end, flags in (34, 34 + 48, 0x2000), (34 + 48, size, 6):
        ip = whole[14:16] + struct.pack(">HHH", 20 + end - start, port, flags) + whole[22:24] + b"\0\0" + whole[26:34]
        total = sum(struct.unpack(">10H", ip))
        total = (total & 0xFFFF) + (total >> 16)
        yield whole[:14] + ip[:10] + struct.pack(">H", ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF) + ip[12:] + whole[start:end]


def send_fragments(interface, port):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as s:
        s.bind((interface, 0))
        for data in fragments(port):
            s.send(data)


def send(interface, port, count=1):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as s:
        s.bind((interface, 0))
        data = frame(port)
        for k in range(count):
            s.send(data)
            if k % 100 == 99:  # what else this CPU's queue of packets is for has its turn
                time.sleep(0.0005)


def listening():
    """Packet sockets of this namespace that take everything in."""
    with open("/proc/net/packet") as file:
        return sum(line.split()[3] == "0003" for line in list(file)[1:])


def until(what, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.02)
    return bool(what())


def queues(words):
    """Packet sockets that it reads an interface through."""
    if "--inline" in words:
        return 1
    return int(words[words.index("-j") + 1]) if "-j" in words else 1


class Program:
    """One run; sockets: how many interfaces it has to open before it counts as started."""

    def __init__(self, *words, sockets=1, **how):
        self.dir = tempfile.TemporaryDirectory()
        os.chmod(self.dir.name, 0o777)
        self.path = os.path.join(self.dir.name, "")
        self.files = [open(self.path + name, "w") for name in ("out", "err")]
        words = [w.replace("DIR", self.dir.name) for w in words]
        self.p = subprocess.Popen([os.path.join(BUILD, words[0]), *words[1:]], stdout=self.files[0],
                                  stderr=self.files[1], stdin=subprocess.DEVNULL, **how)
        running.append(self.p)
        sockets *= queues(words)
        self.started = sockets == 0 or until(lambda: listening() >= sockets or self.p.poll() is not None)

    def read(self, name):
        try:
            with open(self.path + name) as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def out(self):
        return self.read("out")

    def err(self):
        return self.read("err")

    def records(self, kind=None, name="eve.json"):
        lines = [json.loads(line) for line in self.read(name).split("\n")[:-1]]
        return [r for r in lines if kind in (None, r["event_type"])]

    def events(self):
        return self.records(name="out")

    def kill(self, number):
        self.p.send_signal(number)

    def end(self, number=signal.SIGTERM):
        """Stop it; its exit code."""
        if number and self.p.poll() is None:
            self.kill(number)
        try:
            return self.p.wait(20)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
            return "it had to be killed"

    def seconds(self):
        with open("/proc/%d/stat" % self.p.pid) as file:
            words = file.read().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def threads(self):
        for task in os.listdir("/proc/%d/task" % self.p.pid):
            with open("/proc/%d/task/%s/status" % (self.p.pid, task)) as file:
                yield dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def ok(good, name, *seen):
    global failed, number
    number += 1
    print("%s %d - %s" % ("ok" if good else "not ok", number, name))
    if not good:
        failed += 1
        for what in seen:
            print("\n".join("# " + line for line in str(what).split("\n")))
    sys.stdout.flush()


def try_all(tests, chosen=lambda name: len(sys.argv) < 3 or name in sys.argv[2:]):
    """One that raises fails by that, and takes no other along. Prints the plan; the exit code."""
    for test in tests:
        if not chosen(test.__name__):
            continue
        try:
            test()
        except Exception:
            ok(False, test.__name__ + ": it ends", traceback.format_exc())
        for p in running:
            if p.poll() is None:
                p.kill()
                p.wait()
        running.clear()
    print("1..%d" % number)
    return failed != 0


EVENTS = "weir", "--json", "--events", "datagram"
BOTH = "-i", "wb", "-i", "wd"


def ports_of(program):
    return [e["src_port"] for e in program.events()]


def two_interfaces():
    p = Program(*EVENTS, *BOTH, "udp", sockets=2)
    before = p.seconds()
    time.sleep(1)
    idle = p.seconds() - before
    for k in range(3):
        send("wa", 1000 + k)
        send("wc", 2000 + k)
        until(lambda: len(p.events()) == 2 * k + 2)
    code = p.end(signal.SIGINT)
    ok(code == 0 and sorted(ports_of(p)) == [1000, 1001, 1002, 2000, 2001, 2002],
       "packets of two interfaces make one run", code, p.out(), p.err())
    ok([e["pcap_cnt"] for e in p.events()] == list(range(1, 7)), "its numbers go on", p.out())
    ok(idle < 0.2, "it sleeps while nothing comes", idle)


def one_is_busy():
    p = Program(*EVENTS, "-j", "1", *BOTH, "udp", sockets=2)
    p.kill(signal.SIGSTOP)
    send("wa", 1000, 5000)
    send("wc", 2000, 100)
    time.sleep(0.3)  # till the kernel has them ready
    p.kill(signal.SIGCONT)
    until(lambda: len(p.events()) == 5100)
    code = p.end()
    late = [e["pcap_cnt"] for e in p.events() if e["src_port"] == 2000]
    ok(code == 0 and len(late) == 100 and late[0] <= 200 and late[-1] <= 400,
       "interfaces are read in turn", code, late, p.err())


def time_passes():
    p = Program("weir", "-q", "--json", "--events", "flow_end", "-i", "wb", "--set",
                "flow-timeouts.udp.new=1", "udp")
    send("wa", 1000)
    found = until(lambda: len(p.events()) == 1, 5)
    ok(found and p.events()[0]["flow_event"]["reason"] == "timeout" and p.end() == 0,
       "a flow ends by its timeout though no packet comes", p.out(), p.err())


def many_cores():
    p = Program(*EVENTS, "-j", "4", *BOTH, "udp", sockets=2)
    for k in range(100):
        send("wa" if k % 2 else "wc", 1000 + k, 20)
    until(lambda: len(p.events()) == 2000)
    numbers = [e["pcap_cnt"] for e in p.events()]
    code = p.end()
    ok(code == 0 and numbers == sorted(numbers) and len(numbers) == 2000 and
       sorted(set(ports_of(p))) == list(range(1000, 1100)),
       "several packet threads print in the order of packets", code, len(numbers), p.err())


def several_queues():
    """A packet socket for each core, in a fan-out group of an interface."""
    p = Program(*EVENTS, "-v", "-j", "3", *BOTH, "--stats", "udp", sockets=2)
    until(lambda: "wd: read through 3 packet sockets" in p.err())  # what came before is counted by each
    sockets = listening()
    for k in range(200):
        send("wa" if k % 2 else "wc", 1000 + k, 20)
    until(lambda: len(p.events()) == 4000)
    for k in range(10):
        send_fragments("wa", 2000 + k)
    until(lambda: len(p.events()) == 4010)
    code = p.end()
    stats, seen, whole = p.events()[-1], p.events()[:4000], p.events()[4000:-1]
    count = {}
    for e in seen:
        count[e["src_port"]] = count.get(e["src_port"], 0) + 1
    ok(code == 0 and sockets == 6 and "wd: read through 3 packet sockets" in p.err() and count == {1000 + k: 20 for k in range(200)} and
       [e["pcap_cnt"] for e in seen] == list(range(1, 4001)),
       "of several queues each packet comes once", code, sockets, len(seen), p.err())
    ok(stats["kernel_packets"] == stats["packets"] == 4020 and stats["kernel_drops"] == 0,
       "what their sockets count adds up", stats)
    ok(sorted(e["src_port"] for e in whole) == list(range(2000, 2010)) and stats["fragments"] == 20,
       "fragments come as they are, and are put together", [e["src_port"] for e in whole], stats)


def links():
    for cores in "1", "3":
        links_of(cores)


def links_of(cores):
    p = Program(*EVENTS, "-j", cores, *BOTH, "udp", sockets=2)
    run("ip", "link", "set", "wb", "down")
    down = until(lambda: "wb: the interface is down" in p.err())
    send("wc", 2000)
    others = until(lambda: ports_of(p) == [2000])
    run("ip", "link", "set", "wb", "up")
    up = until(lambda: "wb: the interface is up again" in p.err())
    again = until(lambda: send("wa", 1000) or 1000 in ports_of(p))
    ok(down and others, "an interface that is down holds up no other", p.err())
    ok(up and again and p.err().count("wb:") == 2, "it is read on when it is up, and told of once", p.err())

    run("ip", "link", "del", "wb")
    gone = until(lambda: "wb: the interface is gone; the others are read on" in p.err())
    send("wc", 2001)
    others = until(lambda: 2001 in ports_of(p))
    make_pair(PAIRS[0])
    back = until(lambda: "wb: the interface is there again" in p.err())
    again = until(lambda: send("wa", 1001) or 1001 in ports_of(p))
    ok(gone and others, "an interface that is gone takes no other along", p.err())
    ok(back and again, "one of its name is read in its place", p.err())
    for pair in PAIRS:
        run("ip", "link", "del", pair[0])
    code = p.end(None)
    ok(code == 1 and "no interface is left" in p.err(), "the run ends when none is left", code, p.err())
    for pair in PAIRS:
        make_pair(pair)

    p = Program(*EVENTS, "-j", cores, *BOTH, "--user", "nobody", "udp", sockets=2)
    run("ip", "link", "del", "wb")
    until(lambda: "wb: the interface is gone" in p.err())
    make_pair(PAIRS[0])
    told = until(lambda: "with the privileges left it cannot be read" in p.err())
    send("wc", 2002)
    ok(told and until(lambda: 2002 in ports_of(p)) and p.end() == 0,
       "without privileges it says that it cannot read it", p.err())


SENT = 20000


def lose_some(p):
    """Let it stand still while more comes than there is room for."""
    p.kill(signal.SIGSTOP)
    send("wa", 1000, SENT)
    p.kill(signal.SIGCONT)


def drops():
    p = Program("weir", "-i", "wb", "--buffer", "256K", "--summary", "--json", "--stats", "udp")
    lose_some(p)
    told = until(lambda: "wb: packets are lost" in p.err())
    time.sleep(1.5)
    code = p.end()
    got = p.records("summary", "out")[0]["packets"]
    stats = p.records("stats", "out")[0]
    ok(told and p.err().count("are lost") == 1, "the kernel's drops are told once", p.err())
    ok(code == 0 and (stats["kernel_packets"], stats["kernel_drops"]) == (SENT, SENT - got) and got < SENT,
       "what the kernel had and lost adds up", p.out())
    ok(", %d drops, " % (SENT - got) in p.err() and
       "%d packets received by the kernel, %d of them lost" % (SENT, SENT - got) in p.err(),
       "the closing summary has it", p.err())
    p = Program("weir", "-q", "-i", "wb", "--buffer", "256K", "--summary", "udp")
    lose_some(p)
    time.sleep(1.5)
    ok(p.end() == 0 and p.err() == "", "-q tells nothing of it", p.err())


def options():
    p = Program("weir", "-q", "--json", "--events", "packet,datagram,bad_packet", "-i", "wb", "--snaplen", "60",
                "--no-promisc", "--immediate", "udp")
    quiet = run("ip", "-d", "link", "show", "wb")
    send("wa", 1000)
    seen = until(lambda: p.events() != [])
    data = [e["flow_event"] for e in p.events() if e["flow_event"]["event"] == "datagram"]
    p.end()
    ok(seen and "promiscuity 0" in quiet, "--no-promisc leaves the card as it is", quiet, p.out())
    ok(len(data) == 1 and data[0]["data"] == "A" * 24, "--snaplen cuts", p.out())
    p = Program("weir", "-q", "-i", "any", "--json", "--events", "datagram", "udp")
    send("wa", 1001)
    ok(until(lambda: 1001 in ports_of(p)) and p.end() == 0, "any is all interfaces", p.out(), p.err())


def talk():
    """A connection over lo, with a question and an answer."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        peer, _ = server.accept()
        with peer:
            client.sendall(b"question")
            peer.recv(100)
            peer.sendall(b"answer")
            client.recv(100)


def loopback():
    run("ip", "link", "set", "lo", "up")
    chosen = "--json", "--events", "payload,bad_checksum", "-i", "lo", "tcp"
    p = Program("weir", *chosen)
    talk()
    heard = until(lambda: len(p.events()) == 2)
    ok(heard and [e["flow_event"]["event"] for e in p.events()] == ["payload"] * 2 and p.end() == 0 and
       "lo: packets carry no checksums there" in p.err(), "lo is followed as it is", p.out(), p.err())
    p = Program("weir", *chosen, "-k", "all")
    talk()
    told = until(lambda: "use -k none" in p.err(), 15)
    ok(told and p.p.poll() is None and p.end() == 0 and p.err().count("-k none") == 1 and
       {e["flow_event"]["event"] for e in p.events()} == {"bad_checksum"},
       "wrong checksums are told of in the run, once", p.out(), p.err())


def faults():
    p = Program("weir", "-i", "nonesuch", sockets=0)
    ok(p.end(None) == 2 and p.err() ==
       "weir: nonesuch: there is no such interface (--list-interfaces names all)\n",
       "an interface that is not there", p.err())
    run("ip", "link", "set", "wb", "down")
    p = Program("weir", "-q", "-i", "wd", "-i", "wb", sockets=0)
    ok(p.end(None) == 1 and p.err() == "weir: wb: the interface is not up (ip link set dev NAME up)\n",
       "one that is not up", p.err())
    run("ip", "link", "set", "wb", "up")
    p = Program("weir", "-q", "-i", "wb", sockets=0, user=NOBODY)
    ok(p.end(None) == 1 and p.err().count("\n") == 1 and "needs CAP_NET_RAW: run as root, or setcap" in p.err(),
       "no right to capture", p.err())
    p = Program("weir", "-i", "wb", "--user", "no such user", sockets=0)
    ok(p.end(None) == 2 and p.err() == "weir: there is no user 'no such user'\n", "an unknown user", p.err())
    p = Program("weir", "--list-interfaces", sockets=0)
    ok(p.end(None) == 0 and any(line.split()[:2] == ["wb", "up"] for line in p.out().split("\n") if line),
       "--list-interfaces", p.out())


def feed(fifo, text):
    """To who reads it; whether there is anybody, within a second."""
    def try_to():
        try:
            fd = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return False
        os.write(fd, text)
        os.close(fd)
        return True
    return until(try_to, 1)


def catches(p, number):
    with open("/proc/%d/status" % p.p.pid) as file:
        caught = next(line for line in file if line.startswith("SigCgt:"))
    return int(caught.split()[1], 16) >> (number - 1) & 1


def early_signals():
    fifo = tempfile.mktemp()
    os.mkfifo(fifo)
    p = Program("weir", "-q", "-i", "wb", "-F", fifo, sockets=0)
    until(lambda: catches(p, signal.SIGUSR1), 3)
    p.kill(signal.SIGUSR1)
    time.sleep(0.1)
    alive = feed(fifo, b"udp\n") and until(lambda: listening() > 0)
    ok(alive and p.end() == 0 and "kernel_drops" in p.err(), "SIGUSR1 while the program begins is kept", p.err())
    p = Program("weir", "-q", "-i", "wb", "-F", fifo, sockets=0)
    until(lambda: catches(p, signal.SIGHUP), 3)
    p.kill(signal.SIGHUP)
    time.sleep(0.1)
    ok(feed(fifo, b"udp\n") and p.end(None) == 0, "SIGHUP, too, which ends a program without logs well", p.err())
    os.unlink(fifo)


def counters_on_request():
    p = Program(*EVENTS, "-q", "-i", "wb", "udp")
    send("wa", 1000)
    until(lambda: len(p.events()) == 1)
    p.kill(signal.SIGUSR1)
    told = until(lambda: "limit_fragments" in p.err())
    send("wa", 1001)
    goes_on = until(lambda: len(p.events()) == 2)
    ok(told and p.err().split()[:2] == ["packets", "1"] and goes_on and p.end() == 0,
       "SIGUSR1 prints counters, and the run goes on", p.err())


def no_rules():
    for program, *words in ("weir", "--summary"), ("weir-prads", "-l", "DIR"):
        if not os.access(BUILD + "/" + program, os.X_OK):
            continue
        p = Program(program, *words, "-i", "wb", "udp")
        for _ in range(2):
            p.kill(signal.SIGUSR2)
            told = until(lambda: "SIGUSR2: %s has no rules" % program in p.err())
            time.sleep(0.2)
        ok(told and p.end() == 0 and p.err().count("SIGUSR2") == 1, "%s: SIGUSR2 is answered once" % program, p.err())


IDS = "weir-ids", "-l", "DIR/log", "-S", "DIR/my.rules"


def ids(*words, sockets=1, before=None, **how):
    """The rules lie in the folder of the run before it begins."""
    rules = tempfile.NamedTemporaryFile("w", suffix=".rules")
    rules.write('alert udp any any -> any 9 (msg:"nine"; sid:1;)\n')
    rules.flush()
    os.chmod(rules.name, 0o644)
    p = Program(*(rules.name if w == "DIR/my.rules" else w for w in IDS), *words, sockets=sockets, **how)
    p.rules = rules
    return p


def ids_counters():
    p = ids("-q", "-i", "wb", "--set", "stats.interval=1", "udp")
    found = until(lambda: len(p.records("stats", "log/eve.json")) >= 3)
    stats = [r["stats"] for r in p.records("stats", "log/eve.json")]
    ok(found and all(s["decoder"]["pkts"] == 0 for s in stats) and stats[-1]["uptime"] >= 2,
       "weir-ids: a stats record an interval, packets or not", p.read("log/eve.json"))
    p.kill(signal.SIGUSR1)
    asked = len(stats)
    ok(until(lambda: "log_dropped" in p.err()) and p.end() == 0, "weir-ids: SIGUSR1 prints counters", p.err())

    p = ids("-q", "-i", "wb", "--buffer", "256K", "udp")
    lose_some(p)
    time.sleep(1.5)
    p.kill(signal.SIGUSR1)
    found = until(lambda: p.records("stats", "log/eve.json") != [])
    stats = [r["stats"] for r in p.records("stats", "log/eve.json")]
    ok(found and stats[0]["capture"]["kernel_packets"] == SENT and
       stats[0]["capture"]["kernel_drops"] == SENT - stats[0]["decoder"]["pkts"] > 0,
       "weir-ids: SIGUSR1 writes a record with the kernel's counts", p.read("log/eve.json")[-2000:])
    p.end()


def ids_interfaces():
    p = ids("-q", *BOTH, "udp", sockets=2)
    send("wa", 1000)
    until(lambda: len(p.records("alert", "log/eve.json")) == 1)
    send("wc", 2000)
    until(lambda: len(p.records("alert", "log/eve.json")) == 2)
    code = p.end()
    seen = {(r["event_type"], r["src_port"], r["in_iface"])
            for r in p.records(name="log/eve.json") if r["event_type"] in ("alert", "flow")}
    ok(code == 0 and seen == {(kind, *where) for kind in ("alert", "flow")
                              for where in ((1000, "wb"), (2000, "wd"))},
       "weir-ids: records name their interface", code, seen)


def is_nobody(p):
    wanted = {"Uid": "\t".join([str(NOBODY)] * 4), "Gid": "\t".join([str(NOBODY)] * 4), "CapEff": "0" * 16,
              "CapPrm": "0" * 16, "NoNewPrivs": "1", "Groups": " "}
    return all(t[key].strip(" ") == value.strip(" ") for t in p.threads() for key, value in wanted.items())


def privileges():
    p = ids("-q", "-i", "wb", "--user", "nobody", "--group", "nogroup", "udp", extra_groups=[4])
    gone = until(lambda: is_nobody(p))
    ok(gone and len(list(p.threads())) >= 3, "weir-ids: --user holds for all threads", *p.threads())
    send("wa", 1000)
    until(lambda: len(p.records("alert", "log/eve.json")) == 1)
    os.chown(p.path + "log", NOBODY, NOBODY)
    os.rename(p.path + "log/eve.json", p.path + "log/old.json")
    p.kill(signal.SIGHUP)
    until(lambda: os.path.exists(p.path + "log/eve.json"))
    send("wa", 1001)
    again = until(lambda: [r["src_port"] for r in p.records("alert", "log/eve.json")] == [1001])
    ok(again and p.end() == 0, "logs are opened anew in a folder of that user", p.err())

    p = ids("-q", "-i", "wb", "--set", "run-as.user=%d" % NOBODY, "--set", "run-as.group=%d" % NOBODY, "udp")
    ok(until(lambda: is_nobody(p)) and p.end() == 0, "run-as: numbers will do", p.err())
    p = Program("weir", "-q", "-i", "wb", "udp")
    door = [t["NoNewPrivs"] for t in p.threads()]
    ok(set(door) == {"1"} and p.end() == 0, "nobody gets new privileges in any case", door)
    p = Program("weir", "-q", "-r", BUILD + "/pcaps/tour.pcap", "--user", "root", sockets=0, user=NOBODY)
    ok(p.end(None) == 1 and "cannot become" in p.err() and "only root can" in p.err(),
       "who is not root cannot change", p.err())


def ask(path, line):
    with socket.socket(socket.AF_UNIX) as s, s.makefile("rw") as file:
        s.settimeout(10)
        s.connect(path)
        file.write(line + "\n")
        file.flush()
        return json.loads(file.readline())


def control():
    p = Program("weir", "-q", "-j", "3", *BOTH, "--control", "DIR/socket", "--user", "nobody", "udp", sockets=2)
    path = p.path + "socket"
    gone = until(lambda: is_nobody(p) and len(list(p.threads())) == 3)
    ok(gone, "--user holds for the thread of --control", *p.threads())
    first = ask(path, "stats")
    for port in range(1000, 1050):
        send("wa", port)
        send("wc", port)
    done = until(lambda: ask(path, "stats")["packets"] == 100)
    seen = ask(path, "stats")
    ok(first["packets"] == 0 and first["cores"] == 3 and done and seen["flows"] == seen["live_flows"] == 50 and
       seen["events"]["flow_start"] == 50, "all cores are counted, before and between packets", first, seen)
    ok(until(lambda: ask(path, "stats")["kernel_packets"] == 100), "what the kernel counts, too")
    ok(ask(path, "shutdown") == {"ok": True} and p.end(None) == 0 and not os.path.exists(path),
       "shutdown ends a live run well", p.err())


def prads():
    p = Program("weir-prads", "-l", "DIR/log", *BOTH, "--user", "nobody", sockets=2)
    gone = until(lambda: is_nobody(p))
    p.kill(signal.SIGUSR1)
    told = until(lambda: "kernel_packets" in p.err())
    ok(gone and told and p.end() == 0, "weir-prads: the same options, signals and ends", p.err())


def main():
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup the programs would rightly ignore it
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        if libc.unshare(CLONE_NEWNET) != 0:
            raise OSError("no right to make a network namespace")
        for pair in PAIRS:
            make_pair(pair)
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except (OSError, subprocess.SubprocessError) as error:
        print("1..0 # SKIP %s" % error)
        return 0
    tests = [two_interfaces, one_is_busy, time_passes, many_cores, several_queues, links, drops, options, loopback, faults,
             early_signals, counters_on_request, no_rules, control]
    if os.access(BUILD + "/weir-ids", os.X_OK):
        tests += [ids_counters, ids_interfaces, privileges]
    if os.access(BUILD + "/weir-prads", os.X_OK):
        tests.append(prads)
    return try_all(tests)


if __name__ == "__main__":
    sys.exit(main())
