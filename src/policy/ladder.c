/* SPDX-License-Identifier: Apache-2.0
 *
 * Which step of its retirement a process takes next: announce, ask, wait,
 * kill.  Decided from what it does and how long it has been at it; whatever a
 * worker says of itself can only make it wait longer, within the grace period.
 */
#include "policy/judging.h"

/* A worker that does not seem to have heard is asked again so often, after so
 * long: its thread is woken at once, but may have missed its moment. */
#define ASKS_MAX 3
#define ASK_AGAIN_US (2 * APR_USEC_PER_SEC)

/* It has finished and is still here so long after that was first seen. */
#define IDLE_US (2 * APR_USEC_PER_SEC)

/* A process that is still there so long after SIGKILL hangs in the kernel. */
#define STUCK_US (15 * APR_USEC_PER_SEC)

/* What could not be done for want of a descriptor or of memory is tried again
 * so long after: each time is told. */
#define FAILED_US (10 * APR_USEC_PER_SEC)

/* Nothing is in flight but what is over its time: there is nothing to be
 * gained by waiting. */
static int is_lost(const amgr_survey_t *survey)
{
    return survey->over > 0 && survey->requests <= survey->over;
}

static int is_threaded(const amgr_judging_t *tick,
                       const amgr_process_t *process)
{
    return process->role == AMGR_ROLE_WORKER && tick->snapshot->server.threaded;
}

/* A worker process that does one request at a time, and none now.  One with
 * threads may have connections that wait without a worker. */
static int is_single_and_idle(const amgr_judging_t *tick,
                              const amgr_process_t *process,
                              const amgr_survey_t *survey)
{
    return process->slot_count > 0 && survey->busy == 0 &&
           !is_threaded(tick, process);
}

int amgr_ladder_first(const amgr_judging_t *tick, const amgr_process_t *process,
                      const amgr_survey_t *survey,
                      const amgr_decision_t *decision)
{
    if (decision->force) {
        return AMGR_STEP_KILL;
    }
    if (is_lost(survey)) {
        /* The other threads of a process may take a request at any moment. */
        return is_threaded(tick, process) ? AMGR_STEP_ASK : AMGR_STEP_KILL;
    }
    if (process->role != AMGR_ROLE_WORKER ||
        process->state == AMGR_STATE_STOPPING ||
        tick->limits->lame_duck_us == AMGR_LIMIT_OFF ||
        is_single_and_idle(tick, process, survey)) {
        return AMGR_STEP_ASK;
    }
    return AMGR_STEP_ANNOUNCE;
}

static int after_announcing(const amgr_judging_t *tick,
                            const amgr_process_t *process,
                            const amgr_ledger_process_t *entry,
                            const amgr_survey_t *survey)
{
    if (is_lost(survey) && !is_threaded(tick, process)) {
        return AMGR_STEP_KILL;
    }
    if (is_lost(survey) || process->state == AMGR_STATE_STOPPING ||
        is_single_and_idle(tick, process, survey) ||
        /* Announced all the same: while a program ran, or before a restart. */
        tick->limits->lame_duck_us == AMGR_LIMIT_OFF ||
        tick->mono_us - entry->step_mono_us >= tick->limits->lame_duck_us) {
        return AMGR_STEP_ASK;
    }
    return AMGR_STEP_NONE;
}

static apr_interval_time_t grace_us(const amgr_limits_t *limits,
                                    const amgr_process_t *process,
                                    const amgr_survey_t *survey)
{
    int nothing_else =
        survey->endless > 0 && survey->requests <= survey->endless;

    return nothing_else ? limits->endless_grace_us
                        : amgr_sections_grace_us(limits, process->section);
}

/* Whether nothing can be in flight.  Without a worker an asynchronous MPM may
 * still be writing to slow clients, and the worker MPM may have given a row
 * away while its last owner works: not once all their threads have ended. */
static int has_finished(const amgr_judging_t *tick,
                        const amgr_process_t *process,
                        const amgr_survey_t *survey)
{
    if (process->role != AMGR_ROLE_WORKER || survey->busy > 0) {
        return 0;
    }
    return (is_threaded(tick, process) && process->threads == 1) ||
           (!tick->snapshot->server.async && process->slot_count > 0);
}

/* What holds up one that has finished: on prefork and worker, with several
 * listeners, the wait for the accept mutex, which no gentle signal interrupts
 * once it is SIGUSR1 that was sent; or a module's clean-up that never ends.
 * One without memory is being ended by the kernel, which gives that back first
 * and is not hastened by a signal; or this tick had no time to read it. */
