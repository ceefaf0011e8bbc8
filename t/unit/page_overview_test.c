/* SPDX-License-Identifier: Apache-2.0
 *
 * The first screen and the charts over an invented history: figures of now,
 * axes, gaps, the figures of a column, names that would like to be markup.
 */
#include "render/page.h"
#include "render_view.h"

#define SAMPLES 90

static fixed_view_t fixed;
static amgr_history_series_t series;
static amgr_history_sample_t samples[SAMPLES];

/* One sample every ten seconds until two seconds ago, ever more requests. */
static void invent_history(int count)
{
    apr_time_t now_us = VIEW_SEC(100000);
    int i;

    fixed.snapshot.server.time.mono_us = now_us;
    memset(&series, 0, sizeof(series));
    memset(samples, 0, sizeof(samples));
    for (i = 0; i < count; i++) {
        amgr_history_sample_t *sample = &samples[i];
        apr_interval_time_t ago_us = VIEW_SEC(10 * (count - 1 - i) + 2);

        sample->mono_us = now_us - ago_us;
        sample->wall_us = VIEW_NOW_US - ago_us;
        sample->span_us = VIEW_SEC(10);
        sample->ticks = 1;
        sample->total_accesses = 1000 + (apr_uint64_t)i * 50;
        sample->total_bytes = 1000000 + (apr_uint64_t)i * 20000;
        sample->busy_milli = 3500;
        sample->busy_peak = 5;
        sample->idle_milli = 7000;
        sample->workers_kib = 400 * 1024;
        sample->groups[0].sum_kib = 300 * 1024;
        sample->groups[0].largest_kib = 200 * 1024;
        sample->groups[1].sum_kib = 100 * 1024;
        sample->groups[1].largest_kib = 100 * 1024;
    }
    apr_cpystrn(series.groups[0], "native", sizeof(series.groups[0]));
    apr_cpystrn(series.groups[1], "<b>\"&", sizeof(series.groups[1]));
    series.group_count = 2;
    series.samples = samples;
    series.count = count;
    fixed.view.history = &series;
    fixed.snapshot.server.total_accesses =
        1000 + (apr_uint64_t)(count - 1) * 50;
    fixed.snapshot.server.total_bytes =
        1000000 + (apr_uint64_t)(count - 1) * 20000;
}

static void expect(const char *needle, int there)
{
    text_t text = render(amgr_write_page, &fixed.view, 4096);

    if ((strstr(text.data, needle) != NULL) != there) {
        fail_msg("'%s' is%s in the page", needle, there ? " not" : "");
    }
    free(text.data);
}

static int count_of(const char *needle)
{
    text_t text = render(amgr_write_page, &fixed.view, 4096);
    const char *at = text.data;
    int count = 0;

    for (; (at = strstr(at, needle)) != NULL; at++) {
        count++;
    }
    free(text.data);
    return count;
}

static void test_tiles(void **state)
{
    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    invent_history(SAMPLES);
    expect("<dt>Workers</dt><dd class=\"figure\">3 <small>busy</small> 2"
           " <small>idle</small></dd>",
           1);
    /* The newest sample that is at least 50 s old is 52 s old. */
    expect("<dt>Requests</dt><dd class=\"figure\">4.81 <small>per second"
           "</small></dd>\n<dd class=\"sub\">over the last 52s, 5450 in all",
           1);
    expect("<dt>Traffic</dt><dd class=\"figure\">1.92 KB <small>per second"
           "</small></dd>\n<dd class=\"sub\">400 bytes per request, 2.78 MB in"
           " all",
           1);
    fixed.snapshot.server.machine_bytes = VIEW_MIB(16384);
    fixed.snapshot.server.cgroup_limit_bytes = VIEW_MIB(2048);
    expect("% of the machine's 17.18 GB", 0);
    expect("%</b> of the machine's 17.18 GB", 1);
    expect("%</b> of the cgroup's 2.15 GB", 1);
}

