/* SPDX-License-Identifier: Apache-2.0
 *
 * See view_board.h.
 */
#include "render/view_board.h"

#include "base/clock.h"

#define READ_TRIES 20
#define READ_PAUSE_US 500

/** A page can do without its charts. */
#define HISTORY_TRIES 3

/** Enough of the fine samples for the rates of the last minute. */
#define RECENT_SAMPLES 8

apr_status_t amgr_view_board_tick(const amgr_board_t *board,
                                  amgr_snapshot_t *out)
{
    apr_status_t rv = APR_EAGAIN;
    int try;

    for (try = 0; try < READ_TRIES && rv == APR_EAGAIN; try++) {
        if (try > 0) {
            apr_sleep(READ_PAUSE_US);
        }
        rv = amgr_board_read_tick(board, out);
    }
    return rv;
}

static void read_records(amgr_view_t *view, const amgr_board_t *board,
                         apr_pool_t *p)
{
    amgr_record_t *records =
        apr_palloc(p, AMGR_RECORDS_MAX * sizeof(amgr_record_t));
    int try;

    view->records = records;
    for (try = 0; try < READ_TRIES; try++) {
        if (amgr_board_read_records(board, records, AMGR_RECORDS_MAX,
                                    &view->record_count) == APR_SUCCESS) {
            return;
        }
        apr_sleep(READ_PAUSE_US);
    }
    view->record_count = 0;
}

static void read_evidences(amgr_view_t *view, const amgr_board_t *board,
                           apr_pool_t *p)
{
    amgr_evidence_t *evidences;
    int count;
    int try;

    /* They are large and far apart in memory, and of records alone. */
    if (view->record_count == 0) {
        return;
    }
    count = amgr_board_count_evidences(board);
    evidences = apr_palloc(p, (apr_size_t)count * sizeof(amgr_evidence_t));
    view->evidences = evidences;
    for (try = 0; try < READ_TRIES && count > 0; try++) {
        if (amgr_board_read_evidences(board, evidences, count,
                                      &view->evidence_count) == APR_SUCCESS) {
            return;
        }
        apr_sleep(READ_PAUSE_US);
    }
    view->evidence_count = 0;
}

void amgr_view_board_records(amgr_view_t *view, const amgr_board_t *board,
                             apr_pool_t *p)
{
    read_records(view, board, p);
    read_evidences(view, board, p);
}

/** The newest samples of a span, or NULL while the writer is in the way. */
static const amgr_history_series_t *
read_series(const amgr_board_t *board, int span, int max, apr_pool_t *p)
{
    amgr_history_series_t *series = apr_palloc(p, sizeof(*series));
    amgr_history_sample_t *storage =
        apr_palloc(p, (apr_size_t)max * sizeof(*storage));
    int try;

    for (try = 0; try < HISTORY_TRIES; try++) {
        if (amgr_board_read_history(board, span, max, storage, series) ==
            APR_SUCCESS) {
            return series;
        }
    }
    return NULL;
}

void amgr_view_board_history(amgr_view_t *view, const amgr_board_t *board,
                             apr_pool_t *p)
{
    int span = view->query.history;

    if (span < 0 || span >= AMGR_HISTORY_SPAN_COUNT) {
        span = AMGR_HISTORY_HOUR;
    }
    view->history = read_series(board, span, amgr_history_room(span), p);
    view->recent = view->history;
    if (view->history != NULL && span != AMGR_HISTORY_HOUR) {
        view->recent = read_series(board, AMGR_HISTORY_HOUR, RECENT_SAMPLES, p);
    }
}

void amgr_view_board_managed(amgr_view_t *view, const amgr_board_t *board,
                             apr_pool_t *p)
{
    amgr_managed_table_t *table;
    apr_status_t rv = APR_EAGAIN;
    int try;

    /* Room for all of them is more than a page should cost without any. */
    if (amgr_board_count_managed(board) == 0) {
        return;
    }
    table = apr_palloc(p, sizeof(*table));
    for (try = 0; try < READ_TRIES && rv == APR_EAGAIN; try++) {
        if (try > 0) {
            apr_sleep(READ_PAUSE_US);
        }
        rv = amgr_board_read_managed(board, table);
    }
    /* What a supervisor that was killed wrote last is told, with its age. */
    if ((rv == APR_SUCCESS || rv == APR_EAGAIN) && table->count > 0) {
        amgr_managed_doubt(table, amgr_clock_monotonic_us());
        view->managed = table;
    }
}

void amgr_view_make_scratch(amgr_view_t *view, apr_pool_t *p)
{
    view->scratch_count = view->snapshot->process_max;
    view->scratch =
        apr_palloc(p, (apr_size_t)view->scratch_count * sizeof(int));
}
