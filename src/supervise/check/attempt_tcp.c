/* SPDX-License-Identifier: Apache-2.0
 *
 * The verifier `tcp`: somebody accepts connections at HOST:PORT.
 */
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "supervise/check/attempt.h"

/** Of addresses behind one name. */
#define ADDRESSES_MAX 8

/* "HOST:PORT" or "[ADDRESS]:PORT", in a copy of it. */
static int split(char *target, char **out_host, char **out_port)
{
    char *colon = strrchr(target, ':');
    apr_size_t len;

    if (colon == NULL || colon == target || colon[1] == '\0') {
        return 0;
    }
    *colon = '\0';
    len = strlen(target);
    *out_host = target;
    *out_port = colon + 1;
    if (target[0] == '[' && target[len - 1] == ']') {
        target[len - 1] = '\0';
        *out_host = target + 1;
    }
    return 1;
}

/* 0, or the errno of the connection. */
static int wait_for(int fd, apr_interval_time_t span_us)
{
    struct pollfd entry = {.fd = fd, .events = POLLOUT};
    socklen_t len = sizeof(int);
    apr_int64_t span_ms = apr_time_as_msec(span_us) + 1;
    int error = 0;
    int ready;

    ready = poll(&entry, 1, span_ms > INT_MAX ? INT_MAX : (int)span_ms);
    if (ready <= 0) {
        return ready == 0 ? ETIMEDOUT : errno;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) {
        return errno;
    }
    return error;
}

/* Where nobody listens, a connection from the very port that it goes to meets
 * itself (RFC 9293, 3.5), and would keep the server from its address. */
static int met_itself(int fd)
{
    struct sockaddr_storage own;
    struct sockaddr_storage peer;
    socklen_t own_len = sizeof(own);
    socklen_t peer_len = sizeof(peer);
    struct linger reset = {.l_onoff = 1, .l_linger = 0};

    memset(&own, 0, sizeof(own));
    memset(&peer, 0, sizeof(peer));
    if (getsockname(fd, (struct sockaddr *)&own, &own_len) != 0 ||
        getpeername(fd, (struct sockaddr *)&peer, &peer_len) != 0 ||
        own_len != peer_len || memcmp(&own, &peer, own_len) != 0) {
        return 0;
    }
    /* Closed without a trace: TIME_WAIT keeps an address too. */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    return 1;
}

/* 0, or an errno. */
static int connect_to(const struct addrinfo *at, apr_interval_time_t span_us)
{
    int fd =
        socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
               at->ai_protocol);
    int error = 0;

    if (fd < 0) {
        return errno;
    }
    if (connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
        error = errno == EINPROGRESS ? wait_for(fd, span_us) : errno;
    }
    if (error == 0 && met_itself(fd)) {
        error = ECONNREFUSED;
    }
    close(fd);
    return error;
}

/* One after the other, and to each an equal share of what is left of the time:
 * one that is silent takes nothing from the next. */
static int connect_to_any(const struct addrinfo *list,
                          apr_interval_time_t timeout_us)
{
    apr_time_t end_us = amgr_clock_monotonic_us() + timeout_us;
    const struct addrinfo *at;
    int error = EADDRNOTAVAIL;
    int count = 0;

    for (at = list; at != NULL && count < ADDRESSES_MAX; at = at->ai_next) {
        count++;
    }
    for (at = list; count > 0; at = at->ai_next, count--) {
        apr_interval_time_t left_us = end_us - amgr_clock_monotonic_us();

        error = connect_to(at, left_us < 0 ? 0 : left_us / count);
        if (error == 0) {
            return 0;
        }
    }
    return error;
}

static int fail_lookup(amgr_attempt_t *attempt, int code)
{
    if (code == EAI_SYSTEM) {
        return amgr_attempt_fail_errno(attempt, "its host cannot be looked up",
                                       errno);
    }
    if (code == EAI_NONAME || code == EAI_NODATA) {
        return amgr_attempt_fail(attempt, "its host is not known");
    }
    return amgr_attempt_fail(attempt, "its host cannot be looked up: %s",
                             gai_strerror(code));
}

int amgr_attempt_tcp(amgr_attempt_t *attempt)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICSERV};
    const char *target = attempt->verify->target;
    struct addrinfo *list = NULL;
    char text[1100];
    char *host;
    char *port;
    int error;

    if (target == NULL || strlen(target) >= sizeof(text)) {
        return amgr_attempt_fail(attempt, "its target is not HOST:PORT");
    }
    memcpy(text, target, strlen(target) + 1);
    if (!split(text, &host, &port)) {
        return amgr_attempt_fail(attempt, "its target is not HOST:PORT");
    }
    error = getaddrinfo(host, port, &hints, &list);
    if (error != 0) {
        return fail_lookup(attempt, error);
    }
    error = connect_to_any(list, attempt->verify->timeout_us);
    freeaddrinfo(list);
    if (error == ETIMEDOUT) {
        amgr_attempt_late_text(attempt->verify, attempt->text,
                               sizeof(attempt->text));
        return 1;
    }
    return error == 0 ? 0 : amgr_attempt_fail_errno(attempt, NULL, error);
}
