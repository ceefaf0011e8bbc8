/* SPDX-License-Identifier: Apache-2.0
 *
 * What can be told of a snapshot from itself: the meaning of slot modes, the
 * groups, and the figures that follow from others.  Knows no clock and no
 * policy.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "model/words.h"

int amgr_mode_is_idle(int mode)
{
    return mode == AMGR_MODE_READY || mode == AMGR_MODE_IDLE_KILL ||
           mode == AMGR_MODE_DEAD;
}

int amgr_slot_is_request(const amgr_slot_t *slot)
{
    switch (slot->mode) {
    case AMGR_MODE_READ:
    case AMGR_MODE_WRITE:
    case AMGR_MODE_LOG:
    case AMGR_MODE_DNS:
        return 1;
    case AMGR_MODE_GRACEFUL:
        return slot->start_time_us > slot->stop_time_us;
    default:
        return 0;
    }
}

char amgr_mode_letter(int mode)
{
    static const char letters[AMGR_MODE_COUNT] = {
        [AMGR_MODE_DEAD] = '.',      [AMGR_MODE_STARTING] = 'S',
        [AMGR_MODE_READY] = '_',     [AMGR_MODE_READ] = 'R',
        [AMGR_MODE_WRITE] = 'W',     [AMGR_MODE_KEEPALIVE] = 'K',
        [AMGR_MODE_LOG] = 'L',       [AMGR_MODE_DNS] = 'D',
        [AMGR_MODE_CLOSING] = 'C',   [AMGR_MODE_GRACEFUL] = 'G',
        [AMGR_MODE_IDLE_KILL] = 'I',
    };

    if (mode < 0 || mode >= AMGR_MODE_COUNT) {
        return '?';
    }
    return letters[mode];
}

int amgr_slot_is_timed(const amgr_slot_t *slot, apr_time_t started_us)
{
    if (slot->mode != AMGR_MODE_WRITE && slot->mode != AMGR_MODE_LOG &&
        slot->mode != AMGR_MODE_DNS) {
        return 0;
    }
    return slot->start_time_us > slot->stop_time_us &&
           slot->start_time_us >= started_us;
}

void amgr_process_blank(amgr_process_t *process)
{
    memset(process, 0, sizeof(*process));
    process->process_slot = -1;
    process->generation = -1;
    process->age_us = AMGR_NO_TIME;
    process->started_us = AMGR_NO_TIME;
    process->rss_bytes = AMGR_UNKNOWN;
    process->anon_bytes = AMGR_UNKNOWN;
    process->pss_bytes = AMGR_UNKNOWN;
    process->uss_bytes = AMGR_UNKNOWN;
    process->growth_bytes_per_hour = AMGR_GROWTH_UNKNOWN;
    process->busy_slots = -1;
}

void amgr_snapshot_clear(amgr_snapshot_t *snapshot)
{
    memset(&snapshot->server, 0, sizeof(snapshot->server));
    memset(snapshot->groups, 0, sizeof(snapshot->groups));
    snapshot->server.requests_per_second = -1.0;
    snapshot->server.bytes_per_second = -1.0;
    snapshot->server.bytes_per_request = -1.0;
    snapshot->server.memory_capacity_bytes = AMGR_UNKNOWN;
    snapshot->server.worker_anon_bytes = AMGR_UNKNOWN;
    snapshot->server.machine_bytes = AMGR_UNKNOWN;
    snapshot->server.machine_available_bytes = AMGR_UNKNOWN;
    snapshot->server.cgroup_limit_bytes = AMGR_UNKNOWN;
    snapshot->server.cgroup_used_bytes = AMGR_UNKNOWN;
    snapshot->group_count = 0;
    snapshot->process_count = 0;
    snapshot->slot_count = 0;
    snapshot->stream_count = 0;
    snapshot->incomplete = 0;
    snapshot->hanging = 0;
}

amgr_process_t *amgr_snapshot_find(const amgr_snapshot_t *snapshot, pid_t pid)
{
    int low = 0;
    int high = snapshot->process_count;
    int middle;

    while (low < high) {
        middle = low + (high - low) / 2;
        if (snapshot->processes[middle].id.pid < pid) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    if (low < snapshot->process_count &&
        snapshot->processes[low].id.pid == pid) {
        return &snapshot->processes[low];
    }
    return NULL;
}

static int add_group(amgr_snapshot_t *snapshot, const char *name, int kind,
                     int role)
{
    amgr_group_t *group;

    /* Only a snapshot from elsewhere can be so full. */
    if (snapshot->group_count >= AMGR_GROUPS_MAX) {
        return AMGR_GROUPS_MAX - 1;
    }
    group = &snapshot->groups[snapshot->group_count];
    memset(group, 0, sizeof(*group));
    apr_cpystrn(group->name, name, sizeof(group->name));
    group->kind = kind;
    group->role = role;
    group->fresh_bytes = AMGR_UNKNOWN;
    return snapshot->group_count++;
}

