/* SPDX-License-Identifier: Apache-2.0
 *
 * See proc_wsgi.h.
 */
#include "proc/proc_wsgi.h"

#include <string.h>

#include "proc/proc_info.h"

/** Enough for a title; a longer first argument is none. */
#define TITLE_LEN 1024

apr_status_t amgr_proc_wsgi_parse(const char *argument, apr_size_t len,
                                  char *buf, apr_size_t size)
{
    static const char mark[] = "(wsgi:";

    if (len < sizeof(mark) - 1 ||
        memcmp(argument, mark, sizeof(mark) - 1) != 0) {
        return APR_NOTFOUND;
    }
    argument += sizeof(mark) - 1;
    len -= sizeof(mark) - 1;
    while (len > 0 && argument[len - 1] == ' ') {
        len--;
    }
    if (len > 0 && argument[len - 1] == ')') {
        len--;
    }
    if (len == 0 || size == 0) {
        return APR_NOTFOUND;
    }
    if (len >= size) {
        len = size - 1;
    }
    memcpy(buf, argument, len);
    buf[len] = '\0';
    return APR_SUCCESS;
}

apr_status_t amgr_proc_wsgi_read(amgr_proc_dir_t *dir, pid_t pid, char *buf,
                                 apr_size_t size)
{
    char cmdline[TITLE_LEN];
    const char *title = NULL;
    apr_size_t cursor = 0;
    apr_size_t len;
    apr_status_t rv;

    rv =
        amgr_proc_read_raw(dir, pid, "cmdline", cmdline, sizeof(cmdline), &len);
    if (rv == APR_SUCCESS) {
        rv = amgr_proc_next_string(cmdline, len, &cursor, &title, &len);
    }
    return rv == APR_SUCCESS ? amgr_proc_wsgi_parse(title, len, buf, size) : rv;
}
