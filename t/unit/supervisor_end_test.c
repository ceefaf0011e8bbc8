/* SPDX-License-Identifier: Apache-2.0
 *
 * What is killed, or lies: guards, supervisors, their parent, and messages that
 * are none.  Nothing may be left of a run, and never are there two.
 */
#include "supervised.h"

#include <sys/resource.h>

#define QUICK                        \
    "RestartDelay 100ms jitter=0%\n" \
    "Output discard\n"               \
    "Verify exec /bin/true\n"
#define SLEEP "Command /bin/sleep 60\n" QUICK

/* A process, a child of it, and one that has left both and their session; the
 * last two write down who they are. */
static const char *family(const supervised_t *s)
{
    static char text[1024];

    snprintf(text, sizeof(text),
             "web\nShell On\n"
             "Command '(sleep 61 & echo $! > %s/var/child; wait) & "
             "setsid sh -c \"(sleep 62 & echo \\$! > %s/var/daemon) &\"; "
             "wait'\n"
             "RestartDelay 100ms\nOutput discard\nVerify exec /bin/true\n",
             s->dir, s->dir);
    return text;
}

static amgr_proc_id_t read_id(const supervised_t *s, const char *name)
{
    apr_time_t until_us = amgr_clock_monotonic_us() + WAIT_US;
    char path[96];
    FILE *file;
    int pid = 0;

    snprintf(path, sizeof(path), "%s/var/%s", s->dir, name);
    while (pid == 0 && amgr_clock_monotonic_us() < until_us) {
        file = fopen(path, "r");
        if (file != NULL) {
            if (fscanf(file, "%d", &pid) != 1) {
                pid = 0;
            }
            fclose(file);
        }
        usleep(2000);
    }
    assert_true(pid > 1);
    unlink(path);
    return id_of(pid);
}

static void nothing_is_left_of_a_killed_guard(void **state)
{
    supervised_t *s = *state;
    amgr_proc_id_t child;
    amgr_proc_id_t daemon;
    amgr_managed_t web;

    apply(s, family(s));
    web = wait_state(s, "web", AMGR_MANAGED_READY);
    child = read_id(s, "child");
    daemon = read_id(s, "daemon");
    assert_int_equal(kill(web.guard, SIGKILL), 0);
    WAIT_UNTIL(s, row(s, "web")->starts == 2 && row(s, "web")->ready);
    /* All of it was gone before the next was started. */
    assert_true(is_gone(web.pid, web.start_ticks));
    assert_true(is_gone(child.pid, child.start_ticks));
    assert_true(is_gone(daemon.pid, daemon.start_ticks));
    assert_int_equal(row(s, "web")->exits[AMGR_MANAGED_EXIT_LOST], 1);
    assert_int_equal(count_logged(s, "READY -> STOPPING (its guard is gone)"),
                     1);
}

/* It cannot hear, and so it is not waited for. */
static void a_guard_that_hangs_is_killed(void **state)
{
    supervised_t *s = *state;
    amgr_proc_id_t guard;
    amgr_managed_t web;

    apply(s, "web\nStopTimeout 100ms\n" SLEEP);
    web = wait_state(s, "web", AMGR_MANAGED_READY);
    guard = id_of(web.guard);
    assert_int_equal(kill(web.guard, SIGSTOP), 0);
    apply(s, "");
    WAIT_UNTIL(s, is_ended(s));
    assert_true(is_gone(web.pid, web.start_ticks));
    assert_true(is_gone(guard.pid, guard.start_ticks));
    assert_int_equal(count_logged(s, "does not come to an end: killed"), 1);
}

static void what_a_daemon_leaves_is_ended_too(void **state)
{
    supervised_t *s = *state;
    amgr_proc_id_t daemon;

    apply(s, "web\nShell On\nCommand 'sleep 60 & exit 0'\nRestart never\n"
             "Output discard\n");
    wait_state(s, "web", AMGR_MANAGED_EXITED);
    assert_int_equal(row(s, "web")->exits[AMGR_MANAGED_EXIT_CLEAN], 1);
    apply(s, family(s));
    wait_state(s, "web", AMGR_MANAGED_READY);
    daemon = read_id(s, "daemon");
    apply(s, "");
    WAIT_UNTIL(s, is_ended(s));
    assert_true(is_gone(daemon.pid, daemon.start_ticks));
}

