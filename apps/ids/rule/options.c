#include "rule/options.h"

#include "rule/ber.h"
#include "rule/buffer.h"
#include "rule/bytes.h"
#include "rule/content.h"
#include "rule/option_event.h"
#include "rule/option_flow.h"
#include "rule/option_meta.h"
#include "rule/option_packet.h"
#include "rule/pcre.h"
#include "rule/requires.h"
#include "rule/transform.h"

#include <stdlib.h>
#include <string.h>

typedef int (*take_fn)(struct rule *rule, struct text value, struct weir_errbuf *err);

enum value { NO_VALUE, MAY_HAVE_VALUE, NEEDS_VALUE };

static const struct {
    const char *name;
    enum value value;
    take_fn take;
} options[] = {
    { "msg", NEEDS_VALUE, msg_take },
    { "sid", NEEDS_VALUE, sid_take },
    { "gid", NEEDS_VALUE, gid_take },
    { "rev", NEEDS_VALUE, rev_take },
    { "classtype", NEEDS_VALUE, classtype_take },
    { "priority", NEEDS_VALUE, priority_take },
    { "reference", NEEDS_VALUE, reference_take },
    { "metadata", NEEDS_VALUE, metadata_take },
    { "target", NEEDS_VALUE, target_take },
    { "requires", NEEDS_VALUE, requires_take },
    { "rem", NEEDS_VALUE, nothing_take },
    { "prefilter", NO_VALUE, nothing_take },
    { "logto", NEEDS_VALUE, nothing_take },
    { "bypass", NO_VALUE, nothing_take },
    { "flow", NEEDS_VALUE, flow_take },
    { "app-layer-protocol", NEEDS_VALUE, app_layer_protocol_take },
    { "service", NEEDS_VALUE, service_take },
    { "flow-event", NEEDS_VALUE, flow_event_take },
    { "stream-event", NEEDS_VALUE, stream_event_take },
    { "decode-event", NEEDS_VALUE, decode_event_take },
    { "engine-event", NEEDS_VALUE, decode_event_take },
    { "app-layer-event", NEEDS_VALUE, app_layer_event_take },
    { "ipv4-csum", NEEDS_VALUE, ipv4_csum_take },
    { "tcpv4-csum", NEEDS_VALUE, tcpv4_csum_take },
    { "tcpv6-csum", NEEDS_VALUE, tcpv6_csum_take },
    { "udpv4-csum", NEEDS_VALUE, udpv4_csum_take },
    { "udpv6-csum", NEEDS_VALUE, udpv6_csum_take },
    { "icmpv4-csum", NEEDS_VALUE, icmpv4_csum_take },
    { "icmpv6-csum", NEEDS_VALUE, icmpv6_csum_take },
    { "igmp-csum", NEEDS_VALUE, igmp_csum_take },
    { "content", NEEDS_VALUE, content_take },
    { "nocase", NO_VALUE, nocase_take },
    { "rawbytes", NO_VALUE, rawbytes_take },
    { "offset", NEEDS_VALUE, offset_take },
    { "depth", NEEDS_VALUE, depth_take },
    { "distance", NEEDS_VALUE, distance_take },
    { "within", NEEDS_VALUE, within_take },
    { "startswith", NO_VALUE, startswith_take },
    { "endswith", NO_VALUE, endswith_take },
    { "fast_pattern", MAY_HAVE_VALUE, fast_pattern_take },
    { "isdataat", NEEDS_VALUE, isdataat_take },
    { "byte_test", NEEDS_VALUE, byte_test_take },
    { "byte_jump", NEEDS_VALUE, byte_jump_take },
    { "byte_extract", NEEDS_VALUE, byte_extract_take },
    { "byte_math", NEEDS_VALUE, byte_math_take },
    { "asn1", NEEDS_VALUE, asn1_take },
    { "ber_data", NEEDS_VALUE, ber_data_take },
    { "ber_skip", NEEDS_VALUE, ber_skip_take },
    { "pcre", NEEDS_VALUE, pcre_take },
    { "dsize", NEEDS_VALUE, dsize_take },
    { "ttl", NEEDS_VALUE, ttl_take },
    { "tos", NEEDS_VALUE, tos_take },
    { "id", NEEDS_VALUE, id_take },
    { "ipopts", NEEDS_VALUE, ipopts_take },
    { "fragbits", NEEDS_VALUE, fragbits_take },
    { "fragoffset", NEEDS_VALUE, fragoffset_take },
    { "ip_proto", NEEDS_VALUE, ip_proto_take },
    { "sameip", NO_VALUE, sameip_take },
    { "itype", NEEDS_VALUE, itype_take },
    { "icode", NEEDS_VALUE, icode_take },
    { "icmp_id", NEEDS_VALUE, icmp_id_take },
    { "icmp_seq", NEEDS_VALUE, icmp_seq_take },
    { "icmpv6.mtu", NEEDS_VALUE, icmpv6_mtu_take },
    { "flags", NEEDS_VALUE, flags_take },
    { "tcp.flags", NEEDS_VALUE, flags_take },
    { "seq", NEEDS_VALUE, seq_take },
    { "tcp.seq", NEEDS_VALUE, seq_take },
    { "ack", NEEDS_VALUE, ack_take },
    { "tcp.ack", NEEDS_VALUE, ack_take },
    { "window", NEEDS_VALUE, window_take },
    { "tcp.window", NEEDS_VALUE, window_take },
    { "tcp.mss", NEEDS_VALUE, mss_take },
    { "tcp.wscale", NEEDS_VALUE, wscale_take },
    { "vlan.id", NEEDS_VALUE, vlan_id_take },
    { "vlan.layers", NEEDS_VALUE, vlan_layers_take },
    { "stream_size", NEEDS_VALUE, stream_size_take },
    { "flow.age", NEEDS_VALUE, flow_age_take },
    { "flow.pkts", NEEDS_VALUE, flow_packets_take },
    { "flow.pkts_toserver", NEEDS_VALUE, flow_packets_toserver_take },
    { "flow.pkts_toclient", NEEDS_VALUE, flow_packets_toclient_take },
    { "flow.bytes", NEEDS_VALUE, flow_bytes_take },
    { "flow.bytes_toserver", NEEDS_VALUE, flow_bytes_toserver_take },
    { "flow.bytes_toclient", NEEDS_VALUE, flow_bytes_toclient_take },
    { "flowbits", NEEDS_VALUE, flowbits_take },
    { "flowint", NEEDS_VALUE, flowint_take },
    { "xbits", NEEDS_VALUE, xbits_take },
    { "hostbits", NEEDS_VALUE, hostbits_take },
    { "threshold", NEEDS_VALUE, threshold_take },
    { "detection_filter", NEEDS_VALUE, detection_filter_take },
    { "tag", NEEDS_VALUE, tag_take },
    { "noalert", NO_VALUE, noalert_take },
    { "alert", NO_VALUE, alert_take },
    { "replace", NEEDS_VALUE, replace_take },
};

