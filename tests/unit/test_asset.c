/* Assets, connections, and their lines. */
#include "asset.h"
#include "asset_log.h"
#include "conn.h"
#include "conn_log.h"
#include "support/capture_out.h"

#include <weir/error.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct assets assets;

static int
set_up(void **state)
{
    (void)state;
    return assets_new(&assets, 1000, 3) != WEIR_E_OK;
}

static int
tear_down(void **state)
{
    (void)state;
    assets_free(&assets);
    return 0;
}

static struct asset *
host(uint8_t last)
{
    struct weir_addr addr = { { 10, 0, 0, last,
                                0xee } }; /* what is behind the address is ignored */
    bool made;

    return assets_get(&assets, 4, &addr, &made);
}

static void
an_address_is_one_asset(void **state)
{
    struct weir_addr six = { { 10, 0, 0, 1 } };
    bool made;

    (void)state;
    assert_ptr_equal(host(1), host(1));
    assert_ptr_not_equal(host(1), host(2));
    assert_ptr_not_equal(host(1), assets_get(&assets, 6, &six, &made));
    assert_true(made);
}

static void
a_system_is_news_once_a_kind(void **state)
{
    (void)state;
    assert_true(asset_is_new_os(&assets, host(1), DETECT_SYN, 5));
    assert_false(asset_is_new_os(&assets, host(1), DETECT_SYN, 5));
    assert_true(asset_is_new_os(&assets, host(1), DETECT_SYN, 6));
    assert_true(asset_is_new_os(&assets, host(1), DETECT_SYNACK, 5));
    assert_true(asset_is_new_os(&assets, host(2), DETECT_SYN, 5));
    assert_false(asset_is_new_os(&assets, host(1), DETECT_SYN, 5));
}

static enum asset_news
service(const char *application, bool *server)
{
    return asset_service(&assets, host(1), 6, 80, application, server);
}

static void
a_custom_gives_way_at_once(void **state)
{
    bool server = false;

    (void)state;
    assert_int_equal(service("@www", &server), ASSET_NEW);
    assert_int_equal(service("@www", &server), ASSET_OLD);
    assert_int_equal(service("one", &server), ASSET_CHANGED);
    assert_int_equal(service("@www", &server), ASSET_OLD);
}

static void
another_change_is_news_the_202nd_time(void **state)
{
    bool server = false;

    (void)state;
    assert_int_equal(service("one", &server), ASSET_NEW);
    for (int i = 0; i < 150; i++)
        assert_int_equal(service("two", &server), ASSET_OLD);
    assert_int_equal(service("one", &server), ASSET_OLD); /* begins anew */
    for (int i = 0; i < 201; i++)
        assert_int_equal(service("two", &server), ASSET_OLD);
    assert_int_equal(service("two", &server), ASSET_CHANGED);
    assert_int_equal(service("two", &server), ASSET_OLD);
}

/* The role is no part of what a service is known by: the first one stays. */
static void
the_role_stays(void **state)
{
    bool server = false;

    (void)state;
    assert_int_equal(service("@www", &server), ASSET_NEW);
    server = true;
    assert_int_equal(service("one", &server), ASSET_CHANGED);
    assert_false(server);
    server = true;
    assert_int_equal(asset_service(&assets, host(1), 17, 80, "one", &server), ASSET_NEW);
    assert_true(server);
}

static void
full_tables_have_no_news(void **state)
{
    bool server = false, made;

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        struct weir_addr addr = { { 11, 0, (uint8_t)(i >> 8), (uint8_t)i } };

        assert_non_null(assets_get(&assets, 4, &addr, &made));
    }
    assert_null(host(9));
    assert_int_equal(assets.hosts.refused, 1);
    for (uint32_t i = 0; i < 4000; i++)
        assert_true(asset_is_new_os(&assets, table_at(&assets.hosts, 0), DETECT_SYN, i));
    assert_false(asset_is_new_os(&assets, table_at(&assets.hosts, 1), DETECT_SYN, 1));
    assert_int_equal(asset_service(&assets, table_at(&assets.hosts, 1), 6, 1, "x", &server),
                     ASSET_OLD);
    assert_int_equal(assets.records.refused, 2);
}

static void
a_card_is_news_when_it_changes(void **state)
{
    static const uint8_t one[6] = { 1, 2, 3, 4, 5, 6 }, two[6] = { 1, 2, 3, 4, 5, 7 };

    (void)state;
    assert_int_equal(asset_set_mac(host(1), one), ASSET_NEW);
    assert_int_equal(asset_set_mac(host(1), one), ASSET_OLD);
    assert_int_equal(asset_set_mac(host(1), two), ASSET_CHANGED);
}

