/* Fingerprints of packets, and their signatures. */
#include "decode.h"
#include "fingerprint.h"
#include "signature_fp.h"

#include <weir/error.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A TCP packet over IPv4, decoded: options padded by the caller to whole words. */
static void
make_tcp(uint8_t flags, const void *options, uint8_t n, const char *data, struct weir_packet *pkt)
{
    static uint8_t ip[200];
    struct weir_frame frame = { .data = ip, .link = 101 };
    struct decode_fault fault;
    size_t payload = strlen(data), total = 40U + n + payload;

    memset(ip, 0, sizeof(ip));
    memcpy(ip, "\x45\0\0\0\0\1\x40\0\x40\6\0\0\x0a\0\0\1\x0a\0\0\2", 20);
    ip[2] = (uint8_t)(total >> 8);
    ip[3] = (uint8_t)total;
    memcpy(ip + 20, "\x9c\x40\0\x16\0\0\3\xe8\0\0\0\0\0\0\x16\xd0\0\0\0\0", 20);
    ip[31] = flags & 0x10 ? 1 : 0;
    ip[32] = (uint8_t)((20 + n) / 4 << 4);
    ip[33] = flags;
    memcpy(ip + 40, options, n);
    memcpy(ip + 40 + n, data, payload);
    frame.caplen = frame.wirelen = (uint32_t)total;
    assert_int_equal(decode(&frame, pkt, &fault), DECODE_FLOW);
}

static void
is_printed(enum fp_kind kind, enum fp_form form, uint8_t flags, const void *options, uint8_t n,
           const char *data, const char *expected)
{
    struct weir_packet pkt;
    struct fingerprint fp;
    char text[FP_TEXT_MAX];

    make_tcp(flags, options, n, data, &pkt);
    fp_take(&pkt, kind, &fp);
    assert_int_equal(fp_text(&fp, kind, form, text), strlen(expected));
    assert_string_equal(text, expected);
}

static void
fingerprints_are_printed_as_by_prads(void **state)
{
    static const uint8_t usual[] = "\2\4\5\xb4\4\2\x08\x0a\0\x10\0\0\0\0\0\0\1\3\3\7";
    static const uint8_t second[] = "\1\1\x08\x0a\0\0\0\0\0\0\0\2";

    (void)state;
    is_printed(FP_SYN, FP_PLAIN, 2, usual, 20, "", "S4:64:1:60:M1460,S,T,N,W7:.");
    is_printed(FP_SYNACK, FP_PLAIN, 18, usual, 20, "", "S4:64:1:60:M1460,S,T,N,W7:A");
    is_printed(FP_SYN, FP_PLAIN, 2, "", 0, "abc", "S4:64:1:43:.:D");
    is_printed(FP_SYN, FP_PLAIN, 2 | 8, "\4\2\1\1", 4, "", "S4:64:1:44:S,N,N:F");
    is_printed(FP_FIN, FP_PLAIN, 17, second, 12, "", "S4:64:1:52:N,N,T0:ATFN");
    is_printed(FP_RST, FP_PLAIN, 20, "", 0, "", "S4:64:1:40:.:KA");
    is_printed(FP_ACK, FP_PLAIN, 24, "", 0, "abc", "S4:64:1:0:.:A");
    is_printed(FP_ACK, FP_STDOUT, 24, "", 0, "abc", "S4:64:1:*:E,E,E:A");
    is_printed(FP_RST, FP_STDOUT, 4, "", 0, "", "S4:64:1:*:.:.");
    is_printed(FP_SYN, FP_PLAIN, 2, "", 0,
               "0123456789012345678901234567890123456789012345678901234567890",
               "S4:64:1:*(101):.:D");
}

