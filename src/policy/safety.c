/* SPDX-License-Identifier: Apache-2.0
 *
 * The safety rules: who of the processes over a limit may go at this tick.
 * First what can be told of a process alone, then what the server can afford;
 * the order of the tests is the precedence of the causes.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/judging.h"
#include "policy/reasons.h"

/* What has been granted so far at this tick. */
typedef struct granted_t {
    int all;
    int serving;
    int on_free_slots; /* beyond min_serving, for a free slot's sake */
    int bucket_serving[AMGR_BUCKETS_MAX];
    apr_uint64_t freed_bytes; /* by those that go for the sum's sake */
} granted_t;

int amgr_safety_is_serving(const amgr_process_t *process,
                           const amgr_ledger_process_t *entry,
                           const amgr_survey_t *survey)
{
    return process->role == AMGR_ROLE_WORKER &&
           process->state == AMGR_STATE_SERVING &&
           (entry == NULL || entry->retired_mono_us == 0) && !survey->stuck;
}

int amgr_safety_bucket(const amgr_judging_t *tick,
                       const amgr_process_t *process)
{
    int buckets = tick->snapshot->server.lone_buckets;

    return buckets > 1 && buckets <= AMGR_BUCKETS_MAX &&
                   process->process_slot >= 0
               ? process->process_slot % buckets
               : -1;
}

static int is_too_young(const amgr_limits_t *limits,
                        const amgr_process_t *process)
{
    return limits->min_age_us > 0 && (process->age_us == AMGR_NO_TIME ||
                                      process->age_us < limits->min_age_us);
}

int amgr_safety_may_go(const amgr_judging_t *tick,
                       const amgr_process_t *process,
                       const amgr_ledger_process_t *entry)
{
    return entry != NULL && !amgr_ladder_has_failed(entry, tick->mono_us) &&
           !is_too_young(tick->limits, process);
}

int amgr_safety_cause(const amgr_judging_t *tick, const amgr_process_t *process,
                      const amgr_ledger_process_t *entry,
                      const amgr_decision_t *decision)
{
    if (!tick->can_signal ||
        (entry != NULL && amgr_ladder_has_failed(entry, tick->mono_us))) {
        return AMGR_CAUSE_NO_RIGHTS;
    }
    if (amgr_reasons_is_memory(decision->verdict) &&
        amgr_fresh_is_inert(tick, process, (apr_int64_t)decision->limit)) {
        return AMGR_CAUSE_INERT;
    }
    if (decision->verdict != AMGR_VERDICT_GENERATION &&
        is_too_young(tick->limits, process)) {
        return AMGR_CAUSE_MIN_AGE;
    }
    /* One that cannot be remembered would be retired again and again. */
    if (entry == NULL) {
        return AMGR_CAUSE_MAX_RETIRING;
    }
    if (amgr_reasons_strikes(tick, entry, decision) < tick->limits->strikes) {
        return AMGR_CAUSE_STRIKES;
    }
    return AMGR_CAUSE_NONE;
}

/* What cannot wait; a hung process, which serves nobody; one over its memory,
 * which may; one that all together have no room for; recycling. */
static int urgency(const amgr_decision_t *decision)
{
    switch (decision->verdict) {
    case AMGR_VERDICT_MEMORY_HARD:
        return 5;
    case AMGR_VERDICT_TIME:
        return 4;
    case AMGR_VERDICT_MEMORY_ACTIVE:
    case AMGR_VERDICT_MEMORY_IDLE:
        return 3;
    case AMGR_VERDICT_MEMORY_TOTAL:
        return 2;
    default:
        return 1;
    }
}

/* Most urgent first; then the furthest over its limit; then what frees most;
 * then by pid, which is the index's order. */
static int compare_urgency(const void *a, const void *b)
{
    const amgr_decision_t *left = a;
    const amgr_decision_t *right = b;
    double left_ratio = (double)left->measured / ((double)left->limit + 1.0);
    double right_ratio = (double)right->measured / ((double)right->limit + 1.0);

    if (urgency(left) != urgency(right)) {
        return urgency(right) - urgency(left);
    }
    if (left_ratio > right_ratio || left_ratio < right_ratio) {
        return left_ratio > right_ratio ? -1 : 1;
    }
    if (left->gain_bytes != right->gain_bytes) {
        return left->gain_bytes > right->gain_bytes ? -1 : 1;
    }
    return (left->process > right->process) - (left->process < right->process);
}

static int compare_process(const void *a, const void *b)
{
    const amgr_decision_t *left = a;
    const amgr_decision_t *right = b;

    return (left->process > right->process) - (left->process < right->process);
}

int amgr_safety_has_to_stay(const amgr_judging_t *tick,
                            const amgr_process_t *process,
                            const amgr_ledger_process_t *entry,
                            const amgr_survey_t *survey)
{
    int min_serving = tick->limits->min_serving;
    int bucket = amgr_safety_bucket(tick, process);

    if (!amgr_safety_is_serving(process, entry, survey)) {
        return 0;
    }
    if (bucket >= 0 && min_serving > 0 && tick->bucket_lasting[bucket] <= 1) {
        return 1;
    }
    return tick->lasting - 1 < min_serving &&
           tick->natives >= tick->snapshot->server.max_processes;
}

