#include "checksum.h"
#include "decode_help.h"

#define MACS 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1
#define ETH4 MACS, 0x08, 0x00

/* ---- frames ---------------------------------------------------------------------------------- */

/* IPv4 from 192.0.2.1 to 192.0.2.2, its checksum right, around other bytes. */
static struct bytes
in_ipv4(uint8_t proto, const struct bytes *inside)
{
    uint8_t header[20] = { 0x45, 0, 0, 0, 0, 1, 0, 0, 64, proto, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2 };
    struct bytes frame = { 0 };
    uint16_t sum;

    header[2] = (uint8_t)((20 + inside->n) >> 8);
    header[3] = (uint8_t)(20 + inside->n);
    sum = (uint16_t)~checksum_add(header, sizeof(header), 0);
    memcpy(header + 10, &sum, 2);
    ADD(&frame, header);
    add(&frame, inside->b, inside->n);
    return frame;
}

/* IPv6 from 2001:db8:9::1 to 2001:db8:9::2. */
static struct bytes
in_ipv6(uint8_t proto, const struct bytes *inside)
{
    struct bytes frame = { 0 };

    ADD_BYTES(&frame, 0x60, 0, 0, 0, (uint8_t)(inside->n >> 8), (uint8_t)inside->n, proto, 9);
    for (uint8_t i = 1; i <= 2; i++)
        ADD_BYTES(&frame, 0x20, 0x01, 0x0d, 0xb8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, i);
    add(&frame, inside->b, inside->n);
    return frame;
}

/* A header, and tcp4 or tcp6 behind it; version 0: neither. */
static struct bytes
with_tcp(const uint8_t *header, size_t n, unsigned version)
{
    struct bytes frame = { 0 };

    add(&frame, header, n);
    if (version == 4)
        ADD(&frame, tcp4);
    else if (version == 6)
        ADD(&frame, tcp6);
    return frame;
}

#define WITH_TCP(version, ...)                                                                     \
    with_tcp((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }), version)

/* In IPv4 and UDP to a port. */
static struct bytes
in_udp(uint16_t src_port, uint16_t dst_port, const struct bytes *inside)
{
    struct bytes datagram = { 0 };

    ADD_BYTES(&datagram, (uint8_t)(src_port >> 8), (uint8_t)src_port, (uint8_t)(dst_port >> 8),
              (uint8_t)dst_port, 0, (uint8_t)(8 + inside->n), 0, 0);
    add(&datagram, inside->b, inside->n);
    return in_ipv4(17, &datagram);
}

/* The frame, of raw IP, holds tcp4 or tcp6 in so many IP packets; all its cuts are told. */
static void
assert_inside(const struct bytes *frame, unsigned version, unsigned tunnel)
{
    struct got g = run_whole(RAW, frame);

    assert_tcp(RAW, frame, version, 5);
    assert_int_equal(g.pkt.tunnel, tunnel);
    assert_int_equal(g.pkt.src.b[0], version == 4 ? 10 : 0x20);
    assert_int_equal(g.pkt.src.b[15], version == 4 ? 0 : 1);
    assert_false(g.pkt.bad_outer_sum);
    check_snapped(RAW, frame, frame->n - 5);
    check_shortened(RAW, frame);
    done(&g);
}

/* It is a flow of the outer IPv4 packet, and all behind is payload. */
static void
assert_outer(const struct bytes *frame, unsigned proto, uint16_t dst_port)
{
    struct got g = run_whole(RAW, frame);
    uint32_t header = proto == 17 ? 8 : 0;

    assert_int_equal(g.result, DECODE_FLOW);
    assert_int_equal(g.pkt.proto, proto);
    assert_int_equal(g.pkt.src.b[0], 192);
    assert_int_equal(g.pkt.dst_port, dst_port);
    assert_int_equal(g.pkt.tunnel, 0);
    assert_int_equal(g.pkt.n_vlan, 0);
    assert_false(g.pkt.has_vni);
    assert_int_equal(g.pkt.vni, 0);
    assert_ptr_equal(g.pkt.l4, g.frame + 20);
    assert_int_equal(g.pkt.l4_len, frame->n - 20);
    assert_int_equal(g.pkt.payload_len, frame->n - 20 - header);
    done(&g);
}

/* ---- IP in IP -------------------------------------------------------------------------------- */

