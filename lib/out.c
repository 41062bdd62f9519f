#include "out.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
out_open(struct out *out, const char *path, struct weir_errbuf *err)
{
    *out = (struct out){ .fd = STDOUT_FILENO, .name = path != NULL ? path : "standard output" };
    if (path != NULL) {
        out->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (out->fd < 0)
            return weir_err_set(err, errno == EACCES ? WEIR_E_PERM : WEIR_E_IO, "%s: %s", path,
                                strerror(errno));
        out->owns_fd = true;
    }
    out->buf = malloc(OUT_SIZE);
    if (out->buf != NULL)
        return WEIR_E_OK;
    if (out->owns_fd)
        close(out->fd);
    out->fd = -1;
    return weir_err_set(err, WEIR_E_NOMEM, "%s: no memory for its buffer", out->name);
}

static bool
write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

bool
out_flush(struct out *out)
{
    if (out->error == 0 && !write_all(out->fd, out->buf, out->record))
        out->error = errno;
    memmove(out->buf, out->buf + out->record, out->n - out->record);
    out->n -= out->record;
    out->record = 0;
    return out->error == 0;
}

int
out_close(struct out *out, struct weir_errbuf *err)
{
    int rc = WEIR_E_OK;

    if (out->buf == NULL)
        return WEIR_E_OK;
    out_flush(out);
    if (out->owns_fd && close(out->fd) != 0 && out->error == 0)
        out->error = errno;
    if (out->error != 0)
        rc = weir_err_set(err, WEIR_E_IO, "%s: %s", out->name, strerror(out->error));
    else if (out->lost > 0)
        rc = weir_err_set(err, WEIR_E_LIMIT, "%s: a record was too long", out->name);
    free(out->buf);
    *out = (struct out){ .fd = -1 };
    return rc;
}

void
out_end_record(struct out *out)
{
    if (out->too_long || out->error != 0) {
        out->lost++;
        out->n = out->record;
        out->too_long = false;
        return;
    }
    out->record = out->n;
    if (out->n > OUT_SIZE - OUT_RECORD_MAX)
        out_flush(out);
}

/* Room for n more bytes of the record; NULL: it would be too long. */
static char *
room(struct out *out, size_t n)
{
    char *p = out->buf + out->n;

    if (n > OUT_RECORD_MAX || out->n - out->record > OUT_RECORD_MAX - n) {
        out->too_long = true;
        return NULL;
    }
    assert(out->n + n <= OUT_SIZE);
    out->n += n;
    return p;
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
