/* SPDX-License-Identifier: Apache-2.0
 *
 * See tick.h.
 */
#include "httpd/tick.h"

#include <signal.h>
#include <syslog.h>
#include <unistd.h>

#include <apr_strings.h>

#include "action/counters.h"
#include "base/replace_file.h"
#include "httpd/log.h"
#include "httpd/private_memory.h"
#include "httpd/server_start.h"
#include "httpd/tick_act.h"
#include "policy/growth.h"
#include "proc/proc_control.h"
#include "render/view.h"

/** The data file is written no more often than this. */
#define DATA_FILE_EVERY_US APR_USEC_PER_SEC

/** Whoever reads the data file takes one that is some minutes old for a server
 * that is not watched any more, and rates are made of counters that go on at
 * least every minute.  The hook comes every ten seconds, so with this neither
 * is older than a minute. */
#define STALE_US apr_time_from_sec(45)
#define DATA_FILE_MODE 0644

/** What was ordered is seen to at least this often: each step of it costs a
 * tick, and those that are due may be an hour apart. */
#define URGENT_US APR_USEC_PER_SEC

amgr_tick_t *amgr_tick_create(server_rec *s, amgr_runtime_t *runtime,
                              const amgr_wsgi_t *wsgi, int in_ticker,
                              apr_pool_t *p)
{
    apr_size_t decisions_size =
        (apr_size_t)runtime->children_max * 2 * sizeof(amgr_decision_t);
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
    tick->cores = (int)sysconf(_SC_NPROCESSORS_CONF);
    tick->decisions_size = decisions_size;
    tick->decisions = decisions;
    tick->collector = collector;
    tick->locks =
        in_ticker ? amgr_tick_locks_create(runtime->children_max) : NULL;
    tick->data_file = amgr_runtime_data_file(runtime, tick->config, p);
    /* Writing to syslog may block, and makes its tag ours. */
    tick->log.use_syslog = in_ticker && tick->config->syslog;
    if (in_ticker) {
        amgr_commands_init(
            &tick->commands, s, tick->config, runtime->parent,
            &amgr_board_counters(tick->board)->errors[AMGR_STAGE_COMMAND]);
    }
    if (amgr_board_read_config(tick->board, &tick->published) != APR_SUCCESS) {
        tick->published.limits = tick->config->limits;
    }
    amgr_tick_adopt(tick);
    return tick;
}

void amgr_tick_resume(amgr_tick_t *tick)
{
    (void)amgr_board_read_config(tick->board, &tick->published); /* or as was */
    amgr_tick_adopt(tick);
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
    apr_status_t want = APR_SUCCESS;
    amgr_proc_id_t id;
    int i;

    for (i = 0; i < snapshot->process_count; i++) {
        const amgr_process_t *process = &snapshot->processes[i];
        apr_status_t rv;

        if (process->kind != AMGR_KIND_NATIVE) {
            continue;
        }
        /* Of one that is hidden nobody can say who it is. */
        rv = amgr_proc_read_id(proc, process->id.pid, &id);
        if (rv == APR_SUCCESS) {
            rv = amgr_proc_signal(proc, &process->id, tick->runtime->parent, 0);
            if (rv != APR_NOTFOUND) {
                return rv;
            }
        }
        else if (rv != APR_NOTFOUND && !APR_STATUS_IS_EACCES(rv)) {
            want = rv; /* as it will be when one is to be signalled */
        }
    }
    return faults->denied == 0 ? want : APR_EACCES;
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
    /* Of what is hidden from us the kernel says that it does not exist. */
    counters->errors[AMGR_STAGE_PROC] +=
        (apr_uint64_t)(faults->failed > faults->unreadable
                           ? faults->failed
                           : faults->unreadable);
    counters->errors[AMGR_STAGE_OVERRUN] += (apr_uint64_t)faults->overrun;
}

