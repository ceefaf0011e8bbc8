/* SPDX-License-Identifier: Apache-2.0
 *
 * The budget of all workers together: what is summed up, who is chosen, how
 * many, and that it waits for what is going already.
 */
#include "invented.h"

#include "policy/reasons.h"

/* Ten idle workers of 10 MB each, and nothing but the budget. */
static world_t *ten(apr_int64_t budget_bytes)
{
    world_t *world = world_create(20, 2);
    int i;

    world_natives(world, 10);
    for (i = 0; i < 10; i++) {
        world_find(world, 100 + i)->anon_bytes = (apr_uint64_t)(10 * MB);
    }
    world->limits.max_memory_total_bytes = budget_bytes;
    world->limits.max_retiring.percent = 0;
    world->limits.max_retiring.value = 20;
    return world;
}

static void grow(world_t *world, pid_t pid, apr_int64_t bytes)
{
    world_find(world, pid)->anon_bytes = (apr_uint64_t)bytes;
}

static void the_budget_is_strict(void **state)
{
    world_t *world = ten(100 * MB);
    const amgr_decision_t *decision;

    (void)state; /* cmocka's signature */
    world_tick(world, SEC);
    assert_int_equal(world->count, 0);
    assert_int_equal(world->snapshot.server.worker_anon_bytes, 100 * MB);
    grow(world, 103, 10 * MB + 1);
    world_tick(world, SEC);
    assert_int_equal(world->count, 1);
    decision = &world->decisions[0];
    assert_int_equal(decision->process, 3);
    assert_int_equal(decision->verdict, AMGR_VERDICT_MEMORY_TOTAL);
    assert_int_equal(decision->cause, AMGR_CAUSE_NONE);
    assert_int_equal(decision->measured, 100 * MB + 1);
    assert_int_equal(decision->limit, 100 * MB);
    assert_int_equal(decision->force, 0);
    assert_int_equal(world_find(world, 104)->verdict, AMGR_VERDICT_OK);
    world_destroy(world);
}

static void without_a_budget_there_is_no_sum(void **state)
{
    world_t *world = ten(AMGR_LIMIT_OFF);

    (void)state; /* cmocka's signature */
    world_tick(world, SEC);
    assert_int_equal(world->count, 0);
    assert_int_equal(world->snapshot.server.worker_anon_bytes, AMGR_UNKNOWN);
    world_destroy(world);
}

static void daemons_count_and_others_do_not(void **state)
{
    world_t *world = ten(AMGR_LIMIT_OFF);

    (void)state; /* cmocka's signature */
    world_add(world, 200, AMGR_ROLE_WSGI, "example")->anon_bytes =
        (apr_uint64_t)(50 * MB);
    world_add(world, 201, AMGR_ROLE_DAEMON, "daemon")->anon_bytes =
        (apr_uint64_t)(1000 * MB);
    world_add(world, 202, AMGR_ROLE_PROGRAM, "program")->anon_bytes =
        (apr_uint64_t)(1000 * MB);
    world_add(world, 203, AMGR_ROLE_WSGI, "example");
    world->limits.max_memory_total_bytes = 120 * MB;
    world_tick(world, SEC);
    assert_int_equal(world->snapshot.server.worker_anon_bytes, 150 * MB);
    assert_int_equal(world->count, 1);
    assert_int_equal(world_cause(world, 200), AMGR_CAUSE_NONE);
    /* A daemon is never taken for idle: 25 MB for a request. */
    grow(world, 104, 30 * MB);
    world->limits.max_retiring.value = 1;
    world_judge(world);
    assert_int_equal(world_cause(world, 104), AMGR_CAUSE_NONE);
    assert_int_equal(world_cause(world, 200), AMGR_CAUSE_MAX_RETIRING);
    world_destroy(world);
}

