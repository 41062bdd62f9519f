#include "frag.h"

#include "checksum.h"
#include "reader.h"
#include "hosts.h"
#include "pieces.h"
#include "rd.h"

#include <string.h>

enum {
    MAX_LENGTH = 65535,  /* of an IPv4 datagram, and of an IPv6 one's payload */
    MAX_PIECES = 8192,   /* fragments of a datagram that are told apart */
    FIRST_PIECES = 8,    /* room for so many to begin with */
    FIRST_BLOCK = 2048,  /* bytes of the first block for data: a packet of Ethernet's size */
    HEADER_ROOM = 128,   /* a link header, or a tunnel's, and an IP header */
    FRAGMENT_HEADER = 8, /* of IPv6, RFC 8200 4.5 */
    EVICT_MAX = 128,     /* datagrams that one block may cost */
    IPV6_HEADER = 40,
};

/* ipfrag_time and ip6frag_time of Linux; RFC 8200 4.5 has 60 s, RFC 1122 3.3.2 60 to 120 s. Counted
 * from the fragment that came first, and not begun anew. */
static const uint64_t timeout[] = { UINT64_C(30000000000), UINT64_C(60000000000) };

struct datagram {
    struct datagram *next;          /* in its bucket */
    struct datagram *older, *newer; /* in its queue */
    uint64_t key[FRAG_KEY_WORDS];
    uint64_t hash;
    uint64_t id;              /* number of the packet that came first */
    uint64_t deadline;        /* tick */
    struct weir_packet first; /* what is known of it: see weir_event.packet */

    /* One block: room for the header, the data, whose length is a multiple of eight, the owners. */
    uint8_t *block;
    size_t block_size;
    uint32_t header_room, data_room;
    uint32_t n_frame;  /* bytes of the frame before the data; 0: the first fragment lacks */
    uint32_t n_header; /* the last of these, from the IP header on */
    uint16_t link;     /* type of that frame */

    struct pieces pieces;
    uint32_t max_pieces; /* that there is room for */
    uint32_t end;        /* of the data, as far as is known */
    uint32_t cut;        /* the first byte that was not captured; UINT32_MAX: all were */
    bool last;           /* the last fragment came: end is final */

    /* Inline. */
    struct frag_verdict *verdict; /* memory for its own; NULL: there was none */
    struct frag_verdict *after;   /* the one before, with a reference; NULL: none that counts */
};

/* A fragment, as its packet shows it. */
struct fragment {
    const struct weir_packet *pkt;
    uint64_t key[FRAG_KEY_WORDS];
    uint64_t hash;
    uint32_t n_frame;  /* of the frame, up to the data but for the fragment header */
    uint32_t n_header; /* the last of these, from the IP header on */
    uint32_t start, end;
    bool more;
};

static uint8_t *
data_of(const struct datagram *d)
{
    return d->block + d->header_room;
}

/* ---- reading ------------------------------------------------------------------------------- */

/* RFC 791 3.2 and RFC 8200 4.5: a datagram is known by these; IPv6 has no protocol among them. */
static void
make_key(const struct weir_packet *pkt, bool by_vlan, uint32_t ident, uint64_t key[FRAG_KEY_WORDS])
{
    const size_t n = pkt->ip_version == 4 ? 4 : 16;
    const uint64_t vlan0 = by_vlan && pkt->n_vlan > 0 ? pkt->vlan[0] : NO_VLAN;
    const uint64_t vlan1 = by_vlan && pkt->n_vlan > 1 ? pkt->vlan[1] : NO_VLAN;
    const uint64_t proto = pkt->ip_version == 4 ? pkt->proto : 0;

    memset(key, 0, FRAG_KEY_WORDS * sizeof(*key));
    memcpy(&key[0], pkt->src.b, n);
    memcpy(&key[2], pkt->dst.b, n);
    key[4] = ident | proto << 32 | (uint64_t)pkt->ip_version << 40;
    key[5] = vlan0 | vlan1 << 16 | (uint64_t)pkt->vni << 32 | (uint64_t)pkt->has_vni << 56;
}

