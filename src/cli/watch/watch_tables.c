/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of processes and slots.
 */
#include "cli/watch/watch_parts.h"

#include <apr_strings.h>

#include "model/words.h"
#include "render/page_slots.h"
#include "render/trends.h"

/** From this width on, texts get more room. */
#define WIDE 120

/** Names of groups get at least and at most. */
#define GROUP_MIN 6
#define GROUP_MAX 12
#define GROUP_MAX_WIDE 24

typedef enum process_column_e {
    PROCESS_PID = 0,
    PROCESS_GROUP,
    PROCESS_STATE,
    PROCESS_BUSY,
    PROCESS_RSS,
    PROCESS_PERCENT,
    PROCESS_GROWTH,
    PROCESS_REQUESTS,
    PROCESS_AGE,
    PROCESS_TIME,
    PROCESS_REQUEST,
    PROCESS_COUNT
} process_column_e;

static const amgr_watch_column_t process_columns[PROCESS_COUNT] = {
    [PROCESS_PID] = {"PID", 7, 1, 0, AMGR_WATCH_BY_PID},
    [PROCESS_GROUP] = {"GROUP", 8, 0, 2, -1},
    [PROCESS_STATE] = {"STATE", 8, 0, 5, -1},
    [PROCESS_BUSY] = {"BUSY", 5, 1, 4, -1},
    [PROCESS_RSS] = {"RSS", 5, 1, 0, AMGR_WATCH_BY_MEMORY},
    [PROCESS_PERCENT] = {"%LIM", 5, 1, 3, -1},
    [PROCESS_GROWTH] = {"GROW/H", 6, 1, 8, -1},
    [PROCESS_REQUESTS] = {"REQS", 6, 1, 6, AMGR_WATCH_BY_REQUESTS},
    [PROCESS_AGE] = {"AGE", 6, 1, 7, AMGR_WATCH_BY_AGE},
    [PROCESS_TIME] = {"TIME", 7, 1, 1, AMGR_WATCH_BY_BUSY},
    [PROCESS_REQUEST] = {"REQUEST", 0, 0, 0, -1},
};

typedef enum slot_column_e {
    SLOT_PID = 0,
    SLOT_SLOT,
    SLOT_MODE,
    SLOT_TIME,
    SLOT_SINCE,
    SLOT_REQUESTS,
    SLOT_RSS,
    SLOT_CLIENT,
    SLOT_VHOST,
    SLOT_REQUEST,
    SLOT_COUNT
} slot_column_e;

static const amgr_watch_column_t slot_columns[SLOT_COUNT] = {
    [SLOT_PID] = {"PID", 7, 1, 0, AMGR_WATCH_BY_PID},
    [SLOT_SLOT] = {"SLOT", 7, 0, 4, -1},
    [SLOT_MODE] = {"M", 1, 0, 0, -1},
    [SLOT_TIME] = {"TIME", 7, 1, 0, AMGR_WATCH_BY_BUSY},
    [SLOT_SINCE] = {"SS", 6, 1, 5, AMGR_WATCH_BY_AGE},
    [SLOT_REQUESTS] = {"REQS", 6, 1, 7, AMGR_WATCH_BY_REQUESTS},
    [SLOT_RSS] = {"RSS", 5, 1, 6, AMGR_WATCH_BY_MEMORY},
    [SLOT_CLIENT] = {"CLIENT", 15, 0, 2, -1},
    [SLOT_VHOST] = {"VHOST", 15, 0, 3, -1},
    [SLOT_REQUEST] = {"REQUEST", 0, 0, 0, -1},
};

static void put_count(amgr_watch_cell_t *out, apr_uint64_t count)
{
    out->text = amgr_short_count(count, out->buf);
}

static void put_size(amgr_watch_cell_t *out, apr_uint64_t bytes)
{
    out->text = amgr_short_size(bytes, out->buf);
}

/** From here on the age of a request is marked as reckoned: it ran when the
 * server looked, so long ago, and may have ended since. */
