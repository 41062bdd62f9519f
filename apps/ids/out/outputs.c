#include "out/outputs.h"

#include "cli.h"
#include "cli_dump.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define TYPE_NONE EVE_TYPES

/* Suricata's names of types, where they are not those of their records; it has no flow-event. */
static const char *const type_name[EVE_TYPES] = {
    [EVE_ALERT] = "alert",    [EVE_PACKET] = "tagged-packets",
    [EVE_DROP] = "drop",      [EVE_ANOMALY] = "anomaly",
    [EVE_HTTP] = "http",      [EVE_DNS] = "dns",
    [EVE_TLS] = "tls",        [EVE_SSH] = "ssh",
    [EVE_FILEINFO] = "files", [EVE_FLOW] = "flow",
    [EVE_STATS] = "stats",    [EVE_FLOW_EVENT] = "flow-event",
};

/* Switches; type TYPE_NONE: of the output itself. Those of alerts need no type before them, unless
 * that would name a type. */
static const struct switch_ {
    enum eve_type type;
    const char *name;
    size_t at; /* in struct eve_opts */
} switches[] = {
#define S(type, name, field)                                                                       \
    {                                                                                              \
        type, name, offsetof(struct eve_opts, field)                                               \
    }
    S(TYPE_NONE, "community-id", community_id),
    S(TYPE_NONE, "pcap-file", pcap_file),
    S(TYPE_NONE, "ethernet", ethernet),
    S(TYPE_NONE, "metadata", metadata),
    S(EVE_ALERT, "payload", payload),
    S(EVE_ALERT, "payload-printable", payload_printable),
    S(EVE_ALERT, "packet", packet),
    S(EVE_ALERT, "verdict", verdict),
    S(EVE_ALERT, "http", alert_http),
    S(EVE_ALERT, "dns", alert_dns),
    S(EVE_ALERT, "tls", alert_tls),
    S(EVE_ALERT, "ssh", alert_ssh),
    S(EVE_ALERT, "metadata.app-layer", app_layer),
    S(EVE_ALERT, "metadata.flow", alert_flow),
    S(EVE_ALERT, "metadata.rule.metadata", rule_metadata),
    S(EVE_ALERT, "metadata.rule.reference", rule_reference),
    S(EVE_ALERT, "metadata.rule.raw", rule_raw),
    S(EVE_DROP, "alerts", drop_alerts),
    S(EVE_DROP, "verdict", drop_verdict),
    S(EVE_ANOMALY, "types.decode", anomaly_decode),
    S(EVE_ANOMALY, "types.stream", anomaly_stream),
    S(EVE_ANOMALY, "types.applayer", anomaly_applayer),
    S(EVE_ANOMALY, "repeat", anomaly_repeat),
    S(EVE_HTTP, "extended", http_extended),
    S(EVE_DNS, "requests", dns_requests),
    S(EVE_DNS, "responses", dns_responses),
    S(EVE_TLS, "extended", tls_extended),
#undef S
};

enum { SWITCHES = sizeof(switches) / sizeof(switches[0]) };

struct outputs
outputs_default(void)
{
    struct eve_opts eve = {
        .types = ((1U << EVE_TYPES) - 1) & ~(1U << EVE_FLOW_EVENT),
#ifdef HAVE_CRYPTO
        .community_id = true,
#endif
        .metadata = true,
        .payload = true,
        .payload_printable = true,
        .packet = true,
        .verdict = true,
        .app_layer = true,
        .alert_http = true,
        .alert_dns = true,
        .alert_tls = true,
        .alert_ssh = true,
        .alert_flow = true,
        .rule_metadata = true,
        .rule_reference = true,
        .payload_buffer_size = 4096,
        .drop_alerts = true,
        .anomaly_applayer = true,
        .anomaly_decode = true,
        .anomaly_stream = true,
        .http_extended = true,
        .dns_requests = true,
        .dns_responses = true,
        .tls_extended = true,
        .flow_event_bytes = FLOW_EVENT_BYTES,
    };

    return (struct outputs){ .eve = eve,
                             .eve_on = true,
                             .fast_on = true,
                             .eve_file = { "eve.json", 8 },
                             .fast_file = { "fast.log", 8 } };
}

/* ---- values -------------------------------------------------------------------------------- */

/* A setting under way. */
struct setting {
    struct outputs *outputs;
    struct text name, value;
    bool *ignored;
    struct weir_errbuf *err;
};

