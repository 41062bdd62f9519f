#include "detect_proto.h"

#include "bytes.h"
#include "dhcp.h"
#include "dns.h"

#include <ctype.h>
#include <string.h>

/* What a direction's bytes say of a protocol. */
enum says {
    SAYS_NO,
    SAYS_MORE, /* as far as they go they fit */
    SAYS_FITS, /* it can be this and others: the other direction decides */
    SAYS_YES,
};

/* What a probe looks at: the first bytes of one direction, at least one. */
struct look {
    struct weir_bytes bytes;
    enum weir_dir dir;
    struct detect_ports ports;
};

typedef enum says probe_fn(const struct look *look);

static bool
hinted(const struct look *look, uint16_t port)
{
    return look->ports.server == port || look->ports.client == port;
}

/* Begins with text; case: as it is written, or letters of any. */
static enum says
begins(const struct look *look, const char *text, bool any_case)
{
    const size_t whole = strlen(text), n = look->bytes.n < whole ? look->bytes.n : whole;

    for (size_t i = 0; i < n; i++) {
        const int c = look->bytes.p[i];

        if (c != text[i] && !(any_case && toupper(c) == text[i]))
            return SAYS_NO;
    }
    return n < whole ? SAYS_MORE : SAYS_YES;
}

/* The best of what several texts say. */
static enum says
begins_any(const struct look *look, const char *const *texts, size_t n, bool any_case)
{
    enum says best = SAYS_NO;

    for (size_t i = 0; i < n && best != SAYS_YES; i++) {
        const enum says says = begins(look, texts[i], any_case);

        if (says > best)
            best = says;
    }
    return best;
}

#define BEGINS_ANY(look, texts, any_case)                                                          \
    begins_any(look, texts, sizeof(texts) / sizeof((texts)[0]), any_case)

/* The first line, as far as it is there, holds this text of upper-case letters, in any case. */
static bool
line_holds(struct weir_bytes bytes, const char *text)
{
    const size_t n = strlen(text);

    for (size_t i = 0; i + n <= bytes.n && bytes.p[i] != '\n'; i++) {
        size_t k = 0;

        while (k < n && toupper(bytes.p[i + k]) == text[k])
            k++;
        if (k == n)
            return true;
    }
    return false;
}

/* ---- connections */

/* RFC 9110 section 9, RFC 5789, RFC 4918 and what else is met. */
static const char *const http_methods[] = { "GET ",       "POST ",    "HEAD ",    "PUT ",
                                            "DELETE ",    "OPTIONS ", "CONNECT ", "TRACE ",
                                            "PATCH ",     "MERGE ",   "MOVE ",    "COPY ",
                                            "PROPFIND ",  "LOCK ",    "MKCOL ",   "REPORT ",
                                            "CHECKOUT ",  "UNLOCK ",  "SEARCH ",  "PROPPATCH ",
                                            "SUBSCRIBE ", "NOTIFY ",  "M-SEARCH " };

/* Some other method at a port of HTTP: letters, a space, a slash. */
static enum says
unusual_method(const struct look *look)
{
    uint32_t i = 0;

    if (!hinted(look, 80) && !hinted(look, 8080))
        return SAYS_NO;
    while (i < look->bytes.n && isalpha(look->bytes.p[i]))
        i++;
    if (i == look->bytes.n)
        return SAYS_MORE;
    if (i == 0 || look->bytes.p[i] != ' ')
        return SAYS_NO;
    if (i + 1 == look->bytes.n)
        return SAYS_MORE;
    return look->bytes.p[i + 1] == '/' ? SAYS_YES : SAYS_NO;
}

static enum says
probe_http(const struct look *look)
{
    enum says says;

    if (look->dir == WEIR_TOCLIENT)
        return begins(look, "HTTP/1.", false);
    says = BEGINS_ANY(look, http_methods, false);
    return says == SAYS_NO ? unusual_method(look) : says;
}

static enum says
probe_http2(const struct look *look)
{
    return look->dir == WEIR_TOSERVER ? begins(look, "PRI * HTTP/2.0\r\n", false) : SAYS_FITS;
}

