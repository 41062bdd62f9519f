/*
 * Random packets in several queues, which cores read at the same time: every packet is followed
 * once, its number says where it came in, those of a queue stay in order, and what apps see is what
 * one core sees that has the packets one after the other in the order of these numbers.
 */
#include "core/order.h"
#include "engine.h"
#include "port/port.h"
#include "support/draw.h"
#include "syns.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    QUEUES = 5,
    A_QUEUE = 1500,
    BURST = 40,
    AHEAD = 100, /* of the slowest queue, in packets: however cores are scheduled, queues mix */
    TEXT = 32 << 20
};

/* ---- packets ------------------------------------------------------------------------------- */

struct packet {
    struct weir_frame frame;
    uint8_t room[FRAME_ROOM];
};

struct queue {
    struct packet packet[A_QUEUE];
    _Atomic unsigned next; /* to be read */
    uint64_t seed;         /* of how many at a time */
    uint8_t handed_out[BURST][FRAME_ROOM];
};

/* 10.0.0.9 tells 10.0.0.1 that its segment from that port did not reach 10.0.0.2:80. */
static struct weir_frame
draw_error(uint64_t *seed, uint64_t ms, uint8_t *room)
{
    struct segment s = { .ms = ms,
                         .client_port = (uint16_t)(2000 + random_below(seed, DRAWN_PORTS)) };
    struct ip_fragment f = { .ms = ms, .proto = WEIR_PROTO_ICMP };
    uint8_t inner[FRAME_ROOM], icmp[36] = { 3, 1 };
    uint32_t sum = 0;

    (void)tcp_frame(&s, inner);
    memcpy(icmp + 8, inner + 14, 28);
    for (unsigned i = 0; i < sizeof(icmp); i += 2)
        sum += (uint32_t)(icmp[i] << 8 | icmp[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16));
    icmp[2] = (uint8_t)(sum >> 8);
    icmp[3] = (uint8_t)sum;
    f.data = icmp;
    f.n = sizeof(icmp);
    return fragment_frame(&f, room);
}

/* Each packet has a time of its own, which tells where it is. */
static uint64_t
key_of(unsigned queue, unsigned i)
{
    return i * QUEUES + queue;
}

static void
draw_queue(struct queue *q, unsigned number, uint64_t seed)
{
    uint64_t ms = 0;

    q->next = 0;
    q->seed = seed ^ number;
    for (unsigned i = 0; i < A_QUEUE; i++) {
        struct packet *p = &q->packet[i];
        const uint64_t kind = random_below(&q->seed, 40);

        /* Clocks jump by less than a queue may be ahead, and a little back. */
        ms += i % 100 == 99 ? 20000 : random_below(&q->seed, 30);
        if (kind == 0)
            p->frame = draw_fragment(&q->seed, ms, p->room);
        else if (kind == 1)
            p->frame = draw_error(&q->seed, ms, p->room);
        else if (kind < 5)
            p->frame = udp_frame(random_below(&q->seed, 2) ? WEIR_TOCLIENT : WEIR_TOSERVER,
                                 "question", 8, ms, p->room);
        else
            p->frame = draw_segment(&q->seed, ms, p->room);
        p->frame.time = p->frame.time / MS * MS - random_below(&q->seed, 3) * MS +
                        key_of(number, i);
    }
}

/* ---- the app ------------------------------------------------------------------------------- */

struct said {
    struct weir_monitor *m;
    char *text;
    size_t n;
};

static void
append(void *ctx, const void *p, size_t n)
{
    struct said *said = ctx;

    assert_true(said->n + n < TEXT);
    memcpy(said->text + said->n, p, n);
    said->n += n;
}

static weir_fut
look(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct said *said = ev->app;
    struct order_end *end = order_here(monitor_order(said->m));
    uint32_t *events = ctx;
    char line[160];

    snprintf(
        line, sizeof(line), "%llu %llu %s %u of %llu, %llu SYNs\n", (unsigned long long)ev->time,
        (unsigned long long)ev->number, weir_event_name(ev->type), ++*events,
        (unsigned long long)(ev->flow != NULL ? weir_flow_id(ev->flow) : 0),
        (unsigned long long)(ev->flow != NULL && ev->type == WEIR_EV_PACKET ? monitor_syns(ev->flow)
                                                                            : 0));
    if (end != NULL)
        order_post(end, append, said, (struct piece_of_post){ line, strlen(line) },
                   (struct piece_of_post){ NULL, 0 });
    else
        append(said, line, strlen(line));
    return weir_stop();
}

