/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree of processes.  One scan is no instant: while it runs parents end,
 * children are adopted and pids are used again.  What comes of that is mended
 * once, when the nodes are linked; the walks rely on it.
 */
#include "proc/proc_tree.h"

#include <stdlib.h>
#include <string.h>

#include "proc/proc_info.h"

static void fill_node(amgr_proc_node_t *node, const amgr_proc_stat_t *stat)
{
    node->id.pid = stat->pid;
    node->id.start_ticks = stat->start_ticks;
    node->ppid = stat->ppid;
    node->state = stat->state;
    node->flags = stat->flags;
    memcpy(node->comm, stat->comm, sizeof(node->comm));
}

static int compare_pid(const void *key, const void *element)
{
    pid_t pid = *(const pid_t *)key;
    const amgr_proc_node_t *node = element;

    return (pid > node->id.pid) - (pid < node->id.pid);
}

static amgr_proc_node_t *get_node(const amgr_proc_tree_t *tree, pid_t pid)
{
    if (tree->count == 0) {
        return NULL;
    }
    return bsearch(&pid, tree->nodes, (apr_size_t)tree->count,
                   sizeof(*tree->nodes), compare_pid);
}

/* A parent is never younger than its child: such a node has the pid of a
 * parent that ended. */
static amgr_proc_node_t *get_parent(const amgr_proc_tree_t *tree,
                                    const amgr_proc_node_t *node)
{
    amgr_proc_node_t *parent = get_node(tree, node->ppid);

    if (parent == node || parent == NULL ||
        parent->id.start_ticks > node->id.start_ticks) {
        return NULL;
    }
    return parent;
}

static void find_parent(amgr_proc_tree_t *tree, amgr_proc_node_t *node)
{
    amgr_proc_stat_t stat;

    if (node->ppid == 0 || node == tree->root) {
        return;
    }
    node->parent = get_parent(tree, node);
    if (node->parent != NULL) {
        return;
    }
    /* Its parent vanished during the scan: ask who has adopted it. */
    if (amgr_proc_read_stat(tree->dir, node->id.pid, &stat) == APR_SUCCESS &&
        stat.start_ticks == node->id.start_ticks && stat.ppid != node->ppid) {
        node->ppid = stat.ppid;
        node->parent = get_parent(tree, node);
    }
    if (node->parent == NULL) {
        node->parent = tree->root;
    }
}

/*
 * Start times are coarse: processes of the same tick can still form a ring.
 * Each walk up leaves its number on the nodes; meeting one's own is a ring,
 * meeting an earlier walk's is ground known to be safe.
 */
static void cut_rings(amgr_proc_tree_t *tree, int *walk)
{
    amgr_proc_node_t *node;
    int i;

    for (i = 0; i < tree->count; i++) {
        for (node = &tree->nodes[i]; walk[node - tree->nodes] == 0;
             node = node->parent) {
            walk[node - tree->nodes] = i + 1;
            if (node->parent == NULL) {
                break;
            }
            if (walk[node->parent - tree->nodes] == i + 1) {
                node->parent = tree->root; /* which is in no ring */
                break;
            }
        }
    }
}

static void link_children(amgr_proc_tree_t *tree)
{
    amgr_proc_node_t *node;
    int i;

    /* From the last, so that each list begins with the lowest pid. */
    for (i = tree->count - 1; i >= 0; i--) {
        node = &tree->nodes[i];
        if (node->parent != NULL) {
            node->next_sibling = node->parent->first_child;
            node->parent->first_child = node;
        }
    }
}

