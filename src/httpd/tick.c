/* SPDX-License-Identifier: Apache-2.0
 *
 * See tick.h.
 */
#include "httpd/tick.h"

#include <signal.h>
#include <syslog.h>

#include <apr_strings.h>

#include "action/orders.h"
#include "action/retire.h"
#include "base/replace_file.h"
#include "httpd/log.h"
#include "httpd/others.h"
#include "httpd/private_memory.h"
#include "httpd/tick_evidence.h"
#include "httpd/tick_holdback.h"
#include "httpd/tick_locks.h"
#include "httpd/tick_log.h"
#include "render/view.h"

/** The data file is written no more often than this. */
#define DATA_FILE_EVERY_US APR_USEC_PER_SEC
#define DATA_FILE_MODE 0644

/** Retirements that are seen through at once; more stay "pending". */
#define PENDING_MAX AMGR_RECORDS_MAX

struct amgr_tick_t {
    server_rec *server;
    amgr_runtime_t *runtime;
    const amgr_config_t *config;
    amgr_collector_t *collector;
    amgr_tick_locks_t *locks; /**< in the ticker; else NULL */
    amgr_board_t *board;
    amgr_board_config_t published;
    int in_ticker;
    amgr_tick_log_t log;
    const char *data_file;        /**< NULL: none */
    apr_time_t data_file_mono_us; /**< when it was written last */
    amgr_decision_t *decisions;   /**< room for every process */
    apr_size_t decisions_size;
    amgr_record_t pending[PENDING_MAX];
    int pending_count;
    apr_status_t rights; /**< why workers cannot be signalled */
};

