/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of the page that scripts written for mod_status read first: the
 * sentence with the worker counts, the rates, and the scoreboard's letters in
 * the first pre element.  Their wording is a contract.  Below them the same for
 * people: which process has which workers, and what the busy ones do.
 */
#include "render/page_slots.h"

#include <string.h>

#include "render/letters.h"

/* Letters are gathered in pieces: processes come in the order of their pids,
 * letters in the order of the scoreboard, and nothing is allocated. */
#define LETTERS_CHUNK 8192
#define LETTERS_LINE 64
#define LETTERS_MAX (1 << 20)

/* Slots of a process whose letters are looked at together. */
#define CELLS_CHUNK 256

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

static void put_lines(amgr_sink_t *sink, const char *letters, int count)
{
    int at;

    for (at = 0; at < count; at += LETTERS_LINE) {
        amgr_sink_put(sink, letters + at,
                      (apr_size_t)(count - at < LETTERS_LINE ? count - at
                                                             : LETTERS_LINE));
        amgr_sink_putc(sink, '\n');
    }
}

static void put_letters(const amgr_view_t *view, amgr_sink_t *sink)
{
    char letters[LETTERS_CHUNK];
    apr_int64_t count = amgr_letters_count(view);
    apr_int64_t base;

    count = count < LETTERS_MAX ? count : LETTERS_MAX;
    for (base = 0; base < count; base += LETTERS_CHUNK) {
        int here =
            count - base < LETTERS_CHUNK ? (int)(count - base) : LETTERS_CHUNK;

        amgr_letters_read(view, base, letters, here);
        put_lines(sink, letters, here);
    }
}

static void put_key(amgr_sink_t *sink)
{
    amgr_sink_puts(sink,
                   "<p class=\"key\">Key: "
                   "<b>_</b> waiting for connection, <b>S</b> starting up, "
                   "<b>R</b> reading request, <b>W</b> sending reply, "
                   "<b>K</b> keepalive, <b>D</b> DNS lookup, "
                   "<b>C</b> closing connection, <b>L</b> logging, "
                   "<b>G</b> gracefully finishing, <b>I</b> idle cleanup of "
                   "worker, <b>.</b> open slot with no current process</p>\n");
}

/** The grid while it is written. */
typedef struct grid_t {
    const amgr_view_t *view;
    amgr_sink_t *sink;
    int busy_only;
    int has_rows;    /**< in the table, for each that the filter leaves */
    int left;        /**< cells that there may still be */
    int is_idle_run; /**< in letters that are not read aloud */
} grid_t;

static void end_run(grid_t *grid)
{
    if (grid->is_idle_run) {
        amgr_sink_puts(grid->sink, "</span>");
        grid->is_idle_run = 0;
    }
}

/* A letter alone: there is nothing to say of the worker. */
static void put_idle(grid_t *grid, char letter)
{
    if (grid->busy_only) {
        return;
    }
    if (!grid->is_idle_run) {
        amgr_sink_puts(grid->sink, "<span aria-hidden=\"true\">");
        grid->is_idle_run = 1;
    }
    amgr_sink_putc(grid->sink, letter);
}

/* " 3.2s GET /path HTTP/1.1 www.example.org", as far as it is known and may be
 * shown; the words of a mode without an age are in the key. */
static void put_story(const grid_t *grid, const amgr_slot_t *slot, int marks)
{
    char request[AMGR_SLOT_REQUEST_LEN];

    amgr_sink_puts(grid->sink, "<span>");
    if (slot->request_age_us >= 0) {
        amgr_sink_putc(grid->sink, ' ');
        amgr_page_slot_age(grid->sink, slot, marks);
    }
    amgr_request_shown(grid->view->show_requests, slot->request, request,
                       sizeof(request));
    if (request[0] != '\0') {
        amgr_sink_putc(grid->sink, ' ');
        amgr_page_text(grid->sink, request);
    }
    if (slot->vhost[0] != '\0') {
        amgr_sink_putc(grid->sink, ' ');
        amgr_page_text(grid->sink, slot->vhost);
    }
    amgr_sink_puts(grid->sink, "</span>");
}

/* A busy worker: its letter, a link to its row in the table if that has one,
 * and its request for whoever points at it or hears it.  The id lets focus stay
 * with the worker. */
static void put_busy(grid_t *grid, const amgr_process_t *process,
                     const amgr_slot_t *slot)
{
    int has_row =
        grid->has_rows && amgr_page_slot_matches(grid->view, process, slot);
    int marks = amgr_page_slot_marks(grid->view, slot);

    end_run(grid);
    if (has_row) {
        amgr_sink_puts(grid->sink, "<a href=\"#");
        amgr_page_slot_id(grid->sink, 'w', slot);
        amgr_sink_puts(grid->sink, "\" id=\"");
    }
    else {
        amgr_sink_puts(grid->sink, "<b tabindex=\"0\" id=\"");
    }
    amgr_page_slot_id(grid->sink, 'g', slot);
    amgr_sink_puts(grid->sink, "\" class=\"m-");
    amgr_sink_putc(grid->sink, amgr_mode_letter(slot->mode));
    amgr_sink_puts(grid->sink, marks != 0 ? " old\">" : "\">");
    amgr_sink_putc(grid->sink, amgr_mode_letter(slot->mode));
    put_story(grid, slot, marks);
    amgr_sink_puts(grid->sink, has_row ? "</a>" : "</b>");
    grid->left--;
}

