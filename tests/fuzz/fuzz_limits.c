/*
 * Threshold files: whatever is in them, what loads obeys its bounds, and loads the same way again.
 */
#include "rule/limits.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Refusals say "FILE:LINE: why". */
static void
on_refused(void *ctx, const char *text)
{
    assert(strncmp(text, "fuzz:", 5) == 0 && text[5] >= '1' && text[5] <= '9');
    ++*(size_t *)ctx;
}

static void
check_limit(const struct limit *limit)
{
    const struct threshold *th = &limit->threshold;

    assert(limit->kind <= LIMIT_RATE && limit->action <= ACTION_CONFIG);
    assert(limit->gid != 0 || limit->sid == 0);
    assert(limit->ip == NULL || (limit->kind == LIMIT_SUPPRESS && limit->ip->n > 0));
    assert((th->type != THRESHOLD_NONE) == (limit->kind == LIMIT_THRESHOLD));
    assert(th->track <= TRACK_FLOW && (th->track != TRACK_EITHER || limit->kind == LIMIT_SUPPRESS));
    assert(limit->kind == LIMIT_SUPPRESS || th->count > 0);
    assert((limit->kind == LIMIT_SUPPRESS || th->type == THRESHOLD_BACKOFF) == (th->seconds == 0));
    assert((th->type == THRESHOLD_BACKOFF) == (th->multiplier > 1));
}

static void
load(struct limits *limits, struct vars *vars, const uint8_t *data, size_t size)
{
    struct text text = { (const char *)data, size };
    struct weir_errbuf err = { "" };
    size_t refused = 0, lines = 1;
    int rc = limits_load_text(limits, vars, "fuzz", text, on_refused, &refused, &err);

    assert(rc == WEIR_E_OK);
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    assert(limits->refused == refused && limits->n + refused <= lines);
    for (size_t i = 0; i < limits->n; i++)
        check_limit(&limits->at[i]);
    (void)rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct limits once = { .n = 0 }, again = { .n = 0 };
    struct vars *vars = vars_new();

    if (vars == NULL)
        return 0;
    load(&once, vars, data, size);
    load(&again, vars, data, size);
    assert(once.n == again.n && once.refused == again.refused);
    for (size_t i = 0; i < once.n; i++)
        assert(once.at[i].ip == again.at[i].ip && once.at[i].kind == again.at[i].kind);
    limits_free(&once);
    limits_free(&again);
    vars_free(vars);
    return 0;
}
