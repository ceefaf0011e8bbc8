/* SPDX-License-Identifier: Apache-2.0
 *
 * What a process of a server's tree is: by the server's own board where that
 * can be read, else by what the kernel tells of it.
 */
#ifndef AMGR_TREE_KIND_H
#define AMGR_TREE_KIND_H

#include "model/snapshot.h"
#include "proc/proc_tree.h"

/** Room for any of the words, "orphaned wsgi:" and the name of a group. */
#define AMGR_TREE_KIND_LEN (AMGR_GROUP_NAME_LEN + 16)

/**
 * Whether @a top, an httpd without an httpd above it, was a child of one that
 * has ended.  A parent was either started by exec, or leads the session that
 * it made when it went to the background; its forks do neither.
 */
int amgr_tree_is_orphan(const amgr_proc_tree_t *tree,
                        const amgr_proc_node_t *top);

/** Whether @a node may be asked for its command line and environment: who
 * waits without being interruptible may hold the lock that they take, and
 * then whoever reads them waits as well. */
int amgr_tree_can_be_asked(const amgr_proc_node_t *node);

/**
 * "parent" ("orphaned worker", "orphaned wsgi:NAME" or "orphaned process" of
 * an orphan), "worker", "wsgi:NAME", "daemon", "helper", "piped log", "CGI",
 * "program" for another that called exec, "process" for one that did not: in
 * @a buf.  @a top is the httpd parent and @a snapshot what the board says
 * (NULL: it cannot be read); the user ids are the effective ones of the two.
 */
const char *amgr_tree_kind(const amgr_proc_tree_t *tree,
                           const amgr_proc_node_t *top,
                           const amgr_proc_node_t *node,
                           const amgr_snapshot_t *snapshot, uid_t uid,
                           uid_t top_uid, char *buf);

/** The process of the board that this is, or NULL. */
const amgr_process_t *amgr_tree_process(const amgr_snapshot_t *snapshot,
                                        const amgr_proc_node_t *node);

#endif
