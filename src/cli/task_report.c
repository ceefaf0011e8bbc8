/* SPDX-License-Identifier: Apache-2.0
 *
 * The report: what the original printed, line by line and in its order, from
 * the snapshot of any source; what a source does not know is "n/a".  Then what
 * the original could not know, and only when there is some of it.
 */
#include "cli/report.h"

#include <string.h>

#include "base/escape.h"
#include "cli/hanging.h"
#include "cli/managed_text.h"
#include "cli/output.h"
#include "cli/tasks.h"

/** Of each list; the rest is counted. */
#define LIST_MAX 20

/** Figures are of now until they are older. */
#define CURRENT_US (2 * APR_USEC_PER_SEC)

/** The report while it is written. */
typedef struct report_t {
    const amgr_view_t *view;
    const amgr_snapshot_t *snapshot;
    amgr_sink_t *sink;
    int colored;
} report_t;

static void put_heading(const report_t *report, const char *text)
{
    amgr_sink_puts(report->sink, report->colored ? "\033[32m" : "");
    amgr_sink_puts(report->sink, text);
    amgr_sink_puts(report->sink, report->colored ? "\033[0m\n" : "\n");
}

static void put_line(const report_t *report, const char *name,
                     const char *value)
{
    amgr_sink_puts(report->sink, " - ");
    amgr_sink_puts(report->sink, name);
    amgr_sink_puts(report->sink, ": ");
    amgr_sink_puts(report->sink, value);
    amgr_sink_putc(report->sink, '\n');
}

static void put_number(const report_t *report, const char *name,
                       apr_int64_t value, int known)
{
    char text[32];
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, text, sizeof(text));
    if (known && value >= 0) {
        amgr_sink_i64(&sink, value);
    }
    else {
        amgr_sink_puts(&sink, "n/a");
    }
    put_line(report, name, amgr_sink_text(&sink));
}

static void put_rate(const report_t *report, const char *name, double value,
                     int known)
{
    char text[AMGR_UNITS_LEN];

    put_line(report, name,
             amgr_rate_format(known ? value : -1.0, text, sizeof(text)));
}

static void put_size_rate(const report_t *report, const char *name,
                          double bytes, int known)
{
    char text[AMGR_UNITS_LEN];

    put_line(report, name,
             amgr_size_format_rate(known ? bytes : -1.0, text, sizeof(text)));
}

static void put_cpu_load(const report_t *report, double percent)
{
    char text[AMGR_UNITS_LEN];
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, text, sizeof(text));
    if (percent < 0.0) {
        amgr_sink_puts(&sink, "n/a");
    }
    else {
        amgr_sink_printf(&sink, "%.1f%%", percent);
    }
    put_line(report, "Cpu load", amgr_sink_text(&sink));
}

static void put_server(const report_t *report)
{
    const amgr_server_t *server = &report->snapshot->server;
    /* Without ExtendedStatus nobody counts. */
    int counted = server->extended;
    char text[AMGR_UNITS_LEN];

    put_heading(report, "Server metrics:");
    put_number(report, "Busy workers", server->busy_workers, 1);
    put_size_rate(report, "Bytes per request", server->bytes_per_request,
                  counted);
    put_size_rate(report, "Bytes per second", server->bytes_per_second,
                  counted);
    put_cpu_load(report, server->cpu_load);
    put_number(report, "Idle workers", server->idle_workers, 1);
    put_rate(report, "Requests per second", server->requests_per_second,
             counted);
    put_number(report, "Total accesses", (apr_int64_t)server->total_accesses,
               counted && server->total_accesses != AMGR_UNKNOWN);
    put_line(report, "Total traffic",
             amgr_size_format(counted ? server->total_bytes : AMGR_UNKNOWN,
                              text, sizeof(text)));
    put_line(report, "Uptime",
             amgr_duration_format(server->uptime_us, text, sizeof(text)));
}

static void put_count(amgr_sink_t *sink, apr_uint64_t count, const char *noun)
{
    amgr_sink_u64(sink, count);
    amgr_sink_putc(sink, ' ');
    amgr_sink_puts(sink, noun);
    amgr_sink_puts(sink, count == 1 ? "" : "s");
}

