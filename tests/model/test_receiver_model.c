/*
 * A whole receiver as a map of bytes and a few variables: RFC 9293 and what doc/events.md says of
 * Linux, against the engine. A client sends random segments to a server, which answers with data
 * in order. Compared are both streams and, without regard to their order, the events of WANT.
 *
 * Not modelled: handshake, urgent data, TTL, signatures, time (and so gaps), the header prediction
 * of Linux (segments with a bad ACK have an option that rules it out), what the capture missed (an
 * ACK without data of what nobody sent), a RST that the server ignores, the end of a flow whose
 * server says nothing more, FINs out of order at several places of a stream, and data behind a FIN
 * that waits. Played to the policies that differ from linux in no more than overlaps and the slack
 * of timestamps; tests/unit/test_tcp_policy.c has what the others do.
 */
#include "model/byte_map.h"
#include "support/frames.h"
#include "support/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    STEPS = 80,
    PROGRAMS = 400,
    CLIENT = 5000, /* sequence numbers of the first bytes */
    SERVER = 100,
    CLIENT_WINDOW = 60,
    SERVER_DATA = 4096,
};

#define S WEIR_TH_SYN
#define A WEIR_TH_ACK
#define F WEIR_TH_FIN
#define R WEIR_TH_RST
#define P WEIR_TH_PUSH
#define U WEIR_TH_URG

#define WANT                                                                                       \
    (WEIR_EV_BIT(WEIR_EV_PAYLOAD) | WEIR_EV_BIT(WEIR_EV_FIN) | WEIR_EV_BIT(WEIR_EV_RST) |          \
     WEIR_EV_BIT(WEIR_EV_BAD_RST) | WEIR_EV_BIT(WEIR_EV_BAD_ACK) |                                 \
     WEIR_EV_BIT(WEIR_EV_BAD_TIMESTAMP) | WEIR_EV_BIT(WEIR_EV_BAD_FLAGS) |                         \
     WEIR_EV_BIT(WEIR_EV_OUT_OF_WINDOW) | WEIR_EV_BIT(WEIR_EV_SYN_IN_FLOW) |                       \
     WEIR_EV_BIT(WEIR_EV_KEEPALIVE) | WEIR_EV_BIT(WEIR_EV_WINDOW_PROBE) |                          \
     WEIR_EV_BIT(WEIR_EV_ZERO_WINDOW))

/* A segment of the client; numbers count from the first byte of each stream. */
struct sent {
    uint8_t flags;
    int start, end; /* of its data */
    int ack;
    bool stamped;
    int stamp;
    uint8_t data[LENGTH];
};

struct receiver {
    struct byte_map map;
    int most_window;
    int acked, edge; /* what it acknowledged, and up to where it ever offered to take bytes */
    int turn;
    int fin; /* where the stream ends */
    bool fin_came, fin_sure, finished;
    bool reset;
    bool stamps; /* the SYNs agreed on them */
    int recent;  /* the latest timestamp */
    int sent;    /* its own stream, */
    int sent_acked, sent_edge;
    uint8_t own[SERVER_DATA];
    char text[1 << 12];
    size_t n;
    char script[1 << 14]; /* all segments, to be shown where both differ */
    size_t n_script;
};

static void
line(struct receiver *m, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    m->n += (size_t)vsnprintf(m->text + m->n, sizeof(m->text) - m->n, format, args);
    va_end(args);
    assert_true(m->n < sizeof(m->text));
}

static int
larger(int a, int b)
{
    return a > b ? a : b;
}

/* ---- the model ----------------------------------------------------------------------------- */

static bool
is_fin(const struct sent *s)
{
    return s->flags & F;
}

static bool
has_data(const struct sent *s)
{
    return s->end > s->start;
}

/* Bytes, and the FIN, are delivered as far as nothing is missing or in doubt. */
static void
deliver(struct receiver *m)
{
    struct byte_map *map = &m->map;

    if (m->reset)
        return; /* what comes now has to be acknowledged first */
    while (map->next < LENGTH && map->at[map->next].there &&
           (!map->at[map->next].doubt || map->next < m->acked))
        map->next++;
    if (m->fin_came && !m->finished && map->next == m->fin && (m->fin_sure || m->acked > m->fin)) {
        m->finished = true;
        line(m, "fin >\n");
    }
}

