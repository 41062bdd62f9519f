#include "rule/option_buffer.h"

#include "dns.h"
#include "rule/buffer.h"
#include "rule/content.h"
#include "rule/date.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLACE_MAX = 65535, INSTANCES_MAX = 65535 };

int
comparison_new(struct rule *rule, enum step_kind kind, unsigned id, struct text value, int64_t max,
               struct weir_errbuf *err)
{
    struct step *step;
    int rc = step_new(rule, kind, &step, err);

    if (rc != WEIR_E_OK)
        return rc;
    if (step->buffer != id)
        step_move(step, id);
    step->compare = calloc(2, sizeof(*step->compare));
    if (step->compare == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    return compare_parse(value, max, step->compare, err);
}

/* ---- the buffer as a whole ----------------------------------------------------------------- */

int
absent_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct step *step;
    int rc;

    if (value.n > 0 && !text_is(value, "or_else"))
        return weir_err_set(err, WEIR_E_SYNTAX, "or_else expected, not '%.*s'", TEXT(value));
    if (buffer_info(rule->buffer)->proto == APP_UNKNOWN)
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "a buffer of an application protocol expected before it");
    rc = step_new(rule, STEP_ABSENT, &step, err);
    if (rc == WEIR_E_OK && value.n > 0)
        step->flags |= STEP_OR_ELSE;
    return rc;
}

int
absent_check(const struct rule *rule, struct weir_errbuf *err)
{
    for (unsigned i = 0; i < rule->n_sections; i++) {
        const struct section *section = &rule->section[i];

        for (unsigned k = section->first; k < section->behind; k++) {
            const struct step *step = &rule->step[k];

            if (step->kind != STEP_ABSENT)
                continue;
            if (k > section->first)
                return weir_err_set(err, WEIR_E_SYNTAX,
                                    "absent: to be the first of what is asked of its buffer");
            if (!(step->flags & STEP_OR_ELSE) && section->behind - section->first > 1)
                return weir_err_set(err, WEIR_E_SYNTAX,
                                    "absent: without or_else nothing else can be asked of its "
                                    "buffer");
        }
    }
    return WEIR_E_OK;
}

/* bytes N and offset N, each may be missing, and value with a comparison. */
int
entropy_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct text part, word;
    struct step *step;
    bool compared = false;
    int rc = step_new(rule, STEP_ENTROPY, &step, err);

    if (rc != WEIR_E_OK)
        return rc;
    step->compare = calloc(1, sizeof(*step->compare));
    if (step->compare == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    while (rc == WEIR_E_OK && text_next(&value, ',', &part)) {
        int64_t v = 0;
        bool number;

        text_next(&part, ' ', &word);
        part = part.p != NULL ? text_trim(part) : (struct text){ "", 0 };
        number = text_int(part, 0, PLACE_MAX, &v);
        if (text_is(word, "value") && !compared)
            compared = (rc = compare_parse_fraction(part, 8, step->compare, err)) == WEIR_E_OK;
        else if (number && text_is(word, "bytes"))
            step->length = (int32_t)v;
        else if (number && text_is(word, "offset"))
            step->offset = (int32_t)v;
        else
            rc = weir_err_set(err, WEIR_E_SYNTAX,
                              "bytes N, offset N and value with a comparison expected");
    }
    if (rc == WEIR_E_OK && !compared)
        rc = weir_err_set(err, WEIR_E_SYNTAX, "value with a comparison expected");
    return rc;
}

/* ---- numbers of a transaction -------------------------------------------------------------- */

static const struct {
    const char *name;
    enum number_index index;
} indices[] = {
    { "any", INDEX_ANY },
    { "all", INDEX_ALL },
    { "all1", INDEX_ALL }, /* once */
    { "all_or_absent", INDEX_ALL_OR_ABSENT },
    { "or_absent", INDEX_OR_ABSENT },
};

static int
index_take(struct step *step, struct text value, struct weir_errbuf *err)
{
    int64_t v;

    for (size_t i = 0; i < sizeof(indices) / sizeof(*indices); i++) {
        if (!text_is(value, indices[i].name))
            continue;
        step->index = (uint8_t)indices[i].index;
        return WEIR_E_OK;
    }
    step->index = INDEX_AT;
    if (value.n > 2 && memcmp(value.p, "nb", 2) == 0) {
        step->index = INDEX_COUNT;
        return compare_parse(text_trim(text_of(value.p + 2, value.p + value.n)), INSTANCES_MAX,
                             &step->compare[1], err);
    }
    if (value.n > 7 && memcmp(value.p, "oob_or ", 7) == 0) {
        step->index = INDEX_AT_OR_OUT;
        value = text_trim(text_of(value.p + 7, value.p + value.n));
    }
    if (!text_int(value, -INSTANCES_MAX, INSTANCES_MAX, &v))
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "an index expected (any, all, all_or_absent, or_absent, nb with a "
                            "comparison, N, oob_or N), not '%.*s'",
                            TEXT(value));
    step->length = (int32_t)v;
    return WEIR_E_OK;
}

