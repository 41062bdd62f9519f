/*
 * Futures against a simple interpreter: random programs of handlers, coroutines, loops, joins,
 * timeouts and semaphores, whose promises are resolved and whose strands are cancelled at random.
 *
 * The interpreter knows neither cells nor a pool. A node is asleep, done, or stands for another one
 * (Sleep, Ready and Link of doc/futures.md); a queue of leaves that were resolved is all it has
 * besides. Every handler has to be called with the same input, in the same order.
 */
#include "../unit/future_help.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PROGRAMS = 30000, MAX_NODES = 160, MAX_CHILDREN = 3, MAX_ROOTS = 3, MAX_HELD = 3 };
enum { TRACE_ROOM = 4096, SEM_UNITS = 3 };

enum kind {
    READY,
    FAILED,
    PROMISE,
    AFTER,
    TAKE, /* units of the semaphore */
    THEN,
    CATCH,
    ALWAYS,
    COROUTINE, /* awaits its children, one after the other */
    REPEAT,    /* each turn is a child */
    TIMEOUT,
    ALL,
    ANY,
    KINDS,
};

/* What a handler does. */
enum act {
    ACT_VALUE,
    ACT_PASS, /* return the input */
    ACT_FAIL,
    ACT_STOP,
    ACT_INNER,   /* make the node's inner one, and return it */
    ACT_HELD,    /* return a future that was made before, if it is still there */
    ACT_RESOLVE, /* resolve some promise */
    ACT_GIVE,    /* put back what the semaphore gave to the node's inner one */
    ACTS,
};

/* What the interpreter knows of a node. */
struct model {
    struct node *parent; /* who waits for it */
    struct node *link;   /* what it stands for */
    bool built, done, queued, open, consumed, taken;
    bool mark; /* a cancel goes up with the outcome */
    bool canceled_above, spent, expired, armed;
    weir_fut outcome, results[MAX_CHILDREN];
    unsigned at, left, winner;
    uint64_t deadline, number, sum;
};

/* What the real one needs. */
struct real {
    bool built, consumed, taken;
    weir_fut future; /* of a held node, or of a root that is kept */
    struct weir_promise promise;
    weir_fut results[MAX_CHILDREN];
    struct weir_co co;
    unsigned at;
    uint64_t sum;
};

struct node {
    enum kind kind;
    enum act act;
    unsigned id, n, units;
    bool stoppable; /* a promise whose producer can be called off */
    bool tries;     /* a coroutine that ends with the first failure */
    uint64_t ns;
    weir_fut value;
    struct node *child[MAX_CHILDREN], *inner;
    struct model m;
    struct real r;
};

struct call {
    unsigned id;
    int code;
    uint64_t value;
};

struct trace {
    struct call calls[TRACE_ROOM];
    unsigned n;
};

static struct program {
    struct node nodes[MAX_NODES];
    unsigned n;
    struct node *held[MAX_HELD], *root[MAX_ROOTS];
    bool kept[MAX_ROOTS]; /* else it is detached */
    unsigned n_held, n_roots;
} program;

static struct trace real_trace, model_trace;
static uint64_t seed, under_way;
static struct weir_sem sem;

static uint64_t
random_below(uint64_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % n;
}

static void
note_call(struct trace *trace, const struct node *node, weir_fut in)
{
    assert_true(trace->n < TRACE_ROOM);
    trace->calls[trace->n++] = (struct call){ node->id, weir_code(in),
                                              weir_is_ready(in) ? weir_value(in) : 0 };
}

/* An outcome as a number. */
static uint64_t
digest(weir_fut outcome)
{
    return weir_is_ready(outcome) ? weir_value(outcome) * 3 + 1
                                  : (uint64_t)(int64_t)weir_code(outcome) * 7 + 2;
}

static uint64_t
digest_all(const weir_fut *results, unsigned n)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < n; i++)
        sum = sum * 31 + digest(results[i]);
    return sum;
}

static bool
takes(const struct node *node, weir_fut in)
{
    return node->kind == ALWAYS || (node->kind == THEN) == weir_is_ready(in);
}

