/* SPDX-License-Identifier: Apache-2.0
 *
 * See mod_status_processes.h.  mod_status leaves out who has never served, and
 * the kernel does not tell a worker from a daemon (cgid's, or of a WSGI group
 * without a title), unless it says which of them listen.  As many forks as the
 * MPM says it has are its workers; with any more than that nobody can say which
 * is which, and what may be a daemon is taken for one, since those are never
 * touched.
 */
#include "cli/source/mod_status_processes.h"

#include <string.h>

#include "cli/local/local_children.h"
#include "cli/source/mod_status_table.h"
#include "model/words.h"

/** Clocks of a page are whole seconds. */
#define ROUNDING_US (2 * APR_USEC_PER_SEC)

/** So many forks that listen and are no workers no server has. */
#define EXCESS_MAX 16

/** A process before its slots have a place. */
typedef struct member_t {
    amgr_process_t process;
    const char *group; /**< of WSGI */
    int is_deaf;       /**< it does not listen */
    int is_listening;  /**< it does */
    int first_row;
    int row_count;
} member_t;

static const amgr_mod_status_row_t *
row_at(const amgr_mod_status_processes_t *from, int index)
{
    return &APR_ARRAY_IDX(from->rows, index, amgr_mod_status_row_t);
}

static const amgr_local_child_t *
child_at(const amgr_mod_status_processes_t *from, int index)
{
    return &APR_ARRAY_IDX(from->children, index, amgr_local_child_t);
}

/* How many rows from @a first on are of one process. */
static int count_rows(const amgr_mod_status_processes_t *from, int first)
{
    int next = first;

    while (next < from->rows->nelts &&
           row_at(from, next)->pid == row_at(from, first)->pid) {
        next++;
    }
    return next - first;
}

static member_t *add_member(apr_array_header_t *members, pid_t pid)
{
    member_t *member = apr_array_push(members);

    memset(member, 0, sizeof(*member));
    amgr_process_blank(&member->process);
    member->process.id.pid = pid;
    return member;
}

/* The processes of a page that nobody can check: no memory is known. */
static void take_rows(const amgr_mod_status_processes_t *from,
                      apr_array_header_t *members)
{
    int first = 0;

    while (from->rows != NULL && first < from->rows->nelts) {
        member_t *member = add_member(members, row_at(from, first)->pid);

        member->process.role = AMGR_ROLE_WORKER;
        member->first_row = first;
        member->row_count = count_rows(from, first);
        first += member->row_count;
    }
}

/* A row makes a fork of httpd a worker.  What called exec, and our own helpers,
 * are none whatever a page says. */
static void join_rows(amgr_mod_status_processes_t *from, member_t *member,
                      int first_row)
{
    int count = count_rows(from, first_row);

    if (member->process.role != AMGR_ROLE_DAEMON &&
        member->process.role != AMGR_ROLE_WSGI) {
        from->strangers += count;
        return;
    }
    member->process.role = AMGR_ROLE_WORKER;
    member->first_row = first_row;
    member->row_count = count;
}

/* Those of the kernel, with their rows. */
static void take_children(amgr_mod_status_processes_t *from,
                          const amgr_instant_t *now,
                          apr_array_header_t *members)
{
    int rows = from->rows == NULL ? 0 : from->rows->nelts;
    int row = 0;
    int i;

    for (i = 0; i < from->children->nelts; i++) {
        const amgr_local_child_t *child = child_at(from, i);
        member_t *member = add_member(members, child->id.pid);
        amgr_process_t *process = &member->process;

        process->id = child->id;
        process->threads = child->threads;
        process->rss_bytes = child->rss_bytes;
        process->age_us =
            now->boot_us - amgr_proc_ticks_us(child->id.start_ticks);
        process->age_us = process->age_us > 0 ? process->age_us : 0;
        process->started_us = now->wall_us - process->age_us;
        process->role = child->role;
        member->group = child->group;
        member->is_deaf = child->listens == AMGR_LISTENERS_NOT_HELD;
        member->is_listening = child->listens == AMGR_LISTENERS_HELD;
        for (; row < rows && row_at(from, row)->pid < child->id.pid; row++) {
            from->strangers++;
        }
        if (row < rows && row_at(from, row)->pid == child->id.pid) {
            join_rows(from, member, row);
            row += count_rows(from, row);
        }
    }
    from->strangers += rows - row;
}

/* How many slots it would have as a worker: of a threaded MPM its threads but
 * the one that listens and the one it began with.  0: it is none. */
