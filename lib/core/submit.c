/*
 * A request goes to another core and comes back, in rings of one place for each that may be under
 * way: so there is always room for the way back. What finds no room on the way there stands in the
 * list of its link, in a request of its own.
 */
#include <weir/submit.h>

#include "core/ring.h"
#include "future/cell.h"

#include <assert.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_CORES = 64, MOST_REQUESTS = 1 << 20, DEFAULT_RING = 256, DEFAULT_WAITING = 1024 };

struct request {
    struct link *link;
    struct request *next; /* in the link's list, or among the unused */
    weir_fn fn;
    void *ctx;
    struct weir_promise promise; /* cell NULL: nobody waits any more */
    weir_fut answer;
};

/* From one core to one other. */
struct link {
    struct ring there, back;
    struct node *from, *to;
    struct request *requests, *unused;
    struct request *first, **last; /* that wait for room */
    uint32_t n_requests, under_way, ring;
};

/* A core's side. */
struct node {
    struct core_poller poller;
    struct weir_core *core;
    struct weir_links *links;
    unsigned index;
    struct weir_links_stats stats;
    pthread_mutex_t lock; /* of those who wait for news, and tell of it */
    pthread_cond_t news;
    _Atomic bool sleeps;
};

struct weir_links {
    unsigned n;
    struct node *node;
    struct link *link; /* from * n + to */
};

static struct link *
link_of(const struct weir_links *links, unsigned from, unsigned to)
{
    return &links->link[from * links->n + to];
}

/* ---- life ---------------------------------------------------------------------------------- */

static void poll_node(struct core_poller *poller);
static bool wait_node(struct core_poller *poller, uint64_t ns);
static void leave_node(struct core_poller *poller);

static void
free_link(struct link *link)
{
    ring_free(&link->there);
    ring_free(&link->back);
    free(link->requests);
}

static void
free_all(struct weir_links *links)
{
    for (unsigned i = 0; links->link != NULL && i < links->n * links->n; i++)
        free_link(&links->link[i]);
    for (unsigned i = 0; links->node != NULL && i < links->n; i++) {
        pthread_cond_destroy(&links->node[i].news);
        pthread_mutex_destroy(&links->node[i].lock);
    }
    free(links->link);
    free(links->node);
    free(links);
}

static int
make_link(struct link *link, const struct weir_links_opts *opts)
{
    const uint32_t n = opts->ring + opts->waiting;
    int rc = ring_init(&link->there, opts->ring);

    if (rc == WEIR_E_OK)
        rc = ring_init(&link->back, opts->ring);
    link->requests = calloc(n, sizeof(*link->requests));
    if (rc == WEIR_E_OK && link->requests == NULL)
        rc = WEIR_E_NOMEM;
    for (uint32_t i = n; rc == WEIR_E_OK && i-- > 0;) {
        link->requests[i].link = link;
        link->requests[i].next = link->unused;
        link->unused = &link->requests[i];
    }
    link->n_requests = link->requests != NULL ? n : 0;
    link->last = &link->first;
    link->ring = opts->ring;
    return rc;
}

static void
make_node(struct weir_links *links, unsigned i, struct weir_core *core)
{
    struct node *node = &links->node[i];
    pthread_condattr_t attr;

    node->poller = (struct core_poller){
        .poll = poll_node, .wait = wait_node, .core_ends = leave_node, .serves = true
    };
    node->links = links;
    node->core = core;
    node->index = i;
    pthread_mutex_init(&node->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&node->news, &attr);
    pthread_condattr_destroy(&attr);
}

static int
make_all(struct weir_links *links, struct weir_core *const *cores,
         const struct weir_links_opts *opts)
{
    int rc = WEIR_E_OK;

    links->node = calloc(links->n, sizeof(*links->node));
    links->link = aligned_alloc(alignof(struct link), links->n * links->n * sizeof(*links->link));
    if (links->link != NULL)
        memset(links->link, 0, links->n * links->n * sizeof(*links->link));
    for (unsigned i = 0; links->node != NULL && i < links->n; i++)
        make_node(links, i, cores[i]);
    if (links->node == NULL || links->link == NULL)
        return WEIR_E_NOMEM;
    for (unsigned i = 0; i < links->n * links->n && rc == WEIR_E_OK; i++) {
        struct link *link = &links->link[i];

        link->from = &links->node[i / links->n];
        link->to = &links->node[i % links->n];
        if (link->from != link->to)
            rc = make_link(link, opts);
    }
    return rc;
}

