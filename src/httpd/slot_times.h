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

/** The room that the requests of HTTP/2 of all rows need at most now. */
int amgr_slot_times_room(const amgr_runtime_t *runtime);

#endif