#define RECKONED_US APR_USEC_PER_SEC

/* Empty for a span that there is none of. */
static void put_time(const amgr_watch_picture_t *picture,
                     const amgr_slot_t *slot, amgr_watch_cell_t *out)
{
    amgr_slot_t now;
    int is_reckoned;
    int marks;

    if (slot == NULL || slot->request_age_us < 0) {
        return;
    }
    now = *slot;
    if (!slot->paused) {
        now.request_age_us += picture->slots_us;
    }
    is_reckoned = !slot->paused && picture->slots_us >= RECKONED_US;
    marks = amgr_page_slot_marks(&picture->source->view, &now);
    out->buf[0] = '~';
    amgr_short_tenths(now.request_age_us, out->buf + 1);
    out->text = is_reckoned ? out->buf : out->buf + 1;
    if (marks & AMGR_SLOT_HANGING) {
        out->style = AMGR_STYLE_BAD;
    }
    else if (marks & AMGR_SLOT_NEAR_LIMIT) {
        out->style = AMGR_STYLE_WARN;
    }
}

/* What a slot did last is not what its process is at: in parentheses. */
static void put_request(const amgr_view_t *view, const amgr_slot_t *slot,
                        amgr_watch_cell_t *out)
{
    char text[sizeof(out->buf)];
    const char *shown;

    if (slot == NULL) {
        return;
    }
    shown = amgr_request_shown(view->show_requests, slot->request, text,
                               sizeof(text) - sizeof("()"));
    apr_cpystrn(out->buf, shown, sizeof(out->buf));
    if (!amgr_slot_is_request(slot) && shown[0] != '\0') {
        apr_snprintf(out->buf, sizeof(out->buf), "(%s)", shown);
        out->style = AMGR_STYLE_FAINT;
    }
    out->text = out->buf;
}

/* Of what goes on: so much older by now. */
static void put_age(apr_interval_time_t age_us, apr_interval_time_t since_us,
                    amgr_watch_cell_t *out)
{
    out->text =
        amgr_short_span(age_us < 0 ? age_us : age_us + since_us, out->buf);
}

static int memory_style(const amgr_view_t *view, const amgr_process_t *process)
{
    apr_uint64_t bytes = amgr_measure_of(process, view->config->limits.metric);

    if (amgr_measure_is_over(bytes, amgr_trends_limit(view, process))) {
        return AMGR_STYLE_BAD;
    }
    return amgr_trends_is_near(view, process) ? AMGR_STYLE_WARN
                                              : AMGR_STYLE_PLAIN;
}

static void put_percent(const amgr_view_t *view, const amgr_process_t *process,
                        amgr_watch_cell_t *out)
{
    apr_uint64_t bytes = amgr_measure_of(process, view->config->limits.metric);
    apr_int64_t limit = amgr_trends_limit(view, process);
    double percent;

    if (limit == AMGR_LIMIT_OFF || limit <= 0 || bytes == AMGR_UNKNOWN) {
        out->text = limit == AMGR_LIMIT_OFF ? "" : "n/a";
        return;
    }
    percent = (double)bytes / (double)limit * 100.0;
    apr_snprintf(out->buf, sizeof(out->buf), "%d%%",
                 percent < 9999.0 ? (int)percent : 9999);
    out->text = out->buf;
    out->style = memory_style(view, process);
}

static void put_busy(const amgr_process_t *process, int busy,
                     amgr_watch_cell_t *out)
{
    if (process->slot_count == 0) {
        return;
    }
    apr_snprintf(out->buf, sizeof(out->buf), busy < 0 ? "n/a" : "%d/%d", busy,
                 process->slot_count);
    out->text = out->buf;
}

static int is_gone(const amgr_watch_picture_t *picture,
                   const amgr_watch_row_t *row)
{
    return picture->gone != NULL && picture->gone[row->process];
}

