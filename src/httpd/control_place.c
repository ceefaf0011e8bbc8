/* SPDX-License-Identifier: Apache-2.0
 *
 * See control_place.h.
 */
#include "httpd/control_place.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "httpd/board_file.h"
#include "httpd/log.h"

#define BACKLOG 16

/** Between two looks at it. */
#define LOOK_US (5 * APR_USEC_PER_SEC)

void amgr_control_place_init(amgr_control_place_t *place, server_rec *s,
                             const char *path)
{
    memset(place, 0, sizeof(*place));
    place->server = s;
    place->path = path;
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

int amgr_control_place_clean(const char *path)
{
    struct sockaddr_un address;
    struct stat st;
    int refused;
    int fd;

    if (lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode) ||
        st.st_uid != geteuid()) {
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

static int is_in_place(const amgr_control_place_t *place)
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

/** Bind and listen; NULL, or what went wrong, with *out_errno. */
static const char *listen_at(amgr_control_place_t *place, int fd,
                             int *out_errno)
{
    struct stat st;

    *out_errno = 0;
    if (!amgr_board_file_is_safe_place(place->path)) {
        return "its directory is missing, or others may change it";
    }
    if (bind_to(fd, place->path) != 0 &&
        !(errno == EADDRINUSE && amgr_control_place_clean(place->path) &&
          bind_to(fd, place->path) == 0)) {
        *out_errno = errno;
        return errno == EADDRINUSE
                   ? "something else is there, which is left alone"
                   : "cannot be created";
    }
    if (lstat(place->path, &st) != 0) {
        *out_errno = errno;
        return "cannot be found again";
    }
    place->device = st.st_dev;
    place->inode = st.st_ino;
    if (listen(fd, BACKLOG) != 0) {
        *out_errno = errno;
        unlink(place->path);
        return "cannot be listened at";
    }
    return NULL;
}

/** One line in the log for each change. */
static void tell_state(amgr_control_place_t *place, const char *wrong,
                       int error)
{
    if (wrong == NULL) {
        amgr_log(place->server, AMGR_TAG_CONTROL,
                 place->told == NULL ? APLOG_INFO : APLOG_NOTICE, 0,
                 "control socket %s takes orders", place->path);
    }
    else if (place->told == NULL || strcmp(place->told, wrong) != 0 ||
             place->told_errno != error) {
        amgr_log(place->server, AMGR_TAG_CONTROL, APLOG_WARNING, error,
                 "control socket %s: %s", place->path, wrong);
    }
    place->told = wrong;
    place->told_errno = error;
}

static void open_it(amgr_control_place_t *place, apr_uint64_t *faults)
{
    const char *wrong;
    int error = 0;
    int fd = open_socket();

    if (fd < 0) {
        error = errno;
        wrong = "cannot be opened";
    }
    else {
        wrong = listen_at(place, fd, &error);
    }
    if (wrong == NULL) {
        place->fd = fd;
    }
    else {
        (*faults)++;
        if (fd >= 0) {
            close(fd);
        }
    }
    tell_state(place, wrong, error);
}

void amgr_control_place_look(amgr_control_place_t *place, apr_uint64_t *faults)
{
    apr_time_t now_us = amgr_clock_monotonic_us();

    if (place->path == NULL || now_us < place->look_mono_us) {
        return;
    }
    place->look_mono_us = now_us + LOOK_US;
    if (place->fd >= 0 && !is_in_place(place)) {
        close(place->fd);
        place->fd = -1;
    }
    if (place->fd < 0) {
        open_it(place, faults);
    }
}

void amgr_control_place_close(amgr_control_place_t *place)
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
