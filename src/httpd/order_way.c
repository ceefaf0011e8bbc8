/* SPDX-License-Identifier: Apache-2.0
 *
 * See order_way.h.
 */
#include "httpd/order_way.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <apr_strings.h>
#include <httpd.h>
#include <unixd.h>

#include "httpd/control_setting.h"
#include "httpd/log.h"
#include "httpd/supervisor_link.h"

/** The runtime directory, or -1; of this configuration, and inherited. */
static int directory_fd = -1;

static apr_status_t close_way(void *unused)
{
    (void)unused; /* a cleanup's signature */
    close(directory_fd);
    directory_fd = -1;
    return APR_SUCCESS;
}

/** By its mode; whatever else lets somebody in or keeps him out is seen when an
 * order is given. */
static int lets_user_through(const struct stat *dir)
{
    if (dir->st_uid == ap_unixd_config.user_id) {
        return (dir->st_mode & S_IXUSR) != 0;
    }
    if (dir->st_gid == ap_unixd_config.group_id) {
        return (dir->st_mode & S_IXGRP) != 0;
    }
    return (dir->st_mode & S_IXOTH) != 0;
}

/** The first directory of @a path that httpd's User cannot go through, or NULL:
 * there is none, or one that nobody can.  @a path is cut there. */
static const char *find_wall(char *path)
{
    struct stat dir;
    char *slash;

    for (slash = strchr(path + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (stat(path, &dir) != 0) {
            return NULL;
        }
        if (!lets_user_through(&dir)) {
            return path;
        }
        *slash = '/';
    }
    return NULL;
}

/** A descriptor of @a dir without anything above it; -1 with errno. */
static int open_detached(const char *dir)
{
    return (int)syscall(SYS_open_tree, AT_FDCWD, dir,
                        OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

void amgr_order_way_make(server_rec *s, apr_pool_t *pconf)
{
    const char *socket = amgr_supervisor_link_socket(pconf);
    const char *dir;
    const char *wall;

    if (geteuid() != 0 || socket == NULL || !amgr_control_is_on_anywhere()) {
        return;
    }
    dir = ap_make_dirstr_parent(pconf, socket);
    wall = find_wall(apr_pstrdup(pconf, dir));
    if (wall == NULL) {
        return;
    }
    errno = EACCES; /* to its own files no way leads */
    if (strlen(wall) + 1 < strlen(dir)) {
        directory_fd = open_detached(dir);
    }
    if (directory_fd < 0) {
        amgr_log(s, AMGR_TAG_ORDER_REFUSED, APLOG_WARNING, errno,
                 "orders over HTTP will be refused: httpd's User cannot go "
                 "through %s to %s, and there is no other way",
                 wall, socket);
        return;
    }
    apr_pool_cleanup_register(pconf, NULL, close_way, apr_pool_cleanup_null);
}

/** Why there is no answer from @a socket. */
static void explain(apr_status_t rv, const char *socket, char *why,
                    apr_size_t size)
{
    char reason[64];

    switch (rv) {
    case APR_TIMEUP:
    case APR_EGENERAL:
        apr_snprintf(why, size,
                     "no %sanswer from %s: the order may have been carried out",
                     rv == APR_TIMEUP ? "" : "sensible ", socket);
        break;
    case APR_EMISMATCH:
        apr_snprintf(why, size, "somebody else listens at %s", socket);
        break;
    default:
        apr_snprintf(why, size, "%s: %s", socket,
                     apr_strerror(rv, reason, sizeof(reason)));
        break;
    }
}

apr_status_t amgr_order_way_ask(const char *socket, const char *verb,
                                const char *name, amgr_order_answer_t *out,
                                char *why, apr_size_t size)
{
    apr_status_t rv = amgr_order_ask(socket, verb, name, 0, 0, out);
    char shown[192];
    char path[64];

    apr_cpystrn(shown, socket, sizeof(shown));
    if (rv == EACCES && directory_fd >= 0) {
        apr_snprintf(path, sizeof(path), "/proc/self/fd/%d%s", directory_fd,
                     strrchr(socket, '/'));
        apr_snprintf(shown, sizeof(shown), "%s (by %s)", socket, path);
        rv = amgr_order_ask(path, verb, name, 0, 0, out);
    }
    if (rv != APR_SUCCESS) {
        explain(rv, shown, why, size);
    }
    return rv;
}
