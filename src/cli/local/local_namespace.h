/* SPDX-License-Identifier: Apache-2.0
 *
 * Servers in containers: what they and we see alike, and how we reach their
 * files.
 */
#ifndef AMGR_LOCAL_NAMESPACE_H
#define AMGR_LOCAL_NAMESPACE_H

#include "proc/proc_read.h"

/** Whether @a pid and this process see the same "net", "mnt" or "pid"; yes for
 * want of rights. */
int amgr_local_is_same_namespace(amgr_proc_dir_t *proc, pid_t pid,
                                 const char *name);

/** A path of @a pid's as we reach it: through its root, when that may be
 * another. */
const char *amgr_local_path(amgr_proc_dir_t *proc, pid_t pid, const char *path,
                            apr_pool_t *pool);

#endif
