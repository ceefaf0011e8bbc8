/* SPDX-License-Identifier: Apache-2.0
 *
 * See tick_log.h.
 */
#include "httpd/tick_log.h"

#include <string.h>
#include <syslog.h>

#include <apr_strings.h>

#include "httpd/log.h"
#include "httpd/syslog_tag.h"
#include "model/words.h"
#include "policy/reasons.h"

void amgr_tick_log_record(amgr_tick_log_t *log, server_rec *s,
                          const amgr_config_t *config,
                          const amgr_record_t *record, apr_status_t rv)
{
    char line[AMGR_RECORD_LINE_LEN];
    amgr_sink_t sink;

    /* A fixed buffer: a line that is too long is cut, and still ended. */
    amgr_sink_init(&sink, line, sizeof(line) - 1, NULL, NULL);
    amgr_record_format(record, config->show_requests, &sink);
    line[sink.used] = '\0';
    if (rv != APR_SUCCESS) {
        amgr_log(s, AMGR_TAG_KILL_FAILED, APLOG_ERR, rv, "%s", line);
        return;
    }
    amgr_log(s, AMGR_TAG_KILL, APLOG_NOTICE, 0, "%s", line);
    if (log->use_syslog) {
        /* The error log may be there as well, with another tag. */
        openlog("apache-manager", LOG_PID, LOG_USER);
        syslog(LOG_WARNING, "NOTICE %s", line);
        amgr_syslog_restore(s);
    }
}

/** "worker 12 (native)" */
#define SUBJECT "worker %" APR_PID_T_FMT " (%s)"

void amgr_tick_log_step(server_rec *s, const amgr_decision_t *decision,
                        const amgr_record_t *record, apr_status_t rv)
{
    static const char *const steps[AMGR_STEP_COUNT] = {
        "nothing", "announced", "asked to finish", "SIGTERM", "SIGKILL"};
    const char *step = steps[decision->step];

    if (rv == APR_NOTFOUND) {
        return; /* it went by itself: the next tick tells */
    }
    if (rv != APR_SUCCESS) {
        amgr_log(s, AMGR_TAG_KILL_FAILED, APLOG_ERR, rv, SUBJECT ": %s failed",
                 record->id.pid, record->group, step);
    }
    else if (decision->step == AMGR_STEP_KILL) {
        amgr_log(s, AMGR_TAG_FORCED, APLOG_NOTICE, 0,
                 SUBJECT " has not gone %d ms after the decision: SIGKILL",
                 record->id.pid, record->group,
                 (int)apr_time_as_msec(record->killed_us));
    }
    else {
        amgr_log(s, AMGR_TAG_STEP, APLOG_INFO, 0, SUBJECT ": %s",
                 record->id.pid, record->group, step);
    }
}

void amgr_tick_log_end(server_rec *s, const amgr_record_t *record)
{
    char line[AMGR_RECORD_LINE_LEN];
    amgr_sink_t sink;

    amgr_sink_init(&sink, line, sizeof(line) - 1, NULL, NULL);
    amgr_record_format_end(record, &sink);
    line[sink.used] = '\0';
    amgr_log(s, AMGR_TAG_GONE, APLOG_NOTICE, 0, "%s", line);
}

void amgr_tick_log_stuck(server_rec *s, const amgr_record_t *record)
{
    amgr_log(s, AMGR_TAG_STUCK, APLOG_ERR, 0,
             SUBJECT " has outlived its SIGKILL: it hangs in the kernel, most "
                     "often on a file system that does not answer",
             record->id.pid, record->group);
}

void amgr_tick_log_deaf(server_rec *s, const amgr_record_t *record)
{
    amgr_log(s, AMGR_TAG_DEAF, APLOG_WARNING, 0,
             SUBJECT " cannot be asked to finish (%s): it is killed when it is "
                     "idle, or after ManagerGracePeriod",
             record->id.pid, record->group,
             amgr_ask_fault_word(record->ask_fault));
}

void amgr_tick_log_suppressed(server_rec *s, const amgr_snapshot_t *snapshot,
                              const amgr_decision_t *decision,
                              const char *group)
{
    const amgr_process_t *process = &snapshot->processes[decision->process];
    const char *unit = decision->verdict == AMGR_VERDICT_REQUESTS ? "requests"
                       : amgr_reasons_is_span(decision->verdict)
                           ? "microseconds"
                           : "bytes";

    if (!APLOG_IS_LEVEL(s, APLOG_INFO)) {
        return;
    }
    amgr_log(s, AMGR_TAG_SUPPRESSED, APLOG_INFO, 0,
             "worker %" APR_PID_T_FMT " (%s) is over its limit (%s: "
             "%" APR_UINT64_T_FMT " over %" APR_UINT64_T_FMT " %s) and left "
             "alone: %s",
             process->id.pid, group, amgr_verdict_word(decision->verdict),
             decision->measured, decision->limit, unit,
             amgr_cause_word(decision->cause));
}

