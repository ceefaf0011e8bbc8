/* SPDX-License-Identifier: Apache-2.0
 *
 * The board's ring of evidences: found by serial with gaps between them,
 * damage, and what is carried into a board of another layout.
 */
#include "invented_board.h"

static amgr_evidence_t all[AMGR_EVIDENCES_MAX + 1];

static void write_evidence(amgr_board_t *board, apr_uint64_t serial, int pid)
{
    amgr_evidence_t evidence;

    memset(&evidence, 0, sizeof(evidence));
    evidence.serial = serial;
    evidence.pid = pid;
    amgr_board_write_evidence(board, &evidence);
}

/* Reads them all; how many there are. */
static int read_all(const amgr_board_t *board)
{
    int count;

    assert_int_equal(amgr_board_read_evidences(board, all,
                                               AMGR_EVIDENCES_MAX + 1, &count),
                     APR_SUCCESS);
    assert_int_equal(count, amgr_board_count_evidences(board));
    return count;
}

static void evidences_are_a_ring(void **state)
{
    fixture_t *fixture = *state;
    int count;
    int i;

    assert_int_equal(read_all(fixture->board), 0);
    write_evidence(fixture->board, 0, 1);
    assert_int_equal(read_all(fixture->board), 0);
    for (i = 1; i <= AMGR_EVIDENCES_MAX + 10; i++) {
        write_evidence(fixture->board, (apr_uint64_t)i, i);
    }
    assert_int_equal(read_all(fixture->board), AMGR_EVIDENCES_MAX);
    for (i = 0; i < AMGR_EVIDENCES_MAX; i++) {
        assert_int_equal(all[i].serial, AMGR_EVIDENCES_MAX + 10 - i);
        assert_int_equal(all[i].pid, AMGR_EVIDENCES_MAX + 10 - i);
    }
    assert_int_equal(amgr_board_read_evidences(fixture->board, all, 2, &count),
                     APR_SUCCESS);
    assert_int_equal(count, 2);
    assert_int_equal(all[1].serial, AMGR_EVIDENCES_MAX + 9);
    /* Replaced while it is there, never by an older one. */
    write_evidence(fixture->board, AMGR_EVIDENCES_MAX + 10, 4711);
    write_evidence(fixture->board, 9, 4712);
    assert_int_equal(read_all(fixture->board), AMGR_EVIDENCES_MAX);
    assert_int_equal(all[0].pid, 4711);
    for (i = 0; i < AMGR_EVIDENCES_MAX; i++) {
        assert_int_not_equal(all[i].pid, 4712);
    }
}

static void gaps_keep_older_ones(void **state)
{
    fixture_t *fixture = *state;
    int count;
    int i;

    write_evidence(fixture->board, 2, 2);
    /* None of these falls on its place. */
    for (i = 0; i < 5; i++) {
        write_evidence(fixture->board, (apr_uint64_t)(101 + i), i);
    }
    count = read_all(fixture->board);
    assert_int_equal(count, 6);
    assert_int_equal(all[0].serial, 105);
    assert_int_equal(all[5].serial, 2);
    write_evidence(fixture->board, 2 + AMGR_EVIDENCES_MAX, 3);
    assert_int_equal(read_all(fixture->board), 6);
    assert_int_equal(all[5].serial, 2 + AMGR_EVIDENCES_MAX);
}

static void damage_hides_or_is_mended(void **state)
{
    fixture_t *fixture = *state;
    amgr_board_evidences_t *ring =
        amgr_board_at_rw(fixture->board, fixture->board->at.evidences);
    int count;

    write_evidence(fixture->board, 1, 1);
    write_evidence(fixture->board, 2, 2);
    ring->evidences[0].serial = 9;
    memset(ring->evidences[1].requests, 'x',
           sizeof(ring->evidences[1].requests));
    ring->evidences[1].thread_count = APR_INT32_MAX;
    ring->evidences[5].serial = APR_UINT64_MAX;
    assert_int_equal(read_all(fixture->board), 1);
    assert_int_equal(all[0].pid, 2);
    assert_int_equal(all[0].thread_count, AMGR_EVIDENCE_THREADS);
    assert_int_equal(strlen(all[0].requests[0].client),
                     AMGR_SLOT_CLIENT_LEN - 1);
    /* A writer that died in the middle; the next one mends it. */
    ring->seq = 7;
    assert_int_equal(amgr_board_read_evidences(fixture->board, all, 1, &count),
                     APR_EAGAIN);
    assert_int_equal(count, 0);
    write_evidence(fixture->board, 3, 3);
    assert_int_equal(read_all(fixture->board), 2);
    assert_int_equal(all[0].pid, 3);
}

static void carried_to_another_layout(void **state)
{
    fixture_t *fixture = *state;
    amgr_board_evidences_t *ring =
        amgr_board_at_rw(fixture->board, fixture->board->at.evidences);
    amgr_board_dims_t larger = {
        .process_max = 80, .slot_max = 160, .thread_limit = 2};
    amgr_board_t *board;
    apr_size_t size;

    write_evidence(fixture->board, 40, 40);
    write_evidence(fixture->board, 41, 41);
    ring->evidences[3].serial = 99;
    board = map_board(&larger, &size);
    amgr_board_carry(board, fixture->board);
    assert_int_equal(read_all(board), 2);
    assert_int_equal(all[0].pid, 41);
    assert_int_equal(all[1].pid, 40);
    munmap(board, size);
    /* Another shape, or a place outside of the old board, is left alone. */
    fixture->board->sizes.evidence += 8;
    board = map_board(&larger, &size);
    amgr_board_carry(board, fixture->board);
    assert_int_equal(read_all(board), 0);
    fixture->board->sizes.evidence -= 8;
    fixture->board->at.evidences = fixture->board->at.total;
    amgr_board_carry(board, fixture->board);
    assert_int_equal(read_all(board), 0);
    munmap(board, size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BOARD(evidences_are_a_ring),
        WITH_BOARD(gaps_keep_older_ones),
        WITH_BOARD(damage_hides_or_is_mended),
        WITH_BOARD(carried_to_another_layout),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
