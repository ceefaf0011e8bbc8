/* SPDX-License-Identifier: Apache-2.0
 *
 * The hard limit, requests, lifetime and generation: when each holds, which of
 * several is told, and which safety rules it obeys.
 */
#include "invented.h"

#include "policy/judging.h"
#include "policy/reasons.h"

static amgr_jittered_t jittered(apr_int64_t limit, int percent)
{
    amgr_jittered_t out;

    memset(&out, 0, sizeof(out));
    out.limit = limit;
    out.jitter_percent = percent;
    return out;
}

static void set_rss(world_t *world, pid_t pid, apr_int64_t bytes)
{
    world_find(world, pid)->rss_bytes = (apr_uint64_t)bytes;
}

/* What is asked of a judgement from outside of it. */
static int is_forced(world_t *world, pid_t pid)
{
    amgr_judging_t tick;

    memset(&tick, 0, sizeof(tick));
    tick.limits = &world->limits;
    tick.snapshot = &world->snapshot;
    tick.ledger = world->ledger;
    tick.mono_us = world->snapshot.server.time.mono_us;
    return amgr_reasons_is_forced(&tick, world_find(world, pid));
}

static void own_limits_differ_and_stay(void **state)
{
    amgr_jittered_t limit = jittered(10000, 10);
    int seen[1001];
    int distinct = 0;
    apr_int64_t sum = 0;
    int i;

    (void)state; /* cmocka's signature */
    memset(seen, 0, sizeof(seen));
    /* Pids in a row, of one clock tick: children that were forked together. */
    for (i = 0; i < 1000; i++) {
        amgr_proc_id_t id = {1000 + i, 4242};
        apr_int64_t own = amgr_reasons_own_limit(&limit, &id, 1);

        assert_in_range(own, 9000, 10000);
        assert_int_equal(amgr_reasons_own_limit(&limit, &id, 1), own);
        distinct += seen[own - 9000]++ == 0;
        sum += own;
    }
    /* 1000 of 1001 by chance hit 632 of them. */
    assert_in_range(distinct, 560, 700);
    assert_in_range(sum / 1000, 9460, 9540);
}

static void own_limits_depend_on_life_and_salt(void **state)
{
    amgr_jittered_t limit = jittered(APR_INT64_C(1) << 40, 50);
    amgr_proc_id_t id = {77, 1000};
    amgr_proc_id_t later = {77, 1001};
    apr_int64_t own = amgr_reasons_own_limit(&limit, &id, 1);

    (void)state; /* cmocka's signature */
    assert_true(own != amgr_reasons_own_limit(&limit, &later, 1));
    assert_true(own != amgr_reasons_own_limit(&limit, &id, 2));
}

static void own_limits_at_the_edges(void **state)
{
    static const struct {
        apr_int64_t limit;
        int percent;
        apr_int64_t least;
    } cases[] = {
        {1, 99, 1},
        {2, 99, 1},
        {100, 0, 100},
        {100, 99, 1},
        {AMGR_LIMIT_OFF, 99, AMGR_LIMIT_OFF},
        {7, 10, 7},
        {APR_INT64_MAX - 1, 99, 1},
    };
    size_t i;
    int pid;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        amgr_jittered_t limit = jittered(cases[i].limit, cases[i].percent);

        for (pid = 1; pid < 200; pid++) {
            amgr_proc_id_t id = {pid, 5};
            apr_int64_t own = amgr_reasons_own_limit(&limit, &id, 1);

            assert_true(own >= cases[i].least && own <= cases[i].limit);
        }
    }
}

static void requests_are_strict_and_workers_alone(void **state)
{
    world_t *world = world_create(6, 2);
    const amgr_decision_t *decision;

    (void)state; /* cmocka's signature */
    world_natives(world, 2);
    world_add(world, 200, AMGR_ROLE_WSGI, "example")->accesses = 999;
    world->limits.max_requests = jittered(14, 0);
    world_tick(world, 10 * SEC);
    assert_int_equal(world->count, 0); /* 7 to each slot */
    world_slot(world, 101, 1)->child_accesses++;
    world_tick(world, 10 * SEC);
    assert_int_equal(world->count, 1);
    decision = world_decision(world, 101);
    assert_int_equal(decision->verdict, AMGR_VERDICT_REQUESTS);
    assert_int_equal(decision->cause, AMGR_CAUSE_NONE);
    assert_int_equal(decision->measured, 15);
    assert_int_equal(decision->limit, 14);
    assert_int_equal(decision->slot, -1);
    assert_int_equal(decision->force, 0);
    world_destroy(world);
}

