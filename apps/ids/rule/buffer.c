#include "rule/buffer.h"

#include "rule/content.h"
#include "rule/compare.h"
#include "rule/option_buffer.h"
#include "rule/transform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELD_MAX = 256 }; /* bytes of a header's name */

static const struct buffer_info infos[BUFFERS] = {
#define X(upper, name, proto, sides, body) { name, APP_##proto, sides, body },
    BUFFER_LIST(X)
#undef X
};

const struct buffer_info *
buffer_info(unsigned id)
{
    return &infos[id];
}

/* ---- names --------------------------------------------------------------------------------- */

enum way {
    STICKY,   /* for what follows */
    MODIFIER, /* for the content before; in Snort 3's form as STICKY */
};

static const struct {
    const char *name;
    enum buffer_id id;
    enum way way;
} others[] = {
    /* beside the names of BUFFER_LIST, which are all STICKY */
    { "pkt_data", BUFFER_PAYLOAD, STICKY },
    { "raw_data", BUFFER_PAYLOAD, STICKY },
    { "file_data", BUFFER_FILE_DATA, STICKY },
    { "http_uri", BUFFER_HTTP_URI, MODIFIER },
    { "http_raw_uri", BUFFER_HTTP_URI_RAW, MODIFIER },
    { "http_method", BUFFER_HTTP_METHOD, MODIFIER },
    { "http_header", BUFFER_HTTP_HEADER, MODIFIER },
    { "http_raw_header", BUFFER_HTTP_HEADER_RAW, MODIFIER },
    { "http_cookie", BUFFER_HTTP_COOKIE, MODIFIER },
    { "http_raw_cookie", BUFFER_HTTP_COOKIE, MODIFIER },
    { "http_user_agent", BUFFER_HTTP_USER_AGENT, MODIFIER },
    { "http_host", BUFFER_HTTP_HOST, MODIFIER },
    { "http_raw_host", BUFFER_HTTP_HOST_RAW, MODIFIER },
    { "http_client_body", BUFFER_HTTP_REQUEST_BODY, MODIFIER },
    { "http_server_body", BUFFER_HTTP_RESPONSE_BODY, MODIFIER },
    { "http_stat_code", BUFFER_HTTP_STAT_CODE, MODIFIER },
    { "http_stat_msg", BUFFER_HTTP_STAT_MSG, MODIFIER },
    { "http_accept", BUFFER_HTTP_ACCEPT, STICKY },
    { "http_accept_enc", BUFFER_HTTP_ACCEPT_ENC, STICKY },
    { "http_accept_lang", BUFFER_HTTP_ACCEPT_LANG, STICKY },
    { "http_referer", BUFFER_HTTP_REFERER, STICKY },
    { "http_connection", BUFFER_HTTP_CONNECTION, STICKY },
    { "http_content_type", BUFFER_HTTP_CONTENT_TYPE, STICKY },
    { "http_content_len", BUFFER_HTTP_CONTENT_LEN, STICKY },
    { "http_start", BUFFER_HTTP_START, STICKY },
    { "http_protocol", BUFFER_HTTP_PROTOCOL, STICKY },
    { "http_version", BUFFER_HTTP_PROTOCOL, STICKY },
    { "http_request_line", BUFFER_HTTP_REQUEST_LINE, STICKY },
    { "http_raw_request", BUFFER_HTTP_REQUEST_LINE, STICKY },
    { "http_response_line", BUFFER_HTTP_RESPONSE_LINE, STICKY },
    { "http_raw_status", BUFFER_HTTP_RESPONSE_LINE, STICKY },
    { "http_header_names", BUFFER_HTTP_HEADER_NAMES, STICKY },
    { "http.client_body", BUFFER_HTTP_REQUEST_BODY, STICKY },
    { "http.server_body", BUFFER_HTTP_RESPONSE_BODY, STICKY },
    { "dns_query", BUFFER_DNS_QUERY, STICKY },
    { "dns.query.name", BUFFER_DNS_QUERIES_RRNAME, STICKY },
    { "dns.answer.name", BUFFER_DNS_ANSWERS_RRNAME, STICKY },
    { "tls_sni", BUFFER_TLS_SNI, STICKY },
    { "tls_cert_subject", BUFFER_TLS_CERT_SUBJECT, STICKY },
    { "tls_cert_issuer", BUFFER_TLS_CERT_ISSUER, STICKY },
    { "tls_cert_serial", BUFFER_TLS_CERT_SERIAL, STICKY },
    { "tls_cert_fingerprint", BUFFER_TLS_CERT_FINGERPRINT, STICKY },
    { "ja3_hash", BUFFER_JA3_HASH, STICKY },
    { "ja3_string", BUFFER_JA3_STRING, STICKY },
    { "ja3s_hash", BUFFER_JA3S_HASH, STICKY },
    { "ja3s_string", BUFFER_JA3S_STRING, STICKY },
    { "ssh_proto", BUFFER_SSH_PROTO, STICKY },
    { "ssh_software", BUFFER_SSH_SOFTWARE, STICKY },
};

