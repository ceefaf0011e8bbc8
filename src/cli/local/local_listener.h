/* SPDX-License-Identifier: Apache-2.0
 *
 * Who listens at a port, as the kernel says it: the sockets of this network
 * namespace, the processes that have them, and the board that one has mapped.
 */
#ifndef AMGR_LOCAL_LISTENER_H
#define AMGR_LOCAL_LISTENER_H

#include "cli/config/apache_config.h"
#include "cli/local/local_server.h"

/** How a socket or a board that listens at @a local ("": any) fits the numeric
 * @a wanted (NULL: any will do): amgr_local_fit_e. */
int amgr_local_fit(const char *local, const char *wanted);

/** Whether @a pid and this process see the same "net" or "mnt"; yes for want
 * of rights. */
int amgr_local_is_same_namespace(amgr_proc_dir_t *proc, pid_t pid,
                                 const char *name);

/** A path of @a pid's as we reach it: through its root, when that may be
 * another. */
const char *amgr_local_path(amgr_proc_dir_t *proc, pid_t pid, const char *path,
                            apr_pool_t *pool);

/** The board that @a pid has mapped, by a path that we reach; NULL when there
 * is none, or this user may not know. */
const char *amgr_local_mapped_board(amgr_proc_dir_t *proc, pid_t pid,
                                    apr_pool_t *pool);

/** An httpd that is no child of another. */
typedef struct amgr_local_httpd_t {
    amgr_proc_id_t id;
    int is_orphan; /**< it is a worker, whose parent has ended */
} amgr_local_httpd_t;

/** Takes one; anything but 0 ends the walk. */
typedef int amgr_local_httpd_fn(void *baton, const amgr_local_httpd_t *httpd);

/** Each process that is named like an httpd and is no child of such a one, by
 * pid: of a server its workers, which are many, mostly come behind it. */
void amgr_local_each_httpd(amgr_proc_dir_t *proc, amgr_local_httpd_fn *fn,
                           void *baton, apr_pool_t *pool);

/**
 * The process that listens at @a port of @a address: an httpd by its name, or
 * any that has mapped a board; an orphan only where there is no parent.
 * APR_NOTFOUND, APR_EACCES as amgr_local_server_at().
 */
apr_status_t amgr_local_listener(amgr_proc_dir_t *proc, const char *address,
                                 apr_uint16_t port, amgr_local_httpd_t *out,
                                 apr_pool_t *pool);

/** Where @a pid listens, as an array of amgr_listen_t; empty when it does not,
 * or this user may not know. */
apr_array_header_t *amgr_local_listens(amgr_proc_dir_t *proc, pid_t pid,
                                       apr_pool_t *pool);

#endif
