#include "mac.h"

#include "sigfile.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct prefix {
    uint64_t value; /* the bits that count, right-aligned */
    uint32_t line;
    uint8_t bits;
    const char *vendor;
};

struct mac_list {
    char *text; /* what the vendors point into, if it is ours */
    struct prefix *at;
    size_t n, room;
    uint64_t lengths; /* a bit for each that there is */
};

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes in hexadecimal between colons, dashes or dots; how many. */
static unsigned
read_bytes(char **p, uint64_t *value)
{
    unsigned n = 0;

    *value = 0;
    while (n < 6 && hex_digit((*p)[0]) >= 0 && hex_digit((*p)[1]) >= 0) {
        *value = *value << 8 | (unsigned)(hex_digit((*p)[0]) << 4 | hex_digit((*p)[1]));
        *p += 2;
        n++;
        if (strchr(":-.", **p) == NULL || **p == '\0')
            break;
        ++*p;
    }
    return n;
}

static bool
read_line(char *p, struct prefix *out)
{
    unsigned bytes = read_bytes(&p, &out->value), bits = bytes * 8;

    if (bytes < 2)
        return false;
    if (*p == '/') {
        bits = (unsigned)strtoul(p + 1, &p, 10);
        if (bits < 1 || bits > 48)
            return false;
        out->value <<= 48 - bytes * 8;
        out->value >>= 48 - bits;
    }
    if (*p != ' ' && *p != '\t')
        return false;
    p += strspn(p, " \t");
    out->bits = (uint8_t)bits;
    out->vendor = p;
    p[strcspn(p, " \t")] = '\0';
    return *out->vendor != '\0';
}

static int
by_prefix(const void *a, const void *b)
{
    const struct prefix *x = a, *y = b;

    if (x->bits != y->bits)
        return x->bits < y->bits ? -1 : 1;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

static bool
append(struct mac_list *list, const struct prefix *prefix)
{
    if (list->n == list->room) {
        struct prefix *more = realloc(list->at, (list->room * 2 + 256) * sizeof(*more));

        if (more == NULL)
            return false;
        list->at = more;
        list->room = list->room * 2 + 256;
    }
    list->at[list->n++] = *prefix;
    list->lengths |= UINT64_C(1) << prefix->bits;
    return true;
}

int
mac_list_parse(char *text, const char *name, struct mac_list **out, struct weir_errbuf *err)
{
    struct mac_list *list = calloc(1, sizeof(*list));
    struct prefix prefix;
    uint32_t number = 0;
    bool fits = list != NULL;
    char *line;

    *out = list;
    while (fits && (line = sigfile_next(&text)) != NULL) {
        prefix.line = number++;
        if (read_line(line, &prefix))
            fits = append(list, &prefix);
    }
    if (!fits) {
        mac_list_free(list);
        *out = NULL;
        return weir_err_set(err, WEIR_E_NOMEM, "%s: out of memory", name);
    }
    if (list->n > 0)
        qsort(list->at, list->n, sizeof(*list->at), by_prefix);
    return WEIR_E_OK;
}

int
mac_list_load(const char *path, struct mac_list **out, struct weir_errbuf *err)
{
    char *text;
    int rc = sigfile_read(path, &text, err);

    *out = NULL;
    if (rc != WEIR_E_OK)
        return rc;
    rc = mac_list_parse(text, path, out, err);
    if (rc == WEIR_E_OK)
        (*out)->text = text;
    else
        free(text);
    return rc;
}

void
mac_list_free(struct mac_list *list)
{
    if (list == NULL)
        return;
    free(list->text);
    free(list->at);
    free(list);
}

size_t
mac_list_size(const struct mac_list *list)
{
    return list->n;
}

static const char *
find(const struct mac_list *list, uint64_t value, unsigned bits)
{
    size_t low = 0, high = list->n;
    const struct prefix wanted = { .value = value, .bits = (uint8_t)bits };

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (by_prefix(&list->at[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == list->n || list->at[low].bits != bits || list->at[low].value != value)
        return NULL;
    return list->at[low].vendor;
}

const char *
mac_vendor(const struct mac_list *list, const uint8_t mac[6])
{
    uint64_t value = 0;

    for (unsigned i = 0; i < 6; i++)
        value = value << 8 | mac[i];
    for (unsigned bits = 48; bits > 0; bits--) {
        const char *vendor;

        if ((list->lengths >> bits & 1) == 0)
            continue;
        vendor = find(list, value >> (48 - bits), bits);
        if (vendor != NULL)
            return vendor;
    }
    return NULL;
}
