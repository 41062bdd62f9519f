/* Detection on whole flows: which rules alert, on which packet, and how often. */
#include "detect/parts.h"
#include "support/rule_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S WEIR_TH_SYN
#define A WEIR_TH_ACK
#define F WEIR_TH_FIN

static void
expect(struct rule_run *f, const char *alerts)
{
    assert_string_equal(f->said, alerts);
    f->said[0] = '\0';
}

static void
a_content_is_found_across_segments(void **state)
{
    struct rule_run *f = *state;

    begin(f,
          "alert tcp any any -> any 80 (flow:established,to_server; content:\"attack\"; sid:1;)\n"
          "alert tcp any any -> any 80 (flow:to_client; content:\"attack\"; sid:2;)\n");
    handshake(f);
    client(f, A, 0, 0, "GET /att");
    client(f, A, 8, 0, "ac");
    expect(f, "");
    client(f, A, 10, 0, "k HTTP");
    expect(f, "1@6 ");
    client(f, A, 16, 0, "attack attack");
    expect(f, "1@7 ");
}

/* As in Suricata; what may differ from packet to packet is asked of each. */
static void
addresses_alone_are_looked_at_once_a_direction(void **state)
{
    struct fixture *f = *state;

    begin(f, "alert tcp any any -> any any (sid:1;)\n"
             "alert ip any any -> any any (flowbits:set,x; threshold:type limit, track by_rule, "
             "count 9, seconds 9; sid:2;)\n"
             "alert tcp any any -> any 80 (sid:3;)\n"
             "alert tcp !1.2.3.4 any -> any any (sid:4;)\n"
             "alert tcp any any -> any any (ttl:>0; sid:5;)\n"
             "alert tcp any any -> any any (flow:stateless; sid:6;)\n"
             "alert tcp any any -> any any (flowbits:isset,x; sid:7;)\n"
             "alert tcp-pkt any any -> any any (sid:8;)\n");
    client(f, S, -1, 0, "");
    expect(f, "1@1 2@1 3@1 4@1 5@1 6@1 7@1 8@1 ");
    server(f, S | A, -1, 0, "");
    expect(f, "1@2 2@2 4@2 5@2 6@2 7@2 8@2 ");
    client(f, A, 0, 0, "");
    expect(f, "3@3 4@3 5@3 6@3 7@3 8@3 ");
    server(f, A, 0, 0, "abc");
    expect(f, "4@4 5@4 6@4 7@4 8@4 ");
}

static void
names_of_stream_events_say_the_state(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (stream-event:est_invalid_ack; sid:1;)\n"
             "alert tcp any any -> any any (stream-event:closewait_invalid_ack; sid:2;)\n"
             "alert tcp any any -> any any (stream-event:pkt_invalid_ack; sid:3;)\n"
             "alert tcp any any -> any any (stream-event:est_syn_resend_diff_seq; sid:4;)\n"
             "alert tcp any any -> any any (stream-event:est_syn_toclient; sid:5;)\n"
             "alert tcp any any -> any any (stream-event:pkt_broken_ack; sid:6;)\n"
             "alert tcp any any -> any any (stream-event:shutdown_syn_resend; sid:7;)\n");
    handshake(f);
    server(f, A, 0, 999999, "");
    expect(f, "1@4 3@4 ");
    client(f, S, 100, 0, "");
    expect(f, "4@5 ");
    server(f, S, 100, 0, "");
    expect(f, "5@6 ");
    client(f, F | A, 0, 0, "");
    server(f, A, 0, 999999, "");
    expect(f, "2@8 3@8 ");
    client(f, S, 100, 0, "");
    expect(f, "7@9 ");
    segment(f, (struct segment){ .flags = S, .seq = CLIENT - 1, .ack = 7 });
    expect(f, "6@10 ");
}

/* An event that never comes, or that the application layer raises: no packet will do. */
static void
rules_on_other_events_meet_no_packets(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (stream-event:wrong_thread; sid:1;)\n"
             "alert tcp any any -> any any (app-layer-event:http.x; sid:2;)\n"
             "alert http any any -> any any (content:\"a\"; sid:3;)\n");
    handshake(f);
    client(f, A, 0, 0, "a");
    expect(f, "");
}

