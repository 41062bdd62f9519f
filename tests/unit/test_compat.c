/* Command line and configuration of PRADS, its counters, its DNS lines. */
#include "compat_dns.h"
#include "compat_options.h"
#include "compat_stats.h"
#include "support/capture_out.h"

#include <weir/error.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- options --------------------------------------------------------------------------------- */

static int
parse(struct compat_options *opts, const char *line)
{
    static char copy[400];
    static char program[] = "weir-prads", config[] = "-c", none[] = "/dev/null";
    char *argv[40] = { program, config, none };
    int argc = 3;

    for (char *word = strtok(strcpy(copy, line), " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;
    return compat_options_parse(opts, argc, argv);
}

static void
without_options_prads_looks_for_the_usual(void **state)
{
    struct compat_options opts;

    (void)state;
    assert_int_equal(parse(&opts, "--compat"), -1);
    assert_int_equal(opts.checks, CHECK_SYN | CHECK_SYNACK | CHECK_RST | CHECK_FIN | CHECK_MAC |
                                      CHECK_SERVICE_TCP | CHECK_CLIENT_TCP | CHECK_SERVICE_UDP);
    assert_null(opts.text[TEXT_LOG]);
    assert_false(opts.quiet || opts.dns || opts.connections || opts.daemon);
    compat_options_free(&opts);
}

static void
letters_choose(void **state)
{
    struct compat_options opts;

    (void)state;
    assert_int_equal(parse(&opts, "-XFTt -M -qvv -s 20 -OZ -l out -f fifo -a 10.0.0.0/8 -b udp"),
                     -1);
    assert_int_equal(opts.checks,
                     CHECK_FIN | CHECK_SERVICE_TCP | CHECK_CLIENT_TCP | CHECK_MAC | CHECK_ARP);
    assert_int_equal(opts.verbose, 2);
    assert_int_equal(opts.payload, 20);
    assert_true(opts.quiet && opts.packets && opts.connections && opts.dns);
    assert_string_equal(opts.text[TEXT_LOG], "out");
    assert_string_equal(opts.text[TEXT_FIFO], "fifo");
    assert_string_equal(opts.text[TEXT_NETS], "10.0.0.0/8");
    assert_string_equal(opts.text[TEXT_FILTER], "udp");
    compat_options_free(&opts);
}

/* In the original it swallows the next word. */
static void
d_takes_no_argument(void **state)
{
    struct compat_options opts;

    (void)state;
    assert_int_equal(parse(&opts, "-d -r x.pcap"), -1);
    assert_true(opts.keep_privileges);
    assert_string_equal(opts.text[TEXT_FILE], "x.pcap");
    compat_options_free(&opts);
}

static void
long_options_are_ours(void **state)
{
    struct compat_options opts;

    (void)state;
    assert_int_equal(parse(&opts, "--sig-dir d --max-assets 7 --max-connections=8 --memcap 1G"),
                     -1);
    assert_string_equal(opts.text[TEXT_SIG_DIR], "d");
    assert_int_equal(opts.max_assets, 7);
    assert_int_equal(opts.max_connections, 8);
    assert_int_equal(opts.memcap, 1 << 30);
    compat_options_free(&opts);
    assert_int_equal(parse(&opts, "--max-assets 0"), 1);
    compat_options_free(&opts);
    assert_int_equal(parse(&opts, "-z"), 1);
    compat_options_free(&opts);
}

static void
configuration_is_read_as_by_prads(void **state)
{
    char text[] = "# comment\n"
                  "ARP=1\n"
                  "os_icmp = 1\n" /* a blank in the key: it means nothing */
                  "os_udp= 1 # really\n"
                  "os_syn_fingerprint=0\n"
                  "daemon=1\n"
                  "asset_log=  /tmp/log \n"
                  "home_nets=10.0.0.0/8\n"
                  "sig_file_syn=ignored\n"
                  "no equals\n";
    struct compat_options opts = { .checks = CHECK_SYN | CHECK_FIN };

    (void)state;
    compat_config_parse(&opts, text);
    assert_int_equal(opts.checks, CHECK_FIN | CHECK_ARP | CHECK_UDP_OS);
    assert_true(opts.daemon);
    assert_string_equal(opts.text[TEXT_LOG], "/tmp/log");
    assert_string_equal(opts.text[TEXT_NETS], "10.0.0.0/8");
    compat_options_free(&opts);
}

/* ---- counters -------------------------------------------------------------------------------- */

static void
packets_are_counted_by_their_headers(void **state)
{
    static const uint8_t arp[14] = { [12] = 8, [13] = 6 }, odd[14] = { [12] = 0x12 };
    static const uint8_t six[14] = { [12] = 0x86, [13] = 0xdd };
    struct weir_packet pkt = { .link = 1, .frame = arp, .caplen = 14 };
    struct compat_stats stats = { { 0 } };

    (void)state;
    compat_stats_packet(&stats, &pkt, false);
    pkt.frame = odd;
    compat_stats_packet(&stats, &pkt, false);
    pkt = (struct weir_packet){ .link = 1,
                                .frame = six,
                                .caplen = 14,
                                .ip_version = 4,
                                .proto = 17,
                                .tunnel = 1,
                                .n_vlan = 1 };
    pkt.n_vlan = 0;
    compat_stats_packet(&stats, &pkt, true);
    assert_int_equal(stats.at[COUNT_PACKETS], 3);
    assert_int_equal(stats.at[COUNT_ETHERNET], 3);
    assert_int_equal(stats.at[COUNT_ARP], 1);
    assert_int_equal(stats.at[COUNT_OTHER_LINK], 1);
    assert_int_equal(stats.at[COUNT_IPV4], 1);
    assert_int_equal(stats.at[COUNT_IPV6], 1);
    assert_int_equal(stats.at[COUNT_IP_IN_IPV6], 1);
    assert_int_equal(stats.at[COUNT_UDP], 1);
}

static void
tags_that_say_only_how_urgent_are_tags(void **state)
{
    static const uint8_t arp[18] = { [12] = 0x81, [14] = 0xe0, [16] = 8, [17] = 6 };
    struct weir_packet pkt = { .link = 1, .frame = arp, .caplen = 18 };
    struct compat_stats stats = { { 0 } };

    (void)state;
    compat_stats_packet(&stats, &pkt, false);
    assert_int_equal(stats.at[COUNT_ARP], 1);
    assert_int_equal(stats.at[COUNT_VLAN], 1);
    pkt.caplen = 17;
    compat_stats_packet(&stats, &pkt, false);
    assert_int_equal(stats.at[COUNT_ARP], 1);
    assert_int_equal(stats.at[COUNT_OTHER_LINK], 1);
}

/* ---- DNS ------------------------------------------------------------------------------------- */

static const char *
dns(const uint8_t *data, size_t n)
{
    static char text[4096];
    struct out out;
    bool read;

    capture_open(&out);
    read = compat_dns_text(&out, data, n);
    out_end_record(&out);
    out_flush(&out);
    capture_text(text, sizeof(text));
    capture_close(&out);
    if (!read)
        assert_string_equal(text, "");
    return read ? text : "unreadable";
}

/* A question for a.b, and three answers: its address, an alias, and a mail server. */
static const uint8_t answer[] = "\x12\x34\x81\x80\0\1\0\3\0\0\0\1"
                                "\1a\3b c\0\0\1\0\1"
                                "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\1\2\3\4"
                                "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\4\1x\xc0\x0e"
                                "\xc0\x0c\0\x0f\0\1\0\0\0\x3c\0\5\0\x0a\1m\0"
                                "\0\0\x29\x10\0\0\0\0\0\0\0";

static void
dns_messages_are_one_line(void **state)
{
    (void)state;
    assert_string_equal(dns(answer, sizeof(answer) - 1),
                        "QUERY,NOERROR,4660,qr|rd|ra||1||a.b\\032c,IN,A||3||a.b\\032c,IN,A,60,"
                        "1.2.3.4||a.b\\032c,IN,CNAME,60,x.b\\032c||a.b\\032c,IN,MX,60,10,m||0||1||"
                        ".,4096,4096,0,[0]");
}

static void
every_prefix_of_a_message_is_safe(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof(answer) - 1; n++) {
        uint8_t *copy = malloc(n + 1);

        memcpy(copy, answer, n);
        assert_string_equal(dns(copy, n), "unreadable");
        free(copy);
    }
}

static void
names_that_lead_nowhere_end(void **state)
{
    static const uint8_t loop[] = "\0\1\x81\x80\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1";
    static const uint8_t beyond[] = "\0\1\x81\x80\0\1\0\0\0\0\0\0\xff\xff\0\1\0\1";
    static const uint8_t reserved[] = "\0\1\x81\x80\0\1\0\0\0\0\0\0\x80\0\0\1\0\1";

    (void)state;
    assert_string_equal(dns(loop, sizeof(loop) - 1), "unreadable");
    assert_string_equal(dns(beyond, sizeof(beyond) - 1), "unreadable");
    assert_string_equal(dns(reserved, sizeof(reserved) - 1), "unreadable");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_options_prads_looks_for_the_usual),
        cmocka_unit_test(letters_choose),
        cmocka_unit_test(d_takes_no_argument),
        cmocka_unit_test(long_options_are_ours),
        cmocka_unit_test(configuration_is_read_as_by_prads),
        cmocka_unit_test(packets_are_counted_by_their_headers),
        cmocka_unit_test(tags_that_say_only_how_urgent_are_tags),
        cmocka_unit_test(dns_messages_are_one_line),
        cmocka_unit_test(every_prefix_of_a_message_is_safe),
        cmocka_unit_test(names_that_lead_nowhere_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
