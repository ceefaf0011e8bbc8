/* SPDX-License-Identifier: Apache-2.0
 *
 * The logger of a managed process (Output "|program ..."): the reader of the
 * pipe that the process writes to.  It runs as who we are, like httpd's own
 * piped loggers, and is started again when it ends, so that nothing is lost
 * but what it had in hand; not more often than once in a second.
 *
 * The guard keeps the pipe's end open in between.  Runs in the guard.
 */
#ifndef AMGR_LOGGER_H
#define AMGR_LOGGER_H

#include <sys/types.h>

#include "supervise/guard/launch.h"

#define AMGR_LOGGER_PAUSE_US APR_USEC_PER_SEC

typedef enum amgr_logger_e {
    AMGR_LOGGER_STARTING = 0, /**< not executed yet */
    AMGR_LOGGER_RUNS,
    AMGR_LOGGER_GONE
} amgr_logger_e;

typedef struct amgr_logger_t {
    const amgr_spec_t *spec;
    const amgr_teller_t *teller;
    int state;       /**< amgr_logger_e */
    pid_t pid;       /**< 0: there is none */
    int in_fd;       /**< the pipe, as loggers get it; -1: not open yet */
    int report_fd;   /**< to poll for reading while it starts; else -1 */
    int has_run;     /**< one was executed */
    int short_lives; /**< in a row: loggers that ended within the pause */
    int is_failing;  /**< two of these, or it cannot be executed: what the
                          process writes meanwhile has to be dropped */
    int error;       /**< why the last one could not even be forked; an errno */
    apr_time_t begun_mono_us; /**< the last one */
} amgr_logger_t;

/** There is none yet. */
void amgr_logger_init(amgr_logger_t *logger, const amgr_spec_t *spec,
                      const amgr_teller_t *teller);

/** Start one that reads from the pipe of @a pipe_fd, which need not block. */
void amgr_logger_start(amgr_logger_t *logger, int pipe_fd,
                       apr_time_t now_mono_us);

/** While it starts: look whether it was executed.  APR_SUCCESS: it was;
 * APR_EAGAIN: not yet; APR_EGENERAL: it was not, see @a fault. */
apr_status_t amgr_logger_look(amgr_logger_t *logger,
                              amgr_launch_fault_t *fault);

/** Its process was reaped.  @a is_over: there will be no other. */
void amgr_logger_ended(amgr_logger_t *logger, int wait_status,
                       apr_time_t now_mono_us, int is_over);

/** Whether they fail one after the other, and none has stayed since. */
int amgr_logger_is_bad(const amgr_logger_t *logger, apr_time_t now_mono_us);

/** When the next one may be started, once this one is gone. */
apr_time_t amgr_logger_due(const amgr_logger_t *logger);

#endif
