/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of one process under a real supervisor: it is started, becomes
 * ready, fails, is left alone for a while and given up.
 */
#include "supervised.h"

#include <netinet/in.h>

#define QUICK                        \
    "RestartDelay 100ms jitter=0%\n" \
    "Output discard\n"

static void a_process_is_started_and_becomes_ready(void **state)
{
    supervised_t *s = *state;
    amgr_managed_t web;

    apply(s, "web\nCommand /bin/sleep 60\n");
    web = wait_state(s, "web", AMGR_MANAGED_READY);
    assert_true(web.pid > 1 && web.guard > 1 && web.start_ticks > 0);
    assert_int_equal(web.ready, 1);
    assert_int_equal(web.want, AMGR_MANAGED_WANT_UP);
    assert_int_equal(web.starts, 1);
    assert_string_equal(web.program, "/bin/sleep");
    assert_int_equal(s->table.supervisor, s->pid);
    assert_int_equal(s->table.supervisors, 1);
    assert_int_equal(s->table.application, AMGR_APPLICATION_RUNNING);
    assert_int_equal(count_logged(s, "[2] process web: STOPPED -> STARTING\n"),
                     1);
    assert_int_equal(count_logged(s, "[2] process web: STARTING -> RUNNING "
                                     "(pid "),
                     1);
    assert_int_equal(count_logged(s, "[2] process web: RUNNING -> READY (it "
                                     "has stayed for 1 s)\n"),
                     1);
    WAIT_UNTIL(s, row(s, "web")->tree_count == 1 &&
                      row(s, "web")->memory_bytes != AMGR_UNKNOWN);

    tell_end(s);
    WAIT_UNTIL(s, is_ended(s));
    assert_true(is_gone(web.pid, web.start_ticks));
    assert_int_equal(row(s, "web")->state, AMGR_MANAGED_STOPPED);
    assert_int_equal(row(s, "web")->exits[AMGR_MANAGED_EXIT_ORDERED], 1);
    assert_int_equal(s->table.application, AMGR_APPLICATION_SHUTDOWN);
    assert_int_equal(s->table.supervisor, 0);
}

static void one_that_ends_at_once_is_left_alone_and_given_up(void **state)
{
    supervised_t *s = *state;
    amgr_managed_t bad;

    apply(s, "bad\nShell On\nCommand 'echo no luck; exit 3'\n"
             "RestartDelay 100ms jitter=0%\n"
             "RestartLimit 4 in 1m\n");
    bad = wait_state(s, "bad", AMGR_MANAGED_BACKOFF);
    assert_true(bad.next_start_us > 0 && bad.backoff_us == 100000);
    assert_string_equal(bad.reason, "exited with code 3, its last line: no "
                                    "luck");
    bad = wait_state(s, "bad", AMGR_MANAGED_FATAL);
    assert_int_equal(bad.starts, 4);
    assert_int_equal(bad.exits[AMGR_MANAGED_EXIT_CODE], 4);
    assert_int_equal(bad.exit_known, 1);
    assert_int_equal(bad.exit_cause, AMGR_MANAGED_EXIT_CODE);
    assert_int_equal(bad.exit_code, 3);
    assert_int_equal(bad.want, AMGR_MANAGED_WANT_UP);
    assert_int_equal(bad.backoff_us, 0);
    assert_int_equal(s->table.application, AMGR_APPLICATION_DEGRADED);
    /* Nothing is left of it at once: one line for each end. */
    assert_int_equal(count_logged(s, "[2] process bad: RUNNING -> BACKOFF "
                                     "(exited with code 3, its last line: no "
                                     "luck; started again in "),
                     3);
    assert_int_equal(count_logged(s, "started again in 0.2 s)\n"), 1);
    assert_int_equal(count_logged(s, "[1] process bad: RUNNING -> FATAL (4 "
                                     "failures within 1m, the last: exited "
                                     "with code 3"),
                     1);
    assert_int_equal(count_logged(s, "STOPPING"), 0);
}

static void
one_that_leaves_children_is_stopping_until_they_are_gone(void **state)
{
    supervised_t *s = *state;

    apply(s, "bad\nShell On\nCommand 'trap \"\" TERM; sleep 1000 & exit 3'\n"
             "RestartDelay 100ms\nRestartLimit 1 in 1m\n");
    wait_state(s, "bad", AMGR_MANAGED_FATAL);
    assert_int_equal(count_logged(s, "[2] process bad: RUNNING -> STOPPING "
                                     "(exited with code 3)\n"),
                     1);
    assert_int_equal(count_logged(s, "[1] process bad: STOPPING -> FATAL (1 "),
                     1);
}

