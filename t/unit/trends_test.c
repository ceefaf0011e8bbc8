/* SPDX-License-Identifier: Apache-2.0
 *
 * What follows from a view: rates, the time to a limit, what was retired of
 * late, and the columns of charts.
 */
#include "render_view.h"

#include "render/trends.h"

static fixed_view_t fixed;

#define NOW_US VIEW_SEC(100000)

static amgr_history_sample_t *
add_sample(int ago_sec, int span_sec, apr_uint64_t accesses, apr_uint64_t bytes)
{
    amgr_history_sample_t *sample = &fixed.samples[fixed.history.count++];

    assert_true(fixed.history.count <= VIEW_SAMPLES);
    memset(sample, 0, sizeof(*sample));
    sample->mono_us = NOW_US - VIEW_SEC(ago_sec);
    sample->span_us = VIEW_SEC(span_sec);
    sample->total_accesses = accesses;
    sample->total_bytes = bytes;
    sample->ticks = 1;
    return sample;
}

/* A server that has answered 1,000 requests of 1,000 bytes, without history. */
static void begin(void)
{
    view_empty(&fixed);
    fixed.snapshot.server.extended = 1;
    fixed.snapshot.server.uptime_us = VIEW_SEC(50000);
    fixed.snapshot.server.time.mono_us = NOW_US;
    fixed.snapshot.server.total_accesses = 1000;
    fixed.snapshot.server.total_bytes = 1000000;
    fixed.history.samples = fixed.samples;
    fixed.history.group_count = AMGR_HISTORY_GROUPS;
    fixed.view.history = &fixed.history;
}

static void check_rates(double requests, double bytes, double each,
                        apr_interval_time_t window_us)
{
    amgr_trends_rates_t rates;

    amgr_trends_rates(&fixed.view, &rates);
    assert_true(rates.requests_per_second == requests);
    assert_true(rates.bytes_per_second == bytes);
    assert_true(rates.bytes_per_request == each);
    assert_int_equal(rates.window_us, window_us);
}

static void rates_of_the_last_minute(void **state)
{
    (void)state; /* cmocka's signature */
    begin();
    add_sample(100, 10, 0, 0);
    add_sample(60, 10, 500, 400000);
    add_sample(50, 10, 800, 600000);
    add_sample(40, 10, 900, 800000);
    check_rates(4, 8000, 2000, VIEW_SEC(50));
    /* Nothing happened: a rate of nothing, and no bytes per request. */
    fixed.samples[2].total_accesses = 1000;
    fixed.samples[2].total_bytes = 1000000;
    check_rates(0, 0, -1, VIEW_SEC(50));
    fixed.snapshot.server.extended = 0;
    check_rates(-1, -1, -1, AMGR_NO_TIME);
}

static void rates_without_an_old_sample(void **state)
{
    (void)state; /* cmocka's signature */
    begin();
    check_rates(-1, -1, -1, AMGR_NO_TIME);
    fixed.view.history = NULL;
    check_rates(-1, -1, -1, AMGR_NO_TIME);
    fixed.view.history = &fixed.history;
    /* The oldest will do, unless it is just now. */
    add_sample(20, 0, 900, 900000);
    add_sample(10, 10, 950, 950000);
    check_rates(5, 5000, 1000, VIEW_SEC(20));
    fixed.samples[0] = fixed.samples[1];
    fixed.samples[0].mono_us = NOW_US - 900000;
    fixed.samples[1].mono_us = NOW_US - 800000;
    check_rates(-1, -1, -1, AMGR_NO_TIME);
    /* A young server tells by all it has done. */
    fixed.snapshot.server.uptime_us = VIEW_SEC(100);
    check_rates(10, 10000, 1000, VIEW_SEC(100));
    fixed.samples[0].mono_us = NOW_US - VIEW_SEC(50);
    check_rates(1, 1000, 1000, VIEW_SEC(50));
}

static void counters_that_began_anew(void **state)
{
    (void)state; /* cmocka's signature */
    begin();
    add_sample(50, 10, 2000, 5000000);
    check_rates(20, 20000, 1000, VIEW_SEC(50));
    /* They began with the server. */
    fixed.snapshot.server.uptime_us = VIEW_SEC(40);
    check_rates(25, 25000, 1000, VIEW_SEC(40));
    /* A sample without counters is none. */
    fixed.snapshot.server.uptime_us = VIEW_SEC(50000);
    fixed.samples[0].total_accesses = AMGR_UNKNOWN;
    check_rates(-1, -1, -1, AMGR_NO_TIME);
}

static void the_newest_samples_go_before_the_day(void **state)
{
    static amgr_history_sample_t newest[2];
    static amgr_history_series_t recent;

    (void)state; /* cmocka's signature */
    begin();
    add_sample(200, 120, 0, 0);
    newest[0] = *add_sample(50, 10, 800, 800000);
    fixed.history.count = 1;
    recent.samples = newest;
    recent.count = 1;
    fixed.view.recent = &recent;
    check_rates(4, 4000, 1000, VIEW_SEC(50));
}

