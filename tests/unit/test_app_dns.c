/* What rules cost that look at a large message of DNS. */
/* Records that are read are counted. */
#define dns_next counted_dns_next
#include "app/app_dns.c"
#undef dns_next

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { QUESTION = 5, RULES = 100 };

static unsigned read_so_far, told;

bool dns_next(struct dns_walk *walk, struct dns_record *out);

bool
counted_dns_next(struct dns_walk *walk, struct dns_record *out)
{
    read_so_far++;
    return dns_next(walk, out);
}

/* As rules do that ask for all instances. */
static void
on_tx(void *ctx, struct tx *tx, enum weir_dir dir, enum tx_stage stage)
{
    int64_t value;

    (void)ctx;
    for (unsigned rule = 0; stage != TX_GONE && rule < RULES; rule++) {
        struct tx_bytes bytes;
        unsigned n = 0;

        while (tx_number(tx, dir, NUMBER_DNS_RRTYPE, n, &value))
            assert_int_equal(value, n++ % 500);
        assert_int_equal(n, DNS_RECORDS_MAX);
        for (n = 0; tx_buffer(tx, dir, BUFFER_DNS_QUERY, n, &bytes); n++)
            assert_int_equal(bytes.n, 0);
        assert_int_equal(n, DNS_RECORDS_MAX);
        told++;
    }
}

static void
on_event(void *ctx, const char *name, struct tx *tx, enum weir_dir dir)
{
    (void)ctx, (void)tx, (void)dir;
    fail_msg("%s", name);
}

static void
records_are_walked_once_for_all_rules(void **state)
{
    static uint8_t p[DNS_MESSAGE_MAX];
    struct app_opts opts = app_defaults();
    struct app_flow flow = { .proto = APP_DNS };
    struct weir_errbuf err;
    struct app_layer *app;

    (void)state;
    p[4] = DNS_RECORDS_MAX >> 8;
    p[5] = (uint8_t)DNS_RECORDS_MAX;
    for (unsigned i = 0; i < DNS_RECORDS_MAX; i++) {
        p[DNS_HEADER + i * QUESTION + 1] = (uint8_t)(i % 500 >> 8);
        p[DNS_HEADER + i * QUESTION + 2] = (uint8_t)(i % 500);
    }
    assert_int_equal(app_new(&opts, on_tx, on_event, NULL, &app, &err), WEIR_E_OK);
    app_dns_datagram(app, &flow, WEIR_TOSERVER, (struct weir_bytes){ p, sizeof(p) });
    app_free(app);
    assert_int_equal(told, 2 * RULES);
    assert_true(read_so_far <= 4 * DNS_RECORDS_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_walked_once_for_all_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
