#include "port/packet_socket.h"

#ifdef __linux__

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* By index: an interface may get another name while it is read. */
enum link_state
packet_socket_link(int fd, unsigned index)
{
    struct ifreq request = { .ifr_ifindex = (int)index };

    if (index == 0)
        return LINK_UP;
    if (ioctl(fd, SIOCGIFNAME, &request) != 0 || ioctl(fd, SIOCGIFFLAGS, &request) != 0)
        return errno == ENODEV || errno == ENXIO ? LINK_GONE : LINK_UP;
    return request.ifr_flags & IFF_UP ? LINK_UP : LINK_DOWN;
}

static unsigned
mode_of(const struct weir_port_opts *opts)
{
    switch (opts->fanout) {
    case WEIR_FANOUT_CPU:
        return PACKET_FANOUT_CPU;
    case WEIR_FANOUT_QUEUE:
        return PACKET_FANOUT_QM;
    default:
        return PACKET_FANOUT_HASH | (opts->fanout_fragments ? 0U : PACKET_FANOUT_FLAG_DEFRAG);
    }
}

int
packet_socket_join(int fd, const char *name, const struct weir_port_opts *opts,
                   struct weir_errbuf *err)
{
    const unsigned value = opts->fanout_id | mode_of(opts) << 16;

    if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &value, sizeof(value)) == 0)
        return WEIR_E_OK;
    return weir_err_set(
        err, WEIR_E_IO, "%s: cannot join fan-out group %u: %s", name, opts->fanout_id,
        errno == EINVAL ? "it is another interface's, or has another mode" : strerror(errno));
}

/* A number that nobody has the kernel finds from Linux 4.12 on. */
bool
packet_socket_share(int fd, bool first, unsigned *group)
{
#ifdef PACKET_FANOUT_FLAG_UNIQUEID
    const unsigned new = (PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_UNIQUEID) << 16;
    socklen_t n = sizeof(*group);

    if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, first ? &new : group, sizeof(new)) != 0)
        return false;
    return !first || getsockopt(fd, SOL_PACKET, PACKET_FANOUT, group, &n) == 0;
#else
    (void)fd, (void)first, (void)group;
    return false;
#endif
}

/* Ask the kernel about the interface of the name. */
static bool
ask(const char *name, unsigned long what, struct ifreq *request)
{
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool good;

    snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", name);
    good = fd >= 0 && ioctl(fd, what, request) == 0;
    if (fd >= 0)
        close(fd);
    return good;
}

unsigned
packet_socket_mtu(const char *name)
{
    struct ifreq request = { .ifr_mtu = 0 };

    return ask(name, SIOCGIFMTU, &request) ? (unsigned)request.ifr_mtu : 0;
}

static bool
has_switched_on(const char *name, uint32_t command, uint32_t bits)
{
    struct ethtool_value value = { .cmd = command };
    struct ifreq request = { .ifr_data = (char *)&value };

    return ask(name, SIOCETHTOOL, &request) && (value.data & bits) != 0;
}

bool
packet_socket_merges(const char *name)
{
    return has_switched_on(name, ETHTOOL_GGRO, UINT32_MAX) ||
           has_switched_on(name, ETHTOOL_GFLAGS, ETH_FLAG_LRO);
}

#else

unsigned
packet_socket_mtu(const char *name)
{
    (void)name;
    return 0;
}

bool
packet_socket_merges(const char *name)
{
    (void)name;
    return false;
}

enum link_state
packet_socket_link(int fd, unsigned index)
{
    (void)fd, (void)index;
    return LINK_UP;
}

bool
packet_socket_share(int fd, bool first, unsigned *group)
{
    (void)fd, (void)first, (void)group;
    return false;
}

int
packet_socket_join(int fd, const char *name, const struct weir_port_opts *opts,
                   struct weir_errbuf *err)
{
    (void)fd, (void)opts;
    return weir_err_set(err, WEIR_E_UNSUPPORTED, "%s: this system has no fan-out", name);
}

#endif