/* ---- random programs ---- */

static struct node *random_node(unsigned depth, unsigned n_held);

static struct node *
new_node(enum kind kind)
{
    struct node *node = &program.nodes[program.n];

    memset(node, 0, sizeof(*node));
    node->kind = kind;
    node->id = program.n++;
    return node;
}

/* Take units, do something with them, put them back. */
static struct node *
random_critical_section(unsigned depth, unsigned n_held)
{
    struct node *out = new_node(ALWAYS), *in = new_node(THEN);

    out->act = ACT_GIVE;
    out->inner = in;
    out->child[0] = in;
    out->n = in->n = 1;
    in->act = ACT_INNER;
    in->child[0] = new_node(TAKE);
    in->child[0]->units = out->units = 1 + (unsigned)random_below(SEM_UNITS);
    in->inner = random_node(depth - 1, n_held);
    return out;
}

static struct node *
random_leaf(void)
{
    struct node *leaf = new_node((enum kind)random_below(AFTER + 1));

    leaf->value = weir_ok(random_below(100));
    if (leaf->kind == FAILED)
        leaf->value = random_below(5) == 0 ? weir_stop() : weir_fail(-1500 - (int)leaf->id, "made");
    if (leaf->kind < PROMISE && random_below(3) != 0)
        leaf->kind = PROMISE;
    leaf->ns = random_below(8) == 0 ? 0 : 1 + random_below(1 << 22);
    leaf->stoppable = random_below(2);
    return leaf;
}

static void
random_act(struct node *node, unsigned depth, unsigned n_held)
{
    node->act = (enum act)random_below(ACT_GIVE);
    node->units = (unsigned)random_below(n_held + 1);
    if (random_below(3) == 0 || (node->act == ACT_HELD && node->units == n_held))
        node->act = ACT_INNER;
    if (node->act == ACT_INNER)
        node->inner = random_node(depth - 1, n_held);
}

/* n_held: it may use the futures held below this number. */
static struct node *
random_node(unsigned depth, unsigned n_held)
{
    struct node *node;
    enum kind kind;

    if (depth == 0 || program.n + 24 > MAX_NODES || random_below(6) == 0)
        return random_leaf();
    if (random_below(10) == 0)
        return random_critical_section(depth, n_held);
    kind = (enum kind)(THEN + random_below(KINDS - THEN));
    node = new_node(kind);
    node->n = kind <= ALWAYS || kind == TIMEOUT ? 1 : 1 + (unsigned)random_below(MAX_CHILDREN);
    node->tries = random_below(2);
    node->ns = random_below(8) == 0 ? 0 : 1 + random_below(1 << 22);
    for (unsigned i = 0; i < node->n; i++)
        node->child[i] = random_node(depth - 1, n_held);
    if (kind <= ALWAYS)
        random_act(node, depth, n_held);
    return node;
}

/* Half of the roots have a handler that sees how they end. */
static struct node *
random_root(void)
{
    struct node *root = random_node(4, program.n_held), *observer;

    if (random_below(2) == 0)
        return root;
    observer = new_node(ALWAYS);
    observer->act = ACT_PASS;
    observer->n = 1;
    observer->child[0] = root;
    return observer;
}

static void
random_program(void)
{
    program.n = 0;
    program.n_held = (unsigned)random_below(MAX_HELD + 1);
    program.n_roots = 1 + (unsigned)random_below(MAX_ROOTS);
    for (unsigned i = 0; i < program.n_held; i++)
        program.held[i] = random_node(2, i);
    for (unsigned i = 0; i < program.n_roots; i++) {
        program.root[i] = random_root();
        program.kept[i] = random_below(2);
    }
}

/* The promise that ACT_RESOLVE of a node means; NULL: there is none. */
static struct node *
some_promise(const struct node *node)
{
    for (unsigned i = 1; i < program.n; i++) {
        struct node *other = &program.nodes[(node->id + i) % program.n];

        if (other->kind == PROMISE)
            return other;
    }
    return NULL;
}

