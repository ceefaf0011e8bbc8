/* SPDX-License-Identifier: Apache-2.0
 *
 * The page: what a person wants to know, the most urgent first, complete
 * without its script and without anything inline, so that the strictest content
 * security policy holds.  This file has the frame and the server's own
 * figures; the other parts are in page_*.c.
 */
#include "render/page.h"

/* Address of an asset, which changes with what is in it. */
static void put_asset(const amgr_view_t *view, amgr_sink_t *sink,
                      const char *name)
{
    amgr_page_text(sink, view->base_path);
    amgr_sink_puts(sink, "/assets/");
    amgr_sink_puts(sink, name);
    amgr_sink_puts(sink, "?v=");
    amgr_page_text(sink, view->assets_version);
}

static void put_head(const amgr_view_t *view, amgr_sink_t *sink)
{
    int health = (int)amgr_view_health(view);

    amgr_sink_puts(sink, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
                         "<meta charset=\"utf-8\">\n"
                         "<meta name=\"viewport\" content=\"width=device-width,"
                         " initial-scale=1\">\n"
                         "<meta name=\"robots\" content=\"noindex\">\n");
    if (view->query.refresh_sec > 0) {
        /* Where the script runs, nothing may reload the page under it. */
        amgr_sink_puts(sink, "<noscript><meta http-equiv=\"refresh\""
                             " content=\"");
        amgr_sink_i64(sink, view->query.refresh_sec);
        amgr_sink_puts(sink, "\"></noscript>\n");
    }
    amgr_sink_puts(sink, "<title>Apache manager: ");
    amgr_sink_puts(sink, amgr_health_word(health));
    amgr_sink_puts(sink, "</title>\n<link rel=\"stylesheet\" href=\"");
    put_asset(view, sink, "page.css");
    amgr_sink_puts(sink, "\">\n<script src=\"");
    put_asset(view, sink, "page.js");
    amgr_sink_puts(sink, "\" defer></script>\n</head>\n");
}

/* The period, read and bounded here once, is the script's as well. */
static void put_body(const amgr_view_t *view, amgr_sink_t *sink)
{
    amgr_sink_puts(sink, "<body");
    if (view->query.refresh_sec > 0) {
        amgr_sink_puts(sink, " data-refresh=\"");
        amgr_sink_i64(sink, view->query.refresh_sec);
        amgr_sink_putc(sink, '"');
    }
    amgr_sink_puts(sink, ">\n");
}

static void put_title(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_server_t *server = &view->snapshot->server;

    amgr_sink_puts(sink, "<header>\n<h1>Apache manager</h1>\n<p>");
    amgr_page_text(sink, server->version[0] != '\0' ? server->version
                                                    : "Apache httpd");
    if (server->mpm[0] != '\0') {
        amgr_sink_puts(sink, ", MPM ");
        amgr_page_text(sink, server->mpm);
    }
    amgr_sink_puts(sink, "; as of ");
    amgr_page_time(sink, view->now_wall_us);
    amgr_sink_puts(sink, " UTC</p>\n<p id=\"live\"><span role=\"status\">"
                         "</span></p>\n</header>\n");
}

static void put_tick_fact(const amgr_view_t *view, amgr_sink_t *sink)
{
    amgr_page_begin_fact(sink, "Last tick");
    if (view->tick_wall_us == AMGR_NO_TIME) {
        amgr_sink_puts(sink, AMGR_PAGE_NA);
    }
    else {
        apr_interval_time_t ago_us = view->now_wall_us - view->tick_wall_us;

        /* The wall clock may have been set back since. */
        amgr_page_span(sink, ago_us > 0 ? ago_us : 0);
        amgr_sink_puts(sink, " ago");
    }
    amgr_page_end_fact(sink);
}

static void put_worker_facts(const amgr_server_t *server, amgr_sink_t *sink)
{
    amgr_page_begin_fact(sink, "Busy workers");
    amgr_page_count(sink, server->busy_workers);
    amgr_sink_puts(sink, " <small>of ");
    amgr_page_count(sink, server->max_workers > 0 ? server->max_workers : -1);
    amgr_sink_puts(sink, "</small>");
    amgr_page_end_fact(sink);
    amgr_page_begin_fact(sink, "Idle workers");
    amgr_page_count(sink, server->idle_workers);
    amgr_page_end_fact(sink);
    amgr_page_begin_fact(sink, "Restarting workers");
    amgr_page_count(sink, server->graceful_workers);
    amgr_page_end_fact(sink);
}

static void put_traffic_facts(const amgr_server_t *server, amgr_sink_t *sink)
{
    int counted = server->extended;

    amgr_page_begin_fact(sink, "Total accesses");
    amgr_page_count(sink, counted ? (apr_int64_t)server->total_accesses : -1);
    amgr_page_end_fact(sink);
    amgr_page_begin_fact(sink, "Total traffic");
    amgr_page_size(sink, counted ? server->total_bytes : AMGR_UNKNOWN);
    amgr_page_end_fact(sink);
    amgr_page_begin_fact(sink, "Requests per second");
    amgr_page_rate(sink, counted ? server->requests_per_second : -1.0);
    amgr_page_end_fact(sink);
    amgr_page_begin_fact(sink, "CPU load");
    amgr_page_rate(sink, server->cpu_load);
    amgr_sink_puts(sink, server->cpu_load >= 0.0 ? "%" : "");
    amgr_page_end_fact(sink);
}

static void put_server(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_server_t *server = &view->snapshot->server;

    amgr_page_begin_section(sink, "server", "Server");
    amgr_sink_puts(sink, "<dl class=\"facts\">\n");
    put_worker_facts(server, sink);
    put_traffic_facts(server, sink);
    amgr_page_begin_fact(sink, "Server uptime");
    amgr_page_span(sink, server->uptime_us);
    amgr_page_end_fact(sink);
    amgr_page_begin_fact(sink, "Generation");
    amgr_page_count(sink, server->generation);
    amgr_page_end_fact(sink);
    put_tick_fact(view, sink);
    amgr_sink_puts(sink, "</dl>\n");
    amgr_page_end_section(sink);
}

static void put_link(const amgr_view_t *view, amgr_sink_t *sink,
                     const char *path)
{
    amgr_sink_puts(sink, "<a href=\"");
    amgr_page_text(sink, view->base_path);
    amgr_sink_putc(sink, '/');
    amgr_sink_puts(sink, path);
    amgr_sink_puts(sink, "\">");
    amgr_sink_puts(sink, path);
    amgr_sink_puts(sink, "</a>");
}

static void put_foot(const amgr_view_t *view, amgr_sink_t *sink)
{
    amgr_sink_puts(sink, "</main>\n<footer>\n<p>For programs: ");
    put_link(view, sink, "status.json");
    amgr_sink_puts(sink, ", ");
    put_link(view, sink, "metrics.txt");
    amgr_sink_puts(sink, ". mod_apache_manager " AMGR_VERSION
                         ".</p>\n</footer>\n</body>\n</html>\n");
}

void amgr_write_page(const amgr_view_t *view, amgr_sink_t *sink)
{
    put_head(view, sink);
    put_body(view, sink);
    put_title(view, sink);
    amgr_sink_puts(sink, "<main>\n");
    amgr_page_headline(view, sink);
    put_server(view, sink);
    amgr_page_processes(view, sink);
    amgr_page_groups(view, sink);
    amgr_page_limits(view, sink);
    amgr_page_records(view, sink);
    amgr_page_counters(view, sink);
    amgr_page_scoreboard(view, sink);
    amgr_page_slots(view, sink);
    put_foot(view, sink);
}
