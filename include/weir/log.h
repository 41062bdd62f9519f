/**
 * @file
 * Logs: records that packet cores write to files, pipes and sockets without waiting for them.
 *
 * A log is a ring of bytes for each core that writes to it, and a thread that empties the rings
 * into the kernel in large pieces. A record is written whole, and those of one core in their order;
 * nothing is promised about the order of two cores, but in the replay of a monitor (monitor.h) on
 * several cores, whose records are written in the order of packets.
 *
 * In the handlers of a replay a record is over when it is in the ring, or in the queue that puts
 * the records of several cores in order: futures are ready at once, so that handlers go on at the
 * same packet in every run. Where there is no room the thread waits for it, whatever
 * weir_log_opts.full says; likewise for the disk (weir_log_opts.on_disk, weir_log_sync()), and in
 * weir_log_flush().
 *
 * Threads: every call is allowed on every thread, but a record belongs to the thread's current core
 *          (core.h) and needs one. weir_log_write(), _append(), _reserve(), _commit(), _flush() and
 *          _sync() make no system call, take no lock and allocate nothing but a cell; they do not
 *          wake the log's thread either, which looks by itself, at least every 10 ms. So a packet
 *          core never calls write, fwrite, fsync, io_submit or io_uring_enter for a record.
 * Memory:  all at weir_log_open(). A core takes one of the rings with its first call.
 */
#ifndef WEIR_LOG_H
#define WEIR_LOG_H

#include <weir/api.h>
#include <weir/error.h>
#include <weir/future.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weir_log; /* opaque */

/** What becomes of a record for which its core's ring has no room, or which cannot be written. */
enum weir_log_full {
    WEIR_LOG_WAIT, /**< it waits: for room, and for the end of what keeps it from being written */
    WEIR_LOG_DROP, /**< it is dropped and counted: WEIR_E_LIMIT, or WEIR_E_IO on an error */
};

struct weir_log_opts {
    /**
     * A file, made if missing and appended to; a FIFO; a Unix socket, stream or datagram, also as
     * "unix:PATH". NULL: fd. Copied. A FIFO or socket that nobody reads is opened again and again.
     */
    const char *path;
    int fd;           /**< if there is no path; stays the caller's */
    const char *name; /**< what errors call fd; lives as long as the log. NULL: "descriptor 7" */
    enum weir_log_full full;
    bool on_disk; /**< the futures of weir_log_write() wait until the record is on disk */
    bool final;   /**< the first error ends the log: all later records fail. For a replay */
    bool uring; /**< write through io_uring with a kernel poller, for a machine with a spare core */
    uint32_t cores;     /**< rings, one for each core that writes; 0: 1. In a replay at least
                             weir_monitor_opts.cores, or nothing is written */
    uint32_t ring_size; /**< bytes of one, made a power of two; 0: 1 MiB. At most 1 GiB */
    uint32_t futures;   /**< that may sleep at a time, a core; 0: 4096. At most 2^20 */
    uint32_t waiting;   /**< records that may wait for room, a core; 0: 1024. At most futures */
    uint32_t linger_ms; /**< how long weir_log_close() goes on without progress; 0: 1000 */
};

/** Counters of a log, of all its cores. */
struct weir_log_stats {
    uint64_t records;      /**< handed to the kernel */
    uint64_t bytes;        /**< of these */
    uint64_t writes;       /**< calls of the kernel for that */
    uint64_t dropped;      /**< records refused: the ring was full */
    uint64_t refused;      /**< records refused: no more futures, or records that wait */
    uint64_t failed;       /**< records given up because of an error */
    uint64_t held;         /**< bytes in the rings right now */
    uint64_t waited;       /**< records that had to wait for room */
    uint64_t errors;       /**< tries that failed: to open, to write, to come to the disk */
    uint64_t reconnects;   /**< times a FIFO's or socket's other side was lost */
    uint64_t cut_back;     /**< files shortened to the end of their last whole record */
    uint64_t reopened;     /**< by weir_log_reopen() */
    uint64_t not_reopened; /**< times that failed, and the old file stayed in use; of errors */
    bool uring;            /**< records go through io_uring */
    int last_errno;        /**< of the last error; 0: there was none */
};

