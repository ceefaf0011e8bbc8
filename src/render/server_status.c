/* SPDX-License-Identifier: Apache-2.0
 *
 * See server_status.h.  Names of groups are the administrator's and may hold
 * any character, so the HTML goes through a second sink that writes what is
 * not ASCII as references.
 */
#include "render/server_status.h"

#include <string.h>

#include "model/words.h"
#include "policy/sections.h"
#include "render/page.h"

#define ASCII_BUF_SIZE 512

/** A sink's flush function that knows where in a character it is. */
typedef struct ascii_t {
    amgr_sink_t *out;
    apr_uint32_t code; /**< of the character so far */
    int missing;       /**< bytes of it that are still to come */
} ascii_t;

/* Our writers put valid UTF-8 only, in pieces that may end anywhere. */
static apr_status_t put_ascii(void *baton, const char *data, apr_size_t len)
{
    ascii_t *ascii = baton;
    apr_size_t i;

    for (i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)data[i];

        if (byte < 0x80) {
            amgr_sink_putc(ascii->out, (char)byte);
        }
        else if (byte >= 0xc0) {
            ascii->missing = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
            ascii->code = byte & (0x3fU >> ascii->missing);
        }
        else {
            ascii->code = ascii->code << 6 | (byte & 0x3fU);
            if (--ascii->missing == 0) {
                amgr_sink_puts(ascii->out, "&#");
                amgr_sink_u64(ascii->out, ascii->code);
                amgr_sink_putc(ascii->out, ';');
            }
        }
    }
    return ascii->out->status;
}

static int is_limited(const amgr_group_t *group)
{
    return group->role == AMGR_ROLE_WORKER || group->role == AMGR_ROLE_WSGI ||
           (group->role == AMGR_ROLE_DAEMON && group->section != 0);
}

static void put_limit(const amgr_view_t *view, amgr_sink_t *sink,
                      const amgr_group_t *group)
{
    const amgr_limits_t *limits = &view->config->limits;
    apr_int64_t bytes = amgr_sections_active_bytes(limits, group->section);

    if (group->role == AMGR_ROLE_OTHER) {
        amgr_sink_puts(sink, "each its own group's");
        return;
    }
    if (!is_limited(group) || bytes == AMGR_LIMIT_OFF) {
        amgr_sink_puts(sink, "none");
        return;
    }
    amgr_page_size(sink, (apr_uint64_t)bytes);
    if (limits->metric != AMGR_METRIC_RSS) {
        amgr_sink_putc(sink, ' ');
        amgr_sink_puts(sink, amgr_metric_word(limits->metric));
    }
}

static void put_size(amgr_sink_t *sink, const amgr_stats_t *stats,
                     apr_uint64_t bytes)
{
    if (stats->known == 0) {
        amgr_sink_puts(sink, AMGR_PAGE_NA);
    }
    else {
        amgr_page_size(sink, bytes);
    }
}

/* A row of the table, or an item of the list that says the same. */
static void put_group(const amgr_view_t *view, amgr_sink_t *sink,
                      const amgr_group_t *group, int with_tables)
{
    const amgr_stats_t *rss = &group->rss;

    amgr_sink_puts(sink, with_tables ? "<tr><th>" : "<li>");
    amgr_page_text(sink, group->name);
    amgr_sink_puts(sink, with_tables ? "</th><td align=\"right\">" : ": ");
    if (with_tables) {
        amgr_sink_u64(sink, rss->count);
    }
    else {
        amgr_page_plural(sink, (apr_int64_t)rss->count, "process");
    }
    amgr_sink_puts(sink, with_tables ? "</td><td align=\"right\">"
                                     : ", resident memory ");
    put_size(sink, rss, rss->sum);
    amgr_sink_puts(sink,
                   with_tables ? "</td><td align=\"right\">" : ", largest ");
    put_size(sink, rss, rss->max);
    amgr_sink_puts(sink, with_tables ? "</td><td align=\"right\">"
                                     : ", limit of an active one ");
    put_limit(view, sink, group);
    amgr_sink_puts(sink, with_tables ? "</td></tr>\n" : "</li>\n");
}

static void put_groups(const amgr_view_t *view, amgr_sink_t *sink,
                       int with_tables)
{
    const amgr_snapshot_t *snapshot = view->snapshot;
    int i;

    if (snapshot->group_count == 0) {
        return;
    }
    amgr_sink_puts(sink, with_tables
                             ? "<table border=\"0\">\n<tr><th>Group</th>"
                               "<th>Processes</th><th>Resident memory</th>"
                               "<th>Largest</th><th>Limit of an active one"
                               "</th></tr>\n"
                             : "<ul>\n");
    for (i = 0; i < snapshot->group_count; i++) {
        put_group(view, sink, &snapshot->groups[i], with_tables);
    }
    amgr_sink_puts(sink, with_tables ? "</table>\n" : "</ul>\n");
}

/* Our own words with blanks: "memory active". */
static void put_words(amgr_sink_t *sink, const char *word)
{
    for (; *word != '\0'; word++) {
        amgr_sink_putc(sink, *word == '_' ? ' ' : *word);
    }
}

