/* SPDX-License-Identifier: Apache-2.0
 *
 * `?auto`: golden files, mod_status's forms of figures, the letters that are
 * shown, and what is let through of other modules.
 */
#include "render/auto_lines.h"
#include "render/letters.h"
#include "render_view.h"

#include <ctype.h>

#define LETTERS 20000

static fixed_view_t fixed;
static amgr_slot_source_t source;
static char letters[LETTERS];
static const char *foreign_text;
static apr_pool_t *pool;

static void put_foreign(void *baton, amgr_sink_t *sink)
{
    amgr_auto_lines_t lines;
    size_t i;

    (void)baton; /* the writer's text is one for all */
    amgr_auto_lines_init(&lines, sink, pool);
    for (i = 0; foreign_text[i] != '\0'; i++) {
        amgr_auto_lines_put(&lines, &foreign_text[i], 1);
    }
    amgr_auto_lines_finish(&lines);
}

static void read_letters(void *baton, apr_int64_t first, char *out, int count)
{
    (void)baton; /* there is one scoreboard */
    assert_true(first >= 0 && first + count <= source.letter_count);
    memcpy(out, letters + first, (size_t)count);
}

/* A scoreboard of these letters, of which so many may be used. */
static void set_letters(fixed_view_t *out, const char *text, int usable)
{
    memset(&source, 0, sizeof(source));
    source.read_letters = read_letters;
    source.letter_count = (apr_int64_t)strlen(text);
    assert_true(source.letter_count <= LETTERS);
    memcpy(letters, text, strlen(text));
    out->view.source = &source;
    out->snapshot.server.max_workers = usable;
}

static void add_rest(fixed_view_t *out)
{
    amgr_server_t *server = &out->snapshot.server;

    server->started_us = VIEW_NOW_US - VIEW_SEC(93784) - 500000;
    server->config_generation = 3;
    server->total_duration_us = VIEW_SEC(4321) + 987654;
    server->scoreboard_cpu.user = 12.34;
    server->scoreboard_cpu.system = 0.5;
    server->scoreboard_cpu.children_user = 0.07;
    server->row_count = 4;
    server->stopping_rows = 1;
    server->connections.total = 21;
    server->connections.wait_io = 1;
    server->connections.writing = 2;
    server->connections.keep_alive = 13;
    server->connections.closing = 5;
    out->view.server_name = "www.example.org";
    out->view.server_description = "Apache/2.4.62 (Debian) OpenSSL/3.0.15";
    out->view.server_built = "2025-08-02T12:00:00";
    out->view.load[0] = 0.125;
    out->view.load[1] = 1;
    out->view.load[2] = 12.3456;
}

static void make_prefork(fixed_view_t *out)
{
    view_prefork(out);
    add_rest(out);
}

static void make_event(fixed_view_t *out)
{
    view_event(out);
    add_rest(out);
    foreign_text = "ProxyBalancer[0]Name: balancer://pool\n"
                   "TLSSessionCacheStatus\nCacheUsage: 0%\n";
    out->view.write_foreign = put_foreign;
}

static void make_empty(fixed_view_t *out)
{
    view_empty(out);
}

static void test_golden(void **state)
{
    (void)state; /* cmocka's signature */
    check_golden(amgr_write_auto, make_prefork, "auto_prefork.txt");
    check_golden(amgr_write_auto, make_event, "auto_event.txt");
    check_golden(amgr_write_auto, make_empty, "auto_empty.txt");
}

static void test_failing_sink(void **state)
{
    (void)state; /* cmocka's signature */
    check_failing_sink(amgr_write_auto, make_event);
}

static void expect(const char *needle, int there)
{
    text_t text = render(amgr_write_auto, &fixed.view, 4096);

    if ((strstr(text.data, needle) != NULL) != there) {
        print_error("%s: %s\n%s", there ? "missing" : "unwanted", needle,
                    text.data);
    }
    assert_int_equal(strstr(text.data, needle) != NULL, there);
    free(text.data);
}

