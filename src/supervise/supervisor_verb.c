/* SPDX-License-Identifier: Apache-2.0
 *
 * Orders from outside, each for one process.
 */
#include <string.h>

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
    ward->row.is_down = 0;
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
        return ward->row.is_down || (ward->row.state == AMGR_MANAGED_EXITED &&
                                     !ward->is_asked && !is_up);
    default:
        return is_up && (ward->is_asked || ward->is_restarting ||
                         ward->row.state == AMGR_MANAGED_STARTING);
    }
}

static void stop(amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    int is_missed = amgr_managed_is_missed(&ward->row);

    ward->row.is_down = 1;
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
    if (ward == NULL || supervisor->phase != AMGR_PHASE_LIVE || verb < 0 ||
        verb >= AMGR_VERB_COUNT) {
        return AMGR_OBEYED_NOT;
    }
    if (ward->is_removed) {
        return AMGR_OBEYED_GONE;
    }
    return is_so(ward, verb) ? AMGR_OBEYED_ALREADY : AMGR_OBEYED;
}

int amgr_supervisor_order(amgr_supervisor_t *supervisor, int index, int verb)
{
    int result = amgr_supervisor_foresee(supervisor, index, verb);
    amgr_ward_t *ward = get(supervisor, index);

    if (ward == NULL || result >= AMGR_OBEYED_NOT || verb == AMGR_VERB_STATUS) {
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

int amgr_supervisor_is_ending(const amgr_supervisor_t *supervisor)
{
    return supervisor->phase >= AMGR_PHASE_ENDING;
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
