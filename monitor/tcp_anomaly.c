#include "tcp_anomaly.h"

#include "rd.h"
#include "reasm.h"
#include "tcp_policy.h"

#include <stddef.h>
#include <string.h>

#define WHY_AT offsetof(struct weir_event, bad_rst.why)
static_assert(offsetof(struct weir_event, bad_ack.why) == WHY_AT &&
                  offsetof(struct weir_event, bad_option.why) == WHY_AT &&
                  offsetof(struct weir_event, bad_timestamp.why) == WHY_AT &&
                  offsetof(struct weir_event, bad_handshake.why) == WHY_AT &&
                  offsetof(struct weir_event, bad_flags.why) == WHY_AT &&
                  offsetof(struct weir_event, data_after_end.why) == WHY_AT,
              "raise_why() serves all of them");

void
raise_why(struct engine *e, struct weir_flow *flow, enum weir_dir dir, enum weir_event_type type,
          uint8_t why)
{
    if (!engine_raises(e, flow, type))
        return;
    struct weir_event ev = { .type = (uint8_t)type, .direction = (uint8_t)dir };
    ev.bad_rst.why = why;
    engine_deliver(e, flow, &ev);
}

/* ---- flags --------------------------------------------------------------------------------- */

enum {
    ALL_FLAGS = WEIR_TH_FIN | WEIR_TH_SYN | WEIR_TH_RST | WEIR_TH_PUSH | WEIR_TH_ACK | WEIR_TH_URG,
    XMAS = WEIR_TH_FIN | WEIR_TH_PUSH | WEIR_TH_URG,
};

/* -1: nothing is wrong. */
static int
wrong_flags(const struct weir_packet *pkt)
{
    uint8_t flags = pkt->tcp_flags & ALL_FLAGS;

    if (flags & WEIR_TH_SYN)
        return flags & WEIR_TH_RST   ? WEIR_BAD_FLAGS_SYN_RST
               : flags & WEIR_TH_FIN ? WEIR_BAD_FLAGS_SYN_FIN
                                     : -1;
    if (flags & WEIR_TH_RST)
        return pkt->payload_wire > 0 ? WEIR_BAD_FLAGS_RST_DATA : -1;
    if (flags & WEIR_TH_ACK)
        return -1;
    return flags == 0      ? WEIR_BAD_FLAGS_NULL
           : flags == XMAS ? WEIR_BAD_FLAGS_XMAS
                           : WEIR_BAD_FLAGS_NO_ACK;
}

bool
flags_make_sense(struct engine *e, struct weir_flow *flow, enum weir_dir dir, enum doubt *doubt)
{
    int why = wrong_flags(e->packet);

    if (why < 0)
        return true;
    raise_why(e, flow, dir, WEIR_EV_BAD_FLAGS, (uint8_t)why);
    if (!(e->packet->tcp_flags & (WEIR_TH_SYN | WEIR_TH_RST))) {
        *doubt = DOUBT_DROPPED;
        return true;
    }
    if (why == WEIR_BAD_FLAGS_SYN_FIN) /* a client that sent its SYN looks no further */
        return dir == WEIR_TOCLIENT && e->packet->tcp_flags & WEIR_TH_ACK;
    return why == WEIR_BAD_FLAGS_RST_DATA || why == WEIR_BAD_FLAGS_SYN_RST;
}

/* ---- options ------------------------------------------------------------------------------- */

enum { MD5_LENGTH = 18 };

/*
 * The first signature or broken option; -1: none. *dropped: Linux drops the segment for it. It
 * looks for signatures, and at the lengths of options, only where one could follow
 * (tcp_parse_auth_options()); a signature of another length is none.
 */
