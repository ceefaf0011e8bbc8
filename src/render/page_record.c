/* SPDX-License-Identifier: Apache-2.0
 *
 * The page's account of what was done: one row for each retirement, the newest
 * first, and under it how it went (page_evidence.c).
 */
#include "render/page.h"

#include "model/words.h"

#define COLUMNS 9 /* of the table of records */
#define SHOWN 20  /* the rest is folded */

const char *amgr_page_step_text(int action)
{
    static const char *const texts[AMGR_ACTION_COUNT] = {
        [AMGR_ACTION_NONE] = "decided",
        [AMGR_ACTION_ANNOUNCE] = "announced",
        [AMGR_ACTION_ASK] = "asked to finish",
        [AMGR_ACTION_KILL] = "killed"};

    return action < 0 || action >= AMGR_ACTION_COUNT ? "unknown"
                                                     : texts[action];
}

/* A figure of the reason: a size, a span or a number. */
static void put_figure(amgr_sink_t *sink, int verdict, apr_uint64_t value)
{
    if (verdict == AMGR_VERDICT_REQUESTS) {
        amgr_sink_u64(sink, value);
    }
    else if (amgr_reasons_is_span(verdict)) {
        amgr_page_span(sink, value <= APR_INT64_MAX ? (apr_interval_time_t)value
                                                    : AMGR_NO_TIME);
    }
    else {
        amgr_page_size(sink, value);
    }
}

/* What is said before and after the measured figure. */
typedef struct wording_t {
    const char *before;
    const char *after;
} wording_t;

static wording_t wording_of(const amgr_record_t *record)
{
    static const char *const metrics[AMGR_METRIC_COUNT] = {
        " resident", " anonymous", " proportional", " private"};
    static const wording_t wordings[AMGR_VERDICT_COUNT] = {
        [AMGR_VERDICT_TIME] = {"a request ran for ", ""},
        [AMGR_VERDICT_MEMORY_TOTAL] = {"all together had ", ""},
        [AMGR_VERDICT_REQUESTS] = {"it had served ", " requests"},
        [AMGR_VERDICT_LIFETIME] = {"it had lived for ", ""},
        [AMGR_VERDICT_GENERATION] = {"it outlived its generation by ", ""}};
    wording_t wording = {"", ""};

    if (amgr_reasons_directive(record->verdict)[0] != '\0' &&
        wordings[record->verdict].before != NULL) {
        return wordings[record->verdict];
    }
    if (record->metric >= 0 && record->metric < AMGR_METRIC_COUNT) {
        wording.after = metrics[record->metric];
    }
    return wording;
}

void amgr_page_reason(amgr_sink_t *sink, const amgr_record_t *record)
{
    const char *limit = record->demanded
                            ? amgr_reasons_option(record->verdict)
                            : amgr_reasons_directive(record->verdict);
    wording_t wording;

    if (record->verdict == AMGR_VERDICT_REQUESTED) {
        amgr_sink_puts(sink, "another module asked for it");
        return;
    }
    if (limit[0] == '\0') {
        amgr_sink_puts(sink, "unknown");
        return;
    }
    wording = wording_of(record);
    amgr_sink_puts(sink, wording.before);
    put_figure(sink, record->verdict, record->measured);
    amgr_sink_puts(sink, wording.after);
    amgr_sink_puts(sink, ", over ");
    amgr_sink_puts(sink, limit);
    amgr_sink_puts(sink, " of ");
    put_figure(sink, record->verdict, record->limit);
    if (record->demanded) {
        amgr_sink_puts(sink, ", as ordered");
    }
}

void amgr_page_after(amgr_sink_t *sink, apr_interval_time_t span_us)
{
    if (span_us < 0) {
        amgr_sink_puts(sink, AMGR_PAGE_NA);
    }
    else if (span_us < apr_time_from_sec(10)) {
        amgr_page_fixed(sink, (apr_uint64_t)span_us / 10000, 2);
        amgr_sink_putc(sink, 's');
    }
    else {
        amgr_page_span(sink, span_us);
    }
}