static void put_state(const amgr_process_t *process, int has_ended,
                      amgr_watch_cell_t *out)
{
    if (has_ended) {
        out->text = "gone";
        out->style = AMGR_STYLE_FAINT;
        return;
    }
    out->text = amgr_state_word(process->state);
    if (process->state == AMGR_STATE_RETIRING) {
        out->style = AMGR_STYLE_WARN;
    }
    else if (process->state == AMGR_STATE_STOPPING) {
        out->style = AMGR_STYLE_FAINT;
    }
}

/* Of a process that is gone nothing runs. */
static const amgr_slot_t *telling_slot(const amgr_watch_picture_t *picture,
                                       const amgr_watch_row_t *row)
{
    const amgr_view_t *view = &picture->source->view;

    return row->telling < 0 || is_gone(picture, row)
               ? NULL
               : amgr_view_slot(view, &view->snapshot->processes[row->process],
                                row->telling);
}

static void fill_process_cell(const amgr_watch_picture_t *picture,
                              const void *item, int column,
                              amgr_watch_cell_t *out)
{
    const amgr_view_t *view = &picture->source->view;
    const amgr_watch_row_t *row = item;
    const amgr_process_t *process = &view->snapshot->processes[row->process];

    switch (column) {
    case PROCESS_PID:
        apr_snprintf(out->buf, sizeof(out->buf), "%ld", (long)process->id.pid);
        out->text = out->buf;
        break;
    case PROCESS_GROUP:
        out->text = amgr_view_group_name(view, process->group);
        break;
    case PROCESS_STATE:
        put_state(process, is_gone(picture, row), out);
        break;
    case PROCESS_BUSY:
        put_busy(process, row->busy, out);
        break;
    case PROCESS_RSS:
        put_size(out, process->rss_bytes);
        out->style = memory_style(view, process);
        break;
    case PROCESS_PERCENT:
        put_percent(view, process, out);
        break;
    case PROCESS_GROWTH:
        if (process->growth_bytes_per_hour != AMGR_GROWTH_UNKNOWN) {
            out->text =
                amgr_short_growth(process->growth_bytes_per_hour, out->buf);
        }
        break;
    case PROCESS_REQUESTS:
        if (process->slot_count > 0) {
            put_count(out, amgr_view_accesses(view, process));
        }
        break;
    case PROCESS_AGE:
        put_age(process->age_us, is_gone(picture, row) ? 0 : picture->slots_us,
                out);
        break;
    case PROCESS_TIME:
        put_time(picture, telling_slot(picture, row), out);
        break;
    default:
        put_request(view, telling_slot(picture, row), out);
        break;
    }
}

static void put_texts(const amgr_view_t *view, const amgr_slot_t *slot,
                      int column, amgr_watch_cell_t *out)
{
    switch (column) {
    case SLOT_CLIENT:
        out->text = amgr_client_shown(view->show_clients, slot->client,
                                      out->buf, sizeof(out->buf));
        break;
    case SLOT_VHOST:
        out->text = slot->vhost;
        break;
    default:
        put_request(view, slot, out);
        break;
    }
    if (amgr_mode_is_idle(slot->mode)) {
        out->style = AMGR_STYLE_FAINT;
    }
}