static void lifetime_is_strict_and_for_daemons_too(void **state)
{
    world_t *world = world_create(6, 1);

    (void)state; /* cmocka's signature */
    world_natives(world, 2);
    world_add(world, 200, AMGR_ROLE_WSGI, "example");
    world_add(world, 201, AMGR_ROLE_DAEMON, "daemon");
    world->limits.max_lifetime_us = jittered(3600 * SEC, 0);
    world->limits.max_retiring.percent = 100;
    world->limits.max_retiring.value = 100;
    world_judge(world);
    assert_int_equal(world->count, 0);
    world_age(world, 100, 10 * SEC);
    world_tick(world, 1);
    assert_int_equal(world->count, 2);
    assert_int_equal(world_decision(world, 101)->verdict,
                     AMGR_VERDICT_LIFETIME);
    assert_int_equal(world_decision(world, 101)->measured, 3600 * SEC + 1);
    assert_int_equal(world_decision(world, 101)->limit, 3600 * SEC);
    assert_int_equal(world_decision(world, 101)->force, 0);
    assert_int_equal(world_cause(world, 200), AMGR_CAUSE_NONE);
    assert_int_equal(world_find(world, 201)->verdict, AMGR_VERDICT_EXEMPT);
    /* An age that is not known is none. */
    world_find(world, 101)->id.start_ticks = 0;
    world->born_us[1] = world->snapshot.server.time.boot_us + 1;
    world_judge(world);
    assert_int_equal(world_cause(world, 101), -1);
    world_destroy(world);
}

static void jitter_parts_those_born_together(void **state)
{
    world_t *world = world_create(40, 1);
    int due = 0;
    int i;

    (void)state; /* cmocka's signature */
    world_natives(world, 40);
    world->limits.max_lifetime_us = jittered(4000 * SEC, 50);
    for (i = 0; i < 40; i++) {
        world_age(world, 100 + i, 3000 * SEC);
    }
    world_judge(world);
    due = world->count;
    assert_in_range(due, 8, 32);
    world_judge(world);
    assert_int_equal(world->count, due);
    world_tick(world, 1001 * SEC);
    assert_int_equal(world->count, 40);
    world_destroy(world);
}

static void recycling_goes_a_few_at_a_time(void **state)
{
    world_t *world = world_create(30, 1);
    int tick;

    (void)state; /* cmocka's signature */
    world_natives(world, 20);
    world->snapshot.server.max_processes = 20;
    world->limits.max_requests = jittered(5, 0);
    world->limits.min_serving = 17;
    world_tick(world, 10 * SEC);
    assert_int_equal(world->count, 20);
    assert_int_equal(world_apply(world), 2); /* 10% */
    assert_int_equal(world_causes(world, AMGR_CAUSE_MAX_RETIRING), 18);
    world->limits.max_retiring.value = 100;
    for (tick = 0; tick < 3; tick++) {
        world_tick(world, 10 * SEC);
        assert_int_equal(world_apply(world), tick == 0);
        assert_int_equal(world_causes(world, AMGR_CAUSE_MIN_SERVING), 17);
    }
    world_destroy(world);
}

static void recycling_keeps_clear_of_the_breaker(void **state)
{
    world_t *world = world_create(64, 1);
    int tick;

    (void)state; /* cmocka's signature */
    world_natives(world, 40);
    world->limits.max_requests = jittered(5, 0);
    world->limits.max_retiring.percent = 0;
    world->limits.max_retiring.value = 1000;
    world->limits.min_serving = 0;
    world_tick(world, SEC);
    assert_int_equal(world_apply(world), 40);
    assert_int_equal(world->ledger->storm_count, 0);
    assert_int_equal(world->ledger->over_count, 0);
    for (tick = 0; tick < 20; tick++) {
        world_replace(world, 100 + tick, 200 + tick);
        world_age(world, 200 + tick, 3600 * SEC);
        world_tick(world, SEC);
        assert_int_equal(world_cause(world, 200 + tick), AMGR_CAUSE_NONE);
        world_apply(world);
    }
    assert_int_equal(world->ledger->storm_open_mono_us, 0);
    world_destroy(world);
}

