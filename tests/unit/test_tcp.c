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
#define WANT                                                                                       \
    (WEIR_EV_ALL &                                                                                 \
     ~(WEIR_EV_BIT(WEIR_EV_PACKET) | WEIR_EV_BIT(WEIR_EV_STATE) | WEIR_EV_BIT(WEIR_EV_FLOW_END)))

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

/*
 * What was never seen is not shown as old: of two conflicts with a hole between, the first is told.
 */
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
    expect_at_end("payload > offset=0 length=3 data=one after_gap=0\n"
                  "gap > offset=3 length=5 cause=one_sided\n"
                  "payload > offset=8 length=3 data=two after_gap=1\n");
}

/*
 * A server that did not send its SYN/ACK takes nothing but a SYN (RFC 9293 section 3.10.7.2): data
 * that acknowledge what cannot be known yet came nowhere, whatever is sent in their place later.
 */
static void
data_before_the_server_is_heard_wait_for_its_word(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    record_clear(&fixture.record);
    client(A, 0, 77, "junkjunk");
    expect("");
    server(S | A, -1, 0, "");
    client(A, 0, 0, "");
    record_clear(&fixture.record);
    client(A, 0, 0, "GET");
    expect("payload > offset=0 length=3 data=GET after_gap=0\n");
    server(A, 0, 3, "");
    client(A, 3, 0, " / ");
    record_clear(&fixture.record);
    server(A, 0, 6, "200");
    expect_at_end("payload < offset=0 length=3 data=200 after_gap=0\n");
}

/* As a capture has it whose directions come by two queues. */
static void
who_knows_the_servers_number_was_only_captured_early(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    client(A, 0, 0, "GET");
    client(F | A, 3, 0, "");
    record_clear(&fixture.record);
    server(S | A, -1, 0, "");
    expect("syn_ack < mss=0 wscale=-1 sack=0 ts=0 tfo=0\n"
           "payload > offset=0 length=3 data=GET after_gap=0\n"
           "fin >\n");
    client(A, 4, 0, "");
    expect("established > rtt=4000\n");
}

static void
an_early_fin_ends_nothing(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    record_clear(&fixture.record);
    client(F | A, 0, 77, "");
    expect("");
    server(S | A, -1, 0, "");
    client(A, 0, 0, "");
    record_clear(&fixture.record);
    client(A, 0, 0, "GET");
    server(A, 0, 3, "");
    expect("payload > offset=0 length=3 data=GET after_gap=0\n");
    client(F | A, 3, 0, "");
    expect("fin >\n");
}

/* More than may wait behind a hole: none of it hides what the server takes. */
static void
early_data_without_end_hide_nothing(void **state)
{
    static uint8_t room[65536], data[60000];

    (void)state;
    memset(data, 'x', sizeof(data));
    client(S, -1, 0, "");
    for (uint32_t i = 0; i < 20; i++) {
        struct segment segment = { .flags = A,
                                   .seq = CLIENT + i * 60000,
                                   .ack = 99,
                                   .data = data,
                                   .n = sizeof(data),
                                   .ms = fixture.ms };

        record_feed(&fixture.record, tcp_frame(&segment, room));
        record_clear(&fixture.record);
    }
    server(S | A, -1, 0, "");
    expect("flow_start < midstream=0\n"
           "tuple_reuse <\n"
           "syn_ack < mss=0 wscale=-1 sack=0 ts=0 tfo=0\n");
    client(A, 0, 0, "");
    record_clear(&fixture.record);
    client(A, 0, 0, "GET");
    expect("payload > offset=0 length=3 data=GET after_gap=0\n");
}

/* A second after the SYN the server is one that the capture does not have. */
static void
one_sided_data_come_after_a_second(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    client(A, 0, 0, "one");
    client(A, 6, 0, "three");
    client(A, 3, 0, "two");
    wait_ms(1200);
    record_clear(&fixture.record);
    client(F | A, 11, 0, "");
    expect("payload > offset=0 length=3 data=one after_gap=0\n"
           "payload > offset=3 length=3 data=two after_gap=0\n"
           "payload > offset=6 length=5 data=three after_gap=0\n"
           "fin >\n");
}

static void
a_one_sided_fin_counts_after_a_second(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    record_clear(&fixture.record);
    client(F | A, 0, 0, "");
    expect("");
    wait_ms(1200);
    client(A, 1, 0, "");
    expect("fin >\n");
}

static void
one_sided_data_come_before_a_rst(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    client(A, 0, 0, "one");
    record_clear(&fixture.record);
    client(R, 3, 0, "");
    expect("payload > offset=0 length=3 data=one after_gap=0\n"
           "rst >\n");
}

/* The server's RST says that it has no connection. */
static void
early_data_to_a_closed_port_are_not_delivered(void **state)
{
    struct weir_monitor_stats stats;

    (void)state;
    client(S, -1, 0, "");
    client(A, 0, 0, "one");
    record_clear(&fixture.record);
    server(R | A, 0, 0, "");
    expect_at_end("rst <\n");
    weir_monitor_get_stats(fixture.record.m, &stats);
    assert_int_equal(stats.undelivered, 3);
}

/* A SYN that never came there, and a second later another: the first second's bytes hide none. */
static void
what_was_taken_for_one_sided_is_refuted_by_a_syn_ack(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    client(A, 0, 77, "junkjunk");
    wait_ms(1200);
    client(S, -1, 0, "");
    record_clear(&fixture.record);
    server(S | A, -1, 0, "");
    client(A, 0, 0, "GET");
    expect("flow_start < midstream=0\n"
           "tuple_reuse <\n"
           "syn_ack < mss=0 wscale=-1 sack=0 ts=0 tfo=0\n"
           "established > rtt=1000\n"
           "payload > offset=0 length=3 data=GET after_gap=0\n");
}

/* The same with a FIN that came nowhere. */
static void
a_fin_taken_for_one_sided_is_refuted_by_a_syn_ack(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    client(F | A, 0, 77, "");
    wait_ms(1200);
    client(S, -1, 0, "");
    server(S | A, -1, 0, "");
    record_clear(&fixture.record);
    client(A, 0, 0, "GET");
    expect("established > rtt=1000\n"
           "payload > offset=0 length=3 data=GET after_gap=0\n");
}

/* A RST that nobody takes, or a second of silence, is no word of the server's. */
static void
early_bytes_behind_a_hole_hide_nothing(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    client(A, 4, 77, "/public");
    client(R, 99999, 0, "");
    wait_ms(1200);
    client(F | A, 6, 77, "");
    server(S | A, -1, 0, "");
    record_clear(&fixture.record);
    client(A, 0, 0, "GET ");
    client(A, 4, 0, "/secret");
    expect("established > rtt=1205000\n"
           "payload > offset=0 length=4 data=GET  after_gap=0\n"
           "payload > offset=4 length=7 data=/secret after_gap=0\n");
}

static void
an_early_urgent_pointer_cuts_nothing_out(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    send_segment(
        (struct segment){ .flags = A | WEIR_TH_URG, .seq = CLIENT, .ack = 99, .urgent = 2 });
    server(S | A, -1, 0, "");
    client(A, 0, 0, "");
    record_clear(&fixture.record);
    client(A, 0, 0, "GET");
    expect("payload > offset=0 length=3 data=GET after_gap=0\n");
}

/* Packets that only bear the server's address are not heard. */
static void
a_stray_rst_does_not_end_a_one_sided_stream(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    client(A, 0, 0, "one");
    server(R, 99999, 0, "");
    wait_ms(1200);
    record_clear(&fixture.record);
    client(A, 3, 0, "two");
    expect("payload > offset=0 length=3 data=one after_gap=0\n"
           "payload > offset=3 length=3 data=two after_gap=0\n");
}

/* The two sides of the capture were taken by clocks that differ. */
static void
a_late_syn_ack_confirms_who_knew_its_number(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    client(A, 0, 0, "GET");
    wait_ms(2000);
    client(A, 3, 0, "");
    record_clear(&fixture.record);
    server(S | A, -1, 0, "");
    server(A, 0, 3, "200");
    expect("syn_ack < mss=0 wscale=-1 sack=0 ts=0 tfo=0\n"
           "payload < offset=0 length=3 data=200 after_gap=0\n");
}

/* What the SYN said holds in the flow that its SYN/ACK begins: a TTL of 2 is not the usual one. */
static void
after_a_refutation_the_syn_is_remembered(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    client(A, 0, 77, "x");
    wait_ms(1200);
    client(A, 1, 77, "y");
    server(S | A, -1, 0, "");
    record_clear(&fixture.record);
    send_segment((struct segment){
        .flags = A, .seq = CLIENT, .ack = SERVER, .data = "public", .n = 6, .ttl = 2 });
    expect("ttl_jump > ttl=2 usual=64\n"
           "established > rtt=1000\n");
    client(A, 0, 0, "secret");
    expect("fake_retransmit > offset=0 length=6 diff_offset=0 diff_length=6 kept=new "
           "old_data=public new_data=secret\n"
           "payload > offset=0 length=6 data=secret after_gap=0\n");
}

/* The first SYN had a TTL that brought it nowhere. */
static void
a_syn_sent_again_says_what_ttl_is_usual(void **state)
{
    (void)state;
    send_segment((struct segment){ .flags = S, .seq = CLIENT - 1, .ttl = 2 });
    client(S, -1, 0, "");
    server(S | A, -1, 0, "");
    record_clear(&fixture.record);
    send_segment((struct segment){
        .flags = A, .seq = CLIENT, .ack = SERVER, .data = "public", .n = 6, .ttl = 2 });
    expect("ttl_jump > ttl=2 usual=64\n"
           "established > rtt=3000\n");
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
    expect("bad_rst > why=out_of_window\n"
           "bad_rst > why=in_window\n");
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
    expect("rst_ignored >\n"
           "payload > offset=0 length=5 data=hello after_gap=0\n");
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
    expect("bad_flags > why=no_ack\n"
           "fake_retransmit > offset=0 length=4 diff_offset=0 diff_length=4 kept=new old_data=evil "
           "new_data=good\n"
           "payload > offset=0 length=4 data=good after_gap=0\n");
}

