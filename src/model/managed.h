/* SPDX-License-Identifier: Apache-2.0
 *
 * Managed processes as they are now: what the supervisor publishes and
 * everybody else shows.  Plain numbers and bounded strings; nothing in it is
 * acted on by whoever reads it from shared memory.
 */
#ifndef AMGR_MANAGED_H
#define AMGR_MANAGED_H

#include <sys/types.h>

#include "base/base.h"

#define AMGR_MANAGED_MAX 64
#define AMGR_MANAGED_NAME_LEN 64 /**< with the NUL; [A-Za-z0-9_.-] only */
#define AMGR_MANAGED_TEXT_LEN 160

/** What a process is; supervisord's words, and READY. */
typedef enum amgr_managed_state_e {
    AMGR_MANAGED_STOPPED = 0, /**< not wanted, or not yet: see the reason */
    AMGR_MANAGED_STARTING,    /**< its guard is there, it is not executed yet */
    AMGR_MANAGED_RUNNING,     /**< executed, and not known to be ready */
    AMGR_MANAGED_READY,       /**< verified; without Verify: it has stayed */
    AMGR_MANAGED_BACKOFF,     /**< it failed and is started again later */
    AMGR_MANAGED_STOPPING,    /**< told to end; its tree is not gone yet */
    AMGR_MANAGED_EXITED,      /**< ended by itself, and stays so */
    AMGR_MANAGED_FATAL,       /**< failed too often; an order starts it again */
    AMGR_MANAGED_STATE_COUNT
} amgr_managed_state_e;

/** Why a run ended: the first reason, not what it led to. */
typedef enum amgr_managed_exit_e {
    AMGR_MANAGED_EXIT_CLEAN = 0, /**< by itself, with a code of SuccessExit */
    AMGR_MANAGED_EXIT_CODE,      /**< by itself, with another */
    AMGR_MANAGED_EXIT_SIGNAL,    /**< by a signal that nobody here sent */
    AMGR_MANAGED_EXIT_EXEC,      /**< it could not be executed */
    AMGR_MANAGED_EXIT_START_TIMEOUT, /**< not ready in time: stopped */
    AMGR_MANAGED_EXIT_UNHEALTHY,     /**< Liveness failed, or it said that
                                          it stops and did not: stopped */
    AMGR_MANAGED_EXIT_MEMORY,        /**< over MaxMemory: stopped */
    AMGR_MANAGED_EXIT_ORDERED, /**< stopped by order, or with the server */
    AMGR_MANAGED_EXIT_LOST,    /**< its guard was killed */
    AMGR_MANAGED_EXIT_COUNT
} amgr_managed_exit_e;

/** What is wanted of it. */
typedef enum amgr_managed_want_e {
    AMGR_MANAGED_WANT_DOWN = 0,
    AMGR_MANAGED_WANT_UP,
    AMGR_MANAGED_WANT_COUNT
} amgr_managed_want_e;

/** All of them together; pymanager's and servermgr's users know the idea. */
typedef enum amgr_application_e {
    AMGR_APPLICATION_STARTING =
        0,                     /**< some were not ready yet since the start */
    AMGR_APPLICATION_RUNNING,  /**< all that are wanted are ready */
    AMGR_APPLICATION_DEGRADED, /**< they were, or one is FATAL; or there are
                                    some, and all were stopped by order */
    AMGR_APPLICATION_SHUTDOWN, /**< all are stopped: by an order, when is_shut
                                    is so, or since their supervisor ends */
    AMGR_APPLICATION_COUNT
} amgr_application_e;

/** One process. */
typedef struct amgr_managed_t {
    char name[AMGR_MANAGED_NAME_LEN];
    char program[256]; /**< without its arguments, which may hold what
                                 nobody shall see */
    char verify[16];   /**< type of its verifier; empty: none */
    char reason[AMGR_MANAGED_TEXT_LEN]; /**< why it is what it is, a clause
                                             without full stop; may be empty */
    char status[AMGR_MANAGED_TEXT_LEN]; /**< what it says itself (STATUS=);
                                             hostile bytes, to be escaped */
    apr_int32_t id;           /**< place in the configuration, from 1 */
    apr_int32_t state;        /**< amgr_managed_state_e */
    apr_int32_t want;         /**< amgr_managed_want_e */
    apr_int32_t ready;        /**< also of an EXITED one whose verifier is
                                 `exited` and passed */
    apr_int32_t exit_known;   /**< there was a run that ended */
    apr_int32_t exit_cause;   /**< amgr_managed_exit_e, of the last run */
    apr_int32_t exit_code;    /**< -1: none, ended by a signal or never run */
    apr_int32_t exit_signal;  /**< 0: none */
    pid_t pid;                /**< 0: it does not run */
    pid_t guard;              /**< 0: none */
    apr_uint64_t start_ticks; /**< of pid, see amgr_proc_id_t */
    apr_uint64_t after;       /**< bit (id - 1) of each that it comes after */
    apr_time_t since_us;      /**< wall: in this state since */
    apr_time_t started_us;    /**< wall: start of the last run; 0: never */
    apr_time_t ready_us;      /**< wall: when that became ready; 0: not */
    apr_time_t next_start_us; /**< wall, in BACKOFF; else 0 */
    apr_interval_time_t backoff_us; /**< the delay in force; else 0 */
    apr_uint64_t starts; /**< since the server was started, and so are: */
    apr_uint64_t exits[AMGR_MANAGED_EXIT_COUNT];
    apr_uint64_t checks_passed; /**< attempts of both verifiers */
    apr_uint64_t checks_failed;
    apr_interval_time_t check_us; /**< duration of the last; < 0: none yet */
    apr_uint64_t memory_bytes; /**< resident, of the whole tree; AMGR_UNKNOWN */
    apr_uint64_t max_memory_bytes; /**< its MaxMemory; 0: none */
    apr_uint64_t cpu_us;       /**< user and system, of all runs and their trees
                                 as far as they were seen; never less */
    apr_int32_t tree_count;    /**< processes of its tree; 0: it does not run */
    apr_int32_t restart;       /**< amgr_restart_e of supervise/spec/spec.h */
    apr_uint64_t output_bytes; /**< what it wrote */
    apr_uint64_t output_dropped; /**< of that, what nobody could keep */
    apr_int32_t is_stuck; /**< wanted, and waits for what does not come without
                               an order */
    apr_int32_t is_down;  /**< stopped by an order of its own */
    apr_uint64_t section; /**< amgr_spec_hash() of what it was last to run as;
                               for the next supervisor, and shown to nobody */
} amgr_managed_t;

