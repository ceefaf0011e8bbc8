/* SPDX-License-Identifier: Apache-2.0
 *
 * The three clocks, straight from clock_gettime(2).  None of the clocks asked
 * for here can fail on a kernel that this project supports; one that does
 * reads as 0 rather than as what was on the stack.
 */
#include "base/clock.h"

#include <time.h>

static apr_time_t clock_us(clockid_t id)
{
    struct timespec ts;

    if (clock_gettime(id, &ts) != 0) {
        return 0;
    }
    return apr_time_from_sec((apr_time_t)ts.tv_sec) + ts.tv_nsec / 1000;
}

void amgr_clock_read(amgr_instant_t *out)
{
    out->mono_us = clock_us(CLOCK_MONOTONIC);
    out->wall_us = clock_us(CLOCK_REALTIME);
    out->boot_us = clock_us(CLOCK_BOOTTIME);
}

apr_time_t amgr_clock_monotonic_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

apr_time_t amgr_clock_cpu_us(void)
{
    return clock_us(CLOCK_PROCESS_CPUTIME_ID);
}
