/* SPDX-License-Identifier: Apache-2.0
 *
 * One run of killing: who was chosen, waiting for their end, and what is said
 * of it, whoever did the killing.
 */
#ifndef AMGR_KILL_RUN_H
#define AMGR_KILL_RUN_H

#include "action/record.h"
#include "cli/tasks.h"
#include "proc/proc_control.h"

/** The longest grace period that this program waits for on the word of a page;
 * and by how much an answer's may be longer than the board's. */
#define AMGR_KILL_SAID_GRACE_MAX_US apr_time_from_sec(600)

/** One that was chosen. */
typedef struct amgr_victim_t {
    amgr_proc_id_t id;
    int native;
    int active;
    int outcome; /**< amgr_outcome_e */
    int denied;  /**< FAILED for want of rights */
} amgr_victim_t;

typedef struct amgr_kill_run_t {
    const amgr_options_t *options;
    amgr_proc_dir_t *proc;
    apr_pool_t *pool;
    amgr_victim_t *victims;
    int count;
    int workers;     /**< how many were judged */
    int interrupted; /**< the wait was */
    int vetoed;      /**< over the limits, and protected by another module */
    int unlisted;    /**< retired too, and nobody can say who */
    int is_unsure;   /**< what the workers do now is not known, so that no
                          requests were judged */
    int is_untold;   /**< of that: its page does not tell */
    int untimed;     /**< requests of HTTP/2 that no time limit was for, since
                          nobody tells how old they are */
} amgr_kill_run_t;

/** Looks at the victims again: whoever has ended gets its outcome. */
typedef void amgr_kill_look_fn(amgr_kill_run_t *run, void *baton);

/** A text from outside, for one line of a terminal; cut when it is long. */
const char *amgr_kill_escaped(const char *text, apr_pool_t *pool);

/** How many have this outcome. */
int amgr_kill_count(const amgr_kill_run_t *run, int outcome);

/**
 * Say what the run does with @a victim, by the @a line of its record, which is
 * printable: a kill, one that failed, or that there was nobody any more.
 */
void amgr_kill_tell(const amgr_kill_run_t *run, const amgr_victim_t *victim,
                    const char *line, int to_syslog);

/** Say of so many that they are killed without being asked, and why. */
void amgr_kill_tell_at_once(int count);

/**
 * Warn of what a standing configuration would not do, before it is done: a
 * limit that every fresh child is over, as @a snapshot knows their sizes; and
 * victims that leave nobody to serve.
 */
void amgr_kill_warn_limits(const amgr_options_t *options,
                           const amgr_snapshot_t *snapshot);
void amgr_kill_warn_serving(const amgr_kill_run_t *run,
                            const amgr_snapshot_t *snapshot);

/** Sleep so long, or until a signal. */
void amgr_kill_pause(apr_interval_time_t span_us);

/**
 * Wait until no victim is pending, looking again and again, @a grace_us and
 * some seconds at most.  SIGINT and SIGTERM end the wait.
 */
void amgr_kill_wait(amgr_kill_run_t *run, apr_interval_time_t grace_us,
                    amgr_kill_look_fn *look, void *baton);

/** Say the sum, fill in who was killed, and tell what went wrong: a fault or
 * NULL. */
const amgr_fault_t *amgr_kill_finish(const amgr_kill_run_t *run,
                                     amgr_kill_result_t *out);

#endif
