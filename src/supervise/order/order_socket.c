/* SPDX-License-Identifier: Apache-2.0
 *
 * See order_socket.h.  An order is carried out as soon as it is read; its
 * answer may be kept until the process has settled.
 */
#include "supervise/order/order_parts.h"

#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/clock.h"

/** So many may be httpd's own User's, whoever that may be at the time: root
 * gets in all the same. */
#define GUESTS_MAX (AMGR_ORDER_CLIENTS_MAX - 4)

/** And so often may they connect; where they do so more often, nobody is heard
 * for a moment each time, so that it costs next to nothing. */
#define GUEST_US (10 * 1000)
#define GUEST_BURST 300

/** Open it, and look after it; one line in the log for each change. */
static void look_after(amgr_order_socket_t *orders)
{
    const amgr_socket_place_t *place = &orders->lines.place;
    int change = amgr_socket_place_look(&orders->lines.place);

    if (change == AMGR_SOCKET_FAILED) {
        amgr_say(orders->teller, AMGR_SAY_ORDER, AMGR_LEVEL_WARNING,
                 place->error, "order socket %s: %s", place->path,
                 place->wrong);
    }
    else if (change != AMGR_SOCKET_SAME) {
        amgr_say(orders->teller, AMGR_SAY_ORDER,
                 change == AMGR_SOCKET_OPENED ? AMGR_LEVEL_INFO
                                              : AMGR_LEVEL_NOTICE,
                 0, "order socket %s takes orders", place->path);
    }
}

void amgr_order_socket_move(amgr_order_socket_t *orders, const char *path,
                            int control, uid_t uid)
{
    /* Without root's rights children are whoever runs the server. */
    uid_t owner = control && geteuid() == 0 ? uid : geteuid();

    orders->control = control;
    orders->uid = uid;
    if (strcmp(orders->path, path) == 0 && orders->lines.place.owner == owner) {
        return;
    }
    amgr_socket_place_close(&orders->lines.place);
    apr_cpystrn(orders->path, path, sizeof(orders->path));
    amgr_socket_place_init(&orders->lines.place,
                           path[0] == '\0' ? NULL : orders->path, owner);
    look_after(orders);
}

/** What is wrong with a line is told at once. */
static void take(void *baton, amgr_line_client_t *client, apr_size_t len,
                 const char *wrong)
{
    amgr_order_peer_t *peer = client->own;
    char buf[128];

    peer->already = 0;
    if (wrong == NULL) {
        wrong =
            amgr_order_read(client->line, len, &peer->order, buf, sizeof(buf));
    }
    if (wrong != NULL) {
        amgr_order_peer_refuse(peer, 400, wrong);
    }
    else {
        amgr_order_obey(baton, peer);
    }
}

static int has_room_for_guest(const amgr_order_socket_t *orders)
{
    int guests = 0;
    int i;

    for (i = 0; i < AMGR_ORDER_CLIENTS_MAX; i++) {
        const amgr_order_peer_t *peer = &orders->peers[i];

        guests += peer->client->phase != AMGR_LINE_FREE &&
                  !amgr_order_peer_is_master(peer);
    }
    return guests <= GUESTS_MAX;
}

/** Whoever could connect although the file is not his: its mode was changed by
 * somebody. */
static void refuse_stranger(amgr_order_socket_t *orders,
                            const amgr_order_peer_t *peer)
{
    if (!orders->told_stranger) {
        amgr_say(orders->teller, AMGR_SAY_ORDER, AMGR_LEVEL_WARNING, 0,
                 "process %ld of uid %lu may not give orders: has somebody "
                 "changed the mode of %s?",
                 (long)peer->client->who.pid,
                 (unsigned long)peer->client->who.uid, orders->path);
        orders->told_stranger = 1;
    }
    amgr_order_peer_refuse(peer, 403,
                           "orders are root's and the server's user's");
}

static void admit(void *baton, amgr_line_client_t *client)
{
    amgr_order_socket_t *orders = baton;
    const amgr_order_peer_t *peer = client->own;

    if (amgr_order_peer_is_master(peer)) {
        return;
    }
    if (!amgr_order_peer_is_guest(orders, peer)) {
        refuse_stranger(orders, peer);
    }
    else if (!amgr_order_peer_has_time(&orders->guest_due_us, GUEST_US,
                                       GUEST_BURST)) {
        orders->lines.deaf_mono_us = amgr_clock_monotonic_us() + GUEST_US;
        amgr_order_peer_refuse(peer, 503, "too many connections");
    }
    else if (!has_room_for_guest(orders)) {
        amgr_order_peer_refuse(peer, 503, "too many orders are waited for");
    }
}

amgr_order_socket_t *amgr_order_socket_create(amgr_supervisor_t *supervisor,
                                              const amgr_teller_t *teller,
                                              apr_pool_t *pool)
{
    amgr_order_socket_t *orders = apr_pcalloc(pool, sizeof(*orders));
    amgr_line_server_t *lines = &orders->lines;
    int i;

    orders->supervisor = supervisor;
    orders->teller = teller;
    amgr_line_server_init(lines, AMGR_ORDER_CLIENTS_MAX, AMGR_ORDER_LINE_MAX,
                          pool);
    lines->admit = admit;
    lines->take = take;
    lines->baton = orders;
    for (i = 0; i < AMGR_ORDER_CLIENTS_MAX; i++) {
        orders->peers[i].client = &lines->clients[i];
        lines->clients[i].own = &orders->peers[i];
    }
    return orders;
}

int amgr_order_socket_list(amgr_order_socket_t *orders, struct pollfd *entries)
{
    return amgr_line_server_list(&orders->lines, entries);
}

apr_time_t amgr_order_socket_due(const amgr_order_socket_t *orders)
{
    const amgr_socket_place_t *place = &orders->lines.place;
    apr_time_t due_us = amgr_line_server_due(&orders->lines);

    if (place->path != NULL &&
        (due_us == AMGR_NO_TIME || place->look_mono_us < due_us)) {
        due_us = place->look_mono_us;
    }
    return due_us;
}

void amgr_order_socket_serve(amgr_order_socket_t *orders,
                             const struct pollfd *entries, int count)
{
    int i;

    /* What an order changes is seen to at the end of this very call. */
    if (orders->serving) {
        return;
    }
    orders->serving = 1;
    amgr_line_server_serve(&orders->lines, entries, count);
    for (i = 0; i < AMGR_ORDER_CLIENTS_MAX; i++) {
        if (orders->lines.clients[i].phase == AMGR_LINE_WAITING) {
            amgr_order_look_at(orders, &orders->peers[i]);
        }
    }
    look_after(orders);
    orders->serving = 0;
}

void amgr_order_socket_end(amgr_order_socket_t *orders)
{
    amgr_line_server_end(&orders->lines);
}