static void
read_fragment(const struct reader *r, const struct weir_packet *pkt, struct fragment *f)
{
    uint32_t ident;

    f->pkt = pkt;
    f->n_header = (uint32_t)(pkt->payload - pkt->ip);
    if (pkt->ip_version == 4) {
        ident = be16(pkt->ip + 4);
        f->start = (be16(pkt->ip + 6) & 0x1fffU) * 8;
        f->more = pkt->ip[6] & 0x20;
    } else {
        const uint8_t *header = pkt->payload - FRAGMENT_HEADER;

        ident = be32(header + 4);
        f->start = be16(header + 2) & 0xfff8U;
        f->more = header[3] & 1;
        f->n_header -= FRAGMENT_HEADER;
    }
    f->n_frame = (uint32_t)(pkt->ip - pkt->frame) + f->n_header;
    f->end = f->start + pkt->payload_wire;
    make_key(pkt, r->by_vlan, ident, f->key);
    f->hash = siphash13(&r->secret, f->key, FRAG_KEY_WORDS);
}

/* Bytes of the payload that were captured and lie before its end. */
static uint32_t
captured(const struct fragment *f)
{
    const uint32_t n = f->end - f->start;

    return f->pkt->payload_len < n ? f->pkt->payload_len : n;
}

/* Does a first fragment lack a part of the transport header? As ipv6frag_thdr_truncated() of Linux
 * but for extension headers, which are not walked. */
static bool
is_tiny(const struct fragment *f)
{
    const uint32_t n = f->end - f->start;

    switch (f->pkt->proto) {
    case WEIR_PROTO_TCP:
        return n < 20;
    case WEIR_PROTO_UDP:
    case WEIR_PROTO_ICMP:
    case WEIR_PROTO_ICMPV6:
        return n < 8;
    default:
        return false;
    }
}

/* ---- the room ------------------------------------------------------------------------------ */

void
frag_init(struct frag_room *room, void *range, size_t size, size_t cap)
{
    mem_init_joining(&room->mem, range, size, cap);
}

static struct datagram **
bucket_of(struct frag_room *room, uint64_t hash)
{
    return &room->bucket[hash % FRAG_BUCKETS];
}

static struct frag_queue *
queue_of(struct frag_room *room, const struct datagram *d)
{
    return &room->queue[d->first.ip_version == 6];
}

static struct datagram *
find(struct frag_room *room, const struct fragment *f)
{
    struct datagram *d = *bucket_of(room, f->hash);

    while (d != NULL && memcmp(d->key, f->key, sizeof(d->key)) != 0)
        d = d->next;
    return d;
}

/* Take it out of the table and the queue; its memory stays. */
static void
unlink_datagram(struct frag_room *room, struct datagram *d)
{
    struct datagram **at = bucket_of(room, d->hash);
    struct frag_queue *queue = queue_of(room, d);

    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
    *(d->older != NULL ? &d->older->newer : &queue->oldest) = d->newer;
    *(d->newer != NULL ? &d->newer->older : &queue->newest) = d->older;
    room->n--;
}

static void
link_datagram(struct frag_room *room, struct datagram *d)
{
    struct datagram **bucket = bucket_of(room, d->hash);
    struct frag_queue *queue = queue_of(room, d);

    d->next = *bucket;
    *bucket = d;
    d->older = queue->newest;
    *(queue->newest != NULL ? &queue->newest->newer : &queue->oldest) = d;
    queue->newest = d;
    room->n++;
}

static void
frag_free(struct frag_room *room, struct datagram *d)
{
    if (d == NULL)
        return;
    if (d->block != NULL)
        mem_free(&room->mem, d->block, d->block_size);
    if (d->pieces.piece != NULL)
        mem_free(&room->mem, d->pieces.piece, d->max_pieces * sizeof(struct piece));
    if (d->verdict != NULL)
        mem_free(&room->mem, d->verdict, sizeof(*d->verdict));
    if (d->after != NULL)
        frag_verdict_release(d->after);
    mem_free(&room->mem, d, sizeof(*d));
}

