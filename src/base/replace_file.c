/* SPDX-License-Identifier: Apache-2.0
 *
 * Replacing a file as root.  Everything happens relative to one descriptor of
 * the directory, and the target is never opened: it is looked at and renamed
 * over.  So a link planted in its place is at worst replaced itself, a FIFO
 * cannot block, and a hard link needs no check of its own: rename(2) changes
 * the entry, the other names keep the inode with the old content.
 */
#include "base/replace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/** Random names tried before giving up; a second is never needed by chance. */
#define TEMP_TRIES 16

/** "." BASE "." 16 hex digits stays a valid name for BASE cut at this. */
#define TEMP_BASE_MAX (NAME_MAX - 18)

static apr_status_t fail(amgr_replace_file_t *file, amgr_replace_error_e error,
                         int sys_errno)
{
    file->error = error;
    file->sys_errno = sys_errno;
    return sys_errno != 0 ? APR_FROM_OS_ERROR(sys_errno) : APR_EGENERAL;
}

/* Close and remove whatever is held; keeps the error. */
static void release(amgr_replace_file_t *file)
{
    if (file->fd >= 0) {
        close(file->fd);
        file->fd = -1;
    }
    if (file->temp[0] != '\0') {
        unlinkat(file->dir_fd, file->temp, 0);
        file->temp[0] = '\0';
    }
    if (file->dir_fd >= 0) {
        close(file->dir_fd);
        file->dir_fd = -1;
    }
}

/*
 * Others can put something else in our file's place.  The owner of the
 * directory is trusted, as is root's group and the one we run as (a private
 * group under umask 002 is no danger); any other group, and the world, only
 * with the sticky bit, which leaves each file to its owner.
 */
static int is_unsafe(const struct stat *dir)
{
    if ((dir->st_mode & S_ISVTX) != 0) {
        return 0;
    }
    if ((dir->st_mode & S_IWOTH) != 0) {
        return 1;
    }
    return (dir->st_mode & S_IWGRP) != 0 && dir->st_gid != 0 &&
           dir->st_gid != getegid();
}

/* Split @a path, open its directory.  The file's name goes to file->base. */
static apr_status_t open_dir(amgr_replace_file_t *file, const char *path)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    apr_size_t dir_len;
    apr_size_t base_len;

    if (path[0] != '/') {
        return fail(file, AMGR_REPLACE_DIR_OPEN, EINVAL);
    }
    dir_len = slash == path ? 1 : (apr_size_t)(slash - path);
    base_len = strlen(slash + 1);
    if (dir_len >= sizeof(dir)) {
        return fail(file, AMGR_REPLACE_DIR_OPEN, ENAMETOOLONG);
    }
    if (base_len >= sizeof(file->base)) {
        return fail(file, AMGR_REPLACE_CREATE, ENAMETOOLONG);
    }
    memcpy(dir, path, dir_len);
    dir[dir_len] = '\0';
    memcpy(file->base, slash + 1, base_len + 1);
    if (base_len == 0 || strcmp(file->base, ".") == 0 ||
        strcmp(file->base, "..") == 0) {
        return fail(file, AMGR_REPLACE_NOT_REGULAR, 0);
    }
    /* O_PATH: search permission is all that is needed. */
    file->dir_fd = openat(AT_FDCWD, dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (file->dir_fd < 0) {
        return fail(file, AMGR_REPLACE_DIR_OPEN, errno);
    }
    return APR_SUCCESS;
}

/* Whether the directory, and what stands at the target, allow replacing. */
static apr_status_t check_place(amgr_replace_file_t *file)
{
    struct stat dir;
    struct stat target;

    if (fstat(file->dir_fd, &dir) != 0) {
        return fail(file, AMGR_REPLACE_DIR_OPEN, errno);
    }
    if (is_unsafe(&dir)) {
        return fail(file, AMGR_REPLACE_DIR_UNSAFE, 0);
    }
    if (fstatat(file->dir_fd, file->base, &target, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? APR_SUCCESS
                               : fail(file, AMGR_REPLACE_CREATE, errno);
    }
    if (!S_ISREG(target.st_mode)) {
        return fail(file, AMGR_REPLACE_NOT_REGULAR, 0);
    }
    if ((dir.st_mode & S_ISVTX) != 0 && target.st_uid != geteuid()) {
        return fail(file, AMGR_REPLACE_FOREIGN, 0);
    }
    return APR_SUCCESS;
}

static int random_name(amgr_replace_file_t *file)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[8];
    apr_size_t len = strlen(file->base);
    char *out = file->temp;
    apr_size_t i;

    if (getrandom(bytes, sizeof(bytes), GRND_NONBLOCK) !=
        (ssize_t)sizeof(bytes)) {
        return 0;
    }
    if (len > TEMP_BASE_MAX) {
        len = TEMP_BASE_MAX;
    }
    *out++ = '.';
    memcpy(out, file->base, len);
    out += len;
    *out++ = '.';
    for (i = 0; i < sizeof(bytes); i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 0xF];
    }
    *out = '\0';
    return 1;
}

