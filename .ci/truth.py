#!/usr/bin/env python3
"""Compare `weir --streams` with reference results of outside captures.

    truth.py WEIR FOLDER [--list]

FOLDER holds captures and truth.jsonl: for each capture its TCP streams, with length and SHA-256 of
both directions as other tools reassembled them. Counted are the directions where those tools agree
(class in_order, reordered or overlap_same, and the first copy of all bytes is what tshark gives),
and whose flow weir decodes: those in fragments are counted apart.
Prints a line for each difference with --list, then the counts; exit 1 below 99.5 %.
"""
import collections
import concurrent.futures
import hashlib
import ipaddress
import json
import os
import socket
import subprocess
import sys
import tempfile

CLASSES = ("in_order", "reordered", "overlap_same")


def end_name(end):
    host, port = end.rsplit(":", 1)
    address = ipaddress.ip_address(host.strip("[]"))
    if address.version == 4:
        text = ".".join("%03d" % int(part) for part in host.split("."))
    else:
        text = socket.inet_ntop(socket.AF_INET6, address.packed)
    return "%s.%05d" % (text, int(port))


def expected(capture):
    """(file name without suffix, sha256, class) of each direction that is certain."""
    for stream in capture["streams"]:
        for i, direction in enumerate(stream["dir"]):
            group = direction.get("class", {})
            tshark = direction.get("tshark", {})
            if group.get("class") not in CLASSES or tshark.get("len", 0) == 0:
                continue
            if tshark["sha256"] != group["first_wins_sha256"]:
                continue
            ends = [end_name(stream["a"]), end_name(stream["b"])]
            yield "-".join(ends if i == 0 else ends[::-1]), tshark["sha256"], group["class"]


def flow_names(events):
    """File names without suffix of both directions of each flow that ended."""
    for line in events.splitlines():
        event = json.loads(line)
        if event.get("proto") == "TCP":
            ends = [end_name("%s:%d" % (event[side + "_ip"], event[side + "_port"]))
                    for side in ("src", "dest")]
            yield "-".join(ends)
            yield "-".join(ends[::-1])


def found(weir, path):
    """{(file name without suffix, sha256)} of what weir wrote, names of its flows, how it ended."""
    streams = set()
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([weir, "-q", "-k", "none", "--json", "--events", "flow_end",
                              "--streams", folder, "-r", path],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as file:
                digest = hashlib.sha256(file.read()).hexdigest()
            src, dst = name.split("-", 1)
            dst = dst.split("--")[0]
            streams.add((src + "-" + dst.split("c")[0] if ":" not in dst
                         else src + "-" + dst[:dst.rindex(".") + 6], digest))
    return streams, set(flow_names(run.stdout.decode())), run


def check(weir, folder, capture):
    path = os.path.join(folder, capture["pcap"])
    streams, flows, run = found(weir, path)
    rows = [(group if name in flows else "not decoded", (name, digest) in streams, capture["pcap"],
             name) for name, digest, group in expected(capture)]
    crashed = run.returncode < 0 or run.returncode > 2 or b"Sanitizer" in run.stderr
    return rows, capture["pcap"] if crashed else None


def main():
    weir, folder = sys.argv[1:3]
    with open(os.path.join(folder, "truth.jsonl")) as file:
        captures = [json.loads(line) for line in file]
    good, all_of, crashes = collections.Counter(), collections.Counter(), []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for rows, crashed in pool.map(lambda c: check(weir, folder, c), captures):
            if crashed:
                crashes.append(crashed)
            for group, right, pcap, name in rows:
                all_of[group] += 1
                good[group] += right
                if not right and "--list" in sys.argv:
                    print("%s: %s: %s" % (group, pcap, name))
    for pcap in crashes:
        print("crashed: %s" % pcap)
    print("not decoded: %d" % all_of.pop("not decoded", 0))
    for group in CLASSES:
        print("%s: %d of %d" % (group, good[group], all_of[group]))
    share = sum(good[group] for group in CLASSES) / max(1, sum(all_of.values()))
    print("all: %.2f %%" % (100 * share))
    return 0 if share >= 0.995 and not crashes else 1


if __name__ == "__main__":
    sys.exit(main())
