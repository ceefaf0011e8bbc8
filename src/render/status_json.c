/* SPDX-License-Identifier: Apache-2.0
 *
 * status.json: everything, for programs.  Keys, their order and their units
 * are a contract, described by status.schema.json; what is not known is null.
 * Text from the scoreboard is untrusted and leaves through the escaping of
 * the JSON writer only.
 */
#include "render/view.h"

#include <stdio.h>

#include "model/words.h"
#include "render/json_member.h"
#include "render/server_status.h"
#include "render/status_evidence.h"
#include "render/status_parts.h"

#define SCHEMA_VERSION 1

static void put_int(amgr_json_t *json, const char *key, apr_int64_t value)
{
    amgr_json_key(json, key);
    amgr_json_i64(json, value);
}

/* An index or count that is negative when there is none. */
static void put_index(amgr_json_t *json, const char *key, int value)
{
    amgr_json_key(json, key);
    if (value < 0) {
        amgr_json_null(json);
    }
    else {
        amgr_json_i64(json, value);
    }
}

static void put_seconds(amgr_json_t *json, const char *key, apr_time_t us)
{
    amgr_json_key(json, key);
    amgr_json_seconds(json, us);
}

static void put_request(amgr_json_t *json, const amgr_view_t *view,
                        const char *request)
{
    char shown[AMGR_SLOT_REQUEST_LEN];

    put_text(
        json, "request",
        amgr_request_shown(view->show_requests, request, shown, sizeof(shown)));
}

/* A rate or load; negative is not known. */
static void put_rate(amgr_json_t *json, const char *key, double value)
{
    amgr_json_key(json, key);
    if (value < 0.0) {
        amgr_json_null(json);
    }
    else {
        amgr_json_double(json, value);
    }
}

static void put_limit(amgr_json_t *json, const char *key, apr_int64_t limit)
{
    amgr_json_key(json, key);
    if (limit == AMGR_LIMIT_OFF) {
        amgr_json_null(json);
    }
    else {
        amgr_json_i64(json, limit);
    }
}

static void put_time_limit(amgr_json_t *json, const char *key,
                           apr_interval_time_t limit_us)
{
    put_seconds(json, key,
                limit_us == AMGR_LIMIT_OFF ? AMGR_NO_TIME : limit_us);
}

static void put_server(amgr_json_t *json, const amgr_view_t *view)
{
    const amgr_server_t *server = &view->snapshot->server;
    /* Without ExtendedStatus nobody counts: zero would be a lie. */
    int counted = server->extended;

    amgr_json_key(json, "server");
    amgr_json_begin_object(json);
    put_text(json, "version", server->version);
    put_text(json, "mpm", server->mpm);
    put_seconds(json, "uptime_seconds", server->uptime_us);
    put_index(json, "generation", server->generation);
    put_u64(json, "total_accesses",
            counted ? server->total_accesses : AMGR_UNKNOWN);
    put_u64(json, "total_bytes", counted ? server->total_bytes : AMGR_UNKNOWN);
    put_rate(json, "requests_per_second",
             counted ? server->requests_per_second : -1.0);
    put_rate(json, "bytes_per_second",
             counted ? server->bytes_per_second : -1.0);
    put_rate(json, "bytes_per_request",
             counted ? server->bytes_per_request : -1.0);
    put_rate(json, "cpu_load", server->cpu_load);
    put_index(json, "busy_workers", server->busy_workers);
    put_index(json, "graceful_workers", server->graceful_workers);
    put_index(json, "idle_workers", server->idle_workers);
    put_index(json, "max_workers", server->max_workers);
    put_u64(json, "memory_capacity_bytes", server->memory_capacity_bytes);
    put_bool(json, "cgroup_limited", server->cgroup_limited);
    put_u64(json, "worker_anon_bytes", server->worker_anon_bytes);
    amgr_status_server(json, view);
    amgr_json_end_object(json);
}

static void put_storm(amgr_json_t *json, const amgr_limits_t *limits)
{
    amgr_json_key(json, "storm_limit");
    if (limits->storm_count <= 0) {
        amgr_json_null(json);
        return;
    }
    amgr_json_begin_object(json);
    put_int(json, "count", limits->storm_count);
    put_seconds(json, "window_seconds", limits->storm_window_us);
    amgr_json_end_object(json);
}

