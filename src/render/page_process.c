/* SPDX-License-Identifier: Apache-2.0
 *
 * A row of the page's table of processes: who it is, how big, against which
 * limit, how fast it comes nearer, and what is thought of it.  Rows can be
 * many: nothing here formats through printf, and which slots are busy was
 * counted when they were read.
 */
#include "render/page_process.h"

#include "model/words.h"
#include "render/trends.h"

#define METER_MAX 125    /* percent: room to show what is over its limit */
#define PERCENT_MAX 9999 /* more than that is only said to be more */
#define NEAR_PERCENT 80  /* as of here the bar is coloured */
#define STEADY_BYTES 1000000
#define SOON_US apr_time_from_sec(3600) /* as of here the time is coloured */

static const char *const verdict_texts[AMGR_VERDICT_COUNT] = {
    [AMGR_VERDICT_UNKNOWN] = "not judged yet",
    [AMGR_VERDICT_EXEMPT] = "never judged",
    [AMGR_VERDICT_OK] = "within limits",
    [AMGR_VERDICT_MEMORY_ACTIVE] = "over ManagerMaxMemoryActive",
    [AMGR_VERDICT_MEMORY_IDLE] = "over ManagerMaxMemoryIdle",
    [AMGR_VERDICT_TIME] = "over ManagerMaxTime",
    [AMGR_VERDICT_MEMORY_HARD] = "over ManagerHardMemory",
    [AMGR_VERDICT_MEMORY_TOTAL] = "all over ManagerMaxMemoryTotal",
    [AMGR_VERDICT_REQUESTS] = "over ManagerMaxRequests",
    [AMGR_VERDICT_LIFETIME] = "over ManagerMaxLifetime",
    [AMGR_VERDICT_GENERATION] = "over ManagerMaxGenerationAge",
    [AMGR_VERDICT_REQUESTED] = "asked to go by another module"};

const char *amgr_page_metric_title(int metric)
{
    static const char *const titles[AMGR_METRIC_COUNT] = {
        "", "Anonymous", "Proportional", "Private"};

    return metric < 0 || metric >= AMGR_METRIC_COUNT ? "" : titles[metric];
}

/* The record of the retirement that is under way, or NULL. */
static const amgr_record_t *retirement_of(const amgr_view_t *view,
                                          const amgr_process_t *process)
{
    int i;

    for (i = 0; process->state == AMGR_STATE_RETIRING && i < view->record_count;
         i++) {
        const amgr_record_t *record = &view->records[i];

        if (record->id.pid == process->id.pid &&
            record->id.start_ticks == process->id.start_ticks &&
            record->outcome == AMGR_OUTCOME_PENDING) {
            return record;
        }
    }
    return NULL;
}

int amgr_page_shown_verdict(const amgr_view_t *view,
                            const amgr_process_t *process)
{
    const amgr_record_t *record = retirement_of(view, process);
    int verdict = process->verdict;

    if (record != NULL && verdict == AMGR_VERDICT_OK) {
        verdict = record->verdict;
    }
    return verdict < 0 || verdict >= AMGR_VERDICT_COUNT ? AMGR_VERDICT_UNKNOWN
                                                        : verdict;
}

static const char *verdict_text(const amgr_view_t *view,
                                const amgr_process_t *process)
{
    int verdict = amgr_page_shown_verdict(view, process);

    if (verdict == AMGR_VERDICT_OK &&
        !amgr_limits_are_set(&view->config->limits)) {
        return "no limit set";
    }
    return verdict_texts[verdict];
}

apr_int64_t amgr_page_percent(const amgr_view_t *view,
                              const amgr_process_t *process,
                              apr_int64_t limit_bytes)
{
    apr_uint64_t used = amgr_measure_of(process, view->config->limits.metric);
    double percent;

    if (limit_bytes == AMGR_LIMIT_OFF || limit_bytes <= 0 ||
        used == AMGR_UNKNOWN) {
        return AMGR_PAGE_NO_KEY;
    }
    percent = (double)used / (double)limit_bytes * 100.0;
    return percent > PERCENT_MAX ? PERCENT_MAX + 1 : (apr_int64_t)percent;
}

static int is_over(const amgr_view_t *view, const amgr_process_t *process,
                   apr_int64_t limit_bytes)
{
    return amgr_measure_is_over(
        amgr_measure_of(process, view->config->limits.metric), limit_bytes);
}

int amgr_page_process_matches(const amgr_view_t *view,
                              const amgr_process_t *process)
{
    const amgr_page_query_t *query = &view->query;
    const amgr_record_t *record;
    char pid[24];
    amgr_sink_t sink;

    if (query->filter[0] == '\0') {
        return 1;
    }
    amgr_sink_init_text(&sink, pid, sizeof(pid));
    amgr_sink_i64(&sink, process->id.pid);
    record = retirement_of(view, process);
    return amgr_page_query_matches(query, amgr_sink_text(&sink)) ||
           amgr_page_query_matches(
               query, amgr_view_group_name(view, process->group)) ||
           amgr_page_query_matches(query, amgr_state_word(process->state)) ||
           amgr_page_query_matches(query, verdict_text(view, process)) ||
           (record != NULL &&
            amgr_page_query_matches(query,
                                    amgr_page_step_text(record->action))) ||
           (process->cause != AMGR_CAUSE_NONE &&
            amgr_page_query_matches(query,
                                    amgr_page_cause_text(process->cause)));
}

