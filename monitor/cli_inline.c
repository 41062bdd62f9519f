#include "cli_inline.h"

#include "cli_live.h"
#include "counts.h"
#include "port/packet_socket.h"

#include <ctype.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- options ------------------------------------------------------------------------------- */

/*
 * "A:B"; addresses of cards have colons of their own, as many in each: the one in the middle parts.
 */
static char *
middle_colon(char *text)
{
    unsigned n = 0, at = 0;

    for (const char *p = text; *p != '\0'; p++)
        n += *p == ':';
    for (char *p = text; *p != '\0' && n % 2 != 0; p++)
        if (*p == ':' && at++ == n / 2)
            return p;
    return NULL;
}

int
cli_take_inline(void *ctx, const char *value, struct weir_errbuf *err)
{
    struct cli *cli = ctx;
    char *names, *colon;
    int rc;

    if (cli->n_pairs == COUNTS_PORTS / 2)
        return weir_err_set(err, WEIR_E_INVAL, "--inline: at most %d pairs are possible",
                            COUNTS_PORTS / 2);
    names = strdup(value);
    if (names == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    cli->pairs[cli->n_pairs++] = names;
    colon = middle_colon(names);
    if (colon == NULL || colon == names || colon[1] == '\0')
        return weir_err_set(err, WEIR_E_INVAL,
                            "--inline: two interfaces, or ports of DPDK's, are expected, as in "
                            "eth1:eth2, not '%s'",
                            value);
    *colon = '\0';
    rc = cli_add_interface(cli, "--inline", names, err);
    return rc == WEIR_E_OK ? cli_add_interface(cli, "--inline", colon + 1, err) : rc;
}

static int
take_fail(struct cli *cli, bool closed, struct weir_errbuf *err)
{
    if (cli->fail_given && cli->monitor.fail_closed != closed)
        return weir_err_set(err, WEIR_E_INVAL, "--fail-open and --fail-closed exclude each other");
    cli->monitor.fail_closed = closed;
    cli->fail_given = true;
    return WEIR_E_OK;
}

int
cli_take_fail_open(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)value;
    return take_fail(ctx, false, err);
}

int
cli_take_fail_closed(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)value;
    return take_fail(ctx, true, err);
}

const char *
cli_inline_fault(const struct cli *cli)
{
    if (cli->n_pairs == 0)
        return cli->fail_given
                   ? "--fail-open and --fail-closed: an --inline is expected beside them"
                   : NULL;
    if (cli->n_interfaces > 2 * (size_t)cli->n_pairs)
        return cli->n_ports > 0 ? "--port and --inline exclude each other"
                                : "-i and --inline exclude each other";
    if (cli->snaplen > 0)
        return "--snaplen and --inline exclude each other: packets go on whole";
    if (cli->no_promisc)
        return "--no-promisc and --inline exclude each other: packets for others go on, too";
    return NULL;
}

/* ---- frames -------------------------------------------------------------------------------- */

static bool
send_frame(void *ctx, unsigned core, uint8_t from, bool back, const uint8_t *data, uint32_t len)
{
    const struct cli *cli = ctx;
    struct weir_port *port = cli->wire[back ? from : from ^ 1U];

    return port != NULL && weir_port_send(port, core, data, len);
}

static void
flush(void *ctx, unsigned core)
{
    const struct cli *cli = ctx;

    for (unsigned i = 0; i < 2 * cli->n_pairs; i++)
        if (cli->wire[i] != NULL)
            weir_port_flush(cli->wire[i], core);
}

void
cli_inline_prepare(struct cli *cli)
{
    if (cli->n_pairs == 0)
        return;
    cli->outlet = (struct weir_outlet){ .ctx = cli, .send = send_frame, .flush = flush };
    cli->monitor.outlet = &cli->outlet;
}

void
cli_inline_use(struct cli *cli, unsigned i, struct weir_port *port)
{
    cli->wire[i] = port;
}

/* Each core; and, where there are several, who reads: a queue each, of interfaces only one. */
unsigned
cli_inline_senders(const struct cli *cli)
{
    const unsigned cores = cli->monitor.cores;

    if (cli->n_pairs == 0)
        return 0;
    return cores > 1 ? cores + (cli->dpdk != NULL ? cores : 1) : 1;
}

int
cli_inline_sift(struct cli *cli, unsigned queue, const struct filter *filter,
                struct weir_frame *frames, int n)
{
    const unsigned cores = cli->monitor.cores, reader = cores > 1 ? cores + queue : 0;
    int left = 0;

    for (int i = 0; i < n; i++) {
        const struct weir_frame f = frames[i];

        if (filter_pass(filter, &f)) {
            frames[left++] = f;
            continue;
        }
        cli->unseen++;
        cli->unseen_lost += !send_frame(cli, reader, f.port, false, f.data, f.caplen);
    }
    if (left < n)
        flush(cli, reader);
    return left;
}

/* ---- one program a wire -------------------------------------------------------------------- */

/*
 * Two programs on one wire would send each packet twice. An abstract socket tells of the first,
 * which is gone with its program and is one of the network namespace, as the interface.
 */
