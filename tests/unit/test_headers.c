/* Headers as buffers of rules, of packets that are cut, too. */
#include "detect/parts.h"

#include "support/exact.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
    uint8_t proto;
    unsigned buffer;
    uint32_t least, whole; /* bytes of the header: without options, and as it is */
} kinds[] = {
    { WEIR_PROTO_TCP, BUFFER_TCP_HDR, 20, 24 },
    { WEIR_PROTO_UDP, BUFFER_UDP_HDR, 8, 8 },
    { WEIR_PROTO_ICMP, BUFFER_ICMPV4_HDR, 8, 8 },
    { WEIR_PROTO_ICMPV6, BUFFER_ICMPV6_HDR, 8, 8 },
};

/* As the decoder leaves a bad packet: the header begins where its bytes may end. */
static void
a_header_that_is_cut_is_not_read(void **state)
{
    static const uint8_t header[24] = { [12] = 0x60 };

    (void)state;
    for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++)
        for (uint32_t n = 0; n <= sizeof(header); n++) {
            uint8_t *frame = exact_copy(header, n);
            struct weir_packet pkt = {
                .frame = frame, .caplen = n, .proto = kinds[k].proto, .l4 = frame
            };
            const uint32_t most = n < kinds[k].whole ? n : kinds[k].whole;
            struct buffer shown;

            assert_int_equal(headers_show(&pkt, kinds[k].buffer, &shown), n >= kinds[k].least);
            if (n >= kinds[k].least)
                assert_int_equal(shown.end, most);
            free(frame);
        }
}

static void
a_header_of_another_kind_is_not_there(void **state)
{
    static const uint8_t header[24] = { [12] = 0x60 };
    struct weir_packet pkt = { .frame = header, .caplen = 24, .l4 = header };
    struct buffer shown;

    (void)state;
    for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++)
        assert_false(headers_show(&pkt, kinds[k].buffer, &shown));
    assert_false(headers_show(&pkt, BUFFER_IPV4_HDR, &shown));
    assert_false(headers_show(&pkt, BUFFER_IPV6_HDR, &shown));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_that_is_cut_is_not_read),
        cmocka_unit_test(a_header_of_another_kind_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
