/*
 * What hosts make of a RST, a SYN in a connection, and timestamps: every case is played to every
 * policy, and whom it does not name does as linux.
 */
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
#define R WEIR_TH_RST

#define WANT (WEIR_EV_ALL & ~(WEIR_EV_BIT(WEIR_EV_PACKET) | WEIR_EV_BIT(WEIR_EV_FLOW_END)))

#define P(name)   (1U << WEIR_POLICY_##name)
#define WINDOWSES (P(WINDOWS) | P(WINDOWS2K3) | P(VISTA))
/* They follow RFC 793 in what a SYN does; and in what a RST does, but for HP-UX 11. */
#define OLD_ONES (P(OLD_LINUX) | P(SOLARIS) | P(IRIX) | P(HPUX10) | P(HPUX11))
#define WIDE_RST (P(OLD_LINUX) | P(SOLARIS) | P(IRIX) | P(HPUX10) | P(WINDOWS2K3) | P(VISTA))
#define ZERO_OLD (P(BSD) | P(MACOS) | P(IRIX) | P(HPUX10) | P(HPUX11))
#define NO_SLACK (((1U << WEIR_POLICY_COUNT) - 1) & ~(P(LINUX) | P(FIRST) | P(LAST)))

static struct record record;
static uint8_t room[32][FRAME_ROOM];
static unsigned n_frames;

static void
send_segment(struct segment segment)
{
    assert_true(n_frames < 32);
    segment.ms = n_frames;
    segment.n = segment.data != NULL ? (uint32_t)strlen(segment.data) : 0;
    record_feed(&record, tcp_frame(&segment, room[n_frames++]));
}

/* off and ack count from the first byte of each direction. */
static void
client(uint8_t flags, int off, int ack, const char *data)
{
    send_segment((struct segment){ .flags = flags,
                                   .seq = CLIENT + (uint32_t)off,
                                   .ack = flags & A ? SERVER + (uint32_t)ack : 0,
                                   .data = data });
}

static void
server(uint8_t flags, int off, int ack, const char *data)
{
    send_segment((struct segment){ .dir = WEIR_TOCLIENT,
                                   .flags = flags,
                                   .seq = SERVER + (uint32_t)off,
                                   .ack = flags & A ? CLIENT + (uint32_t)ack : 0,
                                   .data = data });
}

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
                          .options = option,
                          .n_options = sizeof(option) });
}

static void
handshake(void)
{
    client(S, -1, 0, "");
    server(S | A, -1, 0, "");
    client(A, 0, 0, "");
    record_clear(&record);
}

static void
stamped_handshake(uint32_t client_ts)
{
    stamped(WEIR_TOSERVER, S, -1, 0, "", client_ts);
    stamped(WEIR_TOCLIENT, S | A, -1, 0, "", 900);
    stamped(WEIR_TOSERVER, A, 0, 0, "", client_ts);
    record_clear(&record);
}

/* What those of these policies do. */
struct outcome {
    unsigned who;
    const char *text;
};

static const char *
expected(const struct outcome *outcomes, unsigned policy)
{
    for (; outcomes->who != 0; outcomes++)
        if (outcomes->who >> policy & 1)
            return outcomes->text;
    return outcomes->text;
}

/*
 * Play it to every policy; the last outcome, of nobody, is that of linux and all who do the same.
 */
static void
play_to_all(void (*play)(void), const struct outcome *outcomes)
{
    for (unsigned policy = 0; policy < WEIR_POLICY_COUNT; policy++) {
        record_start(&record, WANT,
                     &(struct weir_monitor_opts){ .policy = (enum weir_policy)policy });
        n_frames = 0;
        play();
        if (strcmp(record.text, expected(outcomes, policy)) != 0)
            fail_msg("%s:\n%s", weir_policy_name(policy), record.text);
        record_free(&record);
    }
}

#define RESET "rst >\nstate > client=closed server=closed\n"
#define SAME  0

/* ---- RST ----------------------------------------------------------------------------------- */

static void
play_rst_ahead(void)
{
    handshake();
    client(R, 6, 0, "");
}

/* RFC 5961 section 3.2 against RFC 793 section 3.4. */
static void
a_rst_in_the_window_is_accepted_by_some(void **state)
{
    (void)state;
    play_to_all(play_rst_ahead, (const struct outcome[]){ { WIDE_RST | P(HPUX11), RESET },
                                                          { SAME, "bad_rst > why=in_window\n" } });
}

static void
play_rst_in_flight(void)
{
    handshake();
    client(A, 0, 0, "hello");
    record_clear(&record);
    client(R, 2, 0, "");
}

