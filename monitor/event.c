#include <weir/event.h>

#include <assert.h>
#include <string.h>

static const char *const names[] = {
#define X(upper, lower) [WEIR_EV_##upper] = #lower,
    WEIR_EVENT_LIST(X)
#undef X
};

static const char *const states[] = { "closed",      "listen",     "syn_sent",   "syn_received",
                                      "established", "fin_wait_1", "fin_wait_2", "close_wait",
                                      "closing",     "last_ack",   "time_wait",  NULL };
static const char *const gap_causes[] = { "acked", "memcap", "one_sided", "never_acked", NULL };
static const char *const kept[] = { "old", "new", NULL };
static const char *const layers[] = { "link", "vlan",   "ipv4", "ipv6", "tcp",    "udp",
                                      "icmp", "icmpv6", "mpls", "ppp",  "tunnel", NULL };
static const char *const bads[] = { "none",   "truncated", "too_short", "version", "header_length",
                                    "length", "options",   "layers",    NULL };
static const char *const bad_rsts[] = { "in_window", "out_of_window", "bad_ack",
                                        "md5",       "bad_timestamp", NULL };
static const char *const bad_acks[] = { "unsent", "old", "unseen", NULL };
static const char *const bad_timestamps[] = { "old", "missing", "unexpected", "echo", NULL };
static const char *const bad_options[] = { "md5", "ao", "malformed", NULL };
static const char *const bad_handshakes[] = { "syn_seq", "syn_ack_seq", "syn_ack_ack", "direction",
                                              "ack",     "flood",       NULL };
static const char *const bad_flag_sets[] = { "syn_fin", "syn_rst",  "null", "xmas",
                                             "no_ack",  "rst_data", NULL };
static const char *const ends[] = { "fin", "rst", NULL };
static const char *const reasons[] = { "fin", "rst", "timeout", "reuse", "evicted", "eof", NULL };
static const char *const overloads[] = { "flows",     "memcap", "segments", "tap_queue",
                                         "fragments", "held",   NULL };
static_assert(sizeof(overloads) / sizeof(*overloads) == WEIR_OVERLOAD_COUNT + 1,
              "a limit has no name");
static const char *const frag_bads[] = {
    "zero_length", "too_long", "unaligned", "tiny", "end", NULL
};

/* clang-format off */
#define AT(member) offsetof(struct weir_event, member)
#define FIELD(event, name, kind)     { #name, WEIR_FIELD_##kind, AT(event.name), NULL }
#define AS(text, member, kind)       { text, WEIR_FIELD_##kind, AT(member), NULL }
#define CHOICE(event, name, choices) { #name, WEIR_FIELD_ENUM, AT(event.name), choices }
#define END                          { NULL, WEIR_FIELD_INT, 0, NULL }
/* clang-format on */

