/* SPDX-License-Identifier: Apache-2.0
 *
 * The page: byte for byte, well-formed under any input, free of anything
 * inline, and with the words that scripts for mod_status look for.
 */
#include "render/assets.h"
#include "managed_view.h"

#include <ctype.h>

#define NESTING_MAX 32
#define NAME_MAX_LEN 16

static fixed_view_t fixed;

static void test_golden(void **state)
{
    (void)state; /* cmocka's signature */
    check_golden(amgr_write_page, view_prefork, "prefork.html");
    check_golden(amgr_write_page, view_event, "event.html");
    check_golden(amgr_write_page, view_empty, "empty.html");
    check_golden(amgr_write_page, view_managed, "managed.html");
}

static void test_failing_sink(void **state)
{
    (void)state; /* cmocka's signature */
    check_failing_sink(amgr_write_page, view_event);
}

/* One '&...;' of a kind that HTML knows, or NULL. */
static const char *entity_end(const char *at)
{
    static const char *const known[] = {
        "&lt;", "&gt;", "&amp;", "&quot;", "&#39;", "&#x27;", "&apos;"
    };
    size_t i;

    for (i = 0; i < AMGR_COUNT(known); i++) {
        if (strncmp(at, known[i], strlen(known[i])) == 0) {
            return at + strlen(known[i]);
        }
    }
    return NULL;
}

/* The end of text up to one of @a stops, or NULL when it holds markup. */
static const char *text_end(const char *at, const char *stops)
{
    while (*at != '\0' && strchr(stops, *at) == NULL) {
        int len = utf8_length(at);

        if (*at == '&') {
            at = entity_end(at);
            if (at == NULL) {
                return NULL;
            }
            continue;
        }
        if (len == 0 || *at == '<' || *at == '>' || *at == 0x7f
            || (len == 1 && (unsigned char)*at < 0x20 && *at != '\n')) {
            return NULL;
        }
        at += len;
    }
    return at;
}

/* A script is a file of ours and has no text of its own. */
static int is_inline(const char *name, const char *attributes,
                     const char *content)
{
    if (strcmp(name, "script") == 0) {
        return strncmp(attributes, " src=\"", 6) != 0
            || strncmp(content, "</script>", 9) != 0;
    }
    return strcmp(name, "style") == 0;
}

static int is_void_element(const char *name)
{
    return strcmp(name, "meta") == 0 || strcmp(name, "link") == 0
        || strcmp(name, "input") == 0 || strcmp(name, "br") == 0;
}

/* The end of ' name="value"' ..., or NULL; refuses what runs inline. */
static const char *attributes_end(const char *at)
{
    while (*at == ' ') {
        /* Those of SVG have capitals. */
        size_t len = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz-BRAV");

        if (len == 0 || strncmp(at + 1, "on", 2) == 0
            || strncmp(at + 1, "style=", 6) == 0) {
            return NULL;
        }
        at += 1 + len;
        if (strncmp(at - 6, " defer>", 7) == 0) {
            return at;
        }
        if (at[0] != '=' || at[1] != '"') {
            return NULL;
        }
        at = text_end(at + 2, "\"");
        if (at == NULL || *at != '"') {
            return NULL;
        }
        at++;
    }
    return at;
}

/* Where a page stops being well-formed, or NULL when it is to its end. */
static const char *find_fault(const char *page)
{
    char open[NESTING_MAX][NAME_MAX_LEN];
    int depth = 0;
    const char *at = page + strlen("<!DOCTYPE html>");

    if (strncmp(page, "<!DOCTYPE html>", strlen("<!DOCTYPE html>")) != 0) {
        return page;
    }
    while (*at != '\0') {
        const char *start = at;
        const char *attributes;
        char name[NAME_MAX_LEN];
        int closing;
        int alone;
        size_t len;

        at = text_end(at, "<");
        if (at == NULL || *at == '\0') {
            return at == NULL || depth > 0 ? start : NULL;
        }
        start = at++;
        closing = *at == '/';
        at += closing;
        for (len = 0; isalnum((unsigned char)at[len]); len++) {
            continue;
        }
        if (len == 0 || len >= sizeof(name)) {
            return start;
        }
        apr_cpystrn(name, at, len + 1);
        attributes = at + len;
        at = attributes_end(attributes);
        alone = at != NULL && *at == '/' && strcmp(name, "path") == 0;
        if (at == NULL || at[alone] != '>') {
            return start;
        }
        at += 1 + alone;
        if (!closing && is_inline(name, attributes, at)) {
            return start;
        }
        if (closing && (depth == 0 || strcmp(open[--depth], name) != 0)) {
            return start;
        }
        if (!closing && !alone && !is_void_element(name)) {
            if (depth == NESTING_MAX) {
                return start;
            }
            memcpy(open[depth++], name, sizeof(name));
        }
    }
    return depth > 0 ? at : NULL;
}

