#include "rule/header.h"

#include "rule/app_names.h"
#include "rule/option_packet.h"

static const struct {
    const char *name;
    enum rule_action action;
} actions[] = {
    { "alert", ACTION_ALERT },
    { "pass", ACTION_PASS },
    { "drop", ACTION_DROP },
    { "sdrop", ACTION_DROP },
    { "reject", ACTION_REJECT },
    { "rejectsrc", ACTION_REJECT_SRC },
    { "rejectdst", ACTION_REJECT_DST },
    { "rejectboth", ACTION_REJECT_BOTH },
    { "block", ACTION_BLOCK },
    { "log", ACTION_LOG },
    { "react", ACTION_REACT },
    { "rewrite", ACTION_REWRITE },
    { "file_id", ACTION_FILE_ID },
    { "config", ACTION_CONFIG },
};

bool
header_action(struct text word, uint8_t *action)
{
    for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
        if (text_is(word, actions[i].name)) {
            *action = (uint8_t)actions[i].action;
            return true;
        }
    }
    return false;
}

static const struct {
    const char *name;
    uint8_t protos, ip_version, flow;
    uint8_t number; /* of IP, where protos does not say it; 0: it does */
} protos[] = {
    { "tcp", RULE_TCP, 0, 0, 0 },
    { "tcp-pkt", RULE_TCP, 0, RULE_NO_STREAM, 0 },
    { "tcp-stream", RULE_TCP, 0, RULE_ONLY_STREAM, 0 },
    { "udp", RULE_UDP, 0, 0, 0 },
    { "icmp", RULE_ICMP, 0, 0, 0 },
    { "icmpv4", RULE_ICMP, 4, 0, 0 },
    { "icmpv6", RULE_ICMP, 6, 0, 0 },
    { "ip", RULE_IP, 0, 0, 0 },
    { "ipv4", RULE_IP, 4, 0, 0 },
    { "ip4", RULE_IP, 4, 0, 0 },
    { "ipv6", RULE_IP, 6, 0, 0 },
    { "ip6", RULE_IP, 6, 0, 0 },
    { "pkthdr", RULE_IP, 0, 0, 0 },
    { "sctp", RULE_OTHER, 0, 0, 132 },
    { "esp", RULE_OTHER, 0, 0, 50 },
    { "igmp", RULE_OTHER, 0, 0, 2 },
};

static int
parse_app(struct text word, struct rule *rule, struct weir_errbuf *err)
{
    const struct app_name *app = app_name_find(word);

    if (app == NULL)
        return weir_err_set(err, WEIR_E_UNSUPPORTED, "protocol '%.*s' is not supported",
                            TEXT(word));
    if (app->apps == 0)
        return weir_err_set(err, WEIR_E_UNSUPPORTED, "protocol '%.*s' is not decoded", TEXT(word));
    rule->protos = app->protos;
    rule->app_any = app->apps;
    rule->app_proto = (uint8_t)__builtin_ctz(app->apps);
    return WEIR_E_OK;
}

static int
parse_proto(struct text word, struct rule *rule, struct weir_errbuf *err)
{
    struct check check = { .kind = CHECK_IP_PROTO };

    for (size_t i = 0; i < sizeof(protos) / sizeof(*protos); i++) {
        if (text_is(word, protos[i].name)) {
            rule->protos = protos[i].protos;
            rule->ip_version = protos[i].ip_version;
            rule->flow |= protos[i].flow;
            check.compare.value = protos[i].number;
            return protos[i].number == 0 ? WEIR_E_OK : check_add(rule, &check, err);
        }
    }
    return parse_app(word, rule, err);
}

/* A set; NULL where it is everything. */
static int
parse_set(struct vars *vars, enum var_kind kind, struct text word, const struct ranges **out,
          struct weir_errbuf *err)
{
    int rc = vars_resolve(vars, kind, word, out, err);

    if (rc == WEIR_E_OK && is_any(*out, kind))
        *out = NULL;
    return rc;
}

int
header_parse(const struct rule_text *text, struct vars *vars, struct rule *rule,
             struct weir_errbuf *err)
{
    const struct text *word = text->word;
    int rc;

    if (!header_action(word[0], &rule->action))
        return weir_err_set(err, WEIR_E_UNSUPPORTED, "action '%.*s' is not supported",
                            TEXT(word[0]));
    rc = parse_proto(word[1], rule, err);
    if (rc != WEIR_E_OK || text->elided)
        return rc;
    rc = parse_set(vars, VAR_ADDRESSES, word[2], &rule->src, err);
    if (rc == WEIR_E_OK)
        rc = parse_set(vars, VAR_PORTS, word[3], &rule->src_port, err);
    if (rc == WEIR_E_OK)
        rc = parse_set(vars, VAR_ADDRESSES, word[5], &rule->dst, err);
    if (rc == WEIR_E_OK)
        rc = parse_set(vars, VAR_PORTS, word[6], &rule->dst_port, err);
    if (rc != WEIR_E_OK)
        return rc;
    rule->negates = vars_negate(vars, VAR_ADDRESSES, word[2]) ||
                    vars_negate(vars, VAR_ADDRESSES, word[5]);
    rule->both_ways = text_is(word[4], "<>");
    rule->of_flow = text_is(word[4], "=>");
    if (!rule->both_ways && !rule->of_flow && !text_is(word[4], "->"))
        return weir_err_set(err, WEIR_E_SYNTAX, "->, <> or => expected, not '%.*s'", TEXT(word[4]));
    return WEIR_E_OK;
}
