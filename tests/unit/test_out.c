#include "support/capture_out.h"

#include <weir/log.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

static struct out out;
static char text[1 << 16];

static int
open_it(void **state)
{
    (void)state;
    capture_open(&out);
    return 0;
}

static int
close_it(void **state)
{
    (void)state;
    if (out.log != NULL)
        capture_close(&out);
    return 0;
}

static void
assert_written(const char *expected)
{
    out_end_record(&out);
    assert_true(out_flush(&out));
    capture_text(text, sizeof(text));
    assert_string_equal(text, expected);
}

static void
only_complete_records_are_written(void **state)
{
    (void)state;
    out_str(&out, "one\n");
    out_end_record(&out);
    out_str(&out, "tw");
    assert_true(out_flush(&out));
    capture_text(text, sizeof(text));
    assert_string_equal(text, "one\n");
    out_str(&out, "o\n");
    assert_written("one\ntwo\n");
}

static void
numbers_of_all_sizes(void **state)
{
    static const int64_t numbers[] = { 0, 7, -1, INT64_MAX, INT64_MIN };

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        out_i64(&out, numbers[i]);
        out_char(&out, ' ');
    }
    out_u64(&out, UINT64_MAX);
    assert_written("0 7 -1 9223372036854775807 -9223372036854775808 18446744073709551615");
}

static void
width_pads_with_zeros_and_never_cuts(void **state)
{
    (void)state;
    out_u64_wide(&out, 42, 5);
    out_char(&out, ' ');
    out_u64_wide(&out, 123456, 3);
    out_char(&out, ' ');
    out_hex(&out, 0xbeef, 6);
    assert_written("00042 123456 00beef");
}

/* RFC 4648 section 10. */
static void
base64_gives_the_vectors_of_the_rfc(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 6; n++) {
        out_base64(&out, (const uint8_t *)"foobar", n);
        out_char(&out, '.');
    }
    assert_written(".Zg==.Zm8=.Zm9v.Zm9vYg==.Zm9vYmE=.Zm9vYmFy.");
}

static void
base64_of_every_bit(void **state)
{
    (void)state;
    out_base64(&out, (const uint8_t[]){ 0xff, 0xfe, 0xfb, 0x00 }, 4);
    assert_written("//77AA==");
}

static void
a_record_too_long_is_left_out_whole_and_counted(void **state)
{
    char *much = calloc(1, OUT_RECORD_MAX);

    (void)state;
    assert_non_null(much);
    out_str(&out, "before\n");
    out_end_record(&out);
    out_char(&out, 'x');
    out_bytes(&out, much, OUT_RECORD_MAX);
    out_str(&out, "behind");
    out_end_record(&out);
    free(much);
    assert_int_equal(out.lost, 1);
    out_str(&out, "after\n");
    assert_written("before\nafter\n");
    assert_int_equal(capture_close(&out), WEIR_E_LIMIT);
}

static void
the_longest_records_all_arrive(void **state)
{
    char *much = calloc(1, OUT_RECORD_MAX);
    const unsigned n = 5;

    (void)state;
    assert_non_null(much);
    for (unsigned i = 0; i < n; i++) {
        out_bytes(&out, much, OUT_RECORD_MAX);
        out_end_record(&out);
    }
    free(much);
    assert_true(out_flush(&out));
    assert_int_equal(lseek(capture_fd, 0, SEEK_END), (off_t)n * OUT_RECORD_MAX);
    assert_int_equal(out.lost, 0);
}

static void
a_full_disk_is_told_once_at_the_end(void **state)
{
    struct weir_errbuf err = { "" };
    struct out full;

    (void)state;
    assert_int_equal(out_open(&full, "/dev/full", false, &err), WEIR_E_OK);
    for (unsigned i = 0; i < 3; i++) {
        out_str(&full, "record\n");
        out_end_record(&full);
        assert_false(out_flush(&full));
    }
    assert_int_equal(full.lost, 2);
    assert_int_equal(out_close(&full, &err), WEIR_E_IO);
    assert_non_null(strstr(err.text, "/dev/full: "));
}

