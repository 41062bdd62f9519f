#include "future/cell.h"

/* ---- semaphores: those who wait are leaves in the semaphore's list ---- */

void
weir_sem_init(struct weir_sem *sem, uint64_t units)
{
    *sem = (struct weir_sem){ .units = units };
    sem->last = &sem->first;
}

static void
join_list(struct weir_sem *sem, struct weir_cell *cell)
{
    cell->wait.next = NULL;
    cell->wait.pprev = sem->last;
    *sem->last = cell;
    sem->last = &cell->wait.next;
}

void
sem_leave(struct weir_cell *cell)
{
    struct weir_cell *next = cell->wait.next;

    *cell->wait.pprev = next;
    if (next != NULL)
        next->wait.pprev = cell->wait.pprev;
    else
        cell->want.sem->last = cell->wait.pprev;
}

void
sem_serve(struct weir_core *core, struct weir_sem *sem)
{
    struct weir_cell *cell;

    while ((cell = sem->first) != NULL && cell->want.units <= sem->units) {
        sem->units -= cell->want.units;
        sem_leave(cell);
        settle_later(core, cell, weir_ok(0));
    }
}

weir_fut
weir_sem_take_at(struct weir_sem *sem, uint64_t units, const char *site)
{
    struct weir_core *core = core_current;
    struct weir_cell *cell;

    if (sem->last == NULL)
        return weir_fail(WEIR_E_BROKEN, "the semaphore is broken");
    if (sem->first == NULL && units <= sem->units) {
        sem->units -= units;
        return weir_ok(0);
    }
    if ((cell = cell_new(core, CELL_UNITS, site)) == NULL)
        return give_up(core, weir_ok(0));
    cell->want.units = units;
    cell->want.sem = sem;
    join_list(sem, cell);
    return cell_future(cell);
}

void
weir_sem_give(struct weir_sem *sem, uint64_t units)
{
    sem->units += units;
    sem_serve(core_current, sem);
}

void
weir_sem_break(struct weir_sem *sem)
{
    struct weir_cell *cell;

    while ((cell = sem->first) != NULL) {
        sem_leave(cell);
        settle_later(core_current, cell, weir_fail(WEIR_E_BROKEN, "the semaphore is broken"));
    }
    sem->last = NULL;
}

/* ---- gates ---- */

bool
weir_gate_enter(struct weir_gate *gate)
{
    if (gate->closed)
        return false;
    gate->inside++;
    return true;
}

void
weir_gate_leave(struct weir_gate *gate)
{
    assert(gate->inside > 0);
    if (--gate->inside == 0 && gate->empty.cell != NULL)
        weir_resolve(gate->empty, weir_ok(0));
}

weir_fut
weir_gate_close_at(struct weir_gate *gate, const char *site)
{
    assert(!gate->closed);
    gate->closed = true;
    if (gate->inside == 0)
        return weir_ok(0);
    gate->empty = weir_promise_new_at(site);
    return weir_future(gate->empty);
}
