/*
 * Buffers that contents are looked for in: the payload, and what a transaction of an application
 * protocol shows. The options that name one, in both dialects: those of Suricata (http.uri) and of
 * Snort 3 (http_uri, before the contents) hold for the contents that follow; the older ones
 * (http_uri, behind a content) change the content before them.
 */
#ifndef IDS_BUFFER_H
#define IDS_BUFFER_H

#include "detect_proto.h"

#include "rule/rule.h"

enum buffer_side { SIDE_REQUEST = 1, SIDE_RESPONSE = 2, SIDE_BOTH = 3 };

/* name, protocol (APP_UNKNOWN: several), sides, whether it is a body: it comes piece by piece */
/* clang-format off */
#define BUFFER_LIST(X)                                                                             \
    X(PAYLOAD,                "payload",               UNKNOWN, SIDE_BOTH,     false)              \
    X(BASE64,                 "base64_data",           UNKNOWN, SIDE_BOTH,     false)              \
    X(IPV4_HDR,               "ipv4.hdr",              UNKNOWN, SIDE_BOTH,     false)              \
    X(IPV6_HDR,               "ipv6.hdr",              UNKNOWN, SIDE_BOTH,     false)              \
    X(TCP_HDR,                "tcp.hdr",               UNKNOWN, SIDE_BOTH,     false)              \
    X(UDP_HDR,                "udp.hdr",               UNKNOWN, SIDE_BOTH,     false)              \
    X(ICMPV4_HDR,             "icmpv4.hdr",            UNKNOWN, SIDE_BOTH,     false)              \
    X(ICMPV6_HDR,             "icmpv6.hdr",            UNKNOWN, SIDE_BOTH,     false)              \
    X(SCTP_HDR,               "sctp.hdr",              UNKNOWN, SIDE_BOTH,     false)              \
    X(ETHER_HDR,              "ether.hdr",             UNKNOWN, SIDE_BOTH,     false)              \
    X(IP_SRC,                 "ip.src",                UNKNOWN, SIDE_BOTH,     false)              \
    X(IP_DST,                 "ip.dst",                UNKNOWN, SIDE_BOTH,     false)              \
    X(FILE_DATA,              "file.data",             HTTP,    SIDE_BOTH,     true)               \
    X(FILE_NAME,              "file.name",             HTTP,    SIDE_BOTH,     true)               \
    X(HTTP_URI,               "http.uri",              HTTP,    SIDE_REQUEST,  false)              \
    X(HTTP_URI_RAW,           "http.uri.raw",          HTTP,    SIDE_REQUEST,  false)              \
    X(HTTP_METHOD,            "http.method",           HTTP,    SIDE_REQUEST,  false)              \
    X(HTTP_HEADER,            "http.header",           HTTP,    SIDE_BOTH,     false)              \
    X(HTTP_HEADER_RAW,        "http.header.raw",       HTTP,    SIDE_BOTH,     false)              \
    X(HTTP_COOKIE,            "http.cookie",           HTTP,    SIDE_BOTH,     false)              \
    X(HTTP_USER_AGENT,        "http.user_agent",       HTTP,    SIDE_REQUEST,  false)              \
    X(HTTP_HOST,              "http.host",             HTTP,    SIDE_REQUEST,  false)              \
    X(HTTP_HOST_RAW,          "http.host.raw",         HTTP,    SIDE_REQUEST,  false)              \
    X(HTTP_REQUEST_BODY,      "http.request_body",     HTTP,    SIDE_REQUEST,  true)               \
    X(HTTP_RESPONSE_BODY,     "http.response_body",    HTTP,    SIDE_RESPONSE, true)               \
    X(HTTP_REFERER,           "http.referer",          HTTP,    SIDE_REQUEST,  false)              \
    X(HTTP_ACCEPT,            "http.accept",           HTTP,    SIDE_REQUEST,  false)              \
    X(HTTP_ACCEPT_ENC,        "http.accept_enc",       HTTP,    SIDE_REQUEST,  false)              \
    X(HTTP_ACCEPT_LANG,       "http.accept_lang",      HTTP,    SIDE_REQUEST,  false)              \
    X(HTTP_CONNECTION,        "http.connection",       HTTP,    SIDE_BOTH,     false)              \
    X(HTTP_CONTENT_TYPE,      "http.content_type",     HTTP,    SIDE_BOTH,     false)              \
    X(HTTP_CONTENT_LEN,       "http.content_len",      HTTP,    SIDE_BOTH,     false)              \
    X(HTTP_LOCATION,          "http.location",         HTTP,    SIDE_RESPONSE, false)              \
    X(HTTP_SERVER,            "http.server",           HTTP,    SIDE_RESPONSE, false)              \
    X(HTTP_START,             "http.start",            HTTP,    SIDE_BOTH,     false)              \
    X(HTTP_REQUEST_LINE,      "http.request_line",     HTTP,    SIDE_REQUEST,  false)              \
    X(HTTP_RESPONSE_LINE,     "http.response_line",    HTTP,    SIDE_RESPONSE, false)              \
    X(HTTP_PROTOCOL,          "http.protocol",         HTTP,    SIDE_BOTH,     false)              \
    X(HTTP_HEADER_NAMES,      "http.header_names",     HTTP,    SIDE_BOTH,     false)              \
    X(HTTP_STAT_CODE,         "http.stat_code",        HTTP,    SIDE_RESPONSE, false)              \
    X(HTTP_STAT_MSG,          "http.stat_msg",         HTTP,    SIDE_RESPONSE, false)              \
    X(HTTP_REQUEST_HEADER,    "http.request_header",   HTTP,    SIDE_REQUEST,  false)              \
    X(HTTP_RESPONSE_HEADER,   "http.response_header",  HTTP,    SIDE_RESPONSE, false)              \
    X(DNS_QUERY,              "dns.query",             DNS,     SIDE_REQUEST,  false)              \
    X(DNS_QUERIES_RRNAME,     "dns.queries.rrname",    DNS,     SIDE_BOTH,     false)              \
    X(DNS_ANSWERS_RRNAME,     "dns.answers.rrname",    DNS,     SIDE_BOTH,     false)              \
    X(DNS_AUTHORITIES_RRNAME, "dns.authorities.rrname", DNS,    SIDE_BOTH,     false)              \
    X(DNS_ADDITIONALS_RRNAME, "dns.additionals.rrname", DNS,    SIDE_BOTH,     false)              \
    X(DNS_RESPONSE_RRNAME,    "dns.response.rrname",   DNS,     SIDE_RESPONSE, false)              \
    X(TLS_SNI,                "tls.sni",               TLS,     SIDE_REQUEST,  false)              \
    X(TLS_CERT_SUBJECT,       "tls.cert_subject",      TLS,     SIDE_RESPONSE, false)              \
    X(TLS_CERT_ISSUER,        "tls.cert_issuer",       TLS,     SIDE_RESPONSE, false)              \
    X(TLS_CERT_SERIAL,        "tls.cert_serial",       TLS,     SIDE_RESPONSE, false)              \
    X(TLS_CERT_FINGERPRINT,   "tls.cert_fingerprint",  TLS,     SIDE_RESPONSE, false)              \
    X(TLS_CERTS,              "tls.certs",             TLS,     SIDE_RESPONSE, false)              \
    X(TLS_VERSION,            "tls.version",           TLS,     SIDE_BOTH,     false)              \
    X(TLS_SUBJECTALTNAME,     "tls.subjectaltname",    TLS,     SIDE_RESPONSE, false)              \
    X(TLS_ALPN,               "tls.alpn",              TLS,     SIDE_BOTH,     false)              \
    X(TLS_RANDOM,             "tls.random",            TLS,     SIDE_BOTH,     false)              \
    X(TLS_RANDOM_TIME,        "tls.random_time",       TLS,     SIDE_BOTH,     false)              \
    X(TLS_RANDOM_BYTES,       "tls.random_bytes",      TLS,     SIDE_BOTH,     false)              \
    X(JA3_HASH,               "ja3.hash",              TLS,     SIDE_REQUEST,  false)              \
    X(JA3_STRING,             "ja3.string",            TLS,     SIDE_REQUEST,  false)              \
    X(JA3S_HASH,              "ja3s.hash",             TLS,     SIDE_RESPONSE, false)              \
    X(JA3S_STRING,            "ja3s.string",           TLS,     SIDE_RESPONSE, false)              \
    X(JA4_HASH,               "ja4.hash",              TLS,     SIDE_REQUEST,  false)              \
    X(SSH_PROTO,              "ssh.proto",             SSH,     SIDE_BOTH,     false)              \
    X(SSH_SOFTWARE,           "ssh.software",          SSH,     SIDE_BOTH,     false)              \
    X(SSH_HASSH,              "ssh.hassh",             SSH,     SIDE_REQUEST,  false)              \
    X(SSH_HASSH_STRING,       "ssh.hassh.string",      SSH,     SIDE_REQUEST,  false)              \
    X(SSH_HASSH_SERVER,       "ssh.hassh.server",      SSH,     SIDE_RESPONSE, false)              \
    X(SSH_HASSH_SERVER_STRING, "ssh.hassh.server.string", SSH,  SIDE_RESPONSE, false)
