/* SPDX-License-Identifier: Apache-2.0
 *
 * What follows from a view and its history: rates over a window of our own,
 * how long a process has until its limit, what was retired of late, and the
 * columns of a chart.  For page, JSON and all other writers alike, so that no
 * two of them show different figures.
 *
 * Pure: reads the view and prints nothing.  A view's now is
 * snapshot->server.time, and spans are counted on its monotonic clock.
 */
#ifndef AMGR_TRENDS_H
#define AMGR_TRENDS_H

#include "render/view.h"

/** The window of amgr_trends_recent(). */
#define AMGR_TRENDS_RECENT_US apr_time_from_sec(3600)

/** Rates over the last minute or so. */
typedef struct amgr_trends_rates_t {
    double requests_per_second; /**< this and the next two: -1 is not known */
    double bytes_per_second;
    double bytes_per_request;      /**< not known without a request, too */
    apr_interval_time_t window_us; /**< over what, or AMGR_NO_TIME */
} amgr_trends_rates_t;

/**
 * From the newest sample that is at least 50 s old to now; from the start of
 * a server that is younger than two minutes and has no such sample; else from
 * the oldest there is.  Counters that began anew count from 0.
 */
void amgr_trends_rates(const amgr_view_t *view, amgr_trends_rates_t *out);

/** The memory limit that @a process comes to first of those it obeys now;
 * AMGR_LIMIT_OFF: none. */
apr_int64_t amgr_trends_limit(const amgr_view_t *view,
                              const amgr_process_t *process);

/**
 * When @a process comes to the memory limit that it obeys now, at the pace of
 * late, in microseconds from now.  AMGR_NO_TIME when it obeys none, does not
 * grow, is over it, or would take more than 30 days; and once it is told to
 * go.
 */
apr_interval_time_t amgr_trends_time_to_limit(const amgr_view_t *view,
                                              const amgr_process_t *process);

/**
 * Whether a process that serves and is within its limits is close to the
 * limit of its memory: has four fifths of it, or half of it and less than ten
 * minutes to go.
 */
int amgr_trends_is_near(const amgr_view_t *view, const amgr_process_t *process);

/** Retirements that were decided within AMGR_TRENDS_RECENT_US. */
typedef struct amgr_trends_recent_t {
    int retired;                      /**< carried out or under way */
    int verdicts[AMGR_VERDICT_COUNT]; /**< @c retired by reason */
    int dry_runs;                     /**< nothing was sent: not in retired */
    apr_uint64_t requests_lost;       /**< cut off by SIGKILL */
    int at_least; /**< there may be more, which the records have forgotten */
} amgr_trends_recent_t;

void amgr_trends_recent(const amgr_view_t *view, amgr_trends_recent_t *out);

/** Memory of a group within a column. */
typedef struct amgr_trend_memory_t {
    apr_uint64_t sum_bytes;     /**< the highest sum; 0: none */
    apr_uint64_t largest_bytes; /**< the highest of one process */
} amgr_trend_memory_t;

/** What the samples of a stretch of time come to. */
typedef struct amgr_trend_column_t {
    int known;   /**< 0: no sample speaks of this stretch, all the rest is
                         0 and the rates -1 */
    double busy; /**< mean over the time */
    double idle;
    apr_uint32_t busy_peak;
    apr_uint32_t retired;
    double requests_per_second; /**< -1 is not known */
    double bytes_per_second;
    apr_uint64_t workers_bytes; /**< highest sum of all workers; 0: none */
    amgr_trend_memory_t groups[AMGR_HISTORY_GROUPS]; /**< by the index of the
                                                          series' groups */
    double share;         /**< the part of its time that samples speak of */
    double counted_share; /**< and that their rates do */
} amgr_trend_column_t;

/**
 * Divide the time from @a begin_us to @a end_us on the monotonic clock into
 * @a count columns alike and fill @a out with what @a series says of each, in
 * one pass.  A sample counts in each column for as long as it speaks of it:
 * from the tick before it to its last; of a gap no sample speaks.
 * @a series may be NULL: nothing is known.
 *
 * Columns keep their contents from one page to the next when begin and end
 * are multiples of their width.
 */
void amgr_trends_columns(const amgr_history_series_t *series,
                         apr_time_t begin_us, apr_time_t end_us, int count,
                         amgr_trend_column_t *out);

/**
 * Rates of one sample of a series against the one before it; -1 where not
 * known: for the first, after a gap, and without counters.
 */
void amgr_trends_sample_rates(const amgr_history_series_t *series, int index,
                              double *out_requests_per_second,
                              double *out_bytes_per_second);

/** Whether requests were counted when this sample was taken. */
int amgr_trends_is_counted(const amgr_history_sample_t *sample);

/** What a total grew by; one that is smaller than before began anew. */
apr_uint64_t amgr_trends_added(apr_uint64_t now, apr_uint64_t before);

#endif
