/* SPDX-License-Identifier: Apache-2.0
 *
 * The page's table of workers, with mod_status's columns by mod_status's names:
 * scripts written for that read it.  Rows are many, so nothing here formats
 * through printf.  Without an order the rows are written as they are read; with
 * one, only what they are ordered by is kept, of a bounded number of rows.
 */
#include "render/page_slots.h"

#include <string.h>

#include <apr_strings.h>

#include "render/page_rank.h"

/** Columns, in the order of the table. */
typedef enum column_e {
    COLUMN_SRV = 0,
    COLUMN_PID,
    COLUMN_ACC,
    COLUMN_MODE,
    COLUMN_CPU,
    COLUMN_SS,
    COLUMN_REQ,
    COLUMN_DUR,
    COLUMN_CONN,
    COLUMN_CHILD,
    COLUMN_SLOT,
    COLUMN_AGE,
    COLUMN_CLIENT,
    COLUMN_PROTOCOL,
    COLUMN_VHOST,
    COLUMN_REQUEST,
    COLUMN_COUNT
} column_e;

static const amgr_page_column_t columns[COLUMN_COUNT] = {
    [COLUMN_SRV] = {"Srv", "srv", 1, "row of the scoreboard, and generation"},
    [COLUMN_PID] = {"PID", "pid", 1, "process"},
    [COLUMN_ACC] = {"Acc", "acc", 1,
                    "of this connection, process and slot; by the last"},
    [COLUMN_MODE] = {"M", "mode", 0, "mode, see the key above"},
    [COLUMN_CPU] = {"CPU", "cpu", 1, "seconds of CPU time of its process"},
    [COLUMN_SS] = {"SS", "ss", 1, "seconds since it was last used"},
    [COLUMN_REQ] = {"Req", "req", 1, "milliseconds of its last request"},
    [COLUMN_DUR] = {"Dur", "dur", 1, "milliseconds of all its requests"},
    [COLUMN_CONN] = {"Conn", "conn", 1, "kB sent over this connection"},
    [COLUMN_CHILD] = {"Child", "child", 1, "MB sent by this process"},
    [COLUMN_SLOT] = {"Slot", "slot", 1, "MB sent by this slot"},
    [COLUMN_AGE] = {"Age", "age", 1, "of the request that runs now"},
    [COLUMN_CLIENT] = {"Client", "client", 0, NULL},
    [COLUMN_PROTOCOL] = {"Protocol", "protocol", 0, NULL},
    [COLUMN_VHOST] = {"VHost", "vhost", 0, "virtual host"},
    [COLUMN_REQUEST] = {"Request", "request", 0,
                        "the one that runs, or ran last"},
};

static void next_cell(amgr_sink_t *sink)
{
    amgr_sink_puts(sink, "</td><td>");
}

/* Bytes in 1024 to the power of @a power, with @a decimals, rounded. */
static void put_scaled(amgr_sink_t *sink, apr_uint64_t bytes, int power,
                       int decimals)
{
    apr_uint64_t unit = (apr_uint64_t)1 << (10 * power);
    apr_uint64_t scale = decimals == 1 ? 10 : 100;
    apr_uint64_t rest = bytes % unit;

    if (bytes == AMGR_UNKNOWN) {
        amgr_sink_puts(sink, AMGR_PAGE_NA);
        return;
    }
    amgr_page_fixed(sink,
                    bytes / unit * scale + (rest * scale + unit / 2) / unit,
                    decimals);
}

/* Without ExtendedStatus all that httpd counts of a slot is unknown. */
static int is_counted(const amgr_view_t *view, int column)
{
    return view->snapshot->server.extended ||
           (column != COLUMN_ACC &&
            (column < COLUMN_CPU || column > COLUMN_SLOT));
}

static apr_interval_time_t since_used(const amgr_view_t *view,
                                      const amgr_slot_t *slot)
{
    apr_interval_time_t since_us = view->now_wall_us - slot->last_used_us;

    return since_us > 0 ? since_us : 0;
}

static apr_interval_time_t last_took(const amgr_slot_t *slot)
{
    apr_interval_time_t last_us = slot->stop_time_us - slot->start_time_us;

    return last_us > 0 ? last_us : 0;
}

