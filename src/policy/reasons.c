/* SPDX-License-Identifier: Apache-2.0
 *
 * See reasons.h; and the parts of a judgement that go with it.
 */
#include "policy/reasons.h"

#include "policy/judging.h"

#define SALT_REQUESTS APR_UINT64_C(1)
#define SALT_LIFETIME APR_UINT64_C(2)

int amgr_reasons_is_memory(int verdict)
{
    return verdict == AMGR_VERDICT_MEMORY_ACTIVE ||
           verdict == AMGR_VERDICT_MEMORY_IDLE ||
           verdict == AMGR_VERDICT_MEMORY_HARD;
}

int amgr_reasons_is_routine(int verdict)
{
    return verdict == AMGR_VERDICT_REQUESTS ||
           verdict == AMGR_VERDICT_LIFETIME ||
           verdict == AMGR_VERDICT_GENERATION ||
           verdict == AMGR_VERDICT_REQUESTED;
}

int amgr_reasons_is_span(int verdict)
{
    return verdict == AMGR_VERDICT_TIME || verdict == AMGR_VERDICT_LIFETIME ||
           verdict == AMGR_VERDICT_GENERATION;
}

const char *amgr_reasons_directive(int verdict)
{
    switch (verdict) {
    case AMGR_VERDICT_MEMORY_ACTIVE:
        return "ManagerMaxMemoryActive";
    case AMGR_VERDICT_MEMORY_IDLE:
        return "ManagerMaxMemoryIdle";
    case AMGR_VERDICT_TIME:
        return "ManagerMaxTime";
    case AMGR_VERDICT_MEMORY_HARD:
        return "ManagerHardMemory";
    case AMGR_VERDICT_MEMORY_TOTAL:
        return "ManagerMaxMemoryTotal";
    case AMGR_VERDICT_REQUESTS:
        return "ManagerMaxRequests";
    case AMGR_VERDICT_LIFETIME:
        return "ManagerMaxLifetime";
    case AMGR_VERDICT_GENERATION:
        return "ManagerMaxGenerationAge";
    default:
        return "";
    }
}

const char *amgr_reasons_option(int verdict)
{
    switch (verdict) {
    case AMGR_VERDICT_MEMORY_ACTIVE:
        return "--max-memory-active";
    case AMGR_VERDICT_MEMORY_IDLE:
        return "--max-memory-idle";
    case AMGR_VERDICT_TIME:
        return "--max-time";
    default:
        return "";
    }
}

/* Spread every bit of the number over all of the result: pids and start times
 * of children that were forked together differ in their last bits alone. */
static apr_uint64_t mix(apr_uint64_t n)
{
    n ^= n >> 31;
    n *= APR_UINT64_C(0x9e3779b97f4a7c15);
    n ^= n >> 29;
    n *= APR_UINT64_C(0xd6e8feb86659fd93);
    n ^= n >> 32;
    n *= APR_UINT64_C(0xd6e8feb86659fd93);
    n ^= n >> 32;
    return n;
}

apr_int64_t amgr_reasons_own_limit(const amgr_jittered_t *limit,
                                   const amgr_proc_id_t *id, apr_uint64_t salt)
{
    apr_uint64_t whole = (apr_uint64_t)limit->limit;
    apr_uint64_t percent = (apr_uint64_t)limit->jitter_percent;
    apr_uint64_t range;

    if (limit->limit == AMGR_LIMIT_OFF || limit->jitter_percent <= 0) {
        return limit->limit;
    }
    range = whole / 100 * percent + whole % 100 * percent / 100;
    return limit->limit - (apr_int64_t)(mix(mix(id->start_ticks ^ salt << 56) +
                                            (apr_uint64_t)id->pid) %
                                        (range + 1));
}

apr_int64_t amgr_reasons_requests(const amgr_limits_t *limits,
                                  const amgr_process_t *process)
{
    if (process->role != AMGR_ROLE_WORKER) {
        return AMGR_LIMIT_OFF;
    }
    return amgr_reasons_own_limit(&limits->max_requests, &process->id,
                                  SALT_REQUESTS);
}

apr_int64_t amgr_reasons_lifetime_us(const amgr_limits_t *limits,
                                     const amgr_process_t *process)
{
    return amgr_reasons_own_limit(
        amgr_sections_lifetime(limits, process->section), &process->id,
        SALT_LIFETIME);
}

apr_int64_t amgr_reasons_total_bytes(const amgr_limits_t *limits,
                                     const amgr_server_t *server)
{
    apr_uint64_t capacity = server->memory_capacity_bytes;
    apr_uint64_t percent = (apr_uint64_t)limits->max_memory_total_percent;

    if (percent == 0) {
        return limits->max_memory_total_bytes;
    }
    if (capacity == AMGR_UNKNOWN || capacity > APR_INT64_MAX / 2) {
        return AMGR_LIMIT_OFF;
    }
    return (apr_int64_t)(capacity / 100 * percent +
                         capacity % 100 * percent / 100);
}

