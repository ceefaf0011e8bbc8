/* SPDX-License-Identifier: Apache-2.0
 *
 * The children of an httpd as the kernel has them now: whom the tool may
 * signal, and what they are.  A source tells what they do; of whom there is
 * and of what kind only the module's board is believed, which the httpd's
 * parent alone can write.  Whatever a page claims, a process is in here for
 * being a direct child of this httpd.
 *
 *   called exec                            a program, never touched
 *   on the board, with this start time     what the board says
 *   a moment old                           not touched yet
 *   a worker as it is told, and listens    a worker
 *   titled (wsgi:NAME)                     a WSGI daemon
 *   else                                   a daemon, never touched
 *
 * Listening alone does not do: mod_fcgid's manager holds httpd's sockets too.
 * Of one that nobody tells of yet it does on a threaded MPM, with threads.
 */
#ifndef AMGR_KILL_CHILDREN_H
#define AMGR_KILL_CHILDREN_H

#include "cli/kill/live_slots.h"
#include "proc/proc_read.h"

/** Forks that nobody can tell apart yet. */
typedef struct amgr_kill_young_t {
    int count;
    apr_interval_time_t settle_us; /**< until all of them can be */
} amgr_kill_young_t;

/**
 * Fill in @a out: server and groups of @a source, processes as of now with
 * their memory, and slots of @a live, or of the source without (NULL).  Whoever
 * served the page that these are from is not active for that.  One that it does
 * not know has no slots and is active, since nobody can say.  Everything is in
 * @a pool or the sources' own, whose slots are written to.  APR_NOTFOUND: the
 * httpd has ended; else why /proc cannot be read.
 */
apr_status_t amgr_kill_children(const amgr_source_t *source,
                                const amgr_live_t *live, amgr_proc_dir_t *proc,
                                amgr_snapshot_t *out,
                                amgr_kill_young_t *out_young, apr_pool_t *pool);

/** Read a process again: gone, or its memory, threads and age.  Non-zero while
 * it is there, and is a child of @a parent still. */
int amgr_kill_children_refresh(amgr_proc_dir_t *proc, pid_t parent,
                               const amgr_instant_t *now,
                               amgr_process_t *process);

#endif
