/* SPDX-License-Identifier: Apache-2.0
 *
 * See head.h.
 */
#include "fetch/head.h"

#include <string.h>
#include <strings.h>

/** Of all header lines together: no status page has more. */
#define HEADERS_MAX (64 * 1024)

#define LOCATION "Location:"
#define STATUS_LINE "HTTP/"

static int begins(const char *line, apr_size_t len, const char *with)
{
    return len >= strlen(with) && strncasecmp(line, with, strlen(with)) == 0;
}

int amgr_head_take(amgr_head_t *head, const char *line, apr_size_t len)
{
    head->bytes += len;
    if (head->bytes > HEADERS_MAX) {
        return 0;
    }
    if (begins(line, len, STATUS_LINE)) {
        head->location[0] = '\0'; /* what came before was provisional */
        return 1;
    }
    if (head->location[0] != '\0' || !begins(line, len, LOCATION)) {
        return 1;
    }
    line += strlen(LOCATION);
    len -= strlen(LOCATION);
    while (len > 0 && (line[0] == ' ' || line[0] == '\t')) {
        line++;
        len--;
    }
    while (len > 0 && strchr(" \t\r\n", line[len - 1]) != NULL) {
        len--;
    }
    if (len < sizeof(head->location)) {
        memcpy(head->location, line, len);
        head->location[len] = '\0';
    }
    return 1;
}

int amgr_head_is_end(const char *line, apr_size_t len)
{
    return len > 0 && (line[0] == '\n' || (line[0] == '\r' && len <= 2));
}

/* No control characters, which libcurl would let through but for line ends. */
static void put_value(amgr_sink_t *sink, const char *key, const char *value)
{
    apr_size_t i;

    if (value == NULL || value[0] == '\0') {
        return;
    }
    amgr_sink_printf(sink, "%s ", key);
    for (i = 0; i < AMGR_HEAD_VALUE_MAX && value[i] != '\0'; i++) {
        unsigned char byte = (unsigned char)value[i];

        amgr_sink_putc(sink, byte < 0x20 || byte == 0x7f ? '?' : value[i]);
    }
    amgr_sink_putc(sink, '\n');
}

/* libcurl tells of a redirection only when a transfer has come to its end, and
 * with the password that it was asked by. */
static void put_location(const amgr_head_t *head, CURLU *url, amgr_sink_t *sink)
{
    const unsigned int flags = CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE;
    char *text = NULL;
    CURLU *to;

    if (head->location[0] == '\0' || (to = curl_url_dup(url)) == NULL) {
        return;
    }
    if (curl_url_set(to, CURLUPART_URL, head->location, flags) == CURLUE_OK &&
        curl_url_set(to, CURLUPART_USER, NULL, 0) == CURLUE_OK &&
        curl_url_set(to, CURLUPART_PASSWORD, NULL, 0) == CURLUE_OK &&
        curl_url_get(to, CURLUPART_URL, &text, 0) == CURLUE_OK) {
        put_value(sink, "location", text);
    }
    curl_free(text);
    curl_url_cleanup(to);
}

void amgr_head_write(const amgr_head_t *head, CURL *curl, CURLU *url,
                     amgr_sink_t *sink)
{
    const char *type = NULL;
    long status = 0;

    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    amgr_sink_printf(sink, "status %ld\n", status);
    put_value(sink, "type", type);
    if (status >= 300 && status < 400) {
        put_location(head, url, sink);
    }
    amgr_sink_putc(sink, '\n');
}
