/* SPDX-License-Identifier: Apache-2.0
 *
 * The page's table of processes as a whole: its columns, the order that the
 * reader asked for, and the filter, which holds for the table of workers too.
 */
#include "render/page_process.h"

#include <string.h>

#include "model/words.h"
#include "render/trends.h"

typedef enum column_e {
    COLUMN_PID = 0,
    COLUMN_GROUP,
    COLUMN_STATE,
    COLUMN_VERDICT,
    COLUMN_BUSY,
    COLUMN_MEMORY,
    COLUMN_MEASURE,
    COLUMN_SHARE,
    COLUMN_GROWTH,
    COLUMN_LEFT,
    COLUMN_AGE,
    COLUMN_THREADS,
    COLUMN_REQUESTS,
    COLUMN_GENERATION,
    COLUMN_COUNT
} column_e;

static const amgr_page_column_t all_columns[COLUMN_COUNT] = {
    {"PID", "pid", 1, NULL},
    {"Group", "group", 0, NULL},
    {"State", "state", 0, NULL},
    {"Verdict", "verdict", 0, "what is thought of it, the worst first"},
    {"Busy", "busy", 1, "workers that are not idle, of all it has"},
    {"Resident", "memory", 1, "memory, with the pages it shares"},
    {"Measured", "measure", 1, "the memory that limits are compared with"},
    {"Of its limit", "share", 1, "memory against the limit that it obeys now"},
    {"Growth", "growth", 1, "of the resident memory of late"},
    {"Limit reached", "left", 0, "if it goes on growing as of late"},
    {"Age", "age", 1, NULL},
    {"Threads", "threads", 1, NULL},
    {"Requests", "requests", 1, "that it has answered"},
    {"Generation", "generation", 1, "restarts of the server before it"}};

static apr_int64_t size_key(apr_uint64_t bytes)
{
    return bytes > APR_INT64_MAX ? AMGR_PAGE_NO_KEY : (apr_int64_t)bytes;
}

static apr_int64_t left_key(const amgr_view_t *view,
                            const amgr_process_t *process)
{
    apr_interval_time_t left_us;

    if (amgr_measure_is_over(
            amgr_measure_of(process, view->config->limits.metric),
            amgr_trends_limit(view, process))) {
        return 0;
    }
    left_us = amgr_trends_time_to_limit(view, process);
    return left_us < 0 ? AMGR_PAGE_NO_KEY : left_us;
}

/* What the columns that hold numbers are put in order by. */
static apr_int64_t key_of(const amgr_view_t *view,
                          const amgr_process_t *process, int column)
{
    switch (column) {
    case COLUMN_BUSY:
        return process->busy_slots < 0 ? AMGR_PAGE_NO_KEY : process->busy_slots;
    case COLUMN_MEMORY:
        return size_key(process->rss_bytes);
    case COLUMN_MEASURE:
        return size_key(amgr_measure_of(process, view->config->limits.metric));
    case COLUMN_SHARE:
        return amgr_page_percent(view, process,
                                 amgr_trends_limit(view, process));
    case COLUMN_GROWTH:
        return process->growth_bytes_per_hour;
    case COLUMN_LEFT:
        return left_key(view, process);
    case COLUMN_AGE:
        return process->age_us < 0 ? AMGR_PAGE_NO_KEY : process->age_us;
    case COLUMN_THREADS:
        return process->threads > 0 ? process->threads : AMGR_PAGE_NO_KEY;
    case COLUMN_REQUESTS:
        return size_key(amgr_view_accesses(view, process));
    case COLUMN_GENERATION:
        return process->generation < 0 ? AMGR_PAGE_NO_KEY : process->generation;
    case COLUMN_VERDICT:
        return -(apr_int64_t)amgr_page_shown_verdict(view, process);
    default:
        return process->id.pid;
    }
}

typedef struct order_t {
    const amgr_view_t *view;
    int column;
    int descending;
} order_t;

/* Below 0 when @a a is the lower of the two. */
static int compare(const order_t *order, const amgr_process_t *a,
                   const amgr_process_t *b)
{
    apr_int64_t key_a;
    apr_int64_t key_b;

    if (order->column == COLUMN_GROUP) {
        return strcmp(amgr_view_group_name(order->view, a->group),
                      amgr_view_group_name(order->view, b->group));
    }
    if (order->column == COLUMN_STATE) {
        return strcmp(amgr_state_word(a->state), amgr_state_word(b->state));
    }
    key_a = key_of(order->view, a, order->column);
    key_b = key_of(order->view, b, order->column);
    if ((key_a == AMGR_PAGE_NO_KEY) != (key_b == AMGR_PAGE_NO_KEY)) {
        /* Last either way. */
        return (key_a == AMGR_PAGE_NO_KEY) == !order->descending ? 1 : -1;
    }
    return key_a < key_b ? -1 : key_a > key_b;
}