/* What is odd in a list of options. */
static void
odd_options_are_listed_as_by_prads(void **state)
{
    (void)state;
    is_printed(FP_SYN, FP_PLAIN, 2, "\0\0\0\0", 4, "", "S4:64:1:44:E,E,E,E:P");
    is_printed(FP_SYN, FP_PLAIN, 2, "\4\2\0\0", 4, "", "S4:64:1:44:S,E,E:P");
    is_printed(FP_SYN, FP_PLAIN, 2, "\x1e\4\0\0\1\1\1\1", 8, "", "S4:64:1:48:?30,N,N,N,N:.");
    is_printed(FP_SYN, FP_PLAIN, 2, "\x1e\1\1\1", 4, "", "S4:64:1:44:?30,N,N,N:.");
    is_printed(FP_SYN, FP_PLAIN, 2, "\1\x1e\x08\0", 4, "", "S4:64:1:44:N,?30:.");
    is_printed(FP_SYN, FP_PLAIN, 2, "\1\x1e\0\0", 4, "", "S4:64:1:44:N.:!");
    is_printed(FP_SYN, FP_PLAIN, 2, "\1\x1e\x22\0", 4, "", "S4:64:1:44:N.:!");
    is_printed(FP_SYN, FP_PLAIN, 2, "\x08\1\1\1", 4, "", "S4:64:1:44:.:!");
    is_printed(FP_SYN, FP_PLAIN, 2, "\1\1\1\4", 4, "", "S4:64:1:44:N,N,N,S:.");
    is_printed(FP_SYN, FP_PLAIN, 2, "\1\1\2\4", 4, "", "S4:64:1:44:N,N:!");
    is_printed(FP_SYN, FP_PLAIN, 2, "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1", 16, "",
               "S4:64:1:56:N,N,N,N,N,N,N,N,N,N,N,N,N,N,N:!");
}

static void
windows_are_multiples(void **state)
{
    static const struct {
        uint16_t window, mss;
        const char *text;
    } cases[] = {
        { 0, 1460, "0:" },       { 1460, 536, "S1:" },  { 5840, 100, "S4:" },
        { 4500, 1460, "T3:" },   { 4500, 100, "S45:" }, { 12345, 0, "*(12345):" },
        { 12345, 1, "S12345:" }, { 777, 0, "777:" },    { 1072 + 80, 536, "T2:" },
    };
    char text[FP_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fingerprint fp = { .window = cases[i].window, .mss = cases[i].mss };

        fp_text(&fp, FP_SYN, FP_PLAIN, text);
        assert_memory_equal(text, cases[i].text, strlen(cases[i].text));
    }
}

static void
udp_and_icmp_are_printed_as_by_prads(void **state)
{
    static const uint8_t udp[] = "\x45\5\0\x1c\0\0\x40\0\x40\x11\0\0\x0a\0\0\1\x0a\0\0\2"
                                 "\0\1\0\2\0\x08\0\0";
    static const uint8_t icmp[] = "\x46\0\0\x20\0\1\0\0\x4d\1\0\0\x0a\0\0\1\x0a\0\0\2\1\1\1\1"
                                  "\x08\1\0\0\0\0\0\0";
    struct weir_frame frame = { .data = udp, .caplen = 28, .wirelen = 28, .link = 101 };
    struct decode_fault fault;
    struct weir_packet pkt;
    char text[FP_TEXT_MAX];

    (void)state;
    assert_int_equal(decode(&frame, &pkt, &fault), DECODE_FLOW);
    fp_udp_text(&pkt, text);
    assert_string_equal(text, "20:64:1:0:64:5:ZI");
    frame.data = icmp;
    frame.caplen = frame.wirelen = 32;
    assert_int_equal(decode(&frame, &pkt, &fault), DECODE_FLOW);
    fp_icmp_text(&pkt, text);
    assert_string_equal(text, "0:8:1:128:0:4:32:0:I");
}

static void
links_are_known_by_their_mtu(void **state)
{
    (void)state;
    assert_string_equal(fp_link(1500), "ethernet/modem");
    assert_string_equal(fp_link(256), "radio modem");
    assert_string_equal(fp_link(18000), "token ring x4");
    assert_null(fp_link(1501));
}

/* ---- signatures ------------------------------------------------------------------------------ */

/* What is read points into the text: one list lives at a time. */
static struct fp_list *
parse(const char *text)
{
    static char copy[1000];
    struct weir_errbuf err = { "" };
    struct fp_list *list;

    assert_int_equal(fp_list_parse(strcpy(copy, text), "test", true, &list, &err), WEIR_E_OK);
    return list;
}

