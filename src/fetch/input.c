/* SPDX-License-Identifier: Apache-2.0
 *
 * See input.h.
 */
#include "fetch/input.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define NO_URL "no URL on standard input"
#define NO_HEADER "a header line is not 'Name: value'"
#define TOO_MANY "too many header lines"

/* -1 when there is more than has room. */
static ssize_t read_all(int fd, char *buf, size_t size)
{
    size_t used = 0;

    while (used < size) {
        ssize_t n = read(fd, buf + used, size - used);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return (ssize_t)used;
        }
        used += (size_t)n;
    }
    return -1;
}

/* What a name is made of (RFC 9110, 5.6.2): no blank, and no @ either. */
static int is_token(char c)
{
    return c != '\0' && strchr("!#$%&'*+-.^_`|~0123456789"
                               "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                               c) != NULL;
}

/* One without a value would take a header of libcurl's own away. */
static int is_header(const char *line)
{
    size_t len = 0;

    while (is_token(line[len])) {
        len++;
    }
    if (len == 0 || line[len] != ':') {
        return 0;
    }
    line += len + 1;
    if (line[strspn(line, " ")] == '\0') {
        return 0;
    }
    for (; line[0] != '\0'; line++) {
        if ((unsigned char)line[0] < 0x20 || line[0] == 0x7f) {
            return 0;
        }
    }
    return 1;
}

/* The line at @a at, ended; where the next begins.  NULL: it has no end, or
 * one before its end. */
static char *end_line(char *at, const char *end)
{
    char *line_end = memchr(at, '\n', (size_t)(end - at));

    if (line_end == NULL || memchr(at, '\0', (size_t)(line_end - at)) != NULL) {
        return NULL;
    }
    *line_end = '\0';
    return line_end + 1;
}

const char *amgr_input_read(int fd, amgr_input_t *out)
{
    ssize_t len = read_all(fd, out->text, sizeof(out->text));
    const char *end;
    char *next;
    char *at;

    if (len < 0) {
        return "too much on standard input";
    }
    end = out->text + len;
    at = end_line(out->text, end);
    if (at == NULL || out->text[0] == '\0' ||
        at - out->text > AMGR_INPUT_URL_MAX) {
        return NO_URL;
    }
    out->url = out->text;
    out->header_count = 0;
    if (end - at > AMGR_INPUT_HEADER_BYTES_MAX) {
        return TOO_MANY;
    }
    for (; at < end; at = next) {
        next = end_line(at, end);
        if (next == NULL || !is_header(at)) {
            return NO_HEADER;
        }
        if (out->header_count == AMGR_INPUT_HEADERS_MAX) {
            return TOO_MANY;
        }
        out->headers[out->header_count++] = at;
    }
    return NULL;
}
