/* SPDX-License-Identifier: Apache-2.0
 *
 * The board's ring of records, and what is carried into a board of another
 * layout.
 */
#include "invented_board.h"

static void records_are_a_ring(void **state)
{
    static amgr_record_t out[AMGR_RECORDS_MAX + 1];
    fixture_t *fixture = *state;
    amgr_board_records_t *ring =
        amgr_board_at_rw(fixture->board, fixture->board->at.records);
    amgr_record_t record;
    int count;
    int i;

    for (i = 1; i <= AMGR_RECORDS_MAX + 10; i++) {
        memset(&record, 0, sizeof(record));
        record.id.pid = i;
        amgr_board_write_record(fixture->board, &record);
        assert_int_equal(record.serial, i);
    }
    assert_int_equal(amgr_board_read_records(fixture->board, out, 3, &count),
                     APR_SUCCESS);
    assert_int_equal(count, 3);
    assert_int_equal(out[0].id.pid, AMGR_RECORDS_MAX + 10);
    assert_int_equal(out[2].id.pid, AMGR_RECORDS_MAX + 8);
    assert_int_equal(amgr_board_read_records(fixture->board, out,
                                             AMGR_RECORDS_MAX + 1, &count),
                     APR_SUCCESS);
    assert_int_equal(count, AMGR_RECORDS_MAX);
    assert_int_equal(out[AMGR_RECORDS_MAX - 1].serial, 11);
    /* Updated while it is there, and never again after. */
    out[5].outcome = AMGR_OUTCOME_GONE;
    amgr_board_write_record(fixture->board, &out[5]);
    record.serial = 3;
    amgr_board_write_record(fixture->board, &record);
    assert_int_equal(
        amgr_board_read_records(fixture->board, out, AMGR_RECORDS_MAX, &count),
        APR_SUCCESS);
    assert_int_equal(count, AMGR_RECORDS_MAX);
    assert_int_equal(out[5].outcome, AMGR_OUTCOME_GONE);
    assert_int_equal(out[5].id.pid, AMGR_RECORDS_MAX + 5);
    assert_int_equal(out[AMGR_RECORDS_MAX - 1].serial, 11);
    /* Damage hides a record and ends its strings. */
    memset(ring->records[0].request, 'x', sizeof(record.request));
    ring->records[1].serial = 9999;
    assert_int_equal(
        amgr_board_read_records(fixture->board, out, AMGR_RECORDS_MAX, &count),
        APR_SUCCESS);
    assert_int_equal(count, AMGR_RECORDS_MAX - 1);
    for (i = 0; i < count; i++) {
        assert_true(strlen(out[i].request) < sizeof(out[i].request));
    }
    ring->last_serial = APR_UINT64_MAX;
    assert_int_equal(
        amgr_board_read_records(fixture->board, out, AMGR_RECORDS_MAX, &count),
        APR_SUCCESS);
    assert_int_equal(count, 0);
}

static void carried_to_another_layout(void **state)
{
    static amgr_record_t out[AMGR_RECORDS_MAX];
    fixture_t *fixture = *state;
    amgr_board_dims_t larger = {
        .process_max = 80, .slot_max = 160, .thread_limit = 2};
    amgr_counters_t counters;
    amgr_record_t record;
    amgr_board_t *board;
    apr_size_t size;
    int count;

    memset(&record, 0, sizeof(record));
    for (count = 0; count < 200; count++) {
        record.serial = 0;
        amgr_board_write_record(fixture->board, &record);
    }
    amgr_board_counters(fixture->board)->killed_idle = 42;
    assert_int_equal(amgr_board_check(fixture->board, fixture->size, &larger),
                     APR_ENOTIMPL);
    board = map_board(&larger, &size);
    assert_int_equal(amgr_board_carry(board, fixture->board), AMGR_CARRY_ALL);
    amgr_board_read_counters(board, &counters);
    assert_int_equal(counters.killed_idle, 42);
    assert_int_equal(
        amgr_board_read_records(board, out, AMGR_RECORDS_MAX, &count),
        APR_SUCCESS);
    assert_int_equal(count, AMGR_RECORDS_MAX);
    assert_int_equal(out[0].serial, 200);
    record.serial = 0;
    amgr_board_write_record(board, &record);
    assert_int_equal(record.serial, 201);
    assert_int_equal(amgr_board_check(board, size, &larger), APR_SUCCESS);
    munmap(board, size);
}

