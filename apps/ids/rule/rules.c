#include "rule/rules.h"

#include "rule/config_file.h"
#include "rule/content.h"
#include "rule/header.h"
#include "rule/lines.h"
#include "rule/options.h"
#include "rule/requires.h"
#include "rule/transform.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
pairs_free(struct pair *pairs, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        free(pairs[i].key);
        free(pairs[i].value);
    }
    free(pairs);
}

static void
rule_free(struct rule *rule)
{
    for (unsigned i = 0; i < rule->n_steps; i++)
        step_clear(&rule->step[i]);
    transforms_clear(rule);
    free(rule->step);
    free(rule->check);
    free(rule->event);
    rule_state_free(rule->state);
    free(rule->app_event);
    free(rule->msg);
    free(rule->text);
    pairs_free(rule->metadata, rule->n_metadata);
    pairs_free(rule->reference, rule->n_reference);
}

/* A leaf of by_sid. */
struct sid {
    uint32_t gid, sid;
    size_t at; /* of rules */
};

static void
file_free(struct rule_file *file)
{
    tally_free(&file->refusals);
    tally_free(&file->notes);
    free(file->name);
}

void
rules_free(struct rules *rules)
{
    for (size_t i = 0; i < rules->n; i++)
        rule_free(&rules->at[i]);
    for (size_t i = 0; i < rules->n_files; i++)
        file_free(&rules->files[i]);
    tdestroy(rules->by_sid, free);
    free(rules->at);
    free(rules->files);
    *rules = (struct rules){ .n = 0 };
}

/* ---- one rule ------------------------------------------------------------------------------ */

static int
by_sid(const void *a, const void *b)
{
    const struct sid *x = a, *y = b;

    if (x->gid != y->gid)
        return x->gid < y->gid ? -1 : 1;
    return x->sid < y->sid ? -1 : x->sid > y->sid;
}

static int
no_memory(struct weir_errbuf *err)
{
    return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
}

static struct rule_file *
file_of(const struct rules *rules, const struct rule *rule)
{
    for (size_t i = rules->n_files; i > 0; i--)
        if (rules->files[i - 1].name == rule->file)
            return &rules->files[i - 1];
    return NULL;
}

/* A later revision takes an earlier one's place (as in Suricata), whatever file it is from. */
static int
replace(struct rules *rules, size_t at, struct rule *rule, struct weir_errbuf *err)
{
    struct rule *old = &rules->at[at];

    if (rule->rev <= old->rev)
        return weir_err_set(err, WEIR_E_INVAL, "sid: %u:%u is taken by %s:%u", rule->gid, rule->sid,
                            old->file, old->line);
    file_of(rules, old)->loaded--;
    file_of(rules, old)->replaced++;
    file_of(rules, rule)->loaded++;
    rule_free(old);
    *old = *rule;
    return WEIR_E_OK;
}

static bool
append(struct rules *rules, const struct rule *rule)
{
    struct rule *more;

    if ((rules->n & (rules->n - 1)) == 0) { /* room is a power of two */
        more = realloc(rules->at, (rules->n == 0 ? 1 : 2 * rules->n) * sizeof(*more));
        if (more == NULL)
            return false;
        rules->at = more;
    }
    rules->at[rules->n++] = *rule;
    file_of(rules, rule)->loaded++;
    return true;
}

/* Each pair of gid and sid may be used once. The rule belongs to the set if that succeeds. */
static int
place(struct rules *rules, struct rule *rule, struct weir_errbuf *err)
{
    struct sid *sid = malloc(sizeof(*sid)), **found;

    if (sid == NULL)
        return no_memory(err);
    *sid = (struct sid){ rule->gid, rule->sid, rules->n };
    found = tsearch(sid, &rules->by_sid, by_sid);
    if (found != NULL && *found == sid) {
        if (append(rules, rule))
            return WEIR_E_OK;
        tdelete(sid, &rules->by_sid, by_sid);
        found = NULL;
    }
    free(sid);
    return found != NULL ? replace(rules, (*found)->at, rule, err) : no_memory(err);
}

/* The class, and the priority that it stands for. */
static void
classify(const struct rules *rules, struct rule *rule)
{
    if (rule->class_name.n > 0)
        rule->class = class_by_name(rules->classes, rule->class_name);
    if (!rule->has_priority)
        rule->priority = rule->class != NULL ? rule->class->priority : 3;
}

static int
parse_rule(struct rules *rules, struct vars *vars, struct text line, struct rule *rule,
           struct weir_errbuf *err)
{
    struct rule_text text;
    int rc = rule_split(line, &text, err);

    if (rc == WEIR_E_OK)
        rc = requires_check(text.options, rule, err);
    if (rc != WEIR_E_OK || rule->unmet)
        return rc;
    rule->in_line = rules->in_line;
    rc = header_parse(&text, vars, rule, err);
    if (rc == WEIR_E_OK)
        rc = options_parse(text.options, rule, err);
    if (rc == WEIR_E_OK)
        classify(rules, rule);
    return rc;
}

/* ---- lines --------------------------------------------------------------------------------- */

/* Where reading stands. */
struct reader {
    struct rules *rules;
    struct vars *vars;
    size_t file;   /* of rules */
    unsigned line; /* of the rule's beginning */
    refused_fn refused;
    void *ctx;
};

/* A comment that would be a rule. */
static bool
is_disabled_rule(struct text line)
{
    while (line.n > 0 && (line.p[0] == '#' || line.p[0] == ' '))
        line.p++, line.n--;
    return line.n > 0 && line.p[line.n - 1] == ')' && line_begins_rule(line);
}

