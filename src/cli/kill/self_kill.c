/* SPDX-License-Identifier: Apache-2.0
 *
 * Choosing from outside, by figures that are fresh enough, and the first step
 * with each that was chosen.
 */
#include "cli/kill/self_kill.h"

#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "cli/kill/kill_children.h"
#include "cli/kill/self_kill_parts.h"
#include "cli/message.h"

/* Whoever has no ticker ticks so often. */
#define TICK_US (10 * APR_USEC_PER_SEC)

/* A request that was too old a moment ago still is, or nearly. */
#define FRESH_US APR_USEC_PER_SEC

/* How often to look whether there was a tick, and how long it may be late. */
#define LOOK_BOARD_US (100 * 1000)
#define LOOK_PAGE_US APR_USEC_PER_SEC
#define LATE_US (2 * APR_USEC_PER_SEC)

/* Room for the line of a record. */
#define LINE_LEN 1024

/* The longest grace period that a page can make the tool wait. */
#define PAGE_GRACE_MAX_US apr_time_from_sec(600)

static apr_interval_time_t interval_us(const amgr_source_t *source)
{
    const amgr_board_config_t *config = source->view.config;
    apr_interval_time_t span_us = config->limits.interval_us;

    if (source->kind != AMGR_SOURCE_BOARD || span_us <= 0) {
        return TICK_US;
    }
    return config->ticker || span_us > TICK_US ? span_us : TICK_US;
}

static void switch_off(amgr_limits_t *limits)
{
    int i;

    limits->max_memory_active_bytes = AMGR_LIMIT_OFF;
    limits->max_memory_idle_bytes = AMGR_LIMIT_OFF;
    limits->max_time_us = AMGR_LIMIT_OFF;
    limits->max_time_sections = 0;
    limits->hard_memory_bytes = AMGR_LIMIT_OFF;
    limits->max_memory_total_bytes = AMGR_LIMIT_OFF;
    limits->max_memory_total_percent = 0;
    limits->max_generation_age_us = AMGR_LIMIT_OFF;
    limits->max_requests.limit = AMGR_LIMIT_OFF;
    limits->max_lifetime_us.limit = AMGR_LIMIT_OFF;
    for (i = 0; i < limits->section_count; i++) {
        amgr_section_t *section = &limits->sections[i];

        section->max_memory_active_bytes = AMGR_LIMIT_OFF;
        section->max_memory_idle_bytes = AMGR_LIMIT_OFF;
        section->hard_memory_bytes = AMGR_LIMIT_OFF;
        section->max_lifetime_us.limit = AMGR_LIMIT_OFF;
    }
}

/* How the server retires, without anything for which it would: a page is not
 * believed but for a grace period in reason. */
static void prepare_limits(amgr_limits_t *limits, const amgr_source_t *source)
{
    const amgr_limits_t *of_server = &source->view.config->limits;

    amgr_limits_init(limits);
    if (source->kind == AMGR_SOURCE_BOARD) {
        *limits = *of_server;
    }
    else if (of_server->grace_us > 0 &&
             of_server->grace_us <= PAGE_GRACE_MAX_US) {
        limits->grace_us = of_server->grace_us;
    }
    switch_off(limits);
    limits->dry_run = 0;
    limits->metric = AMGR_METRIC_RSS;
    /* That is an order on the board, which only the ticker can give. */
    limits->lame_duck_us = AMGR_LIMIT_OFF;
    /* What has no end shall end now. */
    limits->endless_grace_us = limits->grace_us;
}

static const amgr_fault_t *decide(amgr_self_t *self)
{
    amgr_kill_run_t *run = self->run;
    amgr_snapshot_t *snapshot = &self->snapshot;
    apr_status_t rv =
        amgr_kill_children(self->source, run->proc, snapshot, run->pool);
    int i;

    if (rv != APR_SUCCESS) {
        return amgr_fault_make(run->pool, amgr_fault_code(rv),
                               APR_STATUS_IS_NOTFOUND(rv) || rv == APR_NOTFOUND
                                   ? "the httpd %ld has ended"
                                   : "the children of httpd %ld cannot be read",
                               (long)self->source->parent.pid);
    }
    run->workers = 0;
    for (i = 0; i < snapshot->process_count; i++) {
        run->workers += amgr_measure_is_judged(&snapshot->processes[i]);
    }
    self->decisions =
        apr_pcalloc(run->pool, (apr_size_t)(snapshot->process_count + 1) *
                                   sizeof(self->decisions[0]));
    self->count =
        amgr_demand_judge(self->demand, &self->limits, snapshot, NULL,
                          self->decisions, 0, snapshot->process_count);
    return NULL;
}

