/*
 * Which protocol a flow speaks, by the first bytes of both directions; ports are hints only, where
 * the bytes alone leave it open.
 *
 * A struct detect_proto of zeros, but for its first, is a new connection. First bytes are copied
 * only where what came so far does not decide: as long as none are kept (n), any room will do for a
 * call.
 */
#ifndef WEIR_DETECT_PROTO_H
#define WEIR_DETECT_PROTO_H

#include <weir/event.h>

#include <stdbool.h>
#include <stdint.h>

/* Names are those of EVE's app_proto, where it has one. */
/* clang-format off */
#define APP_PROTO_LIST(X)                                                                          \
    X(UNKNOWN_YET, "unknown")                                                                      \
    X(UNKNOWN,     "failed")                                                                       \
    X(DNS,         "dns")                                                                          \
    X(TLS,         "tls")                                                                          \
    X(SSH,         "ssh")                                                                          \
    X(DHCP,        "dhcp")                                                                         \
    X(DHCPV6,      "dhcpv6")                                                                       \
    X(HTTP,        "http")                                                                         \
    X(HTTP2,       "http2")                                                                        \
    X(SMTP,        "smtp")                                                                         \
    X(FTP,         "ftp")                                                                          \
    X(POP3,        "pop3")                                                                         \
    X(IMAP,        "imap")                                                                         \
    X(SMB,         "smb")                                                                          \
    X(RDP,         "rdp")                                                                          \
    X(RFB,         "rfb")                                                                          \
    X(SIP,         "sip")                                                                          \
    X(RTSP,        "rtsp")                                                                         \
    X(NTP,         "ntp")                                                                          \
    X(QUIC,        "quic")
/* clang-format on */

enum app_proto {
#define X(upper, name) APP_##upper,
    APP_PROTO_LIST(X)
#undef X
        APP_PROTOS
};

enum { DETECT_BYTES = 32 }; /* of a direction that are kept */

/* By enum weir_dir. */
struct detect_first {
    uint8_t bytes[2][DETECT_BYTES];
};

struct detect_ports {
    uint16_t server, client;
    bool midstream; /* nobody saw who began: the directions may be the other way round */
};

struct detect_proto {
    struct detect_first *first; /* the caller's: room for what does not decide, as long as there is
                                   no answer */
    uint8_t n[2];               /* bytes of it that are kept */
    bool cut[2];                /* nothing follows what was seen of a direction */
    bool swapped;   /* with the answer: the client is the server, and the other way round */
    uint8_t answer; /* enum app_proto */
};

/*
 * The next bytes of a connection. Once there is an answer it stays. A parser then also wants what
 * came before, of both directions: weir_flow_read() has it, if the app asked for a history.
 */
enum app_proto detect_stream(struct detect_proto *d, struct detect_ports ports, enum weir_dir dir,
                             struct weir_bytes bytes);

/* The next bytes of a direction will not come; before its first ones, too. */
enum app_proto detect_gap(struct detect_proto *d, struct detect_ports ports, enum weir_dir dir);

/* One datagram of UDP: APP_UNKNOWN, or a protocol. */
enum app_proto
detect_datagram(struct detect_ports ports, enum weir_dir dir, struct weir_bytes bytes);

/* "dns" and so on. */
const char *app_proto_name(unsigned proto);

#endif
