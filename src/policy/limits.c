/* SPDX-License-Identifier: Apache-2.0
 *
 * The default limits: nothing is limited, every safety rule is on, so that
 * loading the module alone retires nobody.
 */
#include <string.h>

#include "policy/measure.h"

void amgr_limits_init(amgr_limits_t *limits)
{
    /* All of it, padding too: it is published and compared as memory. */
    memset(limits, 0, sizeof(*limits));
    limits->max_memory_active_bytes = AMGR_LIMIT_OFF;
    limits->max_memory_idle_bytes = AMGR_LIMIT_OFF;
    limits->max_time_us = AMGR_LIMIT_OFF;
    limits->hanging_us = apr_time_from_sec(300);
    limits->interval_us = apr_time_from_sec(10);
    limits->min_age_us = apr_time_from_sec(30);
    limits->lame_duck_us = apr_time_from_sec(2);
    limits->grace_us = apr_time_from_sec(30);
    limits->endless_grace_us = apr_time_from_sec(30);
    limits->storm_window_us = apr_time_from_sec(60);
    limits->storm_count = 5;
    limits->strikes = 1;
    limits->min_serving = 1;
    limits->metric = AMGR_METRIC_RSS;
    limits->max_retiring.value = 10;
    limits->max_retiring.percent = 1;
    limits->hard_memory_bytes = AMGR_LIMIT_OFF;
    limits->max_memory_total_bytes = AMGR_LIMIT_OFF;
    limits->max_generation_age_us = AMGR_LIMIT_OFF;
    limits->max_requests.limit = AMGR_LIMIT_OFF;
    limits->max_requests.jitter_percent = AMGR_JITTER_PERCENT;
    limits->max_lifetime_us.limit = AMGR_LIMIT_OFF;
    limits->max_lifetime_us.jitter_percent = AMGR_JITTER_PERCENT;
}

const char *amgr_metric_word(int metric)
{
    static const char *const words[AMGR_METRIC_COUNT] = {
        [AMGR_METRIC_RSS] = "rss",
        [AMGR_METRIC_ANON] = "anon",
        [AMGR_METRIC_PSS] = "pss",
        [AMGR_METRIC_USS] = "uss",
    };

    if (metric < 0 || metric >= AMGR_METRIC_COUNT) {
        return "unknown";
    }
    return words[metric];
}

int amgr_limits_time_is_set(const amgr_limits_t *limits)
{
    return limits->max_time_us != AMGR_LIMIT_OFF ||
           limits->max_time_sections > 0;
}

int amgr_limits_are_set(const amgr_limits_t *limits)
{
    return amgr_sections_limit_memory(limits) ||
           amgr_sections_limit_lifetime(limits) || amgr_measure_sums(limits) ||
           amgr_limits_time_is_set(limits) ||
           limits->max_generation_age_us != AMGR_LIMIT_OFF ||
           limits->max_requests.limit != AMGR_LIMIT_OFF;
}
