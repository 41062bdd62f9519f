/*
 * Reassembly against a map of bytes: random segments of one stream, in any order, repeated, and
 * with conflicting bytes, for every kind of target. The model keeps for each byte of the stream
 * what is there, and the segment that brought it; the policy looks at whole segments as they came.
 */
#include "model/byte_map.h"
#include "support/frames.h"
#include "support/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STEPS = 60, PROGRAMS = 400, ISN = 5000 };

struct model {
    struct byte_map map;
    int acked; /* by the server */
    int turn;
    char text[1 << 16];
    size_t n;
};

struct part {
    int start, end;
    int joined; /* where it starts with what it continues */
    uint8_t data[LENGTH];
};

static void
line(struct model *m, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    m->n += (size_t)vsnprintf(m->text + m->n, sizeof(m->text) - m->n, format, args);
    va_end(args);
    assert_true(m->n < sizeof(m->text));
}

static void
line_bytes(struct model *m, const uint8_t *p, int n)
{
    for (int i = 0; i < n; i++)
        line(m, p[i] >= 0x20 && p[i] < 0x7f ? "%c" : "\\x%02x", p[i]);
}

static void
tell_fake(struct model *m, const struct part *part, int first, int last, int diff, int diff_last)
{
    bool wins = diff >= m->map.next &&
                map_new_wins(&m->map, part->joined, part->end, &m->map.at[diff]);
    uint8_t old[LENGTH];

    for (int p = diff; p <= diff_last; p++)
        old[p] = m->map.at[p].value;
    line(m, "fake_retransmit > offset=%d length=%d diff_offset=%d diff_length=%d kept=%s old_data=",
         first, last + 1 - first, diff, diff_last + 1 - diff, wins ? "new" : "old");
    line_bytes(m, old + diff, diff_last + 1 - diff);
    line(m, " new_data=");
    line_bytes(m, part->data + (diff - part->start), diff_last + 1 - diff);
    line(m, "\n");
}

static void
tell_repetition(struct model *m, const struct part *part)
{
    int first = -1, last = -1, diff = -1, diff_last = -1, seen = 0;
    bool hole = false; /* behind a difference: what differs there is another's */

    for (int p = part->start; p < part->end; p++) {
        if (!m->map.at[p].there) {
            hole = diff >= 0;
            continue;
        }
        seen++;
        first = first < 0 ? p : first;
        last = p;
        if (hole || m->map.at[p].value == part->data[p - part->start])
            continue;
        diff = diff < 0 ? p : diff;
        diff_last = p;
    }
    if (diff >= 0)
        tell_fake(m, part, first, last, diff, diff_last);
    else if (seen > 0)
        line(m, "retransmit > offset=%d length=%d new=%d acked=%d verified=1 syn=0 fin=0\n", first,
             last + 1 - first, part->end - part->start - seen, last + 1 <= m->acked);
}

static void
model_segment(struct model *m, struct part *part)
{
    if (part->end - part->start == 1 && part->start == m->map.next - 1 && !map_waits(&m->map) &&
        m->acked >= m->map.next) {
        line(m, "keepalive >\n");
        return;
    }
    part->joined = map_join(&m->map, part->start, part->end);
    m->turn++;
    tell_repetition(m, part);
    if (part->start > m->map.next)
        line(m, "out_of_order > offset=%d length=%d hole=%d\n", part->start,
             part->end - part->start, part->start - m->map.next);
    for (int p = part->start; p < part->end; p++) {
        struct byte *b = &m->map.at[p];

        if (p >= m->map.next && (!b->there || map_new_wins(&m->map, part->joined, part->end, b)))
            *b = (struct byte){ true,         false,     part->data[p - part->start],
                                part->joined, part->end, m->turn };
    }
    while (m->map.next < LENGTH && m->map.at[m->map.next].there)
        m->map.next++;
}

static void
send_segment(struct record *r, const struct segment *segment)
{
    static uint8_t room[STEPS + 8][FRAME_ROOM]; /* frames are stable: they must live */
    static unsigned turn;

    record_feed(r, tcp_frame(segment, room[turn++ % (STEPS + 8)]));
}

