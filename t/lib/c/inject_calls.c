/* SPDX-License-Identifier: Apache-2.0
 *
 * The calls that inject.c lets fail, each as the C library declares it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inject.h"

static void *find_real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

#define REAL(name)                                                     \
    static __typeof__(name) *real;                                     \
    int how = inject_decide(CALL_##name, __builtin_return_address(0)); \
    if (real == NULL) {                                                \
        *(void **)&real = find_real(#name);                            \
    }

#define FAIL_WITH(value) \
    if (how != 0) {      \
        errno = how;     \
        return value;    \
    }

/* Fails by returning this value, with errno set. */
#define SHIM(type, name, params, args, value) \
    type name params                          \
    {                                         \
        REAL(name)                            \
        FAIL_WITH(value)                      \
        return real args;                     \
    }

/* Returns its error. */
#define SHIM_ERROR(name, params, args)     \
    int name params                        \
    {                                      \
        REAL(name)                         \
        return how != 0 ? how : real args; \
    }

/* Moves so many bytes. */
#define SHIM_BYTES(name, params, args, count) \
    ssize_t name params                       \
    {                                         \
        REAL(name)                            \
        if (how == HOW_END) {                 \
            return 0;                         \
        }                                     \
        if (how == HOW_SHORT) {               \
            count = count > 1 ? 1 : count;    \
            how = 0;                          \
        }                                     \
        FAIL_WITH(-1)                         \
        return real args;                     \
    }

SHIM_BYTES(read, (int fd, void *buf, size_t count), (fd, buf, count), count)
SHIM_BYTES(pread, (int fd, void *buf, size_t count, off_t at),
           (fd, buf, count, at), count)
SHIM_BYTES(write, (int fd, const void *buf, size_t count), (fd, buf, count),
           count)
SHIM_BYTES(send, (int fd, const void *buf, size_t count, int flags),
           (fd, buf, count, flags), count)
SHIM_BYTES(recv, (int fd, void *buf, size_t count, int flags),
           (fd, buf, count, flags), count)

SHIM(DIR *, opendir, (const char *name), (name), NULL)
SHIM(DIR *, fdopendir, (int fd), (fd), NULL)
SHIM(struct dirent *, readdir, (DIR * dir), (dir), NULL)
SHIM(ssize_t, getdents64, (int fd, void *buf, size_t count), (fd, buf, count),
     -1)
SHIM(ssize_t, readlinkat, (int fd, const char *path, char *buf, size_t size),
     (fd, path, buf, size), -1)
SHIM(ssize_t, recvmsg, (int fd, struct msghdr *msg, int flags),
     (fd, msg, flags), -1)
SHIM(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags),
     (fd, msg, flags), -1)
SHIM(off_t, lseek, (int fd, off_t at, int whence), (fd, at, whence), -1)
SHIM(int, fstat, (int fd, struct stat *st), (fd, st), -1)
SHIM(int, fstatat, (int fd, const char *path, struct stat *st, int flags),
     (fd, path, st, flags), -1)
SHIM(int, stat, (const char *path, struct stat *st), (path, st), -1)
SHIM(int, lstat, (const char *path, struct stat *st), (path, st), -1)
SHIM(int, access, (const char *path, int mode), (path, mode), -1)
SHIM(int, rename, (const char *old, const char *new), (old, new), -1)
SHIM(int, renameat, (int old_fd, const char *old, int new_fd, const char *new),
     (old_fd, old, new_fd, new), -1)
SHIM(int, unlink, (const char *path), (path), -1)
SHIM(int, unlinkat, (int fd, const char *path, int flags), (fd, path, flags),
     -1)
SHIM(int, fchmod, (int fd, mode_t mode), (fd, mode), -1)
SHIM(int, fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid), -1)
SHIM(int, fchownat, (int fd, const char *path, uid_t uid, gid_t gid, int flags),
     (fd, path, uid, gid, flags), -1)
SHIM_ERROR(posix_fallocate, (int fd, off_t at, off_t len), (fd, at, len))
SHIM(int, mkostemp, (char *path, int flags), (path, flags), -1)
SHIM(int, memfd_create, (const char *name, unsigned int flags), (name, flags),
     -1)
SHIM(void *, mmap,
     (void *at, size_t len, int prot, int flags, int fd, off_t off),
     (at, len, prot, flags, fd, off), MAP_FAILED)
