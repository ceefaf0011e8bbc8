/* SPDX-License-Identifier: Apache-2.0
 *
 * The supervisor's life: a loop around poll(2).
 */
#include "supervise/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "supervise/supervisor_parts.h"

/** It wakes at least this often, and beats. */
#define TURN_US (500 * 1000)

/** Strays are looked for again so soon; one that not even SIGKILL ends, since
 * it is in a wait of the kernel's, is not looked for that often for long. */
#define STRAYS_US (20 * 1000)
#define STRAYS_SOON 50

/** How often trees are measured. */
#define MEASURE_US (2 * APR_USEC_PER_SEC)

/** It is said that the last supervisor's guards take longer than they may. */
#define WARN_US (10 * APR_USEC_PER_SEC)

/** The signals, the parent, the last run, guards and orders. */
#define ENTRIES_MAX (3 + AMGR_WARDS_MAX + AMGR_ORDER_CLIENTS_MAX + 1)

typedef struct polled_t {
    struct pollfd entries[ENTRIES_MAX];
    int count;
    int orders; /**< where those begin */
} polled_t;

static void add(polled_t *polled, int fd, short events)
{
    struct pollfd *entry = &polled->entries[polled->count++];

    entry->fd = fd; /* one below 0 is left alone by poll() */
    entry->events = events;
    entry->revents = 0;
}

static void list(amgr_supervisor_t *supervisor, polled_t *polled)
{
    int i;

    polled->count = 0;
    add(polled, supervisor->signal_fd, POLLIN);
    add(polled, supervisor->setup.parent_fd, POLLIN);
    add(polled, supervisor->is_waiting ? supervisor->setup.wait_fd : -1, 0);
    for (i = 0; i < supervisor->ward_count; i++) {
        const amgr_ward_t *ward = supervisor->wards[i];

        add(polled, ward->quiet_due_us == AMGR_NO_TIME ? ward->guard.fd : -1,
            POLLIN);
    }
    polled->orders = polled->count;
    polled->count += amgr_order_socket_list(supervisor->orders,
                                            polled->entries + polled->count);
}

static apr_time_t sooner(apr_time_t a_us, apr_time_t b_us)
{
    return b_us != AMGR_NO_TIME && b_us < a_us ? b_us : a_us;
}

static int timeout_ms(const amgr_supervisor_t *supervisor)
{
    apr_time_t now_us = amgr_clock_monotonic_us();
    apr_time_t due_us = now_us + TURN_US;
    int i;

    if (supervisor->has_strays && supervisor->stray_looks < STRAYS_SOON) {
        due_us = now_us + STRAYS_US;
    }
    due_us = sooner(due_us, supervisor->measure_us);
    due_us = sooner(due_us, supervisor->end_due_us);
    due_us = sooner(due_us, supervisor->expect_us);
    if (supervisor->is_waiting && supervisor->setup.wait_fd < 0) {
        due_us = sooner(due_us, supervisor->left_look_us);
    }
    due_us = sooner(due_us, amgr_order_socket_due(supervisor->orders));
    for (i = 0; i < supervisor->ward_count; i++) {
        due_us = sooner(due_us, amgr_ward_due(supervisor->wards[i]));
    }
    return due_us <= now_us ? 0 : (int)((due_us - now_us) / 1000 + 1);
}

/** SIGTERM: from whoever stops all processes of a service alike.  Others only
 * wake us: SIGCHLD, and SIGCONT, which the kernel sends when the parent has
 * ended. */
static void hear_signals(amgr_supervisor_t *supervisor)
{
    struct signalfd_siginfo info;

    while (read(supervisor->signal_fd, &info, sizeof(info)) ==
           (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGTERM &&
            getppid() == supervisor->setup.parent) {
            supervisor->is_signalled |= supervisor->phase < AMGR_PHASE_ENDING;
            amgr_supervisor_leave(supervisor, AMGR_PHASE_ENDING);
        }
    }
}

