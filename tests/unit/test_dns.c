/* DNS messages: RFC 1035. */
#include "dns.h"

#include "support/exact.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* www.a.de A? with a CNAME, its address, and an OPT record. */
static const uint8_t response[] = {
    0x12, 0x34, 0x85, 0x80, 0, 1,   0, 2,    0,   0,  0, 1,                     /* header */
    3,    'w',  'w',  'w',  1, 'a', 2, 'd',  'e', 0,  0, 1, 0,   1,             /* at 12 */
    0xc0, 12,   0,    5,    0, 1,   0, 0,    1,   0,  0, 4, 1,   'x', 0xc0, 16, /* x.a.de */
    0xc0, 38,   0,    1,    0, 1,   0, 0,    0,   60, 0, 4, 192, 0,   2,    1,  /* 192.0.2.1 */
    0,    0,    41,   0x10, 0, 0,   0, 0x80, 0,   0,  0,                        /* OPT */
};

static struct dns_message
parsed(const uint8_t *p, size_t n)
{
    struct dns_message msg;

    assert_int_equal(dns_parse(p, n, &msg), WEIR_E_OK);
    return msg;
}

static void
a_header_is_read(void **state)
{
    const struct dns_message msg = parsed(response, sizeof(response));

    (void)state;
    assert_int_equal(msg.id, 0x1234);
    assert_int_equal(msg.flags & (DNS_QR | DNS_AA | DNS_TC | DNS_RD | DNS_RA | DNS_Z),
                     DNS_QR | DNS_AA | DNS_RD | DNS_RA);
    assert_int_equal(msg.opcode, 0);
    assert_int_equal(msg.rcode, 0);
    assert_int_equal(msg.count[DNS_ANSWER], 2);
    assert_int_equal(msg.count[DNS_ADDITIONAL], 1);
    assert_int_equal(parsed((const uint8_t *)"\0\1\x2c\x03\0\0\0\0\0\0\0\0", 12).opcode, 5);
    assert_int_equal(parsed((const uint8_t *)"\0\1\x2c\x03\0\0\0\0\0\0\0\0", 12).rcode, 3);
}

static void
next_is(struct dns_walk *walk, enum dns_section section, const char *name, unsigned type,
        const char *rdata)
{
    struct dns_record record;
    char text[300];
    struct put put = put_begin(text, sizeof(text));

    assert_true(dns_next(walk, &record));
    assert_int_equal(record.section, section);
    assert_string_equal(record.name.text, name);
    assert_int_equal(record.name.n, strlen(name));
    assert_int_equal(record.type, type);
    if (rdata == NULL) {
        assert_int_equal(dns_rdata_text(walk, &record, &put), WEIR_E_UNSUPPORTED);
        return;
    }
    if (section != DNS_QUESTION)
        assert_int_equal(dns_rdata_text(walk, &record, &put), WEIR_E_OK);
    assert_string_equal(text, rdata);
}

static void
records_are_walked_through_all_sections(void **state)
{
    const struct dns_message msg = parsed(response, sizeof(response));
    struct dns_walk walk = dns_records(&msg);
    struct dns_record record;

    (void)state;
    next_is(&walk, DNS_QUESTION, "www.a.de", DNS_A, "");
    next_is(&walk, DNS_ANSWER, "www.a.de", DNS_CNAME, "x.a.de");
    next_is(&walk, DNS_ANSWER, "x.a.de", DNS_A, "192.0.2.1");
    next_is(&walk, DNS_ADDITIONAL, "", DNS_OPT, NULL);
    assert_false(dns_next(&walk, &record));
    assert_int_equal(walk.rc, WEIR_E_OK);
    assert_false(dns_next(&walk, &record));
}

/* A response with one answer at the root. */
static int
rdata_text(uint16_t type, const void *rdata, uint8_t n, char *text, size_t size)
{
    uint8_t p[300] = {
        0, 1, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, (uint8_t)(type >> 8), (uint8_t)type, 0, 1
    };
    struct put put = put_begin(text, size);
    struct dns_message msg;
    struct dns_record record;
    struct dns_walk walk;

    p[22] = n;
    memcpy(p + 23, rdata, n);
    msg = parsed(p, 23U + n);
    walk = dns_records(&msg);
    assert_true(dns_next(&walk, &record));
    return dns_rdata_text(&walk, &record, &put);
}

#define TEXT(type, rdata) rdata_text(type, rdata, sizeof(rdata) - 1, text, sizeof(text))

