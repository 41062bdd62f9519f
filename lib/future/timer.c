#include "future/cell.h"

/*
 * Timers lie on the core's wheel by ticks of about a millisecond. When its tick has come a timer
 * moves to the list of those due soon, and is resolved when the core's time has come to its very
 * deadline: in the order of deadlines, and of their making where these are equal.
 */
#define TICK_SHIFT 20

static struct weir_cell *
timer_of(struct wheel_node *node)
{
    return (struct weir_cell *)((char *)node - offsetof(struct weir_cell, timer));
}

static void
list_push(struct wheel_node **list, struct wheel_node *node)
{
    node->next = *list;
    node->pprev = list;
    if (node->next != NULL)
        node->next->pprev = &node->next;
    *list = node;
}

static void
file(void *arg, struct wheel_node *node)
{
    struct weir_core *core = arg;
    const uint64_t tick = timer_of(node)->due.deadline >> TICK_SHIFT;

    if (tick > core->wheel.now) {
        wheel_add(&core->wheel, node, tick);
        return;
    }
    list_push(&core->soon, node);
    core->soon_sorted = false;
}

static void
file_new(struct weir_core *core, struct weir_cell *cell, uint64_t ns)
{
    const uint64_t deadline = core->now + ns;

    if (core->timers_made < core->timers_from)
        core->timers_made = core->timers_from;
    cell->due.deadline = deadline < ns ? UINT64_MAX : deadline;
    cell->due.number = core->timers_made++;
    cell->timer.pprev = NULL;
    file(core, &cell->timer);
}

/* ---- sorting those due soon ---- */

static bool
is_before(struct wheel_node *a, struct wheel_node *b)
{
    const struct weir_cell *x = timer_of(a), *y = timer_of(b);

    if (x->due.deadline != y->due.deadline)
        return x->due.deadline < y->due.deadline;
    return x->due.number < y->due.number;
}

static struct wheel_node *
merge(struct wheel_node *a, struct wheel_node *b)
{
    struct wheel_node *first = NULL, **end = &first;

    while (a != NULL && b != NULL) {
        struct wheel_node **least = is_before(a, b) ? &a : &b;

        *end = *least;
        end = &(*end)->next;
        *least = *end;
    }
    *end = a != NULL ? a : b;
    return first;
}

/* Runs of 2^i nodes wait in bin i for another of their length. */
static struct wheel_node *
merge_sort(struct wheel_node *list)
{
    struct wheel_node *bin[64] = { NULL }, *run, *sorted = NULL;
    unsigned i;

    while ((run = list) != NULL) {
        list = run->next;
        run->next = NULL;
        for (i = 0; bin[i] != NULL; i++) {
            run = merge(bin[i], run);
            bin[i] = NULL;
        }
        bin[i] = run;
    }
    for (i = 0; i < 64; i++)
        sorted = merge(bin[i], sorted);
    return sorted;
}

static void
sort_soon(struct weir_core *core)
{
    struct wheel_node **link = &core->soon;

    if (core->soon_sorted)
        return;
    core->soon = merge_sort(core->soon);
    for (struct wheel_node *node = core->soon; node != NULL; node = node->next) {
        node->pprev = link;
        link = &node->next;
    }
    core->soon_sorted = true;
}

/* ---- time goes on ---- */

static void
expire(struct weir_core *core, struct weir_cell *timeout)
{
    timeout->flags |= CELL_EXPIRED;
    call_off(core, timeout->src);
}

void
core_set_time(struct weir_core *core, uint64_t now)
{
    uint64_t tick;

    if (now <= core->now)
        return;
    core->now = now;
    while (wheel_next(&core->wheel, &tick) && tick <= now >> TICK_SHIFT)
        wheel_turn(&core->wheel, tick, file, core);
    wheel_turn(&core->wheel, now >> TICK_SHIFT, file, core);
}

bool
core_fire_first(struct weir_core *core, uint64_t *deadline, uint64_t *made)
{
    struct weir_cell *cell;

    if (core->soon == NULL)
        return false;
    sort_soon(core);
    cell = timer_of(core->soon);
    if (cell->due.deadline > core->now)
        return false;
    *deadline = cell->due.deadline;
    *made = cell->due.number;
    wheel_remove(&cell->timer);
    if (cell->kind == CELL_TIMER)
        settle_later(core, cell, weir_ok(0));
    else
        expire(core, cell);
    return true;
}

void
weir_core_advance(struct weir_core *core, uint64_t now)
{
    struct weir_core *before;
    uint64_t deadline, made;

    if (now <= core->now)
        return;
    before = weir_core_enter(core);
    core_set_time(core, now);
    while (core_fire_first(core, &deadline, &made))
        continue;
    weir_core_enter(before);
}

uint64_t
weir_core_now(const struct weir_core *core)
{
    return core->now;
}

static uint64_t
deadline_of(const struct wheel_node *node)
{
    const char *cell = (const char *)node - offsetof(struct weir_cell, timer);

    return ((const struct weir_cell *)cell)->due.deadline;
}

uint64_t
weir_core_next_timer(const struct weir_core *core)
{
    uint64_t least = UINT64_MAX;

    for (const struct wheel_node *node = core->soon; node != NULL; node = node->next)
        if (deadline_of(node) < least)
            least = deadline_of(node);
    return core->soon != NULL ? least : wheel_least(&core->wheel, deadline_of);
}

/* ---- futures of time ---- */

weir_fut
weir_after_at(uint64_t ns, const char *site)
{
    struct weir_core *core = core_current;
    struct weir_cell *cell;

    if (ns == 0)
        return weir_ok(0);
    if ((cell = cell_new(core, CELL_TIMER, site)) == NULL)
        return give_up(core, weir_ok(0));
    file_new(core, cell, ns);
    return cell_future(cell);
}

weir_fut
weir_timeout_at(weir_fut f, uint64_t ns, const char *site)
{
    struct weir_core *core = core_current;
    struct weir_cell *cell;

    f = weir_poll(f);
    if (!weir_is_asleep(f))
        return f;
    if ((cell = cell_new(core, CELL_TIMEOUT, site)) == NULL)
        return give_up(core, f);
    attach(core, cell, cell_of(f));
    if (ns == 0) {
        cell->timer.pprev = NULL;
        expire(core, cell);
    } else {
        file_new(core, cell, ns);
    }
    return cell_future(cell);
}

struct weir_cell *
timeout_run(struct weir_core *core, struct weir_cell *cell, weir_fut in)
{
    if ((cell->flags & CELL_EXPIRED) != 0 && weir_code(in) == WEIR_E_CANCELED)
        in = weir_fail(WEIR_E_TIMEOUT, "timed out");
    return settle(core, cell, in);
}
