#include "dns.h"

#include "rd.h"

#include <arpa/inet.h>

static uint32_t
tcp_length(const uint8_t *header)
{
    return be16(header);
}

const struct gather_spec dns_over_tcp = {
    .kind = POOL_DNS, .header = 2, .max = DNS_MESSAGE_MAX, .length = tcp_length
};

int
dns_parse(const uint8_t *p, size_t n, struct dns_message *out)
{
    *out = (struct dns_message){ .bytes = { p, (uint32_t)n } };
    if (n > DNS_MESSAGE_MAX)
        return WEIR_E_MALFORMED;
    if (n < DNS_HEADER)
        return WEIR_E_TRUNC;
    out->id = be16(p);
    out->flags = be16(p + 2);
    out->opcode = out->flags >> 11 & 15;
    out->rcode = out->flags & 15;
    for (unsigned i = 0; i < DNS_SECTIONS; i++)
        out->count[i] = be16(p + 4 + 2 * i);
    return WEIR_E_OK;
}

/* Where a name is being read. */
struct name_walk {
    struct weir_bytes msg;
    size_t at;
    size_t next; /* behind the name, once a pointer was followed; 0: not yet */
    unsigned pointers;
    uint32_t *left; /* pointers that may still be followed, in all names */
    enum dns_fault fault;
};

static int
is_at_fault(struct name_walk *w, enum dns_fault fault)
{
    w->fault = fault;
    return WEIR_E_MALFORMED;
}

/* RFC 1035 section 4.1.4 has names point back only; resolvers follow any, so many times. */
static int
follow(struct name_walk *w)
{
    if (w->msg.n - w->at < 2)
        return WEIR_E_TRUNC;
    if (++w->pointers > DNS_POINTERS_MAX || *w->left == 0)
        return is_at_fault(w, DNS_FAULT_POINTERS);
    --*w->left;
    if (w->next == 0)
        w->next = w->at + 2;
    w->at = be16(w->msg.p + w->at) & 0x3fff;
    return WEIR_E_OK;
}

static int
add_label(struct name_walk *w, struct put *put)
{
    const size_t n = w->msg.p[w->at];

    if (n > 63) /* RFC 1035 section 4.1.4 reserves these */
        return is_at_fault(w, DNS_FAULT_LABEL);
    if (w->msg.n - w->at - 1 < n)
        return WEIR_E_TRUNC;
    if (put_length(put) > 0)
        put_char(put, '.');
    put_bytes(put, w->msg.p + w->at + 1, n);
    w->at += n + 1;
    return put->more ? is_at_fault(w, DNS_FAULT_LONG) : WEIR_E_OK;
}

/* The name at *at, which is moved behind it. */
static int
read_name(struct weir_bytes msg, size_t *at, uint32_t *left, struct dns_name *out,
          enum dns_fault *fault)
{
    struct name_walk w = { .msg = msg, .at = *at, .next = 0, .pointers = 0, .left = left };
    struct put put = put_begin(out->text, sizeof(out->text));
    int rc = WEIR_E_OK;

    out->n = 0;
    for (;;) {
        if (w.at >= msg.n)
            return WEIR_E_TRUNC;
        if (msg.p[w.at] == 0)
            break;
        rc = msg.p[w.at] >= 0xc0 ? follow(&w) : add_label(&w, &put);
        *fault = w.fault;
        if (rc != WEIR_E_OK)
            return rc;
    }
    out->n = (uint16_t)put_length(&put);
    *at = w.next != 0 ? w.next : w.at + 1;
    return WEIR_E_OK;
}

struct dns_walk
dns_records(const struct dns_message *msg)
{
    return (struct dns_walk){ .msg = msg,
                              .at = DNS_HEADER,
                              .section = DNS_QUESTION,
                              .done = 0,
                              .pointers = msg->bytes.n,
                              .data_pointers = msg->bytes.n,
                              .rc = WEIR_E_OK,
                              .fault = DNS_FAULT_NONE };
}

static int
read_record(struct dns_walk *walk, struct dns_record *out)
{
    const struct weir_bytes msg = walk->msg->bytes;
    uint16_t n = 0;
    struct rd r;
    int rc = read_name(msg, &walk->at, &walk->pointers, &out->name, &walk->fault);

    if (rc != WEIR_E_OK)
        return rc;
    r = (struct rd){ msg.p + walk->at, msg.p + msg.n };
    out->section = (enum dns_section)walk->section;
    out->ttl = 0;
    if (!rd_be16(&r, &out->type) || !rd_be16(&r, &out->cls))
        return WEIR_E_TRUNC;
    if (walk->section != DNS_QUESTION && (!rd_be32(&r, &out->ttl) || !rd_be16(&r, &n)))
        return WEIR_E_TRUNC;
    out->rdata = (struct weir_bytes){ r.p, n };
    if (rd_take(&r, n) == NULL)
        return WEIR_E_TRUNC;
    walk->at = (size_t)(r.p - msg.p);
    return WEIR_E_OK;
}

bool
dns_next(struct dns_walk *walk, struct dns_record *out)
{
    while (walk->section < DNS_SECTIONS && walk->done == walk->msg->count[walk->section]) {
        walk->section++;
        walk->done = 0;
    }
    if (walk->section == DNS_SECTIONS || walk->rc != WEIR_E_OK)
        return false;
    walk->done++;
    walk->rc = read_record(walk, out);
    return walk->rc == WEIR_E_OK;
}

static int
address_text(int family, size_t size, struct weir_bytes rdata, struct put *put)
{
    char text[INET6_ADDRSTRLEN];

    if (rdata.n != size || inet_ntop(family, rdata.p, text, sizeof(text)) == NULL)
        return WEIR_E_MALFORMED;
    put_str(put, text);
    return WEIR_E_OK;
}

