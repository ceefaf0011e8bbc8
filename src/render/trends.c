/* SPDX-License-Identifier: Apache-2.0
 *
 * See trends.h.
 */
#include "render/trends.h"

#define HOUR_US 3600e6
#define FAR_US (30 * 24 * HOUR_US)
#define NEAR_US apr_time_from_sec(600)

/* Four fifths of the limit, or half of it. */
static int has_share(apr_uint64_t used, apr_int64_t limit, double share)
{
    return limit != AMGR_LIMIT_OFF && used != AMGR_UNKNOWN &&
           (double)used >= (double)limit * share;
}

apr_interval_time_t amgr_trends_time_to_limit(const amgr_view_t *view,
                                              const amgr_process_t *process)
{
    apr_int64_t limit = amgr_view_memory_limit(view, process);
    apr_uint64_t used = amgr_measure_of(process, view->config->limits.metric);
    double left_us;

    if (limit == AMGR_LIMIT_OFF || used == AMGR_UNKNOWN ||
        process->state != AMGR_STATE_SERVING ||
        process->growth_bytes_per_hour <= 0 ||
        amgr_measure_is_over(used, limit)) {
        return AMGR_NO_TIME;
    }
    left_us = ((double)limit - (double)used) /
              (double)process->growth_bytes_per_hour * HOUR_US;
    return left_us > FAR_US ? AMGR_NO_TIME : (apr_interval_time_t)left_us;
}

int amgr_trends_is_near(const amgr_view_t *view, const amgr_process_t *process)
{
    apr_int64_t limit = amgr_view_memory_limit(view, process);
    apr_uint64_t used = amgr_measure_of(process, view->config->limits.metric);
    apr_interval_time_t left_us = amgr_trends_time_to_limit(view, process);

    if (process->state != AMGR_STATE_SERVING ||
        amgr_measure_is_over(used, limit)) {
        return 0;
    }
    return has_share(used, limit, 0.8) ||
           (has_share(used, limit, 0.5) && left_us >= 0 && left_us < NEAR_US);
}