void amgr_reasons_begin(amgr_judging_t *tick)
{
    const amgr_snapshot_t *snapshot = tick->snapshot;
    int i;

    /* The generation that the scoreboard names is a number that any child can
     * write; that of a child is the parent's own knowledge. */
    tick->generation = -1;
    for (i = 0; i < snapshot->process_count; i++) {
        const amgr_process_t *process = &snapshot->processes[i];

        if (process->role == AMGR_ROLE_WORKER &&
            process->generation > tick->generation) {
            tick->generation = process->generation;
        }
    }
}

void amgr_reasons_note(const amgr_judging_t *tick,
                       const amgr_process_t *process,
                       amgr_ledger_process_t *entry)
{
    if (entry != NULL && entry->outdated_mono_us == 0 &&
        process->role == AMGR_ROLE_WORKER && process->generation >= 0 &&
        process->generation < tick->generation) {
        entry->outdated_mono_us = tick->mono_us == 0 ? 1 : tick->mono_us;
    }
}

/* How long it has been known to be of an older generation; -1: it is not. */
static apr_interval_time_t outdated_us(const amgr_judging_t *tick,
                                       const amgr_ledger_process_t *entry)
{
    if (entry == NULL || entry->outdated_mono_us == 0) {
        return -1;
    }
    return tick->mono_us - entry->outdated_mono_us;
}

static int is_hard_over(const amgr_judging_t *tick,
                        const amgr_process_t *process)
{
    return amgr_measure_is_over(amgr_measure_of(process, tick->limits->metric),
                                amgr_measure_hard_limit(tick->limits, process));
}

static int take(amgr_decision_t *decision, int verdict, apr_int64_t measured,
                apr_int64_t limit)
{
    decision->verdict = verdict;
    decision->slot = -1;
    decision->measured = (apr_uint64_t)measured;
    decision->limit = (apr_uint64_t)limit;
    decision->force = verdict == AMGR_VERDICT_MEMORY_HARD ||
                      verdict == AMGR_VERDICT_GENERATION;
    return verdict;
}

int amgr_reasons_hard(const amgr_judging_t *tick, const amgr_process_t *process,
                      int inert, amgr_decision_t *decision)
{
    apr_int64_t limit = amgr_measure_hard_limit(tick->limits, process);

    if (!is_hard_over(tick, process) ||
        amgr_fresh_is_inert(tick, process, limit) != inert) {
        return AMGR_VERDICT_OK;
    }
    return take(decision, AMGR_VERDICT_MEMORY_HARD,
                (apr_int64_t)amgr_measure_of(process, tick->limits->metric),
                limit);
}

int amgr_reasons_routine(const amgr_judging_t *tick,
                         const amgr_process_t *process,
                         const amgr_ledger_process_t *entry,
                         amgr_decision_t *decision)
{
    const amgr_limits_t *limits = tick->limits;
    apr_int64_t own = amgr_reasons_lifetime_us(limits, process);

    if (limits->max_generation_age_us != AMGR_LIMIT_OFF &&
        outdated_us(tick, entry) > limits->max_generation_age_us) {
        return take(decision, AMGR_VERDICT_GENERATION, outdated_us(tick, entry),
                    limits->max_generation_age_us);
    }
    /* One that httpd told to finish is being replaced already. */
    if (process->state == AMGR_STATE_STOPPING) {
        return AMGR_VERDICT_OK;
    }
    if (amgr_measure_is_over(process->accesses,
                             amgr_reasons_requests(limits, process))) {
        return take(decision, AMGR_VERDICT_REQUESTS,
                    (apr_int64_t)process->accesses,
                    amgr_reasons_requests(limits, process));
    }
    if (own != AMGR_LIMIT_OFF && process->age_us > own) {
        return take(decision, AMGR_VERDICT_LIFETIME, process->age_us, own);
    }
    /* Nothing was measured: -1 is AMGR_UNKNOWN. */
    return process->wished ? take(decision, AMGR_VERDICT_REQUESTED, -1, -1)
                           : AMGR_VERDICT_OK;
}

int amgr_reasons_strikes(const amgr_judging_t *tick,
                         const amgr_ledger_process_t *entry,
                         const amgr_decision_t *decision)
{
    switch (decision->verdict) {
    case AMGR_VERDICT_MEMORY_HARD:
        /* It is for what cannot wait to be seen again. */
        return tick->limits->strikes;
    case AMGR_VERDICT_MEMORY_TOTAL:
        /* All of them are over, whoever is chosen at which tick. */
        return tick->ledger->total_strikes;
    default:
        return entry->strikes;
    }
}

int amgr_reasons_is_forced(const amgr_judging_t *tick,
                           const amgr_process_t *process)
{
    const amgr_ledger_process_t *entry =
        amgr_ledger_find(tick->ledger, &process->id);
    amgr_decision_t decision;

    return amgr_measure_is_judged(process) &&
           (amgr_reasons_hard(tick, process, 0, &decision) != AMGR_VERDICT_OK ||
            (tick->limits->max_generation_age_us != AMGR_LIMIT_OFF &&
             outdated_us(tick, entry) > tick->limits->max_generation_age_us));
}
