#include "rd.h"
#include "tcp_anomaly.h"
#include "tcp_parts.h"
#include "tcp_policy.h"
#include "tcp_state.h"
#include "track.h"

/* ---- options ------------------------------------------------------------------------------- */

static void
syn_option(uint8_t kind, struct rd body, struct tcp_syn_options *out)
{
    size_t n = rd_left(&body);
    uint16_t mss;
    uint8_t shift;

    if (kind == 2 && n == 2 && rd_be16(&body, &mss))
        out->mss = mss;
    else if (kind == 3 && n == 1 && rd_u8(&body, &shift))
        out->wscale = shift > 14 ? 14 : shift; /* RFC 7323 section 2.3 */
    else if (kind == 4)
        out->sack = true;
    else if (kind == 8)
        out->ts = n == 8;
    else if (kind == 34)
        out->tfo = true;
}

void
tcp_syn_options(const uint8_t *p, uint8_t n, struct tcp_syn_options *out)
{
    struct rd rd = { p, p + n }, body;
    uint8_t kind, length;

    *out = (struct tcp_syn_options){ .wscale = NO_WSCALE };
    while (rd_u8(&rd, &kind) && kind != 0) {
        if (kind == 1)
            continue;
        if (!rd_u8(&rd, &length) || length < 2 || !rd_sub(&rd, length - 2U, &body))
            return;
        syn_option(kind, body, out);
    }
}

/* ---- who opens ----------------------------------------------------------------------------- */

bool
tcp_is_syn(const struct weir_packet *pkt)
{
    return (pkt->tcp_flags & (WEIR_TH_SYN | WEIR_TH_FIN | WEIR_TH_RST)) == WEIR_TH_SYN;
}

bool
tcp_from_client(const struct weir_packet *pkt)
{
    return !tcp_is_syn(pkt) || !(pkt->tcp_flags & WEIR_TH_ACK);
}

/* The server answers the client's SYN with one of its own, or both sent theirs at once. */
static bool
opens_too(const struct weir_flow *flow, enum weir_dir dir)
{
    return dir == WEIR_TOCLIENT && flow->side[WEIR_TOSERVER].flags & SIDE_SYN &&
           flow->side[WEIR_TOCLIENT].packets == 0 && !(flow->flags & FLOW_CLOSED);
}

enum {
    OF_SYN = FLOW_TS_CLIENT | FLOW_SIGNED | 0xff << FLOW_TTL_TOSERVER, /* bits of weir_flow.flags */
};

static struct tcp_syn
own_syn(const struct weir_flow *flow)
{
    const struct side *client = &flow->side[WEIR_TOSERVER];

    return (struct tcp_syn){
        .known = client->flags & SIDE_SYN,
        .wscale = client->wscale & 15U,
        .base = client->base,
        .ts = flow->ts[WEIR_TOSERVER],
        .flags = flow->flags & OF_SYN,
    };
}

/* Of a flow whose client its sender is. */
static struct tcp_syn
read_syn(const struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt)
{
    struct tcp_syn syn = { .known = true, .window = pkt->tcp_window, .base = pkt->tcp_seq + 1 };
    struct tcp_syn_options options;

    tcp_syn_options(pkt->tcp_options, pkt->n_tcp_options, &options);
    syn.wscale = options.wscale;
    syn.flags = (uint32_t)pkt->ttl << FLOW_TTL_TOSERVER;
    if (syn_timestamp(flow, dir, pkt, &syn.ts))
        syn.flags |= FLOW_TS_CLIENT;
    if (syn_is_signed(pkt))
        syn.flags |= FLOW_SIGNED;
    return syn;
}

static unsigned
syn_ttl(const struct tcp_syn *syn)
{
    return syn->flags >> FLOW_TTL_TOSERVER & 0xff;
}

static void
raise_syn_ttl(struct tcp_syn *syn, unsigned ttl)
{
    if (ttl > syn_ttl(syn))
        syn->flags = (syn->flags & ~(0xffU << FLOW_TTL_TOSERVER)) | ttl << FLOW_TTL_TOSERVER;
}