static int
wrong_option(const struct weir_packet *pkt, bool *dropped)
{
    struct rd rd = { pkt->tcp_options, pkt->tcp_options + pkt->n_tcp_options }, body;
    uint8_t kind, length;

    for (;;) {
        *dropped = rd_left(&rd) >= MD5_LENGTH;
        if (!rd_u8(&rd, &kind) || kind == 0)
            return -1;
        if (kind == 1)
            continue;
        if (!rd_u8(&rd, &length) || length < 2 || !rd_sub(&rd, length - 2U, &body))
            return WEIR_BAD_OPTION_MALFORMED;
        if (kind == 19 && (length == MD5_LENGTH || *dropped))
            return length == MD5_LENGTH ? WEIR_BAD_OPTION_MD5 : WEIR_BAD_OPTION_MALFORMED;
        if (kind == 29)
            return WEIR_BAD_OPTION_AO;
    }
}

bool
syn_is_signed(const struct weir_packet *pkt)
{
    bool dropped;
    const int why = wrong_option(pkt, &dropped);

    return why == WEIR_BAD_OPTION_MD5 || why == WEIR_BAD_OPTION_AO;
}

/*
 * A signature where none was agreed on in the handshake: Linux drops the segment
 * (tcp_inbound_hash()); with AO only if it is built with it. What stands behind a broken option is
 * not looked at, by no host.
 */
bool
options_are_right(struct engine *e, struct weir_flow *flow, enum weir_dir dir, enum doubt *doubt)
{
    const struct weir_packet *pkt = e->packet;
    bool dropped, malformed;
    int why;

    if (pkt->n_tcp_options == 0 || only_timestamps(pkt))
        return true;
    why = wrong_option(pkt, &dropped);
    malformed = why == WEIR_BAD_OPTION_MALFORMED;
    if (why < 0 || (!malformed && flow->flags & (FLOW_SIGNED | FLOW_MIDSTREAM)))
        return true;
    if (!malformed && pkt->tcp_flags & WEIR_TH_SYN) {
        flow->flags |= FLOW_SIGNED;
        return true;
    }
    if (!malformed && pkt->tcp_flags & WEIR_TH_RST)
        raise_why(e, flow, dir, WEIR_EV_BAD_RST, WEIR_BAD_RST_MD5);
    else
        raise_why(e, flow, dir, WEIR_EV_BAD_OPTION, (uint8_t)why);
    if (malformed)
        return !dropped || flow_policy(flow, dir) != WEIR_POLICY_LINUX;
    if (pkt->tcp_flags & WEIR_TH_RST ||
        (why == WEIR_BAD_OPTION_MD5 && flow_policy(flow, dir) == WEIR_POLICY_LINUX))
        return false;
    *doubt = DOUBT_REFUSED; /* others may not know the option */
    return true;
}

/* ---- timestamps ---------------------------------------------------------------------------- */

static const struct tcp_ways *
ways_of(const struct weir_flow *flow, enum weir_dir dir)
{
    return policy_ways(flow_policy(flow, dir));
}

/* The segment's own timestamp, and the one that it echoes; false: it has none. */
static bool
read_timestamps(const struct weir_packet *pkt, uint32_t *ts, uint32_t *echo)
{
    struct rd rd = { pkt->tcp_options, pkt->tcp_options + pkt->n_tcp_options }, body;
    uint8_t kind, length;

    if (WEIR_LIKELY(only_timestamps(pkt))) {
        *ts = be32(pkt->tcp_options + 4);
        *echo = be32(pkt->tcp_options + 8);
        return true;
    }
    while (rd_u8(&rd, &kind) && kind != 0) {
        if (kind == 1)
            continue;
        if (!rd_u8(&rd, &length) || length < 2 || !rd_sub(&rd, length - 2U, &body))
            return false;
        if (kind == 8 && length == 10)
            return rd_be32(&body, ts) && rd_be32(&body, echo);
    }
    return false;
}

static bool
read_timestamp(const struct weir_packet *pkt, uint32_t *ts)
{
    uint32_t echo;

    return read_timestamps(pkt, ts, &echo);
}

bool
syn_timestamp(const struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt,
              uint32_t *ts)
{
    return read_timestamp(pkt, ts) && (*ts != 0 || ways_of(flow, dir)->zero != ZERO_IN_SYN_ENDS);
}

