/* SPDX-License-Identifier: Apache-2.0
 *
 * The budget of all workers together: who goes when the sum is over it.  Those
 * that give back most for each request that is lost with them go first, and no
 * more than are needed; what is on its way out already counts as gone.  Nobody
 * else goes for one that only has to wait for its turn, but others stand in for
 * one that has to stay: the last that serves, or what another module protects.
 *
 * The sum is over anonymous memory: resident memory would count each shared
 * page once in every process, and the cgroup's own count holds page cache,
 * which the kernel gives up by itself.
 */
#include <stdlib.h>

#include "policy/judging.h"
#include "policy/reasons.h"

/* The table of decisions is empty yet, and stands in for one of candidates. */
static int compare_gain(const void *a, const void *b)
{
    const amgr_decision_t *left = a;
    const amgr_decision_t *right = b;

    if (left->gain_bytes != right->gain_bytes) {
        return left->gain_bytes > right->gain_bytes ? -1 : 1;
    }
    return (left->process > right->process) - (left->process < right->process);
}

static apr_uint64_t gain_of(const amgr_process_t *process, int requests)
{
    /* Of a daemon, or of a worker that has lost its row, nobody can see what it
     * is doing: never think it idle. */
    if (process->slot_count == 0 && requests < 1) {
        requests = 1;
    }
    return process->anon_bytes == AMGR_UNKNOWN
               ? 0
               : process->anon_bytes / (apr_uint64_t)(1 + requests);
}

static int is_counted(const amgr_process_t *process)
{
    return (process->role == AMGR_ROLE_WORKER ||
            process->role == AMGR_ROLE_WSGI) &&
           process->anon_bytes != AMGR_UNKNOWN;
}

static apr_uint64_t sum_up(const amgr_snapshot_t *snapshot)
{
    apr_uint64_t sum = 0;
    int i;

    for (i = 0; i < snapshot->process_count; i++) {
        const amgr_process_t *process = &snapshot->processes[i];

        if (is_counted(process)) {
            /* The sum of what fits in one machine fits in 64 bits; figures
             * are the kernel's. */
            sum += process->anon_bytes;
        }
    }
    return sum;
}

/* Whether it will not go, whatever there is to be chosen. */
static int stays(const amgr_judging_t *tick, const amgr_process_t *process,
                 const amgr_ledger_process_t *entry,
                 const amgr_survey_t *survey)
{
    return amgr_safety_is_vetoed(tick, process) ||
           amgr_safety_has_to_stay(tick, process, entry, survey);
}

static void take_off(apr_uint64_t *over, const amgr_process_t *process)
{
    *over -= process->anon_bytes < *over ? process->anon_bytes : *over;
}

/* List who may be chosen, those that stay too: that is told of them.  What goes
 * anyway is taken off *over. */
static int list_candidates(const amgr_judging_t *tick,
                           amgr_decision_t *candidates, int max,
                           apr_uint64_t *over)
{
    const amgr_snapshot_t *snapshot = tick->snapshot;
    int count = 0;
    int i;

    for (i = 0; i<snapshot->process_count && * over> 0; i++) {
        const amgr_process_t *process = &snapshot->processes[i];
        const amgr_ledger_process_t *entry =
            amgr_ledger_find(tick->ledger, &process->id);
        amgr_survey_t survey;

        if (!is_counted(process)) {
            continue;
        }
        amgr_age_survey(tick, process, &survey);
        if (amgr_judge_is_leaving(tick, process, entry)) {
            if (entry->retired_mono_us != 0 ||
                !stays(tick, process, entry, &survey)) {
                take_off(over, process);
            }
            continue;
        }
        if (count >= max || !amgr_safety_may_go(tick, process, entry)) {
            continue;
        }
        candidates[count].process = i;
        candidates[count].cause = stays(tick, process, entry, &survey)
                                      ? AMGR_CAUSE_MIN_SERVING
                                      : AMGR_CAUSE_NONE;
        candidates[count].gain_bytes = gain_of(process, survey.requests);
        count++;
    }
    return count;
}

void amgr_total_mark(amgr_judging_t *tick, amgr_decision_t *scratch, int max)
{
    amgr_snapshot_t *snapshot = tick->snapshot;
    apr_int64_t budget =
        amgr_reasons_total_bytes(tick->limits, &snapshot->server);
    apr_uint64_t sum = sum_up(snapshot);
    apr_uint64_t over;
    int count;
    int i;

    if (amgr_measure_sums(tick->limits)) {
        snapshot->server.worker_anon_bytes = sum;
    }
    for (i = 0; i < snapshot->process_count; i++) {
        snapshot->processes[i].verdict = AMGR_VERDICT_UNKNOWN;
    }
    if (!amgr_measure_is_over(sum, budget)) {
        tick->ledger->total_strikes = 0;
        return;
    }
    if (tick->ledger->total_strikes < APR_INT32_MAX) {
        tick->ledger->total_strikes++;
    }
    over = sum - (apr_uint64_t)budget;
    count = list_candidates(tick, scratch, max, &over);
    tick->total_over = over;
    qsort(scratch, (size_t)count, sizeof(scratch[0]), compare_gain);
    for (i = 0; i < count && over > 0; i++) {
        amgr_process_t *process = &snapshot->processes[scratch[i].process];

        process->verdict = AMGR_VERDICT_MEMORY_TOTAL;
        if (scratch[i].cause == AMGR_CAUSE_NONE) {
            take_off(&over, process);
        }
    }
}

int amgr_total_take(const amgr_judging_t *tick, const amgr_survey_t *survey,
                    const amgr_process_t *process, amgr_decision_t *decision)
{
    const amgr_server_t *server = &tick->snapshot->server;

    decision->verdict = AMGR_VERDICT_MEMORY_TOTAL;
    decision->slot = -1;
    decision->measured = server->worker_anon_bytes;
    decision->limit =
        (apr_uint64_t)amgr_reasons_total_bytes(tick->limits, server);
    decision->gain_bytes = gain_of(process, survey->requests);
    return AMGR_VERDICT_MEMORY_TOTAL;
}