apr_status_t amgr_proc_tree_read(amgr_proc_dir_t *dir,
                                 amgr_proc_tree_t **out_tree, apr_pool_t *pool)
{
    amgr_proc_tree_t *tree = apr_pcalloc(pool, sizeof(*tree));
    amgr_proc_stat_t stat;
    apr_status_t rv;
    pid_t *pids;
    int count;
    int i;

    rv = amgr_proc_list_all(dir, &pids, &count, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    tree->dir = dir;
    tree->nodes = apr_pcalloc(pool, (apr_size_t)count * sizeof(*tree->nodes));
    for (i = 0; i < count; i++) {
        if (amgr_proc_read_stat(dir, pids[i], &stat) == APR_SUCCESS &&
            stat.pid == pids[i]) {
            fill_node(&tree->nodes[tree->count++], &stat);
        }
    }
    tree->root = get_node(tree, 1);
    for (i = 0; i < tree->count; i++) {
        find_parent(tree, &tree->nodes[i]);
    }
    cut_rings(tree, apr_pcalloc(pool, (apr_size_t)count * sizeof(int)));
    link_children(tree);
    *out_tree = tree;
    return APR_SUCCESS;
}

const amgr_proc_node_t *amgr_proc_tree_get(const amgr_proc_tree_t *tree,
                                           pid_t pid)
{
    return get_node(tree, pid);
}

/* The next node below @a top without going below @a node. */
static const amgr_proc_node_t *skip_below(const amgr_proc_node_t *top,
                                          const amgr_proc_node_t *node)
{
    while (node != top) {
        if (node->next_sibling != NULL) {
            return node->next_sibling;
        }
        node = node->parent;
    }
    return NULL;
}

static const amgr_proc_node_t *next_grandchild(const amgr_proc_node_t *top,
                                               const amgr_proc_node_t *after)
{
    const amgr_proc_node_t *child = top->first_child;

    if (after != NULL) {
        if (after->next_sibling != NULL) {
            return after->next_sibling;
        }
        child = after->parent->next_sibling;
    }
    while (child != NULL && child->first_child == NULL) {
        child = child->next_sibling;
    }
    return child == NULL ? NULL : child->first_child;
}

const amgr_proc_node_t *amgr_proc_tree_next(const amgr_proc_node_t *top,
                                            amgr_proc_scope_e scope,
                                            const amgr_proc_node_t *after)
{
    switch (scope) {
    case AMGR_PROC_CHILDREN:
        return after == NULL ? top->first_child : after->next_sibling;
    case AMGR_PROC_GRANDCHILDREN:
        return next_grandchild(top, after);
    case AMGR_PROC_DESCENDANTS:
        if (after == NULL) {
            return top->first_child;
        }
        return after->first_child != NULL ? after->first_child
                                          : skip_below(top, after);
    case AMGR_PROC_SCOPE_COUNT:
        break;
    }
    return NULL;
}

static int is_match(const amgr_proc_tree_t *tree, const amgr_proc_node_t *node,
                    const amgr_proc_match_t *match)
{
    char text[AMGR_PROC_TEXT_LEN];
    amgr_proc_id_t now;

    if (match->pid != 0 && match->pid != node->id.pid) {
        return 0;
    }
    if (match->exe_name == NULL && match->exe_path == NULL) {
        return 1;
    }
    if (match->exe_path != NULL &&
        (amgr_proc_read_exe_path(tree->dir, node->id.pid, text, sizeof(text)) !=
             APR_SUCCESS ||
         strcmp(text, match->exe_path) != 0)) {
        return 0;
    }
    if (match->exe_name != NULL &&
        (amgr_proc_read_exe_name(tree->dir, node->id.pid, NULL, text,
                                 sizeof(text)) != APR_SUCCESS ||
         strcmp(text, match->exe_name) != 0)) {
        return 0;
    }
    /* What was just read was this process's only if it is still there. */
    return amgr_proc_read_id(tree->dir, node->id.pid, &now) == APR_SUCCESS &&
           now.start_ticks == node->id.start_ticks;
}

const amgr_proc_node_t *amgr_proc_tree_find(const amgr_proc_tree_t *tree,
                                            const amgr_proc_node_t *top,
                                            amgr_proc_scope_e scope,
                                            const amgr_proc_match_t *match,
                                            const amgr_proc_node_t *after)
{
    do {
        after = amgr_proc_tree_next(top, scope, after);
    } while (after != NULL && !is_match(tree, after, match));
    return after;
}

apr_array_header_t *amgr_proc_tree_find_all(const amgr_proc_tree_t *tree,
                                            const amgr_proc_node_t *top,
                                            amgr_proc_scope_e scope,
                                            const amgr_proc_match_t *match,
                                            apr_pool_t *pool)
{
    apr_array_header_t *found = apr_array_make(pool, 8, sizeof(void *));
    const amgr_proc_node_t *node = NULL;

    while ((node = amgr_proc_tree_find(tree, top, scope, match, node)) !=
           NULL) {
        APR_ARRAY_PUSH(found, const amgr_proc_node_t *) = node;
    }
    return found;
}
