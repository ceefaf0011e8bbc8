/* SPDX-License-Identifier: Apache-2.0
 *
 * The page's account of what was done: the record of each retirement, and the
 * sums since the server was started.
 */
#include "render/page.h"

#include "model/words.h"

#define COLUMNS 11 /* of the table of records */

static void put_measure_cell(amgr_sink_t *sink, const amgr_record_t *record,
                             apr_uint64_t value)
{
    if (record->verdict == AMGR_VERDICT_REQUESTS) {
        amgr_page_count_cell(sink,
                             value <= APR_INT64_MAX ? (apr_int64_t)value : -1);
        return;
    }
    if (record->verdict == AMGR_VERDICT_REQUESTED) {
        amgr_page_count_cell(sink, -1);
        return;
    }
    if (!amgr_reasons_is_span(record->verdict)) {
        amgr_page_size_cell(sink, value);
        return;
    }
    amgr_sink_puts(sink, "<td class=\"num\">");
    amgr_page_span(sink, value <= APR_INT64_MAX ? (apr_interval_time_t)value
                                                : AMGR_NO_TIME);
    amgr_sink_puts(sink, "</td>");
}

static const char *reason_text(const amgr_record_t *record)
{
    switch (record->verdict) {
    case AMGR_VERDICT_MEMORY_ACTIVE:
    case AMGR_VERDICT_MEMORY_IDLE:
        return amgr_metric_word(record->metric);
    case AMGR_VERDICT_TIME:
        return "time";
    case AMGR_VERDICT_MEMORY_HARD:
        return "hard limit";
    case AMGR_VERDICT_MEMORY_TOTAL:
        return "memory of all";
    case AMGR_VERDICT_REQUESTS:
        return "requests";
    case AMGR_VERDICT_LIFETIME:
        return "lifetime";
    case AMGR_VERDICT_GENERATION:
        return "old generation";
    case AMGR_VERDICT_REQUESTED:
        return "a module's request";
    default:
        return "unknown";
    }
}

static const char *outcome_class(int outcome)
{
    switch (outcome) {
    case AMGR_OUTCOME_GONE:
    case AMGR_OUTCOME_VANISHED:
        return "ok";
    case AMGR_OUTCOME_PENDING:
        return "warn";
    case AMGR_OUTCOME_FAILED:
        return "bad";
    default:
        return "info";
    }
}

/* One that is not gone yet or has gone: how far it was pressed. */
static const char *outcome_text(const amgr_record_t *record)
{
    static const char *const pending[AMGR_ACTION_COUNT] = {
        "decided", "announced", "draining", "killed, not gone yet"};
    static const char *const gone[AMGR_ACTION_COUNT] = {"gone", "gone",
                                                        "drained", "killed"};
    static const char *const other[AMGR_OUTCOME_COUNT] = {
        "", "", "had gone before", "signal failed", "dry run"};
    int known = record->action >= 0 && record->action < AMGR_ACTION_COUNT;

    switch (record->outcome) {
    case AMGR_OUTCOME_PENDING:
        return known ? pending[record->action] : "unknown";
    case AMGR_OUTCOME_GONE:
        return known ? gone[record->action] : "unknown";
    case AMGR_OUTCOME_VANISHED:
    case AMGR_OUTCOME_FAILED:
    case AMGR_OUTCOME_DRY_RUN:
        return other[record->outcome];
    default:
        return "unknown";
    }
}

static void put_outcome_cell(amgr_sink_t *sink, const amgr_record_t *record)
{

    amgr_sink_puts(sink, "<td><span class=\"mark ");
    amgr_sink_puts(sink, outcome_class(record->outcome));
    amgr_sink_puts(sink, "\">");
    amgr_sink_puts(sink, outcome_text(record));
    amgr_sink_puts(sink, "</span>");
    if (record->ended_us >= 0) {
        amgr_sink_puts(sink, " <span class=\"why\">after ");
        amgr_page_fixed(sink, (apr_uint64_t)record->ended_us / 1000, 3);
        amgr_sink_puts(sink, "s</span>");
    }
    amgr_sink_puts(sink, "</td>");
}

static void put_text_cell(amgr_sink_t *sink, const char *text)
{
    amgr_sink_puts(sink, "<td>");
    amgr_page_text(sink, text[0] != '\0' ? text : AMGR_PAGE_NA);
    amgr_sink_puts(sink, "</td>");
}

