/* SPDX-License-Identifier: Apache-2.0
 *
 * The one place that signals a worker.  It checks once more whom it is about
 * to hit, whatever the decision says: never a process whose identity is not
 * beyond doubt, and never one that policy does not judge.
 */
#include <signal.h>
#include <string.h>

#include "action/retire.h"

/* The MPM looks after its spare workers once a second. */
#define MAINTENANCE_US (2 * APR_USEC_PER_SEC)

/* A process that is still there so long after SIGKILL hangs in the kernel. */
#define STUCK_US (10 * APR_USEC_PER_SEC)

static const int actions[AMGR_STEP_COUNT] = {
    [AMGR_STEP_NONE] = AMGR_ACTION_NONE,
    [AMGR_STEP_ANNOUNCE] = AMGR_ACTION_ANNOUNCE,
    [AMGR_STEP_ASK] = AMGR_ACTION_ASK,
    [AMGR_STEP_NUDGE] = AMGR_ACTION_ASK,
    [AMGR_STEP_KILL] = AMGR_ACTION_KILL,
};

/* Signal 0 where an order will do: the process must be there all the same. */
static int signal_of(const amgr_limits_t *limits, int step,
                     const amgr_process_t *process,
                     const amgr_snapshot_t *snapshot)
{
    switch (step) {
    case AMGR_STEP_ASK:
        if (process->role != AMGR_ROLE_WORKER) {
            return amgr_sections_ask_signal(limits, process->role,
                                            process->section);
        }
        return snapshot->server.threaded ? 0 : SIGUSR1;
    case AMGR_STEP_NUDGE:
        return SIGTERM;
    default:
        return 0;
    }
}

static apr_status_t send_step(const amgr_retire_t *retire,
                              const amgr_snapshot_t *snapshot,
                              const amgr_process_t *process, int step)
{
    if (step == AMGR_STEP_KILL && retire->may_wait) {
        return amgr_proc_kill_and_release(retire->proc, &process->id,
                                          retire->parent);
    }
    return amgr_proc_signal(
        retire->proc, &process->id, retire->parent,
        step == AMGR_STEP_KILL
            ? SIGKILL
            : signal_of(retire->limits, step, process, snapshot));
}

static void note_step(amgr_record_t *record, const amgr_snapshot_t *snapshot,
                      const amgr_decision_t *decision)
{
    apr_interval_time_t span_us =
        snapshot->server.time.mono_us - record->decided_mono_us;

    span_us = span_us < 0 ? 0 : span_us;
    record->action = actions[decision->step];
    switch (decision->step) {
    case AMGR_STEP_ANNOUNCE:
        record->announced_us = span_us;
        break;
    case AMGR_STEP_ASK:
        if (record->asked_us == AMGR_NO_TIME) {
            record->asked_us = span_us;
        }
        break;
    case AMGR_STEP_KILL:
        record->killed_us = span_us;
        record->requests_lost = decision->requests;
        break;
    default:
        break;
    }
}

static apr_status_t note_failed(amgr_record_t *record, apr_status_t rv)
{
    record->outcome = AMGR_OUTCOME_FAILED;
    record->ended_us = 0;
    return rv;
}

static int is_allowed(const amgr_retire_t *retire,
                      const amgr_process_t *process,
                      const amgr_decision_t *decision)
{
    return decision->cause == AMGR_CAUSE_NONE && process->id.pid > 1 &&
           process->id.start_ticks != 0 && retire->parent > 0 &&
           decision->step > AMGR_STEP_NONE &&
           decision->step < AMGR_STEP_COUNT && amgr_measure_is_judged(process);
}

apr_status_t amgr_retire_take(const amgr_retire_t *retire,
                              const amgr_snapshot_t *snapshot,
                              const amgr_decision_t *decision,
                              amgr_record_t *record)
{
    const amgr_process_t *process = &snapshot->processes[decision->process];
    apr_status_t rv;

    if ((retire->limits->dry_run && !decision->demanded) ||
        decision->cause == AMGR_CAUSE_DRY_RUN) {
        record->outcome = AMGR_OUTCOME_DRY_RUN;
        record->ended_us = 0;
        return APR_SUCCESS;
    }
    if (!is_allowed(retire, process, decision)) {
        return note_failed(record, APR_EINVAL);
    }
    rv = send_step(retire, snapshot, process, decision->step);
    if (rv == APR_NOTFOUND) {
        /* Once it was told to go, its end is seen at the next tick. */
        if (!decision->follow_up) {
            record->outcome = AMGR_OUTCOME_VANISHED;
            record->ended_us = 0;
        }
        return rv;
    }
    note_step(record, snapshot, decision);
    if (rv != APR_SUCCESS) {
        return note_failed(record, rv);
    }
    record->replacement = AMGR_REPLACEMENT_WAITING;
    return APR_SUCCESS;
}

