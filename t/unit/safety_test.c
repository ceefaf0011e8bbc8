/* SPDX-License-Identifier: Apache-2.0
 *
 * The safety rules, one by one and in their order of precedence: rights,
 * inert limits, age, strikes, share, serving, dry run.
 */
#include "invented.h"

/* So many workers, all of 10 MB; the idle limit is 5 MB when asked for. */
static world_t *begin(int processes, int natives, int limited)
{
    world_t *world = world_create(processes, 2);

    world_natives(world, natives);
    world->limits.max_retiring.value = 100;
    if (limited) {
        world->limits.max_memory_idle_bytes = 5 * MB;
    }
    return world;
}

static void missing_rights_stop_everything(void **state)
{
    world_t *world = begin(8, 3, 1);

    (void)state; /* cmocka's signature */
    world->can_signal = 0;
    assert_int_equal(world_tick(world, 10 * SEC), 3);
    assert_int_equal(world_causes(world, AMGR_CAUSE_NO_RIGHTS), 3);
    assert_true(world->decisions[0].announce);
    assert_int_equal(world_find(world, 100)->cause, AMGR_CAUSE_NO_RIGHTS);
    world_tick(world, 10 * SEC);
    assert_false(world->decisions[0].announce);
    world->can_signal = 1;
    world_tick(world, 10 * SEC);
    assert_int_equal(world_causes(world, AMGR_CAUSE_NONE), 3);
    assert_true(world->decisions[0].announce);
    world_destroy(world);
}

static void a_failed_signal_is_not_tried_again(void **state)
{
    world_t *world = begin(8, 2, 1);
    int i;

    (void)state; /* cmocka's signature */
    world_tick(world, 10 * SEC);
    amgr_judge_done(&world->snapshot, world->ledger, &world->decisions[0], 0);
    assert_int_equal(world_find(world, 100)->state, AMGR_STATE_SERVING);
    for (i = 0; i < 3; i++) {
        world_tick(world, 10 * SEC);
        assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NO_RIGHTS);
        assert_false(world_decision(world, 100)->announce);
        assert_int_equal(world_cause(world, 101), AMGR_CAUSE_NONE);
    }
    amgr_ledger_restart(world->ledger);
    world_tick(world, 10 * SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NONE);
    world_destroy(world);
}

static void what_fails_for_now_is_tried_again_later(void **state)
{
    world_t *world = begin(8, 2, 1);

    (void)state; /* cmocka's signature */
    world_tick(world, 10 * SEC);
    amgr_judge_done(&world->snapshot, world->ledger, &world->decisions[0],
                    AMGR_SENT_LATER);
    world_tick(world, 5 * SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NO_RIGHTS);
    assert_false(world_decision(world, 100)->announce);
    world_tick(world, 5 * SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NONE);
    amgr_judge_done(&world->snapshot, world->ledger, world_decision(world, 100),
                    AMGR_SENT);
    world_tick(world, 1 * SEC);
    assert_int_equal(world_find(world, 100)->state, AMGR_STATE_RETIRING);
    world_destroy(world);
}

/* A worker that has done nothing yet. */
static amgr_process_t *fresh_native(world_t *world, pid_t pid, apr_int64_t mb)
{
    amgr_process_t *process = world_native(world, pid);

    world_slot(world, pid, 0)->child_accesses = 0;
    world_slot(world, pid, 1)->child_accesses = 0;
    process->rss_bytes = (apr_uint64_t)(mb * MB);
    return process;
}

