/* SPDX-License-Identifier: Apache-2.0
 *
 * The verdicts: which limit applies to whom, at the exact boundary, and that
 * each process is decided once.  Ages, safety rules and the storm breaker have
 * tests of their own.
 */
#include "invented.h"

static void no_limit_no_decision(void **state)
{
    world_t *world = world_create(8, 2);

    (void)state; /* cmocka's signature */
    world_natives(world, 2);
    world_add(world, 200, AMGR_ROLE_WSGI, "example");
    world_add(world, 201, AMGR_ROLE_DAEMON, "daemon");
    world_find(world, 101)->rss_bytes = AMGR_UNKNOWN;
    world_begin(world, 100, 0);
    assert_int_equal(world_tick(world, 1000 * SEC), 0);
    assert_int_equal(world_find(world, 100)->verdict, AMGR_VERDICT_OK);
    assert_int_equal(world_find(world, 101)->verdict, AMGR_VERDICT_UNKNOWN);
    assert_int_equal(world_find(world, 200)->verdict, AMGR_VERDICT_OK);
    assert_int_equal(world_find(world, 201)->verdict, AMGR_VERDICT_EXEMPT);
    world_destroy(world);
}

/* One process of 10 MB against both memory limits. */
static void memory_limits_are_strict(void **state)
{
    static const struct {
        int active;
        apr_int64_t active_limit;
        apr_int64_t idle_limit;
        int verdict;
    } cases[] = {
        {0, AMGR_LIMIT_OFF, 10 * MB - 1, AMGR_VERDICT_MEMORY_IDLE},
        {0, AMGR_LIMIT_OFF, 10 * MB, AMGR_VERDICT_OK},
        {0, 1, AMGR_LIMIT_OFF, AMGR_VERDICT_OK},
        {0, 1, 10 * MB + 1, AMGR_VERDICT_OK},
        {1, 10 * MB - 1, AMGR_LIMIT_OFF, AMGR_VERDICT_MEMORY_ACTIVE},
        {1, 10 * MB, AMGR_LIMIT_OFF, AMGR_VERDICT_OK},
        {1, AMGR_LIMIT_OFF, 1, AMGR_VERDICT_OK},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        world_t *world = world_create(4, 25);

        world_natives(world, 2);
        world_find(world, 101)->rss_bytes = 0;
        /* One busy thread among 25 makes the process active. */
        if (cases[i].active) {
            world_slot(world, 100, 17)->mode = AMGR_MODE_KEEPALIVE;
        }
        world->limits.max_memory_active_bytes = cases[i].active_limit;
        world->limits.max_memory_idle_bytes = cases[i].idle_limit;
        world_tick(world, 10 * SEC);
        assert_int_equal(world_find(world, 100)->verdict, cases[i].verdict);
        assert_int_equal(world_find(world, 101)->verdict, AMGR_VERDICT_OK);
        assert_int_equal(world->count, cases[i].verdict != AMGR_VERDICT_OK);
        if (world->count == 1) {
            const amgr_decision_t *decision = &world->decisions[0];

            assert_int_equal(decision->verdict, cases[i].verdict);
            assert_int_equal(decision->cause, AMGR_CAUSE_NONE);
            assert_true(decision->announce);
            assert_int_equal(decision->slot, -1);
            assert_int_equal(decision->process, 0);
            assert_int_equal(decision->measured, 10 * MB);
            assert_int_equal(decision->limit, 10 * MB - 1);
        }
        world_destroy(world);
    }
}