static void one_that_always_runs_may_end_well_as_often_as_it_likes(void **state)
{
    supervised_t *s = *state;

    apply(s, "job\nCommand /bin/true\nRestart always\nOutput discard\n"
             "RestartDelay 100ms factor=2 max=200ms jitter=0%\n"
             "RestartLimit 2 in 1m\n");
    WAIT_UNTIL(s, row(s, "job") != NULL && row(s, "job")->starts >= 4);
    assert_int_equal(count_logged(s, "FATAL"), 0);
    assert_true(count_logged(s, "started again in 0.2 s)\n") > 0);
}

static void a_logger_that_does_not_stay_is_to_be_seen(void **state)
{
    supervised_t *s = *state;
    char text[512];
    char path[96];
    int fd;

    snprintf(path, sizeof(path), "%s/var/mended", s->dir);
    snprintf(text, sizeof(text),
             "web\nCommand /bin/sleep 60\nVerify exec /bin/true\n"
             "Output '|/bin/sh -c \"test -e %s && exec cat\"'\n",
             path);
    apply(s, text);
    wait_state(s, "web", AMGR_MANAGED_READY);
    WAIT_UNTIL(s, strcmp(row(s, "web")->reason,
                         "its logger /bin/sh does not stay, and its output is "
                         "dropped") == 0);
    assert_int_equal(row(s, "web")->ready, 1);
    fd = open(path, O_WRONLY | O_CREAT, 0666);
    assert_true(fd >= 0);
    close(fd);
    WAIT_UNTIL(s, row(s, "web")->reason[0] == '\0');
    assert_int_equal(row(s, "web")->starts, 1);
}

/* What is told of a tree, and held against MaxMemory, is the process's. */
static void a_logger_is_no_part_of_its_process(void **state)
{
    supervised_t *s = *state;

    apply(s, "web\nCommand /bin/sleep 60\nOutput |/bin/cat\n");
    WAIT_UNTIL(s, row(s, "web") != NULL && row(s, "web")->tree_count > 0);
    assert_int_equal(row(s, "web")->tree_count, 1);
}

static void one_that_goes_into_the_background_is_told_of(void **state)
{
    supervised_t *s = *state;

    apply(s, "bad\nShell On\nCommand 'setsid sleep 1000 & exit 0'\n"
             "good\nCommand /bin/true\nRestart never\n"
             "stopped\nShell On\nCommand 'trap \"exit 0\" TERM; sleep 1000 & "
             "while :; do sleep 0.1; done'\n");
    wait_state(s, "bad", AMGR_MANAGED_EXITED);
    wait_state(s, "good", AMGR_MANAGED_EXITED);
    wait_state(s, "stopped", AMGR_MANAGED_READY);
    tell_end(s);
    WAIT_UNTIL(s, is_ended(s));
    assert_int_equal(count_logged(s, "[1] process bad: exited with code 0 and "
                                     "left 1 process behind, which is ended: "
                                     "a program that goes into the background "
                                     "cannot be managed\n"),
                     1);
    assert_int_equal(count_logged(s, "behind"), 1);
}

static void what_cannot_be_executed_fails_and_is_said_once(void **state)
{
    supervised_t *s = *state;
    amgr_managed_t none;

    apply(s, "none\nCommand /nonexistent/program\nRestart never\n"
             "RestartLimit 3 in 1m\n" QUICK);
    none = wait_state(s, "none", AMGR_MANAGED_FATAL);
    assert_int_equal(none.starts, 3);
    assert_int_equal(none.exits[AMGR_MANAGED_EXIT_EXEC], 3);
    assert_non_null(strstr(none.reason, "it cannot be executed"));
    assert_int_equal(count_logged(s, "[1] process none: it cannot be exec"), 1);
    assert_int_equal(count_logged(s, "STARTING -> BACKOFF (it cannot be"), 2);
}

