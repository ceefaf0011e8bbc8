/* SPDX-License-Identifier: Apache-2.0
 *
 * What was true, for the charts: samples of the server at two distances, the
 * fine ones for an hour and more, the coarse ones for a day and more.  Plain
 * numbers without pointers, so that it can live in shared memory and outlive
 * the process that ticks; only the ticking process writes it.
 *
 * Each tick is added to the sample that is open; a sample ends with the first
 * tick that is so far from its beginning, so when ticks are rarer each is one.
 */
#ifndef AMGR_HISTORY_H
#define AMGR_HISTORY_H

#include "model/snapshot.h"

#define AMGR_HISTORY_FINE_SEC 10
#define AMGR_HISTORY_COARSE_SEC 120
#define AMGR_HISTORY_FINE_MAX 384   /**< over an hour, also when each ends early
                                       by half a second */
#define AMGR_HISTORY_COARSE_MAX 736 /**< over a day likewise */
#define AMGR_HISTORY_GROUPS 16      /**< the last takes in all that are left */

/** Which of the two. */
typedef enum amgr_history_span_e {
    AMGR_HISTORY_HOUR = 0,
    AMGR_HISTORY_DAY,
    AMGR_HISTORY_SPAN_COUNT
} amgr_history_span_e;

/** A group within a sample, in KiB so that a sample is small. */
typedef struct amgr_history_memory_t {
    apr_uint32_t sum_kib;     /**< the highest sum of its processes */
    apr_uint32_t largest_kib; /**< the highest of one of them */
} amgr_history_memory_t;

typedef struct amgr_history_sample_t {
    apr_time_t wall_us; /**< of its last tick */
    apr_time_t mono_us; /**< the same on the monotonic clock */
    apr_interval_time_t span_us;   /**< it speaks of: since the tick before its
                                        first; after a gap, since its first */
    apr_uint64_t total_accesses;   /**< since the start, at its last tick; */
    apr_uint64_t total_bytes;      /**< AMGR_UNKNOWN without ExtendedStatus */
    apr_uint32_t ticks;            /**< that it was made of, at least 1 */
    apr_uint32_t busy_milli;       /**< mean of busy workers, in thousandths */
    apr_uint32_t busy_peak;        /**< the highest */
    apr_uint32_t idle_milli;       /**< mean of idle workers */
    apr_uint32_t retired;          /**< processes that were retired in it */
    apr_uint32_t workers_kib;      /**< highest sum of all that is judged */
    amgr_history_memory_t groups[AMGR_HISTORY_GROUPS];
} amgr_history_sample_t;

/** One of the two as a reader has it: oldest first. */
typedef struct amgr_history_series_t {
    char groups[AMGR_HISTORY_GROUPS][AMGR_GROUP_NAME_LEN]; /**< empty: unused;
                                                            by index */
    int group_count;
    const amgr_history_sample_t *samples;
    int count;
} amgr_history_series_t;

#endif