/* A hello in the form of SSL 2.0: RFC 5246 appendix E.2. */
static enum says
hello_v2(const struct look *look)
{
    const uint8_t *p = look->bytes.p;

    if ((p[0] & 0x80) == 0 || look->dir != WEIR_TOSERVER)
        return SAYS_NO;
    if (look->bytes.n < 5)
        return look->bytes.n < 3 || p[2] == 1 ? SAYS_MORE : SAYS_NO;
    return p[2] == 1 && ((p[3] == 3 && p[4] <= 4) || (p[3] == 0 && p[4] == 2)) ? SAYS_YES : SAYS_NO;
}

/* A record with a hello in it; from the server also an alert, which others could send. */
static enum says
probe_tls(const struct look *look)
{
    const uint8_t *p = look->bytes.p;
    const uint32_t n = look->bytes.n;
    const bool alert = look->dir == WEIR_TOCLIENT && p[0] == 21;

    if (p[0] != 22 && !alert)
        return hello_v2(look);
    if ((n > 1 && p[1] != 3) || (n > 2 && p[2] > 4) || (n > 3 && p[3] > 0x48))
        return SAYS_NO;
    if (alert)
        return SAYS_FITS;
    if (n < 6)
        return SAYS_MORE;
    return p[5] == (look->dir == WEIR_TOSERVER ? 1 : 2) ? SAYS_YES : SAYS_NO;
}

static enum says
probe_ssh(const struct look *look)
{
    return begins(look, "SSH-", false);
}

/* What a message away from its ports must be: one question of a name that people can read. */
static bool
plain_dns(const uint8_t *p, size_t n)
{
    struct dns_message msg;
    struct dns_record first;
    struct dns_walk walk;

    if (!dns_plausible(p, n) || dns_parse(p, n, &msg) != WEIR_E_OK || msg.opcode != 0 ||
        msg.count[DNS_QUESTION] != 1)
        return false;
    walk = dns_records(&msg);
    if (!dns_next(&walk, &first) || first.name.n == 0)
        return false;
    for (unsigned i = 0; i < first.name.n; i++)
        if (first.name.text[i] <= ' ' || first.name.text[i] > '~')
            return false;
    return true;
}

/* Multicast DNS asks for all that it looks for at once: 81 questions were seen. */
enum { QUESTIONS_MAX = 256, QUESTIONS_LIKELY = 16 };

/* Whether a header with more questions than that is still a query's: the message is long enough for
 * them, at 5 bytes each (RFC 1035 section 4.1.2), and has nothing else. */
static bool
asks_many(const uint8_t *p, unsigned length)
{
    enum { QUESTION_MIN = 5 };
    struct dns_message msg;

    return dns_parse(p, DNS_HEADER, &msg) == WEIR_E_OK && msg.opcode == 0 && msg.rcode == 0 &&
           !(msg.flags & (DNS_QR | DNS_Z)) && msg.count[DNS_ANSWER] == 0 &&
           msg.count[DNS_AUTHORITY] == 0 &&
           DNS_HEADER + QUESTION_MIN * msg.count[DNS_QUESTION] <= (int)length;
}

/* RFC 1035 section 4.2.2. */
static enum says
probe_dns_tcp(const struct look *look)
{
    const uint8_t *p = look->bytes.p;
    uint32_t n = look->bytes.n;
    const unsigned most = hinted(look, 53) ? QUESTIONS_MAX : QUESTIONS_LIKELY;

    if (n < 2 + DNS_HEADER)
        return n > 1 && be16(p) < DNS_HEADER ? SAYS_NO : SAYS_MORE;
    if (be16(p) < DNS_HEADER || be16(p + 6) + be16(p + 8) == 0)
        return SAYS_NO;
    if (be16(p + 6) > most && !(hinted(look, 53) && asks_many(p + 2, be16(p))))
        return SAYS_NO;
    if (hinted(look, 53))
        return SAYS_YES;
    n -= 2;
    if (plain_dns(p + 2, n < be16(p) ? n : be16(p)))
        return SAYS_YES;
    return n < be16(p) && be16(p + 6) == 1 ? SAYS_MORE : SAYS_NO;
}

/* "220 ", of a server of SMTP (RFC 5321) or FTP (RFC 959). */
static enum says
greeting(const struct look *look, const char *name, bool port)
{
    static const char *const starts[] = { "220 ", "220-" };
    const enum says says = BEGINS_ANY(look, starts, false);

    if (says != SAYS_YES)
        return says;
    return port || line_holds(look->bytes, name) ? SAYS_YES : SAYS_FITS;
}

