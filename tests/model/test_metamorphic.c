/*
 * Changes to what is on the wire that must not change what is delivered: the same streams come out,
 * though in other pieces. Tried on random conversations, whose bytes have but one version each, and
 * on the project's own captures.
 */
#include "support/frames.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    CONVERSATIONS = 200,
    STEPS = 60,
    SEGMENTS = 4 * STEPS + 16, /* a change makes at most four of one */
    STREAM = 4096,             /* bytes of each side */
    FLOWS = 4096,
    FRAMES = 1 << 16, /* of a capture */
    ISN = 70000,
};

#define A WEIR_TH_ACK

static uint64_t
random_below(uint64_t *state, uint64_t n)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*state >> 33) % n;
}

static unsigned
up_to(uint64_t *seed, unsigned n)
{
    return (unsigned)random_below(seed, n + UINT64_C(1));
}

/* ---- what is delivered --------------------------------------------------------------------- */

/* Of each flow and direction: how many bytes, and the FNV-1a of all of them. */
struct streams {
    size_t flows;
    uint64_t n[FLOWS][2], sum[FLOWS][2];
};

/* How frames are fed. */
struct way {
    unsigned batch;
    uint64_t seed;
    enum weir_policy policy;
};

static const struct way usual = { .batch = 32, .seed = 1, .policy = WEIR_POLICY_LINUX };

static uint64_t
fnv1a(uint64_t sum, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum = (sum ^ p[i]) * UINT64_C(0x100000001b3);
    return sum;
}

/* place: in the flow's own memory, its place in the order in which flows began. */
static weir_fut
add_event(void *place, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct streams *streams = ev->app;
    size_t *flow = place;
    uint64_t *sum;

    if (ev->type == WEIR_EV_FLOW_START) {
        assert_true(streams->flows < FLOWS);
        *flow = streams->flows++;
        return weir_ok(0);
    }
    sum = &streams->sum[*flow][ev->direction];
    *sum = fnv1a(*sum, ev->payload.data.p, ev->payload.data.n);
    streams->n[*flow][ev->direction] += ev->payload.data.n;
    return weir_ok(0);
}

static void
run(const struct weir_frame *frames, size_t n, const struct way *way, struct streams *out)
{
    static const weir_fn stages[] = { add_event };
    static const struct weir_tap_spec spec = { .stage = stages,
                                               .n_stages = 1,
                                               .want = WEIR_EV_BIT(WEIR_EV_FLOW_START) |
                                                       WEIR_EV_BIT(WEIR_EV_PAYLOAD) };
    const struct weir_app app = {
        .name = "streams", .spec = &spec, .flow_size = sizeof(size_t), .arg = out
    };
    const struct weir_monitor_opts opts = { .seed = way->seed, .policy = way->policy };
    struct weir_monitor *m;

    memset(out, 0, sizeof(*out));
    assert_int_equal(weir_monitor_new(&opts, &m), WEIR_E_OK);
    assert_int_equal(weir_monitor_add(m, &app), WEIR_E_OK);
    for (size_t i = 0; i < n; i += way->batch) {
        size_t k = n - i < way->batch ? n - i : way->batch;

        assert_int_equal(weir_monitor_feed(m, frames + i, (unsigned)k), WEIR_E_OK);
    }
    weir_monitor_end(m);
    weir_monitor_free(m);
}

/* ---- conversations ------------------------------------------------------------------------- */

struct talk {
    struct segment segment[SEGMENTS];
    size_t n;
    unsigned sent[2], acked[2]; /* by the peer */
};

static uint8_t text[2][STREAM]; /* what the sides say */

static void
add(struct talk *talk, const struct segment *segment)
{
    assert_true(talk->n < SEGMENTS);
    talk->segment[talk->n++] = *segment;
}

/* Bytes [from, from + n) of a side, which acknowledges all that it has. */
static void
say(struct talk *talk, enum weir_dir dir, uint8_t flags, unsigned from, unsigned n)
{
    const unsigned ack = talk->acked[!dir];

    add(talk, &(struct segment){ .dir = dir,
                                 .flags = flags,
                                 .seq = ISN + from,
                                 .ack = flags & A ? ISN + ack : 0,
                                 .data = text[dir] + from,
                                 .n = n });
}