static bool
may_be_linked(struct weir_core *const *cores, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (cores[i]->links != NULL)
            return false;
        for (unsigned k = 0; k < i; k++)
            if (cores[k] == cores[i])
                return false;
    }
    return n >= 2 && n <= MOST_CORES;
}

int
weir_links_new(struct weir_core *const *cores, unsigned n, const struct weir_links_opts *opts,
               struct weir_links **out)
{
    struct weir_links_opts o = opts != NULL ? *opts : (struct weir_links_opts){ 0, 0 };
    struct weir_links *links;
    int rc;

    *out = NULL;
    o.ring = o.ring != 0 ? o.ring : DEFAULT_RING;
    o.waiting = o.waiting != 0 ? o.waiting : DEFAULT_WAITING;
    if (!may_be_linked(cores, n) || o.ring > MOST_REQUESTS || o.waiting > MOST_REQUESTS)
        return WEIR_E_INVAL;
    if ((links = calloc(1, sizeof(*links))) == NULL)
        return WEIR_E_NOMEM;
    links->n = n;
    if ((rc = make_all(links, cores, &o)) != WEIR_E_OK) {
        free_all(links);
        return rc;
    }
    for (unsigned i = 0; i < n; i++) {
        cores[i]->links = &links->node[i];
        core_add_poller(cores[i], &links->node[i].poller);
    }
    *out = links;
    return WEIR_E_OK;
}

/* What the core waits for will not come. */
static void
break_promises(struct node *node)
{
    struct weir_core *before = weir_core_enter(node->core);

    for (unsigned to = 0; to < node->links->n; to++) {
        const struct link *link = link_of(node->links, node->index, to);

        for (uint32_t i = 0; i < link->n_requests; i++)
            if (link->requests[i].promise.cell != NULL)
                weir_promise_break(link->requests[i].promise);
    }
    weir_core_enter(before);
}

static void
leave_node(struct core_poller *poller)
{
    struct node *node = (struct node *)(void *)poller;

    if (node->core != NULL)
        node->core->links = NULL;
    core_remove_poller(poller);
    node->core = NULL;
}

void
weir_links_free(struct weir_links *links)
{
    if (links == NULL)
        return;
    for (unsigned i = 0; i < links->n; i++) {
        if (links->node[i].core == NULL)
            continue;
        break_promises(&links->node[i]);
        leave_node(&links->node[i].poller);
    }
    free_all(links);
}

/* ---- news ---------------------------------------------------------------------------------- */

static bool
has_items(struct ring *ring)
{
    return atomic_load_explicit(&ring->tail, memory_order_acquire) !=
           atomic_load_explicit(&ring->head, memory_order_relaxed);
}

static bool
has_news(const struct node *node)
{
    for (unsigned i = 0; i < node->links->n; i++)
        if (i != node->index && (has_items(&link_of(node->links, i, node->index)->there) ||
                                 has_items(&link_of(node->links, node->index, i)->back)))
            return true;
    return false;
}

/* Something was put into a ring to this core. Who sleeps says so, then looks at the rings. */
static void
tell(struct node *node)
{
    atomic_thread_fence(memory_order_seq_cst);
    if (!atomic_load_explicit(&node->sleeps, memory_order_relaxed))
        return;
    pthread_mutex_lock(&node->lock);
    pthread_cond_signal(&node->news);
    pthread_mutex_unlock(&node->lock);
}

static void
wait_for_news(struct node *node, uint64_t ns)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    ns = ns < UINT64_C(1000000000) * 86400 ? ns : UINT64_C(1000000000) * 86400;
    until.tv_sec += (time_t)((until.tv_nsec + ns) / 1000000000);
    until.tv_nsec = (long)((until.tv_nsec + ns) % 1000000000);
    pthread_mutex_lock(&node->lock);
    atomic_store_explicit(&node->sleeps, true, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    while (!has_news(node) && pthread_cond_timedwait(&node->news, &node->lock, &until) == 0)
        continue;
    atomic_store_explicit(&node->sleeps, false, memory_order_relaxed);
    pthread_mutex_unlock(&node->lock);
}

bool
weir_links_wait(struct weir_core *core, uint64_t ns)
{
    struct node *node = core->links;

    if (node == NULL)
        return false;
    if (core->ready.first == NULL && !has_news(node))
        wait_for_news(node, ns);
    return core->ready.first != NULL || has_news(node);
}

/* ---- the way there ------------------------------------------------------------------------- */

