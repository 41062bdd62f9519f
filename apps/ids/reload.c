#include "program.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

enum reload_state { IDLE, LOADING, READY, FAILED };

struct reload {
    struct program *prg;
    pthread_t thread;
    _Atomic int state;   /* enum reload_state; only the loader leaves LOADING */
    struct ruleset *set; /* READY */
    struct detect_next *next;
    struct weir_errbuf err; /* FAILED */
};

static volatile sig_atomic_t asked; /* signals that are not answered yet; 0 or 1 */

static void
on_signal(int number)
{
    (void)number;
    asked = 1;
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

static void *
load(void *arg)
{
    struct reload *r = arg;
    size_t n;
    int rc = ruleset_load(r->prg, &n, &r->set, &r->err);

    if (rc == WEIR_E_OK)
        rc = detect_next_new(r->prg->detect, r->set->groups, &r->set->limits, &r->next, &r->err);
    if (rc != WEIR_E_OK) {
        ruleset_free(r->set);
        r->set = NULL;
    }
    atomic_store_explicit(&r->state, rc == WEIR_E_OK ? READY : FAILED, memory_order_release);
    return NULL;
}

/* Signals are for the thread of the packets. */
static void
begin(struct reload *r)
{
    sigset_t all, before;

    asked = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    atomic_store_explicit(&r->state, LOADING, memory_order_relaxed);
    if (pthread_create(&r->thread, NULL, load, r) != 0) {
        atomic_store_explicit(&r->state, IDLE, memory_order_relaxed);
        cli_notice(&r->prg->cli, "rules cannot be loaded anew: no thread for it");
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void
go_over(struct program *prg)
{
    struct reload *r = prg->reload;
    struct ruleset *before = prg->set;

    detect_go_over(prg->detect, r->next);
    prg->set = r->set;
    prg->generation++;
    r->set = NULL;
    r->next = NULL;
    ruleset_free(before);
    ruleset_tell(prg, prg->set, true);
}

bool
reload_check(struct program *prg)
{
    struct reload *r = prg->reload;
    int state = atomic_load_explicit(&r->state, memory_order_acquire);

    if (state == IDLE && asked)
        begin(r);
    if (state != READY && state != FAILED)
        return false;
    pthread_join(r->thread, NULL);
    atomic_store_explicit(&r->state, IDLE, memory_order_relaxed);
    if (state == READY)
        go_over(prg);
    else
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
    detect_next_free(r->next);
    ruleset_free(r->set);
    free(r);
    prg->reload = NULL;
}