/* Connections that the kernel gave to a bucket wait for its own processes, and
 * prefork forks none while others elsewhere are idle enough: a free slot is no
 * help. */
static int is_last_of_bucket(const amgr_judging_t *tick,
                             const granted_t *granted, int bucket)
{
    return bucket >= 0 && tick->limits->min_serving > 0 &&
           tick->bucket_serving[bucket] - granted->bucket_serving[bucket] <= 1;
}

/* Whether enough are left that serve, or a free slot lets the MPM replace
 * this one; each such slot is good for one. */
static int may_leave(const amgr_judging_t *tick, granted_t *granted)
{
    int max_processes = tick->snapshot->server.max_processes;

    if (tick->serving - granted->serving - 1 >= tick->limits->min_serving) {
        return 1;
    }
    if (tick->natives + granted->on_free_slots < max_processes) {
        granted->on_free_slots++;
        return 1;
    }
    return 0;
}

int amgr_safety_is_vetoed(const amgr_judging_t *tick,
                          const amgr_process_t *process)
{
    const amgr_ledger_process_t *entry =
        amgr_ledger_find(tick->ledger, &process->id);

    return entry != NULL && entry->veto_told;
}

static int choose(const amgr_judging_t *tick, const amgr_decision_t *decision,
                  granted_t *granted, int allowed)
{
    const amgr_process_t *process =
        &tick->snapshot->processes[decision->process];
    const amgr_ledger_process_t *entry =
        amgr_ledger_find(tick->ledger, &process->id);
    amgr_survey_t survey;
    int bucket = amgr_safety_bucket(tick, process);
    int serving;

    /* One that outlived its generation takes no new connection and counts
     * neither as serving nor as one of those that may go at a time: httpd has
     * replaced it, and ending it takes nothing from the server. */
    if (decision->verdict == AMGR_VERDICT_GENERATION) {
        return tick->limits->dry_run ? AMGR_CAUSE_DRY_RUN : AMGR_CAUSE_NONE;
    }
    if (tick->ledger->storm_open_mono_us != 0 &&
        !amgr_reasons_is_routine(decision->verdict)) {
        return AMGR_CAUSE_STORM;
    }
    if (tick->retiring + granted->all >= allowed) {
        return AMGR_CAUSE_MAX_RETIRING;
    }
    /* Others stand in for one that was vetoed, and are enough. */
    if (decision->verdict == AMGR_VERDICT_MEMORY_TOTAL &&
        granted->freed_bytes >= tick->total_over) {
        return AMGR_CAUSE_MAX_RETIRING;
    }
    amgr_age_survey(tick, process, &survey);
    serving = amgr_safety_is_serving(process, entry, &survey);
    if (serving && (is_last_of_bucket(tick, granted, bucket) ||
                    !may_leave(tick, granted))) {
        return AMGR_CAUSE_MIN_SERVING;
    }
    if (tick->limits->dry_run) {
        return AMGR_CAUSE_DRY_RUN;
    }
    if (decision->verdict == AMGR_VERDICT_MEMORY_TOTAL) {
        granted->freed_bytes += process->anon_bytes;
    }
    granted->all++;
    granted->serving += serving;
    granted->bucket_serving[bucket < 0 ? 0 : bucket] += serving;
    return AMGR_CAUSE_NONE;
}

/* Choose among those that were vetoed, or among the others. */
static void choose_among(const amgr_judging_t *tick, amgr_decision_t *decisions,
                         int count, granted_t *granted, int vetoed)
{
    int allowed = amgr_share_of(&tick->limits->max_retiring, tick->retirable);
    int i;

    for (i = 0; i < count; i++) {
        amgr_decision_t *decision = &decisions[i];
        const amgr_process_t *process =
            &tick->snapshot->processes[decision->process];

        if (decision->cause != AMGR_CAUSE_NONE || decision->follow_up ||
            amgr_safety_is_vetoed(tick, process) != vetoed) {
            continue;
        }
        decision->cause = choose(tick, decision, granted, allowed);
        if (vetoed && (decision->cause == AMGR_CAUSE_MAX_RETIRING ||
                       decision->cause == AMGR_CAUSE_MIN_SERVING)) {
            decision->cause = AMGR_CAUSE_VETO;
        }
    }
}

void amgr_safety_choose(const amgr_judging_t *tick, amgr_decision_t *decisions,
                        int count)
{
    granted_t granted;

    if (count == 0) {
        return;
    }
    memset(&granted, 0, sizeof(granted));
    qsort(decisions, (size_t)count, sizeof(decisions[0]), compare_urgency);
    /* What was vetoed is likely to stay: it takes no place from the others. */
    choose_among(tick, decisions, count, &granted, 0);
    choose_among(tick, decisions, count, &granted, 1);
    qsort(decisions, (size_t)count, sizeof(decisions[0]), compare_process);
}
