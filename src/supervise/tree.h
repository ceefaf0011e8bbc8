/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tree below a guard uses: memory as of now, and CPU time since the
 * guard was forked.  Reads /proc, a file or two for each process of it, and
 * allocates nothing; runs in the supervisor, whose child the guard is.
 */
#ifndef AMGR_TREE_H
#define AMGR_TREE_H

#include "model/managed.h"
#include "proc/proc_read.h"

/** Beyond so many the rest of a tree is left out, so that one that does
 * nothing but fork costs no more than this. */
#define AMGR_TREE_MAX 512

typedef struct amgr_tree_t {
    int count;                 /**< processes, without the guard and its logger;
                                    zombies too */
    apr_uint64_t memory_bytes; /**< resident of those, shared pages as often as
                                    they are shared */
    apr_uint64_t cpu_us;       /**< user and system of all, the guard's own and
                                    of those that it has reaped; may be less
                                    than before where one ended that nobody has
                                    reaped yet */
} amgr_tree_t;

/** APR_NOTFOUND: the guard is gone; anything else: all of it cannot be read
 * now, and *out is as it was.  @a guard must be the caller's own child, not
 * reaped. */
apr_status_t amgr_tree_read(amgr_proc_dir_t *dir, pid_t guard,
                            amgr_tree_t *out);

/** SIGKILL to every child of the calling process that @a is_known does not
 * know: the calling process adopts what ended guards and attempts leave.  What
 * is below such a child comes to the caller when that has died, and is found by
 * the next call.  Returns how many there were; -1: nobody knows now. */
int amgr_tree_sweep(amgr_proc_dir_t *dir, int (*is_known)(void *, pid_t),
                    void *baton);

#endif
