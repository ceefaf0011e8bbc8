/* SPDX-License-Identifier: Apache-2.0
 *
 * status.json as a source: what another server says of itself, read back into
 * the view that it was written from.  It is taken as it is told, and bounded;
 * nobody is signalled because of it.
 */
#include "cli/source/source_parts.h"

#include <string.h>

#include <apr_strings.h>

#include "cli/source/source_json_parts.h"
#include "model/words.h"
#include "policy/sections.h"

#define SCHEMA 1

/** Spans of a day are counted back from now. */
#define WALL_MIN_US (2 * apr_time_from_sec(86400))

static void read_stages(amgr_members_t *members, const json_t *manager,
                        amgr_counters_t *counters)
{
    const json_t *errors = amgr_members_object(members, manager, "errors");
    const json_t *suppressed =
        amgr_members_object(members, manager, "suppressed");
    int i;

    for (i = 0; i < AMGR_STAGE_COUNT; i++) {
        counters->errors[i] =
            amgr_members_u64(members, errors, amgr_stage_word(i));
    }
    for (i = AMGR_CAUSE_NONE + 1; i < AMGR_CAUSE_COUNT; i++) {
        counters->suppressed[i] =
            amgr_members_u64(members, suppressed, amgr_cause_word(i));
    }
}

static void read_manager(amgr_members_t *members, const json_t *manager,
                         amgr_source_blank_t *blank)
{
    amgr_counters_t *counters = &blank->counters;
    amgr_board_config_t *config = &blank->config;
    apr_time_t last_us;
    int health;

    counters->ticks = amgr_members_u64(members, manager, "ticks");
    read_stages(members, manager, counters);
    counters->killed_active =
        amgr_members_u64(members, manager, "killed_active");
    counters->killed_idle = amgr_members_u64(members, manager, "killed_idle");
    counters->drained = amgr_members_u64(members, manager, "drained");
    counters->forced = amgr_members_u64(members, manager, "forced");
    counters->requests_lost =
        amgr_members_u64(members, manager, "requests_lost");
    counters->orphaned_locks =
        amgr_members_u64(members, manager, "orphaned_locks");
    counters->tick_cpu_us =
        (apr_uint64_t)amgr_members_time(members, manager, "tick_cpu_seconds");
    last_us = amgr_members_time(members, manager, "last_tick_seconds");
    counters->last_wall_us = last_us > 0 ? (apr_uint64_t)last_us : 0;
    blank->snapshot.hanging = (int)amgr_members_whole_or(
        members, manager, "hanging", 0, APR_INT32_MAX, -1);
    blank->view.untimed = amgr_members_u64(members, manager, "untimed");
    config->ticker = amgr_members_bool(members, manager, "ticker");
    config->can_signal = amgr_members_bool(members, manager, "can_signal");
    config->can_read_proc =
        amgr_members_bool(members, manager, "can_read_proc");
    health = amgr_members_word(members, manager, "health_word",
                               amgr_health_word, 0, AMGR_HEALTH_COUNT);
    config->no_monitor = health == AMGR_HEALTH_NO_MONITOR;
    /* Since when it waits is not told, nor is it too long. */
    blank->view.configured_us =
        health == AMGR_HEALTH_STALE ? 0 : blank->view.now_wall_us;
}

/* Clocks, and what follows from them. */
static void read_times(amgr_members_t *members, const json_t *root,
                       amgr_source_blank_t *blank)
{
    amgr_server_t *server = &blank->snapshot.server;
    amgr_view_t *view = &blank->view;

    view->now_wall_us = amgr_members_time(members, root, "time");
    view->tick_wall_us = amgr_members_time(members, root, "tick_time");
    if (view->now_wall_us < WALL_MIN_US) {
        amgr_members_fail(members, "time", "is no time of day");
        return;
    }
    server->time.wall_us = view->now_wall_us;
    server->time.mono_us = view->now_wall_us;
    server->time.boot_us = view->now_wall_us;
    view->uptime_us = server->uptime_us;
    if (server->uptime_us >= 0 && server->uptime_us < view->now_wall_us) {
        server->started_us = view->now_wall_us - server->uptime_us;
        view->started_us = server->started_us;
    }
}

