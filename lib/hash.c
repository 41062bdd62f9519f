#include "hash.h"

#include <string.h>

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