static void test_uptime(void **state)
{
    static const struct {
        int seconds;
        const char *text;
    } cases[] = {
        {0, "\nServerUptimeSeconds: 0\nServerUptime:\nLoad1"},
        {1, "\nServerUptime: 1 second\n"},
        {59, "\nServerUptime: 59 seconds\n"},
        {60, "\nServerUptime: 1 minute\n"},
        {3600, "\nServerUptime: 1 hour\n"},
        {86400, "\nServerUptime: 1 day\n"},
        {2 * 86400 + 3 * 3600 + 4 * 60 + 5,
         "\nServerUptime: 2 days 3 hours 4 minutes 5 seconds\n"},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    make_prefork(&fixed);
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        fixed.snapshot.server.uptime_us = VIEW_SEC(cases[i].seconds) + 999999;
        expect(cases[i].text, 1);
    }
    /* The clock was set back. */
    fixed.snapshot.server.uptime_us = -VIEW_SEC(5);
    expect("\nServerUptimeSeconds: 0\n", 1);
}

/* As APR's printf of the same floats. */
static void test_figures(void **state)
{
    amgr_server_t *server = &fixed.snapshot.server;

    (void)state; /* cmocka's signature */
    make_prefork(&fixed);
    server->uptime_us = VIEW_SEC(3);
    server->total_accesses = 1;
    server->total_bytes = 1023;
    server->total_duration_us = 999;
    server->scoreboard_cpu.user = 0;
    server->scoreboard_cpu.children_user = 0;
    expect("\nTotal Accesses: 1\nTotal kBytes: 0\nTotal Duration: 0\n"
           "CPUUser: 0\nCPUSystem: .5\nCPUChildrenUser: 0\n"
           "CPUChildrenSystem: 0\nCPULoad: 16.6667\nUptime: 3\n"
           "ReqPerSec: .333333\nBytesPerSec: 0\nBytesPerReq: 0\n"
           "DurationPerReq: 0\nBusyWorkers: ", 1);
    server->total_bytes = APR_UINT64_C(3) << 40;
    expect("\nTotal kBytes: 3221225472\n", 1);
    expect("\nBytesPerSec: 1.09951e+12\n", 1);
    server->total_bytes = 37 << 20;
    expect("\nBytesPerSec: 12932400\n", 1);
    server->scoreboard_cpu.system = 0;
    expect("CPULoad", 0);
    server->total_accesses = 0;
    expect("PerReq", 0);
    expect("\nReqPerSec: 0\n", 1);
    server->scoreboard_cpu.system = 1;
    server->uptime_us = 0;
    expect("CPULoad", 0);
    expect("PerSec", 0);
    server->extended = 0;
    expect("Total ", 0);
    expect("CPU", 0);
    expect("\nUptime: ", 0);
    expect("\nLoad15: 12.35\nBusyWorkers: ", 1);
}

static void test_async(void **state)
{
    (void)state; /* cmocka's signature */
    make_prefork(&fixed);
    expect("\nProcesses: ", 0);
    expect("Conns", 0);
    make_event(&fixed);
    expect("\nProcesses: 4\nStopping: 1\nConnsTotal: 21\nConnsAsyncWaitIO: 1\n"
           "ConnsAsyncWriting: 2\nConnsAsyncKeepAlive: 13\n"
           "ConnsAsyncClosing: 5\nApacheManagerHealth: ", 1);
}

/* Whoever asks may name the server. */
static void test_name(void **state)
{
    char name[256];
    char line[300];

    (void)state; /* cmocka's signature */
    make_prefork(&fixed);
    fixed.view.server_name = "a: b\nUptime: 5\x7f\xc3\xa4\r";
    expect("a:?b?Uptime:?5????\nServerVersion: ", 1);
    fixed.view.server_name = "";
    expect("-\nServerVersion: ", 1);
    memset(name, 'a', 255);
    name[255] = '\0';
    fixed.view.server_name = name;
    apr_snprintf(line, sizeof(line), "%s\nServerVersion: ", name);
    expect(line, 1);
    fixed.view.server_description = NULL;
    expect("\nServerVersion: Apache/2.4.62 (Debian)\n", 1);
}

