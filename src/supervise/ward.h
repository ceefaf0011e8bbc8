/* SPDX-License-Identifier: Apache-2.0
 *
 * A ward: one managed process as the supervisor has it.  What everybody may see
 * of it is in its row, as it is published; the rest is how it is brought about.
 * For files of the supervisor alone; everything in it runs there and never
 * waits.
 */
#ifndef AMGR_WARD_H
#define AMGR_WARD_H

#include "base/clock.h"
#include "supervise/backoff.h"
#include "supervise/check/check.h"
#include "supervise/guard/guard.h"
#include "supervise/tree.h"

/** The specifications of one configuration, in a pool that lives as long as a
 * ward has one of them. */
typedef struct amgr_spec_set_t {
    apr_pool_t *pool;
    amgr_spec_t **specs;
    int count;
    int users; /**< wards with one of them, and whoever made it */
} amgr_spec_set_t;

/** One user less; without any the pool is destroyed.  NULL is none. */
void amgr_spec_set_release(amgr_spec_set_t *set);

/** How far a guard was told to end its tree. */
typedef enum amgr_ward_step_e {
    AMGR_WARD_UNTOLD = 0,
    AMGR_WARD_TOLD,   /**< to stop it */
    AMGR_WARD_KILLED, /**< to kill it */
    AMGR_WARD_AXED    /**< no answer: the guard was killed itself */
} amgr_ward_step_e;

typedef struct amgr_ward_t {
    amgr_managed_t row; /**< state, want, ready, and all that is shown */

    const amgr_spec_t *spec; /**< of the run that there is, else of the next */
    amgr_spec_set_t *set;
    const amgr_spec_t *next_spec; /**< for the next run, where it is another */
    amgr_spec_set_t *next_set;
    int place;         /**< in the configuration, from 0 */
    int is_removed;    /**< not in the configuration any more */
    int is_asked;      /**< to be started as soon as nothing is in the way */
    int is_leaving;    /**< to be stopped, when what comes after it is gone */
    int is_restarting; /**< by an order, and not settled since */
    int was_ready;     /**< once, since it was configured */

    amgr_guard_t guard;    /**< pid 0: there is none, or it is reaped */
    int order;             /**< amgr_guard_order_e that it did not hear; -1 */
    int is_reopening;      /**< it did not hear of the restart yet */
    int step;              /**< amgr_ward_step_e */
    int is_ended;          /**< the process itself has */
    int is_ended_all;      /**< and has left nothing of its tree behind */
    int is_failed;         /**< it could not be executed */
    int is_in_want;        /**< and that was for want of what there may be
                                soon: no failure of its own */
    int is_empty;          /**< nothing is left of its tree */
    int is_lost;           /**< the guard went without a word */
    int is_notified;       /**< READY=1 was said */
    int stops;             /**< so often it was not ready any more by its own
                                word in this run */
    int is_logger_failing; /**< what it writes is dropped for that */
    int untold_state;      /**< before a change that is told with the next; -1:
                             all are told */
    int wait_status;       /**< of the process itself, when is_ended */
    int cause;             /**< amgr_managed_exit_e, the first; -1: none yet */
    char fault[AMGR_MANAGED_TEXT_LEN]; /**< that in words, a clause */
    char told[AMGR_MANAGED_TEXT_LEN];  /**< the last warning of it */

    amgr_backoff_t backoff;
    amgr_check_t verify;
    amgr_check_t liveness;
    int is_verifying; /**< the check was begun and goes on */
    int is_watching;

    /* Monotonic; AMGR_NO_TIME: not due. */
    apr_time_t start_due_us;    /**< StartTimeout */
    apr_time_t stay_due_us;     /**< ready, without a verifier */
    apr_time_t watchdog_due_us; /**< Liveness notify */
    apr_time_t stopping_due_us; /**< it has said STOPPING=1 */
    apr_time_t step_due_us;     /**< next step of its end */
    apr_time_t delay_due_us;    /**< BACKOFF is over */
    apr_time_t ready_mono_us;   /**< when the run became ready */
    apr_time_t quiet_due_us; /**< its guard talks too much: not heard before */

    /* Sums over the runs before this one. */
    apr_uint64_t past_passed;
    apr_uint64_t past_failed;
    apr_uint64_t past_output_bytes;
    apr_uint64_t past_output_dropped;
    apr_uint64_t past_cpu_us;
    apr_uint64_t run_cpu_us; /**< of this run, the most seen */
} amgr_ward_t;

