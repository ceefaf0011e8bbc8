/* SPDX-License-Identifier: Apache-2.0
 *
 * See order_socket.h.  A few connections at a time, each with room of its own
 * and a time until which it must have sent, or taken, its line.  An order is
 * carried out as soon as it is read; its answer may be kept until the process
 * has settled.
 */
#include "supervise/order/order_parts.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/clock.h"

/** Without a descriptor left there is no letting in for so long. */
#define DEAF_US (APR_USEC_PER_SEC / 10)

/** So many may be httpd's own User's, whoever that may be at the time: root
 * gets in all the same. */
#define GUESTS_MAX (AMGR_ORDER_CLIENTS_MAX - 4)

/** And so often may they connect; where they do so more often, nobody is heard
 * for a moment each time, so that it costs next to nothing. */
#define GUEST_US (10 * 1000)
#define GUEST_BURST 300

amgr_order_socket_t *amgr_order_socket_create(amgr_supervisor_t *supervisor,
                                              const amgr_teller_t *teller,
                                              apr_pool_t *pool)
{
    amgr_order_socket_t *orders = apr_pcalloc(pool, sizeof(*orders));

    orders->supervisor = supervisor;
    orders->teller = teller;
    amgr_socket_place_init(&orders->place, NULL, geteuid());
    return orders;
}

/** Open it, and look after it; one line in the log for each change. */
static void look_after(amgr_order_socket_t *orders)
{
    const amgr_socket_place_t *place = &orders->place;
    int change = amgr_socket_place_look(&orders->place);

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
    if (strcmp(orders->path, path) == 0 && orders->place.owner == owner) {
        return;
    }
    amgr_socket_place_close(&orders->place);
    apr_cpystrn(orders->path, path, sizeof(orders->path));
    amgr_socket_place_init(&orders->place,
                           path[0] == '\0' ? NULL : orders->path, owner);
    look_after(orders);
}

/** The line is there: what is wrong with it is told at once. */
static void take_line(amgr_order_socket_t *orders, amgr_order_peer_t *client,
                      const char *newline)
{
    apr_size_t len = (apr_size_t)(newline - client->line);
    const char *wrong;
    char buf[128];

    if (len + 1 < client->used) {
        wrong = "more than one line";
    }
    else {
        wrong = amgr_order_read(client->line, len, &client->order, buf,
                                sizeof(buf));
    }
    if (wrong != NULL) {
        amgr_order_peer_refuse(client, 400, wrong);
    }
    else {
        amgr_order_obey(orders, client);
    }
}

static void read_some(amgr_order_socket_t *orders, amgr_order_peer_t *client)
{
    ssize_t got = recv(client->fd, client->line + client->used,
                       sizeof(client->line) - client->used, 0);
    const char *newline;

    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    }
    if (got <= 0) {
        if (got == 0 && client->used > 0) {
            amgr_order_peer_refuse(client, 400, "a line without its end");
        }
        else {
            amgr_order_peer_end(client);
        }
        return;
    }
    client->used += (apr_size_t)got;
    newline = memchr(client->line, '\n', client->used);
    if (newline != NULL) {
        take_line(orders, client, newline);
    }
    else if (client->used == sizeof(client->line)) {
        amgr_order_peer_refuse(client, 400, "too long a line");
    }
}

static amgr_order_peer_t *find_free(amgr_order_socket_t *orders)
{
    int i;

    for (i = 0; i < AMGR_ORDER_CLIENTS_MAX; i++) {
        if (orders->clients[i].phase == AMGR_ORDER_FREE) {
            return &orders->clients[i];
        }
    }
    return NULL;
}

static int has_room_for_guest(const amgr_order_socket_t *orders)
{
    int guests = 0;
    int i;

    for (i = 0; i < AMGR_ORDER_CLIENTS_MAX; i++) {
        const amgr_order_peer_t *client = &orders->clients[i];

        guests += client->phase != AMGR_ORDER_FREE &&
                  !amgr_order_peer_is_master(client);
    }
    return guests <= GUESTS_MAX;
}

/** Whoever could connect although the file is not his: its mode was changed by
 * somebody. */
static void refuse_stranger(amgr_order_socket_t *orders,
                            amgr_order_peer_t *client)
{
    if (!orders->told_stranger) {
        amgr_say(orders->teller, AMGR_SAY_ORDER, AMGR_LEVEL_WARNING, 0,
                 "process %ld of uid %lu may not give orders: has somebody "
                 "changed the mode of %s?",
                 (long)client->peer.pid, (unsigned long)client->peer.uid,
                 orders->path);
        orders->told_stranger = 1;
    }
    amgr_order_peer_refuse(client, 403,
                           "orders are root's and the server's user's");
}