static void test_checker(void **state)
{
    static const char *const bad[] = {
        "<p>", "<!DOCTYPE html><p>", "<!DOCTYPE html><p></b>",
        "<!DOCTYPE html><p a=b></p>", "<!DOCTYPE html><p>a & b</p>",
        "<!DOCTYPE html><p>a > b</p>", "<!DOCTYPE html><p style=\"a\"></p>",
        "<!DOCTYPE html><p onclick=\"a\"></p>",
        "<!DOCTYPE html><script></script>", "<!DOCTYPE html><p>\x01</p>",
        "<!DOCTYPE html><script src=\"a\">b</script>",
        "<!DOCTYPE html><script id=\"a\" defer></script>",
        "<!DOCTYPE html><p>\xff</p>", "<!DOCTYPE html><p a=\"<\"></p>"
    };
    size_t i;

    (void)state; /* cmocka's signature */
    assert_null(find_fault("<!DOCTYPE html>\n<p a=\"&quot;\">&lt;</p>\n"));
    assert_null(find_fault("<!DOCTYPE html><script src=\"a\" defer></script>"));
    for (i = 0; i < AMGR_COUNT(bad); i++) {
        assert_non_null(find_fault(bad[i]));
    }
}

static void check_formed(void)
{
    text_t text = render(amgr_write_page, &fixed.view, 4096);
    const char *fault = find_fault(text.data);

    if (fault != NULL) {
        fail_msg("not well-formed at: %.200s", fault);
    }
    free(text.data);
}

static void test_formed(void **state)
{
    int metric;

    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    check_formed();
    view_empty(&fixed);
    check_formed();
    view_managed(&fixed);
    check_formed();
    view_unsupervised(&fixed);
    check_formed();
    view_event(&fixed);
    for (metric = -1; metric <= AMGR_METRIC_COUNT; metric++) {
        fixed.config.limits.metric = metric;
        check_formed();
    }
}

static void expect(const char *needle, int there)
{
    text_t text = render(amgr_write_page, &fixed.view, 4096);

    if ((strstr(text.data, needle) != NULL) != there) {
        fail_msg("'%s' is%s in the page", needle, there ? " not" : "");
    }
    free(text.data);
}

static void test_mod_status_words(void **state)
{
    static const char *const needles[] = {
        "<p>3 requests currently being processed, 1 workers gracefully"
        " restarting, 2 idle workers</p>\n",
        "<p>1.316 requests/sec - 102.843 kB/second - 78.125 kB/request</p>",
        "uptime",
        ">Srv</a></th>", ">PID</a></th>", ">Acc</a></th>", ">M</a></th>",
        ">CPU</a></th>", ">SS</a></th>", ">Req</a></th>", ">Dur</a></th>",
        ">Conn</a></th>", ">Child</a></th>", ">Slot</a></th>",
        ">Client</a></th>", ">Protocol</a></th>", ">VHost</a></th>",
        ">Request</a></th>",
        "<td>1-2</td><td>1102</td>"
        "<td>3/345/1200</td><td>W</td>"
        "<td>1.23</td><td>9</td>"
        "<td>0</td><td>61000</td>"
        "<td>20.5</td><td>3.00</td>"
        "<td>12.00</td><td>2.5s</td><td>192.0.2.7</td><td>http/1.1</td>"
        "<td>www.example.org:443</td>"
        "<td>GET /a HTTP/1.1</td></tr>"
    };
    size_t i;

    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    for (i = 0; i < AMGR_COUNT(needles); i++) {
        expect(needles[i], 1);
    }
    expect("secret", 0);
    fixed.view.show_requests = AMGR_SHOW_OFF;
    expect("GET /a", 0);
    fixed.view.show_requests = AMGR_SHOW_FULL;
    expect("GET /a?token=secret HTTP/1.1", 1);
}