/* Of the room's memory, by the sizes that it was asked for with; of one that is whole. */
static size_t
size_of(const struct datagram *d)
{
    size_t n = mem_block_size(sizeof(*d));

    if (d->block != NULL)
        n += mem_block_size(d->block_size);
    if (d->pieces.piece != NULL)
        n += mem_block_size(d->max_pieces * sizeof(struct piece));
    return n;
}

void
frag_lend(struct frag_room *room, struct datagram *d, struct datagram **lent)
{
    mem_uncharge(&room->mem, size_of(d));
    d->next = *lent;
    *lent = d;
}

void
frag_take_back(struct frag_room *room, struct datagram **lent)
{
    struct datagram *d;

    while ((d = *lent) != NULL) {
        *lent = d->next;
        room->mem.used += size_of(d); /* to free it takes that off */
        frag_free(room, d);
    }
}

static void
discard(struct frag_room *room, struct datagram *d)
{
    if (d == NULL)
        return;
    unlink_datagram(room, d);
    frag_free(room, d);
}

void
frag_clear(struct frag_room *room)
{
    for (int i = 0; i < 2; i++)
        while (room->queue[i].oldest != NULL)
            discard(room, room->queue[i].oldest);
}

/* The oldest datagram but this one; NULL: there is no other. */
static struct datagram *
oldest_but(struct frag_room *room, const struct datagram *but)
{
    struct datagram *oldest = NULL;

    for (int i = 0; i < 2; i++) {
        struct datagram *d = room->queue[i].oldest;

        if (d != NULL && d == but)
            d = d->newer;
        if (d != NULL && (oldest == NULL || d->id < oldest->id))
            oldest = d;
    }
    return oldest;
}

static bool
make_room(struct reader *r, const struct datagram *but)
{
    struct datagram *victim = oldest_but(&r->frags, but);

    if (victim == NULL)
        return false;
    discard(&r->frags, victim);
    reader_overload(r);
    return true;
}

/* Inline: what finds no room is dropped, and nothing is forgotten for it. */
static bool
closes(const struct reader *r)
{
    return r->frags.verdicts != NULL && r->opts->fail_closed;
}

/*
 * Memory for a datagram, of which the oldest others may have to go, a few for each fragment. Not
 * zeroed.
 */
static void *
allocate(struct reader *r, size_t size, const struct datagram *but)
{
    void *block = mem_alloc(&r->frags.mem, size);

    for (unsigned i = 0; block == NULL && i < EVICT_MAX && !closes(r) && make_room(r, but); i++)
        block = mem_alloc(&r->frags.mem, size);
    return block;
}

static uint64_t
tick_of(const struct reader *r)
{
    return r->clock / TICK_NS;
}

/* Inline, what became of a datagram is remembered: those that wait have their room for that. */
static bool
can_remember(struct reader *r)
{
    struct frag_room *room = &r->frags;
    struct frag_verdicts *all = room->verdicts;

    if (all == NULL || room->n + all->n < FRAG_VERDICTS_MAX ||
        frag_verdict_make_room(all, &room->mem, tick_of(r), false))
        return true;
    if (closes(r))
        return false;
    reader_overload(r);
    return frag_verdict_make_room(all, &room->mem, tick_of(r), true);
}

/* For one more datagram. Its verdict may be NULL: then nobody will know it. */
static bool
prepare(struct reader *r, struct frag_verdict **verdict)
{
    *verdict = NULL;
    if (r->frags.n == MAX_DATAGRAMS && (closes(r) || !make_room(r, NULL)))
        return false;
    if (r->frags.verdicts != NULL && can_remember(r))
        *verdict = allocate(r, sizeof(**verdict), NULL);
    return *verdict != NULL || !closes(r);
}

