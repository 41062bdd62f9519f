#include "top_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- answers ------------------------------------------------------------------------------- */

struct text {
    const char *p, *end;
};

static bool
take(struct text *t, char c)
{
    if (t->p == t->end || *t->p != c)
        return false;
    t->p++;
    return true;
}

/* A string without escapes, as the control socket has; one that is too long is cut. */
static bool
take_string(struct text *t, char *out, size_t size)
{
    size_t n = 0;

    if (!take(t, '"'))
        return false;
    while (t->p < t->end && *t->p != '"' && *t->p != '\\') {
        const char c = *t->p++;

        if (n + 1 < size)
            out[n++] = c >= ' ' && c <= '~' ? c : '?';
    }
    out[n] = '\0';
    return take(t, '"');
}

static bool
take_number(struct text *t, uint64_t *out)
{
    const char *begin = t->p;

    *out = 0;
    while (t->p < t->end && *t->p >= '0' && *t->p <= '9') {
        const uint64_t digit = (uint64_t)(*t->p++ - '0');

        if (*out > (UINT64_MAX - digit) / 10)
            return false;
        *out = *out * 10 + digit;
    }
    return t->p > begin;
}

static void
add(struct top_sample *to, const char *group, const char *name, uint64_t value)
{
    struct top_counter *c = &to->at[to->n];

    if (to->n == TOP_MOST)
        return;
    snprintf(c->group, sizeof(c->group), "%s", group);
    snprintf(c->name, sizeof(c->name), "%s", name);
    c->value = value;
    to->n++;
}

/* One member of an object, of a group or with a group as its value. */
static bool take_object(struct text *t, const char *group, struct top_sample *to);

static bool
take_member(struct text *t, const char *group, struct top_sample *to)
{
    char name[TOP_NAME];
    uint64_t value;

    if (!take_string(t, name, sizeof(name)) || !take(t, ':'))
        return false;
    if (*group == '\0' && *name != '\0' && t->p < t->end && *t->p == '{')
        return take_object(t, name, to);
    if (!take_number(t, &value))
        return false;
    add(to, group, name, value);
    return true;
}

static bool
take_object(struct text *t, const char *group, struct top_sample *to)
{
    if (!take(t, '{'))
        return false;
    if (take(t, '}'))
        return true;
    do {
        if (!take_member(t, group, to))
            return false;
    } while (take(t, ','));
    return take(t, '}');
}

bool
top_read(const char *json, size_t n, struct top_sample *out)
{
    struct text t = { json, json + n };

    out->n = 0;
    return take_object(&t, "", out) && t.p == t.end;
}

bool
top_text(const char *json, size_t n, const char *key, char *out, size_t size)
{
    struct text t = { json, json + n };
    char name[TOP_NAME];

    if (!take(&t, '{'))
        return false;
    do {
        if (!take_string(&t, name, sizeof(name)) || !take(&t, ':') || !take_string(&t, out, size))
            return false;
        if (strcmp(name, key) == 0)
            return true;
    } while (take(&t, ','));
    return false;
}

const uint64_t *
top_find(const struct top_sample *sample, const char *group, const char *name)
{
    for (size_t i = 0; i < sample->n; i++)
        if (strcmp(sample->at[i].name, name) == 0 && strcmp(sample->at[i].group, group) == 0)
            return &sample->at[i].value;
    return NULL;
}

/* ---- the table ----------------------------------------------------------------------------- */

/* Widths of the columns, and of what stands before a core's CPU time. */
enum { NAME = 22, NAME_LEAST = 18, TOTAL = 20, TOTAL_LEAST = 12, RATE = 18, RATE_LEAST = 10 };

static const char cpu_word[] = "  CPU", no_word[] = "";

struct table {
    const struct top_sample *before, *now;
    double seconds;
    int name, total, rate;
    const char *cpu;
    struct reply *to;
};

