/*
 * Taps against a simple model: random events for a few taps, whose stages sleep, fail, stop, and
 * push to, narrow, finish and cancel their own tap; what sleeps is resolved at random later.
 *
 * What a stage does follows from the event's number, so that both do the same. Stages have to be
 * called in the same order, with the same input, and on_end once, last.
 */
#include "../unit/future_help.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PROGRAMS = 30000, STEPS = 80, TAPS = 3, STAGES_MAX = 3, ROOM = 4096, TYPES = 4 };

/* What stages do; most just hand a value on. */
enum deed { VALUE, SLEEP, FAIL, STOP, PUSH, NARROW, FINISH, CANCEL, DEEDS };

/* Calls of stages; on_end and the owner's ended are stages 100 and 101. */
enum { ON_END = 100, TOLD = 101 };

struct call {
    unsigned stage;
    uint64_t in;
    int code;
};

struct trace {
    struct call calls[ROOM];
    unsigned n;
};

struct event {
    uint64_t number, again; /* the same: a copy must be complete */
};

struct flow {
    struct weir_tap tap;
    struct weir_tap_spec spec;
    struct weir_promise sleeps_on;
    uint64_t running; /* the event whose stages are being called */
};

struct queued {
    unsigned type;
    uint64_t number;
};

enum state { IDLE, BUSY, ASLEEP, ENDED };

/* The model of a tap. */
struct model {
    enum state state;
    bool finishing, canceling, awaited, woken;
    uint64_t want, running;
    unsigned stage, n;
    struct queued queue[8];
    weir_fut outcome; /* woken: of what it slept on */
};

static struct flow flows[TAPS];
static struct model models[TAPS];
static unsigned wakes[ROOM], n_wakes; /* taps to go on, in order */
static struct trace real_trace[TAPS], model_trace[TAPS];
static uint64_t seed, under_way, n_events;
static unsigned held;
static struct weir_promise made[ROOM]; /* every promise of a program */
static unsigned n_made;

static uint64_t
random_below(uint64_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % n;
}

static void
note_call(struct trace *trace, unsigned stage, uint64_t in, int code)
{
    assert_true(trace->n < ROOM);
    trace->calls[trace->n++] = (struct call){ stage, in, code };
}

static enum deed
deed_of(uint64_t number, unsigned stage)
{
    const uint64_t drawn = (number * 7 + stage) * UINT64_C(0x9e3779b97f4a7c15) >> 40;

    if (drawn % 5 == 0)
        return SLEEP;
    return drawn % 3 == 0 ? (enum deed)(drawn / 15 % DEEDS) : VALUE;
}

static uint64_t
mask_of(uint64_t number)
{
    return number % 13 | 1;
}

/* The event that a stage pushes: far from those of the steps, and doing nothing of the kind. */
static uint64_t
pushed_by(uint64_t number)
{
    uint64_t pushed = number + 1000000;

    while (deed_of(pushed, 0) == PUSH || deed_of(pushed, 1) == PUSH || deed_of(pushed, 2) == PUSH)
        pushed++;
    return pushed;
}

/* ---- the model ---- */

static enum weir_tap_result m_push(unsigned tap, unsigned type, uint64_t number);
static bool m_finish(unsigned tap);
static bool m_cancel(unsigned tap);

static void
m_end(unsigned tap, int code)
{
    struct model *m = &models[tap];

    m->n = 0;
    m->want = 0;
    m->state = ENDED;
    note_call(&model_trace[tap], ON_END, 0, code);
    if (m->awaited)
        note_call(&model_trace[tap], TOLD, 0, 0);
}

static void
m_wake(unsigned tap, weir_fut outcome)
{
    models[tap].woken = true;
    models[tap].outcome = outcome;
    wakes[n_wakes++] = tap;
}

