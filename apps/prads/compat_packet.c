#include "compat.h"

#include "compat_dns.h"
#include "conn_log.h"
#include "ether.h"
#include "rd.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
    PORT_DNS = 53,
    PORT_MDNS = 5353,
    LOOK_TCP = 600, /* bytes of a TCP payload that are looked at */
    LEAST_TCP = 10, /* of a payload that is looked at */
    LEAST_UDP = 5,
    PAYLOAD_MAX = 145, /* characters of a payload that are printed */
};

/* Who sent a packet, as far as that is known: nothing is of a connection's first. */
enum role { ROLE_NONE, ROLE_CLIENT, ROLE_SERVER };

/* A packet and what it belongs to. */
struct look {
    struct compat *c;
    const struct weir_packet *pkt;
    struct conn *conn;
    enum role role;
    bool from_high; /* the sender is conn->key.addr[1] */
    uint64_t time;  /* seconds */
};

/* ---- news ------------------------------------------------------------------------------------ */

static void
tell(struct compat *c, const struct news *news)
{
    asset_log_file(&c->log, news);
    if (c->opts.verbose > 0)
        asset_log_stdout(&c->said, news);
    if (c->fifo.log != NULL)
        asset_log_fifo(&c->fifo, news);
}

/* All 16 bits of the tag that PRADS reads, where the frame is at hand. */
static uint16_t
vlan_of(const struct weir_packet *pkt)
{
    if (pkt->n_vlan == 0)
        return 0;
    return pkt->link == 1 && pkt->caplen >= 16 ? be16(pkt->frame + 14) : pkt->vlan[0];
}

static struct asset *
seen(const struct look *look, struct asset *asset)
{
    asset->vlan = vlan_of(look->pkt);
    return asset;
}

static struct asset *
asset_of(const struct look *look, uint8_t version, const struct weir_addr *addr)
{
    bool made = false;
    struct asset *asset = assets_get(&look->c->assets, version, addr, &made);

    if (asset == NULL)
        return NULL;
    look->c->stats.at[COUNT_ASSETS] += made;
    return seen(look, asset);
}

/* The asset that sent the packet; its connection remembers it. */
static struct asset *
sender(const struct look *look)
{
    struct table *hosts = &look->c->assets.hosts;
    uint32_t *known = &look->conn->asset[look->from_high];
    struct asset *asset;

    if (*known != 0)
        return seen(look, table_at(hosts, *known - 1));
    asset = asset_of(look, look->pkt->ip_version, &look->pkt->src);
    *known = asset != NULL ? table_index(hosts, asset) + 1 : 0;
    return asset;
}

/*
 * Every packet makes its sender an asset, and says what VLAN that is in; while no packet has a tag,
 * the first of each side is enough.
 */
static void
note_sender(const struct look *look)
{
    const struct weir_packet *pkt = look->pkt;
    bool other = pkt->proto != WEIR_PROTO_TCP && pkt->proto != WEIR_PROTO_UDP &&
                 pkt->proto != WEIR_PROTO_ICMPV6;

    look->c->tagged |= pkt->n_vlan > 0;
    if (pkt->ip_version == 6 && other) /* as in the original */
        return;
    if (look->c->tagged || look->conn->asset[look->from_high] == 0)
        sender(look);
}

static struct news
news_of(const struct look *look, const struct asset *asset, enum detection what)
{
    uint8_t ttl = look->pkt->ttl;

    return (struct news){ .what = what,
                          .asset = asset,
                          .time = look->time,
                          .proto = look->pkt->proto,
                          .distance = (uint8_t)(fp_first_ttl(ttl) - ttl),
                          .conn = look->conn };
}

/* ---- systems --------------------------------------------------------------------------------- */

/* Fingerprints that no signature fits are all one: the first of a kind is news. */
static void
look_at_system(const struct look *look, enum fp_kind kind)
{
    struct compat *c = look->c;
    const struct fp_signature *sig;
    struct fingerprint fp;
    struct asset *asset;
    char text[FP_TEXT_MAX], shown[FP_TEXT_MAX];
    struct news news;

    if ((c->opts.checks >> kind & 1) == 0 || (asset = sender(look)) == NULL)
        return;
    fp_take(look->pkt, kind, &fp);
    sig = c->os[kind] != NULL ? fp_list_match(c->os[kind], &fp, kind) : NULL;
    if (!asset_is_new_os(&c->assets, asset, (enum detection)kind,
                         sig != NULL ? fp_list_number(c->os[kind], sig) + 1 : 0))
        return;
    c->stats.at[COUNT_TCP_OS]++;
    fp_text(&fp, kind, FP_PLAIN, text);
    if (c->opts.verbose > 0)
        fp_text(&fp, kind, FP_STDOUT, shown);
    news = news_of(look, asset, (enum detection)kind);
    news.port = look->pkt->src_port;
    news.fingerprint = text;
    news.shown = shown;
    news.os = sig != NULL ? sig->os : "unknown";
    news.detail = sig != NULL ? sig->detail : "unknown";
    news.mss = fp.mss;
    news.uptime = fp.time;
    tell(c, &news);
}

