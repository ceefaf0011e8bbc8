/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of a retirement: which comes first, what each waits for, and that
 * nothing a worker does can put off the last one for ever.
 */
#include "invented.h"

#define PID 101
#define GRACE (30 * SEC)

/* A server of two workers, of which PID is over its limit. */
static world_t *begin(int threads, int async)
{
    world_t *world = world_create(8, threads);

    world_natives(world, 2);
    world->snapshot.server.threaded = threads > 1;
    world->snapshot.server.async = async;
    world->limits.max_memory_active_bytes = 20 * MB;
    world->limits.max_memory_idle_bytes = 20 * MB;
    world->limits.max_time_us = 60 * SEC;
    world->limits.max_retiring.value = 50;
    world->limits.storm_count = 0;
    world_tick(world, SEC);
    world_find(world, PID)->rss_bytes = (apr_uint64_t)(30 * MB);
    world_find(world, PID)->threads = threads;
    return world;
}

/* One more tick; the step that was decided of PID, and taken. */
static int step(world_t *world, apr_interval_time_t span_us)
{
    const amgr_decision_t *decision;
    int taken;

    world_tick(world, span_us);
    decision = world_decision(world, PID);
    taken = decision == NULL ? AMGR_STEP_NONE : decision->step;
    if (decision != NULL) {
        assert_int_equal(decision->cause, AMGR_CAUSE_NONE);
    }
    world_apply(world);
    return taken;
}

static void heard(world_t *world)
{
    world_state(world, PID, AMGR_STATE_STOPPING);
}

static void an_idle_single_worker_is_asked_at_once(void **state)
{
    world_t *world = begin(1, 0);

    (void)state; /* cmocka's signature */
    assert_int_equal(step(world, SEC), AMGR_STEP_ASK);
    assert_int_equal(step(world, SEC), AMGR_STEP_NONE);
    world_destroy(world);
}

static void a_busy_one_is_announced_first(void **state)
{
    world_t *world = begin(1, 0);

    (void)state; /* cmocka's signature */
    world_begin(world, PID, 0);
    assert_int_equal(step(world, SEC), AMGR_STEP_ANNOUNCE);
    assert_int_equal(step(world, SEC), AMGR_STEP_NONE);
    assert_int_equal(step(world, SEC), AMGR_STEP_ASK);
    assert_int_equal(step(world, SEC), AMGR_STEP_NONE);
    world_destroy(world);
}

static void without_a_lame_duck_it_is_asked_at_once(void **state)
{
    world_t *world = begin(1, 0);

    (void)state; /* cmocka's signature */
    world->limits.lame_duck_us = AMGR_LIMIT_OFF;
    world_begin(world, PID, 0);
    assert_int_equal(step(world, SEC), AMGR_STEP_ASK);
    world_destroy(world);
}

/* A restart has taken the time away, or there was none and a program ran. */
static void announced_without_a_lame_duck_it_goes_on(void **state)
{
    world_t *world = begin(4, 1);

    (void)state; /* cmocka's signature */
    assert_int_equal(step(world, SEC), AMGR_STEP_ANNOUNCE);
    world->limits.lame_duck_us = AMGR_LIMIT_OFF;
    assert_int_equal(step(world, SEC), AMGR_STEP_ASK);
    world_destroy(world);
}

static void a_lame_duck_that_fell_idle_is_asked(void **state)
{
    world_t *world = begin(1, 0);

    (void)state; /* cmocka's signature */
    world_begin(world, PID, 0);
    assert_int_equal(step(world, SEC), AMGR_STEP_ANNOUNCE);
    world_end(world, PID, 0);
    assert_int_equal(step(world, SEC / 10), AMGR_STEP_ASK);
    world_destroy(world);
}

static void an_idle_threaded_one_is_announced(void **state)
{
    world_t *world = begin(4, 1);

    (void)state; /* cmocka's signature */
    assert_int_equal(step(world, SEC), AMGR_STEP_ANNOUNCE);
    assert_int_equal(step(world, SEC), AMGR_STEP_NONE);
    assert_int_equal(step(world, SEC), AMGR_STEP_ASK);
    world_destroy(world);
}

static void one_that_httpd_told_to_stop_is_not_announced(void **state)
{
    world_t *world = begin(4, 1);

    (void)state; /* cmocka's signature */
    heard(world);
    assert_int_equal(step(world, SEC), AMGR_STEP_ASK);
    world_destroy(world);
    world = begin(4, 1);
    assert_int_equal(step(world, SEC), AMGR_STEP_ANNOUNCE);
    heard(world);
    assert_int_equal(step(world, SEC / 10), AMGR_STEP_ASK);
    world_destroy(world);
}

