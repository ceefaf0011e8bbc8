/* SPDX-License-Identifier: Apache-2.0
 *
 * The direct children of an httpd parent on this machine, as the kernel has
 * them: who they are, and how much memory each holds.
 */
#ifndef AMGR_LOCAL_CHILDREN_H
#define AMGR_LOCAL_CHILDREN_H

#include <apr_tables.h>

#include "cli/local/listeners.h"
#include "cli/local/local_server.h"
#include "model/snapshot.h"
#include "proc/proc_read.h"

typedef struct amgr_local_child_t {
    amgr_proc_id_t id;
    int role;    /**< AMGR_ROLE_DAEMON may be a worker, too: the kernel does
                      not tell these forks apart */
    int threads; /**< 0: not known */
    apr_uint64_t rss_bytes;          /**< AMGR_UNKNOWN */
    char group[AMGR_GROUP_NAME_LEN]; /**< of AMGR_ROLE_WSGI */
    int listens; /**< amgr_listeners_answer_e; until it is looked
                      for it is not known */
} amgr_local_child_t;

/**
 * The children of @a server's parent, or for an orphan those that were left
 * behind with it: an array of amgr_local_child_t by pid, in which no zombie is.
 * *out_incomplete is set when some could not be looked at.  An error when that
 * process is not there any more, or another is.
 */
apr_status_t amgr_local_children_read(amgr_proc_dir_t *dir,
                                      const amgr_local_server_t *server,
                                      apr_array_header_t **out,
                                      int *out_incomplete, apr_pool_t *pool);

/** Find out which of the forks among them listen, as workers do and daemons do
 * not.  Reads every descriptor that they have. */
void amgr_local_children_listen(amgr_proc_dir_t *dir,
                                const amgr_proc_id_t *parent,
                                apr_array_header_t *children, apr_pool_t *pool);

#endif