/* Clients of the slots, of the evidence, and who a thread waits for. */
static void test_clients(void **state)
{
    static const apr_uint16_t ports[] = {8080};

    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    apr_cpystrn(fixed.evidences[0].blocked[0].target,
                "tcp 10.0.0.2:8080 to 192.0.2.7:1025",
                sizeof(fixed.evidences[0].blocked[0].target));
    fixed.view.ports = ports;
    fixed.view.port_count = 1;
    expect("192.0.2.7<", 1);
    expect("192.0.2.7:1025", 1);
    fixed.view.show_clients = AMGR_CLIENTS_NETWORK;
    expect("192.0.2.0/24<", 1);
    expect("tcp 10.0.0.2:8080 to 192.0.2.0/24", 1);
    expect("192.0.2.7", 0);
    fixed.view.show_clients = AMGR_CLIENTS_OFF;
    expect("tcp 10.0.0.2:8080 to a client", 1);
    expect("192.0.2.", 0);
    /* A mask says nothing of what a thread asks of others. */
    apr_cpystrn(fixed.evidences[0].blocked[0].target,
                "tcp 10.0.0.2:41025 to 10.0.0.5:80",
                sizeof(fixed.evidences[0].blocked[0].target));
    expect("tcp 10.0.0.2:41025 to 10.0.0.5:80", 1);
}

/* Letters stand in scoreboard order whatever the order of pids. */
static void test_letters(void **state)
{
    text_t text;

    (void)state; /* cmocka's signature */
    view_event(&fixed);
    expect("<pre>SI.LCDW_R...\n</pre>", 1);
    fixed.slots[0].process_slot = -1;
    expect("<pre>SI.LCD._R...\n</pre>", 1);
    fixed.slots[0].process_slot = APR_INT32_MAX;
    text = render(amgr_write_page, &fixed.view, 4096);
    assert_true(text.len < 3 * 1024 * 1024);
    free(text.data);
    view_prefork(&fixed);
    text = render(amgr_write_page, &fixed.view, 4096);
    assert_non_null(strstr(text.data, "<pre>_W_WGK......"));
    assert_ptr_equal(strstr(text.data, "<pre"),
                     strstr(text.data, "<pre>_W_WGK......"));
    free(text.data);
}

static void test_refresh(void **state)
{
    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    expect("http-equiv", 0);
    expect("<body>", 1);
    fixed.view.query.refresh_sec = 42;
    expect("<noscript><meta http-equiv=\"refresh\" content=\"42\">"
           "</noscript>", 1);
    expect("<body data-refresh=\"42\">", 1);
    fixed.view.assets_version = "77";
    expect("<link rel=\"stylesheet\""
           " href=\"/manager-status/assets/page.css?v=77\">", 1);
    expect("<script src=\"/manager-status/assets/page.js?v=77\" defer>"
           "</script>", 1);
}

static void test_headlines(void **state)
{
    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    expect("<title>retiring - Apache manager</title>", 1);
    fixed.view.server_name = "a<b";
    expect("<title>retiring - a&lt;b</title>", 1);
    fixed.view.server_name = NULL;
    expect("<strong>Retiring.</strong> 1 process was told to go and is not"
           " gone yet. 1 process is over its limit and is left alone, because"
           " the process is younger than ManagerMinAge.", 1);
    fixed.processes[3].state = AMGR_STATE_SERVING;
    fixed.processes[3].cause = AMGR_CAUSE_DRY_RUN;
    fixed.processes[1].verdict = AMGR_VERDICT_TIME;
    fixed.processes[1].cause = AMGR_CAUSE_DRY_RUN;
    expect("3 processes are over their limit and are left alone, mostly"
           " because this is a dry run.", 1);
    fixed.view.tick_wall_us = VIEW_NOW_US - VIEW_SEC(125);
    expect("<strong>Stale.</strong> The last tick was 2m 5s ago, and one is"
           " due every 10s", 1);
    view_empty(&fixed);
    expect("<strong>Waiting.</strong> The first tick has not come yet", 1);
    fixed.view.tick_wall_us = VIEW_NOW_US;
    expect("<strong>Watching.</strong> No limits are set", 1);
    fixed.config.no_monitor = 1;
    expect("<strong>Not monitored.</strong> The server runs in one process",
           1);
}

