/* SPDX-License-Identifier: Apache-2.0
 *
 * See guard_life.h: what a guard makes of the process it was forked from, and
 * the loop that it lives in.
 */
#include "supervise/guard/guard_life.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/descriptors.h"

/** While a run is coming to its end it looks again so often at least. */
#define LOOK_EVERY_US APR_USEC_PER_SEC

/** For telling the end to a supervisor that does not listen. */
#define LAST_WORDS_US (2 * APR_USEC_PER_SEC)

/** Orders that are heard before others are. */
#define ORDERS_MAX 16

/** What is waited for; the rows of the poll. */
enum {
    ON_ORDERS = 0,
    ON_SIGNAL,
    ON_OUTPUT,
    ON_NOTIFY,
    ON_LAUNCH,
    ON_LOGGER,
    ON_COUNT
};

/** Nobody but the supervisor ends a guard, and the kernel where it is at
 * fault: so what cannot be blocked or means a fault stays as it is. */
static void take_signals(amgr_guard_life_t *life)
{
    static const int kept[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE,
                               SIGILL,  SIGABRT, SIGTRAP, SIGSYS};
    struct sigaction action;
    sigset_t children;
    apr_size_t k;
    int i;

    memset(&action, 0, sizeof(action));
    for (i = 1; i < NSIG; i++) {
        action.sa_handler = SIG_IGN;
        for (k = 0; k < AMGR_COUNT(kept); k++) {
            if (i == kept[k]) {
                action.sa_handler = SIG_DFL;
            }
        }
        sigaction(i, &action, NULL);
    }
    /* Ignored, it would have the kernel reap what we must look at first. */
    action.sa_handler = SIG_DFL;
    action.sa_flags = SA_NOCLDSTOP;
    sigaction(SIGCHLD, &action, NULL);
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_SETMASK, &children, NULL);
    life->signal_fd = signalfd(-1, &children, SFD_NONBLOCK | SFD_CLOEXEC);
}

