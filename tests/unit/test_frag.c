#include "support/frames.h"
#include "support/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WANT                                                                                       \
    (WEIR_EV_BIT(WEIR_EV_DATAGRAM) | WEIR_EV_BIT(WEIR_EV_FRAG_OVERLAP) |                           \
     WEIR_EV_BIT(WEIR_EV_FRAG_TIMEOUT) | WEIR_EV_BIT(WEIR_EV_FRAG_BAD) |                           \
     WEIR_EV_BIT(WEIR_EV_OVERLOAD) | WEIR_EV_BIT(WEIR_EV_BAD_CHECKSUM) |                           \
     WEIR_EV_BIT(WEIR_EV_BAD_PACKET))

static struct record r;
static uint8_t room[FRAME_ROOM];

/* A UDP datagram of 40 bytes: its fragments are cut from these. */
static const char text[] = "abcdefghijklmnopqrstuvwxyz012345";
static uint8_t whole[2][64];
enum { WHOLE = 40 };
#define GOT "datagram > length=32 data=abcdefghijklmnopqrstuvwxyz012345\n"

static int
begin(void **state)
{
    (void)state;
    record_start(&r, WANT, NULL);
    udp_whole(4, text, 32, whole[0]);
    udp_whole(6, text, 32, whole[1]);
    return 0;
}

static int
begin_without_vlans(void **state)
{
    static const struct weir_monitor_opts opts = { .no_vlan = true };

    begin(state);
    record_free(&r);
    record_start(&r, WANT, &opts);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    record_free(&r);
    return 0;
}

static void
send(struct ip_fragment f)
{
    struct weir_frame frame = fragment_frame(&f, room);

    frame.stable = false;
    record_feed(&r, frame);
    memset(room, 0xee, sizeof(room)); /* it is gone when the call returns */
}

/* Bytes [start, start + n) of the datagram. */
static void
send_part(unsigned version, uint32_t ident, uint32_t start, uint32_t n)
{
    send((struct ip_fragment){ .version = (uint8_t)version,
                               .ident = ident,
                               .start = start,
                               .more = start + n < WHOLE,
                               .data = whole[version == 6] + start,
                               .n = n });
}

static struct weir_monitor_stats
stats(void)
{
    struct weir_monitor_stats out;

    weir_monitor_get_stats(r.m, &out);
    return out;
}

/* ---- order --------------------------------------------------------------------------------- */

/* All orders of five fragments of eight bytes, in both versions. */
static void
any_order_gives_the_datagram(void **state)
{
    unsigned n = 0;

    (void)state;
    for (unsigned code = 0; code < 5 * 5 * 5 * 5 * 5; code++) {
        unsigned at[5], seen = 0, c = code;

        for (unsigned i = 0; i < 5; i++, c /= 5)
            seen |= 1U << (at[i] = c % 5);
        if (seen != 31)
            continue;
        n++;
        for (unsigned version = 4; version <= 6; version += 2) {
            record_clear(&r);
            for (unsigned i = 0; i < 5; i++) {
                assert_string_equal(r.text, "");
                send_part(version, code, at[i] * 8, 8);
            }
            assert_string_equal(r.text, GOT);
        }
    }
    assert_int_equal(n, 120);
    assert_int_equal(stats().fragments, 2 * 120 * 5);
    assert_int_equal(stats().datagrams, 2 * 120);
    assert_int_equal(stats().no_flow, 2 * 120 * 4);
    assert_int_equal(stats().bad_checksums, 0);
    assert_int_equal(stats().flows, 2);
}

static void
identification_protocol_and_vlan_tell_datagrams_apart(void **state)
{
    (void)state;
    send_part(4, 1, 0, 16);
    send_part(4, 2, 16, 24);
    send((struct ip_fragment){ .ident = 1, .start = 16, .proto = 99, .data = text, .n = 24 });
    send((struct ip_fragment){ .ident = 1, .start = 16, .vlan = 7, .data = text, .n = 24 });
    send_part(6, 1, 16, 24);
    assert_string_equal(r.text, "");
    send_part(4, 1, 16, 24);
    assert_string_equal(r.text, GOT);
    record_clear(&r);
    send_part(4, 2, 0, 16);
    assert_string_equal(r.text, GOT);
}

/* Neither fragments nor flows go by VLANs then. */
static void
vlans_may_be_passed_over(void **state)
{
    (void)state;
    send((struct ip_fragment){ .ident = 1, .vlan = 7, .more = true, .data = whole[0], .n = 16 });
    send((struct ip_fragment){ .ident = 1, .start = 16, .data = whole[0] + 16, .n = 24 });
    assert_string_equal(r.text, GOT);
    send((struct ip_fragment){ .ident = 2, .vlan = 9, .data = whole[0], .n = 40 });
    assert_int_equal(stats().flows, 1);
}

