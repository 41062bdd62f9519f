#include "top.h"

#include "cli.h"
#include "top_table.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_PATH "/run/weir.sock"

enum {
    PATIENCE_MS = 5000, /* for an answer; the program says busy after two seconds */
    ROWS = 24,          /* of a terminal that does not say */
    COLUMNS = 80,
};

enum answer { ANSWER_OK, ANSWER_NONE, ANSWER_STOPPED };

struct top {
    const char *path;
    double interval; /* seconds */
    bool once;
    int fd;
    char title[80]; /* "weir-ids 0.1.0" */
    char note[128]; /* what hinders; "": nothing */
    char why[192];  /* ANSWER_NONE */
    char in[sizeof(((struct reply *)NULL)->at)];
    size_t n; /* of in: the last answer, without its newline */
    struct top_sample sample[2];
    const struct top_sample *before, *now;
    uint64_t before_at, now_at; /* monotonic ns */
    sigset_t waiting;           /* signals that are blocked while it waits */
};

/* ---- signals ------------------------------------------------------------------------------- */

static volatile sig_atomic_t stop, suspend, resized;

static void
on_signal(int number)
{
    if (number == SIGWINCH)
        resized = 1;
    else if (number == SIGTSTP)
        suspend = 1;
    else
        stop = 1;
}

/* They come only while the program waits, so none is missed between a look and the wait. */
static void
catch_signals(struct top *top)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH };
    const struct sigaction action = { .sa_handler = on_signal };
    sigset_t set;

    sigemptyset(&set);
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        sigaddset(&set, numbers[i]);
    sigprocmask(SIG_BLOCK, &set, &top->waiting);
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        sigaction(numbers[i], &action, NULL);
}

/* ---- the socket ---------------------------------------------------------------------------- */

static uint64_t
clock_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int
say(const char *path, const char *what, const char *then)
{
    fprintf(stderr, "weir top: %s: %s%s\n", path, what, then);
    return EXIT_FAILED;
}

/* Why nobody answers at the path, and what to do. */
static int
say_why(const char *path, int error)
{
    char then[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 128] = "";
    struct stat st = { .st_mode = 0 };
    const bool there = stat(path, &st) == 0;

    if (there && !S_ISSOCK(st.st_mode))
        return say(path, "it is no socket: name the one that the program was given with --control",
                   "");
    if (error == ENOENT)
        snprintf(then, sizeof(then),
                 " (start weir, weir-ids or weir-prads with --control %s, or name its socket here)",
                 path);
    else if (error == ECONNREFUSED)
        snprintf(then, sizeof(then), " (the program has ended: start it again with --control %s)",
                 path);
    else if ((error == EACCES || error == EPERM) && there)
        snprintf(then, sizeof(then), " (only user %u, whose it is, and root may ask)",
                 (unsigned)st.st_uid);
    return say(path, strerror(error), then);
}

