#include "ssh.h"

#include "bytes.h"

#include <string.h>

enum { MSG_KEXINIT = 20 };

/* Bytes of a line, with its end: those before the identification may be longer than that. */
enum { LINE_ROOM = 1024 };

static bool
starts(struct weir_bytes bytes, const char *with)
{
    const size_t n = strlen(with);

    return bytes.n >= n && memcmp(bytes.p, with, n) == 0;
}

/* What is before the first c, or all; *bytes is left with what is behind it. */
static struct weir_bytes
upto(struct weir_bytes *bytes, char c, bool *found)
{
    const uint8_t *at = bytes->n > 0 ? memchr(bytes->p, c, bytes->n) : NULL;
    struct weir_bytes part = *bytes;

    *found = at != NULL;
    if (at != NULL)
        part.n = (uint32_t)(at - bytes->p);
    bytes->p += part.n + *found;
    bytes->n -= part.n + *found;
    return part;
}

int
ssh_banner_parse(struct weir_bytes line, struct ssh_banner *out)
{
    struct weir_bytes rest = line;
    bool found;

    *out = (struct ssh_banner){ .line = line };
    if (!starts(line, "SSH-"))
        return WEIR_E_MALFORMED;
    rest.p += 4;
    rest.n -= 4;
    out->version = upto(&rest, '-', &found);
    if (!found || out->version.n == 0)
        return WEIR_E_MALFORMED;
    out->software = upto(&rest, ' ', &found);
    out->comment = rest;
    return WEIR_E_OK;
}

int
ssh_kexinit_parse(struct weir_bytes payload, struct ssh_kexinit *out)
{
    struct rd r = rd_of(payload), list;
    uint8_t type;
    uint32_t n;

    memset(out, 0, sizeof(*out));
    if (!rd_u8(&r, &type))
        return WEIR_E_TRUNC;
    if (type != MSG_KEXINIT)
        return WEIR_E_MALFORMED;
    if (rd_take(&r, 16) == NULL) /* cookie */
        return WEIR_E_TRUNC;
    for (unsigned i = 0; i < SSH_LISTS; i++) {
        if (!rd_be32(&r, &n) || !rd_sub(&r, n, &list))
            return WEIR_E_TRUNC;
        out->list[i] = (struct weir_bytes){ list.p, n };
    }
    return WEIR_E_OK;
}

/* What makes up the fingerprint, by who sent it. */
static const uint8_t hassh_lists[2][4] = {
    { SSH_KEX, SSH_CIPHER_TOSERVER, SSH_MAC_TOSERVER, SSH_COMPRESSION_TOSERVER },
    { SSH_KEX, SSH_CIPHER_TOCLIENT, SSH_MAC_TOCLIENT, SSH_COMPRESSION_TOCLIENT },
};

int
ssh_hassh_text(const struct ssh_kexinit *kex, enum weir_dir sent, struct put *put)
{
    for (unsigned i = 0; i < 4; i++) {
        const struct weir_bytes list = kex->list[hassh_lists[sent][i]];

        if (i > 0)
            put_char(put, ';');
        put_bytes(put, list.p, list.n);
    }
    return put->more ? WEIR_E_LIMIT : WEIR_E_OK;
}

void
ssh_hassh(struct digest *digest, const struct ssh_kexinit *kex, enum weir_dir sent,
          char hash[SSH_HASSH])
{
    struct put put = put_begin(hash, SSH_HASSH);
    uint8_t md5[DIGEST_MAX];

    digest_begin(digest, DIGEST_MD5);
    for (unsigned i = 0; i < 4; i++) {
        const struct weir_bytes list = kex->list[hassh_lists[sent][i]];

        if (i > 0)
            digest_add(digest, ";", 1);
        digest_add(digest, list.p, list.n);
    }
    digest_text(md5, digest_end(digest, md5), '\0', &put);
}

/* ---- a direction */

static uint32_t
packet_length(const uint8_t *header)
{
    return be32(header);
}

static const struct gather_spec packets = {
    .kind = POOL_SSH_PACKET, .header = 4, .max = SSH_PACKET_MAX, .length = packet_length
};

struct feed {
    struct ssh_side *side;
    struct pool *pool;
    ssh_fn *fn;
    void *ctx;
};

static void
end_side(struct ssh_side *side, struct pool *pool, enum ssh_state state)
{
    ssh_end(side, pool);
    side->state = (uint8_t)state;
}

