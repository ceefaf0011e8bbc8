/* SPDX-License-Identifier: Apache-2.0
 *
 * A ward's verifiers, and what is due by the clock.
 */
#include "supervise/ward.h"

#include <string.h>

#include "base/units.h"
#include "supervise/machine.h"
#include "supervise/supervisor_parts.h"

/** Without a verifier a process is ready when it has stayed so long. */
#define STAY_US APR_USEC_PER_SEC

/** An order that a guard did not hear is told again after this. */
#define AGAIN_US (50 * 1000)

static void note_checks(amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                        const amgr_check_t *check)
{
    ward->row.checks_passed =
        ward->past_passed + ward->verify.passed + ward->liveness.passed;
    ward->row.checks_failed =
        ward->past_failed + ward->verify.failed + ward->liveness.failed;
    if (check->last_us >= 0) {
        ward->row.check_us = check->last_us;
    }
    supervisor->is_dirty = 1;
}

static void take_verify(amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                        int result)
{
    char why[64];

    if (result == AMGR_CHECK_PASSED) {
        ward->is_verifying = 0;
        amgr_supervisor_text(why, sizeof(why), "%s passed",
                             ward->spec->verify.name);
        amgr_ward_fire(supervisor, ward, AMGR_MACHINE_VERIFIED, why);
    }
    else if (result == AMGR_CHECK_FAILED) {
        ward->is_verifying = 0;
        amgr_ward_blame(ward, AMGR_MANAGED_EXIT_START_TIMEOUT,
                        "not ready after all retries: %s", ward->verify.text);
        amgr_ward_fire(supervisor, ward, AMGR_MACHINE_UNVERIFIED, ward->fault);
    }
}

static void take_liveness(amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                          int result)
{
    if (result == AMGR_CHECK_FAILED) {
        ward->is_watching = 0;
        amgr_ward_blame(ward, AMGR_MANAGED_EXIT_UNHEALTHY, "unhealthy: %s",
                        ward->liveness.text);
        amgr_ward_fire(supervisor, ward, AMGR_MACHINE_UNHEALTHY, ward->fault);
    }
}

/* An attempt of @a check is over, with @a failed_before so many failed. */
static void take_attempt(amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                         const amgr_check_t *check, apr_uint64_t failed_before,
                         int result)
{
    int failed = check->failed != failed_before;

    note_checks(supervisor, ward, check);
    /* The check itself tells of those that fail. */
    if (result == AMGR_CHECK_PASSED) {
        amgr_say(&supervisor->teller, AMGR_SAY_VERIFY, AMGR_LEVEL_DEBUG, 0,
                 "process %s: %s %s: passed after %d ms", ward->row.name,
                 check->is_liveness ? "Liveness" : "Verify",
                 check->verify->name, (int)(check->last_us / 1000));
    }
    if (check->is_liveness) {
        take_liveness(supervisor, ward, result);
        return;
    }
    if (failed) {
        amgr_supervisor_text(ward->row.reason, sizeof(ward->row.reason),
                             "not ready yet: %s", check->text);
    }
    take_verify(supervisor, ward, result);
}

void amgr_ward_begin_verify(amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    switch (ward->spec->verify.type) {
    case AMGR_VERIFY_NONE:
        ward->stay_due_us = supervisor->now.mono_us + STAY_US;
        break;
    case AMGR_VERIFY_EXITED:
        break; /* the guard tells */
    case AMGR_VERIFY_NOTIFY:
        if (ward->is_notified) {
            amgr_ward_fire(supervisor, ward, AMGR_MACHINE_VERIFIED,
                           "it says so");
        }
        break;
    default:
        amgr_check_begin(&ward->verify, supervisor->now.mono_us);
        ward->is_verifying = 1;
        break;
    }
}

void amgr_ward_begin_watch(amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    switch (ward->spec->liveness.type) {
    case AMGR_VERIFY_NONE:
    case AMGR_VERIFY_EXITED:
        break;
    case AMGR_VERIFY_NOTIFY:
        ward->watchdog_due_us =
            supervisor->now.mono_us + ward->spec->liveness.timeout_us;
        break;
    default:
        amgr_check_begin(&ward->liveness, supervisor->now.mono_us);
        ward->is_watching = 1;
        break;
    }
}

void amgr_ward_end_checks(amgr_ward_t *ward)
{
    if (ward->is_verifying) {
        amgr_check_end(&ward->verify);
    }
    if (ward->is_watching) {
        amgr_check_end(&ward->liveness);
    }
    ward->is_verifying = 0;
    ward->is_watching = 0;
}

int amgr_ward_has(const amgr_ward_t *ward, pid_t pid)
{
    return pid > 0 && (pid == ward->guard.pid ||
                       (ward->is_verifying && pid == ward->verify.pid) ||
                       (ward->is_watching && pid == ward->liveness.pid));
}

int amgr_ward_reaped(amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                     pid_t pid, int wait_status)
{
    amgr_check_t *check;
    apr_uint64_t failed;
    int result = AMGR_CHECK_GOES_ON;

    if (ward->is_verifying && pid == ward->verify.pid) {
        check = &ward->verify;
    }
    else if (ward->is_watching && pid == ward->liveness.pid) {
        check = &ward->liveness;
    }
    else {
        return 0;
    }
    failed = check->failed;
    if (!amgr_check_reaped(check, pid, wait_status, supervisor->now.mono_us,
                           &result)) {
        return 0;
    }
    take_attempt(supervisor, ward, check, failed, result);
    return 1;
}

