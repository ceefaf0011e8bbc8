/* SPDX-License-Identifier: Apache-2.0
 *
 * The board: what is written is read, readers in other processes never see
 * half of it, writers that died are mended, and damage is refused or clamped.
 */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "invented_board.h"

/* A tick in which every number says the same, so that a mixture shows. */
static void stamp(amgr_snapshot_t *snapshot, int value)
{
    int i;

    snapshot->hanging = value;
    snapshot->server.total_accesses = (apr_uint64_t)value;
    snapshot->groups[0].fresh_bytes = (apr_uint64_t)value;
    for (i = 0; i < snapshot->process_count; i++) {
        snapshot->processes[i].rss_bytes = (apr_uint64_t)value;
    }
    for (i = 0; i < snapshot->slot_count; i++) {
        snapshot->slots[i].bytes = (apr_uint64_t)value;
        snapshot->slots[i].protocol[0] = (char)('a' + value % 26);
    }
}

/* Whether all of it is of one tick. */
static int is_whole(const amgr_snapshot_t *snapshot, int processes)
{
    apr_uint64_t value = snapshot->server.total_accesses;
    int i;

    if (snapshot->process_count != processes ||
        snapshot->slot_count != processes * 10 ||
        snapshot->hanging != (int)value ||
        snapshot->groups[0].fresh_bytes != value) {
        return 0;
    }
    for (i = 0; i < snapshot->process_count; i++) {
        if (snapshot->processes[i].rss_bytes != value) {
            return 0;
        }
    }
    for (i = 0; i < snapshot->slot_count; i++) {
        if (snapshot->slots[i].bytes != value ||
            snapshot->slots[i].protocol[0] != (char)('a' + value % 26)) {
            return 0;
        }
    }
    return 1;
}

static void an_empty_board_has_nothing(void **state)
{
    fixture_t *fixture = *state;
    amgr_board_config_t config;
    amgr_counters_t counters;
    amgr_record_t record;
    int count = -1;

    assert_int_equal(amgr_board_check(fixture->board, fixture->size, &dims),
                     APR_SUCCESS);
    assert_int_equal(amgr_board_check(fixture->board, fixture->size, NULL),
                     APR_SUCCESS);
    assert_int_equal(
        amgr_board_read_tick(fixture->board, &fixture->out->snapshot),
        APR_NOTFOUND);
    assert_int_equal(amgr_board_read_config(fixture->board, &config),
                     APR_NOTFOUND);
    assert_int_equal(
        amgr_board_read_records(fixture->board, &record, 1, &count),
        APR_SUCCESS);
    assert_int_equal(count, 0);
    amgr_board_read_counters(fixture->board, &counters);
    assert_int_equal(counters.ticks, 0);
    assert_int_equal(amgr_board_last_beat(fixture->board), 0);
    assert_int_equal(amgr_board_owner(fixture->board)->id.start_ticks, 88);
    assert_string_equal(amgr_board_owner(fixture->board)->boot_id, "boot");
    assert_int_equal(amgr_board_dims(fixture->board)->slot_max, 400);
    /* Ten threads and fifty-two requests of HTTP/2 to a row. */
    assert_int_equal(amgr_ledger_columns(10), 62);
    assert_true(
        amgr_ledger_fits(amgr_board_ledger(fixture->board), 40, 40 * 62, 62));
}

