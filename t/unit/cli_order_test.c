/* SPDX-License-Identifier: Apache-2.0
 *
 * What is said of an order for a managed process, and what it is worth to the
 * shell.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "cli/fault.h"
#include "cli/order/order_target.h"
#include "cli/order/order_words.h"

#define SEC(n) apr_time_from_sec(n)

static void outcomes_have_words(void **state)
{
    static const struct {
        const char *verb;
        int settled;
        int state;
        int was_so;
        apr_interval_time_t wait_us;
        const char *reason;
        const char *line;
        int code;
    } cases[] = {
        {"start", 1, AMGR_MANAGED_READY, 0, SEC(30), "", "web: started\n", 0},
        {"start", 1, AMGR_MANAGED_READY, 0, 0, "", "web: started\n", 0},
        {"start", 1, AMGR_MANAGED_READY, 1, SEC(30), "",
         "web: ERROR (already started)\n", 0},
        {"start", 1, AMGR_MANAGED_FATAL, 0, SEC(30), "no \033[2Jluck",
         "web: ERROR (FATAL: no \\x1b[2Jluck)\n", 1},
        {"start", 1, AMGR_MANAGED_EXITED, 0, SEC(30), "exited with code 1",
         "web: ERROR (EXITED: exited with code 1)\n", 1},
        {"start", 1, AMGR_MANAGED_STOPPED, 0, SEC(30), "",
         "web: ERROR (STOPPED)\n", 1},
        {"start", 0, AMGR_MANAGED_RUNNING, 0, SEC(30), "",
         "web: ERROR (not ready after 30s, RUNNING)\n", 3},
        {"start", 0, AMGR_MANAGED_STOPPED, 1, SEC(90), "waits for db",
         "web: ERROR (not ready after 90s, STOPPED: waits for db)\n", 3},
        {"start", 1, AMGR_MANAGED_STOPPED, 1, SEC(30), "waits for db",
         "web: ERROR (STOPPED: waits for db)\n", 1},
        {"start", 1, AMGR_MANAGED_STOPPED, 0, 0, "waits for db",
         "web: start ordered (STOPPED: waits for db)\n", 0},
        {"start", 0, AMGR_MANAGED_STARTING, 0, 0, "",
         "web: start ordered (STARTING)\n", 0},
        {"start", 1, -1, 0, 0, "", "web: ERROR (unknown)\n", 1},
        {"restart", 1, AMGR_MANAGED_READY, 0, SEC(30), "", "web: restarted\n",
         0},
        {"restart", 1, AMGR_MANAGED_READY, 1, SEC(30), "", "web: restarted\n",
         0},
        {"restart", 0, AMGR_MANAGED_STOPPING, 0, 0, "",
         "web: restart ordered (STOPPING)\n", 0},
        {"stop", 1, AMGR_MANAGED_STOPPED, 0, SEC(30), "", "web: stopped\n", 0},
        {"stop", 1, AMGR_MANAGED_EXITED, 0, SEC(30), "", "web: stopped\n", 0},
        {"stop", 1, AMGR_MANAGED_FATAL, 1, SEC(30), "",
         "web: ERROR (not running)\n", 0},
        {"stop", 1, AMGR_MANAGED_READY, 0, SEC(30), "", "web: ERROR (READY)\n",
         1},
        {"stop", 0, AMGR_MANAGED_STOPPING, 0, SEC(5), "",
         "web: ERROR (not stopped after 5s, STOPPING)\n", 3},
    };
    amgr_order_outcome_t outcome;
    amgr_sink_t sink;
    char line[512];
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        int code;

        memset(&outcome, 0, sizeof(outcome));
        outcome.verb = cases[i].verb;
        outcome.name = "web";
        outcome.was_so = cases[i].was_so;
        outcome.wait_us = cases[i].wait_us;
        outcome.answer.ok = 1;
        outcome.answer.settled = cases[i].settled;
        outcome.answer.state = cases[i].state;
        outcome.answer.want = strcmp(cases[i].verb, "stop") == 0
                                  ? AMGR_MANAGED_WANT_DOWN
                                  : AMGR_MANAGED_WANT_UP;
        outcome.answer.exit_code = 1;
        apr_cpystrn(outcome.answer.reason, cases[i].reason,
                    sizeof(outcome.answer.reason));
        amgr_sink_init_text(&sink, line, sizeof(line));
        code = amgr_order_write_outcome(&outcome, &sink);
        assert_string_equal(amgr_sink_text(&sink), cases[i].line);
        assert_int_equal(code, cases[i].code);
    }
}

static const char *say(const amgr_order_outcome_t *outcome, int code)
{
    static char line[512];
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, line, sizeof(line));
    assert_int_equal(amgr_order_write_outcome(outcome, &sink), code);
    return amgr_sink_text(&sink);
}

static void ends_and_refusals_have_words(void **state)
{
    amgr_order_outcome_t outcome;

    (void)state; /* cmocka's signature */
    memset(&outcome, 0, sizeof(outcome));
    outcome.verb = "start";
    outcome.name = "once\n";
    apr_cpystrn(outcome.answer.error, "all processes are being\tshut down",
                sizeof(outcome.answer.error));
    assert_string_equal(say(&outcome, AMGR_EXIT_FAILED),
                        "once\\x0a: ERROR (all processes are being\\x09shut "
                        "down)\n");
    outcome.answer.ok = 1;
    outcome.answer.settled = 1;
    outcome.answer.state = AMGR_MANAGED_EXITED;
    outcome.answer.exit_code = 0;
    assert_string_equal(say(&outcome, AMGR_EXIT_OK), "once\\x0a: started\n");
    /* Its verifier may expect another code. */
    outcome.answer.exit_code = 7;
    outcome.answer.ready = 1;
    assert_string_equal(say(&outcome, AMGR_EXIT_OK), "once\\x0a: started\n");
    outcome.answer.ready = 0;
    outcome.answer.exit_code = -1;
    outcome.answer.exit_signal = 9;
    assert_string_equal(say(&outcome, AMGR_EXIT_FAILED),
                        "once\\x0a: ERROR (EXITED)\n");
}

