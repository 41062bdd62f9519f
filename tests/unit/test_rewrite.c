/* Rewritten packets and their checksums, against a full and plain computation. */
#include "rewrite.h"

#include "decode.h"

#include <weir/error.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 200000, ROOM = 512 };

struct made {
    uint8_t bytes[ROOM];
    uint32_t ip, l4, n; /* where they begin; the frame's length */
    uint8_t version, proto;
};

static uint64_t
random_below(uint64_t *state, uint64_t n)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*state >> 33) % n;
}

static void
put16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

/* RFC 1071 section 4.1. */
static uint32_t
add(const uint8_t *p, uint32_t n, uint32_t sum)
{
    for (uint32_t i = 0; i < n; i++)
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    return sum;
}

static uint16_t
finish(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static uint32_t
checksum_place(const struct made *m)
{
    return m->l4 + (m->proto == WEIR_PROTO_TCP ? 16 : m->proto == WEIR_PROTO_UDP ? 6 : 2);
}

/* Write both checksums from nothing. */
static void
sum_up(struct made *m)
{
    const uint32_t addrs = m->version == 4 ? m->ip + 12 : m->ip + 8, len = m->n - m->l4;
    uint8_t *at = m->bytes + checksum_place(m);
    uint32_t sum = 0;
    uint16_t done;

    if (m->version == 4) {
        put16(m->bytes + m->ip + 10, 0);
        put16(m->bytes + m->ip + 10, finish(add(m->bytes + m->ip, m->l4 - m->ip, 0)));
    }
    if (m->proto != WEIR_PROTO_ICMP)
        sum = add(m->bytes + addrs, m->version == 4 ? 8 : 32, m->proto + len);
    put16(at, 0);
    done = finish(add(m->bytes + m->l4, len, sum));
    put16(at, done == 0 && m->proto == WEIR_PROTO_UDP ? 0xffff : done);
}

static void
draw(uint64_t *seed, struct made *m)
{
    static const uint8_t protos[2][3] = {
        { WEIR_PROTO_TCP, WEIR_PROTO_UDP, WEIR_PROTO_ICMP },
        { WEIR_PROTO_TCP, WEIR_PROTO_UDP, WEIR_PROTO_ICMPV6 },
    };
    const uint64_t fill = random_below(seed, 4); /* bytes of extremes meet the corners of sums */
    const uint32_t tags = (uint32_t)random_below(seed, 3);
    uint32_t options;

    m->version = random_below(seed, 2) ? 6 : 4;
    m->proto = protos[m->version == 6][random_below(seed, 3)];
    m->ip = 14 + 4 * tags;
    options = m->version == 4 ? 4 * (uint32_t)random_below(seed, 3) : 0;
    m->l4 = m->ip + (m->version == 4 ? 20 + options : 40);
    m->n = m->l4 + (m->proto == WEIR_PROTO_TCP ? 20 : 8) + 1 + (uint32_t)random_below(seed, 40);
    for (uint32_t i = 0; i < m->n; i++)
        m->bytes[i] = fill == 0 ? 0 : fill == 1 ? 0xff : (uint8_t)random_below(seed, 256);
    for (uint32_t i = 0; i < tags; i++)
        memcpy(m->bytes + 12 + 4 * i, (uint8_t[]){ 0x81, 0, 0, 5 }, 4);
    put16(m->bytes + m->ip - 2, m->version == 4 ? 0x800 : 0x86dd);
    if (m->version == 4) {
        m->bytes[m->ip] = (uint8_t)(0x45 + options / 4);
        put16(m->bytes + m->ip + 2, m->n - m->ip);
        put16(m->bytes + m->ip + 6, 0);
        m->bytes[m->ip + 9] = m->proto;
        memset(m->bytes + m->ip + 20, 1, options);
    } else {
        m->bytes[m->ip] = 0x60;
        put16(m->bytes + m->ip + 4, m->n - m->l4);
        m->bytes[m->ip + 6] = m->proto;
    }
    if (m->proto == WEIR_PROTO_TCP)
        m->bytes[m->l4 + 12] = 0x50;
    if (m->proto == WEIR_PROTO_UDP) {
        put16(m->bytes + m->l4, 4000);
        put16(m->bytes + m->l4 + 2, 4001);
        put16(m->bytes + m->l4 + 4, m->n - m->l4);
    }
    if (m->proto == WEIR_PROTO_ICMP)
        m->bytes[m->l4] = 8;
    if (m->proto == WEIR_PROTO_ICMPV6)
        m->bytes[m->l4] = 128;
    sum_up(m);
}

static struct weir_packet
read(const struct made *m)
{
    const struct weir_frame frame = {
        .data = m->bytes, .caplen = m->n, .wirelen = m->n, .link = 1
    };
    struct decode_fault fault;
    struct weir_packet pkt;

    assert_int_equal(decode(&frame, &pkt, &fault), DECODE_FLOW);
    assert_ptr_equal(pkt.l4, m->bytes + m->l4);
    return pkt;
}

/* What is asked for, and the same done by hand. */
static struct rewrite
draw_change(uint64_t *seed, const struct weir_packet *pkt, uint8_t bytes[ROOM],
            struct weir_addr *addr)
{
    struct rewrite how = { .port = -1 };

    for (uint32_t i = 0; i < ROOM; i++)
        bytes[i] = (uint8_t)random_below(seed, 256);
    memcpy(addr->b, bytes + 64, 16);
    if (pkt->proto == WEIR_PROTO_TCP && random_below(seed, 3) == 0) {
        how.urgent = true;
        return how;
    }
    if (random_below(seed, 2)) {
        how.bytes = bytes;
        how.at = (uint32_t)random_below(seed, pkt->payload_len);
        how.n = (uint32_t)random_below(seed, pkt->payload_len - how.at + 1);
        return how;
    }
    how.which = random_below(seed, 2) ? WEIR_SOURCE : WEIR_DESTINATION;
    how.addr = random_below(seed, 4) ? addr : NULL;
    how.port = random_below(seed, 2) ? (int)random_below(seed, 65536) : -1;
    return how;
}

static void
change_plainly(struct made *m, const struct weir_packet *pkt, const struct rewrite *how)
{
    const bool source = how->which == WEIR_SOURCE;
    const uint32_t v4 = source ? 12 : 16, v6 = source ? 8 : 24;

    if (how->urgent) {
        m->bytes[m->l4 + 13] &= 0xdf;
        put16(m->bytes + m->l4 + 18, 0);
        return;
    }
    if (how->bytes != NULL)
        memcpy(m->bytes + (pkt->payload - pkt->frame) + how->at, how->bytes, how->n);
    if (how->addr != NULL)
        memcpy(m->bytes + m->ip + (m->version == 4 ? v4 : v6), how->addr->b,
               m->version == 4 ? 4 : 16);
    if (how->port >= 0)
        put16(m->bytes + m->l4 +
                  (m->proto == WEIR_PROTO_ICMP || m->proto == WEIR_PROTO_ICMPV6 ? 4
                   : source                                                     ? 0
                                                                                : 2),
              (uint32_t)how->port);
}

static void
checksums_are_as_if_computed_anew(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint8_t bytes[ROOM], changed[ROOM];
        struct weir_addr addr;
        struct made m = { .n = 0 };
        struct weir_packet pkt;

        draw(&seed, &m);
        pkt = read(&m);
        memcpy(changed, m.bytes, ROOM);
        for (uint64_t n = 1 + random_below(&seed, 2); n > 0; n--) { /* one upon the other */
            const struct rewrite how = draw_change(&seed, &pkt, bytes, &addr);

            assert_int_equal(rewrite_check(&pkt, &how), WEIR_E_OK);
            rewrite_apply(&pkt, &how, changed);
            change_plainly(&m, &pkt, &how);
        }
        sum_up(&m);
        assert_memory_equal(changed, m.bytes, m.n);
    }
}

