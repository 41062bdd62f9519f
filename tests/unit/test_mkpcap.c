/* pcaps: the reader of packet scripts and the frames it makes. */
#include "script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ETHERNET = 14, IPV4 = 20, MOST_FRAMES = 16 };

static const char flow_line[] = "flow tcp 192.168.1.10:1000 > 10.0.0.80:80 isn 0x100 0x200\n";

struct fixture {
    struct script script;
    struct script_frame frame[MOST_FRAMES];
    struct weir_errbuf err;
};

static struct fixture *fx;

static int
set_up(void **state)
{
    fx = *state = calloc(1, sizeof(*fx));
    return fx == NULL;
}

static int
tear_down(void **state)
{
    free(*state);
    return 0;
}

/* Read a script from memory of exactly its size, so that a sanitizer sees a byte too many. */
static int
read_script(const char *text, size_t n)
{
    char *copy = malloc(n > 0 ? n : 1);
    int rc, frames = 0;

    assert_non_null(copy);
    memcpy(copy, text, n);
    script_begin(&fx->script, "t.pkt", copy, n);
    do {
        assert_true(frames < MOST_FRAMES);
        rc = script_next(&fx->script, &fx->frame[frames], &fx->err);
        frames += rc > 0;
    } while (rc > 0);
    script_end(&fx->script);
    free(copy);
    return rc == 0 ? frames : rc;
}

/* The flow's line, then these lines. */
static int
read_lines(const char *lines)
{
    char text[1024];
    int n = snprintf(text, sizeof(text), "%s%s", flow_line, lines);

    assert_true(n < (int)sizeof(text));
    return read_script(text, (size_t)n);
}

static void
expect_error(const char *lines, const char *text)
{
    assert_int_equal(read_lines(lines), WEIR_E_SYNTAX);
    assert_string_equal(fx->err.text, text);
}

static uint32_t
at32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static const uint8_t *
tcp_of(int i)
{
    return fx->frame[i].frame.data + ETHERNET + IPV4;
}

static void
expect_numbers(int i, uint32_t seq, uint32_t ack, unsigned flags)
{
    assert_int_equal(at32(tcp_of(i) + 4), seq);
    assert_int_equal(at32(tcp_of(i) + 8), ack);
    assert_int_equal(tcp_of(i)[13], flags);
}

static void
a_syn_is_written_byte_by_byte(void **state)
{
    static const uint8_t syn[] = {
        2,    0,    0,    0,    0,  2, 2,    0,  0,  0,    0,    1,    8,    0, /* Ethernet */
        0x45, 0,    0,    44,   0,  0, 0x40, 0,  64, 6,    0x6e, 0xca,          /* IPv4 */
        192,  168,  1,    10,   10, 0, 0,    80,                                /* addresses */
        3,    232,  0,    80,   0,  0, 1,    0,  0,  0,    0,    0,    0x60, 2, /* TCP */
        0xff, 0xff, 0xc6, 0xec, 0,  0, 2,    4,  5,  0xb4,                      /* MSS 1460 */
    };

    (void)state;
    assert_int_equal(read_lines("0.5 > SYN mss 1460\n"), 1);
    assert_int_equal(fx->frame[0].frame.n, sizeof(syn));
    assert_memory_equal(fx->frame[0].frame.data, syn, sizeof(syn));
    assert_int_equal(fx->frame[0].micros, UINT64_C(1704164645500000));
}

/* The tag before the tunnel is the inner frame's, the one behind it the outer one's. */
static void
a_tunnel_is_written_byte_by_byte(void **state)
{
    static const char script[] = "flow udp [::1]:1 > [::2]:2 vlan 7 in vxlan 0xabcdef vlan 9\n"
                                 "0 < \"x\"\n";
    static const uint8_t head[] = {
        2,    0, 0,    0,    0,    1,    2,    0, 0,  0,  0,    2,    0x81,
        0,    0, 9,    8,    0,                                       /* Ethernet */
        0x45, 0, 0,    103,  0,    0,    0,    0, 64, 17, 0xf6, 0x82, /* IPv4 */
        192,  0, 2,    2,    192,  0,    2,    1,                     /* addresses */
        192,  0, 0x12, 0xb5, 0,    83,   0,    0,                     /* UDP */
        8,    0, 0,    0,    0xab, 0xcd, 0xef, 0,                     /* VXLAN */
        2,    0, 0,    0,    0,    1,    2,    0, 0,  0,  0,    2,    0x81,
        0,    0, 7,    0x86, 0xdd, 0x60, 0,    0, 0,  0,  9,    17,   64,
    };

    (void)state;
    assert_int_equal(read_script(script, sizeof(script) - 1), 1);
    assert_int_equal(fx->frame[0].frame.n, 18 + 103);
    assert_memory_equal(fx->frame[0].frame.data, head, sizeof(head));
    assert_int_equal(fx->frame[0].frame.ip, sizeof(head) - 8);
}

