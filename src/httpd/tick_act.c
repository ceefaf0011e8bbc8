/* SPDX-License-Identifier: Apache-2.0
 *
 * See tick_act.h.  Around each step of a retirement (action/retire.h) stands
 * what goes with it: the other modules, the administrator's program, evidence,
 * record, counters and log.
 */
#include "httpd/tick_act.h"

#include <errno.h>

#include <apr_strings.h>

#include "action/counters.h"
#include "action/orders.h"
#include "action/retire.h"
#include "httpd/others.h"
#include "httpd/tick_evidence.h"
#include "httpd/tick_holdback.h"

void amgr_tick_adopt(amgr_tick_t *tick)
{
    amgr_record_t found[PENDING_MAX];
    int count = 0;
    int i;

    tick->pending_count = 0;
    if (amgr_board_read_records(tick->board, found, PENDING_MAX, &count) !=
        APR_SUCCESS) {
        return;
    }
    for (i = 0; i < count; i++) {
        if (amgr_retire_is_open(&found[i])) {
            tick->pending[tick->pending_count++] = found[i];
        }
    }
}

/** The record of a retirement under way, or NULL when there were too many. */
static amgr_record_t *find_pending(amgr_tick_t *tick, const amgr_proc_id_t *id)
{
    int i;

    for (i = 0; i < tick->pending_count; i++) {
        if (amgr_proc_id_equal(&tick->pending[i].id, id)) {
            return &tick->pending[i];
        }
    }
    return NULL;
}

/** A record of what was decided, with the name that says most. */
static void fill_record(const amgr_tick_t *tick,
                        const amgr_snapshot_t *snapshot,
                        const amgr_decision_t *decision, amgr_record_t *record)
{
    amgr_record_fill(record, snapshot, decision, &tick->config->limits);
    apr_cpystrn(record->group,
                amgr_collector_group(tick->collector, decision->process),
                sizeof(record->group));
}

static apr_status_t take_step(amgr_tick_t *tick,
                              const amgr_snapshot_t *snapshot,
                              const amgr_decision_t *decision,
                              amgr_record_t *record)
{
    amgr_retire_t retire;

    retire.proc = amgr_collector_proc(tick->collector);
    retire.parent = tick->runtime->parent;
    retire.may_wait = tick->in_ticker;
    retire.limits = &tick->config->limits;
    return amgr_retire_take(&retire, snapshot, decision, record);
}

/** What that says of another attempt. */
static int what_came_of_it(apr_status_t rv)
{
    if (rv == APR_SUCCESS) {
        return AMGR_SENT;
    }
    return rv == EMFILE || rv == ENFILE || rv == ENOMEM ? AMGR_SENT_LATER
                                                        : AMGR_SENT_NEVER;
}

static void count_step(amgr_tick_t *tick, const amgr_snapshot_t *snapshot,
                       const amgr_decision_t *decision,
                       const amgr_record_t *record, apr_status_t rv)
{
    amgr_counters_t *counters = amgr_board_counters(tick->board);

    if (rv != APR_SUCCESS) {
        counters->errors[AMGR_STAGE_SIGNAL] += rv != APR_NOTFOUND;
        return;
    }
    if (!decision->follow_up) {
        amgr_counters_note_retired(counters, decision->verdict, record->active);
    }
    if (decision->step == AMGR_STEP_KILL) {
        amgr_counters_note_killed(counters, snapshot, decision->process,
                                  record->requests_lost);
    }
}

/** What is to be seen of a process before something is done to it. */
static void look_at(amgr_tick_t *tick, const amgr_snapshot_t *snapshot,
                    const amgr_decision_t *decision, amgr_evidence_t *out)
{
    amgr_tick_evidence_take(tick->runtime, amgr_collector_proc(tick->collector),
                            snapshot, decision, out);
}

/** Keep it with the record; and what a kill has cut off is in no other log. */
static void keep_evidence(amgr_tick_t *tick, const amgr_record_t *record,
                          amgr_evidence_t *evidence, int killed)
{
    if (record->serial != 0) {
        amgr_tick_evidence_keep(tick->board, record, evidence);
    }
    if (killed) {
        amgr_tick_evidence_log_lost(tick->server, tick->config, evidence);
    }
}

/** The administrator's program has its time before the worker goes: meanwhile
 * it is announced, which does it no harm.  One that hangs stays there when it
 * is asked, and must not take connections that would wait behind what hangs. */
