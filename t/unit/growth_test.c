/* SPDX-License-Identifier: Apache-2.0
 *
 * How fast processes grow: leaks, plateaus, saws, gaps and beginnings; and
 * that no decision follows from it.
 */
#include "invented.h"

#include "policy/growth.h"

#define PID 100
#define PER_HOUR(bytes_per_second) ((apr_int64_t)(bytes_per_second)*3600)

static int setup(void **state)
{
    world_t *world = world_create(40, 2);

    world_natives(world, 3);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    world_destroy(*state);
    return 0;
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* A tick at which the first worker has this size. */
static apr_int64_t tick(world_t *world, apr_interval_time_t span_us,
                        apr_uint64_t size_bytes)
{
    world_find(world, PID)->rss_bytes = size_bytes;
    world_tick(world, span_us);
    amgr_growth_follow(world->ledger, &world->snapshot,
                       world->limits.min_age_us);
    return world_find(world, PID)->growth_bytes_per_hour;
}

static void is_about(apr_int64_t growth, apr_int64_t wanted)
{
    apr_int64_t slack = (wanted < 0 ? -wanted : wanted) / 20 + 1;

    assert_true(growth != AMGR_GROWTH_UNKNOWN);
    assert_true(growth >= wanted - slack);
    assert_true(growth <= wanted + slack);
}

static void a_leak(void **state)
{
    world_t *world = *state;
    apr_uint64_t size = 10 * MB;
    int i;

    for (i = 0; i < 4; i++) {
        assert_int_equal(tick(world, 10 * SEC, size += 100000),
                         AMGR_GROWTH_UNKNOWN);
    }
    is_about(tick(world, 10 * SEC, size += 100000), PER_HOUR(10000));
    for (i = 0; i < 1000; i++) {
        is_about(tick(world, 10 * SEC, size += 100000), PER_HOUR(10000));
    }
    /* Others stand still, and that is known. */
    assert_int_equal(world_find(world, 101)->growth_bytes_per_hour, 0);
    /* It stops: after the window most of it is forgotten. */
    for (i = 0; i < 180; i++) {
        tick(world, 10 * SEC, size);
    }
    assert_true(world_find(world, PID)->growth_bytes_per_hour <
                PER_HOUR(10000) / 10);
    assert_true(world_find(world, PID)->growth_bytes_per_hour > 0);
}

/* Five ticks of a fast ticker are no measurement: ten seconds are. */
static void fast_ticks(void **state)
{
    world_t *world = *state;
    apr_uint64_t size = 10 * MB;
    int i;

    for (i = 0; i < 100; i++) {
        assert_int_equal(tick(world, SEC / 10, size += 1000),
                         AMGR_GROWTH_UNKNOWN);
    }
    is_about(tick(world, SEC / 10, size += 1000), PER_HOUR(10000));
    for (i = 0; i < 20000; i++) {
        tick(world, SEC / 10, size += 1000);
    }
    is_about(world_find(world, PID)->growth_bytes_per_hour, PER_HOUR(10000));
}

static void a_saw_comes_to_nothing(void **state)
{
    world_t *world = *state;
    int i;

    for (i = 0; i < 500; i++) {
        tick(world, 10 * SEC, (apr_uint64_t)((50 + i % 6) * MB));
    }
    assert_true(world_find(world, PID)->growth_bytes_per_hour <
                PER_HOUR(MB / 100));
    assert_true(world_find(world, PID)->growth_bytes_per_hour >
                -PER_HOUR(MB / 100));
}

static void shrinking_is_negative(void **state)
{
    world_t *world = *state;
    apr_uint64_t size = 500 * MB;
    int i;

    for (i = 0; i < 10; i++) {
        tick(world, 10 * SEC, size -= 100000);
    }
    is_about(world_find(world, PID)->growth_bytes_per_hour, -PER_HOUR(10000));
    /* To nothing at all, and to as much as can be. */
    assert_true(tick(world, 10 * SEC, 0) < -PER_HOUR(MB));
    assert_true(tick(world, 10 * SEC, APR_UINT64_MAX - 1) > PER_HOUR(MB));
    assert_true(tick(world, 10 * SEC, 0) != AMGR_GROWTH_UNKNOWN);
}

static void missed_readings_are_bridged(void **state)
{
    world_t *world = *state;
    apr_uint64_t size = 10 * MB;
    int i;

    for (i = 0; i < 30; i++) {
        tick(world, 10 * SEC, i % 3 == 1 ? AMGR_UNKNOWN : size);
        size += 100000;
    }
    is_about(world_find(world, PID)->growth_bytes_per_hour, PER_HOUR(10000));
    /* Known from before, while it cannot be read. */
    is_about(tick(world, 10 * SEC, AMGR_UNKNOWN), PER_HOUR(10000));
}

static void warming_up_is_no_leak(void **state)
{
    world_t *world = *state;
    apr_uint64_t size = 10 * MB;
    int i;

    world_age(world, PID, 0);
    for (i = 0; i < 30; i++) {
        assert_int_equal(tick(world, SEC, size += 5 * MB), AMGR_GROWTH_UNKNOWN);
    }
    for (i = 0; i < 10; i++) {
        assert_int_equal(tick(world, SEC, size), AMGR_GROWTH_UNKNOWN);
    }
    assert_int_equal(tick(world, SEC, size), 0);
    /* Another process with the same pid begins anew. */
    world_find(world, PID)->id.start_ticks++;
    assert_int_equal(tick(world, SEC, size), AMGR_GROWTH_UNKNOWN);
}

static void clocks_and_strangers(void **state)
{
    world_t *world = *state;
    int i;

    for (i = 0; i < 10; i++) {
        world_jump(world, (i % 2 == 0 ? 1 : -1) * 86400 * SEC);
        tick(world, 10 * SEC, (apr_uint64_t)((100 + i) * MB));
    }
    is_about(world_find(world, PID)->growth_bytes_per_hour, PER_HOUR(MB / 10));
    /* The same tick again adds nothing. */
    is_about(tick(world, 0, (apr_uint64_t)(109 * MB)), PER_HOUR(MB / 10));
    /* A clock that goes back begins anew. */
    assert_int_equal(tick(world, -15 * SEC, (apr_uint64_t)(109 * MB)),
                     AMGR_GROWTH_UNKNOWN);
    /* Whose start time is not known has no entry. */
    world_find(world, PID)->id.start_ticks = 0;
    world_find(world, PID)->growth_bytes_per_hour = 77;
    assert_int_equal(tick(world, 10 * SEC, 1), AMGR_GROWTH_UNKNOWN);
    assert_int_equal(world_find(world, 101)->growth_bytes_per_hour,
                     AMGR_GROWTH_UNKNOWN);
}

/* The same world with and without: one decision at one tick. */
static void nothing_is_decided_by_it(void **state)
{
    world_t *world = *state;
    world_t *other = world_create(40, 2);
    int i;

    world_natives(other, 3);
    world->limits.max_memory_idle_bytes = 50 * MB;
    other->limits.max_memory_idle_bytes = 50 * MB;
    for (i = 0; i < 60; i++) {
        apr_uint64_t size = (apr_uint64_t)((10 + i) * MB);

        tick(world, 10 * SEC, size);
        world_find(other, PID)->rss_bytes = size;
        world_tick(other, 10 * SEC);
        assert_int_equal(world->count, other->count);
        assert_int_equal(world->count > 0, size > 50 * MB);
    }
    world_destroy(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(a_leak),
        WITH_WORLD(fast_ticks),
        WITH_WORLD(a_saw_comes_to_nothing),
        WITH_WORLD(shrinking_is_negative),
        WITH_WORLD(missed_readings_are_bridged),
        WITH_WORLD(warming_up_is_no_leak),
        WITH_WORLD(clocks_and_strangers),
        WITH_WORLD(nothing_is_decided_by_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
