/**
 * @file
 * Flows: both directions of one innermost 5-tuple, plus VLAN ids and VXLAN/Geneve VNI.
 *
 * Threads: a flow belongs to the core that sees its packets; call these from its handlers only.
 * Memory:  a flow lives from its flow_start to the return of its last flow_end handler, and as long
 *          as a tap of it sleeps.
 */
#ifndef WEIR_FLOW_H
#define WEIR_FLOW_H

#include <weir/api.h>
#include <weir/packet.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weir_flow; /* opaque */

/**
 * What a flow is keyed by, client first: addresses and ports are those of the innermost IP packet
 * that can be read. Where a tunnel carries frames, the VLAN ids are those of the inner frame, or,
 * if it has no tag, those around it. Of tunnels nothing but the VNI counts: keys, TEIDs and outer
 * addresses may differ by direction.
 */
struct weir_tuple {
    struct weir_addr addr[2]; /**< client, server */
    uint16_t port[2];         /**< client, server */
    uint16_t vlan[2];
    uint32_t vni; /**< VXLAN or Geneve network identifier, the innermost; has_vni: there is one */
    bool has_vni;
    uint8_t n_vlan;
    uint8_t ip_version; /**< 4 or 6 */
    uint8_t proto;      /**< IP protocol number */
};

/** How far a flow has come. */
enum weir_flow_phase {
    WEIR_FLOW_NEW,         /**< one side was seen, or a handshake is under way */
    WEIR_FLOW_ESTABLISHED, /**< TCP: handshake complete, or midstream; others: both seen */
    WEIR_FLOW_CLOSED,      /**< TCP: both FINs, or a RST, were accepted */
};

/** Counters of one direction, without packets whose checksum is wrong. */
struct weir_flow_counts {
    uint64_t packets;  /**< modulo 2^32 */
    uint64_t bytes;    /**< whole frames, as on the wire; modulo 2^40 */
    uint64_t payload;  /**< bytes delivered to handlers */
    uint8_t tcp_flags; /**< all flags seen, ORed */
};

/** Tell what the flow is keyed by. */
WEIR_API void weir_flow_tuple(const struct weir_flow *flow, struct weir_tuple *out);

/** @return the IP protocol number. */
WEIR_API unsigned weir_flow_proto(const struct weir_flow *flow);

/** @return the number of the flow's first packet (weir_packet.number). Unique in a run. */
WEIR_API uint64_t weir_flow_id(const struct weir_flow *flow);

/**
 * Which of the 256 parts of all flows it belongs to, by a hash that is the same in every run and
 * for any number of cores. A part is one core's: the first core has part 0 and every
 * weir_monitor_opts.cores-th behind it, the next one 1, and so on. An app whose answers shall not
 * depend on the number of cores has its limits by part, not by core.
 *
 * @return 0 .. 255.
 */
WEIR_API unsigned weir_flow_shard(const struct weir_flow *flow);

/** @return time of the first packet, nanoseconds since 1970-01-01 UTC. */
WEIR_API uint64_t weir_flow_start_time(const struct weir_flow *flow);

/**
 * @return the greatest packet time of the run when the flow's latest packet came, nanoseconds since
 *         1970-01-01 UTC.
 */
WEIR_API uint64_t weir_flow_last_time(const struct weir_flow *flow);

/** @return how far it has come, in both directions. */
WEIR_API enum weir_flow_phase weir_flow_phase(const struct weir_flow *flow);

/** @return true if the flow was picked up without its SYN. */
WEIR_API bool weir_flow_midstream(const struct weir_flow *flow);

/** Tell what one direction has counted so far, the packet at hand included. */
WEIR_API void
weir_flow_counts(const struct weir_flow *flow, enum weir_dir dir, struct weir_flow_counts *out);

/** @return the next byte of @p dir that was not delivered yet (TCP); 0 for others. */
WEIR_API int64_t weir_flow_next_offset(const struct weir_flow *flow, enum weir_dir dir);

/**
 * Copy bytes of a direction that were delivered and are still retained (TCP): a window of
 * weir_app.history bytes back from what the receiver acknowledged, up to what was delivered last.
 * An urgent byte is among them, also where no payload event showed it, as without
 * weir_monitor_opts.urgent_in_band none does.
 * Once the flow has ended they are gone, so in a tap's on_end. Where no app has a history, some are
 * there, but not for long.
 *
 * @param offset  of the first byte wanted.
 * @param to      room for @p n bytes.
 * @return how many bytes from @p offset on were copied; fewer than @p n where a gap, memory that
 *         ran out, or the end of the stream cut them.
 */
WEIR_API size_t weir_flow_read(const struct weir_flow *flow, enum weir_dir dir, int64_t offset,
                               uint8_t *to, size_t n);

#endif
