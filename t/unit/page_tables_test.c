/* SPDX-License-Identifier: Apache-2.0
 *
 * The page's tables of processes, groups, limits and records: their order,
 * their filter, their words, and that every table has headings and every id
 * stands once.
 */
#include "render/page.h"
#include "render_view.h"

#define ROWS_MAX 64
#define ROW_BYTES 450

static fixed_view_t fixed;

typedef void part_fn(const amgr_view_t *view, amgr_sink_t *sink);

static void expect_in(part_fn *part, const char *needle, int there)
{
    text_t text = render(part, &fixed.view, 4096);

    if ((strstr(text.data, needle) != NULL) != there) {
        fail_msg("'%s' is%s in: %s", needle, there ? " not" : "", text.data);
    }
    free(text.data);
}

static int count_of(const char *text, const char *needle)
{
    int count = 0;

    while ((text = strstr(text, needle)) != NULL) {
        count++;
        text += strlen(needle);
    }
    return count;
}

/* Pids in the order of the rows. */
static int read_pids(int pids[ROWS_MAX])
{
    static const char row[] = "<tr id=\"p-";
    text_t text = render(amgr_page_processes, &fixed.view, 4096);
    const char *at = text.data;
    int count = 0;

    while ((at = strstr(at, row)) != NULL) {
        at += strlen(row);
        assert_true(count < ROWS_MAX);
        pids[count++] = (int)strtol(at, NULL, 10);
    }
    free(text.data);
    return count;
}

static void expect_order(const char *args, int first, int second, int last)
{
    int pids[ROWS_MAX];
    int count;

    amgr_page_query_parse(args, &fixed.view.query);
    count = read_pids(pids);
    assert_int_equal(count, fixed.snapshot.process_count);
    if (pids[0] != first || pids[1] != second || pids[count - 1] != last) {
        fail_msg("%s: %d, %d ... %d", args, pids[0], pids[1],
                 pids[count - 1]);
    }
}

static void test_order(void **state)
{
    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    fixed.processes[0].growth_bytes_per_hour = 5;
    fixed.processes[1].growth_bytes_per_hour = (apr_int64_t)VIEW_MIB(600);
    fixed.processes[5].growth_bytes_per_hour = -(apr_int64_t)VIEW_MIB(60);
    fixed.processes[9].age_us = VIEW_SEC(86400);
    fixed.processes[7].threads = 9;
    fixed.processes[5].accesses = 9999;
    fixed.processes[5].generation = 1;
    expect_order("", 1101, 1102, 1302);
    expect_order("processes=nothing", 1101, 1102, 1302);
    expect_order("processes=pid", 1101, 1102, 1302);
    expect_order("processes=-pid", 1302, 1301, 1101);
    /* What is not known is last either way, by pid. */
    expect_order("processes=-memory", 1104, 1203, 1204);
    expect_order("processes=memory", 1302, 1301, 1204);
    expect_order("processes=-share", 1104, 1103, 1302);
    expect_order("processes=share", 1106, 1201, 1302);
    expect_order("processes=-growth", 1102, 1101, 1302);
    expect_order("processes=growth", 1106, 1101, 1302);
    expect_order("processes=left", 1103, 1104, 1302);
    expect_order("processes=-left", 1102, 1103, 1302);
    expect_order("processes=-age", 1204, 1101, 1105);
    expect_order("processes=-threads", 1202, 1101, 1105);
    expect_order("processes=-busy", 1102, 1104, 1302);
    expect_order("processes=busy", 1101, 1103, 1302);
    expect_order("processes=-requests", 1106, 1101, 1302);
    expect_order("processes=generation", 1106, 1101, 1302);
    expect_order("processes=group", 1203, 1301, 1302);
    expect_order("processes=-group", 1302, 1101, 1203);
    expect_order("processes=state", 1104, 1101, 1105);
    expect_order("processes=verdict", 1103, 1104, 1204);
    expect_order("processes=-measure", 1104, 1203, 1204);
    /* Without room to put them in order they keep their own. */
    fixed.view.scratch_count = fixed.snapshot.process_count - 1;
    expect_order("processes=-pid", 1101, 1102, 1302);
    fixed.view.scratch = NULL;
    expect_order("processes=-pid", 1101, 1102, 1302);
}

/* Any order of the same size is brought to the same end. */
static int is_less(const void *baton, int a, int b)
{
    const int *keys = baton;

    return keys[a] != keys[b] ? keys[a] < keys[b] : a < b;
}

