#include "future/cell.h"

/* ---- when_all, when_any: a join of legs, one for each future that sleeps ---- */

/* @return where to put the next leg. */
static struct weir_cell **
add_leg(struct weir_core *core, struct weir_cell *join, struct weir_cell **end, weir_fut f,
        unsigned index)
{
    struct weir_cell *leg = cell_new(core, CELL_LEG, join->site);

    leg->leg.next = NULL;
    leg->leg.index = index;
    leg->out = join;
    attach(core, leg, cell_of(f));
    join->join.left++;
    *end = leg;
    return &leg->leg.next;
}

static void
note_failure(struct weir_cell *join, unsigned index, weir_fut outcome)
{
    if (!weir_is_failed(outcome) || index >= join->join.which)
        return;
    join->join.which = index;
    join->val = outcome;
}

/* @return whether it is the first. */
static bool
note_winner(struct weir_cell *join, unsigned index, weir_fut outcome)
{
    if (join->join.which != UINT32_MAX)
        return false;
    join->join.which = index;
    join->val = weir_is_failed(outcome) ? outcome : weir_ok(index);
    return true;
}

/* @return whether the others have lost by this. */
static bool
note(struct weir_cell *join, unsigned index, weir_fut outcome)
{
    if (join->join.results != NULL)
        join->join.results[index] = outcome;
    if (join->kind == CELL_ANY)
        return note_winner(join, index, outcome);
    note_failure(join, index, outcome);
    return false;
}

/* Losers are called off once: not by the winner, if a cancel from above has been there. */
static void
call_off_losers(struct weir_core *core, struct weir_cell *join)
{
    if ((join->flags & CELL_CANCELED_ABOVE) != 0)
        return;
    join->flags |= CELL_SOURCE_CANCELED;
    call_off_legs(core, join);
}

static struct weir_cell *
end_join(struct weir_core *core, struct weir_cell *join)
{
    struct weir_cell *leg;

    while ((leg = join->src) != NULL) {
        join->src = leg->leg.next;
        cell_free(core, leg);
    }
    /* The cancel found all outcomes on their way, so nobody has seen it yet. */
    if ((join->flags & (CELL_CANCELED_ABOVE | CELL_SOURCE_CANCELED)) == CELL_CANCELED_ABOVE)
        join->flags |= CELL_CANCEL;
    return settle(core, join, join->val);
}

struct weir_cell *
leg_run(struct weir_core *core, struct weir_cell *leg, weir_fut in)
{
    struct weir_cell *join = leg->out;

    leg->state = CELL_OVER;
    if ((join->flags & CELL_CANCELED_ABOVE) != 0 && (leg->flags & CELL_CANCEL) == 0)
        join->flags |= CELL_SOURCE_CANCELED; /* the mark did not come back: it was spent below */
    if (note(join, leg->leg.index, in))
        call_off_losers(core, join);
    return --join->join.left == 0 ? end_join(core, join) : NULL;
}

static unsigned
count_sleeping(const weir_fut *in, unsigned n)
{
    unsigned sleeping = 0;

    for (unsigned i = 0; i < n; i++)
        sleeping += is_unresolved(in[i]);
    return sleeping;
}

static weir_fut
give_all_up(struct weir_core *core, const weir_fut *in, unsigned n, weir_fut *results)
{
    const weir_fut failure = give_up(core, weir_ok(0));

    for (unsigned i = 0; i < n; i++) {
        if (weir_is_asleep(in[i]))
            weir_cancel(in[i]);
        if (results != NULL)
            results[i] = failure;
    }
    return failure;
}

/*
 * results may be the same array as in: each of in is read before its result is written. Losers are
 * called off behind the loop, since that may resolve what the loop has not looked at yet.
 */
static void
fill_join(struct weir_core *core, struct weir_cell *join, const weir_fut *in, unsigned n)
{
    struct weir_cell **end = &join->src;
    bool won = false;

    for (unsigned i = 0; i < n; i++) {
        if (is_unresolved(in[i]))
            end = add_leg(core, join, end, in[i], i);
        else
            won |= note(join, i, weir_poll(in[i]));
    }
    if (won && join->join.left != 0)
        call_off_losers(core, join);
}

