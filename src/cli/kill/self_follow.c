/* SPDX-License-Identifier: Apache-2.0
 *
 * Seeing retirements through from outside: the victims alone make a snapshot,
 * which the module's judgement looks at again and again with every limit off,
 * so that nothing but the next steps of what was begun comes out of it.
 *
 * Invariant: a slot counts only when it was read after its process was asked.
 * What was idle before may have taken a request in between; without a slot the
 * ladder waits for the grace period, which is safe.
 */
#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "cli/kill/kill_children.h"
#include "cli/kill/self_kill_parts.h"
#include "cli/message.h"

/* How often the source is read again: a board costs nothing, a page a request
 * for which a worker must be free. */
#define READ_BOARD_US APR_USEC_PER_SEC
#define READ_PAGE_US (3 * APR_USEC_PER_SEC)
#define READ_TIMEOUT_US APR_USEC_PER_SEC

typedef struct follow_t {
    amgr_self_t *self;
    amgr_snapshot_t snapshot; /* the victims that are there, each with room
                                 for one slot, which is its index */
    amgr_ledger_t *ledger;
    amgr_decision_t *decisions;
    apr_time_t asked_mono_us;
    apr_time_t read_mono_us; /* when the source was last read */
} follow_t;

static int room_of(const amgr_self_t *self)
{
    return self->count + 1; /* never full, so that an absence is one */
}

/* The victims as they were decided about. */
static void copy_victims(follow_t *follow)
{
    amgr_self_t *self = follow->self;
    amgr_snapshot_t *snapshot = &follow->snapshot;
    apr_size_t room = (apr_size_t)room_of(self);
    apr_pool_t *pool = self->run->pool;
    int i;

    *snapshot = self->snapshot;
    snapshot->process_max = room_of(self);
    snapshot->process_count = 0;
    snapshot->processes =
        apr_pcalloc(pool, room * sizeof(snapshot->processes[0]));
    snapshot->slots = apr_pcalloc(pool, room * sizeof(snapshot->slots[0]));
    snapshot->slot_count = 0;
    snapshot->slot_max = room_of(self);
    for (i = 0; i < self->count; i++) {
        amgr_process_t *process =
            &snapshot->processes[snapshot->process_count++];

        *process = self->snapshot.processes[self->decisions[i].process];
        process->first_slot = 0;
        process->slot_count = 0;
        process->first_stream = 0;
        process->stream_count = 0;
        process->wished = 0;
    }
}

/* Since when the victim of this row has run its request, as the last tick had
 * it: pages tell of that in whole seconds, which name no request twice. */
static void note_request(follow_t *follow, int row)
{
    const amgr_source_t *source = follow->self->source;
    const amgr_snapshot_t *ticked = source->view.snapshot;
    const amgr_process_t *process = &follow->snapshot.processes[row];
    const amgr_process_t *known = amgr_snapshot_find(ticked, process->id.pid);
    const amgr_slot_t *slot;
    amgr_ledger_slot_t *seen = &amgr_ledger_slots(follow->ledger)[row];

    if (source->kind != AMGR_SOURCE_BOARD || known == NULL ||
        !amgr_proc_id_equal(&known->id, &process->id) ||
        known->slot_count != 1 || known->first_slot < 0 ||
        known->first_slot >= ticked->slot_count) {
        return;
    }
    slot = &ticked->slots[known->first_slot];
    if (slot->request_age_us != AMGR_NO_TIME) {
        seen->pid = process->id.pid;
        seen->start_time_us = slot->start_time_us;
        seen->restamp = slot->restamp;
        seen->seen_mono_us = ticked->server.time.mono_us - slot->request_age_us;
    }
}

/* The ledger of the module's judgement, in which these retirements begin; a
 * victim's row is its index, and has the one slot of a worker of prefork. */