static socklen_t
claim_address(unsigned index, struct sockaddr_un *address)
{
    char name[IF_NAMESIZE] = "";
    int n;

    (void)if_indextoname(index, name); /* that has others, too */
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    n = snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1, "weir-inline-%s", name);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

/* Whose the socket is that has the address; 0: of nobody who could send through an interface. */
static pid_t
find_claimant(const struct sockaddr_un *address, socklen_t n)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct ucred who = { .pid = 0 };
    socklen_t size = sizeof(who);

    if (fd < 0)
        return 0;
    if (connect(fd, (const struct sockaddr *)(const void *)address, n) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 ||
        (who.uid != 0 && who.uid != geteuid()))
        who.pid = 0;
    close(fd);
    return who.pid;
}

static int
claim(struct cli *cli, const char *interface, struct weir_errbuf *err)
{
    const unsigned index = if_nametoindex(interface);
    struct sockaddr_un address;
    const socklen_t n = claim_address(index, &address);
    int fd;
    pid_t other;

    if (index == 0) /* to open it tells why */
        return WEIR_E_OK;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)(void *)&address, n) == 0 && listen(fd, 64) == 0) {
        cli->claim[cli->n_claims++] = fd;
        return WEIR_E_OK;
    }
    if (fd >= 0)
        close(fd);
    if ((other = find_claimant(&address, n)) == 0)
        return WEIR_E_OK;
    return weir_err_set(err, WEIR_E_IO,
                        "--inline: process %d stands inline at %s already, and packets would go on "
                        "twice",
                        (int)other, interface);
}

void
cli_inline_free(struct cli *cli)
{
    for (unsigned i = 0; i < cli->n_claims; i++)
        close(cli->claim[i]);
    cli->n_claims = 0;
}

/* ---- interfaces ---------------------------------------------------------------------------- */

static int
check_pair(const struct cli *cli, const char *a, const char *b, struct weir_errbuf *err)
{
    const unsigned mtu[] = { packet_socket_mtu(a), packet_socket_mtu(b) };
    const char *const small = mtu[0] < mtu[1] ? a : b, *const large = mtu[0] < mtu[1] ? b : a;

    for (unsigned i = 0; i < 2; i++) { /* what libpcap makes up cannot be sent through */
        const char *name = i == 0 ? a : b;

        if (strcmp(name, "any") == 0 && if_nametoindex(name) == 0)
            return weir_err_set(err, WEIR_E_INVAL,
                                "--inline: any is all interfaces, and one is expected");
    }
    if (if_nametoindex(a) != 0 && if_nametoindex(a) == if_nametoindex(b))
        return weir_err_set(err, WEIR_E_INVAL, "--inline: %s and %s are one interface", a, b);
    if (mtu[0] != 0 && mtu[1] != 0 && mtu[0] != mtu[1])
        return weir_err_set(err, WEIR_E_INVAL,
                            "--inline: the MTU of %s is %u and that of %s is %u: what one takes in "
                            "the other could not send (ip link set dev %s mtu %u)",
                            a, mtu[0], b, mtu[1], small, packet_socket_mtu(large));
    for (unsigned i = 0; i < 2; i++) {
        const char *name = i == 0 ? a : b;

        if (packet_socket_merges(name))
            cli_notice(cli,
                       "%s: packets are put together before they are seen, and too large then to "
                       "go on: ethtool -K %s gro off lro off",
                       name, name);
    }
    return WEIR_E_OK;
}

int
cli_inline_check(struct cli *cli, struct weir_errbuf *err)
{
    int rc = WEIR_E_OK;

    for (unsigned i = 0; i < cli->n_pairs && cli->dpdk == NULL && rc == WEIR_E_OK; i++)
        rc = check_pair(cli, cli->interfaces[2 * i], cli->interfaces[2 * i + 1], err);
    for (unsigned i = 0; i < 2 * cli->n_pairs && cli->dpdk == NULL && rc == WEIR_E_OK; i++)
        rc = claim(cli, cli->interfaces[i], err);
    return rc;
}

/* ---- counters ------------------------------------------------------------------------------ */

/* It is to be read in JSON, and as a label of metrics. */
static void
put_name(char to[COUNTS_NAME], const char *name)
{
    size_t n = 0;

    for (; name[n] != '\0' && n + 1 < COUNTS_NAME; n++)
        to[n] = isalnum((unsigned char)name[n]) || strchr("._:@-", name[n]) != NULL ? name[n] : '?';
    to[n] = '\0';
}

void
cli_inline_count(const struct cli *cli, struct counts *to)
{
    to->unseen = cli->unseen;
    to->n_ports = 2 * cli->n_pairs;
    for (unsigned i = 0; i < to->n_ports; i++) {
        struct counts_port *port = &to->port[i];
        struct weir_port_stats stats = cli->wire_stats[i];

        if (cli->wire[i] != NULL)
            weir_port_get_stats(cli->wire[i], &stats);
        put_name(port->name, cli->interfaces[i]);
        port->received = stats.kernel_packets;
        port->lost = stats.kernel_drops + stats.interface_drops;
        port->sent = stats.sent;
        port->send_drops = stats.send_drops;
        port->send_large = stats.send_large;
    }
}
