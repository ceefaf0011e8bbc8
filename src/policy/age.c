/* SPDX-License-Identifier: Apache-2.0
 *
 * How long requests have been running.  The scoreboard stamps them with the
 * wall clock, which may jump; so the stamp only tells one request from the
 * next, and its age runs on the monotonic clock from when the stamp was first
 * seen.  A clock that jumps can make an age too small, never too large.
 */
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
    tick->steady = 0;
    if (ledger->tick_mono_us == 0 || now->mono_us < ledger->tick_mono_us) {
        return;
    }
    tick->since_us = now->mono_us - ledger->tick_mono_us;
    drift = now->wall_us - ledger->tick_wall_us - tick->since_us;
    tick->steady = drift >= -STEP_US && drift <= STEP_US;
}

/* The ledger's entry of a slot, or NULL for one outside its table. */
static amgr_ledger_slot_t *entry_of(const amgr_judging_t *tick,
                                    const amgr_slot_t *slot)
{
    amgr_ledger_t *ledger = tick->ledger;
    apr_int64_t index;

    if (slot->process_slot < 0 || slot->thread < 0 ||
        slot->thread >= ledger->thread_limit) {
        return NULL;
    }
    index =
        (apr_int64_t)slot->process_slot * ledger->thread_limit + slot->thread;
    if (index >= ledger->slot_max) {
        return NULL;
    }
    return &amgr_ledger_slots(ledger)[index];
}

/* Whether a request seen for the first time must have begun since the
 * previous tick: that tick knew the slot with an earlier request, or would
 * have known this one. */
static int began_since(const amgr_judging_t *tick, const amgr_slot_t *slot,
                       const amgr_process_t *process,
                       const amgr_ledger_process_t *entry,
                       const amgr_ledger_slot_t *seen)
{
    if (!tick->steady) {
        return 0;
    }
    if (seen->pid == process->id.pid) {
        return seen->start_time_us < slot->start_time_us;
    }
    return (entry != NULL && entry->ticks > 1) ||
           (process->age_us != AMGR_NO_TIME &&
            process->age_us <= tick->since_us);
}

/* How long a request seen for the first time has been running for certain. */
static apr_interval_time_t credit(const amgr_judging_t *tick,
                                  const amgr_slot_t *slot)
{
    apr_interval_time_t age_us = tick->wall_us - slot->start_time_us;

    if (age_us < 0) {
        return 0;
    }
    return age_us < tick->since_us ? age_us : tick->since_us;
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

static void age_slot(const amgr_judging_t *tick, amgr_slot_t *slot,
                     const amgr_process_t *process,
                     const amgr_ledger_process_t *entry)
{
    amgr_ledger_slot_t *seen;
    int began;

    slot->request_age_us = AMGR_NO_TIME;
    if (!tick->snapshot->server.extended) {
        return;
    }
    seen = entry_of(tick, slot);
    if (seen == NULL ||
        (!amgr_slot_is_timed(slot, 0) && !goes_on(slot, process, seen))) {
        return;
    }
    if (seen->pid != process->id.pid ||
        seen->start_time_us != slot->start_time_us) {
        began = began_since(tick, slot, process, entry, seen);
        seen->pid = process->id.pid;
        seen->start_time_us = slot->start_time_us;
        seen->seen_mono_us = tick->mono_us - (began ? credit(tick, slot) : 0);
        /* The process's start is told by the wall clock too, and moves when
         * that steps; so whose request it is, is settled at first sight. */
        if (!amgr_slot_is_timed(slot, process->started_us)) {
            seen->seen_mono_us = AMGR_NO_TIME;
        }
    }
    if (seen->seen_mono_us != AMGR_NO_TIME &&
        seen->seen_mono_us <= tick->mono_us) {
        slot->request_age_us = tick->mono_us - seen->seen_mono_us;
    }
}

void amgr_age_process(const amgr_judging_t *tick, const amgr_process_t *process,
                      const amgr_ledger_process_t *entry)
{
    amgr_slot_t *slot = tick->snapshot->slots + process->first_slot;
    amgr_slot_t *end = slot + process->slot_count;

    for (; slot < end; slot++) {
        age_slot(tick, slot, process, entry);
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

void amgr_age_survey(const amgr_judging_t *tick, const amgr_process_t *process,
                     amgr_survey_t *out)
{
    const amgr_limits_t *limits = tick->limits;
    const amgr_slot_t *slots = tick->snapshot->slots;
    int i;

    out->longest_us = AMGR_NO_TIME;
    out->longest_slot = -1;
    out->busy = 0;
    out->requests = 0;
    out->hanging = 0;
    out->over = 0;
    out->endless = 0;
    out->working = 0;
    out->stuck = process->slot_count > 0;
    for (i = process->first_slot; i < process->first_slot + process->slot_count;
         i++) {
        apr_interval_time_t age_us = slots[i].request_age_us;

        out->busy += is_busy(tick, &slots[i]);
        out->requests += amgr_slot_is_request(&slots[i]);
        out->working += slots[i].mode == AMGR_MODE_WRITE ||
                        slots[i].mode == AMGR_MODE_LOG ||
                        slots[i].mode == AMGR_MODE_DNS;
        if (age_us > out->longest_us) {
            out->longest_us = age_us;
            out->longest_slot = i;
        }
        out->hanging += age_us != AMGR_NO_TIME && age_us >= limits->hanging_us;
        out->over += age_us != AMGR_NO_TIME &&
                     limits->max_time_us != AMGR_LIMIT_OFF &&
                     age_us > limits->max_time_us;
        if (age_us == AMGR_NO_TIME ||
            (age_us <= limits->max_time_us && age_us < limits->hanging_us)) {
            out->stuck = 0;
        }
    }
}
