#include <weir/event.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct weir_field *
field_of(unsigned type, const char *name)
{
    const struct weir_field *field = weir_event_fields(type);

    while (field->name != NULL && strcmp(field->name, name) != 0)
        field++;
    assert_non_null(field->name);
    return field;
}

static void
names_lead_to_types_and_back(void **state)
{
    (void)state;
    for (unsigned type = 0; type < WEIR_EV_COUNT; type++)
        assert_int_equal(weir_event_by_name(weir_event_name(type)), type);
    assert_string_equal(weir_event_name(WEIR_EV_FAKE_RETRANSMIT), "fake_retransmit");
    assert_int_equal(weir_event_by_name("syn_ack"), WEIR_EV_SYN_ACK);
}

static void
what_is_no_event_has_no_name_and_no_fields(void **state)
{
    (void)state;
    assert_null(weir_event_name(WEIR_EV_COUNT));
    assert_null(weir_event_name(UINT32_MAX));
    assert_null(weir_event_fields(WEIR_EV_COUNT)->name);
    assert_int_equal(weir_event_by_name("retransmi"), -1);
    assert_int_equal(weir_event_by_name("retransmits"), -1);
    assert_int_equal(weir_event_by_name(""), -1);
}

/* Every field lies in the event, behind what all events have, and no two of an event overlap. */
static void
fields_lie_side_by_side_in_the_event(void **state)
{
    static const size_t sizes[] = {
        [WEIR_FIELD_INT] = 8,  [WEIR_FIELD_U16] = 2,
        [WEIR_FIELD_I16] = 2,  [WEIR_FIELD_BOOL] = 1,
        [WEIR_FIELD_ENUM] = 1, [WEIR_FIELD_BYTES] = sizeof(struct weir_bytes),
    };

    (void)state;
    for (unsigned type = 0; type < WEIR_EV_COUNT; type++) {
        uint8_t used[sizeof(struct weir_event)] = { 0 };

        for (const struct weir_field *f = weir_event_fields(type); f->name != NULL; f++) {
            assert_true(f->at >= offsetof(struct weir_event, flow_start));
            assert_true(f->at + sizes[f->kind] <= sizeof(struct weir_event));
            for (size_t i = 0; i < sizes[f->kind]; i++)
                assert_int_equal(used[f->at + i]++, 0);
            assert_int_equal(f->kind == WEIR_FIELD_ENUM, f->names != NULL);
        }
    }
}

static unsigned
count(const char *const *names)
{
    unsigned n = 0;

    while (names[n] != NULL)
        n++;
    return n;
}

static void
every_choice_has_a_text(void **state)
{
    const char *const *names = field_of(WEIR_EV_GAP, "cause")->names;

    (void)state;
    assert_int_equal(count(names), WEIR_GAP_NEVER_ACKED + 1);
    assert_string_equal(names[WEIR_GAP_ONE_SIDED], "one_sided");
    names = field_of(WEIR_EV_BAD_PACKET, "why")->names;
    assert_int_equal(count(names), WEIR_BAD_LAYERS + 1);
    assert_string_equal(names[WEIR_BAD_TRUNCATED], "truncated");
    names = field_of(WEIR_EV_BAD_CHECKSUM, "layer")->names;
    assert_int_equal(count(names), WEIR_LAYER_TUNNEL + 1);
    assert_string_equal(names[WEIR_LAYER_UDP], "udp");
    names = field_of(WEIR_EV_FRAG_BAD, "why")->names;
    assert_int_equal(count(names), WEIR_FRAG_END + 1);
    assert_string_equal(names[WEIR_FRAG_TINY], "tiny");
    names = field_of(WEIR_EV_FLOW_END, "reason")->names;
    assert_int_equal(count(names), WEIR_END_EOF + 1);
    assert_string_equal(names[WEIR_END_EVICTED], "evicted");
    names = field_of(WEIR_EV_OVERLOAD, "what")->names;
    assert_int_equal(count(names), WEIR_OVERLOAD_HELD + 1);
    assert_string_equal(names[WEIR_OVERLOAD_MEMCAP], "memcap");
    names = field_of(WEIR_EV_FAKE_RETRANSMIT, "kept")->names;
    assert_int_equal(count(names), WEIR_KEPT_NEW + 1);
    assert_string_equal(names[WEIR_KEPT_NEW], "new");
}

static void
values_are_read_whatever_their_width(void **state)
{
    struct weir_event ev = { .type = WEIR_EV_SYN };

    (void)state;
    ev.syn.mss = 65535;
    ev.syn.wscale = -1;
    ev.syn.sack = true;
    assert_int_equal(weir_event_int(&ev, field_of(WEIR_EV_SYN, "mss")), 65535);
    assert_int_equal(weir_event_int(&ev, field_of(WEIR_EV_SYN, "wscale")), -1);
    assert_int_equal(weir_event_int(&ev, field_of(WEIR_EV_SYN, "sack")), 1);
    assert_int_equal(weir_event_int(&ev, field_of(WEIR_EV_SYN, "tfo")), 0);
    ev = (struct weir_event){ .type = WEIR_EV_GAP };
    ev.gap.offset = INT64_MIN;
    ev.gap.cause = WEIR_GAP_NEVER_ACKED;
    assert_true(weir_event_int(&ev, field_of(WEIR_EV_GAP, "offset")) == INT64_MIN);
    assert_int_equal(weir_event_int(&ev, field_of(WEIR_EV_GAP, "cause")), WEIR_GAP_NEVER_ACKED);
}

static void
the_field_new_is_the_fresh_bytes(void **state)
{
    struct weir_event ev = { .type = WEIR_EV_RETRANSMIT };

    (void)state;
    ev.retransmit.fresh = 7;
    assert_int_equal(weir_event_int(&ev, field_of(WEIR_EV_RETRANSMIT, "new")), 7);
}

static void
bytes_are_shown_by_fields_of_bytes_alone(void **state)
{
    static const uint8_t data[] = { 1, 2, 3 };
    struct weir_event ev = { .type = WEIR_EV_PAYLOAD };
    struct weir_bytes bytes;

    (void)state;
    ev.payload.length = 3;
    ev.payload.data = (struct weir_bytes){ data, sizeof(data) };
    bytes = weir_event_bytes(&ev, field_of(WEIR_EV_PAYLOAD, "data"));
    assert_ptr_equal(bytes.p, data);
    assert_int_equal(bytes.n, 3);
    assert_int_equal(weir_event_int(&ev, field_of(WEIR_EV_PAYLOAD, "data")), 0);
    bytes = weir_event_bytes(&ev, field_of(WEIR_EV_PAYLOAD, "length"));
    assert_null(bytes.p);
    assert_int_equal(bytes.n, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_lead_to_types_and_back),
        cmocka_unit_test(what_is_no_event_has_no_name_and_no_fields),
        cmocka_unit_test(fields_lie_side_by_side_in_the_event),
        cmocka_unit_test(every_choice_has_a_text),
        cmocka_unit_test(values_are_read_whatever_their_width),
        cmocka_unit_test(the_field_new_is_the_fresh_bytes),
        cmocka_unit_test(bytes_are_shown_by_fields_of_bytes_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
