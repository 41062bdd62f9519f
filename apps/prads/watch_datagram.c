#include "watched.h"

#include "dhcp.h"

#include <weir/flow.h>

#include <string.h>

enum {
    BY_SIGNATURE = 85,
    BY_PARSER = 90,
    BY_PORT = 20,
    BY_DHCP = 80,
    BY_DNS = 70,
    LEAST_MATCHED = 5, /* bytes of a datagram that signatures are tried on */
    DHCP_SERVER = 67,
    DHCP_CLIENT = 68,
    DNS_ANSWERS = 16, /* of a message that are looked at */
};

/* ---- DNS ----------------------------------------------------------------------------------- */

/* An address record names a host; only one that is known is of interest. */
static void
name_host(struct watch *w, const struct dns_record *record)
{
    struct weir_addr addr = { { 0 } };
    uint8_t version = record->type == DNS_A ? 4 : 6;
    size_t n = version == 4 ? 4 : 16;
    char text[TEXT_MAX];
    struct sighting s = {
        .fact = { .kind = FACT_NAME, .source = "dns", .value = text, .confidence = BY_DNS },
        .heard = true,
        .evidence = "dns",
        .news = { .what = DETECT_NONE }
    };

    if ((record->type != DNS_A && record->type != DNS_AAAA) || record->rdata.n != n)
        return;
    memcpy(addr.b, record->rdata.p, n);
    if (!inventory_has(watch_inventory(w), version, &addr))
        return;
    watch_text(text, (struct weir_bytes){ (const uint8_t *)record->name.text, record->name.n });
    if (text[0] != '\0')
        watch_see(w, version, &addr, &s);
}

static void
dns_service(struct watch *w, struct watched *x, bool answer)
{
    struct sighting s = { .fact = { .source = "domain", .value = "DNS", .confidence = BY_PARSER },
                          .evidence = answer ? "answer" : "question" };

    if (w->ev->type == WEIR_EV_DATAGRAM)
        watch_see_sender(w, x, answer, &s);
    else
        watch_see_service(w, x, answer ? WEIR_TOCLIENT : WEIR_TOSERVER, &s);
}

void
watch_dns(struct watch *w, struct watched *x, struct weir_bytes bytes)
{
    struct dns_message msg;
    struct dns_record record;
    struct dns_walk walk;

    if (dns_parse(bytes.p, bytes.n, &msg) != WEIR_E_OK)
        return;
    dns_service(w, x, msg.flags & DNS_QR);
    if (!(msg.flags & DNS_QR) || !is_checked(w, CHECK_NAME))
        return;
    walk = dns_records(&msg);
    for (int i = 0; i < DNS_ANSWERS && dns_next(&walk, &record); i++)
        if (record.section == DNS_ANSWER)
            name_host(w, &record);
}

/* ---- DHCP ---------------------------------------------------------------------------------- */

/* The address that the client has, or asks for; false: neither. */
static bool
client_address(const struct dhcp_message *msg, struct weir_addr *addr)
{
    static const uint8_t none[4];
    const uint8_t *from = memcmp(msg->ciaddr, none, 4) != 0 ? msg->ciaddr : msg->requested;

    *addr = (struct weir_addr){ { 0 } };
    if (from == NULL || memcmp(from, none, 4) == 0)
        return false;
    memcpy(addr->b, from, 4);
    return true;
}

static void
dhcp_names(struct watch *w, const struct dhcp_message *msg, const struct weir_addr *addr)
{
    char text[TEXT_MAX];
    struct put put = put_begin(text, sizeof(text));

    watch_see_name(w, 4, addr, "dhcp", watch_text(text, msg->hostname), BY_DHCP);
    if (msg->fqdn_wire)
        dhcp_labels_text(msg->fqdn, &put);
    else
        watch_text(text, msg->fqdn);
    watch_see_name(
        w, 4, addr, "dhcp",
        watch_text(text, (struct weir_bytes){ (const uint8_t *)text, (uint32_t)strlen(text) }),
        BY_DHCP);
}