static void
data_has_a_text_by_its_type(void **state)
{
    char text[300];

    (void)state;
    assert_int_equal(TEXT(DNS_AAAA, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"), WEIR_E_OK);
    assert_string_equal(text, "2001:db8::1");
    assert_int_equal(TEXT(DNS_MX, "\0\012\2mx\1b\0"), WEIR_E_OK);
    assert_string_equal(text, "mx.b");
    assert_int_equal(TEXT(DNS_SRV, "\0\1\0\2\0\120\1s\0"), WEIR_E_OK);
    assert_string_equal(text, "s");
    assert_int_equal(TEXT(DNS_TXT, "\3v=s\2pf\0"), WEIR_E_OK);
    assert_string_equal(text, "v=spf");
    assert_int_equal(TEXT(DNS_SOA, "\1n\0\1h\0"), WEIR_E_OK);
    assert_string_equal(text, "n");
    assert_int_equal(TEXT(DNS_PTR, "\0"), WEIR_E_OK);
    assert_string_equal(text, "");
    assert_int_equal(TEXT(99, "\0"), WEIR_E_UNSUPPORTED);
}

static void
data_that_contradicts_its_type_is_malformed(void **state)
{
    char text[300];

    (void)state;
    assert_int_equal(TEXT(DNS_A, "\1\2\3"), WEIR_E_MALFORMED);
    assert_int_equal(TEXT(DNS_AAAA, "\1\2\3\4"), WEIR_E_MALFORMED);
    assert_int_equal(TEXT(DNS_TXT, "\4abc"), WEIR_E_MALFORMED);
    assert_int_equal(TEXT(DNS_CNAME, "\3ab"), WEIR_E_MALFORMED);
    assert_int_equal(TEXT(DNS_MX, "\1"), WEIR_E_MALFORMED);
}

/* The first question's name, with what rc. */
static int
name_of(const void *name, size_t n, struct dns_name *out)
{
    uint8_t p[700] = { 0, 1, 1, 0, 0, 1 };
    struct dns_message msg;
    struct dns_record record;
    struct dns_walk walk;

    memcpy(p + DNS_HEADER, name, n);
    msg = parsed(p, DNS_HEADER + n);
    walk = dns_records(&msg);
    if (dns_next(&walk, &record))
        *out = record.name;
    return walk.rc;
}

#define NAME(bytes) name_of(bytes, sizeof(bytes) - 1, &name)

static void
names_that_go_astray_are_malformed(void **state)
{
    struct dns_name name;

    (void)state;
    assert_int_equal(NAME("\xc0\x0c\0\1\0\1"), WEIR_E_MALFORMED);    /* to itself */
    assert_int_equal(NAME("\1a\xc0\x0c\0\1\0\1"), WEIR_E_MALFORMED); /* a loop */
    assert_int_equal(NAME("\x40\x04\0\1\0\1"), WEIR_E_MALFORMED);    /* reserved */
    assert_int_equal(NAME("\x80\x04\0\1\0\1"), WEIR_E_MALFORMED);
    assert_int_equal(NAME("\x05"
                          "ab"),
                     WEIR_E_TRUNC);
    assert_int_equal(NAME("\xc0"), WEIR_E_TRUNC);
    assert_int_equal(NAME("\1a\0\0\1\0"), WEIR_E_TRUNC);
}

static void
pointers_lead_anywhere_in_the_message(void **state)
{
    struct dns_name name;

    (void)state;
    assert_int_equal(NAME("\1a\xc0\x14\0\1\0\1\1b\0"), WEIR_E_OK); /* ahead */
    assert_string_equal(name.text, "a.b");
    assert_int_equal(NAME("\1a\xc0\x01\0\1\0\1"), WEIR_E_OK); /* into the header: 1, 1, 0 */
    assert_memory_equal(name.text, "a.\1", 4);
    assert_int_equal(NAME("\1a\xc0\xff\0\1\0\1"), WEIR_E_TRUNC); /* behind its end */
}

static void
a_name_has_at_most_255_octets(void **state)
{
    uint8_t bytes[300] = { 0 };
    struct dns_name name;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        bytes[64 * i] = 63;
        memset(bytes + 64 * i + 1, 'a' + (int)i, 63);
    }
    bytes[192] = 61;
    bytes[192 + 62] = 0;
    assert_int_equal(name_of(bytes, 192 + 62 + 5, &name), WEIR_E_OK);
    assert_int_equal(name.n, DNS_NAME_MAX);
    assert_int_equal(name.text[DNS_NAME_MAX - 1], 'd');
    bytes[192] = 62;
    bytes[192 + 62] = 'd';
    bytes[192 + 63] = 0;
    assert_int_equal(name_of(bytes, 192 + 63 + 5, &name), WEIR_E_MALFORMED);
}

/* 200 pointers, each to the one before: fewer than there are would do. */
static void
pointers_are_followed_so_far_and_no_further(void **state)
{
    uint8_t p[2048] = { 0, 1, 0x80, 0, 0, 0, 0, 2 };
    struct dns_message msg;
    struct dns_record record;
    struct dns_walk walk;
    size_t at = 23;

    (void)state;
    p[14] = 16; /* a TXT record at the root; its data begins at 23 */
    for (unsigned i = 0; i < 200; i++, at += 2) {
        const size_t to = i == 0 ? 12 : at - 2;

        p[at] = (uint8_t)(0xc0 | to >> 8);
        p[at + 1] = (uint8_t)to;
    }
    p[21] = 400 >> 8;
    p[22] = (uint8_t)400;
    for (unsigned followed = DNS_POINTERS_MAX; followed <= DNS_POINTERS_MAX + 1; followed++) {
        const size_t to = 23 + 2 * (followed - 2);

        p[at] = (uint8_t)(0xc0 | to >> 8);
        p[at + 1] = (uint8_t)to;
        msg = parsed(p, sizeof(p));
        walk = dns_records(&msg);
        assert_true(dns_next(&walk, &record));
        assert_int_equal(dns_next(&walk, &record), followed == DNS_POINTERS_MAX);
    }
    assert_int_equal(walk.rc, WEIR_E_MALFORMED);
}

static size_t
point(uint8_t *p, size_t at, size_t to)
{
    p[at] = (uint8_t)(0xc0 | to >> 8);
    p[at + 1] = (uint8_t)to;
    return at;
}

/* A first question, whose labels hold a chain of up to 124 pointers, which ends at the root. */
static size_t
begin_chained(uint8_t *p, unsigned chain)
{
    const size_t root = DNS_HEADER + 4 * 63;
    size_t to = root;

    memset(p, 0, DNS_MESSAGE_MAX);
    p[5] = 1;
    for (unsigned i = 0; i < 124; i++) {
        p[DNS_HEADER + i / 31 * 63] = 62;
        if (i < chain)
            to = point(p, DNS_HEADER + i / 31 * 63 + 1 + i % 31 * 2, to);
    }
    return to;
}

enum { BEHIND_CHAIN = DNS_HEADER + 4 * 63 + 5 };

/*
 * How many questions are read of as many as there is room for, each name of which follows so many.
 */
static unsigned
questions_read(unsigned followed, struct dns_walk *walk)
{
    static uint8_t p[DNS_MESSAGE_MAX];
    const size_t to = begin_chained(p, followed - 1);
    unsigned claimed = 1, n = 0;
    struct dns_record record;
    struct dns_message msg;

    for (size_t at = BEHIND_CHAIN; at + 6 <= sizeof(p); at += 6, claimed++)
        point(p, at, to);
    p[4] = (uint8_t)(claimed >> 8);
    p[5] = (uint8_t)claimed;
    msg = parsed(p, sizeof(p));
    for (*walk = dns_records(&msg); dns_next(walk, &record);)
        n++;
    return walk->rc == WEIR_E_OK ? n - claimed : n;
}

static void
a_message_takes_no_more_time_than_its_length(void **state)
{
    struct dns_walk walk;

    (void)state;
    assert_int_equal(questions_read(1, &walk), 0);
    assert_int_equal(questions_read(6, &walk), 0); /* as many as a question has bytes */
    assert_int_equal(questions_read(20, &walk), 1 + DNS_MESSAGE_MAX / 20);
    assert_int_equal(walk.rc, WEIR_E_MALFORMED);
    assert_int_equal(walk.fault, DNS_FAULT_POINTERS);
    assert_int_equal(questions_read(125, &walk), 1 + DNS_MESSAGE_MAX / 125);
}

/* What is in the data of records does not keep others from being read. */
static void
names_in_data_take_no_more_time_than_the_length(void **state)
{
    static uint8_t p[DNS_MESSAGE_MAX];
    const size_t to = begin_chained(p, 49);
    unsigned claimed = 0, named = 0;
    struct dns_record record;
    struct dns_message msg;
    struct dns_walk walk;

    (void)state;
    for (size_t at = BEHIND_CHAIN; at + 13 <= sizeof(p); at += 13, claimed++) {
        p[at + 2] = DNS_NS;
        p[at + 10] = 2;
        point(p, at + 11, to);
    }
    p[6] = (uint8_t)(claimed >> 8);
    p[7] = (uint8_t)claimed;
    msg = parsed(p, sizeof(p));
    for (walk = dns_records(&msg); dns_next(&walk, &record);) {
        char text[DNS_NAME_MAX + 1];
        struct put put = put_begin(text, sizeof(text));

        if (record.section == DNS_ANSWER) {
            named += dns_rdata_text(&walk, &record, &put) == WEIR_E_OK;
            claimed--;
        }
    }
    assert_int_equal(walk.rc, WEIR_E_OK);
    assert_int_equal(claimed, 0);
    assert_int_equal(named, DNS_MESSAGE_MAX / 50);
}

static void
zeros_and_dots_stay_as_they_came(void **state)
{
    struct dns_name name;

    (void)state;
    assert_int_equal(NAME("\3a\0b\1.\0\0\1\0\1"), WEIR_E_OK);
    assert_int_equal(name.n, 5);
    assert_memory_equal(name.text, "a\0b..", 6);
}

static void
every_prefix_is_safe(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof(response); n++) {
        uint8_t *copy = exact_copy(response, n);
        struct dns_message msg;
        struct dns_record record;
        int rc = dns_parse(copy, n, &msg);

        assert_int_equal(rc, n < DNS_HEADER ? WEIR_E_TRUNC : WEIR_E_OK);
        if (rc == WEIR_E_OK) {
            struct dns_walk walk = dns_records(&msg);

            while (dns_next(&walk, &record))
                continue;
            assert_int_equal(walk.rc, WEIR_E_TRUNC);
        }
        free(copy);
    }
}

