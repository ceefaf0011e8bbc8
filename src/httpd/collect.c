/* SPDX-License-Identifier: Apache-2.0
 *
 * See collect.h.  The kernel says which processes are the parent's children,
 * the table of children says which of them are the MPM's; the scoreboard only
 * adds what they do.
 */
#include "httpd/collect.h"

#include <stdlib.h>
#include <string.h>

#include "httpd/collector.h"
#include "httpd/private_memory.h"
#include "httpd/scoreboard.h"
#include "httpd/slot_times.h"
#include "model/child.h"
#include "model/words.h"
#include "policy/ledger.h"
#include "policy/sections.h"

static apr_size_t aligned(apr_size_t size)
{
    return (size + 15) & ~(apr_size_t)15;
}

/** Lay the arrays out behind the record, in one block that fork leaves out. */
static void *take(char **next, apr_size_t count, apr_size_t size)
{
    void *place = *next;

    *next += aligned(count * size);
    return place;
}

amgr_collector_t *amgr_collector_create(const amgr_runtime_t *runtime,
                                        const amgr_wsgi_t *wsgi, int in_ticker)
{
    apr_size_t max = (apr_size_t)runtime->children_max;
    apr_size_t slots =
        (apr_size_t)runtime->server_limit * (apr_size_t)runtime->thread_limit;
    apr_size_t streams = (apr_size_t)runtime->server_limit *
                         (apr_size_t)amgr_ledger_streams(runtime->thread_limit);
    apr_size_t size = aligned(sizeof(amgr_collector_t)) +
                      max * (sizeof(amgr_process_t) + 2 * sizeof(amgr_known_t) +
                             sizeof(amgr_child_t) + 3 * sizeof(pid_t) +
                             sizeof(apr_uint64_t)) +
                      slots * sizeof(amgr_slot_t) +
                      streams * sizeof(amgr_stream_t) + 9 * 16;
    amgr_collector_t *collector = amgr_private_memory_create(size);
    char *next;

    if (collector == NULL) {
        return NULL;
    }
    next = (char *)collector + aligned(sizeof(amgr_collector_t));
    collector->size = size;
    collector->runtime = runtime;
    collector->wsgi = wsgi;
    collector->in_ticker = in_ticker;
    collector->max = (int)max;
    collector->proc.fd = -1;
    collector->snapshot.process_max = (int)max;
    collector->snapshot.slot_max = (int)slots;
    collector->snapshot.processes = take(&next, max, sizeof(amgr_process_t));
    collector->snapshot.slots = take(&next, slots, sizeof(amgr_slot_t));
    collector->snapshot.stream_max = (int)streams;
    collector->snapshot.streams = take(&next, streams, sizeof(amgr_stream_t));
    collector->known = take(&next, max, sizeof(amgr_known_t));
    collector->before = take(&next, max, sizeof(amgr_known_t));
    collector->children = take(&next, max, sizeof(amgr_child_t));
    collector->numbers = take(&next, max, sizeof(apr_uint64_t));
    collector->pids = take(&next, 3 * max, sizeof(pid_t));
    return collector;
}

void amgr_collector_destroy(amgr_collector_t *collector)
{
    int i;

    if (collector == NULL) {
        return;
    }
    for (i = 0; i < collector->before_count; i++) {
        amgr_known_drop(&collector->before[i]);
    }
    amgr_proc_dir_close(&collector->proc);
    amgr_private_memory_destroy(collector, collector->size);
}

amgr_proc_dir_t *amgr_collector_proc(amgr_collector_t *collector)
{
    return &collector->proc;
}

void amgr_collector_recall(amgr_collector_t *collector, int *cursor,
                           const amgr_proc_id_t *id, amgr_known_t *out)
{
    while (*cursor < collector->before_count &&
           collector->before[*cursor].id.pid < id->pid) {
        (*cursor)++;
    }
    if (*cursor < collector->before_count &&
        amgr_proc_id_equal(&collector->before[*cursor].id, id)) {
        *out = collector->before[*cursor];
        collector->before[*cursor].statm_fd = -1;
        return;
    }
    memset(out, 0, sizeof(*out));
    out->id = *id;
    out->role = AMGR_ROLE_COUNT;
    out->statm_fd = -1;
    out->swap_bytes = AMGR_UNKNOWN;
}

int amgr_collector_recall_pid(amgr_collector_t *collector, int *cursor,
                              pid_t pid, amgr_known_t *out)
{
    amgr_proc_id_t id = {pid, 0};
    int i;

    for (i = *cursor; i < collector->before_count; i++) {
        if (collector->before[i].id.pid == pid) {
            id.start_ticks = collector->before[i].id.start_ticks;
            break;
        }
    }
    amgr_collector_recall(collector, cursor, &id, out);
    return i < collector->before_count;
}

