#include "rule/option_event.h"

#include "rule/event_names.h"
#include "rule/option_packet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
no_memory(struct weir_errbuf *err)
{
    return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
}

static bool
is_field_char(char c)
{
    return (c >= 'a' && c <= 'z') || c == '_';
}

static const struct weir_field *
field_by_name(unsigned type, struct text name)
{
    for (const struct weir_field *f = weir_event_fields(type); f->name != NULL; f++)
        if (text_is(name, f->name))
            return f;
    return NULL;
}

/* A value as the field's kind has it. */
static bool
take_value(const struct weir_field *field, struct text t, int64_t *out)
{
    if (field->kind == WEIR_FIELD_BOOL && (text_is(t, "true") || text_is(t, "false"))) {
        *out = t.p[0] == 't';
        return true;
    }
    for (int i = 0; field->kind == WEIR_FIELD_ENUM && field->names[i] != NULL; i++) {
        if (text_is(t, field->names[i])) {
            *out = i;
            return true;
        }
    }
    return field->kind != WEIR_FIELD_ENUM && field->kind != WEIR_FIELD_BYTES &&
           text_int(t, -INT64_C(1000000000000000000), INT64_C(1000000000000000000), out);
}

/* Long enough for the fields, and for the values of a field, of any event. */
struct words {
    char text[256];
    size_t n;
};

static void
add_word(struct words *words, const char *word)
{
    int n = snprintf(words->text + words->n, sizeof(words->text) - words->n, "%s%s",
                     words->n > 0 ? ", " : "", word);

    if (n > 0 && (size_t)n < sizeof(words->text) - words->n)
        words->n += (size_t)n;
}

static int
no_field(unsigned type, struct text name, struct weir_errbuf *err)
{
    struct words fields = { "", 0 };

    for (const struct weir_field *f = weir_event_fields(type); f->name != NULL; f++)
        add_word(&fields, f->name);
    return weir_err_set(err, WEIR_E_NOENT, "%s has no field '%.*s' (%s)", weir_event_name(type),
                        TEXT(name), fields.n > 0 ? fields.text : "it has none");
}

static int
bad_value(const struct weir_field *field, struct text value, struct weir_errbuf *err)
{
    struct words values = { "", 0 };

    if (field->kind == WEIR_FIELD_BYTES)
        return weir_err_set(err, WEIR_E_UNSUPPORTED, "%s holds bytes, which cannot be compared",
                            field->name);
    for (int i = 0; field->kind == WEIR_FIELD_ENUM && field->names[i] != NULL; i++)
        add_word(&values, field->names[i]);
    if (field->kind == WEIR_FIELD_BOOL)
        add_word(&values, "true, false");
    return weir_err_set(err, WEIR_E_SYNTAX, "a value of %s (%s) expected, not '%.*s'", field->name,
                        values.n > 0 ? values.text : "a number", TEXT(value));
}

static int
take_condition(struct event_test *test, struct text part, struct weir_errbuf *err)
{
    struct event_condition *cond = &test->condition[test->n];
    struct text name = { part.p, 0 }, rest;

    while (name.n < part.n && is_field_char(part.p[name.n]))
        name.n++;
    rest = text_trim(text_of(part.p + name.n, part.p + part.n));
    if (test->n == CONDITIONS_MAX)
        return weir_err_set(err, WEIR_E_LIMIT, "at most %d conditions expected", CONDITIONS_MAX);
    cond->field = field_by_name(test->type, name);
    if (cond->field == NULL)
        return no_field(test->type, name, err);
    if (!compare_sign(&rest, &cond->compare.op))
        return weir_err_set(err, WEIR_E_SYNTAX, "one of = != < <= > >= expected behind '%.*s'",
                            TEXT(name));
    if (!take_value(cond->field, rest, &cond->compare.value))
        return bad_value(cond->field, rest, err);
    if (cond->compare.op > CMP_NE &&
        (cond->field->kind == WEIR_FIELD_ENUM || cond->field->kind == WEIR_FIELD_BOOL))
        return weir_err_set(err, WEIR_E_SYNTAX, "= or != expected behind '%.*s'", TEXT(name));
    test->n++;
    return WEIR_E_OK;
}

/* "copy old" and so on; false: it is a condition. */
static bool
is_copy(struct text part, struct text *which)
{
    struct text word;

    text_next(&part, ' ', &word);
    *which = part.p != NULL ? text_trim(part) : text_of(word.p, word.p);
    return text_is(word, "copy");
}