static void run_before(amgr_tick_t *tick, amgr_decision_t *decision,
                       const amgr_record_t *record)
{
    if (decision->cause == AMGR_CAUSE_NONE &&
        (!tick->config->limits.dry_run || decision->demanded) &&
        amgr_commands_start(&tick->commands, AMGR_COMMAND_BEFORE, record) &&
        (decision->verdict != AMGR_VERDICT_TIME ||
         decision->step == AMGR_STEP_KILL)) {
        decision->step = AMGR_STEP_ANNOUNCE;
    }
}

/** Whoever ordered it hears what became of it. */
static void tell_order(const amgr_tick_t *tick, const amgr_decision_t *decision,
                       const amgr_record_t *record, int vetoed)
{
    if (decision->demanded && tick->order != NULL) {
        tick->order->tell(tick->order->data, record, vetoed);
    }
}

/** Begin a retirement, or tell what a dry run would have done.  It is on
 * record before anything is done, should this process end in between. */
static void begin(amgr_tick_t *tick, amgr_snapshot_t *snapshot,
                  amgr_decision_t *decision)
{
    amgr_evidence_t evidence;
    amgr_record_t record;
    apr_status_t rv;

    look_at(tick, snapshot, decision, &evidence);
    fill_record(tick, snapshot, decision, &record);
    amgr_board_write_record(tick->board, &record);
    run_before(tick, decision, &record);
    rv = take_step(tick, snapshot, decision, &record);
    amgr_board_write_record(tick->board, &record);
    if (decision->cause == AMGR_CAUSE_NONE) {
        amgr_judge_done(snapshot, amgr_board_ledger(tick->board), decision,
                        what_came_of_it(rv));
        count_step(tick, snapshot, decision, &record, rv);
    }
    tell_order(tick, decision, &record, 0);
    if (rv == APR_NOTFOUND) {
        return; /* it ended by itself in between: nobody was retired */
    }
    amgr_tick_log_record(&tick->log, tick->server, tick->config, &record, rv);
    keep_evidence(tick, &record, &evidence,
                  rv == APR_SUCCESS && record.action == AMGR_ACTION_KILL);
    if (decision->cause == AMGR_CAUSE_NONE) {
        amgr_others_tell(&record, AMGR_RETIREMENT_STEP);
    }
    if (amgr_retire_is_open(&record) && tick->pending_count < PENDING_MAX) {
        tick->pending[tick->pending_count++] = record;
    }
}

/** The next step of a retirement under way. */
static void go_on(amgr_tick_t *tick, amgr_snapshot_t *snapshot,
                  const amgr_decision_t *decision)
{
    const amgr_process_t *process = &snapshot->processes[decision->process];
    amgr_record_t *record = find_pending(tick, &process->id);
    int is_kill = decision->step == AMGR_STEP_KILL;
    amgr_evidence_t evidence;
    amgr_record_t unknown;
    apr_status_t rv;

    if (amgr_commands_hold(&tick->commands, &process->id)) {
        return; /* the step comes again at the next tick */
    }
    if (is_kill) {
        look_at(tick, snapshot, decision, &evidence);
    }
    if (record == NULL) {
        record = &unknown;
        fill_record(tick, snapshot, decision, record);
    }
    rv = take_step(tick, snapshot, decision, record);
    amgr_judge_done(snapshot, amgr_board_ledger(tick->board), decision,
                    what_came_of_it(rv));
    count_step(tick, snapshot, decision, record, rv);
    if (record != &unknown) {
        amgr_board_write_record(tick->board, record);
    }
    amgr_tick_log_step(tick->server, decision, record, rv);
    if (is_kill) {
        keep_evidence(tick, record, &evidence, rv == APR_SUCCESS);
    }
    amgr_others_tell(record, AMGR_RETIREMENT_STEP);
}

/** Ask the other modules about a new retirement, or anew about one that they
 * vetoed. */
static void hear_others(amgr_tick_t *tick, amgr_snapshot_t *snapshot,
                        amgr_decision_t *decision)
{
    amgr_record_t record;

    if (decision->follow_up || (decision->cause != AMGR_CAUSE_NONE &&
                                decision->cause != AMGR_CAUSE_VETO)) {
        return;
    }
    fill_record(tick, snapshot, decision, &record);
    if (amgr_others_veto(&record)) {
        amgr_judge_veto(snapshot, amgr_board_ledger(tick->board), decision);
        tell_order(tick, decision, &record, 1);
    }
    else if (decision->cause == AMGR_CAUSE_VETO) {
        amgr_judge_lift(snapshot, amgr_board_ledger(tick->board), decision);
    }
}

/** Whether an order has had as many as it may. */
static int is_enough(const amgr_tick_t *tick, const amgr_decision_t *decision)
{
    return decision->demanded && !decision->follow_up && tick->order != NULL &&
           tick->order->demand != NULL && tick->order->demand->max_kills > 0 &&
           tick->order->granted >= tick->order->demand->max_kills;
}