/* @return what the stage returns; *sleeps: a future that sleeps. */
static weir_fut
m_stage(unsigned tap, unsigned stage, uint64_t in, bool *sleeps)
{
    struct model *m = &models[tap];
    const uint64_t number = m->running;

    note_call(&model_trace[tap], stage, in, 0);
    switch (deed_of(number, stage)) {
    case SLEEP:
        *sleeps = true;
        break;
    case FAIL:
        return weir_fail(-1500 - (int)stage, "model");
    case STOP:
        return weir_stop();
    case PUSH:
        return weir_ok(m_push(tap, number % TYPES, pushed_by(number)));
    case NARROW:
        m->want = mask_of(number);
        break;
    case FINISH:
        assert_false(m_finish(tap));
        break;
    case CANCEL:
        assert_false(m_cancel(tap));
        break;
    default:
        break;
    }
    return weir_ok(in + stage + 1);
}

/* @return whether the tap sleeps now. */
static bool
m_chain(unsigned tap, weir_fut *f)
{
    struct model *m = &models[tap];

    while (weir_is_ready(*f) && m->stage < flows[tap].spec.n_stages && !m->canceling) {
        bool sleeps = false;

        *f = m_stage(tap, m->stage++, weir_value(*f), &sleeps);
        if (sleeps) {
            m->state = ASLEEP;
            if (m->canceling)
                m_wake(tap, weir_fail(WEIR_E_CANCELED, "model"));
            return true;
        }
    }
    return false;
}

static bool
m_next(unsigned tap, uint64_t *number)
{
    struct model *m = &models[tap];

    while (m->n > 0) {
        const struct queued first = m->queue[0];

        memmove(m->queue, m->queue + 1, --m->n * sizeof(m->queue[0]));
        *number = first.number;
        if ((m->want >> first.type & 1) != 0)
            return true;
    }
    return false;
}

static void
m_go_on(unsigned tap, weir_fut f)
{
    struct model *m = &models[tap];

    for (;;) {
        m->state = BUSY;
        if (m_chain(tap, &f))
            return;
        if (m->canceling || (weir_is_failed(f) && !weir_is_stop(f))) {
            m_end(tap, m->canceling ? WEIR_E_CANCELED : weir_code(f));
            return;
        }
        if (!m_next(tap, &m->running))
            break;
        m->stage = 0;
        f = weir_ok(m->running);
    }
    m->state = IDLE;
    if (m->finishing)
        m_end(tap, WEIR_E_OK);
}

static enum weir_tap_result
m_push(unsigned tap, unsigned type, uint64_t number)
{
    struct model *m = &models[tap];

    if ((m->want >> type & 1) == 0 || m->state == ENDED)
        return WEIR_TAP_DONE;
    if (m->state == IDLE) {
        m->running = number;
        m->stage = 0;
        m_go_on(tap, weir_ok(number));
        return WEIR_TAP_DONE;
    }
    if (m->finishing || m->canceling)
        return WEIR_TAP_DONE;
    if (m->n == flows[tap].spec.queue_max)
        return WEIR_TAP_FULL;
    m->queue[m->n++] = (struct queued){ type, number };
    return WEIR_TAP_QUEUED;
}

static bool
m_finish(unsigned tap)
{
    struct model *m = &models[tap];

    if (m->state == IDLE)
        m_end(tap, WEIR_E_OK);
    if (m->state == ENDED)
        return true;
    m->finishing = m->awaited = true;
    return false;
}

static bool
m_cancel(unsigned tap)
{
    struct model *m = &models[tap];

    if (m->state == IDLE)
        m_end(tap, WEIR_E_CANCELED);
    if (m->state == ENDED)
        return true;
    m->canceling = m->awaited = true;
    m->n = 0;
    if (m->state == ASLEEP && !m->woken)
        m_wake(tap, weir_fail(WEIR_E_CANCELED, "model"));
    return false;
}

