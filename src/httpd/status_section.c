/* SPDX-License-Identifier: Apache-2.0
 *
 * See status_section.h.  Runs in a child for a request of mod_status's: reads
 * the board alone, neither /proc nor the scoreboard's slots.
 */
#include "httpd/status_section.h"

#include <string.h>

#include <httpd.h>
#include <apr_optional_hooks.h>
#include <http_config.h>
#include <http_core.h>
#include <http_protocol.h>
#include <mod_status.h>

#include "httpd/config.h"
#include "httpd/handler_place.h"
#include "httpd/managed_table.h"
#include "httpd/runtime.h"
#include "render/server_status.h"
#include "render/view_board.h"

#define SINK_SIZE 2048

/** The writer of the board is not waited for long: mod_status's page is not
 * ours to hold up. */
#define READ_TRIES 10
#define READ_PAUSE_US 500

static void read_tick(amgr_view_t *view, const amgr_board_t *board,
                      amgr_snapshot_t *snapshot)
{
    apr_status_t rv = APR_EAGAIN;
    int try;

    for (try = 0; try < READ_TRIES && rv == APR_EAGAIN; try++) {
        if (try > 0) {
            apr_sleep(READ_PAUSE_US);
        }
        rv = amgr_board_read_tick(board, snapshot);
    }
    view->tick_wall_us = AMGR_NO_TIME;
    if (rv == APR_SUCCESS) {
        view->tick_wall_us = snapshot->server.time.wall_us;
    }
    view->configured_us = amgr_config_main()->read_us;
    view->snapshot = snapshot;
}

/** All but slots, evidences and what a page is asked for. */
static void collect(amgr_view_t *view, const amgr_runtime_t *runtime,
                    apr_pool_t *p)
{
    const amgr_board_t *board = runtime->board.shared;
    amgr_snapshot_t *snapshot = apr_pcalloc(p, sizeof(*snapshot));
    amgr_board_config_t *config = apr_pcalloc(p, sizeof(*config));
    amgr_counters_t *counters = apr_pcalloc(p, sizeof(*counters));
    amgr_record_t *record = apr_pcalloc(p, sizeof(*record));

    memset(view, 0, sizeof(*view));
    snapshot->process_max = runtime->children_max;
    snapshot->processes = apr_palloc(p, (apr_size_t)runtime->children_max *
                                            sizeof(amgr_process_t));
    read_tick(view, board, snapshot);
    if (amgr_board_read_config(board, config) != APR_SUCCESS) {
        memset(config, 0, sizeof(*config));
        config->limits = amgr_config_main()->limits;
        /* Not known for a moment is not missing. */
        config->can_signal = 1;
        config->can_read_proc = 1;
    }
    amgr_board_read_counters(board, counters);
    amgr_view_board_managed(view, board, p);
    view->managed = amgr_managed_table_completed(view->managed, p);
    if (amgr_board_read_records(board, record, 1, &view->record_count) !=
        APR_SUCCESS) {
        view->record_count = 0;
    }
    view->config = config;
    view->counters = counters;
    view->records = record;
    view->now_wall_us = apr_time_now();
}

/** Where our page is, as it stands in an address: the first <Location> with our
 * handler whose path is told; NULL when there is none. */
static const char *find_page(request_rec *r)
{
    const core_server_config *core =
        ap_get_core_module_config(r->server->module_config);
    ap_conf_vector_t **sections = (ap_conf_vector_t **)core->sec_url->elts;
    int i;

    for (i = 0; i < core->sec_url->nelts; i++) {
        const core_dir_config *section = ap_get_core_module_config(sections[i]);

        if (section->d != NULL && section->d[0] == '/' && section->r == NULL &&
            !section->d_is_fnmatch && amgr_handler_is_set(r, section)) {
            return ap_os_escape_path(r->pool, section->d, 1);
        }
    }
    return NULL;
}

static apr_status_t send_part(void *baton, const char *data, apr_size_t len)
{
    request_rec *r = baton;

    return ap_rwrite(data, (int)len, r) < 0 ? APR_EGENERAL : APR_SUCCESS;
}

static int put_section(request_rec *r, int flags)
{
    const amgr_runtime_t *runtime = amgr_runtime();
    char buf[SINK_SIZE];
    amgr_sink_t sink;
    amgr_view_t view;

    if (runtime == NULL || !amgr_config_main()->server_status) {
        return DECLINED;
    }
    collect(&view, runtime, r->pool);
    amgr_sink_init(&sink, buf, sizeof(buf), send_part, r);
    if (flags & AP_STATUS_SHORT) {
        amgr_write_server_status_auto(&view, &sink);
    }
    else {
        amgr_write_server_status_html(&view, find_page(r),
                                      !(flags & AP_STATUS_NOTABLE), &sink);
    }
    amgr_sink_finish(&sink);
    return OK;
}

ap_HOOK_status_hook_t *amgr_status_section_next(int *at)
{
    const apr_array_header_t *hooks = apr_optional_hook_get("status_hook");

    while (hooks != NULL && *at < hooks->nelts) {
        ap_HOOK_status_hook_t *hook =
            APR_ARRAY_IDX(hooks, (*at)++, ap_LINK_status_hook_t).pFunc;

        if (hook != put_section) {
            return hook;
        }
    }
    return NULL;
}

void amgr_status_section_register(void)
{
    APR_OPTIONAL_HOOK(ap, status_hook, put_section, NULL, NULL,
                      APR_HOOK_MIDDLE);
}
