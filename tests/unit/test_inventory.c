/* What is known of hosts: news once, limits, forgetting; and a slow model of it all. */
#include "inventory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)

struct fixture {
    struct inventory *inv;
    char told[65536]; /* of hosts that go, a line a fact */
};

static void
gone(void *ctx, const struct host *host, const struct known *known, enum host_end why)
{
    struct fixture *f = ctx;
    size_t n = strlen(f->told);

    assert_true(n < sizeof(f->told) - 200);
    snprintf(f->told + n, sizeof(f->told) - n, "%d %s=%s %llu..%llu x%llu %s\n", host->addr.b[3],
             known->fact.source, known->fact.value, (unsigned long long)(known->first / SECOND),
             (unsigned long long)(known->last / SECOND), (unsigned long long)known->seen,
             why == HOST_EXPIRED   ? "expired"
             : why == HOST_EVICTED ? "evicted"
                                   : "eof");
}

static void
set_up(struct fixture *f, struct inventory_opts opts)
{
    f->told[0] = '\0';
    opts.gone = gone;
    opts.ctx = f;
    opts.seed = 7;
    assert_int_equal(inventory_new(&opts, &f->inv), WEIR_E_OK);
}

static bool
see(struct fixture *f, uint8_t host, const char *source, const char *value, unsigned second)
{
    struct weir_addr addr = { { 10, 0, 0, host } };
    struct fact fact = { .kind = FACT_SERVER,
                         .proto = 6,
                         .port = 22,
                         .source = source,
                         .value = value,
                         .confidence = 50 };
    struct host seen;
    bool news = inventory_see(f->inv, 4, &addr, 5, &fact, second * SECOND, &seen);

    assert_memory_equal(seen.addr.b, addr.b, 4);
    return news;
}

static void
expect(struct fixture *f, const char *told)
{
    assert_string_equal(f->told, told);
    f->told[0] = '\0';
}

static void
a_fact_is_news_once(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f, (struct inventory_opts){ .hosts = 4 });
    assert_true(see(&f, 1, "ssh", "OpenSSH", 1));
    assert_false(see(&f, 1, "ssh", "OpenSSH", 3));
    assert_true(see(&f, 1, "ssh", "Dropbear", 4));
    assert_true(see(&f, 1, "telnet", "OpenSSH", 5));
    assert_true(see(&f, 2, "ssh", "OpenSSH", 6));
    inventory_end(f.inv);
    expect(&f, "1 ssh=OpenSSH 1..3 x2 eof\n"
               "1 ssh=Dropbear 4..4 x1 eof\n"
               "1 telnet=OpenSSH 5..5 x1 eof\n"
               "2 ssh=OpenSSH 6..6 x1 eof\n");
    inventory_free(f.inv);
}

static void
source_and_value_are_not_mixed_up(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f, (struct inventory_opts){ .hosts = 4 });
    assert_true(see(&f, 1, "a", "b", 1));
    assert_true(see(&f, 1, "b", "a", 1));
    assert_true(see(&f, 1, "ab", "", 1));
    assert_true(see(&f, 1, "", "ab", 1));
    inventory_free(f.inv);
}

static void
who_was_not_seen_is_forgotten(void **state)
{
    struct fixture f;
    struct weir_addr addr = { { 10, 0, 0, 1 } };

    (void)state;
    set_up(&f, (struct inventory_opts){ .hosts = 4, .expire = 10 * SECOND });
    see(&f, 1, "ssh", "a", 1);
    see(&f, 2, "ssh", "b", 2);
    inventory_expire(f.inv, 11 * SECOND);
    expect(&f, "");
    assert_true(inventory_touch(f.inv, 4, &addr, 12 * SECOND));
    inventory_expire(f.inv, 13 * SECOND);
    expect(&f, "2 ssh=b 2..2 x1 expired\n");
    assert_true(inventory_has(f.inv, 4, &addr));
    inventory_expire(f.inv, 100 * SECOND);
    expect(&f, "1 ssh=a 1..1 x1 expired\n");
    assert_false(inventory_touch(f.inv, 4, &addr, 101 * SECOND));
    assert_true(see(&f, 1, "ssh", "a", 102));
    assert_int_equal(inventory_get_stats(f.inv)->expired, 2);
    inventory_free(f.inv);
}

