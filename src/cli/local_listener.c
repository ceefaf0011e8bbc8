/* SPDX-License-Identifier: Apache-2.0
 *
 * See local_listener.h.  Reads /proc of whole machines: only for servers whose
 * board is at no usual place.
 */
#include "cli/local_listener.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "base/units.h"
#include "cli/local_board.h"
#include "proc/proc_info.h"
#include "proc/proc_socket.h"

/** Of a table of sockets or of mappings, however busy the machine is. */
#define READ_BYTES (64 * 1024 * 1024)
#define READ_US (2 * APR_USEC_PER_SEC)

/** Sockets at one port: of each address, and of each bucket of listeners. */
#define SOCKETS_MAX 256

/** A process has no more descriptors. */
#define DESCRIPTOR_MAX (1 << 30)

/** The sockets that fit best so far. */
typedef struct sockets_t {
    const char *address;
    apr_uint16_t port;
    int fit;
    int count;
    apr_uint64_t inodes[SOCKETS_MAX];
} sockets_t;

/** A mapping that is looked for. */
typedef struct mapping_t {
    apr_pool_t *pool;
    const char *path;
} mapping_t;

static void make_budget(amgr_proc_budget_t *budget)
{
    budget->file_bytes = READ_BYTES;
    budget->mono_us = amgr_clock_monotonic_us() + READ_US;
}

int amgr_local_fit(const char *local, const char *wanted)
{
    if (local[0] == '\0' || strcmp(local, "0.0.0.0") == 0 ||
        strcmp(local, "::") == 0) {
        return AMGR_LOCAL_FIT_ANY;
    }
    return wanted == NULL || strcmp(local, wanted) == 0 ? AMGR_LOCAL_FIT_EXACT
                                                        : AMGR_LOCAL_FIT_NONE;
}

/** Part "[::1]:80" or "127.0.0.1:80", in its own bytes. */
static int split(char *text, const char **out_address, int *out_port)
{
    char *colon = strrchr(text, ':');

    if (colon == NULL ||
        amgr_count_parse(colon + 1, 1, APR_UINT16_MAX, out_port) != NULL) {
        return 0;
    }
    *colon = '\0';
    if (text[0] == '[' && colon > text + 1 && colon[-1] == ']') {
        colon[-1] = '\0';
        text++;
    }
    *out_address = text;
    return 1;
}

/** Those that listen stand first; behind them nothing is looked for. */
static int take_socket(void *baton, const char *line, apr_size_t len)
{
    sockets_t *sockets = baton;
    amgr_proc_socket_t found;
    const char *address;
    int port;
    int fit;

    if (amgr_proc_parse_inet(line, len, AMGR_SOCKET_TCP, &found) !=
        APR_SUCCESS) {
        return 0; /* the heading */
    }
    if (!found.listening) {
        return 1;
    }
    if (!split(found.local, &address, &port) || port != sockets->port) {
        return 0;
    }
    fit = amgr_local_fit(address, sockets->address);
    if (fit == AMGR_LOCAL_FIT_NONE || fit < sockets->fit) {
        return 0;
    }
    if (fit > sockets->fit) {
        sockets->fit = fit;
        sockets->count = 0;
    }
    if (sockets->count < SOCKETS_MAX) {
        sockets->inodes[sockets->count++] = found.inode;
    }
    return 0;
}

/** The sockets that listen at this port of this namespace. */
static void find_sockets(amgr_proc_dir_t *proc, const char *address,
                         apr_uint16_t port, sockets_t *out)
{
    static const char *const tables[] = {"net/tcp", "net/tcp6"};
    amgr_proc_budget_t budget;
    apr_size_t i;
    int fd;

    memset(out, 0, sizeof(*out));
    out->address = address;
    out->port = port;
    make_budget(&budget);
    for (i = 0; i < AMGR_COUNT(tables); i++) {
        if (amgr_proc_keep(proc, getpid(), tables[i], &fd) == APR_SUCCESS) {
            /* A table that is cut short has its beginning. */
            (void)amgr_proc_each_line(fd, &budget, take_socket, out);
            close(fd);
        }
    }
}

int amgr_local_is_listened(amgr_proc_dir_t *proc, const char *address,
                           apr_uint16_t port)
{
    sockets_t sockets;

    find_sockets(proc, address, port, &sockets);
    return sockets.count > 0;
}

static int is_one_of(const sockets_t *sockets, apr_uint64_t inode)
{
    int i;

    for (i = 0; i < sockets->count; i++) {
        if (sockets->inodes[i] == inode) {
            return 1;
        }
    }
    return 0;
}

