/* SPDX-License-Identifier: Apache-2.0
 *
 * What is said of a run, and waiting for it to come to its end.  The sums are
 * the original's words, which scripts look for.
 */
#include "cli/kill/kill_run.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "base/escape.h"
#include "cli/message.h"

/* Between two looks: short at first, since a killed process goes at once. */
#define LOOK_FIRST_US (2 * 1000)
#define LOOK_LAST_US (100 * 1000)

/* Whoever takes longer is finishing something; and beyond the grace period a
 * SIGKILL needs some time too. */
#define PATIENCE_US APR_USEC_PER_SEC
#define BEYOND_GRACE_US (5 * APR_USEC_PER_SEC)

/* Pids that a line names at most. */
#define NAMED_MAX 10

static volatile sig_atomic_t interrupted;

static void interrupt(int sig)
{
    (void)sig; /* either of them */
    interrupted = 1;
}

const char *amgr_kill_escaped(const char *text, apr_pool_t *pool)
{
    amgr_sink_t sink;
    char line[512];

    amgr_sink_init_text(&sink, line, sizeof(line));
    amgr_escape_line(&sink, text);
    return apr_pstrdup(pool, amgr_sink_text(&sink));
}

int amgr_kill_count(const amgr_kill_run_t *run, int outcome)
{
    int count = 0;
    int i;

    for (i = 0; i < run->count; i++) {
        count += run->victims[i].outcome == outcome;
    }
    return count;
}

void amgr_kill_tell(const amgr_kill_run_t *run, const amgr_victim_t *victim,
                    const char *line, int to_syslog)
{
    switch (victim->outcome) {
    case AMGR_OUTCOME_VANISHED:
        amgr_message(AMGR_LEVEL_VERBOSE, "worker %ld has ended by itself",
                     (long)victim->id.pid);
        break;
    case AMGR_OUTCOME_FAILED:
        /* Not in syslog, where kills are counted. */
        amgr_message(AMGR_LEVEL_WARNING, "%s%s", line,
                     victim->denied ? ": this user may not" : "");
        break;
    default:
        amgr_message_kill(line, to_syslog && !run->options->dry_run);
        break;
    }
}

static const char *plural(int count)
{
    return count == 1 ? "" : "s";
}

void amgr_kill_tell_at_once(int count)
{
    if (count > 0) {
        amgr_message(AMGR_LEVEL_NOTICE,
                     "%d of them %s not asked first: %s only request is over "
                     "--max-time, so that nothing is gained by waiting",
                     count, count == 1 ? "is" : "are",
                     count == 1 ? "its" : "their");
    }
}

static int is_below_fresh(apr_int64_t limit_bytes, const amgr_group_t *group)
{
    return limit_bytes != AMGR_LIMIT_OFF &&
           group->fresh_bytes != AMGR_UNKNOWN &&
           group->fresh_bytes > (apr_uint64_t)limit_bytes;
}

static void warn_limit(const char *option, apr_int64_t limit_bytes,
                       const amgr_snapshot_t *snapshot, int with_daemons)
{
    char limit[AMGR_UNITS_LEN];
    char fresh[AMGR_UNITS_LEN];
    int i;

    for (i = 0; i < snapshot->group_count; i++) {
        const amgr_group_t *group = &snapshot->groups[i];

        if ((group->role == AMGR_ROLE_WORKER ||
             (with_daemons && group->role == AMGR_ROLE_WSGI)) &&
            is_below_fresh(limit_bytes, group)) {
            /* It stands as long as the limit does: no news for cron. */
            amgr_message(
                AMGR_LEVEL_NOTICE,
                "%s %s is less than a fresh worker has (%s): new ones will be "
                "over it too",
                option,
                amgr_size_format((apr_uint64_t)limit_bytes, limit,
                                 sizeof(limit)),
                amgr_size_format(group->fresh_bytes, fresh, sizeof(fresh)));
            return;
        }
    }
}

void amgr_kill_warn_limits(const amgr_options_t *options,
                           const amgr_snapshot_t *snapshot)
{
    warn_limit("--max-memory-active", options->max_memory_active_bytes,
               snapshot, 1);
    warn_limit("--max-memory-idle", options->max_memory_idle_bytes, snapshot,
               0);
}

static int is_victim(const amgr_kill_run_t *run, const amgr_proc_id_t *id)
{
    int i;

    for (i = 0; i < run->count; i++) {
        const amgr_victim_t *victim = &run->victims[i];

        if (victim->id.pid == id->pid &&
            victim->outcome != AMGR_OUTCOME_FAILED) {
            return 1;
        }
    }
    return 0;
}

