#include "support/app_run.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef NDEBUG
#include <assert.h>

enum { CLIENT_ISN = 1000, SERVER_ISN = 5000, PATIENCE = 50 /* ms */ };

/* Of the run at hand: there is one at a time. */
static uint8_t frames[APP_RUN_SEGMENTS][FRAME_ROOM];
static char text[APP_RUN_TEXT];

/* What is remembered of a transaction, in own[0]. */
struct seen_tx {
    bool head[2], ended[2];
    struct seen_body body[2];
};

static const char *const names[BUFFERS] = {
#define X(upper, name, proto, sides, body) name,
    BUFFER_LIST(X)
#undef X
};

static const bool bodies[BUFFERS] = {
#define X(upper, name, proto, sides, body) body,
    BUFFER_LIST(X)
#undef X
};

/* ---- text */

static void
say(struct app_run *run, const char *format, ...)
{
    va_list ap;
    int n;

    va_start(ap, format);
    n = vsnprintf(run->text + run->n_text, APP_RUN_TEXT - run->n_text, format, ap);
    va_end(ap);
    assert(n >= 0);
    run->n_text += (size_t)n;
    if (run->n_text >= APP_RUN_TEXT)
        run->n_text = APP_RUN_TEXT - 1;
}

static void
say_bytes(struct app_run *run, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] >= 0x20 && p[i] < 0x7f)
            say(run, "%c", p[i]);
        else if (p[i] == '\r' || p[i] == '\n')
            say(run, p[i] == '\r' ? "\\r" : "\\n");
        else
            say(run, "\\x%02x", p[i]);
    say(run, "\n");
}

/* ---- what is told */

static void
show_head(struct app_run *run, struct tx *tx, enum weir_dir dir)
{
    struct tx_bytes bytes;
    int64_t chain;

    for (unsigned id = 0; id < BUFFERS; id++)
        for (unsigned i = 0; !bodies[id] && tx_buffer(tx, dir, (enum buffer_id)id, i, &bytes);
             i++) {
            assert(bytes.start == 0 && bytes.final);
            say(run, "  %s=", names[id]);
            say_bytes(run, bytes.p, bytes.n);
        }
    if (tx_number(tx, dir, NUMBER_TLS_CHAIN, 0, &chain))
        say(run, "  tls.cert_chain_len=%lld\n", (long long)chain);
}

static void
append(struct seen_body *seen, const uint8_t *p, size_t n)
{
    if (seen->n + n > seen->room) {
        seen->room = 2 * (seen->n + n);
        seen->p = realloc(seen->p, seen->room);
        assert(seen->p != NULL);
    }
    if (n > 0)
        memcpy(seen->p + seen->n, p, n);
    seen->n += n;
}

/* Bytes that are shown again are the same; those that were never shown are a hole. */
static void
see_body(struct tx *tx, enum weir_dir dir, struct seen_body *seen)
{
    struct tx_bytes bytes;
    size_t again;

    if (!tx_buffer(tx, dir,
                   dir == WEIR_TOSERVER ? BUFFER_HTTP_REQUEST_BODY : BUFFER_HTTP_RESPONSE_BODY, 0,
                   &bytes))
        return;
    assert(bytes.n <= APP_WINDOW && bytes.start >= 0);
    if (bytes.start > seen->end) {
        seen->holes = true;
        append(seen, (const uint8_t *)"[hole]", 6);
        seen->end = bytes.start;
    }
    again = (size_t)(seen->end - bytes.start);
    assert(again <= bytes.n);
    assert(again <= seen->n);
    assert(seen->holes || again == 0 || memcmp(seen->p + seen->n - again, bytes.p, again) == 0);
    append(seen, bytes.p + again, bytes.n - again);
    seen->end = bytes.start + bytes.n;
}

/* Those of a form; of what is no form the file is the body. */
static void
show_files(struct app_run *run, struct tx *tx)
{
    struct tx_bytes body, file;

    if (!tx_buffer(tx, WEIR_TOSERVER, BUFFER_HTTP_REQUEST_BODY, 0, &body))
        return;
    for (unsigned i = 0; tx_buffer(tx, WEIR_TOSERVER, BUFFER_FILE_DATA, i, &file); i++) {
        assert(file.p >= body.p && file.p + file.n <= body.p + body.n);
        if (file.n < body.n) {
            say(run, "  file=");
            say_bytes(run, file.p, file.n);
        }
    }
}

static void
forget(struct app_run *run, struct tx *tx, struct seen_tx *seen)
{
    for (unsigned dir = 0; dir < 2; dir++) {
        assert(seen->ended[dir] == seen->head[dir]);
        free(seen->body[dir].p);
    }
    free(seen);
    tx->own[0] = NULL;
    run->alive--;
}

static struct seen_tx *
seen_of(struct app_run *run, struct tx *tx)
{
    if (tx->own[0] == NULL) {
        tx->own[0] = calloc(1, sizeof(struct seen_tx));
        assert(tx->own[0] != NULL);
        run->alive++;
    }
    return tx->own[0];
}

