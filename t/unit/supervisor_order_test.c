/* SPDX-License-Identifier: Apache-2.0
 *
 * Several processes under a real supervisor: in which order they are started
 * and stopped, what a new configuration does to them, and orders.
 */
#include "supervised.h"

#include "supervise/order/order_client.h"

#define QUICK                        \
    "RestartDelay 100ms jitter=0%\n" \
    "Output discard\n"               \
    "Verify exec /bin/true\n"
#define SLEEP "Command /bin/sleep 60\n" QUICK

/* Where in the log @a what stands; it is there. */
static long place_of(const supervised_t *s, const char *what)
{
    const char *text = logged(s);
    const char *at = strstr(text, what);

    if (at == NULL) {
        fail_msg("not said: %s\n%s", what, text);
    }
    return (long)(at - text);
}

static void a_process_waits_for_what_it_comes_after(void **state)
{
    supervised_t *s = *state;
    char text[512];
    char path[96];
    int fd;

    snprintf(path, sizeof(path), "%s/ready", s->dir);
    snprintf(text, sizeof(text),
             "web\nAfter db\nCommand /bin/sleep 60\nVerify exec /bin/true\n"
             "db\nCommand /bin/sleep 60\nVerify file interval=100ms %s\n",
             path);
    apply(s, text);
    WAIT_UNTIL(s, is_in(s, "db", AMGR_MANAGED_RUNNING));
    WAIT_UNTIL(s, row(s, "db")->checks_failed > 0);
    assert_int_equal(row(s, "web")->state, AMGR_MANAGED_STOPPED);
    assert_int_equal(row(s, "web")->want, AMGR_MANAGED_WANT_UP);
    assert_string_equal(row(s, "web")->reason, "waits for db");
    assert_int_equal(row(s, "web")->after, 2);
    fd = open(path, O_WRONLY | O_CREAT, 0666);
    assert_true(fd >= 0 && write(fd, "x", 1) == 1);
    close(fd);
    wait_state(s, "web", AMGR_MANAGED_READY);

    tell_end(s);
    WAIT_UNTIL(s, is_ended(s));
    assert_true(place_of(s, "stopping all managed processes\n") <
                place_of(s, "process web: READY -> STOPPING"));
    assert_true(place_of(s, "process web: STOPPING -> STOPPED") <
                place_of(s, "process db: READY -> STOPPING"));
}

static void one_that_fails_does_not_stop_who_comes_after(void **state)
{
    supervised_t *s = *state;
    amgr_managed_t web;
    amgr_managed_t db;

    apply(s, "db\n" SLEEP "web\nAfter db\n" SLEEP);
    web = wait_state(s, "web", AMGR_MANAGED_READY);
    db = *row(s, "db");
    assert_int_equal(kill(db.pid, SIGKILL), 0);
    WAIT_UNTIL(s, row(s, "db")->starts == 2 && row(s, "db")->ready);
    assert_int_equal(row(s, "db")->exits[AMGR_MANAGED_EXIT_SIGNAL], 1);
    assert_int_equal(row(s, "db")->exit_signal, SIGKILL);
    assert_int_equal(row(s, "web")->pid, web.pid);
    assert_int_equal(count_logged(s, "(killed by SIGKILL; "), 1);
}

static void in_the_order_of_the_file_each_waits_for_the_last(void **state)
{
    supervised_t *s = *state;
    amgr_parent_message_t message = message_of(s, AMGR_PARENT_APPLY);

    message.start_in_order = 1;
    apply_with(s,
               "a\n" SLEEP
               "once\nCommand /bin/true\nRestart never\nOutput discard\n"
               "b\n" SLEEP,
               message);
    wait_state(s, "b", AMGR_MANAGED_READY);
    assert_int_equal(row(s, "b")->after, 2);
    assert_true(place_of(s, "process a: RUNNING -> READY") <
                place_of(s, "process once: STOPPED -> STARTING"));
    assert_true(place_of(s, "process once: RUNNING -> EXITED") <
                place_of(s, "process b: STOPPED -> STARTING"));
    tell_end(s);
    WAIT_UNTIL(s, is_ended(s));
    assert_true(place_of(s, "process b: STOPPING -> STOPPED") <
                place_of(s, "process a: READY -> STOPPING"));
}

