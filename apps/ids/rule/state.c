#include "rule/state.h"

#include "rule/rule.h"

#include <stdlib.h>
#include <string.h>

enum {
    XBITS_EXPIRE = 30,
    HOSTBITS_EXPIRE = 300, /* seconds, as in Suricata */
    TX_EXPIRE = 3600       /* longer than transactions last */
};

static int
no_memory(struct weir_errbuf *err)
{
    return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
}

static void
bits_clear(struct bits *bits)
{
    for (unsigned i = 0; i < bits->n; i++)
        free(bits->name[i]);
    free(bits->name);
    free(bits->group);
}

void
rule_state_free(struct rule_state *state)
{
    if (state == NULL)
        return;
    for (unsigned i = 0; i < state->n_bits; i++)
        bits_clear(&state->bits[i]);
    for (unsigned i = 0; i < state->n_ints; i++) {
        free(state->ints[i].name);
        free(state->ints[i].other);
    }
    free(state->bits);
    free(state->ints);
    free(state);
}

static struct rule_state *
state_of(struct rule *rule)
{
    if (rule->state == NULL)
        rule->state = calloc(1, sizeof(*rule->state));
    return rule->state;
}

/* ---- names --------------------------------------------------------------------------------- */

/* A name has no white space in it, and none of the signs that put names together. */
static int
check_name(struct text name, struct weir_errbuf *err)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= ' ' || strchr(",|&;\"", name.p[i]) != NULL)
            return weir_err_set(err, WEIR_E_SYNTAX, "a name expected, not '%.*s'", TEXT(name));
    if (name.n == 0 || name.n > 255)
        return weir_err_set(err, WEIR_E_SYNTAX, "a name of 1 to 255 characters expected");
    return WEIR_E_OK;
}

static int
take_name(struct text name, char **out, struct weir_errbuf *err)
{
    int rc = check_name(name, err);

    if (rc != WEIR_E_OK)
        return rc;
    *out = strndup(name.p, name.n);
    return *out != NULL ? WEIR_E_OK : no_memory(err);
}

static int
add_name(struct bits *bits, struct text name, struct weir_errbuf *err)
{
    char **more;
    int rc;

    if (bits->n == BITS_NAMES_MAX)
        return weir_err_set(err, WEIR_E_LIMIT, "at most %d names expected", BITS_NAMES_MAX);
    more = realloc(bits->name, (bits->n + 1U) * sizeof(*more));
    if (more == NULL)
        return no_memory(err);
    bits->name = more;
    rc = take_name(name, &more[bits->n], err);
    if (rc == WEIR_E_OK)
        bits->n++;
    return rc;
}

static bool
is_test(enum bits_op op)
{
    return op == BITS_ISSET || op == BITS_ISNOTSET;
}

/* a, a|b, a&b */
static int
take_names(struct bits *bits, struct text names, struct weir_errbuf *err)
{
    bool any = names.n > 0 && memchr(names.p, '|', names.n) != NULL;
    struct text name;
    int rc = WEIR_E_OK;

    if (any && memchr(names.p, '&', names.n) != NULL)
        return weir_err_set(err, WEIR_E_SYNTAX, "either | or & expected, not both");
    if (any && !is_test(bits->op))
        return weir_err_set(err, WEIR_E_SYNTAX, "| goes with isset and isnotset only");
    bits->each = !any;
    while (rc == WEIR_E_OK && text_next(&names, any ? '|' : '&', &name))
        rc = add_name(bits, name, err);
    return rc;
}