/* The window begins where the receiver's last ACK has it; HP-UX 11 goes by the next byte. */
static void
a_rst_before_the_next_byte_is_in_the_window_until_that_is_acknowledged(void **state)
{
    (void)state;
    play_to_all(
        play_rst_in_flight,
        (const struct outcome[]){ { WIDE_RST, RESET }, { SAME, "bad_rst > why=in_window\n" } });
}

static void
play_rst_outside(void)
{
    handshake();
    client(A, 0, 0, "hello");
    server(A, 0, 5, "");
    record_clear(&record);
    client(R, 4, 0, "");
    client(R, 5 + 65536, 0, "");
}

static void
a_rst_outside_the_window_is_accepted_by_one(void **state)
{
    (void)state;
    play_to_all(play_rst_outside,
                (const struct outcome[]){ { P(HPUX11), "bad_rst > why=out_of_window\n" RESET },
                                          { SAME, "bad_rst > why=out_of_window\n"
                                                  "bad_rst > why=out_of_window\n" } });
}

static void
play_rst_at_edges(void)
{
    handshake();
    client(R, 65536, 0, "");
    client(R, 65535, 0, "");
}

static void
the_right_edge_is_in_the_window(void **state)
{
    (void)state;
    play_to_all(play_rst_at_edges,
                (const struct outcome[]){ { WIDE_RST, "bad_rst > why=out_of_window\n" RESET },
                                          { P(HPUX11), RESET },
                                          { SAME, "bad_rst > why=out_of_window\n"
                                                  "bad_rst > why=in_window\n" } });
}

static void
play_rst_at_next(void)
{
    handshake();
    client(R, 0, 0, "");
}

static void
a_rst_at_the_next_byte_is_accepted_by_all(void **state)
{
    (void)state;
    play_to_all(play_rst_at_next, (const struct outcome[]){ { SAME, RESET } });
}

static void
play_rst_of_one_sided(void)
{
    client(A, 0, 0, "hello");
    record_clear(&record);
    client(R, 6, 0, "");
}

static void
no_window_is_known_of_a_receiver_that_was_not_seen(void **state)
{
    (void)state;
    play_to_all(play_rst_of_one_sided,
                (const struct outcome[]){ { P(HPUX11), RESET },
                                          { SAME, "bad_rst > why=out_of_window\n" } });
}

static void
play_rst_and_go_on(void)
{
    handshake();
    client(R, 6, 0, "");
    client(A, 0, 0, "hello");
    server(A, 0, 5, "");
}

static void
who_had_refused_it_says_so(void **state)
{
    (void)state;
    play_to_all(
        play_rst_and_go_on,
        (const struct outcome[]){
            { WIDE_RST | P(HPUX11), RESET "data_after_end > why=rst\n"
                                          "rst_ignored >\n"
                                          "payload > offset=0 length=5 data=hello after_gap=0\n"
                                          "state < client=established server=established\n" },
            { SAME, "bad_rst > why=in_window\n"
                    "payload > offset=0 length=5 data=hello after_gap=0\n" } });
}

/* The receiver of the RST decides. */
static void
each_side_has_its_policy(void **state)
{
    const struct weir_host_policy host = {
        .addr = { { 10, 0, 0, 2 } }, .ip_version = 4, .prefix = 32, .policy = WEIR_POLICY_OLD_LINUX
    };

    (void)state;
    record_start(&record, WANT, &(struct weir_monitor_opts){ .hosts = &host, .n_hosts = 1 });
    n_frames = 0;
    handshake();
    server(R, 6, 0, "");
    server(S, 6, 0, "");
    assert_string_equal(record.text, "bad_rst < why=in_window\n"
                                     "syn_in_flow <\n");
    record_clear(&record);
    client(R, 6, 0, "");
    assert_string_equal(record.text, RESET);
    record_free(&record);
}

/* ---- SYN in a connection ------------------------------------------------------------------- */

static void
play_syn_ahead(void)
{
    handshake();
    client(S, 99, 0, "");
    client(A, 0, 0, "more");
}

/* RFC 5961 section 4 against RFC 793 section 3.9. Data then waits for the receiver. */
static void
a_syn_in_the_window_closes_for_some(void **state)
{
    (void)state;
    play_to_all(play_syn_ahead,
                (const struct outcome[]){
                    { OLD_ONES, "syn_in_flow >\n" RESET "data_after_end > why=rst\n" },
                    { SAME, "syn_in_flow >\n"
                            "payload > offset=0 length=4 data=more after_gap=0\n" } });
}

