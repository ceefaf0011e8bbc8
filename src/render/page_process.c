/* SPDX-License-Identifier: Apache-2.0
 *
 * The page's tables of processes and of their groups: who is there, how big,
 * against which limit, and what is thought of it.
 */
#include "render/page.h"

#include "model/words.h"

static const char *const verdict_texts[AMGR_VERDICT_COUNT] = {
    "not judged yet",
    "never judged",
    "within limits",
    "over ManagerMaxMemoryActive",
    "over ManagerMaxMemoryIdle",
    "over ManagerMaxTime",
    "over ManagerHardMemory",
    "all over ManagerMaxMemoryTotal",
    "over ManagerMaxRequests",
    "over ManagerMaxLifetime",
    "over ManagerMaxGenerationAge"
};

static const char *metric_title(int metric)
{
    static const char *const titles[AMGR_METRIC_COUNT] = {
        "", "#Anonymous", "#Proportional", "#Private"
    };

    return metric < 0 || metric >= AMGR_METRIC_COUNT ? "" : titles[metric];
}

/* The memory limit with a gauge; coloured from four fifths on. */
static void put_limit_cell(const amgr_view_t *view, amgr_sink_t *sink,
                           const amgr_process_t *process)
{
    apr_int64_t limit = amgr_view_memory_limit(view, process);
    apr_uint64_t used = amgr_measure_of(process,
                                           view->config->limits.metric);

    if (limit == AMGR_LIMIT_OFF) {
        amgr_sink_puts(sink, "<td class=\"num na\">none</td>");
        return;
    }
    amgr_sink_puts(sink, "<td class=\"num\">");
    if (used != AMGR_UNKNOWN) {
        amgr_sink_puts(sink, "<meter min=\"0\" low=\"");
        amgr_sink_i64(sink, limit / 5 * 4);
        amgr_sink_puts(sink, "\" high=\"");
        amgr_sink_i64(sink, limit);
        /* Room above the limit, so that being over it shows as such. */
        amgr_sink_puts(sink, "\" optimum=\"0\" max=\"");
        amgr_sink_i64(sink, limit + limit / 4);
        amgr_sink_puts(sink, "\" value=\"");
        amgr_sink_u64(sink, used);
        amgr_sink_puts(sink, "\"></meter> ");
    }
    amgr_page_size(sink, (apr_uint64_t)limit);
    amgr_sink_puts(sink, "</td>");
}

static int count_busy(const amgr_view_t *view, const amgr_process_t *process,
                      int *out_count)
{
    const amgr_slot_t *slots = amgr_view_slots(view, process, out_count);
    int busy = 0;
    int i;

    for (i = 0; i < *out_count; i++) {
        busy += !amgr_mode_is_idle(slots[i].mode);
    }
    return busy;
}

static void put_busy_cell(const amgr_view_t *view, amgr_sink_t *sink,
                          const amgr_process_t *process)
{
    int count;
    int busy = count_busy(view, process, &count);

    if (count == 0) {
        amgr_page_count_cell(sink, -1);
        return;
    }
    amgr_sink_puts(sink, "<td class=\"num\">");
    amgr_sink_i64(sink, busy);
    amgr_sink_putc(sink, '/');
    amgr_sink_i64(sink, count);
    amgr_sink_puts(sink, "</td>");
}

static const char *verdict_class(const amgr_process_t *process)
{
    if (process->state == AMGR_STATE_RETIRING) {
        return "bad";
    }
    if (process->verdict >= AMGR_VERDICT_MEMORY_ACTIVE) {
        return "warn";
    }
    return process->verdict == AMGR_VERDICT_OK ? "ok" : "na";
}

static void put_verdict_cell(const amgr_view_t *view, amgr_sink_t *sink,
                             const amgr_process_t *process)
{
    int verdict = process->verdict;

    if (verdict < 0 || verdict >= AMGR_VERDICT_COUNT) {
        verdict = AMGR_VERDICT_UNKNOWN;
    }
    amgr_sink_puts(sink, "<td class=\"verdict\"><span class=\"mark ");
    amgr_sink_puts(sink, verdict_class(process));
    amgr_sink_puts(sink, "\">");
    if (verdict == AMGR_VERDICT_OK
        && !amgr_limits_are_set(&view->config->limits)) {
        amgr_sink_puts(sink, "no limit set");
    }
    else {
        amgr_sink_puts(sink, verdict_texts[verdict]);
    }
    amgr_sink_puts(sink, "</span>");
    if (process->cause != AMGR_CAUSE_NONE) {
        amgr_sink_puts(sink, " <span class=\"why\">left alone because ");
        amgr_sink_puts(sink, amgr_page_cause_text(process->cause));
        amgr_sink_puts(sink, "</span>");
    }
    amgr_sink_puts(sink, "</td>");
}

/* A word of ours in a cell of its own. */
static void put_word_cell(amgr_sink_t *sink, const char *word)
{
    amgr_sink_puts(sink, "<td>");
    amgr_sink_puts(sink, word);
    amgr_sink_puts(sink, "</td>");
}