static void what_is_written_is_read(void **state)
{
    fixture_t *fixture = *state;
    amgr_board_config_t config;
    amgr_board_config_t read;
    amgr_counters_t counters;
    world_t *world = world_create(40, 10);

    world_natives(world, 3);
    world_add(world, 200, AMGR_ROLE_WSGI, "example");
    strcpy(world_slot(world, 101, 9)->request, "GET /nine");
    world->snapshot.server.total_bytes = 12345;
    world->snapshot.incomplete = 1;
    amgr_board_write_tick(fixture->board, &world->snapshot);
    assert_int_equal(
        amgr_board_read_tick(fixture->board, &fixture->out->snapshot),
        APR_SUCCESS);
    assert_int_equal(fixture->out->snapshot.process_count, 4);
    assert_int_equal(fixture->out->snapshot.slot_count, 30);
    assert_int_equal(fixture->out->snapshot.group_count, 2);
    assert_int_equal(fixture->out->snapshot.incomplete, 1);
    assert_int_equal(fixture->out->snapshot.server.total_bytes, 12345);
    assert_memory_equal(fixture->out->snapshot.processes,
                        world->snapshot.processes, 4 * sizeof(amgr_process_t));
    assert_string_equal(world_slot(fixture->out, 101, 9)->request, "GET /nine");
    memset(&config, 0, sizeof(config));
    config.can_signal = 1;
    config.limits.max_time_us = 5;
    amgr_board_write_config(fixture->board, &config);
    assert_int_equal(amgr_board_read_config(fixture->board, &read),
                     APR_SUCCESS);
    assert_memory_equal(&read, &config, sizeof(read));
    amgr_board_counters(fixture->board)->suppressed[AMGR_CAUSE_STORM] = 9;
    amgr_board_counters(fixture->board)->last_wall_us = 8;
    amgr_board_read_counters(fixture->board, &counters);
    assert_int_equal(counters.suppressed[AMGR_CAUSE_STORM], 9);
    assert_int_equal(counters.last_wall_us, 8);
    amgr_board_beat(fixture->board, 4711);
    assert_int_equal(amgr_board_last_beat(fixture->board), 4711);
    /* No region ran into another or into the ledger. */
    assert_int_equal(amgr_board_check(fixture->board, fixture->size, &dims),
                     APR_SUCCESS);
    world_destroy(world);
}

static void too_much_is_cut_on_both_sides(void **state)
{
    fixture_t *fixture = *state;
    world_t *world = world_create(50, 10);
    amgr_snapshot_t *out = &fixture->out->snapshot;
    int i;

    world_natives(world, 45);
    amgr_board_write_tick(fixture->board, &world->snapshot);
    assert_int_equal(amgr_board_read_tick(fixture->board, out), APR_SUCCESS);
    assert_int_equal(out->process_count, 40);
    assert_int_equal(out->slot_count, 400);
    assert_true(out->incomplete);
    assert_int_equal(amgr_board_check(fixture->board, fixture->size, &dims),
                     APR_SUCCESS);
    /* A reader with less room. */
    out->process_max = 20;
    out->slot_max = 95;
    assert_int_equal(amgr_board_read_tick(fixture->board, out), APR_SUCCESS);
    assert_int_equal(out->process_count, 20);
    assert_int_equal(out->slot_count, 95);
    assert_int_equal(out->processes[8].slot_count, 10);
    assert_int_equal(out->processes[9].slot_count, 5);
    assert_int_equal(out->processes[10].slot_count, 0);
    out->slot_max = 0;
    assert_int_equal(amgr_board_read_tick(fixture->board, out), APR_SUCCESS);
    assert_int_equal(out->slot_count, 0);
    for (i = 0; i < out->process_count; i++) {
        assert_int_equal(out->processes[i].slot_count, 0);
        assert_int_equal(out->processes[i].first_slot, 0);
    }
    out->process_max = 40;
    out->slot_max = 400;
    world_destroy(world);
}

/* What a bit of damage to the header makes of the board. */
static void damaged_headers_are_refused(void **state)
{
    fixture_t *fixture = *state;
    amgr_board_t *board = fixture->board;
    amgr_board_t whole = *board;
    amgr_board_dims_t other = dims;
    apr_uint64_t *offset;

    assert_int_equal(amgr_board_check(board, fixture->size - 1, NULL),
                     APR_EGENERAL);
    assert_int_equal(amgr_board_check(board, 7, NULL), APR_EGENERAL);
    assert_int_equal(amgr_board_check(board, 0, NULL), APR_EGENERAL);
    board->magic ^= 1;
    assert_int_equal(amgr_board_check(board, fixture->size, NULL),
                     APR_EGENERAL);
    *board = whole;
    board->version++;
    assert_int_equal(amgr_board_check(board, fixture->size, NULL),
                     APR_ENOTIMPL);
    *board = whole;
    board->sizes.slot += 8;
    assert_int_equal(amgr_board_check(board, fixture->size, NULL),
                     APR_ENOTIMPL);
    *board = whole;
    for (offset = &board->at.config; offset <= &board->at.total; offset++) {
        *offset += 64;
        assert_int_equal(amgr_board_check(board, fixture->size, NULL),
                         APR_EGENERAL);
        *offset = APR_UINT64_MAX - 63;
        assert_int_equal(amgr_board_check(board, fixture->size, NULL),
                         APR_EGENERAL);
        *board = whole;
    }
    board->dims.slot_max = -1;
    assert_int_equal(amgr_board_check(board, fixture->size, NULL),
                     APR_EGENERAL);
    board->dims.slot_max = 2147483647;
    assert_int_equal(amgr_board_check(board, fixture->size, NULL),
                     APR_EGENERAL);
    *board = whole;
    memset(board->owner.boot_id, 'x', sizeof(board->owner.boot_id));
    assert_int_equal(amgr_board_check(board, fixture->size, NULL),
                     APR_EGENERAL);
    *board = whole;
    amgr_board_ledger(board)->storm_next = -1;
    assert_int_equal(amgr_board_check(board, fixture->size, NULL),
                     APR_EGENERAL);
    amgr_board_ledger(board)->storm_next = 0;
    assert_int_equal(amgr_board_check(board, fixture->size, NULL), APR_SUCCESS);
    other.slot_max--;
    assert_int_equal(amgr_board_check(board, fixture->size, &other),
                     APR_ENOTIMPL);
}