static void
init_join(struct weir_cell *join, unsigned n, weir_fut *results)
{
    join->join.results = results;
    join->join.left = 0;
    join->join.which = UINT32_MAX;
    join->val = weir_ok(n);
}

/* Ready and failed futures need no cell. */
static weir_fut
when_resolved(enum cell_kind kind, const weir_fut *in, unsigned n, weir_fut *results)
{
    struct weir_cell join = { .kind = (uint8_t)kind };

    init_join(&join, n, results);
    fill_join(core_current, &join, in, n);
    return join.val;
}

static weir_fut
when(enum cell_kind kind, const weir_fut *in, unsigned n, weir_fut *results, const char *site)
{
    struct weir_core *core = core_current;
    const unsigned sleeping = count_sleeping(in, n);
    struct weir_cell *join;

    if (sleeping == 0)
        return when_resolved(kind, in, n, results);
    if (!cells_reserve(core, sleeping + 1))
        return give_all_up(core, in, n, results);
    join = cell_new(core, kind, site);
    init_join(join, n, results);
    fill_join(core, join, in, n);
    return cell_future(join);
}

weir_fut
weir_when_all_at(const weir_fut *in, unsigned n, weir_fut *results, const char *site)
{
    return when(CELL_ALL, in, n, results, site);
}

weir_fut
weir_when_any_at(const weir_fut *in, unsigned n, weir_fut *results, const char *site)
{
    if (n == 0)
        return weir_fail(WEIR_E_INVAL, "nothing to choose from");
    return when(CELL_ANY, in, n, results, site);
}

/* ---- repeat ---- */

/* Take turns until one sleeps, the loop is over or the budget is used up. */
static weir_fut
take_turns(struct weir_core *core, weir_fn body, void *ctx, weir_fut last)
{
    while (weir_is_ready(last) && weir_value(last) != 0 && core->budget > 0) {
        core->budget--;
        last = weir_poll(body(ctx, weir_ok(0)));
    }
    return last;
}

static bool
loop_is_over(weir_fut last)
{
    return weir_is_failed(last) || (weir_is_ready(last) && weir_value(last) == 0);
}

static weir_fut
loop_outcome(weir_fut last)
{
    return weir_is_stop(last) ? weir_ok(0) : last;
}

/* Wait for the turn that sleeps, or for new budget. */
static void
wait_for_turn(struct weir_core *core, struct weir_cell *loop, weir_fut last)
{
    const bool cancel = (loop->flags & CELL_CANCEL) != 0;

    loop->flags &= (uint8_t) ~(CELL_CANCEL | CELL_YIELDED);
    if (weir_is_asleep(last)) {
        attach(core, loop, cell_of(last));
    } else {
        loop->flags |= CELL_YIELDED;
        loop->val = last;
        queue_push(core, loop);
    }
    if (cancel)
        call_off(core, loop);
}

struct weir_cell *
repeat_run(struct weir_core *core, struct weir_cell *loop, weir_fut in)
{
    const struct debug_time since = debug_clock();
    const weir_fut last = take_turns(core, loop->handler.fn, loop->handler.ctx, in);

    debug_check_stall(core, since, "the loop begun at", loop->site);
    if (loop_is_over(last))
        return settle(core, loop, loop_outcome(last));
    wait_for_turn(core, loop, last);
    return NULL;
}

weir_fut
weir_repeat_at(weir_fn body, void *ctx, const char *site)
{
    struct weir_core *core = core_current;
    const weir_fut last = take_turns(core, body, ctx, weir_ok(1));
    struct weir_cell *loop;

    if (loop_is_over(last))
        return loop_outcome(last);
    if ((loop = cell_new(core, CELL_REPEAT, site)) == NULL)
        return give_up(core, last);
    loop->handler.fn = body;
    loop->handler.ctx = ctx;
    wait_for_turn(core, loop, last);
    return cell_future(loop);
}