static void what_is_the_same_stays_and_the_rest_follows(void **state)
{
    supervised_t *s = *state;
    amgr_managed_t same;
    amgr_managed_t other;
    amgr_managed_t gone;

    apply(s, "gone\n" SLEEP "same\n" SLEEP "other\n" SLEEP);
    same = wait_state(s, "same", AMGR_MANAGED_READY);
    other = wait_state(s, "other", AMGR_MANAGED_READY);
    gone = wait_state(s, "gone", AMGR_MANAGED_READY);
    assert_int_equal(same.id, 2);
    apply(s, "other\nNice 1\n" SLEEP "new\n" SLEEP "same\n" SLEEP);
    wait_state(s, "new", AMGR_MANAGED_READY);
    WAIT_UNTIL(s, row(s, "gone") == NULL);
    WAIT_UNTIL(s, row(s, "other")->pid != other.pid && row(s, "other")->ready);
    assert_int_equal(row(s, "same")->pid, same.pid);
    assert_int_equal(row(s, "same")->starts, 1);
    assert_int_equal(row(s, "same")->id, 3);
    assert_int_equal(row(s, "other")->starts, 2);
    assert_true(is_gone(other.pid, other.start_ticks));
    assert_true(is_gone(gone.pid, gone.start_ticks));
    assert_int_equal(count_logged(s, "(its configuration changed)"), 2);
    /* Nothing is left that could be managed. */
    apply(s, "");
    WAIT_UNTIL(s, is_ended(s));
    assert_true(is_gone(same.pid, same.start_ticks));
}

/* Those that come after are gone first, and not back before the other is: not
 * even while it still waits for the slower of them. */
static void what_changes_together_does_so_in_order(void **state)
{
    static const char slow[] =
        "StopTimeout 200ms\nAfter db\nShell On\n"
        "Command 'trap \"\" TERM; while :; do sleep 0.01; done'\n" QUICK;
    supervised_t *s = *state;
    const char *second;
    char text[1024];

    snprintf(text, sizeof(text), "web\nAfter db\n%sdb\n%sslow\n%s", SLEEP,
             SLEEP, slow);
    apply(s, text);
    wait_state(s, "web", AMGR_MANAGED_READY);
    wait_state(s, "slow", AMGR_MANAGED_READY);
    snprintf(text, sizeof(text),
             "web\nNice 1\nAfter db\n%sdb\nNice 1\n%sslow\nNice 1\n%s", SLEEP,
             SLEEP, slow);
    apply(s, text);
    WAIT_UNTIL(s, row(s, "web")->starts == 2 && row(s, "web")->ready);
    assert_int_equal(row(s, "db")->starts, 2);
    second = strstr(logged(s), "(its configuration changed)");
    assert_non_null(second);
    assert_true(strstr(second, "slow: STOPPING -> STOPPED") <
                strstr(second, "db: READY -> STOPPING"));
    assert_true(strstr(second, "db: RUNNING -> READY") <
                strstr(second, "web: STOPPED -> STARTING"));
}

static void many_configurations_change_nothing(void **state)
{
    supervised_t *s = *state;
    amgr_managed_t web;
    int i;

    apply(s, "web\n" SLEEP);
    web = wait_state(s, "web", AMGR_MANAGED_READY);
    for (i = 0; i < 50; i++) {
        apply(s, "web\n" SLEEP);
    }
    WAIT_UNTIL(s, count_logged(s, "are configured: 1") == 51);
    assert_int_equal(row(s, "web")->pid, web.pid);
    assert_int_equal(row(s, "web")->starts, 1);
    assert_int_equal(count_logged(s, "[0]") + count_logged(s, "[1]"), 0);
}

static amgr_order_answer_t order(supervised_t *s, const char *verb,
                                 const char *name, int wait_ms)
{
    amgr_order_answer_t answer;
    char path[96];

    snprintf(path, sizeof(path), "%s/socket", s->dir);
    WAIT_UNTIL(s, access(path, F_OK) == 0);
    assert_int_equal(amgr_order_ask(path, verb, name, 0, wait_ms, &answer),
                     APR_SUCCESS);
    return answer;
}

