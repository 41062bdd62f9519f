#include "script.h"

#include "items.h"
#include "wrap.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_START = 1704164645 }; /* 2024-01-02T03:04:05Z */

/* ---- errors and numbers -------------------------------------------------------------------- */

int
script_fail(struct script *s, const char *format, ...)
{
    char text[300];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return weir_err_set(s->err, WEIR_E_SYNTAX, "%s:%u: %s", s->name, s->line_number, text);
}

int
script_expected(struct script *s, const char *what, const struct word *word)
{
    char shown[40];
    size_t n;

    if (word == NULL)
        return script_fail(s, "%s is expected at the end of the line", what);
    n = word->n < sizeof(shown) - 1 ? word->n : sizeof(shown) - 1;
    for (size_t i = 0; i < n; i++)
        shown[i] = word->p[i] >= ' ' && word->p[i] < 0x7f ? word->p[i] : '?';
    shown[n] = '\0';
    return script_fail(s, "%s is expected, not '%s'", what, shown);
}

int
script_number(struct script *s, const char *what, int64_t min, int64_t max, int64_t *out)
{
    const struct word *word = words_take(&s->words);
    char text[120];

    if (word != NULL && word_number(word, out) && *out >= min && *out <= max)
        return WEIR_E_OK;
    snprintf(text, sizeof(text), "%s, %lld to %lld,", what, (long long)min, (long long)max);
    return script_expected(s, text, word);
}

static int
expect_end(struct script *s)
{
    const struct word *word = words_peek(&s->words);

    return word == NULL ? WEIR_E_OK : script_expected(s, "the end of the line", word);
}

/* ---- flows --------------------------------------------------------------------------------- */

static bool
is_name(const struct word *word)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char others[] = "0123456789-_";

    if (word == NULL || word->quoted || word->n == 0 || word_is(word, "frame"))
        return false;
    for (size_t i = 0; i < word->n; i++)
        if (memchr(letters, word->p[i], sizeof(letters) - 1) == NULL &&
            (i == 0 || memchr(others, word->p[i], sizeof(others) - 1) == NULL))
            return false;
    return true;
}

struct flow *
script_flow(struct script *s, const struct word *name)
{
    for (size_t i = s->n_flows; i > 0; i--) {
        struct flow *flow = &s->flows[i - 1];

        if (flow->name.n == name->n && name->n > 0 && memcmp(flow->name.p, name->p, name->n) == 0)
            return flow;
    }
    return NULL;
}

static struct flow *
add_flow(struct script *s)
{
    if (s->n_flows == s->room) {
        size_t room = s->room * 2 + 8;
        struct flow *more = realloc(s->flows, room * sizeof(*more));

        if (more == NULL)
            return NULL;
        s->flows = more;
        s->room = room;
    }
    memset(&s->flows[s->n_flows], 0, sizeof(*s->flows));
    return &s->flows[s->n_flows++];
}

static uint8_t
proto_of(const struct word *word)
{
    if (word_is(word, "udp"))
        return PROTO_UDP;
    if (word_is(word, "icmp"))
        return PROTO_ICMP;
    return word_is(word, "tcp") ? PROTO_TCP : 0;
}

/* The length of the address in "1.2.3.4:80", "[::1]:80", "1.2.3.4" or "::1"; with its bracket. */
static size_t
addr_length(const struct word *word)
{
    const char *bracket = memchr(word->p, ']', word->n), *colon = memchr(word->p, ':', word->n);

    if (word->p[0] == '[' && bracket != NULL)
        return (size_t)(bracket - word->p) + 1;
    if (colon != NULL && memchr(word->p, '.', word->n) != NULL && word->p[0] != ':')
        return (size_t)(colon - word->p);
    return word->n;
}

/* Returns the IP version, or 0. */
static uint8_t
read_addr(const char *p, size_t n, uint8_t out[16])
{
    char text[INET6_ADDRSTRLEN];

    if (n >= 2 && p[0] == '[') {
        p++;
        n -= 2;
    }
    if (n >= sizeof(text))
        return 0;
    memcpy(text, p, n);
    text[n] = '\0';
    if (inet_pton(AF_INET, text, out) == 1)
        return 4;
    return inet_pton(AF_INET6, text, out) == 1 ? 6 : 0;
}