static void test_sort(void **state)
{
    enum { MANY = 1000 };
    static int keys[MANY];
    static int items[MANY];
    unsigned int seed = 1;
    int count;
    int i;

    (void)state; /* cmocka's signature */
    for (count = 0; count < MANY; count = count * 2 + 1) {
        for (i = 0; i < count; i++) {
            seed = seed * 1103515245u + 12345u;
            keys[i] = (int)(seed >> 16) % 50;
            items[i] = count - 1 - i;
        }
        amgr_page_sort(items, count, is_less, keys);
        for (i = 1; i < count; i++) {
            assert_true(is_less(keys, items[i - 1], items[i]));
        }
    }
}

static void test_headings(void **state)
{
    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    amgr_page_query_parse("processes=-memory&filter=a b&refresh=5",
                          &fixed.view.query);
    expect_in(amgr_page_processes,
              "<th scope=\"col\" class=\"num\" aria-sort=\"descending\"><a"
              " id=\"sort-processes-memory\" title=\"memory, with"
              " the pages it shares\" href=\"?refresh=5&amp;"
              "processes=memory&amp;filter=a+b#processes\">Resident</a><span"
              " aria-hidden=\"true\"> \xE2\x96\xBC</span></th>", 0);
    fixed.view.query.filter[0] = '\0';
    expect_in(amgr_page_processes,
              "<th scope=\"col\" class=\"num\" aria-sort=\"descending\"><a"
              " id=\"sort-processes-memory\" title=\"memory, with"
              " the pages it shares\" href=\"?refresh=5&amp;"
              "processes=memory#processes\">Resident</a><span"
              " aria-hidden=\"true\"> \xE2\x96\xBC</span></th>", 1);
    expect_in(amgr_page_processes,
              "href=\"?refresh=5&amp;processes=-growth#processes\">Growth</a>"
              "</th>", 1);
    expect_in(amgr_page_processes,
              "href=\"?refresh=5&amp;processes=left#processes\">", 1);
    expect_in(amgr_page_processes, "aria-sort=\"ascending\"", 0);
    amgr_page_query_parse("processes=group", &fixed.view.query);
    expect_in(amgr_page_processes,
              "<th scope=\"col\" aria-sort=\"ascending\"><a id=\"sort-processes"
              "-group\" href=\"?processes=-group#processes\">Group</a><span"
              " aria-hidden=\"true\"> \xE2\x96\xB2</span></th>", 1);
    expect_in(amgr_page_processes, "Anonymous", 0);
    fixed.config.limits.metric = AMGR_METRIC_ANON;
    expect_in(amgr_page_processes, ">Anonymous</a>", 1);
}

static void expect_found(const char *filter, int count, const char *sentence)
{
    int pids[ROWS_MAX];
    char args[128];

    apr_snprintf(args, sizeof(args), "filter=%s", filter);
    amgr_page_query_parse(args, &fixed.view.query);
    assert_int_equal(read_pids(pids), count);
    expect_in(amgr_page_processes, sentence, 1);
}

static void test_filter(void **state)
{
    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    expect_in(amgr_page_processes, "id=\"found\"", 0);
    expect_in(amgr_page_processes,
              "<form method=\"get\" role=\"search\" class=\"filter\"><label"
              " for=\"filter\">", 1);
    expect_found("110", 6, "6 of 12 processes match <q>110</q>. <a href=\"?#"
                           "processes\">Show all</a>");
    expect_found("EXAMPLE", 2, "2 of 12 processes match ");
    expect_found("stopping", 1, "1 of 12 processes matches ");
    expect_found("RETIRING", 1, "1 of 12 processes matches ");
    expect_found("killed", 1, "1 of 12 processes matches ");
    expect_found("MaxMemoryIdle", 1, "1 of 12 processes matches ");
    expect_found("never judged", 2, "2 of 12 processes match ");
    expect_found("minage", 1, "1 of 12 processes matches ");
    /* What is not shown is not found. */
    expect_found("token", 0, "0 of 12 processes match <q>token</q>");
    expect_in(amgr_page_processes, "<table", 0);
    expect_found("%22%3E%3Cscript%3E%ff", 0,
                 "name=\"filter\" maxlength=\"63\" value=\"&quot;&gt;&lt;"
                 "script&gt;\xEF\xBF\xBD\">");
    amgr_page_query_parse("refresh=5&history=day&workers=-cpu&processes=-pid"
                          "&filter=example", &fixed.view.query);
    expect_in(amgr_page_processes,
              "<input type=\"hidden\" name=\"refresh\" value=\"5\"><input"
              " type=\"hidden\" name=\"processes\" value=\"-pid\"><input"
              " type=\"hidden\" name=\"workers\" value=\"-cpu\"><input"
              " type=\"hidden\" name=\"history\" value=\"day\"><button", 1);
    expect_in(amgr_page_processes,
              "<a href=\"?refresh=5&amp;processes=-pid&amp;workers=-cpu&amp;"
              "history=day#processes\">Show all</a>", 1);
    view_empty(&fixed);
    expect_in(amgr_page_processes, "<p>None is known yet.</p>", 1);
    expect_in(amgr_page_processes, "id=\"filter\"", 1);
}

