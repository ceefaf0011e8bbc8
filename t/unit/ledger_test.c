/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory of policy: its layout, the table of processes that follows the
 * snapshot, and what a restart forgets.
 */
#include "invented.h"

typedef struct table_t {
    amgr_snapshot_t snapshot;
    amgr_process_t processes[16];
    amgr_ledger_t *ledger;
} table_t;

static void table_begin(table_t *table, int process_max)
{
    memset(table, 0, sizeof(*table));
    table->snapshot.processes = table->processes;
    table->snapshot.process_max = 16;
    table->ledger = amgr_ledger_init(
        test_malloc(amgr_ledger_size(process_max, 4)), process_max, 4, 2);
}

static void table_add(table_t *table, pid_t pid, apr_uint64_t start_ticks)
{
    amgr_process_t *process =
        &table->processes[table->snapshot.process_count++];

    process->id.pid = pid;
    process->id.start_ticks = start_ticks;
}

/* Follow a list of "pid.start" ids, ended by 0. */
static void follow(table_t *table, const int *ids)
{
    table->snapshot.process_count = 0;
    for (; *ids != 0; ids++) {
        table_add(table, *ids / 10, (apr_uint64_t)(*ids % 10));
    }
    amgr_ledger_follow(table->ledger, &table->snapshot);
}

static amgr_ledger_process_t *entry_of(table_t *table, int id)
{
    amgr_proc_id_t wanted = {id / 10, (apr_uint64_t)(id % 10)};

    return amgr_ledger_find(table->ledger, &wanted);
}

static void dimensions_must_fit(void **state)
{
    amgr_ledger_t *ledger =
        amgr_ledger_init(test_malloc(amgr_ledger_size(3, 8)), 3, 8, 4);

    (void)state; /* cmocka's signature */
    assert_true(amgr_ledger_fits(ledger, 3, 8, 4));
    assert_false(amgr_ledger_fits(ledger, 4, 8, 4));
    assert_false(amgr_ledger_fits(ledger, 3, 9, 4));
    assert_false(amgr_ledger_fits(ledger, 3, 8, 2));
    ledger->storm_next = AMGR_STORM_MAX;
    assert_false(amgr_ledger_fits(ledger, 3, 8, 4));
    ledger->storm_next = 0;
    ledger->group_count = -1;
    assert_false(amgr_ledger_fits(ledger, 3, 8, 4));
    ledger->group_count = 0;
    ledger->storm_count = AMGR_STORM_MAX + 1;
    assert_false(amgr_ledger_fits(ledger, 3, 8, 4));
    test_free(ledger);
}

static void tables_do_not_overlap(void **state)
{
    amgr_ledger_t *ledger =
        amgr_ledger_init(test_malloc(amgr_ledger_size(3, 8)), 3, 8, 4);
    char *end = (char *)ledger + amgr_ledger_size(3, 8);

    (void)state; /* cmocka's signature */
    assert_ptr_equal(amgr_ledger_processes(ledger), ledger + 1);
    assert_ptr_equal(amgr_ledger_slots(ledger),
                     amgr_ledger_processes(ledger) + 3);
    assert_ptr_equal(amgr_ledger_slots(ledger) + 8, end);
    test_free(ledger);
}

static void follows_births_and_deaths(void **state)
{
    table_t table;

    (void)state; /* cmocka's signature */
    table_begin(&table, 8);
    follow(&table, (int[]){101, 201, 301, 0});
    entry_of(&table, 201)->strikes = 5;
    entry_of(&table, 301)->retired_mono_us = 9;
    /* births before, between and after; a death in front */
    follow(&table, (int[]){51, 151, 201, 251, 301, 401, 0});
    assert_null(entry_of(&table, 101));
    assert_int_equal(entry_of(&table, 51)->ticks, 1);
    assert_int_equal(entry_of(&table, 151)->ticks, 1);
    assert_int_equal(entry_of(&table, 251)->ticks, 1);
    assert_int_equal(entry_of(&table, 401)->ticks, 1);
    assert_int_equal(entry_of(&table, 201)->ticks, 2);
    assert_int_equal(entry_of(&table, 201)->strikes, 5);
    assert_int_equal(entry_of(&table, 301)->retired_mono_us, 9);
    assert_int_equal(entry_of(&table, 251)->strikes, 0);
    follow(&table, (int[]){0});
    assert_null(entry_of(&table, 201));
    follow(&table, (int[]){201, 0});
    assert_int_equal(entry_of(&table, 201)->ticks, 1);
    assert_int_equal(entry_of(&table, 201)->strikes, 0);
    test_free(table.ledger);
}

static void another_start_time_is_another_process(void **state)
{
    table_t table;

    (void)state; /* cmocka's signature */
    table_begin(&table, 8);
    follow(&table, (int[]){101, 201, 301, 0});
    entry_of(&table, 201)->retired_mono_us = 7;
    follow(&table, (int[]){101, 202, 301, 0});
    assert_null(entry_of(&table, 201));
    assert_int_equal(entry_of(&table, 202)->retired_mono_us, 0);
    assert_int_equal(entry_of(&table, 202)->ticks, 1);
    assert_int_equal(entry_of(&table, 301)->ticks, 2);
    test_free(table.ledger);
}

static void unknown_start_time_has_no_entry(void **state)
{
    table_t table;

    (void)state; /* cmocka's signature */
    table_begin(&table, 8);
    follow(&table, (int[]){101, 200, 301, 0});
    assert_null(entry_of(&table, 200));
    assert_non_null(entry_of(&table, 101));
    assert_non_null(entry_of(&table, 301));
    test_free(table.ledger);
}

