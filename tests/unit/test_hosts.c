/* Which address is what. */
#include "hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct weir_host_policy
net4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t prefix, enum weir_policy policy)
{
    return (struct weir_host_policy){
        .addr = { { a, b, c, d } }, .ip_version = 4, .prefix = prefix, .policy = policy
    };
}

static enum weir_policy
find4(const struct hosts *hosts, uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return hosts_find(hosts, &(struct weir_addr){ { a, b, c, d } }, 4);
}

static void
the_longest_prefix_wins_wherever_it_stands(void **state)
{
    const struct weir_host_policy nets[] = {
        net4(10, 1, 2, 3, 32, WEIR_POLICY_SOLARIS), net4(10, 0, 0, 0, 8, WEIR_POLICY_BSD),
        net4(10, 1, 0, 0, 16, WEIR_POLICY_VISTA),   net4(10, 1, 255, 255, 32, WEIR_POLICY_LAST),
        net4(10, 0, 0, 0, 9, WEIR_POLICY_IRIX),     net4(255, 255, 255, 255, 32, WEIR_POLICY_FIRST),
    };
    struct hosts *hosts;

    (void)state;
    assert_int_equal(hosts_new(nets, 6, WEIR_POLICY_WINDOWS, &hosts), WEIR_E_OK);
    assert_int_equal(find4(hosts, 9, 255, 255, 255), WEIR_POLICY_WINDOWS);
    assert_int_equal(find4(hosts, 10, 0, 0, 0), WEIR_POLICY_IRIX);
    assert_int_equal(find4(hosts, 10, 1, 0, 0), WEIR_POLICY_VISTA);
    assert_int_equal(find4(hosts, 10, 1, 2, 2), WEIR_POLICY_VISTA);
    assert_int_equal(find4(hosts, 10, 1, 2, 3), WEIR_POLICY_SOLARIS);
    assert_int_equal(find4(hosts, 10, 1, 2, 4), WEIR_POLICY_VISTA);
    assert_int_equal(find4(hosts, 10, 1, 255, 255), WEIR_POLICY_LAST);
    assert_int_equal(find4(hosts, 10, 2, 0, 0), WEIR_POLICY_IRIX);
    assert_int_equal(find4(hosts, 10, 128, 0, 0), WEIR_POLICY_BSD);
    assert_int_equal(find4(hosts, 11, 0, 0, 0), WEIR_POLICY_WINDOWS);
    assert_int_equal(find4(hosts, 255, 255, 255, 255), WEIR_POLICY_FIRST);
    assert_int_equal(hosts_find(hosts, &(struct weir_addr){ { 10, 1 } }, 6), WEIR_POLICY_WINDOWS);
    hosts_free(hosts);
}

static void
ipv6_and_everything(void **state)
{
    const struct weir_host_policy nets[] = {
        { .ip_version = 6, .prefix = 0, .policy = WEIR_POLICY_MACOS },
        { .addr = { { 0x20, 0x01, 0x0d, 0xb8 } },
          .ip_version = 6,
          .prefix = 33,
          .policy = WEIR_POLICY_BSD },
        net4(0, 0, 0, 0, 0, WEIR_POLICY_WINDOWS),
    };
    struct weir_addr last, at = { { 0x20, 0x01, 0x0d, 0xb8, 0x7f } };
    struct hosts *hosts;

    (void)state;
    memset(&last, 0xff, sizeof(last));
    assert_int_equal(hosts_new(nets, 3, WEIR_POLICY_LINUX, &hosts), WEIR_E_OK);
    assert_int_equal(hosts_find(hosts, &last, 6), WEIR_POLICY_MACOS);
    assert_int_equal(hosts_find(hosts, &at, 6), WEIR_POLICY_BSD);
    at.b[4] = 0x80;
    assert_int_equal(hosts_find(hosts, &at, 6), WEIR_POLICY_MACOS);
    assert_int_equal(find4(hosts, 1, 2, 3, 4), WEIR_POLICY_WINDOWS);
    hosts_free(hosts);
}

static void
what_is_none_is_refused(void **state)
{
    struct weir_host_policy net = net4(10, 0, 0, 0, 33, WEIR_POLICY_LAST);
    struct hosts *hosts;

    (void)state;
    assert_int_equal(hosts_new(&net, 1, WEIR_POLICY_LINUX, &hosts), WEIR_E_INVAL);
    assert_null(hosts);
    net = net4(10, 0, 0, 0, 32, WEIR_POLICY_COUNT);
    assert_int_equal(hosts_new(&net, 1, WEIR_POLICY_LINUX, &hosts), WEIR_E_INVAL);
    net = (struct weir_host_policy){ .ip_version = 5 };
    assert_int_equal(hosts_new(&net, 1, WEIR_POLICY_LINUX, &hosts), WEIR_E_INVAL);
    net = (struct weir_host_policy){ .ip_version = 6, .prefix = 129 };
    assert_int_equal(hosts_new(&net, 1, WEIR_POLICY_LINUX, &hosts), WEIR_E_INVAL);
    assert_int_equal(hosts_new(NULL, 0, WEIR_POLICY_VISTA, &hosts), WEIR_E_OK);
    assert_int_equal(find4(hosts, 1, 2, 3, 4), WEIR_POLICY_VISTA);
    hosts_free(hosts);
    hosts_free(NULL);
}

/* Every one asked in turn; of those as long, the later. */
static enum weir_policy
slow_find(const struct weir_host_policy *nets, size_t n, uint8_t byte)
{
    int best = -1;
    enum weir_policy policy = WEIR_POLICY_LINUX;

    for (size_t i = 0; i < n; i++) {
        int bits = nets[i].prefix - 24;

        if ((byte ^ nets[i].addr.b[3]) >> (8 - bits) != 0 || bits < best)
            continue;
        best = bits;
        policy = nets[i].policy;
    }
    return policy;
}

static void
any_nesting_is_what_asking_each_gives(void **state)
{
    struct weir_host_policy nets[12];
    uint64_t seed = 1;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        size_t n = (size_t)round % 13;
        struct hosts *hosts;

        for (size_t i = 0; i < n; i++) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            nets[i] = net4(10, 0, 0, (uint8_t)(seed >> 33), (uint8_t)(24 + (seed >> 41) % 9),
                           (enum weir_policy)((seed >> 50) % WEIR_POLICY_COUNT));
        }
        assert_int_equal(hosts_new(nets, n, WEIR_POLICY_LINUX, &hosts), WEIR_E_OK);
        for (int byte = 0; byte < 256; byte++)
            assert_int_equal(find4(hosts, 10, 0, 0, (uint8_t)byte),
                             slow_find(nets, n, (uint8_t)byte));
        hosts_free(hosts);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_prefix_wins_wherever_it_stands),
        cmocka_unit_test(ipv6_and_everything),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(any_nesting_is_what_asking_each_gives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
