/*
 * A rule, parsed: what it tests and what an alert says. Made by rules_load(), constant from then
 * on; detect/ decides when it is tested.
 */
#ifndef IDS_RULE_H
#define IDS_RULE_H

#include "rule/anomaly.h"
#include "rule/classes.h"
#include "rule/compare.h"
#include "rule/lexer.h"
#include "rule/ranges.h"
#include "rule/state.h"

#include <weir/event.h>

#include <stdbool.h>
#include <stdint.h>

/* What a rule is for; what comes of it is detection's to say. */
enum rule_action {
    ACTION_ALERT,
    ACTION_PASS,
    ACTION_DROP, /* also sdrop */
    ACTION_REJECT,
    ACTION_REJECT_SRC,
    ACTION_REJECT_DST,
    ACTION_REJECT_BOTH,
    ACTION_BLOCK, /* Snort 3: and the rest of the flow */
    ACTION_LOG,
    ACTION_REACT,
    ACTION_REWRITE,
    ACTION_FILE_ID,
    ACTION_CONFIG,
};

/* Which packets a header takes. */
enum rule_proto {
    RULE_TCP = 1,
    RULE_UDP = 2,
    RULE_ICMP = 4,
    RULE_OTHER = 8,
    RULE_IP = 15,
};

enum rule_flow {
    RULE_TO_SERVER = 1,
    RULE_TO_CLIENT = 2,
    RULE_ESTABLISHED = 4,
    RULE_NOT_ESTABLISHED = 8,
    RULE_ONLY_STREAM = 16,
    RULE_NO_STREAM = 32,
};

/* What is looked for in a buffer, one after the other. */
enum step_kind {
    STEP_CONTENT,
    STEP_ISDATAAT,
    STEP_BYTE_TEST,
    STEP_BYTE_JUMP,
    STEP_BYTE_EXTRACT,
    STEP_BYTE_MATH,
    STEP_PCRE,
    STEP_BSIZE,     /* the buffer's length */
    STEP_BASE64,    /* what BUFFER_BASE64 holds is made here */
    STEP_TX_NUMBER, /* a number of the transaction */
    STEP_ABSENT,    /* the buffer is not there; or it is, and the rest holds (STEP_OR_ELSE) */
    STEP_ASN1,      /* elements of BER from offset on that are suspicious: rule/ber.h */
    STEP_BER,       /* an element of BER: rule/ber.h */
    STEP_ENTROPY,   /* of [offset, offset + length) of the buffer, length 0: of all behind offset */
};

enum step_flag {
    STEP_NEGATED = 1,
    STEP_NOCASE = 2,
    STEP_RELATIVE = 4, /* distance or within: counted from the end of the match before */
    STEP_WITHIN = 8,
    STEP_DEPTH = 16,
    STEP_STARTSWITH = 32,
    STEP_ENDSWITH = 64,
    STEP_FAST = 128,   /* fast_pattern was given */
    STEP_OFFSET = 256, /* offset was given */
    STEP_OR_ELSE = 512,
};

/* What byte_test and byte_math do with the number they read, and their other operand. */
enum number_op {
    NUMBER_LT,
    NUMBER_LE,
    NUMBER_EQ,
    NUMBER_GE,
    NUMBER_GT,
    NUMBER_AND, /* any common bit */
    NUMBER_XOR, /* any bit that differs */
    NUMBER_ADD,
    NUMBER_SUBTRACT,
    NUMBER_MULTIPLY,
    NUMBER_DIVIDE,
    NUMBER_SHIFT_LEFT,
    NUMBER_SHIFT_RIGHT,
};

enum number_base { NUMBER_BINARY = 0, NUMBER_OCT = 8, NUMBER_DEC = 10, NUMBER_HEX = 16 };

enum jump_from { JUMP_FROM_HERE, JUMP_FROM_BEGINNING, JUMP_FROM_END };

enum {
    BINARY_MAX = 8,  /* bytes of a number */
    DIGITS_MAX = 23, /* of 64 bits, octal, and a sign of the base */
};

/* A number among the bytes, for byte_test, byte_jump, byte_extract and byte_math. */
struct number {
    uint8_t n;    /* bytes of it; of digits 0: as many as there are */
    uint8_t n_by; /* as operand_by, for n */
    uint8_t base; /* enum number_base */
    bool little;  /* NUMBER_BINARY: the first byte is the least */
    uint64_t
        mask; /* and then without the zeros at the mask's end; 0: none. byte_math: of the result */

    uint8_t op;         /* enum number_op */
    uint64_t operand;   /* or ... */
    uint8_t operand_by; /* ... as in struct step */