/* The buffer of a name; -1: none. */
static int
buffer_by_name(struct text name, enum way *way)
{
    *way = STICKY;
    for (int id = BUFFER_BASE64; id < BUFFERS; id++)
        if (text_is(name, infos[id].name))
            return id;
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        if (!text_is(name, others[i].name))
            continue;
        *way = others[i].way;
        return (int)others[i].id;
    }
    return -1;
}

int
buffer_of_flag(char flag)
{
    static const struct {
        char flag;
        enum buffer_id id;
    } flags[] = {
        { 'U', BUFFER_HTTP_URI },          { 'I', BUFFER_HTTP_URI_RAW },
        { 'P', BUFFER_HTTP_REQUEST_BODY }, { 'Q', BUFFER_HTTP_RESPONSE_BODY },
        { 'H', BUFFER_HTTP_HEADER },       { 'D', BUFFER_HTTP_HEADER_RAW },
        { 'M', BUFFER_HTTP_METHOD },       { 'C', BUFFER_HTTP_COOKIE },
        { 'K', BUFFER_HTTP_COOKIE },       { 'S', BUFFER_HTTP_STAT_CODE },
        { 'Y', BUFFER_HTTP_STAT_MSG },     { 'V', BUFFER_HTTP_USER_AGENT },
        { 'W', BUFFER_HTTP_HOST },         { 'Z', BUFFER_HTTP_HOST_RAW },
    };

    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
        if (flags[i].flag == flag)
            return (int)flags[i].id;
    return -1;
}

bool
buffer_is_modifier(struct text name)
{
    enum way way;

    return buffer_by_name(name, &way) >= 0 && way == MODIFIER;
}

/* Of a rule in the older form: what is relative belongs where the step before it looks. */
void
buffer_of_step(struct rule *rule, struct step *step)
{
    bool has_last = step > rule->step;

    if (rule->buffer == BUFFER_PAYLOAD && !rule->switched && has_last &&
        step->flags & STEP_RELATIVE && step->kind != STEP_CONTENT && step->kind != STEP_PCRE)
        step->buffer = step[-1].buffer, step->chain = step[-1].chain, step->turn = step[-1].turn;
}

/* ---- choosing ------------------------------------------------------------------------------ */

/*
 * Snort 3's http_header:field NAME: a header that has a buffer of its own, or the values of those
 * lines. Whose lines is known when all options are read: fields_place().
 */
static int
field_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    static const struct {
        const char *name;
        enum buffer_id id;
    } fields[] = {
        { "user-agent", BUFFER_HTTP_USER_AGENT },
        { "referer", BUFFER_HTTP_REFERER },
        { "host", BUFFER_HTTP_HOST_RAW },
        { "cookie", BUFFER_HTTP_COOKIE },
        { "accept", BUFFER_HTTP_ACCEPT },
        { "accept-encoding", BUFFER_HTTP_ACCEPT_ENC },
        { "accept-language", BUFFER_HTTP_ACCEPT_LANG },
        { "connection", BUFFER_HTTP_CONNECTION },
        { "content-type", BUFFER_HTTP_CONTENT_TYPE },
        { "content-length", BUFFER_HTTP_CONTENT_LEN },
        { "location", BUFFER_HTTP_LOCATION },
        { "server", BUFFER_HTTP_SERVER },
    };

    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        if (!text_is_nocase(value, fields[i].name))
            continue;
        rule->buffer = (uint8_t)fields[i].id;
        return WEIR_E_OK;
    }
    rule->buffer = BUFFER_HTTP_REQUEST_HEADER;
    return transform_field(rule, value, err);
}

