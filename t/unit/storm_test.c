/* SPDX-License-Identifier: Apache-2.0
 *
 * The storm breaker: it opens when retiring does not help, and only then.
 */
#include "invented.h"

#define BIG ((apr_uint64_t)(20 * MB))
#define SMALL ((apr_uint64_t)(5 * MB))

static pid_t next_pid;

/* Workers of 5 MB with a limit of 10 MB and no rule in the way. */
static world_t *begin(int natives)
{
    world_t *world = world_create(natives * 2, 1);
    int i;

    next_pid = 1000;
    world_natives(world, natives);
    for (i = 0; i < natives; i++) {
        world->snapshot.processes[i].rss_bytes = SMALL;
    }
    world->limits.max_memory_idle_bytes = 10 * MB;
    world->limits.min_age_us = 0;
    /* At a tick nobody is a newborn any more, so no limit becomes inert. */
    world->limits.interval_us = SEC;
    return world;
}

static void make_big(world_t *world, int first, int count)
{
    int i;

    for (i = first; i < first + count; i++) {
        world->snapshot.processes[i].rss_bytes = BIG;
    }
}

/* So many more outgrow the limit, the oldest first. */
static void more_big(world_t *world, int count)
{
    int i;

    for (i = 0; count > 0; i++) {
        assert_in_range(i, 0, world->snapshot.process_count - 1);
        if (world->snapshot.processes[i].rss_bytes == SMALL) {
            world->snapshot.processes[i].rss_bytes = BIG;
            count--;
        }
    }
}

/* Carry out, and let processes of this size take the places; how many. */
static int replace_all(world_t *world, apr_uint64_t rss_bytes)
{
    pid_t gone[256];
    int count = 0;
    int i;

    for (i = 0; i < world->count; i++) {
        const amgr_decision_t *decision = &world->decisions[i];

        if (decision->cause == AMGR_CAUSE_NONE) {
            assert_in_range(count, 0, 255);
            gone[count++] = world->snapshot.processes[decision->process].id.pid;
        }
    }
    assert_int_equal(world_apply(world), count);
    for (i = 0; i < count; i++) {
        world_replace(world, gone[i], next_pid++)->rss_bytes = rss_bytes;
    }
    return count;
}

static int is_open(const world_t *world)
{
    return world->ledger->storm_open_mono_us != 0;
}

/* Replacements are as big as those they replace. */
static void opens_when_it_does_not_help(void **state)
{
    world_t *world = begin(4);
    int retired = 0;
    int tick;

    (void)state; /* cmocka's signature */
    make_big(world, 0, 4);
    for (tick = 0; tick < 20 && !is_open(world); tick++) {
        world_tick(world, 10 * SEC);
        retired += replace_all(world, BIG);
    }
    assert_true(is_open(world));
    assert_int_equal(retired, 5);
    assert_int_equal(world_causes(world, AMGR_CAUSE_STORM), 4);
    assert_true(world->decisions[0].announce);
    world_tick(world, 10 * SEC);
    assert_int_equal(world_causes(world, AMGR_CAUSE_STORM), 4);
    assert_false(world->decisions[0].announce);
    world_destroy(world);
}

static void slow_retiring_is_no_storm(void **state)
{
    world_t *world = begin(4);
    int tick;

    (void)state; /* cmocka's signature */
    make_big(world, 0, 4);
    for (tick = 0; tick < 30; tick++) {
        world_tick(world, 16 * SEC); /* less than 5 in a minute */
        assert_int_equal(replace_all(world, BIG), 1);
        assert_false(is_open(world));
    }
    world_destroy(world);
}

static void can_be_switched_off(void **state)
{
    world_t *world = begin(4);
    int tick;

    (void)state; /* cmocka's signature */
    make_big(world, 0, 4);
    world->limits.storm_count = 0;
    for (tick = 0; tick < 80; tick++) {
        world_tick(world, 5 * SEC);
        assert_int_equal(replace_all(world, BIG), 1);
    }
    world_destroy(world);
}

static world_t *open_breaker(void)
{
    world_t *world = begin(4);
    int tick;

    make_big(world, 0, 4);
    for (tick = 0; tick < 6; tick++) {
        world_tick(world, 10 * SEC);
        replace_all(world, BIG);
    }
    assert_true(is_open(world));
    return world;
}

