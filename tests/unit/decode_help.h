/* Frames in bytes, and what the decoder makes of them: for its tests. */
#ifndef WEIR_TESTS_DECODE_HELP_H
#define WEIR_TESTS_DECODE_HELP_H

#include "decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { ETHERNET = 1, RAW = 101, IPV4 = 228, IPV6 = 229 };

/* 10.0.0.1:4660 to 10.0.0.2:80, "hello" */
static const uint8_t tcp4[] = {
    0x45, 0x00, 0x00, 0x2d, 0x00, 0x01, 0x40, 0x00, 0x40, 6,    0x00, 0x00, /* IPv4 */
    10,   0,    0,    1,    10,   0,    0,    2,                            /* its addresses */
    0x12, 0x34, 0x00, 0x50, 0x01, 0x02, 0x03, 0x04, 0xf1, 0xf2, 0xf3, 0xf4, /* TCP */
    0x50, 0x18, 0xfa, 0xf0, 0x00, 0x00, 0x00, 0x00, 'h',  'e',  'l',  'l',  'o',
};

/* The same between 2001:db8::1 and 2001:db8::2 */
static const uint8_t tcp6[] = {
    0x60, 0,    0,    0,    0x00, 0x19, 6,    0x3f, /* IPv6 */
    0x20, 0x01, 0x0d, 0xb8, 0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
    1,    0x20, 0x01, 0x0d, 0xb8, 0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
    0,    2,    0x12, 0x34, 0x00, 0x50, 0x01, 0x02, 0x03, 0x04, 0xf1, 0xf2, 0xf3, 0xf4, /* TCP */
    0x50, 0x18, 0xfa, 0xf0, 0x00, 0x00, 0x00, 0x00, 'h',  'e',  'l',  'l',  'o',
};

static const uint8_t ethernet4[] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00 };
static const uint8_t ethernet6[] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x86, 0xdd };

/* ---- frames, and what became of them --------------------------------------------------------- */

/* Bytes put together, before they become a frame. */
struct bytes {
    uint32_t n;
    uint8_t b[512];
};

static inline void
add(struct bytes *to, const void *p, size_t n)
{
    assert_true(to->n + n <= sizeof(to->b));
    if (n > 0)
        memcpy(to->b + to->n, p, n);
    to->n += (uint32_t)n;
}

#define ADD(to, array)     add(to, array, sizeof(array))
#define ADD_BYTES(to, ...) ADD(to, ((const uint8_t[]){ __VA_ARGS__ }))

struct got {
    enum decode_result result;
    struct decode_fault fault;
    struct weir_packet pkt;
    uint8_t *frame;
};

/* Facts of every answer. */
static inline void
check_consistent(const struct got *g)
{
    const struct weir_packet *pkt = &g->pkt;
    const uint8_t *end = pkt->frame + pkt->caplen;

    assert_true(pkt->payload >= pkt->frame && pkt->payload + pkt->payload_len <= end);
    assert_true(pkt->payload_len <= pkt->payload_wire && pkt->payload_wire <= pkt->wirelen);
    assert_int_equal(pkt->truncated, pkt->payload_len < pkt->payload_wire);
    assert_int_equal(pkt->fragment, g->result == DECODE_FRAGMENT);
    assert_true(pkt->n_vlan <= 3);
    if (g->result == DECODE_FLOW) {
        assert_non_null(pkt->ip);
        assert_true(pkt->l4 > pkt->ip && pkt->l4 <= pkt->payload);
        assert_int_equal(pkt->l4_len, pkt->payload - pkt->l4 + pkt->payload_wire);
    }
    if (g->result == DECODE_FRAGMENT)
        assert_null(pkt->l4);
}

static inline struct got
run(uint16_t link, const uint8_t *p, uint32_t caplen, uint32_t wirelen)
{
    struct got g = { .frame = malloc(caplen > 0 ? caplen : 1) }; /* ASan sees the byte behind */
    struct weir_frame frame = {
        .data = g.frame, .caplen = caplen, .wirelen = wirelen, .link = link
    };

    assert_non_null(g.frame);
    memcpy(g.frame, p, caplen);
    memset(&g.pkt, 0xaa, sizeof(g.pkt));
    g.result = decode(&frame, &g.pkt, &g.fault);
    check_consistent(&g);
    return g;
}

