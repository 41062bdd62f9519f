#include "cli_live.h"

#include "cli_inline.h"
#include "port/dpdk.h"
#include "port/port.h"
#include "privileges.h"

#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    WAIT_MS = 100,   /* for packets, before others get their turn: logs, signals */
    SPINS_MAX = 8,   /* wakes in a row for nothing; then ... */
    PAUSE_MS = 10,   /* ... comes a pause */
    POLLS = 32,      /* of DPDK's ports, before others get their turn */
    BUSY_POLLS = 64, /* in a row for nothing; then come pauses ... */
    POLL_NS = 30000, /* ... of so long */
    SLACK_NS = 1000, /* by which the kernel may make them longer */
    BUFFER_MIN = 65536,
    SNAPLEN_MAX = 262144,
    MTU_MIN = 68, /* RFC 791 */
    MTU_MAX = 65535,
    LINK_ETHERNET = 1, /* LINKTYPE_ETHERNET */
};

#define ALL_QUEUES UINT_MAX

#define LOOK_NS      UINT64_C(1000000000)  /* between looks at counters and links */
#define RETRY_MAX_NS UINT64_C(32000000000) /* between tries to open what is gone */

/* ---- options ------------------------------------------------------------------------------- */

int
cli_add_interface(struct cli *cli, const char *option, const char *value, struct weir_errbuf *err)
{
    for (size_t i = 0; i < cli->n_interfaces; i++)
        if (strcmp(cli->interfaces[i], value) == 0)
            return weir_err_set(err, WEIR_E_INVAL, "%s: %s is given twice", option, value);
    if (cli->n_interfaces == CLI_INTERFACES_MAX)
        return weir_err_set(err, WEIR_E_INVAL, "%s: at most %d are read", option,
                            CLI_INTERFACES_MAX);
    if (cli->interfaces == NULL)
        cli->interfaces = calloc(CLI_INTERFACES_MAX, sizeof(*cli->interfaces));
    if (cli->interfaces == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    cli->interfaces[cli->n_interfaces++] = value;
    cli->interface = cli->interfaces[0];
    return WEIR_E_OK;
}

int
cli_take_interface(void *ctx, const char *value, struct weir_errbuf *err)
{
    return cli_add_interface(ctx, "-i", value, err);
}

int
cli_take_port(void *ctx, const char *value, struct weir_errbuf *err)
{
    struct cli *cli = ctx;
    const int rc = cli_add_interface(cli, "--port", value, err);

    cli->n_ports += rc == WEIR_E_OK;
    return rc;
}

int
cli_take_dpdk(void *ctx, const char *value, struct weir_errbuf *err)
{
    struct cli *cli = ctx;

    if (cli->dpdk != NULL)
        return weir_err_set(err, WEIR_E_INVAL, "--dpdk: one text of options is expected");
    cli->dpdk = value;
    return dpdk_check(err);
}

int
cli_take_snaplen(void *ctx, const char *value, struct weir_errbuf *err)
{
    uint64_t bytes;

    if (!cli_parse_size(value, &bytes) || bytes == 0 || bytes > SNAPLEN_MAX)
        return weir_err_set(err, WEIR_E_INVAL,
                            "--snaplen: 1 to 262144 bytes are expected, not '%s'", value);
    ((struct cli *)ctx)->snaplen = (uint32_t)bytes;
    return WEIR_E_OK;
}

int
cli_take_mtu(void *ctx, const char *value, struct weir_errbuf *err)
{
    uint64_t bytes;

    if (!cli_parse_size(value, &bytes) || bytes < MTU_MIN || bytes > MTU_MAX)
        return weir_err_set(err, WEIR_E_INVAL, "--mtu: %d to %d bytes are expected, not '%s'",
                            MTU_MIN, MTU_MAX, value);
    ((struct cli *)ctx)->mtu = (uint32_t)bytes;
    return WEIR_E_OK;
}

int
cli_take_no_promisc(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)value, (void)err;
    ((struct cli *)ctx)->no_promisc = true;
    return WEIR_E_OK;
}

int
cli_take_immediate(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)value, (void)err;
    ((struct cli *)ctx)->immediate = true;
    return WEIR_E_OK;
}