static void
a_file_is_appended_to(void **state)
{
    char path[] = "/tmp/weir-out-XXXXXX";
    const int fd = mkstemp(path);
    struct out file;

    (void)state;
    assert_true(fd >= 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(out_open(&file, path, false, NULL), WEIR_E_OK);
        out_u64(&file, i);
        out_end_record(&file);
        assert_int_equal(out_close(&file, NULL), WEIR_E_OK);
    }
    assert_int_equal(pread(fd, text, sizeof(text), 0), 2);
    assert_memory_equal(text, "01", 2);
    close(fd);
    unlink(path);
}

static void
a_folder_that_is_not_there_is_an_error_with_its_name(void **state)
{
    struct weir_errbuf err = { "" };
    struct out none;

    (void)state;
    assert_int_equal(out_open(&none, "/nonexistent/eve.json", false, &err), WEIR_E_IO);
    assert_non_null(strstr(err.text, "/nonexistent/eve.json: "));
}

enum { MANY = 200, LENGTH = 100000 }; /* five rings full */

/* A reader that comes late. ctx: the pipe; returns how many bytes came. */
static void *
read_later(void *ctx)
{
    static char room[1 << 16];
    const int fd = *(const int *)ctx;
    uintptr_t all = 0;
    ssize_t n;

    usleep(100000);
    while ((n = read(fd, room, sizeof(room))) > 0)
        all += (size_t)n;
    return (void *)all;
}

enum ending { REPLAY, LIVE, LIVE_END };

/* Write to a pipe whose reader comes late. Returns how many bytes it got. */
static size_t
write_to_late_reader(struct out *pipe_out, enum ending ending, uint64_t *dropped)
{
    static _Atomic int asked = 1;
    char *much = calloc(1, LENGTH);
    pthread_t thread;
    void *got;
    int fd[2];

    assert_non_null(much);
    assert_int_equal(pipe(fd), 0);
    assert_int_equal(out_open_fd(pipe_out, fd[1], "a pipe", ending != REPLAY, NULL), WEIR_E_OK);
    if (ending == LIVE_END) {
        pipe_out->stop = &asked;
        out_let_wait(pipe_out, UINT64_C(60000000000));
    }
    assert_int_equal(pthread_create(&thread, NULL, read_later, &fd[0]), 0);
    for (unsigned i = 0; i < MANY; i++) {
        out_bytes(pipe_out, much, LENGTH / 2);
        out_bytes(pipe_out, much, LENGTH - LENGTH / 2);
        out_end_record(pipe_out);
    }
    *dropped = pipe_out->dropped;
    assert_int_equal(out_close(pipe_out, NULL), WEIR_E_OK);
    close(fd[1]);
    pthread_join(thread, &got);
    close(fd[0]);
    free(much);
    return (uintptr_t)got;
}

static void
a_replay_waits_for_who_reads(void **state)
{
    struct out late;
    uint64_t dropped;

    (void)state;
    assert_int_equal(write_to_late_reader(&late, REPLAY, &dropped), MANY * LENGTH);
    assert_int_equal(dropped, 0);
}

static void
live_what_has_no_room_is_dropped_whole_and_counted(void **state)
{
    struct out late;
    uint64_t dropped;
    size_t got;

    (void)state;
    got = write_to_late_reader(&late, LIVE, &dropped);
    assert_in_range(dropped, MANY / 2, MANY - OUT_RING / LENGTH + 5);
    assert_int_equal(got, (MANY - dropped) * LENGTH);
}

static void
the_end_of_a_live_run_waits_for_who_reads(void **state)
{
    struct out late;
    uint64_t dropped;

    (void)state;
    assert_int_equal(write_to_late_reader(&late, LIVE_END, &dropped), MANY * LENGTH);
    assert_int_equal(dropped, 0);
}

static void
the_end_of_a_live_run_waits_not_for_ever(void **state)
{
    static char much[LENGTH];
    struct out stuck;
    int fd[2];

    (void)state;
    assert_int_equal(pipe(fd), 0);
    assert_int_equal(out_open_fd(&stuck, fd[1], "a pipe", true, NULL), WEIR_E_OK);
    out_let_wait(&stuck, UINT64_C(50000000));
    for (unsigned i = 0; i < MANY; i++) {
        out_bytes(&stuck, much, LENGTH);
        out_end_record(&stuck);
    }
    assert_in_range(stuck.dropped, MANY / 2, MANY - OUT_RING / LENGTH + 5);
    close(fd[0]);
    assert_int_equal(out_close(&stuck, NULL), WEIR_E_IO);
    close(fd[1]);
}

