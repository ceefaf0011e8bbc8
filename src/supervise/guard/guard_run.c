/* SPDX-License-Identifier: Apache-2.0
 *
 * The phases of a run, see guard_life.h: starting, stopping, reaping, and the
 * end of whatever a process leaves behind.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervise/guard/guard_life.h"

/** Between two passes of SIGKILL, growing: what does not go at once has a
 * reason, such as a disk that does not answer. */
#define PAUSE_FIRST_US (APR_USEC_PER_SEC / 200)
#define PAUSE_MAX_US APR_USEC_PER_SEC

static void tell_failed(amgr_guard_life_t *life, int stage, int error,
                        const char *text)
{
    amgr_guard_event_t *event =
        amgr_guard_voice_add(&life->voice, AMGR_GUARD_FAILED);

    life->has_failed = 1;
    event->stage = stage;
    event->error = error;
    amgr_output_escape(text, strlen(text), event->text, sizeof(event->text));
}

/** Nothing (more) runs of it: read the rest. */
static void drain(amgr_guard_life_t *life)
{
    life->phase = AMGR_GUARD_PHASE_DRAIN;
    life->voice.events[AMGR_GUARD_EXITED].is_all = 1; /* if still to be told */
    life->kill_mono_us = AMGR_NO_TIME;
    life->drain_mono_us = life->now_mono_us + AMGR_GUARD_DRAIN_US;
    if (life->write_fd >= 0) {
        close(life->write_fd);
        life->write_fd = -1;
    }
    /* What it wrote while there was no logger is not lost. */
    if (life->spec->output == AMGR_OUTPUT_PIPE && life->logger.pid == 0 &&
        !life->logger.is_failing && !amgr_output_is_over(&life->output)) {
        amgr_logger_start(&life->logger, life->output.read_fd,
                          life->now_mono_us);
    }
}

static void fail(amgr_guard_life_t *life, int stage, int error,
                 const char *text)
{
    tell_failed(life, stage, error, text);
    drain(life);
}

static void launch(amgr_guard_life_t *life)
{
    amgr_launch_t wish;
    apr_status_t rv;

    memset(&wish, 0, sizeof(wish));
    wish.spec = life->spec;
    wish.argv = life->spec->argv;
    wish.in_fd = -1;
    wish.out_fd = life->write_fd;
    wish.err_fd = life->write_fd;
    wish.owns_output = life->write_fd >= 0;
    if (life->spec->output == AMGR_OUTPUT_INHERIT) {
        wish.out_fd = STDOUT_FILENO;
        wish.err_fd = STDERR_FILENO;
    }
    wish.default_user = life->setup->default_user;
    wish.default_group = life->setup->default_group;
    if (life->notify.fd >= 0) {
        wish.notify_socket = life->notify.address;
    }
    rv = amgr_launch_start(&wish, &life->pid, &life->report_fd);
    if (rv != APR_SUCCESS) {
        fail(life, AMGR_LAUNCH_NO_FORK, APR_TO_OS_ERROR(rv), "");
        return;
    }
    /* From now on the pipe ends with the last of its writers. */
    if (life->write_fd >= 0) {
        close(life->write_fd);
        life->write_fd = -1;
    }
    life->phase = AMGR_GUARD_PHASE_LAUNCH;
}

