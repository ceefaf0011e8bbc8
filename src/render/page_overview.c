/* SPDX-License-Identifier: Apache-2.0
 *
 * The first screen after the verdict: workers, requests, traffic, memory and
 * what was retired, each with its figure of now and a small chart; below, the
 * server's other figures.
 */
#include "render/page.h"

#include "model/words.h"

static void begin_tile(amgr_sink_t *sink, const char *title)
{
    amgr_sink_puts(sink, "<div class=\"tile\"><dt>");
    amgr_sink_puts(sink, title);
    amgr_sink_puts(sink, "</dt><dd class=\"figure\">");
}

/* What is said below the figure; ends with end_sub. */
static void begin_sub(amgr_sink_t *sink)
{
    amgr_sink_puts(sink, "</dd>\n<dd class=\"sub\">");
}

static void begin_spark(amgr_sink_t *sink)
{
    amgr_sink_puts(sink, "</dd>\n<dd class=\"spark\">");
    amgr_chart_begin(sink, "spark");
}

static void end_tile(amgr_sink_t *sink)
{
    amgr_chart_end(sink);
    amgr_sink_puts(sink, "</dd></div>\n");
}

/* The tile's chart, whose upper edge is @a least or more, and its end. */
static void put_spark(amgr_sink_t *sink, const amgr_chart_values_t *values,
                      apr_int64_t least)
{
    apr_int64_t top = amgr_chart_ceiling(amgr_chart_highest(values), least);

    begin_spark(sink);
    amgr_chart_area(sink, "area", values, top);
    amgr_chart_line(sink, "c0", values, top);
    end_tile(sink);
}

static apr_int64_t whole(double value)
{
    return value >= 0.0 && value < 9e18 ? (apr_int64_t)(value + 0.5)
                                        : AMGR_CHART_NONE;
}

static void put_workers(const amgr_view_t *view, amgr_sink_t *sink,
                        const amgr_page_trend_t *trend)
{
    const amgr_server_t *server = &view->snapshot->server;
    amgr_chart_values_t busy;
    int i;

    for (i = 0; i < AMGR_CHART_COLUMNS; i++) {
        const amgr_trend_column_t *column = &trend->columns[i];

        busy.at[i] =
            column->known ? (apr_int64_t)column->busy_peak : AMGR_CHART_NONE;
    }
    begin_tile(sink, "Workers");
    amgr_page_count(sink, server->busy_workers);
    amgr_sink_puts(sink, " <small>busy</small> ");
    amgr_page_count(sink, server->idle_workers);
    amgr_sink_puts(sink, " <small>idle</small>");
    begin_sub(sink);
    amgr_sink_puts(sink, "of at most ");
    amgr_page_count(sink, server->max_workers > 0 ? server->max_workers : -1);
    if (server->graceful_workers > 0) {
        amgr_sink_puts(sink, ", ");
        amgr_page_count(sink, server->graceful_workers);
        amgr_sink_puts(sink, " finishing");
    }
    put_spark(sink, &busy, 5);
}

/* Over what the rates are, or that they are not known yet. */
static void put_window(amgr_sink_t *sink, const amgr_trends_rates_t *rates)
{
    if (rates->window_us == AMGR_NO_TIME) {
        amgr_sink_puts(sink, "not known yet");
        return;
    }
    amgr_sink_puts(sink, "over the last ");
    amgr_page_span(sink, rates->window_us);
}

static void put_requests(const amgr_view_t *view, amgr_sink_t *sink,
                         const amgr_page_trend_t *trend,
                         const amgr_trends_rates_t *rates)
{
    const amgr_server_t *server = &view->snapshot->server;
    amgr_chart_values_t values;
    int i;

    for (i = 0; i < AMGR_CHART_COLUMNS; i++) {
        values.at[i] = whole(trend->columns[i].requests_per_second * 1000.0);
    }
    begin_tile(sink, "Requests");
    amgr_page_short_rate(sink, rates->requests_per_second);
    amgr_sink_puts(sink, " <small>per second</small>");
    begin_sub(sink);
    put_window(sink, rates);
    if (server->extended) {
        amgr_sink_puts(sink, ", ");
        amgr_page_count(sink, (apr_int64_t)server->total_accesses);
        amgr_sink_puts(sink, " in all");
    }
    put_spark(sink, &values, 1000);
}

static void put_rate_size(amgr_sink_t *sink, double bytes)
{
    amgr_page_size(sink, bytes >= 0.0 && bytes < 9e18 ? (apr_uint64_t)bytes
                                                      : AMGR_UNKNOWN);
}