static void
a_segment_that_acknowledges_what_was_never_sent_is_ignored(void **state)
{
    (void)state;
    handshake();
    client(A, 0, 200000, "evil");
    client(A, 0, 0, "good");
    expect("bad_ack > why=unsent\n"
           "fake_retransmit > offset=0 length=4 diff_offset=0 diff_length=4 kept=new "
           "old_data=evil new_data=good\n"
           "payload > offset=0 length=4 data=good after_gap=0\n");
}

/* Both ends are further than any window allowed: what is between was lost by the capture. */
static void
a_loss_of_more_than_a_window_is_overcome(void **state)
{
    (void)state;
    handshake();
    client(A, 0, 0, "GET");
    server(A, 0, 200003, "old");
    client(A, 200000, 0, "new");
    client(A, 200003, 3, "er");
    expect("payload > offset=0 length=3 data=GET after_gap=0\n"
           "bad_ack < why=unsent\n"
           "out_of_order > offset=200000 length=3 hole=199997\n"
           "payload < offset=0 length=3 data=old after_gap=0\n"
           "out_of_order > offset=200003 length=2 hole=200000\n");
    wait_ms(2000);
    server(A, 3, 200005, "");
    expect("gap > offset=3 length=199997 cause=acked\n"
           "payload > offset=200000 length=3 data=new after_gap=1\n"
           "payload > offset=200003 length=2 data=er after_gap=0\n");
}

static void
a_loss_of_more_than_a_window_is_overcome_by_an_ack(void **state)
{
    (void)state;
    handshake();
    client(A, 200000, 0, "new");
    client(A, 200003, 0, "er");
    server(A, 0, 200003, "");
    server(A, 0, 200005, "");
    wait_ms(2000);
    client(A, 200005, 0, "est");
    expect("out_of_window > offset=200000 length=3\n"
           "out_of_window > offset=200003 length=2\n"
           "gap > offset=0 length=200005 cause=acked\n"
           "payload > offset=200005 length=3 data=est after_gap=1\n");
}

/* The queue is sorted and compared across 2^32: the real stream is longer than its numbers. */
static void
a_stream_may_be_longer_than_its_numbers(void **state)
{
    uint32_t at = 0;

    (void)state;
    handshake();
    for (int i = 0; i < 8; i++) {
        at += i < 7 ? UINT32_C(0x20000000) : UINT32_C(0x20000000) - 10;
        server(A, 0, (int)at, "");
        client(A, (int)at, 0, "0123456789");
        wait_ms(2000);
    }
    client(A, 10, 0, "klmno"); /* 2^32 + 10 */
    record_clear(&fixture.record);
    client(A, 15, 0, "pq");
    client(A, 2, 0, "CDEFGHIJKL");
    client(A, 5, 0, "fghijklm");
    client(A, 0, 0, "ab");
    expect("out_of_order > offset=4294967311 length=2 hole=15\n"
           "fake_retransmit > offset=4294967306 length=2 diff_offset=4294967306 diff_length=2 "
           "kept=new old_data=kl new_data=KL\n"
           "out_of_order > offset=4294967298 length=10 hole=2\n"
           "fake_retransmit > offset=4294967301 length=8 diff_offset=4294967301 diff_length=7 "
           "kept=old old_data=FGHIJKL new_data=fghijkl\n"
           "out_of_order > offset=4294967301 length=8 hole=5\n"
           "payload > offset=4294967296 length=2 data=ab after_gap=0\n"
           "payload > offset=4294967298 length=10 data=CDEFGHIJKL after_gap=0\n"
           "payload > offset=4294967308 length=1 data=m after_gap=0\n"
           "payload > offset=4294967309 length=2 data=no after_gap=0\n"
           "payload > offset=4294967311 length=2 data=pq after_gap=0\n");
}

/* Either alone is how a tracker is blinded. */
static void
one_end_alone_moves_nobody_beyond_the_window(void **state)
{
    (void)state;
    handshake();
    client(A, 200000, 0, "far");
    client(A, 300000, 0, "far");
    server(A, 0, 200003, "");
    client(A, 0, 0, "near");
    expect("out_of_window > offset=200000 length=3\n"
           "out_of_window > offset=300000 length=3\n"
           "bad_ack < why=unsent\n"
           "payload > offset=0 length=4 data=near after_gap=0\n");
}

/* A closed port answers an ACK with a RST at just that number (RFC 9293 section 3.10.7.1). */
static void
a_rst_that_repeats_a_wrong_ack_moves_nobody(void **state)
{
    (void)state;
    handshake();
    server(A, 0, 200000, "evil");
    client(R, 200000, 0, "");
    expect("bad_ack < why=unsent\n"
           "bad_rst > why=out_of_window\n");
}

static void
a_rst_tells_what_its_sender_has(void **state)
{
    (void)state;
    handshake();
    server(A, 0, 100, "answer");
    client(R | A, 0, 6, "");
    expect("bad_ack < why=unseen\n"
           "payload < offset=0 length=6 data=answer after_gap=0\n"
           "rst >\n");
}

/* Nothing fills it later. */
static void
a_hole_that_was_acknowledged_is_a_gap_when_a_rst_comes(void **state)
{
    (void)state;
    handshake();
    client(A, 3, 0, "def");
    server(A, 0, 6, "");
    server(R, 0, 0, "");
    expect("out_of_order > offset=3 length=3 hole=3\n"
           "gap > offset=0 length=3 cause=acked\n"
           "payload > offset=3 length=3 data=def after_gap=1\n"
           "rst <\n");
}

/*
 * RFC 9293 section 3.10.7.3 takes them, Linux does not: the client's ACK says what became of them.
 */
static void
data_on_a_syn_ack_wait_for_the_clients_word(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    server(S | A, -1, 0, "hi");
    record_clear(&fixture.record);
    client(A, 0, 2, "");
    expect("payload < offset=0 length=2 data=hi after_gap=0\n"
           "established > rtt=2000\n");
    expect_at_end("");
}

static void
data_on_a_syn_ack_are_dropped_by_a_client_that_says_so(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    server(S | A, -1, 0, "evil");
    client(A, 0, 0, "");
    record_clear(&fixture.record);
    server(A, 0, 0, "good");
    expect("fake_retransmit < offset=0 length=4 diff_offset=0 diff_length=4 kept=new "
           "old_data=evil new_data=good\n"
           "payload < offset=0 length=4 data=good after_gap=0\n");
}

