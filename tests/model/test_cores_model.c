/*
 * Random packets followed by one core, and by several with little room between them: what apps say,
 * read and leave is the same, to the byte. Apps post lines, count together, and sleep on timers.
 */
#include "core/order.h"
#include "engine.h"
#include "support/draw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>
#include <weir/core.h>
#include <weir/log.h>
#include <weir/shared.h>

enum { PACKETS = 3000, TEXT = 16 << 20 };

/* ---- packets ------------------------------------------------------------------------------- */

struct script {
    struct weir_frame frame[PACKETS];
    uint8_t room[PACKETS][FRAME_ROOM];
};

static void
draw_script(struct script *script, uint64_t seed)
{
    uint64_t ms = 0;

    for (unsigned i = 0; i < PACKETS; i++) {
        uint8_t *room = script->room[i];
        const uint64_t kind = random_below(&seed, 10);

        ms += random_below(&seed, 100) == 0 ? 40000 : random_below(&seed, 30);
        if (kind == 0)
            script->frame[i] = draw_fragment(&seed, ms, room);
        else if (kind == 1)
            script->frame[i] = udp_frame(random_below(&seed, 2) ? WEIR_TOCLIENT : WEIR_TOSERVER,
                                         "question", 8, ms, room);
        else
            script->frame[i] = draw_segment(&seed, ms, room);
        script->frame[i].stable = random_below(&seed, 2); /* in the end they all are */
    }
}

/* ---- the app ------------------------------------------------------------------------------- */

struct said {
    unsigned cores;
    struct weir_monitor *m;
    struct weir_shared *counts;
    struct weir_log *log;
    char path[32]; /* its file */
    char *text;
    size_t n, logged;
};

/* In a flow. */
struct state {
    struct said *said;
    uint64_t number, events;
};

static void
append(void *ctx, const void *p, size_t n)
{
    struct said *said = ctx;

    assert_true(said->n + n < TEXT);
    memcpy(said->text + said->n, p, n);
    said->n += n;
}

static void
say(struct said *said, const char *line)
{
    struct order_end *end = order_here(monitor_order(said->m));
    const struct piece_of_post text = { line, strlen(line) }, nothing = { NULL, 0 };

    if (end != NULL)
        order_post(end, append, said, text, nothing);
    else
        append(said, text.p, text.n);
}

/* Another core may have asked before, and its answer decides on this one's. */
static int64_t
count(struct said *said, const struct weir_event *ev)
{
    const uint8_t key = (uint8_t)(ev->time / 1000000 % 7);
    weir_fut f = weir_shared_add(said->counts, &key, 1, 1, 3 * UINT64_C(1000000000));

    return weir_shared_value(f);
}

/* It says which core has the flow, and does not depend on how many there are. */
static unsigned
shard_of(const struct said *said, const struct weir_event *ev)
{
    const unsigned shard = ev->flow != NULL ? weir_flow_shard(ev->flow) : 0;

    assert_in_range(shard, 0, 255);
    if (ev->flow != NULL)
        assert_int_equal(shard % said->cores, weir_core_id(weir_core_current()));
    return shard;
}

/* By one of a log's calls; what some return is awaited. */
static weir_fut
log_line(struct said *said, const struct weir_event *ev, const char *line)
{
    const size_t n = strlen(line);
    void *room;

    switch (ev->number % 8) {
    case 0:
        return weir_log_write(said->log, line, n);
    case 1:
        room = weir_log_reserve(said->log, n + 100);
        assert_non_null(room);
        memcpy(room, line, n);
        weir_log_commit(said->log, n);
        return weir_stop();
    case 2:
        if (ev->type == WEIR_EV_FLOW_END)
            return weir_log_flush(said->log);
        return weir_ok(0);
    default:
        assert_int_equal(weir_log_append(said->log, line, n), WEIR_E_OK);
        return weir_stop();
    }
}

