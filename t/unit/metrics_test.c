/* SPDX-License-Identifier: Apache-2.0
 *
 * The two formats of metrics: golden files, which the checker of expositions
 * reads too (t/lint/exposition.t), and what stands for what is not known.
 */
#include "managed_view.h"

#include "render/metric.h"

static fixed_view_t fixed;

/* What the fixed views leave out. */
static void set_scoreboard(fixed_view_t *out)
{
    amgr_server_t *server = &out->snapshot.server;
    int i;

    out->view.started_us = VIEW_NOW_US - VIEW_SEC(93785);
    out->view.uptime_us = VIEW_SEC(93785);
    out->counters.totals.sums.accesses = 123457;
    out->counters.totals.sums.bytes = 9876543211;
    out->counters.totals.sums.duration_us = VIEW_SEC(5000) + 250000;
    out->counters.totals_mono_us = 1;
    server->config_generation = 3;
    server->row_count = 5;
    server->stopping_rows = 2;
    for (i = 0; i < AMGR_MODE_COUNT; i++) {
        server->modes[i] = 100 + i;
    }
    server->connections.total = 9;
    server->connections.wait_io = 1;
    server->connections.writing = 2;
    server->connections.keep_alive = 3;
    server->connections.closing = 4;
    server->scoreboard_cpu.user = 100.5;
    server->scoreboard_cpu.children_system = 12.25;
    out->view.server_description = "Apache/2.4.62 (Debian) mod_x/1.2.3";
    out->view.load[0] = 0.25;
    out->view.load[1] = 1.0;
    out->view.load[2] = 12.75;
}

static void set_counters(amgr_counters_t *counters)
{
    int i;

    for (i = 0; i < AMGR_VERDICT_COUNT; i++) {
        counters->retired[i] = (apr_uint64_t)i * 1000;
    }
    counters->drained = 11;
    counters->forced = 4;
    counters->requests_lost = 2;
    counters->orphaned_locks = 1;
    counters->cpu_user_us = 100500000;
    counters->cpu_system_us = 12250001;
    counters->cpu_mono_us = 1;
    amgr_histogram_add(&counters->tick_spans, &amgr_histogram_ticks, 812);
    amgr_histogram_add(&counters->tick_spans, &amgr_histogram_ticks, 2500000);
    amgr_histogram_add(&counters->killed_ages, &amgr_histogram_ages,
                       VIEW_SEC(61));
}

/* Everything that there is, in both sets of names. */
static void view_all(fixed_view_t *out)
{
    view_prefork(out);
    set_scoreboard(out);
    set_counters(&out->counters);
    out->snapshot.server.worker_anon_bytes = VIEW_MIB(100);
    out->snapshot.server.storm_open = 1;
    out->snapshot.groups[0].inert = 1;
    out->config.limits.max_generation_age_us = VIEW_SEC(300);
    out->view.settings.metrics_names = AMGR_METRICS_BOTH;
}

/* Names with every byte there is, on an MPM that counts connections. */
static void view_hostile(fixed_view_t *out)
{
    view_event(out);
    set_scoreboard(out);
    fill_bytes(out->snapshot.groups[1].name, AMGR_GROUP_NAME_LEN, 0);
    fill_bytes(out->snapshot.groups[2].name, AMGR_GROUP_NAME_LEN, 60);
    fill_bytes(out->snapshot.groups[3].name, AMGR_GROUP_NAME_LEN, 193);
    out->view.server_description = "\xff\\\"\n/2.x";
    out->view.settings.metrics_names = AMGR_METRICS_BOTH;
}

