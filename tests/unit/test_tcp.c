/* TCP tracking: which events a sequence of segments raises. Authorities are named at each test. */
#include "support/frames.h"
#include "support/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CLIENT = 1001, SERVER = 5001 }; /* sequence numbers of the first bytes */

#define S WEIR_TH_SYN
#define A WEIR_TH_ACK
#define F WEIR_TH_FIN
#define R WEIR_TH_RST

/* All but those that every packet or every segment of data raises. */
#define WANT (WEIR_EV_ALL & ~(WEIR_EV_BIT(WEIR_EV_PACKET) | WEIR_EV_BIT(WEIR_EV_FLOW_END)))

struct fixture {
    struct record record;
    uint8_t room[400][FRAME_ROOM];
    unsigned n;
    uint64_t ms;
};

static struct fixture fixture;

static int
set_up(void **state)
{
    record_start(&fixture.record, WANT, NULL);
    fixture.n = 0;
    fixture.ms = 0;
    *state = &fixture;
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    record_free(&fixture.record);
    return 0;
}

static void
send_segment(struct segment segment)
{
    assert_true(fixture.n < 400);
    segment.ms = fixture.ms++;
    record_feed(&fixture.record, tcp_frame(&segment, fixture.room[fixture.n++]));
}

/* off and ack count from the first byte of each direction. */
static void
client(uint8_t flags, int off, int ack, const char *data)
{
    send_segment((struct segment){ .dir = WEIR_TOSERVER,
                                   .flags = flags,
                                   .seq = CLIENT + (uint32_t)off,
                                   .ack = flags & A ? SERVER + (uint32_t)ack : 0,
                                   .data = data,
                                   .n = (uint32_t)strlen(data) });
}

static void
server(uint8_t flags, int off, int ack, const char *data)
{
    send_segment((struct segment){ .dir = WEIR_TOCLIENT,
                                   .flags = flags,
                                   .seq = SERVER + (uint32_t)off,
                                   .ack = flags & A ? CLIENT + (uint32_t)ack : 0,
                                   .data = data,
                                   .n = (uint32_t)strlen(data) });
}

static void
handshake(void)
{
    client(S, -1, 0, "");
    server(S | A, -1, 0, "");
    client(A, 0, 0, "");
    record_clear(&fixture.record);
}

static void
wait_ms(uint64_t ms)
{
    fixture.ms += ms;
}

static void
expect(const char *text)
{
    assert_string_equal(fixture.record.text, text);
    record_clear(&fixture.record);
}

static void
expect_at_end(const char *text)
{
    record_end(&fixture.record);
    expect(text);
}

static void
a_connection_from_syn_to_fin(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    server(S | A, -1, 0, "");
    client(A, 0, 0, "");
    client(A, 0, 0, "GET");
    server(A, 0, 3, "200");
    client(F | A, 3, 3, "");
    server(F | A, 3, 4, "");
    client(A, 4, 4, "");
    expect("flow_start > midstream=0\n"
           "syn > mss=0 wscale=-1 sack=0 ts=0 tfo=0\n"
           "syn_ack < mss=0 wscale=-1 sack=0 ts=0 tfo=0\n"
           "established > rtt=2000\n"
           "payload > offset=0 length=3 data=GET after_gap=0\n"
           "payload < offset=0 length=3 data=200 after_gap=0\n"
           "fin >\n"
           "fin <\n");
}

static void
a_repeated_syn_or_syn_ack_is_a_retransmission(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    client(S, -1, 0, "");
    server(S | A, -1, 0, "");
    server(S | A, -1, 0, "");
    expect("flow_start > midstream=0\n"
           "syn > mss=0 wscale=-1 sack=0 ts=0 tfo=0\n"
           "retransmit > offset=-1 length=0 new=0 acked=0 verified=1 syn=1 fin=0\n"
           "syn_ack < mss=0 wscale=-1 sack=0 ts=0 tfo=0\n"
           "retransmit < offset=-1 length=0 new=0 acked=0 verified=1 syn=1 fin=0\n");
}