static int
take_copy(struct event_test *test, struct text which, struct weir_errbuf *err)
{
    static const char *const copies[] = { "new", "old", "any" };

    if (test->type != WEIR_EV_FAKE_RETRANSMIT)
        return weir_err_set(err, WEIR_E_SYNTAX, "copy goes with fake_retransmit only");
    for (uint8_t i = 0; i < sizeof(copies) / sizeof(*copies); i++) {
        if (text_is(which, copies[i])) {
            test->copy = i;
            return WEIR_E_OK;
        }
    }
    return weir_err_set(err, WEIR_E_SYNTAX, "old, new or any expected behind copy, not '%.*s'",
                        TEXT(which));
}

/* Add a test, of no conditions yet. */
static int
add_test(struct rule *rule, unsigned type, struct event_test **out, struct weir_errbuf *err)
{
    struct event_test *more = realloc(rule->event, (rule->n_events + 1U) * sizeof(*more));

    *out = NULL;
    if (more == NULL)
        return no_memory(err);
    rule->event = more;
    *out = &more[rule->n_events++];
    **out = (struct event_test){ .type = (uint8_t)type };
    return WEIR_E_OK;
}

/* NAME[,field op value]... */
static int
take_test(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct event_test *test;
    char name[32] = "";
    struct text part, which;
    int type, rc = WEIR_E_OK;

    text_next(&value, ',', &part);
    if (part.n < sizeof(name))
        memcpy(name, part.p, part.n);
    type = weir_event_by_name(name);
    if (type < 0)
        return weir_err_set(err, WEIR_E_NOENT, "'%.*s' is no event (weir(1) lists them)",
                            TEXT(part));
    rc = add_test(rule, (unsigned)type, &test, err);
    while (rc == WEIR_E_OK && text_next(&value, ',', &part))
        rc = is_copy(part, &which) ? take_copy(test, which, err) : take_condition(test, part, err);
    return rc;
}

static int
first_event(const struct rule *rule, struct weir_errbuf *err)
{
    return rule->event == NULL ? WEIR_E_OK
                               : weir_err_set(err, WEIR_E_UNSUPPORTED, "one for a rule expected");
}

int
flow_event_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    int rc = first_event(rule, err);

    return rc == WEIR_E_OK ? take_test(rule, value, err) : rc;
}

/* ---- Suricata's names ---------------------------------------------------------------------- */

static const char *const anomalies[] = {
#define X(upper, name) name,
    ANOMALY_LIST(X)
#undef X
};

static int
find_anomaly(struct text name)
{
    for (int i = 0; i < ANOMALIES; i++)
        if (text_is(name, anomalies[i]))
            return i;
    return -1;
}

static struct text
text_from(const char *s)
{
    return (struct text){ s, strlen(s) };
}

/* What else must be so for the event to have this name. */
static int
narrow(struct rule *rule, const struct event_name *name, struct weir_errbuf *err)
{
    const struct check closing = { .kind = CHECK_CLOSING, .flags = name->closing };
    const uint8_t both = RULE_TO_SERVER | RULE_TO_CLIENT;
    int rc = WEIR_E_OK;

    if (name->flags != NULL)
        rc = flags_take(rule, text_from(name->flags), err);
    if (rc == WEIR_E_OK && name->closing != 0)
        rc = check_add(rule, &closing, err);
    rule->flow |= name->flow;
    if ((rule->flow & both) == both ||
        (rule->flow & RULE_ESTABLISHED && rule->flow & RULE_NOT_ESTABLISHED))
        return weir_err_set(err, WEIR_E_SYNTAX, "%s contradicts flow", name->name);
    if (name->ip_version != 0 && rule->ip_version != 0 && rule->ip_version != name->ip_version)
        return weir_err_set(err, WEIR_E_SYNTAX, "%s contradicts the header", name->name);
    if (name->ip_version != 0)
        rule->ip_version = name->ip_version;
    return rc;
}

static int
take_never(struct rule *rule, const char *name, struct weir_errbuf *err)
{
    rule->never = name;
    rule->event = calloc(1, sizeof(*rule->event));
    return rule->event != NULL ? WEIR_E_OK : no_memory(err);
}