static void it_is_killed_after_the_grace_period(void **state)
{
    world_t *world = begin(4, 1);
    int i;

    (void)state; /* cmocka's signature */
    world->limits.lame_duck_us = AMGR_LIMIT_OFF;
    world_begin(world, PID, 0);
    assert_int_equal(step(world, SEC), AMGR_STEP_ASK);
    heard(world);
    for (i = 1; i < GRACE / SEC; i++) {
        assert_int_equal(step(world, SEC), AMGR_STEP_NONE);
    }
    assert_int_equal(step(world, SEC), AMGR_STEP_KILL);
    assert_int_equal(step(world, 100 * SEC), AMGR_STEP_NONE);
    world_destroy(world);
}

/* What it was over may be over when the next step is taken: then no request is
 * to blame, and above all not that of the first slot, which is another's. */
static void a_step_without_a_reason_blames_no_slot(void **state)
{
    world_t *world = begin(4, 1);

    (void)state; /* cmocka's signature */
    world->limits.lame_duck_us = AMGR_LIMIT_OFF;
    world_begin(world, PID, 0);
    assert_int_equal(step(world, SEC), AMGR_STEP_ASK);
    heard(world);
    world_find(world, PID)->rss_bytes = (apr_uint64_t)(10 * MB);
    world_tick(world, GRACE);
    assert_int_equal(world_decision(world, PID)->step, AMGR_STEP_KILL);
    assert_int_equal(world_decision(world, PID)->slot, -1);
    world_destroy(world);
}

static void one_that_does_not_hear_is_asked_again(void **state)
{
    world_t *world = begin(4, 1);

    (void)state; /* cmocka's signature */
    world->limits.lame_duck_us = AMGR_LIMIT_OFF;
    world_begin(world, PID, 0);
    assert_int_equal(step(world, SEC), AMGR_STEP_ASK);
    assert_int_equal(step(world, SEC), AMGR_STEP_NONE);
    assert_int_equal(step(world, SEC), AMGR_STEP_ASK);
    assert_int_equal(step(world, 2 * SEC), AMGR_STEP_ASK);
    assert_int_equal(step(world, 2 * SEC), AMGR_STEP_NONE);
    /* The first moment without work is the best there will be. */
    world_end(world, PID, 0);
    assert_int_equal(step(world, SEC), AMGR_STEP_KILL);
    world_destroy(world);
}

static void nothing_but_what_is_over_its_time_is_not_waited_for(void **state)
{
    world_t *world = begin(1, 0);

    (void)state; /* cmocka's signature */
    world_find(world, PID)->rss_bytes = (apr_uint64_t)MB;
    world_begin(world, PID, 0);
    assert_int_equal(step(world, 40 * SEC), AMGR_STEP_NONE);
    assert_int_equal(step(world, 30 * SEC), AMGR_STEP_KILL);
    world_destroy(world);
    /* With threads another request may come in: first it stops taking any. */
    world = begin(4, 1);
    world_find(world, PID)->rss_bytes = (apr_uint64_t)MB;
    world_begin(world, PID, 2);
    assert_int_equal(step(world, 40 * SEC), AMGR_STEP_NONE);
    assert_int_equal(step(world, 30 * SEC), AMGR_STEP_ASK);
    assert_int_equal(step(world, SEC), AMGR_STEP_NONE);
    heard(world);
    assert_int_equal(step(world, SEC), AMGR_STEP_KILL);
    world_destroy(world);
}

static void event_marks_running_requests_as_finishing(void **state)
{
    world_t *world = begin(4, 1);

    (void)state; /* cmocka's signature */
    world_find(world, PID)->rss_bytes = (apr_uint64_t)MB;
    world_begin(world, PID, 2);
    assert_int_equal(step(world, 40 * SEC), AMGR_STEP_NONE);
    assert_int_equal(step(world, 30 * SEC), AMGR_STEP_ASK);
    heard(world);
    world_slot(world, PID, 2)->mode = AMGR_MODE_GRACEFUL;
    world_slot(world, PID, 3)->mode = AMGR_MODE_GRACEFUL;
    assert_int_equal(step(world, SEC), AMGR_STEP_KILL);
    assert_int_equal(world_decision(world, PID)->requests, 1);
    world_destroy(world);
}