/* RFC 1624 section 3, equation 3: what becomes of a checksum when a 16-bit word changes. */
static uint16_t
updated(uint16_t sum, uint16_t from, uint16_t to)
{
    const uint16_t result = finish((uint16_t)~sum + (uint32_t)(uint16_t)~from + to);

    return result != 0 ? result : 0xffff; /* RFC 768: 0 says that there is none */
}

static void
no_checksum_stays_none_and_a_wrong_one_wrong(void **state)
{
    uint64_t seed = 2;

    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        struct made m = { .n = 0 };
        const struct rewrite how = { .bytes = (const uint8_t *)"z", .n = 1, .port = -1 };
        struct weir_packet pkt;
        uint16_t sum, word;
        uint8_t *at;

        do
            draw(&seed, &m);
        while (m.proto != WEIR_PROTO_UDP);
        at = m.bytes + checksum_place(&m);
        if (i % 2 == 0)
            put16(at, 0);
        else
            at[0] = (uint8_t)(at[0] ^ 0x40);
        pkt = read(&m);
        sum = (uint16_t)(at[0] << 8 | at[1]);
        word = (uint16_t)(pkt.payload[0] << 8);
        rewrite_apply(&pkt, &how, m.bytes);
        assert_int_equal(pkt.payload[0], 'z');
        assert_int_equal(at[0] << 8 | at[1], sum == 0 ? 0 : updated(sum, word, 'z' << 8));
    }
}

