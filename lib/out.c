#include "out.h"

#include "core/order.h"
#include "file/log.h"

#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
    LEAST_ROOM = 1024,
    STOP_LOOK_NS = 100000000,  /* how long a wait may not notice that it shall stop */
    END_STALL_NS = 1000000000, /* out_let_wait(): without room for so long it is over */
};

static int
open_log(struct out *out, struct weir_log_opts *opts, bool live, struct weir_errbuf *err)
{
    int rc;

    opts->ring_size = OUT_RING;
    opts->full = live ? WEIR_LOG_DROP : WEIR_LOG_WAIT;
    opts->final = !live || opts->path == NULL;
    opts->futures = 1; /* nobody asks for any */
    *out = (struct out){ .live = live };
    rc = weir_log_open(opts, &out->log, err);
    if (rc == WEIR_E_OK)
        out->end = log_take_end(out->log);
    return rc;
}

int
out_open(struct out *out, const char *path, bool live, struct weir_errbuf *err)
{
    struct weir_log_opts opts = { .path = path, .fd = STDOUT_FILENO };
    const int rc = open_log(out, &opts, live, err);

    out->name = path != NULL ? path : "standard output";
    return rc;
}

int
out_open_fd(struct out *out, int fd, const char *name, bool live, struct weir_errbuf *err)
{
    struct weir_log_opts opts = { .fd = fd, .name = name };
    const int rc = open_log(out, &opts, live, err);

    out->name = name;
    return rc;
}