static void damaged_ticks_are_clamped(void **state)
{
    static const int values[] = {-1, -2147483647 - 1, 2147483647, 401, 30};
    fixture_t *fixture = *state;
    amgr_snapshot_t *out = &fixture->out->snapshot;
    amgr_board_tick_t *tick =
        amgr_board_at_rw(fixture->board, fixture->board->at.tick);
    amgr_process_t *processes =
        amgr_board_at_rw(fixture->board, fixture->board->at.processes);
    amgr_slot_t *slots =
        amgr_board_at_rw(fixture->board, fixture->board->at.slots);
    world_t *world = world_create(40, 10);
    size_t i;
    int p;

    world_natives(world, 3);
    for (i = 0; i < AMGR_COUNT(values); i++) {
        amgr_board_write_tick(fixture->board, &world->snapshot);
        processes[0].group = values[i];
        processes[0].first_slot = values[i];
        processes[1].slot_count = values[i];
        memset(slots[5].request, 'x', sizeof(slots[5].request));
        memset(slots[5].protocol, 'x', sizeof(slots[5].protocol));
        memset(tick->groups[0].name, 'x', sizeof(tick->groups[0].name));
        memset(tick->server.mpm, 'x', sizeof(tick->server.mpm));
        assert_int_equal(amgr_board_read_tick(fixture->board, out),
                         APR_SUCCESS);
        for (p = 0; p < out->process_count; p++) {
            const amgr_process_t *process = &out->processes[p];

            assert_in_range(process->group, 0, out->group_count - 1);
            assert_in_range(process->first_slot, 0, out->slot_count);
            assert_in_range(process->slot_count, 0,
                            out->slot_count - process->first_slot);
        }
        assert_int_equal(strlen(out->slots[5].request),
                         AMGR_SLOT_REQUEST_LEN - 1);
        assert_int_equal(strlen(out->slots[5].protocol),
                         AMGR_SLOT_PROTOCOL_LEN - 1);
        assert_int_equal(strlen(out->groups[0].name), AMGR_GROUP_NAME_LEN - 1);
        assert_int_equal(strlen(out->server.mpm), 15);
        tick->process_count = values[i];
        tick->slot_count = values[i];
        tick->group_count = values[i];
        assert_int_equal(amgr_board_read_tick(fixture->board, out),
                         APR_SUCCESS);
        assert_in_range(out->process_count, 0, 40);
        assert_in_range(out->slot_count, 0, 400);
        assert_in_range(out->group_count, 0, AMGR_GROUPS_MAX);
    }
    world_destroy(world);
}

