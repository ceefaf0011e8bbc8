/* SPDX-License-Identifier: Apache-2.0
 *
 * The age of a running request: its clock, the credit for the time before it
 * was first seen, and that neither jumps of the wall clock nor stale slots
 * ever make a verdict.
 */
#include "invented.h"

#define HOUR (3600 * SEC)

static apr_interval_time_t age_of(world_t *world, pid_t pid, int thread)
{
    return world_slot(world, pid, thread)->request_age_us;
}

/* A server of two processes that has ticked once. */
static world_t *begin(void)
{
    world_t *world = world_create(8, 4);

    world_natives(world, 2);
    world->limits.max_time_us = 60 * SEC;
    world->limits.hanging_us = 60 * SEC;
    world_tick(world, 10 * SEC);
    return world;
}

static void age_counts_from_the_start_with_credit(void **state)
{
    world_t *world = begin();

    (void)state; /* cmocka's signature */
    world_pass(world, 4 * SEC);
    world_begin(world, 100, 2);
    world_tick(world, 6 * SEC);
    assert_int_equal(age_of(world, 100, 2), 6 * SEC);
    world_tick(world, 10 * SEC);
    assert_int_equal(age_of(world, 100, 2), 16 * SEC);
    /* The next request in the slot starts anew. */
    world_end(world, 100, 2);
    world_tick(world, 2 * SEC);
    assert_int_equal(age_of(world, 100, 2), AMGR_NO_TIME);
    world_begin(world, 100, 2);
    world_tick(world, 3 * SEC);
    assert_int_equal(age_of(world, 100, 2), 3 * SEC);
    world_destroy(world);
}

static void first_tick_gives_no_credit(void **state)
{
    world_t *world = world_create(4, 4);

    (void)state; /* cmocka's signature */
    world_natives(world, 1);
    world->limits.max_time_us = SEC;
    world_begin(world, 100, 0);
    world_tick(world, 50 * SEC);
    assert_int_equal(age_of(world, 100, 0), 0);
    assert_int_equal(world->count, 0);
    world_tick(world, 10 * SEC);
    assert_int_equal(age_of(world, 100, 0), 10 * SEC);
    world_destroy(world);
}

static void credit_never_exceeds_the_last_tick(void **state)
{
    world_t *world = begin();

    (void)state; /* cmocka's signature */
    /* A stamp from the past that no tick has seen. */
    world_begin(world, 100, 0);
    world_slot(world, 100, 0)->start_time_us -= 50 * SEC;
    world_tick(world, 10 * SEC);
    assert_int_equal(age_of(world, 100, 0), 10 * SEC);
    /* A stamp from the future. */
    world_begin(world, 100, 1);
    world_slot(world, 100, 1)->start_time_us += 50 * SEC;
    world_tick(world, 10 * SEC);
    assert_int_equal(age_of(world, 100, 1), 0);
    world_destroy(world);
}

static void credit_wants_a_known_or_newborn_process(void **state)
{
    world_t *world = begin();

    (void)state;              /* cmocka's signature */
    world_native(world, 200); /* an hour old, never seen */
    world_begin(world, 200, 0);
    world_replace(world, 101, 201); /* newborn */
    world_begin(world, 201, 0);
    world_tick(world, 10 * SEC);
    assert_int_equal(age_of(world, 200, 0), 0);
    assert_int_equal(age_of(world, 201, 0), 10 * SEC);
    /* A stamp that went back in a slot gets none either. */
    world_slot(world, 200, 0)->start_time_us -= SEC;
    world_tick(world, 10 * SEC);
    assert_int_equal(age_of(world, 200, 0), 0);
    world_destroy(world);
}

