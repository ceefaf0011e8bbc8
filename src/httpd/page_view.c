/* SPDX-License-Identifier: Apache-2.0
 *
 * See page_view.h.
 */
#include "httpd/page_view.h"

#include <string.h>
#include <unistd.h>

#include <ap_listen.h>
#include <apr_strings.h>

#include "httpd/collect.h"
#include "httpd/managed_table.h"
#include "httpd/runtime.h"
#include "httpd/scoreboard.h"
#include "httpd/server_start.h"
#include "httpd/slot_source.h"
#include "model/words.h"
#include "render/view_board.h"

/** Room for the processes alone: slots are read when they are shown. */
static amgr_snapshot_t *make_snapshot(int process_max, apr_pool_t *p)
{
    amgr_snapshot_t *snapshot = apr_pcalloc(p, sizeof(*snapshot));

    snapshot->process_max = process_max;
    snapshot->processes =
        apr_palloc(p, (apr_size_t)process_max * sizeof(amgr_process_t));
    return snapshot;
}

/** Nobody ticks under -X: look at the one process there is, this one. */
static void look_at_self(amgr_snapshot_t *snapshot)
{
    amgr_process_t *self = amgr_snapshot_find(snapshot, getpid());
    amgr_process_t seen;
    amgr_proc_dir_t proc;
    amgr_proc_stat_t stat;
    amgr_proc_statm_t statm;
    apr_uint64_t scratch[1];

    if (self == NULL || snapshot->process_count != 1 ||
        amgr_proc_dir_open(&proc, "/proc") != APR_SUCCESS) {
        return;
    }
    if (amgr_proc_read_stat(&proc, getpid(), &stat) == APR_SUCCESS &&
        amgr_proc_read_statm(&proc, getpid(), &statm) == APR_SUCCESS) {
        self->id.start_ticks = stat.start_ticks;
        self->threads = stat.threads;
        self->rss_bytes = statm.rss_bytes;
        self->age_us = snapshot->server.time.boot_us -
                       amgr_proc_ticks_us(stat.start_ticks);
        self->started_us = snapshot->server.time.wall_us - self->age_us;
    }
    amgr_proc_dir_close(&proc);
    /* Its slots are not in the snapshot, which would count them anew. */
    seen = *self;
    self->slot_count = 0;
    amgr_snapshot_complete(snapshot, scratch);
    self->slot_count = seen.slot_count;
    self->busy_slots = seen.busy_slots;
    self->accesses = seen.accesses;
}

/** Processes and server: of the last tick, and what has changed since. */
static void read_processes(amgr_view_t *view, const amgr_board_t *board,
                           amgr_slot_reader_t *reader,
                           amgr_snapshot_t *snapshot)
{
    view->tick_wall_us = AMGR_NO_TIME;
    if (amgr_view_board_tick(board, snapshot) == APR_SUCCESS) {
        view->tick_wall_us = snapshot->server.time.wall_us;
    }
    else {
        amgr_snapshot_clear(snapshot);
        amgr_snapshot_group(snapshot, amgr_kind_word(AMGR_KIND_NATIVE),
                            AMGR_KIND_NATIVE, AMGR_ROLE_WORKER);
    }
    amgr_slot_source_scan(reader);
    view->snapshot = snapshot;
    view->source = amgr_slot_source_get(reader);
    view->now_wall_us = snapshot->server.time.wall_us;
}

/** Where clients come in. */
static void list_ports(amgr_view_t *view, apr_pool_t *p)
{
    apr_array_header_t *ports = apr_array_make(p, 4, sizeof(apr_uint16_t));
    const ap_listen_rec *listener;

    for (listener = ap_listeners; listener != NULL; listener = listener->next) {
        *(apr_uint16_t *)apr_array_push(ports) = listener->bind_addr->port;
    }
    view->ports = (const apr_uint16_t *)ports->elts;
    view->port_count = ports->nelts;
}

