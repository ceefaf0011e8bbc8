/* SPDX-License-Identifier: Apache-2.0
 *
 * The page's section of managed processes: how they are, and, for whoever may
 * give them, forms for orders that work without a script.  What a process says
 * of itself is hostile, and escaped as all text.
 */
#include "render/page.h"

#include "supervise/supervisor.h"

#define NEAR_PERCENT 80 /* of MaxMemory: as of here it is marked */
#define NAMED_MAX 3     /* of those that the headline is about */

static const char *state_class(const amgr_managed_t *process)
{
    switch (process->state) {
    case AMGR_MANAGED_FATAL:
        return "bad";
    case AMGR_MANAGED_READY:
        return process->ready ? "ok" : "warn";
    case AMGR_MANAGED_STARTING:
    case AMGR_MANAGED_RUNNING:
    case AMGR_MANAGED_STOPPING:
        return "info";
    case AMGR_MANAGED_EXITED:
        return process->ready ? "ok" : "warn";
    default:
        return amgr_managed_is_missed(process) ? "warn" : "na";
    }
}

/* Why it is so, and what it says itself. */
static void put_why(amgr_sink_t *sink, const amgr_managed_t *process)
{
    if (process->reason[0] != '\0') {
        amgr_sink_puts(sink, "<br><span class=\"why\">");
        amgr_page_text(sink, process->reason);
        amgr_sink_puts(sink, "</span>");
    }
    if (process->status[0] != '\0') {
        amgr_sink_puts(sink, "<br><q>");
        amgr_page_text(sink, process->status);
        amgr_sink_puts(sink, "</q>");
    }
}

static void put_next_start(const amgr_view_t *view, amgr_sink_t *sink,
                           const amgr_managed_t *process)
{
    apr_interval_time_t left_us = process->next_start_us - view->now_wall_us;

    if (process->state != AMGR_MANAGED_BACKOFF || process->next_start_us <= 0) {
        return;
    }
    amgr_sink_puts(sink, "<br><span class=\"why\">next start in ");
    amgr_page_span(sink, left_us > 0 ? left_us : 0);
    amgr_sink_puts(sink, "</span>");
}

static void put_state_cell(const amgr_view_t *view, amgr_sink_t *sink,
                           const amgr_managed_t *process)
{
    amgr_sink_puts(sink, "<td><span class=\"mark ");
    amgr_sink_puts(sink, state_class(process));
    amgr_sink_puts(sink, "\">");
    amgr_sink_puts(sink, amgr_managed_state_word(process->state));
    amgr_sink_puts(sink, "</span>");
    put_why(sink, process);
    put_next_start(view, sink, process);
    amgr_sink_puts(sink, "</td>");
}

static void put_ready_cell(amgr_sink_t *sink, const amgr_managed_t *process)
{
    if (process->ready) {
        amgr_sink_puts(sink, "<td>yes</td>");
    }
    else if (amgr_managed_is_missed(process)) {
        amgr_sink_puts(sink, "<td><b>no</b></td>");
    }
    else {
        amgr_sink_puts(sink, "<td class=\"na\">not wanted</td>");
    }
}

static void put_since_cell(const amgr_view_t *view, amgr_sink_t *sink,
                           const amgr_managed_t *process)
{
    apr_interval_time_t span_us = view->now_wall_us - process->since_us;

    if (process->since_us <= 0) {
        amgr_sink_puts(sink, "<td class=\"num na\">" AMGR_PAGE_NA "</td>");
        return;
    }
    amgr_sink_puts(sink, "<td class=\"num\">");
    /* The wall clock may have been set back since. */
    amgr_page_span(sink, span_us > 0 ? span_us : 0);
    amgr_sink_puts(sink, "</td>");
}

static void put_end_cell(amgr_sink_t *sink, const amgr_managed_t *process)
{
    char text[AMGR_MANAGED_END_LEN];

    if (!process->exit_known) {
        amgr_sink_puts(sink, "<td class=\"na\">none</td>");
        return;
    }
    amgr_managed_end_text(process, text);
    amgr_sink_puts(sink, "<td class=\"end\">");
    amgr_page_text(sink, text);
    amgr_sink_puts(sink, "</td>");
}

static int percent_of(apr_uint64_t used, apr_uint64_t limit)
{
    double percent = (double)used / (double)limit * 100.0;

    return percent > 999.0 ? 999 : (int)percent;
}

/* Against MaxMemory where there is one. */
static void put_memory_cells(amgr_sink_t *sink, const amgr_managed_t *process)
{
    apr_uint64_t used =
        process->tree_count > 0 ? process->memory_bytes : AMGR_UNKNOWN;
    int percent;

    amgr_page_size_cell(sink, used);
    if (process->max_memory_bytes == 0) {
        amgr_sink_puts(sink, "<td class=\"na\">no limit</td>");
        return;
    }
    amgr_sink_puts(sink, "<td>");
    if (used != AMGR_UNKNOWN) {
        percent = percent_of(used, process->max_memory_bytes);
        amgr_sink_puts(sink, "<meter max=\"100\" high=\"");
        amgr_sink_i64(sink, NEAR_PERCENT);
        amgr_sink_puts(sink, "\" optimum=\"0\" value=\"");
        amgr_sink_i64(sink, percent);
        amgr_sink_puts(sink, "\"></meter> ");
        amgr_sink_i64(sink, percent);
        amgr_sink_puts(sink, "% of ");
    }
    amgr_page_size(sink, process->max_memory_bytes);
    amgr_sink_puts(sink, "</td>");
}