static void limits_below_a_fresh_child_are_inert(void **state)
{
    static const struct {
        apr_int64_t active_mb; /* 0: off */
        apr_int64_t idle_mb;
        int inert;
        int idle_cause; /* of an idle and of an active process of 50 MB */
        int active_cause;
    } cases[] = {
        {0, 7, 1, AMGR_CAUSE_INERT, -1},
        {0, 8, 0, AMGR_CAUSE_NONE, -1}, /* just the fresh size */
        {7, 0, 1, -1, AMGR_CAUSE_INERT},
        {8, 0, 0, -1, AMGR_CAUSE_NONE},
        {7, 9, 1, AMGR_CAUSE_NONE, AMGR_CAUSE_INERT},
        {9, 7, 1, AMGR_CAUSE_INERT, AMGR_CAUSE_NONE},
        {9, 9, 0, AMGR_CAUSE_NONE, AMGR_CAUSE_NONE},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        world_t *world = begin(8, 2, 0);
        const amgr_group_t *group = &world->snapshot.groups[0];

        world_find(world, 100)->rss_bytes = (apr_uint64_t)(50 * MB);
        world_find(world, 101)->rss_bytes = (apr_uint64_t)(50 * MB);
        world_slot(world, 101, 0)->mode = AMGR_MODE_KEEPALIVE;
        fresh_native(world, 200, 9);
        fresh_native(world, 201, 8);
        if (cases[i].active_mb != 0) {
            world->limits.max_memory_active_bytes = cases[i].active_mb * MB;
        }
        if (cases[i].idle_mb != 0) {
            world->limits.max_memory_idle_bytes = cases[i].idle_mb * MB;
        }
        world_tick(world, 10 * SEC);
        assert_int_equal(group->fresh_bytes, 8 * MB);
        assert_int_equal(!!group->inert, cases[i].inert);
        assert_int_equal(world_cause(world, 100), cases[i].idle_cause);
        assert_int_equal(world_cause(world, 101), cases[i].active_cause);
        /* Growth later on does not count, and the smallest stays. */
        fresh_native(world, 202, 12);
        world_find(world, 201)->rss_bytes = 0;
        world_tick(world, 10 * SEC);
        assert_int_equal(group->fresh_bytes, 8 * MB);
        world_destroy(world);
    }
}

static void only_idle_newcomers_are_fresh(void **state)
{
    world_t *world = begin(8, 1, 1);
    const amgr_group_t *group = &world->snapshot.groups[0];

    (void)state; /* cmocka's signature */
    fresh_native(world, 200, 8);
    world_slot(world, 200, 0)->mode = AMGR_MODE_WRITE; /* HTTP/2, say */
    fresh_native(world, 201, 8)->rss_bytes = AMGR_UNKNOWN;
    world_tick(world, 10 * SEC);
    assert_true(group->fresh_bytes == AMGR_UNKNOWN);
    assert_false(group->inert);
    /* Idle now, but no newcomer any more. */
    world_slot(world, 200, 0)->mode = AMGR_MODE_READY;
    world_tick(world, 10 * SEC);
    assert_true(group->fresh_bytes == AMGR_UNKNOWN);
    fresh_native(world, 202, 6);
    world_tick(world, 10 * SEC);
    assert_int_equal(group->fresh_bytes, 6 * MB);
    assert_true(group->inert);
    /* A new configuration learns anew. */
    amgr_ledger_restart(world->ledger);
    world_tick(world, 10 * SEC);
    assert_true(group->fresh_bytes == AMGR_UNKNOWN);
    world_destroy(world);
}

static void without_extended_status_only_youth_is_fresh(void **state)
{
    world_t *world = begin(8, 0, 0);
    pid_t pid;

    (void)state; /* cmocka's signature */
    world->snapshot.server.extended = 0;
    fresh_native(world, 100, 8);
    world_tick(world, 10 * SEC);
    assert_true(world->snapshot.groups[0].fresh_bytes == AMGR_UNKNOWN);
    for (pid = 101; pid < 104; pid++) {
        assert_true(world->snapshot.groups[0].fresh_bytes == AMGR_UNKNOWN);
        fresh_native(world, pid, pid - 94);
        world_age(world, pid, 11 * SEC);
        world_tick(world, 10 * SEC);
    }
    assert_int_equal(world->snapshot.groups[0].fresh_bytes, 7 * MB);
    world_destroy(world);
}

/* A busy server shows no child that has not worked: several newborns will do,
 * but not one that leaked at once. */