static const weir_fn stages[] = { look };

static const struct weir_tap_spec spec = { .stage = stages, .n_stages = 1, .want = WEIR_EV_ALL };

static void
begin(struct said *said, unsigned cores, const struct cores_sizes *sizes)
{
    const struct weir_monitor_opts opts = {
        .cores = cores, .memcap = 256 << 20, .live = true, .seed = 7
    };
    const struct weir_app app = { .name = "model",
                                  .spec = &spec,
                                  .flow_size = sizeof(uint32_t),
                                  .arg = said,
                                  .no_flow_packets = true };

    said->n = 0;
    assert_int_equal(monitor_new_sized(&opts, sizes, &said->m), WEIR_E_OK);
    assert_int_equal(weir_monitor_add(said->m, &app), WEIR_E_OK);
}

/* Returns how many packets there were. */
static uint64_t
end(struct said *said)
{
    struct weir_monitor_stats stats;

    weir_monitor_end(said->m);
    weir_monitor_get_stats(said->m, &stats);
    weir_monitor_free(said->m);
    said->text[said->n] = '\0';
    return stats.packets;
}

/* ---- queues -------------------------------------------------------------------------------- */

struct source {
    struct weir_port port;
    struct said *said;
    unsigned queues;
    struct queue *queue;
    _Atomic unsigned left;       /* packets, in all */
    _Atomic unsigned at[QUEUES]; /* who is at it */
    uint64_t settled;
    unsigned pulls; /* of the first queue, that brought packets */
    unsigned settles;
};

static int
read_burst(struct source *s, unsigned number, struct weir_frame *frames)
{
    struct queue *q = &s->queue[number];
    int n = (int)random_below(&q->seed, BURST);

    for (unsigned i = 0; i < BURST; i++) /* what was handed out before is gone */
        memset(q->handed_out[i], 0xee, 64);
    n = q->next + (unsigned)n < A_QUEUE ? n : (int)(A_QUEUE - q->next);
    for (int i = 0; i < n; i++) {
        frames[i] = q->packet[q->next + (unsigned)i].frame;
        frames[i].stable = false;
        frames[i].data = memcpy(q->handed_out[i], frames[i].data, frames[i].caplen);
    }
    q->next += (unsigned)n;
    s->left -= (unsigned)n;
    return n;
}

static bool
pull(void *ctx)
{
    struct source *s = ctx;
    struct weir_frame frames[BURST];

    for (unsigned i = 0; i < s->queues; i++) {
        const int n = read_burst(s, i, frames);

        assert_int_equal(monitor_read(s->said->m, frames, (unsigned)n), WEIR_E_OK);
        if (n > 0)
            break;
    }
    return s->left > 0;
}

static bool
far_ahead(const struct source *s, unsigned queue)
{
    for (unsigned i = 0; i < s->queues; i++)
        if (s->queue[i].next + AHEAD < s->queue[queue].next)
            return true;
    return false;
}

/* Now and then all stand still: nothing is counted meanwhile. */
static void
stand_still(struct source *s)
{
    struct weir_monitor_stats stats[2];

    monitor_settle(s->said->m);
    weir_monitor_get_stats(s->said->m, &stats[0]);
    for (unsigned i = 0; i < 20; i++)
        sched_yield();
    weir_monitor_get_stats(s->said->m, &stats[1]);
    assert_memory_equal(&stats[0], &stats[1], sizeof(stats[0]));
    assert_true(stats[0].packets >= s->settled);
    s->settled = stats[0].packets;
    s->settles++;
}