/* Requests that run, begin and are first seen across a step of the clock. */
static void clock_steps_never_make_a_verdict(void **state)
{
    static const apr_interval_time_t steps[] = {
        HOUR, -HOUR, 200000, -200000, 365 * 24 * HOUR, -365 * 24 * HOUR,
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(steps); i++) {
        world_t *world = begin();

        world_begin(world, 100, 0);
        world_tick(world, 10 * SEC);
        world_begin(world, 100, 1); /* seen after the step only */
        world_pass(world, 5 * SEC);
        world_jump(world, steps[i]);
        world_begin(world, 100, 2); /* begun after it */
        assert_int_equal(world_tick(world, 5 * SEC), 0);
        assert_int_equal(age_of(world, 100, 0), 20 * SEC);
        assert_int_equal(age_of(world, 100, 1), 0);
        assert_int_equal(age_of(world, 100, 2), 0);
        assert_int_equal(world->snapshot.hanging, 0);
        world_tick(world, 10 * SEC);
        assert_int_equal(age_of(world, 100, 0), 30 * SEC);
        assert_int_equal(age_of(world, 100, 1), 10 * SEC);
        assert_int_equal(age_of(world, 100, 2), 10 * SEC);
        /* And the verdict comes when it is due. */
        assert_int_equal(world_tick(world, 30 * SEC), 0);
        assert_int_equal(world_tick(world, 1), 1);
        assert_int_equal(world->decisions[0].measured, 60 * SEC + 1);
        world_destroy(world);
    }
}

static void small_drift_is_no_step(void **state)
{
    static const struct {
        apr_interval_time_t drift_us;
        apr_interval_time_t age_us;
    } cases[] = {
        {100000, 6 * SEC + 100000},
        {-100000, 6 * SEC - 100000},
        {100001, 0},
        {-100001, 0},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        world_t *world = begin();

        world_pass(world, 4 * SEC);
        world_begin(world, 100, 0);
        world_jump(world, cases[i].drift_us);
        world_tick(world, 6 * SEC);
        assert_int_equal(age_of(world, 100, 0), cases[i].age_us);
        world_destroy(world);
    }
}

static void modes_without_a_request_have_no_age(void **state)
{
    static const int modes[] = {
        AMGR_MODE_DEAD,
        AMGR_MODE_STARTING,
        AMGR_MODE_READY,
        AMGR_MODE_READ,
        AMGR_MODE_KEEPALIVE,
        AMGR_MODE_CLOSING,
        AMGR_MODE_GRACEFUL,
        AMGR_MODE_IDLE_KILL,
        -1,
        99,
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(modes); i++) {
        world_t *world = begin();

        world_begin(world, 100, 0);
        world_slot(world, 100, 0)->mode = modes[i];
        world_tick(world, 10 * SEC);
        assert_int_equal(world_tick(world, 1000 * SEC), 0);
        assert_int_equal(age_of(world, 100, 0), AMGR_NO_TIME);
        assert_int_equal(world->snapshot.hanging, 0);
        world_destroy(world);
    }
}

static void http2_connections_have_no_age(void **state)
{
    world_t *world = begin();

    (void)state; /* cmocka's signature */
    world_begin(world, 100, 0);
    world_end(world, 100, 0);
    world_slot(world, 100, 0)->mode = AMGR_MODE_WRITE;
    world_begin(world, 100, 1);
    world_pass(world, 1);
    world_end(world, 100, 1);
    world_slot(world, 100, 1)->mode = AMGR_MODE_WRITE;
    world_tick(world, 10 * SEC);
    assert_int_equal(world_tick(world, HOUR), 0);
    assert_int_equal(age_of(world, 100, 0), AMGR_NO_TIME);
    assert_int_equal(age_of(world, 100, 1), AMGR_NO_TIME);
    world_destroy(world);
}

/* A killed predecessor's request stays in the slot: it began and never ended.
 * The new process answers over HTTP/2 in it. */
static void predecessors_requests_have_no_age(void **state)
{
    world_t *world = begin();
    amgr_slot_t stale;

    (void)state; /* cmocka's signature */
    world_begin(world, 101, 0);
    stale = *world_slot(world, 101, 0);
    world_pass(world, 5 * SEC);
    world_replace(world, 101, 201);
    *world_slot(world, 201, 0) = stale;
    world_tick(world, 5 * SEC);
    assert_int_equal(age_of(world, 201, 0), AMGR_NO_TIME);
    /* A step back makes the process look older than the request. */
    world_jump(world, -HOUR);
    assert_int_equal(world_tick(world, HOUR), 0);
    assert_int_equal(world_tick(world, HOUR), 0);
    assert_int_equal(age_of(world, 201, 0), AMGR_NO_TIME);
    /* Its own requests count. */
    world_pass(world, HOUR);
    world_begin(world, 201, 0);
    world_tick(world, 10 * SEC);
    assert_int_equal(age_of(world, 201, 0), 10 * SEC);
    world_destroy(world);
}