static void
play_syn_at_next(void)
{
    handshake();
    client(S, 0, 0, "");
    client(A, 0, 0, "more");
}

static void
a_syn_at_the_next_byte_closes_for_windows_too(void **state)
{
    (void)state;
    play_to_all(play_syn_at_next,
                (const struct outcome[]){
                    { OLD_ONES | WINDOWSES, "syn_in_flow >\n" RESET "data_after_end > why=rst\n" },
                    { SAME, "syn_in_flow >\n"
                            "payload > offset=0 length=4 data=more after_gap=0\n" } });
}

static void
play_syn_outside(void)
{
    handshake();
    client(S, 65536, 0, "");
    client(S, -7, 0, "");
}

static void
a_syn_outside_the_window_closes_for_nobody(void **state)
{
    (void)state;
    play_to_all(play_syn_outside, (const struct outcome[]){ { SAME, "syn_in_flow >\n"
                                                                    "syn_in_flow >\n" } });
}

static void
play_syn_acks(void)
{
    handshake();
    server(S | A, 0, 0, "");
    server(S | A, 9, 0, "");
    server(R, 0, 0, "");
}

/* It closes once, whatever follows. */
static void
a_syn_ack_in_the_window_does_as_a_syn(void **state)
{
    static const char once[] = "syn_in_flow <\n"
                               "rst <\n"
                               "state < client=closed server=closed\n"
                               "syn_in_flow <\n";

    (void)state;
    play_to_all(play_syn_acks,
                (const struct outcome[]){ { OLD_ONES | WINDOWSES, once },
                                          { SAME, "syn_in_flow <\n"
                                                  "syn_in_flow <\n"
                                                  "rst <\n"
                                                  "state < client=closed server=closed\n" } });
}

static void
play_syn_again(void)
{
    handshake();
    client(S, -1, 0, "");
}

static void
the_same_syn_again_closes_for_nobody(void **state)
{
    (void)state;
    play_to_all(play_syn_again,
                (const struct outcome[]){ { SAME, "retransmit > offset=-1 length=0 new=0 acked=1 "
                                                  "verified=1 syn=1 fin=0\n" } });
}

static void
play_syn_and_go_on(void)
{
    handshake();
    client(S, 0, 0, "");
    client(A, 0, 0, "more");
    record_clear(&record);
    server(A, 0, 4, "");
}

static void
data_behind_a_syn_is_delivered_where_the_receiver_acknowledges_it(void **state)
{
    (void)state;
    play_to_all(play_syn_and_go_on,
                (const struct outcome[]){ { OLD_ONES | WINDOWSES,
                                            "rst_ignored >\n"
                                            "payload > offset=0 length=4 data=more after_gap=0\n"
                                            "state < client=established server=established\n" },
                                          { SAME, "" } });
}

/* ---- timestamps ---------------------------------------------------------------------------- */

static void
play_one_tick(void)
{
    stamped_handshake(200);
    stamped(WEIR_TOSERVER, A, 0, 0, "a", 198);
    stamped(WEIR_TOSERVER, A, 0, 0, "b", 199);
}

/* Linux, TCP_PAWS_WINDOW. */
static void
only_linux_lets_one_tick_pass(void **state)
{
    (void)state;
    play_to_all(play_one_tick,
                (const struct outcome[]){ { NO_SLACK, "bad_timestamp > why=old\n"
                                                      "bad_timestamp > why=old\n" },
                                          { SAME, "bad_timestamp > why=old\n"
                                                  "payload > offset=0 length=1 data=b "
                                                  "after_gap=0\n" } });
}

static void
play_zero_syn(void)
{
    stamped_handshake(0);
    stamped(WEIR_TOSERVER, A, 0, 0, "a", 0xf0000000);
    stamped(WEIR_TOSERVER, A, 1, 0, "b", 0xe0000000);
}

/* To many a 0 as the latest timestamp is none, and the first after it is not checked. */
static void
a_zero_in_the_handshake_is_none_to_some(void **state)
{
    (void)state;
    play_to_all(play_zero_syn,
                (const struct outcome[]){ { (uint32_t) ~(P(SOLARIS) | P(WINDOWS2K3)),
                                            "payload > offset=0 length=1 data=a after_gap=0\n"
                                            "bad_timestamp > why=old\n" },
                                          { P(WINDOWS2K3),
                                            "bad_timestamp > why=unexpected\n"
                                            "payload > offset=0 length=1 data=a after_gap=0\n"
                                            "bad_timestamp > why=unexpected\n"
                                            "payload > offset=1 length=1 data=b after_gap=0\n" },
                                          { SAME, "bad_timestamp > why=old\n"
                                                  "bad_timestamp > why=old\n" } });
}

