#include "out/event_names.h"

#include <stdio.h>
#include <string.h>

/* ---- headers and fragments ----------------------------------------------------------------- */

/* By layer and fault, without "decoder."; NULL: Suricata has no such event. */
static const char *
packet_fault(unsigned layer, unsigned why)
{
    static const char *const name[][WEIR_BAD_LAYERS] = {
        [WEIR_LAYER_LINK] = { [WEIR_BAD_TOO_SHORT] = "ethernet.pkt_too_small" },
        [WEIR_LAYER_VLAN] = { [WEIR_BAD_TOO_SHORT] = "vlan.header_too_small" },
        [WEIR_LAYER_IPV4] = { [WEIR_BAD_TRUNCATED] = "ipv4.trunc_pkt",
                              [WEIR_BAD_TOO_SHORT] = "ipv4.pkt_too_small",
                              [WEIR_BAD_VERSION] = "ipv4.wrong_ip_version",
                              [WEIR_BAD_HEADER_LENGTH] = "ipv4.hlen_too_small",
                              [WEIR_BAD_LENGTH] = "ipv4.iplen_smaller_than_hlen",
                              [WEIR_BAD_OPTIONS] = "ipv4.opt_malformed" },
        [WEIR_LAYER_IPV6] = { [WEIR_BAD_TRUNCATED] = "ipv6.trunc_pkt",
                              [WEIR_BAD_TOO_SHORT] = "ipv6.pkt_too_small",
                              [WEIR_BAD_VERSION] = "ipv6.wrong_ip_version",
                              [WEIR_BAD_HEADER_LENGTH] = "ipv6.trunc_exthdr",
                              [WEIR_BAD_LENGTH] = "ipv6.trunc_pkt",
                              [WEIR_BAD_OPTIONS] = "ipv6.exthdr_invalid_optlen" },
        [WEIR_LAYER_TCP] = { [WEIR_BAD_TOO_SHORT] = "tcp.pkt_too_small",
                             [WEIR_BAD_HEADER_LENGTH] = "tcp.hlen_too_small",
                             [WEIR_BAD_OPTIONS] = "tcp.invalid_optlen" },
        [WEIR_LAYER_UDP] = { [WEIR_BAD_TOO_SHORT] = "udp.pkt_too_small",
                             [WEIR_BAD_HEADER_LENGTH] = "udp.hlen_too_small",
                             [WEIR_BAD_LENGTH] = "udp.len_invalid" },
        [WEIR_LAYER_ICMP] = { [WEIR_BAD_TOO_SHORT] = "icmpv4.pkt_too_small" },
        [WEIR_LAYER_ICMPV6] = { [WEIR_BAD_TOO_SHORT] = "icmpv6.pkt_too_small" },
        [WEIR_LAYER_MPLS] = { [WEIR_BAD_TOO_SHORT] = "mpls.header_too_small" },
        [WEIR_LAYER_PPP] = { [WEIR_BAD_TOO_SHORT] = "ppp.pkt_too_small" },
        [WEIR_LAYER_TUNNEL] = { NULL },
    };

    if (why == WEIR_BAD_LAYERS)
        return "too_many_layers";
    return layer < sizeof(name) / sizeof(*name) ? name[layer][why] : NULL;
}

static const char *
fragment_fault(const struct weir_event *ev)
{
    bool v6 = ev->packet != NULL && ev->packet->ip_version == 6;

    if (ev->type == WEIR_EV_FRAG_OVERLAP)
        return v6 ? "ipv6.frag_overlap" : "ipv4.frag_overlap";
    if (ev->type != WEIR_EV_FRAG_BAD)
        return NULL;
    if (ev->frag_bad.why == WEIR_FRAG_TOO_LONG)
        return v6 ? "ipv6.frag_pkt_too_large" : "ipv4.frag_pkt_too_large";
    return v6 && ev->frag_bad.why == WEIR_FRAG_UNALIGNED ? "ipv6.frag_invalid_length" : NULL;
}

/* ---- streams ------------------------------------------------------------------------------- */

