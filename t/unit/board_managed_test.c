/* SPDX-License-Identifier: Apache-2.0
 *
 * The board's table of managed processes: written and read, by supervisors
 * that are killed in the middle, by builds that know of none, and carried into
 * a board of other dimensions.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "invented_board.h"
#include "invented_managed.h"

static amgr_managed_table_t table;
static amgr_managed_table_t out;

static amgr_board_managed_t *region_of(amgr_board_t *board)
{
    return amgr_board_at_rw(board, board->managed_at);
}

static void what_is_written_is_read(void **state)
{
    fixture_t *fixture = *state;

    assert_int_equal(amgr_board_read_managed(fixture->board, &out),
                     APR_NOTFOUND);
    assert_int_equal(amgr_board_managed_revision(fixture->board), 0);
    invent_managed(&table);
    amgr_board_write_managed(fixture->board, &table);
    memset(&out, 0, sizeof(out));
    assert_int_equal(amgr_board_read_managed(fixture->board, &out),
                     APR_SUCCESS);
    assert_memory_equal(&out, &table, sizeof(out));
    assert_int_equal(amgr_board_managed_revision(fixture->board), 12);
    assert_int_equal(amgr_board_check(fixture->board, fixture->size, &dims),
                     APR_SUCCESS);
}

/* Only as many rows as there are, of the room for 64. */
static void rows_that_are_not_there_cost_nothing(void **state)
{
    fixture_t *fixture = *state;

    invent_managed(&table);
    strcpy(table.processes[20].name, "behind");
    amgr_board_write_managed(fixture->board, &table);
    assert_string_equal(region_of(fixture->board)->table.processes[20].name,
                        "");
    strcpy(region_of(fixture->board)->table.processes[20].name, "behind");
    memset(&out, 0, sizeof(out));
    assert_int_equal(amgr_board_read_managed(fixture->board, &out),
                     APR_SUCCESS);
    assert_string_equal(out.processes[20].name, "");
    /* As many as there is room for. */
    table.count = AMGR_MANAGED_MAX;
    strcpy(table.processes[63].name, "last");
    amgr_board_write_managed(fixture->board, &table);
    assert_int_equal(amgr_board_read_managed(fixture->board, &out),
                     APR_SUCCESS);
    assert_string_equal(out.processes[63].name, "last");
    table.count = AMGR_MANAGED_MAX + 1;
    amgr_board_write_managed(fixture->board, &table);
    assert_int_equal(amgr_board_read_managed(fixture->board, &out),
                     APR_SUCCESS);
    assert_int_equal(out.count, AMGR_MANAGED_MAX);
    assert_int_equal(amgr_board_check(fixture->board, fixture->size, &dims),
                     APR_SUCCESS);
}

static void damage_is_bounded(void **state)
{
    fixture_t *fixture = *state;
    amgr_board_managed_t *region = region_of(fixture->board);

    invent_managed(&table);
    amgr_board_write_managed(fixture->board, &table);
    region->table.count = 2147483647;
    memset(region->table.processes, 'x', sizeof(region->table.processes));
    assert_int_equal(amgr_board_read_managed(fixture->board, &out),
                     APR_SUCCESS);
    assert_int_equal(out.count, AMGR_MANAGED_MAX);
    assert_int_equal(strlen(out.processes[63].status),
                     AMGR_MANAGED_TEXT_LEN - 1);
    region->table.count = -1;
    assert_int_equal(amgr_board_read_managed(fixture->board, &out),
                     APR_SUCCESS);
    assert_int_equal(out.count, 0);
}

/* Told all the same, and soon; the next supervisor mends it. */
static void a_dead_writer_leaves_what_it_wrote(void **state)
{
    fixture_t *fixture = *state;
    amgr_board_managed_t *region = region_of(fixture->board);
    apr_time_t begun_us;

    invent_managed(&table);
    amgr_board_write_managed(fixture->board, &table);
    region->seq++;
    memset(region->table.processes[1].name, 'x', AMGR_MANAGED_NAME_LEN);
    begun_us = amgr_clock_monotonic_us();
    assert_int_equal(amgr_board_read_managed(fixture->board, &out), APR_EAGAIN);
    /* Under 1 ms, but for whoever else uses this machine. */
    assert_true(amgr_clock_monotonic_us() - begun_us < 500000);
    assert_int_equal(out.count, 10);
    assert_string_equal(out.processes[0].name, "postgres");
    assert_int_equal(strlen(out.processes[1].name), AMGR_MANAGED_NAME_LEN - 1);
    amgr_board_write_managed(fixture->board, &table);
    assert_int_equal(region->seq % 2, 0);
    assert_int_equal(amgr_board_read_managed(fixture->board, &out),
                     APR_SUCCESS);
    assert_string_equal(out.processes[1].name, "migrate");
}

/* Every number of it says the same. */
static void write_until_killed(amgr_board_t *board)
{
    apr_uint64_t value = 1;
    int i;

    for (;; value++) {
        table.revision = value;
        for (i = 0; i < table.count; i++) {
            table.processes[i].starts = value;
            table.processes[i].output_dropped = value;
        }
        amgr_board_write_managed(board, &table);
    }
}

static int is_whole(void)
{
    int i;

    for (i = 0; i < out.count; i++) {
        if (out.processes[i].starts != out.revision ||
            out.processes[i].output_dropped != out.revision) {
            return 0;
        }
    }
    return out.count == 10;
}

