/* SPDX-License-Identifier: Apache-2.0
 *
 * See demand.h.  What holds a standing configuration back is not asked here;
 * what is left is whom the limits name, and the first step of the ladder.
 */
#include <string.h>

#include "policy/demand.h"
#include "policy/judging.h"

void amgr_demand_init(amgr_demand_t *demand)
{
    memset(demand, 0, sizeof(*demand));
    demand->max_memory_active_bytes = AMGR_LIMIT_OFF;
    demand->max_memory_idle_bytes = AMGR_LIMIT_OFF;
    demand->max_time_us = AMGR_LIMIT_OFF;
}

static void take(amgr_decision_t *decision, int verdict, int slot,
                 apr_uint64_t measured, apr_int64_t limit)
{
    decision->verdict = verdict;
    decision->slot = slot;
    decision->measured = measured;
    decision->limit = (apr_uint64_t)limit;
}

/* Nobody can see whether a WSGI daemon is busy: it counts as active. */
static int judge_memory(const amgr_demand_t *demand,
                        const amgr_process_t *process,
                        amgr_decision_t *decision)
{
    int active = process->role != AMGR_ROLE_WORKER || process->active;
    apr_int64_t limit = active ? demand->max_memory_active_bytes
                               : demand->max_memory_idle_bytes;

    if (!amgr_measure_is_over(process->rss_bytes, limit)) {
        return 0;
    }
    take(decision,
         active ? AMGR_VERDICT_MEMORY_ACTIVE : AMGR_VERDICT_MEMORY_IDLE, -1,
         process->rss_bytes, limit);
    return 1;
}

/* The age of the process's oldest request, or AMGR_NO_TIME. */
static apr_interval_time_t find_oldest(const amgr_snapshot_t *snapshot,
                                       const amgr_process_t *process,
                                       int *out_slot)
{
    apr_interval_time_t oldest_us = AMGR_NO_TIME;
    int i;

    for (i = process->first_slot; i < process->first_slot + process->slot_count;
         i++) {
        if (snapshot->slots[i].request_age_us > oldest_us) {
            oldest_us = snapshot->slots[i].request_age_us;
            *out_slot = i;
        }
    }
    for (i = process->first_stream;
         i < process->first_stream + process->stream_count; i++) {
        if (snapshot->streams[i].request_age_us > oldest_us) {
            oldest_us = snapshot->streams[i].request_age_us;
            *out_slot = snapshot->streams[i].slot;
        }
    }
    return oldest_us;
}

static int judge_time(const amgr_demand_t *demand,
                      const amgr_snapshot_t *snapshot,
                      const amgr_process_t *process, amgr_decision_t *decision)
{
    apr_interval_time_t oldest_us;
    int slot = -1;

    if (process->role != AMGR_ROLE_WORKER ||
        demand->max_time_us == AMGR_LIMIT_OFF) {
        return 0;
    }
    oldest_us = find_oldest(snapshot, process, &slot);
    if (oldest_us == AMGR_NO_TIME || oldest_us <= demand->max_time_us) {
        return 0;
    }
    take(decision, AMGR_VERDICT_TIME, slot, (apr_uint64_t)oldest_us,
         demand->max_time_us);
    return 1;
}

/* A standing judgement has just decided to retire it. */
static int is_decided(const amgr_decision_t *decisions, int count, int process)
{
    int i;

    for (i = 0; i < count; i++) {
        if (decisions[i].process == process && !decisions[i].follow_up &&
            decisions[i].cause == AMGR_CAUSE_NONE) {
            return 1;
        }
    }
    return 0;
}

/* Whether an order may be about it at all. */
static int may_go(const amgr_judging_t *tick, const amgr_process_t *process)
{
    const amgr_ledger_process_t *entry;

    if ((process->role != AMGR_ROLE_WORKER &&
         process->role != AMGR_ROLE_WSGI) ||
        process->state == AMGR_STATE_RETIRING) {
        return 0;
    }
    if (tick->ledger == NULL) {
        return 1;
    }
    entry = amgr_ledger_find(tick->ledger, &process->id);
    /* One that cannot be remembered would be asked and then forgotten. */
    return entry != NULL && entry->retired_mono_us == 0;
}

/* The first step, with whatever is over the order's time taken for lost. */
static void fill(const amgr_judging_t *tick, const amgr_demand_t *demand,
                 const amgr_process_t *process, amgr_decision_t *decision)
{
    amgr_survey_t survey;

    amgr_age_survey_by(tick, process, demand->max_time_us, &survey);
    decision->requests = amgr_age_requests(tick, process, &survey);
    decision->demanded = 1;
    decision->announce = 1;
    if (demand->dry_run) {
        decision->cause = AMGR_CAUSE_DRY_RUN;
        return;
    }
    decision->step = amgr_ladder_first(tick, process, &survey, decision);
    if (tick->ledger != NULL) {
        amgr_ledger_find(tick->ledger, &process->id)->demanded_time_us =
            demand->max_time_us;
    }
}

int amgr_demand_judge(const amgr_demand_t *demand, const amgr_limits_t *limits,
                      const amgr_snapshot_t *snapshot, amgr_ledger_t *ledger,
                      amgr_decision_t *decisions, int count, int max)
{
    amgr_judging_t tick;
    int standing = count;
    int i;

    memset(&tick, 0, sizeof(tick));
    tick.limits = limits;
    tick.snapshot = (amgr_snapshot_t *)snapshot; /* none of the parts that are
                                                    called here writes to it */
    tick.ledger = ledger;
    tick.mono_us = snapshot->server.time.mono_us;
    tick.wall_us = snapshot->server.time.wall_us;
    for (i = 0; i < snapshot->process_count && count < max; i++) {
        const amgr_process_t *process = &snapshot->processes[i];
        amgr_decision_t *decision = &decisions[count];

        if (demand->max_kills > 0 && count - standing >= demand->max_kills) {
            break;
        }
        if (!may_go(&tick, process) || is_decided(decisions, standing, i)) {
            continue;
        }
        memset(decision, 0, sizeof(*decision));
        if (!judge_memory(demand, process, decision) &&
            !judge_time(demand, snapshot, process, decision)) {
            continue;
        }
        decision->process = i;
        fill(&tick, demand, process, decision);
        count++;
    }
    return count;
}

int amgr_demand_is_under_way(amgr_ledger_t *ledger, apr_time_t now_mono_us)
{
    const amgr_ledger_process_t *entry = amgr_ledger_processes(ledger);
    const amgr_ledger_process_t *end = entry + ledger->process_max;

    for (; entry < end && entry->id.pid != 0; entry++) {
        if (entry->demanded && !amgr_ladder_is_stuck(entry, now_mono_us)) {
            return 1;
        }
    }
    return 0;
}
