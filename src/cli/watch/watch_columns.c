/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of the picture: which columns there is room for, and how a heading
 * and a row are put.
 */
#include "cli/watch/watch_parts.h"

#include <apr_strings.h>

/** The last column is worth more than some of the others up to here. */
#define LAST_MIN 9

void amgr_watch_layout_init(amgr_watch_layout_t *layout,
                            const amgr_watch_column_t *columns, int count)
{
    int i;

    layout->columns = columns;
    layout->count = count;
    for (i = 0; i < count; i++) {
        layout->shown[i] = i;
        layout->widths[i] = columns[i].width;
    }
}

/* Columns of the canvas that those of the table take, with a blank after
 * each but the last. */
static int taken(const amgr_watch_layout_t *layout)
{
    int width = layout->count - 1;
    int i;

    for (i = 0; i < layout->count; i++) {
        width += layout->widths[layout->shown[i]];
    }
    return width;
}

void amgr_watch_layout_remove(amgr_watch_layout_t *layout, int column)
{
    int kept = 0;
    int i;

    for (i = 0; i < layout->count; i++) {
        if (layout->shown[i] != column) {
            layout->shown[kept++] = layout->shown[i];
        }
    }
    layout->count = kept;
}

/* Leave out the one that can be spared best; 0 when none can. */
static int drop_column(amgr_watch_layout_t *layout)
{
    int worst = -1;
    int i;

    for (i = 0; i < layout->count; i++) {
        int rank = layout->columns[layout->shown[i]].rank;

        if (rank > 0 &&
            (worst < 0 || rank > layout->columns[layout->shown[worst]].rank)) {
            worst = i;
        }
    }
    if (worst < 0) {
        return 0;
    }
    amgr_watch_layout_remove(layout, layout->shown[worst]);
    return 1;
}

void amgr_watch_layout_fit(amgr_watch_layout_t *layout, int room)
{
    int last;

    while (taken(layout) + LAST_MIN > room && drop_column(layout)) {
        continue;
    }
    last = layout->shown[layout->count - 1];
    if (layout->columns[last].width == 0) {
        int left = room - taken(layout);

        layout->widths[last] = left > 0 ? left : 0;
    }
}

static const char *sort_mark(const amgr_canvas_t *canvas, int ascending)
{
    if (!canvas->utf8) {
        return ascending ? "^" : "v";
    }
    return ascending ? "\xe2\x96\xb2" : "\xe2\x96\xbc";
}

void amgr_watch_put_heading(const amgr_watch_layout_t *layout, int sort,
                            int ascending, amgr_canvas_t *canvas)
{
    int i;

    canvas->style = AMGR_STYLE_HEADING;
    for (i = 0; i < layout->count; i++) {
        int index = layout->shown[i];
        const amgr_watch_column_t *column = &layout->columns[index];
        char title[32];

        apr_snprintf(title, sizeof(title), "%s%s", column->title,
                     column->sort >= 0 && column->sort == sort
                         ? sort_mark(canvas, ascending)
                         : "");
        amgr_canvas_put_field(canvas, title, layout->widths[index],
                              column->to_right);
        amgr_canvas_put(canvas, i + 1 < layout->count ? " " : "");
    }
    amgr_canvas_fill(canvas, canvas->columns);
    amgr_canvas_end_line(canvas);
}

void amgr_watch_put_row(const amgr_watch_layout_t *layout,
                        const amgr_watch_picture_t *picture, const void *item,
                        amgr_watch_cell_fn *fill_cell, amgr_canvas_t *canvas)
{
    int i;

    for (i = 0; i < layout->count; i++) {
        int index = layout->shown[i];
        amgr_watch_cell_t cell;

        cell.text = "";
        cell.style = AMGR_STYLE_PLAIN;
        cell.buf[0] = '\0';
        fill_cell(picture, item, index, &cell);
        canvas->style = cell.style;
        amgr_canvas_put_field(canvas, cell.text, layout->widths[index],
                              layout->columns[index].to_right);
        canvas->style = AMGR_STYLE_PLAIN;
        amgr_canvas_put(canvas, i + 1 < layout->count ? " " : "");
    }
    amgr_canvas_end_line(canvas);
}
