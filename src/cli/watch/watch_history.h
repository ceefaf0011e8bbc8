/* SPDX-License-Identifier: Apache-2.0
 *
 * A history for the sources that have none: what the watch itself has read.
 */
#ifndef AMGR_WATCH_HISTORY_H
#define AMGR_WATCH_HISTORY_H

#include "cli/source/source.h"

/** Add what @a source says, unless it has a history itself, and make all that
 * was added its history.  @a source's pool is @a pool; @a history is empty when
 * it is all zero. */
void amgr_watch_history_follow(amgr_history_t *history, amgr_source_t *source,
                               apr_interval_time_t interval_us,
                               apr_pool_t *pool);

#endif
