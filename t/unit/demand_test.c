/* SPDX-License-Identifier: Apache-2.0
 *
 * An order: whom it is about, what does not hold it back, and how a retirement
 * that was ordered goes on.
 */
#include "invented.h"

#include "policy/demand.h"

#define ROOM 16 /* of decisions */

static amgr_demand_t demand;

/* A server of so many idle workers of 10 MB each, from pid 100 on, and an
 * order without limits. */
static world_t *begin(int workers, int threads)
{
    world_t *world = world_create(ROOM, threads);

    world_natives(world, workers);
    world->snapshot.server.threaded = threads > 1;
    world->snapshot.server.async = threads > 1;
    amgr_demand_init(&demand);
    world_tick(world, SEC);
    return world;
}

/* Time passes, then a tick with the order; how many decisions it added. */
static int order(world_t *world, apr_interval_time_t span_us)
{
    int standing = world_tick(world, span_us);

    world->count =
        amgr_demand_judge(&demand, &world->limits, &world->snapshot,
                          world->ledger, world->decisions, standing, ROOM);
    return world->count - standing;
}

/* The order's decision about a process, or NULL. */
static const amgr_decision_t *ordered(world_t *world, pid_t pid)
{
    const amgr_decision_t *found = NULL;
    int i;

    for (i = 0; i < world->count; i++) {
        const amgr_decision_t *decision = &world->decisions[i];

        if (decision->demanded && !decision->follow_up &&
            world->snapshot.processes[decision->process].id.pid == pid) {
            assert_null(found); /* each process once */
            found = decision;
        }
    }
    return found;
}

static amgr_ledger_process_t *entry_of(world_t *world, pid_t pid)
{
    return amgr_ledger_find(world->ledger, &world_find(world, pid)->id);
}

static void without_limits_it_is_about_nobody(void **state)
{
    world_t *world = begin(3, 1);

    (void)state; /* cmocka's signature */
    world_begin(world, 100, 0);
    assert_int_equal(order(world, 100 * SEC), 0);
    world_destroy(world);
}

static void memory_is_strict(void **state)
{
    static const struct {
        int active;
        apr_int64_t active_limit;
        apr_int64_t idle_limit;
        int verdict; /* 0: none */
    } cases[] = {
        {0, AMGR_LIMIT_OFF, 10 * MB - 1, AMGR_VERDICT_MEMORY_IDLE},
        {0, AMGR_LIMIT_OFF, 10 * MB, 0},
        {0, 1, AMGR_LIMIT_OFF, 0},
        {0, 1, 1, AMGR_VERDICT_MEMORY_IDLE},
        {1, 10 * MB - 1, AMGR_LIMIT_OFF, AMGR_VERDICT_MEMORY_ACTIVE},
        {1, 10 * MB, AMGR_LIMIT_OFF, 0},
        {1, AMGR_LIMIT_OFF, 1, 0},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        world_t *world = begin(1, 8);

        if (cases[i].active) {
            world_slot(world, 100, 5)->mode = AMGR_MODE_KEEPALIVE;
        }
        demand.max_memory_active_bytes = cases[i].active_limit;
        demand.max_memory_idle_bytes = cases[i].idle_limit;
        assert_int_equal(order(world, SEC), cases[i].verdict != 0);
        if (cases[i].verdict != 0) {
            const amgr_decision_t *decision = ordered(world, 100);

            assert_int_equal(decision->verdict, cases[i].verdict);
            assert_int_equal(decision->cause, AMGR_CAUSE_NONE);
            assert_int_equal(decision->slot, -1);
            assert_int_equal(decision->measured, 10 * MB);
            assert_int_equal(decision->limit, cases[i].active
                                                  ? cases[i].active_limit
                                                  : cases[i].idle_limit);
            assert_int_equal(decision->step, AMGR_STEP_ANNOUNCE);
            assert_true(decision->announce);
        }
        world_destroy(world);
    }
}

