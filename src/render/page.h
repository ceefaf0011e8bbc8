/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the page, for page*.c alone.  Every part is written in one go
 * from the view.  All text that is not ours goes through the helpers here or
 * amgr_escape_html; numbers need no escaping.
 */
#ifndef AMGR_PAGE_H
#define AMGR_PAGE_H

#include "render/chart.h"
#include "render/trends.h"

/** What stands for a figure that is not known. */
#define AMGR_PAGE_NA "n/a"

/** The axis of time that all charts of a page share, and what is over it. */
typedef struct amgr_page_trend_t {
    apr_time_t begin_us; /**< monotonic */
    apr_time_t end_us;
    int known;           /**< columns that any sample speaks of */
    amgr_trend_column_t columns[AMGR_CHART_COLUMNS];
} amgr_page_trend_t;

/** Read the history once, over as much of the span asked for as the server
 * has lived through. */
void amgr_page_trend_read(const amgr_view_t *view, amgr_page_trend_t *out);

/** One part each, in the order of the page. */
void amgr_page_headline(const amgr_view_t *view, amgr_sink_t *sink,
                        const amgr_view_counts_t *counts);
void amgr_page_overview(const amgr_view_t *view, amgr_sink_t *sink,
                        const amgr_page_trend_t *trend);
void amgr_page_managed(const amgr_view_t *view, amgr_sink_t *sink);
void amgr_page_history(const amgr_view_t *view, amgr_sink_t *sink,
                       const amgr_page_trend_t *trend);
void amgr_page_processes(const amgr_view_t *view, amgr_sink_t *sink);
void amgr_page_groups(const amgr_view_t *view, amgr_sink_t *sink);
void amgr_page_limits(const amgr_view_t *view, amgr_sink_t *sink);
void amgr_page_records(const amgr_view_t *view, amgr_sink_t *sink);
void amgr_page_counters(const amgr_view_t *view, amgr_sink_t *sink);
void amgr_page_scoreboard(const amgr_view_t *view, amgr_sink_t *sink);
void amgr_page_slots(const amgr_view_t *view, amgr_sink_t *sink);

/** The headline's words alone, without our style: "<strong>Healthy.</strong>
 * All 3 worker processes are within their limits." */
void amgr_page_verdict_text(const amgr_view_t *view, amgr_sink_t *sink,
                            const amgr_view_counts_t *counts);

/** That of it which is about managed processes. */
void amgr_page_managed_sentence(const amgr_view_t *view, amgr_sink_t *sink,
                                const amgr_view_counts_t *counts);

/** A row for how a retirement went and what was seen before it, over so many
 * columns. */
void amgr_page_evidence(const amgr_view_t *view, amgr_sink_t *sink,
                        const amgr_record_t *record, int columns);

/** Class of the headline's colour: "ok", "info", "warn" or "bad". */
const char *amgr_page_health_class(int health);

/** Why that was, with its figures: "612 MB resident, over
 * ManagerMaxMemoryActive of 500 MB". */
void amgr_page_reason(amgr_sink_t *sink, const amgr_record_t *record);

/** A span from one step to another: "0.31s", "1m 29s". */
void amgr_page_after(amgr_sink_t *sink, apr_interval_time_t span_us);

/** "decided", "announced", "asked to finish", "killed": a retirement's step. */
const char *amgr_page_step_text(int action);

/** Why a process over its limit is left alone, to follow "because". */
const char *amgr_page_cause_text(int cause);

/* Figures in words; each writes "n/a" for what is not known. */

/** "12.05 MB". */
void amgr_page_size(amgr_sink_t *sink, apr_uint64_t bytes);

/** The same as a table cell, the exact number in its title. */
void amgr_page_size_cell(amgr_sink_t *sink, apr_uint64_t bytes);

/** The two largest units: "2d 3h", "1m 29s", "0s". */
void amgr_page_span(amgr_sink_t *sink, apr_interval_time_t span_us);

