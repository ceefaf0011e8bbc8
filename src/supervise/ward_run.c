/* SPDX-License-Identifier: Apache-2.0
 *
 * A ward's run: its guard, what that tells, and how it is brought to its end.
 * Whatever a guard says, it is only ever taken for an event of the table; one
 * that does not do as it is told is killed, and its process with it.
 */
#include "supervise/ward.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "supervise/machine.h"
#include "supervise/supervisor_parts.h"

/** Events that are taken from a guard at once, and how long one that has more
 * is not heard. */
#define EVENTS_MAX 16
#define QUIET_US (100 * 1000)

/** What a guard does not do within this is not waited for any longer. */
#define ANSWER_US (5 * APR_USEC_PER_SEC)

/** The tree of a new process is measured so soon. */
#define MEASURE_SOON_US (300 * 1000)

/* What the last run left in it. */
static void begin_run(const amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    amgr_managed_t *row = &ward->row;

    ward->past_passed = row->checks_passed;
    ward->past_failed = row->checks_failed;
    ward->past_output_bytes = row->output_bytes;
    ward->past_output_dropped = row->output_dropped;
    ward->past_cpu_us = row->cpu_us;
    ward->run_cpu_us = 0;
    ward->order = -1;
    ward->is_reopening = 0;
    ward->step = AMGR_WARD_UNTOLD;
    ward->is_ended = 0;
    ward->is_ended_all = 0;
    ward->is_failed = 0;
    ward->is_in_want = 0;
    ward->is_empty = 0;
    ward->is_lost = 0;
    ward->is_notified = 0;
    ward->stops = 0;
    ward->is_logger_failing = 0;
    ward->wait_status = 0;
    ward->cause = -1;
    ward->fault[0] = '\0';
    ward->ready_mono_us = AMGR_NO_TIME;
    ward->is_verifying = 0;
    ward->is_watching = 0;
    amgr_check_init(&ward->verify, &supervisor->setup.check, ward->spec, 0);
    amgr_check_init(&ward->liveness, &supervisor->setup.check, ward->spec, 1);
    row->starts++;
    row->started_us = supervisor->now.wall_us;
    row->ready_us = 0;
    row->status[0] = '\0';
    if (ward->spec->start_timeout_us != AMGR_LIMIT_OFF) {
        ward->start_due_us =
            supervisor->now.mono_us + ward->spec->start_timeout_us;
    }
}

/* It cannot be executed.  The warning comes once for each cause, not with each
 * attempt. */
static void note_fault(amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                       int error, const char *what)
{
    ward->is_failed = 1;
    amgr_ward_blame(ward, AMGR_MANAGED_EXIT_EXEC, "%s%s%s", what,
                    error == 0 ? "" : ": ", error == 0 ? "" : strerror(error));
    if (strcmp(ward->told, ward->fault) != 0) {
        memcpy(ward->told, ward->fault, sizeof(ward->told));
        amgr_say(&supervisor->teller, AMGR_SAY_FAULT, AMGR_LEVEL_WARNING, error,
                 "process %s: %s", ward->row.name, what);
    }
    amgr_ward_fire(supervisor, ward, AMGR_MACHINE_LAUNCH_FAILED, ward->fault);
}

/* Of processes, memory or descriptors: of that the machine may have more soon,
 * whatever the process is. */
static int is_want(int error)
{
    return error == EAGAIN || error == ENOMEM || error == EMFILE ||
           error == ENFILE;
}

/* Whether every address of RequireFree is. */
static int has_room(amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    const apr_array_header_t *addresses = ward->spec->require_free;
    char what[AMGR_MANAGED_TEXT_LEN];
    int i;

    for (i = 0; addresses != NULL && i < addresses->nelts; i++) {
        const char *address = APR_ARRAY_IDX(addresses, i, const char *);
        apr_status_t rv = amgr_address_is_free(address);

        if (rv != APR_SUCCESS) {
            amgr_supervisor_text(what, sizeof(what), "%s is not free", address);
            ward->is_in_want = is_want(rv);
            note_fault(supervisor, ward, rv, what);
            return 0;
        }
    }
    return 1;
}

