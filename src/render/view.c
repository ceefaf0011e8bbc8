/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions that several writers ask of a view.  Pure: reads the view, prints
 * nothing.  A view may come from shared memory by way of a copy, so indices
 * into groups and slots are checked here once, for all writers.
 */
#include "render/trends.h"

#include <string.h>

/* A tick may be late by one turn of the monitor hook, which under load takes
 * as long as the interval itself, before anything is wrong. */
#define STALE_TICKS 3
#define STALE_GRACE_US apr_time_from_sec(5)

static const char *const health_words[AMGR_HEALTH_COUNT] = {
    [AMGR_HEALTH_OK] = "healthy",
    [AMGR_HEALTH_WAITING] = "waiting",
    [AMGR_HEALTH_NO_LIMITS] = "watching",
    [AMGR_HEALTH_NO_MONITOR] = "not monitored",
    [AMGR_HEALTH_NEAR] = "near limit",
    [AMGR_HEALTH_INERT] = "inert limit",
    [AMGR_HEALTH_OVER] = "over limit",
    [AMGR_HEALTH_HANGING] = "hanging",
    [AMGR_HEALTH_RETIRING] = "retiring",
    [AMGR_HEALTH_NOT_READY] = "not ready",
    [AMGR_HEALTH_STORM] = "storm breaker",
    [AMGR_HEALTH_FAILED] = "process failed",
    [AMGR_HEALTH_NO_SUPERVISOR] = "no supervisor",
    [AMGR_HEALTH_NO_RIGHTS] = "no rights",
    [AMGR_HEALTH_STALE] = "stale",
};

const char *amgr_health_word(int health)
{
    if (health < 0 || health >= AMGR_HEALTH_COUNT) {
        return "unknown";
    }
    return health_words[health];
}

static int is_over(const amgr_process_t *process)
{
    return process->verdict > AMGR_VERDICT_OK
        && process->verdict < AMGR_VERDICT_COUNT;
}

/* Share of its memory limit that a process has. */
static double fill_of(const amgr_view_t *view, const amgr_process_t *process)
{
    return (double)amgr_measure_of(process, view->config->limits.metric) /
           (double)amgr_trends_limit(view, process);
}

static void count_near(const amgr_view_t *view, const amgr_process_t *process,
                       amgr_view_counts_t *out)
{
    out->near++;
    if (out->nearest == NULL ||
        fill_of(view, process) > fill_of(view, out->nearest)) {
        out->nearest = process;
    }
}

static void count_process(const amgr_view_t *view,
                          const amgr_process_t *process, int with_limits,
                          amgr_view_counts_t *out)
{
    if (process->kind == AMGR_KIND_NATIVE) {
        out->native++;
        out->native_slots += process->slot_count;
    }
    else if (process->role != AMGR_ROLE_PROGRAM) {
        out->foreign++;
    }
    if (process->state == AMGR_STATE_RETIRING) {
        out->retiring++;
    }
    else if (is_over(process) && process->cause > AMGR_CAUSE_NONE
             && process->cause < AMGR_CAUSE_COUNT) {
        out->over++;
        out->causes[process->cause]++;
    }
    else if (with_limits && amgr_trends_is_near(view, process)) {
        count_near(view, process, out);
    }
}

const amgr_evidence_t *amgr_view_evidence(const amgr_view_t *view,
                                          const amgr_record_t *record)
{
    int i;

    for (i = 0; i < view->evidence_count; i++) {
        if (record->serial != 0 &&
            view->evidences[i].serial == record->serial) {
            return &view->evidences[i];
        }
    }
    return NULL;
}

const char *amgr_view_group_name(const amgr_view_t *view, int group)
{
    if (group < 0 || group >= view->snapshot->group_count) {
        return "unknown";
    }
    return view->snapshot->groups[group].name;
}

/* Whether the snapshot has all slots of @a process. */
static int holds_slots(const amgr_snapshot_t *snapshot,
                       const amgr_process_t *process)
{
    return process->slot_count > 0 && process->first_slot >= 0 &&
           process->slot_count <= snapshot->slot_count &&
           process->first_slot <= snapshot->slot_count - process->slot_count;
}

const amgr_slot_t *amgr_view_slots(const amgr_view_t *view,
                                   const amgr_process_t *process, int first,
                                   int *out_count)
{
    const amgr_slot_source_t *source = view->source;

    *out_count = 0;
    if (source != NULL) {
        *out_count = source->read_slots(source->baton, process, first,
                                        source->room, source->room_max);
        return *out_count > 0 ? source->room : NULL;
    }
    if (!holds_slots(view->snapshot, process) || first < 0 ||
        first >= process->slot_count) {
        return NULL;
    }
    *out_count = process->slot_count - first;
    return view->snapshot->slots + process->first_slot + first;
}