static void time_is_strict_and_hanging_inclusive(void **state)
{
    static const struct {
        apr_interval_time_t age_us;
        int over;
        int hanging;
    } cases[] = {
        {20 * SEC - 1, 0, 0},
        {20 * SEC, 0, 1},
        {20 * SEC + 1, 1, 1},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        world_t *world = world_create(4, 25);

        world_natives(world, 2);
        world->limits.max_time_us = 20 * SEC;
        world->limits.hanging_us = 20 * SEC;
        world_tick(world, SEC);
        world_begin(world, 101, 13);
        world_tick(world, cases[i].age_us);
        assert_int_equal(world->snapshot.hanging, cases[i].hanging);
        assert_int_equal(world->count, cases[i].over);
        if (cases[i].over) {
            const amgr_decision_t *decision = &world->decisions[0];

            assert_int_equal(decision->verdict, AMGR_VERDICT_TIME);
            assert_int_equal(decision->slot, world_slot(world, 101, 13) -
                                                 world->snapshot.slots);
            assert_int_equal(decision->measured, cases[i].age_us);
            assert_int_equal(decision->limit, 20 * SEC);
            assert_int_equal(decision->requests, 1);
        }
        world_destroy(world);
    }
}

static void longest_request_decides_and_all_are_counted(void **state)
{
    world_t *world = world_create(4, 8);

    (void)state; /* cmocka's signature */
    world_natives(world, 2);
    world->limits.max_time_us = 5 * SEC;
    world_tick(world, SEC);
    world_begin(world, 100, 1);
    world_tick(world, SEC);
    world_begin(world, 100, 0);
    world_begin(world, 100, 5);
    world_slot(world, 100, 2)->mode = AMGR_MODE_READ;
    world_slot(world, 100, 3)->mode = AMGR_MODE_KEEPALIVE;
    world_slot(world, 100, 4)->mode = AMGR_MODE_CLOSING;
    /* Marked as finishing: with a request, and without one. */
    world_begin(world, 100, 6);
    world_slot(world, 100, 6)->mode = AMGR_MODE_GRACEFUL;
    world_slot(world, 100, 7)->mode = AMGR_MODE_GRACEFUL;
    assert_int_equal(world_tick(world, 10 * SEC), 1);
    assert_int_equal(world->decisions[0].slot, 1);
    assert_int_equal(world->decisions[0].measured, 11 * SEC);
    assert_int_equal(world->decisions[0].requests, 5);
    world_destroy(world);
}

static void memory_goes_before_time(void **state)
{
    world_t *world = world_create(4, 2);

    (void)state; /* cmocka's signature */
    world_natives(world, 2);
    world->limits.max_time_us = SEC;
    world->limits.max_memory_active_bytes = 5 * MB;
    world_tick(world, SEC);
    world_begin(world, 100, 0);
    assert_int_equal(world_tick(world, 10 * SEC), 1);
    assert_int_equal(world->decisions[0].verdict, AMGR_VERDICT_MEMORY_ACTIVE);
    world_destroy(world);
}

static void foreign_roles(void **state)
{
    world_t *world = world_create(8, 1);

    (void)state; /* cmocka's signature */
    world_natives(world, 1);
    world_find(world, 100)->rss_bytes = 0;
    world_add(world, 200, AMGR_ROLE_WSGI, "example");
    world_add(world, 201, AMGR_ROLE_DAEMON, "daemon");
    world_add(world, 202, AMGR_ROLE_HELPER, "helper");
    world_add(world, 203, AMGR_ROLE_PROGRAM, "program");
    world->limits.max_memory_idle_bytes = 1;
    assert_int_equal(world_tick(world, 10 * SEC), 0);
    assert_int_equal(world_find(world, 200)->verdict, AMGR_VERDICT_OK);
    world->limits.max_memory_active_bytes = 1;
    assert_int_equal(world_tick(world, 10 * SEC), 1);
    assert_int_equal(world_cause(world, 200), AMGR_CAUSE_NONE);
    assert_int_equal(world_decision(world, 200)->verdict,
                     AMGR_VERDICT_MEMORY_ACTIVE);
    assert_int_equal(world_decision(world, 200)->requests, -1);
    assert_int_equal(world_find(world, 201)->verdict, AMGR_VERDICT_EXEMPT);
    assert_int_equal(world_find(world, 202)->verdict, AMGR_VERDICT_EXEMPT);
    assert_int_equal(world_find(world, 203)->verdict, AMGR_VERDICT_EXEMPT);
    world_destroy(world);
}

