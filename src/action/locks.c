/* SPDX-License-Identifier: Apache-2.0
 *
 * See locks.h.
 */
#include "action/locks.h"

#include <limits.h>
#include <linux/futex.h>
#include <string.h>

#include <apr_strings.h>

/** How long looks go on after a worker ended, and after a suspect was seen. */
#define WATCH_US apr_time_from_sec(30)

/** A suspect missed at so many looks has been released after all; more than
 * one, since a look that is cut short does not come to all workers. */
#define FORGET_LOOKS 8

/** Threads of one process that are looked at. */
#define TIDS_MAX 1024

/** Of maps, for the name of one mapping. */
#define MAPS_BYTES (1024 * 1024)

/* glibc's pthread_mutex_t: lock, count, owner, users, kind. */
#define WORD_LOCK 0
#define WORD_OWNER 2
#define WORD_USERS 3
#define WORD_KIND 4
#define KIND_SHARED 128u /* PTHREAD_MUTEX_PSHARED_BIT */
#define KIND_PLAIN 3u    /* normal, recursive, error checking, adaptive */

/** A look under way. */
typedef struct look_t {
    amgr_locks_t *locks;
    amgr_proc_dir_t *proc;
    apr_time_t now_us;
    apr_time_t deadline_us;
    amgr_lock_report_t *report;
    int found;
} look_t;

pid_t amgr_locks_owner(const apr_uint32_t words[5])
{
    apr_uint32_t owner;

    /* The kernel's protocol, which says by a bit that somebody waits; a plain
     * number is anything, a count of a semaphore perhaps. */
    if ((words[WORD_LOCK] & FUTEX_WAITERS) != 0) {
        owner = words[WORD_LOCK] & FUTEX_TID_MASK;
    }
    else if ((words[WORD_LOCK] == 1 || words[WORD_LOCK] == 2) &&
             words[WORD_USERS] != 0 &&
             (words[WORD_KIND] & ~KIND_PLAIN) == KIND_SHARED) {
        owner = words[WORD_OWNER];
    }
    else {
        return 0;
    }
    return owner > 1 && owner <= INT_MAX ? (pid_t)owner : 0;
}

void amgr_locks_alert(amgr_locks_t *locks, apr_time_t now_us)
{
    locks->until_us = now_us + WATCH_US;
}

/* Whether a thread is gone for good: only what is certain counts. */
static int is_gone(amgr_proc_dir_t *proc, pid_t tid)
{
    amgr_proc_stat_t stat;
    apr_status_t rv;

    rv = amgr_proc_read_stat(proc, tid, &stat);
    if (rv == APR_SUCCESS) {
        return stat.state == 'Z' || stat.state == 'X';
    }
    return rv == APR_NOTFOUND;
}

/* The entry of this lock, or a free one, or NULL. */
static amgr_lock_suspect_t *entry_of(amgr_locks_t *locks, apr_uint64_t address,
                                     pid_t owner)
{
    amgr_lock_suspect_t *free_entry = NULL;
    int i;

    for (i = 0; i < AMGR_LOCKS_SUSPECTS; i++) {
        amgr_lock_suspect_t *entry = &locks->suspects[i];

        if (entry->address == address && entry->owner == owner) {
            return entry;
        }
        if (entry->address == 0) {
            free_entry = entry;
        }
    }
    return free_entry;
}

static void forget_released(amgr_locks_t *locks)
{
    int i;

    for (i = 0; i < AMGR_LOCKS_SUSPECTS; i++) {
        amgr_lock_suspect_t *entry = &locks->suspects[i];

        entry->missed = entry->waiters > 0 ? 0 : entry->missed + 1;
        entry->waiters = 0;
        if (entry->missed > FORGET_LOOKS) {
            memset(entry, 0, sizeof(*entry));
        }
    }
}

/* Note a thread that waits for a lock without an owner; what is found a second
 * time, in memory that is shared indeed, is certain. */
