/* SPDX-License-Identifier: Apache-2.0
 *
 * In which order wards are started and stopped.  One is started when all that
 * it comes after are ready; one that is to be stopped together with others is
 * told when those that come after it are gone.
 */
#include <string.h>
#include <unistd.h>

#include "supervise/machine.h"
#include "supervise/supervisor_parts.h"

/** Once the parent is gone: after the mercy of guards, for killing one that
 * does not answer, and for what that leaves behind.  What hangs longer than
 * that ends when this process does. */
#define LAST_US (7 * APR_USEC_PER_SEC)

static const char last_run[] = "waits for the last run to end";

/** Whether @a ward comes after @a other. */
static int comes_after(const amgr_supervisor_t *supervisor,
                       const amgr_ward_t *ward, const amgr_ward_t *other)
{
    return amgr_spec_is_after(ward->spec, other->row.name) ||
           (supervisor->start_in_order && ward->place > other->place);
}

/** Whether what comes after it may be started.  One that is about to be stopped
 * or started is not what it will be. */
static int lets_start(const amgr_supervisor_t *supervisor,
                      const amgr_ward_t *ward, const amgr_ward_t *before)
{
    if (before->row.ready && !before->is_leaving && !before->is_asked) {
        return 1;
    }
    /* The order of the file asks only that its turn is over. */
    return supervisor->start_in_order &&
           !amgr_spec_is_after(ward->spec, before->row.name) &&
           !amgr_ward_is_on(before) &&
           (before->row.want == AMGR_MANAGED_WANT_DOWN ||
            (before->row.state == AMGR_MANAGED_EXITED &&
             before->row.exit_cause == AMGR_MANAGED_EXIT_CLEAN));
}

/** In @a out: @a ward, and what has ended well that it comes after.  That says
 * nothing any more of what it came after itself, as a migration does not of its
 * database, so @a ward comes after this, too.  How many. */
static int list_stands(const amgr_supervisor_t *supervisor,
                       const amgr_ward_t *ward,
                       const amgr_ward_t *out[AMGR_WARDS_MAX])
{
    char is_known[AMGR_WARDS_MAX] = {0};
    int count = 1;
    int next;
    int i;

    out[0] = ward;
    for (next = 0; next < count; next++) {
        for (i = 0; i < supervisor->ward_count; i++) {
            const amgr_ward_t *other = supervisor->wards[i];

            if (!is_known[i] && other != ward && !other->is_removed &&
                other->row.ready && !amgr_ward_is_on(other) &&
                amgr_spec_is_after(out[next]->spec, other->row.name)) {
                is_known[i] = 1;
                out[count++] = other;
            }
        }
    }
    return count;
}

static int is_in_way(const amgr_supervisor_t *supervisor,
                     const amgr_ward_t *other, const amgr_ward_t *const *stands,
                     int count)
{
    int i;

    for (i = 0; i < count && other != stands[0] && !other->is_removed; i++) {
        if (comes_after(supervisor, stands[i], other) &&
            !lets_start(supervisor, stands[i], other)) {
            return 1;
        }
    }
    return 0;
}

int amgr_supervisor_is_blocked(const amgr_supervisor_t *supervisor,
                               const amgr_ward_t *ward, const char *by)
{
    const amgr_ward_t *stands[AMGR_WARDS_MAX];
    int count = list_stands(supervisor, ward, stands);
    int i;

    for (i = 0; i < supervisor->ward_count; i++) {
        if (by[i] &&
            is_in_way(supervisor, supervisor->wards[i], stands, count)) {
            return 1;
        }
    }
    return 0;
}

/** Why one that is in the way stays there; empty when it may not. */
static const char *why_for_good(const amgr_ward_t *ward)
{
    if (ward->row.is_stuck) {
        return ", which cannot be started";
    }
    if (!amgr_ward_is_at_rest(ward)) {
        return "";
    }
    switch (ward->row.state) {
    case AMGR_MANAGED_FATAL:
        return ", which is FATAL";
    case AMGR_MANAGED_EXITED:
        return ", which has ended";
    default:
        return ", which is stopped";
    }
}