static void
a_datagram_may_have_64_kilobytes(void **state)
{
    static uint8_t data[65536], datagram[65536];
    uint32_t n;

    (void)state;
    for (uint32_t i = 0; i < 65507; i++)
        data[i] = (uint8_t)('a' + i % 25);
    n = udp_whole(4, data, 65507, datagram);
    for (int backwards = 0; backwards < 2; backwards++) {
        for (uint32_t i = 0; i < 8192; i++) {
            const uint32_t start = (backwards ? 8191 - i : i) * 8;

            if (start >= n)
                continue;
            send((struct ip_fragment){ .start = start,
                                       .more = start + 8 < n,
                                       .data = datagram + start,
                                       .n = start + 8 < n ? 8 : n - start });
        }
        assert_int_equal(stats().datagrams, backwards + 1);
        assert_int_equal(stats().overload[WEIR_OVERLOAD_FRAGMENTS], 0);
    }
    assert_non_null(strstr(r.text, "datagram > length=65507 data=abcdefghijklmnopqrstuvwxyabc"));
}

/* ---- TCP, checksums ------------------------------------------------------------------------ */

static void
checksums_are_those_of_the_whole(void **state)
{
    (void)state;
    send_part(4, 1, 0, 16);
    whole[0][20] ^= 1;
    send_part(4, 1, 16, 24);
    assert_string_equal(r.text, "bad_checksum layer=udp\n");
    assert_int_equal(stats().flows, 0);
}

static void
a_fragment_with_a_wrong_header_checksum_is_none(void **state)
{
    (void)state;
    send_part(4, 1, 0, 16);
    send((struct ip_fragment){
        .ident = 1, .start = 16, .data = whole[0] + 16, .n = 24, .bad_checksum = true });
    assert_string_equal(r.text, "bad_checksum layer=ipv4\n");
    record_clear(&r);
    send_part(4, 1, 16, 24);
    assert_string_equal(r.text, GOT);
}

/* ---- overlaps ------------------------------------------------------------------------------ */

#define SEEN(conflict, discarded) "frag_overlap conflict=" #conflict " discarded=" #discarded "\n"

static void
send_letters(unsigned version, uint32_t start, uint32_t n, bool more)
{
    static const uint8_t letters[64] = "................................................";

    send((struct ip_fragment){
        .version = (uint8_t)version, .start = start, .more = more, .data = letters, .n = n });
}

static void
linux_ignores_what_lies_inside(void **state)
{
    (void)state;
    for (unsigned version = 4; version <= 6; version += 2) {
        record_clear(&r);
        send_part(version, 0, 0, 16);
        send_part(version, 0, 16, 8);
        send_part(version, 0, 8, 16); /* over two fragments, but of one run */
        assert_string_equal(r.text, SEEN(0, 0));
        send_letters(version, 0, 16, true);
        assert_string_equal(r.text, SEEN(0, 0) SEEN(1, 0));
        send_part(version, 0, 24, 16);
        assert_string_equal(r.text, SEEN(0, 0) SEEN(1, 0) GOT);
    }
}

static void
linux_discards_any_other_overlap(void **state)
{
    static const struct {
        uint8_t start, n;
    } overlap[] = { { 0, 16 }, { 16, 16 }, { 0, 32 }, { 8, 24 } };

    (void)state;
    for (unsigned version = 4; version <= 6; version += 2) {
        for (unsigned i = 0; i < 4; i++) {
            record_clear(&r);
            send_part(version, 0, 8, 16);
            send_part(version, 0, overlap[i].start, overlap[i].n);
            assert_string_equal(r.text, SEEN(0, 1));
            send_part(version, 0, 0, 8); /* begins anew */
            send_part(version, 0, 24, 16);
            assert_string_equal(r.text, SEEN(0, 1));
            send_part(version, 0, 8, 16);
            assert_string_equal(r.text, SEEN(0, 1) GOT);
        }
    }
}

/* As fragments that did not come in order lie apart in the kernel's tree. */
static void
linux_discards_a_repetition_across_runs(void **state)
{
    (void)state;
    send_part(4, 0, 16, 8);
    send_part(4, 0, 8, 8);
    send_part(4, 0, 8, 16);
    assert_string_equal(r.text, SEEN(0, 1));
}

