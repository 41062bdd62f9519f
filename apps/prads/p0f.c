#include "p0f.h"

#include "put.h"
#include "rd.h"
#include "sigfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_DISTANCE = 35, /* hops that are believed */
    MAX_SCALE = 14,    /* RFC 7323 section 2.3 */
    TIME_OPTION = 12,  /* bytes that a timestamp takes of a segment */
};

static const struct {
    const char *name;
    uint32_t bit;
} quirks[] = {
    { "df", P0F_DF },          { "id+", P0F_ID_PLUS },    { "id-", P0F_ID_MINUS },
    { "ecn", P0F_ECN },        { "0+", P0F_RESERVED },    { "flow", P0F_FLOW },
    { "seq-", P0F_SEQ_MINUS }, { "ack+", P0F_ACK_PLUS },  { "ack-", P0F_ACK_MINUS },
    { "uptr+", P0F_URG_PLUS }, { "urgf+", P0F_URG_FLAG }, { "pushf+", P0F_PUSH },
    { "ts1-", P0F_TS1_MINUS }, { "ts2+", P0F_TS2_PLUS },  { "opt+", P0F_OPT_PLUS },
    { "exws", P0F_EXWS },      { "bad", P0F_BAD },
};

enum { N_QUIRKS = sizeof(quirks) / sizeof(*quirks) };

enum { KIND_EOL, KIND_NOP, KIND_MSS, KIND_WS, KIND_SOK, KIND_SACK, KIND_TS = 8 };

static const char *const kinds[] = {
    [KIND_EOL] = "eol", [KIND_NOP] = "nop",   [KIND_MSS] = "mss", [KIND_WS] = "ws",
    [KIND_SOK] = "sok", [KIND_SACK] = "sack", [KIND_TS] = "ts"
};

enum { N_KINDS = sizeof(kinds) / sizeof(*kinds) };

/* ---- taking -------------------------------------------------------------------------------- */

static void
take_ip(const struct weir_packet *pkt, struct p0f_print *p)
{
    const uint8_t *ip = pkt->ip;
    bool df;

    if (pkt->ip_version == 6) {
        p->quirks |= (be32(ip) & 0xfffff) != 0 ? P0F_FLOW : 0;
        p->quirks |= (be32(ip) >> 20 & 3) != 0 ? P0F_ECN : 0;
        return;
    }
    df = ip[6] & 0x40;
    p->olen = (uint8_t)(4 * (ip[0] & 15) - 20);
    p->quirks |= df ? P0F_DF : 0;
    if (df && be16(ip + 4) != 0)
        p->quirks |= P0F_ID_PLUS;
    if (!df && be16(ip + 4) == 0)
        p->quirks |= P0F_ID_MINUS;
    p->quirks |= (ip[1] & 3) != 0 ? P0F_ECN : 0;
    p->quirks |= (ip[6] & 0x80) != 0 ? P0F_RESERVED : 0;
}

static void
take_tcp(const struct weir_packet *pkt, struct p0f_print *p)
{
    uint8_t flags = pkt->tcp_flags;
    bool urgent = be16(pkt->l4 + 18) != 0;

    p->window = pkt->tcp_window;
    p->quirks |= (flags & (WEIR_TH_ECE | WEIR_TH_CWR)) != 0 ? P0F_ECN : 0;
    p->quirks |= (pkt->l4[12] & 0xe) != 0 ? P0F_RESERVED : 0;
    p->quirks |= pkt->tcp_seq == 0 ? P0F_SEQ_MINUS : 0;
    if (flags & WEIR_TH_ACK)
        p->quirks |= pkt->tcp_ack == 0 ? P0F_ACK_MINUS : 0;
    else
        p->quirks |= pkt->tcp_ack != 0 ? P0F_ACK_PLUS : 0;
    if (flags & WEIR_TH_URG)
        p->quirks |= P0F_URG_FLAG;
    else
        p->quirks |= urgent ? P0F_URG_PLUS : 0;
    p->quirks |= flags & WEIR_TH_PUSH ? P0F_PUSH : 0;
    p->has_data = pkt->payload_wire > 0;
}

