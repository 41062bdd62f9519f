/* What a log writes to: files that fill up or are moved, FIFOs, sockets, and a process killed. */
#include "unit/log_help.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

/* ---- opening ---- */

static void
a_folder_that_is_not_there_is_an_error_with_its_name(void **state)
{
    struct weir_errbuf err = { "" };
    struct weir_log *log;

    (void)state;
    assert_int_equal(
        weir_log_open(&(struct weir_log_opts){ .path = "/nonexistent/log" }, &log, &err),
        WEIR_E_IO);
    assert_null(log);
    assert_non_null(strstr(err.text, "/nonexistent/log: "));
    assert_int_equal(weir_log_open(&(struct weir_log_opts){ .fd = 99 }, &log, &err), WEIR_E_IO);
    assert_non_null(strstr(err.text, "descriptor 99: "));
    assert_int_equal(
        weir_log_open(&(struct weir_log_opts){ .fd = 99, .name = "packets" }, &log, &err),
        WEIR_E_IO);
    assert_non_null(strstr(err.text, "packets: "));
}

static void
io_uring_is_used_if_it_is_there_and_wanted(void **state)
{
    const struct weir_log_opts opts = { .path = in_folder("log"), .uring = WITH_URING };
    struct weir_errbuf err = { "" };
    struct weir_log *log;

    (void)state;
    assert_int_equal(weir_log_open(&opts, &log, &err), WEIR_E_OK);
    assert_int_equal(log_stats(log).uring, WITH_URING && err.text[0] == '\0');
    assert_true(err.text[0] == '\0' || strstr(err.text, "no io_uring: ") != NULL);
    assert_int_equal(weir_log_append(log, "one\n", 4), WEIR_E_OK);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
    assert_holds(in_folder("log"), "one\n");
}

static void
a_file_is_appended_to(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct weir_log *log = open_with(&(struct weir_log_opts){ .path = in_folder("log") });

        assert_int_equal(weir_log_append(log, "again\n", 6), WEIR_E_OK);
        assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
    }
    assert_holds(in_folder("log"), "again\nagain\n");
}

static void
a_descriptor_stays_its_owners(void **state)
{
    const int fd = open(in_folder("log"), O_RDWR | O_CREAT, 0600);
    struct weir_log *log = open_with(&(struct weir_log_opts){ .fd = fd });

    (void)state;
    assert_int_equal(weir_log_append(log, "one\n", 4), WEIR_E_OK);
    weir_log_reopen(log);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
    assert_int_equal(write(fd, "two\n", 4), 4);
    close(fd);
    assert_holds(in_folder("log"), "one\ntwo\n");
}

/* ---- errors ---- */

static bool
holds_whole_lines(const char *path)
{
    unsigned next[26] = { 0 };
    size_t n;
    char *text = read_file(path, &n);
    const bool whole = check_lines(text, n, next, false) == n;

    free(text);
    return whole;
}

/*
 * The disk is full in the middle of a record, and so often, and then has room again. An error is
 * counted before what is torn is cut off.
 */
static void
a_record_torn_by_a_full_disk_is_cut_off_and_written_again(void **state)
{
    struct fake fake = { .error = ENOSPC };
    struct weir_log *log;
    char line[LINE_MAX_BYTES];
    unsigned next[26] = { 0 }, i = 0;

    (void)state;
    fake.room = 150;
    log = open_fake(&(struct weir_log_opts){ .path = in_folder("log") }, &fake);
    for (unsigned turn = 0; turn < 5; turn++) {
        for (unsigned k = 0; k < 20; k++, i++)
            assert_int_equal(weir_log_append(log, line, make_line(line, 'a', i)), WEIR_E_OK);
        assert_true(run_until(log_stats(log).errors > turn && holds_whole_lines(in_folder("log"))));
        fake.room = 321;
    }
    fake.error = 0;
    assert_int_equal(weir_log_drain(log), WEIR_E_OK);
    assert_true(log_stats(log).cut_back >= 3);
    assert_int_equal(log_stats(log).failed, 0);
    assert_int_equal(log_stats(log).last_errno, ENOSPC);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
    assert_lines(in_folder("log"), next, false);
    assert_int_equal(next[0], i);
}