/* ---- the interpreter ---- */

static struct {
    struct node *queue[TRACE_ROOM]; /* leaves that were resolved, and whose parents do not know */
    unsigned first, last;
    struct node *waiting[MAX_NODES]; /* for units */
    unsigned n_waiting;
    uint64_t units, now, timers, forgotten;
    bool broken;
} model;

static void m_build(struct node *node);
static void m_cancel(struct node *node);
static void m_cancel_parts(struct node *join);

static struct node *
m_see(struct node *node)
{
    while (node->m.link != NULL)
        node = node->m.link;
    return node;
}

/* @return whether it sleeps; if not, its outcome is in *out. */
static bool
m_sleeps(struct node *node, weir_fut *out)
{
    node = m_see(node);
    *out = node->m.outcome;
    return !node->m.done;
}

static void
m_finish(struct node *node, weir_fut outcome)
{
    node->m.done = true;
    node->m.armed = false;
    node->m.outcome = outcome;
}

static void
m_attach(struct node *parent, struct node *child)
{
    m_see(child)->m.parent = parent;
}

/* A leaf is over: who waits for it will hear of it in its turn. */
static void
m_settle(struct node *leaf, weir_fut outcome)
{
    leaf->m.open = leaf->m.armed = false;
    leaf->m.outcome = outcome;
    if (leaf->m.parent == NULL) {
        m_finish(leaf, outcome);
        return;
    }
    if (leaf->m.parent->kind == TIMEOUT)
        leaf->m.parent->m.armed = false;
    leaf->m.queued = true;
    assert_true(model.last < TRACE_ROOM);
    model.queue[model.last++] = leaf;
}

static bool
m_resolve(struct node *promise, weir_fut outcome)
{
    if (!promise->m.open)
        return false;
    promise->m.open = false;
    if (!promise->m.spent) /* else nobody waits any more */
        m_settle(promise, outcome);
    return true;
}

static void
m_serve(void)
{
    while (model.n_waiting > 0 && model.waiting[0]->units <= model.units) {
        struct node *first = model.waiting[0];

        model.units -= first->units;
        memmove(model.waiting, model.waiting + 1, --model.n_waiting * sizeof(model.waiting[0]));
        m_settle(first, weir_ok(0));
    }
}

static void
m_break(void)
{
    model.broken = true;
    for (unsigned i = 0; i < model.n_waiting; i++)
        m_settle(model.waiting[i], weir_fail(WEIR_E_BROKEN, "model"));
    model.n_waiting = 0;
}

static void
m_take(struct node *node)
{
    if (model.broken) {
        m_finish(node, weir_fail(WEIR_E_BROKEN, "model"));
    } else if (model.n_waiting == 0 && node->units <= model.units) {
        model.units -= node->units;
        m_finish(node, weir_ok(0));
    } else {
        model.waiting[model.n_waiting++] = node;
    }
}

static void
m_stop_waiting(const struct node *node)
{
    for (unsigned i = 0; i < model.n_waiting; i++)
        if (model.waiting[i] == node) {
            model.n_waiting--;
            memmove(model.waiting + i, model.waiting + i + 1,
                    (model.n_waiting - i) * sizeof(model.waiting[0]));
            return;
        }
}

static void
m_arm(struct node *node)
{
    node->m.armed = true;
    node->m.deadline = model.now + node->ns;
    node->m.number = model.timers++;
}

/* @return the node that a handler returned; NULL: *outcome is what it returned. */
static struct node *
m_call(struct node *node, weir_fut in, weir_fut *outcome)
{
    struct node *other;

    note_call(&model_trace, node, in);
    *outcome = weir_ok(digest(in));
    switch (node->act) {
    case ACT_PASS:
        *outcome = in;
        break;
    case ACT_FAIL:
        *outcome = weir_fail(-2000 - (int)node->id, "handler");
        break;
    case ACT_STOP:
        *outcome = weir_stop();
        break;
    case ACT_INNER:
        node->m.taken = true;
        m_build(node->inner);
        return node->inner;
    case ACT_HELD:
        other = program.held[node->units];
        if (other->m.consumed)
            break;
        other->m.consumed = true;
        return other;
    case ACT_RESOLVE:
        other = some_promise(node);
        if (other != NULL && other->m.built)
            *outcome = weir_ok(m_resolve(other, weir_ok(node->id)));
        break;
    case ACT_GIVE:
        *outcome = in;
        if (!node->inner->m.taken)
            break;
        model.units += node->units;
        m_serve();
        break;
    default:
        break;
    }
    return NULL;
}

