/* SPDX-License-Identifier: Apache-2.0
 *
 * When the server was started, or restarted not gracefully.  The scoreboard
 * tells it too, but every child can write there, and its time is the wall
 * clock's alone; so the parent notes it before the first child, in its own
 * memory, of which a child has a copy.  Kept over restarts and over updates of
 * this module, as plain data in the process's pool.
 */
#ifndef AMGR_SERVER_START_H
#define AMGR_SERVER_START_H

#include "httpd/runtime.h"

typedef struct amgr_server_start_t {
    apr_uint32_t version;          /**< AMGR_SERVER_START_VERSION, and */
    apr_uint32_t size;             /**< sizeof(), of who made it */
    apr_int32_t config_generation; /**< the last that this module was in */
    apr_time_t wall_us;            /**< when it was, as the clock was then */
    apr_time_t boot_us;            /**< since boot; less than 0 is before it */
} amgr_server_start_t;

#define AMGR_SERVER_START_VERSION 1

/** Parent, before the first child of a start: it is now. */
void amgr_server_start_note(void);

/**
 * Parent, at each reading of the configuration: find what was noted.  A server
 * that was started without this module is asked for its scoreboard's time, as
 * far as that can be true.
 */
void amgr_server_start_find(const amgr_runtime_t *runtime);

/** What was noted, or NULL before the start. */
const amgr_server_start_t *amgr_server_start(void);

/** How long that is ago, or AMGR_NO_TIME. */
apr_interval_time_t amgr_server_start_uptime_us(const amgr_instant_t *now);

#endif