static void
on_tx(void *ctx, struct tx *tx, enum weir_dir dir, enum tx_stage stage)
{
    struct app_run *run = ctx;
    struct seen_tx *seen = seen_of(run, tx);

    if (stage == TX_GONE) {
        say(run, "%s/%" PRIu64 " gone\n", app_proto_name(tx->proto), tx->id);
        forget(run, tx, seen);
        return;
    }
    assert(!seen->ended[dir]);
    assert(stage == TX_HEAD || seen->head[dir]);
    seen->head[dir] = true;
    run->bodies += stage == TX_BODY;
    if (stage == TX_HEAD) {
        say(run, "%s/%" PRIu64 " %s\n", app_proto_name(tx->proto), tx->id, dir ? "<" : ">");
        show_head(run, tx, dir);
        return;
    }
    see_body(tx, dir, &seen->body[dir]);
    if (stage != TX_END)
        return;
    seen->ended[dir] = true;
    if (dir == WEIR_TOSERVER)
        show_files(run, tx);
    say(run, "%s/%" PRIu64 " %s end ", app_proto_name(tx->proto), tx->id, dir ? "<" : ">");
    say_bytes(run, seen->body[dir].p, seen->body[dir].n);
}

static void
on_note(void *ctx, const char *name, struct tx *tx, enum weir_dir dir)
{
    struct app_run *run = ctx;

    (void)tx;
    run->events++;
    say(run, "! %s %s\n", name, dir ? "<" : ">");
}

static weir_fut
on_event(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct app_run *run = ev->app;

    app_event(run->app, ctx, ev);
    if (ev->type == WEIR_EV_FLOW_END)
        run->flow = *(const struct app_flow *)ctx;
    return weir_ok(0);
}

static const weir_fn stages[] = { on_event };

/* ---- packets */

static void
feed(struct app_run *run, struct weir_frame frame)
{
    int rc = weir_monitor_feed(run->m, &frame, 1);

    assert(rc == WEIR_E_OK);
}

static void
segment(struct app_run *run, enum weir_dir dir, uint8_t flags, const uint8_t *p, size_t n)
{
    const struct segment s = { .dir = dir,
                               .flags = flags,
                               .seq = run->next[dir],
                               .ack = flags & WEIR_TH_ACK ? run->next[!dir] : 0,
                               .data = p,
                               .n = (uint32_t)n,
                               .ms = run->n + run->late };

    assert(run->n < APP_RUN_SEGMENTS && n <= APP_RUN_BYTES);
    run->late += run->lossy ? PATIENCE : 0;
    run->next[dir] += (uint32_t)n + ((flags & (WEIR_TH_SYN | WEIR_TH_FIN)) != 0);
    feed(run, tcp_frame(&s, run->room[run->n++]));
}

void
app_run_begin(struct app_run *run, const struct app_opts *opts)
{
    struct weir_app app = { .name = "ids",
                            .spec = &run->spec,
                            .flow_size = sizeof(struct app_flow),
                            .history = APP_HISTORY,
                            .arg = run };
    struct app_opts all = app_defaults();
    struct weir_errbuf err = { "" };
    int rc;

    *run = (struct app_run){ .room = frames, .text = text, .next = { CLIENT_ISN, SERVER_ISN } };
    run->text[0] = '\0';
    run->spec = (struct weir_tap_spec){ .stage = stages, .n_stages = 1, .want = app_wants() };
    rc = app_new(opts != NULL ? opts : &all, on_tx, on_note, run, &run->app, &err);
    if (rc == WEIR_E_OK)
        rc = weir_monitor_new(NULL, &run->m);
    if (rc == WEIR_E_OK)
        rc = weir_monitor_add(run->m, &app);
    assert(rc == WEIR_E_OK);
    segment(run, WEIR_TOSERVER, WEIR_TH_SYN, NULL, 0);
    segment(run, WEIR_TOCLIENT, WEIR_TH_SYN | WEIR_TH_ACK, NULL, 0);
    segment(run, WEIR_TOSERVER, WEIR_TH_ACK, NULL, 0);
}

/* All is acknowledged at once: the sender's window is never full. */
void
app_run_send(struct app_run *run, enum weir_dir dir, const void *p, size_t n, size_t piece)
{
    const uint8_t *bytes = p;

    for (size_t at = 0; at < n; at += piece) {
        segment(run, dir, WEIR_TH_ACK, bytes + at, n - at < piece ? n - at : piece);
        if (n - at <= piece || (at / piece) % 16 == 15)
            segment(run, !dir, WEIR_TH_ACK, NULL, 0);
    }
}

void
app_run_lose(struct app_run *run, enum weir_dir dir, size_t n)
{
    run->next[dir] += (uint32_t)n;
    run->lossy = true;
}

void
app_run_datagram(struct app_run *run, enum weir_dir dir, const void *p, size_t n)
{
    assert(run->n < APP_RUN_SEGMENTS && n <= APP_RUN_BYTES);
    feed(run, udp_frame(dir, p, (uint32_t)n, run->n + run->late, run->room[run->n]));
    run->n++;
}

void
app_run_fin(struct app_run *run, enum weir_dir dir)
{
    segment(run, dir, WEIR_TH_ACK | WEIR_TH_FIN, NULL, 0);
    segment(run, !dir, WEIR_TH_ACK, NULL, 0);
}

void
app_run_rst(struct app_run *run, enum weir_dir dir)
{
    segment(run, dir, WEIR_TH_RST | WEIR_TH_ACK, NULL, 0);
}

void
app_run_end(struct app_run *run)
{
    weir_monitor_end(run->m);
    weir_monitor_free(run->m);
    run->m = NULL;
    assert(run->alive == 0);
    assert(run->flow.conn == NULL);
}

void
app_run_free(struct app_run *run)
{
    app_free(run->app);
}
