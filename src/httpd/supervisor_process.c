/* SPDX-License-Identifier: Apache-2.0
 *
 * See supervisor_process.h.
 */
#include "httpd/supervisor_process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <ap_mpm.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <http_main.h>
#include <unixd.h>

#include "base/clock.h"
#include "httpd/log.h"
#include "httpd/private_memory.h"
#include "httpd/scoreboard.h"
#include "httpd/supervisor_end.h"
#include "httpd/supervisor_link.h"
#include "httpd/supervisor_live.h"
#include "httpd/supervisor_record.h"
#include "httpd/supervisor_tell.h"
#include "proc/proc_child.h"

/** One that has not beaten for so long is taken for dead. */
#define SILENCE_US (30 * APR_USEC_PER_SEC)

/** So many forks may follow each other at once; then each has to wait. */
#define FORKS_AT_ONCE 3
#define RETRY_US (10 * APR_USEC_PER_SEC)

/** One that lived for so long has not failed at its start. */
#define SETTLED_US (60 * APR_USEC_PER_SEC)

/** How much longer than all StopTimeouts its end may take, where it has to kill
 * a guard that does not answer. */
#define END_SLACK_US (7 * APR_USEC_PER_SEC)

/** Between two looks at whether it has ended, and how many of them lie between
 * two at whether it is alive. */
#define TURN_MS 5
#define BEAT_TURNS 200

/** And that of guards which nobody tells anything any more. */
#define GUARDS_END_US (AMGR_GUARD_MERCY_US + APR_USEC_PER_SEC)

static void sleep_ms(long ms)
{
    struct timespec span = {ms / 1000, ms % 1000 * 1000000L};

    nanosleep(&span, NULL);
}

/** When no guard of the one before is left there is nothing to wait for. */
static void drop_wait(amgr_supervisor_record_t *record)
{
    if (record->wait_fd >= 0 && amgr_supervisor_link_is_gone(record->wait_fd)) {
        close(record->wait_fd);
        record->wait_fd = -1;
    }
}

/** Whether the next may be forked: not too often, and not before all guards of
 * the one before the last are gone, since it waits for those of the last.
 * Also where nothing is configured any more and the last one has not forgotten
 * what it had: else the table told of processes that nobody wants, for ever. */
static int may_fork(amgr_supervisor_record_t *record, apr_time_t now_us)
{
    drop_wait(record);
    return record->pid == 0 && !record->is_ending && record->wait_fd < 0 &&
           (record->count > 0 || record->table.count > 0) &&
           now_us >= record->retry_mono_us;
}

static void note_fork(amgr_supervisor_record_t *record, apr_time_t now_us)
{
    if (record->forked_mono_us != 0 &&
        now_us - record->forked_mono_us > SETTLED_US) {
        record->forks = 0;
    }
    record->forks++;
    record->retry_mono_us =
        record->forks < FORKS_AT_ONCE ? now_us : now_us + RETRY_US;
    record->forked_mono_us = now_us;
}

/** It lives: what it was made of, and what it has. */
static void note_start(amgr_supervisor_record_t *record, pid_t pid, int pidfd,
                       const amgr_runtime_t *runtime,
                       const amgr_supervisor_ends_t *ends)
{
    record->pid = pid;
    record->pidfd = pidfd;
    record->is_untold = 0;
    record->is_silent = 0;
    record->fd = ends->ours;
    record->wait_fd = record->hold_fd;
    record->hold_fd = ends->hold_read;
    record->board = runtime->board.memory;
    record->protocol = AMGR_PARENT_VERSION;
    record->message_size = sizeof(amgr_parent_message_t);
    record->uid = ap_unixd_config.user_id;
    record->gid = ap_unixd_config.group_id;
    record->rights = geteuid();
}

/** Fork, and hold it by *out_pidfd; -1 with errno. */
static pid_t fork_one(server_rec *s, amgr_runtime_t *runtime,
                      amgr_supervisor_record_t *record,
                      const amgr_supervisor_ends_t *ends, int *out_pidfd)
{
    amgr_board_file_t *board = &runtime->board;
    pid_t pid = -1;
    apr_status_t rv;
    int error;

    record->passing = 1;
    error = amgr_private_memory_pass_on(board->memory, board->size, 1);
    if (error == APR_SUCCESS) {
        pid = fork();
        error = errno;
    }
    if (pid == 0) {
        /* It waits for the guards of the one that was before. */
        amgr_supervisor_live(s, runtime, ends, record->hold_fd);
    }
    rv = amgr_private_memory_pass_on(board->memory, board->size, 0);
    if (rv != APR_SUCCESS) {
        amgr_private_memory_say_open(s, rv);
    }
    record->passing = 0;
    errno = error;
    if (pid > 0) {
        *out_pidfd = amgr_proc_child_hold(pid);
    }
    return pid > 0 && *out_pidfd < 0 ? -1 : pid;
}

