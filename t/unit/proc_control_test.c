/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals to real processes that the tests fork: the right one gets them and
 * nobody else does, whatever of its identity is wrong.  Conditions are waited
 * for with a deadline.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "proc/proc_control.h"

#define PATIENCE_US apr_time_from_sec(20)

static amgr_proc_dir_t dir;

static int open_proc(void **state)
{
    (void)state; /* cmocka's signature */
    return amgr_proc_dir_open(&dir, "/proc") != APR_SUCCESS;
}

static int close_proc(void **state)
{
    (void)state; /* cmocka's signature */
    amgr_proc_dir_close(&dir);
    return 0;
}

/* A child that waits, with SIGTERM as @a term says once this has returned. */
static amgr_proc_id_t spawn(void (*term)(int))
{
    amgr_proc_id_t id;
    int ready[2];
    char c;
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        signal(SIGTERM, term);
        if (write(ready[1], "x", 1) != 1) {
            _exit(9);
        }
        for (;;) {
            pause();
        }
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    close(ready[0]);
    close(ready[1]);
    assert_int_equal(amgr_proc_read_id(&dir, pid, &id), APR_SUCCESS);
    return id;
}

static int reap(const amgr_proc_id_t *id)
{
    int status = 0;

    assert_int_equal(waitpid(id->pid, &status, 0), id->pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void end(const amgr_proc_id_t *id)
{
    kill(id->pid, SIGKILL);
    reap(id);
}

/* Whether the process gets into this state in time. */
static int reaches(const amgr_proc_id_t *id, char wanted)
{
    apr_time_t deadline = amgr_clock_monotonic_us() + PATIENCE_US;
    amgr_proc_stat_t stat;

    do {
        if (amgr_proc_read_stat(&dir, id->pid, &stat) == APR_SUCCESS &&
            stat.state == wanted) {
            return 1;
        }
        usleep(1000);
    } while (amgr_clock_monotonic_us() < deadline);
    return 0;
}

static void test_alive(void **state)
{
    amgr_proc_id_t id = spawn(SIG_DFL);
    amgr_proc_id_t other = id;
    siginfo_t info;

    (void)state; /* cmocka's signature */
    assert_true(amgr_proc_is_alive(&dir, &id));
    assert_int_equal(amgr_proc_signal(&dir, &id, getpid(), 0), APR_SUCCESS);
    other.start_ticks++;
    assert_false(amgr_proc_is_alive(&dir, &other));
    other.start_ticks = 0;
    assert_false(amgr_proc_is_alive(&dir, &other));
    kill(id.pid, SIGKILL);
    waitid(P_PID, (id_t)id.pid, &info, WEXITED | WNOWAIT);
    assert_true(reaches(&id, 'Z'));
    assert_false(amgr_proc_is_alive(&dir, &id));
    assert_int_equal(amgr_proc_signal(&dir, &id, 0, SIGTERM), APR_NOTFOUND);
    assert_int_equal(amgr_proc_kill(&dir, &id, 0), APR_NOTFOUND);
    reap(&id);
    assert_false(amgr_proc_is_alive(&dir, &id));
    assert_int_equal(amgr_proc_signal(&dir, &id, 0, SIGTERM), APR_NOTFOUND);
}

static void test_wrong_identity(void **state)
{
    amgr_proc_id_t id = spawn(SIG_DFL);
    const amgr_proc_id_t wrong[] = { { id.pid, id.start_ticks + 1 },
                                     { id.pid, id.start_ticks - 1 },
                                     { id.pid, 0 },
                                     { 0, id.start_ticks },
                                     { -1, id.start_ticks },
                                     { -id.pid, id.start_ticks } };
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(wrong); i++) {
        assert_int_equal(amgr_proc_signal(&dir, &wrong[i], 0, SIGKILL),
                         APR_NOTFOUND);
        assert_int_equal(amgr_proc_kill(&dir, &wrong[i], 0), APR_NOTFOUND);
        assert_int_equal(amgr_proc_terminate(&dir, &wrong[i], 0),
                         APR_NOTFOUND);
        assert_int_equal(amgr_proc_terminate_or_kill(&dir, &wrong[i], 0),
                         APR_NOTFOUND);
        assert_int_equal(amgr_proc_suspend(&dir, &wrong[i]), APR_NOTFOUND);
    }
    assert_int_equal(amgr_proc_signal(&dir, &id, getppid(), SIGKILL),
                     APR_NOTFOUND);
    assert_int_equal(amgr_proc_signal(&dir, &id, id.pid, SIGKILL),
                     APR_NOTFOUND);
    assert_int_equal(amgr_proc_signal(&dir, &id, 0, 4711), APR_EINVAL);
    /* A signal that was sent would have been delivered by the next one. */
    assert_true(reaches(&id, 'S'));
    assert_int_equal(amgr_proc_signal(&dir, &id, getpid(), SIGUSR1),
                     APR_SUCCESS);
    assert_int_equal(reap(&id), SIGUSR1);
}

static void test_suspend(void **state)
{
    amgr_proc_id_t id = spawn(SIG_DFL);

    (void)state; /* cmocka's signature */
    assert_int_equal(amgr_proc_suspend(&dir, &id), APR_SUCCESS);
    assert_true(reaches(&id, 'T'));
    assert_true(amgr_proc_is_alive(&dir, &id));
    assert_int_equal(amgr_proc_resume(&dir, &id), APR_SUCCESS);
    assert_true(reaches(&id, 'S'));
    end(&id);
}

static void test_terminate(void **state)
{
    amgr_proc_id_t id = spawn(SIG_DFL);

    (void)state; /* cmocka's signature */
    /* Nobody reaps meanwhile: the zombie must count as ended. */
    assert_int_equal(amgr_proc_terminate(&dir, &id, PATIENCE_US),
                     APR_SUCCESS);
    assert_int_equal(reap(&id), SIGTERM);
    id = spawn(SIG_DFL);
    assert_int_equal(amgr_proc_terminate(&dir, &id, 0), APR_SUCCESS);
    assert_int_equal(reap(&id), SIGTERM);
    id = spawn(SIG_DFL);
    assert_int_equal(amgr_proc_kill(&dir, &id, APR_INT64_MAX), APR_SUCCESS);
    assert_int_equal(reap(&id), SIGKILL);
}

static void on_alarm(int sig)
{
    (void)sig; /* it only has to interrupt */
}

static void test_ignores_term(void **state)
{
    amgr_proc_id_t id = spawn(SIG_IGN);
    struct sigaction action;
    apr_time_t start;
    apr_time_t span;

    (void)state; /* cmocka's signature */
    memset(&action, 0, sizeof(action));
    action.sa_handler = on_alarm; /* without SA_RESTART */
    sigaction(SIGALRM, &action, NULL);
    ualarm(10000, 10000);
    start = amgr_clock_monotonic_us();
    assert_int_equal(amgr_proc_terminate(&dir, &id, 150000), APR_TIMEUP);
    span = amgr_clock_monotonic_us() - start;
    ualarm(0, 0);
    assert_true(span >= 150000 && span < PATIENCE_US);
    assert_true(amgr_proc_is_alive(&dir, &id));
    assert_int_equal(amgr_proc_terminate_or_kill(&dir, &id, 50000),
                     APR_SUCCESS);
    assert_int_equal(reap(&id), SIGKILL);
    id = spawn(SIG_IGN);
    assert_int_equal(amgr_proc_terminate_or_kill(&dir, &id, 0), APR_SUCCESS);
    assert_int_equal(reap(&id), SIGKILL);
    id = spawn(SIG_DFL);
    assert_int_equal(amgr_proc_terminate_or_kill(&dir, &id, PATIENCE_US),
                     APR_SUCCESS);
    assert_int_equal(reap(&id), SIGTERM);
}

/* The identity is read from a fixture, the process is real: no match. */
static void test_fixture(void **state)
{
    const char *root = getenv("AMGR_SRCDIR");
    amgr_proc_dir_t fixture;
    amgr_proc_id_t id = spawn(SIG_DFL);
    char path[4096];

    (void)state; /* cmocka's signature */
    snprintf(path, sizeof(path), "%s/t/unit/fixtures/proc/orphans",
             root == NULL ? "." : root);
    assert_int_equal(amgr_proc_dir_open(&fixture, path), APR_SUCCESS);
    assert_int_equal(amgr_proc_kill(&fixture, &id, 0), APR_NOTFOUND);
    assert_false(amgr_proc_is_alive(&fixture, &id));
    assert_true(amgr_proc_is_alive(&dir, &id));
    amgr_proc_dir_close(&fixture);
    end(&id);
}

static void test_denied(void **state)
{
    amgr_proc_id_t id;
    int status = 0;
    pid_t child;

    (void)state; /* cmocka's signature */
    if (geteuid() != 0) {
        return; /* nobody's right to drop */
    }
    id = spawn(SIG_DFL);
    child = fork();
    if (child == 0) {
        if (setgid(65534) != 0 || setuid(65534) != 0) {
            _exit(9);
        }
        _exit((amgr_proc_signal(&dir, &id, 0, SIGKILL) != APR_EACCES) +
              (!amgr_proc_is_alive(&dir, &id)) * 2);
    }
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(amgr_proc_is_alive(&dir, &id));
    end(&id);
}

static void *wait_forever(void *baton)
{
    (void)baton; /* pthread's signature */
    for (;;) {
        pause();
    }
    return NULL;
}

/* Its first thread has ended, which the kernel shows as a zombie: it lives as
 * long as one of its threads does. */
static void test_without_its_first_thread(void **state)
{
    apr_time_t deadline = amgr_clock_monotonic_us() + PATIENCE_US;
    amgr_proc_stat_t stat;
    amgr_proc_id_t id;
    pthread_t thread;
    pid_t pid;

    (void)state; /* cmocka's signature */
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (pthread_create(&thread, NULL, wait_forever, NULL) != 0) {
            _exit(9);
        }
        pthread_exit(NULL);
    }
    do {
        assert_true(amgr_clock_monotonic_us() < deadline);
        assert_int_equal(amgr_proc_read_stat(&dir, pid, &stat), APR_SUCCESS);
    } while (stat.state != 'Z');
    id.pid = pid;
    id.start_ticks = stat.start_ticks;
    assert_true(amgr_proc_is_alive(&dir, &id));
    assert_int_equal(amgr_proc_signal(&dir, &id, getpid(), SIGKILL),
                     APR_SUCCESS);
    assert_int_equal(reap(&id), SIGKILL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alive),
        cmocka_unit_test(test_wrong_identity),
        cmocka_unit_test(test_suspend),
        cmocka_unit_test(test_terminate),
        cmocka_unit_test(test_ignores_term),
        cmocka_unit_test(test_fixture),
        cmocka_unit_test(test_denied),
        cmocka_unit_test(test_without_its_first_thread),
    };

    return cmocka_run_group_tests(tests, open_proc, close_proc);
}
