/* SPDX-License-Identifier: Apache-2.0
 *
 * See local_listener.h.  Reads /proc of whole machines: only for servers whose
 * board is at no usual place.
 */
#include "cli/local/local_listener.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "base/units.h"
#include "cli/local/local_board.h"
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
    int own; /**< one of them is this user's */
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
        sockets->own = 0;
        sockets->count = 0;
    }
    sockets->own |= found.uid == geteuid();
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

/** Takes the inode of a socket; anything but 0 ends the walk. */
typedef int inode_fn(void *baton, apr_uint64_t inode);

/** Each socket that @a pid has; APR_EACCES where that is not to be known. */
static apr_status_t each_socket(amgr_proc_dir_t *proc, pid_t pid, inode_fn *fn,
                                void *baton)
{
    DIR *dir = open_descriptors(proc, pid);
    apr_status_t rv = APR_SUCCESS;
    amgr_proc_target_t target;
    const struct dirent *entry;
    apr_status_t one;
    int number;

    if (dir == NULL) {
        return errno == EACCES || errno == EPERM ? APR_EACCES : APR_SUCCESS;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (amgr_count_parse(entry->d_name, 0, DESCRIPTOR_MAX, &number) !=
            NULL) {
            continue;
        }
        one = amgr_proc_read_target(proc, pid, number, &target);
        if (one == APR_EACCES) {
            rv = one;
        }
        if (one == APR_SUCCESS && target.kind == AMGR_TARGET_SOCKET &&
            fn(baton, target.inode)) {
            break;
        }
    }
    closedir(dir);
    return rv;
}

/** What is compared with the sockets of a process. */
typedef struct holding_t {
    const sockets_t *sockets;
    int found;
} holding_t;

static int compare_socket(void *baton, apr_uint64_t inode)
{
    holding_t *holding = baton;

    holding->found = is_one_of(holding->sockets, inode);
    return holding->found;
}

/** Whether @a pid has one of the sockets; *out_denied is set where that is not
 * to be known. */
static int holds(amgr_proc_dir_t *proc, pid_t pid, const sockets_t *sockets,
                 int *out_denied)
{
    holding_t holding = {sockets, 0};

    if (each_socket(proc, pid, compare_socket, &holding) == APR_EACCES) {
        *out_denied = 1;
    }
    return holding.found;
}

static int keep_socket(void *baton, apr_uint64_t inode)
{
    amgr_proc_socket_t *socket = apr_array_push(baton);

    memset(socket, 0, sizeof(*socket));
    socket->inode = inode;
    return 0;
}