int
cli_take_buffer(void *ctx, const char *value, struct weir_errbuf *err)
{
    uint64_t bytes;

    if (!cli_parse_size(value, &bytes) || bytes < BUFFER_MIN || bytes > INT32_MAX)
        return weir_err_set(err, WEIR_E_INVAL,
                            "--buffer: a size of 64KiB to less than 2GiB is expected, not '%s'",
                            value);
    ((struct cli *)ctx)->buffer = (uint32_t)bytes;
    return WEIR_E_OK;
}

int
cli_take_user(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)err;
    ((struct cli *)ctx)->user = value;
    return WEIR_E_OK;
}

int
cli_take_group(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)err;
    ((struct cli *)ctx)->group = value;
    return WEIR_E_OK;
}

static bool
is_loopback(int socket, const char *interface)
{
    struct ifreq request = { .ifr_flags = 0 };

    if (strlen(interface) >= sizeof(request.ifr_name))
        return false;
    memcpy(request.ifr_name, interface, strlen(interface));
    return ioctl(socket, SIOCGIFFLAGS, &request) == 0 && request.ifr_flags & IFF_LOOPBACK;
}

bool
cli_lacks_checksums(const struct cli *cli)
{
    const int socket_of_any = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool all = cli->n_interfaces > 0 && cli->dpdk == NULL && socket_of_any >= 0;

    for (size_t i = 0; i < cli->n_interfaces && all; i++)
        all = is_loopback(socket_of_any, cli->interfaces[i]);
    if (socket_of_any >= 0)
        (void)close(socket_of_any);
    return all;
}

static const char *
state_of(const pcap_if_t *interface)
{
    const unsigned status = interface->flags & PCAP_IF_CONNECTION_STATUS;

    if (interface->flags & PCAP_IF_UP)
        return "up";
    return status == PCAP_IF_CONNECTION_STATUS_NOT_APPLICABLE ? "-" : "down";
}

int
cli_list_interfaces(const struct cli *cli)
{
    char why[PCAP_ERRBUF_SIZE];
    pcap_if_t *all;

    if (pcap_findalldevs(&all, why) != 0) {
        cli_error(cli, "%s", why);
        return EXIT_FAILED;
    }
    for (const pcap_if_t *at = all; at != NULL; at = at->next)
        printf("%-20s%s%s%s\n", at->name, state_of(at), at->description != NULL ? "\t" : "",
               at->description != NULL ? at->description : "");
    pcap_freealldevs(all);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_DONE;
    cli_error(cli, "standard output: %s", strerror(errno));
    return EXIT_FAILED;
}

/* ---- the interfaces ------------------------------------------------------------------------ */

struct interface {
    const char *name;
    struct weir_port *port;         /* NULL: it is gone, */
    struct weir_port *parked;       /* but who reads another queue may have frames of it yet */
    struct weir_port_opts opts;     /* it was opened with */
    struct weir_port_stats counted; /* when it was last looked at */
    bool down, told_kernel, told_interface, told_oversize, told_unfinished, told_large;
    uint64_t retry_at, pause; /* monotonic ns, gone; pause 0: it is not tried again */
};

/* A queue of all interfaces: its reader's. */
struct lane {
    alignas(64) unsigned turn; /* interface */
    int fd;                    /* epoll: readable when one has packets in this queue; -1: none */
    _Atomic uint64_t reads;    /* begun, by others than the first core */
    uint64_t reads_before;     /* so many when an interface went */
};

struct interfaces {
    struct weir_port port;
    struct cli *cli;
    struct interface *at;
    unsigned n, left;
    struct lane *lane; /* by queue, of which there are port.queues */
    pthread_rwlock_t
        open; /* held by who reads other queues than 0; to open and close, by its reader */
    bool skip_interface_drops;
    struct weir_port_stats gone; /* what those counted that are gone */
    struct pollfd *fds;          /* n */
    struct filter filter;        /* inline: what it leaves out passes unseen */
    unsigned spins;              /* wakes for nothing, in a row */
    uint64_t looked_at;          /* monotonic ns */
    struct weir_errbuf why;      /* the last one that was left is gone */
};

