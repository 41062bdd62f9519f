#include "program.h"

#include "for_programs.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

enum reload_state { IDLE, LOADING, READY, FAILED, SWEEPING, SWEPT };

struct reload {
    struct program *prg;
    pthread_t thread;
    _Atomic int state;      /* enum reload_state; only the thread leaves LOADING and SWEEPING */
    struct ruleset *set;    /* READY */
    struct ruleset *before; /* SWEEPING */
    struct detect_next *next[MAX_CORES];
    struct weir_errbuf err; /* FAILED */
};

/* Signals that are not answered yet; 0 or 1. Another core may read than the one that is told. */
static atomic_int asked;

static void
on_signal(int number)
{
    (void)number;
    atomic_store_explicit(&asked, 1, memory_order_relaxed);
}

void
reload_listen(void)
{
    const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

    sigaction(SIGUSR2, &action, NULL);
}

int
reload_start(struct program *prg, struct weir_errbuf *err)
{
    prg->reload = calloc(1, sizeof(*prg->reload));
    if (prg->reload == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    prg->reload->prg = prg;
    return WEIR_E_OK;
}

static void
free_next(struct reload *r)
{
    for (unsigned i = 0; i < MAX_CORES; i++) {
        detect_next_free(r->next[i]);
        r->next[i] = NULL;
    }
}

static void *
load(void *arg)
{
    struct reload *r = arg;
    size_t n;
    int rc = ruleset_load(r->prg, &n, &r->set, &r->err);

    for (unsigned i = 0; i < r->prg->n_parts && rc == WEIR_E_OK; i++)
        rc = detect_next_new(r->prg->part[i]->detect, r->set->groups, &r->set->limits,
                             i > 0 ? r->next[0] : NULL, &r->next[i], &r->err);
    if (rc != WEIR_E_OK) {
        free_next(r);
        ruleset_free(r->set);
        r->set = NULL;
    }
    atomic_store_explicit(&r->state, rc == WEIR_E_OK ? READY : FAILED, memory_order_release);
    return NULL;
}

/* What a large set takes tens of milliseconds for, which are not the packets'. */
static void *
sweep(void *arg)
{
    struct reload *r = arg;

    ruleset_free(r->before);
    r->before = NULL;
    atomic_store_explicit(&r->state, SWEPT, memory_order_release);
    return NULL;
}

/* Signals are for the thread of the packets. */
static bool
begin(struct reload *r, enum reload_state state, void *work(void *arg))
{
    sigset_t all, before;
    bool begun;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    atomic_store_explicit(&r->state, state, memory_order_relaxed);
    begun = pthread_create(&r->thread, NULL, work, r) == 0;
    if (!begun)
        atomic_store_explicit(&r->state, IDLE, memory_order_relaxed);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return begun;
}

static void
begin_loading(struct reload *r)
{
    atomic_store_explicit(&asked, 0, memory_order_relaxed);
    if (!begin(r, LOADING, load))
        cli_notice(&r->prg->cli, "rules cannot be loaded anew: no thread for it");
}

/* All cores are done with what was read, and wait. */
static void
go_over(struct program *prg)
{
    struct reload *r = prg->reload;

    monitor_settle(prg->m);
    r->before = prg->set;
    for (unsigned i = 0; i < prg->n_parts; i++) {
        detect_go_over(prg->part[i]->detect, r->next[i]);
        r->next[i] = NULL;
    }
    prg->set = r->set;
    prg->generation++;
    r->set = NULL;
    if (!begin(r, SWEEPING, sweep))
        ruleset_free(r->before);
    ruleset_tell(prg, prg->set, true);
}

bool
reload_check(struct program *prg)
{
    struct reload *r = prg->reload;
    int state = atomic_load_explicit(&r->state, memory_order_acquire);

    if (state == IDLE && atomic_load_explicit(&asked, memory_order_relaxed))
        begin_loading(r);
    if (state == IDLE || state == LOADING || state == SWEEPING)
        return false;
    pthread_join(r->thread, NULL);
    atomic_store_explicit(&r->state, IDLE, memory_order_relaxed);
    if (state == READY)
        go_over(prg);
    else if (state == FAILED)
        cli_notice(&prg->cli, "the rules stay as they were: %s", r->err.text);
    return state == READY;
}

void
reload_stop(struct program *prg)
{
    struct reload *r = prg->reload;

    if (r == NULL)
        return;
    if (atomic_load_explicit(&r->state, memory_order_acquire) != IDLE)
        pthread_join(r->thread, NULL);
    free_next(r);
    ruleset_free(r->set);
    free(r);
    prg->reload = NULL;
}
