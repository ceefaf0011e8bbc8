/* SPDX-License-Identifier: Apache-2.0
 *
 * How an order gets from a child of httpd to the supervisor's socket.  By its
 * path, as a rule; where a directory above the runtime directory is closed to
 * httpd's User, by a descriptor that the children inherit.
 *
 * That descriptor is of a mount of the runtime directory which is attached
 * nowhere: of an ordinary one, O_PATH or not, ".." would lead a child out to
 * all that the closed directory keeps from it.
 */
#ifndef AMGR_ORDER_WAY_H
#define AMGR_ORDER_WAY_H

#include <httpd.h>

#include "supervise/order/order_client.h"

/** Where a path is that children cannot go, and orders are taken over HTTP,
 * make the other way; it lasts as long as @a pconf.  A failure is logged.  In
 * the parent, for each configuration, before children are forked. */
void amgr_order_way_make(server_rec *s, apr_pool_t *pconf);

/**
 * As amgr_order_ask(), without waiting, by whatever way there is; in a child.
 * Where there is no answer @a why tells the reason, in a clause that names the
 * socket and is to be escaped.
 */
apr_status_t amgr_order_way_ask(const char *socket, const char *verb,
                                const char *name, amgr_order_answer_t *out,
                                char *why, apr_size_t size);

#endif