static const char *outcome_class(const amgr_record_t *record)
{
    switch (record->outcome) {
    case AMGR_OUTCOME_GONE:
        return record->requests_lost > 0 ? "warn" : "ok";
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
    amgr_sink_puts(sink, outcome_class(record));
    amgr_sink_puts(sink, "\">");
    amgr_sink_puts(sink, outcome_text(record));
    amgr_sink_puts(sink, "</span>");
    if (record->ended_us >= 0) {
        amgr_sink_puts(sink, " <span class=\"why\">after ");
        amgr_page_after(sink, record->ended_us);
        amgr_sink_puts(sink, "</span>");
    }
    amgr_sink_puts(sink, "</td>");
}

static void put_text_cell(amgr_sink_t *sink, const char *text)
{
    amgr_sink_puts(sink, text[0] != '\0' ? "<td>" : "<td class=\"na\">");
    amgr_page_text(sink, text[0] != '\0' ? text : AMGR_PAGE_NA);
    amgr_sink_puts(sink, "</td>");
}

/* What its end cost and gave back, once it has come. */
static void put_end_cells(amgr_sink_t *sink, const amgr_record_t *record)
{
    int gone = record->outcome == AMGR_OUTCOME_GONE;

    amgr_page_size_cell(sink, gone ? record->freed_bytes : AMGR_UNKNOWN);
    if (gone && record->action != AMGR_ACTION_KILL) {
        amgr_page_count_cell(sink, 0);
    }
    else {
        amgr_page_count_cell(sink, gone ? record->requests_lost : -1);
    }
}

static void put_record(const amgr_view_t *view, amgr_sink_t *sink,
                       const amgr_record_t *record)
{
    amgr_sink_puts(sink, "<tr id=\"r-");
    amgr_sink_u64(sink, record->serial);
    amgr_sink_puts(sink, "\"><th scope=\"row\">");
    amgr_page_time(sink, record->time_us);
    amgr_sink_puts(sink, " <small>");
    amgr_page_ago(view, sink, record->time_us);
    amgr_sink_puts(sink, "</small></th>");
    amgr_page_count_cell(sink, record->id.pid);
    amgr_sink_puts(sink, "<td>");
    amgr_page_text(sink, record->group);
    if (record->kind == AMGR_KIND_NATIVE) {
        amgr_sink_puts(sink, record->active ? ", active" : ", idle");
    }
    amgr_sink_puts(sink, "</td><td class=\"reason\">");
    amgr_page_reason(sink, record);
    amgr_sink_puts(sink, "</td>");
    put_outcome_cell(sink, record);
    put_end_cells(sink, record);
    put_text_cell(sink, record->vhost);
    amgr_sink_puts(sink, "<td class=\"request\">");
    amgr_page_request(view, sink, record->request);
    amgr_sink_puts(sink, "</td></tr>\n");
}

static void put_table(const amgr_view_t *view, amgr_sink_t *sink,
                      const char *caption, int first, int end)
{
    int i;

    amgr_page_begin_table(sink, caption,
                          "Time|#PID|Group|Reason|Outcome|#Freed|"
                          "#Requests lost|VHost|Request");
    for (i = first; i < end; i++) {
        put_record(view, sink, &view->records[i]);
        amgr_page_evidence(view, sink, &view->records[i], COLUMNS);
    }
    amgr_page_end_table(sink);
}

static void put_sum(amgr_sink_t *sink, const char *name, apr_uint64_t value)
{
    amgr_page_begin_fact(sink, name);
    amgr_sink_u64(sink, value);
    amgr_page_end_fact(sink);
}

static void put_sums(const amgr_counters_t *counters, amgr_sink_t *sink)
{
    amgr_sink_puts(sink, "<dl class=\"facts\">\n");
    put_sum(sink, "Killed active", counters->killed_active);
    put_sum(sink, "Killed idle", counters->killed_idle);
    put_sum(sink, "Of those drained", counters->drained);
    put_sum(sink, "Of those by SIGKILL", counters->forced);
    put_sum(sink, "Requests lost", counters->requests_lost);
    amgr_sink_puts(sink, "</dl>\n");
}

/* What would stand here. */
static void put_none(const amgr_view_t *view, amgr_sink_t *sink)
{
    amgr_sink_puts(sink, "<p>No process was retired since the server was"
                         " started. One that is gets a row here: when and"
                         " why, how it ended, which requests were in flight"
                         " and what its threads were waiting for.</p>\n");
    if (!amgr_limits_are_set(&view->config->limits)) {
        amgr_sink_puts(sink, "<p>No limit is set, so none will be unless a"
                             " module asks for it.</p>\n");
    }
}

void amgr_page_records(const amgr_view_t *view, amgr_sink_t *sink)
{
    int shown = view->record_count < SHOWN ? view->record_count : SHOWN;

    amgr_page_begin_section(sink, "kills", "Retired processes");
    put_sums(view->counters, sink);
    if (shown == 0) {
        put_none(view, sink);
    }
    else {
        put_table(view, sink, "The newest first, times in UTC", 0, shown);
    }
    if (view->record_count > shown) {
        amgr_sink_puts(sink, "<details id=\"kills-older\"><summary>");
        amgr_sink_i64(sink, view->record_count - shown);
        amgr_sink_puts(sink, " more, older</summary>\n");
        put_table(view, sink, "Older ones, times in UTC", shown,
                  view->record_count);
        amgr_sink_puts(sink, "</details>\n");
    }
    amgr_page_end_section(sink);
}
