#include "hash.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

uint64_t
siphash13_bytes(const struct hash_key *key, const uint8_t *p, size_t n)
{
    struct hash_key k = *key;
    uint64_t block[16];

    /* Chained in blocks of 128 bytes: the hash of each keys the next one. */
    while (n >= sizeof(block)) {
        memcpy(block, p, sizeof(block));
        k.k0 ^= siphash13(&k, block, 16);
        p += sizeof(block);
        n -= sizeof(block);
    }
    memset(block, 0, sizeof(block));
    memcpy(block, p, n);
    block[15] ^= (uint64_t)n << 56;
    return siphash13(&k, block, 16);
}

/* Where a sandbox forbids the call, what is hard to guess has to do. */
static uint64_t
guess_seed(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return mix64((uint64_t)(uintptr_t)&now) ^ mix64((uint64_t)now.tv_nsec) ^
           mix64((uint64_t)getpid());
}

uint64_t
hash_draw_seed(void)
{
    uint64_t seed;

    return getrandom(&seed, sizeof(seed), 0) == (ssize_t)sizeof(seed) ? seed : guess_seed();
}
