/**
 * @file
 * Taps: the place in a flow where one app's chain of handlers listens.
 *
 * An event is pushed through the stages of a tap as a resolved future: nothing is allocated, and
 * nothing has to be armed again. When a stage returns a sleeping future, the tap sleeps with it;
 * events that come meanwhile are copied, and follow in order when it wakes.
 *
 * A stage that fails with WEIR_STOP ends the chain for this event; with any other code it ends the
 * tap. A stage may push to, finish, cancel and narrow its own tap.
 *
 * Ownership: the event that a stage gets is lent until the stage returns.
 * Threads:   a tap belongs to one core and is used while that is the current one.
 */
#ifndef WEIR_TAP_H
#define WEIR_TAP_H

#include <weir/future.h>

/** Event types go from 0 to 57. */
#define WEIR_TAP_TYPES 58

/** What an app listens to, and with what. Constant, shared by all its taps; outlives them. */
struct weir_tap_spec {
    const weir_fn *stage; /**< WEIR_CHAIN() makes such a table */
    unsigned n_stages;    /**< at most 255; 0: its taps want nothing */
    uint64_t want;        /**< a bit for each event type */
    unsigned queue_max;   /**< events that may wait behind a sleeping stage; 0: 64; <= 65535 */

    /**
     * Called exactly once, last: @p why is ready, or the failure that ended the tap. May be NULL.
     * The app's state in the flow goes when it returns.
     */
    void (*on_end)(void *ctx, weir_fut why);
};

/** A tap. Fields are private; all of them are set by weir_tap_init(). */
struct weir_tap {
    const struct weir_tap_spec *spec;
    struct weir_cell *sleeper; /* while it sleeps, or events wait behind the one that runs */
    uint64_t want : WEIR_TAP_TYPES;
    uint64_t state : 2;   /* enum weir_tap_state */
    uint64_t closing : 2; /* enum weir_tap_closing */
    uint64_t awaited : 1; /* finish or cancel answered "later" */
};
static_assert(sizeof(struct weir_tap) == 24, "every flow pays for its taps");

enum weir_tap_state {
    WEIR_TAP_IDLE,
    WEIR_TAP_BUSY, /* a stage is running */
    WEIR_TAP_ASLEEP,
    WEIR_TAP_ENDED,
};

enum weir_tap_closing {
    WEIR_TAP_OPEN,
    WEIR_TAP_FINISHING,
    WEIR_TAP_CANCELING,
};

enum weir_tap_result {
    WEIR_TAP_DONE, /**< the stages ran, or nobody wants it; a tap that ends or has ended does not */
    WEIR_TAP_QUEUED, /**< it waits behind a sleeping stage */
    WEIR_TAP_FULL,   /**< not taken: the queue is full, no memory for a copy, no weir_tap_ops */
};

/** A copy of an event that waits. The event follows behind this head, 16-byte aligned. */
struct weir_held {
    struct weir_held *next; /* of the tap, while it queues */
    unsigned type;          /* set by the tap */
};
static_assert(sizeof(struct weir_held) == 16, "the event behind must be aligned");

static inline void *
weir_held_event(struct weir_held *held)
{
    return held + 1;
}

/** What the owner of taps provides, once for each core: weir_core_set_tap_ops(). */
struct weir_tap_ops {
    /** @return a copy of a lent event (with all it points to) that may wait; NULL: no memory. */
    struct weir_held *(*hold)(void *arg, const void *event);
    /** Free such a copy: its stages have run, or it was dropped. */
    void (*release)(void *arg, struct weir_held *held);
    /**
     * The tap is over: on_end has returned, its memory may go. Called once for each tap for which
     * weir_tap_finish() or weir_tap_cancel() returned false, and for no other.
     */
    void (*ended)(void *arg, struct weir_tap *tap);
};

/** Make a tap, which wants what @p spec says. Its memory is the caller's. */
WEIR_API void weir_tap_init(struct weir_tap *tap, const struct weir_tap_spec *spec);

/** What weir_tap_push() does where the tap is not idle. */
WEIR_API enum weir_tap_result
weir_tap_push_slow(struct weir_tap *tap, void *ctx, unsigned type, void *event);
/** Likewise, behind a first stage that returned @p f, which is ready: the others. */
WEIR_API void weir_tap_push_rest(struct weir_tap *tap, void *ctx, weir_fut f);
/** Likewise, from @p stage on; @p f may sleep. */
WEIR_API void weir_tap_go_on(struct weir_tap *tap, void *ctx, unsigned stage, weir_fut f);

/** @return whether a tap wants events of this type; one that has ended wants none. */
static inline bool
weir_tap_wants(const struct weir_tap *tap, unsigned type)
{
    return tap->want >> type & 1;
}

/**
 * Give an event to a tap.
 *
 * @param ctx    of the stages and of on_end; the same in all calls for this tap. Lives until then.
 * @param type   below WEIR_TAP_TYPES.
 * @param event  lent for the call; stage 0 gets it as weir_ptr(in).
 */
static inline enum weir_tap_result
weir_tap_push(struct weir_tap *tap, void *ctx, unsigned type, void *event)
{
    weir_fut f = weir_ok_ptr(event);

    if (!weir_tap_wants(tap, type))
        return WEIR_TAP_DONE;
    if (!WEIR_FAST(tap->state == WEIR_TAP_IDLE))
        return weir_tap_push_slow(tap, ctx, type, event);

    tap->state |= WEIR_TAP_BUSY; /* it was 0 */
    f = tap->spec->stage[0](ctx, f);
    if (WEIR_UNLIKELY(!weir_is_ready(f) || tap->closing != WEIR_TAP_OPEN || tap->sleeper != NULL))
        weir_tap_go_on(tap, ctx, 1, f);
    else if (tap->spec->n_stages > 1)
        weir_tap_push_rest(tap, ctx, f);
    else
        tap->state = WEIR_TAP_IDLE;
    return WEIR_TAP_DONE;
}

/**
 * Choose anew which events the tap wants; those that already wait are asked again in their turn.
 * Without effect on a tap that has ended.
 */
WEIR_API void weir_tap_want(struct weir_tap *tap, uint64_t mask);

/**
 * No more events will come: let those that wait have their turn, then call on_end with ready 0.
 *
 * @return true: the tap has ended, now or before. false: it is asleep, or this is its own stage;
 *         weir_tap_ops.ended will be called.
 */
WEIR_API WEIR_MUST_USE bool weir_tap_finish(struct weir_tap *tap, void *ctx);

/**
 * Cancel what the tap sleeps on, drop what waits behind, and call on_end with WEIR_E_CANCELED as
 * soon as the handlers of the sleeping strand have run.
 *
 * @return as weir_tap_finish(), which may have been called before.
 */
WEIR_API WEIR_MUST_USE bool weir_tap_cancel(struct weir_tap *tap, void *ctx);

#endif