static void accept_one(amgr_order_socket_t *orders)
{
    amgr_order_peer_t *client = find_free(orders);
    socklen_t len = sizeof(client->peer);
    int fd;

    if (client == NULL || orders->place.fd < 0) {
        return;
    }
    fd = accept4(orders->place.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
            orders->deaf_mono_us = amgr_clock_monotonic_us() + DEAF_US;
        }
        return;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &client->peer, &len) != 0) {
        close(fd);
        return;
    }
    client->fd = fd;
    amgr_order_peer_enter(client, AMGR_ORDER_READING, AMGR_ORDER_PATIENCE_US);
    if (amgr_order_peer_is_master(client)) {
        return;
    }
    if (!amgr_order_peer_is_guest(orders, client)) {
        refuse_stranger(orders, client);
    }
    else if (!amgr_order_peer_has_time(&orders->guest_due_us, GUEST_US,
                                       GUEST_BURST)) {
        orders->deaf_mono_us = amgr_clock_monotonic_us() + GUEST_US;
        amgr_order_peer_refuse(client, 503, "too many connections");
    }
    else if (!has_room_for_guest(orders)) {
        amgr_order_peer_refuse(client, 503, "too many orders are waited for");
    }
}

static void serve_client(amgr_order_socket_t *orders, amgr_order_peer_t *client)
{
    switch (client->phase) {
    case AMGR_ORDER_READING:
        read_some(orders, client);
        break;
    case AMGR_ORDER_WAITING:
        amgr_order_peer_end(client); /* it hung up, and needs no answer */
        break;
    case AMGR_ORDER_WRITING:
        amgr_order_peer_send(client);
        break;
    default:
        break;
    }
}

/** Those that wait are looked at anew; no other is borne for ever. */
static void see_to_time(amgr_order_socket_t *orders)
{
    int i;

    for (i = 0; i < AMGR_ORDER_CLIENTS_MAX; i++) {
        amgr_order_peer_t *client = &orders->clients[i];

        if (client->phase == AMGR_ORDER_WAITING) {
            amgr_order_look_at(orders, client);
        }
        else if (client->phase != AMGR_ORDER_FREE &&
                 amgr_clock_monotonic_us() >= client->until_mono_us) {
            amgr_order_peer_end(client);
        }
    }
}

static int hears(const amgr_order_socket_t *orders)
{
    int i;

    for (i = 0; i < AMGR_ORDER_CLIENTS_MAX; i++) {
        if (orders->clients[i].phase == AMGR_ORDER_FREE) {
            return orders->place.fd >= 0 &&
                   amgr_clock_monotonic_us() >= orders->deaf_mono_us;
        }
    }
    return 0;
}

int amgr_order_socket_list(amgr_order_socket_t *orders, struct pollfd *entries)
{
    static const short events[] = {0, POLLIN, 0, POLLOUT};
    int count = 0;
    int i;

    if (hears(orders)) {
        entries[count++] = (struct pollfd){orders->place.fd, POLLIN, 0};
    }
    for (i = 0; i < AMGR_ORDER_CLIENTS_MAX; i++) {
        const amgr_order_peer_t *client = &orders->clients[i];

        if (client->phase != AMGR_ORDER_FREE) {
            entries[count++] =
                (struct pollfd){client->fd, events[client->phase], 0};
        }
    }
    return count;
}

apr_time_t amgr_order_socket_due(const amgr_order_socket_t *orders)
{
    apr_time_t due_us = APR_INT64_MAX;
    int i;

    if (orders->place.path != NULL) {
        due_us = orders->place.look_mono_us;
        if (orders->deaf_mono_us > amgr_clock_monotonic_us() &&
            orders->deaf_mono_us < due_us) {
            due_us = orders->deaf_mono_us;
        }
    }
    for (i = 0; i < AMGR_ORDER_CLIENTS_MAX; i++) {
        const amgr_order_peer_t *client = &orders->clients[i];

        if (client->phase != AMGR_ORDER_FREE &&
            client->until_mono_us < due_us) {
            due_us = client->until_mono_us;
        }
    }
    return due_us == APR_INT64_MAX ? AMGR_NO_TIME : due_us;
}

/** The client of a descriptor; what was listed may have gone since. */
static amgr_order_peer_t *find_client(amgr_order_socket_t *orders, int fd)
{
    int i;

    for (i = 0; i < AMGR_ORDER_CLIENTS_MAX; i++) {
        if (orders->clients[i].phase != AMGR_ORDER_FREE &&
            orders->clients[i].fd == fd) {
            return &orders->clients[i];
        }
    }
    return NULL;
}

void amgr_order_socket_serve(amgr_order_socket_t *orders,
                             const struct pollfd *entries, int count)
{
    int knocked = 0;
    int i;

    /* What an order changes is seen to at the end of this very call. */
    if (orders->serving) {
        return;
    }
    orders->serving = 1;
    for (i = 0; i < count; i++) {
        amgr_order_peer_t *client = find_client(orders, entries[i].fd);

        if (entries[i].revents == 0) {
            continue;
        }
        if (client != NULL) {
            serve_client(orders, client);
        }
        else if (entries[i].fd == orders->place.fd) {
            knocked = 1;
        }
    }
    if (knocked) {
        accept_one(orders);
    }
    see_to_time(orders);
    look_after(orders);
    orders->serving = 0;
}

void amgr_order_socket_end(amgr_order_socket_t *orders)
{
    int i;

    for (i = 0; i < AMGR_ORDER_CLIENTS_MAX; i++) {
        if (orders->clients[i].phase != AMGR_ORDER_FREE) {
            amgr_order_peer_end(&orders->clients[i]);
        }
    }
    amgr_socket_place_close(&orders->place);
}