static void newborns_tell_when_there_are_several(void **state)
{
    world_t *world = begin(8, 1, 0);
    const amgr_group_t *group = &world->snapshot.groups[0];

    (void)state; /* cmocka's signature */
    world->limits.max_memory_active_bytes = 5 * MB;
    world_native(world, 200)->rss_bytes = (apr_uint64_t)(50 * MB);
    world_age(world, 200, SEC);
    world_native(world, 201)->rss_bytes = (apr_uint64_t)(60 * MB);
    world_age(world, 201, SEC);
    world_tick(world, 10 * SEC);
    assert_true(group->fresh_bytes == AMGR_UNKNOWN);
    assert_false(group->inert);
    world_native(world, 202)->rss_bytes = (apr_uint64_t)(40 * MB);
    world_age(world, 202, SEC);
    world_tick(world, 10 * SEC);
    assert_int_equal(group->fresh_bytes, 40 * MB);
    assert_true(group->inert);
    /* A smaller one puts it right. */
    world_native(world, 203)->rss_bytes = (apr_uint64_t)(4 * MB);
    world_age(world, 203, SEC);
    world_tick(world, 10 * SEC);
    assert_int_equal(group->fresh_bytes, 4 * MB);
    assert_false(group->inert);
    world_destroy(world);
}

static void wsgi_daemons_have_a_fresh_size_too(void **state)
{
    world_t *world = begin(8, 0, 0);
    const amgr_group_t *group = &world->snapshot.groups[0];
    pid_t pid;

    (void)state; /* cmocka's signature */
    world->limits.max_memory_active_bytes = 9 * MB;
    world->limits.max_memory_idle_bytes = MB; /* not theirs */
    world_add(world, 100, AMGR_ROLE_WSGI, "example");
    world_age(world, 100, 12 * SEC); /* 22 s at the tick: too old */
    world_tick(world, 10 * SEC);
    assert_true(group->fresh_bytes == AMGR_UNKNOWN);
    for (pid = 101; pid < 104; pid++) {
        assert_true(group->fresh_bytes == AMGR_UNKNOWN);
        world_add(world, pid, AMGR_ROLE_WSGI, "example")->rss_bytes =
            (apr_uint64_t)((pid - 92) * MB);
        world_age(world, pid, 12 * SEC - 1);
        world_tick(world, 10 * SEC);
    }
    assert_int_equal(group->fresh_bytes, 9 * MB);
    assert_false(group->inert);
    world->limits.max_memory_active_bytes = 9 * MB - 1;
    world_tick(world, 10 * SEC);
    assert_true(group->inert);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_INERT);
    world_destroy(world);
}

/* RSS stands in for a figure that was not read, but proves nothing inert. */
static void rss_is_no_proof_of_an_inert_limit(void **state)
{
    world_t *world = begin(8, 0, 1);
    const amgr_group_t *group = &world->snapshot.groups[0];

    (void)state; /* cmocka's signature */
    world->limits.metric = AMGR_METRIC_PSS;
    fresh_native(world, 100, 6);
    world_tick(world, 10 * SEC);
    assert_true(group->fresh_bytes == AMGR_UNKNOWN);
    fresh_native(world, 101, 5);
    world_tick(world, 10 * SEC);
    assert_int_equal(group->fresh_bytes, 5 * MB);
    assert_false(group->inert);
    fresh_native(world, 102, 6)->pss_bytes = (apr_uint64_t)(2 * MB);
    world_tick(world, 10 * SEC);
    assert_int_equal(group->fresh_bytes, 2 * MB);
    world_destroy(world);
}

static void an_inert_limit_does_not_hide_a_hung_request(void **state)
{
    world_t *world = begin(8, 2, 0);

    (void)state; /* cmocka's signature */
    world->limits.max_memory_active_bytes = 5 * MB;
    world->limits.max_time_us = 15 * SEC;
    fresh_native(world, 200, 8);
    world_tick(world, 10 * SEC);
    world_begin(world, 100, 0);
    world_tick(world, 10 * SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_INERT);
    world_tick(world, 10 * SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NONE);
    assert_int_equal(world_decision(world, 100)->verdict, AMGR_VERDICT_TIME);
    world_destroy(world);
}