static void most_bytes_for_a_request_go_first(void **state)
{
    world_t *world = ten(150 * MB);

    (void)state; /* cmocka's signature */
    world_tick(world, SEC);
    grow(world, 101, 60 * MB); /* with two requests: 20 MB each */
    world_begin(world, 101, 0);
    world_begin(world, 101, 1);
    grow(world, 105, 30 * MB); /* with one: 15 MB */
    world_begin(world, 105, 0);
    grow(world, 107, 25 * MB); /* idle */
    world_tick(world, SEC);
    /* 185 MB: 25 of the idle one, and ten more of whoever is next. */
    assert_int_equal(world->count, 2);
    assert_int_equal(world_cause(world, 107), AMGR_CAUSE_NONE);
    assert_int_equal(world_cause(world, 101), AMGR_CAUSE_NONE);
    assert_int_equal(world_decision(world, 101)->requests, 2);
    /* And when only one may go, it is the best. */
    world->limits.max_retiring.value = 1;
    world_judge(world);
    assert_int_equal(world_cause(world, 107), AMGR_CAUSE_NONE);
    assert_int_equal(world_cause(world, 101), AMGR_CAUSE_MAX_RETIRING);
    world_destroy(world);
}

static void as_many_as_are_needed(void **state)
{
    static const struct {
        apr_int64_t budget_mb;
        int count;
    } cases[] = {{100, 0}, {99, 1}, {90, 1}, {89, 2}, {50, 5}, {1, 10}};
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        world_t *world = ten(cases[i].budget_mb * MB);

        assert_int_equal(world_tick(world, SEC), cases[i].count);
        world_destroy(world);
    }
}

static void what_is_going_counts_as_gone(void **state)
{
    world_t *world = ten(85 * MB);

    (void)state; /* cmocka's signature */
    world_tick(world, SEC);
    assert_int_equal(world_apply(world), 2);
    world_judge(world);
    assert_int_equal(world->count, 0);
    /* 104 MB, and 20 of them are going: not the one that would free most. */
    grow(world, 105, 14 * MB);
    world_judge(world);
    assert_int_equal(world->count, 0);
    grow(world, 105, 16 * MB);
    world_judge(world);
    assert_int_equal(world->count, 1);
    assert_int_equal(world_cause(world, 105), AMGR_CAUSE_NONE);
    world_destroy(world);
}

/* Its memory cannot be had, and others are not ended instead of it. */
static void what_outlives_its_kill_counts_as_gone(void **state)
{
    world_t *world = ten(95 * MB);

    (void)state; /* cmocka's signature */
    world->limits.hard_memory_bytes = 40 * MB;
    world_find(world, 100)->rss_bytes = (apr_uint64_t)(50 * MB);
    world_tick(world, SEC);
    assert_int_equal(world->count, 1);
    assert_int_equal(world_decision(world, 100)->step, AMGR_STEP_KILL);
    assert_int_equal(world_apply(world), 1);
    world_tick(world, 3600 * SEC);
    assert_int_equal(world->count, 0);
    assert_int_equal(world->snapshot.server.worker_anon_bytes, 100 * MB);
    world_remove(world, 100);
    grow(world, 101, 16 * MB);
    world_tick(world, SEC);
    assert_int_equal(world->count, 1);
    assert_int_equal(world_cause(world, 101), AMGR_CAUSE_NONE);
    world_destroy(world);
}

static void what_goes_for_itself_counts_as_gone(void **state)
{
    world_t *world = ten(85 * MB);

    (void)state; /* cmocka's signature */
    world->limits.max_memory_idle_bytes = 15 * MB;
    world_find(world, 109)->rss_bytes = (apr_uint64_t)(16 * MB);
    grow(world, 109, 8 * MB);
    world_tick(world, SEC);
    /* 98 MB, 8 of them of one that is over its own limit. */
    assert_int_equal(world->count, 2);
    assert_int_equal(world_decision(world, 109)->verdict,
                     AMGR_VERDICT_MEMORY_IDLE);
    /* One that may not go yet is no relief. */
    world_age(world, 109, SEC);
    world_judge(world);
    assert_int_equal(world_cause(world, 109), AMGR_CAUSE_MIN_AGE);
    assert_int_equal(world->count, 3);
    world_destroy(world);
}

static void who_may_not_go_is_not_chosen(void **state)
{
    world_t *world = ten(110 * MB);

    (void)state; /* cmocka's signature */
    grow(world, 104, 40 * MB);
    world_age(world, 104, SEC);
    world_tick(world, SEC);
    assert_int_equal(world->count, 2);
    assert_int_equal(world_cause(world, 104), -1);
    assert_int_equal(world_causes(world, AMGR_CAUSE_NONE), 2);
    world_destroy(world);
}

