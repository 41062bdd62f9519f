/* Which protocol: by content, in either direction, however it is cut; ports only hint. */
#include "detect_proto.h"

#include "support/exact.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct detect_first first; /* of whatever is looked at */

struct row {
    enum app_proto want;
    enum weir_dir dir;
    uint16_t port;
    const char *bytes;
    size_t n;
};

#define ROW(want, dir, port, literal)                                                              \
    {                                                                                              \
        APP_##want, WEIR_##dir, port, literal, sizeof(literal) - 1                                 \
    }

static const struct row rows[] = {
    ROW(HTTP, TOSERVER, 9999, "GET / HTTP/1.1\r\n"),
    ROW(HTTP, TOCLIENT, 9999, "HTTP/1.0 200 OK\r\n"),
    ROW(HTTP, TOSERVER, 80, "XYZZY / HTTP/1.1\r\n"),
    ROW(UNKNOWN, TOSERVER, 81, "XYZZY / HTTP/1.1\r\n"),
    ROW(UNKNOWN, TOSERVER, 80, "GARBAGE, all of it.\r\n"),
    ROW(HTTP2, TOSERVER, 9999, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ROW(TLS, TOSERVER, 9999, "\x16\3\1\2\0\1\0\1\xfc"),
    ROW(TLS, TOCLIENT, 9999, "\x16\3\3\0\x4a\2\0\0"),
    ROW(TLS, TOSERVER, 9999, "\x80\x2e\1\3\1\0"),
    ROW(TLS, TOSERVER, 9999, "\x80\x2e\1\0\2\0"),
    ROW(UNKNOWN, TOSERVER, 443, "\x16\3\1\2\0\2\x40\1\xfc\3\3\0\0\0\0\0"),
    ROW(UNKNOWN, TOSERVER, 443, "\x16\2\1\2\0\1\x40\1\xfc\3\3\0\0\0\0\0"),
    ROW(SSH, TOSERVER, 9999, "SSH-2.0-x\r\n"),
    ROW(SSH, TOCLIENT, 9999, "SSH-1.99-x\r\n"),
    ROW(DNS, TOSERVER, 53, "\0\x1d\0\7\1\0\0\1\0\0\0\0\0\0\3www"),
    ROW(DNS, TOSERVER, 9999, "\0\x15\0\7\1\0\0\1\0\0\0\0\0\0\3abc\0\0\1\0\1"),
    ROW(UNKNOWN, TOSERVER, 9999, "\0\x15\0\7\1\0\0\1\0\0\0\0\0\0\3a\1c\0\0\1\0\1"),
    ROW(UNKNOWN, TOSERVER, 53, "\0\x0b\0\7\1\0\0\1\0\0\0\0\0\0\3www"),
    /* 1,500 questions, in a message that has room for them, or one byte less */
    ROW(DNS, TOSERVER, 53, "\x1d\x58\0\7\1\0\5\xdc\0\0\0\0\0\0\3www"),
    ROW(UNKNOWN, TOSERVER, 53, "\x1d\x57\0\7\1\0\5\xdc\0\0\0\0\0\0\3www"),
    ROW(UNKNOWN, TOSERVER, 53, "\x1d\x58\0\7\1\0\5\xdc\0\1\0\0\0\0\3www"),
    ROW(UNKNOWN, TOSERVER, 53, "\x1d\x58\0\7\x81\0\5\xdc\0\0\0\0\0\0\3www"),
    ROW(UNKNOWN, TOSERVER, 9999, "\x1d\x58\0\7\1\0\5\xdc\0\0\0\0\0\0\3www"),
    ROW(SMTP, TOCLIENT, 9999, "220 mx.example.org ESMTP Postfix\r\n"),
    ROW(SMTP, TOCLIENT, 25, "220 hello\r\n"),
    ROW(SMTP, TOSERVER, 9999, "ehlo me\r\n"),
    ROW(FTP, TOCLIENT, 9999, "220 (vsFTPd 3.0.3)\r\n"),
    ROW(FTP, TOCLIENT, 21, "220 hello\r\n"),
    ROW(UNKNOWN_YET, TOCLIENT, 9999, "220 hello\r\n"),
    ROW(POP3, TOCLIENT, 9999, "+OK ready\r\n"),
    ROW(IMAP, TOCLIENT, 9999, "* OK ready\r\n"),
    ROW(SMB, TOSERVER, 9999, "\0\0\0\x85\xffSMBr"),
    ROW(SMB, TOSERVER, 9999, "\0\0\0\x85\xfeSMB@"),
    ROW(RDP, TOSERVER, 3389, "\3\0\0\x13\x0e\xe0\0\0\0\0\0\1"),
    ROW(RFB, TOCLIENT, 9999, "RFB 003.008\n"),
    ROW(SIP, TOSERVER, 9999, "OPTIONS sip:x SIP/2.0\r\n"),
    ROW(RTSP, TOSERVER, 9999, "OPTIONS rtsp://x RTSP/1.0\r\n"),
    ROW(UNKNOWN_YET, TOSERVER, 9999, "\1\2\3\4"), /* may be a length and DNS */
    ROW(UNKNOWN, TOSERVER, 9999, "\1\2\3\4 and no DNS behind it"),
};

static enum app_proto
stream_in_pieces(const struct row *row, size_t piece)
{
    struct detect_proto d = { .first = &first };
    enum app_proto answer = APP_UNKNOWN_YET;

    for (size_t at = 0; at < row->n; at += piece) {
        const size_t n = row->n - at < piece ? row->n - at : piece;
        uint8_t *copy = exact_copy(row->bytes + at, n);

        answer = detect_stream(&d, (struct detect_ports){ row->port, 40000, false }, row->dir,
                               (struct weir_bytes){ copy, (uint32_t)n });
        free(copy);
    }
    return answer;
}

static void
first_bytes_tell(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (stream_in_pieces(&rows[i], 1000) != rows[i].want)
            fail_msg("row %zu: %s", i, app_proto_name(stream_in_pieces(&rows[i], 1000)));
}

/* OPTIONS and a space are HTTP before more is seen; the name of a server may come too late. */
static void
first_bytes_tell_one_by_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strncmp(rows[i].bytes, "OPTIONS", 7) != 0 &&
            stream_in_pieces(&rows[i], 1) != rows[i].want)
            fail_msg("row %zu: %s", i, app_proto_name(stream_in_pieces(&rows[i], 1)));
}