/* Let a handler see its input. @return whether the node sleeps, for what the handler returned. */
static bool
m_handle(struct node *node, weir_fut in)
{
    weir_fut outcome = in;
    struct node *result = takes(node, in) ? m_call(node, in, &outcome) : NULL;

    if (result == NULL || !m_sleeps(result, &outcome)) {
        m_finish(node, outcome);
        return false;
    }
    result = m_see(result);
    node->m.link = result;
    result->m.parent = node->m.parent;
    return true;
}

/* @return whether it sleeps again. */
static bool
m_go_on(struct node *node, bool begun, weir_fut in)
{
    for (;;) {
        const bool loop = node->kind == REPEAT;

        if (begun) {
            node->m.sum = node->m.sum * 31 + digest(in);
            if (weir_is_failed(in) && (loop || node->tries)) {
                m_finish(node, loop && weir_is_stop(in) ? weir_ok(0) : in);
                return false;
            }
        }
        begun = true;
        if (node->m.at == node->n) {
            m_finish(node, weir_ok(loop ? 0 : node->m.sum));
            return false;
        }
        m_build(node->child[node->m.at]);
        if (m_sleeps(node->child[node->m.at++], &in)) {
            m_attach(node, node->child[node->m.at - 1]);
            return true;
        }
    }
}

/* Note an outcome. @return whether the others have lost by it. */
static bool
m_note(struct node *join, unsigned i, weir_fut outcome)
{
    const bool first = join->m.winner == UINT32_MAX;

    join->m.results[i] = outcome;
    if (join->kind == ANY && first) {
        join->m.winner = i;
        join->m.outcome = weir_is_failed(outcome) ? outcome : weir_ok(i);
        return true;
    }
    if (join->kind == ALL && weir_is_failed(outcome) && i < join->m.winner) {
        join->m.winner = i;
        join->m.outcome = outcome;
    }
    return false;
}

static void
m_end_join(struct node *join)
{
    note_call(&model_trace, join, weir_ok(digest_all(join->m.results, join->n)));
    m_finish(join, join->m.outcome);
}

static void
m_build_join(struct node *join)
{
    bool won = false;
    weir_fut outcome;

    for (unsigned i = 0; i < join->n; i++)
        m_build(join->child[i]);
    join->m.winner = UINT32_MAX;
    join->m.outcome = weir_ok(join->n);
    for (unsigned i = 0; i < join->n; i++) {
        if (m_sleeps(join->child[i], &outcome)) {
            m_attach(join, join->child[i]);
            join->m.left++;
        } else {
            won |= m_note(join, i, outcome);
        }
    }
    if (join->m.left == 0) {
        m_end_join(join);
    } else if (won) {
        join->m.spent = true;
        m_cancel_parts(join);
    }
}

/* One of a join's parts is over. @return whether the join still sleeps. */
static bool
m_part_done(struct node *join, const struct node *part, weir_fut outcome, bool mark)
{
    unsigned i = 0;

    while (m_see(join->child[i]) != part)
        i++;
    if (join->m.canceled_above && !mark)
        join->m.spent = true;
    if (m_note(join, i, outcome) && !join->m.canceled_above) {
        join->m.spent = true;
        m_cancel_parts(join);
    }
    if (--join->m.left > 0)
        return true;
    if (join->m.canceled_above && !join->m.spent)
        join->m.mark = true;
    m_end_join(join);
    return false;
}