static void one_that_was_stopped_by_order_stays_so(void **state)
{
    supervised_t *s = *state;
    amgr_order_answer_t answer;
    amgr_managed_t web;

    apply(s, "web\n" SLEEP "db\n" SLEEP);
    wait_state(s, "web", AMGR_MANAGED_READY);
    answer = order(s, "stop", "web", 5000);
    assert_true(answer.ok && answer.settled && !answer.already);
    assert_int_equal(answer.state, AMGR_MANAGED_STOPPED);
    assert_true(order(s, "stop", "web", 0).already);
    assert_true(place_of(s, "process web: stop ordered by process ") <
                place_of(s, "process web: READY -> STOPPING"));
    web = *row(s, "web");
    assert_int_equal(web.want, AMGR_MANAGED_WANT_DOWN);
    assert_string_equal(web.reason, "stopped by order");
    /* A restart of the server does not start it, nor does another section. */
    apply(s, "web\n" SLEEP "db\nNice 1\n" SLEEP);
    WAIT_UNTIL(s, row(s, "db")->starts == 2 && row(s, "db")->ready);
    assert_int_equal(row(s, "web")->state, AMGR_MANAGED_STOPPED);
    assert_int_equal(s->table.application, AMGR_APPLICATION_RUNNING);
    /* Nor does another one of its own, by which it is started then. */
    apply(s, "web\nNice 2\n" SLEEP "db\n" SLEEP);
    WAIT_UNTIL(s, row(s, "db")->starts == 3 && row(s, "db")->ready);
    assert_int_equal(row(s, "web")->state, AMGR_MANAGED_STOPPED);
    assert_string_equal(row(s, "web")->reason, "stopped by order");
    assert_true(order(s, "stop", "web", 0).already);
    apply(s, "web\nNice 1\n" SLEEP "db\n" SLEEP);
    answer = order(s, "start", "web", 5000);
    assert_true(answer.ok && answer.settled && answer.ready);
    assert_true(order(s, "start", "web", 5000).already);
    assert_int_equal(row(s, "web")->starts, 2);
}

static void an_application_that_was_stopped_does_not_run(void **state)
{
    supervised_t *s = *state;

    apply(s, "web\n" SLEEP "db\n" SLEEP);
    wait_state(s, "web", AMGR_MANAGED_READY);
    wait_state(s, "db", AMGR_MANAGED_READY);
    assert_true(order(s, "stop", "web", 5000).settled);
    assert_int_equal(s->table.application, AMGR_APPLICATION_RUNNING);
    assert_true(order(s, "stop", "db", 5000).settled);
    assert_int_equal(row(s, "db")->state, AMGR_MANAGED_STOPPED);
    assert_int_equal(s->table.application, AMGR_APPLICATION_DEGRADED);
    /* One that has done its work is enough. */
    apply(s, "web\n" SLEEP "job\nCommand /bin/true\nVerify exited 0\n");
    wait_state(s, "job", AMGR_MANAGED_EXITED);
    assert_int_equal(row(s, "web")->state, AMGR_MANAGED_STOPPED);
    assert_int_equal(s->table.application, AMGR_APPLICATION_RUNNING);
}

static void an_order_starts_what_was_given_up(void **state)
{
    supervised_t *s = *state;

    /* Without a verifier, which could be quicker than its end. */
    apply(s, "bad\nCommand /bin/false\nRestartLimit 1 in 1m\n"
             "Output discard\n");
    wait_state(s, "bad", AMGR_MANAGED_FATAL);
    assert_true(order(s, "start", "bad", 5000).settled);
    assert_int_equal(row(s, "bad")->starts, 2);
    assert_int_equal(row(s, "bad")->state, AMGR_MANAGED_FATAL);
}

/* Whether it is told why, and at once, since only an order can help. */
static void who_waits_in_vain_is_not_waited_for(void **state)
{
    supervised_t *s = *state;
    amgr_order_answer_t answer;
    apr_time_t begun_us;

    apply(s, "bad\nCommand /bin/false\nRestartLimit 1 in 1m\nOutput discard\n"
             "db\n" SLEEP "mid\nAfter bad\n" SLEEP "web\nAfter db mid\n" SLEEP);
    wait_state(s, "bad", AMGR_MANAGED_FATAL);
    wait_state(s, "db", AMGR_MANAGED_READY);
    begun_us = amgr_clock_monotonic_us();
    answer = order(s, "start", "web", 30000);
    assert_true(answer.ok && answer.settled && answer.already);
    assert_int_equal(answer.state, AMGR_MANAGED_STOPPED);
    assert_string_equal(answer.reason, "waits for mid, which cannot be "
                                       "started");
    assert_true(amgr_clock_monotonic_us() - begun_us < 5 * SEC);
    assert_string_equal(row(s, "mid")->reason, "waits for bad, which is FATAL");
    assert_int_equal(count_logged(s, "[2] process mid: waits for bad, which is "
                                     "FATAL\n"),
                     1);
    assert_true(order(s, "stop", "bad", 5000).settled);
    assert_string_equal(order(s, "start", "mid", 30000).reason,
                        "waits for bad, which is stopped");
    /* One that is about to be started is waited for. */
    order(s, "start", "bad", 0);
    wait_state(s, "bad", AMGR_MANAGED_FATAL);
    assert_int_equal(row(s, "db")->is_stuck, 0);
}

