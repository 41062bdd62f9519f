#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "port/port.h"

#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)

/* Bytes of a capture file, written in either byte order. */
struct bytes {
    uint8_t at[4096];
    size_t n;
    bool big;
};

static void
put(struct bytes *b, uint64_t v, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        b->at[b->n++] = (uint8_t)(v >> 8 * (b->big ? size - 1 - i : i));
}

static void
put_pattern(struct bytes *b, unsigned size, uint8_t seed)
{
    for (unsigned i = 0; i < size; i++)
        b->at[b->n++] = (uint8_t)(seed + i);
}

static void
pcap_header(struct bytes *b, uint32_t magic, uint32_t link)
{
    put(b, magic, 4);
    put(b, 2, 2);
    put(b, 4, 2);
    put(b, 0, 8);
    put(b, 65535, 4);
    put(b, link, 4);
}

static void
pcap_record(struct bytes *b, uint32_t sec, uint32_t fraction, uint32_t caplen, uint32_t wirelen)
{
    put(b, sec, 4);
    put(b, fraction, 4);
    put(b, caplen, 4);
    put(b, wirelen, 4);
}

/* Two packets, of 5 and 3 bytes. */
static void
two_packets(struct bytes *b, uint32_t magic)
{
    pcap_header(b, magic, 1);
    pcap_record(b, 1000, 250, 5, 60);
    put_pattern(b, 5, 0x10);
    pcap_record(b, 4000000000U, 999999, 3, 3);
    put_pattern(b, 3, 0x20);
}

static struct weir_port *
open_bytes(const struct bytes *b, const char *filter)
{
    const struct weir_port_opts opts = { .filter = filter };
    struct weir_errbuf err = { "" };
    struct weir_port *port;

    if (capfile_open_memory(b->at, b->n, &opts, &port, &err) != WEIR_E_OK)
        fail_msg("%s", err.text);
    return port;
}

static void
check_two(const struct bytes *b, uint64_t unit)
{
    struct weir_port *port = open_bytes(b, NULL);
    struct weir_frame f[4];

    assert_int_equal(weir_port_read(port, f, 4, NULL), 2);
    assert_int_equal(f[0].caplen, 5);
    assert_int_equal(f[0].wirelen, 60);
    assert_true(f[0].time == 1000 * SECOND + 250 * unit);
    assert_int_equal(f[0].link, 1);
    assert_true(f[0].stable);
    assert_memory_equal(f[0].data, "\x10\x11\x12\x13\x14", 5);
    assert_true(f[1].time == 4000000000U * SECOND + 999999 * unit);
    assert_memory_equal(f[1].data, "\x20\x21\x22", 3);
    assert_int_equal(weir_port_read(port, f, 4, NULL), 0);
    weir_port_close(port);
}

static void
byte_orders_and_resolutions(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct bytes micro = { .big = big }, nano = { .big = big };

        two_packets(&micro, 0xa1b2c3d4);
        check_two(&micro, 1000);
        two_packets(&nano, 0xa1b23c4d);
        check_two(&nano, 1);
    }
}

/* Kuznetzov's format: 8 more bytes in each record's header. */
static void
modified_format(void **state)
{
    struct bytes b = { .n = 0 };
    struct weir_frame f[2];
    struct weir_port *port;

    (void)state;
    pcap_header(&b, 0xa1b2cd34, 1);
    pcap_record(&b, 1, 2, 4, 4);
    put(&b, 0, 8);
    put_pattern(&b, 4, 1);
    port = open_bytes(&b, NULL);
    assert_int_equal(weir_port_read(port, f, 2, NULL), 1);
    assert_memory_equal(f[0].data, "\1\2\3\4", 4);
    assert_true(f[0].time == SECOND + 2000);
    weir_port_close(port);
}