static void recycling_does_not_make_up_for_what_is_left(void **state)
{
    world_t *world = world_create(8, 1);

    (void)state; /* cmocka's signature */
    world_natives(world, 4);
    world->limits.max_retiring.percent = 0;
    world->limits.max_retiring.value = 4;
    world_tick(world, SEC);
    world->limits.max_memory_idle_bytes = 20 * MB;
    world->limits.max_requests = jittered(7, 0);
    set_rss(world, 100, 30 * MB);
    set_rss(world, 101, 30 * MB);
    world_age(world, 101, SEC);
    world_slot(world, 102, 0)->child_accesses = 8;
    world_tick(world, SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NONE);
    assert_int_equal(world_cause(world, 101), AMGR_CAUSE_MIN_AGE);
    assert_int_equal(world_cause(world, 102), AMGR_CAUSE_NONE);
    assert_int_equal(world->ledger->over_count, 2);
    /* One is still over its limit: this is no moment without any. */
    assert_true(world->ledger->clear_mono_us !=
                world->snapshot.server.time.mono_us);
    world_destroy(world);
}

static void an_open_breaker_lets_recycling_go(void **state)
{
    world_t *world = world_create(8, 1);

    (void)state; /* cmocka's signature */
    world_natives(world, 4);
    world_tick(world, SEC);
    world->ledger->storm_open_mono_us =
        world->snapshot.server.time.mono_us - SEC;
    world->limits.max_memory_idle_bytes = 20 * MB;
    world->limits.max_requests = jittered(7, 0);
    set_rss(world, 100, 30 * MB);
    world_slot(world, 101, 0)->child_accesses = 8;
    world_tick(world, SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_STORM);
    assert_int_equal(world_cause(world, 101), AMGR_CAUSE_NONE);
    world_destroy(world);
}

static void hard_memory_skips_strikes_and_waiting(void **state)
{
    world_t *world = world_create(6, 4);
    const amgr_decision_t *decision;

    (void)state; /* cmocka's signature */
    world_natives(world, 3);
    world_add(world, 200, AMGR_ROLE_WSGI, "example");
    world->limits.max_retiring.percent = 0;
    world->limits.max_retiring.value = 10;
    world->limits.strikes = 5;
    world->limits.max_memory_idle_bytes = 20 * MB;
    world->limits.max_memory_active_bytes = 20 * MB;
    world->limits.hard_memory_bytes = 100 * MB;
    world_slot(world, 101, 2)->mode = AMGR_MODE_WRITE;
    set_rss(world, 100, 100 * MB);
    set_rss(world, 101, 100 * MB + 1);
    set_rss(world, 102, 101 * MB);
    set_rss(world, 200, 101 * MB);
    world_tick(world, SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_STRIKES);
    assert_int_equal(world_decision(world, 100)->force, 0);
    decision = world_decision(world, 101);
    assert_int_equal(decision->verdict, AMGR_VERDICT_MEMORY_HARD);
    assert_int_equal(decision->cause, AMGR_CAUSE_NONE);
    assert_int_equal(decision->measured, 100 * MB + 1);
    assert_int_equal(decision->limit, 100 * MB);
    assert_int_equal(decision->force, 1);
    assert_int_equal(decision->step, AMGR_STEP_KILL);
    assert_int_equal(world_cause(world, 102), AMGR_CAUSE_NONE);
    assert_int_equal(world_cause(world, 200), AMGR_CAUSE_NONE);
    world_destroy(world);
}

static void hard_memory_obeys_the_other_rules(void **state)
{
    world_t *world = world_create(4, 1);

    (void)state; /* cmocka's signature */
    world_natives(world, 2);
    world->limits.hard_memory_bytes = 100 * MB;
    set_rss(world, 100, 101 * MB);
    world_age(world, 100, SEC);
    world_tick(world, SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_MIN_AGE);
    world_age(world, 100, 3600 * SEC);
    world->snapshot.server.max_processes = 2;
    world->limits.min_serving = 2;
    world_tick(world, SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_MIN_SERVING);
    world->limits.min_serving = 1;
    world->ledger->storm_open_mono_us = world->snapshot.server.time.mono_us;
    world_tick(world, SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_STORM);
    world->limits.storm_count = 0;
    world->limits.dry_run = 1;
    world_tick(world, SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_DRY_RUN);
    world->limits.dry_run = 0;
    world->can_signal = 0;
    world_tick(world, SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NO_RIGHTS);
    world_destroy(world);
}