/* A thousand groups, of which some would be alike if bad bytes were. */
static void view_groups(fixed_view_t *out)
{
    amgr_snapshot_t *snapshot;
    char name[32];
    int i;

    view_prefork(out);
    set_scoreboard(out);
    snapshot = &out->snapshot;
    for (i = 0; i < 1000; i++) {
        amgr_group_t *group;
        int index;

        snprintf(name, sizeof(name), i < 20 ? "bad %c" : "group %d",
                 i < 20 ? 0x80 + i : i);
        index = amgr_snapshot_group(snapshot, name, AMGR_KIND_FOREIGN,
                                    AMGR_ROLE_WSGI);
        group = &snapshot->groups[index];
        group->rss.count++;
        group->rss.known++;
        group->rss.sum += VIEW_MIB(1);
        group->rss.min = VIEW_MIB(1);
        group->rss.max = VIEW_MIB(1);
        group->rss.median = (double)VIEW_MIB(1) + 0.5;
    }
}

static void view_nothing(fixed_view_t *out)
{
    view_empty(out);
    out->view.settings.metrics_names = AMGR_METRICS_BOTH;
}

/* Managed processes too, and then as if they alone were there. */
static void view_of_managed(fixed_view_t *out)
{
    view_managed(out);
    set_scoreboard(out);
}

static void view_of_unsupervised(fixed_view_t *out)
{
    view_unsupervised(out);
    set_scoreboard(out);
}

static void test_golden(void **state)
{
    (void)state; /* cmocka's signature */
    check_golden(amgr_write_metrics, view_all, "metrics.prom");
    check_golden(amgr_write_openmetrics, view_all, "metrics.om");
    check_golden(amgr_write_metrics, view_hostile, "metrics-hostile.prom");
    check_golden(amgr_write_openmetrics, view_hostile, "metrics-hostile.om");
    check_golden(amgr_write_metrics, view_groups, "metrics-groups.prom");
    check_golden(amgr_write_openmetrics, view_groups, "metrics-groups.om");
    check_golden(amgr_write_metrics, view_nothing, "metrics-empty.prom");
    check_golden(amgr_write_openmetrics, view_nothing, "metrics-empty.om");
    check_golden(amgr_write_metrics, view_of_managed, "metrics-managed.prom");
    check_golden(amgr_write_openmetrics, view_of_managed, "metrics-managed.om");
}

static void test_failing_sink(void **state)
{
    (void)state; /* cmocka's signature */
    check_failing_sink(amgr_write_metrics, view_all);
    check_failing_sink(amgr_write_openmetrics, view_all);
}

static int count_of(const char *text, const char *what)
{
    int count = 0;

    while ((text = strstr(text, what)) != NULL) {
        text += strlen(what);
        count++;
    }
    return count;
}

static void expect(write_fn *write, const char *what, int count)
{
    text_t text = render(write, &fixed.view, 8192);

    if (count_of(text.data, what) != count) {
        print_error("not %d times %s in:\n%s", count, what, text.data);
        fail();
    }
    free(text.data);
}

static void test_names(void **state)
{
    static const struct {
        int names;
        int native;
        int compat;
    } cases[] = {
        {AMGR_METRICS_NATIVE, 1, 0},
        {AMGR_METRICS_COMPAT, 0, 1},
        {AMGR_METRICS_BOTH, 1, 1},
        {99, 1, 0},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    view_all(&fixed);
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        fixed.view.settings.metrics_names = cases[i].names;
        expect(amgr_write_metrics, "\napache_manager_health 2\n",
               cases[i].native);
        expect(amgr_write_metrics, "\napache_up 1\n", cases[i].compat);
        expect(amgr_write_openmetrics, "apache_up 1\n", cases[i].compat);
    }
}

static void test_groups(void **state)
{
    (void)state; /* cmocka's signature */
    view_groups(&fixed);
    expect(amgr_write_metrics, "\napache_manager_group_processes{",
           AMGR_GROUPS_MAX);
    expect(amgr_write_metrics,
           "\napache_manager_group_processes{group=\"other\",role=\"other\"} ",
           1);
    expect(amgr_write_metrics, "{group=\"bad \\\\x80\",role=\"wsgi\"} ", 5);
    expect(amgr_write_metrics, " 1048576.5\n", AMGR_GROUPS_MAX - 6);
}

