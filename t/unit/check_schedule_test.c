/* SPDX-License-Identifier: Apache-2.0
 *
 * When verifiers attempt something, how often, and what they make of it: by an
 * invented clock where no attempt has to take its time.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "check_run.h"

/** The invented clock's hour. */
#define NOW (1000 * APR_USEC_PER_SEC)

static void verify_file(run_t *run, int is_liveness, const char *path,
                        int retries)
{
    amgr_verify_t *verify =
        is_liveness ? &run->spec.liveness : &run->spec.verify;

    set_verify(verify, AMGR_VERIFY_FILE, "file", path);
    verify->retries = retries;
    amgr_check_init(&run->check, &run->setup, &run->spec, is_liveness);
}

/* The attempt that runs ends by itself, and was reaped at this time. */
static int let_end(run_t *run, apr_time_t now_us)
{
    pid_t pid = run->check.pid;
    int result = -1;
    int status = 0;

    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_false(amgr_check_reaped(&run->check, pid + 1, 0, now_us, &result));
    assert_false(amgr_check_reaped(&run->check, 0, 0, now_us, &result));
    assert_true(amgr_check_reaped(&run->check, pid, status, now_us, &result));
    assert_int_equal(run->check.pid, 0);
    assert_int_equal(run->check.fd, -1);
    return result;
}

/* At this time there is nothing to do, and at that an attempt begins. */
static void assert_next(run_t *run, apr_time_t due_us)
{
    assert_true(amgr_check_due(&run->check) == due_us);
    assert_int_equal(amgr_check_look(&run->check, due_us - 1),
                     AMGR_CHECK_GOES_ON);
    assert_int_equal(run->check.pid, 0);
    assert_int_equal(amgr_check_look(&run->check, due_us), AMGR_CHECK_GOES_ON);
    assert_true(run->check.pid > 0);
    /* Its time-out. */
    assert_true(amgr_check_due(&run->check) ==
                due_us + run->check.verify->timeout_us);
}

static void verify_begins_at_once_and_pauses_between(void **state)
{
    run_t *run = *state;

    verify_file(run, 0, "/nonexistent/file", 2);
    assert_true(amgr_check_due(&run->check) == AMGR_NO_TIME);
    assert_true(run->check.last_us < 0);
    amgr_check_begin(&run->check, NOW);
    assert_next(run, NOW);
    /* The pause is after the end, however long the attempt took. */
    assert_int_equal(let_end(run, NOW + 7000 * MSEC), AMGR_CHECK_GOES_ON);
    assert_true(run->check.last_us == 7000 * MSEC);
    assert_string_equal(run->check.text, "no such file or directory");
    assert_next(run, NOW + 7050 * MSEC);
    assert_int_equal(let_end(run, NOW + 7051 * MSEC), AMGR_CHECK_GOES_ON);
    assert_next(run, NOW + 7101 * MSEC);
    assert_int_equal(run->check.failed, 2);
    /* Two were let pass; the third is the end. */
    assert_int_equal(let_end(run, NOW + 7102 * MSEC), AMGR_CHECK_FAILED);
    assert_true(amgr_check_due(&run->check) == AMGR_NO_TIME);
    assert_int_equal(run->check.failed, 3);
    assert_int_equal(run->check.passed, 0);
    assert_int_equal(run->lines, 3);
    assert_string_equal(run->log,
                        "process web: Verify file: failed attempt 1 in a row: "
                        "no such file or directory\n"
                        "process web: Verify file: failed attempt 2 in a row: "
                        "no such file or directory\n"
                        "process web: Verify file: failed attempt 3 in a row: "
                        "no such file or directory\n");
    /* Begun anew, all are let pass again; what was counted stays. */
    amgr_check_begin(&run->check, 2 * NOW);
    assert_next(run, 2 * NOW);
    assert_int_equal(let_end(run, 2 * NOW + 1), AMGR_CHECK_GOES_ON);
    assert_int_equal(run->check.failed, 4);
}

static void verify_is_over_when_it_has_passed(void **state)
{
    run_t *run = *state;

    verify_file(run, 0, "/nonexistent/file", -1);
    amgr_check_begin(&run->check, NOW);
    assert_next(run, NOW);
    assert_int_equal(let_end(run, NOW), AMGR_CHECK_GOES_ON);
    run->spec.verify.target = "/etc/passwd";
    assert_next(run, NOW + 50 * MSEC);
    assert_int_equal(let_end(run, NOW + 52 * MSEC), AMGR_CHECK_PASSED);
    assert_true(run->check.last_us == 2 * MSEC);
    assert_string_equal(run->check.text, "");
    assert_int_equal(run->check.passed, 1);
    assert_int_equal(run->check.failed, 1);
    assert_true(amgr_check_due(&run->check) == AMGR_NO_TIME);
    assert_int_equal(amgr_check_look(&run->check, 2 * NOW), AMGR_CHECK_GOES_ON);
    assert_int_equal(run->check.pid, 0);
}