static void
fragments_meet_rules_on_fragments(void **state)
{
    struct rule_run *f = *state;
    uint8_t bytes[64];
    uint32_t n = udp_whole(4, "0123456789abcdef", 16, bytes);

    begin(f, "alert ip any any -> any any (fragbits:M; sid:1;)\n"
             "alert ip any any -> any any (fragoffset:>0; sid:2;)\n"
             "alert ip any any -> any any (flow:only_frag; sid:3;)\n"
             "alert ip any any -> any any (flow:no_frag; sid:4;)\n"
             "alert udp any any -> any any (fragoffset:>0; sid:5;)\n");
    feed(f,
         fragment_frame(&(struct ip_fragment){ .ident = 1, .more = true, .data = bytes, .n = 16 },
                        next_room(f)));
    expect(f, "1@1 ");
    feed(f, fragment_frame(
                &(struct ip_fragment){ .ident = 1, .start = 16, .data = bytes + 16, .n = n - 16 },
                next_room(f)));
    expect(f, "3@2 ");
    feed(f, udp_frame(WEIR_TOSERVER, "x", 1, 1, next_room(f)));
    expect(f, "4@3 ");
}

static void
sizes_of_streams_count_sequence_numbers(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (flow:established; stream_size:server,=,1; sid:1;)\n"
             "alert tcp any any -> any any (stream_size:client,>,5; content:\"x\"; sid:2;)\n"
             "alert tcp any any -> any any (stream_size:both,>=,6; flags:A; sid:3;)\n");
    handshake(f);
    expect(f, "1@3 ");
    client(f, A, 0, 0, "abcx");
    expect(f, "1@4 ");
    client(f, A, 4, 0, "x");
    expect(f, "1@5 2@5 ");
    server(f, A, 0, 5, "12345");
    expect(f, "3@6 ");
}

/* With the packet at hand. */
static void
packets_bytes_and_age_of_flows_are_asked_for(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (flow.pkts:toserver,3; sid:1;)\n"
             "alert tcp any any -> any any (flow.pkts_toclient:>1; sid:2;)\n"
             "alert tcp any any -> any any (flow.bytes:both,>100; flags:A; sid:3;)\n"
             "alert tcp any any -> any any (flow.bytes_toserver:54<>109; sid:4;)\n"
             "alert tcp any any -> any any (flow.age:0; flags:SA; sid:5;)\n"
             "alert tcp any any -> any any (flow.age:>0; sid:6;)\n");
    handshake(f);
    expect(f, "5@2 4@3 ");
    client(f, A, 0, 0, "");
    expect(f, "1@4 ");
    server(f, A, 0, 0, "");
    expect(f, "1@5 2@5 3@5 ");
}

static void
order_and_repetition_of_segments_do_not_matter(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (content:\"att\"; content:\"ack\"; distance:0; sid:1;)");
    handshake(f);
    client(f, A, 3, 0, "ack");
    client(f, A, 3, 0, "ack");
    expect(f, "");
    client(f, A, 0, 0, "att");
    expect(f, "1@6 ");
    client(f, A, 0, 0, "attack"); /* nothing new */
    expect(f, "");
}

/* Without a content, too: once for the same bytes, and also where they come one by one. */
static void
expressions_alert_on_new_bytes(void **state)
{
    struct rule_run *f = *state;

#ifndef HAVE_PCRE2
    skip();
#endif
    begin(f, "alert tcp any any -> any any (pcre:\"/at+ack/\"; sid:1;)\n"
             "alert tcp any any -> any any (content:\"at\"; pcre:\"/^t+ack/R\"; sid:2;)\n"
             "alert tcp any any -> any any (content:\"at\"; pcre:\"/((a|t|c)+)+[xy]/\"; sid:3;)\n");
    handshake(f);
    client(f, A, 0, 0, "at");
    client(f, A, 2, 0, "tac");
    expect(f, "");
    client(f, A, 5, 0, "k");
    expect(f, "1@6 2@6 ");
    client(f, A, 6, 0, "k");
    expect(f, "");
    client(f, A, 7, 0, "attack");
    expect(f, "1@8 2@8 ");
    assert_int_equal(detect_get_stats(f->detect)->pcre_limits, 0);
    for (int i = 0; i < 20; i++)
        client(f, A, 13 + 10 * i, 0, "aaaaaaaaaa");
    expect(f, "");
    assert_true(detect_get_stats(f->detect)->pcre_limits > 0);
}

/* Each number's bytes come in two segments. */
static void
numbers_are_found_across_segments(void **state)
{
    struct rule_run *f = *state;

    begin(f,
          "alert tcp any any -> any any (content:\"n\"; byte_test:2,>,0x3030,0,relative; sid:1;)\n"
          "alert tcp any any -> any any (content:\"n\"; byte_jump:2,0,relative,string; "
          "content:\"end\"; within:3; sid:2;)\n");
    handshake(f);
    client(f, A, 0, 0, "n1");
    expect(f, "");
    client(f, A, 2, 0, "0 12345");
    expect(f, "1@5 ");
    client(f, A, 9, 0, "6789e");
    client(f, A, 14, 0, "nd");
    expect(f, "2@7 ");
    client(f, A, 16, 0, " n02..en");
    expect(f, "1@8 ");
    client(f, A, 24, 0, "d");
    expect(f, "2@9 ");
}

