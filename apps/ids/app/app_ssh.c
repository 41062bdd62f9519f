#include "app/parts.h"

#include <string.h>

enum ssh_kept { KEPT_PROTO, KEPT_SOFTWARE, KEPT_HASSH, KEPT_HASSH_TEXT, KEPT_OF_SIDE };

enum { HASSH_TEXT = 8192 };

struct ssh_tx {
    struct tx tx;
    struct kept kept; /* enum ssh_kept, of the server + KEPT_OF_SIDE */
};

struct ssh_conn {
    struct app_conn conn;
    struct ssh_side side[2]; /* by enum weir_dir */
    struct ssh_tx s;
    bool begun;           /* the transaction */
    uint8_t long_told[2]; /* by enum weir_dir: bits of enum pool_kind */
};

static unsigned
place(enum weir_dir dir, enum ssh_kept k)
{
    return (unsigned)k + (dir == WEIR_TOCLIENT ? KEPT_OF_SIDE : 0U);
}

static void
keep(struct ssh_conn *c, enum ssh_kept k, const void *p, size_t n)
{
    kept_set(&c->s.kept, c->conn.app, place(c->conn.dir, k), p, n);
}

static void
keep_kexinit(struct ssh_conn *c, const struct ssh_kexinit *kex)
{
    char text[HASSH_TEXT], hash[SSH_HASSH];
    struct put put = put_begin(text, sizeof(text));

    if (c->conn.app->digest == NULL)
        return;
    ssh_hassh(c->conn.app->digest, kex, c->conn.dir, hash);
    keep(c, KEPT_HASSH, hash, strlen(hash));
    if (ssh_hassh_text(kex, c->conn.dir, &put) == WEIR_E_OK)
        keep(c, KEPT_HASSH_TEXT, text, put_length(&put));
}

static void
on_found(void *ctx, const struct ssh_banner *banner, const struct ssh_kexinit *kex)
{
    struct ssh_conn *c = ctx;

    if (!c->begun)
        tx_begin(c->conn.app, c->conn.flow, APP_SSH, &c->s.tx);
    c->begun = true;
    if (banner != NULL) {
        keep(c, KEPT_PROTO, banner->version.p, banner->version.n);
        keep(c, KEPT_SOFTWARE, banner->software.p, banner->software.n);
    } else {
        keep_kexinit(c, kex);
    }
    tx_tell(&c->s.tx, c->conn.dir, TX_HEAD);
}

/* ---- the connection */

static bool
open_ssh(struct app_layer *app, struct app_conn *conn)
{
    (void)app;
    (void)conn;
    return true;
}

static bool
ended(const struct app_conn *conn, enum weir_dir dir)
{
    return ((const struct ssh_conn *)conn)->side[dir].state >= SSH_DONE;
}

static void
finish(struct ssh_conn *c)
{
    if (!c->begun)
        return;
    tx_finish(&c->s.tx);
    kept_free(&c->s.kept, c->conn.app);
}

static void
check_end(struct ssh_conn *c, enum weir_dir dir, bool before)
{
    if (before || !ended(&c->conn, dir))
        return;
    if (c->side[dir].state == SSH_BAD)
        app_tell_event(c->conn.app, "ssh.invalid_banner", NULL, dir);
    if (c->begun && c->s.tx.head[dir])
        tx_tell(&c->s.tx, dir, TX_END);
}

/* Lines and packets that were too long to be read, since so many: told once a direction. */
static void
tell_long(struct ssh_conn *c, enum weir_dir dir, enum pool_kind kind, uint64_t before)
{
    const struct app_layer *app = c->conn.app;

    if (pool_stats(app->at->pool)->too_long[kind] == before || c->long_told[dir] >> kind & 1)
        return;
    c->long_told[dir] |= (uint8_t)(1U << kind);
    app_tell_event(c->conn.app, kind == POOL_SSH_LINE ? "ssh.long_banner" : "ssh.long_kex_record",
                   c->begun ? &c->s.tx : NULL, dir);
}

static void
feed(struct app_layer *app, struct app_conn *conn, enum weir_dir dir, struct weir_bytes bytes)
{
    struct ssh_conn *c = (struct ssh_conn *)conn;
    const bool before = ended(conn, dir);
    const struct pool_stats stats = *pool_stats(app->at->pool);

    ssh_feed(&c->side[dir], app->at->pool, bytes, on_found, c);
    tell_long(c, dir, POOL_SSH_LINE, stats.too_long[POOL_SSH_LINE]);
    tell_long(c, dir, POOL_SSH_PACKET, stats.too_long[POOL_SSH_PACKET]);
    check_end(c, dir, before);
}

static void
gap(struct app_layer *app, struct app_conn *conn, enum weir_dir dir, uint64_t n)
{
    struct ssh_conn *c = (struct ssh_conn *)conn;
    const bool before = ended(conn, dir);

    ssh_gap(&c->side[dir], app->at->pool, n);
    check_end(c, dir, before);
}

static void
close_ssh(struct app_layer *app, struct app_conn *conn)
{
    struct ssh_conn *c = (struct ssh_conn *)conn;

    finish(c);
    ssh_end(&c->side[WEIR_TOSERVER], app->at->pool);
    ssh_end(&c->side[WEIR_TOCLIENT], app->at->pool);
}

const struct app_ops app_ssh = { .size = sizeof(struct ssh_conn),
                                 .open = open_ssh,
                                 .feed = feed,
                                 .gap = gap,
                                 .end = NULL,
                                 .pause = NULL,
                                 .ended = ended,
                                 .close = close_ssh };

/* ---- buffers */

static int
kept_of(enum weir_dir dir, enum buffer_id id)
{
    const bool client = dir == WEIR_TOSERVER;

    switch (id) {
    case BUFFER_SSH_PROTO:
        return KEPT_PROTO;
    case BUFFER_SSH_SOFTWARE:
        return KEPT_SOFTWARE;
    case BUFFER_SSH_HASSH:
        return client ? KEPT_HASSH : -1;
    case BUFFER_SSH_HASSH_STRING:
        return client ? KEPT_HASSH_TEXT : -1;
    case BUFFER_SSH_HASSH_SERVER:
        return client ? -1 : KEPT_HASSH;
    case BUFFER_SSH_HASSH_SERVER_STRING:
        return client ? -1 : KEPT_HASSH_TEXT;
    default:
        return -1;
    }
}

bool
ssh_direct(struct tx *tx, enum weir_dir dir, enum buffer_id id, struct tx_bytes *out)
{
    const struct ssh_tx *s = (const struct ssh_tx *)tx;
    const int k = kept_of(dir, id);
    struct weir_bytes bytes;

    if (k < 0 || !kept_get(&s->kept, place(dir, (enum ssh_kept)k), &bytes))
        return false;
    *out = (struct tx_bytes){ .p = bytes.p, .n = bytes.n, .start = 0, .final = true };
    return true;
}
