/**
 * @file
 * Futures: values that may still be on their way, and what shall happen when they are there.
 *
 * A weir_fut is a 16-byte value, passed in two registers. It is ready (with a payload of 8 bytes),
 * failed (with a code and a static text), or asleep (it names a cell of the current core). Ready
 * and failed futures touch no memory. doc/futures.md explains the model and its traps.
 *
 * Ownership: a future has one owner and is consumed exactly once: by weir_then(), weir_catch(),
 *            weir_always(), WEIR_AWAIT(), weir_when_all(), weir_when_any(), weir_timeout(),
 *            weir_detach(), weir_cancel(), weir_poll() or by being returned from a handler.
 * Threads:   futures, promises, semaphores and gates belong to the core on which they were made
 *            (core.h) and are used only while it is the thread's current core.
 * Memory:    cells come from the core's pool. When it can give no more, the wait that needs one
 *            is given up: its source is cancelled and the result fails with WEIR_E_NOMEM. The
 *            handler that was to wait, even one of weir_always(), is not called.
 */
#ifndef WEIR_FUTURE_H
#define WEIR_FUTURE_H

#include <weir/api.h>
#include <weir/error.h>

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct weir_cell; /* opaque: what a sleeping future waits in */

__extension__ typedef unsigned __int128 weir_fut_bits;

/**
 * A future. Its fields are private.
 *
 * One 128-bit scalar and not two words: where two results of the latter kind meet, GCC 12 merges
 * them through memory, which costs more than all the rest (tests/abi_future.sh guards this).
 */
typedef struct weir_fut {
    weir_fut_bits bits; /* low word: 0 ready, odd failed (code << 8 | 1), else a cell */
} weir_fut;

/**
 * A handler, or a stage of a tap.
 *
 * @param ctx  what was given with the handler.
 * @param in   always resolved: ready or failed.
 * @return any future; a sleeping one is waited for.
 */
typedef weir_fut (*weir_fn)(void *ctx, weir_fut in);

/** Where a cell was made: "file:line". */
#define WEIR_HERE             __FILE__ ":" WEIR_HERE_TEXT(__LINE__)
#define WEIR_HERE_TEXT(line)  WEIR_HERE_TEXT_(line)
#define WEIR_HERE_TEXT_(line) #line

/*
 * With --enable-debug-futures nothing is taken on the fast way: all goes through the library,
 * where it is checked, put off and shuffled. Either way works with either build of the library.
 */
#ifdef WEIR_DEBUG_FUTURES
#define WEIR_FAST(condition) (false && (condition))
#else
#define WEIR_FAST(condition) WEIR_LIKELY(condition)
#endif

/* ---- values ---- */

/** The code of weir_stop(). It differs from every WEIR_E_* that says what went wrong. */
#define WEIR_STOP 0

static inline uint64_t
weir_fut_low(weir_fut f)
{
    return (uint64_t)f.bits;
}

static inline uint64_t
weir_fut_high(weir_fut f)
{
    return (uint64_t)(f.bits >> 64);
}

static inline weir_fut
weir_fut_make(uint64_t low, uint64_t high)
{
    return (weir_fut){ (weir_fut_bits)high << 64 | low };
}

/** @return a ready future. */
static inline weir_fut
weir_ok(uint64_t value)
{
    return weir_fut_make(0, value);
}

/** @return a ready future that carries a pointer; what it points to stays whose it was. */
static inline weir_fut
weir_ok_ptr(void *ptr)
{
    return weir_ok((uintptr_t)ptr);
}

/**
 * @param code     a WEIR_E_* code, or an app's own below -1000; WEIR_STOP makes weir_stop().
 * @param message  static text for people.
 * @return a failed future.
 */
static inline weir_fut
weir_fail(int code, const char *message)
{
    return weir_fut_make((uint64_t)(uint32_t)code << 8 | 1, (uintptr_t)message);
}

/** @return a failed future that ends a tap's chain for this event only; weir_repeat() ends well. */
static inline weir_fut
weir_stop(void)
{
    return weir_fail(WEIR_STOP, "stop");
}

