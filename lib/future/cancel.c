#include "future/cell.h"

/*
 * The walk of a cancel goes down a strand to its leaf, and at a join on to all of its legs. It
 * runs no code of an app, since that could change what is being walked; what the producers of the
 * leaves must be told is put off until its end. So legs that sleep stay asleep, or are called off
 * in the walk itself: their val is free to list them.
 */
struct walk {
    struct weir_core *core;
    struct weir_cell *first, **last;     /* legs yet to be called off, linked through next_leg */
    struct weir_cell *over, **over_last; /* leaves that are over, linked through next */
};

static void
add_legs(struct walk *walk, struct weir_cell *join)
{
    for (struct weir_cell *leg = join->src; leg != NULL; leg = leg->leg.next) {
        if (leg->state == CELL_QUEUED || leg->state == CELL_RUNNING) {
            leg->flags |= CELL_CANCEL;
        } else if (leg->state == CELL_SLEEP) {
            leg->next_leg = NULL;
            *walk->last = leg;
            walk->last = &leg->next_leg;
        }
    }
}

static void
call_off_join(struct walk *walk, struct weir_cell *join)
{
    /* The losers know already: this one is for what comes behind the join. */
    if (join->kind == CELL_ANY && (join->flags & CELL_SOURCE_CANCELED) != 0) {
        join->flags |= CELL_CANCEL;
        return;
    }
    join->flags |= CELL_CANCELED_ABOVE;
    add_legs(walk, join);
}

static void
put_off(struct walk *walk, struct weir_cell *leaf)
{
    leaf->state = CELL_OVER;
    leaf->next = NULL;
    *walk->over_last = leaf;
    walk->over_last = &leaf->next;
}

static void
call_off_leaf(struct walk *walk, struct weir_cell *leaf)
{
    struct weir_cell *waiter = leaf->out;

    assert((leaf->flags & CELL_LINK) == 0);
    leaf->out = NULL;
    if (leaf->kind == CELL_TIMER) {
        wheel_remove(&leaf->timer);
        cell_free(walk->core, leaf);
    } else if (leaf->kind == CELL_UNITS) {
        sem_leave(leaf);
        put_off(walk, leaf);
    } else if (leaf->forget.fn != NULL) {
        put_off(walk, leaf);
    } else {
        leaf->flags |= CELL_DROPPED; /* the producer cannot be stopped: it will find nobody */
    }
    if (waiter != NULL) {
        deliver(waiter, canceled());
        queue_push(walk->core, waiter);
    }
}

/* @return whether the walk goes on with cell->src. */
static bool
call_off_cell(struct walk *walk, struct weir_cell *cell)
{
    if (cell->kind == CELL_REPEAT && cell->state == CELL_QUEUED &&
        (cell->flags & CELL_YIELDED) != 0) {
        cell->val = canceled();
        return false;
    }
    if (cell->state != CELL_SLEEP) {
        cell->flags |= CELL_CANCEL;
        return false;
    }
    if (cell->kind == CELL_ALL || cell->kind == CELL_ANY) {
        call_off_join(walk, cell);
        return false;
    }
    if (cell->kind >= CELL_PROMISE) {
        call_off_leaf(walk, cell);
        return false;
    }
    return true;
}

/* A timeout calls its source off once: by itself, or for who is above. */
static bool
call_off_timeout(struct weir_cell *cell)
{
    if ((cell->flags & CELL_EXPIRED) != 0) {
        cell->flags |= CELL_CANCEL;
        return false;
    }
    wheel_remove(&cell->timer);
    cell->flags |= CELL_CANCELED_ABOVE;
    return true;
}

static void
call_off_strand(struct walk *walk, struct weir_cell *cell)
{
    while (call_off_cell(walk, cell)) {
        if (cell->kind == CELL_TIMEOUT && !call_off_timeout(cell))
            return;
        cell = cell->src;
    }
}

static void
tell_producers(struct walk *walk)
{
    struct weir_cell *leaf;

    while ((leaf = walk->over) != NULL) {
        walk->over = leaf->next;
        if (leaf->kind == CELL_UNITS) {
            sem_serve(walk->core, leaf->want.sem);
            cell_free(walk->core, leaf);
        } else {
            const struct weir_cell copy = *leaf;

            cell_free(walk->core, leaf);
            copy.forget.fn(copy.forget.arg);
        }
    }
}

static void
begin_walk(struct walk *walk, struct weir_core *core)
{
    walk->core = core;
    walk->first = walk->over = NULL;
    walk->last = &walk->first;
    walk->over_last = &walk->over;
}

static void
finish_walk(struct walk *walk)
{
    while (walk->first != NULL) {
        struct weir_cell *leg = walk->first;

        walk->first = leg->next_leg;
        if (walk->first == NULL)
            walk->last = &walk->first;
        call_off_strand(walk, leg);
    }
    tell_producers(walk);
}

void
call_off(struct weir_core *core, struct weir_cell *cell)
{
    struct walk walk;

    begin_walk(&walk, core);
    call_off_strand(&walk, cell);
    finish_walk(&walk);
}

void
call_off_legs(struct weir_core *core, struct weir_cell *join)
{
    struct walk walk;

    begin_walk(&walk, core);
    add_legs(&walk, join);
    finish_walk(&walk);
}
