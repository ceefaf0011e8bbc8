/* SPDX-License-Identifier: Apache-2.0
 *
 * See proc_lines.h.
 */
#include "proc/proc_lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "proc/proc_internal.h"

/** What the kernel hands out at once, and room for the longest path. */
#define BUFFER_LEN 8192

/** What is in the buffer. */
typedef struct lines_t {
    char buf[BUFFER_LEN];
    apr_size_t len;
    int is_tail; /**< the first is the end of a line that was too long */
} lines_t;

/* Hand on the whole lines, and keep what is left. */
static int take_lines(lines_t *lines, amgr_proc_line_fn *fn, void *baton)
{
    apr_size_t at = 0;

    while (at < lines->len) {
        const char *line = lines->buf + at;
        const char *end = memchr(line, '\n', lines->len - at);

        if (end == NULL) {
            break;
        }
        at = (apr_size_t)(end - lines->buf) + 1;
        if (lines->is_tail) {
            lines->is_tail = 0;
        }
        else if (fn(baton, line, (apr_size_t)(end - line)) != 0) {
            return 1;
        }
    }
    if (at == 0 && lines->len == sizeof(lines->buf)) {
        lines->is_tail = 1;
        lines->len = 0;
        return 0;
    }
    memmove(lines->buf, lines->buf + at, lines->len - at);
    lines->len -= at;
    return 0;
}

apr_status_t amgr_proc_each_line(int fd, const amgr_proc_budget_t *budget,
                                 amgr_proc_line_fn *fn, void *baton)
{
    lines_t lines;
    apr_size_t total = 0;
    ssize_t n;

    lines.len = 0;
    lines.is_tail = 0;
    for (;;) {
        if (amgr_clock_monotonic_us() >= budget->mono_us) {
            return APR_TIMEUP;
        }
        if (total >= budget->file_bytes) {
            return APR_ENOSPC;
        }
        n = read(fd, lines.buf + lines.len, sizeof(lines.buf) - lines.len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return amgr_proc_status_of(errno);
        }
        if (n == 0) {
            return APR_SUCCESS;
        }
        total += (apr_size_t)n;
        lines.len += (apr_size_t)n;
        if (take_lines(&lines, fn, baton)) {
            return APR_SUCCESS;
        }
    }
}
