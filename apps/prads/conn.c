#include "conn.h"

#include <weir/error.h>

#include <assert.h>
#include <string.h>

enum { CLOSED_SECONDS = 5, SHORT_SECONDS = 60, LONG_SECONDS = 300 };

static_assert(sizeof(struct conn_key) == 40, "no padding in a key");
static_assert(sizeof(struct conn) == 104, "a million connections have to fit");

int
conns_new(struct conns *conns, uint32_t max, uint64_t seed)
{
    conns->n = 0;
    return table_new(&conns->table, sizeof(struct conn), sizeof(struct conn_key), max, seed);
}

void
conns_free(struct conns *conns)
{
    table_free(&conns->table);
}

static bool
has_ports(uint8_t proto)
{
    return proto == WEIR_PROTO_TCP || proto == WEIR_PROTO_UDP;
}

bool
conn_from_high(const struct weir_packet *pkt)
{
    int order = memcmp(pkt->src.b, pkt->dst.b, pkt->ip_version == 4 ? 4 : 16);

    return order != 0 ? order > 0 : has_ports(pkt->proto) && pkt->src_port > pkt->dst_port;
}

/* Protocols but TCP, UDP and ICMP are one. */
static uint8_t
proto_of(uint8_t proto)
{
    return has_ports(proto) || proto == WEIR_PROTO_ICMP || proto == WEIR_PROTO_ICMPV6 ? proto : 0;
}

struct conn *
conns_get(struct conns *conns, const struct weir_packet *pkt, bool *made)
{
    bool high = conn_from_high(pkt);
    size_t size = pkt->ip_version == 4 ? 4 : 16;
    struct conn_key key = { .proto = proto_of(pkt->proto), .version = pkt->ip_version };
    uint64_t words[sizeof(key) / 8];
    struct conn *conn;

    memcpy(key.addr[high].b, pkt->src.b, size);
    memcpy(key.addr[!high].b, pkt->dst.b, size);
    if (has_ports(pkt->proto)) {
        key.port[high] = pkt->src_port;
        key.port[!high] = pkt->dst_port;
    }
    memcpy(words, &key, sizeof(key));
    conn = table_add(&conns->table, words, made);
    if (conn == NULL || !*made)
        return conn;
    conn->number = ++conns->n;
    conn->client_high = high;
    conn->start = (uint32_t)(pkt->time / 1000000000);
    return conn;
}

static void
swap64(uint64_t v[2])
{
    uint64_t first = v[0];

    v[0] = v[1];
    v[1] = first;
}

void
conn_swap(struct conn *conn)
{
    uint8_t flags = conn->tcp_flags[0];

    conn->client_high = !conn->client_high;
    swap64(conn->packets);
    swap64(conn->bytes);
    conn->tcp_flags[0] = conn->tcp_flags[1];
    conn->tcp_flags[1] = flags;
}

enum conn_end
conn_is_over(const struct conn *conn, uint64_t now)
{
    uint64_t idle = now > conn->last ? now - conn->last : 0;
    uint8_t both = conn->tcp_flags[0] & conn->tcp_flags[1];
    uint8_t any = conn->tcp_flags[0] | conn->tcp_flags[1];

    switch (conn->key.proto) {
    case WEIR_PROTO_TCP:
        if ((both & WEIR_TH_FIN || any & WEIR_TH_RST) && idle > CLOSED_SECONDS)
            return CONN_ENDED;
        return idle > LONG_SECONDS ? CONN_EXPIRED : CONN_LIVES;
    case WEIR_PROTO_UDP:
    case WEIR_PROTO_ICMP:
    case WEIR_PROTO_ICMPV6:
        return idle > SHORT_SECONDS ? CONN_EXPIRED : CONN_LIVES;
    default:
        return idle > LONG_SECONDS ? CONN_EXPIRED : CONN_LIVES;
    }
}
