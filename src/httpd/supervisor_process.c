/* SPDX-License-Identifier: Apache-2.0
 *
 * See supervisor_process.h.
 */
#include "httpd/supervisor_process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
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
#include "httpd/supervisor_link.h"
#include "httpd/supervisor_live.h"
#include "httpd/supervisor_record.h"
#include "httpd/supervisor_tell.h"

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

static void on_end(int reason, void *data, int status);

static void sleep_ms(long ms)
{
    struct timespec span = {ms / 1000, ms % 1000 * 1000000L};

    nanosleep(&span, NULL);
}

/** Keep the table for when it cannot be read: one that died while it wrote has
 * left half of it. */
static void look_at_table(const amgr_runtime_t *runtime,
                          amgr_supervisor_record_t *record)
{
    amgr_managed_table_t seen;

    if (amgr_board_read_managed(amgr_runtime_board(runtime), &seen) ==
        APR_SUCCESS) {
        record->table = seen;
    }
}

/** What the table says while there is nobody to write it: nothing is ready, and
 * what runs is ended by its guard. */
static void publish_end(const amgr_runtime_t *runtime,
                        amgr_supervisor_record_t *record)
{
    amgr_managed_table_t *table = &record->table;
    int i;

    look_at_table(runtime, record);
    table->supervisor = 0;
    table->revision++;
    for (i = 0; i < table->count; i++) {
        amgr_managed_t *process = &table->processes[i];

        /* The next one counts its run as lost. */
        if (process->pid == 0 && process->guard == 0) {
            continue;
        }
        process->state = AMGR_MANAGED_STOPPING;
        process->ready = 0;
        apr_cpystrn(process->reason, "its supervisor has ended",
                    sizeof(process->reason));
    }
    amgr_board_write_managed(amgr_runtime_board(runtime), table);
}

/** It is reaped.  @a s: the log, or NULL when logs may be closed already. */
static void note_end(amgr_runtime_t *runtime, amgr_supervisor_record_t *record,
                     server_rec *s, int status)
{
    int is_fine = record->is_ending || record->killed ||
                  record->leave_mono_us != 0 ||
                  (record->count == 0 && status == 0);

    if (s != NULL && !is_fine) {
        amgr_log(s, AMGR_TAG_SUPERVISOR, APLOG_WARNING, 0,
                 "supervisor %" APR_PID_T_FMT " ended by itself (wait status "
                 "0x%x): to be replaced",
                 record->pid, (unsigned int)status);
    }
    record->pid = 0;
    record->killed = 0;
    record->leave_mono_us = 0;
    close(record->fd);
    record->fd = -1;
    if (record->registered) {
        apr_proc_other_child_unregister(record);
    }
    if (runtime != NULL) {
        publish_end(runtime, record);
    }
}

/** Whether it is reaped, by us now or by the MPM's loop before. */
static int is_reaped(amgr_runtime_t *runtime, amgr_supervisor_record_t *record,
                     server_rec *s)
{
    int status = -1; /* unknown, where another has reaped it */
    pid_t got;

    if (record->pid == 0) {
        return 1;
    }
    do {
        got = waitpid(record->pid, &status, WNOHANG);
    } while (got < 0 && errno == EINTR);
    if (got == 0) {
        return 0;
    }
    note_end(runtime, record, s, status);
    return 1;
}

/** Have the MPM tell us when it reaps it; until the configuration goes. */
static void watch(amgr_supervisor_record_t *record, apr_pool_t *pconf)
{
    apr_proc_t proc;

    if (record->pid == 0 || record->registered || record->one_process) {
        return;
    }
    memset(&proc, 0, sizeof(proc));
    proc.pid = record->pid;
    apr_proc_other_child_register(apr_pmemdup(pconf, &proc, sizeof(proc)),
                                  on_end, record, NULL, pconf);
    record->registered = 1;
}

/** Whether the next may be forked: not too often, and not before all guards of
 * the one before the last are gone, since it waits for those of the last. */
