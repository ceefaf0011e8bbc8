/* SPDX-License-Identifier: Apache-2.0
 *
 * What follows from a snapshot: modes, timed slots, groups, activity and
 * statistics.
 */
#include <stdio.h>

#include "invented.h"

static void modes_have_letters_and_some_are_idle(void **state)
{
    const char *letters = ".S_RWKLDCGI";
    int mode;

    (void)state; /* cmocka's signature */
    assert_int_equal(strlen(letters), AMGR_MODE_COUNT);
    for (mode = 0; mode < AMGR_MODE_COUNT; mode++) {
        assert_int_equal(amgr_mode_letter(mode), letters[mode]);
        assert_int_equal(!!amgr_mode_is_idle(mode),
                         strchr("_I.", letters[mode]) != NULL);
    }
    assert_int_equal(amgr_mode_letter(-1), '?');
    assert_int_equal(amgr_mode_letter(AMGR_MODE_COUNT), '?');
    assert_false(amgr_mode_is_idle(-1));
    assert_false(amgr_mode_is_idle(AMGR_MODE_COUNT));
}

static void only_running_requests_are_timed(void **state)
{
    static const struct {
        int mode;
        apr_time_t start;
        apr_time_t stop;
        apr_time_t process;
        int timed;
    } cases[] = {
        {AMGR_MODE_WRITE, 11, 10, 5, 1},
        {AMGR_MODE_LOG, 11, 10, 5, 1},
        {AMGR_MODE_DNS, 11, 10, 5, 1},
        {AMGR_MODE_READ, 11, 10, 5, 0},
        {AMGR_MODE_KEEPALIVE, 11, 10, 5, 0},
        {AMGR_MODE_CLOSING, 11, 10, 5, 0},
        {AMGR_MODE_GRACEFUL, 11, 10, 5, 0},
        {AMGR_MODE_READY, 11, 10, 5, 0},
        {99, 11, 10, 5, 0},
        {AMGR_MODE_WRITE, 10, 10, 5, 0},  /* HTTP/2 */
        {AMGR_MODE_WRITE, 9, 10, 5, 0},   /* HTTP/2 */
        {AMGR_MODE_WRITE, 0, 0, 0, 0},    /* ExtendedStatus Off */
        {AMGR_MODE_WRITE, 11, 10, 12, 0}, /* a predecessor's */
        {AMGR_MODE_WRITE, 11, 10, 11, 1},
    };
    amgr_slot_t slot;
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        memset(&slot, 0, sizeof(slot));
        slot.mode = cases[i].mode;
        slot.start_time_us = cases[i].start;
        slot.stop_time_us = cases[i].stop;
        assert_int_equal(!!amgr_slot_is_timed(&slot, cases[i].process),
                         cases[i].timed);
    }
}

static void finds_processes_by_pid(void **state)
{
    world_t *world = world_create(9, 1);
    pid_t pid;

    (void)state; /* cmocka's signature */
    assert_null(amgr_snapshot_find(&world->snapshot, 100));
    for (pid = 100; pid < 118; pid += 2) {
        world_native(world, pid);
    }
    for (pid = 99; pid < 119; pid++) {
        amgr_process_t *found = amgr_snapshot_find(&world->snapshot, pid);

        if (pid % 2 != 0 || pid == 118) {
            assert_null(found);
        }
        else {
            assert_non_null(found);
            assert_int_equal(found->id.pid, pid);
        }
    }
    world_destroy(world);
}

static void groups_are_kept_apart_and_a_full_table_merges(void **state)
{
    world_t *world = world_create(1, 1);
    amgr_snapshot_t *snapshot = &world->snapshot;
    char name[100];
    int i;

    (void)state; /* cmocka's signature */
    assert_int_equal(
        amgr_snapshot_group(snapshot, "native", 0, AMGR_ROLE_WORKER), 0);
    assert_int_equal(amgr_snapshot_group(snapshot, "native", 1, AMGR_ROLE_WSGI),
                     1);
    assert_int_equal(
        amgr_snapshot_group(snapshot, "native", 0, AMGR_ROLE_WORKER), 0);
    assert_true(snapshot->groups[0].fresh_bytes == AMGR_UNKNOWN);
    assert_int_equal(snapshot->groups[1].kind, AMGR_KIND_FOREIGN);
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(amgr_snapshot_group(snapshot, name, 1, AMGR_ROLE_WSGI), 2);
    assert_int_equal(amgr_snapshot_group(snapshot, name, 1, AMGR_ROLE_WSGI), 2);
    assert_int_equal(strlen(snapshot->groups[2].name), AMGR_GROUP_NAME_LEN - 1);
    for (i = 3; i < 1000; i++) {
        int expected = i < AMGR_GROUPS_NAMED ? i : AMGR_GROUPS_NAMED;

        snprintf(name, sizeof(name), "group %d", i);
        assert_int_equal(amgr_snapshot_group(snapshot, name, 1, AMGR_ROLE_WSGI),
                         expected);
    }
    assert_int_equal(snapshot->group_count, AMGR_GROUPS_MAX);
    assert_string_equal(snapshot->groups[AMGR_GROUPS_NAMED].name, "other");
    assert_int_equal(snapshot->groups[AMGR_GROUPS_NAMED].role,
                     AMGR_ROLE_OTHER);
    assert_int_equal(snapshot->groups[AMGR_GROUPS_NAMED].kind,
                     AMGR_KIND_FOREIGN);
    /* Those that have a name keep it. */
    assert_int_equal(
        amgr_snapshot_group(snapshot, "group 9", 1, AMGR_ROLE_WSGI), 9);
    world_destroy(world);
}

