/**
 * @file
 * Shared state: numbers and sets under keys that belong to no single flow, reached by asynchronous
 * calls. "How many ports of this host has that one asked for in the last minute?"
 *
 * Each call is one step that nothing comes between. It answers with a future: of a table of this
 * core it is ready at once and takes no cell. That is no promise: another owner (another core, a
 * store beside) answers later, so wait for it as for any other.
 *
 * Keys:    up to WEIR_SHARED_KEY_MAX bytes, copied by the call. A key that is not there has the
 *          value 0; a call that changes it makes it.
 * Time:    a key lives as long as the call that made it says, in nanoseconds of the core's time
 *          (packet time, in steps of 100 ms), however often it changes meanwhile: so counts are
 *          counts within a window. weir_shared_expire() chooses anew.
 * Memory:  all of it at weir_shared_new(). Where there is no room for one more, the key or member
 *          that would be forgotten next goes, of equal ones the one that was made first, and is
 *          counted (weir_shared_stats.evicted). So nothing depends on the seed.
 * Threads: a table belongs to the core on which it is used, and is used while that is current; or
 *          to all cores of a monitor, see weir_monitor_share().
 */
#ifndef WEIR_SHARED_H
#define WEIR_SHARED_H

#include <weir/api.h>
#include <weir/error.h>
#include <weir/future.h>

#include <stddef.h>
#include <stdint.h>

struct weir_shared; /* opaque */

enum {
    WEIR_SHARED_KEY_MAX = 40,    /**< bytes of a key */
    WEIR_SHARED_MEMBER_MAX = 32, /**< bytes of a member of a set */
};

/** A time to live: never forgotten, but where room is wanted. */
#define WEIR_SHARED_FOREVER UINT64_MAX

struct weir_shared_opts {
    uint32_t entries; /**< keys and members of sets together, 1 to 2^26; each takes 108 bytes */
    uint64_t seed;    /**< of the hash; changes no answer */
};

/** Counters of a table. All but `entries` only grow. */
struct weir_shared_stats {
    uint64_t entries; /**< keys and members held now, those that are due to be forgotten too */
    uint64_t made;    /**< keys and members */
    uint64_t expired; /**< forgotten when their time was over */
    uint64_t evicted; /**< forgotten before, for want of room: limits of the table */
    uint64_t refused; /**< members not taken, because room could only come from their own key */
};

/**
 * @param[in]  opts  copied.
 * @param[out] out   freed with weir_shared_free(); NULL on error.
 * @return WEIR_E_OK, WEIR_E_INVAL or WEIR_E_NOMEM.
 */
WEIR_API WEIR_MUST_USE int
weir_shared_new(const struct weir_shared_opts *opts, struct weir_shared **out);

/** Free; NULL is allowed. */
WEIR_API void weir_shared_free(struct weir_shared *s);

/** @return the number that a call of this page answered with; @p f is ready. */
static inline int64_t
weir_shared_value(weir_fut f)
{
    return (int64_t)weir_value(f);
}

/**
 * All calls below take @p n bytes of key. They fail with WEIR_E_INVAL if a key or member is too
 * long, or no core is current.
 *
 * @return ready with the value; of a set, with how many members it has.
 */
WEIR_API WEIR_MUST_USE weir_fut weir_shared_get(struct weir_shared *s, const void *key, size_t n);

/**
 * Add to a number. It stays within what an int64_t holds.
 *
 * @param ttl  how long the key lives if this call makes it.
 * @return ready with the new value.
 */
WEIR_API WEIR_MUST_USE weir_fut weir_shared_add(struct weir_shared *s, const void *key, size_t n,
                                                int64_t delta, uint64_t ttl);

/**
 * Set a number, if it is what the caller expects: of several who try, one succeeds.
 *
 * @param ttl  as of weir_shared_add().
 * @return ready with the value before the call: it was set if that is @p expected.
 */
WEIR_API WEIR_MUST_USE weir_fut weir_shared_compare_and_set(struct weir_shared *s, const void *key,
                                                            size_t n, int64_t expected,
                                                            int64_t value, uint64_t ttl);

/**
 * Add a member to a set. Members that are equal count once; they live as long as their key, and
 * WEIR_E_LIMIT is the failure of weir_shared_stats.refused.
 *
 * A key is used for a set or for a number, not both.
 *
 * @param member  @p m bytes, copied.
 * @param ttl     as of weir_shared_add().
 * @return ready with how many different members the set has now.
 */
WEIR_API WEIR_MUST_USE weir_fut weir_shared_count_distinct(struct weir_shared *s, const void *key,
                                                           size_t n, const void *member, size_t m,
                                                           uint64_t ttl);

/**
 * Choose anew how long a key lives, from now. The members of a set that it has keep their time,
 * and count as they did.
 *
 * @param ttl  0: forget it now.
 * @return ready with its value before the call.
 */
WEIR_API WEIR_MUST_USE weir_fut weir_shared_expire(struct weir_shared *s, const void *key, size_t n,
                                                   uint64_t ttl);

/** Copy the counters. Threads: as for all calls on a table; or any, when nobody uses it. */
WEIR_API void weir_shared_get_stats(const struct weir_shared *s, struct weir_shared_stats *out);

#endif
