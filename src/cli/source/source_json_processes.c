/* SPDX-License-Identifier: Apache-2.0
 *
 * "groups" and "processes" of status.json.
 */
#include <limits.h>
#include <string.h>

#include "cli/source/source_json_parts.h"
#include "model/words.h"

/** More than any httpd can be built for. */
#define PROCESSES_MAX 32768
#define SLOTS_MAX 131072

/** Of the rows and columns of a scoreboard. */
#define ROW_MAX 1000000

/** No process is as big: what is written as a whole number is one. */
#define SIZE_MAX_BYTES 9e18

/** Thousands of years, and still no overflow when it is shown. */
#define CPU_MAX_US APR_INT64_C(100000000000000000)

/** A pid of Linux is below. */
#define PID_MAX (4 * 1024 * 1024)

/* The role of a group, which is not told: only those that are not WSGI's have
 * one of these names. */
static int role_of(const char *name, int kind)
{
    int role;

    if (kind == AMGR_KIND_NATIVE) {
        return AMGR_ROLE_WORKER;
    }
    for (role = AMGR_ROLE_DAEMON; role < AMGR_ROLE_COUNT; role++) {
        if (strcmp(name, amgr_role_word(role)) == 0) {
            return role;
        }
    }
    return AMGR_ROLE_WSGI;
}

static void read_group(amgr_members_t *members, const json_t *from,
                       amgr_group_t *out)
{
    amgr_stats_t *rss = &out->rss;

    memset(out, 0, sizeof(*out));
    amgr_members_text(members, from, "name", out->name, sizeof(out->name));
    out->kind = amgr_members_word(members, from, "kind", amgr_kind_word, 0,
                                  AMGR_KIND_COUNT);
    out->role = role_of(out->name, out->kind);
    out->fresh_bytes = AMGR_UNKNOWN;
    rss->count = amgr_members_u64(members, from, "count");
    rss->sum = amgr_members_u64(members, from, "sum");
    rss->min = amgr_members_u64(members, from, "min");
    rss->max = amgr_members_u64(members, from, "max");
    rss->average = amgr_members_rate(members, from, "average");
    rss->median = amgr_members_rate(members, from, "median");
    if (rss->sum == AMGR_UNKNOWN) {
        memset(rss, 0, sizeof(*rss));
        rss->count = amgr_members_u64(members, from, "count");
    }
    else if (rss->min == AMGR_UNKNOWN || rss->max == AMGR_UNKNOWN ||
             rss->average < 0 || rss->median < 0) {
        amgr_members_fail(members, "sum", "stands alone");
    }
    else if (rss->average > SIZE_MAX_BYTES || rss->median > SIZE_MAX_BYTES) {
        amgr_members_fail(members, "median", "is too high");
    }
    if (rss->count == AMGR_UNKNOWN) {
        amgr_members_fail(members, "count", "is null");
    }
}

static void read_groups(amgr_members_t *members, const json_t *from,
                        amgr_snapshot_t *snapshot)
{
    apr_size_t count = json_array_size(from);
    apr_size_t i;

    if (count > AMGR_GROUPS_MAX) {
        amgr_members_fail(members, "groups", "has too many");
        return;
    }
    for (i = 0; i < count; i++) {
        read_group(members, amgr_members_at(members, from, i),
                   &snapshot->groups[i]);
    }
    snapshot->group_count = (int)count;
}

