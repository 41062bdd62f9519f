#include "metrics.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the text ------------------------------------------------------------------------------ */

static void
type(struct reply *to, const char *name, bool gauge, const char *help)
{
    reply_add(to, "# TYPE weir_%s %s\n# HELP weir_%s %s\n", name, gauge ? "gauge" : "counter", name,
              help);
}

static void
add_fields(struct reply *to, const struct counts *c)
{
    for (const struct counts_field *f = counts_fields; f->name != NULL; f++) {
        const uint64_t *value = counts_get(c, f);

        if (value == NULL)
            continue;
        type(to, f->name, f->gauge, f->help);
        reply_add(to, "weir_%s%s %llu\n", f->name, f->gauge ? "" : "_total",
                  (unsigned long long)*value);
    }
}

static void
add_families(struct reply *to, const struct counts *c)
{
    const char *name;
    uint64_t n;

    type(to, "drops", false, "Packets, events behind sleeping stages, and records that were lost.");
    for (unsigned i = 0; (name = counts_drop(c, i, &n)) != NULL; i++)
        reply_add(to, "weir_drops_total{reason=\"%s\"} %llu\n", name, (unsigned long long)n);
    type(to, "limit_hits", false, "How often a limit was met.");
    for (unsigned i = 0; (name = counts_limit(i)) != NULL; i++)
        reply_add(to, "weir_limit_hits_total{limit=\"%s\"} %llu\n", name,
                  (unsigned long long)c->monitor.overload[i]);
    type(to, "events", false, "Flow events raised, wanted or not.");
    for (unsigned i = 0; i < WEIR_EV_COUNT; i++)
        reply_add(to, "weir_events_total{event=\"%s\"} %llu\n", weir_event_name(i),
                  (unsigned long long)c->monitor.events[i]);
}

static void
add_ports(struct reply *to, const struct counts *c)
{
    static const char *const helps[] = { "Packets that came in at the port.",
                                         "Of them, those lost before they were read.",
                                         "Packets that left by the port.",
                                         "Packets that were to leave by it, and could not.",
                                         "Of them, those that were too large." };
    const char *name;
    uint64_t n;

    for (unsigned k = 0; c->n_ports > 0 && k < sizeof(helps) / sizeof(*helps); k++) {
        for (unsigned i = 0; i < c->n_ports; i++) {
            char family[40];

            name = counts_of_port(&c->port[i], k, &n);
            snprintf(family, sizeof(family), "port_%s", name);
            if (i == 0)
                type(to, family, false, helps[k]);
            reply_add(to, "weir_%s_total{port=\"%s\"} %llu\n", family, c->port[i].name,
                      (unsigned long long)n);
        }
    }
}

static void
add_cores(struct reply *to, const struct counts *c)
{
    type(to, "core_packets", false, "Packets that a packet thread followed.");
    for (unsigned i = 0; i < c->cores && i < COUNTS_CORES; i++)
        reply_add(to, "weir_core_packets_total{core=\"%u\"} %llu\n", i,
                  (unsigned long long)c->core[i].packets);
    type(to, "core_cpu_seconds", false, "CPU time of a packet thread.");
    for (unsigned i = 0; i < c->cores && i < COUNTS_CORES; i++)
        reply_add(to, "weir_core_cpu_seconds_total{core=\"%u\"} %llu.%03u\n", i,
                  (unsigned long long)c->core[i].cpu_ms / 1000,
                  (unsigned)(c->core[i].cpu_ms % 1000));
}

static void
add_all(struct reply *to, const struct counts *c, const char *program)
{
    reply_add(to,
              "# TYPE weir_build info\n# HELP weir_build The program.\n"
              "weir_build_info{program=\"%s\",version=\"%s\"} 1\n",
              program, PACKAGE_VERSION);
    type(to, "uptime_seconds", true, "Since the run began.");
    reply_add(to, "weir_uptime_seconds %llu.%03u\n", (unsigned long long)c->uptime_ms / 1000,
              (unsigned)(c->uptime_ms % 1000));
    type(to, "cpu_seconds", false, "CPU time of all threads.");
    reply_add(to, "weir_cpu_seconds_total %llu.%03u\n", (unsigned long long)c->cpu_ms / 1000,
              (unsigned)(c->cpu_ms % 1000));
    type(to, "cores", true, "Packet threads.");
    reply_add(to, "weir_cores %u\n", c->cores);
    add_cores(to, c);
    add_fields(to, c);
    add_families(to, c);
    add_ports(to, c);
    reply_add(to, "# EOF\n");
}

/* ---- HTTP ---------------------------------------------------------------------------------- */