static void
take_value(const struct weir_packet *pkt, struct p0f_print *p, uint8_t kind, struct rd *body)
{
    uint32_t first, second;

    switch (kind) {
    case KIND_MSS:
        p->has_mss = rd_be16(body, &p->mss);
        break;
    case KIND_WS:
        p->has_scale = rd_u8(body, &p->scale);
        p->quirks |= p->scale > MAX_SCALE ? P0F_EXWS : 0;
        break;
    case KIND_TS:
        if (!rd_be32(body, &first) || !rd_be32(body, &second))
            break;
        p->has_time = true;
        p->quirks |= first == 0 ? P0F_TS1_MINUS : 0;
        if (second != 0 && !(pkt->tcp_flags & WEIR_TH_ACK))
            p->quirks |= P0F_TS2_PLUS;
        break;
    default:
        break;
    }
}

static void
take_padding(struct p0f_print *p, struct rd *rd)
{
    uint8_t byte;

    p->padding = (uint8_t)rd_left(rd);
    while (rd_u8(rd, &byte))
        p->quirks |= byte != 0 ? P0F_OPT_PLUS : 0;
}

static bool
good_length(uint8_t kind, uint8_t length)
{
    static const uint8_t lengths[N_KINDS] = {
        [KIND_MSS] = 4, [KIND_WS] = 3, [KIND_SOK] = 2, [KIND_TS] = 10
    };

    if (kind == KIND_SACK)
        return length >= 10 && length <= 34;
    return kind >= N_KINDS || lengths[kind] == 0 || lengths[kind] == length;
}

static void
take_options(const struct weir_packet *pkt, struct p0f_print *p)
{
    struct rd rd = { pkt->tcp_options, pkt->tcp_options + pkt->n_tcp_options }, body;
    uint8_t kind, length;

    while (rd_u8(&rd, &kind)) {
        if (p->n_options == P0F_OPTIONS_MAX)
            break;
        p->option[p->n_options++] = kind;
        if (kind == KIND_EOL) {
            take_padding(p, &rd);
            return;
        }
        if (kind == KIND_NOP)
            continue;
        if (!rd_u8(&rd, &length) || length < 2 || !rd_sub(&rd, length - 2U, &body)) {
            p->quirks |= P0F_BAD;
            return;
        }
        p->quirks |= good_length(kind, length) ? 0 : P0F_BAD;
        take_value(pkt, p, kind, &body);
    }
}

void
p0f_take(const struct weir_packet *pkt, struct p0f_print *p)
{
    *p = (struct p0f_print){ .version = pkt->ip_version, .ttl = pkt->ttl };
    take_ip(pkt, p);
    take_tcp(pkt, p);
    take_options(pkt, p);
}

/* ---- windows ------------------------------------------------------------------------------- */

static unsigned
headers(const struct p0f_print *p)
{
    return p->version == 4 ? 40 : 60;
}

/* Of which unit the window is a multiple: MSS, what of it timestamps leave, the usual ones. */
static unsigned
times_mss(const struct p0f_print *p)
{
    unsigned less = p->has_time && p->mss > TIME_OPTION ? TIME_OPTION : 0;
    const unsigned units[] = { p->mss, p->mss - less };

    for (unsigned i = 0; i < sizeof(units) / sizeof(*units) && p->mss >= 100; i++)
        if (p->window != 0 && p->window % units[i] == 0)
            return p->window / units[i];
    return 0;
}

static unsigned
times_mtu(const struct p0f_print *p)
{
    unsigned mtu = p->mss + headers(p);

    return p->mss >= 100 && p->window != 0 && p->window % mtu == 0 ? p->window / mtu : 0;
}

/* ---- as text ------------------------------------------------------------------------------- */

static void
put_window(struct put *put, const struct p0f_print *p)
{
    unsigned mss = times_mss(p), mtu = times_mtu(p);

    if (mss != 0 || mtu != 0) {
        put_str(put, mss != 0 ? "mss*" : "mtu*");
        put_u64(put, mss != 0 ? mss : mtu);
    } else {
        put_u64(put, p->window);
    }
    put_char(put, ',');
    put_u64(put, p->has_scale ? p->scale : 0);
}