static int is_idle_letter(char letter)
{
    return letter == '_' || letter == 'I' || letter == '.';
}

/* Whether a slot is worth a look is told by its letter; by the time of the
 * look it may have become idle. */
static void put_slot(grid_t *grid, const amgr_process_t *process, int index,
                     char letter)
{
    const amgr_slot_t *slot = NULL;

    if (!is_idle_letter(letter) && grid->left > 0) {
        slot = amgr_view_slot(grid->view, process, index);
    }
    if (slot == NULL) {
        put_idle(grid, letter);
    }
    else if (amgr_mode_is_idle(slot->mode)) {
        put_idle(grid, amgr_mode_letter(slot->mode));
    }
    else {
        put_busy(grid, process, slot);
    }
}

static void put_cells(grid_t *grid, const amgr_process_t *process)
{
    char letters[CELLS_CHUNK];
    int base;

    for (base = 0; base < process->slot_count; base += CELLS_CHUNK) {
        int count = process->slot_count - base;
        int i;

        count = count < CELLS_CHUNK ? count : CELLS_CHUNK;
        amgr_view_letters(grid->view, process, base, letters, count);
        for (i = 0; i < count; i++) {
            put_slot(grid, process, base + i, letters[i]);
        }
    }
}

/* Workers that are processes, one letter each. */
static void put_flow(grid_t *grid)
{
    const amgr_snapshot_t *snapshot = grid->view->snapshot;
    int i;

    amgr_sink_puts(grid->sink, "<p class=\"grid\">");
    for (i = 0; i < snapshot->process_count; i++) {
        put_cells(grid, &snapshot->processes[i]);
    }
    end_run(grid);
    amgr_sink_puts(grid->sink, "</p>\n");
}

/* Workers that are threads, a line for each process. */
static void put_processes(grid_t *grid)
{
    const amgr_snapshot_t *snapshot = grid->view->snapshot;
    int i;

    amgr_sink_puts(grid->sink, "<ul class=\"grid\">\n");
    for (i = 0; i < snapshot->process_count; i++) {
        const amgr_process_t *process = &snapshot->processes[i];

        if (process->slot_count <= 0 ||
            (grid->busy_only && process->busy_slots <= 0)) {
            continue;
        }
        amgr_sink_puts(grid->sink, "<li id=\"g-");
        amgr_sink_i64(grid->sink, process->id.pid);
        amgr_sink_puts(grid->sink, "\">");
        amgr_sink_i64(grid->sink, process->id.pid);
        amgr_sink_puts(grid->sink, " <small>");
        amgr_page_count(grid->sink, process->busy_slots);
        amgr_sink_puts(grid->sink, " of ");
        amgr_sink_i64(grid->sink, process->slot_count);
        amgr_sink_puts(grid->sink, " busy</small> ");
        put_cells(grid, process);
        end_run(grid);
        amgr_sink_puts(grid->sink, "</li>\n");
    }
    amgr_sink_puts(grid->sink, "</ul>\n");
}

/* In an order the table may be cut, and what it leaves out is not known yet. */
static int has_all_rows(const amgr_view_t *view)
{
    const amgr_snapshot_t *snapshot = view->snapshot;
    apr_int64_t busy = 0;
    int i;

    for (i = 0; i < snapshot->process_count; i++) {
        if (snapshot->processes[i].busy_slots > 0) {
            busy += snapshot->processes[i].busy_slots;
        }
    }
    return busy <= AMGR_PAGE_SLOTS_MAX ||
           view->query.orders[AMGR_PAGE_WORKERS].word[0] == '\0';
}

static void put_grid(const amgr_view_t *view, amgr_sink_t *sink)
{
    int slots = amgr_view_slot_count(view);
    grid_t grid = {view,
                   sink,
                   slots > AMGR_PAGE_SLOTS_MAX,
                   has_all_rows(view),
                   AMGR_PAGE_SLOTS_MAX,
                   0};

    if (slots == 0) {
        return;
    }
    amgr_sink_puts(sink, view->snapshot->server.threads_per_process > 1
                             ? "<p>Workers by process"
                             : "<p>Workers in the order of their pids");
    if (grid.busy_only) {
        amgr_sink_puts(sink, ", of ");
        amgr_sink_i64(sink, slots);
        amgr_sink_puts(sink, " the busy ones, and at most ");
        amgr_sink_i64(sink, AMGR_PAGE_SLOTS_MAX);
    }
    amgr_sink_puts(sink, "; a busy one tells the age of its request");
    if (grid.has_rows) {
        amgr_sink_puts(sink, ", and leads to its row below");
    }
    amgr_sink_puts(sink, ":</p>\n");
    if (view->snapshot->server.threads_per_process > 1) {
        put_processes(&grid);
    }
    else {
        put_flow(&grid);
    }
}

void amgr_page_scoreboard(const amgr_view_t *view, amgr_sink_t *sink)
{
    amgr_page_begin_section(sink, "scoreboard", "Scoreboard");
    put_sentences(view, sink);
    amgr_sink_puts(sink, "<pre>");
    put_letters(view, sink);
    amgr_sink_puts(sink, "</pre>\n");
    put_key(sink);
    put_grid(view, sink);
    amgr_page_end_section(sink);
}
