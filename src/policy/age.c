/* SPDX-License-Identifier: Apache-2.0
 *
 * How long requests have been running.  The scoreboard stamps them with the
 * wall clock, which may jump; so the stamp only tells one request from the
 * next, and its age runs on the monotonic clock from when the stamp was first
 * seen.  A clock that jumps can make an age too small, never too large.
 */
#include <string.h>

#include "policy/judging.h"

/* How far the clocks may drift apart between two ticks before it counts as a
 * step of the wall clock; above the 500 ppm of a slewing ntpd at the default
 * interval, below any step worth the name. */
#define STEP_US APR_INT64_C(100000)

void amgr_age_begin(amgr_judging_t *tick)
{
    const amgr_instant_t *now = &tick->snapshot->server.time;
    const amgr_ledger_t *ledger = tick->ledger;
    apr_interval_time_t drift;

    tick->mono_us = now->mono_us;
    tick->wall_us = now->wall_us;
    tick->since_us = 0;
    tick->step_us = 0;
    tick->steady = 0;
    if (ledger->tick_mono_us == 0 || now->mono_us < ledger->tick_mono_us) {
        return;
    }
    tick->since_us = now->mono_us - ledger->tick_mono_us;
    drift = now->wall_us - ledger->tick_wall_us - tick->since_us;
    tick->steady = drift >= -STEP_US && drift <= STEP_US;
    tick->step_us = tick->steady ? 0 : drift;
}

/* A request as it looks at this tick, wherever its times were noted. */
typedef struct sighting_t {
    apr_time_t start_time_us;
    apr_uint32_t restamp;
    int exempt;    /* its time does not run now */
    int inherited; /* a predecessor's: its process began later */
    amgr_ledger_slot_t *seen;
} sighting_t;

/* The ledger's entry of a column of the row, or NULL outside its table. */
static amgr_ledger_slot_t *entry_of(const amgr_judging_t *tick, int row,
                                    int column)
{
    amgr_ledger_t *ledger = tick->ledger;
    apr_int64_t index;

    if (row < 0 || column < 0 || column >= ledger->thread_limit) {
        return NULL;
    }
    index = (apr_int64_t)row * ledger->thread_limit + column;
    if (index >= ledger->slot_max) {
        return NULL;
    }
    return &amgr_ledger_slots(ledger)[index];
}

/* Whether a request seen for the first time must have begun since the
 * previous tick: that tick knew its place with an earlier request, or would
 * have known this one. */
static int began_since(const amgr_judging_t *tick, const sighting_t *now,
                       const amgr_process_t *process,
                       const amgr_ledger_process_t *entry)
{
    if (!tick->steady) {
        return 0;
    }
    if (now->seen->pid == process->id.pid) {
        return now->seen->start_time_us < now->start_time_us;
    }
    return (entry != NULL && entry->ticks > 1) ||
           (process->age_us != AMGR_NO_TIME &&
            process->age_us <= tick->since_us);
}

/* How long a request seen for the first time has been running for certain. */
static apr_interval_time_t credit(const amgr_judging_t *tick,
                                  apr_time_t start_time_us)
{
    apr_interval_time_t age_us = tick->wall_us - start_time_us;

    if (age_us < 0) {
        return 0;
    }
    return age_us < tick->since_us ? age_us : tick->since_us;
}

/* Whether a request is a predecessor's, which ended in the middle of it: it
 * began before its process.  The process's start is told by the wall clock of
 * now.  A stamp was made by that of its time, so when the clock was set since
 * the previous tick it is either one of before that or one of since then. */
static int is_inherited(const amgr_judging_t *tick, const amgr_slot_t *slot,
                        apr_time_t started_us)
{
    if (slot->start_time_us >= started_us - tick->step_us) {
        return 0;
    }
    /* What was read after the clock may be a little ahead of it. */
    return slot->start_time_us < started_us ||
           slot->start_time_us < tick->wall_us - tick->since_us ||
           slot->start_time_us > tick->wall_us + STEP_US;
}

/* Whether the slot still runs the request that was seen in it before it was
 * marked as gracefully finishing. */