static apr_status_t create_temp(amgr_replace_file_t *file, int mode)
{
    int sys_errno = EEXIST;
    int tries;

    for (tries = 0; tries < TEMP_TRIES && sys_errno == EEXIST; tries++) {
        if (!random_name(file)) {
            sys_errno = errno;
            break;
        }
        file->fd = openat(file->dir_fd, file->temp,
                          O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                          S_IRUSR | S_IWUSR);
        sys_errno = file->fd < 0 ? errno : 0;
    }
    if (file->fd < 0) {
        file->temp[0] = '\0'; /* nothing of ours by that name to remove */
        return fail(file, AMGR_REPLACE_CREATE, sys_errno);
    }
    if (fchmod(file->fd, (mode_t)mode & 0777) != 0) {
        return fail(file, AMGR_REPLACE_CREATE, errno);
    }
    return APR_SUCCESS;
}

static apr_status_t write_temp(void *baton, const char *data, apr_size_t len)
{
    amgr_replace_file_t *file = baton;
    ssize_t n;

    while (len > 0) {
        n = write(file->fd, data, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return fail(file, AMGR_REPLACE_WRITE, n < 0 ? errno : EIO);
        }
        data += n;
        len -= (apr_size_t)n;
    }
    return APR_SUCCESS;
}

apr_status_t amgr_replace_begin(amgr_replace_file_t *file, const char *path,
                                int mode)
{
    apr_status_t rv;

    file->dir_fd = -1;
    file->fd = -1;
    file->base[0] = '\0';
    file->temp[0] = '\0';
    file->error = AMGR_REPLACE_OK;
    file->sys_errno = 0;
    amgr_sink_init(&file->sink, file->buf, sizeof(file->buf), write_temp,
                   file);
    rv = open_dir(file, path);
    if (rv == APR_SUCCESS) {
        rv = check_place(file);
    }
    if (rv == APR_SUCCESS) {
        rv = create_temp(file, mode);
    }
    if (rv != APR_SUCCESS) {
        release(file);
    }
    return rv;
}

/* Everything of the commit that can fail, in order. */
static apr_status_t finish(amgr_replace_file_t *file)
{
    apr_status_t rv = amgr_sink_finish(&file->sink);
    int fd = file->fd;

    if (rv != APR_SUCCESS) {
        if (file->error == AMGR_REPLACE_OK) {
            fail(file, AMGR_REPLACE_WRITE, 0);
        }
        return rv;
    }
    /* Some file systems tell of a full disk only here. */
    file->fd = -1;
    if (close(fd) != 0 && errno != EINTR) {
        return fail(file, AMGR_REPLACE_WRITE, errno);
    }
    /* Once more, because writing took time.  What slips in after this is at
     * worst an entry that the rename replaces, never one it follows. */
    rv = check_place(file);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (renameat(file->dir_fd, file->temp, file->dir_fd, file->base) != 0) {
        return fail(file, AMGR_REPLACE_RENAME, errno);
    }
    file->temp[0] = '\0';
    return APR_SUCCESS;
}

apr_status_t amgr_replace_commit(amgr_replace_file_t *file)
{
    apr_status_t rv;

    if (file->fd < 0) {
        return APR_EINVAL;
    }
    rv = finish(file);
    release(file);
    return rv;
}

void amgr_replace_abort(amgr_replace_file_t *file)
{
    release(file);
}

const char *amgr_replace_error_text(amgr_replace_error_e error)
{
    switch (error) {
    case AMGR_REPLACE_OK:
        return "was replaced";
    case AMGR_REPLACE_DIR_OPEN:
        return "is in a directory that cannot be opened";
    case AMGR_REPLACE_DIR_UNSAFE:
        return "is in a directory that others can write and that is not "
               "sticky";
    case AMGR_REPLACE_NOT_REGULAR:
        return "is not a regular file";
    case AMGR_REPLACE_FOREIGN:
        return "belongs to another user in a sticky directory";
    case AMGR_REPLACE_CREATE:
        return "cannot have a temporary file beside it";
    case AMGR_REPLACE_WRITE:
        return "cannot be written";
    case AMGR_REPLACE_RENAME:
        return "cannot be renamed into place";
    case AMGR_REPLACE_ERROR_COUNT:
        break;
    }
    return "failed for an unknown reason";
}