static const char *
handshake_fault(uint8_t why)
{
    static const char *const name[] = {
        [WEIR_BAD_HANDSHAKE_SYN_SEQ] = "3whs_syn_resend_diff_seq_on_syn_recv",
        [WEIR_BAD_HANDSHAKE_SYN_ACK_SEQ] = "3whs_synack_resend_with_diff_seq",
        [WEIR_BAD_HANDSHAKE_SYN_ACK_ACK] = "3whs_synack_with_wrong_ack",
        [WEIR_BAD_HANDSHAKE_DIRECTION] = "3whs_synack_in_wrong_direction",
        [WEIR_BAD_HANDSHAKE_ACK] = "3whs_right_seq_wrong_ack_evasion",
        [WEIR_BAD_HANDSHAKE_FLOOD] = "3whs_syn_flood",
    };

    return name[why];
}

static const char *
syn_in_flow(const struct weir_event *ev)
{
    bool ack = ev->packet != NULL && (ev->packet->tcp_flags & WEIR_TH_ACK);

    if (ack)
        return ev->direction == WEIR_TOSERVER ? "est_synack_toserver"
                                              : "est_synack_resend_with_diff_seq";
    return ev->direction == WEIR_TOSERVER ? "est_syn_resend_diff_seq" : "est_syn_toclient";
}

/* Without "stream."; NULL: Suricata has no such event. */
static const char *
stream_fault(const struct weir_event *ev)
{
    switch (ev->type) {
    case WEIR_EV_GAP:
        return "reassembly_seq_gap";
    case WEIR_EV_FAKE_RETRANSMIT:
        return "reassembly_overlap_different_data";
    case WEIR_EV_RST_IGNORED:
        return "suspected_rst_inject";
    case WEIR_EV_OUT_OF_WINDOW:
        return "est_packet_out_of_window";
    case WEIR_EV_SYN_IN_FLOW:
        return syn_in_flow(ev);
    case WEIR_EV_BAD_HANDSHAKE:
        return handshake_fault(ev->bad_handshake.why);
    case WEIR_EV_BAD_RST:
        return ev->bad_rst.why == WEIR_BAD_RST_ACK         ? "rst_invalid_ack"
               : ev->bad_rst.why == WEIR_BAD_RST_TIMESTAMP ? "pkt_invalid_timestamp"
                                                           : NULL;
    case WEIR_EV_BAD_ACK:
        return ev->bad_ack.why != WEIR_BAD_ACK_UNSEEN ? "pkt_invalid_ack" : NULL;
    case WEIR_EV_BAD_TIMESTAMP:
        return ev->bad_timestamp.why == WEIR_BAD_TIMESTAMP_MISSING ? NULL : "pkt_invalid_timestamp";
    case WEIR_EV_BAD_FLAGS:
        if (ev->bad_flags.why == WEIR_BAD_FLAGS_SYN_FIN)
            return "fin_syn";
        return ev->bad_flags.why == WEIR_BAD_FLAGS_RST_DATA ? "rst_with_data" : NULL;
    case WEIR_EV_OVERLOAD:
        if (ev->overload.what == WEIR_OVERLOAD_MEMCAP)
            return "reassembly_insert_memcap";
        return ev->overload.what == WEIR_OVERLOAD_SEGMENTS ? "reassembly_insert_limit" : NULL;
    default:
        return NULL;
    }
}

/* ---- all ----------------------------------------------------------------------------------- */

#define DECODE_EVENTS                                                                              \
    (WEIR_EV_BIT(WEIR_EV_BAD_PACKET) | WEIR_EV_BIT(WEIR_EV_FRAG_OVERLAP) |                         \
     WEIR_EV_BIT(WEIR_EV_FRAG_BAD) | WEIR_EV_BIT(WEIR_EV_FRAG_TIMEOUT))
#define STREAM_EVENTS                                                                              \
    (WEIR_EV_BIT(WEIR_EV_GAP) | WEIR_EV_BIT(WEIR_EV_FAKE_RETRANSMIT) |                             \
     WEIR_EV_BIT(WEIR_EV_BAD_RST) | WEIR_EV_BIT(WEIR_EV_RST_IGNORED) |                             \
     WEIR_EV_BIT(WEIR_EV_OUT_OF_WINDOW) | WEIR_EV_BIT(WEIR_EV_BAD_ACK) |                           \
     WEIR_EV_BIT(WEIR_EV_BAD_TIMESTAMP) | WEIR_EV_BIT(WEIR_EV_BAD_OPTION) |                        \
     WEIR_EV_BIT(WEIR_EV_BAD_HANDSHAKE) | WEIR_EV_BIT(WEIR_EV_SYN_IN_FLOW) |                       \
     WEIR_EV_BIT(WEIR_EV_DATA_ON_SYN) | WEIR_EV_BIT(WEIR_EV_BAD_FLAGS) |                           \
     WEIR_EV_BIT(WEIR_EV_DATA_AFTER_END) | WEIR_EV_BIT(WEIR_EV_TTL_JUMP) |                         \
     WEIR_EV_BIT(WEIR_EV_OVERLOAD))

