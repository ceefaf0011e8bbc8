/* SPDX-License-Identifier: Apache-2.0
 *
 * See canvas.h.  A line is written in one place and copied when it ends, so
 * that a picture of very many lines takes the room of its text.
 */
#include "cli/watch/canvas.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include <apr_strings.h>

#include "base/escape.h"

/** Bytes for each column: a character of four bytes, and a mark or two that
 * have no width of their own. */
#define COLUMN_BYTES 12

/** Text is escaped in pieces that fit in this, cut beyond. */
#define PIECE_LEN 1024

amgr_canvas_t *amgr_canvas_create(int columns, int rows, int utf8,
                                  apr_pool_t *pool)
{
    amgr_canvas_t *canvas = apr_pcalloc(pool, sizeof(*canvas));

    canvas->columns = columns > 1 ? columns : 1;
    canvas->rows = rows;
    canvas->utf8 = utf8;
    canvas->pool = pool;
    canvas->lines = apr_array_make(pool, 64, sizeof(amgr_canvas_line_t));
    canvas->size = (apr_size_t)canvas->columns * COLUMN_BYTES;
    canvas->text = apr_palloc(pool, canvas->size);
    canvas->styles = apr_palloc(pool, canvas->size);
    return canvas;
}

int amgr_canvas_rows_left(const amgr_canvas_t *canvas)
{
    return canvas->rows == AMGR_CANVAS_ENDLESS
               ? INT_MAX
               : canvas->rows - canvas->lines->nelts;
}

int amgr_canvas_room(const amgr_canvas_t *canvas)
{
    return canvas->columns - canvas->open.width;
}

/* The character at @a at, which is valid UTF-8, and its bytes. */
static wchar_t decode(const char *at, apr_size_t *out_length)
{
    const unsigned char *bytes = (const unsigned char *)at;
    apr_size_t length = bytes[0] < 0x80   ? 1
                        : bytes[0] < 0xe0 ? 2
                        : bytes[0] < 0xf0 ? 3
                                          : 4;
    unsigned int code = bytes[0];
    apr_size_t i;

    if (length > 1) {
        code &= 0x3fU >> (length - 1);
    }
    for (i = 1; i < length; i++) {
        code = code << 6 | (bytes[i] & 0x3fU);
    }
    *out_length = length;
    return (wchar_t)code;
}

/* Marks that are not seen and turn or join what stands around them. */
static int is_invisible(wchar_t c)
{
    return (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c == 0x061c ||
           c >= 0xe0000;
}

/* A character as it is shown. */
typedef struct amgr_canvas_glyph_t {
    const char *bytes;
    apr_size_t length;
    int width;
} amgr_canvas_glyph_t;

/* The one at @a at; returns the bytes it takes there. */
static apr_size_t read_glyph(const amgr_canvas_t *canvas, const char *at,
                             amgr_canvas_glyph_t *out)
{
    apr_size_t length;
    wchar_t c = decode(at, &length);

    out->bytes = at;
    out->length = length;
    out->width = 1;
    if (c < 0x80) {
        return length;
    }
    out->width = canvas->utf8 ? wcwidth(c) : -1;
    if (out->width < 0 || is_invisible(c)) {
        out->bytes = canvas->utf8 ? "\xef\xbf\xbd" : "?";
        out->length = strlen(out->bytes);
        out->width = 1;
    }
    return length;
}

/* Text without control characters, cut to PIECE_LEN on a character. */
static const char *make_safe(const char *text, char *buf)
{
    amgr_sink_t sink;
    apr_size_t length;

    if (amgr_escape_plain_len(text) == strlen(text)) {
        return text;
    }
    amgr_sink_init_text(&sink, buf, PIECE_LEN);
    amgr_escape_line(&sink, text);
    amgr_sink_text(&sink);
    length = strlen(buf);
    if (sink.status != APR_SUCCESS) {
        /* The last character may have been cut in two. */
        while (length > 0 && ((unsigned char)buf[length - 1] & 0xc0) == 0x80) {
            length--;
        }
        buf[length > 0 ? length - 1 : 0] = '\0';
    }
    return buf;
}

int amgr_canvas_width(const amgr_canvas_t *canvas, const char *text)
{
    char piece[PIECE_LEN];
    const char *at = make_safe(text, piece);
    amgr_canvas_glyph_t glyph;
    int width = 0;

    while (*at != '\0') {
        at += read_glyph(canvas, at, &glyph);
        width += glyph.width;
    }
    return width;
}

static void append(amgr_canvas_t *canvas, const amgr_canvas_glyph_t *glyph)
{
    amgr_canvas_line_t *open = &canvas->open;

    memcpy(canvas->text + open->length, glyph->bytes, glyph->length);
    memset(canvas->styles + open->length, canvas->style, glyph->length);
    open->length += glyph->length;
    open->width += glyph->width;
}

/* At most @a width columns of text, and of the line. */
static void put_cut(amgr_canvas_t *canvas, const char *text, int width)
{
    char piece[PIECE_LEN];
    const char *at = make_safe(text, piece);
    amgr_canvas_glyph_t glyph;
    int room = amgr_canvas_room(canvas);

    if (width < room) {
        room = width;
    }
    while (*at != '\0') {
        at += read_glyph(canvas, at, &glyph);
        if (glyph.width > room) {
            break;
        }
        /* Each column that is left keeps the bytes that it may need. */
        if (canvas->open.length + glyph.length +
                (apr_size_t)(amgr_canvas_room(canvas) - glyph.width) * 4 >
            canvas->size) {
            continue;
        }
        append(canvas, &glyph);
        room -= glyph.width;
    }
}

void amgr_canvas_put(amgr_canvas_t *canvas, const char *text)
{
    put_cut(canvas, text, amgr_canvas_room(canvas));
}

void amgr_canvas_put_styled(amgr_canvas_t *canvas, int style, const char *text)
{
    int before = canvas->style;

    canvas->style = style;
    amgr_canvas_put(canvas, text);
    canvas->style = before;
}

void amgr_canvas_printf(amgr_canvas_t *canvas, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    amgr_canvas_put(canvas, text);
}

void amgr_canvas_fill(amgr_canvas_t *canvas, int column)
{
    static const amgr_canvas_glyph_t blank = {" ", 1, 1};

    if (column > canvas->columns) {
        column = canvas->columns;
    }
    while (canvas->open.width < column) {
        append(canvas, &blank);
    }
}

void amgr_canvas_put_field(amgr_canvas_t *canvas, const char *text, int width,
                           int to_right)
{
    int end = canvas->open.width + width;

    if (to_right) {
        amgr_canvas_fill(canvas, end - amgr_canvas_width(canvas, text));
    }
    put_cut(canvas, text, end - canvas->open.width);
    amgr_canvas_fill(canvas, end);
}

void amgr_canvas_end_line(amgr_canvas_t *canvas)
{
    amgr_canvas_line_t *open = &canvas->open;

    if (amgr_canvas_rows_left(canvas) > 0) {
        open->text = apr_pstrmemdup(canvas->pool, canvas->text, open->length);
        open->styles = apr_pmemdup(canvas->pool, canvas->styles, open->length);
        APR_ARRAY_PUSH(canvas->lines, amgr_canvas_line_t) = *open;
    }
    memset(open, 0, sizeof(*open));
    canvas->style = AMGR_STYLE_PLAIN;
}
