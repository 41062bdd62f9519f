/* Headers of rules against a packet, where the flow's application protocol matters. */
#include "detect/fit.h"

#include "detect_proto.h"
#include "rule/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A letter for each protocol that the flow speaks: not known yet, none, HTTP, HTTP2, TLS. */
static void
expect(const char *header, const char *options, uint16_t port, const char *expected)
{
    static const uint8_t apps[] = { APP_UNKNOWN_YET, APP_UNKNOWN, APP_HTTP, APP_HTTP2, APP_TLS };
    const struct weir_packet pkt = {
        .ip_version = 4, .proto = WEIR_PROTO_TCP, .src_port = 40000, .dst_port = port
    };
    const struct weir_event ev = { .type = WEIR_EV_PACKET, .number = 1, .packet = &pkt };
    struct rules rules = { .at = NULL };
    struct vars *vars = vars_new();
    char line[256], got[8] = "";
    struct weir_errbuf err;

    assert_non_null(vars);
    snprintf(line, sizeof(line), "%s (%s sid:1;)", header, options);
    assert_int_equal(
        rules_load_text(&rules, vars, "t", (struct text){ line, strlen(line) }, NULL, NULL, &err),
        WEIR_E_OK);
    assert_int_equal(rules.n, 1);
    for (size_t i = 0; i < sizeof(apps); i++) {
        struct occasion at = { .ev = &ev, .app_proto = apps[i] };

        got[i] = rule_fits(&at, &rules.at[0]) ? 'y' : '-';
    }
    if (strcmp(got, expected) != 0)
        fail_msg("%s at port %u: %s, not %s", line, port, got, expected);
    rules_free(&rules);
    vars_free(vars);
}

static void
a_protocol_of_the_header_is_spoken(void **state)
{
    (void)state;
    expect("alert tcp any any -> any any", "", 1, "yyyyy");
    expect("alert http any any -> any any", "", 1, "--yy-");
    expect("alert http1 any any -> any any", "", 1, "--y--");
    expect("alert http", "", 1, "--yy-");
    expect("alert tls any any -> any 443", "", 1, "-----");
    expect("alert dhcp any any -> any any", "", 1, "-----");
}

static void
app_layer_protocol_may_be_negated(void **state)
{
    (void)state;
    expect("alert tcp any any -> any any", "app-layer-protocol:tls;", 1, "----y");
    expect("alert tcp any any -> any any", "app-layer-protocol:!tls;", 1, "-yyy-");
    expect("alert tcp any any -> any any", "app-layer-protocol:!tls; app-layer-protocol:!http2;", 1,
           "-yy--");
    expect("alert http any any -> any any", "app-layer-protocol:!http2;", 1, "--y--");
    expect("alert tcp any any -> any any", "app-layer-protocol:failed;", 1, "-y---");
    expect("alert tcp any any -> any any", "app-layer-protocol:unknown;", 1, "y----");
}

static void
a_service_stands_for_the_ports(void **state)
{
    (void)state;
    expect("alert tcp any any -> any 80", "service:http;", 80, "yyyyy");
    expect("alert tcp any any -> any 80", "service:http;", 81, "--yy-");
    expect("alert tcp any any -> any 80", "service:snmp;", 81, "-----");
    expect("alert tcp any any <> 10.0.0.0/8 80", "service:http;", 81, "-----");
    expect("alert tcp any any -> any 443", "metadata:service ssl;", 81, "----y");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_protocol_of_the_header_is_spoken),
        cmocka_unit_test(app_layer_protocol_may_be_negated),
        cmocka_unit_test(a_service_stands_for_the_ports),
    };

    return cmocka_run_group_tests_name("fit", tests, NULL, NULL);
}