static void
where_there_is_no_room_the_oldest_goes(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f, (struct inventory_opts){ .hosts = 2 });
    see(&f, 1, "ssh", "a", 1);
    see(&f, 2, "ssh", "b", 2);
    see(&f, 1, "ssh", "a", 3);
    assert_true(see(&f, 3, "ssh", "c", 4));
    expect(&f, "2 ssh=b 2..2 x1 evicted\n");
    assert_false(see(&f, 1, "ssh", "a", 5));
    assert_int_equal(inventory_get_stats(f.inv)->evicted, 1);
    inventory_free(f.inv);
}

static void
where_facts_have_no_room_the_oldest_host_goes(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f, (struct inventory_opts){ .hosts = 8, .facts = 3 });
    see(&f, 1, "ssh", "a", 1);
    see(&f, 1, "ssh", "b", 1);
    see(&f, 2, "ssh", "c", 2);
    assert_true(see(&f, 2, "ssh", "d", 3));
    expect(&f, "1 ssh=a 1..1 x1 evicted\n1 ssh=b 1..1 x1 evicted\n");
    assert_true(see(&f, 2, "ssh", "e", 4));
    assert_false(see(&f, 2, "ssh", "f", 5));
    expect(&f, "");
    assert_int_equal(inventory_get_stats(f.inv)->no_room, 1);
    inventory_free(f.inv);
}

enum { TEXTS = 1 << 18, SMALL = TEXTS / 64, LARGE = 300 };

/* One host with a fact of n bytes and its source. */
static bool
see_text(struct inventory *inv, unsigned host, size_t n, unsigned second)
{
    struct weir_addr addr = { { 10, (uint8_t)(host >> 16), (uint8_t)(host >> 8), (uint8_t)host } };
    struct fact fact = { .kind = FACT_CLIENT, .source = "s" };
    char value[LARGE + 1] = { 0 };
    struct host seen;

    memset(value, 'a', n);
    fact.value = value;
    return inventory_see(inv, 4, &addr, 0, &fact, second * SECOND, &seen);
}

/* The blocks that small texts leave do not serve large ones: nobody has to go for nothing. */
static void
no_host_goes_in_vain(void **state)
{
    struct inventory_opts opts = { .hosts = 3 * SMALL, .texts = TEXTS };
    const struct inventory_stats *stats;
    struct inventory *inv;
    uint64_t gone_before;

    (void)state;
    assert_int_equal(inventory_new(&opts, &inv), WEIR_E_OK);
    stats = inventory_get_stats(inv);
    for (unsigned i = 0; i < 2 * SMALL; i++)
        assert_true(see_text(inv, i, 10, 1));
    gone_before = stats->evicted; /* small ones made room for small ones */
    assert_true(gone_before >= SMALL);
    assert_false(see_text(inv, 2 * SMALL, LARGE, 2));
    assert_int_equal(stats->evicted, gone_before);
    assert_int_equal(stats->no_room, 1);
    inventory_free(inv);
}

static void
what_small_texts_leave_serves_large_ones(void **state)
{
    struct inventory_opts opts = { .hosts = 3 * SMALL, .texts = TEXTS, .expire = 10 * SECOND };
    const struct inventory_stats *stats;
    struct inventory *inv;

    (void)state;
    assert_int_equal(inventory_new(&opts, &inv), WEIR_E_OK);
    stats = inventory_get_stats(inv);
    for (unsigned i = 0; stats->evicted == 0; i++)
        assert_true(see_text(inv, i, 10, 1));
    while (stats->expired + stats->evicted < stats->hosts)
        inventory_expire(inv, 100 * SECOND);
    for (unsigned i = 0; i < 100; i++)
        assert_true(see_text(inv, i, LARGE, 101));
    inventory_free(inv);
}

static void
who_has_a_text_as_large_makes_room(void **state)
{
    struct inventory_opts opts = { .hosts = 3 * SMALL, .texts = TEXTS };
    const struct inventory_stats *stats;
    struct inventory *inv;
    uint64_t gone_before;

    (void)state;
    assert_int_equal(inventory_new(&opts, &inv), WEIR_E_OK);
    stats = inventory_get_stats(inv);
    for (unsigned i = 0; stats->evicted == 0; i++)
        assert_true(see_text(inv, i, i < 2 ? LARGE : 10, 1));
    gone_before = stats->evicted;
    assert_true(see_text(inv, 2 * SMALL, LARGE, 2));
    assert_int_equal(stats->evicted, gone_before + 1);
    assert_false(see_text(inv, 2 * SMALL, LARGE, 3));
    inventory_free(inv);
}

