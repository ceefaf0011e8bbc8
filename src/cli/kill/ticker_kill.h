/* SPDX-License-Identifier: Apache-2.0
 *
 * Killing by the server's ticker, which is asked over its control socket: it
 * alone can ask a worker of a threaded MPM to finish.  Between the tickers of
 * before and after a restart there is none; that is waited for.
 */
#ifndef AMGR_TICKER_KILL_H
#define AMGR_TICKER_KILL_H

#include "cli/kill/kill_run.h"
#include "policy/demand.h"

/**
 * Have the ticker of @a source obey @a demand, and wait until its victims have
 * gone.  Non-zero when that is settled: done, with *out_fault NULL, or not to
 * be done by anybody else, since the ticker refuses or may have obeyed.  Zero
 * when no ticker has heard the order, which is said.  @a source is read anew
 * while there is none, from the board of @a target.
 */
int amgr_ticker_kill(amgr_kill_run_t *run, const amgr_demand_t *demand,
                     const amgr_target_t *target, amgr_source_t *source,
                     const amgr_fault_t **out_fault);

#endif