/* Sizes that could not be read made that tick incomplete. */
static void note_incomplete(amgr_source_blank_t *blank)
{
    int i;

    for (i = 0; i < blank->snapshot.process_count; i++) {
        const amgr_process_t *process = &blank->snapshot.processes[i];

        if (process->rss_bytes == AMGR_UNKNOWN &&
            blank->view.tick_wall_us != AMGR_NO_TIME &&
            (process->role == AMGR_ROLE_WORKER ||
             process->role == AMGR_ROLE_WSGI)) {
            blank->snapshot.incomplete = 1;
        }
    }
}

static void read_all(amgr_members_t *members, const json_t *root,
                     amgr_source_blank_t *blank)
{
    const json_t *server = amgr_members_object(members, root, "server");

    amgr_source_json_server(members, server, &blank->snapshot.server);
    read_times(members, root, blank);
    amgr_source_json_limits(members,
                            amgr_members_object(members, root, "limits"),
                            &blank->config.limits);
    amgr_source_json_processes(
        members, amgr_members_array(members, root, "groups"),
        amgr_members_array(members, root, "processes"), blank);
    read_manager(members, amgr_members_object(members, root, "manager"), blank);
    amgr_source_json_managed(
        members, amgr_members_array(members, root, "managed"), root, blank);
    amgr_source_json_records(members,
                             amgr_members_array(members, root, "kills"), blank);
    amgr_source_json_history(
        members, amgr_members_object_or_null(members, root, "history"),
        amgr_members_object(members, server, "recent"), blank);
    amgr_sections_assign(&blank->config.limits, &blank->snapshot);
    note_incomplete(blank);
}

/* Whether this is a text of ours at all, before it is asked for details. */
static const char *check_kind(const json_t *root, apr_pool_t *pool)
{
    const json_t *schema = json_object_get(root, "schema");

    if (!json_is_object(root) || schema == NULL) {
        return "is no status.json of mod_apache_manager";
    }
    if (json_number_value(schema) != SCHEMA) {
        return json_is_integer(schema)
                   ? apr_psprintf(pool,
                                  "is status.json of schema %" APR_INT64_T_FMT
                                  ", and this program reads schema %d",
                                  (apr_int64_t)json_integer_value(schema),
                                  SCHEMA)
                   : "is status.json of a schema that has no number";
    }
    return NULL;
}

const amgr_fault_t *amgr_source_json(const char *text, apr_size_t length,
                                     const char *name, amgr_source_t *out,
                                     apr_pool_t *pool)
{
    amgr_members_t members = {NULL, pool};
    json_t *root = amgr_members_parse(&members, text, length);
    amgr_source_blank_t *blank;
    const char *fault;

    if (root == NULL) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                               "%s is no status.json: %s", name, members.fault);
    }
    fault = check_kind(root, pool);
    if (fault != NULL) {
        json_decref(root);
        return amgr_fault_make(pool, AMGR_EXIT_FAILED, "%s %s", name, fault);
    }
    blank = amgr_source_blank_make(pool, 0, 0);
    read_all(&members, root, blank);
    json_decref(root);
    if (members.fault != NULL) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                               "%s is not status.json as it must be: %s", name,
                               members.fault);
    }
    memset(out, 0, sizeof(*out));
    out->kind = AMGR_SOURCE_STATUS_JSON;
    out->name = name;
    out->view = blank->view;
    out->age_us = AMGR_NO_TIME;
    if (blank->view.tick_wall_us != AMGR_NO_TIME) {
        out->age_us = blank->view.now_wall_us - blank->view.tick_wall_us;
        if (out->age_us < 0) {
            out->age_us = 0; /* its clock was set back meanwhile */
        }
    }
    out->status_json = text;
    out->status_json_length = length;
    return NULL;
}
