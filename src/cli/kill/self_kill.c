/* SPDX-License-Identifier: Apache-2.0
 *
 * From outside: how the server would retire, and the first step with each that
 * was chosen (self_decide.c).
 */
#include "cli/kill/self_kill.h"

#include <string.h>

#include <apr_strings.h>

#include "cli/kill/self_kill_parts.h"
#include "cli/message.h"

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
             of_server->grace_us <= AMGR_KILL_SAID_GRACE_MAX_US) {
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

/* What a SIGKILL cuts off, as far as anybody can know: requests come at any
 * moment, and event writes answers without a worker. */
static const char *tell_cut_off(const amgr_self_t *self, int requests,
                                int unknown)
{
    apr_pool_t *pool = self->run->pool;
    apr_interval_time_t age_us = self->slots_age_us;
    const char *when =
        apr_psprintf(pool, "%d.%d s ago", (int)(age_us / APR_USEC_PER_SEC),
                     (int)(age_us / (APR_USEC_PER_SEC / 10)) % 10);

    if (requests > 0) {
        return apr_psprintf(pool, "at least %d request%s (as of %s%s)",
                            requests, requests == 1 ? "" : "s", when,
                            unknown ? ", and of some nothing is known" : "");
    }
    return apr_pstrcat(pool, "whatever they do (",
                       unknown ? "of some nothing is known as of "
                               : "no request was seen in them ",
                       when, ")", NULL);
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

        if (amgr_self_is_threaded(self, decision)) {
            decision->step = AMGR_STEP_KILL;
            decision->force = 1;
            forced++;
            requests += decision->requests > 0 ? decision->requests : 0;
            unknown |= decision->requests < 0;
        }
    }
    if (forced > 0) {
        amgr_message(requests > 0 || unknown ? AMGR_LEVEL_WARNING
                                             : AMGR_LEVEL_NOTICE,
                     "%d worker%s of a threaded MPM cannot be asked by a "
                     "signal: SIGKILL %s off %s; with ManagerSocket %s would "
                     "finish",
                     forced, forced == 1 ? "" : "s",
                     self->demand->dry_run ? "would cut" : "cuts",
                     tell_cut_off(self, requests, unknown),
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
    char line[AMGR_RECORD_LINE_LEN];
    apr_status_t rv;

    amgr_record_fill(record, &self->snapshot, decision, &self->limits);
    rv = amgr_retire_take(&self->retire, &self->snapshot, decision, record);
    amgr_self_note_lost(self, record);
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
    int at_once = 0;
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
        at_once += run->victims[i].outcome == AMGR_OUTCOME_PENDING &&
                   self->records[i].action == AMGR_ACTION_KILL &&
                   !amgr_self_is_threaded(self, &self->decisions[i]);
    }
    amgr_kill_tell_at_once(at_once);
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
    fault = amgr_self_decide(self);
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