static void
put_layout(struct put *put, const struct p0f_print *p)
{
    for (unsigned i = 0; i < p->n_options; i++) {
        uint8_t kind = p->option[i];

        if (i > 0)
            put_char(put, ',');
        if (kind < N_KINDS && kinds[kind] != NULL) {
            put_str(put, kinds[kind]);
        } else {
            put_char(put, '?');
            put_u64(put, kind);
        }
        if (kind == KIND_EOL) {
            put_char(put, '+');
            put_u64(put, p->padding);
        }
    }
}

static void
put_quirks(struct put *put, uint32_t bits)
{
    bool any = false;

    for (unsigned i = 0; i < N_QUIRKS; i++) {
        if ((bits & quirks[i].bit) == 0)
            continue;
        if (any)
            put_char(put, ',');
        put_str(put, quirks[i].name);
        any = true;
    }
}

static unsigned
first_ttl(uint8_t ttl)
{
    return ttl > 128 ? 255 : ttl > 64 ? 128 : ttl > 32 ? 64 : 32;
}

void
p0f_text(const struct p0f_print *p, char text[P0F_TEXT_MAX])
{
    struct put put = put_begin(text, P0F_TEXT_MAX);

    put_u64(&put, p->version);
    put_char(&put, ':');
    put_u64(&put, first_ttl(p->ttl));
    put_char(&put, '+');
    put_u64(&put, first_ttl(p->ttl) - p->ttl);
    put_char(&put, ':');
    put_u64(&put, p->olen);
    put_char(&put, ':');
    put_u64(&put, p->mss);
    put_char(&put, ':');
    put_window(&put, p);
    put_char(&put, ':');
    put_layout(&put, p);
    put_char(&put, ':');
    put_quirks(&put, p->quirks);
    put_str(&put, p->has_data ? ":+" : ":0");
}

/* ---- signatures ---------------------------------------------------------------------------- */

enum window_kind { WINDOW_ANY, WINDOW_IS, WINDOW_MSS, WINDOW_MTU, WINDOW_MOD };

struct signature {
    struct p0f_label label;
    bool response, any_ttl_below; /* "64-": the TTL begins anywhere below */
    uint8_t version, ttl, olen;   /* version 0: any */
    bool any_mss, any_scale, any_data;
    bool data;
    uint16_t mss;
    uint8_t scale;
    enum window_kind window_kind;
    uint16_t window;
    uint8_t n_options, padding;
    uint8_t option[P0F_OPTIONS_MAX];
    uint32_t quirks;
};

struct p0f_list {
    char *text;
    struct signature *at;
    size_t n, room;
};

void
p0f_list_free(struct p0f_list *list)
{
    if (list == NULL)
        return;
    free(list->text);
    free(list->at);
    free(list);
}

size_t
p0f_list_size(const struct p0f_list *list)
{
    return list->n;
}

/* ---- reading them -------------------------------------------------------------------------- */

/* A decimal number up to most; false: it is none. */
static bool
number(const char *text, unsigned long most, unsigned long *to)
{
    char *end;

    *to = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && *to <= most;
}

static bool
read_version(const char *text, struct signature *sig)
{
    unsigned long n;

    if (strcmp(text, "*") == 0)
        return true;
    if (!number(text, 6, &n) || (n != 4 && n != 6))
        return false;
    sig->version = (uint8_t)n;
    return true;
}

static bool
read_ttl(char *text, struct signature *sig)
{
    size_t n = strlen(text);
    unsigned long value;

    if (n > 0 && text[n - 1] == '-') {
        sig->any_ttl_below = true;
        text[n - 1] = '\0';
    }
    if (!number(text, 255, &value) || value == 0)
        return false;
    sig->ttl = (uint8_t)value;
    return true;
}

static bool
read_olen(const char *text, struct signature *sig)
{
    unsigned long n;

    if (!number(text, 255, &n))
        return false;
    sig->olen = (uint8_t)n;
    return true;
}

