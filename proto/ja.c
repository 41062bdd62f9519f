#include "ja.h"

#include "rd.h"

#include <ctype.h>

static void
joined(struct put *put, bool *first, unsigned value)
{
    if (!*first)
        put_char(put, '-');
    *first = false;
    put_u64(put, value);
}

/* Values of two bytes, those of RFC 8701 left out. */
static void
join_u16(struct weir_bytes list, struct put *put)
{
    bool first = true;

    for (uint32_t i = 0; i + 1 < list.n; i += 2)
        if (!tls_is_grease(be16(list.p + i)))
            joined(put, &first, be16(list.p + i));
}

static void
join_extensions(struct weir_bytes list, struct put *put)
{
    struct weir_bytes data;
    bool first = true;
    uint16_t type;

    while (tls_next_extension(&list, &type, &data))
        if (!tls_is_grease(type))
            joined(put, &first, type);
}

int
ja3_text(const struct tls_client_hello *hello, struct put *put)
{
    bool first = true;

    if (hello->sslv2)
        return WEIR_E_UNSUPPORTED;
    put_u64(put, hello->version);
    put_char(put, ',');
    join_u16(hello->ciphers, put);
    put_char(put, ',');
    join_extensions(hello->extensions, put);
    put_char(put, ',');
    join_u16(hello->groups, put);
    put_char(put, ',');
    for (uint32_t i = 0; i < hello->point_formats.n; i++)
        joined(put, &first, hello->point_formats.p[i]);
    return put->more ? WEIR_E_LIMIT : WEIR_E_OK;
}

int
ja3s_text(const struct tls_server_hello *hello, struct put *put)
{
    put_u64(put, hello->legacy_version);
    put_char(put, ',');
    put_u64(put, hello->cipher);
    put_char(put, ',');
    join_extensions(hello->extensions, put);
    return put->more ? WEIR_E_LIMIT : WEIR_E_OK;
}

void
ja3_hash(struct digest *digest, const struct put *text, char hash[JA_HASH])
{
    struct put put = put_begin(hash, JA_HASH);
    uint8_t md5[DIGEST_MAX];

    digest_text(md5, digest_of(digest, DIGEST_MD5, text->start, put_length(text), md5), '\0', &put);
}

/* ---- JA4 */

struct list {
    uint16_t at[JA4_LIST];
    unsigned n;
    bool more;
};

static void
add(struct list *list, uint16_t value)
{
    if (list->n < JA4_LIST)
        list->at[list->n++] = value;
    else
        list->more = true;
}

/* Shell's sort with Ciura's gaps: in place, and what hostile hellos cost is bounded. */
static void
sort(struct list *list)
{
    static const unsigned gaps[] = { 301, 132, 57, 23, 10, 4, 1 };

    for (size_t g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++)
        for (unsigned i = gaps[g]; i < list->n; i++) {
            const uint16_t value = list->at[i];
            unsigned k = i;

            for (; k >= gaps[g] && list->at[k - gaps[g]] > value; k -= gaps[g])
                list->at[k] = list->at[k - gaps[g]];
            list->at[k] = value;
        }
}

static void
digest_list(struct digest *digest, const struct list *list)
{
    for (unsigned i = 0; i < list->n; i++) {
        char text[8];
        struct put put = put_begin(text, sizeof(text));

        if (i > 0)
            put_char(&put, ',');
        put_hex(&put, list->at[i], 4);
        digest_add(digest, text, put_length(&put));
    }
}

static void
put_truncated(struct digest *digest, struct put *put)
{
    uint8_t sha256[DIGEST_MAX];

    digest_end(digest, sha256);
    digest_text(sha256, 6, '\0', put);
}

static void
collect_u16(struct weir_bytes from, struct list *list)
{
    for (uint32_t i = 0; i + 1 < from.n; i += 2)
        if (!tls_is_grease(be16(from.p + i)))
            add(list, be16(from.p + i));
}