/* Other targets: their table in IPv4; in IPv6 only the very same fragment is ignored. */
static void
other_targets_keep_or_discard(void **state)
{
    const struct weir_monitor_opts opts = { .policy = WEIR_POLICY_FIRST };

    (void)state;
    record_free(&r);
    record_start(&r, WANT, &opts);
    send_part(4, 0, 0, 16);
    send_letters(4, 8, 16, true); /* the part that is new is taken: letters */
    send_part(4, 0, 16, 24);
    assert_string_equal(r.text, SEEN(1, 0) SEEN(1, 0) "bad_checksum layer=udp\n");
    record_clear(&r);
    send_part(6, 0, 0, 16);
    send_part(6, 0, 0, 16);
    assert_string_equal(r.text, SEEN(0, 0));
    send_part(6, 0, 16, 24);
    assert_string_equal(r.text, SEEN(0, 0) GOT);
    record_clear(&r);
    send_part(6, 0, 0, 16);
    send_part(6, 0, 0, 8);
    assert_string_equal(r.text, SEEN(0, 1));
}

/* ---- what is bad --------------------------------------------------------------------------- */

#define BAD(why, discarded) "frag_bad why=" #why " discarded=" #discarded "\n"

static void
an_empty_fragment_ends_the_datagram(void **state)
{
    (void)state;
    for (unsigned version = 4; version <= 6; version += 2) {
        record_clear(&r);
        send_part(version, 0, 0, 16);
        send_letters(version, 16, 0, true);
        send_part(version, 0, 16, 24);
        assert_string_equal(r.text, BAD(zero_length, 1));
        send_part(version, 0, 0, 16); /* the last one began another datagram */
        assert_string_equal(r.text, BAD(zero_length, 1) GOT);
    }
    record_clear(&r);
    send_part(6, 0, 16, 24);
    send_letters(6, 0, 0, true); /* dropped like any first fragment without a header */
    send_part(6, 0, 0, 16);
    assert_string_equal(r.text, BAD(zero_length, 0) GOT);
}

static void
a_fragment_ends_no_later_than_65535(void **state)
{
    (void)state;
    send_part(4, 0, 0, 16);
    send_letters(4, 65512, 4, false); /* just beyond, with the header */
    send_part(4, 0, 16, 24);
    assert_string_equal(r.text, BAD(too_long, 1));
    record_clear(&r);
    send_part(6, 0, 0, 16);
    send_letters(6, 65528, 8, false); /* this fragment alone is dropped */
    send_part(6, 0, 16, 24);
    assert_string_equal(r.text, BAD(too_long, 0) GOT);
}

static void
an_odd_length_is_cut_in_ipv4_and_refused_in_ipv6(void **state)
{
    (void)state;
    send((struct ip_fragment){ .more = true, .data = whole[0], .n = 19 });
    send_part(4, 0, 16, 24);
    assert_string_equal(r.text, BAD(unaligned, 0) GOT);
    record_clear(&r);
    send((struct ip_fragment){ .version = 6, .more = true, .data = whole[1], .n = 19 });
    send_part(6, 0, 0, 16);
    send_part(6, 0, 16, 24);
    assert_string_equal(r.text, BAD(unaligned, 0) GOT);
    record_clear(&r);
    send_part(4, 0, 0, 16);
    send_letters(4, 16, 7, true); /* nothing is left of it */
    send_part(4, 0, 16, 24);
    assert_string_equal(r.text, BAD(unaligned, 1));
}

static void
a_first_fragment_without_its_transport_header_is_tiny(void **state)
{
    (void)state;
    send((struct ip_fragment){ .proto = WEIR_PROTO_TCP, .more = true, .data = text, .n = 16 });
    assert_string_equal(r.text, BAD(tiny, 0));
    record_clear(&r);
    send((struct ip_fragment){
        .proto = WEIR_PROTO_TCP, .more = true, .data = text, .n = 24, .ident = 1 });
    assert_string_equal(r.text, "");
    send((struct ip_fragment){
        .version = 6, .proto = WEIR_PROTO_TCP, .more = true, .data = text, .n = 16 });
    assert_string_equal(r.text, BAD(tiny, 0));
    send_part(6, 0, 16, 24);
    send_part(6, 0, 0, 16); /* the tiny one was dropped: no overlap */
    assert_string_equal(r.text, BAD(tiny, 0) GOT);
}

static void
a_second_end_contradicts_the_first(void **state)
{
    (void)state;
    for (unsigned version = 4; version <= 6; version += 2) {
        record_clear(&r);
        send_part(version, 0, 16, 24);
        send_letters(version, 8, 8, false); /* ends before */
        assert_string_equal(r.text, BAD(end, 1));
        send_part(version, 0, 16, 24);
        send_letters(version, 40, 8, true); /* goes on behind */
        assert_string_equal(r.text, BAD(end, 1) BAD(end, 1));
        send_part(version, 0, 16, 24);
        send_part(version, 0, 0, 16);
        assert_string_equal(r.text, BAD(end, 1) BAD(end, 1) GOT);
    }
}

/* ---- time ---------------------------------------------------------------------------------- */

