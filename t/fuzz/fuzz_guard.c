/* SPDX-License-Identifier: Apache-2.0
 *
 * A guard from its beginning to its end, among whatever its process, its
 * logger, its supervisor and the kernel may do in any order.  Checked besides
 * memory: the process is started once, nobody is signalled who may be another
 * by now, no descriptor is closed twice or kept, what the supervisor is told
 * makes sense, and a guard whose supervisor is gone has ended everything in a
 * bounded time; it neither waits for what will not come nor spins.
 */
#include "guard_peers.h"

#include <sys/signalfd.h>

#include "base/units.h"

apr_time_t __wrap_amgr_clock_monotonic_us(void);
int __real_poll(struct pollfd *rows, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *rows, nfds_t count, int timeout_ms);
ssize_t __real_read(int fd, void *buf, size_t size);
ssize_t __wrap_read(int fd, void *buf, size_t size);
int __wrap_signalfd(int fd, const sigset_t *mask, int flags);
int __real_sigaction(int sig, const struct sigaction *action,
                     struct sigaction *old);
int __wrap_sigaction(int sig, const struct sigaction *action,
                     struct sigaction *old);
int __real_sigprocmask(int how, const sigset_t *set, sigset_t *old);
int __wrap_sigprocmask(int how, const sigset_t *set, sigset_t *old);
int __wrap_prctl(int option, ...);
pid_t __wrap_setsid(void);
void __real__exit(int code) __attribute__((noreturn));
void __wrap__exit(int code) __attribute__((noreturn));

apr_time_t __wrap_amgr_clock_monotonic_us(void)
{
    return world.now_us;
}

int __wrap_signalfd(int fd, const sigset_t *mask, int flags)
{
    check(fd == -1 && sigismember(mask, SIGCHLD) == 1);
    check((flags & SFD_NONBLOCK) != 0);
    world.signal_fd = open_fd();
    return world.signal_fd;
}

int __wrap_sigaction(int sig, const struct sigaction *action,
                     struct sigaction *old)
{
    return world.is_inside ? 0 : __real_sigaction(sig, action, old);
}

int __wrap_sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
    return world.is_inside ? 0 : __real_sigprocmask(how, set, old);
}

int __wrap_prctl(int option, ...)
{
    (void)option; /* as if it were so */
    check(world.is_inside);
    return 0;
}

pid_t __wrap_setsid(void)
{
    return SELF_PID;
}

ssize_t __wrap_read(int fd, void *buf, size_t size)
{
    if (!world.is_inside) {
        return __real_read(fd, buf, size);
    }
    check(fd == world.signal_fd);
    if (!world.has_signal) {
        errno = EAGAIN;
        return -1;
    }
    world.has_signal = 0;
    return (ssize_t)size;
}

/* ---- what happens ------------------------------------------------------- */

static void execute(child_t *child)
{
    if (child != NULL && !child->has_ended &&
        child->report->fault == AMGR_LAUNCH_FINE) {
        child->is_executed = 1;
        child->report->is_over = 1;
    }
}

static void fault(child_t *child, int stage)
{
    if (child != NULL && !child->has_ended && !child->is_executed) {
        child->report->fault = stage;
    }
}

static void order(int which)
{
    static const int orders[] = {
        AMGR_GUARD_STOP, AMGR_GUARD_KILL, AMGR_GUARD_REOPEN, 99, -1, -2};

    if (world.order_count < (int)AMGR_COUNT(world.orders) && !world.is_alone) {
        world.orders[world.order_count++] = orders[which];
    }
}

static void happen(void)
{
    child_t *process = find_child(PROCESS);
    child_t *logger = find_child(LOGGER);

    switch (fuzz_below(&world.in, 20)) {
    case 0:
    case 1:
        order(fuzz_below(&world.in, 6));
        break;
    case 2:
    case 3:
        execute(process);
        break;
    case 4:
        execute(logger);
        break;
    case 5:
        fault(fuzz_below(&world.in, 2) ? logger : process,
              1 + fuzz_below(&world.in, AMGR_LAUNCH_STAGE_COUNT - 1));
        break;
    case 6:
    case 7:
        end_child(process, (int)fuzz_bits(&world.in, 1) << 8);
        break;
    case 8:
        end_child(process, 1 + fuzz_below(&world.in, 31));
        break;
    case 9:
        end_child(logger, (int)fuzz_bits(&world.in, 1) << 8);
        break;
    case 10:
    case 11:
        if (process != NULL && process->is_executed && !process->has_ended) {
            (void)add_child(STRAY); /* or there are too many */
        }
        break;
    case 12:
        end_child(find_child(STRAY), 0);
        break;
    case 13:
        world.has_output = 1;
        break;
    case 14:
        world.has_notice = world.notify_fd >= 0;
        break;
    case 15:
        world.is_deaf = !world.is_deaf;
        break;
    case 16:
        world.is_stubborn = !world.is_stubborn;
        break;
    case 17:
        world.is_alone = fuzz_below(&world.in, 4) == 3 || world.is_alone;
        break;
    default:
        break; /* only time passes */
    }
}

