/*
 * Hashes.
 *
 * siphash13: SipHash-1-3 (Aumasson and Bernstein, 2012) over whole 64-bit words: keyed, so that
 * nobody outside can choose data that collide. hash3: the same for three words, where its result
 * is never shown and a sixth of the time counts. mix64: no secret, only spreads bits.
 */
#ifndef WEIR_HASH_H
#define WEIR_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
    uint64_t k0, k1;
};

static inline uint64_t
hash_rotl(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static inline void
sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = hash_rotl(v[1], 13) ^ v[0];
    v[3] = hash_rotl(v[3], 16) ^ v[2];
    v[0] = hash_rotl(v[0], 32) + v[3];
    v[2] += v[1];
    v[1] = hash_rotl(v[1], 17) ^ v[2];
    v[3] = hash_rotl(v[3], 21) ^ v[0];
    v[2] = hash_rotl(v[2], 32);
}

/* The last word of SipHash's input is the length; whole words leave nothing else to it. */
static inline uint64_t
siphash13(const struct hash_key *key, const uint64_t *word, size_t n)
{
    uint64_t v[4] = { key->k0 ^ UINT64_C(0x736f6d6570736575),
                      key->k1 ^ UINT64_C(0x646f72616e646f6d),
                      key->k0 ^ UINT64_C(0x6c7967656e657261),
                      key->k1 ^ UINT64_C(0x7465646279746573) };
    uint64_t length = (uint64_t)(n * 8) << 56;

    for (size_t i = 0; i < n; i++) {
        v[3] ^= word[i];
        sip_round(v);
        v[0] ^= word[i];
    }
    v[3] ^= length;
    sip_round(v);
    v[0] ^= length;
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* SipHash-1-3 of any bytes, the digest of a segment that could not be kept. */
uint64_t siphash13_bytes(const struct hash_key *key, const uint8_t *p, size_t n);

/* Both halves of the product. Apart: one value of both GCC keeps in memory. */
static inline uint64_t
hash_fold(uint64_t a, uint64_t b)
{
    const uint64_t high = (uint64_t)((unsigned __int128)a * b >> 64), low = a * b;

    return low ^ high;
}

/*
 * Keyed products, as in wyhash (Wang Yi, 2019): words that collide under one key do not under
 * another, and whoever sees no hash cannot learn the key.
 */
static inline uint64_t
hash3(const struct hash_key *key, const uint64_t word[3])
{
    const uint64_t first = hash_fold(word[0] ^ key->k0, word[1] ^ key->k1);

    return hash_fold(first ^ word[2], key->k0 ^ UINT64_C(0x9e3779b97f4a7c15));
}

/*
 * A seed that nobody outside knows, from the kernel. Blocks until it has one, early after boot. For
 * programs at set-up: what a library is given decides all it does.
 */
uint64_t hash_draw_seed(void);

/* For a monitor: in debug builds its seed orders handlers, too, which shall run so again. */
static inline uint64_t
hash_draw_monitor_seed(void)
{
#ifdef WEIR_DEBUG_FUTURES
    return 0;
#else
    return hash_draw_seed();
#endif
}

/* Finaliser of MurmurHash3: every input bit reaches every output bit. */
static inline uint64_t
mix64(uint64_t x)
{
    x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
    x = (x ^ x >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ x >> 33;
}

#endif