/*
 * A SYN came that may open another connection: its receiver will tell. One that may not get there,
 * by what its side uses and by the one that waits, takes no place of one that may; a copy says
 * nothing new, unless the first may not have arrived.
 */
static void
note_reuse(struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt)
{
    const struct tcp_syn syn = read_syn(flow, dir, pkt), own = own_syn(flow);
    struct rare *rare = reasm_need_rare(flow);
    struct tcp_syn *waits = rare != NULL ? &rare->reuse_syn : NULL;
    const bool again = flow->flags & FLOW_REUSE_WAITS && waits != NULL && waits->known;

    if (again && syn_ttl(&syn) + TTL_SLACK < smaller(syn_ttl(waits), flow_ttl(flow, dir)))
        return;
    if (waits != NULL) {
        if (!again && dir == WEIR_TOSERVER && own.known && own.base == syn.base)
            *waits = own;
        if (!waits->known || waits->base != syn.base || syn_ttl(&syn) > syn_ttl(waits) + TTL_SLACK)
            *waits = syn;
        raise_syn_ttl(waits, syn_ttl(&syn));
    }
    flow->flags &= ~(uint32_t)FLOW_REUSE_BACK;
    flow->flags |= FLOW_REUSE_WAITS | (dir == WEIR_TOCLIENT ? FLOW_REUSE_BACK : 0);
    flow_cold(flow)->reuse_seq = pkt->tcp_seq;
}

/* Returns whether the segment is from the receiver of that SYN, and acknowledges it. */
static bool
answers_reuse(const struct weir_flow *flow, const struct weir_packet *pkt, enum weir_dir dir)
{
    enum weir_dir of_syn = flow->flags & FLOW_REUSE_BACK ? WEIR_TOCLIENT : WEIR_TOSERVER;

    return flow->flags & FLOW_REUSE_WAITS && dir != of_syn &&
           pkt->tcp_ack == flow_cold(flow)->reuse_seq + 1;
}

/* It opens nothing, but before the third step it may end the connection: see tcp_refuses_syn(). */
static bool
half_open_syn_fin(const struct weir_flow *flow, const struct weir_packet *pkt, enum weir_dir dir)
{
    return dir == WEIR_TOSERVER && !(flow->flags & FLOW_ESTABLISHED) &&
           (pkt->tcp_flags & (WEIR_TH_SYN | WEIR_TH_FIN | WEIR_TH_RST | WEIR_TH_ACK)) ==
               (WEIR_TH_SYN | WEIR_TH_FIN);
}

/*
 * The server was taken for one that the capture does not have, and answers after all: it has
 * nothing of what was delivered, for who sent that did not know its number.
 */
static bool
refutes_early(struct weir_flow *flow, const struct weir_packet *pkt, enum weir_dir dir)
{
    const struct side *client = &flow->side[WEIR_TOSERVER];

    if (dir == WEIR_TOSERVER || !(client->flags & SIDE_SYN) || flow->side[dir].flags & SIDE_SEEN ||
        (client->next == 0 && !(client->flags & SIDE_FIN)) ||
        !tcp_acks_syn(flow, WEIR_TOSERVER, pkt) || reasm_early_is_right(flow, pkt->tcp_seq + 1))
        return false;
    tcp_forget_dropped(flow, WEIR_TOSERVER);
    return true;
}

static bool
is_closed_for_sure(const struct weir_flow *flow)
{
    const struct rare *rare = flow_rare(flow);

    return flow->flags & FLOW_CLOSED &&
           !(flow->flags & FLOW_RESET && rare != NULL && rare->reset_in_doubt);
}

/* A server that ended its connection has another one; its SYN was not captured. */
static bool
answers_unseen(const struct weir_flow *flow, const struct weir_packet *pkt, enum weir_dir dir)
{
    const struct side *client = &flow->side[WEIR_TOSERVER], *server = &flow->side[WEIR_TOCLIENT];

    return dir == WEIR_TOCLIENT && (is_closed_for_sure(flow) || server->flags & SIDE_FIN) &&
           !(client->flags & SIDE_SYN && client->base == pkt->tcp_ack);
}