static void
tunnels_need_a_link_that_carries_them(void **state)
{
    static const char raw[] = "link raw\nflow udp 1.2.3.4:1 > 1.2.3.5:2 in mpls 5\n";
    static const char vlan[] = "link sll\nflow udp 1.2.3.4:1 > 1.2.3.5:2 in vxlan 5 vlan 5\n";
    static const char good[] = "link raw\nflow udp 1.2.3.4:1 > 1.2.3.5:2 in mpls 5 in nvgre 6\n";

    (void)state;
    assert_int_equal(read_script(raw, sizeof(raw) - 1), WEIR_E_SYNTAX);
    assert_string_equal(fx->err.text,
                        "t.pkt:2: mpls, pw and pppoe need link ethernet, sll or sll2");
    assert_int_equal(read_script(vlan, sizeof(vlan) - 1), WEIR_E_SYNTAX);
    assert_string_equal(fx->err.text, "t.pkt:2: vlan needs link ethernet");
    assert_int_equal(read_script(good, sizeof(good) - 1), 0);
}

static void
numbers_go_on_by_themselves(void **state)
{
    (void)state;
    assert_int_equal(read_lines("0 > SYN\n"
                                "0 < SYN ACK\n"
                                "0 > \"hello\"\n"
                                "0 < FIN ACK \"bye\"\n"
                                "0 > FIN ACK\n"
                                "0 <\n"),
                     6);
    expect_numbers(0, 0x100, 0, FLAG_SYN);
    expect_numbers(1, 0x200, 0x101, FLAG_SYN | FLAG_ACK);
    expect_numbers(2, 0x101, 0x201, FLAG_ACK);
    expect_numbers(3, 0x201, 0x106, FLAG_FIN | FLAG_ACK);
    expect_numbers(4, 0x106, 0x205, FLAG_FIN | FLAG_ACK);
    expect_numbers(5, 0x205, 0x107, FLAG_ACK);
}

static void
a_hole_is_acknowledged_when_it_is_filled(void **state)
{
    (void)state;
    assert_int_equal(read_lines("0 > \"cc\" seq 4\n"
                                "0 <\n"
                                "0 > \"aa\" seq 0\n"
                                "0 <\n"
                                "0 > \"bb\" seq 2\n"
                                "0 <\n"
                                "0 > \"d\"\n"),
                     7);
    expect_numbers(1, 0x201, 0x101, FLAG_ACK);
    expect_numbers(3, 0x201, 0x103, FLAG_ACK);
    expect_numbers(5, 0x201, 0x107, FLAG_ACK);
    expect_numbers(6, 0x107, 0x201, FLAG_ACK);
}

static void
lost_is_not_acknowledged_unseen_is_and_injected_counts_for_nobody(void **state)
{
    (void)state;
    assert_int_equal(read_lines("0 > \"aa\" unseen\n"
                                "0 <\n"
                                "0 > \"bb\" lost\n"
                                "0 <\n"
                                "0 > \"xx\" injected\n"
                                "0 <\n"
                                "0 > \"c\"\n"),
                     6);
    expect_numbers(0, 0x201, 0x103, FLAG_ACK);
    expect_numbers(2, 0x201, 0x103, FLAG_ACK);
    expect_numbers(3, 0x105, 0x201, FLAG_ACK);
    expect_numbers(4, 0x201, 0x103, FLAG_ACK);
    expect_numbers(5, 0x105, 0x201, FLAG_ACK);
}

static void
bytes_are_text_hex_and_fill(void **state)
{
    (void)state;
    assert_int_equal(
        read_lines("0 > \"a\\r\\n\\t\\0\\\\\\\"\\x7f\" hex \"00 fF01\" fill 5 \"ab\"\n"), 1);
    assert_int_equal(fx->frame[0].frame.n, ETHERNET + IPV4 + 20 + 16);
    assert_memory_equal(tcp_of(0) + 20,
                        "a\r\n\t\0\\\"\x7f\x00\xff\x01"
                        "ababa",
                        16);
}