static inline bool
weir_is_ready(weir_fut f)
{
    return weir_fut_low(f) == 0;
}

static inline bool
weir_is_failed(weir_fut f)
{
    return (weir_fut_low(f) & 1) != 0;
}

static inline bool
weir_is_asleep(weir_fut f)
{
    return !weir_is_ready(f) && !weir_is_failed(f);
}

static inline bool
weir_is_stop(weir_fut f)
{
    return weir_fut_low(f) == ((uint64_t)WEIR_STOP << 8 | 1);
}

/** @return the payload of a ready future. */
static inline uint64_t
weir_value(weir_fut f)
{
    return weir_fut_high(f);
}

/** @return the payload of a ready future, as it was given to weir_ok_ptr(). */
static inline void *
weir_ptr(weir_fut f)
{
    return (void *)(uintptr_t)weir_fut_high(f);
}

/** @return the code of a failed future; WEIR_E_OK of any other, and of weir_stop(). */
static inline int
weir_code(weir_fut f)
{
    return weir_is_failed(f) ? (int)(uint32_t)(weir_fut_low(f) >> 8) : WEIR_E_OK;
}

/** @return the text of a failed future. */
static inline const char *
weir_message(weir_fut f)
{
    return (const char *)(uintptr_t)weir_fut_high(f);
}

/* ---- promises: the producer's side ---- */

/**
 * The right to resolve a future, once. A value: copy it freely. Late uses are refused until its
 * cell has served 65,535 others: forget copies of one that is resolved, broken or called off.
 */
struct weir_promise {
    struct weir_cell *cell; /* NULL: there was no memory */
    uint16_t gen;           /* tells the cell's lives apart */
};

/** @return a promise; its future is taken with weir_future(). It must be resolved or broken. */
#define weir_promise_new() weir_promise_new_at(WEIR_HERE)
WEIR_API WEIR_MUST_USE struct weir_promise weir_promise_new_at(const char *site);

/** @return the promise's future. To be taken once; it fails if there was no memory. */
static inline WEIR_MUST_USE weir_fut
weir_future(struct weir_promise promise)
{
    if (WEIR_UNLIKELY(promise.cell == NULL))
        return weir_fail(WEIR_E_NOMEM, "no cell for a promise");
    return weir_fut_make((uintptr_t)promise.cell, 0);
}

/**
 * Resolve a promise. Runs no handler: what waits is queued for weir_core_run().
 *
 * @param outcome  ready or failed, never asleep.
 * @return false: it was resolved, broken or taken back by a cancel before. Harmless, and counted.
 */
WEIR_API bool weir_resolve(struct weir_promise promise, weir_fut outcome);

/** Give a promise up: its future fails with WEIR_E_BROKEN. @return as weir_resolve(). */
WEIR_API bool weir_promise_break(struct weir_promise promise);

/**
 * Say how the work behind a promise is called off.
 *
 * Without this, a promise whose waiter is cancelled stays until its producer resolves it, to no
 * effect. With it, @p forget is called once and the promise is over; resolving it is refused. No
 * effect on a promise that is over; a cancel that came before this call is not told.
 *
 * @param forget  must not use futures, except to resolve other promises.
 */
WEIR_API void
weir_promise_on_cancel(struct weir_promise promise, void (*forget)(void *arg), void *arg);

/* ---- handlers: the consumer's side ---- */

WEIR_API WEIR_MUST_USE weir_fut weir_then_slow(weir_fut f, weir_fn fn, void *ctx, const char *site);
WEIR_API WEIR_MUST_USE weir_fut weir_catch_slow(weir_fut f, weir_fn fn, void *ctx,
                                                const char *site);
WEIR_API WEIR_MUST_USE weir_fut weir_always_slow(weir_fut f, weir_fn fn, void *ctx,
                                                 const char *site);

/**
 * Let @p fn handle the value of @p f: at once if it is ready, later if it sleeps, never if it
 * fails.
 *
 * @param ctx  must live until @p fn has run, or the future that is returned has been resolved.
 * @return what @p fn returns, or the failure of @p f.
 */
