/* SPDX-License-Identifier: Apache-2.0
 *
 * See local_address.h.
 */
#include "cli/local/local_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/clock.h"

/** How long a name may take. */
#define NAME_US APR_USEC_PER_SEC

static void add_address(amgr_local_addresses_t *addresses,
                        const struct sockaddr *address)
{
    const void *bytes;
    char *text;
    int i;

    if (addresses->count >= AMGR_LOCAL_ADDRESSES_MAX || address == NULL) {
        return;
    }
    if (address->sa_family == AF_INET) {
        bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    }
    else if (address->sa_family == AF_INET6) {
        bytes =
            &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    }
    else {
        return;
    }
    text = addresses->texts[addresses->count];
    if (inet_ntop(address->sa_family, bytes, text, INET6_ADDRSTRLEN) == NULL) {
        return;
    }
    for (i = 0; i < addresses->count; i++) {
        if (strcmp(addresses->texts[i], text) == 0) {
            return;
        }
    }
    addresses->count++;
}

/** As the system's resolver says, in its own time. */
static void look_up(const char *host, int flags, amgr_local_addresses_t *out)
{
    struct addrinfo hints;
    struct addrinfo *list = NULL;
    const struct addrinfo *entry;

    memset(&hints, 0, sizeof(hints));
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    if (getaddrinfo(host, NULL, &hints, &list) != 0) {
        return;
    }
    for (entry = list; entry != NULL; entry = entry->ai_next) {
        add_address(out, entry->ai_addr);
    }
    freeaddrinfo(list);
}

/** In the child: at once when it is told to end, whatever it waits for. */
static void answer(int fd, const char *host)
{
    amgr_local_addresses_t found;

    memset(&found, 0, sizeof(found));
    look_up(host, 0, &found);
    /* It fits into a pipe; a reader that has gone wants none. */
    (void)!write(fd, &found, sizeof(found));
}

/** Whether the whole answer came in time. */
static int read_answer(int fd, amgr_local_addresses_t *out)
{
    apr_time_t end_us = amgr_clock_monotonic_us() + NAME_US;
    struct pollfd ready = {fd, POLLIN, 0};
    apr_interval_time_t left_us;
    int result;

    do {
        left_us = end_us - amgr_clock_monotonic_us();
        result = poll(&ready, 1, left_us > 0 ? (int)(left_us / 1000) + 1 : 0);
    } while (result < 0 && errno == EINTR);
    return result > 0 && read(fd, out, sizeof(*out)) == (ssize_t)sizeof(*out);
}

static void ask(const char *host, amgr_local_addresses_t *out)
{
    amgr_local_addresses_t found;
    int ends[2];
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return;
    }
    child = fork();
    if (child == 0) {
        close(ends[0]);
        answer(ends[1], host);
        _exit(0);
    }
    close(ends[1]);
    if (child > 0) {
        if (read_answer(ends[0], &found)) {
            *out = found;
        }
        kill(child, SIGKILL);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    close(ends[0]);
}

/** localhost needs nobody to be asked. */
static void resolve(const char *host, amgr_local_addresses_t *out)
{
    memset(out, 0, sizeof(*out));
    if (strcasecmp(host, "localhost") == 0) {
        apr_cpystrn(out->texts[out->count++], "127.0.0.1", INET6_ADDRSTRLEN);
        apr_cpystrn(out->texts[out->count++], "::1", INET6_ADDRSTRLEN);
        return;
    }
    look_up(host, AI_NUMERICHOST, out);
    if (out->count == 0) {
        ask(host, out);
    }
}

const amgr_local_addresses_t *amgr_local_resolve(const char *host,
                                                 apr_pool_t *pool)
{
    amgr_local_addresses_t *addresses;
    const char *key = apr_pstrcat(pool, "amgr_local_resolve ", host, NULL);
    void *known = NULL;

    if (apr_pool_userdata_get(&known, key, pool) == APR_SUCCESS &&
        known != NULL) {
        return known;
    }
    addresses = apr_palloc(pool, sizeof(*addresses));
    resolve(host, addresses);
    /* Without it the name is asked for again. */
    (void)apr_pool_userdata_setn(addresses, key, NULL, pool);
    return addresses;
}

static int is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

static int is_of_interface(const struct ifaddrs *interfaces,
                           const char *address)
{
    const struct ifaddrs *entry;

    for (entry = interfaces; entry != NULL; entry = entry->ifa_next) {
        amgr_local_addresses_t own;

        memset(&own, 0, sizeof(own));
        add_address(&own, entry->ifa_addr);
        if (own.count > 0 && strcmp(own.texts[0], address) == 0) {
            return 1;
        }
    }
    return 0;
}

int amgr_local_server_is_here(const char *host, apr_pool_t *pool)
{
    struct ifaddrs *interfaces = NULL;
    const amgr_local_addresses_t *addresses = amgr_local_resolve(host, pool);
    int found = 0;
    int i;

    for (i = 0; i < addresses->count && !found; i++) {
        found = is_loopback(addresses->texts[i]);
    }
    if (!found && addresses->count > 0 && getifaddrs(&interfaces) == 0) {
        for (i = 0; i < addresses->count && !found; i++) {
            found = is_of_interface(interfaces, addresses->texts[i]);
        }
        freeifaddrs(interfaces);
    }
    return found;
}
