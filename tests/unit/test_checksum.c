#include "checksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <cmocka.h>

enum { IP = 20 };

/* RFC 1071 section 3: the bytes and their sum. */
static void
the_example_of_the_rfc(void **state)
{
    static const uint8_t bytes[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

    (void)state;
    assert_int_equal(ntohs(checksum_add(bytes, sizeof(bytes), 0)), 0xddf2);
}

/* Word by word, as the definition says; the last odd byte is a word's upper half. */
static uint16_t
slow_sum(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (uint32_t)p[i] << (i % 2 == 0 ? 8 : 0);
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static void
any_length_at_any_alignment_agrees_with_the_definition(void **state)
{
    uint8_t bytes[300];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 37 + (i >> 3));
    memset(bytes + 100, 0xff, 64);
    for (size_t at = 0; at < 8; at++)
        for (size_t n = 0; n + at <= sizeof(bytes); n++) {
            uint8_t *exact = malloc(n > 0 ? n : 1); /* ASan sees a read behind */

            memcpy(exact, bytes + at, n);
            assert_int_equal(ntohs(checksum_add(exact, n, 0)), slow_sum(exact, n));
            assert_int_equal(ntohs(checksum_add(bytes + at, n, 0)), slow_sum(bytes + at, n));
            free(exact);
        }
}

static void
a_sum_goes_on_from_another(void **state)
{
    static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };

    (void)state;
    for (size_t n = 0; n <= sizeof(bytes); n += 2)
        assert_int_equal(checksum_add(bytes + n, sizeof(bytes) - n, checksum_add(bytes, n, 0)),
                         checksum_add(bytes, sizeof(bytes), 0));
}

static void
much_of_the_largest_words_does_not_overflow(void **state)
{
    static uint8_t bytes[65536];

    (void)state;
    memset(bytes, 0xff, sizeof(bytes));
    assert_int_equal(checksum_add(bytes, sizeof(bytes), UINT32_MAX), 0xffff);
}

/* ---- packets: 10.0.0.1 to 10.0.0.2 ---- */

static uint8_t frame[64];
static struct weir_packet pkt;

static void
put_ip(uint8_t proto, const uint8_t *l4, uint32_t n)
{
    static const uint8_t ip[IP] = {
        0x45, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2
    };
    uint16_t sum;

    memcpy(frame, ip, IP);
    frame[3] = (uint8_t)(IP + n);
    frame[9] = proto;
    sum = (uint16_t)~slow_sum(frame, IP);
    frame[10] = (uint8_t)(sum >> 8);
    frame[11] = (uint8_t)sum;
    memcpy(frame + IP, l4, n);
    pkt = (struct weir_packet){
        .ip_version = 4, .proto = proto, .ip = frame, .l4 = frame + IP, .l4_len = n
    };
    memcpy(pkt.src.b, frame + 12, 4);
    memcpy(pkt.dst.b, frame + 16, 4);
}

/* 1000 > 80, SYN, seq 1, window 1024, with its checksum. */
static const uint8_t tcp[] = { 0x03, 0xe8, 0,    80, 0, 0, 0,    1,    0, 0,
                               0,    0,    0x50, 2,  4, 0, 0x93, 0xa7, 0, 0 };
/* 1000 > 53, 3 bytes "abc". */
static const uint8_t udp[] = { 0x03, 0xe8, 0, 53, 0, 11, 0, 0, 'a', 'b', 'c' };

/* Sets the two bytes at place to what makes the packet right. */
static void
fill_in(size_t at, bool pseudo)
{
    uint32_t sum;

    frame[IP + at] = frame[IP + at + 1] = 0;
    sum = slow_sum(frame + IP, pkt.l4_len);
    if (pseudo)
        sum += slow_sum(frame + 12, 8) + pkt.proto + pkt.l4_len;
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    frame[IP + at] = (uint8_t)(~sum >> 8);
    frame[IP + at + 1] = (uint8_t)~sum;
}

static void
check_both_ways(enum weir_layer expected)
{
    enum weir_layer layer;

    assert_true(checksums_right(&pkt, &layer));
    for (uint32_t bit = 0; bit < pkt.l4_len * 8; bit++) {
        frame[IP + bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(checksums_right(&pkt, &layer));
        assert_int_equal(layer, expected);
        frame[IP + bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void
any_bit_of_a_tcp_segment_counts(void **state)
{
    (void)state;
    put_ip(WEIR_PROTO_TCP, tcp, sizeof(tcp));
    check_both_ways(WEIR_LAYER_TCP);
}

static void
any_bit_of_a_udp_datagram_of_odd_length_counts(void **state)
{
    (void)state;
    put_ip(WEIR_PROTO_UDP, udp, sizeof(udp));
    fill_in(6, true);
    check_both_ways(WEIR_LAYER_UDP);
}

static void
icmp_has_no_pseudo_header(void **state)
{
    static const uint8_t echo[] = { 8, 0, 0, 0, 0, 1, 0, 2, 'p', 'i', 'n', 'g' };

    (void)state;
    put_ip(WEIR_PROTO_ICMP, echo, sizeof(echo));
    fill_in(2, false);
    check_both_ways(WEIR_LAYER_ICMP);
}

static void
a_wrong_ip_header_is_told_first(void **state)
{
    enum weir_layer layer;

    (void)state;
    put_ip(WEIR_PROTO_TCP, tcp, sizeof(tcp));
    frame[8]++;
    assert_false(checksums_right(&pkt, &layer));
    assert_int_equal(layer, WEIR_LAYER_IPV4);
}

static void
a_udp_checksum_of_zero_means_none(void **state)
{
    enum weir_layer layer;

    (void)state;
    put_ip(WEIR_PROTO_UDP, udp, sizeof(udp));
    frame[IP + 6] = frame[IP + 7] = 0;
    assert_true(checksums_right(&pkt, &layer));
}

static void
a_payload_that_was_cut_cannot_be_verified_and_passes(void **state)
{
    enum weir_layer layer;

    (void)state;
    put_ip(WEIR_PROTO_TCP, tcp, sizeof(tcp));
    frame[IP]++;
    pkt.truncated = true;
    assert_true(checksums_right(&pkt, &layer));
}

static void
other_protocols_pass(void **state)
{
    enum weir_layer layer;

    (void)state;
    put_ip(132, tcp, sizeof(tcp));
    assert_true(checksums_right(&pkt, &layer));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_rfc),
        cmocka_unit_test(any_length_at_any_alignment_agrees_with_the_definition),
        cmocka_unit_test(a_sum_goes_on_from_another),
        cmocka_unit_test(much_of_the_largest_words_does_not_overflow),
        cmocka_unit_test(any_bit_of_a_tcp_segment_counts),
        cmocka_unit_test(any_bit_of_a_udp_datagram_of_odd_length_counts),
        cmocka_unit_test(icmp_has_no_pseudo_header),
        cmocka_unit_test(a_wrong_ip_header_is_told_first),
        cmocka_unit_test(a_udp_checksum_of_zero_means_none),
        cmocka_unit_test(a_payload_that_was_cut_cannot_be_verified_and_passes),
        cmocka_unit_test(other_protocols_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
