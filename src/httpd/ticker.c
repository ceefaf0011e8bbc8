/* SPDX-License-Identifier: Apache-2.0
 *
 * See ticker.h.
 */
#include "httpd/ticker.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <http_main.h>

#include "httpd/control.h"
#include "httpd/helper_process.h"
#include "httpd/log.h"
#include "httpd/private_memory.h"
#include "httpd/tick.h"
#include "model/child.h"
#include "proc/proc_child.h"

/** It beats at least this often, whatever the interval. */
#define BEAT_US (500 * 1000)

/** A ticker that has not beaten for so long is taken for dead. */
#define SILENCE_US (5 * APR_USEC_PER_SEC)

/** The first tick comes soon, so that a page has figures. */
#define FIRST_TICK_US (300 * 1000)

/** How long a ticker may finish its tick, and how long a killed one is waited
 * for. */
#define FINISH_US (200 * 1000)
#define REAP_US (500 * 1000)

/** Between two forks of a ticker that ends by itself. */
#define RETRY_US (5 * APR_USEC_PER_SEC)

/** It keeps a descriptor for each worker. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void sleep_us(apr_interval_time_t span_us)
{
    struct timespec span;

    span.tv_sec = (time_t)apr_time_sec(span_us);
    span.tv_nsec = (long)apr_time_usec(span_us) * 1000;
    nanosleep(&span, NULL);
}

/** What the ticker waits with. */
typedef struct waiting_t {
    amgr_tick_t *tick;
    amgr_control_t *control;
    int term_fd; /**< can be read once SIGTERM is there; -1: none to be had */
} waiting_t;

/** A descriptor that SIGTERM, which stays blocked, wakes a poll by. */
static int open_term(void)
{
    sigset_t term;

    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    return signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK);
}

/** Sleep and hear orders, and SIGTERM: never in the middle of a tick, so that
 * each is written down as a whole.  Non-zero when it came. */
static int doze(const waiting_t *waiting, apr_interval_time_t span_us)
{
    static const struct timespec at_once = {0, 0};
    sigset_t term;

    amgr_control_wait(waiting->control, waiting->term_fd, span_us);
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    return sigtimedwait(&term, NULL, &at_once) == SIGTERM;
}

static void end(const waiting_t *waiting)
{
    amgr_control_end(waiting->control);
    amgr_tick_leave(waiting->tick);
    _exit(0);
}

/** Sleep until @a due_us, beating and seeing to orders; ends the process when
 * it is told to or its parent went. */
static void wait_until(const amgr_runtime_t *runtime, const waiting_t *waiting,
                       apr_time_t due_us)
{
    amgr_board_t *board = amgr_runtime_board(runtime);

    for (;;) {
        apr_time_t now_us = amgr_clock_monotonic_us();

        if (getppid() != runtime->parent) {
            end(waiting);
        }
        amgr_board_beat(board, now_us);
        amgr_tick_between(waiting->tick);
        if (now_us >= due_us) {
            return;
        }
        if (amgr_tick_is_urgent(waiting->tick, now_us)) {
            amgr_tick_obey(waiting->tick, NULL);
        }
        amgr_tick_refresh(waiting->tick);
        if (doze(waiting,
                 due_us - now_us < BEAT_US ? due_us - now_us : BEAT_US)) {
            end(waiting);
        }
    }
}

/** Whether the next fork gets the table of children and the board. */
static apr_status_t pass_memory(amgr_runtime_t *runtime, int pass_on)
{
    apr_status_t table = amgr_private_memory_pass_on(
        runtime->children_memory, runtime->children_size, pass_on);
    apr_status_t board = amgr_private_memory_pass_on(
        runtime->board.memory, runtime->board.size, pass_on);

    return table != APR_SUCCESS ? table : board;
}