/* Whether figures of some seconds ago will not do: the request may have ended,
 * or one begun in a process that nobody can ask to finish it. */
static int is_of_the_moment(const amgr_self_t *self,
                            const amgr_decision_t *decision)
{
    return decision->verdict == AMGR_VERDICT_TIME ||
           (self->snapshot.server.threaded &&
            self->snapshot.processes[decision->process].role ==
                AMGR_ROLE_WORKER);
}

static int count_of_the_moment(const amgr_self_t *self)
{
    int count = 0;
    int i;

    for (i = 0; i < self->count; i++) {
        count += is_of_the_moment(self, &self->decisions[i]);
    }
    return count;
}

/* Read the source anew until it tells of a moment ago; zero when it does not
 * come to that. */
static int wait_for_tick(amgr_self_t *self)
{
    apr_time_t deadline_us =
        amgr_clock_monotonic_us() + interval_us(self->source) + LATE_US;
    amgr_source_t *newer = apr_pcalloc(self->run->pool, sizeof(*newer));
    apr_interval_time_t pause_us =
        self->source->kind == AMGR_SOURCE_BOARD ? LOOK_BOARD_US : LOOK_PAGE_US;
    apr_pool_t *pool;

    amgr_message(AMGR_LEVEL_VERBOSE,
                 "the figures are of the server's last tick: waiting for the "
                 "next, since requests begin and end");
    while (amgr_clock_monotonic_us() < deadline_us) {
        if (apr_pool_create(&pool, self->run->pool) != APR_SUCCESS) {
            return 0;
        }
        if (amgr_source_read(self->target,
                             AMGR_WANT_PROCESSES | AMGR_WANT_SLOTS |
                                 AMGR_WANT_NOW,
                             newer, pool) == NULL &&
            amgr_proc_id_equal(&newer->parent, &self->source->parent) &&
            newer->age_us != AMGR_NO_TIME && newer->age_us <= FRESH_US) {
            self->source = newer;
            return 1;
        }
        apr_pool_destroy(pool);
        amgr_kill_pause(pause_us);
    }
    return 0;
}

static void drop_of_the_moment(amgr_self_t *self)
{
    int kept = 0;
    int i;

    for (i = 0; i < self->count; i++) {
        const amgr_decision_t *decision = &self->decisions[i];

        if (!is_of_the_moment(self, decision)) {
            self->decisions[kept++] = *decision;
            continue;
        }
        amgr_message(
            AMGR_LEVEL_WARNING,
            "worker %ld is left alone, since nothing tells what it does now",
            (long)self->snapshot.processes[decision->process].id.pid);
    }
    self->count = kept;
}

/* Decide by figures that are fresh enough for what is decided. */
static const amgr_fault_t *decide_freshly(amgr_self_t *self)
{
    const amgr_source_t *source = self->source;
    apr_interval_time_t max_us = 2 * interval_us(source);
    const amgr_fault_t *fault;
    char age[AMGR_UNITS_LEN];
    char span[AMGR_UNITS_LEN];

    if (source->age_us == AMGR_NO_TIME || source->age_us > max_us + LATE_US) {
        return amgr_fault_make(
            self->run->pool, AMGR_EXIT_FAILED,
            "the figures of %s are too old (%s, with a tick every %s): nothing "
            "was done",
            amgr_kill_escaped(source->name, self->run->pool),
            amgr_duration_format(source->age_us, age, sizeof(age)),
            amgr_duration_format_exact(interval_us(source), span,
                                       sizeof(span)));
    }
    fault = decide(self);
    if (fault != NULL || source->age_us <= FRESH_US ||
        count_of_the_moment(self) == 0) {
        return fault;
    }
    if (!wait_for_tick(self)) {
        drop_of_the_moment(self);
        return NULL;
    }
    return decide(self);
}