static void test_letters(void **state)
{
    static char many[LETTERS + 1];
    int i;

    (void)state; /* cmocka's signature */
    make_event(&fixed);
    set_letters(&fixed, "_SRWKDCLGI..", 12);
    expect("\nScoreboard: _SRWKDCLGI..\n", 1);
    /* Beyond what may be used, what is not. */
    set_letters(&fixed, "_W..G._..", 4);
    expect("\nScoreboard: _W..G_\n", 1);
    set_letters(&fixed, "....", 0);
    expect("\nScoreboard: \n", 1);
    /* More than are read at a time. */
    memset(many, '_', LETTERS);
    many[0] = 'W';
    many[LETTERS - 1] = 'R';
    set_letters(&fixed, many, LETTERS);
    expect("\nScoreboard: W____", 1);
    expect("____R\n", 1);
    assert_int_equal(amgr_letters_count(&fixed.view), LETTERS);
    /* What is counted and has no place. */
    set_letters(&fixed, "_W", 2);
    fixed.snapshot.server.modes[AMGR_MODE_READY] = 1;
    fixed.snapshot.server.modes[AMGR_MODE_WRITE] = 2;
    fixed.snapshot.server.modes[AMGR_MODE_GRACEFUL] = 3;
    expect("\nScoreboard: _WWGGG\n", 1);
    /* A letter that is another by now is none too many. */
    set_letters(&fixed, "__", 2);
    for (i = 0; i < AMGR_MODE_COUNT; i++) {
        fixed.snapshot.server.modes[i] = 0;
    }
    fixed.snapshot.server.modes[AMGR_MODE_WRITE] = 2;
    expect("\nScoreboard: __\n", 1);
}

static void expect_passed(const char *text, const char *passed)
{
    size_t size;

    /* In pieces of every size. */
    for (size = 1; size <= strlen(text) + 1; size++) {
        char buf[1024];
        amgr_auto_lines_t lines;
        amgr_sink_t sink;
        size_t at;

        amgr_sink_init_text(&sink, buf, sizeof(buf));
        amgr_auto_lines_init(&lines, &sink, pool);
        for (at = 0; at < strlen(text); at += size) {
            size_t left = strlen(text) - at;

            amgr_auto_lines_put(&lines, text + at, left < size ? left : size);
        }
        amgr_auto_lines_finish(&lines);
        assert_string_equal(amgr_sink_text(&sink), passed);
        apr_pool_clear(pool);
    }
}

static void test_foreign(void **state)
{
    (void)state; /* cmocka's signature */
    expect_passed("", "");
    expect_passed("\n", "");
    expect_passed(" \t\n\n: 1\n : 2\n", "");
    expect_passed("A: 1\nB\nC: : 2\n", "A: 1\nB\nC: : 2\n");
    expect_passed("no end", "no end\n");
    expect_passed("Key: no end", "Key: no end\n");
    expect_passed("Scoreboard: no end", "");
    expect_passed("A: 1\nScoreboard: ___\nB: 2\n", "A: 1\nB: 2\n");
    expect_passed("Scoreboard\n", "");
    expect_passed(" \tscoreboard \r: ___\r\nUptime:\n", "");
    expect_passed("  A : 1\n \n", "A : 1\n");
    expect_passed("                                                          "
                  "          Scoreboard: x\n", "");
    expect_passed("total accesses:5\nBusyServers: 1\n", "");
    expect_passed("Total Accesses of it: 5\n", "Total Accesses of it: 5\n");
    expect_passed("ApacheManagerAnything: 5\napachemanager\n", "");
    expect_passed("ApacheManage: 5\n", "ApacheManage: 5\n");
    /* Longer than any key, and with nothing but a key in it. */
    expect_passed("0123456789012345678901234567890123456789012345678901234567"
                  "8901234567890123456789: x\nScoreboard: x\nB: 2\n",
                  "0123456789012345678901234567890123456789012345678901234567"
                  "8901234567890123456789: x\nB: 2\n");
}

/* The first of a key stays, whoever it is from. */
static void test_foreign_twice(void **state)
{
    (void)state; /* cmocka's signature */
    expect_passed("A: 1\nB: 2\nA: 3\nC: 4\n", "A: 1\nB: 2\nC: 4\n");
    expect_passed("A\nA: 1\nB\n", "A\nB\n");
    expect_passed("Cache Type: x\n cache type\t: y\nCache: z\n",
                  "Cache Type: x\nCache: z\n");
    /* What they become is the same. */
    expect_passed("A\xfc: 1\nA\xfd: 2\n", "A?: 1\n");
    /* As much of a key as is remembered. */
    expect_passed("0123456789012345678901234567890123456789012345678901234567"
                  "89012345: 1\n"
                  "0123456789012345678901234567890123456789012345678901234567"
                  "89012346: 2\n"
                  "0123456789012345678901234567890123456789012345678901234567"
                  "8902: 3\n",
                  "0123456789012345678901234567890123456789012345678901234567"
                  "89012345: 1\n"
                  "0123456789012345678901234567890123456789012345678901234567"
                  "8902: 3\n");
}

