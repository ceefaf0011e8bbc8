/* SPDX-License-Identifier: Apache-2.0
 *
 * Orders from outside, each for one process; and when there is nothing left to
 * order, since all have done their work.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "supervise/machine.h"
#include "supervise/supervisor_parts.h"

const char *amgr_verb_word(int verb)
{
    static const char *const words[AMGR_VERB_COUNT] = {
        [AMGR_VERB_STATUS] = "status",
        [AMGR_VERB_START] = "start",
        [AMGR_VERB_STOP] = "stop",
        [AMGR_VERB_RESTART] = "restart",
    };

    return verb >= 0 && verb < AMGR_VERB_COUNT ? words[verb] : "unknown";
}

static amgr_ward_t *get(const amgr_supervisor_t *supervisor, int index)
{
    return index >= 0 && index < supervisor->ward_count
               ? supervisor->wards[index]
               : NULL;
}

static void ask(amgr_ward_t *ward)
{
    ward->is_down = 0;
    ward->is_asked = 1;
    ward->row.want = AMGR_MANAGED_WANT_UP;
    ward->told[0] = '\0';
    amgr_backoff_clear(&ward->backoff);
}

static int start(amgr_ward_t *ward)
{
    int is_up = ward->row.want == AMGR_MANAGED_WANT_UP;

    if (is_up &&
        (ward->is_asked ||
         (amgr_ward_is_on(ward) && ward->row.state != AMGR_MANAGED_STOPPING))) {
        return AMGR_OBEYED_ALREADY;
    }
    ask(ward);
    return AMGR_OBEYED;
}

static int stop(amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    int is_missed = amgr_managed_is_missed(&ward->row);

    if (ward->row.state == AMGR_MANAGED_EXITED && !ward->is_asked &&
        !is_missed) {
        return AMGR_OBEYED_ALREADY;
    }
    if (ward->is_down) {
        return AMGR_OBEYED_ALREADY;
    }
    ward->is_down = 1;
    ward->is_asked = 0;
    ward->is_leaving = 0;
    ward->is_restarting = 0;
    ward->row.want = AMGR_MANAGED_WANT_DOWN;
    amgr_ward_stop(supervisor, ward, "stopped by order");
    if (ward->row.state == AMGR_MANAGED_EXITED && is_missed) {
        amgr_ward_fire(supervisor, ward, AMGR_MACHINE_HELD, "stopped by order");
    }
    if (!amgr_ward_is_on(ward)) {
        amgr_supervisor_text(ward->row.reason, sizeof(ward->row.reason),
                             "stopped by order"); /* it may have waited */
    }
    return AMGR_OBEYED;
}

static int restart(amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    int is_up = ward->row.want == AMGR_MANAGED_WANT_UP;

    if (is_up && (ward->is_asked || ward->is_restarting ||
                  ward->row.state == AMGR_MANAGED_STARTING)) {
        return AMGR_OBEYED_ALREADY;
    }
    ask(ward);
    ward->is_restarting = 1;
    if (amgr_ward_is_on(ward)) {
        amgr_ward_stop(supervisor, ward, "restarted by order");
    }
    return AMGR_OBEYED;
}

int amgr_supervisor_order(amgr_supervisor_t *supervisor, int index, int verb)
{
    amgr_ward_t *ward = get(supervisor, index);
    int result = AMGR_OBEYED;

    if (ward == NULL) {
        return AMGR_OBEYED_NOT;
    }
    if (verb == AMGR_VERB_STATUS) {
        return AMGR_OBEYED;
    }
    if (supervisor->phase != AMGR_PHASE_LIVE || ward->is_removed) {
        return AMGR_OBEYED_NOT;
    }
    amgr_clock_read(&supervisor->now);
    switch (verb) {
    case AMGR_VERB_START:
        result = start(ward);
        break;
    case AMGR_VERB_STOP:
        result = stop(supervisor, ward);
        break;
    case AMGR_VERB_RESTART:
        result = restart(supervisor, ward);
        break;
    default:
        return AMGR_OBEYED_NOT;
    }
    amgr_supervisor_settle(supervisor);
    amgr_supervisor_publish(supervisor, 1);
    return result;
}

