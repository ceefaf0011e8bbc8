/* SPDX-License-Identifier: Apache-2.0
 *
 * Counters that are followed from one tick to the next: none goes back, and
 * none believes more than can be true.
 */
#include "invented.h"

#include "action/counters.h"

static const amgr_counting_t two_cores = {
    .started_us = 100 * SEC,
    .uptime_us = 5 * SEC,
    .cores = 2,
    .slots = 10,
};

/* A tick at @a sec that measures so many seconds of CPU time. */
static void look(amgr_counters_t *counters, int sec, double user, double system)
{
    amgr_server_t server;

    memset(&server, 0, sizeof(server));
    server.time.mono_us = sec * SEC;
    server.cpu_user_seconds = user;
    server.cpu_system_seconds = system;
    amgr_counters_note_server(counters, &server, &two_cores);
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

/* A tick at @a sec, of a server with ten slots that was started at @a started
 * and whose scoreboard says so much. */
static void count(amgr_counters_t *counters, int started, int sec,
                  apr_uint64_t accesses, apr_uint64_t bytes,
                  apr_interval_time_t duration_us)
{
    amgr_counting_t how = {.cores = 1, .slots = 10};
    amgr_server_t server;

    memset(&server, 0, sizeof(server));
    server.time.mono_us = sec * SEC;
    server.total_accesses = accesses;
    server.total_bytes = bytes;
    server.total_duration_us = duration_us;
    how.started_us = started * SEC;
    how.uptime_us = (sec - started) * SEC;
    amgr_counters_note_server(counters, &server, &how);
}

static void expect_sums(const amgr_counters_t *counters, apr_uint64_t accesses,
                        apr_uint64_t bytes, apr_uint64_t duration_us)
{
    assert_int_equal(counters->totals.sums.accesses, accesses);
    assert_int_equal(counters->totals.sums.bytes, bytes);
    assert_int_equal(counters->totals.sums.duration_us, duration_us);
}

static void sums_are_followed_from_where_they_fall_to(void **state)
{
    amgr_counters_t counters;

    (void)state; /* cmocka's signature */
    memset(&counters, 0, sizeof(counters));
    count(&counters, 100, 110, 50, 5000, 7000);
    expect_sums(&counters, 50, 5000, 7000);
    assert_int_equal(counters.totals_mono_us, 110 * SEC);
    assert_int_equal(counters.totals.started_us, 100 * SEC);
    /* One of them alone. */
    count(&counters, 100, 120, 60, 6000, 0);
    expect_sums(&counters, 60, 6000, 7000);
    count(&counters, 100, 130, 61, 6000, 10);
    expect_sums(&counters, 61, 6000, 7010);
    count(&counters, 100, 140, 0, 0, -5000);
    expect_sums(&counters, 61, 6000, 7010);
    count(&counters, 100, 150, 5, 100, 3);
    expect_sums(&counters, 66, 6100, 7013);
    /* A clock that stands still, or goes back. */
    count(&counters, 100, 150, 6, 101, 3);
    count(&counters, 100, 140, 7, 102, 3);
    expect_sums(&counters, 68, 6102, 7013);
}

static void another_start_is_another_scoreboard(void **state)
{
    amgr_counters_t counters;

    (void)state; /* cmocka's signature */
    memset(&counters, 0, sizeof(counters));
    count(&counters, 100, 110, 50, 5000, 7000);
    /* It says more than the last one did. */
    count(&counters, 115, 120, 70, 7000, 9000);
    expect_sums(&counters, 120, 12000, 16000);
    assert_int_equal(counters.totals.started_us, 115 * SEC);
    count(&counters, 115, 130, 71, 7001, 9001);
    expect_sums(&counters, 121, 12001, 16001);
    /* A wall clock that was not set yet. */
    count(&counters, 0, 140, 1, 1, 1);
    expect_sums(&counters, 122, 12002, 16002);
    count(&counters, 0, 150, 2, 2, 2);
    expect_sums(&counters, 123, 12003, 16003);
}

static void counters_of_an_older_build_go_on(void **state)
{
    amgr_counters_t counters;

    (void)state; /* cmocka's signature */
    memset(&counters, 0, sizeof(counters));
    /* That told what the scoreboard said. */
    counters.totals.started_us = 100 * SEC;
    counters.totals.sums.accesses = 50;
    counters.totals.sums.bytes = 5000;
    counters.totals.sums.duration_us = 7000;
    count(&counters, 100, 110, 52, 5001, 7003);
    expect_sums(&counters, 52, 5001, 7003);
    count(&counters, 100, 120, 53, 5001, 7003);
    expect_sums(&counters, 53, 5001, 7003);
}

static void no_sum_grows_faster_than_a_server_can(void **state)
{
    apr_uint64_t most = (apr_uint64_t)10 * 100000 * SEC;
    amgr_counters_t counters;

    (void)state; /* cmocka's signature */
    memset(&counters, 0, sizeof(counters));
    count(&counters, 100, 110, APR_UINT64_MAX, APR_UINT64_MAX, APR_INT64_MAX);
    expect_sums(&counters, 10 * SEC, most, 100 * SEC);
    /* What is true afterwards counts. */
    count(&counters, 100, 120, 5, 5, 5);
    expect_sums(&counters, 10 * SEC, most, 100 * SEC);
    count(&counters, 100, 130, 6, 7, 8);
    expect_sums(&counters, 10 * SEC + 1, most + 2, 100 * SEC + 3);
    /* To and fro between two looks. */
    count(&counters, 100, 130, 0, 0, 0);
    count(&counters, 100, 131, APR_UINT64_MAX, APR_UINT64_MAX, APR_INT64_MAX);
    assert_true(counters.totals.sums.duration_us <= 310 * SEC);
    assert_true(counters.totals.sums.accesses <= 31 * SEC);
}

static void a_long_request_counts_in_full_when_it_ends(void **state)
{
    amgr_counters_t counters;
    int i;

    (void)state; /* cmocka's signature */
    memset(&counters, 0, sizeof(counters));
    for (i = 1; i <= 1000; i++) {
        count(&counters, 100, 100 + i * 10, 1, 10, 1);
    }
    /* Each of the ten for nearly as long as the server runs. */
    count(&counters, 100, 10110, 11, 10 + 1000 * SEC, 1 + 10 * 9990 * SEC);
    expect_sums(&counters, 11, 10 + 1000 * SEC, 1 + 10 * 9990 * SEC);
    /* But nobody saves for ever. */
    memset(&counters, 0, sizeof(counters));
    count(&counters, 100, 110, 0, 0, 0);
    count(&counters, 100, 100 + 30 * 86400, 0, 0, 0);
    count(&counters, 100, 110 + 30 * 86400, 0, 0, APR_INT64_MAX);
    assert_in_range(counters.totals.sums.duration_us, 86400 * 10 * SEC,
                    (30 * 86400 + 10) * 10 * SEC);
    count(&counters, 100, 110 + 30 * 86400, 0, 0, 0);
    for (i = 1; i <= 31; i++) {
        count(&counters, 100, 110 + (30 + i) * 86400, 0, 0, 0);
    }
    memset(&counters.totals, 0, sizeof(counters.totals));
    counters.totals.started_us = 100 * SEC;
    count(&counters, 100, 110 + 61 * 86400, 0, 0, APR_INT64_MAX);
    assert_int_equal(counters.totals.sums.duration_us, 86400 * 10 * SEC);
}

static void orphaned_locks_end_with_a_restart(void **state)
{
    amgr_counters_t counters;

    (void)state; /* cmocka's signature */
    memset(&counters, 0, sizeof(counters));
    count(&counters, 100, 110, 1, 1, 1);
    assert_int_equal(amgr_counters_orphaned(&counters, 100 * SEC), 0);
    counters.orphaned_locks = 2;
    count(&counters, 100, 120, 1, 1, 1);
    assert_int_equal(amgr_counters_orphaned(&counters, 100 * SEC), 2);
    /* Restarted, before the first tick and after it. */
    assert_int_equal(amgr_counters_orphaned(&counters, 200 * SEC), 0);
    count(&counters, 200, 210, 1, 1, 1);
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
        cmocka_unit_test(sums_are_followed_from_where_they_fall_to),
        cmocka_unit_test(another_start_is_another_scoreboard),
        cmocka_unit_test(counters_of_an_older_build_go_on),
        cmocka_unit_test(no_sum_grows_faster_than_a_server_can),
        cmocka_unit_test(a_long_request_counts_in_full_when_it_ends),
        cmocka_unit_test(orphaned_locks_end_with_a_restart),
        cmocka_unit_test(retirements_are_counted_by_reason),
        cmocka_unit_test(a_kill_is_as_old_as_its_oldest_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
