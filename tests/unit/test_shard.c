#include "shard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Shards of few flows: their blocks and tables grow and are used again. */
enum { RANGE = 64 << 20, CAP = 1 << 20, APP = 48, FLOWS = 3000, STEPS = 60000 };

static struct shard shard;
static struct shard_layout layout;
static struct arena arena;
static struct wheel wheel;
static const struct hash_key secret = { 11, 22 };

static int
begin(void **state)
{
    *state = calloc(1, RANGE);
    if (*state == NULL || !shard_layout(&layout, CAP, APP))
        return -1;
    arena_init(&arena, *state, RANGE);
    layout.base = arena.next;
    wheel_init(&wheel, 0);
    return shard_init(&shard, &arena, &layout, NULL, &wheel,
                      arena_take(&arena, sizeof(struct first_table)))
               ? 0
               : -1;
}

static int
end(void **state)
{
    arena_give_back(&arena, layout.base);
    free(*state);
    return 0;
}

/* Packet of connection i; back: from the server. Some have IPv6, VLANs, or are UDP. */
static struct weir_packet
packet_of(unsigned i, bool back)
{
    struct weir_packet pkt = { .ip_version = i % 3 == 0 ? 6 : 4,
                               .proto = i % 7 == 0 ? WEIR_PROTO_UDP : WEIR_PROTO_TCP,
                               .n_vlan = i % 5 == 0,
                               .vlan = { (uint16_t)(i % 4) } };
    struct weir_addr client = { .b = { 10, 0, 0, (uint8_t)(i % 50) } };
    struct weir_addr server = { .b = { 10, 0, 0, (uint8_t)(i % 60) } };

    client.b[15] = server.b[15] = pkt.ip_version == 6 ? (uint8_t)(i % 9) : 0;
    pkt.src = back ? server : client;
    pkt.dst = back ? client : server;
    pkt.src_port = (uint16_t)(back ? 80 : 1000 + i);
    pkt.dst_port = (uint16_t)(back ? 1000 + i : 80);
    return pkt;
}

static struct weir_flow *
find(unsigned i, bool back)
{
    const struct weir_packet pkt = packet_of(i, back);
    struct flow_ref ref;

    flow_ref(&pkt, true, &secret, &ref);
    return shard_find(&shard, &ref, &pkt);
}

static struct weir_flow *
add(unsigned i, bool back)
{
    const struct weir_packet pkt = packet_of(i, back);
    struct flow_ref ref;

    flow_ref(&pkt, true, &secret, &ref);
    return shard_add(&shard, &ref, &pkt, &secret);
}

static uint64_t
random_below(uint64_t *seed, uint64_t n)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*seed >> 33) % n;
}

/* ---- keys ---- */

static void
both_directions_have_one_key_and_are_told_apart(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FLOWS; i++) {
        const struct weir_packet there = packet_of(i, false), back = packet_of(i, true);
        struct flow_ref a, b;

        flow_ref(&there, true, &secret, &a);
        flow_ref(&back, true, &secret, &b);
        assert_memory_equal(&a.key, &b.key, sizeof(a.key));
        assert_int_equal(a.hash, b.hash);
        assert_int_equal(a.shard, b.shard);
        assert_int_not_equal(a.swapped, b.swapped);
    }
}

static void
the_shard_does_not_depend_on_the_secret(void **state)
{
    static const struct hash_key other = { 33, 44 };
    unsigned moved = 0;

    (void)state;
    for (unsigned i = 0; i < FLOWS; i++) {
        const struct weir_packet pkt = packet_of(i, false);
        struct flow_ref a, b;

        flow_ref(&pkt, true, &secret, &a);
        flow_ref(&pkt, true, &other, &b);
        assert_int_equal(a.shard, b.shard);
        moved += a.hash != b.hash;
    }
    assert_int_equal(moved, FLOWS);
}

static void
each_part_of_the_tuple_makes_another_key(void **state)
{
    const struct weir_packet pkt = packet_of(1, false);
    struct weir_packet others[8] = { pkt, pkt, pkt, pkt, pkt, pkt, pkt, pkt };
    struct flow_ref a, b;

    (void)state;
    others[0].src.b[0]++;
    others[1].dst.b[3]++;
    others[2].src_port++;
    others[3].dst_port++;
    others[4].proto++;
    others[5].n_vlan++;
    others[6].has_vni = others[7].has_vni = true; /* of 0, and the greatest */
    others[7].vni = 0xffffff;
    flow_ref(&pkt, true, &secret, &a);
    for (unsigned i = 0; i < 8; i++) {
        flow_ref(&others[i], true, &secret, &b);
        assert_memory_not_equal(&a.key, &b.key, sizeof(a.key));
        assert_int_equal(key_proto(&b.key), others[i].proto);
        assert_int_equal(key_ip_version(&b.key), pkt.ip_version);
        assert_int_equal(key_has_vni(&b.key), i >= 6);
        assert_int_equal(key_vni(&b.key), others[i].vni);
    }
}

/* ---- the table against an array ---- */

static struct weir_flow *flows[FLOWS]; /* by connection; NULL: not in the table */