/*
 * On a closed flow any other SYN opens a new connection, and a SYN/ACK that is not its own; so does
 * a SYN while nobody but its sender was heard. The same SYN may be a late copy, or open one if the
 * peer's SYN/ACK has another number.
 * On a live flow only the peer can tell: its SYN/ACK has to acknowledge that SYN, which
 * else is a stray or an attack that the target answers with a challenge ACK (RFC 5961 section 4).
 */
bool
tcp_opens_another(struct weir_flow *flow, const struct weir_packet *pkt, enum weir_dir dir)
{
    const struct side *client = &flow->side[WEIR_TOSERVER];

    if (half_open_syn_fin(flow, pkt, dir))
        note_reuse(flow, dir, pkt);
    if (!tcp_is_syn(pkt))
        return false;
    if (pkt->tcp_flags & WEIR_TH_ACK)
        return refutes_early(flow, pkt, dir) ||
               ((answers_reuse(flow, pkt, dir) || answers_unseen(flow, pkt, dir)) &&
                !(flow->side[dir].flags & SIDE_SYN && flow->side[dir].base == pkt->tcp_seq + 1));
    if (dir == WEIR_TOSERVER && client->flags & SIDE_SYN && client->base == pkt->tcp_seq + 1) {
        if (flow->flags & FLOW_CLOSED)
            note_reuse(flow, dir, pkt);
        return false;
    }
    if (opens_too(flow, dir))
        return false;
    if (is_closed_for_sure(flow) || flow->side[!dir].packets == 0)
        return true;
    note_reuse(flow, dir, pkt);
    return false;
}

static struct tcp_syn
other_syn(const struct weir_flow *flow)
{
    const struct rare *rare = flow_rare(flow);

    return rare != NULL ? rare->other_syn : (struct tcp_syn){ .known = false };
}

/* The SYN that this SYN/ACK answers, of those that are known. */
static struct tcp_syn
answered_syn(const struct weir_flow *flow, const struct weir_packet *pkt)
{
    const struct tcp_syn own = own_syn(flow);
    const struct rare *rare = flow_rare(flow);

    if (rare != NULL && flow->flags & FLOW_REUSE_WAITS && rare->reuse_syn.known &&
        rare->reuse_syn.base == pkt->tcp_ack)
        return rare->reuse_syn;
    return own.base == pkt->tcp_ack ? own : (struct tcp_syn){ .known = false };
}

struct tcp_syn
tcp_syn_before(const struct weir_flow *flow, const struct weir_packet *pkt)
{
    const struct tcp_syn none = { .known = false }, own = own_syn(flow);
    struct tcp_syn before = other_syn(flow);

    if (pkt->tcp_flags & WEIR_TH_ACK)
        return answered_syn(flow, pkt);
    if (flow->side[WEIR_TOCLIENT].packets > 0)
        return none;
    if (!before.known || before.base == pkt->tcp_seq + 1) {
        const unsigned ttl = syn_ttl(&before);

        before = is_closed_for_sure(flow) ? none : own;
        raise_syn_ttl(&before, ttl);
        return before;
    }
    raise_syn_ttl(&before, syn_ttl(&own));
    return before;
}

/* The client's numbers are those of this SYN. */
static void
take_syn(struct weir_flow *flow, const struct tcp_syn *syn)
{
    struct side *client = &flow->side[WEIR_TOSERVER];

    client->base = syn->base;
    client->wscale = syn->wscale & 15U;
    client->flags |= SIDE_SEEN | SIDE_SYN;
    flow->ts[WEIR_TOSERVER] = syn->ts;
    flow->flags = (flow->flags & ~(uint32_t)OF_SYN) | syn->flags;
}

void
tcp_recall_syn(struct weir_flow *flow, const struct weir_packet *pkt, const struct tcp_syn *syn)
{
    struct rare *rare;

    if (pkt->tcp_flags & WEIR_TH_ACK) {
        take_syn(flow, syn);
        tcp_input(flow, WEIR_TOSERVER, TCP_SENT_SYN);
        tcp_input(flow, WEIR_TOCLIENT, TCP_GOT_SYN);
    } else if ((rare = reasm_need_rare(flow)) != NULL) {
        rare->other_syn = *syn;
    }
}