static enum says
probe_smtp(const struct look *look)
{
    static const char *const commands[] = { "EHLO", "HELO", "LHLO" };

    if (look->dir == WEIR_TOSERVER)
        return BEGINS_ANY(look, commands, true);
    return greeting(look, "SMTP", hinted(look, 25) || hinted(look, 587));
}

static enum says
probe_ftp(const struct look *look)
{
    static const char *const commands[] = { "USER ", "AUTH TLS", "AUTH SSL", "FEAT" };
    enum says says;

    if (look->dir == WEIR_TOCLIENT)
        return greeting(look, "FTP", hinted(look, 21));
    says = BEGINS_ANY(look, commands, true);
    return says == SAYS_YES && !hinted(look, 21) ? SAYS_FITS : says; /* POP3 has USER too */
}

static enum says
probe_pop3(const struct look *look)
{
    static const char *const commands[] = { "USER ", "CAPA", "AUTH", "APOP ", "STLS", "QUIT" };
    const enum says says = look->dir == WEIR_TOCLIENT ? begins(look, "+OK", true)
                                                      : BEGINS_ANY(look, commands, true);

    return says == SAYS_YES && look->dir == WEIR_TOSERVER ? SAYS_FITS : says;
}

/* RFC 9051: a client's commands have tags of its own choice. */
static enum says
probe_imap(const struct look *look)
{
    static const char *const greetings[] = { "* OK", "* PREAUTH", "* BYE" };

    if (look->dir == WEIR_TOCLIENT)
        return BEGINS_ANY(look, greetings, true);
    return isalnum(look->bytes.p[0]) && hinted(look, 143) ? SAYS_FITS : SAYS_NO;
}

/* In a NetBIOS session message or TCP directly: [MS-SMB2] section 2.1. */
static enum says
probe_smb(const struct look *look)
{
    const uint8_t *p = look->bytes.p;
    const uint32_t n = look->bytes.n;

    if (p[0] == 0x81 || p[0] == 0x82) /* NetBIOS session request and its answer */
        return hinted(look, 139) ? SAYS_YES : SAYS_NO;
    if (p[0] != 0 || (n > 4 && p[4] != 0xff && p[4] != 0xfe && p[4] != 0xfd))
        return SAYS_NO;
    if (n < 8)
        return SAYS_MORE;
    return memcmp(p + 5, "SMB", 3) == 0 ? SAYS_YES : SAYS_NO;
}

/* TPKT (RFC 1006) with a connection request or confirm of X.224. */
static enum says
probe_rdp(const struct look *look)
{
    const uint8_t *p = look->bytes.p;
    const uint32_t n = look->bytes.n;

    if (p[0] != 3 || (n > 1 && p[1] != 0))
        return SAYS_NO;
    if (n < 6)
        return SAYS_MORE;
    if (p[5] != (look->dir == WEIR_TOSERVER ? 0xe0 : 0xd0) || p[4] != be16(p + 2) - 5)
        return SAYS_NO;
    return hinted(look, 3389) ? SAYS_YES : SAYS_FITS;
}

static enum says
probe_rfb(const struct look *look)
{
    return begins(look, "RFB 00", false);
}

static enum says
probe_sip(const struct look *look)
{
    static const char *const starts[] = {
        "INVITE sip:",  "REGISTER sip:", "OPTIONS sip:", "SUBSCRIBE sip:", "NOTIFY sip:",
        "MESSAGE sip:", "ACK sip:",      "BYE sip:",     "CANCEL sip:",    "SIP/2.0 "
    };

    return BEGINS_ANY(look, starts, false);
}

static enum says
probe_rtsp(const struct look *look)
{
    static const char *const starts[] = { "OPTIONS rtsp:", "DESCRIBE rtsp:", "SETUP rtsp:",
                                          "RTSP/1.0 " };

    return BEGINS_ANY(look, starts, false);
}

struct probe {
    enum app_proto proto;
    probe_fn *fn;
};

