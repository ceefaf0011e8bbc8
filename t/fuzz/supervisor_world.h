/* SPDX-License-Identifier: Apache-2.0
 *
 * The world of a supervisor that is fuzzed: a clock, guards, attempts of
 * verifiers and what killed guards leave behind, all invented.  The linker puts
 * these functions in the place of those that would make real ones (--wrap).
 *
 * Held here: a guard is only started where nothing is left of the run before,
 * what the process comes after is ready, and all are not being stopped; no
 * signal goes to anybody but a child that is not reaped, or the parent.
 */
#ifndef AMGR_SUPERVISOR_WORLD_H
#define AMGR_SUPERVISOR_WORLD_H

#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervise/check/attempt.h"
#include "supervise/supervisor_parts.h"

#define CHILDREN_MAX 4096
#define FIRST_PID 1000

/** A child of the supervisor; its pid is its place. */
typedef struct child_t {
    char name[AMGR_MANAGED_NAME_LEN];
    int is_attempt;
    int fd;        /**< a guard's own end; -1: closed */
    int said;      /**< a bit for each kind of event */
    int order;     /**< the last that a guard was told, -1: none */
    int has_ended; /**< a zombie */
    int is_reaped;
    int status; /**< as waitpid(2) has it */
    int strays; /**< left behind, and to be killed by the supervisor */
} child_t;

typedef struct world_t {
    child_t children[CHILDREN_MAX];
    int count;
    apr_time_t now_us;
    pid_t parent; /**< 1 when it is gone */
    int fork_fails;
    int is_taken;     /**< no address is free */
    int has_last_run; /**< guards of the last supervisor */
    int turns;
    amgr_supervisor_t *supervisor; /**< NULL before it has published */
    apr_pool_t *pool;
    jmp_buf over; /**< where its end leads */
} world_t;

static world_t world;

/** Who is to be told what may happen, at each turn. */
static void on_turn(int timeout_ms);
static void on_publish(const amgr_managed_table_t *table);

static inline child_t *child_of(pid_t pid)
{
    check(pid >= FIRST_PID && pid < FIRST_PID + world.count);
    return &world.children[pid - FIRST_PID];
}

static inline child_t *add_child(const char *name, int is_attempt)
{
    child_t *child = &world.children[world.count++];

    check(world.count < CHILDREN_MAX);
    memset(child, 0, sizeof(*child));
    snprintf(child->name, sizeof(child->name), "%s", name);
    child->is_attempt = is_attempt;
    child->fd = -1;
    child->order = -1;
    return child;
}

static inline pid_t pid_of(const child_t *child)
{
    return FIRST_PID + (pid_t)(child - world.children);
}

/* A guard that is killed leaves what it has started. */
static inline void end_child(child_t *child, int status, int strays)
{
    if (child->has_ended) {
        return;
    }
    child->has_ended = 1;
    child->status = status;
    child->strays = strays;
    if (child->fd >= 0) {
        close(child->fd);
        child->fd = -1;
    }
}

/** Whether there may be something of a run of this process. */
static inline int has_run(const char *name)
{
    int i;

    for (i = 0; i < world.count; i++) {
        const child_t *child = &world.children[i];

        if (!child->is_attempt && strcmp(child->name, name) == 0 &&
            (!child->is_reaped || child->strays > 0)) {
            return 1;
        }
    }
    return 0;
}

static inline const amgr_ward_t *ward_named(const char *name)
{
    int i;

    for (i = 0; i < world.supervisor->ward_count; i++) {
        if (strcmp(world.supervisor->wards[i]->row.name, name) == 0) {
            return world.supervisor->wards[i];
        }
    }
    return NULL;
}

/* All that the process comes after serves. */
static inline void check_before(const amgr_spec_t *spec)
{
    int i;

    for (i = 0; spec->after != NULL && i < spec->after->nelts; i++) {
        const amgr_ward_t *before =
            ward_named(APR_ARRAY_IDX(spec->after, i, const char *));

        check(before == NULL || before->is_removed || before->row.ready);
    }
}

apr_status_t __wrap_amgr_guard_start(const amgr_guard_setup_t *setup,
                                     const amgr_spec_t *spec,
                                     amgr_guard_t *out);
apr_status_t __wrap_amgr_guard_start(const amgr_guard_setup_t *setup,
                                     const amgr_spec_t *spec, amgr_guard_t *out)
{
    child_t *child;
    int ends[2];

    (void)setup; /* no real one is started */
    check(!has_run(spec->name));
    check(world.supervisor->phase == AMGR_PHASE_LIVE);
    check(!world.has_last_run);
    check_before(spec);
    if (world.fork_fails) {
        return EAGAIN;
    }
    child = add_child(spec->name, 0);
    check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                     ends) == 0);
    child->fd = ends[1];
    out->pid = pid_of(child);
    out->fd = ends[0];
    return APR_SUCCESS;
}