/* "field NAME" behind the name of a buffer. */
static int
choose_part(struct rule *rule, enum buffer_id id, struct text value, struct weir_errbuf *err)
{
    struct text rest = value, word;

    text_next(&rest, ' ', &word);
    rest = rest.p != NULL ? text_trim(rest) : (struct text){ "", 0 };
    if ((id != BUFFER_HTTP_HEADER && id != BUFFER_HTTP_HEADER_RAW) || !text_is(word, "field") ||
        rest.n == 0 || rest.n > FIELD_MAX || memchr(rest.p, ',', rest.n) != NULL)
        return weir_err_set(err, WEIR_E_UNSUPPORTED, "'%.*s' is not supported", TEXT(value));
    return field_take(rule, rest, err);
}

/* Fields of a rule on responses are theirs. */
static void
fields_place(struct rule *rule)
{
    for (unsigned i = 0; i < rule->n_steps; i++) {
        struct step *step = &rule->step[i];

        if (rule->flow & RULE_TO_CLIENT && step->chain > 0 &&
            step->buffer == BUFFER_HTTP_REQUEST_HEADER &&
            rule->transforms[rule->chains[step->chain - 1].first].kind == TRANSFORM_FIELD)
            step->buffer = BUFFER_HTTP_RESPONSE_HEADER;
    }
}

static int
modify_last(struct rule *rule, enum buffer_id id, struct weir_errbuf *err)
{
    struct step *last;
    int rc = last_content(rule, &last, err);

    if (rc == WEIR_E_OK)
        step_move(last, id);
    return rc;
}

/* Named again, such a buffer is looked through anew: another instance may have what follows. */
static bool
has_instances(enum buffer_id id)
{
    switch (id) {
    case BUFFER_DNS_QUERY:
    case BUFFER_DNS_QUERIES_RRNAME:
    case BUFFER_DNS_ANSWERS_RRNAME:
    case BUFFER_DNS_AUTHORITIES_RRNAME:
    case BUFFER_DNS_ADDITIONALS_RRNAME:
    case BUFFER_DNS_RESPONSE_RRNAME:
    case BUFFER_FILE_DATA:
    case BUFFER_FILE_NAME:
    case BUFFER_HTTP_REQUEST_HEADER:
    case BUFFER_HTTP_RESPONSE_HEADER:
    case BUFFER_TLS_ALPN:
    case BUFFER_TLS_CERTS:
    case BUFFER_TLS_SUBJECTALTNAME:
        return true;
    default:
        return false;
    }
}

static int
choose(struct rule *rule, enum buffer_id id, enum way way, struct text value,
       struct weir_errbuf *err)
{
    if (way == MODIFIER && !rule->snort3) {
        if (value.n > 0)
            return weir_err_set(err, WEIR_E_SYNTAX, "no value expected");
        return modify_last(rule, id, err);
    }
    rule->buffer = (uint8_t)id;
    rule->chain = 0;
    rule->turn = has_instances(id) ? rule->turns++ + 1 : 0;
    rule->switched = true;
    return value.n > 0 ? choose_part(rule, id, value, err) : WEIR_E_OK;
}

/* ---- lengths ------------------------------------------------------------------------------- */

/* Snort 3's relative: of what is behind the content before it. */
static int
bsize_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    enum buffer_id id = rule->buffer;
    struct text rest = value, size;
    bool relative;
    int rc;

    text_next(&rest, ',', &size);
    relative = rest.p != NULL && text_is(text_trim(rest), "relative");
    if (id == BUFFER_PAYLOAD && rule->n_steps > 0)
        id = rule->step[rule->n_steps - 1].buffer;
    if (id == BUFFER_PAYLOAD)
        return weir_err_set(err, WEIR_E_SYNTAX, "a buffer expected before it");
    rc = comparison_new(rule, STEP_BSIZE, id, relative ? size : value, UINT32_MAX, err);
    if (rc == WEIR_E_OK && relative)
        rule->step[rule->n_steps - 1].flags |= STEP_RELATIVE;
    return rc;
}

