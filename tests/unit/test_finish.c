/* Checksums that a card was to compute: what the kernel leaves is the sum of the pseudo header. */
#include "port/finish.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 200 };

struct frame {
    uint8_t at[MOST];
    size_t n, net, l4, l4_n, place; /* place: of the checksum */
    bool six;
    uint8_t protocol;
};

static uint32_t
add(uint32_t sum, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
    return sum;
}

static uint16_t
fold(uint32_t sum)
{
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* RFC 768, 9293 and 8200: addresses, length, protocol. */
static uint16_t
pseudo(const struct frame *f)
{
    const uint8_t *net = f->at + f->net;

    return fold(add((uint32_t)f->l4_n + f->protocol, net + (f->six ? 8 : 12), f->six ? 32 : 8));
}

static void
put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* As one that a kernel did not finish; padding behind it. */
static struct frame
make(unsigned tags, bool six, uint8_t protocol, size_t data)
{
    struct frame f = { .net = 14 + 4U * tags, .six = six, .protocol = protocol };
    uint8_t *p = f.at;

    for (size_t i = 0; i < MOST; i++)
        p[i] = (uint8_t)(i * 37 + 11);
    for (unsigned i = 0; i < tags; i++)
        put16(p + 12 + 4 * i, i == 0 ? 0x88a8 : 0x8100);
    put16(p + f.net - 2, six ? 0x86dd : 0x0800);
    f.l4 = f.net + (six ? 40 : 24);
    f.place = protocol == 6 ? 16 : 6;
    f.l4_n = (protocol == 6 ? 20 : 8) + data;
    f.n = f.l4 + f.l4_n + 3;
    p += f.net;
    p[0] = six ? 0x60 : 0x46; /* with an option */
    put16(p + (six ? 4 : 2), (uint16_t)(six ? f.l4_n : f.l4_n + 24));
    if (!six)
        put16(p + 6, 0x4000);
    p[six ? 6 : 9] = protocol;
    put16(f.at + f.l4 + f.place, pseudo(&f));
    return f;
}

static bool
is_right(const struct frame *f)
{
    return fold(add(pseudo(f), f->at + f->l4, f->l4_n)) == 0xffff;
}

static void
checksums_are_completed(void **state)
{
    static const uint8_t protocols[] = { 6, 17 };

    (void)state;
    for (unsigned tags = 0; tags <= 2; tags++)
        for (unsigned six = 0; six < 2; six++)
            for (unsigned k = 0; k < 2; k++)
                for (size_t data = 0; data < 70; data++) {
                    struct frame f = make(tags, six != 0, protocols[k], data), was = f;

                    assert_false(is_right(&f));
                    assert_true(finish_checksum(f.at, f.n));
                    assert_true(is_right(&f));
                    memcpy(was.at + f.l4 + f.place, f.at + f.l4 + f.place, 2);
                    assert_memory_equal(f.at, was.at, MOST); /* nothing else has changed */
                }
}

/* 0 would say that UDP has no checksum. */
static void
udp_has_no_checksum_of_zero(void **state)
{
    (void)state;
    for (unsigned value = 0; value <= 0xffff; value++) {
        struct frame f = make(0, false, 17, 2);

        put16(f.at + f.l4 + 8, (uint16_t)value);
        assert_true(finish_checksum(f.at, f.n));
        assert_true(f.at[f.l4 + 6] != 0 || f.at[f.l4 + 7] != 0);
        assert_true(is_right(&f));
    }
}

static void
what_is_something_else_stays(void **state)
{
    static const struct {
        size_t at; /* behind the network header's begin */
        uint8_t value;
    } changes[] = { { 6, 0x20 }, /* a first fragment */ { 7, 1 }, /* another one */
                    { 9, 1 },    /* ICMP */ { 9, 132 },           /* SCTP, which has its own */
                    { 2, 0xff },                                  /* longer than the frame */
                    { 0, 0x44 }, /* a header shorter than the shortest */ };

    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        struct frame f = make(1, false, 6, 9), was;

        f.at[f.net + changes[i].at] = changes[i].value;
        was = f;
        assert_false(finish_checksum(f.at, f.n));
        assert_memory_equal(f.at, was.at, MOST);
    }
}

static void
every_prefix_is_safe(void **state)
{
    (void)state;
    for (unsigned six = 0; six < 2; six++) {
        const struct frame f = make(2, six != 0, 6, 30);

        for (size_t n = 0; n < f.n; n++) {
            uint8_t *copy = malloc(n > 0 ? n : 1);

            assert_non_null(copy);
            memcpy(copy, f.at, n);
            assert_true(finish_checksum(copy, n) == (n >= f.l4 + f.l4_n));
            free(copy);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_are_completed),
        cmocka_unit_test(udp_has_no_checksum_of_zero),
        cmocka_unit_test(what_is_something_else_stays),
        cmocka_unit_test(every_prefix_is_safe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
