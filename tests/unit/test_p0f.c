/*
 * Fingerprints of TCP stacks in p0f's form: packets as text, signatures, what fits and nearly fits.
 */
#include "decode.h"
#include "p0f.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 160 };

/* A packet as bytes, from the IP header on, which tests change before it is read. */
struct bytes {
    uint8_t at[ROOM];
    size_t n, tcp; /* tcp: where its header begins */
};

static const uint8_t usual[20] = "\2\4\5\xb4\4\2\x08\x0a\0\x10\0\0\0\0\0\0\1\3\3\7";

/* IPv4 with DF and an id, TCP from port 40000 to 80, seq 1000, window 29200 = 20 * 1460. */
static struct bytes
ip4(uint8_t flags, const void *options, uint8_t n)
{
    struct bytes b = { .n = 40U + n, .tcp = 20 };

    memcpy(b.at, "\x45\0\0\0\0\1\x40\0\x40\6\0\0\x0a\0\0\1\x0a\0\0\2", 20);
    b.at[3] = (uint8_t)b.n;
    memcpy(b.at + 20, "\x9c\x40\0\x50\0\0\3\xe8\0\0\0\0\0\0\x72\x10\0\0\0\0", 20);
    b.at[20 + 11] = flags & WEIR_TH_ACK ? 1 : 0;
    b.at[20 + 12] = (uint8_t)((20 + n) / 4 << 4);
    b.at[20 + 13] = flags;
    memcpy(b.at + 40, options, n);
    return b;
}