static const char *
name_of(enum number_id id, unsigned number)
{
    return id == NUMBER_DNS_RRTYPE  ? dns_type_name(number)
           : id == NUMBER_DNS_RCODE ? dns_rcode_name(number)
                                    : dns_opcode_name(number);
}

/* Put a number in the place of its name, perhaps behind a sign: "!NS", "NXDOMAIN". */
static struct text
name_resolve(enum number_id id, struct text value, char room[16])
{
    bool negated = value.n > 0 && value.p[0] == '!';
    struct text word = negated ? text_trim(text_of(value.p + 1, value.p + value.n)) : value;

    for (unsigned number = 0; number <= UINT16_MAX; number++) {
        const char *name = name_of(id, number);

        if (name == NULL || !text_is_nocase(word, name))
            continue;
        return (struct text){ room,
                              (size_t)snprintf(room, 16, "%s%u", negated ? "!" : "", number) };
    }
    return value;
}

/* What stands behind the word count; false: it is another one. */
bool
count_of(struct text value, struct text *count)
{
    const size_t n = strlen("count");

    if (value.n <= n || memcmp(value.p, "count", n) != 0)
        return false;
    *count = text_trim(text_of(value.p + n, value.p + value.n));
    return count->n > 0;
}

static int
tx_number_take(struct rule *rule, enum number_id id, struct text value, bool many,
               struct weir_errbuf *err)
{
    struct text rest = value, count;
    struct step *step;
    char room[16];
    int rc;

    if (many && count_of(value, &count)) {
        rc = comparison_new(rule, STEP_TX_NUMBER, BUFFER_DNS_QUERIES_RRNAME, count, INSTANCES_MAX,
                            err);
        if (rc != WEIR_E_OK)
            return rc;
        rule->step[rule->n_steps - 1].index = INDEX_TOTAL;
        rule->step[rule->n_steps - 1].offset = (int32_t)id;
        return rc;
    }
    if (many)
        text_next(&rest, ',', &value);
    rc = comparison_new(rule, STEP_TX_NUMBER, BUFFER_DNS_QUERIES_RRNAME,
                        name_resolve(id, text_trim(value), room), 65535, err);
    if (rc != WEIR_E_OK)
        return rc;
    step = &rule->step[rule->n_steps - 1];
    step->offset = (int32_t)id;
    return many && rest.p != NULL && rest.n > 0 ? index_take(step, text_trim(rest), err) : rc;
}

int
dns_opcode_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return tx_number_take(rule, NUMBER_DNS_OPCODE, value, false, err);
}

int
dns_rcode_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return tx_number_take(rule, NUMBER_DNS_RCODE, value, false, err);
}

int
dns_rrtype_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return tx_number_take(rule, NUMBER_DNS_RRTYPE, value, true, err);
}

/* ---- TLS ----------------------------------------------------------------------------------- */

static int
number_new(struct rule *rule, enum number_id id, enum buffer_id buffer, struct compare compare,
           struct weir_errbuf *err)
{
    int rc = comparison_new(rule, STEP_TX_NUMBER, buffer, (struct text){ "0", 1 }, 1, err);
    struct step *step = &rule->step[rule->n_steps - 1];

    if (rc != WEIR_E_OK)
        return rc;
    step->offset = (int32_t)id;
    *step->compare = compare;
    return rc;
}

static int
bits_new(struct rule *rule, enum number_id id, enum buffer_id buffer, int64_t bits,
         struct weir_errbuf *err)
{
    return number_new(rule, id, buffer, (struct compare){ .op = CMP_ANY_BIT, .value = bits }, err);
}

/* Snort's and Suricata's, as far as it is a hello that is asked for. */
int
ssl_state_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    static const enum buffer_id shown[] = { BUFFER_TLS_SNI, BUFFER_TLS_CERT_SUBJECT,
                                            BUFFER_TLS_VERSION }; /* by its sides */
    const char sep = value.n > 0 && memchr(value.p, '|', value.n) != NULL ? '|' : ',';
    unsigned sides = 0;
    struct text part;

    while (text_next(&value, sep, &part)) {
        if (text_is(part, "client_hello"))
            sides |= SIDE_REQUEST;
        else if (text_is(part, "server_hello"))
            sides |= SIDE_RESPONSE;
        else
            return weir_err_set(err, WEIR_E_UNSUPPORTED,
                                "only client_hello and server_hello are told apart, not '%.*s'",
                                TEXT(part));
    }
    return bits_new(rule, NUMBER_TLS_HELLO, shown[sides - 1], 1, err);
}

/*
 * Any of those listed but for those behind a !, as in Suricata; where all stand behind one, any
 * other (Snort).
 */