SHIM(int, munmap, (void *at, size_t len), (at, len), -1)
SHIM(int, madvise, (void *at, size_t len, int advice), (at, len, advice), -1)
SHIM(void *, malloc, (size_t size), (size), NULL)
SHIM(void *, calloc, (size_t count, size_t size), (count, size), NULL)
SHIM(void *, realloc, (void *at, size_t size), (at, size), NULL)
SHIM(pid_t, fork, (void), (), -1)
SHIM(int, execve, (const char *path, char *const argv[], char *const envp[]),
     (path, argv, envp), -1)
SHIM(int, execvp, (const char *path, char *const argv[]), (path, argv), -1)
SHIM(int, execveat,
     (int fd, const char *path, char *const argv[], char *const envp[],
      int flags),
     (fd, path, argv, envp, flags), -1)
SHIM_ERROR(posix_spawn,
           (pid_t * pid, const char *path,
            const posix_spawn_file_actions_t *actions,
            const posix_spawnattr_t *attributes, char *const argv[],
            char *const envp[]),
           (pid, path, actions, attributes, argv, envp))
SHIM(pid_t, waitpid, (pid_t pid, int *status, int options),
     (pid, status, options), -1)
SHIM(pid_t, wait4, (pid_t pid, int *status, int options, struct rusage *usage),
     (pid, status, options, usage), -1)
SHIM(int, waitid, (idtype_t type, id_t id, siginfo_t *info, int options),
     (type, id, info, options), -1)
SHIM_ERROR(pthread_create,
           (pthread_t * thread, const pthread_attr_t *attributes,
            void *(*run)(void *), void *data),
           (thread, attributes, run, data))
SHIM(int, pipe2, (int fds[2], int flags), (fds, flags), -1)
SHIM(int, socket, (int domain, int type, int protocol),
     (domain, type, protocol), -1)
SHIM(int, socketpair, (int domain, int type, int protocol, int fds[2]),
     (domain, type, protocol, fds), -1)
SHIM(int, bind, (int fd, const struct sockaddr *address, socklen_t len),
     (fd, address, len), -1)
SHIM(int, listen, (int fd, int backlog), (fd, backlog), -1)
SHIM(int, connect, (int fd, const struct sockaddr *address, socklen_t len),
     (fd, address, len), -1)
SHIM(int, accept4,
     (int fd, struct sockaddr *address, socklen_t *len, int flags),
     (fd, address, len, flags), -1)
SHIM(int, getsockopt,
     (int fd, int level, int name, void *value, socklen_t *len),
     (fd, level, name, value, len), -1)
SHIM(int, setsockopt,
     (int fd, int level, int name, const void *value, socklen_t len),
     (fd, level, name, value, len), -1)
SHIM(int, getsockname, (int fd, struct sockaddr *address, socklen_t *len),
     (fd, address, len), -1)
SHIM(int, getpeername, (int fd, struct sockaddr *address, socklen_t *len),
     (fd, address, len), -1)
SHIM(int, poll, (struct pollfd * fds, nfds_t count, int timeout),
     (fds, count, timeout), -1)
SHIM(int, ppoll,
     (struct pollfd * fds, nfds_t count, const struct timespec *timeout,
      const sigset_t *mask),
     (fds, count, timeout, mask), -1)
SHIM(int, signalfd, (int fd, const sigset_t *mask, int flags),
     (fd, mask, flags), -1)
SHIM(int, sigaction,
     (int sig, const struct sigaction *action, struct sigaction *old),
     (sig, action, old), -1)
SHIM(int, sigtimedwait,
     (const sigset_t *set, siginfo_t *info, const struct timespec *timeout),
     (set, info, timeout), -1)
SHIM(int, dup2, (int old, int new), (old, new), -1)
SHIM(int, dup3, (int old, int new, int flags), (old, new, flags), -1)
SHIM(int, flock, (int fd, int operation), (fd, operation), -1)
SHIM(int, close_range, (unsigned int low, unsigned int high, int flags),
     (low, high, flags), -1)
SHIM(int, getrlimit, (__rlimit_resource_t which, struct rlimit *limit),
     (which, limit), -1)
SHIM(int, setrlimit, (__rlimit_resource_t which, const struct rlimit *limit),
     (which, limit), -1)
SHIM(int, prlimit,
     (pid_t pid, enum __rlimit_resource which, const struct rlimit *limit,
      struct rlimit *old),
     (pid, which, limit, old), -1)
SHIM(ssize_t, getrandom, (void *buf, size_t len, unsigned int flags),
     (buf, len, flags), -1)