void amgr_supervisor_start(server_rec *s, amgr_runtime_t *runtime)
{
    amgr_supervisor_record_t *record = amgr_supervisor_record();
    apr_time_t now_us = amgr_clock_monotonic_us();
    amgr_supervisor_ends_t ends;
    apr_status_t rv;
    int pidfd = -1;
    pid_t pid = -1;

    if (record == NULL || !may_fork(record, now_us)) {
        return;
    }
    note_fork(record, now_us);
    rv = amgr_supervisor_link_create(&ends);
    if (rv == APR_SUCCESS) {
        pid = fork_one(s, runtime, record, &ends, &pidfd);
        if (pid < 0) {
            rv = errno;
            amgr_supervisor_link_destroy(&ends);
        }
    }
    if (rv != APR_SUCCESS) {
        amgr_log(s, AMGR_TAG_SUPERVISOR, APLOG_WARNING, rv,
                 "cannot fork the supervisor of managed processes: it is tried "
                 "again");
        return;
    }
    amgr_supervisor_link_leave(&ends);
    note_start(record, pid, pidfd, runtime, &ends);
    amgr_supervisor_watch(record, s->process->pconf);
    amgr_log(s, AMGR_TAG_SUPERVISOR, APLOG_INFO, 0,
             "supervisor %" APR_PID_T_FMT " started", pid);
    amgr_supervisor_tell(s, runtime, record);
}

/** Why the one that runs cannot do with the present configuration, or NULL.
 * Its code, memory and idea of httpd's own User are as they were at its
 * fork. */
static const char *find_misfit(const amgr_supervisor_record_t *record,
                               const amgr_runtime_t *runtime)
{
    if (record->protocol != AMGR_PARENT_VERSION ||
        record->message_size != sizeof(amgr_parent_message_t)) {
        return "it is of another build of this module";
    }
    if (record->uid != ap_unixd_config.user_id ||
        record->gid != ap_unixd_config.group_id) {
        return "httpd's User or Group is another";
    }
    return record->board == runtime->board.memory
               ? NULL
               : "its board has been replaced";
}

/** What becomes of the processes.  The next supervisor knows what has done its
 * work, or was stopped, by the last table that there is: another build may not
 * have been able to read it. */
static const char *describe_fate(const amgr_supervisor_record_t *record)
{
    if (record->count == 0) {
        return "its processes are stopped";
    }
    return record->table.count > 0
               ? "managed processes are started anew unless they have done "
                 "their work or were stopped by order"
               : "all managed processes are started anew";
}

/** Have it stop all and end, and another take its place when it has. */
static void replace(server_rec *s, const amgr_runtime_t *runtime,
                    amgr_supervisor_record_t *record, const char *why)
{
    amgr_supervisor_read_table(runtime, record);
    amgr_log(s, AMGR_TAG_SUPERVISOR, APLOG_NOTICE, 0,
             "supervisor %" APR_PID_T_FMT " is replaced, and %s: %s",
             record->pid, describe_fate(record), why);
    if (record->protocol != AMGR_PARENT_VERSION ||
        record->message_size != sizeof(amgr_parent_message_t) ||
        amgr_supervisor_link_end(record->fd) != APR_SUCCESS) {
        amgr_proc_child_signal(record->pidfd, SIGTERM);
    }
    record->leave_mono_us =
        amgr_clock_monotonic_us() + record->stop_us + END_SLACK_US;
}

void amgr_supervisor_configure(server_rec *s, amgr_runtime_t *runtime,
                               int one_process)
{
    const amgr_config_t *config = amgr_config_main();
    int count = config->managed == NULL ? 0 : config->managed->nelts;
    amgr_supervisor_record_t *record =
        amgr_supervisor_record_make(s, count > 0);
    apr_interval_time_t before_us;
    int is_there;

    if (record == NULL) {
        return;
    }
    /* One that had nothing to manage has ended as it should. */
    is_there = !amgr_supervisor_has_ended(runtime, record, s);
    before_us = record->stop_us;
    record->count = count;
    record->one_process = one_process;
    record->stop_us = amgr_supervisor_stop_us(config);
    /* What goes now is stopped as it was begun. */
    if (is_there && before_us > record->stop_us) {
        record->stop_us = before_us;
    }
    record->forks = 0;
    record->retry_mono_us = 0;
    if (is_there) {
        const char *misfit = find_misfit(record, runtime);

        amgr_supervisor_watch(record, s->process->pconf);
        if (misfit == NULL && record->leave_mono_us == 0) {
            amgr_supervisor_tell(s, runtime, record);
        }
        else if (record->leave_mono_us == 0) {
            replace(s, runtime, record, misfit);
        }
        /* Also of one that leaves already, when its board goes now. */
        if (record->leave_mono_us != 0 &&
            record->board != runtime->board.memory) {
            amgr_supervisor_publish_end(runtime, record, 1);
        }
    }
    else {
        amgr_supervisor_end_shut(runtime, record);
    }
    if (amgr_scoreboard_exists()) {
        amgr_supervisor_start(s, runtime);
    }
}

