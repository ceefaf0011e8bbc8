/* SPDX-License-Identifier: Apache-2.0
 *
 * See fault.h.
 */
#include "cli/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <apr_errno.h>
#include <apr_strings.h>

#include "base/escape.h"

/** What escaping can make of one byte: `\xHH`. */
#define ESCAPED_MAX 4

/* Through the C library, since the compiler has checked the format as its. */
const amgr_fault_t *amgr_fault_make(apr_pool_t *pool, int exit_code,
                                    const char *format, ...)
{
    amgr_fault_t *fault = apr_palloc(pool, sizeof(*fault));
    va_list args;
    va_list again;
    char *text;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    text = apr_pcalloc(pool, (apr_size_t)(len > 0 ? len : 0) + 1);
    if (len > 0) {
        (void)vsnprintf(text, (apr_size_t)len + 1, format, again); /* fits */
    }
    va_end(again);
    fault->exit_code = exit_code;
    fault->text = text;
    return fault;
}

int amgr_fault_code(apr_status_t status)
{
    return APR_STATUS_IS_EACCES(status) || status == APR_FROM_OS_ERROR(EPERM)
               ? AMGR_EXIT_PERMISSION
               : AMGR_EXIT_FAILED;
}

const char *amgr_fault_quote(apr_pool_t *pool, const char *text)
{
    apr_size_t size = strlen(text) * ESCAPED_MAX + 1;
    char *buf = apr_palloc(pool, size);
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, buf, size);
    amgr_escape_line(&sink, text);
    return amgr_sink_text(&sink);
}

const char *amgr_fault_reason(apr_pool_t *pool, apr_status_t status)
{
    char text[256];

    return apr_pstrdup(pool, apr_strerror(status, text, sizeof(text)));
}
