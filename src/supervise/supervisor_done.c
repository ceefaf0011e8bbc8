/* SPDX-License-Identifier: Apache-2.0
 *
 * What comes to an end: whether an order is settled, who waits in vain, and
 * whether all have done their work.
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "supervise/supervisor_parts.h"

/** Of those that have failed when all is done. */
#define NAMED_MAX 10

int amgr_ward_is_at_rest(const amgr_ward_t *ward)
{
    return !amgr_ward_is_on(ward) && !ward->is_asked &&
           ward->row.state != AMGR_MANAGED_BACKOFF;
}

int amgr_supervisor_is_settled(const amgr_supervisor_t *supervisor, int index,
                               int verb)
{
    const amgr_ward_t *ward = index >= 0 && index < supervisor->ward_count
                                  ? supervisor->wards[index]
                                  : NULL;

    if (ward == NULL || verb == AMGR_VERB_STATUS) {
        return 1;
    }
    if (amgr_ward_is_at_rest(ward)) {
        return 1;
    }
    if (verb == AMGR_VERB_STOP) {
        return ward->row.want == AMGR_MANAGED_WANT_UP;
    }
    return ward->row.want == AMGR_MANAGED_WANT_DOWN || ward->row.is_stuck ||
           supervisor->phase != AMGR_PHASE_LIVE ||
           (ward->row.state == AMGR_MANAGED_READY && !ward->is_leaving &&
            !ward->is_asked);
}

/** Whether it will not run again by itself; @a over tells of the others as far
 * as that is known. */
static int is_over(const amgr_supervisor_t *supervisor, const amgr_ward_t *ward,
                   const char *over)
{
    if (amgr_ward_is_at_rest(ward)) {
        return 1;
    }
    return !amgr_ward_is_on(ward) && ward->row.state == AMGR_MANAGED_STOPPED &&
           !ward->is_leaving &&
           amgr_supervisor_is_blocked(supervisor, ward, over);
}

/** All that are over, marked in @a over; how many. */
static int find_over(const amgr_supervisor_t *supervisor,
                     char over[AMGR_WARDS_MAX])
{
    int count = 0;
    int changed = 1;
    int i;

    memset(over, 0, AMGR_WARDS_MAX);
    while (changed) {
        changed = 0;
        for (i = 0; i < supervisor->ward_count; i++) {
            if (!over[i] && is_over(supervisor, supervisor->wards[i], over)) {
                over[i] = 1;
                count++;
                changed = 1;
            }
        }
    }
    return count;
}

void amgr_supervisor_look_stuck(amgr_supervisor_t *supervisor)
{
    char over[AMGR_WARDS_MAX];
    int i;

    if (!supervisor->is_waiting) {
        find_over(supervisor, over);
    }
    else {
        memset(over, 0, sizeof(over));
    }
    for (i = 0; i < supervisor->ward_count; i++) {
        amgr_ward_t *ward = supervisor->wards[i];
        int is_stuck = over[i] && ward->is_asked;

        if (ward->row.is_stuck != is_stuck) {
            ward->row.is_stuck = is_stuck;
            supervisor->is_dirty = 1;
        }
    }
}

/** Whether something has run to its end, and nothing will run again.  Whoever
 * has stopped a process has it in hand: that is no end of all. */
static int is_all_done(const amgr_supervisor_t *supervisor)
{
    char over[AMGR_WARDS_MAX];
    int worked = 0;
    int i;

    for (i = 0; i < supervisor->ward_count; i++) {
        const amgr_managed_t *row = &supervisor->wards[i]->row;

        if (supervisor->wards[i]->row.is_down) {
            return 0;
        }
        worked |= row->restart != AMGR_RESTART_ALWAYS &&
                  (row->state == AMGR_MANAGED_EXITED ||
                   row->state == AMGR_MANAGED_FATAL);
    }
    return worked && find_over(supervisor, over) == supervisor->ward_count;
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

/** Whether the server takes notice of SIGWINCH: not yet in the first moments of
 * its start, and it is told once. */
static int server_hears(amgr_supervisor_t *supervisor)
{
    amgr_proc_field_t caught;
    char status[4096];
    apr_size_t len;
    apr_size_t digit = (SIGWINCH - 1) / 4;
    char c;

    if (amgr_proc_read_raw(&supervisor->proc, supervisor->setup.parent,
                           "status", status, sizeof(status),
                           &len) != APR_SUCCESS ||
        amgr_proc_find_field(status, len, "SigCgt", &caught) != APR_SUCCESS ||
        caught.value_len <= digit) {
        return 1; /* nobody knows */
    }
    c = caught.value[caught.value_len - 1 - digit];
    return ((c <= '9' ? c - '0' : c - 'a' + 10) >> (SIGWINCH - 1) % 4 & 1) != 0;
}

void amgr_supervisor_look_done(amgr_supervisor_t *supervisor)
{
    char names[NAMED_MAX * (AMGR_MANAGED_NAME_LEN + 2) + 32];
    int failed;

    if (!supervisor->exit_when_done || supervisor->is_done ||
        supervisor->phase != AMGR_PHASE_LIVE || supervisor->is_waiting ||
        !is_all_done(supervisor) || getppid() != supervisor->setup.parent ||
        !server_hears(supervisor)) {
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
