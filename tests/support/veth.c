#include "support/veth.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

bool
ip(const char *words)
{
    char command[200];

    snprintf(command, sizeof(command), "ip %s >/dev/null 2>&1", words);
    return system(command) == 0;
}

/* What the kernel says of itself over IPv6 is not wanted there. */
static void
be_quiet(void)
{
    (void)!system("echo 1 2>/dev/null >/proc/sys/net/ipv6/conf/all/disable_ipv6");
}

int
veth_pair(int protocol)
{
    struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons((uint16_t)protocol) };
    int fd;

    if (unshare(CLONE_NEWNET) != 0 || !ip("link add weir0 type veth peer name weir1"))
        return -1;
    be_quiet();
    if (!ip("link set weir0 up") || !ip("link set weir1 up"))
        return -1;
    at.sll_ifindex = (int)if_nametoindex("weir0");
    fd = socket(AF_PACKET, SOCK_RAW, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}