static void test_growth(void **state)
{
    static const struct {
        apr_int64_t growth;
        const char *cells;
    } cases[] = {
        { AMGR_GROWTH_UNKNOWN,
          "<td class=\"na\">n/a</td><td class=\"word na\">n/a</td>" },
        { 0, "<td>steady</td><td class=\"word na\">not soon</td>" },
        { 999999, "<td>steady</td><td class=\"word\">in 3d 1h</td>" },
        { -999999, "<td>steady</td><td class=\"word na\">not soon</td>" },
        { 1000000, "<td>+1 MB/h</td><td class=\"word\">in 3d 1h</td>" },
        { -1000000, "<td>-1 MB/h</td><td class=\"word na\">not soon</td>" },
        { 73400320, "<td>+73.4 MB/h</td><td class=\"word\">in 1h</td>" },
        { 734003200,
          "<td>+734 MB/h</td><td class=\"word\"><span class=\"mark warn\">in"
          " 6m</span></td>" },
        { APR_INT64_MAX,
          "<td>+9.22 EB/h</td><td class=\"word\"><span class=\"mark warn\">in"
          " 0s</span></td>" },
        { -APR_INT64_MAX,
          "<td>-9.22 EB/h</td><td class=\"word na\">not soon</td>" },
    };
    size_t i;

    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    fixed.snapshot.processes = &fixed.processes[1];
    fixed.snapshot.process_count = 1;
    fixed.processes[1].rss_bytes = VIEW_MIB(430);
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        fixed.processes[1].growth_bytes_per_hour = cases[i].growth;
        expect_in(amgr_page_processes, cases[i].cells, 1);
    }
    /* A small process that gains a hundredth of itself. */
    fixed.processes[1].rss_bytes = 1000000;
    fixed.processes[1].growth_bytes_per_hour = 10000;
    expect_in(amgr_page_processes, "<td>+10 KB/h</td>", 1);
    fixed.processes[1].growth_bytes_per_hour = 9999;
    expect_in(amgr_page_processes, "<td>steady</td>", 1);
}

static void test_share(void **state)
{
    static const struct {
        apr_uint64_t rss_bytes;
        const char *cell;
    } cases[] = {
        { AMGR_UNKNOWN, "<td class=\"word\">n/a of 100 MB</td>" },
        { 0, "value=\"0\"></meter> 0% of 100 MB</td>" },
        { 79999999, "value=\"79\"></meter> 79% of" },
        { 80000000,
          "value=\"80\"></meter> <span class=\"mark warn\">80%</span> of" },
        { 100000000,
          "value=\"100\"></meter> <span class=\"mark warn\">100%</span> of" },
        { 100000001, "value=\"100\"></meter> <span class=\"mark bad\">over:"
                     " 100%</span> of" },
        { 200000000, "value=\"125\"></meter> <span class=\"mark bad\">over:"
                     " 200%</span> of" },
        { APR_INT64_MAX, "value=\"125\"></meter> <span class=\"mark bad\">"
                         "over: above 9999%</span> of" },
    };
    size_t i;

    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    fixed.snapshot.processes = &fixed.processes[1];
    fixed.snapshot.process_count = 1;
    fixed.config.limits.max_memory_active_bytes = 100000000;
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        fixed.processes[1].rss_bytes = cases[i].rss_bytes;
        expect_in(amgr_page_processes, cases[i].cell, 1);
    }
    /* The limit that waits for nothing counts when it comes first. */
    fixed.config.limits.hard_memory_bytes = 50000000;
    expect_in(amgr_page_processes, " of 50 MB</td>", 1);
    fixed.config.limits.hard_memory_bytes = AMGR_LIMIT_OFF;
    fixed.config.limits.max_memory_active_bytes = AMGR_LIMIT_OFF;
    expect_in(amgr_page_processes, "<td class=\"word na\">no limit</td>", 1);
}