static void
equal_bytes_again_are_a_retransmission_before_and_after_the_ack(void **state)
{
    (void)state;
    handshake();
    client(A, 0, 0, "hello");
    client(A, 0, 0, "hello");
    server(A, 0, 5, "");
    client(A, 0, 0, "hello");
    client(A, 2, 0, "llo world");
    expect("payload > offset=0 length=5 data=hello after_gap=0\n"
           "retransmit > offset=0 length=5 new=0 acked=0 verified=1 syn=0 fin=0\n"
           "retransmit > offset=0 length=5 new=0 acked=1 verified=1 syn=0 fin=0\n"
           "retransmit > offset=2 length=3 new=6 acked=1 verified=1 syn=0 fin=0\n"
           "payload > offset=5 length=6 data= world after_gap=0\n");
}

static void
different_bytes_again_are_a_fake_before_and_after_the_ack(void **state)
{
    (void)state;
    handshake();
    client(A, 0, 0, "hello");
    client(A, 0, 0, "hexxo");
    server(A, 0, 5, "");
    client(A, 0, 0, "jello!");
    expect("payload > offset=0 length=5 data=hello after_gap=0\n"
           "fake_retransmit > offset=0 length=5 diff_offset=2 diff_length=2 kept=old old_data=ll "
           "new_data=xx\n"
           "fake_retransmit > offset=0 length=5 diff_offset=0 diff_length=1 kept=old old_data=h "
           "new_data=j\n"
           "payload > offset=5 length=1 data=! after_gap=0\n");
}

static void
data_out_of_order_waits_and_comes_in_order(void **state)
{
    (void)state;
    handshake();
    client(A, 5, 0, "world");
    client(A, 0, 0, "hello");
    expect("out_of_order > offset=5 length=5 hole=5\n"
           "payload > offset=0 length=5 data=hello after_gap=0\n"
           "payload > offset=5 length=5 data=world after_gap=0\n");
}

/* tcp-policies: Linux keeps the first copy of an exact duplicate in the queue. */
static void
a_fake_in_the_queue_says_who_wins(void **state)
{
    (void)state;
    handshake();
    client(A, 4, 0, "AAAA");
    client(A, 4, 0, "BBBB");
    client(A, 2, 0, "CCCC");
    client(A, 0, 0, "xx");
    expect("out_of_order > offset=4 length=4 hole=4\n"
           "fake_retransmit > offset=4 length=4 diff_offset=4 diff_length=4 kept=old "
           "old_data=AAAA new_data=BBBB\n"
           "out_of_order > offset=4 length=4 hole=4\n"
           "fake_retransmit > offset=4 length=2 diff_offset=4 diff_length=2 kept=new "
           "old_data=AA new_data=CC\n"
           "out_of_order > offset=2 length=4 hole=2\n"
           "payload > offset=0 length=2 data=xx after_gap=0\n"
           "payload > offset=2 length=4 data=CCCC after_gap=0\n"
           "payload > offset=6 length=2 data=AA after_gap=0\n");
}

/* What was never seen is not shown as old: of two conflicts with a hole between, the first is told. */
static void
a_fake_ends_before_a_hole(void **state)
{
    (void)state;
    handshake();
    client(A, 4, 0, "AAAA");
    client(A, 12, 0, "BBBB");
    client(A, 4, 0, "AxxAccccyyyyy");
    expect("out_of_order > offset=4 length=4 hole=4\n"
           "out_of_order > offset=12 length=4 hole=12\n"
           "fake_retransmit > offset=4 length=12 diff_offset=5 diff_length=2 kept=new "
           "old_data=AA new_data=xx\n"
           "out_of_order > offset=4 length=13 hole=4\n");
}

/* Delivered bytes and those that wait behind them, with nothing missing, are one old text. */
static void
a_fake_goes_over_segments_that_touch(void **state)
{
    (void)state;
    handshake();
    client(A, 4, 0, "AA");
    client(A, 6, 0, "BB");
    client(A, 8, 0, "CC");
    client(A, 5, 0, "xBByC");
    expect("out_of_order > offset=4 length=2 hole=4\n"
           "out_of_order > offset=6 length=2 hole=6\n"
           "out_of_order > offset=8 length=2 hole=8\n"
           "fake_retransmit > offset=5 length=5 diff_offset=5 diff_length=4 kept=old "
           "old_data=ABBC new_data=xBBy\n"
           "out_of_order > offset=5 length=5 hole=5\n");
}

