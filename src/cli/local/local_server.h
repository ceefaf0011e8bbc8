/* SPDX-License-Identifier: Apache-2.0
 *
 * The httpds that run on this machine, seen from outside: which of them
 * listens where, and where its board is.  Everything comes from the kernel;
 * what a page says is not asked.
 */
#ifndef AMGR_LOCAL_SERVER_H
#define AMGR_LOCAL_SERVER_H

#include <apr_tables.h>

#include "cli/fault.h"
#include "cli/local/local_board.h"

typedef struct amgr_local_server_t {
    amgr_proc_id_t parent; /**< the httpd parent */
    int is_orphan;         /**< it is none: its parent has ended, and it is one
                                of the workers, which still serve */
    uid_t uid;             /**< as whom it runs */
    const char *exe;       /**< its program; "" when that cannot be read */
    const char *board;     /**< a file to read its board from, or NULL: it has
                                none, or this user cannot find out */
    const char *data_file; /**< beside the board by default, or NULL */
} amgr_local_server_t;

/** How well a server fits a port of an address. */
typedef enum amgr_local_fit_e {
    AMGR_LOCAL_FIT_NONE = 0,
    AMGR_LOCAL_FIT_ANY,  /**< it listens there at any address */
    AMGR_LOCAL_FIT_EXACT /**< at this very one */
} amgr_local_fit_e;

/**
 * The server of the board in the directory @a dir, when it runs, as root or as
 * this user, and fits (amgr_local_fit_e) @a port of the numeric @a address
 * (NULL: any; port 0: it need not listen).  *out_why is why there is no server,
 * NULL when it does not fit or there is no board.
 */
int amgr_local_server_in(const char *dir, const char *address,
                         apr_uint16_t port, amgr_local_server_t *out,
                         const amgr_fault_t **out_why, apr_pool_t *pool);

/**
 * The httpd that listens at @a port of @a address (text; NULL: any of this
 * machine) in this network namespace.  APR_NOTFOUND: nobody does, or no httpd;
 * APR_EACCES: somebody does, and this user may not know who.
 */
apr_status_t amgr_local_server_at(const char *address, apr_uint16_t port,
                                  amgr_local_server_t *out, apr_pool_t *pool);

/** Copy the server's board, which is not NULL, as amgr_local_board_read(); a
 * board of another server is UNSAFE. */
amgr_local_board_e amgr_local_server_board(const amgr_local_server_t *server,
                                           int parts, amgr_local_board_t *out,
                                           apr_pool_t *pool);

/** All httpds of this machine, as an array of amgr_local_server_t by pid; each
 * orphan is one. */
apr_array_header_t *amgr_local_servers(apr_pool_t *pool);

/** Those of them that root or this user runs, else other users', without
 * orphans; the first of those where there is nobody else. */
apr_array_header_t *amgr_local_parents(apr_pool_t *pool);

/** The only one of them; NULL: there are several, or none. */
const amgr_local_server_t *amgr_local_only_server(apr_pool_t *pool);

/** Where distributions have a server's runtime directory; ends with NULL. */
extern const char *const amgr_local_runtime_dirs[];

#endif
