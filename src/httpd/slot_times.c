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

/** One request of HTTP/2; its connection's slot is what the child says, and
 * must be one of the process's. */
static void read_stream(const amgr_runtime_t *runtime, const amgr_budget_t *own,
                        int place, amgr_process_t *process,
                        amgr_snapshot_t *snapshot)
{
    amgr_stream_t *stream = &snapshot->streams[snapshot->stream_count];
    amgr_timing_t timing;
    int column = 0;
    apr_uint64_t note =
        amgr_mailbox_read_stream(&runtime->mailbox, process->process_slot,
                                 place, process->id.pid, &column);

    if (note == 0 || column < 0 || column >= process->slot_count) {
        return;
    }
    if (snapshot->stream_count >= snapshot->stream_max) {
        snapshot->incomplete = 1;
        return;
    }
    amgr_budget_read(&runtime->budgets, own, note, &timing);
    memset(stream, 0, sizeof(*stream));
    stream->start_time_us =
        amgr_budget_note_start(note, snapshot->server.time.wall_us);
    stream->max_time_us = timing.max_time_us;
    stream->request_age_us = AMGR_NO_TIME;
    stream->slot = process->first_slot + column;
    stream->column = runtime->thread_limit + place;
    stream->restamp = timing.restamp;
    stream->paused = timing.paused;
    stream->endless = timing.endless;
    snapshot->slots[stream->slot].streams++;
    snapshot->stream_count++;
    process->stream_count++;
}

static void read_streams(const amgr_runtime_t *runtime,
                         const amgr_budget_t *own, amgr_process_t *process,
                         amgr_snapshot_t *snapshot)
{
    int used = amgr_mailbox_streams(&runtime->mailbox, process->process_slot);
    int i;

    for (i = 0; i < used; i++) {
        read_stream(runtime, own, i, process, snapshot);
    }
}

void amgr_slot_times_read(const amgr_runtime_t *runtime,
                          const amgr_limits_t *limits,
                          amgr_snapshot_t *snapshot)
{
    amgr_budget_t own = {limits->max_time_us, 0, 0};
    int is_noted = amgr_limits_time_is_set(limits) || limits->endless_watched;
    int i;

    snapshot->stream_count = 0;
    for (i = 0; i < snapshot->slot_count; i++) {
        set_default(&own, &snapshot->slots[i]);
        if (is_noted) {
            read_slot(runtime, &own, &snapshot->slots[i]);
        }
    }
    for (i = 0; i < snapshot->process_count; i++) {
        amgr_process_t *process = &snapshot->processes[i];

        process->first_stream = snapshot->stream_count;
        process->stream_count = 0;
        if (is_noted) {
            read_streams(runtime, &own, process, snapshot);
        }
    }
}

int amgr_slot_times_room(const amgr_runtime_t *runtime)
{
    int room = 0;
    int row;

    for (row = 0; row < runtime->server_limit; row++) {
        room += amgr_mailbox_streams(&runtime->mailbox, row);
    }
    return room;
}
