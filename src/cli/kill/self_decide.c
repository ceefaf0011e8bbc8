/* SPDX-License-Identifier: Apache-2.0
 *
 * Choosing from outside, by figures that are fresh enough for what is chosen.
 * Memory and processes are always the kernel's of now.  What a worker does is
 * known by the last tick, which is seconds ago; where that matters it is asked
 * for anew, of a page of the server, or of its next tick when no worker is free
 * to answer.
 */
#include "cli/hanging.h"
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

/* The MPM looks after its workers once a second: a server without any has some
 * after that, which settle in turn. */
#define FORK_US (1200 * 1000)
#define LOOKS_MAX 3

#define WANTS (AMGR_WANT_PROCESSES | AMGR_WANT_SLOTS | AMGR_WANT_NOW)

static apr_interval_time_t interval_us(const amgr_source_t *source)
{
    const amgr_board_config_t *config = source->view.config;
    apr_interval_time_t span_us = config->limits.interval_us;

    if (source->kind != AMGR_SOURCE_BOARD || span_us <= 0) {
        return TICK_US;
    }
    return config->ticker || span_us > TICK_US ? span_us : TICK_US;
}

int amgr_self_is_threaded(const amgr_self_t *self,
                          const amgr_decision_t *decision)
{
    return self->snapshot.server.threaded &&
           self->snapshot.processes[decision->process].role == AMGR_ROLE_WORKER;
}

/* Whether figures of some seconds ago will not do: a request may have ended
 * since, one may be over the limit by now, or one begun in a process that
 * nobody can ask to finish it. */
static int is_of_the_moment(const amgr_self_t *self)
{
    return self->demand->max_time_us != AMGR_LIMIT_OFF ||
           self->source->view.snapshot->server.threaded;
}

/* Whether the server ticks no more. */
static int is_silent(const amgr_source_t *source)
{
    return source->kind == AMGR_SOURCE_BOARD &&
           source->age_us > 2 * interval_us(source) + LATE_US;
}

/* Whether not even that a worker was idle is known. */
static int is_blind(const amgr_source_t *source)
{
    return source->is_untold || is_silent(source);
}

/* Whether a decision stands whatever the process does now. */
static int is_certain(const amgr_self_t *self, const amgr_decision_t *decision)
{
    const amgr_process_t *process =
        &self->snapshot.processes[decision->process];

    if (decision->verdict == AMGR_VERDICT_TIME ||
        amgr_self_is_threaded(self, decision)) {
        return 0;
    }
    return process->role != AMGR_ROLE_WORKER || !is_blind(self->source) ||
           (amgr_measure_is_over(process->rss_bytes,
                                 self->demand->max_memory_active_bytes) &&
            amgr_measure_is_over(process->rss_bytes,
                                 self->demand->max_memory_idle_bytes));
}

/* Those that were decided by what may not be so any more; and no more of the
 * others than were asked for. */
static void drop_of_the_moment(amgr_self_t *self)
{
    int max_kills = self->demand->max_kills;
    int kept = 0;
    int i;

    for (i = 0; i < self->count; i++) {
        const amgr_decision_t *decision = &self->decisions[i];

        if (is_certain(self, decision)) {
            if (max_kills == 0 || kept < max_kills) {
                self->decisions[kept++] = *decision;
            }
            continue;
        }
        amgr_message(
            AMGR_LEVEL_WARNING,
            "worker %ld is left alone, since nothing tells what it does now",
            (long)self->snapshot.processes[decision->process].id.pid);
    }
    self->count = kept;
}

/* The source anew; zero when it is not to be had, or another server's. */
static int read_again(amgr_self_t *self, apr_interval_time_t max_age_us)
{
    amgr_source_t *newer;
    apr_pool_t *pool;

    if (apr_pool_create(&pool, self->run->pool) != APR_SUCCESS) {
        return 0;
    }
    newer = apr_pcalloc(pool, sizeof(*newer));
    if (amgr_source_read(self->target, WANTS, newer, pool) == NULL &&
        amgr_proc_id_equal(&newer->parent, &self->source->parent) &&
        newer->age_us <= max_age_us &&
        (newer->age_us != AMGR_NO_TIME || max_age_us > FRESH_US)) {
        self->source = newer;
        return 1;
    }
    apr_pool_destroy(pool);
    return 0;
}

