/* Alert and flow records of eve.json and fast.log, to the byte. */
#include "detect/detect.h"
#include "out/alert.h"
#include "support/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROOMS = 16 };

struct fixture {
    struct rules rules;
    struct vars *vars;
    struct groups *groups;
    struct detect *detect;
    struct weir_monitor *m;
    struct weir_tap_spec spec;
    struct out eve, fast;
    char eve_path[32], fast_path[32];
    char said[1 << 16];
    unsigned n;
    uint8_t room[ROOMS][FRAME_ROOM];
};

static void
on_alert(void *ctx, const struct rule *rule, const struct weir_event *ev)
{
    struct fixture *f = ctx;

    eve_alert(&f->eve, rule, ev, "allowed");
    fast_alert(&f->fast, rule, ev);
}

static weir_fut
on_event(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct fixture *f = ev->app;
    struct flow_scan *scan = ctx;
    bool alerted;

    detect_event(f->detect, scan, ev);
    alerted = scan->alerted;
    if (ev->type == WEIR_EV_FLOW_END)
        eve_flow(&f->eve, ev, alerted);
    return weir_ok(0);
}

static const weir_fn stages[] = { on_event };

static int
temporary(struct out *out, char path[32])
{
    struct weir_errbuf err = { "" };
    int fd;

    strcpy(path, "/tmp/weir-test-XXXXXX");
    fd = mkstemp(path);
    if (fd < 0)
        return -1;
    close(fd);
    return out_open(out, path, false, &err);
}

static int
set_up(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof(f));
    f.vars = vars_new();
    *state = &f;
    return f.vars == NULL || temporary(&f.eve, f.eve_path) != 0 ||
           temporary(&f.fast, f.fast_path) != 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    weir_monitor_free(f->m);
    detect_free(f->detect);
    groups_free(f->groups);
    rules_free(&f->rules);
    vars_free(f->vars);
    unlink(f->eve_path);
    unlink(f->fast_path);
    return 0;
}

static void
begin(struct fixture *f, const char *rules, size_t n)
{
    struct weir_app app = { .name = "ids",
                            .spec = &f->spec,
                            .flow_size = sizeof(struct flow_scan),
                            .history = DETECT_WINDOW,
                            .arg = f };
    struct detect_opts opts = { .memory = 1 << 20 };
    struct weir_errbuf err = { "" };

    assert_int_equal(
        rules_load_text(&f->rules, f->vars, "t", (struct text){ rules, n }, NULL, NULL, &err),
        WEIR_E_OK);
    assert_int_equal(f->rules.refused, 0);
    assert_int_equal(groups_new(&f->rules, &f->groups, &err), WEIR_E_OK);
    assert_int_equal(detect_new(f->groups, &opts, on_alert, f, &f->detect, &err), WEIR_E_OK);
    f->spec =
        (struct weir_tap_spec){ .stage = stages, .n_stages = 1, .want = detect_wants(f->detect) };
    assert_int_equal(weir_monitor_new(NULL, &f->m), WEIR_E_OK);
    assert_int_equal(weir_monitor_add(f->m, &app), WEIR_E_OK);
}

static void
feed(struct fixture *f, struct weir_frame frame)
{
    assert_int_equal(weir_monitor_feed(f->m, &frame, 1), WEIR_E_OK);
}

static void
segment(struct fixture *f, enum weir_dir dir, uint8_t flags, uint32_t seq, uint32_t ack,
        const char *data)
{
    struct segment s = { .dir = dir,
                         .flags = flags,
                         .seq = seq,
                         .ack = ack,
                         .data = data,
                         .n = (uint32_t)strlen(data),
                         .ms = 10 * f->n };

    feed(f, tcp_frame(&s, f->room[f->n]));
    f->n++;
}

static void
slurp(struct fixture *f, const char *path)
{
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    f->said[fread(f->said, 1, sizeof(f->said) - 1, file)] = '\0';
    fclose(file);
}

/* End the run; its records are these. */
static void
expect(struct fixture *f, const char *eve, const char *fast)
{
    struct weir_errbuf err = { "" };

    weir_monitor_end(f->m);
    assert_int_equal(out_close(&f->eve, &err), WEIR_E_OK);
    assert_int_equal(out_close(&f->fast, &err), WEIR_E_OK);
    slurp(f, f->eve_path);
    assert_string_equal(f->said, eve);
    slurp(f, f->fast_path);
    assert_string_equal(f->said, fast);
}

