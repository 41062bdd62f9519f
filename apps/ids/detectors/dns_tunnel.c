/*
 * DNS tunnel: a client asks for many different names under one domain, and what stands before the
 * domain is long and looks drawn by lot: it is data.
 *
 * The domain is taken to be the last two labels, or three where the last two look like "co.uk".
 */
#include "detectors/detector.h"

#include "dns.h"
#include "hash.h"

#include <string.h>

enum { DNS_PORT = 53, PARAM_LENGTH = PARAM_OWN, PARAM_ENTROPY };

/* ---- names --------------------------------------------------------------------------------- */

/* Characters of the name before its domain: before the dot in front of it. */
static size_t
before_domain(const struct dns_name *name)
{
    size_t at = name->n, end = name->n, length[3] = { 0 };
    unsigned labels = 0, wanted = 2;

    while (at > 0 && labels < wanted) {
        at = end;
        while (at > 0 && name->text[at - 1] != '.')
            at--;
        length[labels++] = end - at;
        if (labels == 2 && length[0] == 2 && length[1] <= 3)
            wanted = 3;
        if (at == 0)
            return 0;
        end = at - 1;
    }
    return end;
}

static bool
is_reverse(const struct dns_name *name)
{
    return name->n > 5 && strcmp(name->text + name->n - 5, ".arpa") == 0;
}

/* log2(x) in 1/4096 for x from 1 to 255, by squaring: the same on every machine. */
static uint32_t
log2_fixed(uint32_t x)
{
    uint32_t whole = 31 - (uint32_t)__builtin_clz(x), part = 0;
    uint64_t y = (uint64_t)x << 16 >> whole; /* 1 <= y < 2, in 1/65536 */

    for (unsigned bit = 0; bit < 12; bit++) {
        y = y * y >> 16;
        part <<= 1;
        if (y >= 2 << 16) {
            y >>= 1;
            part |= 1;
        }
    }
    return whole << 12 | part;
}

/* Bits of a character, by how often each is there, in hundredths. */
static int64_t
entropy(const char *text, size_t n)
{
    uint8_t times[256] = { 0 };
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        times[(uint8_t)text[i]]++;
    for (unsigned i = 0; i < 256; i++)
        if (times[i] > 0)
            sum += (uint64_t)times[i] * log2_fixed(times[i]);
    return (int64_t)((log2_fixed((uint32_t)n) * (uint64_t)n - sum) * 100 / (n * 4096));
}

static bool
is_data(const struct detector *by, const struct dns_name *name, size_t n)
{
    return n > 0 && (int64_t)n >= by->param[PARAM_LENGTH] && !is_reverse(name) &&
           entropy(name->text, n) >= by->param[PARAM_ENTROPY];
}

/* ---- stages -------------------------------------------------------------------------------- */

/* Of letters both cases are the same name, and some resolvers mix them at random. */
static void
lower(struct dns_name *name)
{
    for (size_t i = 0; i < name->n; i++)
        if (name->text[i] >= 'A' && name->text[i] <= 'Z')
            name->text[i] = (char)(name->text[i] + ('a' - 'A'));
}

static bool
read_name(const struct weir_event *ev, struct dns_record *question)
{
    struct dns_message msg;
    struct dns_walk walk;

    if (dns_parse(ev->datagram.data.p, ev->datagram.data.n, &msg) != WEIR_E_OK ||
        msg.flags & DNS_QR)
        return false;
    walk = dns_records(&msg);
    if (!dns_next(&walk, question) || question->section != DNS_QUESTION)
        return false;
    lower(&question->name);
    return true;
}

static void
choose_events(const struct weir_event *ev)
{
    struct weir_tuple tuple;

    weir_flow_tuple(ev->flow, &tuple);
    if (tuple.proto != WEIR_PROTO_UDP || tuple.port[WEIR_TOCLIENT] != DNS_PORT)
        narrow(ev, 0);
}

WEIR_HANDLER(count, look, void *, nothing_kept, event, ev)
{
    static const struct hash_key fixed = { 0, 0 };
    struct dns_record question;
    struct weir_tuple tuple;
    struct sighting *at;
    uint64_t domain, whole;
    struct key key;
    size_t n;

    (void)nothing_kept;
    if (ev->flow != NULL && ev->type == WEIR_EV_FLOW_START)
        choose_events(ev);
    if (ev->flow == NULL || ev->type != WEIR_EV_DATAGRAM || ev->direction != WEIR_TOSERVER ||
        !read_name(ev, &question))
        return nothing();
    n = before_domain(&question.name);
    if (!is_data(ev->app, &question.name, n) || (at = sight(ev, WEIR_TOSERVER)) == NULL)
        return nothing();
    domain = siphash13_bytes(&fixed, (const uint8_t *)question.name.text + n, question.name.n - n);
    whole = siphash13_bytes(&fixed, (const uint8_t *)question.name.text, question.name.n);
    weir_flow_tuple(ev->flow, &tuple);
    key_begin(&key, 'D', &tuple);
    key_addr(&key, &tuple, WEIR_TOSERVER);
    key_bytes(&key, &domain, sizeof(domain));
    return detector_judge(at, detector_distinct(at, &key, &whole, sizeof(whole)));
}

const struct detector_kind dns_tunnel = {
    .name = "dns-tunnel",
    .look = look_raw,
    .want = WEIR_EV_BIT(WEIR_EV_FLOW_START) | WEIR_EV_BIT(WEIR_EV_DATAGRAM),
    .param = { { "count", 30, 1000000 },
               { "seconds", 60, 86400 },
               { "length", 30, 253 },
               { "entropy", 350, 800 } },
    .alert = { { 7, "WEIR DETECTOR data in names of DNS questions", "trojan-activity", 1 } },
};
