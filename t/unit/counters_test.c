/* SPDX-License-Identifier: Apache-2.0
 *
 * Counters that are followed from one tick to the next: none goes back, and
 * none believes more than can be true.
 */
#include "invented.h"

#include "action/counters.h"

/* A tick at @a sec that measures so many seconds of CPU time. */
static void look(amgr_counters_t *counters, int sec, double user, double system)
{
    amgr_server_t server;

    memset(&server, 0, sizeof(server));
    server.time.mono_us = sec * SEC;
    server.uptime_us = 5 * SEC;
    server.cpu_user_seconds = user;
    server.cpu_system_seconds = system;
    amgr_counters_note_cpu(counters, &server, 2);
}

static void cpu_time_rises_to_what_is_measured(void **state)
{
    amgr_counters_t counters;

    (void)state; /* cmocka's signature */
    memset(&counters, 0, sizeof(counters));
    look(&counters, 1000, 3.5, 1.25);
    assert_int_equal(counters.cpu_user_us, 3500000);
    assert_int_equal(counters.cpu_system_us, 1250000);
    assert_int_equal(counters.cpu_mono_us, 1000 * SEC);
    look(&counters, 1010, 13.5, 2.25);
    assert_int_equal(counters.cpu_user_us, 13500000);
    assert_int_equal(counters.cpu_system_us, 2250000);
}

static void cpu_time_never_goes_back(void **state)
{
    amgr_counters_t counters;

    (void)state; /* cmocka's signature */
    memset(&counters, 0, sizeof(counters));
    look(&counters, 1000, 5, 2);
    look(&counters, 1010, 1, 3);
    assert_int_equal(counters.cpu_user_us, 5 * SEC);
    assert_int_equal(counters.cpu_system_us, 3 * SEC);
    look(&counters, 1020, -1, 0.0 / 1.0);
    assert_int_equal(counters.cpu_user_us, 5 * SEC);
    assert_int_equal(counters.cpu_system_us, 3 * SEC);
    /* The clock of another boot. */
    look(&counters, 1, 500, 500);
    assert_int_equal(counters.cpu_user_us, 5 * SEC);
    look(&counters, 11, 6, 3);
    assert_int_equal(counters.cpu_user_us, 6 * SEC);
}

static void cpu_time_beyond_the_processors_comes_in_late(void **state)
{
    amgr_counters_t counters;

    (void)state; /* cmocka's signature */
    memset(&counters, 0, sizeof(counters));
    /* Five seconds on two processors. */
    look(&counters, 1000, 90, 30);
    assert_int_equal(counters.cpu_user_us, 7500000);
    assert_int_equal(counters.cpu_system_us, 2500000);
    look(&counters, 1010, 90, 30);
    assert_int_equal(counters.cpu_user_us + counters.cpu_system_us, 30 * SEC);
    look(&counters, 1100, 90, 30);
    assert_int_equal(counters.cpu_user_us, 90 * SEC);
    assert_int_equal(counters.cpu_system_us, 30 * SEC);
    /* What no sum can be true of. */
    look(&counters, 1101, 1e300, 31);
    assert_int_equal(counters.cpu_user_us, 90 * SEC);
    assert_int_equal(counters.cpu_system_us, 31 * SEC);
    look(&counters, 1102, 8e12, 31);
    assert_int_equal(counters.cpu_user_us, 92 * SEC);
}

static void totals(amgr_server_t *server, int started_sec,
                   apr_uint64_t accesses, apr_interval_time_t duration_us)
{
    memset(server, 0, sizeof(*server));
    server->started_us = started_sec * SEC;
    server->total_accesses = accesses;
    server->total_bytes = accesses * 10;
    server->total_duration_us = duration_us;
}

static void totals_of_one_scoreboard_never_go_back(void **state)
{
    amgr_counters_t counters;
    amgr_server_t server;
    amgr_totals_t out;

    (void)state; /* cmocka's signature */
    memset(&counters, 0, sizeof(counters));
    totals(&server, 100, 50, 7000);
    amgr_counters_totals(&counters, &server, &out);
    assert_int_equal(out.accesses, 50);
    amgr_counters_note_totals(&counters, &server);
    /* The wall clock was set back during a request. */
    totals(&server, 100, 60, -9000);
    amgr_counters_totals(&counters, &server, &out);
    assert_int_equal(out.accesses, 60);
    assert_int_equal(out.bytes, 600);
    assert_int_equal(out.duration_us, 7000);
    amgr_counters_note_totals(&counters, &server);
    totals(&server, 100, 59, 7001);
    amgr_counters_totals(&counters, &server, &out);
    assert_int_equal(out.accesses, 60);
    assert_int_equal(out.bytes, 600);
    assert_int_equal(out.duration_us, 7001);
}

