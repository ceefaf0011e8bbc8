/* SPDX-License-Identifier: Apache-2.0
 *
 * How a run of the tool can end, and why: one line for whoever called it and
 * an exit code.
 */
#ifndef AMGR_FAULT_H
#define AMGR_FAULT_H

#include <apr_pools.h>

/** What the program returns to the shell. */
typedef enum amgr_exit_e {
    AMGR_EXIT_OK = 0,
    AMGR_EXIT_FAILED = 1,    /**< the server or a file is not as it must be */
    AMGR_EXIT_USAGE = 2,     /**< the command line, or a file of settings */
    AMGR_EXIT_ATTENTION = 3, /**< something hangs, or is not ready */
    AMGR_EXIT_PERMISSION = 4 /**< this user may not */
} amgr_exit_e;

/** Why something could not be done. */
typedef struct amgr_fault_t {
    int exit_code;    /**< amgr_exit_e, never OK */
    const char *text; /**< one line without the program's name and without a
                           full stop; untrusted parts of it are escaped */
} amgr_fault_t;

/** A fault from @a pool, its text by a format of printf(). */
__attribute__((returns_nonnull)) const amgr_fault_t *
amgr_fault_make(apr_pool_t *pool, int exit_code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** The exit code for an error of the system: PERMISSION for a missing right,
 * else FAILED. */
int amgr_fault_code(apr_status_t status);

/** Text from outside as it may stand in a message: on one line, and without
 * anything that commands a terminal. */
const char *amgr_fault_quote(apr_pool_t *pool, const char *text);

/** What the system says of an error: "Permission denied". */
const char *amgr_fault_reason(apr_pool_t *pool, apr_status_t status);

#endif