void amgr_ward_launch(amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    apr_status_t rv;

    begin_run(supervisor, ward);
    if (!has_room(supervisor, ward)) {
        amgr_ward_gone(supervisor, ward);
        return;
    }
    rv = amgr_guard_start(&supervisor->setup.guard, ward->spec, &ward->guard);
    if (rv != APR_SUCCESS) {
        ward->guard.pid = 0;
        ward->guard.fd = -1;
        ward->is_in_want = is_want(rv);
        note_fault(supervisor, ward, rv, amgr_launch_text(AMGR_LAUNCH_NO_FORK));
        amgr_ward_gone(supervisor, ward);
        return;
    }
    ward->row.guard = ward->guard.pid;
}

void amgr_ward_tell(amgr_ward_t *ward, int order)
{
    ward->order = -1;
    if (ward->guard.pid == 0 || ward->guard.fd < 0) {
        return;
    }
    if (APR_STATUS_IS_EAGAIN(amgr_guard_send(&ward->guard, order, -1))) {
        ward->order = order;
    }
}

void amgr_ward_reopen(const amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    ward->is_reopening = 0;
    if (ward->guard.fd >= 0) {
        ward->is_reopening = APR_STATUS_IS_EAGAIN(amgr_guard_send(
            &ward->guard, AMGR_GUARD_REOPEN, supervisor->setup.guard.log_fd));
    }
}

/* Its end of the pair; the process itself is still to be reaped. */
static void hang_up(amgr_ward_t *ward)
{
    pid_t pid = ward->guard.pid;

    if (ward->guard.fd >= 0) {
        amgr_guard_close(&ward->guard);
    }
    ward->guard.fd = -1;
    ward->guard.pid = pid;
}

/* The guard was killed, hung up on us, or talks nonsense: without it there is
 * no run.  Its process dies with it, and the rest comes to us. */
static void lose(amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    hang_up(ward);
    if (ward->is_lost || ward->is_empty || ward->is_failed) {
        return; /* known, or it ends as it should */
    }
    if (ward->guard.pid > 0) {
        kill(ward->guard.pid, SIGKILL); /* our child, not reaped */
    }
    ward->is_lost = 1;
    amgr_ward_blame(ward, AMGR_MANAGED_EXIT_LOST, "its guard is gone");
    amgr_say(&supervisor->teller, AMGR_SAY_FAULT, AMGR_LEVEL_WARNING, 0,
             "process %s: its guard %" APR_PID_T_FMT
             " is gone: what is left of it is killed",
             ward->row.name, ward->row.guard);
    amgr_ward_fire(supervisor, ward, AMGR_MACHINE_LOST, "its guard is gone");
}

static void on_started(amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                       const amgr_guard_event_t *event)
{
    char why[64];

    if (event->pid <= 1 || ward->row.pid != 0) {
        return;
    }
    ward->row.pid = event->pid;
    ward->row.start_ticks = event->start_ticks;
    if (supervisor->measure_us == AMGR_NO_TIME ||
        supervisor->measure_us > supervisor->now.mono_us + MEASURE_SOON_US) {
        supervisor->measure_us = supervisor->now.mono_us + MEASURE_SOON_US;
    }
    amgr_supervisor_text(why, sizeof(why), "pid %" APR_PID_T_FMT, event->pid);
    amgr_ward_fire(supervisor, ward, AMGR_MACHINE_STARTED, why);
}

/* Whether it is ready by its own word; one that says now this and now that does
 * not fill the log. */
static void set_stopping(amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                         int is_stopping)
{
    amgr_supervisor_set_ready(supervisor, ward, !is_stopping);
    amgr_say(&supervisor->teller, AMGR_SAY_STATE,
             ward->stops > 1 ? AMGR_LEVEL_DEBUG : AMGR_LEVEL_NOTICE, 0,
             "process %s: it says that it %s", ward->row.name,
             is_stopping ? "stops, and is not ready any more"
                         : "is ready again");
}

/* READY=1 also comes again, after a STOPPING=1 that was none. */
static void on_notified(amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    ward->is_notified = 1;
    if (ward->row.state == AMGR_MANAGED_READY && !ward->row.ready) {
        ward->stopping_due_us = AMGR_NO_TIME;
        amgr_ward_begin_watch(supervisor, ward);
        amgr_ward_set_well(ward);
        set_stopping(supervisor, ward, 0);
    }
    else if (ward->spec->verify.type == AMGR_VERIFY_NOTIFY) {
        amgr_ward_fire(supervisor, ward, AMGR_MACHINE_VERIFIED, "it says so");
    }
}

/* STOPPING=1: let nobody wait for it, nor ask how it is, but leave it its time,
 * which begins with the first word of it. */
