/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the order socket: connections (order_peer.c), what is done for
 * one (order_obey.c), and when each has its turn (order_socket.c).
 */
#ifndef AMGR_ORDER_PARTS_H
#define AMGR_ORDER_PARTS_H

#include <sys/socket.h>

#include "base/socket_place.h"
#include "supervise/order/order_socket.h"

typedef enum amgr_order_phase_e {
    AMGR_ORDER_FREE = 0,
    AMGR_ORDER_READING,
    AMGR_ORDER_WAITING, /**< until its process has settled */
    AMGR_ORDER_WRITING
} amgr_order_phase_e;

/** A client has so long for its line, and to take the answer. */
#define AMGR_ORDER_PATIENCE_US (2 * APR_USEC_PER_SEC)

typedef struct amgr_order_peer_t {
    int fd;
    int phase;                /**< amgr_order_phase_e */
    apr_time_t until_mono_us; /**< of this phase */
    struct ucred peer;        /**< who it is, as the kernel says */
    amgr_order_t order;
    int already;
    apr_size_t used;
    char line[AMGR_ORDER_LINE_MAX];
    apr_size_t length;
    apr_size_t sent;
    char answer[AMGR_ORDER_ANSWER_MAX];
} amgr_order_peer_t;

struct amgr_order_socket_t {
    amgr_supervisor_t *supervisor;
    const amgr_teller_t *teller;
    amgr_socket_place_t place;
    char path[108];
    int control; /**< uid is heard */
    uid_t uid;
    apr_time_t deaf_mono_us; /**< nobody is let in before this */
    int told_stranger;
    apr_time_t guest_due_us; /**< when guests' connections, and their orders, */
    apr_time_t order_due_us; /**< will have had their time, monotonic */
    int is_flooded;          /**< orders of guests are refused, as was said */
    apr_uint64_t refused;    /**< and so many were, since then */
    int serving;             /**< whatever changes now is seen to at its end */
    amgr_order_peer_t clients[AMGR_ORDER_CLIENTS_MAX];
};

/** Hang up; the place is free. */
void amgr_order_peer_end(amgr_order_peer_t *client);

/** Begin a phase, which lasts @a span_us at most. */
void amgr_order_peer_enter(amgr_order_peer_t *client, int phase,
                           apr_interval_time_t span_us);

/** Send what it takes of its answer now; it is gone when that was all. */
void amgr_order_peer_send(amgr_order_peer_t *client);

/** Answer, and so end it (order_line.h). */
void amgr_order_peer_refuse(amgr_order_peer_t *client, int status,
                            const char *why);
void amgr_order_peer_tell(amgr_order_peer_t *client,
                          const amgr_managed_t *process, int settled);

/** Whether it is root, or whoever runs the server. */
int amgr_order_peer_is_master(const amgr_order_peer_t *client);

/** Whether it is httpd's own User, who is let. */
int amgr_order_peer_is_guest(const amgr_order_socket_t *orders,
                             const amgr_order_peer_t *client);

/** Whether there is time for one more of what may come every @a span_us, with
 * up to @a burst at once; then it is taken from *due_us, 0 at first. */
int amgr_order_peer_has_time(apr_time_t *due_us, apr_interval_time_t span_us,
                             int burst);

/** Carry out the order that was read, unless nobody waits for it; answer, or
 * begin to wait. */
void amgr_order_obey(amgr_order_socket_t *orders, amgr_order_peer_t *client);

/** Answer one that waits, when it is time for it. */
void amgr_order_look_at(amgr_order_socket_t *orders, amgr_order_peer_t *client);

#endif
