/* Overlap policies in the engine: what waits, what is delivered, what is said of it. */
#include "engine.h"
#include "overlap_vectors.h"
#include "segs.h"
#include "support/frames.h"
#include "support/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CLIENT = 1000, ROOM = 128 };

static struct record record;
static struct weir_flow *flow; /* the latest that started */
static uint8_t room[ROOM][FRAME_ROOM];
static unsigned n_frames;
static bool stable;

static weir_fut
note_flow(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);

    (void)ctx;
    flow = ev->flow;
    return weir_ok(0);
}

static const weir_fn stages[] = { note_flow };
static const struct weir_tap_spec spec = { .stage = stages,
                                           .n_stages = 1,
                                           .want = WEIR_EV_BIT(WEIR_EV_FLOW_START) };

/* A monitor; its stream of payload is gathered, conflicts are written down. */
static void
start(const struct weir_monitor_opts *opts)
{
    record_start(&record, WEIR_EV_BIT(WEIR_EV_PAYLOAD) | WEIR_EV_BIT(WEIR_EV_FAKE_RETRANSMIT),
                 opts);
    record.gather = true;
    assert_int_equal(
        weir_monitor_add(record.m, &(struct weir_app){ .name = "flow", .spec = &spec }), WEIR_E_OK);
    n_frames = 0;
    stable = true;
}

static void
start_policy(enum weir_policy policy)
{
    start(&(struct weir_monitor_opts){ .policy = policy });
}

static void
send_segment(struct segment segment)
{
    struct weir_frame frame;

    assert_true(n_frames < ROOM);
    frame = tcp_frame(&segment, room[n_frames]);
    frame.stable = stable;
    record_feed(&record, frame);
    if (!stable) /* nobody may look there any more */
        memset(room[n_frames], 0xee, FRAME_ROOM);
    n_frames++;
}

/* Data of the client; without any, its part of the handshake. */
static void
client(int off, const char *data)
{
    send_segment((struct segment){ .flags = WEIR_TH_ACK,
                                   .seq = CLIENT + (uint32_t)off,
                                   .ack = 100,
                                   .data = data,
                                   .n = (uint32_t)strlen(data) });
}

static void
server_acks(int ack)
{
    send_segment((struct segment){
        .dir = WEIR_TOCLIENT, .flags = WEIR_TH_ACK, .seq = 100, .ack = CLIENT + (uint32_t)ack });
}

static void
handshake(void)
{
    send_segment((struct segment){ .flags = WEIR_TH_SYN, .seq = CLIENT - 1 });
    send_segment((struct segment){
        .dir = WEIR_TOCLIENT, .flags = WEIR_TH_SYN | WEIR_TH_ACK, .seq = 99, .ack = CLIENT });
    client(0, "");
}

/* What waits of the client's data from offset 1 on; '.' where there is nothing. */
static void
expect_queue(const char *expected)
{
    struct rare *rare = flow_rare(flow);
    struct segs *queue = rare->queue[WEIR_TOSERVER];
    char waits[ROOM];
    uint64_t bytes = 0;
    uint32_t end = 0;

    memset(waits, '.', sizeof(waits));
    for (uint32_t i = 0; i < segs_count(queue); i++) {
        const struct seg *seg = segs_at(queue, i);

        assert_true(seg->len > 0 && seg->off >= end && seg->off + seg->len < ROOM);
        memcpy(waits + seg->off, seg->data, seg->len);
        end = seg->off + seg->len;
        bytes += seg->len;
    }
    assert_int_equal(end, 1 + strlen(expected));
    assert_memory_equal(waits + 1, expected, strlen(expected));
    assert_int_equal(rare->queued[WEIR_TOSERVER], bytes);
}

static void
expect_stream(const char *expected)
{
    assert_int_equal(record.n_stream[WEIR_TOSERVER], strlen(expected));
    assert_memory_equal(record.stream[WEIR_TOSERVER], expected, strlen(expected));
}

/*
 * Where Linux 6.18 differs from the literature, measured: it joins I to the segments that it
 * continues, so the longer QQ at the same place comes too late.
 */
