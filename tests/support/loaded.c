#include "support/loaded.h"

#include "rule/order.h"

#include <stdio.h>
#include <string.h>

#undef NDEBUG
#include <assert.h>

static void
check(int rc, const struct weir_errbuf *err)
{
    if (rc != WEIR_E_OK)
        fprintf(stderr, "%s\n", err->text);
    assert(rc == WEIR_E_OK);
}

void
load(struct loaded *l, const char *rules, const char *limits)
{
    const struct text text = { rules, strlen(rules) }, more = { limits, strlen(limits) };
    struct weir_errbuf err = { "" };

    check(rules_load_text(&l->rules, l->vars, "t", text, NULL, NULL, &err), &err);
    check(limits_load_text(&l->limits, l->vars, "t", more, NULL, NULL, &err), &err);
    assert(l->rules.refused + l->limits.refused == 0);
    check(rules_sort(&l->rules, &err), &err);
    check(groups_new(&l->rules, &l->groups, &err), &err);
}

void
unload(struct loaded *l)
{
    groups_free(l->groups);
    limits_free(&l->limits);
    rules_free(&l->rules);
    vars_free(l->vars);
}
