/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection to the order socket: who it is, and its answer.
 */
#include "supervise/order/order_parts.h"

#include <unistd.h>

#include "base/clock.h"

void amgr_order_peer_refuse(const amgr_order_peer_t *peer, int status,
                            const char *why)
{
    char buf[AMGR_ORDER_ANSWER_MAX];
    amgr_sink_t sink;

    amgr_sink_init(&sink, buf, sizeof(buf), amgr_line_append, peer->client);
    amgr_order_refuse(status, why, &sink);
    amgr_line_answer(peer->client, &sink);
}

void amgr_order_peer_tell(const amgr_order_peer_t *peer,
                          const amgr_managed_t *process, int settled)
{
    char buf[AMGR_ORDER_ANSWER_MAX];
    amgr_sink_t sink;

    amgr_sink_init(&sink, buf, sizeof(buf), amgr_line_append, peer->client);
    amgr_order_tell(process, peer->already, settled, &sink);
    amgr_line_answer(peer->client, &sink);
}

int amgr_order_peer_is_master(const amgr_order_peer_t *peer)
{
    return peer->client->who.uid == 0 || peer->client->who.uid == geteuid();
}

int amgr_order_peer_is_guest(const amgr_order_socket_t *orders,
                             const amgr_order_peer_t *peer)
{
    return orders->control && peer->client->who.uid == orders->uid;
}

int amgr_order_peer_has_time(apr_time_t *due_us, apr_interval_time_t span_us,
                             int burst)
{
    apr_time_t now_us = amgr_clock_monotonic_us();

    if (*due_us < now_us) {
        *due_us = now_us;
    }
    if (*due_us - now_us > (burst - 1) * span_us) {
        return 0;
    }
    *due_us += span_us;
    return 1;
}