static void
touch(struct inventory *inv, unsigned host, unsigned second)
{
    struct weir_addr addr = { { 10, (uint8_t)(host >> 16), (uint8_t)(host >> 8), (uint8_t)host } };

    assert_true(inventory_touch(inv, 4, &addr, second * SECOND));
}

/* Hosts of which nothing is known leave no room. */
static void
a_fact_costs_a_few_hosts_at_most(void **state)
{
    struct inventory_opts opts = { .hosts = 3 * SMALL, .texts = TEXTS };
    const struct inventory_stats *stats;
    struct inventory *inv;
    uint64_t gone_before;
    unsigned n = 0;

    (void)state;
    assert_int_equal(inventory_new(&opts, &inv), WEIR_E_OK);
    while (inventory_get_stats(inv)->evicted == 0)
        assert_true(see_text(inv, n++, 10, 1));
    inventory_free(inv);
    opts.facts = --n; /* as many as there are texts */
    assert_int_equal(inventory_new(&opts, &inv), WEIR_E_OK);
    stats = inventory_get_stats(inv);
    for (unsigned i = 0; i < n; i++)
        assert_true(see_text(inv, i, 10, 1));
    for (unsigned i = 0; i < 100; i++) /* the first costs a host, whose text is too small */
        assert_false(see_text(inv, n + i, LARGE, 2));
    for (unsigned i = 1; i < n; i++)
        touch(inv, i, 3);
    assert_true(see_text(inv, n + 100, 10, 3));
    gone_before = stats->evicted;
    assert_false(see_text(inv, n + 101, 10, 3));
    assert_int_equal(stats->evicted, gone_before + 16);
    inventory_free(inv);
}

static void
what_is_known_better_for_a_port_is_found(void **state)
{
    struct fixture f;
    struct weir_addr one = { { 10, 0, 0, 1 } }, two = { { 10, 0, 0, 2 } };

    (void)state;
    set_up(&f, (struct inventory_opts){ .hosts = 2 });
    see(&f, 1, "unknown", "@ssh", 1);
    assert_false(inventory_has_better(f.inv, 4, &one, FACT_SERVER, 6, 22));
    see(&f, 1, "ssh", "a", 1);
    assert_true(inventory_has_better(f.inv, 4, &one, FACT_SERVER, 6, 22));
    assert_false(inventory_has_better(f.inv, 4, &one, FACT_SERVER, 6, 23));
    assert_false(inventory_has_better(f.inv, 4, &one, FACT_SERVER, 17, 22));
    assert_false(inventory_has_better(f.inv, 4, &one, FACT_CLIENT, 6, 22));
    assert_false(inventory_has_better(f.inv, 4, &two, FACT_SERVER, 6, 22));
    inventory_free(f.inv);
}

static void
a_host_has_a_bounded_number_of_facts(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f, (struct inventory_opts){ .hosts = 2, .a_host = 2 });
    assert_true(see(&f, 1, "http", "a", 1));
    assert_true(see(&f, 1, "http", "b", 1));
    assert_false(see(&f, 1, "http", "c", 1));
    assert_false(see(&f, 1, "http", "a", 2));
    assert_true(see(&f, 2, "http", "c", 1));
    assert_int_equal(inventory_get_stats(f.inv)->too_many, 1);
    inventory_free(f.inv);
}

static void
no_kind_keeps_the_others_out(void **state)
{
    struct weir_addr addr = { { 10, 0, 0, 1 } };
    struct fact name = { .kind = FACT_NAME, .source = "dns" };
    struct fixture f;
    struct host host;
    unsigned names = 0;

    (void)state;
    set_up(&f, (struct inventory_opts){ .hosts = 2, .a_host = 8 });
    for (char text[2] = "a"; text[0] < 'z'; text[0]++) {
        name.value = text;
        names += inventory_see(f.inv, 4, &addr, 0, &name, SECOND, &host);
    }
    assert_int_equal(names, 6);
    assert_true(see(&f, 1, "ssh", "OpenSSH", 2));
    assert_true(see(&f, 1, "http", "Apache", 2));
    assert_false(see(&f, 1, "ftp", "vsftpd", 2));
    inventory_free(f.inv);
}