static void
m_run(void)
{
    for (unsigned i = 0; i < n_wakes; i++) {
        models[wakes[i]].woken = false;
        m_go_on(wakes[i], models[wakes[i]].outcome);
    }
    n_wakes = 0;
}

/* ---- the real taps ---- */

static unsigned
number_of(const struct flow *flow)
{
    return (unsigned)(flow - flows);
}

static struct weir_held *
copy_event(void *arg, const void *event)
{
    struct weir_held *copy = malloc(sizeof(*copy) + sizeof(struct event));

    (void)arg;
    assert_non_null(copy);
    memcpy(weir_held_event(copy), event, sizeof(struct event));
    held++;
    return copy;
}

static void
free_copy(void *arg, struct weir_held *copy)
{
    (void)arg;
    memset(weir_held_event(copy), 0xdd, sizeof(struct event));
    held--;
    free(copy);
}

static void
on_ended(void *arg, struct weir_tap *tap)
{
    (void)arg;
    note_call(&real_trace[number_of((struct flow *)tap)], TOLD, 0, 0);
}

static const struct weir_tap_ops ops = { copy_event, free_copy, on_ended };

static void
on_end(void *ctx, weir_fut why)
{
    note_call(&real_trace[number_of(ctx)], ON_END, 0, weir_code(why));
}

static enum weir_tap_result
push(struct flow *flow, unsigned type, uint64_t number)
{
    struct event event = { number, number };
    const enum weir_tap_result result = weir_tap_push(&flow->tap, flow, type, &event);

    memset(&event, 0xee, sizeof(event)); /* it was lent */
    return result;
}

static weir_fut
stage(struct flow *flow, unsigned stage, uint64_t in)
{
    const uint64_t number = flow->running;

    note_call(&real_trace[number_of(flow)], stage, in, 0);
    switch (deed_of(number, stage)) {
    case SLEEP:
        flow->sleeps_on = made[n_made++] = weir_promise_new();
        return weir_future(flow->sleeps_on);
    case FAIL:
        return weir_fail(-1500 - (int)stage, "stage");
    case STOP:
        return weir_stop();
    case PUSH:
        return weir_ok(push(flow, number % TYPES, pushed_by(number)));
    case NARROW:
        weir_tap_want(&flow->tap, mask_of(number));
        break;
    case FINISH:
        assert_false(weir_tap_finish(&flow->tap, flow));
        break;
    case CANCEL:
        assert_false(weir_tap_cancel(&flow->tap, flow));
        break;
    default:
        break;
    }
    return weir_ok(in + stage + 1);
}

static weir_fut
first(void *ctx, weir_fut in)
{
    const struct event *event = weir_ptr(in);
    struct flow *flow = ctx;

    assert_int_equal(event->number, event->again);
    flow->running = event->number;
    return stage(flow, 0, event->number);
}

static weir_fut
second(void *ctx, weir_fut in)
{
    return stage(ctx, 1, weir_value(in));
}

static weir_fut
third(void *ctx, weir_fut in)
{
    return stage(ctx, 2, weir_value(in));
}

/* ---- both side by side ---- */

/* Which of two taps goes on first depends on the budget; what each does, never. */
static void
compare(const struct trace *real, const struct trace *expected)
{
    assert_int_equal(real->n, expected->n);
    for (unsigned i = 0; i < real->n; i++) {
        assert_int_equal(real->calls[i].stage, expected->calls[i].stage);
        assert_int_equal(real->calls[i].in, expected->calls[i].in);
        assert_int_equal(real->calls[i].code, expected->calls[i].code);
    }
}

static void
run_both(void)
{
    const unsigned budget = random_below(4) == 0 ? 1000 : 1 + (unsigned)random_below(3);

    while (weir_core_run(core, budget) > 0)
        continue;
    m_run();
    for (unsigned i = 0; i < TAPS; i++)
        compare(&real_trace[i], &model_trace[i]);
}

