/* SPDX-License-Identifier: Apache-2.0
 *
 * The charts of memory: a line for each of the largest groups, and levels for
 * the server's limits where they are near.
 */
#include "render/page_chart.h"

/* Lines that can be told apart; further groups are in the table alone. */
#define LINES_MAX 6

static const char *const line_css[LINES_MAX] = {"c0", "c1", "c2",
                                                "c3", "c4", "c5"};

/** Which of the series' groups are drawn: the largest. */
typedef struct lines_t {
    int largest; /**< of one process each, not of all together */
    const char (*names)[AMGR_GROUP_NAME_LEN]; /**< of the series' groups */
    int count;
    int group[LINES_MAX];
    int css[LINES_MAX]; /**< index into the classes */
    amgr_chart_values_t values[LINES_MAX];
} lines_t;

static apr_int64_t memory_of(const amgr_trend_column_t *column, int group,
                             int largest)
{
    apr_uint64_t bytes = largest ? column->groups[group].largest_bytes
                                 : column->groups[group].sum_bytes;

    return column->known && bytes > 0 && bytes < APR_INT64_MAX
               ? (apr_int64_t)bytes
               : AMGR_CHART_NONE;
}

static apr_int64_t highest_of(const amgr_page_trend_t *trend, int group,
                              int largest)
{
    apr_int64_t highest = 0;
    int i;

    for (i = 0; i < AMGR_CHART_COLUMNS; i++) {
        apr_int64_t here = memory_of(&trend->columns[i], group, largest);

        highest = here > highest ? here : highest;
    }
    return highest;
}

/* How many groups have more, or as much and stand before it. */
static int rank_of(const apr_int64_t *highest, int count, int group)
{
    int rank = 0;
    int i;

    for (i = 0; i < count; i++) {
        rank += highest[i] > highest[group] ||
                (i < group && highest[i] == highest[group]);
    }
    return rank;
}

/* A group's own class, or the next that no other of the chart has. */
static int choose_css(const lines_t *lines, int group)
{
    int css = group % LINES_MAX;
    int i = 0;

    while (i < lines->count) {
        if (lines->css[i] == css) {
            css = (css + 1) % LINES_MAX;
            i = 0;
        }
        else {
            i++;
        }
    }
    return css;
}

/* The largest groups and their figures, in the history's order, so that each
 * keeps its colour; returns the highest figure of all. */
static apr_int64_t read_lines(const amgr_view_t *view,
                              const amgr_page_trend_t *trend, int largest,
                              lines_t *out)
{
    apr_int64_t highest[AMGR_HISTORY_GROUPS];
    apr_int64_t top = 0;
    int count = view->history->group_count;
    int i;
    int j;

    out->count = 0;
    out->largest = largest;
    out->names = view->history->groups;
    for (i = 0; i < count; i++) {
        highest[i] = highest_of(trend, i, largest);
        top = highest[i] > top ? highest[i] : top;
    }
    for (i = 0; i < count; i++) {
        if (highest[i] == 0 || rank_of(highest, count, i) >= LINES_MAX) {
            continue;
        }
        out->group[out->count] = i;
        out->css[out->count] = choose_css(out, i);
        for (j = 0; j < AMGR_CHART_COLUMNS; j++) {
            out->values[out->count].at[j] =
                memory_of(&trend->columns[j], i, largest);
        }
        out->count++;
    }
    return top;
}

static void memory_strip(amgr_sink_t *sink, const void *baton,
                         const amgr_trend_column_t *column)
{
    const lines_t *lines = baton;
    const char *before = " ";
    int i;

    for (i = 0; i < lines->count; i++) {
        apr_int64_t bytes = memory_of(column, lines->group[i], lines->largest);

        if (bytes != AMGR_CHART_NONE) {
            amgr_sink_puts(sink, before);
            before = ", ";
            amgr_page_text(sink, lines->names[lines->group[i]]);
            amgr_sink_putc(sink, ' ');
            amgr_page_size(sink, (apr_uint64_t)bytes);
        }
    }
}

/* The newest column that any sample speaks of. */
static int newest_column(const amgr_page_trend_t *trend)
{
    int i = AMGR_CHART_COLUMNS - 1;

    while (i > 0 && !trend->columns[i].known) {
        i--;
    }
    return i;
}

