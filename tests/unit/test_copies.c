#include "detect/copies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t segment[] = "GET /public.txt";
static const uint8_t old[] = "secret";

enum { ALL = sizeof(segment) - 1, AT = 5, DIFF = 6 };

static struct weir_packet
packet(void)
{
    return (struct weir_packet){ .l4 = segment, .payload = segment, .payload_len = ALL };
}

static struct weir_event
fake(const struct weir_packet *pkt, const uint8_t *new, uint32_t n)
{
    struct weir_event ev = { .type = WEIR_EV_FAKE_RETRANSMIT,
                             .base = WEIR_EV_FAKE_RETRANSMIT,
                             .packet = pkt };

    ev.fake_retransmit.old_data = (struct weir_bytes){ old, DIFF };
    ev.fake_retransmit.new_data = (struct weir_bytes){ new, n };
    return ev;
}

static void
assert_bytes(const struct buffer *buffer, const char *bytes)
{
    assert_int_equal(buffer->start, 0);
    assert_int_equal(buffer->end, strlen(bytes));
    assert_memory_equal(buffer->p, bytes, strlen(bytes));
    assert_true(buffer->final);
}

static void
either_copy_has_the_segment_around_it(void **state)
{
    const struct weir_packet pkt = packet();
    const struct weir_event ev = fake(&pkt, segment + AT, DIFF);
    struct buffer buffer;
    uint8_t room[ALL];

    (void)state;
    assert_true(copy_new(&ev, &buffer));
    assert_bytes(&buffer, "GET /public.txt");
    assert_true(copy_old(&ev, room, sizeof(room), &buffer));
    assert_bytes(&buffer, "GET /secret.txt");
}

static void
bytes_that_are_not_the_packets_stand_alone(void **state)
{
    static const uint8_t elsewhere[] = "public";
    const struct weir_packet pkt = packet();
    struct weir_event ev = fake(&pkt, elsewhere, DIFF);
    struct buffer buffer;
    uint8_t room[ALL];

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_true(copy_new(&ev, &buffer));
        assert_bytes(&buffer, "public");
        assert_true(copy_old(&ev, room, sizeof(room), &buffer));
        assert_bytes(&buffer, "secret");
        ev.packet = NULL;
    }
    ev = fake(&pkt, segment + ALL - 2, DIFF); /* it would go beyond the packet */
    assert_true(copy_old(&ev, room, sizeof(room), &buffer));
    assert_bytes(&buffer, "secret");
    ev = fake(&pkt, segment + AT, DIFF); /* and here there is no room for it */
    assert_true(copy_old(&ev, room, ALL - 1, &buffer));
    assert_bytes(&buffer, "secret");
}

static void
what_nobody_knows_is_no_copy(void **state)
{
    const struct weir_packet pkt = packet();
    struct weir_event ev = fake(&pkt, segment + AT, DIFF);
    struct buffer buffer;
    uint8_t room[ALL];

    (void)state;
    ev.fake_retransmit.old_data.n = 0; /* only a digest was left */
    assert_false(copy_old(&ev, room, sizeof(room), &buffer));
    assert_true(copy_new(&ev, &buffer));
    ev.type = ev.base = WEIR_EV_RETRANSMIT;
    assert_false(copy_old(&ev, room, sizeof(room), &buffer));
    assert_true(copy_new(&ev, &buffer));
    assert_bytes(&buffer, "GET /public.txt");
    ev.packet = NULL;
    assert_false(copy_new(&ev, &buffer));
}

static void
payload_is_what_the_event_shows(void **state)
{
    const struct weir_packet pkt = packet();
    struct weir_event ev = { .type = WEIR_EV_PAYLOAD, .base = WEIR_EV_PAYLOAD, .packet = &pkt };
    struct buffer buffer;

    (void)state;
    ev.payload.data = (struct weir_bytes){ old, DIFF };
    assert_true(copy_new(&ev, &buffer));
    assert_bytes(&buffer, "secret");
    ev.payload.data.n = 0;
    assert_false(copy_new(&ev, &buffer));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(either_copy_has_the_segment_around_it),
        cmocka_unit_test(bytes_that_are_not_the_packets_stand_alone),
        cmocka_unit_test(what_nobody_knows_is_no_copy),
        cmocka_unit_test(payload_is_what_the_event_shows),
    };

    return cmocka_run_group_tests_name("copies", tests, NULL, NULL);
}