/** How long ago it was alive for certain. */
static apr_interval_time_t silence_us(const amgr_runtime_t *runtime,
                                      amgr_supervisor_record_t *record)
{
    apr_time_t beat_us = record->forked_mono_us;

    amgr_supervisor_read_table(runtime, record);
    /* While one leaves the table may name nobody, and is its last all the
     * same. */
    if ((record->table.supervisor == record->pid ||
         record->leave_mono_us != 0) &&
        record->table.beat_mono_us > beat_us) {
        beat_us = record->table.beat_mono_us;
    }
    return amgr_clock_monotonic_us() - beat_us;
}

/** Whether it has hung.  Not at the first look that finds it silent: when the
 * whole machine or container was stopped, it may be that only we have had a
 * turn since.  One that writes to another board is not heard here, and may take
 * its time to end. */
static int has_hung(const amgr_runtime_t *runtime,
                    amgr_supervisor_record_t *record,
                    apr_interval_time_t silent_us)
{
    int was_silent = record->is_silent;

    record->is_silent =
        (record->board == runtime->board.memory && silent_us > SILENCE_US) ||
        (record->leave_mono_us != 0 &&
         amgr_clock_monotonic_us() >= record->leave_mono_us);
    return was_silent && record->is_silent;
}

/** Kill one that has not beaten for long, or does not end. */
static void check_beat(server_rec *s, const amgr_runtime_t *runtime,
                       amgr_supervisor_record_t *record)
{
    apr_interval_time_t silent_us = silence_us(runtime, record);

    if (record->killed || !has_hung(runtime, record, silent_us)) {
        return;
    }
    amgr_log(s, AMGR_TAG_SUPERVISOR, APLOG_WARNING, 0,
             "supervisor %" APR_PID_T_FMT " has not answered for %d s: killed, "
             "to be replaced",
             record->pid, (int)apr_time_sec(silent_us));
    amgr_proc_child_signal(record->pidfd, SIGKILL);
    record->killed = 1;
}

void amgr_supervisor_check(server_rec *s, amgr_runtime_t *runtime)
{
    amgr_supervisor_record_t *record = amgr_supervisor_record();

    if (record == NULL) {
        return;
    }
    if (amgr_supervisor_has_ended(runtime, record, s)) {
        amgr_supervisor_start(s, runtime);
        return;
    }
    drop_wait(record);
    check_beat(s, runtime, record);
    amgr_supervisor_tell_again(s, runtime, record);
}

/** Wait until it has ended, at most until @a deadline_us, and no longer than it
 * is alive.  Non-zero when it has. */
static int wait_for_end(const amgr_runtime_t *runtime,
                        amgr_supervisor_record_t *record,
                        apr_time_t deadline_us)
{
    int is_told = record->killed || record->leave_mono_us != 0;
    int turn;

    for (turn = 0; !amgr_supervisor_has_ended(NULL, record, NULL); turn++) {
        if (amgr_clock_monotonic_us() > deadline_us ||
            (turn % BEAT_TURNS == 0 && !record->killed && runtime != NULL &&
             has_hung(runtime, record, silence_us(runtime, record)))) {
            return 0;
        }
        if (!is_told) {
            is_told = amgr_supervisor_link_end(record->fd) == APR_SUCCESS;
        }
        sleep_ms(TURN_MS);
    }
    return 1;
}

/** Where it did not end by itself, guards are still at work. */
static void wait_for_guards(int fd)
{
    apr_time_t deadline_us = amgr_clock_monotonic_us() + GUARDS_END_US;

    while (fd >= 0 && !amgr_supervisor_link_is_gone(fd) &&
           amgr_clock_monotonic_us() < deadline_us) {
        sleep_ms(TURN_MS);
    }
}

void amgr_supervisor_end(void)
{
    amgr_supervisor_record_t *record = amgr_supervisor_record();
    apr_time_t now_us = amgr_clock_monotonic_us();

    /* Under -X httpd has become its own User: it is not heard any more, and the
     * end of the process is what tells. */
    if (record == NULL || record->parent != getpid() ||
        record->rights != geteuid()) {
        return;
    }
    record->is_ending = 1;
    if (!wait_for_end(amgr_runtime_record(ap_pglobal), record,
                      now_us + record->stop_us + END_SLACK_US)) {
        amgr_proc_child_signal(record->pidfd, SIGKILL);
        record->killed = 1;
        wait_for_end(NULL, record, amgr_clock_monotonic_us() + END_SLACK_US);
    }
    wait_for_guards(record->wait_fd);
    wait_for_guards(record->hold_fd);
}
