/* SPDX-License-Identifier: Apache-2.0
 *
 * The tag and the facility with which this process writes to syslog(3): it has
 * one of each, which httpd sets where an error log is there, and which lines of
 * our own and closelog(3) change.
 */
#ifndef AMGR_SYSLOG_TAG_H
#define AMGR_SYSLOG_TAG_H

#include <httpd.h>

/** Whether the error log of @a s is there. */
int amgr_syslog_has_log(const server_rec *s);

/** They are httpd's again, and the descriptor of before is closed: the next
 * line opens another. */
void amgr_syslog_restore(server_rec *s);

#endif