void amgr_tick_log_data_file(amgr_tick_log_t *log, server_rec *s,
                             const char *path, const amgr_replace_file_t *file)
{
    if (file->error == log->data_file_error &&
        file->sys_errno == log->data_file_errno) {
        return;
    }
    log->data_file_error = file->error;
    log->data_file_errno = file->sys_errno;
    if (file->error == AMGR_REPLACE_OK) {
        amgr_log(s, AMGR_TAG_DATA_FILE, APLOG_NOTICE, 0,
                 "data file %s is written again", path);
        return;
    }
    amgr_log(s, AMGR_TAG_DATA_FILE, APLOG_WARNING, file->sys_errno,
             "data file %s is not written: %s", path,
             amgr_replace_error_text(file->error));
}

static void log_rights(amgr_tick_log_t *log, server_rec *s, apr_status_t rights,
                       const amgr_board_config_t *config)
{
    int no_rights = !config->can_signal && config->can_read_proc &&
                    amgr_limits_are_set(&config->limits);

    if (no_rights && !log->no_rights) {
        amgr_log(s, AMGR_TAG_NO_RIGHTS, APLOG_WARNING, rights,
                 "workers cannot be signalled%s: limits are watched, nothing "
                 "is retired",
                 APR_STATUS_IS_EACCES(rights) ? " (is CAP_KILL missing?)" : "");
    }
    if (!config->can_read_proc && !log->no_proc) {
        amgr_log(s, AMGR_TAG_NO_PROC, APLOG_WARNING, 0,
                 "no permission to read workers in /proc (hidepid?): their "
                 "memory is unknown, and nothing is retired");
    }
    log->no_rights = no_rights;
    log->no_proc = !config->can_read_proc;
}

/** What was not for want of rights, which are told by themselves. */
static void log_failed(amgr_tick_log_t *log, server_rec *s,
                       const amgr_collect_faults_t *faults)
{
    int failed = faults->failed > faults->denied &&
                 !APR_STATUS_IS_EACCES(faults->failure);

    if (failed && !log->proc_failed) {
        amgr_log(s, AMGR_TAG_NO_PROC, APLOG_WARNING, faults->failure,
                 "%d readings of /proc failed in a tick: what they would tell "
                 "is unknown until they do not",
                 faults->failed);
    }
    log->proc_failed = failed;
}

static void log_storm(amgr_tick_log_t *log, server_rec *s,
                      const amgr_limits_t *limits, const amgr_ledger_t *ledger)
{
    int open = ledger->storm_open_mono_us != 0;

    if (open && !log->storm_open) {
        amgr_log(s, AMGR_TAG_STORM, APLOG_ERR, 0,
                 "storm breaker open: %d retirements in %d s did not help, "
                 "nothing is retired until no worker is over a limit: check "
                 "the limits against what the application needs",
                 limits->storm_count,
                 (int)apr_time_sec(limits->storm_window_us));
    }
    else if (!open && log->storm_open) {
        amgr_log(s, AMGR_TAG_STORM, APLOG_NOTICE, 0, "storm breaker closed");
    }
    log->storm_open = open;
}

static int is_told(const amgr_tick_log_t *log, const char *name)
{
    int i;

    for (i = 0; i < log->inert_count; i++) {
        if (strcmp(log->inert[i], name) == 0) {
            return 1;
        }
    }
    return 0;
}

static void log_inert(amgr_tick_log_t *log, server_rec *s,
                      const amgr_snapshot_t *snapshot)
{
    int i;

    for (i = 0; i < snapshot->group_count; i++) {
        const amgr_group_t *group = &snapshot->groups[i];

        if (!group->inert || log->inert_count >= AMGR_GROUPS_MAX ||
            is_told(log, group->name)) {
            continue;
        }
        apr_cpystrn(log->inert[log->inert_count++], group->name,
                    sizeof(log->inert[0]));
        amgr_log(s, AMGR_TAG_INERT, APLOG_WARNING, 0,
                 "a memory limit is below the size of a fresh process of "
                 "group %s (%" APR_UINT64_T_FMT " bytes): it is inert, since "
                 "a replacement would be over it at once",
                 group->name, group->fresh_bytes);
    }
}

void amgr_tick_log_state(amgr_tick_log_t *log, server_rec *s,
                         const amgr_snapshot_t *snapshot,
                         const amgr_collect_faults_t *faults,
                         apr_status_t rights, const amgr_board_config_t *config,
                         const amgr_ledger_t *ledger)
{
    log_rights(log, s, rights, config);
    log_failed(log, s, faults);
    log_storm(log, s, &config->limits, ledger);
    log_inert(log, s, snapshot);
    if (faults->contradicted > 0 && !log->forged) {
        amgr_log(s, AMGR_TAG_FORGED, APLOG_WARNING, 0,
                 "%d rows of the scoreboard name another process than the one "
                 "that was forked for them: a worker may have overwritten "
                 "shared memory",
                 faults->contradicted);
    }
    log->forged = faults->contradicted > 0;
    if (!snapshot->server.extended && !log->time_inert &&
        (amgr_limits_time_is_set(&config->limits) ||
         config->limits.max_requests.limit != AMGR_LIMIT_OFF)) {
        amgr_log(s, AMGR_TAG_INERT_TIME, APLOG_WARNING, 0,
                 "ExtendedStatus is Off: the age and number of requests is "
                 "unknown, and ManagerMaxTime and ManagerMaxRequests are "
                 "inert");
        log->time_inert = 1;
    }
}