enum { SYNS_MANY = 10 }; /* Suricata keeps so many of a flow beside the first one */

unsigned
tcp_unanswered_syns(const struct weir_flow *flow)
{
    bool answered = flow->side[WEIR_TOCLIENT].packets > 0;

    return flow->side[WEIR_TOSERVER].flags & SIDE_SYN && !answered
               ? flow_cold(flow)->syns[WEIR_TOCLIENT] + 1U
               : 0;
}

void
tcp_note_unanswered(struct engine *e, struct weir_flow *flow, enum weir_dir dir, unsigned n)
{
    if (dir != WEIR_TOSERVER || !tcp_is_syn(e->packet) || n == 0)
        return;
    flow_cold(flow)->syns[WEIR_TOCLIENT] = n < UINT8_MAX ? (uint8_t)n : UINT8_MAX - 1;
    if (n > SYNS_MANY)
        raise_why(e, flow, dir, WEIR_EV_BAD_HANDSHAKE, WEIR_BAD_HANDSHAKE_FLOOD);
}

/* ---- SYNs ---------------------------------------------------------------------------------- */

static void
raise_handshake(struct engine *e, struct weir_flow *flow, enum weir_dir dir,
                enum weir_event_type type, const struct tcp_syn_options *options)
{
    struct weir_event ev = { .type = (uint8_t)type, .direction = (uint8_t)dir };

    if (!engine_raises(e, flow, type))
        return;
    ev.syn.mss = options->mss;
    ev.syn.wscale = options->wscale == NO_WSCALE ? -1 : options->wscale;
    ev.syn.sack = options->sack;
    ev.syn.ts = options->ts;
    ev.syn.tfo = options->tfo;
    engine_deliver(e, flow, &ev);
}

static void
raise_repeated_syn(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    struct weir_event ev = { .type = WEIR_EV_RETRANSMIT, .direction = (uint8_t)dir };

    if (!engine_raises(e, flow, WEIR_EV_RETRANSMIT))
        return;
    ev.retransmit.offset = -1;
    ev.retransmit.acked = flow->side[dir].flags & SIDE_ACKED;
    ev.retransmit.verified = true;
    ev.retransmit.syn = true;
    engine_deliver(e, flow, &ev);
}

/* A side's numbers begin, and not with what came before and was dropped by its receiver. */
void
tcp_forget_dropped(struct weir_flow *flow, enum weir_dir dir)
{
    flow->side[dir].flags &= (uint8_t)~SIDE_FIN_WAITS;
    reasm_drop_queue(flow, dir);
}

/* The first SYN of a side: its numbers begin. */
static void
start_side(struct engine *e, struct weir_flow *flow, enum weir_dir dir, enum weir_event_type type)
{
    const struct weir_packet *pkt = e->packet;
    struct side *side = &flow->side[dir];
    struct tcp_syn_options options;

    if (!(side->flags & SIDE_SEEN))
        tcp_forget_dropped(flow, dir);
    tcp_syn_options(pkt->tcp_options, pkt->n_tcp_options, &options);
    side->base = pkt->tcp_seq + 1;
    side->wscale = options.wscale & 15U;
    side->flags |= SIDE_SEEN | SIDE_SYN;
    start_timestamps(flow, dir, pkt);
    tcp_input(flow, dir, type == WEIR_EV_SYN ? TCP_SENT_SYN : TCP_SENT_SYN_ACK);
    tcp_input(flow, !dir, type == WEIR_EV_SYN ? TCP_GOT_SYN : TCP_GOT_SYN_ACK);
    raise_handshake(e, flow, dir, type, &options);
}

static void
raise_data_on_syn(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct weir_packet *pkt = e->packet;
    struct weir_event ev = { .type = WEIR_EV_DATA_ON_SYN, .direction = (uint8_t)dir };
    struct tcp_syn_options options;

    if (pkt->payload_wire == 0 || !engine_raises(e, flow, WEIR_EV_DATA_ON_SYN))
        return;
    tcp_syn_options(pkt->tcp_options, pkt->n_tcp_options, &options);
    ev.data_on_syn.tfo = options.tfo;
    engine_deliver(e, flow, &ev);
}

