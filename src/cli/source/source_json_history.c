/* SPDX-License-Identifier: Apache-2.0
 *
 * "history" of status.json, and the rates of late.  Sums are told as rates
 * only, so they are summed up again, back from what the server has counted.
 */
#include <string.h>

#include "cli/source/source_json_parts.h"

#define KIB 1024

/** The columns of the samples that have one value each. */
typedef struct columns_t {
    const json_t *time;
    const json_t *busy;
    const json_t *busy_peak;
    const json_t *idle;
    const json_t *requests_per_second;
    const json_t *bytes_per_second;
    const json_t *retired;
    const json_t *workers_bytes;
    const json_t *groups;
} columns_t;

static const json_t *column(amgr_members_t *members, const json_t *from,
                            const char *key, apr_size_t length)
{
    const json_t *array = amgr_members_array(members, from, key);

    if (array != NULL && json_array_size(array) != length) {
        amgr_members_fail(members, key, "is not as long as the others");
    }
    return array;
}

static apr_uint32_t to_u32(double value)
{
    if (value < 0) {
        return 0;
    }
    return value >= APR_UINT32_MAX ? APR_UINT32_MAX
                                   : (apr_uint32_t)(value + 0.5);
}

static apr_uint32_t kib_at(amgr_members_t *members, const json_t *array,
                           apr_size_t index)
{
    apr_uint64_t bytes = amgr_members_u64_at(members, array, index);

    return bytes == AMGR_UNKNOWN ? 0 : to_u32((double)bytes / KIB);
}

static apr_uint32_t count_at(amgr_members_t *members, const json_t *array,
                             apr_size_t index)
{
    apr_uint64_t count = amgr_members_u64_at(members, array, index);

    return count == AMGR_UNKNOWN ? 0 : to_u32((double)count);
}

static void read_sample(amgr_members_t *members, const columns_t *columns,
                        apr_size_t index, amgr_history_sample_t *out)
{
    out->wall_us = amgr_members_time_at(members, columns->time, index);
    out->ticks = 1;
    out->busy_milli =
        to_u32(amgr_members_rate_at(members, columns->busy, index) * 1000);
    out->busy_peak = count_at(members, columns->busy_peak, index);
    out->idle_milli =
        to_u32(amgr_members_rate_at(members, columns->idle, index) * 1000);
    out->retired = count_at(members, columns->retired, index);
    out->workers_kib = kib_at(members, columns->workers_bytes, index);
}

/* A sample speaks of the time since the one before; not after a gap, where
 * nothing is told of its rate. */
static void place_samples(amgr_history_sample_t *samples, apr_size_t count,
                          apr_interval_time_t step_us, apr_time_t since_us)
{
    apr_size_t i;

    for (i = 0; i < count; i++) {
        samples[i].mono_us = samples[i].wall_us;
        if (samples[i].mono_us < since_us) {
            samples[i].mono_us = since_us;
        }
        if (i > 0 && samples[i].mono_us < samples[i - 1].mono_us) {
            samples[i].mono_us = samples[i - 1].mono_us;
        }
        samples[i].span_us =
            i > 0 ? samples[i].mono_us - samples[i - 1].mono_us : 0;
        if (samples[i].span_us > 3 * step_us + apr_time_from_sec(5)) {
            samples[i].span_us = 0;
        }
    }
}

/* What was counted in a sample, at most what is left of the sum. */
static apr_uint64_t counted(double rate, apr_interval_time_t span_us,
                            apr_uint64_t left)
{
    double amount = rate * (double)span_us / APR_USEC_PER_SEC + 0.5;

    if (rate <= 0 || span_us <= 0) {
        return 0;
    }
    return amount >= (double)left ? left : (apr_uint64_t)amount;
}

static void sum_up(amgr_members_t *members, const columns_t *columns,
                   const amgr_server_t *server, amgr_history_sample_t *samples,
                   apr_size_t count)
{
    apr_uint64_t accesses = server->total_accesses;
    apr_uint64_t bytes = server->total_bytes;
    apr_size_t i = count;

    while (i-- > 0) {
        double requests =
            amgr_members_rate_at(members, columns->requests_per_second, i);

        samples[i].total_accesses = server->extended ? accesses : AMGR_UNKNOWN;
        samples[i].total_bytes = server->extended ? bytes : AMGR_UNKNOWN;
        accesses -= counted(requests, samples[i].span_us, accesses);
        bytes -=
            counted(amgr_members_rate_at(members, columns->bytes_per_second, i),
                    samples[i].span_us, bytes);
        if (requests < 0) {
            samples[i].span_us = 0;
        }
    }
}

