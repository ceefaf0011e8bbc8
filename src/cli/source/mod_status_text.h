/* SPDX-License-Identifier: Apache-2.0
 *
 * What mod_status says to `?auto`: "Key: value" lines.  Keys are found at the
 * beginning of a line, in either case; the first of a key counts.
 */
#ifndef AMGR_MOD_STATUS_TEXT_H
#define AMGR_MOD_STATUS_TEXT_H

#include "cli/source/source_blank.h"

/** What the processes must agree with. */
typedef struct amgr_mod_status_text_t {
    int used_slots; /**< letters of the scoreboard that are not "." */
    int processes;  /**< that the MPM has; -1: not told */
} amgr_mod_status_text_t;

/** Read it into the server of @a blank.  0: this is no status page. */
int amgr_mod_status_text_read(const char *text, amgr_source_blank_t *blank,
                              amgr_mod_status_text_t *out);

#endif