/* @a name is NULL for the workers of the server itself. */
static void put_memory(const report_t *report, const char *name,
                       const amgr_stats_t *rss, int alone)
{
    int known = rss->known > 0;
    char text[AMGR_GROUP_NAME_LEN * 4 + 128];
    char size[AMGR_UNITS_LEN];
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, text, sizeof(text));
    amgr_sink_puts(&sink, "Memory usage of ");
    if (name == NULL) {
        amgr_sink_puts(&sink, alone ? "Apache workers" : "main Apache workers");
    }
    else {
        amgr_sink_puts(&sink, "WSGI process group '");
        amgr_escape_line(&sink, name);
        amgr_sink_putc(&sink, '\'');
    }
    amgr_sink_puts(&sink, " (");
    put_count(&sink, rss->count, "worker");
    amgr_sink_puts(&sink, "):");
    amgr_sink_putc(report->sink, '\n');
    put_heading(report, amgr_sink_text(&sink));
    put_line(
        report, "Minimum",
        amgr_size_format(known ? rss->min : AMGR_UNKNOWN, size, sizeof(size)));
    put_line(
        report, "Average",
        amgr_size_format_rate(known ? rss->average : -1.0, size, sizeof(size)));
    put_line(
        report, "Maximum",
        amgr_size_format(known ? rss->max : AMGR_UNKNOWN, size, sizeof(size)));
}

/* The groups behind the workers' own, by the code points of their names. */
static int order_groups(const amgr_snapshot_t *snapshot,
                        int order[AMGR_GROUPS_MAX])
{
    const amgr_group_t *groups = snapshot->groups;
    int count = 0;
    int i;

    for (i = 0; i < snapshot->group_count; i++) {
        int at = count;

        if (groups[i].role != AMGR_ROLE_WSGI &&
            groups[i].role != AMGR_ROLE_OTHER) {
            continue;
        }
        while (at > 0 &&
               strcmp(groups[order[at - 1]].name, groups[i].name) > 0) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = i;
        count++;
    }
    return count;
}

static void put_groups(const report_t *report)
{
    static const amgr_stats_t none;
    const amgr_snapshot_t *snapshot = report->snapshot;
    const amgr_stats_t *workers = &none;
    int order[AMGR_GROUPS_MAX];
    int count = order_groups(snapshot, order);
    int i;

    for (i = 0; i < snapshot->group_count; i++) {
        if (snapshot->groups[i].kind == AMGR_KIND_NATIVE) {
            workers = &snapshot->groups[i].rss;
            break;
        }
    }
    put_memory(report, NULL, workers, count == 0);
    for (i = 0; i < count; i++) {
        const amgr_group_t *group = &snapshot->groups[order[i]];

        put_memory(report, group->name, &group->rss, 0);
    }
}

static void put_list_heading(const report_t *report, const char *what,
                             int count)
{
    char text[128];
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, text, sizeof(text));
    amgr_sink_puts(&sink, what);
    amgr_sink_puts(&sink, " (");
    put_count(&sink, (apr_uint64_t)count, "worker");
    amgr_sink_puts(&sink, "):");
    amgr_sink_putc(report->sink, '\n');
    put_heading(report, amgr_sink_text(&sink));
}

static void put_rest(const report_t *report, int left)
{
    if (left > 0) {
        amgr_sink_printf(report->sink, " - and %d more\n", left);
    }
}

static void put_hanging_slot(const report_t *report,
                             const amgr_process_t *process,
                             const amgr_slot_t *slot)
{
    amgr_sink_t *sink = report->sink;
    char shown[AMGR_SLOT_REQUEST_LEN];
    char span[AMGR_UNITS_LEN];

    amgr_sink_printf(sink, " - %d: ", (int)process->id.pid);
    amgr_sink_puts(
        sink, amgr_duration_format(slot->request_age_us, span, sizeof(span)));
    amgr_request_shown(report->view->show_requests, slot->request, shown,
                       sizeof(shown));
    if (shown[0] != '\0') {
        amgr_sink_puts(sink, " (");
        amgr_escape_line(sink, shown);
        amgr_sink_putc(sink, ')');
    }
    amgr_sink_putc(sink, '\n');
}

