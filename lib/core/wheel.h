/*
 * Timer wheel of intrusive nodes, for owners with very many deadlines that mostly move.
 *
 * A node does not store its deadline. It is filed by a lower bound; when its slot comes round the
 * owner is asked, and files it again if its deadline lies later. So moving a deadline further away
 * costs nothing (the node stays where it is), and passing a node down to a finer level is the same
 * thing as finding that its deadline has moved.
 *
 * Ticks are whatever the owner makes of them; the wheel never looks at a clock. A tick that is not
 * due costs nothing: the next one is read off bitmaps, so a jump of years is as cheap as one tick.
 *
 * Threads: a wheel belongs to one core.
 * Memory:  nodes belong to the owner; the wheel allocates nothing.
 */
#ifndef WEIR_CORE_WHEEL_H
#define WEIR_CORE_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 4 levels reach 2^24 ticks, 19 days at 100 ms; what lies beyond comes round once on the way. */
#define WHEEL_LEVELS 4
#define WHEEL_BITS   6
#define WHEEL_SLOTS  (1U << WHEEL_BITS)

/* All zero: not on any wheel. */
struct wheel_node {
    struct wheel_node *next, **pprev;
};

struct wheel {
    uint64_t now; /* every slot up to this tick has been handed out */
    /* A bit for each slot that may hold nodes: removing the last node leaves its bit behind, since
     * a node does not know its slot. Such a bit goes when its slot comes round. */
    uint64_t occupied[WHEEL_LEVELS];
    struct wheel_node *slot[WHEEL_LEVELS][WHEEL_SLOTS];
};

/*
 * Called with a node that has come round, no longer on the wheel. The owner files it again if its
 * deadline is later than the tick; it may add and remove any other node too.
 */
typedef void wheel_due_fn(void *ctx, struct wheel_node *node);

void wheel_init(struct wheel *wheel, uint64_t now);

/*
 * File @node so that it comes round at @tick or before (at the next tick, if @tick has passed).
 * @node must not be on a wheel. Any tick is allowed; UINT64_MAX is as good as never.
 */
void wheel_add(struct wheel *wheel, struct wheel_node *node, uint64_t tick);

/*
 * The first tick, later than wheel->now, at which a node may come round. It is a lower bound: that
 * tick may turn out to bring nothing, or only nodes to file again.
 * @return false if the wheel is empty.
 */
bool wheel_next(const struct wheel *wheel, uint64_t *tick);

/*
 * Move to @tick, which is not before wheel->now and not beyond what wheel_next() says, and hand
 * out the nodes that come round there, in no order that means anything.
 */
void wheel_turn(struct wheel *wheel, uint64_t tick, wheel_due_fn *due, void *ctx);

/*
 * The least deadline on the wheel, exactly, by asking the owner about few nodes.
 * @return UINT64_MAX if the wheel is empty.
 */
uint64_t
wheel_least(const struct wheel *wheel, uint64_t (*deadline_of)(const struct wheel_node *node));

static inline bool
wheel_is_filed(const struct wheel_node *node)
{
    return node->pprev != NULL;
}

/* Take @node off its wheel; one that is on no wheel stays as it is. */
static inline void
wheel_remove(struct wheel_node *node)
{
    if (node->pprev == NULL)
        return;
    *node->pprev = node->next;
    if (node->next != NULL)
        node->next->pprev = node->pprev;
    node->next = NULL;
    node->pprev = NULL;
}

#endif
