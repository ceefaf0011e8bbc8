/* SPDX-License-Identifier: Apache-2.0
 *
 * Evidence as a part of the tick: taken before a retirement, kept with its
 * record, and the requests that a kill cut off in the log.
 */
#ifndef AMGR_TICK_EVIDENCE_H
#define AMGR_TICK_EVIDENCE_H

#include "action/board.h"
#include "httpd/tick_log.h"

/**
 * Look at the process of @a decision before anything is done to it.  A dry run
 * looks at nothing and leaves @a out without a time.  Bounded: some
 * milliseconds a process in the parent, more in the ticker, and less and less
 * as the tick grows long.
 */
void amgr_tick_evidence_take(const amgr_runtime_t *runtime,
                             amgr_proc_dir_t *proc,
                             const amgr_snapshot_t *snapshot,
                             const amgr_decision_t *decision,
                             amgr_evidence_t *out);

/** Publish it under the serial of @a record, which is on the board. */
void amgr_tick_evidence_keep(amgr_board_t *board, const amgr_record_t *record,
                             amgr_evidence_t *evidence);

/** SIGKILL was sent: log each request in flight, one line a request. */
void amgr_tick_evidence_log_lost(server_rec *s, const amgr_config_t *config,
                                 const amgr_evidence_t *evidence);

#endif