static void
m_build_timeout(struct node *node)
{
    weir_fut outcome;

    m_build(node->child[0]);
    if (!m_sleeps(node->child[0], &outcome)) {
        m_finish(node, outcome);
        return;
    }
    m_attach(node, node->child[0]);
    if (node->ns == 0) {
        node->m.expired = true;
        m_cancel(node->child[0]);
    } else {
        m_arm(node);
    }
}

static void
m_build_handler(struct node *node)
{
    weir_fut outcome;

    m_build(node->child[0]);
    if (m_sleeps(node->child[0], &outcome))
        m_attach(node, node->child[0]);
    else
        (void)m_handle(node, outcome);
}

static void
m_build(struct node *node)
{
    node->m.built = true;
    switch (node->kind) {
    case PROMISE:
        node->m.open = true;
        break;
    case AFTER:
        if (node->ns == 0)
            m_finish(node, weir_ok(0));
        else
            m_arm(node);
        break;
    case TAKE:
        m_take(node);
        break;
    case COROUTINE:
    case REPEAT:
        (void)m_go_on(node, false, weir_ok(0));
        break;
    case TIMEOUT:
        m_build_timeout(node);
        break;
    case ALL:
    case ANY:
        m_build_join(node);
        break;
    case READY:
    case FAILED:
        m_finish(node, node->value);
        break;
    default:
        m_build_handler(node);
        break;
    }
}

/*
 * The child of a node is over. @return whether the node is, too. *mark: a cancel comes up with the
 * outcome; if the node sleeps again, it ends what the node then sleeps on.
 */
static bool
m_hear(struct node *node, const struct node *child, weir_fut outcome, bool *mark)
{
    bool sleeps;

    switch (node->kind) {
    case ALL:
    case ANY:
        sleeps = m_part_done(node, child, outcome, *mark);
        *mark = node->m.mark;
        return !sleeps;
    case TIMEOUT:
        if (node->m.expired && weir_code(outcome) == WEIR_E_CANCELED)
            outcome = weir_fail(WEIR_E_TIMEOUT, "model");
        *mark = (*mark && node->m.canceled_above) || node->m.mark;
        m_finish(node, outcome);
        return true;
    case COROUTINE:
    case REPEAT:
        sleeps = m_go_on(node, true, outcome);
        if (sleeps && *mark)
            m_cancel(node->child[node->m.at - 1]);
        return !sleeps;
    default:
        sleeps = m_handle(node, outcome);
        if (sleeps && *mark)
            m_cancel(node);
        return !sleeps;
    }
}

static void
m_run(void)
{
    while (model.first < model.last) {
        struct node *child = model.queue[model.first++], *node = child->m.parent;
        bool mark = child->m.mark;

        child->m.queued = false;
        m_finish(child, child->m.outcome);
        while (node != NULL && m_hear(node, child, child->m.outcome, &mark)) {
            child = node;
            node = node->m.parent;
        }
    }
    model.first = model.last = 0;
}

/* ---- cancelling: down to the leaves, breadth first; the producers are told at the end ---- */

struct walk {
    struct node *todo[MAX_NODES], *over[MAX_NODES];
    unsigned n_todo, n_over;
};

static void
m_cancel_leaf(struct walk *walk, struct node *leaf)
{
    if (leaf->kind == TAKE) {
        m_stop_waiting(leaf);
        walk->over[walk->n_over++] = leaf;
    } else if (leaf->kind == PROMISE && leaf->stoppable) {
        walk->over[walk->n_over++] = leaf;
    }
    leaf->m.spent = true;
    if (leaf->m.parent != NULL) {
        const bool open = leaf->kind == PROMISE && !leaf->stoppable;

        m_settle(leaf, weir_fail(WEIR_E_CANCELED, "model"));
        leaf->m.open = open;
    } else {
        leaf->m.open = leaf->kind == PROMISE && !leaf->stoppable;
        leaf->m.armed = false;
    }
}

static void
m_add_parts(struct walk *walk, struct node *join)
{
    weir_fut ignored;

    for (unsigned i = 0; i < join->n; i++)
        if (m_sleeps(join->child[i], &ignored))
            walk->todo[walk->n_todo++] = join->child[i];
}