static void the_other_group_takes_no_name_from_others(void **state)
{
    world_t *world = world_create(1, 1);
    amgr_snapshot_t *snapshot = &world->snapshot;
    char name[100];
    int i;

    (void)state; /* cmocka's signature */
    assert_int_equal(amgr_snapshot_other_group(snapshot), 0);
    assert_int_equal(amgr_snapshot_other_group(snapshot), 0);
    assert_int_equal(amgr_snapshot_group(snapshot, "other", 1, AMGR_ROLE_WSGI),
                     1);
    for (i = 2; i < AMGR_GROUPS_MAX; i++) {
        snprintf(name, sizeof(name), "group %d", i);
        assert_int_equal(amgr_snapshot_group(snapshot, name, 1, AMGR_ROLE_WSGI),
                         i);
    }
    assert_int_equal(amgr_snapshot_group(snapshot, "more", 1, AMGR_ROLE_WSGI),
                     0);
    assert_int_equal(snapshot->group_count, AMGR_GROUPS_MAX);
    world_destroy(world);
}

static void clearing_keeps_the_storage(void **state)
{
    world_t *world = world_create(4, 2);
    amgr_snapshot_t *snapshot = &world->snapshot;

    (void)state; /* cmocka's signature */
    world_natives(world, 2);
    snapshot->hanging = 3;
    snapshot->incomplete = 1;
    amgr_snapshot_clear(snapshot);
    assert_int_equal(snapshot->process_count, 0);
    assert_int_equal(snapshot->slot_count, 0);
    assert_int_equal(snapshot->group_count, 0);
    assert_int_equal(snapshot->hanging, 0);
    assert_int_equal(snapshot->incomplete, 0);
    assert_int_equal(snapshot->process_max, 4);
    assert_int_equal(snapshot->slot_max, 8);
    assert_non_null(snapshot->processes);
    assert_non_null(snapshot->slots);
    assert_true(snapshot->server.requests_per_second < 0);
    world_destroy(world);
}

static void completes_activity_accesses_and_groups(void **state)
{
    world_t *world = world_create(8, 3);
    amgr_snapshot_t *snapshot = &world->snapshot;

    (void)state; /* cmocka's signature */
    world_natives(world, 2);
    world_add(world, 200, AMGR_ROLE_WORKER, "native"); /* lost its row */
    world_add(world, 201, AMGR_ROLE_WSGI, "example");
    world_add(world, 202, AMGR_ROLE_DAEMON, "daemon");
    world_add(world, 203, AMGR_ROLE_PROGRAM, "program");
    world_slot(world, 101, 1)->mode = AMGR_MODE_KEEPALIVE;
    world_slot(world, 101, 2)->child_accesses = 40;
    world_find(world, 100)->rss_bytes = 30;
    world_find(world, 101)->rss_bytes = 10;
    world_find(world, 200)->rss_bytes = AMGR_UNKNOWN;
    amgr_snapshot_complete(snapshot, world->scratch);
    assert_int_equal(world_find(world, 100)->active, 0);
    assert_int_equal(world_find(world, 101)->active, 1);
    assert_int_equal(world_find(world, 200)->active, 1);
    assert_int_equal(world_find(world, 201)->active, 1);
    assert_int_equal(world_find(world, 202)->active, 0);
    assert_int_equal(world_find(world, 203)->active, 0);
    assert_int_equal(world_find(world, 100)->accesses, 21);
    assert_int_equal(world_find(world, 101)->accesses, 54);
    assert_int_equal(snapshot->groups[0].rss.count, 3);
    assert_int_equal(snapshot->groups[0].rss.known, 2);
    assert_int_equal(snapshot->groups[0].rss.sum, 40);
    assert_int_equal(snapshot->groups[0].rss.min, 10);
    assert_int_equal(snapshot->groups[0].rss.max, 30);
    assert_true(snapshot->groups[0].rss.median == 20.0);
    assert_int_equal(snapshot->groups[1].rss.count, 1);
    assert_int_equal(snapshot->groups[1].rss.sum, 10 * MB);
    world_destroy(world);
}

static void statistics_of_odd_even_and_none(void **state)
{
    apr_uint64_t odd[] = {9, 1, 5};
    apr_uint64_t even[] = {4, 1, 9, 2};
    amgr_stats_t stats;

    (void)state; /* cmocka's signature */
    amgr_stats_compute(&stats, odd, 3);
    assert_int_equal(stats.count, 3);
    assert_int_equal(stats.known, 3);
    assert_int_equal(stats.sum, 15);
    assert_int_equal(stats.min, 1);
    assert_int_equal(stats.max, 9);
    assert_true(stats.average == 5.0);
    assert_true(stats.median == 5.0);
    amgr_stats_compute(&stats, even, 4);
    assert_true(stats.average == 4.0);
    assert_true(stats.median == 3.0);
    amgr_stats_compute(&stats, even, 0);
    assert_int_equal(stats.count, 0);
    assert_int_equal(stats.sum, 0);
    assert_int_equal(stats.min, 0);
    assert_int_equal(stats.max, 0);
    assert_true(stats.average == 0.0);
    assert_true(stats.median == 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modes_have_letters_and_some_are_idle),
        cmocka_unit_test(only_running_requests_are_timed),
        cmocka_unit_test(finds_processes_by_pid),
        cmocka_unit_test(groups_are_kept_apart_and_a_full_table_merges),
        cmocka_unit_test(the_other_group_takes_no_name_from_others),
        cmocka_unit_test(clearing_keeps_the_storage),
        cmocka_unit_test(completes_activity_accesses_and_groups),
        cmocka_unit_test(statistics_of_odd_even_and_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