/* A worker that obeys 500 MB when it works. */
static amgr_process_t *add_worker(apr_uint64_t rss_bytes, apr_int64_t growth)
{
    amgr_process_t *process =
        add_process(&fixed, 1000 + fixed.snapshot.process_count, "native",
                    AMGR_ROLE_WORKER, rss_bytes);

    process->active = 1;
    process->growth_bytes_per_hour = growth;
    fixed.config.limits.max_memory_active_bytes = (apr_int64_t)VIEW_MIB(500);
    return process;
}

static void time_to_the_limit(void **state)
{
    static const struct {
        int used_mb;
        apr_int64_t growth;
        apr_interval_time_t left_us;
        int is_near;
    } cases[] = {
        {400, 100, VIEW_SEC(3600), 1},
        {399, 101, VIEW_SEC(3600), 0},
        {300, 1200, VIEW_SEC(600), 0},
        {300, 1201, 599500416, 1},
        {250, 2000, VIEW_SEC(450), 1},
        {249, 2000, 451800000, 0},
        {500, 100, 0, 1},
        {501, 100, AMGR_NO_TIME, 0}, /* over it */
        {400, 0, AMGR_NO_TIME, 1},
        {300, -100, AMGR_NO_TIME, 0},
        {300, 1, VIEW_SEC(720000), 0},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        amgr_process_t *process;

        begin();
        process = add_worker(VIEW_MIB(cases[i].used_mb),
                             cases[i].growth * 1024 * 1024);
        assert_int_equal(amgr_trends_time_to_limit(&fixed.view, process),
                         cases[i].left_us);
        assert_int_equal(amgr_trends_is_near(&fixed.view, process),
                         cases[i].is_near);
    }
}

static void nobody_comes_to_a_limit(void **state)
{
    amgr_process_t *process;

    (void)state; /* cmocka's signature */
    begin();
    process = add_worker(VIEW_MIB(450), (apr_int64_t)VIEW_MIB(10));
    assert_int_equal(amgr_trends_time_to_limit(&fixed.view, process),
                     VIEW_SEC(18000));
    /* Further than anybody can tell. */
    process->growth_bytes_per_hour = 50000;
    assert_int_equal(amgr_trends_time_to_limit(&fixed.view, process),
                     AMGR_NO_TIME);
    process->growth_bytes_per_hour = AMGR_GROWTH_UNKNOWN;
    assert_int_equal(amgr_trends_time_to_limit(&fixed.view, process),
                     AMGR_NO_TIME);
    assert_int_equal(amgr_trends_is_near(&fixed.view, process), 1);
    /* Told to go, or over another limit. */
    process->state = AMGR_STATE_RETIRING;
    assert_int_equal(amgr_trends_is_near(&fixed.view, process), 0);
    process->state = AMGR_STATE_SERVING;
    process->verdict = AMGR_VERDICT_TIME;
    assert_int_equal(amgr_trends_is_near(&fixed.view, process), 0);
    process->verdict = AMGR_VERDICT_OK;
    /* What is measured is not known. */
    fixed.config.limits.metric = AMGR_METRIC_PSS;
    assert_int_equal(amgr_trends_is_near(&fixed.view, process), 0);
    fixed.config.limits.metric = AMGR_METRIC_RSS;
    /* Idle ones have a limit of their own, here none; then the hard one. */
    process->active = 0;
    assert_int_equal(amgr_trends_is_near(&fixed.view, process), 0);
    fixed.config.limits.hard_memory_bytes = (apr_int64_t)VIEW_MIB(460);
    process->growth_bytes_per_hour = (apr_int64_t)VIEW_MIB(10);
    assert_int_equal(amgr_trends_time_to_limit(&fixed.view, process),
                     VIEW_SEC(3600));
    process->active = 1;
    assert_int_equal(amgr_trends_time_to_limit(&fixed.view, process),
                     VIEW_SEC(3600));
    /* Not judged at all. */
    process->role = AMGR_ROLE_PROGRAM;
    assert_int_equal(amgr_trends_is_near(&fixed.view, process), 0);
    assert_int_equal(amgr_trends_time_to_limit(&fixed.view, process),
                     AMGR_NO_TIME);
}

static amgr_record_t records[AMGR_RECORDS_MAX];

static amgr_record_t *retired(int ago_sec, int verdict, int outcome)
{
    amgr_record_t *record = &records[fixed.view.record_count++];

    memset(record, 0, sizeof(*record));
    record->verdict = verdict;
    record->outcome = outcome;
    record->action = AMGR_ACTION_KILL;
    record->decided_mono_us = NOW_US - VIEW_SEC(ago_sec);
    record->killed_us = AMGR_NO_TIME;
    return record;
}

