#!/usr/bin/env python3
"""Does weir-prads know the TCP of this host's kernel?

    stacks.py WEIR-PRADS STACKS

Makes two network namespaces joined by a pair of interfaces and connects from one to the other, over
IPv4 and IPv6, by links of different MTU, with options of TCP switched off in the namespaces. Of what
was sent weir-prads must name Linux by a specific signature of the file. Exit: 0 it does, 1 it does
not, 77 that cannot be tried here. Nothing outside the namespaces changes; they go with the processes.
"""
import ctypes, itertools, json, os, socket, struct, subprocess, sys, tempfile

CLONE_NEWNET = 0x40000000
SPECIFIC = 75  # per cent
libc = ctypes.CDLL(None, use_errno=True)
ADDRESS = {4: ("10.98.0.1", "10.98.0.2"), 6: ("fd98::1", "fd98::2")}
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
LOOPBACK = {4: "127.0.0.1", 6: "::1"}
SWITCHES = "tcp_timestamps", "tcp_window_scaling", "tcp_sack"


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def new_namespace():
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError("no right to make a network namespace")


class Sides:
    """The client's namespace is this process's own; the server's is held by a child."""

    def __init__(self):
        new_namespace()
        self.own = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.holder = subprocess.Popen(["sleep", "600"], preexec_fn=new_namespace)
        self.other = os.open("/proc/%d/ns/net" % self.holder.pid, os.O_RDONLY)

    def on_both(self, do):
        for side, namespace in enumerate((self.own, self.other)):
            libc.setns(namespace, CLONE_NEWNET)
            do(side)
        libc.setns(self.own, CLONE_NEWNET)

    def join(self):
        run("ip", "link", "add", "side0", "type", "veth", "peer", "name", "side1")
        run("ip", "link", "set", "side1", "netns", str(self.holder.pid))
        self.on_both(self.set_up)

    def set_up(self, side):
        name = "side%d" % side
        run("ip", "link", "set", name, "up")
        run("ip", "link", "set", "lo", "up")
        run("ip", "addr", "add", ADDRESS[4][side] + "/24", "dev", name)
        run("ip", "addr", "add", ADDRESS[6][side] + "/64", "dev", name, "nodad")

    def choose(self, mtu, buffer, switches):
        def do(side):
            if mtu:
                run("ip", "link", "set", "side%d" % side, "mtu", str(mtu))
            with open("/proc/sys/net/ipv4/tcp_rmem", "w") as file:
                file.write("4096 131072 %d" % (buffer << 20))
            for name, value in zip(SWITCHES, switches):
                with open("/proc/sys/net/ipv4/" + name, "w") as file:
                    file.write(str(value))
        self.on_both(do)

    def listen(self, address, version, port):
        libc.setns(self.own if address in LOOPBACK.values() else self.other, CLONE_NEWNET)
        try:
            return socket.create_server((address, port), family=FAMILY[version])
        finally:
            libc.setns(self.own, CLONE_NEWNET)


def connect(sides, mtu, version, port, capture):
    address = ADDRESS[version][1] if mtu else LOOPBACK[version]
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    raw.bind(("side0" if mtu else "lo", 0))
    raw.settimeout(0.1)
    with sides.listen(address, version, port) as server:
        with socket.create_connection((address, port), timeout=5):
            server.accept()[0].close()
    capture.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    try:
        for number in itertools.count():
            frame = raw.recv(65535)
            capture.write(struct.pack("<IIII", 1700000000, number, len(frame), len(frame)) + frame)
    except socket.timeout:
        capture.flush()
    raw.close()


def systems(prads, stacks, capture):
    """What is said of the senders of SYN and SYN/ACK."""
    with tempfile.TemporaryDirectory() as logs:
        run(prads, "-q", "-k", "none", "--checks", "syn,synack", "--sig-dir", logs, "--stacks", stacks, "-l", logs,
            "-r", capture)
        with open(logs + "/assets.json") as file:
            assets = [json.loads(line)["asset"] for line in file]
    return {asset["source"]: asset for asset in assets if asset["change"] == "new" and asset["kind"] == "os"}


def wrong(found):
    for source in "syn", "synack":
        asset = found.get(source)
        if asset is None:
            yield source + ": not seen"
        elif asset["value"].split()[0] != "Linux" or asset["confidence"] < SPECIFIC:
            yield "%s: %s, %d %%: %s" % (source, asset["value"], asset["confidence"], asset["details"]["p0f"])


def cases():
    """MTU (0: loopback), MiB of buffer, IP version, switches."""
    yield from itertools.product((1500, 9000), (6,), (4, 6), (1, 0), (1, 0), (1, 0))
    yield from itertools.product((0, 1280, 1420, 1492, 1500, 9000), (6, 32), (4, 6), (1,), (1,), (1,))


def main():
    prads, stacks = sys.argv[1:3]
    sides = None
    try:
        sides = Sides()
        sides.join()
        sides.choose(1500, 6, (1, 1, 1))
    except (OSError, subprocess.SubprocessError) as error:
        print(error)
        if sides is not None and hasattr(sides, "holder"):
            sides.holder.terminate()
        return 77
    bad, n, seen = 0, 0, set()
    try:
        for mtu, buffer, version, *switches in cases():
            n += 1
            sides.choose(mtu, buffer, switches)
            with tempfile.NamedTemporaryFile(suffix=".pcap") as capture:
                connect(sides, mtu, version, 2000 + n, capture)
                found = systems(prads, stacks, capture.name)
            for text in wrong(found):
                bad += 1
                print("MTU %d, IPv%d, timestamps %d, scale %d, sack %d:" % (mtu, version, *switches), text)
            seen |= {asset["value"] for asset in found.values()}
    finally:
        sides.holder.terminate()
    print("Linux %s: %d connections, %d not known; %s" % (os.uname().release, n, bad, ", ".join(sorted(seen))))
    return 1 if bad else 0


sys.exit(main())