void amgr_guard_begin(amgr_guard_life_t *life)
{
    const amgr_spec_t *spec = life->spec;
    char text[AMGR_MANAGED_TEXT_LEN];
    apr_status_t rv;

    /* Nothing is started that could not be ended. */
    rv = amgr_guard_tree_open(&life->tree);
    if (rv != APR_SUCCESS) {
        fail(life, AMGR_LAUNCH_NO_FORK, APR_TO_OS_ERROR(rv), "/proc");
        return;
    }
    if (life->signal_fd < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
        fail(life, AMGR_LAUNCH_NO_FORK, errno, "");
        return;
    }
    rv = amgr_output_open(&life->output, spec, &life->setup->teller,
                          &life->write_fd);
    if (rv != APR_SUCCESS) {
        amgr_output_fault_text(spec, APR_TO_OS_ERROR(rv), text, sizeof(text));
        fail(life, AMGR_LAUNCH_NO_OUTPUT, APR_TO_OS_ERROR(rv), text);
        return;
    }
    if (spec->verify.type == AMGR_VERIFY_NOTIFY ||
        spec->liveness.type == AMGR_VERIFY_NOTIFY) {
        rv = amgr_notify_open(&life->notify);
        if (rv != APR_SUCCESS) {
            fail(life, AMGR_LAUNCH_NO_DESCRIPTORS, APR_TO_OS_ERROR(rv),
                 "NOTIFY_SOCKET");
            return;
        }
    }
    if (spec->output == AMGR_OUTPUT_PIPE) {
        amgr_logger_start(&life->logger, life->output.read_fd,
                          life->now_mono_us);
        amgr_guard_hear_logger(life);
        return;
    }
    launch(life);
}

/** In the first phase everything waits for the logger, without which the
 * process is not started; later it is started again and again. */
void amgr_guard_hear_logger(amgr_guard_life_t *life)
{
    amgr_launch_fault_t fault;
    apr_status_t rv;

    memset(&fault, 0, sizeof(fault));
    rv = amgr_logger_look(&life->logger, &fault);
    if (rv == APR_EAGAIN || life->phase != AMGR_GUARD_PHASE_LOGGER) {
        return;
    }
    if (rv == APR_SUCCESS) {
        launch(life);
        return;
    }
    fail(life, AMGR_LAUNCH_NO_OUTPUT, fault.error, life->spec->output_argv[0]);
}

/** Whether the process was executed: exec clears the flag that fork sets, and
 * a zombie still has it.  One that we may not see (set-uid, for who is not
 * root) and that lives was: its end of the pipe is closed. */
static int was_executed(amgr_guard_life_t *life, apr_uint64_t *out_start_ticks)
{
    amgr_proc_stat_t stat;

    *out_start_ticks = 0;
    if (amgr_proc_read_stat(&life->tree.proc, life->pid, &stat) !=
        APR_SUCCESS) {
        return !life->has_ended;
    }
    *out_start_ticks = stat.start_ticks;
    return (stat.flags & AMGR_PROC_FORKED_NO_EXEC) == 0;
}

/** It was not executed, and its fork ends. */
static void end_unexecuted(amgr_guard_life_t *life)
{
    if (life->report_fd >= 0) {
        close(life->report_fd); /* whatever it says: we have ended it */
        life->report_fd = -1;
    }
    life->phase = AMGR_GUARD_PHASE_END;
    amgr_guard_kill(life);
}

void amgr_guard_hear_launch(amgr_guard_life_t *life)
{
    amgr_launch_fault_t fault;
    amgr_guard_event_t *event;
    apr_uint64_t start_ticks;
    apr_status_t rv;

    rv = amgr_launch_report(life->report_fd, &fault);
    if (rv == APR_EAGAIN && !life->has_ended) {
        return;
    }
    close(life->report_fd);
    life->report_fd = -1;
    if (rv == APR_SUCCESS) {
        tell_failed(life, fault.stage, fault.error, fault.text);
        end_unexecuted(life);
    }
    else if (was_executed(life, &start_ticks)) {
        event = amgr_guard_voice_add(&life->voice, AMGR_GUARD_STARTED);
        event->pid = life->pid;
        event->start_ticks = start_ticks;
        life->phase = AMGR_GUARD_PHASE_RUN;
    }
    else {
        if (!life->is_killing) {
            tell_failed(life, AMGR_LAUNCH_NO_EXEC, 0,
                        "killed before it was executed");
        }
        end_unexecuted(life);
    }
}