static void what_was_retired(void **state)
{
    amgr_trends_recent_t recent;
    amgr_record_t *record;

    (void)state; /* cmocka's signature */
    begin();
    fixed.view.records = records;
    amgr_trends_recent(&fixed.view, &recent);
    assert_int_equal(recent.retired, 0);
    record = retired(-1, AMGR_VERDICT_TIME, AMGR_OUTCOME_PENDING);
    record->killed_us = 5;
    record->requests_lost = 3;
    record = retired(10, AMGR_VERDICT_MEMORY_IDLE, AMGR_OUTCOME_GONE);
    record->requests_lost = 7; /* it was asked: they are not lost */
    record = retired(20, AMGR_VERDICT_TIME, AMGR_OUTCOME_GONE);
    record->killed_us = 5;
    record->requests_lost = -1;
    retired(30, AMGR_VERDICT_TIME, AMGR_OUTCOME_VANISHED);
    retired(30, AMGR_VERDICT_TIME, AMGR_OUTCOME_FAILED);
    record = retired(30, AMGR_VERDICT_TIME, AMGR_OUTCOME_DRY_RUN);
    record->action = AMGR_ACTION_NONE;
    /* Decided, and the process that did so died. */
    record = retired(30, AMGR_VERDICT_TIME, AMGR_OUTCOME_PENDING);
    record->action = AMGR_ACTION_NONE;
    retired(3601, AMGR_VERDICT_TIME, AMGR_OUTCOME_GONE);
    amgr_trends_recent(&fixed.view, &recent);
    assert_int_equal(recent.retired, 3);
    assert_int_equal(recent.verdicts[AMGR_VERDICT_TIME], 2);
    assert_int_equal(recent.verdicts[AMGR_VERDICT_MEMORY_IDLE], 1);
    assert_int_equal(recent.dry_runs, 1);
    assert_int_equal(recent.requests_lost, 3);
    assert_int_equal(recent.at_least, 0);
}

static void more_than_the_records_hold(void **state)
{
    amgr_trends_recent_t recent;
    int i;

    (void)state; /* cmocka's signature */
    begin();
    fixed.view.records = records;
    for (i = 0; i < AMGR_RECORDS_MAX; i++) {
        retired(i, 1000, AMGR_OUTCOME_GONE);
    }
    amgr_trends_recent(&fixed.view, &recent);
    assert_int_equal(recent.retired, AMGR_RECORDS_MAX);
    assert_int_equal(recent.at_least, 1);
    records[AMGR_RECORDS_MAX - 1].decided_mono_us = NOW_US - VIEW_SEC(4000);
    amgr_trends_recent(&fixed.view, &recent);
    assert_int_equal(recent.at_least, 0);
}

static int is_close(double value, double wanted)
{
    return value > wanted - 1e-6 && value < wanted + 1e-6;
}

static void columns_of_equal_samples(void **state)
{
    amgr_trend_column_t columns[4];
    amgr_history_sample_t *sample;
    int i;

    (void)state; /* cmocka's signature */
    begin();
    /* Forty seconds before the last ten: a gap, then three samples. */
    add_sample(50, 10, 100, 1000)->retired = 9;
    add_sample(40, 0, 150, 1500);
    for (i = 0; i < 3; i++) {
        sample = add_sample(30 - 10 * i, 10, (apr_uint64_t)(200 + i * 50),
                            (apr_uint64_t)(2000 + i * 1000));
        sample->busy_milli = (apr_uint32_t)(i + 1) * 1000;
        sample->busy_peak = (apr_uint32_t)(i + 2);
        sample->idle_milli = 500;
        sample->retired = (apr_uint32_t)i;
        sample->workers_kib = (apr_uint32_t)(i + 1);
        sample->groups[5].sum_kib = (apr_uint32_t)(30 - i);
        sample->groups[5].largest_kib = (apr_uint32_t)(20 + i);
    }
    amgr_trends_columns(&fixed.history, NOW_US - VIEW_SEC(50),
                        NOW_US - VIEW_SEC(10), 4, columns);
    /* One that ends where the first column begins is not in it; the instant
     * at the end of the gap is. */
    assert_int_equal(columns[0].known, 1);
    assert_int_equal(columns[0].retired, 0);
    assert_true(columns[0].requests_per_second == -1);
    assert_true(columns[0].share < 1e-6);
    for (i = 0; i < 3; i++) {
        assert_int_equal(columns[i + 1].known, 1);
        assert_true(is_close(columns[i + 1].busy, i + 1));
        assert_true(is_close(columns[i + 1].idle, 0.5));
        assert_true(is_close(columns[i + 1].requests_per_second, 5));
        assert_true(
            is_close(columns[i + 1].bytes_per_second, i == 0 ? 50 : 100));
        assert_int_equal(columns[i + 1].busy_peak, i + 2);
        assert_int_equal(columns[i + 1].retired, i);
        assert_int_equal(columns[i + 1].workers_bytes, (i + 1) * 1024);
        assert_int_equal(columns[i + 1].groups[5].sum_bytes, (30 - i) * 1024);
        assert_int_equal(columns[i + 1].groups[5].largest_bytes,
                         (20 + i) * 1024);
        assert_true(is_close(columns[i + 1].share, 1));
    }
    /* All in one: means by time, peaks, sums; the gap weighs nothing. */
    amgr_trends_columns(&fixed.history, NOW_US - VIEW_SEC(50),
                        NOW_US - VIEW_SEC(10), 1, columns);
    assert_true(is_close(columns[0].busy, 2));
    assert_true(is_close(columns[0].requests_per_second, 5));
    assert_true(is_close(columns[0].bytes_per_second, 250.0 / 3));
    assert_int_equal(columns[0].busy_peak, 4);
    assert_int_equal(columns[0].retired, 3);
    assert_int_equal(columns[0].workers_bytes, 3 * 1024);
    assert_int_equal(columns[0].groups[5].sum_bytes, 30 * 1024);
    assert_int_equal(columns[0].groups[5].largest_bytes, 22 * 1024);
    assert_true(is_close(columns[0].share, 0.75));
}

