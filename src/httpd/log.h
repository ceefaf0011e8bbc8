/* SPDX-License-Identifier: Apache-2.0
 *
 * The error log, from any process of this module: one line a call, each with
 * its tag.  Never allocates from a long-lived pool.
 */
#ifndef AMGR_LOG_H
#define AMGR_LOG_H

#include <httpd.h>
#include <http_log.h>

#include "httpd/log_tags.h"

/**
 * Log a line at @a level (APLOG_*), with @a rv's text unless it is 0.  The
 * line is cut at 1 KiB.
 */
void amgr_log(server_rec *s, amgr_log_tag_e tag, int level, apr_status_t rv,
              const char *format, ...) __attribute__((format(printf, 5, 6)));

/** The same of a request, with its client's address. */
void amgr_log_request(const request_rec *r, amgr_log_tag_e tag, int level,
                      const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
