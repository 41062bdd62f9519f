/* The window of a body: it grows, is full, slides, and is never joined over a hole. */
#include "app/app.h"
#include "app/body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint8_t bytes[3 * APP_WINDOW];
static struct body body;

static void
no_tx(void *ctx, struct tx *tx, enum weir_dir dir, enum tx_stage stage)
{
    (void)ctx;
    (void)tx;
    (void)dir;
    (void)stage;
}

static void
no_event(void *ctx, const char *name, struct tx *tx, enum weir_dir dir)
{
    (void)ctx;
    (void)name;
    (void)tx;
    (void)dir;
}

static struct app_layer *
make(uint64_t memory)
{
    struct app_opts opts = app_defaults();
    struct app_layer *app;
    struct weir_errbuf err;

    opts.memory = memory * 256;
    assert_int_equal(app_new(&opts, no_tx, no_event, NULL, &app, &err), WEIR_E_OK);
    body = (struct body){ .p = NULL };
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 31 + i / 251);
    return app;
}

static void
it_slides_with_an_overlap(void **state)
{
    struct app_layer *app = make(8 << 20);

    (void)state;
    assert_int_equal(body_add(&body, app, bytes, 10), 10);
    assert_int_equal(body_add(&body, app, bytes + 10, 2 * APP_WINDOW), APP_WINDOW - 10);
    assert_true(body_is_full(&body));
    assert_memory_equal(body.p, bytes, APP_WINDOW);
    body_slide(&body);
    assert_int_equal(body.start, APP_WINDOW - APP_OVERLAP);
    assert_int_equal(body.n, APP_OVERLAP);
    assert_int_equal(body_add(&body, app, bytes + APP_WINDOW, 1000), 1000);
    assert_memory_equal(body.p, bytes + body.start, APP_OVERLAP + 1000);
    assert_int_equal(body.length, APP_WINDOW + 1000);
    body_free(&body, app);
    app_free(app);
}

static void
a_hole_begins_it_anew(void **state)
{
    struct app_layer *app = make(8 << 20);

    (void)state;
    body_add(&body, app, bytes, 10);
    assert_true(body.fresh);
    body_skip(&body, 5);
    assert_false(body.fresh);
    assert_int_equal(body.start, 15);
    assert_int_equal(body.n, 0);
    body_add(&body, app, bytes + 15, 3);
    assert_memory_equal(body.p, bytes + 15, 3);
    assert_int_equal(body.length, 18);
    body_free(&body, app);
    app_free(app);
}

static void
without_memory_it_is_final(void **state)
{
    struct app_layer *app = make(64 << 10); /* less than a window */

    (void)state;
    assert_int_equal(body_add(&body, app, bytes, 10), 10);
    assert_false(body.final);
    assert_int_equal(body_add(&body, app, bytes + 10, APP_WINDOW), APP_WINDOW);
    assert_true(body.final);
    assert_int_equal(body.n, 10);
    assert_int_equal(body.length, APP_WINDOW + 10);
    assert_int_equal(app_get_stats(app)->no_memory, 1);
    body_free(&body, app);
    app_free(app);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_slides_with_an_overlap),
        cmocka_unit_test(a_hole_begins_it_anew),
        cmocka_unit_test(without_memory_it_is_final),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