static void
contents_may_come_long_after_the_fast_pattern(void **state)
{
    struct rule_run *f = *state;

    begin(f,
          "alert tcp any any -> any any (content:\"abc\"; content:\"longest\"; sid:1;)\n"
          "alert tcp any any -> any any (content:\"longest\"; content:\"z\"; within:3; sid:2;)\n"
          "alert tcp any any -> any any (content:\"longest\"; content:!\"z\"; within:3; sid:3;)\n");
    handshake(f);
    client(f, A, 0, 0, "longest");
    expect(f, "");
    client(f, A, 7, 0, "..");
    expect(f, "");
    client(f, A, 9, 0, ".");
    expect(f, "3@6 "); /* and 2 cannot come any more */
    client(f, A, 10, 0, "z.....ab");
    expect(f, "");
    client(f, A, 18, 0, "c");
    expect(f, "1@8 ");
}

static void
what_waits_is_decided_when_the_direction_ends(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (content:\"ab\"; content:!\"z\"; within:9; sid:1;)");
    handshake(f);
    client(f, A, 0, 0, "ab.");
    server(f, A, 0, 3, "ab.");
    expect(f, "");
    client(f, A | F, 3, 3, "");
    expect(f, "1@6 ");
    weir_monitor_end(f->m);
    expect(f, "1@0 "); /* the server's, when the flow ends */
}

/* The sender cuts as he likes: what was found before that was known must not be lost. */
static void
contents_may_come_before_the_name_of_the_protocol(void **state)
{
    struct rule_run *f = *state;

    f->http_from = 7;
    begin(f, "alert http any any -> any any (content:\"GET\"; sid:1;)\n"
             "alert http any any -> any any (content:\"GET\"; content:!\"z\"; within:2; sid:2;)\n"
             "alert tls any any -> any any (content:\"GET\"; sid:3;)\n"
             "alert tcp any any -> any 81 (content:\"GET\"; service:http; sid:4;)\n"
             "alert tcp any any -> any 81 (content:\"GET\"; service:tls; sid:5;)\n"
             "alert tcp any any -> any any (content:\"GET\"; app-layer-protocol:!http; sid:6;)\n"
             "alert http any any -> any any (pcre:\"/T \\//\"; sid:7;)\n"
             "alert http any any -> any any (content:\"GET\"; content:\"x\"; distance:0; sid:8;)\n"
             "alert http any any -> any any (flow:to_client; content:\"OK\"; sid:9;)\n");
    handshake(f);
    client(f, A, 0, 0, "GE");
    client(f, A, 2, 0, "T /");
    client(f, A, 5, 0, "a");
    expect(f, "");
    client(f, A, 6, 0, "b");
    expect(f, "1@7 2@7 4@7 7@7 ");
    client(f, A, 7, 0, "x");
    expect(f, "8@8 ");
}

static void
a_name_may_come_from_the_other_side(void **state)
{
    struct rule_run *f = *state;

    f->http_from = 5;
    begin(f, "alert http any any -> any any (flow:to_server; content:\"GET\"; sid:1;)\n"
             "alert tls any any -> any any (content:\"GET\"; sid:2;)\n"
             "alert tcp any any -> any 81 (content:\"GET\"; service:tls; sid:3;)\n");
    handshake(f);
    client(f, A, 0, 0, "GET");
    server(f, A, 0, 3, "HTTP");
    expect(f, "");
    client(f, F | A, 3, 4, "");
    expect(f, "1@6 ");
}

/* Nothing but a content that must not be there, in a range that never comes whole. */
static void
rules_without_a_fast_pattern_wait_too(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (flow:only_stream; content:!\"z\"; depth:9; sid:1;)\n"
             "alert tcp any any -> any any (flow:only_stream; content:!\"z\"; depth:5; sid:2;)\n"
             "alert tcp any any -> any any (flow:only_stream; content:!\"b\"; depth:9; sid:3;)");
    handshake(f);
    client(f, A, 0, 0, "ab.");
    expect(f, "");
    client(f, A, 3, 0, "...");
    expect(f, "2@5 ");
    client(f, A | F, 6, 0, "");
    expect(f, "1@6 ");
}

/* Single bytes do not make it be asked about all that came before at each of them. */
static void
an_expression_alone_waits_for_a_part_of_what_came(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (flow:only_stream; pcre:\"/a.*b/s\"; sid:1;)");
    handshake(f);
    client(f, A, 0, 0, "a");
    for (unsigned i = 1; i < 1000; i++)
        client(f, A, (int)i, 0, "x");
    assert_in_range(detect_get_stats(f->detect)->candidates, 100, 300);
    client(f, A, 1000, 0, "b");
    client(f, A | F, 1001, 0, "");
    expect(f, "1@1005 ");
}

