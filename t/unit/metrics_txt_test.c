/* SPDX-License-Identifier: Apache-2.0
 *
 * The metrics file: the bytes that the Python tool wrote for the same server,
 * golden files, and the corners of its format.
 */
#include "render_view.h"

static fixed_view_t fixed;

/* What python-apache-manager 2.2 wrote of this server. */
static const char python_text[] =
    "# Global Apache server metrics.\n"
    "busy-workers\t1\n"
    "bytes-per-request\t1024.0\n"
    "bytes-per-second\t204.8\n"
    "cpu-load\t0.228571\n"
    "idle-workers\t3\n"
    "requests-per-second\t0.2\n"
    "total-accesses\t7\n"
    "total-traffic\t7168\n"
    "uptime\t35\n"
    "\n"
    "# Metrics internal to apache-manager.\n"
    "foreign-worker-count\t3\n"
    "native-worker-count\t4\n"
    "status-response\t0\n"
    "workers-hanging\t0\n"
    "workers-killed-active\t0\n"
    "workers-killed-idle\t0\n"
    "\n"
    "# Memory usage of native Apache worker processes.\n"
    "memory-usage\tnative\tcount\t4\n"
    "memory-usage\tnative\tmin\t11907072\n"
    "memory-usage\tnative\tmax\t12050432\n"
    "memory-usage\tnative\taverage\t11980800.0\n"
    "memory-usage\tnative\tmedian\t11982848.0\n"
    "\n"
    "# Memory usage of 'example' WSGI worker processes.\n"
    "memory-usage\texample\tcount\t2\n"
    "memory-usage\texample\tmin\t12771328\n"
    "memory-usage\texample\tmax\t13025281\n"
    "memory-usage\texample\taverage\t12898304.5\n"
    "memory-usage\texample\tmedian\t12898304.5\n"
    "\n"
    "# Memory usage of 'other' WSGI worker processes.\n"
    "memory-usage\tother\tcount\t1\n"
    "memory-usage\tother\tmin\t12000000\n"
    "memory-usage\tother\tmax\t12000000\n"
    "memory-usage\tother\taverage\t12000000.0\n"
    "memory-usage\tother\tmedian\t12000000\n";

static void make_python(fixed_view_t *out)
{
    static const apr_uint64_t sizes[4] = {
        11907072, 11979776, 11985920, 12050432
    };
    amgr_server_t *server;
    int i;

    view_empty(out);
    server = &out->snapshot.server;
    server->extended = 1;
    server->busy_workers = 1;
    server->idle_workers = 3;
    server->bytes_per_request = 1024.0;
    server->bytes_per_second = 204.8;
    server->requests_per_second = 0.2;
    server->cpu_load = 0.228571;
    server->total_accesses = 7;
    server->total_bytes = 7168;
    server->uptime_us = VIEW_SEC(35) + 999999;
    for (i = 0; i < 4; i++) {
        add_slot(out, add_process(out, 10 + i, "native", AMGR_ROLE_WORKER,
                                  sizes[i]), i, 0, AMGR_MODE_READY);
    }
    /* Named in another order than they are written in. */
    add_process(out, 20, "other", AMGR_ROLE_WSGI, 12000000);
    add_process(out, 21, "example", AMGR_ROLE_WSGI, 12771328);
    add_process(out, 22, "example", AMGR_ROLE_WSGI, 13025281);
    /* A piped logger: no worker of any kind. */
    add_process(out, 23, "program", AMGR_ROLE_PROGRAM, 1000);
    finish_view(out);
    out->view.tick_wall_us = VIEW_NOW_US;
}

static void test_python(void **state)
{
    text_t text;

    (void)state; /* cmocka's signature */
    make_python(&fixed);
    text = render(amgr_write_metrics_txt, &fixed.view, 4096);
    assert_string_equal(text.data, python_text);
    free(text.data);
}

static void test_golden(void **state)
{
    (void)state; /* cmocka's signature */
    check_golden(amgr_write_metrics_txt, view_prefork, "prefork.txt");
    check_golden(amgr_write_metrics_txt, view_event, "event.txt");
    check_golden(amgr_write_metrics_txt, view_empty, "empty.txt");
}

