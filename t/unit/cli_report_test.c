/* SPDX-License-Identifier: Apache-2.0
 *
 * The report: the lines of the original to the byte, and what stands where a
 * source does not know.
 */
#include "managed_view.h"

#include <apr_general.h>

#include "cli/hanging.h"
#include "cli/report.h"

static fixed_view_t fixed;
static amgr_source_t source;
static int colored;

/* What python-apache-manager 2.2 printed of these figures. */
static const char plain_text[] =
    "Server metrics:\n"
    " - Busy workers: 1\n"
    " - Bytes per request: 1.54 KB\n"
    " - Bytes per second: 207.101 bytes\n"
    " - Cpu load: 0.1%\n"
    " - Idle workers: 3\n"
    " - Requests per second: 0.134831\n"
    " - Total accesses: 12\n"
    " - Total traffic: 18.43 KB\n"
    " - Uptime: 1 minute and 29 seconds\n"
    "\n"
    "Memory usage of Apache workers (4 workers):\n"
    " - Minimum: 11.91 MB\n"
    " - Average: 11.98 MB\n"
    " - Maximum: 12.05 MB\n";

static void write_report(const amgr_view_t *view, amgr_sink_t *sink)
{
    source.view = *view;
    amgr_report_write(&source, colored, sink);
}

static void begin(int kind, const char *name, apr_interval_time_t age_us)
{
    memset(&source, 0, sizeof(source));
    source.kind = kind;
    source.name = name;
    source.age_us = age_us;
    colored = 0;
}

static void expect(const char *want)
{
    text_t text = render(write_report, &fixed.view, 8192);

    assert_string_equal(text.data, want);
    free(text.data);
}

static void make_plain(fixed_view_t *out)
{
    static const apr_uint64_t sizes[4] = { 11907072, 11979776, 11985920,
                                           12050432 };
    amgr_server_t *server;
    int i;

    view_empty(out);
    server = &out->snapshot.server;
    server->extended = 1;
    server->busy_workers = 1;
    server->idle_workers = 3;
    server->bytes_per_request = 1536.0;
    server->bytes_per_second = 207.10112;
    server->requests_per_second = 0.13483146;
    server->cpu_load = 0.0988764;
    server->total_accesses = 12;
    server->total_bytes = 18432;
    server->uptime_us = VIEW_SEC(89) + 999999;
    for (i = 0; i < 4; i++) {
        add_slot(out,
                 add_process(out, 10 + i, "native", AMGR_ROLE_WORKER,
                             sizes[i]),
                 i, 0, AMGR_MODE_READY);
    }
    /* Nothing that the original knew of. */
    add_process(out, 30, "program", AMGR_ROLE_PROGRAM, 1);
    add_process(out, 31, "daemon", AMGR_ROLE_DAEMON, 1);
    add_process(out, 32, "helper", AMGR_ROLE_HELPER, 1);
    finish_view(out);
}

static void test_plain(void **state)
{
    (void)state;
    make_plain(&fixed);
    begin(AMGR_SOURCE_BOARD, "/run/board", VIEW_SEC(1));
    expect(plain_text);
}

static void test_groups(void **state)
{
    text_t text;

    (void)state;
    make_plain(&fixed);
    add_process(&fixed, 20, "other", AMGR_ROLE_WSGI, 12000000);
    add_process(&fixed, 21, "example", AMGR_ROLE_WSGI, 12771328);
    add_process(&fixed, 22, "example", AMGR_ROLE_WSGI, 13025281);
    add_process(&fixed, 23, "a\033[2Jb", AMGR_ROLE_WSGI, AMGR_UNKNOWN);
    finish_view(&fixed);
    begin(AMGR_SOURCE_MOD_STATUS, "http://x/", 0);
    text = render(write_report, &fixed.view, 8192);
    assert_non_null(strstr(text.data,
                           "\n"
                           "Memory usage of main Apache workers (4 workers):\n"
                           " - Minimum: 11.91 MB\n"));
    assert_string_equal(
        strstr(text.data, "\nMemory usage of WSGI"),
        "\n"
        "Memory usage of WSGI process group 'a\\x1b[2Jb' (1 worker):\n"
        " - Minimum: n/a\n"
        " - Average: n/a\n"
        " - Maximum: n/a\n"
        "\n"
        "Memory usage of WSGI process group 'example' (2 workers):\n"
        " - Minimum: 12.77 MB\n"
        " - Average: 12.9 MB\n"
        " - Maximum: 13.03 MB\n"
        "\n"
        "Memory usage of WSGI process group 'other' (1 worker):\n"
        " - Minimum: 12 MB\n"
        " - Average: 12 MB\n"
        " - Maximum: 12 MB\n");
    free(text.data);
}

