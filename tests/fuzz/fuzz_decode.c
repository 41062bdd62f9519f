/*
 * The packet decoder over any bytes, of any link type.
 *
 * Input: link type (an index), bytes that the snap length cut, where to cut once more, the frame.
 */
#include "decode.h"

#undef NDEBUG
#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PREFIX = 3 };

static const uint16_t links[] = { 1,   0,   108, 12, 101, 113, 276, 228,
                                  229, 147, 9,   50, 51,  104, 105, 127 };

static bool
lies_within(const struct weir_frame *f, const uint8_t *p, size_t n)
{
    return p >= f->data && n <= f->caplen && p <= f->data + f->caplen - n;
}

static void
check_headers(const struct weir_frame *f, const struct weir_packet *pkt)
{
    assert(pkt->ip_version == 0 || pkt->ip_version == 4 || pkt->ip_version == 6);
    assert((pkt->ip == NULL) == (pkt->ip_version == 0));
    assert(pkt->ip == NULL || lies_within(f, pkt->ip, pkt->ip_version == 4 ? 20 : 40));
    assert(pkt->ip == NULL || pkt->ip[0] >> 4 == pkt->ip_version);
    assert(pkt->l4 == NULL || (pkt->ip != NULL && pkt->l4 > pkt->ip && lies_within(f, pkt->l4, 0)));
    assert(pkt->n_tcp_options <= 40);
    assert(pkt->tcp_options == NULL || lies_within(f, pkt->tcp_options, pkt->n_tcp_options));
    assert(pkt->n_vlan <= 3);
    for (int i = 0; i < 3; i++)
        assert(pkt->vlan[i] < 4096 && (i < pkt->n_vlan || pkt->vlan[i] == 0));
    assert(pkt->tunnel <= 16 && (pkt->tunnel == 0 || pkt->ip != NULL));
    assert(pkt->vni < 1 << 24 && (pkt->has_vni ? pkt->tunnel > 0 : pkt->vni == 0));
    assert(pkt->tunnel > 0 || !pkt->bad_outer_sum);
}

static void
check_payload(const struct weir_frame *f, const struct weir_packet *pkt)
{
    assert(lies_within(f, pkt->payload, pkt->payload_len));
    assert(pkt->payload_wire >= pkt->payload_len && pkt->payload_wire <= f->wirelen);
    assert(pkt->truncated == (pkt->payload_len < pkt->payload_wire));
    assert(!pkt->truncated || f->caplen < f->wirelen);
}

/* Only a snap length truncates; too many headers are many, or two of IPv6 fragments. */
static void
check_fault(const struct weir_frame *f, const struct decode_fault *fault)
{
    assert(fault->why > WEIR_BAD_NONE && fault->why <= WEIR_BAD_LAYERS);
    assert(fault->layer <= WEIR_LAYER_TUNNEL);
    assert(fault->why != WEIR_BAD_TRUNCATED || f->caplen < f->wirelen);
    assert(fault->why != WEIR_BAD_LAYERS || f->caplen >= 48);
}

/* In the place of the packet before, whatever that was, it is the same. */
static void
check_next(const struct weir_frame *f, const struct weir_packet *pkt, enum decode_result result)
{
    static struct weir_packet next;
    static bool plain;
    struct decode_fault fault;

    assert(decode_next(f, &next, &fault, &plain) == result);
    assert(memcmp(&next, pkt, sizeof(next)) == 0);
}

static enum decode_result
check_frame(const struct weir_frame *f, struct weir_packet *pkt, struct decode_fault *fault)
{
    const enum decode_result result = decode(f, pkt, fault);

    check_next(f, pkt, result);
    check_headers(f, pkt);
    check_payload(f, pkt);
    assert(result != DECODE_FLOW || (pkt->l4 != NULL && pkt->l4_len >= pkt->payload_wire));
    assert(result != DECODE_FLOW || !pkt->fragment);
    assert((result == DECODE_FRAGMENT) == pkt->fragment);
    if (result == DECODE_BAD)
        check_fault(f, fault);
    return result;
}

/* A frame of exactly so many bytes, so that AddressSanitizer sees the one behind. */
static struct weir_frame
exact_frame(uint16_t link, const uint8_t *bytes, uint32_t caplen, uint32_t wirelen)
{
    uint8_t *copy = malloc(caplen > 0 ? caplen : 1);

    assert(copy != NULL);
    memcpy(copy, bytes, caplen);
    return (struct weir_frame){ .data = copy, .caplen = caplen, .wirelen = wirelen, .link = link };
}

static bool
same_addresses(const struct weir_packet *a, const struct weir_packet *b)
{
    return memcmp(&a->src, &b->src, sizeof(a->src)) == 0 &&
           memcmp(&a->dst, &b->dst, sizeof(a->dst)) == 0 && a->src_port == b->src_port &&
           a->dst_port == b->dst_port && a->proto == b->proto && a->tunnel == b->tunnel &&
           a->vni == b->vni && memcmp(a->vlan, b->vlan, sizeof(a->vlan)) == 0;
}

/* A snap length may hide what a frame is, but never make something else of it. */
static void
check_cut(const struct weir_frame *whole, uint32_t caplen)
{
    const struct weir_frame cut = exact_frame(whole->link, whole->data, caplen, whole->wirelen);
    struct decode_fault fault[2];
    struct weir_packet pkt[2];
    const enum decode_result result[2] = { check_frame(whole, &pkt[0], &fault[0]),
                                           check_frame(&cut, &pkt[1], &fault[1]) };

    if (result[1] != DECODE_BAD || fault[1].why != WEIR_BAD_TRUNCATED) {
        assert(result[0] == result[1]);
        assert(result[0] != DECODE_BAD || fault[0].why == fault[1].why);
        assert(result[0] != DECODE_FLOW || same_addresses(&pkt[0], &pkt[1]));
    }
    free((void *)(uintptr_t)cut.data);
}

/* As if the innermost IP packet had been put together: all lengths around it are mended. */
static void
check_mend(const struct weir_frame *whole)
{
    const struct weir_frame f = exact_frame(whole->link, whole->data, whole->caplen,
                                            whole->wirelen);
    struct weir_packet pkt = { .number = 5 };
    struct decode_fault fault;
    struct weir_frame shown;

    if (decode(&f, &pkt, &fault) != DECODE_BAD && pkt.ip != NULL) {
        decode_whole(&f, (uint8_t *)(uintptr_t)pkt.ip, &pkt, &fault);
        assert(lies_within(&f, pkt.frame, pkt.caplen) && pkt.caplen <= pkt.wirelen);
        assert(pkt.whole && !pkt.stable);
        shown = (struct weir_frame){
            .data = pkt.frame, .caplen = pkt.caplen, .wirelen = pkt.wirelen, .link = pkt.link
        };
        check_headers(&shown, &pkt);
        check_payload(&shown, &pkt);
    }
    free((void *)(uintptr_t)f.data);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_frame frame;
    uint32_t caplen;

    if (size < PREFIX || size > 4096)
        return 0;
    caplen = (uint32_t)size - PREFIX;
    frame = exact_frame(links[data[0] % (sizeof(links) / sizeof(links[0]))], data + PREFIX, caplen,
                        caplen + data[1]);
    check_cut(&frame, data[2] < caplen ? data[2] : caplen);
    check_mend(&frame);
    free((void *)(uintptr_t)frame.data);
    return 0;
}