static uint64_t
clock_ns(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* What the kernel counted since the last look. */
static void
add_counts(struct interfaces *all, struct interface *one, const struct weir_port_stats *now)
{
    struct cli *cli = all->cli;

    cli->kernel_packets += now->kernel_packets - one->counted.kernel_packets;
    cli->kernel_drops += now->kernel_drops - one->counted.kernel_drops;
    if (!all->skip_interface_drops)
        cli->interface_drops += now->interface_drops - one->counted.interface_drops;
    cli->frames_copied += now->copied - one->counted.copied;
    cli->frames_verified += now->verified - one->counted.verified;
    one->counted = *now;
    if (cli->n_pairs > 0)
        cli->wire_stats[one - all->at] = *now;
}

static void
tell_drops(const struct interfaces *all, struct interface *one)
{
    if (one->counted.kernel_drops > 0 && !one->told_kernel) {
        cli_notice(all->cli,
                   "%s: packets are lost (%llu by now): they come faster than they are read; "
                   "--buffer makes room for more%s",
                   one->name, (unsigned long long)one->counted.kernel_drops,
                   all->cli->dpdk == NULL ? ", a filter leaves some out" : "");
        one->told_kernel = true;
    }
    if (one->counted.interface_drops > 0 && !one->told_interface && !all->skip_interface_drops) {
        cli_notice(all->cli, "%s: packets are lost by the interface or its driver (%llu by now)",
                   one->name, (unsigned long long)one->counted.interface_drops);
        one->told_interface = true;
    }
}

/* Each fault of a wire is told once. */
static void
tell_wire(const struct interfaces *all, struct interface *one)
{
    const struct weir_port_stats *now = &one->counted;

    if (now->oversize > 0 && !one->told_oversize)
        cli_error(
            all->cli,
            "%s: packets larger than its MTU come, and cannot go on: they are put together by "
            "the card, or never were apart: ethtool -K %s gro off lro off, and at the sender "
            "behind a veth pair tso off gso off tx off",
            one->name, one->name);
    if (now->unfinished > 0 && !one->told_unfinished)
        cli_notice(all->cli,
                   "%s: packets come with checksums that a card was to compute; it is done here "
                   "(ethtool -K ... tx off at the sender saves the time)",
                   one->name);
    if (now->send_large > 0 && !one->told_large)
        cli_error(all->cli, "%s: packets are larger than its MTU, and cannot leave", one->name);
    one->told_oversize |= now->oversize > 0;
    one->told_unfinished |= now->unfinished > 0;
    one->told_large |= now->send_large > 0;
}

/* Each outage is told once. */
static void
tell_link(const struct interfaces *all, struct interface *one)
{
    if (one->counted.down == one->down)
        return;
    one->down = one->counted.down;
    if (one->down)
        cli_error(all->cli, "%s: the interface is down; %s when it is up again", one->name,
                  all->cli->n_pairs > 0 ? "packets go on" : "it is read on");
    else
        cli_notice(all->cli, "%s: the interface is up again", one->name);
}

static void
look_at(struct interfaces *all, struct interface *one)
{
    struct weir_port_stats now = { .frames = 0 };

    weir_port_get_stats(one->port, &now);
    add_counts(all, one, &now);
}

static void
sum(struct weir_port_stats *all, const struct weir_port_stats *one)
{
    all->kernel_packets += one->kernel_packets;
    all->kernel_drops += one->kernel_drops;
    all->interface_drops += one->interface_drops;
    all->filtered += one->filtered;
    all->copied += one->copied;
    all->verified += one->verified;
}

/* From here on its queues wake who waits for theirs, or no more. */
static void
tell_lanes(const struct interfaces *all, const struct weir_port *port, int what)
{
    for (unsigned i = 0; all->lane != NULL && i < weir_port_queues(port); i++) {
        struct epoll_event event = { .events = EPOLLIN };

        if (all->lane[i].fd >= 0)
            (void)epoll_ctl(all->lane[i].fd, what, weir_port_queue_fd(port, i), &event);
    }
}

/* Once all readers of other queues are behind what they had in hand when an interface went. */
static void
close_parked(struct interfaces *all)
{
    for (unsigned i = 1; all->lane != NULL && i < all->port.queues; i++)
        if (all->lane[i].reads > 0 && all->lane[i].reads == all->lane[i].reads_before)
            return;
    for (unsigned i = 0; i < all->n; i++) {
        if (all->at[i].parked != NULL)
            weir_port_close(all->at[i].parked);
        all->at[i].parked = NULL;
    }
}

/* It is gone, or fails; the last one takes the run with it. */
static void
lose(struct interfaces *all, struct interface *one, const struct weir_errbuf *why)
{
    struct weir_port_stats last = { .frames = 0 };

    weir_port_get_stats(one->port, &last);
    last.down = false;
    add_counts(all, one, &last);
    sum(&all->gone, &last);
    tell_lanes(all, one->port, EPOLL_CTL_DEL);
    pthread_rwlock_wrlock(&all->open);
    one->parked = one->port;
    one->port = NULL;
    for (unsigned i = 1; all->lane != NULL && i < all->port.queues; i++)
        all->lane[i].reads_before = all->lane[i].reads;
    pthread_rwlock_unlock(&all->open);
    close_parked(all);
    one->counted = (struct weir_port_stats){ .frames = 0 };
    one->down = false;
    one->pause = all->cli->dpdk == NULL ? LOOK_NS : 0;
    one->retry_at = clock_ns(CLOCK_MONOTONIC) + one->pause;
    all->left--;
    if (all->left > 0)
        cli_error(all->cli, "%s; the others are read on", why->text);
    else
        all->why = *why;
}

static int
open_one(struct interfaces *all, struct interface *one, struct weir_errbuf *err)
{
    struct weir_port *port;
    int rc = all->cli->dpdk != NULL ? weir_port_open_dpdk(one->name, &one->opts, &port, err)
                                    : weir_port_open_live(one->name, &one->opts, &port, err);

    if (rc != WEIR_E_OK)
        return rc;
    one->opts.queues = weir_port_queues(port); /* so many are read, if it is opened again */
    pthread_rwlock_wrlock(&all->open);
    one->port = port;
    tell_lanes(all, port, EPOLL_CTL_ADD);
    pthread_rwlock_unlock(&all->open);
    return WEIR_E_OK;
}

/* An interface of that name is there again, say after its driver was loaded anew. */
static void
retry(struct interfaces *all, struct interface *one, uint64_t now)
{
    struct weir_errbuf err = { "" };
    int rc;

    if (one->parked != NULL || one->pause == 0 || now < one->retry_at ||
        if_nametoindex(one->name) == 0)
        return;
    rc = open_one(all, one, &err);
    if (rc == WEIR_E_OK) {
        all->left++;
        cli_notice(all->cli, "%s: the interface is there again", one->name);
    } else if (rc == WEIR_E_PERM) {
        one->pause = 0;
        cli_error(all->cli, "%s: there again, but with the privileges left it cannot be read: %s",
                  one->name, err.text);
    } else {
        one->pause = one->pause < RETRY_MAX_NS ? one->pause * 2 : RETRY_MAX_NS;
        one->retry_at = now + one->pause;
    }
}

/* About once a second. */
static void
look(struct interfaces *all)
{
    const uint64_t now = clock_ns(CLOCK_MONOTONIC);

    if (now - all->looked_at < LOOK_NS)
        return;
    all->looked_at = now;
    close_parked(all);
    for (unsigned i = 0; i < all->n; i++) {
        struct interface *one = &all->at[i];

        if (one->port == NULL) {
            retry(all, one, now);
            continue;
        }
        look_at(all, one);
        tell_drops(all, one);
        tell_link(all, one);
        tell_wire(all, one);
    }
}

/* queue: of each, or ALL_QUEUES. */
static int
read_one(const struct interfaces *all, unsigned turn, unsigned queue, struct weir_frame *frames,
         unsigned max, struct weir_errbuf *why)
{
    struct weir_port *port = all->at[turn].port;
    int n = 0;

    if (port != NULL && queue == ALL_QUEUES)
        n = weir_port_read(port, frames, max, why);
    else if (port != NULL && queue < weir_port_queues(port))
        n = weir_port_read_queue(port, queue, frames, max, why);
    for (int k = 0; k < n; k++)
        frames[k].port = (uint8_t)turn;
    if (n > 0 && all->filter.program.bf_insns != NULL && all->cli->n_pairs > 0)
        n = cli_inline_sift(all->cli, queue != ALL_QUEUES ? queue : 0, &all->filter, frames, n);
    return n;
}

/* Each gets its turn, from the one behind that whose turn was last. Returns how many frames. */
static int
take_in_turn(struct interfaces *all, struct weir_frame *frames, unsigned max, unsigned queue)
{
    struct lane *lane = &all->lane[queue != ALL_QUEUES ? queue : 0];

    for (unsigned i = 0; i < all->n; i++) {
        const unsigned turn = lane->turn;
        struct weir_errbuf why = { "" };
        int n;

        lane->turn = lane->turn + 1 < all->n ? lane->turn + 1 : 0;
        n = read_one(all, turn, queue, frames, max, &why);
        if (n > 0)
            return n;
        /* What ails an interface its first queue feels, too. */
        if (n < 0 && (queue == 0 || queue == ALL_QUEUES))
            lose(all, &all->at[turn], &why);
    }
    return 0;
}

/* No descriptor tells of DPDK's packets: to look for them must not take a whole CPU for ever. */
static int
poll_in_turn(struct interfaces *all, struct weir_frame *frames, unsigned max)
{
    const struct timespec pause = { .tv_nsec = POLL_NS };
    int n = 0;

    for (unsigned i = 0; i < POLLS && n == 0; i++) {
        n = take_in_turn(all, frames, max, ALL_QUEUES);
        if (n == 0 && all->spins < BUSY_POLLS)
            all->spins++;
        else if (n == 0)
            (void)nanosleep(&pause, NULL);
    }
    return n;
}

/* Returns whether there may be packets. */
static bool
wait_for_any(struct interfaces *all)
{
    for (unsigned i = 0; i < all->n; i++)
        all->fds[i] = (struct pollfd){ .fd = all->at[i].port != NULL ? weir_port_fd(all->at[i].port)
                                                                     : -1,
                                       .events = POLLIN };
    if (all->spins >= SPINS_MAX) /* an error that stays must not keep this thread busy */
        (void)poll(NULL, 0, PAUSE_MS);
    return poll(all->fds, all->n, all->cli->wait_ms > 0 ? all->cli->wait_ms : WAIT_MS) > 0;
}

static int
interfaces_read(struct weir_port *port, struct weir_frame *frames, unsigned max,
                struct weir_errbuf *err)
{
    struct interfaces *all = (struct interfaces *)port;
    int n = take_in_turn(all, frames, max, ALL_QUEUES);

    if (n == 0 && all->cli->dpdk != NULL) {
        n = poll_in_turn(all, frames, max);
    } else if (n == 0 && all->left > 0) {
        if (wait_for_any(all)) {
            n = take_in_turn(all, frames, max, ALL_QUEUES);
            all->spins++;
        } else {
            all->spins = 0;
        }
    }
    if (n > 0)
        all->spins = 0;
    look(all);
    if (all->left == 0 && n == 0)
        return weir_err_set(err, WEIR_E_NOENT, "%s; no interface is left", all->why.text);
    return n;
}

static int
interfaces_read_queue(struct weir_port *port, unsigned queue, struct weir_frame *frames,
                      unsigned max, struct weir_errbuf *err)
{
    struct interfaces *all = (struct interfaces *)port;
    int n;

    if (queue != 0) {
        pthread_rwlock_rdlock(&all->open);
        all->lane[queue].reads++;
        n = take_in_turn(all, frames, max, queue);
        pthread_rwlock_unlock(&all->open);
        return n;
    }
    n = take_in_turn(all, frames, max, 0);
    look(all);
    if (all->left == 0 && n == 0)
        return weir_err_set(err, WEIR_E_NOENT, "%s; no interface is left", all->why.text);
    return n;
}

static int
interfaces_queue_fd(const struct weir_port *port, unsigned queue)
{
    return ((const struct interfaces *)port)->lane[queue].fd;
}

static void
interfaces_get_stats(const struct weir_port *port, struct weir_port_stats *out)
{
    const struct interfaces *all = (const struct interfaces *)port;

    sum(out, &all->gone);
    for (unsigned i = 0; i < all->n; i++) {
        struct weir_port_stats now = { .frames = 0 };

        if (all->at[i].port != NULL)
            weir_port_get_stats(all->at[i].port, &now);
        sum(out, &now);
    }
}

static void
interfaces_close(struct weir_port *port)
{
    struct interfaces *all = (struct interfaces *)port;

    for (unsigned i = 0; all->at != NULL && i < all->n; i++) {
        if (all->at[i].parked != NULL)
            weir_port_close(all->at[i].parked);
        if (all->at[i].port == NULL)
            continue;
        look_at(all, &all->at[i]);
        if (all->cli->n_pairs > 0)
            cli_inline_use(all->cli, i, NULL);
        weir_port_close(all->at[i].port);
    }
    if (all->cli->dpdk != NULL)
        weir_dpdk_stop();
    filter_free(&all->filter);
    for (unsigned i = 0; all->lane != NULL && i < all->port.queues; i++)
        if (all->lane[i].fd >= 0)
            close(all->lane[i].fd);
    pthread_rwlock_destroy(&all->open);
    free(all->lane);
    free(all->fds);
    free(all->at);
    free(all);
}

static const struct port_ops interfaces_ops = { .read = interfaces_read,
                                                .get_stats = interfaces_get_stats,
                                                .close = interfaces_close,
                                                .read_queue = interfaces_read_queue,
                                                .queue_fd = interfaces_queue_fd };

/* Who waits to close or open is not kept waiting by those who read without end. */
static void
make_lock(struct interfaces *all)
{
    pthread_rwlockattr_t attr;

    pthread_rwlockattr_init(&attr);
    (void)pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&all->open, &attr);
    pthread_rwlockattr_destroy(&attr);
}