static void put_record(const amgr_view_t *view, amgr_sink_t *sink,
                       const amgr_record_t *record)
{
    int native = record->kind == AMGR_KIND_NATIVE;

    amgr_sink_puts(sink, "<tr><th scope=\"row\">");
    amgr_page_time(sink, record->time_us);
    amgr_sink_puts(sink, "</th>");
    amgr_page_count_cell(sink, record->id.pid);
    put_text_cell(sink, record->group);
    put_text_cell(sink, !native          ? AMGR_PAGE_NA
                        : record->active ? "active"
                                         : "idle");
    put_text_cell(sink, reason_text(record));
    put_measure_cell(sink, record, record->measured);
    put_measure_cell(sink, record, record->limit);
    put_outcome_cell(sink, record);
    amgr_page_count_cell(sink, record->requests);
    put_text_cell(sink, record->vhost);
    amgr_sink_puts(sink, "<td class=\"request\">");
    amgr_page_request(view, sink, record->request);
    amgr_sink_puts(sink, "</td></tr>\n");
}

void amgr_page_records(const amgr_view_t *view, amgr_sink_t *sink)
{
    int i;

    amgr_page_begin_section(sink, "kills", "Retired processes");
    if (view->record_count == 0) {
        amgr_sink_puts(sink, "<p>None since the server was started.</p>\n");
        amgr_page_end_section(sink);
        return;
    }
    amgr_page_begin_table(sink, "Newest first, times in UTC",
                          "Time|#PID|Group|Activity|Reason|#Measured|#Limit|"
                          "Outcome|#In flight|VHost|Request");
    for (i = 0; i < view->record_count; i++) {
        put_record(view, sink, &view->records[i]);
        amgr_page_evidence(view, sink, &view->records[i], COLUMNS);
    }
    amgr_page_end_table(sink);
    amgr_page_end_section(sink);
}

static void put_counter(amgr_sink_t *sink, const char *name, apr_uint64_t value)
{
    amgr_page_begin_fact(sink, name);
    amgr_sink_u64(sink, value);
    amgr_page_end_fact(sink);
}

/* Sums by word; nothing but zeros is said in one word. */
static void put_counters(amgr_sink_t *sink, const char *name,
                         const apr_uint64_t *values, int first, int count,
                         const char *(*word)(int))
{
    int i;
    int shown = 0;

    amgr_page_begin_fact(sink, name);
    for (i = first; i < count; i++) {
        const char *at;

        if (values[i] == 0) {
            continue;
        }
        amgr_sink_puts(sink, shown ? ", " : "");
        amgr_sink_u64(sink, values[i]);
        amgr_sink_puts(sink, " <small>");
        for (at = word(i); *at != '\0'; at++) {
            amgr_sink_putc(sink, *at == '_' ? ' ' : *at);
        }
        amgr_sink_puts(sink, "</small>");
        shown = 1;
    }
    amgr_sink_puts(sink, shown ? "" : "0");
    amgr_page_end_fact(sink);
}

static void put_millis(amgr_sink_t *sink, const char *name, apr_uint64_t us,
                       int known)
{
    amgr_page_begin_fact(sink, name);
    if (known) {
        amgr_page_fixed(sink, us, 3);
        /* Microseconds with three decimals are milliseconds. */
        amgr_sink_puts(sink, " ms");
    }
    else {
        amgr_sink_puts(sink, AMGR_PAGE_NA);
    }
    amgr_page_end_fact(sink);
}

void amgr_page_counters(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_counters_t *counters = view->counters;
    int ticked = view->tick_wall_us != AMGR_NO_TIME;

    amgr_page_begin_section(sink, "counters", "Since the server was started");
    amgr_sink_puts(sink, "<dl class=\"facts\">\n");
    put_counter(sink, "Killed active", counters->killed_active);
    put_counter(sink, "Killed idle", counters->killed_idle);
    put_counter(sink, "Of those drained", counters->drained);
    put_counter(sink, "Of those by SIGKILL", counters->forced);
    put_counter(sink, "Requests lost", counters->requests_lost);
    put_counters(sink, "Left alone", counters->suppressed, AMGR_CAUSE_NONE + 1,
                 AMGR_CAUSE_COUNT, amgr_cause_word);
    amgr_page_begin_fact(sink, "Hanging now");
    amgr_page_count(sink, ticked ? view->snapshot->hanging : -1);
    amgr_page_end_fact(sink);
    put_counter(sink, "Ticks", counters->ticks);
    put_counters(sink, "Errors", counters->errors, 0, AMGR_STAGE_COUNT,
                 amgr_stage_word);
    put_counter(sink, "Orphaned locks", counters->orphaned_locks);
    put_millis(sink, "Last tick took", counters->last_wall_us, ticked);
    put_millis(sink, "CPU time of all ticks", counters->tick_cpu_us, ticked);
    amgr_page_begin_fact(sink, "Who ticks");
    amgr_sink_puts(sink,
                   view->config->ticker ? "a ticker process" : "the parent");
    amgr_page_end_fact(sink);
    amgr_sink_puts(sink, "</dl>\n");
    amgr_page_end_section(sink);
}
