#include "x509.h"

#include "bytes.h"

enum tag {
    TAG_BOOLEAN = 0x01,
    TAG_INTEGER = 0x02,
    TAG_OCTETS = 0x04,
    TAG_OID = 0x06,
    TAG_UTC_TIME = 0x17,
    TAG_GENERAL_TIME = 0x18,
    TAG_BMP_STRING = 0x1e,
    TAG_SEQUENCE = 0x30,
    TAG_SET = 0x31,
    TAG_VERSION = 0xa0,    /* [0] of TBSCertificate */
    TAG_EXTENSIONS = 0xa3, /* [3] of it */
    TAG_DNS_NAME = 0x82,   /* [2] of GeneralName */
};

/* A length of DER: at most four bytes, never indefinite (X.690 section 10.1). */
static int
read_length(struct rd *r, size_t *n)
{
    uint8_t b, more;

    if (!rd_u8(r, &b))
        return WEIR_E_TRUNC;
    *n = b;
    if (b < 0x80)
        return WEIR_E_OK;
    more = b & 0x7f;
    if (more == 0 || more > 4)
        return WEIR_E_MALFORMED;
    for (*n = 0; more > 0; more--) {
        if (!rd_u8(r, &b))
            return WEIR_E_TRUNC;
        *n = *n << 8 | b;
    }
    return WEIR_E_OK;
}

/* Any element; tags of more than one byte occur nowhere here. */
static int
next(struct rd *r, uint8_t *tag, struct rd *body)
{
    size_t n;
    int rc;

    if (!rd_u8(r, tag))
        return WEIR_E_TRUNC;
    if ((*tag & 0x1f) == 0x1f)
        return WEIR_E_MALFORMED;
    rc = read_length(r, &n);
    if (rc != WEIR_E_OK)
        return rc;
    return rd_sub(r, n, body) ? WEIR_E_OK : WEIR_E_TRUNC;
}

static int
expect(struct rd *r, uint8_t tag, struct rd *body)
{
    uint8_t found;
    int rc = next(r, &found, body);

    if (rc == WEIR_E_OK && found != tag)
        return WEIR_E_MALFORMED;
    return rc;
}

/* An element that may be left out; *body is empty then. */
static int
perhaps(struct rd *r, uint8_t tag, struct rd *body)
{
    *body = (struct rd){ r->p, r->p };
    return rd_left(r) > 0 && r->p[0] == tag ? expect(r, tag, body) : WEIR_E_OK;
}

/* ---- times */

static bool
two_digits(struct rd *r, unsigned *v)
{
    uint8_t a, b;

    if (!rd_u8(r, &a) || !rd_u8(r, &b) || a < '0' || a > '9' || b < '0' || b > '9')
        return false;
    *v = (unsigned)(a - '0') * 10 + (unsigned)(b - '0');
    return true;
}

