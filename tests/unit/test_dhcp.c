/* DHCP: RFC 2131, RFC 2132; DHCPv6: RFC 8415. */
#include "dhcp.h"

#include "support/exact.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct message {
    uint8_t p[600];
    size_t n;
};

static void
add(struct message *m, const void *p, size_t n)
{
    memcpy(m->p + m->n, p, n);
    m->n += n;
}

#define ADD(m, literal) add(m, literal, sizeof(literal) - 1)

static struct message
header(void)
{
    struct message m = { .p = { 1, 1, 6, 0, 0x11, 0x22, 0x33, 0x44 }, .n = DHCP_HEADER };

    memcpy(m.p + 16, "\x0a\0\0\x09", 4);
    memcpy(m.p + 28, "\2\0\0\0\0\7", 6);
    ADD(&m, "\x63\x82\x53\x63");
    return m;
}

static struct message
request(void)
{
    struct message m = header();

    ADD(&m, "\x35\1\3\0\x0c\4host\0\x32\4\x0a\0\0\5\x37\3\1\3\6");
    ADD(&m, "\x3c\4MSFT\x51\6\0\0\0fq.\x36\4\x0a\0\0\1\xff\0\0\0");
    return m;
}

static void
is_text(struct weir_bytes bytes, const char *text)
{
    assert_int_equal(bytes.n, strlen(text));
    assert_memory_equal(bytes.p, text, bytes.n);
}

static void
a_request_is_read(void **state)
{
    const struct message m = request();
    struct dhcp_message out;

    (void)state;
    assert_int_equal(dhcp_parse(m.p, m.n, &out), WEIR_E_OK);
    assert_int_equal(out.op, 1);
    assert_int_equal(out.type, DHCP_REQUEST);
    assert_int_equal(out.xid, 0x11223344);
    assert_memory_equal(out.yiaddr, "\x0a\0\0\x09", 4);
    assert_int_equal(out.mac.n, 6);
    assert_memory_equal(out.mac.p, "\2\0\0\0\0\7", 6);
    is_text(out.hostname, "host");
    is_text(out.request_list, "\1\3\6");
    is_text(out.vendor_class, "MSFT");
    is_text(out.fqdn, "fq.");
    assert_false(out.fqdn_wire);
    assert_memory_equal(out.requested, "\x0a\0\0\5", 4);
    assert_memory_equal(out.server_id, "\x0a\0\0\1", 4);
    assert_int_equal(out.n_order, 8);
    assert_memory_equal(out.order, "\x35\x0c\x32\x37\x3c\x51\x36\xff", 8);
    assert_true(out.has_end);
    assert_false(out.odd);
    assert_string_equal(dhcp_type_name(out.type), "REQUEST");
    assert_null(dhcp_type_name(9));
}

static void
options_are_walked(void **state)
{
    const struct message m = request();
    struct dhcp_message out;
    struct weir_bytes data;
    unsigned n = 0;
    uint8_t code;

    (void)state;
    assert_int_equal(dhcp_parse(m.p, m.n, &out), WEIR_E_OK);
    while (dhcp_next(&out.options, &code, &data))
        n++;
    assert_int_equal(n, 7);
    assert_int_equal(code, DHCP_OPTIONS_END);
}

/* Other programs were overrun by 60 options, or looped on a length of 255. */
static void
more_options_than_there_is_room_for_are_cut(void **state)
{
    struct message m = header();
    struct dhcp_message out;

    (void)state;
    for (unsigned i = 0; i < DHCP_ORDER + 5; i++)
        ADD(&m, "\x80\0");
    ADD(&m, "\x35\1\1\xff");
    assert_int_equal(dhcp_parse(m.p, m.n, &out), WEIR_E_OK);
    assert_int_equal(out.n_order, DHCP_ORDER);
    assert_true(out.order_more);
    assert_int_equal(out.type, DHCP_DISCOVER);
    m = header();
    ADD(&m, "\x37\xff\1\3");
    assert_int_equal(dhcp_parse(m.p, m.n, &out), WEIR_E_TRUNC);
    assert_null(out.request_list.p);
}

static void
what_contradicts_its_code_is_left_out(void **state)
{
    struct message m = header();
    struct dhcp_message out;

    (void)state;
    ADD(&m, "\x35\2\1\1\x32\3\1\2\3\x51\2\0\0");
    assert_int_equal(dhcp_parse(m.p, m.n, &out), WEIR_E_OK);
    assert_true(out.odd);
    assert_int_equal(out.type, DHCP_BOOTP);
    assert_null(out.requested);
    assert_null(out.fqdn.p);
    assert_false(out.has_end);
}

