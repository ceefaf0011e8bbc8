/* SPDX-License-Identifier: Apache-2.0
 *
 * A server's processes as lines of text, parents before their children.
 */
#ifndef AMGR_TREE_TEXT_H
#define AMGR_TREE_TEXT_H

#include "base/clock.h"
#include "cli/watch/canvas.h"
#include "model/snapshot.h"
#include "proc/proc_tree.h"

/**
 * Draw @a tops (const amgr_proc_node_t *), an httpd parent or the orphans of
 * one, and whatever is below them, each with its user, memory, age, kind and
 * command, and their sum.  @a snapshot is what the server's board says of its
 * children, or NULL.  Reads of each process what it shows, and of one that
 * ended meanwhile nothing.
 */
void amgr_tree_draw(const amgr_proc_tree_t *processes,
                    const apr_array_header_t *tops,
                    const amgr_snapshot_t *snapshot, const amgr_instant_t *now,
                    amgr_canvas_t *canvas);

/** @a top alone, or with it, when it is an orphan, all that lost the same
 * parent: const amgr_proc_node_t * by pid, from @a pool. */
apr_array_header_t *amgr_tree_tops(const amgr_proc_tree_t *processes,
                                   const amgr_proc_node_t *top,
                                   apr_pool_t *pool);

#endif
