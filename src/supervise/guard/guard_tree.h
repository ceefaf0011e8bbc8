/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything below a guard, as a whole: found through /proc, signalled by
 * pidfds.  A guard is a subreaper, so whatever a managed process leaves behind
 * stays below it, in whatever session or group; and what was once below it is
 * so until it ends.
 *
 * One pass hits what there was when it looked.  Whoever forks meanwhile is for
 * the next pass: only wait(2) tells that there is nothing left.
 */
#ifndef AMGR_GUARD_TREE_H
#define AMGR_GUARD_TREE_H

#include "proc/proc_read.h"

/** Processes that one pass can hit, and children of one that it sees. */
#define AMGR_GUARD_TREE_MAX 4096

typedef struct amgr_guard_node_t {
    amgr_proc_id_t id;
    int leads; /**< a child of ours that leads a process group: that can be
                    nobody else's, since only we reap it */
} amgr_guard_node_t;

typedef struct amgr_guard_tree_t {
    amgr_proc_dir_t proc;
    int count;
    amgr_guard_node_t found[AMGR_GUARD_TREE_MAX];
    pid_t children[AMGR_GUARD_TREE_MAX];
} amgr_guard_tree_t;

/** APR_SUCCESS, or an errno: without /proc there can be no guard. */
apr_status_t amgr_guard_tree_open(amgr_guard_tree_t *tree);

/**
 * Send @a sig to every process below this one but @a except (0: nobody) and
 * what is below that.  Returns how many living processes there were.
 */
int amgr_guard_tree_signal(amgr_guard_tree_t *tree, int sig, pid_t except);

/** The children of this process, dead ones too, in tree->children; how many.
 * One may be missing when another ends meanwhile. */
int amgr_guard_tree_children(amgr_guard_tree_t *tree);

#endif
