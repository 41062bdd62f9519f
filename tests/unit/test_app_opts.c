/* Settings of the application layer by the names that Suricata has for them. */
#include "app/app.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define HTP "app-layer.protocols.http.libhtp.default-config."

static struct app_opts opts;
static bool known;

static int
set(const char *name, const char *value)
{
    struct weir_errbuf err = { "" };

    return app_opts_set(&opts, (struct text){ name, strlen(name) },
                        (struct text){ value, strlen(value) }, &known, &err);
}

static void
sizes_have_units(void **state)
{
    (void)state;
    opts = app_defaults();
    assert_int_equal(set(HTP "response-body-limit", "200kb"), WEIR_E_OK);
    assert_true(known);
    assert_int_equal(opts.response_body, 200 << 10);
    assert_int_equal(set(HTP "request-body-limit", "1 MiB"), WEIR_E_OK);
    assert_int_equal(opts.request_body, 1 << 20);
    assert_int_equal(set(HTP "request-body-limit", "0"), WEIR_E_OK);
    assert_int_equal(opts.request_body, 0);
    assert_int_equal(set(HTP "request-body-limit", "1 parsec"), WEIR_E_INVAL);
    assert_int_equal(set(HTP "request-body-limit", "kb"), WEIR_E_INVAL);
    assert_int_equal(set(HTP "request-body-limit", ""), WEIR_E_INVAL);
    assert_int_equal(set(HTP "request-body-limit", "99999999gb"), WEIR_E_INVAL);
    assert_int_equal(set(HTP "compression-bomb-limit", "2mb"), WEIR_E_OK);
    assert_int_equal(opts.bomb, 2 << 20);
}

static void
others_have_their_kind(void **state)
{
    (void)state;
    opts = app_defaults();
    assert_int_equal(set(HTP "response-body-decompress-layer-limit", "3"), WEIR_E_OK);
    assert_int_equal(opts.layers, 3);
    assert_int_equal(set(HTP "response-body-decompress-layer-limit", "0"), WEIR_E_INVAL);
    assert_int_equal(set(HTP "lzma-enabled", "yes"), WEIR_E_OK);
    assert_true(opts.lzma);
    assert_int_equal(set(HTP "lzma-enabled", "perhaps"), WEIR_E_INVAL);
    assert_int_equal(set("stream.async-oneside", "true"), WEIR_E_OK);
    assert_true(opts.one_sided);
}

static void
ports_of_dns(void **state)
{
    (void)state;
    opts = app_defaults();
    assert_int_equal(set("app-layer.protocols.dns.detection-ports.dp", "5353"), WEIR_E_OK);
    assert_int_equal(opts.dns_ports[0], 5353);
    assert_int_equal(opts.dns_ports[1], 5353);
    assert_int_equal(set("app-layer.protocols.dns.tcp.detection-ports.dp", "1053"), WEIR_E_OK);
    assert_int_equal(opts.dns_ports[0], 1053);
    assert_int_equal(set("app-layer.protocols.dns.udp.detection-ports.dp", "70000"), WEIR_E_INVAL);
}

static void
protocols_can_be_switched_off(void **state)
{
    (void)state;
    opts = app_defaults();
    assert_int_equal(set("app-layer.protocols.tls.enabled", "no"), WEIR_E_OK);
    assert_int_equal(set("app-layer.protocols.http.enabled", "detection-only"), WEIR_E_OK);
    assert_int_equal(opts.off, 1U << APP_TLS | 1U << APP_HTTP);
    assert_int_equal(set("app-layer.protocols.tls.enabled", "yes"), WEIR_E_OK);
    assert_int_equal(opts.off, 1U << APP_HTTP);
    assert_int_equal(set("app-layer.protocols.tls.enabled", "x"), WEIR_E_INVAL);
    assert_int_equal(set("app-layer.protocols.smb.enabled", "no"), WEIR_E_OK);
    assert_false(known);
}

static void
what_is_shown_can_be_set(void **state)
{
    char value[32];
    unsigned n = 0;

    (void)state;
    opts = app_defaults();
    opts.dns_ports[0] = opts.dns_ports[1] = 5353;
    opts.layers = 7;
    for (const char *name; (name = app_opts_show(&opts, n, value)) != NULL; n++) {
        struct app_opts before = opts;

        assert_int_equal(set(name, value), WEIR_E_OK);
        assert_true(known);
        assert_memory_equal(&before, &opts, sizeof(opts));
    }
    assert_true(n > 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_have_units),
        cmocka_unit_test(others_have_their_kind),
        cmocka_unit_test(ports_of_dns),
        cmocka_unit_test(protocols_can_be_switched_off),
        cmocka_unit_test(what_is_shown_can_be_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
