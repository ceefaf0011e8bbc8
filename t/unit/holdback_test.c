/* SPDX-License-Identifier: Apache-2.0
 *
 * A kill that is put off since others wait for a lock that the process holds:
 * for whom, how long, and what is done instead.
 */
#include "invented.h"

#include "policy/holdback.h"

#define PID 101
#define GRACE (30 * SEC)

/* A server of two workers, of which PID has begun a request without an end:
 * ten seconds later it is over its time. */
static world_t *begin(int threads)
{
    world_t *world = world_create(8, threads);

    world_natives(world, 2);
    world->snapshot.server.threaded = threads > 1;
    world->limits.max_time_us = 10 * SEC;
    world->limits.grace_us = GRACE;
    world->limits.max_retiring.value = 50;
    world->limits.storm_count = 0;
    world_tick(world, SEC);
    world_find(world, PID)->threads = threads;
    world_begin(world, PID, 0);
    world_tick(world, SEC);
    return world;
}

/* The rest of a tick that found this; the step that is taken. */
static int take(world_t *world, int held, int news)
{
    amgr_decision_t *decision = world_decision(world, PID);
    int told;

    assert_non_null(decision);
    told = amgr_holdback_judge(&world->limits, &world->snapshot, world->ledger,
                               decision, held);
    assert_int_equal(told, news);
    if (decision->step != AMGR_STEP_NONE) {
        world_apply(world);
    }
    return decision->step;
}

/* One more tick, at which a kill is decided. */
static int kill_step(world_t *world, apr_interval_time_t span_us, int held,
                     int news)
{
    world_tick(world, span_us);
    assert_non_null(world_decision(world, PID));
    assert_true(amgr_holdback_is_kill(world_decision(world, PID)));
    return take(world, held, news);
}

static void without_a_lock_nothing_changes(void **state)
{
    world_t *world = begin(1);

    (void)state; /* cmocka's signature */
    assert_int_equal(kill_step(world, 10 * SEC, AMGR_HELD_NOTHING,
                               AMGR_HOLDBACK_NONE), AMGR_STEP_KILL);
    world_destroy(world);

    /* Nor when a look that was cut short found none. */
    world = begin(1);
    assert_int_equal(kill_step(world, 10 * SEC, AMGR_HELD_UNKNOWN,
                               AMGR_HOLDBACK_NONE), AMGR_STEP_KILL);
    world_destroy(world);
}

static void a_single_worker_is_asked_instead(void **state)
{
    world_t *world = begin(1);

    (void)state; /* cmocka's signature */
    assert_int_equal(kill_step(world, 10 * SEC, AMGR_HELD_LOCK,
                               AMGR_HOLDBACK_BEGUN), AMGR_STEP_ASK);
    assert_int_equal(kill_step(world, SEC, AMGR_HELD_LOCK,
                               AMGR_HOLDBACK_LASTS), AMGR_STEP_NONE);
    /* Nobody knows: it is as it was. */
    assert_int_equal(kill_step(world, SEC, AMGR_HELD_UNKNOWN,
                               AMGR_HOLDBACK_LASTS), AMGR_STEP_NONE);
    assert_int_equal(kill_step(world, SEC, AMGR_HELD_NOTHING,
                               AMGR_HOLDBACK_NONE), AMGR_STEP_KILL);
    /* And that was it. */
    world_tick(world, SEC);
    assert_null(world_decision(world, PID));
    world_destroy(world);
}

static void one_grace_period_and_no_more(void **state)
{
    world_t *world = begin(1);

    (void)state; /* cmocka's signature */
    assert_int_equal(kill_step(world, 10 * SEC, AMGR_HELD_LOCK,
                               AMGR_HOLDBACK_BEGUN), AMGR_STEP_ASK);
    assert_int_equal(kill_step(world, GRACE - 1, AMGR_HELD_LOCK,
                               AMGR_HOLDBACK_LASTS), AMGR_STEP_NONE);
    assert_int_equal(kill_step(world, 1, AMGR_HELD_LOCK,
                               AMGR_HOLDBACK_OVER), AMGR_STEP_KILL);
    world_destroy(world);

    /* Of the end nothing is told where no lock is known. */
    world = begin(1);
    kill_step(world, 10 * SEC, AMGR_HELD_LOCK, AMGR_HOLDBACK_BEGUN);
    assert_int_equal(kill_step(world, GRACE, AMGR_HELD_UNKNOWN,
                               AMGR_HOLDBACK_NONE), AMGR_STEP_KILL);
    world_destroy(world);
}