/** "2026-01-31 23:59:59" in UTC, as a time element. */
void amgr_page_time(amgr_sink_t *sink, apr_time_t wall_us);

/** @a value over 10 to the power of @a decimals: (1234, 2) is "12.34". */
void amgr_page_fixed(amgr_sink_t *sink, apr_uint64_t value, int decimals);

/** A rate with three decimals; negative is not known. */
void amgr_page_rate(amgr_sink_t *sink, double value);

/** A rate with three digits that count: "0.123", "34.2", "512"; negative is
 * not known. */
void amgr_page_short_rate(amgr_sink_t *sink, double value);

/** A count, or "n/a" when negative. */
void amgr_page_count(amgr_sink_t *sink, apr_int64_t value);

/** The same as a table cell. */
void amgr_page_count_cell(amgr_sink_t *sink, apr_int64_t value);

/** "1 worker", "2 workers". */
void amgr_page_plural(amgr_sink_t *sink, apr_int64_t count, const char *noun);

/** The part of a request that may be shown, escaped; empty: "n/a". */
void amgr_page_request(const amgr_view_t *view, amgr_sink_t *sink,
                       const char *request);

/** How long ago that was: "2m 5s ago", of the future "0s ago". */
void amgr_page_ago(const amgr_view_t *view, amgr_sink_t *sink,
                   apr_time_t wall_us);

/** The part of a client that may be shown, escaped; empty: "n/a". */
void amgr_page_client(const amgr_view_t *view, amgr_sink_t *sink,
                      const char *client);

/** What a thread was blocked on, escaped, as far as it tells no client. */
void amgr_page_target(const amgr_view_t *view, amgr_sink_t *sink,
                      const char *target);

/** Untrusted text, escaped. */
void amgr_page_text(amgr_sink_t *sink, const char *text);

/** The table of groups with limits of their own, if there are any. */
void amgr_page_sections(const amgr_view_t *view, amgr_sink_t *sink);

/** A column of a table that can be sorted by a link in its heading. */
typedef struct amgr_page_column_t {
    const char *title;
    const char *word; /**< in the address, see page_query.h; NULL: no order */
    int is_number;    /**< to the right, and first sorted highest first */
    const char *hint; /**< what the title stands for, or NULL */
} amgr_page_column_t;

/** Index of the column that the address sorts this table by, or -1; @a which
 * is amgr_page_table_e. */
int amgr_page_sorted_by(const amgr_view_t *view, int which,
                        const amgr_page_column_t *columns, int count);

/** As amgr_page_begin_table, with a link in each heading that has a word and
 * aria-sort at the one that is in force. */
void amgr_page_begin_sorted(const amgr_view_t *view, amgr_sink_t *sink,
                            const char *caption, int which,
                            const amgr_page_column_t *columns, int count);

/** Section with this id, its heading and the heading's id, which begins with
 * "title-": what follows a section's own id may be the name of a process. */
void amgr_page_begin_section(amgr_sink_t *sink, const char *id,
                             const char *title);
void amgr_page_end_section(amgr_sink_t *sink);

/** A table with its caption in a wrapper that scrolls on narrow screens; @a
 * columns are separated by '|', those that begin with '#' hold numbers. */
void amgr_page_begin_table(amgr_sink_t *sink, const char *caption,
                           const char *columns);
void amgr_page_end_table(amgr_sink_t *sink);

/** Whether item @a a stands before item @a b, which is another. */
typedef int amgr_page_before_fn(const void *baton, int a, int b);

/** Put @a items in order, in place and in n log n steps at the worst. */
void amgr_page_sort(int *items, int count, amgr_page_before_fn *is_before,
                    const void *baton);

/** Begin of a link to this same page as @a query asks for it, at the element
 * of this id. */
void amgr_page_begin_link(amgr_sink_t *sink, const amgr_page_query_t *query,
                          const char *fragment);

/** A term of a definition list; the caller writes the value between. */
void amgr_page_begin_fact(amgr_sink_t *sink, const char *name);
void amgr_page_end_fact(amgr_sink_t *sink);

#endif
