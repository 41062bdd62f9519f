#include "items.h"

#include <string.h>

enum { TCP = 1, UDP = 2, ICMP = 4, ANY = TCP | UDP | ICMP };

struct item {
    const char *name;
    unsigned of; /* protocols that know it */
    int (*read)(struct script *script, const struct item *item);
    int64_t min, max; /* of a number */
    size_t at;        /* of the number in struct line; of what else read() needs */
};

/* ---- bytes --------------------------------------------------------------------------------- */

static int
read_word_bytes(struct script *s, const struct word *word, uint8_t *out, size_t room, size_t *n)
{
    const char *why;

    if (word_is(word, "hex")) {
        word = words_take(&s->words);
        if (word == NULL || !word->quoted)
            return script_expected(s, "hex \"41 42\"", word);
        why = word_hex(word, out, room, n);
    } else {
        why = word_text(word, out, room, n);
    }
    return why == NULL ? WEIR_E_OK : script_fail(s, "%s", why);
}

static bool
begins_bytes(const struct word *word)
{
    return word != NULL && (word->quoted || word_is(word, "hex") || word_is(word, "fill"));
}

/* fill N BYTES: the bytes again and again, N in all. */
static int
read_fill(struct script *s, uint8_t *out, size_t room, size_t *n)
{
    const struct word *word;
    int64_t all = 0;
    size_t period = 0;
    int rc = script_number(s, "fill: a number of bytes", 0, (int64_t)room, &all);

    if (rc != WEIR_E_OK)
        return rc;
    word = words_take(&s->words);
    if (!begins_bytes(word) || word_is(word, "fill"))
        return script_expected(s, "fill N \"text\" or fill N hex \"41 42\"", word);
    rc = read_word_bytes(s, word, out, room, &period);
    if (rc == WEIR_E_OK && period == 0)
        return script_fail(s, "fill: at least one byte is expected to fill with");
    *n = (size_t)all;
    for (size_t i = period; rc == WEIR_E_OK && i < *n; i++)
        out[i] = out[i - period];
    return rc;
}

/* "text", hex "41 42", fill N ... */
static int
read_bytes(struct script *s, uint8_t *out, size_t room, size_t *n)
{
    const struct word *word = words_take(&s->words);

    if (!begins_bytes(word))
        return script_expected(s, "\"text\", hex or fill", word);
    if (word_is(word, "fill"))
        return read_fill(s, out, room, n);
    return read_word_bytes(s, word, out, room, n);
}

static int
add_bytes(struct script *s)
{
    struct packet *pkt = &s->line.pkt;
    size_t n = 0;
    int rc = read_bytes(s, pkt->data + pkt->n, PACKET_DATA_MAX - pkt->n, &n);

    pkt->n += rc == WEIR_E_OK ? n : 0;
    return rc;
}

int
items_read_bytes(struct script *s)
{
    int rc = WEIR_E_OK;

    while (rc == WEIR_E_OK && words_peek(&s->words) != NULL)
        rc = add_bytes(s);
    return rc;
}

/* ---- numbers, flags, marks ----------------------------------------------------------------- */

static int
read_number(struct script *s, const struct item *item)
{
    int64_t value;
    int rc = script_number(s, item->name, item->min, item->max, &value);

    if (rc == WEIR_E_OK)
        memcpy((uint8_t *)&s->line + item->at, &value, sizeof(value));
    return rc;
}

static int
read_flag(struct script *s, const struct item *item)
{
    s->line.pkt.flags |= (uint8_t)item->at;
    s->line.flags_given = true;
    return WEIR_E_OK;
}

static int
read_urg(struct script *s, const struct item *item)
{
    s->line.pkt.flags |= FLAG_URG;
    return read_number(s, item);
}

static int
read_mark(struct script *s, const struct item *item)
{
    *((bool *)&s->line + item->at) = true;
    return WEIR_E_OK;
}

/* badsum ip, badsum tcp, ...: what is wrong has a name, so that a reader sees it. */
static int
read_badsum(struct script *s, const struct item *item)
{
    const struct word *word = words_take(&s->words);
    struct packet *pkt = &s->line.pkt;
    const char *own = pkt->proto == PROTO_TCP ? "tcp" : pkt->proto == PROTO_UDP ? "udp" : "icmp";

    (void)item;
    if (word_is(word, own))
        pkt->bad_sum = true;
    else if (word_is(word, "ip") && pkt->version == 4)
        pkt->bad_ip_sum = true;
    else
        return script_expected(s, "badsum: ip (version 4) or the flow's protocol", word);
    s->line.lost = true; /* nobody takes it */
    return WEIR_E_OK;
}