static int
dial(struct top *top)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    memcpy(address.sun_path, top->path, strlen(top->path));
    top->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (top->fd < 0)
        return say(top->path, strerror(errno), "");
    if (connect(top->fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return EXIT_DONE;
    return say_why(top->path, errno);
}

/* Wait until the socket has something, or until the time. Returns poll()'s answer. */
static int
wait_until(struct top *top, struct pollfd *fds, unsigned n, uint64_t until)
{
    const uint64_t now = clock_ns(), left = until > now ? until - now : 0;
    const struct timespec time = { .tv_sec = (time_t)(left / 1000000000),
                                   .tv_nsec = (long)(left % 1000000000) };

    return ppoll(fds, n, &time, &top->waiting);
}

static enum answer
no_answer(struct top *top, const char *why)
{
    snprintf(top->why, sizeof(top->why), "%s", why);
    return ANSWER_NONE;
}

/* One more piece of the answer. ANSWER_OK: go on. */
static enum answer
receive(struct top *top, uint64_t until)
{
    struct pollfd fd = { .fd = top->fd, .events = POLLIN };
    const int ready = wait_until(top, &fd, 1, until);
    ssize_t n;

    if (stop)
        return ANSWER_STOPPED;
    if (ready < 0 && errno == EINTR)
        return ANSWER_OK;
    if (ready <= 0)
        return no_answer(top, "there is no answer");
    if (top->n == sizeof(top->in))
        return no_answer(top, "the answer is none of weir's");
    n = recv(top->fd, top->in + top->n, sizeof(top->in) - top->n, 0);
    if (n == 0 || (n < 0 && errno == ECONNRESET))
        return no_answer(top, "the program has ended");
    if (n < 0 && errno != EINTR)
        return no_answer(top, strerror(errno));
    top->n += n > 0 ? (size_t)n : 0;
    return ANSWER_OK;
}

/* Send a line, and read the one that answers it. */
static enum answer
ask(struct top *top, const char *line)
{
    const uint64_t until = clock_ns() + UINT64_C(1000000) * PATIENCE_MS;
    enum answer answer = ANSWER_OK;

    top->n = 0;
    /* What is refused was told before: the answer says why. */
    (void)!send(top->fd, line, strlen(line), MSG_NOSIGNAL);
    while (answer == ANSWER_OK && (top->n == 0 || top->in[top->n - 1] != '\n'))
        answer = receive(top, until);
    top->n -= answer == ANSWER_OK;
    return answer;
}

static enum answer
ask_title(struct top *top)
{
    char program[32], version[32], error[128];
    enum answer answer = ask(top, "version\n");

    if (answer != ANSWER_OK)
        return answer;
    if (top_text(top->in, top->n, "error", error, sizeof(error)))
        return no_answer(top, error);
    if (!top_text(top->in, top->n, "program", program, sizeof(program)) ||
        !top_text(top->in, top->n, "version", version, sizeof(version)))
        return no_answer(top, "the answer is none of weir's");
    snprintf(top->title, sizeof(top->title), "%s %s", program, version);
    return ANSWER_OK;
}

/* Ask for counters. An error that it answers is noted: it may go by. */
static enum answer
ask_counters(struct top *top)
{
    struct top_sample *spare = &top->sample[top->now == &top->sample[0]];
    enum answer answer = ask(top, "stats\n");

    if (answer != ANSWER_OK)
        return answer;
    if (top_text(top->in, top->n, "error", top->note, sizeof(top->note)))
        return ANSWER_OK;
    if (!top_read(top->in, top->n, spare))
        return no_answer(top, "the answer is none of weir's");
    top->note[0] = '\0';
    top->before = top->now != NULL ? top->now : spare;
    top->before_at = top->now_at;
    top->now = spare;
    top->now_at = clock_ns();
    return ANSWER_OK;
}

static void
make_table(const struct top *top, unsigned columns, struct reply *to)
{
    reply_clear(to);
    if (top->now == NULL)
        reply_add(to, "%s\n", top->title);
    else
        top_table(top->title, top->before, top->now, (double)(top->now_at - top->before_at) / 1e9,
                  columns, to);
}

/* ---- on a terminal ------------------------------------------------------------------------- */

static struct termios keys; /* as they were */
static bool has_keys;

/* Text for the terminal as a whole, however slow it is. */
static void
put(const char *text, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDOUT_FILENO, text, n);

        if (done < 0 && errno != EINTR)
            return;
        text += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
}

static void
enter_screen(void)
{
    static const char enter[] = "\033[?1049h\033[?25l";
    struct termios raw;

    has_keys = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &keys) == 0;
    if (has_keys) {
        raw = keys;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    put(enter, sizeof(enter) - 1);
}

static void
leave_screen(void)
{
    static const char leave[] = "\033[?25h\033[?1049l";

    put(leave, sizeof(leave) - 1);
    if (has_keys)
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &keys);
}

/* A terminal on a serial line has no size; who uses it sets one. */
static unsigned
size_by(const char *variable, unsigned otherwise)
{
    const char *text = getenv(variable);
    const long n = text != NULL ? strtol(text, NULL, 10) : 0;

    return n > 0 && n < UINT16_MAX ? (unsigned)n : otherwise;
}

/* The lines that fit, each cut to the width, over what was there. */
static void
draw(const struct top *top)
{
    static struct reply table, screen;
    struct winsize size = { .ws_row = 0 };
    unsigned rows, columns;
    const char *p, *end;

    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    rows = size.ws_row > 0 ? size.ws_row : size_by("LINES", ROWS);
    columns = size.ws_col > 0 ? size.ws_col : size_by("COLUMNS", COLUMNS);
    make_table(top, columns, &table);
    reply_clear(&screen);
    reply_add(&screen, "\033[H");
    for (p = table.at, end = table.at + table.n; p < end && rows > 1; rows--) {
        const size_t n = strcspn(p, "\n");

        reply_add(&screen, "%.*s\033[K\r\n", (int)(n < columns ? n : columns), p);
        p += n + 1;
    }
    reply_add(&screen, "%.*s\033[K\033[J", (int)columns,
              top->note[0] != '\0' ? top->note : "q ends");
    put(screen.at, screen.n);
}

/* Is 'q' among the keys? Whose terminal is gone types nothing any more. */
static void
read_keys(void)
{
    char key[64];
    ssize_t n = read(STDIN_FILENO, key, sizeof(key));

    if (n <= 0 || memchr(key, 'q', (size_t)n) != NULL || memchr(key, 'Q', (size_t)n) != NULL)
        stop = 1;
}

