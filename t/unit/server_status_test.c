/* SPDX-License-Identifier: Apache-2.0
 *
 * What stands on mod_status's page: words and figures, what must not be there,
 * and that it is ASCII under any input.
 */
#include "render/server_status.h"
#include "render_view.h"

#include <ctype.h>

static fixed_view_t fixed;
static int with_tables = 1;
static const char *page_path = "/manager-status";

static void write_html(const amgr_view_t *view, amgr_sink_t *sink)
{
    amgr_write_server_status_html(view, page_path, with_tables, sink);
}

static void expect(write_fn *write, const char *needle, int there)
{
    text_t text = render(write, &fixed.view, 4096);

    if ((strstr(text.data, needle) != NULL) != there) {
        print_error("%s: %s\n%s", there ? "missing" : "unwanted", needle,
                    text.data);
    }
    assert_int_equal(strstr(text.data, needle) != NULL, there);
    free(text.data);
}

static void test_html(void **state)
{
    static const char *const needles[] = {
        "<h2>Apache manager</h2>\n<p><strong>Retiring.</strong> 1 process was"
        " told to go and is not gone yet.",
        "<tr><th>native</th><td align=\"right\">",
        "<td align=\"right\">524.29 MB</td></tr>",
        "<tr><th>daemon</th><td align=\"right\">1</td>"
        "<td align=\"right\">5.4 MB</td><td align=\"right\">5.4 MB</td>"
        "<td align=\"right\">none</td></tr>",
        "<tr><th>gone</th><td align=\"right\">1</td>"
        "<td align=\"right\">n/a</td><td align=\"right\">n/a</td>",
        "Retired since the server was started: 15 (12 active, 3 idle);"
        " requests lost: 0<br />",
        "The last decision: <time datetime=\"2023-11-14T22:13:13Z\">"
        "2023-11-14 22:13:13</time> UTC, a process of group native, reason"
        " memory active, outcome pending</p>",
        "<a href=\"/manager-status\">",
    };
    size_t i;

    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    for (i = 0; i < AMGR_COUNT(needles); i++) {
        expect(write_html, needles[i], 1);
    }
    page_path = "/a\"b<c>&d";
    expect(write_html, "<a href=\"/a&quot;b&lt;c&gt;&amp;d\">", 1);
    page_path = NULL;
    expect(write_html, "<a ", 0);
    page_path = "/manager-status";
    fixed.config.limits.metric = AMGR_METRIC_PSS;
    expect(write_html, "524.29 MB pss</td>", 1);
}

static void test_without_tables(void **state)
{
    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    with_tables = 0;
    expect(write_html, "<t", 1); /* of <time> alone */
    expect(write_html, "<table", 0);
    expect(write_html, "<tr", 0);
    expect(write_html, "<td", 0);
    expect(write_html,
           "<li>daemon: 1 process, resident memory 5.4 MB, largest 5.4 MB,"
           " limit of an active one none</li>\n", 1);
    with_tables = 1;
}

static void test_before_the_first_tick(void **state)
{
    (void)state; /* cmocka's signature */
    view_empty(&fixed);
    expect(write_html, "<strong>Waiting.</strong> The first tick", 1);
    expect(write_html, "<table", 0);
    expect(write_html, "The last decision", 0);
    expect(amgr_write_server_status_auto, "ApacheManagerHealth: 1\n", 1);
    expect(amgr_write_server_status_auto, "ApacheManagerTicks: 0\n", 1);
    expect(amgr_write_server_status_auto, "TickAge", 0);
    expect(amgr_write_server_status_auto, "Hanging", 0);
    expect(amgr_write_server_status_auto, "Memory", 0);
}

static void test_auto(void **state)
{
    static const char *const lines[] = {
        "ApacheManagerHealth: 2\n",       "ApacheManagerTicks: 9378\n",
        "ApacheManagerTickAgeSeconds: 4\n", "ApacheManagerProcesses: 6\n",
        "ApacheManagerRetiring: 1\n",     "ApacheManagerOverLimit: 1\n",
        "ApacheManagerHanging: 0\n",      "ApacheManagerKilledActive: 12\n",
        "ApacheManagerKilledIdle: 3\n",   "ApacheManagerRequestsLost: 0\n",
        "ApacheManagerMemoryNativeBytes: ",
        "ApacheManagerMemoryLargestBytes: ",
        "ApacheManagerErrorsTotal: 1\n",
    };
    size_t i;

    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    for (i = 0; i < AMGR_COUNT(lines); i++) {
        expect(amgr_write_server_status_auto, lines[i], 1);
    }
    expect(amgr_write_server_status_auto, "ApacheManagerHanging: ", 1);
    fixed.snapshot.hanging = -1;
    expect(amgr_write_server_status_auto, "ApacheManagerHanging: ", 0);
    /* The clock was set back: an age is no huge number. */
    fixed.view.tick_wall_us = VIEW_NOW_US + VIEW_SEC(3600);
    expect(amgr_write_server_status_auto, "TickAgeSeconds: 0\n", 1);
}

