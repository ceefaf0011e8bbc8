/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals through pidfds.  The order is what makes it safe: the descriptor
 * first, the check after it.  The start time we were given was read while that
 * process lived, so finding it again under the same pid proves that the pid
 * was not given away in between, and that the descriptor is of that process.
 */
#include "proc/proc_control.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "proc/proc_internal.h"

/* The same number on every architecture; older headers lack it. */
#ifndef SYS_process_mrelease
#define SYS_process_mrelease 448
#endif

/** Longest wait, so that adding it to the clock cannot overflow. */
#define WAIT_MAX_US apr_time_from_sec(APR_INT64_C(86400) * 365)

static apr_status_t status_of(int sys_errno)
{
    /* EINVAL: the pid is no process's any more but a mere thread's. */
    return sys_errno == EINVAL ? APR_NOTFOUND : amgr_proc_status_of(sys_errno);
}

/* Whether @a stat is of the living process meant. */
static int is_meant(const amgr_proc_stat_t *stat, const amgr_proc_id_t *id)
{
    amgr_proc_id_t found;

    found.pid = stat->pid;
    found.start_ticks = stat->start_ticks;
    return amgr_proc_id_equal(&found, id) && !amgr_proc_has_ended(stat);
}

static apr_status_t open_checked(amgr_proc_dir_t *dir, const amgr_proc_id_t *id,
                                 pid_t parent, int *out_fd)
{
    amgr_proc_stat_t stat;
    apr_status_t rv;
    int fd;

    if (id->pid <= 0 || id->start_ticks == 0) {
        return APR_NOTFOUND;
    }
    fd = (int)syscall(SYS_pidfd_open, id->pid, 0);
    if (fd < 0) {
        return status_of(errno);
    }
    rv = amgr_proc_read_stat(dir, id->pid, &stat);
    if (rv == APR_SUCCESS &&
        (!is_meant(&stat, id) || (parent != 0 && stat.ppid != parent))) {
        rv = APR_NOTFOUND;
    }
    if (rv != APR_SUCCESS) {
        close(fd);
        return rv;
    }
    *out_fd = fd;
    return APR_SUCCESS;
}

static apr_status_t send_signal(int fd, int sig)
{
    if (syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) != 0) {
        return amgr_proc_status_of(errno);
    }
    return APR_SUCCESS;
}

/* A pidfd is readable from the end on, before anyone has reaped the zombie. */
static apr_status_t wait_end(int fd, apr_interval_time_t wait_us)
{
    struct pollfd p = {fd, POLLIN, 0};
    struct timespec ts;
    apr_time_t deadline;
    apr_time_t left;
    int n;

    if (wait_us > WAIT_MAX_US) {
        wait_us = WAIT_MAX_US;
    }
    deadline = amgr_clock_monotonic_us() + wait_us;
    for (;;) {
        left = deadline - amgr_clock_monotonic_us();
        if (left < 0) {
            left = 0;
        }
        ts.tv_sec = (time_t)apr_time_sec(left);
        ts.tv_nsec = (long)apr_time_usec(left) * 1000;
        n = ppoll(&p, 1, &ts, NULL);
        if (n > 0) {
            return APR_SUCCESS;
        }
        if (n < 0 && errno != EINTR) {
            return APR_FROM_OS_ERROR(errno);
        }
        if (n == 0 && left == 0) {
            return APR_TIMEUP;
        }
    }
}

apr_status_t amgr_proc_signal(amgr_proc_dir_t *dir, const amgr_proc_id_t *id,
                              pid_t parent, int sig)
{
    apr_status_t rv;
    int fd = -1;

    rv = open_checked(dir, id, parent, &fd);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = send_signal(fd, sig);
    close(fd);
    return rv;
}

apr_status_t amgr_proc_kill_and_release(amgr_proc_dir_t *dir,
                                        const amgr_proc_id_t *id, pid_t parent)
{
    apr_status_t rv;
    int fd = -1;

    rv = open_checked(dir, id, parent, &fd);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = send_signal(fd, SIGKILL);
    if (rv == APR_SUCCESS) {
        syscall(SYS_process_mrelease, fd, 0);
    }
    close(fd);
    return rv;
}

int amgr_proc_is_alive(amgr_proc_dir_t *dir, const amgr_proc_id_t *id)
{
    amgr_proc_stat_t stat;
    apr_status_t rv;

    if (id->pid <= 0 || id->start_ticks == 0) {
        return 0;
    }
    rv = amgr_proc_read_stat(dir, id->pid, &stat);
    if (rv == APR_SUCCESS) {
        return is_meant(&stat, id);
    }
    return rv != APR_NOTFOUND;
}

apr_status_t amgr_proc_suspend(amgr_proc_dir_t *dir, const amgr_proc_id_t *id)
{
    return amgr_proc_signal(dir, id, 0, SIGSTOP);
}

apr_status_t amgr_proc_resume(amgr_proc_dir_t *dir, const amgr_proc_id_t *id)
{
    return amgr_proc_signal(dir, id, 0, SIGCONT);
}

static apr_status_t signal_and_wait(amgr_proc_dir_t *dir,
                                    const amgr_proc_id_t *id, int sig,
                                    apr_interval_time_t wait_us)
{
    apr_status_t rv;
    int fd = -1;

    rv = open_checked(dir, id, 0, &fd);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = send_signal(fd, sig);
    if (rv == APR_SUCCESS && wait_us > 0) {
        rv = wait_end(fd, wait_us);
    }
    close(fd);
    return rv;
}

apr_status_t amgr_proc_terminate(amgr_proc_dir_t *dir, const amgr_proc_id_t *id,
                                 apr_interval_time_t wait_us)
{
    return signal_and_wait(dir, id, SIGTERM, wait_us);
}

apr_status_t amgr_proc_kill(amgr_proc_dir_t *dir, const amgr_proc_id_t *id,
                            apr_interval_time_t wait_us)
{
    return signal_and_wait(dir, id, SIGKILL, wait_us);
}

apr_status_t amgr_proc_terminate_or_kill(amgr_proc_dir_t *dir,
                                         const amgr_proc_id_t *id,
                                         apr_interval_time_t wait_us)
{
    apr_status_t rv;
    int fd = -1;

    rv = open_checked(dir, id, 0, &fd);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = send_signal(fd, SIGTERM);
    if (rv == APR_SUCCESS) {
        rv = wait_end(fd, wait_us > 0 ? wait_us : 0);
    }
    if (rv == APR_TIMEUP) {
        rv = send_signal(fd, SIGKILL);
        if (rv == APR_NOTFOUND) {
            rv = APR_SUCCESS; /* it obeyed the first one after all */
        }
        else if (rv == APR_SUCCESS && wait_us > 0) {
            rv = wait_end(fd, wait_us);
        }
    }
    close(fd);
    return rv;
}
