/* SPDX-License-Identifier: Apache-2.0
 *
 * The page's section of managed processes: byte for byte in page_test.c; here
 * who may give which orders, what becomes of hostile text, and headlines.
 */
#include "managed_view.h"

static fixed_view_t fixed;

static void expect(const char *needle, int there)
{
    text_t text = render(amgr_write_page, &fixed.view, 4096);

    if ((strstr(text.data, needle) != NULL) != there) {
        fail_msg("'%s' is%s in the page", needle, there ? " not" : "");
    }
    free(text.data);
}

static void test_none(void **state)
{
    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    expect("anaged process", 0);
    expect("id=\"managed", 0);
    expect("/processes\"", 0);
    view_managed(&fixed);
    expect("<section id=\"managed\" aria-labelledby=\"title-managed\">", 1);
    expect("<a href=\"#managed\">", 1);
    expect("<a href=\"/manager-status/processes\">processes</a>", 1);
}

/* Word and colour of each state. */
static void test_states(void **state)
{
    static const char *const marks[] = {
        "ok\">READY<",      "ok\">EXITED<",    "bad\">FATAL<",
        "warn\">BACKOFF<",  "info\">RUNNING<", "info\">STARTING<",
        "info\">STOPPING<", "na\">STOPPED<",   "warn\">STOPPED<",
    };
    size_t i;

    (void)state; /* cmocka's signature */
    view_managed(&fixed);
    for (i = 0; i < AMGR_COUNT(marks); i++) {
        expect(marks[i], 1);
    }
    expect("warn\">EXITED<", 0);
    expect("next start in 3s", 1);
    expect("90% of 536.87 MB", 0);
    expect("89% of 536.87 MB", 1);
    managed_table.processes[1].ready = 0;
    expect("warn\">EXITED<", 1);
    managed_table.processes[4].next_start_us = VIEW_NOW_US - VIEW_SEC(7);
    expect("next start in 0s", 1);
    managed_table.processes[2].memory_bytes = APR_UINT64_C(1) << 62;
    expect("999% of 536.87 MB", 1);
}

static int has_button(const char *name, const char *verb)
{
    char needle[256];
    text_t text = render(amgr_write_page, &fixed.view, 4096);
    int found;

    snprintf(needle, sizeof(needle),
             "<button id=\"%s-%s\""
             " formaction=\"/manager-status/processes/%s/%s\"",
             verb, name, name, verb);
    found = strstr(text.data, needle) != NULL;
    free(text.data);
    return found;
}

static void test_orders(void **state)
{
    static const struct {
        const char *name;
        int start;
        int restart;
        int stop;
    } cases[] = {
        {"postgres", 0, 1, 1}, {"migrate", 1, 0, 1}, {"solr", 1, 0, 1},
        {"worker", 0, 1, 1},   {"mailer", 0, 1, 1},  {"queue", 0, 1, 1},
        {"old", 0, 0, 1},      {"off", 1, 0, 0},     {"search-index", 0, 0, 1},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    view_managed(&fixed);
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        assert_int_equal(has_button(cases[i].name, "start"), cases[i].start);
        assert_int_equal(has_button(cases[i].name, "restart"),
                         cases[i].restart);
        assert_int_equal(has_button(cases[i].name, "stop"), cases[i].stop);
    }
    expect("<form method=\"post\"><input type=\"hidden\" name=\"token\""
           " value=\"1a2b3c\">",
           1);
    expect("aria-label=\"Restart web\">Restart</button>", 1);
    amgr_page_query_parse("wait=9&processes=-pid&filter=%22a&x",
                          &fixed.view.query);
    expect("formaction=\"/manager-status/processes/web/stop?processes=-pid&amp;"
           "filter=%22a\"",
           1);
    fixed.view.control_token = "\"><script>";
    expect("value=\"&quot;&gt;&lt;script&gt;\"", 1);
}

