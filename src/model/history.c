/* SPDX-License-Identifier: Apache-2.0
 *
 * See history.h.  Nothing here trusts what it finds in memory further than
 * needed: positions are checked before each use, so that half a write of a
 * process that died leads nowhere.
 */
#include "model/history.h"

#include <string.h>

#include <apr_strings.h>

/** A sample ends with the first tick that is so far from its beginning. */
#define FINE_END_US (APR_USEC_PER_SEC * 19 / 2)
#define COARSE_END_US (119 * APR_USEC_PER_SEC)

/** Ticks may be late before what lies between is unknown. */
#define LATE_TICKS 3
#define LATE_GRACE_US apr_time_from_sec(5)

/** Far above any interval: keeps the arithmetic from wrapping. */
#define INTERVAL_MAX_US apr_time_from_sec(86400)

/** A column that nobody has used for so long may be another group's: no chart
 * goes further back. */
#define COLUMN_FREE_US apr_time_from_sec(25 * 3600)

/** The column of all that have none of their own. */
#define OTHER (AMGR_HISTORY_GROUPS - 1)
#define OTHER_NAME "other"

#define KIB 1024

static int ring_max(int span)
{
    return span == AMGR_HISTORY_HOUR ? AMGR_HISTORY_FINE_MAX
                                     : AMGR_HISTORY_COARSE_MAX;
}

int amgr_history_room(int span)
{
    return ring_max(span) + 1;
}

int amgr_history_step_sec(int span)
{
    return span == AMGR_HISTORY_HOUR ? AMGR_HISTORY_FINE_SEC
                                     : AMGR_HISTORY_COARSE_SEC;
}

static apr_interval_time_t end_us(int span)
{
    return span == AMGR_HISTORY_HOUR ? FINE_END_US : COARSE_END_US;
}

static amgr_history_sample_t *ring_samples(amgr_history_t *history, int span)
{
    return span == AMGR_HISTORY_HOUR ? history->fine : history->coarse;
}

static const amgr_history_sample_t *
ring_samples_const(const amgr_history_t *history, int span)
{
    return span == AMGR_HISTORY_HOUR ? history->fine : history->coarse;
}

/* A position or count that may be anything, as one from 0 to @a max. */
static int clamp(int value, int max)
{
    if (value < 0) {
        return 0;
    }
    return value < max ? value : max;
}

static apr_uint32_t to_kib(apr_uint64_t bytes)
{
    bytes /= KIB;
    return bytes < APR_UINT32_MAX ? (apr_uint32_t)bytes : APR_UINT32_MAX;
}

static apr_uint32_t add_kib(apr_uint32_t a, apr_uint32_t b)
{
    return b > APR_UINT32_MAX - a ? APR_UINT32_MAX : a + b;
}

static apr_uint32_t larger(apr_uint32_t a, apr_uint32_t b)
{
    return a > b ? a : b;
}

static apr_uint32_t count_of(apr_int32_t value)
{
    return value > 0 ? (apr_uint32_t)value : 0;
}

/* Forget what a column held in every sample, before another group has it. */
static void wipe_column(amgr_history_t *history, int column)
{
    static const amgr_history_memory_t nothing = {0};
    int span;
    int i;

    for (span = 0; span < AMGR_HISTORY_SPAN_COUNT; span++) {
        amgr_history_sample_t *samples = ring_samples(history, span);

        for (i = 0; i < ring_max(span); i++) {
            samples[i].groups[column] = nothing;
        }
        history->rings[span].open.groups[column] = nothing;
    }
}

static int share_column(amgr_history_t *history)
{
    apr_cpystrn(history->groups[OTHER], OTHER_NAME,
                sizeof(history->groups[OTHER]));
    return OTHER;
}