/* RFC 5961 section 3.2. */
static void
model_rst(struct receiver *m, char dir, bool exact, bool in_window)
{
    if (m->reset)
        return;
    if (exact)
        line(m, "rst %c\n", dir);
    else
        line(m, "bad_rst %c why=%s\n", dir, in_window ? "in_window" : "out_of_window");
    m->reset = exact;
}

static void
client_rst(struct receiver *m, int at)
{
    bool exact = at == m->map.next || (m->finished && at == m->map.next + 1);

    model_rst(m, '>', exact, at >= m->acked && at <= m->edge);
}

static void
server_rst(struct receiver *m, int at)
{
    model_rst(m, '<', at == m->sent, at >= m->sent_acked && at <= m->sent_edge);
}

/* RFC 9293 section 3.10.7; NULL: the flags make sense. */
static const char *
wrong_flags(const struct sent *s)
{
    if (s->flags & S)
        return s->flags & R ? "syn_rst" : s->flags & F ? "syn_fin" : NULL;
    if (s->flags & R)
        return has_data(s) ? "rst_data" : NULL;
    if (s->flags & A)
        return NULL;
    return s->flags == 0 ? "null" : s->flags == (F | P | U) ? "xmas" : "no_ack";
}

/* RFC 7323 section 5.3; what is called linux, first or last has some slack. False: too old. */
static bool
stamp_fits(struct receiver *m, const struct sent *s)
{
    if (s->stamped != m->stamps)
        line(m, "bad_timestamp > why=%s\n", s->stamped ? "unexpected" : "missing");
    if (!s->stamped || !m->stamps || s->stamp >= m->recent - (m->map.policy <= WEIR_POLICY_LAST))
        return true;
    if (has_data(s) || is_fin(s))
        line(m, "bad_timestamp > why=old\n");
    return false;
}

/* RFC 9293 section 3.10.7.4, RFC 5961 section 5.2. False: it is dropped. */
static bool
ack_fits(struct receiver *m, const struct sent *s, bool *doubt)
{
    const char *why = NULL;

    if (s->ack > larger(m->sent_edge, m->sent) + 1)
        why = "unsent";
    else if (s->ack < 0 || s->ack < m->sent_acked - CLIENT_WINDOW)
        why = "old";
    else if (s->ack > m->sent)
        why = "unseen";
    if (why != NULL)
        line(m, "bad_ack > why=%s\n", why);
    *doubt = why != NULL;
    if (why == NULL && s->ack > m->sent_acked) {
        m->sent_acked = s->ack;
        m->sent_edge = s->ack + CLIENT_WINDOW;
    }
    return why == NULL || strcmp(why, "unsent") != 0;
}

/* Each byte goes where there is none, or where it wins. */
static void
place(struct receiver *m, const struct sent *s, bool doubt)
{
    int from = larger(s->start, 0), end = s->end + is_fin(s);
    int start = doubt || !has_data(s) ? from : map_join(&m->map, from, end);

    m->turn++;
    for (int p = larger(from, m->map.next); p < s->end; p++) {
        struct byte *b = &m->map.at[p];
        bool wins = b->doubt != doubt ? b->doubt : map_new_wins(&m->map, start, end, b);

        if (!b->there || wins)
            *b = (struct byte){ true, doubt, s->data[p - s->start], start, end, m->turn };
    }
}

/* RFC 9293 sections 3.8.4 and 3.8.6.1. */
static bool
only_asks(struct receiver *m, const struct sent *s)
{
    bool closed = m->edge == m->acked, idle = !map_waits(&m->map) && m->acked >= m->map.next;

    if (is_fin(s) || s->end - s->start > 1)
        return false;
    if (s->start == m->map.next - 1 && idle && !m->finished) {
        line(m, closed ? "window_probe >\n" : "keepalive >\n");
        return true;
    }
    if (!closed || s->start != m->map.next || !has_data(s))
        return false;
    line(m, "window_probe >\n");
    if (!m->finished)
        place(m, s, true);
    return true;
}

/* All that waits lies in one piece from the next byte on, and the segment joins it. */
static bool
would_be_next(const struct receiver *m, const struct sent *s)
{
    int end = m->map.next, last = end;

    for (int p = end; p < LENGTH; p++)
        last = m->map.at[p].there ? p + 1 : last;
    while (end < LENGTH && m->map.at[end].there)
        end++;
    return s->start <= m->map.next || (end == last && s->start <= end && end > m->map.next);
}