static void
an_acknowledged_hole_is_a_gap_after_a_second(void **state)
{
    (void)state;
    handshake();
    client(A, 5, 0, "world");
    server(A, 0, 10, "");
    expect("out_of_order > offset=5 length=5 hole=5\n");
    wait_ms(800);
    client(A, 10, 0, "");
    expect("");
    wait_ms(400);
    client(A, 10, 0, "");
    expect("gap > offset=0 length=5 cause=acked\n"
           "payload > offset=5 length=5 data=world after_gap=1\n");
}

static void
late_bytes_fill_an_acknowledged_hole(void **state)
{
    (void)state;
    handshake();
    client(A, 5, 0, "world");
    server(A, 0, 10, "");
    wait_ms(500);
    client(A, 0, 0, "hello");
    wait_ms(2000);
    client(A, 10, 0, "");
    expect("out_of_order > offset=5 length=5 hole=5\n"
           "payload > offset=0 length=5 data=hello after_gap=0\n"
           "payload > offset=5 length=5 data=world after_gap=0\n");
}

/* The data behind it was not even sent yet, or lost by the capture. */
static void
acknowledged_bytes_that_never_came_are_a_gap(void **state)
{
    (void)state;
    handshake();
    client(A, 0, 0, "one");
    server(A, 0, 8, "");
    wait_ms(1200);
    client(A, 8, 0, "two");
    expect("payload > offset=0 length=3 data=one after_gap=0\n"
           "gap > offset=3 length=5 cause=acked\n"
           "payload > offset=8 length=3 data=two after_gap=1\n");
}

static void
what_lies_behind_a_hole_never_acknowledged_is_not_delivered(void **state)
{
    struct weir_monitor_stats stats;

    (void)state;
    handshake();
    client(A, 0, 0, "one");
    server(A, 0, 3, "");
    client(A, 8, 0, "two");
    record_clear(&fixture.record);
    expect_at_end("gap > offset=3 length=5 cause=never_acked\n");
    weir_monitor_get_stats(fixture.record.m, &stats);
    assert_int_equal(stats.undelivered, 3);
}

static void
a_hole_of_one_sided_traffic_is_a_gap_at_the_end(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    client(A, 0, 0, "one");
    client(A, 8, 0, "two");
    record_clear(&fixture.record);
    expect_at_end("gap > offset=3 length=5 cause=one_sided\n"
                  "payload > offset=8 length=3 data=two after_gap=1\n");
}

/* RFC 9293 section 3.8.4. */
static void
a_keepalive_never_looks_like_data(void **state)
{
    (void)state;
    handshake();
    client(A, 0, 0, "hello");
    server(A, 0, 5, "");
    record_clear(&fixture.record);
    client(A, 4, 0, "x");
    client(A, 4, 0, "");
    expect("keepalive >\n"
           "keepalive >\n");
}

static void
one_byte_again_while_data_is_in_flight_is_no_keepalive(void **state)
{
    (void)state;
    handshake();
    client(A, 0, 0, "hello");
    record_clear(&fixture.record);
    client(A, 4, 0, "o");
    expect("retransmit > offset=4 length=1 new=0 acked=0 verified=1 syn=0 fin=0\n");
}

static void
data_beyond_the_window_never_enters_the_stream(void **state)
{
    (void)state;
    handshake();
    client(A, 0, 0, "a");
    record_clear(&fixture.record);
    client(A, 65536, 0, "evil");
    client(A, 1, 0, "b");
    expect("out_of_window > offset=65536 length=4\n"
           "payload > offset=1 length=1 data=b after_gap=0\n");
}

static void
a_segment_that_starts_inside_the_window_is_taken_whole(void **state)
{
    (void)state;
    handshake();
    client(A, 65534, 0, "edge");
    expect("out_of_order > offset=65534 length=4 hole=65534\n");
}

