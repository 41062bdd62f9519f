#include "compat_dns.h"

#include "rd.h"

#include <arpa/inet.h>
#include <string.h>

enum {
    NAME_MAX_WIRE = 255, /* RFC 1035 section 2.3.4 */
    NAME_MAX_TEXT = 4 * NAME_MAX_WIRE + 2,
    JUMPS_MAX = 127,
    HEADER = 12,
    TYPE_A = 1,
    TYPE_NS = 2,
    TYPE_CNAME = 5,
    TYPE_SOA = 6,
    TYPE_PTR = 12,
    TYPE_MX = 15,
    TYPE_TXT = 16, /* printed as if it were a name */
    TYPE_AAAA = 28,
};

/* The message, and where it is read. */
struct message {
    const uint8_t *start;
    struct rd rd;
    struct out *out; /* NULL: it is only read */
};

/* ---- names ----------------------------------------------------------------------------------- */

static char *
put_label_byte(char *to, uint8_t c)
{
    if (c <= ' ' || c >= 127) {
        *to++ = '\\';
        *to++ = (char)('0' + c / 100);
        *to++ = (char)('0' + c / 10 % 10);
        *to++ = (char)('0' + c % 10);
        return to;
    }
    if (strchr("\".;\\()@$", c) != NULL)
        *to++ = '\\';
    *to++ = (char)c;
    return to;
}

/* Read a name that begins at rd->p in a message; text as presented, "." for the root. */
static bool
read_name(const uint8_t *start, const uint8_t *end, struct rd *rd, char text[NAME_MAX_TEXT])
{
    struct rd at = *rd;
    unsigned wire = 1, jumps = 0;
    char *to = text;
    uint8_t length, low;

    for (;;) {
        const uint8_t *label;

        if (!rd_u8(&at, &length))
            return false;
        if (jumps == 0)
            rd->p = at.p;
        if (length == 0)
            break;
        if ((length & 0xc0) == 0xc0) { /* RFC 1035 section 4.1.4 */
            if (!rd_u8(&at, &low) || jumps++ == JUMPS_MAX)
                return false;
            if (jumps == 1)
                rd->p = at.p;
            at = (struct rd){ start + ((size_t)(length & 0x3f) << 8 | low), end };
            if (at.p >= end)
                return false;
            continue;
        }
        label = length < 64 ? rd_take(&at, length) : NULL;
        wire += length + 1U;
        if (label == NULL || wire > NAME_MAX_WIRE)
            return false;
        if (to != text)
            *to++ = '.';
        for (unsigned i = 0; i < length; i++)
            to = put_label_byte(to, label[i]);
        if (jumps == 0)
            rd->p = at.p;
    }
    if (to == text)
        *to++ = '.';
    *to = '\0';
    return true;
}

/* ---- what has a name of its own -------------------------------------------------------------- */

static const char *
type_name(unsigned type)
{
    static const char *const low[] = {
        NULL,   "A",   "NS",     "MD",       "MF",    "CNAME", "SOA", "MB",   "MG",    "MR",
        "NULL", "WKS", "PTR",    "HINFO",    "MINFO", "MX",    "TXT", "RP",   "AFSDB", "X25",
        "ISDN", "RT",  "NSAP",   "NSAP_PTR", "SIG",   "KEY",   "PX",  "GPOS", "AAAA",  "LOC",
        "NXT",  "EID", "NIMLOC", "SRV",      "ATMA",  "NAPTR", "KX",  "CERT", NULL,    "DNAME",
    };
    static const char *const high[] = { "TSIG", "IXFR", "AXFR", "MAILB", "MAILA", "ANY" };

    if (type < sizeof(low) / sizeof(low[0]))
        return low[type];
    return type >= 250 && type <= 255 ? high[type - 250] : NULL;
}

static const char *
class_name(unsigned class)
{
    switch (class) {
    case 1:
        return "IN";
    case 3:
        return "CHAOS";
    case 4:
        return "HS";
    case 254:
        return "NONE";
    case 255:
        return "ANY";
    default:
        return NULL;
    }
}

static const char *
opcode_name(unsigned opcode)
{
    static const char *const names[16] = {
        [0] = "QUERY",  [1] = "IQUERY", [2] = "CQUERYM",   [3] = "CQUERYU",
        [4] = "NOTIFY", [5] = "UPDATE", [14] = "ZONEINIT", [15] = "ZONEREF"
    };

    return names[opcode];
}

static const char *
rcode_name(unsigned rcode)
{
    static const char *const names[16] = {
        "NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",  "REFUSED",
        "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE", "",
    };

    return names[rcode];
}

/* ---- text ------------------------------------------------------------------------------------ */

static void
put(const struct message *m, const char *text)
{
    if (m->out != NULL)
        out_str(m->out, text);
}

