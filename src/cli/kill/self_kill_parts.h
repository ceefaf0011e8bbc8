/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of killing without help share.
 */
#ifndef AMGR_SELF_KILL_PARTS_H
#define AMGR_SELF_KILL_PARTS_H

#include "action/retire.h"
#include "cli/kill/live_slots.h"
#include "cli/kill/self_kill.h"

typedef struct amgr_self_t {
    amgr_kill_run_t *run;
    const amgr_demand_t *demand;
    const amgr_target_t *target;
    const amgr_source_t *source;
    const amgr_live_t *live; /**< what workers do now; NULL: as the source has
                                  it */
    apr_interval_time_t slots_age_us; /**< of what is known of that */
    amgr_limits_t limits;     /**< the server's, without a limit in them */
    amgr_snapshot_t snapshot; /**< all children, when it was decided */
    amgr_decision_t *decisions;
    amgr_record_t *records; /**< of each decision, as the victims are */
    int count;
    amgr_retire_t retire;
} amgr_self_t;

/** Fill in the snapshot and the decisions, by figures that are fresh enough for
 * what is decided (self_decide.c). */
const amgr_fault_t *amgr_self_decide(amgr_self_t *self);

/** Whether a decision is about a worker of a threaded MPM, which nobody can ask
 * from outside. */
int amgr_self_is_threaded(const amgr_self_t *self,
                          const amgr_decision_t *decision);

/** From outside nobody can know that a SIGKILL cut off nothing, nor that of a
 * process with threads it cut off no more than was seen. */
void amgr_self_note_lost(const amgr_self_t *self, amgr_record_t *record);

/** See through what was begun (self_follow.c). */
void amgr_self_follow(amgr_self_t *self);

#endif