/*
 * Data on a client's SYN are in doubt until a SYN/ACK accepts them (RFC 7413 section 4.1.2). Those
 * on a SYN/ACK are text like any by RFC 9293 section 3.10.7.3, but Linux's clients drop them.
 */
static void
park_syn_data(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct weir_packet *pkt = e->packet;
    enum doubt doubt = dir == WEIR_TOSERVER ? DOUBT_REFUSED : DOUBT_DROPPED;
    struct chunk chunk = { 0, pkt->payload_len, pkt->payload, doubt, false, 0 };

    if (pkt->payload_len > 0)
        reasm_park(e, flow, dir, &chunk);
}

/*
 * A SYN or SYN/ACK that the target answers, if at all, with a challenge (RFC 5961 section 4); or it
 * gives the connection up (RFC 793 section 3.9), as its policy has it.
 */
static void
raise_stray_syn(struct engine *e, struct weir_flow *flow, enum weir_dir dir,
                enum weir_bad_handshake why)
{
    const struct side *side = &flow->side[dir];

    if (!(flow->flags & FLOW_ESTABLISHED)) {
        raise_why(e, flow, dir, WEIR_EV_BAD_HANDSHAKE, (uint8_t)why);
        return;
    }
    engine_raise_plain(e, flow, dir, WEIR_EV_SYN_IN_FLOW);
    if (side->flags & SIDE_SEEN && !tcp_is_over(flow) &&
        tcp_is_at(side, side_offset(side, e->packet->tcp_seq - side->base),
                  policy_ways(flow_policy(flow, dir))->syn))
        tcp_reset_flow(e, flow, dir);
}

static void
raise_ttl(struct weir_flow *flow, enum weir_dir dir, uint8_t ttl)
{
    if (ttl > flow_ttl(flow, dir))
        flow_set_ttl(flow, dir, ttl);
}

void
track_syn(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    struct side *side = &flow->side[dir];

    raise_data_on_syn(e, flow, dir);
    if (side->flags & SIDE_SYN && side->base == e->packet->tcp_seq + 1) {
        if (!(flow->side[!dir].flags & SIDE_SEEN)) { /* the first may have reached nobody */
            raise_ttl(flow, dir, e->packet->ttl);
            park_syn_data(e, flow, dir);
        }
        raise_repeated_syn(e, flow, dir);
    } else if (side->flags & SIDE_SYN) {
        raise_stray_syn(e, flow, dir, WEIR_BAD_HANDSHAKE_SYN_SEQ);
    } else if (side->flags & SIDE_SEEN || flow->flags & FLOW_ESTABLISHED) {
        raise_stray_syn(e, flow, dir, WEIR_BAD_HANDSHAKE_DIRECTION);
    } else {
        start_side(e, flow, dir, WEIR_EV_SYN);
        park_syn_data(e, flow, dir);
        if (dir == WEIR_TOCLIENT)
            flow->flags |= FLOW_BOTH_OPEN;
    }
}

/* ---- SYN/ACKs ------------------------------------------------------------------------------ */

/* RFC 9293 section 3.10.7.3: of a client's SYN, and of data on it, no more than was sent. */
bool
tcp_acks_syn(struct weir_flow *flow, enum weir_dir of_syn, const struct weir_packet *pkt)
{
    return pkt->tcp_ack - flow->side[of_syn].base <= reasm_syn_end(flow, of_syn);
}

