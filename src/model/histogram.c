/* SPDX-License-Identifier: Apache-2.0
 *
 * See histogram.h.
 */
#include "model/histogram.h"

#define SEC APR_USEC_PER_SEC

const amgr_histogram_bounds_t amgr_histogram_ticks = {
    {100, 250, 500, 1000, 2500, 5000, 10000, 25000, 100000, 1 * SEC}};

const amgr_histogram_bounds_t amgr_histogram_ages = {
    {1 * SEC, 2 * SEC, 5 * SEC, 10 * SEC, 30 * SEC, 60 * SEC, 120 * SEC,
     300 * SEC, 900 * SEC, 3600 * SEC}};

void amgr_histogram_add(amgr_histogram_t *histogram,
                        const amgr_histogram_bounds_t *bounds,
                        apr_interval_time_t span_us)
{
    apr_uint64_t span = span_us > 0 ? (apr_uint64_t)span_us : 0;
    int step = 0;

    while (step < AMGR_HISTOGRAM_STEPS && span > bounds->upper_us[step]) {
        step++;
    }
    histogram->counts[step]++;
    histogram->sum_us += span;
}

apr_uint64_t amgr_histogram_count(const amgr_histogram_t *histogram, int step)
{
    apr_uint64_t count = 0;
    int i;

    for (i = 0; i <= step && i <= AMGR_HISTOGRAM_STEPS; i++) {
        count += histogram->counts[i];
    }
    return count;
}