static struct interfaces *
new_interfaces(struct cli *cli)
{
    struct interfaces *all = calloc(1, sizeof(*all));

    if (all == NULL)
        return NULL;
    all->port.ops = &interfaces_ops;
    make_lock(all);
    all->cli = cli;
    all->n = (unsigned)cli->n_interfaces;
    all->at = calloc(all->n, sizeof(*all->at));
    all->fds = calloc(all->n, sizeof(*all->fds));
    all->looked_at = clock_ns(CLOCK_MONOTONIC);
    if (all->at != NULL && all->fds != NULL)
        return all;
    interfaces_close(&all->port);
    return NULL;
}

/* Before the ports are opened; what DPDK says is shown with -vv. */
static int
start_dpdk(const struct cli *cli, struct weir_errbuf *err)
{
    if (cli->dpdk == NULL)
        return WEIR_E_OK;
    (void)prctl(PR_SET_TIMERSLACK, SLACK_NS, 0, 0, 0);
    return weir_dpdk_start(cli->dpdk, err);
}

static void
tell_sockets(const struct interfaces *all)
{
    for (unsigned i = 0; all->cli->verbose > 0 && i < all->n; i++) {
        const struct weir_port *port = all->at[i].port;

        if (port != NULL && weir_port_queues(port) > 1)
            cli_notice(all->cli, "%s: read through %u packet sockets", all->at[i].name,
                       weir_port_queues(port));
    }
}