/** Who is in the way of its start, or NULL; rather one that stays there. */
static const amgr_ward_t *blocker(const amgr_supervisor_t *supervisor,
                                  const amgr_ward_t *ward)
{
    const amgr_ward_t *stands[AMGR_WARDS_MAX];
    const amgr_ward_t *found = NULL;
    int count = list_stands(supervisor, ward, stands);
    int i;

    for (i = 0; i < supervisor->ward_count; i++) {
        const amgr_ward_t *other = supervisor->wards[i];

        if ((found == NULL || why_for_good(found)[0] == '\0') &&
            is_in_way(supervisor, other, stands, count) &&
            (found == NULL || why_for_good(other)[0] != '\0')) {
            found = other;
        }
    }
    return found;
}

const amgr_ward_t *amgr_supervisor_user(const amgr_supervisor_t *supervisor,
                                        const amgr_ward_t *ward)
{
    const amgr_ward_t *way[AMGR_WARDS_MAX];
    char is_known[AMGR_WARDS_MAX] = {0};
    int count = 1;
    int next;
    int i;

    way[0] = ward;
    for (next = 0; next < count; next++) {
        for (i = 0; i < supervisor->ward_count; i++) {
            const amgr_ward_t *other = supervisor->wards[i];

            if (is_known[i] || other == ward ||
                !comes_after(supervisor, other, way[next])) {
                continue;
            }
            if (other->is_leaving && amgr_ward_is_on(other)) {
                return other;
            }
            is_known[i] = 1;
            way[count++] = other;
        }
    }
    return NULL;
}

/** It waits, whatever it was before. */
static void hold(amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                 const char *why)
{
    int level = ward->row.is_stuck ? AMGR_LEVEL_NOTICE : AMGR_LEVEL_INFO;

    amgr_ward_fire(supervisor, ward, AMGR_MACHINE_HELD, why);
    if (strcmp(ward->row.reason, why) != 0) {
        amgr_supervisor_text(ward->row.reason, sizeof(ward->row.reason), "%s",
                             why);
        supervisor->is_dirty = 1;
        amgr_say(&supervisor->teller, AMGR_SAY_STATE, level, 0,
                 "process %s: %s", ward->row.name, why);
    }
}

/** Start it when nothing is in the way.  Non-zero: something happened. */
static int try_start(amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    char why[AMGR_MANAGED_TEXT_LEN];
    const amgr_ward_t *other;

    if (!ward->is_asked || amgr_ward_is_on(ward) || ward->is_removed ||
        supervisor->phase != AMGR_PHASE_LIVE) {
        return 0;
    }
    if (supervisor->is_waiting) {
        hold(supervisor, ward, last_run);
        return 0;
    }
    if (ward->is_leaving) { /* as it was, and not its turn yet */
        other = amgr_supervisor_user(supervisor, ward);
        if (other == NULL) {
            return 1; /* just now: try_stop() sees to it */
        }
        amgr_supervisor_text(why, sizeof(why), "waits for the end of %s",
                             other->row.name);
        hold(supervisor, ward, why);
        return 0;
    }
    other = blocker(supervisor, ward);
    if (other != NULL) {
        amgr_supervisor_text(why, sizeof(why), "waits for %s%s",
                             other->row.name, why_for_good(other));
        hold(supervisor, ward, why);
        return 0;
    }
    ward->is_asked = 0;
    amgr_ward_fire(supervisor, ward, AMGR_MACHINE_START, "");
    return 1;
}

static const char *why_leaving(const amgr_supervisor_t *supervisor,
                               const amgr_ward_t *ward)
{
    if (supervisor->phase == AMGR_PHASE_SHUT) {
        return "all are stopped by order";
    }
    if (supervisor->phase != AMGR_PHASE_LIVE) {
        return "stopped with the server";
    }
    return ward->is_removed ? "not configured any more"
                            : "its configuration changed";
}

/** Tell it to stop when its turn has come.  Non-zero: something happened. */
static int try_stop(amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                    int is_forced)
{
    if (!ward->is_leaving) {
        return 0;
    }
    if (!amgr_ward_is_on(ward)) {
        if (ward->is_asked && amgr_supervisor_user(supervisor, ward) != NULL) {
            return 0; /* it is started anew, in its turn */
        }
        ward->is_leaving = 0;
        amgr_ward_fire(supervisor, ward, AMGR_MACHINE_STOP,
                       why_leaving(supervisor, ward));
        return 1;
    }
    if (ward->row.state == AMGR_MANAGED_STOPPING ||
        (!is_forced && amgr_supervisor_user(supervisor, ward) != NULL)) {
        return 0;
    }
    amgr_ward_stop(supervisor, ward, why_leaving(supervisor, ward));
    return 1;
}

