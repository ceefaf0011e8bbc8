/* SPDX-License-Identifier: Apache-2.0
 *
 * A supervisor after another: what has done its work is not run again for want
 * of whoever knew that, and all else is.
 */
#include "supervised.h"

#define JOB "Restart never\nOutput discard\n"
#define ONCE "once\nCommand /bin/true\n" JOB
#define MIGRATE                             \
    "migrate\nShell On\nCommand 'exit 4'\n" \
    "Verify exited 4\nOutput discard\n"
#define WEB                                       \
    "web\nCommand /bin/sleep 60\nAfter migrate\n" \
    "Verify exec /bin/true\nOutput discard\n"

/* As httpd's parent sees to it: nobody is there any more. */
static void replace_supervisor(supervised_t *s)
{
    kill_supervisor(s);
    assert_non_null(row(s, "once"));
    s->table.supervisor = 0;
    s->table.revision++;
    amgr_board_write_managed(s->board, &s->table);
    start_supervisor(s);
}

static void check_done(const amgr_managed_t *row, int code, int ready)
{
    char reason[32];

    snprintf(reason, sizeof(reason), "exited with code %d", code);
    assert_int_equal(row->state, AMGR_MANAGED_EXITED);
    assert_int_equal(row->want, AMGR_MANAGED_WANT_DOWN);
    assert_int_equal(row->ready, ready);
    assert_int_equal(row->ready_us > 0, ready);
    assert_int_equal(row->starts, 1);
    assert_true(row->started_us > 0 && row->since_us >= row->started_us);
    assert_int_equal(row->exits[AMGR_MANAGED_EXIT_CLEAN], 1);
    assert_int_equal(row->exit_known, 1);
    assert_int_equal(row->exit_cause, AMGR_MANAGED_EXIT_CLEAN);
    assert_int_equal(row->exit_code, code);
    assert_string_equal(row->reason, reason);
}

static void what_has_done_its_work_is_not_run_again(void **state)
{
    static const char text[] = ONCE MIGRATE WEB;
    supervised_t *s = *state;
    amgr_managed_t before;
    int i;

    apply(s, text);
    wait_state(s, "once", AMGR_MANAGED_EXITED);
    wait_state(s, "web", AMGR_MANAGED_READY);
    before = *row(s, "migrate");
    check_done(row(s, "once"), 0, 0);
    for (i = 2; i <= 3; i++) {
        replace_supervisor(s);
        if (i == 3) { /* killed before it knew what there is to do */
            WAIT_UNTIL(s,
                       row(s, "once") != NULL && s->table.supervisor == s->pid);
            replace_supervisor(s);
        }
        apply(s, text);
        /* What comes after it does not wait for another end of it. */
        WAIT_UNTIL(s, row(s, "web") != NULL &&
                          row(s, "web")->starts == (apr_uint64_t)i &&
                          row(s, "web")->ready);
        check_done(row(s, "once"), 0, 0);
        check_done(row(s, "migrate"), 4, 1);
        assert_int_equal(row(s, "migrate")->since_us, before.since_us);
        assert_int_equal(row(s, "migrate")->ready_us, before.ready_us);
        assert_int_equal(s->table.application, AMGR_APPLICATION_RUNNING);
    }
    /* Nor by the same configuration once more. */
    apply(s, text);
    WAIT_UNTIL(s, count_logged(s, "are configured: 3") == 4);
    check_done(row(s, "once"), 0, 0);
    assert_int_equal(count_logged(s, "[3] process once: has done its work, and "
                                     "is not run again"),
                     2);
}

/* Who ends without Verify exited is not ready any more. */
static void what_is_waited_for_runs_again(void **state)
{
    static const char text[] = "once\nCommand /bin/sleep 2\nRestart never\n"
                               "Output discard\n"
                               "next\nCommand /bin/sleep 60\nAfter once\n"
                               "Verify exec /bin/true\nOutput discard\n";
    supervised_t *s = *state;

    apply(s, text);
    wait_state(s, "next", AMGR_MANAGED_READY);
    wait_state(s, "once", AMGR_MANAGED_EXITED);
    replace_supervisor(s);
    apply(s, text);
    WAIT_UNTIL(s, row(s, "next") != NULL && row(s, "next")->starts == 2 &&
                      row(s, "next")->ready);
    assert_int_equal(row(s, "once")->starts, 2);
}

/* In whatever it differs. */
static void what_is_another_by_now_runs(void **state)
{
    static const char before[] =
        ONCE "program\nCommand /bin/true\n" JOB
             "arguments\nCommand /bin/echo 'a b'\n" JOB
             "environment\nCommand /bin/true\nEnvironment A 1\n" JOB
             "directory\nCommand /bin/true\n" JOB
             "unverified\nCommand /bin/true\nVerify exited 0\n" JOB
             "verified\nCommand /bin/true\n" JOB
             "restart\nCommand /bin/true\nVerify exited 0\n" JOB
             "memory\nCommand /bin/true\n" JOB;
    static const char after[] =
        "memory\nCommand /bin/true\nMaxMemory 1G\n" JOB ONCE
        "program\nCommand /bin/echo\n" JOB
        "arguments\nCommand /bin/echo a b\n" JOB
        "environment\nCommand /bin/true\nEnvironment A 2\n" JOB
        "directory\nCommand /bin/true\nWorkingDirectory /tmp\n" JOB
        "unverified\nCommand /bin/true\n" JOB
        "verified\nCommand /bin/true\nVerify exited 0\n" JOB
        "restart\nCommand /bin/true\nVerify exited 0\nRestart on-failure\n"
        "Output discard\n";
    static const char *const others[] = {
        "program",    "arguments", "environment", "directory",
        "unverified", "verified",  "restart",     "memory"};
    supervised_t *s = *state;
    apr_size_t i;

    apply(s, before);
    wait_state(s, "once", AMGR_MANAGED_EXITED);
    for (i = 0; i < AMGR_COUNT(others); i++) {
        wait_state(s, others[i], AMGR_MANAGED_EXITED);
    }
    replace_supervisor(s);
    apply(s, after);
    for (i = 0; i < AMGR_COUNT(others); i++) {
        WAIT_UNTIL(s,
                   row(s, others[i]) != NULL && row(s, others[i])->starts == 2);
    }
    assert_int_equal(row(s, "once")->starts, 1);
}