/** What every child has from the configuration. */
static void set_settings(amgr_view_t *view, const amgr_runtime_t *runtime)
{
    const amgr_config_t *config = amgr_config_main();
    int i;

    for (i = 0; i < AMGR_COMMAND_EVENT_COUNT; i++) {
        char *const *argv = config->kill_command[i];

        /* Without its arguments, which may hold what nobody shall see. */
        view->settings.kill_commands[i] = argv == NULL ? NULL : argv[0];
    }
    view->settings.kill_command_timeout_us = config->kill_command_timeout_us;
    view->settings.syslog = config->syslog;
    view->settings.data_file =
        runtime->data_file[0] == '\0' ? NULL : runtime->data_file;
}

/** Three times -1 where the kernel does not tell. */
static void read_load(amgr_view_t *view, int needs)
{
    ap_loadavg_t load = {-1.0F, -1.0F, -1.0F};

    if (needs & AMGR_NEED_LOAD) {
        ap_get_loadavg(&load);
    }
    view->load[0] = load.loadavg;
    view->load[1] = load.loadavg5;
    view->load[2] = load.loadavg15;
}

static void read_config(const amgr_board_t *board, amgr_board_config_t *config)
{
    if (amgr_board_read_config(board, config) != APR_SUCCESS) {
        /* Not known for a moment is not missing. */
        memset(config, 0, sizeof(*config));
        config->limits = amgr_config_main()->limits;
        config->can_signal = 1;
        config->can_read_proc = 1;
    }
}

static void set_start(amgr_view_t *view)
{
    const amgr_server_start_t *start = amgr_server_start();

    view->configured_us = amgr_config_main()->read_us;
    view->started_us = start == NULL ? 0 : start->wall_us;
    view->uptime_us = amgr_server_start_uptime_us(&view->snapshot->server.time);
}

/** What not every writer needs. */
static void collect_more(amgr_view_t *view, const amgr_board_t *board,
                         int needs, apr_pool_t *p)
{
    amgr_view_board_managed(view, board, p);
    view->managed = amgr_managed_table_completed(view->managed, p);
    if (needs & AMGR_NEED_RECORDS) {
        amgr_view_board_records(view, board, p);
        list_ports(view, p);
    }
    if (needs & AMGR_NEED_HISTORY) {
        amgr_view_board_history(view, board, p);
    }
    read_load(view, needs);
}

apr_status_t amgr_page_view_collect(amgr_view_t *view, int needs, apr_pool_t *p)
{
    const amgr_runtime_t *runtime = amgr_runtime();
    const amgr_board_t *board;
    amgr_board_config_t *config;
    amgr_counters_t *counters;
    amgr_snapshot_t *snapshot;

    if (runtime == NULL || !amgr_scoreboard_exists()) {
        return APR_NOTFOUND;
    }
    view->pool = p;
    board = runtime->board.shared;
    config = apr_pcalloc(p, sizeof(*config));
    counters = apr_pcalloc(p, sizeof(*counters));
    snapshot = make_snapshot(runtime->children_max, p);
    read_processes(view, board,
                   amgr_slot_source_create(
                       runtime, &config->limits, snapshot,
                       (needs & AMGR_NEED_LETTERS ? AMGR_SOURCE_LETTERS : 0) |
                           (needs & AMGR_NEED_SLOTS ? AMGR_SOURCE_SLOTS : 0),
                       p),
                   snapshot);
    read_config(board, config);
    if (config->no_monitor) {
        look_at_self(snapshot);
    }
    amgr_board_read_counters(board, counters);
    view->config = config;
    view->counters = counters;
    view->show_requests = amgr_config_main()->show_requests;
    view->show_clients = amgr_config_main()->show_clients;
    view->server_description = ap_get_server_description();
    view->server_built = ap_get_server_built();
    view->settings.metrics_names = amgr_config_main()->metrics_names;
    view->untimed = amgr_mailbox_untimed(&runtime->mailbox);
    set_settings(view, runtime);
    set_start(view);
    amgr_view_make_scratch(view, p);
    collect_more(view, board, needs, p);
    return APR_SUCCESS;
}
