#include "keep.h"

#include "core/order.h"
#include "engine.h"
#include "pcapng_out.h"

#include <weir/core.h>
#include <weir/flow.h>
#include <weir/shared.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NO_FLOW = 0 }; /* ids are numbers of packets, from 1 */

/* A packet in the line; or, without bytes, the end of a flow. */
struct waiting {
    uint64_t time, number, flow;
    uint64_t copied; /* bytes of copies in all when it is gone */
    const uint8_t *frame;
    uint32_t caplen, wirelen;
    uint16_t link;
    bool is_end;
};

struct note {
    uint64_t number; /* of the packet */
    bool has_text;
    char text[PCAPNG_COMMENT_MAX + 1];
};

struct keep {
    struct waiting *line;
    uint64_t first, next; /* in the line, modulo KEEP_PACKETS */
    uint8_t *bytes;
    uint64_t copied, freed; /* bytes of copies made and given up, gaps at the end of the room too */
    struct note *note;      /* by packet, but for those that came late */
    uint64_t first_note, next_note;
    uint64_t latest; /* time of a packet */

    struct order *order;       /* NULL: one core calls */
    struct weir_core *core;    /* what the table below is used on */
    struct weir_shared *flows; /* those that are marked, by id */
    struct pcapng_out to;
    struct out out;
    int fd;
    bool live;
    struct keep_stats stats;
};

/* ---- flows --------------------------------------------------------------------------------- */

static void
set_mark(struct keep *k, uint64_t flow)
{
    struct weir_core *before = weir_core_enter(k->core);

    weir_detach(
        weir_shared_compare_and_set(k->flows, &flow, sizeof(flow), 0, 1, WEIR_SHARED_FOREVER));
    weir_core_enter(before);
}

static bool
is_marked(struct keep *k, uint64_t flow)
{
    struct weir_core *before = weir_core_enter(k->core);
    int64_t mark = weir_shared_value(weir_shared_get(k->flows, &flow, sizeof(flow)));

    weir_core_enter(before);
    return mark != 0;
}

static void
forget_mark(struct keep *k, uint64_t flow)
{
    struct weir_core *before = weir_core_enter(k->core);

    weir_detach(weir_shared_expire(k->flows, &flow, sizeof(flow), 0));
    weir_core_enter(before);
}

/* ---- out of the line ----------------------------------------------------------------------- */

/* The notes of this packet; those of earlier ones came too late. Returns whether there are any. */
static bool
take_notes(struct keep *k, uint64_t number, struct pcapng_packet *packet)
{
    bool any = false;

    for (; k->first_note < k->next_note; k->first_note++) {
        const struct note *note = &k->note[k->first_note % KEEP_NOTES];

        if (note->number > number)
            break;
        if (note->number < number)
            continue;
        any = true;
        if (note->has_text && packet->n_comments < PCAPNG_COMMENTS)
            packet->comment[packet->n_comments++] = note->text;
    }
    return any;
}

static void
let_go(struct keep *k)
{
    const struct waiting *w = &k->line[k->first++ % KEEP_PACKETS];
    struct pcapng_packet packet = { .time = w->time,
                                    .frame = w->frame,
                                    .caplen = w->caplen,
                                    .wirelen = w->wirelen,
                                    .link = w->link };

    k->freed = w->copied;
    if (w->is_end) {
        forget_mark(k, w->flow);
        return;
    }
    if (!take_notes(k, w->number, &packet) && (w->flow == NO_FLOW || !is_marked(k, w->flow)))
        return;
    if (pcapng_write(&k->to, &packet))
        k->stats.packets++;
    else
        k->stats.lost++;
}

/* ---- into the line ------------------------------------------------------------------------- */

/* What a core asks for, to be done in the order of packets. */
struct call {
    enum { CALL_PACKET, CALL_END, CALL_MARK } kind;
    bool stable, has_text;
    struct waiting w;
    uint8_t bytes[]; /* of the frame, if not stable; or the text, with its end */
};

/* A copy of the frame, in one piece, once older ones have made room. */
static const uint8_t *
copy(struct keep *k, const uint8_t *frame, uint32_t n)
{
    uint64_t at = k->copied % KEEP_BYTES;
    uint8_t *to;

    if (at + n > KEEP_BYTES)
        k->copied += KEEP_BYTES - at;
    while (k->first < k->next && k->copied + n - k->freed > KEEP_BYTES)
        let_go(k);
    to = k->bytes + k->copied % KEEP_BYTES;
    memcpy(to, frame, n);
    k->copied += n;
    return to;
}

static void
add(struct keep *k, const struct waiting *w)
{
    if (k->next - k->first == KEEP_PACKETS)
        let_go(k);
    k->line[k->next % KEEP_PACKETS] = *w;
    k->line[k->next++ % KEEP_PACKETS].copied = k->copied;
}

static void
add_packet(struct keep *k, const struct call *call, const uint8_t *frame)
{
    struct waiting w = call->w;

    if (w.time > k->latest)
        k->latest = w.time;
    while (k->live && k->first < k->next &&
           k->latest - k->line[k->first % KEEP_PACKETS].time > KEEP_LIVE_NS)
        let_go(k);
    if (!call->stable)
        w.frame = copy(k, frame, w.caplen);
    add(k, &w);
}

static void
add_mark(struct keep *k, const struct call *call, const char *text)
{
    struct note *note;

    if (call->w.flow != NO_FLOW)
        set_mark(k, call->w.flow);
    if (call->w.number == 0 || (call->w.flow != NO_FLOW && !call->has_text))
        return;
    if (k->next_note - k->first_note == KEEP_NOTES) {
        k->stats.notes_lost++;
        return;
    }
    note = &k->note[k->next_note++ % KEEP_NOTES];
    note->number = call->w.number;
    note->has_text = call->has_text;
    snprintf(note->text, sizeof(note->text), "%s", call->has_text ? text : "");
}

