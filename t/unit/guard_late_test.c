/* SPDX-License-Identifier: Apache-2.0
 *
 * A guard that looks for a report a moment too early, and then for the end of
 * whoever makes it: here the look at the end waits for it.
 */
#include "guard_rig.h"

#define WAIT_US 300000
#define TURN_US 1000

static pid_t tester;

/* Instead of the C library's. */
pid_t waitpid(pid_t pid, int *status, int options)
{
    siginfo_t info;
    int waited_us;

    for (waited_us = 0; getpid() != tester && pid > 0 &&
                        (options & WNOHANG) != 0 && waited_us < WAIT_US;
         waited_us += TURN_US) {
        memset(&info, 0, sizeof(info));
        if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
            info.si_pid == pid) {
            break;
        }
        usleep(TURN_US);
    }
    return wait4(pid, status, options, NULL);
}

static void expect_fault(rig_t *rig, int stage)
{
    rig_start(rig);
    assert_true(rig_wait(rig, AMGR_GUARD_FAILED));
    assert_int_equal(rig->last[AMGR_GUARD_FAILED].stage, stage);
    assert_int_equal(rig->last[AMGR_GUARD_FAILED].error, ENOENT);
    assert_int_equal(rig_reap(rig->guard.pid), 0);
}

static void test_no_logger(void **state)
{
    rig_t *rig = *state;

    rig_shell(rig, "exit 0", NULL, NULL);
    rig->spec.output = AMGR_OUTPUT_PIPE;
    rig->spec.output_argv = rig_argv(rig, "/no/logger", NULL);
    expect_fault(rig, AMGR_LAUNCH_NO_OUTPUT);
}

/* It was executed: that it has ended at once is another matter. */
static void test_short_logger(void **state)
{
    rig_t *rig = *state;

    rig_shell(rig, "exit 7", NULL, NULL);
    rig->spec.output = AMGR_OUTPUT_PIPE;
    rig->spec.output_argv = rig_argv(rig, "/bin/true", NULL);
    rig_start(rig);
    assert_true(rig_wait(rig, AMGR_GUARD_STARTED));
    rig_finish(rig);
    assert_int_equal(rig->seen & (1u << AMGR_GUARD_FAILED), 0);
}

static void test_no_program(void **state)
{
    rig_t *rig = *state;

    rig->spec.argv = rig_argv(rig, "/no/program", NULL);
    expect_fault(rig, AMGR_LAUNCH_NO_EXEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIGGED(test_no_logger),
        RIGGED(test_short_logger),
        RIGGED(test_no_program),
    };

    tester = getpid();
    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
