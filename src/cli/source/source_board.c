/* SPDX-License-Identifier: Apache-2.0
 *
 * The board as a source: what a page of the server would show, without asking
 * the server.  Slots are those of the last tick, as are all figures, so that
 * they fit together; how old they are is told beside them.
 */
#include "cli/source/source_parts.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "cli/local/local_board.h"
#include "cli/local/local_namespace.h"
#include "render/view_board.h"

static int parts_of(int wants)
{
    int parts = AMGR_BOARD_TICK;

    /* How many slots there are, the processes say. */
    if (wants & (AMGR_WANT_PROCESSES | AMGR_WANT_SLOTS)) {
        parts |= AMGR_BOARD_PROCESSES;
    }
    if (wants & AMGR_WANT_SLOTS) {
        parts |= AMGR_BOARD_SLOTS;
    }
    if (wants & AMGR_WANT_RECORDS) {
        parts |= AMGR_BOARD_RECORDS;
    }
    if (wants & AMGR_WANT_HISTORY) {
        parts |= AMGR_BOARD_HISTORY;
    }
    return parts;
}

static amgr_snapshot_t *make_snapshot(const amgr_board_t *board,
                                      apr_pool_t *pool)
{
    amgr_snapshot_t *snapshot = apr_pcalloc(pool, sizeof(*snapshot));

    amgr_board_count_tick(board, &snapshot->process_max, &snapshot->slot_max);
    snapshot->processes = apr_palloc(pool, (apr_size_t)snapshot->process_max *
                                               sizeof(snapshot->processes[0]));
    snapshot->slots = apr_palloc(pool, (apr_size_t)snapshot->slot_max *
                                           sizeof(snapshot->slots[0]));
    return snapshot;
}

/** Where slots are left out each process still has its number of them, as on a
 * page. */
static void count_slots(amgr_snapshot_t *snapshot)
{
    int width = snapshot->server.threads_per_process;
    int i;

    for (i = 0; i < snapshot->process_count; i++) {
        amgr_process_t *process = &snapshot->processes[i];

        if (process->kind == AMGR_KIND_NATIVE && process->process_slot >= 0) {
            process->slot_count =
                process->columns > 0 ? process->columns : width;
        }
    }
}

static void list_ports(amgr_view_t *view, const amgr_board_about_t *about,
                       apr_pool_t *pool)
{
    apr_uint16_t *ports =
        apr_palloc(pool, AMGR_BOARD_LISTENS_MAX * sizeof(*ports));
    int i;

    for (i = 0; i < about->listen_count && i < AMGR_BOARD_LISTENS_MAX; i++) {
        int port = about->listens[i].port;

        if (port > 0 && port <= APR_UINT16_MAX) {
            ports[view->port_count++] = (apr_uint16_t)port;
        }
    }
    view->ports = ports;
}

static void set_settings(amgr_view_t *view, const amgr_board_about_t *about)
{
    int i;

    for (i = 0; i < AMGR_COMMAND_EVENT_COUNT; i++) {
        view->settings.kill_commands[i] =
            about->kill_commands[i][0] == '\0' ? NULL : about->kill_commands[i];
    }
    view->settings.kill_command_timeout_us = about->kill_command_timeout_us;
    view->settings.data_file =
        about->data_file[0] == '\0' ? NULL : about->data_file;
    view->settings.syslog = about->syslog;
    view->settings.metrics_names = about->metrics_names;
    view->show_requests = about->show_requests;
    view->show_clients = about->show_clients;
    view->server_description =
        about->description[0] == '\0' ? NULL : about->description;
    view->server_built = about->built[0] == '\0' ? NULL : about->built;
}

static void set_start(amgr_view_t *view, const amgr_board_about_t *about,
                      const amgr_instant_t *now)
{
    view->configured_us = about->configured_us;
    view->started_us = about->started_us;
    view->uptime_us = AMGR_NO_TIME;
    if (about->started_us != 0) {
        view->uptime_us = now->boot_us - about->started_boot_us;
        if (view->uptime_us < 0) {
            view->uptime_us = 0;
        }
    }
}

static void read_load(amgr_view_t *view)
{
    if (getloadavg(view->load, (int)AMGR_COUNT(view->load)) !=
        (int)AMGR_COUNT(view->load)) {
        view->load[0] = -1.0;
        view->load[1] = -1.0;
        view->load[2] = -1.0;
    }
}

/** Whom to speak to.  A container's server and its processes have other pids
 * here than on its board: it can be looked at, and that is all. */
static void set_server(amgr_source_t *out, const amgr_board_about_t *about,
                       apr_pool_t *pool)
{
    amgr_proc_dir_t proc;

    if (amgr_proc_dir_open(&proc, "/proc") != APR_SUCCESS) {
        return;
    }
    if (!amgr_local_is_same_namespace(&proc, out->parent.pid, "pid")) {
        memset(&out->parent, 0, sizeof(out->parent));
    }
    else if (about->control_socket[0] == '/') {
        out->control_socket = amgr_local_path(&proc, out->parent.pid,
                                              about->control_socket, pool);
    }
    amgr_proc_dir_close(&proc);
}

