/* SPDX-License-Identifier: Apache-2.0
 *
 * See growth.h.  The pace is a sum of changes over a sum of times, both of
 * which fade alike: a size that goes up and down comes to nothing, and ticks
 * need not be alike.
 */
#include "policy/growth.h"

#define KNOWN_TICKS 5
#define KNOWN_US apr_time_from_sec(10)

#define HOUR_US 3600e6

/* A number that fits whatever the size is said to be. */
#define GROWTH_MAX 4e18

static apr_int64_t pace(const amgr_ledger_process_t *entry)
{
    double growth;

    if (entry->growth_ticks < KNOWN_TICKS ||
        entry->growth_known_us < KNOWN_US || entry->growth_us <= 0) {
        return AMGR_GROWTH_UNKNOWN;
    }
    growth = entry->growth_bytes / entry->growth_us * HOUR_US;
    if (growth > GROWTH_MAX) {
        growth = GROWTH_MAX;
    }
    if (growth < -GROWTH_MAX) {
        growth = -GROWTH_MAX;
    }
    return (apr_int64_t)growth;
}

/* The next reading; the first one is where the count begins. */
static void add(amgr_ledger_process_t *entry, apr_uint64_t size_bytes,
                apr_time_t now_us)
{
    apr_interval_time_t step_us = now_us - entry->size_mono_us;

    if (entry->size_mono_us == 0 || step_us < 0) {
        entry->growth_bytes = 0;
        entry->growth_us = 0;
        entry->growth_known_us = 0;
        entry->growth_ticks = 0;
    }
    else {
        double left = (double)AMGR_GROWTH_WINDOW_US /
                      (double)(AMGR_GROWTH_WINDOW_US + step_us);

        entry->growth_bytes = entry->growth_bytes * left +
                              ((double)size_bytes - (double)entry->size_bytes);
        entry->growth_us = entry->growth_us * left + (double)step_us;
        if (entry->growth_known_us < KNOWN_US) {
            entry->growth_known_us += step_us;
        }
    }
    if (entry->growth_ticks < KNOWN_TICKS) {
        entry->growth_ticks++;
    }
    entry->size_bytes = size_bytes;
    entry->size_mono_us = now_us;
}

void amgr_growth_follow(amgr_ledger_t *ledger, amgr_snapshot_t *snapshot,
                        apr_interval_time_t min_age_us)
{
    amgr_ledger_process_t *entry = amgr_ledger_processes(ledger);
    const amgr_ledger_process_t *end = entry + ledger->process_max;
    apr_time_t now_us = snapshot->server.time.mono_us;
    int i;

    /* Both are ordered by pid. */
    for (i = 0; i < snapshot->process_count; i++) {
        amgr_process_t *process = &snapshot->processes[i];

        process->growth_bytes_per_hour = AMGR_GROWTH_UNKNOWN;
        while (entry < end && entry->id.pid != 0 &&
               entry->id.pid < process->id.pid) {
            entry++;
        }
        if (entry == end || !amgr_proc_id_equal(&entry->id, &process->id)) {
            continue;
        }
        if (process->rss_bytes != AMGR_UNKNOWN &&
            process->age_us != AMGR_NO_TIME && process->age_us > min_age_us) {
            add(entry, process->rss_bytes, now_us);
        }
        process->growth_bytes_per_hour = pace(entry);
    }
}