static int
pull_queue(void *ctx, unsigned queue)
{
    struct source *s = ctx;
    struct weir_frame frames[BURST];
    const bool last = queue == 0 && s->left == 0;
    int n, all = 0;

    assert_int_equal(s->at[queue]++, 0);
    do {
        n = far_ahead(s, queue) ? 0 : read_burst(s, queue, frames);
        monitor_read_queue(s->said->m, queue, frames, (unsigned)n);
        all += n;
    } while (n > BURST / 2);
    monitor_commit(s->said->m, queue);
    if (queue == 0 && all > 0 && s->pulls++ % 8 == 0)
        stand_still(s);
    s->at[queue]--;
    return last ? -1 : all;
}

static void
get_stats(const struct weir_port *port, struct weir_port_stats *out)
{
    (void)port, (void)out;
}

static void
run_queues(struct said *said, struct queue *queues, unsigned n, unsigned cores,
           const struct cores_sizes *sizes)
{
    static const struct port_ops ops = { .get_stats = get_stats };
    struct source s = { .port = { .ops = &ops, .queues = n },
                        .said = said,
                        .queues = n,
                        .queue = queues,
                        .left = n * A_QUEUE };
    const struct monitor_input input = {
        .port = &s.port, .pull = pull, .pull_queue = pull_queue, .ctx = &s
    };

    begin(said, cores, sizes);
    monitor_pull(said->m, &input);
    assert_int_equal(s.left, 0);
    assert_true(s.settles > 0);
    assert_int_equal(end(said), n * A_QUEUE);
}

/* ---- the order they found ------------------------------------------------------------------- */

/*
 * Where each packet came in, as its events say: one that no flow takes may have a wrong checksum.
 */
static void
find_numbers(const struct said *said, uint64_t *number_of)
{
    for (const char *at = said->text; *at != '\0'; at = strchr(at, '\n') + 1) {
        unsigned long long time, number;
        char name[32];

        assert_int_equal(sscanf(at, "%llu %llu %31s", &time, &number, name), 3);
        if (strcmp(name, "packet") == 0 || strcmp(name, "bad_checksum") == 0) {
            const uint64_t key = time % MS;

            assert_true(key < QUEUES * A_QUEUE);
            assert_true(number_of[key] == 0 || number_of[key] == number);
            number_of[key] = number;
        }
    }
}

/* One core has the packets in that order. */
static void
run_one(struct said *said, const struct queue *queues, unsigned n, const uint64_t *number_of)
{
    const unsigned all = n * A_QUEUE;
    struct weir_frame *sorted = calloc(all, sizeof(*sorted));

    assert_non_null(sorted);
    for (unsigned q = 0; q < n; q++)
        for (unsigned i = 0; i < A_QUEUE; i++) {
            const uint64_t number = number_of[key_of(q, i)];

            assert_in_range(number, 1, all); /* dense: each has one, and no two the same */
            assert_null(sorted[number - 1].data);
            assert_true(i == 0 || number_of[key_of(q, i - 1)] < number);
            sorted[number - 1] = queues[q].packet[i].frame;
        }
    begin(said, 1, NULL);
    assert_int_equal(weir_monitor_feed(said->m, sorted, all), WEIR_E_OK);
    assert_int_equal(end(said), all);
    free(sorted);
}

/* How often the next packet is another queue's. */
static unsigned
changes(const struct said *said)
{
    unsigned n = 0, was = 0;

    for (const char *at = said->text; *at != '\0'; at = strchr(at, '\n') + 1) {
        const unsigned now = (unsigned)(strtoull(at, NULL, 10) % MS % QUEUES);

        n += now != was;
        was = now;
    }
    return n;
}

/* Up to where they differ they are too long to be shown. */
static void
assert_same(const char *many, const char *one)
{
    size_t line = 0;

    for (size_t i = 0; many[i] == one[i]; i++) {
        if (many[i] == '\0')
            return;
        line = many[i] == '\n' ? i + 1 : line;
    }
    fail_msg("several cores: %.200s\none: %.200s", many + line, one + line);
}

