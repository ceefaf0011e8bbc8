/* SPDX-License-Identifier: Apache-2.0
 *
 * See source_blank.h.
 */
#include "cli/source/source_blank.h"

#include <string.h>

void amgr_source_blank_resize(amgr_source_blank_t *blank, int process_max,
                              int slot_max)
{
    amgr_snapshot_t *snapshot = &blank->snapshot;

    snapshot->processes =
        apr_pcalloc(blank->pool, ((apr_size_t)process_max + 1) *
                                     sizeof(*snapshot->processes));
    snapshot->process_max = process_max;
    snapshot->process_count = 0;
    snapshot->slots = apr_pcalloc(blank->pool, ((apr_size_t)slot_max + 1) *
                                                   sizeof(*snapshot->slots));
    snapshot->slot_max = slot_max;
    snapshot->slot_count = 0;
}

amgr_source_blank_t *amgr_source_blank_make(apr_pool_t *pool, int process_max,
                                            int slot_max)
{
    amgr_source_blank_t *blank = apr_pcalloc(pool, sizeof(*blank));
    amgr_server_t *server = &blank->snapshot.server;
    amgr_view_t *view = &blank->view;

    blank->pool = pool;
    amgr_source_blank_resize(blank, process_max, slot_max);
    amgr_snapshot_clear(&blank->snapshot);
    blank->snapshot.hanging = -1;
    server->uptime_us = AMGR_NO_TIME;
    server->generation = -1;
    server->cpu_load = -1.0;
    server->threads_per_process = 1;
    amgr_clock_read(&server->time);
    amgr_limits_init(&blank->config.limits);
    blank->config.can_signal = 1;
    blank->config.can_read_proc = 1;
    view->snapshot = &blank->snapshot;
    view->config = &blank->config;
    view->counters = &blank->counters;
    /* What must not be seen was left out by the server. */
    view->show_requests = AMGR_SHOW_FULL;
    view->show_clients = AMGR_CLIENTS_FULL;
    view->tick_wall_us = AMGR_NO_TIME;
    view->now_wall_us = server->time.wall_us;
    view->load[0] = view->load[1] = view->load[2] = -1.0;
    view->uptime_us = AMGR_NO_TIME;
    view->pool = pool;
    return blank;
}

amgr_process_t *amgr_source_blank_add(amgr_source_blank_t *blank)
{
    amgr_snapshot_t *snapshot = &blank->snapshot;
    amgr_process_t *process = &snapshot->processes[snapshot->process_count++];

    amgr_process_blank(process);
    process->first_slot = snapshot->slot_count;
    return process;
}