/* The figure that a configuration judges may be another one. */
static void memory_is_the_resident_size(void **state)
{
    world_t *world = begin(1, 1);

    (void)state; /* cmocka's signature */
    world->limits.metric = AMGR_METRIC_PSS;
    world_find(world, 100)->pss_bytes = (apr_uint64_t)MB;
    demand.max_memory_idle_bytes = 5 * MB;
    assert_int_equal(order(world, SEC), 1);
    assert_int_equal(ordered(world, 100)->measured, 10 * MB);
    world_destroy(world);
}

static void time_is_strict_and_the_oldest_decides(void **state)
{
    world_t *world = begin(2, 4);

    (void)state; /* cmocka's signature */
    demand.max_time_us = 5 * SEC;
    world_begin(world, 100, 2);
    world_pass(world, SEC);
    world_begin(world, 100, 1);
    world_begin(world, 101, 0);
    assert_int_equal(order(world, 4 * SEC), 0);
    assert_int_equal(order(world, SEC), 1);
    assert_int_equal(ordered(world, 100)->verdict, AMGR_VERDICT_TIME);
    assert_int_equal(ordered(world, 100)->measured, 6 * SEC);
    assert_int_equal(ordered(world, 100)->limit, 5 * SEC);
    assert_int_equal(ordered(world, 100)->requests, 2);
    assert_int_equal(ordered(world, 100)->slot,
                     world_slot(world, 100, 2) - world->snapshot.slots);
    world_destroy(world);
}

/* A request of HTTP/2, which no slot times. */
static void streams_have_ages_too(void **state)
{
    world_t *world = begin(2, 4);
    amgr_process_t *process = world_find(world, 101);
    amgr_stream_t *stream = &world->snapshot.streams[0];
    int slot = (int)(world_slot(world, 101, 3) - world->snapshot.slots);

    (void)state; /* cmocka's signature */
    process->first_stream = 0;
    process->stream_count = 1;
    world->snapshot.stream_count = 1;
    memset(stream, 0, sizeof(*stream));
    stream->slot = slot;
    stream->request_age_us = 6 * SEC;
    stream->max_time_us = AMGR_LIMIT_OFF;
    demand.max_time_us = 5 * SEC;
    world->count = amgr_demand_judge(&demand, &world->limits, &world->snapshot,
                                     world->ledger, world->decisions, 0, ROOM);
    assert_int_equal(world->count, 1);
    assert_int_equal(ordered(world, 101)->slot, slot);
    assert_int_equal(ordered(world, 101)->measured, 6 * SEC);
    world_destroy(world);
}

static void memory_goes_before_time(void **state)
{
    world_t *world = begin(1, 1);

    (void)state; /* cmocka's signature */
    world_begin(world, 100, 0);
    demand.max_time_us = SEC;
    demand.max_memory_active_bytes = MB;
    assert_int_equal(order(world, 10 * SEC), 1);
    assert_int_equal(ordered(world, 100)->verdict, AMGR_VERDICT_MEMORY_ACTIVE);
    /* And yet nothing is in flight but what is over its time. */
    assert_int_equal(ordered(world, 100)->step, AMGR_STEP_KILL);
    world_destroy(world);
}

static void the_number_is_bounded_in_order_of_pid(void **state)
{
    static const struct {
        int max_kills;
        int expected;
    } cases[] = {{0, 4}, {-1, 4}, {1, 1}, {2, 2}, {4, 4}, {100, 4}};
    size_t i;
    int k;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        world_t *world = begin(5, 1);

        world_find(world, 100)->rss_bytes = 0;
        /* Who is furthest over does not go first. */
        world_find(world, 104)->rss_bytes = (apr_uint64_t)(90 * MB);
        demand.max_memory_idle_bytes = MB;
        demand.max_kills = cases[i].max_kills;
        assert_int_equal(order(world, SEC), cases[i].expected);
        for (k = 0; k < 4; k++) {
            assert_int_equal(ordered(world, 101 + k) != NULL,
                             k < cases[i].expected);
        }
        world_destroy(world);
    }
}

