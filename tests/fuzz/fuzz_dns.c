/*
 * DNS: any message obeys its bounds; a stream of messages is the same however it is cut.
 *
 * Input: how many bytes a piece has (0: all is one message), where a hole begins and how long it
 * is, the bytes.
 */
#include "dns.h"

#include "support/exact.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PREFIX = 3 };

static void
check_record(struct dns_walk *walk, const struct dns_record *record)
{
    const struct dns_message *msg = walk->msg;
    char text[64];
    struct put put = put_begin(text, sizeof(text));
    int rc = dns_rdata_text(walk, record, &put);

    assert(record->name.n <= DNS_NAME_MAX && record->name.text[record->name.n] == '\0');
    assert(record->section < DNS_SECTIONS);
    assert(record->section != DNS_QUESTION || (record->ttl == 0 && record->rdata.n == 0));
    assert(record->rdata.p >= msg->bytes.p + DNS_HEADER + 5);
    assert(record->rdata.p + record->rdata.n <= msg->bytes.p + msg->bytes.n);
    assert(rc == WEIR_E_OK || rc == WEIR_E_MALFORMED || rc == WEIR_E_UNSUPPORTED);
    assert(put_length(&put) < sizeof(text) && text[put_length(&put)] == '\0');
}

static unsigned
check_message(const uint8_t *p, size_t n)
{
    struct dns_message msg;
    struct dns_record record;
    struct dns_walk walk;
    unsigned records = 0;

    if (dns_parse(p, n, &msg) != WEIR_E_OK) {
        assert(n < DNS_HEADER || n > DNS_MESSAGE_MAX);
        return 0;
    }
    for (walk = dns_records(&msg); dns_next(&walk, &record); records++)
        check_record(&walk, &record);
    assert(walk.rc == WEIR_E_OK || walk.rc == WEIR_E_TRUNC || walk.rc == WEIR_E_MALFORMED);
    assert(records <= (n - DNS_HEADER) / 5);
    assert(walk.pointers <= n && walk.data_pointers <= n);
    assert(walk.rc != WEIR_E_OK ||
           records == (unsigned)msg.count[0] + msg.count[1] + msg.count[2] + msg.count[3]);
    assert(!dns_plausible(p, n) || records > 0);
    return records;
}

struct sum {
    uint64_t bytes, messages, records;
};

static bool
on_message(void *ctx, const uint8_t *header, struct weir_bytes body)
{
    struct sum *sum = ctx;

    assert(body.n == (uint32_t)(header[0] << 8 | header[1]));
    for (uint32_t i = 0; i < body.n; i++)
        sum->bytes = sum->bytes * 31 + body.p[i];
    sum->messages++;
    sum->records += check_message(body.p, body.n);
    return true;
}

static void
feed(struct gather *g, struct pool *pool, const uint8_t *p, size_t n, size_t piece, struct sum *sum)
{
    for (size_t at = 0; at < n; at += piece) {
        const size_t part = n - at < piece ? n - at : piece;
        uint8_t *copy = exact_copy(p + at, part);

        assert(gather_feed(g, &dns_over_tcp, pool, (struct weir_bytes){ copy, (uint32_t)part },
                           on_message, sum));
        assert(g->block == NULL || g->have < g->want);
        free(copy);
    }
}

/* Returns what was seen of a stream with a hole, cut in pieces. */
static struct sum
run(struct pool *pool, const uint8_t *p, size_t n, size_t piece, size_t hole, size_t length)
{
    struct sum sum = { .bytes = 0, .messages = 0, .records = 0 };
    struct gather g = { .block = NULL };

    if (hole + length > n)
        hole = n, length = 0;
    feed(&g, pool, p, hole, piece, &sum);
    if (gather_gap(&g, pool, length))
        feed(&g, pool, p + hole + length, n - hole - length, piece, &sum);
    gather_reset(&g, pool);
    return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pool *pool;
    struct sum whole, cut;

    if (pool == NULL && pool_new(POOL_MIN_BYTES, &pool) != WEIR_E_OK)
        return 0;
    if (size < PREFIX || size > 70000)
        return 0;
    if (data[0] == 0) {
        uint8_t *copy = exact_copy(data + PREFIX, size - PREFIX);

        check_message(copy, size - PREFIX);
        free(copy);
        return 0;
    }
    whole = run(pool, data + PREFIX, size - PREFIX, size, data[1], data[2]);
    cut = run(pool, data + PREFIX, size - PREFIX, data[0], data[1], data[2]);
    assert(whole.bytes == cut.bytes && whole.messages == cut.messages &&
           whole.records == cut.records);
    assert(pool_stats(pool)->exhausted == 0);
    return 0;
}