void
start_timestamps(struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt)
{
    uint32_t ts;

    if (!syn_timestamp(flow, dir, pkt, &ts))
        return;
    flow->flags |= dir == WEIR_TOSERVER ? FLOW_TS_CLIENT : FLOW_TS_SERVER;
    flow->ts[dir] = ts;
}

/* Of a client's SYN, which it may have sent again: its clock ticks once a millisecond or less
 * often. */
static bool
is_of_syn(const struct weir_flow *flow, uint64_t time, uint32_t echo)
{
    const uint64_t start = flow_cold(flow)->start;
    const uint64_t ms = time > start ? (time - start) / 1000000
                                     : 0; /* captures may be out of order */

    return echo - flow->ts[WEIR_TOSERVER] <= ms + 1;
}

/*
 * Linux compares where its SYN had timestamps (tcp_rcv_synsent_state_process()), and looks at none
 * where it had not. A SYN/ACK is left to the client: if that refuses it, nothing comes of it.
 */
bool
echo_is_right(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct weir_packet *pkt = e->packet;
    bool offered = flow->flags & FLOW_TS_CLIENT;
    uint32_t ts, echo;

    if (dir == WEIR_TOSERVER || flow->side[WEIR_TOCLIENT].flags & SIDE_SEEN ||
        !(flow->side[WEIR_TOSERVER].flags & SIDE_SYN) || pkt->tcp_flags & WEIR_TH_SYN ||
        !read_timestamps(pkt, &ts, &echo) || echo == 0 ||
        (offered && is_of_syn(flow, pkt->time, echo)))
        return true;
    if (pkt->tcp_flags & WEIR_TH_RST &&
        (offered || policy_ways(flow_policy(flow, WEIR_TOCLIENT))->only_asked)) {
        raise_why(e, flow, dir, WEIR_EV_BAD_RST, WEIR_BAD_RST_TIMESTAMP);
        return false;
    }
    raise_why(e, flow, dir, WEIR_EV_BAD_TIMESTAMP, WEIR_BAD_TIMESTAMP_ECHO);
    return true;
}

/*
 * Neither is a reason to drop a segment; for the missing one as measured on Linux. What may never
 * get there must not switch the check off.
 */
static void
check_use(struct engine *e, struct weir_flow *flow, enum weir_dir dir, bool has, enum doubt doubt)
{
    bool agreed = (flow->flags & FLOW_TS) == FLOW_TS;

    if (has != agreed && flow->flags & FLOW_ESTABLISHED && !(flow->flags & FLOW_MIDSTREAM))
        raise_why(e, flow, dir, WEIR_EV_BAD_TIMESTAMP,
                  has ? WEIR_BAD_TIMESTAMP_UNEXPECTED : WEIR_BAD_TIMESTAMP_MISSING);
    if (!has && !doubt && ways_of(flow, dir)->missing_ends)
        flow->flags &= ~(uint32_t)FLOW_TS;
}

/* The latest timestamp is a 0 from the SYN, which the receiver compares nothing with. */
static bool
none_yet(const struct weir_flow *flow, enum weir_dir dir)
{
    enum tcp_zero zero = flow->ts[dir] == 0 ? ways_of(flow, dir)->zero : ZERO_IS_TIME;

    return zero == ZERO_IS_NONE || zero == ZERO_IS_OLD;
}

/* Of a timestamp that is older than the latest. */
static bool
is_outdated(const struct weir_flow *flow, enum weir_dir dir, int64_t off, uint32_t ts)
{
    const struct tcp_ways *ways = ways_of(flow, dir);

    return (int32_t)(flow->ts[dir] - ts) > ways->slack && !none_yet(flow, dir) &&
           !(ways->only_in_turn && off != flow->side[dir].next);
}

