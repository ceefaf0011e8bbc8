/* SPDX-License-Identifier: Apache-2.0
 *
 * See local_httpd.h.
 */
#include "cli/local/local_httpd.h"

#include <string.h>
#include <unistd.h>

int amgr_local_is_trusted_user(uid_t uid)
{
    return uid == 0 || uid == geteuid();
}

int amgr_local_is_httpd_name(const char *comm)
{
    return strcmp(comm, "apache2") == 0 || strcmp(comm, "httpd") == 0;
}

uid_t amgr_local_uid(amgr_proc_dir_t *proc, pid_t pid)
{
    amgr_proc_status_t status;

    return amgr_proc_read_status(proc, pid, &status) == APR_SUCCESS
               ? status.uid[0]
               : (uid_t)-1;
}

/** What httpd was executed as it is, or has made itself the leader of a
 * session when it went into the background; its workers have done neither. */
static int is_orphan(const amgr_proc_stat_t *stat)
{
    return (stat->flags & AMGR_PROC_FORKED_NO_EXEC) != 0 && stat->session > 0 &&
           stat->session != stat->pid;
}

/** Whether the parent of a process runs the same program; the last answer is
 * kept, since workers follow each other. */
static int is_child(amgr_proc_dir_t *proc, const amgr_proc_stat_t *stat,
                    amgr_proc_stat_t *parent)
{
    if (parent->pid != stat->ppid &&
        amgr_proc_read_stat(proc, stat->ppid, parent) != APR_SUCCESS) {
        parent->pid = 0;
        return 0;
    }
    return strcmp(parent->comm, stat->comm) == 0;
}

void amgr_local_each_httpd(amgr_proc_dir_t *proc, amgr_local_httpd_fn *fn,
                           void *baton, apr_pool_t *pool)
{
    amgr_proc_stat_t parent;
    amgr_proc_stat_t stat;
    amgr_local_httpd_t httpd;
    pid_t *pids;
    int count;
    int i;

    if (amgr_proc_list_all(proc, &pids, &count, pool) != APR_SUCCESS) {
        return;
    }
    parent.pid = 0;
    for (i = 0; i < count; i++) {
        if (amgr_proc_read_stat(proc, pids[i], &stat) != APR_SUCCESS ||
            !amgr_local_is_httpd_name(stat.comm) || stat.state == 'Z' ||
            (stat.ppid != 0 && is_child(proc, &stat, &parent))) {
            continue;
        }
        httpd.id.pid = pids[i];
        httpd.id.start_ticks = stat.start_ticks;
        httpd.is_orphan = is_orphan(&stat);
        httpd.uid = amgr_local_uid(proc, pids[i]);
        if (fn(baton, &httpd)) {
            break;
        }
    }
}
