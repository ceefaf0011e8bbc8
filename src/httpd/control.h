/* SPDX-License-Identifier: Apache-2.0
 *
 * The control socket (ManagerSocket): a unix socket in the ticker, mode 0600,
 * by which the command line tool asks for a retirement.  One connection is one
 * line of JSON each way:
 *
 *   {"order":"retire","max_memory_active_bytes":1048576,
 *    "max_memory_idle_bytes":1048576,"max_time_us":2000000,"max_kills":3,
 *    "dry_run":false}
 *   {"ok":true,"pid":41,"time":1700000000.25,"workers":7,
 *    "grace_us":30000000,"syslog":true,
 *    "retirements":[{"serial":12,"pid":14,"start_ticks":123456,
 *    "kind":"native","active":false,"action":"ask","outcome":"pending",
 *    "line":"Killing native worker 14 (idle) using 12.05 MB (GET /a
 *    HTTP/1.1): ..."}],"vetoed":[15],"unlisted":0}
 *
 *   {"order":"tick"}                       a tick now, figures on the board
 *   {"ok":true,"pid":41,"time":1700000000.25}
 *
 *   {"ok":false,"error":"..."}             to whatever cannot be obeyed
 *
 * A limit that is left out is none, and 0 is refused.  Numbers are whole.  An
 * unknown member is an error, so that no limit is dropped in silence.  What
 * another module vetoed is left alone and listed by its pid; "unlisted" are
 * retirements for which the answer has no room.  A dry run's retirements have
 * the outcome dry_run.  Only the socket's owner and root may connect, which is
 * checked by the peer's credentials too.
 *
 * Runs in the ticker alone, between ticks, and never waits for a client.
 */
#ifndef AMGR_CONTROL_H
#define AMGR_CONTROL_H

#include "httpd/tick.h"

/** The longest line of a request, with its end. */
#define AMGR_CONTROL_LINE_MAX 4096

typedef struct amgr_control_t amgr_control_t;

/**
 * Get ready, in the ticker, to hear orders for @a tick at the configured
 * socket, which is opened at the first wait and looked after from then on.
 * From @a p; without a configured socket all of it does nothing but wait.
 */
amgr_control_t *amgr_control_create(server_rec *s, amgr_tick_t *tick,
                                    apr_pool_t *p);

/** Sleep for @a span_us, or until @a wake_fd (-1: none) can be read; serve
 * what there is to be served, and return after each. */
void amgr_control_wait(amgr_control_t *control, int wake_fd,
                       apr_interval_time_t span_us);

/** The ticker ends: hang up, and take the socket away. */
void amgr_control_end(amgr_control_t *control);

#endif