static int find_group(const amgr_snapshot_t *snapshot, const char *name,
                      int kind)
{
    int i;

    for (i = 0; i < snapshot->group_count; i++) {
        if (snapshot->groups[i].kind == kind &&
            strcmp(snapshot->groups[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

static int read_mode(amgr_members_t *members, const json_t *from)
{
    char letter[2];
    int mode = 0;

    amgr_members_text(members, from, "mode", letter, sizeof(letter));
    while (mode < AMGR_MODE_COUNT && amgr_mode_letter(mode) != letter[0]) {
        mode++;
    }
    /* What is no mode has a letter, too. */
    if (mode == AMGR_MODE_COUNT && letter[0] != amgr_mode_letter(mode)) {
        amgr_members_fail(members, "mode", "is no mode of a worker");
    }
    return mode;
}

/* Start and end such that the figures that were told follow from them. */
static void read_times(amgr_members_t *members, const json_t *from,
                       apr_time_t now_us, amgr_slot_t *out)
{
    apr_int64_t ss =
        amgr_members_whole_or(members, from, "ss", 0, APR_INT64_MAX, -1);
    apr_int64_t req_ms =
        amgr_members_whole_or(members, from, "req", 0, APR_INT64_MAX, 0);

    out->request_age_us =
        amgr_members_time(members, from, "request_age_seconds");
    out->max_time_us = amgr_members_time(members, from, "max_time_seconds");
    if (out->max_time_us == AMGR_NO_TIME) {
        out->max_time_us = AMGR_LIMIT_OFF;
    }
    if (ss >= 0) {
        out->last_used_us =
            ss < apr_time_sec(now_us) ? now_us - apr_time_from_sec(ss) : 1;
    }
    out->start_time_us = out->last_used_us;
    if (out->request_age_us != AMGR_NO_TIME) {
        out->start_time_us =
            out->request_age_us < now_us ? now_us - out->request_age_us : 1;
    }
    else if (req_ms == 0) {
        out->stop_time_us = out->start_time_us;
    }
    if (req_ms > 0 && req_ms < apr_time_as_msec(now_us)) {
        out->stop_time_us = out->start_time_us + req_ms * 1000;
    }
    out->duration_us = amgr_members_whole_or(
        members, from, "dur", APR_INT64_MIN, APR_INT64_MAX / 1000, 0);
    out->duration_us = out->duration_us > 0 ? out->duration_us * 1000 : 0;
}

/* How many clock ticks a span is, which the kernel counts CPU time in. */
static apr_uint64_t ticks_of(apr_interval_time_t us)
{
    apr_time_t tick_us = amgr_proc_ticks_us(1);

    if (us > CPU_MAX_US) {
        us = CPU_MAX_US;
    }
    return us <= 0 || tick_us <= 0 ? 0 : (apr_uint64_t)(us / tick_us);
}

static void read_slot(amgr_members_t *members, const json_t *from,
                      apr_time_t now_us, amgr_slot_t *out)
{
    const json_t *acc = amgr_members_array(members, from, "acc");
    apr_uint64_t conn_count = amgr_members_u64_at(members, acc, 0);

    memset(out, 0, sizeof(*out));
    if (acc != NULL && json_array_size(acc) != 3) {
        amgr_members_fail(members, "acc", "has not three numbers");
    }
    out->thread =
        (int)amgr_members_whole(members, from, "slot", 0, INT_MAX - 1);
    out->mode = read_mode(members, from);
    read_times(members, from, now_us, out);
    out->conn_count =
        conn_count > APR_UINT32_MAX ? APR_UINT32_MAX : (apr_uint32_t)conn_count;
    out->child_accesses = amgr_members_u64_at(members, acc, 1);
    out->accesses = amgr_members_u64_at(members, acc, 2);
    out->conn_bytes = amgr_members_u64(members, from, "conn");
    out->child_bytes = amgr_members_u64(members, from, "child");
    out->bytes = amgr_members_u64(members, from, "total");
    out->cpu_ticks = ticks_of(amgr_members_time(members, from, "cpu"));
    amgr_members_text(members, from, "client", out->client,
                      sizeof(out->client));
    amgr_members_text(members, from, "protocol", out->protocol,
                      sizeof(out->protocol));
    amgr_members_text(members, from, "vhost", out->vhost, sizeof(out->vhost));
    amgr_members_text(members, from, "request", out->request,
                      sizeof(out->request));
}

static void read_slots(amgr_members_t *members, const json_t *from,
                       amgr_source_blank_t *blank, amgr_process_t *process)
{
    amgr_snapshot_t *snapshot = &blank->snapshot;
    apr_size_t count = json_array_size(from);
    apr_size_t i;

    process->busy_slots = count > 0 ? 0 : -1;
    for (i = 0; i < count; i++) {
        amgr_slot_t *slot = &snapshot->slots[snapshot->slot_count++];

        read_slot(members, amgr_members_at(members, from, i),
                  blank->view.now_wall_us, slot);
        process->slot_count++;
        process->busy_slots += !amgr_mode_is_idle(slot->mode);
        if (slot->child_accesses != AMGR_UNKNOWN) {
            process->accesses += slot->child_accesses;
        }
        if (slot->mode >= 0 && slot->mode < AMGR_MODE_COUNT) {
            snapshot->server.modes[slot->mode]++;
        }
    }
}

static void read_figures(amgr_members_t *members, const json_t *from,
                         amgr_process_t *out)
{
    out->state = amgr_members_word(members, from, "state", amgr_state_word, 0,
                                   AMGR_STATE_COUNT);
    out->active = amgr_members_bool(members, from, "active");
    out->threads = (int)amgr_members_whole_or(members, from, "threads", 0,
                                              APR_INT32_MAX, 0);
    out->rss_bytes = amgr_members_u64(members, from, "rss_bytes");
    out->anon_bytes = amgr_members_u64(members, from, "anon_bytes");
    out->pss_bytes = amgr_members_u64(members, from, "pss_bytes");
    out->verdict = amgr_members_word(members, from, "verdict",
                                     amgr_verdict_word, 0, AMGR_VERDICT_COUNT);
    out->cause = amgr_members_word_or(members, from, "cause", amgr_cause_word,
                                      0, AMGR_CAUSE_COUNT, AMGR_CAUSE_NONE);
    out->growth_bytes_per_hour = amgr_members_whole_or(
        members, from, "growth_bytes_per_hour", APR_INT64_MIN, APR_INT64_MAX,
        AMGR_GROWTH_UNKNOWN);
}

/* Of the group that it names; where that is none, of the one for the rest. */
static void read_place(amgr_members_t *members, const json_t *from,
                       amgr_snapshot_t *snapshot, amgr_process_t *out)
{
    char name[AMGR_GROUP_NAME_LEN];

    out->id.pid = (pid_t)amgr_members_whole(members, from, "pid", 1, PID_MAX);
    out->kind = amgr_members_word(members, from, "kind", amgr_kind_word, 0,
                                  AMGR_KIND_COUNT);
    amgr_members_text(members, from, "group", name, sizeof(name));
    out->group = find_group(snapshot, name, out->kind);
    if (out->group < 0) {
        out->group = amgr_snapshot_other_group(snapshot);
    }
    out->role = snapshot->groups[out->group].role;
    if (out->role == AMGR_ROLE_OTHER) {
        out->role =
            out->kind == AMGR_KIND_NATIVE ? AMGR_ROLE_WORKER : AMGR_ROLE_WSGI;
    }
    out->process_slot =
        (int)amgr_members_whole_or(members, from, "slot", 0, ROW_MAX, -1);
    out->generation = (int)amgr_members_whole_or(members, from, "generation", 0,
                                                 APR_INT32_MAX, -1);
}

static void read_process(amgr_members_t *members, const json_t *from,
                         amgr_source_blank_t *blank)
{
    apr_time_t now_us = blank->view.now_wall_us;
    amgr_snapshot_t *snapshot = &blank->snapshot;
    amgr_process_t *process = amgr_source_blank_add(blank);
    amgr_group_t *group;

    read_place(members, from, snapshot, process);
    if (snapshot->process_count > 1 && process->id.pid <= process[-1].id.pid) {
        amgr_members_fail(members, "pid", "is not in its order");
    }
    read_figures(members, from, process);
    process->age_us = amgr_members_time(members, from, "age_seconds");
    if (process->age_us != AMGR_NO_TIME && process->age_us < now_us) {
        process->started_us = now_us - process->age_us;
    }
    read_slots(members, amgr_members_array(members, from, "slots"), blank,
               process);
    group = &snapshot->groups[process->group];
    group->rss.known += process->rss_bytes != AMGR_UNKNOWN;
    group->inert |= process->cause == AMGR_CAUSE_INERT;
    if (process->kind == AMGR_KIND_NATIVE) {
        snapshot->server.row_count++;
        snapshot->server.stopping_rows += process->state != AMGR_STATE_SERVING;
    }
}

/* How many slots a row has, which is not told either: a slot's number is its
 * row times that, and its column. */
static int find_columns(const amgr_snapshot_t *snapshot)
{
    int columns = 1;
    int i;

    for (i = 0; i < snapshot->process_count; i++) {
        const amgr_process_t *process = &snapshot->processes[i];

        if (process->slot_count > 0 && process->process_slot > 0) {
            int first = snapshot->slots[process->first_slot].thread;

            return first > process->process_slot ? first / process->process_slot
                                                 : 1;
        }
        if (process->slot_count > columns) {
            columns = process->slot_count;
        }
    }
    return columns;
}

static void place_slots(amgr_snapshot_t *snapshot)
{
    int columns = find_columns(snapshot);
    int i;

    for (i = 0; i < snapshot->process_count; i++) {
        const amgr_process_t *process = &snapshot->processes[i];
        int row = process->process_slot > 0 ? process->process_slot : 0;
        int k;

        for (k = 0; k < process->slot_count; k++) {
            amgr_slot_t *slot = &snapshot->slots[process->first_slot + k];

            if ((apr_int64_t)row * columns > slot->thread) {
                row = slot->thread / columns;
            }
            slot->process_slot = row;
            slot->thread -= row * columns;
        }
    }
    snapshot->server.threads_per_process = columns;
}

void amgr_source_json_processes(amgr_members_t *members, const json_t *groups,
                                const json_t *processes,
                                amgr_source_blank_t *blank)
{
    apr_size_t count = json_array_size(processes);
    apr_size_t slots = 0;
    apr_size_t i;

    read_groups(members, groups, &blank->snapshot);
    for (i = 0; i < count && count <= PROCESSES_MAX; i++) {
        slots += json_array_size(
            json_object_get(json_array_get(processes, i), "slots"));
    }
    if (count > PROCESSES_MAX || slots > SLOTS_MAX) {
        amgr_members_fail(members, "processes", "has too many");
    }
    if (members->fault != NULL) {
        return;
    }
    amgr_source_blank_resize(blank, (int)count, (int)slots);
    for (i = 0; i < count && members->fault == NULL; i++) {
        read_process(members, amgr_members_at(members, processes, i), blank);
    }
    place_slots(&blank->snapshot);
}
