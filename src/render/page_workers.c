/* SPDX-License-Identifier: Apache-2.0
 *
 * The page's table of workers, with mod_status's columns by mod_status's names:
 * scripts written for that read it.  Rows are many, so nothing here formats
 * through printf.
 */
#include "render/page.h"

/* More slots than this, and only the busy ones get a row. */
#define ROWS_MAX 2000

static void put_cell(amgr_sink_t *sink)
{
    amgr_sink_puts(sink, "</td><td class=\"num\">");
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

static void put_times(const amgr_view_t *view, amgr_sink_t *sink,
                      const amgr_slot_t *slot)
{
    apr_interval_time_t since_us = view->now_wall_us - slot->last_used_us;
    apr_interval_time_t last_us = slot->stop_time_us - slot->start_time_us;
    apr_time_t cpu_us = amgr_proc_ticks_us(slot->cpu_ticks);

    put_cell(sink);
    amgr_page_fixed(sink, cpu_us > 0 ? (apr_uint64_t)cpu_us / 10000 : 0, 2);
    put_cell(sink);
    if (slot->last_used_us <= 0) {
        amgr_sink_puts(sink, AMGR_PAGE_NA);
    }
    else {
        amgr_sink_i64(sink, since_us > 0 ? apr_time_sec(since_us) : 0);
    }
    put_cell(sink);
    amgr_sink_i64(sink, last_us > 0 ? apr_time_as_msec(last_us) : 0);
    put_cell(sink);
    amgr_sink_i64(sink, apr_time_as_msec(slot->duration_us));
}

static void put_texts(const amgr_view_t *view, amgr_sink_t *sink,
                      const amgr_slot_t *slot)
{
    amgr_sink_puts(sink, "</td><td>");
    amgr_page_client(view, sink, slot->client);
    amgr_sink_puts(sink, "</td><td>");
    amgr_page_text(sink, slot->protocol);
    amgr_sink_puts(sink, "</td><td>");
    amgr_page_text(sink, slot->vhost);
    amgr_sink_puts(sink, "</td><td class=\"request\">");
    amgr_page_request(view, sink, slot->request);
    amgr_sink_puts(sink, "</td></tr>\n");
}

static void put_slot(const amgr_view_t *view, amgr_sink_t *sink,
                     const amgr_process_t *process, const amgr_slot_t *slot)
{
    amgr_sink_puts(sink, "<tr><td class=\"num\">");
    amgr_sink_i64(sink, slot->process_slot);
    amgr_sink_putc(sink, '-');
    amgr_sink_i64(sink, process->generation);
    put_cell(sink);
    amgr_sink_i64(sink, process->id.pid);
    put_cell(sink);
    amgr_sink_u64(sink, slot->conn_count);
    amgr_sink_putc(sink, '/');
    amgr_sink_u64(sink, slot->child_accesses);
    amgr_sink_putc(sink, '/');
    amgr_sink_u64(sink, slot->accesses);
    amgr_sink_puts(sink, "</td><td class=\"mode\">");
    amgr_sink_putc(sink, amgr_mode_letter(slot->mode));
    put_times(view, sink, slot);
    put_cell(sink);
    put_scaled(sink, slot->conn_bytes, 1, 1);
    put_cell(sink);
    put_scaled(sink, slot->child_bytes, 2, 2);
    put_cell(sink);
    put_scaled(sink, slot->bytes, 2, 2);
    put_texts(view, sink, slot);
}

static void put_rows(const amgr_view_t *view, amgr_sink_t *sink, int busy_only)
{
    const amgr_snapshot_t *snapshot = view->snapshot;
    int i;
    int j;

    for (i = 0; i < snapshot->process_count; i++) {
        const amgr_process_t *process = &snapshot->processes[i];
        int count;
        const amgr_slot_t *slots = amgr_view_slots(view, process, &count);

        for (j = 0; j < count; j++) {
            if (!busy_only || !amgr_mode_is_idle(slots[j].mode)) {
                put_slot(view, sink, process, &slots[j]);
            }
        }
    }
}

void amgr_page_slots(const amgr_view_t *view, amgr_sink_t *sink)
{
    int slots = amgr_view_slot_count(view);
    int busy_only = slots > ROWS_MAX;

    amgr_page_begin_section(sink, "workers", "Workers");
    if (busy_only) {
        amgr_sink_puts(sink, "<p>There are ");
        amgr_sink_i64(sink, slots);
        amgr_sink_puts(sink, " workers, so only the busy ones are shown.</p>"
                             "\n");
    }
    amgr_page_begin_table(sink,
                          "Each worker with its current or last request"
                          " (SS in seconds, Req and Dur in milliseconds,"
                          " Conn in kB, Child and Slot in MB)",
                          "#Srv|#PID|#Acc|M|#CPU|#SS|#Req|#Dur|#Conn|#Child|"
                          "#Slot|Client|Protocol|VHost|Request");
    put_rows(view, sink, busy_only);
    amgr_page_end_table(sink);
    amgr_page_end_section(sink);
}
