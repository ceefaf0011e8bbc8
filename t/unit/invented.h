/* SPDX-License-Identifier: Apache-2.0
 *
 * An invented server with an invented clock, for the tests of policy and
 * action: processes and slots are set up by hand, time passes when told to,
 * and each tick is judged as the real one is.
 */
#ifndef AMGR_INVENTED_H
#define AMGR_INVENTED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/judge.h"

#define MB APR_INT64_C(1048576)
#define SEC APR_INT64_C(1000000)

typedef struct world_t {
    amgr_snapshot_t snapshot;
    amgr_limits_t limits;
    amgr_ledger_t *ledger;
    amgr_decision_t *decisions;
    apr_uint64_t *scratch;
    apr_time_t *born_us; /* boot clock, by process */
    apr_int32_t *state;  /* of httpd's making, by process */
    int count;           /* of decisions */
    int can_signal;
    int threads;
    int rows;
    apr_interval_time_t *own_us; /* a slot's own limit, 0: the server's */
} world_t;

/* A server with room for so many processes of so many threads. */
static inline world_t *world_create(int processes, int threads)
{
    world_t *world = test_calloc(1, sizeof(*world));
    amgr_snapshot_t *snapshot = &world->snapshot;
    size_t max = (size_t)processes;
    size_t slots = max * (size_t)threads;

    snapshot->processes = test_calloc(max, sizeof(amgr_process_t));
    snapshot->process_max = processes;
    snapshot->slots = test_calloc(slots, sizeof(amgr_slot_t));
    snapshot->slot_max = processes * threads;
    amgr_snapshot_clear(snapshot);
    snapshot->slot_count = 0;
    snapshot->server.extended = 1;
    snapshot->server.max_processes = processes;
    snapshot->server.time.mono_us = 1000 * SEC;
    snapshot->server.time.boot_us = 50000 * SEC;
    snapshot->server.time.wall_us = 1700000000 * SEC;
    world->decisions = test_calloc(max, sizeof(amgr_decision_t));
    world->scratch = test_calloc(max, sizeof(apr_uint64_t));
    world->born_us = test_calloc(max, sizeof(apr_time_t));
    world->state = test_calloc(max, sizeof(apr_int32_t));
    world->ledger = amgr_ledger_init(
        test_malloc(amgr_ledger_size(processes, processes * threads)),
        processes, processes * threads, threads);
    world->own_us = test_calloc(slots, sizeof(apr_interval_time_t));
    snapshot->streams = test_calloc(slots, sizeof(amgr_stream_t));
    snapshot->stream_max = snapshot->slot_max;
    world->can_signal = 1;
    world->threads = threads;
    amgr_limits_init(&world->limits);
    return world;
}

static inline void world_destroy(world_t *world)
{
    test_free(world->snapshot.processes);
    test_free(world->snapshot.slots);
    test_free(world->decisions);
    test_free(world->scratch);
    test_free(world->born_us);
    test_free(world->state);
    test_free(world->ledger);
    test_free(world->own_us);
    test_free(world->snapshot.streams);
    test_free(world);
}

static inline amgr_process_t *world_find(world_t *world, pid_t pid)
{
    amgr_process_t *process = amgr_snapshot_find(&world->snapshot, pid);

    assert_non_null(process);
    return process;
}

/* The process's slot of that thread. */
static inline amgr_slot_t *world_slot(world_t *world, pid_t pid, int thread)
{
    amgr_process_t *process = world_find(world, pid);

    assert_in_range(thread, 0, process->slot_count - 1);
    return &world->snapshot.slots[process->first_slot + thread];
}

