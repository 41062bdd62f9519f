#!/usr/bin/env python3
"""Check records of eve.json: eve.py [--expected] FILE... | --documented doc/eve.md

Every line is one JSON object; what Suricata writes too has no key that its records do not have
(doc/eve.md), each of its kind; times, addresses and bytes have their form. --expected: the files are
what whole runs print, of which the lines that are records are checked. --documented: whether the page tells of all keys.
Prints each fault, and how many records of each type were seen. Exit 1 if there were faults.
"""
import base64, collections, ipaddress, json, re, sys

TIME = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+0000$')
DATE = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$')
IPV6 = re.compile(r'([0-9a-f]{4}:){7}[0-9a-f]{4}$')
MAC = re.compile(r'([0-9a-f]{2}:){5}[0-9a-f]{2}$')
COMMUNITY = re.compile(r'1:[A-Za-z0-9+/]{27}=$')
HEX = re.compile(r'[0-9a-f]+$')
EVENT = re.compile(r'(decoder|stream|weir|http|dns|tls|ssh)(\.[a-z0-9_]+)+$|[a-z0-9_]+$')


def whole(v):
    return type(v) is int and v >= 0


def text(v):
    return isinstance(v, str)


def true(v):
    return v is True


def boolean(v):
    return isinstance(v, bool)


def address(v):
    return text(v) and (IPV6.match(v) or str(ipaddress.IPv4Address(v)) == v)


def matches(regex):
    return lambda v: text(v) and regex.match(v)


def one_of(*words):
    return lambda v: v in words


def b64(v):
    return text(v) and base64.b64decode(v, validate=True) is not None


def list_of(kind):
    return [kind]


time, date, mac, hexa = matches(TIME), matches(DATE), matches(MAC), matches(HEX)
TEXTS = list_of(text)
PORTS = {'src_port': whole, 'dest_port': whole}
END = {'ip': address, 'port': whole}
COUNTS = dict.fromkeys(('pkts_toserver', 'pkts_toclient', 'bytes_toserver', 'bytes_toclient'), whole)
HEADERS = list_of({'name': text, 'value': text})
RR = {'rrname': text, 'rrtype': text, 'ttl': whole, 'rdata': text}
HASHED = {'hash': text, 'string': text}
SSH_SIDE = {'proto_version': text, 'software_version': text, 'hassh': HASHED}
STATE = one_of('none', 'listen', 'syn_sent', 'syn_recv', 'established', 'fin_wait1', 'fin_wait2',
               'time_wait', 'last_ack', 'close_wait', 'closing', 'closed')

