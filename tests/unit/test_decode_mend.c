/* The headers around a packet that was put together from fragments. */
#include "decode_help.h"

#define MACS  2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1
#define HOSTS 192, 0, 2, 1, 192, 0, 2, 2

/* UDP from 10.0.0.1 to 10.0.0.2, 60 bytes: whole already. Its first fragment had 44. */
static const uint8_t datagram[60] = {
    0x45, 0, 0, 60, 0, 9,  0, 0, 64,  17,  0x66, 0xa6, 10,  0,   0,   1,   10,  0,
    0,    2, /* IPv4 */
    3,    3, 0, 53, 0, 40, 0, 0, 'a', 'b', 'c',  'd',  'e', 'f', 'g', 'h', 'i', 'j',
};

/* Headers before it as they were in the first fragment, and as they become. */
struct around {
    uint16_t link;
    uint8_t n;
    uint8_t before[64], after[64];
};

/* clang-format off */
static const struct around around[] = {
    /* GRE */
    { ETHERNET, 38,
      { MACS, 8, 0, 0x45, 0, 0, 68, 0, 1, 0, 0, 64, 47, 0xf6, 0x86, HOSTS, 0, 0, 8, 0 },
      { MACS, 8, 0, 0x45, 0, 0, 84, 0, 1, 0, 0, 64, 47, 0xf6, 0x76, HOSTS, 0, 0, 8, 0 } },
    /* IP in IPv6 in a VLAN */
    { ETHERNET, 58,
      { MACS, 0x81, 0, 0, 5, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 44, 4, 64,
        0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
        0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2 },
      { MACS, 0x81, 0, 0, 5, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 60, 4, 64,
        0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
        0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2 } },
    /* VXLAN: the UDP checksum, of other bytes, goes */
    { RAW, 50,
      { 0x45, 0, 0, 94, 0, 1, 0, 0, 64, 17, 0xf6, 0x8a, HOSTS, 9, 9, 0x12, 0xb5, 0, 74, 0xab, 0xcd,
        8, 0, 0, 0, 0, 0, 7, 0, MACS, 8, 0 },
      { 0x45, 0, 0, 110, 0, 1, 0, 0, 64, 17, 0xf6, 0x7a, HOSTS, 9, 9, 0x12, 0xb5, 0, 90, 0, 0,
        8, 0, 0, 0, 0, 0, 7, 0, MACS, 8, 0 } },
    /* GTP-U */
    { RAW, 36,
      { 0x45, 0, 0, 80, 0, 1, 0, 0, 64, 17, 0xf6, 0x98, HOSTS, 8, 0x68, 8, 0x68, 0, 60, 0, 0,
        0x30, 255, 0, 44, 0, 0, 0, 1 },
      { 0x45, 0, 0, 96, 0, 1, 0, 0, 64, 17, 0xf6, 0x88, HOSTS, 8, 0x68, 8, 0x68, 0, 76, 0, 0,
        0x30, 255, 0, 60, 0, 0, 0, 1 } },
    /* PPTP: the length is that of PPP */
    { RAW, 33,
      { 0x45, 0, 0, 77, 0, 1, 0, 0, 64, 47, 0xf6, 0x7d, HOSTS,
        0x30, 1, 0x88, 0x0b, 0, 45, 0, 1, 0, 0, 0, 1, 0x21 },
      { 0x45, 0, 0, 93, 0, 1, 0, 0, 64, 47, 0xf6, 0x6d, HOSTS,
        0x30, 1, 0x88, 0x0b, 0, 61, 0, 1, 0, 0, 0, 1, 0x21 } },
    /* PPPoE */
    { ETHERNET, 22,
      { MACS, 0x88, 0x64, 0x11, 0, 0, 1, 0, 46, 0, 0x21 },
      { MACS, 0x88, 0x64, 0x11, 0, 0, 1, 0, 62, 0, 0x21 } },
    /* A length of IEEE 802.3, which could become a type, stays */
    { ETHERNET, 22,
      { MACS, 0, 52, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0 },
      { MACS, 0, 52, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0 } },
    /* What is wrong stays wrong: the checksum was one less */
    { RAW, 20,
      { 0x45, 0, 0, 64, 0, 1, 0, 0, 64, 4, 0xf6, 0xb4, HOSTS },
      { 0x45, 0, 0, 80, 0, 1, 0, 0, 64, 4, 0xf6, 0xa4, HOSTS } },
};
/* clang-format on */

