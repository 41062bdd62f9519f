/*
 * Each direction's reassembled bytes in a file of its own, under tcpflow's names:
 * SRC.PORT-DST.PORT, numbers of IPv4 addresses with three digits and ports with five (IPv6
 * addresses by RFC 5952), "--N" for VLAN N, then "c1", "c2"... for later connections on the same
 * tuple. A connection that goes on after its flow timed out, or was evicted, is no other one.
 *
 * Threads: one. At most STREAMS_OPEN files are open at a time.
 */
#ifndef WEIR_STREAMS_H
#define WEIR_STREAMS_H

#include <weir/error.h>
#include <weir/event.h>

#include <stdbool.h>
#include <stdint.h>

enum { STREAMS_OPEN = 256 };

struct streams;

/* What a flow carries for it, zeroed at its start. */
struct stream_state {
    uint32_t connection; /* how many connections on the tuple came before */
    bool numbered;       /* connection is set */
    bool started[2];     /* by direction: the file was made */
    uint16_t slot[2];    /* by direction: where its file is open, if it still is */
};

/* dir is made if missing; as many as share have their files in it, each those of other tuples. */
int streams_new(const char *dir, unsigned share, struct streams **out, struct weir_errbuf *err);

/* A flow begins: number its connection. */
void streams_start(struct streams *s, struct stream_state *state, const struct weir_flow *flow);

/* Append the bytes of a payload event. */
void streams_write(struct streams *s, struct stream_state *state, const struct weir_event *ev);

/* The event flow_end: the flow's state goes. */
void streams_end(struct streams *s, const struct stream_state *state, const struct weir_event *ev);

/* Close all files. WEIR_E_IO, with a text, if something was not written. NULL is allowed. */
int streams_free(struct streams *s, struct weir_errbuf *err);

#endif