static DIR *open_descriptors(const amgr_proc_dir_t *proc, pid_t pid)
{
    char name[32];
    DIR *dir;
    int fd;

    apr_snprintf(name, sizeof(name), "%ld/fd", (long)pid);
    fd = openat(proc->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    dir = fdopendir(fd);
    if (dir == NULL) {
        close(fd);
    }
    return dir;
}

/** Whether @a pid has one of the sockets; *out_denied is set where that is not
 * to be known. */
static int holds(amgr_proc_dir_t *proc, pid_t pid, const sockets_t *sockets,
                 int *out_denied)
{
    DIR *dir = open_descriptors(proc, pid);
    amgr_proc_target_t target;
    const struct dirent *entry;
    int found = 0;
    int number;

    if (dir == NULL) {
        if (errno == EACCES || errno == EPERM) {
            *out_denied = 1;
        }
        return 0;
    }
    while (!found && (entry = readdir(dir)) != NULL) {
        if (amgr_count_parse(entry->d_name, 0, DESCRIPTOR_MAX, &number) !=
            NULL) {
            continue;
        }
        switch (amgr_proc_read_target(proc, pid, number, &target)) {
        case APR_SUCCESS:
            found = target.kind == AMGR_TARGET_SOCKET &&
                    is_one_of(sockets, target.inode);
            break;
        case APR_EACCES:
            *out_denied = 1;
            break;
        default:
            break; /* closed meanwhile */
        }
    }
    closedir(dir);
    return found;
}

int amgr_local_is_same_namespace(amgr_proc_dir_t *proc, pid_t pid,
                                 const char *name)
{
    char file[16];
    char own[64];
    char other[64];

    apr_snprintf(file, sizeof(file), "ns/%s", name);
    return amgr_proc_read_link(proc, pid, file, other, sizeof(other)) !=
               APR_SUCCESS ||
           amgr_proc_read_link(proc, getpid(), file, own, sizeof(own)) !=
               APR_SUCCESS ||
           strcmp(own, other) == 0;
}

const char *amgr_local_path(amgr_proc_dir_t *proc, pid_t pid, const char *path,
                            apr_pool_t *pool)
{
    if (amgr_local_is_same_namespace(proc, pid, "mnt") &&
        amgr_local_is_same_namespace(proc, pid, "pid")) {
        return path;
    }
    return apr_psprintf(pool, "/proc/%ld/root%s", (long)pid, path);
}

/** The kernel escapes what could end a line, and says when a file has been
 * removed; neither is a board. */
static int take_mapping(void *baton, const char *line, apr_size_t len)
{
    static const char end[] = "/" AMGR_LOCAL_BOARD_NAME;
    mapping_t *mapping = baton;
    const char *path = memchr(line, '/', len);
    apr_size_t path_len;

    if (path == NULL) {
        return 0;
    }
    path_len = len - (apr_size_t)(path - line);
    if (path_len < sizeof(end) - 1 || memchr(path, '\\', path_len) != NULL ||
        memcmp(path + path_len - (sizeof(end) - 1), end, sizeof(end) - 1) !=
            0) {
        return 0;
    }
    mapping->path = apr_pstrmemdup(mapping->pool, path, path_len);
    return 1;
}

const char *amgr_local_mapped_board(amgr_proc_dir_t *proc, pid_t pid,
                                    apr_pool_t *pool)
{
    mapping_t mapping = {pool, NULL};
    amgr_proc_budget_t budget;
    int fd;

    if (amgr_proc_keep(proc, pid, "maps", &fd) != APR_SUCCESS) {
        return NULL;
    }
    make_budget(&budget);
    (void)amgr_proc_each_line(fd, &budget, take_mapping, &mapping);
    close(fd);
    return mapping.path == NULL
               ? NULL
               : amgr_local_path(proc, pid, mapping.path, pool);
}

static int has_httpd_name(const amgr_proc_node_t *node)
{
    return strcmp(node->comm, "apache2") == 0 ||
           strcmp(node->comm, "httpd") == 0;
}

/** The first of a program's processes. */
static int is_first(const amgr_proc_node_t *node)
{
    return node->state != 'Z' && (node->parent == NULL ||
                                  strcmp(node->parent->comm, node->comm) != 0);
}

int amgr_local_is_httpd(const amgr_proc_node_t *node)
{
    return has_httpd_name(node) && is_first(node);
}

apr_status_t amgr_local_listener(const amgr_proc_tree_t *tree,
                                 const char *address, apr_uint16_t port,
                                 const amgr_proc_node_t **out_node,
                                 apr_pool_t *pool)
{
    sockets_t sockets;
    int denied = 0;
    int named;
    int i;

    find_sockets(tree->dir, address, port, &sockets);
    if (sockets.count == 0) {
        return APR_NOTFOUND;
    }
    /* Those that are called so first, for the others are many. */
    for (named = 1; named >= 0; named--) {
        for (i = 0; i < tree->count; i++) {
            const amgr_proc_node_t *node = &tree->nodes[i];

            if (!is_first(node) || has_httpd_name(node) != named ||
                (!named && node->first_child == NULL) ||
                !holds(tree->dir, node->id.pid, &sockets, &denied)) {
                continue;
            }
            if (named || amgr_local_mapped_board(tree->dir, node->id.pid,
                                                 pool) != NULL) {
                *out_node = node;
                return APR_SUCCESS;
            }
            return APR_NOTFOUND;
        }
    }
    return denied ? APR_EACCES : APR_NOTFOUND;
}
