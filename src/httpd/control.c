/* SPDX-License-Identifier: Apache-2.0
 *
 * See control.h.  A few connections at a time, each with a buffer of its own
 * and a time until which it must have sent, or taken, its line; nothing here
 * ever blocks, so that no client holds up a tick.
 */
#include "httpd/control.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/socket_place.h"
#include "httpd/control_order.h"
#include "httpd/log.h"
#include "httpd/tick_act.h"

#define CLIENTS_MAX 4

/** A client has so long for its line, and to take the answer. */
#define PATIENCE_US (2 * APR_USEC_PER_SEC)

/** Between two orders. */
#define TURN_US (APR_USEC_PER_SEC / 10)

#define ANSWER_ROOM 4096 /**< to begin with */

typedef enum phase_e {
    PHASE_FREE = 0,
    PHASE_READING,
    PHASE_IN_TURN, /**< its order waits for its turn */
    PHASE_WRITING
} phase_e;

typedef struct client_t {
    int fd;
    int phase;                /**< phase_e */
    apr_time_t since_mono_us; /**< of this phase */
    pid_t pid;                /**< who it is, as the kernel says */
    uid_t uid;
    amgr_control_order_t order;
    apr_size_t used;
    char line[AMGR_CONTROL_LINE_MAX];
    apr_pool_t *pool; /**< of the answer */
    char *answer;
    apr_size_t room;
    apr_size_t length;
    apr_size_t sent;
} client_t;

struct amgr_control_t {
    server_rec *server;
    amgr_tick_t *tick;
    amgr_socket_place_t place;
    apr_time_t turn_mono_us; /**< no order before this */
    apr_time_t deaf_mono_us; /**< nobody is let in before this */
    int told_stranger;
    client_t clients[CLIENTS_MAX];
};

amgr_control_t *amgr_control_create(server_rec *s, amgr_tick_t *tick,
                                    apr_pool_t *p)
{
    amgr_control_t *control = apr_pcalloc(p, sizeof(*control));

    control->server = s;
    control->tick = tick;
    amgr_socket_place_init(&control->place, amgr_config_main()->control_socket,
                           geteuid());
    return control;
}

static void hang_up(client_t *client)
{
    close(client->fd);
    if (client->pool != NULL) {
        apr_pool_destroy(client->pool);
    }
    memset(client, 0, sizeof(*client));
}

static void enter(client_t *client, int phase)
{
    client->phase = phase;
    client->since_mono_us = amgr_clock_monotonic_us();
}

/** The sink's flush: to the end of the answer. */
static apr_status_t append(void *baton, const char *data, apr_size_t len)
{
    client_t *client = baton;

    if (len > client->room - client->length) {
        apr_size_t room = 2 * (client->room + len) + ANSWER_ROOM;
        char *bigger = apr_palloc(client->pool, room);

        if (bigger == NULL) {
            return APR_ENOMEM;
        }
        if (client->length > 0) {
            memcpy(bigger, client->answer, client->length);
        }
        client->answer = bigger;
        client->room = room;
    }
    memcpy(client->answer + client->length, data, len);
    client->length += len;
    return APR_SUCCESS;
}

/** What the client takes of its answer now; it is gone when that was all. */
static void send_some(client_t *client)
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
    hang_up(client);
}

/** Whose order it was; one that retires nobody is of no interest. */
static void tell_order(const amgr_control_t *control, const client_t *client,
                       int about)
{
    const char *what =
        client->order.demand.dry_run ? "retire in a dry run" : "retire";

    amgr_log(control->server, AMGR_TAG_ORDER,
             about > 0 ? APLOG_INFO : APLOG_DEBUG, 0,
             "order of process %" APR_PID_T_FMT " (uid %lu) to %s: %d "
             "process%s",
             client->pid, (unsigned long)client->uid,
             client->order.retire ? what : "tick", about < 0 ? 0 : about,
             about == 1 ? "" : "es");
}

/** Carry out the order, or tell why not, and begin to send the answer. */
static void answer(amgr_control_t *control, client_t *client, const char *wrong)
{
    char buf[512];
    amgr_sink_t sink;

    if (apr_pool_create_unmanaged_ex(&client->pool, NULL, NULL) !=
        APR_SUCCESS) {
        client->pool = NULL;
        hang_up(client);
        return;
    }
    amgr_sink_init(&sink, buf, sizeof(buf), append, client);
    if (wrong != NULL) {
        amgr_control_order_refuse(wrong, &sink);
    }
    else {
        tell_order(
            control, client,
            amgr_control_order_run(control->tick, &client->order, &sink));
    }
    if (amgr_sink_finish(&sink) != APR_SUCCESS) {
        hang_up(client);
        return;
    }
    enter(client, PHASE_WRITING);
    send_some(client);
}