static void one_that_has_ended_well_is_stopped_and_started(void **state)
{
    static const char sections[] = "web\nCommand /bin/true\nOutput discard\n"
                                   "job\nCommand /bin/true\nVerify exited 0\n"
                                   "db\n" SLEEP;
    supervised_t *s = *state;
    amgr_order_answer_t answer;

    apply(s, sections);
    wait_state(s, "job", AMGR_MANAGED_EXITED);
    wait_state(s, "web", AMGR_MANAGED_EXITED);
    wait_state(s, "db", AMGR_MANAGED_READY);
    assert_true(order(s, "stop", "job", 0).already);
    answer = order(s, "stop", "web", 5000);
    assert_true(answer.ok && answer.settled && !answer.already);
    assert_int_equal(answer.state, AMGR_MANAGED_STOPPED);
    assert_int_equal(row(s, "web")->want, AMGR_MANAGED_WANT_DOWN);
    assert_string_equal(row(s, "web")->reason, "stopped by order");
    assert_int_equal(s->table.application, AMGR_APPLICATION_RUNNING);
    answer = order(s, "start", "web", 5000);
    assert_true(answer.settled); /* READY, where its verifier was quicker */
    assert_int_equal(answer.want, AMGR_MANAGED_WANT_UP);
    wait_state(s, "web", AMGR_MANAGED_EXITED);
    /* What has done its work does it no second time. */
    assert_true(order(s, "shutdown", NULL, 5000).settled);
    apply(s, sections);
    WAIT_UNTIL(s, row(s, "web")->starts == 3);
    assert_int_equal(row(s, "job")->starts, 1);
}

/* So many orders at once, each from a process of its own; how many of them
 * found that it was on its way. */
static int restart_at_once(supervised_t *s, int count)
{
    pid_t pids[64];
    char path[96];
    int already = 0;
    int status;
    int tries;
    int i;

    snprintf(path, sizeof(path), "%s/socket", s->dir);
    for (i = 0; i < count; i++) {
        pids[i] = fork();
        if (pids[i] != 0) {
            continue;
        }
        for (tries = 0; tries < 500; tries++) {
            amgr_order_answer_t answer;

            if (amgr_order_ask(path, "restart", "web", 0, 5000, &answer) ==
                    APR_SUCCESS &&
                answer.ok && answer.settled) {
                _exit(answer.already ? 1 : 0);
            }
            usleep(5000); /* there is room for some at a time */
        }
        _exit(2);
    }
    for (i = 0; i < count; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        already += WEXITSTATUS(status);
    }
    return already;
}

static void restarts_at_the_same_time_are_one(void **state)
{
    supervised_t *s = *state;

    /* It is ready after a second, and until then there is one on its way. */
    apply(s, "web\nCommand /bin/sleep 60\nOutput discard\n");
    wait_state(s, "web", AMGR_MANAGED_READY);
    assert_int_equal(restart_at_once(s, 12), 11);
    assert_int_equal(row(s, "web")->state, AMGR_MANAGED_READY);
    assert_int_equal(row(s, "web")->starts, 2);
}

/* The fixture holds a lock: a second copy would fail, and be seen. */
static void there_are_never_two_copies(void **state)
{
    supervised_t *s = *state;
    char text[512];

    snprintf(text, sizeof(text),
             "web\nCommand /usr/bin/flock -n -E 77 %s/var/lock /bin/sleep 60\n"
             "Verify exec /bin/true\nOutput discard\n",
             s->dir);
    apply(s, text);
    wait_state(s, "web", AMGR_MANAGED_READY);
    restart_at_once(s, 50);
    wait_state(s, "web", AMGR_MANAGED_READY);
    assert_true(row(s, "web")->starts > 1);
    assert_int_equal(row(s, "web")->exits[AMGR_MANAGED_EXIT_ORDERED],
                     row(s, "web")->starts - 1);
    assert_int_equal(row(s, "web")->exits[AMGR_MANAGED_EXIT_CODE], 0);
}

