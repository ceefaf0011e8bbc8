/* SPDX-License-Identifier: Apache-2.0
 *
 * The verdicts, and the order in which the parts of policy have their say:
 * ages, fresh sizes, verdicts, the rules for one process, the breaker, the
 * rules for the server, and what of it is news.
 */
#include <string.h>

#include "policy/judging.h"
#include "policy/reasons.h"

/* Judge by memory; fills in the decision when the process is over. */
static int judge_memory(const amgr_judging_t *tick,
                        const amgr_process_t *process,
                        amgr_decision_t *decision)
{
    const amgr_limits_t *limits = tick->limits;
    apr_uint64_t bytes = amgr_measure_of(process, limits->metric);
    int verdict;
    apr_int64_t limit_bytes = amgr_measure_limit(limits, process, &verdict);

    if (amgr_measure_is_over(bytes, limit_bytes)) {
        decision->verdict = verdict;
        decision->slot = -1;
        decision->measured = bytes;
        decision->limit = (apr_uint64_t)limit_bytes;
        return verdict;
    }
    if (process->rss_bytes == AMGR_UNKNOWN && bytes == AMGR_UNKNOWN) {
        return AMGR_VERDICT_UNKNOWN;
    }
    if (bytes == AMGR_UNKNOWN &&
        (amgr_measure_is_over(process->rss_bytes, limit_bytes) ||
         amgr_measure_is_over(process->rss_bytes,
                              amgr_measure_hard_limit(limits, process)))) {
        return AMGR_VERDICT_UNKNOWN;
    }
    return AMGR_VERDICT_OK;
}

static int is_over_time(const amgr_process_t *process,
                        const amgr_survey_t *survey)
{
    return process->role == AMGR_ROLE_WORKER && survey->over > 0;
}

/* By the limits that are each process's own and of some urgency.  Memory is
 * judged before time, but an inert limit does not act and so must not stand in
 * the way of the one for time, nor of what comes after it. */
static int judge_urgent(const amgr_judging_t *tick,
                        const amgr_process_t *process,
                        const amgr_survey_t *survey, amgr_decision_t *decision)
{
    int verdict;

    if (amgr_reasons_hard(tick, process, 0, decision) != AMGR_VERDICT_OK) {
        return AMGR_VERDICT_MEMORY_HARD;
    }
    verdict = judge_memory(tick, process, decision);
    if (verdict > AMGR_VERDICT_OK &&
        !amgr_fresh_is_inert(tick, process, (apr_int64_t)decision->limit)) {
        return verdict;
    }
    if (is_over_time(process, survey)) {
        decision->verdict = AMGR_VERDICT_TIME;
        decision->slot = survey->longest_slot;
        decision->measured = (apr_uint64_t)survey->longest_us;
        decision->limit = (apr_uint64_t)survey->longest_limit_us;
        return AMGR_VERDICT_TIME;
    }
    return verdict;
}

static int is_urgent(const amgr_judging_t *tick, const amgr_process_t *process,
                     const amgr_decision_t *decision)
{
    return decision->verdict > AMGR_VERDICT_OK &&
           !(amgr_reasons_is_memory(decision->verdict) &&
             amgr_fresh_is_inert(tick, process, (apr_int64_t)decision->limit));
}

/* The verdict, by the first reason that holds; one with an inert limit only
 * when there is no other. */
static int judge_process(const amgr_judging_t *tick,
                         const amgr_process_t *process,
                         const amgr_ledger_process_t *entry,
                         const amgr_survey_t *survey, amgr_decision_t *decision)
{
    int chosen = process->verdict == AMGR_VERDICT_MEMORY_TOTAL;
    int verdict = judge_urgent(tick, process, survey, decision);
    int other;

    if (is_urgent(tick, process, decision)) {
        return verdict;
    }
    if (chosen) {
        return amgr_total_take(tick, survey, process, decision);
    }
    other = amgr_reasons_routine(tick, process, entry, decision);
    if (other == AMGR_VERDICT_OK) {
        other = amgr_reasons_hard(tick, process, 1, decision);
    }
    return other == AMGR_VERDICT_OK ? verdict : other;
}

