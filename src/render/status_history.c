/* SPDX-License-Identifier: Apache-2.0
 *
 * What status.json says beyond this very moment: the samples, in columns of
 * equal length since that takes a third of the bytes, and what follows from
 * them.
 */
#include "model/words.h"
#include "render/json_member.h"
#include "render/status_parts.h"
#include "render/trends.h"

#define KIB 1024

/* In a second; more is none. */
#define RATE_MAX 1e12

/* Negative is not known. */
static void put_rate(amgr_json_t *json, double value)
{
    if (value < 0) {
        amgr_json_null(json);
    }
    else {
        amgr_json_double(json, value);
    }
}

/* None at all is not known. */
static void put_kib(amgr_json_t *json, apr_uint32_t kib)
{
    amgr_json_u64(json, kib > 0 ? (apr_uint64_t)kib * KIB : AMGR_UNKNOWN);
}

static void put_milli(amgr_json_t *json, apr_uint64_t milli)
{
    amgr_json_millionths(json, (apr_int64_t)milli * 1000);
}

/* The rate of a sample: of a few seconds, so three decimals are more than it
 * knows, and a full history is a thousand of them. */
static void put_sample_rate(amgr_json_t *json, double value)
{
    if (value < 0 || value > RATE_MAX) {
        amgr_json_null(json);
    }
    else {
        put_milli(json, (apr_uint64_t)(value * 1000 + 0.5));
    }
}

void amgr_status_server(amgr_json_t *json, const amgr_view_t *view)
{
    const amgr_server_t *server = &view->snapshot->server;
    amgr_trends_rates_t rates;

    amgr_trends_rates(view, &rates);
    amgr_json_key(json, "recent");
    amgr_json_begin_object(json);
    amgr_json_key(json, "window_seconds");
    amgr_json_seconds(json, rates.window_us);
    amgr_json_key(json, "requests_per_second");
    put_rate(json, rates.requests_per_second);
    amgr_json_key(json, "bytes_per_second");
    put_rate(json, rates.bytes_per_second);
    amgr_json_key(json, "bytes_per_request");
    put_rate(json, rates.bytes_per_request);
    amgr_json_end_object(json);
    amgr_json_key(json, "machine");
    amgr_json_begin_object(json);
    put_u64(json, "bytes", server->machine_bytes);
    put_u64(json, "available_bytes", server->machine_available_bytes);
    amgr_json_end_object(json);
    amgr_json_key(json, "cgroup");
    if (server->cgroup_limit_bytes == AMGR_UNKNOWN) {
        amgr_json_null(json);
        return;
    }
    amgr_json_begin_object(json);
    put_u64(json, "limit_bytes", server->cgroup_limit_bytes);
    put_u64(json, "used_bytes", server->cgroup_used_bytes);
    amgr_json_end_object(json);
}

void amgr_status_growth(amgr_json_t *json, const amgr_view_t *view,
                        const amgr_process_t *process)
{
    amgr_json_key(json, "growth_bytes_per_hour");
    if (process->growth_bytes_per_hour == AMGR_GROWTH_UNKNOWN) {
        amgr_json_null(json);
    }
    else {
        amgr_json_i64(json, process->growth_bytes_per_hour);
    }
    amgr_json_key(json, "limit_in_seconds");
    amgr_json_seconds(json, amgr_trends_time_to_limit(view, process));
}

void amgr_status_recent(amgr_json_t *json, const amgr_view_t *view)
{
    amgr_trends_recent_t recent;
    int i;

    amgr_trends_recent(view, &recent);
    amgr_json_key(json, "recent");
    amgr_json_begin_object(json);
    amgr_json_key(json, "window_seconds");
    amgr_json_seconds(json, AMGR_TRENDS_RECENT_US);
    amgr_json_key(json, "retired");
    amgr_json_begin_object(json);
    for (i = AMGR_VERDICT_OK + 1; i < AMGR_VERDICT_COUNT; i++) {
        amgr_json_key(json, amgr_verdict_word(i));
        amgr_json_i64(json, recent.verdicts[i]);
    }
    amgr_json_end_object(json);
    amgr_json_key(json, "dry_runs");
    amgr_json_i64(json, recent.dry_runs);
    put_u64(json, "requests_lost", recent.requests_lost);
    amgr_json_key(json, "at_least");
    amgr_json_bool(json, recent.at_least);
    amgr_json_end_object(json);
}

/* The samples that are within the span: rings go on for a little longer, and
 * where ticks are rare for much longer. */
static int find_first(const amgr_view_t *view, int span)
{
    apr_time_t since_us =
        view->snapshot->server.time.mono_us -
        apr_time_from_sec(span == AMGR_HISTORY_HOUR ? 3600 : 86400);
    int i = 0;

    while (i < view->history->count &&
           view->history->samples[i].mono_us < since_us) {
        i++;
    }
    return i;
}

