/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of kills: whom, why, with what figures, and what came of it.
 */
#include "cli/watch/watch_parts.h"

#include <apr_strings.h>

#include "model/words.h"

typedef enum kill_column_e {
    KILL_AGO = 0,
    KILL_PID,
    KILL_GROUP,
    KILL_REASON,
    KILL_MEASURED,
    KILL_LIMIT,
    KILL_ORDER,
    KILL_OUTCOME,
    KILL_REQUEST,
    KILL_COUNT
} kill_column_e;

static const amgr_watch_column_t kill_columns[KILL_COUNT] = {
    [KILL_AGO] = {"AGO", 6, 1, 0, -1},
    [KILL_PID] = {"PID", 7, 1, 0, -1},
    [KILL_GROUP] = {"GROUP", 8, 0, 2, -1},
    [KILL_REASON] = {"REASON", 13, 0, 0, -1},
    [KILL_MEASURED] = {"HAD", 6, 1, 1, -1},
    [KILL_LIMIT] = {"LIMIT", 6, 1, 3, -1},
    [KILL_ORDER] = {"BY ORDER", 8, 0, 0, -1},
    [KILL_OUTCOME] = {"OUTCOME", 15, 0, 0, -1},
    [KILL_REQUEST] = {"REQUEST", 0, 0, 0, -1},
};

/* A measured value or a limit, in what the reason measures. */
static const char *put_amount(const amgr_record_t *record, apr_uint64_t amount,
                              char *buf)
{
    if (record->verdict == AMGR_VERDICT_REQUESTED) {
        return "";
    }
    if (record->verdict == AMGR_VERDICT_REQUESTS) {
        return amgr_short_count(amount, buf);
    }
    if (amgr_reasons_is_span(record->verdict)) {
        return amount > APR_INT64_MAX
                   ? "n/a"
                   : amgr_short_tenths((apr_interval_time_t)amount, buf);
    }
    return amgr_short_size(amount, buf);
}

static void put_outcome(const amgr_record_t *record, amgr_watch_cell_t *out)
{
    static const char *const steps[AMGR_ACTION_COUNT] = {
        [AMGR_ACTION_NONE] = "decided",
        [AMGR_ACTION_ANNOUNCE] = "announced",
        [AMGR_ACTION_ASK] = "asked to finish",
        [AMGR_ACTION_KILL] = "SIGKILL",
    };
    char span[AMGR_SHORT_LEN];

    switch (record->outcome) {
    case AMGR_OUTCOME_PENDING:
        out->text = record->action >= 0 && record->action < AMGR_ACTION_COUNT
                        ? steps[record->action]
                        : "unknown";
        break;
    case AMGR_OUTCOME_GONE:
        apr_snprintf(out->buf, sizeof(out->buf), "%s %s",
                     record->action == AMGR_ACTION_KILL ? "killed" : "drained",
                     amgr_short_tenths(record->ended_us, span));
        out->text = out->buf;
        break;
    case AMGR_OUTCOME_VANISHED:
        out->text = "already gone";
        break;
    case AMGR_OUTCOME_FAILED:
        out->text = "signal failed";
        out->style = AMGR_STYLE_BAD;
        break;
    case AMGR_OUTCOME_DRY_RUN:
        out->text = "dry run";
        break;
    default:
        out->text = "unknown";
        break;
    }
}

static apr_interval_time_t ago(const amgr_watch_picture_t *picture,
                               const amgr_record_t *record)
{
    apr_time_t now_us = picture->source->view.now_wall_us + picture->read_us;

    /* The wall clock may have been set back since. */
    return now_us > record->time_us ? now_us - record->time_us : 0;
}

static void fill_cell(const amgr_watch_picture_t *picture, const void *item,
                      int column, amgr_watch_cell_t *out)
{
    const amgr_view_t *view = &picture->source->view;
    const amgr_record_t *record = item;

    if (ago(picture, record) < AMGR_WATCH_NEW_US) {
        out->style = AMGR_STYLE_NEW;
    }
    switch (column) {
    case KILL_AGO:
        out->text = amgr_short_span(ago(picture, record), out->buf);
        break;
    case KILL_PID:
        apr_snprintf(out->buf, sizeof(out->buf), "%ld", (long)record->id.pid);
        out->text = out->buf;
        break;
    case KILL_GROUP:
        out->text = record->group;
        break;
    case KILL_REASON:
        out->text = amgr_verdict_word(record->verdict);
        break;
    case KILL_MEASURED:
        out->text = put_amount(record, record->measured, out->buf);
        break;
    case KILL_LIMIT:
        out->text = put_amount(record, record->limit, out->buf);
        break;
    case KILL_ORDER:
        out->text = record->demanded ? "ordered" : "";
        break;
    case KILL_OUTCOME:
        put_outcome(record, out);
        break;
    default:
        out->text = amgr_request_shown(view->show_requests, record->request,
                                       out->buf, sizeof(out->buf));
        break;
    }
}

/* Whether any was ordered from outside: of most servers none is. */
static int is_any_ordered(const amgr_view_t *view)
{
    int i;

    for (i = 0; i < view->record_count; i++) {
        if (view->records[i].demanded) {
            return 1;
        }
    }
    return 0;
}

void amgr_watch_put_kills(const amgr_watch_picture_t *picture, int first,
                          int max, amgr_canvas_t *canvas)
{
    const amgr_view_t *view = &picture->source->view;
    amgr_watch_layout_t layout;
    int i;

    amgr_watch_layout_init(&layout, kill_columns, KILL_COUNT);
    if (!is_any_ordered(view)) {
        amgr_watch_layout_remove(&layout, KILL_ORDER);
    }
    amgr_watch_layout_fit(&layout, canvas->columns);
    amgr_watch_put_heading(&layout, -1, 0, canvas);
    for (i = first; i < view->record_count && i - first < max; i++) {
        amgr_watch_put_row(&layout, picture, &view->records[i], fill_cell,
                           canvas);
    }
    if (view->record_count == 0 && max > 0) {
        amgr_canvas_put(canvas, "none that is known");
        amgr_canvas_end_line(canvas);
    }
}
