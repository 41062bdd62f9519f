/*
 * Reads a script of packets (README.md has the form) and hands out the frames it stands for, one
 * after the other. Every error names file and line and what was expected.
 */
#ifndef WEIR_PCAPS_SCRIPT_H
#define WEIR_PCAPS_SCRIPT_H

#include "conv.h"
#include "packet.h"
#include "words.h"

#include <weir/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A conversation: what the word "flow" begins. */
struct flow {
    struct word name; /* n 0: none */
    uint8_t proto, version;
    struct packet_end end[2]; /* client, server */
    struct conv_side side[2];
    uint16_t vlan[PACKET_VLANS];
    unsigned n_vlan;
    struct packet_tunnel tunnel[PACKET_TUNNELS];
    unsigned n_tunnel;
    uint8_t quote[PACKET_QUOTE]; /* the beginning of its last IP packet */
    size_t n_quote;
};

/* A packet's line, while it is read. */
struct line {
    struct packet pkt;
    struct flow *flow; /* NULL: a whole frame */
    int64_t seq, ack;  /* offsets, or PACKET_ABSENT */
    int64_t cut;       /* bytes to capture, or PACKET_ABSENT */
    bool flags_given, lost, unseen, injected;
};

struct script {
    const char *name;       /* of the file, for errors */
    const char *next, *end; /* text not read yet */
    unsigned line_number;
    bool begun; /* a packet was handed out: too late for link and start */
    enum packet_link link;
    int64_t start, time; /* microseconds: of the epoch, from then on */
    struct flow *flows;
    size_t n_flows, room;
    struct words words; /* of the line that is read */
    struct line line;
    struct weir_errbuf *err;
};

/* A frame to be written. */
struct script_frame {
    uint64_t micros;
    size_t caplen;
    struct frame frame;
};

/* The text and the name are the caller's and outlive the script, which is large. */
void script_begin(struct script *script, const char *name, const char *text, size_t n);

/*
 * The next frame. Returns 1; 0 at the end of the script; WEIR_E_SYNTAX or WEIR_E_NOMEM with a
 * text. script->link is known with the first.
 */
int script_next(struct script *script, struct script_frame *out, struct weir_errbuf *err);

void script_end(struct script *script);

/* ---- for items.c --------------------------------------------------------------------------- */

/* "NAME:LINE: what was expected"; returns WEIR_E_SYNTAX. */
int
script_fail(struct script *script, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "... is expected, not 'WORD'"; word NULL: the line ended there. */
int script_expected(struct script *script, const char *what, const struct word *word);

/* The next word as a number from min to max. */
int script_number(struct script *script, const char *what, int64_t min, int64_t max, int64_t *out);

/* The flow of that name which was begun last, or NULL. */
struct flow *script_flow(struct script *script, const struct word *name);

#endif
