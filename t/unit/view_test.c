/* SPDX-License-Identifier: Apache-2.0
 *
 * What the writers ask of a view: health in its order of urgency, counts,
 * limits that apply, limits that are inert.
 */
#include "managed_view.h"

static fixed_view_t fixed;

/* A server with a limit, one worker process within it, and a fresh tick. */
static void make_healthy(void)
{
    view_empty(&fixed);
    fixed.snapshot.server.extended = 1;
    add_slot(&fixed, add_process(&fixed, 10, "native", AMGR_ROLE_WORKER,
                                 VIEW_MIB(10)), 0, 0, AMGR_MODE_READY);
    finish_view(&fixed);
    fixed.config.limits.max_memory_active_bytes = (apr_int64_t)VIEW_MIB(50);
    fixed.view.tick_wall_us = VIEW_NOW_US - VIEW_SEC(1);
}

static void expect(amgr_health_e health)
{
    amgr_view_counts_t counts;

    amgr_view_count(&fixed.view, &counts);
    assert_string_equal(amgr_health_word((int)counts.health),
                        amgr_health_word((int)health));
}

static void test_words(void **state)
{
    int i;
    int j;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_HEALTH_COUNT; i++) {
        assert_non_null(amgr_health_word(i));
        for (j = 0; j < i; j++) {
            assert_string_not_equal(amgr_health_word(i), amgr_health_word(j));
        }
    }
    assert_string_equal(amgr_health_word(-1), "unknown");
    assert_string_equal(amgr_health_word(AMGR_HEALTH_COUNT), "unknown");
}

/* Each step adds something more urgent to all before it. */
static void test_urgency(void **state)
{
    amgr_process_t *process = &fixed.processes[0];

    (void)state; /* cmocka's signature */
    make_healthy();
    expect(AMGR_HEALTH_OK);
    fixed.config.limits.max_time_us = VIEW_SEC(10);
    fixed.snapshot.server.extended = 0;
    expect(AMGR_HEALTH_INERT);
    process->verdict = AMGR_VERDICT_MEMORY_ACTIVE;
    process->cause = AMGR_CAUSE_MIN_AGE;
    expect(AMGR_HEALTH_OVER);
    fixed.snapshot.hanging = 1;
    expect(AMGR_HEALTH_HANGING);
    process->cause = AMGR_CAUSE_NONE;
    process->state = AMGR_STATE_RETIRING;
    expect(AMGR_HEALTH_RETIRING);
    process->state = AMGR_STATE_SERVING;
    process->cause = AMGR_CAUSE_STORM;
    expect(AMGR_HEALTH_STORM);
    fixed.config.can_signal = 0;
    expect(AMGR_HEALTH_NO_RIGHTS);
    fixed.view.tick_wall_us = VIEW_NOW_US - VIEW_SEC(36);
    expect(AMGR_HEALTH_STALE);
    fixed.config.no_monitor = 1;
    expect(AMGR_HEALTH_NO_MONITOR);
}

/* A server that was restarted is up for long before its first tick. */
static void test_waiting(void **state)
{
    (void)state; /* cmocka's signature */
    make_healthy();
    fixed.view.tick_wall_us = AMGR_NO_TIME;
    fixed.snapshot.server.uptime_us = VIEW_SEC(86400);
    fixed.view.configured_us = VIEW_NOW_US - VIEW_SEC(35);
    expect(AMGR_HEALTH_WAITING);
    fixed.view.configured_us -= 1;
    expect(AMGR_HEALTH_STALE);
    /* The wall clock was set back since. */
    fixed.view.configured_us = VIEW_NOW_US + VIEW_SEC(3600);
    expect(AMGR_HEALTH_WAITING);
    /* One of before. */
    fixed.view.tick_wall_us = VIEW_NOW_US - VIEW_SEC(36);
    expect(AMGR_HEALTH_WAITING);
    fixed.view.configured_us = VIEW_NOW_US - VIEW_SEC(36);
    expect(AMGR_HEALTH_STALE);
    fixed.view.tick_wall_us = AMGR_NO_TIME;
    /* Who does not know takes the server's. */
    fixed.view.configured_us = 0;
    expect(AMGR_HEALTH_STALE);
}