static void put_cpu_cell(amgr_sink_t *sink, const amgr_managed_t *process)
{
    if (process->starts == 0 || process->cpu_us > APR_INT64_MAX) {
        amgr_sink_puts(sink, "<td class=\"num na\">" AMGR_PAGE_NA "</td>");
        return;
    }
    amgr_sink_puts(sink, "<td class=\"num\">");
    amgr_page_fixed(sink, process->cpu_us / 10000, 2);
    amgr_sink_puts(sink, "s</td>");
}

/* Orders that make sense as it is; several ORed. */
static int orders_of(const amgr_managed_t *process)
{
    int is_up = process->want == AMGR_MANAGED_WANT_UP;
    int orders = is_up ? 1 << AMGR_VERB_STOP : 0;

    switch (process->state) {
    case AMGR_MANAGED_EXITED:
    case AMGR_MANAGED_FATAL:
        return orders | 1 << AMGR_VERB_START;
    case AMGR_MANAGED_STARTING:
    case AMGR_MANAGED_RUNNING:
    case AMGR_MANAGED_READY:
    case AMGR_MANAGED_BACKOFF:
        return orders | 1 << AMGR_VERB_RESTART;
    default:
        return is_up ? orders : 1 << AMGR_VERB_START;
    }
}

/* A button that sends the form elsewhere than its neighbours do, with what the
 * page was asked for, as which it is to come back.  Its id begins with the
 * verb: one that ended with it might be another process's row. */
static void put_button(const amgr_view_t *view, amgr_sink_t *sink,
                       const amgr_managed_t *process, const char *verb,
                       const char *title)
{
    amgr_sink_puts(sink, "<button id=\"");
    amgr_sink_puts(sink, verb);
    amgr_sink_putc(sink, '-');
    amgr_page_text(sink, process->name);
    amgr_sink_puts(sink, "\" formaction=\"");
    amgr_page_text(sink, view->base_path);
    amgr_sink_puts(sink, "/processes/");
    amgr_page_text(sink, process->name);
    amgr_sink_putc(sink, '/');
    amgr_sink_puts(sink, verb);
    amgr_page_query_write(&view->query, sink);
    amgr_sink_puts(sink, "\" aria-label=\"");
    amgr_sink_puts(sink, title);
    amgr_sink_putc(sink, ' ');
    amgr_page_text(sink, process->name);
    amgr_sink_puts(sink, "\">");
    amgr_sink_puts(sink, title);
    amgr_sink_puts(sink, "</button>");
}

static void put_orders_cell(const amgr_view_t *view, amgr_sink_t *sink,
                            const amgr_managed_t *process)
{
    static const struct {
        int verb;
        const char *word;
        const char *title;
    } verbs[] = {{AMGR_VERB_START, "start", "Start"},
                 {AMGR_VERB_RESTART, "restart", "Restart"},
                 {AMGR_VERB_STOP, "stop", "Stop"}};
    int orders = orders_of(process);
    apr_size_t i;

    amgr_sink_puts(sink, "<td><form method=\"post\"><input type=\"hidden\""
                         " name=\"token\" value=\"");
    amgr_page_text(sink, view->control_token);
    amgr_sink_puts(sink, "\">");
    for (i = 0; i < AMGR_COUNT(verbs); i++) {
        if (orders >> verbs[i].verb & 1) {
            put_button(view, sink, process, verbs[i].word, verbs[i].title);
        }
    }
    amgr_sink_puts(sink, "</form></td>");
}

static void put_process(const amgr_view_t *view, amgr_sink_t *sink,
                        const amgr_managed_t *process, int takes_orders)
{
    amgr_sink_puts(sink, "<tr id=\"managed-");
    amgr_page_text(sink, process->name);
    amgr_sink_puts(sink, "\"><th scope=\"row\" title=\"");
    amgr_page_text(sink, process->program);
    amgr_sink_puts(sink, "\">");
    amgr_page_text(sink, process->name);
    amgr_sink_puts(sink, "</th>");
    put_state_cell(view, sink, process);
    /* Before the figures, where it is in sight on a narrow screen too. */
    if (takes_orders) {
        put_orders_cell(view, sink, process);
    }
    put_ready_cell(sink, process);
    amgr_page_count_cell(sink, amgr_managed_is_running(process)
                                   ? (apr_int64_t)process->pid
                                   : -1);
    put_since_cell(view, sink, process);
    amgr_sink_puts(sink, "<td class=\"num\">");
    amgr_sink_u64(sink, process->starts);
    amgr_sink_puts(sink, "</td>");
    put_end_cell(sink, process);
    put_memory_cells(sink, process);
    put_cpu_cell(sink, process);
    amgr_sink_puts(sink, "</tr>\n");
}

