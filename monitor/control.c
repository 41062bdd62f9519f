#include "control.h"

#include "metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    TICK_MS = 2,      /* while the answer of the packets is waited for */
    LOOK_MS = 500,    /* while somebody has a time limit */
    ANSWER_MS = 2000, /* for the packets */
    FRESH_MS = 50,    /* so long an answer serves others, too: nobody stops the packets for long */
    HTTP_MS = 5000,   /* for a request and its answer as a whole */
    LINE_MS = 10000,  /* for an answer to be read */
    ACCEPT_MS = 100,  /* pause where no descriptor is left for a client */
    BACKLOG = 16,
};

/* The counters go from the thread of the packets to that of the clients. */
enum hand_over {
    IDLE,
    ASKED,   /* by the clients' thread */
    FILLING, /* the packets' thread writes */
    FILLED,  /* the clients' thread may read */
};

enum kind { LINES, HTTP, KINDS };

struct client {
    int fd; /* -1: free */
    enum kind kind;
    bool waiting;             /* for the counters */
    bool ending;              /* nothing more is taken from it */
    bool over;                /* it sends nothing more */
    uint64_t deadline;        /* monotonic ms; 0: none */
    enum control_action next; /* when the answer is sent */
    size_t n, sent;           /* bytes in in; of out, those that went */
    char in[CONTROL_LINE_MAX];
    struct reply out;
};

struct control {
    struct control_opts opts;
    int listener[KINDS]; /* -1: none */
    int wake;            /* eventfd: the thread is to end */
    struct stat made;    /* the socket, as it was made */
    pthread_t thread;
    bool started;
    _Atomic int state; /* enum hand_over */
    struct counts counts, latest;
    uint64_t asked_at, got_at; /* monotonic ms; got_at 0: latest is nothing */
    bool asking;
    uint64_t accept_at;
    struct client client[KINDS * CONTROL_CLIENTS];
};

static uint64_t
clock_ms(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* ---- commands ------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    enum control_action action;
} commands[] = {
    { "version", CONTROL_NOTHING },
    { "stats", CONTROL_STATS },
    { "reload-rules", CONTROL_RELOAD },
    { "reopen-logs", CONTROL_REOPEN },
    { "shutdown", CONTROL_SHUTDOWN },
    /* as Suricata's are called */
    { "dump-counters", CONTROL_STATS },
    { "ruleset-reload-rules", CONTROL_RELOAD },
    { "reopen-log-files", CONTROL_REOPEN },
};

static enum control_action
answer_command(const struct control_opts *opts, enum control_action action, struct reply *to)
{
    const char *lacking = NULL;

    if (action == CONTROL_RELOAD && !opts->reloads)
        lacking = "this program has no rules";
    if (action == CONTROL_REOPEN && !opts->reopens)
        lacking = "no logs are open";
    if (lacking != NULL) {
        reply_add(to, "{\"error\":\"%s\"}\n", lacking);
        return CONTROL_NOTHING;
    }
    if (action == CONTROL_NOTHING)
        reply_add(to, "{\"program\":\"%s\",\"version\":\"%s\"}\n", opts->program, PACKAGE_VERSION);
    else if (action != CONTROL_STATS)
        reply_add(to, "{\"ok\":true}\n");
    return action;
}

