/**
 * @file
 * Flow events: what the engine noticed, with its fields (doc/events.md says when each is raised).
 *
 * Ownership: an event is lent to a stage until the stage returns; what has to live past a wait is
 * copied first. An event that queues behind a sleeping stage is held by the engine meanwhile, with
 * the bytes that it shows, its struct weir_packet, and that packet's frame.
 */
#ifndef WEIR_EVENT_H
#define WEIR_EVENT_H

#include <weir/api.h>
#include <weir/packet.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weir_flow;
struct weir_tap;

/* The order here is the order of the manual, not of delivery within a packet. */
/* clang-format off */
#define WEIR_EVENT_LIST(X)                                                                         \
    X(PACKET,          packet)                                                                     \
    X(FLOW_START,      flow_start)                                                                 \
    X(SYN,             syn)                                                                        \
    X(SYN_ACK,         syn_ack)                                                                    \
    X(ESTABLISHED,     established)                                                                \
    X(STATE,           state)                                                                      \
    X(PAYLOAD,         payload)                                                                    \
    X(DATAGRAM,        datagram)                                                                   \
    X(OUT_OF_ORDER,    out_of_order)                                                               \
    X(GAP,             gap)                                                                        \
    X(RETRANSMIT,      retransmit)                                                                 \
    X(FAKE_RETRANSMIT, fake_retransmit)                                                            \
    X(FIN,             fin)                                                                        \
    X(RST,             rst)                                                                        \
    X(BAD_RST,         bad_rst)                                                                    \
    X(RST_IGNORED,     rst_ignored)                                                                \
    X(OUT_OF_WINDOW,   out_of_window)                                                              \
    X(BAD_ACK,         bad_ack)                                                                    \
    X(BAD_TIMESTAMP,   bad_timestamp)                                                              \
    X(BAD_OPTION,      bad_option)                                                                 \
    X(BAD_HANDSHAKE,   bad_handshake)                                                              \
    X(SYN_IN_FLOW,     syn_in_flow)                                                                \
    X(TUPLE_REUSE,     tuple_reuse)                                                                \
    X(DATA_ON_SYN,     data_on_syn)                                                                \
    X(URGENT,          urgent)                                                                     \
    X(BAD_FLAGS,       bad_flags)                                                                  \
    X(DATA_AFTER_END,  data_after_end)                                                             \
    X(ZERO_WINDOW,     zero_window)                                                                \
    X(WINDOW_PROBE,    window_probe)                                                               \
    X(KEEPALIVE,       keepalive)                                                                  \
    X(WINDOW_UPDATE,   window_update)                                                              \
    X(DUP_ACK,         dup_ack)                                                                    \
    X(TTL_JUMP,        ttl_jump)                                                                   \
    X(BAD_CHECKSUM,    bad_checksum)                                                               \
    X(BAD_PACKET,      bad_packet)                                                                 \
    X(FRAG_OVERLAP,    frag_overlap)                                                               \
    X(FRAG_TIMEOUT,    frag_timeout)                                                               \
    X(FRAG_BAD,        frag_bad)                                                                   \
    X(ICMP_ERROR,      icmp_error)                                                                 \
    X(OVERLOAD,        overload)                                                                   \
    X(FLOW_END,        flow_end)
/* clang-format on */

enum weir_event_type {
#define X(upper, lower) WEIR_EV_##upper,
    WEIR_EVENT_LIST(X)
#undef X
        WEIR_EV_COUNT
};

/** The bit of an event in a mask, e.g. weir_tap_spec.want. */
#define WEIR_EV_BIT(type) (UINT64_C(1) << (type))
#define WEIR_EV_ALL       (WEIR_EV_BIT(WEIR_EV_COUNT) - 1)

/** A monitor has room for so many events of the program's own: weir_event_define(). */
enum { WEIR_EV_DEFINED_MAX = 16 };

/** State of one end of a TCP connection (event state), RFC 9293 section 3.3.2. */
enum weir_tcp_state {
    WEIR_TCP_CLOSED,
    WEIR_TCP_LISTEN,
    WEIR_TCP_SYN_SENT,
    WEIR_TCP_SYN_RECEIVED,
    WEIR_TCP_ESTABLISHED,
    WEIR_TCP_FIN_WAIT_1,
    WEIR_TCP_FIN_WAIT_2,
    WEIR_TCP_CLOSE_WAIT,
    WEIR_TCP_CLOSING,
    WEIR_TCP_LAST_ACK,
    WEIR_TCP_TIME_WAIT,
};

/** Why bytes will not come (event gap). */
enum weir_gap_cause {
    WEIR_GAP_ACKED,
    WEIR_GAP_MEMCAP,
    WEIR_GAP_ONE_SIDED,
    WEIR_GAP_NEVER_ACKED,
};