static void put_retired(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_counters_t *counters = view->counters;
    const amgr_record_t *last = view->records;

    amgr_sink_puts(sink, "<p>Retired since the server was started: ");
    amgr_sink_u64(sink, counters->killed_active + counters->killed_idle);
    amgr_sink_puts(sink, " (");
    amgr_sink_u64(sink, counters->killed_active);
    amgr_sink_puts(sink, " active, ");
    amgr_sink_u64(sink, counters->killed_idle);
    amgr_sink_puts(sink, " idle); requests lost: ");
    amgr_sink_u64(sink, counters->requests_lost);
    if (view->record_count > 0) {
        amgr_sink_puts(sink, "<br />\nThe last decision: ");
        amgr_page_time(sink, last->time_us);
        amgr_sink_puts(sink, " UTC, a process of group ");
        amgr_page_text(sink, last->group);
        amgr_sink_puts(sink, ", reason ");
        put_words(sink, amgr_verdict_word(last->verdict));
        amgr_sink_puts(sink, ", outcome ");
        put_words(sink, amgr_outcome_word(last->outcome));
    }
    amgr_sink_puts(sink, "</p>\n");
}

void amgr_write_server_status_html(const amgr_view_t *view,
                                   const char *page_path, int with_tables,
                                   amgr_sink_t *sink)
{
    char buf[ASCII_BUF_SIZE];
    ascii_t ascii = {sink, 0, 0};
    amgr_view_counts_t counts;
    amgr_sink_t html;

    amgr_sink_init(&html, buf, sizeof(buf), put_ascii, &ascii);
    amgr_sink_puts(&html, "<hr />\n<h2>Apache manager</h2>\n<p>");
    amgr_view_count(view, &counts);
    amgr_page_verdict_text(view, &html, &counts);
    amgr_sink_puts(&html, "</p>\n");
    put_groups(view, &html, with_tables);
    put_retired(view, &html);
    if (page_path != NULL) {
        amgr_sink_puts(&html, "<p><a href=\"");
        amgr_page_text(&html, page_path);
        amgr_sink_puts(&html, "\">All of the Apache manager</a></p>\n");
    }
    amgr_sink_finish(&html);
}

static void put_line(amgr_sink_t *sink, const char *key, apr_uint64_t value)
{
    amgr_sink_puts(sink, "ApacheManager");
    amgr_sink_puts(sink, key);
    amgr_sink_puts(sink, ": ");
    amgr_sink_u64(sink, value);
    amgr_sink_putc(sink, '\n');
}

/* The colour of the headline as a number. */
apr_uint64_t amgr_server_status_severity(int health)
{
    static const char *const classes[] = {"ok", "info", "warn"};
    const char *class = amgr_page_health_class(health);
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(classes); i++) {
        if (strcmp(class, classes[i]) == 0) {
            break;
        }
    }
    return i;
}

/* What only a tick can know. */
static void put_tick_lines(const amgr_view_t *view, amgr_sink_t *sink,
                           const amgr_view_counts_t *counts)
{
    const amgr_snapshot_t *snapshot = view->snapshot;
    apr_interval_time_t ago_us = view->now_wall_us - view->tick_wall_us;
    int i;

    /* The wall clock may have been set back since. */
    put_line(sink, "TickAgeSeconds",
             ago_us > 0 ? (apr_uint64_t)apr_time_sec(ago_us) : 0);
    put_line(sink, "Processes", (apr_uint64_t)counts->native);
    put_line(sink, "Retiring", (apr_uint64_t)counts->retiring);
    put_line(sink, "OverLimit", (apr_uint64_t)counts->over);
    if (snapshot->hanging >= 0) {
        put_line(sink, "Hanging", (apr_uint64_t)snapshot->hanging);
    }
    for (i = 0; i < snapshot->group_count; i++) {
        const amgr_group_t *group = &snapshot->groups[i];

        if (group->role == AMGR_ROLE_WORKER && group->rss.known > 0) {
            put_line(sink, "MemoryNativeBytes", group->rss.sum);
            put_line(sink, "MemoryLargestBytes", group->rss.max);
            break;
        }
    }
}

void amgr_write_server_status_auto(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_counters_t *counters = view->counters;
    amgr_view_counts_t counts;
    apr_uint64_t errors = 0;
    int i;

    for (i = 0; i < AMGR_STAGE_COUNT; i++) {
        errors += counters->errors[i];
    }
    amgr_view_count(view, &counts);
    put_line(sink, "Health", amgr_server_status_severity((int)counts.health));
    put_line(sink, "Ticks", counters->ticks);
    if (view->tick_wall_us != AMGR_NO_TIME) {
        put_tick_lines(view, sink, &counts);
    }
    put_line(sink, "KilledActive", counters->killed_active);
    put_line(sink, "KilledIdle", counters->killed_idle);
    put_line(sink, "RequestsLost", counters->requests_lost);
    put_line(sink, "ErrorsTotal", errors);
}
