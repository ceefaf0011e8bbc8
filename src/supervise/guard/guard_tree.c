/* SPDX-License-Identifier: Apache-2.0
 *
 * See guard_tree.h.
 */
#include "supervise/guard/guard_tree.h"

#include <signal.h>
#include <unistd.h>

#include "proc/proc_control.h"

apr_status_t amgr_guard_tree_open(amgr_guard_tree_t *tree)
{
    tree->count = 0;
    return amgr_proc_dir_open(&tree->proc, "/proc");
}

/** Its children in tree->children; APR_ENOSPC only means that there are more
 * of them than a pass can take. */
static int read_children(amgr_guard_tree_t *tree, pid_t pid)
{
    apr_status_t rv;
    int count = 0;

    rv = amgr_proc_read_children(&tree->proc, pid, tree->children,
                                 AMGR_GUARD_TREE_MAX, &count);
    return rv == APR_SUCCESS || rv == APR_ENOSPC ? count : 0;
}

int amgr_guard_tree_children(amgr_guard_tree_t *tree)
{
    return read_children(tree, getpid());
}

/** A zombie has no more to be signalled, unless other threads of it live. */
static int is_living(const amgr_proc_stat_t *stat)
{
    return (stat->state != 'Z' && stat->state != 'X') || stat->threads > 1;
}

/** Add the living children of @a parent. */
static void add_children(amgr_guard_tree_t *tree, pid_t parent, pid_t except)
{
    int count = read_children(tree, parent);
    amgr_guard_node_t *node;
    amgr_proc_stat_t stat;
    pid_t pid;
    int i;

    for (i = 0; i < count && tree->count < AMGR_GUARD_TREE_MAX; i++) {
        pid = tree->children[i];
        if (pid != except &&
            amgr_proc_read_stat(&tree->proc, pid, &stat) == APR_SUCCESS &&
            stat.ppid == parent && is_living(&stat)) {
            node = &tree->found[tree->count++];
            node->id.pid = pid;
            node->id.start_ticks = stat.start_ticks;
            node->leads = parent == getpid() && stat.pgrp == pid;
        }
    }
}

/** By generations.  The children of a process count when it is still the same
 * after they were read: then it was all the while, and they are its own. */
static void find_all(amgr_guard_tree_t *tree, pid_t except)
{
    amgr_proc_id_t now;
    int before;
    int i;

    tree->count = 0;
    add_children(tree, getpid(), except);
    for (i = 0; i < tree->count; i++) {
        before = tree->count;
        add_children(tree, tree->found[i].id.pid, except);
        if (before != tree->count &&
            (amgr_proc_read_id(&tree->proc, tree->found[i].id.pid, &now) !=
                 APR_SUCCESS ||
             !amgr_proc_id_equal(&now, &tree->found[i].id))) {
            tree->count = before;
        }
    }
}

int amgr_guard_tree_signal(amgr_guard_tree_t *tree, int sig, pid_t except)
{
    int i;

    find_all(tree, except);
    for (i = 0; i < tree->count; i++) {
        /* In one go first, which no fork can get away from. */
        if (tree->found[i].leads) {
            kill(-tree->found[i].id.pid, sig);
        }
        else {
            amgr_proc_signal(&tree->proc, &tree->found[i].id, 0, sig);
        }
    }
    return tree->count;
}
