/* SPDX-License-Identifier: Apache-2.0
 *
 * The guard itself: a loop that waits for its supervisor's orders, the
 * process's output and notices, ends of children, and the time.  What it waits
 * for otherwise is the disk that an output file is on.
 *
 * A run goes through phases, never backwards:
 *
 *   LOGGER   the logger is being started, where there is one
 *   LAUNCH   the process is forked and not executed yet
 *   RUN      it is executed
 *   END      it has ended, or was to end before it was executed, and what it
 *            left behind is being ended; it stays a zombie, so that its pid
 *            and its group remain its own
 *   DRAIN    nothing of it is left; its output is read to the end
 *   OVER
 */
#ifndef AMGR_GUARD_LIFE_H
#define AMGR_GUARD_LIFE_H

#include "supervise/guard/guard.h"
#include "supervise/guard/guard_tree.h"
#include "supervise/guard/guard_voice.h"
#include "supervise/guard/logger.h"
#include "supervise/guard/notify.h"
#include "supervise/guard/output.h"

/** Between SIGTERM and SIGKILL for what a process left behind. */
#define AMGR_GUARD_LEFT_US (2 * APR_USEC_PER_SEC)

/** For reading the output after the last process has ended. */
#define AMGR_GUARD_DRAIN_US (2 * APR_USEC_PER_SEC)

typedef enum amgr_guard_phase_e {
    AMGR_GUARD_PHASE_LOGGER = 0,
    AMGR_GUARD_PHASE_LAUNCH,
    AMGR_GUARD_PHASE_RUN,
    AMGR_GUARD_PHASE_END,
    AMGR_GUARD_PHASE_DRAIN,
    AMGR_GUARD_PHASE_OVER
} amgr_guard_phase_e;

typedef struct amgr_guard_life_t {
    const amgr_guard_setup_t *setup;
    const amgr_spec_t *spec;
    amgr_guard_voice_t voice; /**< voice.fd is also where orders come from */
    int signal_fd;
    int phase;       /**< amgr_guard_phase_e */
    pid_t pid;       /**< of the process, until it is reaped; else 0 */
    int has_ended;   /**< it is a zombie */
    int has_failed;  /**< it was not executed, and that was told */
    int is_stopping; /**< StopSignal was sent */
    int is_killing;  /**< SIGKILL until nothing is left */
    int write_fd;    /**< the process's end of the pipe, until it is started */
    int report_fd;   /**< of its launch, until it is executed; else -1 */
    apr_time_t now_mono_us;
    apr_time_t kill_mono_us;  /**< when SIGKILL follows; AMGR_NO_TIME: never */
    apr_time_t pass_mono_us;  /**< when it is sent again */
    apr_time_t drain_mono_us; /**< when the output has had its time */
    apr_time_t voice_mono_us; /**< when something may be told again */
    apr_interval_time_t pause_us; /**< to the next pass */
    apr_uint64_t told_bytes;      /**< of output */
    apr_uint64_t told_dropped;
    int told_failing; /**< of the logger */
    amgr_output_t output;
    amgr_logger_t logger;
    amgr_notify_t notify;
    int told_stranger; /**< somebody who was not heard */
    amgr_guard_tree_t tree;
} amgr_guard_life_t;

/** Live and end: in the process that was forked for it, with @a fd to the
 * supervisor. */
void amgr_guard_live(const amgr_guard_setup_t *setup, const amgr_spec_t *spec,
                     int fd) __attribute__((noreturn));

/* What guard_run.c does for the loop in guard_life.c, and guard_notice.c. */

/** Prepare the output and start what is to be started first. */
void amgr_guard_begin(amgr_guard_life_t *life);

/** A launch has something to report. */
void amgr_guard_hear_logger(amgr_guard_life_t *life);
void amgr_guard_hear_launch(amgr_guard_life_t *life);

/** What the process says of itself.  Non-zero when there may be more. */
int amgr_guard_hear_notices(amgr_guard_life_t *life);

/** The process has ended, but is not reaped: what it wrote before, and said,
 * and how many others of its tree are there still. */
void amgr_guard_tell_exited(amgr_guard_life_t *life, int wait_status);

/** StopSignal to the process; where it was not executed yet, its end. */
void amgr_guard_stop(amgr_guard_life_t *life);

/** SIGKILL to everything from now on. */
void amgr_guard_kill(amgr_guard_life_t *life);

/** Children may have ended: reap, and go on to where that leads. */
void amgr_guard_reap(amgr_guard_life_t *life);

/** Whether the logger is gone while there may be something for it to read. */
int amgr_guard_wants_logger(const amgr_guard_life_t *life);

/** What the time brings. */
void amgr_guard_tick(amgr_guard_life_t *life);

#endif
