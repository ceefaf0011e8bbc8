/* SPDX-License-Identifier: Apache-2.0
 *
 * What the watch shows of a view, and in which order: the rows of its tables,
 * and what keys have made of them.  Pure; knows no terminal.
 */
#ifndef AMGR_WATCH_MODEL_H
#define AMGR_WATCH_MODEL_H

#include "render/view.h"

typedef enum amgr_watch_table_e {
    AMGR_WATCH_PROCESSES = 0, /**< of groups, when the source tells no more */
    AMGR_WATCH_SLOTS,
    AMGR_WATCH_KILLS,
    AMGR_WATCH_TABLE_COUNT
} amgr_watch_table_e;

/** What processes and slots are sorted by; kills are by time. */
typedef enum amgr_watch_sort_e {
    AMGR_WATCH_BY_MEMORY = 0, /**< of a slot: its process's */
    AMGR_WATCH_BY_PID,
    AMGR_WATCH_BY_AGE, /**< of a slot: since it was last used */
    AMGR_WATCH_BY_REQUESTS,
    AMGR_WATCH_BY_BUSY, /**< the oldest request, then whatever is busy */
    AMGR_WATCH_SORT_COUNT
} amgr_watch_sort_e;

/** What keys have chosen. */
typedef struct amgr_watch_state_t {
    int table;                      /**< amgr_watch_table_e */
    int sort[AMGR_WATCH_KILLS];     /**< amgr_watch_sort_e, of each table */
    int reversed[AMGR_WATCH_KILLS]; /**< lowest first, but pids */
    int scroll;                     /**< rows above the first that is shown */
    int help;                       /**< the keys are shown instead */
    int busy_only;                  /**< of slots those that are not idle */
    int typing;                     /**< keys are the filter's text */
    char filter[AMGR_PAGE_FILTER_LEN]; /**< only processes and slots with this
                                            text are shown; empty: all */
    apr_interval_time_t interval_us;   /**< from one reading to the next */
} amgr_watch_state_t;

/** A process, or one of its slots. */
typedef struct amgr_watch_row_t {
    int process; /**< index into the snapshot's */
    int slot;    /**< index among its own; -1: none */
    int telling; /**< the slot, by the same index, whose request says what the
                      process is at, or was at last; -1: none */
    apr_interval_time_t oldest_us; /**< age of that request, when it can be
                                        told, or AMGR_NO_TIME */
    int busy;         /**< slots that are not idle; -1: not known */
    apr_uint64_t key; /**< what it is sorted by, lowest first */
    int known;        /**< 0: it has none, and comes last */
} amgr_watch_row_t;

typedef struct amgr_watch_rows_t {
    int table; /**< that they are of, amgr_watch_table_e */
    amgr_watch_row_t *rows;
    int count;
} amgr_watch_rows_t;

void amgr_watch_state_init(amgr_watch_state_t *state,
                           apr_interval_time_t interval_us);

/** The rows of the table that @a state shows, in its order, but those that its
 * filter leaves out, which compares what is shown alone; of kills, groups
 * and without a view there are none.  From @a pool. */
void amgr_watch_rows(const amgr_view_t *view, const amgr_watch_state_t *state,
                     amgr_watch_rows_t *out, apr_pool_t *pool);

/** Whether the view tells processes; else there are groups alone. */
int amgr_watch_has_processes(const amgr_view_t *view);

/** How many lines the table has that @a state shows. */
int amgr_watch_line_count(const amgr_view_t *view,
                          const amgr_watch_rows_t *rows,
                          const amgr_watch_state_t *state);

/** How long ago a slot was used last, by the view's clock; AMGR_NO_TIME. */
apr_interval_time_t amgr_watch_since_used(const amgr_view_t *view,
                                          const amgr_slot_t *slot);

#endif