/* frag ID FROM N: of the packet's bytes behind the IP header these alone. */
static int
read_frag(struct script *s, const struct item *item)
{
    struct packet *pkt = &s->line.pkt;
    int rc = script_number(s, "frag: an identification", 0,
                           pkt->version == 4 ? UINT16_MAX : UINT32_MAX, &pkt->frag_id);

    (void)item;
    if (rc == WEIR_E_OK)
        rc = script_number(s, "frag: where it begins", 0, PACKET_FRAG, &pkt->frag_from);
    if (rc == WEIR_E_OK && pkt->frag_from % 8 != 0)
        return script_fail(s, "frag: a multiple of 8 is expected to begin at");
    if (rc == WEIR_E_OK)
        rc = script_number(s, "frag: a number of bytes", 0, PACKET_FRAG, &pkt->frag_n);
    return rc;
}

/* ---- TCP options --------------------------------------------------------------------------- */

static int
add_option(struct script *s, uint8_t kind, const uint8_t *body, size_t n)
{
    struct packet *pkt = &s->line.pkt;
    uint8_t *p = pkt->option + pkt->n_option;

    if (pkt->n_option + 2 + n > sizeof(pkt->option))
        return script_fail(s, "the options are longer than 40 bytes");
    p[0] = kind;
    p[1] = (uint8_t)(2 + n);
    if (n > 0)
        memcpy(p + 2, body, n);
    pkt->n_option += 2 + n;
    return WEIR_E_OK;
}

/* Append the next word, a number of that many bytes, to an option's body. */
static int
option_number(struct script *s, const char *what, size_t size, uint8_t *body, size_t *n)
{
    int64_t value = 0;
    int rc = script_number(s, what, 0, (INT64_C(1) << 8 * size) - 1, &value);

    for (size_t i = size; i > 0; i--)
        body[(*n)++] = (uint8_t)(value >> 8 * (i - 1));
    return rc;
}

/* mss and wscale; item->at: the kind; item->max: bytes of the number. */
static int
read_small_option(struct script *s, const struct item *item)
{
    uint8_t body[8];
    size_t n = 0;
    int rc = option_number(s, item->name, (size_t)item->max, body, &n);

    return rc == WEIR_E_OK ? add_option(s, (uint8_t)item->at, body, n) : rc;
}

static int
read_sackok(struct script *s, const struct item *item)
{
    (void)item;
    return add_option(s, 4, NULL, 0);
}

static int
read_ts(struct script *s, const struct item *item)
{
    uint8_t body[8];
    size_t n = 0;
    int rc = option_number(s, "ts: the sender's clock", 4, body, &n);

    (void)item;
    if (rc == WEIR_E_OK)
        rc = option_number(s, "ts: the clock that is echoed", 4, body, &n);
    return rc == WEIR_E_OK ? add_option(s, 8, body, n) : rc;
}

/* sack FROM TO: offsets in what the other side sends. */
static int
read_sack(struct script *s, const struct item *item)
{
    const struct conv_side *peer = &s->line.flow->side[s->line.pkt.from_client];
    uint8_t body[8];
    int64_t edge = 0;

    (void)item;
    for (size_t i = 0; i < 2; i++) {
        int rc = script_number(s, "sack: two offsets", 0, UINT32_MAX, &edge);

        if (rc != WEIR_E_OK)
            return rc;
        for (unsigned b = 0; b < 4; b++)
            body[i * 4 + b] = (uint8_t)(conv_seq(peer, edge) >> (24 - 8 * b));
    }
    return add_option(s, 5, body, sizeof(body));
}

static int
read_option(struct script *s, const struct item *item)
{
    int64_t kind = 0;
    uint8_t body[40];
    size_t n = 0;
    int rc = script_number(s, "option: its kind", 2, 255, &kind);

    (void)item;
    if (rc == WEIR_E_OK)
        rc = read_bytes(s, body, sizeof(body), &n);
    return rc == WEIR_E_OK ? add_option(s, (uint8_t)kind, body, n) : rc;
}

/* rawopt BYTES: bytes among the options as they are, for those that are broken. */
static int
read_rawopt(struct script *s, const struct item *item)
{
    struct packet *pkt = &s->line.pkt;
    size_t n = 0;
    int rc = read_bytes(s, pkt->option + pkt->n_option, sizeof(pkt->option) - pkt->n_option, &n);

    (void)item;
    pkt->n_option += rc == WEIR_E_OK ? n : 0;
    return rc;
}

static int
read_nop(struct script *s, const struct item *item)
{
    struct packet *pkt = &s->line.pkt;

    (void)item;
    if (pkt->n_option == sizeof(pkt->option))
        return script_fail(s, "the options are longer than 40 bytes");
    pkt->option[pkt->n_option++] = 1;
    return WEIR_E_OK;
}

/* ---- ICMP ---------------------------------------------------------------------------------- */

/* echo ID NUMBER: a request from the client, a reply from the server. */
static int
read_echo(struct script *s, const struct item *item)
{
    struct packet *pkt = &s->line.pkt;
    int64_t id = 0, number = 0;
    int rc = script_number(s, "echo: an identifier", 0, UINT16_MAX, &id);

    (void)item;
    if (rc == WEIR_E_OK)
        rc = script_number(s, "echo: a sequence number", 0, UINT16_MAX, &number);
    if (pkt->proto == PROTO_ICMP)
        pkt->type = pkt->from_client ? 8 : 0;
    else
        pkt->type = pkt->from_client ? 128 : 129;
    pkt->rest = id << 16 | number;
    return rc;
}