static void young_processes_are_spared(void **state)
{
    world_t *world = begin(8, 3, 1);

    (void)state; /* cmocka's signature */
    world_age(world, 100, 20 * SEC - 1);
    world_age(world, 101, 20 * SEC);
    world_tick(world, 10 * SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_MIN_AGE);
    assert_int_equal(world_cause(world, 101), AMGR_CAUSE_NONE);
    /* An age that is not known is young. */
    world_find(world, 102)->age_us = AMGR_NO_TIME;
    world->count = amgr_judge(&world->limits, &world->snapshot, world->ledger,
                              1, world->decisions, 8);
    assert_int_equal(world_cause(world, 102), AMGR_CAUSE_MIN_AGE);
    world->limits.min_age_us = 0;
    world->count = amgr_judge(&world->limits, &world->snapshot, world->ledger,
                              1, world->decisions, 8);
    assert_int_equal(world_cause(world, 102), AMGR_CAUSE_NONE);
    world_destroy(world);
}

static void strikes_are_ticks_in_a_row(void **state)
{
    static const int over[] = {1, 1, 0, 1, 1, 1, 1};
    static const int cause[] = {
        AMGR_CAUSE_STRIKES, AMGR_CAUSE_STRIKES, -1,
        AMGR_CAUSE_STRIKES, AMGR_CAUSE_STRIKES, AMGR_CAUSE_NONE,
        AMGR_CAUSE_NONE,
    };
    static const int news[] = {1, 0, 0, 1, 0, 1, 1};
    world_t *world = begin(8, 2, 1);
    size_t i;

    (void)state; /* cmocka's signature */
    world->limits.strikes = 3;
    world_find(world, 101)->rss_bytes = 0;
    for (i = 0; i < AMGR_COUNT(over); i++) {
        world_find(world, 100)->rss_bytes =
            (apr_uint64_t)(over[i] ? 6 * MB : 5 * MB);
        world_tick(world, 10 * SEC);
        assert_int_equal(world_cause(world, 100), cause[i]);
        if (world->count > 0) {
            assert_int_equal(!!world->decisions[0].announce, news[i]);
        }
    }
    world_destroy(world);
}

static void only_a_share_retires_at_a_time(void **state)
{
    world_t *world = begin(40, 20, 1);
    int i;

    (void)state;                           /* cmocka's signature */
    world->limits.max_retiring.value = 10; /* percent of 20 */
    world_find(world, 107)->rss_bytes = (apr_uint64_t)(80 * MB);
    world_find(world, 111)->rss_bytes = (apr_uint64_t)(90 * MB);
    assert_int_equal(world_tick(world, 10 * SEC), 20);
    assert_int_equal(world_causes(world, AMGR_CAUSE_NONE), 2);
    assert_int_equal(world_cause(world, 107), AMGR_CAUSE_NONE);
    assert_int_equal(world_cause(world, 111), AMGR_CAUSE_NONE);
    assert_int_equal(world_causes(world, AMGR_CAUSE_MAX_RETIRING), 18);
    world_apply(world);
    /* They are still there. */
    world_tick(world, 10 * SEC);
    assert_int_equal(world_causes(world, AMGR_CAUSE_MAX_RETIRING), 18);
    world_remove(world, 107);
    world_tick(world, 10 * SEC);
    /* 19 are left: one may go at a time, and one is going. */
    assert_int_equal(world_causes(world, AMGR_CAUSE_NONE), 0);
    world_remove(world, 111);
    world_tick(world, 10 * SEC);
    assert_int_equal(world_causes(world, AMGR_CAUSE_NONE), 1);
    /* Equals go by pid, and WSGI daemons count in the whole. */
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NONE);
    for (i = 0; i < 12; i++) {
        world_add(world, 200 + i, AMGR_ROLE_WSGI, "example");
        world_find(world, 200 + i)->rss_bytes = 1;
    }
    world_tick(world, 10 * SEC);
    assert_int_equal(world_causes(world, AMGR_CAUSE_NONE), 3);
    assert_int_equal(world_cause(world, 102), AMGR_CAUSE_NONE);
    world_destroy(world);
}

