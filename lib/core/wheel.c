#include "core/wheel.h"

#include <assert.h>

/*
 * Level L cuts a tick's digit L, in base 64. A node lies on the level of the highest digit in which
 * its tick differs from now, so its slot begins later than now and no slot of a finer level holds
 * it too early. Only the top level wraps round, and is filed at most 63 slots ahead; so on every
 * level the slot of now itself is empty.
 */

static unsigned
shift_of(unsigned level)
{
    return level * WHEEL_BITS;
}

static unsigned
slot_of(uint64_t tick, unsigned level)
{
    return (unsigned)(tick >> shift_of(level)) % WHEEL_SLOTS;
}

static unsigned
level_of(uint64_t now, uint64_t tick)
{
    unsigned level = (63U - (unsigned)__builtin_clzll(now ^ tick)) / WHEEL_BITS;

    return level < WHEEL_LEVELS ? level : WHEEL_LEVELS - 1;
}

/* The last tick that can be filed without lapping the top level. */
static uint64_t
horizon(uint64_t now)
{
    const unsigned shift = shift_of(WHEEL_LEVELS - 1);

    return ((now >> shift) + WHEEL_SLOTS - 1) << shift;
}

void
wheel_init(struct wheel *wheel, uint64_t now)
{
    *wheel = (struct wheel){ .now = now };
}

static void
push(struct wheel_node **head, struct wheel_node *node)
{
    node->next = *head;
    node->pprev = head;
    if (node->next != NULL)
        node->next->pprev = &node->next;
    *head = node;
}

void
wheel_add(struct wheel *wheel, struct wheel_node *node, uint64_t tick)
{
    const uint64_t last = horizon(wheel->now);
    unsigned level, slot;

    assert(!wheel_is_filed(node));
    if (tick <= wheel->now)
        tick = wheel->now + 1;
    if (tick > last)
        tick = last;
    level = level_of(wheel->now, tick);
    slot = slot_of(tick, level);
    push(&wheel->slot[level][slot], node);
    wheel->occupied[level] |= UINT64_C(1) << slot;
}

/* Where the first occupied slot behind now begins. */
static uint64_t
next_on_level(const struct wheel *wheel, unsigned level)
{
    const unsigned first = (slot_of(wheel->now, level) + 1) % WHEEL_SLOTS;
    const uint64_t bits = wheel->occupied[level];
    const uint64_t ahead = bits >> first | bits << (-first % WHEEL_SLOTS);

    return ((wheel->now >> shift_of(level)) + 1 + (unsigned)__builtin_ctzll(ahead))
           << shift_of(level);
}

bool
wheel_next(const struct wheel *wheel, uint64_t *tick)
{
    *tick = UINT64_MAX;
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        if (wheel->occupied[level] != 0) {
            const uint64_t begin = next_on_level(wheel, level);

            if (begin < *tick)
                *tick = begin;
        }
    }
    return *tick != UINT64_MAX;
}

/* Nodes that are filed again never fall into this slot: it is the slot of now. */
static void
empty_slot(struct wheel *wheel, unsigned level, wheel_due_fn *due, void *ctx)
{
    const unsigned slot = slot_of(wheel->now, level);
    struct wheel_node *node;

    wheel->occupied[level] &= ~(UINT64_C(1) << slot);
    while ((node = wheel->slot[level][slot]) != NULL) {
        wheel_remove(node);
        due(ctx, node);
    }
}

void
wheel_turn(struct wheel *wheel, uint64_t tick, wheel_due_fn *due, void *ctx)
{
    uint64_t next;

    /* cppcheck-suppress assertWithSideEffect ; it only looks */
    assert(tick >= wheel->now && (!wheel_next(wheel, &next) || tick <= next));
    (void)next;
    wheel->now = tick;
    for (unsigned level = WHEEL_LEVELS; level-- > 0;)
        if ((tick & ((UINT64_C(1) << shift_of(level)) - 1)) == 0)
            empty_slot(wheel, level, due, ctx);
}

static uint64_t
least_in(const struct wheel_node *node, uint64_t (*deadline_of)(const struct wheel_node *node))
{
    uint64_t least = UINT64_MAX;

    for (; node != NULL; node = node->next)
        if (deadline_of(node) < least)
            least = deadline_of(node);
    return least;
}

/*
 * All on a level come before all on the next, and slots in their order, since ticks and deadlines
 * rise together; but on the top level nodes from beyond the horizon lie among the others.
 */
static uint64_t
least_on_level(const struct wheel *wheel, unsigned level,
               uint64_t (*deadline_of)(const struct wheel_node *node))
{
    const unsigned now = slot_of(wheel->now, level);
    uint64_t least = UINT64_MAX;

    for (unsigned i = 1; i < WHEEL_SLOTS; i++) {
        const uint64_t in_slot = least_in(wheel->slot[level][(now + i) % WHEEL_SLOTS], deadline_of);

        if (in_slot < least)
            least = in_slot;
        if (least != UINT64_MAX && level + 1 < WHEEL_LEVELS)
            break;
    }
    return least;
}

uint64_t
wheel_least(const struct wheel *wheel, uint64_t (*deadline_of)(const struct wheel_node *node))
{
    uint64_t least = UINT64_MAX;

    for (unsigned level = 0; level < WHEEL_LEVELS && least == UINT64_MAX; level++)
        if (wheel->occupied[level] != 0)
            least = least_on_level(wheel, level, deadline_of);
    return least;
}
