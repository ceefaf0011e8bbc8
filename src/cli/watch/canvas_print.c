/* SPDX-License-Identifier: Apache-2.0
 *
 * See canvas_print.h.
 */
#include "cli/watch/canvas_print.h"

static const char *const sequences[AMGR_STYLE_COUNT] = {
    [AMGR_STYLE_PLAIN] = "0",  [AMGR_STYLE_STRONG] = "1",
    [AMGR_STYLE_FAINT] = "2",  [AMGR_STYLE_HEADING] = "7",
    [AMGR_STYLE_KEY] = "7",    [AMGR_STYLE_GOOD] = "32",
    [AMGR_STYLE_WARN] = "33",  [AMGR_STYLE_BAD] = "1;31",
    [AMGR_STYLE_NEW] = "1;36",
};

static void put_style(amgr_sink_t *sink, int style)
{
    amgr_sink_puts(sink, "\x1b[");
    amgr_sink_puts(sink, sequences[style]);
    amgr_sink_putc(sink, 'm');
}

static void print_line(const amgr_canvas_line_t *line, int is_colored,
                       amgr_sink_t *sink)
{
    apr_size_t end = line->length;
    apr_size_t from = 0;

    while (end > 0 && line->text[end - 1] == ' ') {
        end--;
    }
    while (from < end) {
        apr_size_t to = from;

        while (to < end && line->styles[to] == line->styles[from]) {
            to++;
        }
        if (is_colored && line->styles[from] != AMGR_STYLE_PLAIN) {
            put_style(sink, line->styles[from]);
            amgr_sink_put(sink, line->text + from, to - from);
            put_style(sink, AMGR_STYLE_PLAIN);
        }
        else {
            amgr_sink_put(sink, line->text + from, to - from);
        }
        from = to;
    }
    amgr_sink_putc(sink, '\n');
}

void amgr_canvas_print(const amgr_canvas_t *canvas, int is_colored,
                       amgr_sink_t *sink)
{
    int i;

    for (i = 0; i < canvas->lines->nelts; i++) {
        print_line(&APR_ARRAY_IDX(canvas->lines, i, amgr_canvas_line_t),
                   is_colored, sink);
    }
}