static void put_memory_keys(const amgr_view_t *view, amgr_sink_t *sink,
                            const amgr_page_trend_t *trend,
                            const lines_t *lines)
{
    int column = newest_column(trend);
    int i;

    for (i = 0; i < lines->count; i++) {
        apr_int64_t newest = lines->values[i].at[column];

        amgr_page_begin_key(sink, line_css[lines->css[i]]);
        amgr_page_text(sink, view->history->groups[lines->group[i]]);
        amgr_sink_puts(sink, " <b>");
        if (newest < 0) {
            amgr_sink_puts(sink, "ended");
        }
        else {
            amgr_page_size(sink, (apr_uint64_t)newest);
        }
        amgr_sink_puts(sink, "</b>");
        amgr_page_end_key(sink);
    }
    if (lines->count == 0) {
        amgr_sink_puts(sink, "not known yet");
    }
}

/* A limit of the server that is near enough to be drawn raises the edge. */
static apr_int64_t with_limit(apr_int64_t highest, apr_int64_t limit)
{
    return limit != AMGR_LIMIT_OFF && limit > highest && limit / 4 < highest
               ? limit
               : highest;
}

/** The server's limits of one process. */
static const struct {
    const char *directive;
    const char *css;
} levels[AMGR_VIEW_LIMIT_COUNT] = {
    [AMGR_VIEW_ACTIVE] = {"ManagerMaxMemoryActive", "level"},
    [AMGR_VIEW_IDLE] = {"ManagerMaxMemoryIdle", "level idle"},
    [AMGR_VIEW_HARD] = {"ManagerHardMemory", "level hard"}};

static apr_int64_t level_of(const amgr_view_t *view, int which)
{
    const amgr_limits_t *limits = &view->config->limits;

    switch (which) {
    case AMGR_VIEW_ACTIVE:
        return limits->max_memory_active_bytes;
    case AMGR_VIEW_IDLE:
        return limits->max_memory_idle_bytes;
    default:
        return limits->hard_memory_bytes;
    }
}

static void put_level_keys(const amgr_view_t *view, amgr_sink_t *sink,
                           apr_int64_t top)
{
    char text[AMGR_UNITS_LEN];
    int i;

    for (i = 0; i < AMGR_VIEW_LIMIT_COUNT; i++) {
        apr_int64_t limit = level_of(view, i);

        if (limit != AMGR_LIMIT_OFF && limit <= top) {
            amgr_page_begin_key(sink, levels[i].css);
            amgr_sink_puts(sink, levels[i].directive);
            amgr_sink_puts(sink, " <b>");
            amgr_page_size(sink, (apr_uint64_t)limit);
            amgr_sink_puts(sink, "</b> (");
            amgr_sink_puts(sink,
                           amgr_size_format_exact(limit, text, sizeof(text)));
            amgr_sink_putc(sink, ')');
            amgr_page_end_key(sink);
        }
    }
}

void amgr_page_memory_chart(const amgr_view_t *view, amgr_sink_t *sink,
                            const amgr_page_trend_t *trend, int largest)
{
    int level_count = largest ? AMGR_VIEW_LIMIT_COUNT : 0;
    lines_t lines;
    apr_int64_t highest = read_lines(view, trend, largest, &lines);
    apr_int64_t top;
    int i;

    for (i = 0; i < level_count; i++) {
        highest = with_limit(highest, level_of(view, i));
    }
    top = amgr_chart_ceiling(highest, 1000);
    amgr_page_begin_chart(sink, largest ? "Largest process of each group"
                                        : "Memory of each group");
    put_memory_keys(view, sink, trend, &lines);
    if (largest) {
        put_level_keys(view, sink, top);
    }
    amgr_page_begin_plot(sink);
    amgr_page_size(sink, (apr_uint64_t)top);
    amgr_sink_puts(sink, "</span>");
    amgr_chart_begin(sink, "chart");
    for (i = 0; i < lines.count; i++) {
        amgr_chart_line(sink, line_css[lines.css[i]], &lines.values[i], top);
    }
    for (i = 0; i < level_count; i++) {
        amgr_chart_level(sink, levels[i].css, level_of(view, i), top);
    }
    amgr_page_end_chart(view, sink, trend, memory_strip, &lines);
}