static void
either_ip_is_carried_in_either(void **state)
{
    struct bytes v4 = WITH_TCP(4, 0), v6 = WITH_TCP(6, 0), frame;

    (void)state;
    memmove(v4.b, v4.b + 1, --v4.n);
    memmove(v6.b, v6.b + 1, --v6.n);
    frame = in_ipv4(4, &v4);
    assert_inside(&frame, 4, 1);
    frame = in_ipv6(4, &frame);
    assert_inside(&frame, 4, 2);
    frame = in_ipv4(41, &v6);
    assert_inside(&frame, 6, 1);
    frame = in_ipv6(4, &frame);
    assert_inside(&frame, 6, 2);
    frame = in_ipv6(41, &v6);
    assert_inside(&frame, 6, 1);
    frame = in_ipv6(4, &v4);
    assert_inside(&frame, 4, 1);
}

static void
what_is_bad_inside_ip_is_bad(void **state)
{
    struct bytes inside = { 0 }, frame;
    struct got g;

    (void)state;
    ADD(&inside, tcp4);
    inside.b[3]++; /* its length */
    frame = in_ipv4(4, &inside);
    g = run_whole(RAW, &frame);
    assert_bad(RAW, &frame, WEIR_LAYER_IPV4, WEIR_BAD_LENGTH);
    assert_int_equal(g.pkt.src.b[0], 192); /* the addresses that are known */
    done(&g);
    frame = in_ipv4(41, &inside);
    assert_bad(RAW, &frame, WEIR_LAYER_IPV6, WEIR_BAD_VERSION);
    inside.n = 0;
    frame = in_ipv4(4, &inside);
    assert_bad(RAW, &frame, WEIR_LAYER_IPV4, WEIR_BAD_TOO_SHORT);
}

static void
sixteen_layers_pass_and_seventeen_are_too_many(void **state)
{
    struct bytes frame = { 0 };

    (void)state;
    ADD(&frame, tcp4);
    for (int i = 0; i < 14; i++)
        frame = in_ipv4(4, &frame);
    assert_inside(&frame, 4, 14); /* and the link */
    frame = in_ipv4(4, &frame);
    assert_bad(RAW, &frame, WEIR_LAYER_LINK, WEIR_BAD_LAYERS);
    assert_tcp(IPV4, &frame, 4, 5);
}

static void
a_fragment_inside_is_a_fragment(void **state)
{
    struct bytes frame = { 0 };
    struct got g;

    (void)state;
    ADD(&frame, tcp4);
    frame.b[6] = 0x20;
    frame = in_ipv4(4, &frame);
    g = run_whole(RAW, &frame);
    assert_int_equal(g.result, DECODE_FRAGMENT);
    assert_int_equal(g.pkt.src.b[0], 10);
    assert_ptr_equal(g.pkt.ip, g.frame + 20);
    done(&g);
}

static void
a_wrong_checksum_around_the_innermost_is_told(void **state)
{
    struct bytes frame = { 0 };
    enum weir_layer layer;
    struct got g;

    (void)state;
    ADD(&frame, tcp4);
    frame.b[10] = 0x26; /* those of the inner headers are right */
    frame.b[11] = 0xc8;
    frame.b[36] = 0x60;
    frame.b[37] = 0x90;
    frame = in_ipv4(4, &frame);
    frame = in_ipv4(4, &frame);
    for (int i = 0; i < 3; i++) {
        if (i > 0)
            frame.b[20 * (i - 1) + 8]--; /* time to live */
        g = run_whole(RAW, &frame);
        assert_int_equal(g.pkt.bad_outer_sum, i > 0);
        assert_int_equal(checksums_right(&g.pkt, &layer), i == 0);
        assert_int_equal(layer, i == 0 ? WEIR_LAYER_TCP : WEIR_LAYER_IPV4);
        done(&g);
        if (i > 0)
            frame.b[20 * (i - 1) + 8]++;
    }
}

/* ---- GRE ------------------------------------------------------------------------------------- */

/* A GRE header before tcp4 or tcp6, in both IPs. */
static void
check_gre(const struct bytes *inside, unsigned version)
{
    struct bytes frame = in_ipv4(47, inside);

    assert_inside(&frame, version, 1);
    frame = in_ipv6(47, inside);
    assert_inside(&frame, version, 1);
}

#define CHECK_GRE(version, ...)                                                                    \
    do {                                                                                           \
        struct bytes gre_ = WITH_TCP(version, __VA_ARGS__);                                        \
        check_gre(&gre_, version);                                                                 \
    } while (0)