static int
ignore(const struct setting *s)
{
    *s->ignored = true;
    return WEIR_E_OK;
}

static int
expected(const struct setting *s, const char *what)
{
    return weir_err_set(s->err, WEIR_E_INVAL, "--set %.*s: %s is expected, not '%.*s'",
                        TEXT(s->name), what, TEXT(s->value));
}

static bool
is_yes(struct text value, bool *yes)
{
    *yes = text_is(value, "yes") || text_is(value, "true") || text_is(value, "1") ||
           text_is(value, "on");
    return *yes || text_is(value, "no") || text_is(value, "false") || text_is(value, "0") ||
           text_is(value, "off");
}

static int
set_bool(const struct setting *s, bool *to)
{
    return is_yes(s->value, to) ? WEIR_E_OK : expected(s, "yes or no");
}

static int
set_number(const struct setting *s, int64_t least, int64_t most, uint32_t *to)
{
    int64_t n;

    if (!text_int(s->value, least, most, &n)) {
        char what[64];

        snprintf(what, sizeof(what), "%lld to %lld", (long long)least, (long long)most);
        return expected(s, what);
    }
    *to = (uint32_t)n;
    return WEIR_E_OK;
}

/* "4kb", "4096": bytes. */
static int
set_size(const struct setting *s, uint32_t most, uint32_t *to)
{
    char text[32] = "";
    uint64_t n;

    if (s->value.n < sizeof(text))
        memcpy(text, s->value.p, s->value.n);
    for (char *p = text; *p != '\0'; p++)
        *p = *p == 'b' ? 'B' : *p;
    if (!cli_parse_size(text, &n) || n > most)
        return expected(s, "a size of at most 64KiB");
    *to = (uint32_t)n;
    return WEIR_E_OK;
}

static int
set_file(const struct setting *s, struct text *to)
{
    if (s->value.n == 0)
        return expected(s, "the name of a file");
    *to = s->value;
    return WEIR_E_OK;
}

/* ---- types of records ---------------------------------------------------------------------- */

static enum eve_type
find_type(struct text name)
{
    for (unsigned type = 0; type < EVE_TYPES; type++)
        if (text_is(name, type_name[type]))
            return (enum eve_type)type;
    if (text_is(name, "fileinfo"))
        return EVE_FILEINFO;
    return text_is(name, "flow_event") ? EVE_FLOW_EVENT : TYPE_NONE;
}

static void
switch_type(struct eve_opts *eve, enum eve_type type, bool on)
{
    eve->types = on ? eve->types | 1U << type : eve->types & ~(1U << type);
}

/* A list of types names all of them, but flow_event, which is an output of its own, too. */
static void
list_type(struct outputs *outputs, enum eve_type type)
{
    if (!outputs->types_listed)
        outputs->eve.types &= 1U << EVE_FLOW_EVENT;
    outputs->types_listed = true;
    if (type != TYPE_NONE)
        switch_type(&outputs->eve, type, true);
}

/* "alert,flow", "[alert, flow]": all that are written. */
static int
set_types(const struct setting *s)
{
    struct text rest = s->value, part;

    if (rest.n >= 2 && rest.p[0] == '[' && rest.p[rest.n - 1] == ']')
        rest = text_of(rest.p + 1, rest.p + rest.n - 1);
    s->outputs->types_listed = false;
    while (text_next(&rest, ',', &part)) {
        if (find_type(part) == TYPE_NONE)
            return expected(s, "a list of alert, anomaly, http, dns, tls, ssh, files, flow, stats, "
                               "flow-event");
        list_type(s->outputs, find_type(part));
    }
    return WEIR_E_OK;
}

static int
set_type(const struct setting *s, enum eve_type type)
{
    bool yes;
    int rc = set_bool(s, &yes);

    if (rc == WEIR_E_OK)
        switch_type(&s->outputs->eve, type, yes);
    return rc;
}

/* ---- keys ---------------------------------------------------------------------------------- */

static bool
is_number(struct text t)
{
    for (size_t i = 0; i < t.n; i++)
        if (t.p[i] < '0' || t.p[i] > '9')
            return false;
    return t.n > 0;
}

static int
set_http_headers(const struct setting *s)
{
    struct eve_opts *eve = &s->outputs->eve;
    bool both = text_is(s->value, "both") || text_is(s->value, "yes");

    eve->http_request_headers = both || text_is(s->value, "request");
    eve->http_response_headers = both || text_is(s->value, "response");
    if (eve->http_request_headers || eve->http_response_headers || text_is(s->value, "none") ||
        text_is(s->value, "no"))
        return WEIR_E_OK;
    return expected(s, "both, request, response or none");
}