static enum app_proto
both(struct detect_proto *d, uint16_t port, enum weir_dir dir, const char *text)
{
    return detect_stream(d, (struct detect_ports){ port, 40000, false }, dir,
                         (struct weir_bytes){ (const uint8_t *)text, (uint32_t)strlen(text) });
}

static void
the_other_direction_decides_where_one_fits_two(void **state)
{
    struct detect_proto d = { .first = &first };

    (void)state;
    assert_int_equal(both(&d, 9999, WEIR_TOCLIENT, "220 hello\r\n"), APP_UNKNOWN_YET);
    assert_int_equal(both(&d, 9999, WEIR_TOSERVER, "USER me\r\n"), APP_FTP);
    d = (struct detect_proto){ .first = &first };
    assert_int_equal(both(&d, 9999, WEIR_TOCLIENT, "220 hello\r\n"), APP_UNKNOWN_YET);
    assert_int_equal(both(&d, 9999, WEIR_TOSERVER, "EHLO me\r\n"), APP_SMTP);
    d = (struct detect_proto){ .first = &first };
    assert_int_equal(both(&d, 9999, WEIR_TOCLIENT, "220 hello\r\n"), APP_UNKNOWN_YET);
    assert_int_equal(both(&d, 9999, WEIR_TOSERVER, "what is this\r\n"), APP_UNKNOWN);
    assert_int_equal(both(&d, 9999, WEIR_TOSERVER, "GET / HTTP/1.1"), APP_UNKNOWN); /* it stays */
}

static void
behind_a_gap_nothing_is_guessed(void **state)
{
    const struct detect_ports ports = { 80, 40000, false };
    struct detect_proto d = { .first = &first };

    (void)state;
    assert_int_equal(both(&d, 80, WEIR_TOSERVER, "GE"), APP_UNKNOWN_YET);
    assert_int_equal(detect_gap(&d, ports, WEIR_TOSERVER), APP_UNKNOWN);
    d = (struct detect_proto){ .first = &first };
    assert_int_equal(detect_gap(&d, ports, WEIR_TOSERVER), APP_UNKNOWN_YET);
    assert_int_equal(both(&d, 80, WEIR_TOSERVER, "GET / HTTP/1.1"), APP_UNKNOWN_YET);
    assert_int_equal(both(&d, 80, WEIR_TOCLIENT, "HTTP/1.1 200 OK"), APP_HTTP);
    d = (struct detect_proto){ .first = &first };
    detect_gap(&d, ports, WEIR_TOSERVER);
    assert_int_equal(detect_gap(&d, ports, WEIR_TOCLIENT), APP_UNKNOWN);
}

