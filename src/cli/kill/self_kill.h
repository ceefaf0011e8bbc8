/* SPDX-License-Identifier: Apache-2.0
 *
 * Killing without the ticker's help.  Whom, the kernel says (kill_children.h);
 * whether, policy's demand; how, the module's own ladder over a ledger that
 * lives as long as the run, so that asking, waiting, nudging and forcing are
 * decided in one place only.
 *
 * From outside a worker of a threaded MPM cannot be asked: it is killed at
 * once, with a warning.
 */
#ifndef AMGR_SELF_KILL_H
#define AMGR_SELF_KILL_H

#include "cli/kill/kill_run.h"
#include "policy/demand.h"

/**
 * Retire whom @a demand is about in the server of @a source, which is on this
 * machine, and see it through.  Fills in the victims of @a run.  A fault is for
 * not having begun.
 */
const amgr_fault_t *amgr_self_kill(amgr_kill_run_t *run,
                                   const amgr_demand_t *demand,
                                   const amgr_target_t *target,
                                   const amgr_source_t *source);

#endif
