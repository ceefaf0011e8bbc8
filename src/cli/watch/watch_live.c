/* SPDX-License-Identifier: Apache-2.0
 *
 * See watch_live.h.
 */
#include "cli/watch/watch_live.h"

#include <string.h>

#include <apr_strings.h>

void amgr_watch_live_follow(amgr_watch_live_t *live, amgr_source_t *source,
                            apr_pool_t *pool)
{
    amgr_view_t *view = &source->view;
    amgr_snapshot_t *snapshot;
    apr_size_t count = (apr_size_t)view->snapshot->process_count;

    memset(live, 0, sizeof(*live));
    if (source->parent.pid == 0 || count == 0) {
        return;
    }
    snapshot = apr_pmemdup(pool, view->snapshot, sizeof(*snapshot));
    snapshot->processes = apr_pmemdup(pool, view->snapshot->processes,
                                      count * sizeof(*snapshot->processes));
    view->snapshot = snapshot;
    live->processes = snapshot->processes;
    live->gone = apr_pcalloc(pool, count);
    live->count = (int)count;
}

/* The identity is checked after the size was read: a pid that had been given
 * to another by then is found out. */
static void read_process(amgr_process_t *process, char *gone,
                         amgr_proc_dir_t *proc)
{
    amgr_proc_statm_t statm;
    amgr_proc_id_t now;
    apr_status_t sized = amgr_proc_read_statm(proc, process->id.pid, &statm);
    apr_status_t named = amgr_proc_read_id(proc, process->id.pid, &now);

    if (named == APR_SUCCESS
            ? !amgr_proc_id_equal(&now, &process->id) || sized == APR_NOTFOUND
            : named == APR_NOTFOUND) {
        *gone = 1;
        process->rss_bytes = AMGR_UNKNOWN;
    }
    else if (named == APR_SUCCESS && sized == APR_SUCCESS) {
        process->rss_bytes = statm.rss_bytes;
    }
}

void amgr_watch_live_read(amgr_watch_live_t *live, amgr_proc_dir_t *proc)
{
    int i;

    for (i = 0; i < live->count; i++) {
        /* A page tells no start times: whose pid it is now nobody knows. */
        if (live->processes[i].id.start_ticks != 0 && !live->gone[i]) {
            read_process(&live->processes[i], &live->gone[i], proc);
        }
    }
}