/* Another module vetoes, as it is asked by whoever acts. */
static void veto(world_t *world, pid_t pid, int is_news)
{
    amgr_decision_t *decision = world_decision(world, pid);

    assert_non_null(decision);
    assert_true(decision->cause == AMGR_CAUSE_NONE ||
                (decision->cause == AMGR_CAUSE_VETO && !decision->announce));
    amgr_judge_veto(&world->snapshot, world->ledger, decision);
    assert_int_equal(decision->cause, AMGR_CAUSE_VETO);
    assert_int_equal(!!decision->announce, is_news);
}

static void one_that_is_vetoed_holds_up_nobody(void **state)
{
    world_t *world = begin(20, 4, 1);
    int i;

    (void)state; /* cmocka's signature */
    world->limits.max_retiring.value = 1;
    world->limits.max_retiring.percent = 0;
    world->limits.hard_memory_bytes = 40 * MB;
    world_find(world, 100)->rss_bytes = (apr_uint64_t)(50 * MB);
    world_find(world, 101)->rss_bytes = (apr_uint64_t)(20 * MB);
    world_tick(world, 10 * SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NONE);
    veto(world, 100, 1);
    assert_int_equal(world_apply(world), 0);
    for (i = 1; i < 4; i++) {
        world_tick(world, 10 * SEC);
        assert_int_equal(world_causes(world, AMGR_CAUSE_NONE), 1);
        assert_int_equal(world_cause(world, 100 + i), AMGR_CAUSE_NONE);
        veto(world, 100, 0);
        assert_int_equal(world_apply(world), 1);
        world_tick(world, 1);
        /* Its place is taken, and it is asked about all the same. */
        assert_int_equal(world_cause(world, 100), AMGR_CAUSE_VETO);
        veto(world, 100, 0);
        world_remove(world, 100 + i);
    }
    world_tick(world, 10 * SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NONE);
    world_destroy(world);
}

/* It is not counted as one that goes. */
static void one_that_is_vetoed_goes_on_serving(void **state)
{
    world_t *world = begin(2, 2, 1);

    (void)state; /* cmocka's signature */
    world_find(world, 100)->rss_bytes = (apr_uint64_t)(50 * MB);
    world_tick(world, 10 * SEC);
    assert_int_equal(world_cause(world, 101), AMGR_CAUSE_MIN_SERVING);
    veto(world, 100, 1);
    world_tick(world, 10 * SEC);
    assert_int_equal(world_cause(world, 101), AMGR_CAUSE_NONE);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_VETO);
    veto(world, 100, 0);
    assert_int_equal(world_apply(world), 1);
    world_destroy(world);
}

/* Without a veto it goes at once, unless others were given its place: then it
 * has its turn before them. */
static void who_is_vetoed_no_more_has_its_turn(void **state)
{
    world_t *world = begin(20, 3, 1);
    amgr_decision_t *decision;

    (void)state; /* cmocka's signature */
    world->limits.max_retiring.value = 1;
    world->limits.max_retiring.percent = 0;
    world_find(world, 100)->rss_bytes = (apr_uint64_t)(50 * MB);
    world_tick(world, 10 * SEC);
    veto(world, 100, 1);
    world_tick(world, 10 * SEC);
    decision = world_decision(world, 100);
    amgr_judge_lift(&world->snapshot, world->ledger, decision);
    assert_int_equal(decision->cause, AMGR_CAUSE_MAX_RETIRING);
    assert_false(decision->announce);
    assert_int_equal(world_find(world, 100)->cause, AMGR_CAUSE_MAX_RETIRING);
    assert_int_equal(world_apply(world), 1);
    world_remove(world, 101);
    world_tick(world, 10 * SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NONE);
    assert_int_equal(world_cause(world, 102), AMGR_CAUSE_MAX_RETIRING);
    veto(world, 100, 1);
    world_remove(world, 102);
    world_tick(world, 10 * SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NONE);
    assert_int_equal(world_apply(world), 1);
    world_destroy(world);
}