static int slots_as_worker(const amgr_server_t *server, const member_t *member)
{
    const amgr_process_t *process = &member->process;

    if (process->role != AMGR_ROLE_WORKER &&
        (process->role != AMGR_ROLE_DAEMON || member->is_deaf)) {
        return 0;
    }
    if (!server->threaded) {
        return 1;
    }
    return process->threads > 2 ? process->threads - 2 : 0;
}

/* Whether these cannot all be workers: there are more of them than the page
 * tells of, or of a page of others any other number. */
static int is_at_odds(const amgr_mod_status_processes_t *from, int count,
                      apr_int64_t slots)
{
    int told = from->told->processes >= 0;
    apr_int64_t over = told ? (apr_int64_t)count - from->told->processes
                            : slots - from->told->used_slots;

    return from->is_unpaired ? over != 0 : over > 0;
}

/* Whether it may be a worker of prefork without a row. */
static int is_candidate(const member_t *member)
{
    return member->process.role == AMGR_ROLE_DAEMON && !member->is_deaf;
}

/* The candidate that was forked first, of those that are left. */
static member_t *find_oldest(const apr_array_header_t *members)
{
    member_t *oldest = NULL;
    int i;

    for (i = 0; i < members->nelts; i++) {
        member_t *member = &APR_ARRAY_IDX(members, i, member_t);

        if (is_candidate(member) &&
            (oldest == NULL ||
             member->process.id.start_ticks < oldest->process.id.start_ticks)) {
            oldest = member;
        }
    }
    return oldest;
}

/* Of forks that all listen @a excess are no workers: most likely the first,
 * since modules fork theirs before the MPM does. */
static void guess_workers(amgr_mod_status_processes_t *from,
                          apr_array_header_t *members, int excess)
{
    int i;

    if (excess > EXCESS_MAX) {
        return;
    }
    for (i = 0; i < members->nelts; i++) {
        const member_t *member = &APR_ARRAY_IDX(members, i, member_t);

        if (is_candidate(member) && !member->is_listening) {
            return;
        }
    }
    for (; excess > 0; excess--) {
        member_t *oldest = find_oldest(members);

        if (oldest != NULL) {
            oldest->is_deaf = 1;
        }
    }
    for (i = 0; i < members->nelts; i++) {
        member_t *member = &APR_ARRAY_IDX(members, i, member_t);

        if (is_candidate(member)) {
            member->process.role = AMGR_ROLE_WORKER;
            from->is_guessed = 1;
        }
    }
}

static void settle_workers(amgr_mod_status_processes_t *from,
                           const amgr_server_t *server,
                           apr_array_header_t *members)
{
    apr_int64_t slots = 0;
    int count = 0;
    int i;

    for (i = 0; i < members->nelts; i++) {
        int its = slots_as_worker(server, &APR_ARRAY_IDX(members, i, member_t));

        slots += its;
        count += its > 0;
    }
    from->is_ambiguous = is_at_odds(from, count, slots);
    if (from->is_ambiguous && !from->is_unpaired && !server->threaded &&
        from->told->processes >= 0) {
        guess_workers(from, members, count - from->told->processes);
    }
    for (i = 0; i < members->nelts && !from->is_ambiguous; i++) {
        member_t *member = &APR_ARRAY_IDX(members, i, member_t);

        if (slots_as_worker(server, member) > 0) {
            member->process.role = AMGR_ROLE_WORKER;
        }
    }
}

/* How many slots a worker has at least, so that all together are as many as
 * the scoreboard says: the rest are ready and have never served. */
static int share_of_slots(const amgr_mod_status_processes_t *from,
                          const amgr_server_t *server,
                          const apr_array_header_t *members)
{
    int workers = 0;
    int share;
    int i;

    for (i = 0; i < members->nelts; i++) {
        workers += APR_ARRAY_IDX(members, i, member_t).process.role ==
                   AMGR_ROLE_WORKER;
    }
    if (!server->threaded || workers == 0) {
        return 1;
    }
    share = from->told->used_slots / workers;
    if ((apr_int64_t)share * members->nelts > AMGR_STATUS_ROWS_MAX) {
        return 1; /* there is no such server */
    }
    return share > 1 ? share : 1;
}

/* Whether "SS" is the age of a request, see amgr_slot_is_timed(): it has begun
 * after the last one ended, for which "Req" is 0 then; and what is older than
 * its process was another's. */
static int is_timed(const amgr_process_t *process,
                    const amgr_mod_status_row_t *row)
{
    int mode = row->slot.mode;

    if (mode != AMGR_MODE_WRITE && mode != AMGR_MODE_LOG &&
        mode != AMGR_MODE_DNS) {
        return 0;
    }
    return row->since_us != AMGR_NO_TIME &&
           row->slot.start_time_us >= row->slot.stop_time_us &&
           (process->age_us == AMGR_NO_TIME ||
            row->since_us <= process->age_us + ROUNDING_US);
}