static struct datagram *
new_datagram(struct reader *r, const struct fragment *f, struct frag_verdict *after)
{
    const struct weir_packet *pkt = f->pkt;
    struct frag_verdict *verdict;
    struct datagram *d;

    if (!prepare(r, &verdict))
        return NULL;
    d = allocate(r, sizeof(*d), NULL);
    if (d == NULL) {
        mem_free(&r->frags.mem, verdict, sizeof(*verdict));
        return NULL;
    }
    *d = (struct datagram){ .cut = UINT32_MAX, .verdict = verdict, .after = after };
    if (after != NULL)
        frag_verdict_hold(after);
    memcpy(d->key, f->key, sizeof(d->key));
    d->hash = f->hash;
    d->id = pkt->number;
    d->deadline = (r->clock + timeout[pkt->ip_version == 6] + TICK_NS - 1) / TICK_NS;
    d->first = (struct weir_packet){
        .time = pkt->time,
        .link = pkt->link,
        .stable = true,
        .port = pkt->port,
        .ip_version = pkt->ip_version,
        .proto = pkt->proto,
        .n_vlan = pkt->n_vlan,
        .vlan = { pkt->vlan[0], pkt->vlan[1], pkt->vlan[2] },
        .has_vni = pkt->has_vni,
        .vni = pkt->vni,
        .tunnel = pkt->tunnel,
        .fragment = true,
        .src = pkt->src,
        .dst = pkt->dst,
    };
    link_datagram(&r->frags, d);
    return d;
}

/* ---- room in a datagram -------------------------------------------------------------------- */

/* As many bytes of data as a block holds beside the header and two bytes for each eight. */
static uint32_t
data_room(size_t block_size, uint32_t header_room)
{
    return (uint32_t)((block_size - header_room) / 10 * 8);
}

/* Let the datagram hold data up to end, and headers of this size. */
static bool
fit_data(struct reader *r, struct datagram *d, uint32_t end, uint32_t n_frame)
{
    uint32_t header_room = d->header_room > 0 ? d->header_room : HEADER_ROOM;
    size_t size;
    uint8_t *block;

    if (n_frame > header_room)
        header_room = (n_frame + 7) / 8 * 8;
    if (end <= d->data_room && header_room == d->header_room)
        return true;
    if (end < d->data_room)
        end = d->data_room;
    size = header_room + ((size_t)end + 7) / 8 * 10;
    size = mem_block_size(size > FIRST_BLOCK ? size : FIRST_BLOCK);
    block = allocate(r, size, d);
    if (block == NULL)
        return false;
    /* Data is read only where it has an owner. */
    memset(block + header_room + data_room(size, header_room), 0,
           size - header_room - data_room(size, header_room));
    if (d->block != NULL) {
        memcpy(block + header_room - d->n_frame, data_of(d) - d->n_frame,
               d->n_frame + d->data_room);
        memcpy(block + header_room + data_room(size, header_room), d->pieces.owner,
               d->data_room / 8 * sizeof(*d->pieces.owner));
        mem_free(&r->frags.mem, d->block, d->block_size);
    }
    d->block = block;
    d->block_size = size;
    d->header_room = header_room;
    d->data_room = data_room(size, header_room);
    d->pieces.owner = (uint16_t *)(void *)(data_of(d) + d->data_room);
    return true;
}

static bool
fit_piece(struct reader *r, struct datagram *d)
{
    const uint32_t n = d->max_pieces > 0 ? 2 * d->max_pieces : FIRST_PIECES;
    struct piece *piece;

    if (d->pieces.n < d->max_pieces)
        return true;
    piece = n > MAX_PIECES ? NULL : allocate(r, n * sizeof(*piece), d);
    if (piece == NULL)
        return false;
    if (d->pieces.piece != NULL) {
        memcpy(piece, d->pieces.piece, d->pieces.n * sizeof(*piece));
        mem_free(&r->frags.mem, d->pieces.piece, d->max_pieces * sizeof(*piece));
    }
    d->pieces.piece = piece;
    d->max_pieces = n;
    return true;
}

/* ---- a fragment ---------------------------------------------------------------------------- */

static void
raise_bad(struct reader *r, enum weir_frag_bad why, bool discarded)
{
    struct weir_event ev = { .type = WEIR_EV_FRAG_BAD };

    ev.frag_bad.why = (uint8_t)why;
    ev.frag_bad.discarded = discarded;
    reader_raise(r, &ev);
}