/* Snort's and Suricata's: of the normalised URI, unless raw is said. */
static int
urilen_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    enum buffer_id id = BUFFER_HTTP_URI;
    struct text rest = value, size;

    text_next(&rest, ',', &size);
    if (rest.p != NULL && rest.n > 0) {
        rest = text_trim(rest);
        if (text_is(rest, "raw"))
            id = BUFFER_HTTP_URI_RAW;
        else if (!text_is(rest, "norm"))
            return weir_err_set(err, WEIR_E_SYNTAX, "raw or norm expected, not '%.*s'", TEXT(rest));
    }
    return comparison_new(rule, STEP_BSIZE, id, size, UINT32_MAX, err);
}

/* ---- contents in one word ------------------------------------------------------------------ */

/* A buffer with a value: a content of it. exact: the buffer is that and nothing else. */
static int
content_of(struct rule *rule, enum buffer_id id, bool exact, bool nocase, struct text value,
           struct weir_errbuf *err)
{
    char quoted[512];
    struct text inner = value, none = { NULL, 0 };
    bool negated = value.n > 0 && value.p[0] == '!';
    int n, rc;

    if (negated)
        inner = value = text_trim(text_of(value.p + 1, value.p + value.n));
    text_unquote(value, &inner);
    n = snprintf(quoted, sizeof(quoted), "%s\"%.*s\"", negated ? "!" : "", TEXT(inner));
    if (inner.n == 0 || n < 0 || (size_t)n >= sizeof(quoted))
        return weir_err_set(err, WEIR_E_SYNTAX, "up to 500 characters expected, not '%.*s'",
                            TEXT(value));
    rc = content_take(rule, (struct text){ quoted, (size_t)n }, err);
    if (rc != WEIR_E_OK)
        return rc;
    step_move(&rule->step[rule->n_steps - 1], id);
    if (nocase)
        rc = nocase_take(rule, none, err);
    if (rc == WEIR_E_OK && exact)
        rc = startswith_take(rule, none, err);
    return rc == WEIR_E_OK && exact ? endswith_take(rule, none, err) : rc;
}

static int
uricontent_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    int rc = content_take(rule, value, err);

    if (rc == WEIR_E_OK)
        step_move(&rule->step[rule->n_steps - 1], BUFFER_HTTP_URI);
    return rc;
}

static int
tls_version_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    if (value.n > 2 && value.p[0] == '0' && (value.p[1] | 0x20) == 'x')
        return tls_wire_version_take(rule, value, err);
    return content_of(rule, BUFFER_TLS_VERSION, true, false, value, err);
}

static int
tls_subject_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return content_of(rule, BUFFER_TLS_CERT_SUBJECT, false, false, value, err);
}

static int
tls_issuer_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return content_of(rule, BUFFER_TLS_CERT_ISSUER, false, false, value, err);
}

static int
tls_fingerprint_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return content_of(rule, BUFFER_TLS_CERT_FINGERPRINT, true, true, value, err);
}

static int
ssh_proto_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return content_of(rule, BUFFER_SSH_PROTO, true, false, value, err);
}

static int
ssh_software_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return content_of(rule, BUFFER_SSH_SOFTWARE, true, false, value, err);
}

/* In the file's name, in any case. */
static int
filename_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return content_of(rule, BUFFER_FILE_NAME, false, true, value, err);
}

/* The name ends in a dot and this, in any case. */
static int
fileext_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    char dotted[512];
    struct text inner = value;
    const bool negated = value.n > 0 && value.p[0] == '!';
    int n, rc;

    if (negated)
        inner = value = text_trim(text_of(value.p + 1, value.p + value.n));
    text_unquote(value, &inner);
    n = snprintf(dotted, sizeof(dotted), "%s\".%.*s\"", negated ? "!" : "", TEXT(inner));
    if (inner.n == 0 || n < 0 || (size_t)n >= sizeof(dotted))
        return weir_err_set(err, WEIR_E_SYNTAX, "up to 500 characters expected, not '%.*s'",
                            TEXT(value));
    rc = content_of(rule, BUFFER_FILE_NAME, false, true, (struct text){ dotted, (size_t)n }, err);
    return rc == WEIR_E_OK ? endswith_take(rule, (struct text){ NULL, 0 }, err) : rc;
}

