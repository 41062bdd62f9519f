#include "eve.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* Civil date of a day count since 1970-01-01; Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms": years begin in March, so that leap days come last. */
static void
civil_date(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    uint64_t z = days + 719468, era = z / 146097, doe = z % 146097;
    uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;

    *day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
    *month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
    *year = (unsigned)(yoe + era * 400 + (*month <= 2));
}

static char *
digits(char *to, unsigned value, unsigned n)
{
    for (unsigned i = n; i-- > 0; value /= 10)
        to[i] = (char)('0' + value % 10);
    return to + n;
}

void
date_text(uint64_t seconds, char text[DATE_TEXT])
{
    unsigned of_day = (unsigned)(seconds % 86400), year, month, day;
    char *p = text;

    civil_date(seconds / 86400, &year, &month, &day);
    p = digits(p, year, 4);
    *p++ = '-';
    p = digits(p, month, 2);
    *p++ = '-';
    p = digits(p, day, 2);
    *p++ = 'T';
    p = digits(p, of_day / 3600, 2);
    *p++ = ':';
    p = digits(p, of_day / 60 % 60, 2);
    *p++ = ':';
    p = digits(p, of_day % 60, 2);
    *p = '\0';
}

void
time_text(uint64_t ns, char text[TIME_TEXT])
{
    char *p = text + DATE_TEXT - 1;

    date_text(ns / 1000000000, text);
    *p++ = '.';
    p = digits(p, (unsigned)(ns % 1000000000 / 1000), 6);
    memcpy(p, "+0000", 6);
}

/* inet_ntop() takes ten times as long. */
static void
ipv4_text(const uint8_t *b, char *p)
{
    for (unsigned i = 0; i < 4; i++) {
        if (b[i] >= 100)
            *p++ = (char)('0' + b[i] / 100);
        if (b[i] >= 10)
            *p++ = (char)('0' + b[i] / 10 % 10);
        *p++ = (char)('0' + b[i] % 10);
        *p++ = '.';
    }
    p[-1] = '\0';
}

void
addr_text(const struct weir_addr *addr, unsigned ip_version, char text[ADDR_TEXT])
{
    if (ip_version == 4)
        ipv4_text(addr->b, text);
    else
        inet_ntop(AF_INET6, addr->b, text, ADDR_TEXT);
}

void
addr_text_whole(const struct weir_addr *addr, unsigned ip_version, char text[ADDR_TEXT])
{
    static const char digit[] = "0123456789abcdef";
    char *p = text;

    if (ip_version == 4) {
        addr_text(addr, ip_version, text);
        return;
    }
    for (unsigned i = 0; i < 16; i++) {
        if (i > 0 && i % 2 == 0)
            *p++ = ':';
        *p++ = digit[addr->b[i] >> 4];
        *p++ = digit[addr->b[i] & 15];
    }
    *p = '\0';
}

void
proto_text(unsigned proto, char text[PROTO_TEXT])
{
    switch (proto) {
    case WEIR_PROTO_TCP:
        memcpy(text, "TCP", 4);
        break;
    case WEIR_PROTO_UDP:
        memcpy(text, "UDP", 4);
        break;
    case WEIR_PROTO_ICMP:
        memcpy(text, "ICMP", 5);
        break;
    case WEIR_PROTO_ICMPV6:
        memcpy(text, "IPv6-ICMP", 10);
        break;
    case 4:
        memcpy(text, "IP-in-IP", 9);
        break;
    case 41:
        memcpy(text, "IPv6", 5);
        break;
    case 132:
        memcpy(text, "SCTP", 5);
        break;
    default:
        snprintf(text, PROTO_TEXT, "%03u", proto);
    }
}

static bool
is_icmp(unsigned proto)
{
    return proto == WEIR_PROTO_ICMP || proto == WEIR_PROTO_ICMPV6;
}

