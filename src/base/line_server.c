/* SPDX-License-Identifier: Apache-2.0
 *
 * See line_server.h.
 */
#include "base/line_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

/** Without a descriptor left there is no letting in for so long. */
#define DEAF_US (APR_USEC_PER_SEC / 10)

#define ANSWER_ROOM 4096 /**< to begin with */

void amgr_line_server_init(amgr_line_server_t *server, int count,
                           apr_size_t line_max, apr_pool_t *pool)
{
    int i;

    memset(server, 0, sizeof(*server));
    amgr_socket_place_init(&server->place, NULL, geteuid());
    server->count = count;
    server->line_max = line_max;
    server->clients =
        apr_pcalloc(pool, (apr_size_t)count * sizeof(*server->clients));
    for (i = 0; i < count; i++) {
        server->clients[i].line = apr_palloc(pool, line_max);
    }
}

void amgr_line_hang_up(amgr_line_client_t *client)
{
    void *own = client->own;
    char *line = client->line;

    close(client->fd);
    free(client->answer);
    memset(client, 0, sizeof(*client));
    client->own = own;
    client->line = line;
}

static void enter(amgr_line_client_t *client, int phase,
                  apr_interval_time_t span_us)
{
    client->phase = phase;
    client->since_mono_us = amgr_clock_monotonic_us();
    client->until_mono_us = span_us == AMGR_LINE_FOREVER
                                ? AMGR_LINE_FOREVER
                                : client->since_mono_us + span_us;
}

void amgr_line_wait(amgr_line_client_t *client, apr_interval_time_t span_us)
{
    enter(client, AMGR_LINE_WAITING, span_us);
}

int amgr_line_is_gone(const amgr_line_client_t *client)
{
    struct pollfd entry = {client->fd, 0, 0};

    return poll(&entry, 1, 0) != 0; /* POLLHUP and POLLERR come unasked */
}

apr_status_t amgr_line_append(void *baton, const char *data, apr_size_t len)
{
    amgr_line_client_t *client = baton;

    if (len > client->room - client->length) {
        apr_size_t room = 2 * (client->room + len) + ANSWER_ROOM;
        char *bigger = realloc(client->answer, room);

        if (bigger == NULL) {
            return APR_ENOMEM;
        }
        client->answer = bigger;
        client->room = room;
    }
    memcpy(client->answer + client->length, data, len);
    client->length += len;
    return APR_SUCCESS;
}

/** What the client takes of its answer now; it is gone when that was all. */
static void send_some(amgr_line_client_t *client)
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
    amgr_line_hang_up(client);
}

void amgr_line_answer(amgr_line_client_t *client, amgr_sink_t *sink)
{
    if (amgr_sink_finish(sink) != APR_SUCCESS) {
        amgr_line_hang_up(client);
        return;
    }
    enter(client, AMGR_LINE_WRITING, AMGR_LINE_PATIENCE_US);
    send_some(client);
}

static void read_some(amgr_line_server_t *server, amgr_line_client_t *client)
{
    ssize_t got = recv(client->fd, client->line + client->used,
                       server->line_max - client->used, 0);
    const char *newline;
    apr_size_t len;

    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    }
    if (got <= 0) {
        if (got == 0 && client->used > 0) {
            server->take(server->baton, client, 0, "a line without its end");
        }
        else {
            amgr_line_hang_up(client);
        }
        return;
    }
    client->used += (apr_size_t)got;
    newline = memchr(client->line, '\n', client->used);
    if (newline != NULL) {
        len = (apr_size_t)(newline - client->line);
        server->take(server->baton, client, len,
                     len + 1 < client->used ? "more than one line" : NULL);
    }
    else if (client->used == server->line_max) {
        server->take(server->baton, client, 0, "too long a line");
    }
}

static amgr_line_client_t *find_free(const amgr_line_server_t *server)
{
    int i;

    for (i = 0; i < server->count; i++) {
        if (server->clients[i].phase == AMGR_LINE_FREE) {
            return &server->clients[i];
        }
    }
    return NULL;
}

