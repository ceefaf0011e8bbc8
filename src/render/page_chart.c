/* SPDX-License-Identifier: Apache-2.0
 *
 * See page_chart.h.
 */
#include "render/page_chart.h"

void amgr_page_begin_chart(amgr_sink_t *sink, const char *title)
{
    amgr_sink_puts(sink, "<figure><figcaption><h3>");
    amgr_sink_puts(sink, title);
    amgr_sink_puts(sink, "</h3>\n<p class=\"legend\">");
}

void amgr_page_begin_key(amgr_sink_t *sink, const char *css)
{
    amgr_sink_puts(sink, "<span><svg viewBox=\"0 0 20 8\""
                         " aria-hidden=\"true\" focusable=\"false\">"
                         "<path class=\"");
    amgr_sink_puts(sink, css);
    amgr_sink_puts(sink, "\" d=\"M0 4H20\"/></svg>");
}

void amgr_page_end_key(amgr_sink_t *sink)
{
    amgr_sink_puts(sink, "</span>\n");
}

/* "12:31:20 UTC" of a column's end, by the wall clock of now. */
static void put_clock(const amgr_view_t *view, amgr_sink_t *sink,
                      apr_time_t mono_us)
{
    const amgr_instant_t *now = &view->snapshot->server.time;
    apr_time_t at_us = now->wall_us - (now->mono_us - mono_us);
    apr_int64_t sec = apr_time_sec(at_us < now->wall_us ? at_us : now->wall_us);
    char text[] = "00:00:00 UTC";
    int part[3];
    int i;

    sec = sec > 0 ? sec : 0;
    part[0] = (int)(sec / 3600 % 24);
    part[1] = (int)(sec / 60 % 60);
    part[2] = (int)(sec % 60);
    for (i = 0; i < 3; i++) {
        text[3 * i] = (char)('0' + part[i] / 10);
        text[3 * i + 1] = (char)('0' + part[i] % 10);
    }
    amgr_sink_put(sink, text, sizeof(text) - 1);
}

static void put_strips(const amgr_view_t *view, amgr_sink_t *sink,
                       const amgr_page_trend_t *trend,
                       amgr_page_strip_fn *strip, const void *baton)
{
    apr_interval_time_t width_us =
        (trend->end_us - trend->begin_us) / AMGR_CHART_COLUMNS;
    int i;

    amgr_sink_puts(sink, "<div class=\"strips\" aria-hidden=\"true\">");
    for (i = 0; i < AMGR_CHART_COLUMNS; i++) {
        if (!trend->columns[i].known) {
            amgr_sink_puts(sink, "<i></i>");
            continue;
        }
        amgr_sink_puts(sink, "<i title=\"");
        put_clock(view, sink, trend->begin_us + (i + 1) * width_us);
        strip(sink, baton, &trend->columns[i]);
        amgr_sink_puts(sink, "\"></i>");
    }
    amgr_sink_puts(sink, "</div>");
}

void amgr_page_begin_plot(amgr_sink_t *sink)
{
    amgr_sink_puts(sink, "</p></figcaption>\n<div class=\"plot\">"
                         "<span class=\"top\" aria-hidden=\"true\">");
}

void amgr_page_end_chart(const amgr_view_t *view, amgr_sink_t *sink,
                         const amgr_page_trend_t *trend,
                         amgr_page_strip_fn *strip, const void *baton)
{
    amgr_chart_end(sink);
    put_strips(view, sink, trend, strip, baton);
    amgr_sink_puts(sink, "</div>\n<p class=\"axis\" aria-hidden=\"true\">"
                         "<span>");
    amgr_page_span(sink, trend->end_us - trend->begin_us);
    amgr_sink_puts(sink, " ago</span> <span>now</span></p></figure>\n");
}