static void
bytes_behind_a_gap_are_not_glued(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (content:\"attack\"; sid:1;)\n"
             "alert tcp any any -> any any (content:\"att\"; content:\"ack\"; distance:0; sid:2;)\n"
             "alert tcp any any -> any any (content:\"ack\"; sid:3;)\n");
    handshake(f);
    client(f, A, 0, 0, "att");
    client(f, A, 9, 0, "ack");
    server(f, A, 0, 12, "");
    f->ms += 2000;
    server(f, A, 0, 12, ".");
    expect(f, "3@0 "); /* when the gap is given up, by the clock */
}

/* Other flows of the shard whose flow was looked at last take all memory. */
static void
take_memory(struct rule_run *f)
{
    while (mem_alloc(f->detect->mem, 64) != NULL)
        ;
}

/* What the packet that came last has raised. */
static void
expect_last(struct rule_run *f, const char *format)
{
    char alerts[64];

    snprintf(alerts, sizeof(alerts), format, f->n);
    expect(f, alerts);
}

/* The client sends data in which the byte that the pointer counts to, from 1, is urgent. */
static void
urgent(struct rule_run *f, int off, const char *data, uint16_t pointer)
{
    segment(f, (struct segment){ .dir = WEIR_TOSERVER,
                                 .flags = A | WEIR_TH_URG,
                                 .seq = CLIENT + (uint32_t)off,
                                 .ack = SERVER,
                                 .urgent = pointer,
                                 .data = data,
                                 .n = (uint32_t)strlen(data) });
}

static void
contents_go_across_urgent_bytes(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (content:\"attack\"; sid:1;)\n"
             "alert tcp any any -> any any (content:\"att\"; content:\"ack\"; within:3; sid:2;)\n"
             "alert tcp any any -> any any (content:\"attack\"; content:!\"X\"; within:2; sid:3;)\n"
             "alert tcp any any -> any any (content:\"tack.\"; offset:2; depth:5; sid:4;)\n"
             "alert tcp any any -> any any (content:\"X\"; flow:only_stream; sid:5;)\n");
    handshake(f);
    urgent(f, 0, "X", 1); /* before all bytes, */
    urgent(f, 1, "atXt", 3);
    urgent(f, 5, "X", 1); /* two side by side, */
    urgent(f, 6, "X", 1);
    urgent(f, 7, "Xac", 1); /* three, */
    expect(f, "");
    client(f, A, 10, 0, "k");
    expect(f, "1@9 2@9 ");
    client(f, A, 11, 0, "..");
    expect(f, "3@10 4@10 ");
}

/* More of them than any list would hold. */
static void
every_other_byte_may_be_urgent(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (content:\"begin\"; content:\"end\"; distance:300; "
             "within:3; sid:1;)\n"
             "alert tcp any any -> any any (content:\"begin\"; content:\"end\"; distance:301; "
             "sid:2;)\n");
    handshake(f);
    client(f, A, 0, 0, "begin");
    for (int i = 0; i < 300; i++)
        urgent(f, 5 + 2 * i, ".X", 2);
    expect(f, "");
    client(f, A, 605, 0, "end");
    expect(f, "1@305 ");
}

static void
a_gap_beside_an_urgent_byte_is_still_one(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (content:\"attack\"; sid:1;)\n"
             "alert tcp any any -> any any (content:\"att\"; content:\"ack\"; distance:0; sid:2;)\n"
             "alert tcp any any -> any any (content:\"ack\"; offset:4; depth:3; sid:3;)\n");
    handshake(f);
    urgent(f, 0, "attX", 4);
    urgent(f, 5, "Xack", 1);
    server(f, A, 0, 9, "");
    f->ms += 2000;
    server(f, A, 0, 9, ".");
    expect(f, "3@0 "); /* the gap's byte has a place, the urgent ones on both sides have none */
}

/* Memory is all taken: what cannot be verified is reported, and counted. */
static void
without_memory_for_holes_the_fast_pattern_decides(void **state)
{
    struct rule_run *f = *state;

    begin(f,
          "alert tcp any any -> any any (content:\"attack\"; content:\"z\"; distance:0; sid:1;)\n"
          "alert tcp any any -> any any (content:\"later\"; content:\"y\"; sid:2;)\n");
    handshake(f);
    client(f, A, 0, 0, "later.");
    take_memory(f);
    expect(f, "");
    urgent(f, 6, "attXac", 4);
    expect_last(f, "2@%u ");
    assert_int_equal(detect_get_stats(f->detect)->unverified, 1);
    client(f, A, 12, 0, "k");
    expect_last(f, "1@%u ");
    assert_int_equal(detect_get_stats(f->detect)->unverified, 2);
}

