/* SPDX-License-Identifier: Apache-2.0
 *
 * The history: what ticks come to in samples, rings that go round, gaps and
 * clocks that jump, columns that change hands, and memory that holds anything.
 */
#include <stdio.h>

#include "invented.h"

#include "model/history.h"

#define FINE AMGR_HISTORY_HOUR
#define COARSE AMGR_HISTORY_DAY
#define DAY (86400 * SEC)

typedef struct past_t {
    amgr_history_t history;
    amgr_history_sample_t storage[AMGR_HISTORY_COARSE_MAX + 1];
    amgr_history_series_t series;
    world_t *world;
    apr_uint64_t retired;
    apr_interval_time_t interval_us;
} past_t;

static int setup(void **state)
{
    past_t *past = test_calloc(1, sizeof(*past));

    past->world = world_create(40, 2);
    past->interval_us = 10 * SEC;
    *state = past;
    return 0;
}

static int teardown(void **state)
{
    past_t *past = *state;

    world_destroy(past->world);
    test_free(past);
    return 0;
}

#define WITH_PAST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* A tick so much later. */
static void tick(past_t *past, apr_interval_time_t span_us)
{
    world_pass(past->world, span_us);
    amgr_snapshot_complete(&past->world->snapshot, past->world->scratch);
    amgr_history_add(&past->history, &past->world->snapshot, past->retired,
                     past->interval_us);
}

/* The newest samples as a reader has them. */
static const amgr_history_sample_t *look_at(past_t *past, int span, int max)
{
    amgr_history_copy(&past->history, span, max, past->storage, &past->series);
    amgr_history_mend_series(&past->series, past->storage);
    return past->series.samples;
}

static const amgr_history_sample_t *look(past_t *past, int span)
{
    return look_at(past, span, amgr_history_room(span));
}