/* What could not be executed ends by itself. */
static void settle(child_t *child)
{
    execute(child);
    if (child != NULL && child->report->fault != AMGR_LAUNCH_FINE) {
        end_child(child, 127 << 8);
    }
}

/* The input is over. */
static void calm_down(void)
{
    world.is_alone = 1;
    world.is_deaf = 0;
    world.is_stubborn = 0;
    settle(find_child(PROCESS));
    settle(find_child(LOGGER));
}

static int is_ready(const struct pollfd *row)
{
    const report_t *report;

    if (row->fd < 0) {
        return 0;
    }
    check(is_open(row->fd));
    if (row->fd == world.voice_fd) {
        return ((row->events & POLLIN) &&
                (world.order_count > 0 || world.is_alone)) ||
               ((row->events & POLLOUT) && !world.is_deaf);
    }
    if (row->fd == world.signal_fd) {
        return world.has_signal;
    }
    if (row->fd == world.output_fd) {
        return world.has_output || !has_writers();
    }
    if (row->fd == world.notify_fd) {
        return world.has_notice;
    }
    report = &world.reports[row->fd - FIRST_FD];
    return report->is_over || report->fault != AMGR_LAUNCH_FINE;
}

static int look(struct pollfd *rows, nfds_t count)
{
    int ready = 0;
    nfds_t i;

    for (i = 0; i < count; i++) {
        rows[i].revents = is_ready(&rows[i]) ? POLLIN : 0;
        ready += rows[i].revents != 0;
    }
    return ready;
}

int __wrap_poll(struct pollfd *rows, nfds_t count, int timeout_ms)
{
    int is_calm = fuzz_left(&world.in) == 0;
    apr_time_t passed_us;
    int ready;

    if (!world.is_inside) {
        return __real_poll(rows, count, timeout_ms);
    }
    if (!is_calm) {
        world.looks = 0;
        happen();
    }
    else {
        calm_down();
    }
    check(++world.looks < LOOKS_MAX);
    ready = look(rows, count);
    if (ready > 0 || timeout_ms == 0) {
        return ready;
    }
    check(timeout_ms > 0 || !is_calm);
    passed_us =
        timeout_ms > 0 ? (apr_time_t)timeout_ms * 1000 : APR_USEC_PER_SEC;
    if (!is_calm) {
        passed_us = passed_us * (1 + fuzz_below(&world.in, 8)) / 8;
    }
    world.now_us += passed_us;
    return look(rows, count);
}

void __wrap__exit(int code)
{
    if (!world.is_inside) {
        __real__exit(code);
    }
    check(code == 0);
    world.is_inside = 0;
    longjmp(world.over, 1);
}

/* ---- a run -------------------------------------------------------------- */

static void hear_line(void *baton, int what, int level, int error,
                      const char *text)
{
    (void)baton;
    (void)error;
    check(what >= 0 && what < AMGR_SAY_COUNT);
    check(level >= 0 && level < AMGR_LEVEL_COUNT);
    check(strncmp(text, "process fuzz: ", 14) == 0);
    check_line_text(text);
}

static void make_spec(apr_pool_t *pool)
{
    static char program[] = "/bin/web";
    static char logger_program[] = "/bin/logger";
    static char *argv[] = {program, NULL};
    static char *logger[] = {logger_program, NULL};

    check(amgr_spec_create("fuzz", &spec, pool) == NULL);
    spec->argv = argv;
    spec->output_argv = logger;
    spec->output = fuzz_below(&world.in, AMGR_OUTPUT_COUNT);
    spec->stop_signal = fuzz_below(&world.in, 2) ? SIGTERM : SIGINT;
    spec->stop_timeout_us =
        fuzz_below(&world.in, 4) == 3
            ? AMGR_LIMIT_OFF
            : 1 + (apr_interval_time_t)(fuzz_bits(&world.in, 3));
    if (fuzz_below(&world.in, 2)) {
        spec->verify.type = AMGR_VERIFY_NOTIFY;
    }
}

/* Nobody is left, and the supervisor knows as much as it could be told. */
static void check_end(void)
{
    int i;

    for (i = 0; i < CHILDREN; i++) {
        check(world.children[i].what == NOBODY);
    }
    check(world.is_alone || world.is_deaf ||
          (world.told & (BIT(AMGR_GUARD_EMPTY) | BIT(AMGR_GUARD_FAILED))) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    amgr_guard_setup_t setup = {.teller = {hear_line, NULL},
                                .log_fd = LOG_FD,
                                .hold_fd = -1,
                                .lock_fd = -1,
                                .default_user = "nobody"};
    apr_pool_t *pool = fuzz_pool();

    memset(&world, 0, sizeof(world));
    world.in.at = data;
    world.in.end = data + size;
    world.now_us = APR_USEC_PER_SEC;
    world.next_pid = FIRST_PID;
    world.output_fd = world.notify_fd = world.signal_fd = -1;
    make_spec(pool);
    world.voice_fd = open_fd();
    if (setjmp(world.over) == 0) {
        world.is_inside = 1;
        amgr_guard_live(&setup, spec, world.voice_fd);
    }
    check_end();
    apr_pool_destroy(pool);
    return 0;
}
