/* SPDX-License-Identifier: Apache-2.0
 *
 * See chart.h.  Coordinates are whole numbers: ten to a column, HEIGHT from
 * the upper edge to the base line.
 */
#include "render/chart.h"

#define STEP 10
#define HEIGHT 100
#define BAR_LEAST 4 /* high, so that it is seen */

apr_int64_t amgr_chart_ceiling(apr_int64_t highest, apr_int64_t least)
{
    static const int factors[] = {2, 5, 10};
    apr_int64_t power = 1;
    int i = 0;

    if (highest < least) {
        highest = least;
    }
    if (highest <= 1) {
        return 1;
    }
    while (power <= APR_INT64_MAX / 100 && power * 10 < highest) {
        power *= 10;
    }
    while (i < 2 && power * factors[i] < highest) {
        i++;
    }
    return power * factors[i];
}

apr_int64_t amgr_chart_highest(const amgr_chart_values_t *values)
{
    apr_int64_t highest = 0;
    int i;

    for (i = 0; i < AMGR_CHART_COLUMNS; i++) {
        if (values->at[i] > highest) {
            highest = values->at[i];
        }
    }
    return highest;
}

void amgr_chart_begin(amgr_sink_t *sink, const char *css)
{
    amgr_sink_puts(sink, "<svg class=\"");
    amgr_sink_puts(sink, css);
    amgr_sink_puts(sink, "\" viewBox=\"0 0 600 100\""
                         " preserveAspectRatio=\"none\" aria-hidden=\"true\""
                         " focusable=\"false\">");
}

void amgr_chart_end(amgr_sink_t *sink)
{
    amgr_sink_puts(sink, "</svg>");
}

/* Distance from the upper edge; what is above it is cut there. */
static apr_int64_t height_of(apr_int64_t value, apr_int64_t top)
{
    if (value >= top) {
        return 0;
    }
    return HEIGHT - (apr_int64_t)((double)value / (double)top * HEIGHT + 0.5);
}

static void put_point(amgr_sink_t *sink, char command, int x, apr_int64_t y)
{
    amgr_sink_putc(sink, command);
    amgr_sink_i64(sink, x);
    amgr_sink_putc(sink, ' ');
    amgr_sink_i64(sink, y);
}

static void begin_path(amgr_sink_t *sink, const char *css)
{
    amgr_sink_puts(sink, "<path class=\"");
    amgr_sink_puts(sink, css);
    amgr_sink_puts(sink, "\" d=\"");
}

static void end_path(amgr_sink_t *sink)
{
    amgr_sink_puts(sink, "\"/>");
}

/* The column after the run of figures that begins at @a from. */
static int run_end(const amgr_chart_values_t *values, int from)
{
    while (from < AMGR_CHART_COLUMNS && values->at[from] >= 0) {
        from++;
    }
    return from;
}

/* From edge to edge of the run's columns, so that one alone can be seen. */
static void put_run(amgr_sink_t *sink, char first,
                    const amgr_chart_values_t *values, int from, int end,
                    apr_int64_t top)
{
    int i;

    put_point(sink, first, from * STEP, height_of(values->at[from], top));
    for (i = from; i < end; i++) {
        put_point(sink, 'L', i * STEP + STEP / 2,
                  height_of(values->at[i], top));
    }
    put_point(sink, 'L', end * STEP, height_of(values->at[end - 1], top));
}

void amgr_chart_line(amgr_sink_t *sink, const char *css,
                     const amgr_chart_values_t *values, apr_int64_t top)
{
    int i;

    begin_path(sink, css);
    for (i = 0; i < AMGR_CHART_COLUMNS; i++) {
        int end = run_end(values, i);

        if (end > i) {
            put_run(sink, 'M', values, i, end, top);
            i = end;
        }
    }
    end_path(sink);
}

void amgr_chart_area(amgr_sink_t *sink, const char *css,
                     const amgr_chart_values_t *values, apr_int64_t top)
{
    int i;

    begin_path(sink, css);
    for (i = 0; i < AMGR_CHART_COLUMNS; i++) {
        int end = run_end(values, i);

        if (end > i) {
            put_point(sink, 'M', i * STEP, HEIGHT);
            put_run(sink, 'L', values, i, end, top);
            put_point(sink, 'L', end * STEP, HEIGHT);
            amgr_sink_putc(sink, 'z');
            i = end;
        }
    }
    end_path(sink);
}

void amgr_chart_bars(amgr_sink_t *sink, const char *css,
                     const amgr_chart_values_t *values, apr_int64_t top)
{
    int i;

    begin_path(sink, css);
    for (i = 0; i < AMGR_CHART_COLUMNS; i++) {
        if (values->at[i] > 0) {
            apr_int64_t y = height_of(values->at[i], top);

            put_point(sink, 'M', i * STEP + 1, HEIGHT);
            amgr_sink_putc(sink, 'V');
            amgr_sink_i64(sink,
                          y < HEIGHT - BAR_LEAST ? y : HEIGHT - BAR_LEAST);
            amgr_sink_puts(sink, "h8V100z");
        }
    }
    end_path(sink);
}

void amgr_chart_level(amgr_sink_t *sink, const char *css, apr_int64_t value,
                      apr_int64_t top)
{
    if (value < 0 || value > top) {
        return;
    }
    begin_path(sink, css);
    put_point(sink, 'M', 0, height_of(value, top));
    amgr_sink_puts(sink, "H600");
    end_path(sink);
}
