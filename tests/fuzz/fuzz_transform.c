/* Transforms, named by the first line, of the bytes behind it: bounded, and the same twice. */
#include "detect/transform.h"
#include "rule/rules.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINE_MAX_BYTES = 256 };

static struct transformer *transformer;
static struct regex_scratch *scratch;

/* The rule whose content is behind these transforms; NULL: there is none. */
static const struct rule *
load(struct rules *rules, struct vars *vars, const uint8_t *text, size_t n)
{
    struct weir_errbuf err = { "" };
    char line[LINE_MAX_BYTES + 128];
    int length = snprintf(line, sizeof(line),
                          "alert http any any -> any any (http.uri; %.*s content:\"x\"; sid:1;)",
                          (int)n, (const char *)text);

    if (rules_load_text(rules, vars, "fuzz", (struct text){ line, (size_t)length }, NULL, NULL,
                        &err) != WEIR_E_OK ||
        rules->n != 1)
        return NULL;
    return rules->at[0].n_chains > 0 ? &rules->at[0] : NULL;
}

static enum transform_answer
run(const struct rule *rule, unsigned chain, const uint8_t *p, size_t n, bool final,
    struct buffer *buffer)
{
    *buffer = (struct buffer){ p, 0, (int64_t)n, final };
    return transform(transformer, rule, chain, scratch, buffer);
}

static void
try_all(const struct rule *rule, const uint8_t *p, size_t n)
{
    for (unsigned chain = 1; chain <= rule->n_chains; chain++) {
        struct buffer once, twice;
        enum transform_answer answer = run(rule, chain, p, n, true, &once);
        uint8_t *copy;

        assert(answer != TRANSFORM_WAIT);
        if (answer != TRANSFORM_DONE)
            continue;
        assert(once.start == 0 && once.end >= 0 && once.end <= TRANSFORM_ROOM);
        copy = malloc((size_t)once.end + 1);
        if (copy == NULL)
            return;
        memcpy(copy, once.p, (size_t)once.end);
        run(rule, chain, p, n, false, &twice);
        answer = run(rule, chain, p, n, true, &twice);
        assert(answer == TRANSFORM_DONE && twice.end == once.end);
        assert(memcmp(copy, twice.p, (size_t)twice.end) == 0);
        free(copy);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    struct rules rules = { .n = 0 };
    const struct rule *rule;
    struct vars *vars;
    uint8_t *copy;
    size_t n;

    if (end == NULL || end - data > LINE_MAX_BYTES)
        return 0;
    if (transformer == NULL && transformer_new(&transformer) != WEIR_E_OK)
        return 0;
    if (scratch == NULL && regex_scratch_new(&scratch) != WEIR_E_OK)
        return 0;
    n = size - (size_t)(end - data) - 1;
    vars = vars_new();
    copy = malloc(n > 0 ? n : 1);
    if (vars != NULL && copy != NULL) {
        memcpy(copy, end + 1, n);
        rule = load(&rules, vars, data, (size_t)(end - data));
        if (rule != NULL)
            try_all(rule, copy, n);
    }
    rules_free(&rules);
    vars_free(vars);
    free(copy);
    return 0;
}