/** One that nobody vetoed counts, in a dry run too. */
static void count_granted(amgr_tick_t *tick, const amgr_decision_t *decision)
{
    if (decision->demanded && !decision->follow_up && tick->order != NULL &&
        (decision->cause == AMGR_CAUSE_NONE ||
         decision->cause == AMGR_CAUSE_DRY_RUN)) {
        tick->order->granted++;
    }
}

/** Put off a kill that would do harm; the parent has no time to look. */
static int hold_back(amgr_tick_t *tick, const amgr_snapshot_t *snapshot,
                     amgr_decision_t *decision)
{
    return tick->in_ticker &&
           amgr_tick_holdback(tick->server, &tick->config->limits,
                              amgr_collector_proc(tick->collector), snapshot,
                              amgr_board_ledger(tick->board), decision);
}

/** What the order wants to know of the server. */
static void describe(const amgr_tick_t *tick, const amgr_snapshot_t *snapshot)
{
    int i;

    if (tick->order == NULL) {
        return;
    }
    tick->order->time_us = snapshot->server.time.wall_us;
    tick->order->workers = 0;
    for (i = 0; i < snapshot->process_count; i++) {
        int role = snapshot->processes[i].role;

        tick->order->workers +=
            role == AMGR_ROLE_WORKER || role == AMGR_ROLE_WSGI;
    }
}

void amgr_tick_act(amgr_tick_t *tick, amgr_snapshot_t *snapshot, int count)
{
    amgr_counters_t *counters = amgr_board_counters(tick->board);
    int i;

    describe(tick, snapshot);
    for (i = 0; i < count; i++) {
        amgr_decision_t *decision = &tick->decisions[i];

        if (tick->in_ticker) {
            /* An order may be about hundreds: that is no sign of death. */
            amgr_board_beat(tick->board, amgr_clock_monotonic_us());
        }
        if (is_enough(tick, decision)) {
            continue;
        }
        hear_others(tick, snapshot, decision);
        count_granted(tick, decision);
        if (hold_back(tick, snapshot, decision)) {
            continue;
        }
        if (decision->follow_up) {
            go_on(tick, snapshot, decision);
            continue;
        }
        if (decision->cause == AMGR_CAUSE_NONE) {
            begin(tick, snapshot, decision);
            continue;
        }
        if (decision->announce) {
            /* An order may be given again and again. */
            counters->suppressed[decision->cause] +=
                !decision->demanded || decision->cause != AMGR_CAUSE_DRY_RUN;
            if (decision->cause == AMGR_CAUSE_DRY_RUN) {
                begin(tick, snapshot, decision);
            }
            else {
                amgr_tick_log_suppressed(
                    tick->server, snapshot, decision,
                    amgr_collector_group(tick->collector, decision->process));
            }
        }
    }
    amgr_orders_publish(tick->board, snapshot);
}

/** Why a worker says that it cannot be asked; non-zero when that is news. */
static int hear(amgr_tick_t *tick, amgr_record_t *record)
{
    int fault;

    if (record->asked_us == AMGR_NO_TIME || record->role != AMGR_ROLE_WORKER ||
        record->ask_fault != AMGR_ASK_FINE) {
        return 0;
    }
    fault = amgr_mailbox_ask_fault(&tick->runtime->mailbox,
                                   record->process_slot, record->id.pid);
    if (fault == AMGR_ASK_FINE) {
        return 0;
    }
    record->ask_fault = fault;
    amgr_tick_log_deaf(tick->server, record);
    return 1;
}

void amgr_tick_follow(amgr_tick_t *tick, const amgr_snapshot_t *snapshot)
{
    amgr_counters_t *counters = amgr_board_counters(tick->board);
    int kept = 0;
    int i;

    for (i = 0; i < tick->pending_count; i++) {
        amgr_record_t *record = &tick->pending[i];
        int news = amgr_retire_follow(snapshot, record);

        if (hear(tick, record) || news != AMGR_NEWS_NONE) {
            amgr_board_write_record(tick->board, record);
        }
        if (news & AMGR_NEWS_GONE) {
            counters->drained += record->action != AMGR_ACTION_KILL;
            amgr_tick_log_end(tick->server, record);
            amgr_others_tell(record, AMGR_RETIREMENT_ENDED);
            amgr_commands_start(&tick->commands, AMGR_COMMAND_AFTER, record);
        }
        if (news & AMGR_NEWS_STUCK) {
            amgr_tick_log_stuck(tick->server, record);
        }
        if (amgr_retire_is_open(record)) {
            tick->pending[kept++] = *record;
        }
    }
    tick->pending_count = kept;
}
