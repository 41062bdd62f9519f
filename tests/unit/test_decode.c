#include "decode_help.h"

/* ---- link layers ----------------------------------------------------------------------------- */

static void
ethernet_leads_to_both_ips(void **state)
{
    (void)state;
    assert_header(ETHERNET, ethernet4, sizeof(ethernet4), 4);
    assert_header(ETHERNET, ethernet6, sizeof(ethernet6), 6);
}

/* Most frames are read at once, not layer by layer: what comes of that is the same. */
static void
the_usual_frame_is_read_as_layers_are(void **state)
{
    struct bytes frame = { 0 };
    uint32_t seed = 1;

    (void)state;
    ADD(&frame, ethernet4);
    ADD(&frame, tcp4);
    for (unsigned i = 0; i < 60; i++)
        ADD_BYTES(&frame, (uint8_t)i);
    for (unsigned i = 0; i < 200000; i++) {
        static struct weir_packet whole, inner, next;
        static bool plain;
        struct decode_fault faults[3] = { { 0 } };
        struct bytes cut = frame;
        struct weir_frame f = { .data = cut.b, .link = ETHERNET, .time = 7, .stable = i & 1 };
        enum decode_result result;

        for (unsigned n = (seed >> 8) % 3; n > 0; n--) {
            seed = seed * 1103515245 + 12345;
            cut.b[14 + (seed >> 8) % 44] = (uint8_t)((seed >> 24) & (seed >> 16));
        }
        seed = seed * 1103515245 + 12345;
        f.caplen = (uint32_t)frame.n - ((seed >> 8) % 4 == 0 ? (seed >> 12) % 90 : 0);
        f.wirelen = f.caplen + (seed >> 8) % 3;
        memset(&whole, 0xff, sizeof(whole));
        memset(&inner, 0xff, sizeof(inner));
        result = decode(&f, &whole, &faults[0]);
        next.bad_checksum = i % 7 == 0;
        assert_int_equal(decode_next(&f, &next, &faults[2], &plain), result);
        assert_memory_equal(&next, &whole, sizeof(whole));
        assert_memory_equal(&faults[2], &faults[0], sizeof(faults[0]));
        f.data += 14;
        f.caplen -= 14;
        f.wirelen -= 14;
        f.link = 228; /* IPv4 */
        assert_int_equal(decode(&f, &inner, &faults[1]), result);
        inner.frame -= 14;
        inner.caplen += 14;
        inner.wirelen += 14;
        inner.link = ETHERNET;
        assert_memory_equal(&inner, &whole, sizeof(whole));
        assert_memory_equal(&faults[0], &faults[1], sizeof(faults[0]));
    }
}

static void
linux_cooked_frames_lead_to_both_ips(void **state)
{
    (void)state;
    ASSERT_HEADER(113, 4, 0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x08, 0x00);
    ASSERT_HEADER(113, 6, 0, 4, 3, 4, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0x86, 0xdd);
    ASSERT_HEADER(276, 4, 0x08, 0x00, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0);
    ASSERT_HEADER(276, 6, 0x86, 0xdd, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0);
}

static void
null_loopback_comes_in_either_byte_order(void **state)
{
    static const uint8_t family6[] = { 10, 24, 28, 30 };

    (void)state;
    ASSERT_HEADER(0, 4, 0, 0, 0, 2);
    ASSERT_HEADER(0, 4, 2, 0, 0, 0);
    for (size_t i = 0; i < sizeof(family6); i++) {
        ASSERT_HEADER(0, 6, 0, 0, 0, family6[i]);
        ASSERT_HEADER(0, 6, family6[i], 0, 0, 0);
    }
}

static void
loop_comes_in_network_order_only(void **state)
{
    struct bytes frame = { 0 };

    (void)state;
    ASSERT_HEADER(108, 4, 0, 0, 0, 2);
    ASSERT_HEADER(108, 6, 0, 0, 0, 24);
    ADD_BYTES(&frame, 2, 0, 0, 0);
    ADD(&frame, tcp4);
    assert_result(108, &frame, DECODE_NO_FLOW);
}

static void
other_address_families_are_no_flow(void **state)
{
    struct bytes frame = { 4, { 0, 0, 0, 7 } };

    (void)state;
    ADD(&frame, tcp4);
    assert_result(0, &frame, DECODE_NO_FLOW);
    assert_result(108, &frame, DECODE_NO_FLOW);
}

static void
raw_ip_is_told_by_its_version(void **state)
{
    struct bytes five = { 1, { 0x50 } }, nothing = { 0 };

    (void)state;
    for (int i = 0; i < 2; i++) {
        uint16_t link = i == 0 ? 12 : RAW;

        assert_header(link, NULL, 0, 4);
        assert_header(link, NULL, 0, 6);
        assert_bad(link, &five, WEIR_LAYER_LINK, WEIR_BAD_VERSION);
        assert_bad(link, &nothing, WEIR_LAYER_LINK, WEIR_BAD_TOO_SHORT);
    }
}

