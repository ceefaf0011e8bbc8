/* SPDX-License-Identifier: Apache-2.0
 *
 * See source_url.h.
 */
#include "cli/source/source_url.h"

#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "base/units.h"
#include "cli/source/fetch.h"

/** Room for what is put behind it. */
#define LENGTH_MAX (AMGR_FETCH_URL_MAX - 64)

static const amgr_fault_t *refuse(const char *text, apr_pool_t *pool)
{
    return amgr_fault_make(pool, AMGR_EXIT_USAGE,
                           "--url: '%s' is not an address (expected "
                           "http://HOST[:PORT][/PATH] or https://...)",
                           amgr_fetch_shown(text, pool));
}

/** Blanks and control characters are in no address. */
static int is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text == 0x7f) {
            return 0;
        }
    }
    return 1;
}

/** "host", "host:port" or "[::1]:port" of this length. */
static int parse_host(const char *text, apr_size_t len, int default_port,
                      amgr_source_url_t *out, apr_pool_t *pool)
{
    const char *host = apr_pstrmemdup(pool, text, len);
    const char *end;
    int port = default_port;

    if (host[0] == '[') {
        end = strchr(++host, ']');
        if (end == NULL) {
            return 0;
        }
        out->host = apr_pstrmemdup(pool, host, (apr_size_t)(end - host));
        end++;
    }
    else {
        end = host + strcspn(host, ":");
        out->host = apr_pstrmemdup(pool, host, (apr_size_t)(end - host));
    }
    if (out->host[0] == '\0' ||
        (*end != '\0' &&
         (*end != ':' ||
          amgr_count_parse(end + 1, 1, APR_UINT16_MAX, &port) != NULL))) {
        return 0;
    }
    out->port = (apr_uint16_t)port;
    return 1;
}

static int ends_with(const char *text, apr_size_t len, const char *end)
{
    apr_size_t end_len = strlen(end);

    return len >= end_len && memcmp(text + len - end_len, end, end_len) == 0;
}

/** The page's own path, whichever of its forms was named. */
static const char *page_path(const char *text, apr_pool_t *pool)
{
    static const char json[] = "/status.json";
    apr_size_t len = strcspn(text, "?#");

    if (ends_with(text, len, json)) {
        len -= sizeof(json) - 1;
    }
    while (len > 0 && text[len - 1] == '/') {
        len--;
    }
    return apr_pstrmemdup(pool, text, len);
}

const amgr_fault_t *amgr_source_url_parse(const char *text,
                                          amgr_source_url_t *out,
                                          apr_pool_t *pool)
{
    const char *host = text;
    const char *at;
    apr_size_t len;
    int port;

    if (strncasecmp(text, "http://", 7) == 0) {
        host += 7;
        port = 80;
    }
    else if (strncasecmp(text, "https://", 8) == 0) {
        host += 8;
        port = 443;
    }
    else {
        return refuse(text, pool);
    }
    if (!is_printable(text) || strlen(text) > LENGTH_MAX) {
        return refuse(text, pool);
    }
    len = strcspn(host, "/?#");
    out->origin = apr_pstrmemdup(pool, text, (apr_size_t)(host - text) + len);
    out->path = page_path(host + len, pool);
    at = memrchr(host, '@', len);
    if (at != NULL) {
        len -= (apr_size_t)(at + 1 - host);
        host = at + 1;
    }
    return parse_host(host, len, port, out, pool) ? NULL : refuse(text, pool);
}

const char *amgr_source_url_origin(const char *address, apr_uint16_t port,
                                   int tls, apr_pool_t *pool)
{
    const char *scheme = tls ? "https" : "http";
    const char *scope;

    if (strchr(address, ':') == NULL) {
        return apr_psprintf(pool, "%s://%s:%d", scheme, address, port);
    }
    scope = strchr(address, '%');
    if (scope == NULL) {
        return apr_psprintf(pool, "%s://[%s]:%d", scheme, address, port);
    }
    return apr_psprintf(
        pool, "%s://[%s%%25%s]:%d", scheme,
        apr_pstrmemdup(pool, address, (apr_size_t)(scope - address)), scope + 1,
        port);
}