/* Days from 1970-01-01 to a day of the Gregorian calendar, counted in years from March on. */
static int64_t
days_to(unsigned year, unsigned month, unsigned day)
{
    const int64_t y = (int64_t)year - (month <= 2);
    const int64_t m = month > 2 ? month - 3 : month + 9;

    return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

/* RFC 5280 section 4.1.2.5: UTCTime has two digits of the year, from 1950 on. */
static int
read_time(struct rd *r, int64_t *out)
{
    unsigned century, year, month, day, hour, minute, second = 0;
    struct rd text;
    uint8_t tag;
    int rc = next(r, &tag, &text);

    if (rc != WEIR_E_OK)
        return rc;
    if (tag == TAG_GENERAL_TIME ? !two_digits(&text, &century) : tag != TAG_UTC_TIME)
        return WEIR_E_MALFORMED;
    if (!two_digits(&text, &year) || !two_digits(&text, &month) || !two_digits(&text, &day) ||
        !two_digits(&text, &hour) || !two_digits(&text, &minute))
        return WEIR_E_MALFORMED;
    if (rd_left(&text) > 1 && !two_digits(&text, &second))
        return WEIR_E_MALFORMED;
    if (tag == TAG_UTC_TIME)
        century = year < 50 ? 20 : 19;
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
        return WEIR_E_MALFORMED;
    *out = days_to(century * 100 + year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    return WEIR_E_OK;
}

/* ---- names */

struct attribute {
    struct weir_bytes oid;
    uint8_t tag; /* of the value */
    struct weir_bytes value;
};

/* Where a Name is being read: attributes in sets in a sequence. */
struct name_walk {
    struct rd sets, set;
};

/* The next attribute; false: none is left, *rc says whether all could be read. */
static bool
next_attribute(struct name_walk *w, struct attribute *out, int *rc)
{
    struct rd pair, oid, value;

    *rc = WEIR_E_OK;
    while (rd_left(&w->set) == 0) {
        if (rd_left(&w->sets) == 0)
            return false;
        *rc = expect(&w->sets, TAG_SET, &w->set);
        if (*rc != WEIR_E_OK)
            return false;
    }
    *rc = expect(&w->set, TAG_SEQUENCE, &pair);
    if (*rc == WEIR_E_OK)
        *rc = expect(&pair, TAG_OID, &oid);
    if (*rc == WEIR_E_OK)
        *rc = next(&pair, &out->tag, &value);
    if (*rc != WEIR_E_OK)
        return false;
    out->oid = bytes_of(oid);
    out->value = bytes_of(value);
    return true;
}

static struct name_walk
attributes(struct weir_bytes name)
{
    return (struct name_walk){ .sets = rd_of(name), .set = { name.p, name.p } };
}

/* 2.5.4.x, RFC 4519. */
static const char *
short_name(uint8_t x)
{
    switch (x) {
    case 3:
        return "CN";
    case 4:
        return "SN";
    case 5:
        return "serialNumber";
    case 6:
        return "C";
    case 7:
        return "L";
    case 8:
        return "ST";
    case 9:
        return "street";
    case 10:
        return "O";
    case 11:
        return "OU";
    case 12:
        return "title";
    case 15:
        return "businessCategory";
    case 17:
        return "postalCode";
    case 42:
        return "GN";
    default:
        return NULL;
    }
}

static bool
equals(struct weir_bytes a, const char *b, size_t n)
{
    return a.n == n && memcmp(a.p, b, n) == 0;
}

#define EQUALS(a, literal) equals(a, literal, sizeof(literal) - 1)

static void
put_oid(struct weir_bytes oid, struct put *put)
{
    uint64_t v = 0;
    bool first = true;

    for (uint32_t i = 0; i < oid.n; i++) {
        v = v << 7 | (oid.p[i] & 0x7f);
        if (oid.p[i] & 0x80)
            continue;
        if (first) {
            const unsigned top = v < 80 ? (unsigned)v / 40 : 2;

            put_u64(put, top);
            v -= 40 * top;
        }
        put_char(put, '.');
        put_u64(put, v);
        first = false;
        v = 0;
    }
}

static void
put_attribute_name(struct weir_bytes oid, struct put *put)
{
    const char *name = NULL;

    if (oid.n == 3 && memcmp(oid.p, "\x55\x04", 2) == 0)
        name = short_name(oid.p[2]);
    else if (EQUALS(oid, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"))
        name = "emailAddress";
    else if (EQUALS(oid, "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"))
        name = "DC";
    else if (EQUALS(oid, "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01"))
        name = "UID";
    if (name != NULL)
        put_str(put, name);
    else
        put_oid(oid, put);
}

/* UTF-16 without surrogates (X.680 section 41.15) to UTF-8. */
static void
put_bmp(struct weir_bytes value, struct put *put)
{
    for (uint32_t i = 0; i + 1 < value.n; i += 2) {
        const uint16_t c = be16(value.p + i);

        if (c < 0x80) {
            put_char(put, (char)c);
        } else if (c < 0x800) {
            put_char(put, (char)(0xc0 | c >> 6));
            put_char(put, (char)(0x80 | (c & 63)));
        } else {
            put_char(put, (char)(0xe0 | c >> 12));
            put_char(put, (char)(0x80 | (c >> 6 & 63)));
            put_char(put, (char)(0x80 | (c & 63)));
        }
    }
}

int
x509_name_text(struct weir_bytes name, struct put *put)
{
    struct name_walk w = attributes(name);
    struct attribute a;
    bool first = true;
    int rc;

    while (next_attribute(&w, &a, &rc)) {
        if (!first)
            put_str(put, ", ");
        first = false;
        put_attribute_name(a.oid, put);
        put_char(put, '=');
        if (a.tag == TAG_BMP_STRING)
            put_bmp(a.value, put);
        else
            put_bytes(put, a.value.p, a.value.n);
    }
    return rc == WEIR_E_OK ? WEIR_E_OK : WEIR_E_MALFORMED;
}

bool
x509_common_name(struct weir_bytes name, struct weir_bytes *out)
{
    struct name_walk w = attributes(name);
    struct attribute a;
    bool found = false;
    int rc;

    while (next_attribute(&w, &a, &rc))
        if (EQUALS(a.oid, "\x55\x04\x03")) {
            *out = a.value;
            found = true;
        }
    return found;
}

void
x509_serial_text(struct weir_bytes serial, struct put *put)
{
    if (serial.n > 1 && serial.p[0] == 0) { /* a sign that is no part of the number */
        serial.p++;
        serial.n--;
    }
    for (uint32_t i = 0; i < serial.n; i++) {
        if (i > 0)
            put_char(put, ':');
        put_char(put, "0123456789ABCDEF"[serial.p[i] >> 4]);
        put_char(put, "0123456789ABCDEF"[serial.p[i] & 15]);
    }
}

bool
x509_next_dns_name(struct weir_bytes *alt_names, struct weir_bytes *out)
{
    struct rd r = rd_of(*alt_names), body;
    uint8_t tag;

    while (next(&r, &tag, &body) == WEIR_E_OK) {
        *alt_names = bytes_of(r);
        if (tag == TAG_DNS_NAME) {
            *out = bytes_of(body);
            return true;
        }
    }
    return false;
}

/* ---- certificates */

/* RFC 5280 section 4.1: extnID, critical DEFAULT FALSE, extnValue. */
static int
read_extension(struct rd *list, struct x509 *out)
{
    struct rd extension, oid, critical, value, names;
    int rc = expect(list, TAG_SEQUENCE, &extension);

    if (rc == WEIR_E_OK)
        rc = expect(&extension, TAG_OID, &oid);
    if (rc == WEIR_E_OK)
        rc = perhaps(&extension, TAG_BOOLEAN, &critical);
    if (rc == WEIR_E_OK)
        rc = expect(&extension, TAG_OCTETS, &value);
    if (rc != WEIR_E_OK)
        return rc;
    if (!EQUALS(bytes_of(oid), "\x55\x1d\x11"))
        return WEIR_E_OK;
    rc = expect(&value, TAG_SEQUENCE, &names);
    if (rc == WEIR_E_OK)
        out->alt_names = bytes_of(names);
    return rc;
}

/* Behind the subject: its key, two identifiers that nobody uses, extensions. */
static int
read_extensions(struct rd *tbs, struct x509 *out)
{
    struct rd body, list;
    uint8_t tag = 0;
    int rc = expect(tbs, TAG_SEQUENCE, &body);

    while (rc == WEIR_E_OK && rd_left(tbs) > 0 && tag != TAG_EXTENSIONS)
        rc = next(tbs, &tag, &body);
    if (rc != WEIR_E_OK || tag != TAG_EXTENSIONS)
        return rc;
    rc = expect(&body, TAG_SEQUENCE, &list);
    while (rc == WEIR_E_OK && rd_left(&list) > 0)
        rc = read_extension(&list, out);
    return rc;
}

/* Who does not look at dates takes a certificate with any: the rest of it counts. */
static int
read_validity(struct rd *tbs, struct x509 *out)
{
    struct rd times;
    int rc = expect(tbs, TAG_SEQUENCE, &times);

    if (rc != WEIR_E_OK)
        return rc;
    out->undated = read_time(&times, &out->not_before) != WEIR_E_OK ||
                   read_time(&times, &out->not_after) != WEIR_E_OK;
    if (out->undated)
        out->not_before = out->not_after = 0;
    return WEIR_E_OK;
}

static int
read_version(struct rd *tbs, struct x509 *out)
{
    struct rd outer, number;
    int rc = perhaps(tbs, TAG_VERSION, &outer);

    out->version = 1;
    if (rc != WEIR_E_OK || rd_left(&outer) == 0)
        return rc;
    rc = expect(&outer, TAG_INTEGER, &number);
    if (rc == WEIR_E_OK && (rd_left(&number) != 1 || number.p[0] > 2))
        return WEIR_E_MALFORMED;
    if (rc == WEIR_E_OK)
        out->version = (uint8_t)(number.p[0] + 1);
    return rc;
}

int
x509_parse(struct weir_bytes der, struct x509 *out)
{
    struct rd r = rd_of(der), certificate, tbs, serial, algorithm, issuer, subject;
    int rc = expect(&r, TAG_SEQUENCE, &certificate);

    *out = (struct x509){ .version = 1 };
    if (rc == WEIR_E_OK)
        rc = expect(&certificate, TAG_SEQUENCE, &tbs);
    if (rc == WEIR_E_OK)
        rc = read_version(&tbs, out);
    if (rc == WEIR_E_OK)
        rc = expect(&tbs, TAG_INTEGER, &serial);
    if (rc == WEIR_E_OK)
        rc = expect(&tbs, TAG_SEQUENCE, &algorithm);
    if (rc == WEIR_E_OK)
        rc = expect(&tbs, TAG_SEQUENCE, &issuer);
    if (rc == WEIR_E_OK)
        rc = read_validity(&tbs, out);
    if (rc == WEIR_E_OK)
        rc = expect(&tbs, TAG_SEQUENCE, &subject);
    if (rc != WEIR_E_OK)
        return rc;
    out->serial = bytes_of(serial);
    out->issuer = bytes_of(issuer);
    out->subject = bytes_of(subject);
    return read_extensions(&tbs, out);
}
