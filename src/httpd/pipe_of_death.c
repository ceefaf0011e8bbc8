/* SPDX-License-Identifier: Apache-2.0
 *
 * See pipe_of_death.h.  Static state of one configuration: written by the
 * parent before it forks, inherited by its children, lost with the module at a
 * restart and found anew.
 */
#include "httpd/pipe_of_death.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <mpm_common.h>

#include "base/base.h"

/** Ends of pipes that are looked at: two of each bucket's pipe, and whatever
 * other modules have opened before (piped loggers). */
#define ENDS_MAX 1024

/** One end of a pipe, beyond doubt. */
typedef struct end_t {
    int fd;
    dev_t device;
    ino_t inode;
} end_t;

typedef struct ends_t {
    int count;
    int overflow; /**< there were more: nothing can be concluded */
    end_t end[ENDS_MAX];
} ends_t;

static ends_t others;
static ends_t own;

static void add(ends_t *ends, int fd, const struct stat *st)
{
    if (ends->count >= ENDS_MAX) {
        ends->overflow = 1;
        return;
    }
    ends->end[ends->count].fd = fd;
    ends->end[ends->count].device = st->st_dev;
    ends->end[ends->count].inode = st->st_ino;
    ends->count++;
}

static int has_inode(const ends_t *ends, const struct stat *st)
{
    int i;

    for (i = 0; i < ends->count; i++) {
        if (ends->end[i].inode == st->st_ino &&
            ends->end[i].device == st->st_dev) {
            return 1;
        }
    }
    return 0;
}

/** Every open end of a pipe that is none of @a except. */
static void list_pipes(ends_t *out, const ends_t *except)
{
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *entry;
    struct stat st;

    out->count = 0;
    out->overflow = dir == NULL;
    if (dir == NULL) {
        return;
    }
    errno = 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread has the stream */
    while ((entry = readdir(dir)) != NULL) {
        char *rest;
        long fd = strtol(entry->d_name, &rest, 10);

        if (rest != entry->d_name && *rest == '\0' &&
            fstat((int)fd, &st) == 0 && S_ISFIFO(st.st_mode) &&
            (except == NULL || !has_inode(except, &st))) {
            add(out, (int)fd, &st);
        }
        errno = 0;
    }
    /* Of a part of them nobody can say which is whose. */
    out->overflow |= errno != 0;
    closedir(dir);
}

void amgr_pod_note_others(void)
{
    list_pipes(&others, NULL);
}

void amgr_pod_note_own(void)
{
    list_pipes(&own, &others);
    own.overflow |= others.overflow;
}

/** Whether this is still the very end that was noted. */
static int is_open(const end_t *end)
{
    struct stat st;

    return fstat(end->fd, &st) == 0 && S_ISFIFO(st.st_mode) &&
           st.st_ino == end->inode && st.st_dev == end->device;
}

/**
 * The end that this child's main thread reads from, or -1: a child closes the
 * pipes of all buckets but its own, so that just one has remained, with an end
 * to read and one to write.
 */
static int find_own_end(void)
{
    const end_t *reader = NULL;
    const end_t *writer = NULL;
    int i;

    if (own.overflow) {
        return -1;
    }
    for (i = 0; i < own.count; i++) {
        const end_t *end = &own.end[i];
        int mode;

        if (!is_open(end)) {
            continue;
        }
        mode = fcntl(end->fd, F_GETFL) & O_ACCMODE;
        if (mode == O_RDONLY && reader == NULL) {
            reader = end;
        }
        else if (mode == O_WRONLY && writer == NULL) {
            writer = end;
        }
        else {
            return -1;
        }
    }
    if (reader == NULL || writer == NULL || reader->inode != writer->inode ||
        reader->device != writer->device) {
        return -1;
    }
    return reader->fd;
}

/** Put a pipe of our own with the graceful character in the place of @a fd. */
static apr_status_t replace(int fd)
{
    /* The writing end stays open: at its end of file the MPM would spin. */
    static const char graceful = AP_MPM_PODX_GRACEFUL_CHAR;
    int ends[2];
    int rv = APR_SUCCESS;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return errno;
    }
    if (write(ends[1], &graceful, 1) != 1 || dup3(ends[0], fd, O_CLOEXEC) < 0) {
        rv = errno;
        close(ends[1]);
    }
    close(ends[0]);
    return rv;
}

apr_status_t amgr_pod_end_self(void)
{
    static int is_replaced;
    pid_t self = getpid();

    if (!is_replaced) {
        int fd = find_own_end();
        apr_status_t rv = fd < 0 ? APR_ENOTIMPL : replace(fd);

        if (rv != APR_SUCCESS) {
            return rv;
        }
        is_replaced = 1;
    }
    /* To the main thread, whose id is the process's, and to no other that
     * some module may have left open to signals. */
    return syscall(SYS_tgkill, self, self, SIGTERM) == 0 ? APR_SUCCESS : errno;
}