/* Where both sides sent a SYN, the client's SYN/ACK repeats its SYN and acknowledges the other. */
static void
track_client_syn_ack(struct engine *e, struct weir_flow *flow)
{
    const struct weir_packet *pkt = e->packet;
    const struct side *client = &flow->side[WEIR_TOSERVER];
    enum doubt doubt = DOUBT_NONE;

    if (!(flow->flags & FLOW_BOTH_OPEN) || client->base != pkt->tcp_seq + 1 ||
        !tcp_acks_syn(flow, WEIR_TOCLIENT, pkt) || flow->flags & FLOW_ESTABLISHED) {
        raise_stray_syn(e, flow, WEIR_TOSERVER, WEIR_BAD_HANDSHAKE_DIRECTION);
        return;
    }
    start_side(e, flow, WEIR_TOSERVER, WEIR_EV_SYN_ACK);
    tcp_take_ack(e, flow, WEIR_TOSERVER, &doubt);
}

/*
 * Another SYN/ACK, by another server behind the address or a forger, or one that answers another
 * SYN than the flow's own: the client's ACK chooses.
 */
static void
note_other_syn_ack(struct weir_flow *flow, const struct weir_packet *pkt)
{
    struct rare *rare;

    if (flow->flags & FLOW_ESTABLISHED || (rare = reasm_need_rare(flow)) == NULL)
        return;
    flow->flags |= FLOW_OTHER_SYN_ACK;
    rare->other_syn_ack = read_syn(flow, WEIR_TOCLIENT, pkt);
    rare->other_ack = pkt->tcp_ack;
}

/*
 * A server that has a SYN answers no other with another number until it gives that one up (Linux,
 * tcp_check_req()): this acknowledges the first, though data on the flow's own end there, too.
 */
static bool
answers_first(const struct weir_flow *flow, uint32_t ack)
{
    const struct tcp_syn first = other_syn(flow), own = own_syn(flow);

    return first.known && first.base == ack && own.base != ack &&
           syn_ttl(&first) + TTL_SLACK >= syn_ttl(&own);
}

/* The client's numbers begin here: with a SYN that is known, or with one of which nothing is. */
static void
start_client_at(struct weir_flow *flow, uint32_t base, const struct weir_packet *pkt)
{
    struct side *client = &flow->side[WEIR_TOSERVER];
    struct tcp_syn other = other_syn(flow), own = own_syn(flow);

    tcp_forget_dropped(flow, WEIR_TOSERVER);
    reasm_refuse_early(flow);
    if (other.known && other.base == base) {
        take_syn(flow, &other);
        return;
    }
    raise_syn_ttl(&own, syn_ttl(&other));
    own.base = base;
    own.wscale = UNSCALED_UNKNOWN;
    own.flags &= 0xffU << FLOW_TTL_TOSERVER;
    take_syn(flow, &own);
    client->wscale = UNSCALED_UNKNOWN;
    if (flow_rare(flow)->other_syn_ack.flags & FLOW_TS_CLIENT)
        start_timestamps(flow, WEIR_TOSERVER, pkt);
}

/* The SYN/ACK that was not taken, is. */
static void
start_server(struct weir_flow *flow, const struct tcp_syn *syn_ack)
{
    struct side *server = &flow->side[WEIR_TOCLIENT], *client = &flow->side[WEIR_TOSERVER];
    const bool first = !(server->flags & SIDE_SYN);

    server->base = syn_ack->base;
    server->wscale = syn_ack->wscale & 15U;
    server->flags |= SIDE_SEEN | SIDE_SYN;
    flow->ts[WEIR_TOCLIENT] = syn_ack->ts;
    flow->flags &= ~(uint32_t)(FLOW_OTHER_SYN_ACK | FLOW_TS_SERVER);
    if (syn_ack->flags & FLOW_TS_CLIENT)
        flow->flags |= FLOW_TS_SERVER;
    client->acked = 0;
    client->edge = syn_ack->window;
    client->flags |= SIDE_ACKED;
    if (first) {
        tcp_input(flow, WEIR_TOCLIENT, TCP_SENT_SYN_ACK);
        tcp_input(flow, WEIR_TOSERVER, TCP_GOT_SYN_ACK);
    }
}

/* The client's RST for a SYN before the flow's own: its server listens again. */
bool
tcp_gives_up_syn(const struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt)
{
    const struct tcp_syn other = other_syn(flow);

    return dir == WEIR_TOSERVER && !(flow->flags & FLOW_ESTABLISHED) && other.known &&
           pkt->tcp_seq == other.base;
}