static void
tick(uint64_t ms)
{
    const uint8_t arp[60] = { [12] = 8, 6 };

    record_feed(&r, (struct weir_frame){ .data = arp,
                                         .caplen = 60,
                                         .wirelen = 60,
                                         .time = START_SECONDS * UINT64_C(1000000000) + ms * MS,
                                         .link = 1 });
}

static void
a_datagram_waits_30_seconds_in_ipv4_and_60_in_ipv6(void **state)
{
    (void)state;
    send_part(4, 1, 0, 16);
    send_part(6, 1, 0, 16);
    send((struct ip_fragment){
        .ident = 1, .start = 24, .data = whole[0] + 24, .n = 16, .ms = 20000 });
    tick(29999);
    assert_string_equal(r.text, "");
    tick(30000); /* from the first fragment */
    assert_string_equal(r.text, "frag_timeout\n");
    tick(59999);
    assert_string_equal(r.text, "frag_timeout\n");
    tick(60000);
    assert_string_equal(r.text, "frag_timeout\nfrag_timeout\n");
    assert_int_equal(stats().datagrams, 0);
    tick(1000000);
    assert_string_equal(r.text, "frag_timeout\nfrag_timeout\n");
}

static struct weir_event seen[4];
static struct weir_packet seen_packet[4];
static unsigned n_seen;

static weir_fut
keep(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);

    (void)ctx;
    assert_true(n_seen < 4);
    seen[n_seen] = *ev;
    if (ev->packet != NULL)
        seen_packet[n_seen] = *ev->packet;
    n_seen++;
    return weir_ok(0);
}

/* Timers run in the order of (deadline, first packet), over flows and datagrams. */
static void
timeouts_come_in_the_order_of_first_packets(void **state)
{
    static const weir_fn stages[] = { keep };
    static const struct weir_tap_spec spec = { .stage = stages,
                                               .n_stages = 1,
                                               .want = WEIR_EV_BIT(WEIR_EV_FRAG_TIMEOUT) |
                                                       WEIR_EV_BIT(WEIR_EV_FLOW_END) };
    const struct weir_app app = { .name = "keep", .spec = &spec };
    uint8_t rooms[3][FRAME_ROOM];
    struct weir_frame frames[3] = {
        fragment_frame(&(struct ip_fragment){ .ident = 1, .more = true, .data = text, .n = 16 },
                       rooms[0]),
        udp_frame(WEIR_TOSERVER, "x", 1, 1, rooms[1]),
        fragment_frame(
            &(struct ip_fragment){
                .ident = 2, .more = true, .data = text, .n = 16, .ms = 2, .vlan = 9 },
            rooms[2]),
    };
    struct weir_monitor *m;

    (void)state;
    n_seen = 0;
    assert_int_equal(weir_monitor_new(NULL, &m), WEIR_E_OK);
    assert_int_equal(weir_monitor_add(m, &app), WEIR_E_OK);
    assert_int_equal(weir_monitor_feed(m, frames, 3), WEIR_E_OK);
    frames[0].time += 40000 * MS;
    frames[0].caplen = 0;
    assert_int_equal(weir_monitor_feed(m, frames, 1), WEIR_E_OK);
    assert_int_equal(n_seen, 3);
    assert_int_equal(seen[0].type, WEIR_EV_FRAG_TIMEOUT);
    assert_int_equal(seen[1].type, WEIR_EV_FLOW_END);
    assert_int_equal(seen[2].type, WEIR_EV_FRAG_TIMEOUT);
    for (int i = 0; i < 3; i++)
        assert_int_equal(seen[i].number, 0);
    assert_int_equal(seen[2].time, START_SECONDS * UINT64_C(1000000000) + 30100 * MS);
    assert_false(seen[2].has_flow);
    assert_int_equal(seen_packet[2].ip_version, 4);
    assert_int_equal(seen_packet[2].proto, WEIR_PROTO_UDP);
    assert_int_equal(seen_packet[2].src.b[3], 1);
    assert_int_equal(seen_packet[2].dst.b[3], 2);
    assert_int_equal(seen_packet[2].vlan[0], 9);
    assert_int_equal(seen_packet[2].caplen, 0);
    weir_monitor_end(m);
    weir_monitor_free(m);
}

static void
the_end_of_the_input_is_no_timeout(void **state)
{
    (void)state;
    send_part(4, 1, 0, 16);
    assert_true(stats().memory > 2048);
    record_end(&r);
    assert_string_equal(r.text, "");
}

/* ---- limits -------------------------------------------------------------------------------- */