static void suspect(look_t *look, amgr_proc_dir_t *tasks, pid_t pid, pid_t tid,
                    apr_uint64_t address, pid_t owner)
{
    amgr_proc_budget_t budget = {MAPS_BYTES, look->deadline_us};
    amgr_lock_suspect_t *entry = entry_of(look->locks, address, owner);
    amgr_proc_mapping_t mapping;

    if (entry == NULL) {
        return;
    }
    if (entry->address == 0) {
        entry->address = address;
        entry->owner = owner;
        entry->first_us = look->now_us;
    }
    entry->waiters++;
    if (look->locks->until_us < look->now_us + WATCH_US && !entry->reported) {
        look->locks->until_us = look->now_us + WATCH_US;
    }
    if (entry->reported || look->found ||
        look->now_us - entry->first_us < AMGR_LOCKS_APART_US ||
        amgr_proc_find_mapping(tasks, tid, address, &budget, &mapping) !=
            APR_SUCCESS ||
        !mapping.is_shared) {
        return;
    }
    entry->reported = 1;
    look->found = 1;
    look->report->pid = pid;
    look->report->owner = owner;
    look->report->address = address;
    apr_cpystrn(look->report->mapping, mapping.name,
                sizeof(look->report->mapping));
}

/* One thread: it must wait before and after its memory was read. */
static void look_at_thread(look_t *look, amgr_proc_dir_t *tasks, pid_t pid,
                           pid_t tid)
{
    amgr_proc_syscall_t call;
    amgr_proc_futex_t futex;
    amgr_proc_futex_t again;
    apr_uint32_t words[5];
    pid_t owner;

    if (amgr_proc_read_syscall(tasks, tid, &call) != APR_SUCCESS ||
        !amgr_proc_syscall_futex(&call, &futex) || futex.is_private ||
        futex.address == 0 ||
        amgr_proc_read_memory(tasks, tid, futex.address, words,
                              sizeof(words)) != APR_SUCCESS) {
        return;
    }
    owner = amgr_locks_owner(words);
    if (owner == 0 || !is_gone(look->proc, owner) ||
        amgr_proc_read_syscall(tasks, tid, &call) != APR_SUCCESS ||
        !amgr_proc_syscall_futex(&call, &again) ||
        again.address != futex.address) {
        return;
    }
    suspect(look, tasks, pid, tid, futex.address, owner);
}

/* All threads of a worker; 0 when there was no time for all. */
static int look_at_process(look_t *look, const amgr_process_t *process)
{
    pid_t tids[TIDS_MAX];
    amgr_proc_dir_t tasks;
    apr_status_t rv;
    int count = 0;
    int i;

    if (amgr_proc_tasks_open(look->proc, &process->id, &tasks) != APR_SUCCESS) {
        return 1;
    }
    rv = amgr_proc_list(&tasks, tids, TIDS_MAX, &count);
    if (rv != APR_SUCCESS && rv != APR_ENOSPC) {
        count = 0;
    }
    for (i = 0; i < count; i++) {
        if (amgr_clock_monotonic_us() >= look->deadline_us) {
            break;
        }
        look_at_thread(look, &tasks, process->id.pid, tids[i]);
    }
    amgr_proc_dir_close(&tasks);
    return i == count;
}

static void look_at_all(look_t *look, const amgr_snapshot_t *snapshot)
{
    amgr_locks_t *locks = look->locks;
    int i;

    for (i = 0; i < snapshot->process_count; i++) {
        int index;

        locks->cursor =
            locks->cursor < snapshot->process_count ? locks->cursor : 0;
        index = locks->cursor++;
        if (snapshot->processes[index].role == AMGR_ROLE_WORKER &&
            !look_at_process(look, &snapshot->processes[index])) {
            return;
        }
    }
}

int amgr_locks_look(amgr_locks_t *locks, amgr_proc_dir_t *proc,
                    const amgr_snapshot_t *snapshot, apr_time_t now_us,
                    apr_time_t deadline_us, amgr_lock_report_t *out)
{
    look_t look = {locks, proc, now_us, deadline_us, out, 0};
    amgr_lock_suspect_t *entry;

    if (now_us >= locks->until_us ||
        now_us - locks->look_us < AMGR_LOCKS_APART_US) {
        return 0;
    }
    locks->look_us = now_us;
    forget_released(locks);
    memset(out, 0, sizeof(*out));
    look_at_all(&look, snapshot);
    if (look.found) {
        entry = entry_of(locks, out->address, out->owner);
        out->waiters = entry->waiters;
    }
    return look.found;
}