static void
segments_meet_rules_that_mean_packets(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (content:\"bc\"; depth:2; sid:1;)\n"
             "alert tcp any any -> any any (content:\"bc\"; flow:no_stream; sid:2;)\n"
             "alert tcp any any -> any any (content:\"bc\"; depth:2; flow:only_stream; sid:3;)\n"
             "alert tcp any any -> any any (content:\"bc\"; dsize:2; sid:4;)\n"
             "alert tcp any any -> any any (content:\"abc\"; sid:5;)\n");
    handshake(f);
    client(f, A, 0, 0, "a");
    client(f, A, 1, 0, "bc");
    expect(f, "1@5 2@5 4@5 5@5 ");
    client(f, A, 10, 0, "abc"); /* out of order: no stream yet, and no depth */
    expect(f, "2@6 ");
}

static void
a_flow_without_its_handshake_has_no_stream(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (content:\"abc\"; sid:1;)\n"
             "alert tcp any any -> any any (content:\"abc\"; flow:established; sid:2;)\n"
             "alert tcp any any -> any any (content:\"abc\"; flow:only_stream; sid:3;)\n");
    client(f, A, 0, 0, "ab");
    client(f, A, 2, 0, "c");
    client(f, A, 3, 0, "abc");
    expect(f, "1@3 ");
}

static void
midstream_gives_it_one(void **state)
{
    struct rule_run *f = *state;

    f->opts.midstream = true;
    begin(f,
          "alert tcp any any -> any any (content:\"abc\"; flow:established,only_stream; sid:2;)\n");
    client(f, A, 0, 0, "ab");
    server(f, A, 0, 2, "x");
    client(f, A, 2, 1, "c");
    expect(f, "2@3 ");
}

static void
rules_without_contents_test_every_packet(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (flags:S; flow:not_established; sid:1;)\n"
             "alert tcp any any -> any any (flow:established,to_server; sid:2;)\n");
    handshake(f);
    expect(f, "1@1 2@3 ");
    server(f, A, 0, 0, "");
    client(f, A, 0, 0, "");
    expect(f, "2@5 ");
}

static void
a_bad_checksum_meets_only_its_event(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (content:\"abc\"; flow:no_stream; sid:1;)\n"
             "alert tcp any any -> any any (flags:A; sid:2;)\n"
             "alert ip any any -> any any (flow-event:bad_checksum,layer = tcp; sid:3;)\n");
    handshake(f);
    f->said[0] = '\0';
    segment(f, (struct segment){ .dir = WEIR_TOSERVER,
                                 .flags = A,
                                 .seq = CLIENT,
                                 .ack = SERVER,
                                 .data = "abc",
                                 .n = 3,
                                 .bad_checksum = true });
    expect(f, "3@4 ");
}

static void
flow_event_rules_see_fields_and_contents(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (flow-event:fake_retransmit,diff_length >= 2; sid:1;)\n"
             "alert tcp any any -> any any (flow-event:fake_retransmit; content:\"evil\"; sid:2;)\n"
             "alert tcp any any -> any any (flow-event:fake_retransmit; content:\"good\"; sid:3;)\n"
             "alert tcp any any -> any any (flow-event:retransmit; flow:to_client; sid:4;)\n"
             "alert tcp any any -> any any (flow-event:established; sid:5;)\n");
    handshake(f);
    expect(f, "5@3 ");
    client(f, A, 0, 0, "good");
    client(f, A, 0, 0, "evil");
    expect(f, "1@5 2@5 ");
    client(f, A, 0, 0, "good");
    expect(f, "");
}

static void
datagrams_are_met_one_by_one(void **state)
{
    struct rule_run *f = *state;
    static const char query[] = "\1\2bad-name\0";

    begin(f, "alert udp any any -> any 53 (content:\"bad-name\"; sid:1;)\n"
             "alert udp any any <> any 53 (content:\"name\"; flow:established; sid:2;)\n"
             "alert tcp any any -> any any (content:\"bad-name\"; sid:3;)\n");
    feed(f, udp_frame(WEIR_TOSERVER, query, sizeof(query), 0, next_room(f)));
    expect(f, "1@1 ");
    feed(f, udp_frame(WEIR_TOCLIENT, query, sizeof(query), 1, next_room(f)));
    expect(f, "2@2 ");
}

static void
more_rules_wait_than_may(void **state)
{
    static char rules[40000];
    struct rule_run *f = *state;
    size_t n = 0;

    for (int i = 1; i <= PENDING_MAX + 10; i++)
        n += (size_t)snprintf(rules + n, sizeof(rules) - n,
                              "alert tcp any any -> any any (content:\"abcd\"; content:\"y%d\"; "
                              "content:\"zz\"; sid:%d;)\n",
                              i, i);
    begin(f, rules);
    handshake(f);
    client(f, A, 0, 0, "abcd");
    expect(f, "");
    assert_int_equal(detect_get_stats(f->detect)->pending_lost, 10);
    client(f, A, 4, 0, "y7 zz");
    expect(f, "7@5 ");
}