/** The line is there: what is wrong with it is told at once. */
static void take_line(amgr_control_t *control, client_t *client,
                      const char *newline)
{
    apr_size_t len = (apr_size_t)(newline - client->line);
    char buf[128];
    const char *wrong;

    if (len + 1 < client->used) {
        wrong = "more than one line";
    }
    else {
        wrong = amgr_control_order_read(client->line, len, &client->order, buf,
                                        sizeof(buf));
    }
    if (wrong != NULL) {
        answer(control, client, wrong);
    }
    else {
        enter(client, PHASE_IN_TURN);
    }
}

static void read_some(amgr_control_t *control, client_t *client)
{
    ssize_t got = recv(client->fd, client->line + client->used,
                       sizeof(client->line) - client->used, 0);
    const char *newline;

    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    }
    if (got <= 0) {
        if (got == 0 && client->used > 0) {
            answer(control, client, "a line without its end");
        }
        else {
            hang_up(client);
        }
        return;
    }
    client->used += (apr_size_t)got;
    newline = memchr(client->line, '\n', client->used);
    if (newline != NULL) {
        take_line(control, client, newline);
    }
    else if (client->used == sizeof(client->line)) {
        answer(control, client, "too long a line");
    }
}

/** Whoever could connect although the file is ours alone: its mode was changed
 * by somebody.  Orders are its owner's and root's all the same. */
static int is_welcome(amgr_control_t *control, client_t *client)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    if (getsockopt(client->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) {
        return 0;
    }
    client->pid = peer.pid;
    client->uid = peer.uid;
    if (peer.uid == 0 || peer.uid == geteuid()) {
        return 1;
    }
    if (!control->told_stranger) {
        amgr_log(control->server, AMGR_TAG_ORDER, APLOG_WARNING, 0,
                 "process %" APR_PID_T_FMT " of uid %lu may not give orders: "
                 "has somebody changed the mode of %s?",
                 peer.pid, (unsigned long)peer.uid, control->place.path);
        control->told_stranger = 1;
    }
    return 0;
}

static client_t *find_free(amgr_control_t *control)
{
    int i;

    for (i = 0; i < CLIENTS_MAX; i++) {
        if (control->clients[i].phase == PHASE_FREE) {
            return &control->clients[i];
        }
    }
    return NULL;
}

/** Without a descriptor left there is no letting in, and no end of knocking. */
static int may_enter(amgr_control_t *control)
{
    return find_free(control) != NULL &&
           amgr_clock_monotonic_us() >= control->deaf_mono_us;
}

static void accept_one(amgr_control_t *control)
{
    client_t *client = find_free(control);
    int fd;

    if (client == NULL) {
        return;
    }
    fd = accept4(control->place.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
            control->deaf_mono_us = amgr_clock_monotonic_us() + TURN_US;
        }
        return;
    }
    client->fd = fd;
    enter(client, PHASE_READING);
    if (!is_welcome(control, client)) {
        answer(control, client, "orders are root's and the server's user's");
    }
}

/** Whoever gave up waiting for an answer believes that nothing was done, and
 * may have done it himself. */
static int is_gone(const client_t *client)
{
    struct pollfd entry;

    entry.fd = client->fd;
    entry.events = 0;
    entry.revents = 0;
    return poll(&entry, 1, 0) != 0; /* POLLHUP and POLLERR come unasked */
}

/** The order that has waited longest, when it is its turn. */
static void take_turn(amgr_control_t *control)
{
    client_t *first = NULL;
    int i;

    if (amgr_clock_monotonic_us() < control->turn_mono_us) {
        return;
    }
    for (i = 0; i < CLIENTS_MAX; i++) {
        client_t *client = &control->clients[i];

        if (client->phase == PHASE_IN_TURN &&
            (first == NULL || client->since_mono_us < first->since_mono_us)) {
            first = client;
        }
    }
    if (first == NULL) {
        return;
    }
    if (is_gone(first)) {
        hang_up(first);
        return;
    }
    control->turn_mono_us = amgr_clock_monotonic_us() + TURN_US;
    answer(control, first, NULL);
}