    uint32_t multiplier; /* byte_jump, byte_extract */
    uint8_t align;       /* up to a multiple of so much; 0: as it is */
    int32_t post_offset; /* byte_jump: added at last */
    uint8_t from;        /* byte_jump: enum jump_from */
    char *name;          /* byte_extract, byte_math: of the variable; owned */
};

/* Whom what is captured is about. */
enum capture_kind {
    CAPTURE_FLOW,    /* pcre with flow:NAME, or a group flow_NAME */
    CAPTURE_PACKET,  /* pkt:NAME, pkt_NAME */
    CAPTURE_ALERT,   /* alert:NAME, alert_NAME */
    CAPTURE_ENTROPY, /* of a flow: what entropy measured, a double */
};

enum { CAPTURED_NAME_MAX = 255 };

/* What of an expression is remembered when its rule matches. */
struct catch
{
    uint8_t group; /* 1 is the first */
    uint8_t kind;  /* enum capture_kind */
    char *name;    /* owned */
};

enum { CATCHES_MAX = 8 };

struct catches {
    unsigned n;
    struct catch at[CATCHES_MAX];
};

struct step {
    uint8_t kind;
    uint8_t buffer; /* enum buffer_id */
    uint8_t chain;  /* 1 + the chain that its buffer goes through; 0: as it is */
    uint8_t turn;   /* how often a buffer of many instances was named; 0: it is none */
    uint8_t index;  /* STEP_TX_NUMBER: enum number_index; at length. STEP_ASN1 and
                                     STEP_BER: rule/ber.h */
    uint8_t offset_by, length_by; /* 1 + the step whose variable stands for it; 0: a number does */
    uint16_t flags;
    uint16_t n;               /* bytes of content */
    uint16_t fast_at, fast_n; /* STEP_FAST: the part to look for first; fast_n 0: its beginning */
    uint8_t *bytes;           /* owned; lower case if STEP_NOCASE */
    uint8_t *instead;         /* replace: n bytes, owned; NULL: the content stays */
    int32_t offset;      /* of the first byte: from the buffer's start or, relative, from the last
                        match's end (distance); isdataat: where data has to be */
    struct regex *regex; /* STEP_PCRE; owned */
    struct catches *catches; /* of the regex; owned; NULL: none */
    struct number *number;   /* STEP_BYTE_...; owned */
    struct compare *compare; /* STEP_BSIZE, STEP_TX_NUMBER; owned */
    int32_t length; /* STEP_DEPTH, STEP_WITHIN: the content lies in so many bytes from offset on */
};

enum { STEPS_MAX = 64 }; /* of one rule: a bit each in detect/ */

/* A test of a packet's header field, or of its flow. */
enum check_kind {
    CHECK_DSIZE,
    CHECK_TTL,
    CHECK_TOS,
    CHECK_IP_ID,
    CHECK_IPOPTS,
    CHECK_FRAGBITS,
    CHECK_FRAGOFFSET, /* in units of 8 bytes */
    CHECK_IP_PROTO,
    CHECK_SAMEIP,
    CHECK_FRAGMENTED, /* compare.value: the packet was put together from fragments, 1, or not, 0 */
    CHECK_ITYPE,
    CHECK_ICODE,
    CHECK_ICMP_ID,
    CHECK_ICMP_SEQ,
    CHECK_ICMPV6_MTU,
    CHECK_FLAGS,
    CHECK_SEQ,
    CHECK_ACK,
    CHECK_WINDOW,
    CHECK_MSS,
    CHECK_WSCALE,
    CHECK_VLAN_ID,
    CHECK_VLAN_LAYERS,
    CHECK_CLOSING,  /* flags: CLOSING_... bits of rule/event_names.h */
    CHECK_FLOW_AGE, /* seconds */
    CHECK_FLOW_PACKETS,
    CHECK_FLOW_BYTES,
    CHECK_STREAM_SIZE, /* by sequence numbers, of which SYN and FIN take one each */
};

/* Which tags CHECK_VLAN_ID asks, besides the one that layer counts. */
enum { VLAN_ANY = 100, VLAN_ALL = 101 };

struct check {
    uint8_t kind;
    struct compare compare; /* all but those below */
    uint8_t flags, mask;    /* CHECK_FLAGS, CHECK_FRAGBITS: the field without mask against flags, by
                               how; CHECK_IPOPTS: flags is the option's type, or 255 for any */
    char how;               /* '=' exactly, '+' all and perhaps more, '*' any, '!' not all; or of
                               CHECK_STREAM_SIZE, CHECK_FLOW_...: 's'erver, 'c'lient, 'b'oth,
                               'e'ither */
    int8_t layer;           /* CHECK_VLAN_ID: a tag from outside, or -1: the innermost, and so on */
};

