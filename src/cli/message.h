/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tool says while it works: lines on standard error that begin with
 * the program's name, and kills in the system's log, in the words that the
 * original's Zabbix template counts.
 */
#ifndef AMGR_MESSAGE_H
#define AMGR_MESSAGE_H

#include "cli/options/options.h"

/** From which level on lines are shown (amgr_level_e); INFO before the first
 * call.  While @a hold is set, as under the watch, none are. */
void amgr_message_level(int level);
void amgr_message_hold(int hold);

/** Say a line, "apache-manager: ..."; text from outside must be escaped
 * (base/escape.h) by the caller. */
void amgr_message(int level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** A kill: to standard error at NOTICE and to syslog as
 * `apache-manager[PID]: NOTICE LINE`, facility user, severity warning, once
 * and without waiting where nobody listens. */
void amgr_message_kill(const char *line, int to_syslog);

#endif