static void
bytes_before_the_first_are_cut_off_and_reported(void **state)
{
    (void)state;
    handshake();
    client(A, -3, 0, "xyzab");
    expect("out_of_window > offset=-3 length=3\n"
           "payload > offset=0 length=2 data=ab after_gap=0\n");
}

/* RFC 5961 section 3.2; Linux. */
static void
only_a_rst_at_the_exact_place_is_accepted(void **state)
{
    (void)state;
    handshake();
    client(A, 0, 0, "hello");
    server(A, 0, 5, "");
    record_clear(&fixture.record);
    client(R, 4, 0, "");
    client(R, 6, 0, "");
    expect("");
    client(R, 5, 0, "");
    expect("rst >\n");
}

static void
data_after_a_rst_waits_for_the_receiver(void **state)
{
    (void)state;
    handshake();
    server(R, 0, 0, ""); /* injected: the server goes on */
    record_clear(&fixture.record);
    client(A, 0, 0, "hello");
    expect("");
    server(A, 0, 5, "");
    expect("payload > offset=0 length=5 data=hello after_gap=0\n");
}

static void
data_after_a_rst_that_nobody_acknowledges_is_refused(void **state)
{
    struct weir_monitor_stats stats;

    (void)state;
    handshake();
    server(R, 0, 0, "");
    client(A, 0, 0, "hello");
    record_clear(&fixture.record);
    expect_at_end("");
    weir_monitor_get_stats(fixture.record.m, &stats);
    assert_int_equal(stats.undelivered, 5);
}

static void
a_segment_without_ack_is_ignored(void **state)
{
    (void)state;
    handshake();
    client(WEIR_TH_PUSH, 0, 0, "evil");
    client(A, 0, 0, "good");
    expect("payload > offset=0 length=4 data=good after_gap=0\n");
}

static void
a_segment_that_acknowledges_what_was_never_sent_is_ignored(void **state)
{
    (void)state;
    handshake();
    client(A, 0, 200000, "evil");
    client(A, 0, 0, "good");
    expect("payload > offset=0 length=4 data=good after_gap=0\n");
}

static void
a_fin_out_of_order_waits_for_its_turn(void **state)
{
    (void)state;
    handshake();
    client(F | A, 3, 0, "");
    client(A, 0, 0, "abc");
    expect("payload > offset=0 length=3 data=abc after_gap=0\n"
           "fin >\n");
}

static void
data_behind_a_fin_is_cut(void **state)
{
    (void)state;
    handshake();
    client(F | A, 0, 0, "abc");
    client(A, 2, 0, "cdef");
    expect("payload > offset=0 length=3 data=abc after_gap=0\n"
           "fin >\n"
           "retransmit > offset=2 length=1 new=0 acked=0 verified=1 syn=0 fin=0\n");
}

/* Linux's tcp_fin() drops what it had queued. */
static void
data_that_waits_behind_a_fin_goes(void **state)
{
    (void)state;
    handshake();
    client(A, 4, 0, "late");
    client(F | A, 0, 0, "ab");
    expect("out_of_order > offset=4 length=4 hole=4\n"
           "payload > offset=0 length=2 data=ab after_gap=0\n"
           "fin >\n");
    expect_at_end("");
}

/* Where the SYN/ACK was not captured: RFC 7413 section 4.1.2 says what its ACK would have meant. */
static void
the_servers_first_segment_decides_about_data_on_a_syn(void **state)
{
    (void)state;
    client(S, -1, 0, "data");
    record_clear(&fixture.record);
    server(A, 0, 4, "hi");
    expect("payload > offset=0 length=4 data=data after_gap=0\n"
           "payload < offset=0 length=2 data=hi after_gap=0\n");
    expect_at_end("");
}

static void
data_on_a_syn_that_is_refused_leaves_no_gap(void **state)
{
    (void)state;
    client(S, -1, 0, "data");
    record_clear(&fixture.record);
    server(A, 0, 0, "hi");
    wait_ms(5000);
    server(A, 2, 0, "!");
    expect("payload < offset=0 length=2 data=hi after_gap=0\n"
           "payload < offset=2 length=1 data=! after_gap=0\n");
    expect_at_end("");
}