static void note_first_steps(follow_t *follow)
{
    amgr_self_t *self = follow->self;
    int room = room_of(self);
    int i;

    follow->ledger = amgr_ledger_init(
        apr_pcalloc(self->run->pool, amgr_ledger_size(room, room)), room, room,
        1);
    amgr_ledger_follow(follow->ledger, &follow->snapshot);
    for (i = 0; i < self->count; i++) {
        if (self->records[i].outcome == AMGR_OUTCOME_PENDING) {
            amgr_decision_t decision = self->decisions[i];

            decision.process = i;
            amgr_judge_done(&follow->snapshot, follow->ledger, &decision,
                            AMGR_SENT);
            amgr_ledger_find(follow->ledger, &self->records[i].id)
                ->demanded_time_us = self->demand->max_time_us;
            note_request(follow, i);
        }
    }
}

/* Leave those that are there. */
static void refresh(follow_t *follow)
{
    amgr_self_t *self = follow->self;
    amgr_snapshot_t *snapshot = &follow->snapshot;
    int kept = 0;
    int i;

    amgr_clock_read(&snapshot->server.time);
    for (i = 0; i < snapshot->process_count; i++) {
        amgr_process_t *process = &snapshot->processes[i];

        if (amgr_kill_children_refresh(self->run->proc, self->retire.parent,
                                       &snapshot->server.time, process)) {
            snapshot->processes[kept++] = *process;
        }
    }
    snapshot->process_count = kept;
}

static int row_of(const amgr_self_t *self, const amgr_proc_id_t *id)
{
    int i;

    for (i = 0; i < self->count; i++) {
        if (amgr_proc_id_equal(&self->records[i].id, id)) {
            return i;
        }
    }
    return -1;
}

static void take_slot(follow_t *follow, amgr_process_t *process,
                      const amgr_snapshot_t *newer)
{
    const amgr_process_t *known = amgr_snapshot_find(newer, process->id.pid);
    amgr_snapshot_t *snapshot = &follow->snapshot;
    amgr_slot_t *slot;

    process->slot_count = 0;
    if (known == NULL || known->slot_count != 1 || known->first_slot < 0 ||
        known->first_slot >= newer->slot_count ||
        (known->id.start_ticks != 0 &&
         !amgr_proc_id_equal(&known->id, &process->id))) {
        return;
    }
    process->first_slot = snapshot->slot_count;
    process->slot_count = 1;
    slot = &snapshot->slots[snapshot->slot_count++];
    *slot = newer->slots[known->first_slot];
    slot->process_slot = row_of(follow->self, &process->id);
    slot->thread = 0;
}

/* Whether anybody is left whom a slot could tell something about: a worker of
 * prefork that was asked. */
static int is_asked(const follow_t *follow)
{
    const amgr_self_t *self = follow->self;
    int i;

    for (i = 0; !self->snapshot.server.threaded && i < self->count; i++) {
        if (self->records[i].outcome == AMGR_OUTCOME_PENDING &&
            self->records[i].role == AMGR_ROLE_WORKER &&
            self->records[i].action == AMGR_ACTION_ASK) {
            return 1;
        }
    }
    return 0;
}

static void read_slots(follow_t *follow)
{
    const amgr_self_t *self = follow->self;
    apr_time_t now_us = amgr_clock_monotonic_us();
    amgr_target_t target = *self->target;
    amgr_source_t newer;
    apr_pool_t *pool;
    int i;

    if (!is_asked(follow) ||
        now_us - follow->read_mono_us < (self->source->kind == AMGR_SOURCE_BOARD
                                             ? READ_BOARD_US
                                             : READ_PAGE_US) ||
        apr_pool_create(&pool, self->run->pool) != APR_SUCCESS) {
        return;
    }
    target.timeout_us = READ_TIMEOUT_US;
    memset(&newer, 0, sizeof(newer));
    if (amgr_source_read(&target,
                         AMGR_WANT_PROCESSES | AMGR_WANT_SLOTS | AMGR_WANT_NOW,
                         &newer, pool) == NULL &&
        amgr_proc_id_equal(&newer.parent, &self->source->parent) &&
        !newer.is_untold && newer.age_us != AMGR_NO_TIME &&
        now_us - newer.age_us > follow->asked_mono_us) {
        follow->snapshot.slot_count = 0;
        for (i = 0; i < follow->snapshot.process_count; i++) {
            take_slot(follow, &follow->snapshot.processes[i],
                      newer.view.snapshot);
        }
    }
    apr_pool_destroy(pool);
    follow->read_mono_us = amgr_clock_monotonic_us();
}

