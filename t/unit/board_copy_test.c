/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies of a board in a file: complete, never of two ticks at once, refused
 * when the file is another's, damaged or cut short, and harmless to every
 * reader and writer whatever bytes were in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "invented_board.h"
#include "invented_managed.h"

#include "render/view.h"
#include "render/view_board.h"

#define PROCESSES 40
#define THREADS 10
#define MUTATIONS 600

typedef struct file_t {
    int fd;
    amgr_board_t *board; /* writable, as the server has it */
    apr_size_t size;
    world_t *world;
    apr_pool_t *pool;
} file_t;

static amgr_managed_table_t managed;

static int set_up(void **state)
{
    file_t *file = test_calloc(1, sizeof(*file));
    void *memory;

    file->fd = memfd_create("board", MFD_CLOEXEC);
    assert_true(file->fd >= 0);
    file->size = amgr_board_size(&dims);
    assert_int_equal(ftruncate(file->fd, (off_t)file->size), 0);
    memory =
        mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    file->board = amgr_board_init(memory, &dims, &owner);
    file->world = world_create(PROCESSES, THREADS);
    assert_int_equal(apr_initialize(), APR_SUCCESS);
    apr_pool_create(&file->pool, NULL);
    *state = file;
    return 0;
}

static int tear_down(void **state)
{
    file_t *file = *state;

    apr_pool_destroy(file->pool);
    apr_terminate();
    munmap(file->board, file->size);
    close(file->fd);
    world_destroy(file->world);
    test_free(file);
    return 0;
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* Something of everything, all with the same number. */
static void fill(file_t *file, int value)
{
    amgr_snapshot_t *snapshot = &file->world->snapshot;
    amgr_board_config_t config;
    amgr_board_about_t about;
    amgr_evidence_t evidence;
    amgr_record_t record;
    int i;

    if (snapshot->process_count == 0) {
        world_natives(file->world, PROCESSES);
    }
    snapshot->server.total_accesses = (apr_uint64_t)value;
    for (i = 0; i < snapshot->slot_count; i++) {
        snapshot->slots[i].bytes = (apr_uint64_t)value;
    }
    amgr_board_write_tick(file->board, snapshot);
    memset(&config, 0, sizeof(config));
    amgr_limits_init(&config.limits);
    config.limits.section_count = 2;
    config.can_signal = value;
    amgr_board_write_config(file->board, &config);
    memset(&about, 0, sizeof(about));
    about.listen_count = value;
    amgr_board_write_about(file->board, &about);
    memset(&record, 0, sizeof(record));
    record.requests = value;
    amgr_board_write_record(file->board, &record);
    memset(&evidence, 0, sizeof(evidence));
    evidence.serial = record.serial;
    evidence.threads = value;
    amgr_board_write_evidence(file->board, &evidence);
    amgr_board_write_history(file->board, snapshot, 0, 10 * SEC);
    amgr_board_counters(file->board)->ticks = (apr_uint64_t)value;
    invent_managed(&managed);
    managed.revision = (apr_uint64_t)value;
    amgr_board_write_managed(file->board, &managed);
    amgr_board_beat(file->board, value);
}

static const amgr_board_t *copy(file_t *file, int parts)
{
    const amgr_board_t *board = NULL;

    assert_int_equal(amgr_board_copy(file->fd, parts, &board, file->pool),
                     APR_SUCCESS);
    return board;
}

static apr_status_t try_copy(file_t *file)
{
    const amgr_board_t *board = NULL;
    apr_pool_t *pool;
    apr_status_t rv;

    apr_pool_create(&pool, file->pool);
    rv = amgr_board_copy(file->fd, AMGR_BOARD_PARTS_ALL, &board, pool);
    apr_pool_destroy(pool);
    return rv;
}

static void everything_is_there(void **state)
{
    file_t *file = *state;
    world_t *out = world_create(PROCESSES, THREADS);
    amgr_history_sample_t samples[4];
    amgr_history_series_t series;
    amgr_board_config_t config;
    amgr_board_about_t about;
    amgr_evidence_t evidence;
    amgr_counters_t counters;
    amgr_record_t record;
    const amgr_board_t *board;
    int slots;
    int count;

    fill(file, 7);
    board = copy(file, AMGR_BOARD_PARTS_ALL);
    assert_int_equal(amgr_board_owner(board)->id.start_ticks, 88);
    assert_int_equal(amgr_board_dims(board)->slot_max, 400);
    assert_int_equal(amgr_board_read_tick(board, &out->snapshot), APR_SUCCESS);
    assert_memory_equal(out->snapshot.processes,
                        file->world->snapshot.processes,
                        PROCESSES * sizeof(amgr_process_t));
    assert_memory_equal(out->snapshot.slots, file->world->snapshot.slots,
                        PROCESSES * THREADS * sizeof(amgr_slot_t));
    amgr_board_count_tick(board, &count, &slots);
    assert_int_equal(count, PROCESSES);
    assert_int_equal(slots, PROCESSES * THREADS);
    assert_int_equal(amgr_board_read_config(board, &config), APR_SUCCESS);
    assert_int_equal(config.can_signal, 7);
    assert_int_equal(amgr_board_read_about(board, &about), APR_SUCCESS);
    assert_int_equal(about.listen_count, 7);
    amgr_board_read_counters(board, &counters);
    assert_int_equal(counters.ticks, 7);
    assert_int_equal(amgr_board_last_beat(board), 7);
    memset(&managed, 0, sizeof(managed));
    assert_int_equal(amgr_board_read_managed(board, &managed), APR_SUCCESS);
    assert_int_equal(managed.revision, 7);
    assert_int_equal(amgr_board_managed_revision(board), 7);
    assert_int_equal(managed.count, 10);
    assert_string_equal(managed.processes[9].name, "search-index");
    assert_int_equal(amgr_board_read_records(board, &record, 1, &count),
                     APR_SUCCESS);
    assert_int_equal(count, 1);
    assert_int_equal(record.requests, 7);
    assert_int_equal(amgr_board_count_evidences(board), 1);
    assert_int_equal(amgr_board_read_evidences(board, &evidence, 1, &count),
                     APR_SUCCESS);
    assert_int_equal(count, 1);
    assert_int_equal(evidence.threads, 7);
    assert_int_equal(
        amgr_board_read_history(board, AMGR_HISTORY_HOUR, 4, samples, &series),
        APR_SUCCESS);
    assert_int_equal(series.count, 1);
    world_destroy(out);
}

static void what_is_not_wanted_is_not_there(void **state)
{
    file_t *file = *state;
    amgr_history_sample_t samples[4];
    amgr_history_series_t series;
    world_t *out = world_create(PROCESSES, THREADS);
    amgr_snapshot_t *snapshot = &out->snapshot;
    amgr_board_about_t about;
    amgr_record_t record;
    const amgr_board_t *board;
    int count;

    fill(file, 7);
    board = copy(file, 0);
    assert_int_equal(amgr_board_read_about(board, &about), APR_SUCCESS);
    assert_int_equal(amgr_board_read_managed(board, &managed), APR_SUCCESS);
    assert_int_equal(amgr_board_read_records(board, &record, 1, &count),
                     APR_SUCCESS);
    assert_int_equal(count, 0);
    assert_int_equal(amgr_board_count_evidences(board), 0);
    assert_int_equal(
        amgr_board_read_history(board, AMGR_HISTORY_HOUR, 4, samples, &series),
        APR_SUCCESS);
    assert_int_equal(series.count, 0);
    assert_int_equal(amgr_board_read_tick(board, snapshot), APR_NOTFOUND);
    fill(file, 8);
    board = copy(file, AMGR_BOARD_TICK);
    assert_int_equal(amgr_board_read_tick(board, snapshot), APR_SUCCESS);
    assert_int_equal(snapshot->server.total_accesses, 8);
    assert_int_equal(snapshot->process_count, 0);
    fill(file, 9);
    board = copy(file, AMGR_BOARD_PROCESSES);
    assert_int_equal(amgr_board_read_tick(board, snapshot), APR_SUCCESS);
    assert_int_equal(snapshot->process_count, PROCESSES);
    assert_int_equal(snapshot->slot_count, 0);
    assert_int_equal(snapshot->processes[3].slot_count, 0);
    world_destroy(out);
}

static void others_are_refused(void **state)
{
    file_t *file = *state;
    amgr_board_t *header = file->board;
    int devnull = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const amgr_board_t *board;

    fill(file, 1);
    assert_int_equal(try_copy(file), APR_SUCCESS);
    header->version++;
    assert_int_equal(try_copy(file), APR_ENOTIMPL);
    header->version--;
    header->sizes.process += 8;
    assert_int_equal(try_copy(file), APR_ENOTIMPL);
    header->sizes.process -= 8;
    header->at.tick += 64;
    assert_int_equal(try_copy(file), APR_EGENERAL);
    header->at.tick -= 64;
    header->magic++;
    assert_int_equal(try_copy(file), APR_EGENERAL);
    header->magic--;
    assert_int_equal(try_copy(file), APR_SUCCESS);
    assert_true(devnull >= 0);
    assert_int_equal(amgr_board_copy(devnull, 0, &board, file->pool),
                     APR_EGENERAL);
    close(devnull);
    assert_int_equal(amgr_board_copy(-1, 0, &board, file->pool), EBADF);
}

/* A header can promise anything: a file of holes costs nothing to make. */
static void a_giant_is_refused(void **state)
{
    static const amgr_board_dims_t giant = {
        .process_max = 1 << 20, .slot_max = 1 << 20, .thread_limit = 1};
    file_t *file = *state;
    amgr_board_t *memory;
    apr_size_t size = amgr_board_size(&giant);

    assert_true(size > AMGR_BOARD_COPY_MAX_BYTES);
    memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    amgr_board_init(memory, &giant, &owner);
    assert_int_equal(pwrite(file->fd, memory, sizeof(*memory), 0),
                     sizeof(*memory));
    munmap(memory, size);
    assert_int_equal(ftruncate(file->fd, (off_t)size), 0);
    assert_int_equal(try_copy(file), APR_EGENERAL);
}

static void a_file_that_is_cut_short_is_refused(void **state)
{
    file_t *file = *state;
    apr_uint64_t bounds[sizeof(amgr_board_offsets_t) / sizeof(apr_uint64_t)];
    size_t i;

    fill(file, 1);
    memcpy(bounds, &file->board->at, sizeof(bounds));
    /* From the end, since what is cut off does not come back. */
    for (i = AMGR_COUNT(bounds); i > 0; i--) {
        assert_int_equal(ftruncate(file->fd, (off_t)bounds[i - 1] - 1), 0);
        assert_int_equal(try_copy(file), APR_EGENERAL);
    }
    assert_int_equal(ftruncate(file->fd, 7), 0);
    assert_int_equal(try_copy(file), APR_EGENERAL);
    assert_int_equal(ftruncate(file->fd, 0), 0);
    assert_int_equal(try_copy(file), APR_EGENERAL);
}

static void dead_writers_are_given_up(void **state)
{
    file_t *file = *state;
    amgr_board_t *board = file->board;
    apr_uint64_t *tick = amgr_board_at_rw(board, board->at.tick);
    apr_uint64_t *config = amgr_board_at_rw(board, board->at.config);
    amgr_board_records_t *records = amgr_board_at_rw(board, board->at.records);
    amgr_record_t record;
    int count = -1;

    fill(file, 1);
    ++*tick;
    assert_int_equal(try_copy(file), APR_EAGAIN);
    ++*tick;
    ++*config;
    assert_int_equal(try_copy(file), APR_EAGAIN);
    ++*config;
    records->seq++;
    assert_int_equal(amgr_board_read_records(copy(file, AMGR_BOARD_PARTS_ALL),
                                             &record, 1, &count),
                     APR_SUCCESS);
    assert_int_equal(count, 0);
}

/* What there was of managed processes is better than none at all. */
static void a_dead_supervisor_is_told_of(void **state)
{
    file_t *file = *state;
    amgr_board_managed_t *region =
        amgr_board_at_rw(file->board, file->board->managed_at);

    fill(file, 7);
    region->seq++;
    region->table.count = 2147483647;
    memset(&managed, 0, sizeof(managed));
    assert_int_equal(amgr_board_read_managed(copy(file, 0), &managed),
                     APR_EAGAIN);
    assert_int_equal(managed.count, AMGR_MANAGED_MAX);
    assert_string_equal(managed.processes[3].name, "solr");
    region->table.count = -5;
    assert_int_equal(amgr_board_read_managed(copy(file, 0), &managed),
                     APR_EAGAIN);
    assert_int_equal(managed.count, 0);
}

/* A page says nothing of processes that there are none of, and nothing good of
 * those that nobody watches. */
static void a_view_has_them_with_doubt(void **state)
{
    file_t *file = *state;
    amgr_view_t view;

    memset(&view, 0, sizeof(view));
    amgr_view_board_managed(&view, file->board, file->pool);
    assert_null(view.managed);
    invent_healthy(&managed);
    managed.beat_mono_us = amgr_clock_monotonic_us();
    amgr_board_write_managed(file->board, &managed);
    amgr_view_board_managed(&view, file->board, file->pool);
    assert_int_equal(view.managed->count, 3);
    assert_int_equal(view.managed->supervisor, 4000);
    assert_true(amgr_managed_all_ready(view.managed));
    managed.beat_mono_us -= AMGR_MANAGED_STALE_US + 1;
    amgr_board_write_managed(file->board, &managed);
    amgr_view_board_managed(&view, file->board, file->pool);
    assert_int_equal(view.managed->supervisor, 0);
    assert_int_equal(view.managed->application, AMGR_APPLICATION_DEGRADED);
    assert_false(amgr_managed_all_ready(view.managed));
    /* One that was killed in the middle of a write. */
    ((amgr_board_managed_t *)amgr_board_at_rw(file->board,
                                              file->board->managed_at))
        ->seq++;
    memset(&view, 0, sizeof(view));
    amgr_view_board_managed(&view, copy(file, 0), file->pool);
    assert_int_equal(view.managed->count, 3);
    assert_int_equal(view.managed->supervisor, 0);
    memset(&view, 0, sizeof(view));
    managed.count = 0;
    amgr_board_write_managed(file->board, &managed);
    amgr_view_board_managed(&view, file->board, file->pool);
    assert_null(view.managed);
}

/* In a child: write until told to end. */
static void write_until_done(file_t *file, const int *done)
{
    int value;

    for (value = 2; !__atomic_load_n(done, __ATOMIC_ACQUIRE); value++) {
        amgr_snapshot_t *snapshot = &file->world->snapshot;
        int i;

        snapshot->server.total_accesses = (apr_uint64_t)value;
        for (i = 0; i < snapshot->slot_count; i++) {
            snapshot->slots[i].bytes = (apr_uint64_t)value;
        }
        amgr_board_write_tick(file->board, snapshot);
        usleep(200);
    }
    _exit(0);
}

static void no_copy_is_of_two_ticks(void **state)
{
    file_t *file = *state;
    world_t *out = world_create(PROCESSES, THREADS);
    amgr_snapshot_t *snapshot = &out->snapshot;
    apr_time_t until_us = apr_time_now() + 500000;
    apr_uint64_t last = 0;
    int distinct = 0;
    pid_t writer;
    int *done;
    int i;

    done = mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(done, MAP_FAILED);
    fill(file, 1);
    writer = fork();
    if (writer == 0) {
        write_until_done(file, done);
    }
    assert_true(writer > 0);
    while (apr_time_now() < until_us) {
        const amgr_board_t *board;
        apr_status_t rv;

        apr_pool_clear(file->pool);
        rv = amgr_board_copy(file->fd, AMGR_BOARD_SLOTS | AMGR_BOARD_PROCESSES,
                             &board, file->pool);
        if (rv == APR_EAGAIN) {
            continue;
        }
        assert_int_equal(rv, APR_SUCCESS);
        assert_int_equal(amgr_board_read_tick(board, snapshot), APR_SUCCESS);
        assert_int_equal(snapshot->slot_count, PROCESSES * THREADS);
        for (i = 0; i < snapshot->slot_count; i++) {
            assert_int_equal(snapshot->slots[i].bytes,
                             snapshot->server.total_accesses);
        }
        distinct += snapshot->server.total_accesses != last;
        last = snapshot->server.total_accesses;
    }
    __atomic_store_n(done, 1, __ATOMIC_RELEASE);
    assert_int_equal(waitpid(writer, NULL, 0), writer);
    assert_true(distinct > 2);
    munmap(done, sizeof(*done));
    world_destroy(out);
}

static apr_status_t swallow(void *baton, const char *data, apr_size_t len)
{
    apr_size_t *total = baton;

    assert_non_null(data);
    *total += len;
    return APR_SUCCESS;
}

/* Everything a view takes from the copy, through every writer. */
static void show(const amgr_board_t *board, world_t *out, apr_pool_t *pool)
{
    static void (*const writers[])(const amgr_view_t *, amgr_sink_t *) = {
        amgr_write_status_json, amgr_write_metrics_txt,
        amgr_write_auto,        amgr_write_metrics,
        amgr_write_page,        amgr_write_processes_json,
        amgr_write_ready_json,
    };
    char buf[4096];
    amgr_board_config_t config;
    amgr_board_about_t about;
    amgr_counters_t counters;
    apr_size_t total = 0;
    amgr_sink_t sink;
    amgr_view_t view;
    size_t i;

    memset(&view, 0, sizeof(view));
    memset(&config, 0, sizeof(config));
    (void)amgr_board_read_about(board, &about); /* it may be half written */
    (void)amgr_board_read_config(board, &config);
    (void)amgr_view_board_tick(board, &out->snapshot);
    amgr_board_read_counters(board, &counters);
    view.snapshot = &out->snapshot;
    view.config = &config;
    view.counters = &counters;
    view.tick_wall_us = out->snapshot.server.time.wall_us;
    view.now_wall_us = view.tick_wall_us;
    view.base_path = "/manager-status";
    view.assets_version = "1";
    view.pool = pool;
    view.control_token = "1a2b3c";
    amgr_view_board_managed(&view, board, pool);
    amgr_view_board_records(&view, board, pool);
    amgr_view_board_history(&view, board, pool);
    amgr_view_make_scratch(&view, pool);
    for (i = 0; i < AMGR_COUNT(writers); i++) {
        amgr_sink_init(&sink, buf, sizeof(buf), swallow, &total);
        writers[i](&view, &sink);
        assert_int_equal(amgr_sink_finish(&sink), APR_SUCCESS);
    }
    assert_true(total > 0);
}

static apr_uint32_t next_random(apr_uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

static void no_bytes_do_harm(void **state)
{
    static const apr_uint64_t words[] = {0,
                                         1,
                                         0x7fffffff,
                                         0xffffffff,
                                         0x80000000,
                                         APR_UINT64_MAX,
                                         APR_UINT64_C(1) << 63,
                                         0x4141414141414141};
    file_t *file = *state;
    world_t *out = world_create(PROCESSES, THREADS);
    char *bytes = (char *)file->board;
    char *whole = test_malloc(file->size);
    const apr_uint64_t *bounds = (const apr_uint64_t *)&file->board->at;
    apr_uint32_t seed = 20240917;
    int copied = 0;
    int i;
    int k;

    fill(file, 1);
    memcpy(whole, bytes, file->size);
    for (i = 0; i < MUTATIONS; i++) {
        const amgr_board_t *board;
        apr_pool_t *pool;

        for (k = 0; k < 12; k++) {
            /* Near the beginning of a region, where its counts are. */
            apr_uint64_t place = bounds[next_random(&seed) % 11];
            apr_uint64_t word = words[next_random(&seed) % AMGR_COUNT(words)];

            place += 8 * (next_random(&seed) % (i % 2 ? 64 : 4096));
            if (i % 20 == 0) {
                place = 8 * (next_random(&seed) % 32);
            }
            if (place + sizeof(word) <= file->size) {
                memcpy(bytes + place, &word, sizeof(word));
            }
        }
        apr_pool_create(&pool, file->pool);
        if (amgr_board_copy(file->fd, AMGR_BOARD_PARTS_ALL, &board, pool) ==
            APR_SUCCESS) {
            copied++;
            show(board, out, pool);
        }
        apr_pool_destroy(pool);
        memcpy(bytes, whole, file->size);
    }
    assert_in_range(copied, MUTATIONS / 4, MUTATIONS);
    test_free(whole);
    world_destroy(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(everything_is_there),
        WITH_FILE(what_is_not_wanted_is_not_there),
        WITH_FILE(others_are_refused),
        WITH_FILE(a_giant_is_refused),
        WITH_FILE(a_file_that_is_cut_short_is_refused),
        WITH_FILE(dead_writers_are_given_up),
        WITH_FILE(a_dead_supervisor_is_told_of),
        WITH_FILE(a_view_has_them_with_doubt),
        WITH_FILE(no_copy_is_of_two_ticks),
        WITH_FILE(no_bytes_do_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
