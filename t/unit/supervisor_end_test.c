/* SPDX-License-Identifier: Apache-2.0
 *
 * A real supervisor and its parent: messages that are none or come too late, new
 * logs, the end when all is done; and what it costs.
 */
#include "supervised.h"

#include <sys/resource.h>

#define QUICK                        \
    "RestartDelay 100ms jitter=0%\n" \
    "Output discard\n"               \
    "Verify exec /bin/true\n"
#define SLEEP "Command /bin/sleep 60\n" QUICK

static void messages_that_are_none_are_ignored(void **state)
{
    supervised_t *s = *state;
    amgr_parent_message_t message;
    int fds[9];
    int i;
    pid_t pid;
    int status;

    apply(s, "web\n" SLEEP);
    wait_state(s, "web", AMGR_MANAGED_READY);
    for (i = 0; i < 9; i++) {
        fds[i] = s->log_fd;
    }
    assert_int_equal(send(s->fd, "x", 1, 0), 1);
    message = message_of(s, AMGR_PARENT_END);
    message.version++;
    send_message(s, &message, NULL, 0);
    message = message_of(s, AMGR_PARENT_END);
    message.size--;
    send_message(s, &message, NULL, 0);
    message = message_of(s, AMGR_PARENT_WORD_COUNT);
    send_message(s, &message, NULL, 0);
    message = message_of(s, -1);
    send_message(s, &message, NULL, 0);
    message = message_of(s, AMGR_PARENT_END);
    send_message(s, &message, fds, 1);
    message = message_of(s, AMGR_PARENT_APPLY);
    send_message(s, &message, NULL, 0);
    send_message(s, &message, fds, 3);
    send_message(s, &message, fds, 9);
    message.bytes = 17 * 1024 * 1024;
    send_message(s, &message, fds, 2);
    message.bytes = 16 * 1024 * 1024; /* more than there are */
    send_message(s, &message, fds, 2);
    message.bytes = 10; /* of the log: no specifications */
    send_message(s, &message, fds, 2);
    memset(message.socket, 'x', sizeof(message.socket));
    send_message(s, &message, fds, 2);
    pid = fork();
    if (pid == 0) { /* somebody else who has got hold of the pair */
        message = message_of(s, AMGR_PARENT_END);
        send_message(s, &message, NULL, 0);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    WAIT_UNTIL(s, count_logged(s, "ignored: ") == 14);
    assert_int_equal(count_logged(s, "it is not from the parent"), 1);
    apply(s, "web\n" SLEEP);
    WAIT_UNTIL(s, count_logged(s, "are configured: 1") == 2);
    assert_int_equal(row(s, "web")->starts, 1);
}

/* How many descriptors a process has. */
static int count_fds(pid_t pid)
{
    char path[64];
    int count = 0;
    int fd;

    for (fd = 0; fd < 256; fd++) {
        snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
        count += faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    }
    return count;
}

static void a_new_log_is_written_to_and_nothing_stays_open(void **state)
{
    supervised_t *s = *state;
    char path[96];
    struct stat info;
    amgr_managed_t web;
    int supervisor_fds;
    int guard_fds;
    int i;

    apply(s, "web\nShell On\n"
             "Command 'while :; do echo alive; sleep 0.1; done'\n"
             "Verify exec /bin/true\n");
    web = wait_state(s, "web", AMGR_MANAGED_READY);
    WAIT_UNTIL(s, count_logged(s, "alive") > 0);
    supervisor_fds = count_fds(s->pid);
    guard_fds = count_fds(web.guard);
    for (i = 0; i < 20; i++) {
        close(s->log_fd);
        snprintf(path, sizeof(path), "%s/log.%d", s->dir, i);
        s->log_fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        apply(s, "web\nShell On\n"
                 "Command 'while :; do echo alive; sleep 0.1; done'\n"
                 "Verify exec /bin/true\n");
        WAIT_UNTIL(s, count_logged(s, "are configured: 1") == 1);
    }
    WAIT_UNTIL(s, count_logged(s, "process web: alive") > 0);
    assert_int_equal(row(s, "web")->pid, web.pid);
    assert_int_equal(count_fds(s->pid), supervisor_fds);
    assert_int_equal(count_fds(web.guard), guard_fds);
    snprintf(path, sizeof(path), "%s/log.3", s->dir);
    assert_int_equal(stat(path, &info), 0);
}

static volatile sig_atomic_t winched;

static void on_winch(int signal)
{
    winched = signal;
}

static void the_server_is_told_when_all_is_done(void **state)
{
    supervised_t *s = *state;
    amgr_parent_message_t message = message_of(s, AMGR_PARENT_APPLY);

    signal(SIGWINCH, on_winch);
    winched = 0;
    message.exit_when_done = 1;
    apply_with(s,
               "job\nCommand /bin/true\nRestart never\nOutput discard\n"
               "bad\nCommand /bin/false\nRestartLimit 1 in 1m\nOutput discard\n"
               "waits\nAfter bad\n" SLEEP "web\n" SLEEP,
               message);
    wait_state(s, "web", AMGR_MANAGED_READY);
    wait_state(s, "bad", AMGR_MANAGED_FATAL);
    wait_state(s, "job", AMGR_MANAGED_EXITED);
    assert_int_equal(winched, 0); /* one still runs */
    apply_with(s,
               "job\nCommand /bin/true\nRestart never\nOutput discard\n"
               "bad\nCommand /bin/false\nRestartLimit 1 in 1m\nOutput discard\n"
               "waits\nAfter bad\n" SLEEP,
               message);
    WAIT_UNTIL(s, winched == SIGWINCH);
    assert_int_equal(count_logged(s, "[0] all managed processes have ended and "
                                     "none will be started again: the server "
                                     "is told to stop gracefully; failed: bad, "
                                     "waits\n"),
                     1);
    signal(SIGWINCH, SIG_DFL);
}

/* Whether or not somebody had said that they would end. */
static void the_server_is_told_that_all_went_well(void **state)
{
    supervised_t *s = *state;
    amgr_parent_message_t message = message_of(s, AMGR_PARENT_APPLY);

    signal(SIGWINCH, on_winch);
    winched = 0;
    message.exit_when_done = 1;
    apply_with(s,
               "job\nCommand /bin/true\nOutput discard\n"
               "migrate\nCommand /bin/true\nVerify exited 0\n",
               message);
    WAIT_UNTIL(s, winched == SIGWINCH);
    assert_int_equal(row(s, "job")->state, AMGR_MANAGED_EXITED);
    assert_int_equal(row(s, "job")->want, AMGR_MANAGED_WANT_UP);
    assert_int_equal(count_logged(s, "[2] all managed processes have ended and "
                                     "none will be started again: the server "
                                     "is told to stop gracefully\n"),
                     1);
    signal(SIGWINCH, SIG_DFL);
}

/* The server does not know yet, and the next supervisor will have it: nothing
 * is wrong. */
static void a_configuration_comes_too_late_for_one_that_ends(void **state)
{
    supervised_t *s = *state;

    apply(s, "web\nStopTimeout 2s\nShell On\n"
             "Command 'trap \"\" TERM; while :; do sleep 0.01; done'\n" QUICK);
    wait_state(s, "web", AMGR_MANAGED_READY);
    assert_int_equal(kill(s->pid, SIGTERM), 0);
    wait_state(s, "web", AMGR_MANAGED_STOPPING);
    apply(s, "web\n" SLEEP);
    WAIT_UNTIL(s, count_logged(s, "[3] a new configuration is left to the next "
                                  "supervisor: this one ends") == 1);
    assert_int_equal(count_logged(s, "ignored"), 0);
    WAIT_UNTIL(s, is_ended(s));
}

static void one_that_fails_for_ever_costs_little(void **state)
{
    supervised_t *s = *state;
    struct rusage before;
    struct rusage after;
    apr_time_t cost_us;

    getrusage(RUSAGE_CHILDREN, &before);
    apply(s, "bad\nCommand /bin/false\nRestartLimit Off\nOutput discard\n"
             "RestartDelay 100ms factor=1 jitter=0%\n");
    WAIT_UNTIL(s, row(s, "bad") != NULL && row(s, "bad")->starts >= 20);
    tell_end(s);
    WAIT_UNTIL(s, is_ended(s));
    getrusage(RUSAGE_CHILDREN, &after); /* its guards and those's processes */
    cost_us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec +
               after.ru_stime.tv_sec - before.ru_stime.tv_sec) *
                  SEC +
              after.ru_utime.tv_usec - before.ru_utime.tv_usec +
              after.ru_stime.tv_usec - before.ru_stime.tv_usec;
    print_message("twenty starts: %d us of CPU\n", (int)cost_us);
    assert_true(cost_us < SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPERVISED(messages_that_are_none_are_ignored),
        SUPERVISED(a_new_log_is_written_to_and_nothing_stays_open),
        SUPERVISED(the_server_is_told_when_all_is_done),
        SUPERVISED(the_server_is_told_that_all_went_well),
        SUPERVISED(a_configuration_comes_too_late_for_one_that_ends),
        SUPERVISED(one_that_fails_for_ever_costs_little),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
