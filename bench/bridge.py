#!/usr/bin/env python3
"""Throughput of weir as a bridge against that of a plain forwarder, both over DPDK's net_af_packet.

    bridge.py BUILD [ROUNDS [SECONDS]]         (default: 9 rounds of 4 seconds)

Two network namespaces joined by one or the other in turn; iperf3 from one to the other. Of each the
median counts. Needs root, iperf3 and ethtool.
"""
import json, os, signal, statistics, subprocess, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests"))
from hosts import ADDRESS, Hosts

BUILD = os.path.abspath(sys.argv[1])
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 9
SECONDS = int(sys.argv[3]) if len(sys.argv) > 3 else 4
BAR = 90  # % of the forwarder
RING = "framecnt=4096,blocksz=4194304"
DPDK = ("--no-huge --no-shconf --no-telemetry --no-pci -m 64 -l %d --vdev=net_af_packet0,iface=w0,%s "
        "--vdev=net_af_packet1,iface=w1,%s" % (min(os.sched_getaffinity(0)), RING, RING))
PAIR = "net_af_packet0:net_af_packet1"
SUBJECTS = {
    "forwarder": [BUILD + "/bench/bench_bridge", DPDK],
    "weir": [BUILD + "/weir", "-q", "--summary", "--dpdk", DPDK, "--inline", PAIR],
    "weir, checksums off": [BUILD + "/weir", "-q", "-k", "none", "--summary", "--dpdk", DPDK, "--inline", PAIR],
    "weir on interfaces": [BUILD + "/weir", "-q", "-j", "1", "--summary", "--inline", "w0:w1"],
}


def cpu(pid):
    with open("/proc/%d/stat" % pid) as file:
        words = file.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def answers(hosts):
    with hosts.at(0):
        return subprocess.run(["ping", "-c", "1", "-W", "1", ADDRESS[4][1]], capture_output=True).returncode == 0


def measure(hosts, words):
    """Mbit/s, retransmissions, and CPU nanoseconds of the bridge for each 1448 bytes."""
    bridge = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(20):
            if answers(hosts):
                break
        server = hosts.start(1, "iperf3", "-s", "-1", stdout=subprocess.DEVNULL)
        time.sleep(0.3)
        before = cpu(bridge.pid)
        seen = json.loads(hosts.run(0, "iperf3", "-J", "-c", ADDRESS[4][1], "-t", str(SECONDS)))["end"]
        used = cpu(bridge.pid) - before
        server.wait()
    finally:
        bridge.send_signal(signal.SIGTERM)
        bridge.wait()
    got = seen["sum_received"]
    return got["bits_per_second"] / 1e6, seen["sum_sent"]["retransmits"], used * 1e9 / (got["bytes"] / 1448)


def main():
    hosts = Hosts()
    results = {name: [] for name in SUBJECTS}
    for k in range(ROUNDS):
        names = list(SUBJECTS)
        for name in names[k % len(names):] + names[:k % len(names)]:
            results[name].append(measure(hosts, SUBJECTS[name]))
    hosts.end()
    floor = statistics.median(r[0] for r in results["forwarder"])
    for name, all_of_it in results.items():
        rate, again, ns = (statistics.median(r[i] for r in all_of_it) for i in range(3))
        print("%-22s %6.0f Mbit/s (%5.1f %%), %5.0f retransmissions, %5.0f ns of CPU a segment%s" % (
            name, rate, 100 * rate / floor, again, ns,
            "  MISSED" if name == "weir" and 100 * rate / floor < BAR else ""))
    print("bar: %d %% of the forwarder" % BAR)


main()