static void
greet(struct talk *talk)
{
    add(talk, &(struct segment){ .flags = WEIR_TH_SYN, .seq = ISN - 1 });
    add(talk, &(struct segment){
                  .dir = WEIR_TOCLIENT, .flags = WEIR_TH_SYN | A, .seq = ISN - 1, .ack = ISN });
    say(talk, WEIR_TOSERVER, A, 0, 0);
}

/* New bytes, old ones again with or without new ones, or an acknowledgement of all or a part. */
static void
speak(struct talk *talk, uint64_t *seed)
{
    enum weir_dir dir = random_below(seed, 2) == 0 ? WEIR_TOSERVER : WEIR_TOCLIENT;
    unsigned *sent = &talk->sent[dir], which = up_to(seed, 9), back, n = 1 + up_to(seed, 40);

    if (which < 2) {
        talk->acked[!dir] += up_to(seed, talk->sent[!dir] - talk->acked[!dir]);
        say(talk, dir, A, *sent, 0);
    } else if (which < 4) {
        back = up_to(seed, *sent < 60 ? *sent : 60);
        say(talk, dir, A, *sent - back, n);
        *sent += n > back ? n - back : 0;
    } else {
        say(talk, dir, A, *sent, n);
        *sent += n;
    }
}

static void
say_goodbye(struct talk *talk)
{
    talk->acked[WEIR_TOCLIENT] = talk->sent[WEIR_TOCLIENT];
    say(talk, WEIR_TOSERVER, WEIR_TH_FIN | A, talk->sent[WEIR_TOSERVER], 0);
    talk->acked[WEIR_TOSERVER] = talk->sent[WEIR_TOSERVER] + 1;
    say(talk, WEIR_TOCLIENT, WEIR_TH_FIN | A, talk->sent[WEIR_TOCLIENT], 0);
}

static void
converse(struct talk *talk, uint64_t *seed)
{
    talk->n = 0;
    memset(talk->sent, 0, sizeof(talk->sent));
    memset(talk->acked, 0, sizeof(talk->acked));
    greet(talk);
    for (int i = 0; i < STEPS; i++)
        speak(talk, seed);
    say_goodbye(talk);
}

static void
run_talk(const struct talk *talk, const struct way *way, struct streams *out)
{
    static uint8_t room[SEGMENTS][FRAME_ROOM];
    static struct weir_frame frames[SEGMENTS];

    for (size_t i = 0; i < talk->n; i++) {
        struct segment segment = talk->segment[i];

        segment.ms = i;
        frames[i] = tcp_frame(&segment, room[i]);
    }
    run(frames, talk->n, way, out);
}

/* ---- changes to a conversation ------------------------------------------------------------- */

typedef void change_fn(const struct segment *segment, struct talk *to, uint64_t *seed);

static void
split(const struct segment *segment, struct talk *to, uint64_t *seed)
{
    struct segment front = *segment, back = *segment;
    const unsigned at = segment->n > 1 ? 1 + up_to(seed, segment->n - 2) : 0;

    if (at > 0) {
        front.n = at;
        front.flags &= (uint8_t)~WEIR_TH_FIN;
        back.seq += at;
        back.data = (const uint8_t *)segment->data + at;
        back.n -= at;
        add(to, &front);
    }
    add(to, &back);
}

static void
repeat(const struct segment *segment, struct talk *to, uint64_t *seed)
{
    for (unsigned times = 1 + up_to(seed, 2); times > 0; times--)
        add(to, segment);
}

/* Something else, in the same place or not, with a checksum that nobody accepts. */
static void
precede_by_decoy(const struct segment *segment, struct talk *to, uint64_t *seed)
{
    static const uint8_t flags[] = { A, A, A, WEIR_TH_RST, WEIR_TH_FIN | A, WEIR_TH_SYN };
    struct segment decoy = *segment;

    decoy.bad_checksum = true;
    decoy.flags = flags[random_below(seed, sizeof(flags))];
    decoy.seq += up_to(seed, 40);
    decoy.ack += up_to(seed, 20);
    decoy.data = "EVIL EVIL EVIL EVIL EVIL EVIL EVIL EVIL";
    decoy.n = up_to(seed, 30);
    add(to, &decoy);
    add(to, segment);
}