static void
put_number(const struct message *m, uint64_t value)
{
    if (m->out != NULL)
        out_u64(m->out, value);
}

static void
put_named(const struct message *m, const char *name, unsigned value)
{
    if (name != NULL)
        put(m, name);
    else
        put_number(m, value);
}

static void
put_flags(const struct message *m, unsigned flags)
{
    static const char *const names[] = { "qr", "aa", "tc", "rd", "ra", "z", "ad", "cd" };
    static const uint16_t bits[] = { 0x8000, 0x400, 0x200, 0x100, 0x80, 0x40, 0x20, 0x10 };
    bool first = true;

    for (unsigned i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        if ((flags & bits[i]) == 0)
            continue;
        put(m, first ? "," : "|");
        put(m, names[i]);
        first = false;
    }
}

/* Where neither has a name, the original prints the class twice. */
static void
put_class_and_type(const struct message *m, unsigned class, unsigned type)
{
    bool twice = class_name(class) == NULL && type_name(type) == NULL;

    put(m, ",");
    put_named(m, class_name(class), class);
    put(m, ",");
    put_named(m, type_name(type), twice ? class : type);
}

/* ---- records --------------------------------------------------------------------------------- */

static void
put_length(const struct message *m, size_t n)
{
    put(m, "[");
    put_number(m, n);
    put(m, "]");
}

static void
put_soa(const struct message *m, struct rd *body, size_t n)
{
    char text[NAME_MAX_TEXT];
    const uint8_t *numbers;

    for (int i = 0; i < 2; i++) {
        if (!read_name(m->start, body->end, body, text)) {
            put_length(m, n);
            return;
        }
        put(m, text);
        put(m, ",");
    }
    numbers = rd_take(body, 20);
    if (numbers == NULL) {
        put_length(m, n);
        return;
    }
    for (int i = 0; i < 5; i++) {
        if (i > 0)
            put(m, ",");
        put_number(m, be32(numbers + 4 * i));
    }
}

static void
put_data(const struct message *m, unsigned type, struct rd body)
{
    size_t n = rd_left(&body);
    char text[NAME_MAX_TEXT];
    uint16_t preference;

    if (type == TYPE_A && n >= 4) {
        put(m, inet_ntop(AF_INET, body.p, text, sizeof(text)));
    } else if (type == TYPE_AAAA && n >= 16) {
        put(m, inet_ntop(AF_INET6, body.p, text, sizeof(text)));
    } else if (type == TYPE_SOA) {
        put_soa(m, &body, n);
    } else if (type == TYPE_MX && rd_be16(&body, &preference) &&
               read_name(m->start, body.end, &body, text)) {
        put_number(m, preference);
        put(m, ",");
        put(m, text);
    } else if ((type == TYPE_NS || type == TYPE_CNAME || type == TYPE_PTR || type == TYPE_TXT) &&
               read_name(m->start, body.end, &body, text)) {
        put(m, text);
    } else {
        put_length(m, n);
    }
}

static bool
read_record(struct message *m, bool question)
{
    char text[NAME_MAX_TEXT];
    uint16_t type, class, length;
    uint32_t ttl;
    struct rd body;

    if (!read_name(m->start, m->rd.end, &m->rd, text) || !rd_be16(&m->rd, &type) ||
        !rd_be16(&m->rd, &class))
        return false;
    put(m, "||");
    put(m, text);
    put_class_and_type(m, class, type);
    if (question)
        return true;
    if (!rd_be32(&m->rd, &ttl) || !rd_be16(&m->rd, &length) || !rd_sub(&m->rd, length, &body))
        return false;
    put(m, ",");
    put_number(m, ttl);
    put(m, ",");
    if (m->out != NULL)
        put_data(m, type, body);
    return true;
}

static bool
read_message(struct message *m)
{
    const uint8_t *header = rd_take(&m->rd, HEADER);
    unsigned flags;

    if (header == NULL)
        return false;
    flags = be16(header + 2);
    put_named(m, opcode_name(flags >> 11 & 15), flags >> 11 & 15);
    put(m, ",");
    put_named(m, rcode_name(flags & 15), flags & 15);
    put(m, ",");
    put_number(m, be16(header));
    put_flags(m, flags);
    for (unsigned section = 0; section < 4; section++) {
        unsigned n = be16(header + 4 + 2 * section);

        put(m, "||");
        put_number(m, n);
        for (unsigned i = 0; i < n; i++)
            if (!read_record(m, section == 0))
                return false;
    }
    return rd_left(&m->rd) == 0;
}

bool
compat_dns_text(struct out *out, const uint8_t *data, size_t n)
{
    struct message m = { .start = data, .rd = { data, data + n } };

    if (!read_message(&m))
        return false;
    m.rd = (struct rd){ data, data + n };
    m.out = out;
    return read_message(&m);
}
