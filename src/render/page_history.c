/* SPDX-License-Identifier: Apache-2.0
 *
 * The page's history: what the server did over the last hour or day, in four
 * charts.  Lines differ by their dashes as well as by colour.
 */
#include "render/page_chart.h"

static void put_span_link(const amgr_view_t *view, amgr_sink_t *sink, int span,
                          const char *text)
{
    amgr_page_query_t query = view->query;
    apr_uint64_t total;

    query.history = span;
    amgr_sink_puts(sink, "<a href=\"");
    total = sink->total;
    amgr_page_query_write(&query, sink);
    /* An address without any would keep the one the page was loaded by. */
    amgr_sink_puts(sink, sink->total == total ? "?#history\"" : "#history\"");
    if (view->query.history == span) {
        amgr_sink_puts(sink, " aria-current=\"true\"");
    }
    amgr_sink_putc(sink, '>');
    amgr_sink_puts(sink, text);
    amgr_sink_puts(sink, "</a>\n");
}

static void put_spans(const amgr_view_t *view, amgr_sink_t *sink)
{
    amgr_sink_puts(sink, "<p class=\"spans\">");
    put_span_link(view, sink, AMGR_HISTORY_HOUR, "Last hour");
    put_span_link(view, sink, AMGR_HISTORY_DAY, "Last day");
    amgr_sink_puts(sink, "</p>\n");
}

static apr_int64_t milli(double value)
{
    return value >= 0.0 && value < 9e15 ? (apr_int64_t)(value * 1000.0 + 0.5)
                                        : AMGR_CHART_NONE;
}

static void put_milli(amgr_sink_t *sink, apr_int64_t value)
{
    amgr_page_short_rate(sink, value < 0 ? -1.0 : (double)value / 1000.0);
}

static void workers_strip(amgr_sink_t *sink, const void *baton,
                          const amgr_trend_column_t *column)
{
    (void)baton; /* a strip's signature */
    amgr_sink_puts(sink, " busy ");
    amgr_page_short_rate(sink, column->busy);
    amgr_sink_puts(sink, ", at most ");
    amgr_sink_u64(sink, column->busy_peak);
    amgr_sink_puts(sink, ", idle ");
    amgr_page_short_rate(sink, column->idle);
}

static void put_workers(const amgr_view_t *view, amgr_sink_t *sink,
                        const amgr_page_trend_t *trend)
{
    const amgr_server_t *server = &view->snapshot->server;
    amgr_chart_values_t busy;
    amgr_chart_values_t idle;
    apr_int64_t highest;
    apr_int64_t top;
    int i;

    for (i = 0; i < AMGR_CHART_COLUMNS; i++) {
        const amgr_trend_column_t *column = &trend->columns[i];

        busy.at[i] = column->known ? (apr_int64_t)column->busy_peak * 1000
                                   : AMGR_CHART_NONE;
        idle.at[i] = column->known ? milli(column->idle) : AMGR_CHART_NONE;
    }
    highest = amgr_chart_highest(&busy);
    if (highest < server->busy_workers * (apr_int64_t)1000) {
        highest = server->busy_workers * (apr_int64_t)1000;
    }
    top = amgr_chart_highest(&idle);
    top = amgr_chart_ceiling(top > highest ? top : highest, 5000);
    amgr_page_begin_chart(sink, "Workers");
    amgr_page_begin_key(sink, "c0");
    amgr_sink_puts(sink, "busy: <b>");
    amgr_sink_i64(sink, server->busy_workers);
    amgr_sink_puts(sink, "</b> now, at most <b>");
    amgr_sink_i64(sink, highest / 1000);
    amgr_sink_puts(sink, "</b>");
    amgr_page_end_key(sink);
    amgr_page_begin_key(sink, "c2");
    amgr_sink_puts(sink, "idle: <b>");
    amgr_sink_i64(sink, server->idle_workers);
    amgr_sink_puts(sink, "</b> now");
    amgr_page_end_key(sink);
    amgr_page_begin_plot(sink);
    put_milli(sink, top);
    amgr_sink_puts(sink, "</span>");
    amgr_chart_begin(sink, "chart");
    amgr_chart_area(sink, "area", &busy, top);
    amgr_chart_line(sink, "c0", &busy, top);
    amgr_chart_line(sink, "c2", &idle, top);
    amgr_page_end_chart(view, sink, trend, workers_strip, NULL);
}

static void requests_strip(amgr_sink_t *sink, const void *baton,
                           const amgr_trend_column_t *column)
{
    (void)baton; /* a strip's signature */
    amgr_sink_putc(sink, ' ');
    amgr_page_short_rate(sink, column->requests_per_second);
    amgr_sink_puts(sink, " requests/s, ");
    amgr_page_size(sink, column->bytes_per_second >= 0.0
                             ? (apr_uint64_t)column->bytes_per_second
                             : AMGR_UNKNOWN);
    amgr_sink_puts(sink, "/s, retired ");
    amgr_sink_u64(sink, column->retired);
}

static void put_requests(const amgr_view_t *view, amgr_sink_t *sink,
                         const amgr_page_trend_t *trend)
{
    amgr_chart_values_t rates;
    amgr_chart_values_t retired;
    apr_int64_t highest;
    apr_int64_t top;
    apr_int64_t sum = 0;
    int i;

    for (i = 0; i < AMGR_CHART_COLUMNS; i++) {
        rates.at[i] = milli(trend->columns[i].requests_per_second);
        retired.at[i] = (apr_int64_t)trend->columns[i].retired;
        sum += retired.at[i];
    }
    highest = amgr_chart_highest(&rates);
    top = amgr_chart_ceiling(highest, 1000);
    amgr_page_begin_chart(sink, "Requests and retirements");
    amgr_page_begin_key(sink, "c0");
    amgr_sink_puts(sink, "requests per second, at most <b>");
    put_milli(sink, highest);
    amgr_sink_puts(sink, "</b>");
    amgr_page_end_key(sink);
    amgr_page_begin_key(sink, "c1");
    amgr_sink_puts(sink, "processes retired: <b>");
    amgr_sink_i64(sink, sum);
    amgr_sink_puts(sink, "</b>");
    amgr_page_end_key(sink);
    amgr_page_begin_plot(sink);
    put_milli(sink, top);
    amgr_sink_puts(sink, "/s</span>");
    amgr_chart_begin(sink, "chart");
    amgr_chart_bars(sink, "bars", &retired,
                    amgr_chart_ceiling(amgr_chart_highest(&retired), 2));
    amgr_chart_area(sink, "area", &rates, top);
    amgr_chart_line(sink, "c0", &rates, top);
    amgr_page_end_chart(view, sink, trend, requests_strip, NULL);
}

void amgr_page_history(const amgr_view_t *view, amgr_sink_t *sink,
                       const amgr_page_trend_t *trend)
{
    if (view->history == NULL) {
        return;
    }
    amgr_page_begin_section(sink, "history", "History");
    put_spans(view, sink);
    if (trend->known == 0) {
        amgr_sink_puts(sink, "<p>Nothing is known yet: the charts begin with"
                             " the second tick.</p>\n");
        amgr_page_end_section(sink);
        return;
    }
    amgr_sink_puts(sink, "<div class=\"charts\">\n");
    put_workers(view, sink, trend);
    put_requests(view, sink, trend);
    amgr_page_memory_chart(view, sink, trend, 0);
    amgr_page_memory_chart(view, sink, trend, 1);
    amgr_sink_puts(sink, "</div>\n");
    amgr_page_end_section(sink);
}
