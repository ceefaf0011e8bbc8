/* SPDX-License-Identifier: Apache-2.0
 *
 * What happens to a ward: the table's events, and what follows of them.
 */
#include "supervise/ward.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/units.h"
#include "supervise/machine.h"
#include "supervise/supervisor_parts.h"

/** What is left of a tree whose process has ended gets SIGTERM from its guard,
 * and SIGKILL after 2 s at most: then so long until the guard is doubted. */
#define AWAIT_US (7 * APR_USEC_PER_SEC)

/** A guard that has told that it ends has so long for it. */
#define FAREWELL_US (5 * APR_USEC_PER_SEC)

void amgr_ward_blame(amgr_ward_t *ward, int cause, const char *format, ...)
{
    va_list args;

    if (ward->cause >= 0 || !amgr_ward_is_on(ward)) {
        return;
    }
    ward->cause = cause;
    va_start(args, format);
    vsnprintf(ward->fault, sizeof(ward->fault), format, args);
    va_end(args);
}

int amgr_ward_is_on(const amgr_ward_t *ward)
{
    switch (ward->row.state) {
    case AMGR_MANAGED_STARTING:
    case AMGR_MANAGED_RUNNING:
    case AMGR_MANAGED_READY:
    case AMGR_MANAGED_STOPPING:
        return 1;
    default:
        return 0;
    }
}

void amgr_ward_release(amgr_ward_t *ward)
{
    amgr_spec_set_t *sets[2];
    int i;

    sets[0] = ward->set;
    sets[1] = ward->next_set;
    ward->spec = ward->next_spec = NULL;
    ward->set = ward->next_set = NULL;
    for (i = 0; i < 2; i++) {
        amgr_spec_set_release(sets[i]);
    }
}

/* A run is over, or begins: nothing of the one before is due. */
static void clear_timers(amgr_ward_t *ward)
{
    ward->start_due_us = AMGR_NO_TIME;
    ward->stay_due_us = AMGR_NO_TIME;
    ward->watchdog_due_us = AMGR_NO_TIME;
    ward->stopping_due_us = AMGR_NO_TIME;
    ward->step_due_us = AMGR_NO_TIME;
    ward->delay_due_us = AMGR_NO_TIME;
    ward->quiet_due_us = AMGR_NO_TIME;
    ward->row.next_start_us = 0;
    ward->row.backoff_us = 0;
}

/* A process that ends by itself and leaves nothing behind is not being stopped
 * for anybody to see: that is told as one change with what it leads to. */
static int is_passing(const amgr_ward_t *ward)
{
    return ward->row.state == AMGR_MANAGED_STOPPING && ward->is_ended &&
           ward->is_ended_all;
}

/* It is wanted, and nothing but an order brings it back. */
static int is_given_up(const amgr_ward_t *ward)
{
    return ward->row.state == AMGR_MANAGED_FATAL ||
           (ward->row.state == AMGR_MANAGED_EXITED &&
            ward->row.want == AMGR_MANAGED_WANT_UP);
}

static void log_change(const amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                       int was, const char *why)
{
    int state = ward->row.state;

    if (is_passing(ward)) {
        ward->untold_state = was;
        return;
    }
    if (ward->untold_state >= 0) {
        was = ward->untold_state;
        ward->untold_state = -1;
    }
    amgr_say(&supervisor->teller, AMGR_SAY_STATE,
             is_given_up(ward) ? AMGR_LEVEL_WARNING : AMGR_LEVEL_NOTICE, 0,
             "process %s: %s -> %s%s%s%s", ward->row.name,
             amgr_managed_state_word(was), amgr_managed_state_word(state),
             why[0] == '\0' ? "" : " (", why, why[0] == '\0' ? "" : ")");
}

/* In these a reason would be none: all is as it should be. */
static int is_well(int state)
{
    return state == AMGR_MANAGED_STARTING || state == AMGR_MANAGED_RUNNING ||
           state == AMGR_MANAGED_READY;
}

void amgr_ward_set_well(amgr_ward_t *ward)
{
    ward->row.reason[0] = '\0';
    if (ward->is_logger_failing) {
        amgr_supervisor_text(ward->row.reason, sizeof(ward->row.reason),
                             "its logger %s does not stay, and its output is "
                             "dropped",
                             ward->spec->output_argv[0]);
    }
}