static void
gre_comes_with_any_of_its_fields(void **state)
{
    (void)state;
    CHECK_GRE(4, 0x00, 0, 0x08, 0x00);
    CHECK_GRE(6, 0x00, 0, 0x86, 0xdd);
    CHECK_GRE(4, 0x80, 0, 0x08, 0x00, 0xab, 0xcd, 0, 0);
    CHECK_GRE(4, 0x20, 0, 0x08, 0x00, 1, 2, 3, 4);
    CHECK_GRE(4, 0x10, 0, 0x08, 0x00, 0, 0, 0, 1);
    CHECK_GRE(6, 0xb0, 0, 0x86, 0xdd, 0xab, 0xcd, 0, 0, 1, 2, 3, 4, 0, 0, 0, 1);
    CHECK_GRE(4, 0x03, 0xf8, 0x08, 0x00);                   /* bits that a receiver ignores */
    CHECK_GRE(4, 0x00, 0, 0x88, 0x47, 0x00, 0x01, 0x01, 9); /* MPLS */
    CHECK_GRE(4, 0x00, 0, 0x88, 0x0b, 0xff, 3, 0, 0x21);    /* PPP */
}

static void
gre_carries_frames(void **state)
{
    (void)state;
    CHECK_GRE(4, 0x00, 0, 0x65, 0x58, ETH4);
    CHECK_GRE(4, 0x20, 0, 0x65, 0x58, 0, 0x13, 0x88, 7, ETH4); /* NVGRE */
    CHECK_GRE(6, 0x20, 0, 0x65, 0x58, 0, 0x13, 0x88, 7, MACS, 0x81, 0, 0, 5, 0x86, 0xdd);
}

static void
erspan_of_all_types_is_opened(void **state)
{
    (void)state;
    CHECK_GRE(4, 0x00, 0, 0x88, 0xbe, ETH4);
    CHECK_GRE(4, 0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 5, 0, 9, 0, 0, 0, 7, ETH4);
    CHECK_GRE(4, 0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 5, 0, 9, 1, 2, 3, 4, 0, 0, 0, 0, ETH4);
    CHECK_GRE(4, 0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 5, 0, 9, 1, 2, 3, 4, 0, 0, 0x80, 1, 1, 2, 3,
              4, 5, 6, 7, 8, ETH4); /* with a subheader */
    CHECK_GRE(4, 0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 5, 0, 9, 1, 2, 3, 4, 0, 0, 8, 0); /* IP */
}

static void
pptp_is_opened(void **state)
{
    uint8_t n4 = sizeof(tcp4) + 4, n6 = sizeof(tcp6) + 1;

    (void)state;
    CHECK_GRE(4, 0x30, 0x01, 0x88, 0x0b, 0, n4, 0, 9, 0, 0, 0, 1, 0xff, 3, 0, 0x21);
    CHECK_GRE(6, 0x30, 0x81, 0x88, 0x0b, 0, n6, 0, 9, 0, 0, 0, 1, 0, 0, 0, 1, 0x57);
}

static void
a_pptp_length_that_lies_is_told(void **state)
{
    uint8_t n = sizeof(tcp4) + 2;
    struct bytes gre = WITH_TCP(4, 0x30, 0x01, 0x88, 0x0b, 0, n, 0, 9, 0, 0, 0, 1, 0, 0x21), frame;

    (void)state;
    gre.b[5]++;
    frame = in_ipv4(47, &gre);
    assert_bad(RAW, &frame, WEIR_LAYER_TUNNEL, WEIR_BAD_LENGTH);
    gre.b[5] -= 2;
    frame = in_ipv4(47, &gre);
    assert_bad(RAW, &frame, WEIR_LAYER_IPV4, WEIR_BAD_LENGTH);
}