static int may_fork(amgr_supervisor_record_t *record, apr_time_t now_us)
{
    if (record->pid != 0 || record->count == 0 || record->is_ending ||
        now_us < record->retry_mono_us) {
        return 0;
    }
    if (record->wait_fd >= 0) {
        if (!amgr_supervisor_link_is_gone(record->wait_fd)) {
            return 0;
        }
        close(record->wait_fd);
        record->wait_fd = -1;
    }
    return 1;
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
static void note_start(amgr_supervisor_record_t *record, pid_t pid,
                       const amgr_runtime_t *runtime,
                       const amgr_supervisor_ends_t *ends)
{
    record->pid = pid;
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

/** Fork; -1 with errno. */
static pid_t fork_one(server_rec *s, amgr_runtime_t *runtime,
                      amgr_supervisor_record_t *record,
                      const amgr_supervisor_ends_t *ends)
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
    return pid;
}

void amgr_supervisor_start(server_rec *s, amgr_runtime_t *runtime)
{
    amgr_supervisor_record_t *record = amgr_supervisor_record();
    apr_time_t now_us = amgr_clock_monotonic_us();
    amgr_supervisor_ends_t ends;
    apr_status_t rv;
    pid_t pid = -1;

    if (record == NULL || !may_fork(record, now_us)) {
        return;
    }
    note_fork(record, now_us);
    rv = amgr_supervisor_link_create(&ends);
    if (rv == APR_SUCCESS) {
        pid = fork_one(s, runtime, record, &ends);
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
    note_start(record, pid, runtime, &ends);
    watch(record, s->process->pconf);
    amgr_log(s, AMGR_TAG_SUPERVISOR, APLOG_INFO, 0,
             "supervisor %" APR_PID_T_FMT " started", pid);
    amgr_supervisor_tell(s, runtime, record);
}

/** The MPM's loop has reaped it, or asks us to let go of it at a restart. */
static void on_end(int reason, void *data, int status)
{
    amgr_supervisor_record_t *record = data;
    amgr_runtime_t *runtime = amgr_runtime();
    int state = AP_MPMQ_STOPPING;

    if (reason == APR_OC_REASON_UNREGISTER) {
        record->registered = 0;
        return;
    }
    if (reason != APR_OC_REASON_DEATH && reason != APR_OC_REASON_LOST) {
        return;
    }
    note_end(runtime, record, ap_server_conf, status);
    ap_mpm_query(AP_MPMQ_MPM_STATE, &state);
    if (runtime != NULL && state == AP_MPMQ_RUNNING) {
        amgr_supervisor_start(ap_server_conf, runtime);
    }
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

/** Have it stop all and end, and another take its place when it has. */
static void replace(server_rec *s, amgr_supervisor_record_t *record,
                    const char *why)
{
    if (record->leave_mono_us != 0) {
        return;
    }
    amgr_log(s, AMGR_TAG_SUPERVISOR, APLOG_NOTICE, 0,
             "supervisor %" APR_PID_T_FMT " is replaced, and all managed "
             "processes are started anew: %s",
             record->pid, why);
    if (record->protocol != AMGR_PARENT_VERSION ||
        record->message_size != sizeof(amgr_parent_message_t) ||
        amgr_supervisor_link_end(record->fd) != APR_SUCCESS) {
        kill(record->pid, SIGTERM); /* our child, not reaped */
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
    is_there = !is_reaped(runtime, record, s);
    before_us = record->stop_us;
    record->count = count;
    record->one_process = one_process;
    record->stop_us = amgr_supervisor_stop_us(config);
    record->forks = 0;
    record->retry_mono_us = 0;
    if (is_there) {
        const char *misfit = find_misfit(record, runtime);

        watch(record, s->process->pconf);
        if (misfit != NULL) {
            replace(s, record, misfit);
        }
        else if (record->leave_mono_us == 0) {
            amgr_supervisor_tell(s, runtime, record);
        }
        /* What goes now is stopped as it was begun. */
        if (before_us > record->stop_us) {
            record->stop_us = before_us;
        }
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

    look_at_table(runtime, record);
    if (record->table.supervisor == record->pid &&
        record->table.beat_mono_us > beat_us) {
        beat_us = record->table.beat_mono_us;
    }
    return amgr_clock_monotonic_us() - beat_us;
}

/** Whether it has hung.  Not at the first look that finds it silent: when the
 * whole machine or container was stopped, it may be that only we have had a
 * turn since. */
static int has_hung(amgr_supervisor_record_t *record,
                    apr_interval_time_t silent_us)
{
    int was_silent = record->is_silent;

    record->is_silent = silent_us > SILENCE_US ||
                        (record->leave_mono_us != 0 &&
                         amgr_clock_monotonic_us() >= record->leave_mono_us);
    return was_silent && record->is_silent;
}

/** Kill one that has not beaten for long, or does not end. */
static void check_beat(server_rec *s, const amgr_runtime_t *runtime,
                       amgr_supervisor_record_t *record)
{
    apr_interval_time_t silent_us = silence_us(runtime, record);

    if (record->killed || !has_hung(record, silent_us)) {
        return;
    }
    amgr_log(s, AMGR_TAG_SUPERVISOR, APLOG_WARNING, 0,
             "supervisor %" APR_PID_T_FMT " has not answered for %d s: killed, "
             "to be replaced",
             record->pid, (int)apr_time_sec(silent_us));
    kill(record->pid, SIGKILL); /* our child, not reaped */
    record->killed = 1;
}

void amgr_supervisor_check(server_rec *s, amgr_runtime_t *runtime)
{
    amgr_supervisor_record_t *record = amgr_supervisor_record();

    if (record == NULL) {
        return;
    }
    if (is_reaped(runtime, record, s)) {
        amgr_supervisor_start(s, runtime);
        return;
    }
    check_beat(s, runtime, record);
    amgr_supervisor_tell_again(s, runtime, record);
}

/** Wait until it has ended, at most until @a deadline_us, and no longer than it
 * is alive.  Non-zero when it has. */
static int wait_for_end(const amgr_runtime_t *runtime,
                        amgr_supervisor_record_t *record,
                        apr_time_t deadline_us)
{
    int is_told = record->killed;
    int turn;

    for (turn = 0; !is_reaped(NULL, record, NULL); turn++) {
        if (amgr_clock_monotonic_us() > deadline_us ||
            (turn % BEAT_TURNS == 0 && !record->killed && runtime != NULL &&
             has_hung(record, silence_us(runtime, record)))) {
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
        kill(record->pid, SIGKILL); /* our child, not reaped */
        record->killed = 1;
        wait_for_end(NULL, record, amgr_clock_monotonic_us() + END_SLACK_US);
    }
    wait_for_guards(record->wait_fd);
    wait_for_guards(record->hold_fd);
}
