/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection to the order socket: who it is, and its answer.
 */
#include "supervise/order/order_parts.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

void amgr_order_peer_end(amgr_order_peer_t *client)
{
    close(client->fd);
    memset(client, 0, sizeof(*client));
}

void amgr_order_peer_enter(amgr_order_peer_t *client, int phase,
                           apr_interval_time_t span_us)
{
    client->phase = phase;
    client->until_mono_us = amgr_clock_monotonic_us() + span_us;
}

void amgr_order_peer_send(amgr_order_peer_t *client)
{
    while (client->sent < client->length) {
        ssize_t put = send(client->fd, client->answer + client->sent,
                           client->length - client->sent, MSG_NOSIGNAL);

        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0 && errno == EAGAIN) {
            return;
        }
        if (put <= 0) {
            break;
        }
        client->sent += (apr_size_t)put;
    }
    amgr_order_peer_end(client);
}

/* The answer is in the sink, which it cannot be too long for. */
static void answer(amgr_order_peer_t *client, const amgr_sink_t *sink)
{
    client->length = sink->used;
    amgr_order_peer_enter(client, AMGR_ORDER_WRITING, AMGR_ORDER_PATIENCE_US);
    amgr_order_peer_send(client);
}

void amgr_order_peer_refuse(amgr_order_peer_t *client, int status,
                            const char *why)
{
    amgr_sink_t sink;

    amgr_sink_init(&sink, client->answer, sizeof(client->answer), NULL, NULL);
    amgr_order_refuse(status, why, &sink);
    answer(client, &sink);
}

void amgr_order_peer_tell(amgr_order_peer_t *client,
                          const amgr_managed_t *process, int settled)
{
    amgr_sink_t sink;

    amgr_sink_init(&sink, client->answer, sizeof(client->answer), NULL, NULL);
    amgr_order_tell(process, client->already, settled, &sink);
    answer(client, &sink);
}

int amgr_order_peer_is_master(const amgr_order_peer_t *client)
{
    return client->peer.uid == 0 || client->peer.uid == geteuid();
}

int amgr_order_peer_is_guest(const amgr_order_socket_t *orders,
                             const amgr_order_peer_t *client)
{
    return orders->control && client->peer.uid == orders->uid;
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