/* One that names a buffer, or a transform. */
static int
parse_buffer(const struct option_text *option, struct rule *rule, struct weir_errbuf *err)
{
    struct weir_errbuf why = { "" };
    bool known;
    int rc = buffer_option(rule, option->name, option->value, &known, &why);

    if (!known)
        rc = transform_option(rule, option->name, option->value, &known, &why);
    if (!known)
        return weir_err_set(err, WEIR_E_UNSUPPORTED, "option '%.*s' is not supported",
                            TEXT(option->name));
    return rc == WEIR_E_OK ? rc : weir_err_set(err, rc, "%.*s: %s", TEXT(option->name), why.text);
}

bool
option_is_known(struct text name)
{
    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
        if (text_is(name, options[i].name))
            return true;
    return buffer_is_known(name) || transform_is_known(name);
}

static int
parse_one(const struct option_text *option, struct rule *rule, struct weir_errbuf *err)
{
    struct weir_errbuf why = { "" };
    int rc;

    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
        if (!text_is(option->name, options[i].name))
            continue;
        if (options[i].value == NEEDS_VALUE && option->value.n == 0)
            return weir_err_set(err, WEIR_E_SYNTAX, "%s: a value expected", options[i].name);
        if (options[i].value == NO_VALUE && option->has_value)
            return weir_err_set(err, WEIR_E_SYNTAX, "%s: no value expected", options[i].name);
        rc = options[i].take(rule, option->value, &why);
        return rc == WEIR_E_OK ? rc : weir_err_set(err, rc, "%s: %s", options[i].name, why.text);
    }
    return parse_buffer(option, rule, err);
}

/* Only what packets carry can be changed, where it lies. */
static int
check_replaced(const struct rule *rule, struct weir_errbuf *err)
{
    for (unsigned i = 0; i < rule->n_steps; i++) {
        const struct step *step = &rule->step[i];

        if (step->instead != NULL &&
            (step->buffer != BUFFER_PAYLOAD || step->chain != 0 || rule->tx_side != 0))
            return weir_err_set(err, WEIR_E_UNSUPPORTED,
                                "replace: a content of a packet's payload expected, in a rule that "
                                "asks for nothing of a transaction");
    }
    if (rule->flow & RULE_ONLY_STREAM || rule->event != NULL)
        return weir_err_set(err, WEIR_E_UNSUPPORTED,
                            "replace does not go with streams and events, but with packets");
    return WEIR_E_OK;
}

