/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses that must be free before a process is started.  Numbers only: a
 * name would have to be looked up, and that can wait for long.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervise/check/check.h"

#define TCP_PREFIX "tcp://"
#define UNIX_PREFIX "unix:"

#define EXPECTED "tcp://ADDRESS:PORT with a numeric address, or unix:/PATH"

/** An address as the kernel takes it. */
typedef struct address_t {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un path;
    } at;
    socklen_t len;
} address_t;

/* 0 for what is none. */
static in_port_t parse_port(const char *text)
{
    unsigned int port = 0;
    apr_size_t i;

    for (i = 0; text[i] >= '0' && text[i] <= '9' && i < 5; i++) {
        port = port * 10 + (unsigned int)(text[i] - '0');
    }
    return text[i] == '\0' && port <= 65535 ? (in_port_t)port : 0;
}

/* "127.0.0.1:80" or "[::1]:80" */
static int parse_tcp(const char *text, address_t *out)
{
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN + 2];
    in_port_t port;
    apr_size_t len;

    if (colon == NULL || (port = parse_port(colon + 1)) == 0) {
        return 0;
    }
    len = (apr_size_t)(colon - text);
    if (len == 0 || len >= sizeof(host)) {
        return 0;
    }
    memcpy(host, text, len);
    host[len] = '\0';
    if (host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        out->at.v6.sin6_family = AF_INET6;
        out->at.v6.sin6_port = htons(port);
        out->len = sizeof(out->at.v6);
        return inet_pton(AF_INET6, host + 1, &out->at.v6.sin6_addr) == 1;
    }
    out->at.v4.sin_family = AF_INET;
    out->at.v4.sin_port = htons(port);
    out->len = sizeof(out->at.v4);
    return inet_pton(AF_INET, host, &out->at.v4.sin_addr) == 1;
}

static int parse_path(const char *text, address_t *out)
{
    apr_size_t len = strlen(text);

    if (text[0] != '/' || len >= sizeof(out->at.path.sun_path)) {
        return 0;
    }
    out->at.path.sun_family = AF_UNIX;
    memcpy(out->at.path.sun_path, text, len + 1);
    out->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
    return 1;
}

static int parse(const char *text, address_t *out)
{
    memset(out, 0, sizeof(*out));
    if (strncmp(text, TCP_PREFIX, strlen(TCP_PREFIX)) == 0) {
        return parse_tcp(text + strlen(TCP_PREFIX), out);
    }
    if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0) {
        return parse_path(text + strlen(UNIX_PREFIX), out);
    }
    return 0;
}

const char *amgr_address_parse(const char *text)
{
    address_t address;

    return parse(text, &address) ? NULL : EXPECTED;
}

/* SO_REUSEADDR as servers have it: connections of the last run that linger in
 * TIME_WAIT are in nobody's way, a listener is. */
static apr_status_t try_bind(int fd, const address_t *address)
{
    int on = 1;

    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, &address->at.any, address->len) != 0) {
        return errno;
    }
    return APR_SUCCESS;
}

/* A socket's file without a listener is what the last run left, and servers
 * remove it; binding would make a file, so the listener is asked for.  A full
 * queue (EAGAIN) and another type of socket (EPROTOTYPE) are somebody's. */
static apr_status_t try_connect(int fd, const address_t *address)
{
    struct stat st;

    if (connect(fd, &address->at.any, address->len) == 0) {
        return EADDRINUSE;
    }
    if (errno == EAGAIN || errno == EPROTOTYPE || errno == EINPROGRESS) {
        return EADDRINUSE;
    }
    if (errno != ENOENT && errno != ECONNREFUSED) {
        return errno;
    }
    if (stat(address->at.path.sun_path, &st) == 0 && !S_ISSOCK(st.st_mode)) {
        return EEXIST;
    }
    return APR_SUCCESS;
}

apr_status_t amgr_address_is_free(const char *text)
{
    address_t address;
    apr_status_t rv;
    int fd;

    if (!parse(text, &address)) {
        return EINVAL;
    }
    fd = socket(address.at.any.sa_family,
                SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return errno;
    }
    rv = address.at.any.sa_family == AF_UNIX ? try_connect(fd, &address)
                                             : try_bind(fd, &address);
    close(fd);
    return rv;
}