/* What the target drops is held up in doubt, where it would be next. */
static void
model_dropped(struct receiver *m, const struct sent *s)
{
    if ((!has_data(s) && !is_fin(s)) || s->end < 0 || m->finished || !would_be_next(m, s))
        return;
    place(m, s, true);
    if (is_fin(s) && !m->fin_came) {
        m->fin = s->end;
        m->fin_came = true;
    }
    deliver(m);
}

static bool
fits_window(struct receiver *m, const struct sent *s)
{
    if (!has_data(s) && !is_fin(s))
        return false;
    if (has_data(s) ? s->start >= m->edge : s->start > m->edge) {
        line(m, "out_of_window > offset=%d length=%d\n", s->start, s->end - s->start);
        model_dropped(m, s);
        return false;
    }
    if (s->start < 0)
        line(m, "out_of_window > offset=%d length=%d\n", s->start,
             (s->end < 0 ? s->end : 0) - s->start);
    return s->end >= 0 && !m->finished;
}

static void
model_content(struct receiver *m, const struct sent *s, bool doubt)
{
    if (only_asks(m, s) || !fits_window(m, s))
        return;
    place(m, s, doubt);
    if (is_fin(s)) {
        m->fin = s->end;
        m->fin_came = true;
        m->fin_sure = m->fin_sure || !doubt;
    }
    deliver(m);
}

static void
model_client(struct receiver *m, const struct sent *s)
{
    const char *wrong = wrong_flags(s);
    bool old = s->end + is_fin(s) < m->acked, doubt = false;

    if (wrong != NULL)
        line(m, "bad_flags > why=%s\n", wrong);
    if (s->flags & R) {
        client_rst(m, s->start);
        return;
    }
    if (wrong != NULL && !(s->flags & S) && !only_asks(m, s))
        model_dropped(m, s);
    if (wrong != NULL)
        return;
    if (s->flags & S) { /* RFC 5961 section 4 */
        if (s->start != -1 || s->flags & A)
            line(m, "syn_in_flow >\n");
        return;
    }
    if (!stamp_fits(m, s))
        return;
    if (!old && !ack_fits(m, s, &doubt)) {
        if (!only_asks(m, s))
            model_dropped(m, s);
        return;
    }
    if (m->stamps && s->stamped && !old && !doubt && s->start <= m->acked)
        m->recent = larger(m->recent, s->stamp);
    model_content(m, s, doubt);
}

static void
model_server(struct receiver *m, int ack, int window)
{
    if (window == 0)
        line(m, "zero_window <\n");
    m->acked = ack;
    m->edge = larger(m->edge, ack + window);
    deliver(m);
}

/* ---- the wire ------------------------------------------------------------------------------ */

static void
feed(struct record *r, const struct segment *segment)
{
    static uint8_t room[STEPS + 8][FRAME_ROOM]; /* frames are stable: they must live */
    static unsigned turn;

    record_feed(r, tcp_frame(segment, room[turn++ % (STEPS + 8)]));
}

/* Timestamps, in 12 bytes, then four of padding. */
static const uint8_t *
timestamps(int stamp, uint8_t room[16])
{
    memcpy(room, (uint8_t[16]){ 1, 1, 8, 10, 0, 0, (uint8_t)(stamp >> 8), (uint8_t)stamp }, 16);
    return room;
}

static void
note(struct receiver *m, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    m->n_script += (size_t)vsnprintf(m->script + m->n_script, sizeof(m->script) - m->n_script,
                                     format, args);
    va_end(args);
    assert_true(m->n_script < sizeof(m->script));
}

static void
send_client(struct record *r, struct receiver *m, const struct sent *s)
{
    bool plain = s->ack >= m->sent_acked && s->ack <= m->sent;
    uint8_t room[16], padding[4] = { 1, 1, 1, 1 }; /* is not what Linux predicts */

    memset(room, 1, sizeof(room));
    note(m, "> flags=%x %d..%d \"%.*s\" ack=%d ts=%d\n", s->flags, s->start, s->end,
         s->end - s->start, s->data, s->ack, s->stamped ? s->stamp : -1);
    feed(r, &(struct segment){
                .flags = s->flags,
                .seq = CLIENT + (uint32_t)s->start,
                .ack = SERVER + (uint32_t)s->ack,
                .window = CLIENT_WINDOW,
                .data = s->data,
                .n = (uint32_t)(s->end - s->start),
                .options = s->stamped ? timestamps(s->stamp, room) : padding,
                .n_options = (uint8_t)((s->stamped ? 12 : 0) + (plain ? 0 : 4)),
            });
}