/* A minute later the bytes are no longer compared, though another app may still read them. */
static void
what_an_app_reads_back_changes_nothing_for_others(void **state)
{
    static const struct weir_tap_spec spec = { .n_stages = 0 };
    static const struct weir_app reader = { .name = "reader", .spec = &spec, .history = 1 << 20 };

    (void)state;
    for (int reads = 0; reads < 2; reads++) {
        if (reads > 0) {
            tear_down(NULL);
            set_up(&(void *){ NULL });
            assert_int_equal(weir_monitor_add(fixture.record.m, &reader), WEIR_E_OK);
        }
        handshake();
        client(A, 0, 0, "hello");
        server(A, 0, 5, "");
        record_clear(&fixture.record);
        wait_ms(70000);
        client(A, 0, 0, "HELLO");
        expect("retransmit > offset=0 length=5 new=0 acked=1 verified=0 syn=0 fin=0\n");
    }
}

static void
a_repeated_fin_is_a_retransmission(void **state)
{
    (void)state;
    handshake();
    client(F | A, 0, 0, "");
    client(F | A, 0, 0, "");
    expect("fin >\n"
           "retransmit > offset=0 length=0 new=0 acked=0 verified=1 syn=0 fin=1\n");
}

static void
a_syn_on_a_closed_flow_begins_another(void **state)
{
    (void)state;
    handshake();
    server(R, 0, 0, "");
    record_clear(&fixture.record);
    client(S, 99, 0, "");
    expect("flow_start > midstream=0\n"
           "syn > mss=0 wscale=-1 sack=0 ts=0 tfo=0\n");
}

/* RFC 5961 section 4: the server answers a SYN in the flow with a challenge ACK. */
static void
a_syn_in_a_live_flow_changes_nothing_until_the_server_answers_it(void **state)
{
    (void)state;
    handshake();
    client(S, 99, 0, "");
    client(A, 0, 0, "still here");
    expect("payload > offset=0 length=10 data=still here after_gap=0\n");
    client(S, 9999, 0, "");
    server(S | A, 7000, 10000, "");
    expect("flow_start < midstream=0\n"
           "syn_ack < mss=0 wscale=-1 sack=0 ts=0 tfo=0\n");
}

static void
a_flow_without_its_syn_is_picked_up(void **state)
{
    (void)state;
    client(A, 0, 0, "abc");
    server(A, 0, 3, "def");
    client(A, 0, 3, "abc");
    expect("flow_start > midstream=1\n"
           "payload > offset=0 length=3 data=abc after_gap=0\n"
           "payload < offset=0 length=3 data=def after_gap=0\n"
           "retransmit > offset=0 length=3 new=0 acked=1 verified=1 syn=0 fin=0\n");
}

static void
a_wrong_checksum_touches_no_state(void **state)
{
    (void)state;
    handshake();
    send_segment((struct segment){
        .flags = A, .seq = CLIENT, .ack = SERVER, .data = "evil", .n = 4, .bad_checksum = true });
    client(A, 0, 0, "good");
    expect("bad_checksum > layer=tcp\n"
           "payload > offset=0 length=4 data=good after_gap=0\n");
}

static void
sequence_numbers_wrap(void **state)
{
    (void)state;
    send_segment((struct segment){ .flags = S, .seq = UINT32_MAX - 2 });
    send_segment(
        (struct segment){ .dir = WEIR_TOCLIENT, .flags = S | A, .seq = 0, .ack = UINT32_MAX - 1 });
    send_segment(
        (struct segment){ .flags = A, .seq = UINT32_MAX - 1, .ack = 1, .data = "abcd", .n = 4 });
    record_clear(&fixture.record);
    send_segment((struct segment){ .flags = A, .seq = 2, .ack = 1, .data = "ef", .n = 2 });
    expect("payload > offset=4 length=2 data=ef after_gap=0\n");
}