/* Limits at 20 MB; what the metric says and what RSS says. */
static void unknown_figures_are_never_over(void **state)
{
    static const struct {
        int metric;
        apr_uint64_t figure;
        apr_uint64_t rss;
        int verdict;
    } cases[] = {
        {AMGR_METRIC_PSS, AMGR_UNKNOWN, 30 * MB, AMGR_VERDICT_UNKNOWN},
        {AMGR_METRIC_PSS, AMGR_UNKNOWN, 20 * MB, AMGR_VERDICT_OK},
        {AMGR_METRIC_PSS, AMGR_UNKNOWN, AMGR_UNKNOWN, AMGR_VERDICT_UNKNOWN},
        {AMGR_METRIC_PSS, 19 * MB, 30 * MB, AMGR_VERDICT_OK},
        {AMGR_METRIC_PSS, 21 * MB, 30 * MB, AMGR_VERDICT_MEMORY_IDLE},
        {AMGR_METRIC_USS, 21 * MB, 30 * MB, AMGR_VERDICT_MEMORY_IDLE},
        {AMGR_METRIC_ANON, 21 * MB, 30 * MB, AMGR_VERDICT_MEMORY_IDLE},
        {AMGR_METRIC_RSS, 0, AMGR_UNKNOWN, AMGR_VERDICT_UNKNOWN},
        {99, 0, 30 * MB, AMGR_VERDICT_UNKNOWN},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        world_t *world = world_create(2, 1);
        amgr_process_t *process;

        world_natives(world, 1);
        process = world_find(world, 100);
        process->rss_bytes = cases[i].rss;
        process->anon_bytes = AMGR_UNKNOWN;
        if (cases[i].metric == AMGR_METRIC_PSS) {
            process->pss_bytes = cases[i].figure;
        }
        else if (cases[i].metric == AMGR_METRIC_USS) {
            process->uss_bytes = cases[i].figure;
        }
        else {
            process->anon_bytes = cases[i].figure;
        }
        world->limits.metric = cases[i].metric;
        world->limits.max_memory_idle_bytes = 20 * MB;
        world_tick(world, 10 * SEC);
        assert_int_equal(process->verdict, cases[i].verdict);
        assert_int_equal(world->count,
                         cases[i].verdict == AMGR_VERDICT_MEMORY_IDLE);
        world_destroy(world);
    }
}

static void dearer_figures_are_for_candidates(void **state)
{
    amgr_process_t process = {.role = AMGR_ROLE_WORKER, .accesses = 1};
    amgr_limits_t limits;

    (void)state; /* cmocka's signature */
    amgr_limits_init(&limits);
    limits.metric = AMGR_METRIC_PSS;
    process.rss_bytes = 100;
    assert_false(amgr_measure_is_needed(&limits, &process));
    limits.max_memory_idle_bytes = 100;
    assert_false(amgr_measure_is_needed(&limits, &process));
    limits.max_memory_idle_bytes = 99;
    assert_true(amgr_measure_is_needed(&limits, &process));
    process.active = 1;
    assert_false(amgr_measure_is_needed(&limits, &process));
    limits.max_memory_active_bytes = 99;
    assert_true(amgr_measure_is_needed(&limits, &process));
    process.role = AMGR_ROLE_DAEMON;
    assert_false(amgr_measure_is_needed(&limits, &process));
    process.role = AMGR_ROLE_WSGI;
    assert_true(amgr_measure_is_needed(&limits, &process));
    limits.metric = AMGR_METRIC_RSS;
    assert_false(amgr_measure_is_needed(&limits, &process));
    /* a fresh child, for the sake of the other limit */
    limits.metric = AMGR_METRIC_PSS;
    limits.max_memory_idle_bytes = AMGR_LIMIT_OFF;
    process.role = AMGR_ROLE_WORKER;
    process.active = 0;
    assert_false(amgr_measure_is_needed(&limits, &process));
    process.accesses = 0;
    assert_true(amgr_measure_is_needed(&limits, &process));
    process.rss_bytes = AMGR_UNKNOWN;
    assert_false(amgr_measure_is_needed(&limits, &process));
}