static void test_failing_sink(void **state)
{
    (void)state; /* cmocka's signature */
    check_failing_sink(amgr_write_metrics_txt, view_prefork);
}

static void expect_line(const char *line)
{
    text_t text = render(amgr_write_metrics_txt, &fixed.view, 4096);
    char whole[256];

    snprintf(whole, sizeof(whole), "\n%s\n", line);
    if (strstr(text.data, whole) == NULL) {
        fail_msg("no line '%s' in:\n%s", line, text.data);
    }
    free(text.data);
}

/* What Python 3 prints for %r of the same name. */
static void test_repr(void **state)
{
    static const struct {
        const char *name;
        const char *repr;
        const char *column;
    } cases[] = {
        { "plain", "'plain'", "plain" },
        { "it's", "\"it's\"", "it's" },
        { "a\"b", "'a\"b'", "a\"b" },
        { "a'b\"c", "'a\\'b\"c'", "a'b\"c" },
        { "a\\b", "'a\\\\b'", "a\\b" },
        { "a\tb\nc\rd\x1b\x7f", "'a\\tb\\nc\\rd\\x1b\\x7f'", "a?b?c?d??" },
        { "zo\xc3\xab \xe2\x82\xac", "'zo\xc3\xab \xe2\x82\xac'",
          "zo\xc3\xab \xe2\x82\xac" },
        { "\xc2\xa0\xe2\x80\xa8", "'\\xa0\\u2028'", "\xc2\xa0\xe2\x80\xa8" },
        { "\xff\xc3", "'\\udcff\\udcc3'", "??" },
        { "\xf0\x9f\x98\x80\xf3\xa0\x80\x81",
          "'\xf0\x9f\x98\x80\\U000e0001'",
          "\xf0\x9f\x98\x80\xf3\xa0\x80\x81" },
        { "\xc2\x85", "'\\x85'", "?" }
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        char line[256];

        view_empty(&fixed);
        add_process(&fixed, 5, cases[i].name, AMGR_ROLE_WSGI, 7);
        finish_view(&fixed);
        snprintf(line, sizeof(line),
                 "# Memory usage of %s WSGI worker processes.", cases[i].repr);
        expect_line(line);
        snprintf(line, sizeof(line), "memory-usage\t%s\tmin\t7",
                 cases[i].column);
        expect_line(line);
    }
}

static void test_status_response(void **state)
{
    (void)state; /* cmocka's signature */
    make_python(&fixed);
    fixed.snapshot.incomplete = 1;
    expect_line("status-response\t1");
    make_python(&fixed);
    fixed.view.tick_wall_us = AMGR_NO_TIME;
    expect_line("status-response\t1");
}

static void test_counts(void **state)
{
    (void)state; /* cmocka's signature */
    view_event(&fixed);
    fixed.counters.killed_active = 11;
    fixed.counters.killed_idle = 22;
    expect_line("native-worker-count\t9");
    expect_line("foreign-worker-count\t3");
    expect_line("workers-hanging\t1");
    fixed.snapshot.hanging = -1;
    expect_line("workers-hanging\t0");
    expect_line("workers-killed-active\t11");
    expect_line("workers-killed-idle\t22");
    /* Zabbix divides by it. */
    view_empty(&fixed);
    expect_line("native-worker-count\t1");
    /* Count of all, statistics of the known. */
    view_prefork(&fixed);
    expect_line("memory-usage\tnative\tcount\t6");
    expect_line("memory-usage\tnative\tmedian\t272629760");
}

static void test_no_section(void **state)
{
    text_t text;

    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    text = render(amgr_write_metrics_txt, &fixed.view, 4096);
    assert_null(strstr(text.data, "gone"));
    assert_null(strstr(text.data, "daemon"));
    assert_true(strstr(text.data, "'another'")
                < strstr(text.data, "'example'"));
    free(text.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_python),
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_failing_sink),
        cmocka_unit_test(test_repr),
        cmocka_unit_test(test_status_response),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_no_section)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