#define weir_then(f, fn, ctx) weir_then_at((f), (fn), (ctx), WEIR_HERE)
static inline WEIR_MUST_USE weir_fut
weir_then_at(weir_fut f, weir_fn fn, void *ctx, const char *site)
{
    if (WEIR_FAST(weir_is_ready(f)))
        return fn(ctx, f);
    return weir_is_failed(f) ? f : weir_then_slow(f, fn, ctx, site);
}

/** As weir_then(), for failures (weir_stop() too): a ready @p f passes by. */
#define weir_catch(f, fn, ctx) weir_catch_at((f), (fn), (ctx), WEIR_HERE)
static inline WEIR_MUST_USE weir_fut
weir_catch_at(weir_fut f, weir_fn fn, void *ctx, const char *site)
{
    if (WEIR_FAST(weir_is_failed(f)))
        return fn(ctx, f);
    return weir_is_ready(f) ? f : weir_catch_slow(f, fn, ctx, site);
}

/** As weir_then(), for both: @p fn sees the value or the failure. */
#define weir_always(f, fn, ctx) weir_always_at((f), (fn), (ctx), WEIR_HERE)
static inline WEIR_MUST_USE weir_fut
weir_always_at(weir_fut f, weir_fn fn, void *ctx, const char *site)
{
    if (WEIR_FAST(!weir_is_asleep(f)))
        return fn(ctx, f);
    return weir_always_slow(f, fn, ctx, site);
}

/** Let @p f run its course; nobody waits. A failure is counted (weir_core_stats.unhandled). */
WEIR_API void weir_detach(weir_fut f);

/**
 * Call off what @p f waits for, and let nobody wait for it.
 *
 * Its handlers see WEIR_E_CANCELED once: where it sleeps, or, if an outcome is already on its way
 * there, where it would sleep next. They run from weir_core_run(), and may still use their ctx.
 * To wait for that, use weir_timeout(), weir_when_any() or a tap, which do.
 */
WEIR_API void weir_cancel(weir_fut f);

/** @return the outcome of @p f, if it has one by now; otherwise @p f, not consumed. */
WEIR_API WEIR_MUST_USE weir_fut weir_poll(weir_fut f);

/* ---- combinations ---- */

/**
 * Wait for all of @p n futures, failed ones too.
 *
 * @param in       consumed; copied by the call.
 * @param results  @p n outcomes, valid when the future that is returned is resolved; may be NULL or
 *                 the same array as @p in.
 * @return ready with @p n; or the failure with the lowest index.
 */
#define weir_when_all(in, n, results) weir_when_all_at((in), (n), (results), WEIR_HERE)
WEIR_API WEIR_MUST_USE weir_fut weir_when_all_at(const weir_fut *in, unsigned n, weir_fut *results,
                                                 const char *site);

/**
 * Wait for the first of @p n futures and cancel the others. Resolves when their handlers have
 * run too, so that nothing of them is left.
 *
 * @param in       consumed; copied by the call.
 * @param results  @p n outcomes, valid when the future that is returned is resolved; may be NULL or
 *                 the same array as @p in.
 * @return ready with the index of the first, or its failure; WEIR_E_INVAL if @p n is 0.
 */
#define weir_when_any(in, n, results) weir_when_any_at((in), (n), (results), WEIR_HERE)
WEIR_API WEIR_MUST_USE weir_fut weir_when_any_at(const weir_fut *in, unsigned n, weir_fut *results,
                                                 const char *site);

/**
 * Cancel @p f unless it is resolved in time. Resolves when the handlers of @p f have run.
 *
 * @param ns  nanoseconds of the core's time (weir_core_advance()), from now.
 * @return the outcome of @p f; WEIR_E_TIMEOUT if time ended it, and no handler of it turned the
 *         WEIR_E_CANCELED that it saw into something else.
 */
#define weir_timeout(f, ns) weir_timeout_at((f), (ns), WEIR_HERE)
WEIR_API WEIR_MUST_USE weir_fut weir_timeout_at(weir_fut f, uint64_t ns, const char *site);