int amgr_judge_is_leaving(const amgr_judging_t *tick,
                          const amgr_process_t *process,
                          const amgr_ledger_process_t *entry)
{
    amgr_decision_t decision;
    amgr_survey_t survey;

    if (entry != NULL && entry->retired_mono_us != 0) {
        return 1;
    }
    memset(&decision, 0, sizeof(decision));
    amgr_age_survey(tick, process, &survey);
    return judge_urgent(tick, process, &survey, &decision) > AMGR_VERDICT_OK &&
           is_urgent(tick, process, &decision) &&
           amgr_safety_may_go(tick, process, entry);
}

/* On its way out; what hangs in the kernel would keep its place for ever. */
static int is_going(const amgr_judging_t *tick,
                    const amgr_ledger_process_t *entry)
{
    return entry != NULL && entry->retired_mono_us != 0 &&
           !amgr_ladder_is_stuck(entry, tick->mono_us);
}

static void count_serving(amgr_judging_t *tick, const amgr_process_t *process,
                          const amgr_ledger_process_t *entry,
                          const amgr_survey_t *survey)
{
    int serving = amgr_safety_is_serving(process, entry, survey);
    int lasting =
        serving || (process->role == AMGR_ROLE_WORKER && is_going(tick, entry));
    int bucket = amgr_safety_bucket(tick, process);

    bucket = bucket < 0 ? 0 : bucket;
    tick->serving += serving;
    tick->bucket_serving[bucket] += serving;
    tick->lasting += lasting;
    tick->bucket_lasting[bucket] += lasting;
}

/* Ages, hanging requests, fresh sizes and the counts that rules need. */
static void survey_all(amgr_judging_t *tick)
{
    amgr_snapshot_t *snapshot = tick->snapshot;
    int hanging = 0;
    int i;

    for (i = 0; i < snapshot->slot_count; i++) {
        snapshot->slots[i].request_age_us = AMGR_NO_TIME;
    }
    for (i = 0; i < snapshot->process_count; i++) {
        amgr_process_t *process = &snapshot->processes[i];
        amgr_ledger_process_t *entry =
            amgr_ledger_find(tick->ledger, &process->id);
        amgr_survey_t survey;

        amgr_reasons_note(tick, process, entry);
        amgr_age_process(tick, process, entry);
        amgr_age_survey(tick, process, &survey);
        amgr_fresh_learn(tick, process, entry, &survey);
        hanging += survey.hanging;
        tick->natives += process->role == AMGR_ROLE_WORKER;
        tick->retirable += amgr_measure_is_judged(process);
        tick->retiring += is_going(tick, entry);
        count_serving(tick, process, entry, &survey);
    }
    /* Without ages nobody knows whether any hangs. */
    snapshot->hanging = snapshot->server.extended ? hanging : -1;
}

static void forget(amgr_ledger_process_t *entry)
{
    if (entry != NULL) {
        entry->strikes = 0;
        entry->last_verdict = AMGR_VERDICT_UNKNOWN;
        entry->last_cause = AMGR_CAUSE_NONE;
        entry->veto_told = 0;
    }
}

/* Whether the breaker counts a process with such a decision. */
static int counts_as_over(const amgr_judging_t *tick,
                          const amgr_decision_t *decision,
                          const amgr_ledger_process_t *entry,
                          const amgr_survey_t *survey)
{
    const amgr_process_t *process =
        &tick->snapshot->processes[decision->process];

    return !amgr_reasons_is_routine(decision->verdict) &&
           !amgr_safety_is_vetoed(tick, process) &&
           !amgr_safety_has_to_stay(tick, process, entry, survey) &&
           decision->cause != AMGR_CAUSE_NO_RIGHTS &&
           decision->cause != AMGR_CAUSE_INERT &&
           decision->cause != AMGR_CAUSE_STRIKES;
}