static const char *
what_the_target_has(const struct sequence *sequence, const struct step *step)
{
    static const char *const differ[][2] = {
        { ".AAAJJBCCCLLLMMMFFFGGHHQQ", ".AAAJJBCCCLLLMMMFFFGGHHIQ" },
        { "0AAAJJBCCCLLLMMMFFFGGHHQQ", "0AAAJJBCCCLLLMMMFFFGGHHIQ" },
    };

    for (size_t i = 0; i < sizeof(differ) / sizeof(differ[0]); i++)
        if (sequence->policy == WEIR_POLICY_LINUX && strcmp(step->expect, differ[i][0]) == 0)
            return differ[i][1];
    return step->expect;
}

/* All of it waits behind a hole at offset 0, which is filled at the end. */
static void
run_sequence(const struct sequence *sequence, bool is_stable)
{
    char stream[ROOM] = "^";
    const struct step *step;

    start_policy(sequence->policy);
    stable = is_stable;
    handshake();
    for (step = sequence->steps; step->data != NULL; step++) {
        client(step->off, step->data);
        expect_queue(what_the_target_has(sequence, step));
    }
    client(0, "^");
    strcat(stream, what_the_target_has(sequence, step - 1));
    if (strchr(stream, '.') != NULL)
        *strchr(stream, '.') = '\0';
    expect_stream(stream);
    record_free(&record);
}

static void
the_queue_holds_what_the_target_would(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
        run_sequence(&sequences[i], true);
        run_sequence(&sequences[i], false);
    }
}

/* ---- a live kernel and thirteen policies ----------------------------------------------------- */

/* Segments of the client; ack: the server acknowledges so much then. */
struct sent {
    int off;
    const char *data;
    int ack;
};

#define L     1U << WEIR_POLICY_LINUX
#define FIRST 1U << WEIR_POLICY_FIRST
#define LAST  1U << WEIR_POLICY_LAST
#define OLD   1U << WEIR_POLICY_OLD_LINUX
#define VISTA 1U << WEIR_POLICY_VISTA
#define BSDS                                                                                       \
    1U << WEIR_POLICY_BSD | 1U << WEIR_POLICY_WINDOWS | 1U << WEIR_POLICY_WINDOWS2K3 |             \
        1U << WEIR_POLICY_MACOS | 1U << WEIR_POLICY_IRIX | 1U << WEIR_POLICY_HPUX10
#define SUNS (1U << WEIR_POLICY_SOLARIS | 1U << WEIR_POLICY_HPUX11)
#define ALL  ((1U << WEIR_POLICY_COUNT) - 1)

#define H "GET /"
#define A "EVILATTACK"
#define X "xxxxxxxxxx"
#define T " HTTP/1.0\r\n\r\n"

/* Under which policies the attack reaches the target's application. */
static const struct {
    const char *name;
    struct sent sent[4];
    unsigned survives;
} cases[] = {
    { "sent again, different, after the ACK", { { 0, H A T, 28 }, { 0, H X T, 28 } }, ALL },
    { "the attack again after the ACK", { { 0, H X T, 28 }, { 0, H A T, 28 } }, 0 },
    { "same range, attack first",
      { { 5, A, 0 }, { 5, X, 0 }, { 0, H, 15 }, { 15, T, 28 } },
      FIRST | VISTA | L | BSDS },
    { "same range, attack last",
      { { 5, X, 0 }, { 5, A, 0 }, { 0, H, 15 }, { 15, T, 28 } },
      LAST | OLD | SUNS },
    { "covered on both sides",
      { { 8, "xxx", 0 }, { 5, A T, 0 }, { 0, H, 28 } },
      LAST | L | OLD | BSDS | SUNS },
    { "same start, longer",
      { { 5, "xxx", 0 }, { 5, A T, 0 }, { 0, H, 28 } },
      LAST | L | OLD | SUNS },
    { "starts before, same end",
      { { 10, "xxxxx", 0 }, { 5, A, 0 }, { 0, H, 15 }, { 15, T, 28 } },
      LAST | L | OLD | BSDS | SUNS },
    { "inside the attack", { { 5, A T, 0 }, { 8, "xxx", 0 }, { 0, H, 28 } }, ALL & ~(LAST) },
    { "inside, makes it the attack",
      { { 5, "EVIxxxTACK" T, 0 }, { 8, "LAT", 0 }, { 0, H, 28 } },
      LAST },
    { "over the end of another",
      { { 5, "EVILxxx", 0 }, { 9, "ATTACK", 0 }, { 0, H, 15 }, { 15, T, 28 } },
      LAST | SUNS },
    { "over the beginning of another",
      { { 9, "xxxACK", 0 }, { 5, "EVILATT", 0 }, { 0, H, 15 }, { 15, T, 28 } },
      LAST | L | OLD | BSDS },
    { "in order over what waits", { { 10, "xxxxx" T, 0 }, { 0, H A, 28 } }, LAST | L | OLD | BSDS },
    { "begins with what was delivered", { { 0, H "EVIL", 9 }, { 5, "xxxxATTACK" T, 28 } }, ALL },
};