static void
raise_overlap(struct reader *r, bool conflict, bool discarded)
{
    struct weir_event ev = { .type = WEIR_EV_FRAG_OVERLAP };

    ev.frag_overlap.conflict = conflict;
    ev.frag_overlap.discarded = discarded;
    reader_raise(r, &ev);
}

/* What a fragment is good for. */
enum use {
    USE_IT,
    DROP_IT,    /* the datagram stays as it was */
    DROP_WHOLE, /* the target gives up the datagram */
};

static enum use
judge(struct reader *r, enum weir_frag_bad why, enum use use)
{
    raise_bad(r, why, use == DROP_WHOLE);
    return use;
}

/*
 * What is wrong with the fragment itself, and what Linux then does (ip_frag_queue(),
 * ip6_frag_queue() and, for a first fragment without its header, ipv6_frag_rcv() of 6.18). An odd
 * length is cut off in IPv4; in IPv6 that fragment alone goes.
 */
static enum use
check_alone(struct reader *r, struct fragment *f)
{
    const bool v6 = f->pkt->ip_version == 6;
    enum use use = USE_IT;

    if (f->end == f->start)
        return judge(r, WEIR_FRAG_ZERO_LENGTH, v6 && f->start == 0 ? DROP_IT : DROP_WHOLE);
    if (f->end + (v6 ? 0 : f->n_header) > MAX_LENGTH)
        return judge(r, WEIR_FRAG_TOO_LONG, v6 ? DROP_IT : DROP_WHOLE);
    if (f->more && f->end % 8 != 0) {
        f->end -= v6 ? 0 : f->end % 8;
        use = judge(r, WEIR_FRAG_UNALIGNED,
                    v6                   ? DROP_IT
                    : f->end == f->start ? DROP_WHOLE
                                         : USE_IT);
    }
    if (use == USE_IT && f->more && f->start == 0 && is_tiny(f))
        use = judge(r, WEIR_FRAG_TINY, v6 ? DROP_IT : USE_IT);
    return use;
}

/* Where the datagram ends: the last fragment says, and none may lie behind it. */
static enum use
check_end(struct reader *r, const struct datagram *d, const struct fragment *f)
{
    if (f->more ? d->last && f->end > d->end : f->end < d->end || (d->last && f->end != d->end))
        return judge(r, WEIR_FRAG_END, DROP_WHOLE);
    return USE_IT;
}

static void
note_end(struct datagram *d, const struct fragment *f)
{
    if (f->end > d->end)
        d->end = f->end;
    d->last = d->last || !f->more;
}

/* Do bytes that were captured both times differ? */
static bool
in_conflict(const struct datagram *d, const struct fragment *f)
{
    const uint8_t *new = f->pkt->payload;
    uint32_t end = f->start + captured(f);

    if (end > d->cut)
        end = d->cut;
    for (uint32_t at = f->start; at < end; at += 8) {
        const uint32_t n = end - at < 8 ? end - at : 8;

        if (d->pieces.owner[at / 8] != 0 && memcmp(data_of(d) + at, new + (at - f->start), n) != 0)
            return true;
    }
    return false;
}

static enum use
check_overlap(struct reader *r, const struct datagram *d, const struct fragment *f,
              enum frag_policy policy)
{
    const struct pieces_found found = pieces_find(&d->pieces, f->start, f->end);
    const bool all = found.units == (f->end - f->start + 7) / 8;
    bool conflict;
    enum use use = USE_IT;

    if (found.units == 0)
        return USE_IT;
    conflict = in_conflict(d, f);
    if (policy == FRAG_LINUX)
        use = all && found.same_run ? DROP_IT : DROP_WHOLE;
    else if (policy == FRAG_STRICT)
        use = all && found.same_piece && !conflict ? DROP_IT : DROP_WHOLE;
    raise_overlap(r, conflict, use == DROP_WHOLE);
    return use;
}

/* In an IPv6 header with extensions, n bytes: the field that tells what is behind them all. */
static uint8_t *
last_next_header(uint8_t *ip, uint32_t n)
{
    uint8_t *field = ip + 6;
    uint32_t at = IPV6_HEADER;

    while (at < n) {
        const bool is_ah = *field == 51; /* it counts in words, less two: RFC 4302 2.2 */

        field = ip + at;
        at += is_ah ? (field[1] + 2U) * 4 : (field[1] + 1U) * 8;
    }
    return field;
}

