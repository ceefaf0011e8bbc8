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

/** What is known of the server and no child can change. */
typedef struct amgr_counting_t {
    apr_time_t started_us;         /**< wall: its start, as its parent noted */
    apr_interval_time_t uptime_us; /**< since then */
    int cores;                     /**< processors; below 1: as one */
    int slots;                     /**< of its scoreboard; likewise */
} amgr_counting_t;

/**
 * Follow CPU time and the scoreboard's sums, as of @a server's time on the
 * monotonic clock.
 *
 * CPU time: a process that is reaped moves from the scoreboard to the kernel's
 * sum of its parent, and may be in neither for a moment; and a request shows
 * its time when it ends.  So the counters rise to what is measured, at most as
 * fast as the processors can work, and never fall.
 *
 * Sums: what they have grown by since the last look is added, as far as a
 * server can do that; when they fall, they are followed from there on.
 * Another start is another scoreboard, which began with nothing.
 */
void amgr_counters_note_server(amgr_counters_t *counters,
                               const amgr_server_t *server,
                               const amgr_counting_t *how);

/** Locks orphaned since the server was started or restarted at @a started_us.
 * A graceful restart leaves those who wait; one that is not ends them, and the
 * shared memory goes with them.  Any process. */
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