static void
m_cancel_join(struct walk *walk, struct node *join)
{
    if (join->kind == ANY && join->m.spent) {
        join->m.mark = true;
        return;
    }
    join->m.canceled_above = true;
    m_add_parts(walk, join);
}

/* @return what the walk goes on with; NULL: its end. */
static struct node *
m_cancel_timeout(struct node *node)
{
    if (node->m.expired || m_see(node->child[0])->m.queued) {
        node->m.mark = true;
        return NULL;
    }
    node->m.armed = false;
    node->m.canceled_above = true;
    return node->child[0];
}

static struct node *
m_cancel_one(struct walk *walk, struct node *node)
{
    node = m_see(node);
    if (node->m.queued) {
        node->m.mark = true;
        return NULL;
    }
    if (node->kind <= TAKE) {
        m_cancel_leaf(walk, node);
        return NULL;
    }
    if (node->kind == ALL || node->kind == ANY) {
        m_cancel_join(walk, node);
        return NULL;
    }
    if (node->kind == TIMEOUT)
        return m_cancel_timeout(node);
    return node->child[node->kind <= ALWAYS ? 0 : node->m.at - 1];
}

static void
m_walk(struct walk *walk)
{
    for (unsigned i = 0; i < walk->n_todo; i++)
        for (struct node *node = walk->todo[i]; node != NULL;)
            node = m_cancel_one(walk, node);
    for (unsigned i = 0; i < walk->n_over; i++) {
        if (walk->over[i]->kind == TAKE)
            m_serve();
        else
            model.forgotten += walk->over[i]->id + 1;
    }
}

static void
m_cancel(struct node *node)
{
    struct walk walk = { .todo = { node }, .n_todo = 1 };

    m_walk(&walk);
}

static void
m_cancel_parts(struct node *join)
{
    struct walk walk = { .n_todo = 0 };

    m_add_parts(&walk, join);
    m_walk(&walk);
}

static struct node *
m_next_timer(void)
{
    struct node *first = NULL;

    for (unsigned i = 0; i < program.n; i++) {
        struct node *node = &program.nodes[i];

        if (node->m.armed &&
            (first == NULL || node->m.deadline < first->m.deadline ||
             (node->m.deadline == first->m.deadline && node->m.number < first->m.number)))
            first = node;
    }
    return first;
}

static void
m_advance(uint64_t now)
{
    struct node *node;

    model.now = now;
    while ((node = m_next_timer()) != NULL && node->m.deadline <= now) {
        node->m.armed = false;
        if (node->kind == AFTER) {
            m_settle(node, weir_ok(0));
        } else {
            node->m.expired = true;
            m_cancel(node->child[0]);
        }
    }
}

/* ---- the real ones ---- */

static uint64_t forgotten;

static weir_fut r_build(struct node *node);

static void
r_forget(void *arg)
{
    forgotten += ((const struct node *)arg)->id + 1;
}

static weir_fut
r_handler(void *ctx, weir_fut in)
{
    struct node *node = ctx, *other;

    note_call(&real_trace, node, in);
    switch (node->act) {
    case ACT_PASS:
        return in;
    case ACT_FAIL:
        return weir_fail(-2000 - (int)node->id, "handler");
    case ACT_STOP:
        return weir_stop();
    case ACT_INNER:
        node->r.taken = true;
        return r_build(node->inner);
    case ACT_HELD:
        other = program.held[node->units];
        if (other->r.consumed)
            break;
        other->r.consumed = true;
        return other->r.future;
    case ACT_RESOLVE:
        other = some_promise(node);
        if (other != NULL && other->r.built)
            return weir_ok(weir_resolve(other->r.promise, weir_ok(node->id)));
        break;
    case ACT_GIVE:
        if (node->inner->r.taken)
            weir_sem_give(&sem, node->units);
        return in;
    default:
        break;
    }
    return weir_ok(digest(in));
}

