/* SPDX-License-Identifier: Apache-2.0
 *
 * See ticker_kill.h.  What was sent to the ticker cannot be called back: from
 * then on this program does nothing by itself.
 */
#include "cli/kill/ticker_kill.h"

#include <apr_strings.h>

#include "base/clock.h"
#include "cli/kill/control_client.h"
#include "cli/message.h"

/* More names of one answer say nothing more to anybody. */
#define VETOES_NAMED_MAX 10

/* No configuration has a longer span. */
#define SPAN_MAX_US apr_time_from_sec(APR_INT64_C(86400) * 365)

/* While the ticker is not there: how often to try, and after how many tries to
 * read the board anew, whose file is all that is asked for. */
#define TRY_US (100 * 1000)
#define TRIES_PER_LOOK 5
#define LOOK_TIMEOUT_US APR_USEC_PER_SEC

/* What the ticker has done, as its answer tells. */
static void take_answer(amgr_kill_run_t *run,
                        const amgr_control_answer_t *answer)
{
    int i;

    run->workers = answer->workers;
    run->count = answer->retirement_count;
    run->victims = apr_pcalloc(run->pool, (apr_size_t)(run->count + 1) *
                                              sizeof(run->victims[0]));
    for (i = 0; i < run->count; i++) {
        const amgr_control_retirement_t *from = &answer->retirements[i];
        amgr_victim_t *victim = &run->victims[i];

        victim->id = from->id;
        victim->native = from->native;
        victim->active = from->active;
        victim->outcome = from->outcome;
    }
}

/* Whom the ticker left alone, and what else it has no line for. */
static void tell_rest(amgr_kill_run_t *run, const amgr_control_answer_t *answer)
{
    int i;

    run->vetoed = answer->vetoed_count;
    run->unlisted = answer->unlisted;
    for (i = 0; i < answer->vetoed_count && i < VETOES_NAMED_MAX; i++) {
        amgr_message(AMGR_LEVEL_NOTICE,
                     "worker %ld is left alone: another module protects it",
                     (long)answer->vetoed[i]);
    }
    if (answer->vetoed_count > VETOES_NAMED_MAX) {
        amgr_message(AMGR_LEVEL_NOTICE, "and so are %d more",
                     answer->vetoed_count - VETOES_NAMED_MAX);
    }
    if (answer->unlisted > 0) {
        amgr_message(AMGR_LEVEL_NOTICE,
                     "%d more %s not listed here and not counted below: see "
                     "the server's log",
                     answer->unlisted, answer->unlisted == 1 ? "is" : "are");
    }
}

/* The ticker sees its retirements through; here is only waited for it. */
static void look(amgr_kill_run_t *run, void *baton)
{
    int i;

    (void)baton; /* there is none */
    for (i = 0; i < run->count; i++) {
        amgr_victim_t *victim = &run->victims[i];

        if (victim->outcome == AMGR_OUTCOME_PENDING &&
            !amgr_proc_is_alive(run->proc, &victim->id)) {
            victim->outcome = AMGR_OUTCOME_GONE;
            amgr_message(AMGR_LEVEL_VERBOSE, "worker %ld is gone",
                         (long)victim->id.pid);
        }
    }
}

/* A span of the board's that is one. */
static apr_interval_time_t span_or_none(apr_interval_time_t span_us)
{
    return span_us > 0 && span_us <= SPAN_MAX_US ? span_us : 0;
}

/* How long what was begun may take: the lame duck comes before the grace
 * period.  An answer cannot make this program wait much longer than the server
 * is configured to. */
static apr_interval_time_t span_of(const amgr_source_t *source,
                                   const amgr_control_answer_t *answer)
{
    const amgr_limits_t *limits = &source->view.config->limits;
    apr_interval_time_t most_us =
        AMGR_KILL_SAID_GRACE_MAX_US + span_or_none(limits->grace_us);

    return (answer->grace_us < most_us ? answer->grace_us : most_us) +
           span_or_none(limits->lame_duck_us);
}

static void see_answer_through(amgr_kill_run_t *run,
                               const amgr_source_t *source,
                               const amgr_control_answer_t *answer)
{
    int at_once = 0;
    int i;

    take_answer(run, answer);
    for (i = 0; i < run->count; i++) {
        const amgr_control_retirement_t *from = &answer->retirements[i];

        amgr_kill_tell(run, &run->victims[i], from->line,
                       !answer->syslog && answer->is_ours);
        at_once += from->outcome == AMGR_OUTCOME_PENDING &&
                   from->action == AMGR_ACTION_KILL;
    }
    amgr_kill_tell_at_once(at_once);
    tell_rest(run, answer);
    if (run->count > 0) {
        amgr_kill_warn_serving(run, source->view.snapshot);
    }
    amgr_kill_wait(run, span_of(source, answer), look, NULL);
}

/* A restart may have moved the socket, or taken it away, and the httpd may be
 * another now.  Anything but a board says nothing about that. */