static void one_that_has_done_its_work_stays_so(void **state)
{
    supervised_t *s = *state;
    amgr_managed_t done;

    apply(s, "once\nCommand /bin/true\nRestart never\n"
             "migrate\nShell On\nCommand 'exit 4'\nVerify exited 4\n"
             "wrong\nCommand /bin/true\nVerify exited 4\nRestart never\n");
    done = wait_state(s, "once", AMGR_MANAGED_EXITED);
    assert_int_equal(done.exit_cause, AMGR_MANAGED_EXIT_CLEAN);
    assert_int_equal(done.want, AMGR_MANAGED_WANT_DOWN);
    assert_int_equal(done.ready, 0);
    done = wait_state(s, "migrate", AMGR_MANAGED_EXITED);
    assert_int_equal(done.exit_cause, AMGR_MANAGED_EXIT_CLEAN);
    assert_int_equal(done.exit_code, 4);
    assert_int_equal(done.ready, 1);
    done = wait_state(s, "wrong", AMGR_MANAGED_EXITED);
    assert_int_equal(done.exit_cause, AMGR_MANAGED_EXIT_CODE);
    assert_string_equal(done.reason, "exited with code 0, expected 4");
    assert_int_equal(done.ready, 0);
    assert_int_equal(done.want, AMGR_MANAGED_WANT_UP);
    assert_int_equal(s->table.application, AMGR_APPLICATION_DEGRADED);
}

/* Nobody has said that it would end: it is missed until somebody sees to it. */
static void one_that_ends_well_unasked_is_missed(void **state)
{
    supervised_t *s = *state;
    amgr_managed_t web;

    apply(s, "web\nShell On\nCommand 'echo bye; exit 0'\n"
             "other\nCommand /bin/sleep 60\nVerify exec /bin/true\n");
    wait_state(s, "other", AMGR_MANAGED_READY);
    web = wait_state(s, "web", AMGR_MANAGED_EXITED);
    assert_int_equal(web.exit_cause, AMGR_MANAGED_EXIT_CLEAN);
    assert_int_equal(web.want, AMGR_MANAGED_WANT_UP);
    assert_true(amgr_managed_is_missed(&web));
    assert_string_equal(web.reason, "exited with code 0, and is not started "
                                    "again (Restart on-failure)");
    assert_int_equal(s->table.application, AMGR_APPLICATION_DEGRADED);
    assert_int_equal(count_logged(s, "[1] process web: RUNNING -> EXITED "), 1);
}

static void a_verifier_decides_of_ready(void **state)
{
    supervised_t *s = *state;
    char text[512];
    char path[96];
    amgr_managed_t web;
    int fd;

    snprintf(path, sizeof(path), "%s/ready", s->dir);
    snprintf(text, sizeof(text),
             "web\nCommand /bin/sleep 60\n"
             "Verify file interval=100ms %s\n",
             path);
    apply(s, text);
    WAIT_UNTIL(s, row(s, "web") != NULL && row(s, "web")->checks_failed > 1);
    web = *row(s, "web");
    assert_int_equal(web.state, AMGR_MANAGED_RUNNING);
    assert_non_null(strstr(web.reason, "not ready yet: "));
    assert_int_equal(s->table.application, AMGR_APPLICATION_STARTING);
    fd = open(path, O_WRONLY | O_CREAT, 0666);
    assert_true(fd >= 0 && write(fd, "x", 1) == 1);
    close(fd);
    web = wait_state(s, "web", AMGR_MANAGED_READY);
    assert_int_equal(web.checks_passed, 1);
    assert_string_equal(web.reason, "");
    assert_string_equal(web.verify, "file");
    assert_true(web.check_us >= 0);
}

static void what_is_not_ready_in_time_is_stopped(void **state)
{
    supervised_t *s = *state;
    amgr_managed_t web;

    apply(s, "web\nCommand /bin/sleep 60\nStartTimeout 300ms\n"
             "RestartLimit 2 in 1m\n"
             "Verify file interval=100ms /nonexistent/file\n" QUICK);
    web = wait_state(s, "web", AMGR_MANAGED_FATAL);
    assert_int_equal(web.exits[AMGR_MANAGED_EXIT_START_TIMEOUT], 2);
    assert_int_equal(web.exit_signal, SIGTERM);
    assert_int_equal(count_logged(s, "RUNNING -> STOPPING (not ready after "
                                     "300ms, the last attempt: "),
                     2);
}

