/* SPDX-License-Identifier: Apache-2.0
 *
 * What is killed: guards, supervisors and their parent.  Nothing is left of a
 * run, and never are there two.
 */
#include "supervised.h"

#include <sys/file.h>
#include <sys/resource.h>

#define QUICK                        \
    "RestartDelay 100ms jitter=0%\n" \
    "Output discard\n"               \
    "Verify exec /bin/true\n"
#define SLEEP "Command /bin/sleep 60\n" QUICK

/* A process, a child of it, and one that has left both and their session; the
 * last two write down who they are.  None of them ends before it must. */
static const char *family(const supervised_t *s)
{
    static char text[1024];

    snprintf(
        text, sizeof(text),
        "web\nShell On\n"
        "StopTimeout 300ms\n"
        "Command 'trap \"\" TERM; (sleep 61 & echo $! > %s/var/child; wait) & "
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

/* Whether the supervisor has descriptors beyond those that it has. */
static void let_open(const supervised_t *s, int may)
{
    struct rlimit limit;

    assert_int_equal(prlimit(s->pid, RLIMIT_NOFILE, NULL, &limit), 0);
    limit.rlim_cur = may ? limit.rlim_max : 4;
    assert_int_equal(prlimit(s->pid, RLIMIT_NOFILE, &limit, NULL), 0);
}

/* Nobody can see that something is left of it: not that nothing is. */
static void what_cannot_be_looked_for_is_not_gone(void **state)
{
    supervised_t *s = *state;
    amgr_proc_id_t daemon;
    amgr_managed_t web;

    apply(s, family(s));
    web = wait_state(s, "web", AMGR_MANAGED_READY);
    read_id(s, "child");
    daemon = read_id(s, "daemon");
    let_open(s, 0);
    assert_int_equal(kill(web.guard, SIGKILL), 0);
    WAIT_UNTIL(s, count_logged(s, "cannot be looked for in /proc") == 1);
    assert_true(is_in(s, "web", AMGR_MANAGED_STOPPING));
    let_open(s, 1);
    WAIT_UNTIL(s, row(s, "web")->starts == 2 && row(s, "web")->ready);
    assert_true(is_gone(daemon.pid, daemon.start_ticks));
}

/* With so many spare descriptors. */
static void leave_one_behind(supervised_t *s, int spare)
{
    amgr_proc_id_t child;
    amgr_managed_t web;
    char text[1024];

    snprintf(text, sizeof(text),
             "web\nShell On\n"
             "Command 'sleep 61 & echo $! > %s/var/child; wait'\n%s",
             s->dir, QUICK);
    apply(s, text);
    web = wait_state(s, "web", AMGR_MANAGED_READY);
    child = read_id(s, "child");
    assert_int_equal(kill(s->pid, SIGSTOP), 0);
    assert_int_equal(kill(web.guard, SIGKILL), 0);
    kill_supervisor(s);
    s->is_short = 1;
    s->spare = spare;
    start_supervisor(s);
    s->is_short = 0;
    WAIT_UNTIL(s, count_logged(s, "cannot be looked for in /proc") > 0);
    let_open(s, 1);
    apply(s, text);
    WAIT_UNTIL(s, row(s, "web")->starts == 2 && row(s, "web")->ready);
    assert_true(is_gone(child.pid, child.start_ticks));
}

static void nor_is_what_the_last_supervisor_left(void **state)
{
    leave_one_behind(*state, 2); /* for signals and for /proc itself */
}

/* It is found by one more, and cannot be killed without another. */
static void nor_is_what_cannot_be_killed_for_that(void **state)
{
    leave_one_behind(*state, 3);
}

/* What is unknown is not shown as what was once, nor as a part of it. */
static void memory_that_cannot_be_read_is_unknown(void **state)
{
    supervised_t *s = *state;

    apply(s, "web\n" SLEEP);
    wait_state(s, "web", AMGR_MANAGED_READY);
    WAIT_UNTIL(s, row(s, "web")->memory_bytes != AMGR_UNKNOWN);
    let_open(s, 0);
    WAIT_UNTIL(s, row(s, "web")->memory_bytes == AMGR_UNKNOWN);
    let_open(s, 1);
    WAIT_UNTIL(s, row(s, "web")->memory_bytes != AMGR_UNKNOWN);
    assert_int_equal(count_logged(s, "cannot be looked for in /proc: "), 1);
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

/* Neither has a leash: the one has taken it off, as a program with
 * capabilities has, and the other never had one. */
static void what_both_leave_is_ended_before_the_next(void **state)
{
    supervised_t *s = *state;
    amgr_proc_id_t child;
    amgr_managed_t free;
    amgr_managed_t web;
    char text[1024];

    snprintf(text, sizeof(text),
             "free\nCommand /usr/bin/setpriv --pdeathsig clear "
             "/bin/sleep 60\n%sweb\nShell On\n"
             "Command 'sleep 61 & echo $! > %s/var/child; wait'\n%s",
             QUICK, s->dir, QUICK);
    apply(s, text);
    web = wait_state(s, "web", AMGR_MANAGED_READY);
    free = wait_state(s, "free", AMGR_MANAGED_READY);
    child = read_id(s, "child");
    /* Nobody of them sees the others go. */
    assert_int_equal(kill(s->pid, SIGSTOP), 0);
    assert_int_equal(kill(web.guard, SIGKILL), 0);
    assert_int_equal(kill(free.guard, SIGKILL), 0);
    kill_supervisor(s);
    WAIT_UNTIL(s, is_gone(web.pid, web.start_ticks));
    assert_false(is_gone(child.pid, child.start_ticks));
    assert_false(is_gone(free.pid, free.start_ticks));
    /* One that is killed before it could do anything loses nothing. */
    start_supervisor(s);
    kill_supervisor(s);
    start_supervisor(s);
    apply(s, text);
    WAIT_UNTIL(s, row(s, "web")->starts == 2 && row(s, "web")->pid > 0);
    assert_true(is_gone(child.pid, child.start_ticks));
    assert_true(is_gone(free.pid, free.start_ticks));
    wait_state(s, "free", AMGR_MANAGED_READY);
    assert_int_equal(s->table.left_count, 0);
    assert_int_equal(count_logged(s, "of the last run, whose guards are gone"),
                     1);
}

/* A number that is another's by now, and one of another boot. */
/* What runs has no part in it that nobody had a turn. */
static void a_pause_of_all_is_nobodys_fault(void **state)
{
    supervised_t *s = *state;
    apr_time_t until_us;
    char text[512];
    int fd;

    snprintf(text, sizeof(text),
             "web\nCommand /bin/sleep 60\nOutput discard\n"
             "Verify file %s/var/ready interval=100ms\nStartTimeout 1s\n",
             s->dir);
    apply(s, text);
    wait_state(s, "web", AMGR_MANAGED_RUNNING);
    assert_int_equal(kill(s->pid, SIGSTOP), 0);
    until_us = amgr_clock_monotonic_us() + 5 * SEC / 2;
    WAIT_UNTIL(s, amgr_clock_monotonic_us() > until_us);
    snprintf(text, sizeof(text), "%s/var/ready", s->dir);
    fd = open(text, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(kill(s->pid, SIGCONT), 0);
    wait_state(s, "web", AMGR_MANAGED_READY);
    assert_int_equal(row(s, "web")->starts, 1);
}

static void others_are_left_alone(void **state)
{
    supervised_t *s = *state;
    amgr_managed_table_t table = {.count = 1};
    amgr_managed_t *web = &table.processes[0];
    pid_t pid;

    kill_supervisor(s);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        setsid();
        pause();
        _exit(0);
    }
    WAIT_UNTIL(s, getsid(pid) == pid);
    snprintf(web->name, sizeof(web->name), "web");
    web->state = AMGR_MANAGED_READY;
    web->pid = pid;
    web->start_ticks = id_of(pid).start_ticks - 1;
    table.beat_mono_us = amgr_clock_monotonic_us();
    amgr_board_write_managed(s->board, &table);
    start_supervisor(s);
    apply(s, "web\n" SLEEP);
    wait_state(s, "web", AMGR_MANAGED_READY);
    kill_supervisor(s);
    web->start_ticks++;
    table.beat_mono_us = amgr_clock_monotonic_us() + SEC;
    amgr_board_write_managed(s->board, &table);
    start_supervisor(s);
    apply(s, "web\n" SLEEP);
    wait_state(s, "web", AMGR_MANAGED_READY);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    assert_int_equal(count_logged(s, "were left alone"), 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Nobody else would wake it, or end what it guards. */
static void a_stopped_guard_goes_on_without_its_supervisor(void **state)
{
    supervised_t *s = *state;
    amgr_managed_t web;

    apply(s, "web\n" SLEEP);
    web = wait_state(s, "web", AMGR_MANAGED_READY);
    assert_int_equal(kill(web.guard, SIGSTOP), 0);
    kill_supervisor(s);
    WAIT_UNTIL(s, is_gone(web.pid, web.start_ticks));
}

/* Of another server, as far as anybody can tell. */
static void whoever_has_the_lock_is_waited_for(void **state)
{
    supervised_t *s = *state;
    char path[96];
    struct stat info;
    int fd;

    snprintf(path, sizeof(path), "%s/lock", s->dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    kill_supervisor(s);
    s->lock_file = path;
    start_supervisor(s);
    apply(s, "web\n" SLEEP);
    WAIT_UNTIL(s, count_logged(s, "waits for the last run to end") == 1);
    assert_int_equal(row(s, "web")->starts, 0);
    /* It has gone, and the file with it: the lock is that of the next. */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(flock(fd, LOCK_UN), 0); /* our forks have it too */
    close(fd);
    wait_state(s, "web", AMGR_MANAGED_READY);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
    kill_supervisor(s); /* and its guard has it still */
    assert_int_equal(flock(fd, LOCK_EX), 0);
    close(fd);
    start_supervisor(s);
    apply(s, "web\n" SLEEP);
    WAIT_UNTIL(s, row(s, "web")->starts == 2 && row(s, "web")->ready);
    tell_end(s);
    WAIT_UNTIL(s, is_ended(s));
    assert_int_equal(stat(path, &info), -1);
}

static void a_lock_that_cannot_be_had_is_done_without(void **state)
{
    static const char *const names[] = {"missing/lock", "link", "open", "var"};
    supervised_t *s = *state;
    char path[96];
    apr_size_t i;
    int fd;

    snprintf(path, sizeof(path), "%s/link", s->dir);
    assert_int_equal(symlink("nowhere", path), 0);
    snprintf(path, sizeof(path), "%s/open", s->dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    assert_int_equal(fchmod(fd, 0644), 0);
    assert_int_equal(flock(fd, LOCK_EX), 0); /* as anybody could */
    s->lock_file = path;
    for (i = 0; i < AMGR_COUNT(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", s->dir, names[i]);
        kill_supervisor(s);
        start_supervisor(s);
        apply(s, "web\n" SLEEP);
        WAIT_UNTIL(s, count_logged(s, "cannot be locked") == (int)i + 1);
        WAIT_UNTIL(s, row(s, "web") != NULL && row(s, "web")->ready &&
                          row(s, "web")->starts == i + 1);
    }
    close(fd);
}

static void everything_ends_with_the_parent(void **state)
{
    static const char deaf[] =
        "deaf\nShell On\nCommand 'trap \"\" TERM; while :; do sleep 1; done'\n"
        "StopTimeout 1h\nVerify exec /bin/true\nOutput discard\n";
    amgr_managed_t bold;
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
        char text[1536];

        start_supervisor(s);
        snprintf(text, sizeof(text), "%s%s", family(s), deaf);
        apply(s, text);
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
    bold = wait_state(s, "deaf", AMGR_MANAGED_READY);
    guard = id_of(web.guard);
    begun_us = amgr_clock_monotonic_us();
    assert_int_equal(kill(parent, SIGKILL), 0);
    waitpid(parent, NULL, 0);
    WAIT_UNTIL(s, is_gone(web.pid, web.start_ticks) &&
                      is_gone(bold.pid, bold.start_ticks) &&
                      is_gone(child.pid, child.start_ticks) &&
                      is_gone(daemon.pid, daemon.start_ticks) &&
                      is_gone(guard.pid, guard.start_ticks));
    WAIT_UNTIL(s, row(s, "web") != NULL && s->table.supervisor == 0);
    assert_true(amgr_clock_monotonic_us() - begun_us < 5 * SEC);
    assert_int_equal(count_logged(s, "[1] the server is gone"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPERVISED(nothing_is_left_of_a_killed_guard),
        SUPERVISED(what_cannot_be_looked_for_is_not_gone),
        SUPERVISED(nor_is_what_the_last_supervisor_left),
        SUPERVISED(nor_is_what_cannot_be_killed_for_that),
        SUPERVISED(memory_that_cannot_be_read_is_unknown),
        SUPERVISED(a_guard_that_hangs_is_killed),
        SUPERVISED(what_a_daemon_leaves_is_ended_too),
        SUPERVISED(a_killed_supervisor_is_followed_by_the_next),
        SUPERVISED(what_both_leave_is_ended_before_the_next),
        SUPERVISED(a_pause_of_all_is_nobodys_fault),
        SUPERVISED(others_are_left_alone),
        SUPERVISED(a_stopped_guard_goes_on_without_its_supervisor),
        SUPERVISED(whoever_has_the_lock_is_waited_for),
        SUPERVISED(a_lock_that_cannot_be_had_is_done_without),
        SUPERVISED(everything_ends_with_the_parent),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
