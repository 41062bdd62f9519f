/*
 * Shared state against a plain list that is searched from its beginning: random calls on few keys,
 * in tables so small that room runs out all the time. Every answer must be the list's, whatever the
 * seed of the hash.
 */
#include <weir/core.h>
#include <weir/shared.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { ROOM = 24, CALLS = 20000, RUNS = 40, KEYS = 20, MEMBERS = 6 };

struct item {
    bool used;
    int64_t set; /* serial of the key that it is a member of; -1: it is a key */
    uint8_t name;
    uint64_t expires, serial;
    int64_t value;
};

static struct item items[ROOM];
static unsigned room;
static uint64_t seed, now, serials;

static uint64_t
draw(uint64_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1;
    return (seed >> 33) % n;
}

static struct item *
find(int64_t set, uint8_t name)
{
    for (unsigned i = 0; i < room; i++)
        if (items[i].used && items[i].set == set && items[i].name == name && items[i].expires > now)
            return &items[i];
    return NULL;
}

/* The one that is unused, or else the one whose time is over first. */
static struct item *
victim(void)
{
    struct item *best = NULL;

    for (unsigned i = 0; i < room; i++) {
        if (!items[i].used)
            return &items[i];
        if (best == NULL || items[i].expires < best->expires ||
            (items[i].expires == best->expires && items[i].serial < best->serial))
            best = &items[i];
    }
    return best;
}

static struct item *
make(int64_t set, uint8_t name, uint64_t expires, const struct item *keep)
{
    struct item *item = victim();

    if (item == keep)
        return NULL;
    *item = (struct item){
        .used = true, .set = set, .name = name, .expires = expires, .serial = serials++
    };
    return item;
}

static struct item *
find_or_make(uint8_t key, uint64_t ttl)
{
    struct item *item = find(-1, key);

    return item != NULL ? item : make(-1, key, now + ttl, NULL);
}

/* What is over may be forgotten at any time: it is never found again, and goes first for room. */
static void
forget_what_is_over(void)
{
    for (unsigned i = 0; i < room; i++)
        items[i].used = items[i].used && items[i].expires > now;
}

static int64_t
distinct(uint8_t key, uint8_t member, uint64_t ttl, bool *refused)
{
    struct item *item = find_or_make(key, ttl);

    if (find((int64_t)item->serial, member) == NULL) {
        if (make((int64_t)item->serial, member, item->expires, item) == NULL)
            *refused = true;
        else
            item->value++;
    }
    return item->value;
}

static void
one_call(struct weir_shared *s)
{
    uint8_t key = (uint8_t)draw(KEYS), member = (uint8_t)draw(MEMBERS);
    uint64_t ttl = draw(50) + 1;
    int64_t a = (int64_t)draw(3), b = (int64_t)draw(3) - 1, before;
    struct item *item;
    bool refused = false;
    weir_fut f;

    forget_what_is_over();
    item = find(-1, key);
    before = item != NULL ? item->value : 0;
    if (key % 2 != 0) { /* a set */
        f = weir_shared_count_distinct(s, &key, 1, &member, 1, ttl);
        before = distinct(key, member, ttl, &refused);
    } else if (draw(3) == 0) {
        f = weir_shared_add(s, &key, 1, b, ttl);
        before = find_or_make(key, ttl)->value += b;
    } else if (draw(3) == 0) {
        f = weir_shared_compare_and_set(s, &key, 1, a, b, ttl);
        if (before == a)
            find_or_make(key, ttl)->value = b;
    } else if (draw(3) == 0) {
        ttl = draw(4) == 0 ? 0 : ttl;
        f = weir_shared_expire(s, &key, 1, ttl);
        if (item != NULL)
            item->expires = now + ttl;
    } else {
        f = weir_shared_get(s, &key, 1);
    }
    assert_int_equal(weir_is_failed(f), refused);
    if (!refused)
        assert_int_equal(weir_shared_value(f), before);
}

static void
answers_are_those_of_a_plain_list(void **state)
{
    struct weir_core *core;

    (void)state;
    for (unsigned run = 0; run < RUNS; run++) {
        struct weir_shared *s;

        seed = run + 1;
        now = serials = 0;
        room = 1 + (unsigned)draw(ROOM);
        for (unsigned i = 0; i < ROOM; i++)
            items[i].used = false;
        assert_int_equal(weir_core_new(NULL, &core), WEIR_E_OK);
        weir_core_enter(core);
        assert_int_equal(
            weir_shared_new(&(struct weir_shared_opts){ .entries = room, .seed = run }, &s),
            WEIR_E_OK);
        for (unsigned i = 0; i < CALLS; i++) {
            now += draw(4) == 0 ? draw(20) : 0;
            weir_core_advance(core, now);
            one_call(s);
        }
        weir_shared_free(s);
        assert_int_equal(weir_core_free(core), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_those_of_a_plain_list),
    };

    return cmocka_run_group_tests_name("shared model", tests, NULL, NULL);
}
