/**
 * @file
 * The monitor: packets in, flow events out, to the apps that were added.
 *
 * Use: weir_monitor_new(), weir_monitor_add() for each app, weir_monitor_run() for each port (or
 * weir_monitor_feed() for packets of your own), weir_monitor_end(), weir_monitor_free().
 *
 * Threads: a monitor belongs to one thread; two monitors share nothing. With
 *          weir_monitor_opts.cores its stages run on threads of its own, too: those of one flow
 *          always on the same one.
 * Memory:  address space is reserved with the first packet and used as needed, up to memcap. Flows
 *          refer to the bytes of stable frames: their port stays open until weir_monitor_end().
 * Time:    weir_after() and weir_timeout() in stages count packet time, in steps of 100 ms.
 */
#ifndef WEIR_MONITOR_H
#define WEIR_MONITOR_H

#include <weir/error.h>
#include <weir/event.h>
#include <weir/flow.h>
#include <weir/port.h>
#include <weir/tap.h>
#include <weir/verdict.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weir_monitor; /* opaque */
struct weir_shared;

/** What a target host is: which of two conflicting segments it believes. Values never change. */
enum weir_policy {
    WEIR_POLICY_LINUX,
    WEIR_POLICY_FIRST, /**< what came first stays */
    WEIR_POLICY_LAST,  /**< what came last stays */
    WEIR_POLICY_BSD,
    WEIR_POLICY_OLD_LINUX,
    WEIR_POLICY_WINDOWS,
    WEIR_POLICY_WINDOWS2K3,
    WEIR_POLICY_VISTA,
    WEIR_POLICY_SOLARIS,
    WEIR_POLICY_MACOS,
    WEIR_POLICY_IRIX,
    WEIR_POLICY_HPUX10,
    WEIR_POLICY_HPUX11,
    WEIR_POLICY_COUNT
};

/** The name of a policy, "old-linux"; NULL: there is none of this number. */
WEIR_API const char *weir_policy_name(unsigned policy);

/** The policy of a name, bsd-right (bsd) and old-solaris (solaris) included; -1: there is none. */
WEIR_API int weir_policy_find(const char *name);

/** What the hosts of a network are. */
struct weir_host_policy {
    struct weir_addr addr; /**< IPv4: the first four bytes */
    uint8_t ip_version;    /**< 4 or 6 */
    uint8_t prefix;        /**< leading bits of addr that count: at most 32 or 128 */
    enum weir_policy policy;
};

/** A flow ends after so long without a packet; "established" also means: both sides were seen. */
enum weir_timeout {
    WEIR_TIMEOUT_TCP_NEW,          /**< 60 s */
    WEIR_TIMEOUT_TCP_ESTABLISHED,  /**< 600 s */
    WEIR_TIMEOUT_TCP_CLOSED,       /**< 60 s */
    WEIR_TIMEOUT_UDP_NEW,          /**< 30 s */
    WEIR_TIMEOUT_UDP_ESTABLISHED,  /**< 300 s */
    WEIR_TIMEOUT_ICMP_NEW,         /**< 30 s */
    WEIR_TIMEOUT_ICMP_ESTABLISHED, /**< 300 s */
    WEIR_TIMEOUT_OTHER,            /**< 60 s, all other protocols */
    WEIR_TIMEOUT_COUNT
};

/** The longest timeout, in seconds: 31 years. */
#define WEIR_TIMEOUT_MAX UINT32_C(1000000000)

struct weir_monitor_opts {
    uint64_t memcap; /**< bytes; 0: 4 GiB; at least 256 MiB */
    uint32_t retain; /**< acknowledged bytes a direction with which what comes again is compared;
                          0: 64 KiB; at most 16 MiB. Data not acknowledged are, always */
    uint32_t timeout[WEIR_TIMEOUT_COUNT]; /**< seconds of packet time, by enum weir_timeout; 0: the
                          default; at most WEIR_TIMEOUT_MAX */
    uint64_t seed; /**< of hashes (debug builds: of the core too); never changes the output. A
                        program that reads packets of strangers draws it at random: who knows it
                        can choose flows that collide, and make each as dear as all before it */
    enum weir_policy policy; /**< of hosts that are in no network of hosts */
    const struct weir_host_policy
        *hosts; /**< n_hosts of them, copied. The receiver of data decides;
                                               the longest prefix wins, of equal ones the last */
    size_t n_hosts;
    bool no_checksums; /**< take every checksum as right */
    bool bad_udp;      /**< take UDP packets with a wrong checksum of their own like others, behind
                            the event that tells of it: they have no stream that they could spoil.
                            Not those that were put together from fragments */
    bool no_vlan; /**< flows and fragments go by addresses and ports alone, whatever VLANs their
                            packets are in: for links where the directions are tagged differently */
    bool urgent_in_band; /**< urgent bytes are part of the stream, as hosts read them that were told
                              to (SO_OOBINLINE); else they are left out of it */
    bool one_sided; /**< flows may come with their client's side only, so what a client sends before
                         its server is heard is taken at once; else it waits for the SYN/ACK, and
                         is taken if there is none for a second from the SYN on */
    bool packets_only; /**< only tell flow_start, packet and flow_end: TCP is not followed, streams
                                 are not put together, flows end by timeout */
    uint32_t cores; /**< threads that follow flows, the caller's among them; 0: 1; at most 64. Each
                         has its own flows: see weir_app.core_arg */
    bool live;      /**< go on when a port has nothing for the moment; where the queue behind a
                            sleeping stage is full, drop the event before other handlers run */