/* Not for everybody, and not for those who cannot be obeyed. */
static void test_no_orders(void **state)
{
    (void)state; /* cmocka's signature */
    view_managed(&fixed);
    expect("No orders", 0);
    fixed.view.control_token = NULL;
    expect("method=\"post\"", 0);
    expect(">Orders<", 0);
    expect("No orders", 0);
    fixed.view.control_refusal = "ManagerControl is <Off> here";
    expect(
        "<p class=\"why\">No orders are taken here: ManagerControl is &lt;Off"
        "&gt; here.</p>",
        1);
    view_managed(&fixed);
    managed_table.application = AMGR_APPLICATION_SHUTDOWN;
    expect("method=\"post\"", 0);
    expect("until httpd is restarted", 0);
    expect("<p class=\"why\">No orders are taken here: all managed processes"
           " are being stopped, and their supervisor is about to end.</p>",
           1);
    managed_table.is_shut = 1;
    expect("<p class=\"why\">No orders are taken here: all managed processes"
           " are shut down until httpd is restarted.</p>",
           1);
    view_managed(&fixed);
    managed_table.supervisor = 0;
    expect("method=\"post\"", 0);
    expect("No supervisor: nobody watches", 1);
    managed_table.application = AMGR_APPLICATION_SHUTDOWN;
    expect("No supervisor: nobody watches", 0);
}

static void test_hostile(void **state)
{
    int i;

    (void)state; /* cmocka's signature */
    view_managed(&fixed);
    for (i = 0; i < managed_table.count; i++) {
        strcpy(managed_table.processes[i].status, MANAGED_HOSTILE);
        strcpy(managed_table.processes[i].reason, MANAGED_HOSTILE);
        strcpy(managed_table.processes[i].program, MANAGED_HOSTILE);
    }
    expect("\x1b", 0);
    expect("</script> ", 0);
    expect("&lt;/script&gt;", 1);
    expect("\xe2\x80\xae", 0);
}

/* Each id of the page, as often as it is there. */
static void check_ids(void)
{
    text_t text = render(amgr_write_page, &fixed.view, 4096);
    const char *at = text.data;
    int count = 0;

    while ((at = strstr(at, " id=\"")) != NULL) {
        size_t len = strcspn(at + 5, "\"") + 6; /* with both quotes */
        const char *same = at;

        while ((same = strstr(same + 1, " id=\"")) != NULL) {
            if (strncmp(same, at, len) == 0) {
                fail_msg("%.*s is there twice", (int)len, at);
            }
        }
        at += len;
        count++;
    }
    assert_true(count > 20);
    free(text.data);
}

/* Whatever the processes are called. */
static void test_ids(void **state)
{
    static const char *const names[] = {
        "title",   "web",      "web-stop", "web-restart", "start-web",
        "managed", "managed-", "-",        "processes",
    };
    size_t i;

    (void)state; /* cmocka's signature */
    view_managed(&fixed);
    assert_true(managed_table.count >= (int)AMGR_COUNT(names));
    for (i = 0; i < AMGR_COUNT(names); i++) {
        strcpy(managed_table.processes[i].name, names[i]);
    }
    check_ids();
}

static void test_headlines(void **state)
{
    (void)state; /* cmocka's signature */
    view_managed(&fixed);
    expect("headline bad\" aria-label=\"Verdict\">\n<p><strong>Process failed."
           "</strong> 1 managed process has failed too often and stays down"
           " until it is started by an order: solr.</p>",
           1);
    expect("<title>process failed - ", 1);
    managed_table.processes[4].state = AMGR_MANAGED_FATAL;
    expect("</strong> 2 managed processes have failed too often and stay down"
           " until they are started by an order: solr, worker.</p>",
           1);
    managed_table.processes[3].state = AMGR_MANAGED_BACKOFF;
    managed_table.processes[4].state = AMGR_MANAGED_BACKOFF;
    expect("headline warn\"", 1);
    expect("<strong>Not ready.</strong> 6 managed processes are not ready:"
           " solr, worker, mailer and 3 more.</p>",
           1);
    view_managed_well(&fixed);
    managed_table.processes[2].ready = 0;
    expect("1 managed process is not ready: web.</p>", 1);
    view_unsupervised(&fixed);
    expect("headline bad\"", 1);
    expect("<strong>No supervisor.</strong> The managed processes have no"
           " supervisor, or it hangs: nobody watches them, and none counts as"
           " ready.</p>",
           1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none),      cmocka_unit_test(test_states),
        cmocka_unit_test(test_orders),    cmocka_unit_test(test_no_orders),
        cmocka_unit_test(test_hostile),   cmocka_unit_test(test_ids),
        cmocka_unit_test(test_headlines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
