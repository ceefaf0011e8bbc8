/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests only, by LD_PRELOAD: below the directory AMGR_FAULT_DIR the
 * disk is full (AMGR_FAULT=full) or read-only (AMGR_FAULT=readonly), for root
 * as well.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_there(int fd, const char *name)
{
    const char *dir = getenv("AMGR_FAULT_DIR");
    char link[64];
    char path[4096];
    ssize_t len;

    if (dir == NULL) {
        return 0;
    }
    if (name != NULL && name[0] == '/') {
        return strncmp(name, dir, strlen(dir)) == 0;
    }
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, path, sizeof(path) - 1);
    return len > 0 && (size_t)len >= strlen(dir) &&
           strncmp(path, dir, strlen(dir)) == 0;
}

static int is_fault(const char *kind)
{
    const char *fault = getenv("AMGR_FAULT");

    return fault != NULL && strcmp(fault, kind) == 0;
}

ssize_t write(int fd, const void *buf, size_t count)
{
    static ssize_t (*real)(int, const void *, size_t);

    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "write");
    }
    if (is_fault("full") && is_there(fd, NULL)) {
        errno = ENOSPC;
        return -1;
    }
    return real(fd, buf, count);
}

static int refuses(int dir_fd, const char *path, int flags)
{
    if (((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE) &&
        is_fault("readonly") && is_there(dir_fd, path)) {
        errno = EROFS;
        return 1;
    }
    return 0;
}

#define OPENAT(name)                                                           \
    int name(int dir_fd, const char *path, int flags, ...)                     \
    {                                                                          \
        static int (*real)(int, const char *, int, ...);                       \
        va_list args;                                                          \
        int mode;                                                              \
        va_start(args, flags);                                                 \
        mode = va_arg(args, int);                                              \
        va_end(args);                                                          \
        if (real == NULL) {                                                    \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                         \
        }                                                                      \
        return refuses(dir_fd, path, flags) ? -1                               \
                                            : real(dir_fd, path, flags, mode); \
    }

#define OPEN(name)                                                             \
    int name(const char *path, int flags, ...)                                 \
    {                                                                          \
        static int (*real)(const char *, int, ...);                            \
        va_list args;                                                          \
        int mode;                                                              \
        va_start(args, flags);                                                 \
        mode = va_arg(args, int);                                              \
        va_end(args);                                                          \
        if (real == NULL) {                                                    \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                         \
        }                                                                      \
        return refuses(AT_FDCWD, path, flags) ? -1 : real(path, flags, mode);  \
    }

OPENAT(openat)
OPENAT(openat64)
OPEN(open)
OPEN(open64)