static void others_in_flight_get_the_grace_period(void **state)
{
    world_t *world = begin(4, 1);

    (void)state; /* cmocka's signature */
    world_find(world, PID)->rss_bytes = (apr_uint64_t)MB;
    world_begin(world, PID, 0);
    assert_int_equal(step(world, 40 * SEC), AMGR_STEP_NONE);
    world_begin(world, PID, 1);
    assert_int_equal(step(world, 30 * SEC), AMGR_STEP_ANNOUNCE);
    assert_int_equal(step(world, 2 * SEC), AMGR_STEP_ASK);
    heard(world);
    assert_int_equal(step(world, 5 * SEC), AMGR_STEP_NONE);
    world_end(world, PID, 1);
    assert_int_equal(step(world, SEC), AMGR_STEP_KILL);
    world_destroy(world);
}

/* Asked, heard, without work; the steps of the next ticks. */
static void finished(world_t *world)
{
    world->limits.lame_duck_us = AMGR_LIMIT_OFF;
    assert_int_equal(step(world, SEC), AMGR_STEP_ASK);
    heard(world);
    assert_int_equal(step(world, SEC), AMGR_STEP_NONE);
    assert_int_equal(step(world, SEC), AMGR_STEP_NONE);
}

static void a_finished_single_one_is_nudged_and_then_killed(void **state)
{
    world_t *world = begin(1, 0);

    (void)state; /* cmocka's signature */
    finished(world);
    assert_int_equal(step(world, SEC), AMGR_STEP_NUDGE);
    assert_int_equal(step(world, SEC), AMGR_STEP_NONE);
    assert_int_equal(step(world, SEC), AMGR_STEP_KILL);
    world_destroy(world);
}

static void a_finished_worker_is_killed(void **state)
{
    world_t *world = begin(4, 0);

    (void)state; /* cmocka's signature */
    finished(world);
    assert_int_equal(step(world, SEC), AMGR_STEP_KILL);
    world_destroy(world);
}

/* Gigabytes take the kernel seconds: no signal makes that any faster, and it
 * has ended by itself. */
static void one_that_the_kernel_ends_is_not_killed(void **state)
{
    world_t *world = begin(4, 1);
    amgr_process_t *process = world_find(world, PID);

    (void)state; /* cmocka's signature */
    finished(world);
    process->threads = 1;
    assert_int_equal(step(world, SEC), AMGR_STEP_NONE);
    process->rss_bytes = AMGR_UNKNOWN;
    assert_int_equal(step(world, 5 * SEC), AMGR_STEP_NONE);
    assert_int_equal(step(world, GRACE), AMGR_STEP_KILL);
    world_destroy(world);
    world = begin(1, 0);
    finished(world);
    world_find(world, PID)->rss_bytes = AMGR_UNKNOWN;
    assert_int_equal(step(world, 5 * SEC), AMGR_STEP_NONE);
    world_destroy(world);
}

/* A tick of a large server reads some of it, and the rest at the next one. */
static void a_look_in_vain_does_not_begin_anew(void **state)
{
    world_t *world = begin(1, 0);
    apr_uint64_t rss_bytes = world_find(world, PID)->rss_bytes;

    (void)state; /* cmocka's signature */
    finished(world);
    world_find(world, PID)->rss_bytes = AMGR_UNKNOWN;
    assert_int_equal(step(world, SEC), AMGR_STEP_NONE);
    world_find(world, PID)->rss_bytes = rss_bytes;
    assert_int_equal(step(world, SEC), AMGR_STEP_NUDGE);
    world_destroy(world);
}

static void event_may_be_writing_while_it_has_threads(void **state)
{
    world_t *world = begin(4, 1);

    (void)state; /* cmocka's signature */
    finished(world);
    assert_int_equal(step(world, 10 * SEC), AMGR_STEP_NONE);
    world_find(world, PID)->threads = 1;
    assert_int_equal(step(world, SEC), AMGR_STEP_NONE);
    assert_int_equal(step(world, 2 * SEC), AMGR_STEP_KILL);
    world_destroy(world);
}

static void a_request_after_all_is_waited_for(void **state)
{
    world_t *world = begin(4, 0);

    (void)state; /* cmocka's signature */
    finished(world);
    world_begin(world, PID, 0);
    assert_int_equal(step(world, 5 * SEC), AMGR_STEP_NONE);
    world_end(world, PID, 0);
    assert_int_equal(step(world, SEC), AMGR_STEP_NONE);
    assert_int_equal(step(world, 2 * SEC), AMGR_STEP_KILL);
    world_destroy(world);
}

static void a_lost_row_tells_nothing(void **state)
{
    world_t *world = begin(4, 0);
    amgr_process_t *process = world_find(world, PID);

    (void)state; /* cmocka's signature */
    world->limits.lame_duck_us = AMGR_LIMIT_OFF;
    assert_int_equal(step(world, SEC), AMGR_STEP_ASK);
    heard(world);
    process->slot_count = 0;
    assert_int_equal(step(world, 10 * SEC), AMGR_STEP_NONE);
    assert_int_equal(step(world, 20 * SEC), AMGR_STEP_KILL);
    assert_int_equal(world_decision(world, PID)->requests, -1);
    world_destroy(world);
}

