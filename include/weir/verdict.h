/**
 * @file
 * Verdicts: what becomes of packets where the program stands in their way.
 *
 * With weir_monitor_opts.outlet each frame that the monitor is fed leaves through it exactly once,
 * byte for byte, or is dropped and counted once. Stages give verdicts on the packets that their
 * events are about; while a stage of an app that gates (weir_app.gates) sleeps on an event of a
 * packet, this packet and those of its flow behind it are held, in order. Other flows go on.
 *
 * Fragments leave as they come, but the one that completes a datagram has the verdict of the whole.
 * Where that did not leave, fragments of it that come within 60 s do not leave either.
 *
 * Bounds:  what is held of a flow and of a core: weir_monitor_opts. Past them packets pass without
 *          a verdict, or the newest is dropped (fail_closed); each is counted, and the event
 *          `overload` tells of the first. So it is when a flow ends while packets are held.
 * Threads: verdicts are given on the core of the event's flow.
 * Memory:  all that is held lies in a pool of the core, reserved with the first packet.
 */
#ifndef WEIR_VERDICT_H
#define WEIR_VERDICT_H

#include <weir/api.h>
#include <weir/error.h>
#include <weir/event.h>

#include <stdbool.h>
#include <stdint.h>

/** A greater one is graver. Values never change. */
enum weir_verdict {
    WEIR_PASS,
    WEIR_DROP,      /**< this packet */
    WEIR_DROP_FLOW, /**< and all packets of its flow behind it, which is still followed */
    WEIR_RESET, /**< so, and both ends are told: RSTs; if not TCP, an ICMP error to the sender */
};

/** Where packets leave. One call at a time for each core; different cores at the same time. */
struct weir_outlet {
    void *ctx;
    /**
     * Send a frame that came in at port @p from (weir_frame.port) out of the one opposite.
     *
     * @param back  out of @p from itself: our own answer to the sender.
     * @param data  lent for the call.
     * @return false: there was no room; it is counted (weir_monitor_stats.send_drops).
     */
    bool (*send)(void *ctx, unsigned core, uint8_t from, bool back, const uint8_t *data,
                 uint32_t len);
    /**
     * Behind each batch, and when nothing comes: what send() has gathered goes out. May be NULL.
     */
    void (*flush)(void *ctx, unsigned core);
};

/**
 * From a stage: what becomes of the packet that @p ev is about. The gravest verdict of all apps
 * counts; without any it passes. Harmless where there is no outlet.
 *
 * Given later, with a copy of the event: as long as an app that gates has not done with the
 * packet's events, or others of the flow are held before it, it counts as at once. When the packet
 * has left, WEIR_DROP_FLOW and WEIR_RESET hold for the flow from then on.
 *
 * WEIR_DROP for an event of type packet (or one defined on it) is about this packet: when its bytes
 * are sent again, there is another such event. For an event that comes once for the bytes or for a
 * step of the connection (flow_start, syn, syn_ack, established, state, payload, urgent, fin, rst,
 * data_on_syn, tuple_reuse) it is about these, too: later packets of the direction that hold
 * sequence numbers of this one are dropped like it.
 *
 * Events that timers raise are about no packet: of those, WEIR_DROP has no effect. So it is for
 * icmp_error: the packet that quotes the flow has left, or not, by the events of its own flow.
 *
 * @param ev  or a copy of the struct; number, flow, base, direction and the range of a payload are
 *            looked at, and the flow must not have ended.
 */
WEIR_API void weir_verdict(const struct weir_event *ev, enum weir_verdict v);

/** Who is told by weir_reject(). */
enum weir_reject_to {
    WEIR_REJECT_SENDER = 1,   /**< of the packet */
    WEIR_REJECT_RECEIVER = 2, /**< only by a RST, of a connection that it knows of */
};

/**
 * As weir_verdict() with WEIR_DROP, and when it is carried out these ends are told: a RST that each
 * of them accepts, or, if it is not TCP, an ICMP error (administratively prohibited) to the sender.
 *
 * Nobody is told of packets in tunnels, on links other than Ethernet and raw IP, that are ICMP
 * errors or RSTs themselves, or from or to an address of many hosts.
 *
 * @param to  of enum weir_reject_to, ORed.
 */
WEIR_API void weir_reject(const struct weir_event *ev, unsigned to);

/**
 * Take the urgent pointer off the TCP segment that @p ev is about, as it leaves: its flag and its
 * field become 0. So its receiver reads all bytes in band, as weir_monitor_opts.urgent_in_band
 * takes them.
 *
 * @return as weir_rewrite_payload(); WEIR_E_UNSUPPORTED: not TCP, in a tunnel, or put together from
 *         fragments.
 */
WEIR_API WEIR_MUST_USE int weir_rewrite_urgent(const struct weir_event *ev);

/** Which end of a packet weir_rewrite_endpoint() changes. */
enum weir_endpoint { WEIR_SOURCE, WEIR_DESTINATION };

/**
 * Change bytes of the payload of the packet that @p ev is about, as it leaves: weir_packet.payload,
 * which for TCP, UDP and ICMP is what follows their header. Its checksum is mended, so that one
 * that was right is right, and one that was wrong is wrong; a UDP checksum of 0 stays.
 *
 * All apps, and what is kept of the stream, go on seeing the packet as it came. So do
 * retransmissions: each is a packet of its own, to be changed again.
 *
 * @param at  from the payload's first byte.
 * @return WEIR_E_OK; WEIR_E_INVAL: not within the captured payload; WEIR_E_NOENT: the packet has
 *         left, or there is no outlet; WEIR_E_NOMEM: no room for a copy; WEIR_E_UNSUPPORTED: not
 *         TCP, UDP or ICMP, in a tunnel, or put together from fragments.
 */
WEIR_API WEIR_MUST_USE int
weir_rewrite_payload(const struct weir_event *ev, uint32_t at, const void *bytes, uint32_t n);

/**
 * Change an address, a port, or both, of the packet that @p ev is about, as it leaves. The
 * checksums of IP and of what it carries are mended. Of an ICMP echo, the port is its identifier.
 *
 * The flow is that of the addresses it came with: where both directions have to find it, answers
 * are those of another flow.
 *
 * @param addr  of the packet's IP version; NULL: stays.
 * @param port  -1: stays.
 * @return as weir_rewrite_payload(); WEIR_E_INVAL: there is no port; WEIR_E_UNSUPPORTED also behind
 *         an IPv6 routing header.
 */
WEIR_API WEIR_MUST_USE int
weir_rewrite_endpoint(const struct weir_event *ev, enum weir_endpoint which,
                      const struct weir_addr *addr, int port);

#endif