uint64_t
anomaly_events(bool decode, bool stream)
{
    return (decode ? DECODE_EVENTS : 0) | (stream ? STREAM_EVENTS : 0);
}

/* What tells kinds of an event apart: its `why` or its `what`; NULL: nothing does. */
static const struct weir_field *
detail_of(const struct weir_event *ev)
{
    for (const struct weir_field *f = weir_event_fields(ev->type); f->name != NULL; f++)
        if (f->kind == WEIR_FIELD_ENUM &&
            (strcmp(f->name, "why") == 0 || strcmp(f->name, "what") == 0))
            return f;
    return NULL;
}

/* "weir.EVENT" and the detail. */
static void
own_name(const struct weir_event *ev, char name[ANOMALY_NAME])
{
    const struct weir_field *detail = detail_of(ev);

    snprintf(name, ANOMALY_NAME, "weir.%s%s%s", weir_event_name(ev->type),
             detail != NULL ? "." : "",
             detail != NULL ? detail->names[weir_event_int(ev, detail)] : "");
}

unsigned
anomaly_number(const struct weir_event *ev)
{
    /* with room for the details of each */
    static const uint8_t first[WEIR_EV_COUNT] = {
        [WEIR_EV_GAP] = 1,
        [WEIR_EV_FAKE_RETRANSMIT] = 2,
        [WEIR_EV_RST_IGNORED] = 3,
        [WEIR_EV_OUT_OF_WINDOW] = 4,
        [WEIR_EV_SYN_IN_FLOW] = 5,
        [WEIR_EV_DATA_ON_SYN] = 6,
        [WEIR_EV_TTL_JUMP] = 7,
        [WEIR_EV_DATA_AFTER_END] = 8,
        [WEIR_EV_BAD_RST] = 12,
        [WEIR_EV_BAD_ACK] = 18,
        [WEIR_EV_BAD_TIMESTAMP] = 24,
        [WEIR_EV_BAD_OPTION] = 30,
        [WEIR_EV_BAD_HANDSHAKE] = 36,
        [WEIR_EV_BAD_FLAGS] = 44,
        [WEIR_EV_OVERLOAD] = 54,
    };
    const struct weir_field *detail = detail_of(ev);

    if (first[ev->type] == 0)
        return 0;
    return first[ev->type] + (detail != NULL ? (unsigned)weir_event_int(ev, detail) : 0);
}

enum anomaly_kind
anomaly_of(const struct weir_event *ev, char name[ANOMALY_NAME])
{
    bool decode = DECODE_EVENTS >> ev->type & 1;
    const char *known;

    if (!decode && !(STREAM_EVENTS >> ev->type & 1))
        return ANOMALY_NONE;
    if (ev->type == WEIR_EV_DATA_ON_SYN && ev->data_on_syn.tfo) /* as RFC 7413 has it */
        return ANOMALY_NONE;
    if (ev->type == WEIR_EV_BAD_TIMESTAMP && /* no target cares */
        ev->bad_timestamp.why == WEIR_BAD_TIMESTAMP_UNEXPECTED)
        return ANOMALY_NONE;
    if (!decode)
        known = stream_fault(ev);
    else if (ev->type == WEIR_EV_BAD_PACKET)
        known = packet_fault(ev->bad_packet.layer, ev->bad_packet.why);
    else
        known = fragment_fault(ev);
    if (known != NULL)
        snprintf(name, ANOMALY_NAME, "%s.%s", decode ? "decoder" : "stream", known);
    else
        own_name(ev, name);
    return decode ? ANOMALY_DECODE : ANOMALY_STREAM;
}