static void
take_dhcp(struct watch *w)
{
    const struct weir_packet *pkt = w->ev->packet;
    char text[DHCP_TEXT_MAX], vendor[TEXT_MAX], value[TEXT_MAX];
    const struct dhcp_signature *sig;
    struct dhcp_message msg;
    struct dhcp_print print;
    struct weir_addr addr;
    struct sighting s = { .fact = { .kind = FACT_DHCP, .source = "dhcp", .confidence = BY_DHCP },
                          .evidence = "options",
                          .news = { .what = DETECT_DHCP, .proto = WEIR_PROTO_UDP } };

    if (dhcp_parse(pkt->payload, pkt->payload_len, &msg) != WEIR_E_OK || msg.op != 1 ||
        !client_address(&msg, &addr) ||
        !dhcp_take(pkt->payload, pkt->payload_len, pkt->ttl, &print))
        return;
    sig = w->opts.dhcp != NULL ? dhcp_match(w->opts.dhcp, &print) : NULL;
    dhcp_text(&print, text);
    watch_text(value, (struct weir_bytes){ (const uint8_t *)text, (uint32_t)strlen(text) });
    s.fact.value = value;
    s.news.fingerprint = value;
    s.news.os = sig != NULL ? sig->os : "unknown";
    s.news.detail = sig != NULL ? sig->detail : "unknown";
    watch_detail(&s, "os", s.news.os);
    watch_detail(&s, "os_detail", s.news.detail);
    watch_detail(&s, "vendor_class", watch_text(vendor, msg.vendor_class));
    watch_see(w, 4, &addr, &s);
    dhcp_names(w, &msg, &addr);
}

/* ---- datagrams ----------------------------------------------------------------------------- */

static void
try_signatures(struct watch *w, struct watched *x, enum weir_dir dir)
{
    struct weir_bytes bytes = w->ev->datagram.data;
    char value[TEXT_MAX];
    struct sighting s = { .fact = { .confidence = BY_SIGNATURE }, .evidence = "signature" };
    struct service_hit hit;

    if (w->opts.udp == NULL || x->named[dir] || x->looks[dir] == WATCH_LOOKS ||
        bytes.n < LEAST_MATCHED)
        return;
    x->looks[dir]++;
    if (!service_match(w->opts.udp, bytes.p, bytes.n, &hit))
        return;
    s.fact.source = hit.service;
    s.fact.value = watch_text(value, (struct weir_bytes){ (const uint8_t *)hit.application,
                                                          (uint32_t)strlen(hit.application) });
    watch_see_service(w, x, dir, &s);
}

static void
name_by_port(struct watch *w, struct watched *x, enum weir_dir dir)
{
    struct weir_tuple tuple;
    struct sighting s = { .fact = { .source = "unknown", .confidence = BY_PORT },
                          .evidence = "port" };

    weir_flow_tuple(w->ev->flow, &tuple);
    s.fact.value = service_of_port(WEIR_PROTO_UDP, tuple.port[WEIR_TOCLIENT]);
    if (!x->named[dir] && s.fact.value != NULL)
        watch_see_service(w, x, dir, &s);
}

static void
take_udp(struct watch *w, struct watched *x)
{
    const struct weir_packet *pkt = w->ev->packet;
    enum weir_dir dir = (enum weir_dir)w->ev->direction;
    struct weir_tuple tuple;

    weir_flow_tuple(w->ev->flow, &tuple);
    try_signatures(w, x, dir);
    if (is_checked(w, CHECK_DHCP) && pkt->src_port == DHCP_CLIENT && pkt->dst_port == DHCP_SERVER)
        take_dhcp(w);
    else if (detect_datagram((struct detect_ports){ .server = tuple.port[WEIR_TOCLIENT],
                                                    .client = tuple.port[WEIR_TOSERVER] },
                             dir, w->ev->datagram.data) == APP_DNS)
        watch_dns(w, x, w->ev->datagram.data);
    name_by_port(w, x, dir);
}

void
watch_datagram(struct watch *w, struct watched *x)
{
    const struct weir_packet *pkt = w->ev->packet;

    if (pkt == NULL)
        return;
    if (pkt->proto == WEIR_PROTO_UDP)
        take_udp(w, x);
    else if (pkt->proto == WEIR_PROTO_ICMPV6 && is_checked(w, CHECK_NDP))
        watch_neighbour(w);
}