/** Which copy of conflicting bytes the target keeps (event fake_retransmit). */
enum weir_kept { WEIR_KEPT_OLD, WEIR_KEPT_NEW };

/** Where a packet was wrong (events bad_checksum and bad_packet). */
enum weir_layer {
    WEIR_LAYER_LINK,
    WEIR_LAYER_VLAN,
    WEIR_LAYER_IPV4,
    WEIR_LAYER_IPV6,
    WEIR_LAYER_TCP,
    WEIR_LAYER_UDP,
    WEIR_LAYER_ICMP,
    WEIR_LAYER_ICMPV6,
    WEIR_LAYER_MPLS,
    WEIR_LAYER_PPP,    /**< also PPPoE */
    WEIR_LAYER_TUNNEL, /**< header of GRE, ERSPAN, NSH, VXLAN, Geneve, GTP-U or Teredo */
};

/** What is wrong with a packet (event bad_packet). */
enum weir_bad {
    WEIR_BAD_NONE,
    WEIR_BAD_TRUNCATED,     /**< the snap length cut a header */
    WEIR_BAD_TOO_SHORT,     /**< the packet ends before its header does */
    WEIR_BAD_VERSION,       /**< IP version field */
    WEIR_BAD_HEADER_LENGTH, /**< header length field below the minimum or past the end */
    WEIR_BAD_LENGTH,        /**< total or payload length contradicts the frame */
    WEIR_BAD_OPTIONS,       /**< options run past their header */
    WEIR_BAD_LAYERS,        /**< more layers than the decoder follows */
};

/** Why a RST is not accepted (event bad_rst). */
enum weir_bad_rst {
    WEIR_BAD_RST_IN_WINDOW,     /**< not at the next byte: the target answers with a challenge */
    WEIR_BAD_RST_OUT_OF_WINDOW, /**< dropped */
    WEIR_BAD_RST_ACK,           /**< before the handshake's end: does not acknowledge the SYN */
    WEIR_BAD_RST_MD5,           /**< carries a signature (MD5, AO) that was not negotiated */
    WEIR_BAD_RST_TIMESTAMP,     /**< answers a SYN, but echoes a timestamp that this did not have */
};

/** What is wrong with an acknowledgement (event bad_ack). */
enum weir_bad_ack {
    WEIR_BAD_ACK_UNSENT, /**< of bytes that were never sent, nor allowed to be */
    WEIR_BAD_ACK_OLD,    /**< further back than the largest window (RFC 5961 section 5.2) */
    WEIR_BAD_ACK_UNSEEN, /**< of bytes that nobody saw being sent; its data waits for the
                              receiver */
};

/** What is wrong with a timestamp (event bad_timestamp). */
enum weir_bad_timestamp {
    WEIR_BAD_TIMESTAMP_OLD,        /**< PAWS: older than the latest; the segment is dropped */
    WEIR_BAD_TIMESTAMP_MISSING,    /**< agreed on, and not there */
    WEIR_BAD_TIMESTAMP_UNEXPECTED, /**< there, and not agreed on */
    WEIR_BAD_TIMESTAMP_ECHO,       /**< answers a SYN, but echoes what this did not have */
};

/** Which option makes a target drop a segment (event bad_option). */
enum weir_bad_option {
    WEIR_BAD_OPTION_MD5,       /**< RFC 2385, not negotiated */
    WEIR_BAD_OPTION_AO,        /**< RFC 5925, not negotiated */
    WEIR_BAD_OPTION_MALFORMED, /**< a length that cannot be; the segment itself is taken */
};

/** What is wrong in a handshake (event bad_handshake); the segment is ignored. */
enum weir_bad_handshake {
    WEIR_BAD_HANDSHAKE_SYN_SEQ,     /**< a SYN again, with another sequence number */
    WEIR_BAD_HANDSHAKE_SYN_ACK_SEQ, /**< a SYN/ACK again, with another sequence number */
    WEIR_BAD_HANDSHAKE_SYN_ACK_ACK, /**< a SYN/ACK that does not acknowledge the SYN */
    WEIR_BAD_HANDSHAKE_DIRECTION,   /**< a SYN/ACK from the client, a SYN from the server */
    WEIR_BAD_HANDSHAKE_ACK,         /**< a third step that does not acknowledge the SYN/ACK */
    WEIR_BAD_HANDSHAKE_FLOOD,       /**< a SYN after many others that nobody answered; it counts */
};

/**
 * Flags that no honest host sets (event bad_flags). The target ignores null, xmas and no_ack: so
 * does the engine, unless an ACK of the target's covers their bytes.
 */
