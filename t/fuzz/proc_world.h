/* SPDX-License-Identifier: Apache-2.0
 *
 * A /proc whose files, directories and links are what the input says at the
 * time when they are asked for.
 */
#ifndef AMGR_PROC_WORLD_H
#define AMGR_PROC_WORLD_H

#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/** Descriptors of this /proc begin here; the first is its own. */
#define FIRST_FD 1000000
#define FDS 8

/** Of an entry of a directory, with room for any pid; a multiple of 8. */
#define ENTRY_LEN 40

/** Pids that there are most of. */
#define PIDS 12

int __real_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);
int __real_close(int fd);
int __wrap_close(int fd);
ssize_t __real_read(int fd, void *buf, size_t size);
ssize_t __wrap_read(int fd, void *buf, size_t size);
ssize_t __wrap_pread(int fd, void *buf, size_t size, off_t at);
ssize_t __wrap_getdents64(int fd, void *buf, size_t size);
ssize_t __wrap_readlinkat(int dir, const char *path, char *buf, size_t size);
ssize_t __real_readlink(const char *path, char *buf, size_t size);
ssize_t __wrap_readlink(const char *path, char *buf, size_t size);
int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);
DIR *__wrap_fdopendir(int fd);
struct dirent *__real_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir);
int __real_closedir(DIR *dir);
int __wrap_closedir(DIR *dir);
int __wrap_access(const char *path, int mode);
int __real_stat(const char *path, struct stat *info);
int __wrap_stat(const char *path, struct stat *info);

/** An open file: what is left of it. */
typedef struct file_t {
    int is_open;
    int has_pids;   /**< a directory */
    char text[512]; /**< of stat, else empty */
    fuzz_t rest;
} file_t;

static int is_inside;
static fuzz_t input;
static file_t files[FDS];

/* 0, or with errno set. */
static int fails(void)
{
    static const int errors[] = {ENOENT, EACCES, ESRCH, EMFILE, EIO, EPERM};
    int which = fuzz_below(&input, 64);

    if (which >= (int)AMGR_COUNT(errors)) {
        return 0;
    }
    errno = errors[which];
    return 1;
}

static fuzz_t take(size_t len)
{
    fuzz_t part = input;

    len = len < fuzz_left(&input) ? len : fuzz_left(&input);
    part.end = part.at + len;
    input.at += len;
    return part;
}

/* A process of which little is as it was when it was read before. */
static void write_stat(file_t *file, const char *path)
{
    static const char letters[] = "SRDZTXW";
    char comm[8];

    fuzz_bytes(&input, comm, sizeof(comm) - 1);
    comm[sizeof(comm) - 1] = '\0';
    snprintf(file->text, sizeof(file->text),
             "%d (%s) %c %d 1 1 0 -1 %d 0 0 0 0 3 4 5 6 20 0 1 0 %d 4096 7 0\n",
             atoi(path), comm, letters[fuzz_below(&input, 7)],
             fuzz_below(&input, PIDS), fuzz_below(&input, 2) * 0x40,
             1 + fuzz_below(&input, 4));
    file->rest.at = (const uint8_t *)file->text;
    file->rest.end = file->rest.at + strlen(file->text);
}

int __wrap_openat(int dir, const char *path, int flags, ...)
{
    const char *name = strrchr(path, '/');
    int i = 1;

    if (!is_inside) {
        return __real_openat(dir, path, flags);
    }
    check(dir >= FIRST_FD || path[0] == '/');
    check((flags & O_CLOEXEC) != 0);
    if (fails()) {
        return -1;
    }
    while (files[i].is_open) {
        i++;
        check(i < FDS);
    }
    files[i].is_open = 1;
    files[i].has_pids = (flags & O_DIRECTORY) != 0 ||
                        (name != NULL && strcmp(name, "/task") == 0);
    if (name != NULL && strcmp(name, "/stat") == 0 &&
        fuzz_below(&input, 16) != 15) {
        write_stat(&files[i], path);
    }
    else {
        files[i].rest = take((size_t)fuzz_below(&input, 256) *
                             (fuzz_below(&input, 16) == 15 ? 64 : 1));
    }
    return FIRST_FD + i;
}

static file_t *file_of(int fd)
{
    check(fd > FIRST_FD && fd < FIRST_FD + FDS);
    check(files[fd - FIRST_FD].is_open);
    return &files[fd - FIRST_FD];
}

int __wrap_close(int fd)
{
    if (!is_inside) {
        return __real_close(fd);
    }
    file_of(fd)->is_open = 0;
    return 0;
}

