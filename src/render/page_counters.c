/* SPDX-License-Identifier: Apache-2.0
 *
 * The page's sums of watching since the server was started, and what it costs;
 * those of retiring stand with its records.
 */
#include "render/page.h"

#include "model/words.h"

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

    amgr_page_begin_section(sink, "counters",
                            "Watching since the server was started");
    amgr_sink_puts(sink, "<dl class=\"facts\">\n");
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
