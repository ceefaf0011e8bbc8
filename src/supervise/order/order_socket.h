/* SPDX-License-Identifier: Apache-2.0
 *
 * Orders to the supervisor, over a unix socket in the runtime directory: one
 * line of JSON each way, a connection for each.
 *
 *   {"verb":"restart","name":"web","wait_ms":5000}
 *   {"ok":true,"id":1,"name":"web","state":"READY","want":"up","ready":true,
 *    "pid":123,"already":false,"settled":true}
 *   {"ok":false,"status":404,"error":"no process of this name"}
 *
 * Verbs are status, start, stop, restart (each with `name`, or `id`) and
 * shutdown (with neither).  With wait_ms (at most AMGR_ORDER_WAIT_MAX_MS) the
 * answer comes when the process has settled, or then; `"settled":false` says
 * that it has not.  Status settles when what is wanted of the process is there,
 * or cannot come any more.  Where `pid` is not, there may be `code` or `signal`
 * of its last end; `reason` is left out where there is none.  `already`: it was
 * so, or on its way, before the order.  Refused are (status) 400 what is wrong
 * with the line, 403 who may not or while all is shut down, 404 what is not
 * there, 503 what there is no room for.
 *
 * Only root, whoever runs the server, and httpd's own User when it is let, are
 * heard (SO_PEERCRED, unix(7)); some places are kept from the latter, so that
 * nobody can keep root out by waiting.
 *
 * Runs in the supervisor and never waits.
 */
#ifndef AMGR_ORDER_SOCKET_H
#define AMGR_ORDER_SOCKET_H

#include <poll.h>

#include "supervise/order/order_line.h"
#include "supervise/say.h"
#include "supervise/supervisor.h"

#define AMGR_ORDER_CLIENTS_MAX 16

typedef struct amgr_order_socket_t amgr_order_socket_t;

amgr_order_socket_t *amgr_order_socket_create(amgr_supervisor_t *supervisor,
                                              const amgr_teller_t *teller,
                                              apr_pool_t *pool);

/** Where to listen from now on (empty: nowhere), and whether @a uid, httpd's
 * own User, is heard. */
void amgr_order_socket_move(amgr_order_socket_t *orders, const char *path,
                            int control, uid_t uid);

/** Entries to poll for, at most AMGR_ORDER_CLIENTS_MAX + 1; how many. */
int amgr_order_socket_list(amgr_order_socket_t *orders, struct pollfd *entries);

/** When it must be looked at without any event; AMGR_NO_TIME: never. */
apr_time_t amgr_order_socket_due(const amgr_order_socket_t *orders);

/** After each poll, with the entries as they were listed, and after each
 * change of a state. */
void amgr_order_socket_serve(amgr_order_socket_t *orders,
                             const struct pollfd *entries, int count);

/** Close everything; the socket's file goes. */
void amgr_order_socket_end(amgr_order_socket_t *orders);

#endif
