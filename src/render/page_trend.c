/* SPDX-License-Identifier: Apache-2.0
 *
 * The charts' axis of time: the newest column ends now, and the oldest begins
 * where the history does, rounded to a span that is easily said.
 */
#include "render/page.h"

/* Axes for the two spans, the smallest first; each is whole columns of whole
 * seconds. */
static const int hour_axes_sec[] = {120, 600, 1800, 3600, 0};
static const int day_axes_sec[] = {7200, 21600, 43200, 86400, 0};

static apr_interval_time_t axis_us(const amgr_view_t *view, apr_time_t now_us)
{
    const int *axis =
        view->query.history == AMGR_HISTORY_DAY ? day_axes_sec : hour_axes_sec;
    const amgr_history_series_t *series = view->history;
    apr_interval_time_t age_us = 0;

    if (series != NULL && series->count > 0) {
        age_us = now_us - series->samples[0].mono_us;
    }
    while (axis[1] != 0 && age_us > apr_time_from_sec(axis[0])) {
        axis++;
    }
    return apr_time_from_sec(axis[0]);
}

void amgr_page_trend_read(const amgr_view_t *view, amgr_page_trend_t *out)
{
    apr_time_t now_us = view->snapshot->server.time.mono_us;
    apr_interval_time_t span_us = axis_us(view, now_us);
    apr_interval_time_t width_us = span_us / AMGR_CHART_COLUMNS;
    int i;

    /* Whole columns, so that a chart moves on and does not waver. */
    out->end_us = (now_us / width_us + 1) * width_us;
    out->begin_us = out->end_us - span_us;
    amgr_trends_columns(view->history, out->begin_us, out->end_us,
                        AMGR_CHART_COLUMNS, out->columns);
    out->known = 0;
    for (i = 0; i < AMGR_CHART_COLUMNS; i++) {
        out->known += out->columns[i].known != 0;
    }
}