static void put_traffic(const amgr_view_t *view, amgr_sink_t *sink,
                        const amgr_page_trend_t *trend,
                        const amgr_trends_rates_t *rates)
{
    const amgr_server_t *server = &view->snapshot->server;
    amgr_chart_values_t values;
    int i;

    for (i = 0; i < AMGR_CHART_COLUMNS; i++) {
        values.at[i] = whole(trend->columns[i].bytes_per_second);
    }
    begin_tile(sink, "Traffic");
    put_rate_size(sink, rates->bytes_per_second);
    amgr_sink_puts(sink, " <small>per second</small>");
    begin_sub(sink);
    put_rate_size(sink, rates->bytes_per_request);
    amgr_sink_puts(sink, " per request");
    if (server->extended) {
        amgr_sink_puts(sink, ", ");
        amgr_page_size(sink, server->total_bytes);
        amgr_sink_puts(sink, " in all");
    }
    put_spark(sink, &values, 1000);
}

static void add_size(apr_uint64_t *sum, apr_uint64_t bytes)
{
    if (bytes != AMGR_UNKNOWN) {
        *sum = *sum == AMGR_UNKNOWN ? bytes : *sum + bytes;
    }
}

/* Of all that is judged; AMGR_UNKNOWN where no size is known. */
static void sum_memory(const amgr_snapshot_t *snapshot, apr_uint64_t *resident,
                       apr_uint64_t *own)
{
    int i;

    *resident = AMGR_UNKNOWN;
    *own = AMGR_UNKNOWN;
    for (i = 0; i < snapshot->process_count; i++) {
        const amgr_process_t *process = &snapshot->processes[i];

        if (amgr_measure_is_judged(process)) {
            add_size(resident, process->rss_bytes);
            add_size(own, process->anon_bytes);
        }
    }
}

/* "7% of the machine's 16.78 GB", with a gauge. */
static void put_share(amgr_sink_t *sink, apr_uint64_t used, apr_uint64_t whole,
                      const char *of)
{
    apr_uint64_t percent;

    if (used == AMGR_UNKNOWN || whole == AMGR_UNKNOWN || whole < 100) {
        return;
    }
    percent = used / (whole / 100);
    amgr_sink_puts(sink, "<br><b>");
    amgr_sink_puts(sink, percent == 0 ? "under " : "");
    amgr_sink_u64(sink, percent > 0 ? percent : 1);
    amgr_sink_puts(sink, "%</b> of the ");
    amgr_sink_puts(sink, of);
    amgr_sink_puts(sink, "'s ");
    amgr_page_size(sink, whole);
    amgr_sink_puts(sink, " <meter min=\"0\" max=\"100\" low=\"80\""
                         " high=\"95\" optimum=\"0\" value=\"");
    amgr_sink_u64(sink, percent < 100 ? percent : 100);
    amgr_sink_puts(sink, "\" title=\"Share of the ");
    amgr_sink_puts(sink, of);
    amgr_sink_puts(sink, "'s memory\"></meter>");
}

static void put_memory(const amgr_view_t *view, amgr_sink_t *sink,
                       const amgr_page_trend_t *trend)
{
    const amgr_server_t *server = &view->snapshot->server;
    apr_uint64_t resident;
    apr_uint64_t own;
    apr_uint64_t used;
    amgr_chart_values_t values;
    int i;

    for (i = 0; i < AMGR_CHART_COLUMNS; i++) {
        const amgr_trend_column_t *column = &trend->columns[i];

        values.at[i] = column->known && column->workers_bytes > 0
                           ? (apr_int64_t)column->workers_bytes
                           : AMGR_CHART_NONE;
    }
    sum_memory(view->snapshot, &resident, &own);
    used = own != AMGR_UNKNOWN ? own : resident;
    begin_tile(sink, "Memory of all workers");
    amgr_page_size(sink, resident);
    begin_sub(sink);
    amgr_sink_puts(sink, "resident");
    if (own != AMGR_UNKNOWN) {
        amgr_sink_puts(sink, ", ");
        amgr_page_size(sink, own);
        amgr_sink_puts(sink, " of it anonymous");
    }
    put_share(sink, used, server->machine_bytes, "machine");
    put_share(sink, used, server->cgroup_limit_bytes, "cgroup");
    put_spark(sink, &values, 1000);
}

static const char *reason_text(int verdict)
{
    static const char *const texts[AMGR_VERDICT_COUNT] = {
        [AMGR_VERDICT_MEMORY_ACTIVE] = "memory",
        [AMGR_VERDICT_MEMORY_IDLE] = "memory when idle",
        [AMGR_VERDICT_TIME] = "time",
        [AMGR_VERDICT_MEMORY_HARD] = "hard limit of memory",
        [AMGR_VERDICT_MEMORY_TOTAL] = "memory of all",
        [AMGR_VERDICT_REQUESTS] = "requests served",
        [AMGR_VERDICT_LIFETIME] = "lifetime",
        [AMGR_VERDICT_GENERATION] = "old generation",
        [AMGR_VERDICT_REQUESTED] = "another module's wish",
    };

    return texts[verdict] != NULL ? texts[verdict] : "other";
}