static void
where_records_are_dropped_an_error_fails_them_and_logging_goes_on(void **state)
{
    struct fake fake = { .error = ENOSPC };
    struct weir_log *log;
    char line[LINE_MAX_BYTES];
    struct seen seen[20], later;
    struct weir_errbuf err = { "" };
    unsigned next[26] = { 0 };

    (void)state;
    fake.room = 500;
    fake.holds = true;
    log = open_fake(&(struct weir_log_opts){ .path = in_folder("log"), .full = WEIR_LOG_DROP },
                    &fake);
    for (unsigned i = 0; i < 20; i++)
        watch(weir_log_write(log, line, make_line(line, 'a', i)), &seen[i]);
    fake.holds = false;
    assert_true(run_until(seen[19].times > 0));
    assert_outcome(seen[0], WEIR_E_OK, 0);
    assert_outcome(seen[19], WEIR_E_IO, 0);
    fake.error = 0;
    watch(weir_log_write(log, line, make_line(line, 'a', 20)), &later);
    assert_true(run_until(later.times > 0));
    assert_outcome(later, WEIR_E_OK, 0);
    assert_int_equal(log_stats(log).failed + log_stats(log).records, 21);
    assert_true(log_stats(log).failed > 5);
    assert_int_equal(weir_log_close(log, &err), WEIR_E_IO); /* something was lost */
    assert_non_null(strstr(err.text, "No space left on device: "));
    assert_non_null(strstr(err.text, " records were lost"));
    assert_lines(in_folder("log"), next, true);
    assert_int_equal(next[0], 21);
}

static void
a_final_error_ends_the_log(void **state)
{
    struct weir_log *log = open_with(&(struct weir_log_opts){ .path = "/dev/full", .final = true });
    struct weir_errbuf err = { "" };
    struct seen seen;

    (void)state;
    watch(weir_log_write(log, "one\n", 4), &seen);
    assert_true(run_until(seen.times > 0));
    assert_outcome(seen, WEIR_E_IO, 0);
    assert_int_equal(weir_log_append(log, "two\n", 4), WEIR_E_IO);
    assert_int_equal(weir_log_drain(log), WEIR_E_IO);
    watch(weir_log_write(log, "two\n", 4), &seen);
    assert_outcome(seen, WEIR_E_IO, 0);
    watch(weir_log_flush(log), &seen);
    assert_outcome(seen, WEIR_E_IO, 0);
    assert_int_equal(log_stats(log).failed, 1);
    assert_int_equal(log_stats(log).errors, 1);
    assert_int_equal(weir_log_close(log, &err), WEIR_E_IO);
    assert_non_null(strstr(err.text, "/dev/full: No space left"));
}

/*
 * With a write that blocks, this would never end. The descriptor's other users see no difference.
 */
static void
a_pipe_that_nobody_reads_does_not_hold_up_the_end(void **state)
{
    static char much[4096];
    int fd[2];
    struct weir_log *log;

    (void)state;
    assert_int_equal(pipe(fd), 0);
    log = open_with(&(struct weir_log_opts){ .fd = fd[1], .linger_ms = 50 });
    for (int i = 0; i < 100; i++)
        assert_int_equal(weir_log_append(log, much, sizeof(much)), WEIR_E_OK);
    assert_true(run_until(log_stats(log).records > 0));
    assert_int_equal(fcntl(fd[1], F_GETFL) & O_NONBLOCK, 0);
    alarm(20);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_IO);
    alarm(0);
    assert_true(fcntl(fd[1], F_GETFL) >= 0);
    close(fd[0]);
    close(fd[1]);
}

static void
dev_full_is_tried_again_and_held_until_the_end(void **state)
{
    struct weir_log *log = open_with(
        &(struct weir_log_opts){ .path = "/dev/full", .linger_ms = 50 });
    struct seen seen;

    (void)state;
    watch(weir_log_write(log, "one\n", 4), &seen);
    assert_true(run_until(log_stats(log).errors >= 3));
    assert_int_equal(seen.times, 0);
    assert_true(log_stats(log).held > 0);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_IO);
    run_all();
    assert_outcome(seen, WEIR_E_IO, 0);
}