static void closes_when_none_is_over(void **state)
{
    world_t *world = open_breaker();
    int i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < 3; i++) {
        world->snapshot.processes[i].rss_bytes = SMALL;
    }
    world_tick(world, 10 * SEC);
    assert_true(is_open(world));
    world->snapshot.processes[3].rss_bytes = SMALL;
    world_tick(world, 10 * SEC);
    assert_false(is_open(world));
    make_big(world, 0, 1);
    world_tick(world, 10 * SEC);
    assert_int_equal(world_causes(world, AMGR_CAUSE_NONE), 1);
    world_destroy(world);
}

static void closes_after_ten_windows(void **state)
{
    world_t *world = open_breaker();

    (void)state; /* cmocka's signature */
    assert_int_equal(world_tick(world, 600 * SEC - 1), 4);
    assert_int_equal(world_causes(world, AMGR_CAUSE_STORM), 4);
    world_tick(world, 1);
    assert_false(is_open(world));
    assert_int_equal(world_causes(world, AMGR_CAUSE_NONE), 1);
    world_destroy(world);
}

static void a_restart_closes_it(void **state)
{
    world_t *world = open_breaker();

    (void)state; /* cmocka's signature */
    amgr_ledger_restart(world->ledger);
    world_tick(world, SEC);
    assert_false(is_open(world));
    assert_int_equal(world_causes(world, AMGR_CAUSE_NONE), 1);
    world_destroy(world);
}

static void all_at_once_again_and_again_is_a_storm(void **state)
{
    world_t *world = begin(10);

    (void)state; /* cmocka's signature */
    world->limits.max_retiring.value = 100;
    world->limits.min_serving = 0;
    make_big(world, 0, 10);
    world_tick(world, 10 * SEC);
    assert_int_equal(replace_all(world, BIG), 10);
    world_tick(world, 10 * SEC);
    assert_true(is_open(world));
    world_destroy(world);
}

/* Among 400 processes some outgrow the limit all the time. */
static void steady_churn_is_no_storm(void **state)
{
    static const struct {
        int per_tick;
        int strikes;
    } cases[] = {{1, 1}, {4, 1}, {5, 1}, {12, 1}, {40, 1}, {3, 3}, {12, 3}};
    size_t i;
    int tick;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        world_t *world = begin(400);
        int retired = 0;

        world->limits.strikes = cases[i].strikes;
        for (tick = 0; tick < 25; tick++) {
            more_big(world, cases[i].per_tick);
            world_tick(world, 10 * SEC);
            assert_false(is_open(world));
            retired += replace_all(world, SMALL);
        }
        assert_true(retired >= 20 * cases[i].per_tick);
        world_destroy(world);
    }
}

static void many_at_once_with_healthy_replacements_is_no_storm(void **state)
{
    world_t *world = begin(400);
    int retired = 0;
    int tick;

    (void)state; /* cmocka's signature */
    make_big(world, 0, 20);
    for (tick = 0; tick < 10; tick++) {
        world_tick(world, 10 * SEC);
        assert_false(is_open(world));
        retired += replace_all(world, SMALL);
    }
    assert_int_equal(retired, 20);
    /* More than the share allows at once, a few at a time. */
    world->limits.max_retiring.value = 1;
    make_big(world, 0, 60);
    for (tick = 0; tick < 30; tick++) {
        world_tick(world, 10 * SEC);
        assert_false(is_open(world));
        retired += replace_all(world, SMALL);
    }
    assert_int_equal(retired, 80);
    world_destroy(world);
}

static void inert_limits_do_not_keep_it_open(void **state)
{
    world_t *world = open_breaker();
    int i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < 4; i++) {
        world->snapshot.slots[i].child_accesses = 0;
    }
    world_native(world, 5000)->rss_bytes = BIG;
    world_slot(world, 5000, 0)->child_accesses = 0;
    world_tick(world, 10 * SEC);
    assert_int_equal(world_causes(world, AMGR_CAUSE_INERT), 5);
    assert_false(is_open(world));
    world_destroy(world);
}

