/* SPDX-License-Identifier: Apache-2.0
 *
 * See trends.h; the columns of charts are in trends_columns.c.
 */
#include "render/trends.h"

#include <string.h>

#include "policy/measure.h"

/** A sample that is to be compared with now is at least this old. */
#define BASE_AGE_US apr_time_from_sec(50)

/** Without one, a server that is younger tells by all it has done. */
#define YOUNG_US apr_time_from_sec(120)

/** A shorter window says nothing. */
#define WINDOW_MIN_US apr_time_from_sec(1)

#define HOUR_US 3600e6
#define FAR_US apr_time_from_sec(30 * 86400)
#define SOON_US apr_time_from_sec(600)

/* What was counted up to an instant. */
typedef struct amgr_trends_base_t {
    apr_time_t mono_us;
    apr_uint64_t accesses;
    apr_uint64_t bytes;
} amgr_trends_base_t;

int amgr_trends_is_counted(const amgr_history_sample_t *sample)
{
    return sample->total_accesses != AMGR_UNKNOWN &&
           sample->total_bytes != AMGR_UNKNOWN;
}

/* The newest sample that is old enough, else the oldest; NULL: none. */
static const amgr_history_sample_t *
find_base(const amgr_history_series_t *series, apr_time_t now_us)
{
    const amgr_history_sample_t *found = NULL;
    int i;

    if (series == NULL) {
        return NULL;
    }
    for (i = series->count - 1; i >= 0; i--) {
        const amgr_history_sample_t *sample = &series->samples[i];

        if (amgr_trends_is_counted(sample)) {
            found = sample;
            if (now_us - sample->mono_us >= BASE_AGE_US) {
                break;
            }
        }
    }
    return found;
}

/* Whence to count; 0 when there is nothing. */
static int choose_base(const amgr_view_t *view, amgr_trends_base_t *out)
{
    const amgr_server_t *server = &view->snapshot->server;
    const amgr_history_sample_t *sample =
        find_base(view->recent != NULL ? view->recent : view->history,
                  server->time.mono_us);
    int is_young = server->uptime_us > 0 && server->uptime_us < YOUNG_US;

    if (is_young && (sample == NULL ||
                     server->time.mono_us - sample->mono_us < BASE_AGE_US)) {
        out->mono_us = server->time.mono_us - server->uptime_us;
        out->accesses = 0;
        out->bytes = 0;
        return 1;
    }
    if (sample == NULL) {
        return 0;
    }
    out->mono_us = sample->mono_us;
    out->accesses = sample->total_accesses;
    out->bytes = sample->total_bytes;
    return 1;
}

apr_uint64_t amgr_trends_added(apr_uint64_t now, apr_uint64_t before)
{
    return now >= before ? now - before : now;
}

void amgr_trends_rates(const amgr_view_t *view, amgr_trends_rates_t *out)
{
    const amgr_server_t *server = &view->snapshot->server;
    amgr_trends_base_t base;
    apr_interval_time_t window_us;
    apr_uint64_t accesses;
    apr_uint64_t bytes;

    out->requests_per_second = -1;
    out->bytes_per_second = -1;
    out->bytes_per_request = -1;
    out->window_us = AMGR_NO_TIME;
    if (!server->extended || !choose_base(view, &base)) {
        return;
    }
    window_us = server->time.mono_us - base.mono_us;
    if (server->total_accesses < base.accesses && server->uptime_us > 0 &&
        server->uptime_us < window_us) {
        window_us = server->uptime_us; /* it was started anew meanwhile */
    }
    if (window_us < WINDOW_MIN_US) {
        return;
    }
    accesses = amgr_trends_added(server->total_accesses, base.accesses);
    bytes = amgr_trends_added(server->total_bytes, base.bytes);
    out->window_us = window_us;
    out->requests_per_second =
        (double)accesses * APR_USEC_PER_SEC / (double)window_us;
    out->bytes_per_second =
        (double)bytes * APR_USEC_PER_SEC / (double)window_us;
    if (accesses > 0) {
        out->bytes_per_request = (double)bytes / (double)accesses;
    }
}

