/*
 * Logs against what must hold of them, whatever the kernel does: random records of three cores in
 * turn on one thread, a kernel that takes them in random pieces, stalls, fails in the middle of
 * records and recovers, calls that are called off, and files that are moved away. At the end:
 *
 * - every file holds whole records, and those of a core are in its order, over all files;
 * - a record whose future became ready is there; one whose future failed is not;
 * - each future is resolved once, in the order of its core's records;
 * - the counters add up.
 *
 * Seeds are fixed; WEIR_SEED=n tries another.
 */
#include "unit/log_help.h"

#include <sys/stat.h>

enum { CORES = 3, STEPS = 3000, RECORDS = CORES * STEPS };

/* What becomes of a record. */
struct fate {
    bool asked;    /* has a future that was not called off */
    bool doubtful; /* called off: may or may not be there */
    bool there;    /* by its future, or because nothing can keep it out */
    bool failed;
    bool found;
};

struct model {
    uint64_t random;
    struct weir_core *cores[CORES];
    struct weir_log *log;
    struct fake fake;
    struct fate fates[CORES][STEPS];
    char lines[CORES][STEPS][LINE_MAX_BYTES]; /* they may have to wait */
    unsigned next[CORES];
    unsigned last[CORES]; /* the latest whose future was resolved, plus one */
    unsigned files;
    bool out_of_order;
};

static struct model m;

static unsigned
draw(unsigned below)
{
    m.random ^= m.random << 13;
    m.random ^= m.random >> 7;
    m.random ^= m.random << 17;
    return (unsigned)(m.random >> 20) % below;
}

static weir_fut
note_fate(void *ctx, weir_fut in)
{
    struct fate *fate = ctx;
    const size_t at = (size_t)(fate - m.fates[0]), c = at / STEPS, i = at % STEPS;

    m.out_of_order |= fate->there || fate->failed || i < m.last[c];
    m.last[c] = (unsigned)i + 1;
    fate->there = weir_is_ready(in);
    fate->failed = weir_is_failed(in);
    return weir_ok(0);
}

static void
write_one(unsigned c)
{
    const unsigned i = m.next[c]++;
    struct fate *fate = &m.fates[c][i];
    char *line = m.lines[c][i];
    const size_t n = make_line(line, (char)('a' + c), i);
    weir_fut f;

    switch (draw(8)) {
    case 0:
        fate->failed = weir_log_append(m.log, line, n) != WEIR_E_OK;
        fate->doubtful = !fate->failed;
        return;
    case 1:
        f = weir_log_write(m.log, line, n);
        fate->failed = weir_is_failed(f);
        fate->doubtful = !fate->failed;
        weir_cancel(f);
        return;
    default:
        f = weir_log_write(m.log, line, n);
        if (weir_is_failed(f)) { /* refused at once: not in turn with those that sleep */
            fate->failed = true;
            return;
        }
        fate->asked = true;
        weir_detach(weir_always(f, note_fate, fate));
    }
}

/* Change what the kernel does. */
static void
change_kernel(void)
{
    static const int errors[] = { 0, 0, 0, ENOSPC, EIO };

    m.fake.room = draw(4000);
    m.fake.error = errors[draw(5)];
    m.fake.most = draw(2) == 0 ? 0 : 1 + draw(500);
    m.fake.stalls = draw(6) == 0;
    m.fake.sync_error = 0;
}

static void
move_file(void)
{
    char to[128];

    snprintf(to, sizeof(to), "%s/log.%03u", folder, m.files);
    if (rename(in_folder("log"), to) != 0)
        return; /* the one before has not been seen yet */
    m.files++;
    weir_log_reopen(m.log);
}

static void
step(void)
{
    const unsigned c = draw(CORES);

    weir_core_enter(m.cores[c]);
    for (unsigned n = draw(20); n > 0 && m.next[c] < STEPS; n--)
        write_one(c);
    if (draw(3) == 0)
        weir_detach(draw(2) == 0 ? weir_log_flush(m.log) : weir_log_sync(m.log));
    weir_core_run(m.cores[c], 1 + draw(100));
    if (draw(20) == 0)
        change_kernel();
    if (draw(100) == 0)
        move_file();
    if (draw(10) == 0)
        sleep_ms(1);
}