static void what_may_be_touched_and_what_never(void **state)
{
    world_t *world = begin(1, 1);

    (void)state; /* cmocka's signature */
    world_add(world, 200, AMGR_ROLE_WSGI, "example");
    world_add(world, 201, AMGR_ROLE_DAEMON, "daemon");
    world_add(world, 202, AMGR_ROLE_HELPER, "helper");
    world_add(world, 203, AMGR_ROLE_PROGRAM, "program");
    world->limits.section_count = 1;
    world->limits.sections[0].role = AMGR_ROLE_DAEMON;
    strcpy(world->limits.sections[0].name, "daemon");
    world->limits.sections[0].max_memory_active_bytes = AMGR_LIMIT_OFF;
    demand.max_memory_idle_bytes = 1;
    demand.max_time_us = 1;
    assert_int_equal(order(world, SEC), 1);
    assert_non_null(ordered(world, 100));
    demand.max_memory_active_bytes = 1;
    assert_int_equal(order(world, SEC), 2);
    assert_int_equal(ordered(world, 200)->verdict, AMGR_VERDICT_MEMORY_ACTIVE);
    assert_int_equal(ordered(world, 200)->step, AMGR_STEP_ASK);
    assert_int_equal(ordered(world, 200)->requests, -1);
    assert_int_equal(ordered(world, 100)->requests, 0);
    world_destroy(world);
}

static void unknown_figures_are_never_over(void **state)
{
    world_t *world = begin(2, 1);

    (void)state; /* cmocka's signature */
    world_find(world, 100)->rss_bytes = AMGR_UNKNOWN;
    world_find(world, 101)->rss_bytes = AMGR_UNKNOWN;
    world_begin(world, 100, 0);
    world_slot(world, 100, 0)->paused = 1;
    world_slot(world, 101, 0)->mode = AMGR_MODE_KEEPALIVE;
    demand.max_memory_idle_bytes = 1;
    demand.max_memory_active_bytes = 1;
    demand.max_time_us = 1;
    assert_int_equal(order(world, 10 * SEC), 0);
    world_destroy(world);
}

/* Everything that protects a standing configuration, at its strictest. */
static void no_safety_rule_holds_it_back(void **state)
{
    world_t *world = begin(2, 1);

    (void)state; /* cmocka's signature */
    world->limits.min_age_us = 7200 * SEC;
    world->limits.strikes = 100;
    world->limits.min_serving = 2;
    world->limits.max_retiring.value = 1;
    world->limits.max_memory_idle_bytes = MB;
    world->snapshot.server.max_processes = 2;
    world->ledger->storm_open_mono_us = world->snapshot.server.time.mono_us;
    world->can_signal = 0; /* trying tells */
    demand.max_memory_idle_bytes = MB;
    assert_int_equal(order(world, SEC), 2);
    assert_int_equal(world->count, 4);
    assert_int_equal(ordered(world, 100)->cause, AMGR_CAUSE_NONE);
    assert_int_equal(ordered(world, 101)->cause, AMGR_CAUSE_NONE);
    assert_int_equal(world_apply(world), 2);
    assert_int_equal(world_find(world, 101)->state, AMGR_STATE_RETIRING);
    world_destroy(world);
}

static void who_is_going_already_is_left_out(void **state)
{
    world_t *world = begin(4, 1);

    (void)state; /* cmocka's signature */
    world->limits.max_memory_idle_bytes = 20 * MB;
    world_find(world, 102)->rss_bytes = (apr_uint64_t)(30 * MB);
    demand.max_memory_idle_bytes = MB;
    demand.max_kills = 2;
    /* One that the standing judgement takes in the same tick. */
    assert_int_equal(order(world, SEC), 2);
    assert_int_equal(world->count, 3);
    assert_null(ordered(world, 102));
    assert_non_null(ordered(world, 100));
    assert_non_null(ordered(world, 101));
    assert_int_equal(world_apply(world), 3);
    demand.max_kills = 0;
    assert_int_equal(order(world, SEC), 1);
    assert_non_null(ordered(world, 103));
    world_apply(world);
    assert_int_equal(order(world, SEC), 0);
    world_destroy(world);
}