/* Every verdict and every cause has words, and what is none is survived. */
static void test_words(void **state)
{
    int i;

    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    fixed.snapshot.process_count = 1;
    for (i = -1; i <= AMGR_VERDICT_COUNT; i++) {
        fixed.processes[0].verdict = i;
        expect_in(amgr_page_processes, "</td><td>0/1</td>", 1);
    }
    for (i = -1; i <= AMGR_CAUSE_COUNT; i++) {
        fixed.processes[0].cause = i;
        assert_true(strlen(amgr_page_cause_text(i)) > 10);
    }
    for (i = -1; i <= AMGR_ACTION_COUNT; i++) {
        assert_true(strlen(amgr_page_step_text(i)) > 5);
    }
    fixed.processes[0].verdict = AMGR_VERDICT_REQUESTED;
    fixed.processes[0].cause = AMGR_CAUSE_VETO;
    expect_in(amgr_page_processes, "asked to go by another module", 1);
    expect_in(amgr_page_processes, "another module does not want it to go", 1);
}

static void test_steps(void **state)
{
    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    fixed.records[0].killed_us = VIEW_SEC(3);
    expect_in(amgr_page_processes,
              "<td>retiring, <span class=\"why\">killed 4s ago"
              "</span></td>", 1);
    fixed.records[0].action = AMGR_ACTION_ASK;
    fixed.records[0].asked_us = VIEW_SEC(2);
    expect_in(amgr_page_processes, "asked to finish 5s ago", 1);
    fixed.records[0].action = AMGR_ACTION_ANNOUNCE;
    expect_in(amgr_page_processes, "announced 7s ago", 1);
    /* It gave memory back since, or is idle by now: that is not why it goes. */
    fixed.processes[3].verdict = AMGR_VERDICT_OK;
    expect_in(amgr_page_processes,
              "announced 7s ago</span></td><td><span class=\"mark bad\">over"
              " ManagerMaxMemoryActive</span>", 1);
    /* The clock was set back, and the pid is another's now. */
    fixed.records[0].time_us = VIEW_NOW_US + VIEW_SEC(100);
    expect_in(amgr_page_processes, "announced 0s ago", 1);
    fixed.records[0].id.start_ticks++;
    expect_in(amgr_page_processes, "<td>retiring</td>", 1);
}

/* Rows are many: an ordinary one is short. */
static void test_row_size(void **state)
{
    const char *at;
    text_t text;
    size_t len;

    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    fixed.snapshot.process_count = 1;
    fixed.processes[0].rss_bytes = VIEW_MIB(240);
    fixed.processes[0].accesses = 1234567;
    fixed.processes[0].age_us = VIEW_SEC(98765);
    fixed.processes[0].growth_bytes_per_hour = (apr_int64_t)VIEW_MIB(3) + 10000;
    text = render(amgr_page_processes, &fixed.view, 4096);
    at = strstr(text.data, "<tr id=\"p-");
    assert_non_null(at);
    len = strcspn(at, "\n");
    assert_in_range(len, 200, ROW_BYTES);
    free(text.data);
}

/* Counts the ids that stand a second time, and headings without a scope. */
static void check_structure(void)
{
    text_t text = render(amgr_write_page, &fixed.view, 4096);
    const char *at = text.data;

    while ((at = strstr(at, " id=\"")) != NULL) {
        size_t len = strcspn(at + 5, "\"");
        char id[128];

        assert_true(len + 7 < sizeof(id));
        apr_cpystrn(id, at, len + 7);
        if (count_of(text.data, id) != 1) {
            fail_msg("%s stands more than once", id);
        }
        at += len;
    }
    assert_int_equal(count_of(text.data, "<th ") + count_of(text.data, "<th>"),
                     count_of(text.data, "<th scope=\""));
    assert_int_equal(count_of(text.data, "<table>"),
                     count_of(text.data, "<table>\n<caption>"));
    assert_int_equal(count_of(text.data, "<details"),
                     count_of(text.data, "<details id=\""));
    free(text.data);
}

static void test_structure(void **state)
{
    (void)state; /* cmocka's signature */
    view_empty(&fixed);
    check_structure();
    view_prefork(&fixed);
    check_structure();
    amgr_page_query_parse("processes=-memory&filter=native",
                          &fixed.view.query);
    check_structure();
    view_event(&fixed);
    check_structure();
}

