/* SPDX-License-Identifier: Apache-2.0
 *
 * See order_client.h.  Whoever listens is known by what the kernel noted of it,
 * not by the path, which others may have had a hand in.
 */
#include "supervise/order/order_client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/clock.h"

/** Between two attempts to get into a queue that is full, which cannot be
 * waited for. */
#define QUEUE_MS 20

typedef struct call_t {
    int fd;
    apr_time_t deadline_us;
    uid_t server; /**< who has to listen; or */
    uid_t other;  /**< this one */
    char line[AMGR_ORDER_LINE_MAX];
} call_t;

static int left_ms(const call_t *call)
{
    apr_time_t left_us = call->deadline_us - amgr_clock_monotonic_us();

    return left_us <= 0 ? 0 : (int)((left_us + 999) / 1000);
}

static apr_status_t wait_for(const call_t *call, short events)
{
    struct pollfd entry = {call->fd, events, 0};
    int ms;
    int n;

    do {
        ms = left_ms(call);
        n = ms == 0 ? 0 : poll(&entry, 1, ms);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return errno;
    }
    return n == 0 ? APR_TIMEUP : APR_SUCCESS;
}

/** A little patience, or what is left of it. */
static apr_status_t wait_in_queue(const call_t *call)
{
    int ms = left_ms(call);

    if (ms == 0) {
        return APR_TIMEUP;
    }
    (void)poll(NULL, 0, ms < QUEUE_MS ? ms : QUEUE_MS); /* a pause */
    return APR_SUCCESS;
}

static apr_status_t connect_to(call_t *call, const char *path)
{
    struct sockaddr_un address;
    apr_status_t rv = APR_SUCCESS;

    memset(&address, 0, sizeof(address));
    address.sun_family = AF_UNIX;
    if (strlen(path) >= sizeof(address.sun_path)) {
        return APR_EINVAL;
    }
    apr_cpystrn(address.sun_path, path, sizeof(address.sun_path));
    call->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (call->fd < 0) {
        return errno;
    }
    while (rv == APR_SUCCESS &&
           connect(call->fd, (const struct sockaddr *)&address,
                   sizeof(address)) != 0) {
        switch (errno) {
        case EINTR:
            break;
        case EAGAIN:
            rv = wait_in_queue(call);
            break;
        default:
            return errno;
        }
    }
    return rv;
}

static apr_status_t check_peer(const call_t *call)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    if (getsockopt(call->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) {
        return errno;
    }
    return peer.uid == call->server || peer.uid == call->other ? APR_SUCCESS
                                                               : APR_EMISMATCH;
}

/** Who does not want to read may have told why. */
static apr_status_t send_line(const call_t *call)
{
    const char *at = call->line;
    apr_size_t left = strlen(call->line);
    apr_status_t rv = APR_SUCCESS;

    while (left > 0 && rv == APR_SUCCESS) {
        ssize_t put = send(call->fd, at, left, MSG_NOSIGNAL);

        if (put >= 0) {
            at += put;
            left -= (apr_size_t)put;
        }
        else if (errno == EPIPE || errno == ECONNRESET) {
            return APR_SUCCESS;
        }
        else if (errno == EAGAIN) {
            rv = wait_for(call, POLLOUT);
        }
        else if (errno != EINTR) {
            rv = errno;
        }
    }
    return rv;
}

static apr_status_t receive_answer(const call_t *call, amgr_order_answer_t *out)
{
    char line[AMGR_ORDER_ANSWER_MAX];
    apr_size_t used = 0;
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS && used < sizeof(line)) {
        ssize_t got = recv(call->fd, line + used, sizeof(line) - used, 0);
        const char *newline;

        if (got > 0) {
            used += (apr_size_t)got;
            newline = memchr(line, '\n', used);
            if (newline != NULL) {
                return amgr_order_answer_parse(
                    line, (apr_size_t)(newline - line), out);
            }
        }
        else if (got == 0 || errno == ECONNRESET) {
            return APR_EGENERAL;
        }
        else if (errno == EAGAIN) {
            rv = wait_for(call, POLLIN);
        }
        else if (errno != EINTR) {
            rv = errno;
        }
    }
    return rv != APR_SUCCESS ? rv : APR_EGENERAL;
}

/** What needs no escaping, as names of processes and verbs do not. */
static int is_word(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    apr_size_t len = strlen(text);

    return len > 0 && len < AMGR_MANAGED_NAME_LEN &&
           strspn(text, letters) == len;
}

static apr_status_t make_line(call_t *call, const char *verb, const char *name,
                              int id, int wait_ms)
{
    amgr_sink_t sink;
    int has_name = name != NULL && name[0] != '\0';

    if (wait_ms < 0 || wait_ms > AMGR_ORDER_WAIT_MAX_MS || id < 0 ||
        !is_word(verb) || (has_name && !is_word(name))) {
        return APR_EINVAL;
    }
    amgr_sink_init_text(&sink, call->line, sizeof(call->line));
    amgr_sink_printf(&sink, "{\"verb\":\"%s\"", verb);
    if (has_name) {
        amgr_sink_printf(&sink, ",\"name\":\"%s\"", name);
    }
    else if (id > 0) {
        amgr_sink_printf(&sink, ",\"id\":%d", id);
    }
    amgr_sink_printf(&sink, ",\"wait_ms\":%d}\n", wait_ms);
    amgr_sink_text(&sink);
    return APR_SUCCESS;
}

static apr_status_t ask(call_t *call, const char *path,
                        amgr_order_answer_t *out)
{
    apr_status_t rv = connect_to(call, path);

    if (rv == APR_SUCCESS) {
        rv = check_peer(call);
    }
    if (rv == APR_SUCCESS) {
        rv = send_line(call);
    }
    if (rv == APR_SUCCESS) {
        rv = receive_answer(call, out);
    }
    if (call->fd >= 0) {
        close(call->fd);
    }
    return rv;
}

static apr_status_t ask_either(const char *path, uid_t server, uid_t other,
                               const char *verb, const char *name, int id,
                               int wait_ms, amgr_order_answer_t *out)
{
    call_t call;
    apr_status_t rv;

    memset(out, 0, sizeof(*out));
    call.fd = -1;
    call.server = server;
    call.other = other;
    rv = make_line(&call, verb, name, id, wait_ms);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    call.deadline_us = amgr_clock_monotonic_us() + (apr_time_t)wait_ms * 1000 +
                       AMGR_ORDER_GRACE_US;
    return ask(&call, path, out);
}

apr_status_t amgr_order_ask(const char *path, const char *verb,
                            const char *name, int id, int wait_ms,
                            amgr_order_answer_t *out)
{
    return ask_either(path, 0, geteuid(), verb, name, id, wait_ms, out);
}

apr_status_t amgr_order_ask_user(const char *path, uid_t server,
                                 const char *verb, const char *name, int id,
                                 int wait_ms, amgr_order_answer_t *out)
{
    return ask_either(path, server, server, verb, name, id, wait_ms, out);
}