void amgr_kill_warn_serving(const amgr_kill_run_t *run,
                            const amgr_snapshot_t *snapshot)
{
    int chosen = 0;
    int left = 0;
    int i;

    for (i = 0; i < snapshot->process_count; i++) {
        const amgr_process_t *process = &snapshot->processes[i];

        if (process->role == AMGR_ROLE_WORKER) {
            int victim = is_victim(run, &process->id);

            chosen += victim;
            left += !victim && process->state == AMGR_STATE_SERVING;
        }
    }
    if (chosen == 1 && left == 0) {
        amgr_message(AMGR_LEVEL_NOTICE,
                     "no other native worker serves: clients wait until httpd "
                     "has forked a new one");
    }
    else if (chosen > 1 && left == 0) {
        amgr_message(AMGR_LEVEL_NOTICE,
                     "these are all native workers, %d at once: clients wait "
                     "until httpd has forked new ones",
                     chosen);
    }
}

void amgr_kill_pause(apr_interval_time_t span_us)
{
    struct timespec span;

    span.tv_sec = (time_t)(span_us / APR_USEC_PER_SEC);
    span.tv_nsec = (long)(span_us % APR_USEC_PER_SEC) * 1000;
    /* A signal is what may cut it short. */
    nanosleep(&span, NULL);
}

static void tell_waiting(const amgr_kill_run_t *run,
                         apr_interval_time_t grace_us)
{
    int left = amgr_kill_count(run, AMGR_OUTCOME_PENDING);
    char text[AMGR_UNITS_LEN];

    amgr_message(AMGR_LEVEL_NOTICE,
                 "%d of them %s finishing %s requests, which may take %s", left,
                 left == 1 ? "is" : "are", left == 1 ? "its" : "their",
                 amgr_duration_format(grace_us, text, sizeof(text)));
}

static void wait_all(amgr_kill_run_t *run, apr_interval_time_t grace_us,
                     amgr_kill_look_fn *look, void *baton)
{
    apr_time_t begun_us = amgr_clock_monotonic_us();
    apr_interval_time_t pause_us = LOOK_FIRST_US;
    apr_interval_time_t spent_us;
    int told = 0;

    for (;;) {
        look(run, baton);
        spent_us = amgr_clock_monotonic_us() - begun_us;
        if (amgr_kill_count(run, AMGR_OUTCOME_PENDING) == 0 || interrupted ||
            spent_us >= grace_us + BEYOND_GRACE_US) {
            return;
        }
        if (!told && spent_us >= PATIENCE_US) {
            told = 1;
            tell_waiting(run, grace_us);
        }
        amgr_kill_pause(pause_us);
        pause_us = pause_us * 2 > LOOK_LAST_US ? LOOK_LAST_US : pause_us * 2;
    }
}

/* Unless whoever started this program wants the signal ignored. */
static void catch_signal(int sig, const struct sigaction *action,
                         struct sigaction *old)
{
    sigaction(sig, action, old);
    if (old->sa_handler == SIG_IGN) {
        sigaction(sig, old, NULL);
    }
}

void amgr_kill_wait(amgr_kill_run_t *run, apr_interval_time_t grace_us,
                    amgr_kill_look_fn *look, void *baton)
{
    struct sigaction action;
    struct sigaction old_int;
    struct sigaction old_term;

    if (amgr_kill_count(run, AMGR_OUTCOME_PENDING) == 0) {
        return;
    }
    memset(&action, 0, sizeof(action));
    action.sa_handler = interrupt;
    interrupted = 0;
    catch_signal(SIGINT, &action, &old_int);
    catch_signal(SIGTERM, &action, &old_term);
    wait_all(run, grace_us, look, baton);
    sigaction(SIGINT, &old_int, NULL);
    sigaction(SIGTERM, &old_term, NULL);
    run->interrupted = interrupted;
}

/* "12, 14 and 3 more" */
static const char *pids_of(const amgr_kill_run_t *run, int outcome)
{
    const char *text = "";
    int named = 0;
    int i;

    for (i = 0; i < run->count && named < NAMED_MAX; i++) {
        if (run->victims[i].outcome == outcome) {
            text =
                apr_psprintf(run->pool, "%s%s%ld", text, named == 0 ? "" : ", ",
                             (long)run->victims[i].id.pid);
            named++;
        }
    }
    if (amgr_kill_count(run, outcome) > named) {
        text = apr_psprintf(run->pool, "%s and %d more", text,
                            amgr_kill_count(run, outcome) - named);
    }
    return text;
}

static int count_denied(const amgr_kill_run_t *run)
{
    int count = 0;
    int i;

    for (i = 0; i < run->count; i++) {
        count += run->victims[i].outcome == AMGR_OUTCOME_FAILED &&
                 run->victims[i].denied;
    }
    return count;
}

