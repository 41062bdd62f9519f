#include "out_text.h"

#include "eve.h"

/* SGR colours: what looks like an attack is red, what a network does to packets yellow. */
static const char *
colour_of(unsigned type)
{
    switch (type) {
    case WEIR_EV_FAKE_RETRANSMIT:
    case WEIR_EV_OUT_OF_WINDOW:
    case WEIR_EV_BAD_RST:
    case WEIR_EV_RST_IGNORED:
    case WEIR_EV_BAD_ACK:
    case WEIR_EV_BAD_TIMESTAMP:
    case WEIR_EV_BAD_OPTION:
    case WEIR_EV_BAD_HANDSHAKE:
    case WEIR_EV_SYN_IN_FLOW:
    case WEIR_EV_DATA_ON_SYN:
    case WEIR_EV_BAD_FLAGS:
    case WEIR_EV_DATA_AFTER_END:
    case WEIR_EV_TTL_JUMP:
    case WEIR_EV_BAD_CHECKSUM:
    case WEIR_EV_BAD_PACKET:
    case WEIR_EV_FRAG_OVERLAP:
    case WEIR_EV_FRAG_BAD:
    case WEIR_EV_OVERLOAD:
        return "\033[31m";
    case WEIR_EV_GAP:
    case WEIR_EV_ICMP_ERROR:
    case WEIR_EV_TUPLE_REUSE:
    case WEIR_EV_URGENT:
    case WEIR_EV_ZERO_WINDOW:
    case WEIR_EV_WINDOW_PROBE:
    case WEIR_EV_OUT_OF_ORDER:
    case WEIR_EV_RETRANSMIT:
    case WEIR_EV_FRAG_TIMEOUT:
        return "\033[33m";
    case WEIR_EV_FLOW_START:
    case WEIR_EV_FLOW_END:
        return "\033[36m";
    default:
        return "\033[32m";
    }
}

static void
put_end(struct out *out, const struct weir_addr *addr, uint16_t port, unsigned version, bool ports)
{
    char text[ADDR_TEXT];

    addr_text(addr, version, text);
    if (!ports) {
        out_str(out, text);
        return;
    }
    if (version == 6)
        out_char(out, '[');
    out_str(out, text);
    out_str(out, version == 6 ? "]:" : ":");
    out_u64(out, port);
}

/* "vlan 100.200 ", outermost first; "vni 5000 ". */
static void
put_networks(struct out *out, const uint16_t *vlan, unsigned n, bool has_vni, uint32_t vni)
{
    for (unsigned i = 0; i < n; i++) {
        out_str(out, i == 0 ? "vlan " : ".");
        out_u64(out, vlan[i]);
    }
    if (n > 0)
        out_char(out, ' ');
    if (!has_vni)
        return;
    out_str(out, "vni ");
    out_u64(out, vni);
    out_char(out, ' ');
}

static void
put_ends(struct out *out, const struct weir_event *ev)
{
    const struct weir_packet *pkt = ev->packet;
    char proto[PROTO_TEXT];
    struct weir_tuple tuple;
    bool ports;

    if (ev->flow != NULL) {
        weir_flow_tuple(ev->flow, &tuple);
        ports = tuple.proto == WEIR_PROTO_TCP || tuple.proto == WEIR_PROTO_UDP;
        put_networks(out, tuple.vlan, tuple.n_vlan, tuple.has_vni, tuple.vni);
        proto_text(tuple.proto, proto);
        out_str(out, proto);
        out_char(out, ' ');
        put_end(out, &tuple.addr[ev->direction], tuple.port[ev->direction], tuple.ip_version,
                ports);
        out_str(out, " > ");
        put_end(out, &tuple.addr[!ev->direction], tuple.port[!ev->direction], tuple.ip_version,
                ports);
    } else if (pkt != NULL && pkt->ip_version != 0) {
        put_networks(out, pkt->vlan, pkt->n_vlan, pkt->has_vni, pkt->vni);
        proto_text(pkt->proto, proto);
        out_str(out, proto);
        out_char(out, ' ');
        put_end(out, &pkt->src, 0, pkt->ip_version, false);
        out_str(out, " > ");
        put_end(out, &pkt->dst, 0, pkt->ip_version, false);
    } else {
        out_char(out, '-');
    }
}

/* "GET /\r\n": as a C string, everything that is not printable ASCII in escapes. */
static void
put_bytes(struct out *out, struct weir_bytes bytes, uint32_t max)
{
    uint32_t n = bytes.n < max ? bytes.n : max;

    out_char(out, '"');
    for (uint32_t i = 0; i < n; i++) {
        uint8_t c = bytes.p[i];

        if (c == '\r' || c == '\n' || c == '\t') {
            out_str(out, c == '\r' ? "\\r" : c == '\n' ? "\\n" : "\\t");
        } else if (c < 0x20 || c >= 0x7f) {
            out_str(out, "\\x");
            out_hex(out, c, 2);
        } else {
            if (c == '"' || c == '\\')
                out_char(out, '\\');
            out_char(out, (char)c);
        }
    }
    out_char(out, '"');
    if (n < bytes.n) {
        out_char(out, '+');
        out_u64(out, bytes.n - n);
    }
}

static void
put_field(struct out *out, const struct weir_event *ev, const struct weir_field *field,
          uint32_t max_bytes)
{
    int64_t value = weir_event_int(ev, field);

    out_char(out, ' ');
    out_str(out, field->name);
    out_char(out, '=');
    if (field->kind == WEIR_FIELD_BYTES)
        put_bytes(out, weir_event_bytes(ev, field), max_bytes);
    else if (field->kind == WEIR_FIELD_BOOL)
        out_str(out, value != 0 ? "true" : "false");
    else if (field->kind == WEIR_FIELD_ENUM)
        out_str(out, field->names[value]);
    else
        out_i64(out, value);
}

void
out_text_event(struct out *out, const struct weir_event *ev, uint32_t max_bytes, bool colour)
{
    char text[TIME_TEXT];

    time_text(ev->time, text);
    text[26] = '\0'; /* without the zone */
    out_str(out, text);
    out_str(out, " #");
    if (ev->number != 0)
        out_u64(out, ev->number);
    else
        out_char(out, '-');
    out_char(out, ' ');
    put_ends(out, ev);
    out_char(out, ' ');
    if (colour)
        out_str(out, colour_of(ev->type));
    out_str(out, weir_event_name(ev->type));
    if (colour)
        out_str(out, "\033[0m");
    for (const struct weir_field *f = weir_event_fields(ev->type); f->name != NULL; f++)
        put_field(out, ev, f, max_bytes);
    out_char(out, '\n');
    out_end_record(out);
}
