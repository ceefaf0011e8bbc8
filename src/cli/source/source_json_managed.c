/* SPDX-License-Identifier: Apache-2.0
 *
 * "managed" and "supervision" of status.json.
 */
#include <string.h>

#include "cli/source/source_json_parts.h"
#include "supervise/spec/spec.h"

/** A pid of Linux is below. */
#define PID_MAX (4 * 1024 * 1024)

#define SIGNAL_MAX 64

/** Thousands of years, and still no overflow when it is shown. */
#define CPU_MAX_US APR_INT64_C(100000000000000000)

/* A time, or 0 for none. */
static apr_time_t read_time(amgr_members_t *members, const json_t *from,
                            const char *key)
{
    apr_time_t us = amgr_members_time(members, from, key);

    return us == AMGR_NO_TIME ? 0 : us;
}

static void read_end(amgr_members_t *members, const json_t *from,
                     amgr_managed_t *out)
{
    int cause =
        amgr_members_word_or(members, from, "cause", amgr_managed_exit_word, 0,
                             AMGR_MANAGED_EXIT_COUNT, -1);

    out->exit_known = cause >= 0;
    out->exit_cause = cause >= 0 ? cause : AMGR_MANAGED_EXIT_CLEAN;
    out->exit_code =
        (int)amgr_members_whole_or(members, from, "code", 0, 255, -1);
    out->exit_signal =
        (int)amgr_members_whole_or(members, from, "signal", 1, SIGNAL_MAX, 0);
}

static void read_counts(amgr_members_t *members, const json_t *from,
                        amgr_managed_t *out)
{
    const json_t *exits = amgr_members_object(members, from, "exits");
    const json_t *checks = amgr_members_object(members, from, "checks");
    int i;

    out->starts = amgr_members_u64(members, from, "starts");
    for (i = 0; i < AMGR_MANAGED_EXIT_COUNT; i++) {
        out->exits[i] =
            amgr_members_u64(members, exits, amgr_managed_exit_word(i));
    }
    out->checks_passed = amgr_members_u64(members, checks, "passed");
    out->checks_failed = amgr_members_u64(members, checks, "failed");
    out->check_us = amgr_members_time(members, checks, "last_seconds");
}

static void read_use(amgr_members_t *members, const json_t *from,
                     amgr_managed_t *out)
{
    apr_time_t cpu_us = amgr_members_time(members, from, "cpu_seconds");

    if (cpu_us > CPU_MAX_US) {
        amgr_members_fail(members, "cpu_seconds", "is too much");
    }
    out->cpu_us = cpu_us < 0 ? AMGR_UNKNOWN : (apr_uint64_t)cpu_us;
    out->memory_bytes = amgr_members_u64(members, from, "memory_bytes");
    out->max_memory_bytes = amgr_members_u64(members, from, "max_memory_bytes");
    if (out->max_memory_bytes == AMGR_UNKNOWN) {
        out->max_memory_bytes = 0;
    }
    out->tree_count =
        (int)amgr_members_whole(members, from, "tree", 0, PID_MAX);
    out->output_bytes = amgr_members_u64(members, from, "output_bytes");
    out->output_dropped = amgr_members_u64(members, from, "output_dropped");
}

static void read_times(amgr_members_t *members, const json_t *from,
                       amgr_managed_t *out)
{
    out->since_us = read_time(members, from, "since");
    out->started_us = read_time(members, from, "started");
    out->ready_us = read_time(members, from, "ready_at");
    out->next_start_us = read_time(members, from, "next_start");
    out->backoff_us = read_time(members, from, "backoff_seconds");
}

static void read_texts(amgr_members_t *members, const json_t *from,
                       amgr_managed_t *out)
{
    amgr_members_text(members, from, "name", out->name, sizeof(out->name));
    if (members->fault == NULL && out->name[0] == '\0') {
        amgr_members_fail(members, "name", "is empty");
    }
    amgr_members_text(members, from, "command", out->program,
                      sizeof(out->program));
    amgr_members_text(members, from, "verify", out->verify,
                      sizeof(out->verify));
    amgr_members_text(members, from, "reason", out->reason,
                      sizeof(out->reason));
    amgr_members_text(members, from, "status", out->status,
                      sizeof(out->status));
}

static void read_process(amgr_members_t *members, const json_t *from,
                         amgr_managed_t *out)
{
    read_texts(members, from, out);
    out->state =
        amgr_members_word(members, from, "state", amgr_managed_state_word, 0,
                          AMGR_MANAGED_STATE_COUNT);
    out->want = amgr_members_word(members, from, "want", amgr_managed_want_word,
                                  0, AMGR_MANAGED_WANT_COUNT);
    out->restart = amgr_members_word(members, from, "restart",
                                     amgr_restart_word, 0, AMGR_RESTART_COUNT);
    out->ready = amgr_members_bool(members, from, "ready");
    out->pid =
        (pid_t)amgr_members_whole_or(members, from, "pid", 1, PID_MAX, 0);
    read_end(members, from, out);
    read_times(members, from, out);
    read_counts(members, from, out);
    read_use(members, from, out);
}

/* Once all names are known. */
static void read_after(amgr_members_t *members, const json_t *from,
                       const amgr_managed_table_t *table, amgr_managed_t *out)
{
    const json_t *names = amgr_members_array(members, from, "after");
    apr_size_t i;

    for (i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        const amgr_managed_t *other =
            name == NULL ? NULL : amgr_managed_find(table, name);

        if (other == NULL) {
            amgr_members_fail(members, "after", "names none");
            return;
        }
        out->after |= APR_UINT64_C(1) << (other - table->processes);
    }
}

static void read_table(amgr_members_t *members, const json_t *from,
                       amgr_managed_table_t *table)
{
    apr_size_t count = json_array_size(from);
    apr_size_t i;

    table->count = (int)count;
    for (i = 0; i < count; i++) {
        table->processes[i].id = (int)i + 1;
        read_process(members, amgr_members_at(members, from, i),
                     &table->processes[i]);
    }
    for (i = 0; i < count; i++) {
        read_after(members, amgr_members_at(members, from, i), table,
                   &table->processes[i]);
    }
}

void amgr_source_json_managed(amgr_members_t *members, const json_t *from,
                              const json_t *root, amgr_source_blank_t *blank)
{
    amgr_managed_table_t *table;
    const json_t *supervision;

    if (json_array_size(from) == 0) {
        return;
    }
    if (json_array_size(from) > AMGR_MANAGED_MAX) {
        amgr_members_fail(members, "managed", "has too many");
        return;
    }
    table = apr_pcalloc(blank->pool, sizeof(*table));
    read_table(members, from, table);
    supervision = amgr_members_object(members, root, "supervision");
    table->application =
        amgr_members_word(members, supervision, "application",
                          amgr_application_word, 0, AMGR_APPLICATION_COUNT);
    table->supervisor = (pid_t)amgr_members_whole_or(
        members, supervision, "supervisor", 1, PID_MAX, 0);
    table->supervisors =
        amgr_members_u64(members, supervision, "supervisor_starts");
    table->control = amgr_members_bool(members, supervision, "control");
    blank->view.managed = table;
}