static void
tell_ports(const struct interfaces *all)
{
    const struct cli *cli = all->cli;

    if (cli->dpdk == NULL) {
        tell_sockets(all);
        return;
    }
    if (cli->verbose > 1)
        cli_notice(cli, "DPDK says:\n%s", dpdk_said());
    for (unsigned i = 0; cli->verbose > 0 && i < all->n; i++)
        if (all->at[i].port != NULL)
            cli_notice(cli, "%s: %s", all->at[i].name, dpdk_describe(all->at[i].port));
}

/* As many queues as the interface has that has most. */
static int
make_lanes(struct interfaces *all, struct weir_errbuf *err)
{
    unsigned n = 1;

    for (unsigned i = 0; i < all->n; i++)
        if (weir_port_queues(all->at[i].port) > n)
            n = weir_port_queues(all->at[i].port);
    all->lane = aligned_alloc(alignof(struct lane), n * sizeof(*all->lane));
    if (all->lane == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    for (all->port.queues = 0; all->port.queues < n; all->port.queues++) {
        struct lane *lane = &all->lane[all->port.queues];

        *lane = (struct lane){ .fd = -1 };
        if (n > 1 && all->cli->dpdk == NULL && (lane->fd = epoll_create1(EPOLL_CLOEXEC)) < 0)
            return weir_err_set(err, WEIR_E_IO, "epoll: %s", strerror(errno));
    }
    for (unsigned i = 0; i < all->n; i++)
        tell_lanes(all, all->at[i].port, EPOLL_CTL_ADD);
    return WEIR_E_OK;
}

int
cli_live_open(struct cli *cli, const struct weir_port_opts *opts, bool skip_interface_drops,
              struct weir_port **out, struct weir_errbuf *err)
{
    struct interfaces *all = new_interfaces(cli);
    int rc;

    *out = NULL;
    if (all == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    all->skip_interface_drops = skip_interface_drops;
    rc = cli_inline_check(cli, err);
    if (rc == WEIR_E_OK && cli->n_pairs > 0)
        rc = filter_compile(&all->filter, opts->filter, LINK_ETHERNET, err);
    if (rc == WEIR_E_OK)
        rc = start_dpdk(cli, err);
    for (unsigned i = 0; i < all->n && rc == WEIR_E_OK; i++) {
        struct interface *one = &all->at[i];

        one->name = cli->interfaces[i];
        one->opts = *opts;
        one->opts.no_wait = true;
        one->opts.fanout_id = (uint16_t)(opts->fanout_id + i);
        one->opts.senders = cli_inline_senders(cli);
        if (one->opts.senders > 0)
            one->opts.filter = NULL;
        rc = open_one(all, one, err);
        if (cli->n_pairs > 0)
            cli_inline_use(cli, i, one->port);
        all->left++;
    }
    tell_ports(all);
    if (rc == WEIR_E_OK)
        rc = make_lanes(all, err);
    if (rc == WEIR_E_OK)
        *out = &all->port;
    else
        interfaces_close(&all->port);
    return rc;
}

struct weir_port_opts
cli_live_opts(const struct cli *cli)
{
    return (struct weir_port_opts){ .filter = cli->filter,
                                    .snaplen = cli->snaplen,
                                    .no_promisc = cli->no_promisc,
                                    .immediate = cli->immediate,
                                    .buffer = cli->buffer,
                                    .mtu = cli->mtu,
                                    .queues = cli->queues };
}

uint64_t
cli_now(const struct cli *cli)
{
    const uint64_t now = cli->interface != NULL ? clock_ns(CLOCK_REALTIME) : 0,
                   last = cli->last_time;

    return now > last ? now : last;
}

/* ---- privileges ---------------------------------------------------------------------------- */

/* The settings of a file speak of a daemon: a replay stays what it is. */
static int
find_identity(const struct cli *cli, struct identity *who, struct weir_errbuf *err)
{
    const bool live = cli->interface != NULL;
    const char *user = cli->user == NULL && live ? cli->run_as_user : cli->user;
    const char *group = cli->group == NULL && live ? cli->run_as_group : cli->group;

    return privileges_find(user, group, who, err);
}

int
cli_find_identity(struct cli *cli)
{
    struct weir_errbuf err = { "" };
    struct identity who;

    privileges_close_door();
    if (find_identity(cli, &who, &err) == WEIR_E_OK)
        return -1;
    if (who.user ? cli->user == NULL : cli->group == NULL)
        cli_blame(cli, who.user ? cli->run_as_user : cli->run_as_group, &err);
    cli_error(cli, "%s", err.text);
    return EXIT_USAGE;
}

bool
cli_settle(struct cli *cli)
{
    struct weir_errbuf err = { "" };
    struct identity who;
    int rc = find_identity(cli, &who, &err);

    if (rc == WEIR_E_OK)
        rc = privileges_drop(&who, &err);
    if (rc == WEIR_E_OK)
        return true;
    cli_error(cli, "%s", err.text);
    cli->failed = true;
    return false;
}

/* ---- counters on request ------------------------------------------------------------------- */

static _Atomic int asked;

static void
on_signal(int number)
{
    (void)number;
    asked = 1;
}

void
cli_listen(void)
{
    const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

    sigaction(SIGUSR1, &action, NULL);
}

bool
cli_was_asked(void)
{
    const bool was = asked != 0;

    if (was)
        asked = 0;
    return was;
}
