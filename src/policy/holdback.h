/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a kill is put off because the process holds a lock in shared memory
 * that others wait for: killed, it would leave them waiting for ever.  Pure;
 * action/lock_holder.h looks for the lock.
 *
 * Such a process gets its grace period once more, from when its kill was first
 * put off, whatever it takes and lets go of meanwhile: no lie about a lock
 * buys more than that.  One that must go at once gets nothing.
 */
#ifndef AMGR_HOLDBACK_H
#define AMGR_HOLDBACK_H

#include "policy/judge.h"

/** What was found of a process that is about to be killed. */
typedef enum amgr_held_e {
    AMGR_HELD_NOTHING = 0, /**< no lock of its is waited for */
    AMGR_HELD_UNKNOWN,     /**< nothing was found, but time was short */
    AMGR_HELD_LOCK,        /**< one is */
} amgr_held_e;

typedef enum amgr_holdback_e {
    AMGR_HOLDBACK_NONE = 0, /**< the kill goes on as decided */
    AMGR_HOLDBACK_BEGUN,    /**< it is put off, for the first time */
    AMGR_HOLDBACK_LASTS,    /**< it is put off still */
    AMGR_HOLDBACK_OVER,     /**< it goes on although there is a lock */
} amgr_holdback_e;

/** Whether @a decision is a kill that will be carried out. */
int amgr_holdback_is_kill(const amgr_decision_t *decision);

/**
 * Judge a kill of which @a held (amgr_held_e) was found; amgr_holdback_e.  Put
 * off, the step of @a decision becomes AMGR_STEP_ASK for a process that was
 * never asked, AMGR_STEP_NONE for all others: for these there is nothing to
 * carry out at this tick, and the kill is decided again at the next.
 */
int amgr_holdback_judge(const amgr_limits_t *limits,
                        const amgr_snapshot_t *snapshot, amgr_ledger_t *ledger,
                        amgr_decision_t *decision, int held);

#endif