static weir_fut
r_coroutine(void *ctx, weir_fut in)
{
    struct node *node = ctx;
    struct real *r = &node->r;

    WEIR_BEGIN(&r->co, r_coroutine, node, in);
    while (r->at < node->n) {
        WEIR_AWAIT(&r->co, r_build(node->child[r->at++]));
        r->sum = r->sum * 31 + digest(r->co.got);
        if (weir_is_failed(r->co.got) && node->tries)
            WEIR_RETURN(&r->co, r->co.got);
    }
    WEIR_END(&r->co);
    return weir_ok(r->sum);
}

static weir_fut
r_one(void *ctx, weir_fut in)
{
    (void)ctx;
    (void)in;
    return weir_ok(1);
}

static weir_fut
r_turn(void *ctx, weir_fut in)
{
    struct node *node = ctx;

    (void)in;
    if (node->r.at == node->n)
        return weir_ok(0);
    return weir_then(r_build(node->child[node->r.at++]), r_one, NULL);
}

static weir_fut
r_note_results(void *ctx, weir_fut in)
{
    struct node *join = ctx;

    note_call(&real_trace, join, weir_ok(digest_all(join->r.results, join->n)));
    return in;
}

static weir_fut
r_build_join(struct node *node)
{
    weir_fut parts[MAX_CHILDREN];

    for (unsigned i = 0; i < node->n; i++)
        parts[i] = r_build(node->child[i]);
    if (node->kind == ALL)
        return weir_always(weir_when_all(parts, node->n, node->r.results), r_note_results, node);
    return weir_always(weir_when_any(parts, node->n, node->r.results), r_note_results, node);
}

static weir_fut
r_build_promise(struct node *node)
{
    node->r.promise = weir_promise_new();
    if (node->stoppable)
        weir_promise_on_cancel(node->r.promise, r_forget, node);
    return weir_future(node->r.promise);
}

static weir_fut
r_build(struct node *node)
{
    node->r.built = true;
    switch (node->kind) {
    case PROMISE:
        return r_build_promise(node);
    case AFTER:
        return weir_after(node->ns);
    case TAKE:
        return weir_sem_take(&sem, node->units);
    case THEN:
        return weir_then(r_build(node->child[0]), r_handler, node);
    case CATCH:
        return weir_catch(r_build(node->child[0]), r_handler, node);
    case ALWAYS:
        return weir_always(r_build(node->child[0]), r_handler, node);
    case COROUTINE:
        return r_coroutine(node, weir_ok(0));
    case REPEAT:
        return weir_repeat(r_turn, node);
    case TIMEOUT:
        return weir_timeout(r_build(node->child[0]), node->ns);
    case ALL:
    case ANY:
        return r_build_join(node);
    default:
        return node->value;
    }
}

/* ---- both side by side ---- */

/* After each step both have called the same handlers with the same inputs, in the same order. */
static void
compare(void)
{
    const struct node *timer = m_next_timer();

    assert_int_equal(real_trace.n, model_trace.n);
    for (unsigned i = 0; i < real_trace.n; i++) {
        const struct call *real = &real_trace.calls[i], *expected = &model_trace.calls[i];

        assert_int_equal(real->id, expected->id);
        assert_int_equal(real->code, expected->code);
        assert_int_equal(real->value, expected->value);
    }
    assert_int_equal(forgotten, model.forgotten);
    assert_int_equal(weir_core_next_timer(core), timer != NULL ? timer->m.deadline : UINT64_MAX);
}

static void
run_both(void)
{
    run_all();
    m_run();
    compare();
}

static weir_fut
random_outcome(void)
{
    return random_below(3) != 0 ? weir_ok(random_below(1000))
                                : weir_fail(-3000 - (int)random_below(100), "producer");
}

static void
resolve_both(struct node *promise)
{
    const weir_fut outcome = random_outcome();

    assert_int_equal(promise->r.built, promise->m.built);
    if (!promise->m.built)
        return;
    assert_int_equal(weir_resolve(promise->r.promise, outcome), m_resolve(promise, outcome));
}