static void on_stopping(amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    if (ward->row.state != AMGR_MANAGED_READY || !ward->row.ready) {
        return;
    }
    ward->watchdog_due_us = AMGR_NO_TIME;
    amgr_ward_end_checks(ward);
    ward->stopping_due_us =
        supervisor->now.mono_us + ward->spec->stop_timeout_us;
    ward->stops++;
    amgr_supervisor_text(ward->row.reason, sizeof(ward->row.reason),
                         "it says that it stops");
    set_stopping(supervisor, ward, 1);
}

/* Sums of this run never go back, whatever the guard tells. */
static void on_output(amgr_ward_t *ward, const amgr_guard_event_t *event)
{
    amgr_managed_t *row = &ward->row;
    apr_uint64_t bytes = ward->past_output_bytes + event->output_bytes;
    apr_uint64_t dropped = ward->past_output_dropped + event->output_dropped;

    if (bytes > row->output_bytes) {
        row->output_bytes = bytes;
    }
    if (dropped > row->output_dropped) {
        row->output_dropped = dropped;
    }
}

/* What it writes is lost meanwhile: that is to be seen, too.  Where there is no
 * logger its guard talks nonsense. */
static void on_logger(amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                      int is_failing)
{
    if (ward->spec->output_argv == NULL) {
        return;
    }
    ward->is_logger_failing = is_failing;
    if (ward->row.state == AMGR_MANAGED_RUNNING ||
        (ward->row.state == AMGR_MANAGED_READY && ward->row.ready)) {
        amgr_ward_set_well(ward);
        supervisor->is_dirty = 1;
    }
}

static void on_failed(amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                      const amgr_guard_event_t *event)
{
    char what[2 * AMGR_MANAGED_TEXT_LEN];

    if (ward->row.pid != 0 || ward->is_ended || ward->is_failed) {
        return;
    }
    if (ward->row.state != AMGR_MANAGED_STARTING) {
        ward->is_failed = 1; /* while it was being stopped: the guard ends */
        return;
    }
    amgr_supervisor_text(what, sizeof(what), "%s%s%s",
                         amgr_launch_text(event->stage),
                         event->text[0] == '\0' ? "" : ": ", event->text);
    /* What its own limits leave no room for is a fault of its section. */
    ward->is_in_want =
        is_want(event->error) && (event->stage == AMGR_LAUNCH_NO_FORK ||
                                  event->stage == AMGR_LAUNCH_NO_OUTPUT ||
                                  event->stage == AMGR_LAUNCH_NO_DESCRIPTORS);
    note_fault(supervisor, ward, event->error, what);
}

static void take_event(amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                       const amgr_guard_event_t *event)
{
    switch (event->type) {
    case AMGR_GUARD_STARTED:
        on_started(supervisor, ward, event);
        break;
    case AMGR_GUARD_FAILED:
        on_failed(supervisor, ward, event);
        break;
    case AMGR_GUARD_EXITED:
        amgr_ward_exited(supervisor, ward, event);
        break;
    case AMGR_GUARD_READY:
        on_notified(supervisor, ward);
        break;
    case AMGR_GUARD_STATUS:
        memcpy(ward->row.status, event->text, sizeof(ward->row.status));
        break;
    case AMGR_GUARD_WATCHDOG:
        if (ward->watchdog_due_us != AMGR_NO_TIME) {
            ward->watchdog_due_us =
                supervisor->now.mono_us + ward->spec->liveness.timeout_us;
        }
        break;
    case AMGR_GUARD_STOPPING:
        on_stopping(supervisor, ward);
        break;
    case AMGR_GUARD_OUTPUT:
        on_output(ward, event);
        break;
    case AMGR_GUARD_LOGGER:
        on_logger(supervisor, ward, event->is_failing != 0);
        break;
    case AMGR_GUARD_EMPTY:
        ward->is_empty = 1;
        ward->step = AMGR_WARD_KILLED;
        ward->step_due_us = supervisor->now.mono_us + ANSWER_US;
        break;
    default:
        break;
    }
}

void amgr_ward_listen(amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    amgr_guard_event_t event;
    apr_status_t rv;
    int i;

    for (i = 0; i < EVENTS_MAX; i++) {
        if (ward->guard.fd < 0) {
            return;
        }
        rv = amgr_guard_receive(&ward->guard, &event);
        if (APR_STATUS_IS_EAGAIN(rv)) {
            return;
        }
        if (rv != APR_SUCCESS) {
            lose(supervisor, ward);
            return;
        }
        event.text[sizeof(event.text) - 1] = '\0';
        take_event(supervisor, ward, &event);
    }
    ward->quiet_due_us = supervisor->now.mono_us + QUIET_US;
}

