/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the order socket: connections (order_peer.c), what is done for
 * one (order_obey.c), and when each has its turn (order_socket.c).
 */
#ifndef AMGR_ORDER_PARTS_H
#define AMGR_ORDER_PARTS_H

#include "base/line_server.h"
#include "supervise/order/order_socket.h"

typedef struct amgr_order_peer_t {
    amgr_line_client_t *client;
    amgr_order_t order;
    int already;
} amgr_order_peer_t;

struct amgr_order_socket_t {
    amgr_supervisor_t *supervisor;
    const amgr_teller_t *teller;
    amgr_line_server_t lines;
    char path[108];
    int control; /**< uid is heard */
    uid_t uid;
    int told_stranger;
    apr_time_t guest_due_us; /**< when guests' connections, and their orders, */
    apr_time_t order_due_us; /**< will have had their time, monotonic */
    int is_flooded;          /**< orders of guests are refused, as was said */
    apr_uint64_t refused;    /**< and so many were, since then */
    int serving;             /**< whatever changes now is seen to at its end */
    amgr_order_peer_t peers[AMGR_ORDER_CLIENTS_MAX];
};

/** Answer, and so end it (order_line.h). */
void amgr_order_peer_refuse(const amgr_order_peer_t *peer, int status,
                            const char *why);
void amgr_order_peer_tell(const amgr_order_peer_t *peer,
                          const amgr_managed_t *process, int settled);

/** Whether it is root, or whoever runs the server. */
int amgr_order_peer_is_master(const amgr_order_peer_t *peer);

/** Whether it is httpd's own User, who is let. */
int amgr_order_peer_is_guest(const amgr_order_socket_t *orders,
                             const amgr_order_peer_t *peer);

/** Whether there is time for one more of what may come every @a span_us, with
 * up to @a burst at once; then it is taken from *due_us, 0 at first. */
int amgr_order_peer_has_time(apr_time_t *due_us, apr_interval_time_t span_us,
                             int burst);

/** Carry out the order that was read, unless nobody waits for it; answer, or
 * begin to wait. */
void amgr_order_obey(amgr_order_socket_t *orders, amgr_order_peer_t *peer);

/** Answer one that waits, when it is time for it. */
void amgr_order_look_at(amgr_order_socket_t *orders, amgr_order_peer_t *peer);

#endif