apr_array_header_t *amgr_local_listens(amgr_proc_dir_t *proc, pid_t pid,
                                       apr_pool_t *pool)
{
    apr_array_header_t *listens =
        apr_array_make(pool, 4, sizeof(amgr_listen_t));
    apr_array_header_t *sockets =
        apr_array_make(pool, 16, sizeof(amgr_proc_socket_t));
    amgr_proc_budget_t budget;
    int i;

    /* Some of them will do. */
    (void)each_socket(proc, pid, keep_socket, sockets);
    make_budget(&budget);
    (void)amgr_proc_find_sockets(proc, pid, &budget,
                                 (amgr_proc_socket_t *)(void *)sockets->elts,
                                 sockets->nelts);
    for (i = 0; i < sockets->nelts; i++) {
        amgr_proc_socket_t *socket =
            &APR_ARRAY_IDX(sockets, i, amgr_proc_socket_t);
        amgr_listen_t *listen;
        const char *address;
        int port;

        if (socket->kind == AMGR_SOCKET_TCP && socket->listening &&
            split(socket->local, &address, &port)) {
            listen = apr_array_push(listens);
            listen->address = amgr_local_fit(address, "") == AMGR_LOCAL_FIT_ANY
                                  ? "127.0.0.1"
                                  : apr_pstrdup(pool, address);
            listen->port = (apr_uint16_t)port;
            listen->tls = port == 443;
            listen->file = NULL;
        }
    }
    return listens;
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

/** What httpd was executed as it is, or has made itself the leader of a
 * session when it went into the background; its workers have done neither. */
static int is_orphan(const amgr_proc_stat_t *stat)
{
    return (stat->flags & AMGR_PROC_FORKED_NO_EXEC) != 0 && stat->session > 0 &&
           stat->session != stat->pid;
}

static int is_httpd_name(const char *comm)
{
    return strcmp(comm, "apache2") == 0 || strcmp(comm, "httpd") == 0;
}

/** The first of a program's processes. */
static int is_first(const amgr_proc_node_t *node)
{
    return node->state != 'Z' && (node->parent == NULL ||
                                  strcmp(node->parent->comm, node->comm) != 0);
}

/** Whether the parent of a process runs the same program; the last answer is
 * kept, since workers follow each other. */
static int is_child(amgr_proc_dir_t *proc, const amgr_proc_stat_t *stat,
                    amgr_proc_stat_t *parent)
{
    if (parent->pid != stat->ppid &&
        amgr_proc_read_stat(proc, stat->ppid, parent) != APR_SUCCESS) {
        parent->pid = 0;
        return 0;
    }
    return strcmp(parent->comm, stat->comm) == 0;
}

void amgr_local_each_httpd(amgr_proc_dir_t *proc, amgr_local_httpd_fn *fn,
                           void *baton, apr_pool_t *pool)
{
    amgr_proc_stat_t parent;
    amgr_proc_stat_t stat;
    amgr_local_httpd_t httpd;
    pid_t *pids;
    int count;
    int i;

    if (amgr_proc_list_all(proc, &pids, &count, pool) != APR_SUCCESS) {
        return;
    }
    parent.pid = 0;
    for (i = 0; i < count; i++) {
        if (amgr_proc_read_stat(proc, pids[i], &stat) != APR_SUCCESS ||
            !is_httpd_name(stat.comm) || stat.state == 'Z' ||
            (stat.ppid != 0 && is_child(proc, &stat, &parent))) {
            continue;
        }
        httpd.id.pid = pids[i];
        httpd.id.start_ticks = stat.start_ticks;
        httpd.is_orphan = is_orphan(&stat);
        if (fn(baton, &httpd)) {
            break;
        }
    }
}

/** A search for whoever has one of some sockets. */
typedef struct search_t {
    amgr_proc_dir_t *proc;
    const sockets_t *sockets;
    amgr_local_httpd_t found; /**< pid 0: nobody yet */
    int denied;               /**< somebody may have, and cannot be asked */
} search_t;

/** The parent of a worker that was left behind is looked for on. */
static int look_at(void *baton, const amgr_local_httpd_t *httpd)
{
    search_t *search = baton;

    if ((httpd->is_orphan && search->found.id.pid != 0) ||
        !holds(search->proc, httpd->id.pid, search->sockets, &search->denied)) {
        return 0;
    }
    search->found = *httpd;
    return !httpd->is_orphan;
}

/** Any other program that forks, and has mapped a board. */
static void look_at_others(search_t *search, apr_pool_t *pool)
{
    amgr_proc_tree_t *tree;
    int i;

    if (amgr_proc_tree_read(search->proc, &tree, pool) != APR_SUCCESS) {
        return;
    }
    for (i = 0; i < tree->count; i++) {
        const amgr_proc_node_t *node = &tree->nodes[i];
        amgr_local_httpd_t any = {node->id, 0};

        if (is_first(node) && node->first_child != NULL &&
            !is_httpd_name(node->comm) && look_at(search, &any)) {
            break;
        }
    }
    if (search->found.id.pid != 0 &&
        amgr_local_mapped_board(search->proc, search->found.id.pid, pool) ==
            NULL) {
        search->found.id.pid = 0;
        search->denied = 0; /* it is known who it is, and it is no httpd */
    }
}

apr_status_t amgr_local_listener(amgr_proc_dir_t *proc, const char *address,
                                 apr_uint16_t port, amgr_local_httpd_t *out,
                                 apr_pool_t *pool)
{
    search_t search;
    sockets_t sockets;

    find_sockets(proc, address, port, &sockets);
    if (sockets.count == 0) {
        return APR_NOTFOUND;
    }
    /* Whose sockets another user's processes have is root's alone to know. */
    if (geteuid() != 0 && !sockets.own) {
        return APR_EACCES;
    }
    memset(&search, 0, sizeof(search));
    search.proc = proc;
    search.sockets = &sockets;
    amgr_local_each_httpd(proc, look_at, &search, pool);
    if (search.found.id.pid == 0) {
        look_at_others(&search, pool);
    }
    if (search.found.id.pid == 0) {
        return search.denied ? APR_EACCES : APR_NOTFOUND;
    }
    *out = search.found;
    return APR_SUCCESS;
}
