/* SPDX-License-Identifier: Apache-2.0
 *
 * The page: what a person wants to know, the most urgent first, complete
 * without its script and without anything inline, so that the strictest content
 * security policy holds.  This file has the frame; the parts are in page_*.c.
 */
#include "render/page.h"

#include <string.h>

static void put_title_text(const amgr_view_t *view, amgr_sink_t *sink,
                           int health)
{
    amgr_sink_puts(sink, amgr_health_word(health));
    amgr_sink_puts(sink, " - ");
    amgr_page_text(sink, view->server_name != NULL ? view->server_name
                                                   : "Apache manager");
}

/* A dot in the colour of the verdict and, for those who see no colours, empty
 * unless something is the matter. */
static void put_icon(amgr_sink_t *sink, int health)
{
    static const struct {
        const char *css;
        const char *look;
    } looks[] = {{"ok", "fill='none' stroke='%23166b2d'"},
                 {"info", "fill='none' stroke='%230a4f9e'"},
                 {"warn", "fill='%23b5730a' stroke='%237a4a00'"},
                 {"bad", "fill='%23c01218' stroke='%237a0a0e'"}};
    const char *css = amgr_page_health_class(health);
    apr_size_t i = 0;

    while (i < AMGR_COUNT(looks) - 1 && strcmp(looks[i].css, css) != 0) {
        i++;
    }
    amgr_sink_puts(sink, "<link rel=\"icon\" id=\"icon\""
                         " href=\"data:image/svg+xml,%3Csvg"
                         " xmlns='http://www.w3.org/2000/svg'"
                         " viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8'"
                         " r='6' stroke-width='3' ");
    amgr_sink_puts(sink, looks[i].look);
    amgr_sink_puts(sink, "/%3E%3C/svg%3E\">\n");
}

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

static void put_head(const amgr_view_t *view, amgr_sink_t *sink, int health)
{
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
    amgr_sink_puts(sink, "<title>");
    put_title_text(view, sink, health);
    amgr_sink_puts(sink, "</title>\n");
    put_icon(sink, health);
    amgr_sink_puts(sink, "<link rel=\"stylesheet\" href=\"");
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

static void put_header(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_server_t *server = &view->snapshot->server;

    amgr_sink_puts(sink, "<header>\n<h1>Apache manager");
    if (view->server_name != NULL) {
        amgr_sink_puts(sink, " of ");
        amgr_page_text(sink, view->server_name);
    }
    amgr_sink_puts(sink, "</h1>\n<p>");
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

/* Whether the page has this part at all. */
static int is_there(const amgr_view_t *view, const char *id)
{
    return (strcmp(id, "history") != 0 || view->history != NULL) &&
           (strcmp(id, "groups") != 0 || view->snapshot->group_count > 0) &&
           (strcmp(id, "managed") != 0 || view->managed != NULL);
}

/* After what is urgent, so that readers of text come to that first. */
static void put_parts(const amgr_view_t *view, amgr_sink_t *sink)
{
    static const struct {
        const char *id;
        const char *title;
    } parts[] = {{"managed", "Managed processes"},
                 {"history", "History"},
                 {"processes", "Processes"},
                 {"groups", "Groups"},
                 {"scoreboard", "Scoreboard"},
                 {"workers", "Workers"},
                 {"kills", "Retired"},
                 {"limits", "Limits"},
                 {"counters", "Counters"}};
    apr_size_t i;

    amgr_sink_puts(sink, "<nav class=\"parts\" aria-label=\"Parts of the"
                         " page\">\n<ul>\n");
    for (i = 0; i < AMGR_COUNT(parts); i++) {
        if (!is_there(view, parts[i].id)) {
            continue;
        }
        amgr_sink_puts(sink, "<li><a href=\"#");
        amgr_sink_puts(sink, parts[i].id);
        amgr_sink_puts(sink, "\">");
        amgr_sink_puts(sink, parts[i].title);
        amgr_sink_puts(sink, "</a></li>\n");
    }
    amgr_sink_puts(sink, "</ul>\n</nav>\n");
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
    if (view->managed != NULL) {
        amgr_sink_puts(sink, ", ");
        put_link(view, sink, "processes");
    }
    amgr_sink_puts(sink, ". mod_apache_manager " AMGR_VERSION
                         ".</p>\n</footer>\n</body>\n</html>\n");
}

void amgr_write_page(const amgr_view_t *view, amgr_sink_t *sink)
{
    amgr_page_trend_t trend;
    amgr_view_counts_t counts;

    amgr_page_trend_read(view, &trend);
    amgr_view_count(view, &counts);
    put_head(view, sink, (int)counts.health);
    put_body(view, sink);
    put_header(view, sink);
    amgr_sink_puts(sink, "<main>\n");
    amgr_page_headline(view, sink, &counts);
    amgr_page_overview(view, sink, &trend);
    put_parts(view, sink);
    amgr_page_managed(view, sink);
    amgr_page_history(view, sink, &trend);
    amgr_page_processes(view, sink);
    amgr_page_groups(view, sink);
    amgr_page_scoreboard(view, sink);
    amgr_page_slots(view, sink);
    amgr_page_records(view, sink);
    amgr_page_limits(view, sink);
    amgr_page_counters(view, sink);
    put_foot(view, sink);
}
