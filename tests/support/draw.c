#include "support/draw.h"

struct weir_frame
draw_segment(uint64_t *seed, uint64_t ms, uint8_t *room)
{
    static const uint8_t flags[] = { WEIR_TH_SYN,
                                     WEIR_TH_SYN | WEIR_TH_ACK,
                                     WEIR_TH_ACK,
                                     WEIR_TH_ACK,
                                     WEIR_TH_ACK | WEIR_TH_PUSH,
                                     WEIR_TH_ACK | WEIR_TH_FIN,
                                     WEIR_TH_RST | WEIR_TH_ACK };
    struct segment s = { .ms = ms };
    const bool back = random_below(seed, 2);

    s.dir = back ? WEIR_TOCLIENT : WEIR_TOSERVER;
    s.flags = flags[random_below(seed, sizeof(flags))];
    s.seq = (uint32_t)((back ? 5000 : 1000) + random_below(seed, 40));
    s.ack = (uint32_t)((back ? 1000 : 5000) + random_below(seed, 40));
    s.data = "forty bytes of data, of which few are sent";
    s.n = s.flags & WEIR_TH_SYN ? 0 : (uint32_t)random_below(seed, 20);
    s.client_port = (uint16_t)(2000 + random_below(seed, DRAWN_PORTS));
    s.bad_checksum = random_below(seed, 50) == 0;
    return tcp_frame(&s, room);
}

struct weir_frame
draw_fragment(uint64_t *seed, uint64_t ms, uint8_t *room)
{
    static uint8_t whole[64];
    struct ip_fragment f = { .ms = ms };

    f.version = random_below(seed, 2) ? 6 : 4;
    (void)udp_whole(f.version, "a datagram in several parts, some of them lost", 40, whole);
    f.ident = (uint32_t)random_below(seed, 8);
    f.start = (uint32_t)random_below(seed, 6) * 8;
    f.n = random_below(seed, 2) ? 8 : 16;
    f.more = f.start + f.n < 48;
    f.n = f.more ? f.n : 48 - f.start;
    f.data = whole + f.start;
    return fragment_frame(&f, room);
}