apr_status_t __wrap_amgr_attempt_start(const amgr_check_setup_t *setup,
                                       const amgr_spec_t *spec,
                                       const amgr_verify_t *verify,
                                       pid_t *out_pid, int *out_fd);
apr_status_t __wrap_amgr_attempt_start(const amgr_check_setup_t *setup,
                                       const amgr_spec_t *spec,
                                       const amgr_verify_t *verify,
                                       pid_t *out_pid, int *out_fd)
{
    (void)setup; /* no real one is started */
    (void)verify;
    check(has_run(spec->name));
    if (world.fork_fails) {
        return EAGAIN;
    }
    *out_pid = pid_of(add_child(spec->name, 1));
    *out_fd = -1;
    return APR_SUCCESS;
}

int __wrap_amgr_attempt_has_ended(pid_t pid);
int __wrap_amgr_attempt_has_ended(pid_t pid)
{
    const child_t *child = child_of(pid);

    check(child->is_attempt);
    return child->is_reaped ? -1 : child->has_ended;
}

void __wrap_amgr_attempt_kill(pid_t pid);
void __wrap_amgr_attempt_kill(pid_t pid)
{
    check(child_of(pid)->is_attempt);
    if (!child_of(pid)->is_reaped) {
        end_child(child_of(pid), SIGKILL, 0);
    }
}

void __wrap_amgr_attempt_hear(int fd, char *text, apr_size_t size);
void __wrap_amgr_attempt_hear(int fd, char *text, apr_size_t size)
{
    (void)fd; /* there is none */
    snprintf(text, size, "status 500");
}

int __wrap_kill(pid_t pid, int sig);
int __wrap_kill(pid_t pid, int sig)
{
    if (pid == getpid()) {
        check(world.supervisor->exit_when_done && world.parent == getpid());
        return 0; /* the server is told that all is done */
    }
    check(sig == SIGKILL && !child_of(pid)->is_reaped);
    /* One that has told its end leaves nothing. */
    end_child(child_of(pid), SIGKILL,
              (child_of(pid)->said &
               (1 << AMGR_GUARD_EMPTY | 1 << AMGR_GUARD_FAILED)) == 0);
    return 0;
}

pid_t __wrap_wait4(pid_t pid, int *status, int options, struct rusage *usage);
pid_t __wrap_wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
    int i;

    check(pid == -1 && options == WNOHANG);
    memset(usage, 0, sizeof(*usage));
    for (i = 0; i < world.count; i++) {
        child_t *child = &world.children[i];

        if (child->has_ended && !child->is_reaped) {
            child->is_reaped = 1;
            *status = child->status;
            return pid_of(child);
        }
    }
    return 0;
}

int __wrap_amgr_tree_sweep(amgr_proc_dir_t *dir, int (*is_known)(void *, pid_t),
                           void *baton);
int __wrap_amgr_tree_sweep(amgr_proc_dir_t *dir, int (*is_known)(void *, pid_t),
                           void *baton)
{
    int found = 0;
    int i;

    (void)dir; /* no /proc is looked at */
    for (i = 0; i < world.count; i++) {
        child_t *child = &world.children[i];

        if (child->strays > 0 && child->is_reaped) {
            found++;
            child->strays--;
        }
        /* Who is forgotten before it is reaped is killed as well. */
        if (!child->is_reaped && !is_known(baton, pid_of(child))) {
            found++;
            end_child(child, SIGKILL, 0);
        }
    }
    return found;
}

apr_status_t __wrap_amgr_tree_read(amgr_proc_dir_t *dir, pid_t guard,
                                   amgr_tree_t *out);
apr_status_t __wrap_amgr_tree_read(amgr_proc_dir_t *dir, pid_t guard,
                                   amgr_tree_t *out)
{
    (void)dir; /* as above */
    check(!child_of(guard)->is_reaped);
    memset(out, 0, sizeof(*out));
    out->count = 1;
    out->memory_bytes = (apr_uint64_t)(world.turns % 8) << 20;
    return APR_SUCCESS;
}

apr_status_t __wrap_amgr_address_is_free(const char *address);
apr_status_t __wrap_amgr_address_is_free(const char *address)
{
    (void)address; /* all or none */
    return world.is_taken ? EADDRINUSE : APR_SUCCESS;
}

