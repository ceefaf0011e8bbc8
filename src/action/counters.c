/* SPDX-License-Identifier: Apache-2.0
 *
 * See counters.h.
 */
#include "action/counters.h"

/* Seconds from shared memory: what is no number of any use counts as none. */
static apr_uint64_t to_us(double seconds)
{
    return seconds > 0.0 && seconds < 9e12
               ? (apr_uint64_t)(seconds * APR_USEC_PER_SEC)
               : 0;
}

static apr_uint64_t excess(apr_uint64_t value, apr_uint64_t over)
{
    return value > over ? value - over : 0;
}

/* How much CPU time there was to be had since the last look. */
static double cpu_room_us(const amgr_counters_t *counters,
                          const amgr_server_t *server, int cores)
{
    double span_us = (double)server->time.mono_us;

    if (counters->cpu_mono_us == 0) {
        span_us = (double)server->uptime_us;
    }
    else {
        span_us -= (double)counters->cpu_mono_us;
    }
    return span_us > 0.0 ? span_us * (cores > 0 ? cores : 1) : 0.0;
}

void amgr_counters_note_cpu(amgr_counters_t *counters,
                            const amgr_server_t *server, int cores)
{
    apr_uint64_t user =
        excess(to_us(server->cpu_user_seconds), counters->cpu_user_us);
    apr_uint64_t system =
        excess(to_us(server->cpu_system_seconds), counters->cpu_system_us);
    double room_us = cpu_room_us(counters, server, cores);
    double more_us = (double)user + (double)system;

    if (more_us > room_us) {
        user = (apr_uint64_t)((double)user / more_us * room_us);
        system = (apr_uint64_t)((double)system / more_us * room_us);
    }
    counters->cpu_user_us += user;
    counters->cpu_system_us += system;
    counters->cpu_mono_us = (apr_uint64_t)server->time.mono_us;
}

static apr_uint64_t larger(apr_uint64_t a, apr_uint64_t b)
{
    return a > b ? a : b;
}

static apr_uint64_t positive(apr_int64_t value)
{
    return value > 0 ? (apr_uint64_t)value : 0;
}

void amgr_counters_totals(const amgr_counters_t *counters,
                          const amgr_server_t *server, amgr_totals_t *out)
{
    const amgr_totals_t *last = &counters->totals;

    out->started_us = positive(server->started_us);
    out->accesses = server->total_accesses;
    out->bytes = server->total_bytes;
    out->duration_us = positive(server->total_duration_us);
    if (last->started_us != 0 && last->started_us == out->started_us) {
        out->accesses = larger(out->accesses, last->accesses);
        out->bytes = larger(out->bytes, last->bytes);
        out->duration_us = larger(out->duration_us, last->duration_us);
    }
}

apr_uint64_t amgr_counters_orphaned(const amgr_counters_t *counters,
                                    apr_uint64_t started_us)
{
    return counters->totals.started_us == started_us
               ? excess(counters->orphaned_locks, counters->orphaned_before)
               : 0;
}

void amgr_counters_note_totals(amgr_counters_t *counters,
                               const amgr_server_t *server)
{
    amgr_totals_t *last = &counters->totals;
    amgr_totals_t now;

    amgr_counters_totals(counters, server, &now);
    if (last->started_us != now.started_us) {
        /* A reader copies word by word, this one first. */
        __atomic_store_n(&last->started_us, 0, __ATOMIC_SEQ_CST);
        counters->orphaned_before = counters->orphaned_locks;
    }
    last->accesses = now.accesses;
    last->bytes = now.bytes;
    last->duration_us = now.duration_us;
    __atomic_store_n(&last->started_us, now.started_us, __ATOMIC_RELEASE);
}

void amgr_counters_note_retired(amgr_counters_t *counters, int verdict,
                                int active)
{
    if (active) {
        counters->killed_active++;
    }
    else {
        counters->killed_idle++;
    }
    if (verdict >= 0 && verdict < AMGR_VERDICT_COUNT) {
        counters->retired[verdict]++;
    }
}

/* Age of the oldest request of a process, AMGR_NO_TIME when none is known. */
static apr_interval_time_t oldest_us(const amgr_snapshot_t *snapshot,
                                     const amgr_process_t *process)
{
    apr_interval_time_t oldest = AMGR_NO_TIME;
    int i;

    for (i = 0; i < process->slot_count; i++) {
        const amgr_slot_t *slot = &snapshot->slots[process->first_slot + i];

        if (amgr_slot_is_request(slot) && slot->request_age_us > oldest) {
            oldest = slot->request_age_us;
        }
    }
    for (i = 0; i < process->stream_count; i++) {
        const amgr_stream_t *stream =
            &snapshot->streams[process->first_stream + i];

        if (stream->request_age_us > oldest) {
            oldest = stream->request_age_us;
        }
    }
    return oldest;
}

void amgr_counters_note_killed(amgr_counters_t *counters,
                               const amgr_snapshot_t *snapshot, int index,
                               int lost)
{
    apr_interval_time_t age_us =
        oldest_us(snapshot, &snapshot->processes[index]);

    counters->forced++;
    counters->requests_lost += positive(lost);
    if (age_us != AMGR_NO_TIME) {
        amgr_histogram_add(&counters->killed_ages, &amgr_histogram_ages,
                           age_us);
    }
}
