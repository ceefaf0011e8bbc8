/* SPDX-License-Identifier: Apache-2.0
 *
 * The board's history: written and read, by processes that die in the middle,
 * and carried into a board of other dimensions.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "invented_board.h"

#define ROOM (AMGR_HISTORY_COARSE_MAX + 1)

static amgr_history_sample_t storage[ROOM];
static amgr_history_series_t series;

static void tick(amgr_board_t *board, world_t *world,
                 apr_interval_time_t span_us)
{
    world_pass(world, span_us);
    world->snapshot.server.total_accesses += 10;
    amgr_board_write_history(board, &world->snapshot, 0, SEC);
}

static amgr_board_history_t *region_of(amgr_board_t *board)
{
    return amgr_board_at_rw(board, board->at.history);
}

static void read_fine(amgr_board_t *board, int count)
{
    assert_int_equal(amgr_board_read_history(board, AMGR_HISTORY_HOUR, ROOM,
                                             storage, &series),
                     APR_SUCCESS);
    assert_int_equal(series.count, count);
}

static void what_is_written_is_read(void **state)
{
    fixture_t *fixture = *state;
    int i;

    read_fine(fixture->board, 0);
    for (i = 0; i < 25; i++) {
        tick(fixture->board, fixture->out, SEC);
    }
    read_fine(fixture->board, 4);
    assert_int_equal(series.samples[3].total_accesses, 250);
    assert_int_equal(amgr_board_read_history(fixture->board, AMGR_HISTORY_DAY,
                                             ROOM, storage, &series),
                     APR_SUCCESS);
    assert_int_equal(series.count, 2);
    assert_int_equal(amgr_board_read_history(fixture->board, AMGR_HISTORY_HOUR,
                                             1, storage, &series),
                     APR_SUCCESS);
    assert_int_equal(series.count, 1);
    assert_int_equal(series.samples[0].total_accesses, 250);
}

/* A writer that died: readers give up soon, the next one mends. */
static void a_torn_write_is_mended(void **state)
{
    fixture_t *fixture = *state;
    amgr_board_history_t *region = region_of(fixture->board);
    int i;

    for (i = 0; i < 25; i++) {
        tick(fixture->board, fixture->out, SEC);
    }
    region->seq++;
    region->history.rings[AMGR_HISTORY_HOUR].count = 300;
    region->history.rings[AMGR_HISTORY_HOUR].open.span_us = -5;
    series.count = 99;
    assert_int_equal(amgr_board_read_history(fixture->board, AMGR_HISTORY_HOUR,
                                             ROOM, storage, &series),
                     APR_EAGAIN);
    assert_int_equal(series.count, 0);
    tick(fixture->board, fixture->out, SEC);
    assert_int_equal(region->seq % 2, 0);
    assert_int_equal(region->history.rings[AMGR_HISTORY_HOUR].count, 3);
    read_fine(fixture->board, 4);
    assert_int_equal(series.samples[3].total_accesses, 260);
}

/* Ticks in which the counters say when they were. */
static void write_until_killed(amgr_board_t *board, world_t *world)
{
    for (;;) {
        world_pass(world, SEC);
        world->snapshot.server.total_accesses =
            (apr_uint64_t)world->snapshot.server.time.mono_us;
        world->snapshot.server.total_bytes =
            (apr_uint64_t)world->snapshot.server.time.mono_us;
        amgr_board_write_history(board, &world->snapshot, 0, SEC);
    }
}

static int is_whole(void)
{
    int i;

    for (i = 0; i < series.count; i++) {
        const amgr_history_sample_t *sample = &series.samples[i];

        if (sample->total_accesses != (apr_uint64_t)sample->mono_us ||
            sample->total_bytes != (apr_uint64_t)sample->mono_us ||
            (i > 0 && sample->mono_us - sample->span_us !=
                          series.samples[i - 1].mono_us)) {
            return 0;
        }
    }
    return 1;
}

/* One that writes all the time, and is killed somewhere. */
static void readers_see_whole_samples(void **state)
{
    fixture_t *fixture = *state;
    amgr_board_t *board = fixture->board;
    int round;

    for (round = 0; round < 20; round++) {
        pid_t pid = fork();
        /* A loaded machine lets the writer wait. */
        apr_time_t until_us = amgr_clock_monotonic_us() + apr_time_from_sec(20);
        int most = 0;
        int status;

        if (pid == 0) {
            write_until_killed(board, fixture->out);
        }
        assert_true(pid > 0);
        while (most < 20 && amgr_clock_monotonic_us() < until_us) {
            if (amgr_board_read_history(board, AMGR_HISTORY_HOUR, ROOM, storage,
                                        &series) == APR_SUCCESS) {
                most = series.count > most ? series.count : most;
                assert_true(is_whole());
            }
        }
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_true(most >= 20);
        /* The next one begins where the last one ended. */
        fixture->out->snapshot.server.time.mono_us =
            region_of(board)->history.last_mono_us;
        tick(board, fixture->out, SEC);
        assert_int_equal(region_of(board)->seq % 2, 0);
        assert_int_equal(amgr_board_read_history(board, AMGR_HISTORY_HOUR, ROOM,
                                                 storage, &series),
                         APR_SUCCESS);
        assert_true(series.count >= 20);
        memset(&region_of(board)->history, 0, sizeof(amgr_history_t));
    }
}

static void carried_to_another_layout(void **state)
{
    fixture_t *fixture = *state;
    amgr_board_dims_t larger = {
        .process_max = 80, .slot_max = 160, .thread_limit = 2};
    amgr_board_t *board;
    apr_size_t size;
    int i;

    for (i = 0; i < 25; i++) {
        tick(fixture->board, fixture->out, SEC);
    }
    memset(region_of(fixture->board)->history.groups[2], 'x',
           AMGR_GROUP_NAME_LEN);
    board = map_board(&larger, &size);
    amgr_board_carry(board, fixture->board);
    read_fine(board, 4);
    assert_int_equal(series.samples[3].total_accesses, 250);
    assert_int_equal(region_of(board)->history.groups[2][63], '\0');
    /* And it goes on there. */
    for (i = 0; i < 5; i++) {
        tick(board, fixture->out, SEC);
    }
    read_fine(board, 4);
    assert_int_equal(series.samples[3].ticks, 9);
    assert_int_equal(series.samples[3].total_accesses, 300);
    assert_int_equal(amgr_board_check(board, size, &larger), APR_SUCCESS);
    munmap(board, size);
}

static void another_shape_is_not_carried(void **state)
{
    fixture_t *fixture = *state;
    amgr_board_t *board;
    apr_size_t size;

    tick(fixture->board, fixture->out, SEC);
    fixture->board->sizes.history -= 8;
    board = map_board(&dims, &size);
    amgr_board_carry(board, fixture->board);
    read_fine(board, 0);
    munmap(board, size);
    fixture->board->sizes.history += 8;
    fixture->board->at.history = fixture->board->at.total - 64;
    board = map_board(&dims, &size);
    amgr_board_carry(board, fixture->board);
    read_fine(board, 0);
    munmap(board, size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BOARD(what_is_written_is_read),
        WITH_BOARD(a_torn_write_is_mended),
        WITH_BOARD(readers_see_whole_samples),
        WITH_BOARD(carried_to_another_layout),
        WITH_BOARD(another_shape_is_not_carried),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
