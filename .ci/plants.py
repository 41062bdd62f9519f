"""What .ci/plants needs of a capture of TCP over IPv4 over Ethernet, as the generator writes it.

    plants.py expect PCAP RULES TRUTH     prints sid, flow and direction of each planted transaction
    plants.py cut PCAP FLOWS OUT          the flows that the lines of FLOWS name, in 1-byte segments
    plants.py alerts EVE                  prints sid, flow and direction of each alert

A line is `SID CLIENT:PORT-SERVER:PORT DIRECTION`; one that is there n times means n transactions.
"""
import collections, json, re, struct, sys

FIN, SYN, RST, PSH = 1, 2, 4, 8
ETHERNET, IPV4 = 14, 20


def frames(path):
    """(record header, frame) of each packet."""
    with open(path, "rb") as file:
        data = file.read()
    at = 24
    while at < len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at:at + 16], data[at + 16:at + 16 + size]
        at += 16 + size


def key_of(frame):
    """(flow, whether from the client): the generator's servers are in 192.168.0.0/16."""
    ip = frame[ETHERNET:]
    ends = ["%d.%d.%d.%d:%d" % (*ip[12 + 4 * i:16 + 4 * i],
                                int.from_bytes(ip[IPV4 + 2 * i:IPV4 + 2 * i + 2], "big"))
            for i in (0, 1)]
    forward = ip[12] == 10
    return "-".join(ends if forward else ends[::-1]), forward


def is_tcp(frame):
    return frame[ETHERNET + 9] == 6


def data_of(frame):
    tcp = ETHERNET + IPV4
    return frame[tcp + (frame[tcp + 12] >> 4) * 4:]


# ---- what is there

def streams(path):
    """The bytes of each direction with no hole, the first copy of each byte: by (flow, forward)."""
    first, pieces = {}, collections.defaultdict(list)
    for _, frame in frames(path):
        if not is_tcp(frame):
            continue
        key = key_of(frame)
        seq = struct.unpack_from(">I", frame, ETHERNET + IPV4 + 4)[0]
        if frame[ETHERNET + IPV4 + 13] & SYN:
            first[key] = seq + 1
        elif len(data_of(frame)) > 0:
            pieces[key].append(((seq - first[key]) & 0xffffffff, data_of(frame)))
    for key, parts in pieces.items():
        stream = bytearray()
        for at, data in sorted(parts, key=lambda part: part[0]):
            if at > len(stream):
                break
            stream += data[len(stream) - at:]
        yield key, bytes(stream)


def plants(rules):
    """{bytes: (sid, whether from the client)} of the rules with sid 1 to 120."""
    found = {}
    with open(rules) as file:
        for rule in file:
            sid = int(re.search(r"sid:(\d+)", rule)[1])
            if sid <= 120:
                text = re.search(r'content:"([^"]*)"', rule)[1].split("|")
                parts = [bytes.fromhex(t) if i % 2 else t.encode() for i, t in enumerate(text)]
                found[b"".join(parts)] = sid, "to_server" in rule
    return found


def expect(pcap, rules, truth):
    """The lines; the totals of each sid have to be the generator's own."""
    what, count, lines = plants(rules), collections.Counter(), []
    any_of = {way: re.compile(b"|".join(re.escape(p) for p, (_, w) in what.items() if w == way))
              for way in (True, False)}
    for (flow, forward), stream in streams(pcap):
        for match in any_of[forward].finditer(stream):
            sid = what[match[0]][0]
            count[sid] += 1
            lines.append("%d %s %s" % (sid, flow, "to_server" if forward else "to_client"))
    with open(truth) as file:
        told = json.load(file)
    for name, base in (("uri", 1), ("body", 101)):
        found = [count[base + i] for i in range(len(told[name]))]
        if found != told[name]:
            sys.exit("%s: the generator tells %s, its capture has %s" % (name, told[name], found))
    return lines


def alerts(path):
    with open(path) as file:
        for event in map(json.loads, file):
            if event["event_type"] != "alert":
                continue
            ends = ["%s:%d" % (event[side + "_ip"], event[side + "_port"])
                    for side in ("src", "dest")]
            forward = event["direction"] == "to_server"
            yield "%d %s %s" % (event["alert"]["signature_id"],
                                "-".join(ends if forward else ends[::-1]), event["direction"])


# ---- the same bytes, one in a segment

def sum16(data):
    if len(data) % 2:
        data += b"\0"
    return sum(struct.unpack(">%dH" % (len(data) // 2), data))


def folded(total):
    while total > 0xffff:
        total = (total >> 16) + (total & 0xffff)
    return ~total & 0xffff


def one_byte(frame):
    """The frames that carry the data of one, a byte each; the last has its flags."""
    data = data_of(frame)
    ip, tcp = ETHERNET, ETHERNET + IPV4
    size = len(frame) - len(data)
    head = bytearray(frame[:size] + b"\0")
    struct.pack_into(">H", head, ip + 2, size + 1 - ip)
    struct.pack_into(">H", head, ip + 10, 0)
    struct.pack_into(">H", head, ip + 10, folded(sum16(bytes(head[ip:tcp]))))
    seq, flags = struct.unpack_from(">I", head, tcp + 4)[0], head[tcp + 13]
    struct.pack_into(">I", head, tcp + 4, 0)
    struct.pack_into(">H", head, tcp + 16, 0)
    head[tcp + 13] = flags & ~(PSH | FIN | RST)
    base = sum16(bytes(head[ip + 12:size])) + 6 + size + 1 - tcp
    for i, byte in enumerate(data):
        at = (seq + i) & 0xffffffff
        last = i + 1 == len(data)
        if last:
            base += flags - head[tcp + 13]
            head[tcp + 13] = flags
        struct.pack_into(">I", head, tcp + 4, at)
        struct.pack_into(">H", head, tcp + 16,
                         folded(base + (at >> 16) + (at & 0xffff) + (byte << 8)))
        head[size] = byte
        yield bytes(head)


def cut(pcap, flows, out):
    with open(flows) as file:
        wanted = {line.split()[1] for line in file}
    with open(out, "wb") as file:
        with open(pcap, "rb") as source:
            file.write(source.read(24))
        for record, frame in frames(pcap):
            if not is_tcp(frame) or key_of(frame)[0] not in wanted:
                continue
            for small in one_byte(frame) if len(data_of(frame)) > 0 else (frame,):
                file.write(record[:8] + struct.pack("<II", len(small), len(small)) + small)


def main():
    what, arguments = sys.argv[1], sys.argv[2:]
    if what == "cut":
        cut(*arguments)
    else:
        print("\n".join(sorted({"expect": expect, "alerts": alerts}[what](*arguments))))


if __name__ == "__main__":
    main()
