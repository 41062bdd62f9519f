#include "rule/transform.h"

#include "rule/buffer.h"
#include "rule/regex.h"

#include "detect/inflate.h"
#include "digest.h"

#include <stdlib.h>
#include <string.h>

enum { TRANSFORMS_MAX = 64, PLACE_MAX = 65535, INFLATED = 1024 /* bytes, as in Suricata */ };

typedef int (*value_fn)(struct transform *transform, struct text value, struct weir_errbuf *err);

/* ---- values -------------------------------------------------------------------------------- */

static int
nothing_take(struct transform *transform, struct text value, struct weir_errbuf *err)
{
    (void)transform;
    return value.n == 0 ? WEIR_E_OK : weir_err_set(err, WEIR_E_SYNTAX, "no value expected");
}

static int
digest_take(struct transform *transform, struct text value, struct weir_errbuf *err)
{
    struct digest *digest;
    int rc = digest_new(&digest);

    digest_free(digest);
    if (rc == WEIR_E_UNSUPPORTED)
        return weir_err_set(err, rc, "weir-ids was built without libcrypto");
    return rc == WEIR_E_OK ? nothing_take(transform, value, err)
                           : weir_err_set(err, rc, "out of memory");
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int
key_take(struct transform *transform, struct text value, struct weir_errbuf *err)
{
    struct text hex = value;

    text_unquote(value, &hex);
    if (hex.n == 0 || hex.n % 2 != 0 || hex.n > 2 * XOR_KEY_MAX)
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "1 to %d pairs of hexadecimal digits expected, not '%.*s'", XOR_KEY_MAX,
                            TEXT(value));
    transform->text = malloc(hex.n / 2);
    if (transform->text == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    for (size_t i = 0; i < hex.n; i += 2) {
        int high = hex_digit(hex.p[i]), low = hex_digit(hex.p[i + 1]);

        if (high < 0 || low < 0)
            return weir_err_set(err, WEIR_E_SYNTAX, "hexadecimal digits expected, not '%.*s'",
                                TEXT(value));
        transform->text[transform->n++] = (uint8_t)(high << 4 | low);
    }
    return WEIR_E_OK;
}

/* PCRE2's own default flags. One group: what it takes is the new buffer. */
static int
expression_take(struct transform *transform, struct text value, struct weir_errbuf *err)
{
    struct text inner;
    int rc;

    if (!text_unquote(value, &inner))
        return weir_err_set(err, WEIR_E_SYNTAX, "a quoted expression expected, not '%.*s'",
                            TEXT(value));
    rc = regex_new(inner, 0, &transform->regex, err);
    if (rc == WEIR_E_OK && regex_groups(transform->regex) != 1)
        return weir_err_set(err, WEIR_E_SYNTAX, "an expression with one group expected");
    return rc;
}

static int
mode_take(struct transform *transform, struct text mode, struct weir_errbuf *err)
{
    if (text_is(mode, "rfc4648"))
        transform->mode = BASE64_STOP;
    else if (text_is(mode, "rfc2045"))
        transform->mode = BASE64_SKIP;
    else if (text_is(mode, "strict"))
        transform->mode = BASE64_STRICT;
    else
        return weir_err_set(err, WEIR_E_SYNTAX, "mode rfc4648, rfc2045 or strict expected");
    return WEIR_E_OK;
}

/* bytes N, offset N, mode M, each at most once. */
static int
base64_take(struct transform *transform, struct text value, struct weir_errbuf *err)
{
    struct text part, word;
    int rc = WEIR_E_OK;

    while (rc == WEIR_E_OK && value.n > 0 && text_next(&value, ',', &part)) {
        int64_t v = 0;
        bool number;

        text_next(&part, ' ', &word);
        part = part.p != NULL ? text_trim(part) : (struct text){ "", 0 };
        number = text_int(part, 0, PLACE_MAX, &v);
        if (text_is(word, "mode"))
            rc = mode_take(transform, part, err);
        else if (number && v > 0 && text_is(word, "bytes"))
            transform->limit = (uint32_t)v;
        else if (number && text_is(word, "offset"))
            transform->offset = (uint32_t)v;
        else
            rc = weir_err_set(err, WEIR_E_SYNTAX, "bytes N, offset N (up to %d) or mode M expected",
                              PLACE_MAX);
    }
    return rc;
}

/* max-size N: bytes made. */
static int
inflate_take(struct transform *transform, struct text value, struct weir_errbuf *err)
{
#ifdef HAVE_ZLIB
    struct text word;
    int64_t v = INFLATED;

    if (value.n > 0 && (!text_next(&value, ' ', &word) || !text_is(word, "max-size") ||
                        value.p == NULL || !text_int(text_trim(value), 1, INFLATED_MAX, &v)))
        return weir_err_set(err, WEIR_E_SYNTAX, "max-size N, up to %d, expected", INFLATED_MAX);
    transform->limit = (uint32_t)v;
    return WEIR_E_OK;
#else
    (void)transform, (void)value;
    return weir_err_set(err, WEIR_E_UNSUPPORTED, "weir-ids was built without zlib");
#endif
}

/* OFFSET[,BYTES][,truncate] */
static int
subslice_take(struct transform *transform, struct text value, struct weir_errbuf *err)
{
    struct text rest = value, part;
    int64_t first = 0, many = 0;
    bool ok = text_next(&rest, ',', &part) && text_int(part, -PLACE_MAX, PLACE_MAX, &first);

    if (ok && text_next(&rest, ',', &part) && !text_is_nocase(part, "truncate")) {
        ok = text_int(part, -PLACE_MAX, PLACE_MAX, &many) && many != 0;
        part = (struct text){ NULL, 0 };
        (void)text_next(&rest, ',', &part);
    }
    transform->cut = ok && part.n > 0 && text_is_nocase(part, "truncate");
    if (!ok || (part.n > 0 && !transform->cut && many != 0) || (rest.p != NULL && rest.n > 0))
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "OFFSET, perhaps with bytes that are not 0 and truncate behind it, "
                            "expected, not '%.*s'",
                            TEXT(value));
    transform->first = (int32_t)first;
    transform->many = (int32_t)many;
    return WEIR_E_OK;
}

