#include "pcapng_out.h"
#include "support/capture_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t section[] = { 0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0,    0,    0x4d, 0x3c,
                                   0x2b, 0x1a, 1,    0,    0,  0, 0xff, 0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0xff, 28, 0, 0,    0 };

/* An interface of link type 1, then of 101. */
static const uint8_t ethernet[] = { 1, 0, 0, 0, 32, 0, 0, 0, 1, 0, 0, 0, 0,  0, 0, 0,
                                    9, 0, 1, 0, 9,  0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0 };
static const uint8_t raw[] = { 1, 0, 0, 0, 32, 0, 0, 0, 101, 0, 0, 0, 0,  0, 0, 0,
                               9, 0, 1, 0, 9,  0, 0, 0, 0,   0, 0, 0, 32, 0, 0, 0 };

static const uint8_t frame[] = { 0xa0, 0xa1, 0xa2, 0xa3, 0xa4 };

/* Five bytes of nine, 0x0102030405060708 ns, no comment. */
static const uint8_t plain[] = { 6,    0,    0,    0,    40,   0, 0, 0, 0,  0, 0, 0, 4, 3,
                                 2,    1,    8,    7,    6,    5, 5, 0, 0,  0, 9, 0, 0, 0,
                                 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0, 0, 0, 40, 0, 0, 0 };

/* On interface 1, four bytes, comments "abc" and "1234". */
static const uint8_t noted[] = { 6,    0,    0,    0,    56,  0,   0, 0, 1,   0,   0,   0, 0, 0,
                                 0,    0,    1,    0,    0,   0,   4, 0, 0,   0,   4,   0, 0, 0,
                                 0xa0, 0xa1, 0xa2, 0xa3, 1,   0,   3, 0, 'a', 'b', 'c', 0, 1, 0,
                                 4,    0,    '1',  '2',  '3', '4', 0, 0, 0,   0,   56,  0, 0, 0 };

static void
blocks_are_as_the_draft_has_them(void **state)
{
    struct pcapng_packet packet = {
        .time = UINT64_C(0x0102030405060708), .frame = frame, .caplen = 5, .wirelen = 9, .link = 1
    };
    struct pcapng_packet other = { .time = 1,
                                   .frame = frame,
                                   .caplen = 4,
                                   .wirelen = 4,
                                   .link = 101,
                                   .comment = { "abc", "1234" },
                                   .n_comments = 2 };
    const struct {
        const uint8_t *p;
        size_t n;
    } want[] = {
        { section, sizeof(section) }, { ethernet, sizeof(ethernet) }, { plain, sizeof(plain) },
        { raw, sizeof(raw) },         { noted, sizeof(noted) },       { plain, sizeof(plain) },
    };
    char text[1024];
    const char *at = text;
    struct out out;
    struct pcapng_out to = { .out = &out };
    size_t n;

    (void)state;
    capture_open(&out);
    assert_true(pcapng_write(&to, &packet));
    assert_true(pcapng_write(&to, &other));
    assert_true(pcapng_write(&to, &packet));
    assert_true(out_flush(&out));
    n = capture_text(text, sizeof(text));
    for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
        assert_memory_equal(at, want[i].p, want[i].n);
        at += want[i].n;
    }
    assert_int_equal(n, at - text);
    assert_int_equal(capture_close(&out), WEIR_E_OK);
}

static void
there_are_so_many_interfaces(void **state)
{
    struct pcapng_packet packet = { .frame = frame, .caplen = 5, .wirelen = 5 };
    struct out out;
    struct pcapng_out to = { .out = &out };

    (void)state;
    capture_open(&out);
    for (packet.link = 1; packet.link <= PCAPNG_LINKS; packet.link++)
        assert_true(pcapng_write(&to, &packet));
    assert_false(pcapng_write(&to, &packet));
    packet.link = 1;
    assert_true(pcapng_write(&to, &packet));
    assert_int_equal(capture_close(&out), WEIR_E_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_as_the_draft_has_them),
        cmocka_unit_test(there_are_so_many_interfaces),
    };

    return cmocka_run_group_tests_name("pcapng_out", tests, NULL, NULL);
}
