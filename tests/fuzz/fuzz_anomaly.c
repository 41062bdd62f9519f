/*
 * What is odd about any bytes that pass for a packet, of a few link types.
 *
 * Input: link type (an index), how many bytes the snap length cut, the frame.
 */
#include "detect/anomaly.h"

#include "decode.h"

#undef NDEBUG
#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BIT(name) ANOMALY_BIT(name)

static const uint16_t links[] = { 1, 228, 229, 0, 113, 104 };

/* Those of one version do not come in a packet of the other. */
static void
check(const struct weir_packet *pkt, u128 found)
{
    const u128 four = BIT(IPV4_OPT_INVALID_LEN) | BIT(IPV4_UNKNOWN_PROTOCOL) |
                      BIT(ICMPV4_UNKNOWN_TYPE);
    const u128 six = BIT(IPV6_USELESS_FH) | BIT(IPV6_ICMPV4) | BIT(ICMPV6_UNKNOWN_TYPE);

    assert(found >> ANOMALIES == 0);
    assert(pkt->ip_version == 4 || (found & four) == 0);
    assert(pkt->ip_version == 6 || (found & six) == 0);
    assert(pkt->proto == WEIR_PROTO_TCP || (found & BIT(TCP_OPT_DUPLICATE)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct decode_fault fault = { WEIR_LAYER_LINK, WEIR_BAD_NONE };
    struct weir_packet pkt;
    struct weir_event ev = { .type = WEIR_EV_PACKET, .packet = &pkt };
    struct weir_frame frame;
    uint8_t *copy;

    if (size < 2 || size > 4096)
        return 0;
    copy = malloc(size - 2 > 0 ? size - 2 : 1);
    assert(copy != NULL);
    memcpy(copy, data + 2, size - 2);
    frame = (struct weir_frame){ .data = copy,
                                 .caplen = (uint32_t)size - 2,
                                 .wirelen = (uint32_t)size - 2 + data[1],
                                 .link = links[data[0] % (sizeof(links) / sizeof(links[0]))] };
    if (decode(&frame, &pkt, &fault) == DECODE_BAD) {
        ev.type = WEIR_EV_BAD_PACKET;
        ev.bad_packet.layer = (uint8_t)fault.layer;
        ev.bad_packet.why = (uint8_t)fault.why;
    }
    check(&pkt, anomalies_of(&ev));
    free(copy);
    return 0;
}