COMMON = {
    'timestamp': time, 'event_type': text, 'flow_id': whole, 'pcap_cnt': whole, 'vlan': list_of(whole),
    'src_ip': address, 'dest_ip': address, 'proto': text, 'icmp_type': whole, 'icmp_code': whole,
    'in_iface': text, 'pcap_filename': text, 'ip_v': one_of(4, 6), 'community_id': matches(COMMUNITY), **PORTS,
}
OF_PACKET = {
    'pkt_src': one_of('wire/pcap', 'stream (flow timeout)'), 'tx_id': whole, 'app_proto': text,
    'direction': one_of('to_server', 'to_client'), 'ether': {'src_mac': mac, 'dest_mac': mac},
    'metadata': None,
}
OBJECT = {
    'http': {
        'hostname': text, 'http_port': whole, 'url': text, 'http_user_agent': text,
        'http_content_type': text, 'http_refer': text, 'http_method': text, 'protocol': text,
        'status': whole, 'redirect': text, 'length': whole, 'request_headers': HEADERS,
        'response_headers': HEADERS,
    },
    'dns': {
        'version': one_of(3), 'type': one_of('request', 'response'), 'tx_id': whole, 'id': whole,
        'flags': hexa, 'qr': true, 'aa': true, 'tc': true, 'rd': true, 'ra': true, 'z': true,
        'opcode': whole, 'rcode': text, 'queries': list_of({'rrname': text, 'rrtype': text}),
        'answers': list_of(RR), 'authorities': list_of(RR), 'additionals': list_of(RR),
        'grouped': dict.fromkeys(('A', 'NS', 'CNAME', 'PTR', 'MX', 'TXT', 'AAAA', 'SRV'), TEXTS),
    },
    'tls': {
        'subject': text, 'issuerdn': text, 'serial': text, 'fingerprint': text, 'sni': text,
        'version': text, 'notbefore': date, 'notafter': date, 'ja3': HASHED, 'ja3s': HASHED,
        'ja4': text, 'client_alpns': TEXTS, 'server_alpns': TEXTS,
    },
    'ssh': {'client': SSH_SIDE, 'server': SSH_SIDE},
}
ALERT = {
    'action': one_of('allowed', 'blocked'), 'gid': whole, 'signature_id': whole, 'rev': whole,
    'signature': text, 'category': text, 'severity': whole, 'metadata': None,
    'context': None,
    'references': TEXTS, 'source': END, 'target': END, 'rule': text,
}
VERDICT = {
    'action': one_of('alert', 'pass', 'drop'),
    'reject-target': one_of('to_client', 'to_server', 'both'), 'reject': TEXTS,
}
TYPES = {
    'alert': {
        **OF_PACKET, **OBJECT,
        'alert': ALERT,
        'verdict': VERDICT,
        'flow': {**COUNTS, 'start': time, 'src_ip': address, 'dest_ip': address, **PORTS},
        'payload': b64, 'payload_printable': text, 'stream': one_of(0, 1), 'packet': b64,
        'packet_info': {'linktype': whole, 'linktype_name': text},
    },
    'drop': {
        **OF_PACKET,
        'drop': {
            **dict.fromkeys(('len', 'tos', 'ttl', 'ipid', 'tc', 'hoplimit', 'flowlbl', 'tcpseq',
                             'tcpack', 'tcpwin', 'tcpres', 'tcpurgp', 'udplen', 'icmp_id',
                             'icmp_seq'), whole),
            **dict.fromkeys(('syn', 'ack', 'psh', 'rst', 'urg', 'fin'), boolean),
            'reason': one_of('rules', 'flow drop', 'stream error'),
        },
        'alert': ALERT, 'verdict': VERDICT,
    },
    'packet': {
        **OF_PACKET, 'packet': b64, 'packet_info': {'linktype': whole, 'linktype_name': text},
    },
    'anomaly': {
        **OF_PACKET,
        'anomaly': {
            'type': one_of('decode', 'stream', 'applayer'), 'event': matches(EVENT),
            'layer': one_of('proto_detect', 'proto_parser'), 'app_proto': text,
        },
    },
    'flow': {
        'app_proto': text, 'metadata': None,
        'flow': {
            **COUNTS, 'start': time, 'end': time, 'age': whole,
            'state': one_of('new', 'established', 'closed', 'bypassed'),
            'reason': one_of('timeout', 'forced', 'shutdown', 'tcp_reuse', 'unknown'),
            'alerted': boolean, 'tx_cnt': whole,
        },
        'tcp': {
            'tcp_flags': hexa, 'tcp_flags_ts': hexa, 'tcp_flags_tc': hexa, 'state': STATE,
            **dict.fromkeys(('syn', 'fin', 'rst', 'psh', 'ack', 'urg', 'ecn', 'cwr', 'ts_gap',
                             'tc_gap'), true),
        },
    },
    'fileinfo': {
        **OF_PACKET, 'http': OBJECT['http'],
        'fileinfo': {
            'filename': text, 'gaps': boolean, 'stored': boolean, 'size': whole, 'tx_id': whole,
            'state': one_of('CLOSED', 'TRUNCATED', 'UNKNOWN'),
        },
    },
    'stats': {
        'stats': {
            'uptime': whole, 'capture': dict.fromkeys(('kernel_packets', 'kernel_drops', 'kernel_ifdrops'), whole),
            'decoder': dict.fromkeys(('pkts', 'bytes', 'invalid', 'avg_pkt_size'), whole),
            'flow': dict.fromkeys(('total', 'active', 'tcp', 'udp', 'icmpv4', 'icmpv6', 'memcap'), whole),
            'defrag': dict.fromkeys(('fragments', 'reassembled', 'max_frag_hits'), whole),
            'tcp': dict.fromkeys(('sessions', 'syn', 'synack', 'rst', 'urg', 'invalid_checksum',
                                  'segment_memcap_drop', 'reassembly_gap', 'overlap',
                                  'overlap_diff_data', 'insert_list_fail'), whole),
            'detect': {
                'engines': list_of(dict.fromkeys(('id', 'rules_loaded', 'rules_failed'), whole)),
                'alert': whole, 'alerts_suppressed': whole,
            },
            'app_layer': None,
            'ips': dict.fromkeys(('accepted', 'blocked', 'rejected', 'replaced'), whole),
        },
    },
    # ours: doc/events.md has the fields
    'flow_event': {'flow_event': None},
}
TYPES.update({name: {**OF_PACKET, name: keys} for name, keys in OBJECT.items()})