/* The first one that says yes wins. */
static const struct probe stream_probes[] = {
    { APP_TLS, probe_tls },   { APP_SIP, probe_sip },     { APP_RTSP, probe_rtsp },
    { APP_HTTP, probe_http }, { APP_SSH, probe_ssh },     { APP_HTTP2, probe_http2 },
    { APP_SMTP, probe_smtp }, { APP_FTP, probe_ftp },     { APP_POP3, probe_pop3 },
    { APP_IMAP, probe_imap }, { APP_SMB, probe_smb },     { APP_RDP, probe_rdp },
    { APP_RFB, probe_rfb },   { APP_DNS, probe_dns_tcp },
};

enum { STREAM_PROBES = sizeof(stream_probes) / sizeof(stream_probes[0]) };

/* What one probe says of both directions. */
static enum says
ask(const struct probe *probe, const struct look look[2], const bool over[2])
{
    unsigned fits = 0;
    bool more = false;

    for (unsigned dir = 0; dir < 2; dir++) {
        const enum says says = look[dir].bytes.n > 0 ? probe->fn(&look[dir]) : SAYS_MORE;

        if (says == SAYS_YES)
            return SAYS_YES;
        if (says == SAYS_NO || (says == SAYS_MORE && over[dir] && look[dir].bytes.n > 0))
            return SAYS_NO;
        fits += says == SAYS_FITS;
        more |= says == SAYS_MORE && !over[dir];
    }
    if (fits == 2)
        return SAYS_YES;
    return more ? SAYS_MORE : SAYS_NO;
}

/* What all probes say: the first one that is sure wins. */
static enum app_proto
ask_all(const struct look look[2], const bool over[2])
{
    enum app_proto answer = APP_UNKNOWN;

    for (unsigned i = 0; i < STREAM_PROBES; i++) {
        const enum says says = ask(&stream_probes[i], look, over);

        if (says == SAYS_YES)
            return stream_probes[i].proto;
        if (says != SAYS_NO)
            answer = APP_UNKNOWN_YET;
    }
    return answer;
}

/* Both ways round where nobody knows: what one is sure of wins, and both must be out of ideas. */
static void
decide(struct detect_proto *d, const struct look look[2])
{
    const bool over[2] = { d->cut[0] || look[0].bytes.n >= DETECT_BYTES,
                           d->cut[1] || look[1].bytes.n >= DETECT_BYTES };
    struct look other[2] = { look[0], look[1] };
    enum app_proto answer = ask_all(look, over), swapped;

    if (answer <= APP_UNKNOWN && look[0].ports.midstream) {
        other[0].dir = WEIR_TOCLIENT;
        other[1].dir = WEIR_TOSERVER;
        swapped = ask_all(other, over);
        d->swapped = swapped > APP_UNKNOWN;
        if (answer == APP_UNKNOWN || d->swapped)
            answer = swapped;
    }
    d->answer = (uint8_t)answer;
}

static void
keep(struct detect_proto *d, enum weir_dir dir, struct weir_bytes bytes)
{
    const uint32_t room = (uint32_t)(DETECT_BYTES - d->n[dir]);
    const uint32_t n = bytes.n < room ? bytes.n : room;

    memcpy(d->first->bytes[dir] + d->n[dir], bytes.p, n);
    d->n[dir] = (uint8_t)(d->n[dir] + n);
}

static struct look
look_at(const struct detect_proto *d, struct detect_ports ports, enum weir_dir dir)
{
    return (
        struct look){ .bytes = { d->first->bytes[dir], d->n[dir] }, .dir = dir, .ports = ports };
}

enum app_proto
detect_stream(struct detect_proto *d, struct detect_ports ports, enum weir_dir dir,
              struct weir_bytes bytes)
{
    const bool first = d->n[dir] == 0;
    struct look look[2];

    if (d->answer != APP_UNKNOWN_YET || bytes.n == 0 || d->cut[dir])
        return (enum app_proto)d->answer;
    look[!dir] = look_at(d, ports, !dir);
    look[dir] = look_at(d, ports, dir);
    if (first) {
        look[dir].bytes = bytes;
    } else {
        keep(d, dir, bytes);
        look[dir] = look_at(d, ports, dir);
    }
    decide(d, look);
    if (first && d->answer == APP_UNKNOWN_YET)
        keep(d, dir, bytes);
    return (enum app_proto)d->answer;
}

