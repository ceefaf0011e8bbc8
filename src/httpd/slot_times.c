/* SPDX-License-Identifier: Apache-2.0
 *
 * See slot_times.h.
 */
#include "httpd/slot_times.h"

#include <string.h>

#include "httpd/scoreboard.h"

/** What the request of a slot obeys that has no note of its own. */
static void set_default(const amgr_budget_t *own, amgr_slot_t *slot)
{
    slot->max_time_us = own->max_time_us;
    slot->restamp = 0;
    slot->paused = 0;
    slot->endless = 0;
    slot->streams = 0;
}

static void read_slot(const amgr_runtime_t *runtime, const amgr_budget_t *own,
                      amgr_slot_t *slot)
{
    apr_uint64_t note = amgr_mailbox_read_slot(
        &runtime->mailbox, slot->process_slot, slot->thread);
    amgr_timing_t timing;

    if (amgr_budget_is_about(note, slot->start_time_us)) {
        amgr_budget_read(&runtime->budgets, own, note, &timing);
        slot->max_time_us = timing.max_time_us;
        slot->restamp = timing.restamp;
        slot->paused = timing.paused;
        slot->endless = timing.endless;
    }
    else if (slot->start_time_us > slot->stop_time_us &&
             !amgr_scoreboard_still_has(slot->process_slot, slot->thread,
                                        slot->start_time_us)) {
        /* It has ended since the slot was copied, and the note with its limit
         * is another's now: there is nothing to judge it by. */
        slot->paused = 1;
    }
}

static int is_noted(const amgr_limits_t *limits)
{
    return amgr_limits_time_is_set(limits) || limits->endless_watched;
}

void amgr_slot_times_read_slots(const amgr_runtime_t *runtime,
                                const amgr_limits_t *limits,
                                const amgr_process_t *process,
                                amgr_slot_t *slots, int count)
{
    amgr_budget_t own = {limits->max_time_us, 0, 0};
    int noted = is_noted(limits);
    int i;

    /* Its requests may be under limits of their own, and nobody can tell. */
    if (process->generation < runtime->notes_from) {
        own.max_time_us = AMGR_LIMIT_OFF;
        noted = 0;
    }
    for (i = 0; i < count; i++) {
        set_default(&own, &slots[i]);
        if (noted) {
            read_slot(runtime, &own, &slots[i]);
        }
    }
}

int amgr_slot_times_read_stream(const amgr_runtime_t *runtime,
                                const amgr_limits_t *limits,
                                const amgr_process_t *process, int place,
                                apr_time_t now_wall_us, amgr_stream_t *out)
{
    amgr_budget_t own = {limits->max_time_us, 0, 0};
    amgr_timing_t timing;
    int column = 0;
    apr_uint64_t note =
        amgr_mailbox_read_stream(&runtime->mailbox, process->process_slot,
                                 place, process->id.pid, &column);

    /* Its connection's slot is what the child says, and must be one of the
     * process's. */
    if (note == 0 || column < 0 || column >= process->slot_count) {
        return 0;
    }
    amgr_budget_read(&runtime->budgets, &own, note, &timing);
    memset(out, 0, sizeof(*out));
    out->start_time_us = amgr_budget_note_start(note, now_wall_us);
    out->max_time_us = timing.max_time_us;
    out->request_age_us = AMGR_NO_TIME;
    out->slot = column;
    out->column = runtime->thread_limit + place;
    out->restamp = timing.restamp;
    out->paused = timing.paused;
    out->endless = timing.endless;
    return 1;
}

int amgr_slot_times_places(const amgr_runtime_t *runtime,
                           const amgr_limits_t *limits,
                           const amgr_process_t *process)
{
    return is_noted(limits)
               ? amgr_mailbox_streams(&runtime->mailbox, process->process_slot)
               : 0;
}

static void read_streams(const amgr_runtime_t *runtime,
                         const amgr_limits_t *limits, amgr_process_t *process,
                         amgr_snapshot_t *snapshot)
{
    int places = amgr_slot_times_places(runtime, limits, process);
    int i;

    for (i = 0; i < places; i++) {
        amgr_stream_t stream;

        if (!amgr_slot_times_read_stream(runtime, limits, process, i,
                                         snapshot->server.time.wall_us,
                                         &stream)) {
            continue;
        }
        if (snapshot->stream_count >= snapshot->stream_max) {
            snapshot->incomplete = 1;
            return;
        }
        stream.slot += process->first_slot;
        snapshot->streams[snapshot->stream_count++] = stream;
        snapshot->slots[stream.slot].streams++;
        process->stream_count++;
    }
}

void amgr_slot_times_read(const amgr_runtime_t *runtime,
                          const amgr_limits_t *limits,
                          amgr_snapshot_t *snapshot)
{
    int i;

    snapshot->stream_count = 0;
    for (i = 0; i < snapshot->process_count; i++) {
        amgr_process_t *process = &snapshot->processes[i];

        process->first_stream = snapshot->stream_count;
        process->stream_count = 0;
        amgr_slot_times_read_slots(runtime, limits, process,
                                   &snapshot->slots[process->first_slot],
                                   process->slot_count);
        read_streams(runtime, limits, process, snapshot);
    }
}