static void put_times(const amgr_view_t *view, amgr_sink_t *sink,
                      const amgr_slot_t *slot)
{
    apr_time_t cpu_us = amgr_proc_ticks_us(slot->cpu_ticks);
    int column;

    if (!is_counted(view, COLUMN_CPU)) {
        for (column = COLUMN_CPU; column <= COLUMN_DUR; column++) {
            amgr_sink_puts(sink, "</td><td>" AMGR_PAGE_NA);
        }
        return;
    }
    next_cell(sink);
    amgr_page_fixed(sink, cpu_us > 0 ? (apr_uint64_t)cpu_us / 10000 : 0, 2);
    next_cell(sink);
    if (slot->last_used_us <= 0) {
        amgr_sink_puts(sink, AMGR_PAGE_NA);
    }
    else {
        amgr_sink_i64(sink, apr_time_sec(since_used(view, slot)));
    }
    next_cell(sink);
    amgr_sink_i64(sink, apr_time_as_msec(last_took(slot)));
    next_cell(sink);
    amgr_sink_i64(sink, apr_time_as_msec(slot->duration_us));
}

/* Nothing for a worker without a request whose age can be told. */
static void put_age(const amgr_view_t *view, amgr_sink_t *sink,
                    const amgr_slot_t *slot)
{
    int marks = amgr_page_slot_marks(view, slot);

    if (slot->request_age_us < 0) {
        return;
    }
    if (marks != 0) {
        amgr_sink_puts(sink, "<span class=\"mark warn\">");
    }
    amgr_page_slot_age(sink, slot, marks);
    if (marks != 0) {
        amgr_sink_puts(sink, "</span>");
    }
}

static void put_texts(const amgr_view_t *view, amgr_sink_t *sink,
                      const amgr_slot_t *slot)
{
    next_cell(sink);
    amgr_page_client(view, sink, slot->client);
    next_cell(sink);
    amgr_page_text(sink, slot->protocol);
    next_cell(sink);
    amgr_page_text(sink, slot->vhost);
    amgr_sink_puts(sink, "</td><td>");
    amgr_page_request(view, sink, slot->request);
    amgr_sink_puts(sink, "</td></tr>\n");
}

static void put_accesses(const amgr_view_t *view, amgr_sink_t *sink,
                         const amgr_slot_t *slot)
{
    next_cell(sink);
    if (!is_counted(view, COLUMN_ACC)) {
        amgr_sink_puts(sink, AMGR_PAGE_NA);
        return;
    }
    amgr_sink_u64(sink, slot->conn_count);
    amgr_sink_putc(sink, '/');
    amgr_sink_u64(sink, slot->child_accesses);
    amgr_sink_putc(sink, '/');
    amgr_sink_u64(sink, slot->accesses);
}

static void put_sizes(const amgr_view_t *view, amgr_sink_t *sink,
                      const amgr_slot_t *slot)
{
    int counted = is_counted(view, COLUMN_CONN);

    next_cell(sink);
    put_scaled(sink, counted ? slot->conn_bytes : AMGR_UNKNOWN, 1, 1);
    next_cell(sink);
    put_scaled(sink, counted ? slot->child_bytes : AMGR_UNKNOWN, 2, 2);
    next_cell(sink);
    put_scaled(sink, counted ? slot->bytes : AMGR_UNKNOWN, 2, 2);
}

static void put_row(const amgr_view_t *view, amgr_sink_t *sink,
                    const amgr_process_t *process, const amgr_slot_t *slot)
{
    amgr_sink_puts(sink, "<tr id=\"");
    amgr_page_slot_id(sink, 'w', slot);
    amgr_sink_puts(sink, "\"><td>");
    amgr_sink_i64(sink, slot->process_slot);
    amgr_sink_putc(sink, '-');
    amgr_sink_i64(sink, process->generation);
    next_cell(sink);
    amgr_sink_i64(sink, process->id.pid);
    put_accesses(view, sink, slot);
    next_cell(sink);
    amgr_sink_putc(sink, amgr_mode_letter(slot->mode));
    put_times(view, sink, slot);
    put_sizes(view, sink, slot);
    next_cell(sink);
    put_age(view, sink, slot);
    put_texts(view, sink, slot);
}