static void
look_at_text(const struct look *look, enum detection what, const char *text, enum counter counter)
{
    struct compat *c = look->c;
    struct asset *asset = sender(look);
    struct news news;

    if (asset == NULL ||
        !asset_is_new_os(&c->assets, asset, what, assets_identity(&c->assets, text)))
        return;
    c->stats.at[counter]++;
    news = news_of(look, asset, what);
    news.fingerprint = news.shown = text;
    news.os = news.detail = "unknown";
    tell(c, &news);
}

/* ---- services -------------------------------------------------------------------------------- */

static void
service_seen(const struct look *look, enum role role, uint16_t port, const char *service,
             const char *application)
{
    struct compat *c = look->c;
    bool server = role == ROLE_SERVER, tcp = look->pkt->proto == WEIR_PROTO_TCP;
    struct asset *asset = sender(look);
    enum asset_news what = ASSET_OLD;
    struct news news;

    if (asset != NULL)
        what = asset_service(&c->assets, asset, look->pkt->proto, port, application, &server);
    if (what == ASSET_OLD)
        return;
    if (what == ASSET_NEW)
        c->stats.at[(tcp ? COUNT_TCP_SERVICE : COUNT_UDP_SERVICE) + (server ? 0 : 1)]++;
    news = news_of(look, asset, server ? DETECT_SERVER : DETECT_CLIENT);
    news.port = port;
    news.service = service;
    news.application = application;
    tell(c, &news);
}

static bool
is_done(const struct look *look, uint8_t what)
{
    return look->role != ROLE_NONE && look->conn->done[look->role == ROLE_SERVER] & what;
}

static void
set_done(const struct look *look, uint8_t what)
{
    if (look->role != ROLE_NONE)
        look->conn->done[look->role == ROLE_SERVER] |= what;
}

static uint16_t
service_port(const struct look *look)
{
    return look->role == ROLE_SERVER ? look->pkt->src_port : look->pkt->dst_port;
}

static void
look_at_tcp_service(const struct look *look)
{
    const struct weir_packet *pkt = look->pkt;
    bool server = look->role == ROLE_SERVER;
    struct service_list *list = look->c->service[server ? SERVICE_TCP : CLIENT_TCP];
    size_t n = pkt->payload_len;
    struct service_hit hit;
    const char *custom;

    if ((look->c->opts.checks & (server ? CHECK_SERVICE_TCP : CHECK_CLIENT_TCP)) == 0 ||
        is_done(look, CONN_FOUND) || n < LEAST_TCP)
        return;
    if (n > LOOK_TCP && !(pkt->ip_version == 6 && !server))
        n = LOOK_TCP;
    if (list != NULL && service_match(list, pkt->payload, n, &hit)) {
        service_seen(look, look->role, service_port(look), hit.service, hit.application);
        set_done(look, CONN_FOUND | CONN_UNKNOWN);
        return;
    }
    if (is_done(look, CONN_UNKNOWN))
        return;
    set_done(look, CONN_UNKNOWN);
    custom = service_of_port(WEIR_PROTO_TCP, service_port(look));
    if (custom != NULL)
        service_seen(look, look->role, service_port(look), "unknown", custom);
}

/* A port with a name on the side that did not look like the server: it is the server. */
static void
look_at_udp_port(const struct look *look)
{
    const struct weir_packet *pkt = look->pkt;
    bool server = look->role == ROLE_SERVER;
    uint16_t own = service_port(look), other = server ? pkt->dst_port : pkt->src_port;
    const char *custom;

    if (look->role == ROLE_NONE || is_done(look, CONN_UNKNOWN))
        return;
    set_done(look, CONN_UNKNOWN);
    if ((custom = service_of_port(WEIR_PROTO_UDP, own)) != NULL) {
        service_seen(look, look->role, own, "unknown", custom);
    } else if ((custom = service_of_port(WEIR_PROTO_UDP, other)) != NULL) {
        conn_swap(look->conn);
        service_seen(look, server ? ROLE_CLIENT : ROLE_SERVER, other, "unknown", custom);
    }
}

