/* SPDX-License-Identifier: Apache-2.0
 *
 * Standard output, of which it is known at the end whether all of it arrived:
 * a full disk or a reader that went away must not pass for success.
 */
#ifndef AMGR_OUTPUT_H
#define AMGR_OUTPUT_H

#include "base/sink.h"
#include "cli/fault.h"

/** The sink behind which standard output is.  One for the whole program. */
amgr_sink_t *amgr_output(void);

/** Write what is left of it, and of stdio's; the first error of the program's
 * life as a fault, told once, which has no text when the reader went away.
 * Called after each task, and at the end. */
const amgr_fault_t *amgr_output_flush(apr_pool_t *pool);

/** The same for good: some file systems tell of a full disk only when a file is
 * closed. */
const amgr_fault_t *amgr_output_finish(apr_pool_t *pool);

/** Whether headings are coloured; @a color is amgr_color_e, of which AUTO is on
 * a terminal of a kind that is known (TERM), unless NO_COLOR is set. */
int amgr_output_is_colored(int color);

#endif