static int
set_drop_flows(const struct setting *s)
{
    s->outputs->eve.drop_all = text_is(s->value, "all");
    if (s->outputs->eve.drop_all || text_is(s->value, "start"))
        return WEIR_E_OK;
    return expected(s, "start or all");
}

/* What is no switch. */
static int
set_other(const struct setting *s, enum eve_type type, struct text key)
{
    struct eve_opts *eve = &s->outputs->eve;
    uint32_t seed = eve->community_id_seed;
    int rc;

    if ((type == EVE_ALERT || type == TYPE_NONE) && text_is(key, "payload-buffer-size"))
        return set_size(s, PAYLOAD_BUFFER_MAX, &eve->payload_buffer_size);
    if (type == EVE_HTTP && text_is(key, "dump-all-headers"))
        return set_http_headers(s);
    if (type == EVE_DROP && text_is(key, "flows"))
        return set_drop_flows(s);
    if (type == EVE_FLOW_EVENT && text_is(key, "bytes"))
        return set_size(s, PAYLOAD_BUFFER_MAX, &eve->flow_event_bytes);
    if (type == TYPE_NONE && text_is(key, "community-id-seed")) {
        rc = set_number(s, 0, 65535, &seed);
        eve->community_id_seed = (uint16_t)seed;
        return rc;
    }
    return ignore(s);
}

static int
set_key(const struct setting *s, enum eve_type type, struct text key)
{
    for (unsigned i = 0; i < SWITCHES; i++) {
        const struct switch_ *w = &switches[i];
        bool fits = w->type == type || (w->type == EVE_ALERT && type == TYPE_NONE);

        if (fits && text_is(key, w->name))
            return set_bool(s, (bool *)((char *)&s->outputs->eve + w->at));
    }
    return set_other(s, type, key);
}

/* metadata: of an alert is a switch for all of it, or holds more of them. */
static int
set_alert_metadata(const struct setting *s)
{
    struct eve_opts *eve = &s->outputs->eve;
    bool yes;
    int rc = set_bool(s, &yes);

    if (rc == WEIR_E_OK)
        eve->app_layer = eve->alert_flow = eve->rule_metadata = eve->rule_reference = yes;
    return rc;
}

/* A key of a type of record: "payload", "metadata.flow". */
static int
set_typed(const struct setting *s, enum eve_type type, struct text key)
{
    if (text_is(key, "enabled"))
        return set_type(s, type);
    if (type == EVE_ALERT && text_is(key, "metadata"))
        return set_alert_metadata(s);
    return set_key(s, type, key);
}

/* ---- outputs ------------------------------------------------------------------------------- */

/* types.N, types.N.TYPE.key. */
static int
set_in_types(const struct setting *s, struct text rest)
{
    struct text number, type;

    if (!text_next(&rest, '.', &number) || !is_number(number))
        return ignore(s);
    if (rest.p == NULL) {
        list_type(s->outputs, find_type(s->value));
        return find_type(s->value) != TYPE_NONE ? WEIR_E_OK : ignore(s);
    }
    text_next(&rest, '.', &type);
    if (rest.p == NULL || find_type(type) == TYPE_NONE)
        return ignore(s);
    return set_typed(s, find_type(type), rest);
}

static int
set_eve(const struct setting *s, struct text rest)
{
    struct text whole = rest, first;

    text_next(&rest, '.', &first);
    if (text_is(whole, "enabled"))
        return set_bool(s, &s->outputs->eve_on);
    if (text_is(whole, "filename"))
        return set_file(s, &s->outputs->eve_file);
    if (text_is(first, "types"))
        return rest.p == NULL ? set_types(s) : set_in_types(s, rest);
    if (find_type(first) != TYPE_NONE)
        return rest.p == NULL ? set_type(s, find_type(first))
                              : set_typed(s, find_type(first), rest);
    return set_key(s, TYPE_NONE, whole);
}

static int
set_fast(const struct setting *s, struct text key)
{
    if (text_is(key, "enabled"))
        return set_bool(s, &s->outputs->fast_on);
    return text_is(key, "filename") ? set_file(s, &s->outputs->fast_file) : ignore(s);
}