/* Event with one process of 600 MB, idle, and four daemons of 150 MB. */
static world_t *one_and_daemons(int max_processes)
{
    world_t *world = world_create(5, 4);
    int i;

    world_native(world, 100);
    grow(world, 100, 600 * MB);
    for (i = 0; i < 4; i++) {
        world_add(world, 200 + i, AMGR_ROLE_WSGI, "shop");
        grow(world, 200 + i, (150 - i) * MB);
    }
    world->snapshot.server.max_processes = max_processes;
    world->snapshot.server.threaded = 1;
    world->snapshot.server.async = 1;
    world->limits.max_memory_total_bytes = 1000 * MB;
    return world;
}

static void others_stand_in_for_who_has_to_stay(void **state)
{
    static const struct {
        int max_processes;
        int min_serving;
        int stays;
    } cases[] = {{1, 1, 1}, {2, 1, 0}, {1, 0, 0}, {2, 2, 0}, {0, 1, 1}};
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        world_t *world = one_and_daemons(cases[i].max_processes);

        world->limits.min_serving = cases[i].min_serving;
        world_tick(world, 10 * SEC);
        if (!cases[i].stays) {
            assert_int_equal(world->count, 1);
            assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NONE);
        }
        else {
            /* 194 MB are too much: two daemons, one at a time. */
            assert_int_equal(world->count, 3);
            assert_int_equal(world_cause(world, 100), AMGR_CAUSE_MIN_SERVING);
            assert_int_equal(world_cause(world, 200), AMGR_CAUSE_NONE);
            assert_int_equal(world_cause(world, 201), AMGR_CAUSE_MAX_RETIRING);
        }
        world_destroy(world);
    }
}

/* Over a limit of its own as well, it gives nothing back all the same. */
static void who_has_to_stay_does_not_count_as_gone(void **state)
{
    world_t *world = one_and_daemons(1);

    (void)state; /* cmocka's signature */
    world->limits.max_memory_idle_bytes = 500 * MB;
    world_find(world, 100)->rss_bytes = (apr_uint64_t)(600 * MB);
    world->limits.max_retiring.value = 100;
    world_tick(world, 10 * SEC);
    assert_int_equal(world->count, 3);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_MIN_SERVING);
    assert_int_equal(world_cause(world, 200), AMGR_CAUSE_NONE);
    assert_int_equal(world_cause(world, 201), AMGR_CAUSE_NONE);
    world_destroy(world);
}

static void the_last_of_a_bucket_has_to_stay(void **state)
{
    world_t *world = ten(121 * MB);

    (void)state; /* cmocka's signature */
    /* Rows 0 and 9 share one. */
    world->snapshot.server.lone_buckets = 9;
    grow(world, 103, 40 * MB);
    grow(world, 109, 15 * MB);
    world_tick(world, 10 * SEC);
    assert_int_equal(world->count, 2);
    assert_int_equal(world_cause(world, 103), AMGR_CAUSE_MIN_SERVING);
    assert_int_equal(world_cause(world, 109), AMGR_CAUSE_NONE);
    /* While that goes, the one beside it has to wait, no more. */
    world_apply(world);
    grow(world, 100, 14 * MB);
    grow(world, 109, MB);
    world_tick(world, 10 * SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_MIN_SERVING);
    assert_int_equal(world_cause(world, 101), -1);
    world_destroy(world);
}

/* Workers go in turn where they leave too few that serve: no daemon has to go
 * for one that has to wait. */
static void nobody_stands_in_for_who_has_to_wait(void **state)
{
    world_t *world = world_create(6, 1);
    pid_t pid;

    (void)state; /* cmocka's signature */
    world_natives(world, 3);
    for (pid = 100; pid < 103; pid++) {
        grow(world, pid, 100 * MB);
    }
    world_add(world, 200, AMGR_ROLE_WSGI, "shop");
    grow(world, 200, 90 * MB);
    world->snapshot.server.max_processes = 3;
    world->limits.min_serving = 2;
    world->limits.min_age_us = SEC;
    world->limits.max_memory_total_bytes = 150 * MB;
    for (pid = 100; pid < 103; pid++) {
        int left = 3 - (pid - 100);

        world->limits.max_retiring.value = pid == 100 ? 1 : 100;
        world_tick(world, 10 * SEC);
        assert_int_equal(world->count, left);
        assert_int_equal(world_cause(world, pid), AMGR_CAUSE_NONE);
        assert_int_equal(world_causes(world, AMGR_CAUSE_NONE), 1);
        assert_int_equal(world_apply(world), 1);
        /* It takes its time. */
        world_tick(world, SEC);
        assert_int_equal(world_causes(world, AMGR_CAUSE_NONE), 0);
        assert_int_equal(world_cause(world, 200), -1);
        world_replace(world, pid, pid + 200);
        grow(world, pid + 200, 10 * MB);
    }
    world_tick(world, 10 * SEC);
    assert_int_equal(world->count, 0);
    world_destroy(world);
}