static void
the_oldest_of_16384_datagrams_goes(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 16385; i++)
        send_part(4 + i % 2 * 2, i, 0, 16);
    assert_string_equal(r.text, "overload what=fragments count=1\n");
    record_clear(&r);
    send_part(6, 1, 16, 24);
    assert_string_equal(r.text, GOT);
    record_clear(&r);
    send_part(4, 0, 16, 24);
    assert_string_equal(r.text, ""); /* it had gone */
    assert_int_equal(stats().overload[WEIR_OVERLOAD_FRAGMENTS], 1);
}

/* A sixteenth of the memory: 16 MiB, of which each of these takes 128 KiB. */
static void
memory_is_bounded_and_the_oldest_goes(void **state)
{
    const struct weir_monitor_opts opts = { .memcap = 256 << 20 };

    (void)state;
    record_free(&r);
    record_start(&r, WANT, &opts);
    for (uint32_t i = 0; i < 500; i++) {
        send(
            (struct ip_fragment){ .ident = i, .start = 65000, .more = true, .data = text, .n = 8 });
        assert_true(stats().memory <= (256 << 20));
    }
    assert_in_range(stats().overload[WEIR_OVERLOAD_FRAGMENTS], 500 - 128, 500 - 120);
    record_clear(&r);
    send_part(4, 1000, 0, 16); /* room for this one is made too */
    send_part(4, 1000, 16, 24);
    assert_non_null(strstr(r.text, GOT));
}

/*
 * Blocks of all sizes come and go, then there is room for large ones: the datagram that waits
 * stays.
 */
static void
small_datagrams_leave_room_for_large_ones(void **state)
{
    const struct weir_monitor_opts opts = { .memcap = 256 << 20 };
    const uint32_t starts[] = { 0, 2000, 5000, 11000, 24000 };
    uint64_t ms = 0;

    (void)state;
    record_free(&r);
    record_start(&r, WANT, &opts);
    for (unsigned size = 0; size < 5; size++, ms += 40000)
        for (uint32_t i = 0; i < 8000; i++) {
            send((struct ip_fragment){
                .ident = i, .start = starts[size], .more = true, .data = text, .n = 8, .ms = ms });
            record_clear(&r);
        }
    send((struct ip_fragment){
        .ident = 8000, .start = 0, .more = true, .data = whole[0], .n = 16, .ms = ms });
    record_clear(&r);
    for (uint32_t i = 8001; i < 8021; i++)
        send((struct ip_fragment){
            .ident = i, .start = 60000, .more = true, .data = text, .n = 8, .ms = ms });
    send((struct ip_fragment){
        .ident = 8000, .start = 16, .data = whole[0] + 16, .n = 24, .ms = ms });
    assert_string_equal(r.text, GOT);
}

/* A capture may claim any length for a frame, and a card leave that of IPv4 at 0. */
static void
a_length_that_no_frame_has_is_too_long(void **state)
{
    const struct weir_monitor_opts opts = { .no_checksums = true };
    const struct ip_fragment f = { .start = 16, .more = true, .data = text, .n = 16 };
    struct weir_frame frame = fragment_frame(&f, room);

    (void)state;
    record_free(&r);
    record_start(&r, WANT, &opts);
    frame.stable = false;
    room[16] = room[17] = 0;
    for (unsigned i = 0; i < 64; i++) {
        frame.wirelen = UINT32_MAX - i;
        record_clear(&r);
        record_feed(&r, frame);
        assert_string_equal(r.text, "frag_bad why=too_long discarded=1\n");
    }
}

/* ---- frames that are cut ------------------------------------------------------------------- */

static void
what_was_not_captured_ends_the_datagram_that_is_shown(void **state)
{
    (void)state;
    send_part(4, 0, 24, 16);
    send((struct ip_fragment){ .more = true, .data = whole[0], .n = 24, .lack = 6 });
    assert_string_equal(r.text, "datagram > length=32 data=abcdefghij\n");
}

/* Every prefix of a frame, as a snap length or as all there is. */
static void
every_prefix_is_safe(void **state)
{
    uint8_t rooms[2][FRAME_ROOM];

    (void)state;
    for (uint8_t version = 4; version <= 6; version += 2) {
        const struct ip_fragment second = {
            .version = version, .start = 16, .data = whole[version == 6] + 16, .n = 24
        };
        const struct weir_frame full = fragment_frame(&second, rooms[0]);

        for (uint32_t n = 0; n <= full.caplen; n++) {
            for (int snap = 0; snap < 2; snap++) {
                struct weir_frame part = full;
                uint8_t *exact = malloc(n > 0 ? n : 1);

                assert_non_null(exact);
                memcpy(exact, full.data, n);
                part.data = exact;
                part.caplen = n;
                part.stable = false;
                if (!snap)
                    part.wirelen = n;
                send_part(version, 0, 0, 16);
                record_feed(&r, part);
                free(exact);
            }
        }
    }
    assert_non_null(strstr(r.text, GOT));
}