static void
cut_keeps_the_length_on_the_wire(void **state)
{
    (void)state;
    assert_int_equal(read_lines("0 > \"data\" cut 20\n0 > \"data\" cut 1000\n"), 2);
    assert_int_equal(fx->frame[0].caplen, 20);
    assert_int_equal(fx->frame[0].frame.n, ETHERNET + IPV4 + 24);
    assert_int_equal(fx->frame[1].caplen, ETHERNET + IPV4 + 24);
}

static void
errors_name_their_line(void **state)
{
    (void)state;
    expect_error("0 > SYN\n\n# comment\n0 > SYM\n",
                 "t.pkt:5: a flag, bytes or a field of this protocol is expected, not 'SYM'");
    expect_error("0 > \"text", "t.pkt:2: a closing quote is expected");
    expect_error("0 > win\n", "t.pkt:2: win, 0 to 65535, is expected at the end of the line");
    expect_error("0 > win -1\n", "t.pkt:2: win, 0 to 65535, is expected, not '-1'");
    expect_error("noon > SYN\n",
                 "t.pkt:2: a time as 1.5 or +0.01, or flow, link or start is expected, not 'noon'");
}

static void
what_does_not_fit_is_an_error(void **state)
{
    (void)state;
    expect_error("0 > fill 65000 \"x\" \"y\"\n", "t.pkt:2: the bytes do not fit");
    expect_error("0 > option 5 fill 38 \"x\" nop\n",
                 "t.pkt:2: the options are longer than 40 bytes");
    assert_int_equal(read_lines("0 > option 5 fill 38 \"x\" fill 65000 \"y\"\n"), 1);
    assert_int_equal(fx->frame[0].frame.n, ETHERNET + IPV4 + 60 + 65000);
}

/* A length that cannot be is written as it was given; the options are filled up. */
static void
a_broken_option_is_written_as_it_is(void **state)
{
    static const uint8_t tail[] = { 1, 2, 99, 0, 'x' };

    (void)state;
    assert_int_equal(read_lines("0 > nop rawopt hex \"02 63\" \"x\"\n"), 1);
    assert_int_equal(fx->frame[0].frame.n, ETHERNET + IPV4 + 24 + 1);
    assert_memory_equal(tcp_of(0) + 20, tail, sizeof(tail));
    assert_int_equal(read_lines("0 > option 5 fill 36 \"x\" rawopt \"yz\"\n"), 1);
    assert_int_equal(fx->frame[0].frame.n, ETHERNET + IPV4 + 60);
}

static void
more_holes_than_are_kept_are_an_error(void **state)
{
    char lines[64 * 20];
    size_t n = (size_t)snprintf(lines, sizeof(lines), "%s", flow_line);

    (void)state;
    for (int i = 0; i < 65; i++)
        n += (size_t)snprintf(lines + n, sizeof(lines) - n, "0 > \"x\" seq %d\n", i * 2 + 1);
    for (int rc = 1; rc > 0;) {
        if (fx->script.next == NULL)
            script_begin(&fx->script, "t.pkt", lines, n);
        rc = script_next(&fx->script, &fx->frame[0], &fx->err);
        assert_true(rc != 0);
    }
    script_end(&fx->script);
    assert_string_equal(fx->err.text, "t.pkt:66: more than 63 holes in one direction");
}

/* A script that uses every item, cut anywhere, and with any one character replaced. */
static const char everything[] =
    "link ethernet\nstart 5\n"
    "flow a tcp [2001:db8::1]:1 > [::2]:2 vlan 5 isn 1 2\n"
    "flow u udp 1.2.3.4:1 > 5.6.7.8:2 vlan 1 vlan 2\n"
    "flow i icmp 1.2.3.4 > 5.6.7.8\n"
    "0 a > SYN mss 1460 nop wscale 7 sackok ts 1 2 option 34 hex \"01\" rawopt \"z\"\n"
    "+.5 a < RST ACK \"x\\x41\" fill 3 hex \"41 42\" seq -1 ack 5 win 3 urg 1 sack 1 2 doff 4\n"
    "1.5 u > \"q\" udplen 3 nosum badsum ip ihl 4 iplen 9 ttl 3 cut 9 lost\n"
    "2 i < type 3 code 1 rest 9 quote u injected\n2 i > echo 1 2 unseen\n3 frame \"abc\"\n";