/* A name of the table twice would be a split family. */
static void test_table(void **state)
{
    int i;
    int j;

    (void)state; /* cmocka's signature */
    for (i = 0; i < amgr_metrics_count; i++) {
        for (j = 0; j < i; j++) {
            assert_true(amgr_metrics[i].compat != amgr_metrics[j].compat ||
                        strcmp(amgr_metrics[i].name, amgr_metrics[j].name) !=
                            0);
        }
        assert_null(strpbrk(amgr_metrics[i].help, "\\\"\n"));
        assert_in_range(amgr_metrics[i].type, 0, AMGR_METRIC_TYPE_COUNT - 1);
    }
}

static void test_unknown(void **state)
{
    amgr_server_t *server = &fixed.snapshot.server;

    (void)state; /* cmocka's signature */
    view_all(&fixed);
    server->extended = 0;
    server->memory_capacity_bytes = AMGR_UNKNOWN;
    server->worker_anon_bytes = AMGR_UNKNOWN;
    fixed.snapshot.hanging = -1;
    fixed.view.load[1] = -1.0;
    fixed.view.server_description = NULL;
    expect(amgr_write_metrics, "apache_manager_requests_total", 0);
    expect(amgr_write_metrics, "apache_manager_sent_bytes", 0);
    expect(amgr_write_metrics, "apache_manager_request_duration", 0);
    expect(amgr_write_metrics, "apache_accesses", 0);
    expect(amgr_write_metrics, "apache_uptime", 0);
    expect(amgr_write_metrics, "apache_manager_cpu_seconds", 0);
    expect(amgr_write_metrics, "apache_cpu_time", 0);
    expect(amgr_write_metrics, "\napache_cpuload 0\n", 1);
    expect(amgr_write_metrics, "apache_manager_memory_capacity", 0);
    expect(amgr_write_metrics, "apache_manager_workers_anonymous", 0);
    expect(amgr_write_metrics, "apache_manager_workers_hanging", 0);
    expect(amgr_write_metrics, "apache_load{interval=\"5min\"}", 0);
    expect(amgr_write_metrics, "\napache_load{", 2);
    expect(amgr_write_metrics, "version=\"Apache/2.4.62 (Debian)\"", 1);
    expect(amgr_write_metrics, "connections", 0);
    server->async = 1;
    expect(amgr_write_metrics, "\napache_manager_connections{", 4);
}

/* What is set and cannot work, each by its own reason; what is not set is not
 * there. */
static void test_inert(void **state)
{
    amgr_limits_t *limits = &fixed.config.limits;
    amgr_server_t *server = &fixed.snapshot.server;

    (void)state; /* cmocka's signature */
    view_all(&fixed);
    limits->max_time_us = AMGR_LIMIT_OFF;
    limits->max_requests.limit = AMGR_LIMIT_OFF;
    limits->max_memory_total_percent = 0;
    limits->max_memory_total_bytes = AMGR_LIMIT_OFF;
    expect(amgr_write_metrics, "limit_inert{limit=\"time\"}", 0);
    expect(amgr_write_metrics, "limit_inert{limit=\"requests\"}", 0);
    expect(amgr_write_metrics, "limit_inert{limit=\"memory_total\"}", 0);
    limits->max_requests.limit = 100;
    limits->max_memory_total_percent = 50;
    limits->max_time_sections = 1; /* the server itself has none */
    server->memory_capacity_bytes = VIEW_MIB(1000);
    expect(amgr_write_metrics, "limit_inert{limit=\"time\"} 0\n", 1);
    expect(amgr_write_metrics, "limit_inert{limit=\"requests\"} 0\n", 1);
    expect(amgr_write_metrics, "limit_inert{limit=\"memory_total\"} 0\n", 1);
    server->extended = 0;
    expect(amgr_write_metrics, "limit_inert{limit=\"time\"} 1\n", 1);
    expect(amgr_write_metrics, "limit_inert{limit=\"requests\"} 1\n", 1);
    expect(amgr_write_metrics, "limit_inert{limit=\"memory_total\"} 0\n", 1);
    server->memory_capacity_bytes = AMGR_UNKNOWN;
    expect(amgr_write_metrics, "limit_inert{limit=\"memory_total\"} 1\n", 1);
    expect(amgr_write_metrics, "limit_bytes{limit=\"memory_total\"}", 0);
    fixed.view.tick_wall_us = AMGR_NO_TIME;
    expect(amgr_write_metrics, "limit_inert", 0);
}