/* Streams are given up, counted, and packets still meet their rules. */
static void
without_memory_a_direction_is_not_scanned(void **state)
{
    struct rule_run *f = *state;

    f->opts.memory = 4096; /* less than a piece of an arena */
    begin(f, "alert tcp any any -> any any (content:\"abc\"; sid:1;)\n"
             "alert tcp any any -> any any (content:\"abc\"; flow:no_stream; sid:2;)\n");
    handshake(f);
    client(f, A, 0, 0, "abc");
    expect(f, "2@4 ");
    client(f, A, 3, 0, "abc");
    expect(f, "2@5 ");
    assert_int_equal(detect_get_stats(f->detect)->no_memory, 1);
    weir_monitor_end(f->m);
    expect(f, "");
}

static void
kept_copies_alone_need_no_event(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (content:\"attack\"; sid:1;)");
    assert_false(detect_wants(f->detect) & WEIR_EV_BIT(WEIR_EV_FAKE_RETRANSMIT));
    handshake(f);
    client(f, A, 0, 0, "at___k");
    client(f, A, 0, 0, "attack");
    weir_monitor_end(f->m);
    expect(f, "");
    assert_int_equal(detect_get_stats(f->detect)->others, 0);
}

static void
any_copy_is_matched_with_what_surrounds_it(void **state)
{
    struct rule_run *f = *state;

    f->opts.any = true;
    begin(f, "alert tcp any any -> any any (content:\"attack\"; sid:1;)\n"
             "alert tcp any any -> any any (content:\"tac\"; content:!\"!\"; within:3; sid:2;)\n"
             "alert tcp any any -> any any (content:\"attack\"; flow:to_client; sid:3;)\n");
    handshake(f);
    client(f, A, 0, 0, "a");
    client(f, A, 1, 0, "....");
    client(f, A, 1, 0, "ttac");
    expect(f, "");
    client(f, A, 5, 0, "k");
    expect(f, "1@7 ");
    client(f, A, 1, 0, "ttac"); /* known */
    client(f, A, 6, 0, "more");
    expect(f, "2@9 ");
    client(f, A, 10, 0, "attack"); /* a new place, of what stays */
    expect(f, "1@10 ");
    weir_monitor_end(f->m);
    expect(f, "2@0 "); /* of what stays, too */
    assert_int_equal(detect_get_stats(f->detect)->others, 1);
    assert_int_equal(detect_get_stats(f->detect)->window_lost, 0);
}

static void
copies_that_wait_are_tried_when_their_place_comes(void **state)
{
    struct rule_run *f = *state;

    f->opts.any = true;
    begin(f, "alert tcp any any -> any any (content:\"GET attack\"; offset:0; sid:1;)");
    handshake(f);
    client(f, A, 4, 0, "attack");
    client(f, A, 4, 0, "notice"); /* the first one stays */
    client(f, A, 14, 0, "attack");
    client(f, A, 14, 0, "notice");
    expect(f, "");
    client(f, A, 0, 0, "GET ");
    expect(f, "1@8 ");
    client(f, A, 10, 0, "GET ");
    expect(f, "1@9 ");
    client(f, A, 24, 0, "notice");
    client(f, A, 24, 0, "attack"); /* the second one does not */
    client(f, A, 20, 0, "GET ");
    expect(f, "1@12 ");
    assert_int_equal(detect_get_stats(f->detect)->others, 6);
}

/* A segment that covers another one that waits takes its place, but not that of one before it. */
static void
where_both_copies_win_a_part_either_is_matched(void **state)
{
    struct rule_run *f = *state;

    f->opts.any = true;
    begin(f, "alert tcp any any -> any any (content:\".olda\"; sid:1;)\n"
             "alert tcp any any -> any any (content:\"oldb.\"; sid:2;)\n"
             "alert tcp any any -> any any (content:\".newa\"; sid:3;)\n"
             "alert tcp any any -> any any (content:\"newb.\"; sid:4;)\n");
    handshake(f);
    client(f, A, 0, 0, "..");
    client(f, A, 8, 0, "oldb"); /* first, so that Linux does not join the two */
    client(f, A, 3, 0, ".olda");
    client(f, A, 4, 0, "newanewb.");
    client(f, A, 2, 0, ".");
    expect(f, "1@8 4@8 2@8 3@8 ");
}