static int is_before(const void *baton, int a, int b)
{
    const order_t *order = baton;
    const amgr_process_t *processes = order->view->snapshot->processes;
    int result = compare(order, &processes[a], &processes[b]);

    if (result == 0) {
        return a < b;
    }
    return order->descending ? result > 0 : result < 0;
}

static int count_matches(const amgr_view_t *view)
{
    const amgr_snapshot_t *snapshot = view->snapshot;
    int count = 0;
    int i;

    for (i = 0; i < snapshot->process_count; i++) {
        count += amgr_page_process_matches(view, &snapshot->processes[i]);
    }
    return count;
}

/* The fields beside the filter's own keep what else the address asks for. */
static void put_filter(const amgr_view_t *view, amgr_sink_t *sink)
{
    amgr_sink_puts(sink,
                   "<form method=\"get\" role=\"search\" class=\"filter\">"
                   "<label for=\"filter\">Show only processes and"
                   " workers with</label> <input type=\"search\""
                   " id=\"filter\" name=\"filter\" maxlength=\"");
    amgr_sink_i64(sink, AMGR_PAGE_FILTER_LEN - 1);
    amgr_sink_puts(sink, "\" value=\"");
    amgr_page_text(sink, view->query.filter);
    amgr_sink_puts(sink, "\"> ");
    amgr_page_query_write_hidden(&view->query, sink);
    amgr_sink_puts(sink, "<button type=\"submit\">Filter</button></form>\n");
}

/* "3 of 40 processes match", and the way back to all of them. */
static void put_found(const amgr_view_t *view, amgr_sink_t *sink, int count)
{
    amgr_page_query_t all = view->query;

    all.filter[0] = '\0';
    amgr_sink_puts(sink, "<p id=\"found\">");
    amgr_sink_i64(sink, count);
    amgr_sink_puts(sink, " of ");
    amgr_page_plural(sink, view->snapshot->process_count, "process");
    amgr_sink_puts(sink, count == 1 ? " matches <q>" : " match <q>");
    amgr_page_text(sink, view->query.filter);
    amgr_sink_puts(sink, "</q>. ");
    amgr_page_begin_link(sink, &all, "processes");
    amgr_sink_puts(sink, "Show all</a></p>\n");
}

static void begin_table(const amgr_view_t *view, amgr_sink_t *sink)
{
    const char *metric = amgr_page_metric_title(view->config->limits.metric);
    amgr_page_column_t columns[COLUMN_COUNT];
    int count = 0;
    int i;

    for (i = 0; i < COLUMN_COUNT; i++) {
        if (i == COLUMN_MEASURE && metric[0] == '\0') {
            continue;
        }
        columns[count] = all_columns[i];
        if (i == COLUMN_MEASURE) {
            columns[count].title = metric;
        }
        count++;
    }
    amgr_page_begin_sorted(view, sink,
                           "Direct children of the server, memory and verdict"
                           " as of the last tick",
                           AMGR_PAGE_PROCESSES, columns, count);
}

/* Those that match, in the order asked for. */
static void put_sorted(const amgr_view_t *view, amgr_sink_t *sink, int column)
{
    const amgr_snapshot_t *snapshot = view->snapshot;
    order_t order;
    int count = 0;
    int i;

    for (i = 0; i < snapshot->process_count; i++) {
        if (amgr_page_process_matches(view, &snapshot->processes[i])) {
            view->scratch[count++] = i;
        }
    }
    order.view = view;
    order.column = column;
    order.descending = view->query.orders[AMGR_PAGE_PROCESSES].descending;
    amgr_page_sort(view->scratch, count, is_before, &order);
    for (i = 0; i < count; i++) {
        amgr_page_process(view, sink, &snapshot->processes[view->scratch[i]]);
    }
}

static void put_rows(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_snapshot_t *snapshot = view->snapshot;
    int column = amgr_page_sorted_by(view, AMGR_PAGE_PROCESSES, all_columns,
                                     COLUMN_COUNT);
    int i;

    if (column >= 0 && view->scratch != NULL &&
        snapshot->process_count <= view->scratch_count) {
        put_sorted(view, sink, column);
        return;
    }
    for (i = 0; i < snapshot->process_count; i++) {
        if (amgr_page_process_matches(view, &snapshot->processes[i])) {
            amgr_page_process(view, sink, &snapshot->processes[i]);
        }
    }
}

static void put_table(const amgr_view_t *view, amgr_sink_t *sink)
{
    if (view->query.filter[0] != '\0') {
        int count = count_matches(view);

        put_found(view, sink, count);
        if (count == 0) {
            return;
        }
    }
    begin_table(view, sink);
    put_rows(view, sink);
    amgr_page_end_table(sink);
}

void amgr_page_processes(const amgr_view_t *view, amgr_sink_t *sink)
{
    amgr_page_begin_section(sink, "processes", "Processes");
    put_filter(view, sink);
    if (view->snapshot->process_count == 0) {
        amgr_sink_puts(sink, "<p>None is known yet.</p>\n");
    }
    else {
        put_table(view, sink);
    }
    amgr_page_end_section(sink);
}
