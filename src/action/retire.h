/* SPDX-License-Identifier: Apache-2.0
 *
 * Doing what was decided: the steps by which a process is retired, and seeing
 * it through.  Runs in the process that ticks.  Only ever signals a direct
 * child of the httpd parent whose start time is unchanged.
 *
 *   step      prefork     worker, event           WSGI daemon
 *   announce  an order    an order                (not taken)
 *   ask       SIGUSR1     an order                SIGUSR1
 *   nudge     SIGTERM     (not taken)             (not taken)
 *   kill      SIGKILL     SIGKILL                 SIGKILL
 *
 * On worker and event every signal but SIGKILL is without effect on a single
 * child; there the child retires itself, told by an order (orders.h).
 */
#ifndef AMGR_RETIRE_H
#define AMGR_RETIRE_H

#include "action/record.h"
#include "proc/proc_control.h"

/** Who acts, and how. */
typedef struct amgr_retire_t {
    amgr_proc_dir_t *proc;
    pid_t parent; /**< the httpd parent, whose child a victim must be */
    int may_wait; /**< not the parent itself: see proc_control.h */
    const amgr_limits_t *limits;
} amgr_retire_t;

/**
 * Take the step of @a decision with a process of @a snapshot, and note in @a
 * record, which is that of this retirement, what was done.  A dry run is noted
 * and nothing is sent.  Returns APR_SUCCESS when the signal was sent or nothing
 * had to be; APR_NOTFOUND when the process was gone before (a new record's
 * outcome is vanished: no failure); APR_EINVAL, with nothing sent, for a
 * decision or a process that is not to be signalled; else why the signal could
 * not be sent (outcome failed).
 */
apr_status_t amgr_retire_take(const amgr_retire_t *retire,
                              const amgr_snapshot_t *snapshot,
                              const amgr_decision_t *decision,
                              amgr_record_t *record);

/** What there is new about a retirement; bits. */
typedef enum amgr_retire_news_e {
    AMGR_NEWS_NONE = 0,
    AMGR_NEWS_UPDATED = 1, /**< the record says more than before */
    AMGR_NEWS_GONE = 2,    /**< the process has just ended */
    AMGR_NEWS_STUCK = 4,   /**< it has just outlived its SIGKILL */
} amgr_retire_news_e;

/**
 * See a retirement through, as of @a snapshot: its process goes, its memory
 * comes back, another serves in its place.  A snapshot whose table of
 * processes is full proves the absence of workers alone, which come first.
 */
int amgr_retire_follow(const amgr_snapshot_t *snapshot, amgr_record_t *record);

/** Whether there is anything left to follow. */
int amgr_retire_is_open(const amgr_record_t *record);

#endif
