/* SPDX-License-Identifier: Apache-2.0
 *
 * Managed processes in JSON, alike in status.json and in the answer to
 * GET /processes.  What a process says of itself is hostile and leaves through
 * the escaping of the JSON writer only.
 */
#include "render/status_parts.h"

#include "render/json_member.h"
#include "supervise/spec/spec.h"

/* A number that there is none of unless @a is_known. */
static void put_number(amgr_json_t *json, const char *key, apr_int64_t value,
                       int is_known)
{
    amgr_json_key(json, key);
    if (is_known) {
        amgr_json_i64(json, value);
    }
    else {
        amgr_json_null(json);
    }
}

/* 0 is no time. */
static void put_time(amgr_json_t *json, const char *key, apr_time_t us)
{
    amgr_json_key(json, key);
    amgr_json_seconds(json, us > 0 ? us : AMGR_NO_TIME);
}

static void put_span(amgr_json_t *json, const char *key, apr_time_t us)
{
    amgr_json_key(json, key);
    amgr_json_seconds(json, us < 0 ? AMGR_NO_TIME : us);
}

/* How its last run ended, that which runs now not being one. */
static void put_end(amgr_json_t *json, const amgr_managed_t *process)
{
    int known = process->exit_known;

    put_number(json, "code", process->exit_code,
               known && process->exit_code >= 0);
    put_number(json, "signal", process->exit_signal,
               known && process->exit_signal > 0);
    put_text(json, "cause",
             known ? amgr_managed_exit_word(process->exit_cause) : "");
}

static void put_times(amgr_json_t *json, const amgr_managed_t *process)
{
    put_time(json, "since", process->since_us);
    put_time(json, "started", process->started_us);
    put_time(json, "ready_at", process->ready_us);
    put_time(json, "next_start", process->next_start_us);
    put_span(json, "backoff_seconds", process->backoff_us);
}

static void put_counts(amgr_json_t *json, const amgr_managed_t *process)
{
    int i;

    put_u64(json, "starts", process->starts);
    amgr_json_key(json, "exits");
    amgr_json_begin_object(json);
    for (i = 0; i < AMGR_MANAGED_EXIT_COUNT; i++) {
        put_u64(json, amgr_managed_exit_word(i), process->exits[i]);
    }
    amgr_json_end_object(json);
    amgr_json_key(json, "checks");
    amgr_json_begin_object(json);
    put_u64(json, "passed", process->checks_passed);
    put_u64(json, "failed", process->checks_failed);
    put_span(json, "last_seconds", process->check_us);
    amgr_json_end_object(json);
}

static void put_use(amgr_json_t *json, const amgr_managed_t *process)
{
    put_u64(json, "memory_bytes",
            process->tree_count > 0 ? process->memory_bytes : AMGR_UNKNOWN);
    put_u64(json, "max_memory_bytes",
            process->max_memory_bytes > 0 ? process->max_memory_bytes
                                          : AMGR_UNKNOWN);
    put_span(json, "cpu_seconds",
             process->cpu_us <= APR_INT64_MAX ? (apr_time_t)process->cpu_us
                                              : AMGR_NO_TIME);
    put_u64(json, "tree", (apr_uint64_t)process->tree_count);
    put_u64(json, "output_bytes", process->output_bytes);
    put_u64(json, "output_dropped", process->output_dropped);
}

static void put_after(amgr_json_t *json, const amgr_managed_table_t *table,
                      const amgr_managed_t *process)
{
    int i;

    amgr_json_key(json, "after");
    amgr_json_begin_array(json);
    for (i = 0; i < table->count; i++) {
        if (process->after >> i & 1) {
            amgr_json_string(json, table->processes[i].name);
        }
    }
    amgr_json_end_array(json);
}

void amgr_status_managed_process(amgr_json_t *json,
                                 const amgr_managed_table_t *table,
                                 const amgr_managed_t *process)
{
    amgr_json_begin_object(json);
    put_number(json, "id", process->id, 1);
    put_string(json, "name", process->name);
    put_string(json, "command", process->program);
    put_string(json, "state", amgr_managed_state_word(process->state));
    put_string(json, "want", amgr_managed_want_word(process->want));
    put_bool(json, "ready", process->ready);
    put_bool(json, "missed", amgr_managed_is_missed(process));
    put_number(json, "pid", process->pid, amgr_managed_is_running(process));
    put_end(json, process);
    put_text(json, "reason", process->reason);
    put_text(json, "status", process->status);
    put_times(json, process);
    put_counts(json, process);
    put_use(json, process);
    put_after(json, table, process);
    put_text(json, "verify", process->verify);
    put_string(json, "restart", amgr_restart_word(process->restart));
    amgr_json_end_object(json);
}

void amgr_status_managed(amgr_json_t *json, const amgr_managed_table_t *table)
{
    int i;

    amgr_json_begin_array(json);
    for (i = 0; table != NULL && i < table->count; i++) {
        amgr_status_managed_process(json, table, &table->processes[i]);
    }
    amgr_json_end_array(json);
}

void amgr_status_supervisor(amgr_json_t *json,
                            const amgr_managed_table_t *table)
{
    /* Of none at all, none is missed. */
    put_string(json, "application",
               amgr_application_word(table == NULL ? AMGR_APPLICATION_RUNNING
                                                   : table->application));
    put_number(json, "supervisor", table == NULL ? 0 : table->supervisor,
               table != NULL && table->supervisor > 0);
    put_u64(json, "supervisor_starts", table == NULL ? 0 : table->supervisors);
    put_bool(json, "control", table != NULL && table->control);
}
