/**
 * @file
 * Work for other cores. A function is run on another core, and its outcome comes back as a future.
 *
 * Between each two cores there is a ring, which bounds what is under way: what is beyond it waits
 * on the core that asks, in its order, and no core ever waits for another, or spins. So two cores
 * may ask each other as they like.
 *
 * Threads: weir_links_new() and weir_links_free() while none of the cores runs; the rest on the
 *          thread of the core.
 * Memory:  all at weir_links_new().
 */
#ifndef WEIR_SUBMIT_H
#define WEIR_SUBMIT_H

#include <weir/api.h>
#include <weir/core.h>
#include <weir/error.h>
#include <weir/future.h>

#include <stdbool.h>
#include <stdint.h>

struct weir_links; /* opaque */

struct weir_links_opts {
    uint32_t ring;    /**< requests under way from one core to one other, a power of two; 0: 256 */
    uint32_t waiting; /**< more that may wait for room there; 0: 1024 */
};

/** Counters of a core's side. All only grow. */
struct weir_links_stats {
    uint64_t submitted; /**< to other cores */
    uint64_t waited;    /**< of these, those for which the ring had no room at once */
    uint64_t refused;   /**< not taken: weir_links_opts.waiting */
    uint64_t served;    /**< functions run for other cores */
};

/**
 * Link cores, so that each can submit work to each. A core is linked once, and outlives the links.
 *
 * @param[in]  cores  @p n of them, 2 to 64.
 * @param[in]  opts   copied; NULL for the defaults.
 * @param[out] out    freed with weir_links_free(); NULL on error.
 * @return WEIR_E_OK; WEIR_E_INVAL if a number is out of bounds or a core has links; WEIR_E_NOMEM.
 */
WEIR_API WEIR_MUST_USE int
weir_links_new(struct weir_core *const *cores, unsigned n, const struct weir_links_opts *opts,
               struct weir_links **out);

/** Free; NULL is allowed. Futures that still sleep on other cores fail with WEIR_E_BROKEN. */
WEIR_API void weir_links_free(struct weir_links *links);

/**
 * Run @p fn on another core: from its weir_core_run(), after what it submitted to itself before.
 *
 * @param to   linked with the current core, or that itself: then @p fn runs at once.
 * @param fn   gets @p ctx and ready 0. It may return a future that sleeps there.
 * @param ctx  used by the other core until the future that is returned is resolved, cancelled or
 *             not.
 * @return what @p fn returns: its value or failure, as the other core's memory has it. Failures of
 *         the way there: WEIR_E_INVAL, there is no link; WEIR_E_LIMIT, too many wait; WEIR_E_NOMEM,
 *         one of the cores has no cell.
 */
WEIR_API WEIR_MUST_USE weir_fut weir_submit(struct weir_core *to, weir_fn fn, void *ctx);

/**
 * A core that has nothing to do: block until another one submits work or answers, or until @p ns
 * have passed.
 *
 * @return whether there is something for weir_core_run(). False at once: the core has no links.
 */
WEIR_API bool weir_links_wait(struct weir_core *core, uint64_t ns);

/** Copy the core's counters; without links all are 0. Threads: the one that uses the core. */
WEIR_API void weir_links_get_stats(const struct weir_core *core, struct weir_links_stats *out);

#endif
