#include "signature_fp.h"

#include "sigfile.h"

#include <stdlib.h>
#include <string.h>

enum { N_BUCKETS = 241 };

/* How a number of a signature is compared. */
enum rule {
    RULE_EXACT,
    RULE_ANY,
    RULE_MULTIPLE,     /* of the number */
    RULE_MSS_MULTIPLE, /* so many times the MSS */
    RULE_MTU_MULTIPLE, /* so many times the MTU */
};

struct number {
    uint8_t rule; /* enum rule */
    uint32_t value;
};

struct signature {
    struct fp_signature pub; /* first: what is handed out */
    struct number window, mss, wscale;
    uint16_t size, quirks; /* size 0: at least 100 */
    uint8_t ttl, n_options;
    bool df, zero_time;
    uint8_t option[FP_OPTIONS_MAX];
    uint32_t next; /* in its bucket, and one more; 0: none */
};

struct fp_list {
    char *text; /* what pub.os and pub.detail point into, if it is ours */
    struct signature *at;
    size_t n, room;
    uint32_t first[N_BUCKETS], last[N_BUCKETS]; /* an index, and one more */
};

/*
 * The size is part of the bucket as the packet has it: signatures of any size are found only by
 * sizes that happen to fall into the bucket of size 0. So it is in the original.
 */
static unsigned
bucket_of(unsigned size, unsigned n_options, bool df, unsigned quirks)
{
    return ((size << 2) ^ (n_options << 1) ^ df ^ quirks) % N_BUCKETS;
}

/* ---- reading ------------------------------------------------------------------------------- */

/* Digits at *p, at most max. */
static bool
read_number(const char **p, uint32_t max, uint32_t *value)
{
    uint32_t v = 0;
    const char *start = *p;

    while (**p >= '0' && **p <= '9') {
        v = v * 10 + (uint32_t)(*(*p)++ - '0');
        if (v > max)
            return false;
    }
    *value = v;
    return *p != start;
}

static bool
read_rule(const char **p, uint32_t max, struct number *number)
{
    number->rule = RULE_EXACT;
    if (**p == '*') {
        number->rule = RULE_ANY;
        ++*p;
        return true;
    }
    if (**p == '%') {
        number->rule = RULE_MULTIPLE;
        ++*p;
    }
    return read_number(p, max, &number->value) &&
           (number->rule == RULE_EXACT || number->value != 0);
}

static bool
read_window(const char *p, struct signature *sig)
{
    struct number *window = &sig->window;

    if (*p == 'S' || *p == 'T') {
        window->rule = *p++ == 'S' ? RULE_MSS_MULTIPLE : RULE_MTU_MULTIPLE;
        return read_number(&p, UINT16_MAX, &window->value) && *p == '\0';
    }
    return read_rule(&p, UINT16_MAX, window) && *p == '\0';
}

static bool
read_option(const char **p, struct signature *sig, uint8_t *kind)
{
    uint32_t value;

    switch (*(*p)++) {
    case 'N':
        *kind = FP_OPT_NOP;
        return true;
    case 'E':
        *kind = FP_OPT_EOL;
        return true;
    case 'S':
        *kind = FP_OPT_SACK;
        return true;
    case 'T':
        *kind = FP_OPT_TIME;
        sig->zero_time = **p == '0';
        *p += sig->zero_time;
        return true;
    case 'M':
        *kind = FP_OPT_MSS;
        return read_rule(p, UINT16_MAX, &sig->mss);
    case 'W':
        *kind = FP_OPT_WSCALE;
        return read_rule(p, UINT8_MAX, &sig->wscale);
    case '?':
        if (!read_number(p, UINT8_MAX, &value))
            return false;
        *kind = (uint8_t)value;
        return true;
    default:
        return false;
    }
}

static bool
read_options(const char *p, struct signature *sig)
{
    if (strcmp(p, ".") == 0)
        return true;
    while (*p != '\0') {
        if (*p == ',' || *p == ' ') {
            p++;
            continue;
        }
        if (sig->n_options == FP_OPTIONS_MAX ||
            !read_option(&p, sig, &sig->option[sig->n_options++]))
            return false;
    }
    return true;
}

static bool
read_quirks(const char *p, bool with_rst, struct signature *sig)
{
    if (strcmp(p, ".") == 0)
        return true;
    for (; *p != '\0'; p++) {
        uint16_t quirk = fp_quirk_of(*p);

        if (quirk == 0 || (quirk == FP_RST_ACK && !with_rst))
            return false;
        sig->quirks |= quirk;
    }
    return true;
}

/* -: userland, *: no detail, @: generic; none of it is printed. */
static char *
without_prefix(char *genre)
{
    return genre + strspn(genre, "-*@");
}

static void
trim_end(char *text)
{
    size_t n = strlen(text);

    while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t'))
        text[--n] = '\0';
}

enum { N_FIELDS = 8 };

static const char *
read_fields(char *const field[N_FIELDS], bool with_rst, struct signature *sig)
{
    uint32_t ttl, df, size = 0;
    const char *p;

    if (!read_window(field[0], sig))
        return "a window (8192, *, %1460, S4, T2) is expected";
    if (!read_number((p = field[1], &p), UINT8_MAX, &ttl) || *p != '\0')
        return "a TTL is expected";
    if (!read_number((p = field[2], &p), 1, &df) || *p != '\0')
        return "0 or 1 is expected for DF";
    if (strcmp(field[3], "*") != 0 &&
        (!read_number((p = field[3], &p), UINT16_MAX, &size) || *p != '\0'))
        return "a size or * is expected";
    if (!read_options(field[4], sig))
        return "TCP options (M1460,S,T,N,W7) are expected";
    if (!read_quirks(field[5], with_rst, sig))
        return "quirks are expected";
    sig->ttl = (uint8_t)ttl;
    sig->df = df;
    sig->size = (uint16_t)size;
    trim_end(field[7]);
    sig->pub = (struct fp_signature){ without_prefix(field[6]), field[7] };
    return NULL;
}