/* Address space for one record, used as needed. */
int
out_open_ordered(struct out *out, struct out *to, struct order_end *order)
{
    void *p = mmap(NULL, OUT_RECORD_MAX, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    *out = (struct out){ .to = to, .order = order };
    if (p == MAP_FAILED)
        return WEIR_E_NOMEM;
    out->p = p;
    out->room = OUT_RECORD_MAX;
    return WEIR_E_OK;
}

void
out_close_ordered(struct out *out)
{
    if (out->p != NULL)
        munmap(out->p, OUT_RECORD_MAX);
    *out = (struct out){ .to = NULL };
}

void
out_open_room(struct out *out, uint8_t *p, size_t n)
{
    *out = (struct out){ .p = p, .room = n };
}

static bool
is_stopped(const struct out *out)
{
    return out->stop != NULL && *out->stop != 0;
}

bool
out_flush(struct out *out)
{
    int rc;

    do
        rc = log_end_drain(out->end, STOP_LOOK_NS);
    while (rc == WEIR_E_AGAIN && !is_stopped(out));
    return rc == WEIR_E_OK;
}

int
out_error(const struct out *out)
{
    struct weir_log_stats stats;

    if (out->log == NULL || !log_has_ended(out->log))
        return 0;
    weir_log_get_stats(out->log, &stats);
    return stats.last_errno;
}

int
out_stays(struct out *out)
{
    struct weir_log_stats stats;
    bool stays;

    weir_log_get_stats(out->log, &stats);
    stays = stats.not_reopened != out->stayed_seen;
    out->stayed_seen = stats.not_reopened;
    return stays ? stats.last_errno : 0;
}

int
out_trouble(struct out *out)
{
    uint64_t errors;
    struct weir_log_stats stats;
    bool failed, wrote;

    weir_log_get_stats(out->log, &stats);
    errors = stats.errors - stats.not_reopened;
    failed = errors != out->errors_seen;
    wrote = stats.records != out->records_seen;
    out->errors_seen = errors;
    out->records_seen = stats.records;
    if (failed && !out->in_trouble) {
        out->in_trouble = true;
        return stats.last_errno;
    }
    out->in_trouble &= failed || !wrote;
    return 0;
}

int
out_close(struct out *out, struct weir_errbuf *err)
{
    const uint64_t lost = out->lost;
    int rc = weir_log_close(out->log, err);

    if (rc == WEIR_E_OK && lost > 0)
        rc = weir_err_set(err, WEIR_E_LIMIT, "%s: a record was too long", out->name);
    *out = (struct out){ .log = NULL };
    return rc;
}

static void
write_ordered(void *ctx, const void *p, size_t n)
{
    out_bytes(ctx, p, n);
    out_end_record(ctx);
}

static void
lose_ordered(void *ctx, const void *p, size_t n)
{
    struct out *out = ctx;

    (void)p, (void)n;
    out->lost++;
}

static void
post_record(struct out *out)
{
    if (out->too_long || out->n > 0)
        order_post(out->order, out->too_long ? lose_ordered : write_ordered, out->to,
                   (struct piece_of_post){ out->p, out->too_long ? 0 : out->n },
                   (struct piece_of_post){ NULL, 0 });
    out->n = 0;
    out->too_long = false;
}

void
out_end_record(struct out *out)
{
    if (out->order != NULL) {
        post_record(out);
        return;
    }
    if (out->full)
        out->dropped++;
    else if (out->too_long || log_has_ended(out->log))
        out->lost++;
    else if (out->n > 0)
        records_commit(&out->end->ring, RECORD_PLAIN, out->n);
    out->p = NULL;
    out->n = out->room = 0;
    out->too_long = out->full = false;
}

static uint64_t
clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void
out_let_wait(struct out *out, uint64_t ns)
{
    out->wait_until = clock_ns() + ns;
}

/* The end of a live run waits for room. Returns false if it has done so for long enough. */
static bool
wait_at_end(struct out *out, size_t n, int *rc)
{
    const uint64_t now = clock_ns(), left = out->wait_until > now ? out->wait_until - now : 0;

    *rc = left == 0 ? WEIR_E_AGAIN
                    : log_end_wait_room(out->end, n, left < END_STALL_NS ? left : END_STALL_NS);
    if (*rc == WEIR_E_AGAIN)
        out->wait_until = 0;
    return *rc != WEIR_E_AGAIN;
}

/* Wait for room for a record of n bytes. Returns false if it is given up. */
static bool
wait_for_room(struct out *out, size_t n)
{
    int rc;

    if (out->wait_until != 0) {
        out->full = !wait_at_end(out, n, &rc);
    } else {
        out->full = out->live || is_stopped(out);
        rc = out->full ? WEIR_E_AGAIN : log_end_wait_room(out->end, n, STOP_LOOK_NS);
    }
    out->too_long = rc == WEIR_E_IO; /* after an error it goes nowhere */
    return !out->full && !out->too_long;
}

/* Room for a record of n bytes, those that are there kept; false: there is none now. */
static bool
reach(struct out *out, size_t n)
{
    struct records *ring = &out->end->ring;
    uint8_t *p = out->p == NULL ? records_reserve(ring, n) : records_grow(ring, out->n, n);

    if (p == NULL)
        return false;
    out->p = p;
    out->room = n;
    return true;
}

/* More than is needed now, so that this is not called for each piece of a record. */
static size_t
generous(size_t n)
{
    if (n < LEAST_ROOM / 2)
        return LEAST_ROOM;
    return n < OUT_RECORD_MAX / 2 ? 2 * n : OUT_RECORD_MAX;
}

/* As room(), where there is none at hand. */
static __attribute__((noinline)) char *
more_room(struct out *out, size_t n)
{
    const size_t all = out->n + n;

    if (out->too_long || out->full)
        return NULL;
    if (n > OUT_RECORD_MAX || all > OUT_RECORD_MAX || out->end == NULL) {
        out->too_long = true;
        return NULL;
    }
    while (!reach(out, generous(all)) && !reach(out, all))
        if (!wait_for_room(out, all))
            return NULL;
    out->n = all;
    return (char *)out->p + all - n;
}

/* Room for n more bytes of the record; NULL: it is given up. */
static inline char *
room(struct out *out, size_t n)
{
    if (out->room - out->n < n || out->p == NULL)
        return more_room(out, n);
    out->n += n;
    return (char *)out->p + out->n - n;
}

void
out_bytes(struct out *out, const void *p, size_t n)
{
    char *to = room(out, n);

    if (to != NULL && n > 0)
        memcpy(to, p, n);
}

void
out_str(struct out *out, const char *s)
{
    out_bytes(out, s, strlen(s));
}

void
out_char(struct out *out, char c)
{
    out_bytes(out, &c, 1);
}

void
out_u64_wide(struct out *out, uint64_t v, unsigned width)
{
    char digits[24];
    size_t n = sizeof(digits);

    do
        digits[--n] = (char)('0' + v % 10);
    while ((v /= 10) != 0);
    while (sizeof(digits) - n < width && n > 0)
        digits[--n] = '0';
    out_bytes(out, digits + n, sizeof(digits) - n);
}

void
out_u64(struct out *out, uint64_t v)
{
    out_u64_wide(out, v, 1);
}

void
out_i64(struct out *out, int64_t v)
{
    if (v < 0)
        out_char(out, '-');
    out_u64(out, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

void
out_hex(struct out *out, uint64_t v, unsigned digits)
{
    char *to = room(out, digits);

    if (to == NULL)
        return;
    for (unsigned i = digits; i-- > 0; v >>= 4)
        to[i] = "0123456789abcdef"[v & 15];
}

void
out_base64(struct out *out, const uint8_t *p, size_t n)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *to = room(out, (n + 2) / 3 * 4);

    if (to == NULL)
        return;
    for (; n > 0; p += 3, to += 4) {
        uint32_t bits = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0) |
                        (n > 2 ? (uint32_t)p[2] : 0);

        to[0] = letters[bits >> 18];
        to[1] = letters[bits >> 12 & 63];
        to[2] = n > 1 ? letters[bits >> 6 & 63] : '=';
        to[3] = n > 2 ? letters[bits & 63] : '=';
        n -= n < 3 ? n : 3;
    }
}