/* Read the source anew until it tells of a moment ago; zero when it does not
 * come to that. */
static int wait_for_tick(amgr_self_t *self)
{
    apr_interval_time_t span_us = interval_us(self->source) + LATE_US;
    apr_time_t deadline_us = amgr_clock_monotonic_us() + span_us;
    apr_interval_time_t pause_us =
        self->source->kind == AMGR_SOURCE_BOARD ? LOOK_BOARD_US : LOOK_PAGE_US;
    char text[AMGR_UNITS_LEN];

    amgr_message(AMGR_LEVEL_INFO,
                 "the server does not answer, and what its workers do is known "
                 "as of its last tick: waiting for the next, %s at most",
                 amgr_duration_format(span_us, text, sizeof(text)));
    while (amgr_clock_monotonic_us() < deadline_us) {
        if (read_again(self, FRESH_US)) {
            return 1;
        }
        amgr_kill_pause(pause_us);
    }
    return 0;
}

/* Whether the source tells of a moment that is too long ago. */
static int is_stale(const amgr_self_t *self)
{
    const amgr_source_t *source = self->source;

    if (source->kind != AMGR_SOURCE_BOARD) {
        /* status.json mixes slots of now with processes of its last tick. */
        return source->kind == AMGR_SOURCE_STATUS_JSON;
    }
    if (is_silent(source)) {
        return 1;
    }
    return is_of_the_moment(self) && (source->age_us > FRESH_US ||
                                      source->view.snapshot->server.threaded);
}

/* Have it known what the workers do at this moment. */
static void refresh_slots(amgr_self_t *self)
{
    const amgr_source_t *source = self->source;

    self->live = NULL;
    self->run->is_untold = source->is_untold;
    self->run->is_unsure = source->is_untold;
    if (!is_stale(self)) {
        return;
    }
    self->live = amgr_live_read(self->target, &source->parent, self->run->pool);
    if (self->live == NULL &&
        (source->age_us == AMGR_NO_TIME || source->age_us > FRESH_US)) {
        self->run->is_unsure = is_silent(source) || !wait_for_tick(self);
    }
}

/* Nothing tells what the workers do: that they did something once is no reason
 * to take them for idle. */
static void forget_slots(amgr_snapshot_t *snapshot)
{
    int i;

    for (i = 0; i < snapshot->process_count; i++) {
        amgr_process_t *process = &snapshot->processes[i];

        process->active = 1;
        process->busy_slots = -1;
        process->slot_count = 0;
    }
}

/* By the demand; of what is uncertain all, since not all of it will stand. */
static void judge(amgr_self_t *self)
{
    amgr_snapshot_t *snapshot = &self->snapshot;
    amgr_demand_t demand = *self->demand;

    if (self->run->is_unsure) {
        demand.max_kills = 0;
        if (is_blind(self->source)) {
            forget_slots(snapshot);
        }
    }
    self->count =
        amgr_demand_judge(&demand, &self->limits, snapshot, NULL,
                          self->decisions, 0, snapshot->process_count);
    if (self->run->is_unsure) {
        drop_of_the_moment(self);
    }
}

static void note_slots_age(amgr_self_t *self)
{
    const amgr_instant_t *now = &self->snapshot.server.time;

    self->slots_age_us = self->source->age_us;
    if (self->live != NULL) {
        self->slots_age_us = now->boot_us - self->live->asked_boot_us;
    }
    else if (self->source->kind == AMGR_SOURCE_BOARD) {
        self->slots_age_us =
            now->boot_us - self->source->view.snapshot->server.time.boot_us;
    }
    if (self->slots_age_us < 0) {
        self->slots_age_us = 0;
    }
}