static void
gre_that_is_not_opened_is_a_flow_by_itself(void **state)
{
    static const uint8_t headers[][8] = {
        { 0x40, 0, 0x08, 0x00 },                /* source routes */
        { 0x08, 0, 0x08, 0x00 },                /* strict */
        { 0x04, 0, 0x08, 0x00 },                /* recursion */
        { 0x00, 2, 0x08, 0x00 },                /* version */
        { 0x30, 1, 0x08, 0x00 },                /* of PPTP, but not PPP */
        { 0x10, 1, 0x88, 0x0b },                /* without a key */
        { 0x20, 0x81, 0x88, 0x0b, 0, 9, 0 },    /* an acknowledgement */
        { 0x00, 0, 0x12, 0x34 },                /* other payload */
        { 0x00, 0, 0x00, 0x31 },                /* a length is no type */
        { 0x10, 0, 0x88, 0xbe, 0, 0, 0, 1 },    /* ERSPAN of version 4 */
        { 0x00, 0, 0x65, 0x58, 2, 0, 0, 0 },    /* a frame of another type */
        { 0x00, 0, 0x22, 0xeb, 0x10, 0, 0, 0 }, /* ERSPAN type III of version 1 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        struct bytes gre = with_tcp(headers[i], 8, 4), frame = in_ipv4(47, &gre);

        assert_outer(&frame, 47, 0);
    }
}

static void
gre_without_payload_is_a_flow_and_a_cut_header_is_bad(void **state)
{
    struct bytes gre = WITH_TCP(0, 0x30, 0, 0x08, 0x00, 1, 2, 3, 4, 0, 0, 0, 1), frame;

    (void)state;
    frame = in_ipv4(47, &gre);
    assert_outer(&frame, 47, 0);
    while (gre.n-- > 0) {
        frame = in_ipv4(47, &gre);
        assert_bad(RAW, &frame, WEIR_LAYER_TUNNEL, WEIR_BAD_TOO_SHORT);
    }
}

/* ---- in UDP ---------------------------------------------------------------------------------- */

static void
assert_vni(const struct bytes *frame, bool has, uint32_t vni)
{
    struct got g = run_whole(RAW, frame);

    assert_int_equal(g.pkt.has_vni, has);
    assert_int_equal(g.pkt.vni, vni);
    done(&g);
}

static void
vxlan_is_opened_and_its_vni_kept(void **state)
{
    struct bytes inside = WITH_TCP(4, 0x08, 0, 0, 0, 0xab, 0xcd, 0xef, 0, ETH4), frame;

    (void)state;
    frame = in_udp(50000, 4789, &inside);
    assert_inside(&frame, 4, 1);
    assert_vni(&frame, true, 0xabcdef);
    inside = WITH_TCP(6, 0xff, 1, 2, 3, 0, 0, 0, 9, MACS, 0x86, 0xdd); /* bits that are ignored */
    frame = in_udp(4789, 4789, &inside);
    assert_inside(&frame, 6, 1);
    assert_vni(&frame, true, 0);
}

static void
the_innermost_vni_counts(void **state)
{
    struct bytes inside = WITH_TCP(4, 0x08, 0, 0, 0, 0, 0, 7, 0, ETH4);
    struct bytes around = WITH_TCP(0, 0x08, 0, 0, 0, 0, 0, 9, 0, ETH4), frame;

    (void)state;
    frame = in_udp(50000, 4789, &inside);
    add(&around, frame.b, frame.n);
    frame = in_udp(50000, 4789, &around);
    assert_inside(&frame, 4, 2);
    assert_vni(&frame, true, 7);
}

static void
geneve_is_opened_behind_its_options(void **state)
{
    struct bytes inside = WITH_TCP(4, 0, 0, 0x65, 0x58, 0, 0, 42, 0, ETH4), frame;

    (void)state;
    frame = in_udp(50000, 6081, &inside);
    assert_inside(&frame, 4, 1);
    assert_vni(&frame, true, 42);
    inside = WITH_TCP(6, 3, 0x40, 0x86, 0xdd, 0, 0, 42, 0, 1, 2, 3, 1, 1, 1, 1, 1, 1, 2, 3, 0);
    frame = in_udp(50000, 6081, &inside);
    assert_inside(&frame, 6, 1);
    assert_vni(&frame, true, 42);
}

static void
gtpu_is_opened_behind_its_options(void **state)
{
    uint8_t n = sizeof(tcp4);
    struct bytes inside = WITH_TCP(4, 0x30, 255, 0, n, 1, 2, 3, 4), frame;

    (void)state;
    frame = in_udp(2152, 2152, &inside);
    assert_inside(&frame, 4, 1);
    assert_vni(&frame, false, 0);
    inside = WITH_TCP(4, 0x33, 255, 0, n + 4, 1, 2, 3, 4, 0, 7, 0, 0x85); /* no extension: unread */
    frame = in_udp(50000, 2152, &inside);
    assert_inside(&frame, 4, 1);
    n = sizeof(tcp6);
    inside = WITH_TCP(6, 0x34, 255, 0, n + 16, 1, 2, 3, 4, 0, 0, 0, 0x85, 1, 0x10, 9, 0xc0, 2, 0, 0,
                      0, 0, 0, 0, 0);
    frame = in_udp(50000, 2152, &inside);
    assert_inside(&frame, 6, 1);
}

/* tcp6 with a Teredo address. */
static struct bytes
teredo(const uint8_t *before, size_t n)
{
    struct bytes inside = with_tcp(before, n, 6);

    inside.b[n + 10] = inside.b[n + 11] = 0; /* 2001:0:... */
    return inside;
}

static void
teredo_is_opened_behind_its_headers(void **state)
{
    static const uint8_t origin[] = { 0, 0, 0x11, 0x22, 1, 2, 3, 4 };
    static const uint8_t both[] = { 0, 1, 2,    1,    'i', 'd', 'a', 1,
                                    2, 3, 4,    5,    6,   7,   8,   0, /* auth. */
                                    0, 0, 0x11, 0x22, 1,   2,   3,   4 };
    struct bytes inside, frame;

    (void)state;
    inside = teredo(NULL, 0);
    frame = in_udp(50000, 3544, &inside);
    assert_inside(&frame, 6, 1);
    frame = in_udp(3544, 50000, &inside);
    assert_inside(&frame, 6, 1);
    inside = teredo(origin, sizeof(origin));
    frame = in_udp(3544, 50000, &inside);
    assert_inside(&frame, 6, 1);
    inside = teredo(both, sizeof(both));
    frame = in_udp(50000, 3544, &inside);
    assert_inside(&frame, 6, 1);
    inside = teredo(both, 16);
    frame = in_udp(50000, 3544, &inside);
    assert_inside(&frame, 6, 1);
}

/* Each byte that is changed makes it something else: plain UDP. */
static void
what_is_no_tunnel_is_plain_udp(void **state)
{
    static const struct {
        uint16_t port;
        uint8_t at, byte;
    } changes[] = {
        { 4789, 0, 0xf7 },  /* VXLAN without a VNI */
        { 4789, 20, 0x12 }, /* another EtherType */
        { 4789, 22, 0x44 }, /* what is inside is malformed: IPv4 header length */
        { 4789, 25, 0xff }, /* its length */
        { 4789, 54, 0x40 }, /* TCP header length */
        { 6081, 0, 0x40 },  /* Geneve of version 1 */
        { 6081, 0, 0x3f },  /* options past the end */
        { 6081, 2, 0x00 },  /* a length is no type */
        { 2152, 0, 0x50 },  /* GTP of version 2 */
        { 2152, 0, 0x20 },  /* GTP' */
        { 2152, 1, 26 },    /* no G-PDU */
        { 2152, 3, 255 },   /* its length */
        { 2152, 8, 0x70 },  /* neither IP */
        { 3544, 0, 0x45 },  /* Teredo: not IPv6 */
        { 3544, 10, 0x0d }, /* no address of Teredo */
        { 3544, 5, 26 },    /* its length */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct bytes inside = teredo(NULL, 0), frame;

        if (changes[i].port == 4789)
            inside = WITH_TCP(4, 0x08, 0, 0, 0, 0, 0, 7, 0, ETH4);
        else if (changes[i].port == 6081)
            inside = WITH_TCP(4, 0, 0, 0x65, 0x58, 0, 0, 7, 0, ETH4);
        else if (changes[i].port == 2152)
            inside = WITH_TCP(4, 0x30, 255, 0, sizeof(tcp4), 0, 0, 0, 1);
        frame = in_udp(50000, changes[i].port, &inside);
        assert_inside(&frame, changes[i].port == 3544 ? 6 : 4, 1);
        inside.b[changes[i].at] = changes[i].byte;
        frame = in_udp(50000, changes[i].port, &inside);
        assert_outer(&frame, 17, changes[i].port);
    }
}

/* Whatever is too short for a tunnel is plain UDP, too: every datagram that ends early. */
static void
a_tunnel_in_udp_that_ends_early_is_plain_udp(void **state)
{
    static const uint16_t ports[] = { 4789, 6081, 2152, 3544 };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct bytes inside = teredo(NULL, 0), frame;

        if (i == 0)
            inside = WITH_TCP(4, 0x08, 0, 0, 0, 0, 0, 7, 0, ETH4);
        else if (i == 1)
            inside = WITH_TCP(4, 1, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 1, 1, 0, ETH4);
        else if (i == 2)
            inside = WITH_TCP(4, 0x32, 255, 0, sizeof(tcp4) + 4, 0, 0, 0, 1, 0, 1, 0, 0);
        while (inside.n-- > 0) {
            frame = in_udp(50000, ports[i], &inside);
            assert_outer(&frame, 17, ports[i]);
        }
    }
}

/* Where IP was found, the innermost packet is the flow, though something in it is malformed. */
static void
a_bad_tunnel_in_one_by_port_is_payload_of_what_carries_it(void **state)
{
    struct bytes inside = WITH_TCP(4, 0x08, 0, 0, 0, 0, 0, 7, 0, ETH4), frame;
    struct got g;

    (void)state;
    inside.b[31] = 4; /* IP in IP, with TCP instead */
    frame = in_udp(50000, 4789, &inside);
    g = run_whole(RAW, &frame);
    assert_int_equal(g.result, DECODE_FLOW);
    assert_int_equal(g.pkt.proto, 4);
    assert_int_equal(g.pkt.tunnel, 1);
    assert_int_equal(g.pkt.src.b[0], 10);
    assert_int_equal(g.pkt.payload_len, 25);
    done(&g);
}

static void
vlan_ids_inside_replace_those_around(void **state)
{
    struct bytes plain = WITH_TCP(4, 0x08, 0, 0, 0, 0, 0, 7, 0, ETH4);
    struct bytes tagged = WITH_TCP(4, 0x08, 0, 0, 0, 0, 0, 7, 0, MACS, 0x81, 0, 0, 30, 0x08, 0);
    struct bytes urgent = WITH_TCP(4, 0x08, 0, 0, 0, 0, 0, 7, 0, MACS, 0x81, 0, 0xe0, 0, 0x08, 0);
    struct bytes bad = plain;
    const struct bytes *inside[] = { &plain, &tagged, &urgent, &bad };

    (void)state;
    bad.b[22] = 0x44;
    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
        struct bytes datagram = in_udp(50000, 4789, inside[i]);
        struct bytes frame = { 12, { 0 } };
        struct got g;

        ADD_BYTES(&frame, 0x88, 0xa8, 0, 10, 0x81, 0x00, 0, 20, 0x08, 0x00);
        add(&frame, datagram.b, datagram.n);
        g = run_whole(ETHERNET, &frame);
        assert_int_equal(g.result, DECODE_FLOW);
        assert_int_equal(g.pkt.tunnel, inside[i] != &bad);
        assert_int_equal(g.pkt.n_vlan, i == 1 ? 1 : 2);
        assert_int_equal(g.pkt.vlan[0], i == 1 ? 30 : 10);
        assert_int_equal(g.pkt.vlan[1], i == 1 ? 0 : 20);
        done(&g);
    }
}

