/* SPDX-License-Identifier: Apache-2.0
 *
 * What came of an order for one process, in a line as supervisorctl has it:
 * "web: started", "web: ERROR (not running)".  Pure.
 */
#ifndef AMGR_ORDER_WORDS_H
#define AMGR_ORDER_WORDS_H

#include "base/sink.h"
#include "supervise/order/order_client.h"

typedef struct amgr_order_outcome_t {
    const char *verb; /**< "start", "stop" or "restart" */
    const char *name;
    amgr_order_answer_t answer;  /**< the last one */
    int was_so;                  /**< before the order already */
    apr_interval_time_t wait_us; /**< how long it was waited for */
} amgr_order_outcome_t;

/** Whether it is wanted and waits for others, of which some may be started by
 * orders that were given with this one. */
int amgr_order_is_held(const amgr_order_outcome_t *outcome);

/** Write the line.  Returns the exit code that it is worth (amgr_exit_e): OK,
 * also where it was so before; ATTENTION: not in time; FAILED: not at all. */
int amgr_order_write_outcome(const amgr_order_outcome_t *outcome,
                             amgr_sink_t *sink);

#endif
