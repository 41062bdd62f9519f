#include "fingerprint.h"

#include "rd.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    SIZE_LARGE = 100, /* from here on a size says nothing */
    STDOUT_OPTIONS = 3,
    LENGTH_MAX = 33, /* of an option that is not known */
};

static const struct {
    char letter;
    uint16_t quirk;
} letters[] = {
    /* in the order in which they are printed */
    { 'K', FP_RST_ACK }, { 'Q', FP_SEQ_EQ },     { '0', FP_SEQ_0 },  { 'P', FP_PAST },
    { 'Z', FP_ZERO_ID }, { 'I', FP_IP_OPT },     { 'U', FP_URG },    { 'X', FP_X2 },
    { 'A', FP_ACK_NUM }, { 'T', FP_T2 },         { 'F', FP_FLAGS },  { 'D', FP_DATA },
    { 'N', FP_FIN_ACK }, { 'L', FP_FLOW_LABEL }, { '!', FP_BROKEN },
};

enum { N_LETTERS = sizeof(letters) / sizeof(letters[0]) };

uint16_t
fp_quirk_of(char letter)
{
    for (unsigned i = 0; i < N_LETTERS; i++)
        if (letters[i].letter == letter)
            return letters[i].quirk;
    return 0;
}

/* ---- taking -------------------------------------------------------------------------------- */

/*
 * An option that is not known: its length counts kind and length, and is believed up to a bound;
 * what goes beyond the header is left out.
 */
static bool
skip_option(struct rd *rd)
{
    uint8_t length;

    if (!rd_u8(rd, &length) || length < 1 || length > LENGTH_MAX)
        return false;
    rd->p--;
    rd->p += length - 1U < rd_left(rd) ? length - 1U : rd_left(rd);
    return true;
}

/* The body of an option whose kind was read: false if it is not there. */
static bool
take_option(struct fingerprint *fp, uint8_t kind, struct rd *rd)
{
    const uint8_t *p;

    switch (kind) {
    case FP_OPT_NOP:
        return true;
    case FP_OPT_SACK:
        rd->p += rd_left(rd) > 0; /* its length, if that is there */
        return true;
    case FP_OPT_MSS:
        if ((p = rd_take(rd, 3)) == NULL)
            return false;
        fp->mss = be16(p + 1);
        return true;
    case FP_OPT_WSCALE:
        if ((p = rd_take(rd, 2)) == NULL)
            return false;
        fp->wscale = p[1];
        return true;
    case FP_OPT_TIME:
        if ((p = rd_take(rd, 9)) == NULL)
            return false;
        fp->time = be32(p + 1);
        fp->zero_time = fp->time == 0;
        if (be32(p + 5) != 0)
            fp->quirks |= FP_T2;
        return true;
    case FP_OPT_EOL:
        if (rd_left(rd) > 0)
            fp->quirks |= FP_PAST;
        return true;
    default:
        return skip_option(rd);
    }
}

/* The end of the list does not end it: what comes behind is listed, too. */
static void
take_options(const struct weir_packet *pkt, struct fingerprint *fp)
{
    struct rd rd = { pkt->tcp_options, pkt->tcp_options + pkt->n_tcp_options };
    uint8_t kind;

    while (rd_u8(&rd, &kind)) {
        bool read = take_option(fp, kind, &rd);

        if (read)
            fp->option[fp->n_options++] = kind;
        if (!read || fp->n_options == FP_OPTIONS_MAX) {
            fp->quirks |= FP_BROKEN;
            return;
        }
    }
}

static void
take_ip(const struct weir_packet *pkt, struct fingerprint *fp)
{
    const uint8_t *ip = pkt->ip;

    fp->ttl = pkt->ttl;
    if (pkt->ip_version == 4) {
        fp->size = be16(ip + 2);
        fp->df = ip[6] & 0x40;
        if (be16(ip + 4) == 0)
            fp->quirks |= FP_ZERO_ID;
        if ((ip[0] & 15) > 5)
            fp->quirks |= FP_IP_OPT;
    } else {
        fp->size = be16(ip + 4);
        fp->df = true;
        fp->quirks |= (be32(ip) & 0xfffff) == 0 ? FP_ZERO_ID : FP_FLOW_LABEL;
    }
}

