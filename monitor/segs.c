#include "segs.h"

#include <string.h>

enum { RING_MAX = 1 << 20 }; /* bytes: 65,535 segments in one direction, 43,690 that wait */

static size_t
ring_size(uint32_t cap, size_t stride)
{
    return sizeof(struct segs) + cap * stride;
}

static uint32_t
where(const struct segs *s, uint32_t i)
{
    return s->head + i < s->cap ? s->head + i : s->head + i - s->cap;
}

static void
move_run(struct segs *s, uint32_t to, uint32_t from, uint32_t n)
{
    memmove(s->ring + (size_t)to * s->stride, s->ring + (size_t)from * s->stride,
            (size_t)n * s->stride);
}

/* Move n places from i on up by so many, in runs that lie in one piece before and after. */
static void
move_up(struct segs *s, uint32_t i, uint32_t n, uint32_t by)
{
    while (n > 0) {
        uint32_t from = where(s, i + n - 1) + 1, to = where(s, i + n - 1 + by) + 1;
        uint32_t run = from < to ? from : to;

        run = run < n ? run : n;
        move_run(s, to - run, from - run, run);
        n -= run;
    }
}

static void
move_down(struct segs *s, uint32_t i, uint32_t n, uint32_t by)
{
    while (n > 0) {
        uint32_t from = where(s, i), to = where(s, i - by);
        uint32_t run = s->cap - (from > to ? from : to);

        run = run < n ? run : n;
        move_run(s, to, from, run);
        i += run;
        n -= run;
    }
}

/* Move the ring into a block of twice the size, from its start. */
static bool
grow(struct segs **segs, struct mem *mem, size_t stride)
{
    struct segs *old = *segs, *new;
    size_t size = old == NULL ? 1 : 2 * mem_block_size(ring_size(old->cap, stride));

    if (size > RING_MAX)
        return false;
    size = mem_block_size(size);
    new = mem_alloc(mem, size);
    if (new == NULL)
        return false;
    *new = (struct segs){ .cap = (uint32_t)((size - sizeof(*new)) / stride),
                          .stride = (uint8_t)stride };
    if (old != NULL) {
        uint32_t to_end = old->cap - old->head, first = old->n < to_end ? old->n : to_end;

        new->n = old->n;
        new->owns = old->owns;
        new->n_old = old->n_old;
        memcpy(new->ring, segs_at(old, 0), first * stride);
        memcpy(new->ring + first *stride, old->ring, (old->n - first) * stride);
        mem_free(mem, old, ring_size(old->cap, stride));
    }
    *segs = new;
    return true;
}

struct seg *
segs_insert(struct segs **segs, struct mem *mem, uint32_t i, size_t stride)
{
    struct segs *s;

    if ((*segs == NULL || (*segs)->n == (*segs)->cap) && !grow(segs, mem, stride))
        return NULL;
    s = *segs;
    s->n++;
    if (i < s->n / 2) { /* make room on the side where less has to move */
        s->head = s->head > 0 ? s->head - 1 : s->cap - 1;
        move_down(s, 1, i, 1);
    } else {
        move_up(s, i, s->n - 1 - i, 1);
    }
    return segs_at(s, i);
}

void
segs_remove(struct segs *s, uint32_t i, uint32_t n)
{
    if (i < (s->n - n) / 2) {
        move_up(s, 0, i, n);
        while (n-- > 0)
            segs_pop(s);
    } else {
        move_down(s, i + n, s->n - n - i, n);
        s->n -= n;
    }
}

uint32_t
segs_find(struct segs *s, uint32_t off)
{
    uint32_t low = 0, high = segs_count(s);

    while (low < high) {
        uint32_t mid = (low + high) / 2;
        const struct seg *seg = segs_at(s, mid);

        if ((int32_t)(seg->off + seg->len - off) > 0)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

void
segs_free(struct segs **segs, struct mem *mem)
{
    struct segs *s = *segs;

    if (s == NULL)
        return;
    for (uint32_t i = 0; s->owns && i < s->n; i++)
        seg_drop(segs_at(s, i), mem);
    mem_free(mem, s, ring_size(s->cap, s->stride));
    *segs = NULL;
}

void
seg_drop(struct seg *seg, struct mem *mem)
{
    if (seg->kind == SEG_COPY || seg->kind == SEG_PACK)
        mem_free(mem, seg->copy, (size_t)1 << seg->class);
}

bool
seg_hold(struct segs *segs, struct seg *seg, struct mem *mem, const uint8_t *data, uint32_t len,
         bool stable)
{
    size_t size;

    assert(len <= 1U << MEM_MAX_SHIFT);
    seg->len = len & SEG_LEN;
    if (stable) {
        seg->kind = SEG_REF;
        seg->data = data;
        return true;
    }
    size = mem_block_size(len);
    seg->copy = mem_alloc(mem, size);
    if (seg->copy == NULL)
        return false;
    seg->kind = SEG_COPY;
    seg->class = (unsigned)__builtin_ctzll(size) & 31;
    segs->owns = true;
    memcpy(seg->copy, data, len);
    return true;
}

static uint16_t
saturate(uint32_t n)
{
    return n > UINT16_MAX ? UINT16_MAX : (uint16_t)n;
}

void
queued_cut_front(struct queued *q, uint32_t n)
{
    struct seg *seg = &q->seg;

    assert(n < seg->len && seg->kind != SEG_DIGEST);
    if (seg->kind == SEG_COPY)
        memmove(seg->copy, seg->copy + n, seg->len - n);
    else
        seg->data += n;
    seg->off += n;
    seg->len = (seg->len - n) & SEG_LEN;
    q->cut_front = saturate(q->cut_front + n);
}

void
queued_cut_back(struct queued *q, uint32_t n)
{
    assert(n < q->seg.len && q->seg.kind != SEG_DIGEST);
    q->seg.len = (q->seg.len - n) & SEG_LEN;
    q->cut_back = saturate(q->cut_back + n);
}

bool
queued_split(struct segs **queue, struct mem *mem, uint32_t i, uint32_t n)
{
    struct queued *back = (struct queued *)segs_insert(queue, mem, i + 1, sizeof(*back)), *front;
    uint32_t rest;

    if (back == NULL)
        return false;
    front = queued_at(*queue, i);
    assert(n > 0 && n < front->seg.len && front->seg.kind != SEG_DIGEST);
    rest = front->seg.len - n;
    *back = *front;
    back->seg.off += n;
    if (!seg_hold(*queue, &back->seg, mem, front->seg.data + n, rest, front->seg.kind == SEG_REF)) {
        segs_remove(*queue, i + 1, 1);
        return false;
    }
    back->cut_front = saturate(back->cut_front + n);
    back->joined = true;
    front->fin = false;
    queued_cut_back(front, rest);
    return true;
}
