/* SPDX-License-Identifier: Apache-2.0
 *
 * See local_children.h.
 */
#include "cli/local/local_children.h"

#include <string.h>

#include "cli/local/local_httpd.h"
#include "model/child.h"

/** More than any httpd can have. */
#define CHILDREN_MAX 32768

/* 1: a child; 0: it is none, or none any more; -1: it cannot be looked at. */
static int read_child(amgr_proc_dir_t *dir, pid_t parent, pid_t pid,
                      amgr_local_child_t *out)
{
    amgr_proc_statm_t statm;
    amgr_proc_stat_t stat;
    amgr_proc_id_t now;
    apr_status_t rv = amgr_proc_read_stat(dir, pid, &stat);

    if (rv != APR_SUCCESS) {
        return rv == APR_NOTFOUND ? 0 : -1;
    }
    if (stat.ppid != parent || amgr_proc_has_ended(&stat)) {
        return 0;
    }
    memset(out, 0, sizeof(*out));
    out->id.pid = pid;
    out->id.start_ticks = stat.start_ticks;
    out->threads = stat.threads;
    out->rss_bytes = AMGR_UNKNOWN;
    if (amgr_proc_read_statm(dir, pid, &statm) == APR_SUCCESS) {
        out->rss_bytes = statm.rss_bytes;
    }
    out->role = amgr_child_role(&stat);
    if (out->role == AMGR_ROLE_DAEMON &&
        amgr_child_read_group(dir, pid, out->group, sizeof(out->group)) ==
            APR_SUCCESS) {
        out->role = AMGR_ROLE_WSGI;
    }
    /* All that was read is of this process only if it is still there. */
    return amgr_proc_read_id(dir, pid, &now) == APR_SUCCESS &&
           amgr_proc_id_equal(&now, &out->id);
}

static void add_child(amgr_proc_dir_t *dir, pid_t parent, pid_t pid,
                      apr_array_header_t *children, int *out_incomplete)
{
    amgr_local_child_t child;
    int result = read_child(dir, parent, pid, &child);

    if (result > 0) {
        APR_ARRAY_PUSH(children, amgr_local_child_t) = child;
    }
    *out_incomplete |= result < 0;
}

static apr_status_t read_children(amgr_proc_dir_t *dir, pid_t parent,
                                  apr_array_header_t *children,
                                  int *out_incomplete)
{
    pid_t *pids = apr_palloc(children->pool, CHILDREN_MAX * sizeof(*pids));
    int count = 0;
    apr_status_t rv;
    int i;

    rv = amgr_proc_read_children(dir, parent, pids, CHILDREN_MAX, &count);
    if (rv != APR_SUCCESS && rv != APR_ENOSPC) {
        return rv;
    }
    *out_incomplete |= rv == APR_ENOSPC;
    for (i = 0; i < count; i++) {
        add_child(dir, parent, pids[i], children, out_incomplete);
    }
    return APR_SUCCESS;
}

/* Those whose parent has ended. */
typedef struct orphans_t {
    amgr_proc_dir_t *dir;
    pid_t session; /**< their parent's */
    apr_array_header_t *children;
    int *out_incomplete;
} orphans_t;

static int take_orphan(void *baton, const amgr_local_httpd_t *httpd)
{
    const orphans_t *orphans = baton;
    amgr_proc_stat_t stat;

    if (httpd->is_orphan &&
        amgr_proc_read_stat(orphans->dir, httpd->id.pid, &stat) ==
            APR_SUCCESS &&
        stat.session == orphans->session) {
        add_child(orphans->dir, stat.ppid, httpd->id.pid, orphans->children,
                  orphans->out_incomplete);
    }
    return 0;
}

static apr_status_t read_orphans(amgr_proc_dir_t *dir, pid_t pid,
                                 apr_array_header_t *children,
                                 int *out_incomplete)
{
    orphans_t orphans = {dir, 0, children, out_incomplete};
    amgr_proc_stat_t stat;
    apr_status_t rv = amgr_proc_read_stat(dir, pid, &stat);

    if (rv == APR_SUCCESS) {
        orphans.session = stat.session;
        amgr_local_each_httpd(dir, take_orphan, &orphans, children->pool);
    }
    return rv;
}

apr_status_t amgr_local_children_read(amgr_proc_dir_t *dir,
                                      const amgr_local_server_t *server,
                                      apr_array_header_t **out,
                                      int *out_incomplete, apr_pool_t *pool)
{
    pid_t pid = server->parent.pid;
    amgr_proc_id_t now;
    apr_status_t rv;

    *out = apr_array_make(pool, 64, sizeof(amgr_local_child_t));
    rv = server->is_orphan ? read_orphans(dir, pid, *out, out_incomplete)
                           : read_children(dir, pid, *out, out_incomplete);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = amgr_proc_read_id(dir, pid, &now);
    if (rv == APR_SUCCESS && !amgr_proc_id_equal(&now, &server->parent)) {
        rv = APR_NOTFOUND;
    }
    return rv;
}

void amgr_local_children_listen(amgr_proc_dir_t *dir,
                                const amgr_proc_id_t *parent,
                                apr_array_header_t *children, apr_pool_t *pool)
{
    amgr_listeners_t *listeners = amgr_listeners_read(dir, parent->pid, pool);
    int i;

    for (i = 0; i < children->nelts; i++) {
        amgr_local_child_t *child =
            &APR_ARRAY_IDX(children, i, amgr_local_child_t);

        if (child->role == AMGR_ROLE_DAEMON) {
            child->listens = amgr_listeners_held(listeners, child->id.pid);
        }
    }
}