static const char *
match(const struct fp_list *list, enum fp_kind kind, struct fingerprint fp)
{
    const struct fp_signature *sig = fp_list_match(list, &fp, kind);

    return sig != NULL ? sig->detail : "none";
}

static const struct fingerprint plain = { .window = 5840,
                                          .size = 60,
                                          .mss = 1460,
                                          .ttl = 64,
                                          .wscale = 7,
                                          .n_options = 3,
                                          .df = true,
                                          .option = { 2, 4, 3 } };

static void
the_first_signature_that_fits_wins(void **state)
{
    struct fp_list *list = parse("# comment\n"
                                 "\n"
                                 "S5:64:1:60:M*,S,W7:.:One:other window\n"
                                 "S4:64:1:60:M*,S,W%2:.:One:other scale\n"
                                 "S4:60:1:60:M*,S,W7:.:One:lower ttl\n"
                                 "S4:64:1:60:M*,S,W7:.:-@One:first \n"
                                 "*:64:1:60:M*,S,W*:.:One:second\n");
    struct fingerprint fp = plain;

    (void)state;
    assert_int_equal(fp_list_size(list), 5);
    assert_string_equal(match(list, FP_SYN, fp), "first");
    assert_string_equal(fp_list_match(list, &fp, FP_SYN)->os, "One");
    fp.window = 77;
    assert_string_equal(match(list, FP_SYN, fp), "second");
    fp.quirks = FP_DATA;
    assert_string_equal(match(list, FP_SYN, fp), "none");
    fp_list_free(list);
}

/* Without DF nothing fits: it is tried with DF, which stays. */
static void
df_is_tried(void **state)
{
    struct fp_list *list = parse("*:64:1:60:M*,S,W*:.:One:with df\n");
    struct fingerprint fp = plain;

    (void)state;
    fp.df = false;
    assert_non_null(fp_list_match(list, &fp, FP_SYN));
    assert_true(fp.df);
    fp_list_free(list);
}

/* Sizes from 100 on are one, but which are found is an accident of the buckets. */
static void
any_size_is_found_by_accident(void **state)
{
    struct fp_list *list = parse("S4:64:1:*:.:AFDN:Linux:arm\n");
    struct fingerprint fp = { .window = 5840,
                              .ttl = 64,
                              .df = true,
                              .quirks = FP_ACK_NUM | FP_FLAGS | FP_DATA | FP_FIN_ACK };

    (void)state;
    for (fp.size = 60; fp.size < 900; fp.size++)
        assert_string_equal(match(list, FP_FIN, fp),
                            fp.size == 305 || fp.size == 546 || fp.size == 851 ? "arm" : "none");
    fp.size = 0;
    assert_string_equal(match(list, FP_ACK, fp), "arm");
    fp_list_free(list);
}

static void
wrong_lines_are_told(void **state)
{
    static const char *const wrong[] = {
        "S4:64:1:60:M*:.:One",     "S4:64:1:60:M*:.:One:a:b", "X4:64:1:60:M*:.:One:a",
        "S4:256:1:60:M*:.:One:a",  "S4:64:2:60:M*:.:One:a",   "S4:64:1:x:M*:.:One:a",
        "S4:64:1:60:M*,Q:.:One:a", "S4:64:1:60:M*:E:One:a",   "S4:64:1:60:M%0:.:One:a",
        "S4:64:1:60:M*:K:One:a",
    };
    struct weir_errbuf err;
    struct fp_list *list;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char copy[100];

        assert_int_equal(fp_list_parse(strcpy(copy, wrong[i]), "test", false, &list, &err),
                         WEIR_E_SYNTAX);
        assert_memory_equal(err.text, "test: near '", 12);
        assert_null(list);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fingerprints_are_printed_as_by_prads),
        cmocka_unit_test(odd_options_are_listed_as_by_prads),
        cmocka_unit_test(windows_are_multiples),
        cmocka_unit_test(udp_and_icmp_are_printed_as_by_prads),
        cmocka_unit_test(links_are_known_by_their_mtu),
        cmocka_unit_test(the_first_signature_that_fits_wins),
        cmocka_unit_test(df_is_tried),
        cmocka_unit_test(any_size_is_found_by_accident),
        cmocka_unit_test(wrong_lines_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