static void all_can_be_stopped_for_good(void **state)
{
    supervised_t *s = *state;
    amgr_order_answer_t answer;

    apply(s, "db\n" SLEEP "web\nAfter db\n" SLEEP);
    wait_state(s, "web", AMGR_MANAGED_READY);
    assert_true(order(s, "shutdown", NULL, 0).ok);
    assert_true(order(s, "shutdown", NULL, 0).ok); /* no more than once */
    answer = order(s, "start", "web", 0);
    assert_int_equal(answer.ok, 0);
    assert_int_equal(answer.status, 403);
    wait_state(s, "db", AMGR_MANAGED_STOPPED);
    assert_int_equal(s->table.application, AMGR_APPLICATION_SHUTDOWN);
    assert_int_equal(row(s, "web")->want, AMGR_MANAGED_WANT_DOWN);
    assert_true(place_of(s, "process web: STOPPING -> STOPPED") <
                place_of(s, "process db: READY -> STOPPING"));
    assert_false(is_ended(s));
    apply(s, "db\n" SLEEP "web\nAfter db\n" SLEEP);
    wait_state(s, "web", AMGR_MANAGED_READY);
    assert_int_equal(s->table.application, AMGR_APPLICATION_RUNNING);
}

/* While it takes its time to end nobody is told that all are shut down. */
static void what_is_not_configured_any_more_takes_no_orders(void **state)
{
    supervised_t *s = *state;
    amgr_order_answer_t answer;

    apply(s, "web\nStopTimeout 3s\nShell On\n"
             "Command 'trap \"\" TERM; while :; do sleep 0.01; done'\n" QUICK
             "db\n" SLEEP);
    wait_state(s, "web", AMGR_MANAGED_READY);
    apply(s, "db\n" SLEEP);
    wait_state(s, "web", AMGR_MANAGED_STOPPING);
    answer = order(s, "start", "web", 0);
    assert_int_equal(answer.ok, 0);
    assert_int_equal(answer.status, 404);
    assert_string_equal(answer.error, "the process is not configured any more");
    assert_int_equal(count_logged(s, "shut down"), 0);
    assert_true(order(s, "status", "web", 0).ok);
    WAIT_UNTIL(s, row(s, "web") == NULL);
}

/* Nor is it trouble then when somebody ends the supervisor by a signal. */
static void what_was_stopped_for_good_stays_so(void **state)
{
    supervised_t *s = *state;

    apply(s, "web\n" SLEEP);
    wait_state(s, "web", AMGR_MANAGED_READY);
    assert_true(order(s, "shutdown", NULL, 0).ok);
    wait_state(s, "web", AMGR_MANAGED_STOPPED);
    assert_int_equal(kill(s->pid, SIGTERM), 0);
    WAIT_UNTIL(s, is_ended(s));
    assert_non_null(row(s, "web"));
    assert_int_equal(s->table.application, AMGR_APPLICATION_SHUTDOWN);
    assert_int_equal(s->table.is_shut, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPERVISED(a_process_waits_for_what_it_comes_after),
        SUPERVISED(one_that_fails_does_not_stop_who_comes_after),
        SUPERVISED(in_the_order_of_the_file_each_waits_for_the_last),
        SUPERVISED(what_is_the_same_stays_and_the_rest_follows),
        SUPERVISED(what_changes_together_does_so_in_order),
        SUPERVISED(many_configurations_change_nothing),
        SUPERVISED(one_that_was_stopped_by_order_stays_so),
        SUPERVISED(an_application_that_was_stopped_does_not_run),
        SUPERVISED(an_order_starts_what_was_given_up),
        SUPERVISED(who_waits_in_vain_is_not_waited_for),
        SUPERVISED(one_that_has_ended_well_is_stopped_and_started),
        SUPERVISED(restarts_at_the_same_time_are_one),
        SUPERVISED(there_are_never_two_copies),
        SUPERVISED(all_can_be_stopped_for_good),
        SUPERVISED(what_is_not_configured_any_more_takes_no_orders),
        SUPERVISED(what_was_stopped_for_good_stays_so),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
