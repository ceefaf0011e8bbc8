/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of a tick, shared by the files that tick: tick.c goes through the
 * whole, tick_act.c does what was decided and sees it through.  Nobody else's
 * business.
 */
#ifndef AMGR_TICK_ACT_H
#define AMGR_TICK_ACT_H

#include "httpd/command.h"
#include "httpd/tick.h"
#include "httpd/tick_locks.h"
#include "httpd/tick_log.h"

/** Retirements that are seen through at once; more stay "pending". */
#define PENDING_MAX AMGR_RECORDS_MAX

struct amgr_tick_t {
    server_rec *server;
    amgr_runtime_t *runtime;
    const amgr_config_t *config;
    amgr_collector_t *collector;
    amgr_tick_locks_t *locks; /**< in the ticker; else NULL */
    amgr_board_t *board;
    amgr_board_config_t published;
    int in_ticker;
    int cores; /**< processors that there may be */
    amgr_tick_log_t log;
    amgr_commands_t commands;     /**< all zero in the parent */
    const char *data_file;        /**< NULL: none */
    apr_time_t data_file_mono_us; /**< when it was written last */
    amgr_decision_t *decisions;   /**< room for every process twice: by the
                                       configuration, and by an order */
    apr_size_t decisions_size;
    amgr_record_t pending[PENDING_MAX];
    int pending_count;
    apr_status_t rights;     /**< why workers cannot be signalled */
    int hanging;             /**< as the last tick counted; -1: unknown */
    int data_file_refreshed; /**< since that tick */
    apr_time_t noted_mono_us; /**< when the server was looked at last, tick or
                                   not; 0: never */
    amgr_tick_order_t *order; /**< that this tick obeys, or NULL */
};

/** Take up the retirements that are on the board, which another process may
 * have begun. */
void amgr_tick_adopt(amgr_tick_t *tick);

/** Carry out the tick's decisions, of which there are @a count. */
void amgr_tick_act(amgr_tick_t *tick, amgr_snapshot_t *snapshot, int count);

/** See through what was begun at earlier ticks. */
void amgr_tick_follow(amgr_tick_t *tick, const amgr_snapshot_t *snapshot);

#endif
