/* SPDX-License-Identifier: Apache-2.0
 *
 * Managed processes in the watch: a line below the totals, and where there is
 * room a row for each, those that are wanted and not ready first.
 */
#include <apr_strings.h>

#include "cli/managed_text.h"
#include "cli/watch/watch_parts.h"

/** Width of what a line of the head begins with. */
#define LABEL_LEN 9

#define NAME_MAX_WIDTH 24

/** The part of the rows that they may have. */
#define ROWS_PART 6

typedef enum managed_column_e {
    MANAGED_NAME = 0,
    MANAGED_STATE,
    MANAGED_PID,
    MANAGED_SINCE,
    MANAGED_STARTS,
    MANAGED_MEMORY,
    MANAGED_SHARE,
    MANAGED_DETAIL,
    MANAGED_COUNT
} managed_column_e;

static const amgr_watch_column_t managed_columns[MANAGED_COUNT] = {
    [MANAGED_NAME] = {"MANAGED", 7, 0, 0, -1},
    [MANAGED_STATE] = {"STATE", 8, 0, 0, -1},
    [MANAGED_PID] = {"PID", 7, 1, 3, -1},
    [MANAGED_SINCE] = {"SINCE", 6, 1, 1, -1},
    [MANAGED_STARTS] = {"STARTS", 6, 1, 4, -1},
    [MANAGED_MEMORY] = {"MEM", 5, 1, 0, -1},
    [MANAGED_SHARE] = {"%MAX", 5, 1, 2, -1},
    [MANAGED_DETAIL] = {"REASON", 0, 0, 0, -1},
};

static int state_style(const amgr_managed_t *process)
{
    if (process->state == AMGR_MANAGED_FATAL) {
        return AMGR_STYLE_BAD;
    }
    if (process->ready) {
        return AMGR_STYLE_GOOD;
    }
    return amgr_managed_is_missed(process) ? AMGR_STYLE_WARN : AMGR_STYLE_FAINT;
}

static void fill_share(const amgr_managed_t *process, amgr_watch_cell_t *out)
{
    double percent;

    if (process->max_memory_bytes == 0 || process->tree_count == 0 ||
        process->memory_bytes == AMGR_UNKNOWN) {
        return;
    }
    percent = (double)process->memory_bytes /
              (double)process->max_memory_bytes * 100.0;
    apr_snprintf(out->buf, sizeof(out->buf), "%d%%",
                 percent > 999.0 ? 999 : (int)percent);
    out->text = out->buf;
}

/* Why it is so, or what it says. */
static const char *detail_of(const amgr_managed_t *process)
{
    if (process->reason[0] != '\0' || process->status[0] == '\0') {
        return process->reason;
    }
    return process->status;
}

static void fill_figure(const amgr_watch_picture_t *picture,
                        const amgr_managed_t *process, int column,
                        amgr_watch_cell_t *out)
{
    apr_time_t now_us = picture->source->view.now_wall_us + picture->read_us;

    switch (column) {
    case MANAGED_PID:
        if (amgr_managed_is_running(process)) {
            apr_snprintf(out->buf, sizeof(out->buf), "%ld", (long)process->pid);
            out->text = out->buf;
        }
        break;
    case MANAGED_SINCE:
        if (process->since_us > 0) {
            out->text = amgr_short_span(
                now_us > process->since_us ? now_us - process->since_us : 0,
                out->buf);
        }
        break;
    case MANAGED_STARTS:
        out->text = amgr_short_count(process->starts, out->buf);
        break;
    default:
        out->text = amgr_short_size(process->memory_bytes, out->buf);
        break;
    }
}

static void fill_managed_cell(const amgr_watch_picture_t *picture,
                              const void *item, int column,
                              amgr_watch_cell_t *out)
{
    const amgr_managed_t *process = item;

    switch (column) {
    case MANAGED_NAME:
        out->text = process->name;
        break;
    case MANAGED_STATE:
        out->text = amgr_managed_state_word(process->state);
        out->style = state_style(process);
        break;
    case MANAGED_SHARE:
        fill_share(process, out);
        break;
    case MANAGED_DETAIL:
        out->text = detail_of(process);
        break;
    case MANAGED_MEMORY:
        if (process->tree_count > 0) {
            fill_figure(picture, process, column, out);
        }
        break;
    default:
        fill_figure(picture, process, column, out);
        break;
    }
}

static int line_style(const amgr_managed_table_t *table)
{
    if (amgr_managed_all_ready(table) && !amgr_managed_is_unwatched(table)) {
        return AMGR_STYLE_GOOD;
    }
    return table->application == AMGR_APPLICATION_STARTING ? AMGR_STYLE_WARN
                                                           : AMGR_STYLE_BAD;
}

void amgr_watch_put_managed_line(const amgr_managed_table_t *table,
                                 amgr_canvas_t *canvas)
{
    char text[256];
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, text, sizeof(text));
    amgr_managed_put_summary(table, &sink);
    amgr_canvas_put_styled(canvas, AMGR_STYLE_STRONG, "Managed");
    amgr_canvas_fill(canvas, LABEL_LEN);
    amgr_canvas_put_styled(canvas, line_style(table), amgr_sink_text(&sink));
    amgr_canvas_end_line(canvas);
}

/* Of those that are missed, or of the others, at most so many. */
static int put_rows(const amgr_watch_picture_t *picture, int is_missed, int max,
                    const amgr_watch_layout_t *layout, amgr_canvas_t *canvas)
{
    const amgr_managed_table_t *table = picture->source->view.managed;
    int put = 0;
    int i;

    for (i = 0; i < table->count && put < max; i++) {
        if (amgr_managed_is_missed(&table->processes[i]) == is_missed) {
            amgr_watch_put_row(layout, picture, &table->processes[i],
                               fill_managed_cell, canvas);
            put++;
        }
    }
    return put;
}

/* As wide as the longest name, within bounds. */
static void set_name_width(const amgr_managed_table_t *table,
                           const amgr_canvas_t *canvas,
                           amgr_watch_layout_t *layout)
{
    int *width = &layout->widths[MANAGED_NAME];
    int i;

    for (i = 0; i < table->count; i++) {
        int wanted = amgr_canvas_width(canvas, table->processes[i].name);

        *width = wanted > *width ? wanted : *width;
    }
    if (*width > NAME_MAX_WIDTH) {
        *width = NAME_MAX_WIDTH;
    }
}

void amgr_watch_put_managed(const amgr_watch_picture_t *picture,
                            amgr_canvas_t *canvas)
{
    const amgr_managed_table_t *table = picture->source->view.managed;
    amgr_watch_layout_t layout;
    int max = picture->once ? AMGR_MANAGED_MAX : canvas->rows / ROWS_PART;

    if (table == NULL) {
        return;
    }
    amgr_watch_layout_init(&layout, managed_columns, MANAGED_COUNT);
    set_name_width(table, canvas, &layout);
    amgr_watch_layout_fit(&layout, canvas->columns);
    amgr_watch_put_heading(&layout, -1, 0, canvas);
    max -= put_rows(picture, 1, max, &layout, canvas);
    (void)put_rows(picture, 0, max, &layout, canvas); /* there are no more */
}