static void test_unknown(void **state)
{
    (void)state;
    view_empty(&fixed);
    fixed.snapshot.hanging = -1;
    begin(AMGR_SOURCE_MOD_STATUS, "http://x/", AMGR_NO_TIME);
    expect("Server metrics:\n"
           " - Busy workers: 0\n"
           " - Bytes per request: n/a\n"
           " - Bytes per second: n/a\n"
           " - Cpu load: n/a\n"
           " - Idle workers: 0\n"
           " - Requests per second: n/a\n"
           " - Total accesses: n/a\n"
           " - Total traffic: n/a\n"
           " - Uptime: n/a\n"
           "\n"
           "Memory usage of Apache workers (0 workers):\n"
           " - Minimum: n/a\n"
           " - Average: n/a\n"
           " - Maximum: n/a\n");
}

/* Figures of the past say so, and where they are from. */
static void test_age(void **state)
{
    char want[2048];

    (void)state;
    make_plain(&fixed);
    begin(AMGR_SOURCE_DATA_FILE, "/run/apache\n.txt", VIEW_SEC(123));
    snprintf(want, sizeof(want),
             "%s\nAs of 2 minutes and 3 seconds ago, from "
             "/run/apache\\x0a.txt: the server did not answer.\n",
             plain_text);
    expect(want);
    begin(AMGR_SOURCE_BOARD, "/run/board", VIEW_SEC(21));
    snprintf(want, sizeof(want),
             "%s\nAs of 21 seconds ago, from /run/board: it was not written "
             "since.\n",
             plain_text);
    expect(want);
    begin(AMGR_SOURCE_BOARD, "/run/board", VIEW_SEC(20));
    snprintf(want, sizeof(want), "%s\nAs of 20 seconds ago.\n", plain_text);
    expect(want);
    begin(AMGR_SOURCE_BOARD, "/run/board", VIEW_SEC(7) - 400000);
    snprintf(want, sizeof(want), "%s\nAs of 7 seconds ago.\n", plain_text);
    expect(want);
    begin(AMGR_SOURCE_BOARD, "/run/board", VIEW_SEC(2));
    expect(plain_text);
}

static void test_colors(void **state)
{
    text_t text;

    (void)state;
    make_plain(&fixed);
    begin(AMGR_SOURCE_BOARD, "/run/board", VIEW_SEC(1));
    colored = 1;
    text = render(write_report, &fixed.view, 8192);
    assert_non_null(strstr(text.data, "\033[32mServer metrics:\033[0m\n - B"));
    assert_non_null(strstr(text.data, "\033[32mMemory usage of Apache workers "
                                      "(4 workers):\033[0m\n"));
    free(text.data);
}

/* A server at work, and one with every byte there is. */
static void test_golden(void **state)
{
    (void)state;
    begin(AMGR_SOURCE_BOARD, "/run/board", VIEW_SEC(4));
    check_golden(write_report, view_prefork, "report.txt");
    begin(AMGR_SOURCE_BOARD, "/run/board", VIEW_SEC(1));
    check_golden(write_report, view_event, "report-hostile.txt");
    check_failing_sink(write_report, view_event);
}

/* The original's lines, then one more. */
static void test_managed(void **state)
{
    text_t with;
    text_t text;
    char *line;

    (void)state;
    begin(AMGR_SOURCE_BOARD, "/run/board", VIEW_SEC(4));
    view_managed(&fixed);
    with = render(write_report, &fixed.view, 8192);
    fixed.view.managed = NULL;
    text = render(write_report, &fixed.view, 8192);
    line = strstr(with.data, "\nManaged processes: 3 ready, 1 FATAL (solr), ");
    assert_non_null(line);
    assert_memory_equal(with.data, text.data, (size_t)(line - with.data));
    assert_null(strstr(text.data, "Managed"));
    assert_string_equal(strchr(line + 1, '\n') + 1,
                        text.data + (line - with.data));
    free(with.data);
    free(text.data);
}

