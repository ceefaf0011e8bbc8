/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of managed processes: words, questions, and what becomes of one
 * that is damaged or whose supervisor is gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "invented_managed.h"

#define NOW_US MANAGED_SEC(100000)

static amgr_managed_table_t table;

static void every_value_has_a_word(void **state)
{
    int i;

    (void)state; /* nothing is shared */
    for (i = 0; i < AMGR_MANAGED_STATE_COUNT; i++) {
        assert_non_null(amgr_managed_state_word(i));
    }
    for (i = 0; i < AMGR_MANAGED_EXIT_COUNT; i++) {
        assert_non_null(amgr_managed_exit_word(i));
    }
    assert_string_equal(amgr_managed_state_word(AMGR_MANAGED_BACKOFF),
                        "BACKOFF");
    assert_string_equal(amgr_managed_exit_word(AMGR_MANAGED_EXIT_LOST), "lost");
    assert_string_equal(amgr_managed_want_word(AMGR_MANAGED_WANT_DOWN), "down");
    assert_string_equal(amgr_managed_want_word(AMGR_MANAGED_WANT_UP), "up");
    assert_string_equal(amgr_application_word(AMGR_APPLICATION_SHUTDOWN),
                        "shutdown");
    for (i = -1; i < 100; i += 100) {
        assert_string_equal(amgr_managed_state_word(i), "unknown");
        assert_string_equal(amgr_managed_exit_word(i), "unknown");
        assert_string_equal(amgr_managed_want_word(i), "unknown");
        assert_string_equal(amgr_application_word(i), "unknown");
    }
}

static void questions_are_answered(void **state)
{
    (void)state; /* nothing is shared */
    invent_managed(&table);
    assert_int_equal(amgr_managed_find(&table, "web")->id, 3);
    assert_null(amgr_managed_find(&table, "we"));
    assert_null(amgr_managed_find(&table, ""));
    assert_true(amgr_managed_is_running(&table.processes[2]));
    assert_false(amgr_managed_is_running(&table.processes[1]));
    assert_false(amgr_managed_all_ready(&table));
    invent_healthy(&table);
    assert_true(amgr_managed_all_ready(&table));
    /* Not wanted, not missed. */
    table.processes[2].ready = 0;
    assert_true(amgr_managed_is_missed(&table.processes[2]));
    assert_false(amgr_managed_all_ready(&table));
    table.processes[2].want = AMGR_MANAGED_WANT_DOWN;
    assert_true(amgr_managed_all_ready(&table));
    table.count = 0;
    assert_true(amgr_managed_all_ready(&table));
    assert_null(amgr_managed_find(&table, "web"));
}

static void what_comes_after_one_comes_after_its_own(void **state)
{
    int i;

    (void)state; /* nothing is shared */
    memset(&table, 0, sizeof(table));
    table.count = AMGR_MANAGED_MAX;
    /* Each after the next one. */
    for (i = 1; i < AMGR_MANAGED_MAX - 1; i++) {
        table.processes[i].after = APR_UINT64_C(1) << (i + 1);
    }
    table.processes[0].after = 2;
    assert_int_equal(amgr_managed_after_all(&table, &table.processes[0]),
                     ~APR_UINT64_C(1));
    assert_int_equal(amgr_managed_after_all(&table, &table.processes[61]),
                     APR_UINT64_C(3) << 62);
    assert_int_equal(amgr_managed_after_all(&table, &table.processes[63]), 0);
    /* A circle, which only a table that is damaged has. */
    table.processes[63].after = 1;
    assert_int_equal(amgr_managed_after_all(&table, &table.processes[5]),
                     ~APR_UINT64_C(0));
}

static void what_is_whole_stays(void **state)
{
    static amgr_managed_table_t whole;

    (void)state; /* nothing is shared */
    invent_managed(&table);
    whole = table;
    amgr_managed_mend(&table);
    assert_memory_equal(&table, &whole, sizeof(table));
}