/* The same over IPv6, 2001:db8::1 to ::2. */
static struct bytes
ip6(uint8_t flags, const void *options, uint8_t n)
{
    struct bytes four = ip4(flags, options, n), b = { .n = four.n + 20, .tcp = 40 };

    memcpy(b.at, "\x60\0\0\0\0\0\6\x40\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 24);
    memcpy(b.at + 24, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2", 16);
    b.at[5] = (uint8_t)(20 + n);
    memcpy(b.at + 40, four.at + 20, four.n - 20);
    return b;
}

static struct p0f_print
taken(const struct bytes *b)
{
    struct weir_frame frame = {
        .data = b->at, .caplen = (uint32_t)b->n, .wirelen = (uint32_t)b->n, .link = 101
    };
    struct decode_fault fault;
    struct p0f_print print;
    struct weir_packet pkt;

    assert_int_equal(decode(&frame, &pkt, &fault), DECODE_FLOW);
    p0f_take(&pkt, &print);
    return print;
}

static void
is_text(const struct bytes *b, const char *expected)
{
    struct p0f_print print = taken(b);
    char text[P0F_TEXT_MAX];

    p0f_text(&print, text);
    assert_string_equal(text, expected);
}

static void
packets_have_a_text(void **state)
{
    static const uint8_t mac[24] = "\2\4\5\xb4\1\3\3\6\1\1\x08\x0a\0\0\0\1\0\0\0\0\4\2\0\0";
    struct bytes b = ip4(WEIR_TH_SYN, usual, 20);

    (void)state;
    is_text(&b, "4:64+0:0:1460:mss*20,7:mss,sok,ts,nop,ws:df,id+:0");
    b = ip6(WEIR_TH_SYN, usual, 20);
    is_text(&b, "6:64+0:0:1460:mss*20,7:mss,sok,ts,nop,ws::0");
    b = ip4(WEIR_TH_SYN | WEIR_TH_ACK, usual, 20);
    b.at[5] = 0;
    is_text(&b, "4:64+0:0:1460:mss*20,7:mss,sok,ts,nop,ws:df:0");
    b = ip6(WEIR_TH_SYN | WEIR_TH_ACK, mac, 24);
    b.at[b.tcp + 14] = b.at[b.tcp + 15] = 0xff;
    is_text(&b, "6:64+0:0:1460:65535,6:mss,nop,ws,nop,nop,ts,sok,eol+1::0");
    b = ip4(WEIR_TH_SYN, "", 0);
    b.at[8] = 117;
    is_text(&b, "4:128+11:0:0:29200,0::df,id+:0");
    b.at[8] = 0;
    is_text(&b, "4:32+32:0:0:29200,0::df,id+:0");
    b.at[8] = 255;
    is_text(&b, "4:255+0:0:0:29200,0::df,id+:0");
}

/* Set the window, and see how it is shown; mss 0: no option. */
static void
is_window(bool six, uint16_t mss, bool time, uint16_t window, const char *expected)
{
    uint8_t options[16] = "\2\4\0\0\x08\x0a\0\0\0\1\0\0\0\0\1\1";
    struct bytes b;
    struct p0f_print print;
    char text[P0F_TEXT_MAX], *shown;

    options[2] = (uint8_t)(mss >> 8);
    options[3] = (uint8_t)mss;
    b = six ? ip6(WEIR_TH_SYN, options, time ? 16 : 4) : ip4(WEIR_TH_SYN, options, time ? 16 : 4);
    b.at[b.tcp + 14] = (uint8_t)(window >> 8);
    b.at[b.tcp + 15] = (uint8_t)window;
    print = taken(&b);
    p0f_text(&print, text);
    shown = text;
    for (int i = 0; i < 4; i++)
        shown = strchr(shown, ':') + 1;
    shown[strcspn(shown, ":")] = '\0';
    assert_string_equal(shown, expected);
}

static void
windows_are_multiples(void **state)
{
    (void)state;
    is_window(false, 1460, false, 1460, "mss*1,0");
    is_window(false, 1460, false, 64240, "mss*44,0");
    is_window(false, 1460, false, 64241, "64241,0");
    is_window(false, 1460, true, 10 * 1448, "mss*10,0"); /* a segment less its timestamp */
    is_window(false, 1460, false, 10 * 1448, "14480,0");
    is_window(false, 1460, false, 3 * 1500, "mtu*3,0");
    is_window(true, 1440, false, 3 * 1500, "mtu*3,0");
    is_window(true, 1440, false, 3 * 1480, "4440,0");
    is_window(false, 1460, false, 0, "0,0");
    is_window(false, 99, false, 990, "990,0"); /* too small to mean anything */
    is_window(false, 100, false, 1000, "mss*10,0");
    is_window(false, 65535, false, 65535, "mss*1,0");
    is_window(false, 0, false, 65535, "65535,0");
}

/* The quirks of a packet, as text. */
static void
has_quirks(const struct bytes *b, const char *expected)
{
    struct p0f_print print = taken(b);
    char text[P0F_TEXT_MAX], *shown;

    p0f_text(&print, text);
    shown = text;
    for (int i = 0; i < 6; i++)
        shown = strchr(shown, ':') + 1;
    shown[strcspn(shown, ":")] = '\0';
    assert_string_equal(shown, expected);
}

/* One byte of the usual SYN, or SYN/ACK, over IPv4 is another. */
static void
byte_makes(uint8_t flags, size_t at, uint8_t value, const char *expected)
{
    struct bytes b = ip4(flags, usual, 20);

    b.at[at] = value;
    has_quirks(&b, expected);
}

static void
every_quirk_is_seen(void **state)
{
    const uint8_t syn = WEIR_TH_SYN, answer = WEIR_TH_SYN | WEIR_TH_ACK;
    struct bytes b;

    (void)state;
    byte_makes(syn, 6, 0, "");
    byte_makes(syn, 5, 0, "df");
    b = ip4(syn, usual, 20);
    b.at[5] = b.at[6] = 0;
    has_quirks(&b, "id-");
    byte_makes(syn, 1, 1, "df,id+,ecn");
    byte_makes(syn, 1, 0xfc, "df,id+"); /* of the class, not of congestion */
    byte_makes(syn | WEIR_TH_ECE, 0, 0x45, "df,id+,ecn");
    byte_makes(syn | WEIR_TH_CWR, 0, 0x45, "df,id+,ecn");
    byte_makes(syn, 6, 0xc0, "df,id+,0+");
    byte_makes(syn, 20 + 12, 0xa2, "df,id+,0+");
    byte_makes(syn, 20 + 12, 0xa1, "df,id+"); /* once a nonce, now accurate ECN */
    byte_makes(syn, 20 + 7, 1, "df,id+");
    b = ip4(syn, usual, 20);
    memset(b.at + 24, 0, 4);
    has_quirks(&b, "df,id+,seq-");
    byte_makes(syn, 20 + 11, 1, "df,id+,ack+");
    byte_makes(answer, 20 + 11, 0, "df,id+,ack-");
    byte_makes(syn, 20 + 19, 1, "df,id+,uptr+");
    byte_makes(syn | WEIR_TH_URG, 20 + 19, 1, "df,id+,urgf+");
    byte_makes(syn | WEIR_TH_PUSH, 0, 0x45, "df,id+,pushf+");
    byte_makes(syn, 40 + 9, 0, "df,id+,ts1-");
    byte_makes(syn, 40 + 15, 1, "df,id+,ts2+");
    byte_makes(answer, 40 + 15, 1, "df,id+");
    byte_makes(syn, 40 + 19, 14, "df,id+");
    byte_makes(syn, 40 + 19, 15, "df,id+,exws");
    byte_makes(syn, 40 + 16, 0, "df,id+,opt+"); /* the end, with a scale behind it */
    byte_makes(syn, 40 + 18, 4, "df,id+,bad");  /* one byte more than there is */
    byte_makes(syn, 40 + 5, 0, "df,id+,bad");
    byte_makes(syn, 40 + 1, 6, "df,id+,bad"); /* the wrong length for an MSS */
}

static void
ip6_has_quirks_of_its_own(void **state)
{
    struct bytes b = ip6(WEIR_TH_SYN, usual, 20);

    (void)state;
    b.at[3] = 1;
    has_quirks(&b, "flow");
    b = ip6(WEIR_TH_SYN, usual, 20);
    b.at[1] = 0x10; /* the lowest bits of the class */
    has_quirks(&b, "ecn");
    b.at[1] = 0x40; /* the next above */
    has_quirks(&b, "");
    b.at[1] = 0x0f;
    has_quirks(&b, "flow");
}

static void
options_are_laid_out(void **state)
{
    struct bytes b = ip4(WEIR_TH_SYN, "\x22\2\xfe\4\xf9\x89\1\1\4\2\0\0", 12);
    uint8_t nops[40];

    (void)state;
    is_text(&b, "4:64+0:0:0:29200,0:?34,?254,nop,nop,sok,eol+1:df,id+:0");
    b = ip4(WEIR_TH_SYN, "\5\x0a\0\0\0\1\0\0\0\2\0\0", 12);
    is_text(&b, "4:64+0:0:0:29200,0:sack,eol+1:df,id+:0");
    memset(nops, 1, sizeof(nops));
    b = ip4(WEIR_TH_SYN, nops, sizeof(nops)); /* no more than there is room for */
    assert_int_equal(taken(&b).n_options, P0F_OPTIONS_MAX);
}

static void
ip_options_and_data_count(void **state)
{
    struct bytes b = ip4(WEIR_TH_SYN, usual, 20);

    (void)state;
    memmove(b.at + 24, b.at + 20, b.n - 20);
    memcpy(b.at + 20, "\1\1\1\0", 4);
    b.at[0] = 0x46;
    memcpy(b.at + b.n + 4, "hello", 5);
    b.n += 9;
    b.at[3] = (uint8_t)b.n;
    is_text(&b, "4:64+0:4:1460:mss*20,7:mss,sok,ts,nop,ws:df,id+:+");
}

/* Options that end anywhere: nothing behind them is read (ASan sees), and all have a text. */
static void
every_prefix_of_options_is_safe(void **state)
{
    static const uint8_t whole[40] =
        "\2\4\5\xb4\3\3\7\4\2\5\x0a\0\0\0\1\0\0\0\2\x08\x0a\0\0\0\1\0\0"
        "\0\2\xfe\4\1\2\1\0\1\2\3\4\5";

    (void)state;
    for (uint8_t n = 0; n <= 40; n++) {
        uint8_t *exact = malloc(n > 0 ? n : 1);
        struct bytes b = ip4(WEIR_TH_SYN, "", 0);
        struct weir_packet pkt = { .ip_version = 4,
                                   .ip = b.at,
                                   .l4 = b.at + 20,
                                   .tcp_options = exact,
                                   .n_tcp_options = n,
                                   .tcp_flags = WEIR_TH_SYN };
        struct p0f_print print;
        char text[P0F_TEXT_MAX];

        assert_non_null(exact);
        memcpy(exact, whole, n);
        p0f_take(&pkt, &print);
        p0f_text(&print, text);
        assert_int_equal(strspn(text, "4:"), 2);
        free(exact);
    }
}

/* All that a text can hold is less than its room. */
static void
the_longest_text_has_room(void **state)
{
    struct p0f_print print = { .version = 4,
                               .ttl = 129,
                               .olen = 255,
                               .scale = 255,
                               .mss = 65535,
                               .window = 65534,
                               .n_options = P0F_OPTIONS_MAX,
                               .padding = 40,
                               .has_scale = true,
                               .quirks = 0x1ffff };
    char text[P0F_TEXT_MAX];

    (void)state;
    memset(print.option, 255, sizeof(print.option));
    p0f_text(&print, text);
    assert_string_equal(text + strlen(text) - 14, "pt+,exws,bad:0");
}

/* ---- signatures ---------------------------------------------------------------------------- */

static struct p0f_list *
parsed(const char *text)
{
    struct weir_errbuf err = { "" };
    struct p0f_list *list;

    if (p0f_list_parse(strdup(text), "x.fp", &list, &err) != WEIR_E_OK)
        fail_msg("%s", err.text);
    return list;
}

static void
is_wrong(const char *text, const char *expected)
{
    struct weir_errbuf err = { "" };
    struct p0f_list *list;

    assert_int_equal(p0f_list_parse(strdup(text), "x.fp", &list, &err), WEIR_E_SYNTAX);
    assert_null(list);
    assert_string_equal(err.text, expected);
}

#define HEAD "[tcp:request]\nlabel = s:unix:Linux:new\nsig = "

static void
errors_say_where_and_what(void **state)
{
    (void)state;
    is_wrong("; a comment\n\nsig = x\n", "x.fp:3: [tcp:request] or [tcp:response] is expected");
    is_wrong("[tcp:request\n", "x.fp:1: [tcp:request] or [tcp:response] is expected");
    is_wrong("[tcp:request]\nsig = *", "x.fp:2: a label before its signatures is expected");
    is_wrong("[tcp:request]\nwhat = *", "x.fp:2: label = ..., or sig = ... is expected");
    is_wrong("[tcp:request]\nlabel = t:unix:Linux:",
             "x.fp:2: s:class:name:flavor, or g:... is expected");
    is_wrong("[tcp:request]\nlabel = s:unix", "x.fp:2: s:class:name:flavor, or g:... is expected");
    is_wrong(HEAD "4:64:0:*:*,*:mss:df",
             "x.fp:3: version:ittl:olen:mss:wsize,scale:olayout:quirks:pclass is expected");
    is_wrong(HEAD "5:64:0:*:*,*:mss:df:0", "x.fp:3: a version (4, 6 or *) is expected");
    is_wrong(HEAD "4:0:0:*:*,*:mss:df:0", "x.fp:3: an initial TTL (64, or 64-) is expected");
    is_wrong(HEAD "4:256:0:*:*,*:mss:df:0", "x.fp:3: an initial TTL (64, or 64-) is expected");
    is_wrong(HEAD "4::0:*:*,*:mss:df:0", "x.fp:3: an initial TTL (64, or 64-) is expected");
    is_wrong(HEAD "4:64:-1:*:*,*:mss:df:0", "x.fp:3: the length of IP options is expected");
    is_wrong(HEAD "4:64:0:65536:*,*:mss:df:0", "x.fp:3: an MSS, or * is expected");
    is_wrong(HEAD "4:64:0:*:mss*0,1:mss:df:0",
             "x.fp:3: a window (N, mss*N, mtu*N, %N or *), a comma, and a scale is expected");
    is_wrong(HEAD "4:64:0:*:%0,1:mss:df:0",
             "x.fp:3: a window (N, mss*N, mtu*N, %N or *), a comma, and a scale is expected");
    is_wrong(HEAD "4:64:0:*:8192:mss:df:0",
             "x.fp:3: a window (N, mss*N, mtu*N, %N or *), a comma, and a scale is expected");
    is_wrong(HEAD "4:64:0:*:*,256:mss:df:0",
             "x.fp:3: a window (N, mss*N, mtu*N, %N or *), a comma, and a scale is expected");
    is_wrong(HEAD "4:64:0:*:*,*:mss,eol:df:0",
             "x.fp:3: options (mss, sok, ts, nop, ws, sack, eol+N, ?N) is expected");
    is_wrong(HEAD "4:64:0:*:*,*:mss,,nop:df:0",
             "x.fp:3: options (mss, sok, ts, nop, ws, sack, eol+N, ?N) is expected");
    is_wrong(HEAD "4:64:0:*:*,*:mss,:df:0",
             "x.fp:3: options (mss, sok, ts, nop, ws, sack, eol+N, ?N) is expected");
    is_wrong(HEAD "4:64:0:*:*,*:mss:df,di:0",
             "x.fp:3: quirks (df, id+, id-, ecn, ...) is expected");
    is_wrong(HEAD "4:64:0:*:*,*:mss:df:1", "x.fp:3: a payload class (0, + or *) is expected");
}

/* What p0f's own file has beside signatures of TCP is passed over. */
static void
other_sections_are_passed_over(void **state)
{
    struct p0f_list *list = parsed("classes = win,unix,other\n[mtu]\nlabel = Ethernet\nsig = 1500\n"
                                   "[tcp:request]\r\n  label=s:!:Tool:\r\n  sys = @unix,@win\n"
                                   "\tsig\t=\t*:64-:0:*:*,*:mss,sok:df:*  \r\n"
                                   "[http:request]\nlabel = s:!:x:\nsig = 1:Host::\n");

    (void)state;
    assert_int_equal(p0f_list_size(list), 1);
    p0f_list_free(list);
    list = parsed("");
    assert_int_equal(p0f_list_size(list), 0);
    p0f_list_free(list);
    p0f_list_free(NULL);
}

static void
a_file_that_is_not_there_is_an_error(void **state)
{
    struct weir_errbuf err = { "" };
    struct p0f_list *list;

    (void)state;
    assert_int_not_equal(p0f_list_load("/nowhere/x.fp", &list, &err), WEIR_E_OK);
    assert_null(list);
    assert_non_null(strstr(err.text, "/nowhere/x.fp"));
}

enum found { NO, YES, NEAR };

static enum found
find(const char *signature, const struct bytes *b)
{
    char text[400];
    struct p0f_list *list;
    struct p0f_print print = taken(b);
    bool fuzzy, response = b->at[b->tcp + 13] & WEIR_TH_ACK;
    const struct p0f_label *label;

    snprintf(text, sizeof(text), "[tcp:%s]\nlabel = s:unix:X:y\nsig = %s\n",
             response ? "response" : "request", signature);
    list = parsed(text);
    label = p0f_match(list, &print, response, &fuzzy);
    if (label == NULL)
        assert_false(fuzzy);
    p0f_list_free(list);
    return label == NULL ? NO : fuzzy ? NEAR : YES;
}

/* A field of the usual SYN's signature is another. */
static enum found
with(unsigned field, const char *value)
{
    const char *fields[8] = {
        "4", "64", "0", "1460", "mss*20,7", "mss,sok,ts,nop,ws", "df,id+", "0"
    };
    struct bytes b = ip4(WEIR_TH_SYN, usual, 20);
    char text[200] = "";

    fields[field] = value;
    for (unsigned i = 0; i < 8; i++) {
        strcat(text, fields[i]);
        strcat(text, i < 7 ? ":" : "");
    }
    return find(text, &b);
}

static void
every_field_counts(void **state)
{
    static const struct {
        unsigned field;
        const char *value;
        enum found found;
    } cases[] = {
        { 0, "4", YES },
        { 0, "*", YES },
        { 0, "6", NO },
        { 1, "64-", YES },
        { 1, "63-", NO },
        { 1, "99", YES },
        { 1, "100", NEAR },
        { 1, "63", NEAR },
        { 1, "255-", YES },
        { 2, "4", NO },
        { 3, "*", YES },
        { 3, "1461", NO },
        { 4, "*,7", YES },
        { 4, "*,*", YES },
        { 4, "mss*20,*", YES },
        { 4, "mss*21,7", NO },
        { 4, "mss*20,8", NO },
        { 4, "29200,7", YES },
        { 4, "29201,7", NO },
        { 4, "%1460,7", YES },
        { 4, "%1461,7", NO },
        { 4, "mtu*20,7", NO },
        { 5, "mss,sok,ts,ws", NO },
        { 5, "mss,sok,ts,nop,ws,nop", NO },
        { 5, "?2,sok,ts,?1,ws", YES },
        { 5, "mss,sok,ts,nop,?5", NO },
        { 5, "", NO },
        { 6, "id+,df", YES },
        { 6, "df", NO },
        { 6, "", NO },
        { 6, "df,id+,ecn", NO },
        { 7, "+", NO },
        { 7, "*", YES },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (with(cases[i].field, cases[i].value) != cases[i].found)
            fail_msg("field %u, '%s'", cases[i].field, cases[i].value);
}

#define USUAL "*:64:0:*:mss*20,7:mss,sok,ts,nop,ws:df,id+:0"

/* Routers and firewalls clear DF with the id, or mark congestion; nothing else may differ. */
static void
what_is_changed_on_the_way_nearly_fits(void **state)
{
    struct bytes b = ip4(WEIR_TH_SYN, usual, 20);

    (void)state;
    assert_int_equal(find(USUAL, &b), YES);
    b.at[6] = 0;
    assert_int_equal(find(USUAL, &b), NEAR);
    b.at[5] = 0; /* and id- comes */
    assert_int_equal(find(USUAL, &b), NEAR);
    b = ip4(WEIR_TH_SYN | WEIR_TH_ECE, usual, 20);
    assert_int_equal(find(USUAL, &b), NEAR);
    b = ip4(WEIR_TH_SYN, usual, 20);
    b.at[8] = 28; /* 36 hops */
    assert_int_equal(find(USUAL, &b), NEAR);
    b.at[8] = 29;
    assert_int_equal(find(USUAL, &b), YES);
    b.at[20 + 19] = 1; /* uptr+ */
    assert_int_equal(find(USUAL, &b), NO);
}

/* A signature of any version does not ask IPv6 for what only IPv4 has, and the other way round. */
static void
one_signature_is_for_both_versions(void **state)
{
    struct bytes b = ip6(WEIR_TH_SYN, usual, 20);

    (void)state;
    assert_int_equal(find(USUAL, &b), YES);
    assert_int_equal(find("*:64:0:*:mss*20,7:mss,sok,ts,nop,ws:df,id+,flow:0", &b), NO);
    b.at[3] = 1;
    assert_int_equal(find("*:64:0:*:mss*20,7:mss,sok,ts,nop,ws:df,id+,flow:0", &b), YES);
    b = ip4(WEIR_TH_SYN, usual, 20);
    assert_int_equal(find("*:64:0:*:mss*20,7:mss,sok,ts,nop,ws:df,id+,flow:0", &b), YES);
}

static const char *
name_of(const struct p0f_list *list, const struct bytes *b, bool response)
{
    struct p0f_print print = taken(b);
    bool fuzzy;
    const struct p0f_label *label = p0f_match(list, &print, response, &fuzzy);

    return label == NULL ? "" : label->flavor;
}

/* Specific before generic, generic before what nearly fits; the first of each. */
static void
the_best_label_wins(void **state)
{
    struct p0f_list *list = parsed(
        "[tcp:request]\n"
        "label = g:unix:Linux:any\nsig = *:64:0:*:*,*:mss,sok,ts,nop,ws:df,id+:0\n"
        "label = s:unix:Linux:near\nsig = *:64:0:*:mss*20,7:mss,sok,ts,nop,ws:df:0\n"
        "label = s:unix:Linux:one\nsig = " USUAL "\n"
        "label = s:unix:Linux:two\nsig = " USUAL "\n"
        "[tcp:response]\nlabel = s:unix:Linux:answer\nsig = " USUAL "\n");
    struct bytes b = ip4(WEIR_TH_SYN, usual, 20);

    (void)state;
    assert_string_equal(name_of(list, &b, false), "one");
    assert_string_equal(name_of(list, &b, true), "answer");
    b.at[b.tcp + 15]++; /* the window is nobody's */
    assert_string_equal(name_of(list, &b, false), "any");
    assert_string_equal(name_of(list, &b, true), "");
    b = ip4(WEIR_TH_SYN, usual, 20);
    b.at[6] = 0;
    b.at[5] = 0;
    assert_string_equal(name_of(list, &b, false), "any"); /* nearly, both: the first */
    p0f_list_free(list);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_have_a_text),
        cmocka_unit_test(windows_are_multiples),
        cmocka_unit_test(every_quirk_is_seen),
        cmocka_unit_test(ip6_has_quirks_of_its_own),
        cmocka_unit_test(options_are_laid_out),
        cmocka_unit_test(ip_options_and_data_count),
        cmocka_unit_test(every_prefix_of_options_is_safe),
        cmocka_unit_test(the_longest_text_has_room),
        cmocka_unit_test(errors_say_where_and_what),
        cmocka_unit_test(other_sections_are_passed_over),
        cmocka_unit_test(a_file_that_is_not_there_is_an_error),
        cmocka_unit_test(every_field_counts),
        cmocka_unit_test(what_is_changed_on_the_way_nearly_fits),
        cmocka_unit_test(one_signature_is_for_both_versions),
        cmocka_unit_test(the_best_label_wins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
