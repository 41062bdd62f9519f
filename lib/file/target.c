#include "file/target.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char scheme[] = "unix:";

static ssize_t
plain_write(void *arg, int fd, const struct iovec *iov, int n)
{
    (void)arg;
    return writev(fd, iov, n);
}

static int
plain_sync(void *arg, int fd)
{
    (void)arg;
    return fdatasync(fd);
}

const struct target_ops target_plain = { plain_write, plain_sync };

/* ---- sockets ---- */

static int
connect_as(const struct sockaddr_un *addr, int type)
{
    const int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error;

    if (fd < 0 || connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int
open_socket(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd;

    if (strlen(path) >= sizeof(addr.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(addr.sun_path, path, strlen(path) + 1);
    fd = connect_as(&addr, SOCK_STREAM);
    if (fd < 0 && errno == EPROTOTYPE)
        fd = connect_as(&addr, SOCK_DGRAM);
    return fd;
}

/* ---- all kinds ---- */

static void
look_at_kind(struct target *t)
{
    int type = 0;
    socklen_t n = sizeof(type);
    struct stat st;

    if (fstat(t->fd, &st) != 0)
        return;
    t->regular = S_ISREG(st.st_mode);
    t->end = (fcntl(t->fd, F_GETFL) & O_APPEND) != 0 ? st.st_size : lseek(t->fd, 0, SEEK_CUR);
    t->listener = t->path != NULL && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
    t->datagrams = S_ISSOCK(st.st_mode) && getsockopt(t->fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 &&
                   type == SOCK_DGRAM;
}

/*
 * A pipe or terminal that a descriptor was given for, opened once more: not to block in write() for
 * as long as nobody reads, which would outlast every signal, and not to make the descriptor's other
 * users, a shell perhaps, non-blocking with us. Where that is not allowed, it has to do as it is.
 */
static void
open_once_more(struct target *t)
{
    char path[32];
    struct stat st;
    int fd;

    if (fstat(t->fd, &st) != 0 || (!S_ISFIFO(st.st_mode) && !isatty(t->fd)))
        return;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", t->fd);
    fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return;
    t->fd = fd;
    t->owned = true;
}

int
target_open(struct target *t)
{
    struct stat st;
    const char *path = t->path;
    bool is_socket;

    if (path == NULL) {
        const int flags = t->fd < 0 ? -1 : fcntl(t->fd, F_GETFL);

        if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY)
            open_once_more(t);
        look_at_kind(t);
        return flags < 0 ? EBADF : 0;
    }
    is_socket = strncmp(path, scheme, sizeof(scheme) - 1) == 0;
    if (is_socket)
        path += sizeof(scheme) - 1;
    t->listener = is_socket;
    if (stat(path, &st) == 0) {
        is_socket |= S_ISSOCK(st.st_mode);
        t->listener |= is_socket || S_ISFIFO(st.st_mode);
    }
    /* Not blocking: a FIFO without a reader would hold us in open(). Files do not care. */
    if (is_socket)
        t->fd = open_socket(path);
    else
        t->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
    if (t->fd < 0)
        return errno;
    look_at_kind(t);
    return 0;
}

bool
target_is_lost(const struct target *t, int error)
{
    if (!t->listener)
        return false;
    return error == EPIPE || error == ENXIO || error == ECONNREFUSED || error == ECONNRESET ||
           error == ENOTCONN || error == ENOENT || error == ESHUTDOWN;
}

void
target_close(struct target *t)
{
    if ((t->path == NULL && !t->owned) || t->fd < 0)
        return;
    close(t->fd);
    t->fd = -1;
}

bool
target_cut_back(struct target *t, size_t n)
{
    struct stat st;

    if (!t->regular || t->end < (off_t)n || fstat(t->fd, &st) != 0 || st.st_size != t->end)
        return false;
    if (ftruncate(t->fd, t->end - (off_t)n) != 0)
        return false;
    t->end -= (off_t)n;
    return lseek(t->fd, t->end, SEEK_SET) >= 0;
}

void
target_wait(const struct target *t, int ms)
{
    struct pollfd p = { .fd = t->fd, .events = POLLOUT };

    (void)poll(&p, 1, ms);
}
