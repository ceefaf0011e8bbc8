/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of verifiers: a section made by hand, and the loop of a supervisor
 * that lets its checks run, with a deadline.
 */
#ifndef AMGR_TEST_CHECK_RUN_H
#define AMGR_TEST_CHECK_RUN_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "base/clock.h"
#include "supervise/check/check.h"

/** Nothing here takes nearly so long. */
#define DEADLINE_US (30 * APR_USEC_PER_SEC)

/** What a URL has that nobody may read elsewhere. */
#define SECRET "pw-sesame"

#define MSEC APR_INT64_C(1000)

typedef struct run_t {
    apr_pool_t *pool;
    amgr_check_setup_t setup;
    amgr_spec_t spec;
    amgr_check_t check;
    pid_t helper;      /**< a process of the test's own; 0: none */
    char program[256]; /**< what fetches */
    char log[8192];    /**< all that was told, with secrets if there are any */
    int lines;
} run_t;

static void note_line(void *baton, int what, int level, int error,
                      const char *text)
{
    run_t *run = baton;
    size_t used = strlen(run->log);

    assert_int_equal(what, AMGR_SAY_VERIFY);
    assert_true(level >= AMGR_LEVEL_ERR && level < AMGR_LEVEL_COUNT);
    (void)error; /* tests of faults look at the text */
    run->lines++;
    snprintf(run->log + used, sizeof(run->log) - used, "%s\n", text);
}

static int run_set_up(void **state)
{
    run_t *run = calloc(1, sizeof(*run));
    const char *build = getenv("AMGR_BUILD");

    assert_non_null(run);
    assert_int_equal(apr_initialize(), APR_SUCCESS);
    assert_int_equal(apr_pool_create(&run->pool, NULL), APR_SUCCESS);
    snprintf(run->program, sizeof(run->program), "%s/apache-manager-fetch",
             build == NULL ? "build" : build);
    run->setup.teller.line = note_line;
    run->setup.teller.baton = run;
    run->setup.fetch_program = run->program;
    run->setup.default_user = "nobody";
    run->spec.name = "web";
    *state = run;
    return 0;
}

static int run_tear_down(void **state)
{
    run_t *run = *state;

    amgr_check_end(&run->check);
    if (run->helper != 0) {
        kill(run->helper, SIGKILL); /* of a test that has failed */
    }
    while (waitpid(-1, NULL, 0) > 0) {
        continue; /* what was killed here and in tests */
    }
    assert_null(strstr(run->log, SECRET));
    assert_null(strstr(run->check.text, SECRET));
    apr_pool_destroy(run->pool);
    apr_terminate();
    free(run);
    return 0;
}

static void set_verify(amgr_verify_t *verify, int type, const char *name,
                       const char *target)
{
    memset(verify, 0, sizeof(*verify));
    verify->type = type;
    verify->name = name;
    verify->target = target;
    verify->status_min = 200;
    verify->status_max = 299;
    verify->interval_us = 50 * MSEC;
    verify->timeout_us = 20 * APR_USEC_PER_SEC;
}

/* Let it run until something has come of it, or until it says so itself. */
static int run_on(run_t *run)
{
    apr_time_t begun_us = amgr_clock_monotonic_us();
    int result;

    for (;;) {
        apr_time_t now_us = amgr_clock_monotonic_us();
        int status = 0;
        pid_t pid = run->check.pid;

        assert_true(now_us - begun_us < DEADLINE_US);
        result = amgr_check_look(&run->check, now_us);
        if (result != AMGR_CHECK_GOES_ON) {
            return result;
        }
        if (pid != 0 && waitpid(pid, &status, WNOHANG) == pid) {
            assert_true(amgr_check_reaped(&run->check, pid, status,
                                          amgr_clock_monotonic_us(), &result));
            if (result != AMGR_CHECK_GOES_ON) {
                return result;
            }
        }
        usleep(500); /* between two looks, not for anything to happen */
    }
}

/* One attempt; its text. */
static inline const char *attempt(run_t *run, int want)
{
    amgr_check_init(&run->check, &run->setup, &run->spec, 0);
    amgr_check_begin(&run->check, amgr_clock_monotonic_us());
    assert_int_equal(run_on(run), want);
    assert_int_equal(run->check.passed, want == AMGR_CHECK_PASSED);
    assert_int_equal(run->check.failed, want == AMGR_CHECK_FAILED);
    assert_true(run->check.last_us > 0 && run->check.last_us < DEADLINE_US);
    return run->check.text;
}

static inline void fails(run_t *run, const char *text)
{
    assert_string_equal(attempt(run, AMGR_CHECK_FAILED), text);
}

static inline void passes(run_t *run)
{
    assert_string_equal(attempt(run, AMGR_CHECK_PASSED), "");
}

#endif