/* Take what is too much from a column, down to its least width. */
static void
narrow(int *column, int least, int *too_much)
{
    const int less = *column - least < *too_much ? *column - least : *too_much;

    *column -= less;
    *too_much -= less;
}

/* Cores have the widest lines. Where the least is too much still, lines are cut. */
static void
lay_out(struct table *t, unsigned columns)
{
    int too_much = TOP_COLUMNS - (int)(columns < TOP_COLUMNS ? columns : TOP_COLUMNS);

    t->name = NAME;
    t->total = TOTAL;
    t->rate = RATE;
    narrow(&t->rate, RATE_LEAST, &too_much);
    narrow(&t->total, TOTAL_LEAST, &too_much);
    narrow(&t->name, NAME_LEAST, &too_much);
    t->cpu = too_much > 0 ? no_word : cpu_word;
}

/* Per second; 0 where there is nothing to compare with. */
static double
rate_of(const struct table *t, const struct top_counter *c)
{
    const uint64_t *before = top_find(t->before, c->group, c->name);

    if (before == NULL || t->seconds <= 0 || c->value < *before)
        return 0;
    return (double)(c->value - *before) / t->seconds;
}

static void
row(const struct table *t, const char *name, uint64_t total, double rate)
{
    reply_add(t->to, "%-*s%*" PRIu64, t->name, name, t->total, total);
    if (t->before != t->now)
        reply_add(t->to, "%*.*f", t->rate, rate < 1000 ? 1 : 0, rate);
    reply_add(t->to, "\n");
}

static uint64_t
value_of(const struct top_sample *sample, const char *name)
{
    const uint64_t *value = top_find(sample, "", name);

    return value != NULL ? *value : 0;
}

static void
add_head(const struct table *t, const char *title)
{
    const uint64_t up = value_of(t->now, "uptime_ms") / 1000;
    const uint64_t cpu = value_of(t->now, "cpu_ms"), before = value_of(t->before, "cpu_ms");

    reply_add(t->to, "%s  up %" PRIu64 ":%02u:%02u  cores %" PRIu64, title, up / 3600,
              (unsigned)(up / 60 % 60), (unsigned)(up % 60), value_of(t->now, "cores"));
    if (t->before != t->now && t->seconds > 0 && cpu >= before)
        reply_add(t->to, "  CPU %.0f %%", (double)(cpu - before) / 10 / t->seconds);
    reply_add(t->to, "\n\n%*s%*s\n", t->name + t->total, "total", t->before != t->now ? t->rate : 0,
              t->before != t->now ? "per s" : "");
}

static void
add_main(const struct table *t)
{
    static const struct {
        const char *name, *shown;
        unsigned times;
        bool gauge;
    } rows[] = { { "packets", "packets", 1, false },
                 { "bytes", "bits", 8, false },
                 { "flows", "flows", 1, false },
                 { "live_flows", "live flows", 1, true },
                 { "memory", "memory", 1, true },
                 { "forwarded", "forwarded", 1, false },
                 { "dropped", "dropped", 1, false },
                 { "fail_closed", "dropped at bounds", 1, false },
                 { "send_drops", "not sent", 1, false },
                 { "held", "held", 1, true },
                 { "alerts", "alerts", 1, false },
                 { "alerts_suppressed", "alerts suppressed", 1, false },
                 { "rules_loaded", "rules", 1, true } };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct top_counter c = { .group = "" };
        const uint64_t *value = top_find(t->now, "", rows[i].name);

        if (value == NULL)
            continue;
        snprintf(c.name, sizeof(c.name), "%s", rows[i].name);
        c.value = *value;
        if (rows[i].gauge)
            reply_add(t->to, "%-*s%*" PRIu64 "\n", t->name, rows[i].shown, t->total, *value);
        else
            row(t, rows[i].shown, *value * rows[i].times, rate_of(t, &c) * rows[i].times);
    }
}

struct ranked {
    const struct top_counter *counter;
    double rate;
};