/* One that has to go by its parent's word has another after it: that is no wish
 * for a second run. */
static void nor_where_the_last_one_ended_in_peace(void **state)
{
    supervised_t *s = *state;

    apply(s, ONCE MIGRATE WEB);
    wait_state(s, "web", AMGR_MANAGED_READY);
    wait_state(s, "once", AMGR_MANAGED_EXITED);
    tell_end(s);
    WAIT_UNTIL(s, is_ended(s));
    assert_non_null(row(s, "once"));
    assert_int_equal(s->table.application, AMGR_APPLICATION_SHUTDOWN);
    replace_supervisor(s);
    WAIT_UNTIL(s, row(s, "once") != NULL && s->table.supervisor == s->pid);
    replace_supervisor(s); /* which is so for the one after the next, too */
    apply(s, ONCE MIGRATE WEB);
    WAIT_UNTIL(s, row(s, "web") != NULL && row(s, "web")->starts == 2 &&
                      row(s, "web")->ready);
    check_done(row(s, "once"), 0, 0);
    check_done(row(s, "migrate"), 4, 1);
}

/* Whoever sends it stops all that there is, and httpd begins another. */
static void a_signal_to_the_supervisor_is_no_such_end(void **state)
{
    supervised_t *s = *state;

    apply(s, ONCE MIGRATE WEB);
    wait_state(s, "web", AMGR_MANAGED_READY);
    wait_state(s, "once", AMGR_MANAGED_EXITED);
    assert_int_equal(kill(s->pid, SIGTERM), 0);
    WAIT_UNTIL(s, is_ended(s));
    assert_non_null(row(s, "once"));
    assert_int_equal(s->table.application, AMGR_APPLICATION_DEGRADED);
    replace_supervisor(s);
    apply(s, ONCE MIGRATE WEB);
    WAIT_UNTIL(s, row(s, "web") != NULL && row(s, "web")->starts == 2 &&
                      row(s, "web")->ready);
    check_done(row(s, "once"), 0, 0);
    check_done(row(s, "migrate"), 4, 1);
    /* But where httpd itself ends, too, that is the end of all. */
    assert_int_equal(kill(s->pid, SIGSTOP), 0);
    assert_int_equal(kill(s->pid, SIGTERM), 0);
    tell_end(s);
    assert_int_equal(kill(s->pid, SIGCONT), 0);
    WAIT_UNTIL(s, is_ended(s));
    assert_non_null(row(s, "once"));
    assert_int_equal(s->table.application, AMGR_APPLICATION_SHUTDOWN);
}

/* In the last table, as the one before has left it. */
static void leave_once(supervised_t *s, int want, int cause, int is_shut)
{
    amgr_managed_table_t *table = &s->table;
    amgr_managed_t *once = &table->processes[0];

    apply(s, ONCE);
    wait_state(s, "once", AMGR_MANAGED_EXITED);
    kill_supervisor(s);
    assert_int_equal(table->count, 1);
    table->supervisor = 0;
    table->is_shut = is_shut;
    table->application =
        is_shut ? AMGR_APPLICATION_SHUTDOWN : AMGR_APPLICATION_RUNNING;
    once->want = want;
    once->starts = 1;
    once->exit_cause = cause;
    amgr_board_write_managed(s->board, table);
    start_supervisor(s);
    apply(s, ONCE);
}

static void what_was_to_run_again_or_has_failed_does(void **state)
{
    supervised_t *s = *state;

    leave_once(s, AMGR_MANAGED_WANT_UP, AMGR_MANAGED_EXIT_CLEAN, 0);
    WAIT_UNTIL(s, row(s, "once") != NULL && row(s, "once")->starts == 2);
    leave_once(s, AMGR_MANAGED_WANT_UP, AMGR_MANAGED_EXIT_CODE, 0);
    WAIT_UNTIL(s, row(s, "once") != NULL && row(s, "once")->starts == 2);
}

/* With all the others, when it had long ended. */
static void what_was_shut_down_is_not_run_again(void **state)
{
    supervised_t *s = *state;
    int i;

    leave_once(s, AMGR_MANAGED_WANT_DOWN, AMGR_MANAGED_EXIT_CLEAN, 1);
    for (i = 1; i <= 2; i++) {
        WAIT_UNTIL(s, count_logged(s, "are configured: 1") == i + 1);
        WAIT_UNTIL(s, row(s, "once") != NULL && s->table.is_shut == (i == 1));
        assert_int_equal(row(s, "once")->state, AMGR_MANAGED_EXITED);
        assert_int_equal(row(s, "once")->starts, 1);
        apply(s, ONCE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPERVISED(what_has_done_its_work_is_not_run_again),
        SUPERVISED(what_is_waited_for_runs_again),
        SUPERVISED(what_is_another_by_now_runs),
        SUPERVISED(nor_where_the_last_one_ended_in_peace),
        SUPERVISED(a_signal_to_the_supervisor_is_no_such_end),
        SUPERVISED(what_was_to_run_again_or_has_failed_does),
        SUPERVISED(what_was_shut_down_is_not_run_again),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
