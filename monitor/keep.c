#include "keep.h"

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

/* A copy of the frame, in one piece, once older ones have made room. */
static const uint8_t *
copy(struct keep *k, const struct weir_packet *pkt)
{
    uint64_t at = k->copied % KEEP_BYTES;
    uint8_t *to;

    if (at + pkt->caplen > KEEP_BYTES)
        k->copied += KEEP_BYTES - at;
    while (k->first < k->next && k->copied + pkt->caplen - k->freed > KEEP_BYTES)
        let_go(k);
    to = k->bytes + k->copied % KEEP_BYTES;
    memcpy(to, pkt->frame, pkt->caplen);
    k->copied += pkt->caplen;
    return to;
}

static struct waiting *
add(struct keep *k)
{
    if (k->next - k->first == KEEP_PACKETS)
        let_go(k);
    return &k->line[k->next % KEEP_PACKETS];
}

static void
add_packet(struct keep *k, const struct weir_event *ev)
{
    const struct weir_packet *pkt = ev->packet;
    const uint8_t *frame;
    struct waiting *w;

    if (pkt == NULL)
        return;
    if (pkt->time > k->latest)
        k->latest = pkt->time;
    while (k->live && k->first < k->next &&
           k->latest - k->line[k->first % KEEP_PACKETS].time > KEEP_LIVE_NS)
        let_go(k);
    frame = pkt->stable ? pkt->frame : copy(k, pkt);
    w = add(k);
    *w = (struct waiting){ .time = pkt->time,
                           .number = pkt->number,
                           .flow = ev->flow != NULL ? weir_flow_id(ev->flow) : NO_FLOW,
                           .copied = k->copied,
                           .frame = frame,
                           .caplen = pkt->caplen,
                           .wirelen = pkt->wirelen,
                           .link = pkt->link };
    k->next++;
}

static void
add_end(struct keep *k, const struct weir_event *ev)
{
    struct waiting *w = add(k);

    *w = (struct waiting){
        .time = k->latest, .flow = weir_flow_id(ev->flow), .copied = k->copied, .is_end = true
    };
    k->next++;
}

static weir_fut
on_event(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);

    (void)ctx;
    if (ev->type == WEIR_EV_PACKET)
        add_packet(ev->app, ev);
    else
        add_end(ev->app, ev);
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
    return weir_monitor_add(
        m,
        &(struct weir_app){ .name = "keep", .spec = &spec, .no_flow_packets = true, .arg = keep });
}

void
keep_mark(struct keep *keep, const struct weir_event *ev, const char *comment)
{
    struct note *note;

    if (ev->flow != NULL)
        set_mark(keep, weir_flow_id(ev->flow));
    if (ev->number == 0 || (ev->flow != NULL && comment == NULL))
        return;
    if (keep->next_note - keep->first_note == KEEP_NOTES) {
        keep->stats.notes_lost++;
        return;
    }
    note = &keep->note[keep->next_note++ % KEEP_NOTES];
    note->number = ev->number;
    note->has_text = comment != NULL;
    snprintf(note->text, sizeof(note->text), "%s", comment != NULL ? comment : "");
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