/* The name behind skip bytes of the data; it may point anywhere. */
static int
name_text(struct dns_walk *walk, struct weir_bytes rdata, size_t skip, struct put *put)
{
    const struct weir_bytes msg = walk->msg->bytes;
    const size_t start = (size_t)(rdata.p - msg.p);
    size_t at = start + skip;
    enum dns_fault fault;
    struct dns_name name;
    int rc = read_name(msg, &at, &walk->data_pointers, &name, &fault);

    if (rc != WEIR_E_OK || at > start + rdata.n) /* the data is there, and too short for its type */
        return WEIR_E_MALFORMED;
    put_bytes(put, name.text, name.n);
    return WEIR_E_OK;
}

static int
strings_text(struct weir_bytes rdata, struct put *put)
{
    struct rd r = { rdata.p, rdata.p + rdata.n }, string;
    uint8_t n;

    while (rd_u8(&r, &n)) {
        if (!rd_sub(&r, n, &string))
            return WEIR_E_MALFORMED;
        put_bytes(put, string.p, rd_left(&string));
    }
    return WEIR_E_OK;
}

int
dns_rdata_text(struct dns_walk *walk, const struct dns_record *record, struct put *put)
{
    switch (record->type) {
    case DNS_A:
        return address_text(AF_INET, 4, record->rdata, put);
    case DNS_AAAA:
        return address_text(AF_INET6, 16, record->rdata, put);
    case DNS_CNAME:
    case DNS_DNAME:
    case DNS_NS:
    case DNS_PTR:
    case DNS_SOA:
        return name_text(walk, record->rdata, 0, put);
    case DNS_MX:
        return name_text(walk, record->rdata, 2, put);
    case DNS_SRV:
        return name_text(walk, record->rdata, 6, put);
    case DNS_TXT:
        return strings_text(record->rdata, put);
    default:
        return WEIR_E_UNSUPPORTED;
    }
}

bool
dns_plausible(const uint8_t *p, size_t n)
{
    struct dns_message msg;
    struct dns_record first;
    struct dns_walk walk;
    unsigned cls;

    if (dns_parse(p, n, &msg) != WEIR_E_OK || msg.opcode > 6 || msg.opcode == 3)
        return false;
    if (msg.flags & DNS_Z || msg.count[DNS_QUESTION] > 16 ||
        (msg.count[DNS_QUESTION] == 0 && (msg.count[DNS_ANSWER] == 0 || !(msg.flags & DNS_QR))))
        return false;
    walk = dns_records(&msg);
    if (!dns_next(&walk, &first))
        return false;
    cls = first.cls & 0x7fff; /* multicast DNS uses the first bit: RFC 6762 sections 5.4, 10.2 */
    return first.type != 0 && cls != 0 && (cls <= 4 || cls == 254 || cls == 255);
}

struct named {
    uint16_t value;
    const char *name;
};

static const char *
find_name(const struct named *list, size_t n, unsigned value)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].value == value)
            return list[i].name;
    return NULL;
}

/* IANA, Domain Name System Parameters: those that are met. */
static const struct named types[] = {
    { 1, "A" },        { 2, "NS" },        { 5, "CNAME" },       { 6, "SOA" },    { 10, "NULL" },
    { 11, "WKS" },     { 12, "PTR" },      { 13, "HINFO" },      { 14, "MINFO" }, { 15, "MX" },
    { 16, "TXT" },     { 17, "RP" },       { 18, "AFSDB" },      { 24, "SIG" },   { 25, "KEY" },
    { 28, "AAAA" },    { 29, "LOC" },      { 32, "NB" },         { 33, "SRV" },   { 35, "NAPTR" },
    { 36, "KX" },      { 37, "CERT" },     { 39, "DNAME" },      { 41, "OPT" },   { 43, "DS" },
    { 44, "SSHFP" },   { 45, "IPSECKEY" }, { 46, "RRSIG" },      { 47, "NSEC" },  { 48, "DNSKEY" },
    { 49, "DHCID" },   { 50, "NSEC3" },    { 51, "NSEC3PARAM" }, { 52, "TLSA" },  { 59, "CDS" },
    { 60, "CDNSKEY" }, { 64, "SVCB" },     { 65, "HTTPS" },      { 99, "SPF" },   { 249, "TKEY" },
    { 250, "TSIG" },   { 251, "IXFR" },    { 252, "AXFR" },      { 255, "ANY" },  { 256, "URI" },
    { 257, "CAA" },
};

static const struct named rcodes[] = {
    { 0, "NOERROR" }, { 1, "FORMERR" }, { 2, "SERVFAIL" }, { 3, "NXDOMAIN" },
    { 4, "NOTIMP" },  { 5, "REFUSED" }, { 6, "YXDOMAIN" }, { 7, "YXRRSET" },
    { 8, "NXRRSET" }, { 9, "NOTAUTH" }, { 10, "NOTZONE" },
};

static const struct named opcodes[] = {
    { 0, "QUERY" },  { 1, "IQUERY" }, { 2, "STATUS" },
    { 4, "NOTIFY" }, { 5, "UPDATE" }, { 6, "DSO" },
};

const char *
dns_type_name(unsigned type)
{
    return find_name(types, sizeof(types) / sizeof(types[0]), type);
}

const char *
dns_rcode_name(unsigned rcode)
{
    return find_name(rcodes, sizeof(rcodes) / sizeof(rcodes[0]), rcode);
}

const char *
dns_opcode_name(unsigned opcode)
{
    return find_name(opcodes, sizeof(opcodes) / sizeof(opcodes[0]), opcode);
}
