/* SPDX-License-Identifier: Apache-2.0
 *
 * The frame of a chart of the page: its title, a legend with the figures in
 * words, the picture, and over it one strip for each column whose title tells
 * the column's figures, so that they show at the pointer without a script.
 */
#ifndef AMGR_PAGE_CHART_H
#define AMGR_PAGE_CHART_H

#include "render/page.h"

/** Write what a strip says of @a column after its time. */
typedef void amgr_page_strip_fn(amgr_sink_t *sink, const void *baton,
                                const amgr_trend_column_t *column);

/** In the order of the calls: a chart begins, and its legend; */
void amgr_page_begin_chart(amgr_sink_t *sink, const char *title);

/** entries of the legend, whose figures the caller writes; */
void amgr_page_begin_key(amgr_sink_t *sink, const char *css);
void amgr_page_end_key(amgr_sink_t *sink);

/** the plot, of which the caller writes the figure at its upper edge, the end
 * of that span, and the picture from amgr_chart_begin() on; */
void amgr_page_begin_plot(amgr_sink_t *sink);

/** and the end of the picture, the strips and the axis. */
void amgr_page_end_chart(const amgr_view_t *view, amgr_sink_t *sink,
                         const amgr_page_trend_t *trend,
                         amgr_page_strip_fn *strip, const void *baton);

/** The charts of memory: @a largest processes of each group, or their sums. */
void amgr_page_memory_chart(const amgr_view_t *view, amgr_sink_t *sink,
                            const amgr_page_trend_t *trend, int largest);

#endif
