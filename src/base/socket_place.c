/* SPDX-License-Identifier: Apache-2.0
 *
 * See socket_place.h.
 */
#include "base/socket_place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "base/safe_place.h"

#define BACKLOG 16

void amgr_socket_place_init(amgr_socket_place_t *place, const char *path,
                            uid_t owner)
{
    memset(place, 0, sizeof(*place));
    place->path = path;
    place->owner = owner;
    place->fd = -1;
}

static void set_address(struct sockaddr_un *address, const char *path)
{
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    apr_cpystrn(address->sun_path, path, sizeof(address->sun_path));
}

/** A socket in the file system, or -1. */
static int open_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int amgr_socket_place_clean(const char *path, uid_t owner)
{
    struct sockaddr_un address;
    struct stat st;
    int refused;
    int fd;

    if (lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode) ||
        (st.st_uid != geteuid() && st.st_uid != owner) ||
        strlen(path) >= sizeof(address.sun_path)) {
        return 0;
    }
    fd = open_socket();
    if (fd < 0) {
        return 0;
    }
    set_address(&address, path);
    refused = connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 &&
              errno == ECONNREFUSED;
    close(fd);
    return refused && unlink(path) == 0;
}

static int is_in_place(const amgr_socket_place_t *place)
{
    struct stat st;

    return lstat(place->path, &st) == 0 && st.st_dev == place->device &&
           st.st_ino == place->inode;
}

/** Bind @a fd, mode 0600 from the first moment. */
static int bind_to(int fd, const char *path)
{
    struct sockaddr_un address;
    mode_t before = umask(0177);
    int rv;

    set_address(&address, path);
    rv = bind(fd, (struct sockaddr *)&address, sizeof(address));
    umask(before);
    return rv;
}

/** Note which file it is that was bound, by a descriptor that stays with it. */
static const char *find_again(amgr_socket_place_t *place, int *out_path_fd,
                              int *out_errno)
{
    struct stat st;

    *out_path_fd = open(place->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (*out_path_fd < 0 || fstat(*out_path_fd, &st) != 0) {
        *out_errno = errno;
        return "cannot be found again";
    }
    if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1) {
        return "was replaced by something else";
    }
    place->device = st.st_dev;
    place->inode = st.st_ino;
    return NULL;
}

/** What comes after that: before it listens nobody can connect. */
static const char *begin(const amgr_socket_place_t *place, int fd, int path_fd,
                         int *out_errno)
{
    if (place->owner != geteuid() &&
        fchownat(path_fd, "", place->owner, (gid_t)-1, AT_EMPTY_PATH) != 0) {
        *out_errno = errno;
        return "cannot be given to its user";
    }
    if (listen(fd, BACKLOG) != 0) {
        *out_errno = errno;
        return "cannot be listened at";
    }
    return NULL;
}

/** Bind and listen; NULL, or what went wrong, with *out_errno. */
static const char *listen_at(amgr_socket_place_t *place, int fd, int *out_errno)
{
    const char *wrong;
    int path_fd;

    if (strlen(place->path) >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
        *out_errno = ENAMETOOLONG;
        return "cannot be created";
    }
    if (place->owner == geteuid() ? !amgr_place_is_safe(place->path)
                                  : !amgr_place_is_ours(place->path)) {
        return "its directory is missing, or others may change it";
    }
    if (bind_to(fd, place->path) != 0 &&
        !(errno == EADDRINUSE &&
          amgr_socket_place_clean(place->path, place->owner) &&
          bind_to(fd, place->path) == 0)) {
        *out_errno = errno;
        return errno == EADDRINUSE
                   ? "something else is there, which is left alone"
                   : "cannot be created";
    }
    wrong = find_again(place, &path_fd, out_errno);
    if (wrong == NULL) {
        wrong = begin(place, fd, path_fd, out_errno);
        if (wrong != NULL && is_in_place(place)) {
            unlink(place->path);
        }
    }
    if (path_fd >= 0) {
        close(path_fd);
    }
    return wrong;
}

static const char *open_it(amgr_socket_place_t *place, int *out_errno)
{
    const char *wrong;
    int fd = open_socket();

    *out_errno = 0;
    if (fd < 0) {
        *out_errno = errno;
        return "cannot be opened";
    }
    wrong = listen_at(place, fd, out_errno);
    if (wrong == NULL) {
        place->fd = fd;
    }
    else {
        close(fd);
    }
    return wrong;
}

/** One change for each reason in a row. */
static int note_state(amgr_socket_place_t *place, const char *wrong, int error)
{
    int change = AMGR_SOCKET_SAME;

    if (wrong == NULL) {
        change =
            place->wrong == NULL ? AMGR_SOCKET_OPENED : AMGR_SOCKET_RECOVERED;
    }
    else if (place->wrong == NULL || strcmp(place->wrong, wrong) != 0 ||
             place->error != error) {
        change = AMGR_SOCKET_FAILED;
    }
    place->wrong = wrong;
    place->error = error;
    return change;
}

int amgr_socket_place_look(amgr_socket_place_t *place)
{
    apr_time_t now_us = amgr_clock_monotonic_us();
    const char *wrong;
    int error;

    if (place->path == NULL || now_us < place->look_mono_us) {
        return AMGR_SOCKET_SAME;
    }
    place->look_mono_us = now_us + AMGR_SOCKET_PLACE_LOOK_US;
    if (place->fd >= 0 && !is_in_place(place)) {
        close(place->fd);
        place->fd = -1;
    }
    if (place->fd >= 0) {
        return AMGR_SOCKET_SAME;
    }
    wrong = open_it(place, &error);
    place->failures += wrong != NULL;
    return note_state(place, wrong, error);
}

void amgr_socket_place_close(amgr_socket_place_t *place)
{
    if (place->fd < 0) {
        return;
    }
    if (is_in_place(place)) {
        unlink(place->path);
    }
    close(place->fd);
    place->fd = -1;
}
