/* SPDX-License-Identifier: Apache-2.0
 *
 * A guard: a small process between the supervisor and one run of a managed
 * process.  It starts the process as its own session, adopts whatever that
 * leaves behind (PR_SET_CHILD_SUBREAPER, prctl(2)), takes its output and its
 * notifications, and when the supervisor is gone it ends the whole tree: first
 * by StopSignal, and after GUARD_MERCY_US by SIGKILL.  So a run has an end
 * whoever is killed, and nobody who can hang but this one process.
 *
 * One guard is one run: it is forked by amgr_guard_start() and ends when the
 * last process of the tree has ended.  Everything here but what the guard does
 * itself runs in the supervisor, and never waits.
 */
#ifndef AMGR_GUARD_H
#define AMGR_GUARD_H

#include <sys/types.h>

#include "model/child.h"
#include "supervise/say.h"
#include "supervise/spec/spec.h"

/** Of the tree of a guard whose supervisor is gone, between StopSignal (where
 * its StopTimeout is not shorter) and SIGKILL. */
#define AMGR_GUARD_MERCY_US (3 * APR_USEC_PER_SEC)

/** Where starting went wrong; see the errno beside it. */
typedef enum amgr_launch_e {
    AMGR_LAUNCH_FINE = 0,
    AMGR_LAUNCH_NO_FORK,
    AMGR_LAUNCH_NO_USER, /**< the name is not known */
    AMGR_LAUNCH_NO_GROUP,
    AMGR_LAUNCH_NO_ENVIRONMENT, /**< an EnvironmentFile, see the text */
    AMGR_LAUNCH_NO_OUTPUT,
    AMGR_LAUNCH_NO_LIMIT,
    AMGR_LAUNCH_NO_DIRECTORY,
    AMGR_LAUNCH_NO_RIGHTS, /**< it cannot become the user */
    AMGR_LAUNCH_NO_DESCRIPTORS,
    AMGR_LAUNCH_NO_EXEC,
    AMGR_LAUNCH_STAGE_COUNT
} amgr_launch_e;

/** What is the same for all guards of a supervisor. */
typedef struct amgr_guard_setup_t {
    amgr_teller_t teller;     /**< also works in a guard */
    int log_fd;               /**< of the error log: what httpd's own log writes
                                   to; replaced by dup2(2) at a rotation */
    int hold_fd;              /**< kept open by every guard until its end, so
                                   that the next supervisor can see that none
                                   is left; -1: none */
    int lock_fd;              /**< likewise, for the supervisor of a server that
                                   is started anew; -1: none */
    const char *default_user; /**< httpd's own; a name, or "#UID" */
    const char *default_group;
} amgr_guard_setup_t;

/** The supervisor's end of a guard. */
typedef struct amgr_guard_t {
    pid_t pid; /**< of the guard; 0: there is none */
    int fd;    /**< to poll for reading; -1: the guard is gone */
} amgr_guard_t;

/**
 * What a guard tells.  A run is told as STARTED ... EXITED, EMPTY; as FAILED
 * alone; or as EMPTY alone, when it was to end before it was executed.  Of what
 * a process can repeat as often as it likes only the newest is told, ten times
 * in a second at most.
 */
typedef enum amgr_guard_event_e {
    AMGR_GUARD_STARTED = 0, /**< executed: pid, start_ticks */
    AMGR_GUARD_FAILED,      /**< not executed: stage, error, text; the guard
                                 ends */
    AMGR_GUARD_EXITED,      /**< the process itself ended: wait_status, is_all,
                                 left; text is the last line that it wrote,
                                 escaped */
    AMGR_GUARD_READY,       /**< it said READY=1 */
    AMGR_GUARD_STATUS,      /**< it said STATUS=text: hostile bytes */
    AMGR_GUARD_WATCHDOG,    /**< it said WATCHDOG=1 */
    AMGR_GUARD_STOPPING,    /**< it said STOPPING=1 */
    AMGR_GUARD_OUTPUT,      /**< output_bytes, output_dropped: sums of this run,
                                 at most once in a second */
    AMGR_GUARD_LOGGER,      /**< is_failing: for a while now, or not any more */
    AMGR_GUARD_EMPTY,       /**< nothing is left of its tree; the guard ends */
    AMGR_GUARD_EVENT_COUNT
} amgr_guard_event_e;

typedef struct amgr_guard_event_t {
    apr_int32_t type;  /**< amgr_guard_event_e */
    apr_int32_t stage; /**< amgr_launch_e */
    apr_int32_t error; /**< errno */
    apr_int32_t wait_status;
    apr_int32_t is_all; /**< EXITED: nothing of its tree is left */
    pid_t pid;
    apr_uint64_t start_ticks;
    apr_uint64_t output_bytes;
    apr_uint64_t output_dropped;
    char text[AMGR_MANAGED_TEXT_LEN];
    apr_int32_t is_failing; /**< LOGGER: it does not stay */
    apr_int32_t left;       /**< EXITED: processes of its tree that lived on */
} amgr_guard_event_t;

/** What a guard is told. */
typedef enum amgr_guard_order_e {
    AMGR_GUARD_STOP = 0, /**< StopSignal to the process's group; what is left
                              of the tree ends with the group's leader or by
                              KILL.  One that is not executed yet is killed */
    AMGR_GUARD_KILL,   /**< SIGKILL to the whole tree, until nothing is left */
    AMGR_GUARD_REOPEN, /**< an output file is opened anew; the descriptor that
                              may come with it is the error log now */
    AMGR_GUARD_ORDER_COUNT
} amgr_guard_order_e;

/**
 * Fork a guard, which starts the process of @a spec.  APR_SUCCESS: @a out is
 * its end, and events follow; else an errno (nothing was forked).  @a spec must
 * stay only until this returns.
 */
apr_status_t amgr_guard_start(const amgr_guard_setup_t *setup,
                              const amgr_spec_t *spec, amgr_guard_t *out);

/** @a order is amgr_guard_order_e; @a fd, -1 or a descriptor to go with it.
 * APR_EAGAIN: it does not listen; APR_EOF: it is gone. */
apr_status_t amgr_guard_send(const amgr_guard_t *guard, int order, int fd);

/** The next event: APR_SUCCESS, APR_EAGAIN (none now) or APR_EOF (the guard is
 * gone, or talks nonsense: then the caller kills it). */
apr_status_t amgr_guard_receive(const amgr_guard_t *guard,
                                amgr_guard_event_t *out);

/** Close this end.  A guard that is still there ends its tree, see above. */
void amgr_guard_close(amgr_guard_t *guard);

/** "it cannot be executed", for "process web: ..., No such file". */
const char *amgr_launch_text(int stage);

#endif