static void
set_file_limit(rlim_t bytes)
{
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ bytes, RLIM_INFINITY }), 0);
}

/* The kernel's own way to tear a record: it takes what fits, and raises SIGXFSZ at the next try. */
static void
a_file_at_its_size_limit_holds_whole_records_and_kills_nobody(void **state)
{
    struct weir_log *log = open_with(&(struct weir_log_opts){ .path = in_folder("log") });
    char line[LINE_MAX_BYTES];
    unsigned next[26] = { 0 };

    (void)state;
    set_file_limit(5003);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(weir_log_append(log, line, make_line(line, 'a', i)), WEIR_E_OK);
    assert_true(run_until(log_stats(log).errors >= 2));
    set_file_limit(RLIM_INFINITY);
    assert_int_equal(log_stats(log).last_errno, EFBIG);
    assert_true(log_stats(log).cut_back >= 1);
    assert_int_equal(weir_log_drain(log), WEIR_E_OK);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
    assert_lines(in_folder("log"), next, false);
    assert_int_equal(next[0], 100);
}

/* ---- rotation ---- */

static void
what_was_written_before_goes_to_the_old_file(void **state)
{
    struct fake fake = { .holds = true };
    struct weir_log *log = open_fake(&(struct weir_log_opts){ .path = in_folder("log") }, &fake);

    (void)state;
    assert_int_equal(weir_log_append(log, "old\n", 4), WEIR_E_OK);
    assert_int_equal(rename(in_folder("log"), in_folder("log.1")), 0);
    assert_int_equal(weir_log_append(log, "old too\n", 8), WEIR_E_OK);
    weir_log_reopen(log);
    assert_int_equal(weir_log_append(log, "new\n", 4), WEIR_E_OK);
    fake.holds = false;
    assert_int_equal(weir_log_drain(log), WEIR_E_OK);
    assert_int_equal(log_stats(log).reopened, 1);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
    assert_holds(in_folder("log.1"), "old\nold too\n");
    assert_holds(in_folder("log"), "new\n");
}

static void
a_file_that_cannot_be_opened_again_stays_in_use(void **state)
{
    struct weir_log *log = open_with(&(struct weir_log_opts){ .path = in_folder("log") });

    (void)state;
    assert_int_equal(rename(in_folder("log"), in_folder("log.1")), 0);
    assert_int_equal(mkdir(in_folder("log"), 0700), 0);
    weir_log_reopen(log);
    assert_int_equal(weir_log_append(log, "one\n", 4), WEIR_E_OK);
    assert_true(run_until(log_stats(log).errors > 0));
    assert_int_equal(weir_log_drain(log), WEIR_E_OK);
    assert_int_equal(log_stats(log).reopened, 0);
    assert_int_equal(log_stats(log).not_reopened, 1);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
    assert_holds(in_folder("log.1"), "one\n");
}

static struct weir_log *signalled;

static void
on_hup(int number)
{
    (void)number;
    weir_log_reopen(signalled);
}

enum { ROTATIONS = 20 };

/* Moves the file away and sends SIGHUP, again and again, while lines are being written. */
static void *
rotate(void *arg)
{
    const pthread_t writer = *(const pthread_t *)arg;
    char to[128];

    for (unsigned i = 0; i < ROTATIONS; i++) {
        snprintf(to, sizeof(to), "%s/log.%u", folder, i);
        sleep_ms(7);
        if (rename(in_folder("log"), to) != 0)
            return NULL;
        pthread_kill(writer, SIGHUP);
        while (log_stats(signalled).reopened <= i)
            sleep_ms(1);
    }
    return arg;
}

