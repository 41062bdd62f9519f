/* Community IDs: the examples of the specification. */
#include "out/community.h"

#include "digest.h"

#include <weir/error.h>

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct digest *digest;

static int
set_up(void **state)
{
    (void)state;
    return digest_new(&digest) == WEIR_E_NOMEM;
}

static int
tear_down(void **state)
{
    (void)state;
    digest_free(digest);
    return 0;
}

static void
has(const char *from, const char *to, uint8_t proto, uint16_t from_port, uint16_t to_port,
    uint16_t seed, const char *id)
{
    struct weir_tuple t = { .port = { from_port, to_port }, .proto = proto };
    int family = strchr(from, ':') != NULL ? AF_INET6 : AF_INET;
    char text[COMMUNITY_TEXT];

    if (digest == NULL)
        skip(); /* no libcrypto */
    t.ip_version = family == AF_INET ? 4 : 6;
    assert_int_equal(inet_pton(family, from, t.addr[0].b), 1);
    assert_int_equal(inet_pton(family, to, t.addr[1].b), 1);
    community_id(digest, seed, &t, (uint8_t)from_port, (uint8_t)to_port, text);
    assert_string_equal(text, id);
}

static void
both_directions_have_the_same(void **state)
{
    (void)state;
    has("128.232.110.120", "66.35.250.204", 6, 34855, 80, 0, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
    has("66.35.250.204", "128.232.110.120", 6, 80, 34855, 0, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
    has("192.168.1.52", "8.8.8.8", 17, 54585, 53, 0, "1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
    has("8.8.8.8", "192.168.1.52", 17, 53, 54585, 0, "1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
}

/* Of ICMP type and code are given, in the places of ports. */
static void
icmp_goes_by_its_types(void **state)
{
    (void)state;
    has("192.168.0.89", "192.168.0.1", 1, 8, 0, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
    has("192.168.0.1", "192.168.0.89", 1, 0, 0, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
    has("192.168.0.89", "192.168.0.1", 1, 11, 0, 0, "1:WWhK5yv9t1/eWrodrgw+6KseRoA=");
    has("fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 58, 135, 0, 0,
        "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=");
}

static void
a_seed_makes_another(void **state)
{
    (void)state;
    has("128.232.110.120", "66.35.250.204", 6, 34855, 80, 1, "1:3V71V58M3Ksw/yuFALMcW0LAHvc=");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(both_directions_have_the_same),
        T(icmp_goes_by_its_types),
        T(a_seed_makes_another),
    };

    return cmocka_run_group_tests_name("community", tests, NULL, NULL);
}