static bool
read_mss(const char *text, struct signature *sig)
{
    unsigned long n = 0;

    sig->any_mss = strcmp(text, "*") == 0;
    if (!sig->any_mss && !number(text, UINT16_MAX, &n))
        return false;
    sig->mss = (uint16_t)n;
    return true;
}

static bool
read_window(char *text, struct signature *sig)
{
    static const struct {
        const char *prefix;
        enum window_kind kind;
    } forms[] = {
        { "mss*", WINDOW_MSS }, { "mtu*", WINDOW_MTU }, { "%", WINDOW_MOD }, { "", WINDOW_IS }
    };
    char *comma = strchr(text, ',');
    unsigned long n = 0;

    if (comma == NULL)
        return false;
    *comma = '\0';
    for (unsigned i = 0; strcmp(text, "*") != 0; i++) {
        size_t length = strlen(forms[i].prefix);

        if (strncmp(text, forms[i].prefix, length) != 0)
            continue;
        sig->window_kind = forms[i].kind;
        if (!number(text + length, UINT16_MAX, &n) || (n == 0 && forms[i].kind != WINDOW_IS))
            return false;
        break;
    }
    sig->window = (uint16_t)n;
    sig->any_scale = strcmp(comma + 1, "*") == 0;
    n = 0;
    if (!sig->any_scale && !number(comma + 1, 255, &n))
        return false;
    sig->scale = (uint8_t)n;
    return true;
}

/* One option's name; false: it is none. */
static bool
read_option(const char *text, struct signature *sig)
{
    unsigned long n;

    if (sig->n_options == P0F_OPTIONS_MAX)
        return false;
    if (strncmp(text, "eol+", 4) == 0 && number(text + 4, 40, &n)) {
        sig->padding = (uint8_t)n;
        sig->option[sig->n_options++] = KIND_EOL;
        return true;
    }
    if (text[0] == '?' && number(text + 1, 255, &n)) {
        sig->option[sig->n_options++] = (uint8_t)n;
        return true;
    }
    for (unsigned i = KIND_NOP; i < N_KINDS; i++) {
        if (kinds[i] == NULL || strcmp(text, kinds[i]) != 0)
            continue;
        sig->option[sig->n_options++] = (uint8_t)i;
        return true;
    }
    return false;
}

static bool
read_quirk(const char *text, struct signature *sig)
{
    for (unsigned i = 0; i < N_QUIRKS; i++) {
        if (strcmp(text, quirks[i].name) != 0)
            continue;
        sig->quirks |= quirks[i].bit;
        return true;
    }
    return false;
}

/* A list with commas, which may be empty. */
static bool
read_list(char *text, struct signature *sig, bool one(const char *text, struct signature *sig))
{
    char *comma;

    if (*text == '\0')
        return true;
    do {
        comma = strchr(text, ',');
        if (comma != NULL)
            *comma = '\0';
        if (!one(text, sig))
            return false;
        text = comma != NULL ? comma + 1 : NULL;
    } while (text != NULL);
    return true;
}

static bool
read_data(const char *text, struct signature *sig)
{
    sig->any_data = strcmp(text, "*") == 0;
    sig->data = strcmp(text, "+") == 0;
    return sig->any_data || sig->data || strcmp(text, "0") == 0;
}

/*
 * The eight fields of a signature. Returns what was expected where it is wrong; NULL: it is right.
 */
static const char *
read_signature(char *text, struct signature *sig)
{
    char *field[8];

    for (unsigned i = 0; i < 8; i++) {
        field[i] = i < 7 ? sigfile_field(&text, ':') : text;
        if (field[i] == NULL)
            return "version:ittl:olen:mss:wsize,scale:olayout:quirks:pclass";
    }
    if (!read_version(field[0], sig))
        return "a version (4, 6 or *)";
    if (!read_ttl(field[1], sig))
        return "an initial TTL (64, or 64-)";
    if (!read_olen(field[2], sig))
        return "the length of IP options";
    if (!read_mss(field[3], sig))
        return "an MSS, or *";
    if (!read_window(field[4], sig))
        return "a window (N, mss*N, mtu*N, %N or *), a comma, and a scale";
    if (!read_list(field[5], sig, read_option))
        return "options (mss, sok, ts, nop, ws, sack, eol+N, ?N)";
    if (!read_list(field[6], sig, read_quirk))
        return "quirks (df, id+, id-, ecn, ...)";
    return read_data(field[7], sig) ? NULL : "a payload class (0, + or *)";
}