/** Its group, which it cannot leave as the leader of its session; awake, so
 * that it hears.  The pid is its own as long as we have not reaped it. */
static void signal_group(const amgr_guard_life_t *life, int sig)
{
    if (life->pid != 0) {
        kill(-life->pid, sig);
        kill(-life->pid, SIGCONT);
    }
}

void amgr_guard_stop(amgr_guard_life_t *life)
{
    if (life->phase == AMGR_GUARD_PHASE_LAUNCH) {
        amgr_guard_hear_launch(life); /* it may be a program by now */
    }
    switch (life->phase) {
    case AMGR_GUARD_PHASE_LOGGER:
        drain(life);
        break;
    case AMGR_GUARD_PHASE_LAUNCH:
        /* Nothing of the program has run, so nothing is asked of it. */
        end_unexecuted(life);
        break;
    case AMGR_GUARD_PHASE_RUN:
        life->is_stopping = 1;
        signal_group(life, life->spec->stop_signal);
        break;
    default:
        break;
    }
}

/** One pass; the next one follows while anything is left. */
static void kill_all(amgr_guard_life_t *life)
{
    pid_t except = life->drain_mono_us != AMGR_NO_TIME &&
                           life->now_mono_us >= life->drain_mono_us
                       ? 0
                       : life->logger.pid;

    if (life->pid != 0) {
        kill(-life->pid, SIGKILL);
        kill(life->pid, SIGKILL); /* before it has made its group */
    }
    amgr_guard_tree_signal(&life->tree, SIGKILL, except);
    life->pass_mono_us = life->now_mono_us + life->pause_us;
    life->pause_us *= 2;
    if (life->pause_us > PAUSE_MAX_US) {
        life->pause_us = PAUSE_MAX_US;
    }
}

void amgr_guard_kill(amgr_guard_life_t *life)
{
    if (life->phase == AMGR_GUARD_PHASE_LOGGER) {
        drain(life);
    }
    if (life->phase == AMGR_GUARD_PHASE_OVER || life->is_killing) {
        return;
    }
    life->is_killing = 1;
    life->pause_us = PAUSE_FIRST_US;
    kill_all(life);
}

/** Look whether the process itself has ended, and leave it unreaped. */
static void look_at_process(amgr_guard_life_t *life)
{
    siginfo_t info;
    int status;

    memset(&info, 0, sizeof(info));
    if (life->has_ended ||
        waitid(P_PID, (id_t)life->pid, &info, WEXITED | WNOHANG | WNOWAIT) !=
            0 ||
        info.si_pid != life->pid) {
        return;
    }
    life->has_ended = 1;
    if (life->phase == AMGR_GUARD_PHASE_LAUNCH) {
        amgr_guard_hear_launch(life);
    }
    if (life->phase != AMGR_GUARD_PHASE_RUN) {
        return;
    }
    /* As wait(2) tells it; siginfo has it in two parts. */
    status = info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0)
                                        : W_EXITCODE(0, info.si_status);
    status |= info.si_code == CLD_DUMPED ? WCOREFLAG : 0;
    amgr_guard_tell_exited(life, status);
    life->phase = AMGR_GUARD_PHASE_END;
    if (!life->is_killing) {
        signal_group(life, SIGTERM);
        amgr_guard_tree_signal(&life->tree, SIGTERM, life->logger.pid);
        amgr_guard_tree_signal(&life->tree, SIGCONT, life->logger.pid);
        life->kill_mono_us = life->now_mono_us + AMGR_GUARD_LEFT_US;
    }
}

/** Reap one child that may have ended: 1, it is gone; 0, it lives. */
static int reap_one(amgr_guard_life_t *life, pid_t pid)
{
    int status = 0;

    if (waitpid(pid, &status, WNOHANG) == 0) {
        return 0;
    }
    if (pid == life->logger.pid) {
        /* Why it could not be executed may be in the pipe, unread. */
        amgr_guard_hear_logger(life);
        amgr_logger_ended(&life->logger, status, life->now_mono_us,
                          amgr_output_is_over(&life->output) ||
                              life->phase >= AMGR_GUARD_PHASE_DRAIN);
    }
    return 1;
}