static void
look_at_udp_service(const struct look *look)
{
    const struct weir_packet *pkt = look->pkt;
    struct service_list *list = pkt->ip_version == 4 ? look->c->service[SERVICE_UDP] : NULL;
    struct service_hit hit;

    if ((look->c->opts.checks & CHECK_SERVICE_UDP) == 0 || is_done(look, CONN_FOUND) ||
        pkt->payload_len < LEAST_UDP)
        return;
    if (list == NULL || !service_match(list, pkt->payload, pkt->payload_len, &hit)) {
        look_at_udp_port(look);
        return;
    }
    if (look->role == ROLE_NONE)
        service_seen(look, ROLE_CLIENT, pkt->src_port, hit.service, hit.application);
    else
        service_seen(look, look->role, service_port(look), hit.service, hit.application);
    set_done(look, CONN_FOUND | CONN_UNKNOWN);
}

/* ---- protocols ------------------------------------------------------------------------------- */

static void
look_at_tcp(const struct look *look, bool at_home)
{
    uint8_t flags = look->pkt->tcp_flags;

    if (flags & WEIR_TH_SYN) {
        if (at_home)
            look_at_system(look, flags & WEIR_TH_ACK ? FP_SYNACK : FP_SYN);
        return;
    }
    if (!at_home || look->role == ROLE_NONE)
        return;
    look_at_tcp_service(look);
    if (flags & WEIR_TH_FIN)
        look_at_system(look, FP_FIN);
    else if (flags & WEIR_TH_RST)
        look_at_system(look, FP_RST);
    else if (flags & WEIR_TH_ACK)
        look_at_system(look, FP_ACK);
}

static void
look_at_dhcp(const struct look *look)
{
    struct compat *c = look->c;
    const struct weir_packet *pkt = look->pkt;
    const struct dhcp_signature *sig;
    struct dhcp_print print;
    char text[DHCP_TEXT_MAX];

    if ((c->opts.checks & CHECK_DHCP) == 0 || pkt->ip_version != 4 || pkt->src_port != 68 ||
        pkt->dst_port != 67 || !dhcp_take(pkt->payload, pkt->payload_len, pkt->ttl, &print))
        return;
    c->stats.at[COUNT_DHCP_OS]++;
    dhcp_text(&print, text);
    out_str(&c->said, "Got DHCP packet:\n[");
    out_str(&c->said, text);
    out_str(&c->said, ":unknown:unknown]\n");
    sig = c->dhcps != NULL ? dhcp_match(c->dhcps, &print) : NULL;
    if (sig != NULL) {
        out_str(&c->said, "[*] We have a match ([");
        out_str(&c->said, sig->text);
        out_char(&c->said, ':');
        out_str(&c->said, sig->os);
        out_char(&c->said, ':');
        out_str(&c->said, sig->detail);
        out_str(&c->said, "])\n");
    }
    out_end_record(&c->said);
}

static void
look_at_dns(const struct look *look)
{
    struct compat *c = look->c;
    const struct weir_packet *pkt = look->pkt;
    struct out *out = &c->said;
    size_t start = out->n;

    if (!c->opts.dns || (pkt->src_port != PORT_DNS && pkt->src_port != PORT_MDNS))
        return;
    out_u64(out, look->time);
    out_str(out, "||host||");
    conn_log_addr(out, pkt->ip_version, &pkt->src);
    out_str(out, "||");
    if (compat_dns_text(out, pkt->payload, pkt->payload_len)) {
        out_char(out, '\n');
        out_end_record(out);
    } else {
        c->bad_dns++;
        out->n = start;
    }
}

static void
look_at_udp(struct look *look)
{
    char text[FP_TEXT_MAX];

    if (look->pkt->dst_port == PORT_DNS)
        look->role = ROLE_CLIENT;
    else if (look->pkt->src_port == PORT_DNS)
        look->role = ROLE_SERVER;
    look_at_dhcp(look);
    look_at_udp_service(look);
    look_at_dns(look);
    if (look->c->opts.checks & CHECK_UDP_OS && look->pkt->ip_version == 4) {
        fp_udp_text(look->pkt, text);
        look_at_text(look, DETECT_UDP, text, COUNT_UDP_OS);
    }
}