static void test_inert(void **state)
{
    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    fixed.config.limits.max_memory_idle_bytes = (apr_int64_t)VIEW_MIB(10);
    fixed.snapshot.groups[0].inert = 1;
    expect("<td class=\"num\">10M (10.49 MB)</td><td>"
           "<span class=\"mark warn\">inert"
           "</span></td>", 1);
    expect("<td class=\"num\">500M (524.29 MB)</td><td>"
           "<span class=\"mark ok\">in force"
           "</span></td>", 1);
    fixed.processes[2].cause = AMGR_CAUSE_INERT;
    fixed.processes[3].state = AMGR_STATE_STOPPING;
    expect("ManagerMaxMemoryIdle is inert because it is below the size of a"
           " fresh process of group native (11.5 MB)", 1);
    fixed.snapshot.server.extended = 0;
    fixed.config.limits.max_memory_idle_bytes = AMGR_LIMIT_OFF;
    expect("ManagerMaxTime is inert because ExtendedStatus is off", 1);
    fixed.config.limits.max_time_us = AMGR_LIMIT_OFF;
    expect("ManagerMaxRequests is inert because ExtendedStatus is off", 1);
    fixed.config.limits.max_requests.limit = AMGR_LIMIT_OFF;
    fixed.snapshot.server.memory_capacity_bytes = AMGR_UNKNOWN;
    expect("ManagerMaxMemoryTotal is inert because it is not known how much"
           " memory there is", 1);
    expect("80% (n/a)", 1);
    fixed.config.limits.hard_memory_bytes = (apr_int64_t)VIEW_MIB(10);
    expect("ManagerHardMemory is inert because it is below the size of a"
           " fresh process of group native (11.5 MB)", 1);
}

/* A section's limit that is inert says nothing of the server's. */
static void test_inert_section(void **state)
{
    amgr_group_t *group = NULL;
    int i;

    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    for (i = 0; i < fixed.snapshot.group_count; i++) {
        if (fixed.snapshot.groups[i].section != 0) {
            group = &fixed.snapshot.groups[i];
        }
    }
    assert_non_null(group);
    fixed.config.limits.sections[0].max_memory_active_bytes =
        (apr_int64_t)VIEW_MIB(20);
    group->inert = 1;
    group->fresh_bytes = VIEW_MIB(30);
    expect("<td class=\"num\">500M (524.29 MB)</td><td>"
           "<span class=\"mark ok\">in force</span></td>", 1);
    fixed.config.limits.max_memory_active_bytes = AMGR_LIMIT_OFF;
    expect("below the size of a fresh process, so", 0);
    assert_non_null(amgr_view_inert_group(&fixed.view, AMGR_VIEW_ACTIVE));
}

static void test_reasons(void **state)
{
    static const struct {
        int verdict;
        const char *cell;
    } cases[] = {
        { AMGR_VERDICT_MEMORY_ACTIVE,
          "<td class=\"reason\">3.73 GB resident, over"
          " ManagerMaxMemoryActive of 524.29 MB</td>" },
        { AMGR_VERDICT_MEMORY_HARD,
          "<td class=\"reason\">3.73 GB resident, over ManagerHardMemory of"
          " 524.29 MB</td>" },
        { AMGR_VERDICT_MEMORY_TOTAL,
          "<td class=\"reason\">all together had 3.73 GB, over"
          " ManagerMaxMemoryTotal of 524.29 MB</td>" },
        { AMGR_VERDICT_TIME,
          "<td class=\"reason\">a request ran for 1h 2m, over ManagerMaxTime"
          " of 8m 44s</td>" },
        { AMGR_VERDICT_REQUESTS,
          "<td class=\"reason\">it had served 3725000000 requests, over"
          " ManagerMaxRequests of 524288000</td>" },
        { AMGR_VERDICT_LIFETIME,
          "<td class=\"reason\">it had lived for 1h 2m, over"
          " ManagerMaxLifetime of 8m 44s</td>" },
        { AMGR_VERDICT_GENERATION,
          "<td class=\"reason\">it outlived its generation by 1h 2m, over"
          " ManagerMaxGenerationAge of 8m 44s</td>" },
        { AMGR_VERDICT_REQUESTED,
          "<td class=\"reason\">another module asked for it</td>" },
        { AMGR_VERDICT_UNKNOWN, "<td class=\"reason\">unknown</td>" },
        { AMGR_VERDICT_COUNT, "<td class=\"reason\">unknown</td>" },
        { -1, "<td class=\"reason\">unknown</td>" },
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        view_empty(&fixed);
        add_record(&fixed, 1, cases[i].verdict, AMGR_OUTCOME_GONE)->measured =
            APR_UINT64_C(3725000000);
        expect(cases[i].cell, 1);
    }
}

static void count_lines(const char *data, size_t *out_rows)
{
    const char *at = data;

    *out_rows = 0;
    while ((at = strstr(at, "<tr id=\"w-")) != NULL) {
        (*out_rows)++;
        at++;
    }
}