/* Nothing but visible ASCII and blanks, wherever it is. */
static void test_foreign_bytes(void **state)
{
    (void)state; /* cmocka's signature */
    expect_passed("A: b\xfc" "cher\nB\xc3\xbc: \x80\xff\n",
                  "A: b?cher\nB??: ??\n");
    expect_passed("A: \x1b[1m\x01\x7f~ !\n", "A: ?[1m??~ !\n");
    expect_passed("A:\t5\r\nB\tC: 6\v\f\n", "A: 5 \nB C: 6  \n");
}

/* A line that cannot be remembered is left out, and none is there twice. */
static void test_foreign_many(void **state)
{
    static char text[4 * 1024 * 1024];
    const char *line = text;
    amgr_auto_lines_t lines;
    amgr_sink_t sink;
    char buf[64];
    int i;

    (void)state; /* cmocka's signature */
    amgr_sink_init_text(&sink, text, sizeof(text));
    amgr_auto_lines_init(&lines, &sink, pool);
    for (i = 0; i < 3 * AMGR_KEY_SET_MAX; i++) {
        int len = apr_snprintf(buf, sizeof(buf), "Key[%d]: %d\n", i / 2, i);

        amgr_auto_lines_put(&lines, buf, (apr_size_t)len);
    }
    amgr_auto_lines_finish(&lines);
    amgr_sink_text(&sink);
    assert_int_equal(sink.status, APR_SUCCESS);
    for (i = 0; i < AMGR_KEY_SET_MAX; i++) {
        int len = apr_snprintf(buf, sizeof(buf), "Key[%d]: %d\n", i, 2 * i);

        assert_memory_equal(line, buf, (size_t)len);
        line += len;
    }
    assert_string_equal(line, "");
    apr_pool_clear(pool);
}

/* Each key of ours is refused to others, and is there once; ours are whole
 * numbers with one colon, and the scoreboard is the last. */
static void check_lines(fixed_view_fn *make)
{
    char seen[4096] = "\n";
    text_t text;
    char *line;
    char *next;

    make(&fixed);
    fixed.view.write_foreign = NULL;
    text = render(amgr_write_auto, &fixed.view, 4096);
    line = strchr(text.data, '\n') + 1;
    for (; *line != '\0'; line = next) {
        char *colon = strchr(line, ':');
        char key[64];

        next = strchr(line, '\n') + 1;
        assert_true(colon != NULL && colon < next);
        apr_snprintf(key, sizeof(key), "\n%.*s\n", (int)(colon - line), line);
        assert_null(strstr(seen, key));
        strncat(seen, key + 1, sizeof(seen) - strlen(seen) - 1);
        key[0] = 'x';
        expect_passed(key + 1, "");
        if (strncmp(line, "ApacheManager", 13) == 0) {
            assert_int_equal(strspn(colon + 2, "0123456789"), next - colon - 3);
        }
        if (strncmp(line, "Scoreboard: ", 12) == 0) {
            assert_int_equal(strspn(line + 12, "_SRWKDCLGI."),
                             next - line - 13);
            assert_int_equal(*next, '\0');
        }
    }
    assert_non_null(strstr(seen, "\nScoreboard\n"));
    free(text.data);
}

static void test_lines(void **state)
{
    (void)state; /* cmocka's signature */
    check_lines(make_prefork);
    check_lines(make_event);
    check_lines(make_empty);
}

static void test_foreign_between(void **state)
{
    (void)state; /* cmocka's signature */
    make_event(&fixed);
    foreign_text = "Scoreboard: _____\nOne: 1\nIdleWorkers: 7\nTwo";
    expect("\nOne: 1\nTwo\nScoreboard: ", 1);
    expect("_____", 0);
    expect("\nIdleWorkers: 7\n", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_failing_sink),
        cmocka_unit_test(test_uptime),
        cmocka_unit_test(test_figures),
        cmocka_unit_test(test_async),
        cmocka_unit_test(test_name),
        cmocka_unit_test(test_letters),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_foreign_twice),
        cmocka_unit_test(test_foreign_bytes),
        cmocka_unit_test(test_foreign_many),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_foreign_between),
    };

    /* Times are shown as they are where the server is. */
    setenv("TZ", "UTC", 1);
    if (apr_initialize() != APR_SUCCESS ||
        apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
