/*
 * Bounded ring of records from one thread to one other: bytes, each record behind a head with its
 * length. A record lies in one piece, so that it can be put together in place and written from
 * there; where it would go over the end of the ring, the rest of the ring is skipped.
 *
 * Threads: one producer, one consumer; nobody waits or locks. What the producer wrote before
 *          records_commit() is seen by the consumer behind records_ready().
 * Memory:  all at records_init().
 */
#ifndef WEIR_FILE_RECORDS_H
#define WEIR_FILE_RECORDS_H

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum record_kind {
    RECORD_PLAIN,
    RECORD_AWAITED, /* somebody wants to know when the kernel has it */
    RECORD_ON_DISK, /* the same, when it is on disk */
    RECORD_SKIP,    /* no record: so much of the ring is skipped, this head included */
};

struct record_head {
    uint32_t n;    /* bytes that follow; they are padded to whole heads */
    uint32_t kind; /* enum record_kind */
};
static_assert(sizeof(struct record_head) == 8, "a head fits wherever the ring does not end");

/* Positions run on and are cut to the size when used: all are multiples of a head. */
struct records {
    alignas(64) _Atomic uint64_t tail; /* written by the producer: where the next head will be */
    uint64_t head_seen;                /* the producer's copy of head */
    uint64_t begin;                    /* producer: head of the record that is put together */
    uint8_t *bytes;
    uint64_t size;
    alignas(64) _Atomic uint64_t head; /* written by the consumer: the first record not done with */
    uint8_t *bytes_too;                /* the same, for the consumer: its line stays its own */
    uint64_t mask;
};

/*
 * @size is a power of two, 4096 .. 1 << 30. @touched: all pages are now, so that none is faulted in
 * later.
 * @return false: there is no memory. records_free() is allowed after both.
 */
bool records_init(struct records *r, uint64_t size, bool touched);
void records_free(struct records *r);

/* Of the ring, with its head. */
static inline uint64_t
record_size(size_t n)
{
    return (sizeof(struct record_head) + n + 7) & ~UINT64_C(7);
}

/* The longest record: skipping the end of an empty ring leaves room for it. */
static inline size_t
records_longest(const struct records *r)
{
    return r->size / 2 - sizeof(struct record_head);
}

static inline struct record_head *
records_head_at(uint8_t *bytes, uint64_t mask, uint64_t at)
{
    return (struct record_head *)(void *)(bytes + (at & mask));
}

/* ---- producer ---- */

/* Whether the ring is free up to @end. */
static inline bool
records_reach(struct records *r, uint64_t end)
{
    if (end - r->head_seen <= r->size)
        return true;
    /* Acquire: the consumer is done with what lay there before it is written again. */
    r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
    return end - r->head_seen <= r->size;
}

/*
 * Room for a record of @n bytes, at most records_longest(). Nothing is promised to the consumer, so
 * that it can be given up by reserving again.
 * @return NULL: the ring is too full.
 */
static inline uint8_t *
records_reserve(struct records *r, size_t n)
{
    const uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    const uint64_t to_end = r->size - (tail & (r->size - 1)), size = record_size(n);
    uint64_t begin = tail;

    if (size > to_end)
        begin += to_end;
    if (!records_reach(r, begin + size))
        return NULL;
    if (begin != tail)
        *records_head_at(r->bytes, r->size - 1, tail) = (struct record_head){ (uint32_t)to_end,
                                                                              RECORD_SKIP };
    r->begin = begin;
    return r->bytes + (begin & (r->size - 1)) + sizeof(struct record_head);
}

/* Where the record reserved last lies. */
static inline uint8_t *
records_reserved(const struct records *r)
{
    return r->bytes + (r->begin & (r->size - 1)) + sizeof(struct record_head);
}

/* The record reserved last is complete, with @n bytes, at most those reserved. */
static inline void
records_commit(struct records *r, enum record_kind kind, size_t n)
{
    *records_head_at(r->bytes, r->size - 1, r->begin) = (struct record_head){ (uint32_t)n, kind };
    atomic_store_explicit(&r->tail, r->begin + record_size(n), memory_order_release);
}

/*
 * More room for the record reserved last, of which @have bytes are there: they move if they must.
 * @n is at most records_longest(). @return NULL: the ring is too full; the record is as before.
 */
uint8_t *records_grow(struct records *r, size_t have, size_t n);

/* ---- consumer ---- */

/* @return the end of what can be read, from head on. */
static inline uint64_t
records_ready(struct records *r)
{
    return atomic_load_explicit(&r->tail, memory_order_acquire);
}

/* Be done with all before @head. */
static inline void
records_release(struct records *r, uint64_t head)
{
    atomic_store_explicit(&r->head, head, memory_order_release);
}

/* A record as the consumer sees it. */
struct record {
    uint64_t next; /* where the one behind it begins */
    uint8_t *p;
    uint32_t n;
    uint32_t kind;
};

/* The record at @at, which is not skipped over; false: there is none before @end. */
static inline bool
records_at(const struct records *r, uint64_t at, uint64_t end, struct record *out)
{
    const struct record_head *head;

    while (at != end) {
        head = records_head_at(r->bytes_too, r->mask, at);
        out->n = head->n;
        out->kind = head->kind;
        out->p = r->bytes_too + (at & r->mask) + sizeof(*head);
        at += head->kind == RECORD_SKIP ? head->n : record_size(head->n);
        out->next = at;
        if (head->kind != RECORD_SKIP)
            return true;
    }
    return false;
}

#endif