static void liveness_goes_on_until_too_many_fail(void **state)
{
    run_t *run = *state;
    apr_time_t at_us = NOW + 50 * MSEC;
    int i;

    verify_file(run, 1, "/etc/passwd", 2);
    amgr_check_begin(&run->check, NOW);
    for (i = 1; i <= 3; i++) {
        assert_next(run, at_us);
        assert_int_equal(let_end(run, at_us), AMGR_CHECK_PASSED);
        assert_int_equal(run->check.passed, i);
        at_us += 50 * MSEC;
    }
    /* One that fails is forgotten when the next has passed. */
    for (i = 1; i <= 3; i++) {
        run->spec.liveness.target = "/nonexistent/file";
        assert_next(run, at_us);
        assert_int_equal(let_end(run, at_us), AMGR_CHECK_GOES_ON);
        run->spec.liveness.target = "/etc/passwd";
        at_us += 50 * MSEC;
        assert_next(run, at_us);
        assert_int_equal(let_end(run, at_us), AMGR_CHECK_PASSED);
        at_us += 50 * MSEC;
    }
    run->spec.liveness.target = "/nonexistent/file";
    assert_next(run, at_us);
    assert_int_equal(let_end(run, at_us), AMGR_CHECK_GOES_ON);
    at_us += 50 * MSEC;
    assert_next(run, at_us);
    assert_int_equal(let_end(run, at_us), AMGR_CHECK_FAILED);
    assert_true(amgr_check_due(&run->check) == AMGR_NO_TIME);
    assert_int_equal(run->check.passed, 6);
    assert_int_equal(run->check.failed, 5);
}

static void hang(run_t *run, int is_liveness, int retries)
{
    static char words[][8] = {"sleep", "60"};
    static char *argv[] = {words[0], words[1], NULL};
    amgr_verify_t *verify =
        is_liveness ? &run->spec.liveness : &run->spec.verify;

    set_verify(verify, AMGR_VERIFY_EXEC, "exec", NULL);
    verify->argv = argv;
    verify->retries = retries;
    amgr_check_init(&run->check, &run->setup, &run->spec, is_liveness);
}

/* It has failed when its time is over, and not once more when it is reaped. */
static void late_ones_fail_when_their_time_is_over(void **state)
{
    run_t *run = *state;
    apr_time_t late_us = NOW + 50 * MSEC + 20 * APR_USEC_PER_SEC;
    int result = -1;
    int status = 0;
    pid_t pid;

    hang(run, 1, 3);
    amgr_check_begin(&run->check, NOW);
    assert_next(run, NOW + 50 * MSEC);
    pid = run->check.pid;
    /* Not before its time; then, as soon as it is over. */
    assert_int_equal(amgr_check_look(&run->check, late_us - 1),
                     AMGR_CHECK_GOES_ON);
    assert_int_equal(run->check.failed, 0);
    assert_int_equal(amgr_check_look(&run->check, late_us), AMGR_CHECK_GOES_ON);
    assert_int_equal(run->check.failed, 1);
    assert_string_equal(run->check.text, "no answer within 20s");
    assert_int_equal(run->check.fd, -1);
    assert_true(run->check.last_us == 20 * APR_USEC_PER_SEC);
    assert_true(amgr_check_due(&run->check) == late_us + 50 * MSEC);
    assert_int_equal(run->check.pid, pid);

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_true(
        amgr_check_reaped(&run->check, pid, status, late_us + 1, &result));
    assert_int_equal(result, AMGR_CHECK_GOES_ON);
    assert_int_equal(run->check.failed, 1);
    assert_next(run, late_us + 50 * MSEC);
}

/* As the kernel keeps one whose file system hangs: killed, and still there.  It
 * fails again and again, and no other is begun beside it. */
static void one_that_stays_stands_for_more(void **state)
{
    run_t *run = *state;
    apr_time_t at_us = NOW + 50 * MSEC;
    pid_t sleeper;
    int i;

    hang(run, 1, 3);
    amgr_check_begin(&run->check, NOW);
    sleeper = fork();
    if (sleeper == 0) {
        execlp("sleep", "sleep", "60", (char *)NULL);
        _exit(127);
    }
    run->check.pid = sleeper;
    run->check.killed = 1;
    run->check.begun_mono_us = at_us;
    run->check.due_mono_us = at_us;
    for (i = 1; i <= 3; i++) {
        assert_int_equal(amgr_check_look(&run->check, at_us - 1),
                         AMGR_CHECK_GOES_ON);
        assert_int_equal(amgr_check_look(&run->check, at_us),
                         i < 3 ? AMGR_CHECK_GOES_ON : AMGR_CHECK_FAILED);
        assert_int_equal(run->check.failed, i);
        assert_int_equal(run->check.pid, i < 3 ? sleeper : 0);
        at_us += 50 * MSEC;
    }
    assert_true(amgr_check_due(&run->check) == AMGR_NO_TIME);
}