static int next_of_finished(const amgr_judging_t *tick,
                            const amgr_process_t *process,
                            const amgr_ledger_process_t *entry)
{
    if (entry->idle_mono_us == 0 || process->rss_bytes == AMGR_UNKNOWN ||
        tick->mono_us - entry->idle_mono_us < IDLE_US) {
        return AMGR_STEP_NONE;
    }
    if (!is_threaded(tick, process) && entry->step != AMGR_STEP_NUDGE) {
        return AMGR_STEP_NUDGE;
    }
    return tick->mono_us - entry->step_mono_us >= IDLE_US ? AMGR_STEP_KILL
                                                          : AMGR_STEP_NONE;
}

/* It was asked as often as makes sense and does not seem to have heard: then
 * the first moment without work is the best there will be. */
static int is_deaf(const amgr_judging_t *tick,
                   const amgr_ledger_process_t *entry)
{
    return !entry->heard && entry->asks >= ASKS_MAX &&
           tick->mono_us - entry->step_mono_us >= ASK_AGAIN_US;
}

static int after_asking(const amgr_judging_t *tick,
                        const amgr_process_t *process,
                        amgr_ledger_process_t *entry,
                        const amgr_survey_t *survey)
{
    apr_interval_time_t asked_us = tick->mono_us - entry->asked_mono_us;

    if (process->state == AMGR_STATE_STOPPING || !is_threaded(tick, process)) {
        entry->heard = 1;
    }
    if (!entry->heard || !has_finished(tick, process, survey)) {
        entry->idle_mono_us = 0;
    }
    else if (entry->idle_mono_us == 0) {
        entry->idle_mono_us = tick->mono_us;
    }
    if (asked_us >= grace_us(tick->limits, process, survey) ||
        (is_lost(survey) && (entry->heard || asked_us >= ASK_AGAIN_US)) ||
        (is_deaf(tick, entry) && process->slot_count > 0 &&
         survey->busy == 0)) {
        return AMGR_STEP_KILL;
    }
    if (!entry->heard && entry->asks < ASKS_MAX &&
        tick->mono_us - entry->step_mono_us >= ASK_AGAIN_US) {
        return AMGR_STEP_ASK;
    }
    return next_of_finished(tick, process, entry);
}

int amgr_ladder_next(const amgr_judging_t *tick, const amgr_process_t *process,
                     amgr_ledger_process_t *entry, const amgr_survey_t *survey,
                     int forced)
{
    if ((tick->limits->dry_run && !entry->demanded) ||
        entry->step == AMGR_STEP_KILL) {
        return AMGR_STEP_NONE;
    }
    if (forced) {
        return AMGR_STEP_KILL;
    }
    if (entry->step == AMGR_STEP_ANNOUNCE) {
        return after_announcing(tick, process, entry, survey);
    }
    return after_asking(tick, process, entry, survey);
}

void amgr_ladder_note(amgr_ledger_process_t *entry, int step,
                      apr_time_t mono_us)
{
    /* 0 would mean that it never happened. */
    apr_time_t now_us = mono_us == 0 ? 1 : mono_us;

    if (entry->retired_mono_us == 0) {
        entry->retired_mono_us = now_us;
        entry->failed = AMGR_FAILED_NOT; /* it was tried again */
    }
    if (step == AMGR_STEP_ASK) {
        entry->asks++;
        if (entry->asked_mono_us == 0) {
            entry->asked_mono_us = now_us;
        }
    }
    entry->step = step;
    entry->step_mono_us = now_us;
}

int amgr_ladder_is_stuck(const amgr_ledger_process_t *entry, apr_time_t mono_us)
{
    return entry->step == AMGR_STEP_KILL &&
           mono_us - entry->step_mono_us >= STUCK_US;
}

void amgr_ladder_give_up(amgr_ledger_process_t *entry, int failed,
                         apr_time_t mono_us)
{
    entry->retired_mono_us = 0;
    entry->asked_mono_us = 0;
    entry->step = AMGR_STEP_NONE;
    entry->asks = 0;
    entry->heard = 0;
    entry->idle_mono_us = 0;
    entry->held_mono_us = 0;
    entry->demanded = 0;
    entry->failed = failed;
    entry->step_mono_us = mono_us;
}

int amgr_ladder_has_failed(const amgr_ledger_process_t *entry,
                           apr_time_t mono_us)
{
    return entry->failed == AMGR_FAILED_FOR_GOOD ||
           (entry->failed == AMGR_FAILED_FOR_NOW &&
            mono_us - entry->step_mono_us < FAILED_US);
}
