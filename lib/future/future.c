#include "future/cell.h"

/* ---- strands ---- */

/* A failure that nobody will ever see. A stop says that all went well. */
static void
count_unhandled(struct weir_core *core, weir_fut outcome)
{
    if (weir_is_failed(outcome) && !weir_is_stop(outcome))
        core->stats.unhandled++;
}

/* A cancel issued below a join or timeout by itself must not get out above it. */
static void
pass_cancel_mark(struct weir_cell *waiter)
{
    if (waiter->kind != CELL_TIMEOUT || (waiter->flags & CELL_CANCELED_ABOVE) != 0)
        waiter->flags |= CELL_CANCEL;
}

/* Nobody waits for the cell yet. */
static void
keep_outcome(struct weir_core *core, struct weir_cell *cell, weir_fut outcome)
{
    if ((cell->flags & CELL_DETACHED) != 0)
        count_unhandled(core, outcome);
    if ((cell->flags & (CELL_DETACHED | CELL_DROPPED)) != 0) {
        cell_free(core, cell);
        return;
    }
    cell->state = CELL_READY;
    cell->src = NULL;
    cell->val = outcome;
}

struct weir_cell *
settle(struct weir_core *core, struct weir_cell *cell, weir_fut outcome)
{
    struct weir_cell *waiter = cell->out;

    if (WEIR_UNLIKELY(waiter == NULL)) {
        keep_outcome(core, cell, outcome);
        return NULL;
    }
    if (WEIR_UNLIKELY((cell->flags & CELL_LINK) != 0)) {
        cell_free(core, cell);
        keep_outcome(core, waiter, outcome);
        return NULL;
    }
    if (WEIR_UNLIKELY((cell->flags & CELL_CANCEL) != 0))
        pass_cancel_mark(waiter);
    deliver(waiter, outcome);
    cell_free(core, cell);
    return waiter;
}

void
settle_later(struct weir_core *core, struct weir_cell *cell, weir_fut outcome)
{
    struct weir_cell *waiter = settle(core, cell, outcome);

    if (waiter != NULL)
        queue_push(core, waiter);
}

/* @return the cell that @cell stands for; a pass is used up by that. */
static struct weir_cell *
see_through(struct weir_core *core, struct weir_cell *cell)
{
    struct weir_cell *inner;

    if (WEIR_LIKELY(cell->kind != CELL_PASS))
        return cell;
    inner = cell->src;
    inner->out = NULL;
    inner->flags &= (uint8_t)~CELL_LINK;
    cell_free(core, cell);
    return inner;
}

void
attach(struct weir_core *core, struct weir_cell *waiter, struct weir_cell *source)
{
    debug_check_source(core, source);
    source = see_through(core, source);
    source->out = waiter;
    waiter->src = source;
    waiter->state = CELL_SLEEP;
}

/* Nobody will wait for @cell. @return the cell that is left to run its course. */
static struct weir_cell *
let_go(struct weir_core *core, struct weir_cell *cell, enum cell_flag how)
{
    cell = see_through(core, cell);
    cell->flags |= (uint8_t)how;
    return cell;
}

/* Consume a future without asking for its outcome. @return its cell; NULL: it is over. */
static struct weir_cell *
abandon(struct weir_core *core, weir_fut f, enum cell_flag how)
{
    struct weir_cell *cell;

    f = weir_poll(f);
    if (!weir_is_asleep(f)) {
        if (how == CELL_DETACHED)
            count_unhandled(core, f);
        return NULL;
    }
    cell = cell_of(f);
    return let_go(core, cell, how);
}

/* The handler of @outer returned @inner, which sleeps and takes its place. */
static void
link_up(struct weir_core *core, struct weir_cell *outer, struct weir_cell *inner)
{
    const bool cancel = (outer->flags & CELL_CANCEL) != 0;

    inner = see_through(core, inner);
    inner->flags |= outer->flags & (CELL_LINK | CELL_DETACHED | CELL_DROPPED);
    if (outer->out != NULL) {
        inner->out = outer->out;
        outer->out->src = inner;
        cell_free(core, outer);
    } else if ((outer->flags & (CELL_DETACHED | CELL_DROPPED)) != 0) {
        cell_free(core, outer);
    } else {
        outer->kind = CELL_PASS;
        outer->state = CELL_SLEEP;
        outer->flags = 0;
        outer->src = inner;
        inner->out = outer;
        inner->flags |= CELL_LINK;
    }
    if (WEIR_UNLIKELY(cancel))
        call_off(core, inner);
}

