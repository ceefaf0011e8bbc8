/* SPDX-License-Identifier: Apache-2.0
 *
 * A real supervisor and what comes between it and its parent: a configuration
 * that cannot be taken now, a restart after which none comes, and one after
 * which files of output are opened anew, whatever becomes of the error log.
 */
#include "supervised.h"

#include <sys/resource.h>

#define SLEEP                        \
    "Command /bin/sleep 60\n"        \
    "RestartDelay 100ms jitter=0%\n" \
    "Output discard\n"               \
    "Verify exec /bin/true\n"

static void apply_number(supervised_t *s, const char *text, int number)
{
    amgr_parent_message_t message = message_of(s, AMGR_PARENT_APPLY);

    message.number = (apr_uint64_t)number;
    apply_with(s, text, message);
}

static apr_uint64_t applied(supervised_t *s)
{
    amgr_board_read_managed(s->board, &s->table);
    return s->table.applied;
}

/* The parent sees that it is not there yet, and sends it again. */
static void a_configuration_without_descriptors_is_not_taken(void **state)
{
    supervised_t *s = *state;
    struct rlimit few = {4, 4};
    struct rlimit before;

    apply_number(s, "web\n" SLEEP, 7);
    wait_state(s, "web", AMGR_MANAGED_READY);
    WAIT_UNTIL(s, applied(s) == 7);
    assert_int_equal(prlimit(s->pid, RLIMIT_NOFILE, NULL, &before), 0);
    few.rlim_max = before.rlim_max;
    assert_int_equal(prlimit(s->pid, RLIMIT_NOFILE, &few, NULL), 0);
    apply_number(s, "web\n" SLEEP "web2\n" SLEEP, 8);
    WAIT_UNTIL(s, count_logged(s, "cannot be taken now") == 1);
    apply_number(s, "web\n" SLEEP "web2\n" SLEEP, 9);
    assert_int_equal(applied(s), 7);
    assert_null(row(s, "web2"));
    assert_int_equal(prlimit(s->pid, RLIMIT_NOFILE, &before, NULL), 0);
    apply_number(s, "web\n" SLEEP "web2\n" SLEEP, 10);
    WAIT_UNTIL(s, applied(s) == 10);
    wait_state(s, "web2", AMGR_MANAGED_READY);
    /* Said once, with its cause, and no message was called wrong. */
    assert_int_equal(count_logged(s, "again: Too many open files"), 1);
    assert_int_equal(count_logged(s, "ignored: "), 0);
    assert_int_equal(row(s, "web")->starts, 1);
}

/* What is wrong with it stays wrong: it is not to be sent for ever. */
static void a_configuration_that_is_none_is_dealt_with(void **state)
{
    supervised_t *s = *state;
    amgr_parent_message_t message = message_of(s, AMGR_PARENT_APPLY);
    int fds[2] = {s->log_fd, s->log_fd};

    message.number = 3;
    message.bytes = 1; /* which the log has not */
    send_message(s, &message, fds, 2);
    WAIT_UNTIL(s, applied(s) == 3);
    assert_int_equal(count_logged(s, "cannot be read"), 1);
}

static void a_restart_without_a_configuration_ends_all(void **state)
{
    supervised_t *s = *state;
    amgr_parent_message_t message = message_of(s, AMGR_PARENT_RESTART);
    amgr_managed_t web;

    apply(s, "web\nShell On\nStopTimeout 5s\n"
             "Command 'trap \"echo ended in order; exit\" TERM; "
             "while :; do sleep 0.02; done'\nVerify exec /bin/true\n");
    web = wait_state(s, "web", AMGR_MANAGED_READY);
    send_message(s, &message, NULL, 0);
    WAIT_UNTIL(s, is_ended(s));
    assert_true(is_gone(web.pid, web.start_ticks));
    assert_int_equal(count_logged(s, "no configuration has come since"), 1);
    assert_int_equal(count_logged(s, "ended in order"), 1);
}

static void a_restart_with_one_leaves_all_as_they_are(void **state)
{
    supervised_t *s = *state;
    amgr_parent_message_t message = message_of(s, AMGR_PARENT_RESTART);
    apr_time_t until_us;

    apply(s, "web\n" SLEEP);
    wait_state(s, "web", AMGR_MANAGED_READY);
    send_message(s, &message, NULL, 0);
    apply(s, "web\n" SLEEP);
    until_us = amgr_clock_monotonic_us() + SEC;
    WAIT_UNTIL(s, amgr_clock_monotonic_us() > until_us);
    assert_false(is_ended(s));
    assert_int_equal(row(s, "web")->starts, 1);
    assert_int_equal(count_logged(s, "no configuration has come since"), 0);
}

static void apply_file(supervised_t *s, const char *file)
{
    apply(s, apr_psprintf(s->pool,
                          "web\nCommand /bin/sleep 60\nOutput %s\n"
                          "Verify exec /bin/true\n",
                          file));
}

/* One that writes to a file, under a supervisor that is begun for it. */
static const char *start_with_file(supervised_t *s)
{
    const char *file = apr_psprintf(s->pool, "%s/out", s->dir);

    kill_supervisor(s);
    start_supervisor(s);
    apply_file(s, file);
    wait_state(s, "web", AMGR_MANAGED_READY);
    assert_int_equal(access(file, F_OK), 0);
    return file;
}

/* As logrotate does it, and apachectl graceful after that. */
static void rotate(supervised_t *s, const char *file)
{
    assert_int_equal(rename(file, apr_pstrcat(s->pool, file, ".1", NULL)), 0);
    apply_file(s, file);
    WAIT_UNTIL(s, access(file, F_OK) == 0);
    assert_int_equal(row(s, "web")->starts, 1);
}

static void files_are_opened_anew_without_a_log(void **state)
{
    supervised_t *s = *state;
    const char *file;

    s->is_syslog = 1;
    file = start_with_file(s);
    rotate(s, file);
    /* From now on the log is a file, which this supervisor cannot use. */
    s->is_syslog = 0;
    rotate(s, file);
}

static void files_are_opened_anew_beside_an_old_log(void **state)
{
    supervised_t *s = *state;
    struct rlimit few = {64, 64};
    struct rlimit before;
    const char *file;

    s->log_from = 100;
    file = start_with_file(s);
    rotate(s, file);
    assert_int_equal(count_logged(s, "cannot change to"), 0);
    assert_int_equal(prlimit(s->pid, RLIMIT_NOFILE, NULL, &before), 0);
    few.rlim_max = before.rlim_max;
    assert_int_equal(prlimit(s->pid, RLIMIT_NOFILE, &few, NULL), 0);
    rotate(s, file);
    assert_int_equal(count_logged(s, "cannot change to the new error log"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPERVISED(a_configuration_without_descriptors_is_not_taken),
        SUPERVISED(a_configuration_that_is_none_is_dealt_with),
        SUPERVISED(a_restart_without_a_configuration_ends_all),
        SUPERVISED(a_restart_with_one_leaves_all_as_they_are),
        SUPERVISED(files_are_opened_anew_without_a_log),
        SUPERVISED(files_are_opened_anew_beside_an_old_log),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
