/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program of the administrator's is told of a retirement: the
 * environment it is run with, and nothing of the server's own.  Pure, in the
 * caller's storage, without allocation.
 *
 * Text that came from clients is escaped to one line of printable UTF-8; what
 * means something to a shell stays in it.
 */
#ifndef AMGR_COMMAND_ENV_H
#define AMGR_COMMAND_ENV_H

#include "action/record.h"

/** When a program is run. */
typedef enum amgr_command_event_e {
    AMGR_COMMAND_BEFORE = 0, /**< a worker is about to be retired */
    AMGR_COMMAND_AFTER,      /**< a retired worker is gone */
    AMGR_COMMAND_EVENT_COUNT
} amgr_command_event_e;

#define AMGR_COMMAND_ENV_BYTES 2048
#define AMGR_COMMAND_ENV_VARS 16

/** An environment as execve(2) wants it; points into itself. */
typedef struct amgr_command_env_t {
    char *vars[AMGR_COMMAND_ENV_VARS + 1]; /**< ends in NULL */
    char text[AMGR_COMMAND_ENV_BYTES];
} amgr_command_env_t;

/**
 * The environment for the program of @a event (amgr_command_event_e) about
 * the retirement of @a record.  A figure that is not known is an empty value.
 * @a show is amgr_show_requests_e: it rules the request and its virtual host.
 * APR_ENOSPC, and an environment that must not be used, when it does not fit,
 * which no record brings about.
 */
apr_status_t amgr_command_env_build(amgr_command_env_t *env, int event,
                                    const amgr_record_t *record, int show);

/** "before", "after"; "unknown" when out of range. */
const char *amgr_command_event_word(int event);

#endif