static void
links_of_one_ip_version_take_only_that(void **state)
{
    struct bytes v4 = { 0 }, v6 = { 0 };

    (void)state;
    ADD(&v4, tcp4);
    ADD(&v6, tcp6);
    assert_tcp(IPV4, &v4, 4, 5);
    assert_tcp(IPV6, &v6, 6, 5);
    assert_bad(IPV4, &v6, WEIR_LAYER_IPV4, WEIR_BAD_VERSION);
    assert_bad(IPV6, &v4, WEIR_LAYER_IPV6, WEIR_BAD_VERSION);
}

static void
an_unknown_link_type_is_no_flow(void **state)
{
    struct bytes frame = { 0 };
    struct got g;

    (void)state;
    ADD(&frame, tcp4);
    g = run_whole(147, &frame);
    assert_int_equal(g.result, DECODE_NO_FLOW);
    assert_int_equal(g.pkt.ip_version, 0);
    assert_ptr_equal(g.pkt.payload, g.frame);
    assert_int_equal(g.pkt.payload_wire, frame.n);
    done(&g);
}

static void
arp_is_no_flow(void **state)
{
    struct bytes frame = { 14, { [12] = 0x08, 0x06 } };

    (void)state;
    ADD_BYTES(&frame, 0, 1, 8, 0, 6, 4, 0, 1);
    assert_result(ETHERNET, &frame, DECODE_NO_FLOW);
}

static void
what_the_frame_says_is_taken_over(void **state)
{
    struct weir_frame frame = {
        tcp4, sizeof(tcp4), 2000, 1234567890123456789U, RAW, true, 3, false
    };
    struct decode_fault fault;
    struct weir_packet pkt;

    (void)state;
    decode(&frame, &pkt, &fault);
    assert_true(pkt.time == 1234567890123456789U);
    assert_ptr_equal(pkt.frame, tcp4);
    assert_int_equal(pkt.caplen, sizeof(tcp4));
    assert_int_equal(pkt.wirelen, 2000);
    assert_int_equal(pkt.link, RAW);
    assert_int_equal(pkt.port, 3);
    assert_true(pkt.stable);
    assert_false(pkt.bad_checksum);
}

/* ---- VLAN tags and SNAP ---------------------------------------------------------------------- */

static void
vlan_ids_are_kept_outermost_first(void **state)
{
    static const uint8_t outer[][2] = {
        { 0x81, 0x00 }, { 0x88, 0xa8 }, { 0x91, 0x00 }, { 0x92, 0x00 }
    };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct bytes frame = { 12, { 0 } };
        struct got g;

        ADD(&frame, outer[i]);
        ADD_BYTES(&frame, 0xe0, 0x64, 0x81, 0x00, 0x1f, 0xff, 0x08, 0x00); /* priorities are cut */
        ADD(&frame, tcp4);
        assert_tcp(ETHERNET, &frame, 4, 5);
        g = run_whole(ETHERNET, &frame);
        assert_int_equal(g.pkt.n_vlan, 2);
        assert_int_equal(g.pkt.vlan[0], 100);
        assert_int_equal(g.pkt.vlan[1], 0xfff);
        done(&g);
    }
}

static void
one_vlan_tag_is_one(void **state)
{
    struct bytes frame = { 12, { 0 } };
    struct got g;

    (void)state;
    ADD_BYTES(&frame, 0x81, 0x00, 0x00, 0x01, 0x86, 0xdd);
    ADD(&frame, tcp6);
    assert_tcp(ETHERNET, &frame, 6, 5);
    g = run_whole(ETHERNET, &frame);
    assert_int_equal(g.pkt.n_vlan, 1);
    assert_int_equal(g.pkt.vlan[0], 1);
    done(&g);
}

static void
a_tag_of_vlan_0_is_none(void **state)
{
    struct bytes frame = { 12, { 0 } };
    struct got g;

    (void)state;
    ADD_BYTES(&frame, 0x88, 0xa8, 0xe0, 0x00, 0x81, 0x00, 0x00, 0x05, 0x86, 0xdd);
    ADD(&frame, tcp6);
    g = run_whole(ETHERNET, &frame);
    assert_int_equal(g.pkt.n_vlan, 1);
    assert_int_equal(g.pkt.vlan[0], 5);
    done(&g);
}

static void
of_four_vlan_tags_three_are_kept(void **state)
{
    struct bytes frame = { 12, { 0 } };
    struct got g;

    (void)state;
    ADD_BYTES(&frame, 0x88, 0xa8, 0, 1, 0x81, 0x00, 0, 2, 0x81, 0x00, 0, 3, 0x81, 0x00, 0, 4, 0x08,
              0x00);
    ADD(&frame, tcp4);
    assert_tcp(ETHERNET, &frame, 4, 5);
    g = run_whole(ETHERNET, &frame);
    assert_int_equal(g.pkt.n_vlan, 3);
    assert_int_equal(g.pkt.vlan[0], 1);
    assert_int_equal(g.pkt.vlan[1], 2);
    assert_int_equal(g.pkt.vlan[2], 3);
    done(&g);
}

