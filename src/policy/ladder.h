/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps by which a process is retired, from the most polite to the one
 * that cannot fail.  What each means for a process of which kind is
 * action/retire.h's.
 */
#ifndef AMGR_LADDER_H
#define AMGR_LADDER_H

typedef enum amgr_step_e {
    AMGR_STEP_NONE = 0,
    AMGR_STEP_ANNOUNCE, /**< its answers ask clients to come back elsewhere */
    AMGR_STEP_ASK,      /**< it takes no connection any more, finishes, goes */
    AMGR_STEP_NUDGE,    /**< it has finished and is held up by a lock */
    AMGR_STEP_KILL,     /**< SIGKILL */
    AMGR_STEP_COUNT
} amgr_step_e;

#endif