static void look_at_last_run(amgr_supervisor_t *supervisor)
{
    struct pollfd entry = {supervisor->setup.wait_fd, 0, 0};

    if (!supervisor->is_waiting) {
        return;
    }
    if (entry.fd >= 0 && poll(&entry, 1, 0) > 0) {
        close(entry.fd);
        supervisor->setup.wait_fd = entry.fd = -1;
    }
    if (entry.fd < 0 && amgr_supervisor_lock(supervisor)) {
        supervisor->is_waiting = !amgr_supervisor_end_left(supervisor);
    }
    else if (!supervisor->is_warned &&
             supervisor->now.mono_us - supervisor->begun_us > WARN_US) {
        supervisor->is_warned = 1;
        amgr_say(&supervisor->teller, AMGR_SAY_SUPERVISOR, AMGR_LEVEL_WARNING,
                 0,
                 "processes of the last supervisor have not ended yet: none is "
                 "started before");
    }
}

static void measure(amgr_supervisor_t *supervisor)
{
    int is_on = 0;
    int i;

    if (supervisor->measure_us == AMGR_NO_TIME ||
        supervisor->now.mono_us < supervisor->measure_us) {
        return;
    }
    for (i = 0; i < supervisor->ward_count; i++) {
        if (amgr_ward_is_on(supervisor->wards[i])) {
            is_on = 1;
            amgr_ward_measure(supervisor, supervisor->wards[i],
                              &supervisor->proc);
        }
    }
    supervisor->measure_us =
        is_on ? supervisor->now.mono_us + MEASURE_US : AMGR_NO_TIME;
    supervisor->is_dirty |= is_on;
}

static void postpone(apr_time_t *due_us, apr_interval_time_t span_us)
{
    if (*due_us != AMGR_NO_TIME) {
        *due_us += span_us;
    }
}

/** What time it is; all that others have a time for waits for as long as nobody
 * had a turn. */
static void read_clock(amgr_supervisor_t *supervisor)
{
    apr_time_t last_us = supervisor->now.mono_us;
    apr_interval_time_t away_us;
    int i;

    amgr_clock_read(&supervisor->now);
    away_us = supervisor->now.mono_us - last_us;
    if (away_us < (supervisor->setup.away_us > 0 ? supervisor->setup.away_us
                                                 : AMGR_AWAY_US)) {
        return;
    }
    postpone(&supervisor->end_due_us, away_us);
    postpone(&supervisor->expect_us, away_us);
    supervisor->left_kill_us += away_us;
    supervisor->left_until_us += away_us;
    for (i = 0; i < supervisor->ward_count; i++) {
        amgr_ward_postpone(supervisor->wards[i], away_us);
    }
}

/** There may have been no descriptor for it. */
static void open_proc(amgr_supervisor_t *supervisor)
{
    apr_status_t rv;

    if (supervisor->proc.fd >= 0) {
        return;
    }
    rv = amgr_proc_dir_open(&supervisor->proc, "/proc");
    if (rv != APR_SUCCESS) {
        supervisor->proc.last = rv == APR_NOTFOUND ? ENOENT : rv;
        amgr_supervisor_say_blind(supervisor);
    }
}

/** Everything that can be done without waiting. */
static void turn(amgr_supervisor_t *supervisor, const polled_t *polled)
{
    int i;

    read_clock(supervisor);
    open_proc(supervisor);
    hear_signals(supervisor);
    if (getppid() != supervisor->setup.parent) {
        amgr_supervisor_flee(supervisor);
    }
    look_at_last_run(supervisor);
    for (i = 0; i < supervisor->ward_count; i++) {
        if (supervisor->wards[i]->quiet_due_us == AMGR_NO_TIME) {
            amgr_ward_listen(supervisor, supervisor->wards[i]);
        }
    }
    amgr_supervisor_reap(supervisor);
    for (i = 0; i < supervisor->ward_count; i++) {
        amgr_ward_look(supervisor, supervisor->wards[i]);
    }
    measure(supervisor);
    amgr_supervisor_settle(supervisor);
    amgr_supervisor_hear_parent(supervisor);
    amgr_supervisor_look_expected(supervisor);
    amgr_supervisor_publish(supervisor, 0);
    amgr_order_socket_serve(supervisor->orders,
                            polled->entries + polled->orders,
                            polled->count - polled->orders);
    amgr_supervisor_look_done(supervisor);
    amgr_supervisor_publish(supervisor, 0);
}