static void each_process_is_retired_once(void **state)
{
    world_t *world = world_create(20, 1);
    int tick;
    int sent = 0;

    (void)state; /* cmocka's signature */
    world_natives(world, 10);
    world->limits.max_memory_idle_bytes = 10 * MB;
    world_find(world, 104)->rss_bytes = (apr_uint64_t)(11 * MB);
    for (tick = 0; tick < 5; tick++) {
        world_tick(world, 10 * SEC);
        assert_int_equal(world_causes(world, AMGR_CAUSE_NONE), tick == 0);
        assert_int_equal(world_find(world, 104)->verdict,
                         AMGR_VERDICT_MEMORY_IDLE);
        sent += world_apply(world);
        assert_int_equal(world_find(world, 104)->state, AMGR_STATE_RETIRING);
    }
    assert_int_equal(sent, 1);
    /* Another process of the same pid is another process. */
    world_find(world, 104)->id.start_ticks++;
    world_tick(world, 10 * SEC);
    assert_int_equal(world_cause(world, 104), AMGR_CAUSE_NONE);
    assert_int_equal(world_find(world, 104)->state, AMGR_STATE_SERVING);
    world_destroy(world);
}

static void retiring_at_instant_zero_is_remembered(void **state)
{
    world_t *world = world_create(4, 1);

    (void)state; /* cmocka's signature */
    world_natives(world, 2);
    world->snapshot.server.time.mono_us = 0;
    world->limits.max_memory_idle_bytes = MB;
    world_judge(world);
    assert_int_equal(world_apply(world), 1);
    world_judge(world);
    assert_int_equal(world_find(world, 100)->state, AMGR_STATE_RETIRING);
    assert_int_equal(world_cause(world, 100), -1);
    world_destroy(world);
}

static void decisions_stand_in_order_and_fit(void **state)
{
    world_t *world = world_create(8, 1);
    int count;
    int i;

    (void)state; /* cmocka's signature */
    world_natives(world, 6);
    world->limits.max_memory_idle_bytes = MB;
    for (i = 0; i < 6; i++) {
        world_find(world, 100 + i)->rss_bytes =
            (apr_uint64_t)((i * 7 % 6 + 2) * MB);
    }
    assert_int_equal(world_tick(world, 10 * SEC), 6);
    for (i = 0; i < 6; i++) {
        assert_int_equal(world->decisions[i].process, i);
    }
    world->decisions[2].process = -7;
    count = amgr_judge(&world->limits, &world->snapshot, world->ledger, 1,
                       world->decisions, 2);
    assert_int_equal(count, 2);
    assert_int_equal(world->decisions[2].process, -7);
    assert_int_equal(world_find(world, 105)->verdict, AMGR_VERDICT_MEMORY_IDLE);
    assert_int_equal(world_find(world, 105)->cause, AMGR_CAUSE_MAX_RETIRING);
    world_destroy(world);
}

static void done_is_only_for_what_was_granted(void **state)
{
    world_t *world = world_create(4, 1);
    amgr_decision_t decision;

    (void)state; /* cmocka's signature */
    world_natives(world, 2);
    world->limits.max_memory_idle_bytes = MB;
    world->limits.dry_run = 1;
    world_tick(world, 10 * SEC);
    decision = world->decisions[0];
    assert_int_equal(decision.cause, AMGR_CAUSE_DRY_RUN);
    amgr_judge_done(&world->snapshot, world->ledger, &decision, 1);
    decision.cause = AMGR_CAUSE_NONE;
    decision.process = 2;
    amgr_judge_done(&world->snapshot, world->ledger, &decision, 1);
    decision.process = -1;
    amgr_judge_done(&world->snapshot, world->ledger, &decision, 1);
    assert_int_equal(world_find(world, 100)->state, AMGR_STATE_SERVING);
    assert_int_equal(world->ledger->storm_count, 0);
    world_destroy(world);
}

