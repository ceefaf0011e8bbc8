/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of text of a bounded width, each part with a style, before anybody
 * knows whether they go to a terminal or a file.
 *
 * Invariants: a line is never wider than the canvas, there are never more
 * lines than it has rows, and no character is cut in two.  Whatever is put is
 * taken for untrusted: control characters and invalid bytes become \xHH, what
 * would turn the direction of writing a replacement, and nothing can command
 * a terminal.  Width is wcwidth()'s, so LC_CTYPE must have been set.
 */
#ifndef AMGR_CANVAS_H
#define AMGR_CANVAS_H

#include <apr_pools.h>
#include <apr_tables.h>

#include "base/base.h"

typedef enum amgr_style_e {
    AMGR_STYLE_PLAIN = 0,
    AMGR_STYLE_STRONG,
    AMGR_STYLE_FAINT,
    AMGR_STYLE_HEADING, /**< of a table */
    AMGR_STYLE_KEY,     /**< to be pressed */
    AMGR_STYLE_GOOD,
    AMGR_STYLE_WARN,
    AMGR_STYLE_BAD,
    AMGR_STYLE_NEW, /**< has just happened */
    AMGR_STYLE_COUNT
} amgr_style_e;

/** No limit to the rows of a canvas. */
#define AMGR_CANVAS_ENDLESS 0

typedef struct amgr_canvas_line_t {
    const char *text;            /**< UTF-8, or ASCII; NUL-terminated */
    const unsigned char *styles; /**< amgr_style_e of each of its bytes */
    apr_size_t length;           /**< bytes */
    int width;                   /**< columns */
} amgr_canvas_line_t;

typedef struct amgr_canvas_t {
    int columns;
    int rows;                  /**< AMGR_CANVAS_ENDLESS */
    int utf8;                  /**< 0: other characters than ASCII are '?' */
    int style;                 /**< of what is put next */
    apr_array_header_t *lines; /**< of amgr_canvas_line_t: those that ended */
    amgr_canvas_line_t open;   /**< the one that is written */
    char *text;                /**< its bytes */
    unsigned char *styles;
    apr_size_t size; /**< room for them */
    apr_pool_t *pool;
} amgr_canvas_t;

/** An empty one of at least one column, everything from @a pool. */
amgr_canvas_t *amgr_canvas_create(int columns, int rows, int utf8,
                                  apr_pool_t *pool);

/** How many lines can still be written; INT_MAX without limit. */
int amgr_canvas_rows_left(const amgr_canvas_t *canvas);

/** How many columns the line that is written has left. */
int amgr_canvas_room(const amgr_canvas_t *canvas);

/** Put text at the end of the line, as much as there is room for. */
void amgr_canvas_put(amgr_canvas_t *canvas, const char *text);

/** The same in a style of its own. */
void amgr_canvas_put_styled(amgr_canvas_t *canvas, int style, const char *text);

/** The same by a format of printf, at most 255 bytes. */
void amgr_canvas_printf(amgr_canvas_t *canvas, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Put text into just @a width columns, cut or filled with blanks: on its
 * right, or on its left with @a to_right. */
void amgr_canvas_put_field(amgr_canvas_t *canvas, const char *text, int width,
                           int to_right);

/** Fill with blanks up to this column, from the left; nothing when the line is
 * longer already. */
void amgr_canvas_fill(amgr_canvas_t *canvas, int column);

/** Columns that text would take, were there room. */
int amgr_canvas_width(const amgr_canvas_t *canvas, const char *text);

/** End the line, which may be empty; it is dropped where there is no row for
 * it.  The style is plain again. */
void amgr_canvas_end_line(amgr_canvas_t *canvas);

#endif