SHIM(pid_t, setsid, (void), (), -1)
SHIM(int, setpgid, (pid_t pid, pid_t group), (pid, group), -1)
SHIM(int, setuid, (uid_t uid), (uid), -1)
SHIM(int, setgid, (gid_t gid), (gid), -1)
SHIM(int, seteuid, (uid_t uid), (uid), -1)
SHIM(int, setegid, (gid_t gid), (gid), -1)
SHIM(int, setresuid, (uid_t real_uid, uid_t effective, uid_t saved),
     (real_uid, effective, saved), -1)
SHIM(int, setresgid, (gid_t real_gid, gid_t effective, gid_t saved),
     (real_gid, effective, saved), -1)
SHIM(int, setgroups, (size_t count, const gid_t *groups), (count, groups), -1)
SHIM(int, initgroups, (const char *user, gid_t group), (user, group), -1)
SHIM_ERROR(getpwuid_r,
           (uid_t uid, struct passwd *entry, char *buf, size_t size,
            struct passwd **out),
           (uid, entry, buf, size, out))
SHIM_ERROR(getgrgid_r,
           (gid_t gid, struct group *entry, char *buf, size_t size,
            struct group **out),
           (gid, entry, buf, size, out))
SHIM(int, getgroups, (int count, gid_t groups[]), (count, groups), -1)
SHIM(int, chdir, (const char *path), (path), -1)
SHIM(int, nanosleep, (const struct timespec *span, struct timespec *left),
     (span, left), -1)

/* To everybody: the -1 of a call that failed was taken for a process.  It would
 * end the machine that the test runs on. */
int kill(pid_t pid, int sig)
{
    static __typeof__(kill) *real;
    int how = inject_decide(sig == 0 ? CALL_signal_0 : CALL_kill,
                            __builtin_return_address(0));

    if (real == NULL) {
        *(void **)&real = find_real("kill");
    }
    if (pid == -1) {
        fprintf(stderr, "inject: kill(-1, %d)\n", sig);
        abort();
    }
    FAIL_WITH(-1)
    return real(pid, sig);
}

/* cmocka compares what is not there after all by falling over it: a test that
 * fails for this is not to be taken for one that crashes. */
void _fail(const char *file, int line) __attribute__((weak));

void _assert_string_equal(const char *a, const char *b, const char *file,
                          int line)
{
    if (a == NULL || b == NULL || strcmp(a, b) != 0) {
        _fail(file, line);
    }
}

/* The descriptor is gone, whatever it says. */
int close(int fd)
{
    int status;

    REAL(close)
    status = real(fd);
    FAIL_WITH(-1)
    return status;
}

int open(const char *path, int flags, ...)
{
    va_list rest;
    mode_t mode;

    REAL(open)
    FAIL_WITH(-1)
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
    return real(path, flags, mode);
}

int openat(int fd, const char *path, int flags, ...)
{
    va_list rest;
    mode_t mode;

    REAL(openat)
    FAIL_WITH(-1)
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
    return real(fd, path, flags, mode);
}

int fcntl(int fd, int command, ...)
{
    va_list rest;
    void *value;

    REAL(fcntl)
    FAIL_WITH(-1)
    va_start(rest, command);
    value = va_arg(rest, void *);
    va_end(rest);
    return real(fd, command, value);
}

/* A name can always be set. */
int prctl(int option, ...)
{
    unsigned long args[4];
    va_list rest;
    int i;

    REAL(prctl)
    how = option == PR_SET_NAME ? 0 : how;
    FAIL_WITH(-1)
    va_start(rest, option);
    for (i = 0; i < 4; i++) {
        args[i] = va_arg(rest, unsigned long);
    }
    va_end(rest);
    return real(option, args[0], args[1], args[2], args[3]);
}

static int find_call(long number, const long *args)
{
    switch (number) {
    case SYS_pidfd_open:
        return CALL_pidfd_open;
    case SYS_pidfd_send_signal:
        return (int)args[1] == 0 ? CALL_signal_0 : CALL_pidfd_send_signal;
    case SYS_tgkill:
        return CALL_tgkill;
    case SYS_futex:
        return CALL_futex;
    default:
        return -1;
    }
}

long syscall(long number, ...)
{
    static __typeof__(syscall) *real;
    long args[6];
    va_list rest;
    int call, how, i;

    if (real == NULL) {
        *(void **)&real = find_real("syscall");
    }
    va_start(rest, number);
    for (i = 0; i < 6; i++) {
        args[i] = va_arg(rest, long);
    }
    va_end(rest);
    call = find_call(number, args);
    how = call < 0 ? 0 : inject_decide(call, __builtin_return_address(0));
    FAIL_WITH(-1)
    return real(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}