int
ssl_version_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    static const char *const names[] = { "sslv2", "sslv3", "tls1.0", "tls1.1", "tls1.2", "tls1.3" };
    const unsigned all = (1U << sizeof(names) / sizeof(*names)) - 1;
    unsigned bits[2] = { 0, 0 }; /* behind a ! */
    struct text part;

    while (text_next(&value, ',', &part)) {
        bool is_negated = part.n > 0 && part.p[0] == '!';
        size_t i = 0;

        if (is_negated)
            part = text_trim(text_of(part.p + 1, part.p + part.n));
        while (i < sizeof(names) / sizeof(*names) && !text_is_nocase(part, names[i]))
            i++;
        if (i == sizeof(names) / sizeof(*names))
            return weir_err_set(err, WEIR_E_SYNTAX,
                                "sslv2, sslv3, tls1.0 to tls1.3, perhaps behind a !, expected, not "
                                "'%.*s'",
                                TEXT(part));
        bits[is_negated] |= 1U << i;
    }
    return bits_new(rule, NUMBER_TLS_VERSION, BUFFER_TLS_VERSION,
                    (bits[0] != 0 ? bits[0] : all) & ~bits[1], err);
}

/* 0x7f12 */
int
tls_wire_version_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    int rc = comparison_new(rule, STEP_TX_NUMBER, BUFFER_TLS_VERSION, value, UINT16_MAX, err);

    if (rc == WEIR_E_OK)
        rule->step[rule->n_steps - 1].offset = NUMBER_TLS_WIRE_VERSION;
    return rc;
}

/* DATE, <DATE, >DATE, DATE<>DATE, each of which takes its bounds, too (as in Suricata). */
static int
date_new(struct rule *rule, enum number_id id, struct text value, struct weir_errbuf *err)
{
    const char *between = memmem(value.p, value.n, "<>", 2);
    struct compare cmp = { .op = CMP_EQ };
    struct text first = value;
    bool ok;

    if (between != NULL) {
        cmp.op = CMP_WITHIN;
        ok = date_take(text_trim(text_of(value.p, between)), &cmp.first) &&
             date_take(text_trim(text_of(between + 2, value.p + value.n)), &cmp.value) &&
             cmp.first < cmp.value;
    } else {
        if (first.n > 0 && (first.p[0] == '<' || first.p[0] == '>')) {
            cmp.op = first.p[0] == '<' ? CMP_LE : CMP_GE;
            first = text_trim(text_of(first.p + 1, first.p + first.n));
        }
        ok = date_take(first, &cmp.value);
    }
    if (!ok)
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "a date such as 2015-10-22 or 2015-10-22T23:59:59, <DATE, >DATE or "
                            "DATE<>DATE expected, not '%.*s'",
                            TEXT(value));
    return number_new(rule, id, BUFFER_TLS_CERT_SUBJECT, cmp, err);
}

int
tls_not_before_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return date_new(rule, NUMBER_TLS_NOT_BEFORE, value, err);
}

int
tls_not_after_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return date_new(rule, NUMBER_TLS_NOT_AFTER, value, err);
}

int
tls_expired_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    (void)value;
    return number_new(rule, NUMBER_TLS_AFTER_END, BUFFER_TLS_CERT_SUBJECT,
                      (struct compare){ .op = CMP_GT, .value = 0 }, err);
}

int
tls_valid_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    (void)value;
    return number_new(rule, NUMBER_TLS_AFTER_END, BUFFER_TLS_CERT_SUBJECT,
                      (struct compare){ .op = CMP_LE, .value = 0 }, err);
}

int
filesize_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    int rc = comparison_new(rule, STEP_TX_NUMBER, BUFFER_FILE_NAME, value, INT64_MAX, err);

    if (rc == WEIR_E_OK)
        rule->step[rule->n_steps - 1].offset = NUMBER_FILE_SIZE;
    return rc;
}

/* What a certificate shows is there when the chain is. */
int
tls_chain_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    int rc = comparison_new(rule, STEP_TX_NUMBER, BUFFER_TLS_CERT_SUBJECT, value, UINT32_MAX, err);

    if (rc == WEIR_E_OK)
        rule->step[rule->n_steps - 1].offset = NUMBER_TLS_CHAIN;
    return rc;
}

/* Contents of the stream are looked for when a hello comes; elsewhere the version says nothing. */
int
ssl_version_check(const struct rule *rule, struct weir_errbuf *err)
{
    bool version = false, hello = false, payload = false;

    for (unsigned i = 0; i < rule->n_steps; i++) {
        const struct step *step = &rule->step[i];
        bool number = step->kind == STEP_TX_NUMBER;

        version |= number && step->offset == NUMBER_TLS_VERSION;
        hello |= number && step->offset == NUMBER_TLS_HELLO;
        payload |= step->buffer == BUFFER_PAYLOAD;
    }
    if (version && payload && !hello)
        return weir_err_set(err, WEIR_E_UNSUPPORTED,
                            "ssl_version: next to contents of the stream only with ssl_state");
    return WEIR_E_OK;
}