static void
vlan_tags_inside_are_kept(void **state)
{
    struct bytes inside = WITH_TCP(4, 0x08, 0, 0, 0, 0, 0, 7, 0, MACS, 0x88, 0xa8, 0, 30, 0x81, 0,
                                   0, 40, 0x81, 0, 0, 50, 0x08, 0);
    struct bytes frame = in_udp(50000, 4789, &inside);
    struct got g = run_whole(RAW, &frame);

    (void)state;
    assert_int_equal(g.pkt.n_vlan, 3);
    assert_int_equal(g.pkt.vlan[0], 30);
    assert_int_equal(g.pkt.vlan[1], 40);
    assert_int_equal(g.pkt.vlan[2], 50);
    done(&g);
}

/* Around is VLAN 10; what the header says counts, and tags inside as it says. */
static void
the_vlan_of_an_erspan_header_counts(void **state)
{
#define TAGGED MACS, 0x81, 0, 0, 30, 0x08, 0
#define ERSPAN2(high, low, flags)                                                                  \
    0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10 | high, low, flags, 9, 0, 0, 0, 7
    const struct {
        struct bytes gre;
        uint8_t n;
        uint16_t vlan[3];
    } cases[] = {
        { WITH_TCP(4, ERSPAN2(1, 0x23, 0x00), ETH4), 1, { 0x123 } },
        { WITH_TCP(4, ERSPAN2(0, 0, 0x00), ETH4), 1, { 10 } }, /* 0: it knows of none */
        { WITH_TCP(4, ERSPAN2(0, 0, 0x10), TAGGED), 1, { 30 } },
        { WITH_TCP(4, ERSPAN2(0, 30, 0x18), TAGGED), 1, { 30 } }, /* the tag is left */
        { WITH_TCP(4, ERSPAN2(0, 30, 0x18), MACS, 0x81, 0, 0x20, 0, 0x08, 0), 1, { 30 } },
        { WITH_TCP(4, ERSPAN2(0, 23, 0x10), TAGGED), 2, { 23, 30 } }, /* 802.1Q, taken off */
        { WITH_TCP(4, ERSPAN2(0, 23, 0xe8), TAGGED), 2, { 23, 30 } }, /* ISL, taken off */
        { WITH_TCP(4, 0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 23, 0, 9, 1, 2, 3, 4, 0, 0, 0, 0,
                   ETH4),
          1,
          { 23 } },
        { WITH_TCP(4, 0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 30, 0, 9, 1, 2, 3, 4, 0, 0, 0, 0,
                   TAGGED),
          1,
          { 30 } },
        { WITH_TCP(0, ERSPAN2(1, 0x23, 0x00), MACS, 0x08, 0x06), 1, { 10 } }, /* ARP: as around */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bytes frame = { 12, { 0 } }, outer = in_ipv4(47, &cases[i].gre);
        struct got g;

        ADD_BYTES(&frame, 0x81, 0x00, 0, 10, 0x08, 0x00);
        add(&frame, outer.b, outer.n);
        g = run_whole(ETHERNET, &frame);
        assert_int_equal(g.result, DECODE_FLOW);
        assert_int_equal(g.pkt.n_vlan, cases[i].n);
        assert_memory_equal(g.pkt.vlan, cases[i].vlan, sizeof(g.pkt.vlan));
        done(&g);
    }
}

