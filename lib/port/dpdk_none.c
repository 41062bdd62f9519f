/* DPDK's ports in a build without it. */
#include "port/dpdk.h"
#include "port/port.h"

int
dpdk_check(struct weir_errbuf *err)
{
    return weir_err_set(err, WEIR_E_UNSUPPORTED,
                        "this build has no DPDK: install libdpdk-dev, then ./configure --with-dpdk "
                        "and make");
}

int
weir_dpdk_start(const char *args, struct weir_errbuf *err)
{
    (void)args;
    return dpdk_check(err);
}

void
weir_dpdk_stop(void)
{
}

int
weir_port_open_dpdk(const char *name, const struct weir_port_opts *opts, struct weir_port **out,
                    struct weir_errbuf *err)
{
    (void)name, (void)opts;
    *out = NULL;
    return dpdk_check(err);
}

const char *
dpdk_describe(const struct weir_port *port)
{
    (void)port;
    return "";
}

const char *
dpdk_said(void)
{
    return "";
}