/* Who was attacked, by an alert's source and destination. */
enum rule_target { TARGET_UNKNOWN, TARGET_SRC, TARGET_DST };

/* flow-event:NAME,field op value,... */
struct event_condition {
    const struct weir_field *field;
    struct compare compare;
};

enum { CONDITIONS_MAX = 8, CHECKS_MAX = 32 };

/* Transforms of a buffer, the first one first: [first, behind) of the rule's. */
struct chain {
    uint8_t first, behind;
};

enum { CHAINS_MAX = 16 };

/* Steps of one buffer, one behind the other: [first, behind). */
struct section {
    uint8_t buffer; /* enum buffer_id */
    uint8_t chain;  /* as in struct step */
    uint8_t first, behind;
};

enum { SECTIONS_MAX = 16 };

/* In which copy of bytes that were sent twice and differ contents are looked for. */
enum event_copy { COPY_NEW, COPY_OLD, COPY_ANY };

struct event_test {
    uint8_t type; /* enum weir_event_type, or TEST_ANOMALY and more: no conditions */
    uint8_t copy; /* enum event_copy; COPY_NEW of all events but fake_retransmit */
    uint8_t n;
    struct event_condition condition[CONDITIONS_MAX];
};

/* "key value" of metadata, or "type,value" of a reference; owned. */
struct pair {
    char *key, *value;
};

struct rule {
    const char *file; /* name as given; lives with the set */
    unsigned line;
    uint32_t sid, gid, rev;
    uint32_t priority;                 /* 1 is the gravest */
    bool has_priority;                 /* given, not taken from the class */
    char *msg;                         /* owned; "" if not given */
    char *text;                        /* owned; NULL: struct rules.keep_text was not set */
    const struct class *class;         /* NULL: none */
    struct text class_name;            /* while the rule is parsed: what classtype says */
    struct pair *metadata, *reference; /* owned arrays */
    uint16_t n_metadata, n_reference;

    uint8_t action;     /* enum rule_action */
    uint8_t target;     /* enum rule_target */
    uint8_t protos;     /* enum rule_proto */
    uint8_t ip_version; /* 0: either */
    bool both_ways;     /* <> */
    bool negates;       /* an address is behind a ! */
    bool of_ends;       /* it asks for addresses alone: once for each direction of a flow */
    bool has_flow;      /* flow was given */
    bool of_flow; /* =>: the header is about who opened the flow, and both sides are looked at */
    uint8_t flow; /* enum rule_flow */
    const struct ranges *src, *dst, *src_port, *dst_port; /* NULL: any */

    uint8_t app_proto; /* enum app_proto: of the header, or the first that is in app_any */
    uint32_t app_any; /* a bit for each enum app_proto that the flow may speak; 0: whatever it is */
    uint32_t app_none; /* and that it must not */
    bool app_only;     /* nothing but app-layer-protocol is asked: once a direction */
    uint32_t services; /* flows that speak one of these need not have the ports */
    bool unmet;        /* it requires what weir-ids does not have: to be skipped */

    bool noalert;
    bool tells;               /* alert was given: a pass rule alerts, too */
    struct rule_state *state; /* owned; NULL: it remembers and asks nothing */
    struct event_test *event; /* owned; NULL: none. One of n_events; none of 0: it never comes */
    uint8_t n_events;
    const char *never;   /* the name of an event that never comes; NULL: all may */
    char *app_event;     /* app-layer-event, "http.gzip_decompression_failed"; owned; NULL: none */
    struct step *step;   /* owned */
    struct check *check; /* owned */
    uint8_t n_steps, n_checks;

    struct transform *transforms; /* owned */
    struct chain chains[CHAINS_MAX];
    uint8_t n_transforms, n_chains;

    struct section section[SECTIONS_MAX]; /* in their order; that of the payload, if any, of a rule
                                             without transaction is the first */
    uint8_t n_sections;
    uint8_t n_payload; /* steps that look at the payload, if it is a rule without transaction */
    uint8_t tx_side;   /* enum buffer_side: at which sides of a transaction it is decided; 0: it is
                          about packets and streams */
    bool tx_body;      /* it looks at a body */
    bool in_line;      /* while it is read: packets can be changed */
    bool replaces;     /* a content has another in its place: it is about packets, not streams */
    bool on_headers;   /* it looks at headers of packets */

    uint8_t buffer;             /* while options are read: where the next contents belong ... */
    bool switched;              /* ... because an option said so */
    uint8_t turn, turns;        /* as in struct step; and how many there were */
    uint8_t chain, chain_steps; /* likewise: n_steps when the chain began */
    bool snort3;                /* it is written in that dialect */
};

#endif