/* A retirement under way: non-zero when it takes its next step. */
static int go_on(amgr_judging_t *tick, int index, amgr_ledger_process_t *entry,
                 amgr_decision_t *decision)
{
    amgr_process_t *process = &tick->snapshot->processes[index];
    amgr_survey_t survey;

    amgr_age_survey_by(tick, process,
                       entry->demanded ? entry->demanded_time_us
                                       : AMGR_LIMIT_INHERITED,
                       &survey);
    decision->process = index;
    decision->requests = amgr_age_requests(tick, process, &survey);
    decision->follow_up = 1;
    decision->demanded = entry->demanded;
    /* Not by the verdict alone: an inert limit has one too. */
    decision->force =
        !tick->limits->dry_run && amgr_reasons_is_forced(tick, process);
    decision->step =
        amgr_ladder_next(tick, process, entry, &survey, decision->force);
    process->state = AMGR_STATE_RETIRING;
    return decision->step != AMGR_STEP_NONE;
}

/* Judge one process; non-zero when it is over and there is a decision. */
static int decide(amgr_judging_t *tick, int index, amgr_decision_t *decision)
{
    amgr_process_t *process = &tick->snapshot->processes[index];
    amgr_ledger_process_t *entry = amgr_ledger_find(tick->ledger, &process->id);
    amgr_survey_t survey;

    process->cause = AMGR_CAUSE_NONE;
    if (!amgr_measure_is_judged(process)) {
        process->verdict = AMGR_VERDICT_EXEMPT;
        return 0;
    }
    amgr_age_survey(tick, process, &survey);
    memset(decision, 0, sizeof(*decision));
    decision->slot = -1;
    process->verdict = judge_process(tick, process, entry, &survey, decision);
    if (entry != NULL && entry->retired_mono_us != 0) {
        return go_on(tick, index, entry, decision);
    }
    if (process->verdict <= AMGR_VERDICT_OK) {
        /* What could not be read is no sign that it is better. */
        if (process->verdict == AMGR_VERDICT_OK) {
            forget(entry);
        }
        return 0;
    }
    if (entry != NULL && entry->strikes < APR_INT32_MAX) {
        entry->strikes++;
    }
    decision->process = index;
    decision->requests = amgr_age_requests(tick, process, &survey);
    decision->cause = amgr_safety_cause(tick, process, entry, decision);
    if (entry != NULL && tick->snapshot->out_of_turn && entry->strikes > 0) {
        entry->strikes--; /* seen now, and not once more at the next */
    }
    tick->over += counts_as_over(tick, decision, entry, &survey);
    return 1;
}

static int decide_all(amgr_judging_t *tick, amgr_decision_t *decisions, int max)
{
    amgr_decision_t decision;
    int count = 0;
    int i;

    for (i = 0; i < tick->snapshot->process_count; i++) {
        if (!decide(tick, i, &decision)) {
            continue;
        }
        if (count < max) {
            decisions[count++] = decision;
        }
        else {
            /* The caller has no room to act on it. */
            tick->snapshot->processes[i].cause = AMGR_CAUSE_MAX_RETIRING;
        }
    }
    return count;
}

/* Whether a decision is news, and remember that it was told.  A dry run is
 * told once in a process's life, as a real one would be. */
static int is_news(amgr_ledger_process_t *entry,
                   const amgr_decision_t *decision)
{
    int changed;

    if (entry == NULL) {
        return 0;
    }
    changed = entry->last_verdict != decision->verdict ||
              entry->last_cause != decision->cause;
    entry->last_verdict = decision->verdict;
    entry->last_cause = decision->cause;
    if (decision->cause == AMGR_CAUSE_NONE) {
        return 1;
    }
    if (decision->cause == AMGR_CAUSE_DRY_RUN) {
        changed = !entry->dry_run_told;
        entry->dry_run_told = 1;
    }
    return changed && !entry->failed;
}

/* What becomes of a new decision: its first step, and whether it is news. */
static void announce(amgr_judging_t *tick, amgr_decision_t *decision)
{
    amgr_process_t *process = &tick->snapshot->processes[decision->process];
    amgr_survey_t survey;

    process->cause = decision->cause;
    /* A veto was told when it was new. */
    decision->announce =
        decision->cause != AMGR_CAUSE_VETO &&
        is_news(amgr_ledger_find(tick->ledger, &process->id), decision);
    if (decision->cause == AMGR_CAUSE_NONE) {
        amgr_age_survey(tick, process, &survey);
        decision->step = amgr_ladder_first(tick, process, &survey, decision);
    }
}

