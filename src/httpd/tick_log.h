/* SPDX-License-Identifier: Apache-2.0
 *
 * What a tick says in the error log: one line for each retirement, and one
 * line for each change of a lasting condition, never one per tick.
 */
#ifndef AMGR_TICK_LOG_H
#define AMGR_TICK_LOG_H

#include "action/board.h"
#include "base/replace_file.h"
#include "httpd/collect.h"

/** What was said last of each lasting condition. */
typedef struct amgr_tick_log_t {
    amgr_replace_error_e data_file_error;
    int data_file_errno;
    int no_rights;
    int no_proc;
    int proc_failed;
    int forged;
    int storm_open;
    int time_inert;
    char inert[AMGR_GROUPS_MAX][AMGR_GROUP_NAME_LEN]; /**< groups told of */
    int inert_count;
    int use_syslog; /**< lines of retirements go there as well */
} amgr_tick_log_t;

/** A retirement, or what would have been one: at notice, and to syslog when
 * configured.  @a rv is how the signal went. */
void amgr_tick_log_record(amgr_tick_log_t *log, server_rec *s,
                          const amgr_config_t *config,
                          const amgr_record_t *record, apr_status_t rv);

/** A later step of a retirement: SIGKILL at notice, all else at info. */
void amgr_tick_log_step(server_rec *s, const amgr_decision_t *decision,
                        const amgr_record_t *record, apr_status_t rv);

/** The end of a retired worker: at notice. */
void amgr_tick_log_end(server_rec *s, const amgr_record_t *record);

/** A worker that outlives its SIGKILL: at error, once. */
void amgr_tick_log_stuck(server_rec *s, const amgr_record_t *record);

/** A worker that cannot be asked to finish, in its own words: at warning. */
void amgr_tick_log_deaf(server_rec *s, const amgr_record_t *record);

/** A worker of @a group over a limit that a safety rule leaves alone: at
 * info. */
void amgr_tick_log_suppressed(server_rec *s, const amgr_snapshot_t *snapshot,
                              const amgr_decision_t *decision,
                              const char *group);

/** The data file could not be written, or can be again. */
void amgr_tick_log_data_file(amgr_tick_log_t *log, server_rec *s,
                             const char *path, const amgr_replace_file_t *file);

/** Lasting conditions: rights (@a rights: why none may be signalled), storm
 * breaker, inert limits, forged rows, failing readings. */
void amgr_tick_log_state(amgr_tick_log_t *log, server_rec *s,
                         const amgr_snapshot_t *snapshot,
                         const amgr_collect_faults_t *faults,
                         apr_status_t rights, const amgr_board_config_t *config,
                         const amgr_ledger_t *ledger);

#endif