static void
no_record_is_lost_or_torn_by_rotation_under_load(void **state)
{
    const pthread_t self = pthread_self();
    struct sigaction hup = { .sa_handler = on_hup }, before;
    char line[LINE_MAX_BYTES], name[16];
    unsigned next[26] = { 0 }, n = 0;
    pthread_t thread;
    void *good;

    (void)state;
    signalled = open_with(&(struct weir_log_opts){ .path = in_folder("log"), .ring_size = 65536 });
    sigaction(SIGHUP, &hup, &before);
    assert_int_equal(pthread_create(&thread, NULL, rotate, (void *)(uintptr_t)&self), 0);
    while (log_stats(signalled).reopened < ROTATIONS) {
        assert_int_equal(weir_log_wait_room(signalled, LINE_MAX_BYTES), WEIR_E_OK);
        assert_int_equal(weir_log_append(signalled, line, make_line(line, 'a', n)), WEIR_E_OK);
        n++;
    }
    pthread_join(thread, &good);
    assert_non_null(good);
    assert_int_equal(weir_log_close(signalled, NULL), WEIR_E_OK);
    sigaction(SIGHUP, &before, NULL);
    for (unsigned i = 0; i < ROTATIONS; i++) {
        snprintf(name, sizeof(name), "log.%u", i);
        assert_lines(in_folder(name), next, false);
    }
    assert_lines(in_folder("log"), next, false);
    assert_int_equal(next[0], n);
}

/* ---- FIFOs ---- */

/* Read what comes within ms, into text; returns how much. */
static size_t
read_for(int fd, char *text, size_t size, unsigned ms)
{
    const uint64_t begin = now_ms();
    size_t n = 0;

    while (now_ms() - begin < ms && n < size) {
        const ssize_t got = read(fd, text + n, size - n);

        if (got > 0)
            n += (size_t)got;
        else
            sleep_ms(1);
        run_all();
    }
    return n;
}

static int
open_reader(const char *path)
{
    const int fd = open(path, O_RDONLY | O_NONBLOCK);

    assert_true(fd >= 0);
    return fd;
}

static void
a_fifo_is_served_when_its_reader_comes_and_when_it_comes_back(void **state)
{
    struct weir_log *log;
    char text[64];
    int fd;

    (void)state;
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    log = open_with(&(struct weir_log_opts){ .path = in_folder("fifo") });
    assert_int_equal(weir_log_append(log, "one\n", 4), WEIR_E_OK);
    sleep_ms(30);
    assert_int_equal(log_stats(log).held > 0, true);
    fd = open_reader(in_folder("fifo"));
    assert_int_equal(weir_log_drain(log), WEIR_E_OK);
    assert_int_equal(read(fd, text, sizeof(text)), 4);
    close(fd);
    assert_int_equal(weir_log_append(log, "two\n", 4), WEIR_E_OK); /* EPIPE, and no SIGPIPE */
    assert_true(run_until(log_stats(log).reconnects == 1));
    fd = open_reader(in_folder("fifo"));
    assert_int_equal(weir_log_drain(log), WEIR_E_OK);
    assert_int_equal(read(fd, text, sizeof(text)), 4);
    assert_memory_equal(text, "two\n", 4);
    close(fd);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
}

static void
a_fifo_nobody_reads_drops_and_counts(void **state)
{
    struct weir_log *log;
    struct seen seen;

    (void)state;
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    log = open_with(&(struct weir_log_opts){
        .path = in_folder("fifo"), .full = WEIR_LOG_DROP, .linger_ms = 10 });
    watch(weir_log_write(log, "one\n", 4), &seen);
    assert_true(run_until(seen.times > 0));
    assert_outcome(seen, WEIR_E_IO, 0);
    assert_int_equal(log_stats(log).failed, 1);
    assert_int_equal(log_stats(log).last_errno, ENXIO);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_IO);
}

/* The pipe holds 64 KiB and cuts records where it likes; a reader that pauses gets all of them. */
static void
a_slow_reader_gets_whole_records(void **state)
{
    struct weir_log *log;
    char *text = malloc(1 << 20), line[LINE_MAX_BYTES];
    unsigned next[26] = { 0 };
    size_t n;
    int fd;

    (void)state;
    assert_non_null(text);
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    fd = open_reader(in_folder("fifo"));
    log = open_with(&(struct weir_log_opts){ .path = in_folder("fifo"), .ring_size = 1 << 20 });
    for (unsigned i = 0; i < 3000; i++)
        assert_int_equal(weir_log_append(log, line, make_line(line, 'a', i)), WEIR_E_OK);
    sleep_ms(200);
    assert_in_range(log_stats(log).bytes, 60000, 65536);
    n = read_for(fd, text, 1 << 20, 300);
    assert_int_equal(check_lines(text, n, next, false), n);
    assert_int_equal(next[0], 3000);
    assert_int_equal(log_stats(log).errors, 0);
    close(fd);
    free(text);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
}