/* SIGKILL itself does not help with a process that hangs in the kernel. */
static void one_that_outlives_its_kill_holds_up_nobody(void **state)
{
    world_t *world = begin(3, 3, 1);

    (void)state; /* cmocka's signature */
    world->limits.max_retiring.value = 1;
    world->limits.max_retiring.percent = 0;
    world->limits.min_serving = 2;
    world->limits.hard_memory_bytes = 40 * MB;
    world_find(world, 100)->rss_bytes = (apr_uint64_t)(50 * MB);
    world_tick(world, 10 * SEC);
    assert_int_equal(world_decision(world, 100)->step, AMGR_STEP_KILL);
    assert_int_equal(world_apply(world), 1);
    world_tick(world, 5 * SEC);
    assert_int_equal(world_causes(world, AMGR_CAUSE_MAX_RETIRING), 2);
    world_tick(world, 10 * SEC - 1);
    assert_int_equal(world_causes(world, AMGR_CAUSE_MAX_RETIRING), 2);
    /* It has a slot, and serves nobody. */
    world_tick(world, 1);
    assert_int_equal(world_causes(world, AMGR_CAUSE_MIN_SERVING), 2);
    world->limits.min_serving = 1;
    world_tick(world, 5 * SEC);
    assert_int_equal(world->count, 2);
    assert_int_equal(world_cause(world, 101), AMGR_CAUSE_NONE);
    assert_int_equal(world_cause(world, 102), AMGR_CAUSE_MAX_RETIRING);
    world_apply(world);
    /* One that was only asked is waited for. */
    world_tick(world, 20 * SEC);
    assert_int_equal(world_cause(world, 102), AMGR_CAUSE_MAX_RETIRING);
    world_destroy(world);
}

static void the_hung_go_before_the_fat(void **state)
{
    world_t *world = begin(20, 10, 1);

    (void)state; /* cmocka's signature */
    world->limits.max_retiring.value = 1;
    world->limits.max_retiring.percent = 0;
    world->limits.max_time_us = 5 * SEC;
    world_find(world, 103)->rss_bytes = (apr_uint64_t)(900 * MB);
    world_tick(world, 1);
    world_begin(world, 109, 0);
    world_tick(world, 6 * SEC);
    assert_int_equal(world_causes(world, AMGR_CAUSE_NONE), 1);
    assert_int_equal(world_cause(world, 109), AMGR_CAUSE_NONE);
    world_end(world, 109, 0);
    world_tick(world, 6 * SEC);
    assert_int_equal(world_cause(world, 103), AMGR_CAUSE_NONE);
    world_destroy(world);
}

static void the_last_that_serve_are_kept(void **state)
{
    static const struct {
        int natives;
        int max_processes;
        int min_serving;
        int granted;
    } cases[] = {
        {1, 1, 1, 0}, {1, 2, 1, 1}, {1, 1, 0, 1}, {3, 3, 1, 2},
        {3, 3, 2, 1}, {3, 4, 2, 2}, /* a free slot is good for one */
        {3, 5, 2, 3}, {3, 3, 9, 0}, {3, 0, 1, 2}, /* not known: no free slot */
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        world_t *world = begin(8, cases[i].natives, 1);

        world->snapshot.server.max_processes = cases[i].max_processes;
        world->limits.min_serving = cases[i].min_serving;
        world_tick(world, 10 * SEC);
        assert_int_equal(world_causes(world, AMGR_CAUSE_NONE),
                         cases[i].granted);
        assert_int_equal(world_causes(world, AMGR_CAUSE_MIN_SERVING),
                         cases[i].natives - cases[i].granted);
        world_destroy(world);
    }
}