static void write_data_file(amgr_tick_t *tick, const amgr_snapshot_t *snapshot)
{
    amgr_counters_t *counters = amgr_board_counters(tick->board);
    amgr_replace_file_t file;
    amgr_view_t view;
    apr_time_t now_us = snapshot->server.time.mono_us;

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

/** Whether there is one, and it is to be written at this tick. */
static int is_data_file_due(const amgr_tick_t *tick, apr_time_t now_us)
{
    return tick->data_file != NULL &&
           (tick->data_file_mono_us == 0 || tick->data_file_refreshed ||
            now_us - tick->data_file_mono_us >= DATA_FILE_EVERY_US);
}

/** CPU time and the scoreboard's sums. */
static void note_server(amgr_tick_t *tick, const amgr_server_t *server)
{
    const amgr_server_start_t *start = amgr_server_start();
    amgr_counting_t how;

    how.started_us = start == NULL ? AMGR_NO_TIME : start->wall_us;
    how.uptime_us = amgr_server_start_uptime_us(&server->time);
    how.cores = tick->cores;
    how.slots = tick->runtime->server_limit * tick->runtime->thread_limit;
    amgr_counters_note_server(amgr_board_counters(tick->board), server, &how);
    tick->noted_mono_us = server->time.mono_us;
}

/** Nothing was judged: what only a judgement finds out is as before. */
static void keep_judgement(const amgr_tick_t *tick, amgr_snapshot_t *snapshot)
{
    amgr_snapshot_t last;

    memset(&last, 0, sizeof(last));
    if (amgr_board_read_tick(tick->board, &last) == APR_SUCCESS) {
        snapshot->hanging = last.hanging;
        snapshot->server.storm_open = last.server.storm_open;
    }
}

static void write_history(amgr_tick_t *tick, const amgr_snapshot_t *snapshot)
{
    const amgr_counters_t *counters = amgr_board_counters(tick->board);
    apr_interval_time_t interval_us = tick->config->limits.interval_us;

    /* The hook comes no more often than that, whatever the configuration. */
    if (!tick->in_ticker && interval_us < AMGR_HOOK_INTERVAL_US) {
        interval_us = AMGR_HOOK_INTERVAL_US;
    }
    amgr_board_write_history(tick->board, snapshot,
                             counters->killed_active + counters->killed_idle,
                             interval_us);
}

/** By the configuration, then by the order; the number of decisions. */
static int judge(amgr_tick_t *tick, amgr_snapshot_t *snapshot)
{
    amgr_ledger_t *ledger = amgr_board_ledger(tick->board);
    int max = tick->runtime->children_max;
    int count = amgr_judge(&tick->config->limits, snapshot, ledger,
                           tick->published.can_signal, tick->decisions, max);

    amgr_demand_t demand;

    if (tick->order == NULL || tick->order->demand == NULL) {
        return count;
    }
    /* How many of them may go is counted by amgr_tick_act(): not those that
     * another module vetoes. */
    demand = *tick->order->demand;
    demand.max_kills = 0;
    return amgr_demand_judge(&demand, &tick->config->limits, snapshot, ledger,
                             tick->decisions, count, 2 * max);
}

/** Collect, judge, act and publish; 0 when nothing could be judged. */
static int run(amgr_tick_t *tick, int out_of_turn)
{
    amgr_counters_t *counters = amgr_board_counters(tick->board);
    apr_time_t cpu_before_us = amgr_clock_cpu_us();
    amgr_collect_faults_t faults;
    amgr_snapshot_t *snapshot;
    apr_interval_time_t wall_us;

    snapshot = amgr_collect(tick->collector, &tick->config->limits, &faults);
    snapshot->out_of_turn = out_of_turn;
    count_faults(counters, &faults);
    if (!faults.no_table) {
        amgr_tick_follow(tick, snapshot);
        probe_rights(tick, snapshot, &faults);
        amgr_tick_act(tick, snapshot, judge(tick, snapshot));
        amgr_tick_locks_run(tick->locks, tick->server,
                            amgr_collector_proc(tick->collector), snapshot,
                            counters);
        amgr_growth_follow(amgr_board_ledger(tick->board), snapshot,
                           tick->config->limits.min_age_us);
    }
    else {
        keep_judgement(tick, snapshot);
    }
    amgr_collector_rest(tick->collector);
    amgr_tick_log_state(&tick->log, tick->server, snapshot, &faults,
                        tick->rights, &tick->published,
                        amgr_board_ledger(tick->board));
    note_server(tick, &snapshot->server);
    counters->untimed = amgr_mailbox_untimed(&tick->runtime->mailbox);
    counters->ticks++;
    amgr_board_write_tick(tick->board, snapshot);
    if (!faults.no_table) {
        write_history(tick, snapshot);
    }
    tick->hanging = snapshot->hanging;
    if (is_data_file_due(tick, snapshot->server.time.mono_us)) {
        write_data_file(tick, snapshot);
    }
    tick->data_file_refreshed = 0;
    counters->last_cpu_us = (apr_uint64_t)(amgr_clock_cpu_us() - cpu_before_us);
    counters->tick_cpu_us += counters->last_cpu_us;
    wall_us = amgr_clock_monotonic_us() - snapshot->server.time.mono_us;
    counters->last_wall_us = (apr_uint64_t)wall_us;
    amgr_histogram_add(&counters->tick_spans, &amgr_histogram_ticks, wall_us);
    return !faults.no_table;
}

void amgr_tick_run(amgr_tick_t *tick)
{
    run(tick, 0);
}

int amgr_tick_obey(amgr_tick_t *tick, amgr_tick_order_t *order)
{
    int done;

    tick->order = order;
    done = run(tick, 1);
    tick->order = NULL;
    return done;
}

int amgr_tick_is_urgent(const amgr_tick_t *tick, apr_time_t now_us)
{
    return now_us - tick->noted_mono_us >= URGENT_US &&
           amgr_demand_is_under_way(amgr_board_ledger(tick->board), now_us);
}

void amgr_tick_between(amgr_tick_t *tick)
{
    amgr_commands_look(&tick->commands);
}

/* Nothing is judged or published: what a judgement alone finds out, how many
 * requests hang, is as the last one left it.  What cannot be looked at is tried
 * again the next time. */
void amgr_tick_refresh(amgr_tick_t *tick)
{
    amgr_collect_faults_t faults;
    amgr_snapshot_t *snapshot;

    /* Not before the first tick, which says all of it. */
    if (tick->noted_mono_us == 0 ||
        amgr_clock_monotonic_us() - tick->noted_mono_us < STALE_US) {
        return;
    }
    snapshot = amgr_collect(tick->collector, &tick->config->limits, &faults);
    amgr_collector_rest(tick->collector);
    if (faults.no_table) {
        return;
    }
    note_server(tick, &snapshot->server);
    if (tick->data_file != NULL) {
        snapshot->hanging = tick->hanging;
        write_data_file(tick, snapshot);
        tick->data_file_refreshed = 1;
    }
}

void amgr_tick_leave(const amgr_tick_t *tick)
{
    amgr_commands_end(&tick->commands);
}