static void an_inert_limit_is_in_nobodys_way(void **state)
{
    world_t *world = world_create(4, 1);
    int i;

    (void)state; /* cmocka's signature */
    world_natives(world, 3);
    for (i = 0; i < 3; i++) {
        world_slot(world, 100 + i, 0)->child_accesses = 0;
    }
    world->limits.hard_memory_bytes = 5 * MB;
    world_tick(world, SEC);
    assert_int_equal(world->count, 3);
    assert_int_equal(world_decision(world, 100)->verdict,
                     AMGR_VERDICT_MEMORY_HARD);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_INERT);
    assert_true(world->snapshot.groups[0].inert);
    assert_int_equal(world->ledger->over_count, 0);
    assert_int_equal(is_forced(world, 100), 0);
    /* Nor is it in the way of the limit below it, of lifetime or of time. */
    world->limits.max_memory_idle_bytes = 5 * MB;
    world->limits.max_lifetime_us = jittered(10 * SEC, 0);
    world_tick(world, SEC);
    assert_int_equal(world_decision(world, 100)->verdict,
                     AMGR_VERDICT_LIFETIME);
    assert_int_equal(world_decision(world, 100)->force, 0);
    world->limits.max_time_us = 2 * SEC;
    world_begin(world, 101, 0);
    world_tick(world, SEC);
    world_tick(world, 5 * SEC);
    assert_int_equal(world_decision(world, 101)->verdict, AMGR_VERDICT_TIME);
    world_destroy(world);
}

/* Everything holds of one process; each in turn is switched off. */
static void precedence(void **state)
{
    world_t *world = world_create(4, 1);
    amgr_limits_t *limits = &world->limits;

    (void)state; /* cmocka's signature */
    world_natives(world, 2);
    world->limits.min_age_us = 1;
    world_tick(world, SEC);
    world_find(world, 101)->generation = 1;
    world_begin(world, 100, 0);
    world_tick(world, SEC);
    world_find(world, 100)->anon_bytes = (apr_uint64_t)(30 * MB);
    set_rss(world, 100, 30 * MB);
    limits->hard_memory_bytes = 20 * MB;
    limits->max_memory_active_bytes = 20 * MB;
    limits->max_time_us = 2 * SEC;
    limits->max_memory_total_bytes = 20 * MB;
    limits->max_generation_age_us = 2 * SEC;
    limits->max_requests = jittered(5, 0);
    limits->max_lifetime_us = jittered(5 * SEC, 0);
    world_tick(world, 5 * SEC);
    assert_int_equal(world_decision(world, 100)->verdict,
                     AMGR_VERDICT_MEMORY_HARD);
    limits->hard_memory_bytes = AMGR_LIMIT_OFF;
    world_judge(world);
    assert_int_equal(world_decision(world, 100)->verdict,
                     AMGR_VERDICT_MEMORY_ACTIVE);
    limits->max_memory_active_bytes = AMGR_LIMIT_OFF;
    world_judge(world);
    assert_int_equal(world_decision(world, 100)->verdict, AMGR_VERDICT_TIME);
    limits->max_time_us = AMGR_LIMIT_OFF;
    world_judge(world);
    assert_int_equal(world_decision(world, 100)->verdict,
                     AMGR_VERDICT_MEMORY_TOTAL);
    limits->max_memory_total_bytes = AMGR_LIMIT_OFF;
    world_judge(world);
    assert_int_equal(world_decision(world, 100)->verdict,
                     AMGR_VERDICT_GENERATION);
    limits->max_generation_age_us = AMGR_LIMIT_OFF;
    world_judge(world);
    assert_int_equal(world_decision(world, 100)->verdict,
                     AMGR_VERDICT_REQUESTS);
    limits->max_requests.limit = AMGR_LIMIT_OFF;
    world_judge(world);
    assert_int_equal(world_decision(world, 100)->verdict,
                     AMGR_VERDICT_LIFETIME);
    limits->max_lifetime_us.limit = AMGR_LIMIT_OFF;
    world_judge(world);
    assert_int_equal(world_cause(world, 100), -1);
    world_destroy(world);
}