/* 20,000 slots: only the busy ones have a row, all have a letter. */
static void test_many_slots(void **state)
{
    enum { SLOTS = 20000, WIDTH = 200 };
    static amgr_slot_t slots[SLOTS];
    static amgr_process_t processes[SLOTS / WIDTH];
    const char *pre;
    text_t text;
    size_t rows;
    int i;

    (void)state; /* cmocka's signature */
    view_event(&fixed);
    for (i = 0; i < SLOTS; i++) {
        slots[i] = fixed.slots[0];
        slots[i].process_slot = i / WIDTH;
        slots[i].thread = i % WIDTH;
        slots[i].mode = i % 100 == 0 ? AMGR_MODE_WRITE : AMGR_MODE_READY;
        if (i % WIDTH == 0) {
            processes[i / WIDTH] = fixed.processes[1];
            processes[i / WIDTH].first_slot = i;
            processes[i / WIDTH].slot_count = WIDTH;
            processes[i / WIDTH].busy_slots = WIDTH / 100;
        }
    }
    fixed.snapshot.slots = slots;
    fixed.snapshot.slot_count = SLOTS;
    fixed.snapshot.processes = processes;
    fixed.snapshot.process_count = SLOTS / WIDTH;
    fixed.snapshot.server.threads_per_process = WIDTH;
    text = render(amgr_write_page, &fixed.view, 8192);
    count_lines(text.data, &rows);
    assert_int_equal(rows, SLOTS / 100);
    assert_non_null(strstr(text.data, "There are 20000 workers, so only the"
                                      " busy ones are shown."));
    pre = strstr(text.data, "<pre>") + strlen("<pre>");
    assert_int_equal(strcspn(pre, "<"), SLOTS + (SLOTS + 63) / 64);
    assert_null(find_fault(text.data));
    free(text.data);
    fixed.snapshot.slot_count = 2000;
    fixed.snapshot.process_count = 2000 / WIDTH;
    text = render(amgr_write_page, &fixed.view, 8192);
    count_lines(text.data, &rows);
    assert_int_equal(rows, 2000);
    free(text.data);
}

/* The style sheet loads nothing, and its braces match. */
static void test_style(void **state)
{
    const char *at;
    int depth = 0;

    (void)state; /* cmocka's signature */
    for (at = amgr_asset_page_css; *at != '\0'; at++) {
        depth += *at == '{';
        depth -= *at == '}';
        assert_in_range(depth, 0, 2);
        assert_true(*at == '\n' || (*at >= 0x20 && *at < 0x7f));
    }
    assert_int_equal(depth, 0);
    assert_null(strstr(amgr_asset_page_css, "url("));
    assert_null(strstr(amgr_asset_page_css, "@import"));
    assert_non_null(strstr(amgr_asset_page_css, "prefers-color-scheme: dark"));
}

/* What the page says of the script has to be true: it is small, plain, and
 * makes no markup or code of text. */
static void test_script(void **state)
{
    static const char *const banned[] = {
        "innerHTML", "insertAdjacentHTML", "document.write", "eval(",
        "Function(", ".style", "console.", "http:", "https:"
    };
    const char *at;
    size_t i;

    (void)state; /* cmocka's signature */
    for (at = amgr_asset_page_js; *at != '\0'; at++) {
        assert_true(*at == '\n' || (*at >= 0x20 && *at < 0x7f));
    }
    assert_in_range(at - amgr_asset_page_js, 1, 12 * 1000);
    assert_non_null(strstr(amgr_asset_page_js, "\"use strict\";"));
    for (i = 0; i < AMGR_COUNT(banned); i++) {
        assert_null(strstr(amgr_asset_page_js, banned[i]));
    }
    assert_in_range(strlen(amgr_assets_version), 1, 10);
    assert_int_equal(strspn(amgr_assets_version, "0123456789"),
                     strlen(amgr_assets_version));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_failing_sink),
        cmocka_unit_test(test_checker),
        cmocka_unit_test(test_formed),
        cmocka_unit_test(test_mod_status_words),
        cmocka_unit_test(test_clients),
        cmocka_unit_test(test_letters),
        cmocka_unit_test(test_refresh),
        cmocka_unit_test(test_headlines),
        cmocka_unit_test(test_inert),
        cmocka_unit_test(test_inert_section),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_many_slots),
        cmocka_unit_test(test_style),
        cmocka_unit_test(test_script)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