static void
check_all(unsigned n)
{
    unsigned used = 0, seen = 0;

    for (unsigned i = 0; i < FLOWS; i++) {
        assert_ptr_equal(find(i, false), flows[i]);
        assert_ptr_equal(find(i, true), flows[i]);
        used += flows[i] != NULL;
    }
    for (struct weir_flow *f = shard_next(&shard, NULL); f != NULL; f = shard_next(&shard, f))
        seen += flow_used(f);
    assert_int_equal(used, n);
    assert_int_equal(seen, n);
    assert_int_equal(shard.n_flows, n);
}

/* What hangs on a flow leads back to it, is its own, and lies in its block. */
static void
mark(struct weir_flow *flow, unsigned i)
{
    assert_ptr_equal(flow_shard(flow), &shard);
    assert_ptr_equal(shard_flow(&shard, flow->slot), flow);
    assert_ptr_equal(flow_of_timer(&flow_cold(flow)->timer), flow);
    flow_cold(flow)->id = i;
    memset(flow_apps(flow), (int)(i & 0xff), APP);
}

static void
check_mark(struct weir_flow *flow, unsigned i)
{
    assert_int_equal(flow_cold(flow)->id, i);
    for (unsigned k = 0; k < APP; k++)
        assert_int_equal(flow_apps(flow)[k], i & 0xff);
}

static void
the_table_agrees_with_an_array(void **state)
{
    uint64_t seed = 7;
    unsigned n = 0;

    (void)state;
    memset(flows, 0, sizeof(flows));
    for (unsigned step = 0; step < STEPS; step++) {
        const unsigned i = (unsigned)random_below(&seed, FLOWS);

        /* Now more come, now more go. */
        if (flows[i] == NULL && random_below(&seed, 10) < (step / 8000 % 2 == 0 ? 9U : 2U)) {
            flows[i] = add(i, random_below(&seed, 2));
            assert_non_null(flows[i]);
            mark(flows[i], i);
            n++;
        } else if (flows[i] != NULL) {
            check_mark(flows[i], i);
            shard_unlink(&shard, flows[i], &secret);
            assert_null(find(i, false));
            shard_release(&shard, flows[i]);
            flows[i] = NULL;
            n--;
        }
        if (step % 4000 == 0)
            check_all(n);
    }
    check_all(n);
}

/* Entries that went on to later buckets are forgotten with them, or lookups would get slow. */
static void
an_empty_table_leads_nowhere(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FLOWS; i++)
        flows[i] = add(i, false);
    for (unsigned i = 0; i < FLOWS; i++) {
        shard_unlink(&shard, flows[i], &secret);
        shard_release(&shard, flows[i]);
    }
    for (uint32_t b = 0; b <= shard.bucket_mask; b++)
        assert_int_equal(shard.buckets[b].passed, 0);
}

static void
the_guess_is_the_flow_or_a_hint_at_most(void **state)
{
    unsigned right = 0;

    (void)state;
    for (unsigned i = 0; i < 1000; i++)
        flows[i] = add(i, false);
    for (unsigned i = 0; i < 1000; i++) {
        const struct weir_packet pkt = packet_of(i, true);
        const struct shard_table table = shard_table(&shard);
        struct flow_ref ref;

        flow_ref(&pkt, true, &secret, &ref);
        right += shard_guess(&table, shard.base, &ref) == flows[i];
    }
    assert_true(right > 900);
}

/*
 * What was guessed may have ended, or its slot may be another flow's, when the packet has its turn.
 */
static void
a_guess_that_is_wrong_by_now_is_not_taken(void **state)
{
    const struct weir_packet pkt = packet_of(1, false);
    struct flow_ref ref;

    (void)state;
    flows[0] = add(0, false);
    flows[1] = add(1, false);
    flow_ref(&pkt, true, &secret, &ref);
    assert_ptr_equal(shard_find_guessed(&shard, &ref, &pkt, flows[1]), flows[1]);
    assert_ptr_equal(shard_find_guessed(&shard, &ref, &pkt, flows[0]), flows[1]);
    assert_ptr_equal(shard_find_guessed(&shard, &ref, &pkt, NULL), flows[1]);
    shard_unlink(&shard, flows[1], &secret);
    flows[1]->flags |= FLOW_ENDED; /* a tap of it sleeps on */
    assert_null(shard_find_guessed(&shard, &ref, &pkt, flows[1]));
    flows[2] = add(1, false);
    assert_ptr_equal(shard_find_guessed(&shard, &ref, &pkt, flows[1]), flows[2]);
}

/* Two IPv6 addresses whose 32 bits collide differ in the cold part alone. */
static void
ipv6_addresses_are_compared_whole(void **state)
{
    struct weir_packet pkt = packet_of(3, false);
    struct weir_flow *flow = add(3, false);
    struct flow_ref ref;

    (void)state;
    assert_int_equal(pkt.ip_version, 6);
    flow_ref(&pkt, true, &secret, &ref);
    assert_ptr_equal(shard_find(&shard, &ref, &pkt), flow);
    pkt.src.b[7] ^= 1; /* as if the hash had not noticed */
    assert_null(shard_find(&shard, &ref, &pkt));
}