/* What refusals are counted by: without what differs from rule to rule. */
static void
reason_of(int rc, const char *why, char reason[256])
{
    size_t n = strspn(why, "abcdefghijklmnopqrstuvwxyz0123456789_.-");

    if (n > 0 && why[n] == ':')
        snprintf(reason, 256, "%.*s: %s", (int)n, why,
                 rc == WEIR_E_UNSUPPORTED ? "not supported so"
                 : rc == WEIR_E_INVAL     ? "taken already"
                                          : "wrong");
    else if (rc == WEIR_E_SYNTAX)
        snprintf(reason, 256, "wrong form");
    else
        snprintf(reason, 256, "%.255s", why);
}

static int
refuse(struct reader *r, int rc, const struct weir_errbuf *why)
{
    struct rule_file *file = &r->rules->files[r->file];
    char text[sizeof(why->text) + 4096 + 16], reason[256];

    r->rules->refused++;
    file->refused++;
    reason_of(rc, why->text, reason);
    if (!tally_add(&file->refusals, reason))
        return WEIR_E_NOMEM;
    snprintf(text, sizeof(text), "%s:%u: %s", file->name, r->line, why->text);
    if (r->refused != NULL)
        r->refused(r->ctx, text);
    return rc == WEIR_E_NOMEM ? rc : WEIR_E_OK;
}

/* What has to be known of a rule that was taken. Returns false if memory ran out. */
static bool
note(struct rule_file *file, struct rule *rule)
{
    char text[256];
    bool ok = true;

    if (rule->class_name.n > 0 && rule->class == NULL) {
        snprintf(text, sizeof(text), "classtype '%.*s' is defined nowhere: priority %u",
                 TEXT(rule->class_name), rule->priority);
        ok = tally_add(&file->notes, text);
    }
    if (ok && rule->never != NULL) {
        snprintf(text, sizeof(text), "%s never comes here", rule->never);
        ok = tally_add(&file->notes, text);
    }
    rule->class_name = (struct text){ NULL, 0 }; /* the text goes */
    return ok;
}

/* Only memory that runs out is an error here. */
static int
take_rule(struct reader *r, struct text line)
{
    struct rule_file *file = &r->rules->files[r->file];
    struct rule rule = { .file = file->name, .line = r->line, .gid = 1 };
    struct weir_errbuf err = { "" };
    int rc;

    if (memchr(line.p, '\0', line.n) != NULL)
        rc = weir_err_set(&err, WEIR_E_SYNTAX, "text expected, not a zero byte");
    else
        rc = parse_rule(r->rules, r->vars, line, &rule, &err);
    if (rc == WEIR_E_OK && r->rules->keep_text && (rule.text = strndup(line.p, line.n)) == NULL)
        rc = weir_err_set(&err, WEIR_E_NOMEM, "out of memory");
    if (rc == WEIR_E_OK && rule.unmet) {
        file->skipped++;
        r->rules->skipped++;
        rule_free(&rule);
        return WEIR_E_OK;
    }
    if (rc == WEIR_E_OK && !note(file, &rule))
        rc = no_memory(&err);
    if (rc == WEIR_E_OK)
        rc = place(r->rules, &rule, &err);
    if (rc == WEIR_E_OK)
        return rc;
    rule_free(&rule);
    return refuse(r, rc, &err);
}

static int
take_line(struct reader *r, struct text line)
{
    line = text_trim(line);
    if (line.n > 0 && line.p[0] != '#')
        return take_rule(r, line);
    if (is_disabled_rule(line)) {
        r->rules->disabled++;
        r->rules->files[r->file].disabled++;
    }
    return WEIR_E_OK;
}

static int
read_lines(struct reader *r, char *text, size_t n)
{
    char *rest = text, *end = text + n;
    unsigned next = 1;
    int rc = WEIR_E_OK;

    lines_blank(text, end);
    while (rc == WEIR_E_OK && rest < end) {
        struct text line;

        r->line = next;
        next += lines_next(&rest, end, &line);
        rc = take_line(r, line);
    }
    tally_sort(&r->rules->files[r->file].refusals);
    tally_sort(&r->rules->files[r->file].notes);
    return rc;
}

/* ---- files --------------------------------------------------------------------------------- */

static bool
add_file(struct rules *rules, const char *name)
{
    struct rule_file *more = realloc(rules->files, (rules->n_files + 1) * sizeof(*more));

    if (more == NULL)
        return false;
    rules->files = more;
    more[rules->n_files] = (struct rule_file){ .name = strdup(name) };
    return more[rules->n_files].name != NULL && ++rules->n_files > 0;
}

int
rules_load_text(struct rules *rules, struct vars *vars, const char *name, struct text text,
                refused_fn refused, void *ctx, struct weir_errbuf *err)
{
    struct reader r = { rules, vars, rules->n_files, 0, refused, ctx };
    char *copy = malloc(text.n + 1);
    int rc = WEIR_E_NOMEM;

    if (copy != NULL && add_file(rules, name)) {
        if (text.n > 0)
            memcpy(copy, text.p, text.n);
        rc = read_lines(&r, copy, text.n);
    }
    free(copy);
    return rc == WEIR_E_OK ? rc : weir_err_set(err, rc, "%s: %s", name, weir_strerror(rc));
}

int
rules_load(struct rules *rules, struct vars *vars, const char *path, refused_fn refused, void *ctx,
           struct weir_errbuf *err)
{
    struct text text;
    int rc = file_read(path, &text, err);
    struct text rest = text;

    if (rest.n >= 3 && memcmp(rest.p, "\xef\xbb\xbf", 3) == 0) /* UTF-8, as some editors mark it */
        rest = (struct text){ rest.p + 3, rest.n - 3 };
    if (rc == WEIR_E_OK)
        rc = rules_load_text(rules, vars, path, rest, refused, ctx, err);
    free((char *)text.p);
    return rc;
}