const amgr_slot_t *amgr_view_slot(const amgr_view_t *view,
                                  const amgr_process_t *process, int index)
{
    const amgr_slot_source_t *source = view->source;

    if (source != NULL) {
        return source->read_slots(source->baton, process, index, source->room,
                                  1) > 0
                   ? source->room
                   : NULL;
    }
    if (!holds_slots(view->snapshot, process) || index < 0 ||
        index >= process->slot_count) {
        return NULL;
    }
    return view->snapshot->slots + process->first_slot + index;
}

void amgr_view_letters(const amgr_view_t *view, const amgr_process_t *process,
                       int first, char *out, int count)
{
    const amgr_slot_source_t *source = view->source;
    int i = 0;

    if (source != NULL && first < source->columns) {
        i = source->columns - first;
        i = i < count ? i : count;
        source->read_letters(
            source->baton,
            (apr_int64_t)process->process_slot * source->columns + first, out,
            i);
    }
    for (; i < count; i++) {
        const amgr_slot_t *slot = amgr_view_slot(view, process, first + i);

        out[i] = amgr_mode_letter(slot != NULL ? slot->mode : AMGR_MODE_DEAD);
    }
}

apr_uint64_t amgr_view_accesses(const amgr_view_t *view,
                                const amgr_process_t *process)
{
    return view->snapshot->server.extended && process->kind == AMGR_KIND_NATIVE
               ? process->accesses
               : AMGR_UNKNOWN;
}

int amgr_view_slot_count(const amgr_view_t *view)
{
    int count = 0;
    int i;

    for (i = 0; i < view->snapshot->process_count; i++) {
        count += view->snapshot->processes[i].slot_count;
    }
    return count;
}

apr_int64_t amgr_view_memory_limit(const amgr_view_t *view,
                                   const amgr_process_t *process)
{
    int verdict;

    if (!amgr_measure_is_judged(process)) {
        return AMGR_LIMIT_OFF;
    }
    return amgr_measure_limit(&view->config->limits, process, &verdict);
}

static apr_int64_t limit_of(const amgr_limits_t *limits, int section,
                            int which)
{
    switch (which) {
    case AMGR_VIEW_ACTIVE:
        return amgr_sections_active_bytes(limits, section);
    case AMGR_VIEW_IDLE:
        return amgr_sections_idle_bytes(limits, section);
    default:
        return amgr_sections_hard_bytes(limits, section);
    }
}

static int makes_inert(const amgr_group_t *group, apr_int64_t limit, int which)
{
    return group->inert && limit != AMGR_LIMIT_OFF
        && (which != AMGR_VIEW_IDLE || group->kind == AMGR_KIND_NATIVE)
        && (group->fresh_bytes == AMGR_UNKNOWN
            || (apr_uint64_t)limit < group->fresh_bytes);
}

const amgr_group_t *amgr_view_inert_group(const amgr_view_t *view, int which)
{
    const amgr_limits_t *limits = &view->config->limits;
    int i;

    for (i = 0; i < view->snapshot->group_count; i++) {
        const amgr_group_t *group = &view->snapshot->groups[i];

        if (makes_inert(group, limit_of(limits, group->section, which),
                        which)) {
            return group;
        }
    }
    return NULL;
}

const amgr_group_t *amgr_view_inert_server(const amgr_view_t *view, int which)
{
    const amgr_limits_t *limits = &view->config->limits;
    apr_int64_t server = limit_of(limits, 0, which);
    int i;

    for (i = 0; i < view->snapshot->group_count; i++) {
        const amgr_group_t *group = &view->snapshot->groups[i];

        if (limit_of(limits, group->section, which) == server
            && makes_inert(group, server, which)) {
            return group;
        }
    }
    return NULL;
}

int amgr_view_time_is_inert(const amgr_view_t *view)
{
    return amgr_limits_time_is_set(&view->config->limits)
        && !view->snapshot->server.extended;
}

int amgr_view_requests_are_inert(const amgr_view_t *view)
{
    return view->config->limits.max_requests.limit != AMGR_LIMIT_OFF
        && !view->snapshot->server.extended;
}

int amgr_view_total_is_inert(const amgr_view_t *view)
{
    return view->config->limits.max_memory_total_percent != 0
        && view->tick_wall_us != AMGR_NO_TIME
        && view->snapshot->server.memory_capacity_bytes == AMGR_UNKNOWN;
}

