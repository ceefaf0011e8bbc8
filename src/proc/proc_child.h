/* SPDX-License-Identifier: Apache-2.0
 *
 * A child that this process has forked and looks after for long, held by a
 * pidfd from its fork on.  A pid alone would not do: others of the same process
 * reap whatever has ended (httpd's own loop, other modules), and then its pid
 * may be another child's.  A descriptor stays that of the one it was opened
 * for, signals nobody else, and reaps nobody else.
 */
#ifndef AMGR_PROC_CHILD_H
#define AMGR_PROC_CHILD_H

#include <sys/types.h>

/** Hold @a pid, which was forked just now: nobody has reaped it yet.  Returns a
 * descriptor, closed in programs, for the caller to close; where there is none
 * to be had the child is killed and reaped, and -1 returned with errno. */
int amgr_proc_child_hold(pid_t pid);

/** Whether it has ended; it is reaped by then.  *out_status: its wait status,
 * as of waitpid(2), or -1 where another has reaped it, which nobody can ask for
 * it any more.  Never waits. */
int amgr_proc_child_has_ended(int fd, int *out_status);

/** Signal it; nothing happens when it has ended.  An errno, or 0. */
int amgr_proc_child_signal(int fd, int sig);

#endif