static void
send_server(struct record *r, struct receiver *m, uint8_t flags, int window, int n)
{
    uint8_t room[16];

    note(m, "< flags=%x %d..%d ack=%d window=%d\n", flags, m->sent, m->sent + n, m->acked, window);
    feed(r, &(struct segment){
                .dir = WEIR_TOCLIENT,
                .flags = flags,
                .seq = SERVER + (uint32_t)m->sent,
                .ack = CLIENT + (uint32_t)m->acked,
                .window = (uint16_t)window,
                .zero_window = window == 0,
                .data = m->own + m->sent,
                .n = (uint32_t)n,
                .options = timestamps(7, room),
                .n_options = m->stamps ? 12 : 0,
            });
}

static void
handshake(struct record *r, struct receiver *m)
{
    struct sent s = { .flags = S, .start = -1, .end = -1, .stamped = m->stamps, .stamp = 1000 };

    send_client(r, m, &s);
    m->sent = -1;
    send_server(r, m, S | A, m->edge, 0);
    m->sent = 0;
    s.flags = A;
    s.start = s.end = 0;
    send_client(r, m, &s);
}

/* ---- random programs ----------------------------------------------------------------------- */

static bool
one_in(uint64_t *seed, unsigned n)
{
    return random_below(seed, n) == 0;
}

static int
up_to(uint64_t *seed, int n)
{
    return (int)random_below(seed, (uint64_t)n + 1);
}

/* What a server that has all of this may acknowledge. */
static int
may_acknowledge(const struct receiver *m)
{
    int p = m->map.next;

    if (m->reset)
        return larger(m->acked, p);
    while (p < LENGTH && m->map.at[p].there && !(m->finished && p == m->fin))
        p++;
    return m->fin_came && p == m->fin ? p + 1 : p;
}

static void
server_step(uint64_t *seed, struct record *r, struct receiver *m)
{
    int ack = m->acked + up_to(seed, may_acknowledge(m) - m->acked);
    int window = one_in(seed, 4) ? 0 : up_to(seed, m->most_window), n = 0;

    if (one_in(seed, 2) && !m->reset && m->sent < m->sent_edge)
        n = up_to(seed, 20);
    m->acked = ack;
    send_server(r, m, A, window, n);
    model_server(m, ack, window);
    m->sent += n;
}

/*
 * Left out, also for the client: a RST at the last ACK where the stream has gone on. RFC 5961 and
 * Linux do not accept it, the engine does.
 */
static void
server_rst_step(uint64_t *seed, struct record *r, struct receiver *m)
{
    int sent = m->sent, at = larger(0, sent + (one_in(seed, 8) ? 0 : up_to(seed, 160) - 80));

    if (at != sent && at == m->sent_acked)
        return;
    m->sent = at;
    send_server(r, m, R, 0, 0);
    m->sent = sent;
    server_rst(m, at);
}

static void
random_data(uint64_t *seed, struct sent *s)
{
    int n = s->end - s->start;

    for (int i = 0; i < n; i++)
        s->data[i] = (uint8_t)('a' + (s->start + i + 26) % 26);
    if (n > 0 && one_in(seed, 4))
        s->data[up_to(seed, n - 1)] = '!';
    if (n > 0 && one_in(seed, 8))
        s->data[up_to(seed, n - 1)] = '?';
}

static void
random_place(uint64_t *seed, const struct receiver *m, struct sent *s)
{
    int limit = m->finished ? LENGTH : m->fin;
    int near = one_in(seed, 2) ? m->map.next : up_to(seed, limit);

    s->start = near - up_to(seed, 9) + up_to(seed, 4);
    s->end = s->start + up_to(seed, one_in(seed, 4) ? 1 : 24);
    s->end = s->end > limit ? limit : s->end;
    s->start = s->start > s->end ? s->end : s->start;
    if (one_in(seed, 10) && m->map.next < limit) { /* as a probe is */
        s->start = m->map.next - up_to(seed, 1);
        s->end = s->start + 1;
    }
    if (s->flags & F && !m->finished && !one_in(seed, 9)) {
        s->end = m->fin;
        s->start = m->fin - up_to(seed, 12);
    }
}

