/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of the page that scripts written for mod_status read: the sentence
 * with the worker counts, the rates, the scoreboard's letters in the first
 * pre element, and one table with mod_status's columns.  Their wording is a
 * contract.  Rows are many, so nothing here formats through printf.
 */
#include "render/page.h"

#include <string.h>

/* More slots than this, and only the busy ones get a row. */
#define ROWS_MAX 2000

/* Letters are gathered in pieces: processes come in the order of their pids,
 * letters in the order of the scoreboard, and nothing is allocated. */
#define LETTERS_CHUNK 8192
#define LETTERS_LINE 64
#define LETTERS_MAX (1 << 20)

static void put_kilobytes(amgr_sink_t *sink, double bytes)
{
    amgr_page_rate(sink, bytes < 0.0 ? -1.0 : bytes / 1024.0);
}

static void put_sentences(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_server_t *server = &view->snapshot->server;
    int counted = server->extended;

    amgr_sink_puts(sink, "<p>");
    amgr_sink_i64(sink, server->busy_workers);
    amgr_sink_puts(sink, " requests currently being processed, ");
    amgr_sink_i64(sink, server->graceful_workers);
    amgr_sink_puts(sink, " workers gracefully restarting, ");
    amgr_sink_i64(sink, server->idle_workers);
    amgr_sink_puts(sink, " idle workers</p>\n<p>");
    amgr_page_rate(sink, counted ? server->requests_per_second : -1.0);
    amgr_sink_puts(sink, " requests/sec - ");
    put_kilobytes(sink, counted ? server->bytes_per_second : -1.0);
    amgr_sink_puts(sink, " kB/second - ");
    put_kilobytes(sink, counted ? server->bytes_per_request : -1.0);
    amgr_sink_puts(sink, " kB/request</p>\n");
}

/* Slots in a row of the scoreboard, as far as can be seen. */
static apr_int64_t row_width(const amgr_snapshot_t *snapshot)
{
    apr_int64_t width = snapshot->server.threads_per_process;
    int i;

    for (i = 0; i < snapshot->slot_count; i++) {
        if (snapshot->slots[i].thread >= width) {
            width = (apr_int64_t)snapshot->slots[i].thread + 1;
        }
    }
    return width > 0 ? width : 1;
}

/* Place of the slot among the letters, negative when it has none. */
static apr_int64_t letter_index(const amgr_slot_t *slot, apr_int64_t width)
{
    if (slot->process_slot < 0 || slot->thread < 0) {
        return -1;
    }
    return slot->process_slot * width + slot->thread;
}

static apr_int64_t count_letters(const amgr_snapshot_t *snapshot,
                                 apr_int64_t width)
{
    apr_int64_t count = snapshot->server.max_workers;
    int i;

    for (i = 0; i < snapshot->slot_count; i++) {
        apr_int64_t index = letter_index(&snapshot->slots[i], width);

        if (index >= count) {
            count = index + 1;
        }
    }
    return count < LETTERS_MAX ? count : LETTERS_MAX;
}

static void put_letters(const amgr_snapshot_t *snapshot, amgr_sink_t *sink)
{
    char letters[LETTERS_CHUNK];
    apr_int64_t width = row_width(snapshot);
    apr_int64_t count = count_letters(snapshot, width);
    apr_int64_t base;

    for (base = 0; base < count; base += LETTERS_CHUNK) {
        apr_int64_t here = count - base;
        apr_int64_t at;
        int i;

        here = here < LETTERS_CHUNK ? here : LETTERS_CHUNK;
        memset(letters, '.', (apr_size_t)here);
        for (i = 0; i < snapshot->slot_count; i++) {
            at = letter_index(&snapshot->slots[i], width) - base;
            if (at >= 0 && at < here) {
                letters[at] = amgr_mode_letter(snapshot->slots[i].mode);
            }
        }
        for (at = 0; at < here; at += LETTERS_LINE) {
            amgr_sink_put(sink, letters + at, (apr_size_t)(
                here - at < LETTERS_LINE ? here - at : LETTERS_LINE));
            amgr_sink_putc(sink, '\n');
        }
    }
}

void amgr_page_scoreboard(const amgr_view_t *view, amgr_sink_t *sink)
{
    amgr_page_begin_section(sink, "scoreboard", "Scoreboard");
    put_sentences(view, sink);
    amgr_sink_puts(sink, "<pre>");
    put_letters(view->snapshot, sink);
    amgr_sink_puts(sink, "</pre>\n<p class=\"key\">Key: "
        "<b>_</b> waiting for connection, <b>S</b> starting up, "
        "<b>R</b> reading request, <b>W</b> sending reply, "
        "<b>K</b> keepalive, <b>D</b> DNS lookup, "
        "<b>C</b> closing connection, <b>L</b> logging, "
        "<b>G</b> gracefully finishing, <b>I</b> idle cleanup of worker, "
        "<b>.</b> open slot with no current process</p>\n");
    amgr_page_end_section(sink);
}

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
    amgr_page_fixed(sink, bytes / unit * scale
                    + (rest * scale + unit / 2) / unit, decimals);
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
    int busy_only = view->snapshot->slot_count > ROWS_MAX;

    amgr_page_begin_section(sink, "workers", "Workers");
    if (busy_only) {
        amgr_sink_puts(sink, "<p>There are ");
        amgr_sink_i64(sink, view->snapshot->slot_count);
        amgr_sink_puts(sink, " workers, so only the busy ones are shown.</p>"
                             "\n");
    }
    amgr_page_begin_table(sink, "Each worker with its current or last request"
                                " (SS in seconds, Req and Dur in milliseconds,"
                                " Conn in kB, Child and Slot in MB)",
                          "#Srv|#PID|#Acc|M|#CPU|#SS|#Req|#Dur|#Conn|#Child|"
                          "#Slot|Client|Protocol|VHost|Request");
    put_rows(view, sink, busy_only);
    amgr_page_end_table(sink);
    amgr_page_end_section(sink);
}
