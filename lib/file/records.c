#include "file/records.h"

#include <string.h>
#include <sys/mman.h>

bool
records_init(struct records *r, uint64_t size, bool touched)
{
    void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | (touched ? MAP_POPULATE : 0), -1, 0);

    r->bytes = r->bytes_too = bytes != MAP_FAILED ? bytes : NULL;
    r->size = size;
    r->mask = size - 1;
    r->head_seen = r->begin = 0;
    atomic_init(&r->tail, 0);
    atomic_init(&r->head, 0);
    return r->bytes != NULL;
}

void
records_free(struct records *r)
{
    if (r->bytes != NULL)
        munmap(r->bytes, r->size);
    r->bytes = r->bytes_too = NULL;
}

uint8_t *
records_grow(struct records *r, size_t have, size_t n)
{
    const uint64_t mask = r->size - 1, to_end = r->size - (r->begin & mask);
    const uint64_t before = r->begin, size = record_size(n);
    uint8_t *to;

    if (size <= to_end) {
        if (!records_reach(r, before + size))
            return NULL;
        return r->bytes + (before & mask) + sizeof(struct record_head);
    }
    /* It began at the tail: behind a skip, at the ring's start, the longest one fits. */
    if (!records_reach(r, before + to_end + size))
        return NULL;
    r->begin = before + to_end;
    to = r->bytes + sizeof(struct record_head);
    memmove(to, r->bytes + (before & mask) + sizeof(struct record_head), have);
    *records_head_at(r->bytes, mask, before) = (struct record_head){ (uint32_t)to_end,
                                                                     RECORD_SKIP };
    return to;
}