static void put_process(const amgr_view_t *view, amgr_sink_t *sink,
                        const amgr_process_t *process)
{
    int metric = view->config->limits.metric;
    int judged = process->role == AMGR_ROLE_WORKER
        || process->role == AMGR_ROLE_WSGI;

    amgr_sink_puts(sink, "<tr><th scope=\"row\" class=\"num\">");
    amgr_sink_i64(sink, process->id.pid);
    amgr_sink_puts(sink, "</th><td>");
    amgr_page_text(sink, amgr_view_group_name(view, process->group));
    amgr_sink_puts(sink, "</td>");
    put_word_cell(sink, amgr_state_word(process->state));
    put_word_cell(sink, !judged ? AMGR_PAGE_NA
                                : process->active ? "active" : "idle");
    amgr_page_size_cell(sink, process->rss_bytes);
    if (metric_title(metric)[0] != '\0') {
        amgr_page_size_cell(sink, amgr_measure_of(process, metric));
    }
    put_limit_cell(view, sink, process);
    put_verdict_cell(view, sink, process);
    amgr_sink_puts(sink, "<td class=\"num\">");
    amgr_page_span(sink, process->age_us);
    amgr_sink_puts(sink, "</td>");
    amgr_page_count_cell(sink, process->threads > 0 ? process->threads : -1);
    put_busy_cell(view, sink, process);
    amgr_page_count_cell(sink, process->kind == AMGR_KIND_NATIVE
                                   ? (apr_int64_t)process->accesses : -1);
    amgr_page_count_cell(sink, process->generation);
    amgr_sink_puts(sink, "</tr>\n");
}

void amgr_page_processes(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_snapshot_t *snapshot = view->snapshot;
    const char *metric = metric_title(view->config->limits.metric);
    char columns[160];
    amgr_sink_t title;
    int i;

    amgr_page_begin_section(sink, "processes", "Processes");
    if (snapshot->process_count == 0) {
        amgr_sink_puts(sink, "<p>None is known yet.</p>\n");
        amgr_page_end_section(sink);
        return;
    }
    amgr_sink_init(&title, columns, sizeof(columns), NULL, NULL);
    amgr_sink_puts(&title, "#PID|Group|State|Activity|#Resident|");
    amgr_sink_puts(&title, metric);
    amgr_sink_puts(&title, metric[0] != '\0' ? "|" : "");
    amgr_sink_puts(&title, "#Memory limit|Verdict|#Age|#Threads|#Busy|"
                           "#Requests|#Generation");
    amgr_sink_putc(&title, '\0');
    amgr_page_begin_table(sink, "Direct children of the server, memory and"
                                " verdict as of the last tick", columns);
    for (i = 0; i < snapshot->process_count; i++) {
        put_process(view, sink, &snapshot->processes[i]);
    }
    amgr_page_end_table(sink);
    amgr_page_end_section(sink);
}

/* A mean, as whole bytes: half a byte is of no interest here. */
static apr_uint64_t whole(double value)
{
    return value >= 0.0 && value < 9e18 ? (apr_uint64_t)value : AMGR_UNKNOWN;
}

static void put_group(amgr_sink_t *sink, const amgr_group_t *group)
{
    const amgr_stats_t *rss = &group->rss;
    int known = rss->known > 0;

    amgr_sink_puts(sink, "<tr><th scope=\"row\">");
    amgr_page_text(sink, group->name);
    amgr_sink_puts(sink, "</th><td>");
    amgr_sink_puts(sink, amgr_kind_word(group->kind));
    amgr_sink_puts(sink, ", ");
    amgr_sink_puts(sink, amgr_role_word(group->role));
    amgr_sink_puts(sink, "</td>");
    amgr_page_count_cell(sink, (apr_int64_t)rss->count);
    amgr_page_size_cell(sink, known ? rss->sum : AMGR_UNKNOWN);
    amgr_page_size_cell(sink, known ? rss->min : AMGR_UNKNOWN);
    amgr_page_size_cell(sink, known ? whole(rss->average) : AMGR_UNKNOWN);
    amgr_page_size_cell(sink, known ? whole(rss->median) : AMGR_UNKNOWN);
    amgr_page_size_cell(sink, known ? rss->max : AMGR_UNKNOWN);
    amgr_page_size_cell(sink, group->fresh_bytes);
    amgr_sink_puts(sink, "</tr>\n");
}

void amgr_page_groups(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_snapshot_t *snapshot = view->snapshot;
    int i;

    if (snapshot->group_count == 0) {
        return;
    }
    amgr_page_begin_section(sink, "groups", "Groups");
    amgr_page_begin_table(sink, "Resident memory of the processes of each"
                                " group",
                          "Group|Kind|#Processes|#Sum|#Minimum|#Average|"
                          "#Median|#Maximum|#Fresh");
    for (i = 0; i < snapshot->group_count; i++) {
        put_group(sink, &snapshot->groups[i]);
    }
    amgr_page_end_table(sink);
    amgr_page_end_section(sink);
}