static const struct weir_field none[] = { END };
static const struct weir_field flow_start[] = { FIELD(flow_start, midstream, BOOL), END };
static const struct weir_field syn[] = {
    FIELD(syn, mss, U16), FIELD(syn, wscale, I16), FIELD(syn, sack, BOOL),
    FIELD(syn, ts, BOOL), FIELD(syn, tfo, BOOL),   END,
};
static const struct weir_field established[] = { FIELD(established, rtt, INT), END };
static const struct weir_field state[] = {
    CHOICE(state, client, states),
    CHOICE(state, server, states),
    END,
};
static const struct weir_field payload[] = {
    FIELD(payload, offset, INT),
    FIELD(payload, length, INT),
    FIELD(payload, data, BYTES),
    FIELD(payload, after_gap, BOOL),
    END,
};
static const struct weir_field datagram[] = {
    FIELD(datagram, length, INT),
    FIELD(datagram, data, BYTES),
    END,
};
static const struct weir_field out_of_order[] = {
    FIELD(out_of_order, offset, INT),
    FIELD(out_of_order, length, INT),
    FIELD(out_of_order, hole, INT),
    END,
};
static const struct weir_field gap[] = {
    FIELD(gap, offset, INT),
    FIELD(gap, length, INT),
    CHOICE(gap, cause, gap_causes),
    END,
};
static const struct weir_field retransmit[] = {
    FIELD(retransmit, offset, INT),    FIELD(retransmit, length, INT),
    AS("new", retransmit.fresh, INT),  FIELD(retransmit, acked, BOOL),
    FIELD(retransmit, verified, BOOL), FIELD(retransmit, syn, BOOL),
    FIELD(retransmit, fin, BOOL),      END,
};
static const struct weir_field fake_retransmit[] = {
    FIELD(fake_retransmit, offset, INT),      FIELD(fake_retransmit, length, INT),
    FIELD(fake_retransmit, diff_offset, INT), FIELD(fake_retransmit, diff_length, INT),
    CHOICE(fake_retransmit, kept, kept),      FIELD(fake_retransmit, old_data, BYTES),
    FIELD(fake_retransmit, new_data, BYTES),  END,
};
static const struct weir_field out_of_window[] = {
    FIELD(out_of_window, offset, INT),
    FIELD(out_of_window, length, INT),
    END,
};
static const struct weir_field bad_rst[] = { CHOICE(bad_rst, why, bad_rsts), END };
static const struct weir_field bad_ack[] = { CHOICE(bad_ack, why, bad_acks), END };
static const struct weir_field bad_timestamp[] = { CHOICE(bad_timestamp, why, bad_timestamps),
                                                   END };
static const struct weir_field bad_option[] = { CHOICE(bad_option, why, bad_options), END };
static const struct weir_field bad_handshake[] = { CHOICE(bad_handshake, why, bad_handshakes),
                                                   END };
static const struct weir_field bad_flags[] = { CHOICE(bad_flags, why, bad_flag_sets), END };
static const struct weir_field data_after_end[] = { CHOICE(data_after_end, why, ends), END };
static const struct weir_field data_on_syn[] = { FIELD(data_on_syn, tfo, BOOL), END };
static const struct weir_field urgent[] = { FIELD(urgent, offset, INT), END };
static const struct weir_field ttl_jump[] = {
    FIELD(ttl_jump, ttl, INT),
    FIELD(ttl_jump, usual, INT),
    END,
};
static const struct weir_field bad_checksum[] = { CHOICE(bad_checksum, layer, layers), END };
static const struct weir_field bad_packet[] = {
    CHOICE(bad_packet, layer, layers),
    CHOICE(bad_packet, why, bads),
    END,
};
static const struct weir_field frag_overlap[] = {
    FIELD(frag_overlap, conflict, BOOL),
    FIELD(frag_overlap, discarded, BOOL),
    END,
};
static const struct weir_field frag_bad[] = {
    CHOICE(frag_bad, why, frag_bads),
    FIELD(frag_bad, discarded, BOOL),
    END,
};
static const struct weir_field icmp_error[] = {
    FIELD(icmp_error, type, INT),
    FIELD(icmp_error, code, INT),
    END,
};
static const struct weir_field overload[] = {
    CHOICE(overload, what, overloads),
    FIELD(overload, count, INT),
    END,
};
static const struct weir_field flow_end[] = {
    CHOICE(flow_end, reason, reasons),
    FIELD(flow_end, pkts_toserver, INT),
    FIELD(flow_end, pkts_toclient, INT),
    FIELD(flow_end, bytes_toserver, INT),
    FIELD(flow_end, bytes_toclient, INT),
    FIELD(flow_end, payload_toserver, INT),
    FIELD(flow_end, payload_toclient, INT),
    FIELD(flow_end, undelivered, INT),
    END,
};

