/* SPDX-License-Identifier: Apache-2.0
 *
 * What children noted of their requests' time limits, brought together with
 * the slots of a snapshot.  Nothing that is noted is believed beyond a choice
 * among the configured limits: a note that is not about the very request of
 * its slot does not count, and one of HTTP/2 belongs to the process that the
 * table of children has in that row.
 */
#ifndef AMGR_SLOT_TIMES_H
#define AMGR_SLOT_TIMES_H

#include "httpd/runtime.h"
#include "model/snapshot.h"

/**
 * Fill in the time limits of the slots of all workers, and append their
 * requests of HTTP/2 as far as there is room.  Runs in whoever looks, tick or
 * page.  While no limit is set at all, nothing is read.
 */
void amgr_slot_times_read(const amgr_runtime_t *runtime,
                          const amgr_limits_t *limits,
                          amgr_snapshot_t *snapshot);

/** The same for some slots of @a process, without its requests of HTTP/2. */
void amgr_slot_times_read_slots(const amgr_runtime_t *runtime,
                                const amgr_limits_t *limits,
                                const amgr_process_t *process,
                                amgr_slot_t *slots, int count);

/**
 * The request of HTTP/2 that is noted in this @a place of @a process, of the
 * amgr_slot_times_places() there are; returns whether there is one.  Its slot
 * is counted from the first of the process.
 */
int amgr_slot_times_read_stream(const amgr_runtime_t *runtime,
                                const amgr_limits_t *limits,
                                const amgr_process_t *process, int place,
                                apr_time_t now_wall_us, amgr_stream_t *out);

/** 0 while no limit is set at all. */
int amgr_slot_times_places(const amgr_runtime_t *runtime,
                           const amgr_limits_t *limits,
                           const amgr_process_t *process);

#endif