/* What the old reader left unread is lost with it; the new one begins with a whole record. */
static void
a_reader_that_comes_back_begins_with_a_whole_record(void **state)
{
    struct weir_log *log;
    char *text = malloc(1 << 20), line[LINE_MAX_BYTES];
    unsigned next[26] = { 0 };
    size_t n;
    int fd;

    (void)state;
    assert_non_null(text);
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    fd = open_reader(in_folder("fifo"));
    log = open_with(&(struct weir_log_opts){ .path = in_folder("fifo"), .ring_size = 1 << 20 });
    for (unsigned i = 0; i < 3000; i++)
        assert_int_equal(weir_log_append(log, line, make_line(line, 'a', i)), WEIR_E_OK);
    assert_true(run_until(log_stats(log).bytes > 60000)); /* the pipe is full, within a record */
    sleep_ms(20);
    close(fd);
    assert_true(run_until(log_stats(log).reconnects == 1));
    fd = open_reader(in_folder("fifo"));
    n = read_for(fd, text, 1 << 20, 1500);
    assert_int_equal(sscanf(text, "a %u ", &next[0]), 1);
    assert_in_range(next[0], 400, 1000);
    assert_int_equal(check_lines(text, n, next, false), n);
    assert_int_equal(next[0], 3000);
    close(fd);
    free(text);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
}

/* ---- sockets ---- */

static int
listen_at(const char *path, int type)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    const int fd = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);

    strncpy(addr.sun_path, path, sizeof(addr.sun_path) - 1);
    unlink(path);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 5), 0);
    return fd;
}

static int
accept_soon(int listener)
{
    int fd = -1;

    assert_true(run_until((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0));
    return fd;
}

static void
a_stream_socket_may_come_later_and_again(void **state)
{
    const int early = listen_at(in_folder("socket"), SOCK_STREAM);
    char url[160], text[64];
    struct weir_log *log;
    int listener, fd;

    (void)state;
    close(early); /* its file stays, and refuses connections */
    snprintf(url, sizeof(url), "unix:%s", in_folder("socket"));
    log = open_with(&(struct weir_log_opts){ .path = url });
    assert_int_equal(weir_log_append(log, "one\n", 4), WEIR_E_OK);
    sleep_ms(20);
    listener = listen_at(in_folder("socket"), SOCK_STREAM);
    fd = accept_soon(listener);
    assert_int_equal(weir_log_drain(log), WEIR_E_OK);
    assert_int_equal(read_for(fd, text, 4, 1000), 4);
    close(fd);
    assert_int_equal(weir_log_append(log, "two\n", 4), WEIR_E_OK);
    fd = accept_soon(listener);
    assert_int_equal(read_for(fd, text, 4, 1000), 4);
    assert_memory_equal(text, "two\n", 4);
    assert_int_equal(log_stats(log).reconnects, 1);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
    close(fd);
    close(listener);
}

static void
a_datagram_socket_gets_a_record_a_datagram(void **state)
{
    const int fd = listen_at(in_folder("socket"), SOCK_DGRAM);
    struct weir_log *log = open_with(
        &(struct weir_log_opts){ .path = in_folder("socket"), .ring_size = 4 << 20 });
    char *much = calloc(1, 1 << 20), text[LINE_MAX_BYTES], line[LINE_MAX_BYTES];
    struct seen seen;

    (void)state;
    assert_non_null(much);
    watch(weir_log_write(log, much, 1 << 20), &seen); /* more than a datagram may have */
    for (unsigned i = 0; i < 200; i++)                /* more than the socket's queue may have */
        assert_int_equal(weir_log_append(log, line, make_line(line, 'a', i)), WEIR_E_OK);
    for (unsigned i = 0; i < 200; i++) {
        ssize_t n = -1;

        assert_true(run_until((n = read(fd, text, sizeof(text))) >= 0));
        assert_int_equal(n, make_line(line, 'a', i));
        assert_memory_equal(text, line, (size_t)n);
    }
    assert_true(run_until(seen.times > 0));
    assert_outcome(seen, WEIR_E_IO, 0);
    assert_int_equal(log_stats(log).records, 200);
    assert_int_equal(log_stats(log).failed, 1);
    assert_int_equal(log_stats(log).last_errno, EMSGSIZE);
    free(much);
    close(fd);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_IO);
}

