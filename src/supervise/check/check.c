/* SPDX-License-Identifier: Apache-2.0
 *
 * See check.h.  When there is an attempt and what its end means; what it does
 * is in attempt.c and the files beside it.
 */
#include "supervise/check/check.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>

#include "supervise/check/attempt.h"

/* A span may be without end. */
static apr_time_t after(apr_time_t now_mono_us, apr_interval_time_t span_us)
{
    if (span_us < 0) {
        return now_mono_us;
    }
    return span_us > APR_INT64_MAX - now_mono_us ? APR_INT64_MAX
                                                 : now_mono_us + span_us;
}

void amgr_check_init(amgr_check_t *check, const amgr_check_setup_t *setup,
                     const amgr_spec_t *spec, int is_liveness)
{
    memset(check, 0, sizeof(*check));
    check->setup = setup;
    check->spec = spec;
    check->verify = is_liveness ? &spec->liveness : &spec->verify;
    check->is_liveness = is_liveness;
    check->fd = -1;
    check->due_mono_us = AMGR_NO_TIME;
    check->last_us = -1;
}

void amgr_check_begin(amgr_check_t *check, apr_time_t now_mono_us)
{
    amgr_check_end(check);
    check->failures = 0;
    check->text[0] = '\0';
    if (!amgr_attempt_is_for(check->verify->type)) {
        return;
    }
    check->due_mono_us = check->is_liveness
                             ? after(now_mono_us, check->verify->interval_us)
                             : now_mono_us;
}

apr_time_t amgr_check_due(const amgr_check_t *check)
{
    return check->due_mono_us;
}

void amgr_check_postpone(amgr_check_t *check, apr_interval_time_t span_us)
{
    if (check->due_mono_us != AMGR_NO_TIME) {
        check->due_mono_us = after(check->due_mono_us, span_us);
    }
    check->begun_mono_us = after(check->begun_mono_us, span_us);
}

static void close_words(amgr_check_t *check)
{
    if (check->fd >= 0) {
        close(check->fd);
        check->fd = -1;
    }
}

void amgr_check_end(amgr_check_t *check)
{
    if (check->pid != 0) {
        amgr_attempt_kill(check->pid);
        check->pid = 0;
    }
    close_words(check);
    check->killed = 0;
    check->due_mono_us = AMGR_NO_TIME;
}

/* Whether failures in a row are more than are let pass. */
static int is_too_much(const amgr_check_t *check)
{
    int retries = check->verify->retries;

    if (check->is_liveness) {
        return check->failures >= retries;
    }
    return retries >= 0 && check->failures > retries;
}

static void say_failure(const amgr_check_t *check)
{
    amgr_say(&check->setup->teller, AMGR_SAY_VERIFY,
             check->is_liveness ? AMGR_LEVEL_INFO : AMGR_LEVEL_DEBUG, 0,
             "process %s: %s %s: failed attempt %d in a row: %s",
             check->spec->name, check->is_liveness ? "Liveness" : "Verify",
             check->verify->name, check->failures, check->text);
}

/** An attempt is over, and its text says why it has failed. */
static int count_failure(amgr_check_t *check, apr_time_t now_mono_us)
{
    check->last_us = now_mono_us - check->begun_mono_us;
    check->failed++;
    if (check->failures < INT_MAX) {
        check->failures++;
    }
    say_failure(check);
    if (is_too_much(check)) {
        amgr_check_end(check);
        return AMGR_CHECK_FAILED;
    }
    check->due_mono_us = after(now_mono_us, check->verify->interval_us);
    return AMGR_CHECK_GOES_ON;
}

static int count_pass(amgr_check_t *check, apr_time_t now_mono_us)
{
    check->last_us = now_mono_us - check->begun_mono_us;
    check->passed++;
    check->failures = 0;
    check->text[0] = '\0';
    check->due_mono_us = check->is_liveness
                             ? after(now_mono_us, check->verify->interval_us)
                             : AMGR_NO_TIME;
    return AMGR_CHECK_PASSED;
}

/** Without an attempt nothing is known of the process, so this is no failure
 * of its own. */
static void start(amgr_check_t *check, apr_time_t now_mono_us)
{
    apr_status_t rv = amgr_attempt_start(
        check->setup, check->spec, check->verify, &check->pid, &check->fd);

    check->killed = 0;
    check->begun_mono_us = now_mono_us;
    check->due_mono_us =
        after(now_mono_us, rv == APR_SUCCESS ? check->verify->timeout_us
                                             : check->verify->interval_us);
    if (rv == check->fault) {
        return;
    }
    check->fault = rv;
    if (rv != APR_SUCCESS) {
        amgr_say(&check->setup->teller, AMGR_SAY_VERIFY, AMGR_LEVEL_WARNING, rv,
                 "process %s: an attempt of %s cannot be begun",
                 check->spec->name, check->verify->name);
    }
}

/** The peer had its time.  The attempt itself may stay for longer where not
 * even SIGKILL ends it (a file system that hangs): then it stands for those
 * that cannot be begun beside it. */
static int run_late(amgr_check_t *check, apr_time_t now_mono_us)
{
    if (!check->killed) {
        amgr_attempt_kill(check->pid);
        close_words(check);
        check->killed = 1;
    }
    amgr_attempt_late_text(check->verify, check->text, sizeof(check->text));
    return count_failure(check, now_mono_us);
}

/** Somebody else has reaped it, and nobody knows how it ended. */
static int lose(amgr_check_t *check, apr_time_t now_mono_us)
{
    check->pid = 0;
    check->killed = 0;
    close_words(check);
    apr_cpystrn(check->text, "the attempt was lost", sizeof(check->text));
    return count_failure(check, now_mono_us);
}

int amgr_check_look(amgr_check_t *check, apr_time_t now_mono_us)
{
    if (check->due_mono_us == AMGR_NO_TIME ||
        now_mono_us < check->due_mono_us) {
        return AMGR_CHECK_GOES_ON;
    }
    if (check->pid == 0) {
        start(check, now_mono_us);
        return AMGR_CHECK_GOES_ON;
    }
    switch (amgr_attempt_has_ended(check->pid)) {
    case 0:
        return run_late(check, now_mono_us);
    case 1: /* it may be us who are late: amgr_check_reaped() judges it */
        return AMGR_CHECK_GOES_ON;
    default:
        return lose(check, now_mono_us);
    }
}

/* What an attempt that said nothing of use came to. */
static void tell_end(amgr_check_t *check, int wait_status)
{
    if (WIFSIGNALED(wait_status)) {
        snprintf(check->text, sizeof(check->text),
                 "the attempt was ended by signal %d", WTERMSIG(wait_status));
    }
    else if (check->text[0] == '\0') {
        snprintf(check->text, sizeof(check->text),
                 "the attempt has failed and does not say why");
    }
}

int amgr_check_reaped(amgr_check_t *check, pid_t pid, int wait_status,
                      apr_time_t now_mono_us, int *out_result)
{
    int was_killed = check->killed;

    if (pid <= 0 || pid != check->pid) {
        return 0;
    }
    check->pid = 0;
    check->killed = 0;
    if (was_killed) {
        *out_result = AMGR_CHECK_GOES_ON; /* amgr_check_look() has judged it */
        return 1;
    }
    amgr_attempt_hear(check->fd, check->text, sizeof(check->text));
    check->fd = -1;
    if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0) {
        *out_result = count_pass(check, now_mono_us);
        return 1;
    }
    tell_end(check, wait_status);
    *out_result = count_failure(check, now_mono_us);
    return 1;
}