enum weir_bad_flags {
    WEIR_BAD_FLAGS_SYN_FIN,  /**< ignored; but with ACK, to a client, it is a SYN/ACK */
    WEIR_BAD_FLAGS_SYN_RST,  /**< a RST; ignored where nothing else of either side was seen */
    WEIR_BAD_FLAGS_NULL,     /**< none at all */
    WEIR_BAD_FLAGS_XMAS,     /**< FIN, PSH and URG, without ACK */
    WEIR_BAD_FLAGS_NO_ACK,   /**< no ACK where only SYN and RST go without */
    WEIR_BAD_FLAGS_RST_DATA, /**< a RST with payload; it counts as one without */
};

/** What came before the bytes of data_after_end. */
enum weir_after_end { WEIR_AFTER_FIN, WEIR_AFTER_RST };

/** What is wrong with an IP fragment (event frag_bad). */
enum weir_frag_bad {
    WEIR_FRAG_ZERO_LENGTH, /**< it holds no byte */
    WEIR_FRAG_TOO_LONG,    /**< it ends beyond the 65,535 bytes of a datagram */
    WEIR_FRAG_UNALIGNED,   /**< not the last one, and its length is no multiple of eight */
    WEIR_FRAG_TINY,        /**< the first one, and it does not hold the whole transport header */
    WEIR_FRAG_END,         /**< contradicts another one as to where the datagram ends */
};

/** Why a flow ended (event flow_end). */
enum weir_end_reason {
    WEIR_END_FIN,
    WEIR_END_RST,
    WEIR_END_TIMEOUT,
    WEIR_END_REUSE,
    WEIR_END_EVICTED,
    WEIR_END_EOF,
};

/** Which limit was hit (event overload). */
enum weir_overload {
    WEIR_OVERLOAD_FLOWS,     /**< no memory for a new flow */
    WEIR_OVERLOAD_MEMCAP,    /**< no memory for out-of-order data */
    WEIR_OVERLOAD_SEGMENTS,  /**< too many out-of-order segments in one direction */
    WEIR_OVERLOAD_TAP_QUEUE, /**< too many events behind a sleeping stage; the other taps are
                                  told */
    WEIR_OVERLOAD_FRAGMENTS, /**< no room for IP fragments: a datagram was given up */
    WEIR_OVERLOAD_HELD,      /**< inline: too much is held behind a sleeping stage; once until it
                             wakes */
    WEIR_OVERLOAD_COUNT
};

/** Bytes that an event shows; lent like the event itself. */
struct weir_bytes {
    const uint8_t *p;
    uint32_t n;
};

/**
 * An event. The union's member named like the event holds its own fields; `length` counts bytes,
 * `offset` is a position in the direction's byte stream, 0 at the first byte after the SYN (or
 * the first byte seen, midstream) and negative before it.
 */
