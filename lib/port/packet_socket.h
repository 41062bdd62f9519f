/*
 * What Linux knows of an interface and of the packet socket that it is read through
 * (packet(7), netdevice(7)). Elsewhere there is none of this: no fan-out, and an interface is
 * always taken for up.
 */
#ifndef WEIR_PORT_PACKET_SOCKET_H
#define WEIR_PORT_PACKET_SOCKET_H

#include <weir/error.h>
#include <weir/port.h>

enum link_state {
    LINK_UP,
    LINK_DOWN,
    LINK_GONE,
};

/* Of the interface with this index, asked through any socket. index 0: unknown, taken for up. */
enum link_state packet_socket_link(int fd, unsigned index);

/* Let the socket, which is bound, share its interface's packets. */
int packet_socket_join(int fd, const char *name, const struct weir_port_opts *opts,
                       struct weir_errbuf *err);

/*
 * The same for the sockets of one port, by hash; fragments stay what they are. The first one gets a
 * group that nobody has, *group. False: the system has none, or it is no packet socket.
 */
bool packet_socket_share(int fd, bool first, unsigned *group);

/* The MTU of an interface; 0: there is no such interface. */
unsigned packet_socket_mtu(const char *name);

/* Whether the kernel or the card puts packets of the interface together (GRO, LRO). */
bool packet_socket_merges(const char *name);

#endif
