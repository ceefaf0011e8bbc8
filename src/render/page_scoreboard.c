/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of the page that scripts written for mod_status read first: the
 * sentence with the worker counts, the rates, and the scoreboard's letters in
 * the first pre element.  Their wording is a contract.
 */
#include "render/page.h"

#include <string.h>

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

static apr_int64_t count_letters(const amgr_snapshot_t *snapshot)
{
    apr_int64_t width = row_width(snapshot);
    apr_int64_t count = snapshot->server.max_workers;
    int i;

    for (i = 0; i < snapshot->slot_count; i++) {
        apr_int64_t index = letter_index(&snapshot->slots[i], width);

        if (index >= count) {
            count = index + 1;
        }
    }
    return count;
}

/* Letters from the @a base on, of slots that the snapshot holds. */
static void gather_letters(const amgr_snapshot_t *snapshot, apr_int64_t base,
                           char *letters, int count)
{
    apr_int64_t width = row_width(snapshot);
    int i;

    memset(letters, '.', (apr_size_t)count);
    for (i = 0; i < snapshot->slot_count; i++) {
        const amgr_slot_t *slot = &snapshot->slots[i];
        apr_int64_t at = letter_index(slot, width) - base;

        if (at >= 0 && at < count) {
            letters[at] = amgr_mode_letter(slot->mode);
        }
    }
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
    const amgr_slot_source_t *source = view->source;
    char letters[LETTERS_CHUNK];
    apr_int64_t count =
        source != NULL ? source->letter_count : count_letters(view->snapshot);
    apr_int64_t base;

    count = count < LETTERS_MAX ? count : LETTERS_MAX;
    for (base = 0; base < count; base += LETTERS_CHUNK) {
        int here =
            count - base < LETTERS_CHUNK ? (int)(count - base) : LETTERS_CHUNK;

        if (source != NULL) {
            source->read_letters(source->baton, base, letters, here);
        }
        else {
            gather_letters(view->snapshot, base, letters, here);
        }
        put_lines(sink, letters, here);
    }
}

void amgr_page_scoreboard(const amgr_view_t *view, amgr_sink_t *sink)
{
    amgr_page_begin_section(sink, "scoreboard", "Scoreboard");
    put_sentences(view, sink);
    amgr_sink_puts(sink, "<pre>");
    put_letters(view, sink);
    amgr_sink_puts(
        sink, "</pre>\n<p class=\"key\">Key: "
              "<b>_</b> waiting for connection, <b>S</b> starting up, "
              "<b>R</b> reading request, <b>W</b> sending reply, "
              "<b>K</b> keepalive, <b>D</b> DNS lookup, "
              "<b>C</b> closing connection, <b>L</b> logging, "
              "<b>G</b> gracefully finishing, <b>I</b> idle cleanup of worker, "
              "<b>.</b> open slot with no current process</p>\n");
    amgr_page_end_section(sink);
}
