/* SPDX-License-Identifier: Apache-2.0
 *
 * What the workers do right now, from a page of the server: a board tells of
 * the last tick, and requests begin and end.  Whom there is stays the kernel's
 * to say; and how long a request runs is bounded by what the board and the
 * kernel know, since a page measures by a clock that may be set.
 */
#ifndef AMGR_LIVE_SLOTS_H
#define AMGR_LIVE_SLOTS_H

#include "cli/source/source.h"

/** A server that answers at all does so by then. */
#define AMGR_LIVE_TIMEOUT_US APR_USEC_PER_SEC

typedef struct amgr_live_t {
    amgr_source_t source; /**< a page; its slots are of now */
    apr_time_t
        asked_boot_us; /**< of processes started later it knows nothing */
} amgr_live_t;

/** Ask the server of @a target for them; NULL when the httpd @a parent does not
 * answer within AMGR_LIVE_TIMEOUT_US, or does not tell.  Everything is from
 * @a pool. */
const amgr_live_t *amgr_live_read(const amgr_target_t *target,
                                  const amgr_proc_id_t *parent,
                                  apr_pool_t *pool);

/** The slots of a process as the last tick saw them. */
typedef struct amgr_ticked_t {
    const amgr_slot_t *slots; /**< NULL: it is not known */
    int count;
    int is_ordered; /**< they are as many as the page's, thread by thread;
                         mod_status names no thread, and leaves some out */
} amgr_ticked_t;

/**
 * Bound the ages of the requests in the @a slots of @a process by @a ticked,
 * which was @a since_us ago.  A request of which that tick did not count the
 * time has no age.
 */
void amgr_live_bound_ages(const amgr_process_t *process, amgr_slot_t *slots,
                          const amgr_ticked_t *ticked,
                          apr_interval_time_t since_us);

#endif
