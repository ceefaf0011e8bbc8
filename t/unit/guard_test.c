/* SPDX-License-Identifier: Apache-2.0
 *
 * Guards of real processes: started, told to stop, killed, left alone by their
 * supervisor, and killed themselves.  What a process leaves behind ends in
 * every case.
 */
#include "guard_rig.h"

#include <pthread.h>
#include <sys/socket.h>

/* A grandchild in a session of its own, whose pid goes to file "stray". */
#define STRAY                                                 \
    "setsid sh -c 'trap \"\" TERM INT HUP; echo $$ >$1/new; " \
    "mv $1/new $1/stray; while :; do sleep 1; done' sh $1 & "

static void *sleep_on(void *baton)
{
    (void)baton; /* pthread's signature */
    for (;;) {
        pause();
    }
    return NULL;
}

/* A process of its own session that goes on without its first thread, and
 * below it, one that waits. */
static int headless(const char *dir)
{
    char from[128];
    char to[128];
    pthread_t thread;
    FILE *f;

    if (fork() != 0) {
        sleep_on(NULL);
    }
    setsid();
    signal(SIGTERM, SIG_IGN);
    snprintf(from, sizeof(from), "%s/new", dir);
    snprintf(to, sizeof(to), "%s/headless", dir);
    f = fopen(from, "w");
    if (f == NULL || pthread_create(&thread, NULL, sleep_on, NULL) != 0) {
        return 1;
    }
    fprintf(f, "%d\n", (int)getpid());
    fclose(f);
    rename(from, to);
    pthread_exit(NULL);
}

/* Eight that hop from pid to pid, until that has an end of its own. */
static int run_away(void)
{
    int hops;
    int i;

    for (i = 0; i < 8; i++) {
        if (fork() == 0) {
            for (hops = 0; hops < 200000; hops++) {
                setsid();
                if (fork() != 0) {
                    _exit(0);
                }
            }
            _exit(0);
        }
    }
    printf("they are off\n");
    fflush(stdout);
    sleep_on(NULL);
    return 0;
}

static void test_a_run(void **state)
{
    rig_t *rig = *state;
    pid_t pid;

    rig_shell(rig, "echo started; echo last words; exit 3", NULL, NULL);
    pid = rig_run(rig);
    assert_true(rig->last[AMGR_GUARD_STARTED].start_ticks > 0);
    rig_finish(rig);
    assert_true(rig->seen & (1u << AMGR_GUARD_EXITED));
    assert_int_equal(rig->last[AMGR_GUARD_EXITED].pid, pid);
    assert_int_equal(WEXITSTATUS(rig->last[AMGR_GUARD_EXITED].wait_status), 3);
    assert_string_equal(rig->last[AMGR_GUARD_EXITED].text, "last words");
    assert_int_equal(rig->last[AMGR_GUARD_OUTPUT].output_bytes, 19);
    assert_string_equal(rig->log->text,
                        "process web: started\nprocess web: last words\n");
}

static void test_ended_by_a_signal(void **state)
{
    rig_t *rig = *state;

    rig_shell(rig, "kill -KILL $$", NULL, NULL);
    rig_run(rig);
    rig_finish(rig);
    assert_int_equal(rig->last[AMGR_GUARD_EXITED].wait_status, SIGKILL);
}

static void test_stop(void **state)
{
    rig_t *rig = *state;
    pid_t pid;

    rig->spec.stop_signal = SIGUSR2;
    rig_shell(rig,
              "trap 'exit 7' USR2; echo >$1/ready; while :; do sleep 0.1; done",
              rig->dir, NULL);
    pid = rig_run(rig);
    rig_read(rig, "ready");
    rig_order(rig, AMGR_GUARD_STOP);
    rig_finish(rig);
    assert_int_equal(WEXITSTATUS(rig->last[AMGR_GUARD_EXITED].wait_status), 7);
    assert_true(rig_is_gone(pid));
}

