/* SPDX-License-Identifier: Apache-2.0
 *
 * See watch_history.h.
 */
#include "cli/watch/watch_history.h"

#include <apr_strings.h>

void amgr_watch_history_follow(amgr_history_t *history, amgr_source_t *source,
                               apr_interval_time_t interval_us,
                               apr_pool_t *pool)
{
    amgr_view_t *view = &source->view;
    amgr_history_series_t *series;
    amgr_history_sample_t *samples;
    amgr_snapshot_t *snapshot;
    int room = amgr_history_room(AMGR_HISTORY_HOUR);

    if (view->history != NULL) {
        return;
    }
    /* Its own clock may be another machine's, or none. */
    snapshot = apr_pmemdup(pool, view->snapshot, sizeof(*snapshot));
    amgr_clock_read(&snapshot->server.time);
    view->snapshot = snapshot;
    amgr_history_add(history, snapshot,
                     view->counters->killed_active +
                         view->counters->killed_idle,
                     interval_us);
    series = apr_pcalloc(pool, sizeof(*series));
    samples = apr_pcalloc(pool, (apr_size_t)room * sizeof(*samples));
    amgr_history_copy(history, AMGR_HISTORY_HOUR, room, samples, series);
    view->history = series;
    view->recent = series;
}
