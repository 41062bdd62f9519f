/*
 * Brute force: one host opens connection after connection to a service that asks for passwords, and
 * each is over soon, with few bytes in both directions. The service is known by its port, or by
 * what the server says first (SSH, POP3, IMAP, RFB) or the client (RDP), on any port.
 */
#include "detectors/detector.h"

#include <string.h>

enum { PARAM_BYTES = PARAM_OWN, PARAM_LASTS };

struct flow {
    bool fin[2];
};

#define ENDS (WEIR_EV_BIT(WEIR_EV_FIN) | WEIR_EV_BIT(WEIR_EV_RST))

/* ftp, ssh, telnet, pop3, imap, rlogin, mssql, mysql, rdp, postgres, vnc, winrm, redis */
static const uint16_t ports[] = { 21,   22,   23,   110,  143,  513, 1433,
                                  3306, 3389, 5432, 5900, 5985, 6379 };

static bool
asks_for_passwords(uint16_t port)
{
    for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++)
        if (ports[i] == port)
            return true;
    return false;
}

static bool
begins(struct weir_bytes data, const char *with)
{
    return data.n >= strlen(with) && memcmp(data.p, with, strlen(with)) == 0;
}

/* The X.224 connection request that RDP begins with: [MS-RDPBCGR] 2.2.1.1. */
static bool
is_rdp(struct weir_bytes data)
{
    return data.n > 5 && data.p[0] == 3 && data.p[1] == 0 && data.p[5] == 0xe0;
}

static bool
is_known_by(const struct weir_event *ev)
{
    struct weir_bytes data = ev->payload.data;

    if (ev->payload.offset != 0)
        return false;
    if (ev->direction == WEIR_TOSERVER)
        return is_rdp(data);
    return begins(data, "SSH-") || begins(data, "+OK") || begins(data, "* OK") ||
           begins(data, "RFB ");
}

static void
choose_events(const struct weir_event *ev)
{
    struct weir_tuple tuple;

    weir_flow_tuple(ev->flow, &tuple);
    if (tuple.proto != WEIR_PROTO_TCP || weir_flow_midstream(ev->flow))
        narrow(ev, 0);
    else if (asks_for_passwords(tuple.port[WEIR_TOCLIENT]))
        narrow(ev, ENDS);
}

static bool
is_over(struct flow *flow, const struct weir_event *ev)
{
    flow->fin[ev->direction] = true;
    return ev->type == WEIR_EV_RST || flow->fin[!ev->direction];
}

/* Both sides have spoken, but not much, and not for long. */
static bool
was_short(const struct weir_event *ev)
{
    const struct detector *by = ev->app;
    struct weir_flow_counts counts[2];

    for (int dir = 0; dir < 2; dir++) {
        weir_flow_counts(ev->flow, (enum weir_dir)dir, &counts[dir]);
        if (counts[dir].payload == 0 || counts[dir].payload > (uint64_t)by->param[PARAM_BYTES])
            return false;
    }
    return ev->time - weir_flow_start_time(ev->flow) <=
           (uint64_t)by->param[PARAM_LASTS] * 1000000000;
}

static bool
has_failed(struct flow *flow, const struct weir_event *ev)
{
    switch (ev->type) {
    case WEIR_EV_FLOW_START:
        choose_events(ev);
        return false;
    case WEIR_EV_PAYLOAD:
        narrow(ev, is_known_by(ev) ? ENDS : 0);
        return false;
    default:
        if (!is_over(flow, ev))
            return false;
        narrow(ev, 0);
        return was_short(ev);
    }
}

WEIR_HANDLER(count, look, struct flow *, flow, event, ev)
{
    struct sighting *at;
    struct weir_tuple tuple;
    struct key key;

    if (ev->flow == NULL || !has_failed(flow, ev) || (at = sight(ev, WEIR_TOSERVER)) == NULL)
        return nothing();
    weir_flow_tuple(ev->flow, &tuple);
    key_begin(&key, 'B', &tuple);
    key_addr(&key, &tuple, WEIR_TOSERVER);
    key_addr(&key, &tuple, WEIR_TOCLIENT);
    key_bytes(&key, &tuple.port[WEIR_TOCLIENT], sizeof(tuple.port[0]));
    return detector_judge(at, detector_count(at, &key, 1));
}

const struct detector_kind brute_force = {
    .name = "brute-force",
    .look = look_raw,
    .want = ENDS | WEIR_EV_BIT(WEIR_EV_FLOW_START) | WEIR_EV_BIT(WEIR_EV_PAYLOAD),
    .flow_size = sizeof(struct flow),
    .param = { { "count", 20, 1000000 },
               { "seconds", 60, 86400 },
               { "bytes", 8192, 1 << 30 },
               { "lasts", 30, 86400 } },
    .alert = { { 4, "WEIR DETECTOR brute force of a login", "unsuccessful-user", 2 } },
};