static void each_bucket_keeps_one_that_serves(void **state)
{
    static const struct {
        int buckets;
        int natives;
        int min_serving;
        int granted;
    } cases[] = {
        {0, 6, 1, 6}, {1, 6, 1, 6}, /* free slots: every one may go */
        {2, 6, 1, 4}, {3, 6, 1, 3}, {6, 6, 1, 0},      {2, 5, 1, 3},
        {2, 1, 1, 0}, {2, 6, 0, 6}, {100000, 6, 1, 6},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        world_t *world = begin(8, cases[i].natives, 1);

        world->snapshot.server.max_processes = 64;
        world->snapshot.server.lone_buckets = cases[i].buckets;
        world->limits.min_serving = cases[i].min_serving;
        world_tick(world, 10 * SEC);
        assert_int_equal(world_causes(world, AMGR_CAUSE_NONE),
                         cases[i].granted);
        assert_int_equal(world_causes(world, AMGR_CAUSE_MIN_SERVING),
                         cases[i].natives - cases[i].granted);
        world_destroy(world);
    }
}

static void a_hung_one_does_not_keep_its_bucket(void **state)
{
    world_t *world = begin(4, 4, 0);

    (void)state; /* cmocka's signature */
    world->snapshot.server.max_processes = 64;
    world->snapshot.server.lone_buckets = 2;
    world->limits.max_time_us = 15 * SEC;
    world_tick(world, 10 * SEC);
    world_begin(world, 100, 0);
    world_begin(world, 100, 1);
    world_begin(world, 102, 0);
    world_begin(world, 102, 1);
    world_begin(world, 101, 0);
    world_tick(world, 20 * SEC);
    /* 100 and 102 serve nobody in theirs; 101 leaves 103. */
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NONE);
    assert_int_equal(world_cause(world, 102), AMGR_CAUSE_NONE);
    assert_int_equal(world_cause(world, 101), AMGR_CAUSE_NONE);
    world_state(world, 103, AMGR_STATE_STOPPING);
    world_judge(world);
    assert_int_equal(world_cause(world, 101), AMGR_CAUSE_MIN_SERVING);
    world_destroy(world);
}

static void who_does_not_serve_may_go(void **state)
{
    world_t *world = begin(2, 2, 0);

    (void)state; /* cmocka's signature */
    world->limits.max_time_us = 15 * SEC;
    world_tick(world, 10 * SEC);
    world_begin(world, 100, 0);
    world_begin(world, 101, 0);
    world_begin(world, 101, 1);
    world_tick(world, 20 * SEC);
    /* 101 hangs as a whole; 100 is the last with a free thread. */
    assert_int_equal(world_cause(world, 101), AMGR_CAUSE_NONE);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_MIN_SERVING);
    /* Hanging by the other threshold is hanging as well. */
    world->limits.max_time_us = AMGR_LIMIT_OFF;
    world->limits.hanging_us = 20 * SEC;
    world->limits.max_memory_active_bytes = MB;
    world_judge(world);
    assert_int_equal(world_cause(world, 101), AMGR_CAUSE_NONE);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_MIN_SERVING);
    world->limits.hanging_us = 20 * SEC + 1;
    world_judge(world);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NONE);
    assert_int_equal(world_cause(world, 101), AMGR_CAUSE_MIN_SERVING);
    /* One that httpd is stopping serves nobody. */
    world_state(world, 101, AMGR_STATE_STOPPING);
    world_judge(world);
    assert_int_equal(world_cause(world, 101), AMGR_CAUSE_NONE);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_MIN_SERVING);
    world_destroy(world);
}

static void retiring_ones_and_daemons_do_not_serve(void **state)
{
    world_t *world = begin(3, 2, 1);

    (void)state; /* cmocka's signature */
    world->snapshot.server.max_processes = 2;
    world_add(world, 200, AMGR_ROLE_WSGI, "example");
    world->limits.max_memory_active_bytes = 5 * MB;
    world_tick(world, 10 * SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NONE);
    assert_int_equal(world_cause(world, 101), AMGR_CAUSE_MIN_SERVING);
    assert_int_equal(world_cause(world, 200), AMGR_CAUSE_NONE);
    world_apply(world);
    world_tick(world, 10 * SEC);
    assert_int_equal(world_cause(world, 101), AMGR_CAUSE_MIN_SERVING);
    world_destroy(world);
}