/* "s:unix:Linux:3.x" */
static const char *
read_label(char *text, struct p0f_label *label)
{
    const char *type = sigfile_field(&text, ':');
    char *of_class = sigfile_field(&text, ':'), *name = sigfile_field(&text, ':');

    if (type == NULL || of_class == NULL || name == NULL ||
        (strcmp(type, "s") != 0 && strcmp(type, "g") != 0))
        return "s:class:name:flavor, or g:...";
    *label = (struct p0f_label){
        .generic = type[0] == 'g', .class_name = of_class, .name = name, .flavor = text
    };
    return NULL;
}

/* "key = value". False: it is not this key. */
static bool
value_of(char *line, const char *key, char **value)
{
    size_t n = strlen(key);

    if (strncmp(line, key, n) != 0)
        return false;
    line += n + strspn(line + n, " \t");
    if (*line != '=')
        return false;
    *value = line + 1 + strspn(line + 1, " \t");
    for (size_t end = strlen(*value); end > 0 && strchr(" \t\r", (*value)[end - 1]) != NULL; end--)
        (*value)[end - 1] = '\0';
    return true;
}

struct reading {
    struct p0f_list *list;
    struct signature next; /* section and label so far */
    bool in_section, skipped, labelled;
};

static struct signature *
add(struct p0f_list *list)
{
    struct signature *more;

    if (list->n == list->room) {
        size_t room = list->room > 0 ? 2 * list->room : 64;

        more = realloc(list->at, room * sizeof(*more));
        if (more == NULL)
            return NULL;
        list->at = more;
        list->room = room;
    }
    return &list->at[list->n++];
}

static const char *
begin_section(struct reading *r, const char *line)
{
    r->in_section = true;
    r->labelled = false;
    r->next.response = strncmp(line, "[tcp:response]", 14) == 0;
    r->skipped = !r->next.response && strncmp(line, "[tcp:request]", 13) != 0;
    return strchr(line, ']') != NULL ? NULL : "[tcp:request] or [tcp:response]";
}

/* Returns what was expected where the line is wrong. *no_memory: that was it. */
static const char *
read_line(struct reading *r, char *line, bool *no_memory)
{
    struct signature *sig;
    const char *wrong;
    char *value;

    if (*line == '[')
        return begin_section(r, line);
    if (r->skipped || value_of(line, "classes", &value) || value_of(line, "sys", &value))
        return NULL; /* p0f's other sections, and what it needs for those */
    if (!r->in_section)
        return "[tcp:request] or [tcp:response]";
    if (value_of(line, "label", &value)) {
        r->labelled = true;
        return read_label(value, &r->next.label);
    }
    if (!value_of(line, "sig", &value))
        return "label = ..., or sig = ...";
    if (!r->labelled)
        return "a label before its signatures";
    sig = add(r->list);
    *no_memory = sig == NULL;
    if (sig == NULL)
        return NULL;
    *sig = r->next;
    wrong = read_signature(value, sig);
    return wrong;
}

int
p0f_list_parse(char *text, const char *name, struct p0f_list **out, struct weir_errbuf *err)
{
    struct reading r = { .list = calloc(1, sizeof(*r.list)) };
    bool no_memory = r.list == NULL;
    unsigned at = 0;

    *out = NULL;
    if (no_memory) {
        free(text);
        return weir_err_set(err, WEIR_E_NOMEM, "%s: out of memory", name);
    }
    r.list->text = text;
    while (*text != '\0') {
        char *line = text, *end = strchr(text, '\n');
        const char *wrong = NULL;

        text = end != NULL ? end + 1 : text + strlen(text);
        if (end != NULL)
            *end = '\0';
        at++;
        line += strspn(line, " \t\r");
        if (*line != '\0' && *line != ';' && *line != '#')
            wrong = read_line(&r, line, &no_memory);
        if (wrong == NULL && !no_memory)
            continue;
        p0f_list_free(r.list);
        return no_memory
                   ? weir_err_set(err, WEIR_E_NOMEM, "%s: out of memory", name)
                   : weir_err_set(err, WEIR_E_SYNTAX, "%s:%u: %s is expected", name, at, wrong);
    }
    *out = r.list;
    return WEIR_E_OK;
}

