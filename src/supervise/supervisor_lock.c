/* SPDX-License-Identifier: Apache-2.0
 *
 * One run at a time for a runtime directory, whichever server it is of.  A
 * supervisor holds a lock (flock(2)), and so does each of its guards, until the
 * last of them has ended.  So a server that is started when another was just
 * killed starts nothing before the processes of that are gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/trusted_open.h"
#include "supervise/supervisor_parts.h"

/** Between two attempts. */
#define LOOK_US (50 * 1000)

/** Whether @a fd is of a file of ours, which nobody else can open, and so
 * lock. */
static int is_ours(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
           st.st_uid == geteuid() && (st.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

/** Whether the file of @a fd is the one that has this name now. */
static int is_named(int fd, const char *path)
{
    struct stat own;
    struct stat named;

    return fstat(fd, &own) == 0 && lstat(path, &named) == 0 &&
           own.st_dev == named.st_dev && own.st_ino == named.st_ino;
}

static void drop(amgr_supervisor_t *supervisor)
{
    if (supervisor->lock_fd >= 0) {
        close(supervisor->lock_fd);
    }
    supervisor->lock_fd = -1;
}

/** There is none: what is left of another server is not waited for. */
static int go_without(amgr_supervisor_t *supervisor, int error)
{
    amgr_say(&supervisor->teller, AMGR_SAY_SUPERVISOR, AMGR_LEVEL_INFO, error,
             "%s cannot be locked: processes of a server that was killed are "
             "not waited for",
             supervisor->setup.lock_file);
    drop(supervisor);
    supervisor->setup.lock_file = NULL;
    return 1;
}

/** Whether it may be otherwise soon. */
static int is_passing(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM ||
           error == ENOLCK || error == EINTR;
}

/** It cannot be locked for want of something, which is no reason to do without:
 * somebody may hold it. */
static int put_off(amgr_supervisor_t *supervisor, int error)
{
    supervisor->left_look_us = supervisor->now.mono_us + LOOK_US;
    if (!supervisor->is_warned) {
        supervisor->is_warned = 1;
        amgr_say(&supervisor->teller, AMGR_SAY_SUPERVISOR, AMGR_LEVEL_WARNING,
                 error,
                 "%s cannot be locked now: no process is started before "
                 "it is",
                 supervisor->setup.lock_file);
    }
    return 0;
}

static int fail(amgr_supervisor_t *supervisor, int error)
{
    return is_passing(error) ? put_off(supervisor, error)
                             : go_without(supervisor, error);
}

int amgr_supervisor_lock(amgr_supervisor_t *supervisor)
{
    const char *path = supervisor->setup.lock_file;
    int is_shared;

    if (path == NULL || supervisor->setup.guard.lock_fd >= 0) {
        return 1;
    }
    if (supervisor->lock_fd < 0) {
        supervisor->lock_fd = amgr_trusted_open(
            path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
            S_IRUSR | S_IWUSR, AMGR_SHARED_OPEN, &is_shared);
    }
    if (supervisor->lock_fd < 0) {
        return fail(supervisor, -supervisor->lock_fd);
    }
    if (!is_ours(supervisor->lock_fd)) {
        return go_without(supervisor, EPERM);
    }
    supervisor->left_look_us = supervisor->now.mono_us + LOOK_US;
    if (flock(supervisor->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK ? 0 : fail(supervisor, errno);
    }
    if (!is_named(supervisor->lock_fd, path)) {
        drop(supervisor); /* its last holder has just taken it away */
        return 0;
    }
    supervisor->setup.guard.lock_fd = supervisor->lock_fd;
    return 1;
}

void amgr_supervisor_unlock(amgr_supervisor_t *supervisor)
{
    if (supervisor->setup.guard.lock_fd >= 0 &&
        !amgr_supervisor_is_busy(supervisor) &&
        is_named(supervisor->lock_fd, supervisor->setup.lock_file)) {
        unlink(supervisor->setup.lock_file);
    }
}