struct weir_event {
    uint8_t type;      /**< enum weir_event_type, or one that weir_event_define() gave */
    uint8_t direction; /**< enum weir_dir; of the packet, or of the bytes a timer gave up */
    bool has_flow;     /**< false: flow is NULL, and direction means nothing */
    bool stable;       /**< bytes shown live until the port is closed */
    uint8_t base;      /**< enum weir_event_type: whose own fields it has. Of an event that was
                            defined by a program, what it goes back to; else type itself */
    uint64_t time;     /**< nanoseconds since 1970-01-01 UTC; an expiry's: its deadline */
    uint64_t number;   /**< packet number; 0: raised by a timer or the end of the run */
    const struct weir_packet *packet; /**< NULL where number is 0; but frag_timeout shows what is
                                           known: addresses, protocol, VLAN ids, no bytes */
    struct weir_flow *flow;           /**< NULL: the packet belongs to none */
    void *app;                        /**< weir_app.arg of the app that is being called */
    struct weir_tap *tap; /**< that app's, of the flow: weir_tap_want() when it has seen enough */
    union {
        struct {
            bool midstream;
        } flow_start;
        struct {
            uint16_t mss;   /**< 0: option absent */
            int16_t wscale; /**< -1: option absent */
            bool sack, ts, tfo;
        } syn; /**< also syn_ack */
        struct {
            int64_t rtt; /**< microseconds from the flow's first packet to the third step */
        } established;
        struct {
            uint8_t client; /**< enum weir_tcp_state */
            uint8_t server;
        } state;
        struct {
            int64_t offset;
            int64_t length;
            struct weir_bytes data;
            bool after_gap; /**< the first bytes behind a gap event */
        } payload;
        struct {
            int64_t length; /**< on the wire; data may be cut by the snap length */
            struct weir_bytes data;
        } datagram;
        struct {
            int64_t offset;
            int64_t length;
            int64_t hole; /**< bytes missing before offset */
        } out_of_order;
        struct {
            int64_t offset;
            int64_t length;
            uint8_t cause; /**< enum weir_gap_cause */
        } gap;
        struct {
            int64_t offset; /**< of the bytes seen before */
            int64_t length;
            int64_t fresh; /**< field "new": bytes of the segment not seen before */
            bool acked;    /**< the receiver had acknowledged all of them */
            bool verified; /**< compared with what was really seen */
            bool syn, fin;
        } retransmit;
        struct {
            int64_t offset; /**< of the overlap */
            int64_t length;
            int64_t diff_offset; /**< first to last differing byte */
            int64_t diff_length;
            uint8_t kept; /**< enum weir_kept */
            struct weir_bytes
                old_data; /**< from diff_offset on, diff_length bytes, but 65,536 at most, and none
                               if only a digest was left: old_data.n says how many */
            struct weir_bytes new_data;
        } fake_retransmit;
        struct {
            int64_t offset;
            int64_t length;
        } out_of_window;
        struct {
            uint8_t why; /**< enum weir_bad_rst */
        } bad_rst;
        struct {
            uint8_t why; /**< enum weir_bad_ack */
        } bad_ack;
        struct {
            uint8_t why; /**< enum weir_bad_timestamp */
        } bad_timestamp;
        struct {
            uint8_t why; /**< enum weir_bad_option */
        } bad_option;
        struct {
            uint8_t why; /**< enum weir_bad_handshake */
        } bad_handshake;
        struct {
            uint8_t why; /**< enum weir_bad_flags */
        } bad_flags;
        struct {
            uint8_t why; /**< enum weir_after_end */
        } data_after_end;
        struct {
            bool tfo; /**< the SYN has the Fast Open option (RFC 7413) */
        } data_on_syn;
        struct {
            int64_t offset; /**< of the urgent byte, which is not part of the stream, but with
                                 weir_monitor_opts.urgent_in_band */
        } urgent;
        struct {
            int64_t ttl;   /**< TTL or hop limit of this packet */
            int64_t usual; /**< what its sender has used before */
        } ttl_jump;
        struct {
            uint8_t layer; /**< enum weir_layer */
        } bad_checksum;
        struct {
            uint8_t layer; /**< enum weir_layer */
            uint8_t why;   /**< enum weir_bad */
        } bad_packet;
        struct {
            bool conflict;  /**< the bytes that were there differ */
            bool discarded; /**< the target gives up the whole datagram */
        } frag_overlap;
        struct {
            uint8_t why;    /**< enum weir_frag_bad */
            bool discarded; /**< the target gives up the whole datagram */
        } frag_bad;
        struct {
            int64_t type, code; /**< of the ICMP packet, which is weir_event.packet */
        } icmp_error;           /**< direction: that of the packet that the error quotes */
        struct {
            uint8_t what;  /**< enum weir_overload */
            int64_t count; /**< how often so far in this run */
        } overload;
        struct {
            uint8_t reason; /**< enum weir_end_reason */
            int64_t pkts_toserver, pkts_toclient;
            int64_t bytes_toserver, bytes_toclient;     /**< whole frames, as on the wire */
            int64_t payload_toserver, payload_toclient; /**< bytes delivered */
            int64_t undelivered; /**< bytes behind a hole never acknowledged */
        } flow_end;
    };
};

/** How a field is stored in struct weir_event. */
enum weir_field_kind {
    WEIR_FIELD_INT,   /**< int64_t */
    WEIR_FIELD_U16,   /**< uint16_t */
    WEIR_FIELD_I16,   /**< int16_t */
    WEIR_FIELD_BOOL,  /**< bool */
    WEIR_FIELD_ENUM,  /**< uint8_t, its text in names[] */
    WEIR_FIELD_BYTES, /**< struct weir_bytes */
};

/** Describes one own field of an event: printing and rule conditions are made from this table. */
struct weir_field {
    const char *name;
    enum weir_field_kind kind;
    uint16_t at;              /**< offset in struct weir_event */
    const char *const *names; /**< WEIR_FIELD_ENUM: texts by value, ended by NULL */
};

/** @return the event's name, "fake_retransmit" for example; NULL for an unknown type. */
WEIR_API const char *weir_event_name(unsigned type);

/** @return the type of @p name, or -1. */
WEIR_API int weir_event_by_name(const char *name);

/** @return the event's own fields, ended by one whose name is NULL. */
WEIR_API const struct weir_field *weir_event_fields(unsigned type);

/** @return the value of an INT, U16, I16, BOOL or ENUM field; 0 for BYTES. */
WEIR_API int64_t weir_event_int(const struct weir_event *ev, const struct weir_field *field);

/** @return what a BYTES field shows; nothing for others. */
WEIR_API struct weir_bytes
weir_event_bytes(const struct weir_event *ev, const struct weir_field *field);

#endif
