/* Records of alerts. */
#include "enforce.h"
#include "out/eve_out.h"
#include "out/eve_tx.h"

#include <weir/flow.h>

#include <stdio.h>
#include <string.h>

/* ---- the rule ------------------------------------------------------------------------------ */

/* Whether a key stands before i already: its values go together. */
static bool
came_before(const struct rule *rule, unsigned i)
{
    for (unsigned k = 0; k < i; k++)
        if (strcmp(rule->metadata[k].key, rule->metadata[i].key) == 0)
            return true;
    return false;
}

static void
put_rule_metadata(struct json *j, const struct rule *rule)
{
    if (rule->n_metadata == 0)
        return;
    json_open(j, "metadata");
    for (unsigned i = 0; i < rule->n_metadata; i++) {
        const char *key = rule->metadata[i].key;

        if (came_before(rule, i))
            continue;
        json_open_array_text(j, key);
        for (unsigned k = i; k < rule->n_metadata; k++)
            if (strcmp(rule->metadata[k].key, key) == 0)
                json_text(j, NULL, rule->metadata[k].value, strlen(rule->metadata[k].value));
        json_close(j);
    }
    json_close(j);
}

static void
put_references(struct json *j, const struct rule *rule)
{
    char text[512];

    if (rule->n_reference == 0)
        return;
    json_open_array(j, "references");
    for (unsigned i = 0; i < rule->n_reference; i++) {
        snprintf(text, sizeof(text), "%s,%s", rule->reference[i].key, rule->reference[i].value);
        json_text(j, NULL, text, strlen(text));
    }
    json_close(j);
}

static void
put_end(struct json *j, const char *key, const struct eve_ends *ends, unsigned i)
{
    char text[ADDR_TEXT];

    json_open(j, key);
    addr_text_whole(&ends->addr[i], ends->ip_version, text);
    json_str(j, "ip", text);
    if (ends->proto == WEIR_PROTO_TCP || ends->proto == WEIR_PROTO_UDP)
        json_u64(j, "port", ends->port[i]);
    json_close(j);
}

/* Who attacked whom, where the rule says which end is the target. */
static void
put_target(struct json *j, const struct weir_event *ev, uint8_t target)
{
    unsigned hit = target == EVE_TARGET_DEST;
    struct eve_ends ends;

    eve_ends(ev, &ends);
    if (target == EVE_TARGET_NONE || ends.ip_version == 0)
        return;
    put_end(j, "source", &ends, 1 - hit);
    put_end(j, "target", &ends, hit);
}

void
eve_put_alert(const struct eve_out *eve, struct json *j, const struct rule *rule,
              const struct weir_event *ev, const struct eve_about *about)
{
    json_open(j, "alert");
    json_str(j, "action", about->action != NULL ? about->action : "allowed");
    json_u64(j, "gid", rule->gid);
    json_u64(j, "signature_id", rule->sid);
    json_u64(j, "rev", rule->rev);
    json_text(j, "signature", rule->msg, strlen(rule->msg));
    json_str(j, "category", rule->class != NULL ? rule->class->text : "");
    json_u64(j, "severity", rule->priority);
    put_target(j, ev, about->target);
    if (eve->opts.rule_reference)
        put_references(j, rule);
    if (eve->opts.rule_metadata)
        put_rule_metadata(j, rule);
    eve_put_captured(j, about);
    if (eve->opts.rule_raw && rule->text != NULL)
        json_text(j, "rule", rule->text, strlen(rule->text));
    json_close(j);
}

/* ---- bytes --------------------------------------------------------------------------------- */

/* Bytes of a stream, gathered. */
struct gathered {
    const struct weir_event *ev;
    enum weir_dir dir;
    int64_t fresh; /* from here on bytes are the event's own */
    struct eve_bytes *to;
};

/* What is still there of [from, to). */
static void
gather(struct gathered *g, int64_t from, int64_t to)
{
    struct eve_bytes *b = g->to;
    int64_t old = to < g->fresh ? to : g->fresh;

    if (from < old)
        b->n += weir_flow_read(g->ev->flow, g->dir, from, b->p + b->n, (size_t)(old - from));
    if (to > g->fresh) {
        int64_t skip = from > g->fresh ? from - g->fresh : 0, n = to - g->fresh - skip;

        if (n <= 0)
            return;
        memcpy(b->p + b->n, g->ev->payload.data.p + skip, (size_t)n);
        b->n += (size_t)n;
    }
}

static void
tell_hole(struct eve_bytes *b, uint32_t n)
{
    b->hole_at = b->n;
    b->hole_n = (size_t)snprintf((char *)b->p + b->n, EVE_HOLE_TEXT, "[%u bytes missing]", n);
    b->n += b->hole_n;
}