/* The highest rate first, then the highest count, then as they came. */
static int
by_rate(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->rate != y->rate)
        return x->rate < y->rate ? 1 : -1;
    if (x->counter->value != y->counter->value)
        return x->counter->value < y->counter->value ? 1 : -1;
    return x->counter < y->counter ? -1 : 1;
}

/* What the socket calls by a word, in the words of the table. */
static const char *
shown(const struct top_counter *c)
{
    static const struct {
        const char *name, *shown;
    } lost[] = { { "kernel", "by the kernel" },
                 { "interface", "by an interface" },
                 { "tap", "events of taps" },
                 { "log", "records of logs" } };

    for (unsigned i = 0; strcmp(c->group, "drops") == 0 && i < sizeof(lost) / sizeof(*lost); i++)
        if (strcmp(c->name, lost[i].name) == 0)
            return lost[i].shown;
    return c->name;
}

/* Those of a group that ever counted anything. */
static void
add_group(const struct table *t, const char *group, const char *head)
{
    struct ranked all[TOP_MOST] = { { NULL, 0 } };
    size_t n = 0;

    for (size_t i = 0; i < t->now->n; i++) {
        const struct top_counter *c = &t->now->at[i];

        if (c->value > 0 && strcmp(c->group, group) == 0)
            all[n++] = (struct ranked){ c, rate_of(t, c) };
    }
    qsort(all, n, sizeof(*all), by_rate);
    reply_add(t->to, "\n%s%s\n", head, n == 0 ? ": none" : "");
    for (size_t i = 0; i < n; i++) {
        char name[TOP_NAME + 2];

        snprintf(name, sizeof(name), "  %s", shown(all[i].counter));
        row(t, name, all[i].counter->value, all[i].rate);
    }
}

static bool
has_group(const struct top_sample *sample, const char *group)
{
    bool any = false;

    for (size_t i = 0; i < sample->n; i++)
        any |= strcmp(sample->at[i].group, group) == 0;
    return any;
}

/*
 * What each packet thread has done, in their order, and how busy it is; for one the head says it.
 */
static void
add_cores(const struct table *t)
{
    const uint64_t n = value_of(t->now, "cores");

    if (n < 2 || !has_group(t->now, "core_packets"))
        return;
    reply_add(t->to, "\ncores: packets, and CPU time\n");
    for (uint64_t i = 0; i < n && i < COUNTS_CORES; i++) {
        struct top_counter packets = { .group = "core_packets" }, cpu = { .group = "core_cpu_ms" };
        const uint64_t *value;
        char name[TOP_NAME];

        snprintf(packets.name, sizeof(packets.name), "%u", (unsigned)i);
        memcpy(cpu.name, packets.name, sizeof(cpu.name));
        if ((value = top_find(t->now, packets.group, packets.name)) != NULL)
            packets.value = *value;
        if ((value = top_find(t->now, cpu.group, cpu.name)) != NULL)
            cpu.value = *value;
        snprintf(name, sizeof(name), "  core %u", (unsigned)i);
        if (t->before == t->now)
            reply_add(t->to, "%-*s%*" PRIu64 "\n", t->name, name, t->total, packets.value);
        else
            reply_add(t->to, "%-*s%*" PRIu64 "%*.0f%s %3.0f %%\n", t->name, name, t->total,
                      packets.value, t->rate, rate_of(t, &packets), t->cpu, rate_of(t, &cpu) / 10);
    }
}

void
top_table(const char *title, const struct top_sample *before, const struct top_sample *now,
          double seconds, unsigned columns, struct reply *to)
{
    struct table t = { .before = before, .now = now, .seconds = seconds, .to = to };

    lay_out(&t, columns);
    add_head(&t, title);
    add_main(&t);
    add_cores(&t);
    add_group(&t, "drops", "lost");
    if (has_group(now, "ports"))
        add_group(&t, "ports", "ports");
    add_group(&t, "limits", "limits");
    add_group(&t, "events", "events");
}
