/* The states of both hosts, RFC 9293 section 3.3.2 and figures 5 to 13. */
#include "support/frames.h"
#include "support/record.h"
#include "tcp_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S WEIR_TH_SYN
#define A WEIR_TH_ACK
#define F WEIR_TH_FIN
#define R WEIR_TH_RST

enum { CLIENT = 1001, SERVER = 5001 };

/* ---- the table ----------------------------------------------------------------------------- */

/* Every arrow of figure 5, and those of resets and of what was not seen; all else stays. */
static const struct {
    enum weir_tcp_state from;
    enum tcp_input input;
    enum weir_tcp_state to;
} arrows[] = {
    { WEIR_TCP_CLOSED, TCP_SENT_SYN, WEIR_TCP_SYN_SENT },
    { WEIR_TCP_CLOSED, TCP_SENT_SYN_ACK, WEIR_TCP_SYN_RECEIVED },
    { WEIR_TCP_CLOSED, TCP_RESUMED, WEIR_TCP_ESTABLISHED },
    { WEIR_TCP_CLOSED, TCP_PICKED_UP, WEIR_TCP_ESTABLISHED },
    { WEIR_TCP_LISTEN, TCP_SENT_SYN, WEIR_TCP_SYN_SENT },
    { WEIR_TCP_LISTEN, TCP_SENT_SYN_ACK, WEIR_TCP_SYN_RECEIVED },
    { WEIR_TCP_LISTEN, TCP_RESET, WEIR_TCP_CLOSED },
    { WEIR_TCP_LISTEN, TCP_PICKED_UP, WEIR_TCP_ESTABLISHED },
    { WEIR_TCP_SYN_SENT, TCP_GOT_SYN, WEIR_TCP_SYN_RECEIVED },
    { WEIR_TCP_SYN_SENT, TCP_GOT_SYN_ACK, WEIR_TCP_ESTABLISHED },
    { WEIR_TCP_SYN_SENT, TCP_RESET, WEIR_TCP_CLOSED },
    { WEIR_TCP_SYN_SENT, TCP_PICKED_UP, WEIR_TCP_ESTABLISHED },
    { WEIR_TCP_SYN_RECEIVED, TCP_GOT_SYN_ACK, WEIR_TCP_ESTABLISHED },
    { WEIR_TCP_SYN_RECEIVED, TCP_SYN_ACKED, WEIR_TCP_ESTABLISHED },
    { WEIR_TCP_SYN_RECEIVED, TCP_SENT_FIN, WEIR_TCP_FIN_WAIT_1 },
    { WEIR_TCP_SYN_RECEIVED, TCP_GOT_FIN, WEIR_TCP_CLOSE_WAIT },
    { WEIR_TCP_SYN_RECEIVED, TCP_RESET, WEIR_TCP_CLOSED },
    { WEIR_TCP_ESTABLISHED, TCP_SENT_FIN, WEIR_TCP_FIN_WAIT_1 },
    { WEIR_TCP_ESTABLISHED, TCP_GOT_FIN, WEIR_TCP_CLOSE_WAIT },
    { WEIR_TCP_ESTABLISHED, TCP_RESET, WEIR_TCP_CLOSED },
    { WEIR_TCP_FIN_WAIT_1, TCP_GOT_FIN, WEIR_TCP_CLOSING },
    { WEIR_TCP_FIN_WAIT_1, TCP_FIN_ACKED, WEIR_TCP_FIN_WAIT_2 },
    { WEIR_TCP_FIN_WAIT_1, TCP_RESET, WEIR_TCP_CLOSED },
    { WEIR_TCP_FIN_WAIT_2, TCP_GOT_FIN, WEIR_TCP_TIME_WAIT },
    { WEIR_TCP_FIN_WAIT_2, TCP_RESET, WEIR_TCP_CLOSED },
    { WEIR_TCP_CLOSE_WAIT, TCP_SENT_FIN, WEIR_TCP_LAST_ACK },
    { WEIR_TCP_CLOSE_WAIT, TCP_RESET, WEIR_TCP_CLOSED },
    { WEIR_TCP_CLOSING, TCP_FIN_ACKED, WEIR_TCP_TIME_WAIT },
    { WEIR_TCP_CLOSING, TCP_RESET, WEIR_TCP_CLOSED },
    { WEIR_TCP_LAST_ACK, TCP_FIN_ACKED, WEIR_TCP_CLOSED },
    { WEIR_TCP_LAST_ACK, TCP_RESET, WEIR_TCP_CLOSED },
    { WEIR_TCP_TIME_WAIT, TCP_RESET, WEIR_TCP_CLOSED },
};

