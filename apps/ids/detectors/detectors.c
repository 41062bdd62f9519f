#include "detectors/detector.h"
#include "detectors/posted.h"
#include "hash.h"

#include <weir/tap.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES = 65536, MOST_ENTRIES = 1 << 26 }; /* of each table: 6 MiB, used as needed */

enum { SIGHTINGS = 4096 }; /* that wait for answers */

static const struct detector_kind *const kinds[DETECTORS_MAX] = {
    &port_scan, &syn_flood, &brute_force, &fake_storm, &rst_injection, &dns_tunnel,
};

/* A sighting, or the next one that is free. */
union slot {
    struct sighting at;
    union slot *next;
};

/* Of a flow; the states of detectors are behind it. */
struct heard {
    uint8_t
        off[DETECTORS_MAX]; /* by detector: which of the events that its kind wants it does not */
};

struct detectors {
    struct detector by[DETECTORS_MAX];
    unsigned n; /* those that are on */
    struct weir_tap_spec spec;
    size_t flow_size;
    struct heard *at; /* of the event at hand */
    bool narrowed;    /* one of them has wished for fewer */
    detectors_alert_fn *alert;
    void *ctx;
    bool counts_with_others; /* tables are the first core's */
    struct order *order;     /* NULL: one core */
    union slot slots[SIGHTINGS], *unused;
    struct detectors_stats stats;
};

/* ---- settings ------------------------------------------------------------------------------ */

static int
set_on(bool *off, struct text value, struct weir_errbuf *err)
{
    *off = text_is(value, "no") || text_is(value, "false") || text_is(value, "0");
    if (*off || text_is(value, "yes") || text_is(value, "true") || text_is(value, "1"))
        return WEIR_E_OK;
    return weir_err_set(err, WEIR_E_INVAL, "--set detectors: yes or no is expected, not '%.*s'",
                        TEXT(value));
}

static int
set_param(struct detectors_settings *settings, unsigned by, struct text name, struct text value,
          struct weir_errbuf *err)
{
    const struct detector_kind *kind = kinds[by];

    if (text_is(name, "enabled"))
        return set_on(&settings->off_by[by], value, err);
    for (unsigned i = 0; i < DETECTOR_PARAMS && kind->param[i].name != NULL; i++) {
        if (!text_is(name, kind->param[i].name))
            continue;
        settings->given[by][i] = text_int(value, 1, kind->param[i].most, &settings->value[by][i]);
        if (settings->given[by][i])
            return WEIR_E_OK;
        return weir_err_set(err, WEIR_E_INVAL,
                            "--set detectors.%s.%s: 1 to %lld is expected, not '%.*s'", kind->name,
                            kind->param[i].name, (long long)kind->param[i].most, TEXT(value));
    }
    return weir_err_set(err, WEIR_E_INVAL, "--set: detectors.%s has no '%.*s'", kind->name,
                        TEXT(name));
}

int
detectors_set(struct detectors_settings *settings, struct text name, struct text value,
              struct weir_errbuf *err)
{
    struct text rest = name, first;

    if (text_is(name, "enabled"))
        return set_on(&settings->off, value, err);
    if (text_is(name, "entries")) {
        if (text_int(value, 1, MOST_ENTRIES, &settings->entries))
            return WEIR_E_OK;
        return weir_err_set(err, WEIR_E_INVAL,
                            "--set detectors.entries: 1 to %d is expected, not '%.*s'",
                            MOST_ENTRIES, TEXT(value));
    }
    text_next(&rest, '.', &first);
    for (unsigned i = 0; i < DETECTORS_MAX && rest.p != NULL; i++)
        if (text_is(first, kinds[i]->name))
            return set_param(settings, i, rest, value, err);
    return weir_err_set(err, WEIR_E_INVAL, "--set: 'detectors.%.*s' is no known name", TEXT(name));
}

enum { NAME_ROOM = 64, VALUE_ROOM = 24 };

static void
each_of(const struct detectors_settings *settings, unsigned by,
        void (*each)(void *ctx, const char *name, const char *value), void *ctx)
{
    const struct detector_kind *kind = kinds[by];
    char name[NAME_ROOM], value[VALUE_ROOM];

    snprintf(name, sizeof(name), "detectors.%s.enabled", kind->name);
    each(ctx, name, settings->off_by[by] ? "no" : "yes");
    for (unsigned i = 0; i < DETECTOR_PARAMS && kind->param[i].name != NULL; i++) {
        int64_t n = settings->given[by][i] ? settings->value[by][i] : kind->param[i].value;

        snprintf(name, sizeof(name), "detectors.%s.%s", kind->name, kind->param[i].name);
        snprintf(value, sizeof(value), "%lld", (long long)n);
        each(ctx, name, value);
    }
}