static void
a_long_value_is_cut(void **state)
{
    static char value[4 * FACT_VALUE_MAX];
    struct fixture f;

    (void)state;
    memset(value, 'v', sizeof(value) - 1);
    set_up(&f, (struct inventory_opts){ .hosts = 2 });
    assert_true(see(&f, 1, "http", value, 1));
    value[FACT_VALUE_MAX] = 'w';
    assert_false(see(&f, 1, "http", value, 1));
    inventory_end(f.inv);
    assert_int_equal(strspn(strchr(f.told, '=') + 1, "v"), FACT_VALUE_MAX);
    inventory_free(f.inv);
}

/* ---- a slow model -------------------------------------------------------------------------- */

/* All facts are of one kind, of which a host may have three quarters of four. */
enum {
    M_HOSTS = 5,
    M_FACTS = 12,
    M_A_HOST = 4,
    M_A_KIND = 3,
    M_EXPIRE = 20,
    M_ADDRS = 9,
    M_VALUES = 6
};

struct m_host {
    uint8_t addr;
    unsigned last;
    unsigned n_facts;
    struct m_fact {
        int value;
        unsigned first, last, seen;
    } fact[M_A_HOST];
};

/* Hosts in the order in which they were seen last, the oldest first. */
struct model {
    struct m_host host[M_HOSTS];
    unsigned n_hosts;
    char told[65536];
};

static unsigned
m_facts(const struct model *m)
{
    unsigned n = 0;

    for (unsigned i = 0; i < m->n_hosts; i++)
        n += m->host[i].n_facts;
    return n;
}

static void
m_tell(struct model *m, const struct m_host *h, const char *why)
{
    for (unsigned i = 0; i < h->n_facts; i++) {
        size_t n = strlen(m->told);

        snprintf(m->told + n, sizeof(m->told) - n, "%d s=%c %u..%u x%u %s\n", h->addr,
                 'a' + h->fact[i].value, h->fact[i].first, h->fact[i].last, h->fact[i].seen, why);
    }
}

static void
m_forget_oldest(struct model *m, const char *why)
{
    m_tell(m, &m->host[0], why);
    memmove(m->host, m->host + 1, --m->n_hosts * sizeof(*m->host));
}

/* Move the host to the end; make it if it is missing. */
static struct m_host *
m_seen(struct model *m, uint8_t addr, unsigned now)
{
    struct m_host h = { .addr = addr, .last = now };
    unsigned i = 0;

    while (i < m->n_hosts && m->host[i].addr != addr)
        i++;
    if (i < m->n_hosts) {
        h = m->host[i];
        memmove(m->host + i, m->host + i + 1, (--m->n_hosts - i) * sizeof(h));
    } else if (m->n_hosts == M_HOSTS) {
        m_forget_oldest(m, "evicted");
    }
    h.last = now > h.last ? now : h.last;
    m->host[m->n_hosts++] = h;
    return &m->host[m->n_hosts - 1];
}

static bool
m_see(struct model *m, uint8_t addr, int value, unsigned now)
{
    struct m_host *h = m_seen(m, addr, now);

    for (unsigned i = 0; i < h->n_facts; i++) {
        struct m_fact *fact = &h->fact[i];

        if (fact->value != value)
            continue;
        fact->last = now > fact->last ? now : fact->last;
        fact->seen++;
        return false;
    }
    if (h->n_facts == M_A_KIND)
        return false;
    while (m_facts(m) == M_FACTS && m->n_hosts > 1)
        m_forget_oldest(m, "evicted");
    h = &m->host[m->n_hosts - 1];
    h->fact[h->n_facts++] = (struct m_fact){ value, now, now, 1 };
    return true;
}

static void
m_expire(struct model *m, unsigned now)
{
    while (m->n_hosts > 0 && m->host[0].last + M_EXPIRE < now)
        m_forget_oldest(m, "expired");
}