/* Behind the address: ":PORT", or nothing for ICMP. */
static bool
read_port(const struct word *word, size_t at, bool wanted, uint16_t *out)
{
    struct word port = { word->p + at + 1, word->n - at - 1, false };
    int64_t value;

    if (!wanted)
        return at == word->n;
    if (word->n - at < 2 || word->p[at] != ':' || !word_number(&port, &value) || value < 0 ||
        value > UINT16_MAX)
        return false;
    *out = (uint16_t)value;
    return true;
}

static int
read_end(struct script *s, struct flow *flow, struct packet_end *out)
{
    const struct word *word = words_take(&s->words);
    bool ports = flow->proto != PROTO_ICMP;
    const char *what = ports ? "ADDRESS:PORT (IPv6: [ADDRESS]:PORT)" : "an address";
    uint8_t version;
    size_t n;

    if (word == NULL || word->quoted || word->n == 0)
        return script_expected(s, what, word);
    n = addr_length(word);
    version = read_addr(word->p, n, out->addr);
    if (version == 0 || !read_port(word, n, ports, &out->port))
        return script_expected(s, what, word);
    if (flow->version != 0 && flow->version != version)
        return script_fail(s, "both addresses have to be of one IP version");
    flow->version = version;
    return WEIR_E_OK;
}

static int
read_vlan(struct script *s, struct flow *flow)
{
    int64_t id = 0;
    int rc = script_number(s, "vlan: an id", 0, 4095, &id);

    if (rc != WEIR_E_OK)
        return rc;
    if (flow->n_vlan == PACKET_VLANS)
        return script_fail(s, "a flow has at most %d vlan tags", PACKET_VLANS);
    flow->vlan[flow->n_vlan++] = (uint16_t)id;
    return WEIR_E_OK;
}

/* What a flow's packets are so far: IP packets; or MPLS or PPPoE, which only frames can carry. */
static bool
is_ip(const struct flow *flow)
{
    return flow->n_tunnel == 0 || flow->tunnel[flow->n_tunnel - 1].ip_version != 0;
}

static const struct wrap_form *
tunnel_form(const struct word *word)
{
    for (size_t i = 0; wrap_form(i) != NULL; i++)
        if (word_is(word, wrap_form(i)->name))
            return wrap_form(i);
    return NULL;
}

/* Why this tunnel cannot be put around what the flow is so far; NULL: it can. */
static const char *
tunnel_fault(const struct flow *flow, const struct wrap_form *form)
{
    if (flow->n_vlan > 0 && !form->frames)
        return "a tunnel that carries no frames cannot stand behind vlan";
    if (!is_ip(flow) && !form->frames)
        return "a tunnel that carries IP packets only cannot stand behind mpls, pw or pppoe";
    if (form->kind == TUNNEL_TEREDO && (flow->n_tunnel > 0 || flow->version != 6))
        return "teredo carries IPv6, and has to be the first tunnel";
    return flow->n_tunnel == PACKET_TUNNELS ? "a flow has at most 4 tunnels" : NULL;
}

/* in TUNNEL [N], in6 TUNNEL [N]: the tags so far are those of the frame inside. */
static int
read_tunnel(struct script *s, struct flow *flow, uint8_t ip_version)
{
    const struct word *word = words_take(&s->words);
    const struct wrap_form *form = tunnel_form(word);
    struct packet_tunnel *t = &flow->tunnel[flow->n_tunnel];
    int64_t id = 0;
    int rc = WEIR_E_OK;

    static_assert(PACKET_TUNNELS == 4, "a text above says so");
    if (form == NULL)
        return script_expected(s, "a tunnel, as gre or vxlan N,", word);
    if (tunnel_fault(flow, form) != NULL)
        return script_fail(s, "%s", tunnel_fault(flow, form));
    if (form->id_max > 0)
        rc = script_number(s, form->name, form->kind == TUNNEL_ERSPAN, form->id_max, &id);
    if (rc != WEIR_E_OK)
        return rc;
    t->kind = form->kind;
    t->id = (uint32_t)id;
    t->ip_version = form->over_ip ? ip_version : 0;
    t->frames = form->frames;
    memcpy(t->vlan, flow->vlan, sizeof(t->vlan));
    t->n_vlan = flow->n_vlan;
    flow->n_vlan = 0;
    flow->n_tunnel++;
    return WEIR_E_OK;
}