struct amgr_supervisor_t;

/* ward.c: what happens to one. */

/** An event of the table; @a why: a clause for log and page, may be "". */
void amgr_ward_fire(struct amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                    int event, const char *why);

/** The first cause of its end wins. */
void amgr_ward_blame(amgr_ward_t *ward, int cause, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Nothing is left of its run. */
void amgr_ward_gone(struct amgr_supervisor_t *supervisor, amgr_ward_t *ward);

/** Stop it now, for @a why; nothing where it is not there. */
void amgr_ward_stop(struct amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                    const char *why);

/** Where another specification waits for the end of the run, take it. */
void amgr_ward_take_next(struct amgr_supervisor_t *supervisor,
                         amgr_ward_t *ward);

/** Let go of its specifications. */
void amgr_ward_release(amgr_ward_t *ward);

/** Whether there is, or may be, something of a run. */
int amgr_ward_is_on(const amgr_ward_t *ward);

/** Whether there is nothing of a run, and none is due. */
int amgr_ward_is_at_rest(const amgr_ward_t *ward);

/** All is as it should be but, maybe, its logger: so its reason. */
void amgr_ward_set_well(amgr_ward_t *ward);

/* ward_run.c, and ward_exit.c: its guard and its tree. */

/** Start a guard.  Faults are events. */
void amgr_ward_launch(struct amgr_supervisor_t *supervisor, amgr_ward_t *ward);

/** The process itself has ended; the guard sees to the rest. */
void amgr_ward_exited(struct amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                      const amgr_guard_event_t *event);

/** Tell the guard, now or as soon as it hears. */
void amgr_ward_tell(amgr_ward_t *ward, int order);

/** Have the guard open its files anew, now or as soon as it hears; the error
 * log goes with that where it has a descriptor. */
void amgr_ward_reopen(const struct amgr_supervisor_t *supervisor,
                      amgr_ward_t *ward);

/** What its guard has said. */
void amgr_ward_listen(struct amgr_supervisor_t *supervisor, amgr_ward_t *ward);

/** Its guard was reaped, having used @a cpu_us with all that it reaped. */
void amgr_ward_guard_ended(struct amgr_supervisor_t *supervisor,
                           amgr_ward_t *ward, apr_uint64_t cpu_us);

/** The next step of an end that does not come. */
void amgr_ward_press(struct amgr_supervisor_t *supervisor, amgr_ward_t *ward);

/** Memory and CPU of its tree, and MaxMemory. */
void amgr_ward_measure(struct amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                       amgr_proc_dir_t *proc);

/* ward_check.c: its verifiers, and the time. */

/** It was executed: begin with Verify, or let it stay for a while. */
void amgr_ward_begin_verify(struct amgr_supervisor_t *supervisor,
                            amgr_ward_t *ward);
/** It is ready: begin with Liveness. */
void amgr_ward_begin_watch(struct amgr_supervisor_t *supervisor,
                           amgr_ward_t *ward);
void amgr_ward_end_checks(amgr_ward_t *ward);

/** The child @a pid was reaped; non-zero: it was an attempt of this one. */
int amgr_ward_reaped(struct amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                     pid_t pid, int wait_status);

/** Do what is due. */
void amgr_ward_look(struct amgr_supervisor_t *supervisor, amgr_ward_t *ward);

/** Nobody had a turn for @a span_us, neither we nor its processes: all that is
 * due by then is due so much later. */
void amgr_ward_postpone(amgr_ward_t *ward, apr_interval_time_t span_us);

/** When something is; AMGR_NO_TIME: nothing. */
apr_time_t amgr_ward_due(const amgr_ward_t *ward);

/** Whether the child @a pid is its guard or an attempt of it. */
int amgr_ward_has(const amgr_ward_t *ward, pid_t pid);

#endif
