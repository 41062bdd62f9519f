#include "decode_help.h"

enum { PPP = 9, PPP_HDLC = 50, PPP_ETHER = 51, CISCO_HDLC = 104, WIFI = 105, RADIOTAP = 127 };

/* A header before tcp4 or tcp6, and every cut of it. */
static void
check_header(uint16_t link, const uint8_t *header, size_t n, unsigned version)
{
    struct bytes frame = { 0 };

    assert_header(link, header, n, version);
    add(&frame, header, n);
    if (version == 4)
        ADD(&frame, tcp4);
    else
        ADD(&frame, tcp6);
    check_snapped(link, &frame, (uint32_t)n + (version == 4 ? 40 : 60));
}

#define CHECK_HEADER(link, version, ...)                                                           \
    check_header(link, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }), \
                 version)

/* A header before tcp4. */
static struct bytes
before4(const uint8_t *header, size_t n)
{
    struct bytes frame = { 0 };

    add(&frame, header, n);
    ADD(&frame, tcp4);
    return frame;
}

#define BEFORE4(...)                                                                               \
    before4((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* An Ethernet frame of a type. */
#define MACS 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1

/* ---- PPP ------------------------------------------------------------------------------------- */

static void
ppp_comes_with_and_without_its_optional_bytes(void **state)
{
    (void)state;
    CHECK_HEADER(PPP, 4, 0x00, 0x21);
    CHECK_HEADER(PPP, 6, 0x00, 0x57);
    CHECK_HEADER(PPP, 4, 0x21); /* compressed protocol field */
    CHECK_HEADER(PPP, 4, 0xff, 0x03, 0x00, 0x21);
    CHECK_HEADER(PPP, 6, 0xff, 0x03, 0x57);
    CHECK_HEADER(PPP_HDLC, 4, 0xff, 0x03, 0x00, 0x21);
    CHECK_HEADER(PPP, 4, 0x02, 0x81, 0x00, 0x01, 0x01, 0x40); /* MPLS */
}

static void
other_ppp_is_no_flow(void **state)
{
    struct bytes lcp = BEFORE4(0xff, 0x03, 0xc0, 0x21), control = BEFORE4(0xff, 0x04, 0x00, 0x21);
    struct bytes nothing = { 0 };

    (void)state;
    assert_result(PPP, &lcp, DECODE_NO_FLOW);
    assert_result(PPP, &control, DECODE_NO_FLOW);
    assert_bad(PPP, &nothing, WEIR_LAYER_PPP, WEIR_BAD_TOO_SHORT);
    assert_bad(PPP_HDLC, &nothing, WEIR_LAYER_LINK, WEIR_BAD_TOO_SHORT);
}

static void
cisco_hdlc_has_an_ethertype(void **state)
{
    struct bytes slarp = BEFORE4(0x8f, 0, 0x80, 0x35), low = BEFORE4(0x0f, 0, 0x00, 0x21);

    (void)state;
    CHECK_HEADER(PPP_HDLC, 4, 0x0f, 0, 0x08, 0x00);
    CHECK_HEADER(CISCO_HDLC, 6, 0x8f, 0, 0x86, 0xdd);
    assert_result(CISCO_HDLC, &slarp, DECODE_NO_FLOW);
    assert_result(CISCO_HDLC, &low, DECODE_NO_FLOW);
}

#define PPPOE(length, ...) 0x11, 0x00, 0x12, 0x34, 0, length, __VA_ARGS__

static void
pppoe_sessions_are_opened(void **state)
{
    (void)state;
    CHECK_HEADER(ETHERNET, 4, MACS, 0x88, 0x64, PPPOE(sizeof(tcp4) + 2, 0x00, 0x21));
    CHECK_HEADER(ETHERNET, 6, MACS, 0x88, 0x64, PPPOE(sizeof(tcp6) + 2, 0x00, 0x57));
    CHECK_HEADER(PPP_ETHER, 4, PPPOE(sizeof(tcp4) + 2, 0x00, 0x21));
    CHECK_HEADER(ETHERNET, 4, MACS, 0x81, 0, 0, 5, 0x88, 0x64,
                 PPPOE(sizeof(tcp4) + 2, 0x00, 0x21)); /* in a VLAN */
}

static void
pppoe_lies_are_told(void **state)
{
    struct bytes frame = BEFORE4(PPPOE(sizeof(tcp4) + 2, 0x00, 0x21));

    (void)state;
    frame.b[5]++;
    assert_bad(PPP_ETHER, &frame, WEIR_LAYER_PPP, WEIR_BAD_LENGTH);
    frame.b[5] -= 2; /* the IP packet does not fit */
    assert_bad(PPP_ETHER, &frame, WEIR_LAYER_IPV4, WEIR_BAD_LENGTH);
    frame.b[5]++;
    frame.b[0] = 0x12;
    assert_bad(PPP_ETHER, &frame, WEIR_LAYER_PPP, WEIR_BAD_VERSION);
    frame.b[0] = 0x11;
    frame.b[1] = 0x09; /* discovery */
    assert_result(PPP_ETHER, &frame, DECODE_NO_FLOW);
    frame.b[1] = 0;
    frame.b[5] = 0;
    assert_bad(PPP_ETHER, &frame, WEIR_LAYER_PPP, WEIR_BAD_TOO_SHORT);
}

/* ---- MPLS ------------------------------------------------------------------------------------ */

#define LABEL  0x00, 0x06, 0x40, 0x40 /* not the last */
#define BOTTOM 0x00, 0x06, 0x51, 0x40

static void
an_mpls_stack_is_passed_to_its_bottom(void **state)
{
    (void)state;
    CHECK_HEADER(ETHERNET, 4, MACS, 0x88, 0x47, BOTTOM);
    CHECK_HEADER(ETHERNET, 6, MACS, 0x88, 0x48, BOTTOM);
    CHECK_HEADER(ETHERNET, 4, MACS, 0x88, 0x47, LABEL, LABEL, LABEL, BOTTOM);
    CHECK_HEADER(ETHERNET, 6, MACS, 0x81, 0, 0, 5, 0x88, 0x47, LABEL, BOTTOM);
}

static void
an_mpls_stack_without_end_is_too_many_layers(void **state)
{
    struct bytes frame = { 14, { [12] = 0x88, 0x47 } };

    (void)state;
    for (int i = 0; i < 15; i++)
        ADD_BYTES(&frame, LABEL);
    assert_bad(ETHERNET, &frame, WEIR_LAYER_MPLS, WEIR_BAD_TOO_SHORT);
    ADD_BYTES(&frame, LABEL);
    assert_bad(ETHERNET, &frame, WEIR_LAYER_MPLS, WEIR_BAD_LAYERS);
    frame.b[14 + 15 * 4 + 2] |= 1;
    ADD(&frame, tcp4);
    assert_tcp(ETHERNET, &frame, 4, 5);
}

static void
a_pseudowire_comes_with_and_without_a_control_word(void **state)
{
    (void)state;
    CHECK_HEADER(ETHERNET, 4, MACS, 0x88, 0x47, BOTTOM, MACS, 0x08, 0x00);
    CHECK_HEADER(ETHERNET, 4, MACS, 0x88, 0x47, LABEL, BOTTOM, 0, 0, 0, 9, MACS, 0x08, 0x00);
    CHECK_HEADER(ETHERNET, 6, MACS, 0x88, 0x47, BOTTOM, 0, 0, 0, 0, MACS, 0x86, 0xdd);
    CHECK_HEADER(ETHERNET, 4, MACS, 0x88, 0x47, BOTTOM, 0xb2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08,
                 0x00);
}

/* Both readings, or none, make a frame of it. */
static void
an_ambiguous_pseudowire_is_no_flow(void **state)
{
    struct bytes both = BEFORE4(MACS, 0x88, 0x47, BOTTOM, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 2, 0, 0x08,
                                0x00, 0, 1, 0x08, 0x00);
    struct bytes none = BEFORE4(MACS, 0x88, 0x47, BOTTOM, MACS, 0x12, 0x34);
    struct bytes nothing = { 18, { [12] = 0x88, 0x47, 0, 0, 1, 64 } };
    struct bytes channel = { 26, { [12] = 0x88, 0x47, 0, 0, 1, 64, 0x10, 0, 0, 7 } };

    (void)state;
    assert_result(ETHERNET, &both, DECODE_NO_FLOW);
    assert_result(ETHERNET, &none, DECODE_NO_FLOW);
    assert_result(ETHERNET, &nothing, DECODE_NO_FLOW);
    assert_result(ETHERNET, &channel, DECODE_NO_FLOW);
}

static void
vlan_ids_are_those_of_the_frame_inside_if_it_has_any(void **state)
{
    static const uint8_t plain[] = { MACS, 0x08, 0x00 };
    static const uint8_t tagged[] = { MACS, 0x81, 0x00, 0, 30, 0x08, 0x00 };

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct bytes frame = { 12, { 0 } };
        struct got g;

        ADD_BYTES(&frame, 0x88, 0xa8, 0, 10, 0x81, 0x00, 0, 20, 0x88, 0x47, BOTTOM);
        add(&frame, i == 0 ? plain : tagged, i == 0 ? sizeof(plain) : sizeof(tagged));
        ADD(&frame, tcp4);
        assert_tcp(ETHERNET, &frame, 4, 5);
        g = run_whole(ETHERNET, &frame);
        assert_int_equal(g.pkt.n_vlan, i == 0 ? 2 : 1);
        assert_int_equal(g.pkt.vlan[0], i == 0 ? 10 : 30);
        assert_int_equal(g.pkt.vlan[1], i == 0 ? 20 : 0);
        assert_int_equal(g.pkt.tunnel, 0);
        done(&g);
    }
}

/* ---- IEEE 802.11 ----------------------------------------------------------------------------- */

#define AP  2, 0, 0, 0, 0, 9
#define LLC 0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00

static void
wifi_data_frames_are_opened(void **state)
{
    (void)state;
    CHECK_HEADER(WIFI, 4, 0x08, 0x01, 0, 0, AP, MACS, 0x10, 0, LLC);       /* to the AP */
    CHECK_HEADER(WIFI, 4, 0x08, 0x0a, 0, 0, AP, MACS, 0x10, 0, LLC);       /* again, from it */
    CHECK_HEADER(WIFI, 4, 0x88, 0x01, 0, 0, AP, MACS, 0x10, 0, 7, 0, LLC); /* QoS */
    CHECK_HEADER(WIFI, 4, 0x88, 0x81, 0, 0, AP, MACS, 0, 0, 7, 0, 1, 2, 3, 4, LLC); /* HT control */
    CHECK_HEADER(WIFI, 4, 0x08, 0x03, 0, 0, AP, MACS, 0, 0, AP, LLC); /* 4 addresses */
    CHECK_HEADER(WIFI, 4, 0x88, 0x03, 0, 0, AP, MACS, 0, 0, AP, 0, 0, LLC);
}

static void
wifi_frames_that_cannot_be_read_are_no_flow(void **state)
{
    static const struct {
        uint8_t at, byte;
    } changes[] = {
        { 0, 0x80 },  /* a beacon */
        { 0, 0xc4 },  /* control */
        { 0, 0x48 },  /* without data */
        { 0, 0x89 },  /* another version */
        { 1, 0x41 },  /* encrypted */
        { 1, 0x05 },  /* more fragments */
        { 22, 0x01 }, /* a later fragment */
        { 24, 0x80 }, /* several frames in one */
        { 26, 0xab }, /* other LLC */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct bytes frame = BEFORE4(0x88, 0x01, 0, 0, AP, MACS, 0x10, 0, 7, 0, LLC);

        assert_tcp(WIFI, &frame, 4, 5);
        frame.b[changes[i].at] = changes[i].byte;
        assert_result(WIFI, &frame, DECODE_NO_FLOW);
    }
}

#define QOS 0x88, 0x01, 0, 0, AP, MACS, 0x10, 0, 7, 0

static void
radiotap_is_passed_and_says_whether_the_header_is_padded(void **state)
{
    (void)state;
    CHECK_HEADER(RADIOTAP, 4, 0, 0, 8, 0, 0, 0, 0, 0, QOS, LLC);
    CHECK_HEADER(RADIOTAP, 4, 0, 0, 9, 0, 2, 0, 0, 0, 0x10, QOS, LLC);
    CHECK_HEADER(RADIOTAP, 4, 0, 0, 9, 0, 2, 0, 0, 0, 0x20, QOS, 0, 0, LLC);
    CHECK_HEADER(RADIOTAP, 4, 0, 0, 17, 0, 3, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x20, QOS, 0, 0,
                 LLC); /* a clock before the flags */
    CHECK_HEADER(RADIOTAP, 4, 0, 0, 25, 0, 3, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6,
                 7, 8, 0x20, QOS, 0, 0, LLC); /* two masks, and the clock aligned */
}

static void
a_radiotap_header_that_lies_is_told(void **state)
{
    struct bytes frame = BEFORE4(0, 0, 8, 0, 0, 0, 0, 0, QOS, LLC);

    (void)state;
    frame.b[2] = 7;
    assert_bad(RADIOTAP, &frame, WEIR_LAYER_LINK, WEIR_BAD_HEADER_LENGTH);
    frame.b[2] = 255;
    assert_bad(RADIOTAP, &frame, WEIR_LAYER_LINK, WEIR_BAD_TOO_SHORT);
    frame.b[0] = 1;
    assert_bad(RADIOTAP, &frame, WEIR_LAYER_LINK, WEIR_BAD_VERSION);
    frame = BEFORE4(0, 0, 12, 0, 3, 0, 0, 0x80, 0xff, 0xff, 0xff, 0xff, QOS, LLC);
    assert_tcp(RADIOTAP, &frame, 4, 5); /* masks to its end, and no room for what they promise */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ppp_comes_with_and_without_its_optional_bytes),
        cmocka_unit_test(other_ppp_is_no_flow),
        cmocka_unit_test(cisco_hdlc_has_an_ethertype),
        cmocka_unit_test(pppoe_sessions_are_opened),
        cmocka_unit_test(pppoe_lies_are_told),
        cmocka_unit_test(an_mpls_stack_is_passed_to_its_bottom),
        cmocka_unit_test(an_mpls_stack_without_end_is_too_many_layers),
        cmocka_unit_test(a_pseudowire_comes_with_and_without_a_control_word),
        cmocka_unit_test(an_ambiguous_pseudowire_is_no_flow),
        cmocka_unit_test(vlan_ids_are_those_of_the_frame_inside_if_it_has_any),
        cmocka_unit_test(wifi_data_frames_are_opened),
        cmocka_unit_test(wifi_frames_that_cannot_be_read_are_no_flow),
        cmocka_unit_test(radiotap_is_passed_and_says_whether_the_header_is_padded),
        cmocka_unit_test(a_radiotap_header_that_lies_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