static void
handshake(struct record *r)
{
    send_segment(r, &(struct segment){ .flags = WEIR_TH_SYN, .seq = ISN - 1, .wscale = 15 });
    send_segment(r, &(struct segment){ .dir = WEIR_TOCLIENT,
                                       .flags = WEIR_TH_SYN | WEIR_TH_ACK,
                                       .seq = 99,
                                       .ack = ISN,
                                       .wscale = 15 });
    send_segment(r, &(struct segment){ .flags = WEIR_TH_ACK, .seq = ISN, .ack = 100 });
}

static void
random_part(uint64_t *seed, struct part *part, const struct model *m)
{
    int near = random_below(seed, 3) == 0 ? m->map.next : (int)random_below(seed, LENGTH);
    int back = (int)random_below(seed, 12);

    part->start = near > back ? near - back : 0;
    part->end = part->start + 1 + (int)random_below(seed, 24);
    if (part->end > LENGTH)
        part->end = LENGTH;
    if (part->start >= part->end)
        part->start = part->end - 1;
    for (int p = part->start; p < part->end; p++)
        part->data[p - part->start] = (uint8_t)('a' + p % 26);
    if (random_below(seed, 4) == 0)
        part->data[random_below(seed, (uint64_t)(part->end - part->start))] = '!';
    if (random_below(seed, 8) == 0)
        part->data[random_below(seed, (uint64_t)(part->end - part->start))] = '?';
}

static void
step(uint64_t *seed, struct record *r, struct model *m)
{
    struct part part;

    if (random_below(seed, 4) == 0) {
        m->acked = m->map.next - (int)random_below(seed, (uint64_t)(m->map.next - m->acked) + 1);
        send_segment(r, &(struct segment){ .dir = WEIR_TOCLIENT,
                                           .flags = WEIR_TH_ACK,
                                           .seq = 100,
                                           .ack = ISN + (uint32_t)m->acked });
        return;
    }
    random_part(seed, &part, m);
    model_segment(m, &part);
    send_segment(r, &(struct segment){ .flags = WEIR_TH_ACK,
                                       .seq = ISN + (uint32_t)part.start,
                                       .ack = 100,
                                       .data = part.data,
                                       .n = (uint32_t)(part.end - part.start) });
}

/* What waits at the end lies behind a hole that the server never acknowledged. */
static void
model_end(struct model *m)
{
    int hole_end = m->map.next;

    while (hole_end < LENGTH && !m->map.at[hole_end].there)
        hole_end++;
    if (hole_end < LENGTH)
        line(m, "gap > offset=%d length=%d cause=never_acked\n", m->map.next,
             hole_end - m->map.next);
}

static void
one_program(uint64_t seed, unsigned policy)
{
    static struct record r;
    static struct model m;

    memset(&m, 0, sizeof(m));
    m.map.policy = policy;
    record_start(&r,
                 WEIR_EV_BIT(WEIR_EV_PAYLOAD) | WEIR_EV_BIT(WEIR_EV_RETRANSMIT) |
                     WEIR_EV_BIT(WEIR_EV_FAKE_RETRANSMIT) | WEIR_EV_BIT(WEIR_EV_KEEPALIVE) |
                     WEIR_EV_BIT(WEIR_EV_OUT_OF_ORDER) | WEIR_EV_BIT(WEIR_EV_GAP),
                 &(struct weir_monitor_opts){ .seed = seed, .policy = (enum weir_policy)policy });
    r.gather = true;
    handshake(&r);
    for (int i = 0; i < STEPS; i++)
        step(&seed, &r, &m);
    record_end(&r);
    model_end(&m);
    assert_string_equal(r.text, m.text);
    assert_int_equal(r.n_stream[WEIR_TOSERVER], m.map.next);
    for (int p = 0; p < m.map.next; p++)
        assert_int_equal(r.stream[WEIR_TOSERVER][p], m.map.at[p].value);
    record_free(&r);
}

static void
reassembly_agrees_with_a_map_of_bytes(void **state)
{
    (void)state;
    for (unsigned policy = 0; policy < WEIR_POLICY_COUNT; policy++)
        for (uint64_t seed = 1; seed <= PROGRAMS; seed++)
            one_program(seed, policy);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reassembly_agrees_with_a_map_of_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