static void read_groups(amgr_members_t *members, const json_t *from,
                        amgr_history_sample_t *samples,
                        amgr_history_series_t *out)
{
    apr_size_t count = json_array_size(from);
    apr_size_t length = (apr_size_t)out->count;
    apr_size_t i;
    apr_size_t k;

    if (count > AMGR_HISTORY_GROUPS) {
        amgr_members_fail(members, "groups", "has too many");
        return;
    }
    for (i = 0; i < count; i++) {
        const json_t *group = amgr_members_at(members, from, i);
        const json_t *sum = column(members, group, "sum_bytes", length);
        const json_t *largest = column(members, group, "largest_bytes", length);

        amgr_members_text(members, group, "name", out->groups[i],
                          sizeof(out->groups[i]));
        for (k = 0; k < length; k++) {
            samples[k].groups[i].sum_kib = kib_at(members, sum, k);
            samples[k].groups[i].largest_kib = kib_at(members, largest, k);
        }
    }
    out->group_count = (int)count;
}

static apr_size_t take_columns(amgr_members_t *members, const json_t *from,
                               columns_t *out)
{
    apr_size_t length;

    out->time = amgr_members_array(members, from, "time");
    length = json_array_size(out->time);
    out->busy = column(members, from, "busy", length);
    out->busy_peak = column(members, from, "busy_peak", length);
    out->idle = column(members, from, "idle", length);
    out->requests_per_second =
        column(members, from, "requests_per_second", length);
    out->bytes_per_second = column(members, from, "bytes_per_second", length);
    out->retired = column(members, from, "retired", length);
    out->workers_bytes = column(members, from, "workers_bytes", length);
    out->groups = amgr_members_array(members, from, "groups");
    return length;
}

static const char *span_word(int span)
{
    return span == AMGR_HISTORY_HOUR ? "hour" : "day";
}

static void read_series(amgr_members_t *members, const json_t *from,
                        amgr_source_blank_t *blank, amgr_history_series_t *out)
{
    int span = amgr_members_word(members, from, "span", span_word, 0,
                                 AMGR_HISTORY_SPAN_COUNT);
    apr_interval_time_t step_us =
        amgr_members_time(members, from, "interval_seconds");
    apr_time_t since_us = blank->view.now_wall_us;
    amgr_history_sample_t *samples;
    columns_t columns;
    apr_size_t length = take_columns(members, from, &columns);
    apr_size_t i;

    since_us -= apr_time_from_sec(span == AMGR_HISTORY_HOUR ? 3600 : 86400);
    if (step_us < 0 || step_us > apr_time_from_sec(86400)) {
        amgr_members_fail(members, "interval_seconds", "is too long");
    }
    if (length > (apr_size_t)amgr_history_room(span)) {
        amgr_members_fail(members, "history", "has too many");
    }
    if (members->fault != NULL) {
        return;
    }
    blank->view.query.history = span;
    samples = apr_pcalloc(blank->pool, (length + 1) * sizeof(*samples));
    out->samples = samples;
    out->count = (int)length;
    for (i = 0; i < length; i++) {
        read_sample(members, &columns, i, &samples[i]);
    }
    place_samples(samples, length, step_us, since_us);
    sum_up(members, &columns, &blank->snapshot.server, samples, length);
    read_groups(members, columns.groups, samples, out);
}

/* One sample at the beginning of the window, so that rates come out as they
 * were told. */
static void read_recent(amgr_members_t *members, const json_t *from,
                        amgr_source_blank_t *blank, amgr_history_series_t *out)
{
    const amgr_server_t *server = &blank->snapshot.server;
    apr_interval_time_t window_us =
        amgr_members_time(members, from, "window_seconds");
    double requests = amgr_members_rate(members, from, "requests_per_second");
    double bytes = amgr_members_rate(members, from, "bytes_per_second");
    amgr_history_sample_t *sample;

    if (window_us <= 0 || window_us >= server->time.mono_us ||
        !server->extended) {
        return;
    }
    sample = apr_pcalloc(blank->pool, sizeof(*sample));
    sample->ticks = 1;
    sample->wall_us = blank->view.now_wall_us - window_us;
    sample->mono_us = server->time.mono_us - window_us;
    sample->total_accesses =
        server->total_accesses -
        counted(requests, window_us, server->total_accesses);
    sample->total_bytes =
        server->total_bytes - counted(bytes, window_us, server->total_bytes);
    out->samples = sample;
    out->count = 1;
}

void amgr_source_json_history(amgr_members_t *members, const json_t *from,
                              const json_t *recent, amgr_source_blank_t *blank)
{
    amgr_history_series_t *series = apr_pcalloc(blank->pool, sizeof(*series));

    if (members->fault != NULL) {
        return;
    }
    read_recent(members, recent, blank, series);
    blank->view.recent = series;
    if (from != NULL) {
        series = apr_pcalloc(blank->pool, sizeof(*series));
        read_series(members, from, blank, series);
        blank->view.history = series;
    }
}