static void a_daemon_is_asked_and_given_its_time(void **state)
{
    world_t *world = begin(4, 1);
    amgr_process_t *daemon = world_add(world, 300, AMGR_ROLE_WSGI, "example");

    (void)state; /* cmocka's signature */
    world_find(world, PID)->rss_bytes = (apr_uint64_t)MB;
    daemon->rss_bytes = (apr_uint64_t)(30 * MB);
    world->limits.grace_us = 5 * SEC;
    world_tick(world, SEC);
    assert_int_equal(world_decision(world, 300)->step, AMGR_STEP_ASK);
    world_apply(world);
    world_tick(world, 4 * SEC);
    assert_null(world_decision(world, 300));
    world_tick(world, SEC);
    assert_int_equal(world_decision(world, 300)->step, AMGR_STEP_KILL);
    assert_int_equal(world_decision(world, 300)->requests, -1);
    world_destroy(world);
}

static void a_dry_run_takes_no_step(void **state)
{
    world_t *world = begin(4, 1);

    (void)state; /* cmocka's signature */
    assert_int_equal(step(world, SEC), AMGR_STEP_ANNOUNCE);
    world->limits.dry_run = 1;
    assert_int_equal(step(world, 100 * SEC), AMGR_STEP_NONE);
    world_destroy(world);
}

static void a_failed_step_ends_the_retirement(void **state)
{
    world_t *world = begin(1, 0);

    (void)state; /* cmocka's signature */
    world_tick(world, SEC);
    amgr_judge_done(&world->snapshot, world->ledger, world_decision(world, PID),
                    0);
    world_tick(world, SEC);
    assert_int_equal(world_cause(world, PID), AMGR_CAUSE_NO_RIGHTS);
    assert_int_equal(world_find(world, PID)->state, AMGR_STATE_SERVING);
    world_destroy(world);
}

static void a_drain_counts_against_the_share(void **state)
{
    world_t *world = begin(4, 1);

    (void)state; /* cmocka's signature */
    world->limits.grace_us = 3600 * SEC;
    world_begin(world, PID, 0);
    assert_int_equal(step(world, SEC), AMGR_STEP_ANNOUNCE);
    assert_int_equal(step(world, 2 * SEC), AMGR_STEP_ASK);
    heard(world);
    world_find(world, 100)->rss_bytes = (apr_uint64_t)(30 * MB);
    world_tick(world, 1000 * SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_MAX_RETIRING);
    world_remove(world, PID);
    world->limits.min_serving = 0;
    world_tick(world, SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NONE);
    world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_single_worker_is_asked_at_once),
        cmocka_unit_test(a_busy_one_is_announced_first),
        cmocka_unit_test(without_a_lame_duck_it_is_asked_at_once),
        cmocka_unit_test(announced_without_a_lame_duck_it_goes_on),
        cmocka_unit_test(a_lame_duck_that_fell_idle_is_asked),
        cmocka_unit_test(an_idle_threaded_one_is_announced),
        cmocka_unit_test(one_that_httpd_told_to_stop_is_not_announced),
        cmocka_unit_test(it_is_killed_after_the_grace_period),
        cmocka_unit_test(a_step_without_a_reason_blames_no_slot),
        cmocka_unit_test(one_that_does_not_hear_is_asked_again),
        cmocka_unit_test(nothing_but_what_is_over_its_time_is_not_waited_for),
        cmocka_unit_test(event_marks_running_requests_as_finishing),
        cmocka_unit_test(others_in_flight_get_the_grace_period),
        cmocka_unit_test(a_finished_single_one_is_nudged_and_then_killed),
        cmocka_unit_test(a_finished_worker_is_killed),
        cmocka_unit_test(one_that_the_kernel_ends_is_not_killed),
        cmocka_unit_test(a_look_in_vain_does_not_begin_anew),
        cmocka_unit_test(event_may_be_writing_while_it_has_threads),
        cmocka_unit_test(a_request_after_all_is_waited_for),
        cmocka_unit_test(a_lost_row_tells_nothing),
        cmocka_unit_test(a_daemon_is_asked_and_given_its_time),
        cmocka_unit_test(a_dry_run_takes_no_step),
        cmocka_unit_test(a_failed_step_ends_the_retirement),
        cmocka_unit_test(a_drain_counts_against_the_share),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