/* Until the next question is due. */
static void
rest(struct top *top, uint64_t until)
{
    while (!stop && clock_ns() < until) {
        struct pollfd fd = { .fd = has_keys ? STDIN_FILENO : -1, .events = POLLIN };

        if (wait_until(top, &fd, 1, until) > 0)
            read_keys();
        if (suspend) {
            suspend = 0;
            leave_screen();
            (void)raise(SIGSTOP);
            enter_screen();
            resized = 1;
        }
        if (resized && !stop) {
            resized = 0;
            draw(top);
        }
    }
}

static int
watch(struct top *top)
{
    uint64_t next = clock_ns();
    enum answer answer = ANSWER_OK;

    catch_signals(top);
    enter_screen();
    while (!stop) {
        answer = ask_counters(top);
        if (answer != ANSWER_OK)
            break;
        draw(top);
        next += (uint64_t)(top->interval * 1e9);
        if (next < clock_ns()) /* it was busy, or stopped */
            next = clock_ns() + (uint64_t)(top->interval * 1e9);
        rest(top, next);
    }
    leave_screen();
    return answer == ANSWER_NONE ? say(top->path, top->why, "") : EXIT_DONE;
}

/* ---- once ---------------------------------------------------------------------------------- */

static int
show_once(struct top *top)
{
    static struct reply table;

    for (unsigned i = 0; i < 2; i++) {
        const uint64_t until = clock_ns() + (uint64_t)(top->interval * 1e9);

        if (ask_counters(top) != ANSWER_OK)
            return say(top->path, top->why, "");
        if (top->note[0] != '\0')
            return say(top->path, top->note, "");
        if (i == 0)
            (void)wait_until(top, NULL, 0, until);
    }
    make_table(top, TOP_COLUMNS, &table);
    fwrite(table.at, 1, table.n, stdout);
    if (fflush(stdout) == 0)
        return EXIT_DONE;
    return say("standard output", strerror(errno), "");
}

/* ---- the command line ---------------------------------------------------------------------- */

static int
help(void)
{
    printf("Usage: weir top [options]\n"
           "Show what a running weir, weir-ids or weir-prads counts, and how fast.\n\n"
           "      --control PATH      the socket that it was given (" DEFAULT_PATH ")\n"
           "      --interval SECONDS  between two looks, 0.1 to 3600 (1)\n"
           "      --once              print the rates of one interval, and stop; without a\n"
           "                          terminal, too\n"
           "  -h, --help              print this\n\n"
           "Exit codes: 0 done, 1 there is no program or it has ended, 2 wrong command line.\n"
           "The manual: weir-top(1).\n");
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static bool
take_option(struct top *top, const char *name, const char *value)
{
    char *end;

    if (strcmp(name, "--control") == 0) {
        top->path = value;
        return *value != '\0' && strlen(value) < sizeof(((struct sockaddr_un *)NULL)->sun_path);
    }
    top->interval = strtod(value, &end);
    return end != value && *end == '\0' && top->interval >= 0.1 && top->interval <= 3600;
}

/* The value of an option that is called so, behind it or behind '='. */
static const char *
value_for(const char *name, char **argv, int *i)
{
    const size_t n = strlen(name);

    if (strncmp(argv[*i], name, n) != 0 || (argv[*i][n] != '=' && argv[*i][n] != '\0'))
        return NULL;
    if (argv[*i][n] == '=')
        return argv[*i] + n + 1;
    if (argv[*i + 1] == NULL)
        return "";
    return argv[++*i];
}

static int
wrong(const char *what, const char *word)
{
    fprintf(stderr, "weir top: %s '%s' (try weir top --help)\n", what, word);
    return EXIT_USAGE;
}

/* Returns -1 to go on, or the exit code. */
static int
parse(struct top *top, int argc, char **argv)
{
    static const char *const names[] = { "--control", "--interval" };

    for (int i = 1; i < argc; i++) {
        const char *value = NULL;
        unsigned k = 0;

        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
            return help();
        if (strcmp(argv[i], "--once") == 0) {
            top->once = true;
            continue;
        }
        while (k < 2 && (value = value_for(names[k], argv, &i)) == NULL)
            k++;
        if (value == NULL)
            return wrong("unknown option", argv[i]);
        if (!take_option(top, names[k], value))
            return wrong(k == 0 ? "--control: no path of a socket is"
                                : "--interval: 0.1 to 3600 seconds are expected, not",
                         value);
    }
    return -1;
}

int
top_main(int argc, char **argv)
{
    static struct top top = { .path = DEFAULT_PATH, .interval = 1, .fd = -1 };
    int code = parse(&top, argc, argv);

    if (code >= 0)
        return code;
    sigprocmask(SIG_BLOCK, NULL, &top.waiting);
    code = dial(&top);
    if (code == EXIT_DONE && ask_title(&top) != ANSWER_OK)
        code = say(top.path, top.why, "");
    if (code == EXIT_DONE)
        code = top.once || !isatty(STDOUT_FILENO) ? show_once(&top) : watch(&top);
    if (top.fd >= 0)
        close(top.fd);
    return code;
}