/* The greatest version that is offered. */
static uint16_t
offered(const struct tls_client_hello *hello)
{
    uint16_t greatest = 0;

    for (uint32_t i = 0; i + 1 < hello->versions.n; i += 2) {
        const uint16_t version = be16(hello->versions.p + i);

        if (!tls_is_grease(version) && version > greatest)
            greatest = version;
    }
    return greatest != 0 ? greatest : hello->version;
}

static const char *
version_text(uint16_t version)
{
    switch (version) {
    case TLS_1_3:
        return "13";
    case TLS_1_2:
        return "12";
    case TLS_1_1:
        return "11";
    case TLS_1_0:
        return "10";
    case SSL_3_0:
        return "s3";
    case SSL_2_0:
        return "s2";
    default:
        return "00";
    }
}

/* First and last letter of the first ALPN name; of its hexadecimal text, where one is no letter. */
static void
put_alpn(struct weir_bytes list, struct put *put)
{
    struct weir_bytes name;
    uint8_t first, last;

    if (!tls_next_name(&list, &name) || name.n == 0) {
        put_str(put, "00");
        return;
    }
    first = name.p[0];
    last = name.p[name.n - 1];
    if (first < 128 && last < 128 && isalnum(first) && isalnum(last)) {
        put_char(put, (char)first);
        put_char(put, (char)last);
    } else {
        put_hex(put, first >> 4, 1);
        put_hex(put, last & 15, 1);
    }
}

static void
put_count(struct put *put, unsigned n)
{
    n = n < 99 ? n : 99;
    put_u64(put, n / 10);
    put_u64(put, n % 10);
}

static void
put_ciphers(struct digest *digest, struct list *ciphers, struct put *put)
{
    if (ciphers->n == 0) {
        put_str(put, "000000000000");
        return;
    }
    sort(ciphers);
    digest_begin(digest, DIGEST_SHA256);
    digest_list(digest, ciphers);
    put_truncated(digest, put);
}

/* Extensions sorted, server name and ALPN left out; signature algorithms in their order. */
static void
put_extensions(struct digest *digest, const struct list *all, struct list *algorithms,
               struct put *put)
{
    struct list sorted = { .n = 0, .more = false };

    if (all->n == 0) {
        put_str(put, "000000000000");
        return;
    }
    for (unsigned i = 0; i < all->n; i++)
        if (all->at[i] != TLS_EXT_SERVER_NAME && all->at[i] != TLS_EXT_ALPN)
            add(&sorted, all->at[i]);
    sort(&sorted);
    digest_begin(digest, DIGEST_SHA256);
    digest_list(digest, &sorted);
    if (algorithms->n > 0)
        digest_add(digest, "_", 1);
    digest_list(digest, algorithms);
    put_truncated(digest, put);
}

int
ja4_text(const struct tls_client_hello *hello, struct digest *digest, struct put *put)
{
    struct list ciphers = { .n = 0, .more = false }, types = { .n = 0, .more = false },
                algorithms = { .n = 0, .more = false };
    struct weir_bytes rest = hello->extensions, data;
    uint16_t type;

    if (hello->sslv2)
        return WEIR_E_UNSUPPORTED;
    collect_u16(hello->ciphers, &ciphers);
    collect_u16(hello->signature_algorithms, &algorithms);
    while (tls_next_extension(&rest, &type, &data))
        if (!tls_is_grease(type))
            add(&types, type);
    if (ciphers.more || algorithms.more || types.more)
        return WEIR_E_LIMIT;
    put_char(put, 't');
    put_str(put, version_text(offered(hello)));
    put_char(put, hello->has_server_name ? 'd' : 'i');
    put_count(put, ciphers.n);
    put_count(put, types.n);
    put_alpn(hello->alpn, put);
    put_char(put, '_');
    put_ciphers(digest, &ciphers, put);
    put_char(put, '_');
    put_extensions(digest, &types, &algorithms, put);
    return put->more ? WEIR_E_LIMIT : WEIR_E_OK;
}