static uint16_t
tcp_quirks(const struct weir_packet *pkt, enum fp_kind kind)
{
    unsigned usual = WEIR_TH_SYN | WEIR_TH_ACK | WEIR_TH_RST | WEIR_TH_ECE | WEIR_TH_CWR |
                     (kind == FP_ACK ? WEIR_TH_PUSH : 0U);
    bool ack = pkt->tcp_flags & WEIR_TH_ACK;
    unsigned q = 0;

    q |= pkt->tcp_seq == pkt->tcp_ack ? FP_SEQ_EQ : 0U;
    q |= pkt->tcp_seq == 0 ? FP_SEQ_0 : 0U;
    q |= pkt->tcp_flags & ~usual ? FP_FLAGS : 0U;
    q |= be16(pkt->l4 + 18) != 0 ? FP_URG : 0U;
    q |= pkt->l4[12] & 15 ? FP_X2 : 0U;
    q |= pkt->tcp_ack != 0 ? FP_ACK_NUM : 0U;
    q |= pkt->payload_len > 0 && kind != FP_ACK ? FP_DATA : 0U;
    q |= kind == FP_RST && ack ? FP_RST_ACK : 0U;
    q |= kind == FP_FIN && ack ? FP_FIN_ACK : 0U;
    return (uint16_t)q;
}

void
fp_take(const struct weir_packet *pkt, enum fp_kind kind, struct fingerprint *fp)
{
    *fp = (struct fingerprint){ .window = pkt->tcp_window };
    take_ip(pkt, fp);
    fp->quirks |= tcp_quirks(pkt, kind);
    if (kind == FP_ACK)
        fp->size = 0;
    take_options(pkt, fp);
}

/* ---- text ---------------------------------------------------------------------------------- */

static char *
put_char(char *to, char c)
{
    *to = c;
    return to + 1;
}

static char *
put_number(char *to, unsigned value)
{
    char digits[10];
    unsigned n = 0;

    do
        digits[n++] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    while (n > 0)
        *to++ = digits[--n];
    return to;
}

/* Windows are mostly a multiple of what fits into a packet. */
static char *
put_window(char *to, const struct fingerprint *fp)
{
    unsigned window = fp->window, mss = fp->mss;

    if (window == 0)
        return put_char(to, '0');
    if (mss != 0 && window % mss == 0)
        return put_number(put_char(to, 'S'), window / mss);
    if (window % 1460 == 0)
        return put_number(put_char(to, 'S'), window / 1460);
    if (mss != 0 && window % (mss + 40) == 0)
        return put_number(put_char(to, 'T'), window / (mss + 40));
    if (window % 1500 == 0)
        return put_number(put_char(to, 'T'), window / 1500);
    if (window == 12345)
        return to + sprintf(to, "*(12345)");
    return put_number(to, window);
}

static char *
put_option(char *to, const struct fingerprint *fp, uint8_t kind)
{
    switch (kind) {
    case FP_OPT_EOL:
        return put_char(to, 'E');
    case FP_OPT_NOP:
        return put_char(to, 'N');
    case FP_OPT_MSS:
        return put_number(put_char(to, 'M'), fp->mss);
    case FP_OPT_WSCALE:
        return put_number(put_char(to, 'W'), fp->wscale);
    case FP_OPT_SACK:
        return put_char(to, 'S');
    case FP_OPT_TIME:
        to = put_char(to, 'T');
        return fp->zero_time ? put_char(to, '0') : to;
    default:
        return put_number(put_char(to, '?'), kind);
    }
}

static char *
put_size(char *to, const struct fingerprint *fp)
{
    if (fp->size < SIZE_LARGE)
        return put_number(to, fp->size);
    return put_char(put_number(put_char(put_char(to, '*'), '('), fp->size), ')');
}

/* The first n; behind those that there are come zeros. */
static char *
put_options(char *to, const struct fingerprint *fp, unsigned n)
{
    const char *start = to;

    for (unsigned i = 0; i < n; i++) {
        if (i > 0)
            to = put_char(to, ',');
        to = put_option(to, fp, fp->option[i]);
    }
    return to - start < 2 ? put_char(to, '.') : to; /* a single S is printed as "S." */
}

static char *
put_quirks(char *to, uint16_t quirks)
{
    const char *start = to;

    for (unsigned i = 0; i < N_LETTERS; i++)
        if (quirks & letters[i].quirk)
            to = put_char(to, letters[i].letter);
    return to == start ? put_char(to, '.') : to;
}

