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
#include "proc/proc_apache.h"

#define CHILDREN_FIRST 1024
#define CHILDREN_MAX (4 * 1024 * 1024)

/* "(wsgi:NAME)" and more of a command line than that is not needed. */
#define TITLE_LEN 256

/* Reading a page takes no longer. */
#define GET "GET "
#define OWN_US (2 * APR_USEC_PER_SEC)

/* By then a fork has become what it is to be: has its title, and has closed
 * what it does not need. */
#define SETTLED_US (2 * APR_USEC_PER_SEC)

typedef struct reading_t {
    const amgr_source_t *source;
    amgr_proc_dir_t *proc;
    amgr_snapshot_t *out;
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
           stat->state != 'Z' && stat->state != 'X' && stat->state != 'x';
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

/* The group's name in the title that mod_wsgi gives its daemons. */
static int is_wsgi(const reading_t *reading, pid_t pid, char *name,
                   apr_size_t size)
{
    char title[TITLE_LEN];
    apr_size_t length;
    apr_status_t rv = amgr_proc_read_raw(reading->proc, pid, "cmdline", title,
                                         sizeof(title), &length);

    return rv == APR_SUCCESS && amgr_proc_wsgi_parse(title, strlen(title), name,
                                                     size) == APR_SUCCESS;
}

/* Without the right to look at descriptors a page's word must do: it names a
 * child of this httpd that never called exec. */
static int is_worker(reading_t *reading, const amgr_process_t *process,
                     const amgr_process_t *known)
{
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
        return known != NULL && known->role == AMGR_ROLE_WORKER;
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

static void find_kind(reading_t *reading, amgr_process_t *process,
                      const amgr_process_t *known, unsigned int flags)
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
        set_kind(reading, process, AMGR_ROLE_DAEMON, "daemon");
    }
    else if (is_wsgi(reading, process->id.pid, name, sizeof(name))) {
        set_kind(reading, process, AMGR_ROLE_WSGI, name);
    }
    else if (is_worker(reading, process, known)) {
        set_kind(reading, process, AMGR_ROLE_WORKER, "native");
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

/* Whether a process that is active was so for our own sake alone. */
static int is_busy_with_us(const reading_t *reading,
                           const amgr_process_t *process)
{
    const amgr_slot_t *slots = reading->out->slots + process->first_slot;
    int own = 0;
    int i;

    for (i = 0; i < process->slot_count; i++) {
        if (!amgr_mode_is_idle(slots[i].mode)) {
            if (own || !is_own_request(reading->source, &slots[i])) {
                return 0;
            }
            own = 1;
        }
    }
    return own;
}

/* What it does: its slots, as the source has them. */
static void take_slots(const reading_t *reading, amgr_process_t *process,
                       const amgr_process_t *known)
{
    process->process_slot = -1;
    process->generation = -1;
    process->active = 1;
    process->busy_slots = -1;
    if (known == NULL) {
        return;
    }
    process->process_slot = known->process_slot;
    process->generation = known->generation;
    process->active = known->active;
    process->busy_slots = known->busy_slots;
    process->state = known->state;
    process->accesses = known->accesses;
    if (known->first_slot >= 0 && known->slot_count > 0 &&
        known->slot_count <= reading->out->slot_count &&
        known->first_slot <= reading->out->slot_count - known->slot_count) {
        process->first_slot = known->first_slot;
        process->slot_count = known->slot_count;
        process->active = process->active && !is_busy_with_us(reading, process);
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
    amgr_proc_stat_t stat;

    if (amgr_proc_read_stat(reading->proc, pid, &stat) != APR_SUCCESS ||
        !is_child(&stat, reading->source->parent.pid)) {
        return;
    }
    memset(process, 0, sizeof(*process));
    process->id.pid = pid;
    process->id.start_ticks = stat.start_ticks;
    process->threads = stat.threads;
    process->age_us = age_of(stat.start_ticks, &out->server.time);
    process->started_us = process->age_us == AMGR_NO_TIME
                              ? 0
                              : out->server.time.wall_us - process->age_us;
    process->rss_bytes = AMGR_UNKNOWN;
    process->anon_bytes = AMGR_UNKNOWN;
    process->pss_bytes = AMGR_UNKNOWN;
    process->uss_bytes = AMGR_UNKNOWN;
    process->growth_bytes_per_hour = AMGR_GROWTH_UNKNOWN;
    known = find_known(reading, process);
    take_slots(reading, process, known);
    find_kind(reading, process, known, stat.flags);
    read_memory(reading->proc, process);
    out->process_count++;
}

/* Everything but the processes. */
static void copy_rest(const reading_t *reading, int process_max)
{
    const amgr_snapshot_t *known = reading->source->view.snapshot;
    amgr_snapshot_t *out = reading->out;

    *out = *known;
    amgr_clock_read(&out->server.time);
    out->process_count = 0;
    out->process_max = process_max;
    out->processes = apr_pcalloc(reading->pool, (apr_size_t)(process_max + 1) *
                                                    sizeof(amgr_process_t));
    out->slots = known->slot_count > 0 ? known->slots : NULL;
    out->slot_count = out->slots == NULL ? 0 : known->slot_count;
    out->streams = NULL;
    out->stream_count = 0;
    out->stream_max = 0;
    out->group_count = known->group_count < 0 ? 0
                       : known->group_count > AMGR_GROUPS_MAX
                           ? AMGR_GROUPS_MAX
                           : known->group_count;
}

apr_status_t amgr_kill_children(const amgr_source_t *source,
                                amgr_proc_dir_t *proc, amgr_snapshot_t *out,
                                apr_pool_t *pool)
{
    reading_t reading;
    amgr_proc_id_t parent;
    apr_status_t rv;
    pid_t *pids;
    int count;
    int i;

    memset(&reading, 0, sizeof(reading));
    reading.source = source;
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
