/* SPDX-License-Identifier: Apache-2.0
 *
 * See tree.h.  A tree is walked by levels, with its processes in a list: what
 * has been read stands before what is still to be read.
 */
#include "supervise/tree.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

typedef struct list_t {
    pid_t pids[AMGR_TREE_MAX];
    pid_t parents[AMGR_TREE_MAX]; /* whose child each was then */
    int count;
} list_t;

static apr_uint64_t cpu_us(const amgr_proc_stat_t *stat)
{
    apr_time_t us = amgr_proc_ticks_us(stat->user_ticks + stat->system_ticks +
                                       stat->children_user_ticks +
                                       stat->children_system_ticks);

    return us < 0 ? 0 : (apr_uint64_t)us;
}

/* One that has gone has none. */
static apr_status_t add_children(amgr_proc_dir_t *dir, pid_t pid, list_t *list)
{
    apr_status_t rv;
    int count;

    if (list->count == AMGR_TREE_MAX) {
        return APR_SUCCESS;
    }
    rv = amgr_proc_read_children(dir, pid, list->pids + list->count,
                                 AMGR_TREE_MAX - list->count, &count);
    if (rv != APR_SUCCESS && rv != APR_ENOSPC) {
        return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    }
    for (; count > 0; count--) {
        list->parents[list->count++] = pid;
    }
    return APR_SUCCESS;
}

apr_status_t amgr_tree_read(amgr_proc_dir_t *dir, pid_t guard, amgr_tree_t *out)
{
    amgr_proc_stat_t of_guard;
    amgr_proc_stat_t stat;
    amgr_tree_t sum;
    list_t list;
    apr_status_t rv;
    int i;

    memset(&sum, 0, sizeof(sum));
    /* Parents before children: the time of one that is reaped in between is
     * then missed once, rather than counted twice. */
    rv = amgr_proc_read_stat(dir, guard, &of_guard);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    sum.cpu_us = cpu_us(&of_guard);
    list.count = 0;
    rv = add_children(dir, guard, &list);
    for (i = 0; i < list.count && rv == APR_SUCCESS; i++) {
        rv = amgr_proc_read_stat(dir, list.pids[i], &stat);
        if (rv == APR_NOTFOUND ||
            (rv == APR_SUCCESS && stat.ppid != list.parents[i] &&
             stat.ppid != guard)) {
            rv = APR_SUCCESS;
            continue; /* gone, and the pid may be another's now */
        }
        if (rv != APR_SUCCESS) {
            break;
        }
        sum.cpu_us += cpu_us(&stat);
        if (stat.ppid == guard && stat.session == of_guard.session) {
            continue; /* a process has a session of its own, a logger not */
        }
        sum.count++;
        sum.memory_bytes += stat.rss_bytes;
        rv = add_children(dir, list.pids[i], &list);
    }
    if (rv != APR_SUCCESS) {
        /* A part of it would pass for the whole. */
        return rv == APR_NOTFOUND ? APR_EGENERAL : rv;
    }
    *out = sum;
    return APR_SUCCESS;
}

int amgr_tree_sweep(amgr_proc_dir_t *dir, int (*is_known)(void *, pid_t),
                    void *baton)
{
    list_t list;
    int strays = 0;
    int i;

    list.count = 0;
    if (add_children(dir, getpid(), &list) != APR_SUCCESS) {
        return -1;
    }
    for (i = 0; i < list.count; i++) {
        if (!is_known(baton, list.pids[i])) {
            strays++;
            kill(list.pids[i], SIGKILL); /* our child, not reaped: nobody's
                                            pid but its */
        }
    }
    return strays;
}
