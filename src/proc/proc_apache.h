/* SPDX-License-Identifier: Apache-2.0
 *
 * The processes of an httpd, seen from outside: its master, its workers, the
 * groups of mod_wsgi's daemons, and how much memory each uses.  For the
 * command line; the module knows its own children from the scoreboard.
 */
#ifndef AMGR_PROC_APACHE_H
#define AMGR_PROC_APACHE_H

#include "proc/proc_tree.h"

/** Resident sizes of the workers of one WSGI group, or of those in none. */
typedef struct amgr_proc_apache_group_t {
    const char *name;              /**< NULL: in no WSGI group */
    apr_array_header_t *rss_bytes; /**< of apr_uint64_t, by pid */
} amgr_proc_apache_group_t;

/**
 * The master: a process of the program @a exe_path (NULL: one named apache2 or
 * httpd) whose parent is none; the first by pid.  With @a pid not 0 it must be
 * that one.  APR_NOTFOUND when there is no master.
 */
apr_status_t amgr_proc_apache_find(const amgr_proc_tree_t *tree,
                                   const char *exe_path, pid_t pid,
                                   const amgr_proc_node_t **out_master);

/**
 * The workers, as an array of const amgr_proc_node_t * by pid: the direct
 * children of @a master that run its executable.  Where exe cannot be read
 * (for want of rights) a child counts that never called exec.
 */
apr_array_header_t *amgr_proc_apache_workers(const amgr_proc_tree_t *tree,
                                             const amgr_proc_node_t *master,
                                             apr_pool_t *pool);

/**
 * The group's name in a first argument "(wsgi:NAME)", whose end may be cut off
 * or padded with blanks; cut to @a size.  APR_NOTFOUND (and @a buf untouched)
 * when it is no such title or the name is empty.
 */
apr_status_t amgr_proc_wsgi_parse(const char *argument, apr_size_t len,
                                  char *buf, apr_size_t size);

/**
 * Sizes by group, as an array of amgr_proc_apache_group_t: first the workers
 * in no group (an empty list when there are none), then each WSGI group in the
 * order of its lowest pid.  Workers that vanish meanwhile are left out.
 */
apr_array_header_t *amgr_proc_apache_memory(const amgr_proc_tree_t *tree,
                                            const amgr_proc_node_t *master,
                                            apr_pool_t *pool);

#endif