/* ---- bits ---------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum bits_op op;
} ops[] = {
    { "set", BITS_SET },     { "unset", BITS_UNSET },       { "toggle", BITS_TOGGLE },
    { "isset", BITS_ISSET }, { "isnotset", BITS_ISNOTSET }, { "setx", BITS_SETX },
    { "reset", BITS_RESET },
};

static int
take_op(struct text word, struct bits *bits, struct weir_errbuf *err)
{
    bool flow = bits->of == BITS_OF_FLOW;

    for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
        if (!text_is(word, ops[i].name) ||
            (!flow && (ops[i].op == BITS_SETX || ops[i].op == BITS_RESET)))
            continue;
        bits->op = (uint8_t)ops[i].op;
        return WEIR_E_OK;
    }
    return weir_err_set(err, WEIR_E_SYNTAX,
                        "set, unset, toggle, isset, isnotset%s or noalert expected, not '%.*s'",
                        flow ? ", setx, reset" : "", TEXT(word));
}

/* The uses are a list that grows by one; the rule's. */
static int
add_bits(struct rule *rule, struct bits *bits, struct weir_errbuf *err)
{
    struct rule_state *state = state_of(rule);
    struct bits *more = NULL;

    if (state != NULL && state->n_bits == STATE_USES_MAX)
        return weir_err_set(err, WEIR_E_LIMIT, "at most %d of a rule expected", STATE_USES_MAX);
    if (state != NULL)
        more = realloc(state->bits, (state->n_bits + 1U) * sizeof(*more));
    if (more == NULL)
        return no_memory(err);
    state->bits = more;
    more[state->n_bits++] = *bits;
    return WEIR_E_OK;
}

/* Whether the value is the word alone, which says nothing of bits. */
static bool
is_noalert(struct rule *rule, struct text value)
{
    if (!text_is(text_trim(value), "noalert"))
        return false;
    rule->noalert = true;
    return true;
}

/* Names and, behind them, perhaps a group (Snort). */
static int
flow_names(struct bits *bits, struct text rest, struct weir_errbuf *err)
{
    struct text names = { NULL, 0 }, group;
    int rc = WEIR_E_OK;

    if (bits->op != BITS_RESET) {
        if (!text_next(&rest, ',', &names))
            return weir_err_set(err, WEIR_E_SYNTAX, "a name expected");
        bits->whole = rest.p != NULL && (text_is(names, "any") || text_is(names, "all"));
        bits->each = text_is(names, "all");
        if (!bits->whole)
            rc = take_names(bits, names, err);
    }
    if (rc == WEIR_E_OK && text_next(&rest, ',', &group))
        rc = take_name(group, &bits->group, err);
    if (rc == WEIR_E_OK && rest.p != NULL)
        rc = weir_err_set(err, WEIR_E_SYNTAX, "nothing expected behind the group");
    if (rc == WEIR_E_OK && bits->op == BITS_SETX && bits->group == NULL)
        rc = weir_err_set(err, WEIR_E_SYNTAX, "setx: a group expected");
    return rc;
}

int
flowbits_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct bits bits = { .of = BITS_OF_FLOW };
    struct text op;
    int rc;

    if (is_noalert(rule, value))
        return WEIR_E_OK;
    text_next(&value, ',', &op);
    rc = take_op(op, &bits, err);
    if (rc == WEIR_E_OK)
        rc = flow_names(&bits, value, err);
    if (rc == WEIR_E_OK)
        rc = add_bits(rule, &bits, err);
    if (rc != WEIR_E_OK)
        bits_clear(&bits);
    return rc;
}

static int
take_track(struct bits *bits, struct text word, struct weir_errbuf *err)
{
    if (text_is(word, "ip_src"))
        bits->of = BITS_OF_SRC;
    else if (text_is(word, "ip_dst"))
        bits->of = BITS_OF_DST;
    else if (text_is(word, "ip_pair"))
        bits->of = BITS_OF_PAIR;
    else if (text_is(word, "tx"))
        bits->of = BITS_OF_TX;
    else
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "track ip_src, ip_dst, ip_pair or tx expected, not '%.*s'", TEXT(word));
    return WEIR_E_OK;
}

static int
take_expire(struct bits *bits, struct text word, struct weir_errbuf *err)
{
    int64_t v;

    if (!text_int(word, 1, UINT32_MAX, &v))
        return weir_err_set(err, WEIR_E_SYNTAX, "expire: seconds expected, not '%.*s'", TEXT(word));
    bits->expire = (uint32_t)v;
    return WEIR_E_OK;
}

