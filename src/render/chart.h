/* SPDX-License-Identifier: Apache-2.0
 *
 * A small chart as inline SVG: lines, areas and bars over equal columns of
 * time.  The picture is stretched to its place by the style sheet, so it holds
 * no text; figures stand beside it, and in the titles of the strips over it.
 */
#ifndef AMGR_CHART_H
#define AMGR_CHART_H

#include "base/sink.h"

#define AMGR_CHART_COLUMNS 60

/** No figure in a column; lines and areas break there. */
#define AMGR_CHART_NONE (-1)

/** One figure for each column, in any unit, not negative. */
typedef struct amgr_chart_values_t {
    apr_int64_t at[AMGR_CHART_COLUMNS];
} amgr_chart_values_t;

/** What the highest of a chart's figures is rounded up to: 1, 2 or 5 times a
 * power of ten, at least @a least. */
apr_int64_t amgr_chart_ceiling(apr_int64_t highest, apr_int64_t least);

/** The highest figure, 0 without any. */
apr_int64_t amgr_chart_highest(const amgr_chart_values_t *values);

/** The picture's frame; hidden from screen readers, who get the text. */
void amgr_chart_begin(amgr_sink_t *sink, const char *css);
void amgr_chart_end(amgr_sink_t *sink);

/** One element each, of class @a css; @a top is the figure at the upper edge,
 * at least 1. */
void amgr_chart_line(amgr_sink_t *sink, const char *css,
                     const amgr_chart_values_t *values, apr_int64_t top);
void amgr_chart_area(amgr_sink_t *sink, const char *css,
                     const amgr_chart_values_t *values, apr_int64_t top);
void amgr_chart_bars(amgr_sink_t *sink, const char *css,
                     const amgr_chart_values_t *values, apr_int64_t top);

/** A level over the whole width; nothing when it is above the edge. */
void amgr_chart_level(amgr_sink_t *sink, const char *css, apr_int64_t value,
                      apr_int64_t top);

#endif