static void
play_zero_later(void)
{
    stamped_handshake(0xfffffff0);
    stamped(WEIR_TOSERVER, A, 0, 0, "a", 0);
    stamped(WEIR_TOCLIENT, A, 0, 1, "", 901);
    stamped(WEIR_TOSERVER, A, 1, 0, "b", 5);
}

/* Who may refuse it tells by the acknowledgement. */
static void
a_zero_after_others_is_in_doubt_for_some(void **state)
{
    static const char taken[] = "payload > offset=0 length=1 data=a after_gap=0\n"
                                "payload > offset=1 length=1 data=b after_gap=0\n";
    static const char doubted[] = "bad_timestamp > why=old\n"
                                  "payload > offset=0 length=1 data=a after_gap=0\n"
                                  "payload > offset=1 length=1 data=b after_gap=0\n";

    (void)state;
    play_to_all(play_zero_later,
                (const struct outcome[]){ { ZERO_OLD, doubted }, { SAME, taken } });
}

static void
play_zero_refused(void)
{
    stamped_handshake(0xfffffff0);
    stamped(WEIR_TOSERVER, A, 0, 0, "evil", 0);
    stamped(WEIR_TOSERVER, A, 0, 0, "good", 5);
}

static void
a_copy_takes_the_place_of_a_zero_in_doubt(void **state)
{
    (void)state;
    play_to_all(
        play_zero_refused,
        (const struct outcome[]){
            { ZERO_OLD, "bad_timestamp > why=old\n"
                        "fake_retransmit > offset=0 length=4 diff_offset=0 diff_length=4 kept=new "
                        "old_data=evil new_data=good\n"
                        "payload > offset=0 length=4 data=good after_gap=0\n" },
            { SAME, "payload > offset=0 length=4 data=evil after_gap=0\n"
                    "fake_retransmit > offset=0 length=4 diff_offset=0 diff_length=4 kept=old "
                    "old_data=evil new_data=good\n" } });
}

static void
play_old_ahead(void)
{
    stamped_handshake(200);
    stamped(WEIR_TOSERVER, A, 0, 0, "x", 5);
    stamped(WEIR_TOSERVER, A, 2, 0, "c", 5);
    stamped(WEIR_TOSERVER, A, 0, 0, "ab", 200);
    stamped(WEIR_TOSERVER, A, 3, 0, "y", 7);
}

static void
out_of_order_no_timestamp_is_checked_by_one(void **state)
{
    (void)state;
    play_to_all(play_old_ahead, (const struct outcome[]){
                                    { P(HPUX11), "bad_timestamp > why=old\n"
                                                 "out_of_order > offset=2 length=1 hole=2\n"
                                                 "payload > offset=0 length=2 data=ab after_gap=0\n"
                                                 "payload > offset=2 length=1 data=c after_gap=0\n"
                                                 "bad_timestamp > why=old\n" },
                                    { SAME, "bad_timestamp > why=old\n"
                                            "bad_timestamp > why=old\n"
                                            "payload > offset=0 length=2 data=ab after_gap=0\n"
                                            "bad_timestamp > why=old\n" } });
}

static void
play_missing(void)
{
    stamped_handshake(200);
    client(A, 0, 0, "a");
    stamped(WEIR_TOSERVER, A, 1, 0, "b", 5);
}

static void
a_missing_timestamp_ends_their_use_for_one(void **state)
{
    (void)state;
    play_to_all(play_missing,
                (const struct outcome[]){ { P(SOLARIS),
                                            "bad_timestamp > why=missing\n"
                                            "payload > offset=0 length=1 data=a after_gap=0\n"
                                            "bad_timestamp > why=unexpected\n"
                                            "payload > offset=1 length=1 data=b after_gap=0\n" },
                                          { SAME, "bad_timestamp > why=missing\n"
                                                  "payload > offset=0 length=1 data=a after_gap=0\n"
                                                  "bad_timestamp > why=old\n" } });
}

static void
play_missing_in_doubt(void)
{
    stamped_handshake(200);
    send_segment(
        (struct segment){ .flags = A, .seq = CLIENT, .ack = SERVER, .data = "a", .ttl = 9 });
    stamped(WEIR_TOSERVER, A, 0, 0, "b", 5);
}

