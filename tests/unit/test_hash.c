#include "hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* SipHash-c-d byte by byte, as in section 2 of Aumasson and Bernstein's paper. */
struct slow {
    uint64_t v0, v1, v2, v3;
};

static uint64_t
left(uint64_t x, int n)
{
    return (x << n) | (x >> (64 - n));
}

static void
slow_rounds(struct slow *s, int n)
{
    while (n-- > 0) {
        s->v0 += s->v1;
        s->v1 = left(s->v1, 13);
        s->v1 ^= s->v0;
        s->v0 = left(s->v0, 32);
        s->v2 += s->v3;
        s->v3 = left(s->v3, 16);
        s->v3 ^= s->v2;
        s->v0 += s->v3;
        s->v3 = left(s->v3, 21);
        s->v3 ^= s->v0;
        s->v2 += s->v1;
        s->v1 = left(s->v1, 17);
        s->v1 ^= s->v2;
        s->v2 = left(s->v2, 32);
    }
}

static uint64_t
little(const uint8_t *p, size_t n)
{
    uint64_t x = 0;

    for (size_t i = n; i-- > 0;)
        x = x << 8 | p[i];
    return x;
}

static uint64_t
slow_siphash(int c, int d, const struct hash_key *key, const uint8_t *p, size_t n)
{
    struct slow s = { key->k0 ^ UINT64_C(0x736f6d6570736575),
                      key->k1 ^ UINT64_C(0x646f72616e646f6d),
                      key->k0 ^ UINT64_C(0x6c7967656e657261),
                      key->k1 ^ UINT64_C(0x7465646279746573) };
    uint64_t word;

    for (size_t i = 0; i <= n / 8; i++) {
        word = i < n / 8 ? little(p + 8 * i, 8) : little(p + 8 * i, n % 8) | (uint64_t)n << 56;
        s.v3 ^= word;
        slow_rounds(&s, c);
        s.v0 ^= word;
    }
    s.v2 ^= 0xff;
    slow_rounds(&s, d);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* The key of the paper's appendix A: bytes 00 to 0f. */
static const struct hash_key paper_key = { UINT64_C(0x0706050403020100),
                                           UINT64_C(0x0f0e0d0c0b0a0908) };

static uint8_t *
counting(size_t n)
{
    uint8_t *p = malloc(n > 0 ? n : 1); /* exact size: ASan sees the byte behind */

    assert_non_null(p);
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)i;
    return p;
}

static void
the_reference_gives_the_published_vectors(void **state)
{
    uint8_t *bytes = counting(15);

    (void)state;
    assert_true(slow_siphash(2, 4, &paper_key, bytes, 0) == UINT64_C(0x726fdb47dd0e0e31));
    assert_true(slow_siphash(2, 4, &paper_key, bytes, 15) == UINT64_C(0xa129ca6149be45e5));
    assert_true(slow_siphash(1, 3, &paper_key, bytes, 0) == UINT64_C(0xabac0158050fc4dc));
    free(bytes);
}

static void
whole_words_hash_as_their_bytes_do(void **state)
{
    (void)state;
    for (size_t n = 0; n < 40; n++) {
        uint8_t *bytes = counting(8 * n);
        uint64_t *words = malloc(8 * n + 1);
        struct hash_key key = { n * UINT64_C(0x9e3779b97f4a7c15), ~n };

        assert_non_null(words);
        for (size_t i = 0; i < n; i++)
            words[i] = little(bytes + 8 * i, 8);
        assert_true(siphash13(&paper_key, words, n) ==
                    slow_siphash(1, 3, &paper_key, bytes, 8 * n));
        assert_true(siphash13(&key, words, n) == slow_siphash(1, 3, &key, bytes, 8 * n));
        free(words);
        free(bytes);
    }
}

/* What siphash13_bytes() says it is: blocks of 128 bytes, each keyed by the hash before. */
static uint64_t
slow_chain(struct hash_key key, const uint8_t *p, size_t n)
{
    uint8_t block[128] = { 0 };

    for (; n >= sizeof(block); n -= sizeof(block), p += sizeof(block))
        key.k0 ^= slow_siphash(1, 3, &key, p, sizeof(block));
    memcpy(block, p, n);
    block[127] = (uint8_t)n;
    return slow_siphash(1, 3, &key, block, sizeof(block));
}