enum control_action
control_command(const struct control_opts *opts, const char *line, size_t n, struct reply *to)
{
    if (n > 0 && line[n - 1] == '\r')
        n--;
    for (unsigned i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        if (strlen(commands[i].name) == n && memcmp(commands[i].name, line, n) == 0)
            return answer_command(opts, commands[i].action, to);
    reply_add(to, "{\"error\":\"unknown command; there are version, stats, reload-rules, "
                  "reopen-logs and shutdown\"}\n");
    return CONTROL_NOTHING;
}

/* As if from outside: the signal finds the thread that waits for packets. */
static void
act(enum control_action action)
{
    static const int signals[] = {
        [CONTROL_RELOAD] = SIGUSR2, [CONTROL_REOPEN] = SIGHUP, [CONTROL_SHUTDOWN] = SIGTERM
    };

    if (action >= CONTROL_RELOAD)
        (void)kill(getpid(), signals[action]);
}

/* ---- the counters -------------------------------------------------------------------------- */

struct counts *
control_wants(struct control *c)
{
    int asked = ASKED;

    if (c == NULL || atomic_load_explicit(&c->state, memory_order_relaxed) != ASKED)
        return NULL;
    if (!atomic_compare_exchange_strong(&c->state, &asked, FILLING))
        return NULL;
    c->counts = (struct counts){ .cores = 0 };
    return &c->counts;
}

void
control_answer(struct control *c)
{
    atomic_store_explicit(&c->state, FILLED, memory_order_release);
}

/* What came too late for who asked is no answer to who asks now. */
static void
ask(struct control *c)
{
    int state = FILLED;

    if (c->asking)
        return;
    (void)atomic_compare_exchange_strong(&c->state, &state, IDLE);
    state = IDLE;
    (void)atomic_compare_exchange_strong(&c->state, &state, ASKED);
    c->asking = true;
    c->asked_at = clock_ms(CLOCK_MONOTONIC);
}

static void
tell_counts(struct control *c, struct client *client)
{
    c->latest.uptime_ms = clock_ms(CLOCK_MONOTONIC) - c->opts.started / 1000000;
    c->latest.cpu_ms = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
    client->waiting = false;
    if (client->kind == LINES)
        counts_json(&c->latest, &client->out);
    else
        metrics_answer(&c->latest, c->opts.program, &client->out);
}

static void
tell_busy(struct client *client)
{
    client->waiting = false;
    if (client->kind == LINES)
        reply_add(&client->out, "{\"error\":\"busy\"}\n");
    else
        metrics_refuse("503 Service Unavailable", &client->out);
}

/* Is there an answer, or has it taken too long? Then all who wait for it are told. */
static void
look_for_counts(struct control *c, uint64_t now)
{
    const bool filled = atomic_load_explicit(&c->state, memory_order_acquire) == FILLED;
    int state = ASKED;

    if (!c->asking || (!filled && now - c->asked_at < ANSWER_MS))
        return;
    if (filled) {
        c->latest = c->counts;
        c->got_at = now;
        atomic_store_explicit(&c->state, IDLE, memory_order_release);
    } else {
        (void)atomic_compare_exchange_strong(&c->state, &state, IDLE);
    }
    c->asking = false;
    for (unsigned i = 0; i < KINDS * CONTROL_CLIENTS; i++) {
        struct client *client = &c->client[i];

        if (client->fd >= 0 && client->waiting && filled)
            tell_counts(c, client);
        else if (client->fd >= 0 && client->waiting)
            tell_busy(client);
    }
}

static void
want_counts(struct control *c, struct client *client)
{
    const uint64_t now = clock_ms(CLOCK_MONOTONIC);

    if (c->got_at != 0 && now - c->got_at < FRESH_MS) {
        tell_counts(c, client);
        return;
    }
    client->waiting = true;
    ask(c);
}

/* ---- clients ------------------------------------------------------------------------------- */

static void
drop(struct client *client)
{
    close(client->fd);
    client->fd = -1;
}

/* Send what there is. Returns whether all of it went. */
static bool
send_out(struct client *client)
{
    while (client->sent < client->out.n) {
        ssize_t n = send(client->fd, client->out.at + client->sent, client->out.n - client->sent,
                         MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            if (n == 0 || errno != EAGAIN)
                drop(client);
            return false;
        }
        client->sent += (size_t)n;
    }
    return true;
}

/* Take what comes, as far as there is room. */
static void
receive(struct client *client)
{
    ssize_t n;

    if (client->ending) /* it came too late, and is read so that the answer is not lost */
        client->n = 0;
    if (client->n == sizeof(client->in) || client->over)
        return;
    n = recv(client->fd, client->in + client->n, sizeof(client->in) - client->n, MSG_DONTWAIT);
    if (n > 0)
        client->n += (size_t)n;
    else if (n == 0)
        client->over = true;
    else if (errno != EAGAIN && errno != EINTR)
        drop(client);
}

/* Returns whether there was a line. */
static bool
take_line(struct control *c, struct client *client)
{
    const char *end = memchr(client->in, '\n', client->n);
    size_t n = end != NULL ? (size_t)(end - client->in) : 0;

    if (end == NULL && client->n == sizeof(client->in)) {
        reply_add(&client->out, "{\"error\":\"the line is longer than %d bytes\"}\n",
                  CONTROL_LINE_MAX);
        client->ending = true;
        return true;
    }
    if (end == NULL)
        return false;
    client->next = control_command(&c->opts, client->in, n, &client->out);
    if (client->next == CONTROL_STATS)
        want_counts(c, client);
    client->n -= n + 1;
    memmove(client->in, end + 1, client->n);
    return true;
}

/* The same for the one request of HTTP. */
static bool
take_request(struct control *c, struct client *client)
{
    switch (metrics_read(client->in, client->n, client->n == sizeof(client->in), &client->out)) {
    case METRICS_MORE:
        return false;
    case METRICS_ANSWERED:
        break;
    case METRICS_WANTED:
        want_counts(c, client);
        break;
    }
    client->ending = true;
    return true;
}

/* An answer went. */
static void
end_answer(struct client *client)
{
    const enum control_action action = client->next;

    reply_clear(&client->out);
    client->sent = 0;
    client->next = CONTROL_NOTHING;
    if (client->kind == LINES)
        client->deadline = 0;
    act(action);
    if (client->ending)
        (void)shutdown(client->fd, SHUT_WR);
}

/* Go on with a client as far as it goes without waiting: its next line once the answer is sent. */
static void
serve(struct control *c, struct client *client, uint64_t now)
{
    bool more = true;

    receive(client);
    while (client->fd >= 0 && !client->waiting && more) {
        if (client->out.n > 0) {
            if (!send_out(client)) {
                if (client->deadline == 0)
                    client->deadline = now + LINE_MS;
                return;
            }
            end_answer(client);
        } else if (client->ending) {
            if (client->deadline == 0)
                client->deadline = now + LINE_MS;
            more = false;
        } else {
            more = client->kind == LINES ? take_line(c, client) : take_request(c, client);
        }
    }
    if (client->fd >= 0 && client->over && !client->waiting && client->out.n == 0)
        drop(client);
}

static void
refuse(int fd, enum kind kind)
{
    static const char lines[] = "{\"error\":\"too many clients\"}\n";
    struct reply reply = { .n = 0 };

    if (kind == LINES)
        reply_add(&reply, "%s", lines);
    else
        metrics_refuse("503 Service Unavailable", &reply);
    (void)!send(fd, reply.at, reply.n, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(fd);
}

static void
take_client(struct control *c, enum kind kind, uint64_t now)
{
    const int fd = accept4(c->listener[kind], NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0) {
        if (errno != EAGAIN && errno != EINTR)
            c->accept_at = now + ACCEPT_MS;
        return;
    }
    for (unsigned i = kind * CONTROL_CLIENTS; i < (kind + 1U) * CONTROL_CLIENTS; i++) {
        struct client *client = &c->client[i];

        if (client->fd >= 0)
            continue;
        client->fd = fd;
        client->kind = kind;
        client->waiting = client->ending = client->over = false;
        client->deadline = kind == HTTP ? now + HTTP_MS : 0;
        client->next = CONTROL_NOTHING;
        client->n = client->sent = 0;
        reply_clear(&client->out);
        return;
    }
    refuse(fd, kind);
}

/* ---- the thread ---------------------------------------------------------------------------- */

enum { FD_WAKE, FD_LISTENER, FD_CLIENT = FD_LISTENER + KINDS };
enum { N_FDS = FD_CLIENT + KINDS * CONTROL_CLIENTS };

static struct pollfd
watch(const struct client *client)
{
    struct pollfd fd = { .fd = client->fd };

    if (client->fd >= 0 && !client->over && (client->n < sizeof(client->in) || client->ending))
        fd.events |= POLLIN;
    if (client->fd >= 0 && !client->waiting && client->out.n > 0)
        fd.events |= POLLOUT;
    if (fd.events == 0) /* a peer that is gone would be reported again and again */
        fd.fd = -1;
    return fd;
}

/* Fill fds; returns how long to wait for them at most, ms. */
static int
watch_all(const struct control *c, struct pollfd fds[N_FDS], uint64_t now)
{
    int wait = c->asking ? TICK_MS : -1;

    fds[FD_WAKE] = (struct pollfd){ .fd = c->wake, .events = POLLIN };
    for (unsigned k = 0; k < KINDS; k++) {
        const bool pause = now < c->accept_at;

        fds[FD_LISTENER + k] = (struct pollfd){ .fd = pause ? -1 : c->listener[k],
                                                .events = POLLIN };
        if (pause && wait < 0)
            wait = ACCEPT_MS;
    }
    for (unsigned i = 0; i < KINDS * CONTROL_CLIENTS; i++) {
        fds[FD_CLIENT + i] = watch(&c->client[i]);
        if (c->client[i].fd >= 0 && c->client[i].deadline != 0 && wait < 0)
            wait = LOOK_MS;
    }
    return wait;
}

static void
serve_all(struct control *c, const struct pollfd fds[N_FDS], uint64_t now)
{
    look_for_counts(c, now);
    for (unsigned i = 0; i < KINDS * CONTROL_CLIENTS; i++) {
        struct client *client = &c->client[i];

        if (client->fd >= 0 && (fds[FD_CLIENT + i].revents != 0 || client->out.n > 0))
            serve(c, client, now);
        if (client->fd >= 0 && client->deadline != 0 && now >= client->deadline)
            drop(client);
    }
    for (unsigned k = 0; k < KINDS; k++)
        if (fds[FD_LISTENER + k].revents != 0)
            take_client(c, k, now);
}

static void *
run(void *arg)
{
    struct control *c = arg;
    struct pollfd fds[N_FDS];

    for (;;) {
        const int wait = watch_all(c, fds, clock_ms(CLOCK_MONOTONIC));

        if (poll(fds, N_FDS, wait) < 0)
            continue;
        if (fds[FD_WAKE].revents != 0)
            return NULL;
        serve_all(c, fds, clock_ms(CLOCK_MONOTONIC));
    }
}

/* ---- begin and end ------------------------------------------------------------------------- */

int
control_check_path(const char *path, struct weir_errbuf *err)
{
    struct sockaddr_un address;

    if (*path != '\0' && strlen(path) < sizeof(address.sun_path))
        return WEIR_E_OK;
    return weir_err_set(err, WEIR_E_INVAL, "--control: a path of 1 to %zu bytes is expected",
                        sizeof(address.sun_path) - 1);
}

/* What an earlier run left is removed; what somebody listens on, or is no socket, stays. */
static int
clear_path(const struct sockaddr_un *address, struct weir_errbuf *err)
{
    struct stat st;
    int fd, rc;

    if (lstat(address->sun_path, &st) != 0)
        return WEIR_E_OK;
    if (!S_ISSOCK(st.st_mode))
        return weir_err_set(err, WEIR_E_IO, "--control: %s is there, and no socket",
                            address->sun_path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return weir_err_set(err, WEIR_E_IO, "--control: %s", strerror(errno));
    rc = connect(fd, (const struct sockaddr *)(const void *)address, sizeof(*address));
    rc = rc != 0 && errno == ECONNREFUSED ? 0 : -1;
    close(fd);
    if (rc != 0)
        return weir_err_set(err, WEIR_E_IO, "--control: %s is in use", address->sun_path);
    if (unlink(address->sun_path) == 0 || errno == ENOENT)
        return WEIR_E_OK;
    return weir_err_set(err, WEIR_E_IO, "--control: %s: %s", address->sun_path, strerror(errno));
}

static int
listen_lines(struct control *c, struct weir_errbuf *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd, rc = control_check_path(c->opts.path, err);

    if (rc != WEIR_E_OK)
        return rc;
    memcpy(address.sun_path, c->opts.path, strlen(c->opts.path));
    rc = clear_path(&address, err);
    if (rc != WEIR_E_OK)
        return rc;
    fd = c->listener[LINES] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /*
     * On Linux the file gets the descriptor's mode, so there is no moment in which others may in.
     */
    if (fd >= 0 && fchmod(fd, 0600) == 0 &&
        bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
        lstat(c->opts.path, &c->made) == 0 && listen(fd, BACKLOG) == 0)
        return WEIR_E_OK;
    return weir_err_set(err, WEIR_E_IO, "--control: %s: %s", c->opts.path, strerror(errno));
}

static int
listen_http(struct control *c, struct weir_errbuf *err)
{
    struct sockaddr_storage address;
    const int on = 1;
    socklen_t n;
    int fd, rc = metrics_address(c->opts.metrics, &address, &n, err);

    if (rc != WEIR_E_OK)
        return rc;
    fd = c->listener[HTTP] = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                                    0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        bind(fd, (const struct sockaddr *)&address, n) == 0 && listen(fd, BACKLOG) == 0)
        return WEIR_E_OK;
    return weir_err_set(err, WEIR_E_IO, "--metrics: %s: %s", c->opts.metrics, strerror(errno));
}

int
control_open(const struct control_opts *opts, struct control **out, struct weir_errbuf *err)
{
    struct control *c;
    int rc = WEIR_E_OK;

    *out = NULL;
    if (opts->path == NULL && opts->metrics == NULL)
        return WEIR_E_OK;
    c = calloc(1, sizeof(*c));
    if (c == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    c->opts = *opts;
    c->listener[LINES] = c->listener[HTTP] = -1;
    for (unsigned i = 0; i < KINDS * CONTROL_CLIENTS; i++)
        c->client[i].fd = -1;
    c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (c->wake < 0)
        rc = weir_err_set(err, WEIR_E_IO, "--control: %s", strerror(errno));
    if (rc == WEIR_E_OK && opts->path != NULL)
        rc = listen_lines(c, err);
    if (rc == WEIR_E_OK && opts->metrics != NULL)
        rc = listen_http(c, err);
    if (rc == WEIR_E_OK)
        *out = c;
    else
        control_close(c);
    return rc;
}

int
control_start(struct control *c, struct weir_errbuf *err)
{
    sigset_t all, before;

    if (c == NULL || c->started)
        return WEIR_E_OK;
    sigfillset(&all); /* signals are for the thread of the packets */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    c->started = pthread_create(&c->thread, NULL, run, c) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return c->started ? WEIR_E_OK
                      : weir_err_set(err, WEIR_E_NOMEM, "--control: there is no thread for it");
}

/* Unless another run has put its own there. */
static void
remove_socket(const struct control *c)
{
    struct stat st;

    if (c->made.st_ino != 0 && lstat(c->opts.path, &st) == 0 && st.st_ino == c->made.st_ino &&
        st.st_dev == c->made.st_dev)
        (void)unlink(c->opts.path);
}

void
control_close(struct control *c)
{
    const uint64_t one = 1;

    if (c == NULL)
        return;
    if (c->started) {
        (void)!write(c->wake, &one, sizeof(one));
        pthread_join(c->thread, NULL);
    }
    remove_socket(c);
    for (unsigned i = 0; i < KINDS * CONTROL_CLIENTS; i++)
        if (c->client[i].fd >= 0)
            drop(&c->client[i]);
    for (unsigned k = 0; k < KINDS; k++)
        if (c->listener[k] >= 0)
            close(c->listener[k]);
    if (c->wake >= 0)
        close(c->wake);
    free(c);
}