/* Write records until out_trouble() tells of something, for at most ten seconds. */
static int
write_until_trouble(struct out *to)
{
    int error = 0;

    for (int i = 0; i < 1000 && error == 0; i++) {
        out_str(to, "a record\n");
        out_end_record(to);
        usleep(10000);
        error = out_trouble(to);
    }
    return error;
}

static void
what_fails_live_is_told_once_until_it_works_again(void **state)
{
    char folder[] = "/tmp/weir-out-XXXXXX", path[64], bytes[16];
    struct out fifo;
    ssize_t n = 0;
    int fd;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/fifo", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(out_open(&fifo, path, true, NULL), WEIR_E_OK);
    assert_int_equal(write_until_trouble(&fifo), ENXIO);
    usleep(100000);
    assert_int_equal(out_trouble(&fifo), 0);
    assert_true((fd = open(path, O_RDONLY | O_NONBLOCK)) >= 0);
    for (int i = 0; i < 1000 && n <= 0; i++) {
        out_str(&fifo, "a record\n");
        out_end_record(&fifo);
        usleep(10000);
        n = read(fd, bytes, sizeof(bytes));
    }
    assert_true(n > 0);
    for (int i = 0; i < 1000 && fifo.in_trouble; i++) {
        out_str(&fifo, "a record\n");
        out_end_record(&fifo);
        usleep(10000);
        assert_int_equal(out_trouble(&fifo), 0);
    }
    assert_false(fifo.in_trouble);
    close(fd);
    assert_int_not_equal(write_until_trouble(&fifo), 0);
    (void)out_close(&fifo, NULL);
    unlink(path);
    rmdir(folder);
}

/* Nothing is lost, so it is no trouble: the old file goes on. */
static void
what_cannot_be_opened_anew_is_told_once(void **state)
{
    char folder[] = "/tmp/weir-out-XXXXXX", path[64], moved[80];
    struct out log;
    int error = 0;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/log", folder);
    snprintf(moved, sizeof(moved), "%s.1", path);
    assert_int_equal(out_open(&log, path, true, NULL), WEIR_E_OK);
    assert_int_equal(out_stays(&log), 0);
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    weir_log_reopen(log.log);
    for (int i = 0; i < 1000 && error == 0; i++) {
        usleep(10000);
        error = out_stays(&log);
    }
    assert_int_equal(error, EISDIR);
    assert_int_equal(out_stays(&log), 0);
    assert_int_equal(out_trouble(&log), 0);
    assert_int_equal(out_close(&log, NULL), WEIR_E_OK);
    unlink(moved);
    rmdir(path);
    rmdir(folder);
}

static void
closing_what_is_not_open_is_allowed(void **state)
{
    struct out none = { .log = NULL };

    (void)state;
    assert_int_equal(out_close(&none, NULL), WEIR_E_OK);
}

#define WITH_OUT(f) cmocka_unit_test_setup_teardown(f, open_it, close_it)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_OUT(only_complete_records_are_written),
        WITH_OUT(numbers_of_all_sizes),
        WITH_OUT(width_pads_with_zeros_and_never_cuts),
        WITH_OUT(base64_gives_the_vectors_of_the_rfc),
        WITH_OUT(base64_of_every_bit),
        WITH_OUT(a_record_too_long_is_left_out_whole_and_counted),
        WITH_OUT(the_longest_records_all_arrive),
        cmocka_unit_test(a_full_disk_is_told_once_at_the_end),
        cmocka_unit_test(a_file_is_appended_to),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_error_with_its_name),
        cmocka_unit_test(a_replay_waits_for_who_reads),
        cmocka_unit_test(live_what_has_no_room_is_dropped_whole_and_counted),
        cmocka_unit_test(the_end_of_a_live_run_waits_for_who_reads),
        cmocka_unit_test(the_end_of_a_live_run_waits_not_for_ever),
        cmocka_unit_test(what_fails_live_is_told_once_until_it_works_again),
        cmocka_unit_test(what_cannot_be_opened_anew_is_told_once),
        cmocka_unit_test(closing_what_is_not_open_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
