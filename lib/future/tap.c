#include "future/cell.h"

#define DEFAULT_QUEUE_MAX 64
#define ALL_TYPES         ((UINT64_C(1) << WEIR_TAP_TYPES) - 1)

void
weir_tap_init(struct weir_tap *tap, const struct weir_tap_spec *spec)
{
    *tap = (struct weir_tap){ .spec = spec, .state = WEIR_TAP_IDLE, .closing = WEIR_TAP_OPEN };
    weir_tap_want(tap, spec->want);
}

void
weir_tap_want(struct weir_tap *tap, uint64_t mask)
{
    if (tap->state != WEIR_TAP_ENDED && tap->spec->n_stages > 0)
        tap->want = mask & ALL_TYPES;
}

/* ---- events that wait: a ring of copies, by its last, which points to the first ---- */

static void
hold_last(struct weir_cell *sleeper, struct weir_held *held)
{
    struct weir_held *last = sleeper->held_last;

    held->next = last == NULL ? held : last->next;
    if (last != NULL)
        last->next = held;
    sleeper->held_last = held;
    sleeper->held++;
}

static struct weir_held *
take_first(struct weir_cell *sleeper)
{
    struct weir_held *last = sleeper->held_last, *first;

    if (last == NULL)
        return NULL;
    first = last->next;
    last->next = first->next;
    if (first == last)
        sleeper->held_last = NULL;
    sleeper->held--;
    return first;
}

static void
release(struct weir_core *core, struct weir_held *held)
{
    if (held != NULL)
        core->tap_ops->release(core->tap_arg, held);
}

static void
drop_held(struct weir_core *core, struct weir_cell *sleeper)
{
    struct weir_held *held;

    while ((held = take_first(sleeper)) != NULL)
        release(core, held);
}

/* @return the first event that is still wanted; NULL: there is none. */
static struct weir_held *
next_wanted(struct weir_core *core, struct weir_tap *tap)
{
    struct weir_held *held;

    if (tap->sleeper == NULL)
        return NULL;
    while ((held = take_first(tap->sleeper)) != NULL) {
        if ((tap->want >> held->type & 1) != 0)
            return held;
        release(core, held);
    }
    return NULL;
}

/* ---- the sleeper: a cell for as long as a tap waits, or events wait behind it ---- */

/* @return whether there is one now. */
static bool
need_sleeper(struct weir_core *core, struct weir_tap *tap, void *ctx)
{
    struct weir_cell *sleeper = tap->sleeper;

    if (sleeper != NULL)
        return true;
    if ((sleeper = cell_new(core, CELL_TAP, "a tap")) == NULL)
        return false;
    sleeper->tap.tap = tap;
    sleeper->tap.ctx = ctx;
    sleeper->held = 0;
    tap->sleeper = sleeper;
    return true;
}

static void
free_sleeper(struct weir_core *core, struct weir_tap *tap)
{
    struct weir_cell *sleeper = tap->sleeper;

    if (sleeper == NULL)
        return;
    tap->sleeper = NULL;
    cell_free(core, sleeper);
}

/*
 * Wait for what the stage before @stage returned.
 * @return false: no need to, *f is an outcome now.
 */
static bool
sleep_on(struct weir_core *core, struct weir_tap *tap, void *ctx, unsigned stage, weir_fut *f)
{
    *f = weir_poll(*f);
    if (!weir_is_asleep(*f))
        return false;
    if (!need_sleeper(core, tap, ctx)) {
        *f = give_up(core, *f);
        return false;
    }
    tap->sleeper->stage = (uint8_t)stage;
    tap->state = WEIR_TAP_ASLEEP;
    attach(core, tap->sleeper, cell_of(*f));
    if (core->tap_hooks != NULL)
        core->tap_hooks->slept(core->tap_arg, tap);
    if (tap->closing == WEIR_TAP_CANCELING)
        call_off(core, tap->sleeper);
    return true;
}

/* Let other handlers run before the next event has its turn. */
static void
yield(struct weir_core *core, struct weir_tap *tap)
{
    tap->sleeper->stage = (uint8_t)tap->spec->n_stages;
    tap->sleeper->val = weir_ok(0);
    tap->state = WEIR_TAP_ASLEEP;
    queue_push(core, tap->sleeper);
}

static void
went_on(struct weir_core *core, struct weir_tap *tap, struct weir_held *next)
{
    if (core->tap_hooks != NULL)
        core->tap_hooks->went_on(core->tap_arg, tap, next);
}

/* ---- the life of a tap ---- */

/* The last use of the tap: on_end may free what ctx is, and ended the tap itself. */
static void
end(struct weir_core *core, struct weir_tap *tap, void *ctx, weir_fut why)
{
    const bool awaited = tap->awaited;

    if (tap->sleeper != NULL)
        drop_held(core, tap->sleeper);
    free_sleeper(core, tap);
    tap->want = 0;
    tap->state = WEIR_TAP_ENDED;
    went_on(core, tap, NULL);
    if (tap->spec->on_end != NULL)
        tap->spec->on_end(ctx, why);
    if (awaited && core->tap_ops != NULL)
        core->tap_ops->ended(core->tap_arg, tap);
}

static weir_fut
run_stages(struct weir_core *core, const struct weir_tap *tap, void *ctx, unsigned *stage,
           weir_fut f)
{
    const struct weir_tap_spec *spec = tap->spec;

    while (weir_is_ready(f) && *stage < spec->n_stages && tap->closing != WEIR_TAP_CANCELING) {
        const struct debug_time since = debug_clock();

        f = spec->stage[(*stage)++](ctx, f);
        debug_check_stall(core, since, "a stage of", "a tap");
    }
    return f;
}

