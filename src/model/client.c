/* SPDX-License-Identifier: Apache-2.0
 *
 * Cutting a client down to its network.  What is neither an address nor a name
 * is not shown at all: the text is the scoreboard's, so it may be cut off or
 * hold any bytes, and half an address that is not understood may be the half
 * that tells.
 */
#include "model/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

/** The scoreboard has room for so many bytes: a name that fills it may have
 * lost its end. */
#define NAME_MAX_LEN 62

#define LABEL_MAX_LEN 63

/** Ports below this are no connection's own, by Linux's default. */
#define EPHEMERAL_MIN 32768

/* "192.0.2.0/24" of four bytes. */
static void show_four(const unsigned char *bytes, char *buf, apr_size_t size)
{
    apr_snprintf(buf, size, "%u.%u.%u.0/24", bytes[0], bytes[1], bytes[2]);
}

static void show_six(const struct in6_addr *address, char *buf, apr_size_t size)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr network = *address;
    unsigned int bits = 48;

    if (IN6_IS_ADDR_V4MAPPED(address)) {
        show_four(&address->s6_addr[12], buf, size);
        return;
    }
    if (address->s6_addr[0] == 0x20 && address->s6_addr[1] == 0x02) {
        /* The whole IPv4 address of the client stands in the next four. */
        bits = 40;
    }
    memset(&network.s6_addr[bits / 8], 0, sizeof(network) - bits / 8);
    if (inet_ntop(AF_INET6, &network, text, sizeof(text)) != NULL) {
        apr_snprintf(buf, size, "%s/%u", text, bits);
    }
}

/* Whether the text is an address, which is shown then. */
static int show_address(const char *client, char *buf, apr_size_t size)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr six;
    struct in_addr four;
    apr_size_t len = strcspn(client, "%"); /* a zone is the server's */

    if (inet_pton(AF_INET, client, &four) == 1) {
        show_four((const unsigned char *)&four, buf, size);
        return 1;
    }
    if (len >= sizeof(text)) {
        return 0;
    }
    apr_cpystrn(text, client, len + 1);
    if (inet_pton(AF_INET6, text, &six) != 1) {
        return 0;
    }
    show_six(&six, buf, size);
    return 1;
}

/* Length of the label that begins here, 0 when it is none. */
static apr_size_t label_len(const char *at)
{
    /* Not by isalnum(): a module may have set a locale. */
    apr_size_t len = strspn(at, "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

    if (len > LABEL_MAX_LEN || (at[len] != '.' && at[len] != '\0')) {
        return 0;
    }
    return len;
}

/* Whether a label may be a part of an address: three digits, or two numbers. */
static int is_numeric(const char *label, apr_size_t len)
{
    int digits = 0;
    int numbers = 0;
    apr_size_t i;

    for (i = 0; i < len; i++) {
        if (apr_isdigit(label[i])) {
            numbers += i == 0 || !apr_isdigit(label[i - 1]);
            digits++;
        }
    }
    return digits >= 3 || numbers >= 2 ||
           (digits > 0 && strspn(label, "0123456789-") == len);
}

/* What a host name may show of itself: the labels after its first and after
 * the last number, for providers write addresses into names.  NULL when that
 * is less than two labels, or the text no host name. */
static const char *name_end(const char *client)
{
    const char *shown = NULL;
    const char *at = client;

    if (strlen(client) > NAME_MAX_LEN) {
        return NULL;
    }
    while (1) {
        apr_size_t len = label_len(at);
        int is_number = is_numeric(at, len);
        const char *next = at + len + 1;

        if (len == 0 || (at[len] == '\0' && is_number)) {
            return NULL;
        }
        if (at[len] == '\0') {
            break;
        }
        shown = at == client || is_number ? next : shown;
        at = next;
    }
    return shown != NULL && strchr(shown, '.') != NULL ? shown : NULL;
}

char *amgr_client_shown(int show, const char *client, char *buf,
                        apr_size_t size)
{
    if (size == 0) {
        return buf;
    }
    buf[0] = '\0';
    if (client == NULL) {
        return buf;
    }
    if (show == AMGR_CLIENTS_FULL) {
        apr_cpystrn(buf, client, size);
    }
    else if (show == AMGR_CLIENTS_NETWORK && !show_address(client, buf, size)) {
        const char *name = name_end(client);

        if (name != NULL) {
            apr_snprintf(buf, size, "*.%s", name);
        }
    }
    return buf;
}

/* The port at the end of "192.0.2.7:80" or "[2001:db8::7]:80" of this length,
 * -1 when there is none. */
static int port_of(const char *address, apr_size_t len)
{
    int port = 0;
    apr_size_t i = len;

    while (i > 0 && apr_isdigit(address[i - 1])) {
        i--;
    }
    if (i == len || len - i > 5 || i == 0 || address[i - 1] != ':') {
        return -1;
    }
    for (; i < len; i++) {
        port = port * 10 + (address[i] - '0');
    }
    return port;
}

/* Whether a connection with this port at our end may be a client's.  The kernel
 * gives who connects to elsewhere a port from above these unless it is told
 * otherwise (ip_local_port_range), so that even one which a restart has closed
 * is known by it; one too many that is hidden does no harm. */
static int is_server_port(int port, const apr_uint16_t *ports, int port_count)
{
    int i;

    if (port < EPHEMERAL_MIN) {
        return 1;
    }
    for (i = 0; i < port_count; i++) {
        if (ports[i] == port) {
            return 1;
        }
    }
    return 0;
}

/* The peer without its port and brackets, as much as may be seen of it. */
static void show_peer(int show, const char *peer, apr_size_t len, char *buf,
                      apr_size_t size)
{
    char address[AMGR_CLIENT_SHOWN_LEN];

    while (len > 0 && peer[len - 1] != ':') {
        len--;
    }
    len -= len > 0;
    if (len > 1 && peer[0] == '[' && peer[len - 1] == ']') {
        peer++;
        len -= 2;
    }
    apr_cpystrn(address, peer, len + 1 < sizeof(address) ? len + 1 : 1);
    amgr_client_shown(show, address, buf, size);
}

char *amgr_client_target_shown(int show, const char *target,
                               const apr_uint16_t *ports, int port_count,
                               char *buf, apr_size_t size)
{
    static const char tcp[] = "tcp ";
    static const char to[] = "to ";
    char shown[AMGR_CLIENT_SHOWN_LEN];
    const char *local = target + sizeof(tcp) - 1;
    const char *peer;
    apr_size_t len;

    if (size == 0) {
        return buf;
    }
    apr_cpystrn(buf, target, size);
    if (show == AMGR_CLIENTS_FULL || strncmp(target, tcp, strlen(tcp)) != 0) {
        return buf;
    }
    len = strncmp(local, to, strlen(to)) == 0 ? 0 : strcspn(local, " ");
    peer = local + len + (len > 0 && local[len] == ' ');
    if (strncmp(peer, to, strlen(to)) != 0 ||
        !is_server_port(port_of(local, len), ports, port_count)) {
        return buf;
    }
    peer += strlen(to);
    show_peer(show, peer, strcspn(peer, " "), shown, sizeof(shown));
    apr_snprintf(buf, size, "%.*s%s%s", (int)(peer - target), target,
                 shown[0] != '\0' ? shown : "a client",
                 peer + strcspn(peer, " "));
    return buf;
}