    /* Inline: weir/verdict.h. What is held is bounded. */
    const struct weir_outlet
        *outlet;      /**< copied, but not its ctx; NULL: passive, nothing is held */
    bool fail_closed; /**< past the bounds, and where fragments find no room, the newest packet is
                           dropped; else packets pass */
    uint32_t held_packets; /**< of a flow; 0: 256; at most 65535 */
    uint32_t held_flow;    /**< bytes of a flow; 0: 1 MiB */
    uint64_t
        held_core; /**< bytes of a core, with what is noted of them; 0: 64 MiB; at most 64 GiB */
};

/** A program part that listens: one tap of it hangs on every flow. */
struct weir_app {
    const char *name;                 /**< static */
    const struct weir_tap_spec *spec; /**< stages, wanted events; must outlive the monitor */
    size_t flow_size; /**< bytes of the app's state in each flow, aligned to 16 and zeroed at
                           flow_start; stages and on_end get its address as ctx. Events
                           without a flow share 256, one for each part of the flows. */
    uint32_t history; /**< bytes of each direction's stream that weir_flow_read() can give back
                           while the flow lives; 0: none. At most 1 MiB */
    bool
        no_flow_packets; /**< packets that belong to no flow, too, are shown to it as WEIR_EV_PACKET
                               if it wants that: not IP, malformed, fragments that complete
                               nothing */
    bool gates; /**< inline: packets wait for its verdict while its stages sleep. Not those that
                      belong to no flow, of which counts what is said at once */
    void *arg;  /**< handed out as weir_event.app */
    void *const *core_arg; /**< weir_monitor_opts.cores of them, copied: what each core hands out
                                instead; NULL: arg, which all use at the same time */
};

/**
 * Whether an event is also one of the program's own. Called in the order of the packets, for every
 * base event of a flow; it must not wait.
 *
 * @param arg   weir_event_def.arg.
 * @param state weir_event_def.flow_size bytes of this flow, for a filter that looks at several
 *              packets; events without a flow share 256.
 * @param ev    of type weir_event_def.base, lent.
 */
typedef bool weir_event_filter(void *arg, void *state, const struct weir_event *ev);

/** An event of the program's own. */
struct weir_event_def {
    const char *name; /**< static, for people */
    unsigned base;    /**< enum weir_event_type, or what weir_event_define() gave */
    weir_event_filter *filter;
    void *arg;        /**< of the filter */
    size_t flow_size; /**< bytes of the filter's state in each flow, aligned to 16, zeroed at
                           flow_start; may be 0 */
};

/**
 * Counters of a run. They only grow, but for live_flows, memory and held.
 *
 * Inline, packets = forwarded + send_drops + dropped + fail_closed + held.
 */
struct weir_monitor_stats {
    uint64_t packets;    /**< fed, good or bad */
    uint64_t bytes;      /**< on the wire */
    uint64_t flows;      /**< flow_start events */
    uint64_t live_flows; /**< right now */
    uint64_t no_flow;    /**< packets that belong to no flow: not IP, for example */
    uint64_t lookups;    /**< searches of the flow table: one for each packet of a flow, and one for
                               each ICMP error, for the flow that it quotes */
    uint64_t fragments;  /**< IP fragments (part of no_flow, but those that complete a datagram) */
    uint64_t datagrams;  /**< put together from IP fragments */
    uint64_t undelivered; /**< payload bytes behind holes that were never acknowledged */
    uint64_t bad_checksums;
    bool offload; /**< more than 20 % of a sender's checksums are wrong: its network card computes
                       them behind the capture, so they should not be verified */
    uint64_t tap_dropped; /**< events dropped behind sleeping stages; in a replay only where no
                               handler could run to wake the stage */
    uint64_t memory;      /**< bytes in use now, of memcap */
    uint64_t overload[WEIR_OVERLOAD_COUNT]; /**< how often each limit was hit */

    /* Inline. */
    uint64_t forwarded;   /**< packets that left */
    uint64_t send_drops;  /**< that the outlet had no room for */
    uint64_t dropped;     /**< by a verdict, on them or on their flow */
    uint64_t fail_closed; /**< dropped past the bounds, those of fragments among them */
    uint64_t fail_open; /**< of forwarded: before an app that gates had done with them, or fragments
                               that took the place of others */
    uint64_t held;      /**< right now */
    uint64_t held_max;  /**< the most of a core so far */
    uint64_t rejects;   /**< RSTs and ICMP errors of our own that were sent */
    uint64_t rewritten; /**< of forwarded: with other bytes than they came with */
    uint64_t
        late_fragments; /**< of dropped: of a datagram that was dropped less than 60 s before */