/* ---- NSH ------------------------------------------------------------------------------------- */

#define NSH1(next)        0, 6, 1, next, 0, 0, 1, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4
#define NSH2(words, next) 0x0f, 0xc0 | words, 2, next, 0, 0, 1, 2

/* Behind Ethernet, GRE and VXLAN-GPE: all cuts of the frame are told. */
static void
check_nsh(const struct bytes *nsh, unsigned version)
{
    struct bytes frame = { 12, { 0 } }, behind = { 0 };

    ADD_BYTES(&frame, 0x89, 0x4f);
    add(&frame, nsh->b, nsh->n);
    assert_tcp(ETHERNET, &frame, version, 5);
    check_snapped(ETHERNET, &frame, frame.n - 5);

    ADD_BYTES(&behind, 0, 0, 0x89, 0x4f);
    add(&behind, nsh->b, nsh->n);
    frame = in_ipv4(47, &behind);
    assert_inside(&frame, version, 1);

    behind = (struct bytes){ 0 };
    ADD_BYTES(&behind, 0x0c, 0, 0, 4, 0, 0x13, 0x88, 0);
    add(&behind, nsh->b, nsh->n);
    frame = in_udp(50000, 4790, &behind);
    assert_tcp(RAW, &frame, version, 5);
}

#define CHECK_NSH(version, ...)                                                                    \
    do {                                                                                           \
        struct bytes nsh_ = WITH_TCP(version, __VA_ARGS__);                                        \
        check_nsh(&nsh_, version);                                                                 \
    } while (0)

