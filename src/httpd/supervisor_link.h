/* SPDX-License-Identifier: Apache-2.0
 *
 * From the parent to the supervisor: the descriptors between them, and what is
 * sent over them.  Nothing here ever waits.
 */
#ifndef AMGR_SUPERVISOR_LINK_H
#define AMGR_SUPERVISOR_LINK_H

#include "httpd/config.h"
#include "httpd/runtime.h"
#include "supervise/supervisor.h"

/** What a fork needs; all are closed in programs. */
typedef struct amgr_supervisor_ends_t {
    int ours;   /**< of the pair */
    int theirs; /**< it is told there who sends each message */
    int hold_read;
    int hold_write; /**< kept open by the supervisor and all its guards */
} amgr_supervisor_ends_t;

/** Where it takes orders: a path in httpd's runtime directory; NULL: there is
 * none.  It may be too long for a socket. */
const char *amgr_supervisor_link_socket(apr_pool_t *pool);

/** Make them; an errno when there are none to be had. */
apr_status_t amgr_supervisor_link_create(amgr_supervisor_ends_t *out);

/** After the fork, in the parent: close what is the supervisor's. */
void amgr_supervisor_link_leave(amgr_supervisor_ends_t *ends);

/** Close all of them. */
void amgr_supervisor_link_destroy(amgr_supervisor_ends_t *ends);

/** Whether the other ends of @a fd, which is to read from, are all gone. */
int amgr_supervisor_link_is_gone(int fd);

/** Send the present configuration.  APR_EAGAIN: it does not take it now; other
 * errors likewise say that it has not got it.  What was sent it may yet be
 * unable to take: it has when its table says @a number. */
apr_status_t amgr_supervisor_link_apply(int fd, server_rec *s,
                                        const amgr_runtime_t *runtime,
                                        const amgr_config_t *config,
                                        apr_uint64_t number);

/** Tell it that a restart has begun: it ends by itself when no configuration
 * follows. */
apr_status_t amgr_supervisor_link_restart(int fd);

/** Tell it to stop all and end. */
apr_status_t amgr_supervisor_link_end(int fd);

#endif