/* The length of the text is known when it is written, so its place in the head is kept free. */
void
metrics_answer(const struct counts *c, const char *program, struct reply *to)
{
    enum { DIGITS = 8 };
    char length[DIGITS + 1];
    size_t digits, text;

    reply_add(to, "HTTP/1.1 200 OK\r\n"
                  "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"
                  "Connection: close\r\nContent-Length: ");
    digits = to->n;
    reply_add(to, "%0*d\r\n\r\n", DIGITS, 0);
    text = to->n;
    add_all(to, c, program);
    snprintf(length, sizeof(length), "%0*u", DIGITS, (unsigned)(to->n - text) % 100000000);
    memcpy(to->at + digits, length, DIGITS);
}

void
metrics_refuse(const char *status, struct reply *to)
{
    reply_add(to,
              "HTTP/1.1 %s\r\n%sContent-Type: text/plain\r\nConnection: close\r\n"
              "Content-Length: %zu\r\n\r\n%s\n",
              status, strncmp(status, "405", 3) == 0 ? "Allow: GET\r\n" : "", strlen(status) + 1,
              status);
}

static bool
is_word(const char *p, size_t n, const char *word)
{
    return n == strlen(word) && memcmp(p, word, n) == 0;
}

/* The length of the word at p, up to a blank or the end of n bytes. */
static size_t
word_length(const char *p, size_t n)
{
    const char *blank = memchr(p, ' ', n);

    return blank != NULL ? (size_t)(blank - p) : n;
}

/* "GET /metrics HTTP/1.1", without the end of the line. */
static enum metrics_request
read_line(const char *line, size_t n, struct reply *to)
{
    const size_t method = word_length(line, n);
    const char *path = line + method + 1, *version, *query;
    size_t path_n = 0, version_n = 0;

    if (method < n) {
        path_n = word_length(path, (size_t)(line + n - path));
        version = path + path_n + 1;
        version_n = version < line + n ? (size_t)(line + n - version) : 0;
    }
    if (method == 0 || path_n == 0 || *path != '/' || version_n != 8 ||
        memcmp(path + path_n + 1, "HTTP/1.", 7) != 0) {
        metrics_refuse("400 Bad Request", to);
        return METRICS_ANSWERED;
    }
    query = memchr(path, '?', path_n);
    if (query != NULL)
        path_n = (size_t)(query - path);
    if (is_word(line, method, "GET") && is_word(path, path_n, "/metrics"))
        return METRICS_WANTED;
    metrics_refuse(is_word(line, method, "GET") ? "404 Not Found" : "405 Method Not Allowed", to);
    return METRICS_ANSWERED;
}

/* Does the head end in these bytes, with an empty line? */
static bool
has_end(const char *in, size_t n)
{
    const char *end = in + n;

    for (const char *p = in; (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++) {
        if (end - p >= 2 && p[1] == '\n')
            return true;
        if (end - p >= 3 && p[1] == '\r' && p[2] == '\n')
            return true;
    }
    return false;
}

enum metrics_request
metrics_read(const char *in, size_t n, bool full, struct reply *to)
{
    const char *line_end = memchr(in, '\n', n);
    size_t line;

    if (!has_end(in, n)) {
        if (!full)
            return METRICS_MORE;
        metrics_refuse("431 Request Header Fields Too Large", to);
        return METRICS_ANSWERED;
    }
    line = (size_t)(line_end - in);
    if (line > 0 && in[line - 1] == '\r')
        line--;
    return read_line(in, line, to);
}

/* ---- where it is --------------------------------------------------------------------------- */

static bool
set_address(const char *address, uint16_t port, struct sockaddr_storage *out, socklen_t *n)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

    *out = (struct sockaddr_storage){ .ss_family = AF_UNSPEC };
    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1) {
        memcpy(out, &v4, *n = sizeof(v4));
        return true;
    }
    memcpy(out, &v6, *n = sizeof(v6));
    return inet_pton(AF_INET6, address, &((struct sockaddr_in6 *)(void *)out)->sin6_addr) == 1;
}

int
metrics_address(const char *text, struct sockaddr_storage *out, socklen_t *n,
                struct weir_errbuf *err)
{
    const char *colon = strrchr(text, ':'), *digits = colon != NULL ? colon + 1 : text;
    char address[INET6_ADDRSTRLEN + 2] = "127.0.0.1";
    size_t length = colon != NULL ? (size_t)(colon - text) : 0;
    char *end;
    unsigned long port = strtoul(digits, &end, 10);
    bool good = *digits >= '0' && *digits <= '9' && *end == '\0' && port >= 1 && port <= 65535 &&
                length < sizeof(address);

    if (good && colon != NULL) {
        const bool bracket = text[0] == '[' && length >= 2 && text[length - 1] == ']';

        snprintf(address, sizeof(address), "%.*s", (int)(bracket ? length - 2 : length),
                 text + bracket);
        good = bracket == (strchr(address, ':') != NULL);
    }
    if (good && set_address(address, (uint16_t)port, out, n))
        return WEIR_E_OK;
    return weir_err_set(err, WEIR_E_INVAL,
                        "--metrics: a port (9100, 10.0.0.1:9100, [::1]:9100) is expected, not '%s'",
                        text);
}