/* "track ip_src, expire 60" */
static int
xbits_words(struct bits *bits, struct text rest, struct weir_errbuf *err)
{
    struct text part, key;
    bool has_track = false, has_expire = false;
    int rc = WEIR_E_OK;

    while (rc == WEIR_E_OK && text_next(&rest, ',', &part)) {
        text_next(&part, ' ', &key);
        part = part.p != NULL ? text_trim(part) : text_of(key.p, key.p);
        has_track |= text_is(key, "track");
        has_expire |= text_is(key, "expire");
        if (text_is(key, "track"))
            rc = take_track(bits, part, err);
        else if (text_is(key, "expire"))
            rc = take_expire(bits, part, err);
        else
            rc = weir_err_set(err, WEIR_E_SYNTAX, "track or expire expected, not '%.*s'",
                              TEXT(key));
    }
    if (rc == WEIR_E_OK && !has_track)
        rc = weir_err_set(err, WEIR_E_SYNTAX, "track expected");
    if (rc == WEIR_E_OK && bits->of == BITS_OF_TX) {
        bits->expire = TX_EXPIRE;
        if (has_expire)
            rc = weir_err_set(err, WEIR_E_SYNTAX, "expire does not go with track tx");
    }
    return rc;
}

/* "src" or "dst"; nothing: src. */
static int
hostbits_words(struct bits *bits, struct text rest, struct weir_errbuf *err)
{
    struct text word;

    if (!text_next(&rest, ',', &word))
        return WEIR_E_OK;
    if (rest.p != NULL || (!text_is(word, "src") && !text_is(word, "dst")))
        return weir_err_set(err, WEIR_E_SYNTAX, "src or dst expected, not '%.*s'", TEXT(word));
    bits->of = text_is(word, "dst") ? BITS_OF_DST : BITS_OF_SRC;
    return WEIR_E_OK;
}

static int
keyed_take(struct rule *rule, struct text value, struct bits bits,
           int (*words)(struct bits *bits, struct text rest, struct weir_errbuf *err),
           struct weir_errbuf *err)
{
    struct text op, name;
    int rc;

    if (is_noalert(rule, value))
        return WEIR_E_OK;
    text_next(&value, ',', &op);
    rc = take_op(op, &bits, err);
    if (rc == WEIR_E_OK && !text_next(&value, ',', &name))
        rc = weir_err_set(err, WEIR_E_SYNTAX, "a name expected");
    if (rc == WEIR_E_OK)
        rc = add_name(&bits, name, err);
    if (rc == WEIR_E_OK)
        rc = words(&bits, value, err);
    if (rc == WEIR_E_OK)
        rc = add_bits(rule, &bits, err);
    if (rc != WEIR_E_OK)
        bits_clear(&bits);
    return rc;
}

int
xbits_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct bits bits = { .of = BITS_OF_SRC, .each = true, .expire = XBITS_EXPIRE };

    return keyed_take(rule, value, bits, xbits_words, err);
}

int
hostbits_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct bits bits = { .of = BITS_OF_SRC, .each = true, .expire = HOSTBITS_EXPIRE };

    return keyed_take(rule, value, bits, hostbits_words, err);
}

/* ---- flowint ------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum flowint_op op;
    enum compare_op compare;
} int_ops[] = {
    { "=", FLOWINT_ASSIGN, CMP_EQ },        { "+", FLOWINT_ADD, CMP_EQ },
    { "-", FLOWINT_SUBTRACT, CMP_EQ },      { "==", FLOWINT_COMPARE, CMP_EQ },
    { "!=", FLOWINT_COMPARE, CMP_NE },      { "<", FLOWINT_COMPARE, CMP_LT },
    { "<=", FLOWINT_COMPARE, CMP_LE },      { ">", FLOWINT_COMPARE, CMP_GT },
    { ">=", FLOWINT_COMPARE, CMP_GE },      { "isset", FLOWINT_ISSET, CMP_EQ },
    { "notset", FLOWINT_ISNOTSET, CMP_EQ }, { "isnotset", FLOWINT_ISNOTSET, CMP_EQ },
};

static int
take_int_op(struct flowint *f, struct text word, struct weir_errbuf *err)
{
    for (size_t i = 0; i < sizeof(int_ops) / sizeof(*int_ops); i++) {
        if (!text_is(word, int_ops[i].name))
            continue;
        f->op = (uint8_t)int_ops[i].op;
        f->compare = (uint8_t)int_ops[i].compare;
        return WEIR_E_OK;
    }
    return weir_err_set(err, WEIR_E_SYNTAX,
                        "one of = + - == != < <= > >= isset notset expected, not '%.*s'",
                        TEXT(word));
}

/* A number, or the name of another variable. */
static int
take_int_value(struct flowint *f, struct text word, struct weir_errbuf *err)
{
    int64_t v;

    if (word.n > 0 && (word.p[0] < '0' || word.p[0] > '9'))
        return take_name(word, &f->other, err);
    if (!text_int(word, 0, UINT32_MAX, &v))
        return weir_err_set(err, WEIR_E_SYNTAX, "a number up to %u or a name expected, not '%.*s'",
                            UINT32_MAX, TEXT(word));
    f->value = (uint32_t)v;
    return WEIR_E_OK;
}