static void
run_case(size_t i, unsigned policy)
{
    static const char attack[] = H A T;
    bool survived;

    start_policy((enum weir_policy)policy);
    handshake();
    for (size_t k = 0; k < 4 && cases[i].sent[k].data != NULL; k++) {
        client(cases[i].sent[k].off, cases[i].sent[k].data);
        server_acks(cases[i].sent[k].ack);
    }
    assert_int_equal(record.n_stream[WEIR_TOSERVER], sizeof(attack) - 1);
    survived = memcmp(record.stream[WEIR_TOSERVER], attack, sizeof(attack) - 1) == 0;
    if (survived != (cases[i].survives >> policy & 1))
        fail_msg("%s, %s: the attack %s", cases[i].name, weir_policy_name(policy),
                 survived ? "survives" : "is lost");
    assert_non_null(strstr(record.text, "fake_retransmit"));
    record_free(&record);
}

/* Measured: a live kernel for Linux, a well-known implementation of the others. */
static void
an_attack_survives_under_the_policies_that_keep_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (unsigned policy = 0; policy < WEIR_POLICY_COUNT; policy++)
            run_case(i, policy);
}

/* ---- more than one target -------------------------------------------------------------------- */

/* The same range twice, in both directions; the hole before is filled last. */
static void
both_send_twice(void)
{
    static const char *const data[] = { "old", "new", "^" };

    for (unsigned i = 0; i < 3; i++)
        for (int dir = 0; dir < 2; dir++)
            send_segment((struct segment){ .dir = (enum weir_dir)dir,
                                           .flags = WEIR_TH_ACK,
                                           .seq = (dir == 0 ? CLIENT : 100) + (i < 2),
                                           .ack = dir == 0 ? 100 : CLIENT,
                                           .data = data[i],
                                           .n = (uint32_t)strlen(data[i]) });
}

/* The client is 10.0.0.1, the server 10.0.0.2. */
static void
the_receiver_of_each_direction_decides(void **state)
{
    struct weir_host_policy hosts[] = {
        { .addr = { { 10 } }, .ip_version = 4, .prefix = 8, .policy = WEIR_POLICY_FIRST },
        { .addr = { { 10, 0, 0, 2 } }, .ip_version = 4, .prefix = 32, .policy = WEIR_POLICY_LAST },
    };

    (void)state;
    start(&(struct weir_monitor_opts){ .hosts = hosts, .n_hosts = 2 });
    memset(hosts, 0xff, sizeof(hosts)); /* were copied */
    handshake();
    both_send_twice();
    expect_stream("^new");
    assert_int_equal(record.n_stream[WEIR_TOCLIENT], 4);
    assert_memory_equal(record.stream[WEIR_TOCLIENT], "^old", 4);
    assert_string_equal(record.text,
                        "fake_retransmit > offset=1 length=3 diff_offset=1 diff_length=3 kept=new "
                        "old_data=old new_data=new\n"
                        "fake_retransmit < offset=1 length=3 diff_offset=1 diff_length=3 kept=old "
                        "old_data=old new_data=new\n");
    record_free(&record);
}

/* It began with the server's answer: the client is the receiver of that packet. */
static void
a_flow_that_was_joined_late_knows_its_receivers_too(void **state)
{
    const struct weir_host_policy host = {
        .addr = { { 10, 0, 0, 1 } }, .ip_version = 4, .prefix = 32, .policy = WEIR_POLICY_LAST
    };

    (void)state;
    start(&(struct weir_monitor_opts){ .hosts = &host, .n_hosts = 1 });
    send_segment((struct segment){
        .dir = WEIR_TOCLIENT, .flags = WEIR_TH_SYN | WEIR_TH_ACK, .seq = 99, .ack = CLIENT });
    both_send_twice();
    expect_stream("^old");
    assert_memory_equal(record.stream[WEIR_TOCLIENT], "^new", 4);
    record_free(&record);
}