/* clang-format on */

enum buffer_id {
#define X(upper, name, proto, sides, body) BUFFER_##upper,
    BUFFER_LIST(X)
#undef X
        BUFFERS
};

struct buffer_info {
    const char *name;
    uint8_t proto; /* enum app_proto; APP_UNKNOWN: several */
    uint8_t sides; /* enum buffer_side: of a transaction that show it */
    bool is_body;  /* comes piece by piece, behind the headers */
};

const struct buffer_info *buffer_info(unsigned id);

/* Whether it is a header of the packet. */
static inline bool
buffer_is_header(unsigned id)
{
    return id >= BUFFER_IPV4_HDR && id <= BUFFER_IP_DST;
}

/* Numbers of a transaction that rules compare. */
enum number_id {
    NUMBER_DNS_OPCODE,
    NUMBER_DNS_RCODE,
    NUMBER_DNS_RRTYPE,
    NUMBER_TLS_HELLO,        /* 1: the side's hello was seen */
    NUMBER_TLS_VERSION,      /* a bit: 1 SSL 2.0, 2 SSL 3.0, 4 TLS 1.0, ... 32 TLS 1.3; 0 another */
    NUMBER_TLS_WIRE_VERSION, /* as it was sent */
    NUMBER_TLS_CHAIN,        /* certificates that the server sent */
    NUMBER_TLS_NOT_BEFORE,   /* of the server's own, seconds since 1970-01-01 UTC */
    NUMBER_TLS_NOT_AFTER,
    NUMBER_TLS_AFTER_END, /* seconds behind that, by the packet's time */
    NUMBER_FILE_SIZE,     /* bytes of a body, or of a file of a form, that has ended */
    NUMBERS_OF_TX,
};

/*
 * Take the option if it names a buffer, or compares with what is in one (bsize, urilen,
 * tls.version, dns.opcode, ...). *known says whether it does.
 */
int buffer_option(struct rule *rule, struct text name, struct text value, bool *known,
                  struct weir_errbuf *err);

/* Whether buffer_option() knows the name. */
bool buffer_is_known(struct text name);

/* A buffer that a flag of pcre stands for; -1: none. */
int buffer_of_flag(char flag);

/* Whether the name is one of those that Snort 3 puts before contents, and others behind them. */
bool buffer_is_modifier(struct text name);

/* The rule's latest step is complete: correct where it belongs. */
void buffer_of_step(struct rule *rule, struct step *step);

/* Once all options are read: put steps of a buffer together and see what they ask for. */
int buffers_check(struct rule *rule, struct weir_errbuf *err);

#endif
