/*
 * DNS messages, RFC 1035; also multicast DNS (RFC 6762) and LLMNR (RFC 4795), which look the same.
 *
 * dns_parse() reads the header; records are walked, because a message claims up to 4 * 65535 of
 * them. Over TCP a message has its length in front: struct gather with dns_over_tcp.
 *
 * Memory: a message refers to the bytes it was read from; nothing is allocated.
 */
#ifndef WEIR_DNS_H
#define WEIR_DNS_H

#include "gather.h"
#include "put.h"

#include <weir/error.h>
#include <weir/event.h>

enum {
    DNS_HEADER = 12,
    DNS_MESSAGE_MAX = 65535,
    DNS_RECORDS_MAX = (DNS_MESSAGE_MAX - DNS_HEADER) /
                      5,    /* that can be read: questions of the root */
    DNS_NAME_MAX = 253,     /* characters; 255 octets as encoded */
    DNS_POINTERS_MAX = 127, /* of a name: it has no more labels to point from */
};

enum dns_section { DNS_QUESTION, DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL, DNS_SECTIONS };

enum dns_flag {
    DNS_QR = 0x8000, /* a response */
    DNS_AA = 0x0400,
    DNS_TC = 0x0200,
    DNS_RD = 0x0100,
    DNS_RA = 0x0080,
    DNS_Z = 0x0040,
    DNS_AD = 0x0020,
    DNS_CD = 0x0010,
};

enum dns_type {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_SRV = 33,
    DNS_DNAME = 39,
    DNS_OPT = 41,
};

struct dns_message {
    struct weir_bytes bytes; /* all of it */
    uint16_t id;
    uint16_t flags; /* as they are on the wire, enum dns_flag and the two codes */
    uint8_t opcode;
    uint8_t rcode;                /* without the bits that an OPT record adds */
    uint16_t count[DNS_SECTIONS]; /* claimed by the header */
};

/*
 * A name: its labels joined by dots, unescaped as they came: a dot in a label looks like one
 * between two. No bytes: the root.
 */
struct dns_name {
    uint16_t n;
    char text[DNS_NAME_MAX + 1]; /* terminated */
};

struct dns_record {
    enum dns_section section;
    struct dns_name name;
    uint16_t type;
    uint16_t cls;
    uint32_t ttl;            /* of a question: 0 */
    struct weir_bytes rdata; /* of a question: nothing */
};

/* What is wrong with a name, beside its end being cut. */
enum dns_fault {
    DNS_FAULT_NONE,
    DNS_FAULT_LABEL,    /* of a reserved kind */
    DNS_FAULT_LONG,     /* over DNS_NAME_MAX */
    DNS_FAULT_POINTERS, /* over DNS_POINTERS_MAX, or the walk's: a loop, most likely */
};

struct dns_walk {
    const struct dns_message *msg;
    size_t at;
    unsigned section;
    unsigned done; /* records of the section */
    /* Pointers that may still be followed, of records' names and of those in their data: at first
     * as many as the message has bytes, so that a message takes no more time than its length. */
    uint32_t pointers, data_pointers;
    int rc;               /* why the walk ended: WEIR_E_OK, WEIR_E_TRUNC, WEIR_E_MALFORMED */
    enum dns_fault fault; /* of the name that ended it */
};

/* Read the header. WEIR_E_OK; WEIR_E_TRUNC; WEIR_E_MALFORMED over DNS_MESSAGE_MAX bytes. */
int dns_parse(const uint8_t *p, size_t n, struct dns_message *out);

/* Before the first record. The message must outlive the walk. */
struct dns_walk dns_records(const struct dns_message *msg);

/* The next record; false: there is none, walk->rc says whether that is as the header claims. */
bool dns_next(struct dns_walk *walk, struct dns_record *out);

/*
 * The data of the record that the walk has come to, as text: addresses, names, of MX and SRV the
 * name, of TXT its strings joined, of SOA the first name. WEIR_E_MALFORMED: it is not what its type
 * says, or walk->data_pointers are used up. WEIR_E_UNSUPPORTED: a type that has no such text.
 */
int dns_rdata_text(struct dns_walk *walk, const struct dns_record *record, struct put *put);

/* Whether it can be nothing else: codes, counts, and a first question that can be read. */
bool dns_plausible(const uint8_t *p, size_t n);

/* Names of the registry ("AAAA", "NXDOMAIN", "QUERY"); NULL: not in our list. */
const char *dns_type_name(unsigned type);
const char *dns_rcode_name(unsigned rcode);
const char *dns_opcode_name(unsigned opcode);

/* Over TCP, RFC 1035 section 4.2.2. */
extern const struct gather_spec dns_over_tcp;

#endif