static void
bytes_hash_as_chained_blocks(void **state)
{
    (void)state;
    for (size_t n = 0; n < 600; n++) {
        uint8_t *bytes = counting(n);

        assert_true(siphash13_bytes(&paper_key, bytes, n) == slow_chain(paper_key, bytes, n));
        free(bytes);
    }
}

static void
zeros_of_different_lengths_differ(void **state)
{
    static const uint8_t zeros[300];
    uint64_t hash[300];

    (void)state;
    for (size_t n = 0; n < 300; n++) {
        hash[n] = siphash13_bytes(&paper_key, zeros, n);
        for (size_t i = 0; i < n; i++)
            assert_true(hash[i] != hash[n]);
    }
}

static void
every_byte_counts_wherever_it_lies(void **state)
{
    enum { N = 270 };
    uint8_t *bytes = counting(N);
    uint64_t whole = siphash13_bytes(&paper_key, bytes, N);

    (void)state;
    for (size_t i = 0; i < N; i++) {
        bytes[i] ^= 0x80;
        assert_true(siphash13_bytes(&paper_key, bytes, N) != whole);
        bytes[i] ^= 0x80;
    }
    free(bytes);
}

static void
the_place_in_memory_does_not_matter(void **state)
{
    uint8_t room[64 + 8];
    uint64_t first = 0;

    (void)state;
    for (size_t shift = 0; shift < 8; shift++) {
        for (size_t i = 0; i < 64; i++)
            room[shift + i] = (uint8_t)(3 * i);
        if (shift == 0)
            first = siphash13_bytes(&paper_key, room, 64);
        assert_true(siphash13_bytes(&paper_key, room + shift, 64) == first);
    }
}

static void
both_halves_of_the_key_count(void **state)
{
    struct hash_key other = paper_key;
    uint64_t word[2] = { 1, 2 }, hash = siphash13(&paper_key, word, 2);

    (void)state;
    other.k0 ^= 1;
    assert_true(siphash13(&other, word, 2) != hash);
    other = paper_key;
    other.k1 ^= 1;
    assert_true(siphash13(&other, word, 2) != hash);
}

/*
 * The constants of MurmurHash3's fmix64; it maps 0 to 0, and its inverse shows that it loses none.
 */
static void
mix64_is_the_finaliser_of_murmurhash3(void **state)
{
    (void)state;
    assert_true(mix64(0) == 0);
    assert_true(mix64(1) == UINT64_C(0xb456bcfc34c2cb2c));
    assert_true(mix64(2) == UINT64_C(0x3abf2a20650683e7));
    assert_true(mix64(UINT64_MAX) == UINT64_C(0x64b5720b4b825f21));
}

static void
mix64_spreads_each_bit(void **state)
{
    (void)state;
    for (int bit = 0; bit < 64; bit++) {
        int sum = 0;

        for (uint64_t x = 1; x <= 64; x++)
            sum += __builtin_popcountll(mix64(x) ^ mix64(x ^ UINT64_C(1) << bit));
        assert_in_range(sum / 64, 26, 38);
    }
}

static void
no_two_seeds_are_the_same(void **state)
{
    uint64_t seeds[64], ones = 0;

    (void)state;
    for (int i = 0; i < 64; i++) {
        seeds[i] = hash_draw_seed();
        ones |= seeds[i];
        for (int k = 0; k < i; k++)
            assert_true(seeds[k] != seeds[i]);
    }
    assert_true(ones == UINT64_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_gives_the_published_vectors),
        cmocka_unit_test(whole_words_hash_as_their_bytes_do),
        cmocka_unit_test(bytes_hash_as_chained_blocks),
        cmocka_unit_test(zeros_of_different_lengths_differ),
        cmocka_unit_test(every_byte_counts_wherever_it_lies),
        cmocka_unit_test(the_place_in_memory_does_not_matter),
        cmocka_unit_test(both_halves_of_the_key_count),
        cmocka_unit_test(mix64_is_the_finaliser_of_murmurhash3),
        cmocka_unit_test(mix64_spreads_each_bit),
        cmocka_unit_test(no_two_seeds_are_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