static inline struct got
run_whole(uint16_t link, const struct bytes *frame)
{
    return run(link, frame->b, frame->n, frame->n);
}

static inline void
done(struct got *g)
{
    free(g->frame);
}

static inline void
assert_result(uint16_t link, const struct bytes *frame, enum decode_result result)
{
    struct got g = run_whole(link, frame);

    assert_int_equal(g.result, result);
    done(&g);
}

static inline void
assert_bad(uint16_t link, const struct bytes *frame, enum weir_layer layer, enum weir_bad why)
{
    struct got g = run_whole(link, frame);

    assert_int_equal(g.result, DECODE_BAD);
    assert_int_equal(g.fault.layer, layer);
    assert_int_equal(g.fault.why, why);
    done(&g);
}

/* The frame carries tcp4 or tcp6, whole or with n other bytes of payload. */
static inline void
assert_tcp(uint16_t link, const struct bytes *frame, unsigned version, uint32_t n)
{
    struct got g = run_whole(link, frame);

    assert_int_equal(g.result, DECODE_FLOW);
    assert_int_equal(g.pkt.ip_version, version);
    assert_int_equal(g.pkt.proto, WEIR_PROTO_TCP);
    assert_int_equal(g.pkt.src_port, 0x1234);
    assert_int_equal(g.pkt.dst_port, 80);
    assert_int_equal(g.pkt.payload_len, n);
    assert_int_equal(g.pkt.payload_wire, n);
    assert_false(g.pkt.truncated);
    if (n >= 5)
        assert_memory_equal(g.pkt.payload, "hello", 5);
    done(&g);
}

/* A header before a whole packet. */
static inline void
assert_header(uint16_t link, const uint8_t *header, size_t n, unsigned version)
{
    struct bytes frame = { 0 };

    add(&frame, header, n);
    if (version == 4)
        ADD(&frame, tcp4);
    else
        ADD(&frame, tcp6);
    assert_tcp(link, &frame, version, 5);
}

#define ASSERT_HEADER(link, version, ...)                                                          \
    assert_header(link, (const uint8_t[]){ __VA_ARGS__ },                                          \
                  sizeof((const uint8_t[]){ __VA_ARGS__ }), version)

/* IPv4 before n bytes of another protocol. */
static inline struct bytes
other4(uint8_t proto, const void *p, size_t n)
{
    struct bytes frame = { 0 };

    add(&frame, tcp4, 20);
    frame.b[3] = (uint8_t)(20 + n);
    frame.b[9] = proto;
    add(&frame, p, n);
    return frame;
}

#define OTHER4(proto, ...)                                                                         \
    other4(proto, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* What is cut by the snap length alone is cut, not wrong; only the payload may be missing. */
static inline void
check_snapped(uint16_t link, const struct bytes *whole, uint32_t n_headers)
{
    struct got full = run_whole(link, whole);

    for (uint32_t n = 0; n < whole->n; n++) {
        struct got g = run(link, whole->b, n, whole->n);

        if (n < n_headers) {
            assert_int_equal(g.result, DECODE_BAD);
            assert_int_equal(g.fault.why, WEIR_BAD_TRUNCATED);
        } else {
            assert_int_equal(g.result, full.result);
            assert_true(g.pkt.truncated);
            assert_int_equal(g.pkt.payload_len, n - n_headers);
            assert_int_equal(g.pkt.payload_wire, full.pkt.payload_wire);
            assert_int_equal(g.pkt.l4_len, full.pkt.l4_len);
        }
        done(&g);
    }
    done(&full);
}

/* What is cut on the wire contradicts itself, and no snap length is to blame. */
static inline void
check_shortened(uint16_t link, const struct bytes *whole)
{
    for (uint32_t n = 0; n < whole->n; n++) {
        struct got g = run(link, whole->b, n, n);

        assert_int_equal(g.result, DECODE_BAD);
        assert_true(g.fault.why == WEIR_BAD_TOO_SHORT || g.fault.why == WEIR_BAD_LENGTH);
        done(&g);
    }
}

static inline void
check_cut(uint16_t link, const struct bytes *whole, uint32_t n_headers)
{
    check_snapped(link, whole, n_headers);
    check_shortened(link, whole);
}

#endif