static void put_limits(amgr_json_t *json, const amgr_view_t *view)
{
    const amgr_limits_t *limits = &view->config->limits;
    char share[32];

    amgr_json_key(json, "limits");
    amgr_json_begin_object(json);
    put_limit(json, "max_memory_active_bytes", limits->max_memory_active_bytes);
    put_limit(json, "max_memory_idle_bytes", limits->max_memory_idle_bytes);
    put_time_limit(json, "max_time_seconds", limits->max_time_us);
    put_time_limit(json, "hanging_threshold_seconds", limits->hanging_us);
    put_string(json, "memory_metric", amgr_metric_word(limits->metric));
    put_bool(json, "dry_run", limits->dry_run);
    put_seconds(json, "interval_seconds", limits->interval_us);
    put_time_limit(json, "min_age_seconds", limits->min_age_us);
    put_time_limit(json, "lame_duck_seconds", limits->lame_duck_us);
    put_time_limit(json, "grace_period_seconds", limits->grace_us);
    put_time_limit(json, "endless_grace_period_seconds",
                   limits->endless_grace_us);
    snprintf(share, sizeof(share), "%d%s", limits->max_retiring.value,
             limits->max_retiring.percent ? "%" : "");
    put_string(json, "max_retiring", share);
    put_int(json, "min_serving", limits->min_serving);
    put_int(json, "strikes", limits->strikes);
    put_storm(json, limits);
    put_bool(json, "inert", amgr_view_is_inert(view));
    amgr_status_reasons(json, view);
    amgr_json_end_object(json);
}

static apr_int64_t seconds_since(const amgr_view_t *view, apr_time_t then_us)
{
    apr_time_t span_us = view->now_wall_us - then_us;

    return span_us > 0 ? apr_time_sec(span_us) : 0;
}

static void put_slot_times(amgr_json_t *json, const amgr_view_t *view,
                           const amgr_slot_t *slot)
{
    apr_interval_time_t last_us = slot->stop_time_us - slot->start_time_us;
    int counted = view->snapshot->server.extended;

    put_seconds(json, "request_age_seconds", slot->request_age_us);
    put_time_limit(json, "max_time_seconds",
                   slot->request_age_us == AMGR_NO_TIME || slot->endless
                       ? AMGR_LIMIT_OFF
                       : slot->max_time_us);
    amgr_json_key(json, "ss");
    if (!counted || slot->last_used_us <= 0) {
        amgr_json_null(json);
    }
    else {
        amgr_json_i64(json, seconds_since(view, slot->last_used_us));
    }
    put_u64(json, "req",
            !counted      ? AMGR_UNKNOWN
            : last_us > 0 ? (apr_uint64_t)apr_time_as_msec(last_us)
                          : 0);
    put_u64(json, "dur",
            !counted ? AMGR_UNKNOWN
            : slot->duration_us > 0
                ? (apr_uint64_t)apr_time_as_msec(slot->duration_us)
                : 0);
}

/* What nobody counts without ExtendedStatus. */
static void put_slot_counts(amgr_json_t *json, const amgr_view_t *view,
                            const amgr_slot_t *slot)
{
    int counted = view->snapshot->server.extended;
    const apr_uint64_t acc[] = {slot->conn_count, slot->child_accesses,
                                slot->accesses};
    apr_size_t i;

    amgr_json_key(json, "acc");
    amgr_json_begin_array(json);
    for (i = 0; i < AMGR_COUNT(acc); i++) {
        if (counted) {
            amgr_json_u64(json, acc[i]);
        }
        else {
            amgr_json_null(json);
        }
    }
    amgr_json_end_array(json);
    put_u64(json, "conn", counted ? slot->conn_bytes : AMGR_UNKNOWN);
    put_u64(json, "child", counted ? slot->child_bytes : AMGR_UNKNOWN);
    put_u64(json, "total", counted ? slot->bytes : AMGR_UNKNOWN);
    put_seconds(json, "cpu",
                counted ? amgr_proc_ticks_us(slot->cpu_ticks) : AMGR_NO_TIME);
}

static void put_slot(amgr_json_t *json, const amgr_view_t *view,
                     const amgr_slot_t *slot)
{
    char mode[2] = {amgr_mode_letter(slot->mode), '\0'};
    char client[AMGR_CLIENT_SHOWN_LEN];

    amgr_json_begin_object(json);
    put_int(json, "slot",
            (apr_int64_t)slot->process_slot *
                    view->snapshot->server.threads_per_process +
                slot->thread);
    put_string(json, "mode", mode);
    put_slot_times(json, view, slot);
    put_slot_counts(json, view, slot);
    put_text(json, "client",
             amgr_client_shown(view->show_clients, slot->client, client,
                               sizeof(client)));
    put_text(json, "protocol", slot->protocol);
    put_text(json, "vhost", slot->vhost);
    put_request(json, view, slot->request);
    amgr_json_end_object(json);
}