enum { N_AROUND = sizeof(around) / sizeof(around[0]), WRONG = N_AROUND - 1 };

static struct bytes
stale_frame(const struct around *a)
{
    struct bytes frame = { 0 };

    add(&frame, a->before, a->n);
    ADD(&frame, datagram);
    return frame;
}

static enum decode_result
run_mend(uint16_t link, uint8_t *data, uint32_t caplen, uint32_t wirelen, uint32_t ip_at,
         struct weir_packet *pkt, struct decode_fault *fault)
{
    const struct weir_frame frame = {
        .data = data, .caplen = caplen, .wirelen = wirelen, .time = 8, .link = link
    };

    *pkt = (struct weir_packet){ .number = 7 };
    return decode_whole(&frame, data + ip_at, pkt, fault);
}

static void
headers_around_get_the_lengths_of_the_whole(void **state)
{
    (void)state;
    for (int i = 0; i < N_AROUND; i++) {
        const struct around *a = &around[i];
        struct bytes frame = stale_frame(a);
        struct weir_packet pkt;
        struct decode_fault fault;

        assert_int_equal(run_mend(a->link, frame.b, frame.n, frame.n, a->n, &pkt, &fault),
                         DECODE_FLOW);
        assert_memory_equal(frame.b, a->after, a->n);
        assert_memory_equal(frame.b + a->n, datagram, sizeof(datagram));
        assert_ptr_equal(pkt.frame, frame.b);
        assert_ptr_equal(pkt.ip, frame.b + a->n);
        assert_int_equal(pkt.caplen, frame.n);
        assert_int_equal(pkt.link, a->link);
        assert_int_equal(pkt.payload_len, 32);
        assert_int_equal(pkt.payload_wire, 32);
        assert_int_equal(pkt.number, 7);
        assert_int_equal(pkt.time, 8);
        assert_true(pkt.whole && !pkt.fragment && !pkt.stable);
        assert_int_equal(pkt.bad_outer_sum, i == WRONG);
    }
}

/* The frame is then read by the decoder as any other, but for the length that stays. */
static void
the_mended_frame_is_a_good_frame(void **state)
{
    (void)state;
    for (int i = 0; i < N_AROUND; i++) {
        const struct around *a = &around[i];
        struct bytes frame = { 0 };
        struct got g;

        add(&frame, a->after, a->n);
        ADD(&frame, datagram);
        g = run_whole(a->link, &frame);
        assert_int_equal(g.result, a->before[13] == 52 ? DECODE_BAD : DECODE_FLOW);
        if (g.result == DECODE_FLOW)
            assert_ptr_equal(g.pkt.ip, g.frame + a->n);
        done(&g);
    }
}

/* Cut by a snap length, or because there is no more. */
static void
every_prefix_is_safe(void **state)
{
    (void)state;
    for (int i = 0; i < N_AROUND; i++) {
        for (uint32_t n = around[i].n; n <= around[i].n + sizeof(datagram); n++) {
            for (int snap = 0; snap < 2; snap++) {
                const struct bytes frame = stale_frame(&around[i]);
                uint8_t *exact = malloc(n);
                struct weir_packet pkt;
                struct decode_fault fault;

                assert_non_null(exact);
                memcpy(exact, frame.b, n);
                run_mend(around[i].link, exact, n, snap ? frame.n : n, around[i].n, &pkt, &fault);
                assert_true(pkt.frame >= exact && pkt.frame + pkt.caplen == exact + n);
                assert_true(pkt.payload >= pkt.frame && pkt.payload + pkt.payload_len <= exact + n);
                free(exact);
            }
        }
    }
}

/* ---- too long for what is around ------------------------------------------------------------- */