static void enter(amgr_supervisor_t *supervisor, amgr_ward_t *ward, int state,
                  const char *why)
{
    int was = ward->row.state;

    ward->row.state = state;
    ward->row.since_us = supervisor->now.wall_us;
    amgr_supervisor_text(ward->row.reason, sizeof(ward->row.reason), "%s", why);
    if (is_well(state)) {
        amgr_ward_set_well(ward);
    }
    if (state == AMGR_MANAGED_READY) {
        ward->row.ready_us = supervisor->now.wall_us;
        ward->ready_mono_us = supervisor->now.mono_us;
        ward->was_ready = 1;
        ward->told[0] = '\0';
    }
    if (state == AMGR_MANAGED_READY || state == AMGR_MANAGED_BACKOFF ||
        state == AMGR_MANAGED_EXITED || state == AMGR_MANAGED_FATAL) {
        ward->is_restarting = 0;
    }
    amgr_supervisor_set_ready(supervisor, ward, state == AMGR_MANAGED_READY);
    supervisor->is_dirty = 1;
    log_change(supervisor, ward, was, why);
}

/* The guard was told, or knows by itself: what if it does not obey? */
static void begin_end(const amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                      int step, apr_interval_time_t patience_us)
{
    if (supervisor->phase == AMGR_PHASE_ALONE &&
        patience_us > AMGR_GUARD_MERCY_US) {
        patience_us = AMGR_GUARD_MERCY_US;
    }
    ward->start_due_us = AMGR_NO_TIME;
    ward->stay_due_us = AMGR_NO_TIME;
    ward->watchdog_due_us = AMGR_NO_TIME;
    ward->stopping_due_us = AMGR_NO_TIME;
    ward->step = step;
    ward->step_due_us = supervisor->now.mono_us + patience_us;
    amgr_ward_end_checks(ward);
}

static void begin_delay(const amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    apr_interval_time_t delay_us = ward->row.backoff_us;

    clear_timers(ward);
    ward->row.backoff_us = delay_us;
    ward->delay_due_us = supervisor->now.mono_us + delay_us;
    ward->row.next_start_us = supervisor->now.wall_us + delay_us;
}

static void act(amgr_supervisor_t *supervisor, amgr_ward_t *ward, int action)
{
    switch (action) {
    case AMGR_MACHINE_LAUNCH:
        clear_timers(ward);
        amgr_ward_launch(supervisor, ward);
        break;
    case AMGR_MACHINE_VERIFY:
        amgr_ward_begin_verify(supervisor, ward);
        break;
    case AMGR_MACHINE_WATCH:
        ward->start_due_us = AMGR_NO_TIME;
        ward->stay_due_us = AMGR_NO_TIME;
        amgr_ward_begin_watch(supervisor, ward);
        break;
    case AMGR_MACHINE_AWAIT:
        if (ward->is_failed) {
            begin_end(supervisor, ward, AMGR_WARD_KILLED, FAREWELL_US);
        }
        else {
            begin_end(supervisor, ward, AMGR_WARD_TOLD, AWAIT_US);
        }
        break;
    case AMGR_MACHINE_TELL:
        begin_end(supervisor, ward, AMGR_WARD_TOLD,
                  ward->spec->stop_timeout_us);
        amgr_ward_tell(ward, AMGR_GUARD_STOP);
        break;
    case AMGR_MACHINE_SWEEP:
        begin_end(supervisor, ward, AMGR_WARD_AXED, 0);
        ward->step_due_us = AMGR_NO_TIME;
        supervisor->has_strays = 1;
        break;
    case AMGR_MACHINE_BACK_OFF:
        begin_delay(supervisor, ward);
        break;
    case AMGR_MACHINE_REST:
        clear_timers(ward);
        break;
    default:
        break;
    }
}

void amgr_ward_fire(amgr_supervisor_t *supervisor, amgr_ward_t *ward, int event,
                    const char *why)
{
    amgr_machine_cell_t cell = amgr_machine_step(ward->row.state, event);

    if (cell.state != ward->row.state) {
        enter(supervisor, ward, cell.state, why);
    }
    act(supervisor, ward, cell.action);
}

void amgr_ward_stop(amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                    const char *why)
{
    amgr_ward_blame(ward, AMGR_MANAGED_EXIT_ORDERED, "%s", why);
    amgr_ward_fire(supervisor, ward, AMGR_MACHINE_STOP, why);
}

/* At random in 0 to 1; without entropy, from the clock. */
static double chance(const amgr_supervisor_t *supervisor)
{
    apr_uint32_t bits;

    if (getrandom(&bits, sizeof(bits), GRND_NONBLOCK) != sizeof(bits)) {
        bits = (apr_uint32_t)supervisor->now.mono_us * 2654435761U;
    }
    return (double)bits / 4294967295.0;
}

static void fill_rule(const amgr_spec_t *spec, amgr_backoff_rule_t *out)
{
    out->delay_us = spec->delay_us;
    out->factor = spec->delay_factor;
    out->max_us = spec->delay_max_us;
    out->jitter_percent = spec->delay_jitter_percent;
    out->reset_us = spec->delay_reset_us;
    out->limit = spec->restart_limit;
    out->window_us = spec->restart_window_us;
}

