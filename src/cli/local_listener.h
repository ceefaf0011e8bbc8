/* SPDX-License-Identifier: Apache-2.0
 *
 * Who listens at a port, as the kernel says it: the sockets of this network
 * namespace, the processes that have them, and the board that one has mapped.
 */
#ifndef AMGR_LOCAL_LISTENER_H
#define AMGR_LOCAL_LISTENER_H

#include "cli/local_server.h"

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

/** Whether a node of the tree is named like an httpd, and is not a child of
 * such a one. */
int amgr_local_is_httpd(const amgr_proc_node_t *node);

/**
 * The process that listens at @a port of @a address: an httpd by its name, or
 * any that has mapped a board.  APR_NOTFOUND, APR_EACCES as
 * amgr_local_server_at().
 */
apr_status_t amgr_local_listener(const amgr_proc_tree_t *tree,
                                 const char *address, apr_uint16_t port,
                                 const amgr_proc_node_t **out_node,
                                 apr_pool_t *pool);

/** Whether anybody listens at @a port of @a address: cheap. */
int amgr_local_is_listened(amgr_proc_dir_t *proc, const char *address,
                           apr_uint16_t port);

#endif