/* Managed processes among all the rest. */
static void test_managed(void **state)
{
    amgr_view_counts_t counts;

    (void)state; /* cmocka's signature */
    make_healthy();
    invent_healthy(&managed_table);
    fixed.view.managed = &managed_table;
    expect(AMGR_HEALTH_OK);
    managed_table.processes[0].ready = 0;
    expect(AMGR_HEALTH_NOT_READY);
    fixed.processes[0].state = AMGR_STATE_RETIRING;
    expect(AMGR_HEALTH_NOT_READY);
    fixed.processes[0].state = AMGR_STATE_SERVING;
    fixed.processes[0].verdict = AMGR_VERDICT_MEMORY_ACTIVE;
    fixed.processes[0].cause = AMGR_CAUSE_STORM;
    expect(AMGR_HEALTH_STORM);
    managed_table.processes[0].state = AMGR_MANAGED_FATAL;
    expect(AMGR_HEALTH_FAILED);
    amgr_view_count(&fixed.view, &counts);
    assert_int_equal(counts.managed_missed, 1);
    assert_int_equal(counts.managed_failed, 1);
    managed_table.supervisor = 0;
    expect(AMGR_HEALTH_NO_SUPERVISOR);
    managed_table.application = AMGR_APPLICATION_SHUTDOWN;
    expect(AMGR_HEALTH_FAILED);
    /* Without a tick they are told of too. */
    fixed.config.no_monitor = 1;
    expect(AMGR_HEALTH_FAILED);
    fixed.config.no_monitor = 0;
    fixed.view.tick_wall_us = AMGR_NO_TIME;
    expect(AMGR_HEALTH_FAILED);
    /* Nobody asked for it. */
    managed_table.processes[0].want = AMGR_MANAGED_WANT_DOWN;
    expect(AMGR_HEALTH_WAITING);
    fixed.view.tick_wall_us = VIEW_NOW_US - VIEW_SEC(36);
    managed_table.supervisor = 0;
    managed_table.application = AMGR_APPLICATION_DEGRADED;
    expect(AMGR_HEALTH_STALE);
}

static void test_quiet(void **state)
{
    (void)state; /* cmocka's signature */
    make_healthy();
    fixed.view.tick_wall_us = AMGR_NO_TIME;
    expect(AMGR_HEALTH_WAITING);
    make_healthy();
    fixed.config.limits.max_memory_active_bytes = AMGR_LIMIT_OFF;
    expect(AMGR_HEALTH_NO_LIMITS);
    /* Nothing to signal for: missing rights do not matter. */
    fixed.config.can_signal = 0;
    fixed.config.can_read_proc = 0;
    expect(AMGR_HEALTH_NO_LIMITS);
    fixed.snapshot.hanging = -1;
    expect(AMGR_HEALTH_NO_LIMITS);
    fixed.snapshot.hanging = 1;
    expect(AMGR_HEALTH_HANGING);
}

static void test_rights(void **state)
{
    (void)state; /* cmocka's signature */
    make_healthy();
    fixed.config.can_signal = 0;
    fixed.config.limits.dry_run = 1;
    expect(AMGR_HEALTH_OK);
    fixed.config.can_read_proc = 0;
    expect(AMGR_HEALTH_NO_RIGHTS);
}

static void test_stale(void **state)
{
    (void)state; /* cmocka's signature */
    make_healthy();
    fixed.view.tick_wall_us = VIEW_NOW_US - VIEW_SEC(35);
    expect(AMGR_HEALTH_OK);
    fixed.view.tick_wall_us -= 1;
    expect(AMGR_HEALTH_STALE);
    /* The wall clock was set back since the tick. */
    fixed.view.tick_wall_us = VIEW_NOW_US + VIEW_SEC(3600);
    expect(AMGR_HEALTH_OK);
}

static void test_inert(void **state)
{
    amgr_group_t *group = &fixed.snapshot.groups[0];

    (void)state; /* cmocka's signature */
    make_healthy();
    fixed.config.limits.max_memory_idle_bytes = (apr_int64_t)VIEW_MIB(5);
    assert_false(amgr_view_is_inert(&fixed.view));
    group->inert = 1;
    group->fresh_bytes = VIEW_MIB(6);
    assert_ptr_equal(amgr_view_inert_group(&fixed.view, 1), group);
    assert_null(amgr_view_inert_group(&fixed.view, 0));
    expect(AMGR_HEALTH_INERT);
    /* Over an inert limit is no worse than the limit being inert. */
    fixed.processes[0].verdict = AMGR_VERDICT_MEMORY_IDLE;
    fixed.processes[0].cause = AMGR_CAUSE_INERT;
    expect(AMGR_HEALTH_INERT);
    /* The idle limit is no business of a foreign group. */
    group->kind = AMGR_KIND_FOREIGN;
    assert_null(amgr_view_inert_group(&fixed.view, 1));
    fixed.config.limits.max_memory_active_bytes = (apr_int64_t)VIEW_MIB(5);
    assert_ptr_equal(amgr_view_inert_group(&fixed.view, 0), group);
    fixed.config.limits.max_memory_active_bytes = AMGR_LIMIT_OFF;
    assert_null(amgr_view_inert_group(&fixed.view, 0));
}

