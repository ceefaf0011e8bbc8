/* SPDX-License-Identifier: Apache-2.0
 *
 * See pymanager_json.h.
 */
#include "render/pymanager_json.h"

#include <string.h>

#include "render/json.h"

/** Larger ones are all alike: nobody's. */
#define ID_MAX 1000000000

/* As Python tells a status: an exit code, or a signal with a minus before it;
 * of one that never ran it knows nothing, since it never has any. */
static void put_code(amgr_json_t *json, const amgr_managed_t *process)
{
    amgr_json_key(json, "code");
    if (!process->exit_known) {
        amgr_json_null(json);
    }
    else if (process->exit_signal > 0) {
        amgr_json_i64(json, -process->exit_signal);
    }
    else {
        amgr_json_i64(json, process->exit_code);
    }
}

static void put_process(amgr_json_t *json, const amgr_managed_t *process)
{
    int is_running = amgr_managed_is_running(process);

    amgr_json_begin_object(json);
    amgr_json_key(json, "id");
    amgr_json_i64(json, process->id);
    amgr_json_key(json, "command");
    amgr_json_string(json, process->program);
    amgr_json_key(json, "status");
    amgr_json_string(json, is_running ? "running" : "terminated");
    if (is_running) {
        amgr_json_key(json, "pid");
        amgr_json_i64(json, process->pid);
    }
    else {
        put_code(json, process);
    }
    amgr_json_end_object(json);
}

static void begin(amgr_json_t *json, amgr_sink_t *sink)
{
    amgr_json_init(json, sink);
    amgr_json_begin_object(json);
}

static void end(amgr_json_t *json)
{
    amgr_json_end_object(json);
    amgr_sink_putc(json->sink, '\n');
}

void amgr_pymanager_write_list(const amgr_managed_table_t *table,
                               amgr_sink_t *sink)
{
    amgr_json_t json;
    int i;

    begin(&json, sink);
    amgr_json_key(&json, "count");
    amgr_json_i64(&json, table->count);
    amgr_json_key(&json, "processes");
    amgr_json_begin_array(&json);
    for (i = 0; i < table->count; i++) {
        put_process(&json, &table->processes[i]);
    }
    amgr_json_end_array(&json);
    end(&json);
}

/* Its "running" says that the start is over, not that all went on well. */
static const char *status_word(const amgr_managed_table_t *table)
{
    if (table->count == 0) {
        return "running";
    }
    switch (table->application) {
    case AMGR_APPLICATION_SHUTDOWN:
        return "shutdown";
    case AMGR_APPLICATION_STARTING:
        return table->supervisor == 0 ? "booting" : "launching processes";
    default:
        return table->supervisor == 0 ? "booting" : "running";
    }
}

void amgr_pymanager_write_status(const amgr_managed_table_t *table,
                                 amgr_sink_t *sink)
{
    amgr_json_t json;

    begin(&json, sink);
    amgr_json_key(&json, "status");
    amgr_json_string(&json, status_word(table));
    end(&json);
}

void amgr_pymanager_write_success(const amgr_managed_t *process,
                                  amgr_sink_t *sink)
{
    amgr_json_t json;

    begin(&json, sink);
    amgr_json_key(&json, "success");
    amgr_json_bool(&json, 1);
    if (process != NULL) {
        amgr_json_key(&json, "process");
        put_process(&json, process);
    }
    end(&json);
}

void amgr_pymanager_write_failure(const char *message, amgr_sink_t *sink)
{
    amgr_json_t json;

    begin(&json, sink);
    amgr_json_key(&json, "success");
    amgr_json_bool(&json, 0);
    amgr_json_key(&json, "error");
    amgr_json_begin_object(&json);
    amgr_json_key(&json, "message");
    amgr_json_string(&json, message);
    amgr_json_end_object(&json);
    end(&json);
}

int amgr_pymanager_parse_id(const char *text, apr_int64_t *out_id)
{
    static const char blanks[] = " \t\n\r\f\v";
    apr_int64_t id = 0;
    int is_negative;
    apr_size_t digits;
    apr_size_t i;

    text += strspn(text, blanks);
    is_negative = *text == '-';
    text += is_negative || *text == '+';
    digits = strspn(text, "0123456789");
    if (digits == 0 || text[digits + strspn(text + digits, blanks)] != '\0') {
        return 0;
    }
    for (i = 0; i < digits && id < ID_MAX; i++) {
        id = id * 10 + (text[i] - '0');
    }
    *out_id = is_negative ? -id : id;
    return 1;
}