/* Requests of HTTP/2 on the connections of a process. */
static int count_streams(const amgr_snapshot_t *snapshot,
                         const amgr_process_t *process)
{
    int count = 0;
    int i;

    for (i = process->first_slot;
         i >= 0 && i < process->first_slot + process->slot_count &&
         i < snapshot->slot_count;
         i++) {
        count += snapshot->slots[i].streams;
    }
    return count;
}

/* Those that may be over the time limit: a slot has their number and no age of
 * theirs.  None is older than its process; nor, as far as the server has
 * counted, than its threshold. */
static int count_untimed(const amgr_self_t *self)
{
    const amgr_view_t *view = &self->source->view;
    const amgr_snapshot_t *snapshot = &self->snapshot;
    apr_interval_time_t limit_us = self->demand->max_time_us;
    int count = 0;
    int i;

    if (limit_us == AMGR_LIMIT_OFF || self->source->kind != AMGR_SOURCE_BOARD ||
        (limit_us >= view->config->limits.hanging_us &&
         view->snapshot->hanging >= 0 && amgr_hanging_unseen(view) == 0)) {
        return 0;
    }
    for (i = 0; i < snapshot->process_count; i++) {
        const amgr_process_t *process = &snapshot->processes[i];
        const amgr_process_t *known =
            amgr_snapshot_find(view->snapshot, process->id.pid);

        if (known != NULL &&
            (process->age_us == AMGR_NO_TIME || process->age_us > limit_us)) {
            count += count_streams(view->snapshot, known);
        }
    }
    return count;
}

static const amgr_fault_t *decide(amgr_self_t *self, amgr_kill_young_t *young)
{
    amgr_kill_run_t *run = self->run;
    amgr_snapshot_t *snapshot = &self->snapshot;
    apr_status_t rv = amgr_kill_children(self->source, self->live, run->proc,
                                         snapshot, young, run->pool);
    int i;

    if (rv != APR_SUCCESS) {
        return amgr_fault_make(run->pool, amgr_fault_code(rv),
                               APR_STATUS_IS_NOTFOUND(rv)
                                   ? "the httpd %ld has ended"
                                   : "the children of httpd %ld cannot be read",
                               (long)self->source->parent.pid);
    }
    run->workers = 0;
    for (i = 0; i < snapshot->process_count; i++) {
        run->workers += amgr_measure_is_judged(&snapshot->processes[i]);
    }
    note_slots_age(self);
    self->decisions =
        apr_pcalloc(run->pool, (apr_size_t)(snapshot->process_count + 1) *
                                   sizeof(self->decisions[0]));
    judge(self);
    run->untimed = count_untimed(self);
    return NULL;
}

/* Whether it is worth while to look again, after some time: a server that was
 * just started, or has just lost its workers, has more than can be told. */
static int let_settle(amgr_self_t *self, const amgr_kill_young_t *young,
                      int looks)
{
    apr_interval_time_t span_us = young->settle_us;

    if (young->count > 0 && self->run->workers > 0 && looks > 1) {
        amgr_message(AMGR_LEVEL_INFO,
                     "%d more %s too young to be told apart: left alone",
                     young->count, young->count == 1 ? "is" : "are");
        return 0;
    }
    if (looks >= LOOKS_MAX || self->source->is_untold ||
        (young->count == 0 && self->run->workers > 0)) {
        return 0;
    }
    if (young->count == 0) {
        span_us = FORK_US;
    }
    else {
        amgr_message(AMGR_LEVEL_VERBOSE,
                     "%d children are too young to be told apart: waiting for "
                     "them",
                     young->count);
    }
    amgr_kill_pause(span_us);
    return read_again(self, 2 * interval_us(self->source) + LATE_US);
}

const amgr_fault_t *amgr_self_decide(amgr_self_t *self)
{
    const amgr_fault_t *fault;
    amgr_kill_young_t young;
    int looks = 0;

    do {
        refresh_slots(self);
        fault = decide(self, &young);
        looks++;
    } while (fault == NULL && let_settle(self, &young, looks));
    return fault;
}
