#include "future/cell.h"

/*
 * A coroutine gets its cell with its first wait, and keeps it to its end: the cell is the future
 * that its caller holds. With each further wait it returns that future to weir_core_run().
 */
bool
weir_co_sleep(struct weir_co *co, const char *site)
{
    struct weir_core *core = core_current;

    co->got = weir_poll(co->got);
    if (!weir_is_asleep(co->got))
        return false;
    if (co->cell == NULL) {
        co->cell = cell_new(core, CELL_CO, site);
        if (co->cell == NULL) {
            co->got = give_up(core, co->got);
            return false;
        }
        co->cell->handler.fn = co->body;
        co->cell->handler.ctx = co->ctx;
    }
    co->cell->site = site;
    attach(core, co->cell, cell_of(co->got));
    return true;
}
