/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of the page, and the headings by which a reader orders one of them
 * anew: links to this same page, so that no script is needed.
 */
#include "render/page.h"

#include <string.h>

#include <apr_strings.h>

/* Ids of the sections that the tables stand in, and of their parts. */
static const char *const table_ids[AMGR_PAGE_TABLE_COUNT] = {"processes",
                                                             "workers"};

static void begin(amgr_sink_t *sink, const char *caption)
{
    amgr_sink_puts(sink, "<div class=\"scroll\" tabindex=\"0\" role=\"region\""
                         " aria-label=\"");
    amgr_sink_puts(sink, caption);
    amgr_sink_puts(sink, "\">\n<table>\n<caption><span>");
    amgr_sink_puts(sink, caption);
    amgr_sink_puts(sink, "</span></caption>\n<thead>\n<tr>");
}

static void end_head(amgr_sink_t *sink)
{
    amgr_sink_puts(sink, "</tr>\n</thead>\n<tbody>\n");
}

void amgr_page_begin_table(amgr_sink_t *sink, const char *caption,
                           const char *columns)
{
    const char *at = columns;

    begin(sink, caption);
    while (*at != '\0') {
        apr_size_t len;

        amgr_sink_puts(sink, *at == '#' ? "<th scope=\"col\" class=\"num\">"
                                        : "<th scope=\"col\">");
        at += *at == '#';
        len = strcspn(at, "|");
        amgr_sink_put(sink, at, len);
        amgr_sink_puts(sink, "</th>");
        at += len;
        at += *at == '|';
    }
    end_head(sink);
}

void amgr_page_end_table(amgr_sink_t *sink)
{
    amgr_sink_puts(sink, "</tbody>\n</table>\n</div>\n");
}

void amgr_page_begin_link(amgr_sink_t *sink, const amgr_page_query_t *query,
                          const char *fragment)
{
    apr_uint64_t total;

    amgr_sink_puts(sink, "<a href=\"");
    total = sink->total;
    amgr_page_query_write(query, sink);
    /* An address without any would keep the one the page was loaded by. */
    amgr_sink_puts(sink, sink->total == total ? "?#" : "#");
    amgr_sink_puts(sink, fragment);
    amgr_sink_puts(sink, "\">");
}

int amgr_page_sorted_by(const amgr_view_t *view, int which,
                        const amgr_page_column_t *columns, int count)
{
    const char *word = view->query.orders[which].word;
    int i;

    for (i = 0; i < count && word[0] != '\0'; i++) {
        if (columns[i].word != NULL && strcmp(columns[i].word, word) == 0) {
            return i;
        }
    }
    return -1;
}

static void put_hint(amgr_sink_t *sink, const char *hint)
{
    if (hint != NULL) {
        amgr_sink_puts(sink, " title=\"");
        amgr_page_text(sink, hint);
        amgr_sink_putc(sink, '"');
    }
}

/* A heading that only names its column. */
static void put_plain(amgr_sink_t *sink, const amgr_page_column_t *column)
{
    if (column->hint == NULL) {
        amgr_page_text(sink, column->title);
        return;
    }
    amgr_sink_puts(sink, "<abbr");
    put_hint(sink, column->hint);
    amgr_sink_putc(sink, '>');
    amgr_page_text(sink, column->title);
    amgr_sink_puts(sink, "</abbr>");
}

/* The id lets focus stay where it was when the table is replaced. */
static void put_sorter(const amgr_view_t *view, amgr_sink_t *sink, int which,
                       const amgr_page_column_t *column, int in_force)
{
    amgr_page_query_t query = view->query;
    amgr_page_order_t *order = &query.orders[which];

    order->descending = in_force ? !order->descending : column->is_number;
    apr_cpystrn(order->word, column->word, sizeof(order->word));
    amgr_sink_puts(sink, "<a id=\"sort-");
    amgr_sink_puts(sink, table_ids[which]);
    amgr_sink_putc(sink, '-');
    amgr_sink_puts(sink, column->word);
    amgr_sink_putc(sink, '"');
    put_hint(sink, column->hint);
    amgr_sink_puts(sink, " href=\"");
    amgr_page_query_write(&query, sink);
    amgr_sink_putc(sink, '#');
    amgr_sink_puts(sink, table_ids[which]);
    amgr_sink_puts(sink, "\">");
    amgr_page_text(sink, column->title);
    amgr_sink_puts(sink, "</a>");
    if (in_force) {
        /* A triangle that points up or down. */
        amgr_sink_puts(sink,
                       view->query.orders[which].descending
                           ? "<span aria-hidden=\"true\"> \xE2\x96\xBC</span>"
                           : "<span aria-hidden=\"true\"> \xE2\x96\xB2</span>");
    }
}

void amgr_page_begin_sorted(const amgr_view_t *view, amgr_sink_t *sink,
                            const char *caption, int which,
                            const amgr_page_column_t *columns, int count)
{
    int sorted_by = amgr_page_sorted_by(view, which, columns, count);
    int i;

    begin(sink, caption);
    for (i = 0; i < count; i++) {
        amgr_sink_puts(sink, columns[i].is_number
                                 ? "<th scope=\"col\" class=\"num\""
                                 : "<th scope=\"col\"");
        if (i == sorted_by) {
            amgr_sink_puts(sink, view->query.orders[which].descending
                                     ? " aria-sort=\"descending\""
                                     : " aria-sort=\"ascending\"");
        }
        amgr_sink_putc(sink, '>');
        if (columns[i].word == NULL) {
            put_plain(sink, &columns[i]);
        }
        else {
            put_sorter(view, sink, which, &columns[i], i == sorted_by);
        }
        amgr_sink_puts(sink, "</th>");
    }
    end_head(sink);
}

/* Move items[root] down to its place among those below it, the last of the
 * order uppermost. */
static void sift(int *items, int root, int count,
                 amgr_page_before_fn *is_before, const void *baton)
{
    int item = items[root];
    int child;

    while ((child = 2 * root + 1) < count) {
        if (child + 1 < count &&
            is_before(baton, items[child], items[child + 1])) {
            child++;
        }
        if (!is_before(baton, item, items[child])) {
            break;
        }
        items[root] = items[child];
        root = child;
    }
    items[root] = item;
}

void amgr_page_sort(int *items, int count, amgr_page_before_fn *is_before,
                    const void *baton)
{
    int i;

    for (i = count / 2 - 1; i >= 0; i--) {
        sift(items, i, count, is_before, baton);
    }
    for (i = count - 1; i > 0; i--) {
        int last = items[0];

        items[0] = items[i];
        items[i] = last;
        sift(items, 0, i, is_before, baton);
    }
}