static int
flowint_parse(struct flowint *f, struct text value, struct weir_errbuf *err)
{
    struct text name, op = { NULL, 0 }, word = { NULL, 0 };
    bool has_value;
    int rc;

    text_next(&value, ',', &name);
    text_next(&value, ',', &op);
    has_value = text_next(&value, ',', &word);
    if (op.p == NULL || value.p != NULL)
        return weir_err_set(err, WEIR_E_SYNTAX, "name,operator,value expected");
    rc = take_int_op(f, op, err);
    if (rc == WEIR_E_OK && has_value == (f->op >= FLOWINT_ISSET))
        rc = weir_err_set(err, WEIR_E_SYNTAX,
                          has_value ? "no value expected behind '%.*s'"
                                    : "a value expected behind '%.*s'",
                          TEXT(op));
    if (rc == WEIR_E_OK)
        rc = take_name(name, &f->name, err);
    return rc == WEIR_E_OK && has_value ? take_int_value(f, word, err) : rc;
}

static int
add_flowint(struct rule *rule, const struct flowint *f, struct weir_errbuf *err)
{
    struct rule_state *state = state_of(rule);
    struct flowint *more = NULL;

    if (state != NULL && state->n_ints == STATE_USES_MAX)
        return weir_err_set(err, WEIR_E_LIMIT, "at most %d of a rule expected", STATE_USES_MAX);
    if (state != NULL)
        more = realloc(state->ints, (state->n_ints + 1U) * sizeof(*more));
    if (more == NULL)
        return no_memory(err);
    state->ints = more;
    more[state->n_ints++] = *f;
    return WEIR_E_OK;
}

int
flowint_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct flowint f = { .op = FLOWINT_ASSIGN };
    int rc = flowint_parse(&f, value, err);

    if (rc == WEIR_E_OK)
        rc = add_flowint(rule, &f, err);
    if (rc != WEIR_E_OK) {
        free(f.name);
        free(f.other);
    }
    return rc;
}

/* ---- alerts -------------------------------------------------------------------------------- */

static int
set_threshold(struct rule *rule, const struct threshold *threshold, struct weir_errbuf *err)
{
    struct rule_state *state = state_of(rule);

    if (state == NULL)
        return no_memory(err);
    if (state->threshold.type != THRESHOLD_NONE)
        return weir_err_set(err, WEIR_E_UNSUPPORTED,
                            "one threshold or detection_filter for a rule expected");
    state->threshold = *threshold;
    return WEIR_E_OK;
}

int
threshold_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct threshold_list list;
    int rc = threshold_parse(value, WORD_TYPE | WORD_TRACK | WORD_COUNT,
                             WORD_SECONDS | WORD_MULTIPLIER, &list, err);

    if (rc == WEIR_E_OK)
        rc = threshold_check(&list, err);
    return rc == WEIR_E_OK ? set_threshold(rule, &list.threshold, err) : rc;
}

int
detection_filter_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct threshold_list list;
    int rc = threshold_parse(value, WORD_TRACK | WORD_COUNT | WORD_SECONDS, WORD_UNIQUE, &list,
                             err);

    list.threshold.type = THRESHOLD_FILTER;
    if (rc == WEIR_E_OK)
        rc = threshold_check(&list, err);
    if (rc == WEIR_E_OK && list.threshold.unique != UNIQUE_NOTHING &&
        (rule->protos & ~(RULE_TCP | RULE_UDP)) != 0)
        rc = weir_err_set(err, WEIR_E_SYNTAX, "unique_on: a rule of TCP or UDP expected");
    return rc == WEIR_E_OK ? set_threshold(rule, &list.threshold, err) : rc;
}