int amgr_view_is_inert(const amgr_view_t *view)
{
    return amgr_view_time_is_inert(view)
        || amgr_view_requests_are_inert(view)
        || amgr_view_total_is_inert(view)
        || amgr_view_inert_group(view, AMGR_VIEW_ACTIVE) != NULL
        || amgr_view_inert_group(view, AMGR_VIEW_IDLE) != NULL
        || amgr_view_inert_group(view, AMGR_VIEW_HARD) != NULL;
}

apr_interval_time_t amgr_view_since_tick_us(const amgr_view_t *view)
{
    if (view->tick_wall_us != AMGR_NO_TIME) {
        return view->now_wall_us - view->tick_wall_us;
    }
    return view->configured_us != 0 ? view->now_wall_us - view->configured_us
                                    : view->snapshot->server.uptime_us;
}

static apr_interval_time_t allowed_us(const amgr_view_t *view)
{
    return STALE_TICKS * view->config->limits.interval_us + STALE_GRACE_US;
}

static int is_late(const amgr_view_t *view)
{
    return amgr_view_since_tick_us(view) > allowed_us(view);
}

/* No tick of this configuration can be late: the last one is another's. */
static int has_just_begun(const amgr_view_t *view)
{
    return view->configured_us != 0 &&
           view->now_wall_us - view->configured_us <= allowed_us(view);
}

static int lacks_rights(const amgr_view_t *view)
{
    const amgr_limits_t *limits = &view->config->limits;

    if (!view->config->can_signal && !limits->dry_run) {
        return amgr_limits_are_set(limits);
    }
    return !view->config->can_read_proc
        && (amgr_sections_limit_memory(limits) || amgr_measure_sums(limits));
}

/* Nothing is done and nothing is held back. */
static amgr_health_e quiet_health(const amgr_view_t *view,
                                  const amgr_view_counts_t *counts)
{
    if (amgr_view_is_inert(view)) {
        return AMGR_HEALTH_INERT;
    }
    if (counts->near > 0) {
        return AMGR_HEALTH_NEAR;
    }
    if (!amgr_limits_are_set(&view->config->limits)) {
        return AMGR_HEALTH_NO_LIMITS;
    }
    return AMGR_HEALTH_OK;
}

static amgr_health_e health_of(const amgr_view_t *view,
                               const amgr_view_counts_t *counts)
{
    if (view->config->no_monitor) {
        return AMGR_HEALTH_NO_MONITOR;
    }
    if (is_late(view)) {
        return has_just_begun(view) ? AMGR_HEALTH_WAITING : AMGR_HEALTH_STALE;
    }
    if (lacks_rights(view)) {
        return AMGR_HEALTH_NO_RIGHTS;
    }
    if (view->tick_wall_us == AMGR_NO_TIME) {
        return AMGR_HEALTH_WAITING;
    }
    if (counts->causes[AMGR_CAUSE_STORM] > 0) {
        return AMGR_HEALTH_STORM;
    }
    if (counts->retiring > 0) {
        return AMGR_HEALTH_RETIRING;
    }
    if (view->snapshot->hanging > 0) {
        return AMGR_HEALTH_HANGING;
    }
    if (counts->over > counts->causes[AMGR_CAUSE_INERT]) {
        return AMGR_HEALTH_OVER;
    }
    return quiet_health(view, counts);
}

static void count_managed(const amgr_managed_table_t *table,
                          amgr_view_counts_t *out)
{
    int i;

    for (i = 0; i < table->count; i++) {
        const amgr_managed_t *process = &table->processes[i];

        if (amgr_managed_is_missed(process)) {
            out->managed_missed++;
            out->managed_failed += process->state == AMGR_MANAGED_FATAL;
        }
    }
}

static amgr_health_e managed_health(const amgr_view_t *view,
                                    const amgr_view_counts_t *counts)
{
    if (view->managed == NULL) {
        return AMGR_HEALTH_OK;
    }
    if (amgr_managed_is_unwatched(view->managed)) {
        return AMGR_HEALTH_NO_SUPERVISOR;
    }
    if (counts->managed_failed > 0) {
        return AMGR_HEALTH_FAILED;
    }
    return counts->managed_missed > 0 ? AMGR_HEALTH_NOT_READY : AMGR_HEALTH_OK;
}

void amgr_view_count(const amgr_view_t *view, amgr_view_counts_t *out)
{
    amgr_health_e managed;
    int with_limits = amgr_sections_limit_memory(&view->config->limits);
    int i;

    memset(out, 0, sizeof(*out));
    for (i = 0; i < view->snapshot->process_count; i++) {
        count_process(view, &view->snapshot->processes[i], with_limits, out);
    }
    if (view->managed != NULL) {
        count_managed(view->managed, out);
    }
    out->health = health_of(view, out);
    managed = managed_health(view, out);
    if (managed > out->health) {
        out->health = managed;
    }
}
