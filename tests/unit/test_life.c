/* Set-up of detection: what fails says why. */
/* What becomes of matches fails here where the test wants it. */
#define outcome_new failing_outcome_new
#include "detect/life.c"
#undef outcome_new

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int failure;

int outcome_new(const struct rules *rules, const struct outcome_opts *opts, struct mem *const *mem,
                struct outcome **out, struct weir_errbuf *err);

int
failing_outcome_new(const struct rules *rules, const struct outcome_opts *opts,
                    struct mem *const *mem, struct outcome **out, struct weir_errbuf *err)
{
    if (failure == WEIR_E_OK)
        return outcome_new(rules, opts, mem, out, err);
    *out = NULL;
    return weir_err_set(err, failure, "it is the test's");
}

static void
on_alert(void *ctx, const struct rule *rule, const struct weir_event *ev)
{
    (void)ctx, (void)rule, (void)ev;
}

static void
what_fails_says_why(void **state)
{
    struct detect_opts opts = { .memory = 1 << 20 };
    struct weir_errbuf err = { "" };
    struct rules rules = { .n = 0 };
    struct detect_next *next;
    struct groups *groups;
    struct detect *d;

    (void)state;
    assert_int_equal(groups_new(&rules, &groups, &err), WEIR_E_OK);
    failure = WEIR_E_LIMIT;
    assert_int_equal(detect_new(groups, &opts, on_alert, NULL, &d, &err), WEIR_E_LIMIT);
    assert_string_equal(err.text, "it is the test's");
    assert_null(d);
    failure = WEIR_E_OK;
    assert_int_equal(detect_new(groups, &opts, on_alert, NULL, &d, &err), WEIR_E_OK);
    failure = WEIR_E_LIMIT;
    err.text[0] = '\0';
    assert_int_equal(detect_next_new(d, groups, NULL, NULL, &next, &err), WEIR_E_LIMIT);
    assert_string_equal(err.text, "it is the test's");
    assert_null(next);
    detect_free(d);
    groups_free(groups);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fails_says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