/** Age and start from the kernel's start time, or unknown. */
static void set_age(amgr_process_t *process, const amgr_instant_t *now)
{
    process->age_us = AMGR_NO_TIME;
    process->started_us = AMGR_NO_TIME;
    if (process->id.start_ticks != 0) {
        process->age_us =
            now->boot_us - amgr_proc_ticks_us(process->id.start_ticks);
        if (process->age_us < 0) {
            process->age_us = 0;
        }
        process->started_us = now->wall_us - process->age_us;
    }
}

amgr_process_t *amgr_collector_append(amgr_collector_t *collector,
                                      const amgr_known_t *known)
{
    amgr_snapshot_t *snapshot = &collector->snapshot;
    amgr_process_t *process = &snapshot->processes[snapshot->process_count];

    amgr_process_blank(process);
    process->id = known->id;
    process->threads = known->threads;
    set_age(process, &snapshot->server.time);
    collector->known[snapshot->process_count] = *known;
    snapshot->process_count++;
    return process;
}

void amgr_collector_rest(amgr_collector_t *collector)
{
    if (!collector->in_ticker) {
        amgr_proc_dir_close(&collector->proc);
    }
}

/** Returns 0 for one that is in the table and has ended: what its row says is
 * another's, who needs the room for its slots. */
static int add_native(amgr_collector_t *collector, int *cursor,
                      const amgr_child_t *child, amgr_collect_faults_t *faults)
{
    amgr_process_t *process;
    amgr_row_t row;
    amgr_known_t known;
    int differs;

    memset(&row, 0, sizeof(row));
    if (child->slot >= 0) {
        amgr_scoreboard_read_row(child->slot, &row);
    }
    differs = row.pid != child->id.pid;
    if (differs && amgr_collector_has_ended(collector, &child->id)) {
        return 0;
    }
    amgr_collector_recall(collector, cursor, &child->id, &known);
    known.role = AMGR_ROLE_WORKER;
    faults->unreadable += child->id.start_ticks == 0;
    if (child->slot >= 0) {
        /* Once may be the moment between two stores of the MPM. */
        faults->contradicted += differs && known.contradicted;
        known.contradicted = differs;
    }
    process = amgr_collector_append(collector, &known);
    process->kind = AMGR_KIND_NATIVE;
    process->role = AMGR_ROLE_WORKER;
    process->group = 0;
    process->process_slot = child->slot;
    process->generation = child->generation;
    process->columns = child->columns;
    process->wished = amgr_mailbox_is_wished(&collector->runtime->mailbox,
                                             child->slot, child->id.pid);
    process->state = AMGR_STATE_SERVING;
    if (child->slot < 0 || row.stopping ||
        child->generation != collector->snapshot.server.generation ||
        amgr_mailbox_is_stopping(&collector->runtime->mailbox, child->slot,
                                 child->id.pid)) {
        process->state = AMGR_STATE_STOPPING;
    }
    amgr_scoreboard_copy_row(child->slot, process, &collector->snapshot);
    return 1;
}

static int compare_pids(const void *a, const void *b)
{
    pid_t left = *(const pid_t *)a;
    pid_t right = *(const pid_t *)b;

    return (left > right) - (left < right);
}

/**
 * Every pid that may be a child's, ascending and each once: the kernel's list,
 * which may leave one out while another ends, the table's, and those of the
 * tick before.
 */
static int list_pids(amgr_collector_t *collector, int child_count)
{
    pid_t *pids = collector->pids;
    int count = 0;
    int kept = 0;
    int i;

    if (amgr_proc_read_children(&collector->proc, collector->runtime->parent,
                                pids, collector->max, &count) != APR_SUCCESS &&
        count < collector->max) {
        count = 0; /* the table alone still says which workers there are */
        collector->snapshot.incomplete = 1;
    }
    for (i = 0; i < child_count; i++) {
        pids[count++] = collector->children[i].id.pid;
    }
    for (i = 0; i < collector->before_count; i++) {
        pids[count++] = collector->before[i].id.pid;
    }
    qsort(pids, (size_t)count, sizeof(pids[0]), compare_pids);
    for (i = 0; i < count; i++) {
        if (kept == 0 || pids[kept - 1] != pids[i]) {
            pids[kept++] = pids[i];
        }
    }
    return kept;
}

/** Who is there: workers by the table, all others by the kernel. */
static void list_processes(amgr_collector_t *collector,
                           amgr_collect_faults_t *faults)
{
    const amgr_child_t *children = collector->children;
    int before = 0;
    int child = 0;
    int child_count;
    int foreign_max;
    int pid_count;
    int i;

    child_count = amgr_children_copy(amgr_runtime_children(collector->runtime),
                                     collector->children, collector->max);
    if (child_count < 0) {
        faults->no_table = 1;
        return;
    }
    pid_count = list_pids(collector, child_count);
    /* There may be a logger to every virtual host: workers come first. */
    foreign_max = collector->max - child_count;
    for (i = 0; i < pid_count; i++) {
        const amgr_child_t *known = NULL;

        if (child < child_count &&
            children[child].id.pid == collector->pids[i]) {
            known = &children[child++];
        }
        if (known != NULL && !known->unheard &&
            add_native(collector, &before, known, faults)) {
            continue;
        }
        if (collector->snapshot.process_count - child < foreign_max) {
            amgr_collect_foreign(collector, &before, collector->pids[i],
                                 known != NULL && known->unheard, faults);
        }
        else {
            collector->snapshot.incomplete = 1;
        }
    }
}

