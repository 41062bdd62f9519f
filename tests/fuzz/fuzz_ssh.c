/*
 * SSH: a direction of any bytes gives the same however it is cut, over a hole too.
 *
 * Input: bytes a piece (0: one KEXINIT), a hole's place (in 4 bytes) and length, the bytes.
 */
#include "ssh.h"

#include "support/exact.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PREFIX = 3 };

static uint64_t
sum_of(uint64_t sum, struct weir_bytes bytes)
{
    for (uint32_t i = 0; i < bytes.n; i++)
        sum = sum * 31 + bytes.p[i];
    return sum * 31 + bytes.n;
}

static void
found(void *ctx, const struct ssh_banner *banner, const struct ssh_kexinit *kex)
{
    uint64_t *sum = ctx;
    char text[4096];
    struct put put = put_begin(text, sizeof(text));

    assert((banner == NULL) != (kex == NULL));
    if (banner != NULL) {
        assert(banner->line.n < SSH_LINE_MAX && banner->version.n > 0);
        assert(banner->version.n + banner->software.n + banner->comment.n + 5 <=
               banner->line.n + 1);
        *sum = sum_of(sum_of(*sum, banner->software), banner->comment);
        return;
    }
    for (unsigned i = 0; i < SSH_LISTS; i++)
        *sum = sum_of(*sum, kex->list[i]);
    if (ssh_hassh_text(kex, WEIR_TOCLIENT, &put) == WEIR_E_OK)
        assert(put_length(&put) == kex->list[SSH_KEX].n + kex->list[SSH_CIPHER_TOCLIENT].n +
                                       kex->list[SSH_MAC_TOCLIENT].n +
                                       kex->list[SSH_COMPRESSION_TOCLIENT].n + 3);
}

static void
feed(struct ssh_side *side, struct pool *pool, const uint8_t *p, size_t n, size_t piece,
     uint64_t *sum)
{
    for (size_t at = 0; at < n; at += piece) {
        const size_t part = n - at < piece ? n - at : piece;
        uint8_t *copy = exact_copy(p + at, part);

        ssh_feed(side, pool, (struct weir_bytes){ copy, (uint32_t)part }, found, sum);
        assert(side->state < SSH_DONE || (side->line == NULL && side->packet.block == NULL));
        free(copy);
    }
}

static uint64_t
run(struct pool *pool, const uint8_t *p, size_t n, size_t piece, size_t hole, size_t length)
{
    struct ssh_side side = { .line = NULL };
    uint64_t sum = 0;

    if (hole + length > n)
        hole = n, length = 0;
    feed(&side, pool, p, hole, piece, &sum);
    ssh_gap(&side, pool, length);
    feed(&side, pool, p + hole + length, n - hole - length, piece, &sum);
    sum = sum * 31 + side.state;
    ssh_end(&side, pool);
    return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pool *pool;
    struct ssh_kexinit kex;

    if (pool == NULL && pool_new(POOL_MIN_BYTES, &pool) != WEIR_E_OK)
        return 0;
    if (size < PREFIX || size > 70000)
        return 0;
    if (data[0] == 0) {
        uint8_t *copy = exact_copy(data + PREFIX, size - PREFIX);
        int rc = ssh_kexinit_parse((struct weir_bytes){ copy, (uint32_t)(size - PREFIX) }, &kex);

        assert(rc != WEIR_E_OK || size - PREFIX >= 17 + 4 * SSH_LISTS);
        free(copy);
        return 0;
    }
    assert(run(pool, data + PREFIX, size - PREFIX, size, data[1] * 4U, data[2]) ==
           run(pool, data + PREFIX, size - PREFIX, data[0], data[1] * 4U, data[2]));
    assert(pool_stats(pool)->exhausted == 0);
    return 0;
}