/* The ACK passed the hole before the segment; of its two parts, the hole before the first only. */
static void
a_part_behind_new_bytes_has_no_hole_that_was_acknowledged(void **state)
{
    const struct queued *q;

    (void)state;
    start_policy(WEIR_POLICY_LAST);
    handshake();
    client(10, "abcdefgh");
    server_acks(12);
    assert_int_not_equal(queued_at(flow_rare(flow)->queue[WEIR_TOSERVER], 0)->acked_at, 0);
    client(13, "X");
    expect_queue(".........abcXefgh");
    q = queued_at(flow_rare(flow)->queue[WEIR_TOSERVER], 2);
    assert_int_equal(q->seg.off, 14);
    assert_int_equal(q->acked_at, 0);
    server_acks(18);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_not_equal(queued_at(flow_rare(flow)->queue[WEIR_TOSERVER], i)->acked_at, 0);
    record_free(&record);
}

static uint64_t
memory(void)
{
    struct weir_monitor_stats stats;

    weir_monitor_get_stats(record.m, &stats);
    return stats.memory;
}

/* Bytes that may not stay, until the shard's memory ends: the last ones leave but a digest. */
static int
fill_memory(void)
{
    static const char zeros[1100];
    int off[2] = { 0, 0 };
    uint64_t before;

    for (uint32_t n = sizeof(zeros); n > 5; n /= 2)
        do {
            before = memory();
            n_frames = 0;
            for (int dir = 0; dir < 2; dir++) { /* both, or a full ring would make room */
                send_segment(
                    (struct segment){ .dir = (enum weir_dir)dir,
                                      .flags = WEIR_TH_ACK,
                                      .seq = (dir == 0 ? CLIENT : 100) + (uint32_t)off[dir],
                                      .ack = dir == 0 ? 100 : CLIENT,
                                      .data = zeros,
                                      .n = n });
                off[dir] += (int)n;
            }
        } while (memory() > before);
    return off[WEIR_TOSERVER];
}

static void
of_a_digest_no_old_bytes_are_told(void **state)
{
    char expected[200];
    int off;

    (void)state;
    start(&(struct weir_monitor_opts){ .memcap = UINT64_C(256) << 20 });
    record.spec.want = WEIR_EV_BIT(WEIR_EV_FAKE_RETRANSMIT);
    stable = false;
    for (int dir = 0; dir < 2; dir++)
        send_segment((struct segment){ .dir = (enum weir_dir)dir,
                                       .flags = dir == 0 ? WEIR_TH_SYN : WEIR_TH_SYN | WEIR_TH_ACK,
                                       .seq = dir == 0 ? CLIENT - 1 : 99,
                                       .ack = dir == 0 ? 0 : CLIENT,
                                       .wscale = 15 });
    client(0, "");
    server_acks(0);
    off = fill_memory();
    client(off, "abc");
    client(off + 3, "xyz");
    client(off, "abc");
    client(off, "abdxyz");
    snprintf(expected, sizeof(expected),
             "fake_retransmit > offset=%d length=6 diff_offset=%d diff_length=3 kept=old "
             "old_data= new_data=abd\n",
             off, off);
    assert_string_equal(record.text, expected);
    record_free(&record);
}

static void
a_policy_that_there_is_not_is_refused(void **state)
{
    const struct weir_monitor_opts opts = { .policy = WEIR_POLICY_COUNT };
    struct weir_monitor *m;

    (void)state;
    assert_int_equal(weir_monitor_new(&opts, &m), WEIR_E_INVAL);
    assert_null(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_queue_holds_what_the_target_would),
        cmocka_unit_test(an_attack_survives_under_the_policies_that_keep_it),
        cmocka_unit_test(the_receiver_of_each_direction_decides),
        cmocka_unit_test(a_flow_that_was_joined_late_knows_its_receivers_too),
        cmocka_unit_test(a_part_behind_new_bytes_has_no_hole_that_was_acknowledged),
        cmocka_unit_test(of_a_digest_no_old_bytes_are_told),
        cmocka_unit_test(a_policy_that_there_is_not_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
