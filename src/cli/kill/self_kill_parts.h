/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of killing without help share.
 */
#ifndef AMGR_SELF_KILL_PARTS_H
#define AMGR_SELF_KILL_PARTS_H

#include "action/retire.h"
#include "cli/kill/self_kill.h"

typedef struct amgr_self_t {
    amgr_kill_run_t *run;
    const amgr_demand_t *demand;
    const amgr_target_t *target;
    const amgr_source_t *source;
    amgr_limits_t limits;     /**< the server's, without a limit in them */
    amgr_snapshot_t snapshot; /**< all children, when it was decided */
    amgr_decision_t *decisions;
    amgr_record_t *records; /**< of each decision, as the victims are */
    int count;
    amgr_retire_t retire;
} amgr_self_t;

/** See through what was begun (self_follow.c). */
void amgr_self_follow(amgr_self_t *self);

#endif
