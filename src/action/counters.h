/* SPDX-License-Identifier: Apache-2.0
 *
 * What is added to the board's counters at each tick and each retirement.  Pure
 * but for the counters; runs in the process that ticks.
 *
 * Invariant: a figure that is exported as a counter never goes back, whatever
 * the scoreboard says, which children can write and the wall clock moves.
 */
#ifndef AMGR_COUNTERS_H
#define AMGR_COUNTERS_H

#include "action/board.h"

/**
 * Follow the CPU time of the server, as of @a server's time on the monotonic
 * clock.  A process that is reaped moves from the scoreboard to the kernel's
 * sum of its parent, and may be in neither or both for a moment; and a request
 * shows its time when it ends.  So the sums rise to what is measured, at most
 * as fast as @a cores processors (below 1: as one) can work, and never fall.
 */
void amgr_counters_note_cpu(amgr_counters_t *counters,
                            const amgr_server_t *server, int cores);

/** Remember the scoreboard's sums: the highest of this scoreboard, or those of
 * a new one after a restart that was not graceful. */
void amgr_counters_note_totals(amgr_counters_t *counters,
                               const amgr_server_t *server);

/** The scoreboard's sums as they may be told: those of @a server, or what was
 * remembered of the same scoreboard when that is more.  Any process. */
void amgr_counters_totals(const amgr_counters_t *counters,
                          const amgr_server_t *server, amgr_totals_t *out);

/** Locks orphaned since the server was started or restarted at @a started_us,
 * a time of its scoreboard.  A graceful restart leaves those who wait; one that
 * is not ends them, and the shared memory goes with them.  Any process. */
apr_uint64_t amgr_counters_orphaned(const amgr_counters_t *counters,
                                    apr_uint64_t started_us);

/** A retirement began: why, and active or idle. */
void amgr_counters_note_retired(amgr_counters_t *counters, int verdict,
                                int active);

/** A process was killed with @a lost requests in flight (negative: nobody
 * knows), @a index into the snapshot's processes. */
void amgr_counters_note_killed(amgr_counters_t *counters,
                               const amgr_snapshot_t *snapshot, int index,
                               int lost);

#endif
