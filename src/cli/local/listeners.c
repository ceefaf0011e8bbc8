/* SPDX-License-Identifier: Apache-2.0
 *
 * Listening sockets by their inodes.  Of TCP alone: the unix sockets that the
 * parent of WSGI daemons listens at are theirs.
 */
#include "cli/local/listeners.h"

#include <apr_tables.h>

#include "base/clock.h"
#include "proc/proc_listen.h"

/* How much of the tables of sockets is read: of the busiest host there is. */
#define TABLE_BYTES (64 * 1024 * 1024)

/* For the sockets of one process. */
#define READ_US (2 * APR_USEC_PER_SEC)

struct amgr_listeners_t {
    amgr_proc_dir_t *proc;
    apr_array_header_t *inodes; /* of the parent's; none: unknown */
};

/* Looks for one inode among others. */
typedef struct search_t {
    const apr_array_header_t *inodes;
    int found;
} search_t;

static void make_budget(amgr_proc_budget_t *budget)
{
    budget->file_bytes = TABLE_BYTES;
    budget->mono_us = amgr_clock_monotonic_us() + READ_US;
}

static int collect(void *baton, apr_uint64_t inode)
{
    APR_ARRAY_PUSH((apr_array_header_t *)baton, apr_uint64_t) = inode;
    return 0;
}

static int look_up(void *baton, apr_uint64_t inode)
{
    search_t *search = baton;
    int i;

    for (i = 0; i < search->inodes->nelts && !search->found; i++) {
        search->found = APR_ARRAY_IDX(search->inodes, i, apr_uint64_t) == inode;
    }
    return search->found;
}

/* The parent's sockets, and those of them that listen. */
typedef struct sorting_t {
    search_t all;
    apr_array_header_t *listening;
} sorting_t;

static int keep_own(void *baton, const amgr_proc_socket_t *socket)
{
    sorting_t *sorting = baton;

    sorting->all.found = 0;
    if (look_up(&sorting->all, socket->inode)) {
        collect(sorting->listening, socket->inode);
    }
    return 0;
}

amgr_listeners_t *amgr_listeners_read(amgr_proc_dir_t *proc, pid_t parent,
                                      apr_pool_t *pool)
{
    amgr_listeners_t *listeners = apr_pcalloc(pool, sizeof(*listeners));
    apr_array_header_t *all = apr_array_make(pool, 16, sizeof(apr_uint64_t));
    amgr_proc_budget_t budget;
    sorting_t sorting;

    listeners->proc = proc;
    listeners->inodes = apr_array_make(pool, 4, sizeof(apr_uint64_t));
    sorting.all.inodes = all;
    sorting.listening = listeners->inodes;
    make_budget(&budget);
    /* What is found is; the rest is nothing that matters. */
    (void)amgr_proc_each_socket(proc, parent, &budget, collect, all);
    if (all->nelts > 0) {
        (void)amgr_proc_each_listener(proc, parent, &budget, keep_own,
                                      &sorting);
    }
    return listeners;
}

int amgr_listeners_held(const amgr_listeners_t *listeners, pid_t pid)
{
    search_t search = {listeners->inodes, 0};
    amgr_proc_budget_t budget;
    apr_status_t rv;

    if (listeners->inodes->nelts == 0) {
        return AMGR_LISTENERS_UNKNOWN;
    }
    make_budget(&budget);
    rv = amgr_proc_each_socket(listeners->proc, pid, &budget, look_up, &search);
    if (search.found) {
        return AMGR_LISTENERS_HELD;
    }
    return rv == APR_SUCCESS ? AMGR_LISTENERS_NOT_HELD : AMGR_LISTENERS_UNKNOWN;
}