static int
take_metric(struct tag *tag, struct text count, struct text metric, struct weir_errbuf *err)
{
    static const char *const metrics[] = { "packets", "bytes", "seconds" };
    int64_t v;

    if (!text_int(count, 1, UINT32_MAX, &v))
        return weir_err_set(err, WEIR_E_SYNTAX, "a number expected, not '%.*s'", TEXT(count));
    tag->n = (uint32_t)v;
    for (uint8_t i = 0; i < 3; i++) {
        if (!text_is(metric, metrics[i]))
            continue;
        tag->metric = i;
        return WEIR_E_OK;
    }
    return weir_err_set(err, WEIR_E_SYNTAX, "packets, bytes or seconds expected, not '%.*s'",
                        TEXT(metric));
}

/* How much: "5,packets" or, in Snort 3, "packets 5". */
static int
tag_amount(struct tag *tag, struct text *value, struct weir_errbuf *err)
{
    struct text count, metric;

    if (!text_next(value, ',', &count))
        return WEIR_E_OK;
    if (count.n > 0 && count.p[0] >= 'a' && count.p[0] <= 'z') {
        text_next(&count, ' ', &metric);
        count = count.p != NULL ? text_trim(count) : text_of(metric.p, metric.p);
        return take_metric(tag, count, metric, err);
    }
    if (!text_next(value, ',', &metric))
        return weir_err_set(err, WEIR_E_SYNTAX, "packets, bytes or seconds expected");
    return take_metric(tag, count, metric, err);
}

static const struct {
    const char *name;
    bool host, dst, has_side;
} tag_types[] = {
    { "session", false, false, true },
    { "host", true, false, false },
    { "host_src", true, false, true },
    { "host_dst", true, true, true },
};

/* Whose packets; *has_side: no side has to follow. */
static int
tag_type(struct tag *tag, struct text type, bool *has_side, struct weir_errbuf *err)
{
    for (size_t i = 0; i < sizeof(tag_types) / sizeof(*tag_types); i++) {
        if (!text_is(type, tag_types[i].name))
            continue;
        tag->host = tag_types[i].host;
        tag->dst = tag_types[i].dst;
        *has_side = tag_types[i].has_side;
        return WEIR_E_OK;
    }
    return weir_err_set(err, WEIR_E_SYNTAX, "session or host expected, not '%.*s'", TEXT(type));
}

/* session,N,packets|bytes|seconds and host,N,...,src|dst; session alone: 5 packets. */
static int
tag_parse(struct tag *tag, struct text value, struct weir_errbuf *err)
{
    struct text type, side;
    bool has_side = false;
    int rc;

    *tag = (struct tag){ .n = 5, .metric = TAG_PACKETS };
    text_next(&value, ',', &type);
    rc = tag_type(tag, type, &has_side, err);
    if (rc == WEIR_E_OK)
        rc = tag_amount(tag, &value, err);
    if (rc != WEIR_E_OK)
        return rc;
    if (text_next(&value, ',', &side) == has_side || value.p != NULL ||
        (!has_side && !text_is(side, "src") && !text_is(side, "dst")))
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "src or dst behind host, and behind session neither, expected");
    tag->dst |= !has_side && text_is(side, "dst");
    return WEIR_E_OK;
}

int
tag_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct rule_state *state = state_of(rule);

    if (state == NULL)
        return no_memory(err);
    if (state->tag.n > 0)
        return weir_err_set(err, WEIR_E_UNSUPPORTED, "one for a rule expected");
    return tag_parse(&state->tag, value, err);
}

int
noalert_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    (void)value, (void)err;
    rule->noalert = true;
    return WEIR_E_OK;
}

int
alert_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    (void)value;
    if (rule->noalert)
        return weir_err_set(err, WEIR_E_SYNTAX, "contradicts noalert");
    rule->tells = true;
    return WEIR_E_OK;
}
