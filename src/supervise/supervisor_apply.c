/* SPDX-License-Identifier: Apache-2.0
 *
 * A new configuration against what there is: what is the same stays as it is,
 * what is asked for otherwise is stopped and started anew, what is gone is
 * stopped, and what is new is started.
 */
#include <stdlib.h>
#include <string.h>

#include "supervise/machine.h"
#include "supervise/supervisor_parts.h"

/** The parent has checked that there is such a verifier; whether this process
 * has it too, each attempt finds out. */
static int any_verifier(const char *name)
{
    (void)name; /* every one will do */
    return 1;
}

void amgr_spec_set_release(amgr_spec_set_t *set)
{
    if (set != NULL && --set->users == 0) {
        apr_pool_destroy(set->pool);
    }
}

static void complain(const amgr_supervisor_t *supervisor, const char *why)
{
    amgr_say(&supervisor->teller, AMGR_SAY_SUPERVISOR, AMGR_LEVEL_ERR, 0,
             "the new configuration of managed processes is ignored: %s", why);
}

/** Unpack and check; NULL: what is wrong was said, or there is no memory. */
static amgr_spec_set_t *read_set(amgr_supervisor_t *supervisor,
                                 const char *bytes, apr_size_t len,
                                 int *out_is_wrong)
{
    amgr_spec_set_t *set;
    const char *wrong;
    apr_pool_t *pool;

    *out_is_wrong = 0;
    if (apr_pool_create(&pool, supervisor->pool) != APR_SUCCESS) {
        return NULL;
    }
    *out_is_wrong = 1;
    apr_pool_tag(pool, "amgr_specs");
    set = apr_pcalloc(pool, sizeof(*set));
    set->pool = pool;
    set->users = 1;
    if (amgr_specs_unpack(bytes, len, any_verifier, &set->specs, &set->count,
                          pool) != APR_SUCCESS) {
        complain(supervisor, "it cannot be read");
        amgr_spec_set_release(set);
        return NULL;
    }
    wrong = amgr_specs_check((const amgr_spec_t *const *)set->specs, set->count,
                             pool);
    if (wrong == NULL && set->count > AMGR_MANAGED_MAX) {
        wrong = "there are too many";
    }
    if (wrong != NULL) {
        complain(supervisor, wrong);
        amgr_spec_set_release(set);
        return NULL;
    }
    return set;
}

static amgr_ward_t *find(const amgr_supervisor_t *supervisor, const char *name)
{
    int i;

    for (i = 0; i < supervisor->ward_count; i++) {
        if (strcmp(supervisor->wards[i]->row.name, name) == 0) {
            return supervisor->wards[i];
        }
    }
    return NULL;
}

void amgr_ward_take_next(amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    const amgr_spec_t *spec = ward->next_spec;
    amgr_spec_set_t *set = ward->next_set;

    if (spec == NULL) {
        return;
    }
    ward->next_spec = NULL;
    ward->next_set = NULL;
    amgr_ward_release(ward);
    ward->spec = spec;
    ward->set = set;
    amgr_spec_describe(spec, &ward->row);
    ward->row.section =
        amgr_spec_hash(spec, supervisor->setup.guard.default_user,
                       supervisor->setup.guard.default_group);
    supervisor->is_dirty = 1;
}

static amgr_ward_t *create(amgr_supervisor_t *supervisor, const char *name)
{
    amgr_ward_t *ward;

    if (supervisor->ward_count == AMGR_WARDS_MAX) {
        amgr_say(&supervisor->teller, AMGR_SAY_FAULT, AMGR_LEVEL_ERR, 0,
                 "process %s: not started: too many that were removed have "
                 "not ended yet",
                 name);
        return NULL;
    }
    ward = calloc(1, sizeof(*ward));
    if (ward == NULL) {
        amgr_say(&supervisor->teller, AMGR_SAY_FAULT, AMGR_LEVEL_ERR, 0,
                 "process %s: not started: no memory", name);
        return NULL;
    }
    amgr_managed_init(&ward->row, name);
    ward->row.since_us = supervisor->now.wall_us;
    ward->guard.fd = -1;
    ward->order = -1;
    ward->cause = -1;
    ward->untold_state = -1;
    ward->start_due_us = ward->stay_due_us = ward->watchdog_due_us =
        ward->stopping_due_us = ward->step_due_us = ward->delay_due_us =
            ward->ready_mono_us = ward->quiet_due_us = AMGR_NO_TIME;
    supervisor->wards[supervisor->ward_count++] = ward;
    return ward;
}

/** It shall run as @a spec says, from its next start. */
static void set_next(amgr_ward_t *ward, const amgr_spec_t *spec,
                     amgr_spec_set_t *set)
{
    set->users++;
    amgr_spec_set_release(ward->next_set);
    ward->next_spec = spec;
    ward->next_set = set;
}

static void start_anew(amgr_ward_t *ward)
{
    ward->row.want = AMGR_MANAGED_WANT_UP;
    ward->is_asked = 1;
    ward->was_ready = 0;
    ward->told[0] = '\0';
    amgr_backoff_clear(&ward->backoff);
}

/** It was to end, and has ended well. */
static int has_done(const amgr_ward_t *ward)
{
    return ward->row.state == AMGR_MANAGED_EXITED &&
           ward->row.exit_cause == AMGR_MANAGED_EXIT_CLEAN &&
           (ward->row.ready || ward->spec->restart == AMGR_RESTART_NEVER);
}

/** The same as before.  Whoever was stopped with all the others runs again;
 * whoever was stopped by an order of its own does not. */