void amgr_self_note_lost(const amgr_self_t *self, amgr_record_t *record)
{
    if (record->action == AMGR_ACTION_KILL &&
        (record->requests_lost == 0 || self->snapshot.server.threaded)) {
        record->requests_lost = -1;
    }
}

static void take_steps(follow_t *follow)
{
    amgr_self_t *self = follow->self;
    amgr_snapshot_t *snapshot = &follow->snapshot;
    int count = amgr_judge(&self->limits, snapshot, follow->ledger, 1,
                           follow->decisions, room_of(self));
    int i;

    for (i = 0; i < count; i++) {
        const amgr_decision_t *decision = &follow->decisions[i];
        int row = row_of(self, &snapshot->processes[decision->process].id);
        amgr_record_t *record;
        apr_status_t rv;

        if (row < 0 || !decision->follow_up) {
            continue;
        }
        record = &self->records[row];
        rv = amgr_retire_take(&self->retire, snapshot, decision, record);
        amgr_self_note_lost(self, record);
        amgr_judge_done(snapshot, follow->ledger, decision,
                        rv == APR_SUCCESS || rv == APR_NOTFOUND
                            ? AMGR_SENT
                            : AMGR_SENT_NEVER);
        if (rv == APR_SUCCESS && decision->step == AMGR_STEP_KILL) {
            amgr_message(AMGR_LEVEL_NOTICE,
                         "worker %ld has not ended in time: SIGKILL",
                         (long)record->id.pid);
        }
    }
}

static void tell_end(const amgr_record_t *record, int news)
{
    amgr_sink_t sink;
    char line[AMGR_RECORD_LINE_LEN];

    if (news & AMGR_NEWS_GONE) {
        amgr_sink_init_text(&sink, line, sizeof(line));
        amgr_record_format_end(record, &sink);
        amgr_message(AMGR_LEVEL_INFO, "%s", amgr_sink_text(&sink));
    }
    if (news & AMGR_NEWS_STUCK) {
        amgr_message(AMGR_LEVEL_WARNING,
                     "worker %ld outlives its SIGKILL: it hangs in the kernel",
                     (long)record->id.pid);
    }
}

static void look(amgr_kill_run_t *run, void *baton)
{
    follow_t *follow = baton;
    amgr_self_t *self = follow->self;
    int i;

    refresh(follow);
    for (i = 0; i < self->count; i++) {
        amgr_record_t *record = &self->records[i];

        if (record->outcome == AMGR_OUTCOME_PENDING) {
            tell_end(record, amgr_retire_follow(&follow->snapshot, record));
            run->victims[i].outcome = record->outcome;
        }
    }
    read_slots(follow);
    take_steps(follow);
}

void amgr_self_follow(amgr_self_t *self)
{
    follow_t *follow = apr_pcalloc(self->run->pool, sizeof(*follow));
    apr_interval_time_t grace_us = 0;
    int i;

    follow->self = self;
    follow->decisions =
        apr_pcalloc(self->run->pool,
                    (apr_size_t)room_of(self) * sizeof(follow->decisions[0]));
    copy_victims(follow);
    note_first_steps(follow);
    follow->asked_mono_us = amgr_clock_monotonic_us();
    follow->read_mono_us = follow->asked_mono_us;
    for (i = 0; i < self->count; i++) {
        apr_interval_time_t own_us = amgr_sections_grace_us(
            &self->limits, follow->snapshot.processes[i].section);

        grace_us = own_us > grace_us ? own_us : grace_us;
    }
    amgr_kill_wait(self->run, grace_us, look, follow);
}