static void put_na_cell(amgr_sink_t *sink)
{
    amgr_sink_puts(sink, "<td class=\"na\">" AMGR_PAGE_NA "</td>");
}

/* Cells of this table stand to the right by its style, which spares each of
 * them a class. */
static void put_count_cell(amgr_sink_t *sink, apr_int64_t value)
{
    if (value < 0) {
        put_na_cell(sink);
        return;
    }
    amgr_sink_puts(sink, "<td>");
    amgr_sink_i64(sink, value);
    amgr_sink_puts(sink, "</td>");
}

static void put_size_cell(amgr_sink_t *sink, apr_uint64_t bytes)
{
    if (bytes == AMGR_UNKNOWN) {
        put_na_cell(sink);
        return;
    }
    amgr_sink_puts(sink, "<td>");
    amgr_page_size(sink, bytes);
    amgr_sink_puts(sink, "</td>");
}

/* When the step that was taken last was taken. */
static apr_time_t step_time(const amgr_record_t *record)
{
    apr_interval_time_t after_us = 0;

    switch (record->action) {
    case AMGR_ACTION_ANNOUNCE:
        after_us = record->announced_us;
        break;
    case AMGR_ACTION_ASK:
        after_us = record->asked_us;
        break;
    case AMGR_ACTION_KILL:
        after_us = record->killed_us;
        break;
    default:
        break;
    }
    return record->time_us + (after_us > 0 ? after_us : 0);
}

static void put_state_cell(const amgr_view_t *view, amgr_sink_t *sink,
                           const amgr_process_t *process)
{
    const amgr_record_t *record = retirement_of(view, process);

    amgr_sink_puts(sink, "<td>");
    amgr_sink_puts(sink, amgr_state_word(process->state));
    if (record != NULL) {
        amgr_sink_puts(sink, ", <span class=\"why\">");
        amgr_sink_puts(sink, amgr_page_step_text(record->action));
        amgr_sink_putc(sink, ' ');
        amgr_page_ago(view, sink, step_time(record));
        amgr_sink_puts(sink, "</span>");
    }
    amgr_sink_puts(sink, "</td>");
}

static void put_busy_cell(amgr_sink_t *sink, const amgr_process_t *process)
{
    if (process->slot_count <= 0 || process->busy_slots < 0) {
        put_na_cell(sink);
        return;
    }
    amgr_sink_puts(sink, "<td>");
    amgr_sink_i64(sink, process->busy_slots);
    amgr_sink_putc(sink, '/');
    amgr_sink_i64(sink, process->slot_count);
    amgr_sink_puts(sink, "</td>");
}

static void put_percent(amgr_sink_t *sink, apr_int64_t percent, int over)
{
    if (percent >= NEAR_PERCENT) {
        amgr_sink_puts(sink, over ? "<span class=\"mark bad\">over: "
                                  : "<span class=\"mark warn\">");
    }
    if (percent > PERCENT_MAX) {
        amgr_sink_puts(sink, "above ");
        percent = PERCENT_MAX;
    }
    amgr_sink_i64(sink, percent);
    amgr_sink_putc(sink, '%');
    amgr_sink_puts(sink, percent >= NEAR_PERCENT ? "</span>" : "");
}

/* "<meter> 86% of 524.29 MB" */
static void put_share_cell(const amgr_view_t *view, amgr_sink_t *sink,
                           const amgr_process_t *process, apr_int64_t limit)
{
    apr_int64_t percent = amgr_page_percent(view, process, limit);

    if (limit == AMGR_LIMIT_OFF) {
        amgr_sink_puts(sink, "<td class=\"word na\">no limit</td>");
        return;
    }
    amgr_sink_puts(sink, "<td class=\"word\">");
    if (percent == AMGR_PAGE_NO_KEY) {
        amgr_sink_puts(sink, AMGR_PAGE_NA);
    }
    else {
        amgr_sink_puts(sink, "<meter max=\"125\" low=\"80\" high=\"100\""
                             " value=\"");
        amgr_sink_i64(sink, percent < METER_MAX ? percent : METER_MAX);
        amgr_sink_puts(sink, "\"></meter> ");
        put_percent(sink, percent, is_over(view, process, limit));
    }
    amgr_sink_puts(sink, " of ");
    amgr_page_size(sink, (apr_uint64_t)limit);
    amgr_sink_puts(sink, "</td>");
}