static void put_slots(amgr_json_t *json, const amgr_view_t *view,
                      const amgr_process_t *process)
{
    const amgr_slot_t *slots;
    int first = 0;
    int count;
    int i;

    amgr_json_key(json, "slots");
    amgr_json_begin_array(json);
    while ((slots = amgr_view_slots(view, process, first, &count)) != NULL) {
        for (i = 0; i < count; i++) {
            put_slot(json, view, &slots[i]);
        }
        first += count;
    }
    amgr_json_end_array(json);
}

static void put_process(amgr_json_t *json, const amgr_view_t *view,
                        const amgr_process_t *process)
{
    amgr_json_begin_object(json);
    put_int(json, "pid", process->id.pid);
    put_string(json, "kind", amgr_kind_word(process->kind));
    put_string(json, "group", amgr_view_group_name(view, process->group));
    put_index(json, "slot", process->process_slot);
    put_index(json, "generation", process->generation);
    put_string(json, "state", amgr_state_word(process->state));
    put_bool(json, "active", process->active);
    put_seconds(json, "age_seconds", process->age_us);
    put_index(json, "threads", process->threads > 0 ? process->threads : -1);
    put_u64(json, "rss_bytes", process->rss_bytes);
    put_u64(json, "anon_bytes", process->anon_bytes);
    put_u64(json, "pss_bytes", process->pss_bytes);
    put_string(json, "verdict", amgr_verdict_word(process->verdict));
    put_text(json, "cause",
             process->cause == AMGR_CAUSE_NONE
                 ? ""
                 : amgr_cause_word(process->cause));
    amgr_status_growth(json, view, process);
    put_slots(json, view, process);
    amgr_json_end_object(json);
}

static void put_processes(amgr_json_t *json, const amgr_view_t *view)
{
    int i;

    amgr_json_key(json, "processes");
    amgr_json_begin_array(json);
    for (i = 0; i < view->snapshot->process_count; i++) {
        put_process(json, view, &view->snapshot->processes[i]);
    }
    amgr_json_end_array(json);
}

static void put_group(amgr_json_t *json, const amgr_group_t *group)
{
    const amgr_stats_t *rss = &group->rss;
    int known = rss->known > 0;

    amgr_json_begin_object(json);
    put_string(json, "name", group->name);
    put_string(json, "kind", amgr_kind_word(group->kind));
    put_u64(json, "count", rss->count);
    put_u64(json, "sum", known ? rss->sum : AMGR_UNKNOWN);
    put_u64(json, "min", known ? rss->min : AMGR_UNKNOWN);
    put_u64(json, "max", known ? rss->max : AMGR_UNKNOWN);
    put_rate(json, "average", known ? rss->average : -1.0);
    put_rate(json, "median", known ? rss->median : -1.0);
    amgr_json_end_object(json);
}

static void put_groups(amgr_json_t *json, const amgr_view_t *view)
{
    int i;

    amgr_json_key(json, "groups");
    amgr_json_begin_array(json);
    for (i = 0; i < view->snapshot->group_count; i++) {
        put_group(json, &view->snapshot->groups[i]);
    }
    amgr_json_end_array(json);
}

static void put_errors(amgr_json_t *json, const amgr_counters_t *counters)
{
    int i;

    amgr_json_key(json, "errors");
    amgr_json_begin_object(json);
    for (i = 0; i < AMGR_STAGE_COUNT; i++) {
        put_u64(json, amgr_stage_word(i), counters->errors[i]);
    }
    amgr_json_end_object(json);
}

static void put_suppressed(amgr_json_t *json, const amgr_counters_t *counters)
{
    int i;

    amgr_json_key(json, "suppressed");
    amgr_json_begin_object(json);
    for (i = AMGR_CAUSE_NONE + 1; i < AMGR_CAUSE_COUNT; i++) {
        put_u64(json, amgr_cause_word(i), counters->suppressed[i]);
    }
    amgr_json_end_object(json);
}

