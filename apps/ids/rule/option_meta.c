#include "rule/option_meta.h"

#include "rule/app_names.h"

#include <stdlib.h>
#include <string.h>

static int
no_memory(struct weir_errbuf *err)
{
    return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
}

int
msg_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct text inner;
    char *to;

    if (!text_unquote(value, &inner))
        return weir_err_set(err, WEIR_E_SYNTAX, "a quoted string expected, not '%.*s'",
                            TEXT(value));
    to = malloc(inner.n + 1);
    if (to == NULL)
        return no_memory(err);
    free(rule->msg);
    rule->msg = to;
    for (size_t i = 0; i < inner.n; i++) {
        if (inner.p[i] == '\\' && i + 1 < inner.n)
            i++;
        *to++ = inner.p[i];
    }
    *to = '\0';
    return WEIR_E_OK;
}

static int
take_u32(struct text value, int64_t min, uint32_t *to, struct weir_errbuf *err)
{
    int64_t v;

    if (!text_int(value, min, UINT32_MAX, &v))
        return weir_err_set(err, WEIR_E_SYNTAX, "a number from %lld to %u expected, not '%.*s'",
                            (long long)min, UINT32_MAX, TEXT(value));
    *to = (uint32_t)v;
    return WEIR_E_OK;
}

int
sid_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_u32(value, 1, &rule->sid, err);
}

int
gid_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_u32(value, 0, &rule->gid, err);
}

int
rev_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_u32(value, 0, &rule->rev, err);
}

int
priority_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    int64_t v;

    if (!text_int(value, 1, 255, &v))
        return weir_err_set(err, WEIR_E_SYNTAX, "a number from 1 to 255 expected, not '%.*s'",
                            TEXT(value));
    rule->priority = (uint32_t)v;
    rule->has_priority = true;
    return WEIR_E_OK;
}

int
classtype_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    (void)err;
    rule->class_name = value;
    return WEIR_E_OK;
}

static int
add_pair(struct pair **pairs, uint16_t *n, struct text key, struct text value,
         struct weir_errbuf *err)
{
    struct pair *more;

    if (*n == 1024)
        return weir_err_set(err, WEIR_E_LIMIT, "at most %u expected", *n);
    more = realloc(*pairs, (*n + 1U) * sizeof(*more));
    if (more == NULL)
        return no_memory(err);
    *pairs = more;
    more[*n] = (struct pair){ strndup(key.p, key.n), strndup(value.p, value.n) };
    ++*n;
    return more[*n - 1].key != NULL && more[*n - 1].value != NULL ? WEIR_E_OK : no_memory(err);
}

int
reference_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct text type;

    if (memchr(value.p, ',', value.n) == NULL)
        return weir_err_set(err, WEIR_E_SYNTAX, "type,text expected, not '%.*s'", TEXT(value));
    text_next(&value, ',', &type);
    return add_pair(&rule->reference, &rule->n_reference, type, text_trim(value), err);
}

int
metadata_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct text part, key;
    int rc = WEIR_E_OK;

    while (rc == WEIR_E_OK && text_next(&value, ',', &part)) {
        if (part.n == 0)
            continue;
        text_next(&part, ' ', &key);
        part = part.p != NULL ? text_trim(part) : text_of(key.p + key.n, key.p + key.n);
        if (text_is(key, "service")) /* Snort 2; a word like any other elsewhere */
            rule->services |= app_service(part);
        rc = add_pair(&rule->metadata, &rule->n_metadata, key, part, err);
    }
    return rc;
}

int
target_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    if (!text_is(value, "src_ip") && !text_is(value, "dest_ip"))
        return weir_err_set(err, WEIR_E_SYNTAX, "src_ip or dest_ip expected, not '%.*s'",
                            TEXT(value));
    rule->target = text_is(value, "src_ip") ? TARGET_SRC : TARGET_DST;
    return WEIR_E_OK;
}

int
nothing_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    (void)rule, (void)value, (void)err;
    return WEIR_E_OK;
}