static void test_inert_reasons(void **state)
{
    amgr_limits_t *limits = &fixed.config.limits;
    amgr_group_t *group = &fixed.snapshot.groups[0];

    (void)state; /* cmocka's signature */
    make_healthy();
    limits->hard_memory_bytes = (apr_int64_t)VIEW_MIB(5);
    group->inert = 1;
    group->fresh_bytes = VIEW_MIB(6);
    assert_ptr_equal(amgr_view_inert_group(&fixed.view, AMGR_VIEW_HARD),
                     group);
    assert_null(amgr_view_inert_group(&fixed.view, AMGR_VIEW_IDLE));
    expect(AMGR_HEALTH_INERT);
    /* Its own limit is above. */
    limits->section_count = 1;
    limits->sections[0].hard_memory_bytes = (apr_int64_t)VIEW_MIB(7);
    group->section = 1;
    assert_null(amgr_view_inert_group(&fixed.view, AMGR_VIEW_HARD));
    make_healthy();
    limits->max_requests.limit = 5;
    assert_false(amgr_view_is_inert(&fixed.view));
    fixed.snapshot.server.extended = 0;
    assert_true(amgr_view_requests_are_inert(&fixed.view));
    expect(AMGR_HEALTH_INERT);
    make_healthy();
    limits->max_memory_total_percent = 50;
    fixed.snapshot.server.memory_capacity_bytes = AMGR_UNKNOWN;
    assert_true(amgr_view_total_is_inert(&fixed.view));
    expect(AMGR_HEALTH_INERT);
    fixed.snapshot.server.memory_capacity_bytes = VIEW_MIB(100);
    expect(AMGR_HEALTH_OK);
}

static void test_counts(void **state)
{
    amgr_view_counts_t counts;

    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    amgr_view_count(&fixed.view, &counts);
    assert_int_equal(counts.native, 6);
    assert_int_equal(counts.native_slots, 6);
    assert_int_equal(counts.foreign, 5);
    assert_int_equal(counts.retiring, 1);
    assert_int_equal(counts.over, 1);
    assert_int_equal(counts.causes[AMGR_CAUSE_MIN_AGE], 1);
}

static void test_memory_limit(void **state)
{
    const amgr_process_t *at = fixed.processes;
    apr_int64_t active = (apr_int64_t)VIEW_MIB(500);
    apr_int64_t idle = (apr_int64_t)VIEW_MIB(250);

    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    assert_true(amgr_view_memory_limit(&fixed.view, &at[0]) == idle);
    assert_true(amgr_view_memory_limit(&fixed.view, &at[1]) == active);
    /* A WSGI daemon obeys the active limit, others none. */
    assert_int_equal(at[6].role, AMGR_ROLE_WSGI);
    assert_true(amgr_view_memory_limit(&fixed.view, &at[6]) == active);
    assert_int_equal(at[10].role, AMGR_ROLE_DAEMON);
    assert_true(amgr_view_memory_limit(&fixed.view, &at[10])
                == AMGR_LIMIT_OFF);
}

static void test_slots(void **state)
{
    amgr_process_t *process = &fixed.processes[1];
    int count;

    (void)state; /* cmocka's signature */
    view_event(&fixed);
    assert_ptr_equal(amgr_view_slots(&fixed.view, process, 0, &count),
                     &fixed.slots[3]);
    assert_int_equal(count, 3);
    process->slot_count = 7;
    assert_null(amgr_view_slots(&fixed.view, process, 0, &count));
    assert_int_equal(count, 0);
    process->slot_count = 6;
    assert_non_null(amgr_view_slots(&fixed.view, process, 0, &count));
    process->first_slot = -3;
    assert_null(amgr_view_slots(&fixed.view, process, 0, &count));
}

/* Slots of rows that are four wide, of which two have letters. */
static int read_four(void *baton, const amgr_process_t *process, int first,
                     amgr_slot_t *out, int max)
{
    assert_int_equal(max, 1);
    (void)baton; /* the source's signature */
    out[0] = fixed.slots[0];
    out[0].mode = first == 3 ? AMGR_MODE_WRITE : AMGR_MODE_GRACEFUL;
    return first < process->slot_count;
}

static void read_two(void *baton, apr_int64_t first, char *out, int count)
{
    (void)baton; /* the source's signature */
    memcpy(out, "ab__cd" + first, (size_t)count);
}

/* A process from before a restart with fewer threads has slots without
 * letters, and none of the next row's. */
static void test_letters(void **state)
{
    amgr_slot_source_t source = {.read_slots = read_four,
                                 .read_letters = read_two,
                                 .columns = 2,
                                 .room = &fixed.slots[5],
                                 .room_max = 1};
    amgr_process_t *process = &fixed.processes[1];
    char letters[5] = "";

    (void)state; /* cmocka's signature */
    view_event(&fixed);
    fixed.view.source = &source;
    process->process_slot = 0;
    process->slot_count = 4;
    amgr_view_letters(&fixed.view, process, 0, letters, 4);
    assert_string_equal(letters, "abGW");
    amgr_view_letters(&fixed.view, process, 3, letters, 1);
    assert_string_equal(letters, "WbGW");
    process->process_slot = 2;
    process->slot_count = 2;
    amgr_view_letters(&fixed.view, process, 0, letters, 2);
    assert_string_equal(letters, "cdGW");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),   cmocka_unit_test(test_urgency),
        cmocka_unit_test(test_managed), cmocka_unit_test(test_quiet),
        cmocka_unit_test(test_rights),  cmocka_unit_test(test_stale),
        cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_inert),   cmocka_unit_test(test_inert_reasons),
        cmocka_unit_test(test_counts),  cmocka_unit_test(test_memory_limit),
        cmocka_unit_test(test_slots),   cmocka_unit_test(test_letters)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