/* Some at once, or an error, which a process that ends may bring about. */
ssize_t __wrap_read(int fd, void *buf, size_t size)
{
    size_t len = size;
    file_t *file;

    if (!is_inside) {
        return __real_read(fd, buf, size);
    }
    file = file_of(fd);
    check(!file->has_pids && size > 0);
    switch (fuzz_below(&input, 32)) {
    case 0:
        errno = ESRCH;
        return -1;
    case 1:
        errno = fuzz_left(&input) > 0 ? EINTR : EIO;
        return -1;
    case 2:
        len = 1 + (size_t)fuzz_below(&input, 64);
        break;
    default:
        break;
    }
    len = len < size ? len : size;
    len = len < fuzz_left(&file->rest) ? len : fuzz_left(&file->rest);
    memcpy(buf, file->rest.at, len);
    file->rest.at += len;
    return (ssize_t)len;
}

ssize_t __wrap_pread(int fd, void *buf, size_t size, off_t at)
{
    check(at >= 0);
    return __wrap_read(fd, buf, size);
}

/* A name that is a pid, or any. */
static void take_name(char *name, size_t size)
{
    int which = fuzz_below(&input, PIDS + 4);

    if (which < PIDS) {
        snprintf(name, size, "%d", which + 1);
    }
    else {
        fuzz_bytes(&input, name, size - 1);
        name[size - 1] = '\0';
    }
}

ssize_t __wrap_getdents64(int fd, void *buf, size_t size)
{
    struct dirent64 entry;
    size_t used = 0;
    int count = fuzz_below(&input, 16);
    int i;

    check(file_of(fd)->has_pids);
    if (fails()) {
        return -1;
    }
    for (i = 0; i < count && size - used >= ENTRY_LEN; i++) {
        memset(&entry, 0, sizeof(entry));
        take_name(entry.d_name, 12);
        entry.d_reclen = ENTRY_LEN;
        memcpy((char *)buf + used, &entry, entry.d_reclen);
        used += entry.d_reclen;
    }
    return (ssize_t)used;
}

ssize_t __wrap_readlinkat(int dir, const char *path, char *buf, size_t size)
{
    fuzz_t text;

    (void)path; /* whatever it is asked for */
    check(dir >= FIRST_FD && size > 0);
    if (fails()) {
        return -1;
    }
    text = take((size_t)fuzz_below(&input, 128));
    if (fuzz_left(&text) < size) {
        size = fuzz_left(&text);
    }
    memcpy(buf, text.at, size);
    return (ssize_t)size;
}

/* What there is of our own: a namespace, in which the kernel tells nothing. */

ssize_t __wrap_readlink(const char *path, char *buf, size_t size)
{
    static const char own[] = "net:[1]";

    if (!is_inside) {
        return __real_readlink(path, buf, size);
    }
    check(strcmp(path, "/proc/self/ns/net") == 0 && size > sizeof(own));
    memcpy(buf, own, sizeof(own) - 1);
    return sizeof(own) - 1;
}

int __wrap_socket(int family, int type, int protocol)
{
    if (!is_inside) {
        return __real_socket(family, type, protocol);
    }
    errno = EPROTONOSUPPORT;
    return -1;
}

/* Of descriptors, which nothing else lists so. */

static int listing_fd;

DIR *__wrap_fdopendir(int fd)
{
    check(file_of(fd)->has_pids);
    listing_fd = fd;
    return (DIR *)(void *)&listing_fd;
}

struct dirent *__wrap_readdir(DIR *dir)
{
    static struct dirent entry;

    if (!is_inside) {
        return __real_readdir(dir);
    }
    check(dir == (DIR *)(void *)&listing_fd);
    take_name(entry.d_name, 12);
    return fuzz_left(&input) > 0 ? &entry : NULL;
}

int __wrap_closedir(DIR *dir)
{
    if (!is_inside) {
        return __real_closedir(dir);
    }
    check(dir == (DIR *)(void *)&listing_fd);
    return __wrap_close(listing_fd);
}

int __wrap_access(const char *path, int mode)
{
    (void)mode;
    check(path[0] == '/');
    return fuzz_below(&input, 2) - 1;
}

int __wrap_stat(const char *path, struct stat *info)
{
    if (!is_inside) {
        return __real_stat(path, info);
    }
    memset(info, 0, sizeof(*info));
    info->st_mode = S_IFREG;
    return fuzz_below(&input, 2) - 1;
}

#endif
