/* SPDX-License-Identifier: Apache-2.0
 *
 * See tick_holdback.h.
 */
#include "httpd/tick_holdback.h"

#include "action/lock_holder.h"
#include "policy/sections.h"

/** For one kill, and since the tick began for all of them. */
#define LOOK_US (50 * 1000)
#define TICK_US (300 * 1000)

static apr_time_t deadline(const amgr_snapshot_t *snapshot)
{
    apr_time_t look_us = amgr_clock_monotonic_us() + LOOK_US;
    apr_time_t tick_us = snapshot->server.time.mono_us + TICK_US;

    return look_us < tick_us ? look_us : tick_us;
}

/* "worker 12 (native)" and the lock in the same words in both lines. */
#define SUBJECT "worker %" APR_PID_T_FMT " (%s)"
#define LOCK                                                                   \
    "a lock in %s (its thread %" APR_PID_T_FMT "; seen waiting: %d of worker " \
    "%" APR_PID_T_FMT " at 0x%" APR_UINT64_T_HEX_FMT ")"

static void log_begun(server_rec *s, const amgr_limits_t *limits,
                      const amgr_snapshot_t *snapshot,
                      const amgr_process_t *process,
                      const amgr_lock_report_t *report)
{
    char name[AMGR_LOCK_NAME_LEN];

    amgr_log(s, AMGR_TAG_HELD_BACK, APLOG_NOTICE, 0,
             SUBJECT " is not killed yet, for at most %" APR_INT64_T_FMT
                     " ms: it holds " LOCK,
             process->id.pid, snapshot->groups[process->group].name,
             (apr_int64_t)apr_time_as_msec(
                 amgr_sections_grace_us(limits, process->section)),
             amgr_lock_report_name(report, name, sizeof(name)), report->owner,
             report->waiters, report->pid, report->address);
}

static void log_over(server_rec *s, const amgr_snapshot_t *snapshot,
                     const amgr_process_t *process,
                     const amgr_lock_report_t *report, int force)
{
    char name[AMGR_LOCK_NAME_LEN];

    amgr_log(s, AMGR_TAG_HELD_BACK, APLOG_WARNING, 0,
             SUBJECT " is killed although it holds " LOCK ": %s",
             process->id.pid, snapshot->groups[process->group].name,
             amgr_lock_report_name(report, name, sizeof(name)), report->owner,
             report->waiters, report->pid, report->address,
             force ? "its limit waits for nothing"
                   : "it did not let go in time");
}

int amgr_tick_holdback(server_rec *s, const amgr_limits_t *limits,
                       amgr_proc_dir_t *proc, const amgr_snapshot_t *snapshot,
                       amgr_ledger_t *ledger, amgr_decision_t *decision)
{
    const amgr_process_t *process = &snapshot->processes[decision->process];
    amgr_lock_report_t report;
    int held;

    if (!amgr_holdback_is_kill(decision)) {
        return 0;
    }
    held = amgr_lock_holder_look(proc, snapshot, decision->process,
                                 deadline(snapshot), &report);
    switch (amgr_holdback_judge(limits, snapshot, ledger, decision, held)) {
    case AMGR_HOLDBACK_BEGUN:
        log_begun(s, limits, snapshot, process, &report);
        break;
    case AMGR_HOLDBACK_OVER:
        log_over(s, snapshot, process, &report, decision->force);
        break;
    default:
        break;
    }
    return decision->step == AMGR_STEP_NONE;
}