static void
wake_both(unsigned tap, weir_fut outcome)
{
    struct model *m = &models[tap];

    if (m->state != ASLEEP || m->woken)
        return;
    assert_true(weir_resolve(flows[tap].sleeps_on, outcome));
    m_wake(tap, outcome);
}

static weir_fut
random_outcome(void)
{
    switch (random_below(12)) {
    case 0:
        return weir_fail(-1400, "producer");
    case 1:
        return weir_stop();
    default:
        return weir_ok(random_below(1000));
    }
}

static void
random_step(void)
{
    const unsigned tap = (unsigned)random_below(TAPS), what = (unsigned)random_below(40);
    const unsigned type = (unsigned)random_below(TYPES);
    struct flow *flow = &flows[tap];

    if (what == 0) {
        assert_int_equal(weir_tap_finish(&flow->tap, flow), m_finish(tap));
    } else if (what == 1) {
        assert_int_equal(weir_tap_cancel(&flow->tap, flow), m_cancel(tap));
    } else if (what < 16) {
        wake_both(tap, random_outcome());
    } else {
        n_events++;
        assert_int_equal(push(flow, type, n_events), m_push(tap, type, n_events));
    }
    if (random_below(2) == 0)
        run_both();
}

static void
begin(void)
{
    static const weir_fn stages[STAGES_MAX] = { first, second, third };

    memset(models, 0, sizeof(models));
    n_wakes = n_made = held = 0;
    n_events = seed * 1000;
    weir_core_set_tap_ops(core, &ops, NULL);
    for (unsigned i = 0; i < TAPS; i++) {
        flows[i].spec = (struct weir_tap_spec){
            .stage = stages,
            .n_stages = 1 + (unsigned)random_below(STAGES_MAX),
            .want = random_below(4) == 0 ? random_below(16) : 15,
            .queue_max = 1 + (unsigned)random_below(8),
            .on_end = on_end,
        };
        models[i].want = flows[i].spec.want;
        real_trace[i].n = model_trace[i].n = 0;
        weir_tap_init(&flows[i].tap, &flows[i].spec);
    }
}

/* Let all that sleeps wake, and all that waits have its turn. */
static void
end(void)
{
    bool again = true;

    for (unsigned i = 0; i < TAPS; i++)
        assert_int_equal(weir_tap_finish(&flows[i].tap, &flows[i]), m_finish(i));
    while (again) {
        run_both();
        again = false;
        for (unsigned i = 0; i < TAPS; i++) {
            wake_both(i, weir_ok(1));
            again = again || models[i].state != ENDED;
        }
    }
    for (unsigned i = 0; i < n_made; i++)
        (void)weir_resolve(made[i], weir_ok(0)); /* of a tap that was cancelled: nobody hears it */
    assert_int_equal(held, 0);
}

static void
check_end(const struct trace *trace)
{
    unsigned ends = 0;

    for (unsigned i = 0; i < trace->n; i++) {
        assert_true(ends == 0 || trace->calls[i].stage == TOLD);
        ends += trace->calls[i].stage == ON_END;
    }
    assert_int_equal(ends, 1);
}

static void
run_program(void)
{
    begin();
    for (unsigned i = 0; i < STEPS; i++)
        random_step();
    end();
    for (unsigned i = 0; i < TAPS; i++)
        check_end(&real_trace[i]);
}

static void
taps_do_what_the_model_says(void **state)
{
    (void)state;
    for (under_way = 0; under_way < PROGRAMS; under_way++) {
        seed = under_way;
        assert_int_equal(enter_core(NULL), 0);
        run_program();
        assert_int_equal(leave_core(NULL), 0);
    }
}

/* cmocka leaves a test by a long jump: what was under way is told here. */
static int
tell_program(void **state)
{
    (void)state;
    if (under_way < PROGRAMS)
        fprintf(stderr, "# program %" PRIu64 " (its number is the seed)\n", under_way);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(taps_do_what_the_model_says, tell_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
