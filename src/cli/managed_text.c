/* SPDX-License-Identifier: Apache-2.0
 *
 * See managed_text.h.
 */
#include "cli/managed_text.h"

#include <string.h>

#include "base/escape.h"
#include "base/units.h"

/** Names of processes in one state that are told. */
#define NAMED_MAX 3

/** Longer names move what stands behind them. */
#define NAME_WIDTH_MIN 8
#define NAME_WIDTH_MAX 32

#define STATE_WIDTH 8

/** The worst first; what is ready is told of apart. */
static const int by_urgency[AMGR_MANAGED_STATE_COUNT] = {
    AMGR_MANAGED_FATAL,   AMGR_MANAGED_BACKOFF,  AMGR_MANAGED_EXITED,
    AMGR_MANAGED_STOPPED, AMGR_MANAGED_STOPPING, AMGR_MANAGED_STARTING,
    AMGR_MANAGED_RUNNING, AMGR_MANAGED_READY,
};

static void put_separator(amgr_sink_t *sink, int *parts)
{
    amgr_sink_puts(sink, (*parts)++ > 0 ? ", " : "");
}

static void put_count(amgr_sink_t *sink, int *parts, int count,
                      const char *what)
{
    if (count > 0) {
        put_separator(sink, parts);
        amgr_sink_i64(sink, count);
        amgr_sink_putc(sink, ' ');
        amgr_sink_puts(sink, what);
    }
}

/* Those in this state that are missed, with their names. */
static void put_state(const amgr_managed_table_t *table, int state,
                      amgr_sink_t *sink, int *parts)
{
    int count = 0;
    int named = 0;
    int i;

    for (i = 0; i < table->count; i++) {
        count += table->processes[i].state == state &&
                 amgr_managed_is_missed(&table->processes[i]);
    }
    if (count == 0) {
        return;
    }
    put_count(sink, parts, count, amgr_managed_state_word(state));
    for (i = 0; i < table->count && named < NAMED_MAX; i++) {
        const amgr_managed_t *process = &table->processes[i];

        if (process->state == state && amgr_managed_is_missed(process)) {
            amgr_sink_puts(sink, named++ > 0 ? ", " : " (");
            amgr_escape_line(sink, process->name);
        }
    }
    amgr_sink_puts(sink, count > named ? ", ...)" : ")");
}

void amgr_managed_put_summary(const amgr_managed_table_t *table,
                              amgr_sink_t *sink)
{
    int ready = 0;
    int rest = 0;
    int parts = 0;
    int i;

    for (i = 0; i < table->count; i++) {
        ready += table->processes[i].ready;
        rest += !table->processes[i].ready &&
                !amgr_managed_is_missed(&table->processes[i]);
    }
    if (amgr_managed_is_unwatched(table)) {
        put_separator(sink, &parts);
        amgr_sink_puts(sink, "no supervisor");
    }
    put_count(sink, &parts, ready, "ready");
    for (i = 0; i < AMGR_MANAGED_STATE_COUNT; i++) {
        put_state(table, by_urgency[i], sink, &parts);
    }
    put_count(sink, &parts, rest, "not wanted");
}

