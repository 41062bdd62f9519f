#!/usr/bin/env python3
"""proto.py BUILD CAPTURES: what proto/ finds in captures, compared with tshark, value by value.

Prints for each kind of value how many tshark found, how many of those we did, and how many are ours
alone; -v: which. Not part of `make check`: dissectors differ on purpose in places."""
import collections, concurrent.futures, os, re, subprocess, sys

FIELDS = {"tls.sni": "tls.handshake.extensions_server_name", "tls.ja3": "tls.handshake.ja3", "tls.ja3s": "tls.handshake.ja3s",
          "dns.qry": "dns.qry.name", "dns.a": "dns.a", "dns.aaaa": "dns.aaaa", "ssh.hassh": "ssh.kex.hassh", "ssh.hasshserver": "ssh.kex.hasshserver",
          "ssh.banner": "ssh.protocol", "http.ua": "http.user_agent", "http.server": "http.server", "http.status": "http.response.code",
          "http.uri": "http.request.uri", "dhcp.hostname": "dhcp.option.hostname", "dhcp.vendor": "dhcp.option.vendor_class_id",
          "cert.serial": "x509af.serialNumber"}
SEP = "\x1f"

def clean(name, value):
    if name == "cert.serial":
        return re.sub("[^0-9a-f]", "", value.lower()).lstrip("0")
    value = re.sub(r"\\x[0-9a-f]{2}|\\[rnt\\]|[^\x21-\x7e]|\\[0-7]{3}", "?", value)
    if name == "dns.qry":
        return "<Root>" if value == "" else value
    return value

def ours(build, path):
    run = subprocess.run([build + "/tests/proto_dump", path], capture_output=True, text=True, errors="replace")
    found = collections.defaultdict(collections.Counter)
    for row in run.stdout.splitlines():
        number, name, value = row.split("\t", 2)
        found[name][clean(name, value)] += 1
    if run.returncode < 0 or "Sanitizer" in run.stderr:
        print("%s: %s" % (path, run.stderr[-300:]))
    return found if run.returncode == 0 else None

def theirs(path):
    command = ["tshark", "-n", "-2", "-r", path, "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=" + SEP, "-E", "separator=/t",
               "-o", "tcp.reassemble_out_of_order:TRUE", "-Y", "!icmp && !icmpv6 && !quic && !dtls"] # quoted packets, TLS over UDP
    for field in FIELDS.values():
        command += ["-e", field]
    run = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=300)
    if run.returncode != 0:
        return None
    found = collections.defaultdict(collections.Counter)
    for row in run.stdout.split("\n"):
        for name, cell in zip(FIELDS, row.split("\t")):
            for value in cell.split(SEP) if cell else ():
                found[name][clean(name, value)] += 1
    return found

def main():
    verbose = "-v" in sys.argv
    build, top = [a for a in sys.argv[1:] if a != "-v"]
    total = collections.defaultdict(lambda: [0, 0, 0])
    paths = [os.path.join(d, f) for d, _, fs in os.walk(top) for f in fs if re.search(r"\.(pcap|pcapng|cap)$", f)] if os.path.isdir(top) else [top]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda path: (path, ours(build, path), theirs(path)), sorted(paths)))
    for path, us, them in results:
        if us is None or them is None:
            continue
        for name in FIELDS:
            both = sum((us[name] & them[name]).values())
            missed, alone = them[name] - us[name], us[name] - them[name]
            total[name][0] += sum(them[name].values())
            total[name][1] += both
            total[name][2] += sum(alone.values())
            if verbose and (missed or alone):
                print("%s\t%s\tmissed %s\tonly ours %s" % (path, name, list(missed.items())[:3], list(alone.items())[:3]))
    print("%-16s %8s %8s %8s" % ("", "tshark", "both", "only us"))
    for name, (n, both, alone) in total.items():
        print("%-16s %8d %8d %8d" % (name, n, both, alone))

main()