/* ---- options ------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    value_fn take;
    enum transform_kind kind;
} names[] = {
    { "to_lowercase", nothing_take, TRANSFORM_TO_LOWERCASE },
    { "to_uppercase", nothing_take, TRANSFORM_TO_UPPERCASE },
    { "strip_whitespace", nothing_take, TRANSFORM_STRIP_WHITESPACE },
    { "compress_whitespace", nothing_take, TRANSFORM_COMPRESS_WHITESPACE },
    { "url_decode", nothing_take, TRANSFORM_URL_DECODE },
    { "dotprefix", nothing_take, TRANSFORM_DOTPREFIX },
    { "xor", key_take, TRANSFORM_XOR },
    { "to_md5", digest_take, TRANSFORM_TO_MD5 },
    { "to_sha1", digest_take, TRANSFORM_TO_SHA1 },
    { "to_sha256", digest_take, TRANSFORM_TO_SHA256 },
    { "header_lowercase", nothing_take, TRANSFORM_HEADER_LOWERCASE },
    { "strip_pseudo_headers", nothing_take, TRANSFORM_STRIP_PSEUDO_HEADERS },
    { "from_base64", base64_take, TRANSFORM_FROM_BASE64 },
    { "pcrexform", expression_take, TRANSFORM_PCREXFORM },
    { "gunzip", inflate_take, TRANSFORM_GUNZIP },
    { "subslice", subslice_take, TRANSFORM_SUBSLICE },
    { "zlib_deflate", inflate_take, TRANSFORM_ZLIB_DEFLATE },
};

bool
transform_is_known(struct text name)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (text_is(name, names[i].name))
            return true;
    return false;
}

/* Where the next transform belongs: the chain at hand, unless a content follows it already. */
static int
chain_at_hand(struct rule *rule, struct chain **out, struct weir_errbuf *err)
{
    if (rule->chain == 0 || rule->chain_steps != rule->n_steps) {
        if (rule->n_chains == CHAINS_MAX)
            return weir_err_set(err, WEIR_E_LIMIT, "at most %d transformed buffers expected",
                                CHAINS_MAX);
        rule->chains[rule->n_chains++] = (struct chain){ rule->n_transforms, rule->n_transforms };
        rule->chain = rule->n_chains;
        rule->chain_steps = rule->n_steps;
    }
    *out = &rule->chains[rule->chain - 1];
    return WEIR_E_OK;
}

static int
transform_new(struct rule *rule, enum transform_kind kind, struct transform **out,
              struct weir_errbuf *err)
{
    struct transform *more;
    struct chain *chain = NULL;
    int rc = chain_at_hand(rule, &chain, err);