/* All of them together, and who watches them. */
static void put_summary(amgr_sink_t *sink, const amgr_managed_table_t *table)
{
    if (amgr_managed_is_unwatched(table)) {
        amgr_sink_puts(sink, "<p class=\"note\">No supervisor: nobody watches"
                             " these processes, and this is how they were seen"
                             " last.</p>\n");
    }
    amgr_sink_puts(sink, "<p>Application: <b>");
    amgr_sink_puts(sink, amgr_application_word(table->application));
    amgr_sink_puts(sink, "</b>");
    if (table->supervisor > 0) {
        amgr_sink_puts(sink, "; supervisor: process ");
        amgr_sink_i64(sink, table->supervisor);
    }
    if (table->supervisors > 1) {
        amgr_sink_puts(sink, ", started ");
        amgr_page_plural(sink, (apr_int64_t)table->supervisors, "time");
    }
    amgr_sink_puts(sink, "</p>\n");
}

/* A reader who looks for the buttons is told why there are none.  All may be
 * stopped since another supervisor takes over, and not by an order. */
static void put_refusal(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_managed_table_t *table = view->managed;
    const char *why = view->control_refusal;

    if (table->is_shut) {
        why = "all managed processes are shut down until httpd is restarted";
    }
    else if (table->application == AMGR_APPLICATION_SHUTDOWN) {
        why = "all managed processes are being stopped, and their supervisor"
              " is about to end";
    }
    if (why != NULL) {
        amgr_sink_puts(sink, "<p class=\"why\">No orders are taken here: ");
        amgr_page_text(sink, why);
        amgr_sink_puts(sink, ".</p>\n");
    }
}

void amgr_page_managed(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_managed_table_t *table = view->managed;
    int takes_orders;
    int i;

    if (table == NULL) {
        return;
    }
    takes_orders = view->control_token != NULL && table->supervisor > 0 &&
                   table->application != AMGR_APPLICATION_SHUTDOWN;
    amgr_page_begin_section(sink, "managed", "Managed processes");
    put_summary(sink, table);
    if (!takes_orders) {
        put_refusal(view, sink);
    }
    amgr_page_begin_table(
        sink,
        "Processes that run beside the server; memory and CPU time are of"
        " all that each of them started",
        takes_orders ? "Process|State|Orders|Ready|#PID|#Since|#Starts|"
                       "Last end|#Resident|Of MaxMemory|#CPU"
                     : "Process|State|Ready|#PID|#Since|#Starts|Last end|"
                       "#Resident|Of MaxMemory|#CPU");
    for (i = 0; i < table->count; i++) {
        put_process(view, sink, &table->processes[i], takes_orders);
    }
    amgr_page_end_table(sink);
    amgr_page_end_section(sink);
}

/* "solr, web and 2 more"; of those that failed alone, or of all missed. */
static void put_names(amgr_sink_t *sink, const amgr_managed_table_t *table,
                      int failed, int count)
{
    int named = 0;
    int i;

    for (i = 0; i < table->count && named < NAMED_MAX; i++) {
        const amgr_managed_t *process = &table->processes[i];

        if (amgr_managed_is_missed(process) &&
            (!failed || process->state == AMGR_MANAGED_FATAL)) {
            amgr_sink_puts(sink, named++ > 0 ? ", " : "");
            amgr_page_text(sink, process->name);
        }
    }
    if (count > named) {
        amgr_sink_puts(sink, " and ");
        amgr_sink_i64(sink, count - named);
        amgr_sink_puts(sink, " more");
    }
    amgr_sink_putc(sink, '.');
}

void amgr_page_managed_sentence(const amgr_view_t *view, amgr_sink_t *sink,
                                const amgr_view_counts_t *counts)
{
    int failed = counts->managed_failed;
    int missed = counts->managed_missed;

    if (counts->health == AMGR_HEALTH_NO_SUPERVISOR) {
        amgr_sink_puts(sink,
                       "The managed processes have no supervisor, or it hangs:"
                       " nobody watches them, and none counts as"
                       " ready.");
    }
    else if (counts->health == AMGR_HEALTH_FAILED) {
        amgr_page_plural(sink, failed, "managed process");
        amgr_sink_puts(sink, failed == 1 ? " has failed too often and stays"
                                           " down until it is started by an"
                                           " order: "
                                         : " have failed too often and stay"
                                           " down until they are started by an"
                                           " order: ");
        put_names(sink, view->managed, 1, failed);
    }
    else {
        amgr_page_plural(sink, missed, "managed process");
        amgr_sink_puts(sink,
                       missed == 1 ? " is not ready: " : " are not ready: ");
        put_names(sink, view->managed, 0, missed);
    }
}
