/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is whose child: the tree of all processes, from one scan of /proc.
 * A picture of the past as soon as it is made: names are read when they are
 * asked for, and an answer is given only after the identity was checked again.
 *
 * Invariants: nodes are ordered by pid, children of a node too; no cycle, even
 * where pids were used again during the scan; a node whose parent vanished
 * hangs below init, which adopted it.  Reads /proc by the hundred: for the
 * command line, not for a tick.
 */
#ifndef AMGR_PROC_TREE_H
#define AMGR_PROC_TREE_H

#include <apr_pools.h>
#include <apr_tables.h>

#include "proc/proc_read.h"

/** One process of the tree. */
typedef struct amgr_proc_node_t {
    amgr_proc_id_t id;
    pid_t ppid;         /**< as the kernel said; 0 is none */
    char state;
    unsigned int flags; /**< PF_* */
    char comm[64];
    struct amgr_proc_node_t *parent; /**< NULL: init, kthreadd and the like */
    struct amgr_proc_node_t *first_child;
    struct amgr_proc_node_t *next_sibling;
} amgr_proc_node_t;

typedef struct amgr_proc_tree_t {
    amgr_proc_dir_t *dir;    /**< the caller's; must outlive the tree */
    amgr_proc_node_t *nodes; /**< by pid */
    int count;
    amgr_proc_node_t *root;  /**< pid 1, NULL when it was not to be seen */
} amgr_proc_tree_t;

/** How far below a node. */
typedef enum amgr_proc_scope_e {
    AMGR_PROC_CHILDREN = 0,
    AMGR_PROC_GRANDCHILDREN, /**< children of children */
    AMGR_PROC_DESCENDANTS,
    AMGR_PROC_SCOPE_COUNT
} amgr_proc_scope_e;

/** What to look for; all that is set must hold. */
typedef struct amgr_proc_match_t {
    pid_t pid;            /**< 0: any */
    const char *exe_name; /**< as amgr_proc_read_exe_name(); NULL: any */
    const char *exe_path; /**< as amgr_proc_read_exe_path(); NULL: any */
} amgr_proc_match_t;

/** Scan and build; everything lives in @a pool.  Processes that end during the
 * scan are left out. */
apr_status_t amgr_proc_tree_read(amgr_proc_dir_t *dir,
                                 amgr_proc_tree_t **out_tree,
                                 apr_pool_t *pool);

/** The process of this pid, or NULL. */
const amgr_proc_node_t *amgr_proc_tree_get(const amgr_proc_tree_t *tree,
                                           pid_t pid);

/**
 * Walk what is below @a top, parents before their children: the node after
 * @a after (NULL: the first), NULL after the last.
 */
const amgr_proc_node_t *amgr_proc_tree_next(const amgr_proc_node_t *top,
                                            amgr_proc_scope_e scope,
                                            const amgr_proc_node_t *after);

/** As amgr_proc_tree_next(), leaving out what does not match: with @a after
 * NULL the first match. */
const amgr_proc_node_t *amgr_proc_tree_find(const amgr_proc_tree_t *tree,
                                            const amgr_proc_node_t *top,
                                            amgr_proc_scope_e scope,
                                            const amgr_proc_match_t *match,
                                            const amgr_proc_node_t *after);

/** All matches, as an array of const amgr_proc_node_t *. */
apr_array_header_t *amgr_proc_tree_find_all(const amgr_proc_tree_t *tree,
                                            const amgr_proc_node_t *top,
                                            amgr_proc_scope_e scope,
                                            const amgr_proc_match_t *match,
                                            apr_pool_t *pool);

#endif