static void urgency_decides_who_goes_first(void **state)
{
    world_t *world = world_create(8, 1);

    (void)state; /* cmocka's signature */
    world_natives(world, 4);
    world->limits.max_requests = jittered(1, 0); /* seven times over */
    world->limits.max_memory_idle_bytes = 20 * MB;
    world->limits.hard_memory_bytes = 100 * MB;
    world->limits.max_time_us = 5 * SEC;
    world_tick(world, SEC);
    world_begin(world, 102, 0);
    world_tick(world, SEC);
    set_rss(world, 101, 60 * MB);
    set_rss(world, 103, 101 * MB);
    world_tick(world, 50 * SEC);
    assert_int_equal(world_cause(world, 103), AMGR_CAUSE_NONE);
    assert_int_equal(world_causes(world, AMGR_CAUSE_MAX_RETIRING), 3);
    set_rss(world, 103, 10 * MB);
    world_judge(world);
    assert_int_equal(world_cause(world, 102), AMGR_CAUSE_NONE);
    world_end(world, 102, 0);
    world_judge(world);
    assert_int_equal(world_cause(world, 101), AMGR_CAUSE_NONE);
    set_rss(world, 101, 10 * MB);
    world_judge(world);
    assert_int_equal(world_causes(world, AMGR_CAUSE_NONE), 1);
    world_destroy(world);
}

static void old_generations_are_bound(void **state)
{
    world_t *world = world_create(8, 1);
    const amgr_decision_t *decision;

    (void)state; /* cmocka's signature */
    world_natives(world, 3);
    world->limits.max_generation_age_us = 60 * SEC;
    world->limits.min_age_us = 7200 * SEC;
    world->limits.min_serving = 3;
    world->snapshot.server.max_processes = 3;
    world_tick(world, SEC);
    /* A number in the scoreboard alone makes nobody old. */
    world->snapshot.server.generation = 9;
    world_tick(world, 100 * SEC);
    world_tick(world, 100 * SEC);
    assert_int_equal(world->count, 0);
    world_find(world, 102)->generation = 1;
    world_state(world, 100, AMGR_STATE_STOPPING);
    world_state(world, 101, AMGR_STATE_STOPPING);
    world_tick(world, SEC);
    world_tick(world, 60 * SEC);
    assert_int_equal(world->count, 0);
    world_tick(world, 1);
    assert_int_equal(world->count, 2);
    decision = world_decision(world, 101);
    assert_int_equal(decision->verdict, AMGR_VERDICT_GENERATION);
    assert_int_equal(decision->cause, AMGR_CAUSE_NONE);
    assert_int_equal(decision->measured, 60 * SEC + 1);
    assert_int_equal(decision->limit, 60 * SEC);
    assert_int_equal(decision->force, 1);
    assert_int_equal(decision->step, AMGR_STEP_KILL);
    /* Not one at a time, though no more than one may retire. */
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NONE);
    world->limits.dry_run = 1;
    world_judge(world);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_DRY_RUN);
    world->limits.dry_run = 0;
    world->can_signal = 0;
    world_judge(world);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NO_RIGHTS);
    world_destroy(world);
}

static void an_old_generation_is_not_recycled(void **state)
{
    world_t *world = world_create(8, 1);

    (void)state; /* cmocka's signature */
    world_natives(world, 2);
    world->limits.max_requests = jittered(5, 0);
    world->limits.max_lifetime_us = jittered(5 * SEC, 0);
    world_state(world, 100, AMGR_STATE_STOPPING);
    world_tick(world, SEC);
    assert_int_equal(world_cause(world, 100), -1);
    assert_int_equal(world_cause(world, 101), AMGR_CAUSE_NONE);
    world_destroy(world);
}

static void the_age_of_a_generation_outlives_a_restart(void **state)
{
    world_t *world = world_create(8, 1);

    (void)state; /* cmocka's signature */
    world_natives(world, 2);
    world_find(world, 101)->generation = 1;
    world_tick(world, SEC);
    amgr_ledger_restart(world->ledger);
    world->limits.max_generation_age_us = 10 * SEC;
    world_tick(world, 11 * SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NONE);
    world_destroy(world);
}