static void serve(amgr_control_t *control, client_t *client, short events)
{
    if (client->phase == PHASE_READING && events != 0) {
        read_some(control, client);
    }
    else if (client->phase == PHASE_WRITING && events != 0) {
        send_some(client);
    }
    else if (client->phase == PHASE_IN_TURN && events != 0) {
        hang_up(client); /* nobody is there any more who could be answered */
    }
}

static void end_patience(amgr_control_t *control)
{
    apr_time_t now_us = amgr_clock_monotonic_us();
    int i;

    for (i = 0; i < CLIENTS_MAX; i++) {
        client_t *client = &control->clients[i];

        if ((client->phase == PHASE_READING ||
             client->phase == PHASE_WRITING) &&
            now_us - client->since_mono_us >= PATIENCE_US) {
            hang_up(client);
        }
    }
}

/** What comes first of all that there is to be done without anybody's doing. */
static apr_interval_time_t shorten(const amgr_control_t *control,
                                   apr_interval_time_t span_us)
{
    apr_time_t now_us = amgr_clock_monotonic_us();
    apr_time_t until_us = now_us + span_us;
    int i;

    for (i = 0; i < CLIENTS_MAX; i++) {
        const client_t *client = &control->clients[i];
        apr_time_t due_us = client->phase == PHASE_IN_TURN
                                ? control->turn_mono_us
                                : client->since_mono_us + PATIENCE_US;

        if (client->phase != PHASE_FREE && due_us < until_us) {
            until_us = due_us;
        }
    }
    return until_us > now_us ? until_us - now_us : 0;
}

/** Poll entries: the waker, the listener, the clients; -1 is passed over. */
static void list_all(amgr_control_t *control, int wake_fd,
                     struct pollfd *entries)
{
    static const short events[] = {0, POLLIN, 0, POLLOUT};
    int i;

    entries[0].fd = wake_fd;
    entries[0].events = POLLIN;
    entries[1].fd = may_enter(control) ? control->place.fd : -1;
    entries[1].events = POLLIN;
    for (i = 0; i < CLIENTS_MAX; i++) {
        const client_t *client = &control->clients[i];

        entries[2 + i].fd = client->phase == PHASE_FREE ? -1 : client->fd;
        entries[2 + i].events = events[client->phase];
    }
}

/** Look after the socket; it is the ticker's, and so are its faults.  One line
 * in the log for each change. */
static void look_after(amgr_control_t *control)
{
    amgr_counters_t *counters = amgr_board_counters(control->tick->board);
    amgr_socket_place_t *place = &control->place;
    apr_uint64_t failures = place->failures;
    int change = amgr_socket_place_look(place);

    counters->errors[AMGR_STAGE_TICKER] += place->failures - failures;
    if (change == AMGR_SOCKET_FAILED) {
        amgr_log(control->server, AMGR_TAG_CONTROL, APLOG_WARNING, place->error,
                 "control socket %s: %s", place->path, place->wrong);
    }
    else if (change != AMGR_SOCKET_SAME) {
        amgr_log(control->server, AMGR_TAG_CONTROL,
                 change == AMGR_SOCKET_OPENED ? APLOG_INFO : APLOG_NOTICE, 0,
                 "control socket %s takes orders", place->path);
    }
}

void amgr_control_wait(amgr_control_t *control, int wake_fd,
                       apr_interval_time_t span_us)
{
    struct pollfd entries[2 + CLIENTS_MAX];
    struct timespec span;
    int i;

    look_after(control);
    span_us = shorten(control, span_us);
    span.tv_sec = (time_t)apr_time_sec(span_us);
    span.tv_nsec = (long)apr_time_usec(span_us) * 1000;
    memset(entries, 0, sizeof(entries));
    list_all(control, wake_fd, entries);
    if (ppoll(entries, AMGR_COUNT(entries), &span, NULL) < 0 ||
        entries[0].revents != 0) {
        return;
    }
    for (i = 0; i < CLIENTS_MAX; i++) {
        serve(control, &control->clients[i], entries[2 + i].revents);
    }
    if (entries[1].revents != 0) {
        accept_one(control);
    }
    take_turn(control);
    end_patience(control);
}

void amgr_control_end(amgr_control_t *control)
{
    int i;

    for (i = 0; i < CLIENTS_MAX; i++) {
        if (control->clients[i].phase != PHASE_FREE) {
            hang_up(&control->clients[i]);
        }
    }
    amgr_socket_place_close(&control->place);
}