static void one_that_is_not_healthy_is_restarted(void **state)
{
    supervised_t *s = *state;
    amgr_managed_t web;

    apply(s, "web\nCommand /bin/sleep 60\nVerify exec /bin/true\n"
             "Liveness exec interval=100ms retries=2 /bin/false\n" QUICK);
    web = wait_state(s, "web", AMGR_MANAGED_READY);
    wait_state(s, "web", AMGR_MANAGED_BACKOFF);
    WAIT_UNTIL(s, row(s, "web")->pid != 0 && row(s, "web")->pid != web.pid);
    assert_int_equal(row(s, "web")->exits[AMGR_MANAGED_EXIT_UNHEALTHY], 1);
    assert_int_equal(count_logged(s, "READY -> STOPPING (unhealthy: "), 1);
    assert_true(is_gone(web.pid, web.start_ticks));
}

static void a_tree_that_grows_too_big_is_restarted(void **state)
{
    supervised_t *s = *state;

    /* What grows is a child, not the process itself. */
    apply(s, "fat\nShell On\n"
             "Command '/bin/dd if=/dev/zero of=/dev/null bs=64M & wait'\n"
             "MaxMemory 20M\n" QUICK);
    WAIT_UNTIL(s, row(s, "fat") != NULL &&
                      row(s, "fat")->exits[AMGR_MANAGED_EXIT_MEMORY] == 1);
    assert_int_equal(count_logged(s, "STOPPING (uses "), 1);
    assert_true(row(s, "fat")->cpu_us > 0);
}

static void one_that_ignores_the_signal_is_killed_with_its_tree(void **state)
{
    supervised_t *s = *state;
    amgr_managed_t deaf;
    apr_time_t begun_us;

    apply(s, "deaf\nShell On\n"
             "Command 'trap \"\" TERM; (trap \"\" TERM; sleep 61) & "
             "while :; do sleep 62; done'\n"
             "StopTimeout 300ms\nVerify exec /bin/true\n" QUICK);
    wait_state(s, "deaf", AMGR_MANAGED_READY);
    WAIT_UNTIL(s, row(s, "deaf")->tree_count >= 3);
    deaf = *row(s, "deaf");
    begun_us = amgr_clock_monotonic_us();
    apply(s, "");
    WAIT_UNTIL(s, is_ended(s));
    assert_true(amgr_clock_monotonic_us() - begun_us >= 300000);
    assert_true(is_gone(deaf.pid, deaf.start_ticks));
    assert_null(row(s, "deaf"));
    assert_int_equal(s->table.supervisor, 0);
    assert_int_equal(count_logged(s, "not gone in time"), 1);
    assert_int_equal(count_logged(s, "(not configured any more)\n"), 2);
}

static void an_address_in_use_is_waited_for(void **state)
{
    supervised_t *s = *state;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char text[512];

    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    snprintf(text, sizeof(text),
             "web\nCommand /bin/sleep 60\nVerify exec /bin/true\n"
             "RestartDelay 100ms\nRestartLimit Off\nOutput discard\n"
             "RequireFree tcp://127.0.0.1:%d\n",
             ntohs(address.sin_port));
    apply(s, text);
    WAIT_UNTIL(s, row(s, "web") != NULL &&
                      row(s, "web")->exits[AMGR_MANAGED_EXIT_EXEC] == 2);
    assert_non_null(strstr(row(s, "web")->reason, " is not free: "));
    assert_int_equal(count_logged(s, "[1] process web: tcp://127.0.0.1:"), 1);
    close(fd);
    wait_state(s, "web", AMGR_MANAGED_READY);
    assert_true(row(s, "web")->starts > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPERVISED(a_process_is_started_and_becomes_ready),
        SUPERVISED(one_that_ends_at_once_is_left_alone_and_given_up),
        SUPERVISED(one_that_leaves_children_is_stopping_until_they_are_gone),
        SUPERVISED(one_that_always_runs_may_end_well_as_often_as_it_likes),
        SUPERVISED(a_logger_that_does_not_stay_is_to_be_seen),
        SUPERVISED(a_logger_is_no_part_of_its_process),
        SUPERVISED(one_that_goes_into_the_background_is_told_of),
        SUPERVISED(what_cannot_be_executed_fails_and_is_said_once),
        SUPERVISED(one_that_has_done_its_work_stays_so),
        SUPERVISED(one_that_ends_well_unasked_is_missed),
        SUPERVISED(a_verifier_decides_of_ready),
        SUPERVISED(what_is_not_ready_in_time_is_stopped),
        SUPERVISED(one_that_is_not_healthy_is_restarted),
        SUPERVISED(a_tree_that_grows_too_big_is_restarted),
        SUPERVISED(one_that_ignores_the_signal_is_killed_with_its_tree),
        SUPERVISED(an_address_in_use_is_waited_for),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
