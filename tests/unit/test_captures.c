/* What rules captured: in the place of what has the same name, and within bounds. */
#include "detect/captures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 1 << 20 };

struct fixture {
    void *base;
    struct mem mem;
    struct captures *c;
};

static int
set_up(void **state)
{
    static struct fixture f;

    f.base = aligned_alloc(64, SIZE);
    f.c = captures_new();
    mem_init(&f.mem, f.base, SIZE, SIZE);
    *state = &f;
    return f.base == NULL || f.c == NULL;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    free(f->base);
    free(f->c);
    return 0;
}

static bool
put(struct captures *c, uint8_t kind, const char *name, const char *bytes)
{
    const struct captured what = { .n = (uint16_t)strlen(bytes),
                                   .kind = kind,
                                   .name_n = (uint8_t)strlen(name) };

    return captures_put(c, &what, name, bytes);
}

static void
expect(const struct captures *c, const char *text)
{
    char said[256] = "";

    for (const struct captured *i = captures_next(c, NULL); i != NULL; i = captures_next(c, i))
        snprintf(said + strlen(said), sizeof(said) - strlen(said), "%u %.*s=%.*s\n", i->kind,
                 (int)i->name_n, i->name, (int)i->n, (const char *)captured_bytes(i));
    assert_string_equal(said, text);
}

static void
the_latest_of_a_name_counts(void **state)
{
    struct fixture *f = *state;

    expect(NULL, "");
    expect(f->c, "");
    assert_true(put(f->c, CAPTURE_FLOW, "a", "one"));
    assert_true(put(f->c, CAPTURE_PACKET, "a", "two"));
    assert_true(put(f->c, CAPTURE_FLOW, "ab", ""));
    assert_true(put(f->c, CAPTURE_FLOW, "a", "three"));
    expect(f->c, "1 a=two\n0 ab=\n0 a=three\n");
}

static void
what_does_not_fit_is_left_out(void **state)
{
    struct fixture *f = *state;
    char name[] = "a", bytes[CAPTURED_MAX + 1] = "";
    unsigned n = 0;

    memset(bytes, 'x', CAPTURED_MAX);
    while (put(f->c, CAPTURE_FLOW, name, bytes))
        name[0]++, n++;
    assert_int_equal(n, CAPTURES_MAX / (CAPTURED_MAX + 6));
    assert_true(put(f->c, CAPTURE_FLOW, "a", "y")); /* in its own place */
    assert_true(put(f->c, CAPTURE_FLOW, "z", bytes));
}

static void
keep_one(struct fixture *f, struct captures **of_flow, const char *name, const char *bytes, bool ok)
{
    f->c->n = 0;
    assert_true(put(f->c, CAPTURE_FLOW, name, bytes));
    assert_int_equal(captures_keep(of_flow, &f->mem, captures_next(f->c, NULL)), ok);
}

static void
those_of_a_flow_take_what_they_need(void **state)
{
    struct fixture *f = *state;
    struct captures *of_flow = NULL;
    char bytes[CAPTURED_MAX + 1] = "";

    keep_one(f, &of_flow, "a", "one", true);
    keep_one(f, &of_flow, "b", "two", true);
    keep_one(f, &of_flow, "a", "three", true);
    assert_int_equal(f->mem.used, 128);
    memset(bytes, 'x', 102);
    keep_one(f, &of_flow, "c", bytes, true);
    assert_int_equal(f->mem.used, 256);
    memset(bytes, 'x', CAPTURED_MAX);
    keep_one(f, &of_flow, "d", bytes, true);
    keep_one(f, &of_flow, "e", bytes, true);
    keep_one(f, &of_flow, "f", bytes, true);
    assert_int_equal(f->mem.used, 4096);
    keep_one(f, &of_flow, "g", bytes, false); /* CAPTURES_MAX */
    assert_int_equal(of_flow->n, 8 + 10 + 108 + 3 * (CAPTURED_MAX + 6));
    captures_free(of_flow, &f->mem);
    assert_int_equal(f->mem.used, 0);
}

static void
no_memory_is_no_harm(void **state)
{
    struct fixture *f = *state;
    struct captures *of_flow = NULL;

    f->mem.cap = 0;
    keep_one(f, &of_flow, "a", "one", false);
    assert_null(of_flow);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_latest_of_a_name_counts),
        TEST(what_does_not_fit_is_left_out),
        TEST(those_of_a_flow_take_what_they_need),
        TEST(no_memory_is_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