static void
other_copies_have_their_urgent_bytes_taken_out(void **state)
{
    struct rule_run *f = *state;

    f->opts.any = true;
    begin(f, "alert tcp any any -> any any (content:\"attack\"; offset:2; depth:6; "
             "flow:only_stream; sid:1;)");
    handshake(f);
    urgent(f, 0, "X", 1);
    urgent(f, 1, "..Xat", 3);
    urgent(f, 6, "X", 1);
    client(f, A, 7, 0, "__");
    urgent(f, 9, "X", 1);
    client(f, A, 7, 0, "ta");
    urgent(f, 10, "Xck", 1);
    expect(f, "1@10 ");
    assert_int_equal(detect_get_stats(f->detect)->others, 1);
}

static void
nothing_of_another_copy_goes_across_a_gap(void **state)
{
    struct rule_run *f = *state;

    f->opts.any = true;
    begin(f, "alert tcp any any -> any any (content:\"tack\"; sid:1;)\n"
             "alert tcp any any -> any any (content:\"att\"; content:!\"a\"; within:1; sid:2;)");
    handshake(f);
    client(f, A, 0, 0, "a..");
    client(f, A, 0, 0, "att");
    client(f, A, 4, 0, "...k");
    client(f, A, 4, 0, "tack");
    expect(f, "");
    server(f, A, 0, 8, ""); /* the byte between will not come */
    f->ms += 2000;
    server(f, A, 0, 8, ".");
    expect(f, "2@0 1@0 ");
    client(f, A, 8, 0, "a..");
    client(f, A, 8, 0, "att");
    server(f, A, 1, 12, "");
    f->ms += 2000;
    server(f, A, 1, 12, ".");
    weir_monitor_end(f->m);
    expect(f, ""); /* told already */
    assert_int_equal(detect_get_stats(f->detect)->window_lost, 0);
}

static void
more_copies_come_than_are_remembered(void **state)
{
    struct rule_run *f = *state;
    static char rest[1001];
    int off = 100;

    f->opts.any = true;
    begin(f, "alert tcp any any -> any any (content:\"attack\"; sid:1;)");
    handshake(f);
    memset(rest, '.', 1000);
    rest[100] = '\0';
    client(f, A, 0, 0, rest);
    for (int i = 0; i < 9; i++)
        client(f, A, 10 * i, 0, i < 8 ? "notice" : "attack");
    expect(f, "");
    assert_int_equal(detect_get_stats(f->detect)->others, 8);
    assert_int_equal(detect_get_stats(f->detect)->others_lost, 1);
    rest[100] = '.';
    for (int i = 0; i < 5; i++, off += 1000)
        client(f, A, off, 0, rest);
    client(f, A, off - 10, 0, "attack"); /* the stream has left the others behind */
    expect(f, "1@19 ");
    client(f, A, 10, 0, "attack"); /* far back, but there: told already */
    expect(f, "");
    assert_int_equal(detect_get_stats(f->detect)->others_lost, 1);
}

/* Go over to other rules, and forget the ones before. */
static void
load_anew(struct rule_run *f, const char *rules)
{
    struct loaded before = f->l;
    struct weir_errbuf err = { "" };
    struct detect_next *next;

    before.groups->rules = &before.rules;
    f->l = (struct loaded){ .vars = before.vars };
    load(&f->l, rules, "");
    assert_int_equal(detect_next_new(f->detect, f->l.groups, NULL, NULL, &next, &err), WEIR_E_OK);
    detect_go_over(f->detect, next);
    before.vars = NULL;
    unload(&before); /* what points into it would be found out by the sanitizers */
}

static void
rules_are_loaded_anew_within_a_flow(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any 80 (content:\"first\"; sid:1;)\n"
             "alert tcp any any -> any 80 (content:\"wait\"; content:\"late\"; sid:2;)\n");
    handshake(f);
    client(f, A, 0, 0, "first wait ");
    expect(f, "1@4 ");
    load_anew(f, "alert tcp any any -> any 80 (content:\"third\"; sid:3;)\n"
                 "alert tcp any any -> any 80 (content:\"first\"; content:\"second\"; sid:4;)\n"
                 "alert tcp any any -> any 80 (content:\"wait sec\"; sid:5;)\n");
    client(f, A, 11, 0, "second third late first");
    expect(f, "3@5 4@5 5@5 ");
    load_anew(f, "# none\n");
    client(f, A, 34, 0, "first second third");
    expect(f, "");
    load_anew(f, "alert tcp any any -> any 80 (content:\"six\"; depth:60; sid:6;)\n"
                 "alert tcp any any -> any 80 (content:\"thirdsix\"; sid:7;)\n");
    client(f, A, 52, 0, "six");
    expect(f, "6@7 ");
}

