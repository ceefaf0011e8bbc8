/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of settings of the Python tool 2.x, where it had them: for /etc,
 * the user's home and ~/.config each apache-manager.ini, then
 * apache-manager.d/\*.ini (in the home with a dot before the name).  What is
 * read later wins.
 */
#ifndef AMGR_SETTINGS_FILE_H
#define AMGR_SETTINGS_FILE_H

#include "base/units.h"
#include "cli/fault.h"

/** What the section [apache-manager] says; AMGR_LIMIT_OFF or 0 where it says
 * nothing. */
typedef struct amgr_settings_t {
    apr_int64_t max_memory_active_bytes;
    apr_int64_t max_memory_idle_bytes;
    apr_interval_time_t max_time_us;
    apr_interval_time_t hanging_us; /**< 0: not set */
    int max_kills;                  /**< 0: not set */
} amgr_settings_t;

/** Nothing is set. */
void amgr_settings_init(amgr_settings_t *settings);

/**
 * Read all files there are: those of @a etc, and of @a home (NULL: the
 * user's).  @a to_kill tells that processes are ended by what they say: then a
 * file that another user than root can write is a fault for root; otherwise it
 * is left out with a warning.  A file that may not be read is a warning, and so
 * is a key nobody knows; a bad value and bad syntax are faults that name file
 * and line.
 */
const amgr_fault_t *amgr_settings_read(amgr_settings_t *settings,
                                       const char *etc, const char *home,
                                       int to_kill, apr_pool_t *pool);

/** One file's text, of which @a name is told in messages. */
const amgr_fault_t *amgr_settings_parse(amgr_settings_t *settings,
                                        const char *name, const char *text,
                                        apr_pool_t *pool);

#endif