/* ---- a packet inside ----------------------------------------------------------------------- */

static void
an_ipv6_header_with_extensions_is_kept(void **state)
{
    /* Routing header of 2056 bytes before the fragment header. */
    static uint8_t frame[40 + 14 + 2056 + 8 + 16] = { [12] = 0x86, 0xdd };
    uint8_t *ip = frame + 14;
    uint8_t plain[FRAME_ROOM];
    const struct ip_fragment first = { .version = 6, .more = true, .data = whole[1], .n = 16 };
    const struct weir_frame from = fragment_frame(&first, plain);

    (void)state;
    memcpy(frame, from.data, 14 + 40);
    ip[4] = (2056 + 8 + 16) >> 8;
    ip[5] = (2056 + 8 + 16) & 255;
    ip[6] = 43;
    ip[40] = 44;
    ip[41] = 255;
    ip[43] = 0;
    memcpy(ip + 40 + 2048, from.data + 14 + 40, 8 + 16);
    send_part(6, 0, 16, 24);
    record_feed(&r, (struct weir_frame){ .data = frame,
                                         .caplen = 14 + 40 + 2048 + 24,
                                         .wirelen = 14 + 40 + 2048 + 24,
                                         .time = from.time,
                                         .link = 1 });
    assert_string_equal(r.text, "bad_packet layer=ipv6 why=length\n");
    ip[4] = (2048 + 8 + 16) >> 8;
    ip[5] = (2048 + 8 + 16) & 255;
    record_clear(&r);
    record_feed(&r, (struct weir_frame){ .data = frame,
                                         .caplen = 14 + 40 + 2048 + 24,
                                         .wirelen = 14 + 40 + 2048 + 24,
                                         .time = from.time,
                                         .link = 1 });
    assert_string_equal(r.text, GOT);
}

static void
an_atomic_fragment_is_a_packet(void **state)
{
    (void)state;
    send_part(6, 5, 0, 16);
    send((struct ip_fragment){ .version = 6, .ident = 5, .data = whole[1], .n = WHOLE });
    assert_string_equal(r.text, GOT); /* RFC 6946: it does not meet the other one */
    assert_int_equal(stats().fragments, 1);
}

/* The first fragment's bytes begin with a fragment header themselves. */
static void
fragments_inside_a_fragmented_packet_are_refused(void **state)
{
    static const uint8_t inner[24] = { WEIR_PROTO_UDP, 0, 0, 1, 0, 0, 0, 9 };
    static const uint8_t atomic[24] = { WEIR_PROTO_UDP, 0, 0, 0, 0, 0, 0, 9 };

    (void)state;
    for (int i = 0; i < 3; i++) {
        const uint8_t *data = i == 0 ? inner : atomic;

        record_clear(&r);
        if (i < 2)
            send((struct ip_fragment){
                .version = 6, .proto = 44, .more = true, .data = data, .n = 16 });
        send((struct ip_fragment){ .version = 6,
                                   .proto = 44,
                                   .start = i < 2 ? 16 : 0,
                                   .data = i < 2 ? data + 16 : data,
                                   .n = i < 2 ? 8 : 24 });
        assert_string_equal(r.text, "bad_packet layer=ipv6 why=layers\n");
    }
}

/* ---- the frame that is shown ----------------------------------------------------------------- */

static uint8_t shown[4096];
static struct weir_packet shown_packet;

static weir_fut
show(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);

    (void)ctx;
    shown_packet = *ev->packet;
    assert_true(ev->packet->caplen <= sizeof(shown));
    memcpy(shown, ev->packet->frame, ev->packet->caplen);
    return weir_ok(0);
}

/* Feed fragments; the datagram is in shown after the last. */
static void
show_whole(const struct weir_frame *frames, unsigned n)
{
    static const weir_fn stages[] = { show };
    static const struct weir_tap_spec spec = { .stage = stages,
                                               .n_stages = 1,
                                               .want = WEIR_EV_BIT(WEIR_EV_DATAGRAM) };
    const struct weir_app app = { .name = "show", .spec = &spec };
    struct weir_monitor *m;

    memset(&shown_packet, 0, sizeof(shown_packet));
    assert_int_equal(weir_monitor_new(NULL, &m), WEIR_E_OK);
    assert_int_equal(weir_monitor_add(m, &app), WEIR_E_OK);
    assert_int_equal(weir_monitor_feed(m, frames, n), WEIR_E_OK);
    weir_monitor_end(m);
    weir_monitor_free(m);
}

static struct weir_frame
plain_frame(const uint8_t *data, uint32_t n, uint16_t link)
{
    return (struct weir_frame){ .data = data, .caplen = n, .wirelen = n, .link = link };
}

