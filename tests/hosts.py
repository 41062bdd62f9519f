"""Two hosts with a wire between them that goes through this process's network namespace.

Host 0 has the interface h0, host 1 h1; w0 and w1 are here. The hosts are namespaces held by children; all of it
goes with this process.
"""
import contextlib, ctypes, os, subprocess

CLONE_NEWNET = 0x40000000
ADDRESS = {4: ("10.97.0.1", "10.97.0.2"), 6: ("fd97::1", "fd97::2")}
libc = ctypes.CDLL(None, use_errno=True)


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def new_namespace():
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError("no right to make a network namespace")


def no_offloads(name):
    subprocess.run(["ethtool", "-K", name, "tx", "off", "rx", "off", "tso", "off", "gso", "off", "gro", "off"],
                   capture_output=True)


class Hosts:
    def __init__(self, mtu=1500, offloads=False):
        new_namespace()
        self.mtu, self.offloads = mtu, offloads
        self.own = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.holders, self.spaces = [], []
        for _ in (0, 1):
            read, write = os.pipe()
            holder = subprocess.Popen(["sh", "-c", "echo; read x"], stdin=subprocess.PIPE, stdout=write,
                                      preexec_fn=new_namespace)
            os.close(write)
            os.read(read, 1)  # it is there
            os.close(read)
            self.holders.append(holder)
            self.spaces.append(os.open("/proc/%d/ns/net" % holder.pid, os.O_RDONLY))
        self.quiet()
        run("ip", "link", "set", "lo", "up")
        for side in (0, 1):
            self.join(side)

    @staticmethod
    def quiet():
        """What kernels say of themselves over IPv6 is not wanted on the wire."""
        for name in "all", "default":
            path = "/proc/sys/net/ipv6/conf/%s/disable_ipv6" % name
            if os.path.exists(path):
                with open(path, "w") as file:
                    file.write("1")

    def join(self, side):
        mine, his = "w%d" % side, "h%d" % side
        run("ip", "link", "add", mine, "mtu", str(self.mtu), "type", "veth", "peer", "name", his, "mtu", str(self.mtu),
            "netns", str(self.holders[side].pid))
        run("ip", "link", "set", mine, "up")
        if not self.offloads:
            no_offloads(mine)
        with self.at(side):
            run("ip", "link", "set", "lo", "up")
            run("ip", "link", "set", his, "up")
            if not self.offloads:
                no_offloads(his)
            run("ip", "addr", "add", ADDRESS[4][side] + "/24", "dev", his)
            run("ip", "addr", "add", ADDRESS[6][side] + "/64", "dev", his, "nodad")
        with self.at(1 - side):  # it may know the address of an earlier card
            run("ip", "neigh", "flush", "all")

    @contextlib.contextmanager
    def at(self, side):
        """What this thread does meanwhile, it and its children do as that host."""
        libc.setns(self.spaces[side], CLONE_NEWNET)
        try:
            yield
        finally:
            libc.setns(self.own, CLONE_NEWNET)

    def run(self, side, *words):
        with self.at(side):
            return run(*words)

    def start(self, side, *words, **how):
        with self.at(side):
            return subprocess.Popen(words, **how)

    def end(self):
        for holder in self.holders:
            holder.stdin.close()
            holder.wait()