void
tcp_forget_other_syn(struct weir_flow *flow)
{
    struct rare *rare = flow_rare(flow);

    if (rare->other_ack == rare->other_syn.base)
        flow->flags &= ~(uint32_t)FLOW_OTHER_SYN_ACK;
    rare->other_syn.known = false;
}

/* It gets to its server, who takes it. */
static bool
may_choose(const struct weir_flow *flow, const struct weir_packet *pkt)
{
    const struct tcp_syn other = other_syn(flow), own = own_syn(flow);
    const bool of_other = other.known && flow_rare(flow)->other_ack == other.base;

    return pkt->tcp_flags & WEIR_TH_ACK && !(pkt->tcp_flags & (WEIR_TH_SYN | WEIR_TH_RST)) &&
           (pkt->ttl > TTL_FAR || pkt->ttl + TTL_SLACK >= flow_ttl(flow, WEIR_TOSERVER)) &&
           (!syn_is_signed(pkt) || (of_other ? other : own).flags & FLOW_SIGNED);
}

enum { THIRD_STEP_AHEAD = 65535 }; /* bytes that may be ahead of it, if it comes out of order */

void
tcp_choose_syn_ack(struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt)
{
    const struct side *server = &flow->side[WEIR_TOCLIENT];
    const struct rare *rare;

    if (!(flow->flags & FLOW_OTHER_SYN_ACK) || dir != WEIR_TOSERVER ||
        flow->flags & FLOW_ESTABLISHED || !may_choose(flow, pkt))
        return;
    rare = flow_rare(flow);
    if (pkt->tcp_ack != rare->other_syn_ack.base ||
        (server->flags & SIDE_SYN && tcp_fits_handshake(flow, dir, pkt)))
        return;
    if (answers_first(flow, rare->other_ack) ||
        rare->other_ack - flow->side[dir].base > reasm_syn_end(flow, dir)) {
        if (pkt->tcp_seq - rare->other_ack > THIRD_STEP_AHEAD)
            return;
        start_client_at(flow, rare->other_ack, pkt);
    } else if (pkt->tcp_seq - flow->side[dir].base > THIRD_STEP_AHEAD) {
        return;
    }
    start_server(flow, &rare->other_syn_ack);
}

/* The server's SYN/ACK; one that does not answer the client's SYN is dropped by the client. */
static void
track_server_syn_ack(struct engine *e, struct weir_flow *flow)
{
    const struct weir_packet *pkt = e->packet;
    struct side *side = &flow->side[WEIR_TOCLIENT], *client = &flow->side[WEIR_TOSERVER];
    bool opened = flow->flags & FLOW_BOTH_OPEN && !(client->flags & SIDE_ACKED);
    enum doubt doubt = DOUBT_NONE;

    if (side->flags & SIDE_SYN && side->base != pkt->tcp_seq + 1) {
        raise_stray_syn(e, flow, WEIR_TOCLIENT, WEIR_BAD_HANDSHAKE_SYN_ACK_SEQ);
        if (tcp_acks_syn(flow, WEIR_TOSERVER, pkt))
            note_other_syn_ack(flow, pkt);
    } else if (side->flags & SIDE_SYN && !opened) {
        raise_repeated_syn(e, flow, WEIR_TOCLIENT);
    } else if (side->flags & SIDE_SEEN && !opened) {
        raise_stray_syn(e, flow, WEIR_TOCLIENT, WEIR_BAD_HANDSHAKE_SYN_ACK_SEQ);
    } else if (client->flags & SIDE_SEEN &&
               (answers_first(flow, pkt->tcp_ack) || !tcp_acks_syn(flow, WEIR_TOSERVER, pkt))) {
        raise_why(e, flow, WEIR_TOCLIENT, WEIR_EV_BAD_HANDSHAKE, WEIR_BAD_HANDSHAKE_SYN_ACK_ACK);
        note_other_syn_ack(flow, pkt);
    } else {
        if (!(client->flags & SIDE_SEEN)) {
            tcp_forget_dropped(flow, WEIR_TOSERVER);
            client->base = pkt->tcp_ack;
        }
        client->flags |= SIDE_SEEN;
        flow->flags &= ~(uint32_t)FLOW_OTHER_SYN_ACK;
        start_side(e, flow, WEIR_TOCLIENT, WEIR_EV_SYN_ACK);
        reasm_judge_early(e, flow, side->base);
        if (client->flags & SIDE_FIN_WAITS)
            tcp_check_fin(e, flow, WEIR_TOSERVER);
        park_syn_data(e, flow, WEIR_TOCLIENT);
        tcp_take_ack(e, flow, WEIR_TOCLIENT, &doubt);
    }
}