/** Take up the retirements that another process began. */
static void adopt_pending(amgr_tick_t *tick)
{
    amgr_record_t found[PENDING_MAX];
    int count = 0;
    int i;

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

amgr_tick_t *amgr_tick_create(server_rec *s, amgr_runtime_t *runtime,
                              const amgr_wsgi_t *wsgi, int in_ticker,
                              apr_pool_t *p)
{
    apr_size_t decisions_size =
        (apr_size_t)runtime->children_max * sizeof(amgr_decision_t);
    amgr_decision_t *decisions = amgr_private_memory_create(decisions_size);
    amgr_collector_t *collector =
        amgr_collector_create(runtime, wsgi, in_ticker);
    amgr_tick_t *tick;

    /* First what may fail: the pool's memory comes back at a restart only. */
    if (decisions == NULL || collector == NULL) {
        amgr_collector_destroy(collector);
        amgr_private_memory_destroy(decisions, decisions_size);
        return NULL;
    }
    tick = apr_pcalloc(p, sizeof(*tick));
    tick->server = s;
    tick->runtime = runtime;
    tick->config = amgr_config_main();
    tick->board = amgr_runtime_board(runtime);
    tick->in_ticker = in_ticker;
    tick->decisions_size = decisions_size;
    tick->decisions = decisions;
    tick->collector = collector;
    tick->locks =
        in_ticker ? amgr_tick_locks_create(runtime->children_max) : NULL;
    tick->data_file = amgr_runtime_data_file(runtime, tick->config, p);
    /* Writing to syslog may block, and makes its tag ours. */
    tick->log.use_syslog = in_ticker && tick->config->syslog;
    if (amgr_board_read_config(tick->board, &tick->published) != APR_SUCCESS) {
        tick->published.limits = tick->config->limits;
    }
    adopt_pending(tick);
    return tick;
}

void amgr_tick_resume(amgr_tick_t *tick)
{
    (void)amgr_board_read_config(tick->board, &tick->published); /* or as was */
    tick->pending_count = 0;
    adopt_pending(tick);
}

void amgr_tick_destroy(amgr_tick_t *tick)
{
    amgr_collector_destroy(tick->collector);
    amgr_tick_locks_destroy(tick->locks);
    amgr_private_memory_destroy(tick->decisions, tick->decisions_size);
    tick->collector = NULL;
    tick->locks = NULL;
    tick->decisions = NULL;
}

/**
 * Why this process may not signal workers at all, or APR_SUCCESS: asked of the
 * first of them with signal 0.  A container may lack CAP_KILL, or pidfds.
 */
static apr_status_t try_signal(amgr_tick_t *tick,
                               const amgr_snapshot_t *snapshot,
                               const amgr_collect_faults_t *faults)
{
    amgr_proc_dir_t *proc = amgr_collector_proc(tick->collector);
    amgr_proc_id_t id;
    int i;

    for (i = 0; i < snapshot->process_count; i++) {
        const amgr_process_t *process = &snapshot->processes[i];

        /* Of one that is hidden nobody can say who it is. */
        if (process->kind == AMGR_KIND_NATIVE &&
            amgr_proc_read_id(proc, process->id.pid, &id) == APR_SUCCESS) {
            apr_status_t rv =
                amgr_proc_signal(proc, &process->id, tick->runtime->parent, 0);

            if (rv != APR_NOTFOUND) {
                return rv;
            }
        }
    }
    return faults->denied == 0 ? APR_SUCCESS : APR_EACCES;
}

static void probe_rights(amgr_tick_t *tick, const amgr_snapshot_t *snapshot,
                         const amgr_collect_faults_t *faults)
{
    int can_read = faults->denied == 0;
    int can_signal;

    tick->rights = try_signal(tick, snapshot, faults);
    can_signal = tick->rights == APR_SUCCESS;
    if (can_signal != tick->published.can_signal ||
        can_read != tick->published.can_read_proc) {
        tick->published.can_signal = can_signal;
        tick->published.can_read_proc = can_read;
        amgr_board_write_config(tick->board, &tick->published);
    }
}

static void count_faults(amgr_counters_t *counters,
                         const amgr_collect_faults_t *faults)
{
    counters->errors[AMGR_STAGE_SCOREBOARD] +=
        (apr_uint64_t)(faults->contradicted + faults->no_table);
    counters->errors[AMGR_STAGE_PROC] += (apr_uint64_t)faults->unreadable;
    counters->errors[AMGR_STAGE_OVERRUN] += (apr_uint64_t)faults->overrun;
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

static void count_step(amgr_tick_t *tick, const amgr_decision_t *decision,
                       const amgr_record_t *record, apr_status_t rv)
{
    amgr_counters_t *counters = amgr_board_counters(tick->board);

    if (rv != APR_SUCCESS) {
        counters->errors[AMGR_STAGE_SIGNAL] += rv != APR_NOTFOUND;
        return;
    }
    if (!decision->follow_up && !record->active) {
        counters->killed_idle++;
    }
    else if (!decision->follow_up) {
        counters->killed_active++;
    }
    if (decision->step == AMGR_STEP_KILL) {
        counters->forced++;
        counters->requests_lost +=
            record->requests_lost > 0 ? (apr_uint64_t)record->requests_lost : 0;
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

/** Begin a retirement, or tell what a dry run would have done.  It is on
 * record before anything is done, should this process end in between. */
static void begin(amgr_tick_t *tick, amgr_snapshot_t *snapshot,
                  const amgr_decision_t *decision)
{
    amgr_evidence_t evidence;
    amgr_record_t record;
    apr_status_t rv;

    look_at(tick, snapshot, decision, &evidence);
    amgr_record_fill(&record, snapshot, decision, &tick->config->limits);
    amgr_board_write_record(tick->board, &record);
    rv = take_step(tick, snapshot, decision, &record);
    amgr_board_write_record(tick->board, &record);
    if (decision->cause == AMGR_CAUSE_NONE) {
        amgr_judge_done(snapshot, amgr_board_ledger(tick->board), decision,
                        rv == APR_SUCCESS);
        count_step(tick, decision, &record, rv);
        if (rv == APR_NOTFOUND) {
            return; /* it ended by itself in between: nobody was retired */
        }
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

    if (is_kill) {
        look_at(tick, snapshot, decision, &evidence);
    }
    if (record == NULL) {
        record = &unknown;
        amgr_record_fill(record, snapshot, decision, &tick->config->limits);
    }
    rv = take_step(tick, snapshot, decision, record);
    amgr_judge_done(snapshot, amgr_board_ledger(tick->board), decision,
                    rv == APR_SUCCESS);
    count_step(tick, decision, record, rv);
    if (record != &unknown) {
        amgr_board_write_record(tick->board, record);
    }
    amgr_tick_log_step(tick->server, decision, record, rv);
    if (is_kill) {
        keep_evidence(tick, record, &evidence, rv == APR_SUCCESS);
    }
    amgr_others_tell(record, AMGR_RETIREMENT_STEP);
}

/** Ask the other modules about a new retirement. */
static void hear_others(amgr_tick_t *tick, amgr_snapshot_t *snapshot,
                        amgr_decision_t *decision)
{
    amgr_record_t record;

    if (decision->follow_up || decision->cause != AMGR_CAUSE_NONE) {
        return;
    }
    amgr_record_fill(&record, snapshot, decision, &tick->config->limits);
    if (amgr_others_veto(&record)) {
        amgr_judge_veto(snapshot, amgr_board_ledger(tick->board), decision);
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

static void act(amgr_tick_t *tick, amgr_snapshot_t *snapshot, int count)
{
    amgr_counters_t *counters = amgr_board_counters(tick->board);
    int i;

    for (i = 0; i < count; i++) {
        amgr_decision_t *decision = &tick->decisions[i];

        hear_others(tick, snapshot, decision);
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
            counters->suppressed[decision->cause]++;
            if (decision->cause == AMGR_CAUSE_DRY_RUN) {
                begin(tick, snapshot, decision);
            }
            else {
                amgr_tick_log_suppressed(tick->server, snapshot, decision);
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

/** See through what was begun at earlier ticks. */
static void follow(amgr_tick_t *tick, const amgr_snapshot_t *snapshot)
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

static void write_data_file(amgr_tick_t *tick, const amgr_snapshot_t *snapshot)
{
    amgr_counters_t *counters = amgr_board_counters(tick->board);
    amgr_replace_file_t file;
    amgr_view_t view;
    apr_time_t now_us = snapshot->server.time.mono_us;

    if (tick->data_file == NULL ||
        (tick->data_file_mono_us != 0 &&
         now_us - tick->data_file_mono_us < DATA_FILE_EVERY_US)) {
        return;
    }
    tick->data_file_mono_us = now_us;
    memset(&view, 0, sizeof(view));
    view.snapshot = snapshot;
    view.config = &tick->published;
    view.counters = counters;
    view.tick_wall_us = snapshot->server.time.wall_us;
    view.now_wall_us = view.tick_wall_us;
    if (amgr_replace_begin(&file, tick->data_file, DATA_FILE_MODE) ==
        APR_SUCCESS) {
        amgr_write_metrics_txt(&view, &file.sink);
        amgr_replace_commit(&file);
    }
    if (file.error != AMGR_REPLACE_OK) {
        counters->errors[AMGR_STAGE_DATA_FILE]++;
    }
    amgr_tick_log_data_file(&tick->log, tick->server, tick->data_file, &file);
}

void amgr_tick_run(amgr_tick_t *tick)
{
    amgr_counters_t *counters = amgr_board_counters(tick->board);
    apr_time_t cpu_before_us = amgr_clock_cpu_us();
    amgr_collect_faults_t faults;
    amgr_snapshot_t *snapshot;
    int count;

    snapshot = amgr_collect(tick->collector, &tick->config->limits, &faults);
    count_faults(counters, &faults);
    if (!faults.no_table) {
        follow(tick, snapshot);
        probe_rights(tick, snapshot, &faults);
        count = amgr_judge(&tick->config->limits, snapshot,
                           amgr_board_ledger(tick->board),
                           tick->published.can_signal, tick->decisions,
                           tick->runtime->children_max);
        act(tick, snapshot, count);
        amgr_tick_locks_run(tick->locks, tick->server,
                            amgr_collector_proc(tick->collector), snapshot,
                            counters);
    }
    amgr_collector_rest(tick->collector);
    amgr_tick_log_state(&tick->log, tick->server, snapshot, &faults,
                        tick->rights, &tick->published,
                        amgr_board_ledger(tick->board));
    counters->ticks++;
    amgr_board_write_tick(tick->board, snapshot);
    write_data_file(tick, snapshot);
    counters->last_cpu_us = (apr_uint64_t)(amgr_clock_cpu_us() - cpu_before_us);
    counters->tick_cpu_us += counters->last_cpu_us;
    counters->last_wall_us = (apr_uint64_t)(amgr_clock_monotonic_us() -
                                            snapshot->server.time.mono_us);
}