static int goes_on(const amgr_slot_t *slot, const amgr_process_t *process,
                   const amgr_ledger_slot_t *seen)
{
    return slot->mode == AMGR_MODE_GRACEFUL && seen->pid == process->id.pid &&
           seen->start_time_us == slot->start_time_us &&
           slot->start_time_us > slot->stop_time_us;
}

static void see_first(const amgr_judging_t *tick, const sighting_t *now,
                      const amgr_process_t *process,
                      const amgr_ledger_process_t *entry)
{
    amgr_ledger_slot_t *seen = now->seen;
    /* Time that began anew did so nobody knows when. */
    int began = now->restamp == 0 && began_since(tick, now, process, entry);

    seen->pid = process->id.pid;
    seen->start_time_us = now->start_time_us;
    seen->seen_mono_us =
        tick->mono_us - (began ? credit(tick, now->start_time_us) : 0);
    if (now->inherited) {
        seen->seen_mono_us = AMGR_NO_TIME;
    }
}

/* The age that counts, from what the ledger has seen of the request. */
static apr_interval_time_t age_of(const amgr_judging_t *tick,
                                  const sighting_t *now,
                                  const amgr_process_t *process,
                                  const amgr_ledger_process_t *entry)
{
    amgr_ledger_slot_t *seen = now->seen;

    if (seen->pid != process->id.pid ||
        seen->start_time_us != now->start_time_us) {
        see_first(tick, now, process, entry);
    }
    else if ((now->exempt || seen->restamp != now->restamp) &&
             seen->seen_mono_us != AMGR_NO_TIME) {
        seen->seen_mono_us = tick->mono_us;
    }
    seen->restamp = now->restamp;
    if (now->exempt || seen->seen_mono_us == AMGR_NO_TIME ||
        seen->seen_mono_us > tick->mono_us) {
        return AMGR_NO_TIME;
    }
    return tick->mono_us - seen->seen_mono_us;
}

static void age_slot(const amgr_judging_t *tick, amgr_slot_t *slot,
                     const amgr_process_t *process,
                     const amgr_ledger_process_t *entry)
{
    sighting_t now;

    slot->request_age_us = AMGR_NO_TIME;
    if (!tick->snapshot->server.extended) {
        return;
    }
    now.seen = entry_of(tick, slot->process_slot, slot->thread);
    if (now.seen == NULL ||
        (!amgr_slot_is_timed(slot, 0) && !goes_on(slot, process, now.seen))) {
        return;
    }
    now.start_time_us = slot->start_time_us;
    now.restamp = slot->restamp;
    now.exempt = slot->paused || slot->endless;
    /* Of consequence at first sight alone: later steps move the start. */
    now.inherited = is_inherited(tick, slot, process->started_us);
    slot->request_age_us = age_of(tick, &now, process, entry);
}

static void age_stream(const amgr_judging_t *tick, amgr_stream_t *stream,
                       const amgr_process_t *process,
                       const amgr_ledger_process_t *entry)
{
    sighting_t now;

    stream->request_age_us = AMGR_NO_TIME;
    if (!tick->snapshot->server.extended) {
        return;
    }
    now.seen = entry_of(tick, process->process_slot, stream->column);
    if (now.seen == NULL) {
        return;
    }
    now.start_time_us = stream->start_time_us;
    now.restamp = stream->restamp;
    now.exempt = stream->paused || stream->endless;
    now.inherited = 0; /* the note carries its process's pid */
    stream->request_age_us = age_of(tick, &now, process, entry);
}

void amgr_age_process(const amgr_judging_t *tick, const amgr_process_t *process,
                      const amgr_ledger_process_t *entry)
{
    const amgr_snapshot_t *snapshot = tick->snapshot;
    int i;

    for (i = 0; i < process->slot_count; i++) {
        age_slot(tick, &snapshot->slots[process->first_slot + i], process,
                 entry);
    }
    for (i = 0; i < process->stream_count; i++) {
        age_stream(tick, &snapshot->streams[process->first_stream + i], process,
                   entry);
    }
}

/* Whether the slot does anything at all; on prefork, where it is the parent
 * that marks all alike as finishing, nobody can say that one does not. */