static void put_times(amgr_json_t *json, const amgr_history_series_t *series,
                      int first)
{
    int i;

    amgr_json_key(json, "time");
    amgr_json_begin_array(json);
    for (i = first; i < series->count; i++) {
        amgr_json_seconds(json, series->samples[i].wall_us);
    }
    amgr_json_end_array(json);
}

static void put_workers(amgr_json_t *json, const amgr_history_series_t *series,
                        int first)
{
    int i;

    amgr_json_key(json, "busy");
    amgr_json_begin_array(json);
    for (i = first; i < series->count; i++) {
        put_milli(json, series->samples[i].busy_milli);
    }
    amgr_json_end_array(json);
    amgr_json_key(json, "busy_peak");
    amgr_json_begin_array(json);
    for (i = first; i < series->count; i++) {
        amgr_json_u64(json, series->samples[i].busy_peak);
    }
    amgr_json_end_array(json);
    amgr_json_key(json, "idle");
    amgr_json_begin_array(json);
    for (i = first; i < series->count; i++) {
        put_milli(json, series->samples[i].idle_milli);
    }
    amgr_json_end_array(json);
}

static void put_rates(amgr_json_t *json, const amgr_history_series_t *series,
                      int first)
{
    double requests;
    double bytes;
    int i;

    amgr_json_key(json, "requests_per_second");
    amgr_json_begin_array(json);
    for (i = first; i < series->count; i++) {
        amgr_trends_sample_rates(series, i, &requests, &bytes);
        put_sample_rate(json, requests);
    }
    amgr_json_end_array(json);
    amgr_json_key(json, "bytes_per_second");
    amgr_json_begin_array(json);
    for (i = first; i < series->count; i++) {
        amgr_trends_sample_rates(series, i, &requests, &bytes);
        put_sample_rate(json, bytes);
    }
    amgr_json_end_array(json);
}

static void put_sums(amgr_json_t *json, const amgr_history_series_t *series,
                     int first)
{
    int i;

    amgr_json_key(json, "retired");
    amgr_json_begin_array(json);
    for (i = first; i < series->count; i++) {
        amgr_json_u64(json, series->samples[i].retired);
    }
    amgr_json_end_array(json);
    amgr_json_key(json, "workers_bytes");
    amgr_json_begin_array(json);
    for (i = first; i < series->count; i++) {
        put_kib(json, series->samples[i].workers_kib);
    }
    amgr_json_end_array(json);
}

static int has_figures(const amgr_history_series_t *series, int first,
                       int group)
{
    int i;

    for (i = first; i < series->count; i++) {
        if (series->samples[i].groups[group].sum_kib > 0) {
            return 1;
        }
    }
    return 0;
}

static void put_group(amgr_json_t *json, const amgr_history_series_t *series,
                      int first, int group)
{
    int i;

    amgr_json_begin_object(json);
    amgr_json_key(json, "name");
    amgr_json_string(json, series->groups[group]);
    amgr_json_key(json, "sum_bytes");
    amgr_json_begin_array(json);
    for (i = first; i < series->count; i++) {
        put_kib(json, series->samples[i].groups[group].sum_kib);
    }
    amgr_json_end_array(json);
    amgr_json_key(json, "largest_bytes");
    amgr_json_begin_array(json);
    for (i = first; i < series->count; i++) {
        put_kib(json, series->samples[i].groups[group].largest_kib);
    }
    amgr_json_end_array(json);
    amgr_json_end_object(json);
}

static void put_groups(amgr_json_t *json, const amgr_history_series_t *series,
                       int first)
{
    int i;

    amgr_json_key(json, "groups");
    amgr_json_begin_array(json);
    for (i = 0; i < series->group_count && i < AMGR_HISTORY_GROUPS; i++) {
        if (has_figures(series, first, i)) {
            put_group(json, series, first, i);
        }
    }
    amgr_json_end_array(json);
}

void amgr_status_history(amgr_json_t *json, const amgr_view_t *view)
{
    int span = view->query.history == AMGR_HISTORY_DAY ? AMGR_HISTORY_DAY
                                                       : AMGR_HISTORY_HOUR;
    apr_interval_time_t step_us =
        apr_time_from_sec(amgr_history_step_sec(span));
    int first;

    amgr_json_key(json, "history");
    if (view->history == NULL) {
        amgr_json_null(json);
        return;
    }
    if (view->config->limits.interval_us > step_us) {
        step_us = view->config->limits.interval_us;
    }
    first = find_first(view, span);
    amgr_json_begin_object(json);
    amgr_json_key(json, "span");
    amgr_json_string(json, span == AMGR_HISTORY_HOUR ? "hour" : "day");
    amgr_json_key(json, "interval_seconds");
    amgr_json_seconds(json, step_us);
    put_times(json, view->history, first);
    put_workers(json, view->history, first);
    put_rates(json, view->history, first);
    put_sums(json, view->history, first);
    put_groups(json, view->history, first);
    amgr_json_end_object(json);
}