static void
plausible_is_what_has_a_question_or_answers(void **state)
{
    static const uint8_t nothing[12] = { 0, 1, 1, 0 };
    uint8_t odd[sizeof(response)];

    (void)state;
    assert_true(dns_plausible(response, sizeof(response)));
    assert_true(dns_plausible(response, 26)); /* cut behind the question */
    assert_false(dns_plausible(response, 25));
    assert_false(dns_plausible(nothing, sizeof(nothing)));
    memcpy(odd, response, sizeof(odd));
    odd[2] |= 0x78; /* opcode 15 */
    assert_false(dns_plausible(odd, sizeof(odd)));
    memcpy(odd, response, sizeof(odd));
    odd[24] = 9; /* class */
    assert_false(dns_plausible(odd, sizeof(odd)));
}

static void
codes_have_names(void **state)
{
    (void)state;
    assert_string_equal(dns_type_name(28), "AAAA");
    assert_string_equal(dns_rcode_name(3), "NXDOMAIN");
    assert_string_equal(dns_opcode_name(5), "UPDATE");
    assert_null(dns_type_name(65000));
}

static bool
count(void *ctx, const uint8_t *header, struct weir_bytes body)
{
    struct dns_message msg;

    (void)header;
    assert_int_equal(dns_parse(body.p, body.n, &msg), WEIR_E_OK);
    ++*(unsigned *)ctx;
    return true;
}