    uint64_t events[WEIR_EV_COUNT];        /**< raised, wanted or not */
    uint64_t defined[WEIR_EV_DEFINED_MAX]; /**< the program's own; 0 of those that nobody wants */
};

/**
 * @param[in]  opts copied; NULL for the defaults.
 * @param[out] out  freed with weir_monitor_free(); NULL on error.
 * @return WEIR_E_OK, WEIR_E_NOMEM, WEIR_E_INVAL.
 */
WEIR_API WEIR_MUST_USE int
weir_monitor_new(const struct weir_monitor_opts *opts, struct weir_monitor **out);

/**
 * Define an event: whenever the filter accepts the base event it is raised, right behind that, with
 * the same fields. Only before the first packet, and before the apps that want it.
 *
 * Neither filter nor state cost anything in a run where no app wants the event, or one that is
 * defined on it.
 *
 * @param      def  copied, but not what it points to.
 * @param[out] type for weir_tap_spec.want, as WEIR_EV_BIT(type), for weir_event.type, and as base
 *                  of further definitions.
 * @return WEIR_E_OK; WEIR_E_LIMIT over WEIR_EV_DEFINED_MAX; WEIR_E_INVAL after the first packet, or
 *         without filter, or if there is no such base.
 */
WEIR_API WEIR_MUST_USE int
weir_event_define(struct weir_monitor *m, const struct weir_event_def *def, unsigned *type);

/** The name of any event of this monitor; NULL: there is none of this type. */
WEIR_API const char *weir_monitor_event_name(const struct weir_monitor *m, unsigned type);

/**
 * Let @p app listen. Only before the first packet.
 *
 * @param app copied, but not what it points to.
 * @return WEIR_E_OK; WEIR_E_LIMIT over 16 apps; WEIR_E_INVAL after the first packet, if
 *         weir_app.history is too large, or if the spec has more than 255 stages, or wants events
 *         and has none, or wants events that there are not.
 */
WEIR_API WEIR_MUST_USE int weir_monitor_add(struct weir_monitor *m, const struct weir_app *app);

/**
 * Feed frames in the order they came; numbers and the clock go on from call to call.
 *
 * @param n at most what the caller likes; batches of 32 and more are fastest. 0: handlers that can
 *          run do, live those too that slept on a log (weir/log.h).
 * @return WEIR_E_OK; with the first packet: WEIR_E_NOMEM, or WEIR_E_LIMIT if the apps' state in a
 *         flow is too large. The monitor can only be freed then.
 */
WEIR_API WEIR_MUST_USE int
weir_monitor_feed(struct weir_monitor *m, const struct weir_frame *frames, unsigned n);

/**
 * Read @p port to its end (with weir_monitor_opts.live: until weir_monitor_stop()) and feed what it
 * gives. The queues of a live port are read at the same time where each can have a core.
 *
 * @param[out] err  gets a text for errors of the port only; may be NULL.
 * @return WEIR_E_OK, or what weir_port_read(), weir_port_read_queue() or weir_monitor_feed()
 *         returned.
 */
WEIR_API WEIR_MUST_USE int
weir_monitor_run(struct weir_monitor *m, struct weir_port *port, struct weir_errbuf *err);

/**
 * Let all cores of the monitor use a table (weir/shared.h), from its stages: what they ask of it is
 * answered as if one core had followed all flows, in the order of packets. A core whose turn has
 * not come waits for the others. Only what handlers ask once they slept on a log, or on a timer
 * that was made at a tick, is answered core by core where several wake at once.
 *
 * @param s  outlives the monitor, or its end.
 */
WEIR_API void weir_monitor_share(const struct weir_monitor *m, struct weir_shared *s);

/** Make weir_monitor_run() return soon, now and in later calls. Async-signal-safe. */
WEIR_API void weir_monitor_stop(struct weir_monitor *m);

/**
 * The input is over: end every flow, in the order of their ids, and wait for what sleeps on time.
 * What sleeps on anything else then is cancelled.
 */
WEIR_API void weir_monitor_end(struct weir_monitor *m);

/**
 * Copy the counters. Threads: the monitor's, or one of its handlers; exact when no core is at work,
 * as when weir_monitor_run() or weir_monitor_end() has returned, else about.
 */
WEIR_API void weir_monitor_get_stats(const struct weir_monitor *m, struct weir_monitor_stats *out);

/** Free; NULL is allowed. Call weir_monitor_end() before, or flows end without a word. */
WEIR_API void weir_monitor_free(struct weir_monitor *m);

#endif
