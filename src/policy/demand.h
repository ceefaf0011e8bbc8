/* SPDX-License-Identifier: Apache-2.0
 *
 * A demand: somebody orders, once and for now, that what is over these limits
 * be retired.  The rules that protect a standing configuration (age, strikes,
 * how many at a time, the last that serves, the storm breaker, limits below a
 * fresh child) do not hold it back; that a worker is asked before it is
 * forced, and which processes are never touched, stands.
 */
#ifndef AMGR_DEMAND_H
#define AMGR_DEMAND_H

#include "policy/judge.h"

typedef struct amgr_demand_t {
    apr_int64_t max_memory_active_bytes; /**< AMGR_LIMIT_OFF: none */
    apr_int64_t max_memory_idle_bytes;   /**< AMGR_LIMIT_OFF: none */
    apr_interval_time_t max_time_us;     /**< AMGR_LIMIT_OFF: none */
    apr_int32_t max_kills;               /**< 0: as many as there are */
    apr_int32_t dry_run;                 /**< decide, and do nothing */
} amgr_demand_t;

/** No limit at all. */
void amgr_demand_init(amgr_demand_t *demand);

/**
 * Whom @a demand is about, in the order of the original: by pid, each process
 * once, memory before time; strictly over.  Sizes are resident sizes.  The age
 * of a request is its slot's @c request_age_us, as the last amgr_judge() or
 * the source left it.  Processes that are being retired already are left out.
 *
 * Appends to @a decisions, which hold @a count already (those of a standing
 * judgement; a new retirement among them counts as one under way), at most up
 * to @a max.  Each is marked @c demanded and has its first step, or the cause
 * AMGR_CAUSE_DRY_RUN.  @a ledger may be NULL for a server that is seen from
 * outside.  @return the new count
 */
int amgr_demand_judge(const amgr_demand_t *demand, const amgr_limits_t *limits,
                      const amgr_snapshot_t *snapshot, amgr_ledger_t *ledger,
                      amgr_decision_t *decisions, int count, int max);

/** Whether a retirement that was ordered goes on; not for ever where SIGKILL
 * itself does not help. */
int amgr_demand_is_under_way(amgr_ledger_t *ledger, apr_time_t now_mono_us);

#endif