/* base64_decode:bytes N,offset N,relative; each may be missing. What it decodes is for the contents
 * behind base64_data. */
static int
base64_decode_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct text part, word;
    struct step *step;
    int rc = step_new(rule, STEP_BASE64, &step, err);

    while (rc == WEIR_E_OK && value.n > 0 && text_next(&value, ',', &part)) {
        int64_t v = 0;

        text_next(&part, ' ', &word);
        if (text_is(word, "relative")) {
            step->flags |= STEP_RELATIVE;
            continue;
        }
        if (!text_int(text_trim(part), 0, 65535, &v))
            word.n = 0;
        if (text_is(word, "bytes") && v > 0)
            step->length = (int32_t)v;
        else if (text_is(word, "offset"))
            step->offset = (int32_t)v;
        else
            rc = weir_err_set(err, WEIR_E_SYNTAX, "bytes N, offset N or relative expected");
    }
    return rc;
}

static const struct {
    const char *name;
    int (*take)(struct rule *rule, struct text value, struct weir_errbuf *err);
} with_value[] = {
    { "bsize", bsize_take },
    { "bufferlen", bsize_take },
    { "urilen", urilen_take },
    { "uricontent", uricontent_take },
    { "entropy", entropy_take },
    { "filename", filename_take },
    { "fileext", fileext_take },
    { "ssl_state", ssl_state_take },
    { "ssl_version", ssl_version_take },
    { "dns.opcode", dns_opcode_take },
    { "dns.rcode", dns_rcode_take },
    { "dns.rrtype", dns_rrtype_take },
    { "tls.version", tls_version_take },
    { "tls.cert_chain_len", tls_chain_take },
    { "tls_cert_notbefore", tls_not_before_take },
    { "tls_cert_notafter", tls_not_after_take },
    { "filesize", filesize_take },
    { "tls.subject", tls_subject_take },
    { "tls.issuerdn", tls_issuer_take },
    { "tls.fingerprint", tls_fingerprint_take },
    { "ssh.protoversion", ssh_proto_take },
    { "ssh.softwareversion", ssh_software_take },
};

/* Of a certificate's dates; without a value. */
static const struct {
    const char *name;
    int (*take)(struct rule *rule, struct text value, struct weir_errbuf *err);
} without_value[] = {
    { "tls_cert_expired", tls_expired_take },
    { "tls_cert_valid", tls_valid_take },
};

bool
buffer_is_known(struct text name)
{
    enum way way;

    for (size_t i = 0; i < sizeof(with_value) / sizeof(*with_value); i++)
        if (text_is(name, with_value[i].name))
            return true;
    for (size_t i = 0; i < sizeof(without_value) / sizeof(*without_value); i++)
        if (text_is(name, without_value[i].name))
            return true;
    return text_is(name, "base64_decode") || text_is(name, "absent") ||
           buffer_by_name(name, &way) >= 0;
}

int
buffer_option(struct rule *rule, struct text name, struct text value, bool *known,
              struct weir_errbuf *err)
{
    enum way way;
    int id;

    *known = true;
    for (size_t i = 0; value.n > 0 && i < sizeof(with_value) / sizeof(*with_value); i++)
        if (text_is(name, with_value[i].name))
            return with_value[i].take(rule, value, err);
    for (size_t i = 0; i < sizeof(without_value) / sizeof(*without_value); i++) {
        if (!text_is(name, without_value[i].name))
            continue;
        return value.n == 0 ? without_value[i].take(rule, value, err)
                            : weir_err_set(err, WEIR_E_SYNTAX, "no value expected");
    }
    if (text_is(name, "base64_decode"))
        return base64_decode_take(rule, value, err);
    if (text_is(name, "absent"))
        return absent_take(rule, value, err);
    id = buffer_by_name(name, &way);
    *known = id >= 0;
    return *known ? choose(rule, (enum buffer_id)id, way, value, err) : WEIR_E_OK;
}

/* ---- all of them --------------------------------------------------------------------------- */

static uint8_t
moved(const uint8_t to[STEPS_MAX], uint8_t by)
{
    return by == 0 ? 0 : to[by - 1] + 1;
}

