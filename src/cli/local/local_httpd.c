/* SPDX-License-Identifier: Apache-2.0
 *
 * See local_httpd.h.
 */
#include "cli/local/local_httpd.h"

#include <string.h>
#include <unistd.h>

#include "model/child.h"
#include "proc/proc_info.h"

int amgr_local_is_trusted_user(uid_t uid)
{
    return uid == 0 || uid == geteuid();
}

/** Of a program: "httpd24" and "httpd-prefork" are some, "lighttpd" and
 * "apache2ctl" are none. */
static int is_program_name(const char *name)
{
    static const char *const names[] = {"apache2", "httpd"};
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(names); i++) {
        apr_size_t len = strlen(names[i]);

        if (strncmp(name, names[i], len) == 0) {
            len += strspn(name + len, "0123456789");
            return name[len] == '\0' || name[len] == '-' || name[len] == '.';
        }
    }
    return 0;
}

/** Whether a process runs httpd's program.  Where this user may not know, as
 * what it says that it was started; one that hangs in the kernel might not let
 * go of whoever asks. */
static int runs_httpd(amgr_proc_dir_t *proc, const amgr_proc_stat_t *stat)
{
    char exe[AMGR_PROC_TEXT_LEN];
    const char *slash;

    /* The whole of it: a script may be called httpd-foreground. */
    if (strcmp(stat->comm, "apache2") == 0 ||
        strcmp(stat->comm, "httpd") == 0) {
        return 1;
    }
    if ((stat->flags & AMGR_PROC_KERNEL_THREAD) != 0 || stat->state == 'D' ||
        stat->state == 'Z' ||
        amgr_proc_read_exe_path(proc, stat->pid, exe, sizeof(exe)) !=
            APR_SUCCESS) {
        return 0;
    }
    slash = strrchr(exe, '/');
    return is_program_name(slash != NULL ? slash + 1 : exe);
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

/** The parent that was last asked for: workers follow each other. */
typedef struct parent_t {
    amgr_proc_stat_t stat; /**< pid 0: none */
    int runs_httpd;
} parent_t;

/** Whether a process is an httpd's, and not a server that it has started. */
static int is_child(amgr_proc_dir_t *proc, const amgr_proc_stat_t *stat,
                    parent_t *parent)
{
    if (stat->ppid == 0) {
        return 0;
    }
    if (parent->stat.pid != stat->ppid) {
        if (amgr_proc_read_stat(proc, stat->ppid, &parent->stat) !=
            APR_SUCCESS) {
            parent->stat.pid = 0;
            return 0;
        }
        parent->runs_httpd = runs_httpd(proc, &parent->stat);
    }
    return strcmp(parent->stat.comm, stat->comm) == 0 ||
           (parent->runs_httpd &&
            (stat->flags & AMGR_PROC_FORKED_NO_EXEC) != 0);
}

/** What this module has forked runs httpd's program, too, and may be left when
 * its server has ended. */
static int is_server(amgr_proc_dir_t *proc, const amgr_proc_stat_t *stat,
                     parent_t *parent)
{
    return stat->state != 'Z' && runs_httpd(proc, stat) &&
           amgr_child_role(stat) != AMGR_ROLE_HELPER &&
           !is_child(proc, stat, parent);
}

void amgr_local_each_httpd(amgr_proc_dir_t *proc, amgr_local_httpd_fn *fn,
                           void *baton, apr_pool_t *pool)
{
    amgr_proc_stat_t stat;
    amgr_local_httpd_t httpd;
    parent_t parent;
    pid_t *pids;
    int count;
    int i;

    if (amgr_proc_list_all(proc, &pids, &count, pool) != APR_SUCCESS) {
        return;
    }
    parent.stat.pid = 0;
    for (i = 0; i < count; i++) {
        if (amgr_proc_read_stat(proc, pids[i], &stat) != APR_SUCCESS ||
            !is_server(proc, &stat, &parent)) {
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
