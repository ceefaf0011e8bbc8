/* SPDX-License-Identifier: Apache-2.0
 *
 * What a guard has around it: the kernel with its children, descriptors and
 * clock; guard_peers.h has its supervisor and what its process says.
 * Time passes only while the guard waits; what happens meanwhile is taken from
 * the input, and when that is over everybody does what makes least trouble but
 * the process, which ends by SIGKILL alone.
 */
#ifndef AMGR_GUARD_WORLD_H
#define AMGR_GUARD_WORLD_H

#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "supervise/guard/guard_life.h"
#include "supervise/guard/launch.h"

/** Descriptors of this world begin here. */
#define FIRST_FD 5000
#define FDS 64

#define CHILDREN 16
#define LOG_FD 4000 /**< the error log's, which is not the guard's */
#define SELF_PID 400
#define FIRST_PID 500

/** Without an event the guard may look as often as this. */
#define LOOKS_MAX 5000

typedef enum what_e {
    NOBODY = 0, /**< was reaped, or was never there */
    PROCESS,
    LOGGER,
    STRAY /**< started by the process */
} what_e;

/** What a launch tells through its pipe, which outlives it. */
typedef struct report_t {
    int is_over; /**< executed, or ended */
    int fault;   /**< a stage; AMGR_LAUNCH_FINE: none */
} report_t;

typedef struct child_t {
    int what;
    pid_t pid;
    int is_executed;
    int has_ended; /**< a zombie, if it is ours */
    int is_ours;   /**< a stray is when the process has ended */
    report_t *report;
    int status;
} child_t;

typedef struct world_t {
    fuzz_t in;
    jmp_buf over;
    int is_inside; /**< the guard runs */
    apr_time_t now_us;
    child_t children[CHILDREN];
    pid_t next_pid;
    int launches; /**< of the process */
    int is_open[FDS];
    report_t reports[FDS]; /**< by the descriptor */
    int voice_fd;
    int signal_fd;
    int output_fd;
    int notify_fd;
    int orders[8]; /**< waiting to be heard */
    int order_count;
    int is_alone;      /**< the supervisor is gone */
    int is_deaf;       /**< it takes nothing now */
    int has_signal;    /**< SIGCHLD waits */
    int is_stubborn;   /**< SIGKILL takes its time, as on a bad disk */
    int has_output;    /**< something can be read */
    int has_notice;    /**< likewise */
    int looks;         /**< since something happened */
    unsigned int told; /**< events, a bit each */
} world_t;

static world_t world;
static amgr_spec_t *spec;

/* ---- descriptors -------------------------------------------------------- */

static int open_fd(void)
{
    int i = 0;

    while (world.is_open[i]) {
        i++;
        check(i < FDS); /* else it keeps what it has no more use for */
    }
    world.is_open[i] = 1;
    return FIRST_FD + i;
}

static int is_open(int fd)
{
    return fd >= FIRST_FD && fd < FIRST_FD + FDS &&
           world.is_open[fd - FIRST_FD];
}

int __real_close(int fd);
int __wrap_close(int fd);

int __wrap_close(int fd)
{
    if (!world.is_inside) {
        return __real_close(fd);
    }
    check(is_open(fd));
    world.is_open[fd - FIRST_FD] = 0;
    return 0;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
    if (!world.is_inside) {
        return __real_open(path, flags, 0600);
    }
    check((flags & O_CLOEXEC) != 0);
    check(strcmp(path, "/dev/null") == 0 ||
          strncmp(path, "/proc/self/fd/", 14) == 0);
    if (path[1] == 'p' && fuzz_below(&world.in, 16) == 15) {
        errno = EMFILE;
        return -1;
    }
    return open_fd();
}

int __real_dup2(int from, int to);
int __wrap_dup2(int from, int to);
int __wrap_dup3(int from, int to, int flags);

int __wrap_dup2(int from, int to)
{
    if (!world.is_inside) {
        return __real_dup2(from, to);
    }
    check(is_open(from) || from == LOG_FD);
    check(to <= STDERR_FILENO || to == LOG_FD);
    return to;
}

int __wrap_dup3(int from, int to, int flags)
{
    check(world.is_inside && to == LOG_FD && flags == O_CLOEXEC);
    return __wrap_dup2(from, to);
}

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);

