/* SPDX-License-Identifier: Apache-2.0
 *
 * What pymanager's clients read: its members, its words, and its ids.
 */
#include "render/pymanager_json.h"

#include "invented_managed.h"
#include "render_check.h"

static amgr_managed_table_t table;
static char written[65536];

static const char *compact(amgr_sink_t *sink)
{
    char *from = amgr_sink_text(sink);
    char *to = from;

    assert_int_equal(sink->status, APR_SUCCESS);
    assert_true(json_is_valid(from));
    for (; *from != '\0'; from++) {
        if (*from != '\n') {
            *to++ = *from;
        }
    }
    *to = '\0';
    return written;
}

static amgr_sink_t *fresh(void)
{
    static amgr_sink_t sink;

    amgr_sink_init_text(&sink, written, sizeof(written));
    return &sink;
}

static const char *list(void)
{
    amgr_sink_t *sink = fresh();

    amgr_pymanager_write_list(&table, sink);
    return compact(sink);
}

static const char *status(void)
{
    amgr_sink_t *sink = fresh();

    amgr_pymanager_write_status(&table, sink);
    return compact(sink);
}

static void processes_have_a_pid_or_a_code(void **state)
{
    amgr_managed_t *process;

    (void)state; /* cmocka's signature */
    memset(&table, 0, sizeof(table));
    assert_string_equal(list(), "{\"count\":0,\"processes\":[]}");
    add_managed(&table, "never", AMGR_MANAGED_STOPPED);
    run_managed(add_managed(&table, "web", AMGR_MANAGED_READY), 42, 10);
    process = add_managed(&table, "done", AMGR_MANAGED_EXITED);
    process->exit_known = 1;
    process->exit_code = 0;
    process = add_managed(&table, "shot", AMGR_MANAGED_FATAL);
    process->exit_known = 1;
    process->exit_signal = 9;
    process = add_managed(&table, "again", AMGR_MANAGED_RUNNING);
    run_managed(process, 43, 1);
    process->exit_known = 1;
    process->exit_code = 3;
    assert_string_equal(list(),
                        "{\"count\":5,\"processes\":["
                        "{\"id\":1,\"command\":\"/opt/never/bin/never\","
                        "\"status\":\"terminated\",\"code\":null},"
                        "{\"id\":2,\"command\":\"/opt/web/bin/web\","
                        "\"status\":\"running\",\"pid\":42},"
                        "{\"id\":3,\"command\":\"/opt/done/bin/done\","
                        "\"status\":\"terminated\",\"code\":0},"
                        "{\"id\":4,\"command\":\"/opt/shot/bin/shot\","
                        "\"status\":\"terminated\",\"code\":-9},"
                        "{\"id\":5,\"command\":\"/opt/again/bin/again\","
                        "\"status\":\"running\",\"pid\":43}]}");
}

static void all_of_them_have_one_of_its_words(void **state)
{
    static const struct {
        int application;
        pid_t supervisor;
        int count;
        const char *text;
    } cases[] = {
        {AMGR_APPLICATION_STARTING, 0, 0, "{\"status\":\"running\"}"},
        {AMGR_APPLICATION_STARTING, 0, 1, "{\"status\":\"booting\"}"},
        {AMGR_APPLICATION_STARTING, 7, 1,
         "{\"status\":\"launching processes\"}"},
        {AMGR_APPLICATION_RUNNING, 7, 1, "{\"status\":\"running\"}"},
        {AMGR_APPLICATION_DEGRADED, 7, 1, "{\"status\":\"running\"}"},
        {AMGR_APPLICATION_DEGRADED, 0, 1, "{\"status\":\"booting\"}"},
        {AMGR_APPLICATION_SHUTDOWN, 7, 1, "{\"status\":\"shutdown\"}"},
        {AMGR_APPLICATION_SHUTDOWN, 0, 1, "{\"status\":\"shutdown\"}"},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        memset(&table, 0, sizeof(table));
        table.application = cases[i].application;
        table.supervisor = cases[i].supervisor;
        table.count = cases[i].count;
        assert_string_equal(status(), cases[i].text);
    }
}

static void an_order_succeeds_or_fails(void **state)
{
    amgr_sink_t *sink = fresh();

    (void)state; /* cmocka's signature */
    amgr_pymanager_write_success(NULL, sink);
    assert_string_equal(compact(sink), "{\"success\":true}");
    memset(&table, 0, sizeof(table));
    run_managed(add_managed(&table, "web", AMGR_MANAGED_READY), 42, 10);
    sink = fresh();
    amgr_pymanager_write_success(&table.processes[0], sink);
    assert_string_equal(compact(sink),
                        "{\"success\":true,\"process\":{\"id\":1,"
                        "\"command\":\"/opt/web/bin/web\","
                        "\"status\":\"running\",\"pid\":42}}");
    sink = fresh();
    amgr_pymanager_write_failure("Invalid ID '\"<'.", sink);
    assert_string_equal(compact(sink),
                        "{\"success\":false,\"error\":{\"message\":"
                        "\"Invalid ID '\\\"\\u003c'.\"}}");
}

static void an_id_is_what_python_takes_for_a_number(void **state)
{
    static const struct {
        const char *text;
        int is_one;
        apr_int64_t id;
    } cases[] = {
        {"1", 1, 1},     {"64", 1, 64}, {"007", 1, 7},
        {"+2", 1, 2},    {"-1", 1, -1}, {" 3 ", 1, 3},
        {"\t3\n", 1, 3}, {"0", 1, 0},   {"99999999999999999999", 1, 0},
        {"", 0, 0},      {"x", 0, 0},   {"1x", 0, 0},
        {"x1", 0, 0},    {"1.0", 0, 0}, {"1 2", 0, 0},
        {"+", 0, 0},     {"--1", 0, 0}, {"0x1", 0, 0},
        {" ", 0, 0},     {"- 1", 0, 0},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        apr_int64_t id = 0;

        assert_int_equal(amgr_pymanager_parse_id(cases[i].text, &id),
                         cases[i].is_one);
        if (strlen(cases[i].text) > 9) {
            assert_true(id > AMGR_MANAGED_MAX);
        }
        else {
            assert_int_equal(id, cases[i].id);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes_have_a_pid_or_a_code),
        cmocka_unit_test(all_of_them_have_one_of_its_words),
        cmocka_unit_test(an_order_succeeds_or_fails),
        cmocka_unit_test(an_id_is_what_python_takes_for_a_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
