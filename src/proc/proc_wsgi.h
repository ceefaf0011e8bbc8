/* SPDX-License-Identifier: Apache-2.0
 *
 * The title that mod_wsgi gives its daemons, by which the groups of an httpd's
 * children are known from outside.  Any process may write its own: it sorts
 * what is known to be a child otherwise, and no more.
 */
#ifndef AMGR_PROC_WSGI_H
#define AMGR_PROC_WSGI_H

#include "proc/proc_read.h"

/**
 * The group's name in a first argument "(wsgi:NAME)", whose end may be cut off
 * or padded with blanks; cut to @a size.  APR_NOTFOUND (and @a buf untouched)
 * when it is no such title or the name is empty.
 */
apr_status_t amgr_proc_wsgi_parse(const char *argument, apr_size_t len,
                                  char *buf, apr_size_t size);

/** The same for the first argument of @a pid; APR_NOTFOUND too when that has
 * none.  Takes the target's mmap lock: may block behind a stuck process. */
apr_status_t amgr_proc_wsgi_read(amgr_proc_dir_t *dir, pid_t pid, char *buf,
                                 apr_size_t size);

#endif
