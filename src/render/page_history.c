/* SPDX-License-Identifier: Apache-2.0
 *
 * The charts: what the server did over the last hour or day.  Each has its
 * figures in words above it, the figures of each column in the titles of the
 * strips over it, and lines that differ by their dashes as well as by colour.
 */
#include "render/page.h"

/* Lines that can be told apart; further groups are in the table alone. */
#define LINES_MAX 6

static const char *const line_css[LINES_MAX] = {"c0", "c1", "c2",
                                                "c3", "c4", "c5"};

/** Which of the series' groups are drawn: the largest. */
typedef struct lines_t {
    int count;
    int group[LINES_MAX];
    amgr_chart_values_t values[LINES_MAX];
} lines_t;

/** What a strip says of a column. */
typedef void strip_fn(amgr_sink_t *sink, const amgr_view_t *view,
                      const lines_t *lines, const amgr_trend_column_t *column);

static void put_span_link(const amgr_view_t *view, amgr_sink_t *sink, int span,
                          const char *text)
{
    amgr_page_query_t query = view->query;

    query.history = span;
    amgr_sink_puts(sink, "<a href=\"");
    amgr_page_text(sink, view->base_path);
    amgr_page_query_write(&query, sink);
    amgr_sink_puts(sink, "#history\"");
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

static void begin_chart(amgr_sink_t *sink, const char *title)
{
    amgr_sink_puts(sink, "<figure><figcaption><h3>");
    amgr_sink_puts(sink, title);
    amgr_sink_puts(sink, "</h3>\n<p class=\"legend\">");
}

/* An entry of the legend, whose figures the caller writes. */
static void begin_key(amgr_sink_t *sink, const char *css)
{
    amgr_sink_puts(sink, "<span><svg viewBox=\"0 0 20 8\""
                         " aria-hidden=\"true\" focusable=\"false\">"
                         "<path class=\"");
    amgr_sink_puts(sink, css);
    amgr_sink_puts(sink, "\" d=\"M0 4H20\"/></svg>");
}

static void end_key(amgr_sink_t *sink)
{
    amgr_sink_puts(sink, "</span>\n");
}

/* "12:31:20" of a column's end, by the wall clock of now. */
static void put_clock(const amgr_view_t *view, amgr_sink_t *sink,
                      apr_time_t mono_us)
{
    const amgr_instant_t *now = &view->snapshot->server.time;
    apr_time_t at_us = now->wall_us - (now->mono_us - mono_us);
    apr_int64_t sec = apr_time_sec(at_us < now->wall_us ? at_us : now->wall_us);
    int part[3];
    int i;

    part[0] = (int)(sec / 3600 % 24);
    part[1] = (int)(sec / 60 % 60);
    part[2] = (int)(sec % 60);
    for (i = 0; i < 3; i++) {
        amgr_sink_puts(sink, i > 0 ? ":" : "");
        amgr_sink_putc(sink, (char)('0' + part[i] / 10));
        amgr_sink_putc(sink, (char)('0' + part[i] % 10));
    }
}

static void put_strips(const amgr_view_t *view, amgr_sink_t *sink,
                       const amgr_page_trend_t *trend, const lines_t *lines,
                       strip_fn *strip)
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
        strip(sink, view, lines, &trend->columns[i]);
        amgr_sink_puts(sink, "\"></i>");
    }
    amgr_sink_puts(sink, "</div>");
}

static void begin_plot(amgr_sink_t *sink)
{
    amgr_sink_puts(sink, "</p></figcaption>\n<div class=\"plot\">"
                         "<span class=\"top\" aria-hidden=\"true\">");
}

