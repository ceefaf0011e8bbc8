/* SPDX-License-Identifier: Apache-2.0
 *
 * What the supervisor publishes, and what it takes over from the one before it:
 * counters never go back, whoever is killed.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "supervise/supervisor_parts.h"

/** The table is published at least so often: that is its heartbeat. */
#define BEAT_US (500 * 1000)

void amgr_supervisor_text(char *out, apr_size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(out, size, format, args);
    va_end(args);
}

/** It ran when the supervisor before was killed. */
static void note_lost(amgr_managed_t *row)
{
    row->exits[AMGR_MANAGED_EXIT_LOST]++;
    row->exit_known = 1;
    row->exit_cause = AMGR_MANAGED_EXIT_LOST;
    row->exit_code = -1;
    row->exit_signal = 0;
}

/** Until the configuration comes the last table stands, without its life: it
 * has the counters, should this one be killed before. */
static void expect(amgr_managed_table_t *table,
                   const amgr_managed_table_t *last)
{
    int i;

    table->supervisors = last->supervisors + 1;
    table->revision = last->revision + 1;
    table->count = last->count;
    for (i = 0; i < last->count; i++) {
        amgr_managed_t *row = &table->processes[i];

        *row = last->processes[i];
        if (row->guard != 0 || row->pid != 0) {
            row->state = AMGR_MANAGED_STOPPED;
        }
        row->ready = 0;
        row->pid = 0;
        row->guard = 0;
        row->tree_count = 0;
        row->memory_bytes = AMGR_UNKNOWN;
        amgr_supervisor_text(row->reason, sizeof(row->reason),
                             "waits for the configuration");
    }
}

void amgr_supervisor_inherit(amgr_supervisor_t *supervisor)
{
    amgr_managed_table_t *last = &supervisor->last;
    int i;

    /* Half a table, of one that was killed while it wrote, is better than
     * counters that begin anew. */
    if (amgr_board_read_managed(supervisor->setup.board, last) ==
        APR_NOTFOUND) {
        memset(last, 0, sizeof(*last));
    }
    for (i = 0; i < last->count; i++) {
        amgr_managed_t *row = &last->processes[i];

        if (row->guard != 0 || row->pid != 0) {
            note_lost(row);
        }
    }
    /* One that was shut down by order, and then killed, is shut down still. */
    supervisor->was_shut = last->is_shut;
    if (supervisor->was_shut) {
        supervisor->phase = AMGR_PHASE_SHUT;
        supervisor->table.is_shut = 1;
    }
    expect(&supervisor->table, last);
    amgr_supervisor_inherit_left(supervisor);
}

/** Whether somebody waits for it to be ready, which it is not once it has ended
 * unless its verifier asks for that. */
static int is_awaited(const amgr_ward_t *ward)
{
    int i;

    for (i = 0; i < ward->set->count; i++) {
        if (amgr_spec_is_after(ward->set->specs[i], ward->row.name)) {
            return 1;
        }
    }
    return 0;
}

/** It was to end, and had ended well under the last supervisor, whatever became
 * of that.  Where its section is another by now, it runs. */
static int was_done(const amgr_ward_t *ward, const amgr_managed_t *last)
{
    return last->state == AMGR_MANAGED_EXITED &&
           last->section == ward->row.section &&
           last->want == AMGR_MANAGED_WANT_DOWN && last->exit_known &&
           last->exit_cause == AMGR_MANAGED_EXIT_CLEAN &&
           (ward->spec->verify.type == AMGR_VERIFY_EXITED ||
            (ward->spec->restart == AMGR_RESTART_NEVER && !is_awaited(ward)));
}

static void stay_done(amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                      const amgr_managed_t *last)
{
    char how[AMGR_MANAGED_END_LEN];
    amgr_managed_t *row = &ward->row;

    row->state = AMGR_MANAGED_EXITED;
    row->want = AMGR_MANAGED_WANT_DOWN;
    row->since_us = last->since_us;
    amgr_managed_end_text(row, how);
    amgr_supervisor_text(row->reason, sizeof(row->reason), "%s", how);
    ward->is_asked = 0;
    if (ward->spec->verify.type == AMGR_VERIFY_EXITED) {
        row->ready_us = last->ready_us;
        ward->was_ready = 1;
        amgr_supervisor_set_ready(supervisor, ward, 1);
    }
    amgr_say(&supervisor->teller, AMGR_SAY_STATE, AMGR_LEVEL_INFO, 0,
             "process %s: has done its work, and is not run again", row->name);
}

