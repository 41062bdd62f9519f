#include "cli_dump.h"

#include "cli_set.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A setting that was given. */
struct given {
    const char *text;
    size_t n;     /* bytes of its name */
    size_t place; /* the later one wins */
    bool printed;
};

struct cli_dump {
    struct given *at; /* by name, of equal ones by place */
    size_t n;
};

/* ---- what was given ------------------------------------------------------------------------ */

static struct given
given_of(const char *text, size_t place)
{
    size_t n = strcspn(text, "=");

    while (n > 0 && text[n - 1] == ' ')
        n--;
    return (struct given){ .text = text, .n = n, .place = place };
}

static int
compare_names(const char *a, size_t n, const char *b, size_t m)
{
    int order = memcmp(a, b, n < m ? n : m);

    return order != 0 ? order : (n > m) - (n < m);
}

static int
compare(const void *a, const void *b)
{
    const struct given *x = a, *y = b;
    int order = compare_names(x->text, x->n, y->text, y->n);

    return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

static bool
gather(const struct cli *cli, struct cli_dump *dump)
{
    dump->at = calloc(cli->config.n + cli->n_sets + 1, sizeof(*dump->at));
    if (dump->at == NULL)
        return false;
    for (size_t i = 0; i < cli->config.n; i++, dump->n++)
        dump->at[dump->n] = given_of(cli->config.at[i].text, dump->n);
    for (size_t i = 0; i < cli->n_sets; i++, dump->n++)
        dump->at[dump->n] = given_of(cli->sets[i], dump->n);
    qsort(dump->at, dump->n, sizeof(*dump->at), compare);
    return true;
}

/* ---- printing ------------------------------------------------------------------------------ */

static void
mark(struct cli_dump *dump, const char *name)
{
    size_t n = strlen(name), low = 0, high = dump->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_names(dump->at[middle].text, dump->at[middle].n, name, n) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    while (low < dump->n && compare_names(dump->at[low].text, dump->at[low].n, name, n) == 0)
        dump->at[low++].printed = true;
}

void
cli_dump_put(struct cli_dump *dump, const char *name, const char *format, ...)
{
    va_list args;

    mark(dump, name);
    printf("%s = ", name);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

/* A value may hold line ends; a line of the dump is one line. */
static void
print_value(const char *value)
{
    for (value += strspn(value, " "); *value != '\0'; value++)
        putchar((unsigned char)*value < ' ' ? ' ' : *value);
    putchar('\n');
}

/* The last of each name that nobody printed. */
static void
print_rest(const struct cli_dump *dump)
{
    for (size_t i = 0; i < dump->n; i++) {
        const struct given *given = &dump->at[i], *next = given + 1;

        if (given->printed ||
            (i + 1 < dump->n && compare_names(given->text, given->n, next->text, next->n) == 0))
            continue;
        printf("%.*s = ", (int)given->n, given->text);
        print_value(strchr(given->text, '=') + 1);
    }
}

void
cli_dump_all(struct cli *cli)
{
    struct cli_dump dump = { .n = 0 };

    if (!gather(cli, &dump))
        return;
    cli_set_dump(cli, &dump);
    if (cli->dump != NULL)
        cli->dump(cli->ctx, &dump);
    print_rest(&dump);
    free(dump.at);
}
