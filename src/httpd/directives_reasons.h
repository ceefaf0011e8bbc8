/* SPDX-License-Identifier: Apache-2.0
 *
 * The setters of the reasons to retire that have more to say than one value,
 * and the sections of groups.  Rows of the command table name them; they
 * return NULL or the sentence of an error.
 */
#ifndef AMGR_DIRECTIVES_REASONS_H
#define AMGR_DIRECTIVES_REASONS_H

#include <httpd.h>
#include <http_config.h>

/** SIZE, a percentage, or Off; into the amgr_limits_t at the offset. */
const char *amgr_set_memory_total(cmd_parms *cmd, void *unused,
                                  const char *value);

/** COUNT or Off, with a jitter; into the amgr_jittered_t at the offset. */
const char *amgr_set_requests(cmd_parms *cmd, void *unused, const char *count,
                              const char *jitter);

/** DURATION or Off, with a jitter. */
const char *amgr_set_lifetime(cmd_parms *cmd, void *unused, const char *span,
                              const char *jitter);

/** A signal by its name; only in a section. */
const char *amgr_set_ask_signal(cmd_parms *cmd, void *unused,
                                const char *value);

/** <ManagerGroup NAME>: reads what is in it. */
const char *amgr_set_section(cmd_parms *cmd, void *unused, const char *args);

#endif