/* quote FLOW: the beginning of its last packet, as ICMP errors show it. */
static int
read_quote(struct script *s, const struct item *item)
{
    const struct word *name = words_take(&s->words);
    const struct flow *flow = name != NULL ? script_flow(s, name) : NULL;
    struct packet *pkt = &s->line.pkt;

    (void)item;
    if (flow == NULL || flow->n_quote == 0)
        return script_expected(s, "quote: the name of a flow that has sent a packet", name);
    if (flow->n_quote > PACKET_DATA_MAX - pkt->n)
        return script_fail(s, "the bytes do not fit");
    memcpy(pkt->data + pkt->n, flow->quote, flow->n_quote);
    pkt->n += flow->n_quote;
    return WEIR_E_OK;
}

/* ---- all of it ----------------------------------------------------------------------------- */

#define NUMBER(name, of, min, max, field)                                                          \
    {                                                                                              \
        name, of, read_number, min, max, offsetof(struct line, field)                              \
    }
#define FLAG(flag)                                                                                 \
    {                                                                                              \
#flag, TCP, read_flag, 0, 0, FLAG_##flag                                                   \
    }
#define MARK(name, field)                                                                          \
    {                                                                                              \
        name, ANY, read_mark, 0, 0, offsetof(struct line, field)                                   \
    }

static const struct item items[] = {
    FLAG(FIN),
    FLAG(SYN),
    FLAG(RST),
    FLAG(PSH),
    FLAG(ACK),
    FLAG(URG),
    FLAG(ECE),
    FLAG(CWR),
    { "noflags", TCP, read_flag, 0, 0, 0 },
    NUMBER("seq", TCP, -(INT64_C(1) << 31), UINT32_MAX, seq),
    NUMBER("ack", TCP, -(INT64_C(1) << 31), UINT32_MAX, ack),
    NUMBER("win", TCP, 0, UINT16_MAX, pkt.win),
    { "urg", TCP, read_urg, 0, UINT16_MAX, offsetof(struct line, pkt.urg) },
    NUMBER("doff", TCP, 0, 15, pkt.doff),
    { "mss", TCP, read_small_option, 0, 2, 2 },
    { "wscale", TCP, read_small_option, 0, 1, 3 },
    { "sackok", TCP, read_sackok, 0, 0, 0 },
    { "ts", TCP, read_ts, 0, 0, 0 },
    { "sack", TCP, read_sack, 0, 0, 0 },
    { "option", TCP, read_option, 0, 0, 0 },
    { "rawopt", TCP, read_rawopt, 0, 0, 0 },
    { "nop", TCP, read_nop, 0, 0, 0 },
    NUMBER("udplen", UDP, 0, UINT16_MAX, pkt.udplen),
    { "nosum", UDP, read_mark, 0, 0, offsetof(struct line, pkt.no_sum) },
    { "echo", ICMP, read_echo, 0, 0, 0 },
    NUMBER("type", ICMP, 0, 255, pkt.type),
    NUMBER("code", ICMP, 0, 255, pkt.code),
    NUMBER("rest", ICMP, 0, UINT32_MAX, pkt.rest),
    { "quote", ICMP, read_quote, 0, 0, 0 },
    NUMBER("ttl", ANY, 0, 255, pkt.ttl),
    NUMBER("ihl", ANY, 0, 15, pkt.ihl),
    NUMBER("iplen", ANY, 0, UINT16_MAX, pkt.iplen),
    NUMBER("cut", ANY, 0, PACKET_MAX, cut),
    { "frag", ANY, read_frag, 0, 0, 0 },
    NUMBER("more", ANY, 0, 1, pkt.frag_more),
    { "badsum", ANY, read_badsum, 0, 0, 0 },
    MARK("lost", lost),
    MARK("unseen", unseen),
    MARK("injected", injected),
};

static unsigned
protocol_bit(uint8_t proto)
{
    return proto == PROTO_TCP ? TCP : proto == PROTO_UDP ? UDP : ICMP;
}

static const struct item *
item_of(const struct word *word, uint8_t proto)
{
    for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
        if (word_is(word, items[i].name) && items[i].of & protocol_bit(proto))
            return &items[i];
    return NULL;
}

static int
read_item(struct script *s)
{
    const struct word *word = words_peek(&s->words);
    const struct item *item;

    if (begins_bytes(word))
        return add_bytes(s);
    item = item_of(words_take(&s->words), s->line.pkt.proto);
    if (item == NULL)
        return script_expected(s, "a flag, bytes or a field of this protocol", word);
    return item->read(s, item);
}

int
items_read(struct script *s)
{
    int rc = WEIR_E_OK;

    while (rc == WEIR_E_OK && words_peek(&s->words) != NULL)
        rc = read_item(s);
    return rc;
}