static void
queues_make_one_order(void **state)
{
    static const struct cores_sizes sizes[] = { { 1, 1, 4096 },
                                                { 7, 2, 4096 },
                                                { 256, 16, 1 << 20 } };
    struct queue *queues = calloc(QUEUES, sizeof(*queues));
    struct said one = { .text = malloc(TEXT) }, many = { .text = malloc(TEXT) };
    uint64_t *number_of = malloc(QUEUES * A_QUEUE * sizeof(*number_of));

    (void)state;
    assert_true(queues != NULL && one.text != NULL && many.text != NULL && number_of != NULL);
    for (uint64_t seed = 1; seed <= 12; seed++) {
        const unsigned n = 2 + (unsigned)seed % (QUEUES - 1), cores = n + (unsigned)seed % 3;

        for (unsigned q = 0; q < n; q++)
            draw_queue(&queues[q], q, seed * 1000);
        memset(number_of, 0, QUEUES * A_QUEUE * sizeof(*number_of));
        run_queues(&many, queues, n, cores, &sizes[seed % 3]);
        assert_non_null(strstr(many.text, "frag_timeout"));
        assert_non_null(strstr(many.text, "icmp_error"));
        assert_true(changes(&many) > n * A_QUEUE / (2 * (AHEAD + BURST)) / 2);
        find_numbers(&many, number_of);
        run_one(&one, queues, n, number_of);
        assert_same(many.text, one.text);
    }
    free(queues);
    free(number_of);
    free(one.text);
    free(many.text);
}

/* ---- weir_monitor_run() ---------------------------------------------------------------------- */

static int
port_read_queue(struct weir_port *port, unsigned queue, struct weir_frame *frames, unsigned max,
                struct weir_errbuf *err)
{
    struct source *s = (struct source *)port;

    assert_true(max >= BURST);
    if (s->left == 0)
        return weir_err_set(err, WEIR_E_NOENT, "no packet is left");
    return read_burst(s, queue, frames);
}

static int
port_read(struct weir_port *port, struct weir_frame *frames, unsigned max, struct weir_errbuf *err)
{
    struct source *s = (struct source *)port;
    int n = 0;

    for (unsigned i = 0; i < s->queues && n == 0; i++)
        n = port_read_queue(port, i, frames, max, err);
    return n;
}

/* As many queues as cores, fewer, more, and one core. */
static void
a_run_reads_all_queues_of_a_port(void **state)
{
    static const struct port_ops ops = { .read = port_read,
                                         .read_queue = port_read_queue,
                                         .get_stats = get_stats };
    static const unsigned cores[] = { 3, 4, 2, 1 };
    struct queue *queues = calloc(QUEUES, sizeof(*queues));
    struct said said = { .text = malloc(TEXT) };

    (void)state;
    assert_true(queues != NULL && said.text != NULL);
    for (unsigned i = 0; i < 4; i++) {
        struct source s = { .port = { .ops = &ops, .queues = 3 },
                            .said = &said,
                            .queues = 3,
                            .queue = queues,
                            .left = 3 * A_QUEUE };
        struct weir_errbuf err = { "" };

        for (unsigned q = 0; q < 3; q++)
            draw_queue(&queues[q], q, i);
        begin(&said, cores[i], NULL);
        assert_int_equal(weir_monitor_run(said.m, &s.port, &err), WEIR_E_NOENT);
        assert_string_equal(err.text, "no packet is left");
        assert_int_equal(end(&said), 3 * A_QUEUE);
    }
    free(queues);
    free(said.text);
}

/* For ever the same burst, with no time between. */
static int
endless_read_queue(struct weir_port *port, unsigned queue, struct weir_frame *frames, unsigned max,
                   struct weir_errbuf *err)
{
    struct source *s = (struct source *)port;

    s->queue[queue].next = 0;
    s->left = s->queues * A_QUEUE;
    return port_read_queue(port, queue, frames, max, err);
}

static weir_fut
stop_soon(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct said *said = ev->app;

    (void)ctx;
    if (ev->number > 20000)
        weir_monitor_stop(said->m);
    return weir_stop();
}