/* A FIN elsewhere than at the end of the stream is sent only where it counts at once. */
static bool
fin_is_modelled(const struct receiver *m, const struct sent *s)
{
    return s->end == m->fin || (!m->finished && !m->reset && !map_waits(&m->map) && s->start >= 0 &&
                                s->start <= m->map.next && s->end >= m->map.next);
}

/*
 * Left out: a bad ACK outside the window, where the engine looks at the ACK first; and a FIN in
 * doubt while one beyond doubt waits, which the engine then takes for the doubtful one.
 */
static bool
may_be_in_doubt(const struct receiver *m, const struct sent *s)
{
    return s->start < m->edge && (!is_fin(s) || (s->end == m->fin && !m->fin_sure));
}

static void
random_ack(uint64_t *seed, const struct receiver *m, struct sent *s)
{
    s->ack = m->sent - up_to(seed, m->sent - m->sent_acked);
    if (!one_in(seed, 5) || !may_be_in_doubt(m, s))
        return;
    s->ack = up_to(seed, larger(m->sent, m->sent_edge) + 16) - 8;
    if (!has_data(s) && !is_fin(s) && s->ack > m->sent)
        s->ack = m->sent;
}

static void
random_stamp(uint64_t *seed, const struct receiver *m, struct sent *s)
{
    s->stamped = one_in(seed, 24) ? !m->stamps : m->stamps;
    s->stamp = m->recent + up_to(seed, 4);
    if (one_in(seed, 6))
        s->stamp = m->recent - up_to(seed, 4);
}

/*
 * Left out: up to a FIN that was acknowledged, without repeating it. Linux drops such a segment,
 * which ends before what was acknowledged; the engine looks at its ACK and timestamp.
 */
static bool
ends_before_acked_fin(const struct receiver *m, const struct sent *s)
{
    return m->finished && m->acked > m->fin && !is_fin(s) && s->end == m->fin;
}

/*
 * Left out: into the middle of what waits in doubt. The engine then takes what is left behind it as
 * a part of the new segment, which so seems to end later than it did.
 */
static bool
splits_doubt(const struct receiver *m, const struct sent *s)
{
    const struct byte *before = &m->map.at[larger(s->start, 1) - 1],
                      *behind = &m->map.at[s->end < 0 ? 0 : s->end];

    return s->start > m->map.next && s->end < LENGTH && before->there && before->doubt &&
           behind->there && behind->doubt && before->turn == behind->turn;
}

/* Left out: a probe behind a FIN. The engine delivers the byte once the FIN is acknowledged. */
static bool
probes_behind_fin(const struct receiver *m, const struct sent *s)
{
    return m->finished && m->edge == m->acked && s->start == m->fin && s->end == m->fin + 1;
}

static void
data_step(uint64_t *seed, struct record *r, struct receiver *m)
{
    struct sent s = { .flags = A };

    if (one_in(seed, 8))
        s.flags |= F;
    random_place(seed, m, &s);
    if (is_fin(&s) && !fin_is_modelled(m, &s))
        s.flags = A;
    if (ends_before_acked_fin(m, &s) || splits_doubt(m, &s) || probes_behind_fin(m, &s))
        return;
    random_ack(seed, m, &s);
    random_stamp(seed, m, &s);
    random_data(seed, &s);
    send_client(r, m, &s);
    model_client(m, &s);
}

static void
odd_step(uint64_t *seed, struct record *r, struct receiver *m)
{
    static const uint8_t flags[] = { 0, P, F, F | P | U, S | F, S | R, S, S | A, R, R, R };
    struct sent s = { .flags = flags[random_below(seed, sizeof(flags))], .stamped = m->stamps };

    random_place(seed, m, &s);
    if (s.flags & S && s.start == s.end)
        s.start = s.end = s.start - up_to(seed, 5);
    if (s.flags & R && one_in(seed, 2))
        s.start = s.end = m->acked + up_to(seed, 60) - 20;
    if (s.flags & R && s.start == m->map.next ? !one_in(seed, 4) : s.start == m->acked)
        return;
    if (m->reset && s.flags & S)
        return; /* opens another connection */
    s.ack = m->sent;
    s.stamp = m->recent;
    random_data(seed, &s);
    send_client(r, m, &s);
    model_client(m, &s);
}

