/* SPDX-License-Identifier: Apache-2.0
 *
 * What a managed process is, as a table: for each state and each event the
 * state that follows and what is to be done.  Pure; it knows neither clocks nor
 * processes.  What is wanted of a process, and whether it is ready, are not in
 * it: they stand apart, and decide which events there are.
 *
 * Invariant: in STARTING, RUNNING, READY and STOPPING there is a guard, or what
 * a killed one left; in the other states there is nothing of the process.
 */
#ifndef AMGR_MACHINE_H
#define AMGR_MACHINE_H

#include "model/managed.h"

typedef enum amgr_machine_event_e {
    AMGR_MACHINE_START = 0, /**< asked for, and nothing is in its way */
    AMGR_MACHINE_HELD,      /**< asked for, and something is; or not wanted any
                            more, having ended */
    AMGR_MACHINE_STARTED,   /**< executed */
    AMGR_MACHINE_LAUNCH_FAILED, /**< not to be executed; its guard ends */
    AMGR_MACHINE_VERIFIED,      /**< its verifier passed, or it has stayed */
    AMGR_MACHINE_UNVERIFIED,    /**< its verifier's retries are used up */
    AMGR_MACHINE_START_TIMEOUT,
    AMGR_MACHINE_UNHEALTHY,
    AMGR_MACHINE_OVER_MEMORY,
    AMGR_MACHINE_ENDED, /**< by itself; its tree may still be there */
    AMGR_MACHINE_STOP,  /**< to be stopped, now */
    AMGR_MACHINE_LOST,  /**< its guard is gone before its tree */
    /* Nothing is left of the run, and: */
    AMGR_MACHINE_GONE_DOWN,  /**< none is due by itself */
    AMGR_MACHINE_GONE_DONE,  /**< it has done its work, or failed for good */
    AMGR_MACHINE_GONE_RETRY, /**< another is due after a delay */
    AMGR_MACHINE_GONE_FATAL, /**< it has failed too often */
    AMGR_MACHINE_EVENT_COUNT
} amgr_machine_event_e;

typedef enum amgr_machine_action_e {
    AMGR_MACHINE_NOTHING = 0,
    AMGR_MACHINE_LAUNCH,   /**< start a guard; StartTimeout begins */
    AMGR_MACHINE_VERIFY,   /**< begin Verify, or the time that it must stay */
    AMGR_MACHINE_WATCH,    /**< it is ready: begin Liveness */
    AMGR_MACHINE_AWAIT,    /**< no checks any more; the guard ends the rest */
    AMGR_MACHINE_TELL,     /**< no checks any more; its guard is told to stop
                                it; StopTimeout begins */
    AMGR_MACHINE_SWEEP,    /**< no checks any more; kill what is left of it */
    AMGR_MACHINE_BACK_OFF, /**< begin the delay */
    AMGR_MACHINE_REST,     /**< nothing is due any more */
    AMGR_MACHINE_ACTION_COUNT
} amgr_machine_action_e;

typedef struct amgr_machine_cell_t {
    apr_byte_t state;  /**< amgr_managed_state_e that follows */
    apr_byte_t action; /**< amgr_machine_action_e */
} amgr_machine_cell_t;

/** The cell of @a state (amgr_managed_state_e) and @a event. */
amgr_machine_cell_t amgr_machine_step(int state, int event);

/** What is known of a run of which nothing is left. */
typedef struct amgr_machine_run_t {
    int cause;         /**< amgr_managed_exit_e */
    int restart;       /**< amgr_restart_e */
    int is_wanted;     /**< nobody has stopped the process meanwhile */
    int is_asked;      /**< another run was asked for meanwhile */
    int limit_reached; /**< RestartLimit, with this failure */
} amgr_machine_run_t;

/** Which AMGR_MACHINE_GONE_... it is. */
int amgr_machine_gone(const amgr_machine_run_t *run);

/** Whether an end for this reason counts for RestartLimit.  A clean one of what
 * is to run always does not, but it makes the delay longer. */
int amgr_machine_is_failure(const amgr_machine_run_t *run);

#endif