static void
nsh_is_opened_behind_its_metadata(void **state)
{
    (void)state;
    CHECK_NSH(4, NSH1(1));
    CHECK_NSH(6, NSH1(2));
    CHECK_NSH(4, NSH1(3), ETH4);
    CHECK_NSH(4, NSH2(2, 1));
    CHECK_NSH(6, NSH2(2, 3), MACS, 0x86, 0xdd);
    CHECK_NSH(4, NSH2(4, 1), 1, 2, 0, 4, 'm', 'e', 't', 'a');
    CHECK_NSH(4, NSH2(2, 4), NSH1(1));
    CHECK_NSH(4, NSH1(5), 0x00, 0x01, 0x01, 9); /* MPLS */
}

static void
nsh_that_contradicts_itself_is_bad(void **state)
{
    static const struct {
        uint8_t at, value;
        enum weir_bad why;
    } cases[] = {
        { 1, 7, WEIR_BAD_HEADER_LENGTH }, /* of type 1 */
        { 1, 5, WEIR_BAD_HEADER_LENGTH }, { 0, 0x40, WEIR_BAD_VERSION },
        { 2, 0, WEIR_BAD_NONE },    /* no such type: no flow */
        { 0, 0x20, WEIR_BAD_NONE }, /* for operators */
        { 3, 6, WEIR_BAD_NONE },    /* nothing known behind */
    };
    struct bytes bad_type2 = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bytes frame = { 12, { 0 } };

        ADD_BYTES(&frame, 0x89, 0x4f, NSH1(1));
        ADD(&frame, tcp4);
        frame.b[14 + cases[i].at] = cases[i].value;
        if (cases[i].why != WEIR_BAD_NONE) {
            assert_bad(ETHERNET, &frame, WEIR_LAYER_TUNNEL, cases[i].why);
        } else {
            struct got g = run_whole(ETHERNET, &frame);

            assert_int_equal(g.result, DECODE_NO_FLOW);
            done(&g);
        }
    }
    ADD_BYTES(&bad_type2, MACS, 0x89, 0x4f, NSH2(1, 1));
    ADD(&bad_type2, tcp4);
    assert_bad(ETHERNET, &bad_type2, WEIR_LAYER_TUNNEL, WEIR_BAD_HEADER_LENGTH);
}