static void
over_tcp_two_bytes_give_the_length(void **state)
{
    uint8_t stream[2 * (2 + sizeof(response))] = { 0, sizeof(response) };
    struct gather g = { .block = NULL };
    struct pool *pool;
    unsigned n = 0;

    (void)state;
    memcpy(stream + 2, response, sizeof(response));
    memcpy(stream + sizeof(stream) / 2, stream, sizeof(stream) / 2);
    assert_int_equal(pool_new(POOL_MIN_BYTES, &pool), WEIR_E_OK);
    for (size_t i = 0; i < sizeof(stream); i++)
        assert_true(
            gather_feed(&g, &dns_over_tcp, pool, (struct weir_bytes){ stream + i, 1 }, count, &n));
    assert_int_equal(n, 2);
    pool_free(pool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_read),
        cmocka_unit_test(records_are_walked_through_all_sections),
        cmocka_unit_test(data_has_a_text_by_its_type),
        cmocka_unit_test(data_that_contradicts_its_type_is_malformed),
        cmocka_unit_test(names_that_go_astray_are_malformed),
        cmocka_unit_test(pointers_lead_anywhere_in_the_message),
        cmocka_unit_test(a_name_has_at_most_255_octets),
        cmocka_unit_test(pointers_are_followed_so_far_and_no_further),
        cmocka_unit_test(a_message_takes_no_more_time_than_its_length),
        cmocka_unit_test(names_in_data_take_no_more_time_than_the_length),
        cmocka_unit_test(zeros_and_dots_stay_as_they_came),
        cmocka_unit_test(every_prefix_is_safe),
        cmocka_unit_test(plausible_is_what_has_a_question_or_answers),
        cmocka_unit_test(codes_have_names),
        cmocka_unit_test(over_tcp_two_bytes_give_the_length),
    };

    return cmocka_run_group_tests_name("dns", tests, NULL, NULL);
}
