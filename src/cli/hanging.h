/* SPDX-License-Identifier: Apache-2.0
 *
 * Which requests hang, by a threshold of the one who asks instead of the
 * server's own.
 */
#ifndef AMGR_HANGING_H
#define AMGR_HANGING_H

#include "cli/source/source.h"

/**
 * Count the hanging slots of @a source anew: from @a threshold_us on, which its
 * view then has for its own.  0 leaves the server's; and so does a source that
 * does not tell of slots, or whose server does not time them.  What no slot
 * shows hangs by a lower threshold too; by a higher one nobody knows, which is
 * a warning.
 */
void amgr_hanging_judge(amgr_source_t *source, apr_interval_time_t threshold_us,
                        apr_pool_t *pool);

/** How many that no slot shows hang by the server's threshold, which is still
 * that of @a view: of HTTP/2, whose requests the server alone times. */
int amgr_hanging_unseen(const amgr_view_t *view);

/** Whether this slot hangs by the threshold of @a view. */
int amgr_hanging_is(const amgr_view_t *view, const amgr_slot_t *slot);

#endif
