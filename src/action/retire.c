/* SPDX-License-Identifier: Apache-2.0
 *
 * The one place that signals a worker.  It checks once more whom it is about
 * to hit, whatever the decision says: never a process whose identity is not
 * beyond doubt, and never one that policy does not judge.
 */
#include <signal.h>

#include "action/retire.h"

static apr_status_t note_failed(amgr_record_t *record, apr_status_t rv)
{
    record->outcome = AMGR_OUTCOME_FAILED;
    record->ended_us = 0;
    return rv;
}

apr_status_t amgr_retire_apply(amgr_proc_dir_t *proc, pid_t parent,
                               const amgr_limits_t *limits,
                               amgr_snapshot_t *snapshot,
                               const amgr_decision_t *decision,
                               amgr_record_t *record)
{
    const amgr_process_t *process = &snapshot->processes[decision->process];
    apr_status_t rv;

    amgr_record_fill(record, snapshot, decision, limits);
    if (limits->dry_run || decision->cause == AMGR_CAUSE_DRY_RUN) {
        record->action = AMGR_ACTION_NONE;
        record->outcome = AMGR_OUTCOME_DRY_RUN;
        record->ended_us = 0;
        return APR_SUCCESS;
    }
    if (decision->cause != AMGR_CAUSE_NONE || process->id.pid <= 1 ||
        process->id.start_ticks == 0 || parent <= 0 ||
        (process->role != AMGR_ROLE_WORKER &&
         process->role != AMGR_ROLE_WSGI)) {
        record->action = AMGR_ACTION_NONE;
        return note_failed(record, APR_EINVAL);
    }
    record->action = AMGR_ACTION_KILL;
    record->outcome = AMGR_OUTCOME_PENDING;
    rv = amgr_proc_signal(proc, &process->id, parent, SIGKILL);
    if (rv == APR_NOTFOUND) {
        record->outcome = AMGR_OUTCOME_VANISHED;
        record->ended_us = 0;
        return rv;
    }
    return rv == APR_SUCCESS ? rv : note_failed(record, rv);
}

int amgr_retire_confirm(const amgr_snapshot_t *snapshot, amgr_record_t *record)
{
    const amgr_process_t *process;
    apr_interval_time_t span_us;

    if (record->outcome != AMGR_OUTCOME_PENDING) {
        return 0;
    }
    process = amgr_snapshot_find(snapshot, record->id.pid);
    if (process != NULL && amgr_proc_id_equal(&process->id, &record->id)) {
        return 0;
    }
    if (process == NULL && record->role != AMGR_ROLE_WORKER &&
        snapshot->process_count >= snapshot->process_max) {
        return 0;
    }
    span_us = snapshot->server.time.mono_us - record->decided_mono_us;
    record->outcome = AMGR_OUTCOME_GONE;
    record->ended_us = span_us < 0 ? 0 : span_us;
    return 1;
}