apr_int64_t amgr_trends_limit(const amgr_view_t *view,
                              const amgr_process_t *process)
{
    apr_int64_t limit;
    apr_int64_t hard;

    if (!amgr_measure_is_judged(process)) {
        return AMGR_LIMIT_OFF;
    }
    limit = amgr_view_memory_limit(view, process);
    hard = amgr_measure_hard_limit(&view->config->limits, process);
    return hard < limit ? hard : limit; /* Off is above all others */
}

/* Whether a process serves below its limit: how much of it is used. */
static int is_below_limit(const amgr_view_t *view,
                          const amgr_process_t *process, apr_uint64_t *out_used,
                          apr_uint64_t *out_limit)
{
    apr_int64_t limit;

    if (!amgr_measure_is_judged(process) ||
        process->state != AMGR_STATE_SERVING ||
        process->verdict > AMGR_VERDICT_OK) {
        return 0;
    }
    limit = amgr_trends_limit(view, process);
    *out_used = amgr_measure_of(process, view->config->limits.metric);
    if (limit == AMGR_LIMIT_OFF || limit < 0 || *out_used == AMGR_UNKNOWN ||
        *out_used > (apr_uint64_t)limit) {
        return 0;
    }
    *out_limit = (apr_uint64_t)limit;
    return 1;
}

apr_interval_time_t amgr_trends_time_to_limit(const amgr_view_t *view,
                                              const amgr_process_t *process)
{
    apr_uint64_t limit;
    apr_uint64_t used;
    double left_us;

    if (process->growth_bytes_per_hour == AMGR_GROWTH_UNKNOWN ||
        process->growth_bytes_per_hour <= 0 ||
        !is_below_limit(view, process, &used, &limit)) {
        return AMGR_NO_TIME;
    }
    left_us = (double)(limit - used) * HOUR_US /
              (double)process->growth_bytes_per_hour;
    return left_us > (double)FAR_US ? AMGR_NO_TIME
                                    : (apr_interval_time_t)left_us;
}

int amgr_trends_is_near(const amgr_view_t *view, const amgr_process_t *process)
{
    apr_interval_time_t left_us;
    apr_uint64_t limit;
    apr_uint64_t used;

    if (!is_below_limit(view, process, &used, &limit)) {
        return 0;
    }
    if (used >= limit - limit / 5) {
        return 1;
    }
    left_us = amgr_trends_time_to_limit(view, process);
    return used >= limit / 2 && left_us != AMGR_NO_TIME && left_us < SOON_US;
}

/* Whether the process was told to go, or is about to be. */
static int was_retired(const amgr_record_t *record)
{
    return record->action > AMGR_ACTION_NONE &&
           record->action < AMGR_ACTION_COUNT &&
           record->outcome != AMGR_OUTCOME_VANISHED &&
           record->outcome != AMGR_OUTCOME_FAILED &&
           record->outcome != AMGR_OUTCOME_DRY_RUN;
}

void amgr_trends_recent(const amgr_view_t *view, amgr_trends_recent_t *out)
{
    apr_time_t since_us =
        view->snapshot->server.time.mono_us - AMGR_TRENDS_RECENT_US;
    int counted = 0;
    int i;

    memset(out, 0, sizeof(*out));
    for (i = 0; i < view->record_count; i++) {
        const amgr_record_t *record = &view->records[i];

        if (record->decided_mono_us < since_us) {
            continue;
        }
        counted++;
        if (record->outcome == AMGR_OUTCOME_DRY_RUN) {
            out->dry_runs++;
        }
        else if (was_retired(record)) {
            out->retired++;
            if (record->verdict >= 0 && record->verdict < AMGR_VERDICT_COUNT) {
                out->verdicts[record->verdict]++;
            }
            if (record->killed_us != AMGR_NO_TIME &&
                record->requests_lost > 0) {
                out->requests_lost += (apr_uint64_t)record->requests_lost;
            }
        }
    }
    out->at_least = counted >= AMGR_RECORDS_MAX;
}