static void a_retiring_process_can_be_forced(void **state)
{
    world_t *world = world_create(8, 1);

    (void)state; /* cmocka's signature */
    world_natives(world, 3);
    world->limits.max_memory_idle_bytes = 20 * MB;
    world->limits.hard_memory_bytes = 100 * MB;
    set_rss(world, 100, 30 * MB);
    world_tick(world, SEC);
    assert_int_equal(world_apply(world), 1);
    assert_int_equal(is_forced(world, 100), 0);
    set_rss(world, 100, 101 * MB);
    world_tick(world, SEC);
    assert_int_equal(world_find(world, 100)->verdict, AMGR_VERDICT_MEMORY_HARD);
    assert_int_equal(is_forced(world, 100), 1);
    assert_int_equal(world_decision(world, 100)->follow_up, 1);
    assert_int_equal(world_decision(world, 100)->step, AMGR_STEP_KILL);
    world_find(world, 102)->generation = 1;
    world_tick(world, SEC);
    assert_int_equal(is_forced(world, 101), 0);
    world->limits.max_generation_age_us = 5 * SEC;
    world_tick(world, 6 * SEC);
    assert_int_equal(is_forced(world, 101), 1);
    assert_int_equal(is_forced(world, 102), 0);
    world_destroy(world);
}

static void a_wish_is_recycling_and_comes_last(void **state)
{
    world_t *world = world_create(20, 1);

    (void)state; /* cmocka's signature */
    world_natives(world, 10);
    world->limits.max_memory_idle_bytes = 100 * MB;
    world_find(world, 103)->wished = 1;
    world_find(world, 104)->wished = 1;
    set_rss(world, 104, 101 * MB);
    world_tick(world, SEC);
    assert_int_equal(world_find(world, 103)->verdict, AMGR_VERDICT_REQUESTED);
    assert_int_equal(world_decision(world, 103)->measured, AMGR_UNKNOWN);
    assert_int_equal(world_find(world, 104)->verdict, AMGR_VERDICT_MEMORY_IDLE);
    assert_int_equal(world_find(world, 105)->verdict, AMGR_VERDICT_OK);
    assert_true(amgr_reasons_is_routine(AMGR_VERDICT_REQUESTED));
    world_destroy(world);
}

static void words_of_verdicts(void **state)
{
    int verdict;

    (void)state; /* cmocka's signature */
    for (verdict = 0; verdict < AMGR_VERDICT_COUNT; verdict++) {
        const char *directive = amgr_reasons_directive(verdict);

        /* A module that wants a process gone needs no limit. */
        assert_int_equal(directive[0] != '\0',
                         verdict > AMGR_VERDICT_OK &&
                             verdict != AMGR_VERDICT_REQUESTED);
    }
    assert_string_equal(amgr_reasons_directive(-1), "");
    assert_string_equal(amgr_reasons_directive(AMGR_VERDICT_COUNT), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_limits_differ_and_stay),
        cmocka_unit_test(a_wish_is_recycling_and_comes_last),
        cmocka_unit_test(own_limits_depend_on_life_and_salt),
        cmocka_unit_test(own_limits_at_the_edges),
        cmocka_unit_test(requests_are_strict_and_workers_alone),
        cmocka_unit_test(lifetime_is_strict_and_for_daemons_too),
        cmocka_unit_test(jitter_parts_those_born_together),
        cmocka_unit_test(recycling_goes_a_few_at_a_time),
        cmocka_unit_test(recycling_keeps_clear_of_the_breaker),
        cmocka_unit_test(recycling_does_not_make_up_for_what_is_left),
        cmocka_unit_test(an_open_breaker_lets_recycling_go),
        cmocka_unit_test(hard_memory_skips_strikes_and_waiting),
        cmocka_unit_test(hard_memory_obeys_the_other_rules),
        cmocka_unit_test(an_inert_limit_is_in_nobodys_way),
        cmocka_unit_test(precedence),
        cmocka_unit_test(urgency_decides_who_goes_first),
        cmocka_unit_test(old_generations_are_bound),
        cmocka_unit_test(an_old_generation_is_not_recycled),
        cmocka_unit_test(the_age_of_a_generation_outlives_a_restart),
        cmocka_unit_test(a_retiring_process_can_be_forced),
        cmocka_unit_test(words_of_verdicts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