/* No event is left. */
static void
rest(struct weir_core *core, struct weir_tap *tap, void *ctx)
{
    free_sleeper(core, tap);
    went_on(core, tap, NULL);
    if (tap->closing == WEIR_TAP_OPEN)
        tap->state = WEIR_TAP_IDLE;
    else
        end(core, tap, ctx, weir_ok(0));
}

/* @return whether the outcome of a chain, or a cancel, has ended the tap. */
static bool
ends_by(struct weir_core *core, struct weir_tap *tap, void *ctx, weir_fut f)
{
    if (tap->closing == WEIR_TAP_CANCELING)
        f = canceled();
    else if (!weir_is_failed(f) || weir_is_stop(f))
        return false;
    end(core, tap, ctx, f);
    return true;
}

/*
 * Go on behind a stage that returned @f: to the end of its chain, and then with the events that
 * wait. An event's copy lives until its chain is through or sleeps.
 */
void
weir_tap_go_on(struct weir_tap *tap, void *ctx, unsigned stage, weir_fut f)
{
    struct weir_core *core = core_current;
    struct weir_held *held = NULL;
    bool had_a_turn = false;

    for (;;) {
        f = run_stages(core, tap, ctx, &stage, f);
        if (weir_is_asleep(f)) {
            if (!sleep_on(core, tap, ctx, stage, &f))
                continue;
            release(core, held);
            return;
        }
        release(core, held);
        if (ends_by(core, tap, ctx, f))
            return;
        if (had_a_turn && core->budget <= 0 && tap->sleeper->held != 0) {
            yield(core, tap);
            return;
        }
        if ((held = next_wanted(core, tap)) == NULL) {
            rest(core, tap, ctx);
            return;
        }
        went_on(core, tap, held);
        had_a_turn = true;
        core->budget--;
        f = weir_ok_ptr(weir_held_event(held));
        stage = 0;
    }
}

/* What the tap slept on is over. */
void
tap_run(struct weir_core *core, struct weir_cell *sleeper, weir_fut in)
{
    struct weir_tap *tap = sleeper->tap.tap;
    void *ctx = sleeper->tap.ctx;
    const unsigned stage = sleeper->stage;

    sleeper->state = CELL_SLEEP;
    sleeper->flags = 0;
    if (sleeper->held == 0)
        free_sleeper(core, tap);
    tap->state = WEIR_TAP_BUSY;
    weir_tap_go_on(tap, ctx, stage, in);
}

/* ---- what the owner of taps calls ---- */

/* weir_tap_push() behind the first of several stages, which most taps do not have. */
void
weir_tap_push_rest(struct weir_tap *tap, void *ctx, weir_fut f)
{
    const struct weir_tap_spec *spec = tap->spec;

    for (unsigned i = 1; i < spec->n_stages; i++) {
        f = spec->stage[i](ctx, f);
        if (WEIR_UNLIKELY(!weir_is_ready(f) || tap->closing != WEIR_TAP_OPEN)) {
            weir_tap_go_on(tap, ctx, i + 1, f);
            return;
        }
    }
    if (WEIR_UNLIKELY(tap->sleeper != NULL))
        weir_tap_go_on(tap, ctx, spec->n_stages, f);
    else
        tap->state = WEIR_TAP_IDLE;
}

static enum weir_tap_result
hold(struct weir_core *core, struct weir_tap *tap, void *ctx, unsigned type, const void *event)
{
    const unsigned max = tap->spec->queue_max != 0 ? tap->spec->queue_max : DEFAULT_QUEUE_MAX;
    struct weir_held *held;

    if (core->tap_ops == NULL || (tap->sleeper != NULL && tap->sleeper->held >= max))
        return WEIR_TAP_FULL;
    if ((held = core->tap_ops->hold(core->tap_arg, event)) == NULL)
        return WEIR_TAP_FULL;
    if (!need_sleeper(core, tap, ctx)) {
        core->stats.no_memory++;
        release(core, held);
        return WEIR_TAP_FULL;
    }
    held->type = type;
    hold_last(tap->sleeper, held);
    return WEIR_TAP_QUEUED;
}

enum weir_tap_result
weir_tap_push_slow(struct weir_tap *tap, void *ctx, unsigned type, void *event)
{
    if (tap->state == WEIR_TAP_ENDED || tap->closing != WEIR_TAP_OPEN)
        return WEIR_TAP_DONE;
    if (tap->state != WEIR_TAP_IDLE)
        return hold(core_current, tap, ctx, type, event);
    tap->state = WEIR_TAP_BUSY;
    weir_tap_go_on(tap, ctx, 0, weir_ok_ptr(event));
    return WEIR_TAP_DONE;
}

/* @return true: it has ended. */
static bool
close_tap(struct weir_tap *tap, void *ctx, enum weir_tap_closing how, weir_fut why)
{
    if (tap->state == WEIR_TAP_ENDED)
        return true;
    if (tap->state == WEIR_TAP_IDLE) {
        end(core_current, tap, ctx, why);
        return true;
    }
    if (tap->closing < how)
        tap->closing = how;
    tap->awaited = 1;
    return false;
}

bool
weir_tap_finish(struct weir_tap *tap, void *ctx)
{
    return close_tap(tap, ctx, WEIR_TAP_FINISHING, weir_ok(0));
}

bool
weir_tap_cancel(struct weir_tap *tap, void *ctx)
{
    struct weir_core *core = core_current;
    const bool first = tap->closing != WEIR_TAP_CANCELING;

    if (close_tap(tap, ctx, WEIR_TAP_CANCELING, canceled()))
        return true;
    if (first && tap->sleeper != NULL)
        drop_held(core, tap->sleeper);
    if (first && tap->state == WEIR_TAP_ASLEEP)
        call_off(core, tap->sleeper);
    return false;
}
