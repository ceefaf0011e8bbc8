/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is a child of the httpd, and what it is, from /proc.
 */
#include "cli/kill/kill_children.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "cli/local/listeners.h"
#include "model/child.h"

#define CHILDREN_FIRST 1024
#define CHILDREN_MAX (4 * 1024 * 1024)

/* Reading a page takes no longer. */
#define GET "GET "
#define OWN_US (2 * APR_USEC_PER_SEC)

/* By then a fork has become what it is to be: has its title, and has closed
 * what it does not need. */
#define SETTLED_US (2 * APR_USEC_PER_SEC)

typedef struct reading_t {
    const amgr_source_t *source;
    const amgr_live_t *live;    /* NULL: the source tells what they do */
    const amgr_source_t *doing; /* whichever tells it */
    amgr_proc_dir_t *proc;
    amgr_snapshot_t *out;
    amgr_kill_young_t *young;
    amgr_listeners_t *listeners; /* NULL: not looked at yet */
    apr_pool_t *pool;
} reading_t;

static int compare_pids(const void *a, const void *b)
{
    pid_t left = *(const pid_t *)a;
    pid_t right = *(const pid_t *)b;

    return (left > right) - (left < right);
}

/* The children, ascending, and the pids that the source knows: the kernel may
 * leave a child out of the list. */
