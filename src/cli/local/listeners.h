/* SPDX-License-Identifier: Apache-2.0
 *
 * The sockets on which an httpd waits for connections, and which of its
 * children hold one: its workers do, while they serve; the daemons that
 * modules fork have closed them, but for mod_fcgid's manager.
 */
#ifndef AMGR_LISTENERS_H
#define AMGR_LISTENERS_H

#include <apr_pools.h>

#include "proc/proc_read.h"

typedef struct amgr_listeners_t amgr_listeners_t;

typedef enum amgr_listeners_answer_e {
    AMGR_LISTENERS_UNKNOWN = 0, /**< for want of rights */
    AMGR_LISTENERS_HELD,
    AMGR_LISTENERS_NOT_HELD
} amgr_listeners_answer_e;

/** Those of the httpd parent @a parent, from @a pool; never NULL. */
amgr_listeners_t *amgr_listeners_read(amgr_proc_dir_t *proc, pid_t parent,
                                      apr_pool_t *pool);

/** Whether @a pid holds any of them: amgr_listeners_answer_e. */
int amgr_listeners_held(const amgr_listeners_t *listeners, pid_t pid);

#endif
