/* SPDX-License-Identifier: Apache-2.0
 *
 * See tick.h.
 */
#include "httpd/tick.h"

#include <signal.h>
#include <syslog.h>

#include <apr_strings.h>

#include "action/retire.h"
#include "base/replace_file.h"
#include "httpd/log.h"
#include "httpd/private_memory.h"
#include "httpd/tick_evidence.h"
#include "httpd/tick_locks.h"
#include "httpd/tick_log.h"
#include "render/view.h"

/** The data file is written no more often than this. */
#define DATA_FILE_EVERY_US APR_USEC_PER_SEC
#define DATA_FILE_MODE 0644

/** Retirements whose end is waited for at once; the rest stays "pending". */
#define PENDING_MAX 64

struct amgr_tick_t {
    server_rec *server;
    amgr_runtime_t *runtime;
    const amgr_config_t *config;
    amgr_collector_t *collector;
    amgr_tick_locks_t *locks; /**< in the ticker; else NULL */
    amgr_board_t *board;
    amgr_board_config_t published;
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
        if (found[i].outcome == AMGR_OUTCOME_PENDING) {
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

/** Carry out one decision to retire, and put it on record. */
static void retire(amgr_tick_t *tick, amgr_snapshot_t *snapshot,
                   const amgr_decision_t *decision)
{
    amgr_counters_t *counters = amgr_board_counters(tick->board);
    amgr_evidence_t evidence;
    amgr_record_t record;
    apr_status_t rv;

    amgr_tick_evidence_take(tick->runtime, amgr_collector_proc(tick->collector),
                            snapshot, decision, &evidence);
    rv = amgr_retire_apply(amgr_collector_proc(tick->collector),
                           tick->runtime->parent, &tick->config->limits,
                           snapshot, decision, &record);
    if (decision->cause == AMGR_CAUSE_NONE) {
        amgr_judge_done(snapshot, amgr_board_ledger(tick->board), decision,
                        rv == APR_SUCCESS);
        if (rv == APR_SUCCESS &&
            decision->verdict == AMGR_VERDICT_MEMORY_IDLE) {
            counters->killed_idle++;
        }
        else if (rv == APR_SUCCESS) {
            counters->killed_active++;
        }
        else if (rv == APR_NOTFOUND) {
            return; /* it ended by itself in between: nobody was retired */
        }
        else {
            counters->errors[AMGR_STAGE_SIGNAL]++;
        }
    }
    amgr_board_write_record(tick->board, &record);
    amgr_tick_evidence_keep(tick->board, &record, &evidence);
    amgr_tick_log_record(&tick->log, tick->server, tick->config, &record, rv);
    if (record.action == AMGR_ACTION_KILL && rv == APR_SUCCESS) {
        amgr_tick_evidence_log_lost(tick->server, tick->config, &evidence);
    }
    if (record.outcome == AMGR_OUTCOME_PENDING &&
        tick->pending_count < PENDING_MAX) {
        tick->pending[tick->pending_count++] = record;
    }
}

static void act(amgr_tick_t *tick, amgr_snapshot_t *snapshot, int count)
{
    amgr_counters_t *counters = amgr_board_counters(tick->board);
    int i;

    for (i = 0; i < count; i++) {
        const amgr_decision_t *decision = &tick->decisions[i];

        if (decision->cause == AMGR_CAUSE_NONE) {
            retire(tick, snapshot, decision);
            continue;
        }
        if (decision->announce) {
            counters->suppressed[decision->cause]++;
            if (decision->cause == AMGR_CAUSE_DRY_RUN) {
                retire(tick, snapshot, decision);
            }
            else {
                amgr_tick_log_suppressed(tick->server, snapshot, decision);
            }
        }
    }
}

/** See through what was begun at earlier ticks. */
static void confirm(amgr_tick_t *tick, const amgr_snapshot_t *snapshot)
{
    int kept = 0;
    int i;

    for (i = 0; i < tick->pending_count; i++) {
        if (amgr_retire_confirm(snapshot, &tick->pending[i])) {
            amgr_board_write_record(tick->board, &tick->pending[i]);
        }
        else {
            tick->pending[kept++] = tick->pending[i];
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
        confirm(tick, snapshot);
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