/* A source may know how many there are and not which. */
static void put_hanging(const report_t *report)
{
    const amgr_snapshot_t *snapshot = report->snapshot;
    int listed = 0;
    int i;

    if (snapshot->hanging <= 0) {
        return;
    }
    put_list_heading(report, "Hanging", snapshot->hanging);
    for (i = 0; i < snapshot->process_count; i++) {
        const amgr_process_t *process = &snapshot->processes[i];
        int first = 0;
        int count;
        const amgr_slot_t *slots;

        while ((slots = amgr_view_slots(report->view, process, first,
                                        &count)) != NULL) {
            const amgr_slot_t *end = slots + count;

            for (; slots < end && listed < LIST_MAX; slots++) {
                if (amgr_hanging_is(report->view, slots)) {
                    put_hanging_slot(report, process, slots);
                    listed++;
                }
            }
            first += count;
        }
    }
    put_rest(report, snapshot->hanging - listed);
}

static void put_retiring(const report_t *report)
{
    const amgr_snapshot_t *snapshot = report->snapshot;
    amgr_view_counts_t counts;
    int listed = 0;
    int i;

    amgr_view_count(report->view, &counts);
    if (counts.retiring == 0) {
        return;
    }
    put_list_heading(report, "Being retired", counts.retiring);
    for (i = 0; i < snapshot->process_count && listed < LIST_MAX; i++) {
        const amgr_process_t *process = &snapshot->processes[i];
        char size[AMGR_UNITS_LEN];

        if (process->state != AMGR_STATE_RETIRING) {
            continue;
        }
        listed++;
        amgr_sink_printf(
            report->sink, " - %d: %s (", (int)process->id.pid,
            amgr_size_format(process->rss_bytes, size, sizeof(size)));
        amgr_escape_line(report->sink,
                         amgr_view_group_name(report->view, process->group));
        amgr_sink_puts(report->sink, ")\n");
    }
    put_rest(report, counts.retiring - listed);
}

/* Beside the server, if there are any. */
static void put_managed(const report_t *report)
{
    if (report->view->managed == NULL) {
        return;
    }
    amgr_sink_puts(report->sink, "\nManaged processes: ");
    amgr_managed_put_summary(report->view->managed, report->sink);
    amgr_sink_putc(report->sink, '\n');
}

/* Whoever reads figures of the past is told so, and why they are when they
 * should not be that old. */
static void put_age(const report_t *report, const amgr_source_t *source)
{
    apr_interval_time_t allowed_us =
        2 * report->view->config->limits.interval_us;
    apr_interval_time_t age_us = source->age_us;
    char span[AMGR_UNITS_LEN];
    int is_file = source->kind == AMGR_SOURCE_DATA_FILE;

    if (age_us == AMGR_NO_TIME || (age_us <= CURRENT_US && !is_file)) {
        return;
    }
    age_us =
        (age_us + APR_USEC_PER_SEC / 2) / APR_USEC_PER_SEC * APR_USEC_PER_SEC;
    amgr_sink_puts(report->sink, "\nAs of ");
    amgr_sink_puts(report->sink,
                   amgr_duration_format(age_us, span, sizeof(span)));
    amgr_sink_puts(report->sink, " ago");
    if (is_file || source->age_us > allowed_us) {
        amgr_sink_puts(report->sink, ", from ");
        amgr_escape_line(report->sink, source->name);
        amgr_sink_puts(report->sink, is_file ? ": the server did not answer"
                                             : ": it was not written since");
    }
    amgr_sink_puts(report->sink, ".\n");
}

void amgr_report_write(const amgr_source_t *source, int colored,
                       amgr_sink_t *sink)
{
    report_t report;

    report.view = &source->view;
    report.snapshot = source->view.snapshot;
    report.sink = sink;
    report.colored = colored;
    put_server(&report);
    put_groups(&report);
    put_hanging(&report);
    put_retiring(&report);
    put_managed(&report);
    put_age(&report, source);
}

void amgr_task_report(const amgr_options_t *options,
                      const amgr_source_t *source)
{
    amgr_report_write(source, amgr_output_is_colored(options->color),
                      amgr_output());
}
