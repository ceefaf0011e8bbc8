/* SPDX-License-Identifier: Apache-2.0
 *
 * Locks in shared memory that nobody will ever release: a worker that is
 * killed or crashes while it holds one leaves all others waiting.  Found from
 * outside: a thread of a worker waits in a futex that is not private, the word
 * there is that of a mutex, and the thread that the mutex names as its owner
 * does not exist.
 *
 * Known are the mutexes of glibc, and of whoever keeps the owner's id in the
 * word itself as the kernel's own protocol does.  Of other locks (read-write
 * locks, condition variables, semaphores) nothing is said.
 *
 * Looking reads memory of workers, which takes their mmap lock: for the ticker
 * alone.  What workers write there is only ever compared and shown.
 */
#ifndef AMGR_LOCKS_H
#define AMGR_LOCKS_H

#include "model/snapshot.h"
#include "proc/proc_maps.h"
#include "proc/proc_task.h"

#define AMGR_LOCKS_SUSPECTS 16

/** How far apart two looks are, at least, that make a suspicion certain. */
#define AMGR_LOCKS_APART_US APR_USEC_PER_SEC

/** A lock whose owner is gone, at one of the places where it is mapped. */
typedef struct amgr_lock_suspect_t {
    apr_uint64_t address; /**< 0: a free entry */
    pid_t owner;          /**< a thread's id */
    apr_time_t first_us;  /**< monotonic; when it was seen first */
    int waiters;          /**< threads at the last look */
    int missed;           /**< looks in a row at which nobody waited */
    int reported;
} amgr_lock_suspect_t;

/** What the ticking process knows; all zero at first. */
typedef struct amgr_locks_t {
    amgr_lock_suspect_t suspects[AMGR_LOCKS_SUSPECTS];
    apr_time_t until_us; /**< looks go on until then */
    apr_time_t look_us;  /**< of the last one */
    int cursor;          /**< process to begin with, after a look cut short */
} amgr_locks_t;

/** An orphaned lock, for the log. */
typedef struct amgr_lock_report_t {
    pid_t pid;                          /**< a worker that waits */
    pid_t owner;                        /**< the thread that held it */
    apr_uint64_t address;               /**< in that worker */
    int waiters;                        /**< threads that were seen waiting */
    char mapping[AMGR_PROC_TARGET_LEN]; /**< any bytes; may be empty */
} amgr_lock_report_t;

/** A worker ended that may have held a lock: look for some time. */
void amgr_locks_alert(amgr_locks_t *locks, apr_time_t now_us);

/**
 * Look at the workers of @a snapshot, when it is time to, at most until
 * @a deadline_us; both are of the monotonic clock.  Non-zero when a lock has
 * just become certain to be orphaned, once for each, with @a out filled in.
 */
int amgr_locks_look(amgr_locks_t *locks, amgr_proc_dir_t *proc,
                    const amgr_snapshot_t *snapshot, apr_time_t now_us,
                    apr_time_t deadline_us, amgr_lock_report_t *out);

/**
 * The owner that a lock names, from the 20 bytes at its futex's address; 0 for
 * one that is free, or that is no lock this module knows.
 */
pid_t amgr_locks_owner(const apr_uint32_t words[5]);

#endif
