/* SPDX-License-Identifier: Apache-2.0
 *
 * The look for locks before a kill as a part of the ticker's tick, and what is
 * said of it in the log.
 */
#ifndef AMGR_TICK_HOLDBACK_H
#define AMGR_TICK_HOLDBACK_H

#include "httpd/config.h"
#include "httpd/log.h"
#include "policy/judge.h"
#include "proc/proc_read.h"

/**
 * Before @a decision is carried out, in the ticker alone: put it off when it is
 * a kill that would leave others waiting for a lock (policy/holdback.h), and
 * tell so once.  Non-zero when nothing is left to be carried out at this tick;
 * else the decision may have become a gentler one.  Takes some milliseconds for
 * a kill, less and less as the tick grows long, nothing for all else.
 */
int amgr_tick_holdback(server_rec *s, const amgr_limits_t *limits,
                       amgr_proc_dir_t *proc, const amgr_snapshot_t *snapshot,
                       amgr_ledger_t *ledger, amgr_decision_t *decision);

#endif
