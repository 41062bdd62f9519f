#include "core/core.h"

void
core_add_poller(struct weir_core *core, struct core_poller *poller)
{
    struct core_poller **last = &core->pollers;

    while (*last != NULL)
        last = &(*last)->next;
    poller->core = core;
    poller->next = NULL;
    *last = poller;
}

void
core_remove_poller(struct core_poller *poller)
{
    struct core_poller **link;

    if (poller->core == NULL)
        return;
    for (link = &poller->core->pollers; *link != poller; link = &(*link)->next)
        continue;
    *link = poller->next;
    poller->core = NULL;
}

void
core_poll(struct weir_core *core)
{
    struct weir_core *before = weir_core_enter(core);

    for (struct core_poller *p = core->pollers; p != NULL; p = p->next)
        if (p->asleep > 0 || p->serves)
            p->poll(p);
    weir_core_enter(before);
}

uint32_t
core_sleeps_outside(const struct weir_core *core)
{
    uint32_t n = 0;

    for (const struct core_poller *p = core->pollers; p != NULL; p = p->next)
        n += p->asleep;
    return n;
}

bool
core_wait_outside(struct weir_core *core, uint64_t ns)
{
    bool over = true;

    for (struct core_poller *p = core->pollers; p != NULL; p = p->next)
        over &= p->asleep == 0 || p->wait(p, ns);
    if (over)
        core_poll(core);
    return over;
}