static void others_stand_in_for_who_is_vetoed(void **state)
{
    world_t *world = ten(95 * MB);
    amgr_decision_t *decision;

    (void)state; /* cmocka's signature */
    grow(world, 103, 40 * MB);
    world_tick(world, 10 * SEC);
    assert_int_equal(world->count, 1);
    amgr_judge_veto(&world->snapshot, world->ledger,
                    world_decision(world, 103));
    /* 130 MB: four others; and it is asked about all the same. */
    world_tick(world, 10 * SEC);
    assert_int_equal(world->count, 5);
    assert_int_equal(world_causes(world, AMGR_CAUSE_NONE), 4);
    decision = world_decision(world, 103);
    assert_int_equal(decision->cause, AMGR_CAUSE_VETO);
    /* When nobody vetoes it, it does not go beside them. */
    amgr_judge_lift(&world->snapshot, world->ledger, decision);
    assert_int_equal(world_apply(world), 4);
    world_tick(world, 10 * SEC);
    assert_int_equal(world_cause(world, 103), -1);
    world_destroy(world);
}

/* What it would free of its own is not counted on either. */
static void who_is_vetoed_does_not_count_as_gone(void **state)
{
    world_t *world = ten(95 * MB);

    (void)state; /* cmocka's signature */
    world->limits.max_memory_idle_bytes = 30 * MB;
    grow(world, 103, 40 * MB);
    world_find(world, 103)->rss_bytes = (apr_uint64_t)(40 * MB);
    world_tick(world, 10 * SEC);
    assert_int_equal(world->count, 1);
    amgr_judge_veto(&world->snapshot, world->ledger,
                    world_decision(world, 103));
    world_tick(world, 10 * SEC);
    assert_int_equal(world->count, 5);
    world_destroy(world);
}

static void strikes_are_of_the_sum(void **state)
{
    world_t *world = ten(105 * MB);

    (void)state; /* cmocka's signature */
    world->limits.strikes = 3;
    grow(world, 101, 20 * MB);
    world_tick(world, SEC);
    assert_int_equal(world_cause(world, 101), AMGR_CAUSE_STRIKES);
    grow(world, 102, 21 * MB); /* another is the best now */
    world_tick(world, SEC);
    assert_int_equal(world_cause(world, 102), AMGR_CAUSE_STRIKES);
    world_tick(world, SEC);
    assert_int_equal(world_cause(world, 102), AMGR_CAUSE_NONE);
    grow(world, 101, 10 * MB);
    grow(world, 102, 10 * MB);
    world_tick(world, SEC);
    assert_int_equal(world->count, 0);
    grow(world, 101, 20 * MB);
    world_tick(world, SEC);
    assert_int_equal(world_cause(world, 101), AMGR_CAUSE_STRIKES);
    world_destroy(world);
}

static void a_budget_that_cannot_be_kept_opens_the_breaker(void **state)
{
    world_t *world = ten(55 * MB);
    pid_t next = 200;
    int sent = 0;
    int tick;
    int i;

    (void)state; /* cmocka's signature */
    world->limits.max_retiring.value = 1;
    world->limits.min_age_us = 1;
    for (tick = 0; tick < 20; tick++) {
        world_tick(world, SEC);
        for (i = 0; i < world->count; i++) {
            pid_t pid =
                world->snapshot.processes[world->decisions[i].process].id.pid;

            if (world->decisions[i].cause == AMGR_CAUSE_NONE) {
                amgr_judge_done(&world->snapshot, world->ledger,
                                &world->decisions[i], 1);
                sent++;
                world_replace(world, pid, next);
                grow(world, next, 10 * MB);
                next++;
                break;
            }
        }
    }
    assert_int_equal(sent, 5);
    assert_true(world->ledger->storm_open_mono_us != 0);
    world_destroy(world);
}

