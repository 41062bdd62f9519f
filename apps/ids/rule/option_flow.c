#include "rule/option_flow.h"

#include "detect_proto.h"
#include "rule/app_names.h"
#include "rule/option_packet.h"

static const struct {
    const char *name;
    uint8_t bit, excludes;
} flow_words[] = {
    { "to_server", RULE_TO_SERVER, RULE_TO_CLIENT },
    { "from_client", RULE_TO_SERVER, RULE_TO_CLIENT },
    { "to_client", RULE_TO_CLIENT, RULE_TO_SERVER },
    { "from_server", RULE_TO_CLIENT, RULE_TO_SERVER },
    { "established", RULE_ESTABLISHED, RULE_NOT_ESTABLISHED },
    { "not_established", RULE_NOT_ESTABLISHED, RULE_ESTABLISHED },
    { "stateless", 0, RULE_ESTABLISHED | RULE_NOT_ESTABLISHED },
    { "only_stream", RULE_ONLY_STREAM, RULE_NO_STREAM },
    { "no_stream", RULE_NO_STREAM, RULE_ONLY_STREAM },
};

/* no_frag and only_frag: 0 and 1; -1: neither. */
static int
frag_word(struct text word)
{
    return text_is(word, "no_frag") ? 0 : text_is(word, "only_frag") ? 1 : -1;
}

static int
flow_word(struct rule *rule, struct text word, struct weir_errbuf *err)
{
    const struct check check = { .kind = CHECK_FRAGMENTED,
                                 .compare = { .op = CMP_EQ, .value = frag_word(word) } };

    if (check.compare.value >= 0)
        return check_add(rule, &check, err);
    for (size_t i = 0; i < sizeof(flow_words) / sizeof(*flow_words); i++) {
        if (!text_is(word, flow_words[i].name))
            continue;
        if (rule->flow & flow_words[i].excludes)
            return weir_err_set(err, WEIR_E_SYNTAX, "'%.*s' contradicts a word before it",
                                TEXT(word));
        rule->flow |= flow_words[i].bit;
        return WEIR_E_OK;
    }
    return weir_err_set(err, WEIR_E_UNSUPPORTED, "'%.*s' is not supported", TEXT(word));
}

int
flow_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct text word;
    int rc = WEIR_E_OK;

    rule->has_flow = true;
    while (rc == WEIR_E_OK && text_next(&value, ',', &word))
        rc = flow_word(rule, word, err);
    return rc;
}

/* ---- stream_size --------------------------------------------------------------------------- */

static const struct {
    const char *name;
    char side;
} sides[] = {
    { "server", 's' },    { "client", 'c' },    { "both", 'b' }, { "either", 'e' },
    { "to_client", 's' }, { "to_server", 'c' }, /* Snort 3: of whom they come */
    { "toclient", 's' },  { "toserver", 'c' },  /* likewise, of flow.pkts */
};

static bool
take_side(struct text word, char *side)
{
    for (size_t i = 0; i < sizeof(sides) / sizeof(*sides); i++) {
        if (text_is(word, sides[i].name)) {
            *side = sides[i].side;
            return true;
        }
    }
    return false;
}

/* SIDE,OP,N (Suricata, Snort 2) or RANGE[,SIDE] (Snort 3). */
int
stream_size_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct check check = { .kind = CHECK_STREAM_SIZE, .how = 'e' };
    struct text rest = value, first, second, size;
    int rc;

    text_next(&rest, ',', &first);
    if (take_side(first, &check.how)) {
        if (!text_next(&rest, ',', &second) || rest.p == NULL ||
            !compare_sign(&second, &check.compare.op) || second.n > 0 ||
            !text_int(text_trim(rest), 0, UINT32_MAX, &check.compare.value))
            return weir_err_set(err, WEIR_E_SYNTAX, "SIDE,OPERATOR,NUMBER expected, not '%.*s'",
                                TEXT(value));
        return check_add(rule, &check, err);
    }
    size = first;
    rc = compare_parse(size, UINT32_MAX, &check.compare, err);
    if (rc != WEIR_E_OK)
        return rc;
    if (rest.p != NULL && !take_side(text_trim(rest), &check.how))
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "server, client, both or either expected, not '%.*s'", TEXT(rest));
    return check_add(rule, &check, err);
}

