/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kernel says of a reading's processes between two looks of the
 * server at them: who is still there, and how much memory each has.  Only of a
 * server on this machine.
 */
#ifndef AMGR_WATCH_LIVE_H
#define AMGR_WATCH_LIVE_H

#include "cli/source/source.h"
#include "proc/proc_read.h"

typedef struct amgr_watch_live_t {
    amgr_process_t *processes; /**< of the snapshot, which are its to change */
    char *gone;                /**< of each, whether it has ended */
    int count;                 /**< 0: there is nothing to be read */
} amgr_watch_live_t;

/** Follow the processes of @a source from now on, which get a copy from
 * @a pool, the source's own, in place of theirs. */
void amgr_watch_live_follow(amgr_watch_live_t *live, amgr_source_t *source,
                            apr_pool_t *pool);

/** Read their resident sizes by @a proc.  Who has ended has none any more; who
 * cannot be looked at keeps what was known. */
void amgr_watch_live_read(amgr_watch_live_t *live, amgr_proc_dir_t *proc);

#endif