static int compare_fd(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/** Close all but these, of which some may be -1 or the same. */
static void close_others(int *kept, int count)
{
    int next = 0;
    int i;

    qsort(kept, (size_t)count, sizeof(*kept), compare_fd);
    for (i = 0; i < count; i++) {
        if (kept[i] >= next) {
            amgr_descriptors_close(next, kept[i] - 1);
            next = kept[i] + 1;
        }
    }
    amgr_descriptors_close(next, INT_MAX);
}

/** The first three are always open, so that nothing else gets their numbers:
 * from nowhere; for what a logger of ours says, the error log. */
static void take_standard(const amgr_guard_life_t *life)
{
    int is_inherited = life->spec->output == AMGR_OUTPUT_INHERIT;
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    int i;

    dup2(null_fd, STDIN_FILENO);
    for (i = STDOUT_FILENO; i <= STDERR_FILENO; i++) {
        if (!is_inherited || fcntl(i, F_GETFD) < 0) {
            if (life->setup->log_fd != i) {
                dup2(null_fd, i);
            }
        }
    }
    if (!is_inherited && life->setup->log_fd >= 0 &&
        life->setup->log_fd != STDERR_FILENO) {
        dup2(life->setup->log_fd, STDERR_FILENO);
    }
    if (null_fd > STDERR_FILENO) {
        close(null_fd);
    }
}

/** The supervisor's other descriptors go first thing: among them are its ends
 * of other guards, whose leash they are. */
static void take_descriptors(amgr_guard_life_t *life, int fd)
{
    int kept[] = {
        STDIN_FILENO,        STDOUT_FILENO,        STDERR_FILENO,       fd,
        life->setup->log_fd, life->setup->hold_fd, life->setup->lock_fd};

    close_others(kept, (int)AMGR_COUNT(kept));
    take_standard(life);
}

/** The supervisor is gone, and will not say when it is time to kill. */
static void lose_supervisor(amgr_guard_life_t *life)
{
    apr_interval_time_t mercy = life->spec->stop_timeout_us;
    apr_time_t due;

    if (mercy < 0 || mercy > AMGR_GUARD_MERCY_US) {
        mercy = AMGR_GUARD_MERCY_US;
    }
    due = life->now_mono_us + mercy;
    close(life->voice.fd);
    life->voice.fd = -1;
    if (!life->is_stopping) {
        amgr_guard_stop(life);
    }
    if (life->phase < AMGR_GUARD_PHASE_DRAIN &&
        (life->kill_mono_us == AMGR_NO_TIME || life->kill_mono_us > due)) {
        life->kill_mono_us = due;
    }
}

/** Where that fails it is said in the old one. */
static void change_log(const amgr_guard_life_t *life, int fd)
{
    int log_fd = life->setup->log_fd;

    if (dup3(fd, log_fd, log_fd > STDERR_FILENO ? O_CLOEXEC : 0) < 0 ||
        (log_fd != STDERR_FILENO && life->spec->output != AMGR_OUTPUT_INHERIT &&
         dup2(fd, STDERR_FILENO) < 0)) {
        amgr_say(&life->setup->teller, AMGR_SAY_LOGGER, AMGR_LEVEL_WARNING,
                 errno, "process %s: cannot change to the new error log",
                 life->spec->name);
    }
}

/** @a fd: what came with it, or -1. */
static void reopen(amgr_guard_life_t *life, int fd)
{
    if (fd >= 0 && life->setup->log_fd >= 0) {
        change_log(life, fd);
    }
    amgr_output_reopen(&life->output);
}

static void obey(amgr_guard_life_t *life, int order, int fd)
{
    switch (order) {
    case AMGR_GUARD_STOP:
        amgr_guard_stop(life);
        break;
    case AMGR_GUARD_KILL:
        amgr_guard_kill(life);
        break;
    case AMGR_GUARD_REOPEN:
        reopen(life, fd);
        break;
    default:
        break; /* of a supervisor that knows more than we do */
    }
    if (fd >= 0) {
        close(fd);
    }
}

/** The descriptor that came with a message, or -1. */
static int descriptor_of(struct msghdr *message)
{
    struct cmsghdr *part = CMSG_FIRSTHDR(message);
    int fd = -1;

    if (part != NULL && part->cmsg_level == SOL_SOCKET &&
        part->cmsg_type == SCM_RIGHTS &&
        part->cmsg_len == CMSG_LEN(sizeof(fd))) {
        memcpy(&fd, CMSG_DATA(part), sizeof(fd));
    }
    return fd;
}

/** One order; 0 when there is none. */
static int hear_order(amgr_guard_life_t *life)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    apr_int32_t order = -1;
    struct iovec vector = {&order, sizeof(order)};
    struct msghdr message;
    ssize_t len;

    memset(&message, 0, sizeof(message));
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    len = recvmsg(life->voice.fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (len < 0 && (errno == EINTR || errno == ECONNRESET)) {
        return 1; /* what it said before its end comes next */
    }
    if (len < 0) {
        return 0;
    }
    if (len == 0) {
        lose_supervisor(life);
        return 0;
    }
    obey(life, len == (ssize_t)sizeof(order) ? order : -1,
         descriptor_of(&message));
    return 1;
}

static void hear_orders(amgr_guard_life_t *life)
{
    int i;

    for (i = 0; i < ORDERS_MAX && life->voice.fd >= 0 && hear_order(life);
         i++) {
        /* the next one */
    }
}

/** Only where the output is ours to read: a logger reads for itself. */
static int output_to_read(const amgr_guard_life_t *life)
{
    if (life->spec->output == AMGR_OUTPUT_PIPE &&
        (life->logger.pid != 0 || !life->logger.is_failing)) {
        return -1;
    }
    return life->output.read_fd;
}

static void hear_output(amgr_guard_life_t *life)
{
    if (life->spec->output == AMGR_OUTPUT_PIPE) {
        amgr_output_drop(&life->output);
    }
    else {
        amgr_output_read(&life->output, life->now_mono_us);
    }
}

static void sooner(apr_time_t *due, apr_time_t other)
{
    if (other != AMGR_NO_TIME && (*due == AMGR_NO_TIME || other < *due)) {
        *due = other;
    }
}

static int is_pausing(const amgr_guard_life_t *life)
{
    return life->notify.fd >= 0 &&
           life->notify.pause_mono_us > life->now_mono_us;
}

/** When there is something to do even if nothing happens. */
static apr_time_t next_due(const amgr_guard_life_t *life)
{
    apr_time_t due = life->voice_mono_us;

    sooner(&due, life->kill_mono_us);
    if (life->is_killing) {
        sooner(&due, life->pass_mono_us);
    }
    sooner(&due, amgr_output_due(&life->output));
    if (life->phase >= AMGR_GUARD_PHASE_END) {
        sooner(&due, life->now_mono_us + LOOK_EVERY_US);
    }
    if (life->phase == AMGR_GUARD_PHASE_DRAIN &&
        life->drain_mono_us > life->now_mono_us) {
        sooner(&due, life->drain_mono_us);
    }
    if (is_pausing(life)) {
        sooner(&due, life->notify.pause_mono_us);
    }
    if (amgr_guard_wants_logger(life) ||
        (life->told_failing && life->phase == AMGR_GUARD_PHASE_RUN &&
         life->logger.state == AMGR_LOGGER_RUNS)) {
        sooner(&due, amgr_logger_due(&life->logger));
    }
    return due;
}

static void wait_for(const amgr_guard_life_t *life, struct pollfd *rows)
{
    apr_time_t due = next_due(life);
    apr_time_t wait_us = 0;
    int i;

    memset(rows, 0, sizeof(*rows) * ON_COUNT);
    for (i = 0; i < ON_COUNT; i++) {
        rows[i].events = POLLIN;
    }
    rows[ON_ORDERS].fd = life->voice.fd;
    rows[ON_ORDERS].events =
        (short)(POLLIN | (life->voice.is_stuck ? POLLOUT : 0));
    rows[ON_SIGNAL].fd = life->signal_fd;
    rows[ON_OUTPUT].fd = output_to_read(life);
    rows[ON_NOTIFY].fd = is_pausing(life) ? -1 : life->notify.fd;
    rows[ON_LAUNCH].fd = life->report_fd;
    rows[ON_LOGGER].fd = life->logger.report_fd;
    if (due != AMGR_NO_TIME) {
        wait_us = due - amgr_clock_monotonic_us();
        wait_us = wait_us < 0 ? 0 : wait_us;
    }
    if (poll(rows, ON_COUNT,
             due == AMGR_NO_TIME ? -1 : (int)((wait_us + 999) / 1000)) < 0) {
        for (i = 0; i < ON_COUNT; i++) {
            rows[i].revents = 0;
        }
    }
}

/** The sums of a run, as often as the voice lets them through. */
static void tell_output(amgr_guard_life_t *life)
{
    amgr_guard_event_t *event;

    if (life->output.bytes == life->told_bytes &&
        life->output.dropped == life->told_dropped) {
        return;
    }
    life->told_bytes = life->output.bytes;
    life->told_dropped = life->output.dropped;
    event = amgr_guard_voice_add(&life->voice, AMGR_GUARD_OUTPUT);
    event->output_bytes = life->told_bytes;
    event->output_dropped = life->told_dropped;
}

/** Of a process that runs: without its first logger it is not started. */
static void tell_logger(amgr_guard_life_t *life)
{
    int is_failing = amgr_logger_is_bad(&life->logger, life->now_mono_us);
    amgr_guard_event_t *event;

    if (life->phase == AMGR_GUARD_PHASE_RUN &&
        is_failing != life->told_failing) {
        life->told_failing = is_failing;
        event = amgr_guard_voice_add(&life->voice, AMGR_GUARD_LOGGER);
        event->is_failing = is_failing;
    }
}

/** What happened, in an order in which the end of the process comes last. */
static void take_turn(amgr_guard_life_t *life, const struct pollfd *rows)
{
    struct signalfd_siginfo info[8];
    int has_signal = rows[ON_SIGNAL].revents != 0;

    while (has_signal && read(life->signal_fd, info, sizeof(info)) > 0) {
        /* one look at all children serves all of them */
    }
    if (rows[ON_OUTPUT].revents != 0) {
        hear_output(life);
    }
    if (rows[ON_NOTIFY].revents != 0) {
        amgr_guard_hear_notices(life);
    }
    if (rows[ON_LOGGER].revents != 0) {
        amgr_guard_hear_logger(life);
    }
    if (rows[ON_LAUNCH].revents != 0) {
        amgr_guard_hear_launch(life);
    }
    if (rows[ON_ORDERS].revents != 0) {
        hear_orders(life);
    }
    amgr_output_look(&life->output, life->now_mono_us);
    amgr_guard_tick(life);
    if (has_signal || life->phase >= AMGR_GUARD_PHASE_END) {
        amgr_guard_reap(life);
    }
    tell_output(life);
    tell_logger(life);
}

/** Nothing is left.  A supervisor that is gone or asleep learns it from the
 * end of the guard. */
static void end(amgr_guard_life_t *life) __attribute__((noreturn));

static void end(amgr_guard_life_t *life)
{
    apr_time_t deadline;
    struct pollfd row;

    amgr_output_close(&life->output);
    tell_output(life);
    if (!life->has_failed) {
        amgr_guard_voice_add(&life->voice, AMGR_GUARD_EMPTY);
    }
    /* Nothing waits for its turn any more. */
    memset(life->voice.sent_mono_us, 0, sizeof(life->voice.sent_mono_us));
    deadline = amgr_clock_monotonic_us() + LAST_WORDS_US;
    do {
        life->now_mono_us = amgr_clock_monotonic_us();
        amgr_guard_voice_send(&life->voice, life->now_mono_us);
        row.fd = life->voice.fd;
        row.events = POLLOUT;
    } while (life->voice.waiting != 0 && life->now_mono_us < deadline &&
             poll(&row, 1, 100) >= 0);
    _exit(0);
}

void amgr_guard_live(const amgr_guard_setup_t *setup, const amgr_spec_t *spec,
                     int fd)
{
    amgr_guard_life_t life;
    struct pollfd rows[ON_COUNT];

    memset(&life, 0, sizeof(life));
    life.setup = setup;
    life.spec = spec;
    life.output.read_fd = -1;
    life.output.file_fd = -1;
    life.notify.fd = -1;
    life.write_fd = -1;
    life.report_fd = -1;
    life.kill_mono_us = AMGR_NO_TIME;
    life.drain_mono_us = AMGR_NO_TIME;
    life.voice_mono_us = AMGR_NO_TIME;
    /* Where lines go to syslog libc knows its descriptor by a number, which is
     * another's when the descriptor is closed behind its back. */
    closelog();
    take_descriptors(&life, fd);
    prctl(PR_SET_NAME, AMGR_GUARD_COMM);
    setsid(); /* cannot fail: a fresh process leads no group */
    /* One that somebody has stopped goes on when the supervisor is gone, since
     * nobody is left then who could kill it. */
    prctl(PR_SET_PDEATHSIG, SIGCONT);
    amgr_guard_voice_init(&life.voice, fd);
    amgr_logger_init(&life.logger, spec, &setup->teller);
    take_signals(&life);
    life.now_mono_us = amgr_clock_monotonic_us();
    amgr_guard_begin(&life);
    amgr_guard_reap(&life); /* it may be over already */
    while (life.phase != AMGR_GUARD_PHASE_OVER) {
        life.voice_mono_us =
            amgr_guard_voice_send(&life.voice, life.now_mono_us);
        wait_for(&life, rows);
        life.now_mono_us = amgr_clock_monotonic_us();
        take_turn(&life, rows);
    }
    end(&life);
}