static void
data_on_a_syn_ack_are_all_there_is_where_nobody_heard_the_client(void **state)
{
    (void)state;
    server(S | A, -1, 0, "hi");
    record_clear(&fixture.record);
    expect_at_end("payload < offset=0 length=2 data=hi after_gap=0\n");
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
           "data_after_end > why=fin\n"
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
           "established < rtt=1000\n"
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
    expect("established < rtt=1000\n"
           "payload < offset=0 length=2 data=hi after_gap=0\n"
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

#define ANOTHER                                                                                    \
    "flow_start > midstream=0\n"                                                                   \
    "tuple_reuse >\n"
#define NEW_SYN "syn > mss=0 wscale=-1 sack=0 ts=0 tfo=0\n"

/* Suricata keeps ten SYNs of a flow beside the first; the last one may be the one that counts. */
static void
many_syns_that_nobody_answers_are_a_flood(void **state)
{
    (void)state;
    for (int i = 0; i < 11; i++) {
        record_clear(&fixture.record);
        client(S, 99 * i, 0, "");
    }
    expect(ANOTHER NEW_SYN);
    client(S, 9999, 0, "");
    client(S, -1, 0, "");
    expect(ANOTHER "bad_handshake > why=flood\n" NEW_SYN ANOTHER
                   "bad_handshake > why=flood\n" NEW_SYN);
    client(S, -1, 0, "");
    server(S | A, -1, 0, "");
    client(A, 0, 0, "");
    expect("retransmit > offset=-1 length=0 new=0 acked=0 verified=1 syn=1 fin=0\n"
           "syn_ack < mss=0 wscale=-1 sack=0 ts=0 tfo=0\n"
           "established > rtt=3000\n");
}

static void
an_answer_ends_a_flood(void **state)
{
    (void)state;
    for (int i = 0; i < 11; i++)
        client(S, 99 * i, 0, "");
    server(R | A, 0, 99 * 10 + 1, "");
    record_clear(&fixture.record);
    client(S, 9999, 0, "");
    expect("flow_start > midstream=0\n" NEW_SYN);
}

/* RFC 5961 section 4: the server answers a SYN in the flow with a challenge ACK. */
static void
a_syn_in_a_live_flow_changes_nothing_until_the_server_answers_it(void **state)
{
    (void)state;
    handshake();
    client(S, 99, 0, "");
    client(A, 0, 0, "still here");
    expect("syn_in_flow >\n"
           "payload > offset=0 length=10 data=still here after_gap=0\n");
    client(S, 9999, 0, "");
    server(S | A, 7000, 10000, "");
    expect("syn_in_flow >\n"
           "flow_start < midstream=0\n"
           "tuple_reuse <\n"
           "syn_ack < mss=0 wscale=-1 sack=0 ts=0 tfo=0\n");
}

/* What TTL that client uses says whether its SYN may arrive, not that of a forged one. */
static void
a_forged_syn_with_a_high_ttl_hides_no_later_one(void **state)
{
    (void)state;
    handshake();
    send_segment((struct segment){ .flags = S, .seq = CLIENT + 99, .ttl = 255 });
    send_segment((struct segment){ .flags = S, .seq = CLIENT + 9999, .ttl = 64 });
    send_segment((struct segment){ .flags = S, .seq = CLIENT + 999, .ttl = 2 });
    server(S | A, 7000, 10000, "");
    expect("syn_in_flow >\n"
           "syn_in_flow >\n"
           "ttl_jump > ttl=2 usual=64\n"
           "syn_in_flow >\n"
           "flow_start < midstream=0\n"
           "tuple_reuse <\n"
           "syn_ack < mss=0 wscale=-1 sack=0 ts=0 tfo=0\n");
}

/* Who sent the SYN cannot answer it himself. */
static void
a_syn_ack_from_the_sender_of_a_syn_opens_nothing(void **state)
{
    (void)state;
    handshake();
    client(S, 99, 0, "");
    send_segment((struct segment){ .flags = S | A, .seq = CLIENT + 99, .ack = CLIENT + 100 });
    client(A, 0, 0, "still here");
    expect("syn_in_flow >\n"
           "syn_in_flow >\n"
           "payload > offset=0 length=10 data=still here after_gap=0\n");
}

/* RFC 9293 section 3.10.7.4, in SYN-RECEIVED; Linux. */
static void
a_third_step_that_acknowledges_anything_else_is_refused(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    server(S | A, -1, 0, "");
    record_clear(&fixture.record);
    client(A, 0, -1, "evil");
    client(A, 0, 1, "evil");
    client(F | A, 0, -5000, "evil");
    server(R, 1, 0, "");
    client(A, 0, 0, "good");
    expect("bad_handshake > why=ack\n"
           "bad_handshake > why=ack\n"
           "retransmit > offset=0 length=4 new=0 acked=0 verified=1 syn=0 fin=0\n"
           "bad_handshake > why=ack\n"
           "retransmit > offset=0 length=4 new=0 acked=0 verified=1 syn=0 fin=0\n"
           "bad_rst < why=out_of_window\n"
           "established > rtt=6000\n"
           "fake_retransmit > offset=0 length=4 diff_offset=0 diff_length=4 kept=new old_data=evil "
           "new_data=good\n"
           "payload > offset=0 length=4 data=good after_gap=0\n");
}

/* The capture missed the third step and what the server said. */
static void
a_server_that_acknowledges_data_had_the_third_step(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    server(S | A, -1, 0, "");
    server(A, 9, 3, "");
    record_clear(&fixture.record);
    client(A, 3, 9, "more");
    expect("established > rtt=3000\n"
           "out_of_order > offset=3 length=4 hole=3\n");
}

/* Nothing keeps a client from taking the same number again. */
static void
the_same_syn_on_a_closed_flow_begins_another_if_the_server_says_so(void **state)
{
    (void)state;
    handshake();
    client(R, 0, 0, "");
    client(S, -1, 0, "");
    server(S | A, -1, 0, ""); /* this pair may be late copies */
    expect("rst >\n"
           "retransmit > offset=-1 length=0 new=0 acked=1 verified=1 syn=1 fin=0\n"
           "retransmit < offset=-1 length=0 new=0 acked=1 verified=1 syn=1 fin=0\n");
    server(S | A, 7000, 0, "");
    client(A, 0, 7001, "hello");
    expect("flow_start < midstream=0\n"
           "syn_ack < mss=0 wscale=-1 sack=0 ts=0 tfo=0\n"
           "established > rtt=1000\n"
           "payload > offset=0 length=5 data=hello after_gap=0\n");
}

/* Linux's tcp_check_req(). */
static void
a_server_that_gives_a_half_open_connection_up_for_a_syn_says_so(void **state)
{
    static const uint8_t flags[] = { S, S, F | S };
    static const char *const data[] = { "", "abc", "abc" };
    static const uint32_t ack[] = { 6, 9, 10 };

    for (int i = 0; i < 3; i++) {
        tear_down(NULL);
        set_up(state);
        client(S, -1, 0, "");
        server(S | A, -1, 0, "");
        client(flags[i], 5, 0, data[i]);
        record_clear(&fixture.record);
        send_segment(
            (struct segment){ .dir = WEIR_TOCLIENT, .flags = R | A, .ack = CLIENT + ack[i] });
        client(A, 0, 0, "never taken");
        expect("rst <\n");
        expect_at_end("");
    }
}

/* Linux's tcp_ofo_queue(): what ends before the next byte has no FIN any more. */
static void
bytes_in_order_that_go_past_a_waiting_fin_win(void **state)
{
    (void)state;
    handshake();
    client(F | A, 3, 0, "xxx");
    client(A, 8, 0, "ij");
    client(A, 0, 0, "abcdefgh");
    record_clear(&fixture.record);
    client(A, 10, 0, "kl");
    client(F | A, 12, 0, "");
    expect("payload > offset=10 length=2 data=kl after_gap=0\n"
           "fin >\n");
}

/* Linux's tcp_data_queue_ofo(). */
static void
a_segment_that_covers_a_waiting_fin_takes_its_place(void **state)
{
    (void)state;
    handshake();
    client(F | A, 3, 0, "xx");
    client(A, 3, 0, "defg");
    record_clear(&fixture.record);
    client(A, 0, 0, "abc");
    expect("payload > offset=0 length=3 data=abc after_gap=0\n"
           "payload > offset=3 length=4 data=defg after_gap=0\n");
    client(A, 10, 0, "klmn");
    client(F | A, 11, 0, "l"); /* and one inside of what waits is dropped */
    record_clear(&fixture.record);
    client(A, 7, 0, "hij");
    expect("payload > offset=7 length=3 data=hij after_gap=0\n"
           "payload > offset=10 length=4 data=klmn after_gap=0\n");
}

static void
data_behind_a_waiting_fin_goes_when_its_turn_comes(void **state)
{
    (void)state;
    handshake();
    client(F | A, 3, 0, "de");
    client(A, 4, 0, "efgh");
    record_clear(&fixture.record);
    client(A, 0, 0, "abc");
    expect("payload > offset=0 length=3 data=abc after_gap=0\n"
           "payload > offset=3 length=2 data=de after_gap=0\n"
           "fin >\n");
    expect_at_end("");
}

/* The capture missed what came before; the FIN is acknowledged. */
static void
a_gap_before_a_waiting_fin_ends_at_the_fin(void **state)
{
    for (int times = 0; times < 2; times++) {
        if (times > 0) {
            tear_down(NULL);
            set_up(state);
        }
        handshake();
        client(F | A, 3, 0, "de");
        client(A, 4, 0, "efgh");
        server(A, 0, 6, "");
        record_clear(&fixture.record);
        if (times > 0)
            wait_ms(1200);
        if (times > 0)
            server(A, 0, 6, "");
        expect_at_end("gap > offset=0 length=3 cause=acked\n"
                      "payload > offset=3 length=2 data=de after_gap=1\n"
                      "fin >\n");
    }
}

/* RFC 9293 section 3.10.7.4: the server ignores such an ACK, and has yet to send its first byte. */
static void
an_ack_of_what_was_never_sent_makes_no_gap(void **state)
{
    (void)state;
    handshake();
    client(A, 0, 5000, "");
    wait_ms(2000);
    server(A, 0, 0, "");
    server(A, 0, 0, "answer");
    expect("payload < offset=0 length=6 data=answer after_gap=0\n");
}

/* The capture missed them: the server's number tells that it sent them. */
static void
acknowledged_bytes_are_missing_once_the_sender_is_behind_them(void **state)
{
    (void)state;
    handshake();
    client(A, 0, 50, "");
    server(A, 50, 0, "");
    wait_ms(800);
    server(A, 50, 0, "");
    expect("");
    wait_ms(400);
    client(A, 0, 50, "");
    expect("gap < offset=0 length=50 cause=acked\n");
}

/* RFC 9293 section 3.10.7.3; Linux. */
static void
a_syn_ack_or_rst_that_acknowledges_more_than_the_syn_is_refused(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    record_clear(&fixture.record);
    server(S | A, 99, 1, "");
    server(R | A, 99, 1, "");
    expect("bad_handshake < why=syn_ack_ack\n"
           "bad_rst < why=bad_ack\n");
    server(S | A, -1, 0, "");
    expect("syn_ack < mss=0 wscale=-1 sack=0 ts=0 tfo=0\n");
}

/* RFC 9293 section 3.10.7.3: the client has no connection yet; Linux. */
static void
data_and_fin_before_the_syn_ack_are_refused(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    client(S, -1, 0, "");
    record_clear(&fixture.record);
    server(A, 0, 0, "decoy");
    server(F | A, 0, 0, "");
    server(S | A, -1, 0, "");
    client(A, 0, 0, "");
    server(A, 0, 0, "truth");
    expect("syn_ack < mss=0 wscale=-1 sack=0 ts=0 tfo=0\n"
           "established > rtt=5000\n"
           "payload < offset=0 length=5 data=truth after_gap=0\n");
}

/* Each would allow the next one to go a window further, until offsets of 32 bits wrap. */
static void
acks_cannot_climb_beyond_a_window(void **state)
{
    static const uint32_t ack[] = { 0, 0x3fffc000, 0x7fff8000 };

    (void)state;
    send_segment((struct segment){ .flags = S, .seq = CLIENT - 1, .wscale = 15 });
    send_segment((struct segment){
        .dir = WEIR_TOCLIENT, .flags = S | A, .seq = SERVER - 1, .ack = CLIENT, .wscale = 15 });
    for (int i = 0; i < 3; i++)
        send_segment((struct segment){ .flags = A, .seq = CLIENT, .ack = SERVER + ack[i] });
    record_clear(&fixture.record);
    server(A, 0, 0, "answer");
    expect("payload < offset=0 length=6 data=answer after_gap=0\n");
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
    client(A, 79999, 0, "in");
    client(A, 80000, 0, "out");
    expect("out_of_order > offset=79999 length=2 hole=79999\n"
           "out_of_window > offset=80000 length=3\n");
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

/* ---- what no honest host sends ------------------------------------------------------------- */

/* Linux drops all of them but the RST: tcp_rcv_established(), tcp_validate_incoming(). */
static void
flags_that_make_no_sense_are_named(void **state)
{
    (void)state;
    handshake();
    client(0, 0, 0, "evil");
    client(F | WEIR_TH_PUSH | WEIR_TH_URG, 0, 0, "evil");
    client(F, 0, 0, "evil");
    client(S | F, 0, 0, "");
    client(S | R, 9, 0, "");
    expect("bad_flags > why=null\n"
           "bad_flags > why=xmas\n"
           "retransmit > offset=0 length=4 new=0 acked=0 verified=1 syn=0 fin=0\n"
           "bad_flags > why=no_ack\n"
           "retransmit > offset=0 length=4 new=0 acked=0 verified=1 syn=0 fin=0\n"
           "bad_flags > why=syn_fin\n"
           "bad_flags > why=syn_rst\n"
           "bad_rst > why=in_window\n");
    client(R, 0, 0, "bye");
    expect("bad_flags > why=rst_data\n"
           "rst >\n");
}

/* RFC 2385, and tcp_inbound_hash() of Linux: a signature that was not agreed on. */
static void
signatures_that_were_not_agreed_on_are_refused(void **state)
{
    static const uint8_t md5[20] = { 19, 18 }, ao[20] = { 29, 16, 1, 1 };

    (void)state;
    handshake();
    send_segment((struct segment){ .flags = A,
                                   .seq = CLIENT,
                                   .ack = SERVER,
                                   .data = "evil",
                                   .n = 4,
                                   .options = md5,
                                   .n_options = sizeof(md5) });
    send_segment((struct segment){ .flags = A,
                                   .seq = CLIENT,
                                   .ack = SERVER,
                                   .data = "evil",
                                   .n = 4,
                                   .options = ao,
                                   .n_options = sizeof(ao) });
    send_segment(
        (struct segment){ .flags = R, .seq = CLIENT, .options = md5, .n_options = sizeof(md5) });
    client(A, 0, 0, "good");
    expect("bad_option > why=md5\n"
           "bad_option > why=ao\n"
           "bad_rst > why=md5\n"
           "fake_retransmit > offset=0 length=4 diff_offset=0 diff_length=4 kept=new old_data=evil "
           "new_data=good\n"
           "payload > offset=0 length=4 data=good after_gap=0\n");
}

static void
with_options(const char *data, int off, const uint8_t *options, uint8_t n)
{
    send_segment((struct segment){ .flags = A,
                                   .seq = CLIENT + (uint32_t)off,
                                   .ack = SERVER,
                                   .data = data,
                                   .n = (uint32_t)strlen(data),
                                   .options = options,
                                   .n_options = n });
}

/* tcp_parse_auth_options(): no signature fits into less than 18 bytes, so nobody looks. */
static void
options_are_looked_at_where_a_signature_may_follow(void **state)
{
    static const uint8_t small[4] = { 19, 4, 1, 1 }, broken[20] = { 2, 99, 1, 1, 1, 1, 1, 1, 1, 1,
                                                                    1, 1,  1, 1, 1, 1, 1, 1, 1, 1 };

    (void)state;
    handshake();
    with_options("good", 0, small, sizeof(small));
    with_options("evil", 4, broken, sizeof(broken));
    with_options("too", 4, broken + 17, 0);
    expect("payload > offset=0 length=4 data=good after_gap=0\n"
           "bad_option > why=malformed\n"
           "payload > offset=4 length=3 data=too after_gap=0\n");
}

/* RFC 9293 section 3.10.7.4 looks at the RST first; a client at the SYN of its answer. */
static void
a_rst_with_a_syn_is_a_rst(void **state)
{
    (void)state;
    handshake();
    client(S | R, 0, 0, "");
    expect("bad_flags > why=syn_rst\n"
           "rst >\n");
}

static void
a_syn_ack_with_a_fin_is_a_syn_ack(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    server(S | F | A, -1, 0, "");
    client(A, 0, 0, "");
    expect("flow_start > midstream=0\n"
           "syn > mss=0 wscale=-1 sack=0 ts=0 tfo=0\n"
           "bad_flags < why=syn_fin\n"
           "syn_ack < mss=0 wscale=-1 sack=0 ts=0 tfo=0\n"
           "established > rtt=2000\n");
}

static void
signatures_that_were_agreed_on_are_taken(void **state)
{
    static const uint8_t md5[20] = { 19, 18 };

    (void)state;
    send_segment((struct segment){
        .flags = S, .seq = CLIENT - 1, .options = md5, .n_options = sizeof(md5) });
    server(S | A, -1, 0, "");
    client(A, 0, 0, "");
    record_clear(&fixture.record);
    send_segment((struct segment){ .flags = A,
                                   .seq = CLIENT,
                                   .ack = SERVER,
                                   .data = "good",
                                   .n = 4,
                                   .options = md5,
                                   .n_options = sizeof(md5) });
    expect("payload > offset=0 length=4 data=good after_gap=0\n");
}

/* The bytes before a broken option count, so does the segment: tcp_parse_options() just stops. */
/* What was agreed on in a handshake that was not seen is not known. */
static void
signatures_in_a_flow_picked_up_are_taken(void **state)
{
    static const uint8_t md5[20] = { 19, 18 };

    (void)state;
    send_segment((struct segment){ .flags = A,
                                   .seq = CLIENT,
                                   .ack = SERVER,
                                   .data = "good",
                                   .n = 4,
                                   .options = md5,
                                   .n_options = sizeof(md5) });
    expect("flow_start > midstream=1\n"
           "payload > offset=0 length=4 data=good after_gap=0\n");
}

static void
a_broken_option_is_named_and_the_segment_taken(void **state)
{
    static const uint8_t broken[4] = { 1, 5, 0, 0 };

    (void)state;
    handshake();
    send_segment((struct segment){ .flags = A,
                                   .seq = CLIENT,
                                   .ack = SERVER,
                                   .data = "good",
                                   .n = 4,
                                   .options = broken,
                                   .n_options = sizeof(broken) });
    expect("bad_option > why=malformed\n"
           "payload > offset=0 length=4 data=good after_gap=0\n");
}

static void
a_ttl_that_falls_step_by_step_is_noticed(void **state)
{
    (void)state;
    handshake();
    for (unsigned ttl = 64; ttl > 8; ttl -= 4)
        send_segment(
            (struct segment){ .flags = A, .seq = CLIENT, .ack = SERVER, .ttl = (uint8_t)ttl });
    assert_non_null(strstr(fixture.record.text, "ttl_jump > ttl=56 usual=64\n"));
    record_clear(&fixture.record);
    send_segment((struct segment){
        .flags = A, .seq = CLIENT, .ack = SERVER, .data = "evil", .n = 4, .ttl = 8 });
    client(A, 0, 0, "good");
    server(A, 0, 4, "");
    assert_null(strstr(fixture.record.text, "data=evil after_gap"));
}

static void
a_small_ttl_that_falls_at_all_is_noticed(void **state)
{
    (void)state;
    send_segment((struct segment){ .flags = S, .seq = CLIENT - 1, .ttl = 5 });
    server(S | A, -1, 0, "");
    send_segment((struct segment){ .flags = A, .seq = CLIENT, .ack = SERVER, .ttl = 5 });
    record_clear(&fixture.record);
    send_segment((struct segment){
        .flags = A, .seq = CLIENT, .ack = SERVER, .data = "evil", .n = 4, .ttl = 1 });
    expect("ttl_jump > ttl=1 usual=5\n");
    send_segment((struct segment){
        .flags = A, .seq = CLIENT, .ack = SERVER, .data = "good", .n = 4, .ttl = 5 });
    server(A, 0, 4, "");
    assert_null(strstr(fixture.record.text, "data=evil after_gap"));
}

/* Before the receiver has offered a window: what no window reaches is not waited for. */
static void
nothing_beyond_all_windows_is_held(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    record_clear(&fixture.record);
    client(A, 0x7fffffff, 0, "xy");
    expect("out_of_window > offset=2147483647 length=2\n");
    client(A, 1 << 30, 0, "z");
    server(S | A, -1, 0, "");
    client(A, 0, 0, "");
    record_clear(&fixture.record);
    client(A, 0, 0, "good");
    server(A, 0, 4, "");
    expect("payload > offset=0 length=4 data=good after_gap=0\n");
}

static void
a_ttl_that_falls_is_noticed(void **state)
{
    (void)state;
    handshake();
    send_segment((struct segment){ .flags = A,
                                   .seq = CLIENT,
                                   .ack = SERVER,
                                   .data = "a",
                                   .n = 1,
                                   .ttl = 61 }); /* another path */
    send_segment((struct segment){
        .flags = A, .seq = CLIENT + 1, .ack = SERVER, .data = "b", .n = 1, .ttl = 9 });
    send_segment((struct segment){ .dir = WEIR_TOCLIENT,
                                   .flags = A,
                                   .seq = SERVER,
                                   .ack = CLIENT + 2,
                                   .data = "c",
                                   .n = 1,
                                   .ttl = 9 });
    expect("payload > offset=0 length=1 data=a after_gap=0\n"
           "ttl_jump > ttl=9 usual=64\n"
           "ttl_jump < ttl=9 usual=64\n"
           "payload > offset=1 length=1 data=b after_gap=0\n");
    client(A, 2, 1, "");
    expect("payload < offset=0 length=1 data=c after_gap=0\n");
}

/* ---- the handshake ------------------------------------------------------------------------- */

/* RFC 9293 section 3.10.7.4, RFC 5961 section 4: a challenge at most. */
static void
what_is_wrong_in_a_handshake_is_named(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    server(S | A, -1, 700000, "");
    server(S | A, -1, 0, "");
    record_clear(&fixture.record);
    client(S, 500, 0, "");
    server(S | A, 800, 0, "");
    client(S | A, -1, 0, "");
    expect("bad_handshake > why=syn_seq\n"
           "bad_handshake < why=syn_ack_seq\n"
           "bad_handshake > why=direction\n");
    client(A, 0, 0, "");
    record_clear(&fixture.record);
    client(S, 500, 0, "");
    server(S | A, 800, 0, "");
    expect("syn_in_flow >\n"
           "syn_in_flow <\n");
}

/* Seen where several servers stand behind an address: the client took the second one's. */
static void
the_third_step_chooses_among_syn_acks(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    server(S | A, -1, 0, "");
    server(S | A, 70000, 0, "");
    record_clear(&fixture.record);
    client(A, 0, 70001, "hello");
    server(A, 70001, 5, "hi");
    expect("established > rtt=3000\n"
           "payload > offset=0 length=5 data=hello after_gap=0\n"
           "payload < offset=0 length=2 data=hi after_gap=0\n");
}

static void
a_syn_ack_that_answers_another_syn_is_ignored(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    record_clear(&fixture.record);
    server(S | A, 300, 700000, "");
    server(S | A, -1, 0, "");
    expect("bad_handshake < why=syn_ack_ack\n"
           "syn_ack < mss=0 wscale=-1 sack=0 ts=0 tfo=0\n");
}

/* RFC 9293 figure 8: both open at once. */
static void
both_sides_may_open_at_once(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    server(S, -1, 0, "");
    client(S | A, -1, 0, "");
    server(S | A, -1, 0, "");
    client(A, 0, 0, "hello");
    expect("flow_start > midstream=0\n"
           "syn > mss=0 wscale=-1 sack=0 ts=0 tfo=0\n"
           "syn < mss=0 wscale=-1 sack=0 ts=0 tfo=0\n"
           "syn_ack > mss=0 wscale=-1 sack=0 ts=0 tfo=0\n"
           "syn_ack < mss=0 wscale=-1 sack=0 ts=0 tfo=0\n"
           "established > rtt=4000\n"
           "payload > offset=0 length=5 data=hello after_gap=0\n");
}

/* The server answers with a SYN alone: four steps. */
static void
a_split_handshake_is_complete_with_its_fourth_step(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    server(S, -1, 0, "");
    client(S | A, -1, 0, "");
    server(A, 0, 0, "");
    server(A, 0, 0, "hello");
    expect("flow_start > midstream=0\n"
           "syn > mss=0 wscale=-1 sack=0 ts=0 tfo=0\n"
           "syn < mss=0 wscale=-1 sack=0 ts=0 tfo=0\n"
           "syn_ack > mss=0 wscale=-1 sack=0 ts=0 tfo=0\n"
           "established < rtt=3000\n"
           "payload < offset=0 length=5 data=hello after_gap=0\n");
}

static void
data_on_a_syn_is_noticed(void **state)
{
    static const uint8_t tfo[4] = { 34, 2, 1, 1 };

    (void)state;
    send_segment((struct segment){ .flags = S,
                                   .seq = CLIENT - 1,
                                   .data = "early",
                                   .n = 5,
                                   .options = tfo,
                                   .n_options = sizeof(tfo) });
    server(S | A, -1, 5, "no");
    expect("flow_start > midstream=0\n"
           "data_on_syn > tfo=1\n"
           "syn > mss=0 wscale=-1 sack=0 ts=0 tfo=1\n"
           "data_on_syn < tfo=0\n"
           "syn_ack < mss=0 wscale=-1 sack=0 ts=0 tfo=0\n"
           "payload > offset=0 length=5 data=early after_gap=0\n");
}

/* ---- timestamps ---------------------------------------------------------------------------- */

/* A segment with a timestamp option; ts 0 in a SYN switches them off. */
static void
stamped(enum weir_dir dir, uint8_t flags, int off, int ack, const char *data, uint32_t ts)
{
    const uint8_t option[12] = {
        1, 1, 8, 10, (uint8_t)(ts >> 24), (uint8_t)(ts >> 16), (uint8_t)(ts >> 8), (uint8_t)ts
    };
    bool to_server = dir == WEIR_TOSERVER;

    send_segment(
        (struct segment){ .dir = dir,
                          .flags = flags,
                          .seq = (to_server ? CLIENT : SERVER) + (uint32_t)off,
                          .ack = flags & A ? (to_server ? SERVER : CLIENT) + (uint32_t)ack : 0,
                          .data = data,
                          .n = (uint32_t)strlen(data),
                          .options = option,
                          .n_options = sizeof(option) });
}

static void
stamped_handshake(uint32_t client_ts)
{
    stamped(WEIR_TOSERVER, S, -1, 0, "", client_ts);
    stamped(WEIR_TOCLIENT, S | A, -1, 0, "", 900);
    stamped(WEIR_TOSERVER, A, 0, 0, "", client_ts);
    record_clear(&fixture.record);
}

/* RFC 7323 section 5.3; Linux lets one tick pass. */
static void
an_old_timestamp_keeps_data_out(void **state)
{
    (void)state;
    stamped_handshake(100);
    stamped(WEIR_TOSERVER, A, 0, 0, "a", 200);
    stamped(WEIR_TOSERVER, A, 1, 0, "evil", 198);
    stamped(WEIR_TOSERVER, A, 1, 0, "b", 199);
    stamped(WEIR_TOSERVER, A, 2, 0, "", 5);
    expect("payload > offset=0 length=1 data=a after_gap=0\n"
           "bad_timestamp > why=old\n"
           "payload > offset=1 length=1 data=b after_gap=0\n");
    stamped(WEIR_TOSERVER, R, 2, 0, "", 5); /* a RST is not judged */
    expect("rst >\n");
}

/* tcp_ack() takes the timestamp over behind its checks. */
static void
a_refused_segment_moves_no_timestamp(void **state)
{
    (void)state;
    stamped_handshake(100);
    stamped(WEIR_TOSERVER, A, 0, 7, "x", 100000);
    stamped(WEIR_TOSERVER, A, 0, 0, "ab", 101);
    expect("bad_ack > why=unseen\n"
           "fake_retransmit > offset=0 length=1 diff_offset=0 diff_length=1 kept=new old_data=x "
           "new_data=a\n"
           "payload > offset=0 length=2 data=ab after_gap=0\n");
}

/* tcp_sequence() drops it whole, before its timestamp is taken over. */
static void
an_old_segment_moves_no_timestamp(void **state)
{
    (void)state;
    stamped_handshake(100);
    stamped(WEIR_TOSERVER, A, 0, 0, "GET ", 101);
    stamped(WEIR_TOCLIENT, A, 0, 4, "", 901);
    record_clear(&fixture.record);
    stamped(WEIR_TOSERVER, A, -1, 0, "", 1000000000);
    stamped(WEIR_TOSERVER, A, 0, 0, "GET", 1000000000);
    stamped(WEIR_TOSERVER, A, 4, 0, "/x", 102);
    expect("retransmit > offset=0 length=3 new=0 acked=1 verified=1 syn=0 fin=0\n"
           "payload > offset=4 length=2 data=/x after_gap=0\n");
}

/* TS.Recent moves with what was acknowledged up to its start, RFC 7323 section 4.3. */
static void
early_segments_do_not_move_the_timestamp(void **state)
{
    (void)state;
    stamped_handshake(100);
    stamped(WEIR_TOSERVER, A, 5, 0, "later", 100000);
    stamped(WEIR_TOSERVER, A, 0, 0, "first", 101);
    expect("out_of_order > offset=5 length=5 hole=5\n"
           "payload > offset=0 length=5 data=first after_gap=0\n"
           "payload > offset=5 length=5 data=later after_gap=0\n");
}

static void
timestamps_wrap(void **state)
{
    (void)state;
    stamped_handshake(UINT32_MAX - 5);
    stamped(WEIR_TOSERVER, A, 0, 0, "a", 10);
    expect("payload > offset=0 length=1 data=a after_gap=0\n");
}

/* Measured on Linux: neither is a reason to drop a segment. */
static void
timestamps_that_are_not_as_agreed_are_noticed(void **state)
{
    (void)state;
    stamped_handshake(100);
    client(A, 0, 0, "a");
    expect("bad_timestamp > why=missing\n"
           "payload > offset=0 length=1 data=a after_gap=0\n");
}

static void
timestamps_that_were_not_agreed_on_are_noticed(void **state)
{
    (void)state;
    handshake();
    stamped(WEIR_TOSERVER, A, 0, 0, "a", 7);
    expect("bad_timestamp > why=unexpected\n"
           "payload > offset=0 length=1 data=a after_gap=0\n");
}

static void
a_zero_in_the_handshake_is_a_timestamp(void **state)
{
    (void)state;
    stamped_handshake(0);
    stamped(WEIR_TOSERVER, A, 0, 0, "a", 100);
    stamped(WEIR_TOSERVER, A, 1, 0, "evil", 5);
    expect("payload > offset=0 length=1 data=a after_gap=0\n"
           "bad_timestamp > why=old\n");
}

/* ---- windows and acknowledgements ---------------------------------------------------------- */

static void
acknowledgements_and_windows_are_told_apart(void **state)
{
    const struct segment syn_ack = {
        .dir = WEIR_TOCLIENT, .flags = S | A, .seq = SERVER - 1, .ack = CLIENT, .window = 5
    };
    const struct segment full = {
        .dir = WEIR_TOCLIENT, .flags = A, .seq = SERVER, .ack = CLIENT + 5, .zero_window = true
    };

    (void)state;
    client(S, -1, 0, "");
    send_segment(syn_ack);
    client(A, 0, 0, "hello");
    record_clear(&fixture.record);
    send_segment((struct segment){
        .dir = WEIR_TOCLIENT, .flags = A, .seq = SERVER, .ack = CLIENT, .window = 5 });
    send_segment(full);
    client(A, 5, 0, "!"); /* one byte, to ask */
    client(A, 4, 0, "");
    server(A, 0, 5, "");
    expect("dup_ack <\n"
           "zero_window <\n"
           "window_probe >\n"
           "window_update <\n");
    server(A, 0, 6, ""); /* it took the byte */
    client(A, 5, 0, "");
    expect("payload > offset=5 length=1 data=! after_gap=0\n"
           "keepalive >\n");
}

/* RFC 9293 section 3.10.7.4: RCV.NXT =< SEG.SEQ < RCV.NXT+RCV.WND. */
static void
a_closed_window_takes_nothing(void **state)
{
    const struct segment full = {
        .dir = WEIR_TOCLIENT, .flags = A, .seq = SERVER, .ack = CLIENT + 5, .zero_window = true
    };

    (void)state;
    client(S, -1, 0, "");
    send_segment((struct segment){
        .dir = WEIR_TOCLIENT, .flags = S | A, .seq = SERVER - 1, .ack = CLIENT, .window = 5 });
    client(A, 0, 0, "hello");
    record_clear(&fixture.record);
    send_segment(full);
    client(A, 5, 0, "X"); /* to ask; the next one knows that it was not taken */
    send_segment(full);
    server(A, 0, 5, "");
    client(A, 5, 0, "YZ");
    expect("zero_window <\n"
           "window_probe >\n"
           "zero_window <\n"
           "window_update <\n"
           "fake_retransmit > offset=5 length=1 diff_offset=5 diff_length=1 kept=new old_data=X "
           "new_data=Y\n"
           "payload > offset=5 length=2 data=YZ after_gap=0\n");
}

/* tcp_check_urg(): a pointer behind one that is waited for changes nothing; no data is needed. */
static void
the_urgent_byte_is_the_last_that_was_named(void **state)
{
    (void)state;
    handshake();
    send_segment((struct segment){ .flags = A | WEIR_TH_URG,
                                   .seq = CLIENT,
                                   .ack = SERVER,
                                   .urgent = 11,
                                   .data = "abc",
                                   .n = 3 });
    send_segment((struct segment){ .flags = A | WEIR_TH_URG,
                                   .seq = CLIENT + 3,
                                   .ack = SERVER,
                                   .urgent = 4,
                                   .data = "defghi",
                                   .n = 6 });
    client(A, 9, 0, "jklm");
    send_segment((struct segment){
        .flags = A | WEIR_TH_URG, .seq = CLIENT + 13, .ack = SERVER, .urgent = 2 });
    client(A, 13, 0, "nop");
    expect("payload > offset=0 length=3 data=abc after_gap=0\n"
           "urgent > offset=10\n"
           "payload > offset=3 length=6 data=defghi after_gap=0\n"
           "payload > offset=9 length=1 data=j after_gap=0\n"
           "payload > offset=11 length=2 data=lm after_gap=0\n"
           "urgent > offset=14\n"
           "payload > offset=13 length=1 data=n after_gap=0\n"
           "payload > offset=15 length=1 data=p after_gap=0\n");
}

/* RFC 5961 section 5.2. */
static void
an_ancient_acknowledgement_is_noticed(void **state)
{
    static char big[1400];

    (void)state;
    memset(big, 'x', sizeof(big) - 1);
    handshake();
    for (int i = 0; i < 100; i++) {
        client(A, i * 1399, 0, big);
        server(A, 0, (i + 1) * 1399, "");
    }
    record_clear(&fixture.record);
    server(A, 0, 10, "late");
    expect("bad_ack < why=old\n");
    client(A, 100 * 1399, 4, "");
    expect("payload < offset=0 length=4 data=late after_gap=0\n");
}

/* More than a one-sided sender may leave waiting. */
static void
data_behind_a_rst_of_a_one_sided_sender_waits(void **state)
{
    static uint8_t room[65536], data[60000];

    (void)state;
    client(A, 0, 0, "a");
    client(R, 1, 0, "");
    record_clear(&fixture.record);
    for (uint32_t i = 0; i < 20; i++) {
        struct segment segment = {
            .flags = A, .seq = CLIENT + 1 + i * 60000, .data = data, .n = 60000, .ms = fixture.ms
        };

        record_feed(&fixture.record, tcp_frame(&segment, room));
        expect("data_after_end > why=rst\n");
    }
    expect_at_end("");
}

static void
unstable(uint32_t off, uint32_t n)
{
    static uint8_t room[65536], data[60000];
    struct segment segment = {
        .flags = A, .seq = CLIENT + off, .ack = SERVER, .data = data, .n = n, .ms = fixture.ms++
    };
    struct weir_frame frame = tcp_frame(&segment, room);

    frame.stable = false;
    record_feed(&fixture.record, frame);
}

static unsigned
count_of(const char *what)
{
    unsigned n = 0;

    for (const char *p = fixture.record.text; (p = strstr(p, what)) != NULL; p++)
        n++;
    return n;
}

/*
 * A shard has 983,040 bytes: 14 blocks of 64 KiB for data out of order, and a little. What was kept
 * shrinks to digests for another one; then data find no room, but those that fill the first hole.
 */
static void
what_finds_no_room_is_told_and_the_first_hole_is_filled(void **state)
{
    (void)state;
    record_free(&fixture.record);
    record_start(&fixture.record, WANT & ~WEIR_EV_BIT(WEIR_EV_PAYLOAD),
                 &(struct weir_monitor_opts){ .memcap = UINT64_C(256) << 20 });
    send_segment((struct segment){ .flags = S, .seq = CLIENT - 1, .wscale = 8 });
    send_segment((struct segment){
        .dir = WEIR_TOCLIENT, .flags = S | A, .seq = SERVER - 1, .ack = CLIENT, .wscale = 8 });
    client(A, 0, 0, "");
    server(A, 0, 0, "");
    record_clear(&fixture.record);
    unstable(0, 60000);
    for (uint32_t i = 2; i < 18; i++)
        unstable(i * 60000, 60000);
    assert_int_equal(count_of("out_of_order"), 16);
    assert_int_equal(count_of("overload > what=memcap"), 2);
    record_clear(&fixture.record);
    unstable(60000, 60000);
    expect("overload > what=memcap count=3\n");
    server(A, 0, 18 * 60000, "");
    wait_ms(2000);
    server(A, 0, 18 * 60000, "");
    expect("gap > offset=960000 length=120000 cause=memcap\n");
}

/* ---- small segments whose bytes do not stay where they were */

/* Of the client's stream, byte i is 'a' + i % 23; flip: this one is not. */
static void
send_small(uint32_t off, uint32_t n, uint32_t flip, bool stable)
{
    static uint8_t room[2000][FRAME_ROOM], data[FRAME_ROOM];
    static unsigned next;
    struct segment segment = {
        .flags = A, .seq = CLIENT + off, .ack = SERVER, .data = data, .n = n, .ms = fixture.ms++
    };
    struct weir_frame frame;

    for (uint32_t i = 0; i < n; i++)
        data[i] = (uint8_t)('a' + (off + i) % 23 - (off + i == flip ? 32 : 0));
    next = stable ? (next + 1) % 2000 : next;
    frame = tcp_frame(&segment, room[next]);
    frame.stable = stable;
    record_feed(&fixture.record, frame);
    if (!stable)
        memset(room[next], 0xee, FRAME_ROOM);
}

static uint32_t
draw(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1103515245 + 12345;
    return (*seed >> 8) % below;
}

/* Data, early and late, repeated from anywhere, and wrongly at times, with a short memory. */
static void
run_small(uint32_t seed, bool stable)
{
    uint32_t next = 0;

    record_free(&fixture.record);
    fixture.n = 0;
    fixture.ms = 0;
    record_start(&fixture.record, WANT, &(struct weir_monitor_opts){ .retain = 700 });
    handshake();
    for (unsigned i = 0; i < 600; i++) {
        const uint32_t n = 1 + draw(&seed, draw(&seed, 4) == 0 ? 700 : 60), what = draw(&seed, 16);
        const uint32_t back = draw(&seed, 1500);

        if (what == 0 && next > back) {
            send_small(next - back, n < back ? n : back, next - draw(&seed, 1500), stable);
        } else if (what == 1) {
            send_small(next + n, 5, 0, stable); /* the hole is filled */
            send_small(next, n, 0, stable);
            next += n + 5;
        } else if (what == 2 && fixture.n < 390) {
            server(A, 0, (int)(next - draw(&seed, next < 100 ? 1 : 100)), "");
        } else if (what == 3 && draw(&seed, 8) == 0) {
            next += 3; /* never comes, but is acknowledged */
            send_small(next, n, 0, stable);
            next += n;
            server(A, 0, (int)next, "");
            wait_ms(2000);
        } else if (what == 4 && draw(&seed, 8) == 0) {
            wait_ms(15000);
        } else {
            send_small(next, n, 0, stable);
            next += n;
        }
    }
}

static void
small_segments_are_compared_as_if_each_stayed_in_its_packet(void **state)
{
    static char text[RECORD_ROOM];
    unsigned verified = 0, fake = 0;

    (void)state;
    for (uint32_t seed = 1; seed < 40; seed++) {
        run_small(seed, true);
        memcpy(text, fixture.record.text, sizeof(text));
        run_small(seed, false);
        assert_string_equal(fixture.record.text, text);
        verified += count_of("verified=1");
        fake += count_of("fake_retransmit");
    }
    assert_true(verified > 500 && fake > 20);
}

/* A digest of each is left where memory ends; of one that is no larger than that, its bytes. */
static void
small_segments_shrink_to_digests(void **state)
{
    (void)state;
    record_free(&fixture.record);
    record_start(&fixture.record, WANT & ~WEIR_EV_BIT(WEIR_EV_PAYLOAD),
                 &(struct weir_monitor_opts){ .memcap = UINT64_C(256) << 20 });
    send_segment((struct segment){ .flags = S, .seq = CLIENT - 1, .wscale = 8 });
    send_segment((struct segment){
        .dir = WEIR_TOCLIENT, .flags = S | A, .seq = SERVER - 1, .ack = CLIENT, .wscale = 8 });
    client(A, 0, 0, "");
    server(A, 0, 0, "");
    for (uint32_t i = 0; i < 100; i++)
        send_small(i * 108, 100, 0, false), send_small(i * 108 + 100, 8, 0, false);
    for (uint32_t i = 2; i < 18; i++)
        unstable(i * 60000, 60000);
    assert_true(count_of("overload > what=memcap") > 0);
    record_clear(&fixture.record);
    send_small(50 * 108, 100, 0, false);
    send_small(51 * 108, 100, 51 * 108 + 3, false);
    send_small(52 * 108 + 1, 98, 0, false);
    send_small(53 * 108 + 102, 3, 53 * 108 + 103, false);
    send_small(99 * 108, 108, 0, false);
    expect("retransmit > offset=5400 length=100 new=0 acked=0 verified=1 syn=0 fin=0\n"
           "fake_retransmit > offset=5508 length=100 diff_offset=5508 diff_length=100 kept=old "
           "old_data= new_data=lmnOpqrstuvwabcdefghijklmnopqrstuvwabcdefghijklmn"
           "opqrstuvwabcdefghijklmnopqrstuvwabcdefghijklmnopqrs\n"
           "retransmit > offset=5617 length=98 new=0 acked=0 verified=0 syn=0 fin=0\n"
           "fake_retransmit > offset=5826 length=3 diff_offset=5827 diff_length=1 kept=old "
           "old_data=i new_data=I\n"
           "retransmit > offset=10692 length=108 new=0 acked=0 verified=1 syn=0 fin=0\n");
}

/* What the target ignores says nothing of a side's numbers, neither its own nor for the peer. */
static void
what_is_dropped_begins_no_side(void **state)
{
    (void)state;
    client(0, 5000000, 0, "evil");
    client(A, 0, 0, "good");
    server(A, 0, 4, "hi");
    expect("flow_start > midstream=1\n"
           "bad_flags > why=null\n"
           "payload > offset=0 length=4 data=good after_gap=0\n"
           "payload < offset=0 length=2 data=hi after_gap=0\n");
    expect_at_end("");
}

static void
what_is_dropped_comes_before_no_syn_ack(void **state)
{
    (void)state;
    client(S, -1, 0, "data");
    server(F, 5000, 0, "evil");
    record_clear(&fixture.record);
    server(S | A, -1, 0, "");
    client(A, 0, 0, "");
    server(A, 0, 0, "good");
    expect("syn_ack < mss=0 wscale=-1 sack=0 ts=0 tfo=0\n"
           "established > rtt=3000\n"
           "payload < offset=0 length=4 data=good after_gap=0\n");
}

static void
alone_it_is_what_there_is(void **state)
{
    (void)state;
    client(0, 0, 0, "a");
    client(0, 1, 0, "b");
    record_clear(&fixture.record);
    expect_at_end("payload > offset=0 length=1 data=a after_gap=0\n"
                  "payload > offset=1 length=1 data=b after_gap=0\n");
}

/* So many segments in doubt wait that there is room for no other. */
static void
what_waits_in_doubt_keeps_nothing_out(void **state)
{
    static uint8_t room[FRAME_ROOM];

    (void)state;
    record_free(&fixture.record);
    record_start(&fixture.record, WEIR_EV_BIT(WEIR_EV_PAYLOAD), NULL);
    handshake();
    for (uint32_t i = 0; i < 16384; i++)
        record_feed(&fixture.record, tcp_frame(&(struct segment){ .flags = A,
                                                                  .seq = CLIENT + i,
                                                                  .ack = SERVER + 7,
                                                                  .data = "x",
                                                                  .n = 1,
                                                                  .ms = fixture.ms },
                                               room));
    expect("");
    client(A, 0, 0, "EVIL");
    expect("payload > offset=0 length=4 data=EVIL after_gap=0\n");
}

static void
what_was_reset_is_not_established(void **state)
{
    (void)state;
    client(S, -1, 0, "");
    server(S | A, -1, 0, "");
    client(R, 0, 0, "");
    record_clear(&fixture.record);
    client(A, 0, 0, "late");
    expect("data_after_end > why=rst\n");
}

/* What was acknowledged is compared as far back as was asked for. */
static void
so_much_of_what_was_acknowledged_is_retained(void **state)
{
    (void)state;
    record_free(&fixture.record);
    record_start(&fixture.record, WEIR_EV_BIT(WEIR_EV_RETRANSMIT),
                 &(struct weir_monitor_opts){ .retain = 10 });
    handshake();
    client(A, 0, 0, "0123456789");
    client(A, 10, 0, "abcdefghij");
    server(A, 0, 20, "");
    client(A, 5, 0, "56789");
    client(A, 12, 0, "cde");
    expect("retransmit > offset=5 length=5 new=0 acked=1 verified=0 syn=0 fin=0\n"
           "retransmit > offset=12 length=3 new=0 acked=1 verified=1 syn=0 fin=0\n");
}

/* A segment whose ACK the receiver may refuse (RFC 9293 3.10.7.4, RFC 5961 5.2) waits for it. */

static void
data_that_acknowledges_the_unseen_waits_for_the_receiver(void **state)
{
    (void)state;
    handshake();
    client(A, 0, 7, "abcdef");
    client(A, 6, 0, "gh"); /* in order behind it, for all that is known */
    expect("bad_ack > why=unseen\n");
    server(A, 0, 4, "");
    expect("payload > offset=0 length=4 data=abcd after_gap=0\n");
    server(A, 0, 8, "");
    expect("payload > offset=4 length=2 data=ef after_gap=0\n"
           "payload > offset=6 length=2 data=gh after_gap=0\n");
}

static void
a_copy_beyond_doubt_takes_its_place(void **state)
{
    (void)state;
    handshake();
    client(A, 0, 7, "EVIL");
    client(A, 0, 0, "good");
    expect("bad_ack > why=unseen\n"
           "fake_retransmit > offset=0 length=4 diff_offset=0 diff_length=4 kept=new old_data=EVIL "
           "new_data=good\n"
           "payload > offset=0 length=4 data=good after_gap=0\n");
    client(A, 4, 7, "XX");
    client(A, 4, 0, "yyzz"); /* longer: the rest is new */
    expect("bad_ack > why=unseen\n"
           "fake_retransmit > offset=4 length=2 diff_offset=4 diff_length=2 kept=new old_data=XX "
           "new_data=yy\n"
           "payload > offset=4 length=4 data=yyzz after_gap=0\n");
    client(A, 9, 7, "XX");
    client(A, 9, 0, "y"); /* shorter: what is left stays in doubt */
    client(A, 8, 0, "-");
    expect("bad_ack > why=unseen\n"
           "out_of_order > offset=9 length=2 hole=1\n"
           "fake_retransmit > offset=9 length=1 diff_offset=9 diff_length=1 kept=new old_data=X "
           "new_data=y\n"
           "out_of_order > offset=9 length=1 hole=1\n"
           "payload > offset=8 length=1 data=- after_gap=0\n"
           "payload > offset=9 length=1 data=y after_gap=0\n");
    server(A, 0, 11, "");
    expect("payload > offset=10 length=1 data=X after_gap=0\n");
}

static void
what_the_receiver_acknowledged_between_stays(void **state)
{
    (void)state;
    handshake();
    client(A, 0, 7, "EVIL");
    server(A, 0, 4, "");
    client(A, 0, 0, "good");
    expect("bad_ack > why=unseen\n"
           "payload > offset=0 length=4 data=EVIL after_gap=0\n"
           "fake_retransmit > offset=0 length=4 diff_offset=0 diff_length=4 kept=old old_data=EVIL "
           "new_data=good\n");
}

/*
 * Linux looks at an old ACK only where its header prediction fails: the window field differs here.
 */
static void
an_old_acknowledgement_is_refused_but_where_it_is_predicted(void **state)
{
    (void)state;
    handshake();
    send_segment((struct segment){
        .flags = A, .seq = CLIENT, .ack = SERVER - 70000, .window = 1000, .data = "EVIL", .n = 4 });
    client(A, 0, 0, "good");
    expect("bad_ack > why=old\n"
           "fake_retransmit > offset=0 length=4 diff_offset=0 diff_length=4 kept=new old_data=EVIL "
           "new_data=good\n"
           "payload > offset=0 length=4 data=good after_gap=0\n");
    server(A, 0, 4, "");
    client(A, 4, -70000, "EVIL");
    client(A, 4, 0, "good");
    server(A, 0, 8, "");
    expect("bad_ack > why=old\n"
           "fake_retransmit > offset=4 length=4 diff_offset=4 diff_length=4 kept=old old_data=EVIL "
           "new_data=good\n"
           "payload > offset=4 length=4 data=EVIL after_gap=0\n");
    client(A, 8, -70000, "EVIL");
    server(A, 0, 8, ""); /* it had not the memory that this takes, and says what it expects */
    client(A, 8, 0, "good");
    expect("bad_ack > why=old\n"
           "dup_ack <\n"
           "fake_retransmit > offset=8 length=4 diff_offset=8 diff_length=4 kept=new old_data=EVIL "
           "new_data=good\n"
           "payload > offset=8 length=4 data=good after_gap=0\n");
}

/* What counts is the largest window that was ever offered (tcp_ack(), max_window). */
static void
an_acknowledgement_within_the_largest_window_is_not_old(void **state)
{
    (void)state;
    handshake();
    server(A, 0, 0, "0123456789");
    send_segment((struct segment){ .flags = A, .seq = CLIENT, .ack = SERVER + 10, .window = 4 });
    record_clear(&fixture.record);
    send_segment((struct segment){
        .flags = A, .seq = CLIENT, .ack = SERVER + 3, .window = 4, .data = "a", .n = 1 });
    expect("payload > offset=0 length=1 data=a after_gap=0\n");
    send_segment((struct segment){
        .flags = A, .seq = CLIENT + 1, .ack = SERVER - 1, .window = 9, .data = "b", .n = 1 });
    expect("bad_ack > why=old\n");
}

static void
a_fin_in_doubt_ends_nothing(void **state)
{
    (void)state;
    handshake();
    client(F | A, 0, 7, "");
    expect("bad_ack > why=unseen\n");
    client(A, 0, 0, "abc");
    expect("payload > offset=0 length=3 data=abc after_gap=0\n");
    client(F | A, 3, 7, "");
    server(A, 0, 4, "");
    expect("bad_ack > why=unseen\n"
           "fin >\n");
}

static void
a_copy_with_a_lower_ttl_is_not_the_one_that_arrives(void **state)
{
    (void)state;
    handshake();
    send_segment((struct segment){
        .flags = A, .seq = CLIENT, .ack = SERVER, .data = "good", .n = 4, .ttl = 5 });
    client(A, 0, 0, "EVIL");
    expect("ttl_jump > ttl=5 usual=64\n"
           "fake_retransmit > offset=0 length=4 diff_offset=0 diff_length=4 kept=new old_data=good "
           "new_data=EVIL\n"
           "payload > offset=0 length=4 data=EVIL after_gap=0\n");
}

/* The capture lost what the server sent; the server's own numbers tell that there was something. */
static void
what_the_peer_must_have_sent_raises_no_doubt(void **state)
{
    (void)state;
    handshake();
    server(A, 20, 0, ""); /* 20 bytes before it were not captured */
    client(A, 0, 20, "abc");
    expect("payload > offset=0 length=3 data=abc after_gap=0\n");
}

/* Anybody can acknowledge what was never sent. */
static void
an_ack_alone_makes_no_gap_at_the_end(void **state)
{
    (void)state;
    handshake();
    client(A, 0, 0, "abc");
    server(A, 0, 50, "");
    expect_at_end("payload > offset=0 length=3 data=abc after_gap=0\n");
}

static void
a_doubt_is_settled_at_the_end(void **state)
{
    (void)state;
    handshake();
    client(A, 0, 7, "abc");
    expect_at_end("bad_ack > why=unseen\n" /* nothing more was captured */
                  "payload > offset=0 length=3 data=abc after_gap=0\n");
}

static void
a_receiver_that_goes_on_had_refused_it(void **state)
{
    (void)state;
    handshake();
    client(A, 0, 7, "abc");
    server(A, 0, 0, "x");
    expect_at_end("bad_ack > why=unseen\n"
                  "payload < offset=0 length=1 data=x after_gap=0\n");
}

static void
data_behind_a_rst_of_its_sender_is_noticed(void **state)
{
    (void)state;
    handshake();
    server(R, 0, 0, "");
    server(A, 0, 0, "more");
    expect("rst <\n"
           "data_after_end < why=rst\n");
}

/* The client goes on, so the RST was none of the server's: nothing that waited is lost. */
static void
a_rst_that_is_ignored_frees_both_directions(void **state)
{
    (void)state;
    handshake();
    server(R, 0, 0, "");
    client(A, 0, 0, "hello");
    server(A, 0, 0, "more");
    client(A, 5, 4, "");
    expect("rst <\n"
           "data_after_end < why=rst\n"
           "rst_ignored <\n"
           "payload < offset=0 length=4 data=more after_gap=0\n"
           "payload > offset=0 length=5 data=hello after_gap=0\n");
}

/* ---- urgent data --------------------------------------------------------------------------- */

static void
urgent(int off, uint16_t pointer, const char *data)
{
    send_segment((struct segment){ .flags = A | WEIR_TH_URG,
                                   .seq = CLIENT + (uint32_t)off,
                                   .ack = SERVER,
                                   .data = data,
                                   .n = (uint32_t)strlen(data),
                                   .urgent = pointer });
}

/* Read out of band by default: the stream is what is left; tcp_check_urg() of Linux. */
static void
an_urgent_byte_is_no_part_of_the_stream(void **state)
{
    (void)state;
    handshake();
    urgent(0, 3, "EVIL");
    client(A, 4, 0, "ATTACK");
    expect("payload > offset=0 length=2 data=EV after_gap=0\n"
           "payload > offset=3 length=1 data=L after_gap=0\n"
           "urgent > offset=2\n"
           "payload > offset=4 length=6 data=ATTACK after_gap=0\n");
}

static void
an_urgent_byte_may_be_still_to_come(void **state)
{
    (void)state;
    handshake();
    urgent(0, 6, "EVIL");
    client(A, 4, 0, "ATTACK");
    urgent(10, 0, "xy");
    expect("payload > offset=0 length=4 data=EVIL after_gap=0\n"
           "urgent > offset=5\n"
           "payload > offset=4 length=1 data=A after_gap=0\n"
           "payload > offset=6 length=4 data=TACK after_gap=0\n"
           "payload > offset=11 length=1 data=y after_gap=0\n"
           "urgent > offset=10\n");
}

/* For hosts that read it in band. */
static void
urgent_bytes_in_band_are_part_of_the_stream(void **state)
{
    (void)state;
    record_free(&fixture.record);
    record_start(&fixture.record, WANT, &(struct weir_monitor_opts){ .urgent_in_band = true });
    handshake();
    urgent(0, 3, "EVIL");
    urgent(4, 6, "ATTACK");
    urgent(8, 1, "CK");
    expect("payload > offset=0 length=4 data=EVIL after_gap=0\n"
           "urgent > offset=2\n"
           "payload > offset=4 length=6 data=ATTACK after_gap=0\n"
           "urgent > offset=9\n"
           "retransmit > offset=8 length=2 new=0 acked=0 verified=1 syn=0 fin=0\n");
}

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
        TEST(data_before_the_server_is_heard_wait_for_its_word),
        TEST(who_knows_the_servers_number_was_only_captured_early),
        TEST(an_early_fin_ends_nothing),
        TEST(early_data_without_end_hide_nothing),
        TEST(one_sided_data_come_after_a_second),
        TEST(a_one_sided_fin_counts_after_a_second),
        TEST(one_sided_data_come_before_a_rst),
        TEST(early_data_to_a_closed_port_are_not_delivered),
        TEST(what_was_taken_for_one_sided_is_refuted_by_a_syn_ack),
        TEST(a_fin_taken_for_one_sided_is_refuted_by_a_syn_ack),
        TEST(early_bytes_behind_a_hole_hide_nothing),
        TEST(an_early_urgent_pointer_cuts_nothing_out),
        TEST(a_stray_rst_does_not_end_a_one_sided_stream),
        TEST(a_late_syn_ack_confirms_who_knew_its_number),
        TEST(after_a_refutation_the_syn_is_remembered),
        TEST(a_syn_sent_again_says_what_ttl_is_usual),
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
        TEST(a_loss_of_more_than_a_window_is_overcome),
        TEST(a_loss_of_more_than_a_window_is_overcome_by_an_ack),
        TEST(a_stream_may_be_longer_than_its_numbers),
        TEST(one_end_alone_moves_nobody_beyond_the_window),
        TEST(a_rst_that_repeats_a_wrong_ack_moves_nobody),
        TEST(a_rst_tells_what_its_sender_has),
        TEST(a_hole_that_was_acknowledged_is_a_gap_when_a_rst_comes),
        TEST(data_on_a_syn_ack_wait_for_the_clients_word),
        TEST(data_on_a_syn_ack_are_dropped_by_a_client_that_says_so),
        TEST(data_on_a_syn_ack_are_all_there_is_where_nobody_heard_the_client),
        TEST(a_fin_out_of_order_waits_for_its_turn),
        TEST(data_behind_a_fin_is_cut),
        TEST(data_that_waits_behind_a_fin_goes),
        TEST(the_servers_first_segment_decides_about_data_on_a_syn),
        TEST(data_on_a_syn_that_is_refused_leaves_no_gap),
        TEST(what_an_app_reads_back_changes_nothing_for_others),
        TEST(a_repeated_fin_is_a_retransmission),
        TEST(a_syn_on_a_closed_flow_begins_another),
        TEST(many_syns_that_nobody_answers_are_a_flood),
        TEST(an_answer_ends_a_flood),
        TEST(a_syn_in_a_live_flow_changes_nothing_until_the_server_answers_it),
        TEST(a_forged_syn_with_a_high_ttl_hides_no_later_one),
        TEST(a_syn_ack_from_the_sender_of_a_syn_opens_nothing),
        TEST(a_third_step_that_acknowledges_anything_else_is_refused),
        TEST(a_server_that_acknowledges_data_had_the_third_step),
        TEST(the_same_syn_on_a_closed_flow_begins_another_if_the_server_says_so),
        TEST(a_server_that_gives_a_half_open_connection_up_for_a_syn_says_so),
        TEST(bytes_in_order_that_go_past_a_waiting_fin_win),
        TEST(a_segment_that_covers_a_waiting_fin_takes_its_place),
        TEST(data_behind_a_waiting_fin_goes_when_its_turn_comes),
        TEST(a_gap_before_a_waiting_fin_ends_at_the_fin),
        TEST(an_ack_of_what_was_never_sent_makes_no_gap),
        TEST(acknowledged_bytes_are_missing_once_the_sender_is_behind_them),
        TEST(a_syn_ack_or_rst_that_acknowledges_more_than_the_syn_is_refused),
        TEST(data_and_fin_before_the_syn_ack_are_refused),
        TEST(acks_cannot_climb_beyond_a_window),
        TEST(a_flow_without_its_syn_is_picked_up),
        TEST(a_wrong_checksum_touches_no_state),
        TEST(sequence_numbers_wrap),
        TEST(the_window_scale_is_learnt_from_both_syns),
        TEST(flows_end_by_their_timeouts_at_ticks_of_the_clock),
        TEST(flags_that_make_no_sense_are_named),
        TEST(signatures_that_were_not_agreed_on_are_refused),
        TEST(options_are_looked_at_where_a_signature_may_follow),
        TEST(a_rst_with_a_syn_is_a_rst),
        TEST(a_syn_ack_with_a_fin_is_a_syn_ack),
        TEST(signatures_that_were_agreed_on_are_taken),
        TEST(signatures_in_a_flow_picked_up_are_taken),
        TEST(a_broken_option_is_named_and_the_segment_taken),
        TEST(a_ttl_that_falls_is_noticed),
        TEST(a_ttl_that_falls_step_by_step_is_noticed),
        TEST(a_small_ttl_that_falls_at_all_is_noticed),
        TEST(nothing_beyond_all_windows_is_held),
        TEST(what_is_wrong_in_a_handshake_is_named),
        TEST(the_third_step_chooses_among_syn_acks),
        TEST(a_syn_ack_that_answers_another_syn_is_ignored),
        TEST(both_sides_may_open_at_once),
        TEST(a_split_handshake_is_complete_with_its_fourth_step),
        TEST(data_on_a_syn_is_noticed),
        TEST(an_old_timestamp_keeps_data_out),
        TEST(early_segments_do_not_move_the_timestamp),
        TEST(timestamps_wrap),
        TEST(timestamps_that_are_not_as_agreed_are_noticed),
        TEST(timestamps_that_were_not_agreed_on_are_noticed),
        TEST(a_zero_in_the_handshake_is_a_timestamp),
        TEST(acknowledgements_and_windows_are_told_apart),
        TEST(a_closed_window_takes_nothing),
        TEST(the_urgent_byte_is_the_last_that_was_named),
        TEST(an_old_segment_moves_no_timestamp),
        TEST(an_ancient_acknowledgement_is_noticed),
        TEST(data_behind_a_rst_of_a_one_sided_sender_waits),
        TEST(what_is_dropped_begins_no_side),
        TEST(what_is_dropped_comes_before_no_syn_ack),
        TEST(alone_it_is_what_there_is),
        TEST(what_waits_in_doubt_keeps_nothing_out),
        TEST(what_was_reset_is_not_established),
        TEST(so_much_of_what_was_acknowledged_is_retained),
        TEST(small_segments_are_compared_as_if_each_stayed_in_its_packet),
        TEST(small_segments_shrink_to_digests),
        TEST(what_finds_no_room_is_told_and_the_first_hole_is_filled),
        TEST(data_that_acknowledges_the_unseen_waits_for_the_receiver),
        TEST(a_copy_beyond_doubt_takes_its_place),
        TEST(what_the_receiver_acknowledged_between_stays),
        TEST(an_old_acknowledgement_is_refused_but_where_it_is_predicted),
        TEST(an_acknowledgement_within_the_largest_window_is_not_old),
        TEST(a_fin_in_doubt_ends_nothing),
        TEST(a_copy_with_a_lower_ttl_is_not_the_one_that_arrives),
        TEST(what_the_peer_must_have_sent_raises_no_doubt),
        TEST(an_ack_alone_makes_no_gap_at_the_end),
        TEST(a_doubt_is_settled_at_the_end),
        TEST(a_receiver_that_goes_on_had_refused_it),
        TEST(a_refused_segment_moves_no_timestamp),
        TEST(data_behind_a_rst_of_its_sender_is_noticed),
        TEST(a_rst_that_is_ignored_frees_both_directions),
        TEST(an_urgent_byte_is_no_part_of_the_stream),
        TEST(an_urgent_byte_may_be_still_to_come),
        TEST(urgent_bytes_in_band_are_part_of_the_stream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