/* The newest bytes of the direction's stream, as many as asked for; a hole is told in words. */
static void
gather_stream(const struct eve_out *eve, const struct eve_flow *flow, const struct weir_event *ev,
              struct eve_bytes *to)
{
    enum weir_dir dir = (enum weir_dir)ev->direction;
    bool own = ev->type == WEIR_EV_PAYLOAD;
    int64_t end = own ? ev->payload.offset + ev->payload.data.n
                      : weir_flow_next_offset(ev->flow, dir);
    struct gathered g = { .ev = ev, .dir = dir, .fresh = own ? ev->payload.offset : end, .to = to };
    int64_t from = end - (int64_t)eve->opts.payload_buffer_size, gap = flow->gap_at[dir];
    int64_t behind = gap + flow->gap_n[dir];

    from = from > 0 ? from : 0;
    to->end = end;
    to->own = own ? ev->payload.data.n : 0;
    if (flow->gap_n[dir] == 0 || gap < from || behind > end) {
        gather(&g, from > behind || flow->gap_n[dir] == 0 || gap >= end ? from : behind, end);
        return;
    }
    gather(&g, from, gap);
    tell_hole(to, flow->gap_n[dir]);
    gather(&g, behind, end);
}

/* Of n bytes behind what was gathered, those that follow. */
static void
gather_more(const struct weir_event *ev, struct eve_bytes *b, int64_t n)
{
    enum weir_dir dir = (enum weir_dir)ev->direction;

    if (n > 0)
        b->n += weir_flow_read(ev->flow, dir, b->end, b->p + b->n, (size_t)n);
    b->end += n > 0 ? n : 0;
}

static int64_t
least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Bytes of the stream at the front go, and the words of a hole behind them. */
static void
drop_front(struct eve_bytes *b, size_t n)
{
    if (b->hole_n > 0 && n > b->hole_at)
        n += b->hole_n;
    memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}

/*
 * What the packet released behind the event, too, and what still fits of what came before; none of
 * the event's own bytes gives way.
 */
static void
go_on(const struct eve_out *eve, const struct eve_flow *flow, const struct weir_event *ev,
      struct eve_bytes *b)
{
    enum weir_dir dir = (enum weir_dir)ev->direction;
    const int64_t end = weir_flow_next_offset(ev->flow, dir), size = eve->opts.payload_buffer_size;
    const int64_t gap = flow->gap_at[dir], behind = gap + flow->gap_n[dir];
    const bool hole = flow->gap_n[dir] > 0 && gap >= b->end && behind <= end;
    const struct eve_bytes before = *b;
    int64_t room = size - least(size, b->own);
    size_t text = before.hole_n, bytes;

    if (end <= b->end || room == 0)
        return;
    gather_more(ev, b, least(room, (hole ? gap : end) - b->end));
    if (hole && b->end == gap) {
        room -= gap - before.end;
        tell_hole(b, flow->gap_n[dir]);
        text += b->hole_n;
        b->end = behind;
        gather_more(ev, b, least(room, end - behind));
    }
    b->hole_at = before.hole_at;
    b->hole_n = before.hole_n;
    bytes = b->n - text;
    if (bytes > (size_t)size)
        drop_front(b, bytes - (size_t)size);
}

void
eve_put_printable(struct json *j, const uint8_t *p, size_t n)
{
    out_char(j->out, '"');
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\n' || p[i] == '\r') {
            out_bytes(j->out, p[i] == '\n' ? "\\n" : "\\r", 2);
            continue;
        }
        if (p[i] == '"' || p[i] == '\\')
            out_char(j->out, '\\');
        out_char(j->out, p[i] >= 0x20 && p[i] < 0x7f ? (char)p[i] : '.');
    }
    out_char(j->out, '"');
}

/* Rules with contents of a stream are told of with events of the stream. */
static bool
is_of_stream(const struct rule *rule, const struct weir_event *ev, const struct eve_about *about)
{
    if (ev->flow == NULL || weir_flow_proto(ev->flow) != WEIR_PROTO_TCP)
        return false;
    return about->tx != NULL || ev->packet == NULL ||
           (rule->n_steps > 0 && ev->type != WEIR_EV_PACKET);
}

static bool
shows_payload(const struct eve_out *eve)
{
    return eve->opts.payload || eve->opts.payload_printable;
}

