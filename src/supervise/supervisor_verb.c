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

/** Of those that have failed when all is done. */
#define NAMED_MAX 10

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

/** Whether an order finds things as it would have them, or on their way. */
static int is_so(const amgr_ward_t *ward, int verb)
{
    int is_up = ward->row.want == AMGR_MANAGED_WANT_UP;

    switch (verb) {
    case AMGR_VERB_START:
        return is_up &&
               (ward->is_asked || (amgr_ward_is_on(ward) &&
                                   ward->row.state != AMGR_MANAGED_STOPPING));
    case AMGR_VERB_STOP:
        return ward->is_down || (ward->row.state == AMGR_MANAGED_EXITED &&
                                 !ward->is_asked && !is_up);
    default:
        return is_up && (ward->is_asked || ward->is_restarting ||
                         ward->row.state == AMGR_MANAGED_STARTING);
    }
}

static void stop(amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    int is_missed = amgr_managed_is_missed(&ward->row);

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
}

static void restart(amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    ask(ward);
    ward->is_restarting = 1;
    if (amgr_ward_is_on(ward)) {
        amgr_ward_stop(supervisor, ward, "restarted by order");
    }
}

int amgr_supervisor_foresee(const amgr_supervisor_t *supervisor, int index,
                            int verb)
{
    const amgr_ward_t *ward = get(supervisor, index);

    if (verb == AMGR_VERB_STATUS) {
        return ward == NULL ? AMGR_OBEYED_NOT : AMGR_OBEYED;
    }
    if (ward == NULL || ward->is_removed ||
        supervisor->phase != AMGR_PHASE_LIVE || verb < 0 ||
        verb >= AMGR_VERB_COUNT) {
        return AMGR_OBEYED_NOT;
    }
    return is_so(ward, verb) ? AMGR_OBEYED_ALREADY : AMGR_OBEYED;
}

int amgr_supervisor_order(amgr_supervisor_t *supervisor, int index, int verb)
{
    int result = amgr_supervisor_foresee(supervisor, index, verb);
    amgr_ward_t *ward = get(supervisor, index);

    if (result == AMGR_OBEYED_NOT || verb == AMGR_VERB_STATUS) {
        return result;
    }
    amgr_clock_read(&supervisor->now);
    if (result == AMGR_OBEYED) {
        switch (verb) {
        case AMGR_VERB_START:
            ask(ward);
            break;
        case AMGR_VERB_STOP:
            stop(supervisor, ward);
            break;
        default:
            restart(supervisor, ward);
            break;
        }
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

/** Whether what it was for was not done: it has failed, or was never begun. */
static int has_failed(const amgr_ward_t *ward)
{
    return ward->is_asked || ward->row.state == AMGR_MANAGED_FATAL ||
           (ward->row.state == AMGR_MANAGED_EXITED &&
            ward->row.exit_cause != AMGR_MANAGED_EXIT_CLEAN);
}

/** "migrate, web and 2 more" in @a out; how many. */
static int list_failed(const amgr_supervisor_t *supervisor, char *out,
                       apr_size_t size)
{
    apr_size_t used = 0;
    int count = 0;
    int i;

    out[0] = '\0';
    for (i = 0; i < supervisor->ward_count; i++) {
        const amgr_ward_t *ward = supervisor->wards[i];

        if (has_failed(ward) && count++ < NAMED_MAX) {
            amgr_supervisor_text(out + used, size - used, "%s%s",
                                 count > 1 ? ", " : "", ward->row.name);
            used += strlen(out + used);
        }
    }
    if (count > NAMED_MAX) {
        amgr_supervisor_text(out + used, size - used, " and %d more",
                             count - NAMED_MAX);
    }
    return count;
}

void amgr_supervisor_look_done(amgr_supervisor_t *supervisor)
{
    char names[NAMED_MAX * (AMGR_MANAGED_NAME_LEN + 2) + 32];
    int worked;
    int failed;

    if (!supervisor->exit_when_done || supervisor->is_done ||
        supervisor->phase != AMGR_PHASE_LIVE || supervisor->is_waiting ||
        !is_all_over(supervisor, &worked) || !worked ||
        getppid() != supervisor->setup.parent) {
        return;
    }
    supervisor->is_done = 1;
    failed = list_failed(supervisor, names, sizeof(names));
    amgr_say(&supervisor->teller, AMGR_SAY_SUPERVISOR,
             failed > 0 ? AMGR_LEVEL_ERR : AMGR_LEVEL_NOTICE, 0,
             "all managed processes have ended and none will be started "
             "again: the server is told to stop gracefully%s%s",
             failed > 0 ? "; failed: " : "", names);
    kill(supervisor->setup.parent, SIGWINCH);
}