static void a_dry_run_is_told_once_and_counts_for_nothing(void **state)
{
    world_t *world = begin(8, 4, 1);
    int tick;

    (void)state; /* cmocka's signature */
    world->limits.dry_run = 1;
    world->limits.max_retiring.value = 1;
    world->limits.max_retiring.percent = 0;
    for (tick = 0; tick < 6; tick++) {
        /* It shrinks for a while and is busy for a while. */
        world_find(world, 100)->rss_bytes =
            (apr_uint64_t)(tick == 2 ? MB : 10 * MB);
        world->limits.max_memory_active_bytes = 5 * MB;
        world_slot(world, 100, 0)->mode =
            tick == 4 ? AMGR_MODE_KEEPALIVE : AMGR_MODE_READY;
        world_tick(world, 10 * SEC);
        assert_int_equal(world_causes(world, AMGR_CAUSE_DRY_RUN),
                         tick == 2 ? 3 : 4);
        if (tick != 2) {
            assert_int_equal(!!world_decision(world, 100)->announce, tick == 0);
        }
        assert_int_equal(world_apply(world), 0);
        assert_int_equal(world_find(world, 101)->state, AMGR_STATE_SERVING);
    }
    /* The real thing begins where it would have begun. */
    world->limits.dry_run = 0;
    world_tick(world, 10 * SEC);
    assert_int_equal(world_causes(world, AMGR_CAUSE_NONE), 1);
    world_destroy(world);
}

static void who_has_no_room_in_the_ledger_is_never_retired(void **state)
{
    world_t *world = begin(8, 4, 1);

    (void)state; /* cmocka's signature */
    test_free(world->ledger);
    world->ledger =
        amgr_ledger_init(test_malloc(amgr_ledger_size(2, 16)), 2, 16, 2);
    world_tick(world, 10 * SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NONE);
    assert_int_equal(world_cause(world, 101), AMGR_CAUSE_NONE);
    assert_int_equal(world_cause(world, 102), AMGR_CAUSE_MAX_RETIRING);
    assert_int_equal(world_cause(world, 103), AMGR_CAUSE_MAX_RETIRING);
    assert_false(world_decision(world, 103)->announce);
    world_find(world, 100)->id.start_ticks = 0;
    world_tick(world, 10 * SEC);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_MAX_RETIRING);
    world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_rights_stop_everything),
        cmocka_unit_test(a_failed_signal_is_not_tried_again),
        cmocka_unit_test(what_fails_for_now_is_tried_again_later),
        cmocka_unit_test(limits_below_a_fresh_child_are_inert),
        cmocka_unit_test(only_idle_newcomers_are_fresh),
        cmocka_unit_test(without_extended_status_only_youth_is_fresh),
        cmocka_unit_test(newborns_tell_when_there_are_several),
        cmocka_unit_test(wsgi_daemons_have_a_fresh_size_too),
        cmocka_unit_test(rss_is_no_proof_of_an_inert_limit),
        cmocka_unit_test(an_inert_limit_does_not_hide_a_hung_request),
        cmocka_unit_test(young_processes_are_spared),
        cmocka_unit_test(strikes_are_ticks_in_a_row),
        cmocka_unit_test(only_a_share_retires_at_a_time),
        cmocka_unit_test(one_that_is_vetoed_holds_up_nobody),
        cmocka_unit_test(one_that_is_vetoed_goes_on_serving),
        cmocka_unit_test(who_is_vetoed_no_more_has_its_turn),
        cmocka_unit_test(one_that_outlives_its_kill_holds_up_nobody),
        cmocka_unit_test(the_hung_go_before_the_fat),
        cmocka_unit_test(the_last_that_serve_are_kept),
        cmocka_unit_test(each_bucket_keeps_one_that_serves),
        cmocka_unit_test(a_hung_one_does_not_keep_its_bucket),
        cmocka_unit_test(who_does_not_serve_may_go),
        cmocka_unit_test(retiring_ones_and_daemons_do_not_serve),
        cmocka_unit_test(a_dry_run_is_told_once_and_counts_for_nothing),
        cmocka_unit_test(who_has_no_room_in_the_ledger_is_never_retired),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