/* Whole records before the cut come, the rest is reported as cut, and nothing behind it is read. */
static void
every_cut_ends_cleanly(void **state)
{
    const size_t first = 24 + 16 + 5, second = first + 16 + 3;
    struct bytes b = { .n = 0 };

    (void)state;
    two_packets(&b, 0xa1b2c3d4);
    assert_int_equal(b.n, second);
    for (size_t n = 24; n <= second; n++) {
        const struct weir_port_opts opts = { .filter = NULL };
        uint8_t *exact = malloc(n);
        struct weir_port_stats stats;
        struct weir_port *port;
        struct weir_frame f[4];
        const int want = n >= second ? 2 : n >= first ? 1 : 0;

        memcpy(exact, b.at, n);
        assert_int_equal(capfile_open_memory(exact, n, &opts, &port, NULL), WEIR_E_OK);
        assert_int_equal(weir_port_read(port, f, 4, NULL), want);
        assert_int_equal(weir_port_read(port, f, 4, NULL), 0);
        weir_port_get_stats(port, &stats);
        assert_int_equal(stats.truncated, n != 24 && n != first && n != second);
        if (stats.truncated) {
            const size_t at = n < first ? 24 : first, whole = (n < first ? first : second) - at;

            assert_int_equal(stats.cut_at, at);
            assert_int_equal(stats.cut_left, n - at);
            assert_int_equal(stats.cut_claimed, n - at < 16 ? 16 : whole);
        }
        assert_int_equal(stats.frames, want);
        assert_int_equal(stats.bytes_read, n);
        assert_int_equal(stats.bytes_total, n);
        weir_port_close(port);
        free(exact);
    }
}

/* The bytes, with zeros behind them: n in all. To be freed. */
static uint8_t *
with_zeros(const struct bytes *b, size_t n)
{
    uint8_t *all = calloc(1, n);

    assert_non_null(all);
    memcpy(all, b->at, b->n);
    return all;
}

/* Frames before the corruption come first; then the error, as often as one asks. More is left than
 * the largest record has, by one byte. */
static void
corrupt_length_is_told(void **state)
{
    const struct weir_port_opts opts = { .filter = NULL };
    struct bytes b = { .n = 0 };
    struct weir_errbuf err = { "" };
    struct weir_port_stats stats;
    struct weir_frame f[4];
    struct weir_port *port;
    const size_t n = 64 + 16 + 262144 + 1;
    uint8_t *all;

    (void)state;
    two_packets(&b, 0xa1b2c3d4);
    pcap_record(&b, 1, 1, 262145, 262145);
    all = with_zeros(&b, n);
    assert_int_equal(capfile_open_memory(all, n, &opts, &port, NULL), WEIR_E_OK);
    assert_int_equal(weir_port_read(port, f, 4, &err), 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(weir_port_read(port, f, 4, &err), WEIR_E_MALFORMED);
        assert_string_equal(err.text, "memory: byte 64: corrupt: captured length 262145, "
                                      "expected at most 262144");
    }
    weir_port_get_stats(port, &stats);
    assert_false(stats.truncated);
    weir_port_close(port);
    free(all);
}

/* The file ends in a record that is as long as it may be, or says that it is longer. */
static void
what_the_last_record_claims_is_cut(void **state)
{
    static const uint32_t claims[] = { 262144, 262145, UINT32_MAX };
    const size_t n = 64 + 16 + 262144;

    (void)state;
    for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
        const struct weir_port_opts opts = { .filter = NULL };
        const size_t size = i == 0 ? n - 1 : n;
        struct bytes b = { .n = 0 };
        struct weir_port_stats stats;
        struct weir_frame f[4];
        struct weir_port *port;
        uint8_t *all;

        two_packets(&b, 0xa1b2c3d4);
        pcap_record(&b, 1, 1, claims[i], claims[i]);
        all = with_zeros(&b, size);
        assert_int_equal(capfile_open_memory(all, size, &opts, &port, NULL), WEIR_E_OK);
        assert_int_equal(weir_port_read(port, f, 4, NULL), 2);
        assert_int_equal(weir_port_read(port, f, 4, NULL), 0);
        weir_port_get_stats(port, &stats);
        assert_true(stats.truncated);
        assert_int_equal(stats.cut_at, 64);
        assert_int_equal(stats.cut_claimed, 16 + (uint64_t)claims[i]);
        assert_int_equal(stats.cut_left, size - 64);
        assert_int_equal(stats.bytes_read, size);
        weir_port_close(port);
        free(all);
    }
}