/** Fork what is to have both, and hold it; -1 with errno. */
static pid_t fork_with_memory(server_rec *s, amgr_runtime_t *runtime)
{
    apr_status_t rv = pass_memory(runtime, 1);
    int is_passed = rv == APR_SUCCESS;
    pid_t pid = -1;
    int error = rv;

    if (is_passed) {
        pid = fork();
        error = errno;
    }
    if (pid != 0) {
        rv = pass_memory(runtime, 0);
        if (rv != APR_SUCCESS) {
            amgr_private_memory_say_open(s, rv);
        }
        errno = error;
    }
    if (pid > 0) {
        runtime->ticker.pidfd = amgr_proc_child_hold(pid);
    }
    return pid > 0 && runtime->ticker.pidfd < 0 ? -1 : pid;
}

/** The ticker's life.  Never returns: no cleanup of the parent's may run. */
static void live(server_rec *s, amgr_runtime_t *runtime,
                 const amgr_wsgi_t *wsgi)
{
    apr_interval_time_t interval_us;
    apr_time_t due_us = amgr_clock_monotonic_us() + FIRST_TICK_US;
    apr_pool_t *pool = NULL;
    waiting_t waiting;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    amgr_helper_process_begin(s, AMGR_HELPER_COMM, NULL, 0);
    raise_descriptor_limit();
    if (pass_memory(runtime, 0) != APR_SUCCESS) {
        _exit(1); /* it forks programs, which run as others */
    }
    runtime->ticker.pid = getpid();
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        _exit(1);
    }
    apr_pool_tag(pool, "amgr_ticker");
    waiting.tick = amgr_tick_create(s, runtime, wsgi, 1, pool);
    if (waiting.tick == NULL) {
        _exit(1);
    }
    waiting.control = amgr_control_create(s, waiting.tick, pool);
    waiting.term_fd = open_term();
    if (waiting.term_fd < 0) {
        amgr_log(s, AMGR_TAG_TICKER, APLOG_WARNING, errno,
                 "nothing wakes the ticker when it is to end: it may be killed "
                 "instead");
    }
    interval_us = amgr_config_main()->limits.interval_us;
    for (;;) {
        wait_until(runtime, &waiting, due_us);
        amgr_tick_run(waiting.tick);
        due_us += interval_us;
        if (due_us < amgr_clock_monotonic_us()) {
            due_us = amgr_clock_monotonic_us() + interval_us;
        }
    }
}

/** It is reaped.  Its pid may be another's soon, whose end must not be taken
 * for its own, so APR forgets it too (which does not check that it knows it).
 * @a s: the log for an end that nobody asked for, or NULL when the logs may be
 * closed already. */
static void note_end(amgr_runtime_t *runtime, server_rec *s, int status)
{
    amgr_counters_t *counters =
        amgr_board_counters(amgr_runtime_board(runtime));

    if (!runtime->ticker.killed) {
        runtime->ticker.failed = 1;
        if (s != NULL) {
            amgr_helper_process_say_end(s, AMGR_TAG_TICKER, "ticker",
                                        runtime->ticker.pid, status);
        }
    }
    counters->errors[AMGR_STAGE_TICKER] += (apr_uint64_t)runtime->ticker.failed;
    runtime->ticker.pid = 0;
    close(runtime->ticker.pidfd);
    runtime->ticker.pidfd = -1;
    runtime->ticker.killed = 0;
    runtime->ticker.failed = 0;
    if (runtime->ticker.registered) {
        apr_proc_other_child_unregister(runtime);
    }
}

/** The MPM's loop has reaped it, or asks us to let go of it at a restart. */
static void on_end(int reason, void *data, int status)
{
    amgr_runtime_t *runtime = data;

    if (reason == APR_OC_REASON_UNREGISTER) {
        runtime->ticker.registered = 0;
        return;
    }
    if (reason != APR_OC_REASON_DEATH && reason != APR_OC_REASON_LOST) {
        return;
    }
    note_end(runtime, ap_server_conf, status);
}

void amgr_ticker_register(amgr_runtime_t *runtime, apr_pool_t *pconf)
{
    apr_proc_t proc;

    if (runtime->ticker.pid == 0 || runtime->ticker.registered) {
        return;
    }
    memset(&proc, 0, sizeof(proc));
    proc.pid = runtime->ticker.pid;
    apr_proc_other_child_register(apr_pmemdup(pconf, &proc, sizeof(proc)),
                                  on_end, runtime, NULL, pconf);
    runtime->ticker.registered = 1;
}