/** Everything but the tick. */
static void read_rest(amgr_source_t *out, const amgr_board_t *board,
                      const amgr_instant_t *now, apr_pool_t *pool)
{
    amgr_board_about_t *about = apr_pcalloc(pool, sizeof(*about));
    amgr_board_config_t *config = apr_pcalloc(pool, sizeof(*config));
    amgr_counters_t *counters = apr_pcalloc(pool, sizeof(*counters));
    amgr_view_t *view = &out->view;

    /* A copy is whole: what is not there was never written, and stays empty. */
    if (amgr_board_read_about(board, about) != APR_SUCCESS) {
        memset(about, 0, sizeof(*about));
    }
    if (amgr_board_read_config(board, config) != APR_SUCCESS) {
        memset(config, 0, sizeof(*config));
        amgr_limits_init(&config->limits);
        config->can_signal = 1;
        config->can_read_proc = 1;
    }
    amgr_board_read_counters(board, counters);
    view->config = config;
    view->counters = counters;
    view->untimed = counters->untimed;
    set_settings(view, about);
    set_start(view, about, now);
    list_ports(view, about, pool);
    set_server(out, about, pool);
}

/** Of when the figures are. */
static void set_tick(amgr_source_t *out, const amgr_instant_t *now)
{
    const amgr_instant_t *tick = &out->view.snapshot->server.time;

    if (tick->wall_us == 0) {
        out->view.tick_wall_us = AMGR_NO_TIME;
        out->age_us = AMGR_NO_TIME;
        return;
    }
    out->view.tick_wall_us = tick->wall_us;
    /* The clock that nobody sets. */
    out->age_us = now->boot_us - tick->boot_us;
    if (out->age_us < 0) {
        out->age_us = 0;
    }
}

static void read_view(amgr_source_t *out, int wants, const amgr_board_t *board,
                      amgr_snapshot_t *snapshot, apr_pool_t *pool)
{
    amgr_view_t *view = &out->view;
    amgr_instant_t now;

    amgr_clock_read(&now);
    if (!(wants & AMGR_WANT_SLOTS)) {
        count_slots(snapshot);
    }
    view->snapshot = snapshot;
    view->pool = pool;
    view->now_wall_us = now.wall_us;
    set_tick(out, &now);
    read_rest(out, board, &now, pool);
    read_load(view);
    amgr_view_board_managed(view, board, pool);
    if (wants & AMGR_WANT_RECORDS) {
        amgr_view_board_records(view, board, pool);
    }
    if (wants & AMGR_WANT_HISTORY) {
        amgr_view_board_history(view, board, pool);
    }
    amgr_view_make_scratch(view, pool);
}

const amgr_fault_t *amgr_source_board(const amgr_local_server_t *local,
                                      int wants, amgr_source_t *out,
                                      apr_pool_t *pool)
{
    amgr_local_board_t found;
    amgr_local_board_e result =
        amgr_local_server_board(local, parts_of(wants), &found, pool);
    const char *path = local->board;
    amgr_snapshot_t *snapshot;

    if (result != AMGR_LOCAL_BOARD_READ) {
        return amgr_local_board_fault(result, &found, path, pool);
    }
    snapshot = make_snapshot(found.board, pool);
    /* The supervisor writes what is told of managed processes, at once. */
    if (amgr_view_board_tick(found.board, snapshot) != APR_SUCCESS &&
        (!(wants & AMGR_WANT_MANAGED) ||
         amgr_board_count_managed(found.board) == 0)) {
        return amgr_local_board_fault(AMGR_LOCAL_BOARD_READ, &found, path,
                                      pool);
    }
    memset(out, 0, sizeof(*out));
    out->kind = AMGR_SOURCE_BOARD;
    out->name = amgr_fault_quote(pool, path);
    out->parent = found.parent;
    read_view(out, wants, found.board, snapshot, pool);
    return NULL;
}

int amgr_source_board_is_new(const amgr_local_server_t *local,
                             apr_pool_t *parent)
{
    amgr_local_board_t found;
    apr_pool_t *pool;
    int is_new;

    if (apr_pool_create(&pool, parent) != APR_SUCCESS) {
        return 0;
    }
    is_new = amgr_local_server_board(local, AMGR_BOARD_TICK, &found, pool) ==
                 AMGR_LOCAL_BOARD_READ &&
             amgr_view_board_tick(
                 found.board, make_snapshot(found.board, pool)) == APR_NOTFOUND;
    apr_pool_destroy(pool);
    return is_new;
}
