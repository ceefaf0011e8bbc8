/* SPDX-License-Identifier: Apache-2.0
 *
 * See holdback.h.
 */
#include "policy/holdback.h"

#include "policy/sections.h"

int amgr_holdback_is_kill(const amgr_decision_t *decision)
{
    return decision->cause == AMGR_CAUSE_NONE &&
           decision->step == AMGR_STEP_KILL;
}

/* Nothing is put off without an entry: nobody would know since when. */
static int may_wait(const amgr_limits_t *limits, const amgr_process_t *process,
                    const amgr_ledger_process_t *entry,
                    const amgr_decision_t *decision, apr_time_t now_us)
{
    if (decision->force || entry == NULL) {
        return 0;
    }
    return entry->held_mono_us == 0 ||
           (now_us >= entry->held_mono_us &&
            now_us - entry->held_mono_us <
                amgr_sections_grace_us(limits, process->section));
}

int amgr_holdback_judge(const amgr_limits_t *limits,
                        const amgr_snapshot_t *snapshot, amgr_ledger_t *ledger,
                        amgr_decision_t *decision, int held)
{
    const amgr_process_t *process = &snapshot->processes[decision->process];
    amgr_ledger_process_t *entry = amgr_ledger_find(ledger, &process->id);
    apr_time_t now_us = snapshot->server.time.mono_us;
    int is_first = entry != NULL && entry->held_mono_us == 0;

    /* A look that was cut short ends no putting off, and begins none. */
    if (!amgr_holdback_is_kill(decision) || held == AMGR_HELD_NOTHING ||
        (held == AMGR_HELD_UNKNOWN && (entry == NULL || is_first))) {
        return AMGR_HOLDBACK_NONE;
    }
    if (!may_wait(limits, process, entry, decision, now_us)) {
        return held == AMGR_HELD_LOCK ? AMGR_HOLDBACK_OVER : AMGR_HOLDBACK_NONE;
    }
    if (is_first) {
        /* 0 would mean that it never was. */
        entry->held_mono_us = now_us == 0 ? 1 : now_us;
    }
    decision->step = entry->asked_mono_us == 0 ? AMGR_STEP_ASK : AMGR_STEP_NONE;
    return is_first ? AMGR_HOLDBACK_BEGUN : AMGR_HOLDBACK_LASTS;
}
