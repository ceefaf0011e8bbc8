/* SPDX-License-Identifier: Apache-2.0
 *
 * See log.h.
 */
#include "httpd/log.h"

#include <stdarg.h>
#include <stdio.h>

APLOG_USE_MODULE(apache_manager);

#define TAG_TEXT(symbol, tag, text) tag,
static const char *const tags[] = {AMGR_LOG_TAGS(TAG_TEXT)};
#undef TAG_TEXT

void amgr_log(server_rec *s, amgr_log_tag_e tag, int level, apr_status_t rv,
              const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args); /* cut is fine */
    va_end(args);
    ap_log_error(APLOG_MARK, level, rv, s, "%s: %s", tags[tag], line);
}

void amgr_log_request(const request_rec *r, amgr_log_tag_e tag, int level,
                      const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args); /* cut is fine */
    va_end(args);
    ap_log_rerror(APLOG_MARK, level, 0, r, "%s: %s", tags[tag], line);
}
