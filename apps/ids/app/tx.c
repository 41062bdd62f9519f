#include "app/parts.h"

#include <assert.h>
#include <string.h>

/* ---- memory */

void *
app_alloc(struct app_layer *app, size_t size)
{
    void *p = mem_alloc(app->mem, size);

    app->stats.no_memory += p == NULL;
    return p;
}

void *
app_make(struct app_layer *app, size_t size)
{
    void *p = app_alloc(app, size);

    if (p != NULL)
        memset(p, 0, size);
    return p;
}

void
app_release(struct app_layer *app, void *p, size_t size)
{
    mem_free(app->mem, p, size);
}

/* ---- what is told */

void
app_next_turn(struct app_layer *app)
{
    app->turn++;
    app->scratch.low = 0;
    app->scratch.high = SCRATCH;
}

void
tx_begin(struct app_layer *app, struct app_flow *flow, enum app_proto proto, struct tx *tx)
{
    tx->proto = (uint8_t)proto;
    tx->id = flow->n_tx++;
    tx->flow = flow;
    tx->app = app;
    app->stats.tx[proto]++;
}

static void
call(struct tx *tx, enum weir_dir dir, enum tx_stage stage)
{
    app_next_turn(tx->app);
    tx->app->fn(tx->app->ctx, tx, dir, stage);
}

void
tx_tell(struct tx *tx, enum weir_dir dir, enum tx_stage stage)
{
    if (stage == TX_END && tx->ended[dir])
        return;
    if (stage != TX_HEAD && !tx->head[dir])
        call(tx, dir, TX_HEAD);
    tx->head[dir] = true;
    tx->ended[dir] |= stage == TX_END;
    call(tx, dir, stage);
}

void
tx_finish(struct tx *tx)
{
    for (unsigned dir = 0; dir < 2; dir++)
        if (tx->head[dir])
            tx_tell(tx, (enum weir_dir)dir, TX_END);
    call(tx, WEIR_TOSERVER, TX_GONE);
}

void
app_tell_event(struct app_layer *app, const char *name, struct tx *tx, enum weir_dir dir)
{
    app->stats.events++;
    app_next_turn(app);
    app->event_fn(app->ctx, name, tx, dir);
}

/* ---- buffers that are put together */

void
build_begin(struct app_layer *app)
{
    struct scratch *s = &app->scratch;

    s->from = s->low;
    s->high &= ~3U; /* whole ends */
    s->ends = s->high;
    s->count = 0;
    s->full = false;
}

void
build_add(struct app_layer *app, const void *p, size_t n)
{
    struct scratch *s = &app->scratch;

    if (n > s->high - s->low) {
        s->full = true;
        n = s->high - s->low;
    }
    if (n > 0)
        memcpy(s->p + s->low, p, n);
    s->low += (uint32_t)n;
}

void
build_instance(struct app_layer *app)
{
    struct scratch *s = &app->scratch;
    const uint32_t end = s->low - s->from;

    if (s->full || s->high - s->low < sizeof(end)) {
        s->full = true;
        return;
    }
    s->high -= (uint32_t)sizeof(end);
    memcpy(s->p + s->high, &end, sizeof(end));
    s->count++;
}

void
build_finish(struct app_layer *app, const struct tx *tx, struct built *out)
{
    struct scratch *s = &app->scratch;

    app->stats.text_cut += s->full;
    *out = (struct built){
        .tx = tx,
        .turn = app->turn,
        .p = s->p + s->from,
        .n = s->low - s->from,
        .count = s->count,
        .end = (const uint32_t *)(const void *)(s->p + s->ends), /* one behind the first */
    };
}

static bool
instance(const struct built *built, unsigned i, struct tx_bytes *out)
{
    uint32_t from, to;

    if (i >= built->count)
        return false;
    from = i == 0 ? 0 : built->end[-(int64_t)i];
    to = built->end[-(int64_t)i - 1];
    *out = (struct tx_bytes){ .p = built->p + from, .n = to - from, .start = 0, .final = true };
    return true;
}

static bool
build(struct tx *tx, enum weir_dir dir, enum buffer_id id)
{
    switch (tx->proto) {
    case APP_HTTP:
        return http_build(tx, dir, id);
    case APP_DNS:
        return dns_build(tx, dir, id);
    case APP_TLS:
        return tls_build(tx, dir, id);
    default:
        return false;
    }
}

static bool
direct(struct tx *tx, enum weir_dir dir, enum buffer_id id, unsigned i, struct tx_bytes *out)
{
    switch (tx->proto) {
    case APP_HTTP:
        return http_direct(tx, dir, id, i, out);
    case APP_TLS:
        return i == 0 && tls_direct(tx, dir, id, out);
    case APP_SSH:
        return i == 0 && ssh_direct(tx, dir, id, out);
    default:
        return false;
    }
}

bool
tx_buffer(struct tx *tx, enum weir_dir dir, enum buffer_id id, unsigned i, struct tx_bytes *out)
{
    struct app_layer *app = tx->app;
    struct built *built;

    *out = (struct tx_bytes){ .p = NULL, .n = 0, .start = 0, .final = true };
    if (id >= BUFFERS)
        return false;
    if (direct(tx, dir, id, i, out))
        return true;
    built = &app->built[id][dir];
    if (built->tx != tx || built->turn != app->turn) {
        build_begin(app);
        if (!build(tx, dir, id))
            return false;
        build_finish(app, tx, built);
    }
    return instance(built, i, out);
}

/* ---- texts that are kept */

static bool
kept_room(struct kept *kept, struct app_layer *app, size_t n)
{
    size_t want = kept->room != 0 ? kept->room : 512;
    uint8_t *p;

    while (want < kept->n + n)
        want *= 2;
    if (want == kept->room)
        return true;
    p = want <= KEPT_BYTES ? app_alloc(app, want) : NULL;
    if (p == NULL)
        return false;
    if (kept->n > 0)
        memcpy(p, kept->p, kept->n);
    app_release(app, kept->p, kept->room);
    kept->p = p;
    kept->room = (uint16_t)want;
    return true;
}

void
kept_set(struct kept *kept, struct app_layer *app, unsigned k, const void *p, size_t n)
{
    assert(k < KEPT_MAX);
    if (n > KEPT_BYTES || !kept_room(kept, app, n)) {
        app->stats.text_cut++;
        return;
    }
    if (n > 0)
        memcpy(kept->p + kept->n, p, n);
    kept->at[k] = kept->n;
    kept->length[k] = (uint16_t)n;
    kept->n = (uint16_t)(kept->n + n);
    kept->there |= 1U << k;
}

bool
kept_get(const struct kept *kept, unsigned k, struct weir_bytes *out)
{
    if (!(kept->there >> k & 1))
        return false;
    *out = (struct weir_bytes){ kept->p + kept->at[k], kept->length[k] };
    return true;
}

void
kept_free(struct kept *kept, struct app_layer *app)
{
    app_release(app, kept->p, kept->room);
    *kept = (struct kept){ .p = NULL };
}
