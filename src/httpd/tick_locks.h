/* SPDX-License-Identifier: Apache-2.0
 *
 * The search for orphaned locks as a part of the ticker's tick: it begins when
 * a worker is missed that the tick before saw.
 */
#ifndef AMGR_TICK_LOCKS_H
#define AMGR_TICK_LOCKS_H

#include "action/board.h"
#include "httpd/runtime.h"

typedef struct amgr_tick_locks_t amgr_tick_locks_t;

/** For so many processes; NULL without memory: then nobody looks.  Its memory
 * is left out of forks. */
amgr_tick_locks_t *amgr_tick_locks_create(int process_max);

/** @a locks may be NULL. */
void amgr_tick_locks_destroy(amgr_tick_locks_t *locks);

/** At each tick; @a locks NULL does nothing.  Takes some milliseconds once a
 * second after a worker ended, nothing at other times.  What is found is
 * logged once and counted. */
void amgr_tick_locks_run(amgr_tick_locks_t *locks, server_rec *s,
                         amgr_proc_dir_t *proc, const amgr_snapshot_t *snapshot,
                         amgr_counters_t *counters);

#endif
