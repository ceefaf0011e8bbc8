/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of the tables of a page, as far as they are needed to read one of
 * figures: no tree, no styles, nothing kept but the row at hand.  Takes any
 * bytes; what is no HTML has no rows.
 */
#ifndef AMGR_HTML_ROWS_H
#define AMGR_HTML_ROWS_H

#include "base/base.h"

#define AMGR_HTML_CELLS_MAX 24
#define AMGR_HTML_CELL_LEN 256

typedef struct amgr_html_row_t {
    int table;  /**< of which table, counted from 1 */
    int count;  /**< cells; those beyond the most are left out */
    int titles; /**< how many of them are <th> */
    char cells[AMGR_HTML_CELLS_MAX][AMGR_HTML_CELL_LEN]; /**< their text:
        references replaced, white space around it left out, cut to fit */
} amgr_html_row_t;

/** Where reading is; all zero but the text to begin. */
typedef struct amgr_html_rows_t {
    const char *at; /**< NUL-terminated */
    int table;
} amgr_html_rows_t;

/** The next row of a table that has a cell, in *out; 0 after the last. */
int amgr_html_rows_next(amgr_html_rows_t *rows, amgr_html_row_t *out);

#endif