static void names_are_known(void **state)
{
    static amgr_managed_table_t table;
    const amgr_fault_t *fault = NULL;
    apr_pool_t *pool;

    (void)state; /* cmocka's signature */
    apr_pool_create(&pool, NULL);
    table.count = 2;
    apr_cpystrn(table.processes[0].name, "db", AMGR_MANAGED_NAME_LEN);
    apr_cpystrn(table.processes[1].name, "w\033b", AMGR_MANAGED_NAME_LEN);
    assert_ptr_equal(amgr_order_target_process(&table, "db", &fault, pool),
                     &table.processes[0]);
    assert_null(fault);
    assert_null(amgr_order_target_process(&table, "\033c", &fault, pool));
    assert_int_equal(fault->exit_code, AMGR_EXIT_FAILED);
    assert_string_equal(fault->text,
                        "no managed process has the name '\\x1bc', there are: "
                        "db, w\\x1bb");
    apr_pool_destroy(pool);
}

/* An end with 0 is what was ordered only of what was to end. */
static void one_that_ended_with_0_is_started_unless_it_is_missed(void **state)
{
    static const struct {
        int want;
        const char *line;
    } cases[] = {
        {AMGR_MANAGED_WANT_DOWN, "web: started\n"},
        {AMGR_MANAGED_WANT_UP, "web: ERROR (EXITED)\n"},
    };
    amgr_order_outcome_t outcome;
    amgr_sink_t sink;
    char line[512];
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        memset(&outcome, 0, sizeof(outcome));
        outcome.verb = "start";
        outcome.name = "web";
        outcome.answer.ok = 1;
        outcome.answer.settled = 1;
        outcome.answer.state = AMGR_MANAGED_EXITED;
        outcome.answer.want = cases[i].want;
        amgr_sink_init_text(&sink, line, sizeof(line));
        amgr_order_write_outcome(&outcome, &sink);
        assert_string_equal(amgr_sink_text(&sink), cases[i].line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_ended_with_0_is_started_unless_it_is_missed),
        cmocka_unit_test(outcomes_have_words),
        cmocka_unit_test(ends_and_refusals_have_words),
        cmocka_unit_test(names_are_known),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
