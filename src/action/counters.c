/* SPDX-License-Identifier: Apache-2.0
 *
 * See counters.h.
 */
#include "action/counters.h"

#include <string.h>

/* More than any server does: in a microsecond, one request and 100 kB. */
#define ACCESSES_PER_US 1
#define BYTES_PER_US 100000

/* Requests of so long may end all at once, and no tick has seen anything of
 * their bytes and their time before. */
#define ROOM_SPAN_US apr_time_from_sec(86400)

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

/* Since the look at @a last_us, or since the start when there was none. */
static apr_uint64_t elapsed_us(apr_uint64_t last_us,
                               const amgr_server_t *server,
                               const amgr_counting_t *how)
{
    apr_int64_t span_us = how->uptime_us;

    if (last_us != 0) {
        span_us = server->time.mono_us - (apr_int64_t)last_us;
    }
    return span_us > 0 ? (apr_uint64_t)span_us : 0;
}

/* When that was, in a word that is 0 for never. */
static apr_uint64_t look_us(const amgr_server_t *server)
{
    return server->time.mono_us > 0 ? (apr_uint64_t)server->time.mono_us : 1;
}

static void note_cpu(amgr_counters_t *counters, const amgr_server_t *server,
                     const amgr_counting_t *how)
{
    apr_uint64_t user =
        excess(to_us(server->cpu_user_seconds), counters->cpu_user_us);
    apr_uint64_t system =
        excess(to_us(server->cpu_system_seconds), counters->cpu_system_us);
    double room_us = (double)elapsed_us(counters->cpu_mono_us, server, how) *
                     (how->cores > 0 ? how->cores : 1);
    double more_us = (double)user + (double)system;

    if (more_us > room_us) {
        user = (apr_uint64_t)((double)user / more_us * room_us);
        system = (apr_uint64_t)((double)system / more_us * room_us);
    }
    counters->cpu_user_us += user;
    counters->cpu_system_us += system;
    /* A reader takes it for a sign that the others are there. */
    __atomic_store_n(&counters->cpu_mono_us, look_us(server), __ATOMIC_RELEASE);
}

static apr_uint64_t positive(apr_int64_t value)
{
    return value > 0 ? (apr_uint64_t)value : 0;
}

/* What that many microseconds allow at @a rate; the largest when that is more
 * than a number holds. */
static apr_uint64_t allowed(apr_uint64_t span_us, apr_uint64_t rate)
{
    return rate != 0 && span_us > APR_UINT64_MAX / rate ? APR_UINT64_MAX
                                                        : span_us * rate;
}

apr_uint64_t amgr_counters_orphaned(const amgr_counters_t *counters,
                                    apr_uint64_t started_us)
{
    return counters->totals.started_us == started_us
               ? excess(counters->orphaned_locks, counters->orphaned_before)
               : 0;
}

/* Add to @a total by how much @a now is more than @a seen, as far as there is
 * room, which @a span_us have made at @a rate. */
static void follow(apr_uint64_t *total, apr_uint64_t *seen, apr_uint64_t *room,
                   apr_uint64_t now, apr_uint64_t span_us, apr_uint64_t rate)
{
    apr_uint64_t most =
        allowed(span_us > ROOM_SPAN_US ? span_us : ROOM_SPAN_US, rate);
    apr_uint64_t more = allowed(span_us, rate);
    apr_uint64_t grown = excess(now, *seen);

    *room = *room > most || more > most - *room ? most : *room + more;
    if (grown > *room) {
        grown = *room;
    }
    /* In this order, should this process end in between: what is lost is lost,
     * and nothing counts twice. */
    *seen = now;
    *room -= grown;
    *total += grown;
}

static void note_totals(amgr_counters_t *counters, const amgr_server_t *server,
                        const amgr_counting_t *how)
{
    amgr_totals_t *totals = &counters->totals;
    amgr_sums_t *seen = &counters->seen;
    amgr_sums_t *room = &counters->room;
    apr_uint64_t started_us =
        how->started_us > 0 ? positive(how->started_us) : 1;
    apr_uint64_t span_us = elapsed_us(counters->totals_mono_us, server, how);
    apr_uint64_t slots = how->slots > 0 ? (apr_uint64_t)how->slots : 1;

    if (totals->started_us != started_us) {
        memset(seen, 0, sizeof(*seen)); /* its scoreboard began with nothing */
        counters->orphaned_before = counters->orphaned_locks;
        totals->started_us = started_us;
    }
    else if (counters->totals_mono_us == 0) {
        *seen = totals->sums; /* of a build that told the scoreboard's own */
    }
    follow(&totals->sums.accesses, &seen->accesses, &room->accesses,
           server->total_accesses, span_us, ACCESSES_PER_US);
    follow(&totals->sums.bytes, &seen->bytes, &room->bytes, server->total_bytes,
           span_us, BYTES_PER_US);
    follow(&totals->sums.duration_us, &seen->duration_us, &room->duration_us,
           positive(server->total_duration_us), span_us, slots);
    __atomic_store_n(&counters->totals_mono_us, look_us(server),
                     __ATOMIC_RELEASE);
}

void amgr_counters_note_server(amgr_counters_t *counters,
                               const amgr_server_t *server,
                               const amgr_counting_t *how)
{
    note_cpu(counters, server, how);
    note_totals(counters, server, how);
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