static void
assert_shown(const void *frame, uint32_t n, uint16_t link)
{
    assert_int_equal(shown_packet.caplen, n);
    assert_int_equal(shown_packet.wirelen, n);
    assert_int_equal(shown_packet.link, link);
    assert_true(shown_packet.whole && !shown_packet.fragment && !shown_packet.stable);
    assert_memory_equal(shown, frame, n);
}

/* A datagram of 40 bytes in IPv4, and fragments of 16 and 24. */
static void
the_whole_looks_as_if_it_had_not_been_cut(void **state)
{
    static uint8_t rooms[3][FRAME_ROOM];
    const struct ip_fragment parts[3] = {
        { .ident = 5, .vlan = 7, .more = true, .data = whole[0], .n = 16 },
        { .ident = 5, .vlan = 7, .start = 16, .data = whole[0] + 16, .n = 24 },
        { .ident = 5, .vlan = 7, .data = whole[0], .n = 40 },
    };
    struct weir_frame frames[3];

    (void)state;
    for (int i = 0; i < 3; i++)
        frames[i] = fragment_frame(&parts[i], rooms[i]);
    show_whole(frames, 2);
    assert_shown(rooms[2], 14 + 4 + 20 + 40, 1);
    assert_int_equal(shown_packet.number, 2);
}

/* The link header is that of the first fragment, whichever came first or last. */
static void
the_first_fragment_gives_the_headers(void **state)
{
    static uint8_t rooms[3][FRAME_ROOM];
    const struct ip_fragment first = { .more = true, .data = whole[0], .n = 16 };
    const struct ip_fragment last = { .start = 16, .data = whole[0] + 16, .n = 24 };
    const struct ip_fragment all = { .data = whole[0], .n = 40 };
    struct weir_frame frames[2];

    (void)state;
    fragment_frame(&all, rooms[2]);
    for (unsigned at = 0; at < 2; at++) {
        frames[at] = fragment_frame(&first, rooms[0]);
        frames[!at] = fragment_frame(&last, rooms[1]);
        rooms[0][0] = rooms[2][0] = 2;
        frames[!at].data += 14; /* on a link without a header */
        frames[!at].caplen -= 14;
        frames[!at].wirelen -= 14;
        frames[!at].link = 228;
        show_whole(frames, 2);
        assert_shown(rooms[2], 14 + 20 + 40, 1);
    }
}

/* IPv6 with AH and a routing header before the fragment header, on PPP. */
#define IPV6_HOSTS                                                                                 \
    0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0,  \
        0, 0, 0, 0, 0, 2
#define AH_ROUTING(next)                                                                           \
    43, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4, next, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  \
        0, 0

static void
the_fragment_header_goes_and_the_one_before_tells_what_is_next(void **state)
{
    static const struct {
        uint8_t n, before[2][88], after[88];
    } cases[] = {
        { 41,
          { { 0x57, 0x60, 0, 0, 0, 0, 8 + 16, 44, 64, IPV6_HOSTS, 17, 0, 0, 1, 0, 0, 0, 9 },
            { 0x57, 0x60, 0, 0, 0, 0, 8 + 24, 44, 64, IPV6_HOSTS, 99, 0, 0, 16, 0, 0, 0, 9 } },
          { 0x57, 0x60, 0, 0, 0, 0, 40, 17, 64, IPV6_HOSTS } },
        { 41 + 32,
          { { 0x57, 0x60, 0, 0, 0, 0, 32 + 8 + 16, 51, 64, IPV6_HOSTS, AH_ROUTING(44), 17, 0, 0, 1,
              0, 0, 0, 9 },
            { 0x57, 0x60, 0, 0, 0, 0, 8 + 24, 44, 64, IPV6_HOSTS, 99, 0, 0, 16, 0, 0, 0, 9 } },
          { 0x57, 0x60, 0, 0, 0, 0, 32 + 40, 51, 64, IPV6_HOSTS, AH_ROUTING(17) } },
    };

    (void)state;
    for (int i = 0; i < 2; i++) {
        uint8_t first[128], last[128], all[128];
        const uint32_t n = cases[i].n;
        struct weir_frame frames[2];

        memcpy(first, cases[i].before[0], n + 8);
        memcpy(first + n + 8, whole[1], 16);
        memcpy(last, cases[i].before[1], 41 + 8);
        memcpy(last + 41 + 8, whole[1] + 16, 24);
        memcpy(all, cases[i].after, n);
        memcpy(all + n, whole[1], 40);
        frames[0] = plain_frame(first, n + 8 + 16, 9);
        frames[1] = plain_frame(last, 41 + 8 + 24, 9);
        show_whole(frames, 2);
        assert_shown(all, n + 40, 9);
    }
}

