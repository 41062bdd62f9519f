#include "ether.h"
#include "watched.h"

#include "rd.h"

#include <stdio.h>
#include <string.h>

enum {
    BY_STACK = 75,
    BY_GENERIC_STACK = 60,
    BY_NEAR_STACK = 45,
    BY_FINGERPRINT = 40,
    BY_UNKNOWN = 10,
    BY_CARD = 95
};

/* ---- systems ------------------------------------------------------------------------------- */

static const enum check checks[FP_KINDS] = { CHECK_SYN, CHECK_SYNACK, CHECK_FIN, CHECK_RST,
                                             CHECK_ACK };
static const char *const sources[FP_KINDS] = { "syn", "synack", "fin", "rst", "ack" };

/* What a packet's headers say of its sender's system. */
struct system {
    const char *os, *detail; /* "unknown" if nothing is */
    uint8_t confidence;
    char fingerprint[FP_TEXT_MAX], stack[P0F_TEXT_MAX]; /* PRADS's, p0f's */
};

static void
name_system(struct system *system, const char *os, const char *detail, uint8_t confidence)
{
    system->os = os;
    system->detail = detail;
    system->confidence = confidence;
}

/* Signatures of today's stacks first, then PRADS's own. */
static void
find_system(const struct watch *w, enum fp_kind kind, struct fingerprint *fp, struct system *system)
{
    const struct fp_signature *sig = NULL;
    const struct p0f_label *label = NULL;
    struct p0f_print print;
    bool fuzzy = false;

    if (kind <= FP_SYNACK) {
        p0f_take(w->ev->packet, &print);
        p0f_text(&print, system->stack);
        if (w->opts.stacks != NULL)
            label = p0f_match(w->opts.stacks, &print, kind == FP_SYNACK, &fuzzy);
    }
    if (w->opts.os[kind] != NULL)
        sig = fp_list_match(w->opts.os[kind], fp, kind);
    fp_text(fp, kind, FP_PLAIN, system->fingerprint);
    if (label != NULL)
        name_system(system, label->name, label->flavor,
                    fuzzy            ? BY_NEAR_STACK
                    : label->generic ? BY_GENERIC_STACK
                                     : BY_STACK);
    else if (sig != NULL)
        name_system(system, sig->os, sig->detail, BY_FINGERPRINT);
}

/* "Linux 2.6 (newer, 7)"; the fingerprint itself of a system that is not known. */
static const char *
system_text(char text[TEXT_MAX], const struct system *system)
{
    if (system->confidence == BY_UNKNOWN)
        return system->fingerprint;
    snprintf(text, TEXT_MAX, "%s%s%s", system->os, system->detail[0] != '\0' ? " " : "",
             system->detail);
    return text;
}

void
watch_system(struct watch *w, enum fp_kind kind)
{
    const struct weir_packet *pkt = w->ev->packet;
    struct system system = { .os = "unknown", .detail = "unknown", .confidence = BY_UNKNOWN };
    struct sighting s = { .evidence = "headers" };
    struct fingerprint fp;
    char text[TEXT_MAX];

    if (pkt == NULL || !is_checked(w, checks[kind]))
        return;
    fp_take(pkt, kind, &fp);
    find_system(w, kind, &fp, &system);
    s.fact = (struct fact){ .kind = FACT_OS,
                            .source = sources[kind],
                            .value = system_text(text, &system),
                            .confidence = system.confidence };
    s.news = (struct news){ .what = (enum detection)kind,
                            .proto = WEIR_PROTO_TCP,
                            .port = pkt->src_port,
                            .fingerprint = system.fingerprint,
                            .os = system.os,
                            .detail = system.detail,
                            .mss = fp.mss,
                            .uptime = fp.time };
    watch_detail(&s, "fingerprint", system.fingerprint);
    watch_detail(&s, "p0f", system.stack);
    if (fp.mss != 0)
        watch_detail(&s, "link", fp_link((unsigned)fp.mss + (pkt->ip_version == 4 ? 40 : 60)));
    watch_see(w, pkt->ip_version, &pkt->src, &s);
}

static void
see_sender(struct watch *w, enum detection what, const char *source, const char *text)
{
    const struct weir_packet *pkt = w->ev->packet;
    struct sighting s = {
        .fact = { .kind = FACT_OS, .source = source, .value = text, .confidence = BY_UNKNOWN },
        .evidence = "headers",
        .news = { .what = what,
                  .proto = pkt->proto,
                  .fingerprint = text,
                  .os = "unknown",
                  .detail = "unknown" }
    };

    watch_see(w, pkt->ip_version, &pkt->src, &s);
}

