/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests only, by LD_PRELOAD, for programs under a valgrind(1) that is
 * older than 3.21 and knows no pidfds.  Here the directory of a process in /proc
 * stands for one, as it did in the first kernels that had pidfd_send_signal(2);
 * the signal goes by the pid, and so does the wait.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ERROR_MAX 4096

#ifndef SYS_process_mrelease
#define SYS_process_mrelease 448
#endif

/* The call itself; C libraries have it by no name that is not ours here. */
static long call(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
                       "r"(r9)
                     : "rcx", "r11", "memory");
    if (result < 0 && result > -ERROR_MAX) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

static long open_pid(long pid)
{
    char path[32];
    int fd;

    snprintf(path, sizeof(path), "/proc/%ld", pid);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        errno = ESRCH;
    }
    return fd;
}

/* The pid, or 0 with an errno when it is gone. */
static pid_t pid_of(long fd)
{
    char link[32];
    char path[64];
    ssize_t len;

    snprintf(link, sizeof(link), "/proc/self/fd/%ld", fd);
    len = readlink(link, path, sizeof(path) - 1);
    if (len < 0) {
        return 0;
    }
    path[len] = '\0';
    /* "/proc/PID (deleted)" when it is gone. */
    if (strchr(path, ' ') != NULL || strncmp(path, "/proc/", 6) != 0) {
        errno = ESRCH;
        return 0;
    }
    return (pid_t)strtol(path + 6, NULL, 10);
}

static long send_signal(long fd, long sig)
{
    pid_t pid = pid_of(fd);

    return pid == 0 ? -1 : kill(pid, (int)sig);
}

/* Such a directory can always be read from: it is this call that tells whether
 * the process has ended. */
int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
    if (type == P_PIDFD) {
        type = P_PID;
        id = (id_t)pid_of((long)id);
        if (id == 0) {
            errno = ECHILD;
            return -1;
        }
    }
    return (int)call(SYS_waitid, (long)type, (long)id, (long)info, options, 0,
                     0);
}

long syscall(long number, ...)
{
    long args[6];
    va_list list;
    int i;

    va_start(list, number);
    for (i = 0; i < 6; i++) {
        args[i] = va_arg(list, long);
    }
    va_end(list);
    switch (number) {
    case SYS_pidfd_open:
        return open_pid(args[0]);
    case SYS_pidfd_send_signal:
        return send_signal(args[0], args[1]);
    case SYS_process_mrelease:
        errno = ENOSYS;
        return -1;
    default:
        return call(number, args[0], args[1], args[2], args[3], args[4],
                    args[5]);
    }
}