static void a_killed_supervisor_is_followed_by_the_next(void **state)
{
    supervised_t *s = *state;
    amgr_proc_id_t child;
    amgr_proc_id_t daemon;
    amgr_managed_t web;
    amgr_managed_t next;

    apply(s, family(s));
    web = wait_state(s, "web", AMGR_MANAGED_READY);
    child = read_id(s, "child");
    daemon = read_id(s, "daemon");
    kill_supervisor(s);
    start_supervisor(s);
    apply(s, family(s));
    WAIT_UNTIL(s, is_in(s, "web", AMGR_MANAGED_STOPPED) ||
                      row(s, "web")->starts == 2);
    WAIT_UNTIL(s, row(s, "web")->starts == 2 && row(s, "web")->pid > 0);
    /* It has waited for the end of what the first had left. */
    assert_true(is_gone(web.pid, web.start_ticks));
    assert_true(is_gone(child.pid, child.start_ticks));
    assert_true(is_gone(daemon.pid, daemon.start_ticks));
    next = wait_state(s, "web", AMGR_MANAGED_READY);
    assert_int_equal(next.exits[AMGR_MANAGED_EXIT_LOST], 1);
    assert_true(next.cpu_us >= web.cpu_us);
    assert_int_equal(s->table.supervisors, 2);
    assert_true(s->table.revision > 1);
    assert_int_equal(count_logged(s, "waits for the last run to end"), 1);
}

static void everything_ends_with_the_parent(void **state)
{
    supervised_t *s = *state;
    amgr_proc_id_t child;
    amgr_proc_id_t daemon;
    amgr_proc_id_t guard;
    amgr_managed_t web;
    apr_time_t begun_us;
    int ready[2];
    char c;
    pid_t parent;

    kill_supervisor(s);
    assert_int_equal(pipe(ready), 0);
    parent = fork();
    if (parent == 0) {
        start_supervisor(s);
        apply(s, family(s));
        if (write(ready[1], "x", 1) != 1) {
            _exit(1);
        }
        for (;;) {
            pause();
        }
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &c, 1), 1);
    close(ready[0]);
    web = wait_state(s, "web", AMGR_MANAGED_READY);
    child = read_id(s, "child");
    daemon = read_id(s, "daemon");
    guard = id_of(web.guard);
    begun_us = amgr_clock_monotonic_us();
    assert_int_equal(kill(parent, SIGKILL), 0);
    waitpid(parent, NULL, 0);
    WAIT_UNTIL(s, is_gone(web.pid, web.start_ticks) &&
                      is_gone(child.pid, child.start_ticks) &&
                      is_gone(daemon.pid, daemon.start_ticks) &&
                      is_gone(guard.pid, guard.start_ticks));
    WAIT_UNTIL(s, row(s, "web") != NULL && s->table.supervisor == 0);
    assert_true(amgr_clock_monotonic_us() - begun_us < 5 * SEC);
    assert_int_equal(count_logged(s, "[1] the server is gone"), 1);
}

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
               "bad\nCommand /bin/false\nRestartLimit 1 in 1m\n" QUICK
               "waits\nAfter bad\n" SLEEP "web\n" SLEEP,
               message);
    wait_state(s, "web", AMGR_MANAGED_READY);
    wait_state(s, "bad", AMGR_MANAGED_FATAL);
    wait_state(s, "job", AMGR_MANAGED_EXITED);
    assert_int_equal(winched, 0); /* one still runs */
    apply_with(s,
               "job\nCommand /bin/true\nRestart never\nOutput discard\n"
               "bad\nCommand /bin/false\nRestartLimit 1 in 1m\n" QUICK
               "waits\nAfter bad\n" SLEEP,
               message);
    WAIT_UNTIL(s, winched == SIGWINCH);
    assert_int_equal(count_logged(s, "[2] all managed processes have ended"),
                     1);
    signal(SIGWINCH, SIG_DFL);
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
    WAIT_UNTIL(s, row(s, "bad") != NULL && row(s, "bad")->starts == 20);
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
        SUPERVISED(nothing_is_left_of_a_killed_guard),
        SUPERVISED(a_guard_that_hangs_is_killed),
        SUPERVISED(what_a_daemon_leaves_is_ended_too),
        SUPERVISED(a_killed_supervisor_is_followed_by_the_next),
        SUPERVISED(everything_ends_with_the_parent),
        SUPERVISED(messages_that_are_none_are_ignored),
        SUPERVISED(a_new_log_is_written_to_and_nothing_stays_open),
        SUPERVISED(the_server_is_told_when_all_is_done),
        SUPERVISED(one_that_fails_for_ever_costs_little),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