/* A threshold of one's own, and the longest list. */
static void test_hanging(void **state)
{
    apr_pool_t *pool;
    text_t text;
    int i;

    (void)state;
    assert_int_equal(apr_pool_create(&pool, NULL), APR_SUCCESS);
    view_prefork(&fixed);
    begin(AMGR_SOURCE_BOARD, "/run/board", VIEW_SEC(4));
    source.view = fixed.view;
    amgr_hanging_judge(&source, 0, pool);
    assert_ptr_equal(source.view.snapshot, &fixed.snapshot);
    amgr_hanging_judge(&source, 2500001, pool);
    assert_int_equal(source.view.snapshot->hanging, 0);
    amgr_hanging_judge(&source, 2500000, pool);
    assert_int_equal(source.view.snapshot->hanging, 2);
    assert_int_equal(source.view.config->limits.hanging_us, 2500000);
    fixed.view = source.view;
    text = render(write_report, &fixed.view, 8192);
    assert_non_null(strstr(text.data, "\nHanging (2 workers):\n"
                                      " - 1102: 2 seconds (GET /a HTTP/1.1)\n"
                                      " - 1104: 2 seconds (GET /a HTTP/1.1)\n"
                                      "\nBeing retired (1 worker):\n"
                                      " - 1104: 641.73 MB (native)\n"));
    free(text.data);

    make_plain(&fixed);
    for (i = 0; i < 4; i++) {
        fixed.slots[i].request_age_us = VIEW_SEC(400);
    }
    fixed.snapshot.hanging = 30;
    text = render(write_report, &fixed.view, 8192);
    assert_non_null(strstr(text.data, " - 13: 6 minutes and 40 seconds (GET "
                                      "/a HTTP/1.1)\n - and 26 more\n"));
    free(text.data);
    /* Nobody times them. */
    fixed.snapshot.hanging = -1;
    source.view = fixed.view;
    amgr_hanging_judge(&source, 1, pool);
    assert_int_equal(source.view.snapshot->hanging, -1);
    apr_pool_destroy(pool);
}

/* Requests of HTTP/2 are in no slot: the server alone counts them. */
static void test_hanging_unseen(void **state)
{
    apr_pool_t *pool;

    (void)state;
    assert_int_equal(apr_pool_create(&pool, NULL), APR_SUCCESS);
    make_plain(&fixed);
    begin(AMGR_SOURCE_BOARD, "/run/board", VIEW_SEC(4));
    fixed.config.limits.hanging_us = VIEW_SEC(5);
    fixed.slots[0].request_age_us = VIEW_SEC(4);
    fixed.slots[1].request_age_us = VIEW_SEC(6);
    fixed.snapshot.hanging = 3;
    source.view = fixed.view;
    assert_int_equal(amgr_hanging_unseen(&source.view), 2);
    amgr_hanging_judge(&source, VIEW_SEC(5), pool);
    assert_int_equal(source.view.snapshot->hanging, 3);
    amgr_hanging_judge(&source, VIEW_SEC(4), pool);
    assert_int_equal(source.view.snapshot->hanging, 4);
    /* How old they are nobody knows. */
    amgr_hanging_judge(&source, VIEW_SEC(6), pool);
    assert_int_equal(source.view.snapshot->hanging, 1);
    /* Of a page it may have ended since. */
    source.kind = AMGR_SOURCE_STATUS_JSON;
    source.view = fixed.view;
    amgr_hanging_judge(&source, VIEW_SEC(4), pool);
    assert_int_equal(source.view.snapshot->hanging, 2);
    source.view = fixed.view;
    amgr_hanging_judge(&source, VIEW_SEC(6), pool);
    assert_int_equal(source.view.snapshot->hanging, 1);
    source.kind = AMGR_SOURCE_BOARD;
    /* One has ended since. */
    fixed.snapshot.hanging = 0;
    source.view = fixed.view;
    assert_int_equal(amgr_hanging_unseen(&source.view), 0);
    fixed.snapshot.hanging = -1;
    assert_int_equal(amgr_hanging_unseen(&source.view), 0);
    apr_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),   cmocka_unit_test(test_groups),
        cmocka_unit_test(test_unknown), cmocka_unit_test(test_age),
        cmocka_unit_test(test_colors),  cmocka_unit_test(test_golden),
        cmocka_unit_test(test_hanging), cmocka_unit_test(test_hanging_unseen),
        cmocka_unit_test(test_managed),
    };
    int failed;

    if (apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
