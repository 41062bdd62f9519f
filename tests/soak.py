#!/usr/bin/env python3
"""A wire under load and faults, for long: not part of make check.

    soak.py BUILD [SECONDS [GIGABYTES [interfaces | dpdk]]]       (default: 600 10 dpdk)

weir-ids stands between two hosts. Through it go streams whose bytes are compared, GIGABYTES of them at
least, short connections, datagrams, pings, and frames of all kinds; meanwhile links go down and come up,
its logs' disk is full, signals rain on it, and it stands still for moments. In the end all streams have
come as they were sent, the program ends well, its counters add up, and it has not grown: of runs of five
minutes or more, for flows are kept for some time.
Exit: 0 so it is, 1 it is not. Needs root.
"""
import contextlib, hashlib, os, random, signal, socket, subprocess, sys, tempfile, threading, time

BUILD = os.path.abspath(sys.argv[1])
SECONDS = int(sys.argv[2]) if len(sys.argv) > 2 else 600
GIGABYTES = float(sys.argv[3]) if len(sys.argv) > 3 else 10
DPDK = (sys.argv + ["", "", "", "dpdk"])[4 if len(sys.argv) > 4 else -1] == "dpdk"
sys.argv = sys.argv[:2]
import inline
from hosts import ADDRESS, Hosts, libc, run

CLONE_NEWNS = 0x20000
RULES = '''alert tcp any any -> any any (msg:"never"; content:"nowhere to be found"; sid:1;)
alert udp any any -> any any (msg:"each datagram"; sid:2;)
alert tcp any any -> any any (msg:"again"; flow-event:retransmit; sid:3;)
drop udp any any -> any 6666 (msg:"dropped"; sid:4;)
'''
STREAM = 200 << 20
stop = threading.Event()
moved = failed = asked = lost = 0
lock = threading.Lock()


def note(good, n):
    global moved, failed
    with lock:
        moved += n
        failed += not good


def hear_all(c, got):
    while data := c.recv(1 << 20):
        got.update(data)


def stream(side, port, size):
    """Whether size bytes, and their digest, come to the other host as they were sent."""
    got, sent = hashlib.blake2b(), hashlib.blake2b()

    def take(c):
        c.settimeout(60)
        hear_all(c, got)
        c.sendall(got.digest())

    thread = inline.serve(1 - side, 4, port, take)
    left, answer = size, b""
    try:
        with inline.connect(side, 4, port, 60) as c:
            while left > 0 and not stop.is_set():
                at = random.randrange(1 << 19)
                part = inline.BLOCK[at:at + min(left, 1 << 19)]
                sent.update(part)
                c.sendall(part)
                left -= len(part)
            c.shutdown(socket.SHUT_WR)
            while len(answer) < 64 and (more := c.recv(64)):
                answer += more
    except OSError as error:
        print("stream: %s" % error)
    thread.join()
    note(answer == sent.digest(), size - left)


def streams(side, base):
    k = 0
    while not stop.is_set():
        stream(side, base + k % 500, STREAM)
        k += 1


def short_ones():
    k = 0
    while not stop.is_set():
        stream(k % 2, 20000 + k % 5000, random.randrange(20000))
        k += 1


def answer_of(s, data):
    """What comes back to data, behind late answers to others; OSError: nothing."""
    while (back := s.recv(2000))[:8] != data[:8]:
        pass
    return back


def answer_all(s):
    """An echo."""
    s.settimeout(0.2)
    while not stop.is_set():
        with contextlib.suppress(OSError):
            s.sendto(*s.recvfrom(2000))


def datagrams():
    """Answers may be lost; what comes has to be right. Some go to a port that a rule drops."""
    global asked, lost
    with inline.hosts.at(1):
        far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with inline.hosts.at(0):
        near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    far.bind((ADDRESS[4][1], 6000))
    near.settimeout(0.2)
    echo = threading.Thread(target=answer_all, args=(far,))
    echo.start()
    while not stop.is_set():
        data = random.randbytes(random.randrange(8, 1400))
        asked += 1
        try:
            near.sendto(data, (ADDRESS[4][1], 6666))
            near.sendto(data, (ADDRESS[4][1], 6000))
            note(answer_of(near, data) == data, 2 * len(data))
        except OSError:
            lost += 1
        time.sleep(0.001)
    echo.join()