static void
what_is_no_message_is_malformed(void **state)
{
    struct message m = request();
    struct dhcp_message out;

    (void)state;
    m.p[2] = 17; /* hlen */
    assert_int_equal(dhcp_parse(m.p, m.n, &out), WEIR_E_MALFORMED);
    m = request();
    m.p[0] = 3;
    assert_int_equal(dhcp_parse(m.p, m.n, &out), WEIR_E_MALFORMED);
    m = request();
    m.p[DHCP_HEADER]++;
    assert_int_equal(dhcp_parse(m.p, m.n, &out), WEIR_E_MALFORMED);
}

static void
every_prefix_is_safe(void **state)
{
    const struct message m = request();

    (void)state;
    for (size_t n = 0; n <= m.n; n++) {
        uint8_t *copy = exact_copy(m.p, n);
        struct dhcp_message out;
        int rc = dhcp_parse(copy, n, &out);

        assert_true(rc == WEIR_E_TRUNC || (rc == WEIR_E_OK && n >= DHCP_HEADER + 4));
        free(copy);
    }
}

static const char solicit[] = "\1\xab\xcd\xef"
                              "\0\1\0\x0e\0\1\0\1\x11\x22\x33\x44\2\0\0\0\0\7"
                              "\0\6\0\4\0\x17\0\x18"
                              "\0\x10\0\x0e\0\0\1\x37\0\x08MSFT 5.0"
                              "\0\x27\0\x08\1\4host\1x";

static void
a_solicit_is_read(void **state)
{
    struct dhcp6_message out;
    char text[32];
    struct put put = put_begin(text, sizeof(text));

    (void)state;
    assert_int_equal(dhcp6_parse((const uint8_t *)solicit, sizeof(solicit) - 1, &out), WEIR_E_OK);
    assert_int_equal(out.type, 1);
    assert_int_equal(out.xid, 0xabcdef);
    assert_int_equal(out.mac.n, 6);
    assert_memory_equal(out.mac.p, "\2\0\0\0\0\7", 6);
    assert_int_equal(out.request_list.n, 4);
    assert_int_equal(out.enterprise, 311);
    is_text(out.vendor_class, "MSFT 5.0");
    dhcp_labels_text(out.fqdn, &put);
    assert_string_equal(text, "host.x");
}

static void
messages_of_relays_are_opened_so_far(void **state)
{
    uint8_t p[600];
    size_t n = sizeof(solicit) - 1;
    struct dhcp6_message out;

    (void)state;
    memcpy(p, solicit, n);
    for (unsigned i = 1; i <= DHCP6_RELAYS + 1; i++) {
        memmove(p + 38, p, n);
        memset(p, 0, 38);
        p[0] = 12;
        p[35] = DHCP6_RELAY_MESSAGE;
        p[36] = (uint8_t)(n >> 8);
        p[37] = (uint8_t)n;
        n += 38;
        assert_int_equal(dhcp6_parse(p, n, &out), i <= DHCP6_RELAYS ? WEIR_E_OK : WEIR_E_MALFORMED);
        assert_int_equal(out.relays, i);
        if (i <= DHCP6_RELAYS)
            is_text(out.vendor_class, "MSFT 5.0");
    }
}

static void
every_prefix_of_dhcp6_is_safe(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof(solicit) - 1; n++) {
        uint8_t *copy = exact_copy(solicit, n);
        struct dhcp6_message out;
        int rc = dhcp6_parse(copy, n, &out);
        const bool between = n == 4 || n == 22 || n == 30 || n == 48;

        assert_int_equal(rc, between ? WEIR_E_OK : WEIR_E_TRUNC);
        free(copy);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read),
        cmocka_unit_test(options_are_walked),
        cmocka_unit_test(more_options_than_there_is_room_for_are_cut),
        cmocka_unit_test(what_contradicts_its_code_is_left_out),
        cmocka_unit_test(what_is_no_message_is_malformed),
        cmocka_unit_test(every_prefix_is_safe),
        cmocka_unit_test(a_solicit_is_read),
        cmocka_unit_test(messages_of_relays_are_opened_so_far),
        cmocka_unit_test(every_prefix_of_dhcp6_is_safe),
    };

    return cmocka_run_group_tests_name("dhcp", tests, NULL, NULL);
}
