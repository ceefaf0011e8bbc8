/* SPDX-License-Identifier: Apache-2.0
 *
 * The httpds that run on this machine, seen from outside: which of them
 * listens where, and where its board is.  Everything comes from the kernel;
 * what a page says is not asked.
 */
#ifndef AMGR_LOCAL_SERVER_H
#define AMGR_LOCAL_SERVER_H

#include "cli/fault.h"
#include "proc/proc_tree.h"

typedef struct amgr_local_server_t {
    amgr_proc_id_t parent; /**< the httpd parent */
    uid_t uid;             /**< as whom it runs */
    const char *exe;       /**< its program; "" when that cannot be read */
    const char *board;     /**< a file to read its board from, or NULL: it has
                                none, or this user cannot find out */
    const char *data_file; /**< beside the board by default, or NULL */
} amgr_local_server_t;

/**
 * The httpd that listens at @a port of @a address (text; NULL: any of this
 * machine) in this network namespace.  APR_NOTFOUND: nobody does, or no httpd;
 * APR_EACCES: somebody does, and this user may not know who.
 */
apr_status_t amgr_local_server_at(const char *address, apr_uint16_t port,
                                  amgr_local_server_t *out, apr_pool_t *pool);

/** All httpds of this machine, as an array of amgr_local_server_t by pid. */
apr_array_header_t *amgr_local_servers(apr_pool_t *pool);

/** Whether @a host, a name or an address, is this machine's. */
int amgr_local_server_is_here(const char *host, apr_pool_t *pool);

#endif
