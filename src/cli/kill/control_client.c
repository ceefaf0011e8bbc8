/* SPDX-License-Identifier: Apache-2.0
 *
 * The connection to the ticker.  Never waits beyond its deadline, whatever the
 * other side does; believes nobody but a child of the httpd that is meant.
 */
#include "cli/kill/control_client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "base/escape.h"
#include "proc/proc_read.h"

/* The first room for an answer; it grows. */
#define ANSWER_FIRST 8192

typedef struct client_t {
    const char *path;
    const amgr_proc_id_t *parent;
    apr_time_t deadline_us;
    apr_pool_t *pool;
    amgr_proc_dir_t proc;
    uid_t uid;      /* as whom the httpd runs */
    uid_t peer_uid; /* as whom the ticker does */
    int fd;
    char *answer;
    apr_size_t length;
    const char *why;
    int absent; /* nobody listens, which may be over in a moment */
    int told;   /* the whole line was sent */
} client_t;

/* Note why it did not work; returns 0. */
static int give_up(client_t *client, const char *why)
{
    client->why = why;
    return 0;
}

static int give_up_errno(client_t *client, const char *what)
{
    char text[128];

    return give_up(client, apr_psprintf(client->pool, "%s: %s", what,
                                        apr_strerror(APR_FROM_OS_ERROR(errno),
                                                     text, sizeof(text))));
}

/* Between a server's two tickers there is none. */
static int note_absent(client_t *client, const char *what)
{
    client->absent = 1;
    return give_up_errno(client, what);
}

/* Wait for the descriptor until the deadline. */
static int wait_for(client_t *client, short events)
{
    struct pollfd p = {client->fd, events, 0};
    apr_time_t left_us;
    int n;

    for (;;) {
        left_us = client->deadline_us - amgr_clock_monotonic_us();
        if (left_us <= 0) {
            return give_up(client, "the ticker does not answer");
        }
        n = poll(&p, 1, (int)(left_us / 1000) + 1);
        if (n > 0) {
            return 1;
        }
        if (n < 0 && errno != EINTR) {
            return give_up_errno(client, "poll");
        }
    }
}

/* Whose socket it is: anybody else's could say what it likes. */
static int check_file(client_t *client)
{
    struct stat st;

    if (lstat(client->path, &st) != 0) {
        return errno == ENOENT
                   ? note_absent(client, "it cannot be looked at")
                   : give_up_errno(client, "it cannot be looked at");
    }
    if (!S_ISSOCK(st.st_mode)) {
        return give_up(client, "it is no socket");
    }
    if (st.st_uid != 0 && st.st_uid != client->uid) {
        return give_up(client, "it belongs to somebody else");
    }
    return 1;
}

static int open_socket(client_t *client)
{
    struct sockaddr_un address;

    memset(&address, 0, sizeof(address));
    address.sun_family = AF_UNIX;
    if (strlen(client->path) >= sizeof(address.sun_path)) {
        return give_up(client, "its path is too long");
    }
    apr_cpystrn(address.sun_path, client->path, sizeof(address.sun_path));
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (client->fd < 0) {
        return give_up_errno(client, "socket");
    }
    if (connect(client->fd, (const struct sockaddr *)&address,
                sizeof(address)) == 0) {
        return 1;
    }
    /* A unix socket whose queue is full cannot be waited for with poll(). */
    return errno == ENOENT || errno == ECONNREFUSED || errno == EAGAIN
               ? note_absent(client, "connect")
               : give_up_errno(client, "connect");
}