/* The link has to be able to carry what the tunnels have made of the packets. */
static int
check_link(struct script *s, const struct flow *flow)
{
    if (flow->n_vlan > 0 && s->link != LINK_ETHERNET)
        return script_fail(s, "vlan needs link ethernet");
    if (!is_ip(flow) && (s->link == LINK_RAW || s->link == LINK_NULL))
        return script_fail(s, "mpls, pw and pppoe need link ethernet, sll or sll2");
    return WEIR_E_OK;
}

static int
read_isn(struct script *s, struct flow *flow)
{
    int64_t isn = 0;

    for (unsigned i = 0; i < 2; i++) {
        int rc = script_number(s, "isn: the client's and the server's SYN", 0, UINT32_MAX, &isn);

        if (rc != WEIR_E_OK)
            return rc;
        flow->side[i].isn = (uint32_t)isn;
    }
    return WEIR_E_OK;
}

static int
read_flow_items(struct script *s, struct flow *flow)
{
    int rc = WEIR_E_OK;

    while (rc == WEIR_E_OK && words_peek(&s->words) != NULL) {
        const struct word *word = words_take(&s->words);

        if (word_is(word, "vlan"))
            rc = read_vlan(s, flow);
        else if (word_is(word, "in") || word_is(word, "in6"))
            rc = read_tunnel(s, flow, word->n == 2 ? 4 : 6);
        else if (word_is(word, "isn") && flow->proto == PROTO_TCP)
            rc = read_isn(s, flow);
        else
            rc = script_expected(s, "vlan N, in TUNNEL, isn N N (tcp), or the end of the line",
                                 word);
    }
    return rc == WEIR_E_OK ? check_link(s, flow) : rc;
}

static int
read_ends(struct script *s, struct flow *flow)
{
    const struct word *arrow;
    int rc = read_end(s, flow, &flow->end[0]);

    if (rc != WEIR_E_OK)
        return rc;
    arrow = words_take(&s->words);
    if (!word_is(arrow, ">"))
        return script_expected(s, "'>' between client and server", arrow);
    return read_end(s, flow, &flow->end[1]);
}

/* flow [NAME] tcp|udp|icmp CLIENT > SERVER [vlan N]... [in TUNNEL]... [isn N N] */
static int
read_flow(struct script *s)
{
    struct flow *flow = add_flow(s);
    const struct word *word = words_take(&s->words);
    int rc;

    if (flow == NULL)
        return weir_err_set(s->err, WEIR_E_NOMEM, "%s: out of memory", s->name);
    flow->side[0].isn = 1000;
    flow->side[1].isn = 5000;
    if (proto_of(word) == 0) {
        if (!is_name(word))
            return script_expected(s, "a name, tcp, udp or icmp", word);
        flow->name = *word;
        word = words_take(&s->words);
    }
    flow->proto = proto_of(word);
    if (flow->proto == 0)
        return script_expected(s, "tcp, udp or icmp", word);
    rc = read_ends(s, flow);
    if (rc == WEIR_E_OK && flow->proto == PROTO_ICMP && flow->version == 6)
        flow->proto = PROTO_ICMPV6;
    return rc == WEIR_E_OK ? read_flow_items(s, flow) : rc;
}

/* ---- the other settings -------------------------------------------------------------------- */

static int
read_link(struct script *s)
{
    static const struct {
        const char *name;
        enum packet_link link;
    } links[] = {
        { "ethernet", LINK_ETHERNET }, { "raw", LINK_RAW },   { "sll", LINK_SLL },
        { "sll2", LINK_SLL2 },         { "null", LINK_NULL },
    };
    const struct word *word = words_take(&s->words);

    if (s->begun || s->n_flows > 0)
        return script_fail(s, "link has to stand before the first flow and packet");
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
        if (word_is(word, links[i].name)) {
            s->link = links[i].link;
            return expect_end(s);
        }
    return script_expected(s, "ethernet, raw, sll, sll2 or null", word);
}