static void test_groups(void **state)
{
    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    expect_in(amgr_page_groups,
              "<td><meter max=\"100\" value=\"71\"></meter> 71%"
              "</td>", 1);
    expect_in(amgr_page_groups,
              "<td>active 524.29 MB, idle 262.14 MB, hard 2.15 GB</td>", 1);
    expect_in(amgr_page_groups, "<td>active 734 MB, hard 2.15 GB</td>", 1);
    expect_in(amgr_page_groups, "<td class=\"na\">never judged</td>", 1);
    expect_in(amgr_page_groups, "inert", 0);
    fixed.snapshot.groups[0].inert = 1;
    expect_in(amgr_page_groups,
              "<span class=\"mark warn\">inert</span> <span class=\"why\">not"
              " above a fresh process</span>", 1);
    view_event(&fixed);
    expect_in(amgr_page_groups, "<td>active 20.97 MB</td>", 1);
    view_empty(&fixed);
    assert_int_equal(amgr_snapshot_group(&fixed.snapshot, "native",
                                         AMGR_KIND_NATIVE, AMGR_ROLE_WORKER),
                     0);
    expect_in(amgr_page_groups, "<td>none</td>", 1);
}

static void test_limits(void **state)
{
    const char *inert;
    const char *in_force;
    text_t text;

    (void)state; /* cmocka's signature */
    view_empty(&fixed);
    expect_in(amgr_page_limits, "No limit is set", 1);
    expect_in(amgr_page_limits,
              "<details id=\"limits-off\"><summary>8 limits are off", 1);
    expect_in(amgr_page_limits, "ManagerKillCommandTimeout", 0);
    expect_in(amgr_page_limits, "<td class=\"num\">Path</td>", 1);
    fixed.view.settings.kill_commands[AMGR_COMMAND_AFTER] = "/bin/<b>&";
    fixed.view.settings.kill_command_timeout_us = VIEW_SEC(15);
    fixed.view.settings.data_file = "/run/\"x\".txt";
    fixed.view.settings.syslog = 1;
    fixed.view.show_requests = AMGR_SHOW_COUNT;
    fixed.view.show_clients = AMGR_CLIENTS_NETWORK;
    expect_in(amgr_page_limits,
              "<td class=\"num\">none</td><td><span class=\"mark na\">off"
              "</span></td><td>program that is run before", 1);
    expect_in(amgr_page_limits, "<td class=\"num\">/bin/&lt;b&gt;&amp;</td>",
              1);
    expect_in(amgr_page_limits,
              "ManagerKillCommandTimeout</code></th><td class=\"num\">15s", 1);
    expect_in(amgr_page_limits, "/run/&quot;x&quot;.txt", 1);
    expect_in(amgr_page_limits,
              "ManagerSyslog</code></th><td class=\"num\">On</td>", 1);
    expect_in(amgr_page_limits,
              "ManagerShowRequests</code></th><td class=\"num\">Off</td>", 1);
    expect_in(amgr_page_limits,
              "ManagerShowClients</code></th><td class=\"num\">Network</td>",
              1);
    view_prefork(&fixed);
    expect_in(amgr_page_limits, "No limit is set", 0);
    expect_in(amgr_page_limits, "limits-off", 0);
    fixed.config.limits.max_time_us = AMGR_LIMIT_OFF;
    expect_in(amgr_page_limits, "<summary>1 limit is off</summary>", 1);
    fixed.config.limits.max_time_sections = 2;
    fixed.snapshot.server.extended = 0;
    expect_in(amgr_page_limits,
              "ManagerMaxTime</code></th><td class=\"num\">in sections</td>"
              "<td><span class=\"mark warn\">inert</span></td>", 1);
    text = render(amgr_page_limits, &fixed.view, 4096);
    inert = strstr(text.data, "ManagerMaxRequests");
    in_force = strstr(text.data, "ManagerMaxMemoryActive");
    assert_true(inert != NULL && in_force != NULL && inert < in_force);
    free(text.data);
    fixed.config.limits.dry_run = 1;
    expect_in(amgr_page_limits,
              "ManagerDryRun</code></th><td class=\"num\">On</td><td><span"
              " class=\"mark info\">dry run</span></td>", 1);
}