static void fill_slot_cell(const amgr_watch_picture_t *picture,
                           const void *item, int column, amgr_watch_cell_t *out)
{
    const amgr_view_t *view = &picture->source->view;
    const amgr_watch_row_t *row = item;
    const amgr_process_t *process = &view->snapshot->processes[row->process];
    const amgr_slot_t *slot = amgr_view_slot(view, process, row->slot);

    /* Nothing is done in a slot whose process has gone. */
    if (slot == NULL ||
        (is_gone(picture, row) && column != SLOT_PID && column != SLOT_SLOT)) {
        return;
    }
    out->text = out->buf;
    switch (column) {
    case SLOT_PID:
        apr_snprintf(out->buf, sizeof(out->buf), "%ld", (long)process->id.pid);
        break;
    case SLOT_SLOT:
        apr_snprintf(out->buf, sizeof(out->buf), "%d-%d", slot->process_slot,
                     slot->thread);
        break;
    case SLOT_MODE:
        out->buf[0] = amgr_mode_letter(slot->mode);
        out->buf[1] = '\0';
        out->style =
            amgr_mode_is_idle(slot->mode) ? AMGR_STYLE_FAINT : AMGR_STYLE_GOOD;
        break;
    case SLOT_TIME:
        put_time(picture, slot, out);
        break;
    case SLOT_SINCE:
        put_age(amgr_watch_since_used(view, slot), picture->read_us, out);
        break;
    case SLOT_REQUESTS:
        put_count(out, view->snapshot->server.extended ? slot->accesses
                                                       : AMGR_UNKNOWN);
        break;
    case SLOT_RSS:
        put_size(out, process->rss_bytes);
        out->style = memory_style(view, process);
        break;
    default:
        put_texts(view, slot, column, out);
        break;
    }
}

/* As wide as the names are, within bounds. */
static int group_width(const amgr_view_t *view, const amgr_canvas_t *canvas)
{
    int most = canvas->columns >= WIDE ? GROUP_MAX_WIDE : GROUP_MAX;
    int width = GROUP_MIN;
    int i;

    for (i = 0; i < view->snapshot->group_count; i++) {
        int name = amgr_canvas_width(canvas, view->snapshot->groups[i].name);

        width = name > width ? name : width;
    }
    return width < most ? width : most;
}

/* Room for "25/25", or for as many digits as there are slots. */
static int busy_width(const amgr_view_t *view)
{
    int most = 99;
    int width = 5;
    int i;

    for (i = 0; i < view->snapshot->process_count; i++) {
        int slots = view->snapshot->processes[i].slot_count;

        most = slots > most ? slots : most;
    }
    for (; most > 99; most /= 10) {
        width += 2;
    }
    return width;
}

static void lay_out_processes(const amgr_watch_picture_t *picture,
                              const amgr_canvas_t *canvas,
                              amgr_watch_layout_t *out)
{
    const amgr_view_t *view = &picture->source->view;

    amgr_watch_layout_init(out, process_columns, PROCESS_COUNT);
    out->widths[PROCESS_GROUP] = group_width(view, canvas);
    out->widths[PROCESS_BUSY] = busy_width(view);
    amgr_watch_layout_fit(out, canvas->columns);
}

static void lay_out_slots(const amgr_canvas_t *canvas, amgr_watch_layout_t *out)
{
    amgr_watch_layout_init(out, slot_columns, SLOT_COUNT);
    if (canvas->columns >= WIDE) {
        out->widths[SLOT_CLIENT] = 39; /* any address of IPv6 */
        out->widths[SLOT_VHOST] = 24;
    }
    amgr_watch_layout_fit(out, canvas->columns);
}

void amgr_watch_put_table(const amgr_watch_picture_t *picture, int page,
                          amgr_canvas_t *canvas)
{
    const amgr_watch_state_t *state = picture->state;
    const amgr_watch_rows_t *rows = picture->rows;
    int is_slots = state->table == AMGR_WATCH_SLOTS;
    int sort = state->sort[state->table];
    amgr_watch_layout_t layout;
    int i;

    if (!is_slots && !amgr_watch_has_processes(&picture->source->view)) {
        amgr_watch_put_groups(picture, page, canvas);
        return;
    }
    if (is_slots) {
        lay_out_slots(canvas, &layout);
    }
    else {
        lay_out_processes(picture, canvas, &layout);
    }
    amgr_watch_put_heading(
        &layout, sort,
        (sort == AMGR_WATCH_BY_PID) != state->reversed[state->table], canvas);
    for (i = state->scroll; i < rows->count && i - state->scroll < page; i++) {
        amgr_watch_put_row(&layout, picture, &rows->rows[i],
                           is_slots ? fill_slot_cell : fill_process_cell,
                           canvas);
    }
}
