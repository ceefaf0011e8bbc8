/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening a file with root's rights by a path that may lead through the
 * directories of others.  Whoever can change a directory can put a symbolic
 * link into it, so the path is walked component by component: a link is
 * followed only where it and every directory so far are root's or our own, and
 * neither a group nor others can write to these.  (A directory under the
 * sticky bit is one of others, too.)
 */
#ifndef AMGR_TRUSTED_OPEN_H
#define AMGR_TRUSTED_OPEN_H

#include <sys/types.h>

typedef enum amgr_shared_e {
    AMGR_SHARED_REFUSE = 0, /**< what is in a directory of others: EPERM */
    AMGR_SHARED_OPEN        /**< it is opened, though by no link: ELOOP */
} amgr_shared_e;

/**
 * open(2) of the absolute @a path, with @a flags and O_CLOEXEC; a link in the
 * last place is never followed with O_NOFOLLOW.  A descriptor, or the negative
 * of an errno.  *out_is_shared: others can change a directory on its way (as
 * far as it was gone).  Who is not root has no rights that others could use:
 * then it is open(2).  May wait for the disk.
 */
int amgr_trusted_open(const char *path, int flags, mode_t mode, int in_shared,
                      int *out_is_shared);

#endif
