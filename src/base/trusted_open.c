/* SPDX-License-Identifier: Apache-2.0
 *
 * See trusted_open.h.
 */
#include "base/trusted_open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"

/** As in the kernel. */
#define LINKS_MAX 40

typedef struct walk_t {
    int dir;       /**< where we are, O_PATH */
    int is_shared; /**< others can change a directory of the way so far */
    int links;     /**< followed */
    char *rest;    /**< of the path, in one of the two: */
    int in;        /**< which one */
    char texts[2][PATH_MAX];
    char name[NAME_MAX + 1]; /**< the component in hand */
} walk_t;

static int is_others(const struct stat *info)
{
    return (info->st_uid != 0 && info->st_uid != geteuid()) ||
           (info->st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

/** Stand in @a fd, a directory, instead of where we are; 0 or an errno. */
static int enter(walk_t *walk, int fd)
{
    struct stat info;

    if (fd < 0) {
        return errno;
    }
    if (walk->dir >= 0) {
        close(walk->dir);
    }
    walk->dir = fd;
    if (fstat(fd, &info) != 0) {
        return errno;
    }
    walk->is_shared |= is_others(&info);
    return 0;
}

static int enter_root(walk_t *walk)
{
    return enter(walk, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/** The next component into name; an empty one is the end.  0 or an errno. */
static int take_name(walk_t *walk)
{
    apr_size_t len;

    walk->rest += strspn(walk->rest, "/");
    len = strcspn(walk->rest, "/");
    if (len >= sizeof(walk->name)) {
        return ENAMETOOLONG;
    }
    memcpy(walk->name, walk->rest, len);
    walk->name[len] = '\0';
    walk->rest += len;
    return 0;
}

/** The path goes on where the link @a fd, called name, points to. */
static int follow(walk_t *walk, int fd)
{
    char *text = walk->texts[!walk->in];
    apr_size_t rest_len = strlen(walk->rest);
    struct stat info;
    ssize_t len;

    if (fstat(fd, &info) != 0) {
        return errno;
    }
    if (walk->is_shared || (info.st_uid != 0 && info.st_uid != geteuid()) ||
        ++walk->links > LINKS_MAX) {
        return ELOOP;
    }
    len = readlinkat(fd, "", text, PATH_MAX);
    if (len < 0) {
        return errno;
    }
    if (len == 0 || (apr_size_t)len + rest_len >= PATH_MAX) {
        return len == 0 ? ENOENT : ENAMETOOLONG;
    }
    memcpy(text + len, walk->rest, rest_len + 1);
    walk->rest = text;
    walk->in = !walk->in;
    return text[0] == '/' ? enter_root(walk) : 0;
}

/** What is called name here, if that is a link: 1 it was followed, 0 it is
 * something else or nothing, or the negative of an errno. */
static int follow_if_link(walk_t *walk)
{
    int fd = openat(walk->dir, walk->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat info;
    int error;

    if (fd < 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    error = fstat(fd, &info) != 0 ? errno : 0;
    if (error == 0 && !S_ISLNK(info.st_mode)) {
        close(fd);
        return 0;
    }
    error = error == 0 ? follow(walk, fd) : error;
    close(fd);
    return error != 0 ? -error : 1;
}

/** One step towards the last component.  O_DIRECTORY has what is mounted on
 * demand mounted. */
static int step(walk_t *walk)
{
    int fd = openat(walk->dir, walk->name,
                    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int error = errno;
    int followed;

    if (fd >= 0) {
        return enter(walk, fd);
    }
    if (error != ENOTDIR && error != ELOOP) {
        return error;
    }
    followed = follow_if_link(walk);
    return followed < 0 ? -followed : followed ? 0 : ENOTDIR;
}

static int open_last(walk_t *walk, int flags, mode_t mode)
{
    int fd =
        openat(walk->dir, walk->name, flags | O_NOFOLLOW | O_CLOEXEC, mode);

    return fd < 0 ? -errno : fd;
}

/** Go all the way; a descriptor or the negative of an errno. */
static int go(walk_t *walk, int flags, mode_t mode, int in_shared)
{
    int error = enter_root(walk);
    int followed;

    while (error == 0) {
        error = take_name(walk);
        if (error == 0 && walk->name[0] == '\0') {
            error = EISDIR;
        }
        if (error != 0) {
            break;
        }
        if (walk->rest[0] == '/') {
            error = step(walk);
            continue;
        }
        if (walk->is_shared && in_shared == AMGR_SHARED_REFUSE) {
            return -EPERM;
        }
        followed = (flags & O_NOFOLLOW) != 0 ? 0 : follow_if_link(walk);
        if (followed == 0) {
            return open_last(walk, flags, mode);
        }
        error = followed < 0 ? -followed : 0;
    }
    return -error;
}

int amgr_trusted_open(const char *path, int flags, mode_t mode, int in_shared,
                      int *out_is_shared)
{
    walk_t walk;
    int fd;

    *out_is_shared = 0;
    if (geteuid() != 0) {
        fd = open(path, flags | O_CLOEXEC, mode);
        return fd < 0 ? -errno : fd;
    }
    walk.dir = -1;
    walk.is_shared = walk.links = walk.in = 0;
    walk.rest = walk.texts[0];
    if (path[0] != '/') {
        return -EINVAL;
    }
    if (strlen(path) >= sizeof(walk.texts[0])) {
        return -ENAMETOOLONG;
    }
    memcpy(walk.texts[0], path, strlen(path) + 1);
    fd = go(&walk, flags, mode, in_shared);
    if (walk.dir >= 0) {
        close(walk.dir);
    }
    *out_is_shared = walk.is_shared;
    return fd;
}