/**
 * Open a log and start its thread.
 *
 * @param[in]  opts  copied.
 * @param[out] out   closed with weir_log_close(); NULL on error.
 * @param[out] err   text for people; may be NULL. With WEIR_E_OK too, if weir_log_opts.uring was
 *                   asked for and cannot be had: then the log goes without.
 * @return WEIR_E_OK, WEIR_E_INVAL, WEIR_E_NOMEM, WEIR_E_PERM or WEIR_E_IO. That nobody reads a
 *         FIFO or socket yet is no error.
 */
WEIR_API WEIR_MUST_USE int
weir_log_open(const struct weir_log_opts *opts, struct weir_log **out, struct weir_errbuf *err);

/**
 * Write what is left, and end. What cannot be written within weir_log_opts.linger_ms is given up.
 * Futures that sleep are resolved. No core may use the log any more, or run meanwhile.
 *
 * @param log  NULL is allowed.
 * @return WEIR_E_OK; WEIR_E_IO if a record was ever lost to an error, with a text in @p err.
 */
WEIR_API int weir_log_close(struct weir_log *log, struct weir_errbuf *err);

/**
 * Write a record.
 *
 * @param p  @p n bytes, copied; with WEIR_LOG_WAIT they must stay as they are until the future that
 *           is returned is resolved: a record that waits for room is copied when there is some.
 * @param n  at most half of the ring, less 8.
 * @return ready with 0 when the kernel has it (when it is on disk, with weir_log_opts.on_disk);
 *         WEIR_E_IO if it could not be written; WEIR_E_LIMIT if a limit was reached; WEIR_E_INVAL
 *         if it is too long, or this core has no ring: there is none left, or no current core.
 */
#define weir_log_write(log, p, n) weir_log_write_at((log), (p), (n), WEIR_HERE)
WEIR_API WEIR_MUST_USE weir_fut weir_log_write_at(struct weir_log *log, const void *p, size_t n,
                                                  const char *site);

/**
 * Write a record whose fate nobody waits for. It never waits.
 *
 * @return WEIR_E_OK, WEIR_E_LIMIT if there is no room now, WEIR_E_IO if an error has ended the log,
 *         or WEIR_E_INVAL as weir_log_write().
 */
WEIR_API WEIR_MUST_USE int weir_log_append(struct weir_log *log, const void *p, size_t n);

/**
 * Room for a record of at most @p n bytes, to put it together in place. Only weir_log_commit()
 * makes it one; any other call of this core for this log gives the room up.
 *
 * @return @p n bytes; NULL where weir_log_append() would refuse the record.
 */
WEIR_API WEIR_MUST_USE void *weir_log_reserve(struct weir_log *log, size_t n);

/** The record in the room of the last weir_log_reserve() is complete, with @p n bytes. */
WEIR_API void weir_log_commit(struct weir_log *log, size_t n);

/**
 * @return ready with 0 when all that this core has written to @p log before is over: the kernel
 *         has it, or it failed. Failed as weir_log_write() may.
 */
#define weir_log_flush(log) weir_log_flush_at((log), WEIR_HERE)
WEIR_API WEIR_MUST_USE weir_fut weir_log_flush_at(struct weir_log *log, const char *site);

/** As weir_log_flush(), when it is on disk; WEIR_E_IO if the disk refuses. */
#define weir_log_sync(log) weir_log_sync_at((log), WEIR_HERE)
WEIR_API WEIR_MUST_USE weir_fut weir_log_sync_at(struct weir_log *log, const char *site);

/**
 * Go on with a file of the same name at the next record: what was written before this call goes to
 * the old one. If it cannot be opened, the old one stays in use and the error is counted. Calls
 * before the log's thread has come to it are one. No effect on a log without a path.
 *
 * Async-signal-safe.
 */
WEIR_API void weir_log_reopen(struct weir_log *log);

/**
 * Block until all that was written before is over. Never on a live packet core, nor in a handler.
 *
 * @return WEIR_E_OK; WEIR_E_IO if an error has ended the log.
 */
WEIR_API int weir_log_drain(struct weir_log *log);

/**
 * Block until a record of @p n bytes has room in this core's ring. Never on a live packet core, nor
 * in a handler: for a replay's reader between packets.
 *
 * @return WEIR_E_OK; WEIR_E_IO if an error has ended the log; WEIR_E_INVAL as weir_log_append().
 */
WEIR_API int weir_log_wait_room(struct weir_log *log, size_t n);

/** Copy the counters. Threads: any, at any time; each counter is right, their sums are about. */
WEIR_API void weir_log_get_stats(const struct weir_log *log, struct weir_log_stats *out);

#endif
