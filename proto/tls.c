#include "tls.h"

#include "bytes.h"

#include <string.h>

/* A vector with its length, of so many bytes, in front. */
MUST_CHECK static bool
vector(struct rd *r, unsigned length_bytes, struct weir_bytes *out)
{
    size_t n = 0;
    struct rd body;
    uint8_t b;

    for (unsigned i = 0; i < length_bytes; i++) {
        if (!rd_u8(r, &b))
            return false;
        n = n << 8 | b;
    }
    if (!rd_sub(r, n, &body))
        return false;
    *out = bytes_of(body);
    return true;
}

bool
tls_is_grease(uint16_t value)
{
    return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

/* 0x7f and the draft's number (RFC 8446's, from 16 on), as the hellos of that time had it. */
static const char *
draft_name(unsigned number)
{
    static const char *const names[] = {
        "TLS 1.3 draft-16", "TLS 1.3 draft-17", "TLS 1.3 draft-18", "TLS 1.3 draft-19",
        "TLS 1.3 draft-20", "TLS 1.3 draft-21", "TLS 1.3 draft-22", "TLS 1.3 draft-23",
        "TLS 1.3 draft-24", "TLS 1.3 draft-25", "TLS 1.3 draft-26", "TLS 1.3 draft-27",
        "TLS 1.3 draft-28",
    };

    return number >= 16 && number <= 28 ? names[number - 16] : NULL;
}

bool
tls_version_is_draft(unsigned version)
{
    return version >> 8 == 0x7f;
}

const char *
tls_version_name(unsigned version)
{
    switch (version) {
    case SSL_2_0:
        return "SSLv2";
    case SSL_3_0:
        return "SSLv3";
    case TLS_1_0:
        return "TLSv1";
    case TLS_1_1:
        return "TLS 1.1";
    case TLS_1_2:
        return "TLS 1.2";
    case TLS_1_3:
        return "TLS 1.3";
    default:
        return tls_version_is_draft(version) ? draft_name(version & 0xff) : NULL;
    }
}

bool
tls_next_extension(struct weir_bytes *list, uint16_t *type, struct weir_bytes *data)
{
    struct rd r = rd_of(*list);

    if (!rd_be16(&r, type) || !vector(&r, 2, data))
        return false;
    *list = bytes_of(r);
    return true;
}

bool
tls_next_name(struct weir_bytes *list, struct weir_bytes *name)
{
    struct rd r = rd_of(*list);

    if (!vector(&r, 1, name))
        return false;
    *list = bytes_of(r);
    return true;
}

int
tls_certificates(struct weir_bytes body, struct weir_bytes *list)
{
    struct rd r = rd_of(body);

    return vector(&r, 3, list) ? WEIR_E_OK : WEIR_E_TRUNC;
}

bool
tls_next_certificate(struct weir_bytes *list, struct weir_bytes *der)
{
    struct rd r = rd_of(*list);

    if (!vector(&r, 3, der))
        return false;
    *list = bytes_of(r);
    return true;
}

/* ---- hellos */

/* The whole of data is one list of elements of so many bytes. */
static bool
only_list(struct weir_bytes data, unsigned length_bytes, unsigned each, struct weir_bytes *out)
{
    struct weir_bytes list;
    struct rd r = rd_of(data);

    if (!vector(&r, length_bytes, &list) || rd_left(&r) > 0 || list.n % each != 0)
        return false;
    *out = list;
    return true;
}

/* RFC 6066 section 3: the first host_name of the list. */
static bool
server_name(struct weir_bytes data, struct weir_bytes *out)
{
    struct weir_bytes list, name;
    struct rd r;
    uint8_t type;

    if (!only_list(data, 2, 1, &list))
        return false;
    for (r = rd_of(list); rd_u8(&r, &type);) {
        if (!vector(&r, 2, &name))
            return false;
        if (type == 0) {
            *out = name;
            return true;
        }
    }
    return false;
}

enum { HOST_NAME_MAX_LENGTH = 255 }; /* RFC 1035 section 2.3.4 */

/* What is wrong with the first name of a list, as far as it can be read. */
static enum tls_name_fault
name_fault(struct weir_bytes data)
{
    struct weir_bytes name;
    struct rd r = rd_of(data);
    uint16_t n;
    uint8_t type;

    if (!rd_be16(&r, &n) || !rd_u8(&r, &type))
        return TLS_NAME_RIGHT;
    if (type != 0)
        return TLS_NAME_TYPE;
    return vector(&r, 2, &name) && name.n > 0 && name.n <= HOST_NAME_MAX_LENGTH ? TLS_NAME_RIGHT
                                                                                : TLS_NAME_LENGTH;
}

/* The first extension counts. */
static bool
take_server_name(struct tls_client_hello *out, struct weir_bytes data)
{
    if (out->has_server_name) {
        out->name_fault = TLS_NAME_TWICE;
        return false;
    }
    out->has_server_name = true;
    out->name_fault = (uint8_t)name_fault(data);
    return server_name(data, &out->server_name);
}

static bool
names_list(struct weir_bytes data, struct weir_bytes *out)
{
    struct weir_bytes list, rest, name;

    if (!only_list(data, 2, 1, &list))
        return false;
    rest = list;
    while (rest.n > 0)
        if (!tls_next_name(&rest, &name))
            return false;
    *out = list;
    return true;
}

static bool
client_extension(struct tls_client_hello *out, uint16_t type, struct weir_bytes data)
{
    switch (type) {
    case TLS_EXT_SERVER_NAME:
        return take_server_name(out, data);
    case TLS_EXT_GROUPS:
        return only_list(data, 2, 2, &out->groups);
    case TLS_EXT_POINT_FORMATS:
        return only_list(data, 1, 1, &out->point_formats);
    case TLS_EXT_SIGNATURE_ALGORITHMS:
        return only_list(data, 2, 2, &out->signature_algorithms);
    case TLS_EXT_ALPN:
        return names_list(data, &out->alpn);
    case TLS_EXT_SUPPORTED_VERSIONS:
        return only_list(data, 1, 2, &out->versions);
    default:
        return true;
    }
}

int
tls_client_hello_parse(struct weir_bytes body, struct tls_client_hello *out)
{
    struct rd r = rd_of(body), random;
    struct weir_bytes rest, data;
    uint16_t type;

    *out = (struct tls_client_hello){ .version = 0 };
    if (!rd_be16(&r, &out->version) || !rd_sub(&r, 32, &random) ||
        !vector(&r, 1, &out->session_id) || !vector(&r, 2, &out->ciphers) || !vector(&r, 1, &rest))
        return WEIR_E_TRUNC;
    out->random = bytes_of(random);
    if (out->ciphers.n % 2 != 0 || out->session_id.n > 32)
        return WEIR_E_MALFORMED;
    if (rd_left(&r) == 0) /* extensions came with TLS 1.0 */
        return WEIR_E_OK;
    if (!vector(&r, 2, &out->extensions))
        return WEIR_E_TRUNC;
    rest = out->extensions;
    while (tls_next_extension(&rest, &type, &data))
        out->odd |= !client_extension(out, type, data);
    return rest.n == 0 ? WEIR_E_OK : WEIR_E_MALFORMED;
}

int
tls_v2_hello_parse(struct weir_bytes body, struct tls_client_hello *out)
{
    struct rd r = rd_of(body), part[3];
    uint16_t n[3];
    uint8_t type;

    *out = (struct tls_client_hello){ .sslv2 = true };
    if (!rd_u8(&r, &type) || !rd_be16(&r, &out->version))
        return WEIR_E_TRUNC;
    for (unsigned i = 0; i < 3; i++)
        if (!rd_be16(&r, &n[i]))
            return WEIR_E_TRUNC;
    if (type != TLS_CLIENT_HELLO || n[0] % 3 != 0)
        return WEIR_E_MALFORMED;
    for (unsigned i = 0; i < 3; i++)
        if (!rd_sub(&r, n[i], &part[i]))
            return WEIR_E_TRUNC;
    out->ciphers = bytes_of(part[0]);
    out->session_id = bytes_of(part[1]);
    out->random = bytes_of(part[2]);
    return WEIR_E_OK;
}

static bool
server_extension(struct tls_server_hello *out, uint16_t type, struct weir_bytes data)
{
    struct weir_bytes list;

    switch (type) {
    case TLS_EXT_SUPPORTED_VERSIONS:
        if (data.n != 2)
            return false;
        out->version = be16(data.p);
        return true;
    case TLS_EXT_ALPN:
        return only_list(data, 2, 1, &list) && tls_next_name(&list, &out->alpn);
    default:
        return true;
    }
}

/* SHA-256 of "HelloRetryRequest": RFC 8446 section 4.1.3. */
static const uint8_t retry_random[32] = { 0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
                                          0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
                                          0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
                                          0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c };

/* Drafts of TLS 1.3 up to the 21st had neither. */
static bool
has_session(uint16_t version)
{
    return !tls_version_is_draft(version) || (version & 0xff) >= 22;
}

int
tls_server_hello_parse(struct weir_bytes body, struct tls_server_hello *out)
{
    struct rd r = rd_of(body), random;
    struct weir_bytes rest, data;
    uint8_t compression;
    uint16_t type;
    bool session;

    *out = (struct tls_server_hello){ .version = 0 };
    if (!rd_be16(&r, &out->legacy_version) || !rd_sub(&r, 32, &random))
        return WEIR_E_TRUNC;
    session = has_session(out->legacy_version);
    if ((session && !vector(&r, 1, &out->session_id)) || !rd_be16(&r, &out->cipher) ||
        (session && !rd_u8(&r, &compression)))
        return WEIR_E_TRUNC;
    out->version = out->legacy_version;
    out->random = bytes_of(random);
    out->retry = memcmp(random.p, retry_random, sizeof(retry_random)) == 0;
    if (out->session_id.n > 32)
        return WEIR_E_MALFORMED;
    if (rd_left(&r) == 0)
        return WEIR_E_OK;
    if (!vector(&r, 2, &out->extensions))
        return WEIR_E_TRUNC;
    rest = out->extensions;
    while (tls_next_extension(&rest, &type, &data))
        out->odd |= !server_extension(out, type, data);
    return rest.n == 0 ? WEIR_E_OK : WEIR_E_MALFORMED;
}

/* ---- connections */

enum record_type {
    RECORD_CHANGE_CIPHER_SPEC = 20,
    RECORD_ALERT,
    RECORD_HANDSHAKE,
    RECORD_DATA,
    RECORD_HEARTBEAT
};

/* RFC 5246 section 6.2.3: what encryption may add to 16384 bytes. */
enum { RECORD_MAX = 16384 + 2048 };

static uint32_t
handshake_length(const uint8_t *header)
{
    return (uint32_t)header[1] << 16 | be16(header + 2);
}

static uint32_t
v2_length(const uint8_t *header)
{
    return be16(header) & 0x7fff;
}

static const struct gather_spec handshakes = {
    .kind = POOL_TLS, .header = 4, .max = POOL_LARGE, .length = handshake_length
};
static const struct gather_spec v2_records = {
    .kind = POOL_TLS, .header = 2, .max = POOL_LARGE, .length = v2_length
};

/* Who is being fed, for the functions that get messages. */
struct feed {
    struct tls *tls;
    struct pool *pool;
    enum weir_dir dir;
    struct weir_bytes bytes; /* to be read */
    tls_fn *fn;
    void *ctx;
};

static struct tls_side *
side_of(const struct feed *feed)
{
    return &feed->tls->side[feed->dir];
}

static void
end_side(struct tls_side *side, struct pool *pool, enum tls_state state)
{
    gather_reset(&side->handshake, pool);
    side->state = (uint8_t)state;
}

bool
tls_ended(const struct tls *tls, enum weir_dir dir)
{
    return tls->side[dir].state >= TLS_DONE;
}

/* All hellos of a side were seen: what follows its ChangeCipherSpec is encrypted. */
static bool
said_hello(const struct tls *tls, enum weir_dir dir)
{
    return tls->side[dir].hellos >= 1 + tls->retried;
}

static void
count_hello(struct tls_side *side)
{
    if (side->hellos < 2)
        side->hellos++;
}

/* From TLS 1.3 on all that follows a ServerHello is encrypted, both ways. */
static void
after_server_hello(struct feed *feed, struct weir_bytes body)
{
    struct tls_server_hello hello;

    if (tls_server_hello_parse(body, &hello) == WEIR_E_TRUNC || hello.version < TLS_1_3)
        return;
    if (hello.retry) {
        feed->tls->retried = true;
        return;
    }
    side_of(feed)->state = TLS_DONE;
    if (said_hello(feed->tls, WEIR_TOSERVER))
        end_side(&feed->tls->side[WEIR_TOSERVER], feed->pool, TLS_DONE);
}

static bool
on_handshake(void *ctx, const uint8_t *header, struct weir_bytes body)
{
    struct feed *feed = ctx;
    struct tls_side *side = side_of(feed);
    const bool hello = header[0] == TLS_CLIENT_HELLO || header[0] == TLS_SERVER_HELLO;
    const struct tls_message message = { .direction = feed->dir,
                                         .type = header[0],
                                         .sslv2 = false,
                                         .record_version = be16(side->head + 1),
                                         .body = body };

    if (!hello && side->hellos == 0 && header[0] != 0) { /* 0: HelloRequest */
        side->state = TLS_BAD;
        return false;
    }
    if (hello)
        count_hello(side);
    feed->fn(feed->ctx, &message);
    if (header[0] == TLS_SERVER_HELLO && feed->dir == WEIR_TOCLIENT)
        after_server_hello(feed, body);
    else if (header[0] == TLS_SERVER_HELLO_DONE && feed->dir == WEIR_TOCLIENT)
        side->state = TLS_DONE;
    return side->state < TLS_DONE;
}

/* TLS goes on in records behind a hello in the form of SSL 2.0; SSL 2.0 itself encrypts. */
static bool
on_v2_hello(void *ctx, const uint8_t *header, struct weir_bytes body)
{
    struct feed *feed = ctx;
    const struct tls_message message = { .direction = feed->dir,
                                         .type = TLS_CLIENT_HELLO,
                                         .sslv2 = true,
                                         .record_version = SSL_2_0,
                                         .body = body };

    (void)header;
    count_hello(side_of(feed));
    feed->fn(feed->ctx, &message);
    side_of(feed)->state = body.n > 1 && body.p[1] == 3 ? TLS_RECORDS : TLS_DONE;
    return false;
}

static struct weir_bytes
take(struct weir_bytes *bytes, uint32_t n)
{
    struct weir_bytes taken = { bytes->p, n < bytes->n ? n : bytes->n };

    bytes->p += taken.n;
    bytes->n -= taken.n;
    return taken;
}

static bool
is_v2_hello(const uint8_t *head)
{
    return (head[0] & 0x80) != 0 && v2_length(head) >= 9 && head[2] == TLS_CLIENT_HELLO &&
           (head[3] == 3 || (head[3] == 0 && head[4] == 2));
}

const char *
tls_record_fault(const struct tls *tls, enum weir_dir dir)
{
    const struct tls_side *side = &tls->side[dir];

    if (side->state != TLS_BAD || side->n_head < sizeof(side->head))
        return NULL;
    if (side->head[1] != 3 || side->head[2] > 4)
        return "tls.invalid_record_version";
    if (be16(side->head + 3) > RECORD_MAX)
        return "tls.invalid_record_length";
    return side->head[0] < RECORD_CHANGE_CIPHER_SPEC || side->head[0] > RECORD_HEARTBEAT
               ? "tls.invalid_record_type"
               : NULL;
}

static void
begin_record(struct feed *feed)
{
    struct tls_side *side = side_of(feed);
    const uint8_t *head = side->head;
    const uint16_t n = be16(head + 3);

    if (side->state == TLS_FIRST && is_v2_hello(head)) {
        side->state = TLS_V2;
        gather_feed(&side->handshake, &v2_records, feed->pool, (struct weir_bytes){ head, 5 },
                    on_v2_hello, feed);
        return;
    }
    if (head[0] < RECORD_CHANGE_CIPHER_SPEC || head[0] > RECORD_HEARTBEAT || head[1] != 3 ||
        head[2] > 4 || n > RECORD_MAX)
        end_side(side, feed->pool, TLS_BAD);
    else if (head[0] == RECORD_DATA ||
             (head[0] == RECORD_CHANGE_CIPHER_SPEC && said_hello(feed->tls, feed->dir)))
        end_side(side, feed->pool, TLS_DONE);
    else
        side->state = TLS_RECORDS;
    side->left = n;
}

static void
read_head(struct feed *feed)
{
    struct tls_side *side = side_of(feed);
    struct weir_bytes part = take(&feed->bytes, (uint32_t)(sizeof(side->head) - side->n_head));

    memcpy(side->head + side->n_head, part.p, part.n);
    side->n_head = (uint8_t)(side->n_head + part.n);
    if (side->n_head == sizeof(side->head))
        begin_record(feed);
}

static void
read_record(struct feed *feed)
{
    struct tls_side *side = side_of(feed);
    struct weir_bytes part = take(&feed->bytes, side->left);

    side->left = (uint16_t)(side->left - part.n);
    if (side->head[0] == RECORD_HANDSHAKE)
        gather_feed(&side->handshake, &handshakes, feed->pool, part, on_handshake, feed);
    if (side->state >= TLS_DONE)
        gather_reset(&side->handshake, feed->pool);
    else if (side->left == 0)
        side->n_head = 0;
}

/* The hello and nothing behind it. */
static void
read_v2(struct feed *feed)
{
    struct tls_side *side = side_of(feed);
    const uint32_t n = side->handshake.want - side->handshake.have;
    struct weir_bytes part = take(&feed->bytes, n);

    gather_feed(&side->handshake, &v2_records, feed->pool, part, on_v2_hello, feed);
    if (side->state == TLS_V2 && part.n == n) /* it was passed over */
        side->state = TLS_DONE;
    if (side->state != TLS_V2)
        side->n_head = 0;
}

void
tls_feed(struct tls *tls, struct pool *pool, enum weir_dir dir, struct weir_bytes bytes, tls_fn *fn,
         void *ctx)
{
    struct feed feed = {
        .tls = tls, .pool = pool, .dir = dir, .bytes = bytes, .fn = fn, .ctx = ctx
    };
    struct tls_side *side = &tls->side[dir];

    while (feed.bytes.n > 0 && side->state < TLS_DONE) {
        if (side->state == TLS_V2)
            read_v2(&feed);
        else if (side->n_head < sizeof(side->head))
            read_head(&feed);
        else
            read_record(&feed);
        if (side->state == TLS_RECORDS && side->n_head == sizeof(side->head) && side->left == 0)
            side->n_head = 0; /* an empty record */
    }
}

void
tls_gap(struct tls *tls, struct pool *pool, enum weir_dir dir, uint64_t n)
{
    struct tls_side *side = &tls->side[dir];
    bool certain;

    if (side->state >= TLS_DONE || n == 0)
        return;
    certain = side->state == TLS_RECORDS && side->n_head == sizeof(side->head) && n <= side->left;
    if (certain && side->head[0] == RECORD_HANDSHAKE)
        certain = gather_gap(&side->handshake, pool, n);
    if (!certain) {
        end_side(side, pool, TLS_LOST);
        return;
    }
    side->left = (uint16_t)(side->left - n);
    if (side->left == 0)
        side->n_head = 0;
}

void
tls_end(struct tls *tls, struct pool *pool)
{
    gather_reset(&tls->side[WEIR_TOSERVER].handshake, pool);
    gather_reset(&tls->side[WEIR_TOCLIENT].handshake, pool);
}