/* IPv4 in IPv4, both in two fragments: the inner whole stands behind the outer whole's header. */
static void
a_whole_in_a_whole_keeps_what_is_around(void **state)
{
    static uint8_t rooms[4][FRAME_ROOM], inner[2][FRAME_ROOM], all[FRAME_ROOM], alone[FRAME_ROOM];
    struct weir_frame frames[4];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        const uint32_t n = i == 0 ? 16 : 24, half = i == 0 ? 16 : 24;
        const struct ip_fragment part = {
            .ident = 8, .start = 16 * i, .more = i == 0, .data = whole[0] + 16 * i, .n = n
        };

        fragment_frame(&part, inner[i]);
        frames[2 * i] = fragment_frame(
            &(struct ip_fragment){
                .proto = 4, .ident = i, .more = true, .data = inner[i] + 14, .n = half },
            rooms[2 * i]);
        frames[2 * i + 1] = fragment_frame(&(struct ip_fragment){ .proto = 4,
                                                                  .ident = i,
                                                                  .start = half,
                                                                  .data = inner[i] + 14 + half,
                                                                  .n = 20 + n - half },
                                           rooms[2 * i + 1]);
    }
    show_whole(frames, 4);
    fragment_frame(&(struct ip_fragment){ .ident = 8, .data = whole[0], .n = 40 }, alone);
    fragment_frame(&(struct ip_fragment){ .proto = 4, .data = alone + 14, .n = 60 }, all);
    assert_shown(all, 14 + 20 + 20 + 40, 1);
    assert_int_equal(shown_packet.tunnel, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(any_order_gives_the_datagram, begin, end),
        cmocka_unit_test_setup_teardown(identification_protocol_and_vlan_tell_datagrams_apart,
                                        begin, end),
        cmocka_unit_test_setup_teardown(vlans_may_be_passed_over, begin_without_vlans, end),
        cmocka_unit_test_setup_teardown(a_datagram_may_have_64_kilobytes, begin, end),
        cmocka_unit_test_setup_teardown(checksums_are_those_of_the_whole, begin, end),
        cmocka_unit_test_setup_teardown(a_fragment_with_a_wrong_header_checksum_is_none, begin,
                                        end),
        cmocka_unit_test_setup_teardown(linux_ignores_what_lies_inside, begin, end),
        cmocka_unit_test_setup_teardown(linux_discards_any_other_overlap, begin, end),
        cmocka_unit_test_setup_teardown(linux_discards_a_repetition_across_runs, begin, end),
        cmocka_unit_test_setup_teardown(other_targets_keep_or_discard, begin, end),
        cmocka_unit_test_setup_teardown(an_empty_fragment_ends_the_datagram, begin, end),
        cmocka_unit_test_setup_teardown(a_fragment_ends_no_later_than_65535, begin, end),
        cmocka_unit_test_setup_teardown(an_odd_length_is_cut_in_ipv4_and_refused_in_ipv6, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_first_fragment_without_its_transport_header_is_tiny,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_second_end_contradicts_the_first, begin, end),
        cmocka_unit_test_setup_teardown(a_datagram_waits_30_seconds_in_ipv4_and_60_in_ipv6, begin,
                                        end),
        cmocka_unit_test_setup_teardown(timeouts_come_in_the_order_of_first_packets, begin, end),
        cmocka_unit_test_setup_teardown(the_end_of_the_input_is_no_timeout, begin, end),
        cmocka_unit_test_setup_teardown(the_oldest_of_16384_datagrams_goes, begin, end),
        cmocka_unit_test_setup_teardown(memory_is_bounded_and_the_oldest_goes, begin, end),
        cmocka_unit_test_setup_teardown(small_datagrams_leave_room_for_large_ones, begin, end),
        cmocka_unit_test_setup_teardown(a_length_that_no_frame_has_is_too_long, begin, end),
        cmocka_unit_test_setup_teardown(what_was_not_captured_ends_the_datagram_that_is_shown,
                                        begin, end),
        cmocka_unit_test_setup_teardown(every_prefix_is_safe, begin, end),
        cmocka_unit_test_setup_teardown(an_ipv6_header_with_extensions_is_kept, begin, end),
        cmocka_unit_test_setup_teardown(an_atomic_fragment_is_a_packet, begin, end),
        cmocka_unit_test_setup_teardown(fragments_inside_a_fragmented_packet_are_refused, begin,
                                        end),
        cmocka_unit_test_setup_teardown(the_whole_looks_as_if_it_had_not_been_cut, begin, end),
        cmocka_unit_test_setup_teardown(the_first_fragment_gives_the_headers, begin, end),
        cmocka_unit_test_setup_teardown(
            the_fragment_header_goes_and_the_one_before_tells_what_is_next, begin, end),
        cmocka_unit_test_setup_teardown(a_whole_in_a_whole_keeps_what_is_around, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