static void accept_one(amgr_line_server_t *server)
{
    amgr_line_client_t *client = find_free(server);
    socklen_t len = sizeof(struct ucred);
    int fd;

    if (client == NULL || server->place.fd < 0) {
        return;
    }
    fd = accept4(server->place.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
            server->deaf_mono_us = amgr_clock_monotonic_us() + DEAF_US;
        }
        return;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &client->who, &len) != 0) {
        close(fd);
        return;
    }
    client->fd = fd;
    enter(client, AMGR_LINE_READING, AMGR_LINE_PATIENCE_US);
    server->admit(server->baton, client);
}

static void serve_client(amgr_line_server_t *server, amgr_line_client_t *client)
{
    switch (client->phase) {
    case AMGR_LINE_READING:
        read_some(server, client);
        break;
    case AMGR_LINE_WAITING:
        amgr_line_hang_up(client); /* it did so, and needs no answer */
        break;
    case AMGR_LINE_WRITING:
        send_some(client);
        break;
    default:
        break;
    }
}

/** Whether a connection would be let in now. */
static int hears(const amgr_line_server_t *server)
{
    return server->place.fd >= 0 && find_free(server) != NULL &&
           amgr_clock_monotonic_us() >= server->deaf_mono_us;
}

int amgr_line_server_list(const amgr_line_server_t *server,
                          struct pollfd *entries)
{
    static const short events[] = {0, POLLIN, 0, POLLOUT};
    int count = 0;
    int i;

    if (hears(server)) {
        entries[count++] = (struct pollfd){server->place.fd, POLLIN, 0};
    }
    for (i = 0; i < server->count; i++) {
        const amgr_line_client_t *client = &server->clients[i];

        if (client->phase != AMGR_LINE_FREE) {
            entries[count++] =
                (struct pollfd){client->fd, events[client->phase], 0};
        }
    }
    return count;
}

apr_time_t amgr_line_server_due(const amgr_line_server_t *server)
{
    apr_time_t due_us = AMGR_LINE_FOREVER;
    int i;

    if (server->place.fd >= 0 &&
        server->deaf_mono_us > amgr_clock_monotonic_us()) {
        due_us = server->deaf_mono_us;
    }
    for (i = 0; i < server->count; i++) {
        const amgr_line_client_t *client = &server->clients[i];

        if (client->phase != AMGR_LINE_FREE && client->until_mono_us < due_us) {
            due_us = client->until_mono_us;
        }
    }
    return due_us == AMGR_LINE_FOREVER ? AMGR_NO_TIME : due_us;
}

/** The client of a descriptor; what was listed may have gone since. */
static amgr_line_client_t *find_client(const amgr_line_server_t *server, int fd)
{
    int i;

    for (i = 0; i < server->count; i++) {
        if (server->clients[i].phase != AMGR_LINE_FREE &&
            server->clients[i].fd == fd) {
            return &server->clients[i];
        }
    }
    return NULL;
}

static void end_patience(amgr_line_server_t *server)
{
    apr_time_t now_us = amgr_clock_monotonic_us();
    int i;

    for (i = 0; i < server->count; i++) {
        amgr_line_client_t *client = &server->clients[i];

        if (client->phase != AMGR_LINE_FREE &&
            client->phase != AMGR_LINE_WAITING &&
            now_us >= client->until_mono_us) {
            amgr_line_hang_up(client);
        }
    }
}

void amgr_line_server_serve(amgr_line_server_t *server,
                            const struct pollfd *entries, int count)
{
    int knocked = 0;
    int i;

    for (i = 0; i < count; i++) {
        amgr_line_client_t *client = find_client(server, entries[i].fd);

        if (entries[i].revents == 0) {
            continue;
        }
        if (client != NULL) {
            serve_client(server, client);
        }
        else if (entries[i].fd == server->place.fd) {
            knocked = 1;
        }
    }
    if (knocked) {
        accept_one(server);
    }
    end_patience(server);
}

void amgr_line_server_end(amgr_line_server_t *server)
{
    int i;

    for (i = 0; i < server->count; i++) {
        if (server->clients[i].phase != AMGR_LINE_FREE) {
            amgr_line_hang_up(&server->clients[i]);
        }
    }
    amgr_socket_place_close(&server->place);
}