/* One that is stopped hears the signal when it is told to end. */
static void test_stop_of_a_stopped_one(void **state)
{
    rig_t *rig = *state;

    rig_shell(rig, "kill -STOP $$; echo >$1/awake; sleep 600", rig->dir, NULL);
    rig_run(rig);
    rig_order(rig, AMGR_GUARD_STOP);
    rig_finish(rig);
    assert_int_equal(rig->last[AMGR_GUARD_EXITED].wait_status, SIGTERM);
}

static void test_kill_takes_all(void **state)
{
    rig_t *rig = *state;
    pid_t stray;
    pid_t pid;

    rig_shell(rig, "trap '' TERM; " STRAY "while :; do sleep 1; done", rig->dir,
              NULL);
    pid = rig_run(rig);
    stray = rig_read_pid(rig, "stray");
    rig_order(rig, AMGR_GUARD_STOP);
    assert_int_equal(kill(pid, 0), 0);
    rig_order(rig, AMGR_GUARD_KILL);
    rig_finish(rig);
    assert_int_equal(rig->last[AMGR_GUARD_EXITED].wait_status, SIGKILL);
    assert_true(rig_is_gone(pid));
    assert_true(rig_is_gone(stray));
}

/* The process ends by itself, and its daemon ignores SIGTERM. */
static void test_a_daemon_is_left_behind(void **state)
{
    rig_t *rig = *state;
    pid_t stray;

    rig_shell(rig, STRAY "until test -s $1/stray; do sleep 0.01; done; exit 0",
              rig->dir, NULL);
    rig_run(rig);
    assert_true(rig_wait(rig, AMGR_GUARD_EXITED));
    assert_int_equal(rig->last[AMGR_GUARD_EXITED].wait_status, 0);
    stray = rig_read_pid(rig, "stray");
    rig_finish(rig);
    assert_true(rig_is_gone(stray));
    assert_in_range(rig_cpu_ms(rig), 0, 500);
}