#define RULES(text) (text), sizeof(text) - 1

static void
an_alert_says_what_its_rule_says(void **state)
{
    struct fixture *f = *state;

    begin(f, RULES("alert tcp any any -> any 80 (msg:\"two words\"; flow:established,to_server; "
                   "content:\"evil\"; gid:3; sid:77; rev:5; classtype:misc-attack; "
                   "reference:cve,2024-1; reference:url,a.example/b; "
                   "metadata:created 2024, tag x, tag y z, bare;)"));
    segment(f, WEIR_TOSERVER, WEIR_TH_SYN, 1000, 0, "");
    segment(f, WEIR_TOCLIENT, WEIR_TH_SYN | WEIR_TH_ACK, 5000, 1001, "");
    segment(f, WEIR_TOSERVER, WEIR_TH_ACK, 1001, 5001, "");
    segment(f, WEIR_TOSERVER, WEIR_TH_ACK | WEIR_TH_PUSH, 1001, 5001, "evil");
    segment(f, WEIR_TOCLIENT, WEIR_TH_ACK | WEIR_TH_RST, 5001, 1005, "");
    expect(f,
           "{\"timestamp\":\"2023-11-14T22:13:20.030000+0000\",\"flow_id\":1,\"pcap_cnt\":4,"
           "\"event_type\":\"alert\",\"src_ip\":\"10.0.0.1\",\"src_port\":1000,"
           "\"dest_ip\":\"10.0.0.2\",\"dest_port\":80,\"proto\":\"TCP\","
           "\"alert\":{\"action\":\"allowed\",\"gid\":3,\"signature_id\":77,\"rev\":5,"
           "\"signature\":\"two words\",\"category\":\"Misc Attack\",\"severity\":2,"
           "\"references\":[\"cve,2024-1\",\"url,a.example/b\"],"
           "\"metadata\":{\"created\":[\"2024\"],\"tag\":[\"x\",\"y z\"],\"bare\":[\"\"]}},"
           "\"direction\":\"to_server\","
           "\"flow\":{\"pkts_toserver\":3,\"pkts_toclient\":1,\"bytes_toserver\":166,"
           "\"bytes_toclient\":54,\"start\":\"2023-11-14T22:13:20.000000+0000\","
           "\"src_ip\":\"10.0.0.1\",\"dest_ip\":\"10.0.0.2\",\"src_port\":1000,\"dest_port\":80}}\n"
           "{\"timestamp\":\"2023-11-14T22:13:20.040000+0000\",\"flow_id\":1,"
           "\"event_type\":\"flow\",\"src_ip\":\"10.0.0.1\",\"src_port\":1000,"
           "\"dest_ip\":\"10.0.0.2\",\"dest_port\":80,\"proto\":\"TCP\","
           "\"flow\":{\"pkts_toserver\":3,\"pkts_toclient\":2,\"bytes_toserver\":166,"
           "\"bytes_toclient\":108,\"start\":\"2023-11-14T22:13:20.000000+0000\","
           "\"end\":\"2023-11-14T22:13:20.040000+0000\",\"age\":0,\"state\":\"closed\","
           "\"reason\":\"timeout\",\"alerted\":true},"
           "\"tcp\":{\"tcp_flags\":\"1e\",\"tcp_flags_ts\":\"1a\",\"tcp_flags_tc\":\"16\","
           "\"syn\":true,\"rst\":true,\"psh\":true,\"ack\":true}}\n",
           "11/14/2023-22:13:20.030000  [**] [3:77:5] two words [**] "
           "[Classification: Misc Attack] [Priority: 2] {TCP} 10.0.0.1:1000 -> 10.0.0.2:80\n");
}

