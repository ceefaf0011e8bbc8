/* SPDX-License-Identifier: Apache-2.0
 *
 * See origin.h.
 */
#include "base/origin.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define PORT_MAX 65535
#define SAME_ORIGIN "same-origin"
#define NO_SITE "none"

/** A host and its port, in the text that they were found in. */
typedef struct authority_t {
    const char *host;
    apr_size_t host_len;
    int port;
} authority_t;

static int default_port(const char *scheme, apr_size_t scheme_len)
{
    if (scheme_len == 4 && strncasecmp(scheme, "http", 4) == 0) {
        return 80;
    }
    if (scheme_len == 5 && strncasecmp(scheme, "https", 5) == 0) {
        return 443;
    }
    return 0;
}

/** The port behind a host: nothing or a lone colon is the scheme's own.  -1:
 * not a port. */
static int parse_port(const char *text, int otherwise)
{
    int port = 0;

    if (text[0] == '\0') {
        return otherwise;
    }
    if (text[0] != ':') {
        return -1;
    }
    if (text[1] == '\0') {
        return otherwise;
    }
    for (text++; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return -1;
        }
        port = port * 10 + (*text - '0');
        if (port > PORT_MAX) {
            return -1;
        }
    }
    return port;
}

static int is_name_byte(char c)
{
    unsigned char byte = (unsigned char)c;

    return byte > ' ' && byte < 0x7f && strchr("/\\?#@:[]\"'<>,", c) == NULL;
}

/** Whether the whole of @a text is HOST or HOST:PORT. */
static int parse_authority(const char *text, int otherwise, authority_t *out)
{
    const char *end;

    if (text[0] == '[') {
        end = strchr(text, ']');
        if (end == NULL) {
            return 0;
        }
        out->host = text + 1;
        out->host_len = (apr_size_t)(end - out->host);
        end++;
    }
    else {
        for (end = text; is_name_byte(*end); end++) {
            ; /* up to the port */
        }
        out->host = text;
        out->host_len = (apr_size_t)(end - text);
    }
    out->port = parse_port(end, otherwise);
    return out->host_len > 0 && out->port >= 0;
}

/** "null", which stands for many places, is no scheme and so none of ours. */
static int is_same(const char *origin, const char *scheme, const char *host)
{
    const char *end = strstr(origin, "://");
    apr_size_t len = end == NULL ? 0 : (apr_size_t)(end - origin);
    int port = default_port(origin, len);
    authority_t theirs;
    authority_t ours;

    return port != 0 && host != NULL && strlen(scheme) == len &&
           strncasecmp(origin, scheme, len) == 0 &&
           parse_authority(end + 3, port, &theirs) &&
           parse_authority(host, port, &ours) && theirs.port == ours.port &&
           theirs.host_len == ours.host_len &&
           strncasecmp(theirs.host, ours.host, ours.host_len) == 0;
}

int amgr_origin_judge(const amgr_origin_claims_t *claims)
{
    const char *site = claims->fetch_site;

    if (claims->origin != NULL &&
        !is_same(claims->origin, claims->scheme, claims->host)) {
        return AMGR_ORIGIN_OTHER;
    }
    if (site != NULL && strcmp(site, SAME_ORIGIN) != 0 &&
        strcmp(site, NO_SITE) != 0) {
        return AMGR_ORIGIN_OTHER;
    }
    if (claims->origin != NULL ||
        (site != NULL && strcmp(site, SAME_ORIGIN) == 0)) {
        return AMGR_ORIGIN_SAME;
    }
    return site != NULL || claims->referer != NULL ? AMGR_ORIGIN_UNCLEAR
                                                   : AMGR_ORIGIN_SILENT;
}

const char *amgr_host_name(const char *host, char *buf)
{
    authority_t authority;
    apr_size_t i;

    if (host == NULL || !parse_authority(host, 0, &authority) ||
        authority.host_len >= AMGR_HOST_LEN) {
        return NULL;
    }
    for (i = 0; i < authority.host_len; i++) {
        char c = authority.host[i];

        buf[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    buf[i] = '\0';
    return buf;
}

int amgr_host_is_address(const char *name)
{
    unsigned char address[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, name, address) == 1 ||
           inet_pton(AF_INET6, name, address) == 1;
}

int amgr_secret_equal(const char *given, apr_size_t len, const char *secret)
{
    apr_size_t secret_len = strlen(secret);
    volatile unsigned char differs = 0;
    apr_size_t i;

    if (given == NULL || secret_len == 0 || len != secret_len) {
        return 0; /* how long it is, is no secret */
    }
    for (i = 0; i < secret_len; i++) {
        differs |= (unsigned char)(given[i] ^ secret[i]);
    }
    return differs == 0;
}