/* A column for a new group, or the one it shares with others. */
static int take_column(amgr_history_t *history, const char *name,
                       apr_time_t now_us)
{
    int oldest = 0;
    int i;

    for (i = 0; i < OTHER; i++) {
        if (history->groups[i][0] == '\0') {
            oldest = i;
            break;
        }
        if (history->used_mono_us[i] < history->used_mono_us[oldest]) {
            oldest = i;
        }
    }
    if (history->groups[oldest][0] != '\0') {
        if (now_us - history->used_mono_us[oldest] < COLUMN_FREE_US) {
            return share_column(history);
        }
        wipe_column(history, oldest);
    }
    apr_cpystrn(history->groups[oldest], name, sizeof(history->groups[oldest]));
    return oldest;
}

static int column_of(amgr_history_t *history, const char *name,
                     apr_time_t now_us)
{
    int i;

    /* An empty name marks a free column. */
    if (name[0] == '\0' || strcmp(name, OTHER_NAME) == 0) {
        return share_column(history);
    }
    for (i = 0; i < OTHER; i++) {
        if (strncmp(history->groups[i], name, sizeof(history->groups[i]) - 1) ==
            0) {
            return i;
        }
    }
    return take_column(history, name, now_us);
}

/* The memory of each group at this tick, by columns. */
static void measure_groups(amgr_history_t *history,
                           const amgr_snapshot_t *snapshot,
                           amgr_history_sample_t *out)
{
    apr_time_t now_us = snapshot->server.time.mono_us;
    int i;

    for (i = 0; i < snapshot->group_count; i++) {
        const amgr_group_t *group = &snapshot->groups[i];
        amgr_history_memory_t *memory;
        int column;

        if (group->rss.known == 0) {
            continue;
        }
        column = column_of(history, group->name, now_us);
        history->used_mono_us[column] = now_us;
        memory = &out->groups[column];
        memory->sum_kib = add_kib(memory->sum_kib, to_kib(group->rss.sum));
        memory->largest_kib =
            larger(memory->largest_kib, to_kib(group->rss.max));
    }
}

/* Whether a process counts among the workers: all that may have a limit. */
static int is_worker(const amgr_process_t *process)
{
    return process->role == AMGR_ROLE_WORKER ||
           process->role == AMGR_ROLE_WSGI ||
           (process->role == AMGR_ROLE_DAEMON && process->section != 0);
}

static apr_uint32_t workers_kib(const amgr_snapshot_t *snapshot)
{
    apr_uint64_t sum_bytes = 0;
    int i;

    for (i = 0; i < snapshot->process_count; i++) {
        const amgr_process_t *process = &snapshot->processes[i];

        if (process->rss_bytes != AMGR_UNKNOWN && is_worker(process)) {
            sum_bytes += process->rss_bytes;
        }
    }
    return to_kib(sum_bytes);
}

/* What this tick alone says, as a sample of one. */
static void measure(amgr_history_t *history, const amgr_snapshot_t *snapshot,
                    apr_uint64_t retired_total, amgr_history_sample_t *out)
{
    const amgr_server_t *server = &snapshot->server;
    apr_uint64_t retired = 0;

    memset(out, 0, sizeof(*out));
    out->wall_us = server->time.wall_us;
    out->mono_us = server->time.mono_us;
    out->total_accesses =
        server->extended ? server->total_accesses : AMGR_UNKNOWN;
    out->total_bytes = server->extended ? server->total_bytes : AMGR_UNKNOWN;
    out->ticks = 1;
    out->busy_peak = count_of(server->busy_workers);
    out->workers_kib = workers_kib(snapshot);
    measure_groups(history, snapshot, out);
    if (retired_total >= history->retired_seen) {
        retired = retired_total - history->retired_seen;
    }
    /* Those from before the first tick that is remembered belong to none. */
    if (history->last_mono_us != 0 && retired <= APR_UINT32_MAX) {
        out->retired = (apr_uint32_t)retired;
    }
    history->retired_seen = retired_total;
}

/* The open sample is complete: into the ring with it. */
static void close_open(amgr_history_t *history, int span)
{
    amgr_history_ring_t *ring = &history->rings[span];
    int max = ring_max(span);
    int next = clamp(ring->next, max - 1);

    ring_samples(history, span)[next] = ring->open;
    ring->next = (next + 1) % max;
    ring->count = clamp(ring->count, max - 1) + 1;
    ring->open.ticks = 0;
    ring->began_mono_us = ring->open.mono_us;
}