enum app_proto
detect_gap(struct detect_proto *d, struct detect_ports ports, enum weir_dir dir)
{
    struct look look[2];

    if (d->answer != APP_UNKNOWN_YET)
        return (enum app_proto)d->answer;
    d->cut[dir] = true;
    look[WEIR_TOSERVER] = look_at(d, ports, WEIR_TOSERVER);
    look[WEIR_TOCLIENT] = look_at(d, ports, WEIR_TOCLIENT);
    decide(d, look);
    return (enum app_proto)d->answer;
}

/* ---- datagrams */

/* At its ports also what is wrong inside is DNS; elsewhere all must be as it should, to the end. */
static enum says
probe_dns_udp(const struct look *look)
{
    const struct weir_bytes b = look->bytes;
    struct dns_message msg;
    struct dns_record record;
    struct dns_walk walk;

    if (hinted(look, 137) || dns_parse(b.p, b.n, &msg) != WEIR_E_OK)
        return SAYS_NO;
    if (hinted(look, 53) || hinted(look, 5353) || hinted(look, 5355))
        return msg.count[DNS_QUESTION] <= QUESTIONS_MAX &&
                       msg.count[DNS_QUESTION] + msg.count[DNS_ANSWER] > 0
                   ? SAYS_YES
                   : SAYS_NO;
    if (!plain_dns(b.p, b.n))
        return SAYS_NO;
    for (walk = dns_records(&msg); dns_next(&walk, &record);)
        continue;
    return walk.rc == WEIR_E_OK && walk.at == b.n ? SAYS_YES : SAYS_NO;
}

static enum says
probe_dhcp(const struct look *look)
{
    struct dhcp_message m;

    return dhcp_parse(look->bytes.p, look->bytes.n, &m) != WEIR_E_MALFORMED &&
                   look->bytes.n >= DHCP_HEADER + 4
               ? SAYS_YES
               : SAYS_NO;
}

static enum says
probe_dhcpv6(const struct look *look)
{
    struct dhcp6_message m;

    return (hinted(look, 546) || hinted(look, 547)) &&
                   dhcp6_parse(look->bytes.p, look->bytes.n, &m) == WEIR_E_OK
               ? SAYS_YES
               : SAYS_NO;
}

/* RFC 5905 section 7.3; version and mode in the first byte. */
static enum says
probe_ntp(const struct look *look)
{
    const unsigned version = look->bytes.p[0] >> 3 & 7, mode = look->bytes.p[0] & 7;

    return hinted(look, 123) && version >= 1 && version <= 4 && mode != 0 &&
                   (look->bytes.n >= 48 || mode >= 6)
               ? SAYS_YES
               : SAYS_NO;
}

/* RFC 9000 section 17.2: a long header of version 1 or 2; section 14.1 of what size. */
static enum says
probe_quic(const struct look *look)
{
    const uint8_t *p = look->bytes.p;
    uint32_t version;

    if (look->bytes.n < 1200 || (p[0] & 0xc0) != 0xc0)
        return SAYS_NO;
    version = be32(p + 1);
    return version == 1 || version == 0x6b3343cf || version >> 8 == 0xff0000 ? SAYS_YES : SAYS_NO;
}

static const struct probe datagram_probes[] = {
    { APP_DNS, probe_dns_udp }, { APP_DHCP, probe_dhcp }, { APP_DHCPV6, probe_dhcpv6 },
    { APP_NTP, probe_ntp },     { APP_QUIC, probe_quic }, { APP_SIP, probe_sip },
};

enum app_proto
detect_datagram(struct detect_ports ports, enum weir_dir dir, struct weir_bytes bytes)
{
    const struct look look = { .bytes = bytes, .dir = dir, .ports = ports };

    for (size_t i = 0; bytes.n > 0 && i < sizeof(datagram_probes) / sizeof(datagram_probes[0]); i++)
        if (datagram_probes[i].fn(&look) == SAYS_YES)
            return datagram_probes[i].proto;
    return APP_UNKNOWN;
}

const char *
app_proto_name(unsigned proto)
{
    static const char *const names[] = {
#define X(upper, name) name,
        APP_PROTO_LIST(X)
#undef X
    };

    return proto < APP_PROTOS ? names[proto] : NULL;
}
