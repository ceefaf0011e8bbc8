/* SPDX-License-Identifier: Apache-2.0
 *
 * Whom orders are for: the supervisor of a server on this machine, found by the
 * server's board, whether the server answers or not.
 */
#ifndef AMGR_ORDER_TARGET_H
#define AMGR_ORDER_TARGET_H

#include "cli/source/source.h"

typedef struct amgr_order_target_t {
    const amgr_managed_table_t *table; /**< as it was when it was found */
    const char *socket; /**< where orders are taken, by a path that we reach */
    uid_t uid;          /**< as whom the server runs, and so its supervisor */
} amgr_order_target_t;

/** Find it, from @a pool.  A fault says what there is instead: no server, one
 * elsewhere, several, none that this user may know, no managed processes. */
const amgr_fault_t *amgr_order_target_find(const amgr_target_t *target,
                                           amgr_order_target_t *out,
                                           apr_pool_t *pool);

/** The names of all its processes, for a message. */
const char *amgr_order_target_names(const amgr_managed_table_t *table,
                                    apr_pool_t *pool);

/** The process of this name.  NULL with *out_fault: there is none. */
const amgr_managed_t *
amgr_order_target_process(const amgr_managed_table_t *table, const char *name,
                          const amgr_fault_t **out_fault, apr_pool_t *pool);

#endif