size_t
fp_text(const struct fingerprint *fp, enum fp_kind kind, enum fp_form form, char text[FP_TEXT_MAX])
{
    bool short_form = form == FP_STDOUT && kind == FP_ACK;
    char *to = put_char(put_window(text, fp), ':');

    to = put_char(put_number(to, fp->ttl), ':');
    to = put_char(put_char(to, fp->df ? '1' : '0'), ':');
    if (short_form || (form == FP_STDOUT && kind == FP_RST))
        to = put_char(to, '*');
    else
        to = put_size(to, fp);
    to = put_options(put_char(to, ':'), fp, short_form ? STDOUT_OPTIONS : fp->n_options);
    to = put_quirks(put_char(to, ':'), fp->quirks);
    *to = '\0';
    assert(to - text < FP_TEXT_MAX);
    return (size_t)(to - text);
}

/* ---- UDP and ICMP -------------------------------------------------------------------------- */

/* The fragment field as a little-endian machine reads it. */
static unsigned
raw_fragment(const uint8_t *ip)
{
    return (unsigned)ip[6] | (unsigned)ip[7] << 8;
}

size_t
fp_udp_text(const struct weir_packet *pkt, char text[FP_TEXT_MAX])
{
    const uint8_t *ip = pkt->ip;

    return (size_t)snprintf(text, FP_TEXT_MAX, "20:%u:%u:%u:%u:%u:%sI", fp_first_ttl(pkt->ttl),
                            (ip[6] & 0x40) != 0, ((ip[0] & 15U) - 5) * 4, raw_fragment(ip), ip[1],
                            be16(ip + 4) == 0 ? "Z" : "");
}

size_t
fp_icmp_text(const struct weir_packet *pkt, char text[FP_TEXT_MAX])
{
    const uint8_t *ip = pkt->ip;

    return (size_t)snprintf(text, FP_TEXT_MAX, "0:%u:%u:%u:%u:%u:%u:%u:%sI", pkt->icmp_type,
                            pkt->icmp_code, fp_first_ttl(pkt->ttl), (ip[6] & 0x40) != 0,
                            ((ip[0] & 15U) - 5) * 4, be16(ip + 2), raw_fragment(ip),
                            be16(ip + 4) == 0 ? "Z" : "");
}

/* ---- links --------------------------------------------------------------------------------- */

const char *
fp_link(unsigned mtu)
{
    static const struct {
        uint16_t mtu;
        const char *name;
    } links[] = {
        { 256, "radio modem" },
        { 386, "ethernut" },
        { 552, "SLIP line / encap ppp" },
        { 576, "sometimes modem" },
        { 1280, "gif tunnel" },
        { 1300, "PIX, SMC, sometimes wireless" },
        { 1362, "sometimes DSL (1)" },
        { 1372, "cable modem" },
        { 1400, "(Google/AOL)" },
        { 1408, "virtualization" },
        { 1415, "sometimes wireless" },
        { 1420, "GPRS, T1, FreeS/WAN" },
        { 1423, "sometimes cable" },
        { 1440, "sometimes DSL (2)" },
        { 1442, "IPIP tunnel" },
        { 1450, "vtun" },
        { 1452, "sometimes DSL (3)" },
        { 1454, "sometimes DSL (4)" },
        { 1456, "ISDN ppp" },
        { 1458, "BT DSL (?)" },
        { 1460, "3G WAN" },
        { 1462, "sometimes DSL (5)" },
        { 1470, "(Google 2)" },
        { 1476, "IPSec/GRE" },
        { 1480, "IPv6/IPIP" },
        { 1492, "pppoe (DSL)" },
        { 1496, "vLAN" },
        { 1500, "ethernet/modem" },
        { 1656, "Ericsson HIS" },
        { 2024, "wireless/IrDA" },
        { 2048, "Cyclom X.25 WAN" },
        { 2250, "AiroNet wireless" },
        { 3924, "loopback" },
        { 4056, "token ring (1)" },
        { 4096, "Sangoma X.25 WAN" },
        { 4352, "FDDI" },
        { 4500, "token ring (2)" },
        { 9180, "FORE ATM" },
        { 16384, "sometimes loopback (1)" },
        { 16436, "sometimes loopback (2)" },
        { 18000, "token ring x4" },
    };

    for (unsigned i = 0; i < sizeof(links) / sizeof(links[0]); i++)
        if (links[i].mtu == mtu)
            return links[i].name;
    return NULL;
}