static int
section_new(struct rule *rule, const struct step *step, unsigned at, struct weir_errbuf *err)
{
    if (rule->n_sections == SECTIONS_MAX)
        return weir_err_set(err, WEIR_E_LIMIT, "at most %d buffers expected", SECTIONS_MAX);
    rule->section[rule->n_sections++] = (struct section){ step->buffer, step->chain, (uint8_t)at,
                                                          (uint8_t)at };
    return WEIR_E_OK;
}

/* Whether a step stands for a number that is found behind step i only. */
static bool
leans_ahead(const struct step *step, unsigned i)
{
    const struct number *number = step->number;

    return step->offset_by > i || step->length_by > i ||
           (number != NULL && (number->operand_by > i || number->n_by > i));
}

/* The first step on the payload, if headers come before it; else the first. */
static unsigned
first_of_all(const struct rule *rule)
{
    unsigned i = 0;

    while (i < rule->n_steps && buffer_is_header(rule->step[i].buffer))
        i++;
    return i < rule->n_steps && rule->step[i].buffer == BUFFER_PAYLOAD ? i : 0;
}

/*
 * Put steps of the same buffer, transformed alike, behind each other, buffers in the order in which
 * they came first; but the payload before headers, for packets and streams are looked for by it.
 */
static int
group(struct rule *rule, struct weir_errbuf *err)
{
    struct step sorted[STEPS_MAX];
    uint8_t to[STEPS_MAX];
    bool placed[STEPS_MAX] = { false };
    unsigned n = 0;
    const unsigned first = first_of_all(rule);

    for (unsigned turn = 0; turn < rule->n_steps; turn++) {
        const unsigned i = turn == 0 ? first : turn <= first ? turn - 1 : turn;

        if (placed[i])
            continue;
        if (section_new(rule, &rule->step[i], n, err) != WEIR_E_OK)
            return WEIR_E_LIMIT;
        for (unsigned k = i; k < rule->n_steps; k++) {
            if (placed[k] || rule->step[k].buffer != rule->step[i].buffer ||
                rule->step[k].chain != rule->step[i].chain ||
                rule->step[k].turn != rule->step[i].turn)
                continue;
            placed[k] = true;
            to[k] = (uint8_t)n;
            sorted[n++] = rule->step[k];
        }
        rule->section[rule->n_sections - 1].behind = (uint8_t)n;
    }
    for (unsigned i = 0; i < n; i++) {
        sorted[i].offset_by = moved(to, sorted[i].offset_by);
        sorted[i].length_by = moved(to, sorted[i].length_by);
        if (sorted[i].number != NULL)
            sorted[i].number->operand_by = moved(to, sorted[i].number->operand_by),
            sorted[i].number->n_by = moved(to, sorted[i].number->n_by);
        rule->step[i] = sorted[i];
    }
    for (unsigned i = 0; i < n; i++) {
        if (leans_ahead(&sorted[i], i))
            return weir_err_set(err, WEIR_E_UNSUPPORTED,
                                "variables of headers are not known where the payload is looked "
                                "at");
    }
    return WEIR_E_OK;
}

/* At which side of a transaction all that it asks for is there; 0: no buffer is a transaction's. */
static uint8_t
side_of(const struct rule *rule)
{
    uint8_t all = SIDE_BOTH, any = 0;

    for (unsigned i = 0; i < rule->n_sections; i++) {
        const struct buffer_info *info = &infos[rule->section[i].buffer];

        if (info->proto == APP_UNKNOWN)
            continue;
        any |= info->sides;
        all &= info->sides;
    }
    if (any == 0)
        return 0;
    if (all == 0) /* of both sides: what a request showed is still there with its response */
        return SIDE_RESPONSE;
    if (rule->flow & RULE_TO_CLIENT)
        return SIDE_RESPONSE;
    return rule->flow & RULE_TO_SERVER && all & SIDE_REQUEST ? SIDE_REQUEST : all;
}

static void
note_buffer(struct rule *rule, unsigned buffer)
{
    rule->tx_body |= infos[buffer].is_body;
    rule->on_headers |= buffer_is_header(buffer);
}