static void
say_icmp6(const struct look *look)
{
    const struct weir_packet *pkt = look->pkt;
    uint32_t first = be32(pkt->ip);
    char text[120];

    snprintf(text, sizeof(text),
             "\n[*] icmp6: type:%u,code:%u,ttl:%u,len:%u,ver:0x%x,class:0x%x,label:0x%x",
             pkt->icmp_type, pkt->icmp_code, pkt->ttl, be16(pkt->ip + 4), first >> 28,
             first >> 20 & 0xff, first & 0xfffff);
    out_str(&look->c->said, text);
    out_end_record(&look->c->said);
}

static void
look_at_icmp(const struct look *look)
{
    char text[FP_TEXT_MAX];

    if ((look->c->opts.checks & CHECK_ICMP_OS) == 0 || look->role != ROLE_NONE)
        return;
    if (look->pkt->ip_version == 6) {
        say_icmp6(look);
        return;
    }
    fp_icmp_text(look->pkt, text);
    look_at_text(look, DETECT_ICMP, text, COUNT_ICMP_OS);
}

/* ---- Ethernet -------------------------------------------------------------------------------- */

static void
say_mac_changed(struct out *out, const uint8_t before[6], const uint8_t now[6])
{
    char text[100];

    snprintf(text, sizeof(text),
             "ACHTUNG! MAC changed! : %02x:%02x:%02x:%02x:%02x:%02x: -> "
             "%02x:%02x:%02x:%02x:%02x:%02x:\n",
             before[0], before[1], before[2], before[3], before[4], before[5], now[0], now[1],
             now[2], now[3], now[4], now[5]);
    out_str(out, text);
    out_end_record(out);
}

/* The maker is that of the first card that was seen, as in the original. */
static void
mac_seen(const struct look *look, struct asset *asset, const uint8_t mac[6])
{
    struct compat *c = look->c;
    uint8_t before[6];
    struct news news;
    enum asset_news what;

    memcpy(before, asset->mac, 6);
    what = asset_set_mac(asset, mac);
    if (what == ASSET_OLD)
        return;
    if (what == ASSET_CHANGED)
        say_mac_changed(&c->said, before, mac);
    else if (c->macs != NULL)
        asset->vendor = mac_vendor(c->macs, mac);
    news = (struct news){ .what = DETECT_ARP, .asset = asset, .time = look->time };
    tell(c, &news);
}

/* Replies only. */
static void
look_at_arp(const struct look *look)
{
    const uint8_t *arp = ether_arp(look->pkt);
    struct weir_addr addr = { { 0 } };
    struct asset *asset;

    if (arp == NULL || arp[7] != ARP_REPLY)
        return;
    memcpy(addr.b, arp + 14, 4);
    if (!homenets_have(&look->c->home, 4, &addr))
        return;
    asset = asset_of(look, 4, &addr);
    if (asset != NULL)
        mac_seen(look, asset, arp + 8);
}

/* ---- connections ----------------------------------------------------------------------------- */

static struct conn *
connection(struct compat *c, struct compat_flow *flow, const struct weir_event *ev)
{
    bool made, high;

    if (flow->conn != NULL && flow->generation == c->generation)
        return flow->conn;
    flow->conn = conns_get(&c->conns, ev->packet, &made);
    if (flow->conn == NULL)
        return NULL;
    high = conn_from_high(ev->packet);
    flow->generation = c->generation;
    flow->server_high = high == (ev->direction == WEIR_TOCLIENT);
    c->stats.at[COUNT_SESSIONS] += made;
    return flow->conn;
}

static uint32_t
ip_payload(const struct weir_packet *pkt)
{
    return pkt->ip_version == 4 ? be16(pkt->ip + 2) - (pkt->ip[0] & 15U) * 4 : be16(pkt->ip + 4);
}

static void
count(const struct look *look, enum conn_side side)
{
    struct conn *conn = look->conn;

    conn->packets[side]++;
    conn->bytes[side] += ip_payload(look->pkt);
    conn->tcp_flags[side] |= look->pkt->tcp_flags;
    conn->last = (uint32_t)look->time;
    conn->over = false;
}

static void
say_payload(struct compat *c, const struct weir_packet *pkt)
{
    unsigned n = pkt->payload_len, most = c->opts.payload;
    bool cut = most > PAYLOAD_MAX && n > PAYLOAD_MAX;

    if (n == 0 || most == 0)
        return;
    most = most < PAYLOAD_MAX ? most : PAYLOAD_MAX;
    out_str(&c->said, "  # Payload: \"");
    for (unsigned i = 0; i < n && i < most; i++) {
        uint8_t b = pkt->payload[i];

        out_char(&c->said, b == 0 ? '?' : b >= ' ' && b < 127 ? (char)b : '.');
    }
    out_str(&c->said, cut ? "\"...\n" : "\"\n");
    out_end_record(&c->said);
}