int __wrap_fcntl(int fd, int command, ...)
{
    va_list args;
    void *argument;

    if (world.is_inside) {
        check(command == F_GETFD);
        return 0;
    }
    va_start(args, command);
    argument = va_arg(args, void *);
    va_end(args);
    return __real_fcntl(fd, command, argument);
}

void __wrap_amgr_descriptors_close(int first, int last);

void __wrap_amgr_descriptors_close(int first, int last)
{
    (void)first; /* what there is was kept open */
    (void)last;
}

/* ---- children ----------------------------------------------------------- */

static child_t *find_child(int what)
{
    int i;

    for (i = 0; i < CHILDREN; i++) {
        if (world.children[i].what == what) {
            return &world.children[i];
        }
    }
    return NULL;
}

static child_t *find_pid(pid_t pid)
{
    int i;

    for (i = 0; i < CHILDREN; i++) {
        if (world.children[i].what != NOBODY && world.children[i].pid == pid) {
            return &world.children[i];
        }
    }
    return NULL;
}

/* NULL: no more fit into this world. */
static child_t *add_child(int what)
{
    child_t *child = find_child(NOBODY);

    if (child != NULL) {
        memset(child, 0, sizeof(*child));
        child->what = what;
        child->pid = world.next_pid++;
        child->is_ours = what != STRAY;
    }
    return child;
}

static int count_living(pid_t except)
{
    int count = 0;
    int i;

    for (i = 0; i < CHILDREN; i++) {
        const child_t *child = &world.children[i];

        count += child->what != NOBODY && !child->has_ended &&
                 (except == 0 || child->pid != except);
    }
    return count;
}

static void end_child(child_t *child, int status)
{
    int i;

    if (child == NULL || child->has_ended) {
        return;
    }
    child->has_ended = 1;
    child->status = status;
    if (child->report != NULL) {
        child->report->is_over = 1;
    }
    if (child->is_ours) {
        world.has_signal = 1;
    }
    else {
        child->what = NOBODY; /* the process has reaped it */
    }
    for (i = 0; child->what == PROCESS && i < CHILDREN; i++) {
        world.children[i].is_ours = 1; /* what is left of it is adopted */
    }
}

apr_status_t __wrap_amgr_launch_start(const amgr_launch_t *launch,
                                      pid_t *out_pid, int *out_report);
apr_status_t __wrap_amgr_launch_report(int report, amgr_launch_fault_t *out);

apr_status_t __wrap_amgr_launch_start(const amgr_launch_t *launch,
                                      pid_t *out_pid, int *out_report)
{
    int is_process = launch->spec != NULL;
    child_t *child;

    check(launch->argv[0][0] == '/');
    check(is_process ? ++world.launches == 1 : find_child(LOGGER) == NULL);
    child = fuzz_below(&world.in, 16) == 15
                ? NULL
                : add_child(is_process ? PROCESS : LOGGER);
    if (child == NULL) {
        return EAGAIN;
    }
    *out_pid = child->pid;
    *out_report = open_fd();
    child->report = &world.reports[*out_report - FIRST_FD];
    memset(child->report, 0, sizeof(*child->report));
    return APR_SUCCESS;
}

apr_status_t __wrap_amgr_launch_report(int report, amgr_launch_fault_t *out)
{
    const report_t *pipe;

    check(is_open(report));
    pipe = &world.reports[report - FIRST_FD];
    if (pipe->fault != AMGR_LAUNCH_FINE) {
        memset(out, 0, sizeof(*out));
        out->stage = pipe->fault;
        out->error = ENOENT;
        fuzz_bytes(&world.in, out->text, 8);
        return APR_SUCCESS;
    }
    return pipe->is_over ? APR_EOF : APR_EAGAIN;
}

apr_status_t __wrap_amgr_proc_read_stat(amgr_proc_dir_t *dir, pid_t pid,
                                        amgr_proc_stat_t *out);