/* What rules remember may differ from packet to packet, what they set does not matter. */
static bool
asks_state(const struct rule_state *state)
{
    if (state == NULL)
        return false;
    for (unsigned i = 0; i < state->n_bits; i++)
        if (state->bits[i].op == BITS_ISSET || state->bits[i].op == BITS_ISNOTSET)
            return true;
    return state->n_ints > 0;
}

/* As in Suricata, whose rules on addresses that are not negated are looked at once a direction. */
static bool
is_of_ends(const struct rule *rule)
{
    return rule->n_steps == 0 && rule->n_checks == 0 && !rule->has_flow && rule->flow == 0 &&
           rule->event == NULL && rule->app_event == NULL &&
           (rule->app_any | rule->app_none) == 0 && rule->services == 0 && rule->src_port == NULL &&
           rule->dst_port == NULL && !rule->negates && !asks_state(rule->state);
}

/* Bits of a transaction are there for rules on one. */
static int
check_bits(const struct rule *rule, struct weir_errbuf *err)
{
    for (unsigned i = 0; rule->state != NULL && i < rule->state->n_bits; i++)
        if (rule->state->bits[i].of == BITS_OF_TX && rule->tx_side == 0 && rule->app_event == NULL)
            return weir_err_set(err, WEIR_E_SYNTAX,
                                "xbits: track tx goes with buffers and events of an application "
                                "protocol");
    return WEIR_E_OK;
}

static int
check_all(struct rule *rule, struct weir_errbuf *err)
{
    int rc;

    if (rule->sid == 0)
        return weir_err_set(err, WEIR_E_SYNTAX, "sid expected: a rule needs one");
    if (rule->msg == NULL && (rule->msg = calloc(1, 1)) == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    if (rule->event != NULL && rule->flow & RULE_ONLY_STREAM)
        return weir_err_set(err, WEIR_E_UNSUPPORTED,
                            "flow:only_stream does not go with flow-event, whose contents are "
                            "looked for in the packet");
    rule->app_only = rule->app_only && rule->app_none == 0 && rule->n_steps == 0 &&
                     rule->n_checks == 0 && rule->event == NULL && rule->app_event == NULL;
    rule->of_ends = is_of_ends(rule);
    if (contents_check(rule, err) != WEIR_E_OK)
        return WEIR_E_SYNTAX;
    rc = buffers_check(rule, err);
    if (rc == WEIR_E_OK)
        rc = check_bits(rule, err);
    return rc == WEIR_E_OK && rule->replaces ? check_replaced(rule, err) : rc;
}

/* Whether an option of this name belongs to the content before it. */
static bool
changes_content(struct text name)
{
    static const char *const names[] = { "content",  "nocase",       "offset",     "depth",
                                         "distance", "within",       "startswith", "endswith",
                                         "rawbytes", "fast_pattern", "replace" };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (text_is(name, names[i]))
            return true;
    return false;
}

/* A content's value that goes on behind the closing quote. */
static bool
has_suboptions(struct text value)
{
    const char *quote = value.n > 0 ? memrchr(value.p, '"', value.n) : NULL;

    return quote != NULL && memchr(quote, ',', (size_t)(value.p + value.n - quote)) != NULL;
}

/*
 * The two dialects name some buffers alike, Suricata behind a content and Snort 3 before it: so it
 * is Snort 3 where nothing stands before that could be changed, or where only it has the form.
 */
static bool
is_snort3(struct text text)
{
    static const char *const words[] = { "service", "rem", "bufferlen" };
    struct weir_errbuf err;
    struct option_text option;
    bool behind = false;

    while (option_next(&text, &option, &err) == WEIR_E_OK) {
        for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
            if (text_is(option.name, words[i]))
                return true;
        if (text_is(option.name, "content") && has_suboptions(option.value))
            return true;
        if (buffer_is_modifier(option.name) && !behind)
            return true;
        behind = changes_content(option.name) || (behind && buffer_is_modifier(option.name));
    }
    return false;
}

int
options_parse(struct text text, struct rule *rule, struct weir_errbuf *err)
{
    struct option_text option = { 0 };
    unsigned n;
    int rc;

    rule->snort3 = is_snort3(text);
    while ((rc = option_next(&text, &option, err)) == WEIR_E_OK) {
        n = rule->n_steps;
        rc = parse_one(&option, rule, err);
        if (rc == WEIR_E_OK && rule->n_steps > n)
            buffer_of_step(rule, &rule->step[rule->n_steps - 1]);
        if (rc != WEIR_E_OK)
            return rc;
    }
    return rc == WEIR_E_NOENT ? check_all(rule, err) : rc;
}
