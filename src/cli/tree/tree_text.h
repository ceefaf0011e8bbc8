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
 * Draw @a top, an httpd parent, and whatever is below it, each with its user,
 * memory, age, kind and command, and their sum.  @a snapshot is what the
 * server's board says of its children, or NULL.  Reads of each process what it
 * shows, and of one that ended meanwhile nothing.
 */
void amgr_tree_draw(const amgr_proc_tree_t *processes,
                    const amgr_proc_node_t *top,
                    const amgr_snapshot_t *snapshot, const amgr_instant_t *now,
                    amgr_canvas_t *canvas);

#endif