static void
vlan_tags_without_end_are_too_many_layers(void **state)
{
    struct bytes frame = { 12, { 0 } };

    (void)state;
    for (int i = 0; i < 60; i++)
        ADD_BYTES(&frame, 0x81, 0x00, 0x00, 0x01);
    ADD_BYTES(&frame, 0x08, 0x00);
    ADD(&frame, tcp4);
    assert_bad(ETHERNET, &frame, WEIR_LAYER_LINK, WEIR_BAD_LAYERS);
}

static void
a_cut_vlan_tag_is_too_short(void **state)
{
    struct bytes frame = { 17, { [12] = 0x81, 0x00, 0, 1, 8 } };

    (void)state;
    assert_bad(ETHERNET, &frame, WEIR_LAYER_VLAN, WEIR_BAD_TOO_SHORT);
}

static const uint8_t snap_ipv4[] = { 0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00 };

/* An IEEE 802.3 frame of this length field. */
static struct bytes
ieee_frame(unsigned length)
{
    return (struct bytes){ 14, { [12] = (uint8_t)(length >> 8), (uint8_t)length } };
}

static void
snap_carries_ip(void **state)
{
    struct bytes frame = ieee_frame(sizeof(snap_ipv4) + sizeof(tcp4));

    (void)state;
    ADD(&frame, snap_ipv4);
    ADD(&frame, tcp4);
    ADD_BYTES(&frame, 1, 2, 3, 4, 5, 6, 7, 8, 9); /* padding */
    assert_tcp(ETHERNET, &frame, 4, 5);
}

static void
the_ieee_length_fences_what_is_inside(void **state)
{
    struct bytes frame = ieee_frame(sizeof(snap_ipv4) + sizeof(tcp4) - 1);

    (void)state;
    ADD(&frame, snap_ipv4);
    ADD(&frame, tcp4);
    assert_bad(ETHERNET, &frame, WEIR_LAYER_IPV4, WEIR_BAD_LENGTH);
}

/* The bytes of a SNAP header that lie in the padding are none. */
static void
an_ieee_length_below_its_header_is_no_flow(void **state)
{
    (void)state;
    for (unsigned length = 0; length < sizeof(snap_ipv4); length++) {
        struct bytes frame = ieee_frame(length);

        ADD(&frame, snap_ipv4);
        ADD(&frame, tcp4);
        assert_result(ETHERNET, &frame, DECODE_NO_FLOW);
        frame.b[24] = frame.b[25] = 0; /* IPv4 total length 0: as far as the frame goes */
        assert_result(ETHERNET, &frame, DECODE_NO_FLOW);
    }
}

static void
other_llc_is_no_flow(void **state)
{
    static const uint8_t llc[][8] = {
        { 0x42, 0x42, 3, 0, 0, 0, 0x08, 0x00 },    /* spanning tree */
        { 0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0x00 }, /* CDP */
        { 0xaa, 0xaa, 3, 0, 0, 0, 0x00, 0x08 },    /* a length again */
    };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct bytes frame = ieee_frame(8 + sizeof(tcp4));

        ADD(&frame, llc[i]);
        ADD(&frame, tcp4);
        assert_result(ETHERNET, &frame, DECODE_NO_FLOW);
    }
}

static void
snap_behind_a_vlan_tag_carries_ip(void **state)
{
    struct bytes frame = { 12, { 0 } };

    (void)state;
    ADD_BYTES(&frame, 0x81, 0x00, 0, 5, 0, 53);
    ADD(&frame, snap_ipv4);
    ADD(&frame, tcp4);
    assert_tcp(ETHERNET, &frame, 4, 5);
}

/* ---- IPv4 ------------------------------------------------------------------------------------ */

static struct bytes
packet4(void)
{
    struct bytes frame = { 0 };

    ADD(&frame, tcp4);
    return frame;
}