/* The same, first seen across a step of the clock. */
static void predecessors_requests_have_no_age_after_a_step(void **state)
{
    static const apr_interval_time_t steps[] = {HOUR, -HOUR, 200000, -200000};
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(steps); i++) {
        world_t *world = begin();
        amgr_slot_t stale;

        world_begin(world, 101, 0);
        stale = *world_slot(world, 101, 0);
        world_pass(world, 5 * SEC);
        world_replace(world, 101, 201);
        world_tick(world, 5 * SEC);
        world_tick(world, 10 * SEC);
        *world_slot(world, 201, 0) = stale;
        world_begin(world, 201, 1);
        world_jump(world, steps[i]);
        world_begin(world, 201, 2);
        world_tick(world, 10 * SEC);
        assert_int_equal(age_of(world, 201, 0), AMGR_NO_TIME);
        assert_int_equal(age_of(world, 201, 1), 0);
        assert_int_equal(age_of(world, 201, 2), 0);
        world_tick(world, 10 * SEC);
        assert_int_equal(age_of(world, 201, 0), AMGR_NO_TIME);
        assert_int_equal(age_of(world, 201, 1), 10 * SEC);
        assert_int_equal(age_of(world, 201, 2), 10 * SEC);
        world_destroy(world);
    }
}

static void without_extended_status_nothing_is_timed(void **state)
{
    world_t *world = begin();

    (void)state; /* cmocka's signature */
    world->snapshot.server.extended = 0;
    world_begin(world, 100, 0);
    world_tick(world, 10 * SEC);
    assert_int_equal(world_tick(world, HOUR), 0);
    assert_int_equal(age_of(world, 100, 0), AMGR_NO_TIME);
    world_destroy(world);
}

static void slots_outside_the_ledger_are_not_timed(void **state)
{
    static const struct {
        int row;
        int thread;
    } cases[] = {
        {-1, 0}, {0, -1}, {0, 4}, {8, 0}, {2147483647, 3},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        world_t *world = begin();

        world_begin(world, 100, 0);
        world_slot(world, 100, 0)->process_slot = cases[i].row;
        world_slot(world, 100, 0)->thread = cases[i].thread;
        world_tick(world, 10 * SEC);
        assert_int_equal(world_tick(world, HOUR), 0);
        assert_int_equal(age_of(world, 100, 0), AMGR_NO_TIME);
        world_destroy(world);
    }
}

/* The monotonic clock cannot go back, but a ledger may be anybody's. */
static void a_ledger_from_the_future_makes_no_verdict(void **state)
{
    world_t *world = begin();

    (void)state; /* cmocka's signature */
    world_begin(world, 100, 0);
    world_tick(world, 10 * SEC);
    world->snapshot.server.time.mono_us -= 500 * SEC;
    assert_int_equal(world_judge(world), 0);
    assert_int_equal(age_of(world, 100, 0), AMGR_NO_TIME);
    world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(age_counts_from_the_start_with_credit),
        cmocka_unit_test(first_tick_gives_no_credit),
        cmocka_unit_test(credit_never_exceeds_the_last_tick),
        cmocka_unit_test(credit_wants_a_known_or_newborn_process),
        cmocka_unit_test(clock_steps_never_make_a_verdict),
        cmocka_unit_test(small_drift_is_no_step),
        cmocka_unit_test(modes_without_a_request_have_no_age),
        cmocka_unit_test(http2_connections_have_no_age),
        cmocka_unit_test(predecessors_requests_have_no_age),
        cmocka_unit_test(predecessors_requests_have_no_age_after_a_step),
        cmocka_unit_test(without_extended_status_nothing_is_timed),
        cmocka_unit_test(slots_outside_the_ledger_are_not_timed),
        cmocka_unit_test(a_ledger_from_the_future_makes_no_verdict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