/* A number is known unless it is negative; text unless it is empty. */
static void rank_number(amgr_page_ranked_t *out, apr_int64_t value)
{
    out->known = value >= 0;
    out->number = value >= 0 ? (apr_uint64_t)value : 0;
}

static void rank_bytes(amgr_page_ranked_t *out, apr_uint64_t value)
{
    out->known = value != AMGR_UNKNOWN;
    out->number = value;
}

static void rank_text(amgr_page_ranked_t *out, const char *text)
{
    out->known = text[0] != '\0';
    apr_cpystrn(out->text, text, sizeof(out->text));
}

/* By what is shown: an order by what is hidden would tell of it. */
static void rank_shown(const amgr_view_t *view, const amgr_slot_t *slot,
                       int column, amgr_page_ranked_t *out)
{
    char client[AMGR_CLIENT_SHOWN_LEN];
    char request[AMGR_SLOT_REQUEST_LEN];

    switch (column) {
    case COLUMN_CLIENT:
        rank_text(out, amgr_client_shown(view->show_clients, slot->client,
                                         client, sizeof(client)));
        break;
    case COLUMN_PROTOCOL:
        rank_text(out, slot->protocol);
        break;
    case COLUMN_VHOST:
        rank_text(out, slot->vhost);
        break;
    default:
        rank_text(out, amgr_request_shown(view->show_requests, slot->request,
                                          request, sizeof(request)));
        break;
    }
}

static void rank_time(const amgr_view_t *view, const amgr_slot_t *slot,
                      int column, amgr_page_ranked_t *out)
{
    switch (column) {
    case COLUMN_CPU:
        rank_bytes(out, slot->cpu_ticks);
        break;
    case COLUMN_SS:
        rank_number(out, slot->last_used_us <= 0 ? -1 : since_used(view, slot));
        break;
    case COLUMN_REQ:
        rank_number(out, last_took(slot));
        break;
    case COLUMN_DUR:
        rank_number(out, slot->duration_us);
        break;
    default:
        rank_number(out, slot->request_age_us);
        break;
    }
}

static void rank(const amgr_view_t *view, const amgr_process_t *process,
                 const amgr_slot_t *slot, int column, amgr_page_ranked_t *out)
{
    if (!is_counted(view, column)) {
        rank_number(out, -1);
        return;
    }
    switch (column) {
    case COLUMN_SRV:
        rank_number(out, (apr_int64_t)slot->process_slot << 32 | slot->thread);
        break;
    case COLUMN_PID:
        rank_number(out, process->id.pid);
        break;
    case COLUMN_ACC:
        rank_bytes(out, slot->accesses);
        break;
    case COLUMN_MODE:
        rank_number(out, amgr_mode_letter(slot->mode));
        break;
    case COLUMN_CONN:
        rank_bytes(out, slot->conn_bytes);
        break;
    case COLUMN_CHILD:
        rank_bytes(out, slot->child_bytes);
        break;
    case COLUMN_SLOT:
        rank_bytes(out, slot->bytes);
        break;
    case COLUMN_CPU:
    case COLUMN_SS:
    case COLUMN_REQ:
    case COLUMN_DUR:
    case COLUMN_AGE:
        rank_time(view, slot, column, out);
        break;
    default:
        rank_shown(view, slot, column, out);
        break;
    }
}

/** The table while it is written. */
typedef struct rows_t {
    const amgr_view_t *view;
    amgr_sink_t *sink;
    int busy_only;
    int column;           /**< that the rows are ordered by */
    amgr_page_top_t *top; /**< NULL: in no order */
    int count;            /**< rows written, or ranked */
} rows_t;

static int is_listed(const rows_t *rows, const amgr_process_t *process,
                     const amgr_slot_t *slot)
{
    return (!rows->busy_only || !amgr_mode_is_idle(slot->mode)) &&
           amgr_page_slot_matches(rows->view, process, slot);
}