    if (rc != WEIR_E_OK)
        return rc;
    if (rule->n_transforms == TRANSFORMS_MAX)
        return weir_err_set(err, WEIR_E_LIMIT, "at most %d transforms expected", TRANSFORMS_MAX);
    more = realloc(rule->transforms, (rule->n_transforms + 1U) * sizeof(*more));
    if (more == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    rule->transforms = more;
    *out = &more[rule->n_transforms++];
    **out = (struct transform){ .kind = (uint8_t)kind };
    chain->behind = rule->n_transforms;
    return WEIR_E_OK;
}

int
transform_option(struct rule *rule, struct text name, struct text value, bool *known,
                 struct weir_errbuf *err)
{
    struct transform *transform;
    size_t i = 0;
    int rc;

    while (i < sizeof(names) / sizeof(*names) && !text_is(name, names[i].name))
        i++;
    *known = i < sizeof(names) / sizeof(*names);
    if (!*known)
        return WEIR_E_OK;
    if (rule->buffer == BUFFER_PAYLOAD)
        return weir_err_set(err, WEIR_E_UNSUPPORTED,
                            "a buffer expected before it: payloads and streams are looked at as "
                            "they are");
    rc = transform_new(rule, names[i].kind, &transform, err);
    return rc == WEIR_E_OK ? names[i].take(transform, value, err) : rc;
}

int
transform_field(struct rule *rule, struct text name, struct weir_errbuf *err)
{
    struct transform *transform;
    int rc;

    rule->chain = 0;
    rc = transform_new(rule, TRANSFORM_FIELD, &transform, err);
    if (rc != WEIR_E_OK)
        return rc;
    transform->text = (uint8_t *)strndup(name.p, name.n);
    if (transform->text == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    transform->n = (uint16_t)name.n;
    return WEIR_E_OK;
}

/* ---- chains -------------------------------------------------------------------------------- */

static bool
are_equal(const struct transform *a, const struct transform *b)
{
    return a->kind == b->kind && a->mode == b->mode && a->offset == b->offset &&
           a->limit == b->limit && a->cut == b->cut && a->first == b->first && a->many == b->many &&
           a->n == b->n && a->regex == b->regex &&
           (a->n == 0 || memcmp(a->text, b->text, a->n) == 0);
}

static bool
chains_equal(const struct rule *rule, const struct chain *a, const struct chain *b)
{
    if (a->behind - a->first != b->behind - b->first)
        return false;
    for (unsigned i = 0; i < (unsigned)(a->behind - a->first); i++)
        if (!are_equal(&rule->transforms[a->first + i], &rule->transforms[b->first + i]))
            return false;
    return true;
}

void
transform_same(const struct rule *rule, uint8_t *chain)
{
    for (uint8_t i = 1; i < *chain; i++) {
        if (!chains_equal(rule, &rule->chains[i - 1], &rule->chains[*chain - 1]))
            continue;
        *chain = i;
        return;
    }
}

bool
transform_keeps(const struct rule *rule, unsigned chain, bool *nocase, bool *dot)
{
    *nocase = *dot = false;
    for (unsigned i = rule->chains[chain - 1].first; i < rule->chains[chain - 1].behind; i++) {
        switch ((enum transform_kind)rule->transforms[i].kind) {
        case TRANSFORM_TO_LOWERCASE:
        case TRANSFORM_TO_UPPERCASE:
        case TRANSFORM_HEADER_LOWERCASE:
            *nocase = true;
            break;
        case TRANSFORM_DOTPREFIX:
            if (*dot)
                return false;
            *dot = true;
            break;
        case TRANSFORM_PCREXFORM:
        case TRANSFORM_SUBSLICE:
        case TRANSFORM_FIELD:
            break;
        default:
            return false;
        }
    }
    return true;
}

bool
transform_needs_all(const struct rule *rule, unsigned chain)
{
    for (unsigned i = rule->chains[chain - 1].first; i < rule->chains[chain - 1].behind; i++) {
        switch ((enum transform_kind)rule->transforms[i].kind) {
        case TRANSFORM_TO_MD5:
        case TRANSFORM_TO_SHA1:
        case TRANSFORM_TO_SHA256:
        case TRANSFORM_SUBSLICE:
            return true;
        default:
            break;
        }
    }
    return false;
}

void
transforms_clear(struct rule *rule)
{
    for (unsigned i = 0; i < rule->n_transforms; i++) {
        free(rule->transforms[i].text);
        regex_free(rule->transforms[i].regex);
    }
    free(rule->transforms);
    rule->transforms = NULL;
    rule->n_transforms = 0;
}
