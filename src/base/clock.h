/* SPDX-License-Identifier: Apache-2.0
 *
 * The three clocks.  Decisions use the monotonic clock, display uses the wall
 * clock, and process ages use the boot clock, because that is what the kernel
 * counts a process's start time in (proc(5), field starttime).
 */
#ifndef AMGR_CLOCK_H
#define AMGR_CLOCK_H

#include "base/base.h"

/** One instant on all three clocks, in microseconds. */
typedef struct amgr_instant_t {
    apr_time_t mono_us; /**< CLOCK_MONOTONIC: never jumps, stops in suspend */
    apr_time_t wall_us; /**< CLOCK_REALTIME: since the epoch, may jump */
    apr_time_t boot_us; /**< CLOCK_BOOTTIME: since boot */
} amgr_instant_t;

/** Read all clocks, as close together as three calls can be. */
void amgr_clock_read(amgr_instant_t *out);

/** CLOCK_MONOTONIC alone, for deadlines. */
apr_time_t amgr_clock_monotonic_us(void);

/** CPU time this process has used (user and system), for measuring a tick. */
apr_time_t amgr_clock_cpu_us(void);

#endif