/** Specifications of several configurations could each wait for the other's
 * end: where nobody is about to go, all go. */
static int is_stuck(const amgr_supervisor_t *supervisor)
{
    int waiting = 0;
    int i;

    for (i = 0; i < supervisor->ward_count; i++) {
        const amgr_ward_t *ward = supervisor->wards[i];

        if (ward->is_leaving && amgr_ward_is_on(ward)) {
            if (ward->row.state == AMGR_MANAGED_STOPPING) {
                return 0;
            }
            waiting = 1;
        }
    }
    return waiting;
}

static int settle_once(amgr_supervisor_t *supervisor)
{
    int is_forced = is_stuck(supervisor);
    int changed = 0;
    int i;

    for (i = 0; i < supervisor->ward_count; i++) {
        changed |= try_stop(supervisor, supervisor->wards[i], 0);
    }
    for (i = 0; i < supervisor->ward_count && is_forced && !changed; i++) {
        changed |= try_stop(supervisor, supervisor->wards[i], 1);
    }
    amgr_supervisor_look_stuck(supervisor);
    for (i = 0; i < supervisor->ward_count; i++) {
        amgr_ward_t *ward = supervisor->wards[i];

        if (!amgr_ward_is_on(ward)) {
            amgr_ward_take_next(supervisor, ward);
        }
        changed |= try_start(supervisor, ward);
    }
    return changed;
}

void amgr_supervisor_settle(amgr_supervisor_t *supervisor)
{
    int i;

    /* Each start and stop can let others start and stop; none of them can go
     * on for ever, since what fails waits for its delay. */
    for (i = 0; i < 4 * AMGR_WARDS_MAX; i++) {
        if (!settle_once(supervisor)) {
            break;
        }
    }
    amgr_supervisor_bury(supervisor);
}

void amgr_supervisor_leave(amgr_supervisor_t *supervisor, int phase)
{
    int i;

    if (supervisor->phase >= phase) {
        return;
    }
    supervisor->phase = phase;
    supervisor->table.is_shut |= phase == AMGR_PHASE_SHUT;
    supervisor->is_dirty = 1;
    amgr_say(&supervisor->teller, AMGR_SAY_SUPERVISOR, AMGR_LEVEL_INFO, 0,
             "stopping all managed processes");
    for (i = 0; i < supervisor->ward_count; i++) {
        amgr_ward_t *ward = supervisor->wards[i];

        ward->is_asked = 0;
        ward->is_restarting = 0;
        ward->is_leaving = 1;
        if (phase == AMGR_PHASE_SHUT) {
            ward->row.want = AMGR_MANAGED_WANT_DOWN;
        }
    }
    amgr_supervisor_settle(supervisor);
}

void amgr_supervisor_flee(amgr_supervisor_t *supervisor)
{
    int i;

    if (supervisor->phase == AMGR_PHASE_ALONE) {
        return;
    }
    supervisor->phase = AMGR_PHASE_ALONE;
    supervisor->is_dirty = 1;
    if (supervisor->setup.parent_fd >= 0) {
        close(supervisor->setup.parent_fd); /* nobody is at its other end */
        supervisor->setup.parent_fd = -1;
    }
    supervisor->end_due_us =
        supervisor->now.mono_us + AMGR_GUARD_MERCY_US + LAST_US;
    amgr_say(&supervisor->teller, AMGR_SAY_SUPERVISOR, AMGR_LEVEL_WARNING, 0,
             "the server is gone: stopping all managed processes");
    for (i = 0; i < supervisor->ward_count; i++) {
        amgr_ward_t *ward = supervisor->wards[i];

        ward->is_asked = 0;
        ward->is_leaving = 1;
        if (ward->step == AMGR_WARD_TOLD &&
            ward->row.state == AMGR_MANAGED_STOPPING &&
            ward->step_due_us > supervisor->now.mono_us + AMGR_GUARD_MERCY_US) {
            ward->step_due_us = supervisor->now.mono_us + AMGR_GUARD_MERCY_US;
        }
        amgr_ward_stop(supervisor, ward, "the server is gone");
    }
}

int amgr_supervisor_is_busy(const amgr_supervisor_t *supervisor)
{
    int i;

    for (i = 0; i < supervisor->ward_count; i++) {
        if (amgr_ward_is_on(supervisor->wards[i])) {
            return 1;
        }
    }
    return 0;
}
