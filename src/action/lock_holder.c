/* SPDX-License-Identifier: Apache-2.0
 *
 * See lock_holder.h.
 */
#include "action/lock_holder.h"

#include <string.h>

#include <apr_strings.h>

#include "policy/measure.h"

/** A look under way. */
typedef struct look_t {
    amgr_proc_dir_t *victim; /**< threads of the process that is asked about */
    apr_time_t deadline_us;
    amgr_lock_report_t *report;
} look_t;

/* One that has ended lets go of nothing any more, killed or not. */
static int is_thread_of(amgr_proc_dir_t *tasks, pid_t tid)
{
    amgr_proc_stat_t stat;

    return amgr_proc_read_stat(tasks, tid, &stat) == APR_SUCCESS &&
           stat.state != 'Z' && stat.state != 'X';
}

static void note(look_t *look, amgr_proc_dir_t *tasks,
                 const amgr_lock_wait_t *wait)
{
    amgr_lock_report_t *report = look->report;
    amgr_proc_mapping_t mapping;

    if (report->waiters > 0) {
        report->waiters += report->address == wait->address;
        return;
    }
    if (!amgr_lock_wait_is_shared(tasks, wait, look->deadline_us, &mapping)) {
        return;
    }
    report->pid = wait->pid;
    report->owner = wait->owner;
    report->address = wait->address;
    report->waiters = 1;
    apr_cpystrn(report->mapping, mapping.name, sizeof(report->mapping));
}

static void look_at_wait(void *baton, amgr_proc_dir_t *tasks,
                         const amgr_lock_wait_t *wait)
{
    look_t *look = baton;

    if (!wait->is_robust && is_thread_of(look->victim, wait->owner) &&
        amgr_lock_wait_lasts(tasks, wait)) {
        note(look, tasks, wait);
    }
}

int amgr_lock_holder_look(amgr_proc_dir_t *proc,
                          const amgr_snapshot_t *snapshot, int index,
                          apr_time_t deadline_us, amgr_lock_report_t *out)
{
    amgr_proc_dir_t victim;
    look_t look = {&victim, deadline_us, out};
    int in_time = 1;
    int i;

    memset(out, 0, sizeof(*out));
    if (amgr_proc_tasks_open(proc, &snapshot->processes[index].id, &victim) !=
        APR_SUCCESS) {
        return AMGR_HELD_NOTHING; /* it has gone, or nobody may look */
    }
    for (i = 0; i < snapshot->process_count && in_time && out->waiters == 0;
         i++) {
        if (i != index && amgr_measure_is_judged(&snapshot->processes[i])) {
            in_time = amgr_lock_wait_each(proc, &snapshot->processes[i],
                                          deadline_us, look_at_wait, &look);
        }
    }
    amgr_proc_dir_close(&victim);
    if (out->waiters > 0) {
        return AMGR_HELD_LOCK;
    }
    return in_time ? AMGR_HELD_NOTHING : AMGR_HELD_UNKNOWN;
}
