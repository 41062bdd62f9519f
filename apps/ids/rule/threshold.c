#include "rule/threshold.h"

#include "rule/header.h"

#include <string.h>

/* ---- words --------------------------------------------------------------------------------- */

struct name {
    const char *name;
    uint8_t value;
};

static const struct name types[] = {
    { "limit", THRESHOLD_LIMIT },
    { "threshold", THRESHOLD_EACH },
    { "both", THRESHOLD_BOTH },
    { "backoff", THRESHOLD_BACKOFF },
    { NULL, 0 },
};

static const struct name tracks[] = {
    { "by_src", TRACK_SRC },
    { "by_dst", TRACK_DST },
    { "by_both", TRACK_BOTH },
    { "by_rule", TRACK_RULE },
    { "by_flow", TRACK_FLOW },
    { "by_either", TRACK_EITHER },
    { NULL, 0 },
};

static const struct name uniques[] = {
    { "src_port", UNIQUE_SRC_PORT },
    { "dst_port", UNIQUE_DST_PORT },
    { NULL, 0 },
};

static int
take_name(const struct name *names, struct text word, uint8_t *out, struct weir_errbuf *err)
{
    for (; names->name != NULL; names++) {
        if (text_is(word, names->name)) {
            *out = names->value;
            return WEIR_E_OK;
        }
    }
    return weir_err_set(err, WEIR_E_SYNTAX, "'%.*s' is not known", TEXT(word));
}

static int
take_number(struct text word, int64_t min, uint32_t *out, struct weir_errbuf *err)
{
    int64_t v;

    if (!text_int(word, min, UINT32_MAX, &v))
        return weir_err_set(err, WEIR_E_SYNTAX, "a number from %lld to %u expected, not '%.*s'",
                            (long long)min, UINT32_MAX, TEXT(word));
    *out = (uint32_t)v;
    return WEIR_E_OK;
}

/* 60, 60s, 5m, 1h. */
static int
take_seconds(struct text word, int64_t min, uint32_t *out, struct weir_errbuf *err)
{
    uint32_t unit = 1;
    struct text digits = word;

    if (word.n > 0 && strchr("smh", word.p[word.n - 1]) != NULL) {
        char c = word.p[word.n - 1];

        unit = c == 'h' ? 3600 : c == 'm' ? 60 : 1;
        digits.n--;
    }
    if (take_number(digits, min, out, err) != WEIR_E_OK || *out > UINT32_MAX / unit)
        return weir_err_set(err, WEIR_E_SYNTAX, "a number of seconds expected, not '%.*s'",
                            TEXT(word));
    *out *= unit;
    return WEIR_E_OK;
}

static int
take_action(struct text word, uint8_t *out, struct weir_errbuf *err)
{
    if (header_action(word, out))
        return WEIR_E_OK;
    return weir_err_set(err, WEIR_E_SYNTAX, "'%.*s' is no action", TEXT(word));
}