static void only_what_has_the_same_shape_is_carried(void **state)
{
    fixture_t *fixture = *state;
    amgr_counters_t counters;
    amgr_record_t record;
    amgr_board_t *board;
    apr_size_t size;
    int count;

    memset(&record, 0, sizeof(record));
    amgr_board_write_record(fixture->board, &record);
    amgr_board_counters(fixture->board)->ticks = 42;
    fixture->board->sizes.record += 8;
    board = map_board(&dims, &size);
    assert_int_equal(amgr_board_carry(board, fixture->board),
                     AMGR_CARRY_ALL & ~AMGR_CARRY_RECORDS);
    amgr_board_read_counters(board, &counters);
    assert_int_equal(counters.ticks, 42);
    amgr_board_read_records(board, &record, 1, &count);
    assert_int_equal(count, 0);
    munmap(board, size);
    /* Places outside of the old board are not followed. */
    fixture->board->sizes.record -= 8;
    fixture->board->at.counters = fixture->board->at.total;
    fixture->board->at.records = APR_UINT64_MAX - 63;
    board = map_board(&dims, &size);
    assert_int_equal(amgr_board_carry(board, fixture->board),
                     AMGR_CARRY_EVIDENCES | AMGR_CARRY_HISTORY |
                         AMGR_CARRY_MANAGED);
    amgr_board_read_counters(board, &counters);
    assert_int_equal(counters.ticks, 0);
    amgr_board_read_records(board, &record, 1, &count);
    assert_int_equal(count, 0);
    munmap(board, size);
}

/* Carry from a board whose counters are of another size. */
static int carry_sized(fixture_t *fixture, apr_size_t bytes,
                       amgr_counters_t *out)
{
    amgr_board_t *board;
    apr_size_t size;
    int carried;

    fixture->board->sizes.counters = (apr_uint32_t)bytes;
    board = map_board(&dims, &size);
    carried = amgr_board_carry(board, fixture->board);
    amgr_board_read_counters(board, out);
    assert_int_equal(amgr_board_check(board, size, &dims), APR_SUCCESS);
    munmap(board, size);
    return carried;
}

/* Each word of it is its number. */
static void counters_of_other_builds_are_carried(void **state)
{
    static const struct {
        apr_size_t bytes;
        apr_size_t words; /* that are carried */
    } cases[] = {
        {sizeof(amgr_counters_t) + 64, sizeof(amgr_counters_t) / 8},
        {sizeof(amgr_counters_t), sizeof(amgr_counters_t) / 8},
        {sizeof(amgr_counters_t) - 8, sizeof(amgr_counters_t) / 8 - 1},
        {AMGR_COUNTERS_MIN_BYTES, AMGR_COUNTERS_MIN_BYTES / 8},
        {AMGR_COUNTERS_MIN_BYTES - 8, 0},
        {0, 0},
    };
    fixture_t *fixture = *state;
    apr_uint64_t *from = (apr_uint64_t *)amgr_board_counters(fixture->board);
    amgr_counters_t counters;
    const apr_uint64_t *got = (const apr_uint64_t *)&counters;
    apr_size_t i;
    apr_size_t j;

    for (j = 0; j < sizeof(counters) / 8; j++) {
        from[j] = j + 1;
    }
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        int carried = carry_sized(fixture, cases[i].bytes, &counters);

        assert_int_equal((carried & AMGR_CARRY_COUNTERS) != 0,
                         cases[i].words > 0);
        for (j = 0; j < sizeof(counters) / 8; j++) {
            assert_int_equal(got[j], j < cases[i].words ? j + 1 : 0);
        }
    }
    /* As many as it says would not be inside. */
    fixture->board->at.counters = fixture->board->at.total - 64;
    assert_int_equal(carry_sized(fixture, sizeof(counters), &counters) &
                         AMGR_CARRY_COUNTERS,
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BOARD(records_are_a_ring),
        WITH_BOARD(carried_to_another_layout),
        WITH_BOARD(only_what_has_the_same_shape_is_carried),
        WITH_BOARD(counters_of_other_builds_are_carried),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