static void
raise_old(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct weir_packet *pkt = e->packet;

    if (pkt->payload_wire > 0 || pkt->tcp_flags & WEIR_TH_FIN) /* an old pure ACK came late */
        raise_why(e, flow, dir, WEIR_EV_BAD_TIMESTAMP, WEIR_BAD_TIMESTAMP_OLD);
}

bool
timestamp_is_right(struct engine *e, struct weir_flow *flow, enum weir_dir dir, int64_t off,
                   uint32_t *recent, enum doubt *doubt)
{
    const struct weir_packet *pkt = e->packet;
    uint32_t ts = 0;
    bool has = pkt->n_tcp_options > 0 && read_timestamp(pkt, &ts);
    int32_t ahead;

    if (has != ((flow->flags & FLOW_TS) == FLOW_TS)) {
        check_use(e, flow, dir, has, *doubt);
        return true;
    }
    if (!has)
        return true;
    ahead = (int32_t)(ts - flow->ts[dir]);
    if (ahead < 0 && is_outdated(flow, dir, off, ts)) {
        raise_old(e, flow, dir);
        return false;
    }
    if (ts == 0 && ahead > 0 && ways_of(flow, dir)->zero == ZERO_IS_OLD) {
        raise_old(e, flow, dir);
        *doubt = DOUBT_REFUSED > *doubt ? DOUBT_REFUSED
                                        : *doubt; /* FreeBSD's source has no such rule */
    }
    if ((ahead > 0 || (ahead < 0 && none_yet(flow, dir))) && off <= side_acked(&flow->side[dir]))
        *recent = ts;
    return true;
}

/* ---- TTL ----------------------------------------------------------------------------------- */

static void
raise_ttl_jump(struct engine *e, struct weir_flow *flow, enum weir_dir dir, uint32_t usual)
{
    struct weir_event ev = { .type = WEIR_EV_TTL_JUMP, .direction = (uint8_t)dir };

    if (!engine_raises(e, flow, WEIR_EV_TTL_JUMP))
        return;
    ev.ttl_jump.ttl = e->packet->ttl;
    ev.ttl_jump.usual = usual;
    engine_deliver(e, flow, &ev);
}

bool
ttl_is_usual(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    uint32_t usual = flow_ttl(flow, dir), ttl = e->packet->ttl;

    /* Near its end any fall may be one too many. */
    if (ttl + TTL_SLACK < usual || (ttl < usual && ttl <= TTL_SLACK)) {
        raise_ttl_jump(e, flow, dir, usual);
        return false;
    }
    /* One forged with more must not set the rule; nor may it fall step by step, but by an ACK. */
    if (usual == 0 || (ttl > usual && ttl <= usual + TTL_SLACK))
        flow_set_ttl(flow, dir, (uint8_t)ttl);
    return true;
}

/* ---- windows ------------------------------------------------------------------------------- */

/* Only an acknowledgement, which repeats the last one. */
static bool
repeats_ack(const struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt,
            int64_t ack)
{
    const struct side *peer = &flow->side[!dir];

    return pkt->payload_wire == 0 && !(pkt->tcp_flags & WEIR_TH_FIN) && peer->flags & SIDE_ACKED &&
           ack == side_acked(peer);
}

void
check_window(struct engine *e, struct weir_flow *flow, enum weir_dir dir, int64_t ack, int64_t edge)
{
    const struct weir_packet *pkt = e->packet;
    const struct side *peer = &flow->side[!dir];
    int64_t before = side_offset(peer, peer->edge);

    if (pkt->tcp_window == 0)
        engine_raise_plain(e, flow, dir, WEIR_EV_ZERO_WINDOW);
    if (!repeats_ack(flow, dir, pkt, ack))
        return;
    if (edge > before)
        engine_raise_plain(e, flow, dir, WEIR_EV_WINDOW_UPDATE);
    else if (edge == before && pkt->tcp_window != 0 && reasm_seen_end(flow, !dir) > ack)
        engine_raise_plain(e, flow, dir, WEIR_EV_DUP_ACK);
}