static void dead_writers_are_mended(void **state)
{
    fixture_t *fixture = *state;
    amgr_board_tick_t *tick =
        amgr_board_at_rw(fixture->board, fixture->board->at.tick);
    amgr_board_records_t *ring =
        amgr_board_at_rw(fixture->board, fixture->board->at.records);
    amgr_board_config_region_t *config =
        amgr_board_at_rw(fixture->board, fixture->board->at.config);
    amgr_board_config_t settings;
    amgr_record_t record;
    int count = -1;

    memset(&settings, 0, sizeof(settings));
    memset(&record, 0, sizeof(record));
    fixture->out->snapshot.hanging = 5;
    tick->seq = 7;
    ring->seq = 7;
    config->seq = 7;
    assert_int_equal(
        amgr_board_read_tick(fixture->board, &fixture->out->snapshot),
        APR_EAGAIN);
    assert_int_equal(fixture->out->snapshot.hanging, 0);
    assert_int_equal(
        amgr_board_read_records(fixture->board, &record, 1, &count),
        APR_EAGAIN);
    assert_int_equal(count, 0);
    assert_int_equal(amgr_board_read_config(fixture->board, &settings),
                     APR_EAGAIN);
    amgr_board_write_tick(fixture->board, &fixture->out->snapshot);
    amgr_board_write_record(fixture->board, &record);
    amgr_board_write_config(fixture->board, &settings);
    assert_int_equal(tick->seq, 10);
    assert_int_equal(ring->seq, 10);
    assert_int_equal(config->seq, 10);
    assert_int_equal(
        amgr_board_read_tick(fixture->board, &fixture->out->snapshot),
        APR_SUCCESS);
    assert_int_equal(
        amgr_board_read_records(fixture->board, &record, 1, &count),
        APR_SUCCESS);
    assert_int_equal(count, 1);
    assert_int_equal(amgr_board_read_config(fixture->board, &settings),
                     APR_SUCCESS);
}

/* What the writer and its readers tell each other. */
typedef struct race_t {
    int done;
    int served; /**< readers that have seen more than one tick */
} race_t;

/* In a child: read until the writer is done; exits 0 when every tick that was
 * read was whole and there was more than one. */
static void read_until_done(fixture_t *fixture, race_t *race)
{
    amgr_snapshot_t *out = &fixture->out->snapshot;
    apr_uint64_t last = 0;
    int distinct = 0;

    while (!__atomic_load_n(&race->done, __ATOMIC_ACQUIRE)) {
        apr_status_t rv = amgr_board_read_tick(fixture->board, out);

        if (rv == APR_EAGAIN || rv == APR_NOTFOUND) {
            continue;
        }
        if (rv != APR_SUCCESS || !is_whole(out, 40) ||
            out->server.total_accesses < last) {
            _exit(1);
        }
        distinct += out->server.total_accesses != last;
        if (distinct == 2 && out->server.total_accesses != last) {
            __atomic_fetch_add(&race->served, 1, __ATOMIC_RELAXED);
        }
        last = out->server.total_accesses;
    }
    _exit(distinct > 1 ? 0 : 2);
}

static void concurrent_readers_see_whole_ticks(void **state)
{
    fixture_t *fixture = *state;
    world_t *world = world_create(40, 10);
    apr_time_t begun_us = amgr_clock_monotonic_us();
    apr_time_t span_us = 0;
    pid_t readers[3];
    race_t *race;
    int status;
    int value;
    size_t i;

    race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(race, MAP_FAILED);
    world_natives(world, 40);
    for (i = 0; i < AMGR_COUNT(readers); i++) {
        readers[i] = fork();
        if (readers[i] == 0) {
            read_until_done(fixture, race);
        }
        assert_true(readers[i] > 0);
    }
    /* A busy machine lets readers wait. */
    for (value = 1;
         span_us < 700000 || (span_us < apr_time_from_sec(20) &&
                              __atomic_load_n(&race->served, __ATOMIC_RELAXED) <
                                  (int)AMGR_COUNT(readers));
         value++) {
        stamp(&world->snapshot, value);
        amgr_board_write_tick(fixture->board, &world->snapshot);
        span_us = amgr_clock_monotonic_us() - begun_us;
    }
    __atomic_store_n(&race->done, 1, __ATOMIC_RELEASE);
    for (i = 0; i < AMGR_COUNT(readers); i++) {
        assert_int_equal(waitpid(readers[i], &status, 0), readers[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    munmap(race, sizeof(*race));
    world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BOARD(an_empty_board_has_nothing),
        WITH_BOARD(what_is_written_is_read),
        WITH_BOARD(too_much_is_cut_on_both_sides),
        WITH_BOARD(damaged_headers_are_refused),
        WITH_BOARD(damaged_ticks_are_clamped),
        WITH_BOARD(dead_writers_are_mended),
        WITH_BOARD(concurrent_readers_see_whole_ticks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
