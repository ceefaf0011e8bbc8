/* SPDX-License-Identifier: Apache-2.0
 *
 * Cutting a request line down to what may be shown.  The scoreboard keeps 63
 * bytes of the line, so the protocol at its end may be missing or cut; a tail
 * is kept only when it can be nothing but a protocol, because whatever else
 * stands behind a question mark may be a secret.
 */
#include <string.h>

#include <apr_lib.h>

#include "model/request.h"

static void copy(char *buf, apr_size_t size, apr_size_t *used, const char *text,
                 apr_size_t len)
{
    apr_size_t room = size - 1 - *used;

    if (len > room) {
        len = room;
    }
    memcpy(buf + *used, text, len);
    *used += len;
    buf[*used] = '\0';
}

/* Whether the text is "HTTP/1", "HTTP/1.1" and nothing more. */
static int is_protocol(const char *text)
{
    if (strncmp(text, "HTTP/", 5) != 0 || !apr_isdigit(text[5])) {
        return 0;
    }
    if (text[6] == '\0') {
        return 1;
    }
    return text[6] == '.' && apr_isdigit(text[7]) && text[8] == '\0';
}

static void copy_path(char *buf, apr_size_t size, const char *request)
{
    apr_size_t used = 0;
    apr_size_t len = strcspn(request, "?#");
    const char *tail;

    copy(buf, size, &used, request, len);
    if (request[len] == '\0') {
        return;
    }
    tail = strrchr(request + len, ' ');
    if (tail != NULL && is_protocol(tail + 1)) {
        copy(buf, size, &used, tail, strlen(tail));
    }
}

char *amgr_request_shown(int show, const char *request, char *buf,
                         apr_size_t size)
{
    apr_size_t used = 0;

    if (size == 0) {
        return buf;
    }
    buf[0] = '\0';
    if (request == NULL) {
        return buf;
    }
    if (show == AMGR_SHOW_PATH) {
        copy_path(buf, size, request);
    }
    else if (show == AMGR_SHOW_FULL) {
        copy(buf, size, &used, request, strlen(request));
    }
    return buf;
}