apr_status_t __wrap_amgr_proc_read_stat(amgr_proc_dir_t *dir, pid_t pid,
                                        amgr_proc_stat_t *out)
{
    const child_t *child = find_pid(pid);

    (void)dir; /* the only one */
    check(child != NULL);
    if (child->is_executed && fuzz_below(&world.in, 16) == 15) {
        return APR_EACCES;
    }
    memset(out, 0, sizeof(*out));
    out->pid = pid;
    out->start_ticks = 7;
    out->flags = child->is_executed ? 0 : AMGR_PROC_FORKED_NO_EXEC;
    return APR_SUCCESS;
}

int __real_kill(pid_t pid, int sig);
int __wrap_kill(pid_t pid, int sig);

int __wrap_kill(pid_t pid, int sig)
{
    child_t *child;

    if (!world.is_inside) {
        return __real_kill(pid, sig);
    }
    /* Nobody else, and nobody who may be another by now. */
    child = find_pid(pid < 0 ? -pid : pid);
    check(child != NULL && child->what == PROCESS);
    check(sig == SIGKILL || sig == SIGTERM || sig == SIGCONT ||
          sig == spec->stop_signal);
    if (sig == SIGKILL && !world.is_stubborn) {
        end_child(child, SIGKILL);
    }
    return 0;
}

apr_status_t __wrap_amgr_guard_tree_open(amgr_guard_tree_t *tree);
int __wrap_amgr_guard_tree_signal(amgr_guard_tree_t *tree, int sig,
                                  pid_t except);
int __wrap_amgr_guard_tree_children(amgr_guard_tree_t *tree);

apr_status_t __wrap_amgr_guard_tree_open(amgr_guard_tree_t *tree)
{
    (void)tree;
    return fuzz_below(&world.in, 64) == 63 ? EMFILE : APR_SUCCESS;
}

int __wrap_amgr_guard_tree_signal(amgr_guard_tree_t *tree, int sig,
                                  pid_t except)
{
    const child_t *logger = find_child(LOGGER);
    int count = count_living(except);
    int i;

    (void)tree; /* they are ours */
    check(except == 0 || (logger != NULL && logger->pid == except));
    for (i = 0; sig == SIGKILL && !world.is_stubborn && i < CHILDREN; i++) {
        child_t *child = &world.children[i];

        if (child->what != NOBODY && (except == 0 || child->pid != except)) {
            end_child(child, SIGKILL);
        }
    }
    return count;
}

int __wrap_amgr_guard_tree_children(amgr_guard_tree_t *tree)
{
    int count = 0;
    int i;

    for (i = 0; i < CHILDREN; i++) {
        if (world.children[i].what != NOBODY && world.children[i].is_ours) {
            tree->children[count++] = world.children[i].pid;
        }
    }
    return count;
}

int __wrap_waitid(idtype_t type, id_t id, siginfo_t *info, int options);
pid_t __real_waitpid(pid_t pid, int *status, int options);
pid_t __wrap_waitpid(pid_t pid, int *status, int options);

static void tell_end(const child_t *child, siginfo_t *info)
{
    info->si_pid = child->pid;
    info->si_code = WIFEXITED(child->status) ? CLD_EXITED : CLD_KILLED;
    info->si_status = WIFEXITED(child->status) ? WEXITSTATUS(child->status)
                                               : WTERMSIG(child->status);
}

int __wrap_waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
    int has_child = 0;
    int i;

    check(world.is_inside && options == (WEXITED | WNOHANG | WNOWAIT));
    for (i = 0; i < CHILDREN; i++) {
        const child_t *child = &world.children[i];

        if (child->what == NOBODY || !child->is_ours ||
            (type == P_PID && child->pid != (pid_t)id)) {
            continue;
        }
        has_child = 1;
        if (child->has_ended) {
            tell_end(child, info);
            return 0;
        }
    }
    errno = ECHILD;
    return has_child ? 0 : -1;
}

pid_t __wrap_waitpid(pid_t pid, int *status, int options)
{
    child_t *child;

    if (!world.is_inside) {
        return __real_waitpid(pid, status, options);
    }
    child = find_pid(pid);
    check(pid > 0 && options == WNOHANG);
    check(child != NULL && child->is_ours); /* it saw it just now */
    if (!child->has_ended) {
        return 0;
    }
    if (status != NULL) {
        *status = child->status;
    }
    child->what = NOBODY;
    return pid;
}

#endif