static void
any_core_can_stop_a_run(void **state)
{
    static const weir_fn stop_stages[] = { stop_soon };
    static const struct weir_tap_spec stopping = { .stage = stop_stages,
                                                   .n_stages = 1,
                                                   .want = WEIR_EV_BIT(WEIR_EV_PACKET) };
    static const struct port_ops ops = { .read = port_read,
                                         .read_queue = endless_read_queue,
                                         .get_stats = get_stats };
    struct queue *queues = calloc(QUEUES, sizeof(*queues));
    struct said said = { .text = NULL };
    const struct weir_monitor_opts opts = { .cores = 3, .memcap = 256 << 20, .live = true };
    const struct weir_app app = { .name = "stop", .spec = &stopping, .flow_size = 8, .arg = &said };
    struct source s = {
        .port = { .ops = &ops, .queues = 3 }, .queues = 3, .queue = queues, .left = 3 * A_QUEUE
    };
    struct weir_monitor_stats stats;

    (void)state;
    assert_non_null(queues);
    for (unsigned q = 0; q < 3; q++)
        draw_queue(&queues[q], q, 1);
    assert_int_equal(weir_monitor_new(&opts, &said.m), WEIR_E_OK);
    assert_int_equal(weir_monitor_add(said.m, &app), WEIR_E_OK);
    assert_int_equal(weir_monitor_run(said.m, &s.port, NULL), WEIR_E_OK);
    weir_monitor_end(said.m);
    weir_monitor_get_stats(said.m, &stats);
    assert_true(stats.packets > 20000);
    weir_monitor_free(said.m);
    free(queues);
}

/* ---- the end --------------------------------------------------------------------------------- */

struct ending {
    struct source s;
    unsigned ender;     /* the queue whose core ends the run */
    unsigned reads;     /* of the other one */
    _Atomic bool rests; /* that has nothing left to take */
    _Atomic bool ended;
};

static bool
pull_first(void *ctx)
{
    struct ending *e = ctx;
    struct weir_frame frames[BURST];
    const int n = read_burst(&e->s, 0, frames);

    assert_int_equal(monitor_read(e->s.said->m, frames, (unsigned)n), WEIR_E_OK);
    return true;
}

static void
wait_for(const _Atomic bool *flag)
{
    while (!*flag)
        sched_yield();
}

/* While one core reads, for nothing, the other commits the last packets, and ends the run. */
static int
pull_to_the_end(void *ctx, unsigned queue)
{
    static const struct timespec while_it_ends = { .tv_nsec = 20000000 };
    struct ending *e = ctx;
    struct weir_frame frames[BURST];
    int n;

    if (queue != e->ender) {
        if (++e->reads < 3)
            return 0;
        e->rests = true;
        wait_for(&e->ended);
        (void)nanosleep(&while_it_ends, NULL);
        return 0;
    }
    wait_for(&e->rests);
    do {
        n = read_burst(&e->s, queue, frames);
    } while (n == 0);
    monitor_read_queue(e->s.said->m, queue, frames, (unsigned)n);
    monitor_commit(e->s.said->m, queue);
    e->ended = true;
    return -1;
}

/* Nobody waits for what came to pass while it read. */
static void
a_run_ends_while_another_core_reads(void **state)
{
    static const struct port_ops ops = { .get_stats = get_stats };
    struct queue *queues = calloc(QUEUES, sizeof(*queues));
    struct said said = { .text = malloc(TEXT) };

    (void)state;
    assert_true(queues != NULL && said.text != NULL);
    for (unsigned ender = 0; ender < 2; ender++) {
        struct ending e = { .s = { .port = { .ops = &ops, .queues = 2 },
                                   .said = &said,
                                   .queues = 2,
                                   .queue = queues,
                                   .left = 2 * A_QUEUE },
                            .ender = ender };
        const struct monitor_input input = {
            .port = &e.s.port, .pull = pull_first, .pull_queue = pull_to_the_end, .ctx = &e
        };

        for (unsigned q = 0; q < 2; q++)
            draw_queue(&queues[q], q, ender);
        begin(&said, 2, NULL);
        alarm(60);
        monitor_pull(said.m, &input);
        alarm(0);
        assert_int_equal(end(&said), 2 * A_QUEUE - e.s.left);
    }
    free(queues);
    free(said.text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(queues_make_one_order),
                                        cmocka_unit_test(a_run_reads_all_queues_of_a_port),
                                        cmocka_unit_test(any_core_can_stop_a_run),
                                        cmocka_unit_test(a_run_ends_while_another_core_reads) };

    return cmocka_run_group_tests_name("queues", tests, NULL, NULL);
}