void amgr_supervisor_shut_down(amgr_supervisor_t *supervisor)
{
    amgr_clock_read(&supervisor->now);
    amgr_supervisor_leave(supervisor, AMGR_PHASE_SHUT);
    amgr_supervisor_publish(supervisor, 1);
}

const amgr_managed_table_t *
amgr_supervisor_table(const amgr_supervisor_t *supervisor)
{
    return &supervisor->table;
}

static int is_at_rest(const amgr_ward_t *ward)
{
    return !amgr_ward_is_on(ward) && !ward->is_asked &&
           ward->row.state != AMGR_MANAGED_BACKOFF;
}

int amgr_supervisor_is_settled(const amgr_supervisor_t *supervisor, int index,
                               int verb)
{
    const amgr_ward_t *ward = get(supervisor, index);

    if (ward == NULL || verb == AMGR_VERB_STATUS) {
        return 1;
    }
    if (is_at_rest(ward)) {
        return 1;
    }
    if (verb == AMGR_VERB_STOP) {
        return ward->row.want == AMGR_MANAGED_WANT_UP;
    }
    return ward->row.want == AMGR_MANAGED_WANT_DOWN ||
           supervisor->phase != AMGR_PHASE_LIVE ||
           (ward->row.state == AMGR_MANAGED_READY && !ward->is_leaving &&
            !ward->is_asked);
}

/** Whether it will not run again by itself; @a is_over tells of the others as
 * far as that is known. */
static int is_over(const amgr_supervisor_t *supervisor, int index,
                   const char *over)
{
    const amgr_ward_t *ward = supervisor->wards[index];
    int i;

    if (is_at_rest(ward)) {
        return 1;
    }
    if (amgr_ward_is_on(ward) || ward->row.state != AMGR_MANAGED_STOPPED) {
        return 0;
    }
    /* It waits, in vain when one of those in its way is over. */
    for (i = 0; i < supervisor->ward_count; i++) {
        if (over[i] &&
            amgr_supervisor_blocks(supervisor, supervisor->wards[i], ward)) {
            return 1;
        }
    }
    return 0;
}

/** Whether all is over; *out_worked: something of it has run to its end. */
static int is_all_over(const amgr_supervisor_t *supervisor, int *out_worked)
{
    char over[AMGR_WARDS_MAX] = {0};
    int count = 0;
    int changed = 1;
    int i;

    *out_worked = 0;
    while (changed) {
        changed = 0;
        for (i = 0; i < supervisor->ward_count; i++) {
            if (!over[i] && is_over(supervisor, i, over)) {
                over[i] = 1;
                count++;
                changed = 1;
            }
        }
    }
    for (i = 0; i < supervisor->ward_count; i++) {
        const amgr_managed_t *row = &supervisor->wards[i]->row;

        if (row->restart != AMGR_RESTART_ALWAYS &&
            (row->state == AMGR_MANAGED_EXITED ||
             row->state == AMGR_MANAGED_FATAL)) {
            *out_worked = 1;
        }
    }
    return count == supervisor->ward_count;
}

void amgr_supervisor_look_done(amgr_supervisor_t *supervisor)
{
    int worked;

    if (!supervisor->exit_when_done || supervisor->is_done ||
        supervisor->phase != AMGR_PHASE_LIVE || supervisor->is_waiting ||
        !is_all_over(supervisor, &worked) || !worked ||
        getppid() != supervisor->setup.parent) {
        return;
    }
    supervisor->is_done = 1;
    amgr_say(&supervisor->teller, AMGR_SAY_SUPERVISOR, AMGR_LEVEL_NOTICE, 0,
             "all managed processes have ended and none will be started "
             "again: the server is told to stop gracefully");
    kill(supervisor->setup.parent, SIGWINCH);
}