/** All that have ended but the process itself; how many others are left that
 * belong to it. */
static int reap_others(amgr_guard_life_t *life)
{
    int left;
    int reaped;
    int count;
    int i;

    do {
        left = 0;
        reaped = 0;
        count = amgr_guard_tree_children(&life->tree);
        for (i = 0; i < count; i++) {
            if (life->tree.children[i] == life->pid) {
                continue;
            }
            if (reap_one(life, life->tree.children[i])) {
                reaped++;
            }
            else if (life->tree.children[i] != life->logger.pid) {
                left++;
            }
        }
    } while (reaped > 0 && count >= AMGR_GUARD_TREE_MAX);
    return left;
}

/** Whether there is no child at all, of which a list may have left one out.
 * For when the process itself was reaped. */
static int has_no_child(amgr_guard_life_t *life)
{
    siginfo_t info;

    for (;;) {
        memset(&info, 0, sizeof(info));
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
            return errno == ECHILD;
        }
        if (info.si_pid == 0) {
            return 0;
        }
        reap_one(life, info.si_pid);
    }
}

/** Nothing but its zombie is left. */
static void leave_process(amgr_guard_life_t *life)
{
    if (life->pid != 0 && life->has_ended) {
        waitpid(life->pid, NULL, WNOHANG);
        life->pid = 0;
    }
    if (life->pid == 0 && (life->logger.pid != 0 || has_no_child(life))) {
        drain(life);
    }
}

/** The output has come to its end, or has had its time. */
static int is_drained(const amgr_guard_life_t *life)
{
    if (life->now_mono_us >= life->drain_mono_us) {
        return 1;
    }
    return life->spec->output == AMGR_OUTPUT_PIPE ? life->logger.pid == 0
                                                  : life->output.read_fd < 0;
}

void amgr_guard_reap(amgr_guard_life_t *life)
{
    int left;

    if (life->pid != 0) {
        look_at_process(life);
    }
    left = reap_others(life);
    if (life->phase == AMGR_GUARD_PHASE_END && left == 0 &&
        reap_others(life) == 0) { /* nor was one left out of the list */
        leave_process(life);
    }
    /* What a logger has left behind has the same time as the output. */
    if (life->phase == AMGR_GUARD_PHASE_DRAIN && has_no_child(life) &&
        is_drained(life)) {
        life->phase = AMGR_GUARD_PHASE_OVER;
    }
}

int amgr_guard_wants_logger(const amgr_guard_life_t *life)
{
    return life->spec->output == AMGR_OUTPUT_PIPE && life->logger.pid == 0 &&
           life->phase >= AMGR_GUARD_PHASE_LAUNCH &&
           life->phase < AMGR_GUARD_PHASE_DRAIN && life->output.read_fd >= 0;
}

void amgr_guard_tick(amgr_guard_life_t *life)
{
    if (life->kill_mono_us != AMGR_NO_TIME &&
        life->now_mono_us >= life->kill_mono_us) {
        life->kill_mono_us = AMGR_NO_TIME;
        amgr_guard_kill(life);
    }
    if (life->phase == AMGR_GUARD_PHASE_DRAIN &&
        life->now_mono_us >= life->drain_mono_us) {
        amgr_guard_kill(life); /* the logger too, now */
    }
    if (life->is_killing && life->phase < AMGR_GUARD_PHASE_OVER &&
        life->now_mono_us >= life->pass_mono_us) {
        kill_all(life);
    }
    if (amgr_guard_wants_logger(life) &&
        life->now_mono_us >= amgr_logger_due(&life->logger)) {
        amgr_logger_start(&life->logger, life->output.read_fd,
                          life->now_mono_us);
    }
}