static void
who_is_the_client_is_open_midstream(void **state)
{
    struct detect_ports ports = { 40000, 80, false };
    const struct weir_bytes ok = { (const uint8_t *)"HTTP/1.1 200 OK\r\n", 17 };
    struct detect_proto d = { .first = &first };

    (void)state;
    assert_int_equal(detect_stream(&d, ports, WEIR_TOSERVER, ok), APP_UNKNOWN);
    d = (struct detect_proto){ .first = &first };
    ports.midstream = true;
    assert_int_equal(detect_stream(&d, ports, WEIR_TOSERVER, ok), APP_HTTP);
    assert_true(d.swapped);
    d = (struct detect_proto){ .first = &first };
    assert_int_equal(detect_stream(&d, ports, WEIR_TOCLIENT, ok), APP_HTTP);
    assert_false(d.swapped);
}

#define DATAGRAM(port, literal)                                                                    \
    detect_datagram((struct detect_ports){ port, 40000, false }, WEIR_TOSERVER,                    \
                    (struct weir_bytes){ (const uint8_t *)(literal), sizeof(literal) - 1 })

static void
datagrams_are_told_one_by_one(void **state)
{
    static uint8_t dhcp[240] = { 1, 1, 6 }, quic[1200] = { 0xc3, 0, 0, 0, 1 };

    (void)state;
    assert_int_equal(DATAGRAM(53, "\0\7\1\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1trailer"), APP_DNS);
    assert_int_equal(DATAGRAM(53, "\0\7\x7b\x40\0\1\0\0\0\0\0\0\xff"),
                     APP_DNS); /* all wrong inside */
    assert_int_equal(DATAGRAM(5353, "\0\0\0\0\0\x51\0\0\0\0\0\0\1a\0\0\1\0\1"), APP_DNS);
    assert_int_equal(DATAGRAM(9999, "\0\7\x7b\x40\0\1\0\0\0\0\0\0\1a\0\0\1\0\1"), APP_UNKNOWN);
    assert_int_equal(DATAGRAM(9999, "\0\7\1\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1"), APP_DNS);
    assert_int_equal(DATAGRAM(9999, "\0\7\1\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1trailer"), APP_UNKNOWN);
    assert_int_equal(DATAGRAM(137, "\0\7\1\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1"), APP_UNKNOWN);
    assert_int_equal(DATAGRAM(53, "garbage garbage garbage"), APP_UNKNOWN);
    memcpy(dhcp + 236, "\x63\x82\x53\x63", 4);
    assert_int_equal(detect_datagram((struct detect_ports){ 9999, 1, false }, WEIR_TOSERVER,
                                     (struct weir_bytes){ dhcp, sizeof(dhcp) }),
                     APP_DHCP);
    assert_int_equal(detect_datagram((struct detect_ports){ 443, 1, false }, WEIR_TOSERVER,
                                     (struct weir_bytes){ quic, sizeof(quic) }),
                     APP_QUIC);
    assert_int_equal(DATAGRAM(547, "\1abc\0\6\0\2\0\x17"), APP_DHCPV6);
    assert_int_equal(DATAGRAM(123, "\x23"
                                   "12345678901234567890123456789012345678901234567"),
                     APP_NTP);
    assert_int_equal(DATAGRAM(5060, "REGISTER sip:x SIP/2.0\r\n"), APP_SIP);
    assert_int_equal(DATAGRAM(53, ""), APP_UNKNOWN);
}

static void
protocols_have_names(void **state)
{
    (void)state;
    assert_string_equal(app_proto_name(APP_DNS), "dns");
    assert_string_equal(app_proto_name(APP_QUIC), "quic");
    assert_null(app_proto_name(APP_PROTOS));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_bytes_tell),
        cmocka_unit_test(first_bytes_tell_one_by_one),
        cmocka_unit_test(the_other_direction_decides_where_one_fits_two),
        cmocka_unit_test(behind_a_gap_nothing_is_guessed),
        cmocka_unit_test(who_is_the_client_is_open_midstream),
        cmocka_unit_test(datagrams_are_told_one_by_one),
        cmocka_unit_test(protocols_have_names),
    };

    return cmocka_run_group_tests_name("detect_proto", tests, NULL, NULL);
}