/* Many, in sessions of their own, each below the one before it. */
static void test_a_deep_tree(void **state)
{
    rig_t *rig = *state;

    rig_shell(rig,
              "f() { if test $1 -gt 0; then for i in 1 2 3; do "
              "(f $(($1 - 1))) & done; fi; echo >>$D/count; sleep 600; }; "
              "D=$1; f 5",
              rig->dir, NULL);
    rig_run(rig);
    while (strlen(rig_read(rig, "count")) < 364) {
        poll(NULL, 0, 5);
    }
    rig_order(rig, AMGR_GUARD_KILL);
    rig_finish(rig);
    /* Nothing has come to us, as their next subreaper. */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* Each of them is gone as soon as it was seen: it forks and ends, in a new
 * session each time. */
static void test_they_run_away(void **state)
{
    rig_t *rig = *state;

    rig->spec.argv = rig_argv(rig, "/proc/self/exe", "run-away", NULL);
    rig_run(rig);
    assert_true(rig_wait(rig, AMGR_GUARD_OUTPUT));
    rig_order(rig, AMGR_GUARD_KILL);
    rig_finish(rig);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* The first thread has ended and another goes on: the kernel shows a zombie,
 * which is none. */
static void test_a_process_without_its_first_thread(void **state)
{
    rig_t *rig = *state;
    amgr_proc_stat_t stat;
    amgr_proc_dir_t proc;
    pid_t stray;

    rig->spec.argv =
        rig_argv(rig, "/proc/self/exe", "headless", rig->dir, NULL);
    rig_run(rig);
    stray = rig_read_pid(rig, "headless");
    assert_int_equal(amgr_proc_dir_open(&proc, "/proc"), APR_SUCCESS);
    do {
        assert_int_equal(amgr_proc_read_stat(&proc, stray, &stat), APR_SUCCESS);
    } while (stat.state != 'Z');
    amgr_proc_dir_close(&proc);
    rig_order(rig, AMGR_GUARD_KILL);
    rig_finish(rig);
    assert_true(rig_is_gone(stray));
}

static void test_the_supervisor_is_gone(void **state)
{
    rig_t *rig = *state;
    apr_time_t begin;
    pid_t stray;
    pid_t pid;

    rig->spec.stop_timeout_us = APR_USEC_PER_SEC / 10;
    rig_shell(rig, "trap '' TERM; " STRAY "while :; do sleep 1; done", rig->dir,
              NULL);
    pid = rig_run(rig);
    stray = rig_read_pid(rig, "stray");
    begin = amgr_clock_monotonic_us();
    amgr_guard_close(&rig->guard);
    assert_int_equal(rig_reap(rig->guard.pid), 0);
    assert_true(amgr_clock_monotonic_us() - begin >= APR_USEC_PER_SEC / 10);
    assert_true(rig_is_gone(pid));
    assert_true(rig_is_gone(stray));
}

/* It gets its signal first, and may end well. */
static void test_the_supervisor_is_gone_politely(void **state)
{
    rig_t *rig = *state;

    rig_shell(rig,
              "trap 'echo bye >$1/bye; exit 0' TERM; echo >$1/ready; "
              "while :; do sleep 0.1; done",
              rig->dir, NULL);
    rig_run(rig);
    rig_read(rig, "ready");
    amgr_guard_close(&rig->guard);
    assert_int_equal(rig_reap(rig->guard.pid), 0);
    assert_string_equal(rig_read(rig, "bye"), "bye\n");
}

static void test_the_guard_is_killed(void **state)
{
    rig_t *rig = *state;
    pid_t stray;
    pid_t pid;

    rig_shell(rig, STRAY "while :; do sleep 1; done", rig->dir, NULL);
    pid = rig_run(rig);
    stray = rig_read_pid(rig, "stray");
    assert_int_equal(kill(rig->guard.pid, SIGKILL), 0);
    rig_reap(rig->guard.pid);
    assert_int_equal(amgr_guard_receive(&rig->guard, &rig->last[0]), APR_EOF);
    /* By the kernel; its child then comes to us. */
    rig_reap(pid);
    assert_int_equal(kill(stray, SIGKILL), 0);
    rig_reap(stray);
}

/* Signals that are meant for all of httpd's processes. */
static void test_only_its_supervisor_ends_it(void **state)
{
    static const int signals[] = {SIGHUP,  SIGINT,   SIGTERM, SIGUSR1,
                                  SIGUSR2, SIGWINCH, SIGPIPE, SIGQUIT,
                                  SIGALRM, SIGCHLD,  SIGTSTP};
    rig_t *rig = *state;
    apr_size_t i;
    pid_t pid;

    rig_shell(rig, "sleep 600", NULL, NULL);
    pid = rig_run(rig);
    for (i = 0; i < AMGR_COUNT(signals); i++) {
        assert_int_equal(kill(rig->guard.pid, signals[i]), 0);
    }
    assert_int_equal(kill(pid, 0), 0);
    rig_order(rig, AMGR_GUARD_STOP);
    rig_finish(rig);
    assert_int_equal(rig->last[AMGR_GUARD_EXITED].wait_status, SIGTERM);
}

/* Orders that are there before the guard has looked for any: nothing of the
 * program is asked for its opinion, whether it is executed by then or not. */
static void test_stop_before_it_is_executed(void **state)
{
    rig_t *rig = *state;

    rig->spec.output = AMGR_OUTPUT_PIPE;
    rig->spec.output_argv = rig_argv(rig, "/bin/cat", NULL);
    rig_shell(rig, "trap '' TERM; while :; do sleep 1; done", NULL, NULL);
    rig_start(rig);
    rig_order(rig, AMGR_GUARD_STOP);
    rig_order(rig, AMGR_GUARD_KILL);
    rig_finish(rig);
    assert_int_equal(rig->seen & (1u << AMGR_GUARD_FAILED), 0);
}

/* What the guard has said stays to be read, whatever it did not hear. */
static void test_orders_to_one_that_ends(void **state)
{
    rig_t *rig = *state;
    int i;

    rig_shell(rig, "exit 5", NULL, NULL);
    rig_start(rig);
    for (i = 0; i < 20; i++) {
        amgr_guard_send(&rig->guard, AMGR_GUARD_REOPEN, -1);
    }
    while (amgr_guard_send(&rig->guard, AMGR_GUARD_REOPEN, -1) != APR_EOF) {
        poll(NULL, 0, 1);
    }
    assert_int_equal(rig_reap(rig->guard.pid), 0);
    assert_true(rig_wait(rig, AMGR_GUARD_EMPTY));
    assert_true(rig->seen & (1u << AMGR_GUARD_STARTED));
    assert_int_equal(WEXITSTATUS(rig->last[AMGR_GUARD_EXITED].wait_status), 5);
}

/* The next supervisor waits for the end of this pipe. */
static void test_the_guards_hold_on_to_the_pipe(void **state)
{
    rig_t *rig = *state;
    struct pollfd row;
    int ends[2];
    int other;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    other = open("/dev/null", O_RDONLY); /* without close-on-exec */
    rig->setup.hold_fd = ends[1];
    rig_shell(rig, "ls -l /proc/$$/fd >$1/fds; echo end >>$1/fds; sleep 600",
              rig->dir, NULL);
    rig_run(rig);
    close(ends[1]);
    close(other);
    /* The first three, and the one by which the shell goes on reading. */
    assert_null(strstr(rig_read(rig, "fds"), " 3 ->"));
    row.fd = ends[0];
    row.events = POLLIN;
    assert_int_equal(poll(&row, 1, 0), 0);
    rig_order(rig, AMGR_GUARD_KILL);
    rig_finish(rig);
    assert_int_equal(poll(&row, 1, 0), 1);
    assert_true(row.revents & POLLHUP);
    close(ends[0]);
}

/* Two guards at a time: neither holds the other's leash. */
static void test_each_has_its_own_leash(void **state)
{
    rig_t *rig = *state;
    amgr_guard_t first;
    pid_t pid;

    rig_shell(rig, "sleep 600", NULL, NULL);
    pid = rig_run(rig);
    first = rig->guard;
    rig->seen = 0;
    rig_run(rig);
    amgr_guard_close(&first);
    assert_int_equal(rig_reap(first.pid), 0);
    assert_true(rig_is_gone(pid));
    assert_int_equal(kill(rig->last[AMGR_GUARD_STARTED].pid, 0), 0);
    rig_order(rig, AMGR_GUARD_KILL);
    rig_finish(rig);
}

/* A supervisor that sleeps costs the guard nothing but its patience. */
static void test_nobody_listens(void **state)
{
    rig_t *rig = *state;
    int size = 1;

    rig_shell(rig, "exit 0", NULL, NULL);
    rig_start(rig);
    setsockopt(rig->guard.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    assert_int_equal(rig_reap(rig->guard.pid), 0);
    assert_true(rig_wait(rig, AMGR_GUARD_EMPTY));
}

static void test_words(void **state)
{
    int i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_LAUNCH_STAGE_COUNT; i++) {
        assert_string_not_equal(amgr_launch_text(i), "unknown");
    }
    assert_string_equal(amgr_launch_text(-1), "unknown");
    assert_string_equal(amgr_launch_text(AMGR_LAUNCH_STAGE_COUNT), "unknown");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        RIGGED(test_a_run),
        RIGGED(test_ended_by_a_signal),
        RIGGED(test_stop),
        RIGGED(test_stop_of_a_stopped_one),
        RIGGED(test_kill_takes_all),
        RIGGED(test_a_daemon_is_left_behind),
        RIGGED(test_a_deep_tree),
        RIGGED(test_they_run_away),
        RIGGED(test_a_process_without_its_first_thread),
        RIGGED(test_the_supervisor_is_gone),
        RIGGED(test_the_supervisor_is_gone_politely),
        RIGGED(test_the_guard_is_killed),
        RIGGED(test_only_its_supervisor_ends_it),
        RIGGED(test_stop_before_it_is_executed),
        RIGGED(test_orders_to_one_that_ends),
        RIGGED(test_the_guards_hold_on_to_the_pipe),
        RIGGED(test_each_has_its_own_leash),
        RIGGED(test_nobody_listens),
        cmocka_unit_test(test_words),
    };

    if (argc > 2 && strcmp(argv[1], "headless") == 0) {
        return headless(argv[2]);
    }
    if (argc > 1 && strcmp(argv[1], "run-away") == 0) {
        return run_away();
    }
    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
