/* SPDX-License-Identifier: Apache-2.0
 *
 * A child that is held by a descriptor: its end is known once, whoever reaps
 * it, and whoever has its pid afterwards is left alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc/proc_child.h"

#define PATIENCE_MS 20000

/* One that ends with @a code, or waits to be signalled. */
static pid_t spawn(int code)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        if (code >= 0) {
            _exit(code);
        }
        for (;;) {
            pause();
        }
    }
    return pid;
}

/* Until it can be reaped, or has been. */
static void wait_end(int fd)
{
    struct pollfd entry = {fd, POLLIN, 0};

    assert_int_equal(poll(&entry, 1, PATIENCE_MS), 1);
}

static void test_tells_how_it_ended(void **state)
{
    int status = 0;
    int fd = amgr_proc_child_hold(spawn(7));

    (void)state; /* cmocka's signature */
    assert_true(fd >= 0);
    wait_end(fd);
    assert_true(amgr_proc_child_has_ended(fd, &status));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    /* It is reaped, and nobody else is. */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    close(fd);
}

static void test_signals_it(void **state)
{
    int status = 0;
    int fd = amgr_proc_child_hold(spawn(-1));

    (void)state; /* cmocka's signature */
    assert_true(fd >= 0);
    assert_false(amgr_proc_child_has_ended(fd, &status));
    assert_int_equal(amgr_proc_child_signal(fd, SIGTERM), 0);
    wait_end(fd);
    assert_true(amgr_proc_child_has_ended(fd, &status));
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
    assert_int_equal(amgr_proc_child_signal(fd, SIGTERM), ESRCH);
    close(fd);
}

static void test_knows_that_another_has_reaped_it(void **state)
{
    int status = 0;
    pid_t other = spawn(0);
    pid_t pid = spawn(0);
    int fd = amgr_proc_child_hold(pid);

    (void)state; /* cmocka's signature */
    assert_true(fd >= 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(amgr_proc_child_has_ended(fd, &status));
    assert_int_equal(status, -1);
    assert_int_equal(amgr_proc_child_signal(fd, SIGKILL), ESRCH);
    /* Another that has ended is its own affair. */
    assert_int_equal(waitpid(other, NULL, 0), other);
    close(fd);
}

static void test_leaves_nobody_without_a_descriptor(void **state)
{
    struct rlimit old;
    struct rlimit none;
    pid_t pid = spawn(-1);
    int fd;
    int error;

    (void)state; /* cmocka's signature */
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = old;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    fd = amgr_proc_child_hold(pid);
    error = errno;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(fd, -1);
    assert_int_equal(error, EMFILE);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tells_how_it_ended),
        cmocka_unit_test(test_signals_it),
        cmocka_unit_test(test_knows_that_another_has_reaped_it),
        cmocka_unit_test(test_leaves_nobody_without_a_descriptor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
