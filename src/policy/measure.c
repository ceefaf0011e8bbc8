/* SPDX-License-Identifier: Apache-2.0
 *
 * See measure.h.
 */
#include "policy/measure.h"

int amgr_measure_is_judged(const amgr_process_t *process)
{
    return process->role == AMGR_ROLE_WORKER ||
           process->role == AMGR_ROLE_WSGI ||
           (process->role == AMGR_ROLE_DAEMON && process->section != 0);
}

apr_uint64_t amgr_measure_of(const amgr_process_t *process, int metric)
{
    switch (metric) {
    case AMGR_METRIC_RSS:
        return process->rss_bytes;
    case AMGR_METRIC_ANON:
        return process->anon_bytes;
    case AMGR_METRIC_PSS:
        return process->pss_bytes;
    case AMGR_METRIC_USS:
        return process->uss_bytes;
    default:
        return AMGR_UNKNOWN;
    }
}

apr_int64_t amgr_measure_limit(const amgr_limits_t *limits,
                               const amgr_process_t *process, int *out_verdict)
{
    if (process->role != AMGR_ROLE_WORKER || process->active) {
        *out_verdict = AMGR_VERDICT_MEMORY_ACTIVE;
        return amgr_sections_active_bytes(limits, process->section);
    }
    *out_verdict = AMGR_VERDICT_MEMORY_IDLE;
    return amgr_sections_idle_bytes(limits, process->section);
}

apr_int64_t amgr_measure_hard_limit(const amgr_limits_t *limits,
                                    const amgr_process_t *process)
{
    return amgr_sections_hard_bytes(limits, process->section);
}

int amgr_measure_is_over_any(const amgr_limits_t *limits,
                             const amgr_process_t *process, apr_uint64_t bytes)
{
    int section = process->section;

    return amgr_measure_is_over(bytes,
                                amgr_sections_active_bytes(limits, section)) ||
           amgr_measure_is_over(bytes,
                                amgr_sections_hard_bytes(limits, section)) ||
           (process->role == AMGR_ROLE_WORKER &&
            amgr_measure_is_over(bytes,
                                 amgr_sections_idle_bytes(limits, section)));
}

int amgr_measure_sums(const amgr_limits_t *limits)
{
    return limits->max_memory_total_bytes != AMGR_LIMIT_OFF ||
           limits->max_memory_total_percent != 0;
}

int amgr_measure_is_over(apr_uint64_t bytes, apr_int64_t limit_bytes)
{
    return bytes != AMGR_UNKNOWN && limit_bytes != AMGR_LIMIT_OFF &&
           bytes > (apr_uint64_t)limit_bytes;
}

int amgr_measure_is_needed(const amgr_limits_t *limits,
                           const amgr_process_t *process)
{
    int verdict;

    if (limits->metric == AMGR_METRIC_RSS || !amgr_measure_is_judged(process)) {
        return 0;
    }
    if (amgr_measure_is_over(process->rss_bytes,
                             amgr_measure_limit(limits, process, &verdict)) ||
        amgr_measure_is_over(process->rss_bytes,
                             amgr_measure_hard_limit(limits, process))) {
        return 1;
    }
    /* Perhaps a fresh child, whose size tells whether a limit is inert: the
     * one for active processes must be known before anyone is active. */
    return process->role == AMGR_ROLE_WORKER && process->accesses == 0 &&
           amgr_measure_is_over_any(limits, process, process->rss_bytes);
}