static const char *
finish(struct out *out)
{
    static char text[4096];

    out_flush(out);
    capture_text(text, sizeof(text));
    capture_close(out);
    return text;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static void
is_written(void write_news(struct out *out, const struct news *news), const struct news *news,
           const char *expected)
{
    struct out out;

    capture_open(&out);
    write_news(&out, news);
    assert_string_equal(finish(&out), expected);
}

static const struct asset asset4 = { .addr = { { 10, 0, 0, 1 } }, .version = 4, .vlan = 5 };

static void
systems_are_written_in_three_forms(void **state)
{
    const struct news news = { .what = DETECT_SYN,
                               .asset = &asset4,
                               .time = 1700000000,
                               .port = 40000,
                               .proto = 6,
                               .distance = 4,
                               .fingerprint = "S4:60:1:44:M1460:.",
                               .shown = "shown",
                               .os = "Linux",
                               .detail = "2.6, 7",
                               .mss = 1460,
                               .uptime = 720001 };

    (void)state;
    is_written(asset_log_file, &news,
               "10.0.0.1,5,40000,6,SYN,[S4:60:1:44:M1460:.:Linux:2.6, 7:link:ethernet/modem:"
               "uptime:2hrs],4,1700000000\n");
    is_written(asset_log_stdout, &news,
               "10.0.0.1,[vlan:5],[syn:shown],[Linux:2.6, 7],[link:ethernet/modem],[uptime:2hrs],"
               "[distance:4]\n");
    is_written(asset_log_fifo, &news, "03\n10.0.0.1\n167772161\n16540\n6\n1700000000\n.\n");
}

static void
services_are_written_in_three_forms(void **state)
{
    const struct conn conn = { .key = { .addr = { { { 10, 0, 0, 1 } }, { { 10, 0, 0, 2 } } },
                                        .port = { 22, 40000 },
                                        .proto = 6,
                                        .version = 4 },
                               .client_high = true };
    const struct news news = { .what = DETECT_SERVER,
                               .asset = &asset4,
                               .time = 1700000003,
                               .port = 22,
                               .proto = 6,
                               .service = "ssh",
                               .application = "OpenSSH 9",
                               .conn = &conn };

    (void)state;
    is_written(asset_log_file, &news, "10.0.0.1,5,22,6,SERVER,[ssh:OpenSSH 9],0,1700000003\n");
    is_written(asset_log_stdout, &news,
               "10.0.0.1,[vlan:5],[service:OpenSSH 9:22:6],[distance:0]\n");
    is_written(asset_log_fifo, &news,
               "01\n10.0.0.1\n167772162\n10.0.0.1\n167772161\n40000\n22\n6\nssh\nOpenSSH 9\n"
               "1700000003\n505241445320534552564552\n.\n");
}

static void
cards_are_written_in_three_forms(void **state)
{
    struct asset asset = { .addr = { { 10, 0, 0, 1 } },
                           .version = 4,
                           .has_mac = true,
                           .mac = { 0, 0x0c, 0x29, 1, 2, 0xab } };
    const struct news news = { .what = DETECT_ARP, .asset = &asset, .time = 7 };

    (void)state;
    is_written(asset_log_file, &news, "10.0.0.1,0,0,0,ARP,[00:0C:29:01:02:AB],0,7\n");
    asset.vendor = "Vmware";
    is_written(asset_log_file, &news, "10.0.0.1,0,0,0,ARP,[00:0C:29:01:02:AB,(Vmware)],0,7\n");
    is_written(asset_log_stdout, &news, "10.0.0.1,[arp:00:0C:29:01:02:AB],Vmware\n");
    is_written(asset_log_fifo, &news, "02\n10.0.0.1\n167772161\nVmware\n00:0C:29:01:02:AB\n7\n.\n");
}

/* ---- connections ----------------------------------------------------------------------------- */

static struct weir_packet
packet(uint8_t proto, uint8_t from, uint16_t sport, uint8_t to, uint16_t dport)
{
    return (struct weir_packet){ .ip_version = 4,
                                 .proto = proto,
                                 .src = { { 10, 0, 0, from } },
                                 .dst = { { 10, 0, 0, to } },
                                 .src_port = sport,
                                 .dst_port = dport,
                                 .time = UINT64_C(1700000000) * 1000000000 };
}

static void
both_directions_are_one_connection(void **state)
{
    struct weir_packet there = packet(6, 9, 4000, 2, 80), back = packet(6, 2, 80, 9, 4000);
    struct weir_packet udp = packet(17, 9, 4000, 2, 80);
    struct weir_packet sctp = packet(132, 9, 1, 2, 2), igmp = packet(2, 2, 0, 9, 0);
    struct conns conns;
    struct conn *conn;
    bool made;

    (void)state;
    assert_int_equal(conns_new(&conns, 100, 1), WEIR_E_OK);
    conn = conns_get(&conns, &there, &made);
    assert_true(made);
    assert_int_equal(conn_port(conn, CONN_CLIENT), 4000);
    assert_int_equal(conn_addr(conn, CONN_SERVER)->b[3], 2);
    assert_ptr_equal(conns_get(&conns, &back, &made), conn);
    assert_false(made);
    assert_ptr_not_equal(conns_get(&conns, &udp, &made), conn);
    assert_ptr_equal(conns_get(&conns, &sctp, &made), conns_get(&conns, &igmp, &made));
    conn->packets[CONN_CLIENT] = 3;
    conn_swap(conn);
    assert_int_equal(conn_port(conn, CONN_CLIENT), 80);
    assert_int_equal(conn->packets[CONN_SERVER], 3);
    conns_free(&conns);
}

static void
connections_end_by_their_kind(void **state)
{
    struct conn conn = { .key = { .proto = 6 }, .last = 1000 };

    (void)state;
    assert_int_equal(conn_is_over(&conn, 1300), CONN_LIVES);
    assert_int_equal(conn_is_over(&conn, 1301), CONN_EXPIRED);
    conn.tcp_flags[0] = WEIR_TH_FIN;
    assert_int_equal(conn_is_over(&conn, 1100), CONN_LIVES);
    conn.tcp_flags[1] = WEIR_TH_FIN;
    assert_int_equal(conn_is_over(&conn, 1005), CONN_LIVES);
    assert_int_equal(conn_is_over(&conn, 1006), CONN_ENDED);
    conn.tcp_flags[0] = WEIR_TH_RST;
    assert_int_equal(conn_is_over(&conn, 1006), CONN_ENDED);
    conn.key.proto = 17;
    assert_int_equal(conn_is_over(&conn, 1060), CONN_LIVES);
    assert_int_equal(conn_is_over(&conn, 1061), CONN_EXPIRED);
    conn.key.proto = 0;
    assert_int_equal(conn_is_over(&conn, 1300), CONN_LIVES);
    assert_int_equal(conn_is_over(&conn, 999), CONN_LIVES);
}

static void
connections_are_written(void **state)
{
    struct weir_packet pkt = packet(6, 1, 40000, 2, 22);
    struct conns conns;
    struct conn *conn;
    struct out out;
    bool made;

    (void)state;
    assert_int_equal(conns_new(&conns, 100, 1), WEIR_E_OK);
    conn = conns_get(&conns, &pkt, &made);
    conn->last = 1700000003;
    conn->packets[0] = 2;
    conn->bytes[0] = 60;
    conn->packets[1] = 2;
    conn->bytes[1] = 92;
    conn->tcp_flags[0] = 18;
    conn->tcp_flags[1] = 26;
    capture_open(&out);
    conn_log_line(&out, conn, "[expired]");
    conn_log_line(&out, conn, NULL);
    conn_log_packet(&out, conn);
    assert_string_equal(
        finish(&out),
        "1700000000000000001|2023-11-14 22:13:20|2023-11-14 22:13:23|3|6|10.0.0.1|40000|10.0.0.2|22"
        "|2|60|2|92|18|26|[expired]\n"
        "1700000000000000001|2023-11-14 22:13:20|2023-11-14 22:13:23|3|6|167772161|40000|167772162"
        "|22|2|60|2|92|18|26\n"
        "conn[   1] 10.0.0.1:40000 -> 10.0.0.2:22\n");
    conns_free(&conns);
}

#define WITH_ASSETS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ASSETS(an_address_is_one_asset),
        WITH_ASSETS(a_system_is_news_once_a_kind),
        WITH_ASSETS(a_custom_gives_way_at_once),
        WITH_ASSETS(another_change_is_news_the_202nd_time),
        WITH_ASSETS(the_role_stays),
        WITH_ASSETS(full_tables_have_no_news),
        WITH_ASSETS(a_card_is_news_when_it_changes),
        cmocka_unit_test(systems_are_written_in_three_forms),
        cmocka_unit_test(services_are_written_in_three_forms),
        cmocka_unit_test(cards_are_written_in_three_forms),
        cmocka_unit_test(both_directions_are_one_connection),
        cmocka_unit_test(connections_end_by_their_kind),
        cmocka_unit_test(connections_are_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
