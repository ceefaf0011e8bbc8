/* SPDX-License-Identifier: Apache-2.0
 *
 * The columns of a chart from the samples of a series, see trends.h.  Sums
 * are weighted by time, peaks are not; what was retired counts where its
 * sample ends, so that it is counted once.
 */
#include "render/trends.h"

#include <string.h>

#define KIB 1024

/** The part of a column that an instant is worth. */
#define INSTANT 1e-9

void amgr_trends_sample_rates(const amgr_history_series_t *series, int index,
                              double *out_requests_per_second,
                              double *out_bytes_per_second)
{
    const amgr_history_sample_t *sample;
    double seconds;

    *out_requests_per_second = -1;
    *out_bytes_per_second = -1;
    if (index <= 0 || index >= series->count) {
        return;
    }
    sample = &series->samples[index];
    seconds = (double)sample->span_us / APR_USEC_PER_SEC;
    if (seconds > 0 && amgr_trends_is_counted(sample) &&
        amgr_trends_is_counted(sample - 1)) {
        *out_requests_per_second =
            (double)amgr_trends_added(sample->total_accesses,
                                      sample[-1].total_accesses) /
            seconds;
        *out_bytes_per_second =
            (double)amgr_trends_added(sample->total_bytes,
                                      sample[-1].total_bytes) /
            seconds;
    }
}

/* One sample as it is spread over columns: from when to when, counted in
 * their widths from the first one's beginning. */
typedef struct amgr_trend_part_t {
    const amgr_history_sample_t *sample;
    double requests_per_second;
    double bytes_per_second;
    double begin;
    double end;
    int group_count; /**< groups that the series knows */
} amgr_trend_part_t;

static void add_peaks(amgr_trend_column_t *column,
                      const amgr_history_sample_t *sample, int group_count)
{
    apr_uint64_t workers_bytes = (apr_uint64_t)sample->workers_kib * KIB;
    int i;

    if (sample->busy_peak > column->busy_peak) {
        column->busy_peak = sample->busy_peak;
    }
    if (workers_bytes > column->workers_bytes) {
        column->workers_bytes = workers_bytes;
    }
    for (i = 0; i < group_count; i++) {
        amgr_trend_memory_t *to = &column->groups[i];
        apr_uint64_t sum_bytes = (apr_uint64_t)sample->groups[i].sum_kib * KIB;
        apr_uint64_t largest_bytes =
            (apr_uint64_t)sample->groups[i].largest_kib * KIB;

        if (sum_bytes > to->sum_bytes) {
            to->sum_bytes = sum_bytes;
        }
        if (largest_bytes > to->largest_bytes) {
            to->largest_bytes = largest_bytes;
        }
    }
}

/* Sums, each to be divided by its time when all are there. */
static void add_part(amgr_trend_column_t *column, const amgr_trend_part_t *part,
                     double share)
{
    const amgr_history_sample_t *sample = part->sample;

    column->known = 1;
    column->share += share;
    column->busy += (double)sample->busy_milli / 1000 * share;
    column->idle += (double)sample->idle_milli / 1000 * share;
    if (part->requests_per_second >= 0) {
        column->counted_share += share;
        column->requests_per_second += part->requests_per_second * share;
        column->bytes_per_second += part->bytes_per_second * share;
    }
    add_peaks(column, sample, part->group_count);
}

static void spread(const amgr_trend_part_t *part, int count,
                   amgr_trend_column_t *out)
{
    int first = part->begin > 0 ? (int)part->begin : 0;
    int last = count - 1;
    int i;

    if (part->end < count) {
        last = (int)part->end;
        last -= last > 0 && part->end <= last; /* just where one begins */
    }

    /* An instant between two columns is the end of the one before. */
    for (i = first < last ? first : last; i <= last; i++) {
        double from = part->begin > i ? part->begin : i;
        double to = part->end < i + 1 ? part->end : i + 1;

        /* One that speaks of an instant counts, but against nothing else. */
        add_part(&out[i], part, to - from > INSTANT ? to - from : INSTANT);
    }
    if (part->end <= count) {
        out[last].retired += part->sample->retired;
    }
}

static void finish(amgr_trend_column_t *column)
{
    if (column->known) {
        column->busy /= column->share;
        column->idle /= column->share;
    }
    if (column->counted_share > 0) {
        column->requests_per_second /= column->counted_share;
        column->bytes_per_second /= column->counted_share;
    }
    else {
        column->requests_per_second = -1;
        column->bytes_per_second = -1;
    }
}

void amgr_trends_columns(const amgr_history_series_t *series,
                         apr_time_t begin_us, apr_time_t end_us, int count,
                         amgr_trend_column_t *out)
{
    double width_us;
    int i;

    if (count <= 0) {
        return;
    }
    memset(out, 0, (apr_size_t)count * sizeof(*out));
    width_us = ((double)end_us - (double)begin_us) / count;
    for (i = 0; series != NULL && width_us > 0 && i < series->count; i++) {
        amgr_trend_part_t part;

        part.sample = &series->samples[i];
        part.group_count = series->group_count;
        part.end = (double)(part.sample->mono_us - begin_us) / width_us;
        part.begin = part.end - (double)part.sample->span_us / width_us;
        if (part.end <= 0 || part.begin >= count) {
            continue;
        }
        amgr_trends_sample_rates(series, i, &part.requests_per_second,
                                 &part.bytes_per_second);
        spread(&part, count, out);
    }
    for (i = 0; i < count; i++) {
        finish(&out[i]);
    }
}