static apr_status_t list(reading_t *reading, pid_t **out_pids, int *out_count)
{
    const amgr_snapshot_t *known = reading->source->view.snapshot;
    apr_status_t rv = APR_ENOSPC;
    int max = CHILDREN_FIRST;
    int count = 0;
    pid_t *pids = NULL;
    int i;

    while (rv == APR_ENOSPC && max <= CHILDREN_MAX) {
        pids =
            apr_palloc(reading->pool, (apr_size_t)(max + known->process_count) *
                                          sizeof(pids[0]));
        rv = amgr_proc_read_children(reading->proc, reading->source->parent.pid,
                                     pids, max, &count);
        max *= 4;
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    for (i = 0; i < known->process_count; i++) {
        pids[count++] = known->processes[i].id.pid;
    }
    qsort(pids, (size_t)count, sizeof(pids[0]), compare_pids);
    *out_pids = pids;
    *out_count = count;
    return APR_SUCCESS;
}

static apr_interval_time_t age_of(apr_uint64_t start_ticks,
                                  const amgr_instant_t *now)
{
    apr_time_t started_us = amgr_proc_ticks_us(start_ticks);

    return started_us == AMGR_NO_TIME || started_us > now->boot_us
               ? AMGR_NO_TIME
               : now->boot_us - started_us;
}

static int is_child(const amgr_proc_stat_t *stat, pid_t parent)
{
    return stat->ppid == parent && stat->start_ticks != 0 &&
           !amgr_proc_has_ended(stat);
}

/* What the source says of just this process, or NULL.  A page tells no start
 * time: then it must be older than the page. */
static const amgr_process_t *find_known(const reading_t *reading,
                                        const amgr_process_t *process)
{
    const amgr_source_t *source = reading->source;
    const amgr_process_t *known =
        amgr_snapshot_find(source->view.snapshot, process->id.pid);

    if (known == NULL) {
        return NULL;
    }
    if (known->id.start_ticks != 0 || source->kind == AMGR_SOURCE_BOARD) {
        return amgr_proc_id_equal(&known->id, &process->id) ? known : NULL;
    }
    return process->age_us != AMGR_NO_TIME && source->age_us != AMGR_NO_TIME &&
                   process->age_us >= source->age_us
               ? known
               : NULL;
}

/* What tells of its slots: of a page that was just asked for, whatever was
 * there before that. */
static const amgr_process_t *find_doing(const reading_t *reading,
                                        const amgr_process_t *process,
                                        const amgr_process_t *known)
{
    const amgr_live_t *live = reading->live;
    apr_time_t started_us;

    if (live == NULL) {
        return known;
    }
    started_us = amgr_proc_ticks_us(process->id.start_ticks);
    return started_us != AMGR_NO_TIME && started_us <= live->asked_boot_us
               ? amgr_snapshot_find(live->source.view.snapshot, process->id.pid)
               : NULL;
}

/* Whether it may be a worker as far as it is told of: by the source, or by a
 * page where its tick is older than the process.  Of one that nobody tells of
 * threads are a sign. */
static int may_be_worker(const reading_t *reading,
                         const amgr_process_t *process,
                         const amgr_process_t *told)
{
    if (told != NULL) {
        return told->role == AMGR_ROLE_WORKER &&
               (told->process_slot >= 0 || !reading->doing->is_guessed);
    }
    return reading->source->kind == AMGR_SOURCE_BOARD &&
           reading->out->server.threaded && process->threads > 1;
}

/* Workers listen, and some daemons do as well: mod_fcgid's manager does not
 * close what it was forked with.  Without the right to look at descriptors a
 * page's word must do: it names a child of this httpd that never called
 * exec. */
static int is_worker(reading_t *reading, const amgr_process_t *process,
                     const amgr_process_t *told)
{
    if (!may_be_worker(reading, process, told)) {
        return 0;
    }
    if (reading->listeners == NULL) {
        reading->listeners = amgr_listeners_read(
            reading->proc, reading->source->parent.pid, reading->pool);
    }
    switch (amgr_listeners_held(reading->listeners, process->id.pid)) {
    case AMGR_LISTENERS_HELD:
        return 1;
    case AMGR_LISTENERS_NOT_HELD:
        return 0;
    default:
        return told != NULL;
    }
}

static void set_kind(reading_t *reading, amgr_process_t *process, int role,
                     const char *group)
{
    process->role = role;
    process->kind =
        role == AMGR_ROLE_WORKER ? AMGR_KIND_NATIVE : AMGR_KIND_FOREIGN;
    process->group =
        amgr_snapshot_group(reading->out, group, process->kind, role);
}

static void note_young(reading_t *reading, const amgr_process_t *process)
{
    apr_interval_time_t left_us = process->age_us == AMGR_NO_TIME
                                      ? SETTLED_US
                                      : SETTLED_US - process->age_us;

    reading->young->count++;
    if (left_us > reading->young->settle_us) {
        reading->young->settle_us = left_us;
    }
}

/* @a doing may be a page's word of one that the board does not know. */
static void find_kind(reading_t *reading, amgr_process_t *process,
                      const amgr_process_t *known, const amgr_process_t *doing,
                      unsigned int flags)
{
    char name[AMGR_GROUP_NAME_LEN];

    if ((flags & AMGR_PROC_FORKED_NO_EXEC) == 0) {
        set_kind(reading, process, AMGR_ROLE_PROGRAM, "program");
    }
    else if (known != NULL && reading->source->kind == AMGR_SOURCE_BOARD) {
        process->role = known->role;
        process->kind = known->kind;
        process->group = known->group;
        process->section = known->section;
    }
    else if (process->age_us == AMGR_NO_TIME || process->age_us < SETTLED_US) {
        note_young(reading, process);
        set_kind(reading, process, AMGR_ROLE_DAEMON, "daemon");
    }
    else if (is_worker(reading, process, known != NULL ? known : doing)) {
        /* First, since a worker can give itself any title. */
        set_kind(reading, process, AMGR_ROLE_WORKER, "native");
    }
    else if (amgr_child_read_group(reading->proc, process->id.pid, name,
                                   sizeof(name)) == APR_SUCCESS) {
        set_kind(reading, process, AMGR_ROLE_WSGI, name);
    }
    else {
        set_kind(reading, process, AMGR_ROLE_DAEMON, "daemon");
    }
}

/* Whether the slot served the very page that tells of it: that request has
 * ended by now. */
static int is_own_request(const amgr_source_t *source, const amgr_slot_t *slot)
{
    const char *path = strstr(source->name, "://");
    const char *asked = slot->request + sizeof(GET) - 1;
    apr_size_t length;

    path = path == NULL ? NULL : strchr(path + 3, '/');
    if (source->kind == AMGR_SOURCE_BOARD || path == NULL ||
        slot->mode != AMGR_MODE_WRITE || slot->request_age_us > OWN_US ||
        strncmp(slot->request, GET, sizeof(GET) - 1) != 0) {
        return 0;
    }
    length = strcspn(path, "?");
    return strncmp(asked, path, length) == 0 &&
           (asked[length] == ' ' || asked[length] == '\0');
}

/* The slot that did is as good as idle; there is no other. */
static void clear_own_request(const reading_t *reading)
{
    amgr_slot_t *slots = reading->out->slots;
    int i;

    for (i = 0; i < reading->out->slot_count; i++) {
        if (is_own_request(reading->doing, &slots[i])) {
            slots[i].mode = AMGR_MODE_READY;
            slots[i].request_age_us = AMGR_NO_TIME;
            return;
        }
    }
}

/* A page tells of the slots as they are; of the process, perhaps, as it was at
 * the last tick. */
static void count_busy(const reading_t *reading, amgr_process_t *process)
{
    const amgr_slot_t *slots = reading->out->slots + process->first_slot;
    int i;

    process->busy_slots = 0;
    for (i = 0; i < process->slot_count; i++) {
        process->busy_slots += !amgr_mode_is_idle(slots[i].mode);
    }
    process->active = process->busy_slots > 0;
}

static int has_slots(const amgr_process_t *process,
                     const amgr_snapshot_t *snapshot)
{
    return process->first_slot >= 0 && process->slot_count > 0 &&
           process->slot_count <= snapshot->slot_count &&
           process->first_slot <= snapshot->slot_count - process->slot_count;
}

/* The same slots as the last tick saw them. */
static void find_ticked(const reading_t *reading, const amgr_process_t *process,
                        const amgr_process_t *known, amgr_ticked_t *out)
{
    const amgr_snapshot_t *snapshot = reading->source->view.snapshot;

    memset(out, 0, sizeof(*out));
    if (reading->source->kind != AMGR_SOURCE_BOARD || known == NULL ||
        !has_slots(known, snapshot)) {
        return;
    }
    out->is_ordered = reading->doing->kind != AMGR_SOURCE_MOD_STATUS ||
                      !snapshot->server.threaded;
    if (!out->is_ordered || known->slot_count == process->slot_count) {
        out->slots = snapshot->slots + known->first_slot;
        out->count = known->slot_count;
    }
}

static void bound_ages(const reading_t *reading, const amgr_process_t *process,
                       const amgr_process_t *known)
{
    const amgr_instant_t *then = &reading->source->view.snapshot->server.time;
    amgr_ticked_t ticked;

    find_ticked(reading, process, known, &ticked);
    amgr_live_bound_ages(process, reading->out->slots + process->first_slot,
                         &ticked,
                         reading->out->server.time.boot_us - then->boot_us);
}

/* What it does: its slots, as @a doing has them. */
static void take_slots(const reading_t *reading, amgr_process_t *process,
                       const amgr_process_t *known, const amgr_process_t *doing)
{
    process->process_slot = -1;
    process->generation = -1;
    process->active = 1;
    process->busy_slots = -1;
    if (known != NULL) {
        process->process_slot = known->process_slot;
        process->generation = known->generation;
        process->state = known->state;
    }
    if (doing == NULL) {
        return;
    }
    process->active = doing->active;
    process->busy_slots = doing->busy_slots;
    process->accesses = doing->accesses;
    if (reading->doing->is_untold || !has_slots(doing, reading->out)) {
        return;
    }
    process->first_slot = doing->first_slot;
    process->slot_count = doing->slot_count;
    if (reading->doing->kind != AMGR_SOURCE_BOARD) {
        count_busy(reading, process);
    }
    if (reading->live != NULL) {
        bound_ages(reading, process, known);
    }
}

/* One that is ending has none any more, and keeps what it had. */
static void read_memory(amgr_proc_dir_t *proc, amgr_process_t *process)
{
    amgr_proc_statm_t statm;

    if (amgr_proc_read_statm(proc, process->id.pid, &statm) == APR_SUCCESS) {
        process->rss_bytes = statm.rss_bytes;
    }
}

static void add(reading_t *reading, pid_t pid)
{
    amgr_snapshot_t *out = reading->out;
    amgr_process_t *process = &out->processes[out->process_count];
    const amgr_process_t *known;
    const amgr_process_t *doing;
    amgr_proc_stat_t stat;

    if (amgr_proc_read_stat(reading->proc, pid, &stat) != APR_SUCCESS ||
        !is_child(&stat, reading->source->parent.pid)) {
        return;
    }
    amgr_process_blank(process);
    process->id.pid = pid;
    process->id.start_ticks = stat.start_ticks;
    process->threads = stat.threads;
    process->age_us = age_of(stat.start_ticks, &out->server.time);
    process->started_us = process->age_us == AMGR_NO_TIME
                              ? 0
                              : out->server.time.wall_us - process->age_us;
    known = find_known(reading, process);
    doing = find_doing(reading, process, known);
    take_slots(reading, process, known, doing);
    find_kind(reading, process, known, doing, stat.flags);
    read_memory(reading->proc, process);
    out->process_count++;
}

/* Everything but the processes. */
static void copy_rest(const reading_t *reading, int process_max)
{
    const amgr_snapshot_t *doing = reading->doing->view.snapshot;
    amgr_snapshot_t *out = reading->out;

    *out = *reading->source->view.snapshot;
    amgr_clock_read(&out->server.time);
    out->process_count = 0;
    out->process_max = process_max;
    out->processes = apr_pcalloc(reading->pool, (apr_size_t)(process_max + 1) *
                                                    sizeof(amgr_process_t));
    out->slots = doing->slot_count > 0 ? doing->slots : NULL;
    out->slot_count = out->slots == NULL ? 0 : doing->slot_count;
    out->streams = NULL;
    out->stream_count = 0;
    out->stream_max = 0;
    if (out->group_count < 0 || out->group_count > AMGR_GROUPS_MAX) {
        out->group_count = out->group_count < 0 ? 0 : AMGR_GROUPS_MAX;
    }
    clear_own_request(reading);
}

apr_status_t amgr_kill_children(const amgr_source_t *source,
                                const amgr_live_t *live, amgr_proc_dir_t *proc,
                                amgr_snapshot_t *out,
                                amgr_kill_young_t *out_young, apr_pool_t *pool)
{
    reading_t reading;
    amgr_proc_id_t parent;
    apr_status_t rv;
    pid_t *pids;
    int count;
    int i;

    memset(&reading, 0, sizeof(reading));
    memset(out_young, 0, sizeof(*out_young));
    reading.source = source;
    reading.live = live;
    reading.doing = live == NULL ? source : &live->source;
    reading.young = out_young;
    reading.proc = proc;
    reading.out = out;
    reading.pool = pool;
    rv = amgr_proc_read_id(proc, source->parent.pid, &parent);
    if (rv == APR_SUCCESS && !amgr_proc_id_equal(&parent, &source->parent)) {
        rv = APR_NOTFOUND;
    }
    if (rv == APR_SUCCESS) {
        rv = list(&reading, &pids, &count);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    copy_rest(&reading, count);
    for (i = 0; i < count; i++) {
        if (i == 0 || pids[i] != pids[i - 1]) {
            add(&reading, pids[i]);
        }
    }
    return APR_SUCCESS;
}

int amgr_kill_children_refresh(amgr_proc_dir_t *proc, pid_t parent,
                               const amgr_instant_t *now,
                               amgr_process_t *process)
{
    amgr_proc_stat_t stat;
    amgr_proc_id_t found;
    apr_status_t rv = amgr_proc_read_stat(proc, process->id.pid, &stat);

    if (rv != APR_SUCCESS) {
        return rv != APR_NOTFOUND;
    }
    found.pid = stat.pid;
    found.start_ticks = stat.start_ticks;
    if (!is_child(&stat, parent) || !amgr_proc_id_equal(&found, &process->id)) {
        return 0;
    }
    process->threads = stat.threads;
    process->age_us = age_of(stat.start_ticks, now);
    read_memory(proc, process);
    return 1;
}