static void put_manager(amgr_json_t *json, const amgr_view_t *view)
{
    const amgr_counters_t *counters = view->counters;
    int ticked = view->tick_wall_us != AMGR_NO_TIME;
    amgr_view_counts_t counts;

    amgr_view_count(view, &counts);
    amgr_json_key(json, "manager");
    amgr_json_begin_object(json);
    put_u64(json, "ticks", counters->ticks);
    put_errors(json, counters);
    put_u64(json, "killed_active", counters->killed_active);
    put_u64(json, "killed_idle", counters->killed_idle);
    put_u64(json, "drained", counters->drained);
    put_u64(json, "forced", counters->forced);
    put_u64(json, "requests_lost", counters->requests_lost);
    put_suppressed(json, counters);
    put_index(json, "hanging", ticked ? view->snapshot->hanging : -1);
    put_u64(json, "untimed", view->untimed);
    put_bool(json, "ticker", view->config->ticker);
    put_bool(json, "can_signal", view->config->can_signal);
    put_bool(json, "can_read_proc", view->config->can_read_proc);
    put_seconds(json, "tick_cpu_seconds", (apr_time_t)counters->tick_cpu_us);
    put_seconds(json, "last_tick_seconds",
                ticked ? (apr_time_t)counters->last_wall_us : AMGR_NO_TIME);
    put_u64(json, "orphaned_locks", counters->orphaned_locks);
    put_u64(json, "health", amgr_server_status_severity((int)counts.health));
    put_string(json, "health_word", amgr_health_word((int)counts.health));
    amgr_status_recent(json, view);
    amgr_json_end_object(json);
}

/* Bytes of a memory reason, seconds of a time, a number of requests. */
static void put_measure(amgr_json_t *json, const char *key,
                        const amgr_record_t *record, apr_uint64_t value)
{
    if (amgr_reasons_is_span(record->verdict) && value <= APR_INT64_MAX) {
        put_seconds(json, key, (apr_time_t)value);
    }
    else {
        put_u64(json, key, value);
    }
}

/* What was done when, and what came of it. */
static void put_steps(amgr_json_t *json, const amgr_record_t *record)
{
    int killed = record->killed_us != AMGR_NO_TIME;

    put_seconds(json, "announced_seconds", record->announced_us);
    put_seconds(json, "asked_seconds", record->asked_us);
    put_seconds(json, "killed_seconds", record->killed_us);
    put_index(json, "requests_lost", killed ? record->requests_lost : -1);
    put_u64(json, "freed_bytes", record->freed_bytes);
    put_text(json, "ask_fault",
             record->ask_fault == AMGR_ASK_FINE
                 ? ""
                 : amgr_ask_fault_word(record->ask_fault));
    put_text(json, "replacement",
             record->replacement == AMGR_REPLACEMENT_NONE
                 ? ""
                 : amgr_replacement_word(record->replacement));
    put_seconds(json, "replaced_seconds", record->replaced_us);
}

static void put_record(amgr_json_t *json, const amgr_view_t *view,
                       const amgr_record_t *record)
{
    amgr_json_begin_object(json);
    put_seconds(json, "time", record->time_us);
    put_int(json, "pid", record->id.pid);
    put_string(json, "kind", amgr_kind_word(record->kind));
    put_string(json, "group", record->group);
    put_bool(json, "active", record->active);
    put_string(json, "reason", amgr_verdict_word(record->verdict));
    put_measure(json, "measured", record, record->measured);
    put_measure(json, "limit", record, record->limit);
    put_bool(json, "demanded", record->demanded);
    put_string(json, "action", amgr_action_word(record->action));
    put_string(json, "outcome", amgr_outcome_word(record->outcome));
    put_index(json, "requests", record->requests);
    put_request(json, view, record->request);
    put_text(json, "vhost", record->vhost);
    put_string(json, "role", amgr_role_word(record->role));
    put_seconds(json, "ended_seconds", record->ended_us);
    put_u64(json, "rss_bytes", record->rss_bytes);
    put_steps(json, record);
    amgr_json_key(json, "evidence");
    amgr_write_evidence_json(view, json, amgr_view_evidence(view, record));
    amgr_json_end_object(json);
}

static void put_records(amgr_json_t *json, const amgr_view_t *view)
{
    int i;

    amgr_json_key(json, "kills");
    amgr_json_begin_array(json);
    for (i = 0; i < view->record_count; i++) {
        put_record(json, view, &view->records[i]);
    }
    amgr_json_end_array(json);
}

void amgr_write_status_json(const amgr_view_t *view, amgr_sink_t *sink)
{
    amgr_json_t json;

    amgr_json_init(&json, sink);
    amgr_json_begin_object(&json);
    put_int(&json, "schema", SCHEMA_VERSION);
    put_seconds(&json, "time", view->now_wall_us);
    put_seconds(&json, "tick_time", view->tick_wall_us);
    put_server(&json, view);
    put_limits(&json, view);
    put_processes(&json, view);
    put_groups(&json, view);
    put_manager(&json, view);
    put_records(&json, view);
    amgr_json_key(&json, "managed");
    amgr_status_managed(&json, view->managed);
    amgr_json_key(&json, "supervision");
    amgr_json_begin_object(&json);
    amgr_status_supervisor(&json, view->managed);
    amgr_json_end_object(&json);
    amgr_status_history(&json, view);
    amgr_json_end_object(&json);
    amgr_sink_putc(sink, '\n');
}