static void a_dry_run_decides_alone(void **state)
{
    world_t *world = begin(3, 1);

    (void)state; /* cmocka's signature */
    demand.max_memory_idle_bytes = MB;
    demand.dry_run = 1;
    demand.max_kills = 2;
    assert_int_equal(order(world, SEC), 2);
    assert_int_equal(ordered(world, 100)->cause, AMGR_CAUSE_DRY_RUN);
    assert_int_equal(ordered(world, 100)->step, AMGR_STEP_NONE);
    assert_true(ordered(world, 100)->announce);
    assert_int_equal(world_apply(world), 0);
    assert_int_equal(entry_of(world, 100)->retired_mono_us, 0);
    /* It is told again, as whoever ordered it again wants to know. */
    assert_int_equal(order(world, SEC), 2);
    assert_true(ordered(world, 100)->announce);
    world_destroy(world);
}

/* A tool that sees the server from outside has no ledger. */
static void a_ledger_is_not_needed(void **state)
{
    world_t *world = begin(3, 1);
    amgr_snapshot_t *snapshot = &world->snapshot;
    amgr_decision_t decisions[ROOM];

    (void)state; /* cmocka's signature */
    world_begin(world, 101, 0);
    world_tick(world, 10 * SEC);
    /* Limits of requests that nobody filled in are no limits. */
    world_slot(world, 101, 0)->max_time_us = 0;
    world_find(world, 102)->state = AMGR_STATE_RETIRING;
    demand.max_memory_idle_bytes = MB;
    assert_int_equal(amgr_demand_judge(&demand, &world->limits, snapshot, NULL,
                                       decisions, 0, ROOM),
                     1);
    assert_int_equal(decisions[0].process, 0);
    assert_int_equal(decisions[0].step, AMGR_STEP_ASK);
    demand.max_memory_active_bytes = MB;
    assert_int_equal(amgr_demand_judge(&demand, &world->limits, snapshot, NULL,
                                       decisions, 0, ROOM),
                     2);
    assert_int_equal(decisions[1].process, 1);
    assert_int_equal(decisions[1].step, AMGR_STEP_ANNOUNCE);
    world_destroy(world);
}

static void there_may_be_less_room_than_it_takes(void **state)
{
    world_t *world = begin(4, 1);
    amgr_decision_t decisions[3];

    (void)state; /* cmocka's signature */
    memset(decisions, 0, sizeof(decisions));
    decisions[2].measured = 4711;
    demand.max_memory_idle_bytes = MB;
    assert_int_equal(amgr_demand_judge(&demand, &world->limits,
                                       &world->snapshot, world->ledger,
                                       decisions, 0, 2),
                     2);
    assert_int_equal(decisions[2].measured, 4711);
    assert_int_equal(amgr_demand_judge(&demand, &world->limits,
                                       &world->snapshot, world->ledger,
                                       decisions, 2, 2),
                     2);
    world_destroy(world);
}

/* Asked, it would be forgotten. */
static void one_without_an_entry_is_left_out(void **state)
{
    world_t *world = begin(2, 1);

    (void)state; /* cmocka's signature */
    world_find(world, 101)->id.start_ticks = 0;
    demand.max_memory_idle_bytes = MB;
    assert_int_equal(order(world, SEC), 1);
    assert_non_null(ordered(world, 100));
    world_destroy(world);
}

static void what_is_ordered_goes_on_in_a_dry_run(void **state)
{
    world_t *world = begin(2, 1);

    (void)state; /* cmocka's signature */
    world->limits.dry_run = 1;
    world->limits.grace_us = 30 * SEC;
    world->limits.hard_memory_bytes = 20 * MB;
    world_begin(world, 100, 0);
    demand.max_memory_active_bytes = MB;
    assert_int_equal(order(world, SEC), 1);
    assert_int_equal(ordered(world, 100)->step, AMGR_STEP_ANNOUNCE);
    world_apply(world);
    assert_int_equal(world_tick(world, 2 * SEC), 1);
    assert_true(world->decisions[0].demanded);
    assert_true(world->decisions[0].follow_up);
    assert_int_equal(world->decisions[0].step, AMGR_STEP_ASK);
    world_apply(world);
    /* What the configuration would not wait for, it does not do. */
    world_find(world, 100)->rss_bytes = (apr_uint64_t)(30 * MB);
    assert_int_equal(world_tick(world, SEC), 0);
    assert_int_equal(world_tick(world, 30 * SEC), 1);
    assert_int_equal(world->decisions[0].step, AMGR_STEP_KILL);
    assert_true(world->decisions[0].demanded);
    world_destroy(world);
}