static void test_retired_in_the_last_hour(void **state)
{
    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    expect("<dt>Retired in the last hour</dt><dd class=\"figure\">2</dd>", 1);
    /* One of the four could not be signalled. */
    expect("1 memory, 1 time; 1 request lost; in a dry run 1 more would have"
           " been",
           1);
    fixed.snapshot.server.time.mono_us = VIEW_SEC(100000);
    fixed.records[0].decided_mono_us = VIEW_SEC(100000 - 3599);
    fixed.records[1].decided_mono_us = VIEW_SEC(100000 - 3601);
    expect("<dd class=\"sub\">1 memory; ", 1);
}

static void test_before_the_first_tick(void **state)
{
    (void)state; /* cmocka's signature */
    view_empty(&fixed);
    expect("<section id=\"history\"", 0);
    expect("href=\"#history\"", 0);
    expect("<dd class=\"figure\">n/a <small>per second</small></dd>\n"
           "<dd class=\"sub\">not known yet",
           1);
    expect("of the machine", 0);
    invent_history(0);
    expect("<section id=\"history\"", 1);
    expect("Nothing is known yet", 1);
}

static void test_charts(void **state)
{
    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    invent_history(SAMPLES);
    assert_int_equal(count_of("<svg class=\"chart\""), 4);
    assert_int_equal(count_of("<svg class=\"spark\""), 5);
    /* A quarter of an hour is shown on an axis of half an hour. */
    expect("<span>30m ago</span> <span>now</span>", 1);
    assert_int_equal(count_of("<i title=\""), 4 * 31);
    expect(" UTC busy 3.50, at most 5, idle 7\"></i>", 1);
    expect(" UTC 5 requests/s, 2 KB/s, retired 0\"></i>", 1);
    expect(" UTC native 314.57 MB, &lt;b&gt;&quot;&amp; 104.86 MB\"></i>", 1);
    expect("ManagerMaxMemoryActive <b>524.29 MB</b> (500M)", 1);
    expect("<path class=\"level\"", 1);
    invent_history(30);
    expect("<span>10m ago</span>", 1);
}

static void test_span_of_the_charts(void **state)
{
    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    invent_history(SAMPLES);
    expect("<a href=\"?#history\" aria-current=\"true\">Last"
           " hour</a>",
           1);
    expect("<a href=\"?history=day#history\">Last day</a>", 1);
    fixed.view.query.history = AMGR_HISTORY_DAY;
    fixed.view.query.refresh_sec = 7;
    expect("<a href=\"?refresh=7&amp;history=day#history\""
           " aria-current=\"true\">Last day</a>",
           1);
    expect("<span>2h ago</span>", 1);
}

static void test_near_a_limit(void **state)
{
    int i;

    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    for (i = 0; i < fixed.snapshot.process_count; i++) {
        amgr_process_t *process = &fixed.processes[i];

        process->state = AMGR_STATE_SERVING;
        process->growth_bytes_per_hour = AMGR_GROWTH_UNKNOWN;
        process->cause = AMGR_CAUSE_NONE;
        if (process->verdict > AMGR_VERDICT_OK) {
            process->verdict = AMGR_VERDICT_OK;
            process->rss_bytes = VIEW_MIB(10);
        }
    }
    fixed.snapshot.hanging = 0;
    expect("<strong>Near limit.</strong> 1 process is near its limit: process"
           " 1102 has 86% of 524.29 MB.",
           1);
    fixed.processes[1].growth_bytes_per_hour = (apr_int64_t)VIEW_MIB(140);
    expect(" has 86% of 524.29 MB and reaches it in about 30m.", 1);
    fixed.processes[0].rss_bytes = VIEW_MIB(225);
    expect("2 processes are near their limit; the closest, process 1101, has"
           " 90% of 262.14 MB.",
           1);
}

static void test_hanging_unknown(void **state)
{
    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    fixed.snapshot.server.extended = 0;
    fixed.snapshot.hanging = -1;
    expect("<dt>Hanging requests</dt><dd>n/a</dd>", 1);
    expect("<dt>Hanging now</dt><dd>n/a</dd>", 1);
    expect("ExtendedStatus is off, so nobody knows what hangs", 1);
}

