/* SPDX-License-Identifier: Apache-2.0
 *
 * See proc_listen.h.  Where the kernel's diagnostics do not answer the tables
 * are read.
 */
#include "proc/proc_listen.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "proc/proc_diag.h"
#include "proc/proc_internal.h"

/** A process has no more descriptors. */
#define DESCRIPTOR_MAX (1 << 30)

/** Descriptors between two looks at the clock. */
#define LOOK_EVERY 64

/** A walk over listeners. */
typedef struct walk_t {
    amgr_proc_socket_fn *fn;
    void *baton;
    int is_over; /**< the taker has enough */
} walk_t;

static apr_status_t open_descriptors(const amgr_proc_dir_t *dir, pid_t pid,
                                     DIR **out)
{
    char path[AMGR_PROC_PATH_LEN];
    int fd;

    if (!amgr_proc_make_path(path, sizeof(path), pid, "fd")) {
        return APR_EGENERAL;
    }
    fd = openat(dir->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return amgr_proc_status_of(errno);
    }
    *out = fdopendir(fd);
    if (*out == NULL) {
        close(fd);
        return APR_ENOMEM;
    }
    return APR_SUCCESS;
}

apr_status_t amgr_proc_each_socket(amgr_proc_dir_t *dir, pid_t pid,
                                   const amgr_proc_budget_t *budget,
                                   amgr_proc_inode_fn *fn, void *baton)
{
    amgr_proc_target_t target;
    const struct dirent *entry;
    apr_status_t result;
    apr_status_t rv;
    int looked = 0;
    int number;
    DIR *fds = NULL;

    result = open_descriptors(dir, pid, &fds);
    if (fds == NULL) {
        return amgr_proc_note(dir, "fd", result);
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread has the stream */
    while ((entry = readdir(fds)) != NULL) {
        if (looked++ % LOOK_EVERY == 0 &&
            amgr_clock_monotonic_us() >= budget->mono_us) {
            result = APR_TIMEUP;
            break;
        }
        if (amgr_count_parse(entry->d_name, 0, DESCRIPTOR_MAX, &number) !=
            NULL) {
            continue;
        }
        rv = amgr_proc_read_target(dir, pid, number, &target);
        if (rv == APR_EACCES) {
            result = rv;
        }
        if (rv == APR_SUCCESS && target.kind == AMGR_TARGET_SOCKET &&
            fn(baton, target.inode)) {
            break;
        }
    }
    closedir(fds);
    return result;
}

static int give(void *baton, const amgr_proc_socket_t *found)
{
    walk_t *walk = baton;

    walk->is_over = walk->fn(walk->baton, found) != 0;
    return walk->is_over;
}

/* They stand first; behind them nothing is looked for. */
static int take_line(void *baton, const char *line, apr_size_t len)
{
    walk_t *walk = baton;
    amgr_proc_socket_t found;

    if (amgr_proc_parse_inet(line, len, AMGR_SOCKET_TCP, &found) !=
        APR_SUCCESS) {
        return 0; /* the heading */
    }
    return !found.listening || give(walk, &found);
}

static apr_status_t read_tables(amgr_proc_dir_t *dir, pid_t pid,
                                const amgr_proc_budget_t *budget, walk_t *walk)
{
    static const char *const tables[] = {"net/tcp", "net/tcp6"};
    apr_status_t result = APR_SUCCESS;
    apr_status_t rv;
    apr_size_t i;
    int fd;

    for (i = 0; i < AMGR_COUNT(tables) && !walk->is_over; i++) {
        rv = amgr_proc_open(dir, pid, tables[i], &fd);
        if (rv == APR_SUCCESS) {
            rv = amgr_proc_each_line(fd, budget, take_line, walk);
            close(fd);
        }
        /* A kernel without IPv6 has one table. */
        if (rv != APR_SUCCESS && (rv != APR_NOTFOUND || i == 0)) {
            result = amgr_proc_note(dir, "net", rv);
        }
    }
    return result;
}

apr_status_t amgr_proc_each_listener(amgr_proc_dir_t *dir, pid_t pid,
                                     const amgr_proc_budget_t *budget,
                                     amgr_proc_socket_fn *fn, void *baton)
{
    walk_t walk = {fn, baton, 0};

    if (amgr_proc_ask_tcp(dir, pid, 1U << AMGR_TCP_LISTEN, budget->mono_us,
                          give, &walk) == APR_SUCCESS) {
        return APR_SUCCESS;
    }
    return read_tables(dir, pid, budget, &walk);
}