/* "+12 MB/h"; what is hardly any is "steady". */
static void put_growth_cell(amgr_sink_t *sink, const amgr_process_t *process)
{
    apr_int64_t growth = process->growth_bytes_per_hour;
    apr_uint64_t pace;

    if (growth == AMGR_GROWTH_UNKNOWN) {
        put_na_cell(sink);
        return;
    }
    pace = (apr_uint64_t)(growth < 0 ? -growth : growth);
    if (pace < STEADY_BYTES && pace < process->rss_bytes / 100) {
        amgr_sink_puts(sink, "<td>steady</td>");
        return;
    }
    amgr_sink_puts(sink, growth < 0 ? "<td>-" : "<td>+");
    amgr_page_size(sink, pace);
    amgr_sink_puts(sink, "/h</td>");
}

static void put_left_cell(const amgr_view_t *view, amgr_sink_t *sink,
                          const amgr_process_t *process, apr_int64_t limit)
{
    apr_interval_time_t left_us;
    int near;

    if (is_over(view, process, limit)) {
        amgr_sink_puts(sink, "<td class=\"word\">already</td>");
        return;
    }
    if (limit == AMGR_LIMIT_OFF ||
        process->growth_bytes_per_hour == AMGR_GROWTH_UNKNOWN) {
        amgr_sink_puts(sink, "<td class=\"word na\">" AMGR_PAGE_NA "</td>");
        return;
    }
    left_us = amgr_trends_time_to_limit(view, process);
    if (left_us < 0) {
        amgr_sink_puts(sink, "<td class=\"word na\">not soon</td>");
        return;
    }
    near = left_us < SOON_US && amgr_trends_is_near(view, process);
    amgr_sink_puts(sink, near ? "<td class=\"word\"><span class=\"mark warn\">"
                              : "<td class=\"word\">");
    amgr_sink_puts(sink, "in ");
    amgr_page_span(sink, left_us);
    amgr_sink_puts(sink, near ? "</span></td>" : "</td>");
}

/* Empty for what is well, as most are: only the others stand out. */
static const char *verdict_class(const amgr_process_t *process)
{
    if (process->state == AMGR_STATE_RETIRING) {
        return "bad";
    }
    if (process->verdict >= AMGR_VERDICT_MEMORY_ACTIVE) {
        return "warn";
    }
    return process->verdict == AMGR_VERDICT_OK ? "" : "na";
}

static void put_verdict_cell(const amgr_view_t *view, amgr_sink_t *sink,
                             const amgr_process_t *process)
{
    const char *css = verdict_class(process);

    if (css[0] == '\0') {
        amgr_sink_puts(sink, "<td>");
        amgr_sink_puts(sink, verdict_text(view, process));
        amgr_sink_puts(sink, "</td>");
        return;
    }
    amgr_sink_puts(sink, "<td><span class=\"mark ");
    amgr_sink_puts(sink, css);
    amgr_sink_puts(sink, "\">");
    amgr_sink_puts(sink, verdict_text(view, process));
    amgr_sink_puts(sink, "</span>");
    if (process->cause != AMGR_CAUSE_NONE) {
        amgr_sink_puts(sink, " <span class=\"why\">left alone because ");
        amgr_sink_puts(sink, amgr_page_cause_text(process->cause));
        amgr_sink_puts(sink, "</span>");
    }
    amgr_sink_puts(sink, "</td>");
}

void amgr_page_process(const amgr_view_t *view, amgr_sink_t *sink,
                       const amgr_process_t *process)
{
    apr_int64_t limit = amgr_trends_limit(view, process);
    int metric = view->config->limits.metric;

    amgr_sink_puts(sink, "<tr id=\"p-");
    amgr_sink_i64(sink, process->id.pid);
    amgr_sink_puts(sink, "\"><th scope=\"row\">");
    amgr_sink_i64(sink, process->id.pid);
    amgr_sink_puts(sink, "</th><td>");
    amgr_page_text(sink, amgr_view_group_name(view, process->group));
    amgr_sink_puts(sink, "</td>");
    put_state_cell(view, sink, process);
    put_verdict_cell(view, sink, process);
    put_busy_cell(sink, process);
    put_size_cell(sink, process->rss_bytes);
    if (amgr_page_metric_title(metric)[0] != '\0') {
        put_size_cell(sink, amgr_measure_of(process, metric));
    }
    put_share_cell(view, sink, process, limit);
    put_growth_cell(sink, process);
    put_left_cell(view, sink, process, limit);
    amgr_sink_puts(sink, process->age_us < 0 ? "<td class=\"na\">" : "<td>");
    amgr_page_span(sink, process->age_us);
    amgr_sink_puts(sink, "</td>");
    put_count_cell(sink, process->threads > 0 ? process->threads : -1);
    put_count_cell(sink, (apr_int64_t)amgr_view_accesses(view, process));
    put_count_cell(sink, process->generation);
    amgr_sink_puts(sink, "</tr>\n");
}
