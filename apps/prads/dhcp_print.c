#include "dhcp_print.h"

#include "rd.h"
#include "sigfile.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADER = 236, /* before the magic number, RFC 2131 section 2 */
    OPT_TYPE = 53,
    OPT_REQUESTED = 55,
    OPT_VENDOR = 60,
    OPT_END = 255,
    N_FIELDS = 7,
};

struct dhcp_list {
    char *text;
    struct entry {
        struct dhcp_signature pub; /* first: what is handed out */
        struct dhcp_print print;
    } * at;
    size_t n;
};

/* ---- messages ------------------------------------------------------------------------------ */

static void
take_option(uint8_t code, const struct rd *body, struct dhcp_print *out)
{
    size_t n = rd_left(body);

    if (code == OPT_TYPE && n == 1) {
        out->type = *body->p;
    } else if (code == OPT_REQUESTED) {
        memcpy(out->requested, body->p, n);
        out->n_requested = (uint8_t)n;
    } else if (code == OPT_VENDOR) {
        memcpy(out->vendor, body->p, n);
        out->vendor[n] = '\0';
        out->n_vendor = (uint8_t)strlen(out->vendor);
    }
}

/* Options, RFC 2132 section 2. One that ends with the packet is left out, as in the original. */
bool
dhcp_take(const uint8_t *data, size_t n, uint8_t ttl, struct dhcp_print *out)
{
    struct rd rd = { data, data + n }, body;
    const uint8_t *magic;
    uint8_t code, length;

    *out = (struct dhcp_print){ .ttl = ttl };
    if (rd_take(&rd, HEADER) == NULL || (magic = rd_take(&rd, 4)) == NULL ||
        be32(magic) != 0x63825363)
        return false;
    while (out->n_options < DHCP_OPTIONS_MAX && rd_u8(&rd, &code)) {
        body = (struct rd){ rd.p, rd.p };
        if (code != OPT_END && code != 0 &&
            (!rd_u8(&rd, &length) || !rd_sub(&rd, length, &body) || rd_left(&rd) == 0))
            break;
        out->option[out->n_options++] = code;
        take_option(code, &body, out);
        if (code == OPT_END)
            break;
    }
    return true;
}

static bool
same_list(const uint8_t *a, uint8_t n_a, const uint8_t *b, uint8_t n_b)
{
    return n_a == n_b && memcmp(a, b, n_a) == 0;
}

static bool
fits(const struct dhcp_print *sig, const struct dhcp_print *print)
{
    return sig->type == print->type &&
           same_list(sig->option, sig->n_options, print->option, print->n_options) &&
           same_list(sig->requested, sig->n_requested, print->requested, print->n_requested) &&
           strcmp(sig->vendor, print->vendor) == 0;
}

const struct dhcp_signature *
dhcp_match(const struct dhcp_list *list, const struct dhcp_print *print)
{
    for (size_t i = 0; i < list->n; i++)
        if (fits(&list->at[i].print, print))
            return &list->at[i].pub;
    return NULL;
}

static size_t
put_list(char *to, const uint8_t *list, unsigned n)
{
    size_t at = 0;

    for (unsigned i = 0; i < n; i++)
        at += (size_t)sprintf(to + at, i > 0 ? ",%u" : "%u", list[i]);
    return at;
}

/* Two lists of at most 255 numbers of three digits, and 255 characters. */
static_assert(2 * 255 * 4 + 255 + 16 < DHCP_TEXT_MAX, "a text may not fit");

void
dhcp_text(const struct dhcp_print *print, char text[DHCP_TEXT_MAX])
{
    size_t at = (size_t)sprintf(text, "%u:%u:", print->type, print->ttl);

    at += put_list(text + at, print->option, print->n_options);
    at += (size_t)sprintf(text + at, print->n_options > 0 ? ":" : ".:");
    at += put_list(text + at, print->requested, print->n_requested);
    at += (size_t)sprintf(text + at, print->n_requested > 0 ? ":" : ".:");
    sprintf(text + at, "%s", print->n_vendor > 0 ? print->vendor : ".");
}

