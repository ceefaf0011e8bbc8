/* SPDX-License-Identifier: Apache-2.0
 *
 * See here.h.
 */
#include "fetch/here.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/sink.h"

/** An address alone, whatever kind of structure it stood in. */
typedef struct address_t {
    int family;
    unsigned char bytes[16];
} address_t;

/* 0 for anything but an address of IPv4 or IPv6. */
static int take_address(const struct sockaddr *from, address_t *out)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    memset(out, 0, sizeof(*out));
    if (from == NULL) {
        return 0;
    }
    if (from->sa_family == AF_INET) {
        memcpy(&v4, from, sizeof(v4));
        memcpy(out->bytes, &v4.sin_addr, 4);
    }
    else if (from->sa_family == AF_INET6) {
        memcpy(&v6, from, sizeof(v6));
        memcpy(out->bytes, &v6.sin6_addr, 16);
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
            memmove(out->bytes, out->bytes + 12, 4);
            memset(out->bytes + 4, 0, 12);
            out->family = AF_INET;
            return 1;
        }
    }
    else {
        return 0;
    }
    out->family = from->sa_family;
    return 1;
}

/* What never leaves the machine: 127.0.0.0/8, ::1, and the address of none, by
 * which the kernel connects to itself. */
static int is_loopback(const address_t *address)
{
    static const unsigned char none[16];

    if (memcmp(address->bytes, none, sizeof(none)) == 0) {
        return 1;
    }
    if (address->family == AF_INET) {
        return address->bytes[0] == 127;
    }
    return memcmp(address->bytes, &in6addr_loopback, 16) == 0;
}

static int is_own(const address_t *address, const struct ifaddrs *interfaces)
{
    const struct ifaddrs *at;
    address_t own;

    for (at = interfaces; at != NULL; at = at->ifa_next) {
        if ((at->ifa_flags & IFF_UP) != 0 && take_address(at->ifa_addr, &own) &&
            own.family == address->family &&
            memcmp(own.bytes, address->bytes, sizeof(own.bytes)) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Whether all of them are; a name with one address elsewhere is elsewhere. */
static int are_here(const struct addrinfo *list)
{
    struct ifaddrs *interfaces = NULL;
    const struct addrinfo *at;
    address_t address;
    int here = list != NULL;

    if (getifaddrs(&interfaces) != 0) {
        interfaces = NULL; /* loopback needs no list */
    }
    for (at = list; at != NULL && here; at = at->ai_next) {
        here = take_address(at->ai_addr, &address) &&
               (is_loopback(&address) || is_own(&address, interfaces));
    }
    if (interfaces != NULL) {
        freeifaddrs(interfaces);
    }
    return here;
}

static void put_resolve(const char *host, const char *port,
                        const struct addrinfo *list, amgr_here_t *out)
{
    char text[INET6_ADDRSTRLEN];
    const struct addrinfo *at;
    const char *between = "";
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, out->resolve, sizeof(out->resolve));
    amgr_sink_printf(&sink, "%s:%s:", host, port);
    for (at = list; at != NULL; at = at->ai_next) {
        if (getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof(text), NULL,
                        0, NI_NUMERICHOST) != 0) {
            continue;
        }
        amgr_sink_printf(&sink, at->ai_family == AF_INET6 ? "%s[%s]" : "%s%s",
                         between, text);
        between = ",";
    }
    amgr_sink_text(&sink);
    /* Half a list could end within an address. */
    if (sink.status != APR_SUCCESS || between[0] == '\0') {
        out->resolve[0] = '\0';
    }
}

void amgr_here_look_up(const char *host, const char *port, amgr_here_t *out)
{
    char bare[INET6_ADDRSTRLEN + 1];
    struct addrinfo *list = NULL;
    unsigned char bytes[16];
    struct addrinfo hints;
    apr_size_t len = strlen(host);

    memset(out, 0, sizeof(*out));
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']' &&
        len - 2 < sizeof(bare)) {
        memcpy(bare, host + 1, len - 2);
        bare[len - 2] = '\0';
        host = bare;
    }
    memset(&hints, 0, sizeof(hints));
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(host, NULL, &hints, &list) != 0) {
        return;
    }
    out->is_here = are_here(list);
    if (inet_pton(AF_INET, host, bytes) != 1 &&
        inet_pton(AF_INET6, host, bytes) != 1) {
        put_resolve(host, port, list, out);
        if (out->resolve[0] == '\0') {
            out->is_here = 0;
        }
    }
    freeaddrinfo(list);
}
