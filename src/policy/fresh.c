/* SPDX-License-Identifier: Apache-2.0
 *
 * How big a child is before it has done anything.  A memory limit below that
 * would retire every child as soon as it is born; such a limit is inert.
 *
 * One that has done no work when it is first seen tells its size for certain.
 * On a busy server there may be none, and of a daemon nobody can tell; a
 * newborn may have grown already, so it takes several of them, and the
 * smallest counts: one that leaked at once does not switch its limit off.
 */
#include <string.h>

#include "policy/judging.h"

/* Newborns that may have worked, until the smallest of them counts. */
#define NEWBORNS_ENOUGH 3

/* Young enough to have been born about when it was first seen. */
static int is_newborn(const amgr_judging_t *tick, const amgr_process_t *process)
{
    return process->age_us != AMGR_NO_TIME &&
           process->age_us <
               2 * tick->limits->interval_us + apr_time_from_sec(2);
}

/* Whether it is certain that the process has done no work yet. */
static int has_not_worked(const amgr_judging_t *tick,
                          const amgr_process_t *process,
                          const amgr_survey_t *survey)
{
    return process->role == AMGR_ROLE_WORKER &&
           tick->snapshot->server.extended && process->accesses == 0 &&
           survey->working == 0;
}

static amgr_ledger_group_t *find_group(amgr_ledger_t *ledger,
                                       const amgr_group_t *group)
{
    int i;

    for (i = 0; i < ledger->group_count; i++) {
        if (ledger->groups[i].role == group->role &&
            strncmp(ledger->groups[i].name, group->name, sizeof(group->name)) ==
                0) {
            return &ledger->groups[i];
        }
    }
    return NULL;
}

static amgr_ledger_group_t *add_group(amgr_ledger_t *ledger,
                                      const amgr_group_t *group)
{
    amgr_ledger_group_t *added;

    if (ledger->group_count >= AMGR_GROUPS_MAX) {
        return NULL;
    }
    added = &ledger->groups[ledger->group_count++];
    memcpy(added->name, group->name, sizeof(added->name));
    added->role = group->role;
    added->newborns = 0;
    added->newborn_bytes = AMGR_UNKNOWN;
    added->idle_bytes = AMGR_UNKNOWN;
    return added;
}

/* The configured figure.  RSS stands in for one that was not read, being
 * larger as a rule: it can show that a limit is above it, not the reverse. */
static apr_uint64_t fresh_measure(const amgr_limits_t *limits,
                                  const amgr_process_t *process)
{
    apr_uint64_t bytes = amgr_measure_of(process, limits->metric);

    if (bytes != AMGR_UNKNOWN || process->rss_bytes == AMGR_UNKNOWN ||
        amgr_measure_is_over_any(limits, process, process->rss_bytes)) {
        return bytes;
    }
    return process->rss_bytes;
}

/* AMGR_UNKNOWN is the largest number there is. */
static void note(amgr_ledger_group_t *known, apr_uint64_t bytes, int idle)
{
    apr_uint64_t *smallest = idle ? &known->idle_bytes : &known->newborn_bytes;

    if (bytes < *smallest) {
        *smallest = bytes;
    }
    if (!idle && known->newborns < NEWBORNS_ENOUGH) {
        known->newborns++;
    }
}

/* What is known for certain, or AMGR_UNKNOWN. */
static apr_uint64_t fresh_size(const amgr_ledger_group_t *known)
{
    if (known == NULL) {
        return AMGR_UNKNOWN;
    }
    if (known->newborns < NEWBORNS_ENOUGH ||
        known->idle_bytes < known->newborn_bytes) {
        return known->idle_bytes;
    }
    return known->newborn_bytes;
}

void amgr_fresh_learn(const amgr_judging_t *tick, const amgr_process_t *process,
                      const amgr_ledger_process_t *entry,
                      const amgr_survey_t *survey)
{
    const amgr_snapshot_t *snapshot = tick->snapshot;
    const amgr_group_t *group;
    amgr_ledger_group_t *known;
    apr_uint64_t bytes;
    int idle;

    if (entry == NULL || entry->ticks != 1 || process->group < 0 ||
        process->group >= snapshot->group_count ||
        !amgr_measure_is_judged(process)) {
        return;
    }
    idle = has_not_worked(tick, process, survey);
    if (!idle && !is_newborn(tick, process)) {
        return;
    }
    bytes = fresh_measure(tick->limits, process);
    if (bytes == AMGR_UNKNOWN) {
        return;
    }
    group = &snapshot->groups[process->group];
    known = find_group(tick->ledger, group);
    if (known == NULL) {
        known = add_group(tick->ledger, group);
    }
    if (known != NULL) {
        note(known, bytes, idle);
    }
}

static int is_below(apr_int64_t limit_bytes, apr_uint64_t fresh_bytes)
{
    return amgr_measure_is_over(fresh_bytes, limit_bytes);
}

void amgr_fresh_publish(const amgr_judging_t *tick)
{
    const amgr_limits_t *limits = tick->limits;
    amgr_process_t any; /* of the group */
    int i;

    memset(&any, 0, sizeof(any));
    for (i = 0; i < tick->snapshot->group_count; i++) {
        amgr_group_t *group = &tick->snapshot->groups[i];
        const amgr_ledger_group_t *known = find_group(tick->ledger, group);

        group->fresh_bytes = fresh_size(known);
        any.role = group->role;
        any.section = group->section;
        group->inert =
            amgr_measure_is_judged(&any) &&
            amgr_measure_is_over_any(limits, &any, group->fresh_bytes);
    }
}

int amgr_fresh_is_inert(const amgr_judging_t *tick,
                        const amgr_process_t *process, apr_int64_t limit_bytes)
{
    const amgr_snapshot_t *snapshot = tick->snapshot;

    if (process->group < 0 || process->group >= snapshot->group_count) {
        return 0;
    }
    return is_below(limit_bytes, snapshot->groups[process->group].fresh_bytes);
}