int
p0f_list_load(const char *path, struct p0f_list **out, struct weir_errbuf *err)
{
    char *text;
    int rc = sigfile_read(path, &text, err);

    *out = NULL;
    return rc == WEIR_E_OK ? p0f_list_parse(text, path, out, err) : rc;
}

/* ---- matching ------------------------------------------------------------------------------ */

static bool
window_fits(const struct signature *sig, const struct p0f_print *p)
{
    switch (sig->window_kind) {
    case WINDOW_ANY:
        return true;
    case WINDOW_IS:
        return p->window == sig->window;
    case WINDOW_MOD:
        return p->window % sig->window == 0;
    case WINDOW_MTU:
        return times_mtu(p) == sig->window;
    case WINDOW_MSS:
        return times_mss(p) == sig->window;
    }
    return false;
}

static bool
layout_fits(const struct signature *sig, const struct p0f_print *p)
{
    return sig->n_options == p->n_options && sig->padding == p->padding &&
           memcmp(sig->option, p->option, p->n_options) == 0;
}

/* What IP versions do not have in common counts for none. */
static uint32_t
quirks_of(const struct signature *sig, uint8_t version)
{
    if (sig->version != 0)
        return sig->quirks;
    return sig->quirks & ~(uint32_t)(version == 6 ? P0F_DF | P0F_ID_PLUS | P0F_ID_MINUS : P0F_FLOW);
}

enum fit { FITS, NEARLY, NOT };

static enum fit
quirks_fit(const struct signature *sig, const struct p0f_print *p)
{
    const uint32_t may_go = P0F_DF | P0F_ID_PLUS, may_come = P0F_ID_MINUS | P0F_ECN;
    uint32_t expected = quirks_of(sig, p->version), differ = expected ^ p->quirks;

    if (differ == 0)
        return FITS;
    return (differ & expected & ~may_go) == 0 && (differ & p->quirks & ~may_come) == 0 ? NEARLY
                                                                                       : NOT;
}

static enum fit
ttl_fits(const struct signature *sig, const struct p0f_print *p)
{
    if (sig->any_ttl_below)
        return p->ttl <= sig->ttl ? FITS : NOT;
    return p->ttl <= sig->ttl && sig->ttl - p->ttl <= MAX_DISTANCE ? FITS : NEARLY;
}

static enum fit
fits(const struct signature *sig, const struct p0f_print *p)
{
    enum fit quirk, ttl;

    if ((sig->version != 0 && sig->version != p->version) || sig->olen != p->olen ||
        (!sig->any_mss && sig->mss != p->mss) ||
        (!sig->any_scale && sig->scale != (p->has_scale ? p->scale : 0)) ||
        (!sig->any_data && sig->data != p->has_data) || !layout_fits(sig, p) ||
        !window_fits(sig, p))
        return NOT;
    quirk = quirks_fit(sig, p);
    ttl = ttl_fits(sig, p);
    return quirk > ttl ? quirk : ttl;
}

const struct p0f_label *
p0f_match(const struct p0f_list *list, const struct p0f_print *p, bool response, bool *fuzzy)
{
    const struct p0f_label *generic = NULL, *near = NULL;

    *fuzzy = false;
    for (size_t i = 0; i < list->n; i++) {
        const struct signature *sig = &list->at[i];
        enum fit fit = sig->response == response ? fits(sig, p) : NOT;

        if (fit == FITS && !sig->label.generic)
            return &sig->label;
        if (fit == FITS && generic == NULL)
            generic = &sig->label;
        if (fit == NEARLY && near == NULL)
            near = &sig->label;
    }
    *fuzzy = generic == NULL && near != NULL;
    return generic != NULL ? generic : near;
}