/* Mark the records that a file holds. */
static void
find_records(const char *path, unsigned next[26])
{
    size_t n, at = 0;
    char *text = read_file(path, &n), line[LINE_MAX_BYTES];

    assert_int_equal(check_lines(text, n, next, true), n);
    while (at < n) {
        const unsigned i = (unsigned)strtoul(text + at + 2, NULL, 10);

        m.fates[text[at] - 'a'][i].found = true;
        at += make_line(line, text[at], i);
    }
    free(text);
}

static void
find_all_records(void)
{
    unsigned next[26] = { 0 };
    char name[32];

    for (unsigned i = 0; i < m.files; i++) {
        snprintf(name, sizeof(name), "log.%03u", i);
        find_records(in_folder(name), next);
    }
    if (access(in_folder("log"), F_OK) == 0)
        find_records(in_folder("log"), next);
}

static void
check_fates(uint64_t written)
{
    uint64_t found = 0;

    for (unsigned c = 0; c < CORES; c++) {
        for (unsigned i = 0; i < STEPS; i++) {
            const struct fate *fate = &m.fates[c][i];

            found += fate->found;
            assert_false(fate->asked && !fate->there && !fate->failed);
            if (!fate->doubtful)
                assert_int_equal(fate->found, fate->there);
        }
    }
    assert_int_equal(found, written);
}

static void
run_model(uint64_t seed, enum weir_log_full full)
{
    const struct weir_log_opts opts = { .path = in_folder("log"),
                                        .full = full,
                                        .cores = CORES,
                                        .ring_size = 8192,
                                        .futures = 256,
                                        .waiting = 100 };
    struct weir_log_stats s;

    memset(&m, 0, sizeof(m));
    m.random = seed;
    m.log = open_fake(&opts, &m.fake);
    for (unsigned c = 0; c < CORES; c++)
        assert_int_equal(weir_core_new(NULL, &m.cores[c]), WEIR_E_OK);
    while (m.next[0] < STEPS || m.next[1] < STEPS || m.next[2] < STEPS)
        step();
    m.fake.error = 0;
    m.fake.stalls = false;
    for (unsigned c = 0; c < CORES; c++)
        while (core_sleeps_outside(m.cores[c]) > 0) {
            assert_true(core_wait_outside(m.cores[c], UINT64_C(10000000000)));
            weir_core_run(m.cores[c], 10000);
        }
    weir_core_enter(core);
    s = log_stats(m.log);
    weir_log_close(m.log, NULL);
    for (unsigned c = 0; c < CORES; c++) {
        weir_core_run(m.cores[c], 100000);
        assert_int_equal(weir_core_free(m.cores[c]), 0);
    }
    assert_false(m.out_of_order);
    assert_int_equal(s.held, 0);
    find_all_records();
    check_fates(s.records);
    if (full == WEIR_LOG_WAIT)
        assert_int_equal(s.failed, 0);
}

static void
run_seeds(enum weir_log_full full)
{
    const char *chosen = getenv("WEIR_SEED");
    const uint64_t first = chosen != NULL ? strtoull(chosen, NULL, 10) : 1;
    char command[128];

    for (uint64_t seed = first; seed < first + (chosen != NULL ? 1 : 6); seed++) {
        run_model(seed * UINT64_C(0x9e3779b97f4a7c15), full);
        snprintf(command, sizeof(command), "rm -f %s/log*", folder);
        assert_int_equal(system(command), 0);
    }
}

static void
records_that_wait(void **state)
{
    (void)state;
    run_seeds(WEIR_LOG_WAIT);
}

static void
records_that_are_dropped(void **state)
{
    (void)state;
    run_seeds(WEIR_LOG_DROP);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(records_that_wait),
        in_a_folder(records_that_are_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