static void long_samples_fill_columns(void **state)
{
    amgr_trend_column_t columns[10];
    int i;

    (void)state; /* cmocka's signature */
    begin();
    add_sample(100, 10, 0, 0);
    add_sample(10, 90, 90, 0)->busy_milli = 2000;
    fixed.samples[1].retired = 1;
    amgr_trends_columns(&fixed.history, NOW_US - VIEW_SEC(100), NOW_US, 10,
                        columns);
    for (i = 0; i < 9; i++) {
        assert_true(is_close(columns[i].busy, 2));
        assert_true(is_close(columns[i].requests_per_second, 1));
        assert_int_equal(columns[i].retired, i == 8);
    }
    assert_int_equal(columns[9].known, 0);
    assert_true(columns[9].requests_per_second == -1);
    assert_true(columns[9].bytes_per_second == -1);
    /* Half of it in the last column. */
    amgr_trends_columns(&fixed.history, NOW_US - VIEW_SEC(200),
                        NOW_US - VIEW_SEC(55), 1, columns);
    assert_int_equal(columns[0].retired, 0);
    assert_true(is_close(columns[0].share, 55.0 / 145));
}

static void nothing_to_draw(void **state)
{
    amgr_trend_column_t columns[3];

    (void)state; /* cmocka's signature */
    begin();
    memset(columns, 0x5a, sizeof(columns));
    amgr_trends_columns(NULL, 0, NOW_US, 3, columns);
    assert_int_equal(columns[2].known, 0);
    assert_true(columns[2].requests_per_second == -1);
    add_sample(10, 10, 1, 1);
    memset(columns, 0x5a, sizeof(columns));
    amgr_trends_columns(&fixed.history, NOW_US, NOW_US, 3, columns);
    assert_int_equal(columns[0].known, 0);
    amgr_trends_columns(&fixed.history, NOW_US, 0, 3, columns);
    assert_int_equal(columns[0].known, 0);
    amgr_trends_columns(&fixed.history, 0, NOW_US, 0, columns);
    /* Of the first alone nobody knows a rate. */
    amgr_trends_columns(&fixed.history, 0, NOW_US, 3, columns);
    assert_int_equal(columns[2].known, 1);
    assert_true(columns[2].requests_per_second == -1);
    /* Counters that began anew, and none. */
    add_sample(0, 10, 0, 0);
    amgr_trends_columns(&fixed.history, NOW_US - VIEW_SEC(10), NOW_US, 1,
                        columns);
    assert_true(columns[0].requests_per_second == 0);
    fixed.samples[1].total_bytes = AMGR_UNKNOWN;
    amgr_trends_columns(&fixed.history, NOW_US - VIEW_SEC(10), NOW_US, 1,
                        columns);
    assert_true(columns[0].requests_per_second == -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_of_the_last_minute),
        cmocka_unit_test(rates_without_an_old_sample),
        cmocka_unit_test(counters_that_began_anew),
        cmocka_unit_test(the_newest_samples_go_before_the_day),
        cmocka_unit_test(time_to_the_limit),
        cmocka_unit_test(nobody_comes_to_a_limit),
        cmocka_unit_test(what_was_retired),
        cmocka_unit_test(more_than_the_records_hold),
        cmocka_unit_test(columns_of_equal_samples),
        cmocka_unit_test(long_samples_fill_columns),
        cmocka_unit_test(nothing_to_draw),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