static int
take_name(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    const struct event_name *name = event_name_find(value);
    int anomaly = find_anomaly(value), rc = first_event(rule, err);
    struct event_test *test;

    if (rc != WEIR_E_OK)
        return rc;
    if (anomaly >= 0)
        return add_test(rule, TEST_ANOMALY + (unsigned)anomaly, &test, err);
    if (name == NULL)
        return weir_err_set(err, WEIR_E_NOENT, "'%.*s' is no event", TEXT(value));
    if (name->source[0] == NULL)
        return take_never(rule, name->name, err);
    for (unsigned i = 0; i < SOURCES_MAX && rc == WEIR_E_OK && name->source[i] != NULL; i++)
        rc = take_test(rule, text_from(name->source[i]), err);
    return rc == WEIR_E_OK ? narrow(rule, name, err) : rc;
}

int
decode_event_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_name(rule, value, err);
}

int
stream_event_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    char name[64];
    int n = snprintf(name, sizeof(name), "stream.%.*s", TEXT(value));

    if (n < 0 || (size_t)n >= sizeof(name))
        return weir_err_set(err, WEIR_E_NOENT, "'%.*s' is no event", TEXT(value));
    return take_name(rule, (struct text){ name, (size_t)n }, err);
}

/* proto.name; the application layer raises them by name. Two of DNS had another one once. */
int
app_layer_event_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    if (rule->app_event != NULL)
        return weir_err_set(err, WEIR_E_UNSUPPORTED, "one for a rule expected");
    for (size_t i = 0; i < value.n; i++)
        if (!is_field_char(value.p[i]) && value.p[i] != '.' && value.p[i] != '-' &&
            !(value.p[i] >= '0' && value.p[i] <= '9'))
            return weir_err_set(err, WEIR_E_SYNTAX, "an event's name expected, not '%.*s'",
                                TEXT(value));
    if (text_is(value, "dns.not_a_request") || text_is(value, "dns.not_a_response"))
        rule->app_event = strdup(text_is(value, "dns.not_a_request") ? "dns.not_request"
                                                                     : "dns.not_response");
    else
        rule->app_event = strndup(value.p, value.n);
    return rule->app_event != NULL ? WEIR_E_OK : no_memory(err);
}

/* ---- checksums ----------------------------------------------------------------------------- */

/*
 * The target drops a packet whose checksum is wrong, so that packets which meet rules have right
 * ones: valid asks for no more than the protocol.
 */
static int
take_checksum(struct rule *rule, struct text value, const char *event, uint8_t protos,
              uint8_t ip_version, struct weir_errbuf *err)
{
    int rc;

    if (!text_is(value, "valid") && !text_is(value, "invalid"))
        return weir_err_set(err, WEIR_E_SYNTAX, "valid or invalid expected, not '%.*s'",
                            TEXT(value));
    if ((rule->protos & protos) == 0 || (rule->ip_version != 0 && rule->ip_version != ip_version))
        return weir_err_set(err, WEIR_E_SYNTAX, "not with the protocol of the header");
    rule->protos &= protos;
    rule->ip_version = ip_version;
    if (text_is(value, "valid"))
        return WEIR_E_OK;
    rc = first_event(rule, err);
    return rc == WEIR_E_OK ? take_test(rule, text_from(event), err) : rc;
}

int
ipv4_csum_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_checksum(rule, value, "bad_checksum,layer=ipv4", RULE_IP, 4, err);
}

int
tcpv4_csum_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_checksum(rule, value, "bad_checksum,layer=tcp", RULE_TCP, 4, err);
}

int
tcpv6_csum_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_checksum(rule, value, "bad_checksum,layer=tcp", RULE_TCP, 6, err);
}

int
udpv4_csum_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_checksum(rule, value, "bad_checksum,layer=udp", RULE_UDP, 4, err);
}

int
udpv6_csum_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_checksum(rule, value, "bad_checksum,layer=udp", RULE_UDP, 6, err);
}

int
icmpv4_csum_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_checksum(rule, value, "bad_checksum,layer=icmp", RULE_ICMP, 4, err);
}

int
icmpv6_csum_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_checksum(rule, value, "bad_checksum,layer=icmpv6", RULE_ICMP, 6, err);
}

/* Nobody verifies IGMP's. */
int
igmp_csum_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    int rc = first_event(rule, err);

    (void)value;
    return rc == WEIR_E_OK ? take_never(rule, "igmp-csum", err) : rc;
}