static void
change_each(const struct talk *from, change_fn *change, struct talk *to, uint64_t *seed)
{
    to->n = 0;
    for (size_t i = 0; i < from->n; i++)
        change(&from->segment[i], to, seed);
}

static bool
same_run(const struct segment *a, const struct segment *b)
{
    return a->dir == b->dir && a->ack == b->ack && !((a->flags | b->flags) & WEIR_TH_SYN);
}

/* Segments of a side among which its peer says nothing come in any order. */
static void
reorder(struct talk *talk, uint64_t *seed)
{
    for (size_t first = 0, end; first < talk->n; first = end) {
        for (end = first + 1; end < talk->n; end++)
            if (!same_run(&talk->segment[first], &talk->segment[end]))
                break;
        for (size_t i = end - 1; i > first; i--) {
            size_t k = first + random_below(seed, i - first + 1);
            struct segment keep = talk->segment[i];

            talk->segment[i] = talk->segment[k];
            talk->segment[k] = keep;
        }
    }
}

/* What they say, each in its own voice, with no byte like its neighbour. */
static void
write_text(void)
{
    for (unsigned i = 0; i < STREAM; i++) {
        text[WEIR_TOSERVER][i] = (uint8_t)('a' + i % 26);
        text[WEIR_TOCLIENT][i] = (uint8_t)('A' + i % 25);
    }
}

static void
assert_same(const struct talk *talk, const struct way *way, const struct streams *expected)
{
    static struct streams out;

    run_talk(talk, way, &out);
    assert_memory_equal(&out, expected, sizeof(out));
}

typedef void try_fn(const struct talk *talk, const struct way *way, uint64_t *seed,
                    const struct streams *expected);

/* Each conversation by another policy: none of them matters where all bytes agree. */
static void
for_all_conversations(try_fn *try)
{
    static struct talk talk;
    static struct streams expected;
    struct way way = usual;

    write_text();
    for (uint64_t n = 0; n < CONVERSATIONS; n++) {
        uint64_t seed = n;

        way.policy = n % WEIR_POLICY_COUNT;
        converse(&talk, &seed);
        run_talk(&talk, &usual, &expected);
        for (int dir = 0; dir < 2; dir++)
            assert_true(expected.n[0][dir] == talk.sent[dir] &&
                        expected.sum[0][dir] == fnv1a(0, text[dir], talk.sent[dir]));
        try(&talk, &way, &seed, &expected);
    }
}

static void
try_split(const struct talk *talk, const struct way *way, uint64_t *seed,
          const struct streams *expected)
{
    static struct talk once, twice;

    change_each(talk, split, &once, seed);
    assert_same(&once, way, expected);
    change_each(&once, split, &twice, seed);
    assert_same(&twice, way, expected);
}

static void
try_repeat(const struct talk *talk, const struct way *way, uint64_t *seed,
           const struct streams *expected)
{
    static struct talk changed;

    change_each(talk, repeat, &changed, seed);
    assert_same(&changed, way, expected);
}

static void
try_decoys(const struct talk *talk, const struct way *way, uint64_t *seed,
           const struct streams *expected)
{
    static struct talk changed;

    change_each(talk, precede_by_decoy, &changed, seed);
    assert_same(&changed, way, expected);
}

static void
try_reorder(const struct talk *talk, const struct way *way, uint64_t *seed,
            const struct streams *expected)
{
    static struct talk changed;

    change_each(talk, split, &changed, seed);
    reorder(&changed, seed);
    assert_same(&changed, way, expected);
}

static void
try_batches(const struct talk *talk, const struct way *way, uint64_t *seed,
            const struct streams *expected)
{
    const struct way other = { 1 + up_to(seed, 99), up_to(seed, UINT32_MAX - 1), way->policy };

    assert_same(talk, &other, expected);
}

static void
segments_may_be_split(void **state)
{
    (void)state;
    for_all_conversations(try_split);
}

static void
segments_may_come_again(void **state)
{
    (void)state;
    for_all_conversations(try_repeat);
}

static void
decoys_with_wrong_checksums_change_nothing(void **state)
{
    (void)state;
    for_all_conversations(try_decoys);
}

static void
segments_may_come_in_another_order(void **state)
{
    (void)state;
    for_all_conversations(try_reorder);
}

static void
batches_and_hash_seeds_change_nothing(void **state)
{
    (void)state;
    for_all_conversations(try_batches);
}

