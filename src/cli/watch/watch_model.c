/* SPDX-License-Identifier: Apache-2.0
 *
 * See watch_model.h.
 */
#include "cli/watch/watch_model.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "model/words.h"
#include "render/page_slots.h"

/** More than any request's age in microseconds: with it on top, a request
 * whose age is known comes before whatever else is busy. */
#define TIMED ((apr_uint64_t)1 << 62)

/** The server ticks no more often than this. */
#define INTERVAL_MIN_US 100000

void amgr_watch_state_init(amgr_watch_state_t *state,
                           apr_interval_time_t interval_us)
{
    memset(state, 0, sizeof(*state));
    state->sort[AMGR_WATCH_PROCESSES] = AMGR_WATCH_BY_MEMORY;
    state->sort[AMGR_WATCH_SLOTS] = AMGR_WATCH_BY_BUSY;
    state->interval_us =
        interval_us > INTERVAL_MIN_US ? interval_us : INTERVAL_MIN_US;
}

apr_interval_time_t amgr_watch_since_used(const amgr_view_t *view,
                                          const amgr_slot_t *slot)
{
    apr_interval_time_t since_us = view->now_wall_us - slot->last_used_us;

    if (slot->last_used_us <= 0) {
        return AMGR_NO_TIME;
    }
    return since_us > 0 ? since_us : 0;
}

int amgr_watch_has_processes(const amgr_view_t *view)
{
    return view->snapshot->process_count > 0 ||
           view->snapshot->group_count == 0;
}

static void set_key(amgr_watch_row_t *row, int known, apr_uint64_t key)
{
    row->known = known;
    row->key = known ? key : 0;
}

static void set_span(amgr_watch_row_t *row, apr_interval_time_t span_us)
{
    set_key(row, span_us >= 0, (apr_uint64_t)span_us);
}

static void set_busy(amgr_watch_row_t *row)
{
    if (row->oldest_us >= 0) {
        set_key(row, 1, TIMED | (apr_uint64_t)row->oldest_us);
    }
    else {
        set_key(row, row->busy > 0, (apr_uint64_t)row->busy);
    }
}

static void set_process_key(const amgr_view_t *view,
                            const amgr_process_t *process, int sort,
                            amgr_watch_row_t *row)
{
    apr_uint64_t accesses = amgr_view_accesses(view, process);

    switch (sort) {
    case AMGR_WATCH_BY_PID:
        set_key(row, 1, (apr_uint64_t)process->id.pid);
        break;
    case AMGR_WATCH_BY_AGE:
        set_span(row, process->age_us);
        break;
    case AMGR_WATCH_BY_REQUESTS:
        set_key(row, process->slot_count > 0 && accesses != AMGR_UNKNOWN,
                accesses);
        break;
    case AMGR_WATCH_BY_BUSY:
        set_busy(row);
        break;
    default:
        set_key(row, process->rss_bytes != AMGR_UNKNOWN, process->rss_bytes);
        break;
    }
}

static void set_slot_key(const amgr_view_t *view, const amgr_process_t *process,
                         const amgr_slot_t *slot, int sort,
                         amgr_watch_row_t *row)
{
    switch (sort) {
    case AMGR_WATCH_BY_AGE:
        set_span(row, amgr_watch_since_used(view, slot));
        break;
    case AMGR_WATCH_BY_REQUESTS:
        set_key(row, view->snapshot->server.extended, slot->accesses);
        break;
    default:
        set_process_key(view, process, sort, row);
        break;
    }
}

/* Lowest pids first, unless that is reversed; of all else the highest. */
static void turn_keys(amgr_watch_rows_t *rows, int sort, int reversed)
{
    int i;

    if ((sort == AMGR_WATCH_BY_PID) != reversed) {
        return;
    }
    for (i = 0; i < rows->count; i++) {
        rows->rows[i].key = ~rows->rows[i].key;
    }
}

/* Processes stand in the order of their pids, so that equal rows keep it. */
static int compare_rows(const void *left, const void *right)
{
    const amgr_watch_row_t *a = left;
    const amgr_watch_row_t *b = right;

    if (a->known != b->known) {
        return b->known - a->known;
    }
    if (a->known && a->key != b->key) {
        return a->key < b->key ? -1 : 1;
    }
    if (a->process != b->process) {
        return a->process < b->process ? -1 : 1;
    }
    return (a->slot > b->slot) - (a->slot < b->slot);
}

/* Whether @a slot tells more of its process than @a best: the request that
 * runs longest, then what is busy, then what was used last. */
static int tells_more(const amgr_slot_t *slot, const amgr_slot_t *best)
{
    int is_idle = amgr_mode_is_idle(slot->mode);
    int best_is_idle = amgr_mode_is_idle(best->mode);

    if (slot->request_age_us != best->request_age_us) {
        return slot->request_age_us > best->request_age_us;
    }
    if (is_idle != best_is_idle) {
        return best_is_idle;
    }
    return slot->last_used_us > best->last_used_us;
}

