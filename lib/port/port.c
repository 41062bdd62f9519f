#include "port/port.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct weir_port_opts defaults;

static int
code_of_errno(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return WEIR_E_NOENT;
    case EACCES:
    case EPERM:
        return WEIR_E_PERM;
    case ENOMEM:
        return WEIR_E_NOMEM;
    default:
        return WEIR_E_IO;
    }
}

static int
system_error(const char *path, struct weir_errbuf *err)
{
    const int error = errno;

    return weir_err_set(err, code_of_errno(error), "%s: %s", path, strerror(error));
}

/* *size becomes 0 where it means nothing: a pipe, a terminal. */
static int
inspect(const char *path, int fd, uint64_t *size, struct weir_errbuf *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return system_error(path, err);
    if (S_ISDIR(st.st_mode))
        return weir_err_set(err, WEIR_E_FORMAT, "%s: a directory, expected a capture file", path);
    if (S_ISREG(st.st_mode) && st.st_size == 0)
        return weir_err_set(err, WEIR_E_FORMAT, "%s: empty, expected a capture file", path);
    *size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    return WEIR_E_OK;
}

static int
open_with_libpcap(const char *path, int fd, uint64_t size, const struct weir_port_opts *opts,
                  struct weir_port **out, struct weir_errbuf *err)
{
    FILE *stream = fdopen(fd, "rb");
    int rc;

    if (stream != NULL)
        return pcapport_open(path, stream, size, opts, out, err);
    rc = system_error(path, err);
    close(fd);
    return rc;
}

/* fd is consumed. */
static int
open_fd(const char *path, int fd, const struct weir_port_opts *opts, struct weir_port **out,
        struct weir_errbuf *err)
{
    uint64_t size = 0;
    int rc = inspect(path, fd, &size, err);

    if (rc == WEIR_E_OK) {
        rc = WEIR_E_UNSUPPORTED;
        if (size > 0 && !opts->no_map)
            rc = capfile_open(path, fd, size, opts, out, err);
        if (rc == WEIR_E_UNSUPPORTED)
            return open_with_libpcap(path, fd, size, opts, out, err);
    }
    if (rc != WEIR_E_OK)
        close(fd);
    return rc;
}

int
weir_port_open_file(const char *path, const struct weir_port_opts *opts, struct weir_port **out,
                    struct weir_errbuf *err)
{
    int fd;

    *out = NULL;
    if (opts == NULL)
        opts = &defaults;
    if (strcmp(path, "-") == 0)
        return pcapport_open("standard input", stdin, 0, opts, out, err);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return system_error(path, err);
    return open_fd(path, fd, opts, out, err);
}

int
weir_port_read(struct weir_port *port, struct weir_frame *frames, unsigned max,
               struct weir_errbuf *err)
{
    int n = port->ops->read(port, frames, max, err);

    if (n > 0)
        port->stats.frames += (unsigned)n;
    return n;
}

unsigned
weir_port_queues(const struct weir_port *port)
{
    return port->queues > 0 ? port->queues : 1;
}

int
weir_port_read_queue(struct weir_port *port, unsigned queue, struct weir_frame *frames,
                     unsigned max, struct weir_errbuf *err)
{
    int n;

    if (port->queues <= 1)
        return weir_port_read(port, frames, max, err);
    n = port->ops->read_queue(port, queue, frames, max, err);
    if (n > 0)
        atomic_fetch_add_explicit(&port->by_queue, (unsigned)n, memory_order_relaxed);
    return n;
}

void
weir_port_get_stats(const struct weir_port *port, struct weir_port_stats *out)
{
    *out = port->stats;
    out->frames += atomic_load_explicit(&port->by_queue, memory_order_relaxed);
    port->ops->get_stats(port, out);
}

int
weir_port_fd(const struct weir_port *port)
{
    return port->ops->fd != NULL ? port->ops->fd(port) : -1;
}

int
weir_port_queue_fd(const struct weir_port *port, unsigned queue)
{
    if (port->queues <= 1)
        return weir_port_fd(port);
    return port->ops->queue_fd != NULL ? port->ops->queue_fd(port, queue) : -1;
}

bool
weir_port_send(struct weir_port *port, unsigned sender, const uint8_t *data, uint32_t len)
{
    return port->ops->send != NULL && port->ops->send(port, sender, data, len);
}

void
weir_port_flush(struct weir_port *port, unsigned sender)
{
    if (port->ops->flush != NULL)
        port->ops->flush(port, sender);
}

void
weir_port_close(struct weir_port *port)
{
    if (port != NULL)
        port->ops->close(port);
}