static void
what_cannot_be_done_is_said(void **state)
{
    uint64_t seed = 3;
    struct made m = { .n = 0 };
    struct rewrite how = { .bytes = (const uint8_t *)"abc", .n = 3, .port = -1 };
    struct weir_packet pkt;

    (void)state;
    do
        draw(&seed, &m);
    while (m.proto != WEIR_PROTO_TCP || m.version != 4);
    pkt = read(&m);
    how.at = pkt.payload_len;
    assert_int_equal(rewrite_check(&pkt, &how), WEIR_E_INVAL);
    how.n = UINT32_MAX;
    how.at = 1;
    assert_int_equal(rewrite_check(&pkt, &how), WEIR_E_INVAL);
    how = (struct rewrite){ .port = 65536 };
    assert_int_equal(rewrite_check(&pkt, &how), WEIR_E_INVAL);
    how.port = -2;
    assert_int_equal(rewrite_check(&pkt, &how), WEIR_E_INVAL);
    how.port = 80;
    assert_int_equal(rewrite_check(&pkt, &how), WEIR_E_OK);
    pkt.tunnel = 1;
    assert_int_equal(rewrite_check(&pkt, &how), WEIR_E_UNSUPPORTED);
    pkt.tunnel = 0;
    pkt.proto = 132; /* SCTP, whose checksum is another */
    assert_int_equal(rewrite_check(&pkt, &how), WEIR_E_UNSUPPORTED);
    pkt.proto = WEIR_PROTO_ICMP;
    pkt.icmp_type = 3;
    assert_int_equal(rewrite_check(&pkt, &how), WEIR_E_INVAL);
    how.urgent = true;
    assert_int_equal(rewrite_check(&pkt, &how), WEIR_E_UNSUPPORTED);
    pkt.proto = WEIR_PROTO_TCP;
    assert_int_equal(rewrite_check(&pkt, &how), WEIR_E_OK);
    pkt.caplen = (uint32_t)(pkt.l4 - pkt.frame) + 19; /* as a bad packet may end */
    assert_int_equal(rewrite_check(&pkt, &how), WEIR_E_UNSUPPORTED);
    pkt.caplen++;
    assert_int_equal(rewrite_check(&pkt, &how), WEIR_E_OK);
    pkt.whole = true;
    assert_int_equal(rewrite_check(&pkt, &how), WEIR_E_UNSUPPORTED);
}

/* The sum is over the last address of a routing header, not over that of the IP header. */
static void
behind_a_routing_header_addresses_stay(void **state)
{
    uint8_t f[14 + 40 + 24 + 8 + 4] = { [12] = 0x86, [13] = 0xdd, [14] = 0x60, [19] = 24 + 8 + 4 };
    struct made m = { .n = sizeof(f), .ip = 14, .l4 = 78, .version = 6, .proto = WEIR_PROTO_UDP };
    struct weir_addr addr = { { 1 } };
    struct rewrite how = { .addr = &addr, .port = -1 };
    struct weir_packet pkt;

    (void)state;
    f[20] = 43; /* routing, then UDP */
    f[54] = 17;
    f[55] = 2;
    f[56] = 4;
    put16(f + 78 + 4, 12);
    memcpy(m.bytes, f, sizeof(f));
    pkt = read(&m);
    assert_int_equal(rewrite_check(&pkt, &how), WEIR_E_UNSUPPORTED);
    how.addr = NULL;
    how.port = 7;
    assert_int_equal(rewrite_check(&pkt, &how), WEIR_E_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_are_as_if_computed_anew),
        cmocka_unit_test(no_checksum_stays_none_and_a_wrong_one_wrong),
        cmocka_unit_test(what_cannot_be_done_is_said),
        cmocka_unit_test(behind_a_routing_header_addresses_stay),
    };

    return cmocka_run_group_tests_name("rewrite", tests, NULL, NULL);
}
