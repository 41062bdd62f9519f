#include "detectors/posted.h"

#include "core/order.h"
#include "state/shared.h"
#include "syns.h"

#include <weir/core.h>

void
posted_init(struct posted *posted, struct weir_shared *table, uint64_t window)
{
    *posted = (struct posted){ .table = table, .window = window };
}

/* A call to be made in its turn. */
struct call {
    int64_t more;
    uint64_t now, packet, syns;
    struct key key;
};

static void
roll(struct posted *posted, uint64_t newest)
{
    const uint64_t at = newest / posted->window;

    if (at == posted->at)
        return;
    posted->before = at == posted->at + 1 ? posted->in_window : 0;
    posted->in_window = 0;
    posted->at = at;
}

static int64_t
do_call(struct posted *posted, const struct call *call)
{
    const int64_t count = shared_add_at(posted->table, call->key.b, call->key.n, call->more,
                                        posted->window, call->now);
    uint64_t newest = atomic_load_explicit(&posted->newest, memory_order_relaxed);

    newest = call->now > newest ? call->now : newest;
    roll(posted, newest);
    posted->in_window = count > posted->in_window ? count : posted->in_window;
    atomic_store_explicit(&posted->newest, newest, memory_order_relaxed);
    atomic_store_explicit(&posted->most,
                          posted->before > posted->in_window ? posted->before : posted->in_window,
                          memory_order_relaxed);
    atomic_store_explicit(&posted->syns, call->syns, memory_order_relaxed);
    /* Release: who sees it sees what stands above, or what came later. */
    atomic_store_explicit(&posted->packet, call->packet, memory_order_release);
    return count;
}

static void
do_posted(void *ctx, const void *p, size_t n)
{
    (void)n;
    (void)do_call(ctx, p);
}

/* Of a time before the newest nothing is known: counts that seemed to be over are not. */
static bool
is_far_below(const struct posted *posted, const struct call *call, int64_t threshold)
{
    const uint64_t packet = atomic_load_explicit(&posted->packet, memory_order_acquire);
    const int64_t most = atomic_load_explicit(&posted->most, memory_order_relaxed);
    const uint64_t newest = atomic_load_explicit(&posted->newest, memory_order_relaxed);
    const uint64_t syns = atomic_load_explicit(&posted->syns, memory_order_relaxed);
    const uint64_t more = call->syns - syns + 1; /* this one, too */

    return call->packet != 0 && call->packet >= packet && call->syns >= syns &&
           call->now >= newest && more < (uint64_t)threshold && most < threshold - (int64_t)more;
}

int64_t
posted_count(struct posted *posted, struct order *order, const struct sighting *at,
             const struct key *key, int64_t more, int64_t threshold)
{
    const struct call call = {
        .more = more,
        .now = weir_core_now(weir_core_current()),
        .packet = at->number,
        .syns = monitor_syns(at->flow),
        .key = *key,
    };

    if (is_far_below(posted, &call, threshold) ||
        (order_run(order) && is_far_below(posted, &call, threshold))) {
        order_post(order_here(order), do_posted, posted,
                   (struct piece_of_post){ &call, sizeof(call) },
                   (struct piece_of_post){ NULL, 0 });
        return threshold - 1;
    }
    order_turn_here(order);
    order_run_all(order); /* what was posted before */
    return do_call(posted, &call);
}