def faults(value, kind, path):
    """What is wrong with a value: it has to be of the kind, and all below it of theirs."""
    if kind is None:
        return [] if isinstance(value, dict) else [path + ' is no object']
    if isinstance(kind, list):
        if not isinstance(value, list):
            return [path + ' is no list']
        return [f for i, v in enumerate(value) for f in faults(v, kind[0], '%s[%d]' % (path, i))]
    if isinstance(kind, dict):
        if not isinstance(value, dict):
            return [path + ' is no object']
        found = []
        for key, v in value.items():
            where = path + '.' + key if path else key
            found += faults(v, kind[key], where) if key in kind else [where + ' is no known key']
        return found
    try:
        return [] if kind(value) else ['%s: %r' % (path, value)]
    except ValueError:
        return ['%s: %r' % (path, value)]


def once(pairs):
    keys = [k for k, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError('a key comes twice: ' + ' '.join(k for k in keys if keys.count(k) > 1))
    return dict(pairs)


def check(line):
    """The type of the record in a line, and its faults."""
    try:
        record = json.loads(line, object_pairs_hook=once)
    except ValueError as e:
        return '-', [str(e)]
    kind = record.get('event_type') if isinstance(record, dict) else None
    if kind not in TYPES:
        return '-', ['no known type']
    found = faults(record, {**COMMON, **TYPES[kind]}, '')
    found += [key + ' is missing' for key in ('timestamp', kind) if key not in record]
    if ('src_ip' in record) != ('dest_ip' in record) or ('src_ip' in record) != ('proto' in record):
        found.append('half of the ends')
    return kind, found


def records(path, expected):
    with open(path, 'rb') as f:
        for n, line in enumerate(f, 1):
            is_record = line.startswith(b'{"timestamp"') and b'"event_type"' in line[:200]
            if not expected or is_record:
                yield n, line.decode('utf-8', 'strict')


def names(kind):
    """All keys of a kind, and of what is below it."""
    if isinstance(kind, list):
        return names(kind[0])
    if not isinstance(kind, dict):
        return set()
    return set(kind).union(*map(names, kind.values()))


def undocumented(path):
    with open(path, encoding='utf-8') as f:
        page = f.read()
    words = set(re.findall(r'[A-Za-z0-9_]+', page)) | set(re.findall(r'[A-Za-z0-9_-]+', page))
    return sorted(names([{**COMMON, **{'': TYPES}}]) - words - {''})


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ['--documented']:
        lacking = undocumented(arguments[1])
        print('not in %s: %s' % (arguments[1], ' '.join(lacking)) if lacking else 'all keys')
        sys.exit(bool(lacking))
    expected = arguments[:1] == ['--expected']
    seen, bad = collections.Counter(), 0
    for path in arguments[expected:]:
        for n, line in records(path, expected):
            if expected and not line.rstrip().endswith('}'):
                continue  # cut by the run itself
            kind, found = check(line)
            seen[kind] += 1
            bad += bool(found)
            for fault in found:
                print('%s:%d: %s: %s' % (path, n, kind, fault))
    print(', '.join('%d %s' % (n, kind) for kind, n in sorted(seen.items())) or 'no records')
    sys.exit(bad > 0 or not seen)


if __name__ == '__main__':
    main()
