/* SPDX-License-Identifier: Apache-2.0
 *
 * Busy workers and memory of the last hour, as two rows of small columns.
 */
#include "cli/watch/watch_parts.h"

#include <apr_strings.h>

#include "render/trends.h"

#define LABEL_LEN 9
#define SPARKS_MIN 5
#define SPARKS_MAX 60

/** The hour, and what a width in time is a multiple of. */
#define SPAN_US apr_time_from_sec(3600)
#define STEP_US apr_time_from_sec(AMGR_HISTORY_FINE_SEC)

/** Room for what stands behind a row: " peak 1023M". */
#define PEAK_LEN 12

static const char *const blocks[] = {
    " ",
    "\xe2\x96\x81",
    "\xe2\x96\x82",
    "\xe2\x96\x83",
    "\xe2\x96\x84",
    "\xe2\x96\x85",
    "\xe2\x96\x86",
    "\xe2\x96\x87",
    "\xe2\x96\x88",
};

static const char *const marks[AMGR_COUNT(blocks)] = {" ", "_", ".", ",", "-",
                                                      "=", "+", "*", "#"};

/* A figure of a column: the height of a spark. */
typedef double figure_fn(const amgr_trend_column_t *column);

static double busy_of(const amgr_trend_column_t *column)
{
    return column->busy_peak;
}

static double memory_of(const amgr_trend_column_t *column)
{
    return (double)column->workers_bytes;
}

static double highest(const amgr_trend_column_t *columns, int count,
                      figure_fn *figure)
{
    double most = 0;
    int i;

    for (i = 0; i < count; i++) {
        most = figure(&columns[i]) > most ? figure(&columns[i]) : most;
    }
    return most;
}

/* Blank where nothing is known, and the lowest spark for nothing at all. */
static const char *spark(const amgr_canvas_t *canvas, int known, double value,
                         double most)
{
    int top = (int)AMGR_COUNT(blocks) - 1;
    int level = 0;

    if (known) {
        level = most > 0 ? (int)(value / most * top + 0.5) : 0;
        level = level < 1 ? 1 : level;
    }
    return canvas->utf8 ? blocks[level] : marks[level];
}

static void put_row(const amgr_trend_column_t *columns, int count,
                    figure_fn *figure, amgr_canvas_t *canvas)
{
    double most = highest(columns, count, figure);
    int i;

    canvas->style = AMGR_STYLE_GOOD;
    for (i = 0; i < count; i++) {
        amgr_canvas_put(
            canvas, spark(canvas, columns[i].known, figure(&columns[i]), most));
    }
    canvas->style = AMGR_STYLE_PLAIN;
}

static void put_label(amgr_canvas_t *canvas, const char *text)
{
    int begin = canvas->columns - amgr_canvas_room(canvas);

    amgr_canvas_put_styled(canvas, AMGR_STYLE_STRONG, text);
    amgr_canvas_fill(canvas, begin + LABEL_LEN);
}

/* The end is a multiple of a column's width, so that sparks stand still from
 * one picture to the next. */
static void divide(const amgr_view_t *view, int count, amgr_trend_column_t *out)
{
    apr_time_t width_us = (SPAN_US / count + STEP_US - 1) / STEP_US * STEP_US;
    apr_time_t now_us = view->snapshot->server.time.mono_us;
    apr_time_t end_us = (now_us + width_us - 1) / width_us * width_us;

    amgr_trends_columns(view->history, end_us - width_us * count, end_us, count,
                        out);
}

void amgr_watch_put_sparklines(const amgr_watch_picture_t *picture,
                               amgr_canvas_t *canvas)
{
    const amgr_view_t *view = &picture->source->view;
    int count = canvas->columns / 2 - LABEL_LEN - PEAK_LEN - 1;
    amgr_trend_column_t *columns;
    char text[AMGR_SHORT_LEN];

    count = count < SPARKS_MAX ? count : SPARKS_MAX;
    count = count > SPARKS_MIN ? count : SPARKS_MIN;
    columns = apr_pcalloc(canvas->pool, (apr_size_t)count * sizeof(*columns));
    divide(view, count, columns);
    put_label(canvas, "Busy 1h");
    put_row(columns, count, busy_of, canvas);
    amgr_canvas_printf(canvas, " peak %s",
                       amgr_short_rate(highest(columns, count, busy_of), text));
    amgr_canvas_fill(canvas, LABEL_LEN + count + PEAK_LEN + 1);
    put_label(canvas, "Mem 1h");
    put_row(columns, count, memory_of, canvas);
    amgr_canvas_printf(
        canvas, " peak %s",
        amgr_short_size((apr_uint64_t)highest(columns, count, memory_of),
                        text));
    amgr_canvas_end_line(canvas);
}