static int
read_start(struct script *s)
{
    int64_t seconds = 0;
    int rc = script_number(s, "start: seconds since 1970", 0, UINT32_MAX, &seconds);

    if (rc != WEIR_E_OK)
        return rc;
    if (s->begun)
        return script_fail(s, "start has to stand before the first packet");
    s->start = seconds * 1000000;
    return expect_end(s);
}

/* ---- packets ------------------------------------------------------------------------------- */

/* "1.5" from the start, "+0.01" from the packet before. */
static int
read_time(struct script *s, const struct word *word)
{
    bool plus = word->n > 0 && word->p[0] == '+';
    int64_t micros;

    if (word->quoted || !word_time(word->p + plus, word->n - plus, &micros))
        return script_expected(s, "a time as 1.5 or +0.01, or flow, link or start", word);
    s->time = plus ? s->time + micros : micros;
    if ((s->start + s->time) / 1000000 > UINT32_MAX)
        return script_fail(s, "a time before the year 2106 is expected");
    return WEIR_E_OK;
}

static void
clear_line(struct script *s)
{
    struct line *line = &s->line;
    struct packet *pkt = &line->pkt;

    memset(line, 0, offsetof(struct line, pkt.data));
    line->flow = NULL;
    line->seq = line->ack = line->cut = PACKET_ABSENT;
    line->flags_given = line->lost = line->unseen = line->injected = false;
    pkt->link = s->link;
    pkt->ttl = pkt->ihl = pkt->iplen = pkt->win = pkt->urg = pkt->doff = PACKET_ABSENT;
    pkt->udplen = pkt->type = pkt->code = pkt->rest = PACKET_ABSENT;
    pkt->frag_id = pkt->frag_more = PACKET_ABSENT;
}

static void
address_packet(struct line *line, struct flow *flow, bool from_client)
{
    struct packet *pkt = &line->pkt;

    line->flow = flow;
    pkt->from_client = from_client;
    pkt->proto = flow->proto;
    pkt->version = flow->version;
    pkt->src = flow->end[!from_client];
    pkt->dst = flow->end[from_client];
    memcpy(pkt->vlan, flow->vlan, sizeof(pkt->vlan));
    pkt->n_vlan = flow->n_vlan;
    memcpy(pkt->tunnel, flow->tunnel, sizeof(pkt->tunnel));
    pkt->n_tunnel = flow->n_tunnel;
}

/* [NAME] > or <. Without a name: the flow that was begun last. */
static int
read_direction(struct script *s)
{
    const struct word *word = words_take(&s->words);
    struct flow *flow = s->n_flows > 0 ? &s->flows[s->n_flows - 1] : NULL;

    if (is_name(word)) {
        flow = script_flow(s, word);
        if (flow == NULL)
            return script_expected(s, "the name of a flow", word);
        word = words_take(&s->words);
    }
    if (!word_is(word, ">") && !word_is(word, "<"))
        return script_expected(s, "'>' (from the client) or '<'", word);
    if (flow == NULL)
        return script_fail(s, "a flow is expected before the first packet");
    address_packet(&s->line, flow, word->p[0] == '>');
    return WEIR_E_OK;
}

/* Fill in the numbers that the line leaves out, and keep both sides' books. */
static int
number_segment(struct script *s)
{
    struct line *line = &s->line;
    struct packet *pkt = &line->pkt;
    struct conv_side *side = &line->flow->side[!pkt->from_client];
    const struct conv_side *peer = &line->flow->side[pkt->from_client];
    bool syn;
    int64_t from, to;

    if (!line->flags_given)
        pkt->flags |= FLAG_ACK;
    syn = pkt->flags & FLAG_SYN;
    if (line->seq == PACKET_ABSENT)
        line->seq = syn ? -1 : side->next;
    pkt->seq = conv_seq(side, line->seq);
    if (line->ack != PACKET_ABSENT || pkt->flags & FLAG_ACK)
        pkt->ack = conv_seq(peer, line->ack != PACKET_ABSENT ? line->ack : peer->got);
    from = line->seq + syn;
    to = from + (int64_t)pkt->n + (pkt->flags & FLAG_FIN ? 1 : 0);
    if (!line->injected)
        conv_sent(side, from, to);
    if (!line->injected && !line->lost && !conv_received(side, from, to))
        return script_fail(s, "more than %d holes in one direction", CONV_ISLANDS - 1);
    return WEIR_E_OK;
}

