/* SPDX-License-Identifier: Apache-2.0
 *
 * Spans of time counted by their length: a fixed ladder of bounds, a count to
 * each step and one for what is longer, and the sum.  Plain words, so that it
 * can live in shared memory and be read word by word while it grows.
 */
#ifndef AMGR_HISTOGRAM_H
#define AMGR_HISTOGRAM_H

#include "base/base.h"

#define AMGR_HISTOGRAM_STEPS 10

/** Upper bounds in microseconds, ascending; each belongs to its own step. */
typedef struct amgr_histogram_bounds_t {
    apr_uint64_t upper_us[AMGR_HISTOGRAM_STEPS];
} amgr_histogram_bounds_t;

/** All zero is an empty one. */
typedef struct amgr_histogram_t {
    apr_uint64_t counts[AMGR_HISTOGRAM_STEPS + 1]; /**< of each step alone; the
                                                        last is the rest */
    apr_uint64_t sum_us;
} amgr_histogram_t;

/** For what a tick takes: 100 us to 1 s. */
extern const amgr_histogram_bounds_t amgr_histogram_ticks;

/** For the age of requests: 1 s to 1 h. */
extern const amgr_histogram_bounds_t amgr_histogram_ages;

/** Count a span; a negative one counts as none. */
void amgr_histogram_add(amgr_histogram_t *histogram,
                        const amgr_histogram_bounds_t *bounds,
                        apr_interval_time_t span_us);

/** How many spans were counted that are not longer than the bound of @a step;
 * AMGR_HISTOGRAM_STEPS: all of them. */
apr_uint64_t amgr_histogram_count(const amgr_histogram_t *histogram, int step);

#endif
