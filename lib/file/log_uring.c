#include "file/log_uring.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>

#ifdef HAVE_LIBURING

#include <liburing.h>
#include <stdlib.h>

enum { ENTRIES = 4, POLLER_IDLE_MS = 50 };

struct uring {
    struct io_uring ring;
};

struct uring *
uring_new(int *error)
{
    struct uring *uring = calloc(1, sizeof(*uring));
    struct io_uring_params params = { .flags = IORING_SETUP_SQPOLL,
                                      .sq_thread_idle = POLLER_IDLE_MS };
    int rc = uring == NULL ? -ENOMEM : io_uring_queue_init_params(ENTRIES, &uring->ring, &params);

    /* Without these a write needs its file's position, and files have to be registered. */
    if (rc == 0 && ((params.features & IORING_FEAT_RW_CUR_POS) == 0 ||
                    (params.features & IORING_FEAT_SQPOLL_NONFIXED) == 0)) {
        io_uring_queue_exit(&uring->ring);
        rc = -ENOSYS;
    }
    *error = -rc;
    if (rc == 0)
        return uring;
    free(uring);
    return NULL;
}

void
uring_free(struct uring *uring)
{
    if (uring == NULL)
        return;
    io_uring_queue_exit(&uring->ring);
    free(uring);
}

/* Hand the entry that was prepared over and wait for its end. @return as a system call. */
static int
run(struct uring *uring)
{
    struct io_uring_cqe *cqe;
    int rc = io_uring_submit(&uring->ring);

    if (rc >= 0) {
        do
            rc = io_uring_wait_cqe(&uring->ring, &cqe);
        while (rc == -EINTR); /* it is on its way: to ask again would write it twice */
    }
    if (rc >= 0) {
        rc = cqe->res;
        io_uring_cqe_seen(&uring->ring, cqe);
    }
    if (rc >= 0)
        return rc;
    errno = -rc;
    return -1;
}

/* The ring would wait for a reader of a full pipe, O_NONBLOCK or not, and nobody could end that. */
static bool
is_full(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };

    return poll(&p, 1, 0) == 0;
}

static ssize_t
uring_write(void *arg, int fd, const struct iovec *iov, int n)
{
    struct uring *uring = arg;
    struct io_uring_sqe *entry = is_full(fd) ? NULL : io_uring_get_sqe(&uring->ring);

    if (entry == NULL) { /* the poller has not taken the one before from its place yet */
        errno = EAGAIN;
        return -1;
    }
    io_uring_prep_writev(entry, fd, iov, (unsigned)n, (uint64_t)-1); /* at its position */
    return run(uring);
}

static int
uring_sync(void *arg, int fd)
{
    struct uring *uring = arg;
    struct io_uring_sqe *entry = io_uring_get_sqe(&uring->ring);

    if (entry == NULL)
        return target_plain.sync(NULL, fd);
    io_uring_prep_fsync(entry, fd, IORING_FSYNC_DATASYNC);
    return run(uring);
}

const struct target_ops target_uring = { uring_write, uring_sync };

#else

struct uring *
uring_new(int *error)
{
    *error = ENOSYS;
    return NULL;
}

void
uring_free(struct uring *uring)
{
    (void)uring;
}

const struct target_ops target_uring = { NULL, NULL };

#endif