static void
push(struct ring *ring, struct request *r, struct node *to)
{
    void *item = r;
    const uint32_t pushed = ring_push(ring, &item, 1);

    assert(pushed == 1); /* as many may be under way as there are places */
    (void)pushed;
    tell(to);
}

static void
give_back(struct request *r)
{
    r->promise.cell = NULL;
    r->next = r->link->unused;
    r->link->unused = r;
    r->link->from->poller.asleep--;
}

static void
send(struct request *r)
{
    r->link->under_way++;
    push(&r->link->there, r, r->link->to);
}

static void
send_waiting(struct link *link)
{
    struct request *r;

    while (link->under_way < link->ring && (r = link->first) != NULL) {
        link->first = r->next;
        if (link->first == NULL)
            link->last = &link->first;
        if (r->promise.cell != NULL)
            send(r);
        else /* called off before it went */
            give_back(r);
    }
}

static void
forget(void *arg)
{
    ((struct request *)arg)->promise.cell = NULL;
}

static void
send_or_wait(struct request *r)
{
    struct link *link = r->link;

    link->from->stats.submitted++;
    link->from->poller.asleep++;
    if (link->under_way < link->ring && link->first == NULL) {
        send(r);
        return;
    }
    link->from->stats.waited++;
    r->next = NULL;
    *link->last = r;
    link->last = &r->next;
}

weir_fut
weir_submit(struct weir_core *to, weir_fn fn, void *ctx)
{
    struct weir_core *core = core_current;
    struct request *r;
    struct link *link;

    if (to == core)
        return fn(ctx, weir_ok(0));
    if (core == NULL || core->links == NULL || to->links == NULL ||
        core->links->links != to->links->links)
        return weir_fail(WEIR_E_INVAL, "submit: the cores are not linked");
    link = link_of(core->links->links, core->links->index, to->links->index);
    if ((r = link->unused) == NULL) {
        core->links->stats.refused++;
        return weir_fail(WEIR_E_LIMIT, "submit: too many requests wait");
    }
    r->promise = weir_promise_new();
    if (r->promise.cell == NULL)
        return weir_fail(WEIR_E_NOMEM, "submit: no cell");
    link->unused = r->next;
    r->fn = fn;
    r->ctx = ctx;
    weir_promise_on_cancel(r->promise, forget, r);
    send_or_wait(r);
    return weir_future(r->promise);
}

/* ---- there, and back ----------------------------------------------------------------------- */

/* Runs as a handler of the core that was asked. */
static weir_fut
serve(void *ctx, weir_fut in)
{
    struct request *r = ctx;

    r->link->to->stats.served++;
    return r->fn(r->ctx, in);
}

static weir_fut
answer(void *ctx, weir_fut in)
{
    struct request *r = ctx;

    r->answer = in;
    push(&r->link->back, r, r->link->from);
    return weir_ok(0);
}

/* Queue it, for polling runs no handler. */
static void
take_request(struct request *r)
{
    const struct weir_promise start = weir_promise_new();

    if (start.cell == NULL) {
        (void)answer(r, weir_fail(WEIR_E_NOMEM, "submit: the other core has no cell"));
        return;
    }
    weir_detach(weir_always(weir_then(weir_future(start), serve, r), answer, r));
    weir_resolve(start, weir_ok(0));
}

static void
take_answer(struct request *r)
{
    struct link *link = r->link;
    const struct weir_promise promise = r->promise;

    link->under_way--;
    give_back(r);
    if (promise.cell != NULL)
        weir_resolve(promise, r->answer);
    send_waiting(link);
}

static void
poll_node(struct core_poller *poller)
{
    const struct node *node = (const struct node *)(void *)poller;
    void *item;

    for (unsigned i = 0; i < node->links->n; i++) {
        struct link *in = link_of(node->links, i, node->index);
        struct link *out = link_of(node->links, node->index, i);

        if (i == node->index)
            continue;
        while (ring_pop(&out->back, &item, 1) == 1)
            take_answer(item);
        for (uint32_t n = 0; n < in->ring && ring_pop(&in->there, &item, 1) == 1; n++)
            take_request(item);
    }
}

/* Answers alone; what others ask is served where handlers run. */
static bool
wait_node(struct core_poller *poller, uint64_t ns)
{
    struct node *node = (struct node *)(void *)poller;

    wait_for_news(node, ns);
    poll_node(poller);
    return poller->asleep == 0;
}

void
weir_links_get_stats(const struct weir_core *core, struct weir_links_stats *out)
{
    *out = core->links != NULL ? core->links->stats : (struct weir_links_stats){ 0 };
}
