#include "port/mapped.h"
#include <weir/port.h>

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files that may be mapped at a time; one more goes through libpcap. */
enum { MAX_MAPPINGS = 256 };

enum { MAP_IN = 4 << 20 }; /* bytes of pages that are mapped at once */

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14, glibc 2.35 */
#endif

/* Page size of the machines we know; the true one may be greater, so it is asked for at open. */
static _Atomic uintptr_t page_size = 4096;

enum mapping_state { MAPPING_FREE, MAPPING_BUSY, MAPPING_LIVE };

/* Written by the opening thread, read by signal handlers of all threads: atomics, no locks. */
struct mapping {
    _Atomic int state; /* enum mapping_state; begin and end are valid while LIVE */
    _Atomic uintptr_t begin, end;
    _Atomic uintptr_t hole; /* lowest address that is gone from the file; 0: none */
};

static struct mapping table[MAX_MAPPINGS];

static struct mapping *
claim_entry(void)
{
    for (unsigned i = 0; i < MAX_MAPPINGS; i++) {
        int expected = MAPPING_FREE;

        if (atomic_compare_exchange_strong(&table[i].state, &expected, MAPPING_BUSY))
            return &table[i];
    }
    return NULL;
}

static void
publish(struct mapping *entry, const uint8_t *begin, const uint8_t *end)
{
    atomic_store(&entry->begin, (uintptr_t)begin);
    atomic_store(&entry->end, (uintptr_t)end);
    atomic_store(&entry->hole, 0);
    atomic_store(&entry->state, MAPPING_LIVE);
}

static struct mapping *
find_entry(uintptr_t addr)
{
    for (unsigned i = 0; i < MAX_MAPPINGS; i++)
        if (atomic_load(&table[i].state) == MAPPING_LIVE && addr >= atomic_load(&table[i].begin) &&
            addr < atomic_load(&table[i].end))
            return &table[i];
    return NULL;
}

static void
lower_hole(struct mapping *entry, uintptr_t addr)
{
    uintptr_t hole = atomic_load(&entry->hole);

    while ((hole == 0 || addr < hole) && !atomic_compare_exchange_weak(&entry->hole, &hole, addr))
        ;
}

/* mmap() is no more than its system call, which POSIX only forgot to list as signal-safe. */
bool
weir_capfile_fault(const void *addr)
{
    const uintptr_t page = (uintptr_t)addr & ~(atomic_load(&page_size) - 1);
    struct mapping *entry = find_entry((uintptr_t)addr);
    const int saved = errno;
    void *got;

    if (entry == NULL)
        return false;
    got = mmap((void *)page, atomic_load(&entry->end) - page, PROT_READ,
               MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    lower_hole(entry, page);
    errno = saved;
    return got != MAP_FAILED;
}

int
mapped_open(struct mapped *map, int fd, size_t size)
{
    struct mapping *entry = claim_entry();
    void *base;

    if (entry == NULL)
        return WEIR_E_UNSUPPORTED;
    base = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (base == MAP_FAILED) {
        atomic_store(&entry->state, MAPPING_FREE);
        return WEIR_E_UNSUPPORTED;
    }
    madvise(base, size, MADV_SEQUENTIAL);
    atomic_store(&page_size, (uintptr_t)sysconf(_SC_PAGESIZE));
    *map = (struct mapped){ base, (const uint8_t *)base + size, entry, fd, base };
    publish(entry, map->begin, map->end);
    return WEIR_E_OK;
}

void
mapped_memory(struct mapped *map, const uint8_t *data, size_t size)
{
    *map = (struct mapped){ data, data + size, NULL, -1, data + size };
}

void
mapped_ahead(struct mapped *map, const uint8_t *p)
{
    size_t size;

    if (map->mapped_in - p >= MAP_IN / 2 || map->mapped_in == map->end)
        return;
    if (map->mapped_in < p) /* a large record was passed over */
        map->mapped_in = map->begin + (p - map->begin) / MAP_IN * MAP_IN;
    size = map->end - map->mapped_in < MAP_IN ? (size_t)(map->end - map->mapped_in) : MAP_IN;
    /* Only an offer: where it is refused, or the file shrank, pages come by fault as ever. */
    madvise((void *)map->mapped_in, size, MADV_POPULATE_READ);
    map->mapped_in += size;
}

const uint8_t *
mapped_hole(const struct mapped *map)
{
    uintptr_t hole = map->entry != NULL ? atomic_load(&map->entry->hole) : 0;

    return hole != 0 ? map->begin + (hole - (uintptr_t)map->begin) : NULL;
}

const uint8_t *
mapped_check_size(struct mapped *map)
{
    struct stat st;

    if (map->entry == NULL)
        return NULL;
    if (fstat(map->fd, &st) == 0 && st.st_size < map->end - map->begin)
        lower_hole(map->entry, (uintptr_t)map->begin + (uintptr_t)st.st_size);
    return mapped_hole(map);
}

void
mapped_close(struct mapped *map)
{
    if (map->entry == NULL)
        return;
    atomic_store(&map->entry->state, MAPPING_BUSY);
    munmap((void *)map->begin, (size_t)(map->end - map->begin));
    atomic_store(&map->entry->state, MAPPING_FREE);
}