static void
one_that_may_never_arrive_ends_nothing(void **state)
{
    (void)state;
    play_to_all(play_missing_in_doubt,
                (const struct outcome[]){ { SAME, "ttl_jump > ttl=9 usual=64\n"
                                                  "bad_timestamp > why=missing\n"
                                                  "bad_timestamp > why=old\n" } });
}

/* A segment of the server's, before anything else of it, that echoes this. */
static void
echoing(uint8_t flags, uint32_t echo)
{
    const uint8_t option[12] = { 1,
                                 1,
                                 8,
                                 10,
                                 0,
                                 0,
                                 0,
                                 1,
                                 (uint8_t)(echo >> 24),
                                 (uint8_t)(echo >> 16),
                                 (uint8_t)(echo >> 8),
                                 (uint8_t)echo };

    send_segment((struct segment){ .dir = WEIR_TOCLIENT,
                                   .flags = flags,
                                   .seq = SERVER,
                                   .ack = CLIENT,
                                   .data = "",
                                   .options = option,
                                   .n_options = sizeof(option) });
}

static void
play_echo_of_nothing(void)
{
    client(S, -1, 0, "");
    record_clear(&record);
    echoing(WEIR_TH_FIN | A, 100);
    echoing(R | A, 0);
}

static void
play_rst_that_echoes_nothing(void)
{
    client(S, -1, 0, "");
    record_clear(&record);
    echoing(R | A, 100);
}

/* A host that did not offer timestamps does not look at them; but Windows does. */
static void
an_echo_of_a_timestamp_that_nobody_sent(void **state)
{
    (void)state;
    play_to_all(play_echo_of_nothing,
                (const struct outcome[]){ { SAME, "bad_timestamp < why=echo\n"
                                                  "rst <\n"
                                                  "state < client=closed server=closed\n" } });
    play_to_all(play_rst_that_echoes_nothing,
                (const struct outcome[]){ { WINDOWSES, "bad_rst < why=bad_timestamp\n" },
                                          { SAME, "bad_timestamp < why=echo\n"
                                                  "rst <\n"
                                                  "state < client=closed server=closed\n" } });
}

static void
play_rst_that_echoes_another(void)
{
    stamped(WEIR_TOSERVER, S, -1, 0, "", 1000);
    record_clear(&record);
    echoing(R | A, 999);
    echoing(R | A, 1004); /* after 2 ms */
    echoing(R | A, 1002);
}

/* It may be that of the SYN when it was sent again. */
static void
an_echo_of_another_timestamp(void **state)
{
    (void)state;
    play_to_all(play_rst_that_echoes_another,
                (const struct outcome[]){ { SAME, "bad_rst < why=bad_timestamp\n"
                                                  "bad_rst < why=bad_timestamp\n"
                                                  "rst <\n"
                                                  "state < client=closed server=closed\n" } });
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rst_in_the_window_is_accepted_by_some),
        cmocka_unit_test(a_rst_before_the_next_byte_is_in_the_window_until_that_is_acknowledged),
        cmocka_unit_test(a_rst_outside_the_window_is_accepted_by_one),
        cmocka_unit_test(the_right_edge_is_in_the_window),
        cmocka_unit_test(a_rst_at_the_next_byte_is_accepted_by_all),
        cmocka_unit_test(no_window_is_known_of_a_receiver_that_was_not_seen),
        cmocka_unit_test(who_had_refused_it_says_so),
        cmocka_unit_test(each_side_has_its_policy),
        cmocka_unit_test(a_syn_in_the_window_closes_for_some),
        cmocka_unit_test(a_syn_at_the_next_byte_closes_for_windows_too),
        cmocka_unit_test(a_syn_outside_the_window_closes_for_nobody),
        cmocka_unit_test(a_syn_ack_in_the_window_does_as_a_syn),
        cmocka_unit_test(the_same_syn_again_closes_for_nobody),
        cmocka_unit_test(data_behind_a_syn_is_delivered_where_the_receiver_acknowledges_it),
        cmocka_unit_test(only_linux_lets_one_tick_pass),
        cmocka_unit_test(a_zero_in_the_handshake_is_none_to_some),
        cmocka_unit_test(a_zero_after_others_is_in_doubt_for_some),
        cmocka_unit_test(a_copy_takes_the_place_of_a_zero_in_doubt),
        cmocka_unit_test(out_of_order_no_timestamp_is_checked_by_one),
        cmocka_unit_test(a_missing_timestamp_ends_their_use_for_one),
        cmocka_unit_test(one_that_may_never_arrive_ends_nothing),
        cmocka_unit_test(an_echo_of_a_timestamp_that_nobody_sent),
        cmocka_unit_test(an_echo_of_another_timestamp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