/* A list of outputs names all of them. */
static int
list_output(const struct setting *s)
{
    struct outputs *o = s->outputs;

    if (!o->outputs_listed)
        o->eve_on = o->fast_on = false;
    o->outputs_listed = true;
    o->eve_on |= text_is(s->value, "eve-log");
    o->fast_on |= text_is(s->value, "fast");
    return text_is(s->value, "eve-log") || text_is(s->value, "fast") ? WEIR_E_OK : ignore(s);
}

/* One eve.json is written: the first that is told of. */
static bool
is_another_eve(struct outputs *outputs, struct text index)
{
    if (outputs->eve_index.p == NULL)
        outputs->eve_index = index;
    return index.p != NULL &&
           (outputs->eve_index.n != index.n || memcmp(outputs->eve_index.p, index.p, index.n) != 0);
}

static int
set_output(const struct setting *s, struct text rest)
{
    struct text index = { NULL, 0 }, first;

    text_next(&rest, '.', &first);
    if (is_number(first)) {
        index = first;
        if (rest.p == NULL)
            return list_output(s);
        text_next(&rest, '.', &first);
    }
    if (text_is(first, "flow-event") && rest.p == NULL)
        return set_type(s, EVE_FLOW_EVENT);
    if (rest.p != NULL && text_is(first, "fast"))
        return set_fast(s, rest);
    if (rest.p != NULL && text_is(first, "eve-log") && !is_another_eve(s->outputs, index))
        return set_eve(s, rest);
    return ignore(s);
}

static int
set_stats(const struct setting *s, struct text key)
{
    bool on = !s->outputs->stats_off;
    int rc;

    if (text_is(key, "interval"))
        return set_number(s, 1, 1000000000, &s->outputs->eve.stats_interval);
    if (!text_is(key, "enabled"))
        return ignore(s);
    rc = set_bool(s, &on);
    s->outputs->stats_off = !on;
    return rc;
}

int
outputs_set(struct outputs *outputs, struct text name, struct text value, bool *ignored,
            struct weir_errbuf *err)
{
    struct setting s = { outputs, name, value, ignored, err };
    struct text rest = name, first;

    *ignored = false;
    text_next(&rest, '.', &first);
    if (rest.p == NULL)
        return ignore(&s);
    return text_is(first, "stats") ? set_stats(&s, rest) : set_output(&s, rest);
}

/* ---- what they are ------------------------------------------------------------------------- */

static void
put(struct cli_dump *dump, const char *type, const char *name, const char *value)
{
    char whole[128];

    snprintf(whole, sizeof(whole), "outputs.eve-log.%s%s%s", type, *type != '\0' ? "." : "", name);
    cli_dump_put(dump, whole, "%s", value);
}

static void
put_number(struct cli_dump *dump, const char *type, const char *name, uint32_t value)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", value);
    put(dump, type, name, text);
}

static const char *
yes_no(bool yes)
{
    return yes ? "yes" : "no";
}

void
outputs_dump(const struct outputs *outputs, struct cli_dump *dump)
{
    const struct eve_opts *eve = &outputs->eve;

    cli_dump_put(dump, "outputs.fast.enabled", "%s", yes_no(outputs->fast_on));
    cli_dump_put(dump, "outputs.fast.filename", "%.*s", TEXT(outputs->fast_file));
    cli_dump_put(dump, "outputs.eve-log.enabled", "%s", yes_no(outputs->eve_on));
    cli_dump_put(dump, "outputs.eve-log.filename", "%.*s", TEXT(outputs->eve_file));
    for (unsigned type = 0; type < EVE_TYPES; type++)
        put(dump, type_name[type], "enabled", yes_no(eve_writes(eve, (enum eve_type)type)));
    for (unsigned i = 0; i < SWITCHES; i++)
        put(dump, switches[i].type == TYPE_NONE ? "" : type_name[switches[i].type],
            switches[i].name, yes_no(*((const bool *)((const char *)eve + switches[i].at))));
    put_number(dump, "", "community-id-seed", eve->community_id_seed);
    put_number(dump, "alert", "payload-buffer-size", eve->payload_buffer_size);
    put_number(dump, "flow-event", "bytes", eve->flow_event_bytes);
    put(dump, "http", "dump-all-headers",
        eve->http_request_headers && eve->http_response_headers ? "both"
        : eve->http_request_headers                             ? "request"
        : eve->http_response_headers                            ? "response"
                                                                : "none");
    cli_dump_put(dump, "stats.enabled", "%s", yes_no(!outputs->stats_off));
    if (eve->stats_interval != 0)
        cli_dump_put(dump, "stats.interval", "%u", eve->stats_interval);
}