/* The limit that comes first may be the hard one, and the only one. */
static void test_near_the_hard_limit(void **state)
{
    int i;

    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    fixed.config.limits.max_memory_active_bytes = AMGR_LIMIT_OFF;
    fixed.config.limits.max_memory_idle_bytes = AMGR_LIMIT_OFF;
    fixed.config.limits.hard_memory_bytes = (apr_int64_t)VIEW_MIB(500);
    for (i = 0; i < fixed.snapshot.process_count; i++) {
        fixed.processes[i].state = AMGR_STATE_SERVING;
        fixed.processes[i].cause = AMGR_CAUSE_NONE;
        fixed.processes[i].verdict = AMGR_VERDICT_OK;
        fixed.processes[i].rss_bytes = VIEW_MIB(i == 1 ? 430 : 10);
        fixed.processes[i].growth_bytes_per_hour = AMGR_GROWTH_UNKNOWN;
    }
    fixed.snapshot.hanging = 0;
    expect("1 process is near its limit: process 1102 has 86% of 524.29 MB.",
           1);
}

/* A dry run retires nobody, and still says whom it would have. */
static void test_dry_run(void **state)
{
    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    fixed.view.record_count = 1;
    fixed.records[0].outcome = AMGR_OUTCOME_DRY_RUN;
    expect("<dd class=\"figure\">0</dd>\n<dd class=\"sub\">in a dry run 1"
           " would have been",
           1);
    fixed.view.record_count = 0;
    expect("no worker had to go", 1);
}

/* Of several causes the breaker's own is told with it. */
static void test_storm(void **state)
{
    int i;

    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    for (i = 0; i < 4; i++) {
        fixed.processes[i].state = AMGR_STATE_SERVING;
        fixed.processes[i].verdict = AMGR_VERDICT_MEMORY_ACTIVE;
        fixed.processes[i].cause =
            i == 0 ? AMGR_CAUSE_STORM : AMGR_CAUSE_MIN_AGE;
    }
    expect("<strong>Storm breaker.</strong> Retiring did not help and was"
           " stopped: 1 process is over its limit and is left alone, because"
           " the storm breaker is open",
           1);
}

static void test_no_tick_ever(void **state)
{
    (void)state; /* cmocka's signature */
    view_empty(&fixed);
    fixed.snapshot.server.uptime_us = VIEW_SEC(34);
    expect("<strong>Waiting.</strong>", 1);
    fixed.snapshot.server.uptime_us = VIEW_SEC(36);
    expect("<strong>Stale.</strong> There has been no tick since the server"
           " was started or restarted, 36s ago, and one is due every 10s:"
           " nothing is measured, and nothing acted on.",
           1);
    fixed.view.configured_us = fixed.view.now_wall_us - VIEW_SEC(34);
    expect("<strong>Waiting.</strong> The first tick has not come yet: nothing"
           " is measured or judged before it.</p>",
           1);
    fixed.view.configured_us -= VIEW_SEC(5);
    expect("restarted, 39s ago", 1);
}

/* A group that has ended is not said to have what it had. */
static void test_ended_group(void **state)
{
    int i;

    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    invent_history(SAMPLES);
    for (i = SAMPLES - 20; i < SAMPLES; i++) {
        samples[i].groups[0].sum_kib = 0;
        samples[i].groups[0].largest_kib = 0;
    }
    expect("native <b>ended</b>", 1);
    expect(" UTC &lt;b&gt;&quot;&amp; 104.86 MB\"></i>", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiles),
        cmocka_unit_test(test_retired_in_the_last_hour),
        cmocka_unit_test(test_before_the_first_tick),
        cmocka_unit_test(test_charts),
        cmocka_unit_test(test_span_of_the_charts),
        cmocka_unit_test(test_near_a_limit),
        cmocka_unit_test(test_hanging_unknown),
        cmocka_unit_test(test_near_the_hard_limit),
        cmocka_unit_test(test_dry_run),
        cmocka_unit_test(test_storm),
        cmocka_unit_test(test_no_tick_ever),
        cmocka_unit_test(test_ended_group),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