static void
a_flow_unlinked_is_not_found_but_its_memory_stays(void **state)
{
    struct weir_flow *old = add(1, false), *new;

    (void)state;
    mark(old, 1);
    shard_unlink(&shard, old, &secret);
    new = add(1, false);
    assert_ptr_not_equal(new, old);
    assert_ptr_equal(find(1, true), new);
    check_mark(old, 1);
    shard_release(&shard, old);
    assert_ptr_equal(add(2, false), old); /* the slot freed last is the first to be used */
}

static void
the_cap_is_reached_and_recovers(void **state)
{
    const size_t before = shard.mem.used;
    unsigned n = 0;
    struct weir_flow *last = NULL, *flow;

    (void)state;
    while (n < 60000 && (flow = add(n, false)) != NULL) {
        last = flow;
        n++;
    }
    assert_true(n > 2000 && n < 60000);
    assert_true(shard.mem.used <= CAP && shard.mem.used > before);
    assert_null(add(n, false));
    shard_unlink(&shard, last, &secret);
    shard_release(&shard, last);
    assert_non_null(add(n, false));
    assert_ptr_equal(find(0, true), find(0, false));
}

/* Also in blocks that do not begin to fill up at their front. */
static void
flows_are_visited_in_the_order_of_their_slots(void **state)
{
    struct weir_flow *at = NULL;

    (void)state;
    for (unsigned i = 0; i < FLOWS; i++)
        flows[i] = add(i, false);
    for (unsigned i = 0; i < FLOWS; i++) {
        at = shard_next(&shard, at);
        assert_ptr_equal(at, flows[i]);
    }
    assert_null(shard_next(&shard, at));
}

/* A slot has 32 bits: of blocks 256 GiB behind the first no flow is made. */
static void
no_flow_lies_where_slots_end(void **state)
{
    (void)state;
    shard.base -= (size_t)SLOT_MAX << SLOT_SHIFT;
    assert_null(add(1, false));
    assert_int_equal(shard.mem.used, sizeof(struct first_table));
    shard.base += (size_t)1 << 20;
    flows[1] = add(1, false);
    assert_non_null(flows[1]);
    assert_ptr_equal(find(1, true), flows[1]);
    shard_unlink(&shard, flows[1], &secret);
    shard_release(&shard, flows[1]);
    assert_ptr_equal(add(2, false), flows[1]);
}

static int
by_value(const void *a, const void *b)
{
    const uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;

    return x < y ? -1 : x > y;
}

/* Where the first flows of shards, and their tables, lie by the address bits that choose a set of a
 * cache of 32 KiB a way. */
static void
shards_with_few_flows_share_no_sets_of_a_cache(void **state)
{
    enum { SHARDS = 32, WAY = 32768 };
    struct first_table *tables = arena_take(&arena, SHARDS * sizeof(*tables));
    uintptr_t place[SHARDS], table[SHARDS];
    unsigned places = 1, distinct = 1;

    (void)state;
    for (unsigned i = 0; i < SHARDS; i++) {
        assert_true(shard_init(&shard, &arena, &layout, NULL, &wheel, &tables[i]));
        place[i] = (uintptr_t)add(i, false) % WAY;
        table[i] = (uintptr_t)shard.buckets % WAY;
    }
    qsort(place, SHARDS, sizeof(place[0]), by_value);
    qsort(table, SHARDS, sizeof(table[0]), by_value);
    for (unsigned i = 1; i < SHARDS; i++) {
        places += place[i] != place[i - 1];
        distinct += table[i] != table[i - 1];
    }
    assert_true(places > SHARDS / 2);
    assert_int_equal(distinct, SHARDS);
}

static void
state_too_large_for_a_block_has_no_layout(void **state)
{
    struct shard_layout small;

    (void)state;
    assert_true(shard_layout(&small, CAP, 0));
    assert_true(small.per_block > 100 && small.per_block <= 256);
    assert_true(shard_layout(&small, CAP, BLOCK_SIZE - 1024));
    assert_int_equal(small.per_block, 1);
    assert_false(shard_layout(&small, CAP, BLOCK_SIZE));
}

#define FACT(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_directions_have_one_key_and_are_told_apart),
        cmocka_unit_test(the_shard_does_not_depend_on_the_secret),
        cmocka_unit_test(each_part_of_the_tuple_makes_another_key),
        FACT(the_table_agrees_with_an_array),
        FACT(an_empty_table_leads_nowhere),
        FACT(the_guess_is_the_flow_or_a_hint_at_most),
        FACT(a_guess_that_is_wrong_by_now_is_not_taken),
        FACT(ipv6_addresses_are_compared_whole),
        FACT(a_flow_unlinked_is_not_found_but_its_memory_stays),
        FACT(the_cap_is_reached_and_recovers),
        FACT(flows_are_visited_in_the_order_of_their_slots),
        FACT(no_flow_lies_where_slots_end),
        FACT(shards_with_few_flows_share_no_sets_of_a_cache),
        cmocka_unit_test(state_too_large_for_a_block_has_no_layout),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