/* Control characters, quotes, and bytes that are no UTF-8, wherever a rule may hold them. */
static void
odd_bytes_do_no_harm(void **state)
{
    struct fixture *f = *state;

    begin(f, RULES("alert udp any any -> any any (msg:\"a\\\"b\\\\c\td\x1b[0m\xff\xc3\xa4\"; "
                   "content:\"x\"; sid:1; reference:\xfe,\"q\"; metadata:\"k\x01 \xc3\xa4\xc3;)"));
    feed(f, udp_frame(WEIR_TOSERVER, "x", 1, 0, f->room[0]));
    expect(f,
           "{\"timestamp\":\"2023-11-14T22:13:20.000000+0000\",\"flow_id\":1,\"pcap_cnt\":1,"
           "\"event_type\":\"alert\",\"src_ip\":\"10.0.0.1\",\"src_port\":1000,"
           "\"dest_ip\":\"10.0.0.2\",\"dest_port\":53,\"proto\":\"UDP\","
           "\"alert\":{\"action\":\"allowed\",\"gid\":1,\"signature_id\":1,\"rev\":0,"
           "\"signature\":\"a\\\"b\\\\c\\td\\u001b[0m\\u00ff\xc3\xa4\",\"category\":\"\","
           "\"severity\":3,\"references\":[\"\\u00fe,\\\"q\\\"\"],"
           "\"metadata\":{\"\\\"k\\u0001\":[\"\xc3\xa4\\u00c3\"]}},"
           "\"direction\":\"to_server\","
           "\"flow\":{\"pkts_toserver\":1,\"pkts_toclient\":0,\"bytes_toserver\":43,"
           "\"bytes_toclient\":0,\"start\":\"2023-11-14T22:13:20.000000+0000\","
           "\"src_ip\":\"10.0.0.1\",\"dest_ip\":\"10.0.0.2\",\"src_port\":1000,"
           "\"dest_port\":53}}\n"
           "{\"timestamp\":\"2023-11-14T22:13:20.000000+0000\",\"flow_id\":1,"
           "\"event_type\":\"flow\",\"src_ip\":\"10.0.0.1\",\"src_port\":1000,"
           "\"dest_ip\":\"10.0.0.2\",\"dest_port\":53,\"proto\":\"UDP\","
           "\"flow\":{\"pkts_toserver\":1,\"pkts_toclient\":0,\"bytes_toserver\":43,"
           "\"bytes_toclient\":0,\"start\":\"2023-11-14T22:13:20.000000+0000\","
           "\"end\":\"2023-11-14T22:13:20.000000+0000\",\"age\":0,\"state\":\"new\","
           "\"reason\":\"shutdown\",\"alerted\":true}}\n",
           "11/14/2023-22:13:20.000000  [**] [1:1:0] a\"b\\c?d?[0m\xff\xc3\xa4 [**] "
           "[Classification: (null)] [Priority: 3] {UDP} 10.0.0.1:1000 -> 10.0.0.2:53\n");
}

/* Decided by the flow's end: no packet number, and the ends of the direction that matched. */
static void
an_alert_without_a_packet_has_the_ends_of_its_direction(void **state)
{
    struct fixture *f = *state;
    static const char eve[] = "{\"timestamp\":\"2023-11-14T22:13:20.030000+0000\",\"flow_id\":1,"
                              "\"event_type\":\"alert\",\"src_ip\":\"10.0.0.2\",\"src_port\":80,"
                              "\"dest_ip\":\"10.0.0.1\",\"dest_port\":1000,\"proto\":\"TCP\",";
    struct weir_errbuf err = { "" };

    begin(f,
          RULES("alert tcp any any -> any any (content:\"ab\"; content:!\"z\"; within:9; sid:2;)"));
    segment(f, WEIR_TOSERVER, WEIR_TH_SYN, 1000, 0, "");
    segment(f, WEIR_TOCLIENT, WEIR_TH_SYN | WEIR_TH_ACK, 5000, 1001, "");
    segment(f, WEIR_TOSERVER, WEIR_TH_ACK, 1001, 5001, "");
    segment(f, WEIR_TOCLIENT, WEIR_TH_ACK, 5001, 1001, "ab");
    weir_monitor_end(f->m);
    assert_int_equal(out_close(&f->eve, &err), WEIR_E_OK);
    assert_int_equal(out_close(&f->fast, &err), WEIR_E_OK);
    slurp(f, f->eve_path);
    assert_memory_equal(f->said, eve, sizeof(eve) - 1);
    assert_non_null(strstr(f->said, "\"direction\":\"to_client\""));
    slurp(f, f->fast_path);
    assert_string_equal(f->said,
                        "11/14/2023-22:13:20.030000  [**] [1:2:0]  [**] [Classification: (null)] "
                        "[Priority: 3] {TCP} 10.0.0.2:80 -> 10.0.0.1:1000\n");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(an_alert_says_what_its_rule_says),
        T(odd_bytes_do_no_harm),
        T(an_alert_without_a_packet_has_the_ends_of_its_direction),
    };

    return cmocka_run_group_tests_name("eve_alert", tests, NULL, NULL);
}