static int column_of(const past_t *past, const char *name)
{
    int i;

    for (i = 0; i < past->series.group_count; i++) {
        if (strcmp(past->series.groups[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

static void nothing_is_nothing(void **state)
{
    past_t *past = *state;

    look(past, FINE);
    assert_int_equal(past->series.count, 0);
    assert_int_equal(past->series.group_count, 0);
    look_at(past, COARSE, 0);
    assert_int_equal(past->series.count, 0);
    assert_int_equal(amgr_history_room(FINE), 385);
    assert_int_equal(amgr_history_room(COARSE), 737);
    assert_int_equal(amgr_history_step_sec(FINE), 10);
    assert_int_equal(amgr_history_step_sec(COARSE), 120);
}

/* Every tick of the hook is a fine sample, also when it comes early. */
static void rare_ticks_are_samples(void **state)
{
    past_t *past = *state;
    const amgr_history_sample_t *sample;
    amgr_server_t *server = &past->world->snapshot.server;

    world_natives(past->world, 3);
    world_add(past->world, 300, AMGR_ROLE_WSGI, "app");
    world_add(past->world, 301, AMGR_ROLE_PROGRAM, "program");
    world_find(past->world, 101)->rss_bytes = (apr_uint64_t)(25 * MB);
    world_find(past->world, 102)->rss_bytes = AMGR_UNKNOWN;
    server->busy_workers = 4;
    server->idle_workers = 2;
    server->total_accesses = 100;
    server->total_bytes = 1000;
    tick(past, 0);
    server->busy_workers = 5;
    server->total_accesses = 150;
    past->retired = 2;
    tick(past, 19 * SEC / 2);
    tick(past, 21 * SEC / 2);
    sample = look(past, FINE);
    assert_int_equal(past->series.count, 3);
    assert_int_equal(sample[0].span_us, 0);
    assert_int_equal(sample[0].busy_milli, 4000);
    assert_int_equal(sample[0].total_accesses, 100);
    assert_int_equal(sample[0].retired, 0);
    assert_int_equal(sample[1].span_us, 19 * SEC / 2);
    assert_int_equal(sample[1].busy_milli, 5000);
    assert_int_equal(sample[1].busy_peak, 5);
    assert_int_equal(sample[1].idle_milli, 2000);
    assert_int_equal(sample[1].total_accesses, 150);
    assert_int_equal(sample[1].total_bytes, 1000);
    assert_int_equal(sample[1].retired, 2);
    assert_int_equal(sample[1].ticks, 1);
    assert_int_equal(sample[2].retired, 0);
    assert_int_equal(sample[2].mono_us, server->time.mono_us);
    assert_int_equal(sample[2].wall_us, server->time.wall_us);
    /* Programs are no workers; what is not known is not counted. */
    assert_int_equal(sample[2].workers_kib, 45 * 1024);
    assert_int_equal(past->series.group_count, 3);
    assert_int_equal(sample[2].groups[column_of(past, "native")].sum_kib,
                     35 * 1024);
    assert_int_equal(sample[2].groups[column_of(past, "native")].largest_kib,
                     25 * 1024);
    assert_int_equal(sample[2].groups[column_of(past, "app")].sum_kib,
                     10 * 1024);
    assert_int_equal(sample[2].groups[column_of(past, "program")].sum_kib,
                     10 * 1024);
}

static void frequent_ticks_are_merged(void **state)
{
    past_t *past = *state;
    const amgr_history_sample_t *sample;
    amgr_server_t *server = &past->world->snapshot.server;
    amgr_process_t *process;
    int i;

    past->interval_us = SEC;
    process = world_native(past->world, 100);
    tick(past, 0);
    for (i = 1; i <= 13; i++) {
        server->busy_workers = i;
        server->idle_workers = i % 3 == 0;
        server->total_accesses = (apr_uint64_t)i * 10;
        process->rss_bytes = (apr_uint64_t)((i == 4 ? 99 : i) * MB);
        past->retired += i == 3 || i == 8;
        tick(past, SEC);
    }
    sample = look(past, FINE);
    assert_int_equal(past->series.count, 3);
    assert_int_equal(sample[1].ticks, 10);
    assert_int_equal(sample[1].span_us, 10 * SEC);
    assert_int_equal(sample[1].busy_milli, 5500);
    assert_int_equal(sample[1].busy_peak, 10);
    assert_int_equal(sample[1].idle_milli, 300);
    assert_int_equal(sample[1].total_accesses, 100);
    assert_int_equal(sample[1].retired, 2);
    assert_int_equal(sample[1].workers_kib, 99 * 1024);
    assert_int_equal(sample[1].groups[0].sum_kib, 99 * 1024);
    /* The open one is seen at once. */
    assert_int_equal(sample[2].ticks, 3);
    assert_int_equal(sample[2].span_us, 3 * SEC);
    assert_int_equal(sample[2].busy_milli, 12000);
    assert_int_equal(sample[2].workers_kib, 13 * 1024);
    sample = look(past, COARSE);
    assert_int_equal(past->series.count, 2);
    assert_int_equal(sample[1].ticks, 13);
    assert_int_equal(sample[1].busy_milli, 7000);
    /* Fewer are the newest. */
    sample = look_at(past, FINE, 2);
    assert_int_equal(past->series.count, 2);
    assert_int_equal(sample[0].ticks, 10);
    sample = look_at(past, FINE, 1);
    assert_int_equal(past->series.count, 1);
    assert_int_equal(sample[0].ticks, 3);
}

static void rings_go_round(void **state)
{
    past_t *past = *state;
    const amgr_history_sample_t *sample;
    amgr_server_t *server = &past->world->snapshot.server;
    int i;

    for (i = 0; i < 20000; i++) {
        server->total_accesses = (apr_uint64_t)i;
        past->retired += i % 100 == 0;
        tick(past, 10 * SEC);
    }
    sample = look(past, FINE);
    assert_int_equal(past->series.count, AMGR_HISTORY_FINE_MAX);
    for (i = 0; i < past->series.count; i++) {
        assert_int_equal(sample[i].total_accesses,
                         20000 - AMGR_HISTORY_FINE_MAX + i);
        assert_int_equal(sample[i].span_us, 10 * SEC);
    }
    sample = look(past, COARSE);
    assert_true(past->series.count >= AMGR_HISTORY_COARSE_MAX);
    assert_int_equal(sample[past->series.count - 1].total_accesses, 19999);
    for (i = 1; i < past->series.count; i++) {
        assert_int_equal(sample[i].mono_us - sample[i].span_us,
                         sample[i - 1].mono_us);
    }
    /* More than the span they are for. */
    assert_true(server->time.mono_us - sample[0].mono_us > DAY);
}

static void a_gap_stays_a_gap(void **state)
{
    past_t *past = *state;
    const amgr_history_sample_t *sample;

    past->interval_us = SEC;
    tick(past, 0);
    tick(past, SEC);
    tick(past, 8 * SEC); /* late, and still the same */
    past->retired = 1;
    tick(past, 9 * SEC);
    tick(past, SEC);
    sample = look(past, FINE);
    assert_int_equal(past->series.count, 4);
    assert_int_equal(sample[1].ticks, 2);
    assert_int_equal(sample[1].span_us, 9 * SEC);
    assert_int_equal(sample[2].span_us, 0);
    assert_int_equal(sample[2].ticks, 1);
    assert_int_equal(sample[2].mono_us, sample[1].mono_us + 9 * SEC);
    assert_int_equal(sample[2].retired, 1);
    assert_int_equal(sample[3].span_us, SEC);
    /* An interval of an hour is no gap. */
    past->interval_us = 3600 * SEC;
    tick(past, 3600 * SEC);
    sample = look(past, FINE);
    assert_int_equal(past->series.count, 4);
    assert_int_equal(sample[3].span_us, 3601 * SEC);
    assert_int_equal(sample[3].ticks, 2);
}

static void clocks_may_jump(void **state)
{
    past_t *past = *state;
    const amgr_history_sample_t *sample;

    tick(past, 0);
    world_jump(past->world, -DAY);
    tick(past, 10 * SEC);
    world_jump(past->world, 2 * DAY);
    tick(past, 10 * SEC);
    sample = look(past, FINE);
    assert_int_equal(past->series.count, 3);
    assert_int_equal(sample[1].span_us, 10 * SEC);
    assert_int_equal(sample[2].span_us, 10 * SEC);
    assert_int_equal(sample[1].wall_us, 1700000010 * SEC - DAY);
    assert_int_equal(sample[2].wall_us, 1700000020 * SEC + DAY);
    /* A monotonic clock that goes back is another machine's. */
    past->retired = 5;
    tick(past, -5 * SEC);
    sample = look(past, FINE);
    assert_int_equal(past->series.count, 1);
    assert_int_equal(sample[0].retired, 0);
    /* One that stands still does no harm. */
    tick(past, 0);
    sample = look(past, FINE);
    assert_int_equal(past->series.count, 2);
    assert_int_equal(sample[1].span_us, 0);
    /* Counters that began anew retire nobody. */
    past->retired = 2;
    tick(past, 10 * SEC);
    sample = look(past, FINE);
    assert_int_equal(sample[past->series.count - 1].retired, 0);
}

static void without_counters(void **state)
{
    past_t *past = *state;
    const amgr_history_sample_t *sample;

    past->world->snapshot.server.extended = 0;
    past->world->snapshot.server.busy_workers = -3;
    tick(past, 0);
    sample = look(past, FINE);
    assert_int_equal(sample[0].total_accesses, AMGR_UNKNOWN);
    assert_int_equal(sample[0].total_bytes, AMGR_UNKNOWN);
    assert_int_equal(sample[0].busy_milli, 0);
    assert_int_equal(sample[0].busy_peak, 0);
}

/* Groups called a, b, c...: @a count from @a first on. */
static void have_groups(past_t *past, int first, int count)
{
    world_t *world = past->world;
    int i;

    amgr_snapshot_clear(&world->snapshot);
    world->snapshot.server.time.mono_us = past->history.last_mono_us == 0
                                              ? 1000 * SEC
                                              : past->history.last_mono_us;
    for (i = 0; i < count; i++) {
        char name[8];

        snprintf(name, sizeof(name), "g%d", first + i);
        world_add(world, 100 + i, AMGR_ROLE_WSGI, name)->rss_bytes =
            (apr_uint64_t)((first + i) * MB);
    }
}

static void columns_change_hands(void **state)
{
    past_t *past = *state;
    const amgr_history_sample_t *sample;
    int i;

    have_groups(past, 1, 20);
    tick(past, 10 * SEC);
    sample = look(past, FINE);
    assert_int_equal(past->series.group_count, AMGR_HISTORY_GROUPS);
    assert_string_equal(past->series.groups[0], "g1");
    assert_string_equal(past->series.groups[14], "g15");
    assert_string_equal(past->series.groups[15], "other");
    assert_int_equal(sample[0].groups[14].sum_kib, 15 * 1024);
    /* 16 to 20 share the last. */
    assert_int_equal(sample[0].groups[15].sum_kib, 90 * 1024);
    assert_int_equal(sample[0].groups[15].largest_kib, 20 * 1024);
    /* Other groups get no column of those that charts still show. */
    have_groups(past, 21, 3);
    tick(past, 10 * SEC);
    sample = look(past, FINE);
    assert_string_equal(past->series.groups[0], "g1");
    assert_int_equal(sample[1].groups[0].sum_kib, 0);
    assert_int_equal(sample[1].groups[15].sum_kib, 66 * 1024);
    /* A day and more later they do, and what was there is forgotten; the
     * group that was in use all the time keeps its own. */
    for (i = 0; i < 26 * 60; i++) {
        have_groups(past, 2, 1);
        tick(past, 60 * SEC);
    }
    have_groups(past, 31, 14);
    tick(past, 10 * SEC);
    sample = look(past, FINE);
    assert_string_equal(past->series.groups[0], "g31");
    assert_string_equal(past->series.groups[1], "g2");
    assert_string_equal(past->series.groups[2], "g32");
    assert_string_equal(past->series.groups[14], "g44");
    assert_int_equal(sample[past->series.count - 1].groups[0].sum_kib,
                     31 * 1024);
    for (i = 0; i < past->series.count - 1; i++) {
        assert_int_equal(sample[i].groups[0].sum_kib, 0);
        assert_int_equal(sample[i].groups[1].sum_kib, 2 * 1024);
    }
    look(past, COARSE);
    assert_string_equal(past->series.groups[1], "g2");
}

/* Nameless groups, and two of one name. */
static void odd_names(void **state)
{
    past_t *past = *state;
    const amgr_history_sample_t *sample;

    world_add(past->world, 100, AMGR_ROLE_WORKER, "native");
    world_add(past->world, 101, AMGR_ROLE_WSGI, "native");
    world_add(past->world, 102, AMGR_ROLE_WSGI, "");
    tick(past, 0);
    sample = look(past, FINE);
    assert_string_equal(past->series.groups[0], "native");
    assert_string_equal(past->series.groups[1], "");
    assert_int_equal(sample[0].groups[0].sum_kib, 20 * 1024);
    assert_int_equal(sample[0].groups[0].largest_kib, 10 * 1024);
    assert_int_equal(sample[0].groups[15].sum_kib, 10 * 1024);
}

static void sizes_are_bounded(void **state)
{
    past_t *past = *state;
    const amgr_history_sample_t *sample;

    world_add(past->world, 100, AMGR_ROLE_WORKER, "native")->rss_bytes =
        APR_UINT64_C(1) << 60;
    tick(past, 0);
    sample = look(past, FINE);
    assert_int_equal(sample[0].workers_kib, APR_UINT32_MAX);
    assert_int_equal(sample[0].groups[0].sum_kib, APR_UINT32_MAX);
}

static void is_sound(past_t *past, int span)
{
    const amgr_history_sample_t *sample = look(past, span);
    int i;

    assert_in_range(past->series.count, 0, amgr_history_room(span));
    assert_in_range(past->series.group_count, 0, AMGR_HISTORY_GROUPS);
    for (i = 0; i < AMGR_HISTORY_GROUPS; i++) {
        assert_non_null(
            memchr(past->series.groups[i], '\0', AMGR_GROUP_NAME_LEN));
    }
    for (i = 0; i < past->series.count; i++) {
        assert_true(sample[i].mono_us > 0);
        assert_true(sample[i].wall_us >= 0);
        assert_true(sample[i].ticks > 0);
        assert_true(sample[i].span_us >= 0);
        assert_true(sample[i].span_us <= sample[i].mono_us);
        if (i > 0) {
            assert_true(sample[i - 1].mono_us <=
                        sample[i].mono_us - sample[i].span_us);
        }
    }
}

/* Whatever is there, a reader has order, and a writer goes on. */
static void any_memory(void **state)
{
    past_t *past = *state;
    unsigned char *bytes = (unsigned char *)&past->history;
    unsigned int seed = 4711;
    size_t i;
    int round;

    world_natives(past->world, 2);
    for (round = 0; round < 60; round++) {
        for (i = 0; i < sizeof(past->history); i++) {
            seed = seed * 1103515245 + 12345;
            bytes[i] = (unsigned char)(seed >> 16);
        }
        /* Plausible in some rounds, so that more than one check is met. */
        if (round % 3 == 0) {
            past->history.last_mono_us = 900 * SEC;
        }
        is_sound(past, FINE);
        is_sound(past, COARSE);
        amgr_history_mend(&past->history);
        past->world->snapshot.server.time.mono_us = 1000 * SEC;
        for (i = 0; i < 1200; i++) {
            tick(past, 10 * SEC);
        }
        is_sound(past, FINE);
        is_sound(past, COARSE);
        assert_true(past->series.count >= 99);
    }
}

/* What a writer leaves that is killed between two of its stores. */
static void cut_short(void **state)
{
    past_t *past = *state;
    const amgr_history_sample_t *sample;
    int count;
    int i;

    past->interval_us = SEC;
    for (i = 0; i < 100; i++) {
        tick(past, SEC);
    }
    look(past, FINE);
    count = past->series.count;
    /* Sound memory is left as it is. */
    amgr_history_mend(&past->history);
    sample = look(past, FINE);
    assert_int_equal(past->series.count, count);
    assert_int_equal(sample[count - 1].ticks, 9);
    /* A place that was written and not counted, an open one half done. */
    past->history.fine[past->history.rings[FINE].next].mono_us = 77;
    past->history.rings[FINE].open.mono_us += SEC;
    past->history.rings[COARSE].count = -5;
    past->history.rings[COARSE].next = 100000;
    memset(past->history.groups[3], 'x', AMGR_GROUP_NAME_LEN);
    amgr_history_mend(&past->history);
    sample = look(past, FINE);
    assert_int_equal(past->series.count, count - 1);
    tick(past, SEC);
    sample = look(past, FINE);
    assert_int_equal(past->series.count, count);
    assert_int_equal(sample[count - 1].ticks, 1);
    assert_int_equal(sample[count - 1].span_us, SEC);
    is_sound(past, COARSE);
    assert_int_equal(past->series.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PAST(nothing_is_nothing),
        WITH_PAST(rare_ticks_are_samples),
        WITH_PAST(frequent_ticks_are_merged),
        WITH_PAST(rings_go_round),
        WITH_PAST(a_gap_stays_a_gap),
        WITH_PAST(clocks_may_jump),
        WITH_PAST(without_counters),
        WITH_PAST(columns_change_hands),
        WITH_PAST(odd_names),
        WITH_PAST(sizes_are_bounded),
        WITH_PAST(any_memory),
        WITH_PAST(cut_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
