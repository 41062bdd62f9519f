/* tls{} and ssh{}: of a handshake. */
#include "out/eve_tx.h"

#include "tls.h"

#include <stdio.h>
#include <string.h>

/* Dates before 1970, or of more than four digits, are left out. */
static void
put_date(struct json *j, const char *key, int64_t seconds)
{
    char text[DATE_TEXT];

    if (seconds < 0 || seconds > INT64_C(253402300799))
        return;
    date_text((uint64_t)seconds, text);
    json_str(j, key, text);
}

static void
put_certificate(struct json *j, struct tx *tx, const struct tls_facts *facts, bool extended)
{
    eve_put_buffer(j, "subject", tx, WEIR_TOCLIENT, BUFFER_TLS_CERT_SUBJECT, 0);
    eve_put_buffer(j, "issuerdn", tx, WEIR_TOCLIENT, BUFFER_TLS_CERT_ISSUER, 0);
    if (!extended)
        return;
    eve_put_buffer(j, "serial", tx, WEIR_TOCLIENT, BUFFER_TLS_CERT_SERIAL, 0);
    eve_put_buffer(j, "fingerprint", tx, WEIR_TOCLIENT, BUFFER_TLS_CERT_FINGERPRINT, 0);
    if (facts->not_before != 0)
        put_date(j, "notbefore", facts->not_before);
    if (facts->not_after != 0)
        put_date(j, "notafter", facts->not_after);
}

/* hash and string of a fingerprint; nothing if there is none. */
static void
put_hashed(struct json *j, const char *key, struct tx *tx, enum weir_dir dir, enum buffer_id hash,
           enum buffer_id string)
{
    struct tx_bytes bytes;

    if (!tx_buffer(tx, dir, hash, 0, &bytes))
        return;
    json_open(j, key);
    eve_put_buffer(j, "hash", tx, dir, hash, 0);
    eve_put_buffer(j, "string", tx, dir, string, 0);
    json_close(j);
}

/* ALPN: the client's offers, the server's choice. */
static void
put_alpns(struct json *j, const char *key, struct tx *tx, enum weir_dir dir)
{
    struct tx_bytes bytes;
    unsigned n = 0;

    if (!tx_buffer(tx, dir, BUFFER_TLS_ALPN, 0, &bytes))
        return;
    json_open_array(j, key);
    while (eve_put_buffer(j, NULL, tx, dir, BUFFER_TLS_ALPN, n))
        n++;
    json_close(j);
}

/* What the server chose; Suricata has a word for what nobody knows yet. */
static void
put_version(struct json *j, unsigned version)
{
    const char *name = tls_version_name(version);
    char text[8];

    snprintf(text, sizeof(text), "0x%04x", version);
    json_str(j, "version", version == 0 ? "UNDETERMINED" : name != NULL ? name : text);
}

void
eve_put_tls(struct eve_out *eve, struct json *j, struct tx *tx)
{
    bool extended = eve->opts.tls_extended;
    struct tls_facts facts;

    if (!tx_tls(tx, &facts))
        return;
    json_open(j, "tls");
    if (facts.has_certificate)
        put_certificate(j, tx, &facts, extended);
    if (extended)
        eve_put_buffer(j, "sni", tx, WEIR_TOSERVER, BUFFER_TLS_SNI, 0);
    if (extended) {
        put_version(j, facts.chosen);
        put_hashed(j, "ja3", tx, WEIR_TOSERVER, BUFFER_JA3_HASH, BUFFER_JA3_STRING);
        put_hashed(j, "ja3s", tx, WEIR_TOCLIENT, BUFFER_JA3S_HASH, BUFFER_JA3S_STRING);
        eve_put_buffer(j, "ja4", tx, WEIR_TOSERVER, BUFFER_JA4_HASH, 0);
        put_alpns(j, "client_alpns", tx, WEIR_TOSERVER);
        put_alpns(j, "server_alpns", tx, WEIR_TOCLIENT);
    }
    json_close(j);
}

static void
put_ssh_side(struct json *j, const char *key, struct tx *tx, enum weir_dir dir)
{
    bool client = dir == WEIR_TOSERVER;
    struct tx_bytes bytes;

    if (!tx_buffer(tx, dir, BUFFER_SSH_PROTO, 0, &bytes))
        return;
    json_open(j, key);
    eve_put_buffer(j, "proto_version", tx, dir, BUFFER_SSH_PROTO, 0);
    eve_put_buffer(j, "software_version", tx, dir, BUFFER_SSH_SOFTWARE, 0);
    put_hashed(j, "hassh", tx, dir, client ? BUFFER_SSH_HASSH : BUFFER_SSH_HASSH_SERVER,
               client ? BUFFER_SSH_HASSH_STRING : BUFFER_SSH_HASSH_SERVER_STRING);
    json_close(j);
}

void
eve_put_ssh(struct json *j, struct tx *tx)
{
    json_open(j, "ssh");
    put_ssh_side(j, "client", tx, WEIR_TOSERVER);
    put_ssh_side(j, "server", tx, WEIR_TOCLIENT);
    json_close(j);
}
