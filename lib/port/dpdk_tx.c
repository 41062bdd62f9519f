#include "port/dpdk_tx.h"

#include <rte_ethdev.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    BURST = 32,
    ROUNDS = 4, /* of who carries on for others, in a row */
};

/* One writer, its sender; one reader, who carries. */
struct sender {
    alignas(64) _Atomic unsigned put; /* so many ever were; the place is that modulo TX_WAITING */
    unsigned got_before;              /* of got, when it was looked at last */
    struct rte_mbuf *fresh[BURST];    /* for copies */
    unsigned n_fresh;
    _Atomic uint64_t drops, large;
    struct rte_mbuf *waiting[TX_WAITING];
    alignas(64) _Atomic unsigned got;
};

struct queue {
    alignas(
        64) _Atomic unsigned wanted; /* 0: nobody carries; else how often it was asked for since */
    _Atomic uint64_t sent;           /* by who carries */
};

struct tx {
    struct tx_opts opts;
    struct queue *queue;
    struct sender *sender;
};

struct tx *
tx_new(const struct tx_opts *opts)
{
    struct tx *tx = calloc(1, sizeof(*tx));

    if (tx == NULL)
        return NULL;
    tx->opts = *opts;
    tx->queue = aligned_alloc(64, opts->queues * sizeof(*tx->queue));
    tx->sender = aligned_alloc(64, opts->senders * sizeof(*tx->sender));
    if (tx->queue == NULL || tx->sender == NULL) {
        free(tx->queue);
        free(tx->sender);
        free(tx);
        return NULL;
    }
    memset(tx->queue, 0, opts->queues * sizeof(*tx->queue));
    memset(tx->sender, 0, opts->senders * sizeof(*tx->sender));
    return tx;
}

void
tx_free(struct tx *tx)
{
    if (tx == NULL)
        return;
    for (unsigned i = 0; i < tx->opts.senders; i++) {
        struct sender *s = &tx->sender[i];

        for (unsigned k = s->got; k != s->put; k++)
            rte_pktmbuf_free(s->waiting[k % TX_WAITING]);
        rte_pktmbuf_free_bulk(s->fresh, s->n_fresh);
    }
    free(tx->queue);
    free(tx->sender);
    free(tx);
}

static void
add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

/* ---- to the card --------------------------------------------------------------------------- */

/* What a sender has, or as much as the card takes. Returns false if it is full. */
static bool
carry(const struct tx *tx, uint16_t queue, struct sender *s)
{
    unsigned got = atomic_load_explicit(&s->got, memory_order_relaxed);
    const unsigned put = atomic_load_explicit(&s->put, memory_order_acquire);

    while (got != put) {
        const unsigned place = got % TX_WAITING;
        unsigned n = put - got < BURST ? put - got : BURST;
        uint16_t took;

        n = n < TX_WAITING - place ? n : TX_WAITING - place;
        took = rte_eth_tx_burst(tx->opts.port, queue, s->waiting + place, (uint16_t)n);
        got += took;
        atomic_store_explicit(&s->got, got, memory_order_release);
        add(&tx->queue[queue].sent, took);
        if (took < n)
            return false;
    }
    return true;
}

/* Of all senders of the queue. */
static void
carry_all(const struct tx *tx, uint16_t queue)
{
    bool room = true;

    for (unsigned i = queue; i < tx->opts.senders && room; i += tx->opts.queues)
        room = carry(tx, queue, &tx->sender[i]);
}

static bool
waits(const struct tx *tx, uint16_t queue)
{
    bool any = false;

    for (unsigned i = queue; i < tx->opts.senders; i += tx->opts.queues)
        any |= atomic_load_explicit(&tx->sender[i].put, memory_order_relaxed) !=
               atomic_load_explicit(&tx->sender[i].got, memory_order_relaxed);
    return any;
}

/* Who is asked while another carries leaves it to that one, which looks again: for some rounds;
 * what is left then waits for the next that is asked. */
void
tx_flush(struct tx *tx, unsigned sender)
{
    const uint16_t number = (uint16_t)(sender % tx->opts.queues);
    struct queue *q = &tx->queue[number];
    unsigned seen;

    if (!waits(tx, number) || atomic_fetch_add(&q->wanted, 1) != 0)
        return;
    for (unsigned i = 0; i < ROUNDS; i++) {
        seen = atomic_load(&q->wanted);
        carry_all(tx, number);
        if (atomic_compare_exchange_strong(&q->wanted, &seen, 0))
            return;
    }
    atomic_store(&q->wanted, 0);
}

/* ---- to the ring --------------------------------------------------------------------------- */

static struct rte_mbuf *
copy(const struct tx *tx, struct sender *s, const uint8_t *data, uint32_t len)
{
    struct rte_mbuf *m;

    if (s->n_fresh == 0) {
        if (rte_pktmbuf_alloc_bulk(tx->opts.pool, s->fresh, BURST) != 0)
            return NULL;
        s->n_fresh = BURST;
    }
    m = s->fresh[s->n_fresh - 1];
    if (len > rte_pktmbuf_tailroom(m))
        return NULL;
    s->n_fresh--;
    memcpy(rte_pktmbuf_mtod(m, uint8_t *), data, len);
    m->data_len = (uint16_t)len;
    m->pkt_len = len;
    return m;
}

/* Is there room for one more? The card may have taken some since the last look. */
static bool
has_room(struct sender *s, unsigned put)
{
    if (put - s->got_before == TX_WAITING)
        s->got_before = atomic_load_explicit(&s->got, memory_order_acquire);
    return put - s->got_before < TX_WAITING;
}

/* The buffer to put into the ring; NULL: it cannot leave. */
static struct rte_mbuf *
buffer_of(struct tx *tx, unsigned sender, const uint8_t *data, uint32_t len, struct rte_mbuf *from)
{
    struct sender *s = &tx->sender[sender];
    const unsigned put = atomic_load_explicit(&s->put, memory_order_relaxed);

    if (len > tx->opts.largest) {
        add(&s->large, 1);
        return NULL;
    }
    if (!has_room(s, put)) {
        tx_flush(tx, sender);
        if (!has_room(s, put))
            return NULL;
    }
    if (from == NULL)
        return copy(tx, s, data, len);
    rte_mbuf_refcnt_update(from, 1);
    return from;
}

bool
tx_send(struct tx *tx, unsigned sender, const uint8_t *data, uint32_t len, struct rte_mbuf *from)
{
    struct sender *s = &tx->sender[sender];
    struct rte_mbuf *m = buffer_of(tx, sender, data, len, from);
    const unsigned put = atomic_load_explicit(&s->put, memory_order_relaxed);

    if (m == NULL) {
        add(&s->drops, 1);
        return false;
    }
    s->waiting[put % TX_WAITING] = m;
    atomic_store_explicit(&s->put, put + 1, memory_order_release);
    return true;
}

void
tx_count(const struct tx *tx, struct tx_counts *to)
{
    *to = (struct tx_counts){ 0 };
    for (unsigned i = 0; i < tx->opts.queues; i++)
        to->sent += atomic_load_explicit(&tx->queue[i].sent, memory_order_relaxed);
    for (unsigned i = 0; i < tx->opts.senders; i++) {
        to->drops += atomic_load_explicit(&tx->sender[i].drops, memory_order_relaxed);
        to->large += atomic_load_explicit(&tx->sender[i].large, memory_order_relaxed);
    }
}
