/* SPDX-License-Identifier: Apache-2.0
 *
 * What a process of a server's tree is: by the server's own board where that
 * can be read, else by what the kernel tells of it.
 */
#ifndef AMGR_TREE_KIND_H
#define AMGR_TREE_KIND_H

#include "model/snapshot.h"
#include "proc/proc_tree.h"

/** Room for any of the words, "wsgi:" and the name of a group. */
#define AMGR_TREE_KIND_LEN (AMGR_GROUP_NAME_LEN + 8)

/**
 * "parent", "worker", "wsgi:NAME", "daemon", "helper", "piped log", "CGI",
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