/**
 * CPU time of the parent, and of the children it has reaped.  Read before all
 * others: who is reaped meanwhile is missing for a moment, and would else be
 * there twice.
 */
static void read_parent_cpu(amgr_collector_t *collector)
{
    amgr_proc_stat_t stat;

    memset(&collector->parent_cpu, 0, sizeof(collector->parent_cpu));
    memset(&collector->foreign_cpu, 0, sizeof(collector->foreign_cpu));
    if (amgr_proc_read_stat(&collector->proc, collector->runtime->parent,
                            &stat) == APR_SUCCESS) {
        amgr_collector_add_cpu(&collector->parent_cpu, &stat);
    }
}

/** CPU time of all: workers by their slots, as mod_status has it, and foreign
 * processes that are there beside. */
static void set_cpu(amgr_collector_t *collector, const amgr_slots_cpu_t *slots)
{
    amgr_server_t *server = &collector->snapshot.server;
    const amgr_slots_cpu_t *parent = &collector->parent_cpu;
    const amgr_slots_cpu_t *foreign = &collector->foreign_cpu;
    double uptime = (double)server->uptime_us / APR_USEC_PER_SEC;
    double user = slots->user_seconds + parent->user_seconds;
    double system = slots->system_seconds + parent->system_seconds;

    server->cpu_seconds = user + system;
    server->cpu_load = uptime > 0 ? server->cpu_seconds / uptime * 100 : 0;
    server->cpu_user_seconds = user + foreign->user_seconds;
    server->cpu_system_seconds = system + foreign->system_seconds;
}

/** Make this tick's knowledge the next one's past. */
static void remember(amgr_collector_t *collector)
{
    amgr_known_t *spare = collector->before;
    int i;

    for (i = 0; i < collector->before_count; i++) {
        amgr_known_drop(&collector->before[i]);
    }
    collector->before = collector->known;
    collector->before_count = collector->snapshot.process_count;
    collector->known = spare;
}

const char *amgr_collector_group(const amgr_collector_t *collector, int index)
{
    const amgr_process_t *process = &collector->snapshot.processes[index];
    const amgr_group_t *group = &collector->snapshot.groups[process->group];

    /* What was learned of this tick is by now the past. */
    if (group->role == AMGR_ROLE_OTHER && process->role == AMGR_ROLE_WSGI &&
        index < collector->before_count) {
        return collector->wsgi->groups[collector->before[index].wsgi].name;
    }
    return group->name;
}

/** How many readings have failed since the directory was opened. */
static apr_uint64_t count_failed(const amgr_proc_dir_t *proc)
{
    return proc->errors.denied + proc->errors.malformed + proc->errors.other;
}

amgr_snapshot_t *amgr_collect(amgr_collector_t *collector,
                              const amgr_limits_t *limits,
                              amgr_collect_faults_t *faults)
{
    amgr_snapshot_t *snapshot = &collector->snapshot;
    amgr_slots_cpu_t slots_cpu;
    apr_uint64_t failed_before;

    memset(faults, 0, sizeof(*faults));
    amgr_snapshot_clear(snapshot);
    amgr_snapshot_group(snapshot, amgr_kind_word(AMGR_KIND_NATIVE),
                        AMGR_KIND_NATIVE, AMGR_ROLE_WORKER);
    collector->limits = limits;
    collector->turn++;
    if (collector->proc.fd < 0 &&
        amgr_proc_dir_open(&collector->proc, "/proc") != APR_SUCCESS) {
        faults->unreadable++;
    }
    failed_before = count_failed(&collector->proc);
    read_parent_cpu(collector);
    slots_cpu = amgr_scoreboard_read_server(&snapshot->server, NULL);
    amgr_collect_capacity(collector);
    list_processes(collector, faults);
    amgr_slot_times_read(collector->runtime, limits, snapshot);
    amgr_collect_memory(collector, limits, faults);
    amgr_snapshot_complete(snapshot, collector->numbers);
    amgr_sections_assign(limits, snapshot);
    amgr_collect_slow_memory(collector, limits, faults);
    set_cpu(collector, &slots_cpu);
    remember(collector);
    faults->failed = (int)(count_failed(&collector->proc) - failed_before);
    faults->failure = collector->proc.last;
    snapshot->incomplete |=
        faults->unreadable > 0 || faults->overrun || faults->no_table;
    return snapshot;
}