/* Add a process; pids must ascend.  It is an hour old and of 10 MB. */
static inline amgr_process_t *world_add(world_t *world, pid_t pid, int role,
                                        const char *group)
{
    amgr_snapshot_t *snapshot = &world->snapshot;
    int index = snapshot->process_count++;
    amgr_process_t *process = &snapshot->processes[index];
    int kind = role == AMGR_ROLE_WORKER ? AMGR_KIND_NATIVE : AMGR_KIND_FOREIGN;

    assert_true(index < snapshot->process_max);
    assert_true(index == 0 || snapshot->processes[index - 1].id.pid < pid);
    memset(process, 0, sizeof(*process));
    process->id.pid = pid;
    process->id.start_ticks = (apr_uint64_t)pid * 10 + 1;
    process->kind = kind;
    process->role = role;
    process->group = amgr_snapshot_group(snapshot, group, kind, role);
    process->process_slot = -1;
    process->generation = -1;
    process->rss_bytes = (apr_uint64_t)(10 * MB);
    process->anon_bytes = AMGR_UNKNOWN;
    process->growth_bytes_per_hour = AMGR_GROWTH_UNKNOWN;
    process->busy_slots = -1;
    process->pss_bytes = AMGR_UNKNOWN;
    process->uss_bytes = AMGR_UNKNOWN;
    world->born_us[index] = snapshot->server.time.boot_us - 3600 * SEC;
    world->state[index] = AMGR_STATE_SERVING;
    return process;
}

/* Give a worker a row of slots, all ready and used before. */
static inline void world_seat(world_t *world, amgr_process_t *process, int row)
{
    amgr_snapshot_t *snapshot = &world->snapshot;
    int i;

    process->process_slot = row;
    process->generation = 0;
    process->first_slot = row * world->threads;
    process->slot_count = world->threads;
    if (process->first_slot + world->threads > snapshot->slot_count) {
        snapshot->slot_count = process->first_slot + world->threads;
    }
    assert_true(snapshot->slot_count <= snapshot->slot_max);
    for (i = 0; i < world->threads; i++) {
        amgr_slot_t *slot = &snapshot->slots[process->first_slot + i];

        memset(slot, 0, sizeof(*slot));
        slot->process_slot = row;
        slot->thread = i;
        slot->mode = AMGR_MODE_READY;
        slot->child_accesses = 7;
        slot->request_age_us = AMGR_NO_TIME;
    }
}

static inline amgr_process_t *world_native(world_t *world, pid_t pid)
{
    amgr_process_t *process = world_add(world, pid, AMGR_ROLE_WORKER, "native");

    world_seat(world, process, world->rows++);
    return process;
}

/* So many workers with pids from 100 on. */
static inline void world_natives(world_t *world, int count)
{
    int i;

    for (i = 0; i < count; i++) {
        (void)world_native(world, 100 + i); /* found by pid later */
    }
}

/* The process ends. */
static inline void world_remove(world_t *world, pid_t pid)
{
    amgr_snapshot_t *snapshot = &world->snapshot;
    int index = (int)(world_find(world, pid) - snapshot->processes);
    int i;

    snapshot->process_count--;
    for (i = index; i < snapshot->process_count; i++) {
        snapshot->processes[i] = snapshot->processes[i + 1];
        world->born_us[i] = world->born_us[i + 1];
        world->state[i] = world->state[i + 1];
    }
}

/* The worker ends, and a newborn one takes its row. */
static inline amgr_process_t *world_replace(world_t *world, pid_t pid,
                                            pid_t new_pid)
{
    int row = world_find(world, pid)->process_slot;
    amgr_process_t *process;

    world_remove(world, pid);
    process = world_add(world, new_pid, AMGR_ROLE_WORKER, "native");
    world_seat(world, process, row);
    world->born_us[world->snapshot.process_count - 1] =
        world->snapshot.server.time.boot_us;
    return process;
}

/* Set how old a process is now. */
static inline void world_age(world_t *world, pid_t pid, apr_time_t age_us)
{
    int index = (int)(world_find(world, pid) - world->snapshot.processes);

    world->born_us[index] = world->snapshot.server.time.boot_us - age_us;
}