/** A run that was not seen to end: who led it, and its session. */
typedef struct amgr_managed_left_t {
    pid_t pid;
    apr_uint64_t start_ticks;
} amgr_managed_left_t;

/** All of them: one region of the board, written by the supervisor. */
typedef struct amgr_managed_table_t {
    apr_int32_t count;
    apr_int32_t application; /**< amgr_application_e */
    pid_t supervisor;        /**< 0: there is none now */
    apr_int32_t control;     /**< orders over HTTP are heard (ManagerControl) */
    apr_time_t beat_mono_us; /**< the supervisor was alive then */
    apr_uint64_t revision;   /**< one more with each change of any `ready` */
    apr_uint64_t supervisors; /**< how often one was started, from 1 */
    apr_uint64_t applied;   /**< number of the last configuration that was dealt
                               with; one that could not be for want of memory or
                               descriptors is not, and is to be sent again */
    apr_int32_t left_count; /**< of the supervisor before this one, until it is
                                 known that nothing of them is left */
    amgr_managed_left_t left[AMGR_MANAGED_MAX];
    char socket[108];    /**< where it takes orders; empty: nowhere */
    apr_int32_t is_shut; /**< all were stopped by an order, for good */
    amgr_managed_t processes[AMGR_MANAGED_MAX];
} amgr_managed_table_t;

/** "READY"; "unknown" for a number that is none. */
const char *amgr_managed_state_word(int state);

/** "clean", "start_timeout": as in labels of metrics. */
const char *amgr_managed_exit_word(int cause);

#define AMGR_MANAGED_END_LEN 64 /**< with the NUL */

/** How its last run ended, exit_known being so: "exited with code 1",
 * "killed by SIGKILL", "not ready in time (SIGTERM)". */
void amgr_managed_end_text(const amgr_managed_t *process,
                           char out[AMGR_MANAGED_END_LEN]);

#define AMGR_SIGNAL_LEN 16 /**< with the NUL */

/** "SIGTERM"; "signal 40" for one that has no name here. */
void amgr_signal_text(int number, char out[AMGR_SIGNAL_LEN]);

/** "up", "down" */
const char *amgr_managed_want_word(int want);

/** "running" */
const char *amgr_application_word(int application);

/** The process of this name, or NULL. */
const amgr_managed_t *amgr_managed_find(const amgr_managed_table_t *table,
                                        const char *name);

/** Whom @a process of @a table comes after, also by way of others: bits as in
 * its `after`. */
apr_uint64_t amgr_managed_after_all(const amgr_managed_table_t *table,
                                    const amgr_managed_t *process);

/** Whether it has a process now. */
int amgr_managed_is_running(const amgr_managed_t *process);

/** Whether it is wanted and is not ready. */
int amgr_managed_is_missed(const amgr_managed_t *process);

/** Whether every process that is wanted is ready; none at all is. */
int amgr_managed_all_ready(const amgr_managed_table_t *table);

/** Whether nobody watches them, though somebody should. */
int amgr_managed_is_unwatched(const amgr_managed_table_t *table);

/** Bound every count and enumeration and end every string of a table that was
 * read from shared memory; rows behind its count are not looked at. */
void amgr_managed_mend(amgr_managed_table_t *table);

/** The row of a process that never ran.  @a name is cut to what there is room
 * for. */
void amgr_managed_init(amgr_managed_t *process, const char *name);

/** For whoever shows a table: @a process, which no row of it is for, is one of
 * them; where there is no room for it, that not all are ready is told all the
 * same. */
void amgr_managed_expect(amgr_managed_table_t *table,
                         const amgr_managed_t *process);

/** A supervisor publishes several times in this span, whatever happens. */
#define AMGR_MANAGED_STALE_US apr_time_from_sec(10)

/** For whoever shows a table: where its supervisor is gone, or was not alive
 * for AMGR_MANAGED_STALE_US before @a mono_us, it says so, and that nothing is
 * ready, since then nobody knows.  One that is shut down stays so. */
void amgr_managed_doubt(amgr_managed_table_t *table, apr_time_t mono_us);

#endif