static const char *
read_line(char *line, bool with_rst, struct signature *sig)
{
    char *field[N_FIELDS];

    *sig = (struct signature){ .ttl = 0 };
    for (unsigned i = 0; i + 1 < N_FIELDS; i++) {
        field[i] = sigfile_field(&line, ':');
        if (field[i] == NULL)
            return "eight fields are expected";
    }
    field[N_FIELDS - 1] = line;
    if (strchr(line, ':') != NULL)
        return "eight fields are expected";
    return read_fields(field, with_rst, sig);
}

static bool
append(struct fp_list *list, const struct signature *sig)
{
    unsigned bucket = bucket_of(sig->size, sig->n_options, sig->df, sig->quirks);
    struct signature *more;

    if (list->n == list->room) {
        more = realloc(list->at, (list->room * 2 + 64) * sizeof(*more));
        if (more == NULL)
            return false;
        list->at = more;
        list->room = list->room * 2 + 64;
    }
    list->at[list->n++] = *sig;
    if (list->first[bucket] == 0)
        list->first[bucket] = (uint32_t)list->n;
    else
        list->at[list->last[bucket] - 1].next = (uint32_t)list->n;
    list->last[bucket] = (uint32_t)list->n;
    return true;
}

int
fp_list_parse(char *text, const char *name, bool with_rst, struct fp_list **out,
              struct weir_errbuf *err)
{
    struct fp_list *list = calloc(1, sizeof(*list));
    struct signature sig;
    char *line;

    *out = NULL;
    if (list == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "%s: out of memory", name);
    while ((line = sigfile_next(&text)) != NULL) {
        char *start = line;
        const char *why = read_line(line, with_rst, &sig);

        if (why == NULL && append(list, &sig))
            continue;
        fp_list_free(list);
        if (why == NULL)
            return weir_err_set(err, WEIR_E_NOMEM, "%s: out of memory", name);
        return weir_err_set(err, WEIR_E_SYNTAX, "%s: near '%.60s': %s", name, start, why);
    }
    *out = list;
    return WEIR_E_OK;
}

int
fp_list_load(const char *path, bool with_rst, struct fp_list **out, struct weir_errbuf *err)
{
    char *text;
    int rc = sigfile_read(path, &text, err);

    *out = NULL;
    if (rc != WEIR_E_OK)
        return rc;
    rc = fp_list_parse(text, path, with_rst, out, err);
    if (rc == WEIR_E_OK)
        (*out)->text = text;
    else
        free(text);
    return rc;
}

void
fp_list_free(struct fp_list *list)
{
    if (list == NULL)
        return;
    free(list->text);
    free(list->at);
    free(list);
}

size_t
fp_list_size(const struct fp_list *list)
{
    return list->n;
}

uint32_t
fp_list_number(const struct fp_list *list, const struct fp_signature *sig)
{
    return (uint32_t)((const struct signature *)(const void *)sig - list->at);
}

/* ---- matching ------------------------------------------------------------------------------ */

static bool
times(unsigned window, unsigned unit, unsigned usual, unsigned wanted)
{
    if (unit != 0 && window % unit == 0)
        return window / unit == wanted;
    return window % usual == 0 && window / usual == wanted;
}

static bool
fits(const struct number *rule, unsigned value)
{
    switch (rule->rule) {
    case RULE_ANY:
        return true;
    case RULE_MULTIPLE:
        return value % rule->value == 0;
    default:
        return value == rule->value;
    }
}

static bool
window_fits(const struct number *rule, const struct fingerprint *fp)
{
    if (rule->rule == RULE_MSS_MULTIPLE)
        return times(fp->window, fp->mss, 1460, rule->value);
    if (rule->rule == RULE_MTU_MULTIPLE)
        return times(fp->window, fp->mss != 0 ? fp->mss + 40U : 0, 1500, rule->value);
    return fits(rule, fp->window);
}

static bool
signature_fits(const struct signature *sig, const struct fingerprint *fp, enum fp_kind kind)
{
    if (sig->n_options != fp->n_options || sig->zero_time != fp->zero_time || sig->df != fp->df ||
        sig->quirks != fp->quirks || fp->ttl > sig->ttl)
        return false;
    if (kind != FP_ACK && (sig->size != 0 ? sig->size != fp->size : fp->size < 100))
        return false;
    return fits(&sig->mss, fp->mss) && fits(&sig->wscale, fp->wscale) &&
           window_fits(&sig->window, fp) && memcmp(sig->option, fp->option, fp->n_options) == 0;
}

static const struct fp_signature *
match(const struct fp_list *list, const struct fingerprint *fp, enum fp_kind kind)
{
    uint32_t i = list->first[bucket_of(fp->size, fp->n_options, fp->df, fp->quirks)];

    for (; i != 0; i = list->at[i - 1].next)
        if (signature_fits(&list->at[i - 1], fp, kind))
            return &list->at[i - 1].pub;
    return NULL;
}

const struct fp_signature *
fp_list_match(const struct fp_list *list, struct fingerprint *fp, enum fp_kind kind)
{
    const struct fp_signature *sig = match(list, fp, kind);

    if (sig != NULL || fp->df)
        return sig;
    fp->df = true;
    return match(list, fp, kind);
}
