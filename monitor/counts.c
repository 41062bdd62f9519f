#include "counts.h"

#include <stdarg.h>
#include <stdio.h>

void
reply_clear(struct reply *to)
{
    to->n = 0;
    to->cut = false;
}

void
reply_add(struct reply *to, const char *format, ...)
{
    const size_t room = sizeof(to->at) - to->n;
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(to->at + to->n, room, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= room)
        to->cut = true;
    else
        to->n += (size_t)n;
}

#define FIELD(name, member, gauge, rules, help)                                                    \
    {                                                                                              \
        name, help, offsetof(struct counts, member), gauge, rules, false                           \
    }

#define WIRE(name, member, gauge, help)                                                            \
    {                                                                                              \
        name, help, offsetof(struct counts, member), gauge, false, true                            \
    }

const struct counts_field counts_fields[] = {
    FIELD("packets", monitor.packets, false, false, "Packets read."),
    FIELD("bytes", monitor.bytes, false, false, "Bytes of them, on the wire."),
    FIELD("flows", monitor.flows, false, false, "Flows that began."),
    FIELD("live_flows", monitor.live_flows, true, false, "Flows there are now."),
    FIELD("no_flow", monitor.no_flow, false, false, "Packets that belong to no flow."),
    FIELD("fragments", monitor.fragments, false, false, "IP fragments."),
    FIELD("datagrams", monitor.datagrams, false, false, "Datagrams put together from fragments."),
    FIELD("bad_checksums", monitor.bad_checksums, false, false, "Packets with a wrong checksum."),
    FIELD("undelivered", monitor.undelivered, false, false,
          "Payload bytes behind holes that were never acknowledged."),
    FIELD("memory", monitor.memory, true, false, "Bytes in use for flows and their data."),
    FIELD("kernel_packets", kernel_packets, false, false,
          "Packets that passed the filter of the kernel."),
    FIELD("frames_copied", frames_copied, false, false,
          "Packets that came from DPDK in pieces, and were copied."),
    FIELD("frames_verified", frames_verified, false, false,
          "Packets whose checksums a card had found right."),
    FIELD("rules_loaded", rules_loaded, true, true, "Rules that are tested."),
    FIELD("rules_failed", rules_failed, true, true, "Rules that were refused."),
    FIELD("alerts", alerts, false, true, "Alerts raised."),
    FIELD("alerts_suppressed", alerts_suppressed, false, true,
          "Matches suppressed, or held by a threshold."),
    WIRE("forwarded", monitor.forwarded, false, "Packets that went on."),
    WIRE("dropped", monitor.dropped, false, "Packets that a verdict kept back."),
    WIRE("fail_closed", monitor.fail_closed, false, "Packets that a bound kept back."),
    WIRE("fail_open", monitor.fail_open, false,
         "Packets that a bound let go on without a verdict."),
    WIRE("send_drops", monitor.send_drops, false, "Packets that were to go on, and could not."),
    WIRE("held", monitor.held, true, "Packets that wait for a verdict now."),
    WIRE("held_max", monitor.held_max, true, "The most that a core ever held."),
    WIRE("rejects", monitor.rejects, false, "RSTs and ICMP errors that were sent."),
    WIRE("rewritten", monitor.rewritten, false, "Packets that went on with other bytes."),
    WIRE("late_fragments", monitor.late_fragments, false,
         "Fragments kept back, of datagrams that were dropped before."),
    WIRE("unseen", unseen, false, "Packets that the filter left out, and that went on."),
    { NULL, NULL, 0, false, false, false },
};

const uint64_t *
counts_get(const struct counts *c, const struct counts_field *field)
{
    if ((field->rules && !c->has_rules) || (field->wire && c->n_ports == 0))
        return NULL;
    return (const uint64_t *)(const void *)((const char *)c + field->offset);
}

const char *
counts_drop(const struct counts *c, unsigned reason, uint64_t *n)
{
    const struct {
        const char *name;
        uint64_t n;
    } all[] = { { "kernel", c->kernel_drops },
                { "interface", c->interface_drops },
                { "tap", c->monitor.tap_dropped },
                { "log", c->log_dropped } };

    if (reason >= sizeof(all) / sizeof(*all))
        return NULL;
    *n = all[reason].n;
    return all[reason].name;
}

const char *
counts_of_port(const struct counts_port *port, unsigned which, uint64_t *n)
{
    const struct {
        const char *name;
        uint64_t n;
    } all[] = { { "received", port->received },
                { "lost", port->lost },
                { "sent", port->sent },
                { "send_drops", port->send_drops },
                { "send_large", port->send_large } };

    if (which >= sizeof(all) / sizeof(*all))
        return NULL;
    *n = all[which].n;
    return all[which].name;
}

const char *
counts_limit(unsigned limit)
{
    const struct weir_monitor_stats *s = NULL;

    return limit < sizeof(s->overload) / sizeof(*s->overload)
               ? weir_event_fields(WEIR_EV_OVERLOAD)[0].names[limit]
               : NULL;
}

static void
add_ports(const struct counts *c, struct reply *to)
{
    const char *name;
    uint64_t n;

    if (c->n_ports > 0)
        reply_add(to, "},\"ports\":{");
    for (unsigned i = 0; i < c->n_ports; i++)
        for (unsigned k = 0; (name = counts_of_port(&c->port[i], k, &n)) != NULL; k++)
            reply_add(to, "%s\"%s_%s\":%llu", i + k > 0 ? "," : "", c->port[i].name, name,
                      (unsigned long long)n);
}

/* Those of cores by their numbers. */
static void
add_cores(const struct counts *c, struct reply *to)
{
    reply_add(to, "},\"core_packets\":{");
    for (unsigned i = 0; i < c->cores && i < COUNTS_CORES; i++)
        reply_add(to, "%s\"%u\":%llu", i > 0 ? "," : "", i, (unsigned long long)c->core[i].packets);
    reply_add(to, "},\"core_cpu_ms\":{");
    for (unsigned i = 0; i < c->cores && i < COUNTS_CORES; i++)
        reply_add(to, "%s\"%u\":%llu", i > 0 ? "," : "", i, (unsigned long long)c->core[i].cpu_ms);
}

void
counts_json(const struct counts *c, struct reply *to)
{
    const char *name;
    uint64_t n;

    reply_add(to, "{\"uptime_ms\":%llu,\"cpu_ms\":%llu,\"cores\":%u",
              (unsigned long long)c->uptime_ms, (unsigned long long)c->cpu_ms, c->cores);
    for (const struct counts_field *f = counts_fields; f->name != NULL; f++)
        if (counts_get(c, f) != NULL)
            reply_add(to, ",\"%s\":%llu", f->name, (unsigned long long)*counts_get(c, f));
    reply_add(to, ",\"drops\":{");
    for (unsigned i = 0; (name = counts_drop(c, i, &n)) != NULL; i++)
        reply_add(to, "%s\"%s\":%llu", i > 0 ? "," : "", name, (unsigned long long)n);
    add_ports(c, to);
    add_cores(c, to);
    reply_add(to, "},\"limits\":{");
    for (unsigned i = 0; (name = counts_limit(i)) != NULL; i++)
        reply_add(to, "%s\"%s\":%llu", i > 0 ? "," : "", name,
                  (unsigned long long)c->monitor.overload[i]);
    reply_add(to, "},\"events\":{");
    for (unsigned i = 0; i < WEIR_EV_COUNT; i++)
        reply_add(to, "%s\"%s\":%llu", i > 0 ? "," : "", weir_event_name(i),
                  (unsigned long long)c->monitor.events[i]);
    reply_add(to, "}}\n");
}