static const amgr_fault_t *fault_of(const amgr_kill_run_t *run)
{
    int failed = amgr_kill_count(run, AMGR_OUTCOME_FAILED);
    int left = amgr_kill_count(run, AMGR_OUTCOME_PENDING);

    if (failed > 0) {
        return amgr_fault_make(
            run->pool,
            failed == run->count && failed == count_denied(run)
                ? AMGR_EXIT_PERMISSION
                : AMGR_EXIT_FAILED,
            "%d of %d workers could not be signalled%s: %s", failed, run->count,
            count_denied(run) == failed ? " for want of rights" : "",
            pids_of(run, AMGR_OUTCOME_FAILED));
    }
    if (left > 0) {
        return amgr_fault_make(
            run->pool, AMGR_EXIT_FAILED, "%s%d of %d workers still run%s: %s",
            run->interrupted ? "interrupted while " : "", left, run->count,
            left == 1 ? "s" : "", pids_of(run, AMGR_OUTCOME_PENDING));
    }
    if (run->is_unsure) {
        return amgr_fault_make(run->pool, AMGR_EXIT_FAILED,
                               "%s: what its workers do now is not known, and "
                               "nobody was judged by it",
                               run->is_untold
                                   ? "the server's page does not tell of them"
                                   : "the server neither answers nor ticks");
    }
    if (run->untimed > 0) {
        return amgr_fault_make(
            run->pool, AMGR_EXIT_FAILED,
            "%d request%s of HTTP/2 %s not judged by --max-time: how old %s "
            "the server alone knows (ManagerSocket)",
            run->untimed, plural(run->untimed),
            run->untimed == 1 ? "was" : "were",
            run->untimed == 1 ? "it is" : "they are");
    }
    return run->interrupted
               ? amgr_fault_make(run->pool, AMGR_EXIT_FAILED, "interrupted")
               : NULL;
}

static void tell_none(const amgr_kill_run_t *run)
{
    const char *what =
        run->options->dry_run ? "workers to kill" : "workers killed";

    if (run->count > 0) {
        amgr_message(AMGR_LEVEL_INFO,
                     "No Apache %s (%d over the limits ended by themselves).",
                     what, run->count);
        return;
    }
    if (run->is_unsure || run->untimed > 0) {
        return; /* nobody knows; which is a fault */
    }
    if (run->vetoed > 0) {
        amgr_message(AMGR_LEVEL_INFO,
                     "No Apache %s (%d over the limits protected by another "
                     "module).",
                     what, run->vetoed);
        return;
    }
    amgr_message(AMGR_LEVEL_INFO,
                 "No Apache %s (found %d worker%s within resource usage "
                 "limits).",
                 what, run->workers, plural(run->workers));
}

static void tell_sum(const amgr_kill_run_t *run)
{
    int dry = amgr_kill_count(run, AMGR_OUTCOME_DRY_RUN);
    int gone = amgr_kill_count(run, AMGR_OUTCOME_GONE);
    int left = amgr_kill_count(run, AMGR_OUTCOME_PENDING);
    int max_kills = run->options->max_kills;

    if (run->count == amgr_kill_count(run, AMGR_OUTCOME_VANISHED) &&
        run->unlisted == 0) {
        tell_none(run);
        return;
    }
    amgr_message(
        AMGR_LEVEL_NOTICE, "%s %d of %d Apache worker%s%s.",
        run->options->dry_run ? "Would kill" : "Killed",
        run->options->dry_run ? dry : gone, run->workers, plural(run->workers),
        left > 0 ? apr_psprintf(run->pool, " (%d still finishing)", left) : "");
    if (max_kills != AMGR_KILLS_UNLIMITED && run->count >= max_kills) {
        amgr_message(AMGR_LEVEL_INFO,
                     "--max-kills %d: whoever else is over the limits is left "
                     "alone",
                     max_kills);
    }
}

const amgr_fault_t *amgr_kill_finish(const amgr_kill_run_t *run,
                                     amgr_kill_result_t *out)
{
    int i;

    if (run->workers == 0) {
        return amgr_fault_make(run->pool, AMGR_EXIT_FAILED,
                               "no worker of this server could be told apart: "
                               "nothing was judged");
    }
    for (i = 0; i < run->count; i++) {
        const amgr_victim_t *victim = &run->victims[i];

        if (victim->outcome == AMGR_OUTCOME_GONE ||
            victim->outcome == AMGR_OUTCOME_DRY_RUN) {
            out->killed_active += victim->active != 0;
            out->killed_idle += victim->active == 0;
        }
    }
    tell_sum(run);
    return fault_of(run);
}