static void
do_call(struct keep *k, const struct call *call, const void *bytes)
{
    struct waiting end = call->w;

    switch (call->kind) {
    case CALL_PACKET:
        add_packet(k, call, bytes);
        break;
    case CALL_END:
        end.time = k->latest;
        add(k, &end);
        break;
    case CALL_MARK:
        add_mark(k, call, bytes);
        break;
    }
}

static void
do_posted(void *ctx, const void *p, size_t n)
{
    const struct call *call = p;

    (void)n;
    do_call(ctx, call, call->bytes);
}

/* n: of the bytes, those that are gone when this returns. */
static void
make_call(struct keep *k, const struct call *call, const void *bytes, size_t n)
{
    struct order_end *end = order_here(k->order);

    if (end == NULL)
        do_call(k, call, bytes);
    else
        order_post(end, do_posted, k, (struct piece_of_post){ call, sizeof(*call) },
                   (struct piece_of_post){ bytes, n });
}

static weir_fut
on_event(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    const struct weir_packet *pkt = ev->packet;
    struct call call = { .kind = CALL_END };

    (void)ctx;
    call.w.flow = ev->flow != NULL ? weir_flow_id(ev->flow) : NO_FLOW;
    if (ev->type != WEIR_EV_PACKET) {
        call.w.is_end = true;
        make_call(ev->app, &call, NULL, 0);
    } else if (pkt != NULL) {
        call.kind = CALL_PACKET;
        call.stable = pkt->stable;
        call.w.time = pkt->time;
        call.w.number = pkt->number;
        call.w.frame = pkt->frame;
        call.w.caplen = pkt->caplen;
        call.w.wirelen = pkt->wirelen;
        call.w.link = pkt->link;
        make_call(ev->app, &call, pkt->frame, pkt->stable ? 0 : pkt->caplen);
    }
    return weir_ok(0);
}

static const weir_fn stages[] = { on_event };

static const struct weir_tap_spec spec = {
    .stage = stages,
    .n_stages = 1,
    .want = WEIR_EV_BIT(WEIR_EV_PACKET) | WEIR_EV_BIT(WEIR_EV_FLOW_END),
};

int
keep_add(struct keep *keep, struct weir_monitor *m)
{
    keep->order = monitor_order(m);
    return weir_monitor_add(
        m,
        &(struct weir_app){ .name = "keep", .spec = &spec, .no_flow_packets = true, .arg = keep });
}

void
keep_mark(struct keep *keep, const struct weir_event *ev, const char *comment)
{
    struct call call = { .kind = CALL_MARK, .has_text = comment != NULL };
    char text[PCAPNG_COMMENT_MAX + 1] = "";

    call.w.flow = ev->flow != NULL ? weir_flow_id(ev->flow) : NO_FLOW;
    call.w.number = ev->number;
    if (comment != NULL)
        snprintf(text, sizeof(text), "%s", comment);
    make_call(keep, &call, text, comment != NULL ? strlen(text) + 1 : 0);
}

/* ---- life ---------------------------------------------------------------------------------- */

static void
free_all(struct keep *k)
{
    weir_shared_free(k->flows);
    weir_core_free(k->core);
    free(k->line);
    free(k->bytes);
    free(k->note);
    if (k->fd >= 0)
        close(k->fd);
    free(k);
}

static bool
make_all(struct keep *k)
{
    const struct weir_shared_opts opts = { .entries = KEEP_FLOWS };

    k->line = calloc(KEEP_PACKETS, sizeof(*k->line));
    k->bytes = malloc(KEEP_BYTES);
    k->note = calloc(KEEP_NOTES, sizeof(*k->note));
    return k->line != NULL && k->bytes != NULL && k->note != NULL &&
           weir_core_new(NULL, &k->core) == WEIR_E_OK &&
           weir_shared_new(&opts, &k->flows) == WEIR_E_OK;
}

int
keep_open(struct cli *cli, const char *path, struct keep **out, struct weir_errbuf *err)
{
    struct keep *k = calloc(1, sizeof(*k));
    int rc;

    *out = NULL;
    if (k == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    k->live = cli->interface != NULL;
    k->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (k->fd < 0)
        rc = weir_err_set(err, WEIR_E_IO, "%s: %s", path, strerror(errno));
    else if (!make_all(k))
        rc = weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    else
        rc = cli_open_fd(cli, k->fd, path, &k->out, err);
    if (rc != WEIR_E_OK) {
        free_all(k);
        return rc;
    }
    k->to.out = &k->out;
    (void)pcapng_start(&k->to); /* without packets it is a capture, too */
    *out = k;
    return WEIR_E_OK;
}

void
keep_end(struct keep *keep)
{
    while (keep->first < keep->next)
        let_go(keep);
    keep->freed = keep->copied;
}

void
keep_get_stats(const struct keep *keep, struct keep_stats *out)
{
    struct weir_shared_stats flows;

    weir_shared_get_stats(keep->flows, &flows);
    *out = keep->stats;
    out->flows_lost = flows.evicted;
}

void
keep_close(struct keep *keep, struct cli *cli)
{
    struct keep_stats stats;

    if (keep == NULL)
        return;
    keep_get_stats(keep, &stats);
    cli_flush_output(cli, &keep->out);
    if (stats.lost + stats.notes_lost + stats.flows_lost > 0)
        cli_notice(cli, "limits: %llu packets, %llu comments and %llu flows are not in %s",
                   (unsigned long long)stats.lost, (unsigned long long)stats.notes_lost,
                   (unsigned long long)stats.flows_lost, keep->out.name);
    cli_close_output(cli, &keep->out);
    free_all(keep);
}