static void take_slot(rows_t *rows, int process_index, int index,
                      const amgr_slot_t *slot)
{
    const amgr_process_t *process =
        &rows->view->snapshot->processes[process_index];
    amgr_page_ranked_t ranked;

    if (!is_listed(rows, process, slot)) {
        return;
    }
    rows->count++;
    if (rows->top == NULL) {
        put_row(rows->view, rows->sink, process, slot);
        return;
    }
    memset(&ranked, 0, sizeof(ranked));
    ranked.process = process_index;
    ranked.slot = index;
    rank(rows->view, process, slot, rows->column, &ranked);
    amgr_page_top_add(rows->top, &ranked);
}

static void take_process(rows_t *rows, int index)
{
    const amgr_process_t *process = &rows->view->snapshot->processes[index];
    const amgr_slot_t *slots;
    int first = 0;
    int count;
    int i;

    if (rows->busy_only && process->busy_slots == 0) {
        return;
    }
    while ((slots = amgr_view_slots(rows->view, process, first, &count)) !=
           NULL) {
        for (i = 0; i < count; i++) {
            take_slot(rows, index, first + i, &slots[i]);
        }
        first += count;
    }
}

/* Write all that is listed, or rank it. */
static void take_all(rows_t *rows)
{
    int i;

    for (i = 0; i < rows->view->snapshot->process_count; i++) {
        take_process(rows, i);
    }
}

/* A slot that was ranked may have gone on since. */
static void put_ranked(rows_t *rows)
{
    int i;

    amgr_page_top_sort(rows->top);
    for (i = 0; i < rows->top->count; i++) {
        const amgr_page_ranked_t *ranked = &rows->top->rows[i];
        const amgr_process_t *process =
            &rows->view->snapshot->processes[ranked->process];
        const amgr_slot_t *slot =
            amgr_view_slot(rows->view, process, ranked->slot);

        if (slot != NULL && is_listed(rows, process, slot)) {
            put_row(rows->view, rows->sink, process, slot);
        }
    }
}

static void put_notes(const rows_t *rows, int slots)
{
    amgr_sink_t *sink = rows->sink;

    if (rows->busy_only) {
        amgr_sink_puts(sink, "<p>There are ");
        amgr_sink_i64(sink, slots);
        amgr_sink_puts(sink, " workers, so only the busy ones are shown.</p>"
                             "\n");
    }
    if (rows->view->query.filter[0] != '\0') {
        amgr_sink_puts(sink, "<p>Only those are shown that have <q>");
        amgr_page_text(sink, rows->view->query.filter);
        amgr_sink_puts(sink, "</q> in PID, mode, client, protocol, virtual host"
                             " or request.</p>\n");
    }
    if (rows->top != NULL && rows->count > rows->top->count) {
        amgr_sink_puts(sink, "<p>Of ");
        amgr_sink_i64(sink, rows->count);
        amgr_sink_puts(sink, " these are the first ");
        amgr_sink_i64(sink, rows->top->count);
        amgr_sink_puts(sink, " in this order.</p>\n");
    }
}

void amgr_page_slots(const amgr_view_t *view, amgr_sink_t *sink)
{
    int slots = amgr_view_slot_count(view);
    rows_t rows = {view, sink, slots > AMGR_PAGE_SLOTS_MAX, 0, NULL, 0};

    rows.column =
        amgr_page_sorted_by(view, AMGR_PAGE_WORKERS, columns, COLUMN_COUNT);
    if (rows.column >= 0 && view->pool != NULL) {
        rows.top = amgr_page_top_create(
            AMGR_PAGE_SLOTS_MAX,
            view->query.orders[AMGR_PAGE_WORKERS].descending, view->pool);
        take_all(&rows);
    }
    amgr_page_begin_section(sink, "workers", "Workers");
    put_notes(&rows, slots);
    amgr_page_begin_sorted(view, sink,
                           "Each worker with its current or last request"
                           " (SS in seconds, Req and Dur in milliseconds,"
                           " Conn in kB, Child and Slot in MB)",
                           AMGR_PAGE_WORKERS, columns, COLUMN_COUNT);
    if (rows.top != NULL) {
        put_ranked(&rows);
    }
    else {
        take_all(&rows);
    }
    amgr_page_end_table(sink);
    if (rows.count == 0) {
        amgr_sink_puts(sink, "<p>There is none.</p>\n");
    }
    amgr_page_end_section(sink);
}