def frames():
    while not stop.is_set():
        with contextlib.suppress(OSError):
            inline.cross(random.randrange(2), [frame for _, frame in inline.zoo()], 1)
            inline.pings(0, random.choice((4, 6)), 3, random.choice((56, 1400)), 1)
        time.sleep(0.1)


def faults(p):
    while not stop.wait(random.uniform(3, 9)):
        what = random.randrange(5)
        if what == 0:
            name = random.choice(("w0", "w1"))
            run("ip", "link", "set", name, "down")
            time.sleep(random.uniform(0, 1))
            run("ip", "link", "set", name, "up")
        elif what == 1:
            for _ in range(200):
                p.kill(random.choice((signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)))
                time.sleep(0.005)
        elif what == 2:
            p.kill(signal.SIGSTOP)
            time.sleep(random.uniform(0, 0.3))
            p.kill(signal.SIGCONT)
        elif what == 3:  # room on the disk, for a while
            for name in os.listdir(p.logs):
                with contextlib.suppress(OSError):
                    os.truncate(os.path.join(p.logs, name), 0)
        else:
            for _ in range(5):
                p.kill(signal.SIGHUP)


def rss(pid):
    with open("/proc/%d/status" % pid) as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon:"))


def small_disk(folder):
    """1 MiB, for this process and its children alone."""
    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError("no right to make a mount namespace")
    run("mount", "--make-rprivate", "/")
    run("mount", "-t", "tmpfs", "-o", "size=1m", "none", folder)


def main():
    inline.hosts = Hosts()
    folder = tempfile.mkdtemp()
    logs = os.path.join(folder, "logs")
    os.mkdir(logs)
    small_disk(logs)
    with open(folder + "/my.rules", "w") as file:
        file.write(RULES)
    pair = inline.DPDK if DPDK else inline.PAIR
    names = ("net_af_packet0", "1") if DPDK else ("w0", "w1")
    sizes = []
    with inline.wire("-S", folder + "/my.rules", "-l", logs, *sys.argv[2:], program="weir-ids", pair=pair) as p:
        p.logs = logs
        work = [threading.Thread(target=t, args=a) for t, a in (
            (streams, (0, 7000)), (streams, (1, 8000)), (short_ones, ()), (datagrams, ()), (frames, ()), (faults, (p,)))]
        begun = told = time.monotonic()
        for thread in work:
            thread.start()
        while p.p.poll() is None and (time.monotonic() - begun < SECONDS or moved < GIGABYTES * 1e9):
            time.sleep(1)
            sizes.append(rss(p.p.pid))
            if time.monotonic() - told > 30:
                told = time.monotonic()
                print("%4.0f s, %6.2f GB, %d not as they were sent, %d KiB" % (told - begun, moved / 1e9, failed, sizes[-1]),
                      flush=True)
        alive = p.p.poll() is None
        stop.set()
        for thread in work:
            thread.join()
        time.sleep(1)
    inline.hosts.end()
    early, late = max(sizes[len(sizes) // 4:len(sizes) // 2]), max(sizes[-len(sizes) // 4:])
    right = p.code == 0 or (p.code == 1 and "records were lost" in p.err())  # to the full disk
    flat = late < early * 1.1 + 4096 or SECONDS < 300
    good = alive and right and flat and inline.adds_up(p, names, p.code) and failed == 0 and p.counters["dropped"] > 0
    print("%.2f GB, %d not as they were sent; %d datagrams, %d without an answer; RssAnon %d KiB in the second quarter, "
          "%d in the last; exit %s" % (moved / 1e9, failed, asked, lost, early, late, p.code))
    print({k: v for k, v in p.counters.items() if v and not k.startswith("limit")})
    print("adds up: %s" % inline.adds_up(p, names, p.code), p.err()[-300:] if not good else "", sep="\n")
    return not good


sys.exit(main())