void __wrap_amgr_clock_read(amgr_instant_t *out);
void __wrap_amgr_clock_read(amgr_instant_t *out)
{
    out->mono_us = world.now_us;
    out->boot_us = world.now_us;
    out->wall_us = APR_INT64_C(1700000000000000) + world.now_us;
}

apr_time_t __wrap_amgr_clock_monotonic_us(void);
apr_time_t __wrap_amgr_clock_monotonic_us(void)
{
    return world.now_us;
}

apr_status_t __wrap_amgr_board_read_managed(const amgr_board_t *board,
                                            amgr_managed_table_t *out);
apr_status_t __wrap_amgr_board_read_managed(const amgr_board_t *board,
                                            amgr_managed_table_t *out)
{
    (void)board; /* there is none */
    (void)out;
    return APR_NOTFOUND;
}

void __wrap_amgr_board_write_managed(amgr_board_t *board,
                                     const amgr_managed_table_t *table);
void __wrap_amgr_board_write_managed(amgr_board_t *board,
                                     const amgr_managed_table_t *table)
{
    (void)board; /* as above */
    /* The table is the supervisor's own. */
    world.supervisor =
        (amgr_supervisor_t *)(void *)((char *)(uintptr_t)table -
                                      offsetof(amgr_supervisor_t, table));
    on_publish(table);
}

/* Its root pool is this run's, so that its end is that of all it has. */
apr_status_t __real_apr_pool_create_ex(apr_pool_t **out, apr_pool_t *parent,
                                       apr_abortfunc_t abort_fn,
                                       apr_allocator_t *allocator);
apr_status_t __wrap_apr_pool_create_ex(apr_pool_t **out, apr_pool_t *parent,
                                       apr_abortfunc_t abort_fn,
                                       apr_allocator_t *allocator);
apr_status_t __wrap_apr_pool_create_ex(apr_pool_t **out, apr_pool_t *parent,
                                       apr_abortfunc_t abort_fn,
                                       apr_allocator_t *allocator)
{
    return __real_apr_pool_create_ex(out, parent == NULL ? world.pool : parent,
                                     abort_fn, allocator);
}

pid_t __wrap_getppid(void);
pid_t __wrap_getppid(void)
{
    return world.parent;
}

/* The loop waits for the fuzzer; whoever asks for one descriptor asks whether
 * the last run is over. */
int __wrap_poll(struct pollfd *entries, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *entries, nfds_t count, int timeout_ms)
{
    nfds_t i;

    for (i = 0; i < count; i++) {
        entries[i].revents = 0;
    }
    if (count == 1) {
        return !world.has_last_run;
    }
    on_turn(timeout_ms);
    return 0;
}

/* So poll() is called where the compiler knows the array. */
int __wrap___poll_chk(struct pollfd *entries, nfds_t count, int timeout_ms,
                      size_t size);
int __wrap___poll_chk(struct pollfd *entries, nfds_t count, int timeout_ms,
                      size_t size)
{
    check(count <= size / sizeof(*entries));
    return __wrap_poll(entries, count, timeout_ms);
}

void __wrap__exit(int code) __attribute__((noreturn));
void __wrap__exit(int code)
{
    check(code == 0);
    longjmp(world.over, 1);
}

/* Nothing of the fuzzer's own process is changed. */
int __wrap_setpgid(pid_t pid, pid_t group);
int __wrap_setpgid(pid_t pid, pid_t group)
{
    (void)pid;
    (void)group;
    return 0;
}

int __wrap_prctl(int option, ...);
int __wrap_prctl(int option, ...)
{
    (void)option;
    return 0;
}

sighandler_t __wrap_signal(int sig, sighandler_t handler);
sighandler_t __wrap_signal(int sig, sighandler_t handler)
{
    (void)sig;
    (void)handler;
    return SIG_DFL;
}

int __wrap_sigprocmask(int how, const sigset_t *set, sigset_t *old);
int __wrap_sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
    (void)how;
    (void)set;
    (void)old;
    return 0;
}

int __wrap_signalfd(int fd, const sigset_t *set, int flags);
int __wrap_signalfd(int fd, const sigset_t *set, int flags)
{
    (void)fd;
    (void)set;
    (void)flags;
    return open("/dev/null", O_RDONLY | O_CLOEXEC); /* none ever comes */
}

apr_status_t __wrap_amgr_proc_dir_open(amgr_proc_dir_t *dir, const char *path);
apr_status_t __wrap_amgr_proc_dir_open(amgr_proc_dir_t *dir, const char *path)
{
    (void)path;
    memset(dir, 0, sizeof(*dir));
    dir->fd = -1;
    return APR_SUCCESS;
}

#endif
