/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of groups, of a source that tells no processes.
 */
#include "cli/watch/watch_parts.h"

typedef enum group_column_e {
    GROUP_NAME = 0,
    GROUP_PROCESSES,
    GROUP_SUM,
    GROUP_LEAST,
    GROUP_AVERAGE,
    GROUP_MEDIAN,
    GROUP_MOST,
    GROUP_COUNT
} group_column_e;

static const amgr_watch_column_t group_columns[GROUP_COUNT] = {
    [GROUP_NAME] = {"GROUP", 16, 0, 0, -1},
    [GROUP_PROCESSES] = {"COUNT", 6, 1, 0, -1},
    [GROUP_SUM] = {"SUM", 6, 1, 0, -1},
    [GROUP_LEAST] = {"MIN", 6, 1, 1, -1},
    [GROUP_AVERAGE] = {"AVG", 6, 1, 0, -1},
    [GROUP_MEDIAN] = {"MEDIAN", 6, 1, 1, -1},
    [GROUP_MOST] = {"MAX", 6, 1, 0, -1},
};

static void fill_group_cell(const amgr_watch_picture_t *picture,
                            const void *item, int column,
                            amgr_watch_cell_t *out)
{
    const amgr_group_t *group = item;
    const amgr_stats_t *rss = &group->rss;

    (void)picture; /* a group tells all of itself */
    if (column == GROUP_NAME) {
        out->text = group->name;
    }
    else if (column == GROUP_PROCESSES) {
        out->text = amgr_short_count(rss->count, out->buf);
    }
    else if (rss->known == 0) {
        out->text = "n/a";
    }
    else {
        const apr_uint64_t sizes[GROUP_COUNT] = {
            [GROUP_SUM] = rss->sum,
            [GROUP_LEAST] = rss->min,
            [GROUP_AVERAGE] = (apr_uint64_t)rss->average,
            [GROUP_MEDIAN] = (apr_uint64_t)rss->median,
            [GROUP_MOST] = rss->max,
        };

        out->text = amgr_short_size(sizes[column], out->buf);
    }
}

void amgr_watch_put_groups(const amgr_watch_picture_t *picture, int page,
                           amgr_canvas_t *canvas)
{
    const amgr_snapshot_t *snapshot = picture->source->view.snapshot;
    amgr_watch_layout_t layout;
    int i;

    amgr_watch_layout_init(&layout, group_columns, GROUP_COUNT);
    amgr_watch_layout_fit(&layout, canvas->columns);
    amgr_watch_put_heading(&layout, -1, 0, canvas);
    for (i = picture->state->scroll;
         i < snapshot->group_count && i - picture->state->scroll < page; i++) {
        amgr_watch_put_row(&layout, picture, &snapshot->groups[i],
                           fill_group_cell, canvas);
    }
}