static void test_severities(void **state)
{
    (void)state; /* cmocka's signature */
    view_empty(&fixed);
    fixed.view.tick_wall_us = VIEW_NOW_US;
    expect(amgr_write_server_status_auto, "ApacheManagerHealth: 1\n", 1);
    fixed.config.limits.max_memory_active_bytes = 1 << 30;
    expect(amgr_write_server_status_auto, "ApacheManagerHealth: 0\n", 1);
    fixed.snapshot.hanging = 1;
    expect(amgr_write_server_status_auto, "ApacheManagerHealth: 2\n", 1);
    fixed.view.tick_wall_us = VIEW_NOW_US - VIEW_SEC(3600);
    expect(amgr_write_server_status_auto, "ApacheManagerHealth: 3\n", 1);
}

/* Each line a key of our own, one colon and blank, a whole number; no key is
 * there twice. */
static void check_lines(fixed_view_fn *make)
{
    char seen[4096] = "\n";
    text_t text;
    char *line;
    char *next;

    make(&fixed);
    text = render(amgr_write_server_status_auto, &fixed.view, 4096);
    assert_int_equal(text.data[text.len - 1], '\n');
    for (line = text.data; *line != '\0'; line = next) {
        char *colon = strchr(line, ':');
        char key[64];

        next = strchr(line, '\n') + 1;
        assert_non_null(colon);
        assert_true(colon < next);
        assert_int_equal(strncmp(line, "ApacheManager", 13), 0);
        assert_true((size_t)(colon - line) < sizeof(key) - 2);
        apr_snprintf(key, sizeof(key), "\n%.*s\n", (int)(colon - line), line);
        assert_null(strstr(seen, key));
        strncat(seen, key + 1, sizeof(seen) - strlen(seen) - 1);
        for (; line < colon; line++) {
            assert_true(isalnum((unsigned char)*line));
        }
        assert_int_equal(colon[1], ' ');
        assert_true(colon[2] != '\n');
        assert_int_equal(strspn(colon + 2, "0123456789"), next - colon - 3);
    }
    free(text.data);
}

static void test_lines(void **state)
{
    (void)state; /* cmocka's signature */
    check_lines(view_prefork);
    check_lines(view_event);
    check_lines(view_empty);
}

/* Text of others than us is data, whatever its bytes, and references stand for
 * what is not ASCII. */
static void test_hostile(void **state)
{
    static const char *const secrets[] = {"2001", "GET ", "/upload", "script",
                                          "192.0.2", "token"};
    size_t size;
    size_t i;
    text_t text;

    (void)state; /* cmocka's signature */
    view_event(&fixed);
    apr_cpystrn(fixed.snapshot.groups[1].name, "it's \xe2\x82\xac \xc3\xa4 "
                "\xf0\x9f\x98\x80 <b>", sizeof(fixed.snapshot.groups[1].name));
    expect(write_html, "<th>it&#39;s &#8364; &#228; &#128512; &lt;b&gt;</th>",
           1);
    text = render(write_html, &fixed.view, 4096);
    for (i = 0; i < text.len; i++) {
        assert_true(text.data[i] == '\n' ||
                    (text.data[i] >= ' ' && text.data[i] <= '~'));
    }
    assert_null(strstr(text.data, "<img"));
    for (i = 0; i < AMGR_COUNT(secrets); i++) {
        assert_null(strstr(text.data, secrets[i]));
    }
    for (size = 1; size <= 7; size++) {
        text_t again = render(write_html, &fixed.view, size);

        assert_int_equal(again.len, text.len);
        assert_memory_equal(again.data, text.data, text.len);
        free(again.data);
    }
    free(text.data);
}

static void test_failing_sink(void **state)
{
    (void)state; /* cmocka's signature */
    check_failing_sink(write_html, view_event);
    check_failing_sink(amgr_write_server_status_auto, view_event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_html),
        cmocka_unit_test(test_without_tables),
        cmocka_unit_test(test_before_the_first_tick),
        cmocka_unit_test(test_auto),
        cmocka_unit_test(test_severities),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_failing_sink),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