static void
vxlan_gpe_tells_what_it_carries(void **state)
{
    static const struct {
        uint8_t flags, next;
        bool opened;
    } cases[] = {
        { 0x0c, 1, true },  { 0x0e, 1, true },  { 0x04, 1, false }, { 0x08, 1, false },
        { 0x1c, 1, false }, { 0x0d, 1, false }, { 0x0c, 9, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bytes inside = WITH_TCP(4, cases[i].flags, 0, 0, cases[i].next, 0, 0x13, 0x88, 0);
        struct bytes frame = in_udp(50000, 4790, &inside);
        struct got g = run_whole(RAW, &frame);

        assert_int_equal(g.result, DECODE_FLOW);
        assert_int_equal(g.pkt.tunnel, cases[i].opened);
        assert_int_equal(g.pkt.has_vni, cases[i].opened);
        assert_int_equal(g.pkt.vni, cases[i].opened ? 5000 : 0);
        assert_int_equal(g.pkt.dst_port, cases[i].opened ? 80 : 4790);
        done(&g);
    }
}

static void
too_many_layers_are_told_inside_udp_too(void **state)
{
    struct bytes inside = WITH_TCP(0, 0x08, 0, 0, 0, 0, 0, 7, 0, MACS), frame;

    (void)state;
    for (int i = 0; i < 16; i++)
        ADD_BYTES(&inside, 0x81, 0, 0, 5);
    ADD_BYTES(&inside, 0x08, 0);
    ADD(&inside, tcp4);
    frame = in_udp(50000, 4789, &inside);
    assert_bad(RAW, &frame, WEIR_LAYER_LINK, WEIR_BAD_LAYERS);
}

static void
the_length_of_gtpu_fences_what_is_inside(void **state)
{
    struct bytes inside = WITH_TCP(4, 0x30, 255, 0, sizeof(tcp4), 0, 0, 0, 1), frame;

    (void)state;
    ADD_BYTES(&inside, 1, 2, 3, 4, 5);
    frame = in_udp(50000, 2152, &inside);
    assert_tcp(RAW, &frame, 4, 5);
    inside.b[8 + 3] += 5; /* the packet's length, which the datagram would hold */
    frame = in_udp(50000, 2152, &inside);
    assert_outer(&frame, 17, 2152);
}

static void
ports_of_the_tunnel_are_none_of_what_is_inside(void **state)
{
    struct bytes inside = WITH_TCP(4, 0x08, 0, 0, 0, 0, 0, 7, 0, ETH4), frame;
    struct got g;

    (void)state;
    inside.b[31] = 132; /* SCTP: without ports here */
    frame = in_udp(50000, 4789, &inside);
    g = run_whole(RAW, &frame);
    assert_int_equal(g.result, DECODE_FLOW);
    assert_int_equal(g.pkt.proto, 132);
    assert_int_equal(g.pkt.src_port, 0);
    assert_int_equal(g.pkt.dst_port, 0);
    assert_int_equal(g.pkt.l4_len, 25);
    done(&g);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(either_ip_is_carried_in_either),
        cmocka_unit_test(what_is_bad_inside_ip_is_bad),
        cmocka_unit_test(sixteen_layers_pass_and_seventeen_are_too_many),
        cmocka_unit_test(a_fragment_inside_is_a_fragment),
        cmocka_unit_test(a_wrong_checksum_around_the_innermost_is_told),
        cmocka_unit_test(gre_comes_with_any_of_its_fields),
        cmocka_unit_test(gre_carries_frames),
        cmocka_unit_test(erspan_of_all_types_is_opened),
        cmocka_unit_test(pptp_is_opened),
        cmocka_unit_test(a_pptp_length_that_lies_is_told),
        cmocka_unit_test(gre_that_is_not_opened_is_a_flow_by_itself),
        cmocka_unit_test(gre_without_payload_is_a_flow_and_a_cut_header_is_bad),
        cmocka_unit_test(vxlan_is_opened_and_its_vni_kept),
        cmocka_unit_test(the_innermost_vni_counts),
        cmocka_unit_test(geneve_is_opened_behind_its_options),
        cmocka_unit_test(gtpu_is_opened_behind_its_options),
        cmocka_unit_test(teredo_is_opened_behind_its_headers),
        cmocka_unit_test(what_is_no_tunnel_is_plain_udp),
        cmocka_unit_test(a_tunnel_in_udp_that_ends_early_is_plain_udp),
        cmocka_unit_test(a_bad_tunnel_in_one_by_port_is_payload_of_what_carries_it),
        cmocka_unit_test(vlan_ids_inside_replace_those_around),
        cmocka_unit_test(vlan_tags_inside_are_kept),
        cmocka_unit_test(the_vlan_of_an_erspan_header_counts),
        cmocka_unit_test(nsh_is_opened_behind_its_metadata),
        cmocka_unit_test(nsh_that_contradicts_itself_is_bad),
        cmocka_unit_test(vxlan_gpe_tells_what_it_carries),
        cmocka_unit_test(too_many_layers_are_told_inside_udp_too),
        cmocka_unit_test(the_length_of_gtpu_fences_what_is_inside),
        cmocka_unit_test(ports_of_the_tunnel_are_none_of_what_is_inside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