void
detectors_each(const struct detectors_settings *settings,
               void (*each)(void *ctx, const char *name, const char *value), void *ctx)
{
    char value[VALUE_ROOM];

    each(ctx, "detectors.enabled", settings->off ? "no" : "yes");
    snprintf(value, sizeof(value), "%lld",
             (long long)(settings->entries != 0 ? settings->entries : ENTRIES));
    each(ctx, "detectors.entries", value);
    for (unsigned i = 0; i < DETECTORS_MAX; i++)
        each_of(settings, i, each, ctx);
}

/* ---- the tap of all ------------------------------------------------------------------------- */

/* The place of an event among those that a kind wants. */
static unsigned
rank(uint64_t want, uint64_t event)
{
    return (unsigned)__builtin_popcountll(want & (event - 1));
}

static bool
listens(const struct detector *by, const struct heard *heard, uint64_t event)
{
    return by->kind->want & event && !(heard->off[by->index] >> rank(by->kind->want, event) & 1);
}

void
narrow(const struct weir_event *ev, uint64_t wanted)
{
    const struct detector *by = ev->app;
    uint8_t off = 0;

    for (uint64_t rest = by->kind->want & ~wanted; rest != 0; rest &= rest - 1)
        off |= (uint8_t)(1U << rank(by->kind->want, rest & -rest));
    by->all->at->off[by->index] = off;
    by->all->narrowed = true;
}

/* What any of them listens to. */
static uint64_t
wanted_by_all(const struct detectors *all, const struct heard *heard)
{
    uint64_t want = 0;

    for (unsigned i = 0; i < all->n; i++)
        for (uint64_t rest = all->by[i].kind->want; rest != 0; rest &= rest - 1)
            if (listens(&all->by[i], heard, rest & -rest))
                want |= rest & -rest;
    return want;
}

/* Those that sleep are waited for together. */
static weir_fut
look(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct detectors *all = ev->app;
    struct heard *heard = ctx;
    struct weir_event mine = *ev;
    weir_fut asleep[DETECTORS_MAX];
    unsigned n = 0;

    if (ev->flow == NULL)
        return weir_stop();
    all->at = heard;
    all->narrowed = ev->type == WEIR_EV_FLOW_START; /* which they need not have asked for */
    for (unsigned i = 0; i < all->n; i++) {
        struct detector *by = &all->by[i];
        weir_fut f;

        if (!listens(by, heard, WEIR_EV_BIT(ev->type)))
            continue;
        mine.app = by;
        f = by->kind->look((uint8_t *)ctx + by->flow_at, weir_ok_ptr(&mine));
        if (!weir_is_ready(f))
            asleep[n++] = f;
    }
    if (all->narrowed)
        weir_tap_want(ev->tap, wanted_by_all(all, heard));
    return n > 0 ? weir_when_all(asleep, n, NULL) : weir_stop();
}

static const weir_fn stages[] = { look };

/* ---- life ---------------------------------------------------------------------------------- */

static void
give_back(struct detectors *all, union slot *slot)
{
    slot->next = all->unused;
    all->unused = slot;
}

static int
new_table(const struct detectors_settings *settings, struct weir_shared **out)
{
    /* strangers choose keys, so the hash has a secret; it changes no answer */
    const struct weir_shared_opts opts = {
        .entries = settings->entries != 0 ? (uint32_t)settings->entries : ENTRIES,
        .seed = hash_draw_seed(),
    };

    return weir_shared_new(&opts, out);
}

static int
make_rules(struct detector *by)
{
    for (unsigned i = 0; i < DETECTOR_ALERTS && by->kind->alert[i].sid != 0; i++) {
        const char *class = by->kind->alert[i].class;

        by->rule[i] = (struct rule){
            .gid = DETECTORS_GID,
            .sid = by->kind->alert[i].sid,
            .rev = 1,
            .priority = by->kind->alert[i].priority,
            .msg = strdup(by->kind->alert[i].msg),
            .class = class_by_name(NULL, text_of(class, class + strlen(class))),
        };
        if (by->rule[i].msg == NULL)
            return WEIR_E_NOMEM;
    }
    return WEIR_E_OK;
}