/* The time of a section is that of its processes. */
static void the_grace_period_of_its_group(void **state)
{
    world_t *world = begin(1);
    amgr_section_t *section = &world->limits.sections[0];

    (void)state; /* cmocka's signature */
    world->limits.section_count = 1;
    strcpy(section->name, "native");
    section->role = AMGR_ROLE_WORKER;
    section->max_memory_active_bytes = AMGR_LIMIT_OFF;
    section->max_memory_idle_bytes = AMGR_LIMIT_OFF;
    section->hard_memory_bytes = AMGR_LIMIT_OFF;
    section->max_lifetime_us.limit = AMGR_LIMIT_OFF;
    section->grace_us = 5 * SEC;
    kill_step(world, 10 * SEC, AMGR_HELD_LOCK, AMGR_HOLDBACK_BEGUN);
    kill_step(world, 4 * SEC, AMGR_HELD_LOCK, AMGR_HOLDBACK_LASTS);
    assert_int_equal(kill_step(world, SEC, AMGR_HELD_LOCK,
                               AMGR_HOLDBACK_OVER), AMGR_STEP_KILL);
    world_destroy(world);
}

/* Whatever it takes and lets go of, its time began with the first. */
static void letting_go_buys_no_time(void **state)
{
    world_t *world = begin(1);
    amgr_ledger_process_t *entry;
    apr_time_t first_us;

    (void)state; /* cmocka's signature */
    kill_step(world, 10 * SEC, AMGR_HELD_LOCK, AMGR_HOLDBACK_BEGUN);
    entry = amgr_ledger_find(world->ledger, &world_find(world, PID)->id);
    first_us = world->snapshot.server.time.mono_us;
    assert_true(entry->held_mono_us == first_us);
    assert_int_equal(kill_step(world, GRACE / 2, AMGR_HELD_LOCK,
                               AMGR_HOLDBACK_LASTS), AMGR_STEP_NONE);
    assert_true(entry->held_mono_us == first_us);
    /* Nor does a clock that lies behind it. */
    entry->held_mono_us = world->snapshot.server.time.mono_us + 10 * SEC;
    assert_int_equal(kill_step(world, SEC, AMGR_HELD_LOCK,
                               AMGR_HOLDBACK_OVER), AMGR_STEP_KILL);
    world_destroy(world);
}

/* A retirement that is given up takes its time with it. */
static void a_new_retirement_has_its_own(void **state)
{
    world_t *world = begin(1);
    amgr_ledger_process_t *entry;

    (void)state; /* cmocka's signature */
    kill_step(world, 10 * SEC, AMGR_HELD_LOCK, AMGR_HOLDBACK_BEGUN);
    world_tick(world, SEC);
    amgr_judge_done(&world->snapshot, world->ledger, world_decision(world, PID),
                    0);
    entry = amgr_ledger_find(world->ledger, &world_find(world, PID)->id);
    assert_true(entry->held_mono_us == 0);
    /* A new configuration tries again; one that was put off stays so. */
    amgr_ledger_restart(world->ledger);
    kill_step(world, GRACE, AMGR_HELD_LOCK, AMGR_HOLDBACK_BEGUN);
    amgr_ledger_restart(world->ledger);
    kill_step(world, SEC, AMGR_HELD_LOCK, AMGR_HOLDBACK_LASTS);
    world_destroy(world);
}

/* One with threads is asked first in any case. */
static void a_threaded_one_was_asked_before(void **state)
{
    world_t *world = begin(4);

    (void)state; /* cmocka's signature */
    world_tick(world, 10 * SEC);
    assert_false(amgr_holdback_is_kill(world_decision(world, PID)));
    assert_int_equal(take(world, AMGR_HELD_LOCK, AMGR_HOLDBACK_NONE),
                     AMGR_STEP_ASK);
    world_state(world, PID, AMGR_STATE_STOPPING);
    assert_int_equal(kill_step(world, SEC, AMGR_HELD_LOCK,
                               AMGR_HOLDBACK_BEGUN), AMGR_STEP_NONE);
    assert_int_equal(kill_step(world, GRACE, AMGR_HELD_LOCK,
                               AMGR_HOLDBACK_OVER), AMGR_STEP_KILL);
    world_destroy(world);
}