/* ---- lists --------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum threshold_word word;
} words[] = {
    { "type", WORD_TYPE },
    { "track", WORD_TRACK },
    { "count", WORD_COUNT },
    { "seconds", WORD_SECONDS },
    { "gen_id", WORD_GID },
    { "sig_id", WORD_SID },
    { "ip", WORD_IP },
    { "new_action", WORD_ACTION },
    { "timeout", WORD_TIMEOUT },
    { "multiplier", WORD_MULTIPLIER },
    { "unique_on", WORD_UNIQUE },
};

static const char *
word_name(unsigned word)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (words[i].word == word)
            return words[i].name;
    return "?";
}

static int
take_value(struct threshold_list *list, enum threshold_word word, struct text value,
           struct weir_errbuf *err)
{
    switch (word) {
    case WORD_TYPE:
        return take_name(types, value, &list->threshold.type, err);
    case WORD_TRACK:
        return take_name(tracks, value, &list->threshold.track, err);
    case WORD_UNIQUE:
        return take_name(uniques, value, &list->threshold.unique, err);
    case WORD_COUNT:
        return take_number(value, 1, &list->threshold.count, err);
    case WORD_SECONDS:
        return take_seconds(value, 1, &list->threshold.seconds, err);
    case WORD_MULTIPLIER:
        return take_number(value, 2, &list->threshold.multiplier, err);
    case WORD_GID:
        return take_number(value, 0, &list->gid, err);
    case WORD_SID:
        return take_number(value, 0, &list->sid, err);
    case WORD_ACTION:
        return take_action(value, &list->action, err);
    case WORD_TIMEOUT:
        return take_seconds(value, 0, &list->timeout, err);
    case WORD_IP:
        list->ip = value;
        return value.n > 0 ? WEIR_E_OK : weir_err_set(err, WEIR_E_SYNTAX, "addresses expected");
    }
    return WEIR_E_OK;
}

/* Cut what stands before a comma outside of brackets off *rest; false: nothing is left. */
static bool
next_part(struct text *rest, struct text *part)
{
    int depth = 0;

    if (rest->p == NULL)
        return false;
    for (size_t i = 0; i < rest->n; i++) {
        depth += rest->p[i] == '[' ? 1 : rest->p[i] == ']' ? -1 : 0;
        if (rest->p[i] != ',' || depth > 0)
            continue;
        *part = text_trim(text_of(rest->p, rest->p + i));
        *rest = text_of(rest->p + i + 1, rest->p + rest->n);
        return true;
    }
    *part = text_trim(*rest);
    *rest = (struct text){ NULL, 0 };
    return true;
}

/* "key value", put apart by any white space. */
static void
split(struct text part, struct text *key, struct text *value)
{
    size_t n = 0;

    while (n < part.n && part.p[n] != ' ' && part.p[n] != '\t')
        n++;
    *key = text_of(part.p, part.p + n);
    *value = text_trim(text_of(part.p + n, part.p + part.n));
}

static int
take_part(struct threshold_list *list, unsigned allowed, struct text part, struct weir_errbuf *err)
{
    struct weir_errbuf why = { "" };
    struct text key, value;
    int rc;

    split(part, &key, &value);
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (!text_is(key, words[i].name) || !(words[i].word & allowed))
            continue;
        if (list->given & words[i].word)
            return weir_err_set(err, WEIR_E_SYNTAX, "%s is given twice", words[i].name);
        list->given |= words[i].word;
        rc = take_value(list, words[i].word, value, &why);
        return rc == WEIR_E_OK ? rc : weir_err_set(err, rc, "%s: %s", words[i].name, why.text);
    }
    return weir_err_set(err, WEIR_E_UNSUPPORTED, "'%.*s' is not known here", TEXT(part));
}

static int
check_needed(unsigned missing, struct weir_errbuf *err)
{
    if (missing == 0)
        return WEIR_E_OK;
    return weir_err_set(err, WEIR_E_SYNTAX, "%s expected", word_name(missing & -missing));
}

int
threshold_parse(struct text text, unsigned needed, unsigned allowed, struct threshold_list *out,
                struct weir_errbuf *err)
{
    struct text part;
    int rc = WEIR_E_OK;

    *out = (struct threshold_list){ .gid = 0 };
    while (rc == WEIR_E_OK && next_part(&text, &part))
        rc = take_part(out, needed | allowed, part, err);
    return rc == WEIR_E_OK ? check_needed(needed & ~out->given, err) : rc;
}

int
threshold_check(const struct threshold_list *list, struct weir_errbuf *err)
{
    bool backoff = list->threshold.type == THRESHOLD_BACKOFF;
    unsigned needed = backoff ? WORD_COUNT | WORD_MULTIPLIER : WORD_COUNT | WORD_SECONDS;
    unsigned odd = list->given & (backoff ? WORD_SECONDS : WORD_MULTIPLIER);

    if (list->threshold.track == TRACK_EITHER)
        return weir_err_set(err, WEIR_E_SYNTAX, "track: 'by_either' goes with suppress only");
    if (odd != 0)
        return weir_err_set(err, WEIR_E_SYNTAX, "%s does not go with this type", word_name(odd));
    if (backoff && list->threshold.track != TRACK_FLOW)
        return weir_err_set(err, WEIR_E_SYNTAX, "type backoff goes with track by_flow only");
    return check_needed(needed & ~list->given, err);
}
