/* SPDX-License-Identifier: Apache-2.0
 *
 * What the configuration allows a worker, and how careful retiring must be.
 * Plain numbers: published in shared memory as it is.
 */
#ifndef AMGR_LIMITS_H
#define AMGR_LIMITS_H

#include "base/units.h"

typedef enum amgr_metric_e {
    AMGR_METRIC_RSS = 0,
    AMGR_METRIC_ANON,
    AMGR_METRIC_PSS,
    AMGR_METRIC_USS,
    AMGR_METRIC_COUNT
} amgr_metric_e;

typedef struct amgr_limits_t {
    apr_int64_t max_memory_active_bytes;  /**< AMGR_LIMIT_OFF: none */
    apr_int64_t max_memory_idle_bytes;    /**< AMGR_LIMIT_OFF: none */
    apr_interval_time_t max_time_us;      /**< AMGR_LIMIT_OFF: none */
    apr_interval_time_t hanging_us;       /**< counted as hanging from here */
    apr_interval_time_t interval_us;      /**< between ticks */
    apr_interval_time_t min_age_us;       /**< of a process to be retired */
    apr_interval_time_t lame_duck_us;     /**< announced before it is asked;
                                              AMGR_LIMIT_OFF: not at all */
    apr_interval_time_t grace_us;         /**< it may finish, once asked */
    apr_interval_time_t endless_grace_us; /**< the same, when nothing is left
                                               but what has no end */
    apr_interval_time_t storm_window_us;
    apr_int32_t storm_count; /**< 0: no breaker */
    apr_int32_t strikes;     /**< ticks in a row over the limit */
    apr_int32_t min_serving;
    apr_int32_t metric; /**< amgr_metric_e */
    apr_int32_t dry_run;
    amgr_share_t max_retiring;
} amgr_limits_t;

/** The defaults: nothing limited, every safety rule on. */
void amgr_limits_init(amgr_limits_t *limits);

/** "rss", "anon"...; "unknown" when out of range. */
const char *amgr_metric_word(int metric);

/** Whether any limit is set at all. */
int amgr_limits_are_set(const amgr_limits_t *limits);

#endif
