/*
 * What the tests of logs share: a folder for each test, a log into a kernel that does what the test
 * says, and lines that say where they come from.
 */
#ifndef LOG_HELP_H
#define LOG_HELP_H

#include "unit/future_help.h"

#include "file/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char folder[64];

/* A path in the test's folder; good until the next but seven. */
static inline const char *
in_folder(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static inline int
make_folder(void **state)
{
    strcpy(folder, "/tmp/weir-log-XXXXXX");
    return mkdtemp(folder) != NULL ? enter_core(state) : -1;
}

static inline int
remove_folder(void **state)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return leave_core(state) == 0 && system(command) == 0 ? 0 : -1;
}

#define in_a_folder(fact) cmocka_unit_test_setup_teardown(fact, make_folder, remove_folder)

static inline void
sleep_ms(unsigned ms)
{
    const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

    nanosleep(&t, NULL);
}

static inline uint64_t
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Run the core until the condition holds; false after ten seconds. */
#define run_until(condition)                                                                       \
    ({                                                                                             \
        const uint64_t begin_ms = now_ms();                                                        \
        bool holds_now;                                                                            \
        while (!(holds_now = (condition)) && now_ms() - begin_ms < 10000) {                        \
            run_all();                                                                             \
            sleep_ms(1);                                                                           \
        }                                                                                          \
        holds_now;                                                                                 \
    })

#ifndef WITH_URING
#define WITH_URING false
#endif

static inline struct weir_log *
open_with(const struct weir_log_opts *opts)
{
    struct weir_log_opts copy = *opts;
    struct weir_errbuf err = { "" };
    struct weir_log *log;

    copy.uring = WITH_URING;
    if (weir_log_open(&copy, &log, &err) != WEIR_E_OK)
        fail_msg("%s", err.text);
    return log;
}

static inline struct weir_log_stats
log_stats(const struct weir_log *log)
{
    struct weir_log_stats s;

    weir_log_get_stats(log, &s);
    return s;
}

/* A file's bytes, and a zero behind them; to be freed. */
static inline char *
read_file(const char *path, size_t *n)
{
    FILE *file = fopen(path, "r");
    char *text;

    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *n = (size_t)ftell(file);
    rewind(file);
    text = malloc(*n + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, *n, file), *n);
    text[*n] = '\0';
    fclose(file);
    return text;
}

static inline void
assert_holds(const char *path, const char *expected)
{
    size_t n;
    char *text = read_file(path, &n);

    assert_string_equal(text, expected);
    free(text);
}

/* ---- lines that tell who wrote them, which they are, and whether they are whole ---- */

enum { LINE_MAX_BYTES = 300 };

/* "W NUMBER xxxx.\n" of writer W, with a length that the number decides. */
static inline size_t
make_line(char line[LINE_MAX_BYTES], char writer, unsigned number)
{
    const int head = snprintf(line, LINE_MAX_BYTES, "%c %u ", writer, number);
    const size_t n = (size_t)head + number * 2654435761U % 200;

    memset(line + head, 'x', n - (size_t)head);
    line[n] = '.';
    line[n + 1] = '\n';
    return n + 2;
}

/*
 * Go through lines and check each; next[] says for each writer ('a' the first) which number comes
 * next. With skips, some may be missing. @return how much of the text was whole lines of these.
 */
static inline size_t
check_lines(const char *text, size_t n, unsigned next[26], bool skips)
{
    char line[LINE_MAX_BYTES];
    size_t at = 0, size;

    for (; at + 3 < n && text[at] >= 'a' && text[at] <= 'z'; at += size) {
        const unsigned number = (unsigned)strtoul(text + at + 2, NULL, 10);
        unsigned *expected = &next[text[at] - 'a'];

        size = make_line(line, text[at], number);
        if (number < *expected || (!skips && number != *expected) || n - at < size ||
            memcmp(text + at, line, size) != 0)
            break;
        *expected = number + 1;
    }
    return at;
}

/* All of a file is whole lines, in order, going on from next[]. */
static inline void
assert_lines(const char *path, unsigned next[26], bool skips)
{
    size_t n;
    char *text = read_file(path, &n);

    assert_int_equal(check_lines(text, n, next, skips), n);
    free(text);
}

/* ---- a kernel that does what it is told ---- */

struct fake {
    _Atomic bool holds;  /* every write blocks */
    _Atomic bool stalls; /* EAGAIN */
    _Atomic int error;   /* errno of every write; 0: none */
    _Atomic int sync_error;
    _Atomic uint64_t room; /* bytes that go in before the error */
    _Atomic uint64_t most; /* of a write; 0: any */
    _Atomic unsigned writes, syncs;
};

static inline ssize_t
fake_write(void *arg, int fd, const struct iovec *iov, int n)
{
    struct fake *fake = arg;
    uint64_t most = fake->most != 0 ? fake->most : UINT64_MAX, done = 0;

    while (fake->holds)
        sleep_ms(1);
    fake->writes++;
    if (fake->stalls || (fake->error != 0 && fake->room == 0)) {
        errno = fake->stalls ? EAGAIN : fake->error;
        return -1;
    }
    if (fake->error != 0 && fake->room < most)
        most = fake->room;
    for (int i = 0; i < n && done < most; i++) {
        const size_t want = iov[i].iov_len < most - done ? iov[i].iov_len : (size_t)(most - done);

        if (write(fd, iov[i].iov_base, want) != (ssize_t)want)
            abort();
        done += want;
    }
    if (fake->error != 0)
        fake->room -= done;
    return (ssize_t)done;
}

static inline int
fake_sync(void *arg, int fd)
{
    struct fake *fake = arg;

    (void)fd;
    fake->syncs++;
    errno = fake->sync_error;
    return fake->sync_error != 0 ? -1 : 0;
}

static inline struct weir_log *
open_fake(const struct weir_log_opts *opts, struct fake *fake)
{
    static const struct target_ops ops = { fake_write, fake_sync };
    struct weir_errbuf err = { "" };
    struct weir_log *log;

    if (log_open_with(opts, &ops, fake, &log, &err) != WEIR_E_OK)
        fail_msg("%s", err.text);
    return log;
}

#endif