/* When it is us who were stopped, the attempt has ended in time all the same. */
static void our_own_lateness_is_nobodys_failure(void **state)
{
    run_t *run = *state;
    siginfo_t info;

    verify_file(run, 0, "/etc/passwd", 0);
    amgr_check_begin(&run->check, NOW);
    assert_next(run, NOW);
    assert_int_equal(
        waitid(P_PID, (id_t)run->check.pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(amgr_check_look(&run->check, 2 * NOW), AMGR_CHECK_GOES_ON);
    assert_int_equal(let_end(run, 2 * NOW), AMGR_CHECK_PASSED);
    /* And one that somebody else has reaped is no pid of ours any more. */
    amgr_check_begin(&run->check, NOW);
    assert_next(run, NOW);
    assert_int_equal(waitpid(run->check.pid, NULL, 0), run->check.pid);
    assert_int_equal(amgr_check_look(&run->check, 2 * NOW), AMGR_CHECK_FAILED);
    assert_string_equal(run->check.text, "the attempt was lost");
    assert_int_equal(run->check.pid, 0);
    assert_int_equal(run->check.fd, -1);
}

/* No descriptor is left: that tells nothing of the process. */
static void attempts_that_cannot_begin_are_no_failures(void **state)
{
    run_t *run = *state;
    struct rlimit before;
    struct rlimit none;

    verify_file(run, 1, "/etc/passwd", 1);
    amgr_check_begin(&run->check, NOW);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(amgr_check_look(&run->check, NOW + 50 * MSEC),
                     AMGR_CHECK_GOES_ON);
    assert_int_equal(amgr_check_look(&run->check, NOW + 100 * MSEC),
                     AMGR_CHECK_GOES_ON);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(run->check.pid, 0);
    assert_int_equal(run->check.failed, 0);
    assert_string_equal(run->log, "process web: an attempt of file cannot be "
                                  "begun\n");
    assert_next(run, NOW + 150 * MSEC);
    assert_int_equal(let_end(run, NOW + 150 * MSEC), AMGR_CHECK_PASSED);
}

/* What the guard answers is attempted by nobody. */
static void others_types_have_no_attempts(void **state)
{
    static const int types[] = {AMGR_VERIFY_NONE, AMGR_VERIFY_EXITED,
                                AMGR_VERIFY_NOTIFY, AMGR_VERIFY_COUNT, -1};
    run_t *run = *state;
    size_t i;

    for (i = 0; i < AMGR_COUNT(types); i++) {
        verify_file(run, 0, "/etc/passwd", 0);
        run->spec.verify.type = types[i];
        amgr_check_begin(&run->check, NOW);
        assert_true(amgr_check_due(&run->check) == AMGR_NO_TIME);
        assert_int_equal(amgr_check_look(&run->check, 2 * NOW),
                         AMGR_CHECK_GOES_ON);
        assert_int_equal(run->check.pid, 0);
    }
}

static int count_descriptors(void)
{
    int count = 0;
    int fd;

    for (fd = 0; fd < 256; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

/* By the real clock: as many attempts as fit, each with its pause, and nothing
 * is left of any. */
static void pauses_are_kept(void **state)
{
    run_t *run = *state;
    apr_time_t begun_us = amgr_clock_monotonic_us();
    int before = count_descriptors();

    verify_file(run, 0, "/nonexistent/file", 9);
    run->spec.verify.interval_us = 20 * MSEC;
    amgr_check_begin(&run->check, begun_us);
    assert_int_equal(run_on(run), AMGR_CHECK_FAILED);
    assert_int_equal(run->check.failed, 10);
    assert_true(amgr_clock_monotonic_us() - begun_us >= 9 * 20 * MSEC);
    assert_int_equal(count_descriptors(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            verify_begins_at_once_and_pauses_between, run_set_up,
            run_tear_down),
        cmocka_unit_test_setup_teardown(verify_is_over_when_it_has_passed,
                                        run_set_up, run_tear_down),
        cmocka_unit_test_setup_teardown(liveness_goes_on_until_too_many_fail,
                                        run_set_up, run_tear_down),
        cmocka_unit_test_setup_teardown(late_ones_fail_when_their_time_is_over,
                                        run_set_up, run_tear_down),
        cmocka_unit_test_setup_teardown(one_that_stays_stands_for_more,
                                        run_set_up, run_tear_down),
        cmocka_unit_test_setup_teardown(our_own_lateness_is_nobodys_failure,
                                        run_set_up, run_tear_down),
        cmocka_unit_test_setup_teardown(
            attempts_that_cannot_begin_are_no_failures, run_set_up,
            run_tear_down),
        cmocka_unit_test_setup_teardown(others_types_have_no_attempts,
                                        run_set_up, run_tear_down),
        cmocka_unit_test_setup_teardown(pauses_are_kept, run_set_up,
                                        run_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
