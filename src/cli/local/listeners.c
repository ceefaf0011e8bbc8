/* SPDX-License-Identifier: Apache-2.0
 *
 * Listening sockets by their inodes.  Of TCP alone: the unix sockets that the
 * parent of WSGI daemons listens at are theirs.
 */
#include "cli/local/listeners.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>
#include <apr_tables.h>

#include "base/clock.h"
#include "base/units.h"
#include "proc/proc_socket.h"

/* How much of the tables of sockets is read: of the busiest host there is. */
#define TABLE_BYTES (64 * 1024 * 1024)
#define TABLE_US (2 * APR_USEC_PER_SEC)

/* A process has no more descriptors. */
#define DESCRIPTOR_MAX (1 << 30)

struct amgr_listeners_t {
    amgr_proc_dir_t *proc;
    const amgr_proc_socket_t *sockets;
    int count; /* 0: unknown */
};

/* Takes a descriptor's socket; anything but 0 ends the walk. */
typedef int socket_fn(void *baton, apr_uint64_t inode);

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

/* Each socket that the process has; zero when that cannot be told. */
static int each_socket(amgr_proc_dir_t *proc, pid_t pid, socket_fn *fn,
                       void *baton)
{
    DIR *dir = open_descriptors(proc, pid);
    amgr_proc_target_t target;
    const struct dirent *entry;
    int number;

    if (dir == NULL) {
        return 0;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (amgr_count_parse(entry->d_name, 0, DESCRIPTOR_MAX, &number) ==
                NULL &&
            amgr_proc_read_target(proc, pid, number, &target) == APR_SUCCESS &&
            target.kind == AMGR_TARGET_SOCKET && fn(baton, target.inode)) {
            break;
        }
    }
    closedir(dir);
    return 1;
}

static int collect(void *baton, apr_uint64_t inode)
{
    amgr_proc_socket_t *socket = apr_array_push(baton);

    memset(socket, 0, sizeof(*socket));
    socket->inode = inode;
    return 0;
}

/* Leave those that wait for clients; the number of them. */
static int keep_listening(amgr_proc_socket_t *sockets, int count)
{
    int kept = 0;
    int i;

    for (i = 0; i < count; i++) {
        if (sockets[i].kind == AMGR_SOCKET_TCP && sockets[i].listening) {
            sockets[kept++] = sockets[i];
        }
    }
    return kept;
}

amgr_listeners_t *amgr_listeners_read(amgr_proc_dir_t *proc, pid_t parent,
                                      apr_pool_t *pool)
{
    amgr_listeners_t *listeners = apr_pcalloc(pool, sizeof(*listeners));
    apr_array_header_t *sockets =
        apr_array_make(pool, 16, sizeof(amgr_proc_socket_t));
    amgr_proc_budget_t budget;

    listeners->proc = proc;
    if (!each_socket(proc, parent, collect, sockets)) {
        return listeners;
    }
    budget.file_bytes = TABLE_BYTES;
    budget.mono_us = amgr_clock_monotonic_us() + TABLE_US;
    /* Those that were found are; what it answers about the rest is nothing
     * that matters. */
    amgr_proc_find_sockets(proc, parent, &budget,
                           (amgr_proc_socket_t *)sockets->elts, sockets->nelts);
    listeners->sockets = (const amgr_proc_socket_t *)sockets->elts;
    listeners->count =
        keep_listening((amgr_proc_socket_t *)sockets->elts, sockets->nelts);
    return listeners;
}

typedef struct search_t {
    const amgr_listeners_t *listeners;
    int found;
} search_t;

static int look_up(void *baton, apr_uint64_t inode)
{
    search_t *search = baton;
    int i;

    for (i = 0; i < search->listeners->count && !search->found; i++) {
        search->found = search->listeners->sockets[i].inode == inode;
    }
    return search->found;
}

int amgr_listeners_held(const amgr_listeners_t *listeners, pid_t pid)
{
    search_t search;

    search.listeners = listeners;
    search.found = 0;
    if (listeners->count == 0 ||
        !each_socket(listeners->proc, pid, look_up, &search)) {
        return AMGR_LISTENERS_UNKNOWN;
    }
    return search.found ? AMGR_LISTENERS_HELD : AMGR_LISTENERS_NOT_HELD;
}
