/*
 * What a log writes to: a file, a FIFO, a Unix socket, or a descriptor of the caller's.
 *
 * Threads: the log's own thread; target_open() for the first time, its opener.
 */
#ifndef WEIR_FILE_TARGET_H
#define WEIR_FILE_TARGET_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

/* How bytes get into the kernel: for tests that let a disk fail or stall, and for io_uring. */
struct target_ops {
    ssize_t (*write)(void *arg, int fd, const struct iovec *iov, int n); /* -1 and errno */
    int (*sync)(void *arg, int fd);                                      /* -1 and errno */
};

extern const struct target_ops target_plain;

struct target {
    char *path; /* NULL: fd was given, and stays open unless owned */
    int fd;     /* -1: not open now */
    bool owned; /* no path, but fd is ours all the same: what was given, opened once more */
    bool regular;
    bool datagrams; /* a record a write */
    bool listener;  /* a FIFO or socket: its reader may come and go */
    off_t end; /* regular: where it ends if nobody else writes; the writer adds what it wrote */
};

/* Open the path, or look at the descriptor. @return 0, or an errno. */
int target_open(struct target *t);

/* Whether this errno says that nobody is there to read. */
bool target_is_lost(const struct target *t, int error);

void target_close(struct target *t);

/*
 * Take the last @n bytes off a regular file, if nobody else has written behind us.
 * @return whether they are gone.
 */
bool target_cut_back(struct target *t, size_t n);

/* Wait until more can be written, or for so long. */
void target_wait(const struct target *t, int ms);

#endif