static uint64_t
window(const struct detector *by)
{
    return (uint64_t)by->param[PARAM_SECONDS] * 1000000000;
}

static int
new_tables(struct detector *by, const struct detectors_settings *settings)
{
    const int rc = new_table(settings, &by->shared);

    by->posted = calloc(1, sizeof(*by->posted));
    if (rc != WEIR_E_OK || by->posted == NULL)
        return WEIR_E_NOMEM;
    posted_init(by->posted, by->shared, window(by));
    return WEIR_E_OK;
}

/* A place for a state, aligned to its size. */
static size_t
state_place(size_t *end, size_t size)
{
    const size_t align = size >= 8 ? 8 : size > 0 ? size : 1;
    const size_t at = (*end + align - 1) / align * align;

    *end = at + size;
    return at;
}

static int
make_one(struct detectors *all, unsigned kind, const struct detectors_settings *settings,
         const struct detectors *with)
{
    struct detector *by = &all->by[all->n++];
    int rc = WEIR_E_OK;

    by->kind = kinds[kind];
    by->all = all;
    assert(__builtin_popcountll(by->kind->want) <= 8);
    by->index = all->n - 1;
    by->flow_at = state_place(&all->flow_size, by->kind->flow_size);
    all->spec.want |= by->kind->want | WEIR_EV_BIT(WEIR_EV_FLOW_START);
    for (unsigned i = 0; i < DETECTOR_PARAMS; i++)
        by->param[i] = settings->given[kind][i] ? settings->value[kind][i]
                                                : by->kind->param[i].value;
    if (with != NULL) {
        by->shared = with->by[all->n - 1].shared;
        by->posted = with->by[all->n - 1].posted;
    } else {
        rc = new_tables(by, settings);
    }
    return rc == WEIR_E_OK ? make_rules(by) : rc;
}

static void
free_tables(struct detector *by)
{
    weir_shared_free(by->shared);
    free(by->posted);
}

void
detectors_free(struct detectors *all)
{
    if (all == NULL)
        return;
    for (unsigned i = 0; i < all->n; i++) {
        if (!all->counts_with_others)
            free_tables(&all->by[i]);
        for (unsigned k = 0; k < DETECTOR_ALERTS; k++)
            free(all->by[i].rule[k].msg);
    }
    free(all);
}

int
detectors_new(const struct detectors_settings *settings, detectors_alert_fn *alert, void *ctx,
              const struct detectors *with, struct detectors **out, struct weir_errbuf *err)
{
    struct detectors *all = calloc(1, sizeof(*all));
    int rc = all != NULL ? WEIR_E_OK : WEIR_E_NOMEM;

    *out = NULL;
    if (all != NULL) {
        all->alert = alert;
        all->ctx = ctx;
        all->counts_with_others = with != NULL;
        all->spec = (struct weir_tap_spec){ .stage = stages, .n_stages = 1 };
        all->flow_size = sizeof(struct heard);
        for (unsigned i = SIGHTINGS; i-- > 0;)
            give_back(all, &all->slots[i]);
    }
    for (unsigned i = 0; i < DETECTORS_MAX && rc == WEIR_E_OK && !settings->off; i++)
        if (!settings->off_by[i])
            rc = make_one(all, i, settings, with);
    if (rc != WEIR_E_OK) {
        detectors_free(all);
        return weir_err_set(err, rc, "detectors: out of memory");
    }
    *out = all;
    return rc;
}

int
detectors_add(struct detectors *const *by_core, unsigned n, struct weir_monitor *m,
              struct order *order)
{
    void **arg = calloc(n, sizeof(*arg));
    int rc = arg != NULL ? WEIR_E_OK : WEIR_E_NOMEM;

    for (unsigned core = 0; core < n && rc == WEIR_E_OK; core++) {
        by_core[core]->order = order;
        arg[core] = by_core[core];
    }
    if (rc == WEIR_E_OK && by_core[0]->n > 0)
        rc = weir_monitor_add(m, &(struct weir_app){ .name = "detectors",
                                                     .spec = &by_core[0]->spec,
                                                     .flow_size = by_core[0]->flow_size,
                                                     .arg = by_core[0],
                                                     .core_arg = arg });
    for (unsigned i = 0; i < by_core[0]->n; i++)
        weir_monitor_share(m, by_core[0]->by[i].shared);
    free(arg);
    return rc;
}

