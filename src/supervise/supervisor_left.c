/* SPDX-License-Identifier: Apache-2.0
 *
 * What is left of the last runs where neither their supervisor nor their guards
 * are: both were killed together, and a program that had taken away the leash
 * of launch.h, or what a process had started itself, lives on.  The table tells
 * whom each run was led by: what has its session is found and killed before
 * anything is started, so that there is no second copy.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "proc/proc_control.h"
#include "supervise/supervisor_parts.h"

/** A session whose leader is gone is known by its number alone, which is
 * another's some time after its last process has ended: it is believed when the
 * last supervisor was alive so lately. */
#define RECENT_US (120 * APR_USEC_PER_SEC)

/** Between two looks, and how long they are gone on with after SIGKILL. */
#define LOOK_US (50 * 1000)
#define PATIENCE_US (5 * APR_USEC_PER_SEC)

/** Where nobody tells when their guards are gone, these may still be at work
 * for so long. */
#define GRACE_US (AMGR_GUARD_MERCY_US + APR_USEC_PER_SEC)

static void note(amgr_managed_table_t *table, pid_t pid,
                 apr_uint64_t start_ticks)
{
    amgr_managed_left_t *left;

    if (pid > 1 && start_ticks > 0 && table->left_count < AMGR_MANAGED_MAX) {
        left = &table->left[table->left_count++];
        left->pid = pid;
        left->start_ticks = start_ticks;
    }
}

void amgr_supervisor_inherit_left(amgr_supervisor_t *supervisor)
{
    const amgr_managed_table_t *last = &supervisor->last;
    amgr_managed_table_t *table = &supervisor->table;
    apr_interval_time_t age_us = supervisor->now.mono_us - last->beat_mono_us;
    int i;

    if (age_us < 0) {
        return; /* of another boot */
    }
    for (i = 0; i < last->count; i++) {
        note(table, last->processes[i].pid, last->processes[i].start_ticks);
    }
    for (i = 0; i < last->left_count; i++) {
        note(table, last->left[i].pid, last->left[i].start_ticks);
    }
    supervisor->is_left_recent = age_us <= RECENT_US;
    if (table->left_count > 0) {
        supervisor->is_waiting = 1;
        supervisor->left_kill_us =
            supervisor->now.mono_us +
            (supervisor->setup.wait_fd < 0 ? GRACE_US : 0);
    }
}

/** Not that it is gone, or hidden as those of other users may be. */
static int is_blind(apr_status_t rv)
{
    return rv != APR_SUCCESS && rv != APR_NOTFOUND && rv != APR_EACCES;
}

/** Whether the session of @a left may still be its own. */
static int is_possible(amgr_supervisor_t *supervisor,
                       const amgr_managed_left_t *left)
{
    amgr_proc_id_t id;
    apr_status_t rv = amgr_proc_read_id(&supervisor->proc, left->pid, &id);

    /* Its number is not given to others before its last process has ended. */
    if (rv == APR_SUCCESS) {
        return id.start_ticks == left->start_ticks;
    }
    return supervisor->is_left_recent || is_blind(rv);
}

static int is_of(const amgr_managed_table_t *table,
                 const amgr_proc_stat_t *stat)
{
    int i;

    for (i = 0; i < table->left_count; i++) {
        if (stat->session == table->left[i].pid &&
            stat->start_ticks >= table->left[i].start_ticks) {
            return 1;
        }
    }
    return 0;
}

/** Send it; 0: not, for want of what there may be soon. */
static int send_signal(amgr_supervisor_t *supervisor, const amgr_proc_id_t *id,
                       int sig)
{
    apr_status_t rv = APR_SUCCESS;

    if (sig != 0) {
        rv = amgr_proc_signal(&supervisor->proc, id, 0, sig);
    }
    return rv != EMFILE && rv != ENFILE && rv != ENOMEM;
}

/** Every living process of these sessions, which gets @a sig (0: none); -1:
 * nobody knows whether these are all, or has told them all. */
static int signal_all(amgr_supervisor_t *supervisor, int sig)
{
    amgr_proc_stat_t stat;
    amgr_proc_id_t id;
    apr_pool_t *pool;
    pid_t *pids = NULL;
    apr_status_t rv;
    int is_all = 1;
    int found = 0;
    int count = 0;
    int i;

    if (apr_pool_create(&pool, supervisor->pool) != APR_SUCCESS) {
        return -1;
    }
    if (amgr_proc_list_all(&supervisor->proc, &pids, &count, pool) !=
        APR_SUCCESS) {
        count = 0;
        is_all = 0;
    }
    for (i = 0; i < count; i++) {
        rv = amgr_proc_read_stat(&supervisor->proc, pids[i], &stat);
        is_all = is_all && !is_blind(rv);
        if (rv != APR_SUCCESS || (stat.state == 'Z' && stat.threads <= 1) ||
            stat.state == 'X' || !is_of(&supervisor->table, &stat)) {
            continue;
        }
        found++;
        id.pid = pids[i];
        id.start_ticks = stat.start_ticks;
        is_all &= send_signal(supervisor, &id, sig);
    }
    apr_pool_destroy(pool);
    return is_all ? found : -1;
}

/** Forget those of which nothing can be left. */
static void sift(amgr_supervisor_t *supervisor)
{
    amgr_managed_table_t *table = &supervisor->table;
    int kept = 0;
    int i;

    for (i = 0; i < table->left_count; i++) {
        if (is_possible(supervisor, &table->left[i])) {
            table->left[kept++] = table->left[i];
        }
    }
    table->left_count = kept;
}

int amgr_supervisor_end_left(amgr_supervisor_t *supervisor)
{
    apr_time_t now_us = supervisor->now.mono_us;
    amgr_managed_table_t *table = &supervisor->table;
    int is_due = now_us >= supervisor->left_kill_us;
    int found;

    if (table->left_count == 0 || now_us < supervisor->left_look_us) {
        return table->left_count == 0;
    }
    supervisor->left_look_us = now_us + LOOK_US;
    if (!supervisor->is_left_killed) {
        sift(supervisor);
    }
    found = signal_all(supervisor, is_due ? SIGKILL : 0);
    if (found < 0) {
        amgr_supervisor_say_blind(supervisor);
        return 0;
    }
    if (found > 0 && is_due && !supervisor->is_left_killed) {
        supervisor->is_left_killed = 1;
        supervisor->left_until_us = now_us + PATIENCE_US;
        amgr_say(&supervisor->teller, AMGR_SAY_SUPERVISOR, AMGR_LEVEL_WARNING,
                 0,
                 "processes of the last run, whose guards are gone, are "
                 "killed: %d",
                 found);
    }
    if (found > 0 &&
        (!supervisor->is_left_killed || now_us < supervisor->left_until_us)) {
        return 0;
    }
    if (found > 0) {
        amgr_say(&supervisor->teller, AMGR_SAY_SUPERVISOR, AMGR_LEVEL_ERR, 0,
                 "processes of the last run cannot be ended, and those that "
                 "are started now run beside them: %d",
                 found);
    }
    table->left_count = 0;
    supervisor->is_dirty = 1;
    return 1;
}