static void damage_is_bounded(void **state)
{
    amgr_managed_t *process = &table.processes[0];

    (void)state; /* nothing is shared */
    memset(&table, 0xff, sizeof(table));
    amgr_managed_mend(&table);
    assert_int_equal(table.count, 0);
    assert_int_equal(table.application, AMGR_APPLICATION_DEGRADED);
    assert_int_equal(table.supervisor, 0);
    assert_int_equal(table.control, 1);
    assert_int_equal(strlen(table.socket), sizeof(table.socket) - 1);
    memset(&table, 0x7f, sizeof(table));
    amgr_managed_mend(&table);
    assert_int_equal(table.count, AMGR_MANAGED_MAX);
    process = &table.processes[AMGR_MANAGED_MAX - 1];
    assert_int_equal(strlen(process->name), sizeof(process->name) - 1);
    assert_int_equal(strlen(process->program), sizeof(process->program) - 1);
    assert_int_equal(strlen(process->verify), sizeof(process->verify) - 1);
    assert_int_equal(strlen(process->reason), sizeof(process->reason) - 1);
    assert_int_equal(strlen(process->status), sizeof(process->status) - 1);
    assert_int_equal(process->id, AMGR_MANAGED_MAX);
    assert_int_equal(process->state, AMGR_MANAGED_STOPPED);
    assert_int_equal(process->ready, 0);
    assert_int_equal(process->want, AMGR_MANAGED_WANT_UP);
    assert_int_equal(process->exit_known, 0);
    assert_int_equal(process->exit_cause, AMGR_MANAGED_EXIT_CLEAN);
    assert_int_equal(process->exit_code, -1);
    assert_int_equal(process->exit_signal, 0);
    assert_false(amgr_managed_all_ready(&table));
    /* One row, all bits of it. */
    memset(&table, 0xff, sizeof(table));
    table.count = 1;
    amgr_managed_mend(&table);
    process = &table.processes[0];
    assert_int_equal(process->id, 1);
    assert_int_equal(process->pid, 0);
    assert_int_equal(process->guard, 0);
    assert_int_equal(process->tree_count, 0);
    assert_int_equal(process->backoff_us, 0);
    assert_int_equal(process->after, 1);
    /* The row behind it is nobody's business. */
    assert_int_equal(table.processes[1].pid, -1);
}

static void nothing_is_well_without_a_supervisor(void **state)
{
    (void)state; /* nothing is shared */
    invent_healthy(&table);
    amgr_managed_doubt(&table, NOW_US + AMGR_MANAGED_STALE_US);
    assert_int_equal(table.application, AMGR_APPLICATION_RUNNING);
    assert_true(amgr_managed_all_ready(&table));
    amgr_managed_doubt(&table, NOW_US + AMGR_MANAGED_STALE_US + 1);
    assert_int_equal(table.supervisor, 0);
    assert_int_equal(table.application, AMGR_APPLICATION_DEGRADED);
    assert_false(amgr_managed_all_ready(&table));
    assert_string_equal(table.processes[0].reason,
                        "there is no supervisor, this was seen last");
    /* What stays as it is keeps its reason. */
    invent_managed(&table);
    table.supervisor = 0;
    amgr_managed_doubt(&table, NOW_US);
    assert_string_equal(amgr_managed_find(&table, "search-index")->reason,
                        "waits for solr");
    assert_string_equal(amgr_managed_find(&table, "worker")->reason,
                        "there is no supervisor, this was seen last");
    /* After a shut down there need not be one. */
    invent_managed(&table);
    table.supervisor = 0;
    table.application = AMGR_APPLICATION_SHUTDOWN;
    amgr_managed_doubt(&table, NOW_US);
    assert_int_equal(table.application, AMGR_APPLICATION_SHUTDOWN);
}