/* Headers before an IP packet of 65535 bytes, and where the frame begins that is shown. */
struct too_small {
    uint8_t n, alone;
    uint16_t link;
    uint8_t b[64];
};

/* clang-format off */
static const struct too_small too_small[] = {
    { 39, 38, 9, /* PPP in GRE */
      { MACS, 8, 0, 0x45, 0, 0, 69, 0, 1, 0, 0, 64, 47, 0xf6, 0x85, HOSTS, 0, 0, 0x88, 0x0b,
        0x21 } },
    { 64, 50, ETHERNET, /* VXLAN */
      { MACS, 8, 0, 0x45, 0, 0, 94, 0, 1, 0, 0, 64, 17, 0xf6, 0x8a, HOSTS, 9, 9, 0x12, 0xb5, 0, 74,
        0, 0, 8, 0, 0, 0, 0, 0, 7, 0, MACS, 8, 0 } },
    { 34, 34, RAW, /* IP in IP */
      { MACS, 8, 0, 0x45, 0, 0, 64, 0, 1, 0, 0, 64, 4, 0xf6, 0xb5, HOSTS } },
    { 42, 42, RAW, /* MPLS in GRE: a label is no frame */
      { MACS, 8, 0, 0x45, 0, 0, 72, 0, 1, 0, 0, 64, 47, 0xf6, 0x82, HOSTS, 0, 0, 0x88, 0x47,
        0, 1, 0x11, 64 } },
};
/* clang-format on */

/* The UDP header of the datagram says 65515 bytes. */
static void
what_no_header_around_can_hold_is_shown_alone(void **state)
{
    static uint8_t room[64 + 65535];

    (void)state;
    for (size_t i = 0; i < sizeof(too_small) / sizeof(too_small[0]); i++) {
        const struct too_small *t = &too_small[i];
        uint8_t *ip = room + t->n;
        struct weir_packet pkt;
        struct decode_fault fault;

        memset(room, 0, sizeof(room));
        memcpy(room, t->b, t->n);
        memcpy(ip, datagram, sizeof(datagram));
        ip[2] = ip[3] = ip[24] = 0xff;
        ip[25] = 0xeb;
        assert_int_equal(run_mend(ETHERNET, room, t->n + 65535U, t->n + 65535U, t->n, &pkt, &fault),
                         DECODE_FLOW);
        assert_ptr_equal(pkt.frame, room + t->alone);
        assert_int_equal(pkt.caplen, t->n - t->alone + 65535);
        assert_int_equal(pkt.wirelen, pkt.caplen);
        assert_int_equal(pkt.link, t->link);
        assert_ptr_equal(pkt.ip, ip);
        assert_int_equal(pkt.payload_wire, 65507);
        assert_int_equal(pkt.tunnel, 1);
    }
}

/* In VXLAN a port alone speaks for the tunnel: the packet is then the one around it. */
static void
a_malformed_packet_in_udp_is_payload(void **state)
{
    static uint8_t room[64 + 65535];
    const struct too_small *t = &too_small[1];
    struct weir_packet pkt;
    struct decode_fault fault;

    (void)state;
    memcpy(room, t->b, t->n);
    memcpy(room + t->n, datagram, sizeof(datagram));
    room[t->n + 2] = room[t->n + 3] = 0xff;
    room[t->n + 25] = 7; /* less than a UDP header */
    assert_int_equal(run_mend(ETHERNET, room, sizeof(room), sizeof(room), t->n, &pkt, &fault),
                     DECODE_FLOW);
    assert_ptr_equal(pkt.frame, room);
    assert_ptr_equal(pkt.ip, room + 14);
    assert_int_equal(pkt.dst_port, 4789);
    assert_int_equal(pkt.tunnel, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_around_get_the_lengths_of_the_whole),
        cmocka_unit_test(the_mended_frame_is_a_good_frame),
        cmocka_unit_test(every_prefix_is_safe),
        cmocka_unit_test(what_no_header_around_can_hold_is_shown_alone),
        cmocka_unit_test(a_malformed_packet_in_udp_is_payload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