static void readers_see_whole_tables(void **state)
{
    fixture_t *fixture = *state;
    int round;

    invent_managed(&table);
    for (round = 0; round < 10; round++) {
        pid_t pid = fork();
        apr_time_t until_us = amgr_clock_monotonic_us() + apr_time_from_sec(20);
        int seen = 0;
        int status;

        if (pid == 0) {
            write_until_killed(fixture->board);
        }
        assert_true(pid > 0);
        while (seen < 200 && amgr_clock_monotonic_us() < until_us) {
            if (amgr_board_read_managed(fixture->board, &out) == APR_SUCCESS &&
                out.revision != 12) {
                seen++;
                if (!is_whole()) {
                    kill(pid, SIGKILL);
                    fail_msg("half a table was read");
                }
            }
        }
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(seen, 200);
        amgr_board_write_managed(fixture->board, &table);
        assert_int_equal(amgr_board_read_managed(fixture->board, &out),
                         APR_SUCCESS);
        assert_int_equal(out.revision, 12);
    }
}

static void carried_to_another_layout(void **state)
{
    fixture_t *fixture = *state;
    amgr_board_dims_t larger = {
        .process_max = 80, .slot_max = 160, .thread_limit = 2};
    amgr_board_t *board;
    apr_size_t size;

    board = map_board(&larger, &size);
    assert_int_equal(amgr_board_carry(board, fixture->board), AMGR_CARRY_ALL);
    assert_int_equal(amgr_board_read_managed(board, &out), APR_NOTFOUND);
    invent_managed(&table);
    amgr_board_write_managed(fixture->board, &table);
    region_of(fixture->board)->table.processes[0].state = 99;
    assert_int_equal(amgr_board_carry(board, fixture->board), AMGR_CARRY_ALL);
    assert_int_equal(amgr_board_read_managed(board, &out), APR_SUCCESS);
    assert_int_equal(out.count, 10);
    assert_int_equal(out.processes[0].state, AMGR_MANAGED_STOPPED);
    assert_int_equal(out.processes[3].state, AMGR_MANAGED_FATAL);
    assert_int_equal(amgr_board_managed_revision(board), 12);
    assert_int_equal(amgr_board_check(board, size, &larger), APR_SUCCESS);
    munmap(board, size);
}

static void another_shape_is_not_carried(void **state)
{
    fixture_t *fixture = *state;
    amgr_board_t *board;
    apr_size_t size;

    invent_managed(&table);
    amgr_board_write_managed(fixture->board, &table);
    fixture->board->managed_bytes += 8;
    assert_int_equal(amgr_board_check(fixture->board, fixture->size, NULL),
                     APR_ENOTIMPL);
    board = map_board(&dims, &size);
    assert_int_equal(amgr_board_carry(board, fixture->board),
                     AMGR_CARRY_ALL & ~AMGR_CARRY_MANAGED);
    assert_int_equal(amgr_board_read_managed(board, &out), APR_NOTFOUND);
    fixture->board->managed_bytes -= 8;
    fixture->board->managed_at = fixture->board->at.total - 64;
    assert_int_equal(amgr_board_check(fixture->board, fixture->size, NULL),
                     APR_EGENERAL);
    assert_int_equal(amgr_board_carry(board, fixture->board),
                     AMGR_CARRY_ALL & ~AMGR_CARRY_MANAGED);
    munmap(board, size);
}

/* Its header ends where the first thing of managed processes begins. */
static void a_build_that_knows_of_none_loses_nothing(void **state)
{
    fixture_t *fixture = *state;
    amgr_board_t *old = fixture->board;
    amgr_counters_t counters;
    amgr_board_t *board;
    apr_size_t size;

    amgr_board_counters(old)->killed_idle = 42;
    old->sizes.header = AMGR_BOARD_HEADER_MIN_BYTES;
    old->managed_bytes = APR_UINT64_MAX;
    old->managed_at = APR_UINT64_MAX - 63;
    assert_int_equal(amgr_board_check(old, fixture->size, NULL), APR_ENOTIMPL);
    board = map_board(&dims, &size);
    assert_int_equal(amgr_board_carry(board, old), AMGR_CARRY_ALL);
    amgr_board_read_counters(board, &counters);
    assert_int_equal(counters.killed_idle, 42);
    assert_int_equal(amgr_board_read_managed(board, &out), APR_NOTFOUND);
    /* Something else altogether. */
    old->sizes.header = AMGR_BOARD_HEADER_MIN_BYTES - 8;
    assert_int_equal(amgr_board_check(old, fixture->size, NULL), APR_ENOTIMPL);
    assert_int_equal(amgr_board_carry(board, old), 0);
    /* It cannot promise more than there is. */
    old->sizes.header = AMGR_BOARD_HEADER_MIN_BYTES;
    old->at.total = fixture->size + 1;
    assert_int_equal(amgr_board_check(old, fixture->size, NULL), APR_EGENERAL);
    munmap(board, size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BOARD(what_is_written_is_read),
        WITH_BOARD(rows_that_are_not_there_cost_nothing),
        WITH_BOARD(damage_is_bounded),
        WITH_BOARD(a_dead_writer_leaves_what_it_wrote),
        WITH_BOARD(readers_see_whole_tables),
        WITH_BOARD(carried_to_another_layout),
        WITH_BOARD(another_shape_is_not_carried),
        WITH_BOARD(a_build_that_knows_of_none_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