static void what_hangs_is_killed_at_once(void **state)
{
    world_t *world = begin(2, 1);

    (void)state; /* cmocka's signature */
    world_begin(world, 100, 0);
    demand.max_time_us = 2 * SEC;
    assert_int_equal(order(world, 3 * SEC), 1);
    assert_int_equal(ordered(world, 100)->step, AMGR_STEP_KILL);
    world_destroy(world);
}

/* Its other threads may take a request: it is asked first, and not waited for
 * once it has heard, by the limit of the order. */
static void what_hangs_on_event_gets_no_grace(void **state)
{
    world_t *world = begin(2, 4);

    (void)state; /* cmocka's signature */
    world_begin(world, 100, 0);
    demand.max_time_us = 2 * SEC;
    assert_int_equal(order(world, 3 * SEC), 1);
    assert_int_equal(ordered(world, 100)->step, AMGR_STEP_ASK);
    world_apply(world);
    world_state(world, 100, AMGR_STATE_STOPPING);
    assert_int_equal(world_tick(world, SEC), 1);
    assert_int_equal(world->decisions[0].step, AMGR_STEP_KILL);
    world_destroy(world);
}

/* The limit of the configuration, under which a request would be lost, is not
 * that of an order about memory alone. */
static void other_limits_are_not_the_orders(void **state)
{
    world_t *world = begin(2, 1);

    (void)state; /* cmocka's signature */
    world->limits.dry_run = 1;
    world->limits.max_time_us = SEC;
    world_begin(world, 100, 0);
    demand.max_memory_active_bytes = MB;
    assert_int_equal(order(world, 5 * SEC), 1);
    assert_int_equal(ordered(world, 100)->step, AMGR_STEP_ANNOUNCE);
    world_apply(world);
    assert_int_equal(world_tick(world, 2 * SEC), 1);
    assert_int_equal(world->decisions[0].step, AMGR_STEP_ASK);
    world_destroy(world);
}

static void what_failed_is_tried_again_by_order(void **state)
{
    world_t *world = begin(1, 1);

    (void)state; /* cmocka's signature */
    world->limits.max_memory_idle_bytes = MB;
    world->limits.min_serving = 0;
    demand.max_memory_idle_bytes = MB;
    world_tick(world, SEC);
    amgr_judge_done(&world->snapshot, world->ledger, &world->decisions[0], 0);
    assert_true(entry_of(world, 100)->failed);
    world_tick(world, SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NO_RIGHTS);
    assert_int_equal(order(world, SEC), 1);
    amgr_judge_done(&world->snapshot, world->ledger, ordered(world, 100), 0);
    assert_true(entry_of(world, 100)->failed);
    assert_false(entry_of(world, 100)->demanded);
    assert_int_equal(order(world, SEC), 1);
    amgr_judge_done(&world->snapshot, world->ledger, ordered(world, 100), 1);
    assert_false(entry_of(world, 100)->failed);
    assert_true(entry_of(world, 100)->demanded);
    world_destroy(world);
}

static void the_storm_breaker_does_not_count_it(void **state)
{
    world_t *world = begin(8, 1);

    (void)state; /* cmocka's signature */
    world->limits.storm_count = 2;
    world->limits.storm_window_us = 60 * SEC;
    world->limits.max_memory_idle_bytes = 20 * MB;
    demand.max_memory_idle_bytes = MB;
    assert_int_equal(order(world, SEC), 8);
    assert_int_equal(world_apply(world), 8);
    assert_int_equal(world->ledger->storm_count, 0);
    world_destroy(world);
}