/* bytes: of the stream; NULL: the packet's payload. */
static void
put_payload(struct eve_out *eve, struct json *j, const struct weir_event *ev,
            const struct eve_bytes *bytes)
{
    const struct weir_packet *pkt = ev->packet;
    const uint8_t *p = NULL;
    size_t n = 0;

    if (!shows_payload(eve))
        return;
    if (bytes != NULL) {
        p = bytes->p;
        n = bytes->n;
    } else if (pkt != NULL && pkt->payload != NULL) {
        p = pkt->payload;
        n = pkt->payload_len < PAYLOAD_BUFFER_MAX ? pkt->payload_len : PAYLOAD_BUFFER_MAX;
    }
    if (n > 0 && eve->opts.payload)
        json_base64(j, "payload", p, n);
    if (n > 0 && eve->opts.payload_printable) {
        json_key(j, "payload_printable");
        eve_put_printable(j, p, n);
    }
    json_u64(j, "stream", bytes != NULL);
}

/*
 * Link types by what libpcap calls them; the number of LINKTYPE_RAW is what it says of such files.
 */
static const char *
link_name(unsigned link)
{
    static const struct {
        unsigned link;
        const char *name;
    } names[] = {
        { 0, "NULL" },   { 1, "EN10MB" },      { 9, "PPP" },
        { 12, "RAW" },   { 50, "PPP_SERIAL" }, { 51, "PPP_ETHER" },
        { 101, "RAW" },  { 104, "C_HDLC" },    { 105, "IEEE802_11" },
        { 108, "LOOP" }, { 113, "LINUX_SLL" }, { 127, "IEEE802_11_RADIO" },
        { 228, "IPv4" }, { 229, "IPv6" },      { 276, "LINUX_SLL2" },
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (names[i].link == link)
            return names[i].name;
    return NULL;
}

void
eve_put_packet(struct json *j, const struct weir_packet *pkt)
{
    const char *name;

    if (pkt == NULL || pkt->caplen == 0 || pkt->caplen > OUT_RECORD_MAX / 4)
        return;
    name = link_name(pkt->link);
    json_base64(j, "packet", pkt->frame, pkt->caplen);
    json_open(j, "packet_info");
    json_u64(j, "linktype", pkt->link);
    if (name != NULL)
        json_str(j, "linktype_name", name);
    json_close(j);
}

/* ---- the record ---------------------------------------------------------------------------- */

static void
put_tuple(struct json *j, const struct weir_flow *flow)
{
    struct weir_tuple tuple;
    char text[ADDR_TEXT];

    weir_flow_tuple(flow, &tuple);
    addr_text_whole(&tuple.addr[0], tuple.ip_version, text);
    json_str(j, "src_ip", text);
    addr_text_whole(&tuple.addr[1], tuple.ip_version, text);
    json_str(j, "dest_ip", text);
    if (tuple.proto == WEIR_PROTO_TCP || tuple.proto == WEIR_PROTO_UDP) {
        json_u64(j, "src_port", tuple.port[0]);
        json_u64(j, "dest_port", tuple.port[1]);
    }
}

static void
put_flow(struct json *j, const struct weir_flow *flow)
{
    json_open(j, "flow");
    eve_put_counts(j, flow);
    eve_put_time(j, "start", weir_flow_start_time(flow));
    put_tuple(j, flow);
    json_close(j);
}

static const char *
reject_target(uint8_t action)
{
    if (action == ACTION_REJECT_DST)
        return "to_server";
    return action == ACTION_REJECT_BOTH || action == ACTION_REACT ? "both" : "to_client";
}

/* An alert of a flow may come when no packet is at hand. */
static bool
is_of_tcp(const struct weir_event *ev)
{
    struct weir_tuple tuple = { .proto = 0 };

    if (ev->packet != NULL)
        return ev->packet->proto == WEIR_PROTO_TCP;
    if (ev->has_flow)
        weir_flow_tuple(ev->flow, &tuple);
    return tuple.proto == WEIR_PROTO_TCP;
}

/* As Suricata: the target is named by the action, whoever sent the packet. */
static void
put_reject(struct json *j, const struct weir_event *ev, uint8_t action)
{
    const char *how = is_of_tcp(ev) ? "tcp-reset" : "icmp-prohib";

    json_str(j, "reject-target", reject_target(action));
    json_open_array(j, "reject");
    json_text(j, NULL, how, strlen(how));
    json_close(j);
}

void
eve_put_verdict(struct json *j, const struct weir_event *ev, const struct enforced *done)
{
    const bool dropped = done != NULL && enforced_on(done, ev);

    json_open(j, "verdict");
    json_str(j, "action", dropped ? "drop" : "alert");
    if (dropped && done->reject != 0)
        put_reject(j, ev, done->reject);
    json_close(j);
}

static bool
shows_tx(const struct eve_opts *opts, unsigned proto)
{
    switch (proto) {
    case APP_HTTP:
        return opts->app_layer && opts->alert_http;
    case APP_DNS:
        return opts->app_layer && opts->alert_dns;
    case APP_TLS:
        return opts->app_layer && opts->alert_tls;
    case APP_SSH:
        return opts->app_layer && opts->alert_ssh;
    default:
        return false;
    }
}

/* Behind the verdict. */
static void
put_rest(struct eve_out *eve, struct json *j, const struct weir_event *ev,
         const struct eve_about *about)
{
    if (about->tx != NULL && shows_tx(&eve->opts, about->tx->proto))
        eve_put_tx(eve, j, about->tx, (enum weir_dir)ev->direction);
    eve_put_context(eve, j, ev, about);
    if (ev->flow != NULL && eve->opts.alert_flow)
        put_flow(j, ev->flow);
}

static void
put_data(struct eve_out *eve, struct json *j, const struct weir_event *ev,
         const struct eve_bytes *bytes)
{
    put_payload(eve, j, ev, bytes);
    if (eve->opts.packet)
        eve_put_packet(j, ev->packet);
}

void
eve_alert(struct eve_out *eve, const struct eve_flow *flow, const struct rule *rule,
          const struct weir_event *ev, const struct eve_about *about)
{
    const bool stream = is_of_stream(rule, ev, about);
    struct eve_bytes bytes = { .p = eve->payload };
    struct json j;

    if (!eve_writes(&eve->opts, EVE_ALERT))
        return;
    if (stream && shows_payload(eve))
        gather_stream(eve, flow, ev, &bytes);
    eve_out_begin(eve, &j, EVE_ALERT, EVE_OF_PACKET, flow, ev, about);
    eve_put_alert(eve, &j, rule, ev, about);
    if (eve->opts.verdict)
        eve_put_verdict(&j, ev, about->done);
    put_rest(eve, &j, ev, about);
    put_data(eve, &j, ev, stream ? &bytes : NULL);
    json_end(&j);
}

/* ---- in two steps -------------------------------------------------------------------------- */

/* A record that goes on behind a member of its own. */
static struct json
going_on(struct out *out)
{
    return (struct json){ .out = out, .comma = true, .depth = 1, .closing = { '}' } };
}

/* What is known now; room: for text. */
static void
put_draft(struct eve_out *eve, struct eve_draft *draft, struct out *room)
{
    struct out *out = eve->out;
    struct json j;

    eve->out = room;
    eve_out_begin(eve, &j, EVE_ALERT, EVE_OF_PACKET, draft->flow, &draft->ev, &draft->about);
    eve_put_alert(eve, &j, draft->rule, &draft->ev, &draft->about);
    draft->head = room->n;
    put_rest(eve, &j, &draft->ev, &draft->about);
    eve->out = out;
    eve->count.written[EVE_ALERT]--;
}

bool
eve_alert_begin(struct eve_out *eve, const struct eve_flow *flow, const struct rule *rule,
                const struct weir_event *ev, const struct eve_about *about, struct eve_room room,
                struct eve_draft *draft)
{
    const size_t bytes = eve->opts.payload_buffer_size + EVE_HOLE_TEXT;
    struct out text;

    *draft = (struct eve_draft){
        .flow = flow, .rule = rule, .ev = *ev, .about = *about, .text = room.p
    };
    draft->bytes.p = room.p;
    if (!eve_writes(&eve->opts, EVE_ALERT))
        return true;
    draft->stream = is_of_stream(rule, ev, about);
    out_open_room(&text, room.p, room.n);
    put_draft(eve, draft, &text);
    draft->too_long = text.too_long || room.n - text.n < bytes;
    if (draft->too_long)
        return false;
    draft->n = text.n;
    draft->bytes.p = room.p + text.n;
    if (draft->stream && shows_payload(eve))
        gather_stream(eve, flow, ev, &draft->bytes);
    return true;
}

void
eve_alert_end(struct eve_out *eve, const struct eve_draft *draft)
{
    struct eve_bytes bytes = draft->bytes;
    struct json j = going_on(eve->out);

    if (!eve_writes(&eve->opts, EVE_ALERT))
        return;
    if (draft->too_long) {
        eve->out->too_long = true;
        out_end_record(eve->out);
        return;
    }
    if (draft->stream && shows_payload(eve)) {
        bytes.p = eve->payload;
        memcpy(bytes.p, draft->bytes.p, bytes.n);
        go_on(eve, draft->flow, &draft->ev, &bytes);
    }
    eve->count.written[EVE_ALERT]++;
    out_bytes(eve->out, draft->text, draft->head);
    if (eve->opts.verdict)
        eve_put_verdict(&j, &draft->ev, draft->about.done);
    out_bytes(eve->out, draft->text + draft->head, draft->n - draft->head);
    put_data(eve, &j, &draft->ev, draft->stream ? &bytes : NULL);
    json_end(&j);
}