static void
step(uint64_t *seed, struct record *r, struct receiver *m)
{
    unsigned which = (unsigned)random_below(seed, 200);

    if (which < 50)
        server_step(seed, r, m);
    else if (which < 52)
        server_rst_step(seed, r, m);
    else if (which < 65)
        odd_step(seed, r, m);
    else
        data_step(seed, r, m);
}

/* ---- comparison ---------------------------------------------------------------------------- */

static int
compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines of text, in order. */
static const char *
sorted(char *text, char *room)
{
    static char *lines[64];
    size_t n = 0, used = 0;

    for (char *p = strtok(text, "\n"); p != NULL; p = strtok(NULL, "\n"))
        lines[n++] = p;
    qsort(lines, n, sizeof(lines[0]), compare_lines);
    room[0] = '\0';
    for (size_t i = 0; i < n; i++)
        used += (size_t)sprintf(room + used, "%s\n", lines[i]);
    return room;
}

/* What this step raised, and that all is there that was delivered so far. */
static void
compare(struct record *r, struct receiver *m)
{
    static char engine[1 << 12], model[1 << 12];
    const int n = m->map.next;
    bool same = strcmp(sorted(r->text, engine), sorted(m->text, model)) == 0 &&
                r->n_stream[WEIR_TOSERVER] == (size_t)n &&
                r->n_stream[WEIR_TOCLIENT] == (size_t)m->sent &&
                memcmp(r->stream[WEIR_TOCLIENT], m->own, (size_t)m->sent) == 0;

    for (int p = 0; p < n && same; p++)
        same = r->stream[WEIR_TOSERVER][p] == m->map.at[p].value;
    if (!same) { /* more than fits into fail_msg() */
        fprintf(stderr, "policy %s:\n%sengine: %zu bytes\n%smodel: %d bytes\n%s",
                weir_policy_name(m->map.policy), m->script, r->n_stream[WEIR_TOSERVER], engine, n,
                model);
        fail();
    }
    record_clear(r);
    m->n = 0;
    m->text[0] = '\0';
}

static void
start_model(uint64_t *seed, struct receiver *m, unsigned policy)
{
    memset(m, 0, sizeof(*m));
    m->map.policy = policy;
    m->fin = one_in(seed, 4) ? up_to(seed, 20) : LENGTH / 2 + up_to(seed, LENGTH / 2);
    m->stamps = one_in(seed, 2);
    m->recent = 1000;
    m->most_window = one_in(seed, 3) ? 12 : 80;
    m->edge = 1 + up_to(seed, m->most_window);
    m->sent_edge = CLIENT_WINDOW;
    for (int i = 0; i < SERVER_DATA; i++)
        m->own[i] = (uint8_t)('A' + i % 26);
}

static void
one_program(uint64_t seed, unsigned policy)
{
    static struct record r;
    static struct receiver m;

    start_model(&seed, &m, policy);
    record_start(&r, WANT,
                 &(struct weir_monitor_opts){ .seed = seed, .policy = (enum weir_policy)policy });
    r.gather = true;
    handshake(&r, &m);
    for (int i = 0; i < STEPS; i++) {
        step(&seed, &r, &m);
        compare(&r, &m);
    }
    send_server(&r, &m, A, 1, 0); /* it goes on: what is in doubt was refused */
    model_server(&m, m.acked, 1);
    record_end(&r);
    compare(&r, &m);
    record_free(&r);
}

static void
the_engine_agrees_with_a_model_of_a_receiver(void **state)
{
    static const unsigned policies[] = { WEIR_POLICY_LINUX, WEIR_POLICY_FIRST, WEIR_POLICY_LAST,
                                         WEIR_POLICY_BSD, WEIR_POLICY_MACOS };

    (void)state;
    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
        for (uint64_t seed = 1; seed <= PROGRAMS; seed++)
            one_program(seed, policies[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_engine_agrees_with_a_model_of_a_receiver),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