int amgr_retire_is_open(const amgr_record_t *record)
{
    return record->outcome == AMGR_OUTCOME_PENDING ||
           (record->outcome == AMGR_OUTCOME_GONE &&
            record->replacement == AMGR_REPLACEMENT_WAITING);
}

/* Whether the process of the record is not there any more. */
static int is_gone(const amgr_snapshot_t *snapshot,
                   const amgr_process_t *process, const amgr_record_t *record)
{
    if (process != NULL && amgr_proc_id_equal(&process->id, &record->id)) {
        return 0;
    }
    return process != NULL || record->role == AMGR_ROLE_WORKER ||
           snapshot->process_count < snapshot->process_max;
}

static int follow_living(const amgr_process_t *process, amgr_record_t *record,
                         apr_interval_time_t span_us)
{
    /* After SIGKILL it gives back what it has even before its end. */
    if (record->action != AMGR_ACTION_KILL &&
        process->rss_bytes != AMGR_UNKNOWN) {
        amgr_record_note_memory(record, process);
    }
    if (record->action == AMGR_ACTION_KILL && !record->stuck &&
        span_us - record->killed_us > STUCK_US) {
        record->stuck = 1;
        return AMGR_NEWS_UPDATED | AMGR_NEWS_STUCK;
    }
    return AMGR_NEWS_NONE;
}

/* A process like the one that went, younger than its retirement, that serves.
 * One may have been forked as soon as the old one stopped. */
static int is_replacement(const amgr_snapshot_t *snapshot,
                          const amgr_process_t *process,
                          const amgr_record_t *record,
                          apr_interval_time_t span_us)
{
    return process->role == record->role && process->age_us != AMGR_NO_TIME &&
           process->age_us <= span_us && process->state == AMGR_STATE_SERVING &&
           strcmp(snapshot->groups[process->group].name, record->group) == 0;
}

static int find_replacement(const amgr_snapshot_t *snapshot,
                            const amgr_record_t *record,
                            apr_interval_time_t span_us)
{
    const amgr_server_t *server = &snapshot->server;
    int i;

    if (record->role == AMGR_ROLE_WORKER &&
        server->idle_workers >= server->min_spare_workers) {
        return AMGR_REPLACEMENT_READY;
    }
    for (i = 0; i < snapshot->process_count; i++) {
        if (is_replacement(snapshot, &snapshot->processes[i], record,
                           span_us)) {
            return AMGR_REPLACEMENT_SERVING;
        }
    }
    return span_us - record->ended_us >= MAINTENANCE_US
               ? AMGR_REPLACEMENT_NOT_FORKED
               : AMGR_REPLACEMENT_WAITING;
}

int amgr_retire_follow(const amgr_snapshot_t *snapshot, amgr_record_t *record)
{
    const amgr_process_t *process;
    apr_interval_time_t span_us =
        snapshot->server.time.mono_us - record->decided_mono_us;
    int news = AMGR_NEWS_NONE;

    if (!amgr_retire_is_open(record)) {
        return AMGR_NEWS_NONE;
    }
    span_us = span_us < 0 ? 0 : span_us;
    if (record->outcome == AMGR_OUTCOME_PENDING) {
        process = amgr_snapshot_find(snapshot, record->id.pid);
        if (!is_gone(snapshot, process, record)) {
            return process == NULL ? AMGR_NEWS_NONE
                                   : follow_living(process, record, span_us);
        }
        record->ended_us = span_us;
        if (record->action == AMGR_ACTION_NONE) {
            /* Whoever decided it ended before it did anything. */
            record->outcome = AMGR_OUTCOME_VANISHED;
            return AMGR_NEWS_UPDATED;
        }
        record->outcome = AMGR_OUTCOME_GONE;
        news = AMGR_NEWS_GONE | AMGR_NEWS_UPDATED;
    }
    record->replacement = find_replacement(snapshot, record, span_us);
    if (record->replacement != AMGR_REPLACEMENT_WAITING) {
        record->replaced_us = span_us;
        news |= AMGR_NEWS_UPDATED;
    }
    return news;
}