/* Daemons that outgrow the budget now and then, beside a worker that cannot
 * go: each time it helps. */
static void who_has_to_stay_opens_no_breaker(void **state)
{
    world_t *world = one_and_daemons(1);
    int tick;

    (void)state; /* cmocka's signature */
    for (tick = 0; tick < 20; tick++) {
        pid_t pid = 200 + tick % 4;

        grow(world, 200, 100 * MB);
        grow(world, 201, 100 * MB);
        grow(world, 202, 90 * MB);
        grow(world, 203, 90 * MB);
        grow(world, pid, 150 * MB);
        world_tick(world, 10 * SEC);
        assert_true(world->ledger->storm_open_mono_us == 0);
        assert_int_equal(world_cause(world, 100), AMGR_CAUSE_MIN_SERVING);
        assert_int_equal(world_cause(world, pid), AMGR_CAUSE_NONE);
        assert_int_equal(world_apply(world), 1);
        world_find(world, pid)->id.start_ticks++; /* another of that pid */
    }
    world_destroy(world);
}

static void a_percentage_is_of_what_there_is(void **state)
{
    static const struct {
        apr_uint64_t capacity;
        int percent;
        apr_int64_t expected;
    } cases[] = {
        {1000, 80, 800},
        {999, 1, 9},
        {99, 50, 49},
        {APR_UINT64_C(1) << 50, 100, APR_INT64_C(1) << 50},
        {AMGR_UNKNOWN, 80, AMGR_LIMIT_OFF},
        {AMGR_UNKNOWN - 1, 80, AMGR_LIMIT_OFF},
    };
    world_t *world = ten(AMGR_LIMIT_OFF);
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        world->limits.max_memory_total_percent = cases[i].percent;
        world->snapshot.server.memory_capacity_bytes = cases[i].capacity;
        assert_int_equal(
            amgr_reasons_total_bytes(&world->limits, &world->snapshot.server),
            cases[i].expected);
    }
    world->limits.max_memory_total_percent = 50;
    world->snapshot.server.memory_capacity_bytes = (apr_uint64_t)(190 * MB);
    world_tick(world, SEC);
    assert_int_equal(world->count, 1);
    assert_int_equal(world->decisions[0].limit, 95 * MB);
    world_destroy(world);
}

static void little_room_for_candidates(void **state)
{
    world_t *world = ten(1 * MB);
    int count;

    (void)state; /* cmocka's signature */
    world_tick(world, SEC);
    world->decisions[3].process = -7;
    count = amgr_judge(&world->limits, &world->snapshot, world->ledger, 1,
                       world->decisions, 3);
    assert_int_equal(count, 3);
    assert_int_equal(world->decisions[3].process, -7);
    assert_int_equal(amgr_judge(&world->limits, &world->snapshot, world->ledger,
                                1, world->decisions, 0),
                     0);
    world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_budget_is_strict),
        cmocka_unit_test(without_a_budget_there_is_no_sum),
        cmocka_unit_test(daemons_count_and_others_do_not),
        cmocka_unit_test(most_bytes_for_a_request_go_first),
        cmocka_unit_test(as_many_as_are_needed),
        cmocka_unit_test(what_is_going_counts_as_gone),
        cmocka_unit_test(what_outlives_its_kill_counts_as_gone),
        cmocka_unit_test(what_goes_for_itself_counts_as_gone),
        cmocka_unit_test(who_may_not_go_is_not_chosen),
        cmocka_unit_test(others_stand_in_for_who_has_to_stay),
        cmocka_unit_test(who_has_to_stay_does_not_count_as_gone),
        cmocka_unit_test(the_last_of_a_bucket_has_to_stay),
        cmocka_unit_test(nobody_stands_in_for_who_has_to_wait),
        cmocka_unit_test(others_stand_in_for_who_is_vetoed),
        cmocka_unit_test(who_is_vetoed_does_not_count_as_gone),
        cmocka_unit_test(strikes_are_of_the_sum),
        cmocka_unit_test(a_budget_that_cannot_be_kept_opens_the_breaker),
        cmocka_unit_test(who_has_to_stay_opens_no_breaker),
        cmocka_unit_test(a_percentage_is_of_what_there_is),
        cmocka_unit_test(little_room_for_candidates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
