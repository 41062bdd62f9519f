/*
 * The way into the kernel through io_uring with a poller (SQPOLL): the log's thread hands a write
 * over without a system call, as long as the kernel's poller is awake, and sleeps until it is done.
 * One write at a time: records stay whole and in order as with writev().
 *
 * Threads: the log's own, but for uring_new() and uring_free().
 */
#ifndef WEIR_FILE_LOG_URING_H
#define WEIR_FILE_LOG_URING_H

#include "file/target.h"

struct uring;

/* @return NULL: built without liburing, or the kernel has none for us; *error is an errno. */
struct uring *uring_new(int *error);
void uring_free(struct uring *uring);

extern const struct target_ops target_uring; /* arg: a struct uring */

#endif