static void end_chart(const amgr_view_t *view, amgr_sink_t *sink,
                      const amgr_page_trend_t *trend, const lines_t *lines,
                      strip_fn *strip)
{
    amgr_chart_end(sink);
    put_strips(view, sink, trend, lines, strip);
    amgr_sink_puts(sink, "</div>\n<p class=\"axis\" aria-hidden=\"true\">"
                         "<span>");
    amgr_page_span(sink, trend->end_us - trend->begin_us);
    amgr_sink_puts(sink, " ago</span> <span>now</span></p></figure>\n");
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

static void workers_strip(amgr_sink_t *sink, const amgr_view_t *view,
                          const lines_t *lines,
                          const amgr_trend_column_t *column)
{
    (void)view; /* a strip's signature */
    (void)lines;
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
    begin_chart(sink, "Workers");
    begin_key(sink, "c0");
    amgr_sink_puts(sink, "busy: <b>");
    amgr_sink_i64(sink, server->busy_workers);
    amgr_sink_puts(sink, "</b> now, at most <b>");
    amgr_sink_i64(sink, highest / 1000);
    amgr_sink_puts(sink, "</b>");
    end_key(sink);
    begin_key(sink, "c2");
    amgr_sink_puts(sink, "idle: <b>");
    amgr_sink_i64(sink, server->idle_workers);
    amgr_sink_puts(sink, "</b> now");
    end_key(sink);
    begin_plot(sink);
    put_milli(sink, top);
    amgr_sink_puts(sink, "</span>");
    amgr_chart_begin(sink, "chart");
    amgr_chart_area(sink, "area", &busy, top);
    amgr_chart_line(sink, "c0", &busy, top);
    amgr_chart_line(sink, "c2", &idle, top);
    end_chart(view, sink, trend, NULL, workers_strip);
}

static void requests_strip(amgr_sink_t *sink, const amgr_view_t *view,
                           const lines_t *lines,
                           const amgr_trend_column_t *column)
{
    (void)view; /* a strip's signature */
    (void)lines;
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
    begin_chart(sink, "Requests and retirements");
    begin_key(sink, "c0");
    amgr_sink_puts(sink, "requests per second, at most <b>");
    put_milli(sink, highest);
    amgr_sink_puts(sink, "</b>");
    end_key(sink);
    begin_key(sink, "c1");
    amgr_sink_puts(sink, "processes retired: <b>");
    amgr_sink_i64(sink, sum);
    amgr_sink_puts(sink, "</b>");
    end_key(sink);
    begin_plot(sink);
    put_milli(sink, top);
    amgr_sink_puts(sink, "/s</span>");
    amgr_chart_begin(sink, "chart");
    amgr_chart_bars(sink, "bars", &retired,
                    amgr_chart_ceiling(amgr_chart_highest(&retired), 2));
    amgr_chart_area(sink, "area", &rates, top);
    amgr_chart_line(sink, "c0", &rates, top);
    end_chart(view, sink, trend, NULL, requests_strip);
}

static apr_int64_t memory_of(const amgr_trend_column_t *column, int group,
                             int largest)
{
    apr_uint64_t bytes = largest ? column->groups[group].largest_bytes
                                 : column->groups[group].sum_bytes;

    return column->known && bytes > 0 && bytes < APR_INT64_MAX
               ? (apr_int64_t)bytes
               : AMGR_CHART_NONE;
}

static apr_int64_t highest_of(const amgr_page_trend_t *trend, int group,
                              int largest)
{
    apr_int64_t highest = 0;
    int i;

    for (i = 0; i < AMGR_CHART_COLUMNS; i++) {
        apr_int64_t here = memory_of(&trend->columns[i], group, largest);

        highest = here > highest ? here : highest;
    }
    return highest;
}

/* How many groups have more, or as much and stand before it. */
static int rank_of(const apr_int64_t *highest, int count, int group)
{
    int rank = 0;
    int i;

    for (i = 0; i < count; i++) {
        rank += highest[i] > highest[group] ||
                (highest[i] == highest[group] && i < group);
    }
    return rank;
}

/* The largest groups and their figures, in the history's order, so that each
 * keeps its colour; returns the highest figure of all. */
static apr_int64_t read_lines(const amgr_view_t *view,
                              const amgr_page_trend_t *trend, int largest,
                              lines_t *out)
{
    apr_int64_t highest[AMGR_HISTORY_GROUPS];
    apr_int64_t top = 0;
    int count = view->history->group_count;
    int i;
    int j;

    out->count = 0;
    for (i = 0; i < count; i++) {
        highest[i] = highest_of(trend, i, largest);
        top = highest[i] > top ? highest[i] : top;
    }
    for (i = 0; i < count; i++) {
        if (highest[i] == 0 || rank_of(highest, count, i) >= LINES_MAX) {
            continue;
        }
        out->group[out->count] = i;
        for (j = 0; j < AMGR_CHART_COLUMNS; j++) {
            out->values[out->count].at[j] =
                memory_of(&trend->columns[j], i, largest);
        }
        out->count++;
    }
    return top;
}

static void put_memory_strip(amgr_sink_t *sink, const amgr_view_t *view,
                             const lines_t *lines,
                             const amgr_trend_column_t *column, int largest)
{
    int i;

    for (i = 0; i < lines->count; i++) {
        apr_int64_t bytes = memory_of(column, lines->group[i], largest);

        if (bytes != AMGR_CHART_NONE) {
            amgr_sink_puts(sink, i > 0 ? ", " : " ");
            amgr_page_text(sink, view->history->groups[lines->group[i]]);
            amgr_sink_putc(sink, ' ');
            amgr_page_size(sink, (apr_uint64_t)bytes);
        }
    }
}

static void sum_strip(amgr_sink_t *sink, const amgr_view_t *view,
                      const lines_t *lines, const amgr_trend_column_t *column)
{
    put_memory_strip(sink, view, lines, column, 0);
}

static void largest_strip(amgr_sink_t *sink, const amgr_view_t *view,
                          const lines_t *lines,
                          const amgr_trend_column_t *column)
{
    put_memory_strip(sink, view, lines, column, 1);
}

static void put_memory_keys(const amgr_view_t *view, amgr_sink_t *sink,
                            const lines_t *lines)
{
    int i;

    for (i = 0; i < lines->count; i++) {
        apr_int64_t newest = amgr_chart_newest(&lines->values[i]);

        begin_key(sink, line_css[i]);
        amgr_page_text(sink, view->history->groups[lines->group[i]]);
        amgr_sink_puts(sink, " <b>");
        amgr_page_size(sink, newest < 0 ? 0 : (apr_uint64_t)newest);
        amgr_sink_puts(sink, "</b>");
        end_key(sink);
    }
    if (lines->count == 0) {
        amgr_sink_puts(sink, "not known yet");
    }
}

/* A limit of the server that is near enough to be drawn raises the edge. */
static apr_int64_t with_limit(apr_int64_t highest, apr_int64_t limit)
{
    return limit != AMGR_LIMIT_OFF && limit > highest && limit / 4 < highest
               ? limit
               : highest;
}

static void put_limit_key(amgr_sink_t *sink, const char *directive,
                          apr_int64_t limit, apr_int64_t top)
{
    char text[AMGR_UNITS_LEN];

    if (limit == AMGR_LIMIT_OFF || limit > top) {
        return;
    }
    begin_key(sink, "level");
    amgr_sink_puts(sink, directive);
    amgr_sink_puts(sink, " <b>");
    amgr_page_size(sink, (apr_uint64_t)limit);
    amgr_sink_puts(sink, "</b> (");
    amgr_sink_puts(sink, amgr_size_format_exact(limit, text, sizeof(text)));
    amgr_sink_putc(sink, ')');
    end_key(sink);
}

static void put_memory(const amgr_view_t *view, amgr_sink_t *sink,
                       const amgr_page_trend_t *trend, int largest)
{
    const amgr_limits_t *limits = &view->config->limits;
    lines_t lines;
    apr_int64_t highest = read_lines(view, trend, largest, &lines);
    apr_int64_t top;
    int i;

    if (largest) {
        highest = with_limit(highest, limits->max_memory_idle_bytes);
        highest = with_limit(highest, limits->max_memory_active_bytes);
    }
    top = amgr_chart_ceiling(highest, 1000);
    begin_chart(sink, largest ? "Largest process of each group"
                              : "Memory of each group");
    put_memory_keys(view, sink, &lines);
    if (largest) {
        put_limit_key(sink, "ManagerMaxMemoryActive",
                      limits->max_memory_active_bytes, top);
        put_limit_key(sink, "ManagerMaxMemoryIdle",
                      limits->max_memory_idle_bytes, top);
    }
    begin_plot(sink);
    amgr_page_size(sink, (apr_uint64_t)top);
    amgr_sink_puts(sink, "</span>");
    amgr_chart_begin(sink, "chart");
    for (i = 0; i < lines.count; i++) {
        amgr_chart_line(sink, line_css[i], &lines.values[i], top);
    }
    if (largest) {
        amgr_chart_level(sink, "level", limits->max_memory_active_bytes, top);
        amgr_chart_level(sink, "level", limits->max_memory_idle_bytes, top);
    }
    end_chart(view, sink, trend, &lines, largest ? largest_strip : sum_strip);
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
    put_memory(view, sink, trend, 0);
    put_memory(view, sink, trend, 1);
    amgr_sink_puts(sink, "</div>\n");
    amgr_page_end_section(sink);
}