/* ---- flow.age and its like ----------------------------------------------------------------- */

int
flow_age_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct check check = { .kind = CHECK_FLOW_AGE };
    int rc = compare_parse(value, UINT32_MAX, &check.compare, err);

    return rc == WEIR_E_OK ? check_add(rule, &check, err) : rc;
}

/* side 0: it stands before the number. */
static int
count_take(struct rule *rule, enum check_kind kind, char side, struct text value,
           struct weir_errbuf *err)
{
    struct check check = { .kind = (uint8_t)kind, .how = side };
    struct text word;
    int rc;

    if (side == 0 && (!text_next(&value, ',', &word) || !take_side(word, &check.how)))
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "toserver, toclient, both or either expected before a comma");
    if (value.p == NULL)
        return weir_err_set(err, WEIR_E_SYNTAX, "a number expected behind a comma");
    rc = compare_parse(text_trim(value), kind == CHECK_FLOW_BYTES ? INT64_MAX : UINT32_MAX,
                       &check.compare, err);
    return rc == WEIR_E_OK ? check_add(rule, &check, err) : rc;
}

int
flow_packets_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return count_take(rule, CHECK_FLOW_PACKETS, 0, value, err);
}

int
flow_packets_toserver_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return count_take(rule, CHECK_FLOW_PACKETS, 'c', value, err);
}

int
flow_packets_toclient_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return count_take(rule, CHECK_FLOW_PACKETS, 's', value, err);
}

int
flow_bytes_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return count_take(rule, CHECK_FLOW_BYTES, 0, value, err);
}

int
flow_bytes_toserver_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return count_take(rule, CHECK_FLOW_BYTES, 'c', value, err);
}

int
flow_bytes_toclient_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return count_take(rule, CHECK_FLOW_BYTES, 's', value, err);
}

/* ---- application protocols ----------------------------------------------------------------- */

/* "unknown" and "failed" are states of Suricata's detection of protocols. */
static int
take_app(struct text word, uint32_t *apps, struct weir_errbuf *err)
{
    const struct app_name *app = app_name_find(word);

    *apps = app != NULL ? app->apps : 0;
    if (text_is(word, "unknown"))
        *apps = UINT32_C(1) << APP_UNKNOWN_YET;
    else if (text_is(word, "failed"))
        *apps = UINT32_C(1) << APP_UNKNOWN;
    if (*apps != 0)
        return WEIR_E_OK;
    return weir_err_set(err, WEIR_E_UNSUPPORTED, "protocol '%.*s' is not decoded", TEXT(word));
}

/* Which detection is asked; there is one for both directions here, and it is final. */
static bool
is_app_mode(struct text word)
{
    static const char *const modes[] = { "either",   "to_server", "to_client", "toserver",
                                         "toclient", "final",     "direction" };

    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
        if (text_is(word, modes[i]))
            return true;
    return false;
}

int
app_layer_protocol_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    bool negated = value.n > 0 && value.p[0] == '!';
    struct text word, mode;
    uint32_t apps;
    int rc;

    if (negated)
        value = text_of(value.p + 1, value.p + value.n);
    text_next(&value, ',', &word);
    rc = take_app(word, &apps, err);
    if (rc != WEIR_E_OK)
        return rc;
    if (text_next(&value, ',', &mode) && !is_app_mode(mode))
        return weir_err_set(err, WEIR_E_UNSUPPORTED, "mode '%.*s' is not supported", TEXT(mode));
    if (negated) {
        rule->app_none |= apps;
    } else if (rule->app_any != 0 && (rule->app_any & apps) == 0) {
        return weir_err_set(err, WEIR_E_SYNTAX, "'%.*s' contradicts what stands before it",
                            TEXT(word));
    } else {
        rule->app_any = rule->app_any != 0 ? rule->app_any & apps : apps;
        rule->app_proto = (uint8_t)__builtin_ctz(rule->app_any);
        rule->app_only = true; /* options_parse() knows whether that is so */
    }
    return WEIR_E_OK;
}

/* Snort 3. Services that are not decoded are left to the ports. */
int
service_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct text word;

    (void)err;
    while (text_next(&value, ',', &word))
        rule->services |= app_service(word);
    return WEIR_E_OK;
}