static void
counts_of_unchanged_rules_go_on(void **state)
{
#define LIMITED(what, sid)                                                                         \
    "alert tcp any any -> any 80 (content:\"x\"; threshold:type limit, track by_src, " what        \
    ", seconds 60; sid:" sid ";)\n"
    struct rule_run *f = *state;

    begin(f, LIMITED("count 1", "1") LIMITED("count 1", "2") LIMITED("count 1", "3; rev:1"));
    handshake(f);
    client(f, A, 0, 0, "x ");
    expect(f, "1@4 2@4 3@4 ");
    client(f, A, 2, 0, "x ");
    expect(f, "");
    load_anew(f, LIMITED("count 1", "4") LIMITED("count 2", "2") LIMITED("count 1", "1")
                     LIMITED("count 1", "3; rev:2"));
    client(f, A, 4, 0, "x ");
    expect(f, "4@6 2@6 3@6 ");
    load_anew(f, "alert tcp any any -> any 80 (content:\"x\"; sid:1; rev:7;)\n");
    client(f, A, 6, 0, "x ");
    expect(f, "1@7 ");
#undef LIMITED
}

static void
what_rules_remember_outlives_them(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any 80 (content:\"set\"; flowbits:set,b; sid:1;)\n"
             "alert tcp any any -> any 80 (content:\"set\"; xbits:set,x,track ip_src; sid:2;)\n");
    handshake(f);
    client(f, A, 0, 0, "set ");
    expect(f, "1@4 2@4 ");
    load_anew(
        f, "alert tcp any any -> any 80 (content:\"ask\"; flowbits:isset,a; sid:3;)\n"
           "alert tcp any any -> any 80 (content:\"ask\"; flowbits:isset,b; sid:4;)\n"
           "alert tcp any any -> any 80 (content:\"ask\"; xbits:isset,x,track ip_src; sid:5;)\n");
    client(f, A, 4, 0, "ask ");
    expect(f, "4@5 5@5 ");
    load_anew(f, "alert tcp any any -> any 80 (content:\"plain\"; sid:6;)\n");
    load_anew(f, "alert tcp any any -> any 80 (content:\"ask\"; flowbits:isset,a; sid:7;)\n"
                 "alert tcp any any -> any 80 (content:\"ask\"; flowbits:isset,b; sid:8;)\n");
    client(f, A, 8, 0, "ask ");
    expect(f, "8@6 ");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, rule_run_set_up, rule_run_tear_down)
    const struct CMUnitTest tests[] = {
        T(rules_are_loaded_anew_within_a_flow),
        T(counts_of_unchanged_rules_go_on),
        T(what_rules_remember_outlives_them),
        T(a_content_is_found_across_segments),
        T(addresses_alone_are_looked_at_once_a_direction),
        T(names_of_stream_events_say_the_state),
        T(rules_on_other_events_meet_no_packets),
        T(fragments_meet_rules_on_fragments),
        T(sizes_of_streams_count_sequence_numbers),
        T(packets_bytes_and_age_of_flows_are_asked_for),
        T(order_and_repetition_of_segments_do_not_matter),
        T(expressions_alert_on_new_bytes),
        T(numbers_are_found_across_segments),
        T(contents_may_come_long_after_the_fast_pattern),
        T(what_waits_is_decided_when_the_direction_ends),
        T(contents_may_come_before_the_name_of_the_protocol),
        T(a_name_may_come_from_the_other_side),
        T(rules_without_a_fast_pattern_wait_too),
        T(an_expression_alone_waits_for_a_part_of_what_came),
        T(bytes_behind_a_gap_are_not_glued),
        T(contents_go_across_urgent_bytes),
        T(every_other_byte_may_be_urgent),
        T(a_gap_beside_an_urgent_byte_is_still_one),
        T(without_memory_for_holes_the_fast_pattern_decides),
        T(segments_meet_rules_that_mean_packets),
        T(a_flow_without_its_handshake_has_no_stream),
        T(midstream_gives_it_one),
        T(rules_without_contents_test_every_packet),
        T(a_bad_checksum_meets_only_its_event),
        T(flow_event_rules_see_fields_and_contents),
        T(datagrams_are_met_one_by_one),
        T(more_rules_wait_than_may),
        T(without_memory_a_direction_is_not_scanned),
        T(kept_copies_alone_need_no_event),
        T(any_copy_is_matched_with_what_surrounds_it),
        T(copies_that_wait_are_tried_when_their_place_comes),
        T(where_both_copies_win_a_part_either_is_matched),
        T(other_copies_have_their_urgent_bytes_taken_out),
        T(nothing_of_another_copy_goes_across_a_gap),
        T(more_copies_come_than_are_remembered),
    };

    return cmocka_run_group_tests_name("detect", tests, NULL, NULL);
}