weir_fut
give_up(struct weir_core *core, weir_fut source)
{
    core->stats.no_memory++;
    if (weir_is_asleep(source))
        weir_cancel(source);
    return weir_fail(WEIR_E_NOMEM, "no cell for a wait");
}

/* ---- promises ---- */

struct weir_promise
weir_promise_new_at(const char *site)
{
    struct weir_core *core = core_current;
    struct weir_cell *cell = cell_new(core, CELL_PROMISE, site);

    if (WEIR_UNLIKELY(cell == NULL)) {
        core->stats.no_memory++;
        return (struct weir_promise){ NULL, 0 };
    }
    cell->forget.fn = NULL;
    return (struct weir_promise){ cell, cell->gen };
}

/* Whether it is still for the producer to say how this ends. */
static inline bool
is_open(struct weir_promise promise)
{
    return promise.cell != NULL && promise.cell->gen == promise.gen &&
           promise.cell->kind == CELL_PROMISE && promise.cell->state == CELL_SLEEP;
}

bool
weir_resolve(struct weir_promise promise, weir_fut outcome)
{
    struct weir_core *core = core_current;

    assert(!weir_is_asleep(outcome));
    debug_check_owner(core, promise.cell);
    if (WEIR_UNLIKELY(!is_open(promise))) {
        core->stats.stale++;
        return false;
    }
    settle_later(core, promise.cell, outcome);
    return true;
}

bool
weir_promise_break(struct weir_promise promise)
{
    return weir_resolve(promise, weir_fail(WEIR_E_BROKEN, "the promise was dropped unresolved"));
}

void
weir_promise_on_cancel(struct weir_promise promise, void (*forget)(void *arg), void *arg)
{
    if (!is_open(promise))
        return;
    promise.cell->forget.fn = forget;
    promise.cell->forget.arg = arg;
}

/* ---- handlers ---- */

static weir_fut
handle_later(struct weir_core *core, weir_fut f, enum cell_kind kind, weir_fn fn, void *ctx,
             const char *site)
{
    struct weir_cell *cell = cell_new(core, kind, site);

    if (cell == NULL)
        return weir_is_asleep(f) ? give_up(core, f) : fn(ctx, f);
    cell->handler.fn = fn;
    cell->handler.ctx = ctx;
    if (WEIR_LIKELY(weir_is_asleep(f))) {
        attach(core, cell, cell_of(f));
    } else {
        cell->val = f;
        queue_push(core, cell);
    }
    return cell_future(cell);
}

static inline bool
takes(unsigned kind, weir_fut in)
{
    return (kind & (weir_is_ready(in) ? CELL_TAKES_READY : CELL_TAKES_FAILED)) != 0;
}

static inline weir_fut
handle(weir_fut f, enum cell_kind kind, weir_fn fn, void *ctx, const char *site)
{
    struct weir_core *core = core_current;

    f = weir_poll(f);
    if (weir_is_asleep(f))
        return handle_later(core, f, kind, fn, ctx, site);
    if (!takes(kind, f))
        return f;
    if (shuffles(core))
        return handle_later(core, f, kind, fn, ctx, site);
    return fn(ctx, f);
}

weir_fut
weir_then_slow(weir_fut f, weir_fn fn, void *ctx, const char *site)
{
    return handle(f, CELL_THEN, fn, ctx, site);
}

weir_fut
weir_catch_slow(weir_fut f, weir_fn fn, void *ctx, const char *site)
{
    return handle(f, CELL_CATCH, fn, ctx, site);
}

weir_fut
weir_always_slow(weir_fut f, weir_fn fn, void *ctx, const char *site)
{
    return handle(f, CELL_ALWAYS, fn, ctx, site);
}

void
weir_detach(weir_fut f)
{
    (void)abandon(core_current, f, CELL_DETACHED);
}

void
weir_cancel(weir_fut f)
{
    struct weir_core *core = core_current;
    struct weir_cell *cell = abandon(core, f, CELL_DROPPED);

    if (cell != NULL)
        call_off(core, cell);
}

