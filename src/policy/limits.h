/* SPDX-License-Identifier: Apache-2.0
 *
 * What the configuration allows a worker, and how careful retiring must be.
 * Plain numbers: published in shared memory as it is.
 */
#ifndef AMGR_LIMITS_H
#define AMGR_LIMITS_H

#include "base/units.h"
#include "model/snapshot.h"

#define AMGR_SECTIONS_MAX 64 /**< groups that can have limits of their own */

/** How much is taken off at random, unless the configuration says. */
#define AMGR_JITTER_PERCENT 10

/** In a group's section: what the server's limit is. */
#define AMGR_LIMIT_INHERITED 0

typedef enum amgr_metric_e {
    AMGR_METRIC_RSS = 0,
    AMGR_METRIC_ANON,
    AMGR_METRIC_PSS,
    AMGR_METRIC_USS,
    AMGR_METRIC_COUNT
} amgr_metric_e;

/** A limit of which each process gets a part of its own, so that those born
 * together do not go together: up to so much less. */
typedef struct amgr_jittered_t {
    apr_int64_t limit; /**< AMGR_LIMIT_OFF: none */
    apr_int32_t jitter_percent;
    apr_int32_t reserved;
} amgr_jittered_t;

/** The limits of one group of processes; each may be AMGR_LIMIT_INHERITED. */
typedef struct amgr_section_t {
    char name[AMGR_GROUP_NAME_LEN]; /**< the group's, as it is shown */
    apr_int32_t role;               /**< its amgr_role_e */
    apr_int32_t ask_signal;         /**< 0: the role's */
    apr_int64_t max_memory_active_bytes;
    apr_int64_t max_memory_idle_bytes; /**< of workers alone */
    apr_int64_t hard_memory_bytes;
    apr_interval_time_t grace_us;
    amgr_jittered_t max_lifetime_us;
} amgr_section_t;

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
    apr_int32_t endless_watched;   /**< endless_grace_us was asked for */
    apr_int32_t max_time_sections; /**< sections with a time limit of their own
                                        that is not Off */
    apr_int32_t reserved;
    apr_int64_t hard_memory_bytes;       /**< AMGR_LIMIT_OFF: none */
    apr_int64_t max_memory_total_bytes;  /**< AMGR_LIMIT_OFF: none in bytes */
    apr_interval_time_t max_generation_age_us; /**< AMGR_LIMIT_OFF: none */
    amgr_jittered_t max_requests;
    amgr_jittered_t max_lifetime_us;
    apr_int32_t max_memory_total_percent; /**< of the capacity; 0: none */
    apr_int32_t section_count;
    amgr_section_t sections[AMGR_SECTIONS_MAX];
} amgr_limits_t;

/** The defaults: nothing limited, every safety rule on. */
void amgr_limits_init(amgr_limits_t *limits);

/** "rss", "anon"...; "unknown" when out of range. */
const char *amgr_metric_word(int metric);

/** Whether requests have a time limit, if only those of some section. */
int amgr_limits_time_is_set(const amgr_limits_t *limits);

/** Whether any limit is set at all. */
int amgr_limits_are_set(const amgr_limits_t *limits);

#endif
