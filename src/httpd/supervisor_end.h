/* SPDX-License-Identifier: Apache-2.0
 *
 * How the parent learns that its supervisor has ended, by itself or from the
 * MPM's loop, and what it tells of that.
 *
 * All functions run in the parent, and none ever waits.
 */
#ifndef AMGR_SUPERVISOR_END_H
#define AMGR_SUPERVISOR_END_H

#include "httpd/runtime.h"
#include "httpd/supervisor_record.h"

/** Keep the table for when it cannot be read: one that died while it wrote has
 * left half of it. */
void amgr_supervisor_read_table(const amgr_runtime_t *runtime,
                                amgr_supervisor_record_t *record);

/** Whether there is none, or none any more: then the record says so, and the
 * table (unless @a runtime is NULL) and the log of @a s (unless that is NULL,
 * since logs may be closed already). */
int amgr_supervisor_has_ended(amgr_runtime_t *runtime,
                              amgr_supervisor_record_t *record, server_rec *s);

/** What the table says while there is nobody to write it, or who does so writes
 * to a board that nobody reads: nothing is ready, and what runs is being ended,
 * at the latest by its guard.  An order to stop all for good holds until a
 * restart, by which one @a is_replaced. */
void amgr_supervisor_publish_end(const amgr_runtime_t *runtime,
                                 amgr_supervisor_record_t *record,
                                 int is_replaced);

/** A restart ends an order to stop all for good, which the table has although
 * there is nobody any more who was given it: the next one does not go by it. */
void amgr_supervisor_end_shut(const amgr_runtime_t *runtime,
                              amgr_supervisor_record_t *record);

/** Have the MPM tell us when it reaps it; until the configuration goes. */
void amgr_supervisor_watch(amgr_supervisor_record_t *record, apr_pool_t *pconf);

#endif
