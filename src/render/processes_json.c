/* SPDX-License-Identifier: Apache-2.0
 *
 * The answers to GET /processes and GET /ready.
 */
#include "render/status_parts.h"

/** Up to the processes. */
static void begin_list(amgr_json_t *json, const amgr_view_t *view, int count,
                       amgr_sink_t *sink)
{
    amgr_json_init(json, sink);
    amgr_json_begin_object(json);
    amgr_json_key(json, "count");
    amgr_json_i64(json, count);
    amgr_status_supervisor(json, view->managed);
    if (view->control_token != NULL) {
        amgr_json_key(json, "token");
        amgr_json_string(json, view->control_token);
    }
    amgr_json_key(json, "processes");
}

static void end_list(amgr_json_t *json, amgr_sink_t *sink)
{
    amgr_json_end_object(json);
    amgr_sink_putc(sink, '\n');
}

void amgr_write_processes_json(const amgr_view_t *view, amgr_sink_t *sink)
{
    amgr_json_t json;

    begin_list(&json, view, view->managed == NULL ? 0 : view->managed->count,
               sink);
    amgr_status_managed(&json, view->managed);
    end_list(&json, sink);
}

void amgr_write_named_json(const amgr_view_t *view,
                           const amgr_managed_t *const *named, int count,
                           amgr_sink_t *sink)
{
    amgr_json_t json;
    int i;

    begin_list(&json, view, count, sink);
    amgr_json_begin_array(&json);
    for (i = 0; i < count; i++) {
        amgr_status_managed_process(&json, view->managed, named[i]);
    }
    amgr_json_end_array(&json);
    end_list(&json, sink);
}

void amgr_write_process_json(const amgr_view_t *view,
                             const amgr_managed_t *process, amgr_sink_t *sink)
{
    amgr_json_t json;

    amgr_json_init(&json, sink);
    amgr_status_managed_process(&json, view->managed, process);
    amgr_sink_putc(sink, '\n');
}

static void put_missed(amgr_json_t *json, const amgr_managed_table_t *table)
{
    int i;

    amgr_json_key(json, "not_ready");
    amgr_json_begin_array(json);
    for (i = 0; i < table->count; i++) {
        if (amgr_managed_is_missed(&table->processes[i])) {
            amgr_json_string(json, table->processes[i].name);
        }
    }
    amgr_json_end_array(json);
}

void amgr_write_ready_json(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_managed_table_t *table = view->managed;
    amgr_json_t json;

    amgr_json_init(&json, sink);
    amgr_json_begin_object(&json);
    amgr_json_key(&json, "status");
    amgr_json_string(&json, amgr_application_word(table == NULL
                                                      ? AMGR_APPLICATION_RUNNING
                                                      : table->application));
    if (table != NULL && !amgr_managed_all_ready(table)) {
        put_missed(&json, table);
    }
    amgr_json_end_object(&json);
    amgr_sink_putc(sink, '\n');
}