/* ---- death ---- */

struct acked {
    _Atomic unsigned lines; /* whose futures have resolved */
};

static weir_fut
ack(void *ctx, weir_fut in)
{
    atomic_fetch_add(&((struct acked *)ctx)->lines, weir_is_ready(in));
    return weir_ok(0);
}

/* Write lines for ever. */
static void
write_until_killed(struct acked *acked)
{
    struct weir_core *mine;
    struct weir_log *log;
    char line[LINE_MAX_BYTES];

    if (weir_core_new(NULL, &mine) != WEIR_E_OK)
        _exit(1);
    weir_core_enter(mine);
    log = open_with(&(struct weir_log_opts){
        .path = in_folder("log"), .ring_size = 1 << 20, .futures = 1 << 17 });
    for (unsigned i = 0;; i++) {
        (void)weir_log_wait_room(log, LINE_MAX_BYTES);
        while (weir_core_run(mine, 1000) > 0)
            continue;
        weir_detach(weir_always(weir_log_write(log, line, make_line(line, 'a', i)), ack, acked));
    }
}

/*
 * What holds after SIGKILL: every record whose future had resolved is in the file; the file is
 * whole records, in order, but for the last, of which the kernel may have taken a part.
 */
static void
a_killed_process_leaves_whole_records_but_for_the_last(void **state)
{
    struct acked *acked = mmap(NULL, sizeof(*acked), PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    (void)state;
    assert_true(acked != MAP_FAILED);
    for (unsigned turn = 0; turn < 5; turn++) {
        unsigned next[26] = { 0 };
        size_t n, good;
        char *text;
        pid_t child;

        unlink(in_folder("log"));
        acked->lines = 0;
        if ((child = fork()) == 0)
            write_until_killed(acked);
        assert_true(run_until(acked->lines > 1000 * (turn + 1)));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        text = read_file(in_folder("log"), &n);
        good = check_lines(text, n, next, false);
        assert_true(n - good < LINE_MAX_BYTES);
        assert_null(strchr(text + good, '\n'));
        assert_true(next[0] >= acked->lines);
        free(text);
    }
    munmap(acked, sizeof(*acked));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_folder_that_is_not_there_is_an_error_with_its_name),
        in_a_folder(io_uring_is_used_if_it_is_there_and_wanted),
        in_a_folder(a_file_is_appended_to),
        in_a_folder(a_descriptor_stays_its_owners),
        in_a_folder(a_record_torn_by_a_full_disk_is_cut_off_and_written_again),
        in_a_folder(where_records_are_dropped_an_error_fails_them_and_logging_goes_on),
        in_a_folder(a_final_error_ends_the_log),
        in_a_folder(a_pipe_that_nobody_reads_does_not_hold_up_the_end),
        in_a_folder(dev_full_is_tried_again_and_held_until_the_end),
        in_a_folder(a_file_at_its_size_limit_holds_whole_records_and_kills_nobody),
        in_a_folder(what_was_written_before_goes_to_the_old_file),
        in_a_folder(a_file_that_cannot_be_opened_again_stays_in_use),
        in_a_folder(no_record_is_lost_or_torn_by_rotation_under_load),
        in_a_folder(a_fifo_is_served_when_its_reader_comes_and_when_it_comes_back),
        in_a_folder(a_fifo_nobody_reads_drops_and_counts),
        in_a_folder(a_slow_reader_gets_whole_records),
        in_a_folder(a_reader_that_comes_back_begins_with_a_whole_record),
        in_a_folder(a_stream_socket_may_come_later_and_again),
        in_a_folder(a_datagram_socket_gets_a_record_a_datagram),
        in_a_folder(a_killed_process_leaves_whole_records_but_for_the_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
