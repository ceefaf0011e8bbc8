/* SPDX-License-Identifier: Apache-2.0
 *
 * The letters of the scoreboard, row by row of the slots that the MPM uses, up
 * to the last row with a process or all that may be used.
 */
#ifndef AMGR_LETTERS_H
#define AMGR_LETTERS_H

#include "render/view.h"

/** How many letters there are. */
apr_int64_t amgr_letters_count(const amgr_view_t *view);

/** @a count of them from the @a first on; '.' for what is no slot. */
void amgr_letters_read(const amgr_view_t *view, apr_int64_t first, char *out,
                       int count);

#endif
