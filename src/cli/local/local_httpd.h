/* SPDX-License-Identifier: Apache-2.0
 *
 * The processes of this machine that are an httpd by their names: the one that
 * a process has, which mod_perl changes, or that of its program, which may be
 * httpd-prefork or the like.  Anybody may name his so: what one says of itself
 * counts only when it runs as root or as this user, or holds what it speaks
 * of.
 */
#ifndef AMGR_LOCAL_HTTPD_H
#define AMGR_LOCAL_HTTPD_H

#include "proc/proc_read.h"

/** An httpd that is no child of another. */
typedef struct amgr_local_httpd_t {
    amgr_proc_id_t id;
    uid_t uid;     /**< whose it is; -1: not known */
    int is_orphan; /**< it is a worker, whose parent has ended */
} amgr_local_httpd_t;

/** Takes one; anything but 0 ends the walk. */
typedef int amgr_local_httpd_fn(void *baton, const amgr_local_httpd_t *httpd);

/** Each process that is named like an httpd and is no child of such a one, by
 * pid: of a server its workers, which are many, mostly come behind it.  What
 * has another name costs one look at its program. */
void amgr_local_each_httpd(amgr_proc_dir_t *proc, amgr_local_httpd_fn *fn,
                           void *baton, apr_pool_t *pool);

/** Whose @a pid is: of a program that is set-uid, who has started it; -1: not
 * known. */
uid_t amgr_local_uid(amgr_proc_dir_t *proc, pid_t pid);

/** Whether whoever runs as @a uid may speak for a server: root, and this
 * user. */
int amgr_local_is_trusted_user(uid_t uid);

#endif