/* Time of this run as one more look has it; the sum never goes back. */
static void note_cpu(amgr_ward_t *ward, apr_uint64_t cpu_us)
{
    if (cpu_us > ward->run_cpu_us) {
        ward->run_cpu_us = cpu_us;
    }
    ward->row.cpu_us = ward->past_cpu_us + ward->run_cpu_us;
}

void amgr_ward_guard_ended(amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                           apr_uint64_t cpu_us)
{
    int i;

    note_cpu(ward, cpu_us);
    /* What it said last is still there to be read; no more than fits a
     * socket. */
    for (i = 0; i < 1024 && ward->guard.fd >= 0; i++) {
        amgr_ward_listen(supervisor, ward);
    }
    ward->guard.pid = 0;
    lose(supervisor, ward);
    supervisor->has_strays = 1; /* until it was looked for them */
    if (!ward->is_lost) {
        amgr_ward_gone(supervisor, ward);
    }
}

void amgr_ward_press(amgr_supervisor_t *supervisor, amgr_ward_t *ward)
{
    ward->step_due_us = supervisor->now.mono_us + ANSWER_US;
    switch (ward->step) {
    case AMGR_WARD_UNTOLD:
    case AMGR_WARD_TOLD:
        amgr_say(&supervisor->teller, AMGR_SAY_STATE, AMGR_LEVEL_NOTICE, 0,
                 "process %s: not gone in time: killed with its tree",
                 ward->row.name);
        ward->step = AMGR_WARD_KILLED;
        amgr_ward_tell(ward, AMGR_GUARD_KILL);
        break;
    case AMGR_WARD_KILLED:
        amgr_say(&supervisor->teller, AMGR_SAY_FAULT, AMGR_LEVEL_WARNING, 0,
                 "process %s: its guard %" APR_PID_T_FMT
                 " does not come to an end: killed",
                 ward->row.name, ward->row.guard);
        ward->step = AMGR_WARD_AXED;
        if (ward->guard.pid > 0) {
            kill(ward->guard.pid, SIGKILL); /* our child, not reaped */
        }
        break;
    default: /* in a wait of the kernel: it will be reaped when that ends */
        ward->step_due_us = AMGR_NO_TIME;
        break;
    }
}

/* Whether MaxMemory is for it: it runs, and is not being stopped. */
static int has_limit(const amgr_ward_t *ward)
{
    return ward->spec->max_memory_bytes > 0 &&
           (ward->row.state == AMGR_MANAGED_RUNNING ||
            ward->row.state == AMGR_MANAGED_READY);
}

void amgr_ward_measure(amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                       amgr_proc_dir_t *proc)
{
    char used[AMGR_UNITS_LEN];
    char limit[AMGR_UNITS_LEN];
    char most[AMGR_UNITS_LEN];
    amgr_tree_t tree;
    apr_status_t rv;

    if (ward->guard.pid <= 0) {
        return;
    }
    rv = amgr_tree_read(proc, ward->guard.pid, &tree);
    if (rv != APR_SUCCESS) {
        if (rv != APR_NOTFOUND) {
            ward->row.memory_bytes = AMGR_UNKNOWN;
            amgr_supervisor_say_blind(supervisor);
        }
        return;
    }
    note_cpu(ward, tree.cpu_us);
    ward->row.tree_count = tree.count;
    ward->row.memory_bytes = tree.count > 0 ? tree.memory_bytes : AMGR_UNKNOWN;
    if (has_limit(ward) && tree.memory_bytes > ward->spec->max_memory_bytes) {
        amgr_size_format(tree.memory_bytes, used, sizeof(used));
        amgr_size_format(ward->spec->max_memory_bytes, most, sizeof(most));
        amgr_size_format_exact((apr_int64_t)ward->spec->max_memory_bytes, limit,
                               sizeof(limit));
        /* As it was configured, and in the unit of the other. */
        amgr_ward_blame(ward, AMGR_MANAGED_EXIT_MEMORY,
                        "uses %s of memory, MaxMemory is %s (%s)", used, limit,
                        most);
        amgr_ward_fire(supervisor, ward, AMGR_MACHINE_OVER_MEMORY, ward->fault);
    }
}