bool
is_unresolved(weir_fut f)
{
    return weir_is_asleep(f) && cell_of(f)->state != CELL_READY;
}

weir_fut
weir_poll(weir_fut f)
{
    struct weir_cell *cell;

    if (!weir_is_asleep(f))
        return f;
    cell = cell_of(f);
    debug_check_source(core_current, cell);
    if (cell->state != CELL_READY)
        return f;
    f = cell->val;
    cell_free(core_current, cell);
    return f;
}

/* ---- running ---- */

static inline weir_fut
call_handler(struct weir_core *core, struct weir_cell *cell, weir_fut in)
{
    const char *site = cell->site; /* a coroutine's cell may be free when it returns */
    const struct debug_time since = debug_clock();
    const weir_fut result = cell->handler.fn(cell->handler.ctx, in);

    debug_check_stall(core, since, "the handler waiting at", site);
    return result;
}

/* A coroutine has come to its next wait. */
static void
sleep_again(struct weir_core *core, struct weir_cell *cell)
{
    if (CELL_DEBUG && cell->kind != CELL_CO)
        debug_check_source(core, cell);
    if (WEIR_LIKELY((cell->flags & CELL_CANCEL) == 0))
        return;
    cell->flags &= (uint8_t)~CELL_CANCEL;
    call_off(core, cell->src);
}

/* Let a handler see its input. @return who may run next, or NULL. */
static struct weir_cell *
run_handler(struct weir_core *core, struct weir_cell *cell, weir_fut in)
{
    weir_fut result = in;

    if (WEIR_LIKELY(takes(cell->kind, in)))
        result = call_handler(core, cell, in);
    if (WEIR_UNLIKELY(weir_is_asleep(result)) && cell_of(result) == cell) {
        sleep_again(core, cell);
        return NULL;
    }
    result = weir_poll(result);
    if (WEIR_UNLIKELY(weir_is_asleep(result))) {
        link_up(core, cell, cell_of(result));
        return NULL;
    }
    return settle(core, cell, result);
}

static struct weir_cell *
run_other(struct weir_core *core, struct weir_cell *cell, weir_fut in)
{
    switch (cell->kind) {
    case CELL_REPEAT:
        return repeat_run(core, cell, in);
    case CELL_LEG:
        return leg_run(core, cell, in);
    case CELL_TIMEOUT:
        return timeout_run(core, cell, in);
    default:
        assert(cell->kind == CELL_TAP);
        tap_run(core, cell, in);
        return NULL;
    }
}

/*
 * Run a cell and the strand above it, without recursion, and without going through the queue: a
 * strand that has begun to run stays in the cache. With the budget used up the rest goes to the
 * front of the queue, so that the order of handlers does not depend on the budget.
 */
static void
run_strand(struct weir_core *core, struct weir_cell *cell)
{
    do {
        const weir_fut in = cell->val;

        cell->state = CELL_RUNNING;
        core->budget--;
        core->stats.ran++;
        if (WEIR_LIKELY(cell->kind <= CELL_HANDLERS))
            cell = run_handler(core, cell, in);
        else
            cell = run_other(core, cell, in);
    } while (cell != NULL && core->budget > 0 && !shuffles(core));
    if (cell != NULL)
        queue_push_front(core, cell);
}

static struct weir_cell *
queue_pop(struct weir_core *core)
{
    struct weir_cell *cell = core->ready.first;

    if (cell == NULL || shuffles(core))
        return cell == NULL ? NULL : debug_queue_pop(core);
    core->ready.first = cell->next;
    if (core->ready.first == NULL)
        core->ready.last = &core->ready.first;
    return cell;
}

unsigned
weir_core_run(struct weir_core *core, unsigned budget)
{
    const uint64_t ran = core->stats.ran;
    struct weir_core *before;
    struct weir_cell *cell;

    if (WEIR_UNLIKELY(core->pollers != NULL) && !core->running && !core->replays)
        core_poll(core);
    if (core->ready.first == NULL || core->running)
        return 0;
    before = weir_core_enter(core);
    core->running = true;
    core->budget = budget;
    while (core->budget > 0 && (cell = queue_pop(core)) != NULL)
        run_strand(core, cell);
    core->budget = CORE_BUDGET_BETWEEN_RUNS;
    core->running = false;
    weir_core_enter(before);
    return (unsigned)(core->stats.ran - ran);
}