/* The headers come with the first byte of data; the fragment header is left out. */
static void
take_headers(struct datagram *d, const struct fragment *f)
{
    uint8_t *ip = data_of(d) - f->n_header;

    d->n_frame = f->n_frame;
    d->n_header = f->n_header;
    d->link = f->pkt->link;
    memcpy(data_of(d) - f->n_frame, f->pkt->frame, f->n_frame);
    if (f->pkt->ip_version == 6)
        *last_next_header(ip, f->n_header) = f->pkt->proto;
    d->first.proto = f->pkt->proto;
}

/* Room for all that the fragment may bring. */
static enum use
fit(struct reader *r, struct datagram *d, const struct fragment *f)
{
    if (fit_data(r, d, f->end, f->start == 0 ? f->n_frame : 0) && fit_piece(r, d))
        return USE_IT;
    reader_overload(r);
    return closes(r) && d->pieces.n > 0 ? DROP_IT : DROP_WHOLE;
}

static void
put(struct datagram *d, const struct fragment *f, enum frag_policy policy)
{
    const uint32_t n = captured(f), n_before = d->pieces.n;

    pieces_add(&d->pieces, policy, f->start, f->end, data_of(d), f->pkt->payload, n);
    if (f->start == 0 && d->pieces.owner[0] == n_before + 1)
        take_headers(d, f);
    if (f->start + n < f->end && f->start + n < d->cut)
        d->cut = f->start + n;
}