/* Keep what an ICMP error would show of this packet: the IP header and eight bytes. */
static void
keep_quote(struct flow *flow, const struct frame *frame)
{
    size_t n = frame->n - frame->ip, most = (flow->version == 4 ? 20U : 40U) + 8;

    static_assert(PACKET_QUOTE >= 48, "an IPv6 header and eight bytes do not fit");
    flow->n_quote = n < most ? n : most;
    memcpy(flow->quote, frame->data + frame->ip, flow->n_quote);
}

static int
finish_packet(struct script *s, struct script_frame *out)
{
    struct line *line = &s->line;
    int rc = WEIR_E_OK;

    if (line->flow != NULL && line->pkt.proto == PROTO_TCP)
        rc = number_segment(s);
    if (rc != WEIR_E_OK)
        return rc;
    if (line->pkt.frag_id != PACKET_ABSENT &&
        line->pkt.frag_from + line->pkt.frag_n > (int64_t)packet_size(&line->pkt))
        return script_fail(s, "frag: the packet has only %zu bytes behind the IP header",
                           packet_size(&line->pkt));
    packet_build(&line->pkt, &out->frame);
    if (line->flow != NULL)
        keep_quote(line->flow, &out->frame);
    out->micros = (uint64_t)(s->start + s->time);
    out->caplen = out->frame.n;
    if (line->cut != PACKET_ABSENT && (uint64_t)line->cut < out->caplen)
        out->caplen = (size_t)line->cut;
    s->begun = true;
    return line->unseen ? 0 : 1;
}

/* Returns 1 with a frame, 0 where it is not seen, or an error. */
static int
read_packet(struct script *s, const struct word *time, struct script_frame *out)
{
    int rc = read_time(s, time);

    if (rc != WEIR_E_OK)
        return rc;
    clear_line(s);
    if (word_is(words_peek(&s->words), "frame")) {
        words_take(&s->words);
        rc = items_read_bytes(s);
    } else {
        rc = read_direction(s);
        rc = rc == WEIR_E_OK ? items_read(s) : rc;
    }
    return rc == WEIR_E_OK ? finish_packet(s, out) : rc;
}

/* ---- lines --------------------------------------------------------------------------------- */

static int
read_line(struct script *s, struct script_frame *out)
{
    const struct word *word = words_take(&s->words);

    if (word == NULL)
        return 0;
    if (word_is(word, "flow"))
        return read_flow(s);
    if (word_is(word, "link"))
        return read_link(s);
    if (word_is(word, "start"))
        return read_start(s);
    return read_packet(s, word, out);
}

/* Cut the next line into words; false at the end of the text. */
static bool
split_line(struct script *s, const char **why)
{
    const char *from = s->next, *to;

    if (from == s->end)
        return false;
    to = memchr(from, '\n', (size_t)(s->end - from));
    s->next = to != NULL ? to + 1 : s->end;
    s->line_number++;
    *why = words_split(&s->words, from, (size_t)((to != NULL ? to : s->end) - from));
    return true;
}

void
script_begin(struct script *s, const char *name, const char *text, size_t n)
{
    memset(s, 0, sizeof(*s));
    s->name = name;
    s->next = text;
    s->end = text + n;
    s->link = LINK_ETHERNET;
    s->start = DEFAULT_START * INT64_C(1000000);
}

int
script_next(struct script *s, struct script_frame *out, struct weir_errbuf *err)
{
    const char *why = NULL;
    int rc = 0;

    s->err = err;
    while (rc == 0 && split_line(s, &why))
        rc = why != NULL ? script_fail(s, "%s", why) : read_line(s, out);
    return rc;
}

void
script_end(struct script *s)
{
    free(s->flows);
    s->flows = NULL;
}