static void open_with(amgr_history_ring_t *ring,
                      const amgr_history_sample_t *tick,
                      const amgr_server_t *server)
{
    ring->open = *tick;
    ring->busy_sum = count_of(server->busy_workers);
    ring->idle_sum = count_of(server->idle_workers);
}

static void merge(amgr_history_ring_t *ring, const amgr_history_sample_t *tick,
                  const amgr_server_t *server)
{
    amgr_history_sample_t *open = &ring->open;
    int i;

    open->wall_us = tick->wall_us;
    open->mono_us = tick->mono_us;
    open->total_accesses = tick->total_accesses;
    open->total_bytes = tick->total_bytes;
    open->ticks += open->ticks < APR_UINT32_MAX;
    open->busy_peak = larger(open->busy_peak, tick->busy_peak);
    open->retired += tick->retired;
    open->workers_kib = larger(open->workers_kib, tick->workers_kib);
    ring->busy_sum += count_of(server->busy_workers);
    ring->idle_sum += count_of(server->idle_workers);
    for (i = 0; i < AMGR_HISTORY_GROUPS; i++) {
        const amgr_history_memory_t *from = &tick->groups[i];
        amgr_history_memory_t *to = &open->groups[i];

        to->sum_kib = larger(to->sum_kib, from->sum_kib);
        to->largest_kib = larger(to->largest_kib, from->largest_kib);
    }
}

static void add_to_ring(amgr_history_t *history, int span,
                        const amgr_history_sample_t *tick,
                        const amgr_server_t *server, int after_gap)
{
    amgr_history_ring_t *ring = &history->rings[span];
    apr_interval_time_t span_us;

    if (after_gap) {
        if (ring->open.ticks != 0) {
            close_open(history, span);
        }
        ring->began_mono_us = tick->mono_us;
    }
    if (ring->open.ticks == 0) {
        open_with(ring, tick, server);
    }
    else {
        merge(ring, tick, server);
    }
    span_us = tick->mono_us - ring->began_mono_us;
    ring->open.span_us = span_us;
    ring->open.busy_milli =
        (apr_uint32_t)(ring->busy_sum * 1000 / ring->open.ticks);
    ring->open.idle_milli =
        (apr_uint32_t)(ring->idle_sum * 1000 / ring->open.ticks);
    /* One after a gap speaks of no time: what follows counts from it. */
    if (after_gap || span_us >= end_us(span)) {
        close_open(history, span);
    }
}

void amgr_history_add(amgr_history_t *history, const amgr_snapshot_t *snapshot,
                      apr_uint64_t retired_total,
                      apr_interval_time_t interval_us)
{
    apr_time_t now_us = snapshot->server.time.mono_us;
    amgr_history_sample_t tick;
    int after_gap;
    int span;

    if (history->last_mono_us > now_us) {
        memset(history, 0, sizeof(*history));
    }
    if (interval_us > INTERVAL_MAX_US) {
        interval_us = INTERVAL_MAX_US;
    }
    measure(history, snapshot, retired_total, &tick);
    after_gap = history->last_mono_us == 0 ||
                now_us - history->last_mono_us >
                    LATE_TICKS * interval_us + LATE_GRACE_US;
    history->last_mono_us = now_us;
    for (span = 0; span < AMGR_HISTORY_SPAN_COUNT; span++) {
        add_to_ring(history, span, &tick, &snapshot->server, after_gap);
    }
}

/* Where the oldest of the newest @a count samples stands. */
static int first_place(int next, int count, int max)
{
    return (next - count + max) % max;
}

/* One sample with figures that can be computed with, which speaks of no time
 * before @a after_us. */
static void mend_sample(amgr_history_sample_t *sample, apr_time_t after_us)
{
    apr_interval_time_t most_us = sample->mono_us - after_us;

    if (sample->span_us < 0) {
        sample->span_us = 0;
    }
    if (sample->span_us > most_us) {
        sample->span_us = most_us;
    }
    if (sample->ticks == 0) {
        sample->ticks = 1;
    }
    if (sample->wall_us < 0) {
        sample->wall_us = 0;
    }
}

