/* SPDX-License-Identifier: Apache-2.0
 *
 * See tick_locks.h.
 */
#include "httpd/tick_locks.h"

#include "action/locks.h"
#include "httpd/log.h"
#include "httpd/private_memory.h"

/** One look. */
#define LOOK_US (10 * 1000)

struct amgr_tick_locks_t {
    apr_size_t size; /**< of this whole block of memory */
    amgr_locks_t locks;
    int max;
    int count;
    amgr_proc_id_t workers[]; /**< of the tick before, ordered by pid */
};

amgr_tick_locks_t *amgr_tick_locks_create(int process_max)
{
    apr_size_t size = sizeof(amgr_tick_locks_t) +
                      (apr_size_t)process_max * sizeof(amgr_proc_id_t);
    amgr_tick_locks_t *locks = amgr_private_memory_create(size);

    if (locks != NULL) {
        locks->size = size;
        locks->max = process_max;
    }
    return locks;
}

void amgr_tick_locks_destroy(amgr_tick_locks_t *locks)
{
    if (locks != NULL) {
        amgr_private_memory_destroy(locks, locks->size);
    }
}

/* Whether a worker of the tick before is not there any more. */
static int is_one_missed(const amgr_tick_locks_t *locks,
                         const amgr_snapshot_t *snapshot)
{
    int i;

    for (i = 0; i < locks->count; i++) {
        const amgr_process_t *process =
            amgr_snapshot_find(snapshot, locks->workers[i].pid);

        if (process == NULL ||
            !amgr_proc_id_equal(&process->id, &locks->workers[i])) {
            return 1;
        }
    }
    return 0;
}

static void remember(amgr_tick_locks_t *locks, const amgr_snapshot_t *snapshot)
{
    int i;

    locks->count = 0;
    for (i = 0; i < snapshot->process_count && locks->count < locks->max; i++) {
        if (snapshot->processes[i].role == AMGR_ROLE_WORKER &&
            snapshot->processes[i].id.start_ticks != 0) {
            locks->workers[locks->count++] = snapshot->processes[i].id;
        }
    }
}

static void log_orphaned(server_rec *s, const amgr_lock_report_t *report)
{
    char name[AMGR_LOCK_NAME_LEN];

    amgr_log(s, AMGR_TAG_LOCK, APLOG_WARNING, 0,
             "orphaned lock in %s: its holder, thread %" APR_PID_T_FMT
             ", is gone, and others wait for ever (seen: %d, worker "
             "%" APR_PID_T_FMT " at 0x%" APR_UINT64_T_HEX_FMT
             "): restart the server",
             amgr_lock_report_name(report, name, sizeof(name)), report->owner,
             report->waiters, report->pid, report->address);
}

void amgr_tick_locks_run(amgr_tick_locks_t *locks, server_rec *s,
                         amgr_proc_dir_t *proc, const amgr_snapshot_t *snapshot,
                         amgr_counters_t *counters)
{
    apr_time_t now_us = snapshot->server.time.mono_us;
    amgr_lock_report_t report;

    if (locks == NULL) {
        return;
    }
    if (is_one_missed(locks, snapshot)) {
        amgr_locks_alert(&locks->locks, now_us);
    }
    remember(locks, snapshot);
    if (amgr_locks_look(&locks->locks, proc, snapshot, now_us,
                        amgr_clock_monotonic_us() + LOOK_US, &report)) {
        counters->orphaned_locks++;
        log_orphaned(s, &report);
    }
}
