/* SPDX-License-Identifier: Apache-2.0
 *
 * The page's table of groups: what the processes of each have together, and
 * which limits of memory they obey.
 */
#include "render/page.h"

#include "model/words.h"

/* A mean, as whole bytes: half a byte is of no interest here. */
static apr_uint64_t whole(double value)
{
    return value >= 0.0 && value < 9e18 ? (apr_uint64_t)value : AMGR_UNKNOWN;
}

/* The sum, and its share of what all groups have. */
static void put_sum_cell(amgr_sink_t *sink, const amgr_stats_t *rss,
                         double all_bytes)
{
    int percent;

    if (rss->known == 0 || all_bytes <= 0.0) {
        amgr_page_size_cell(sink, rss->known > 0 ? rss->sum : AMGR_UNKNOWN);
        amgr_sink_puts(sink, "<td class=\"na\">" AMGR_PAGE_NA "</td>");
        return;
    }
    percent = (int)((double)rss->sum / all_bytes * 100.0 + 0.5);
    amgr_sink_puts(sink, "<td class=\"num\" title=\"");
    amgr_sink_u64(sink, rss->sum);
    amgr_sink_puts(sink, " bytes\">");
    amgr_page_size(sink, rss->sum);
    amgr_sink_puts(sink, "</td><td><meter max=\"100\" value=\"");
    amgr_sink_i64(sink, percent);
    amgr_sink_puts(sink, "\"></meter> ");
    amgr_sink_i64(sink, percent);
    amgr_sink_puts(sink, "%</td>");
}

static int put_limit(amgr_sink_t *sink, const char *name, apr_int64_t limit,
                     int shown)
{
    if (limit == AMGR_LIMIT_OFF) {
        return shown;
    }
    amgr_sink_puts(sink, shown ? ", " : "");
    amgr_sink_puts(sink, name);
    amgr_sink_putc(sink, ' ');
    amgr_page_size(sink, limit < 0 ? AMGR_UNKNOWN : (apr_uint64_t)limit);
    return 1;
}

/* Those that its role obeys; a daemon always counts as active. */
static void put_limits(const amgr_limits_t *limits, amgr_sink_t *sink,
                       const amgr_group_t *group)
{
    int shown = 0;

    shown =
        put_limit(sink, "active",
                  amgr_sections_active_bytes(limits, group->section), shown);
    if (group->role == AMGR_ROLE_WORKER) {
        shown =
            put_limit(sink, "idle",
                      amgr_sections_idle_bytes(limits, group->section), shown);
    }
    shown = put_limit(sink, "hard",
                      amgr_sections_hard_bytes(limits, group->section), shown);
    amgr_sink_puts(sink, shown ? "" : "none");
}

/* Whether processes of this group are judged at all. */
static int obeys_limits(const amgr_group_t *group)
{
    amgr_process_t process = {
        .kind = group->kind, .role = group->role, .section = group->section};

    return amgr_measure_is_judged(&process);
}

static void put_limits_cell(const amgr_view_t *view, amgr_sink_t *sink,
                            const amgr_group_t *group)
{
    if (group->role == AMGR_ROLE_OTHER) {
        amgr_sink_puts(sink, "<td>each its own group's</td>");
        return;
    }
    if (!obeys_limits(group)) {
        amgr_sink_puts(sink, "<td class=\"na\">never judged</td>");
        return;
    }
    amgr_sink_puts(sink, "<td>");
    put_limits(&view->config->limits, sink, group);
    if (group->inert) {
        amgr_sink_puts(sink, " <span class=\"mark warn\">inert</span> <span"
                             " class=\"why\">not above a fresh process"
                             "</span>");
    }
    amgr_sink_puts(sink, "</td>");
}

static void put_group(const amgr_view_t *view, amgr_sink_t *sink,
                      const amgr_group_t *group, double all_bytes)
{
    const amgr_stats_t *rss = &group->rss;
    int known = rss->known > 0;

    amgr_sink_puts(sink, "<tr><th scope=\"row\">");
    amgr_page_text(sink, group->name);
    amgr_sink_puts(sink, "</th><td>");
    amgr_sink_puts(sink, amgr_role_word(group->role));
    amgr_sink_puts(sink, "</td>");
    amgr_page_count_cell(sink, (apr_int64_t)rss->count);
    put_sum_cell(sink, rss, all_bytes);
    amgr_page_size_cell(sink, known ? rss->min : AMGR_UNKNOWN);
    amgr_page_size_cell(sink, known ? whole(rss->average) : AMGR_UNKNOWN);
    amgr_page_size_cell(sink, known ? whole(rss->median) : AMGR_UNKNOWN);
    amgr_page_size_cell(sink, known ? rss->max : AMGR_UNKNOWN);
    amgr_page_size_cell(sink, group->fresh_bytes);
    put_limits_cell(view, sink, group);
    amgr_sink_puts(sink, "</tr>\n");
}

static double sum_of_all(const amgr_snapshot_t *snapshot)
{
    double sum = 0.0;
    int i;

    for (i = 0; i < snapshot->group_count; i++) {
        const amgr_stats_t *rss = &snapshot->groups[i].rss;

        sum += rss->known > 0 ? (double)rss->sum : 0.0;
    }
    return sum;
}

void amgr_page_groups(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_snapshot_t *snapshot = view->snapshot;
    double all_bytes = sum_of_all(snapshot);
    int i;

    if (snapshot->group_count == 0) {
        return;
    }
    amgr_page_begin_section(sink, "groups", "Groups");
    amgr_page_begin_table(sink,
                          "Resident memory of the processes of each"
                          " group; pages that several share count in"
                          " each of them",
                          "Group|Role|#Processes|#Sum|Of all|#Smallest|"
                          "#Average|#Median|#Largest|#Fresh process|"
                          "Memory limits");
    for (i = 0; i < snapshot->group_count; i++) {
        put_group(view, sink, &snapshot->groups[i], all_bytes);
    }
    amgr_page_end_table(sink);
    amgr_page_end_section(sink);
}