/* No request has an age, so none can be known not to hang. */
static void hanging_is_unknown_without_ages(void **state)
{
    world_t *world = world_create(4, 25);

    (void)state; /* cmocka's signature */
    world_natives(world, 2);
    world->limits.hanging_us = SEC;
    world_tick(world, SEC);
    world_begin(world, 101, 13);
    world_tick(world, 2 * SEC);
    assert_int_equal(world->snapshot.hanging, 1);
    world->snapshot.server.extended = 0;
    world_tick(world, SEC);
    assert_int_equal(world->snapshot.hanging, -1);
    world->snapshot.server.extended = 1;
    world_tick(world, SEC);
    assert_int_equal(world->snapshot.hanging, 1);
    world_destroy(world);
}

/* What it does is told by its row alone; once all its threads have ended it
 * does nothing. */
static void requests_without_a_row_are_unknown(void **state)
{
    static const struct {
        int threaded;
        int role;
        apr_int32_t threads;
        int requests;
    } cases[] = {
        {1, AMGR_ROLE_WORKER, 9, -1}, {1, AMGR_ROLE_WORKER, 0, -1},
        {1, AMGR_ROLE_WORKER, 1, 0},  {0, AMGR_ROLE_WORKER, 1, -1},
        {1, AMGR_ROLE_WSGI, 9, -1},   {0, AMGR_ROLE_WSGI, 1, -1},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        world_t *world = world_create(4, 4);
        amgr_process_t *process;

        world_natives(world, 2);
        process = world_add(world, 200, cases[i].role, "example");
        process->threads = cases[i].threads;
        world->snapshot.server.threaded = cases[i].threaded;
        world->limits.hard_memory_bytes = 5 * MB;
        world_begin(world, 100, 2);
        world_tick(world, 10 * SEC);
        assert_int_equal(world_decision(world, 100)->requests, 1);
        assert_int_equal(world_decision(world, 101)->requests, 0);
        assert_int_equal(world_decision(world, 200)->verdict,
                         AMGR_VERDICT_MEMORY_HARD);
        assert_int_equal(world_decision(world, 200)->requests,
                         cases[i].requests);
        world_destroy(world);
    }
}

static void nothing_at_all_is_judged(void **state)
{
    world_t *world = world_create(1, 1);

    (void)state; /* cmocka's signature */
    world->limits.max_memory_idle_bytes = 1;
    assert_int_equal(world_tick(world, SEC), 0);
    assert_int_equal(world->snapshot.hanging, 0);
    world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_limit_no_decision),
        cmocka_unit_test(memory_limits_are_strict),
        cmocka_unit_test(time_is_strict_and_hanging_inclusive),
        cmocka_unit_test(longest_request_decides_and_all_are_counted),
        cmocka_unit_test(memory_goes_before_time),
        cmocka_unit_test(foreign_roles),
        cmocka_unit_test(unknown_figures_are_never_over),
        cmocka_unit_test(dearer_figures_are_for_candidates),
        cmocka_unit_test(each_process_is_retired_once),
        cmocka_unit_test(retiring_at_instant_zero_is_remembered),
        cmocka_unit_test(decisions_stand_in_order_and_fit),
        cmocka_unit_test(done_is_only_for_what_was_granted),
        cmocka_unit_test(hanging_is_unknown_without_ages),
        cmocka_unit_test(requests_without_a_row_are_unknown),
        cmocka_unit_test(nothing_at_all_is_judged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
