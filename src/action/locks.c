/* SPDX-License-Identifier: Apache-2.0
 *
 * See locks.h.
 */
#include "action/locks.h"

#include <string.h>

#include <apr_strings.h>

/** How long looks go on after a worker ended, and after a suspect was seen. */
#define WATCH_US apr_time_from_sec(30)

/** A suspect missed at so many looks has been released after all; more than
 * one, since a look that is cut short does not come to all workers. */
#define FORGET_LOOKS 8

/** A look under way. */
typedef struct look_t {
    amgr_locks_t *locks;
    amgr_proc_dir_t *proc;
    apr_time_t now_us;
    apr_time_t deadline_us;
    amgr_lock_report_t *report;
    amgr_lock_suspect_t *found; /**< what is reported, or NULL */
} look_t;

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
static void suspect(look_t *look, amgr_proc_dir_t *tasks,
                    const amgr_lock_wait_t *wait)
{
    amgr_lock_suspect_t *entry =
        entry_of(look->locks, wait->address, wait->owner);
    amgr_proc_mapping_t mapping;

    if (entry == NULL) {
        return;
    }
    if (entry->address == 0) {
        entry->address = wait->address;
        entry->owner = wait->owner;
        entry->first_us = look->now_us;
    }
    entry->waiters++;
    if (look->locks->until_us < look->now_us + WATCH_US && !entry->reported) {
        look->locks->until_us = look->now_us + WATCH_US;
    }
    if (entry->reported || look->found != NULL ||
        look->now_us - entry->first_us < AMGR_LOCKS_APART_US ||
        !amgr_lock_wait_is_shared(tasks, wait, look->deadline_us, &mapping)) {
        return;
    }
    entry->reported = 1;
    look->found = entry;
    look->report->pid = wait->pid;
    look->report->owner = wait->owner;
    look->report->address = wait->address;
    apr_cpystrn(look->report->mapping, mapping.name,
                sizeof(look->report->mapping));
}

static void look_at_wait(void *baton, amgr_proc_dir_t *tasks,
                         const amgr_lock_wait_t *wait)
{
    look_t *look = baton;

    if (is_gone(look->proc, wait->owner) && amgr_lock_wait_lasts(tasks, wait)) {
        suspect(look, tasks, wait);
    }
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
            !amgr_lock_wait_each(look->proc, &snapshot->processes[index],
                                 look->deadline_us, look_at_wait, look)) {
            return;
        }
    }
}

int amgr_locks_look(amgr_locks_t *locks, amgr_proc_dir_t *proc,
                    const amgr_snapshot_t *snapshot, apr_time_t now_us,
                    apr_time_t deadline_us, amgr_lock_report_t *out)
{
    look_t look = {locks, proc, now_us, deadline_us, out, NULL};

    if (now_us >= locks->until_us ||
        now_us - locks->look_us < AMGR_LOCKS_APART_US) {
        return 0;
    }
    locks->look_us = now_us;
    forget_released(locks);
    memset(out, 0, sizeof(*out));
    look_at_all(&look, snapshot);
    if (look.found != NULL) {
        out->waiters = look.found->waiters;
    }
    return look.found != NULL;
}