void
track_syn_ack(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    raise_data_on_syn(e, flow, dir);
    if (dir == WEIR_TOSERVER)
        track_client_syn_ack(e, flow);
    else
        track_server_syn_ack(e, flow);
}

/* ---- the third step ------------------------------------------------------------------------ */

static void
raise_established(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    struct weir_event ev = { .type = WEIR_EV_ESTABLISHED, .direction = (uint8_t)dir };

    if (!engine_raises(e, flow, WEIR_EV_ESTABLISHED))
        return;
    ev.established.rtt = ((int64_t)e->packet->time - (int64_t)flow_cold(flow)->start) / 1000;
    engine_deliver(e, flow, &ev);
}

/* The client's third step was not captured, what is behind it is. */
static bool
goes_on_with_other(const struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt)
{
    return dir == WEIR_TOSERVER && may_choose(flow, pkt) &&
           pkt->tcp_ack - flow_rare(flow)->other_syn_ack.base <= THIRD_STEP_AHEAD;
}

/*
 * Both SYNs are acknowledged: by the third step of the usual handshake, the fourth of a split one,
 * or when both sides opened at once (RFC 9293 section 3.5).
 */
void
tcp_check_established(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct side *client = &flow->side[WEIR_TOSERVER], *server = &flow->side[WEIR_TOCLIENT];

    if (flow->flags & (FLOW_ESTABLISHED | FLOW_RESET))
        return;
    if (!(server->flags & SIDE_SYN) && server->flags & SIDE_SEEN) {
        if (flow->flags & FLOW_OTHER_SYN_ACK && !goes_on_with_other(flow, dir, e->packet))
            return;                  /* it was captured, and the client has not chosen yet */
        engine_established(e, flow); /* its SYN/ACK was not captured */
        tcp_input(flow, WEIR_TOSERVER, TCP_PICKED_UP);
        tcp_input(flow, WEIR_TOCLIENT, TCP_PICKED_UP);
        if (client->flags & SIDE_SYN)
            raise_established(e, flow, dir);
        return;
    }
    if (!(client->flags & server->flags & SIDE_ACKED) || !(client->flags & SIDE_SEEN) ||
        !(server->flags & SIDE_SYN))
        return;
    engine_established(e, flow);
    tcp_input(flow, WEIR_TOSERVER, TCP_SYN_ACKED);
    tcp_input(flow, WEIR_TOCLIENT, TCP_SYN_ACKED);
    raise_established(e, flow, dir);
}

/*
 * Until the server has the third step it takes nothing but an acknowledgement of its SYN, and
 * answers all else with a RST (RFC 9293 section 3.10.7.4). Where it acknowledged data, it has it.
 */
bool
tcp_fits_handshake(struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt)
{
    const struct side *client = &flow->side[WEIR_TOSERVER], *server = &flow->side[WEIR_TOCLIENT];
    bool fin = server->flags & (SIDE_FIN | SIDE_FIN_WAITS);
    int64_t ack;

    if (dir != WEIR_TOSERVER || flow->flags & FLOW_ESTABLISHED ||
        !(client->flags & server->flags & SIDE_SYN) ||
        (client->flags & SIDE_ACKED && side_acked(client) > 0))
        return true;
    ack = side_offset(server, pkt->tcp_ack - server->base);
    return ack >= 0 && ack <= reasm_seen_end(flow, WEIR_TOCLIENT) + fin;
}