static void put_reasons(amgr_sink_t *sink, const amgr_trends_recent_t *recent)
{
    int shown = 0;
    int i;

    for (i = 0; i < AMGR_VERDICT_COUNT; i++) {
        if (recent->verdicts[i] > 0) {
            amgr_sink_puts(sink, shown ? ", " : "");
            amgr_sink_i64(sink, recent->verdicts[i]);
            amgr_sink_putc(sink, ' ');
            amgr_sink_puts(sink, reason_text(i));
            shown = 1;
        }
    }
    amgr_sink_puts(sink, shown ? "; " : "");
}

static void put_recent(amgr_sink_t *sink, const amgr_trends_recent_t *recent)
{
    if (recent->retired == 0 && recent->dry_runs == 0) {
        amgr_sink_puts(sink, "no worker had to go");
    }
    if (recent->retired > 0) {
        put_reasons(sink, recent);
        amgr_page_plural(sink, (apr_int64_t)recent->requests_lost, "request");
        amgr_sink_puts(sink, recent->dry_runs > 0 ? " lost; " : " lost");
    }
    if (recent->dry_runs > 0) {
        amgr_sink_puts(sink, "in a dry run ");
        amgr_sink_i64(sink, recent->dry_runs);
        amgr_sink_puts(sink, recent->retired > 0 ? " more would have been"
                                                 : " would have been");
    }
}

static void put_retired(const amgr_view_t *view, amgr_sink_t *sink,
                        const amgr_page_trend_t *trend)
{
    amgr_trends_recent_t recent;
    amgr_chart_values_t values;
    apr_int64_t top;
    int i;

    for (i = 0; i < AMGR_CHART_COLUMNS; i++) {
        values.at[i] = (apr_int64_t)trend->columns[i].retired;
    }
    top = amgr_chart_ceiling(amgr_chart_highest(&values), 2);
    amgr_trends_recent(view, &recent);
    begin_tile(sink, "Retired in the last hour");
    amgr_sink_puts(sink, recent.at_least ? "<small>at least</small> " : "");
    amgr_sink_i64(sink, recent.retired);
    begin_sub(sink);
    put_recent(sink, &recent);
    begin_spark(sink);
    amgr_chart_bars(sink, "bars", &values, top);
    end_tile(sink);
}

static void put_tick_fact(const amgr_view_t *view, amgr_sink_t *sink)
{
    amgr_page_begin_fact(sink, "Last tick");
    if (view->tick_wall_us == AMGR_NO_TIME) {
        amgr_sink_puts(sink, AMGR_PAGE_NA);
    }
    else {
        amgr_page_ago(view, sink, view->tick_wall_us);
    }
    amgr_page_end_fact(sink);
}

static void put_facts(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_server_t *server = &view->snapshot->server;

    amgr_sink_puts(sink, "<dl class=\"facts\">\n");
    amgr_page_begin_fact(sink, "Server uptime");
    amgr_page_span(sink, server->uptime_us);
    amgr_page_end_fact(sink);
    amgr_page_begin_fact(sink, "Generation");
    amgr_page_count(sink, server->generation);
    amgr_page_end_fact(sink);
    put_tick_fact(view, sink);
    amgr_page_begin_fact(sink, "CPU load");
    amgr_page_short_rate(sink, server->cpu_load);
    amgr_sink_puts(sink, server->cpu_load >= 0.0 ? "%" : "");
    amgr_page_end_fact(sink);
    amgr_page_begin_fact(sink, "Free on the machine");
    amgr_page_size(sink, server->machine_available_bytes);
    amgr_page_end_fact(sink);
    if (server->cgroup_limit_bytes != AMGR_UNKNOWN) {
        amgr_page_begin_fact(sink, "Used in the cgroup");
        amgr_page_size(sink, server->cgroup_used_bytes);
        amgr_page_end_fact(sink);
    }
    amgr_page_begin_fact(sink, "Hanging requests");
    amgr_page_count(sink, view->tick_wall_us != AMGR_NO_TIME
                              ? view->snapshot->hanging
                              : -1);
    amgr_page_end_fact(sink);
    amgr_sink_puts(sink, "</dl>\n");
}

void amgr_page_overview(const amgr_view_t *view, amgr_sink_t *sink,
                        const amgr_page_trend_t *trend)
{
    amgr_trends_rates_t rates;

    amgr_trends_rates(view, &rates);
    amgr_sink_puts(sink, "<section id=\"overview\" class=\"bare\""
                         " aria-label=\"Overview\">\n<dl class=\"tiles\">\n");
    put_workers(view, sink, trend);
    put_requests(view, sink, trend, &rates);
    put_traffic(view, sink, trend, &rates);
    put_memory(view, sink, trend);
    put_retired(view, sink, trend);
    amgr_sink_puts(sink, "</dl>\n");
    amgr_sink_puts(sink, "<p class=\"key\">The small charts are of the last ");
    amgr_page_span(sink, trend->end_us - trend->begin_us);
    amgr_sink_puts(sink, ".</p>\n");
    put_facts(view, sink);
    amgr_page_end_section(sink);
}