static void
say_connection(const struct look *look, bool new)
{
    struct compat *c = look->c;

    if (c->opts.connections && new)
        conn_log_line(&c->said, look->conn, "[New]");
    if (c->opts.packets)
        conn_log_packet(&c->said, look->conn);
}

/* A SYN/ACK from the client's side: it is the server. */
static bool
is_swapped(const struct weir_packet *pkt, enum conn_side side)
{
    const unsigned both = WEIR_TH_SYN | WEIR_TH_ACK;

    return side == CONN_CLIENT && pkt->proto == WEIR_PROTO_TCP && (pkt->tcp_flags & both) == both;
}

static void
look_at_flow(struct look *look, enum conn_side side)
{
    struct compat *c = look->c;
    const struct weir_packet *pkt = look->pkt;
    struct conn *conn = look->conn;
    bool new = conn->packets[0] + conn->packets[1] == 0;
    bool at_home = homenets_have(&c->home, pkt->ip_version, &pkt->src);

    count(look, side);
    look->role = new ? ROLE_NONE : side == CONN_CLIENT ? ROLE_CLIENT : ROLE_SERVER;
    say_connection(look, new);
    if (is_swapped(pkt, side))
        conn_swap(conn);
    if (at_home)
        note_sender(look);
    if (pkt->proto == WEIR_PROTO_TCP || pkt->proto == WEIR_PROTO_UDP)
        say_payload(c, pkt);
    if (pkt->proto == WEIR_PROTO_TCP) {
        look_at_tcp(look, at_home);
    } else if (pkt->proto == WEIR_PROTO_UDP) {
        if (at_home)
            look_at_udp(look);
    } else if (at_home && (pkt->proto == WEIR_PROTO_ICMP || pkt->proto == WEIR_PROTO_ICMPV6)) {
        look_at_icmp(look);
    }
}

void
compat_packet(struct compat *c, struct compat_flow *flow, const struct weir_event *ev)
{
    struct look look = { .c = c, .pkt = ev->packet, .time = ev->packet->time / 1000000000 };

    compat_stats_packet(&c->stats, look.pkt, ev->has_flow);
    if (look.time > c->clock)
        c->clock = look.time;
    if (!ev->has_flow) {
        if (look.pkt->ip_version == 0 && c->opts.checks & CHECK_ARP)
            look_at_arp(&look);
        return;
    }
    look.conn = connection(c, flow, ev);
    if (look.conn == NULL)
        return;
    look.from_high = flow->server_high != (ev->direction == WEIR_TOSERVER);
    look_at_flow(&look, look.from_high == look.conn->client_high ? CONN_CLIENT : CONN_SERVER);
}

static void
end_connection(struct compat *c, struct conn *conn, const char *tag)
{
    conn->over = true;
    if (c->opts.connections)
        conn_log_line(&c->said, conn, tag);
    if (c->conn_file.log != NULL)
        conn_log_line(&c->conn_file, conn, NULL);
}

/* The next packet of its ends begins it anew: over connections are the first to be forgotten. */
static bool
is_not_over(void *ctx, const void *entry)
{
    (void)ctx;
    return !((const struct conn *)entry)->over;
}

/* Live, a table has to last. Flows and connections find what they referred to again. */
void
compat_make_room(struct compat *c)
{
    struct table *hosts = &c->assets.hosts, *records = &c->assets.records, *conns = &c->conns.table;
    bool full = hosts->n > hosts->max / 4 * 3 || records->n > records->max / 4 * 3;

    if (full) {
        table_keep(hosts, NULL, NULL);
        table_keep(records, NULL, NULL);
    }
    table_keep(conns, is_not_over, NULL);
    c->generation++;
    for (uint32_t i = 0; full && i < conns->n; i++)
        memset(((struct conn *)table_at(conns, i))->asset, 0, sizeof(uint32_t[2]));
}

/* Those that expired come first. */
void
compat_end_connections(struct compat *c, uint64_t now, bool all)
{
    for (uint32_t i = 0; i < c->conns.table.n; i++) {
        struct conn *conn = table_at(&c->conns.table, i);

        if (!conn->over && conn_is_over(conn, now) == CONN_EXPIRED)
            end_connection(c, conn, "[expired]");
    }
    for (uint32_t i = 0; i < c->conns.table.n; i++) {
        struct conn *conn = table_at(&c->conns.table, i);

        if (!conn->over && (all || conn_is_over(conn, now) == CONN_ENDED))
            end_connection(c, conn, "[ended]");
    }
}