static void what_is_expected_is_not_ready(void **state)
{
    amgr_managed_t process;
    int i;

    (void)state; /* nothing is shared */
    amgr_managed_init(&process, "late");
    process.want = AMGR_MANAGED_WANT_UP;
    assert_int_equal(process.state, AMGR_MANAGED_STOPPED);
    assert_int_equal(process.exit_code, -1);
    assert_true(process.memory_bytes == AMGR_UNKNOWN);
    assert_true(process.check_us < 0);
    memset(&table, 0, sizeof(table));
    table.application = AMGR_APPLICATION_SHUTDOWN; /* of those before */
    amgr_managed_expect(&table, &process);
    assert_int_equal(table.count, 1);
    assert_int_equal(table.application, AMGR_APPLICATION_STARTING);
    assert_int_equal(table.processes[0].id, 1);
    assert_false(amgr_managed_all_ready(&table));
    invent_healthy(&table);
    i = table.count;
    amgr_managed_expect(&table, &process);
    assert_int_equal(table.application, AMGR_APPLICATION_STARTING);
    assert_ptr_equal(amgr_managed_find(&table, "late"), &table.processes[i]);
    assert_int_equal(table.processes[i].id, i + 1);
    table.application = AMGR_APPLICATION_DEGRADED;
    amgr_managed_expect(&table, &process);
    assert_int_equal(table.application, AMGR_APPLICATION_DEGRADED);
    /* One more than there is room for. */
    table.count = AMGR_MANAGED_MAX;
    table.application = AMGR_APPLICATION_RUNNING;
    amgr_managed_expect(&table, &process);
    assert_int_equal(table.count, AMGR_MANAGED_MAX);
    assert_int_equal(table.application, AMGR_APPLICATION_STARTING);
}

static void an_end_is_told_in_words(void **state)
{
    static const struct {
        int cause;
        int code;
        int killed_by;
        const char *text;
    } cases[] = {
        {AMGR_MANAGED_EXIT_CLEAN, 0, 0, "exited with code 0"},
        {AMGR_MANAGED_EXIT_CODE, 1, 0, "exited with code 1"},
        {AMGR_MANAGED_EXIT_CODE, -1, 0, "exited with an unknown code"},
        {AMGR_MANAGED_EXIT_SIGNAL, -1, 9, "killed by SIGKILL"},
        {AMGR_MANAGED_EXIT_SIGNAL, -1, 40, "killed by signal 40"},
        {AMGR_MANAGED_EXIT_EXEC, -1, 0, "could not be started"},
        {AMGR_MANAGED_EXIT_START_TIMEOUT, -1, 15,
         "not ready in time (SIGTERM)"},
        {AMGR_MANAGED_EXIT_UNHEALTHY, 143, 0, "unhealthy (code 143)"},
        {AMGR_MANAGED_EXIT_MEMORY, 0, 0, "over MaxMemory (code 0)"},
        {AMGR_MANAGED_EXIT_ORDERED, -1, 15, "stopped (SIGTERM)"},
        {AMGR_MANAGED_EXIT_LOST, -1, 0, "its guard was gone"},
        {99, -1, 0, "unknown"},
    };
    amgr_managed_t process;
    char text[AMGR_MANAGED_END_LEN];
    apr_size_t i;

    (void)state; /* cmocka's signature */
    memset(&process, 0, sizeof(process));
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        process.exit_cause = cases[i].cause;
        process.exit_code = cases[i].code;
        process.exit_signal = cases[i].killed_by;
        amgr_managed_end_text(&process, text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_is_told_in_words),
        cmocka_unit_test(every_value_has_a_word),
        cmocka_unit_test(questions_are_answered),
        cmocka_unit_test(what_comes_after_one_comes_after_its_own),
        cmocka_unit_test(what_is_whole_stays),
        cmocka_unit_test(damage_is_bounded),
        cmocka_unit_test(nothing_is_well_without_a_supervisor),
        cmocka_unit_test(what_is_expected_is_not_ready),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
