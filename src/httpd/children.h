/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of children: which processes the MPM has forked, as the parent saw
 * it happen (child_status hook).  The authority on whom this module may
 * signal.  Written by the parent alone; read by the parent and the ticker, who
 * share its memory; no other process has it, so no worker can forge it.
 * Beside them it has children that are said to be the MPM's by the scoreboard
 * alone: whom nobody may signal.
 *
 * Another build of this module takes the entries over, as far as both have
 * them: they only ever grow at their end, and 0 there is what an older build
 * does not tell.
 */
#ifndef AMGR_CHILDREN_H
#define AMGR_CHILDREN_H

#include "proc/proc_read.h"

typedef struct amgr_child_t {
    amgr_proc_id_t id;
    apr_int32_t slot; /**< scoreboard's row; -1 when the MPM took it
                                 away from a child that still lives */
    apr_int32_t generation;
    apr_int32_t columns; /**< of its row that are its own: ThreadsPerChild may
                              be another since it was forked */
    apr_int32_t unheard; /**< its fork was not seen: the scoreboard says that it
                              is a worker, which may be false */
} amgr_child_t;

typedef struct amgr_children_t amgr_children_t;

/** Bytes a table of @a max children needs. */
apr_size_t amgr_children_size(int max);

/** Lay out an empty table over @a memory of that size (all zero). */
amgr_children_t *amgr_children_init(void *memory, int max);

/** Whether the table is laid out as this build would lay it out for @a max
 * children. */
int amgr_children_fits(const amgr_children_t *table, int max);

/** Take over the entries of @a old, of whichever build, which nobody writes any
 * more, into an empty table.  APR_ENOSPC: not all of them had room. */
apr_status_t amgr_children_carry(amgr_children_t *table,
                                 const amgr_children_t *old);

/** A child was forked: note it with its start time, or without one, which it
 * gets later, when that cannot be read now; that of @a child is not looked at.
 * APR_ENOSPC: full. */
apr_status_t amgr_children_add(amgr_children_t *table, amgr_proc_dir_t *proc,
                               const amgr_child_t *child);

/** A row of the scoreboard is said to be this process's.  Noted when it is a
 * child of this process that is not known. */
void amgr_children_hear(amgr_children_t *table, amgr_proc_dir_t *proc,
                        pid_t pid);

/** Whether a child has no start time yet: it is never signalled. */
int amgr_children_lack_start(const amgr_children_t *table);

/**
 * Read the start times that are lacking.  For the parent alone: it has reaped
 * none of these children, so that each pid is still that of the child.
 */
void amgr_children_complete(amgr_children_t *table, amgr_proc_dir_t *proc);

/**
 * Drop whoever has been reaped and was not told of: this module was not there,
 * or the MPM did not know whose end it saw.  The parent alone can tell, since
 * nobody else reaps them.
 */
void amgr_children_drop_reaped(amgr_children_t *table);

/** Drop those too whose pid is another child's by now. */
void amgr_children_drop_replaced(amgr_children_t *table, amgr_proc_dir_t *proc);

/** A child has been reaped. */
void amgr_children_remove(amgr_children_t *table, pid_t pid);

/** A child that still lives has lost its row of the scoreboard. */
void amgr_children_lose_slot(amgr_children_t *table, pid_t pid);

/**
 * Copy the table, ordered by pid.  Returns the number of children, at most
 * @a max; -1 when the parent was writing all the time (try at the next tick).
 */
int amgr_children_copy(const amgr_children_t *table, amgr_child_t *out,
                       int max);

#endif