static void
ends_of_packet(const struct weir_packet *pkt, struct eve_ends *out)
{
    *out = (struct eve_ends){
        .addr = { pkt->src, pkt->dst },
        .port = { pkt->src_port, pkt->dst_port },
        .vlan = { pkt->vlan[0], pkt->vlan[1], pkt->vlan[2] },
        .n_vlan = pkt->n_vlan,
        .ip_version = pkt->ip_version,
        .proto = pkt->proto,
        .icmp_type = is_icmp(pkt->proto) && !pkt->fragment ? pkt->icmp_type : -1,
        .icmp_code = is_icmp(pkt->proto) && !pkt->fragment ? pkt->icmp_code : -1,
    };
}

static void
ends_of_flow(const struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt,
             struct eve_ends *out)
{
    struct weir_tuple tuple;

    weir_flow_tuple(flow, &tuple);
    *out = (struct eve_ends){
        .addr = { tuple.addr[dir], tuple.addr[!dir] },
        .port = { tuple.port[dir], tuple.port[!dir] },
        .vlan = { tuple.vlan[0], tuple.vlan[1] },
        .n_vlan = tuple.n_vlan,
        .ip_version = tuple.ip_version,
        .proto = tuple.proto,
        .icmp_type = -1,
        .icmp_code = -1,
    };
    if (pkt != NULL && pkt->n_vlan == 3 && memcmp(pkt->vlan, tuple.vlan, sizeof(tuple.vlan)) == 0)
        out->vlan[out->n_vlan++] = pkt->vlan[2]; /* a flow goes by two; this is its packet */
}

static void
put_vlan(struct json *j, const struct eve_ends *ends)
{
    if (ends->n_vlan == 0)
        return;
    json_open_array(j, "vlan");
    for (unsigned i = 0; i < ends->n_vlan; i++)
        json_u64(j, NULL, ends->vlan[i]);
    json_close(j);
}

static bool
has_ports(unsigned proto)
{
    return proto == WEIR_PROTO_TCP || proto == WEIR_PROTO_UDP;
}

/* IPv6 with all its digits, as Suricata has it, or by RFC 5952. */
static void
put_address(const struct eve_ends *ends, unsigned i, char text[ADDR_TEXT])
{
    if (ends->all_digits)
        addr_text_whole(&ends->addr[i], ends->ip_version, text);
    else
        addr_text(&ends->addr[i], ends->ip_version, text);
}

static void
put_ends(struct json *j, const struct eve_ends *ends, bool ports)
{
    char text[ADDR_TEXT], proto[PROTO_TEXT];

    ports = ports && has_ports(ends->proto);
    put_address(ends, 0, text);
    json_str(j, "src_ip", text);
    if (ports)
        json_u64(j, "src_port", ends->port[0]);
    put_address(ends, 1, text);
    json_str(j, "dest_ip", text);
    if (ports)
        json_u64(j, "dest_port", ends->port[1]);
    proto_text(ends->proto, proto);
    json_str(j, "proto", proto);
    if (ends->icmp_type >= 0) {
        json_i64(j, "icmp_type", ends->icmp_type);
        json_i64(j, "icmp_code", ends->icmp_code);
    }
}

void
eve_ends(const struct weir_event *ev, struct eve_ends *out)
{
    if (eve_by_packet(ev))
        ends_of_packet(ev->packet, out);
    else if (ev->flow != NULL)
        ends_of_flow(ev->flow, (enum weir_dir)ev->direction, ev->packet, out);
    else
        *out = (struct eve_ends){ .ip_version = 0 };
}

void
eve_begin_ends(struct json *j, struct out *out, const struct weir_event *ev, const char *event_type,
               const struct eve_ends *ends)
{
    char text[TIME_TEXT];

    json_begin(j, out);
    time_text(ev->time, text);
    json_str(j, "timestamp", text);
    if (ev->flow != NULL)
        json_u64(j, "flow_id", weir_flow_id(ev->flow));
    if (ev->number != 0)
        json_u64(j, "pcap_cnt", ev->number);
    json_str(j, "event_type", event_type);
    if (ends->ip_version == 0)
        return;
    put_vlan(j, ends);
    put_ends(j, ends, ev->flow != NULL);
}

void
eve_begin(struct json *j, struct out *out, const struct weir_event *ev, const char *event_type)
{
    struct eve_ends ends;

    eve_ends(ev, &ends);
    eve_begin_ends(j, out, ev, event_type, &ends);
}