void amgr_supervisor_inherit_row(amgr_supervisor_t *supervisor,
                                 amgr_ward_t *ward)
{
    const amgr_managed_t *last =
        amgr_managed_find(&supervisor->last, ward->row.name);
    amgr_managed_t *row = &ward->row;
    int is_done = last != NULL && was_done(ward, last);

    if (last != NULL) {
        row->starts = last->starts;
        memcpy(row->exits, last->exits, sizeof(row->exits));
        row->checks_passed = last->checks_passed;
        row->checks_failed = last->checks_failed;
        row->cpu_us = last->cpu_us;
        row->output_bytes = last->output_bytes;
        row->output_dropped = last->output_dropped;
        row->exit_known = last->exit_known;
        row->exit_cause = last->exit_cause;
        row->exit_code = last->exit_code;
        row->exit_signal = last->exit_signal;
        row->started_us = last->started_us;
        row->is_down = last->is_down;
        /* From now on it is this one's to keep. */
        supervisor->last.processes[last - supervisor->last.processes].name[0] =
            '\0';
    }
    if (is_done) {
        stay_done(supervisor, ward, last);
    }
    else if (row->is_down || supervisor->phase == AMGR_PHASE_SHUT) {
        ward->is_asked = 0;
        row->want = AMGR_MANAGED_WANT_DOWN;
        amgr_supervisor_text(row->reason, sizeof(row->reason),
                             "stopped by order");
    }
}

void amgr_supervisor_set_ready(amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                               int ready)
{
    if (ward->row.ready != ready) {
        ward->row.ready = ready;
        supervisor->table.revision++;
        supervisor->is_dirty = 1;
    }
}

/** What it comes after, as places in the table. */
static apr_uint64_t after_of(const amgr_supervisor_t *supervisor, int index,
                             int count)
{
    const amgr_ward_t *ward = supervisor->wards[index];
    apr_uint64_t bits = 0;
    int i;
    int j;

    for (i = 0; ward->spec->after != NULL && i < ward->spec->after->nelts;
         i++) {
        const char *name = APR_ARRAY_IDX(ward->spec->after, i, const char *);

        for (j = 0; j < count; j++) {
            if (j != index &&
                strcmp(supervisor->wards[j]->row.name, name) == 0) {
                bits |= APR_UINT64_C(1) << j;
            }
        }
    }
    if (supervisor->start_in_order && index > 0 && !ward->is_removed) {
        bits |= APR_UINT64_C(1) << (index - 1);
    }
    return bits;
}

/** It is wanted, and not ready, and that is not for its being new. */
static int is_trouble(const amgr_ward_t *ward)
{
    return ward->row.state == AMGR_MANAGED_FATAL ||
           (amgr_managed_is_missed(&ward->row) &&
            (ward->was_ready || ward->row.state == AMGR_MANAGED_EXITED));
}

/** It runs, or is to, or has done its work. */
static int is_of_use(const amgr_ward_t *ward)
{
    return ward->row.want == AMGR_MANAGED_WANT_UP ||
           ward->row.state == AMGR_MANAGED_EXITED;
}

static int application(const amgr_supervisor_t *supervisor)
{
    int count = 0;
    int used = 0;
    int missed = 0;
    int i;

    if (supervisor->phase != AMGR_PHASE_LIVE) {
        return supervisor->phase == AMGR_PHASE_ENDING &&
                       supervisor->is_signalled && !supervisor->table.is_shut
                   ? AMGR_APPLICATION_DEGRADED
                   : AMGR_APPLICATION_SHUTDOWN;
    }
    if (!supervisor->is_applied) {
        return AMGR_APPLICATION_STARTING;
    }
    for (i = 0; i < supervisor->ward_count; i++) {
        const amgr_ward_t *ward = supervisor->wards[i];

        if (ward->is_removed) {
            continue;
        }
        if (is_trouble(ward)) {
            return AMGR_APPLICATION_DEGRADED;
        }
        count++;
        used += is_of_use(ward);
        missed |= amgr_managed_is_missed(&ward->row);
    }
    if (count > 0 && used == 0) {
        return AMGR_APPLICATION_DEGRADED; /* all were stopped by order */
    }
    return missed ? AMGR_APPLICATION_STARTING : AMGR_APPLICATION_RUNNING;
}

static void fill(amgr_supervisor_t *supervisor)
{
    amgr_managed_table_t *table = &supervisor->table;
    int count = supervisor->ward_count;
    int i;

    if (count > AMGR_MANAGED_MAX) {
        count = AMGR_MANAGED_MAX;
    }
    for (i = 0; i < count; i++) {
        table->processes[i] = supervisor->wards[i]->row;
        table->processes[i].id = i + 1;
        table->processes[i].after = after_of(supervisor, i, count);
    }
    table->count = count;
    table->application = application(supervisor);
}

void amgr_supervisor_publish(amgr_supervisor_t *supervisor, int force)
{
    amgr_managed_table_t *table = &supervisor->table;
    apr_time_t now_us = supervisor->now.mono_us;

    if (!force && !supervisor->is_dirty &&
        now_us - supervisor->beat_us < BEAT_US) {
        return;
    }
    if (supervisor->is_applied) {
        fill(supervisor);
    }
    table->beat_mono_us = now_us;
    amgr_board_write_managed(supervisor->setup.board, table);
    supervisor->beat_us = now_us;
    supervisor->is_dirty = 0;
}