static weir_fut
look(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct said *said = ev->app;
    struct state *s = ctx;
    char line[160];
    int64_t counted = ev->type == WEIR_EV_FLOW_START || ev->type == WEIR_EV_RST ? count(said, ev)
                                                                                : -1;

    s->said = said;
    s->number = ev->number;
    s->events++;
    snprintf(line, sizeof(line), "%llu %llu %s %llu of %llu in %u: %lld\n",
             (unsigned long long)ev->time, (unsigned long long)ev->number,
             weir_event_name(ev->type), (unsigned long long)s->events,
             (unsigned long long)(ev->flow != NULL ? weir_flow_id(ev->flow) : 0),
             shard_of(said, ev), (long long)counted);
    say(said, line);
    if (ev->type == WEIR_EV_PAYLOAD && ev->number % 5 == 0)
        return weir_after((ev->number % 400) * 1000000);
    return log_line(said, ev, line);
}

static weir_fut
wake(void *ctx, weir_fut in)
{
    const struct state *s = ctx;
    char line[80];

    (void)in;
    snprintf(line, sizeof(line), "woke %llu %llu\n", (unsigned long long)s->number,
             (unsigned long long)s->events);
    say(s->said, line);
    assert_int_equal(weir_log_append(s->said->log, line, strlen(line)), WEIR_E_OK);
    return weir_ok(0);
}

static const weir_fn stages[] = { look, wake };

static const struct weir_tap_spec spec = { .stage = stages, .n_stages = 2, .want = WEIR_EV_ALL };

/* Room for all that is appended. */
static void
open_log(struct said *said, unsigned cores)
{
    struct weir_log_opts opts = { .path = said->path, .cores = cores };

    snprintf(said->path, sizeof(said->path), "/tmp/cores-XXXXXX");
    close(mkstemp(said->path));
    assert_int_equal(weir_log_open(&opts, &said->log, NULL), WEIR_E_OK);
}

/* Its bytes are behind what else was said. */
static void
read_log(struct said *said)
{
    FILE *file = fopen(said->path, "r");

    assert_int_equal(weir_log_close(said->log, NULL), WEIR_E_OK);
    assert_non_null(file);
    said->logged = fread(said->text + said->n, 1, TEXT - 1 - said->n, file);
    said->n += said->logged;
    assert_true(said->logged > 0 && feof(file));
    fclose(file);
    unlink(said->path);
}

static void
run(struct said *said, const struct script *script, unsigned cores, const struct cores_sizes *sizes)
{
    const struct weir_monitor_opts opts = { .cores = cores, .memcap = 256 << 20, .seed = cores };
    const struct weir_app app = {
        .name = "model", .spec = &spec, .flow_size = sizeof(struct state), .arg = said
    };

    said->n = 0;
    said->cores = cores;
    assert_int_equal(weir_shared_new(&(struct weir_shared_opts){ .entries = 16 }, &said->counts),
                     WEIR_E_OK);
    open_log(said, cores);
    assert_int_equal(monitor_new_sized(&opts, sizes, &said->m), WEIR_E_OK);
    weir_monitor_share(said->m, said->counts);
    assert_int_equal(weir_monitor_add(said->m, &app), WEIR_E_OK);
    for (unsigned i = 0; i < PACKETS; i += 100)
        assert_int_equal(weir_monitor_feed(said->m, script->frame + i, 100), WEIR_E_OK);
    weir_monitor_end(said->m);
    weir_monitor_free(said->m);
    weir_shared_free(said->counts);
    read_log(said);
    said->text[said->n] = '\0';
}

static void
several_cores_say_what_one_says(void **state)
{
    static const struct cores_sizes sizes[] = { { 1, 1, 4096 },
                                                { 7, 2, 4096 },
                                                { 256, 16, 1 << 20 } };
    struct script *script = malloc(sizeof(*script));
    struct said one = { .text = malloc(TEXT) }, many = { .text = malloc(TEXT) };

    (void)state;
    assert_true(script != NULL && one.text != NULL && many.text != NULL);
    for (uint64_t seed = 1; seed <= 6; seed++) {
        draw_script(script, seed);
        run(&one, script, 1, NULL);
        assert_non_null(strstr(one.text, "woke"));
        assert_non_null(strstr(one.text, "frag_timeout"));
        for (unsigned cores = 2; cores <= 8; cores++) {
            run(&many, script, cores, &sizes[(seed + cores) % 3]);
            assert_int_equal(many.n, one.n);
            assert_string_equal(many.text, one.text);
        }
    }
    free(script);
    free(one.text);
    free(many.text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(several_cores_say_what_one_says) };

    return cmocka_run_group_tests_name("cores", tests, NULL, NULL);
}