/* On a threaded MPM there is one signal only; and what it cuts off. */
static void force_threaded(amgr_self_t *self)
{
    int requests = 0;
    int forced = 0;
    int unknown = 0;
    int i;

    for (i = 0; i < self->count; i++) {
        amgr_decision_t *decision = &self->decisions[i];

        if (self->snapshot.server.threaded &&
            self->snapshot.processes[decision->process].role ==
                AMGR_ROLE_WORKER) {
            decision->step = AMGR_STEP_KILL;
            decision->force = 1;
            forced++;
            requests += decision->requests > 0 ? decision->requests : 0;
            unknown |= decision->requests < 0;
        }
    }
    if (forced > 0) {
        amgr_message(AMGR_LEVEL_WARNING,
                     "%d worker%s of a threaded MPM cannot be asked by a "
                     "signal: SIGKILL cuts off %s%d request%s; with "
                     "ManagerSocket %s would finish",
                     forced, forced == 1 ? "" : "s", unknown ? "at least " : "",
                     requests, requests == 1 ? "" : "s",
                     requests == 1 ? "it" : "they");
    }
}

static void act(amgr_self_t *self, int index)
{
    amgr_kill_run_t *run = self->run;
    const amgr_decision_t *decision = &self->decisions[index];
    const amgr_process_t *process =
        &self->snapshot.processes[decision->process];
    amgr_record_t *record = &self->records[index];
    amgr_victim_t *victim = &run->victims[index];
    amgr_sink_t sink;
    char line[LINE_LEN];
    apr_status_t rv;

    amgr_record_fill(record, &self->snapshot, decision, &self->limits);
    rv = amgr_retire_take(&self->retire, &self->snapshot, decision, record);
    victim->id = process->id;
    victim->native = record->kind == AMGR_KIND_NATIVE;
    victim->active = record->active;
    victim->outcome = record->outcome;
    victim->denied = APR_STATUS_IS_EACCES(rv);
    amgr_sink_init_text(&sink, line, sizeof(line));
    amgr_record_format(record, self->source->view.show_requests, &sink);
    amgr_kill_tell(run, victim, amgr_sink_text(&sink), 1);
}

static void act_all(amgr_self_t *self)
{
    amgr_kill_run_t *run = self->run;
    apr_size_t room = (apr_size_t)self->count + 1;
    int i;

    run->victims = apr_pcalloc(run->pool, room * sizeof(run->victims[0]));
    run->count = self->count;
    self->records = apr_pcalloc(run->pool, room * sizeof(self->records[0]));
    self->retire.proc = run->proc;
    self->retire.parent = self->source->parent.pid;
    self->retire.limits = &self->limits;
    for (i = 0; i < self->count; i++) {
        run->victims[i].id =
            self->snapshot.processes[self->decisions[i].process].id;
        run->victims[i].outcome = AMGR_OUTCOME_PENDING;
    }
    if (self->count > 0) {
        amgr_kill_warn_serving(run, &self->snapshot);
    }
    for (i = 0; i < self->count; i++) {
        act(self, i);
    }
}

const amgr_fault_t *amgr_self_kill(amgr_kill_run_t *run,
                                   const amgr_demand_t *demand,
                                   const amgr_target_t *target,
                                   const amgr_source_t *source)
{
    amgr_self_t *self = apr_pcalloc(run->pool, sizeof(*self));
    const amgr_fault_t *fault;

    self->run = run;
    self->demand = demand;
    self->target = target;
    self->source = source;
    prepare_limits(&self->limits, source);
    fault = decide_freshly(self);
    if (fault != NULL) {
        return fault;
    }
    force_threaded(self);
    act_all(self);
    if (amgr_kill_count(run, AMGR_OUTCOME_PENDING) > 0) {
        amgr_self_follow(self);
    }
    return NULL;
}