static void
take_tcp(struct watch *w)
{
    uint8_t flags = w->ev->packet->tcp_flags;

    if (flags & WEIR_TH_SYN)
        return; /* events of their own */
    if (flags & WEIR_TH_FIN)
        watch_system(w, FP_FIN);
    else if (flags & WEIR_TH_RST)
        watch_system(w, FP_RST);
    else if (flags & WEIR_TH_ACK)
        watch_system(w, FP_ACK);
}

void
watch_packet(struct watch *w)
{
    const struct weir_packet *pkt = w->ev->packet;
    char text[FP_TEXT_MAX];

    if (pkt->ip_version == 0) {
        watch_arp(w);
    } else if (w->ev->flow == NULL) {
        return;
    } else if (pkt->proto == WEIR_PROTO_TCP) {
        take_tcp(w);
    } else if (pkt->proto == WEIR_PROTO_UDP && pkt->ip_version == 4 && is_checked(w, CHECK_UDP)) {
        fp_udp_text(pkt, text);
        see_sender(w, DETECT_UDP, "udp", text);
    } else if (pkt->proto == WEIR_PROTO_ICMP && is_checked(w, CHECK_ICMP)) {
        fp_icmp_text(pkt, text);
        see_sender(w, DETECT_ICMP, "icmp", text);
    }
}

/* ---- network cards ------------------------------------------------------------------------- */

static void
see_card(struct watch *w, uint8_t version, const struct weir_addr *addr, const uint8_t mac[6],
         enum detection what)
{
    struct asset card = { .has_mac = true };
    char text[20];
    struct sighting s = { .fact = { .kind = FACT_MAC,
                                    .source = what == DETECT_ARP ? "arp" : "ndp",
                                    .value = text,
                                    .confidence = BY_CARD },
                          .evidence = what == DETECT_ARP ? "arp" : "ndp",
                          .news = { .what = what, .asset = &card } };

    memcpy(card.mac, mac, 6);
    card.vendor = w->opts.macs != NULL ? mac_vendor(w->opts.macs, mac) : NULL;
    snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
             mac[4], mac[5]);
    if (card.vendor != NULL)
        watch_detail(&s, "vendor", card.vendor);
    watch_see(w, version, addr, &s);
}

static bool
is_zero(const uint8_t *p, size_t n)
{
    while (n > 0 && p[n - 1] == 0)
        n--;
    return n == 0;
}

/* A probe (RFC 5227) has no address yet. */
void
watch_arp(struct watch *w)
{
    const uint8_t *arp = ether_arp(w->ev->packet);
    struct weir_addr addr = { { 0 } };

    if (arp == NULL || is_zero(arp + 14, 4))
        return;
    memcpy(addr.b, arp + 14, 4);
    see_card(w, 4, &addr, arp + 8, DETECT_ARP);
}

/* The option of a type (RFC 4861 section 4.6.1) with an Ethernet address; NULL: it is not there. */
static const uint8_t *
link_option(struct rd *rd, uint8_t wanted)
{
    uint8_t type, units;
    const uint8_t *body;

    while (rd_u8(rd, &type) && rd_u8(rd, &units)) {
        if (units == 0 || (body = rd_take(rd, units * 8U - 2)) == NULL)
            return NULL;
        if (type == wanted && units == 1)
            return body;
    }
    return NULL;
}

/*
 * RFC 4861: who solicits tells of the sender, an advertisement of its target. In IPv4 it is
 * nothing.
 */
void
watch_neighbour(struct watch *w)
{
    const struct weir_packet *pkt = w->ev->packet;
    static const uint8_t before[4] = { 8, 16, 24, 24 }; /* of the options, types 133 to 136 */
    struct rd rd = { pkt->l4, pkt->l4 + (pkt->payload - pkt->l4) + pkt->payload_len };
    const uint8_t *head, *mac;
    struct weir_addr addr = pkt->src;
    unsigned type = pkt->icmp_type;

    if (pkt->ip_version != 6 || type < 133 || type > 136 || pkt->ttl != 255 ||
        (head = rd_take(&rd, before[type - 133])) == NULL)
        return;
    if (type == 136)
        memcpy(addr.b, head + 8, 16);
    mac = link_option(&rd, type == 136 ? 2 : 1);
    if (mac != NULL && !is_zero(addr.b, 16))
        see_card(w, 6, &addr, mac, DETECT_NDP);
}