/* RFC 4253 section 6: the length of the padding, the payload, the padding. */
static bool
on_packet(void *ctx, const uint8_t *header, struct weir_bytes body)
{
    struct feed *feed = ctx;
    struct ssh_kexinit kex;

    (void)header;
    if (body.n < 2 || body.p[0] > body.n - 2) {
        feed->side->state = SSH_BAD;
        return false;
    }
    body.n -= 1U + body.p[0];
    body.p++;
    if (body.p[0] != MSG_KEXINIT) {
        if (++feed->side->packets > SSH_PACKETS_BEFORE)
            feed->side->state = SSH_BAD;
        return feed->side->state < SSH_DONE;
    }
    feed->side->state = SSH_BAD;
    if (ssh_kexinit_parse(body, &kex) == WEIR_E_OK) {
        feed->side->state = SSH_DONE;
        feed->fn(feed->ctx, NULL, &kex);
    }
    return false;
}

/* A whole line with its end, LF or CR LF. */
static void
on_line(struct feed *feed, struct weir_bytes line)
{
    const uint32_t n = line.n;
    struct ssh_banner banner;

    line.n--;
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    if (!starts(line, "SSH-")) {
        feed->side->before = (uint16_t)(feed->side->before + n);
        if (feed->side->before > SSH_BEFORE_MAX)
            feed->side->state = SSH_BAD;
        return;
    }
    if (n > SSH_LINE_MAX)
        pool_stats(feed->pool)->too_long[POOL_SSH_LINE]++;
    if (n > SSH_LINE_MAX || ssh_banner_parse(line, &banner) != WEIR_E_OK) {
        feed->side->state = SSH_BAD;
        return;
    }
    /* SSH 1 goes on in another form. 1.99 is a server that knows both: section 5.1. */
    feed->side->state = starts(banner.version, "2.") || starts(banner.version, "1.99") ? SSH_PACKETS
                                                                                       : SSH_DONE;
    feed->fn(feed->ctx, &banner, NULL);
}

static bool
keep_line(struct feed *feed, struct weir_bytes part)
{
    struct ssh_side *side = feed->side;
    uint32_t room;

    if (side->line == NULL)
        side->line = pool_take(feed->pool, LINE_ROOM, &room);
    if (side->line == NULL) {
        side->state = SSH_LOST;
        return false;
    }
    memcpy(side->line + side->n_line, part.p, part.n);
    side->n_line = (uint16_t)(side->n_line + part.n);
    return true;
}

/* Read to the end of a line. Returns what is left of the bytes. */
static struct weir_bytes
read_line(struct feed *feed, struct weir_bytes bytes)
{
    struct ssh_side *side = feed->side;
    bool ends;
    struct weir_bytes rest = bytes, part = upto(&rest, '\n', &ends);

    part.n += ends;
    if (side->n_line + part.n > LINE_ROOM) {
        pool_stats(feed->pool)->too_long[POOL_SSH_LINE]++;
        side->state = SSH_BAD;
        return rest;
    }
    if (ends && side->line == NULL) {
        on_line(feed, part);
    } else if (keep_line(feed, part) && ends) {
        on_line(feed, (struct weir_bytes){ side->line, side->n_line });
        pool_stats(feed->pool)->gathered++;
        pool_give(feed->pool, side->line);
        side->line = NULL;
        side->n_line = 0;
    }
    return rest;
}

void
ssh_feed(struct ssh_side *side, struct pool *pool, struct weir_bytes bytes, ssh_fn *fn, void *ctx)
{
    struct feed feed = { .side = side, .pool = pool, .fn = fn, .ctx = ctx };

    while (side->state == SSH_LINES && bytes.n > 0)
        bytes = read_line(&feed, bytes);
    if (side->state == SSH_PACKETS)
        gather_feed(&side->packet, &packets, pool, bytes, on_packet, &feed);
    if (side->state >= SSH_DONE)
        end_side(side, pool, (enum ssh_state)side->state);
}

void
ssh_gap(struct ssh_side *side, struct pool *pool, uint64_t n)
{
    if (n == 0 || side->state >= SSH_DONE)
        return;
    if (side->state != SSH_PACKETS || !gather_gap(&side->packet, pool, n))
        end_side(side, pool, SSH_LOST);
}

void
ssh_end(struct ssh_side *side, struct pool *pool)
{
    pool_give(pool, side->line);
    side->line = NULL;
    side->n_line = 0;
    gather_reset(&side->packet, pool);
}
