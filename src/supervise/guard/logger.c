/* SPDX-License-Identifier: Apache-2.0
 *
 * See logger.h.
 */
#include "supervise/guard/logger.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void amgr_logger_init(amgr_logger_t *logger, const amgr_spec_t *spec,
                      const amgr_teller_t *teller)
{
    memset(logger, 0, sizeof(*logger));
    logger->spec = spec;
    logger->teller = teller;
    logger->state = AMGR_LOGGER_GONE;
    logger->in_fd = -1;
    logger->report_fd = -1;
}

/** The same pipe through another open file, which blocks as a program expects
 * of its standard input: whether it does belongs to the open file, and the
 * guard's must not.  Once for all loggers, before the pipe is given to the
 * process's user. */
static int open_again(int pipe_fd)
{
    char path[32];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", pipe_fd);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/** No logger came to be: say so once until one has.  Of the first, without
 * which the process is not started, that is told as its fault. */
static void fail(amgr_logger_t *logger, int error, const char *text)
{
    if (!logger->is_failing && logger->has_run) {
        amgr_say(logger->teller, AMGR_SAY_LOGGER, AMGR_LEVEL_ERR, error,
                 "process %s: its logger %s cannot be started, and its output "
                 "is dropped: %s",
                 logger->spec->name, logger->spec->output_argv[0], text);
    }
    logger->is_failing = 1;
}

void amgr_logger_start(amgr_logger_t *logger, int pipe_fd,
                       apr_time_t now_mono_us)
{
    amgr_launch_t launch;
    apr_status_t rv;

    logger->begun_mono_us = now_mono_us;
    if (logger->in_fd < 0) {
        logger->in_fd = open_again(pipe_fd);
    }
    if (logger->in_fd < 0) {
        logger->error = errno;
        fail(logger, logger->error, "no pipe");
        return;
    }
    memset(&launch, 0, sizeof(launch));
    launch.argv = logger->spec->output_argv;
    launch.in_fd = logger->in_fd;
    launch.out_fd = STDERR_FILENO;
    launch.err_fd = STDERR_FILENO;
    rv = amgr_launch_start(&launch, &logger->pid, &logger->report_fd);
    if (rv != APR_SUCCESS) {
        logger->error = APR_TO_OS_ERROR(rv);
        fail(logger, logger->error, amgr_launch_text(AMGR_LAUNCH_NO_FORK));
        return;
    }
    logger->state = AMGR_LOGGER_STARTING;
}

apr_status_t amgr_logger_look(amgr_logger_t *logger, amgr_launch_fault_t *fault)
{
    apr_status_t rv;

    if (logger->report_fd < 0) {
        fault->error = logger->error;
        return logger->state == AMGR_LOGGER_RUNS ? APR_SUCCESS : APR_EGENERAL;
    }
    rv = amgr_launch_report(logger->report_fd, fault);
    if (rv == APR_EAGAIN) {
        return rv;
    }
    close(logger->report_fd);
    logger->report_fd = -1;
    if (rv == APR_SUCCESS) {
        fail(logger, fault->error, amgr_launch_text(fault->stage));
        return APR_EGENERAL;
    }
    if (logger->state == AMGR_LOGGER_STARTING) {
        logger->state = AMGR_LOGGER_RUNS;
        logger->has_run = 1;
    }
    return APR_SUCCESS;
}

void amgr_logger_ended(amgr_logger_t *logger, int wait_status,
                       apr_time_t now_mono_us, int is_over)
{
    int was_failing = logger->is_failing;

    if (logger->report_fd >= 0) {
        close(logger->report_fd);
        logger->report_fd = -1;
    }
    logger->pid = 0;
    if (logger->state == AMGR_LOGGER_RUNS) {
        if (now_mono_us - logger->begun_mono_us >= AMGR_LOGGER_PAUSE_US) {
            logger->short_lives = 0;
        }
        else if (logger->short_lives < 2) {
            logger->short_lives++;
        }
        logger->is_failing = logger->short_lives >= 2;
        if (!is_over && (!was_failing || !logger->is_failing)) {
            amgr_say(logger->teller, AMGR_SAY_LOGGER, AMGR_LEVEL_WARNING, 0,
                     "process %s: its logger %s ended by %s %d and is started "
                     "again",
                     logger->spec->name, logger->spec->output_argv[0],
                     WIFSIGNALED(wait_status) ? "signal" : "exit status",
                     WIFSIGNALED(wait_status) ? WTERMSIG(wait_status)
                                              : WEXITSTATUS(wait_status));
        }
    }
    logger->state = AMGR_LOGGER_GONE;
}

apr_time_t amgr_logger_due(const amgr_logger_t *logger)
{
    return logger->begun_mono_us + AMGR_LOGGER_PAUSE_US;
}

int amgr_logger_is_bad(const amgr_logger_t *logger, apr_time_t now_mono_us)
{
    return logger->is_failing && (logger->state != AMGR_LOGGER_RUNS ||
                                  now_mono_us < amgr_logger_due(logger));
}