/** @return a future that is ready (with 0) when the core's time has advanced by @p ns. */
#define weir_after(ns) weir_after_at((ns), WEIR_HERE)
WEIR_API WEIR_MUST_USE weir_fut weir_after_at(uint64_t ns, const char *site);

/**
 * Call @p body again and again.
 *
 * Turns that are ready follow each other at once, until the core's budget is used up; the rest
 * waits for the next weir_core_run().
 *
 * @param body  gets ready 0; returns ready 0 or weir_stop() to end, any other value to go on.
 * @return ready 0, or the failure of @p body.
 */
#define weir_repeat(body, ctx) weir_repeat_at((body), (ctx), WEIR_HERE)
WEIR_API WEIR_MUST_USE weir_fut weir_repeat_at(weir_fn body, void *ctx, const char *site);

/** A counted resource; waiters are served in their order. Fields are private: weir_sem_init(). */
struct weir_sem {
    uint64_t units;
    struct weir_cell *first, **last;
};

/** Make a semaphore with so many units, for which nobody waits. */
WEIR_API void weir_sem_init(struct weir_sem *sem, uint64_t units);

/** @return ready 0 when @p units were taken; WEIR_E_BROKEN after weir_sem_break(). */
#define weir_sem_take(sem, units) weir_sem_take_at((sem), (units), WEIR_HERE)
WEIR_API WEIR_MUST_USE weir_fut weir_sem_take_at(struct weir_sem *sem, uint64_t units,
                                                 const char *site);

/** Put units back, or add new ones. */
WEIR_API void weir_sem_give(struct weir_sem *sem, uint64_t units);

/** Fail all who wait with WEIR_E_BROKEN; the semaphore's memory may go afterwards. */
WEIR_API void weir_sem_break(struct weir_sem *sem);

/** Counts who is inside, to wait for them at the end. All zero: open and empty. */
struct weir_gate {
    uint64_t inside;
    struct weir_promise empty; /* of weir_gate_close() */
    bool closed;
};

/** @return false: it is closed; do not go in. */
WEIR_API WEIR_MUST_USE bool weir_gate_enter(struct weir_gate *gate);

/** Out again: once for each weir_gate_enter() that returned true. */
WEIR_API void weir_gate_leave(struct weir_gate *gate);

/** Let nobody in. Once. @return ready 0 when all have left; its memory may go then. */
#define weir_gate_close(gate) weir_gate_close_at((gate), WEIR_HERE)
WEIR_API WEIR_MUST_USE weir_fut weir_gate_close_at(struct weir_gate *gate, const char *site);

/* ---- typed futures: a wrong joint does not compile ---- */

/**
 * Define a typed future: TAG_fut holds a T of at most 8 bytes. Makes TAG_ok(value),
 * TAG_fail(code, message), TAG_of(weir_fut) (trusted) and TAG_get(weir_fut).
 */