static const struct weir_field *const fields[WEIR_EV_COUNT] = {
    [WEIR_EV_PACKET] = none,
    [WEIR_EV_FLOW_START] = flow_start,
    [WEIR_EV_SYN] = syn,
    [WEIR_EV_SYN_ACK] = syn,
    [WEIR_EV_ESTABLISHED] = established,
    [WEIR_EV_STATE] = state,
    [WEIR_EV_PAYLOAD] = payload,
    [WEIR_EV_DATAGRAM] = datagram,
    [WEIR_EV_OUT_OF_ORDER] = out_of_order,
    [WEIR_EV_GAP] = gap,
    [WEIR_EV_RETRANSMIT] = retransmit,
    [WEIR_EV_FAKE_RETRANSMIT] = fake_retransmit,
    [WEIR_EV_FIN] = none,
    [WEIR_EV_RST] = none,
    [WEIR_EV_BAD_RST] = bad_rst,
    [WEIR_EV_RST_IGNORED] = none,
    [WEIR_EV_OUT_OF_WINDOW] = out_of_window,
    [WEIR_EV_BAD_ACK] = bad_ack,
    [WEIR_EV_BAD_TIMESTAMP] = bad_timestamp,
    [WEIR_EV_BAD_OPTION] = bad_option,
    [WEIR_EV_BAD_HANDSHAKE] = bad_handshake,
    [WEIR_EV_SYN_IN_FLOW] = none,
    [WEIR_EV_TUPLE_REUSE] = none,
    [WEIR_EV_DATA_ON_SYN] = data_on_syn,
    [WEIR_EV_URGENT] = urgent,
    [WEIR_EV_BAD_FLAGS] = bad_flags,
    [WEIR_EV_DATA_AFTER_END] = data_after_end,
    [WEIR_EV_ZERO_WINDOW] = none,
    [WEIR_EV_WINDOW_PROBE] = none,
    [WEIR_EV_KEEPALIVE] = none,
    [WEIR_EV_WINDOW_UPDATE] = none,
    [WEIR_EV_DUP_ACK] = none,
    [WEIR_EV_TTL_JUMP] = ttl_jump,
    [WEIR_EV_BAD_CHECKSUM] = bad_checksum,
    [WEIR_EV_BAD_PACKET] = bad_packet,
    [WEIR_EV_FRAG_OVERLAP] = frag_overlap,
    [WEIR_EV_FRAG_TIMEOUT] = none,
    [WEIR_EV_FRAG_BAD] = frag_bad,
    [WEIR_EV_ICMP_ERROR] = icmp_error,
    [WEIR_EV_OVERLOAD] = overload,
    [WEIR_EV_FLOW_END] = flow_end,
};

const char *
weir_event_name(unsigned type)
{
    return type < WEIR_EV_COUNT ? names[type] : NULL;
}

int
weir_event_by_name(const char *name)
{
    for (int i = 0; i < WEIR_EV_COUNT; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return -1;
}

const struct weir_field *
weir_event_fields(unsigned type)
{
    return type < WEIR_EV_COUNT ? fields[type] : none;
}

int64_t
weir_event_int(const struct weir_event *ev, const struct weir_field *field)
{
    const char *at = (const char *)ev + field->at;
    int64_t wide;
    int16_t i16;
    uint16_t u16;

    switch (field->kind) {
    case WEIR_FIELD_INT:
        memcpy(&wide, at, sizeof(wide));
        return wide;
    case WEIR_FIELD_U16:
        memcpy(&u16, at, sizeof(u16));
        return u16;
    case WEIR_FIELD_I16:
        memcpy(&i16, at, sizeof(i16));
        return i16;
    case WEIR_FIELD_BOOL:
    case WEIR_FIELD_ENUM:
        return *(const uint8_t *)at;
    case WEIR_FIELD_BYTES:
        break;
    }
    return 0;
}

struct weir_bytes
weir_event_bytes(const struct weir_event *ev, const struct weir_field *field)
{
    struct weir_bytes bytes = { NULL, 0 };

    if (field->kind == WEIR_FIELD_BYTES)
        memcpy(&bytes, (const char *)ev + field->at, sizeof(bytes));
    return bytes;
}