/* The window field counts from the SYN's scale option: without one by bytes. */
static void
the_window_scale_is_learnt_from_both_syns(void **state)
{
    (void)state;
    send_segment((struct segment){ .flags = S, .seq = CLIENT - 1, .wscale = 8 });
    send_segment((struct segment){
        .dir = WEIR_TOCLIENT, .flags = S | A, .seq = SERVER - 1, .ack = CLIENT, .wscale = 4 });
    send_segment((struct segment){ .flags = A, .seq = CLIENT, .ack = SERVER });
    send_segment((struct segment){
        .dir = WEIR_TOCLIENT, .flags = A, .seq = SERVER, .ack = CLIENT, .window = 10000 });
    record_clear(&fixture.record);
    client(A, 80000, 0, "in");
    client(A, 80001, 0, "out");
    expect("out_of_order > offset=80000 length=2 hole=80000\n"
           "out_of_window > offset=80001 length=3\n");
}

static void
flows_end_by_their_timeouts_at_ticks_of_the_clock(void **state)
{
    struct weir_monitor_stats stats;

    (void)state;
    handshake();
    wait_ms(599000);
    record_feed(&fixture.record, udp_frame(WEIR_TOSERVER, "x", 1, fixture.ms, fixture.room[390]));
    weir_monitor_get_stats(fixture.record.m, &stats);
    assert_int_equal(stats.live_flows, 2);
    wait_ms(1200);
    record_feed(&fixture.record, udp_frame(WEIR_TOSERVER, "x", 1, fixture.ms, fixture.room[391]));
    weir_monitor_get_stats(fixture.record.m, &stats);
    assert_int_equal(stats.live_flows, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_connection_from_syn_to_fin),
        TEST(a_repeated_syn_or_syn_ack_is_a_retransmission),
        TEST(equal_bytes_again_are_a_retransmission_before_and_after_the_ack),
        TEST(different_bytes_again_are_a_fake_before_and_after_the_ack),
        TEST(data_out_of_order_waits_and_comes_in_order),
        TEST(a_fake_in_the_queue_says_who_wins),
        TEST(a_fake_ends_before_a_hole),
        TEST(a_fake_goes_over_segments_that_touch),
        TEST(an_acknowledged_hole_is_a_gap_after_a_second),
        TEST(late_bytes_fill_an_acknowledged_hole),
        TEST(acknowledged_bytes_that_never_came_are_a_gap),
        TEST(what_lies_behind_a_hole_never_acknowledged_is_not_delivered),
        TEST(a_hole_of_one_sided_traffic_is_a_gap_at_the_end),
        TEST(a_keepalive_never_looks_like_data),
        TEST(one_byte_again_while_data_is_in_flight_is_no_keepalive),
        TEST(data_beyond_the_window_never_enters_the_stream),
        TEST(a_segment_that_starts_inside_the_window_is_taken_whole),
        TEST(bytes_before_the_first_are_cut_off_and_reported),
        TEST(only_a_rst_at_the_exact_place_is_accepted),
        TEST(data_after_a_rst_waits_for_the_receiver),
        TEST(data_after_a_rst_that_nobody_acknowledges_is_refused),
        TEST(a_segment_without_ack_is_ignored),
        TEST(a_segment_that_acknowledges_what_was_never_sent_is_ignored),
        TEST(a_fin_out_of_order_waits_for_its_turn),
        TEST(data_behind_a_fin_is_cut),
        TEST(data_that_waits_behind_a_fin_goes),
        TEST(the_servers_first_segment_decides_about_data_on_a_syn),
        TEST(data_on_a_syn_that_is_refused_leaves_no_gap),
        TEST(what_an_app_reads_back_changes_nothing_for_others),
        TEST(a_repeated_fin_is_a_retransmission),
        TEST(a_syn_on_a_closed_flow_begins_another),
        TEST(a_syn_in_a_live_flow_changes_nothing_until_the_server_answers_it),
        TEST(a_flow_without_its_syn_is_picked_up),
        TEST(a_wrong_checksum_touches_no_state),
        TEST(sequence_numbers_wrap),
        TEST(the_window_scale_is_learnt_from_both_syns),
        TEST(flows_end_by_their_timeouts_at_ticks_of_the_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