/* The index of the group for all that are left, -1 while there is none. */
static int find_other(const amgr_snapshot_t *snapshot)
{
    int i;

    for (i = 0; i < snapshot->group_count; i++) {
        if (snapshot->groups[i].role == AMGR_ROLE_OTHER) {
            return i;
        }
    }
    return -1;
}

int amgr_snapshot_other_group(amgr_snapshot_t *snapshot)
{
    int other = find_other(snapshot);

    return other >= 0 ? other
                      : add_group(snapshot, amgr_role_word(AMGR_ROLE_OTHER),
                                  AMGR_KIND_FOREIGN, AMGR_ROLE_OTHER);
}

int amgr_snapshot_group(amgr_snapshot_t *snapshot, const char *name, int kind,
                        int role)
{
    int i;

    for (i = 0; i < snapshot->group_count; i++) {
        const amgr_group_t *group = &snapshot->groups[i];

        if (group->role == role &&
            strncmp(group->name, name, sizeof(group->name) - 1) == 0) {
            return i;
        }
    }
    if (snapshot->group_count - (find_other(snapshot) >= 0) >=
        AMGR_GROUPS_NAMED) {
        return amgr_snapshot_other_group(snapshot);
    }
    return add_group(snapshot, name, kind, role);
}

static void complete_process(const amgr_snapshot_t *snapshot,
                             amgr_process_t *process)
{
    const amgr_slot_t *slot = snapshot->slots + process->first_slot;
    const amgr_slot_t *end = slot + process->slot_count;

    process->busy_slots = process->slot_count > 0 ? 0 : -1;
    if (process->kind != AMGR_KIND_NATIVE) {
        process->active = process->role == AMGR_ROLE_WSGI;
        process->accesses = 0;
        return;
    }
    /* A connection of HTTP/2 may rest in no slot while its requests run. */
    process->active = process->slot_count == 0 || process->stream_count > 0;
    process->accesses = 0;
    for (; slot < end; slot++) {
        process->accesses += slot->child_accesses;
        if (!amgr_mode_is_idle(slot->mode)) {
            process->active = 1;
            process->busy_slots++;
        }
    }
}

static void complete_group(amgr_snapshot_t *snapshot, int index,
                           apr_uint64_t *scratch)
{
    apr_size_t known = 0;
    apr_uint64_t count = 0;
    int i;

    for (i = 0; i < snapshot->process_count; i++) {
        const amgr_process_t *process = &snapshot->processes[i];

        if (process->group != index) {
            continue;
        }
        count++;
        if (process->rss_bytes != AMGR_UNKNOWN) {
            scratch[known++] = process->rss_bytes;
        }
    }
    amgr_stats_compute(&snapshot->groups[index].rss, scratch, known);
    snapshot->groups[index].rss.count = count;
}

void amgr_snapshot_complete(amgr_snapshot_t *snapshot, apr_uint64_t *scratch)
{
    int i;

    for (i = 0; i < snapshot->process_count; i++) {
        complete_process(snapshot, &snapshot->processes[i]);
    }
    for (i = 0; i < snapshot->group_count; i++) {
        complete_group(snapshot, i, scratch);
    }
}

static int compare_u64(const void *a, const void *b)
{
    apr_uint64_t left = *(const apr_uint64_t *)a;
    apr_uint64_t right = *(const apr_uint64_t *)b;

    return (left > right) - (left < right);
}

void amgr_stats_compute(amgr_stats_t *out, apr_uint64_t *values,
                        apr_size_t count)
{
    apr_uint64_t low;
    apr_uint64_t high;
    apr_size_t i;

    memset(out, 0, sizeof(*out));
    if (count == 0) {
        return;
    }
    qsort(values, count, sizeof(values[0]), compare_u64);
    for (i = 0; i < count; i++) {
        out->sum += values[i];
    }
    out->count = count;
    out->known = count;
    out->min = values[0];
    out->max = values[count - 1];
    out->average = (double)out->sum / (double)count;
    low = values[(count - 1) / 2];
    high = values[count / 2];
    out->median = ((double)low + (double)high) / 2.0;
}