static void test_records(void **state)
{
    static amgr_record_t records[AMGR_RECORDS_MAX];
    text_t text;
    int i;

    (void)state; /* cmocka's signature */
    view_empty(&fixed);
    expect_in(amgr_page_records, "No process was retired since", 1);
    expect_in(amgr_page_records, "No limit is set, so none will be", 1);
    view_prefork(&fixed);
    expect_in(amgr_page_records, "<small>7s ago</small></th>", 1);
    expect_in(amgr_page_records, "<td>native, active</td>", 1);
    expect_in(amgr_page_records, "<td>native, idle</td>", 1);
    expect_in(amgr_page_records, "<td>example</td>", 1);
    expect_in(amgr_page_records,
              "<td><span class=\"mark warn\">killed</span> <span class=\"why\">"
              "after 0.31s</span></td><td class=\"num\" title=\"608174080"
              " bytes\">608.17 MB</td><td class=\"num\">1</td>", 1);
    expect_in(amgr_page_records,
              "<li>After 0.10s: asked to take no connection, finish and go"
              "</li>\n<li>After 0.30s: killed (SIGKILL), which cut off 1"
              " request</li>\n<li>After 0.31s: gone, 608.17 MB came back</li>"
              "\n<li>After 1.25s: a younger process serves</li>\n</ol>", 1);
    expect_in(amgr_page_records, "kills-older", 0);
    expect_in(amgr_page_records, "secret", 0);
    for (i = 0; i < AMGR_RECORDS_MAX; i++) {
        records[i] = fixed.records[1];
        records[i].serial = (apr_uint64_t)(1000 - i);
    }
    fixed.view.records = records;
    fixed.view.record_count = 20;
    expect_in(amgr_page_records, "kills-older", 0);
    fixed.view.record_count = AMGR_RECORDS_MAX;
    text = render(amgr_page_records, &fixed.view, 4096);
    assert_non_null(strstr(text.data, "<details id=\"kills-older\"><summary>"
                                      "108 more, older</summary>"));
    assert_int_equal(count_of(text.data, "<details id=\"kill-"),
                     AMGR_RECORDS_MAX);
    assert_non_null(strstr(text.data, "<tr id=\"r-1000\"><th scope="));
    assert_non_null(strstr(text.data, "<tr id=\"e-1000\"><td class="));
    free(text.data);
    check_structure();
}

/* How one can end, and what can be said of it. */
static void test_ends(void **state)
{
    amgr_record_t *record;

    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    fixed.view.record_count = 1;
    record = &fixed.records[0];
    record->stuck = 1;
    record->killed_us = VIEW_SEC(31);
    record->requests_lost = -1;
    expect_in(amgr_page_records, "It outlived its SIGKILL", 1);
    expect_in(amgr_page_records,
              "After 31s: killed (SIGKILL), which cut off nobody knows how"
              " many requests", 1);
    expect_in(amgr_page_records, "; 1 request in flight</li>", 1);
    record->requests = -1;
    expect_in(amgr_page_records,
              "; nobody knows how many requests in flight</li>", 1);
    expect_in(amgr_page_records,
              ": nobody knows how many requests in flight</summary>", 1);
    expect_in(amgr_page_records, "It is not gone yet", 1);
    record->stuck = 0;
    record->outcome = AMGR_OUTCOME_GONE;
    record->action = AMGR_ACTION_ASK;
    record->killed_us = AMGR_NO_TIME;
    record->ended_us = VIEW_SEC(95);
    record->freed_bytes = AMGR_UNKNOWN;
    record->replacement = AMGR_REPLACEMENT_WAITING;
    expect_in(amgr_page_records,
              "<span class=\"mark ok\">drained</span> <span class=\"why\">after"
              " 1m 35s</span></td><td class=\"num na\">n/a</td><td"
              " class=\"num\">0</td>", 1);
    expect_in(amgr_page_records, "<li>After 1m 35s: gone</li>", 1);
    expect_in(amgr_page_records, "Another is waited for", 1);
    record->replacement = AMGR_REPLACEMENT_NOT_FORKED;
    record->replaced_us = VIEW_SEC(97);
    expect_in(amgr_page_records, "After 1m 37s: the MPM had the time", 1);
    record->ask_fault = AMGR_ASK_NO_PIPE;
    expect_in(amgr_page_records, "pipe of death is not what", 1);
    record->ask_fault = AMGR_ASK_FAILED;
    expect_in(amgr_page_records, "no descriptor was to be had", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order), cmocka_unit_test(test_sort),
        cmocka_unit_test(test_headings), cmocka_unit_test(test_filter),
        cmocka_unit_test(test_growth), cmocka_unit_test(test_share),
        cmocka_unit_test(test_words), cmocka_unit_test(test_steps),
        cmocka_unit_test(test_row_size), cmocka_unit_test(test_structure),
        cmocka_unit_test(test_groups), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_records), cmocka_unit_test(test_ends)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
