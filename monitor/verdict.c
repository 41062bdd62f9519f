#include <weir/verdict.h>

void
weir_verdict(const struct weir_event *ev, enum weir_verdict v)
{
    (void)ev, (void)v;
}

void
weir_reject(const struct weir_event *ev, unsigned to)
{
    (void)ev, (void)to;
}

int
weir_rewrite_payload(const struct weir_event *ev, uint32_t at, const void *bytes, uint32_t n)
{
    (void)ev, (void)at, (void)bytes, (void)n;
    return WEIR_E_NOENT;
}

int
weir_rewrite_endpoint(const struct weir_event *ev, enum weir_endpoint which,
                      const struct weir_addr *addr, int port)
{
    (void)ev, (void)which, (void)addr, (void)port;
    return WEIR_E_NOENT;
}