static enum use
take_in(struct reader *r, struct datagram *d, const struct fragment *f)
{
    const enum frag_policy policy = frag_policy_of(
        hosts_find(r->hosts, &f->pkt->dst, f->pkt->ip_version), f->pkt->ip_version);
    enum use use = check_end(r, d, f);

    if (use == USE_IT)
        use = fit(r, d, f);
    if (use != USE_IT)
        return use;
    note_end(d, f);
    use = check_overlap(r, d, f, policy);
    if (use == USE_IT)
        put(d, f, policy);
    return use;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static void
put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* Length, fragment fields and checksum as if the datagram had never been cut. */
static void
mend_ipv4(const struct datagram *d)
{
    uint8_t *ip = data_of(d) - d->n_header;
    uint16_t sum;

    put16(ip + 2, d->n_header + d->end);
    put16(ip + 6, be16(ip + 6) & 0xc000U);
    put16(ip + 10, 0);
    sum = (uint16_t)~checksum_add(ip, d->n_header, 0); /* in memory order */
    memcpy(ip + 10, &sum, sizeof(sum));
}

static void
mend_ipv6(const struct datagram *d)
{
    put16(data_of(d) - d->n_header + 4, d->n_header - IPV6_HEADER + d->end);
}

static bool
is_whole(const struct datagram *d)
{
    return d->last && d->pieces.covered == (d->end + 7) / 8;
}

/* The header of the first fragment counts too. */
static bool
is_too_long(const struct datagram *d)
{
    const uint32_t not_counted = d->first.ip_version == 4 ? 0 : IPV6_HEADER;

    return d->n_header - not_counted + d->end > MAX_LENGTH;
}

static void
hand_out(struct datagram *d, uint64_t time, struct whole *whole)
{
    const uint32_t n = d->cut < d->end ? d->cut : d->end;

    if (d->first.ip_version == 4)
        mend_ipv4(d);
    else
        mend_ipv6(d);
    whole->datagram = d;
    whole->frame = (struct weir_frame){ .data = data_of(d) - d->n_frame,
                                        .caplen = d->n_frame + n,
                                        .wirelen = d->n_frame + d->end,
                                        .time = time,
                                        .link = d->link,
                                        .stable = false,
                                        .port = d->first.port };
    whole->ip = data_of(d) - d->n_header;
}

/* ---- inline: what becomes of it ------------------------------------------------------------ */

static void
remember(struct reader *r, struct datagram *d, uint64_t until, enum frag_state state, unsigned refs)
{
    struct frag_verdict *v = d->verdict;

    *v = (struct frag_verdict){ .hash = d->hash, .until = until, .refs = refs, .state = state };
    memcpy(v->key, d->key, sizeof(v->key));
    d->verdict = NULL;
    frag_verdict_add(r->frags.verdicts, &r->frags.mem, v, tick_of(r));
}

/* The datagram is whole: its packet will ask for nothing but what was before it. */
static void
await_verdict(struct reader *r, struct datagram *d, struct whole *whole)
{
    whole->verdict = d->verdict;
    if (d->verdict != NULL)
        remember(r, d, (r->clock + FRAG_KEPT_NS) / TICK_NS + 1, FRAG_OPEN, 1);
    if (d->after != NULL)
        frag_verdict_release(d->after);
    d->after = NULL;
}

/* Its target may wait for longer than we do. */
static void
remember_expired(struct reader *r, struct datagram *d)
{
    const uint64_t more = (FRAG_KEPT_NS - timeout[d->first.ip_version == 6]) / TICK_NS;

    if (closes(r) && d->verdict != NULL && more > 0)
        remember(r, d, d->deadline + more, FRAG_DROPPED, 0);
}

/* The datagram before the one that the fragment is of, which may be a new one; with a reference. */
static struct frag_verdict *
one_before(const struct reader *r, const struct datagram *d, const struct fragment *f)
{
    if (r->frags.verdicts == NULL)
        return NULL;
    if (d == NULL)
        return frag_verdict_find(r->frags.verdicts, f->hash, f->key, tick_of(r));
    if (d->after == NULL || frag_verdict_state(d->after) == FRAG_LEFT)
        return NULL;
    frag_verdict_hold(d->after);
    return d->after;
}

/* ---- all of it ----------------------------------------------------------------------------- */

bool
frag_add(struct reader *r, const struct weir_packet *pkt, struct whole *whole)
{
    struct frag_room *room = &r->frags;
    struct datagram *d;
    struct fragment f;
    enum use use;

    read_fragment(r, pkt, &f);
    use = check_alone(r, &f);
    d = find(room, &f);
    *whole = (struct whole){ .after = one_before(r, d, &f) };
    if (use == USE_IT && d == NULL && (d = new_datagram(r, &f, whole->after)) == NULL) {
        reader_overload(r);
        return false;
    }
    if (use == USE_IT)
        use = take_in(r, d, &f);
    if (use == USE_IT && is_whole(d) && is_too_long(d))
        use = judge(r, WEIR_FRAG_TOO_LONG, DROP_WHOLE);
    if (use == DROP_WHOLE)
        discard(room, d);
    if (use != USE_IT || !is_whole(d))
        return false;
    unlink_datagram(room, d);
    hand_out(d, pkt->time, whole);
    await_verdict(r, d, whole);
    return true;
}

/* ---- time ---------------------------------------------------------------------------------- */

uint64_t
frag_next_tick(const struct frag_room *room)
{
    uint64_t first = UINT64_MAX;

    for (int i = 0; i < 2; i++)
        if (room->queue[i].oldest != NULL && room->queue[i].oldest->deadline < first)
            first = room->queue[i].oldest->deadline;
    return first;
}

static struct datagram *
first_due(const struct frag_room *room, uint64_t tick)
{
    struct datagram *first = NULL;

    for (int i = 0; i < 2; i++) {
        struct datagram *d = room->queue[i].oldest;

        if (d != NULL && d->deadline <= tick && (first == NULL || d->id < first->id))
            first = d;
    }
    return first;
}

uint64_t
frag_due_id(const struct frag_room *room, uint64_t tick)
{
    const struct datagram *d = first_due(room, tick);

    return d != NULL ? d->id : UINT64_MAX;
}

void
frag_expire(struct reader *r, uint64_t tick)
{
    struct datagram *d = first_due(&r->frags, tick);

    unlink_datagram(&r->frags, d);
    reader_expire(r, &d->first, tick, d->id);
    remember_expired(r, d);
    frag_free(&r->frags, d);
}
