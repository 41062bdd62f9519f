/*
 * Detectors on packets made from the input, with the lowest thresholds: datagrams to port 53,
 * segments between a few ports, and raw IP packets. The same packets must give the same alerts
 * twice.
 */
#include "detectors/detectors.h"
#include "support/frames.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 4096, ALERTS = 64 };

struct run {
    uint64_t alert[ALERTS]; /* sid and packet of each */
    unsigned n;
    uint64_t packets;
};

static bool
on_alert(void *ctx, const struct rule *rule, const struct weir_event *ev)
{
    struct run *run = ctx;

    assert(rule->sid >= 1 && rule->sid <= 7 && ev->flow != NULL && ev->number <= run->packets);
    run->alert[run->n++ % ALERTS] = (uint64_t)rule->sid << 32 | ev->number;
    return true;
}

/* 0: the input has ended. What is left of a packet at its end is a packet, too. */
static size_t
one_frame(const uint8_t *p, size_t n, struct weir_frame *frame, uint8_t room[FRAME_ROOM],
          uint64_t *ms)
{
    struct segment segment = { .ttl = 64 };
    size_t length;

    if (n < 6)
        return 0;
    length = p[5] < n - 6 ? p[5] : n - 6;
    *ms += (uint64_t)p[4] * 16;
    switch (p[0] & 3) {
    case 0:
        *frame = udp_frame(p[0] >> 2 & 1, p + 6, (uint32_t)length, *ms, room);
        break;
    case 1:
        *frame = (struct weir_frame){ .data = p + 6,
                                      .caplen = (uint32_t)length,
                                      .wirelen = (uint32_t)length,
                                      .time = START_SECONDS * UINT64_C(1000000000) + *ms * MS,
                                      .link = 101 };
        break;
    default:
        segment.flags = p[1];
        segment.seq = 1000U + p[2];
        segment.ack = 5000U + p[3];
        segment.dir = p[0] >> 2 & 1;
        segment.client_port = (uint16_t)(1000 + (p[0] >> 3));
        segment.data = p + 6;
        segment.n = (uint32_t)length;
        segment.ms = *ms;
        if (p[1] & 0x40)
            segment.ttl = 3;
        *frame = tcp_frame(&segment, room);
    }
    return 6 + length;
}

static void
play(const uint8_t *data, size_t size, struct run *run)
{
    struct detectors_settings settings = { .entries = 64 };
    struct weir_monitor *m;
    struct detectors *all;
    uint8_t room[FRAME_ROOM];
    struct weir_frame frame;
    uint64_t ms = 0;
    size_t n;

    for (unsigned i = 0; i < DETECTORS_MAX; i++)
        for (unsigned k = 0; k < DETECTOR_PARAMS; k++) {
            settings.given[i][k] = k != 1; /* that one is the window */
            settings.value[i][k] = i == 4 && k == 0 ? 2 : 1;
        }
    if (detectors_new(&settings, on_alert, run, NULL, &all, NULL) != WEIR_E_OK)
        abort();
    if (weir_monitor_new(NULL, &m) != WEIR_E_OK || detectors_add(&all, 1, m, NULL) != WEIR_E_OK)
        abort();
    for (; size > 0 && (n = one_frame(data, size, &frame, room, &ms)) > 0; data += n, size -= n) {
        run->packets++;
        if (weir_monitor_feed(m, &frame, 1) != WEIR_E_OK)
            abort();
    }
    weir_monitor_end(m);
    weir_monitor_free(m);
    detectors_free(all);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run one, two;
    uint8_t *copy;

    if (size < 6 || size > MOST)
        return 0;
    copy = malloc(size); /* exact size: ASan sees the byte behind */
    if (copy == NULL)
        return 0;
    memcpy(copy, data, size);
    one = two = (struct run){ .n = 0 };
    play(copy, size, &one);
    play(copy, size, &two);
    assert(one.n == two.n && memcmp(one.alert, two.alert, sizeof(one.alert)) == 0);
    free(copy);
    return 0;
}