#define WEIR_FUTURE(TAG, T)                                                                        \
    typedef T TAG##_value;                                                                         \
    typedef struct {                                                                               \
        weir_fut f;                                                                                \
    } TAG##_fut;                                                                                   \
    static_assert(sizeof(T) <= 8, #TAG ": payload over 8 bytes; let it be a pointer");             \
    static inline TAG##_fut TAG##_of(weir_fut f)                                                   \
    {                                                                                              \
        return (TAG##_fut){ f };                                                                   \
    }                                                                                              \
    __attribute__((unused)) static inline TAG##_fut TAG##_ok(T value)                              \
    {                                                                                              \
        uint64_t word = 0;                                                                         \
        memcpy(&word, &value, sizeof(value));                                                      \
        return TAG##_of(weir_ok(word));                                                            \
    }                                                                                              \
    __attribute__((unused)) static inline TAG##_fut TAG##_fail(int code, const char *message)      \
    {                                                                                              \
        return TAG##_of(weir_fail(code, message));                                                 \
    }                                                                                              \
    __attribute__((unused)) static inline T TAG##_get(weir_fut f)                                  \
    {                                                                                              \
        const uint64_t word = weir_value(f);                                                       \
        T value;                                                                                   \
        memcpy(&value, &word, sizeof(value));                                                      \
        return value;                                                                              \
    }                                                                                              \
    static_assert(sizeof(TAG##_fut) == 16, #TAG)

/**
 * Define a typed stage: WEIR_HANDLER(OUT, name, CTX, ctx, IN, arg) { body }. It takes the value of
 * an IN_fut as arg and returns an OUT_fut. Makes name(), name_raw() (a weir_fn) and
 * name_then(IN_fut, CTX).
 */
#define WEIR_HANDLER(OUT, name, CTX, ctx, IN, arg)                                                 \
    static OUT##_fut name(CTX ctx, IN##_value arg);                                                \
    __attribute__((unused)) static weir_fut name##_raw(void *any, weir_fut in)                     \
    {                                                                                              \
        return name((CTX)any, IN##_get(in)).f;                                                     \
    }                                                                                              \
    __attribute__((unused)) WEIR_MUST_USE static inline OUT##_fut name##_then(IN##_fut in, CTX c)  \
    {                                                                                              \
        if (WEIR_FAST(weir_is_ready(in.f)))                                                        \
            return name(c, IN##_get(in.f));                                                        \
        return OUT##_of(weir_then(in.f, name##_raw, c));                                           \
    }                                                                                              \
    static OUT##_fut name(CTX ctx, IN##_value arg)

/**
 * Define a table of 1 to 8 typed stages for a tap: WEIR_CHAIN(table, CTX, IN, a, b, c). The
 * compiler sees to it that each stage takes what the one before returns, and that all take CTX.
 */
#define WEIR_CHAIN(table, CTX, IN, ...)                                                            \
    static const weir_fn table[] = { WEIR_CHAIN_N(WEIR_RAW, __VA_ARGS__)(__VA_ARGS__) };           \
    static_assert(sizeof(WEIR_CHAIN_N(WEIR_JOIN, __VA_ARGS__)(CTX, (IN##_of(weir_ok(0))),          \
                                                              __VA_ARGS__)) == 16,                 \
                  #table)

/* Picks WEIR_RAW_3 for three stages, and so on. */
#define WEIR_CHAIN_N(kind, ...) WEIR_CHAIN_N_(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0)(kind)

#define WEIR_CHAIN_N_(a, b, c, d, e, f, g, h, n, ...) WEIR_CHAIN_PASTE_##n

#define WEIR_CHAIN_PASTE_1(kind) kind##_1
#define WEIR_CHAIN_PASTE_2(kind) kind##_2
#define WEIR_CHAIN_PASTE_3(kind) kind##_3
#define WEIR_CHAIN_PASTE_4(kind) kind##_4
#define WEIR_CHAIN_PASTE_5(kind) kind##_5
#define WEIR_CHAIN_PASTE_6(kind) kind##_6
#define WEIR_CHAIN_PASTE_7(kind) kind##_7
#define WEIR_CHAIN_PASTE_8(kind) kind##_8

#define WEIR_RAW_1(a)      a##_raw
#define WEIR_RAW_2(a, ...) a##_raw, WEIR_RAW_1(__VA_ARGS__)
#define WEIR_RAW_3(a, ...) a##_raw, WEIR_RAW_2(__VA_ARGS__)
#define WEIR_RAW_4(a, ...) a##_raw, WEIR_RAW_3(__VA_ARGS__)
#define WEIR_RAW_5(a, ...) a##_raw, WEIR_RAW_4(__VA_ARGS__)
#define WEIR_RAW_6(a, ...) a##_raw, WEIR_RAW_5(__VA_ARGS__)
#define WEIR_RAW_7(a, ...) a##_raw, WEIR_RAW_6(__VA_ARGS__)
#define WEIR_RAW_8(a, ...) a##_raw, WEIR_RAW_7(__VA_ARGS__)

#define WEIR_JOIN_1(CTX, f, a)      a##_then(f, (CTX)0)
#define WEIR_JOIN_2(CTX, f, a, ...) WEIR_JOIN_1(CTX, WEIR_JOIN_1(CTX, f, a), __VA_ARGS__)
#define WEIR_JOIN_3(CTX, f, a, ...) WEIR_JOIN_2(CTX, WEIR_JOIN_1(CTX, f, a), __VA_ARGS__)
#define WEIR_JOIN_4(CTX, f, a, ...) WEIR_JOIN_3(CTX, WEIR_JOIN_1(CTX, f, a), __VA_ARGS__)
#define WEIR_JOIN_5(CTX, f, a, ...) WEIR_JOIN_4(CTX, WEIR_JOIN_1(CTX, f, a), __VA_ARGS__)
#define WEIR_JOIN_6(CTX, f, a, ...) WEIR_JOIN_5(CTX, WEIR_JOIN_1(CTX, f, a), __VA_ARGS__)
#define WEIR_JOIN_7(CTX, f, a, ...) WEIR_JOIN_6(CTX, WEIR_JOIN_1(CTX, f, a), __VA_ARGS__)
#define WEIR_JOIN_8(CTX, f, a, ...) WEIR_JOIN_7(CTX, WEIR_JOIN_1(CTX, f, a), __VA_ARGS__)

/* ---- coroutines: a handler that waits in the middle ---- */

/**
 * Where a coroutine stands. All zero: at its begin. It lies in the ctx, with all variables that
 * must survive a wait (locals do not), and lives until the coroutine's future is resolved.
 */
struct weir_co {
    weir_fut got; /**< outcome of the latest WEIR_AWAIT() */
    struct weir_cell *cell;
    weir_fn body;
    void *ctx;
    unsigned line;
};

/**
 * The frame of a handler `weir_fut body(void *ctx, weir_fut in)` that may wait:
 *
 *     WEIR_BEGIN(&c->co, body, c, in);
 *     WEIR_AWAIT(&c->co, something());      // c->co.got is its outcome
 *     WEIR_TRY(&c->co, something_else());   // a failure is returned
 *     WEIR_END(&c->co);
 *     return weir_ok(0);
 *
 * Leave the middle with WEIR_RETURN only. No WEIR_AWAIT inside a switch of your own; not two on a
 * line. A coroutine that sleeps must not be started again.
 */
#define WEIR_BEGIN(co, self, arg, in)                                                              \
    (co)->got = (in);                                                                              \
    (co)->body = (self);                                                                           \
    (co)->ctx = (arg);                                                                             \
    switch ((co)->line) {                                                                          \
    case 0:

/** Wait for @p fut, with its outcome, good or bad, in co->got. */
#define WEIR_AWAIT(co, fut)                                                                        \
    do {                                                                                           \
        (co)->got = (fut);                                                                         \
        if (WEIR_UNLIKELY(weir_is_asleep((co)->got)) && weir_co_sleep((co), WEIR_HERE)) {          \
            (co)->line = __LINE__;                                                                 \
            return weir_co_future(co);                                                             \
        case __LINE__:;                                                                            \
        }                                                                                          \
    } while (0)

/** As WEIR_AWAIT(); a failure is returned at once. */
#define WEIR_TRY(co, fut)                                                                          \
    do {                                                                                           \
        WEIR_AWAIT(co, fut);                                                                       \
        if (WEIR_UNLIKELY(weir_is_failed((co)->got)))                                              \
            return weir_co_end(co, (co)->got);                                                     \
    } while (0)

#define WEIR_RETURN(co, fut) return weir_co_end((co), (fut))

#define WEIR_END(co)                                                                               \
    }                                                                                              \
    (void)weir_co_end((co), weir_ok(0))

/** Used by WEIR_AWAIT(). @return false: no need to sleep, co->got is an outcome. */
WEIR_API WEIR_MUST_USE bool weir_co_sleep(struct weir_co *co, const char *site);

static inline weir_fut
weir_co_future(const struct weir_co *co)
{
    return weir_fut_make((uintptr_t)co->cell, 0);
}

static inline weir_fut
weir_co_end(struct weir_co *co, weir_fut outcome)
{
    co->line = 0;
    co->cell = NULL;
    return outcome;
}

#endif
