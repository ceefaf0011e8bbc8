/* SPDX-License-Identifier: Apache-2.0
 *
 * An order of the control socket: reading its line, carrying it out, and the
 * line of the answer (control.h tells both).  Knows nothing of sockets.  Runs
 * in the ticker.
 */
#ifndef AMGR_CONTROL_ORDER_H
#define AMGR_CONTROL_ORDER_H

#include "base/sink.h"
#include "httpd/tick.h"

/** As many retirements are listed in an answer. */
#define AMGR_CONTROL_LISTED_MAX 1000

/** What is ordered. */
typedef struct amgr_control_order_t {
    int retire; /**< by the demand; else a tick alone */
    amgr_demand_t demand;
} amgr_control_order_t;

/** Read a line without its end.  NULL, or what is wrong with it, in @a buf
 * where it takes a buffer. */
const char *amgr_control_order_read(const char *line, apr_size_t len,
                                    amgr_control_order_t *out, char *buf,
                                    apr_size_t size);

/** Carry it out at once and write the answer, with its newline, to @a sink;
 * does not finish the sink.  Returns how many processes it was about, or -1
 * when it could not be carried out. */
int amgr_control_order_run(amgr_tick_t *tick, const amgr_control_order_t *order,
                           amgr_sink_t *sink);

/** The answer to what cannot be obeyed, likewise. */
void amgr_control_order_refuse(const char *why, amgr_sink_t *sink);

#endif