static void test_interval(void **state)
{
    (void)state; /* cmocka's signature */
    view_all(&fixed);
    fixed.config.limits.interval_us = VIEW_SEC(1) / 5;
    expect(amgr_write_metrics, "\napache_manager_check_interval_seconds 0.2\n",
           1);
    /* Known before the first tick: that one may never come. */
    fixed.view.tick_wall_us = AMGR_NO_TIME;
    fixed.config.limits.interval_us = VIEW_SEC(3600);
    expect(amgr_write_metrics, "\napache_manager_check_interval_seconds 3600\n",
           1);
}

static void test_managed(void **state)
{
    (void)state; /* cmocka's signature */
    view_all(&fixed);
    expect(amgr_write_metrics, "apache_manager_process_", 0);
    expect(amgr_write_metrics, "apache_manager_verifier_", 0);
    expect(amgr_write_metrics, "apache_manager_application_", 0);
    expect(amgr_write_metrics, "apache_manager_supervisor_", 0);
    view_of_managed(&fixed);
    /* One state of each, and all eight of each. */
    expect(amgr_write_metrics, "\napache_manager_process_state{", 80);
    expect(amgr_write_metrics, "state=\"FATAL\"} 1\n", 1);
    expect(amgr_write_metrics, "_process_exits_total{process=\"web\"", 9);
    expect(amgr_write_metrics, "_last_exit_code{process=\"worker\"} 137\n", 1);
    expect(amgr_write_metrics, "_last_exit_code{process=\"solr\"} 1\n", 1);
    expect(amgr_write_metrics, "_last_exit_code{process=\"mailer\"}", 0);
    expect(amgr_write_metrics, "\napache_manager_verifier_runs_total{", 8);
    expect(amgr_write_metrics, "\napache_manager_process_memory_limit", 1);
    /* Nothing that it tells itself is here. */
    expect(amgr_write_metrics, "script", 0);
    fixed.view.settings.metrics_names = AMGR_METRICS_COMPAT;
    expect(amgr_write_metrics, "process_state", 0);
    view_of_unsupervised(&fixed);
    expect(amgr_write_metrics, "\napache_manager_supervisor_up 0\n", 1);
    expect(amgr_write_metrics,
           "\napache_manager_application_state{state="
           "\"degraded\"} 1\n",
           1);
    expect(amgr_write_metrics, "_process_ready{process=\"web\"} 0\n", 1);
}

static void test_orphaned(void **state)
{
    (void)state; /* cmocka's signature */
    view_all(&fixed);
    fixed.counters.orphaned_locks = 3;
    fixed.counters.orphaned_before = 1;
    fixed.counters.totals.started_us =
        (apr_uint64_t)fixed.view.started_us;
    expect(amgr_write_metrics, "\napache_manager_orphaned_locks_total 3\n", 1);
    expect(amgr_write_metrics,
           "\napache_manager_orphaned_locks_since_start 2\n", 1);
    /* The scoreboard is not known. */
    fixed.view.started_us = 0;
    expect(amgr_write_metrics, "orphaned_locks_since_start", 0);
}