void amgr_ticker_start(server_rec *s, amgr_runtime_t *runtime,
                       const amgr_wsgi_t *wsgi, apr_pool_t *pconf)
{
    amgr_ticker_state_t *ticker = &runtime->ticker;
    apr_time_t now_us = amgr_clock_monotonic_us();
    pid_t pid;

    if (ticker->pid != 0 || now_us < ticker->retry_mono_us) {
        return;
    }
    ticker->retry_mono_us = now_us + RETRY_US;
    pid = fork_with_memory(s, runtime);
    if (pid == 0) {
        live(s, runtime, wsgi);
        _exit(0);
    }
    if (pid < 0) {
        amgr_log(s, AMGR_TAG_TICKER, APLOG_WARNING, errno,
                 "cannot fork the ticker: ticks come from the monitor hook, "
                 "every 10 seconds, until it can");
        return;
    }
    ticker->pid = pid;
    ticker->killed = 0;
    ticker->is_silent = 0;
    ticker->forked_mono_us = now_us;
    amgr_ticker_register(runtime, pconf);
    amgr_log(s, AMGR_TAG_TICKER, APLOG_INFO, 0,
             "ticker %" APR_PID_T_FMT " started", pid);
}

/**
 * Whether it is reaped, by us now or by the MPM's loop before: only then can
 * it never write again.
 */
static int is_reaped(amgr_runtime_t *runtime, server_rec *s)
{
    int status;

    if (runtime->ticker.pid == 0) {
        return 1;
    }
    if (!amgr_proc_child_has_ended(runtime->ticker.pidfd, &status)) {
        return 0;
    }
    note_end(runtime, s, status);
    return 1;
}

/** How long ago it was alive for certain. */
static apr_interval_time_t silence_us(const amgr_runtime_t *runtime)
{
    apr_time_t beat_us = amgr_board_last_beat(amgr_runtime_board(runtime));

    if (beat_us < runtime->ticker.forked_mono_us) {
        beat_us = runtime->ticker.forked_mono_us;
    }
    return amgr_clock_monotonic_us() - beat_us;
}

/** Kill one that has hung.  Not at the first look that finds it silent: when
 * the whole machine or container was stopped, it may be that only we have had a
 * turn since. */
static void check_beat(server_rec *s, amgr_runtime_t *runtime)
{
    amgr_ticker_state_t *ticker = &runtime->ticker;
    apr_interval_time_t silent_us = silence_us(runtime);
    int was_silent = ticker->is_silent;

    ticker->is_silent = silent_us > SILENCE_US;
    if (!was_silent || !ticker->is_silent || ticker->killed) {
        return;
    }
    amgr_log(s, AMGR_TAG_TICKER, APLOG_WARNING, 0,
             "ticker %" APR_PID_T_FMT " has not ticked for %d s: killed, to be "
             "replaced",
             ticker->pid, (int)apr_time_sec(silent_us));
    amgr_proc_child_signal(ticker->pidfd, SIGKILL);
    ticker->killed = 1;
    ticker->failed = 1;
}

int amgr_ticker_check(server_rec *s, amgr_runtime_t *runtime)
{
    if (is_reaped(runtime, s)) {
        return 0;
    }
    check_beat(s, runtime);
    return !is_reaped(runtime, s);
}

/** Poll for its end, at most @a span_us. */
static int wait_for_end(amgr_runtime_t *runtime, apr_interval_time_t span_us)
{
    apr_time_t deadline_us = amgr_clock_monotonic_us() + span_us;

    while (!is_reaped(runtime, NULL)) {
        if (amgr_clock_monotonic_us() > deadline_us) {
            return 0;
        }
        sleep_us(1000);
    }
    return 1;
}

int amgr_ticker_stop(amgr_runtime_t *runtime)
{
    if (is_reaped(runtime, NULL)) {
        return 1;
    }
    runtime->ticker.killed = 1;
    amgr_proc_child_signal(runtime->ticker.pidfd, SIGTERM);
    if (wait_for_end(runtime, FINISH_US)) {
        return 1;
    }
    amgr_proc_child_signal(runtime->ticker.pidfd, SIGKILL);
    return wait_for_end(runtime, REAP_US);
}
