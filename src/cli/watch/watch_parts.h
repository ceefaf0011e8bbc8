/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the picture, for watch_text.c, which puts them together.
 */
#ifndef AMGR_WATCH_PARTS_H
#define AMGR_WATCH_PARTS_H

#include "cli/watch/short_text.h"
#include "cli/watch/watch_text.h"

/** A kill is new for so long. */
#define AMGR_WATCH_NEW_US apr_time_from_sec(30)

/** Columns that any table has at most. */
#define AMGR_WATCH_COLUMNS_MAX 12

/** A column of a table. */
typedef struct amgr_watch_column_t {
    const char *title;
    int width;    /**< 0: what is left; the last column alone */
    int to_right; /**< figures */
    int rank;     /**< the highest goes first where there is no room; 0
                       stays */
    int sort;     /**< amgr_watch_sort_e that it stands for; -1: none */
} amgr_watch_column_t;

/** Those that are shown, for one width of the canvas. */
typedef struct amgr_watch_layout_t {
    const amgr_watch_column_t *columns;
    int shown[AMGR_WATCH_COLUMNS_MAX];  /**< indices into them */
    int widths[AMGR_WATCH_COLUMNS_MAX]; /**< by the same index as columns */
    int count;
} amgr_watch_layout_t;

/** What stands in a cell. */
typedef struct amgr_watch_cell_t {
    const char *text;
    int style;
    char buf[256]; /**< where text may point to */
} amgr_watch_cell_t;

/** Fills a cell, which is empty, with what column @a column says of @a item. */
typedef void amgr_watch_cell_fn(const amgr_watch_picture_t *picture,
                                const void *item, int column,
                                amgr_watch_cell_t *out);

/** All columns in the widths they ask for. */
void amgr_watch_layout_init(amgr_watch_layout_t *layout,
                            const amgr_watch_column_t *columns, int count);

/** Leave out this column. */
void amgr_watch_layout_remove(amgr_watch_layout_t *layout, int column);

/** Leave out columns until the last has its part of @a room. */
void amgr_watch_layout_fit(amgr_watch_layout_t *layout, int room);

/** The heading; the column of this sort (-1: none) gets a mark. */
void amgr_watch_put_heading(const amgr_watch_layout_t *layout, int sort,
                            int ascending, amgr_canvas_t *canvas);

void amgr_watch_put_row(const amgr_watch_layout_t *layout,
                        const amgr_watch_picture_t *picture, const void *item,
                        amgr_watch_cell_fn *fill_cell, amgr_canvas_t *canvas);

/** Whose picture it is, and where its figures come from. */
void amgr_watch_put_title(const amgr_watch_picture_t *picture,
                          amgr_canvas_t *canvas);

/** Why there are no newer ones, on as many lines as it takes, within bounds;
 * nothing when there are. */
void amgr_watch_put_fault(const amgr_watch_picture_t *picture,
                          amgr_canvas_t *canvas);

/** The lines above the table; few when @a is_short. */
void amgr_watch_put_head(const amgr_watch_picture_t *picture, int is_short,
                         amgr_canvas_t *canvas);

/** Busy workers and memory over time, on one line. */
void amgr_watch_put_sparklines(const amgr_watch_picture_t *picture,
                               amgr_canvas_t *canvas);

/** The table that the state shows: its heading and at most @a page rows. */
void amgr_watch_put_table(const amgr_watch_picture_t *picture, int page,
                          amgr_canvas_t *canvas);

/** The groups, from the state's first on, and at most @a page of them. */
void amgr_watch_put_groups(const amgr_watch_picture_t *picture, int page,
                           amgr_canvas_t *canvas);

/** Kills, from the @a first on: a heading and at most @a max rows. */
void amgr_watch_put_kills(const amgr_watch_picture_t *picture, int first,
                          int max, amgr_canvas_t *canvas);

/** How managed processes are, on one line. */
void amgr_watch_put_managed_line(const amgr_managed_table_t *table,
                                 amgr_canvas_t *canvas);

/** Their table, as long as a part of the canvas, or whole where it has no end;
 * nothing where there are none. */
void amgr_watch_put_managed(const amgr_watch_picture_t *picture,
                            amgr_canvas_t *canvas);

/** All keys, a line each. */
void amgr_watch_put_help(int max, amgr_canvas_t *canvas);

/** The keys that matter most, on one line, and how many rows of the table are
 * below those @a page that are shown. */
void amgr_watch_put_keys(const amgr_watch_picture_t *picture, int page,
                         amgr_canvas_t *canvas);

#endif
