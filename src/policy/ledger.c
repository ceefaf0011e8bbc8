/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory of policy: its layout, and the table of processes that follows
 * the snapshot from tick to tick.  Judges nothing.
 *
 * Invariant: the used entries of the process table come first and are ordered
 * by pid, as the snapshot is; an entry without a pid ends them.
 */
#include <string.h>

#include "policy/ledger.h"

int amgr_ledger_streams(int thread_limit)
{
    /* mod_http2 runs 1.5 times the threads by default, and refuses to work
     * where a process has one. */
    return thread_limit > 1 ? 2 * thread_limit + 32 : 0;
}

int amgr_ledger_columns(int thread_limit)
{
    return thread_limit + amgr_ledger_streams(thread_limit);
}

apr_size_t amgr_ledger_size(int process_max, int slot_max)
{
    return sizeof(amgr_ledger_t) +
           (apr_size_t)process_max * sizeof(amgr_ledger_process_t) +
           (apr_size_t)slot_max * sizeof(amgr_ledger_slot_t);
}

amgr_ledger_t *amgr_ledger_init(void *memory, int process_max, int slot_max,
                                int thread_limit)
{
    amgr_ledger_t *ledger = memory;

    memset(memory, 0, amgr_ledger_size(process_max, slot_max));
    ledger->process_max = process_max;
    ledger->slot_max = slot_max;
    ledger->thread_limit = thread_limit;
    return ledger;
}

int amgr_ledger_fits(const void *memory, int process_max, int slot_max,
                     int thread_limit)
{
    const amgr_ledger_t *ledger = memory;

    return ledger->process_max == process_max && ledger->slot_max == slot_max &&
           ledger->thread_limit == thread_limit && ledger->group_count >= 0 &&
           ledger->group_count <= AMGR_GROUPS_MAX && ledger->storm_next >= 0 &&
           ledger->storm_next < AMGR_STORM_MAX && ledger->storm_count >= 0 &&
           ledger->storm_count <= AMGR_STORM_MAX;
}

amgr_ledger_process_t *amgr_ledger_processes(amgr_ledger_t *ledger)
{
    return (amgr_ledger_process_t *)(ledger + 1);
}

amgr_ledger_slot_t *amgr_ledger_slots(amgr_ledger_t *ledger)
{
    return (amgr_ledger_slot_t *)(amgr_ledger_processes(ledger) +
                                  ledger->process_max);
}

/* Drop the entries of processes that are gone; the number that is left. */
static int drop_gone(amgr_ledger_t *ledger, const amgr_snapshot_t *snapshot)
{
    amgr_ledger_process_t *entries = amgr_ledger_processes(ledger);
    const amgr_process_t *processes = snapshot->processes;
    int kept = 0;
    int next = 0;
    int i;

    for (i = 0; i < ledger->process_max && entries[i].id.pid != 0; i++) {
        while (next < snapshot->process_count &&
               processes[next].id.pid < entries[i].id.pid) {
            next++;
        }
        if (next < snapshot->process_count &&
            amgr_proc_id_equal(&processes[next].id, &entries[i].id)) {
            entries[kept++] = entries[i];
            next++;
        }
    }
    memset(entries + kept, 0, (apr_size_t)(i - kept) * sizeof(entries[0]));
    return kept;
}

static int count_known(const amgr_snapshot_t *snapshot)
{
    int count = 0;
    int i;

    for (i = 0; i < snapshot->process_count; i++) {
        count += snapshot->processes[i].id.start_ticks != 0;
    }
    return count;
}

void amgr_ledger_follow(amgr_ledger_t *ledger, const amgr_snapshot_t *snapshot)
{
    amgr_ledger_process_t *entries = amgr_ledger_processes(ledger);
    int kept = drop_gone(ledger, snapshot);
    int added = count_known(snapshot) - kept;
    int refused = 0;
    int last;
    int i;

    if (added > ledger->process_max - kept) {
        refused = added - (ledger->process_max - kept);
        added -= refused;
    }
    /* From the back, so that kept entries move up out of each other's way
     * without a second table. */
    last = kept + added - 1;
    for (i = snapshot->process_count - 1; i >= 0 && last >= 0; i--) {
        const amgr_proc_id_t *id = &snapshot->processes[i].id;

        if (kept > 0 && amgr_proc_id_equal(&entries[kept - 1].id, id)) {
            entries[last] = entries[--kept];
        }
        else if (id->start_ticks == 0) {
            continue;
        }
        else if (refused > 0) {
            refused--;
            continue;
        }
        else {
            memset(&entries[last], 0, sizeof(entries[last]));
            entries[last].id = *id;
        }
        if (entries[last].ticks < APR_INT32_MAX) {
            entries[last].ticks++;
        }
        last--;
    }
}

amgr_ledger_process_t *amgr_ledger_find(amgr_ledger_t *ledger,
                                        const amgr_proc_id_t *id)
{
    amgr_ledger_process_t *entries = amgr_ledger_processes(ledger);
    int low = 0;
    int high = ledger->process_max;
    int middle;

    while (low < high) {
        middle = low + (high - low) / 2;
        if (entries[middle].id.pid != 0 && entries[middle].id.pid < id->pid) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    if (low < ledger->process_max && amgr_proc_id_equal(&entries[low].id, id)) {
        return &entries[low];
    }
    return NULL;
}

void amgr_ledger_restart(amgr_ledger_t *ledger)
{
    amgr_ledger_process_t *entry = amgr_ledger_processes(ledger);
    amgr_ledger_process_t *end = entry + ledger->process_max;

    for (; entry < end && entry->id.pid != 0; entry++) {
        entry->strikes = 0;
        entry->last_cause = AMGR_CAUSE_NONE;
        entry->last_verdict = AMGR_VERDICT_UNKNOWN;
        entry->failed = AMGR_FAILED_NOT;
        entry->dry_run_told = 0;
        entry->veto_told = 0;
    }
    ledger->group_count = 0;
    ledger->clear_mono_us = 0;
    ledger->storm_open_mono_us = 0;
    ledger->storm_next = 0;
    ledger->storm_count = 0;
    ledger->over_count = 0;
    ledger->total_strikes = 0;
}