static void
ipv4_fields_are_read(void **state)
{
    struct bytes frame = packet4();
    struct got g = run_whole(IPV4, &frame);

    (void)state;
    assert_ptr_equal(g.pkt.ip, g.frame);
    assert_int_equal(g.pkt.ttl, 64);
    assert_memory_equal(g.pkt.src.b, "\12\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    assert_memory_equal(g.pkt.dst.b, "\12\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    assert_ptr_equal(g.pkt.l4, g.frame + 20);
    assert_int_equal(g.pkt.l4_len, 25);
    done(&g);
}

static void
ipv4_options_are_skipped(void **state)
{
    for (uint8_t words = 1; words <= 10; words++) {
        struct bytes frame = { 0 };

        (void)state;
        add(&frame, tcp4, 20);
        frame.b[0] = (uint8_t)(0x45 + words);
        frame.b[3] = (uint8_t)(sizeof(tcp4) + 4 * words);
        for (int i = 0; i < words; i++)
            ADD_BYTES(&frame, 1, 1, 1, 1);
        add(&frame, tcp4 + 20, sizeof(tcp4) - 20);
        assert_tcp(IPV4, &frame, 4, 5);
    }
}

static void
bytes_behind_the_ipv4_total_length_are_padding(void **state)
{
    struct bytes frame = packet4();

    (void)state;
    ADD_BYTES(&frame, 'P', 'A', 'D');
    assert_tcp(IPV4, &frame, 4, 5);
}

static void
ipv4_total_length_0_goes_as_far_as_the_frame(void **state)
{
    struct bytes frame = packet4();

    (void)state;
    ADD_BYTES(&frame, 'm', 'o', 'r', 'e');
    frame.b[2] = frame.b[3] = 0;
    assert_tcp(IPV4, &frame, 4, 9);
}

static void
ipv4_length_lies_are_told(void **state)
{
    static const struct {
        uint8_t first, total;
        enum weir_bad why;
    } lies[] = {
        { 0x44, 45, WEIR_BAD_HEADER_LENGTH }, { 0x40, 45, WEIR_BAD_HEADER_LENGTH },
        { 0x4c, 45, WEIR_BAD_HEADER_LENGTH }, { 0x45, 19, WEIR_BAD_HEADER_LENGTH },
        { 0x45, 1, WEIR_BAD_HEADER_LENGTH },  { 0x45, 46, WEIR_BAD_LENGTH },
        { 0x45, 255, WEIR_BAD_LENGTH },       { 0x55, 45, WEIR_BAD_VERSION },
        { 0x65, 45, WEIR_BAD_VERSION },       { 0x05, 45, WEIR_BAD_VERSION },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct bytes frame = packet4();

        frame.b[0] = lies[i].first;
        frame.b[3] = lies[i].total;
        assert_bad(IPV4, &frame, WEIR_LAYER_IPV4, lies[i].why);
    }
}

static void
ipv4_fragments_are_told_by_offset_and_more_flag(void **state)
{
    static const struct {
        uint8_t high, low;
        enum decode_result result;
    } kinds[] = {
        { 0x20, 0x00, DECODE_FRAGMENT },                                  /* the first */
        { 0x20, 0x01, DECODE_FRAGMENT }, { 0x00, 0x01, DECODE_FRAGMENT }, /* the last */
        { 0x1f, 0xff, DECODE_FRAGMENT }, { 0x40, 0x00, DECODE_FLOW },     /* don't fragment */
        { 0x00, 0x00, DECODE_FLOW },     { 0x80, 0x00, DECODE_FLOW },     /* RFC 3514 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct bytes frame = packet4();

        frame.b[6] = kinds[i].high;
        frame.b[7] = kinds[i].low;
        assert_result(IPV4, &frame, kinds[i].result);
    }
}

static void
a_fragment_has_addresses_and_protocol_but_no_ports(void **state)
{
    struct bytes frame = packet4();
    struct got g;

    (void)state;
    frame.b[6] = 0x20;
    g = run_whole(IPV4, &frame);
    assert_int_equal(g.pkt.proto, WEIR_PROTO_TCP);
    assert_int_equal(g.pkt.src.b[3], 1);
    assert_int_equal(g.pkt.src_port, 0);
    assert_ptr_equal(g.pkt.payload, g.frame + 20);
    assert_int_equal(g.pkt.payload_len, 25);
    done(&g);
}

/* ---- IPv6 ------------------------------------------------------------------------------------ */

static void
ipv6_fields_are_read(void **state)
{
    struct bytes frame = { 0 };
    struct got g;

    (void)state;
    ADD(&frame, tcp6);
    g = run_whole(IPV6, &frame);
    assert_ptr_equal(g.pkt.ip, g.frame);
    assert_int_equal(g.pkt.ttl, 0x3f);
    assert_memory_equal(g.pkt.src.b, tcp6 + 8, 16);
    assert_memory_equal(g.pkt.dst.b, tcp6 + 24, 16);
    assert_ptr_equal(g.pkt.l4, g.frame + 40);
    assert_int_equal(g.pkt.l4_len, 25);
    done(&g);
}

/* tcp6 with extension headers before its TCP header; next: the number of the first. */
static struct bytes
packet6(uint8_t next, const void *extensions, size_t n)
{
    struct bytes frame = { 0 };

    add(&frame, tcp6, 40);
    frame.b[5] = (uint8_t)(frame.b[5] + n);
    frame.b[6] = next;
    add(&frame, extensions, n);
    add(&frame, tcp6 + 40, sizeof(tcp6) - 40);
    return frame;
}

#define PACKET6(next, ...)                                                                         \
    packet6(next, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void
each_extension_header_is_passed(void **state)
{
    static const uint8_t kinds[] = { 0, 43, 60, 135, 139, 140 };
    struct bytes frame;

    (void)state;
    for (size_t i = 0; i < sizeof(kinds); i++) {
        frame = PACKET6(kinds[i], 6, 0, 1, 4, 0, 0, 0, 0);
        assert_tcp(IPV6, &frame, 6, 5);
        frame = PACKET6(kinds[i], 6, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        assert_tcp(IPV6, &frame, 6, 5);
    }
}

/* RFC 4302 section 2.2: its length counts 32-bit words, less two. */
static void
an_authentication_header_is_passed(void **state)
{
    struct bytes frame = PACKET6(51, 6, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, /* 12 bytes, */
                                 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);    /* and those of the ICV */

    (void)state;
    assert_tcp(IPV6, &frame, 6, 5);
}

static void
extension_headers_follow_each_other(void **state)
{
    struct bytes frame = PACKET6(0, 60, 0, 1, 4, 0, 0, 0, 0, /* hop by hop */
                                 43, 0, 1, 4, 0, 0, 0, 0,    /* destination options */
                                 44, 0, 0, 0, 0, 0, 0, 0,    /* routing */
                                 51, 0, 0, 0, 0, 0, 0, 9,    /* atomic fragment */
                                 60, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, /* AH */
                                 6, 0, 1, 4, 0, 0, 0, 0); /* destination options */

    (void)state;
    assert_tcp(IPV6, &frame, 6, 5);
}

static void
an_atomic_fragment_is_a_whole_packet(void **state)
{
    struct bytes frame = PACKET6(44, 6, 0, 0, 0, 1, 2, 3, 4);

    (void)state;
    assert_tcp(IPV6, &frame, 6, 5);
    frame.b[43] = 0x06; /* the two reserved bits say nothing */
    assert_tcp(IPV6, &frame, 6, 5);
}

static void
ipv6_fragments_are_told_by_offset_and_more_flag(void **state)
{
    static const uint8_t kinds[][2] = { { 0, 1 }, { 0, 8 }, { 0, 9 }, { 0xff, 0xf8 }, { 1, 0 } };

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct bytes frame = PACKET6(44, 6, 0, kinds[i][0], kinds[i][1], 1, 2, 3, 4);
        struct got g = run_whole(IPV6, &frame);

        assert_int_equal(g.result, DECODE_FRAGMENT);
        assert_int_equal(g.pkt.proto, WEIR_PROTO_TCP);
        assert_ptr_equal(g.pkt.payload, g.frame + 48);
        assert_int_equal(g.pkt.payload_len, 25);
        done(&g);
    }
}

/* What lies behind the fragment header of a later piece is data, whatever it looks like. */
static void
nothing_behind_a_fragment_header_is_read(void **state)
{
    struct bytes frame = PACKET6(44, 60, 0, 0, 8, 1, 2, 3, 4, 6, 0xff, 0, 0, 0, 0, 0, 0);

    (void)state;
    assert_result(IPV6, &frame, DECODE_FRAGMENT);
}

static void
fifteen_extension_headers_pass_and_sixteen_are_too_many(void **state)
{
    uint8_t chain[16 * 8] = { 0 };
    struct bytes frame;

    (void)state;
    for (int i = 0; i < 15; i++)
        chain[8 * i] = i < 14 ? 60 : 6;
    frame = packet6(60, chain, 15 * 8);
    assert_tcp(IPV6, &frame, 6, 5);
    chain[14 * 8] = 60;
    chain[15 * 8] = 6;
    frame = packet6(60, chain, 16 * 8);
    assert_bad(IPV6, &frame, WEIR_LAYER_IPV6, WEIR_BAD_LAYERS);
}

static void
an_extension_header_past_the_end_is_too_short(void **state)
{
    struct bytes frame = PACKET6(0, 6, 255, 1, 4, 0, 0, 0, 0);

    (void)state;
    assert_bad(IPV6, &frame, WEIR_LAYER_IPV6, WEIR_BAD_TOO_SHORT);
    frame = PACKET6(51, 6, 255, 0, 0, 0, 0, 0, 1);
    assert_bad(IPV6, &frame, WEIR_LAYER_IPV6, WEIR_BAD_TOO_SHORT);
}

static void
ipv6_payload_length_fences_and_is_checked(void **state)
{
    struct bytes frame = { 0 };

    (void)state;
    ADD(&frame, tcp6);
    ADD_BYTES(&frame, 'P', 'A', 'D');
    assert_tcp(IPV6, &frame, 6, 5);
    frame.b[5] = 0; /* as far as the frame goes */
    assert_tcp(IPV6, &frame, 6, 8);
    frame.b[5] = 29;
    assert_bad(IPV6, &frame, WEIR_LAYER_IPV6, WEIR_BAD_LENGTH);
    frame.b[5] = 19;
    assert_bad(IPV6, &frame, WEIR_LAYER_TCP, WEIR_BAD_TOO_SHORT);
}

/* ---- transport ------------------------------------------------------------------------------- */

static void
tcp_fields_are_read(void **state)
{
    struct bytes frame = packet4();
    struct got g = run_whole(IPV4, &frame);

    (void)state;
    assert_true(g.pkt.tcp_seq == 0x01020304);
    assert_true(g.pkt.tcp_ack == 0xf1f2f3f4);
    assert_int_equal(g.pkt.tcp_flags, WEIR_TH_PUSH | WEIR_TH_ACK);
    assert_int_equal(g.pkt.tcp_window, 0xfaf0);
    assert_int_equal(g.pkt.n_tcp_options, 0);
    assert_ptr_equal(g.pkt.payload, g.frame + 40);
    done(&g);
}

static void
tcp_options_are_pointed_at(void **state)
{
    struct bytes frame = packet4();
    struct got g;

    (void)state;
    frame.b[32] = 0x60;
    g = run_whole(IPV4, &frame);
    assert_int_equal(g.result, DECODE_FLOW);
    assert_int_equal(g.pkt.n_tcp_options, 4);
    assert_memory_equal(g.pkt.tcp_options, "hell", 4);
    assert_int_equal(g.pkt.payload_len, 1);
    done(&g);
}

static void
a_tcp_data_offset_that_lies_is_told(void **state)
{
    static const uint8_t lies[] = { 0x00, 0x10, 0x40, 0x4f, 0x70, 0xf0 };

    (void)state;
    for (size_t i = 0; i < sizeof(lies); i++) {
        struct bytes frame = packet4();

        frame.b[32] = lies[i];
        assert_bad(IPV4, &frame, WEIR_LAYER_TCP, WEIR_BAD_HEADER_LENGTH);
    }
}

/* The options would fit into the padding, but that is not the packet's. */
static void
a_tcp_header_may_not_reach_into_padding(void **state)
{
    struct bytes frame = packet4();

    (void)state;
    ADD_BYTES(&frame, 0, 0, 0, 0, 0, 0, 0, 0);
    frame.b[32] = 0x70;
    assert_bad(IPV4, &frame, WEIR_LAYER_TCP, WEIR_BAD_HEADER_LENGTH);
}

static void
a_udp_datagram_is_cut_to_its_length(void **state)
{
    static const struct {
        uint8_t length;
        uint32_t payload;
    } cases[] = { { 12, 4 }, { 11, 3 }, { 8, 0 }, { 0, 4 } };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct bytes frame = OTHER4(17, 0x12, 0x34, 0, 53, 0, cases[i].length, 0, 0, 1, 2, 3, 4);
        struct got g = run_whole(IPV4, &frame);

        assert_int_equal(g.result, DECODE_FLOW);
        assert_int_equal(g.pkt.src_port, 0x1234);
        assert_int_equal(g.pkt.dst_port, 53);
        assert_int_equal(g.pkt.payload_len, cases[i].payload);
        assert_int_equal(g.pkt.l4_len, 8 + cases[i].payload);
        done(&g);
    }
}

static void
a_udp_length_that_lies_is_told(void **state)
{
    static const struct {
        uint8_t length;
        enum weir_bad why;
    } lies[] = { { 1, WEIR_BAD_HEADER_LENGTH },
                 { 7, WEIR_BAD_HEADER_LENGTH },
                 { 13, WEIR_BAD_LENGTH },
                 { 255, WEIR_BAD_LENGTH } };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct bytes frame = OTHER4(17, 0x12, 0x34, 0, 53, 0, lies[i].length, 0, 0, 1, 2, 3, 4);

        assert_bad(IPV4, &frame, WEIR_LAYER_UDP, lies[i].why);
    }
}

static void
an_icmp_echo_has_its_identifier_as_both_ports(void **state)
{
    static const uint8_t types[] = { 8, 0, 3, 5, 11, 13 };

    (void)state;
    for (size_t i = 0; i < sizeof(types); i++) {
        struct bytes frame = OTHER4(1, types[i], 1, 0, 0, 0xbe, 0xef, 0, 1, 'x');
        struct got g = run_whole(IPV4, &frame);
        uint16_t port = types[i] == 8 || types[i] == 0 ? 0xbeef : 0;

        assert_int_equal(g.result, DECODE_FLOW);
        assert_int_equal(g.pkt.icmp_type, types[i]);
        assert_int_equal(g.pkt.icmp_code, 1);
        assert_int_equal(g.pkt.src_port, port);
        assert_int_equal(g.pkt.dst_port, port);
        assert_int_equal(g.pkt.payload_len, 1);
        done(&g);
    }
}

static void
an_icmpv6_echo_has_its_identifier_as_both_ports(void **state)
{
    static const uint8_t types[] = { 128, 129, 8, 0, 135 };

    (void)state;
    for (size_t i = 0; i < sizeof(types); i++) {
        struct bytes frame = { 0 };
        uint16_t port = i < 2 ? 0xbeef : 0;
        struct got g;

        add(&frame, tcp6, 40);
        frame.b[5] = 8;
        frame.b[6] = WEIR_PROTO_ICMPV6;
        ADD_BYTES(&frame, types[i], 0, 0, 0, 0xbe, 0xef, 0, 1);
        g = run_whole(IPV6, &frame);
        assert_int_equal(g.result, DECODE_FLOW);
        assert_int_equal(g.pkt.icmp_type, types[i]);
        assert_int_equal(g.pkt.src_port, port);
        assert_int_equal(g.pkt.dst_port, port);
        done(&g);
    }
}

static void
short_transport_headers_are_told_by_layer(void **state)
{
    static const struct {
        uint8_t proto;
        enum weir_layer layer;
    } protos[] = { { 6, WEIR_LAYER_TCP },
                   { 17, WEIR_LAYER_UDP },
                   { 1, WEIR_LAYER_ICMP },
                   { 58, WEIR_LAYER_ICMPV6 } };

    (void)state;
    for (size_t i = 0; i < 4; i++)
        for (size_t n = 0; n < 8; n++) {
            struct bytes frame = other4(protos[i].proto, "\0\0\0\0\0\0\0", n);

            ADD_BYTES(&frame, 0, 0, 0, 0, 0, 0, 0, 0); /* padding does not help */
            assert_bad(IPV4, &frame, protos[i].layer, WEIR_BAD_TOO_SHORT);
        }
}

static void
other_protocols_are_flows_without_ports(void **state)
{
    static const uint8_t protos[] = { 2, 50, 59, 94, 132, 255 };

    (void)state;
    for (size_t i = 0; i < sizeof(protos); i++) {
        struct bytes frame = OTHER4(protos[i], 1, 2, 3);
        struct got g = run_whole(IPV4, &frame);

        assert_int_equal(g.result, DECODE_FLOW);
        assert_int_equal(g.pkt.proto, protos[i]);
        assert_int_equal(g.pkt.src_port, 0);
        assert_ptr_equal(g.pkt.payload, g.pkt.l4);
        assert_int_equal(g.pkt.payload_len, 3);
        done(&g);
        frame = other4(protos[i], NULL, 0); /* nothing inside is no fault of the packet */
        assert_result(IPV4, &frame, DECODE_FLOW);
    }
}

/* ---- frames that are cut --------------------------------------------------------------------- */

static void
every_prefix_of_a_good_packet_ends_cleanly(void **state)
{
    struct bytes frame = { 0 };

    (void)state;
    ADD(&frame, ethernet4);
    ADD(&frame, tcp4);
    check_cut(ETHERNET, &frame, 54);

    frame = PACKET6(0, 60, 0, 1, 4, 0, 0, 0, 0, 51, 0, 1, 4, 0, 0, 0, 0, 44, 1, 0, 0, 0, 0, 0, 1, 0,
                    0, 0, 1, 6, 0, 0, 0, 0, 0, 0, 1);
    check_cut(IPV6, &frame, 40 + 36 + 20);

    frame = (struct bytes){ 12, { 0 } };
    ADD_BYTES(&frame, 0x88, 0xa8, 0, 1, 0x81, 0x00, 0, 2, 0x86, 0xdd);
    ADD(&frame, tcp6);
    check_cut(ETHERNET, &frame, 22 + 60);

    frame = packet4();
    frame.b[32] = 0x60; /* with an option */
    check_cut(RAW, &frame, 44);

    frame = OTHER4(17, 0x12, 0x34, 0, 53, 0, 12, 0, 0, 1, 2, 3, 4);
    check_cut(RAW, &frame, 28);
    frame = OTHER4(1, 8, 0, 0, 0, 0, 1, 0, 1, 'x', 'y');
    check_cut(RAW, &frame, 28);
    frame = OTHER4(132, 1, 2, 3, 4);
    check_cut(RAW, &frame, 20);
}

static void
every_prefix_of_other_link_headers_ends_cleanly(void **state)
{
    static const struct {
        uint16_t link;
        uint8_t n;
        uint8_t header[20];
    } kinds[] = {
        { 113, 16, { [14] = 0x08, 0x00 } },
        { 276, 20, { 0x08, 0x00 } },
        { 0, 4, { 2 } },
        { 0, 4, { 0, 0, 0, 2 } },
        { 108, 4, { 0, 0, 0, 2 } },
        { 12, 0, { 0 } },
        { IPV4, 0, { 0 } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct bytes frame = { 0 };

        add(&frame, kinds[i].header, kinds[i].n);
        ADD(&frame, tcp4);
        check_cut(kinds[i].link, &frame, kinds[i].n + 40U);
    }
}

static void
every_prefix_of_snap_ends_cleanly(void **state)
{
    struct bytes frame = ieee_frame(sizeof(snap_ipv4) + sizeof(tcp4));

    (void)state;
    ADD(&frame, snap_ipv4);
    ADD(&frame, tcp4);
    check_snapped(ETHERNET, &frame, 14 + 8 + 40);
}

/* The wire held more than was captured: length fields are held against the wire. */
static void
lies_are_told_from_truncation(void **state)
{
    struct bytes frame = packet4();
    struct got g;

    (void)state;
    frame.b[3] = 100;
    g = run(IPV4, frame.b, frame.n, 100);
    assert_int_equal(g.result, DECODE_FLOW);
    assert_true(g.pkt.truncated);
    assert_int_equal(g.pkt.payload_len, 5);
    assert_int_equal(g.pkt.payload_wire, 60);
    done(&g);
    g = run(IPV4, frame.b, frame.n, 99);
    assert_int_equal(g.result, DECODE_BAD);
    assert_int_equal(g.fault.why, WEIR_BAD_LENGTH);
    done(&g);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ethernet_leads_to_both_ips),
        cmocka_unit_test(the_usual_frame_is_read_as_layers_are),
        cmocka_unit_test(linux_cooked_frames_lead_to_both_ips),
        cmocka_unit_test(null_loopback_comes_in_either_byte_order),
        cmocka_unit_test(loop_comes_in_network_order_only),
        cmocka_unit_test(other_address_families_are_no_flow),
        cmocka_unit_test(raw_ip_is_told_by_its_version),
        cmocka_unit_test(links_of_one_ip_version_take_only_that),
        cmocka_unit_test(an_unknown_link_type_is_no_flow),
        cmocka_unit_test(arp_is_no_flow),
        cmocka_unit_test(what_the_frame_says_is_taken_over),
        cmocka_unit_test(vlan_ids_are_kept_outermost_first),
        cmocka_unit_test(one_vlan_tag_is_one),
        cmocka_unit_test(a_tag_of_vlan_0_is_none),
        cmocka_unit_test(of_four_vlan_tags_three_are_kept),
        cmocka_unit_test(vlan_tags_without_end_are_too_many_layers),
        cmocka_unit_test(a_cut_vlan_tag_is_too_short),
        cmocka_unit_test(snap_carries_ip),
        cmocka_unit_test(the_ieee_length_fences_what_is_inside),
        cmocka_unit_test(an_ieee_length_below_its_header_is_no_flow),
        cmocka_unit_test(other_llc_is_no_flow),
        cmocka_unit_test(snap_behind_a_vlan_tag_carries_ip),
        cmocka_unit_test(ipv4_fields_are_read),
        cmocka_unit_test(ipv4_options_are_skipped),
        cmocka_unit_test(bytes_behind_the_ipv4_total_length_are_padding),
        cmocka_unit_test(ipv4_total_length_0_goes_as_far_as_the_frame),
        cmocka_unit_test(ipv4_length_lies_are_told),
        cmocka_unit_test(ipv4_fragments_are_told_by_offset_and_more_flag),
        cmocka_unit_test(a_fragment_has_addresses_and_protocol_but_no_ports),
        cmocka_unit_test(ipv6_fields_are_read),
        cmocka_unit_test(each_extension_header_is_passed),
        cmocka_unit_test(an_authentication_header_is_passed),
        cmocka_unit_test(extension_headers_follow_each_other),
        cmocka_unit_test(an_atomic_fragment_is_a_whole_packet),
        cmocka_unit_test(ipv6_fragments_are_told_by_offset_and_more_flag),
        cmocka_unit_test(nothing_behind_a_fragment_header_is_read),
        cmocka_unit_test(fifteen_extension_headers_pass_and_sixteen_are_too_many),
        cmocka_unit_test(an_extension_header_past_the_end_is_too_short),
        cmocka_unit_test(ipv6_payload_length_fences_and_is_checked),
        cmocka_unit_test(tcp_fields_are_read),
        cmocka_unit_test(tcp_options_are_pointed_at),
        cmocka_unit_test(a_tcp_data_offset_that_lies_is_told),
        cmocka_unit_test(a_tcp_header_may_not_reach_into_padding),
        cmocka_unit_test(a_udp_datagram_is_cut_to_its_length),
        cmocka_unit_test(a_udp_length_that_lies_is_told),
        cmocka_unit_test(an_icmp_echo_has_its_identifier_as_both_ports),
        cmocka_unit_test(an_icmpv6_echo_has_its_identifier_as_both_ports),
        cmocka_unit_test(short_transport_headers_are_told_by_layer),
        cmocka_unit_test(other_protocols_are_flows_without_ports),
        cmocka_unit_test(every_prefix_of_a_good_packet_ends_cleanly),
        cmocka_unit_test(every_prefix_of_other_link_headers_ends_cleanly),
        cmocka_unit_test(every_prefix_of_snap_ends_cleanly),
        cmocka_unit_test(lies_are_told_from_truncation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