static inline void world_state(world_t *world, pid_t pid, int state)
{
    world->state[world_find(world, pid) - world->snapshot.processes] = state;
}

/* A request begins now, as core does it. */
static inline void world_begin(world_t *world, pid_t pid, int thread)
{
    amgr_slot_t *slot = world_slot(world, pid, thread);

    slot->mode = AMGR_MODE_WRITE;
    slot->start_time_us = world->snapshot.server.time.wall_us;
    slot->last_used_us = slot->start_time_us;
}

/* The request ends now. */
static inline void world_end(world_t *world, pid_t pid, int thread)
{
    amgr_slot_t *slot = world_slot(world, pid, thread);

    slot->mode = AMGR_MODE_READY;
    slot->stop_time_us = world->snapshot.server.time.wall_us;
    slot->last_used_us = slot->stop_time_us;
    slot->child_accesses++;
}

static inline void world_pass(world_t *world, apr_interval_time_t span_us)
{
    amgr_instant_t *now = &world->snapshot.server.time;

    now->mono_us += span_us;
    now->wall_us += span_us;
    now->boot_us += span_us;
}

/* The wall clock jumps. */
static inline void world_jump(world_t *world, apr_interval_time_t step_us)
{
    world->snapshot.server.time.wall_us += step_us;
}

/* Judge now, as a fresh collection would be. */
static inline int world_judge(world_t *world)
{
    amgr_snapshot_t *snapshot = &world->snapshot;
    int i;

    for (i = 0; i < snapshot->process_count; i++) {
        amgr_process_t *process = &snapshot->processes[i];

        process->age_us = snapshot->server.time.boot_us - world->born_us[i];
        process->started_us = snapshot->server.time.wall_us - process->age_us;
        process->state = world->state[i];
        process->verdict = AMGR_VERDICT_UNKNOWN;
        process->cause = AMGR_CAUSE_NONE;
    }
    for (i = 0; i < snapshot->slot_count; i++) {
        snapshot->slots[i].max_time_us =
            world->own_us[i] == 0 ? world->limits.max_time_us
                                  : world->own_us[i];
    }
    amgr_snapshot_complete(snapshot, world->scratch);
    world->count =
        amgr_judge(&world->limits, snapshot, world->ledger, world->can_signal,
                   world->decisions, snapshot->process_max);
    return world->count;
}

/* Time passes, then a tick; returns the number of decisions. */
static inline int world_tick(world_t *world, apr_interval_time_t span_us)
{
    world_pass(world, span_us);
    return world_judge(world);
}

/* The decision about a process, or NULL. */
static inline amgr_decision_t *world_decision(world_t *world, pid_t pid)
{
    int i;

    for (i = 0; i < world->count; i++) {
        amgr_decision_t *decision = &world->decisions[i];

        if (world->snapshot.processes[decision->process].id.pid == pid) {
            return decision;
        }
    }
    return NULL;
}

/* The cause of the decision about a process, -1 without one. */
static inline int world_cause(world_t *world, pid_t pid)
{
    const amgr_decision_t *decision = world_decision(world, pid);

    return decision == NULL || decision->follow_up ? -1 : decision->cause;
}

/* How many new decisions have this cause. */
static inline int world_causes(const world_t *world, int cause)
{
    int found = 0;
    int i;

    for (i = 0; i < world->count; i++) {
        found += world->decisions[i].cause == cause &&
                 !world->decisions[i].follow_up;
    }
    return found;
}

/* Carry out what was decided; returns how many are retired from now on. */
static inline int world_apply(world_t *world)
{
    int sent = 0;
    int i;

    for (i = 0; i < world->count; i++) {
        if (world->decisions[i].cause == AMGR_CAUSE_NONE) {
            amgr_judge_done(&world->snapshot, world->ledger,
                            &world->decisions[i], 1);
            sent += !world->decisions[i].follow_up;
        }
    }
    return sent;
}

#endif