static void
every_prefix_ends_cleanly(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof(everything); n++) {
        int rc = read_script(everything, n);

        assert_true(rc >= 0 || rc == WEIR_E_SYNTAX);
    }
}

static void
every_character_may_be_wrong(void **state)
{
    static const char wrong[] = "\0\n\"\\ #0:[]>\xff";
    char text[sizeof(everything)];

    (void)state;
    for (size_t i = 0; i + 1 < sizeof(everything); i++)
        for (size_t k = 0; k + 1 < sizeof(wrong); k++) {
            int rc;

            memcpy(text, everything, sizeof(text));
            text[i] = wrong[k];
            rc = read_script(text, sizeof(text) - 1);
            assert_true(rc >= 0 || rc == WEIR_E_SYNTAX);
        }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static void
fragments_are_cut_from_the_whole_packet(void **state)
{
    static const char lines[] = "0 > ACK \"0123456789abcdef\"\n"
                                "0 > ACK seq 0 \"0123456789abcdef\" frag 0x1234 0 24\n"
                                "0 > ACK seq 0 \"0123456789abcdef\" frag 0x1234 24 12\n"
                                "0 > ACK seq 0 \"0123456789abcdef\" frag 0x1234 24 8 more 0\n";
    static const uint8_t first[] = { 0x45, 0, 0, 44, 0x12, 0x34, 0x20, 0, 64, 6, 0x7c, 0x96 };
    static const uint8_t last[] = { 0x45, 0, 0, 32, 0x12, 0x34, 0, 3, 64, 6, 0x9c, 0x9f };

    (void)state;
    assert_int_equal(read_lines(lines), 4);
    assert_int_equal(fx->frame[1].frame.n, ETHERNET + IPV4 + 24);
    assert_memory_equal(fx->frame[1].frame.data + ETHERNET, first, sizeof(first));
    assert_memory_equal(tcp_of(1), tcp_of(0), 24);
    assert_int_equal(fx->frame[2].frame.n, ETHERNET + IPV4 + 12);
    assert_memory_equal(fx->frame[2].frame.data + ETHERNET, last, sizeof(last));
    assert_memory_equal(tcp_of(2), tcp_of(0) + 24, 12);
    assert_int_equal(fx->frame[3].frame.n, ETHERNET + IPV4 + 8);
    assert_int_equal(fx->frame[3].frame.data[ETHERNET + 6], 0);
}

static void
an_ipv6_fragment_has_a_header_of_its_own(void **state)
{
    static const char text[] = "flow udp [2001:db8::1]:1 > [2001:db8::2]:2\n"
                               "0 > \"0123456789abcdef\" frag 0x12345678 8 8\n";
    static const uint8_t header[] = { 17, 0, 0, 9, 0x12, 0x34, 0x56, 0x78 };
    const uint8_t *ip = fx->frame[0].frame.data + ETHERNET;

    (void)state;
    assert_int_equal(read_script(text, sizeof(text) - 1), 1);
    assert_int_equal(fx->frame[0].frame.n, ETHERNET + 40 + 8 + 8);
    assert_int_equal(ip[5], 16);
    assert_int_equal(ip[6], 44);
    assert_memory_equal(ip + 40, header, sizeof(header));
    assert_memory_equal(ip + 48, "01234567", 8);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_syn_is_written_byte_by_byte),
        TEST(a_tunnel_is_written_byte_by_byte),
        TEST(tunnels_need_a_link_that_carries_them),
        TEST(numbers_go_on_by_themselves),
        TEST(a_hole_is_acknowledged_when_it_is_filled),
        TEST(lost_is_not_acknowledged_unseen_is_and_injected_counts_for_nobody),
        TEST(bytes_are_text_hex_and_fill),
        TEST(cut_keeps_the_length_on_the_wire),
        TEST(fragments_are_cut_from_the_whole_packet),
        TEST(an_ipv6_fragment_has_a_header_of_its_own),
        TEST(errors_name_their_line),
        TEST(what_does_not_fit_is_an_error),
        TEST(a_broken_option_is_written_as_it_is),
        TEST(more_holes_than_are_kept_are_an_error),
        TEST(every_prefix_ends_cleanly),
        TEST(every_character_may_be_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