static void failed_signals_are_no_retirements(void **state)
{
    world_t *world = begin(8);
    int i;

    (void)state; /* cmocka's signature */
    world->limits.max_retiring.value = 100;
    make_big(world, 0, 7);
    world_tick(world, 10 * SEC);
    assert_int_equal(world_causes(world, AMGR_CAUSE_NONE), 7);
    for (i = 0; i < world->count; i++) {
        amgr_judge_done(&world->snapshot, world->ledger, &world->decisions[i],
                        0);
    }
    make_big(world, 7, 1);
    world_tick(world, 10 * SEC);
    assert_false(is_open(world));
    assert_int_equal(world_causes(world, AMGR_CAUSE_NO_RIGHTS), 7);
    assert_int_equal(world_causes(world, AMGR_CAUSE_NONE), 1);
    world_destroy(world);
}

/* One that cannot be signalled stays over its limit for good; that says
 * nothing about the others, who come and go. */
static void who_cannot_be_signalled_is_not_counted(void **state)
{
    world_t *world = begin(40);
    int tick;

    (void)state; /* cmocka's signature */
    make_big(world, 0, 1);
    world_tick(world, 10 * SEC);
    amgr_judge_done(&world->snapshot, world->ledger, &world->decisions[0], 0);
    for (tick = 0; tick < 20; tick++) {
        more_big(world, 2);
        world_tick(world, 10 * SEC);
        assert_false(is_open(world));
        assert_int_equal(replace_all(world, SMALL), 2);
    }
    world_destroy(world);
}

/* Nor does one that another module protects, and it keeps no breaker open. */
static void who_is_vetoed_is_not_counted(void **state)
{
    world_t *world = begin(8);
    int tick;

    (void)state; /* cmocka's signature */
    make_big(world, 0, 1);
    world->limits.max_retiring.value = 1;
    world->limits.max_retiring.percent = 0;
    for (tick = 0; tick < 20; tick++) {
        more_big(world, tick > 0);
        world_tick(world, 10 * SEC);
        assert_false(is_open(world));
        amgr_judge_veto(&world->snapshot, world->ledger,
                        world_decision(world, 100));
        assert_int_equal(replace_all(world, SMALL), tick > 0);
    }
    world->ledger->storm_open_mono_us = world->snapshot.server.time.mono_us;
    world_tick(world, 10 * SEC);
    assert_false(is_open(world));
    world_destroy(world);
}

/* Nor does it hide that the others, two places whose processes are too big
 * again and again and go by turns, are in one. */
static void who_is_vetoed_hides_no_storm(void **state)
{
    world_t *world = begin(8);
    int tick;

    (void)state; /* cmocka's signature */
    make_big(world, 0, 2);
    world->limits.min_age_us = 15 * SEC;
    world->limits.max_retiring.value = 2;
    world->limits.max_retiring.percent = 0;
    world_tick(world, 20 * SEC);
    amgr_judge_veto(&world->snapshot, world->ledger,
                    world_decision(world, 100));
    assert_int_equal(replace_all(world, BIG), 1);
    make_big(world, 2, 1);
    for (tick = 0; tick < 5; tick++) {
        assert_false(is_open(world));
        world_tick(world, 10 * SEC);
        assert_int_equal(world_causes(world, AMGR_CAUSE_MIN_AGE), 1);
        assert_int_equal(world_causes(world, AMGR_CAUSE_NONE), 2);
        amgr_judge_veto(&world->snapshot, world->ledger,
                        world_decision(world, 100));
        assert_int_equal(replace_all(world, BIG), 1);
    }
    world_tick(world, 10 * SEC);
    assert_true(is_open(world));
    world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_when_it_does_not_help),
        cmocka_unit_test(slow_retiring_is_no_storm),
        cmocka_unit_test(can_be_switched_off),
        cmocka_unit_test(closes_when_none_is_over),
        cmocka_unit_test(closes_after_ten_windows),
        cmocka_unit_test(a_restart_closes_it),
        cmocka_unit_test(all_at_once_again_and_again_is_a_storm),
        cmocka_unit_test(steady_churn_is_no_storm),
        cmocka_unit_test(many_at_once_with_healthy_replacements_is_no_storm),
        cmocka_unit_test(inert_limits_do_not_keep_it_open),
        cmocka_unit_test(failed_signals_are_no_retirements),
        cmocka_unit_test(who_cannot_be_signalled_is_not_counted),
        cmocka_unit_test(who_is_vetoed_is_not_counted),
        cmocka_unit_test(who_is_vetoed_hides_no_storm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