static int is_busy(const amgr_judging_t *tick, const amgr_slot_t *slot)
{
    if (slot->mode == AMGR_MODE_GRACEFUL && tick->snapshot->server.threaded) {
        return amgr_slot_is_request(slot);
    }
    return !amgr_mode_is_idle(slot->mode);
}

static int is_over(apr_interval_time_t age_us, apr_interval_time_t limit_us)
{
    return age_us != AMGR_NO_TIME && limit_us != AMGR_LIMIT_OFF &&
           age_us > limit_us;
}

/* A request's part in the survey, wherever it was noted. */
static void survey_request(const amgr_limits_t *limits, int slot,
                           apr_interval_time_t age_us,
                           apr_interval_time_t limit_us, amgr_survey_t *out)
{
    int hangs = age_us != AMGR_NO_TIME && age_us >= limits->hanging_us;
    int over = is_over(age_us, limit_us);

    out->hanging += hangs;
    out->over += over;
    if (!hangs && !over) {
        out->stuck = 0;
    }
    if (over && (out->longest_slot < 0 ||
                 age_us - limit_us > out->longest_us - out->longest_limit_us)) {
        out->longest_us = age_us;
        out->longest_limit_us = limit_us;
        out->longest_slot = slot;
    }
}

static apr_interval_time_t limit_of(apr_interval_time_t own_us,
                                    apr_interval_time_t ordered_us)
{
    return ordered_us == AMGR_LIMIT_INHERITED ? own_us : ordered_us;
}

static void survey_slot(const amgr_judging_t *tick, const amgr_slot_t *slot,
                        int index, apr_interval_time_t ordered_us,
                        amgr_survey_t *out)
{
    out->busy += is_busy(tick, slot);
    out->working += slot->mode == AMGR_MODE_WRITE ||
                    slot->mode == AMGR_MODE_LOG || slot->mode == AMGR_MODE_DNS;
    /* A connection of HTTP/2 is no request beside those that it carries. */
    if (slot->streams > 0 && slot->start_time_us <= slot->stop_time_us) {
        return;
    }
    out->requests += amgr_slot_is_request(slot);
    out->endless += slot->endless && amgr_slot_is_request(slot) &&
                    slot->start_time_us > slot->stop_time_us;
    survey_request(tick->limits, index, slot->request_age_us,
                   limit_of(slot->max_time_us, ordered_us), out);
}

void amgr_age_survey(const amgr_judging_t *tick, const amgr_process_t *process,
                     amgr_survey_t *out)
{
    amgr_age_survey_by(tick, process, AMGR_LIMIT_INHERITED, out);
}

void amgr_age_survey_by(const amgr_judging_t *tick,
                        const amgr_process_t *process,
                        apr_interval_time_t ordered_us, amgr_survey_t *out)
{
    const amgr_snapshot_t *snapshot = tick->snapshot;
    int i;

    memset(out, 0, sizeof(*out));
    out->longest_us = AMGR_NO_TIME;
    out->longest_limit_us = AMGR_LIMIT_OFF;
    out->longest_slot = -1;
    out->stuck = process->slot_count > 0;
    for (i = process->first_slot; i < process->first_slot + process->slot_count;
         i++) {
        survey_slot(tick, &snapshot->slots[i], i, ordered_us, out);
    }
    for (i = process->first_stream;
         i < process->first_stream + process->stream_count; i++) {
        const amgr_stream_t *stream = &snapshot->streams[i];

        out->busy++;
        out->requests++;
        out->endless += stream->endless;
        survey_request(tick->limits, stream->slot, stream->request_age_us,
                       limit_of(stream->max_time_us, ordered_us), out);
    }
}

int amgr_age_requests(const amgr_judging_t *tick, const amgr_process_t *process,
                      const amgr_survey_t *survey)
{
    /* Where there are threads, none works once there is but the main one. */
    int ended = tick->snapshot->server.threaded && process->threads == 1;

    if (process->role != AMGR_ROLE_WORKER ||
        (process->slot_count == 0 && !ended)) {
        return -1;
    }
    return survey->requests;
}
