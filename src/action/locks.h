/* SPDX-License-Identifier: Apache-2.0
 *
 * Locks in shared memory that nobody will ever release: a worker that is
 * killed or crashes while it holds one leaves all others waiting.  Found from
 * outside: a thread of a worker waits for a lock (lock_wait.h), and the thread
 * that the lock names as its owner does not exist.  For the ticker alone.
 */
#ifndef AMGR_LOCKS_H
#define AMGR_LOCKS_H

#include "action/lock_wait.h"

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

#endif
