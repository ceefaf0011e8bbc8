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
#define AMGR_HISTORY_FINE_MAX \
    384                             /**< over an hour, also when each ends early
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
    apr_time_t wall_us;          /**< of its last tick */
    apr_time_t mono_us;          /**< the same on the monotonic clock */
    apr_interval_time_t span_us; /**< it speaks of: since the tick before its
                                        first; after a gap, since its first */
    apr_uint64_t total_accesses; /**< since the start, at its last tick; */
    apr_uint64_t total_bytes;    /**< AMGR_UNKNOWN without ExtendedStatus */
    apr_uint32_t ticks;          /**< that it was made of, at least 1 */
    apr_uint32_t busy_milli;     /**< mean of busy workers, in thousandths */
    apr_uint32_t busy_peak;      /**< the highest */
    apr_uint32_t idle_milli;     /**< mean of idle workers */
    apr_uint32_t retired;        /**< processes that were retired in it */
    apr_uint32_t workers_kib;    /**< highest sum of all that is judged */
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

/** What a ring is at; its samples stand apart, since the two differ in size. */
typedef struct amgr_history_ring_t {
    apr_time_t began_mono_us; /**< when the open sample begins */
    apr_uint64_t busy_sum;    /**< over its ticks */
    apr_uint64_t idle_sum;
    apr_int32_t next;           /**< where the next that ends will stand */
    apr_int32_t count;          /**< samples that have ended */
    amgr_history_sample_t open; /**< ticks 0: there is none */
} amgr_history_ring_t;

/** All of it; all zero is an empty one. */
typedef struct amgr_history_t {
    apr_time_t last_mono_us; /**< of the last tick, 0: none yet */
    apr_uint64_t retired_seen;
    apr_time_t used_mono_us[AMGR_HISTORY_GROUPS]; /**< last tick with it */
    char groups[AMGR_HISTORY_GROUPS][AMGR_GROUP_NAME_LEN];
    amgr_history_ring_t rings[AMGR_HISTORY_SPAN_COUNT];
    amgr_history_sample_t fine[AMGR_HISTORY_FINE_MAX];
    amgr_history_sample_t coarse[AMGR_HISTORY_COARSE_MAX];
} amgr_history_t;

/** Samples of this span that a series can have, the open one among them. */
int amgr_history_room(int span);

/** Seconds from one sample of this span to the next, when ticks are not
 * rarer. */
int amgr_history_step_sec(int span);

/**
 * Add a tick.  @a retired_total counts all retirements so far, of which those
 * since the last tick belong to this one; a tick that comes later than three
 * of @a interval_us and some seconds begins anew after a gap.  Only the
 * monotonic clock counts; should it have gone back, all is forgotten.
 * Allocates nothing; runs in the process that ticks.
 */
void amgr_history_add(amgr_history_t *history, const amgr_snapshot_t *snapshot,
                      apr_uint64_t retired_total,
                      apr_interval_time_t interval_us);

/** Make what a writer that died may have left safe to go on with: positions,
 * names, and samples in order. */
void amgr_history_mend(amgr_history_t *history);

/**
 * Copy the newest samples of a span, at most @a max, into @a storage, oldest
 * first and the open one last, and describe them in @a out.  @a history may
 * change meanwhile: nothing outside of it is read, and what was copied needs
 * amgr_history_mend_series() before use.
 */
void amgr_history_copy(const amgr_history_t *history, int span, int max,
                       amgr_history_sample_t *storage,
                       amgr_history_series_t *out);

/** Make every name of @a series end and its samples, which stand in
 * @a storage, follow each other; what is older than a contradiction goes. */
void amgr_history_mend_series(amgr_history_series_t *series,
                              amgr_history_sample_t *storage);

#endif