static void test_versions(void **state)
{
    static const struct {
        const char *text;
        const char *number; /* NULL: none */
    } cases[] = {
        {"Apache/2.4.71 (Debian)", "2.04071"},
        {"Apache/2.4.6", "2.04006"},
        {"Apache/10.11.123-dev x/1.2.3", "10.11123"},
        {"Apache/2.4.71", "2.04071"},
        {"Apache", NULL},
        {"Apache/2.4", NULL},
        {"Apache/2", NULL},
        {"Apache/x.4.71", NULL},
        {"Apache/2.400.71", NULL},
        {"Apache/2.4.99999999999999999999", NULL},
        {"", NULL},
    };
    char line[64];
    size_t i;

    (void)state; /* cmocka's signature */
    view_all(&fixed);
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        fixed.view.server_description = cases[i].text;
        expect(amgr_write_metrics, "\napache_version ",
               cases[i].number != NULL);
        if (cases[i].number != NULL) {
            snprintf(line, sizeof(line), "\napache_version %s\n",
                     cases[i].number);
            expect(amgr_write_metrics, line, 1);
        }
    }
}

/* What was counted at the last tick, whatever the scoreboard says now. */
static void test_totals(void **state)
{
    (void)state; /* cmocka's signature */
    view_all(&fixed);
    fixed.snapshot.server.total_accesses = 999999999;
    fixed.snapshot.server.total_bytes = 0;
    fixed.snapshot.server.started_us = 1;
    fixed.snapshot.server.uptime_us = 1;
    expect(amgr_write_metrics, "\napache_manager_requests_total 123457\n", 1);
    expect(amgr_write_metrics, "\napache_accesses_total 123457\n", 1);
    expect(amgr_write_metrics, "\napache_manager_sent_bytes_total 9876543211\n",
           1);
    expect(amgr_write_metrics, "\napache_uptime_seconds_total 93785\n", 1);
    expect(amgr_write_metrics, "start_time_seconds 1\n", 0);
    fixed.counters.totals_mono_us = 0;
    expect(amgr_write_metrics, "apache_manager_requests_total", 0);
    expect(amgr_write_metrics, "apache_manager_sent_bytes", 0);
    expect(amgr_write_metrics, "apache_manager_request_duration", 0);
    expect(amgr_write_metrics, "apache_accesses", 0);
    expect(amgr_write_metrics, "apache_sent_kilobytes", 0);
    expect(amgr_write_metrics, "apache_duration", 0);
}

static void test_decimals(void **state)
{
    static const struct {
        apr_time_t started_us;
        const char *text;
    } cases[] = {
        {1, "0.000001"},
        {100000, "0.1"},
        {1000000, "1"},
        {1000010, "1.00001"},
        {1700000000123456, "1700000000.123456"},
        {1700000000123400, "1700000000.1234"},
    };
    char line[80];
    size_t i;

    (void)state; /* cmocka's signature */
    view_all(&fixed);
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        fixed.view.started_us = cases[i].started_us;
        snprintf(line, sizeof(line),
                 "\napache_manager_server_start_time_seconds %s\n",
                 cases[i].text);
        expect(amgr_write_metrics, line, 1);
    }
    fixed.view.load[0] = 0.9999999;
    fixed.view.load[1] = 0.0 / fixed.view.load[0];
    fixed.view.load[2] = 1e300;
    expect(amgr_write_metrics, "\napache_load{interval=\"1min\"} 1\n", 1);
    expect(amgr_write_metrics, "\napache_load{interval=\"5min\"} 0\n", 1);
    expect(amgr_write_metrics, "apache_load{interval=\"15min\"}", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),   cmocka_unit_test(test_failing_sink),
        cmocka_unit_test(test_names),    cmocka_unit_test(test_groups),
        cmocka_unit_test(test_managed),  cmocka_unit_test(test_table),
        cmocka_unit_test(test_unknown),  cmocka_unit_test(test_inert),
        cmocka_unit_test(test_interval), cmocka_unit_test(test_orphaned),
        cmocka_unit_test(test_versions), cmocka_unit_test(test_totals),
        cmocka_unit_test(test_decimals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
