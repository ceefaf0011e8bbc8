/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kernel says of a child of httpd's parent that nobody has in a table:
 * forks of httpd, our own helpers, and programs.
 */
#ifndef AMGR_CHILD_H
#define AMGR_CHILD_H

#include "model/snapshot.h"
#include "proc/proc_read.h"

/** The names that processes of this module give themselves. */
#define AMGR_HELPER_COMM "apache-manager"
#define AMGR_SUPERVISOR_COMM "apache-managed"
#define AMGR_GUARD_COMM \
    "apache-guard" /**< our child once its own parent, the
                                            supervisor, is gone and we are
                                            init */

/** Stands before the name of a WSGI group that one of our own groups has. */
#define AMGR_GROUP_PREFIX "wsgi:"

/**
 * AMGR_ROLE_HELPER for a process of this module, which must never be taken for
 * another daemon; AMGR_ROLE_PROGRAM for what called exec; AMGR_ROLE_DAEMON for
 * any other fork of httpd, of which titles and the scoreboard tell more.
 */
int amgr_child_role(const amgr_proc_stat_t *stat);

/** Whether a WSGI group of this name must be prefixed: it is the name of one of
 * our own groups, or would be that of another after its prefix. */
int amgr_group_is_reserved(const char *name);

/**
 * The WSGI group that the child @a pid belongs to by its title, as it is shown:
 * with the prefix where its name is reserved; cut to @a size.  @a buf is
 * touched on success only; APR_NOTFOUND: it has no such title.  May block
 * behind a stuck process.
 */
apr_status_t amgr_child_read_group(amgr_proc_dir_t *dir, pid_t pid, char *buf,
                                   apr_size_t size);

#endif
