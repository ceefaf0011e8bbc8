/* SPDX-License-Identifier: Apache-2.0
 *
 * See proc_child.h.
 */
#include "proc/proc_child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Older headers lack it. */
#define WAIT_BY_PIDFD ((idtype_t)3)

int amgr_proc_child_hold(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    int error = errno;

    if (fd >= 0) {
        return fd;
    }
    kill(pid, SIGKILL); /* our child, forked just now and not reaped */
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        continue;
    }
    errno = error;
    return -1;
}

/* As waitpid(2) would have told it. */
static int status_of(const siginfo_t *info)
{
    switch (info->si_code) {
    case CLD_EXITED:
        return (info->si_status & 0xff) << 8;
    case CLD_DUMPED:
        return info->si_status | 0x80;
    default:
        return info->si_status;
    }
}

int amgr_proc_child_has_ended(int fd, int *out_status)
{
    struct pollfd entry = {fd, POLLIN, 0};
    siginfo_t info;
    int rv;

    /* It can be read from the end on, whoever reaps it, and not before. */
    if (poll(&entry, 1, 0) != 1) {
        return 0;
    }
    do {
        info.si_pid = 0;
        rv = waitid(WAIT_BY_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG);
    } while (rv != 0 && errno == EINTR);
    if (rv == 0 && info.si_pid == 0) {
        return 0; /* a debugger has it, and will let go of it */
    }
    *out_status = rv == 0 ? status_of(&info) : -1;
    return 1;
}

int amgr_proc_child_signal(int fd, int sig)
{
    return syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) == 0 ? 0 : errno;
}