static void another_scoreboard_begins_anew(void **state)
{
    amgr_counters_t counters;
    amgr_server_t server;
    amgr_totals_t out;

    (void)state; /* cmocka's signature */
    memset(&counters, 0, sizeof(counters));
    totals(&server, 100, 50, 7000);
    amgr_counters_note_totals(&counters, &server);
    totals(&server, 200, 1, 10);
    amgr_counters_totals(&counters, &server, &out);
    assert_int_equal(out.started_us, 200 * SEC);
    assert_int_equal(out.accesses, 1);
    assert_int_equal(out.duration_us, 10);
    amgr_counters_note_totals(&counters, &server);
    assert_int_equal(counters.totals.started_us, 200 * SEC);
    assert_int_equal(counters.totals.accesses, 1);
    amgr_counters_totals(&counters, &server, &out);
    assert_int_equal(out.accesses, 1);
}

static void orphaned_locks_end_with_a_restart(void **state)
{
    amgr_counters_t counters;
    amgr_server_t server;

    (void)state; /* cmocka's signature */
    memset(&counters, 0, sizeof(counters));
    totals(&server, 100, 1, 0);
    amgr_counters_note_totals(&counters, &server);
    assert_int_equal(amgr_counters_orphaned(&counters, 100 * SEC), 0);
    counters.orphaned_locks = 2;
    amgr_counters_note_totals(&counters, &server);
    assert_int_equal(amgr_counters_orphaned(&counters, 100 * SEC), 2);
    /* Restarted, before the first tick and after it. */
    assert_int_equal(amgr_counters_orphaned(&counters, 200 * SEC), 0);
    totals(&server, 200, 1, 0);
    amgr_counters_note_totals(&counters, &server);
    assert_int_equal(amgr_counters_orphaned(&counters, 200 * SEC), 0);
    counters.orphaned_locks++;
    assert_int_equal(amgr_counters_orphaned(&counters, 200 * SEC), 1);
    assert_int_equal(counters.orphaned_locks, 3);
    /* A reader that was torn apart. */
    counters.orphaned_before = 9;
    assert_int_equal(amgr_counters_orphaned(&counters, 200 * SEC), 0);
}

static void retirements_are_counted_by_reason(void **state)
{
    amgr_counters_t counters;

    (void)state; /* cmocka's signature */
    memset(&counters, 0, sizeof(counters));
    amgr_counters_note_retired(&counters, AMGR_VERDICT_TIME, 1);
    amgr_counters_note_retired(&counters, AMGR_VERDICT_TIME, 0);
    amgr_counters_note_retired(&counters, AMGR_VERDICT_REQUESTED, 0);
    amgr_counters_note_retired(&counters, AMGR_VERDICT_COUNT, 0);
    amgr_counters_note_retired(&counters, -1, 0);
    assert_int_equal(counters.killed_active, 1);
    assert_int_equal(counters.killed_idle, 4);
    assert_int_equal(counters.retired[AMGR_VERDICT_TIME], 2);
    assert_int_equal(counters.retired[AMGR_VERDICT_REQUESTED], 1);
}

static void a_kill_is_as_old_as_its_oldest_request(void **state)
{
    world_t *world = world_create(2, 3);
    amgr_counters_t counters;

    (void)state; /* cmocka's signature */
    memset(&counters, 0, sizeof(counters));
    world_natives(world, 2);
    amgr_counters_note_killed(&counters, &world->snapshot, 0, -1);
    assert_int_equal(counters.forced, 1);
    assert_int_equal(counters.requests_lost, 0);
    assert_int_equal(
        amgr_histogram_count(&counters.killed_ages, AMGR_HISTOGRAM_STEPS), 0);
    world_slot(world, 101, 0)->mode = AMGR_MODE_WRITE;
    world_slot(world, 101, 0)->request_age_us = 4 * SEC;
    world_slot(world, 101, 1)->mode = AMGR_MODE_WRITE;
    world_slot(world, 101, 1)->request_age_us = 61 * SEC;
    /* No request any more. */
    world_slot(world, 101, 2)->mode = AMGR_MODE_CLOSING;
    world_slot(world, 101, 2)->request_age_us = 5000 * SEC;
    amgr_counters_note_killed(&counters, &world->snapshot, 1, 2);
    assert_int_equal(counters.forced, 2);
    assert_int_equal(counters.requests_lost, 2);
    assert_int_equal(counters.killed_ages.sum_us, 61 * SEC);
    world->snapshot.streams[0].request_age_us = 100 * SEC;
    world_find(world, 101)->first_stream = 0;
    world_find(world, 101)->stream_count = 1;
    amgr_counters_note_killed(&counters, &world->snapshot, 1, 3);
    assert_int_equal(counters.killed_ages.sum_us, 161 * SEC);
    world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpu_time_rises_to_what_is_measured),
        cmocka_unit_test(cpu_time_never_goes_back),
        cmocka_unit_test(cpu_time_beyond_the_processors_comes_in_late),
        cmocka_unit_test(totals_of_one_scoreboard_never_go_back),
        cmocka_unit_test(another_scoreboard_begins_anew),
        cmocka_unit_test(orphaned_locks_end_with_a_restart),
        cmocka_unit_test(retirements_are_counted_by_reason),
        cmocka_unit_test(a_kill_is_as_old_as_its_oldest_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