/* Whether the open sample, if there is one, follows what has ended and was
 * added to at the last tick. */
static int is_sound_open(const amgr_history_ring_t *ring, apr_time_t ended_us,
                         apr_time_t last_us)
{
    return ring->began_mono_us >= ended_us && ring->began_mono_us <= last_us &&
           (ring->open.ticks == 0 || ring->open.mono_us == last_us);
}

static void mend_ring(amgr_history_t *history, int span)
{
    amgr_history_ring_t *ring = &history->rings[span];
    amgr_history_sample_t *samples = ring_samples(history, span);
    int max = ring_max(span);
    apr_time_t later_us = history->last_mono_us;
    apr_time_t newest_us = 0;
    int kept;

    ring->next = clamp(ring->next, max - 1);
    ring->count = clamp(ring->count, max);
    for (kept = 0; kept < ring->count; kept++) {
        int place = first_place(ring->next, kept + 1, max);

        if (samples[place].mono_us <= 0 || samples[place].mono_us > later_us) {
            break;
        }
        later_us = samples[place].mono_us;
        newest_us = kept == 0 ? later_us : newest_us;
    }
    ring->count = kept;
    if (!is_sound_open(ring, newest_us, history->last_mono_us)) {
        memset(&ring->open, 0, sizeof(ring->open));
        ring->began_mono_us = history->last_mono_us;
    }
}

void amgr_history_mend(amgr_history_t *history)
{
    int i;

    if (history->last_mono_us <= 0) {
        memset(history, 0, sizeof(*history));
        return;
    }
    for (i = 0; i < AMGR_HISTORY_GROUPS; i++) {
        history->groups[i][AMGR_GROUP_NAME_LEN - 1] = '\0';
        if (history->used_mono_us[i] < 0 ||
            history->used_mono_us[i] > history->last_mono_us) {
            history->used_mono_us[i] = history->last_mono_us;
        }
    }
    for (i = 0; i < AMGR_HISTORY_SPAN_COUNT; i++) {
        mend_ring(history, i);
    }
}

static int count_groups(const amgr_history_series_t *series)
{
    int count = AMGR_HISTORY_GROUPS;

    while (count > 0 && series->groups[count - 1][0] == '\0') {
        count--;
    }
    return count;
}

void amgr_history_copy(const amgr_history_t *history, int span, int max,
                       amgr_history_sample_t *storage,
                       amgr_history_series_t *out)
{
    const amgr_history_ring_t *ring = &history->rings[span];
    const amgr_history_sample_t *samples = ring_samples_const(history, span);
    int places = ring_max(span);
    int next = clamp(ring->next, places - 1);
    int count = clamp(ring->count, places);
    int is_open = ring->open.ticks != 0 && max > 0;
    int first;
    int tail;

    memset(out, 0, sizeof(*out));
    memcpy(out->groups, history->groups, sizeof(out->groups));
    count = clamp(count, max - is_open);
    first = first_place(next, count, places);
    tail = count < places - first ? count : places - first;
    memcpy(storage, samples + first, (apr_size_t)tail * sizeof(*storage));
    memcpy(storage + tail, samples,
           (apr_size_t)(count - tail) * sizeof(*storage));
    if (is_open) {
        storage[count++] = ring->open;
    }
    out->samples = storage;
    out->count = count;
}

void amgr_history_mend_series(amgr_history_series_t *series,
                              amgr_history_sample_t *storage)
{
    int first = series->count;
    int i;

    for (i = 0; i < AMGR_HISTORY_GROUPS; i++) {
        series->groups[i][AMGR_GROUP_NAME_LEN - 1] = '\0';
    }
    series->group_count = count_groups(series);
    while (first > 0 && storage[first - 1].mono_us > 0 &&
           (first == series->count ||
            storage[first - 1].mono_us <= storage[first].mono_us)) {
        first--;
    }
    for (i = first; i < series->count; i++) {
        mend_sample(&storage[i], i > first ? storage[i - 1].mono_us : 0);
    }
    series->samples = storage + first;
    series->count -= first;
}
