/*
 * Which records are written, and what is in them: outputs. and stats. of the settings, in
 * Suricata's layout (outputs.1.eve-log.types.0.alert.payload) and in a shorter one without the
 * numbers of lists (outputs.eve-log.alert.payload, and of alerts outputs.eve-log.payload).
 * doc/eve.md lists them.
 */
#ifndef IDS_OUTPUTS_H
#define IDS_OUTPUTS_H

#include "rule/lexer.h"

#include <weir/error.h>

#include <stdbool.h>
#include <stdint.h>

enum eve_type {
    EVE_ALERT,
    EVE_PACKET, /* that a tag has recorded */
    EVE_DROP,   /* that was dropped, in line */
    EVE_ANOMALY,
    EVE_HTTP,
    EVE_DNS,
    EVE_TLS,
    EVE_SSH,
    EVE_FILEINFO,
    EVE_FLOW,
    EVE_STATS,
    EVE_FLOW_EVENT,
    EVE_TYPES
};

enum {
    PAYLOAD_BUFFER_MAX = 65536, /* as much of a stream as is retained */
    FLOW_EVENT_BYTES = 256,     /* of a field that shows bytes, by default */
};

struct eve_opts {
    uint32_t types; /* a bit for each enum eve_type */
    bool community_id;
    uint16_t community_id_seed;
    bool pcap_file; /* which capture it is of */
    bool ethernet;  /* MAC addresses of records of a packet */
    bool metadata;  /* flowbits and their like, in all records */

    /* alerts */
    bool payload, payload_printable, packet, verdict;
    bool app_layer;                                   /* the transaction's object, if ... */
    bool alert_http, alert_dns, alert_tls, alert_ssh; /* ... it is wanted of its protocol */
    bool alert_flow, rule_metadata, rule_reference, rule_raw;
    uint32_t payload_buffer_size;

    /* packets that were dropped: the alert that did it, what became of them, and all of a flow or
       the first of each direction */
    bool drop_alerts, drop_verdict, drop_all;

    bool anomaly_decode, anomaly_stream, anomaly_applayer;
    bool anomaly_repeat; /* all of the stream, not only the first of a kind, flow and direction */
    bool http_extended, http_request_headers, http_response_headers;
    bool dns_requests, dns_responses;
    bool tls_extended;
    uint32_t flow_event_bytes;
    uint32_t stats_interval; /* seconds of packet time; 0: by default */
};

struct outputs {
    struct eve_opts eve;
    bool eve_on, fast_on;
    struct text eve_file, fast_file; /* in the log folder, or absolute */
    bool outputs_listed, types_listed;
    bool stats_off;        /* stats.enabled: no */
    struct text eve_index; /* of the one eve-log that is written; p is NULL: any */
};

struct outputs outputs_default(void);

/* Take a setting whose name begins with outputs. or stats. *ignored: it means nothing here. */
int outputs_set(struct outputs *outputs, struct text name, struct text value, bool *ignored,
                struct weir_errbuf *err);

static inline bool
eve_writes(const struct eve_opts *opts, enum eve_type type)
{
    return opts->types >> type & 1;
}

struct cli_dump;

void outputs_dump(const struct outputs *outputs, struct cli_dump *dump);

#endif