static void
advance_both(void)
{
    const struct node *timer = m_next_timer();
    const uint64_t now = timer != NULL ? timer->m.deadline : model.now + 1;

    weir_core_advance(core, now);
    m_advance(now);
}

/* A future that nobody has consumed yet. */
static void
cancel_both(struct node *node)
{
    weir_fut ignored;

    if (node->r.consumed)
        return;
    node->r.consumed = node->m.consumed = true;
    weir_cancel(node->r.future);
    if (m_sleeps(node, &ignored))
        m_cancel(node);
}

static void
build_both(struct node *node)
{
    node->r.future = r_build(node);
    m_build(node);
}

static void
build_all(void)
{
    for (unsigned i = 0; i < program.n_held; i++)
        build_both(program.held[i]);
    for (unsigned i = 0; i < program.n_roots; i++) {
        build_both(program.root[i]);
        if (!program.kept[i]) {
            program.root[i]->r.consumed = program.root[i]->m.consumed = true;
            weir_detach(program.root[i]->r.future);
        }
    }
    compare();
}

static void
random_step(void)
{
    struct node *node = &program.nodes[random_below(program.n)];

    switch (random_below(8)) {
    case 0:
    case 1:
        advance_both();
        break;
    case 2:
        if (random_below(3) == 0)
            cancel_both(program.root[random_below(program.n_roots)]);
        break;
    default:
        if (node->kind == PROMISE)
            resolve_both(node);
        break;
    }
    if (random_below(3) != 0)
        run_both();
}

static void
break_both(void)
{
    weir_sem_break(&sem);
    m_break();
    run_both();
}

/* Resolve all that sleeps, until nothing does. Critical sections may wait for each other. */
static void
wake_all(void)
{
    for (bool again = true; again;) {
        again = m_next_timer() != NULL;
        advance_both();
        run_both();
        for (unsigned i = 0; i < program.n; i++)
            if (program.nodes[i].kind == PROMISE && program.nodes[i].m.open) {
                resolve_both(&program.nodes[i]);
                run_both();
                again = true;
            }
        if (!again && !model.broken) {
            break_both();
            again = true;
        }
    }
}

static void
check_end(void)
{
    uint64_t unhandled = 0;
    weir_fut expected, real;

    for (unsigned i = 0; i < program.n_roots; i++) {
        struct node *root = program.root[i];
        const bool sleeps = m_sleeps(root, &expected);

        if (!program.kept[i]) {
            unhandled += weir_is_failed(expected) && !weir_is_stop(expected);
            assert_false(sleeps);
        } else if (!root->r.consumed) {
            real = weir_poll(root->r.future);
            assert_false(sleeps || weir_is_asleep(real));
            assert_int_equal(weir_code(real), weir_code(expected));
            assert_int_equal(digest(real), digest(expected));
        }
    }
    assert_int_equal(stats().unhandled, unhandled);
    assert_int_equal(stats().live, 0);
}

static void
run_program(void)
{
    memset(&model, 0, sizeof(model));
    model.units = SEM_UNITS;
    weir_sem_init(&sem, SEM_UNITS);
    real_trace.n = model_trace.n = 0;
    forgotten = 0;
    random_program();
    build_all();
    for (unsigned steps = (unsigned)random_below(60); steps > 0; steps--)
        random_step();
    run_both();
    for (unsigned i = 0; i < program.n_held; i++)
        cancel_both(program.held[i]);
    wake_all();
    check_end();
}

static void
programs_do_what_the_interpreter_says(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < PROGRAMS; i++) {
        seed = i;
        under_way = i;
        assert_int_equal(enter_core(NULL), 0);
        run_program();
        assert_int_equal(leave_core(NULL), 0);
    }
    under_way = PROGRAMS;
}

/* cmocka leaves a test by a long jump: what was under way is told here. */
static int
tell_program(void **state)
{
    (void)state;
    if (under_way < PROGRAMS)
        fprintf(stderr, "# program %" PRIu64 " (its number is the seed)\n", under_way);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(programs_do_what_the_interpreter_says, tell_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