/* ---- captures ------------------------------------------------------------------------------ */

struct capture {
    struct weir_port *port;
    struct weir_frame frame[FRAMES];
    size_t n;
    uint8_t *made; /* of decoys */
};

static void
read_capture(const char *path, struct capture *c)
{
    int n;

    assert_int_equal(weir_port_open_file(path, NULL, &c->port, NULL), WEIR_E_OK);
    c->n = 0;
    while ((n = weir_port_read(c->port, c->frame + c->n, 32, NULL)) > 0) {
        c->n += (size_t)n;
        assert_true(c->n + 32 <= FRAMES);
    }
}

/*
 * Where the TCP payload of a frame starts; 0: it has none, or the frame is not plain Ethernet, IPv4
 * and TCP with an ACK but no SYN or RST, of which a second one may mean something else.
 */
static size_t
payload_of(const struct weir_frame *frame)
{
    const uint8_t *p = frame->data;
    size_t tcp, payload, end;

    if (frame->link != 1 || frame->caplen != frame->wirelen || frame->caplen < 54 || p[12] != 8 ||
        p[13] != 0 || p[23] != WEIR_PROTO_TCP || p[20] & 0x3f || p[21] != 0)
        return 0;
    tcp = 14U + (p[14] & 15U) * 4U;
    end = 14U + (size_t)(p[16] << 8 | p[17]);
    if (tcp + 20 > frame->caplen || end > frame->caplen)
        return 0;
    payload = tcp + (p[tcp + 12] >> 4) * 4U;
    if (payload >= end || (p[tcp + 13] & (WEIR_TH_SYN | WEIR_TH_RST | A)) != A)
        return 0;
    return payload;
}

/* Each segment of data twice; or each behind a copy that says something else. */
static void
double_segments(const struct capture *c, bool decoys, struct weir_frame *out, size_t *n)
{
    uint8_t *room = c->made;

    *n = 0;
    for (size_t i = 0; i < c->n; i++) {
        const struct weir_frame *frame = &c->frame[i];
        size_t at = payload_of(frame);

        if (at > 0) {
            out[*n] = *frame;
            if (decoys) {
                memcpy(room, frame->data, frame->caplen);
                room[at] ^= 0x5a;
                out[*n].data = room;
                room += frame->caplen;
            }
            ++*n;
        }
        out[(*n)++] = *frame;
    }
}

static void
assert_says(const struct weir_frame *frames, size_t n, const struct way *way,
            const struct streams *expected, const char *what)
{
    static struct streams out;

    run(frames, n, way, &out);
    if (memcmp(&out, expected, sizeof(out)) != 0)
        fail_msg("%s: batches of %u, seed %d", what, way->batch, (int)way->seed);
}

static void
change_capture(const struct capture *c, const struct streams *expected, const char *name)
{
    static struct weir_frame changed[2 * FRAMES];
    static const struct way ways[] = { { 1, 1, 0 }, { 7, 99, 0 }, { 1000, 12345, 0 } };
    size_t n;

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        assert_says(c->frame, c->n, &ways[i], expected, name);
    for (int decoys = 0; decoys < 2; decoys++) {
        double_segments(c, decoys, changed, &n);
        assert_says(changed, n, &usual, expected, name);
    }
}

static void
captures_say_the_same_however_they_are_fed(void **state)
{
    static struct capture c;
    static struct streams expected;
    glob_t found;

    (void)state;
    assert_int_equal(glob("pcaps/*.pcap", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        size_t bytes = 1;

        read_capture(found.gl_pathv[i], &c);
        for (size_t k = 0; k < c.n; k++)
            bytes += c.frame[k].caplen;
        c.made = malloc(bytes);
        assert_non_null(c.made);
        run(c.frame, c.n, &usual, &expected);
        change_capture(&c, &expected, found.gl_pathv[i]);
        free(c.made);
        weir_port_close(c.port);
    }
    globfree(&found);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_may_be_split),
        cmocka_unit_test(segments_may_come_again),
        cmocka_unit_test(decoys_with_wrong_checksums_change_nothing),
        cmocka_unit_test(segments_may_come_in_another_order),
        cmocka_unit_test(batches_and_hash_seeds_change_nothing),
        cmocka_unit_test(captures_say_the_same_however_they_are_fed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
