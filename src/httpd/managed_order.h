/* SPDX-License-Identifier: Apache-2.0
 *
 * Orders to managed processes from a child of httpd: what the supervisor has
 * published, an order over its socket, and waiting until it is carried out.
 */
#ifndef AMGR_MANAGED_ORDER_H
#define AMGR_MANAGED_ORDER_H

#include <httpd.h>

#include "model/managed.h"

#define AMGR_ORDER_WAIT_MAX_SEC 600

/** What became of an order. */
typedef enum amgr_order_end_e {
    AMGR_ORDER_SETTLED = 0, /**< what was ordered is there, or cannot come any
                                 more */
    AMGR_ORDER_GOING,       /**< it is on its way */
    AMGR_ORDER_REFUSED,     /**< by the supervisor, or it cannot be asked: see
                                 status and error */
    AMGR_ORDER_END_COUNT
} amgr_order_end_e;

typedef struct amgr_managed_order_t {
    const char *verb; /**< start, stop, restart or shutdown */
    const char *name; /**< of a process; NULL for shutdown */
    apr_interval_time_t wait_us;
    int is_patient; /**< waits on when this child is to end: its client takes
                         any other answer for a failure */
    amgr_managed_table_t *table; /**< filled in: after the order, or before it
                                      when none was given */
    int status;                  /**< filled in, of one that was refused: 400,
                                      403, 404 or 503 */
    char error[320];             /**< likewise; to be escaped */
} amgr_managed_order_t;

/** What is published now, with what is yet to come, see managed_table.h.  In
 * doubt nothing in it is ready, see amgr_managed_doubt(). */
void amgr_managed_order_read(amgr_managed_table_t *table);

/**
 * Give the order and wait at most for wait_us; ends earlier when the client is
 * gone, or, but for one that is patient, when this child is to go.  Holds the
 * thread for so long, and nothing of the supervisor's: the table tells when it
 * is carried out.  Returns amgr_order_end_e.
 */
int amgr_managed_order_give(request_rec *r, amgr_managed_order_t *order);

#endif