/* Begin and end attempts; one that cannot even be forked has failed. */
static void look_at_check(amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                          amgr_check_t *check)
{
    apr_uint64_t failed = check->failed;
    int result = amgr_check_look(check, supervisor->now.mono_us);

    if (result != AMGR_CHECK_GOES_ON || check->failed != failed) {
        take_attempt(supervisor, ward, check, failed, result);
    }
}

static int is_due(apr_time_t due_us, apr_time_t now_us)
{
    return due_us != AMGR_NO_TIME && due_us <= now_us;
}

static void time_is_out(amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    char span[AMGR_UNITS_LEN];

    ward->start_due_us = AMGR_NO_TIME;
    amgr_duration_format_exact(ward->spec->start_timeout_us, span,
                               sizeof(span));
    amgr_ward_blame(ward, AMGR_MANAGED_EXIT_START_TIMEOUT,
                    "not ready after %s%s%s", span,
                    ward->verify.text[0] == '\0' ? "" : ", the last attempt: ",
                    ward->verify.text);
    amgr_ward_fire(supervisor, ward, AMGR_MACHINE_START_TIMEOUT, ward->fault);
}

static void is_silent(amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    char span[AMGR_UNITS_LEN];

    ward->watchdog_due_us = AMGR_NO_TIME;
    amgr_duration_format_exact(ward->spec->liveness.timeout_us, span,
                               sizeof(span));
    amgr_ward_blame(ward, AMGR_MANAGED_EXIT_UNHEALTHY,
                    "unhealthy: no WATCHDOG=1 for %s", span);
    amgr_ward_fire(supervisor, ward, AMGR_MACHINE_UNHEALTHY, ward->fault);
}

/* It hangs in its own shutdown, or has given it up without a word. */
static void has_not_stopped(amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    char span[AMGR_UNITS_LEN];

    ward->stopping_due_us = AMGR_NO_TIME;
    amgr_duration_format_exact(ward->spec->stop_timeout_us, span, sizeof(span));
    amgr_ward_blame(ward, AMGR_MANAGED_EXIT_UNHEALTHY,
                    "it said that it stops and did not within %s", span);
    amgr_ward_fire(supervisor, ward, AMGR_MACHINE_UNHEALTHY, ward->fault);
}

void amgr_ward_look(amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    apr_time_t now_us = supervisor->now.mono_us;

    if (ward->order >= 0) {
        amgr_ward_tell(ward, ward->order);
    }
    if (ward->is_reopening) {
        amgr_ward_reopen(supervisor, ward);
    }
    if (is_due(ward->quiet_due_us, now_us)) {
        ward->quiet_due_us = AMGR_NO_TIME;
    }
    if (is_due(ward->stay_due_us, now_us)) {
        ward->stay_due_us = AMGR_NO_TIME;
        amgr_ward_fire(supervisor, ward, AMGR_MACHINE_VERIFIED,
                       "it has stayed for 1 s");
    }
    if (is_due(ward->start_due_us, now_us)) {
        time_is_out(supervisor, ward);
    }
    if (is_due(ward->watchdog_due_us, now_us)) {
        is_silent(supervisor, ward);
    }
    if (is_due(ward->stopping_due_us, now_us)) {
        has_not_stopped(supervisor, ward);
    }
    if (ward->is_verifying) {
        look_at_check(supervisor, ward, &ward->verify);
    }
    if (ward->is_watching) {
        look_at_check(supervisor, ward, &ward->liveness);
    }
    if (is_due(ward->step_due_us, now_us)) {
        amgr_ward_press(supervisor, ward);
    }
    if (is_due(ward->delay_due_us, now_us)) {
        ward->delay_due_us = AMGR_NO_TIME;
        ward->is_asked = 1;
    }
}

static void postpone(apr_time_t *due_us, apr_interval_time_t span_us)
{
    if (*due_us != AMGR_NO_TIME) {
        *due_us += span_us;
    }
}

void amgr_ward_postpone(amgr_ward_t *ward, apr_interval_time_t span_us)
{
    postpone(&ward->start_due_us, span_us);
    postpone(&ward->stay_due_us, span_us);
    postpone(&ward->watchdog_due_us, span_us);
    postpone(&ward->stopping_due_us, span_us);
    postpone(&ward->step_due_us, span_us);
    amgr_check_postpone(&ward->verify, span_us);
    amgr_check_postpone(&ward->liveness, span_us);
}

static apr_time_t sooner(apr_time_t a_us, apr_time_t b_us)
{
    if (a_us == AMGR_NO_TIME || (b_us != AMGR_NO_TIME && b_us < a_us)) {
        return b_us;
    }
    return a_us;
}

apr_time_t amgr_ward_due(const amgr_ward_t *ward)
{
    apr_time_t due_us = ward->start_due_us;

    due_us = sooner(due_us, ward->stay_due_us);
    due_us = sooner(due_us, ward->watchdog_due_us);
    due_us = sooner(due_us, ward->stopping_due_us);
    due_us = sooner(due_us, ward->step_due_us);
    due_us = sooner(due_us, ward->delay_due_us);
    due_us = sooner(due_us, ward->quiet_due_us);
    if (ward->is_verifying) {
        due_us = sooner(due_us, amgr_check_due(&ward->verify));
    }
    if (ward->is_watching) {
        due_us = sooner(due_us, amgr_check_due(&ward->liveness));
    }
    if (ward->order >= 0 || ward->is_reopening) {
        due_us = sooner(due_us, amgr_clock_monotonic_us() + AGAIN_US);
    }
    return due_us;
}