/** Whether there is nothing left to do. */
static int is_over(const amgr_supervisor_t *supervisor)
{
    if (supervisor->phase >= AMGR_PHASE_ENDING) {
        return !amgr_supervisor_is_busy(supervisor) ||
               (supervisor->end_due_us != AMGR_NO_TIME &&
                supervisor->now.mono_us >= supervisor->end_due_us);
    }
    return supervisor->is_applied && supervisor->ward_count == 0;
}

static void end(amgr_supervisor_t *supervisor)
{
    supervisor->phase = AMGR_PHASE_ENDING;
    supervisor->table.supervisor = 0;
    supervisor->table.socket[0] = '\0';
    amgr_order_socket_end(supervisor->orders);
    amgr_supervisor_unlock(supervisor);
    amgr_supervisor_publish(supervisor, 1);
    amgr_say(&supervisor->teller, AMGR_SAY_SUPERVISOR, AMGR_LEVEL_INFO, 0,
             "supervisor %" APR_PID_T_FMT " ends", getpid());
    _exit(0);
}

/** Signals are read, not taken; what guards and attempts inherit of that they
 * undo themselves. */
static int open_signals(void)
{
    static const int ignored[] = {SIGHUP,  SIGUSR1, SIGUSR2, SIGWINCH, SIGINT,
                                  SIGQUIT, SIGPIPE, SIGXFSZ, SIGALRM,  SIGTSTP};
    sigset_t set;
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(ignored); i++) {
        signal(ignored[i], SIG_IGN);
    }
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGCONT);
    sigprocmask(SIG_SETMASK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static amgr_supervisor_t *create(const amgr_supervisor_setup_t *setup)
{
    amgr_supervisor_t *supervisor;
    apr_pool_t *pool;

    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return NULL;
    }
    apr_pool_tag(pool, "amgr_supervisor");
    supervisor = apr_pcalloc(pool, sizeof(*supervisor));
    supervisor->setup = *setup;
    supervisor->teller = setup->guard.teller;
    supervisor->pool = pool;
    supervisor->measure_us = AMGR_NO_TIME;
    supervisor->end_due_us = AMGR_NO_TIME;
    supervisor->expect_us = AMGR_NO_TIME;
    supervisor->blind_us = AMGR_NO_TIME;
    supervisor->is_waiting = setup->wait_fd >= 0 || setup->lock_file != NULL;
    supervisor->lock_fd = -1;
    supervisor->setup.guard.lock_fd = -1;
    supervisor->proc.fd = -1;
    amgr_clock_read(&supervisor->now);
    supervisor->begun_us = supervisor->now.mono_us;
    supervisor->table.supervisor = getpid();
    supervisor->table.application = AMGR_APPLICATION_STARTING;
    supervisor->orders =
        amgr_order_socket_create(supervisor, &supervisor->teller, pool);
    return supervisor;
}

void amgr_supervisor_run(const amgr_supervisor_setup_t *setup)
{
    amgr_supervisor_t *supervisor;
    polled_t polled;

    setpgid(0, 0); /* a signal to httpd's group is not for it */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    supervisor = create(setup);
    if (supervisor == NULL) {
        _exit(1);
    }
    supervisor->signal_fd = open_signals();
    if (supervisor->signal_fd < 0) {
        amgr_say(&supervisor->teller, AMGR_SAY_SUPERVISOR, AMGR_LEVEL_ERR,
                 errno, "cannot hear signals: the supervisor ends");
        _exit(1); /* the parent begins another */
    }
    /* Even if somebody has stopped us by then. */
    prctl(PR_SET_PDEATHSIG, SIGCONT);
    open_proc(supervisor);
    amgr_supervisor_inherit(supervisor);
    memset(&polled, 0, sizeof(polled));
    for (;;) {
        turn(supervisor, &polled);
        if (is_over(supervisor)) {
            end(supervisor);
        }
        list(supervisor, &polled);
        if (poll(polled.entries, (nfds_t)polled.count, timeout_ms(supervisor)) <
            0) {
            memset(polled.entries, 0, sizeof(polled.entries));
        }
    }
}