/* ---- signatures ---------------------------------------------------------------------------- */

static bool
read_list(const char *p, uint8_t *list, uint8_t *n)
{
    char *end;

    *n = 0;
    if (strcmp(p, ".") == 0)
        return true;
    for (;;) {
        unsigned long value = strtoul(p, &end, 10);

        if (end == p || *p == '-' || value > 255 || *n == 255)
            return false;
        list[(*n)++] = (uint8_t)value;
        if (*end == '\0')
            return true;
        if (*end != ',')
            return false;
        p = end + 1;
    }
}

static bool
read_byte(const char *p, uint8_t *value)
{
    char *end;
    unsigned long v = strtoul(p, &end, 10);

    *value = (uint8_t)v;
    return *p >= '0' && *p <= '9' && *end == '\0' && v <= 255;
}

static const char *
read_line(char *line, struct entry *entry)
{
    struct dhcp_print *print = &entry->print;
    char *field[N_FIELDS];

    *entry = (struct entry){ .print = { .type = 0 } };
    for (unsigned i = 0; i + 1 < N_FIELDS; i++) {
        field[i] = sigfile_field(&line, ':');
        if (field[i] == NULL)
            return "seven fields are expected";
    }
    field[N_FIELDS - 1] = line;
    if (!read_byte(field[0], &print->type) || !read_byte(field[1], &print->ttl))
        return "a message type and a TTL are expected";
    if (!read_list(field[2], print->option, &print->n_options) ||
        !read_list(field[3], print->requested, &print->n_requested))
        return "a list of options is expected";
    if (strlen(field[4]) > 255)
        return "the vendor class is too long";
    if (strcmp(field[4], ".") != 0)
        strcpy(print->vendor, field[4]);
    print->n_vendor = (uint8_t)strlen(print->vendor);
    entry->pub = (struct dhcp_signature){ field[5], field[6], NULL };
    return NULL;
}

static const char *
add_line(struct dhcp_list *list, char *line)
{
    struct entry *more = realloc(list->at, (list->n + 1) * sizeof(*more));
    char text[DHCP_TEXT_MAX];
    const char *why;

    if (more == NULL)
        return "out of memory";
    list->at = more;
    why = read_line(line, &more[list->n]);
    if (why != NULL)
        return why;
    dhcp_text(&more[list->n].print, text);
    more[list->n].pub.text = strdup(text);
    if (more[list->n].pub.text == NULL)
        return "out of memory";
    list->n++;
    return NULL;
}

int
dhcp_list_parse(char *text, const char *name, struct dhcp_list **out, struct weir_errbuf *err)
{
    struct dhcp_list *list = calloc(1, sizeof(*list));
    const char *why = list == NULL ? "out of memory" : NULL;
    char *line = text;

    *out = NULL;
    if (list != NULL)
        list->text = strdup(text);
    if (list != NULL && list->text == NULL)
        why = "out of memory";
    text = list != NULL ? list->text : NULL;
    while (why == NULL && (line = sigfile_next(&text)) != NULL)
        why = add_line(list, line);
    if (why == NULL) {
        *out = list;
        return WEIR_E_OK;
    }
    weir_err_set(err, WEIR_E_SYNTAX, "%s: near '%.60s': %s", name, line != NULL ? line : "", why);
    dhcp_list_free(list);
    return WEIR_E_SYNTAX;
}

int
dhcp_list_load(const char *path, struct dhcp_list **out, struct weir_errbuf *err)
{
    char *text;
    int rc = sigfile_read(path, &text, err);

    *out = NULL;
    if (rc == WEIR_E_OK)
        rc = dhcp_list_parse(text, path, out, err);
    free(text);
    return rc;
}

void
dhcp_list_free(struct dhcp_list *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; i < list->n; i++)
        free(list->at[i].pub.text);
    free(list->at);
    free(list->text);
    free(list);
}

size_t
dhcp_list_size(const struct dhcp_list *list)
{
    return list->n;
}
