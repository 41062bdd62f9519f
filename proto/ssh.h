/*
 * SSH as far as it is readable: the identification line (RFC 4253 section 4.2) and the first
 * KEXINIT (section 7.1) of each side, and HASSH, the fingerprint made of it (Salesforce, 2018).
 *
 * Memory: what is parsed refers to the bytes it was read from. A struct ssh_side of zeros is the
 *         beginning of a direction; it holds a block of the pool only within a line or packet that
 *         came in pieces.
 */
#ifndef WEIR_SSH_H
#define WEIR_SSH_H

#include "digest.h"
#include "gather.h"

#include <weir/error.h>
#include <weir/event.h>

enum {
    SSH_LINE_MAX = 255,     /* RFC 4253 section 4.2, with its end */
    SSH_BEFORE_MAX = 4096,  /* bytes of lines before it, which a server may send */
    SSH_PACKET_MAX = 35000, /* section 6.1 */
    SSH_PACKETS_BEFORE = 4, /* of other types, before KEXINIT */
    SSH_HASSH = 33          /* an MD5 as text, terminated */
};

struct ssh_banner {
    struct weir_bytes line;     /* without its end */
    struct weir_bytes version;  /* "2.0" */
    struct weir_bytes software; /* "OpenSSH_9.2p1" */
    struct weir_bytes comment;  /* "Debian-2", may be empty */
};

/* Lists of names with commas. In the order of the message. */
enum ssh_list {
    SSH_KEX,
    SSH_HOST_KEY,
    SSH_CIPHER_TOSERVER,
    SSH_CIPHER_TOCLIENT,
    SSH_MAC_TOSERVER,
    SSH_MAC_TOCLIENT,
    SSH_COMPRESSION_TOSERVER,
    SSH_COMPRESSION_TOCLIENT,
    SSH_LANGUAGE_TOSERVER,
    SSH_LANGUAGE_TOCLIENT,
    SSH_LISTS
};

struct ssh_kexinit {
    struct weir_bytes list[SSH_LISTS];
};

/* A line without its end. WEIR_E_OK; WEIR_E_MALFORMED: not "SSH-version-software". */
int ssh_banner_parse(struct weir_bytes line, struct ssh_banner *out);

/* A payload with its type (20) in front. WEIR_E_OK, WEIR_E_TRUNC, WEIR_E_MALFORMED. */
int ssh_kexinit_parse(struct weir_bytes payload, struct ssh_kexinit *out);

/*
 * The text whose MD5 is HASSH (sent by the client) or HASSHserver: its algorithms in that
 * direction. WEIR_E_OK; WEIR_E_LIMIT: it did not fit.
 */
int ssh_hassh_text(const struct ssh_kexinit *kex, enum weir_dir sent, struct put *put);

/* Its MD5, however long the text is. */
void ssh_hassh(struct digest *digest, const struct ssh_kexinit *kex, enum weir_dir sent,
               char hash[SSH_HASSH]);

/* ---- a direction */

enum ssh_state { SSH_LINES, SSH_PACKETS, SSH_DONE, SSH_LOST, SSH_BAD };

struct ssh_side {
    struct gather packet;
    uint8_t *line;   /* a block, while a line came in part */
    uint16_t n_line; /* bytes of it */
    uint16_t before; /* bytes of lines before the identification */
    uint8_t state;   /* enum ssh_state; from SSH_DONE on no more bytes are needed */
    uint8_t packets; /* of other types */
};

/* What was found: exactly one of the two is not NULL. All is lent. */
typedef void ssh_fn(void *ctx, const struct ssh_banner *banner, const struct ssh_kexinit *kex);

void
ssh_feed(struct ssh_side *side, struct pool *pool, struct weir_bytes bytes, ssh_fn *fn, void *ctx);

/* The next n bytes will not come. */
void ssh_gap(struct ssh_side *side, struct pool *pool, uint64_t n);

/* Give back what is held. */
void ssh_end(struct ssh_side *side, struct pool *pool);

#endif
