#include "engine.h"
#include "reasm.h"

#include <string.h>

/* The endpoint of the key that the client is: 0 the lower, 1 the higher. */
static unsigned
client_end(const struct weir_flow *flow)
{
    return flow->flags & FLOW_CLIENT_HIGH ? 1 : 0;
}

void
weir_flow_tuple(const struct weir_flow *flow, struct weir_tuple *out)
{
    const struct flow_key *key = &flow->key;
    unsigned client = client_end(flow);

    memset(out, 0, sizeof(*out));
    out->ip_version = key_ip_version(key);
    out->proto = key_proto(key);
    out->has_vni = key_has_vni(key);
    out->vni = key_vni(key);
    for (unsigned side = 0; side < 2; side++) {
        unsigned end = side ^ client;
        uint32_t v4 = key_addr(key, end);

        out->port[side] = key_port(key, end);
        if (out->ip_version == 4)
            memcpy(out->addr[side].b, &v4, sizeof(v4));
        else
            out->addr[side] = flow_cold(flow)->addr6[end];
    }
    while (out->n_vlan < 2 && key_vlan(key, out->n_vlan) != NO_VLAN) {
        out->vlan[out->n_vlan] = key_vlan(key, out->n_vlan);
        out->n_vlan++;
    }
}

unsigned
weir_flow_proto(const struct weir_flow *flow)
{
    return key_proto(&flow->key);
}

uint64_t
weir_flow_id(const struct weir_flow *flow)
{
    return flow_cold(flow)->id;
}

unsigned
weir_flow_shard(const struct weir_flow *flow)
{
    const struct shard *shard = flow_shard(flow);

    return (unsigned)(shard - shard->engine->shards);
}

uint64_t
weir_flow_start_time(const struct weir_flow *flow)
{
    return flow_cold(flow)->start;
}

uint64_t
weir_flow_last_time(const struct weir_flow *flow)
{
    return flow->last;
}

enum weir_flow_phase
weir_flow_phase(const struct weir_flow *flow)
{
    if (flow->flags & FLOW_CLOSED)
        return WEIR_FLOW_CLOSED;
    return flow->flags & FLOW_ESTABLISHED ? WEIR_FLOW_ESTABLISHED : WEIR_FLOW_NEW;
}

bool
weir_flow_midstream(const struct weir_flow *flow)
{
    return flow->flags & FLOW_MIDSTREAM;
}

void
weir_flow_counts(const struct weir_flow *flow, enum weir_dir dir, struct weir_flow_counts *out)
{
    const struct side *side = &flow->side[dir];

    *out = (struct weir_flow_counts){
        .packets = side->packets,
        .bytes = side->bytes,
        .payload = reasm_delivered(flow, dir),
        .tcp_flags = (uint8_t)side->tcp_flags,
    };
}

int64_t
weir_flow_next_offset(const struct weir_flow *flow, enum weir_dir dir)
{
    return key_proto(&flow->key) == WEIR_PROTO_TCP ? flow->side[dir].next : 0;
}

size_t
weir_flow_read(const struct weir_flow *flow, enum weir_dir dir, int64_t offset, uint8_t *to,
               size_t n)
{
    if (key_proto(&flow->key) != WEIR_PROTO_TCP)
        return 0;
    return reasm_read(flow, dir, offset, to, n);
}
