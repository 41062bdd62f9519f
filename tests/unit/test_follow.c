#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "port/follow.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* A section, an interface with a snapshot length of 20, and a packet without a time, of 24 bytes,
 * 20 of which are there. */
static const uint8_t capture[] = {
    0x0a, 0x0d, 0x0d, 0x0a, 28,   0,    0,    0,    0x4d, 0x3c, 0x2b, 0x1a, 1,   0,   /* */
    0,    0,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 28,   0,    0,   0,   /* */
    1,    0,    0,    0,    20,   0,    0,    0,    1,    0,    0,    0,    20,  0,   /* */
    0,    0,    20,   0,    0,    0,                                                  /* */
    3,    0,    0,    0,    36,   0,    0,    0,    24,   0,    0,    0,    'a', 'b', /* */
    'c',  'd',  'e',  'f',  'g',  'h',  'i',  'j',  'k',  'l',  'm',  'n',  'o', 'p', /* */
    'q',  'r',  's',  't',  36,   0,    0,    0,
};

enum { INTERFACE = 28, PACKET = 48, SIZE = sizeof(capture) };

/* What libpcap is to see of it. */
static void
change(uint8_t *bytes)
{
    memcpy(bytes, capture, SIZE);
    bytes[INTERFACE + 12] = 0;
    bytes[PACKET + 8] = 20;
}

static void
limits_are_taken_out(void **state)
{
    uint8_t want[SIZE], got[SIZE], more;
    struct follow f;
    FILE *stream;

    (void)state;
    change(want);
    for (size_t step = 1; step <= SIZE; step++) {
        stream = follow_open(&f, fmemopen((void *)capture, SIZE, "rb"));
        assert_non_null(stream);
        for (size_t i = 0; i < SIZE; i += step) {
            const size_t n = SIZE - i < step ? SIZE - i : step;

            assert_int_equal(fread(got + i, 1, n, stream), n);
        }
        assert_int_equal(fread(&more, 1, 1, stream), 0);
        assert_int_equal(f.wirelen, 24);
        assert_memory_equal(got, want, SIZE);
        fclose(stream);
        follow_free(&f);
    }
}

/* However far the file is read ahead, the record is the one that the last byte was of. */
static void
a_record_is_not_left_before_it_is_read(void **state)
{
    struct follow f;
    FILE *stream = follow_open(&f, fmemopen((void *)capture, SIZE, "rb"));

    (void)state;
    for (size_t i = 0; i < SIZE; i++) {
        assert_true(fgetc(stream) != EOF);
        assert_int_equal(f.at, i < INTERFACE ? 0 : i < PACKET ? INTERFACE : PACKET);
    }
    fclose(stream);
    follow_free(&f);
}

/* A writer that is slow: each byte comes alone. */
static void
pieces_make_a_whole(void **state)
{
    uint8_t want[SIZE], got[SIZE];
    struct follow f;
    int ends[2];
    FILE *stream;

    (void)state;
    change(want);
    assert_int_equal(pipe(ends), 0);
    if (fork() == 0) {
        for (size_t i = 0; i < SIZE; i++)
            if (write(ends[1], capture + i, 1) != 1 || usleep(50) != 0)
                _exit(1);
        _exit(0);
    }
    close(ends[1]);
    stream = follow_open(&f, fdopen(ends[0], "rb"));
    assert_int_equal(fread(got, 1, SIZE, stream), SIZE);
    assert_memory_equal(got, want, SIZE);
    fclose(stream);
    follow_free(&f);
    assert_true(wait(NULL) > 0);
}

static void
on_alarm(int number)
{
    (void)number;
}

/*
 * A signal while a head is waited for: who reads gets what is there, and then the error, at once.
 */
static void
a_signal_ends_the_wait(void **state)
{
    const struct sigaction action = { .sa_handler = on_alarm };
    const struct itimerval soon = { .it_value = { .tv_usec = 20000 } };

    (void)state;
    sigaction(SIGALRM, &action, NULL);
    for (size_t n = 0; n < SIZE; n++) {
        char got[SIZE];
        struct follow f;
        FILE *stream;
        int ends[2];

        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], capture, n), n);
        stream = follow_open(&f, fdopen(ends[0], "rb"));
        setitimer(ITIMER_REAL, &soon, NULL);
        assert_int_equal(fread(got, 1, SIZE, stream), n);
        assert_int_equal(errno, EINTR);
        assert_true(ferror(stream));
        fclose(stream);
        follow_free(&f);
        close(ends[1]);
    }
}

static void
every_cut_is_found(void **state)
{
    char got[SIZE];

    (void)state;
    for (size_t n = 1; n <= SIZE; n++) {
        struct follow f;
        FILE *stream = follow_open(&f, fmemopen((void *)capture, n, "rb"));
        const bool whole = n == INTERFACE || n == PACKET || n == SIZE;
        struct follow_end end;

        assert_int_equal(fread(got, 1, SIZE, stream), n);
        follow_stop(&f, &end);
        assert_int_equal(end.cut, n >= 24 && !whole); /* before, it might be anything */
        if (end.cut) {
            const uint64_t at = n < INTERFACE ? 0 : n < PACKET ? INTERFACE : PACKET;
            const uint64_t claimed = n < INTERFACE ? INTERFACE : n < PACKET ? 20 : 36;

            assert_int_equal(end.at, at);
            assert_int_equal(end.left, n - at);
            assert_int_equal(end.claimed, n - at < 12 ? 12 : claimed);
        }
        fclose(stream);
        follow_free(&f);
    }
}

/*
 * libpcap stops at a length that it does not like, with more behind: no cut, if a record ends
 * there.
 */
static void
what_is_there_is_not_cut(void **state)
{
    static const uint8_t lengths[] = { 0, 8, 12, 16, 30, 32, 36, 37, 40 };
    uint8_t bytes[SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(lengths); i++) {
        struct follow f;
        struct follow_end end;
        FILE *stream;
        char got[PACKET + 8];

        memcpy(bytes, capture, SIZE);
        bytes[PACKET + 4] = lengths[i];
        stream = follow_open(&f, fmemopen(bytes, SIZE, "rb"));
        assert_int_equal(fread(got, 1, sizeof(got), stream), sizeof(got));
        follow_stop(&f, &end);
        assert_int_equal(end.at, PACKET);
        assert_int_equal(end.left, 36);
        assert_int_equal(end.claimed, lengths[i]);
        assert_int_equal(end.cut, lengths[i] > 36);
        fclose(stream);
        follow_free(&f);
    }
}

/* What has no records that are known goes on as it is. */
static void
other_formats_pass(void **state)
{
    char bytes[100], got[101];
    struct follow f;
    struct follow_end end;
    FILE *stream;

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    stream = follow_open(&f, fmemopen(bytes, sizeof(bytes), "rb"));
    assert_int_equal(fread(got, 1, sizeof(got), stream), sizeof(bytes));
    assert_memory_equal(got, bytes, sizeof(bytes));
    assert_int_equal(f.format, FOLLOW_OTHER);
    follow_stop(&f, &end);
    assert_false(end.cut);
    fclose(stream);
    follow_free(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_are_taken_out),
        cmocka_unit_test(a_record_is_not_left_before_it_is_read),
        cmocka_unit_test(pieces_make_a_whole),
        cmocka_unit_test(a_signal_ends_the_wait),
        cmocka_unit_test(every_cut_is_found),
        cmocka_unit_test(what_is_there_is_not_cut),
        cmocka_unit_test(other_formats_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