/* By its group and state, or by what any of its slots shows, its pid too. */
static int process_matches(const amgr_view_t *view,
                           const amgr_process_t *process)
{
    const amgr_slot_t *slots;
    int first = 0;
    int count;
    int i;

    if (amgr_page_query_matches(&view->query,
                                amgr_view_group_name(view, process->group)) ||
        amgr_page_query_matches(&view->query,
                                amgr_state_word(process->state)) ||
        amgr_page_pid_matches(view, process)) {
        return 1;
    }
    while ((slots = amgr_view_slots(view, process, first, &count)) != NULL) {
        for (i = 0; i < count; i++) {
            if (amgr_page_slot_matches(view, process, &slots[i])) {
                return 1;
            }
        }
        first += count;
    }
    return 0;
}

static int slot_matches(const amgr_view_t *view, const amgr_process_t *process,
                        const amgr_slot_t *slot)
{
    return amgr_page_query_matches(
               &view->query, amgr_view_group_name(view, process->group)) ||
           amgr_page_slot_matches(view, process, slot);
}

static void look_at_slots(const amgr_view_t *view, amgr_watch_row_t *row)
{
    const amgr_process_t *process = &view->snapshot->processes[row->process];
    const amgr_slot_t *slots;
    amgr_slot_t best;
    int first = 0;
    int count;
    int busy = 0;
    int i;

    memset(&best, 0, sizeof(best));
    while ((slots = amgr_view_slots(view, process, first, &count)) != NULL) {
        for (i = 0; i < count; i++) {
            busy += !amgr_mode_is_idle(slots[i].mode);
            if (row->telling < 0 || tells_more(&slots[i], &best)) {
                row->telling = first + i;
                best = slots[i];
            }
        }
        first += count;
    }
    row->busy = first > 0 ? busy : process->busy_slots;
    row->oldest_us = row->telling >= 0 ? best.request_age_us : AMGR_NO_TIME;
}

static void add_processes(const amgr_view_t *view, int sort,
                          amgr_watch_rows_t *out)
{
    int i;

    for (i = 0; i < view->snapshot->process_count; i++) {
        const amgr_process_t *process = &view->snapshot->processes[i];
        amgr_watch_row_t *row = &out->rows[out->count];

        if (!process_matches(view, process)) {
            continue;
        }
        out->count++;
        row->process = i;
        row->slot = -1;
        row->telling = -1;
        look_at_slots(view, row);
        set_process_key(view, process, sort, row);
    }
}

static void add_slot(const amgr_view_t *view, int process_index, int index,
                     const amgr_slot_t *slot, int sort, amgr_watch_rows_t *out)
{
    const amgr_process_t *process = &view->snapshot->processes[process_index];
    amgr_watch_row_t *row = &out->rows[out->count++];

    row->process = process_index;
    row->slot = index;
    row->telling = index;
    row->oldest_us = slot->request_age_us;
    row->busy = !amgr_mode_is_idle(slot->mode);
    set_slot_key(view, process, slot, sort, row);
}

static void add_slots(const amgr_view_t *view, const amgr_watch_state_t *state,
                      int max, amgr_watch_rows_t *out)
{
    int sort = state->sort[AMGR_WATCH_SLOTS];
    int i;

    for (i = 0; i < view->snapshot->process_count; i++) {
        const amgr_process_t *process = &view->snapshot->processes[i];
        const amgr_slot_t *slots;
        int first = 0;
        int count;
        int j;

        while ((slots = amgr_view_slots(view, process, first, &count)) !=
               NULL) {
            for (j = 0; j < count && out->count < max; j++) {
                if (!(state->busy_only && amgr_mode_is_idle(slots[j].mode)) &&
                    slot_matches(view, process, &slots[j])) {
                    add_slot(view, i, first + j, &slots[j], sort, out);
                }
            }
            first += count;
        }
    }
}

void amgr_watch_rows(const amgr_view_t *view, const amgr_watch_state_t *state,
                     amgr_watch_rows_t *out, apr_pool_t *pool)
{
    int table = state->table;
    amgr_view_t filtered;
    int max = 0;

    memset(out, 0, sizeof(*out));
    out->table = table;
    if (view == NULL || table >= AMGR_WATCH_KILLS) {
        return;
    }
    filtered = *view;
    apr_cpystrn(filtered.query.filter, state->filter,
                sizeof(filtered.query.filter));
    max = table == AMGR_WATCH_SLOTS ? amgr_view_slot_count(view)
                                    : view->snapshot->process_count;
    out->rows = apr_pcalloc(pool, (apr_size_t)max * sizeof(*out->rows));
    if (table == AMGR_WATCH_SLOTS) {
        add_slots(&filtered, state, max, out);
    }
    else {
        add_processes(&filtered, state->sort[table], out);
    }
    turn_keys(out, state->sort[table], state->reversed[table]);
    if (out->count > 1) {
        qsort(out->rows, (apr_size_t)out->count, sizeof(*out->rows),
              compare_rows);
    }
}

int amgr_watch_line_count(const amgr_view_t *view,
                          const amgr_watch_rows_t *rows,
                          const amgr_watch_state_t *state)
{
    if (view == NULL) {
        return 0;
    }
    if (state->table == AMGR_WATCH_KILLS) {
        return view->record_count;
    }
    if (state->table == AMGR_WATCH_PROCESSES &&
        !amgr_watch_has_processes(view)) {
        return view->snapshot->group_count;
    }
    return rows->count;
}
