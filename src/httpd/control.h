/* SPDX-License-Identifier: Apache-2.0
 *
 * The control socket (ManagerSocket): a unix socket in the ticker, mode 0600,
 * by which the command line tool asks for a retirement.  One connection is one
 * line of JSON each way:
 *
 *   {"order":"retire","max_memory_active_bytes":1048576,
 *    "max_memory_idle_bytes":1048576,"max_time_us":2000000,"max_kills":3,
 *    "dry_run":false}
 *   {"ok":true,"pid":41,"workers":7,"grace_us":30000000,"syslog":true,
 *    "retirements":[{"serial":12,"pid":14,"start_ticks":123456,
 *    "kind":"native","active":false,"action":"ask","outcome":"pending",
 *    "line":"Killing native worker 14 (idle) using 12.05 MB (GET /a
 *    HTTP/1.1): ..."}]}
 *
 *   {"order":"tick"}                       a tick now, figures on the board
 *   {"ok":true,"pid":41,"time":1700000000.25}
 *
 *   {"ok":false,"error":"..."}             to whatever cannot be obeyed
 *
 * A limit that is left out is none.  Numbers are whole.  An unknown member is
 * an error, so that no limit is dropped in silence.  Only the socket's owner
 * and root may connect, which is checked by the peer's credentials too.
 *
 * Runs in the ticker alone, between ticks, and never waits.
 */
#ifndef AMGR_CONTROL_H
#define AMGR_CONTROL_H

#include "httpd/tick.h"

/** The longest line of a request, with its end. */
#define AMGR_CONTROL_LINE_MAX 4096

#endif