void
detectors_get_stats(const struct detectors *all, struct detectors_stats *out)
{
    struct weir_shared_stats shared;

    *out = all->stats;
    for (unsigned i = 0; i < all->n && !all->counts_with_others; i++) {
        weir_shared_get_stats(all->by[i].shared, &shared);
        out->evicted += shared.evicted + shared.refused;
    }
}

/* ---- what stages ask ------------------------------------------------------------------------ */

struct sighting *
sight(const struct weir_event *ev, enum weir_dir dir)
{
    struct detector *by = ev->app;
    union slot *slot = by->all->unused;

    if (slot == NULL) {
        by->all->stats.waiting++;
        return NULL;
    }
    by->all->unused = slot->next;
    slot->at = (struct sighting){ .by = by,
                                  .flow = ev->flow,
                                  .time = ev->time,
                                  .number = ev->number,
                                  .direction = (uint8_t)dir,
                                  .host = (uint8_t)dir,
                                  .threshold = PARAM_COUNT };
    return &slot->at;
}

void
key_bytes(struct key *key, const void *p, size_t n)
{
    memcpy(key->b + key->n, p, n);
    key->n = (uint8_t)(key->n + n);
}

void
key_begin(struct key *key, char what, const struct weir_tuple *tuple)
{
    key->n = 0;
    key_bytes(key, &what, 1);
    key_bytes(key, tuple->vlan, tuple->n_vlan > 0 ? sizeof(tuple->vlan[0]) : 0);
}

static weir_fut
do_without(void *ctx, weir_fut in)
{
    (void)ctx, (void)in;
    return weir_stop(); /* the table has counted why */
}

static count_fut
or_nothing(weir_fut f)
{
    return count_of(weir_catch(f, do_without, NULL));
}

count_fut
detector_count(const struct sighting *at, const struct key *key, int64_t more)
{
    const struct detector *by = at->by;

    if (by->kind->is_posted && by->all->order != NULL)
        return count_ok(
            posted_count(by->posted, by->all->order, at, key, more, by->param[at->threshold]));
    return or_nothing(weir_shared_add(by->shared, key->b, key->n, more, window(by)));
}

count_fut
detector_distinct(const struct sighting *at, const struct key *key, const void *member, size_t n)
{
    return or_nothing(
        weir_shared_count_distinct(at->by->shared, key->b, key->n, member, n, window(at->by)));
}

/* ---- alerts -------------------------------------------------------------------------------- */

static void
alert(struct detectors *all, const struct sighting *at)
{
    struct weir_event ev = { .type = WEIR_EV_PACKET,
                             .base = WEIR_EV_PACKET,
                             .direction = at->direction,
                             .has_flow = true,
                             .time = at->time,
                             .number = at->number,
                             .flow = at->flow };

    if (!all->alert(all->ctx, &at->by->rule[at->alert], &ev)) {
        all->stats.suppressed++;
        return;
    }
    all->stats.alerts++;
}

/* Is it this host's turn? Ready with 0 if there was no such alert on it in this window. */
WEIR_HANDLER(count, weigh, struct sighting *, at, count, n)
{
    struct weir_tuple tuple;
    struct key key;

    if (n < at->by->param[at->threshold])
        return nothing();
    weir_flow_tuple(at->flow, &tuple);
    key_begin(&key, (char)at->alert, &tuple); /* no detector's own keys begin so */
    key_addr(&key, &tuple, (enum weir_dir)at->host);
    return or_nothing(
        weir_shared_compare_and_set(at->by->shared, key.b, key.n, 0, 1, window(at->by)));
}

WEIR_HANDLER(count, tell, struct sighting *, at, count, before)
{
    if (before == 0)
        alert(at->by->all, at);
    else
        at->by->all->stats.repeated++;
    return count_ok(before);
}

/* Whatever became of it. */
static weir_fut
done(void *ctx, weir_fut in)
{
    union slot *slot = ctx;

    give_back(slot->at.by->all, slot);
    return in;
}

count_fut
detector_judge(struct sighting *at, count_fut answer)
{
    return count_of(weir_always(tell_then(weigh_then(answer, at), at).f, done, at));
}