static void keep(amgr_ward_t *ward, int was_shut)
{
    if (ward->next_spec != NULL) {
        /* Back to what it was, while it was being stopped for another. */
        amgr_spec_set_release(ward->next_set);
        ward->next_spec = NULL;
        ward->next_set = NULL;
    }
    if ((was_shut || ward->is_removed) && !ward->row.is_down &&
        !has_done(ward)) {
        start_anew(ward);
    }
    if (amgr_ward_is_on(ward) && ward->row.state != AMGR_MANAGED_STOPPING) {
        ward->is_leaving = 0; /* it was only going to be told */
        ward->is_asked = 0;
    }
}

/** Another than before; one that was stopped by an order waits for the next. */
static void change(amgr_ward_t *ward, const amgr_spec_t *spec,
                   amgr_spec_set_t *set)
{
    set_next(ward, spec, set);
    if (ward->row.is_down) {
        return;
    }
    ward->is_leaving = 1; /* one that has ended has its turn, too */
    start_anew(ward);
}

/** 0: it has no room, which was said. */
static int take(amgr_supervisor_t *supervisor, amgr_spec_set_t *set, int place,
                int was_shut)
{
    const amgr_spec_t *spec = set->specs[place];
    amgr_ward_t *ward = find(supervisor, spec->name);

    if (ward == NULL) {
        ward = create(supervisor, spec->name);
        if (ward == NULL) {
            return 0;
        }
        set_next(ward, spec, set);
        amgr_ward_take_next(supervisor, ward);
        start_anew(ward);
        amgr_supervisor_inherit_row(supervisor, ward);
    }
    /* NOLINTNEXTLINE(bugprone-branch-clone): the order of questions counts */
    else if (ward->is_removed && !amgr_ward_is_on(ward)) {
        ward->row.is_down = 0;
        change(ward, spec, set); /* forgotten, but for the order */
    }
    else if (amgr_spec_equal(ward->spec, spec)) {
        keep(ward, was_shut);
    }
    else if (ward->next_spec == NULL ||
             !amgr_spec_equal(ward->next_spec, spec)) {
        change(ward, spec, set);
    }
    ward->place = place;
    ward->is_removed = 0;
    return 1;
}

/** What the new configuration has not: stopped, and then forgotten. */
static void remove_others(amgr_supervisor_t *supervisor,
                          const amgr_spec_set_t *set)
{
    int i;
    int j;

    for (i = 0; i < supervisor->ward_count; i++) {
        amgr_ward_t *ward = supervisor->wards[i];

        for (j = 0; j < set->count; j++) {
            if (strcmp(set->specs[j]->name, ward->row.name) == 0) {
                break;
            }
        }
        if (j < set->count) {
            continue;
        }
        ward->is_removed = 1;
        ward->is_leaving = 1;
        ward->is_asked = 0;
        ward->row.want = AMGR_MANAGED_WANT_DOWN;
        amgr_spec_set_release(ward->next_set);
        ward->next_spec = NULL;
        ward->next_set = NULL;
    }
}

static int compare(const void *a, const void *b)
{
    const amgr_ward_t *x = *(amgr_ward_t *const *)a;
    const amgr_ward_t *y = *(amgr_ward_t *const *)b;

    if (x->is_removed != y->is_removed) {
        return x->is_removed - y->is_removed;
    }
    return x->place - y->place;
}

int amgr_supervisor_apply(amgr_supervisor_t *supervisor, const char *bytes,
                          apr_size_t len, const amgr_parent_message_t *message)
{
    int is_wrong;
    amgr_spec_set_t *set = read_set(supervisor, bytes, len, &is_wrong);
    int was_shut = supervisor->phase == AMGR_PHASE_SHUT;
    int is_whole = 1;
    int i;

    if (set == NULL) {
        return is_wrong;
    }
    if (supervisor->is_applied || !supervisor->was_shut) {
        supervisor->phase = AMGR_PHASE_LIVE;
        supervisor->table.is_shut = 0;
    }
    supervisor->start_in_order = message->start_in_order != 0;
    supervisor->exit_when_done = message->exit_when_done != 0;
    remove_others(supervisor, set);
    for (i = 0; i < set->count; i++) {
        is_whole &= take(supervisor, set, i, was_shut);
    }
    amgr_spec_set_release(set);
    qsort(supervisor->wards, (apr_size_t)supervisor->ward_count,
          sizeof(amgr_ward_t *), compare);
    supervisor->is_applied = 1;
    supervisor->is_done = 0;
    supervisor->table.control = message->control != 0;
    amgr_supervisor_text(supervisor->table.socket,
                         sizeof(supervisor->table.socket), "%s",
                         message->socket);
    amgr_order_socket_move(supervisor->orders, message->socket,
                           message->control, message->control_uid);
    amgr_say(&supervisor->teller, AMGR_SAY_SUPERVISOR, AMGR_LEVEL_INFO, 0,
             "managed processes are configured: %d", i);
    supervisor->is_dirty = 1;
    amgr_supervisor_settle(supervisor);
    return is_whole;
}

void amgr_supervisor_bury(amgr_supervisor_t *supervisor)
{
    char is_over[AMGR_WARDS_MAX];
    int kept = 0;
    int i;

    for (i = 0; i < supervisor->ward_count; i++) {
        const amgr_ward_t *ward = supervisor->wards[i];

        is_over[i] = ward->is_removed && !amgr_ward_is_on(ward) &&
                     amgr_supervisor_user(supervisor, ward) == NULL;
    }
    for (i = 0; i < supervisor->ward_count; i++) {
        amgr_ward_t *ward = supervisor->wards[i];

        if (!is_over[i]) {
            supervisor->wards[kept++] = ward;
            continue;
        }
        amgr_ward_release(ward);
        free(ward);
        supervisor->is_dirty = 1;
    }
    supervisor->ward_count = kept;
}