static void
every_cell_of_the_table_is_an_arrow_or_stays(void **state)
{
    (void)state;
    for (unsigned from = 0; from <= WEIR_TCP_TIME_WAIT; from++) {
        for (unsigned input = 0; input < TCP_INPUTS; input++) {
            unsigned to = from;

            for (size_t i = 0; i < sizeof(arrows) / sizeof(*arrows); i++)
                if (arrows[i].from == from && arrows[i].input == input)
                    to = arrows[i].to;
            assert_int_equal(tcp_next_state(from, input), to);
        }
    }
}

/* ---- connections --------------------------------------------------------------------------- */

static struct record record;
static uint8_t room[64][FRAME_ROOM];
static unsigned n_sent;

static int
set_up(void **state)
{
    record_start(&record, WEIR_EV_BIT(WEIR_EV_STATE), NULL);
    n_sent = 0;
    *state = &record;
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    record_free(&record);
    return 0;
}

static void
send(enum weir_dir dir, uint8_t flags, int off, int ack)
{
    struct segment segment = {
        .dir = dir,
        .flags = flags,
        .seq = (dir == WEIR_TOSERVER ? CLIENT : SERVER) + (uint32_t)off,
        .ack = flags & A ? (dir == WEIR_TOSERVER ? SERVER : CLIENT) + (uint32_t)ack : 0,
        .ms = n_sent,
    };

    record_feed(&record, tcp_frame(&segment, room[n_sent++]));
}

#define TO_SERVER WEIR_TOSERVER
#define TO_CLIENT WEIR_TOCLIENT
#define UP                                                                                         \
    "state > client=syn_sent server=listen\n"                                                      \
    "state < client=established server=syn_received\n"                                             \
    "state > client=established server=established\n"

static void
handshake(void)
{
    send(TO_SERVER, S, -1, 0);
    send(TO_CLIENT, S | A, -1, 0);
    send(TO_SERVER, A, 0, 0);
}

static void
expect(const char *states)
{
    assert_string_equal(record.text, states);
}

static void
one_side_closes_after_the_other(void **state)
{
    (void)state;
    handshake();
    send(TO_SERVER, F | A, 0, 0);
    send(TO_CLIENT, A, 0, 1);
    send(TO_CLIENT, F | A, 0, 1);
    send(TO_SERVER, A, 1, 1);
    expect(UP "state > client=fin_wait_1 server=close_wait\n"
              "state < client=fin_wait_2 server=close_wait\n"
              "state < client=time_wait server=last_ack\n"
              "state > client=time_wait server=closed\n");
}

/* RFC 9293 figure 13. */
static void
both_sides_may_close_at_once(void **state)
{
    (void)state;
    handshake();
    send(TO_SERVER, F | A, 0, 0);
    send(TO_CLIENT, F | A, 0, 0);
    send(TO_SERVER, A, 1, 1);
    send(TO_CLIENT, A, 1, 1);
    expect(UP "state > client=fin_wait_1 server=close_wait\n"
              "state < client=closing server=last_ack\n"
              "state > client=closing server=closed\n"
              "state < client=time_wait server=closed\n");
}

/* RFC 9293 figure 7. */
static void
both_sides_may_open_at_once(void **state)
{
    (void)state;
    send(TO_SERVER, S, -1, 0);
    send(TO_CLIENT, S, -1, 0);
    send(TO_SERVER, S | A, -1, 0);
    send(TO_CLIENT, S | A, -1, 0);
    expect("state > client=syn_sent server=listen\n"
           "state < client=syn_received server=syn_sent\n"
           "state > client=syn_received server=established\n"
           "state < client=established server=established\n");
}

static void
a_rst_closes_both(void **state)
{
    (void)state;
    handshake();
    send(TO_CLIENT, R, 0, 0);
    expect(UP "state < client=closed server=closed\n");
}

static void
a_flow_that_is_picked_up_is_established(void **state)
{
    (void)state;
    send(TO_SERVER, A, 10, 10);
    send(TO_CLIENT, A, 10, 10);
    send(TO_SERVER, F | A, 10, 10);
    expect("state < client=established server=established\n"
           "state > client=fin_wait_1 server=close_wait\n");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_of_the_table_is_an_arrow_or_stays),
        T(one_side_closes_after_the_other),
        T(both_sides_may_close_at_once),
        T(both_sides_may_open_at_once),
        T(a_rst_closes_both),
        T(a_flow_that_is_picked_up_is_established),
    };

    return cmocka_run_group_tests_name("tcp_state", tests, NULL, NULL);
}