/* Who listens there, as the kernel noted when it began to. */
static int check_peer(client_t *client)
{
    struct ucred peer;
    socklen_t length = sizeof(peer);
    amgr_proc_stat_t stat;
    apr_status_t rv;

    if (getsockopt(client->fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
        return give_up_errno(client, "SO_PEERCRED");
    }
    if (peer.uid != client->uid) {
        return give_up(client, "another user listens there");
    }
    client->peer_uid = peer.uid;
    rv = amgr_proc_read_stat(&client->proc, peer.pid, &stat);
    if (rv == APR_NOTFOUND) {
        client->absent = 1;
        return give_up(client, "the ticker has ended");
    }
    if (rv != APR_SUCCESS || stat.ppid != client->parent->pid) {
        return give_up(client, "no child of this httpd listens there");
    }
    return 1;
}

static int send_line(client_t *client, const char *line)
{
    apr_size_t left = strlen(line);
    ssize_t n;

    while (left > 0) {
        n = send(client->fd, line, left, MSG_NOSIGNAL);
        if (n >= 0) {
            line += n;
            left -= (apr_size_t)n;
        }
        else if (errno == EAGAIN) {
            if (!wait_for(client, POLLOUT)) {
                return 0;
            }
        }
        else if (errno == EPIPE || errno == ECONNRESET) {
            return note_absent(client, "send");
        }
        else if (errno != EINTR) {
            return give_up_errno(client, "send");
        }
    }
    client->told = 1;
    return 1;
}

/* Room for at least one more byte. */
static int grow(client_t *client, apr_size_t *size)
{
    char *larger;

    if (client->length < *size) {
        return 1;
    }
    if (*size >= AMGR_CONTROL_ANSWER_MAX) {
        return give_up(client, "the answer has no end");
    }
    *size = *size == 0 ? ANSWER_FIRST : 2 * *size;
    larger = apr_palloc(client->pool, *size);
    if (client->length > 0) {
        memcpy(larger, client->answer, client->length);
    }
    client->answer = larger;
    return 1;
}

/* The kernel says so of a socket that was closed with something unread in it:
 * the order was read by nobody. */
static int is_unread(const client_t *client)
{
    return errno == ECONNRESET && client->length == 0;
}

static int receive_line(client_t *client)
{
    apr_size_t size = 0;
    ssize_t n;

    for (;;) {
        if (!grow(client, &size)) {
            return 0;
        }
        n = recv(client->fd, client->answer + client->length,
                 size - client->length, 0);
        if (n == 0) {
            return give_up(client, "the ticker hung up");
        }
        if (n < 0 && is_unread(client)) {
            client->told = 0;
            return note_absent(client, "recv");
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            return give_up_errno(client, "recv");
        }
        if (n < 0 && !wait_for(client, POLLIN)) {
            return 0;
        }
        if (n > 0) {
            client->length += (apr_size_t)n;
            if (client->answer[client->length - 1] == '\n') {
                return 1;
            }
        }
    }
}

/* As whom the httpd runs, if it still does. */
static int find_user(client_t *client)
{
    amgr_proc_status_t status;
    amgr_proc_id_t now;

    if (amgr_proc_read_status(&client->proc, client->parent->pid, &status) !=
            APR_SUCCESS ||
        amgr_proc_read_id(&client->proc, client->parent->pid, &now) !=
            APR_SUCCESS ||
        !amgr_proc_id_equal(&now, client->parent)) {
        return give_up(client, "the httpd has ended");
    }
    client->uid = status.uid[1];
    return 1;
}

static int converse(client_t *client, const char *line)
{
    return find_user(client) && check_file(client) && open_socket(client) &&
           check_peer(client) && send_line(client, line) &&
           receive_line(client);
}

/* The whole conversation of one line each way. */
static int talk(client_t *client, const char *line)
{
    int heard;

    client->fd = -1;
    if (amgr_proc_dir_open(&client->proc, "/proc") != APR_SUCCESS) {
        return give_up(client, "/proc cannot be opened");
    }
    heard = converse(client, line);
    amgr_proc_dir_close(&client->proc);
    if (client->fd >= 0) {
        close(client->fd);
    }
    return heard;
}

amgr_control_result_e amgr_control_ask(const char *path,
                                       const amgr_proc_id_t *parent,
                                       const amgr_demand_t *demand,
                                       apr_interval_time_t timeout_us,
                                       amgr_control_answer_t *out,
                                       const char **out_why, apr_pool_t *pool)
{
    const char *line = amgr_control_request(demand, pool);
    client_t client;
    int refused;

    *out_why = "out of memory";
    memset(&client, 0, sizeof(client));
    client.path = path;
    client.parent = parent;
    client.pool = pool;
    client.deadline_us = amgr_clock_monotonic_us() + timeout_us;
    if (line == NULL) {
        return AMGR_CONTROL_AWAY;
    }
    if (!talk(&client, line)) {
        *out_why = client.why;
        if (client.told) {
            return AMGR_CONTROL_LATE;
        }
        return client.absent ? AMGR_CONTROL_ABSENT : AMGR_CONTROL_AWAY;
    }
    *out_why =
        amgr_control_parse(client.answer, client.length, out, &refused, pool);
    if (*out_why == NULL) {
        out->is_ours = client.peer_uid == 0 || client.peer_uid == geteuid();
        return AMGR_CONTROL_DONE;
    }
    return refused ? AMGR_CONTROL_REFUSED : AMGR_CONTROL_SENSELESS;
}

int amgr_control_tick(const char *path, const amgr_proc_id_t *parent,
                      apr_interval_time_t timeout_us, apr_pool_t *pool)
{
    static const char done[] = "{\"ok\":true,";
    client_t client;

    memset(&client, 0, sizeof(client));
    client.path = path;
    client.parent = parent;
    client.pool = pool;
    client.deadline_us = amgr_clock_monotonic_us() + timeout_us;
    return talk(&client, "{\"order\":\"tick\"}\n") &&
           client.length >= sizeof(done) &&
           memcmp(client.answer, done, sizeof(done) - 1) == 0;
}
