/* SPDX-License-Identifier: Apache-2.0
 *
 * How fast a process grows: the pace of its resident size over the last ten
 * minutes or so.  For display: no decision rests on it.  Pure but for the
 * ledger, where each process has a few numbers for it.
 */
#ifndef AMGR_GROWTH_H
#define AMGR_GROWTH_H

#include "policy/ledger.h"

/** What is older than this weighs less than half. */
#define AMGR_GROWTH_WINDOW_US apr_time_from_sec(600)

/**
 * Set growth_bytes_per_hour of every process of @a snapshot, which the ledger
 * follows already.  AMGR_GROWTH_UNKNOWN until a process was seen to be older
 * than @a min_age_us at five ticks over ten seconds, since it grows at first
 * without leaking.  A tick at which its size is not known changes nothing.
 */
void amgr_growth_follow(amgr_ledger_t *ledger, amgr_snapshot_t *snapshot,
                        apr_interval_time_t min_age_us);

#endif