static void it_is_under_way_until_all_are_gone(void **state)
{
    world_t *world = begin(2, 1);

    (void)state; /* cmocka's signature */
    world->limits.max_memory_idle_bytes = 20 * MB;
    world_find(world, 101)->rss_bytes = (apr_uint64_t)(30 * MB);
    world_tick(world, SEC);
    assert_int_equal(world_apply(world), 1); /* by the configuration */
    assert_false(amgr_demand_is_under_way(world->ledger,
                                          world->snapshot.server.time.mono_us));
    demand.max_memory_idle_bytes = MB;
    assert_int_equal(order(world, SEC), 1);
    assert_false(amgr_demand_is_under_way(world->ledger,
                                          world->snapshot.server.time.mono_us));
    world_apply(world);
    assert_true(amgr_demand_is_under_way(world->ledger,
                                         world->snapshot.server.time.mono_us));
    entry_of(world, 100)->step = AMGR_STEP_KILL;
    assert_true(amgr_demand_is_under_way(
        world->ledger, world->snapshot.server.time.mono_us + 14 * SEC));
    assert_false(amgr_demand_is_under_way(
        world->ledger, world->snapshot.server.time.mono_us + 15 * SEC));
    entry_of(world, 100)->step = AMGR_STEP_ASK;
    world_remove(world, 100);
    world_tick(world, SEC);
    assert_false(amgr_demand_is_under_way(world->ledger,
                                          world->snapshot.server.time.mono_us));
    world_destroy(world);
}

/* Strikes are of ticks that were due. */
static void an_order_is_no_strike(void **state)
{
    world_t *world = begin(4, 1);

    (void)state; /* cmocka's signature */
    world->limits.strikes = 2;
    world->limits.max_memory_idle_bytes = 20 * MB;
    world_find(world, 100)->rss_bytes = (apr_uint64_t)(30 * MB);
    demand.max_time_us = SEC;
    world->snapshot.out_of_turn = 1;
    order(world, SEC);
    order(world, SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_STRIKES);
    assert_int_equal(entry_of(world, 100)->strikes, 0);
    world->snapshot.out_of_turn = 0;
    world_tick(world, SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_STRIKES);
    world_tick(world, SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NONE);
    world_destroy(world);
}

/* The same for the sum over all. */
static void an_order_is_no_strike_of_the_sum(void **state)
{
    world_t *world = begin(2, 1);

    (void)state; /* cmocka's signature */
    world->limits.max_memory_total_bytes = MB;
    world_find(world, 100)->anon_bytes = (apr_uint64_t)(10 * MB);
    world_find(world, 101)->anon_bytes = (apr_uint64_t)(10 * MB);
    world->snapshot.out_of_turn = 1;
    order(world, SEC);
    assert_int_equal(world->ledger->total_strikes, 0);
    world->snapshot.out_of_turn = 0;
    world_tick(world, SEC);
    assert_int_equal(world->ledger->total_strikes, 1);
    world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_limits_it_is_about_nobody),
        cmocka_unit_test(memory_is_strict),
        cmocka_unit_test(memory_is_the_resident_size),
        cmocka_unit_test(time_is_strict_and_the_oldest_decides),
        cmocka_unit_test(streams_have_ages_too),
        cmocka_unit_test(memory_goes_before_time),
        cmocka_unit_test(the_number_is_bounded_in_order_of_pid),
        cmocka_unit_test(what_may_be_touched_and_what_never),
        cmocka_unit_test(unknown_figures_are_never_over),
        cmocka_unit_test(no_safety_rule_holds_it_back),
        cmocka_unit_test(who_is_going_already_is_left_out),
        cmocka_unit_test(a_dry_run_decides_alone),
        cmocka_unit_test(a_ledger_is_not_needed),
        cmocka_unit_test(there_may_be_less_room_than_it_takes),
        cmocka_unit_test(one_without_an_entry_is_left_out),
        cmocka_unit_test(what_is_ordered_goes_on_in_a_dry_run),
        cmocka_unit_test(what_hangs_is_killed_at_once),
        cmocka_unit_test(what_hangs_on_event_gets_no_grace),
        cmocka_unit_test(other_limits_are_not_the_orders),
        cmocka_unit_test(what_failed_is_tried_again_by_order),
        cmocka_unit_test(the_storm_breaker_does_not_count_it),
        cmocka_unit_test(it_is_under_way_until_all_are_gone),
        cmocka_unit_test(an_order_is_no_strike),
        cmocka_unit_test(an_order_is_no_strike_of_the_sum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