static void look_again(const amgr_target_t *target, amgr_source_t *source,
                       apr_pool_t *parent)
{
    amgr_target_t hurried = *target;
    amgr_source_t *newer;
    apr_pool_t *pool;

    if (apr_pool_create(&pool, parent) != APR_SUCCESS) {
        return;
    }
    hurried.timeout_us = LOOK_TIMEOUT_US;
    newer = apr_pcalloc(pool, sizeof(*newer));
    if (amgr_source_read(&hurried,
                         AMGR_WANT_PROCESSES | AMGR_WANT_SLOTS | AMGR_WANT_NOW,
                         newer, pool) == NULL &&
        newer->kind == AMGR_SOURCE_BOARD && newer->parent.pid != 0 &&
        !newer->is_orphaned) {
        *source = *newer;
        return;
    }
    apr_pool_destroy(pool);
}

static apr_interval_time_t timeout_for(const amgr_source_t *source)
{
    const amgr_snapshot_t *snapshot = source->view.snapshot;
    apr_interval_time_t timeout_us = AMGR_CONTROL_TIMEOUT_US;
    int i;

    for (i = 0; i < snapshot->process_count; i++) {
        if (snapshot->processes[i].role == AMGR_ROLE_WORKER) {
            timeout_us += AMGR_CONTROL_WORKER_US;
        }
    }
    return timeout_us;
}

/* Ask, and ask again for as long as there may be a ticker in a moment. */
static amgr_control_result_e
ask(amgr_kill_run_t *run, const amgr_demand_t *demand,
    const amgr_target_t *target, amgr_source_t *source,
    amgr_control_answer_t *answer, const char **why)
{
    apr_time_t deadline_us =
        amgr_clock_monotonic_us() + AMGR_CONTROL_TIMEOUT_US;
    amgr_control_result_e result;
    int tries = 0;

    for (;;) {
        apr_time_t asked_us = amgr_clock_monotonic_us();
        apr_time_t now_us;

        result =
            amgr_control_ask(source->control_socket, &source->parent, demand,
                             timeout_for(source), answer, why, run->pool);
        now_us = amgr_clock_monotonic_us();
        /* One that was there and has gone was not absent for that time. */
        deadline_us += now_us - asked_us;
        if (result != AMGR_CONTROL_ABSENT || now_us >= deadline_us) {
            return result;
        }
        if (tries++ == 0) {
            amgr_message(AMGR_LEVEL_INFO,
                         "control socket %s: %s: waiting for the server's "
                         "ticker, which a restart begins anew",
                         amgr_kill_escaped(source->control_socket, run->pool),
                         *why);
        }
        amgr_kill_pause(TRY_US);
        if (tries % TRIES_PER_LOOK == 0) {
            look_again(target, source, run->pool);
            if (source->control_socket == NULL) {
                return AMGR_CONTROL_ABSENT;
            }
        }
    }
}

/* What is settled by a result that is none: a fault, or NULL when nobody has
 * heard the order, and it is this program's to carry out. */
static const amgr_fault_t *fault_of(amgr_kill_run_t *run, int result,
                                    const char *path, const char *why)
{
    switch (result) {
    case AMGR_CONTROL_REFUSED:
        return amgr_fault_make(run->pool, AMGR_EXIT_FAILED,
                               "the ticker behind %s does not obey: %s", path,
                               why);
    case AMGR_CONTROL_LATE:
        return run->options->dry_run
                   ? NULL
                   : amgr_fault_make(
                         run->pool, AMGR_EXIT_FAILED,
                         "control socket %s: %s: the order was given and not "
                         "answered: it may have been obeyed",
                         path, why);
    case AMGR_CONTROL_SENSELESS:
        return amgr_fault_make(
            run->pool, AMGR_EXIT_FAILED,
            "control socket %s: the answer makes no sense "
            "(%s)%s",
            path, why,
            run->options->dry_run ? "" : ": the order may have been obeyed");
    default:
        return NULL;
    }
}

int amgr_ticker_kill(amgr_kill_run_t *run, const amgr_demand_t *demand,
                     const amgr_target_t *target, amgr_source_t *source,
                     const amgr_fault_t **out_fault)
{
    const char *by_itself = run->options->dry_run ? "judges" : "kills";
    amgr_control_result_e result = AMGR_CONTROL_ABSENT;
    amgr_control_answer_t answer;
    const char *path;
    const char *why;

    *out_fault = NULL;
    if (source->control_socket != NULL) {
        result = ask(run, demand, target, source, &answer, &why);
    }
    if (source->control_socket == NULL) {
        amgr_message(AMGR_LEVEL_INFO,
                     "no control socket (ManagerSocket): this program %s by "
                     "itself",
                     by_itself);
        return 0;
    }
    if (result == AMGR_CONTROL_DONE) {
        see_answer_through(run, source, &answer);
        return 1;
    }
    path = amgr_kill_escaped(source->control_socket, run->pool);
    *out_fault = fault_of(run, result, path, why);
    if (*out_fault != NULL) {
        return 1;
    }
    amgr_message(AMGR_LEVEL_WARNING,
                 "control socket %s: %s: this program %s by itself", path, why,
                 by_itself);
    return 0;
}
