/*
 * Fingerprints of TCP stacks in the form of p0f 3 (its README, section 5), and signatures of them:
 *
 *     [tcp:request]
 *     label = s:unix:Linux:3.11 and newer
 *     sig = *:64:0:*:mss*20,10:mss,sok,ts,nop,ws:df,id+:0
 *
 * version:ittl:olen:mss:wsize,scale:olayout:quirks:pclass. The first specific (s:) label that fits
 * wins, else the first generic one (g:), else the first that nearly fits: a longer way, or what
 * routers and firewalls change (df, id, ecn).
 */
#ifndef WEIR_PRADS_P0F_H
#define WEIR_PRADS_P0F_H

#include <weir/error.h>
#include <weir/packet.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { P0F_OPTIONS_MAX = 24, P0F_TEXT_MAX = 256 };

/* Bits, in the order of the table in p0f.c. */
enum p0f_quirk {
    P0F_DF = 0x1,
    P0F_ID_PLUS = 0x2,  /* DF, and an id that is not 0 */
    P0F_ID_MINUS = 0x4, /* no DF, and an id of 0 */
    P0F_ECN = 0x8,
    P0F_RESERVED = 0x10, /* 0+ */
    P0F_FLOW = 0x20,     /* IPv6: a flow label */
    P0F_SEQ_MINUS = 0x40,
    P0F_ACK_PLUS = 0x80,
    P0F_ACK_MINUS = 0x100,
    P0F_URG_PLUS = 0x200, /* uptr+ */
    P0F_URG_FLAG = 0x400, /* urgf+ */
    P0F_PUSH = 0x800,     /* pushf+ */
    P0F_TS1_MINUS = 0x1000,
    P0F_TS2_PLUS = 0x2000,
    P0F_OPT_PLUS = 0x4000, /* bytes that are not 0 behind the end of options */
    P0F_EXWS = 0x8000,
    P0F_BAD = 0x10000
};

struct p0f_print {
    uint8_t version, ttl, olen, scale;
    uint16_t mss, window;
    uint8_t n_options;
    uint8_t option[P0F_OPTIONS_MAX]; /* kinds */
    uint8_t padding;                 /* bytes behind the end of options */
    bool has_mss, has_scale, has_time, has_data;
    uint32_t quirks;
};

struct p0f_label {
    bool generic;
    const char *class_name; /* "unix", "win"; "!": a program, not a system */
    const char *name, *flavor;
};

struct p0f_list;

/* Of a SYN, or a SYN/ACK. */
void p0f_take(const struct weir_packet *pkt, struct p0f_print *print);

/* "4:64+3:0:1460:mss*20,7:mss,sok,ts,nop,ws:df,id+:0" */
void p0f_text(const struct p0f_print *print, char text[P0F_TEXT_MAX]);

/* WEIR_E_SYNTAX: a line is wrong; err says which, and what was expected. */
int p0f_list_load(const char *path, struct p0f_list **out, struct weir_errbuf *err);

/* The same from text, which is written to and goes with the list. */
int p0f_list_parse(char *text, const char *name, struct p0f_list **out, struct weir_errbuf *err);

/* NULL is allowed. */
void p0f_list_free(struct p0f_list *list);

size_t p0f_list_size(const struct p0f_list *list);

/* response: of a SYN/ACK. NULL: nothing fits. *fuzzy: it nearly does. */
const struct p0f_label *
p0f_match(const struct p0f_list *list, const struct p0f_print *print, bool response, bool *fuzzy);

#endif