/* Announced for its memory, it then hangs as well: it is asked after all. */
static void one_that_was_only_announced(void **state)
{
    world_t *world = begin(1);

    (void)state; /* cmocka's signature */
    world->limits.max_memory_active_bytes = 20 * MB;
    world->limits.lame_duck_us = 60 * SEC;
    world_find(world, PID)->rss_bytes = (apr_uint64_t)(30 * MB);
    world_tick(world, SEC);
    assert_int_equal(take(world, AMGR_HELD_NOTHING, AMGR_HOLDBACK_NONE),
                     AMGR_STEP_ANNOUNCE);
    assert_int_equal(kill_step(world, 10 * SEC, AMGR_HELD_LOCK,
                               AMGR_HOLDBACK_BEGUN), AMGR_STEP_ASK);
    assert_int_equal(kill_step(world, SEC, AMGR_HELD_LOCK,
                               AMGR_HOLDBACK_LASTS), AMGR_STEP_NONE);
    world_destroy(world);
}

static void what_waits_for_nothing(void **state)
{
    world_t *world = begin(1);

    (void)state; /* cmocka's signature */
    world->limits.hard_memory_bytes = 100 * MB;
    world_find(world, PID)->rss_bytes = (apr_uint64_t)(200 * MB);
    assert_int_equal(kill_step(world, SEC, AMGR_HELD_LOCK,
                               AMGR_HOLDBACK_OVER), AMGR_STEP_KILL);
    world_destroy(world);

    /* Nor once it is put off. */
    world = begin(1);
    world->limits.hard_memory_bytes = 100 * MB;
    kill_step(world, 10 * SEC, AMGR_HELD_LOCK, AMGR_HOLDBACK_BEGUN);
    kill_step(world, SEC, AMGR_HELD_LOCK, AMGR_HOLDBACK_LASTS);
    world_find(world, PID)->rss_bytes = (apr_uint64_t)(200 * MB);
    assert_int_equal(kill_step(world, SEC, AMGR_HELD_LOCK,
                               AMGR_HOLDBACK_OVER), AMGR_STEP_KILL);
    world_destroy(world);
}

/* Nor when it is over its time as well, which is what is told of it. */
static void one_that_outlives_its_generation(void **state)
{
    world_t *world = begin(1);

    (void)state; /* cmocka's signature */
    world->limits.max_generation_age_us = 20 * SEC;
    kill_step(world, 10 * SEC, AMGR_HELD_LOCK, AMGR_HOLDBACK_BEGUN);
    world_find(world, 100)->generation = 1;
    kill_step(world, SEC, AMGR_HELD_LOCK, AMGR_HOLDBACK_LASTS);
    assert_int_equal(world_find(world, PID)->verdict, AMGR_VERDICT_TIME);
    assert_int_equal(kill_step(world, 21 * SEC, AMGR_HELD_LOCK,
                               AMGR_HOLDBACK_OVER), AMGR_STEP_KILL);
    world_destroy(world);
}

/* What is not carried out is not put off, and no gentler step is. */
static void only_kills(void **state)
{
    world_t *world = begin(1);
    amgr_ledger_process_t *entry;
    amgr_decision_t *decision;

    (void)state; /* cmocka's signature */
    world_tick(world, 10 * SEC);
    decision = world_decision(world, PID);
    assert_non_null(decision);
    decision->cause = AMGR_CAUSE_DRY_RUN;
    assert_int_equal(take(world, AMGR_HELD_LOCK, AMGR_HOLDBACK_NONE),
                     AMGR_STEP_KILL);
    decision->cause = AMGR_CAUSE_NONE;
    decision->step = AMGR_STEP_NUDGE;
    assert_int_equal(amgr_holdback_judge(&world->limits, &world->snapshot,
                                         world->ledger, decision,
                                         AMGR_HELD_LOCK), AMGR_HOLDBACK_NONE);
    entry = amgr_ledger_find(world->ledger, &world_find(world, PID)->id);
    assert_true(entry->held_mono_us == 0);
    /* Of whom nothing can be remembered is not put off. */
    decision->step = AMGR_STEP_KILL;
    world_find(world, PID)->id.start_ticks++;
    assert_int_equal(amgr_holdback_judge(&world->limits, &world->snapshot,
                                         world->ledger, decision,
                                         AMGR_HELD_LOCK), AMGR_HOLDBACK_OVER);
    world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_lock_nothing_changes),
        cmocka_unit_test(a_single_worker_is_asked_instead),
        cmocka_unit_test(one_grace_period_and_no_more),
        cmocka_unit_test(the_grace_period_of_its_group),
        cmocka_unit_test(letting_go_buys_no_time),
        cmocka_unit_test(a_new_retirement_has_its_own),
        cmocka_unit_test(a_threaded_one_was_asked_before),
        cmocka_unit_test(one_that_was_only_announced),
        cmocka_unit_test(what_waits_for_nothing),
        cmocka_unit_test(one_that_outlives_its_generation),
        cmocka_unit_test(only_kills),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