static void full_table_keeps_who_is_in_it(void **state)
{
    table_t table;

    (void)state; /* cmocka's signature */
    table_begin(&table, 3);
    follow(&table, (int[]){201, 401, 0});
    entry_of(&table, 401)->retired_mono_us = 7;
    follow(&table, (int[]){101, 201, 301, 401, 501, 0});
    assert_int_equal(entry_of(&table, 101)->ticks, 1);
    assert_int_equal(entry_of(&table, 201)->ticks, 2);
    assert_int_equal(entry_of(&table, 401)->ticks, 2);
    assert_int_equal(entry_of(&table, 401)->retired_mono_us, 7);
    assert_null(entry_of(&table, 301));
    assert_null(entry_of(&table, 501));
    follow(&table, (int[]){301, 401, 501, 0});
    assert_non_null(entry_of(&table, 301));
    assert_non_null(entry_of(&table, 501));
    test_free(table.ledger);
}

/* Whatever the order, nothing is written outside (the sanitizers watch) and
 * the table never holds more than there is. */
static void disorder_is_survived(void **state)
{
    table_t table;
    int used = 0;

    (void)state; /* cmocka's signature */
    table_begin(&table, 4);
    follow(&table, (int[]){301, 101, 201, 0});
    follow(&table, (int[]){201, 101, 101, 301, 51, 0});
    follow(&table, (int[]){101, 201, 301, 0});
    while (used < 4 && amgr_ledger_processes(table.ledger)[used].id.pid) {
        used++;
    }
    assert_int_equal(used, 3);
    assert_non_null(entry_of(&table, 101));
    assert_non_null(entry_of(&table, 201));
    assert_non_null(entry_of(&table, 301));
    test_free(table.ledger);
}

static void restart_forgets_all_but_the_facts(void **state)
{
    amgr_ledger_process_t *entry;
    table_t table;

    (void)state; /* cmocka's signature */
    table_begin(&table, 4);
    follow(&table, (int[]){101, 201, 0});
    entry = entry_of(&table, 101);
    entry->strikes = 3;
    entry->failed = 1;
    entry->dry_run_told = 1;
    entry->last_verdict = AMGR_VERDICT_TIME;
    entry->outdated_mono_us = 77;
    entry->last_cause = AMGR_CAUSE_STORM;
    entry->retired_mono_us = 77;
    amgr_ledger_slots(table.ledger)[1].seen_mono_us = 88;
    table.ledger->storm_open_mono_us = 5;
    table.ledger->storm_count = 2;
    table.ledger->total_strikes = 2;
    table.ledger->group_count = 2;
    amgr_ledger_restart(table.ledger);
    entry = entry_of(&table, 101);
    assert_int_equal(entry->strikes, 0);
    assert_int_equal(entry->failed, 0);
    assert_int_equal(entry->dry_run_told, 0);
    assert_int_equal(entry->last_verdict, 0);
    assert_int_equal(entry->outdated_mono_us, 77);
    assert_int_equal(entry->last_cause, 0);
    assert_int_equal(entry->retired_mono_us, 77);
    assert_int_equal(amgr_ledger_slots(table.ledger)[1].seen_mono_us, 88);
    assert_int_equal(table.ledger->storm_open_mono_us, 0);
    assert_int_equal(table.ledger->storm_count, 0);
    assert_int_equal(table.ledger->total_strikes, 0);
    assert_int_equal(table.ledger->group_count, 0);
    assert_true(amgr_ledger_fits(table.ledger, 4, 4, 2));
    test_free(table.ledger);
}

/* The memory moves to another process: nothing in it may be an address. */
static void survives_a_handover(void **state)
{
    world_t *world = world_create(8, 2);
    apr_size_t size = amgr_ledger_size(8, 16);
    amgr_ledger_t *copy = test_malloc(size);

    (void)state; /* cmocka's signature */
    world_natives(world, 8);
    world->limits.max_memory_idle_bytes = 9 * MB;
    world->limits.max_time_us = 15 * SEC;
    world_tick(world, 10 * SEC);
    world_begin(world, 103, 1);
    assert_int_equal(world_apply(world), 1);
    memcpy(copy, world->ledger, size);
    memset(world->ledger, 0xee, size);
    test_free(world->ledger);
    world->ledger = copy;
    assert_true(amgr_ledger_fits(copy, 8, 16, 2));
    world_tick(world, 10 * SEC);
    assert_int_equal(world_find(world, 100)->state, AMGR_STATE_RETIRING);
    assert_int_equal(world_cause(world, 100), -1);
    assert_int_equal(world_cause(world, 101), AMGR_CAUSE_MAX_RETIRING);
    assert_int_equal(world_slot(world, 103, 1)->request_age_us, 10 * SEC);
    world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dimensions_must_fit),
        cmocka_unit_test(tables_do_not_overlap),
        cmocka_unit_test(follows_births_and_deaths),
        cmocka_unit_test(another_start_time_is_another_process),
        cmocka_unit_test(unknown_start_time_has_no_entry),
        cmocka_unit_test(full_table_keeps_who_is_in_it),
        cmocka_unit_test(disorder_is_survived),
        cmocka_unit_test(restart_forgets_all_but_the_facts),
        cmocka_unit_test(survives_a_handover),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
