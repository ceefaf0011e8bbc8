/* SPDX-License-Identifier: Apache-2.0
 *
 * What a page was asked for: the part of its address behind the question
 * mark, and the links that change one thing of it and keep the rest.
 *
 *   refresh=N          load anew every so many seconds, 1 to 3600
 *   processes=WORD     order of the table of processes by a column's word, the
 *   workers=WORD       highest first with a minus before it; and of workers
 *   filter=TEXT        rows of both that have this text
 *   history=hour|day   span of the charts
 *   auto               the text for programs in place of the page; a value does
 *                      not matter
 *
 * Whatever else is there, or is there a second time, is ignored.  Each of
 * them stands alone: a bad value leaves the others as they are.
 */
#ifndef AMGR_PAGE_QUERY_H
#define AMGR_PAGE_QUERY_H

#include "base/sink.h"

#define AMGR_PAGE_REFRESH_MAX_SEC 3600
#define AMGR_PAGE_FILTER_LEN 64 /**< bytes with the NUL; longer ones are cut */
#define AMGR_PAGE_WORD_LEN 16

/** Room for what amgr_page_query_write_address() writes, with the NUL. */
#define AMGR_PAGE_ADDRESS_LEN 512

/** Tables that can be sorted. */
typedef enum amgr_page_table_e {
    AMGR_PAGE_PROCESSES = 0,
    AMGR_PAGE_WORKERS,
    AMGR_PAGE_TABLE_COUNT
} amgr_page_table_e;

/** Order of a table: a small letter and up to 14 more or underscores, which a
 * table may not know; empty: its own order. */
typedef struct amgr_page_order_t {
    char word[AMGR_PAGE_WORD_LEN];
    int descending;
} amgr_page_order_t;

typedef struct amgr_page_query_t {
    int refresh_sec; /**< 0: off */
    int history;     /**< amgr_history_span_e */
    amgr_page_order_t orders[AMGR_PAGE_TABLE_COUNT];
    char filter[AMGR_PAGE_FILTER_LEN]; /**< decoded, any bytes; empty: none */
    int is_auto; /**< not written: no link of the page leads there */
} amgr_page_query_t;

/** Read @a args, which may be NULL; never fails. */
void amgr_page_query_parse(const char *args, amgr_page_query_t *out);

/** Write @a query as it stands in an address, from the question mark on and
 * escaped for an attribute of HTML; nothing when all is as by default. */
void amgr_page_query_write(const amgr_page_query_t *query, amgr_sink_t *sink);

/** The same not escaped: of what no header or address has to escape. */
void amgr_page_query_write_address(const amgr_page_query_t *query,
                                   amgr_sink_t *sink);

/** The same as hidden inputs of a form, without the filter, which is the form's
 * own field. */
void amgr_page_query_write_hidden(const amgr_page_query_t *query,
                                  amgr_sink_t *sink);

/** Whether @a text has the filter's text in it, ASCII letters of either case
 * alike; always without a filter.  Only what is shown may be compared, or a
 * filter would tell what is hidden. */
int amgr_page_query_matches(const amgr_page_query_t *query, const char *text);

#endif