static void announce_all(amgr_judging_t *tick, amgr_decision_t *decisions,
                         int count)
{
    int i;

    for (i = 0; i < count; i++) {
        if (!decisions[i].follow_up) {
            announce(tick, &decisions[i]);
        }
    }
}

int amgr_judge(const amgr_limits_t *limits, amgr_snapshot_t *snapshot,
               amgr_ledger_t *ledger, int can_signal,
               amgr_decision_t *decisions, int max)
{
    amgr_judging_t tick;
    int count;

    memset(&tick, 0, sizeof(tick));
    tick.limits = limits;
    tick.snapshot = snapshot;
    tick.ledger = ledger;
    tick.can_signal = can_signal;
    amgr_age_begin(&tick);
    amgr_ledger_follow(ledger, snapshot);
    amgr_sections_assign(limits, snapshot);
    amgr_reasons_begin(&tick);
    survey_all(&tick);
    amgr_fresh_publish(&tick);
    amgr_total_mark(&tick, decisions, max);
    count = decide_all(&tick, decisions, max);
    amgr_storm_update(&tick);
    amgr_safety_choose(&tick, decisions, count);
    amgr_storm_settle(&tick, decisions, count);
    announce_all(&tick, decisions, count);
    if (snapshot->out_of_turn && ledger->total_strikes > 0) {
        ledger->total_strikes--;
    }
    ledger->tick_mono_us = tick.mono_us == 0 ? 1 : tick.mono_us;
    ledger->tick_wall_us = tick.wall_us;
    snapshot->server.storm_open = ledger->storm_open_mono_us != 0;
    return count;
}

/* The decision is not carried out at this tick; the process's entry. */
static amgr_ledger_process_t *put_off(amgr_snapshot_t *snapshot,
                                      amgr_ledger_t *ledger,
                                      amgr_decision_t *decision, int cause)
{
    amgr_process_t *process = &snapshot->processes[decision->process];

    process->cause = cause;
    decision->cause = cause;
    decision->announce = 0;
    return amgr_ledger_find(ledger, &process->id);
}

void amgr_judge_veto(amgr_snapshot_t *snapshot, amgr_ledger_t *ledger,
                     amgr_decision_t *decision)
{
    amgr_ledger_process_t *entry =
        put_off(snapshot, ledger, decision, AMGR_CAUSE_VETO);

    if (entry != NULL) {
        decision->announce = !entry->veto_told;
        entry->veto_told = 1;
    }
}

void amgr_judge_lift(amgr_snapshot_t *snapshot, amgr_ledger_t *ledger,
                     amgr_decision_t *decision)
{
    amgr_ledger_process_t *entry =
        put_off(snapshot, ledger, decision, AMGR_CAUSE_MAX_RETIRING);

    if (entry != NULL) {
        entry->veto_told = 0;
    }
}

void amgr_judge_done(amgr_snapshot_t *snapshot, amgr_ledger_t *ledger,
                     const amgr_decision_t *decision, int sent)
{
    apr_time_t mono_us = snapshot->server.time.mono_us;
    amgr_process_t *process;
    amgr_ledger_process_t *entry;

    if (decision->process < 0 || decision->process >= snapshot->process_count ||
        decision->cause != AMGR_CAUSE_NONE) {
        return;
    }
    process = &snapshot->processes[decision->process];
    entry = amgr_ledger_find(ledger, &process->id);
    if (entry == NULL) {
        return;
    }
    if (sent != AMGR_SENT) {
        amgr_ladder_give_up(entry,
                            sent == AMGR_SENT_LATER ? AMGR_FAILED_FOR_NOW
                                                    : AMGR_FAILED_FOR_GOOD,
                            mono_us);
        return;
    }
    if (!decision->follow_up) {
        if (!amgr_reasons_is_routine(decision->verdict) &&
            !decision->demanded) {
            amgr_storm_note(ledger, mono_us);
        }
        entry->demanded = decision->demanded;
        process->state = AMGR_STATE_RETIRING;
    }
    amgr_ladder_note(entry, decision->step, mono_us);
}