static void add_slots(const amgr_mod_status_processes_t *from,
                      const member_t *member, int least,
                      amgr_snapshot_t *snapshot, amgr_process_t *process)
{
    int i;

    for (i = 0; i < member->row_count; i++) {
        const amgr_mod_status_row_t *row = row_at(from, member->first_row + i);
        amgr_slot_t *slot = &snapshot->slots[snapshot->slot_count++];

        *slot = row->slot;
        slot->thread = process->slot_count++;
        process->process_slot = slot->process_slot;
        process->generation = row->generation;
        if (is_timed(process, row)) {
            slot->request_age_us = row->since_us;
            slot->stop_time_us = 0;
        }
    }
    while (process->slot_count < least) {
        amgr_slot_t *slot = &snapshot->slots[snapshot->slot_count++];

        memset(slot, 0, sizeof(*slot));
        slot->mode = AMGR_MODE_READY;
        slot->request_age_us = AMGR_NO_TIME;
        slot->max_time_us = AMGR_LIMIT_OFF;
        slot->process_slot =
            process->process_slot > 0 ? process->process_slot : 0;
        slot->thread = process->slot_count++;
    }
}

static void add_process(const amgr_mod_status_processes_t *from,
                        const member_t *member, int least,
                        amgr_source_blank_t *blank)
{
    amgr_snapshot_t *snapshot = &blank->snapshot;
    amgr_process_t *process = &snapshot->processes[snapshot->process_count++];
    const char *name = amgr_role_word(member->process.role);

    *process = member->process;
    process->first_slot = snapshot->slot_count;
    process->kind = AMGR_KIND_FOREIGN;
    if (process->role == AMGR_ROLE_WORKER) {
        process->kind = AMGR_KIND_NATIVE;
        name = amgr_kind_word(AMGR_KIND_NATIVE);
        add_slots(from, member, least, snapshot, process);
    }
    else if (process->role == AMGR_ROLE_WSGI) {
        name = member->group;
    }
    process->group =
        amgr_snapshot_group(snapshot, name, process->kind, process->role);
}

/* What the page does not tell of any worker nobody knows: none is idle. */
static void note_activity(const amgr_mod_status_processes_t *from,
                          amgr_source_blank_t *blank)
{
    amgr_snapshot_t *snapshot = &blank->snapshot;
    int i;

    amgr_snapshot_complete(
        snapshot,
        apr_palloc(blank->pool, ((apr_size_t)snapshot->process_count + 1) *
                                    sizeof(apr_uint64_t)));
    for (i = 0; i < snapshot->process_count && from->rows == NULL; i++) {
        snapshot->processes[i].active |=
            snapshot->processes[i].kind == AMGR_KIND_NATIVE;
        snapshot->processes[i].busy_slots = -1;
    }
}

int amgr_mod_status_is_paired(const amgr_mod_status_processes_t *from)
{
    int paired = 0;
    int child = 0;
    int row;

    for (row = 0; row < from->rows->nelts; row++) {
        pid_t pid = row_at(from, row)->pid;

        while (child < from->children->nelts &&
               child_at(from, child)->id.pid < pid) {
            child++;
        }
        paired += child < from->children->nelts &&
                  child_at(from, child)->id.pid == pid;
    }
    return paired > 0 && paired >= from->rows->nelts - paired;
}

void amgr_mod_status_processes(amgr_mod_status_processes_t *from,
                               amgr_source_blank_t *blank)
{
    apr_array_header_t *members =
        apr_array_make(blank->pool, 64, sizeof(member_t));
    amgr_server_t *server = &blank->snapshot.server;
    int rows = from->rows == NULL ? 0 : from->rows->nelts;
    int least;
    int i;

    from->strangers = 0;
    from->is_ambiguous = 0;
    from->is_guessed = 0;
    blank->snapshot.group_count = 0;
    /* The workers' group is the first, and is there without any. */
    amgr_snapshot_group(&blank->snapshot, amgr_kind_word(AMGR_KIND_NATIVE),
                        AMGR_KIND_NATIVE, AMGR_ROLE_WORKER);
    if (from->children == NULL) {
        take_rows(from, members);
    }
    else {
        take_children(from, &server->time, members);
        settle_workers(from, server, members);
    }
    least = share_of_slots(from, server, members);
    amgr_source_blank_resize(blank, members->nelts,
                             rows + least * members->nelts);
    for (i = 0; i < members->nelts; i++) {
        add_process(from, &APR_ARRAY_IDX(members, i, member_t), least, blank);
    }
    server->threads_per_process = least;
    note_activity(from, blank);
}
