/* SPDX-License-Identifier: Apache-2.0
 *
 * Who listens at a port, as the kernel says it: the sockets of this network
 * namespace, and the processes that have them.
 */
#ifndef AMGR_LOCAL_LISTENER_H
#define AMGR_LOCAL_LISTENER_H

#include "cli/config/apache_config.h"
#include "cli/local/local_httpd.h"
#include "cli/local/local_server.h"
#include "proc/proc_lines.h"

/** What one search may cost, however busy the machine is and whatever other
 * users' processes look like. */
void amgr_local_budget(amgr_proc_budget_t *budget);

/** How a socket or a board that listens at @a local ("": any) fits the numeric
 * @a wanted (NULL: any will do): amgr_local_fit_e. */
int amgr_local_fit(const char *local, const char *wanted);

/**
 * The process that listens at @a port of @a address: an httpd by its name, or
 * any that has mapped a board.  Of several that hold the socket one that runs
 * as root or as this user is preferred, and an orphan comes last: what a
 * worker inherited its children may hold, too.  APR_NOTFOUND, APR_EACCES as
 * amgr_local_server_at().
 */
apr_status_t amgr_local_listener(amgr_proc_dir_t *proc, const char *address,
                                 apr_uint16_t port,
                                 const amgr_proc_budget_t *budget,
                                 amgr_local_httpd_t *out, apr_pool_t *pool);

/** Where @a pid listens, as an array of amgr_listen_t; empty when it does not,
 * or this user may not know. */
apr_array_header_t *amgr_local_listens(amgr_proc_dir_t *proc, pid_t pid,
                                       const amgr_proc_budget_t *budget,
                                       apr_pool_t *pool);

#endif