static void
lengths_that_lie(void **state)
{
    struct bytes b = { .n = 0 };
    struct weir_frame f[4];
    struct weir_port *port;

    (void)state;
    pcap_header(&b, 0xa1b2c3d4, 1);
    memcpy(b.at + 16, "\4\0\0\0", 4); /* snap length 4 */
    pcap_record(&b, 1, 1, 6, 0);
    put_pattern(&b, 6, 0);
    pcap_record(&b, 1, 1, 0, 0);
    port = open_bytes(&b, NULL);
    assert_int_equal(weir_port_read(port, f, 4, NULL), 2);
    assert_int_equal(f[0].caplen, 6);
    assert_int_equal(f[0].wirelen, 6);
    assert_int_equal(f[1].caplen, 0);
    weir_port_close(port);
}

static void
link_types(void **state)
{
    static const struct {
        uint32_t field;
        uint16_t link;
    } cases[] = { { 1, 1 },    { 113, 113 }, { 101, 101 },
                  { 12, 101 }, { 276, 276 }, { 0x24000001, 1 } /* an FCS of 4 bytes */ };
    struct weir_frame f[4];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bytes b = { .n = 0 };
        struct weir_port *port;

        pcap_header(&b, 0xa1b2c3d4, cases[i].field);
        pcap_record(&b, 1, 1, 0, 0);
        port = open_bytes(&b, NULL);
        assert_int_equal(weir_port_read(port, f, 4, NULL), 1);
        assert_int_equal(f[0].link, cases[i].link);
        weir_port_close(port);
    }
}

static void
batches_of_any_size(void **state)
{
    struct bytes b = { .n = 0 };
    struct weir_frame f[8];

    (void)state;
    pcap_header(&b, 0xa1b2c3d4, 1);
    for (unsigned i = 0; i < 7; i++) {
        pcap_record(&b, i, 0, i, i);
        put_pattern(&b, i, 0);
    }
    for (unsigned max = 1; max <= 8; max++) {
        struct weir_port *port = open_bytes(&b, NULL);
        unsigned seen = 0;
        int n;

        while ((n = weir_port_read(port, f, max, NULL)) > 0)
            for (int i = 0; i < n; i++)
                assert_int_equal(f[i].caplen, seen++);
        assert_int_equal(n, 0);
        assert_int_equal(seen, 7);
        weir_port_close(port);
    }
}

static void
filter_refuses_and_counts(void **state)
{
    struct bytes b = { .n = 0 };
    struct weir_port_stats stats;
    struct weir_frame f[4];
    struct weir_port *port;

    (void)state;
    pcap_header(&b, 0xa1b2c3d4, 1);
    for (unsigned i = 0; i < 4; i++) {
        pcap_record(&b, i, 0, 14, 60 + i);
        put_pattern(&b, 14, (uint8_t)i);
    }
    port = open_bytes(&b, "greater 62");
    assert_int_equal(weir_port_read(port, f, 4, NULL), 2);
    assert_int_equal(f[0].wirelen, 62);
    assert_int_equal(f[1].wirelen, 63);
    weir_port_get_stats(port, &stats);
    assert_int_equal(stats.frames, 2);
    assert_int_equal(stats.filtered, 2);
    weir_port_close(port);
}

static void
filter_syntax_is_told(void **state)
{
    const struct weir_port_opts opts = { .filter = "tcp prot 80" };
    struct bytes b = { .n = 0 };
    struct weir_errbuf err = { "" };
    struct weir_port *port;

    (void)state;
    pcap_header(&b, 0xa1b2c3d4, 1);
    assert_int_equal(capfile_open_memory(b.at, b.n, &opts, &port, &err), WEIR_E_SYNTAX);
    assert_null(port);
    assert_non_null(strstr(err.text, "filter \"tcp prot 80\": "));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(byte_orders_and_resolutions),
        cmocka_unit_test(modified_format),
        cmocka_unit_test(every_cut_ends_cleanly),
        cmocka_unit_test(corrupt_length_is_told),
        cmocka_unit_test(what_the_last_record_claims_is_cut),
        cmocka_unit_test(lengths_that_lie),
        cmocka_unit_test(link_types),
        cmocka_unit_test(batches_of_any_size),
        cmocka_unit_test(filter_refuses_and_counts),
        cmocka_unit_test(filter_syntax_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