static void
a_model_says_the_same(void **state)
{
    static struct model m;
    struct fixture f;
    unsigned now = 100;

    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        memset(&m, 0, sizeof(m));
        srand(round);
        set_up(&f, (struct inventory_opts){ .hosts = M_HOSTS,
                                            .facts = M_FACTS,
                                            .a_host = M_A_HOST,
                                            .expire = M_EXPIRE * SECOND });
        for (unsigned step = 0; step < 300; step++) {
            uint8_t addr = (uint8_t)(1 + rand() % M_ADDRS);
            char value[2] = { (char)('a' + rand() % M_VALUES), '\0' };

            now += rand() % 12 == 0 ? (unsigned)rand() % 30 : (unsigned)rand() % 2;
            inventory_expire(f.inv, now * SECOND);
            m_expire(&m, now);
            assert_int_equal(see(&f, addr, "s", value, now), m_see(&m, addr, value[0] - 'a', now));
            assert_string_equal(f.told, m.told);
            f.told[0] = m.told[0] = '\0';
        }
        inventory_end(f.inv);
        for (unsigned i = 0; i < m.n_hosts; i++)
            m_tell(&m, &m.host[i], "eof");
        assert_string_equal(f.told, m.told);
        inventory_free(f.inv);
    }
}

/* What the end of a flow tells may be older than what is known. */
static void
a_host_is_as_old_as_its_oldest_fact(void **state)
{
    const struct weir_addr addr = { { 10, 0, 0, 1 } };
    const struct fact fact = { .kind = FACT_NAME, .source = "dns", .value = "x" };
    struct fixture f;
    struct host host;

    (void)state;
    set_up(&f, (struct inventory_opts){ .hosts = 2 });
    see(&f, 1, "ssh", "a", 5);
    assert_true(inventory_see(f.inv, 4, &addr, 0, &fact, 3 * SECOND, &host));
    assert_int_equal(host.first, 3 * SECOND);
    assert_int_equal(host.last, 5 * SECOND);
    inventory_free(f.inv);
}

static void
who_is_heard_of_is_none_the_younger(void **state)
{
    const struct weir_addr addr = { { 10, 0, 0, 1 } }, other = { { 10, 0, 0, 2 } };
    const struct fact fact = { .kind = FACT_NAME, .source = "dns", .value = "x" };
    struct fixture f;
    struct host host;

    (void)state;
    set_up(&f, (struct inventory_opts){ .hosts = 2, .expire = 10 * SECOND });
    see(&f, 1, "ssh", "a", 5);
    assert_true(inventory_hear(f.inv, 4, &addr, &fact, 12 * SECOND, &host));
    assert_false(inventory_hear(f.inv, 4, &addr, &fact, 13 * SECOND, &host));
    assert_false(inventory_hear(f.inv, 4, &other, &fact, 13 * SECOND, &host));
    assert_int_equal(host.last, 5 * SECOND);
    assert_int_equal(host.vlan, 5);
    assert_int_equal(inventory_get_stats(f.inv)->hosts, 1);
    inventory_expire(f.inv, 16 * SECOND);
    expect(&f, "1 ssh=a 5..5 x1 expired\n1 dns=x 12..13 x2 expired\n");
    inventory_free(f.inv);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fact_is_news_once),
        cmocka_unit_test(source_and_value_are_not_mixed_up),
        cmocka_unit_test(who_was_not_seen_is_forgotten),
        cmocka_unit_test(where_there_is_no_room_the_oldest_goes),
        cmocka_unit_test(where_facts_have_no_room_the_oldest_host_goes),
        cmocka_unit_test(no_host_goes_in_vain),
        cmocka_unit_test(what_small_texts_leave_serves_large_ones),
        cmocka_unit_test(who_has_a_text_as_large_makes_room),
        cmocka_unit_test(a_fact_costs_a_few_hosts_at_most),
        cmocka_unit_test(what_is_known_better_for_a_port_is_found),
        cmocka_unit_test(a_host_has_a_bounded_number_of_facts),
        cmocka_unit_test(no_kind_keeps_the_others_out),
        cmocka_unit_test(a_long_value_is_cut),
        cmocka_unit_test(a_host_is_as_old_as_its_oldest_fact),
        cmocka_unit_test(who_is_heard_of_is_none_the_younger),
        cmocka_unit_test(a_model_says_the_same),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