/* "1d 2h", as on the page. */
static void put_span(amgr_sink_t *sink, apr_interval_time_t span_us)
{
    static const struct {
        apr_int64_t seconds;
        char letter;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    apr_int64_t rest = span_us > 0 ? apr_time_sec(span_us) : 0;
    apr_size_t i = 0;

    while (i < AMGR_COUNT(units) - 1 && rest < units[i].seconds) {
        i++;
    }
    amgr_sink_i64(sink, rest / units[i].seconds);
    amgr_sink_putc(sink, units[i].letter);
    rest %= units[i].seconds;
    if (i + 1 < AMGR_COUNT(units) && rest >= units[i + 1].seconds) {
        amgr_sink_putc(sink, ' ');
        amgr_sink_i64(sink, rest / units[i + 1].seconds);
        amgr_sink_putc(sink, units[i + 1].letter);
    }
}

/* Why it is as it is; where that is not told, how it ended. */
static void put_reason(const amgr_managed_t *process, amgr_sink_t *sink,
                       int *parts)
{
    char text[AMGR_MANAGED_END_LEN];

    if (process->reason[0] != '\0') {
        put_separator(sink, parts);
        amgr_escape_line(sink, process->reason);
    }
    else if (process->state == AMGR_MANAGED_EXITED && process->exit_known) {
        put_separator(sink, parts);
        amgr_managed_end_text(process, text);
        amgr_sink_puts(sink, text);
    }
    else if (process->state == AMGR_MANAGED_STOPPED) {
        put_separator(sink, parts);
        amgr_sink_puts(sink, process->want == AMGR_MANAGED_WANT_UP
                                 ? "not started yet"
                                 : "not wanted");
    }
}

/* How long ago it ended, where it stays so. */
static void put_end(const amgr_view_t *view, const amgr_managed_t *process,
                    amgr_sink_t *sink, int *parts)
{
    if (process->state != AMGR_MANAGED_EXITED) {
        return;
    }
    if (process->since_us > 0) {
        put_separator(sink, parts);
        put_span(sink, view->now_wall_us - process->since_us);
        amgr_sink_puts(sink, " ago");
    }
    if (process->ready) {
        put_separator(sink, parts);
        amgr_sink_puts(sink, "ready");
    }
}

static void put_run(const amgr_view_t *view, const amgr_managed_t *process,
                    amgr_sink_t *sink, int *parts)
{
    if (!amgr_managed_is_running(process)) {
        return;
    }
    put_separator(sink, parts);
    amgr_sink_puts(sink, "pid ");
    amgr_sink_i64(sink, process->pid);
    if (process->started_us > 0) {
        amgr_sink_puts(sink, ", uptime ");
        put_span(sink, view->now_wall_us - process->started_us);
    }
}

void amgr_managed_put_detail(const amgr_view_t *view,
                             const amgr_managed_t *process, amgr_sink_t *sink)
{
    int parts = 0;

    put_run(view, process, sink, &parts);
    put_reason(process, sink, &parts);
    put_end(view, process, sink, &parts);
    if (process->state == AMGR_MANAGED_BACKOFF && process->next_start_us > 0) {
        put_separator(sink, &parts);
        amgr_sink_puts(sink, "next start in ");
        put_span(sink, process->next_start_us - view->now_wall_us);
    }
    if (process->status[0] != '\0') {
        put_separator(sink, &parts);
        amgr_sink_puts(sink, "it says: ");
        amgr_escape_line(sink, process->status);
    }
}

/* Blanks until so many bytes have been put, and two more. */
static void fill_up(amgr_sink_t *sink, apr_uint64_t end)
{
    while (sink->total < end) {
        amgr_sink_putc(sink, ' ');
    }
    amgr_sink_puts(sink, "  ");
}

static int name_width(const amgr_managed_table_t *table)
{
    apr_size_t width = NAME_WIDTH_MIN;
    int i;

    for (i = 0; i < table->count; i++) {
        apr_size_t len = strlen(table->processes[i].name);

        width = len > width ? len : width;
    }
    return width > NAME_WIDTH_MAX ? NAME_WIDTH_MAX : (int)width;
}

static void put_row(const amgr_view_t *view, const amgr_managed_t *process,
                    int width, amgr_sink_t *sink)
{
    apr_uint64_t begin = sink->total;
    char detail[1024];
    amgr_sink_t text;

    amgr_sink_init_text(&text, detail, sizeof(detail));
    amgr_managed_put_detail(view, process, &text);
    amgr_sink_text(&text);
    amgr_escape_line(sink, process->name);
    fill_up(sink, begin + (apr_uint64_t)width);
    begin = sink->total;
    amgr_sink_puts(sink, amgr_managed_state_word(process->state));
    if (detail[0] != '\0') {
        fill_up(sink, begin + STATE_WIDTH);
        amgr_sink_puts(sink, detail);
    }
    amgr_sink_putc(sink, '\n');
}

void amgr_managed_put_table(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_managed_table_t *table = view->managed;
    int width = name_width(table);
    int i;

    for (i = 0; i < table->count; i++) {
        put_row(view, &table->processes[i], width, sink);
    }
}