/* What base64_data names is there only behind a base64_decode of the same rule. */
static int
base64_check(const struct rule *rule, struct weir_errbuf *err)
{
    bool decoded = false;

    for (unsigned i = 0; i < rule->n_sections; i++) {
        if (rule->section[i].buffer == BUFFER_BASE64 && !decoded)
            return weir_err_set(err, WEIR_E_SYNTAX,
                                "base64_data: base64_decode expected before it");
        for (unsigned k = rule->section[i].first; k < rule->section[i].behind; k++)
            decoded |= rule->step[k].kind == STEP_BASE64;
    }
    return WEIR_E_OK;
}

/* Digits of digests and serial numbers have one case each: 'a', 'A', or 0 for other buffers. */
static char
case_of(unsigned buffer)
{
    switch ((enum buffer_id)buffer) {
    case BUFFER_JA3_HASH:
    case BUFFER_JA3S_HASH:
    case BUFFER_TLS_CERT_FINGERPRINT:
    case BUFFER_SSH_HASSH:
    case BUFFER_SSH_HASSH_SERVER:
        return 'a';
    case BUFFER_TLS_CERT_SERIAL:
        return 'A';
    default:
        return 0;
    }
}

/* Contents of such buffers may be in either, as in Suricata. */
static void
mend_case(struct step *step)
{
    const char wanted = step->chain == 0 ? case_of(step->buffer) : 0;
    const char other = wanted ^ 0x20;

    if (wanted == 0 || step->kind != STEP_CONTENT || step->flags & STEP_NOCASE)
        return;
    for (unsigned i = 0; i < step->n; i++)
        if (step->bytes[i] >= other && step->bytes[i] <= other + ('z' - 'a'))
            step->bytes[i] ^= 0x20;
}

/* A buffer was named, and nothing asked: the rule would alert on everything. */
static int
check_asked(const struct rule *rule, struct weir_errbuf *err)
{
    const struct buffer_info *info = buffer_info(rule->buffer);

    if (rule->n_steps > 0 || !rule->switched || info->proto == APP_UNKNOWN)
        return WEIR_E_OK;
    return weir_err_set(err, WEIR_E_SYNTAX, "a content or the like expected behind %s", info->name);
}

int
buffers_check(struct rule *rule, struct weir_errbuf *err)
{
    int rc = check_asked(rule, err);

    if (rc != WEIR_E_OK)
        return rc;
    fields_place(rule);
    for (unsigned i = 0; i < rule->n_steps; i++)
        mend_case(&rule->step[i]);
    for (unsigned i = 0; i < rule->n_steps; i++)
        transform_same(rule, &rule->step[i].chain);
    rc = group(rule, err);
    if (rc != WEIR_E_OK)
        return rc;
    rc = base64_check(rule, err);
    if (rc == WEIR_E_OK)
        rc = absent_check(rule, err);
    if (rc == WEIR_E_OK)
        rc = ssl_version_check(rule, err);
    if (rc != WEIR_E_OK)
        return rc;
    rule->tx_side = side_of(rule);
    for (unsigned i = 0; i < rule->n_sections; i++)
        note_buffer(rule, rule->section[i].buffer);
    if (rule->tx_side == 0 && rule->n_sections > 0 && rule->section[0].buffer == BUFFER_PAYLOAD)
        rule->n_payload = rule->section[0].behind;
    if (rule->of_flow && (rule->tx_side == 0 || rule->flow & (RULE_TO_SERVER | RULE_TO_CLIENT)))
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "=> expects buffers of an application protocol, and flow without a "
                            "side");
    if (rule->tx_side != 0 && rule->on_headers)
        return weir_err_set(err, WEIR_E_UNSUPPORTED,
                            "headers of packets do not go with buffers of an application protocol");
    if (rule->on_headers && rule->flow & RULE_ONLY_STREAM)
        return weir_err_set(err, WEIR_E_SYNTAX, "headers of packets do not go with only_stream");
    if (rule->tx_side != 0 && rule->event != NULL)
        return weir_err_set(err, WEIR_E_UNSUPPORTED,
                            "flow-event does not go with buffers of an application protocol");
    if (rule->tx_side == SIDE_RESPONSE && rule->flow & RULE_TO_SERVER)
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "a buffer of the response does not go with flow:to_server");
    return WEIR_E_OK;
}