/* How the run ended, for everybody to see. */
static void note_exit(amgr_ward_t *ward)
{
    amgr_managed_t *row = &ward->row;

    row->exits[ward->cause]++;
    row->exit_known = 1;
    row->exit_cause = ward->cause;
    row->exit_code = -1;
    row->exit_signal = 0;
    if (ward->is_ended && WIFEXITED(ward->wait_status)) {
        row->exit_code = WEXITSTATUS(ward->wait_status);
    }
    else if (ward->is_ended && WIFSIGNALED(ward->wait_status)) {
        row->exit_signal = WTERMSIG(ward->wait_status);
    }
    row->pid = 0;
    row->guard = 0;
    row->start_ticks = 0;
    row->tree_count = 0;
    row->memory_bytes = AMGR_UNKNOWN;
    row->status[0] = '\0';
}

/* One more end that another run follows, or too many: which event that makes,
 * and what there is to say. */
static int judge_failure(amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                         amgr_machine_run_t *run, char *why, apr_size_t size)
{
    char span[AMGR_UNITS_LEN];
    amgr_backoff_rule_t rule;
    int event;

    fill_rule(ward->spec, &rule);
    if (ward->ready_mono_us != AMGR_NO_TIME) {
        amgr_backoff_note_ready(&ward->backoff, &rule,
                                supervisor->now.mono_us - ward->ready_mono_us);
    }
    if (amgr_machine_is_failure(run) && !ward->is_in_want) {
        run->limit_reached = amgr_backoff_note_failure(&ward->backoff, &rule,
                                                       supervisor->now.mono_us);
    }
    else {
        amgr_backoff_note_end(&ward->backoff);
    }
    event = amgr_machine_gone(run);
    if (event == AMGR_MACHINE_GONE_FATAL) {
        amgr_duration_format_exact(rule.window_us, span, sizeof(span));
        amgr_supervisor_text(why, size, "%d failures within %s, the last: %s",
                             rule.limit, span, ward->fault);
    }
    else if (event == AMGR_MACHINE_GONE_RETRY) {
        ward->row.backoff_us =
            amgr_backoff_delay_us(&ward->backoff, &rule, chance(supervisor));
        amgr_supervisor_text(why, size, "%s; started again in %.1f s",
                             ward->fault,
                             (double)ward->row.backoff_us / APR_USEC_PER_SEC);
    }
    return event;
}

/* Nothing follows by itself.  Whether it has done its work is known of one that
 * was to end; of another that ends well somebody goes on waiting for it. */
static void judge_done(amgr_ward_t *ward, int passed, char *why,
                       apr_size_t size)
{
    if (ward->cause != AMGR_MANAGED_EXIT_CLEAN) {
        return;
    }
    if (passed || ward->spec->restart == AMGR_RESTART_NEVER) {
        ward->row.want = AMGR_MANAGED_WANT_DOWN;
    }
    else {
        amgr_supervisor_text(
            why, size,
            "exited with code %d, and is not started again (Restart %s)",
            ward->row.exit_code, amgr_restart_word(ward->spec->restart));
    }
}

void amgr_ward_gone(amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    char why[2 * AMGR_MANAGED_TEXT_LEN];
    amgr_machine_run_t run;
    int passed;
    int event;

    if (ward->cause < 0 || ward->row.state == AMGR_MANAGED_RUNNING ||
        ward->row.state == AMGR_MANAGED_READY) {
        /* A guard that ends without having told how its process did. */
        amgr_ward_blame(ward, AMGR_MANAGED_EXIT_LOST, "its guard is gone");
        amgr_ward_fire(supervisor, ward, AMGR_MACHINE_LOST, ward->fault);
    }
    memset(&run, 0, sizeof(run));
    run.cause = ward->cause;
    run.restart = ward->spec->restart;
    run.is_wanted = ward->row.want == AMGR_MANAGED_WANT_UP;
    run.is_asked = ward->is_asked;
    passed = ward->cause == AMGR_MANAGED_EXIT_CLEAN &&
             ward->spec->verify.type == AMGR_VERIFY_EXITED;
    note_exit(ward);
    amgr_supervisor_text(why, sizeof(why), "%s", ward->fault);
    event = amgr_machine_gone(&run);
    if (event == AMGR_MACHINE_GONE_RETRY) {
        event = judge_failure(supervisor, ward, &run, why, sizeof(why));
    }
    else if (event == AMGR_MACHINE_GONE_DONE) {
        judge_done(ward, passed, why, sizeof(why));
    }
    amgr_ward_fire(supervisor, ward, event, why);
    if (event == AMGR_MACHINE_GONE_RETRY) {
        /* The delay has a place of its own. */
        amgr_supervisor_text(ward->row.reason, sizeof(ward->row.reason), "%s",
                             ward->fault);
    }
    if (event == AMGR_MACHINE_GONE_DONE && passed) {
        ward->row.ready_us = supervisor->now.wall_us;
        ward->was_ready = 1;
        amgr_supervisor_set_ready(supervisor, ward, 1);
    }
}
