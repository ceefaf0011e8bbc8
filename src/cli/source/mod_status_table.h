/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of workers on mod_status's page: columns by their titles, since
 * versions of httpd differ in them, rows as slots.
 */
#ifndef AMGR_MOD_STATUS_TABLE_H
#define AMGR_MOD_STATUS_TABLE_H

#include <apr_tables.h>

#include "model/snapshot.h"

/** More than any httpd can be built for. */
#define AMGR_STATUS_ROWS_MAX 131072

typedef struct amgr_mod_status_row_t {
    pid_t pid;
    int generation;   /**< -1: not told */
    amgr_slot_t slot; /**< its process_slot is the row of the scoreboard; the
                           age of its request is not judged yet */
    apr_interval_time_t since_us; /**< "SS", or AMGR_NO_TIME */
} amgr_mod_status_row_t;

/**
 * The rows of workers that are there, by pid and otherwise in their order, as
 * an array of amgr_mod_status_row_t; @a now_us is the wall clock's.  NULL when
 * there is no such table.  Rows of no process are left out; *out_incomplete is
 * set when there are too many, or one that cannot be read.
 */
apr_array_header_t *amgr_mod_status_table_read(const char *html,
                                               apr_time_t now_us,
                                               int *out_incomplete,
                                               apr_pool_t *pool);

#endif
